# Copyright (c) 2026, dataops.qlik_em contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is sent of a definition, case by case: above all, which secrets are not."""

from __future__ import annotations

import json

import pytest
from ansible_collections.dataops.qlik_em.plugins.module_utils._client.errors import InputError
from ansible_collections.dataops.qlik_em.plugins.module_utils._definitions.model import BODY, Rules
from ansible_collections.dataops.qlik_em.plugins.module_utils._definitions.sending import ABSENT, filled, sending

OLD, NEW = "{T2xkU2VjcmV0MTIzNDU2Nzg=}", "{TmV3U2VjcmV0MTIzNDU2Nzg=}"
TAKEN_OUT = "<redacted>"
RULES = Rules(("tasks/t/hidden", "tasks/t/list/*", "tasks/t/pins/0/hidden"))
SERVER = {"password": OLD, "user": "u"}


def sent(new, old=None, kind="databases", always=False, keep=False):
    """Return what is sent of the settings of one object, and the places of what is forced, uncompared, redacted."""
    wanted, current = ({BODY: {kind: [{"name": "t", **members}]}} for members in (new, old or {}))
    found = sending("dest", wanted, current if old is not None else {}, RULES, always, keep)
    (item,) = found.content[kind]
    assert item.pop("name") == "t"
    return item, *(["/".join(map(str, where[2:])) for where in places] for places in _places(found))


def _places(found):
    return found.forced, found.uncompared, found.redacted


@pytest.mark.parametrize(
    ("new", "old", "item"),
    [
        ({"a": 1, "b": {"c": "x"}}, {"a": 2, "d": 3}, {"a": 1, "b": {"c": "x"}}),
        ({"a": [1, {"x": 2}]}, {"a": [3]}, {"a": [1, {"x": 2}]}),
        ({"password": "clear"}, {"password": "other"}, {"password": "clear"}),
        ({"password": OLD}, SERVER, {"password": OLD}),
        ({"password": NEW}, {"user": "u"}, {"password": NEW}),  # nothing there to compare it with
        ({"password": NEW}, None, {"password": NEW}),
        ({"a": "b"}, {"a": {}}, {"a": "b"}),
        ({"a": {"b": 1}}, {"a": []}, {"a": {"b": 1}}),
        ({"a": 1}, {"a": [1]}, {"a": 1}),
        ({"a": None}, {"a": {"b": 1}}, {"a": None}),
    ],
)
def test_what_can_be_compared_is_sent(new, old, item):
    assert sent(new, old) == sent(new, old, always=True) == (item, [], [], [])


def test_what_cannot_be_compared_is_sent_if_that_is_asked_for():
    assert sent({"password": "clear", "user": "u"}, SERVER) == ({"user": "u"}, [], ["password"], [])
    assert sent({"password": "clear"}, SERVER, always=True) == ({"password": "clear"}, ["password"], [], [])
    # Of two encrypted texts nobody can say whether they are the same: nothing to report.
    assert sent({"password": NEW}, SERVER) == ({}, [], [], [])
    assert sent({"password": NEW}, SERVER, always=True) == ({"password": NEW}, ["password"], [], [])
    assert sent({"password": NEW}, {"password": "clear"}) == ({}, [], [], [])


def test_what_was_taken_out_is_not_sent():
    assert sent({"password": TAKEN_OUT, "a": 1}, SERVER) == ({"a": 1}, [], [], ["password"])
    assert sent({"password": TAKEN_OUT}, SERVER, always=True) == ({}, [], [], ["password"])
    assert sent({"x": f"PWD={TAKEN_OUT};B=2"}, {"x": "PWD=a;B=1"}) == ({"x": "PWD=a;B=2"}, [], [], [])
    assert sent({"x": f"PWD={TAKEN_OUT};B=2"}, {"x": "B=1"}) == ({}, [], [], ["x"])
    assert sent({"x": f"PWD={TAKEN_OUT};B=2"}, {"y": "B=1"}) == ({}, [], [], ["x"])


