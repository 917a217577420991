# Copyright (c) 2026, dataops.qlik_em contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What no release writes is refused, with its place and in few words."""

from __future__ import annotations

import pytest
from ansible_collections.dataops.qlik_em.plugins.module_utils._fleets.strict import (
    NotJson,
    Odd,
    check_members,
    is_number,
    list_at,
    list_or_null_at,
    mapping_at,
    name_at,
    outline,
    parsed,
    seconds_of,
    text_at,
    utc_at,
)


def odd(check, *values):
    """Return what a check says of something that no release writes."""
    with pytest.raises(Odd) as raised:
        check(*values)
    return str(raised.value)


def test_json():
    assert parsed('{"a": [1, null]}') == {"a": [1, None]}
    for text, why in [("{", "it is not JSON"), ("", "it is not JSON"), ("[" * 100_000, "it is nested too deeply")]:
        with pytest.raises(NotJson) as raised:
            parsed(text)
        assert str(raised.value) == why


def test_whole_numbers():
    assert [is_number(value) for value in (0, -7, 1.0, True, "1", None)] == [True, True, False, False, False, False]


@pytest.mark.parametrize(
    ("check", "good", "allowed"),
    [
        (mapping_at, [{}, {"a": 1}], "a mapping"),
        (list_at, [[], [1]], "a list"),
        (list_or_null_at, [[], [1]], "a list or null"),
        (text_at, ["a", " a "], "a text that is not blank"),
        (name_at, ["a/b", " a "], "a text that is not blank"),
        (utc_at, ["2026-11-23T22:00:00Z"], "a UTC time, as 2026-11-23T22:00:00Z"),
    ],
)
def test_kinds(check, good, allowed):
    for value in good:
        assert check("here", value) == value
    for value, shown in [(7, "7"), (True, "true")]:
        assert odd(check, "there/0", value) == f"there/0 is {shown}, and must be {allowed}"
    if check is list_or_null_at:
        assert check("here", None) == []
    else:
        assert odd(check, "there", None) == f"there is null, and must be {allowed}"


def test_blank_texts_names_and_times():
    assert odd(text_at, "a", "  ") == 'a is "  ", and must be a text that is not blank'
    assert odd(name_at, "a", "..") == 'a is "..", and must be a name'
    for time in ("2026-11-23T22:00:00", "2026-11-31T22:00:00Z", "2026-11-23T22:00:00+00:00"):
        assert odd(utc_at, "a", time) == f'a is "{time}", and must be a UTC time, as 2026-11-23T22:00:00Z'


def test_members():
    check_members("here", {"a": 1, "b": 2}, ("a",), ("b", "c"))
    check_members("", {"a": 1}, ("a",))
    for where, value, text in [
        ("here", [], "here is an empty list, and must be a mapping"),
        ("here", {"b": 1}, "here is a mapping, and must be a mapping with a"),
        ("", {}, "the document is a mapping, and must be a mapping with a"),
        ("here", {"a": 1, "x": 7}, "here/x is 7, and must be left out: the members here are a, b"),
        ("", {"a": 1, "x": None}, "x is null, and must be left out: the members here are a, b"),
    ]:
        assert odd(check_members, where, value, ("a",), ("b",)) == text
    assert odd(check_members, "", {"b": 1}, ("a",)) == "b is 1, and must be left out: the members here are a"


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ({"a": "secret"}, "a mapping"),
        (["secret"], "a list"),
        ([], "an empty list"),
        ("Müller", '"Müller"'),
        ("x" * 58, f'"{"x" * 58}"'),
        ("x" * 59, f'"{"x" * 59}...'),
        ({1}, '"{1}"'),
    ],
)
def test_a_message_shows_little_of_a_value(value, shown):
    assert odd(utc_at, "a", value) == f"a is {shown}, and must be a UTC time, as 2026-11-23T22:00:00Z"


def test_times_are_utc():
    assert seconds_of("1970-01-01T00:01:00Z") == 60
    assert seconds_of("2026-11-23T22:00:00Z") == 1795471200


def test_an_outline_has_no_tasks():
    document = {"schema": 2, "phase": "frozen", "servers": {"S": []}, "tasks": [1], "nothing": None}
    assert outline(document) == {
        "schema": 2,
        "phase": "frozen",
        "servers": "(not shown)",
        "tasks": "(not shown)",
        "nothing": None,
    }
    assert outline([1]) == [1] and outline("x") == "x"
