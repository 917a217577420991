# Copyright (c) 2026, dataops.qlik_em contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reload and resume of tables: what is sent, what is waited for, and what one failing table does to the others."""

from __future__ import annotations

import signal
from typing import Any

import pytest
from ansible_collections.dataops.qlik_em.plugins.module_utils._tables import state as _table
from ansible_collections.dataops.qlik_em.tests.functional.every_module.test_every_module import writes
from ansible_collections.dataops.qlik_em.tests.functional.support.user import User

TASK = {"server": "Replicate-Prod", "name": "orders"}
LAGER = "Lager & Regal 100%"


@pytest.fixture(autouse=True)
def quick(monkeypatch, em):
    """Short pauses, and loads that take a moment."""
    monkeypatch.setattr(User, "limits", User.limits._replace(lost_effect=0.5))
    for schema, table in (("SALES", "ORDERS"), ("SALES", "ORDER_LINES"), ("STOCK", LAGER)):
        em.set_table("Replicate-Prod", "orders", schema, table, queue_seconds=0.1, load_seconds=0.1)


def act(user, state, *names, **options):
    """Run the module on tables, given as SCHEMA.TABLE."""
    pairs = [dict(zip(("schema", "table"), name.split(".", 1))) for name in names]
    options = {**TASK, "state": state, "wait_timeout": 15, "wait_sleep": 0.1, "tables": pairs, **options}
    if state == "reloaded":
        options.setdefault("force", True)
    return user.run("aem_table", **options)


def rows(run):
    """Return the rows by name."""
    return {f"{row['schema']}.{row['table']}": row for row in run.result["tables"]}


def states(em, name="orders"):
    """Return what the stand-in has: {SCHEMA.TABLE: table}."""
    tables = em.inside("Replicate-Prod", name)["tables"]
    return {f"{table['schema']}.{table['table']}": table for table in tables}


# What is done


def test_a_suspended_table_is_resumed_and_no_other_call_is_sent(em, user):
    run = act(user, "resumed", "SALES.PRICES")
    assert run.changed and not run.failed
    assert run.operations == ["Login", "GetTableStatuses", "ResumeTable", "Logout"]
    assert run.result["tables"] == [
        {
            "schema": "SALES",
            "table": "PRICES",
            "before": "TABLE_ERROR",
            "after": None,
            "changed": True,
            "failed": False,
            "skipped": False,
            "error_code": None,
            "msg": "",
            "hint": "",
            "started": rows(run)["SALES.PRICES"]["started"],
            "elapsed": rows(run)["SALES.PRICES"]["elapsed"],
        }
    ]
    assert 0 <= rows(run)["SALES.PRICES"]["elapsed"] <= run.result["elapsed"]
    assert run.result["counts"] == {"selected": 1, "changed": 1, "failed": 0, "skipped": 0, "unchanged": 0}


@pytest.mark.parametrize("name", ["SALES.ORDERS", "SALES.CUSTOMERS", f"STOCK.{LAGER}"])
def test_a_table_that_is_not_suspended_is_not_resumed(em, user, name):
    run = act(user, "resumed", name, diff=True)
    assert not run.changed and not run.failed and writes(run) == []
    assert rows(run)[name]["after"] == rows(run)[name]["before"] == states(em)[name]["state"]
    assert run.result["diff"]["before"] == run.result["diff"]["after"] == {}


def test_resume_reload_and_wait_for_many(em, user):
    run = act(user, "resumed", "SALES.ORDERS", "SALES.PRICES", wait=True)
    assert run.changed and not run.failed
    assert writes(run) == ["ResumeTable"]
    assert {name: row["after"] for name, row in rows(run).items()} == {
        "SALES.ORDERS": "TABLE_CHANGE_PROCESSING",
        "SALES.PRICES": "TABLE_CHANGE_PROCESSING",
    }
    assert not act(user, "resumed", "SALES.ORDERS", "SALES.PRICES", wait=True).changed

    run = act(user, "reloaded", "SALES.ORDERS", f"STOCK.{LAGER}", schema="STOCK", table="ITEMS", wait=True)
    assert run.changed and not run.failed
    assert writes(run) == ["ReloadTable"] * 3
    assert [row["after"] for row in run.result["tables"]] == ["TABLE_CHANGE_PROCESSING"] * 3
    assert [states(em)[name]["reloads"] for name in ("SALES.ORDERS", "STOCK.ITEMS", f"STOCK.{LAGER}")] == [1, 1, 1]
    assert act(user, "reloaded", "SALES.ORDERS").changed


