# Copyright (c) 2026, dataops.qlik_em contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reading tables: the same filters find the same tables on each release of the API."""

from __future__ import annotations

import pytest
from ansible_collections.dataops.qlik_em.tests.functional.every_module.test_every_module import writes

TASK = {"server": "Replicate-Prod", "name": "orders"}
LAGER = "Lager & Regal 100%"
ALL = ["CUSTOMERS", "ITEMS", LAGER, "ORDERS", "ORDER_LINES", "PRICES"]


def names(run):
    """Return the names that were found, sorted."""
    assert not run.failed, run.result
    assert writes(run) == [] and not run.changed
    return sorted(table["table"] for table in run.result["tables"])


@pytest.mark.parametrize("statuses", [False, True])
@pytest.mark.parametrize("wildcard", ["%", "*", "substring"])
@pytest.mark.parametrize(
    ("filters", "expected"),
    [
        ({}, ALL),
        ({"schema": ["STOCK"]}, ["ITEMS", LAGER]),
        ({"schema": ["stock"]}, []),
        ({"schema": ["STOC"]}, []),
        ({"table": ["ORDER"]}, []),
        ({"table": ["ORDERS"]}, ["ORDERS"]),
        ({"table": ["ORDER*"]}, ["ORDERS", "ORDER_LINES"]),
        ({"table": ["ORDER?"]}, ["ORDERS"]),
        ({"table": ["[PI]*"]}, ["ITEMS", "PRICES"]),
        ({"table": ["%"]}, []),
        ({"table": ["ORDER%"]}, []),
        ({"table": ["ORDER*", "PRICES"], "schema": ["S*"]}, ["ORDERS", "ORDER_LINES", "PRICES"]),
        ({"table": [LAGER], "schema": ["STOCK", "SALES"]}, [LAGER]),
        ({"state": ["error"]}, ["ITEMS", "PRICES"]),
        ({"state": ["queued", "completed"]}, ["CUSTOMERS", LAGER]),
        ({"state": ["change_processing"], "table": ["*LINES"]}, ["ORDER_LINES"]),
        ({"state": ["loading"]}, []),
        ({"schema": [], "table": [], "state": []}, ALL),
    ],
    ids=str,
)
def test_filters(em, user, filters, expected, wildcard, statuses):
    em.set_variants(table_wildcard=wildcard)
    assert names(user.run("aem_table_info", **TASK, **filters, statuses=statuses)) == expected


def test_only_one_exact_name_is_sent_to_the_server(em, user):
    flags = ["includequeued", "includeloading", "includecompleted", "includechangeprocessing", "includeerror"]

    def query(**filters):
        run = user.run("aem_table_info", **TASK, **filters)
        return next(r["query"] for r in run.requests if r["operation"] == "GetTableList")

    assert query(schema=["STOCK"], table=[LAGER]) == {"schema": "STOCK", "table": LAGER, **dict.fromkeys(flags, "true")}
    assert query(schema=["S*"], table=["ORDERS", "PRICES"]) == dict.fromkeys(flags, "true")
    assert query(state=["error", "queued"]) == {"includequeued": "true", "includeerror": "true"}


@pytest.mark.parametrize(
    ("wildcard", "filters", "expected"),
    [
        ("%", {"table_pattern": "ORDER%"}, ["ORDERS", "ORDER_LINES"]),
        ("*", {"table_pattern": "ORDER*"}, ["ORDERS", "ORDER_LINES"]),
        ("substring", {"table_pattern": "ORDER"}, ["ORDERS", "ORDER_LINES"]),
        ("%", {"schema_pattern": "S%", "table_pattern": "%I%"}, ["ITEMS", "ORDER_LINES", "PRICES"]),
        ("%", {"schema_pattern": "S%", "schema": ["STOCK"]}, ["ITEMS", LAGER]),
        ("%", {"schema_pattern": "SALES", "table": ["O*S"]}, ["ORDERS", "ORDER_LINES"]),
        ("%", {"table_pattern": "%I%", "state": ["error"]}, ["ITEMS", "PRICES"]),
    ],
)
def test_a_pattern_goes_to_the_server_as_it_is(em, user, wildcard, filters, expected):
    em.set_variants(table_wildcard=wildcard)
    for statuses in (False, True):
        run = user.run("aem_table_info", **TASK, **filters, statuses=statuses)
        assert names(run) == expected and not run.result.get("warnings") and run.result["missing"] == []
        query = next(r["query"] for r in run.requests if r["operation"].startswith("GetTable"))
        for name in ("schema", "table"):
            if f"{name}_pattern" in filters:
                assert query[name] == filters[f"{name}_pattern"]