def test_a_task_that_is_made_anew_keeps_what_the_server_has():
    for new, old, rest in [
        ({"hidden": TAKEN_OUT}, {"hidden": "x"}, ([], [], ["hidden"])),
        ({"x": "clear"}, {"x": OLD}, ([], ["x"], [])),
        ({"x": NEW}, {"x": OLD}, ([], [], [])),
    ]:
        assert sent(new, old, "tasks", keep=True) == (old, *rest)
        assert sent(new, old, "tasks") == ({}, *rest)
        assert sent(new, old, "databases", keep=True)[0] == {}


# Lists


def test_the_items_of_a_list_with_names_are_compared_one_by_one():
    new = {"items": [{"name": "b", "password": "clear"}, {"name": "a", "password": TAKEN_OUT, "x": 1}]}
    old = {"items": [{"name": "a", "password": OLD}, {"name": "b", "password": OLD}]}
    assert sent(new, old) == (
        {"items": [{"name": "b"}, {"name": "a", "x": 1}]},
        [],
        ["items/b/password"],
        ["items/a/password"],
    )


def pins(*items):
    return {"pins": [dict(item) for item in items]}


FULL, OTHER = {"at": 1, "password": OLD}, {"at": 2, "password": NEW}


@pytest.mark.parametrize(
    ("new", "old", "expected"),
    [
        # The item that is the same without its secrets is the one of the server.
        (pins({"at": 1, "password": TAKEN_OUT}), pins(OTHER, FULL), (pins(FULL), [], [], [])),
        (pins({"at": 1, "password": "clear"}), pins(FULL), (pins(FULL), [], ["pins/password"], [])),
        (pins({"at": 1, "password": NEW}), pins(FULL), (pins(FULL), [], [], [])),
        (pins(FULL), pins(FULL), (pins(FULL), [], [], [])),
        # None is: nothing can be left out, so what was taken out is missing.
        (pins({"at": 3, "password": TAKEN_OUT}), pins(FULL), (pins({"at": 3}), [], [], ["pins/password"])),
        (pins({"at": 3, "password": "clear"}), pins(FULL), (pins({"at": 3, "password": "clear"}), [], [], [])),
        (
            pins({"at": 3, "password": TAKEN_OUT}, {"at": 4, "password": TAKEN_OUT}),
            pins(FULL),
            (pins({"at": 3}, {"at": 4}), [], [], ["pins/password"] * 2),
        ),
        (
            pins({"at": 1, "password": "clear"}, {"at": 2, "password": "clear"}),
            pins(FULL, OTHER),
            (pins(FULL, OTHER), [], ["pins/password"] * 2, []),
        ),
        (
            pins({"at": 1, "inner": [{"x": 1, "password": TAKEN_OUT}]}),
            pins({"at": 1, "inner": [{"x": 1, "password": OLD}]}),
            (pins({"at": 1, "inner": [{"x": 1, "password": OLD}]}), [], [], []),
        ),
        # Each item of the server stands for one only, first for the one that is equal to it.
        (
            pins({"at": 1, "password": TAKEN_OUT}, {"at": 1, "password": TAKEN_OUT}),
            pins(FULL, {"at": 1, "password": NEW}),
            (pins(FULL, {"at": 1, "password": NEW}), [], [], []),
        ),
        (
            pins({"at": 1, "password": TAKEN_OUT}, {"at": 1, "password": TAKEN_OUT}),
            pins(FULL),
            (pins(FULL, {"at": 1}), [], [], ["pins/password"]),
        ),
        (
            pins({"at": 1, "password": NEW}, {"at": 1, "password": TAKEN_OUT}),
            pins(FULL, {"at": 1, "password": NEW}),
            (pins({"at": 1, "password": NEW}, FULL), [], [], []),
        ),
    ],
)
def test_the_items_of_any_other_list_are_found_by_what_is_not_secret(new, old, expected):
    assert sent(new, old) == expected


def test_an_item_with_a_secret_that_is_forced_is_sent():
    new = pins({"at": 1, "password": "clear"})
    assert sent(new, pins(FULL), always=True) == (new, ["pins"], [], [])


