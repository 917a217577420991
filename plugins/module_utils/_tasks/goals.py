# Copyright (c) 2026, dataops.qlik_em contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is private to the collection.

"""How far a start is followed (option ``wait_for``): up and running, done, loaded, or near its source."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from .._client.api import Api
from .._client.errors import AemError, ApiError, WaitError
from .._common.rows import first
from .model import ACTIVE, TaskName, TaskSnapshot
from .operation import FINISHED, LATENCY, LOADED, RUNNING, Operation

# All flags are certain to mean all tables (docs/enterprise_manager_api.md, 6.25).
ALL_TABLES = {f"include{kind}": "true" for kind in ("queued", "loading", "completed", "changeprocessing", "error")}
INFO = "table_full_load_info"
DONE, LOADED_ONLY, IN_ERROR = "TABLE_CHANGE_PROCESSING", "TABLE_COMPLETED", "TABLE_ERROR"
LOOK_AT_TABLES = "Look at the tables and at the task's log in the console; aem_table reloads or resumes tables."


class Goal:
    """Whether one start has come as far as it is followed; asked with each reading of the task, in turn."""

    def __init__(self, api: Api, task: TaskName, operation: Operation) -> None:
        self._api, self._task, self._operation = api, task, operation
        self._in_a_row = 0  # readings that showed what is waited for

    def is_ended_well(self, snapshot: TaskSnapshot) -> bool:
        """Return whether a stopped task, whose run has begun, is what is waited for."""
        operation = self._operation
        if operation.wait_for == LATENCY:
            return False
        if operation.makes_tables or operation.wait_for != RUNNING or snapshot.is_compose:
            has_ended = snapshot.may_have_finished(operation.makes_tables)
        else:
            has_ended = snapshot.has_finished
        if has_ended and operation.wait_for == LOADED:
            return self._tables(snapshot).check(self._task, snapshot)
        return has_ended

    def is_reached(self, snapshot: TaskSnapshot) -> bool:
        """Return whether a task that is not stopped is what is waited for. Raises WaitError if it cannot be any more.

        The counters and tables of the run before may be shown for a moment: several readings must agree.
        """
        operation = self._operation
        if operation.makes_tables or operation.wait_for == FINISHED:
            return False
        if operation.wait_for == RUNNING:
            return snapshot.is_up if operation.wait else snapshot.state in ACTIVE
        work = snapshot.work
        is_near = snapshot.is_up and not (work and work.is_loading)
        if is_near and operation.wait_for == LATENCY:
            is_near = bool(work and work.latency and work.latency.is_at_most(operation.max_latency))
        tables = self._tables(snapshot) if is_near and operation.wait_for == LOADED else None
        self._in_a_row = self._in_a_row + 1 if is_near and (not tables or tables.are_quiet) else 0
        if self._in_a_row < self._api.client.limits.stable_readings:
            return False
        return tables.check(self._task, snapshot) if tables else True

    def _tables(self, snapshot: TaskSnapshot) -> Tables:
        done = [DONE] if snapshot.work and snapshot.work.only_loads is False else [DONE, LOADED_ONLY]
        states = {
            f"{item.get('schema')}.{item.get('table')}": str(item.get("state")).upper()
            for item in self._api.get_table_list(*self._task, ALL_TABLES)
        }
        failed = [name for name, state in states.items() if state == IN_ERROR]
        # Of a task without tables in the list the counters decide.
        counted = snapshot.work.tables_completed if snapshot.work else 0
        is_known = bool(states) or bool(counted)
        return Tables(is_known and all(state in (*done, IN_ERROR) for state in states.values()), failed)


def missing(operation: Operation) -> str:
    """Return what a task that ran into the time-out has not done."""
    if operation.makes_tables:
        return "has not created its tables and stopped"
    if operation.wait_for == LATENCY:
        return f"has not reached a latency of {operation.max_latency:g} s (max_latency)"
    return "has not loaded all its tables" if operation.wait_for == LOADED else "has not finished"


def load_times(api: Api, task: TaskName) -> list[str]:
    """Return when each table was loaded last; empty if that cannot be read."""
    try:
        statuses = api.get_table_statuses(*task, ALL_TABLES)
    except ApiError:
        return []
    return sorted(f"{item.get('schema_on_source')} {item.get('table_on_source')} {item.get(INFO)}" for item in statuses)


class Tables(NamedTuple):
    """The tables of a task: whether none of them is on its way, and which ones are in error."""

    are_quiet: bool
    in_error: list[str]

    def check(self, task: TaskName, snapshot: TaskSnapshot) -> bool:
        """Return whether all are loaded; raise WaitError if some are in error."""
        if not self.in_error:
            return self.are_quiet
        names = ", ".join(first(sorted(self.in_error)))
        raise WaitError(
            f"The {task.subject} has loaded its tables, but {len(self.in_error)} of them are in error: {names}.",
            LOOK_AT_TABLES,
            task=snapshot.view(task),
        )


def check_possible(
    task: TaskName, operation: Operation, current: TaskSnapshot | None, read: Callable[[], TaskSnapshot]
) -> TaskSnapshot:
    """Raise AemError, before anything is sent, for what only a task of Replicate can do, and not each of them.

    Returns the task as its details show it, from ``current`` or by ``read``.
    """
    shown = current if current and current.work else read()
    work = shown.work
    option = operation.run_option.lower()
    if work and work.is_compose:
        asked = (
            f"wait_for: {operation.wait_for}" if operation.wait_for in (LOADED, LATENCY) else f"run_option: {option}"
        )
        asked = "state: reloaded" if operation.state == "reloaded" else asked
        raise AemError(
            f"{asked} is for Replicate tasks only, but the {task.subject} is a Compose task. Nothing was sent.",
            "Compose tasks and workflows are started and restarted without run_option; wait_for: finished waits "
            "until they are done.",
        )
    if work and work.only_loads and operation.wait_for == LATENCY:
        raise AemError(
            f"The {task.subject} captures no changes, so it has no latency. Nothing was sent.",
            "Use wait_for: finished for a task that only loads.",
        )
    return shown
