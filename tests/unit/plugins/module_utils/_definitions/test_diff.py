# Copyright (c) 2026, dataops.qlik_em contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What an import would change, add and leave, case by case."""

from __future__ import annotations

from decimal import Decimal

import pytest
from ansible_collections.dataops.qlik_em.plugins.module_utils._client.errors import InputError
from ansible_collections.dataops.qlik_em.plugins.module_utils._definitions.diff import (
    changes,
    compare,
    diff,
    forced,
    is_same,
    leaves,
    leftovers,
    may_be_defaults,
)
from ansible_collections.dataops.qlik_em.plugins.module_utils._definitions.model import BODY, ORDER, Rules, name
from ansible_collections.dataops.qlik_em.plugins.module_utils._definitions.sending import ABSENT

ENCRYPTED, OTHER = "{T2xkU2VjcmV0MTIzNDU2Nzg=}", "{TmV3U2VjcmV0MTIzNDU2Nzg=}"
RULES = Rules(("tasks/t/hidden",))


def definition(kind="tasks", **members):
    own = {"task": {"name": "t"}} if kind == "tasks" else {"name": "t"}
    return {BODY: {kind: [{**own, **members}]}}


def changed(old, new, kind="tasks"):
    """Return what a merge of one object into another changes, by place."""
    found = changes(leaves(definition(kind, **old)), leaves(definition(kind, **new)))
    return {"/".join(map(str, where[2:])): change for where, change in found.items()}


def test_the_places_of_values():
    document = definition(
        a={"b": 1, "c": {}, "n": None},
        items=[{"name": "y", "v": 1}, {"name": "x", "v": 2}],
        plain=[2, 1],
        explicit_included_tables=[{"owner": "o", "name": "b"}, {"owner": "o", "name": "a"}],
        target_names=["z", "a"],
        empty=[],
        one=[{"name": "only"}],
    )
    place = ("tasks", "t")
    assert leaves(document) == {
        (*place, "task", "name"): "t",
        (*place, "a", "b"): 1,
        (*place, "a", "n"): None,
        (*place, "items", "y", "name"): "y",
        (*place, "items", "y", "v"): 1,
        (*place, "items", "x", "name"): "x",
        (*place, "items", "x", "v"): 2,
        (*place, "items", ORDER): ["y", "x"],
        (*place, "plain"): [2, 1],
        (*place, "explicit_included_tables", ("o", "b"), "owner"): "o",
        (*place, "explicit_included_tables", ("o", "b"), "name"): "b",
        (*place, "explicit_included_tables", ("o", "a"), "owner"): "o",
        (*place, "explicit_included_tables", ("o", "a"), "name"): "a",
        (*place, "target_names"): ["a", "z"],
        (*place, "empty"): [],
        (*place, "one", "only", "name"): "only",
    }
    assert leaves({}) == leaves({BODY: None}) == {}


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ({"a": 1}, {"a": 1}, {}),
        ({"a": 1}, {"a": 2}, {"a": (1, 2)}),
        ({}, {"a": 2}, {"a": (ABSENT, 2)}),
        ({"a": 1}, {}, {}),
        ({"a": 1}, {"a": True}, {"a": (1, True)}),
        ({"a": 0}, {"a": False}, {"a": (0, False)}),
        ({"a": True}, {"a": True}, {}),
        ({"a": 1}, {"a": 1.0}, {}),
        ({}, {"a": "", "b": [], "c": {}, "d": None}, {}),
        ({}, {"a": "", "b": 1}, {"b": (ABSENT, 1)}),
        ({"a": ""}, {"a": "x"}, {"a": ("", "x")}),
        ({"a": [{"x": 1}]}, {"a": [{"x": 1}]}, {}),
        ({"a": [{"x": 1}]}, {"a": [7]}, {"a": ([{"x": 1}], [7])}),
        ({"a": [{"x": ""}]}, {"a": [{"x": "z"}]}, {"a": ([{"x": ""}], [{"x": "z"}])}),
        ({}, {"a": 0, "b": False}, {"a": (ABSENT, 0), "b": (ABSENT, False)}),
        ({"a": None}, {"a": ""}, {}),
        ({"a": "x"}, {"a": ""}, {"a": ("x", "")}),
        ({"a": [{"x": True}]}, {"a": [{"x": 1}]}, {"a": ([{"x": True}], [{"x": 1}])}),
        ({"a": [{"x": 1}]}, {"a": [{"x": 1, "y": 2}]}, {"a": ([{"x": 1}], [{"x": 1, "y": 2}])}),
        ({"a": [{"x": 1}]}, {"a": [{"y": 1}]}, {"a": ([{"x": 1}], [{"y": 1}])}),
        ({"a": [1]}, {"a": [1, 2]}, {"a": ([1], [1, 2])}),
        ({"a": [1, 2]}, {"a": [2, 1]}, {"a": ([1, 2], [2, 1])}),
        ({"a": [{"x": ENCRYPTED}]}, {"a": [{"x": "clear"}]}, {}),
        ({"a": ENCRYPTED}, {"a": OTHER}, {}),
        ({"a": ENCRYPTED}, {"a": "clear"}, {}),
        ({"a": "clear"}, {"a": ENCRYPTED}, {}),
        ({"a": ENCRYPTED}, {"a": "<redacted>"}, {"a": (ENCRYPTED, "<redacted>")}),
        ({"a": "<redacted>"}, {"a": ENCRYPTED}, {"a": ("<redacted>", ENCRYPTED)}),
        ({"a": "<redacted>"}, {"a": "<redacted>"}, {}),
        ({}, {"a": ENCRYPTED}, {"a": (ABSENT, ENCRYPTED)}),
    ],
)
def test_what_counts_as_a_change(old, new, expected):
    assert changed(old, new) == expected


