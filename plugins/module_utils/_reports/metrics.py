# Copyright (c) 2026, dataops.qlik_em contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is private to the collection.

"""A file of metrics for Prometheus: what can be read of servers and tasks, and that something could not be read."""

from __future__ import annotations

import functools
import time
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from .._client.api import Api, Json
from .._client.checks import check_characters, check_count, check_name
from .._client.connection import STANDARD_PATH
from .._client.errors import AemError, ApiError, InputError, Interrupted, TransportError
from .._common.file_modes import Access, check_access
from .._common.files import FileChange, check_place, ensure_copy, scratch_file
from .._common.missing import missing_names, missing_servers, warnings_of
from .._common.parallel import map_parallel
from .._common.patterns import RunAll, find_servers, is_selected
from .._common.rows import first
from .._fleets.options import MOST_PARALLEL
from .._run.result import Mode, Result
from .._servers.model import in_one_spelling
from .._tasks.model import TASK_NOT_FOUND, TaskName, state_of
from .metrics_of_tasks import USED
from .metrics_text import metrics_lines
from .metrics_values import Scrape, Server, Task


class _Wanted(NamedTuple):
    """Which tasks of which servers, and whether their details are read."""

    servers: list[str]
    names: list[str]
    tags: frozenset[str]
    details: bool


class _Found(NamedTuple):
    """What could be read: ``failures`` are those of servers, ``notes`` what the caller should know beside them."""

    servers: list[Server]
    tasks: list[Task]
    failures: dict[str, AemError]
    notes: list[str]


class _Listed(NamedTuple):
    """A server, what GetTaskList shows of it, and why one of both is missing."""

    server: Server
    items: list[Json]
    failure: AemError | None


def write(api: Api, params: Mapping[str, Any], mode: Mode) -> Result:
    """Make the file ``dest`` hold the metrics of this moment.

    Raises what reading raises, if Enterprise Manager itself cannot be read; then the file says that, and nothing else.
    A server or a task that cannot be read is not a failure: the metrics and a warning say so.
    """
    wanted, access, dest = _wanted(params), check_access(params), params["dest"]
    check_count("parallel", params["parallel"], MOST_PARALLEL)
    check_place("dest", dest)
    keep = functools.partial(_keep, installation(api.client.address), dest, access, mode)
    begin, started = time.time(), time.monotonic()
    try:
        found = _read(api, wanted, params["parallel"])
    except (InputError, Interrupted):
        raise
    except AemError as failure:
        _keep_failure(failure, dest, lambda: keep(_scrape(False, begin, started), [], []))
        raise
    mask = api.client.masked  # a server may show a secret anywhere, and whoever can reach node_exporter sees the file
    servers = [one._replace(name=mask(one.name), details=mask(one.details)) for one in found.servers]
    tasks = [one._replace(server=mask(one.server), name=mask(one.name)) for one in found.tasks]
    change = keep(_scrape(True, begin, started), servers, tasks)
    return Result(change.changed, _values(dest, found), change.diff, [*_warnings(found), *change.warnings])


def installation(address: str) -> str:
    """Return what labels call the Enterprise Manager at an address: its host, with what is not usual about the rest."""
    return address.removeprefix("https://").removesuffix(STANDARD_PATH)


def _wanted(params: Mapping[str, Any]) -> _Wanted:
    """Return the checked selection; raise InputError."""
    return _Wanted(
        [check_name("server", server) for server in params["server"] or []],
        [check_name("name", name) for name in params["name"] or []],
        frozenset(check_characters("tag", tag) for tag in params["tag"] or []),
        params["details"],
    )


def _scrape(success: bool, begin: float, started: float) -> Scrape:
    return Scrape(success, round(begin, 3), round(time.monotonic() - started, 3))


def _keep(
    em: str, dest: str, access: Access, mode: Mode, scrape: Scrape, servers: list[Server], tasks: list[Task]
) -> FileChange:
    """Make the file hold the metrics; of tens of thousands of tasks, the text alone would fill the memory."""
    with scratch_file("dest", dest) as text:
        text.writelines(line.encode() for line in metrics_lines(em, scrape, servers, tasks))
        return ensure_copy("dest", dest, text, mode, access=access)


def _keep_failure(failure: AemError, dest: str, keep: Callable[[], FileChange]) -> None:
    """Write the file of a run that failed, and note in its failure what became of it."""
    try:
        change = keep()
    except InputError as unwritten:
        failure.lines = [*failure.lines, unwritten.message]
        return
    failure.changed = change.changed
    failure.warnings += change.warnings
    if change.diff is not None:
        failure.facts["diff"] = change.diff
    failure.facts["dest"] = dest


