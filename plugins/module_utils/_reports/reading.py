# Copyright (c) 2026, dataops.qlik_em contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is private to the collection.

"""Reads what a page of the estate shows: servers, tasks, their latency and throughput, and tables in error."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from .._client.api import Api, Json
from .._client.errors import ApiError, InputError
from .._common.patterns import RunAll, read_servers
from .._run.result import Mode
from .._servers import info as servers_info
from .._tables.model import filters, name_in
from .._tasks.counters import LOADS, counter
from .._tasks.latency import total_latency
from .._tasks.model import ACTIVE, TASK_NOT_FOUND, TaskName, TaskSnapshot, snapshot_of

THROUGHPUT = ("full_load_throughput", "cdc_throughput")  # of GetTaskDetails
MOST_WITH_TABLES = 50  # tasks whose tables in error are named: one call each


class Facts(NamedTuple):
    """A task as a page shows it; None is what is not known, or has no meaning for the task."""

    task: TaskName
    now: TaskSnapshot
    latency: float | None = None
    records: float | None = None  # a second, at the target
    volume: float | None = None  # kilobytes a second, the same
    table_errors: int = 0


class Estate(NamedTuple):
    """All that was read. ``skipped`` are servers (rows with server, msg, error_code) that could not be."""

    servers: Sequence[Json]
    tasks: Sequence[Facts]
    tables: Mapping[TaskName, Sequence[str]]
    skipped: Sequence[Json]
    unread: int  # tasks without details, as these could not be read
    warnings: Sequence[str]


def read_estate(api: Api, patterns: Sequence[str], details: bool, run_all: RunAll) -> Estate:
    """Return what the servers that match show (no pattern: all); one that cannot be read is never a failure.

    Raises what says nothing of a single server: TransportError, LoginRefused, Interrupted.
    """
    options = {"name": patterns, "details": True, "on_server_error": "skip"}
    found = servers_info.gather(api, options, Mode(), run_all)
    names = [server["name"] for server in found.values["servers"] if is_monitored(server)]
    lists, skipped = read_servers(names, api.get_task_list, "skip", run_all)
    tasks = [
        Facts(TaskName(server, item["name"]), snapshot_of(item)) for server, items in lists.items() for item in items
    ]
    unread = 0
    if details:
        read = list(run_all(lambda task: _detailed(api, task), tasks))
        unread = read.count(None)
        tasks = [after or before for after, before in zip(read, tasks)]
    with_errors = [one.task for one in tasks if one.table_errors][:MOST_WITH_TABLES]
    tables = dict(zip(with_errors, run_all(lambda task: _tables_in_error(api, task), with_errors)))
    return Estate(
        found.values["servers"],
        tasks,
        tables,
        [*found.values["skipped_servers"], *skipped.rows],
        unread,
        found.warnings,
    )


def is_monitored(server: Json) -> bool:
    """Return whether Enterprise Manager watches a server; of one that it does not, it gives no tasks."""
    return str(server.get("state")).upper() != "NOT_MONITORED"


def _detailed(api: Api, listed: Facts) -> Facts | None:
    """Return a task with what only its details show; None if they cannot be read."""
    try:
        details = api.get_task_details(*listed.task, accept=(TASK_NOT_FOUND,))
    except (ApiError, InputError):  # a name such as ".." cannot be in a URL
        return None
    if not details:  # deleted meanwhile
        return None
    latency = total_latency(details) if listed.now.state in ACTIVE else None
    errors = counter(details, LOADS, "tables_with_error_count") or 0
    records, volume = (_rate(details, what) for what in ("records_count", "volume"))
    return Facts(listed.task, listed.now, latency.seconds if latency else None, records, volume, errors)


def _rate(details: Json, what: str) -> float | None:
    """Return the throughput at the target, of loads and of changes; None if there is none (Compose)."""
    found = [_number(details.get(group), f"target_throughput_{what}") for group in THROUGHPUT]
    known = [number for number in found if number is not None]
    return sum(known) if known else None


def _number(group: Any, name: str) -> float | None:
    """Return a number of a group of GetTaskDetails; that of changes is one level deeper."""
    value = group.get(name) if isinstance(group, dict) else None
    value = value.get("current") if isinstance(value, dict) else value
    return value if isinstance(value, (int, float)) and not isinstance(value, bool) and value >= 0 else None


def _tables_in_error(api: Api, task: TaskName) -> list[str]:
    try:
        return [str(name_in(item)) for item in api.get_table_list(*task, filters(states=("error",)))]
    except (ApiError, InputError):
        return []
