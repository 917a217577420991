# Copyright (c) 2026, dataops.qlik_em contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tables: lists and statuses with their filters, reload and resume over time, the selection of a task."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

import pytest
from ansible_collections.dataops.qlik_em.tests.simulator import Handle, InputError
from ansible_collections.dataops.qlik_em.tests.simulator.tests.wire import (
    ORDERS,
    PROD,
    RUN,
    Client,
    Clock,
    Reply,
    eventually,
)

TABLES = f"{ORDERS}/tables"
ALL = ["CUSTOMERS", "ITEMS", "Lager & Regal 100%", "ORDERS", "ORDER_LINES", "PRICES"]


def listed(client: Client, query: str = "") -> list[str]:
    """The names in GetTableList, sorted; GetTableStatuses must have the same."""
    names = sorted(item["table"] for item in client.call("GET", f"{TABLES}?{query}").json["tablelist"])
    details = client.call("GET", f"{TABLES}?action=getstatus&{query}").json["table_details"]
    assert sorted(item["table_on_source"] for item in details) == names
    return names


def state(client: Client, table: str = "ORDERS") -> str:
    """The state of one table."""
    found = client.call("GET", f"{TABLES}?table={quote(table)}").json["tablelist"]
    return next(item["state"] for item in found if item["table"] == table)


def act(client: Client, action: str, table: str, schema: str = "SALES", task: str = ORDERS) -> Reply:
    """ReloadTable or ResumeTable."""
    return client.send("POST", f"{task}/tables?action={action}&schema={schema}&table={quote(table)}")


# Lists


def test_the_list(admin: Client) -> None:
    """Schema, table, state; the key is all lower case."""
    reply = admin.call("GET", TABLES)
    assert list(reply.json) == ["tablelist"]
    assert {"schema": "SALES", "table": "PRICES", "state": "TABLE_ERROR"} in reply.json["tablelist"]
    assert admin.call("GET", f"{PROD}/tasks/invoices/tables").json == {"tablelist": []}


def test_the_statuses(em: Handle, admin: Client) -> None:
    """Every member of the schema; times are UTC without Z."""
    em.set_table("Replicate-Prod", "orders", "SALES", "CUSTOMERS", details={"table_cdc_info": {"insert_count": 7}})
    found = admin.call("GET", f"{TABLES}?action=getstatus&table=CUSTOMERS").json["table_details"]
    assert found == [
        {
            "schema_on_source": "SALES",
            "table_on_source": "CUSTOMERS",
            "schema_on_target": "SALES",
            "table_on_target": "CUSTOMERS",
            "state": "TABLE_COMPLETED",
            "data_errors_count": 3,
            "table_full_load_info": {
                "start_time": "2026-01-15T08:00:00.000000",
                "end_time": "2026-01-15T08:01:00.000000",
                "estimated_row_count": 100,
                "estimated_end_time": "2026-01-15T08:01:00.000000",
                "transferred_row_count": 100,
                "transferred_volume_mb": 0,
            },
            "table_cdc_info": {
                "insert_count": 7,
                "update_count": 0,
                "delete_count": 0,
                "ddl_count": 0,
                "last_update_time": "",
                "cached_insert_count": 0,
                "cached_update_count": 0,
                "cached_delete_count": 0,
            },
        }
    ]


@pytest.mark.parametrize(
    ("wildcard", "query", "names"),
    [
        ("%", "", ALL),
        ("%", "schema=STOCK", ["ITEMS", "Lager & Regal 100%"]),
        ("%", "schema=stock", []),
        ("%", "table=ORDER", []),
        ("%", "table=ORDER%25", ["ORDERS", "ORDER_LINES"]),
        ("%", "table=%25S&schema=S%25", ["CUSTOMERS", "ITEMS", "ORDERS", "ORDER_LINES", "PRICES"]),
        ("%", "table=ORDER*", []),
        ("%", "table=ORDER_", []),
        ("%", "table=ORDER%3F", []),
        ("%", "table=[O]RDERS", []),
        ("*", "table=ORDER*", ["ORDERS", "ORDER_LINES"]),
        ("*", "table=ORDER%25", []),
        ("*", "table=Lager+%26+Regal+100%25", ["Lager & Regal 100%"]),
        ("substring", "table=RDER", ["ORDERS", "ORDER_LINES"]),
        ("substring", "table=rder", []),
        ("substring", "table=*", []),
        ("%", "schema=None&table=None", ALL),
        ("%", "schema=&table=", ALL),
        ("%", "/", ALL),
    ],
)
def test_names_in_a_filter(em: Handle, admin: Client, wildcard: str, query: str, names: list[str]) -> None:
    """Case counts; the wildcard is the release's and nothing else is one; None is not set."""
    em.set_variants(table_wildcard=wildcard)
    assert listed(admin, query) == names