def _read(api: Api, wanted: _Wanted, parallel: int) -> _Found:
    """Return what can be read of the selection.

    Raises AemError if Enterprise Manager itself cannot be read: the list of servers, a refused login, no connection.
    """
    run_all: RunAll = functools.partial(map_parallel, parallel=parallel, abandon=api.client.interrupt.abandon)
    names = find_servers(api, wanted.servers)
    read = list(run_all(lambda name: _read_server(api, name), names))
    failures = {one.server.name: one.failure for one in read if one.failure}
    silent = [failure for failure in failures.values() if isinstance(failure, TransportError)]
    if silent and len(silent) == len(names) and not any(one.server.details for one in read):
        # it is not the servers that do not answer
        raise silent[0]
    tasks = [
        Task(one.server.name, item["name"], state_of(item["state"]), {})
        for one in read
        for item in one.items
        if is_selected(item["name"], wanted.names)
        and (not wanted.tags or wanted.tags & set(item.get("assigned_tags") or ()))
    ]
    notes = warnings_of(missing_servers(wanted.servers, names))
    if names and not failures:  # a task may be on a server that could not be read
        there = [item["name"] for one in read for item in one.items]
        notes += warnings_of(missing_names("task", wanted.names, there))
    servers = [one.server for one in read]
    if wanted.details:
        tasks, unread, reasons = _with_details(api, tasks, run_all)
        servers = [one._replace(unread=unread.get(one.name, 0) if one.is_up else None) for one in servers]
        notes += reasons
    return _Found(servers, tasks, failures, notes)


def _is_of_one(failure: AemError) -> bool:
    """Return whether a failure is one of the server or the task that was asked for, not of Enterprise Manager.

    An answer that does not come in time is: Enterprise Manager may wait for the server. A connection that cannot be
    made is not.
    """
    if isinstance(failure, (ApiError, InputError)):  # InputError: a name such as "..", which cannot be in a URL
        return True
    return isinstance(failure, TransportError) and failure.sent and not failure.final


def _read_server(api: Api, name: str) -> _Listed:
    """Return a server with its list of tasks, as far as both can be read."""
    failure, details, items = None, {}, []
    try:
        details = in_one_spelling({"name": name, **api.get_server_details(name)})
    except AemError as error:
        if not _is_of_one(error):
            raise
        failure = error
    is_up = True
    try:
        items = api.get_task_list(name)
    except AemError as error:
        if not _is_of_one(error):
            raise
        failure, is_up = error, False
    return _Listed(Server(name, is_up, details, None), items, failure)


def _with_details(api: Api, tasks: list[Task], run_all: RunAll) -> tuple[list[Task], dict[str, int], list[str]]:
    """Return the tasks with their details, how many could not be read, by server, and why not.

    A task that has been deleted meanwhile is left out.
    """
    lost: dict[str, AemError] = {}  # by server; the first answer that did not come is the last that is waited for

    def read(task: Task) -> Task | AemError | None:
        if task.server in lost:
            return lost[task.server]
        try:
            details = api.get_task_details(task.server, task.name, accept=(TASK_NOT_FOUND,))
        except AemError as failure:
            if not _is_of_one(failure):
                raise
            if isinstance(failure, TransportError):
                lost[task.server] = failure
            return failure
        used = {member: value for member, value in details.items() if member in USED}
        return task._replace(state=state_of(details["state"]), details=used) if details else None

    kept: list[Task] = []
    unread: dict[str, int] = {}
    reasons: list[str] = []
    for task, answer in zip(tasks, run_all(read, tasks)):
        if isinstance(answer, AemError):
            unread[task.server] = unread.get(task.server, 0) + 1
            reasons.append(f"{TaskName(task.server, task.name)} could not be read in full: {answer.message}")
        if answer is not None:
            kept.append(task if isinstance(answer, AemError) else answer)
    return kept, unread, first(reasons)


def _values(dest: str, found: _Found) -> dict[str, Any]:
    """Return what the result shows."""
    unread = sum(server.unread or 0 for server in found.servers)
    counts = {
        "servers": len(found.servers),
        "servers_down": sum(not server.is_up for server in found.servers),
        "tasks": len(found.tasks),
        "tasks_unread": unread,
    }
    rows = [{"server": server, "msg": error.message, **error.facts} for server, error in found.failures.items()]
    return {"dest": dest, "counts": counts, "skipped_servers": rows}


def _warnings(found: _Found) -> list[str]:
    lines = [f'Server "{server}" could not be read: {error.message}' for server, error in found.failures.items()]
    return [*first(lines), *found.notes]
