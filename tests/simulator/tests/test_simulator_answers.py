# Copyright (c) 2026, dataops.qlik_em contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The reading methods and the failures that every method shares."""

from __future__ import annotations

import json

import pytest
from ansible_collections.dataops.qlik_em.tests.simulator import Handle
from ansible_collections.dataops.qlik_em.tests.simulator.tests.wire import ORDERS, PROD, RUN, STOP, Client, task_path

METHODS = [
    ("GET", "/servers/{server}"),
    ("GET", "/servers/{server}/tasks"),
    ("GET", "/servers/{server}/tasks/{task}"),
    ("POST", "/servers/{server}/tasks/{task}?action=stop"),
    ("POST", "/servers/{server}/tasks/{task}?action=run&option=RESUME_PROCESSING"),
]


def call(client: Client, method: tuple[str, str], server: str, task: str = "t") -> str | None:
    """`error_code` of a method, None for success. Failures must be 500 with the two members."""
    verb, template = method
    reply = client.call(verb, template.format(server=server.replace(" ", "%20"), task=task))
    if reply.status == 200:
        return None
    assert list(reply.json) == ["error_code", "error_message"]
    assert reply.headers["Content-Type"] == "application/json; charset=utf-8"
    assert reply.status == {"UNAUTHORIZED_REQUEST": 403}.get(str(reply.code), 500)
    return reply.code


def test_server_list(operator: Client) -> None:
    """All servers in every state, camel-case key, port as a string."""
    reply = operator.call("GET", "/servers")
    assert list(reply.json) == ["serverList"]
    servers = {server["name"]: server for server in reply.json["serverList"]}
    assert len(servers) == 6
    assert servers["Replicate-Prod"] == {
        "$type": "ReplicateServerInfo",
        "name": "Replicate-Prod",
        "description": "Production replication",
        "host": "replicate-prod.corp.example",
        "port": "443",
        "state": "MONITORED",
        "message": "",
        "platform": "LINUX",
        "version": "2021.5.0.745",
        "last_connection": "2026-01-15T08:30:00",
        "type": "REPLICATE",
    }
    assert (servers["Compose-DW"]["$type"], servers["Compose-DW"]["type"]) == ("ComposeServerInfo", "COMPOSE")
    assert servers["Replicate Old"]["state"] == "NOT_MONITORED"
    assert servers["Replicate-Down"]["state"] == "ERROR"
    assert "did not answer" in servers["Replicate-Down"]["message"]


def test_server_details(em: Handle, operator: Client) -> None:
    """The SDK's envelope and member names; the sums follow the tasks."""
    details = operator.call("GET", PROD).json["server_details"]
    assert details["$type"] == "ReplicateServerDetails"
    assert details["type"] == "REPLICATE"
    assert details["configuration"] == {
        "host": "replicate-prod.corp.example",
        "platform": "LINUX",
        "port": "443",
        "user_name": "em-service",
    }
    assert details["task_summary"] == {"total": 6, "running": 3, "recovering": 1, "error": 1, "stopped": 1}
    assert details["license"]["state"] == "VALID_LICENSE"
    assert isinstance(details["license"]["days_to_expiration"], int)
    assert details["resource_utilization"]["memory_mb"] == 212 + 3 * 120
    em.set_task("Replicate-Prod", "orders", state="STOPPED", memory_lag=0)
    details = operator.call("GET", PROD).json["server_details"]
    assert (details["task_summary"]["running"], details["task_summary"]["stopped"]) == (2, 2)
    assert details["resource_utilization"]["memory_mb"] == 3 * 120


def test_server_details_in_the_guides_spelling(em: Handle, operator: Client) -> None:
    """Clients should read both."""
    em.set_options(server_details_key="serverDetails")
    assert list(operator.call("GET", PROD).json) == ["serverDetails"]


