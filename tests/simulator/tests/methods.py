# Copyright (c) 2026, dataops.qlik_em contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every method of the API: its verb, its path, a body that it takes, and the least role that it asks for.

Written by hand from the guide, so that the stand-in's own tables can be held against it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

SERVER = "/servers/Replicate-Prod"
TASK = f"{SERVER}/tasks/customers%20full%20load"
RUNNING = f"{SERVER}/tasks/orders"
SELECTION = f"{RUNNING}/tables?action=selection"
ENDPOINT = f"{SERVER}/endpoints/ERP"
UNUSED = f"{SERVER}/endpoints/Down%20%26%20out"
TABLE = "schema=SALES&table=ORDERS"
ACL = {"operator_role": {"users": [{"name": "somebody@corp.example"}], "groups": []}}
DEFINITION = {
    "$type": "AemReplicateServer",
    "name": "Replicate-Prod",
    "host": "replicate-prod.corp.example",
    "username": "em",
    "password": "secret",
    "port": "443",
}
DOCUMENT = {
    "_version": {"version": "2021.5.0.745"},
    "cmd.replication_definition": {"tasks": [{"task": {"name": "customers full load"}}]},
}
LICENSE = b"issue_date=2026-01-01\nexpiration_date=2099-01-01\nchecksum=1234-5678\n"

ROOT: dict[str, Any] = {}
ON_SERVER = {"server": "Replicate-Prod"}
ALL_TASKS = {**ON_SERVER, "all_tasks": True}
ALL_ENDPOINTS = {**ON_SERVER, "all_endpoints": True}
ON_FULL_LOAD = {**ON_SERVER, "task": "customers full load"}
ON_ORDERS = {**ON_SERVER, "task": "orders"}
ON_ERP = {**ON_SERVER, "endpoint": "ERP"}
ON_UNUSED = {**ON_SERVER, "endpoint": "Down & out"}


@dataclass(frozen=True)
class Method:
    """A method. `grants` are the least that its caller needs."""

    name: str
    verb: str
    path: str
    grants: tuple[dict[str, Any], ...]
    body: Any = None
    on_compose: bool = False


def _method(name: str, verb: str, path: str, role: str, on: dict[str, Any], body: Any = None, **more: Any) -> Method:
    return Method(name, verb, path, ({"role": role, **on}, *more.pop("also", ())), body, **more)


def _acl(name: str, path: str, on: dict[str, Any]) -> list[Method]:
    where = f"{path}?action=acl"
    return [
        _method(f"Put{name}Acl", "PUT", where, "Admin", on, ACL, on_compose=True),
        _method(f"Get{name}Acl", "GET", where, "Operator", on, on_compose=True),
        _method(f"Delete{name}Acl", "DELETE", where, "Admin", on, on_compose=True),
    ]