@pytest.mark.parametrize(
    ("flags", "names"),
    [
        ("includequeued=true", ["Lager & Regal 100%"]),
        ("includecompleted=True", ["CUSTOMERS"]),
        ("includechangeprocessing=TRUE", ["ORDERS", "ORDER_LINES"]),
        ("includeerror=true", ["ITEMS", "PRICES"]),
        ("includeloading=true", []),
        ("includeerror=true&includequeued=true&schema=STOCK", ["ITEMS", "Lager & Regal 100%"]),
        ("includeerror=False&includequeued=false&includeloading=None", ALL),
    ],
)
def test_states_in_a_filter(admin: Client, flags: str, names: list[str]) -> None:
    """All off means no filter (assumption)."""
    assert listed(admin, flags) == names


def test_a_flag_that_is_none(admin: Client) -> None:
    """500 with JSON."""
    for action in ("", "action=getstatus&"):
        assert admin.call("GET", f"{TABLES}?{action}includeerror=1").code == "DESERIALIZE_TO_TYPE"


# Reload


def test_a_reload(clock: Clock, em: Handle, admin: Client) -> None:
    """Answers at once with nothing; the table is queued, loaded, and captured again."""
    em.set_table("Replicate-Prod", "orders", "SALES", "ORDERS", queue_seconds=100, load_seconds=100)
    before = admin.call("GET", f"{TABLES}?action=getstatus&table=ORDERS").json["table_details"][0]
    reply = act(admin, "reload", "ORDERS")
    assert (reply.status, reply.body, reply.headers["Content-Length"]) == (200, b"", "0")
    assert state(admin) == "TABLE_QUEUED"
    clock.ahead = 100
    assert state(admin) == "TABLE_LOADING"
    loading = admin.call("GET", f"{TABLES}?action=getstatus&table=ORDERS").json["table_details"][0]
    assert loading["table_full_load_info"]["end_time"] == ""
    clock.ahead = 200
    assert state(admin) == "TABLE_CHANGE_PROCESSING"
    after = admin.call("GET", f"{TABLES}?action=getstatus&table=ORDERS").json["table_details"][0]
    assert after["table_full_load_info"]["start_time"] > before["table_full_load_info"]["start_time"]
    assert em.inside("Replicate-Prod", "orders")["tables"][0]["reloads"] == 1


def test_reloads_that_do_not_end_well(em: Handle, admin: Client) -> None:
    """In error, or never; and another end where the test wants one."""
    em.set_table("Replicate-Prod", "orders", "SALES", "ORDERS", error_after_reload=True, load_seconds=0)
    act(admin, "reload", "ORDERS")
    assert state(admin) == "TABLE_ERROR"
    em.set_table("Replicate-Prod", "orders", "SALES", "ORDERS", stuck=True)
    act(admin, "reload", "ORDERS")
    assert state(admin) == "TABLE_LOADING"
    em.set_table(
        "Replicate-Prod", "orders", "SALES", "ORDERS", stuck=False, error_after_reload=False, ends_in="TABLE_COMPLETED"
    )
    act(admin, "reload", "ORDERS")
    assert state(admin) == "TABLE_COMPLETED"


def test_a_task_without_capture_completes_its_tables(em: Handle, admin: Client) -> None:
    """Nothing is processed after the full load."""
    em.set_task(
        "Replicate-Prod", "orders", definition={"task_settings": {"common_settings": {"apply_changes_enabled": False}}}
    )
    act(admin, "reload", "CUSTOMERS")
    assert state(admin, "CUSTOMERS") == "TABLE_COMPLETED"


@pytest.mark.parametrize("action", ["reload", "Resume"])
@pytest.mark.parametrize(
    ("schema", "table"), [("SALES", "NOTHING"), ("sales", "PRICES"), ("", "PRICES"), ("SALES", ""), ("None", "PRICES")]
)
def test_tables_that_are_not_there(em: Handle, admin: Client, action: str, schema: str, table: str) -> None:
    """An error of the method, with its message."""
    reply = act(admin, action, table, schema)
    code = "AEM_RELOAD_TABLE_ERR" if action == "reload" else "AEM_UNSUSPEND_TABLE_ERR"
    assert (reply.status, reply.code) == (500, code)
    assert not em.requests()[-1]["executed"]