def test_a_reload_is_not_taken_as_done_by_the_state_that_was_there_before(em, user):
    """The table is shown as TABLE_CHANGE_PROCESSING until the reload shows."""
    before = user.run("aem_table_info", **TASK, table=["ORDERS"], statuses=True).result["tables"][0]
    answer = {"table_details": [before]}
    em.faults([{"match": {"operation": "GetTableStatuses"}, "nth": 2, "count": 2, "fault": "answer", "json": answer}])
    run = act(user, "reloaded", "SALES.ORDERS", wait=True)
    assert run.changed and not run.failed
    assert run.operations.count("GetTableStatuses") >= 4
    assert rows(run)["SALES.ORDERS"]["after"] == "TABLE_CHANGE_PROCESSING"


def test_a_server_that_shows_nothing_of_loads_is_believed_after_a_while(em, user):
    answer = {"table_details": [{"schema_on_source": "A", "table_on_source": "B", "state": "TABLE_CHANGE_PROCESSING"}]}
    em.faults([{"match": {"operation": "GetTableStatuses"}, "nth": "all", "fault": "answer", "json": answer}])
    em.faults([{"match": {"operation": "ReloadTable"}, "nth": "all", "fault": "answer", "json": {}, "work": False}])
    run = act(user, "reloaded", "A.B", wait=True)
    assert run.changed and not run.failed and run.operations.count("GetTableStatuses") > 3


def test_one_that_is_loading_already_is_waited_for_without_a_call(em, user):
    em.set_table("Replicate-Prod", "orders", "SALES", "ORDERS", queue_seconds=0, load_seconds=0.6)
    act(user, "reloaded", "SALES.ORDERS")
    run = act(user, "resumed", "SALES.ORDERS", wait=True)
    assert not run.changed and not run.failed and writes(run) == []
    row = rows(run)["SALES.ORDERS"]
    assert (row["before"], row["after"]) == ("TABLE_LOADING", "TABLE_CHANGE_PROCESSING")


def test_a_table_of_a_task_that_only_loads_is_done_when_it_is_loaded(em, user):
    em.set_task(
        "Replicate-Prod",
        "customers full load",
        state="RUNNING",
        full_load_only=True,
        tables=[{"schema": "A", "table": "B", "load_seconds": 0.2, "state": "TABLE_COMPLETED"}],
    )
    run = act(user, "reloaded", "A.B", name="customers full load", wait=True)
    assert run.changed and not run.failed, run.result
    assert rows(run)["A.B"]["after"] == "TABLE_COMPLETED"


def test_loaded_is_not_enough_for_a_task_that_captures_changes(em, user):
    em.set_table("Replicate-Prod", "orders", "SALES", "ORDERS", ends_in="TABLE_COMPLETED")
    run = act(user, "reloaded", "SALES.ORDERS", wait=True, wait_timeout=1)
    assert run.failed and run.changed
    assert "is still TABLE_COMPLETED after 1 seconds." in run.msg
    assert rows(run)["SALES.ORDERS"]["after"] == "TABLE_COMPLETED"


# Names


@pytest.mark.parametrize("schema", ["plain", "a+b=c #1?", "100% & more", "in/out", "*", "%", 'O\'Neil "x"', "在庫"])
def test_names_are_data(em, user, schema):
    em.set_task(
        "Replicate-Prod",
        "orders",
        tables=[{"schema": schema, "table": name, "state": "TABLE_ERROR"} for name in ("T%", "T*", "Tx", LAGER)],
    )
    for name in ("T%", "T*", LAGER):
        run = act(user, "resumed", schema=schema, table=name)
        assert run.changed and not run.failed, run.result
        sent = next(r for r in run.requests if r["operation"] == "ResumeTable")
        assert sent["query"]["schema"] == schema and sent["query"]["table"] == name
        assert sent["raw_path"].count("?") == 1 and " " not in sent["raw_path"] and "#" not in sent["raw_path"]
    assert [table["resumes"] for table in states(em).values()] == [1, 1, 0, 1]