def test_in_a_task_what_is_encrypted_or_called_secret_is_not_compared():
    old = pins({"at": 1, "hidden": OLD, "b": NEW})
    assert sent(pins({"at": 1, "hidden": OLD, "b": TAKEN_OUT}), old, "tasks") == (old, [], [], [])
    new = pins({"at": 1, "hidden": "clear", "b": TAKEN_OUT})
    assert sent(new, old, "tasks") == (old, [], ["pins/hidden"], [])
    forced = sent(new, old, "tasks", always=True, keep=True)
    assert forced == (pins({"at": 1, "hidden": "clear", "b": NEW}), ["pins"], [], ["pins/b"])


def test_a_list_of_secrets():
    assert sent({"passwords": [TAKEN_OUT, TAKEN_OUT]}, {"passwords": ["a", "b"]})[0] == {"passwords": ["a", "b"]}
    assert sent({"list": [TAKEN_OUT]}, {"list": ["a"]}, "tasks")[0] == {"list": ["a"]}


# What a tool has damaged


@pytest.mark.parametrize(
    ("new", "old", "text"),
    [
        ("x", [1], "a text, but on the server it is a list"),
        ({"b": 1}, [1], "an object, but on the server it is a list"),
        ("x", {"b": 1}, "a text, but on the server it is an object"),
    ],
)
def test_a_text_in_place_of_a_list_or_an_object_is_refused(new, old, text):
    with pytest.raises(InputError) as raised:
        sent({"a": {"inner": new}}, {"a": {"inner": old}})
    assert str(raised.value) == (
        f"dest is damaged: databases/t/a/inner is {text}. A tool has rewritten it, as Windows PowerShell does: use "
        "ConvertTo-Json -Depth 100 and Set-Content -Encoding utf8."
    )


# Filling in


@pytest.mark.parametrize(
    ("new", "old", "whole"),
    [
        ("plain", "x", "plain"),
        (7, "x", 7),
        (TAKEN_OUT, "x", "x"),
        (TAKEN_OUT, {"a": 1}, {"a": 1}),
        (TAKEN_OUT, ABSENT, ABSENT),
        (f"PWD={TAKEN_OUT}", 7, ABSENT),
        (f"PWD={TAKEN_OUT};X={TAKEN_OUT}", "PWD=a", ABSENT),
        (f"PWD={TAKEN_OUT};B=2;pwd={TAKEN_OUT}", "Pwd=a;PWD=b;PWD=c", "PWD=a;B=2;pwd=b"),
        (f"PWD={TAKEN_OUT};PWD={TAKEN_OUT}", "PWD=a", ABSENT),
        (f"PWD=clear;PWD={TAKEN_OUT};", "PWD=a;PWD=b", "PWD=clear;PWD=b;"),
        (f"{TAKEN_OUT} PWD={TAKEN_OUT}", "PWD=a", ABSENT),
        (f"a=1;PWD={TAKEN_OUT}; b", "PWD=s", "a=1;PWD=s; b"),
        ({"a": TAKEN_OUT, "b": 1}, {"a": "s", "c": 2}, {"a": "s", "b": 1}),
        ({"a": TAKEN_OUT}, {"b": "s"}, ABSENT),
        ({"a": TAKEN_OUT}, ["s"], ABSENT),
        ([1, TAKEN_OUT], [2, "s"], [1, "s"]),
        ([1, TAKEN_OUT], [2, "s", 3], ABSENT),
        ([1, TAKEN_OUT], {"a": 1}, ABSENT),
        ('{"a": "<redacted>", "b": "ü"}', '{"a": "s", "b": "x"}', '{"a": "s", "b": "ü"}'),
        ('{"a":"<redacted>"}', '{ "a": "s" }', '{ "a": "s" }'),  # the same: as it is there
        ('{"a": "<redacted>"}', '{"b": "s"}', ABSENT),
        ('{"a": "<redacted>"}', "PWD=s", ABSENT),
    ],
)
def test_filling_in_what_was_taken_out(new, old, whole):
    found = filled(new, old)
    assert found is ABSENT if whole is ABSENT else found == whole
    if isinstance(whole, str):
        assert json.dumps(found) == json.dumps(whole)


def test_a_text_that_is_nested_too_deeply_is_filled_by_its_names():
    deep = "[" * 100_000
    assert filled(f"{deep} PWD={TAKEN_OUT}", f"{deep} PWD=s") == f"{deep} PWD=s"