def test_an_order_counts_for_what_both_have():
    def items(names):
        return {"items": [{"name": one} for one in names]}

    assert changed(items("abc"), items("acb")) == {"items/(order)": (["a", "b", "c"], ["a", "c", "b"])}
    assert "items/(order)" not in changed(items("abc"), items("abxc"))
    assert "items/(order)" not in changed(items("abxc"), items("abc"))
    assert "items/(order)" not in changed(items("a"), items("ba"))
    assert "items/(order)" in changed(items("axb"), items("yba"))


def test_a_default_that_an_export_leaves_out_is_not_a_change():
    for member, default in [
        ("full_load_enabled", True),
        ("apply_changes_enabled", True),
        ("save_changes_enabled", False),
        ("audit_changes_enabled", False),
    ]:
        there = {"task_settings": {"common_settings": {member: default}}}
        other = {"task_settings": {"common_settings": {member: not default}}}
        assert changed({}, there) == {}
        assert changed({}, other) == {f"task_settings/common_settings/{member}": (ABSENT, not default)}
        assert changed(other, there) == {f"task_settings/common_settings/{member}": (not default, default)}
        assert left(there, {"task_settings": {"common_settings": {"x": 1}}}) == []
        assert left(other, {"task_settings": {"common_settings": {"x": 1}}}) == [
            f"task_settings/common_settings/{member}"
        ]


def left(old, new, kind="tasks"):
    """Return the places of what a merge does not remove."""
    current, wanted = (leaves(definition(kind, **members)) for members in (old, new))
    return ["/".join(map(str, where[2:])) for where in leftovers(current, wanted, RULES)]


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ({"a": 1, "b": {"c": 2}}, {"a": 1, "b": {"c": 3}}, []),
        ({"a": 1}, {}, ["a"]),
        ({"b": {"c": 2, "d": {"e": 1, "f": 2}}}, {"b": {"c": 2}}, ["b/d"]),  # as a whole, once
        ({"items": [{"name": "x", "v": 1}, {"name": "y"}]}, {"items": [{"name": "x"}]}, ["items/x/v", "items/y"]),
        ({"a": "", "b": [], "c": None}, {}, []),
        ({"a": ENCRYPTED, "hidden": {"x": 1}}, {}, []),
        ({"a": {"b": 1}}, {"a": 7}, []),  # replaced
        ({"a": 7}, {"a": {"b": 1}}, []),
        ({"a": [1]}, {"a": []}, []),
        ({"a": {"b": 1}, "z": 1}, {"a": 7}, ["z"]),
        ({"items": [{"name": "x"}]}, {"items": []}, ["items"]),  # an empty list empties none
        ({"items": [{"name": "x"}]}, {"items": [1]}, []),
    ],
)
def test_what_a_merge_does_not_remove(old, new, expected):
    assert left(old, new) == expected