def test_a_name_on_the_wire(em, user):
    run = act(user, "reloaded", f"STOCK.{LAGER}")
    sent = next(r for r in run.requests if r["operation"] == "ReloadTable")
    base = "/attunityenterprisemanager/api/v1/servers/Replicate-Prod/tasks/orders/tables"
    assert sent["raw_path"] == f"{base}?action=reload&schema=STOCK&table=Lager%20%26%20Regal%20100%25"
    run = act(user, "resumed", "SALES.PRICES")
    sent = next(r for r in run.requests if r["operation"] == "ResumeTable")
    assert sent["raw_path"] == f"{base}?action=Resume&schema=SALES&table=PRICES"


def test_a_table_that_is_named_twice_is_reloaded_once(em, user):
    run = act(user, "reloaded", "SALES.ORDERS", "SALES.ORDERS", schema="SALES", table="ORDERS")
    assert writes(run) == ["ReloadTable"] and len(run.result["tables"]) == 1


def test_what_the_info_module_returns_may_be_given(em, user):
    found = user.run("aem_table_info", **TASK, schema=["STOCK"]).result["tables"]
    run = act(user, "reloaded", tables=found)
    assert not run.failed and writes(run) == ["ReloadTable"] * 2


# Bad input


# Failures


def test_one_failing_table_never_hides_the_others(em, user):
    em.set_table("Replicate-Prod", "orders", "SALES", "ORDERS", fail_reload="It is locked.")
    em.set_table("Replicate-Prod", "orders", "SALES", "ORDER_LINES", error_after_reload=True)
    names = ["SALES.ORDERS", "SALES.NOTHING", "SALES.ORDER_LINES", "SALES.PRICES"]
    run = act(user, "reloaded", *names, wait=True, diff=True)
    assert run.failed and run.changed
    summary, *lines = run.msg.splitlines()
    assert summary == "3 of 4 tables failed." and len(lines) == 3 and lines[0].startswith("SALES.ORDERS: ReloadTable")
    for text in ("SALES.ORDERS: ReloadTable of table", "It is locked.", 'has no table "SALES.NOTHING"'):
        assert text in run.msg
    assert 'ORDER_LINES" of task "orders" on server "Replicate-Prod" is TABLE_ERROR after ReloadTable.' in run.msg
    found = rows(run)
    assert [found[name]["failed"] for name in names] == [True, True, True, False]
    assert [found[name]["changed"] for name in names] == [False, False, True, True]
    assert [found[name]["after"] for name in names[2:]] == ["TABLE_ERROR", "TABLE_CHANGE_PROCESSING"]
    assert found["SALES.ORDERS"]["error_code"] == "AEM_RELOAD_TABLE_ERR"
    assert all(found[name]["hint"] for name in names[:3])
    assert "for the failed tables only" in run.result["hint"]
    assert run.result["counts"] == {"selected": 4, "changed": 2, "failed": 3, "skipped": 0, "unchanged": 0}
    assert set(run.result["diff"]["before"]) == {"SALES.ORDER_LINES", "SALES.PRICES"}


def test_check_mode_foresees_a_table_that_does_not_exist(em, user):
    run = act(user, "reloaded", "SALES.NOTHING", "SALES.ORDERS", check=True, diff=True)
    assert run.failed and run.changed and writes(run) == []
    assert rows(run)["SALES.NOTHING"]["failed"] and not rows(run)["SALES.ORDERS"]["failed"]
    assert run.result["diff"]["after"] == {"SALES.ORDERS": "reloaded"}


