# Copyright (c) 2026, dataops.qlik_em contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is private to the collection.

"""Which tasks are meant: selectors by server, name, tag and state, and one list call for each server."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from .._client.api import Api
from .._client.checks import check_characters, check_name
from .._client.errors import InputError
from .._client.nearest import CASE, did_you_mean
from .._common.patterns import SkippedServers, find_servers, is_literal, matches, read_servers, unmatched
from .._common.rows import first
from .._tasks.model import TaskName, TaskSnapshot, snapshot_of, state_of


class Listed(NamedTuple):
    """A task as GetTaskList shows it."""

    task: TaskName
    snapshot: TaskSnapshot
    tags: frozenset[str]


class Selector(NamedTuple):
    """What must all be true of a task; None and empty sets allow everything."""

    server: str | None
    name: str | None
    tags: frozenset[str]
    states: frozenset[str]

    @property
    def text(self) -> str:
        """What messages call a task that is named literally."""
        return f'"{self.name}" on server "{self.server}"' if self.server else f'"{self.name}"'

    def selects(self, listed: Listed) -> bool:
        """Return whether the task is meant."""
        return (
            self.could_be(listed.task)
            and (not self.tags or bool(self.tags & listed.tags))
            and (not self.states or listed.snapshot.state in self.states)
        )

    def could_be(self, task: TaskName) -> bool:
        """Return whether server and name fit, whatever the task's tags and state."""
        return (self.server is None or matches(task.server, self.server)) and (
            self.name is None or matches(task.name, self.name)
        )


class Selectors:
    """Many selectors; those that name a task literally are looked up, as there may be thousands."""

    def __init__(self, selectors: Sequence[Selector]) -> None:
        self._literal: dict[str, list[Selector]] = {}
        self._patterns: list[Selector] = []
        for one in selectors:
            if one.name is not None and is_literal(one.name):
                self._literal.setdefault(one.name, []).append(one)
            else:
                self._patterns.append(one)

    def select(self, listed: Listed) -> bool:
        """Return whether one of them selects the task."""
        return any(one.selects(listed) for one in (*self._literal.get(listed.task.name, ()), *self._patterns))

    def unknown(self, tasks: Iterable[TaskName], unread: Sequence[str]) -> list[Selector]:
        """Return those that name literally a task that is not among ``tasks``, nor can be on an ``unread`` server."""
        found = {one for task in tasks for one in self._literal.get(task.name, ()) if one.could_be(task)}
        return [
            one
            for selectors in self._literal.values()
            for one in selectors
            if one not in found and not any(one.server is None or matches(server, one.server) for server in unread)
        ]


class Selection(NamedTuple):
    """The tasks that were found, the servers that could not be read, and what the caller should know of both."""

    tasks: list[Listed]
    skipped: SkippedServers
    warnings: list[str]


def read_selectors(option: str, given: Iterable[Mapping[str, Any]] | None) -> list[Selector]:
    """Return the selectors in an option; raise InputError for one that is empty, and so would mean everything."""
    selectors = []
    for one in given or []:
        if not any(one.get(key) for key in ("server", "name", "tag", "state")):
            raise InputError(f'An empty selector in {option} would select every task: write server: "*" for that.')
        selectors.append(
            Selector(
                server=check_name(f"server in {option}", one["server"]) if one.get("server") is not None else None,
                name=check_name(f"name in {option}", one["name"]) if one.get("name") is not None else None,
                tags=frozenset(check_characters(f"tag in {option}", tag) for tag in one.get("tag") or ()),
                states=frozenset(state_of(state) for state in one.get("state") or ()),
            )
        )
    return selectors


def select(
    api: Api,
    include: Sequence[Selector],
    exclude: Sequence[Selector],
    on_server_error: str,
    run_all: Callable[[Callable[[str], Any], Iterable[str]], Iterable[Any]],
) -> Selection:
    """Return the tasks that one of ``include`` selects and none of ``exclude``, in the order of the servers' lists.

    ``on_server_error`` is what to do with a server that cannot be read: ``fail`` or ``skip``. ``run_all`` reads several
    servers at a time. Raises InputError if a task that is named literally does not exist.
    """
    servers = find_servers(api, [one.server for one in include])
    found, skipped = read_servers(servers, lambda server: list_tasks(api, server), on_server_error, run_all)
    listed = [one for tasks in found.values() for one in tasks]
    wanted, unwanted = Selectors(include), Selectors(exclude)
    there = [one.task for one in listed]
    unread = [row["server"] for row in skipped.rows]
    _refuse_unknown(wanted.unknown(there, unread), there)
    notes = [*_unmatched_servers("include", include, servers), *_unmatched_servers("exclude", exclude, servers)]
    idle = [
        one for one in unwanted.unknown(there, unread) if one.server is None or not unmatched([one.server], servers)
    ]
    notes += [f"exclude names a task that does not exist: {one.text}. {_nearest(one, there)}".strip() for one in idle]
    tasks = [one for one in listed if wanted.select(one) and not unwanted.select(one)]
    return Selection(tasks, skipped, skipped.warnings + first(notes))


def list_tasks(api: Api, server: str) -> list[Listed]:
    """Return all tasks of a server (GetTaskList)."""
    return [
        Listed(TaskName(server, item["name"]), snapshot_of(item), frozenset(item.get("assigned_tags") or ()))
        for item in api.get_task_list(server)
    ]


class RecentLists:
    """The tasks of servers, read again when what was read is too old. Safe for threads."""

    def __init__(self, api: Api) -> None:
        self._api = api
        self._guard = threading.Lock()
        self._locks: dict[str, threading.Lock] = {}
        self._read: dict[str, tuple[float, dict[TaskName, TaskSnapshot]]] = {}

    def read(self, task: TaskName, age: float) -> TaskSnapshot | None:
        """Return a task as it was at most ``age`` seconds ago; None if its server does not list it."""
        server = task.server
        with self._guard:
            lock = self._locks.setdefault(server, threading.Lock())
        with lock:  # who comes second takes what the first has read
            as_of, tasks = self._read.get(server, (0.0, {}))
            if not tasks or time.monotonic() - as_of >= age:
                as_of = time.monotonic()
                tasks = {listed.task: listed.snapshot for listed in list_tasks(self._api, server)}
                self._read[server] = as_of, tasks
            return tasks.get(task)


def _unmatched_servers(option: str, selectors: Sequence[Selector], servers: Sequence[str]) -> list[str]:
    """Return a warning for each server in ``option`` that is none of ``servers``: as it seems, a typing mistake."""
    names = dict.fromkeys(one.server for one in selectors if one.server is not None)
    where = "that include means " if option == "exclude" else ""
    return [
        f'No server {where}matches "{name}" in {option}. {did_you_mean(name, servers)}'.strip()
        for name in unmatched(names, servers)
    ]


def _refuse_unknown(missing: Sequence[Selector], there: Sequence[TaskName]) -> None:
    """Raise InputError for literal names that no task has: a typing mistake, and its task would be forgotten."""
    if missing:
        hint = f"{_nearest(missing[0], there)} {CASE}".strip()
        where = ", ".join(first([one.text for one in missing]))
        raise InputError(f"include names tasks that do not exist: {where}.", hint)


def _nearest(selector: Selector, there: Sequence[TaskName]) -> str:
    return did_you_mean(str(selector.name), (task.name for task in there))