def test_only_what_belongs_to_the_wanted_objects_is_left():
    current = {
        BODY: {
            "tasks": [{"task": {"name": "t"}, "a": 1}],
            "databases": [{"name": "ERP", "x": 1}, {"name": "Old", "x": 1}],
            "more": {"c": 1},
        }
    }
    for wanted, expected in [
        (definition(), ["tasks/t/a"]),
        ({BODY: {"databases": [{"name": "ERP"}]}}, ["databases/ERP/x"]),
        ({BODY: {}}, []),
        ({BODY: {"other": {"a": 1}}}, []),
        ({BODY: {"more": {"a": 1}}}, ["more/c"]),
    ]:
        assert [name(where) for where in leftovers(leaves(current), leaves(wanted), RULES)] == expected


def test_secrets_of_endpoints_are_not_counted():
    old = {"password": "x", "db_settings": {"apiKey": "y", "b": 1}}
    assert left(old, {"db_settings": {"c": 1}}, "databases") == ["db_settings/b"]
    assert left({"password": "x"}, {}) == ["password"]  # of a task, a name says nothing


def test_what_belongs_to_a_target_that_the_task_no_longer_names_goes_with_it():
    def task(*targets, names=None):
        return {
            "task": {"name": "t", "target_names": list(names or targets)},
            "targets": [{"rep_target": {"target_name": one}, "x": one} for one in targets],
        }

    assert left(task("A", "B"), task("A")) == []
    assert left(task("A", "B"), task("A", names=["A", "B"])) == ["targets/B"]
    assert left({"targets": [1]}, {"task": {"name": "t", "target_names": ["A"]}}) == ["targets"]
    in_endpoint = {"targets": [{"name": "B", "x": 1}]}, {"task": {"target_names": ["A"]}}
    assert left(*in_endpoint, "databases") == ["targets"]
    assert left({"other": {"B": {"x": 1}}}, {"task": {"name": "t", "target_names": ["A"]}, "other": {"y": 1}}) == [
        "other/B"
    ]


def test_two_definitions_that_mean_the_same():
    one = definition(a=1, items=[{"name": "x"}])
    assert is_same(one, definition(a=1, items=[{"name": "x"}], b="", c={})) is True
    assert is_same(one, definition(a=1, items=[{"name": "x"}], b=2)) is False
    assert is_same(definition(a=1, items=[{"name": "x"}], b=2), one) is False


@pytest.mark.parametrize(
    ("where", "old", "may"),
    [
        (("tasks", "t", "task_settings", "a"), ABSENT, True),
        (("databases", "e", "db_settings", "a"), ABSENT, True),
        (("databases", "e", "override_properties", "a", "b"), ABSENT, True),
        (("tasks", "t", "task_settings", "a"), 1, False),
        (("tasks", "t", "task_settings"), ABSENT, False),
        (("tasks", "t", "source", "a"), ABSENT, False),
    ],
)
def test_what_may_be_a_setting_with_its_default(where, old, may):
    good = {("tasks", "t", "task_settings", "x"): (ABSENT, 1)}
    assert may_be_defaults({**good, where: (old, 2)}) is may
    assert may_be_defaults({}) is True


