# Copyright (c) 2026, dataops.qlik_em contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What no release writes is refused, with its place and in few words."""

from __future__ import annotations

import time

import pytest
from ansible_collections.dataops.qlik_em.plugins.module_utils._fleets.strict import (
    NotJson,
    Odd,
    OddText,
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
    """Return what a check says of something that no release writes: the place, and what is there."""
    with pytest.raises(Odd) as raised:
        check(*values)
    found, _but, allowed = str(raised.value).partition(", but must be ")
    assert allowed not in ("", "None")
    return found


def test_json():
    assert parsed('{"a": [1, null]}') == {"a": [1, None]}
    for text, why in [("{", "it is not JSON"), ("", "it is not JSON"), ("[" * 100_000, "it is nested too deeply")]:
        with pytest.raises(NotJson) as raised:
            parsed(text)
        assert str(raised.value) == why


def test_whole_numbers():
    assert [is_number(value) for value in (0, -7, 1.0, True, "1", None)] == [True, True, False, False, False, False]


@pytest.mark.parametrize(
    ("check", "good"),
    [
        (mapping_at, [{}, {"a": 1}]),
        (list_at, [[], [1]]),
        (list_or_null_at, [[], [1]]),
        (text_at, ["a", " a "]),
        (name_at, ["a/b", " a "]),
        (utc_at, ["2026-11-23T22:00:00Z"]),
    ],
)
def test_kinds(check, good):
    for value in good:
        assert check("here", value) == value
    for value, shown in [(7, "7"), (True, "true")]:
        assert odd(check, "there/0", value) == f"there/0 is {shown}"
    if check is list_or_null_at:
        assert check("here", None) == []
    else:
        assert odd(check, "there", None) == "there is null"


def test_blank_texts_names_and_times():
    assert odd(text_at, "a", "  ") == 'a is "  "'
    assert odd(name_at, "a", "..") == 'a is ".."'
    for value in ("2026-11-23T22:00:00", "2026-11-31T22:00:00Z", "2026-11-23T22:00:00+00:00"):
        assert odd(utc_at, "a", value) == f'a is "{value}"'


def test_members():
    check_members("here", {"a": 1, "b": 2}, ("a",), ("b", "c"))
    check_members("", {"a": 1}, ("a",))
    for where, value, text in [
        ("here", [], "here is an empty list, but must be a mapping"),
        ("here", {"b": 1}, "here has no member a"),
        ("", {}, "the document has no member a"),
        ("here", {"a": 1, "x": 7}, "here/x is not known: the members here are a, b"),
        ("", {"a": 1, "x": None}, "x is not known: the members here are a, b"),
    ]:
        with pytest.raises(OddText) as raised:
            check_members(where, value, ("a",), ("b",))
        assert str(raised.value) == text
    with pytest.raises(OddText, match=r"^b is not known: the members here are a$"):
        check_members("", {"b": 1}, ("a",))


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
    assert odd(utc_at, "a", value) == f"a is {shown}"


def test_times_are_utc(monkeypatch):
    monkeypatch.setenv("TZ", "America/New_York")
    time.tzset()
    try:
        assert seconds_of("1970-01-01T00:01:00Z") == 60
        assert seconds_of("2026-11-23T22:00:00Z") == 1795471200
    finally:
        monkeypatch.undo()
        time.tzset()


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