def test_names_in_the_query_may_be_encoded_twice(em: Handle, admin: Client) -> None:
    """As in the path: decoded again only if that makes them known."""
    em.set_task(
        "Replicate-Prod", "orders", tables=[{"schema": "a & b", "table": "c%20d"}, {"schema": "x", "table": "c d"}]
    )
    once, twice = quote("a & b"), quote(quote("a & b"))
    for schema in (once, twice):
        assert listed(admin, f"schema={schema}") == ["c%20d"]
        for table in ("c%2520d", quote("c%2520d")):
            reply = admin.call("POST", f"{TABLES}?action=reload&schema={schema}&table={table}", b"")
            assert reply.status == 200, reply.body
    assert listed(admin, "table=c%20d") == ["c d"]


@pytest.mark.parametrize("action", ["reload", "resume"])
def test_a_task_that_is_stopped(em: Handle, admin: Client, action: str) -> None:
    """Nobody would load its tables (assumption)."""
    em.set_task("Replicate-Prod", "orders", state="STOPPED")
    reply = act(admin, action, "PRICES")
    assert "not running" in reply.json["error_message"]
    assert state(admin, "PRICES") == "TABLE_ERROR"


def test_tasks_whose_tables_can_not_be_reloaded(em: Handle, admin: Client) -> None:
    """Without full load, and with a File Channel as source."""
    settings = {"common_settings": {"full_load_enabled": False}}
    em.set_task("Replicate-Prod", "orders", definition={"task_settings": settings})
    assert act(admin, "reload", "ORDERS").code == "AEM_INVALID_TASK_NOT_FL"
    em.set_endpoint("Replicate-Prod", "ERP", type="File Channel")
    for action in ("reload", "Resume"):
        assert act(admin, action, "PRICES").code == "AEM_INVALID_TASK_NT_NTSUPPEP"


def test_refusals_of_the_server(em: Handle, admin: Client) -> None:
    """With its message."""
    em.set_table("Replicate-Prod", "orders", "SALES", "PRICES", fail_reload="no memory", fail_resume="no space")
    assert "no memory" in act(admin, "reload", "PRICES").json["error_message"]
    assert "no space" in act(admin, "Resume", "PRICES").json["error_message"]


# Resume


@pytest.mark.parametrize("action", ["Resume", "resume", "RESUME"])
def test_a_resume(em: Handle, admin: Client, action: str) -> None:
    """It stays suspended for a while."""
    em.set_table("Replicate-Prod", "orders", "SALES", "PRICES", resume_seconds=0.3)
    reply = act(admin, action, "PRICES")
    assert (reply.status, reply.body) == (200, b"")
    assert state(admin, "PRICES") == "TABLE_ERROR"
    eventually(lambda: state(admin, "PRICES") == "TABLE_CHANGE_PROCESSING", 3)
    assert act(admin, action, "PRICES").code == "AEM_UNSUSPEND_TABLE_ERR"


def test_a_resume_that_fails_later(em: Handle, admin: Client) -> None:
    """It looks well at first."""
    em.set_table("Replicate-Prod", "orders", "SALES", "PRICES", resume_seconds=0.3, error_after_resume=True)
    act(admin, "Resume", "PRICES")
    assert state(admin, "PRICES") == "TABLE_CHANGE_PROCESSING"
    eventually(lambda: state(admin, "PRICES") == "TABLE_ERROR", 3)


def test_a_table_that_was_suspended_in_the_full_load(admin: Client) -> None:
    """Can only be reloaded."""
    refused = act(admin, "Resume", "ITEMS", "STOCK")
    assert refused.code == "AEM_UNSUSPEND_TABLE_ERR"
    assert "full load" in refused.json["error_message"]
    assert act(admin, "reload", "ITEMS", "STOCK").status == 200
    assert state(admin, "ITEMS") == "TABLE_CHANGE_PROCESSING"


# Selection

SELECTION = f"{TABLES}?action=selection"


def names(selection: dict[str, Any], key: str = "explicit_included_tables") -> list[str]:
    """The names in one list of a selection."""
    return [item["name"] for item in selection[key]]