def test_task_list(operator: Client) -> None:
    """Five members each; no tags is an empty list."""
    reply = operator.call("GET", f"{PROD}/tasks")
    assert list(reply.json) == ["taskList"]
    tasks = {task["name"]: task for task in reply.json["taskList"]}
    assert tasks["orders"] == {
        "name": "orders",
        "state": "RUNNING",
        "stop_reason": "NONE",
        "message": "",
        "assigned_tags": ["prod", "erp"],
    }
    assert tasks["customers full load"]["stop_reason"] == "FULL_LOAD_ONLY_FINISHED"
    assert (tasks["invoices"]["state"], tasks["invoices"]["stop_reason"]) == ("ERROR", "FATAL_ERROR")
    assert tasks["invoices"]["message"].startswith("ORA-")
    assert (tasks["shipments"]["state"], tasks["shipments"]["stop_reason"]) == ("RECOVERY", "RECOVERABLE_ERROR")
    assert tasks["invoices"]["assigned_tags"] == []


def test_task_details(em: Handle, operator: Client) -> None:
    """Flat, with every member of the description, the misspelt ones too."""
    details = operator.call("GET", ORDERS).json
    assert details["$type"] == details["type"] == "AemTaskInfoDetailed"
    assert details["source_endpoint"] == {"name": "ERP", "type": "Oracle"}
    assert details["target_endpoint"] == {"name": "Warehouse", "type": "Snowflake"}
    assert details["cdc_latency"] == {"source_latency": "00:00:02", "total_latency": "00:00:05"}
    assert details["task_stop_reason"] == "NONE"
    assert (details["memory_mb"], details["disk_usage_mb"]) == (212, 18)
    assert "applied_comitted_transaction_count" in details["cdc_transactions_counters"]
    assert details["cdc_throughput"]["source_throughput_volume"] == {"current": 40}
    assert details["full_load_throughput"]["source_throughput_volume"] == 0
    assert details["options"]["apply_changes_enabled"] is True
    assert details["full_load_counters"]["tables_completed_count"] == 5
    assert details["cdc_event_counters"]["applied_ddl_count"] == 0
    assert {"profile", "description", "message", "assigned_tags", "cpu_percentage", "data_error_count"} < set(details)
    em.set_options(task_stop_reason=False)
    assert "task_stop_reason" not in operator.call("GET", ORDERS).json


@pytest.mark.parametrize(
    ("seconds", "text"), [(0, "00:00:00"), (59.9, "00:00:59"), (3661, "01:01:01"), (432000, "120:00:00")]
)
def test_latency_is_always_a_clock(em: Handle, operator: Client, seconds: float, text: str) -> None:
    """Three parts, hours of any length."""
    em.set_task("Replicate-Prod", "orders", source_latency=seconds)
    assert operator.call("GET", ORDERS).json["cdc_latency"]["source_latency"] == text


def test_details_can_be_overlaid(em: Handle, operator: Client) -> None:
    """Any counter, and members that nobody knows yet."""
    em.set_task("Replicate-Prod", "orders", details={"full_load_counters": {"tables_queued_count": 7}, "new": [1]})
    details = operator.call("GET", ORDERS).json
    assert details["full_load_counters"]["tables_queued_count"] == 7
    assert details["full_load_counters"]["tables_completed_count"] == 5
    assert details["new"] == [1]


def test_compose(operator: Client) -> None:
    """Names with the project, its own $type, no stop reason."""
    details = operator.call("GET", task_path("Compose-DW", "nightly__sales")).json
    assert (details["$type"], details["name"]) == ("AemComposeDWTaskInfoDetailed", "nightly__sales")
    assert "cdc_latency" not in details
    reasons = {task["stop_reason"] for task in operator.call("GET", "/servers/Compose-DW/tasks").json["taskList"]}
    assert reasons == {"NONE"}


