# Copyright (c) 2026, dataops.qlik_em contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""aem_server_info: what is selected, what is read for it, and one spelling for all that differs."""

from __future__ import annotations

import pytest

ORDERS_ONLY = {"username": "orders@corp.example", "password": "orders-test-password"}
ALL = ["Replicate-Prod", "Replicate-Test", "Compose-DW", "Replicate Old", "Replicate-Down", "Replicate-Unlicensed"]


def names(run):
    return [server["name"] for server in run.result["servers"]]


def test_one_server_needs_no_list(user):
    run = user.run("aem_server_info", name="Replicate-Prod")
    assert run.operations == ["Login", "GetServerDetails", "Logout"] and not run.changed
    (server,) = run.result["servers"]
    assert server == {
        "name": "Replicate-Prod",
        "type": "REPLICATE",
        "state": "MONITORED",
        "message": "",
        "description": "Production replication",
        "host": "replicate-prod.corp.example",
        "port": "443",
        "username": "em-service",
        "platform": "LINUX",
        "version": "2021.5.0.745",
        "last_connection": "2026-01-15T08:30:00",
        "license": {
            "state": "VALID_LICENSE",
            "issue_date": "2026-01-01",
            "expiration": "2027-01-01",
            "days_to_expiration": 365,
        },
        "task_summary": {"total": 6, "running": 3, "stopped": 1, "recovering": 1, "error": 1},
        "resource_utilization": server["resource_utilization"],
    }
    assert server["resource_utilization"]["disk_usage_mb"] == 2048


def test_all_servers(user):
    run = user.run("aem_server_info")
    assert names(run) == ALL
    assert run.operations == ["Login", "GetServerList", *["GetServerDetails"] * 6, "Logout"]
    run = user.run("aem_server_info", details=False)
    assert names(run) == ALL and run.operations == ["Login", "GetServerList", "Logout"]
    assert run.result["servers"][2]["type"] == "COMPOSE" and "$type" not in run.result["servers"][2]
    assert [server["state"] for server in run.result["servers"]][3:5] == ["NOT_MONITORED", "ERROR"]


def test_globs_and_names(user):
    run = user.run("aem_server_info", name=["*-[PT]*", "Compose-DW", "No such server"])
    assert names(run) == ["Replicate-Prod", "Replicate-Test", "Compose-DW"]
    run = user.run("aem_server_info", name=["Compose-DW", "Compose-DW"])
    assert names(run) == ["Compose-DW"] and "GetServerList" not in run.operations


def test_both_spellings_of_the_envelope(user, em):
    expected = user.run("aem_server_info").result["servers"]
    em.set_options(server_details_key="serverDetails")
    assert user.run("aem_server_info").result["servers"] == expected


@pytest.mark.parametrize("key", ["user_name", "username"])
@pytest.mark.parametrize(
    ("shown", "expected"),
    [
        ("VALID_LICENSE", "VALID_LICENSE"),
        ("LICENSE_VALID", "VALID_LICENSE"),
        ("LICENSE_INVALID_CHECKSUM", "INVALID_LICENSE_CHECKSUM"),
        ("LICENSE_EXPIRED", "EXPIRED_LICENSE"),
        ("SOMETHING_NEW", "SOMETHING_NEW"),
    ],
)
def test_both_spellings_of_the_user_and_of_the_licence(user, em, key, shown, expected):
    details = {
        "$type": "ComposeServerDetails",
        "name": "S",
        "state": "MONITORED",
        "configuration": {"host": "h", key: "u"},
        "license": {"state": shown},
        "member_of_tomorrow": 1,
    }
    em.faults([{"match": {"operation": "GetServerDetails"}, "fault": "answer", "json": {"serverDetails": details}}])
    (server,) = user.run("aem_server_info", name="S").result["servers"]
    assert server == {
        "name": "S",
        "state": "MONITORED",
        "type": "COMPOSE",
        "host": "h",
        "username": "u",
        "license": {"state": expected},
        "member_of_tomorrow": 1,
    }


@pytest.mark.parametrize("answer", [{}, {"server_details": []}, {"server_details": {"name": "x"}}, [], 5])
def test_an_answer_that_is_none_is_no_missing_server(user, em, answer):
    em.faults([{"match": {"operation": "GetServerDetails"}, "nth": "all", "fault": "answer", "json": answer}])
    run = user.run("aem_server_info", name="Replicate-Prod")
    assert run.failed and "sent an unexpected answer to GetServerDetails: " in run.msg


def test_a_server_that_does_not_exist_is_no_failure(user):
    run = user.run("aem_server_info", name="No such server")
    assert not run.failed and names(run) == [] and run.result["skipped_servers"] == []


def test_a_server_that_cannot_be_read_fails_unless_it_is_skipped(user, em):
    em.faults(
        [
            {
                "match": {"operation": "GetServerDetails", "server": "Compose-DW"},
                "nth": "all",
                "fault": "error",
                "error_code": "AEM_ODD",
                "error_message": "Odd.",
            }
        ]
    )
    run = user.run("aem_server_info")
    assert run.failed and run.result["error_code"] == "AEM_ODD" and "Compose-DW" in run.msg
    run = user.run("aem_server_info", on_server_error="skip")
    assert names(run) == [name for name in ALL if name != "Compose-DW"]
    assert run.result["skipped_servers"] == [
        {
            "server": "Compose-DW",
            "msg": 'GetServerDetails of server "Compose-DW" failed: Odd.',
            "error_code": "AEM_ODD",
            "error_message": "Odd.",
            "http_status": 500,
        }
    ]
    assert len(run.result["warnings"]) == 1 and 'Server "Compose-DW" was skipped' in run.result["warnings"][0]


def test_a_missing_role_is_named(user):
    run = user.run("aem_server_info", **ORDERS_ONLY)
    assert run.failed and "the role Viewer on All Servers" in run.result["hint"]
    run = user.run("aem_server_info", name="Replicate-Prod", **ORDERS_ONLY)
    assert run.failed and "the role Viewer on the server" in run.result["hint"]
    run = user.run("aem_server_info", name="Replicate-Prod", on_server_error="skip", **ORDERS_ONLY)
    assert not run.failed and run.result["skipped_servers"][0]["error_code"] == "UNAUTHORIZED_REQUEST"


def test_the_path_on_the_wire(user, em):
    user_of = {"name": "u", "logins": ["u"], "password": "p", "grants": [{"role": "Admin"}]}
    em.reset({"users": [user_of], "servers": [{"name": "a b/c&d"}]})
    run = user.run("aem_server_info", name="a b/c&d", username="u", password="p")
    assert names(run) == ["a b/c&d"]
    assert run.requests[1]["raw_path"] == "/attunityenterprisemanager/api/v1/servers/a%20b%2Fc%26d"
