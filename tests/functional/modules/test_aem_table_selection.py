# Copyright (c) 2026, dataops.qlik_em contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The table selection of a task: added to, replaced, removed from, and never emptied by mistake."""

from __future__ import annotations

import json
from typing import Any

import pytest
from ansible_collections.dataops.qlik_em.plugins.module_utils._tables import selection as _table_selection
from ansible_collections.dataops.qlik_em.tests.functional.every_module.test_every_module import executed, writes
from ansible_collections.dataops.qlik_em.tests.functional.support.user import User

TASK = {"server": "Replicate-Prod", "name": "orders"}
TABLES = [
    ("SALES", "ORDERS"),
    ("SALES", "ORDER_LINES"),
    ("SALES", "CUSTOMERS"),
    ("SALES", "PRICES"),
    ("STOCK", "ITEMS"),
    ("STOCK", "Lager & Regal 100%"),
]
PLAIN = {"load_order": 0, "table_type": "TABLE"}


@pytest.fixture
def user(em):
    """A designer."""
    return User(em, defaults={"username": "designer@corp.example", "password": "designer-test-password"})


def item(owner, name, **members):
    """Return an item of an option."""
    return {"owner": owner, "name": name, **members}


def act(user, state, check=False, diff=False, **lists):
    """Run the module."""
    return user.run("aem_table_selection", check=check, diff=diff, state=state, **{**TASK, **lists})


def selection(em):
    """Return the lists that the stand-in has, without what is empty or default."""
    tables = em.inside("Replicate-Prod", "orders")["definition"]["source"]["source_tables"]
    return {key: value for key, value in tables.items() if value and key in _table_selection.LISTS}


def pairs(items):
    """Return owner and name of each."""
    return [(one["owner"], one["name"]) for one in items]


def sent(run):
    """Return the body of the PUT."""
    return json.loads(next(r["body"] for r in run.requests if r["operation"] == "PutTaskTableSelection"))


# What is done


def test_present_adds_and_keeps_the_rest(em, user):
    run = act(
        user,
        "present",
        diff=True,
        explicit_included_tables=[item("SALES", "ORDERS"), item("NEW", "ONE", load_order="high", table_type="view")],
        excluded_pattern=[item("SALES", "TMP%")],
    )
    assert run.changed and not run.failed, run.result
    assert run.operations == [
        "Login",
        "GetTaskTableSelection",
        "GetTaskDetails",
        "PutTaskTableSelection",
        "Logout",
    ]
    new = item("NEW", "ONE", load_order="HIGH", table_type="VIEW")
    found = selection(em)
    assert pairs(found["explicit_included_tables"]) == [*TABLES, ("NEW", "ONE")]
    assert found["explicit_included_tables"][-1] == new
    assert pairs(found["excluded_pattern"]) == [("SALES", "TMP%")] and "included_pattern" not in found
    assert set(sent(run)) == {"included_pattern", "excluded_pattern", "explicit_included_tables"}
    info = user.run("aem_table_selection_info", **TASK)
    assert not info.changed and writes(info) == [] and info.result["selection"] == run.result["selection"]
    assert set(run.result["diff"]["before"]) == {"excluded_pattern", "explicit_included_tables"}
    assert new in run.result["diff"]["after"]["explicit_included_tables"]
    assert run.result["diff"]["before_header"] == "Replicate-Prod/orders"
    again = act(user, "present", explicit_included_tables=[new], excluded_pattern=[item("SALES", "TMP%")])
    assert not again.changed and writes(again) == [] and again.result["selection"] == run.result["selection"]


def test_present_changes_what_is_given_of_a_table_that_is_there_and_nothing_else(em, user):
    act(user, "present", explicit_included_tables=[item("A", "B", load_order=7, table_type="view")])
    assert not act(user, "present", explicit_included_tables=[item("A", "B")]).changed
    assert not act(user, "present", explicit_included_tables=[item("A", "B", load_order="7")]).changed
    run = act(user, "present", explicit_included_tables=[item("A", "B", load_order="LOW")])
    assert run.changed
    assert selection(em)["explicit_included_tables"][-1] == item("A", "B", load_order="LOW", table_type="VIEW")
    assert act(user, "present", explicit_included_tables=[item("A", "B", table_type="table", load_order=0)]).changed
    assert selection(em)["explicit_included_tables"][-1] == item("A", "B")


