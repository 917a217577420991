# Copyright (c) 2026, dataops.qlik_em contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is private to the collection.

"""The tables of a task: reload and resume them, one row a table, and one failing table never hides the others."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Mapping
from typing import Any, NamedTuple

from .._client.api import Api, Json
from .._client.checks import check_name
from .._client.errors import AemError, InputError, Interrupted, LoginRefused, TransportError, WaitError, sentence
from .._client.nearest import CASE, did_you_mean
from .._common.lost_answers import confirm_lost_write
from .._common.rows import Row, raise_failures, values, with_rows
from .._common.times import moment
from .._common.wait import TimedOut, Waiting, check_waiting, wait_until
from .._run.result import Mode, Result, diff
from .._tasks.counters import only_loads
from .._tasks.model import TaskName, TaskSnapshot, check_task
from .._tasks.model import snapshot_of as task_snapshot_of
from .model import TableName, TableSnapshot, filters, has_begun, is_due, name_in, snapshot_of, verdict

METHODS = {"reloaded": "ReloadTable", "resumed": "ResumeTable"}
LOOK_AT_LOG = "Look at the table and at the task's log in the console."
Snapshots = dict[TableName, TableSnapshot]


class Wanted(NamedTuple):
    """What is wanted of which tables."""

    task: TaskName
    state: str
    tables: list[TableName]
    wait: bool
    waiting: Waiting

    def subject(self, table: TableName) -> str:
        """Return how messages call a table."""
        return f'table "{table}" of {self.task.subject}'


def ensure(api: Api, params: Mapping[str, Any], mode: Mode) -> Result:
    """Reload or resume tables (GetTableStatuses, then ReloadTable or ResumeTable).

    Raises AemError when all tables were tried; it carries the rows.
    """
    wanted = check_options(params)
    work = Work(api, wanted, mode)
    try:
        work.do()
    except AemError as failure:
        if work.rows:
            failure.facts["diff"] = _diff(wanted, work.rows)
        raise
    rows = list(work.rows.values())
    return Result(any(row.changed for row in rows), values("tables", rows), _diff(wanted, work.rows))


def check_options(params: Mapping[str, Any]) -> Wanted:
    """Return the checked options; raise InputError with one clear line."""
    state, schema, table = params["state"], params["schema"], params["table"]
    if state == "reloaded" and not params["force"]:
        raise InputError("state: reloaded deletes the data at the target and loads it again: it needs force: true.")
    if (schema is None) != (table is None):
        raise InputError("schema and table together name one table: give both, or neither.")
    tables = [] if schema is None else [TableName(check_name("schema", schema), check_name("table", table))]
    for one in params["tables"] or []:
        tables.append(
            TableName(check_name("schema in tables", one["schema"]), check_name("table in tables", one["table"]))
        )
    if not tables:
        raise InputError("No table is given: use schema and table, or at least one item in tables.")
    return Wanted(check_task(params), state, list(dict.fromkeys(tables)), params["wait"], check_waiting(params))


class Work:
    """Sends what is due for each table, one after the other as the answers come at once; then watches all together."""

    def __init__(self, api: Api, wanted: Wanted, mode: Mode) -> None:
        self._api, self._wanted, self._mode = api, wanted, mode
        self._before: Snapshots = {}
        self._there: list[str] | None = None  # the names of all tables, once they were asked for
        self._begun: dict[TableName, float] = {}
        self._failures: dict[TableName, AemError] = {}
        self.rows: dict[TableName, Row] = {}

    def do(self) -> None:
        """Do it all. Raises AemError with the rows: of what failed, or of what ended the work early."""
        self._before = self._read()
        for name in self._wanted.tables:
            state = self._before[name].state if name in self._before else None
            self.rows[name] = Row(name._asdict(), str(name), before=state, after=state)
        try:
            for name in self._wanted.tables:
                self._apply(name)
                if self._is_unreachable(name):
                    break
            if self._wanted.wait and not self._mode.check:
                self._wait()
        except AemError as failure:
            if len(self.rows) > 1:
                failure.message += f" Work was started on {len(self._begun)} of {len(self.rows)} tables."
            with_rows(failure, "tables", self._finished_rows())
            raise
        self._raise_failures()

    def _read(self) -> Snapshots:
        """Return the wanted tables as they are (GetTableStatuses); those that do not exist are missing."""
        schemas, tables = ({name[part] for name in self._wanted.tables} for part in (0, 1))
        query = filters(schemas.pop() if len(schemas) == 1 else None, tables.pop() if len(tables) == 1 else None)
        listed = self._api.get_table_statuses(*self._wanted.task, query)
        found = {name_in(item): snapshot_of(item) for item in listed}
        return {name: found[name] for name in self._wanted.tables if name in found}

    def _apply(self, name: TableName) -> None:
        """Send the call for one table if it is due; a failure goes to its row."""
        row, task = self.rows[name], self._wanted.task
        self._begun[name], row.started = time.monotonic(), moment()
        if name not in self._before:
            text = f'The task "{task.name}" on server "{task.server}" has no table "{name}".'
            near = did_you_mean(str(name), self._names())
            self._fail(name, InputError(text, f"{near} These are the names on the source. {CASE}".strip()))
        elif is_due(self._wanted.state, self._before[name]):
            try:
                if not self._mode.check:
                    self._send(name)
                row.changed, row.after = True, None
            except (Interrupted, LoginRefused):  # for all: to go on would lock the user's account
                del self._begun[name]
                row.started = None
                raise
            except AemError as failure:
                self._fail(name, failure)
        self._note_time(name)

    def _names(self) -> list[str]:
        """Return the names of all tables of the task; none if they cannot be read: a failure is reported already."""
        if self._there is None:
            self._there = []
            with contextlib.suppress(AemError):
                self._there = [str(name_in(item)) for item in self._api.get_table_list(*self._wanted.task, filters())]
        return self._there

    def _send(self, name: TableName) -> None:
        call = self._api.reload_table if self._wanted.state == "reloaded" else self._api.resume_table
        try:
            with confirm_lost_write(lambda: self._shows_effect(name)):
                call(*self._wanted.task, *name)
        except TransportError as lost:
            if lost.sent and self._wanted.state == "reloaded":
                lost.hint = "The call was not sent again. Look at the table, and run this again if it is not loading."
            raise

    def _shows_effect(self, name: TableName) -> bool:
        """Return whether a call whose answer was lost has taken effect; raise AemError if that cannot be read."""
        limit, sleep = self._api.client.limits.lost_effect, self._wanted.waiting.sleep
        try:
            wait_until(self._api, self._read, lambda now: has_begun(self._before[name], now.get(name)), limit, sleep)
        except TimedOut as over:
            if over.trouble:
                raise over.trouble from over
            return False
        return True

    def _is_unreachable(self, name: TableName) -> bool:
        """Return whether nothing of a call could leave: the other tables would only take their time to fail alike."""
        failure = self._failures.get(name)
        return isinstance(failure, TransportError) and not failure.sent

    def _wait(self) -> None:
        """Watch the tables until each is well or has failed, their task has stopped, or the time is over."""
        wanted, begin = self._wanted, time.monotonic()
        pending = [name for name in self._begun if name not in self._failures]
        if not pending:
            return

        def read() -> tuple[Json, Snapshots]:
            # The task first: if it has stopped, what its tables do not show by now will not come.
            return self._api.get_task_details(*wanted.task), self._read()

        def is_done(now: tuple[Json, Snapshots]) -> bool:
            details, tables = now
            task, loads = task_snapshot_of(details), only_loads(details)
            is_late = time.monotonic() - begin > self._api.client.limits.lost_effect
            for name in list(pending):
                row, table = self.rows[name], tables.get(name)
                is_well = verdict(self._before[name], table, row.changed, loads, is_late)
                row.after = table.state if table else None
                if is_well is None and not task.is_stopped:
                    continue
                pending.remove(name)
                if not is_well:
                    self._fail(name, self._not_well(name, table, task if is_well is None else None))
                self._note_time(name)
            return not pending

        try:
            wait_until(self._api, read, is_done, *wanted.waiting)
        except TimedOut as over:
            for name in pending:
                self._fail(name, self._timed_out(name, over.last[1].get(name) if over.last else None, over.trouble))
                self._note_time(name)

    def _not_well(self, name: TableName, table: TableSnapshot | None, task: TaskSnapshot | None) -> WaitError:
        """Return the failure of a table that will not be well by itself; ``task`` is given if that has stopped."""
        what = self._wanted.subject(name)
        if table is None:
            return WaitError(f"The {what} is no longer a table of its task.")
        text = f"The {what} is {table.state}"
        if self.rows[name].changed:
            text += f" after {METHODS[self._wanted.state]}"
        if task:
            text += f", and its task is {task.state}{': ' + task.message if task.message else ''}"
        return WaitError(sentence(text), LOOK_AT_LOG)

    def _timed_out(self, name: TableName, table: TableSnapshot | None, trouble: AemError | None) -> WaitError:
        limit = f"{self._wanted.waiting.timeout:g} seconds"
        text = f"The {self._wanted.subject(name)} is still {table.state if table else 'unknown'} after {limit}."
        if self.rows[name].changed and table and not has_begun(self._before[name], table):
            text += f" It shows no effect of {METHODS[self._wanted.state]}, which was sent, so changed is true."
        if trouble:
            text += f" The last reading failed: {trouble}"
        return WaitError(
            text, f"The server is still working on it. Raise wait_timeout if it needs longer. {LOOK_AT_LOG}"
        )

    def _fail(self, name: TableName, failure: AemError) -> None:
        self.rows[name].fail(failure)
        self._failures[name] = failure

    def _note_time(self, name: TableName) -> None:
        self.rows[name].elapsed = round(time.monotonic() - self._begun[name], 2)

    def _finished_rows(self) -> list[Row]:
        """Return the rows; those that were not begun say so."""
        for name, row in self.rows.items():
            if name not in self._begun:
                row.skipped, row.msg = True, "Not started: the run ended before."
        return list(self.rows.values())

    def _raise_failures(self) -> None:
        """Raise what the one table failed of, or AemError with a line for each that failed."""
        rows = self._finished_rows()
        if self._failures and len(rows) == 1:
            raise with_rows(next(iter(self._failures.values())), "tables", rows)
        if self._wanted.state == "reloaded":
            hint = "Run this again for the failed tables only: a reload would also reload the others."
        else:
            hint = "Run this again: finished tasks are not touched again."
        raise_failures("tables", rows, hint)


def _diff(wanted: Wanted, rows: Mapping[TableName, Row]) -> dict[str, Any]:
    """Return the state before, and what is done, of the tables that change: a reload ends where it began."""
    changed = {str(name): row.before for name, row in rows.items() if row.changed}
    return diff(changed, dict.fromkeys(changed, wanted.state), str(wanted.task))