def test_answers_are_compact_utf8(operator: Client) -> None:
    """Not escaped to ASCII: clients must decode."""
    reply = operator.call("GET", f"{PROD}/tasks")
    assert "Aufträge".encode() in reply.body
    assert reply.body == json.dumps(reply.json, separators=(",", ":"), ensure_ascii=False).encode()


@pytest.mark.parametrize("method", METHODS)
def test_unknown_server(operator: Client, method: tuple[str, str]) -> None:
    """The name comes back in double quotes."""
    assert call(operator, method, "Nowhere") == "AEM_SERVER_NOT_FOUND"
    message = operator.call("GET", "/servers/Nowhere").json["error_message"]
    assert message == 'The requested server "Nowhere" could not be found.'


@pytest.mark.parametrize("method", METHODS[2:])
def test_unknown_task(em: Handle, operator: Client, method: tuple[str, str]) -> None:
    """And one that is there but does not exist any more."""
    assert call(operator, method, "Replicate-Prod", "nothing") == "AEM_TASK_NOT_FOUND"
    em.set_task("Replicate-Prod", "orders", state="NOT_EXIST")
    assert call(operator, method, "Replicate-Prod", "orders") == "AEM_TASK_NOT_FOUND"


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize(
    ("server", "code"),
    [
        ("Replicate Old", "AEM_SERVER_NOT_MONITORED"),
        ("Replicate-Down", "AEM_SERVER_NOT_CONNECTED"),
        ("Replicate-Unlicensed", "AEM_SERVER_LICENSE_EXPIRED"),
    ],
)
def test_servers_that_can_not_work(operator: Client, method: tuple[str, str], server: str, code: str) -> None:
    """Their details are shown all the same; everything below is refused, before the task is looked up."""
    assert call(operator, method, server) == (None if method is METHODS[0] else code)


@pytest.mark.parametrize(
    ("state", "code"),
    [
        ("EXPIRED_LICENSE", "AEM_SERVER_LICENSE_EXPIRED"),
        ("INVALID_LICENSE", "AEM_SERVER_INVALID_LICENSE"),
        ("NO_LICENSE", "AEM_SERVER_INVALID_LICENSE"),
        ("INVALID_LICENSE_CHECKSUM", "AEM_SERVER_INVALID_LICENSE"),
        ("MACHINE_NOT_LICENSED", "AEM_SERVER_INVALID_LICENSE"),
        ("VALID_LICENSE", None),
    ],
)
def test_licences(em: Handle, operator: Client, state: str, code: str | None) -> None:
    """Set while it runs."""
    em.set_server("Replicate-Prod", license={"state": state})
    assert call(operator, METHODS[1], "Replicate-Prod") == code
    assert operator.call("GET", PROD).json["server_details"]["license"]["state"] == state


def test_enterprise_managers_own_licence(em: Handle, client: Client) -> None:
    """For administrators the failure says to register one, for others whom to ask; logging in and out works."""
    em.set_options(license_registered=False)
    client.log_in("admin@corp.example", "admin-test-password")
    assert call(client, METHODS[0], "Nowhere") == "LICENSE_NOT_FOUND"
    assert client.call("GET", "/logout").status == 200
    client.log_in()
    assert call(client, METHODS[0], "Nowhere") == "LICENSE_NOT_FOUND_CONTACT_ADMIN"


VIEWER, TASK_OPERATOR, STRANGER = "viewer", "orders", "stranger"


