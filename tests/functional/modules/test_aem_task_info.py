# Copyright (c) 2026, dataops.qlik_em contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""aem_task_info: what is selected, what is read for it, and what it asks for."""

from __future__ import annotations

import pytest

ORDERS_ONLY = {"username": "orders@corp.example", "password": "orders-test-password"}


def names(run):
    return [(task["server"], task["name"]) for task in run.result["tasks"]]


def test_a_task_named_literally_is_read_alone_and_in_full(user):
    run = user.run("aem_task_info", server="Replicate-Prod", name="orders", **ORDERS_ONLY)
    assert run.operations == ["Login", "GetTaskDetails", "Logout"]
    (task,) = run.result["tasks"]
    assert (task["server"], task["name"], task["state"], task["stop_reason"]) == (
        "Replicate-Prod",
        "orders",
        "RUNNING",
        "NONE",
    )
    assert task["memory_mb"] == 212 and task["cdc_latency"]["total_latency"] == "00:00:05"
    assert "$type" not in task
    assert not run.changed


def test_a_server_named_literally_needs_no_list_of_servers(user):
    run = user.run("aem_task_info", server="Replicate-Test")
    assert run.operations == ["Login", "GetTaskList", "Logout"]
    assert ("Replicate-Test", "north/south") in names(run)


def test_globs_on_servers_and_names(user):
    run = user.run("aem_task_info", server=["*-Prod", "Compose-DW"], name=["*s", "night*"])
    assert names(run) == [
        ("Replicate-Prod", "orders"),
        ("Replicate-Prod", "invoices"),
        ("Replicate-Prod", "shipments"),
        ("Compose-DW", "nightly__sales"),
        ("Compose-DW", "load_dims__sales"),
    ]
    assert run.operations == ["Login", "GetServerList", "GetTaskList", "GetTaskList", "Logout"]


def test_upper_and_lower_case_count(user):
    assert names(user.run("aem_task_info", server="Replicate-Prod", name="ORD*")) == []


def test_a_name_with_glob_signs_selects_itself(user):
    run = user.run("aem_task_info", server="Replicate-Test", name="a+b=c #1?")
    assert names(run) == [("Replicate-Test", "a+b=c #1?")]


@pytest.mark.parametrize(
    ("filters", "expected"),
    [
        ({"state": ["stopped"]}, ["customers full load"]),
        ({"state": ["error", "recovery"]}, ["invoices", "shipments"]),
        ({"tag": ["erp"]}, ["orders", "Aufträge & Kunden 100%"]),
        ({"tag": ["erp", "batch"], "state": ["stopped"]}, ["customers full load"]),
        ({"tag": ["no such tag"]}, []),
        ({"name": ["orders"], "tag": ["batch"]}, []),
        ({"name": ["orders", "orders", "invoices"], "state": ["running"]}, ["orders"]),
    ],
)
def test_filters(user, filters, expected):
    run = user.run("aem_task_info", server="Replicate-Prod", **filters)
    assert [name for _server, name in names(run)] == expected


def test_recovering_is_recovery(user, em):
    em.set_task("Replicate-Prod", "shipments", details={"state": "RECOVERING"})
    run = user.run("aem_task_info", server="Replicate-Prod", name="shipments", state=["recovery"])
    assert run.result["tasks"][0]["state"] == "RECOVERY"


def test_a_task_that_does_not_exist_is_no_failure(user):
    run = user.run("aem_task_info", server="Replicate-Prod", name=["orders", "nothing"])
    assert names(run) == [("Replicate-Prod", "orders")]


def test_a_server_that_does_not_exist_is_a_failure(user):
    run = user.run("aem_task_info", server="Nowhere", name="orders")
    assert run.failed and run.result["error_code"] == "AEM_SERVER_NOT_FOUND"


def test_a_server_that_cannot_be_read_fails_unless_it_is_skipped(user):
    run = user.run("aem_task_info")
    assert run.failed and run.result["error_code"] == "AEM_SERVER_NOT_MONITORED" and "Replicate Old" in run.msg
    run = user.run("aem_task_info", on_server_error="skip")
    assert not run.failed
    assert [one["server"] for one in run.result["skipped_servers"]] == [
        "Replicate Old",
        "Replicate-Down",
        "Replicate-Unlicensed",
    ]
    assert [warning.split(" was skipped")[0] for warning in run.result["warnings"]] == [
        'Server "Replicate Old"',
        'Server "Replicate-Down"',
        'Server "Replicate-Unlicensed"',
    ]
    assert {server for server, _name in names(run)} == {"Replicate-Prod", "Replicate-Test", "Compose-DW"}


def test_a_missing_right_names_the_role(user):
    run = user.run("aem_task_info", server="*", **ORDERS_ONLY)
    assert run.failed and "Viewer on All Servers" in run.result["hint"]
    run = user.run("aem_task_info", server="Replicate-Prod", **ORDERS_ONLY)
    assert run.failed and "Viewer on All Tasks" in run.result["hint"]


def test_thousands_of_tasks_cost_one_call_a_server(user, em):
    servers = [
        {"name": f"R{number}", "tasks": [{"name": f"t{task}", "state": "RUNNING"} for task in range(100)]}
        for number in range(20)
    ]
    login = {"username": "u", "password": "s3cr3t"}
    em.reset(
        {
            "users": [{"name": "u", "logins": ["u"], "password": "s3cr3t", "grants": [{"role": "Viewer"}]}],
            "servers": servers,
        }
    )
    run = user.run("aem_task_info", name="t*", **login)
    assert len(run.result["tasks"]) == 2000
    assert len(run.requests) == 23 and em.summary()["tcp_connections"] == 1
