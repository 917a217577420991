# Copyright (c) 2026, dataops.qlik_em contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The JSON of the answers, built from settings and phases. Pure functions.

Member names and spellings (`comitted` among them) are those on the wire (docs/enterprise_manager_api.md, 6.16).
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from . import tabletimes
from .document_servers import Server
from .document_tasks import Task
from .live import LiveTask
from .timeline import ERROR, RECOVERY, RUNNING, STARTING, STOPPING, Phase

Json = dict[str, Any]

_COMPOSE_DETAILS = {
    "COMPOSE": "AemComposeDWTaskInfoDetailed",
    "COMPOSE_FDW": "AemComposeDWTaskInfoDetailed",
    "COMPOSE_FDL": "AemComposeDLTaskInfoDetailed",
}
_VALID_LICENSE = {
    "issue_date": "2026-01-01",
    "state": "VALID_LICENSE",
    "expiration": "2027-01-01",
    "days_to_expiration": 365,
}


def stop_reason(server: Server, phase: Phase) -> str:
    """The stop reason on the wire; Compose always says NONE (docs/enterprise_manager_api.md, 5.6)."""
    return "NONE" if server.is_compose else phase.stop_reason


def clock_text(seconds: float) -> str:
    """Latency as hh:mm:ss, which is never empty (docs/enterprise_manager_api.md, 6.16)."""
    whole = int(seconds)
    return f"{whole // 3600:02d}:{whole // 60 % 60:02d}:{whole % 60:02d}"


def server_info(server: Server) -> Json:
    """One item of GetServerList."""
    return {
        "$type": "ComposeServerInfo" if server.is_compose else "ReplicateServerInfo",
        "name": server.name,
        "description": server.description,
        "host": server.host,
        "port": server.port,
        "state": server.state,
        "message": server.message,
        "platform": server.platform,
        "version": server.version,
        "last_connection": server.last_connection,
        "type": server.type,
    }


def server_details(server: Server, phases: Iterable[Phase], memory_mb: int) -> Json:
    """The inner object of GetServerDetails. `memory_mb` is that of all tasks together."""
    return {
        "$type": "ComposeServerDetails" if server.is_compose else "ReplicateServerDetails",
        "name": server.name,
        "description": server.description,
        "configuration": {
            "host": server.host,
            "platform": server.platform,
            "port": server.port,
            "user_name": server.user_name,
        },
        "state": server.state,
        "message": server.message,
        "version": server.version,
        "license": {**_VALID_LICENSE, **server.license},
        "last_connection": server.last_connection,
        "task_summary": task_summary(phases),
        "resource_utilization": {
            "disk_usage_mb": server.disk_usage_mb,
            "memory_mb": memory_mb,
            "attunity_cpu_percentage": server.attunity_cpu_percentage,
            "machine_cpu_percentage": server.machine_cpu_percentage,
        },
        "type": server.type,
    }


def task_summary(phases: Iterable[Phase]) -> Json:
    """How many tasks are in which state. Transient ones count as running, every other one as stopped (assumption)."""
    shown = [phase.shown for phase in phases]
    counts = {
        "total": len(shown),
        "running": sum(state in (RUNNING, STARTING, STOPPING) for state in shown),
        "recovering": shown.count(RECOVERY),
        "error": shown.count(ERROR),
    }
    counts["stopped"] = counts["total"] - counts["running"] - counts["recovering"] - counts["error"]
    return counts


def task_info(server: Server, task: Task, phase: Phase) -> Json:
    """One item of GetTaskList."""
    return {
        "name": task.name,
        "state": phase.shown,
        "stop_reason": stop_reason(server, phase),
        "message": phase.message,
        "assigned_tags": task.assigned_tags,
    }


def server_definition(server: Server, password: str) -> Json:
    """The answer of GetServer; `password` stands for the stored one."""
    return {
        "$type": "AemComposeServer" if server.is_compose else "AemReplicateServer",
        "name": server.name,
        "description": server.description,
        "host": server.host,
        "port": server.port,
        "username": server.user_name,
        "password": password,
        "verify_server_certificate": server.verify_server_certificate,
        "monitored": server.state != "NOT_MONITORED",
        "type": server.type,
    }