def test_a_single_table_fails_with_the_code_and_the_advice_of_the_server(em, user):
    run = act(user, "resumed", "STOCK.ITEMS")
    assert run.failed and not run.changed
    assert run.result["error_code"] == "AEM_UNSUSPEND_TABLE_ERR" and run.result["http_status"] == 500
    assert run.msg.startswith('ResumeTable of table "STOCK.ITEMS" of task "orders" on server "Replicate-Prod" failed: ')
    assert "can only be reloaded" in run.result["hint"]
    assert rows(run)["STOCK.ITEMS"]["error_code"] == "AEM_UNSUSPEND_TABLE_ERR"


def test_what_the_server_refuses(em, user):
    run = act(user, "reloaded", "A.B", server="Compose-DW", name="nightly__sales")
    assert run.result["error_code"] == "AEM_METHOD_NOT_SUPPORTED_VERSION"
    assert run.result["hint"] == "GetTableStatuses is documented for Qlik Replicate servers only."
    run = act(user, "reloaded", "A.B", name="nothing")
    assert run.result["error_code"] == "AEM_TASK_NOT_FOUND" and "tables" not in run.result
    user.defaults.update(username="viewer@corp.example", password="viewer-test-password")
    run = act(user, "reloaded", "SALES.ORDERS")
    assert run.failed and not run.changed and run.result["error_code"] == "UNAUTHORIZED_REQUEST"
    assert "Operator on the task" in run.result["hint"] and "viewer@corp.example" in run.msg


@pytest.mark.parametrize(
    ("settings", "options", "text"),
    [
        ({"stuck": True}, {"wait_timeout": 1}, "is still TABLE_LOADING after 1 seconds."),
        ({"error_after_reload": True}, {}, "is TABLE_ERROR after ReloadTable."),
    ],
)
def test_a_reload_that_does_not_end_well(em, user, settings, options, text):
    em.set_table("Replicate-Prod", "orders", "SALES", "ORDERS", **settings)
    run = act(user, "reloaded", "SALES.ORDERS", wait=True, **options)
    assert run.failed and run.changed and text in run.msg and run.result["hint"]
    assert rows(run)["SALES.ORDERS"]["failed"] and rows(run)["SALES.ORDERS"]["changed"]


def test_a_resume_that_shows_no_effect(em, user):
    em.set_table("Replicate-Prod", "orders", "SALES", "PRICES", resume_seconds=60)
    run = act(user, "resumed", "SALES.PRICES", wait=True, wait_timeout=1)
    assert run.failed and run.changed
    assert "is still TABLE_ERROR after 1 seconds. It shows no effect of ResumeTable, which was sent, so" in run.msg


def test_a_wait_ends_when_the_task_stops(em, user):
    em.set_table("Replicate-Prod", "orders", "SALES", "ORDERS", stuck=True)
    details = {"state": "ERROR", "message": "The target is unreachable"}
    em.faults([{"match": {"operation": "GetTaskDetails"}, "nth": 3, "count": 9, "fault": "answer", "json": details}])
    run = act(user, "reloaded", "SALES.ORDERS", wait=True, wait_timeout=60)
    assert run.failed and run.changed
    assert "is TABLE_LOADING after ReloadTable, and its task is ERROR: The target is unreachable." in run.msg


def test_a_table_that_vanishes(em, user):
    em.faults(
        [{"match": {"operation": "GetTableStatuses"}, "nth": 2, "fault": "answer", "json": {"table_details": []}}]
    )
    run = act(user, "reloaded", "SALES.ORDERS", wait=True)
    assert run.failed and run.changed and "is no longer a table of its task." in run.msg


# Lost answers


LOST: list[dict[str, Any]] = [
    {"fault": "cut_after"},
    {"fault": "cut_after", "how": "reset"},
    {"fault": "status", "status": 502, "work": True},
]
UNDONE: list[dict[str, Any]] = [{"fault": "cut_before"}, {"fault": "status", "status": 502}]


@pytest.mark.parametrize("wait", [False, True])
@pytest.mark.parametrize("fault", LOST, ids=str)
@pytest.mark.parametrize(("state", "name"), [("reloaded", "SALES.ORDERS"), ("resumed", "SALES.PRICES")])
def test_a_lost_answer_is_confirmed_by_reading(em, user, state, name, fault, wait):
    em.faults([{"match": {"method": "POST", "path": "*/tables"}, **fault}])
    run = act(user, state, name, wait=wait)
    assert run.changed and not run.failed, run.result
    assert len(writes(run)) == 1 and run.operations.count("GetTableStatuses") >= 2


