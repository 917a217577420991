# Copyright (c) 2026, dataops.qlik_em contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is private to the collection.

"""The methods of the vendor guide, one each, by the guide's names in snake case."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from .client import Answer, Call, Client

REPLICATE = "for Qlik Replicate servers only"
Json = dict[str, Any]


class AclOwner(NamedTuple):
    """An object that may have an ACL: its path, how messages call it, and its name in the methods of the guide."""

    path: tuple[str, ...]
    subject: str
    title: str  # Server, Task, TasksCollection, Endpoint, EndpointsCollection
    is_new: bool = True  # all but servers are in the guide of May 2026 only


class Api:
    """The API as methods. All raise what ``Client.call`` raises; ``accept`` are error codes that are no failure."""

    def __init__(self, client: Client) -> None:
        self.client = client

    # Servers

    def get_server_list(self, accept: tuple[str, ...] = ()) -> list[Json]:
        """GetServerList: the servers that the user may see (an accepted error code: none)."""
        call = Call("GetServerList", "GET", ("servers",), role="Viewer on All Servers", needs=("serverList", list))
        answer = self.client.call(call._replace(accept=accept))
        return [] if answer.error_code else answer.body["serverList"]

    def get_server_details(self, server: str, accept: tuple[str, ...] = ()) -> Json:
        """GetServerDetails: state, licence, task summary, resources (an accepted error code: empty)."""
        call = _on_server("GetServerDetails", "GET", server, "Viewer on the server")
        body = self.client.call(call._replace(accept=accept)).body
        # The envelope as the SDKs read it, and as the guide writes it (notes, 6).
        return body.get("server_details") or body.get("serverDetails") or {}

    def get_server(self, server: str, accept: tuple[str, ...] = ()) -> Json:
        """GetServer: the definition; its ``password`` is a GUID that this session may send back (notes, 6)."""
        call = _on_server("GetServer", "GET", server, "Operator on the server", "def", needs=("name", str))
        answer = self.client.call(call._replace(accept=accept))
        return {} if answer.error_code else answer.body

    def put_server(self, server: str, definition: Json) -> None:
        """PutServer: add a server or change it. Never sent in another session than the one that read the definition."""
        role = "Admin on the server (on All Servers for a new one)"
        self.client.call(_on_server("PutServer", "PUT", server, role, "def", body=definition, is_bound=True))

    def delete_server(self, server: str, accept: tuple[str, ...] = ()) -> Answer:
        """DeleteServer: remove a server with all that Enterprise Manager keeps of it."""
        return self.client.call(
            _on_server("DeleteServer", "DELETE", server, "Admin on the server", "def", accept=accept)
        )

    def put_server_license(self, server: str, text: str) -> None:
        """PutServerLicense: register a licence."""
        call = _on_server("PutServerLicense", "PUT", server, "Admin on the server", "license", "def", body=text)
        self.client.call(call._replace(scope=REPLICATE))

    def export_all(self, server: str) -> Json:
        """ExportAll: the definitions of all tasks and endpoints of a server."""
        role = "Admin on Enterprise Manager and on the server, Designer on All Tasks, Operator on All Endpoints"
        call = _on_server("ExportAll", "GET", server, role, query={"action": "export"}, needs=(DEFINITION, dict))
        return self.client.call(call._replace(scope=f"{REPLICATE}, since Replicate 5.2")).body

    def import_all(self, server: str, definition: Json) -> None:
        """ImportAll: add or change tasks and endpoints; what is not in the document stays."""
        role = "Admin on Enterprise Manager and on the server, Designer on All Tasks and on All Endpoints"
        call = _on_server("ImportAll", "POST", server, role, query={"action": "import"}, body=definition)
        self.client.call(call._replace(scope=f"{REPLICATE}, since Replicate 5.2"))

    def export_audit_trail(self, start: str, end: str | None) -> bytes:
        """ExportAuditTrail: the records of a time (``end`` None: to the latest); their layout is not documented."""
        query = {"start_timestamp": start, **({"end_timestamp": end} if end else {})}
        call = Call(
            "ExportAuditTrail",
            "GET",
            ("security", "audit_trail"),
            role="Admin on Enterprise Manager",
            query=query,
            is_open=True,
            scope="since November 2020",
        )
        return self.client.call(call).content

    # Tasks

    def get_task_list(self, server: str) -> list[Json]:
        """GetTaskList: name, state, stop reason, message and tags of each task of ``server``."""
        call = _on_server("GetTaskList", "GET", server, "Viewer on All Tasks", "tasks", needs=("taskList", list))
        return self.client.call(call).body["taskList"]

    def get_task_details(self, server: str, task: str, accept: tuple[str, ...] = ()) -> Json:
        """GetTaskDetails: state, counters and latency of a task (an accepted error code: empty)."""
        call = _on_task("GetTaskDetails", "GET", server, task, "Viewer on the task", needs=("state", str))
        answer = self.client.call(call._replace(accept=accept))
        return {} if answer.error_code else answer.body

    def run_task(
        self, server: str, task: str, option: str, timeout: int, cdc_position: str | None, accept: tuple[str, ...]
    ) -> Answer:
        """RunTask: start a stopped task; answers when it runs or ``timeout`` seconds are over."""
        # Replicate needs the option; Compose takes RESUME_PROCESSING since May 2024 (notes, 5).
        query = {"action": "run", "option": option, "timeout": timeout}
        body = {"cdcposition": cdc_position} if cdc_position else None
        call = _on_task("RunTask", "POST", server, task, "Operator on the task", query=query, body=body)
        return self.client.call(call._replace(server_timeout=timeout, needs=("state", str), accept=accept))

    def stop_task(self, server: str, task: str, timeout: int, accept: tuple[str, ...]) -> Answer:
        """StopTask: stop a task; answers when it is stopped or ``timeout`` seconds are over."""
        query = {"action": "stop", "timeout": timeout}
        call = _on_task("StopTask", "POST", server, task, "Operator on the task", query=query)
        return self.client.call(call._replace(server_timeout=timeout, needs=("state", str), accept=accept))

    def export_task(self, server: str, task: str, with_endpoints: bool, accept: tuple[str, ...] = ()) -> Json:
        """ExportTask: the definition of a task (an accepted error code: empty)."""
        role = "Operator on the task and on All Endpoints"
        query = {"action": "export", **({"withendpoints": "true"} if with_endpoints else {})}
        call = _on_task("ExportTask", "GET", server, task, role, query=query, needs=(DEFINITION, dict))
        answer = self.client.call(call._replace(scope=REPLICATE, accept=accept))
        return {} if answer.error_code else answer.body

    def import_task(self, server: str, task: str, definition: Json) -> None:
        """ImportTask: add a task or change it; what is not in the document stays. The effect may lag (notes, 6)."""
        role = "Designer on All Tasks, and on All Endpoints if the document holds endpoints"
        call = _on_task("ImportTask", "POST", server, task, role, query={"action": "import"}, body=definition)
        self.client.call(call._replace(scope=f"{REPLICATE}, since Replicate 5.2"))

    def delete_task(self, server: str, task: str, with_logs: bool, accept: tuple[str, ...] = ()) -> Answer:
        """DeleteTask: delete a stopped task."""
        query = {"action": "delete", **({"deletetasklogs": "true"} if with_logs else {})}
        call = _on_task("DeleteTask", "POST", server, task, "Designer on the task", query=query)
        return self.client.call(call._replace(scope=REPLICATE, accept=accept))

    def delete_old_change_data(self, server: str, task: str, timestamp_or_offset: str) -> None:
        """DeleteOldChangeData: delete change data older than a UTC time or an ISO 8601 duration."""
        query, body = {"action": "delete_old_change_data"}, {"timestamp_or_offset": timestamp_or_offset}
        call = _on_task("DeleteOldChangeData", "POST", server, task, "Operator on the task", query=query, body=body)
        self.client.call(call._replace(scope=REPLICATE))

    def set_change_data_retention_barrier(self, server: str, task: str, application: str, retention_point: str) -> None:
        """SetChangeDataRetentionBarrier: keep change data from a UTC time on (an empty text: no barrier)."""
        query = {"action": "set_change_data_retention_barrier"}
        body = {"application": application, "retention_point": retention_point}
        method = "SetChangeDataRetentionBarrier"
        call = _on_task(method, "PUT", server, task, "Operator on the task", query=query, body=body)
        self.client.call(call._replace(scope=REPLICATE))

    def get_change_data_retention_barrier(self, server: str, task: str) -> Json:
        """GetChangeDataRetentionBarrier: the application and its retention point."""
        query = {"action": "get_change_data_retention_barrier"}
        call = _on_task("GetChangeDataRetentionBarrier", "GET", server, task, "Viewer on the task", query=query)
        return self.client.call(call._replace(scope=REPLICATE)).body

    # Tables

    def get_table_list(self, server: str, task: str, filters: Mapping[str, Any]) -> list[Json]:
        """GetTableList: schema, name and state of the tables; ``filters`` as the guide names them."""
        call = _on_tables("GetTableList", "GET", server, task, "Viewer on the task", filters)
        return self.client.call(call._replace(needs=("tablelist", list))).body["tablelist"]

    def get_table_statuses(self, server: str, task: str, filters: Mapping[str, Any]) -> list[Json]:
        """GetTableStatuses: state and counters of the tables; ``filters`` as the guide names them."""
        query = {"action": "getstatus", **filters}
        call = _on_tables("GetTableStatuses", "GET", server, task, "Viewer on the task", query)
        return self.client.call(call._replace(needs=("table_details", list))).body["table_details"]

    def get_task_table_selection(self, server: str, task: str) -> Json:
        """GetTaskTableSelection: the patterns and tables that the task includes and excludes."""
        call = _on_tables("GetTaskTableSelection", "GET", server, task, "Viewer on the task", {"action": "selection"})
        return self.client.call(call._replace(scope=f"{REPLICATE}, since May 2024")).body

    def put_task_table_selection(self, server: str, task: str, selection: Json) -> None:
        """PutTaskTableSelection: set the lists that are in ``selection``."""
        query = {"action": "selection"}
        call = _on_tables("PutTaskTableSelection", "PUT", server, task, "Designer on the task", query, selection)
        self.client.call(call._replace(scope=f"{REPLICATE}, since May 2024"))

    def reload_table(self, server: str, task: str, schema: str, table: str) -> None:
        """ReloadTable: load a table again; answers at once."""
        query = {"action": "reload", "schema": schema, "table": table}
        self.client.call(_on_tables("ReloadTable", "POST", server, task, "Operator on the task", query))

    def resume_table(self, server: str, task: str, schema: str, table: str) -> None:
        """ResumeTable: go on with a suspended table; answers at once."""
        query = {"action": "Resume", "schema": schema, "table": table}  # the guide's only capital (notes, 4)
        call = _on_tables("ResumeTable", "POST", server, task, "Operator on the task", query)
        self.client.call(call._replace(scope=f"{REPLICATE}, since November 2023"))

    # Endpoints

    def get_endpoint_list(self, server: str) -> list[Json]:
        """GetEndpointList: name, type and role of each endpoint of ``server``."""
        role = "Viewer on All Endpoints"
        call = _on_server("GetEndpointList", "GET", server, role, "endpoints", needs=("endpointList", list))
        return self.client.call(call._replace(scope=REPLICATE)).body["endpointList"]

    def patch_endpoint(self, server: str, endpoint: str, patch: list[Json]) -> None:
        """PatchEndpoint: change settings below ``/db_settings`` by JSON Patch (add, replace, remove, test)."""
        self.client.call(
            _on_endpoint("PatchEndpoint", "PATCH", server, endpoint, "Designer on All Endpoints", body=patch)
        )

    def delete_endpoint(self, server: str, endpoint: str, accept: tuple[str, ...] = ()) -> Answer:
        """DeleteEndpoint: delete one that no task uses. By POST: so the guide's sample and all SDKs."""
        query = {"action": "delete"}
        call = _on_endpoint("DeleteEndpoint", "POST", server, endpoint, "Designer on the endpoint", query)
        return self.client.call(call._replace(accept=accept))

    def reconfigure_endpoint_no_wait(self, server: str, endpoint: str, configuration: str, recycle: bool) -> None:
        """ReconfigureEndpointNoWait: see the guide; answers at once."""
        query = {"action": "reconfigure", "configuration": configuration, "recycle": str(recycle).lower()}
        role = "Operator on All Endpoints"
        self.client.call(_on_endpoint("ReconfigureEndpointNoWait", "PUT", server, endpoint, role, query))

    def test_endpoint(self, server: str, endpoint: str, timeout: int, accept: tuple[str, ...] = ()) -> Answer:
        """TestEndpoint: try the connection for up to ``timeout`` seconds; a failed one is an answer, too."""
        query = {"action": "test", "timeout": timeout}
        call = _on_endpoint("TestEndpoint", "GET", server, endpoint, "Operator on the endpoint", query)
        return self.client.call(call._replace(server_timeout=timeout, accept=accept))

    # Access control

    def get_acl(self, owner: AclOwner, accept: tuple[str, ...] = ()) -> Answer:
        """GetServerAcl, GetTaskAcl, GetTasksCollectionAcl, GetEndpointAcl, GetEndpointsCollectionAcl."""
        return self.client.call(_on_acl("Get", "GET", owner, "Operator")._replace(accept=accept))

    def put_acl(self, owner: AclOwner, acl: Json) -> None:
        """PutServerAcl and its kin: replace the whole ACL. Not sent again in another session: read it anew first."""
        self.client.call(_on_acl("Put", "PUT", owner, "Admin")._replace(body=acl, is_bound=True))

    def delete_acl(self, owner: AclOwner, accept: tuple[str, ...] = ()) -> Answer:
        """DeleteServerAcl and its kin: go back to what is inherited."""
        return self.client.call(_on_acl("Delete", "DELETE", owner, "Admin")._replace(accept=accept))

    # Anything

    def call_path(
        self, verb: str, path: tuple[str, ...], query: Mapping[str, Any], body: Any, accept: tuple[str, ...] = ()
    ) -> Answer:
        """Send any call, whatever it answers."""
        return self.client.call(
            Call(verb, verb, path, f'"{"/".join(path)}"', query=query, body=body, is_open=True, accept=accept)
        )