def test_orders_that_the_server_spells_with_a_fraction_are_not_sent_back_so(em, user):
    em.set_variants(fractions=True)
    run = act(user, "present", explicit_included_tables=[item("A", "B", load_order=7)])
    assert run.changed and selection(em)["explicit_included_tables"][-1] == item("A", "B", load_order=7)
    given = user.run("aem_table_selection_info", **TASK).result["selection"]
    assert not act(user, "replaced", **given).failed and not act(user, "replaced", **given).changed


def test_replaced_sets_the_lists_that_are_given_whatever_their_order(em, user):
    lists = {"explicit_included_tables": [item(*pair) for pair in reversed(TABLES)]}
    assert not act(user, "replaced", **lists).changed
    run = act(user, "replaced", included_pattern=[item("SALES", "%")], explicit_included_tables=[])
    assert run.changed and selection(em) == {"included_pattern": [item("SALES", "%")]}
    run = act(user, "replaced", excluded_pattern=[item("SALES", "X%", load_order=0)])
    assert run.changed and set(selection(em)) == {"included_pattern", "excluded_pattern"}
    assert not act(user, "replaced", excluded_pattern=[item("SALES", "X%", table_type="TABLE")]).changed
    run = act(user, "replaced", included_pattern=[item("SALES", "%", load_order=3)])
    assert run.changed and selection(em)["included_pattern"] == [item("SALES", "%", load_order=3)]
    assert act(user, "replaced", included_pattern=[item("SALES", "%")]).changed
    assert selection(em)["included_pattern"] == [item("SALES", "%")]


def test_absent_removes_by_name(em, user):
    removed = [item("SALES", "ORDERS", load_order=9), item("sales", "ORDER_LINES"), item("STOCK", TABLES[5][1])]
    run = act(user, "absent", explicit_included_tables=removed, included_pattern=[item("S", "%")])
    assert run.changed and not run.failed
    assert pairs(selection(em)["explicit_included_tables"]) == TABLES[1:5]
    assert not act(user, "absent", explicit_included_tables=removed).changed


def test_a_pattern_for_tables_and_one_for_views_are_two(em, user):
    table, view = item("A", "%"), item("A", "%", table_type="view")
    act(user, "present", included_pattern=[table, view])
    assert len(selection(em)["included_pattern"]) == 2
    assert not act(user, "present", included_pattern=[view]).changed
    assert act(user, "absent", included_pattern=[view]).changed
    assert selection(em)["included_pattern"] == [item("A", "%")]


def test_what_the_info_module_returns_may_be_given_to_another_task(em, user):
    act(user, "present", explicit_included_tables=[item("A", '在庫 & "x"', load_order="lowest", table_type="view")])
    lists = user.run("aem_table_selection_info", **TASK).result["selection"]
    run = act(user, "replaced", server="Replicate-Test", name="a+b=c #1?", **lists)
    assert run.changed and run.result["selection"] == lists
    path = next(r["raw_path"] for r in run.requests if r["operation"] == "PutTaskTableSelection")
    assert path.endswith("/servers/Replicate-Test/tasks/a%2Bb%3Dc%20%231%3F/tables?action=selection")
    assert not act(user, "replaced", server="Replicate-Test", name="a+b=c #1?", **lists).changed


@pytest.mark.parametrize(
    ("name", "hint"),
    [("orders", "RUNNING: it takes the new selection after a restart or a reload."), ("invoices", "")],
)
def test_the_hint_is_for_a_task_that_runs(em, user, name, hint):
    lists = {"name": name, "included_pattern": [item("A", "%")]}
    foreseen = act(user, "present", check=True, **lists)
    run = act(user, "present", **lists)
    assert run.changed and run.result["hint"] == foreseen.result["hint"] and run.result["hint"].endswith(hint)
    assert bool(run.result["hint"]) is bool(hint)
    assert act(user, "present", **lists).result["hint"] == ""