def test_a_reload_that_is_over_before_the_next_read_is_recognised_by_its_times(em, user):
    em.set_table("Replicate-Prod", "orders", "SALES", "ORDERS", queue_seconds=0, load_seconds=0)
    em.faults([{"match": {"operation": "ReloadTable"}, "fault": "cut_after"}])
    run = act(user, "reloaded", "SALES.ORDERS")
    assert run.changed and not run.failed and len(writes(run)) == 1


@pytest.mark.parametrize("fault", UNDONE, ids=str)
@pytest.mark.parametrize(("state", "name"), [("reloaded", "SALES.ORDERS"), ("resumed", "SALES.PRICES")])
def test_a_call_that_may_have_been_lost_is_not_sent_again_and_the_others_go_on(em, user, state, name, fault):
    em.faults([{"match": {"method": "POST", "path": "*/tables"}, **fault}])
    run = act(user, state, name, "STOCK.ITEMS")
    first = rows(run)[name]
    assert run.failed and first["failed"] and first["changed"]
    assert "It shows no effect." in first["msg"] and "not sent again" in first["hint"]
    assert len(writes(run)) == 2 and rows(run)["STOCK.ITEMS"]["elapsed"] is not None
    assert ("nothing is done twice" in first["hint"]) is (state == "resumed")


def test_a_call_that_was_lost_and_whose_effect_cannot_be_read_may_be_a_change(em, user):
    em.faults([{"match": {"operation": "ReloadTable"}, "fault": "cut_after"}])
    em.faults([{"match": {"operation": "GetTableStatuses"}, "nth": 2, "count": 99, "fault": "cut_before"}])
    run = act(user, "reloaded", "SALES.ORDERS")
    assert run.failed and run.changed and "Its current state cannot be read either" in str(run.result), run.result


def test_an_unreachable_server_ends_it(em, user, monkeypatch):
    """The first call is never sent, so the others would only take their time to fail."""
    sent = []

    def refuse(_api, _server, _task, _schema, table):
        sent.append(table)
        raise _table.TransportError("No route.", "Look at the network.", sent=False)

    monkeypatch.setattr("ansible_collections.dataops.qlik_em.plugins.module_utils._client.api.Api.reload_table", refuse)
    run = act(user, "reloaded", "SALES.ORDERS", "SALES.PRICES", "STOCK.ITEMS")
    assert run.failed and not run.changed and sent == ["ORDERS"]
    assert run.msg.splitlines() == ["1 of 3 tables failed. Not started: 2.", "SALES.ORDERS: No route."]
    assert [row["skipped"] for row in run.result["tables"]] == [False, True, True]
    assert run.result["counts"]["skipped"] == 2


def test_an_interrupt_begins_no_further_table_and_reports_what_was_done(em, user, monkeypatch):
    plain = _table.Work._apply

    def apply(work, name):
        plain(work, name)
        signal.raise_signal(signal.SIGTERM)

    monkeypatch.setattr(_table.Work, "_apply", apply)
    run = act(user, "reloaded", "SALES.ORDERS", "SALES.PRICES", "STOCK.ITEMS", diff=True)
    assert run.failed and run.changed and writes(run) == ["ReloadTable"]
    assert run.msg.startswith("Interrupted by SIGTERM.") and "Work was started on 1 of 3 tables." in run.msg
    assert [row["skipped"] for row in run.result["tables"]] == [False, True, True]
    assert list(run.result["diff"]["before"]) == ["SALES.ORDERS"]
    assert em.summary()["open_sessions"] == 0


def test_an_expired_session_is_renewed_in_the_middle(em, user):
    em.faults([{"match": {"operation": "ReloadTable"}, "nth": 2, "fault": "expire_session"}])
    run = act(user, "reloaded", "SALES.ORDERS", "STOCK.ITEMS", wait=True)
    assert run.changed and not run.failed
    assert [r["executed"] for r in run.requests if r["operation"] == "ReloadTable"] == [True, False, True]