DEFINITION = "cmd.replication_definition"  # the member that every export has (notes, 9)


def _on_server(method: str, verb: str, server: str, role: str, *below: str, **more: Any) -> Call:
    return Call(method, verb, ("servers", server, *below), server_subject(server), role, **more)


def _on_task(method: str, verb: str, server: str, task: str, role: str, *below: str, **more: Any) -> Call:
    subject = f'task "{task}" on {server_subject(server)}'
    return Call(method, verb, ("servers", server, "tasks", task, *below), subject, role, **more)


def _on_tables(
    method: str, verb: str, server: str, task: str, role: str, query: Mapping[str, Any], body: Json | None = None
) -> Call:
    call = _on_task(method, verb, server, task, role, "tables", query=query, body=body, scope=REPLICATE)
    if "table" in query and verb == "POST":
        call = call._replace(subject=f'table "{query["schema"]}.{query["table"]}" of {call.subject}')
    return call


def _on_endpoint(
    method: str,
    verb: str,
    server: str,
    endpoint: str,
    role: str,
    query: Mapping[str, Any] | None = None,
    body: list[Json] | None = None,
) -> Call:
    path, subject = ("servers", server, "endpoints", endpoint), f'endpoint "{endpoint}" on {server_subject(server)}'
    return Call(method, verb, path, subject, role, query=query or {}, body=body, scope=REPLICATE)


def _on_acl(what: str, verb: str, owner: AclOwner, role: str) -> Call:
    scope = "in the guide of May 2026 only" if owner.is_new else ""
    query = {"action": "acl"}
    return Call(f"{what}{owner.title}Acl", verb, owner.path, owner.subject, f"{role} on it", query, scope=scope)


def server_subject(server: str) -> str:
    """Return how messages call a server."""
    return f'server "{server}"'
