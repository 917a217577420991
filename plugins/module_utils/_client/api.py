# Copyright (c) 2026, dataops.qlik_em contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is private to the collection.

"""The methods of the vendor guide, one each, by the guide's names in snake case."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, BinaryIO, NamedTuple

from . import answers
from .calls import Answer, Call, Target
from .client import Client

Json = dict[str, Any]

DEFINITION = answers.DEFINITION
REPLICATE = "for Qlik Replicate servers only"
SINCE_5_2 = f"{REPLICATE}, since Replicate 5.2"


class AclOwner(NamedTuple):
    """An object that may have an ACL, and its name in the methods of the guide."""

    target: Target
    title: str  # Server, Task, TasksCollection, Endpoint, EndpointsCollection
    is_new: bool = True  # all but servers are in the guide of May 2026 only


class Api:
    """The API as methods. All raise what ``Client.call`` raises; ``accept`` are error codes that are not a failure."""

    def __init__(self, client: Client) -> None:
        self.client = client

    def _send(self, method: str, verb: str, target: Target, role: str, **more: Any) -> Answer:
        return self.client.call(Call(method, verb, target, role, **more))

    # Servers

    def get_server_list(self, accept: tuple[str, ...] = ()) -> list[Json]:
        """GetServerList: the servers that the user may see (an accepted error code: none)."""
        answer = self._send(
            "GetServerList", "GET", Target(("servers",)), "Viewer on All Servers", shape=answers.SERVERS, accept=accept
        )
        return answer.result.get("serverList", [])

    def get_server_details(self, server: str, accept: tuple[str, ...] = ()) -> Json:
        """GetServerDetails: state, licence, task summary, resources (an accepted error code: empty)."""
        answer = self._send(
            "GetServerDetails",
            "GET",
            on_server(server),
            "Viewer on the server",
            shape=answers.SERVER_DETAILS,
            accept=accept,
        )
        return answer.result.get("server_details") or answer.result.get("serverDetails") or {}

    def get_server(self, server: str, accept: tuple[str, ...] = ()) -> Json:
        """GetServer: the definition.

        Its ``password`` is a GUID that this session may send back (docs/enterprise_manager_api.md, 6.3).
        """
        target, role = on_server(server, "def"), "Operator on the server"
        return self._send("GetServer", "GET", target, role, shape=answers.SERVER, accept=accept).result

    def put_server(self, server: str, definition: Json) -> None:
        """PutServer: add a server or change it. Never sent in another session than the one that read the definition."""
        role = "Admin on the server (on All Servers for a new one)"
        self._send("PutServer", "PUT", on_server(server, "def"), role, body=definition, is_bound=True)

    def delete_server(self, server: str, accept: tuple[str, ...] = ()) -> Answer:
        """DeleteServer: remove a server with all that Enterprise Manager keeps of it."""
        return self._send("DeleteServer", "DELETE", on_server(server, "def"), "Admin on the server", accept=accept)

    def put_server_license(self, server: str, text: str) -> None:
        """PutServerLicense: register a licence."""
        target = on_server(server, "license", "def")
        self._send("PutServerLicense", "PUT", target, "Admin on the server", body=text, scope=REPLICATE)

    def export_all(self, server: str) -> Json:
        """ExportAll: the definitions of all tasks and endpoints of a server."""
        role = "Admin on Enterprise Manager and on the server, Designer on All Tasks, Operator on All Endpoints"
        query = {"action": "export"}
        return self._send(
            "ExportAll",
            "GET",
            on_server(server),
            role,
            query=query,
            shape=answers.DEFINITIONS,
            scope=SINCE_5_2,
            is_exact=True,
        ).result

    def import_all(self, server: str, definition: Json) -> None:
        """ImportAll: add or change tasks and endpoints; what is not in the document stays."""
        role = "Admin on Enterprise Manager and on the server, Designer on All Tasks and on All Endpoints"
        query = {"action": "import"}
        self._send("ImportAll", "POST", on_server(server), role, query=query, body=definition, scope=SINCE_5_2)

    def export_audit_trail(self, start: str, end: str | None, spool: BinaryIO | None = None) -> bytes:
        """ExportAuditTrail: the records of a time (``end`` None: to the latest); their layout is not documented.

        With ``spool`` they are written to this file, and nothing is returned.
        """
        target, role = Target(("security", "audit_trail")), "Admin on Enterprise Manager"
        query = {"start_timestamp": start, **({"end_timestamp": end} if end else {})}
        answer = self._send(
            "ExportAuditTrail",
            "GET",
            target,
            role,
            query=query,
            is_open=True,
            spool=spool,
            too_long="Request a shorter time span: narrow start and end."
            + ("" if spool else " Or write it to a file with dest."),
            scope="since November 2020",
        )
        if spool and not answer.is_spooled:
            spool.write(answer.content)
        return b"" if spool else answer.content

    # Tasks

    def get_task_list(self, server: str) -> list[Json]:
        """GetTaskList: name, state, stop reason, message and tags of each task of ``server``."""
        target = on_server(server, "tasks")
        return self._send("GetTaskList", "GET", target, "Viewer on All Tasks", shape=answers.TASKS).result["taskList"]

    def get_task_details(self, server: str, task: str, accept: tuple[str, ...] = ()) -> Json:
        """GetTaskDetails: state, counters and latency of a task (an accepted error code: empty)."""
        target, role = on_task(server, task), "Viewer on the task"
        return self._send("GetTaskDetails", "GET", target, role, shape=answers.TASK_DETAILS, accept=accept).result

    def run_task(
        self, server: str, task: str, option: str, timeout: int, cdc_position: str | None, accept: tuple[str, ...]
    ) -> Answer:
        """RunTask: start a stopped task; answers when it runs or ``timeout`` seconds are over."""
        # Replicate needs the option (docs/enterprise_manager_api.md, 6.11); Compose takes
        # RESUME_PROCESSING since May 2024 (docs/enterprise_manager_api.md, 5.6).
        query = {"action": "run", "option": option, "timeout": timeout}
        return self._send(
            "RunTask",
            "POST",
            on_task(server, task),
            "Operator on the task",
            query=query,
            body={"cdcposition": cdc_position} if cdc_position else None,
            server_timeout=timeout,
            shape=answers.TASK_STATE,
            accept=accept,
        )

    def stop_task(self, server: str, task: str, timeout: int, accept: tuple[str, ...]) -> Answer:
        """StopTask: stop a task; answers when it is stopped or ``timeout`` seconds are over."""
        return self._send(
            "StopTask",
            "POST",
            on_task(server, task),
            "Operator on the task",
            query={"action": "stop", "timeout": timeout},
            server_timeout=timeout,
            shape=answers.TASK_STATE,
            accept=accept,
        )

    def export_task(self, server: str, task: str, with_endpoints: bool, accept: tuple[str, ...] = ()) -> Json:
        """ExportTask: the definition of a task (an accepted error code: empty)."""
        return self._send(
            "ExportTask",
            "GET",
            on_task(server, task),
            "Operator on the task and on All Endpoints",
            query={"action": "export", **({"withendpoints": "true"} if with_endpoints else {})},
            shape=answers.DEFINITIONS,
            scope=REPLICATE,
            accept=accept,
            is_exact=True,
        ).result

    def import_task(self, server: str, task: str, definition: Json) -> None:
        """ImportTask: add a task or change it; what is not in the document stays.

        The effect may lag (docs/enterprise_manager_api.md, 9.10).
        """
        role = "Designer on All Tasks, and on All Endpoints if the document contains endpoints"
        query = {"action": "import"}
        self._send("ImportTask", "POST", on_task(server, task), role, query=query, body=definition, scope=SINCE_5_2)

    def clone_task(self, server: str, task: str, request: Json) -> None:
        """CloneTask: copy a task on its server, by the members of the guide; never overwrites one.

        The effect may lag (docs/enterprise_manager_api.md, 6.23).
        """
        target, scope = on_task(server, task), f"{REPLICATE}, since May 2025"
        query = {"action": "clone"}
        self._send(
            "CloneTask", "POST", target, "Operator on Enterprise Manager", query=query, body=request, scope=scope
        )

    def delete_task(self, server: str, task: str, with_logs: bool, accept: tuple[str, ...] = ()) -> Answer:
        """DeleteTask: delete a stopped task."""
        target, role = on_task(server, task), "Designer on the task"
        query = {"action": "delete", **({"deletetasklogs": "true"} if with_logs else {})}
        return self._send("DeleteTask", "POST", target, role, query=query, scope=REPLICATE, accept=accept)

    def delete_old_change_data(self, server: str, task: str, timestamp_or_offset: str) -> None:
        """DeleteOldChangeData: delete change data older than a UTC time or an ISO 8601 duration."""
        target, role = on_task(server, task), "Operator on the task"
        query, body = {"action": "delete_old_change_data"}, {"timestamp_or_offset": timestamp_or_offset}
        self._send("DeleteOldChangeData", "POST", target, role, query=query, body=body, scope=REPLICATE)

    def set_change_data_retention_barrier(self, server: str, task: str, application: str, retention_point: str) -> None:
        """SetChangeDataRetentionBarrier: keep change data from a UTC time on (an empty text: no barrier)."""
        self._send(
            "SetChangeDataRetentionBarrier",
            "PUT",
            on_task(server, task),
            "Operator on the task",
            query={"action": "set_change_data_retention_barrier"},
            body={"application": application, "retention_point": retention_point},
            scope=REPLICATE,
        )

    def get_change_data_retention_barrier(self, server: str, task: str) -> Json:
        """GetChangeDataRetentionBarrier: the application and its retention point."""
        target, query = on_task(server, task), {"action": "get_change_data_retention_barrier"}
        return self._send(
            "GetChangeDataRetentionBarrier",
            "GET",
            target,
            "Viewer on the task",
            query=query,
            shape=answers.BARRIER,
            scope=REPLICATE,
        ).result

    # Tables

    def get_table_list(self, server: str, task: str, filters: Mapping[str, Any]) -> list[Json]:
        """GetTableList: schema, name and state of the tables; ``filters`` as the guide names them."""
        target, role = on_task(server, task, "tables"), "Viewer on the task"
        answer = self._send("GetTableList", "GET", target, role, query=filters, shape=answers.TABLES, scope=REPLICATE)
        return answer.result["tablelist"]

    def get_table_statuses(self, server: str, task: str, filters: Mapping[str, Any]) -> list[Json]:
        """GetTableStatuses: state and counters of the tables; ``filters`` as the guide names them."""
        target, role = on_task(server, task, "tables"), "Viewer on the task"
        query = {"action": "getstatus", **filters}
        answer = self._send(
            "GetTableStatuses", "GET", target, role, query=query, shape=answers.TABLE_STATUSES, scope=REPLICATE
        )
        return answer.result["table_details"]

    def get_task_table_selection(self, server: str, task: str) -> Json:
        """GetTaskTableSelection: the patterns and tables that the task includes and excludes."""
        target, role, scope = on_task(server, task, "tables"), "Viewer on the task", f"{REPLICATE}, since May 2024"
        query = {"action": "selection"}
        answer = self._send(
            "GetTaskTableSelection", "GET", target, role, query=query, shape=answers.TABLE_SELECTION, scope=scope
        )
        return answer.result

    def put_task_table_selection(self, server: str, task: str, selection: Json) -> None:
        """PutTaskTableSelection: set the lists that are in ``selection``."""
        target, role, scope = on_task(server, task, "tables"), "Designer on the task", f"{REPLICATE}, since May 2024"
        query = {"action": "selection"}
        self._send("PutTaskTableSelection", "PUT", target, role, query=query, body=selection, scope=scope)

    def reload_table(self, server: str, task: str, schema: str, table: str) -> None:
        """ReloadTable: load a table again; answers at once."""
        target, role = on_table(server, task, schema, table), "Operator on the task"
        query = {"action": "reload", "schema": schema, "table": table}
        self._send("ReloadTable", "POST", target, role, query=query, scope=REPLICATE)

    def resume_table(self, server: str, task: str, schema: str, table: str) -> None:
        """ResumeTable: go on with a suspended table; answers at once."""
        target, role = on_table(server, task, schema, table), "Operator on the task"
        # The guide's only capital (docs/enterprise_manager_api.md, 4.7).
        query = {"action": "Resume", "schema": schema, "table": table}
        self._send("ResumeTable", "POST", target, role, query=query, scope=f"{REPLICATE}, since November 2023")

    # Endpoints

    def get_endpoint_list(self, server: str) -> list[Json]:
        """GetEndpointList: name, type and role of each endpoint of ``server``."""
        target, role = on_server(server, "endpoints"), "Viewer on All Endpoints"
        answer = self._send("GetEndpointList", "GET", target, role, shape=answers.ENDPOINTS, scope=REPLICATE)
        return answer.result["endpointList"]

    def patch_endpoint(self, server: str, endpoint: str, patch: list[Json]) -> None:
        """PatchEndpoint: change settings below ``/db_settings`` by JSON Patch (add, replace, remove, test)."""
        target, role = on_endpoint(server, endpoint), "Designer on All Endpoints"
        self._send("PatchEndpoint", "PATCH", target, role, body=patch, scope=REPLICATE)

    def delete_endpoint(self, server: str, endpoint: str, accept: tuple[str, ...] = ()) -> Answer:
        """DeleteEndpoint: delete one that no task uses. By POST (docs/enterprise_manager_api.md, 6.35)."""
        target, role, query = on_endpoint(server, endpoint), "Designer on the endpoint", {"action": "delete"}
        return self._send("DeleteEndpoint", "POST", target, role, query=query, scope=REPLICATE, accept=accept)

    def reconfigure_endpoint_no_wait(self, server: str, endpoint: str, configuration: str, recycle: bool) -> None:
        """ReconfigureEndpointNoWait: see the guide; answers at once."""
        target, role = on_endpoint(server, endpoint), "Operator on All Endpoints"
        query = {"action": "reconfigure", "configuration": configuration, "recycle": str(recycle).lower()}
        self._send("ReconfigureEndpointNoWait", "PUT", target, role, query=query, scope=REPLICATE)

    def test_endpoint(self, server: str, endpoint: str, timeout: int, accept: tuple[str, ...] = ()) -> Answer:
        """TestEndpoint: try the connection for up to ``timeout`` seconds; a failed one is an answer, too."""
        return self._send(
            "TestEndpoint",
            "GET",
            on_endpoint(server, endpoint),
            "Operator on the endpoint",
            query={"action": "test", "timeout": timeout},
            server_timeout=timeout,
            shape=answers.TEST,
            scope=REPLICATE,
            accept=accept,
        )

    # Access control

    def get_acl(self, owner: AclOwner, accept: tuple[str, ...] = ()) -> Answer:
        """GetServerAcl, GetTaskAcl, GetTasksCollectionAcl, GetEndpointAcl, GetEndpointsCollectionAcl."""
        return self._send_acl("Get", "GET", owner, "Operator on it", shape=answers.ACL, accept=accept)

    def put_acl(self, owner: AclOwner, acl: Json) -> None:
        """PutServerAcl and its kin: replace the whole ACL. Not sent again in another session: read it anew first."""
        self._send_acl("Put", "PUT", owner, "Admin on it", body=acl, is_bound=True)

    def delete_acl(self, owner: AclOwner, accept: tuple[str, ...] = ()) -> Answer:
        """DeleteServerAcl and its kin: go back to what is inherited."""
        return self._send_acl("Delete", "DELETE", owner, "Admin on it", accept=accept)

    def _send_acl(self, what: str, verb: str, owner: AclOwner, role: str, **more: Any) -> Answer:
        method, query = f"{what}{owner.title}Acl", {"action": "acl"}
        scope = "in the guide of May 2026 only" if owner.is_new else ""
        return self._send(method, verb, owner.target, role, query=query, scope=scope, **more)

    # Anything

    def call_path(
        self, verb: str, path: tuple[str, ...], query: Mapping[str, Any], body: Any, accept: tuple[str, ...] = ()
    ) -> Answer:
        """Send any call, whatever it answers."""
        target = Target(path, f'"{"/".join(path)}"')
        return self._send(verb, verb, target, "", query=query, body=body, is_open=True, accept=accept)


def on_server(server: str, *below: str) -> Target:
    """Return a server, or what lies below it."""
    return Target(("servers", server, *below), f'server "{server}"')


def on_task(server: str, task: str, *below: str) -> Target:
    """Return a task, or what lies below it."""
    return Target(("servers", server, "tasks", task, *below), f'task "{task}" on server "{server}"')


def on_table(server: str, task: str, schema: str, table: str) -> Target:
    """Return one table of a task: the path is that of all its tables, as the query names the one."""
    target = on_task(server, task, "tables")
    return target._replace(subject=f'table "{schema}.{table}" of {target.subject}')


def on_endpoint(server: str, endpoint: str) -> Target:
    """Return an endpoint."""
    return Target(("servers", server, "endpoints", endpoint), f'endpoint "{endpoint}" on server "{server}"')
