# Copyright (c) 2026, dataops.qlik_em contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is refused before anything is sent, and in which words."""

from __future__ import annotations

import re

import pytest
from ansible_collections.dataops.qlik_em.plugins.module_utils._client.checks import (
    check_characters,
    check_count,
    check_name,
    check_seconds,
    check_secret,
    check_segment,
    check_text,
    shown_value,
)
from ansible_collections.dataops.qlik_em.plugins.module_utils._client.errors import InputError

BLANK = "name must not be empty or blank."
PEM = "-----BEGIN PRIVATE KEY-----\nMIIE\r\nabc\n-----END PRIVATE KEY-----\n"


def refusal(check, *values, **more):
    """Return the words with which a check refuses something."""
    with pytest.raises(InputError) as raised:
        check(*values, **more)
    return str(raised.value)


@pytest.mark.parametrize("name", ["a", " a b ", "Müller & Söhne/100%", "...", "C:\\n", "\u00a0x", "日本"])
def test_any_other_text_is_a_name(name):
    for check in (check_text, check_characters, check_name, check_segment, check_secret):
        assert check("name", name) == name


@pytest.mark.parametrize("value", ["", " ", "\u3000", None, 7, ["a"]])
def test_what_is_blank_or_not_a_text_is_refused(value):
    for check in (check_text, check_name, check_segment):
        assert refusal(check, "name", value) == BLANK


def is_refused(check, value, is_at_end, sign=""):
    """Check that a control character is refused in words that help and hold nothing of the value."""
    text = refusal(check, "name", value)
    assert text.startswith("name ") and value not in text
    assert ("trim" in text) is is_at_end and ("YAML" in text) is not is_at_end
    assert re.findall(r"a tab|U\+\w+", text) == ([sign] if sign else [])


@pytest.mark.parametrize(
    ("value", "is_at_end", "sign"),
    [
        ("a\n", True, ""),
        ("a\r\n\u2028", True, ""),
        ("a\u2029b", False, ""),
        ("a\nb\n", False, ""),
        ("a\x85b", False, ""),
        ("a\tb", False, "a tab"),
        ("a\t", False, "a tab"),
        ("a\x00b", False, "U+0000"),
        ("a\x7f", False, "U+007F"),
        ("\x9fa", False, "U+009F"),
        ("\x1b[0m", False, "U+001B"),
    ],
)
def test_control_characters_are_refused_and_nothing_of_the_value_is_shown(value, is_at_end, sign):
    for check in (check_text, check_characters, check_name, check_secret):
        is_refused(check, value, is_at_end, sign)


@pytest.mark.parametrize("name", [".", ".."])
def test_a_name_that_would_address_another_object_is_refused(name):
    for check in (check_name, check_segment):
        assert refusal(check, "name", name) == (
            f'name must not be "{name}": as a part of a URL it would address another object.'
        )


@pytest.mark.parametrize("secret", [PEM, f"\n{PEM}\n", '{"type": "service_account",\n "key": "x"}\n', "{\n}"])
def test_keys_and_credentials_may_have_many_lines(secret):
    assert check_secret("password", secret) == secret


@pytest.mark.parametrize(
    ("secret", "is_at_end", "sign"),
    [
        (PEM.replace("abc", "a\tc"), False, "a tab"),
        (f"x{PEM}", False, ""),
        ('["x"]\n', True, ""),
        ("{broken\n", True, ""),
        ("[" * 100_000 + "\n", True, ""),
    ],
)
def test_nothing_else_may(secret, is_at_end, sign):
    is_refused(check_secret, secret, is_at_end, sign)


def test_a_count():
    for value in (None, 1, 7):
        check_count("parallel", value, 7)
    for value in (0, 8):
        assert refusal(check_count, "parallel", value, 7) == f"parallel must be between 1 and 7, not {value}."


def test_seconds():
    for value in (1, 1.5, 86400):
        assert check_seconds("timeout", value) == value
    assert check_seconds("timeout", 0, least=0) == 0
    for value in (0.99, 86400.5, float("nan"), float("inf")):
        assert refusal(check_seconds, "timeout", value) == (
            f"timeout must be between 1 and 86400 seconds, not {value}."
        )
    assert refusal(check_seconds, "timeout", -1, least=0) == "timeout must be between 0 and 86400 seconds, not -1."


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ({"a": 1}, "a mapping"),
        ([0], "a list"),
        ([], "an empty list"),
        (None, "null"),
        (True, "true"),
        ("Aufträge", '"Aufträge"'),
        ("\x1b[31m \x9b \u2028 \u202e \ud800", r'"\u001b[31m \u009b \u2028 \u202e \ud800"'),
        ("x" * 58, f'"{"x" * 58}"'),
        ("x" * 70, f'"{"x" * 59}...'),
        (1.5, "1.5"),
        (b"x", "\"b'x'\""),
    ],
)
def test_a_value_of_somebody_else_is_shown_short_and_with_all_its_signs(value, shown):
    assert shown_value(value) == shown