METHODS = [
    _method("GetServerList", "GET", "/servers", "Viewer", {"all_servers": True}, on_compose=True),
    _method("GetServerDetails", "GET", SERVER, "Viewer", ON_SERVER, on_compose=True),
    _method("GetServer", "GET", f"{SERVER}/def", "Operator", ON_SERVER, on_compose=True),
    _method("PutServer", "PUT", f"{SERVER}/def", "Admin", ON_SERVER, DEFINITION, on_compose=True),
    _method("DeleteServer", "DELETE", f"{SERVER}/def", "Admin", ON_SERVER, on_compose=True),
    _method("PutServerLicense", "PUT", f"{SERVER}/license/def", "Admin", ON_SERVER, LICENSE),
    _method("GetTaskList", "GET", f"{SERVER}/tasks", "Viewer", ALL_TASKS, on_compose=True),
    _method("GetTaskDetails", "GET", TASK, "Viewer", ON_FULL_LOAD, on_compose=True),
    _method("RunTask", "POST", f"{TASK}?action=run&option=RELOAD_TARGET", "Operator", ON_FULL_LOAD, on_compose=True),
    _method("StopTask", "POST", f"{RUNNING}?action=stop", "Operator", ON_ORDERS, on_compose=True),
    _method("DeleteTask", "POST", f"{TASK}?action=delete&deletetasklogs=true", "Designer", ON_FULL_LOAD),
    _method(
        "ExportTask",
        "GET",
        f"{RUNNING}?action=export&withendpoints=true",
        "Operator",
        ON_ORDERS,
        also=({"role": "Operator", **ALL_ENDPOINTS},),
    ),
    _method("ImportTask", "POST", f"{TASK}?action=import", "Designer", ALL_TASKS, DOCUMENT),
    _method("CloneTask", "POST", f"{TASK}?action=clone", "Operator", ROOT, {"new_task_name": "twin"}),
    _method("ExportAll", "GET", f"{SERVER}?action=export", "Admin", ROOT),
    _method("ImportAll", "POST", f"{SERVER}?action=import", "Admin", ROOT, DOCUMENT),
    _method("GetTableList", "GET", f"{RUNNING}/tables?includeerror=true", "Viewer", ON_ORDERS),
    _method("GetTableStatuses", "GET", f"{RUNNING}/tables?action=getstatus", "Viewer", ON_ORDERS),
    _method("GetTaskTableSelection", "GET", SELECTION, "Viewer", ON_ORDERS),
    _method("PutTaskTableSelection", "PUT", SELECTION, "Designer", ON_ORDERS, {"included_pattern": []}),
    _method("ReloadTable", "POST", f"{RUNNING}/tables?action=reload&{TABLE}", "Operator", ON_ORDERS),
    _method("ResumeTable", "POST", f"{RUNNING}/tables?action=Resume&schema=SALES&table=PRICES", "Operator", ON_ORDERS),
    _method("GetEndpointList", "GET", f"{SERVER}/endpoints", "Viewer", ALL_ENDPOINTS),
    _method(
        "PatchEndpoint",
        "PATCH",
        ENDPOINT,
        "Designer",
        ALL_ENDPOINTS,
        [{"op": "add", "path": "/db_settings/username", "value": "x"}],
    ),
    _method("DeleteEndpoint", "POST", f"{UNUSED}?action=delete", "Designer", ON_UNUSED),
    _method("DeleteEndpoint", "DELETE", f"{UNUSED}?action=delete", "Designer", ON_UNUSED),
    _method(
        "ReconfigureEndpointNoWait",
        "PUT",
        f"{ENDPOINT}?action=reconfigure&configuration=ERP%20standby&recycle=false",
        "Operator",
        ALL_ENDPOINTS,
    ),
    _method("TestEndpoint", "GET", f"{ENDPOINT}?action=test&timeout=5", "Operator", ON_ERP),
    _method(
        "DeleteOldChangeData",
        "POST",
        f"{RUNNING}?action=delete_old_change_data",
        "Operator",
        ON_ORDERS,
        {"timestamp_or_offset": "P1M3DT1H2M"},
    ),
    _method(
        "SetChangeDataRetentionBarrier",
        "PUT",
        f"{RUNNING}?action=set_change_data_retention_barrier",
        "Operator",
        ON_ORDERS,
        {"application": "Compose", "retention_point": "2026-01-01T00:00:00Z"},
    ),
    _method(
        "GetChangeDataRetentionBarrier",
        "GET",
        f"{RUNNING}?action=get_change_data_retention_barrier",
        "Viewer",
        ON_ORDERS,
    ),
    _method(
        "ExportAuditTrail",
        "GET",
        "/security/audit_trail?start_timestamp=2020-06-30T16:15:00Z",
        "Admin",
        ROOT,
        on_compose=True,
    ),
    *_acl("Server", SERVER, ON_SERVER),
    *_acl("TasksCollection", f"{SERVER}/tasks", ALL_TASKS),
    *_acl("Task", RUNNING, ON_ORDERS),
    *_acl("EndpointsCollection", f"{SERVER}/endpoints", ALL_ENDPOINTS),
    *_acl("Endpoint", ENDPOINT, ON_ERP),
]
LOGIN_METHODS = [("Login", "GET", "/login"), ("Login", "POST", "/login"), ("Logout", "GET", "/logout")]