def task_details(server: Server, live: LiveTask, with_stop_reason: bool) -> Json:
    """The flat answer of GetTaskDetails."""
    task, phase, memory_mb = live.settings, live.phase, live.memory_mb
    details: Json = {
        "$type": _COMPOSE_DETAILS.get(server.type, "AemTaskInfoDetailed"),
        "name": task.name,
        "description": task.description,
        "state": phase.shown,
        "message": phase.message,
        "source_endpoint": task.source_endpoint,
        "target_endpoint": task.target_endpoint,
        "assigned_tags": task.assigned_tags,
        "profile": task.profile,
    }
    if with_stop_reason:
        details["task_stop_reason"] = stop_reason(server, phase)
    if server.is_compose:
        # Only the members above are sure for Compose; the measured ones are assumed to be there too, or nobody could
        # distinguish a stopped task from a stopping one by its memory.
        details.update(_measured(task, memory_mb))
    else:
        details.update(_replicate_part(live, phase))
        details.update(_measured(task, memory_mb))
    return overlaid(details, task.details)


def overlaid(base: Json, top: Json) -> Json:
    """`base` with the members of `top` laid over it, inner mappings too."""
    result = dict(base)
    for key, value in top.items():
        inner = result.get(key)
        result[key] = overlaid(inner, value) if isinstance(inner, dict) and isinstance(value, dict) else value
    return result


def _measured(task: Task, memory_mb: int) -> Json:
    return {
        "memory_mb": memory_mb,
        "disk_usage_mb": task.disk_usage_mb,
        "cpu_percentage": task.cpu_percentage if memory_mb else 0,
        "data_error_count": task.data_error_count,
    }


def _replicate_part(live: LiveTask, phase: Phase) -> Json:
    task = live.settings
    busy = phase.shown == RUNNING and not live.makes_tables
    rate = 40 if busy and not task.full_load_only else 0
    return {
        "type": "AemTaskInfoDetailed",  # the guide's spelling of $type
        "options": {
            "full_load_enabled": live.full_load,
            "apply_changes_enabled": live.applies,
            "store_changes_enabled": live.stores,
            "audit_changes_enabled": live.audits,
        },
        "cdc_event_counters": dict.fromkeys(
            ("applied_insert_count", "applied_update_count", "applied_delete_count", "applied_ddl_count"), 0
        ),
        "full_load_counters": _counted(live) if live.has_begun_tables and live.tables else _invented(task, busy),
        "full_load_throughput": dict.fromkeys(_THROUGHPUT, 0),
        "cdc_throughput": {key: {"current": rate} for key in _THROUGHPUT},
        "cdc_transactions_counters": dict.fromkeys(_TRANSACTIONS, 0),
        "cdc_latency": {
            "source_latency": clock_text(task.source_latency),
            "total_latency": clock_text(task.total_latency),
        },
    }


def _counted(live: LiveTask) -> Json:
    """The counters of a full load, from the tables of the task."""
    now = live.clock()
    found = [(tabletimes.current(table.line, now), table.settings.rows) for table in live.tables.values()]
    states = [state for state, _rows in found]
    done = (tabletimes.COMPLETED, tabletimes.CHANGES)
    return {
        "tables_completed_count": sum(state in done for state in states),
        "tables_loading_count": states.count(tabletimes.LOADING),
        "tables_queued_count": states.count(tabletimes.QUEUED),
        "tables_with_error_count": states.count(tabletimes.ERROR),
        "records_completed_count": sum(rows for state, rows in found if state in done),
        "estimated_records_for_all_tables_count": sum(rows for _state, rows in found),
    }


def _invented(task: Task, busy: bool) -> Json:
    """The counters of a task whose tables are not described, or were not loaded in this life."""
    loading = 5 if busy and task.full_load_only else 0
    return {
        "tables_completed_count": 5 - loading,
        "tables_loading_count": loading,
        "tables_queued_count": 0,
        "tables_with_error_count": 0,
        "records_completed_count": 0 if loading else 1200,
        "estimated_records_for_all_tables_count": 1200,
    }


_THROUGHPUT = (
    "source_throughput_records_count",
    "source_throughput_volume",
    "target_throughput_records_count",
    "target_throughput_volume",
)
_TRANSACTIONS = (
    "commit_change_records_count",
    "rollback_transaction_count",
    "rollback_change_records_count",
    "rollback_change_volume_mb",
    "applied_transactions_in_progress_count",
    "applied_records_in_progress_count",
    "applied_comitted_transaction_count",
    "applied_records_comitted_count",
    "applied_volume_comitted_mb",
    "incoming_accumulated_changes_in_memory_count",
    "incoming_accumulated_changes_on_disk_count",
    "incoming_applying_changes_in_memory_count",
    "incoming_applying_changes_on_disk_count",
)