def test_reading_the_selection(admin: Client) -> None:
    """All three lists, with defaults filled in."""
    found = admin.call("GET", SELECTION).json
    assert set(found) == {"included_pattern", "excluded_pattern", "explicit_included_tables"}
    assert found["included_pattern"] == found["excluded_pattern"] == []
    assert found["explicit_included_tables"][0] == {
        "owner": "SALES",
        "name": "ORDERS",
        "load_order": 0,
        "table_type": "TABLE",
    }


def test_writing_the_selection(em: Handle, admin: Client) -> None:
    """The lists that are sent replace theirs; what is read is what was written."""
    view = {"owner": "A", "name": "V", "load_order": "HIGH", "table_type": "view"}
    assert (
        admin.send(
            "PUT", SELECTION, {"included_pattern": [view], "excluded_pattern": [{"owner": "A", "name": "X%"}]}
        ).status
        == 200
    )
    found = admin.call("GET", SELECTION).json
    assert found["included_pattern"] == [{"owner": "A", "name": "V", "load_order": "HIGH", "table_type": "VIEW"}]
    assert names(found, "excluded_pattern") == ["X%"]
    assert len(found["explicit_included_tables"]) == 6
    assert admin.send("PUT", SELECTION, {"$type": "AemTableSelection", **found, "excluded_pattern": []}).status == 200
    assert admin.call("GET", SELECTION).json == {**found, "excluded_pattern": []}
    assert admin.send("PUT", SELECTION, {"explicit_included_tables": None}).status == 200
    assert admin.call("GET", SELECTION).json["explicit_included_tables"] == []
    assert "source_tables" in em.inside("Replicate-Prod", "orders")["definition"]["source"]


def test_a_selection_takes_effect_with_the_next_run(em: Handle, admin: Client) -> None:
    """New tables are loaded, those that left it go."""
    em.set_task("Replicate-Prod", "orders", stop_seconds=0, start_seconds=0)
    tables = [{"owner": "SALES", "name": "PRICES"}, {"owner": "NEW", "name": "ONE"}]
    pattern = {"owner": "SALES", "name": "ORDER%"}
    lists = {"explicit_included_tables": tables, "included_pattern": [pattern]}
    lists["excluded_pattern"] = [{"owner": "%", "name": "%LINES"}]
    admin.send("PUT", SELECTION, lists)
    assert listed(admin) == ALL
    admin.call("POST", f"{ORDERS}?action=stop", b"")
    admin.call("POST", RUN, b"")
    assert listed(admin) == ["ONE", "ORDERS", "PRICES"]
    assert state(admin, "ONE") == "TABLE_CHANGE_PROCESSING"
    assert state(admin, "PRICES") == "TABLE_ERROR"  # a resume of the task does not load it again
    admin.call("POST", f"{ORDERS}?action=stop", b"")
    admin.call("POST", RUN.replace("RESUME_PROCESSING", "RELOAD_TARGET"), b"")
    assert state(admin, "PRICES") == "TABLE_CHANGE_PROCESSING"


@pytest.mark.parametrize(
    "value",
    [
        [],
        {"included_pattern": {}},
        {"included_pattern": ["x"]},
        {"included_pattern": [{"owner": "A"}]},
        {"included_pattern": [{"owner": "", "name": "B"}]},
        {"included_pattern": [{"owner": "A", "name": "B", "load_order": "SOON"}]},
        {"included_pattern": [{"owner": "A", "name": "B", "load_order": True}]},
        {"included_pattern": [{"owner": "A", "name": "B", "table_type": "INDEX"}]},
    ],
)
def test_selections_that_are_refused(em: Handle, admin: Client, value: Any) -> None:
    """And nothing changes."""
    before = admin.call("GET", SELECTION).json
    assert admin.send("PUT", SELECTION, value).code == "DESERIALIZE_TO_TYPE"
    assert admin.call("GET", SELECTION).json == before


def test_bad_settings(em: Handle) -> None:
    """Checked like every other."""
    with pytest.raises(InputError, match="there is no table"):
        em.set_table("Replicate-Prod", "orders", "SALES", "NOTHING", rows=1)
    with pytest.raises(InputError, match="TABLE_QUEUED"):
        em.set_table("Replicate-Prod", "orders", "SALES", "ORDERS", state="LOADED")
    table = {"schema": "s", "table": "t"}
    with pytest.raises(InputError, match="twice"):
        em.reset({"servers": [{"name": "s", "tasks": [{"name": "t", "tables": [table, table]}]}]})