@pytest.mark.parametrize(
    ("user", "allowed"),
    [
        ("admin", {"list", "details", "tasks", "task", "stop", "run"}),
        ("viewer", {"list", "details", "tasks", "task"}),
        ("orders", {"task", "stop", "run"}),
        ("stranger", set()),
    ],
)
def test_rights(em: Handle, client: Client, user: str, allowed: set[str]) -> None:
    """403 UNAUTHORIZED_REQUEST for everything else; nothing is done then."""
    em.set_task("Replicate-Prod", "orders", stop_seconds=0, start_seconds=0)
    assert client.log_in(f"{user}@corp.example", f"{user}-test-password").status == 200
    attempts = {
        "list": ("GET", "/servers"),
        "details": ("GET", PROD),
        "tasks": ("GET", f"{PROD}/tasks"),
        "task": ("GET", ORDERS),
        "stop": ("POST", STOP),
        "run": ("POST", RUN),
    }
    for name, (verb, path) in attempts.items():
        reply = client.call(verb, path)
        if name in allowed:
            assert reply.status == 200, name
        else:
            assert (reply.status, reply.code) == (403, "UNAUTHORIZED_REQUEST"), name
            assert reply.json["error_message"] == "Unauthorized Request."
    done = em.task("Replicate-Prod", "orders")
    assert (done["stops"], len(done["runs"])) == ((1, 1) if "stop" in allowed else (0, 0))


@pytest.mark.parametrize(
    ("grant", "allowed"),
    [
        ({"role": "Operator"}, "LDTtS"),
        ({"role": "Viewer"}, "LDTt"),
        ({"role": "Designer", "all_servers": True}, "LDTtS"),
        ({"role": "Operator", "server": "s"}, "DTtS"),
        ({"role": "Viewer", "server": "s"}, "DTt"),
        ({"role": "Operator", "server": "other"}, ""),
        ({"role": "Operator", "server": "s", "all_tasks": True}, "TtS"),
        ({"role": "Operator", "server": "s", "task": "t"}, "tS"),
        ({"role": "Viewer", "server": "s", "task": "t"}, "t"),
        ({"role": "Admin", "server": "s", "task": "other"}, ""),
    ],
)
def test_inheritance_of_roles(em: Handle, client: Client, grant: dict, allowed: str) -> None:
    """List, Details, Tasks, task, Stop: from the root down to the task."""
    task = {"name": "t", "state": "RUNNING"}
    servers = [{"name": "s", "tasks": [task, {"name": "other"}]}, {"name": "other"}]
    em.reset({"users": [{"name": "u", "password": "p", "grants": [grant]}], "servers": servers})
    client.log_in("u", "p")
    attempts = {
        "L": ("GET", "/servers"),
        "D": ("GET", "/servers/s"),
        "T": ("GET", "/servers/s/tasks"),
        "t": ("GET", "/servers/s/tasks/t"),
        "S": ("POST", "/servers/s/tasks/t?action=stop"),
    }
    for letter, (verb, path) in attempts.items():
        assert client.call(verb, path).status == (200 if letter in allowed else 403), letter


def test_order_of_the_checks(em: Handle, client: Client) -> None:
    """Session, licence, server, rights, server's state, licence of the server, task."""
    em.set_options(license_registered=False)
    stop_nothing = METHODS[3]
    client.session = "A" * 22
    assert client.call("POST", "/servers/Nowhere/tasks/x?action=stop").code == "INVALID_SESSION_ID"
    client.log_in("stranger@corp.example", "stranger-test-password")
    assert call(client, stop_nothing, "Nowhere") == "LICENSE_NOT_FOUND_CONTACT_ADMIN"
    em.set_options(license_registered=True)
    assert call(client, stop_nothing, "Nowhere") == "AEM_SERVER_NOT_FOUND"
    em.set_server("Replicate-Down", license={"state": "EXPIRED_LICENSE"})
    assert call(client, stop_nothing, "Replicate-Down") == "UNAUTHORIZED_REQUEST"
    client.log_in()
    assert call(client, stop_nothing, "Replicate-Down") == "AEM_SERVER_NOT_CONNECTED"
    em.set_server("Replicate-Down", state="MONITORED")
    assert call(client, stop_nothing, "Replicate-Down") == "AEM_SERVER_LICENSE_EXPIRED"
    em.set_server("Replicate-Down", license={})
    assert call(client, stop_nothing, "Replicate-Down") == "AEM_TASK_NOT_FOUND"
