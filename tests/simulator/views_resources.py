# Copyright (c) 2026, dataops.qlik_em contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The JSON of tables, endpoints and ACLs, and the control address's views of what lives. Pure functions."""

from __future__ import annotations

import datetime
from collections.abc import Callable
from dataclasses import asdict
from typing import Any

from . import endpoints, tabletimes, views
from .document_access import Acl
from .document_servers import Endpoint
from .live import LiveEndpoint, LiveServer, LiveTable, LiveTask
from .views import Json, overlaid

# The three spellings of TestEndpoint's answer (docs/enterprise_manager_api.md, 6.36):
# status, message, long message
_TEST_KEYS = {
    "sdk": ("status", "message", "detailed_message"),
    "guide_table": ("state", "error_message", None),
    "guide_template": ("requeststate", "message", "detailed_message"),
}
_LONG_AGO = datetime.datetime(2026, 1, 15, 8, 0, tzinfo=datetime.timezone.utc)


def table_info(table: LiveTable, state: str) -> Json:
    """One item of GetTableList."""
    return {"schema": table.settings.schema, "table": table.settings.table, "state": state}


def table_details(table: LiveTable, state: str, now: float, wall: Callable[[float], datetime.datetime]) -> Json:
    """One item of GetTableStatuses. `wall` turns the stand-in's seconds into UTC."""
    settings = table.settings
    began = tabletimes.began(table.line, now, tabletimes.LOADING)
    start = wall(began) if began is not None else _LONG_AGO
    loading, waiting = state == tabletimes.LOADING, state == tabletimes.QUEUED
    end = start + datetime.timedelta(seconds=settings.load_seconds if began is not None else 60)
    rows = 0 if waiting else settings.rows // 2 if loading else settings.rows
    details = {
        "schema_on_source": settings.schema,
        "table_on_source": settings.table,
        "schema_on_target": settings.schema_on_target or settings.schema,
        "table_on_target": settings.table_on_target or settings.table,
        "state": state,
        "data_errors_count": settings.data_errors_count,
        "table_full_load_info": {
            "start_time": "" if waiting else _time_text(start),
            "end_time": "" if waiting or loading else _time_text(end),
            "estimated_row_count": settings.rows,
            "estimated_end_time": "" if waiting else _time_text(end),
            "transferred_row_count": rows,
            "transferred_volume_mb": rows // 1000,
        },
        "table_cdc_info": {
            **dict.fromkeys(("insert_count", "update_count", "delete_count", "ddl_count"), 0),
            "last_update_time": "",
            **dict.fromkeys(("cached_insert_count", "cached_update_count", "cached_delete_count"), 0),
        },
    }
    return overlaid(details, settings.details)


def selected(item: Json) -> Json:
    """One table or pattern of GetTaskTableSelection, defaults filled in."""
    return {
        "owner": item.get("owner", ""),
        "name": item.get("name", ""),
        "load_order": item.get("load_order", 0),
        "table_type": str(item.get("table_type", "TABLE")).upper(),
    }


def endpoint_info(settings: Endpoint) -> Json:
    """One item of GetEndpointList."""
    return {
        "name": settings.name,
        "description": settings.description,
        "role": settings.role,
        "type": endpoints.short_type(settings),
        "is_licensed": settings.is_licensed,
    }


def endpoint_test(status: str, message: str, detailed_message: str, spelling: str) -> Json:
    """The answer of TestEndpoint, in one of its spellings."""
    keys = _TEST_KEYS[spelling]
    return {key: value for key, value in zip(keys, (status, message, detailed_message)) if key}


def acl(value: Acl) -> Json:
    """An explicit ACL: all four roles, null or with both lists (docs/enterprise_manager_api.md, 10.3)."""
    roles = ["admin_role", "designer_role", "operator_role", "viewer_role"]
    if value.none_role is not None:
        roles.append("none_role")
    result: Json = {"$type": "AemAuthorizationAcl"}
    for key in roles:
        role = getattr(value, key)
        result[key] = None if role is None else _role(role)
    result["disable_inheritance"] = value.disable_inheritance
    return result


def _role(role: dict[str, list[str]]) -> Json:
    return {
        "$type": "AemRoleDef",
        "users": [{"$type": "AemUserRef", "name": name} for name in role.get("users", [])],
        "groups": [{"$type": "AemGroupRef", "name": name} for name in role.get("groups", [])],
    }


def _time_text(moment: datetime.datetime) -> str:
    """UTC without Z (docs/enterprise_manager_api.md, 1.3)."""
    return f"{moment:%Y-%m-%dT%H:%M:%S.%f}"


# For the control address


def task_state(server: LiveServer, task: LiveTask) -> Json:
    """One task as it is now."""
    phase = task.phase
    return {
        "state": phase.state,
        "shown": phase.shown,
        "stop_reason": views.stop_reason(server.settings, phase),
        "message": phase.message,
        "memory_mb": task.memory_mb,
        "runs": list(task.runs),
        "stops": task.stops,
    }


def task_inside(task: LiveTask, now: float) -> Json:
    """What is in a task: its definition, tables and change data."""
    return {
        "definition": task.definition,
        "tables": [
            {
                **table_info(table, tabletimes.current(table.line, now)),
                "reloads": table.reloads,
                "resumes": table.resumes,
            }
            for table in task.tables.values()
        ],
        "barriers": dict(task.barriers),
        "deleted_change_data": list(task.deleted_change_data),
    }


def endpoint_state(endpoint: LiveEndpoint) -> Json:
    """One endpoint as it is now; passwords in clear text."""
    settings = endpoint.settings
    return {
        **endpoint_info(settings),
        "db_settings": settings.db_settings,
        "override_properties": settings.override_properties,
        "tests": endpoint.tests,
        "patches": endpoint.patches,
    }


def server_state(server: LiveServer) -> Json:
    """One server with everything on it. The password is the stored one."""
    acls: dict[str, Any] = {"/".join(scope[2:]): asdict(item) for scope, item in server.acls.items()}
    return {
        **views.server_info(server.settings),
        "tasks": {name: task_state(server, task) for name, task in server.tasks.items()},
        "endpoints": {name: endpoint_state(endpoint) for name, endpoint in server.endpoints.items()},
        "acls": acls,
        "password": server.settings.password,
        "license": dict(server.settings.license),
        "others": server.others,
    }