def test_members_that_are_not_known_here_are_sent_back(em, user):
    answer = {
        "included_pattern": None,
        "excluded_pattern": [],
        "explicit_included_tables": [item("A", "B", **PLAIN, colour="red")],
        "explicit_excluded_tables": [item("C", "D")],
    }
    em.faults([{"match": {"operation": "GetTaskTableSelection"}, "nth": "all", "fault": "answer", "json": answer}])
    run = act(user, "present", explicit_included_tables=[item("E", "F")])
    assert run.changed and not run.failed
    assert sent(run)["explicit_excluded_tables"] == [item("C", "D")]
    assert sent(run)["explicit_included_tables"] == [item("A", "B", **PLAIN, colour="red"), item("E", "F", **PLAIN)]
    run = act(user, "replaced", explicit_included_tables=[item("A", "B")])
    assert not run.changed


# Bad input


# Failures


def test_what_the_server_refuses(em, user):
    lists: dict[str, Any] = {"included_pattern": [item("A", "%")]}
    run = act(user, "present", server="Compose-DW", name="nightly__sales", **lists)
    assert run.result["error_code"] == "AEM_METHOD_NOT_SUPPORTED_VERSION"
    assert "for Qlik Replicate servers only, since May 2024" in run.result["hint"]
    run = act(user, "present", name="nothing", **lists)
    assert run.result["error_code"] == "AEM_TASK_NOT_FOUND"
    assert user.run("aem_table_selection_info", server="Replicate-Prod", name="nothing").failed
    before = selection(em)
    user.defaults.update(username="operator@corp.example", password="operator-test-password")
    run = act(user, "present", **lists)
    assert run.failed and not run.changed and run.result["error_code"] == "UNAUTHORIZED_REQUEST"
    assert "Designer on the task" in run.result["hint"] and selection(em) == before


@pytest.mark.parametrize("answer", [{}, [], {"included_pattern": "A"}, {"error": "?"}], ids=str)
def test_an_answer_without_a_selection_is_not_taken_for_an_empty_one(em, user, answer):
    before = selection(em)
    em.faults([{"match": {"operation": "GetTaskTableSelection"}, "nth": "all", "fault": "answer", "json": answer}])
    run = act(user, "present", included_pattern=[item("A", "%")])
    assert run.failed and not run.changed and writes(run) == []
    is_of_a_form = isinstance(answer, dict) and "included_pattern" not in answer
    text = "has no table selection." if is_of_a_form else "sent an unexpected answer to GetTaskTableSelection: "
    assert text in run.msg and run.result["hint"]
    assert selection(em) == before


@pytest.mark.parametrize(
    "fault", [{"fault": "cut_after"}, {"fault": "cut_midway", "part": "headers"}, {"fault": "status", "work": True}]
)
def test_a_lost_answer_is_confirmed_by_reading(em, user, fault):
    fault = {"status": 502, **fault} if fault["fault"] == "status" else fault
    em.faults([{"match": {"operation": "PutTaskTableSelection"}, **fault}])
    run = act(user, "replaced", included_pattern=[item("A", "%")], explicit_included_tables=[item("B", "C")])
    assert run.changed and not run.failed, run.result
    assert writes(run) == executed(run) == ["PutTaskTableSelection"]
    assert run.operations.count("GetTaskTableSelection") == 2


@pytest.mark.parametrize("fault", [{"fault": "cut_before"}, {"fault": "status", "status": 502}])
def test_a_call_that_may_have_been_lost_is_not_sent_again(em, user, fault):
    em.faults([{"match": {"operation": "PutTaskTableSelection"}, **fault}])
    run = act(user, "present", included_pattern=[item("A", "%")])
    assert run.failed and run.changed and writes(run) == ["PutTaskTableSelection"] and executed(run) == []
    assert "It shows no effect." in run.msg and "not sent again" in run.result["hint"]
    assert act(user, "present", included_pattern=[item("A", "%")]).changed


def test_a_number_for_a_named_load_order_is_not_taken_to_be_the_same(em, user):
    answer = {"explicit_included_tables": [item("A", "B", load_order=50, table_type="TABLE")]}
    em.faults([{"match": {"operation": "GetTaskTableSelection"}, "nth": "all", "fault": "answer", "json": answer}])
    assert act(user, "present", explicit_included_tables=[item("A", "B", load_order="normal")]).changed