def test_a_pattern_that_finds_nothing_is_a_warning(user):
    for more in ({}, {"state": ["error"]}):
        run = user.run("aem_table_info", **TASK, table_pattern="ORDER*", **more)
        assert names(run) == []
        (warning,) = run.result["warnings"]
        assert (
            "has no table that matches table_pattern: ORDER*. The wildcard is * in releases up to 2024, and %"
        ) in warning
    run = user.run("aem_table_info", **TASK, table_pattern="ORDER%", state=["error"])
    assert names(run) == [] and not run.result.get("warnings")


def test_a_release_that_takes_no_flags_for_states_makes_no_difference(em, user):
    everything = user.run("aem_table_info", **TASK).result
    answer = {"tablelist": everything["tables"]}
    em.faults([{"match": {"operation": "GetTableList"}, "nth": "all", "fault": "answer", "json": answer}])
    assert names(user.run("aem_table_info", **TASK, state=["error"])) == ["ITEMS", "PRICES"]


def test_what_is_returned(em, user):
    run = user.run("aem_table_info", **TASK, table=["PRICES"])
    assert run.operations == ["Login", "GetTableList", "Logout"]
    assert run.result["tables"] == [{"schema": "SALES", "table": "PRICES", "state": "TABLE_ERROR"}]
    run = user.run("aem_table_info", **TASK, table=[LAGER], statuses=True)
    assert run.operations == ["Login", "GetTableStatuses", "Logout"]
    found = run.result["tables"][0]
    assert (found["schema"], found["table"], found["state"]) == ("STOCK", LAGER, "TABLE_QUEUED")
    assert found["table_on_target"] == "LAGER" and found["table_full_load_info"]["estimated_row_count"] == 100
    sent = next(r["raw_path"] for r in run.requests if r["operation"] == "GetTableStatuses")
    assert "table=Lager%20%26%20Regal%20100%25" in sent


def test_a_viewer_may_read_and_a_stranger_may_not(em, user):
    user.defaults.update(username="viewer@corp.example", password="viewer-test-password")
    assert names(user.run("aem_table_info", **TASK)) == ALL
    user.defaults.update(username="stranger@corp.example", password="stranger-test-password")
    run = user.run("aem_table_info", **TASK)
    assert run.failed and run.result["error_code"] == "UNAUTHORIZED_REQUEST"
    assert "Viewer on the task" in run.result["hint"]


def test_what_does_not_exist(em, user):
    run = user.run("aem_table_info", server="Replicate-Prod", name="nothing")
    assert run.failed and run.result["error_code"] == "AEM_TASK_NOT_FOUND" and '"nothing"' in run.msg
    run = user.run("aem_table_info", server="Compose-DW", name="nightly__sales")
    assert run.result["error_code"] == "AEM_METHOD_NOT_SUPPORTED_VERSION"
    assert run.result["hint"] == "GetTableList is documented for Qlik Replicate servers only."


def test_a_read_is_repeated_and_a_foreign_answer_is_none(em, user):
    em.faults([{"match": {"operation": "GetTableList"}, "fault": "cut_before"}])
    assert names(user.run("aem_table_info", **TASK)) == ALL
    em.faults([{"match": {"operation": "GetTableList"}, "nth": "all", "fault": "html"}])
    run = user.run("aem_table_info", **TASK)
    assert run.failed and "something other than an API response" in run.msg