def test_the_diff_shows_what_differs_and_no_secret():
    old = {"a": 1, "hidden": "old", "x": Decimal("1E+400"), "items": [{"name": "p"}, {"name": "q"}]}
    new = {
        "a": 2,
        "hidden": "new",
        "x": [{"y": Decimal("1.5"), "z": 7}],
        "items": [{"name": "q"}, {"name": "p"}],
        "b": 3,
        "e": OTHER,
    }
    found = changes(leaves(definition(**old)), leaves(definition(**new)))
    assert diff(found, "t on S", RULES) == {
        "before": {
            "tasks/t/a": 1,
            "tasks/t/hidden": "<secret>",
            "tasks/t/x": "1E+400",
            "tasks/t/items/(order)": ["p", "q"],
        },
        "after": {
            "tasks/t/a": 2,
            "tasks/t/hidden": "<secret>",
            "tasks/t/x": [{"y": "1.5", "z": 7}],
            "tasks/t/items/(order)": ["q", "p"],
            "tasks/t/b": 3,
            "tasks/t/e": "<secret>",
        },
        "before_header": "t on S",
        "after_header": "t on S",
    }


def test_the_order_of_owned_items_is_shown_by_owner_and_name():
    def items(names):
        return {"list": [{"owner": "o", "name": one} for one in names]}

    found = changes(leaves(definition(**items("ab"))), leaves(definition(**items("ba"))))
    assert diff(found, "x", RULES)["before"] == {"tasks/t/list/(order)": ["o.a", "o.b"]}


def test_an_import_that_is_forced_is_shown():
    shown = diff({("tasks", "t", "a"): (1, 2)}, "x", RULES)
    assert forced(shown) == {
        "before": {"import": "nothing differs", "tasks/t/a": 1},
        "after": {"import": "all the same (force_import)", "tasks/t/a": 2},
        "before_header": "x",
        "after_header": "x",
    }


def test_a_comparison():
    there = definition(a=1, b=2, password=ENCRYPTED, task_uuid="1", loggers={"x": 1})
    wanted = {**definition(a=3, password="clear", task_uuid="2", loggers={"x": 2}), "_version": {}}
    place = ("tasks", "t")
    found = compare("dest", there, wanted, RULES)
    assert found.document == {**definition(a=3), "_version": {}}
    assert found.changes == {(*place, "a"): (1, 3)} and found.remaining == [(*place, "b")]
    assert found.uncompared == [(*place, "password")] and found.redacted == []
    assert found.current == {
        (*place, "task", "name"): "t",
        (*place, "a"): 1,
        (*place, "b"): 2,
        (*place, "password"): ENCRYPTED,
    }
    assert found.wanted == {(*place, "task", "name"): "t", (*place, "a"): 3}
    with_loggers = compare("dest", there, wanted, RULES._replace(with_loggers=True))
    assert with_loggers.changes == {(*place, "a"): (1, 3), (*place, "loggers", "x"): (1, 2)}
    always = compare("dest", there, wanted, RULES, always=True)
    assert always.document == {**definition(a=3, password="clear"), "_version": {}}
    assert always.changes == {(*place, "a"): (1, 3), (*place, "password"): (ENCRYPTED, "clear")}
    kept = compare("dest", there, wanted, RULES, keep=True)
    assert kept.document == {**definition(a=3, password=ENCRYPTED), "_version": {}}
    new = compare("dest", {}, definition(a=1), RULES)
    with pytest.raises(InputError, match=r"^dest .* tasks/t/a is "):
        compare("dest", definition(a={"b": 1}), definition(a="x"), RULES)
    assert new.changes == {(*place, "task", "name"): (ABSENT, "t"), (*place, "a"): (ABSENT, 1)}


def test_a_list_that_is_replaced_because_of_a_secret_in_it():
    there = definition("databases", pins=[{"name": "a", "password": ENCRYPTED}])
    wanted = definition("databases", pins=[{"name": "a", "password": "clear"}, {"x": 1}])
    found = compare("dest", there, wanted, RULES, always=True)
    assert found.changes == {("databases", "t", "pins"): (ABSENT, wanted[BODY]["databases"][0]["pins"])}
    same = definition(pins=[{"x": 1, "password": ENCRYPTED}])
    taken_out = definition(pins=[{"x": 1, "password": "<redacted>"}])
    assert compare("dest", same, taken_out, RULES._replace(secrets=("tasks/t/pins/*",))).document == same
