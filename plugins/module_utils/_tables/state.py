# Copyright (c) 2026, dataops.qlik_em contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is private to the collection.

"""The tables of a task: reload and resume them, one row a table, and one failing table never hides the others."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, NamedTuple

from .._client.api import Api
from .._client.checks import check_name, check_seconds
from .._client.errors import AemError, InputError, Interrupted, LoginRefused, TransportError, WaitError
from .._common.lost_answers import settled
from .._common.wait import TimedOut, wait_until
from .._fleets.fleet import counts
from .._run.result import Mode, Result
from .._tasks.control import SETTLE_LIMIT
from .._tasks.model import Seen
from .._tasks.model import seen_in as task_seen_in
from .model import SeenTable, TableName, filters, has_begun, is_due, name_in, only_loads, seen_in, verdict

METHODS = {"reloaded": "ReloadTable", "resumed": "ResumeTable"}


class Wanted(NamedTuple):
    """What is wanted of which tables; times are seconds."""

    server: str
    name: str
    state: str
    tables: list[TableName]
    wait: bool
    wait_timeout: float
    wait_sleep: float

    def subject(self, table: TableName) -> str:
        """Return how messages call a table."""
        return f'table "{table}" of task "{self.name}" on server "{self.server}"'


@dataclass
class Row:
    """What became of one table. ``after`` is None if that was not looked at, ``elapsed`` if it was not begun."""

    schema: str
    table: str
    before: str | None
    after: str | None
    changed: bool = False
    failed: bool = False
    skipped: bool = False
    error_code: str | None = None
    msg: str = ""
    hint: str = ""
    elapsed: float | None = None


class TablesError(AemError):
    """Some tables failed; the rows tell which."""


def ensure(api: Api, params: Mapping[str, Any], mode: Mode) -> Result:
    """Reload or resume tables (GetTableStatuses, then ReloadTable or ResumeTable).

    Raises AemError when all tables were tried; it carries the rows.
    """
    wanted = check_options(params)
    begin = time.monotonic()
    work = Work(api, wanted, mode)
    diff = None
    try:
        work.do()
    except AemError as failure:
        if work.rows and (mode.check or mode.diff):
            failure.facts["diff"] = _diff(wanted, list(work.rows.values()))
        raise
    rows = list(work.rows.values())
    if mode.check or mode.diff:
        diff = _diff(wanted, rows)
    elapsed = round(time.monotonic() - begin, 2)
    return Result(any(row.changed for row in rows), {**values(rows), "elapsed": elapsed}, diff)


def check_options(params: Mapping[str, Any]) -> Wanted:
    """Return the checked options; raise InputError with one clear line."""
    state, schema, table = params["state"], params["schema"], params["table"]
    if state == "reloaded" and not params["force"]:
        raise InputError("state: reloaded deletes the data at the target and loads it again: it needs force: true.")
    if (schema is None) != (table is None):
        raise InputError("schema and table name one table together: give both, or neither.")
    tables = [] if schema is None else [TableName(check_name("schema", schema), check_name("table", table))]
    for one in params["tables"] or []:
        tables.append(
            TableName(check_name("schema in tables", one["schema"]), check_name("table in tables", one["table"]))
        )
    if not tables:
        raise InputError("No table is named: give schema and table, or at least one item in tables.")
    return Wanted(
        server=check_name("server", params["server"]),
        name=check_name("name", params["name"]),
        state=state,
        tables=list(dict.fromkeys(tables)),
        wait=params["wait"],
        wait_timeout=check_seconds("wait_timeout", params["wait_timeout"]),
        wait_sleep=check_seconds("wait_sleep", params["wait_sleep"], least=0.1),
    )


class Work:
    """Sends what is due for each table, one after the other as the answers come at once; then watches all together."""

    def __init__(self, api: Api, wanted: Wanted, mode: Mode) -> None:
        self._api, self._wanted, self._mode = api, wanted, mode
        self._before: dict[TableName, SeenTable] = {}
        self._begun: dict[TableName, float] = {}
        self._failures: dict[TableName, AemError] = {}
        self.rows: dict[TableName, Row] = {}

    def do(self) -> None:
        """Do it all. Raises AemError with the rows: of what failed, or of what ended the work early."""
        self._before = self._look()
        for name in self._wanted.tables:
            state = self._before[name].state if name in self._before else None
            self.rows[name] = Row(*name, before=state, after=state)
        try:
            for name in self._wanted.tables:
                self._bring(name)
                if self._is_unreachable(name):
                    break
            if self._wanted.wait and not self._mode.check:
                self._wait()
        except AemError as failure:
            if len(self.rows) > 1:
                failure.message += f" {len(self._begun)} of {len(self.rows)} tables were begun."
            self._with_rows(failure)
            raise
        self._raise_failures()

    def _look(self) -> dict[TableName, SeenTable]:
        """Return the wanted tables as they are (GetTableStatuses); those that do not exist are missing."""
        schemas, tables = ({name[part] for name in self._wanted.tables} for part in (0, 1))
        query = filters(schemas.pop() if len(schemas) == 1 else None, tables.pop() if len(tables) == 1 else None)
        found = self._api.get_table_statuses(self._wanted.server, self._wanted.name, query)
        seen = {name_in(item): seen_in(item) for item in found}
        return {name: seen[name] for name in self._wanted.tables if name in seen}

    def _bring(self, name: TableName) -> None:
        """Send the call for one table if it is due; a failure goes to its row."""
        row = self.rows[name]
        self._begun[name] = time.monotonic()
        if name not in self._before:
            text = f'The task "{self._wanted.name}" on server "{self._wanted.server}" has no table "{name}".'
            self._fail(name, InputError(text, "These are the names on the source; upper and lower case count."))
        elif is_due(self._wanted.state, self._before[name]):
            try:
                if not self._mode.check:
                    self._send(name)
                row.changed, row.after = True, None
            except (Interrupted, LoginRefused):  # for all: to go on would lock the user's account
                del self._begun[name]
                raise
            except AemError as failure:
                self._fail(name, failure)
        self._note_time(name)

    def _send(self, name: TableName) -> None:
        call = self._api.reload_table if self._wanted.state == "reloaded" else self._api.resume_table
        try:
            with settled(lambda: self._shows_effect(name)):
                call(self._wanted.server, self._wanted.name, name.schema, name.table)
        except TransportError as lost:
            if lost.sent and self._wanted.state == "reloaded":
                lost.hint = "The call was not sent again. Look at the table; run this again if it is not being loaded."
            raise

    def _shows_effect(self, name: TableName) -> bool:
        """Return whether a call whose answer was lost has taken effect; raise AemError if that cannot be read."""
        try:
            wait_until(
                self._look,
                lambda seen: has_begun(self._before[name], seen.get(name)),
                SETTLE_LIMIT,
                self._wanted.wait_sleep,
                self._api.client.stop.pause,
            )
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

        def look() -> tuple[dict[str, Any], dict[TableName, SeenTable]]:
            # The task first: if it has stopped, what its tables do not show by now will not come.
            return self._api.get_task_details(wanted.server, wanted.name), self._look()

        def done(seen: tuple[dict[str, Any], dict[TableName, SeenTable]]) -> bool:
            task, loads, tables = task_seen_in(seen[0]), only_loads(seen[0]), seen[1]
            is_late = time.monotonic() - begin > SETTLE_LIMIT
            for name in list(pending):
                row, now = self.rows[name], tables.get(name)
                is_well = verdict(self._before[name], now, row.changed, loads, is_late)
                row.after = now.state if now else None
                if is_well is None and not task.is_stopped:
                    continue
                pending.remove(name)
                if not is_well:
                    self._fail(name, self._not_well(name, now, task if is_well is None else None))
                self._note_time(name)
            return not pending

        try:
            wait_until(look, done, wanted.wait_timeout, wanted.wait_sleep, self._api.client.stop.pause)
        except TimedOut as over:
            for name in pending:
                self._fail(name, self._timed_out(name, over.last[1].get(name) if over.last else None, over.trouble))
                self._note_time(name)

    def _not_well(self, name: TableName, seen: SeenTable | None, task: Seen | None) -> WaitError:
        """Return the failure of a table that will not be well by itself; ``task`` is given if that has stopped."""
        what = self._wanted.subject(name)
        if seen is None:
            return WaitError(f"The {what} is not among the tables of its task any more.")
        text = f"The {what} is {seen.state}"
        if self.rows[name].changed:
            text += f" after {METHODS[self._wanted.state]}"
        if task:
            text += f", and its task is {task.state}{': ' + task.message if task.message else ''}"
        return WaitError(f"{text}.", LOOK_AT_LOG)

    def _timed_out(self, name: TableName, seen: SeenTable | None, trouble: AemError | None) -> WaitError:
        limit = f"{self._wanted.wait_timeout:g} seconds"
        text = f"The {self._wanted.subject(name)} is still {seen.state if seen else 'unknown'} after {limit}."
        if self.rows[name].changed and seen and not has_begun(self._before[name], seen):
            text += f" It shows no effect of {METHODS[self._wanted.state]}."
        if trouble:
            text += f" The last look failed: {trouble}"
        return WaitError(text, f"The server goes on with it. Raise wait_timeout if it needs longer. {LOOK_AT_LOG}")

    def _fail(self, name: TableName, failure: AemError) -> None:
        row = self.rows[name]
        failure.changed = row.changed = row.changed or failure.changed
        self._failures[name] = failure
        row.failed, row.msg, row.hint = True, failure.message, failure.hint
        row.error_code = failure.facts.get("error_code")

    def _note_time(self, name: TableName) -> None:
        self.rows[name].elapsed = round(time.monotonic() - self._begun[name], 2)

    def _with_rows(self, failure: AemError) -> AemError:
        """Let a failure carry the rows."""
        for name, row in self.rows.items():
            if name not in self._begun:
                row.skipped, row.msg = True, "Not started: the run ended before."
        rows = list(self.rows.values())
        failure.facts.update(values(rows))
        failure.changed = any(row.changed for row in rows)
        return failure

    def _raise_failures(self) -> None:
        """Raise what the one table failed of, or TablesError, whose message names each with its own message."""
        if not self._failures:
            return
        if len(self.rows) == 1:
            raise self._with_rows(next(iter(self._failures.values())))
        told = " | ".join(f"{name}: {failure.message}" for name, failure in self._failures.items())
        left = len(self.rows) - len(self._begun)
        more = f" {left} were not started." if left else ""
        hint = "The rows in tables tell of each. "
        if self._wanted.state == "reloaded":
            hint += "Run this again for the failed ones only: a reload loads again what is loaded."
        else:
            hint += "Run this again: what is done stays done."
        raise self._with_rows(
            TablesError(f"{len(self._failures)} of {len(self.rows)} tables failed.{more} {told}", hint)
        )


LOOK_AT_LOG = "Look at the table and at the task's log in the console."


def values(rows: Sequence[Row]) -> dict[str, Any]:
    """Return the members of a result that tell of the rows."""
    return {"tables": [asdict(row) for row in rows], "counts": counts(rows)}


def _diff(wanted: Wanted, rows: Sequence[Row]) -> dict[str, Any]:
    """Return the state before, and what is done, of the tables that change: a reload ends where it began."""
    header = f"{wanted.server}/{wanted.name}"
    changed = {str(TableName(row.schema, row.table)): row.before for row in rows if row.changed}
    return {
        "before": changed,
        "after": dict.fromkeys(changed, wanted.state),
        "before_header": header,
        "after_header": header,
    }
