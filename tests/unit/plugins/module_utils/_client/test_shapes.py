# Copyright (c) 2026, dataops.qlik_em contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import json

import pytest
from ansible_collections.dataops.qlik_em.plugins.module_utils._client import answers
from ansible_collections.dataops.qlik_em.plugins.module_utils._client.shapes import compiled, fault_in, half_character

SHAPE = {
    "list": [{"name": str, "port?": (str, int), "on?": bool, "inner?": {"count?": int}, "tags?": [str]}],
    "a|b?": str,
}


@pytest.mark.parametrize(
    ("body", "text"),
    [
        (None, "the body is null, not an object"),
        ([], "the body is a list, not an object"),
        ({}, "list is missing"),
        ({"list": None}, "list is null, not a list"),
        ({"list": [{"name": "x"}, {"name": None}]}, "list[1].name is null, not a string"),
        ({"list": [{}]}, "list[0].name is missing"),
        ({"list": [{"name": ["secret"]}]}, "list[0].name is a list, not a string"),
        ({"list": [{"name": 7.5}]}, "list[0].name is a number, not a string"),
        ({"list": ["secret"]}, "list[0] is a string, not an object"),
        ({"list": [{"name": "x", "port": {}}]}, "list[0].port is an object, not a string or a number"),
        ({"list": [{"name": "x", "port": True}]}, "list[0].port is true or false, not a string or a number"),
        ({"list": [{"name": "x", "on": 1}]}, "list[0].on is a number, not true or false"),
        ({"list": [{"name": "x", "inner": {"count": "7"}}]}, "list[0].inner.count is a string, not a number"),
        ({"list": [{"name": "x", "tags": ["a", 1]}]}, "list[0].tags[1] is a number, not a string"),
        ({"list": [], "b": 1}, "b is a number, not a string"),
    ],
)
def test_what_is_odd_is_named_and_not_shown(body, text):
    assert fault_in(body, compiled(SHAPE)) == text


@pytest.mark.parametrize(
    "item",
    [
        {"name": "x"},
        {"name": "", "port": "443", "on": False, "inner": {"count": 1.0}, "tags": []},
        {"name": "x", "port": 443, "on": None, "inner": None, "tags": None, "new": [{}]},
    ],
)
def test_what_may_be_left_out_and_what_is_not_known_passes(item):
    assert fault_in({"list": [item], "more": 1, "a": None}, compiled(SHAPE)) == ""


def test_the_second_spelling_is_as_good_and_the_missing_member_has_both():
    details = {"state": "MONITORED", "license": {"state": None}}
    assert fault_in({"serverDetails": details}, answers.SERVER_DETAILS) == ""
    assert fault_in({"server_details": None, "serverDetails": details}, answers.SERVER_DETAILS) == ""
    assert fault_in({}, answers.SERVER_DETAILS) == "server_details or serverDetails is missing"
    assert fault_in({}, compiled({"a|b": str})) == "a or b is missing"


def test_nothing_but_the_question_mark_is_left_out_of_a_name():
    assert fault_in({"XX": 1}, compiled({"XX?": str})) == "XX is a number, not a string"


@pytest.mark.parametrize(
    ("body", "text"),
    [
        (b'{"a": "x", "b": ["y", "\\ud800"]}', "b[1] contains a lone surrogate (half of a character)"),
        (b'{"a": {"\\uDFFF": 1}}', "a.\\udfff contains a lone surrogate (half of a character)"),
        (b'"\\ud800"', "the body contains a lone surrogate (half of a character)"),
        (b'["\xed\xa0\x80"]', "[0] contains a lone surrogate (half of a character)"),
        (b'{"X": "\\ud800"}', "X contains a lone surrogate (half of a character)"),
        (b'["x"]', ""),
        (b'["\\ud83d\\ude00", "\xed\x9f\xbf"]', ""),
        (b'["\\\\ud800"]', ""),
    ],
)
def test_half_of_a_character_is_found(body, text):
    assert half_character(body, json.loads(body)) == text


@pytest.mark.parametrize(
    ("body", "text"),
    [
        (7.5, "the body is a number, not an object"),
        ({1}, "the body is odd, not an object"),
        ({"list": [{"name": "x", "port": 7.5, "on": True}], "a": "x", "b": 1}, ""),
        ({"list": [{"name": "x", "inner": []}]}, "list[0].inner is a list, not an object"),
        ({"list": [{"name": "x", "tags": {}}]}, "list[0].tags is an object, not a list"),
        ({"list": [], "a": 7}, "a is a number, not "),
    ],
)
def test_kinds(body, text):
    assert fault_in(body, compiled(SHAPE)).startswith(text) and bool(text) is bool(fault_in(body, compiled(SHAPE)))
