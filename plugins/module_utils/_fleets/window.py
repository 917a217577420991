# Copyright (c) 2026, dataops.qlik_em contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is private to the collection.

"""A maintenance window: record what runs, stop it, and start exactly that again."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from .._client.api import Api
from .._client.checks import check_text
from .._client.errors import AemError, ApiError, InputError, TransportError
from .._common.clock import server_time
from .._common.parallel import map_parallel
from .._common.rows import Row, first, rows_on_failure, values
from .._common.times import time_at
from .._common.wait import TimedOut, check_waiting, wait_until
from .._run.result import Mode, Result
from .._tasks.model import KNOWN_STATES
from .._tasks.operation import Operation, check_timeout
from .._tasks.stop_policy import StopPolicy
from . import second_look, window_notes
from .batch import NO_SELECTOR, journaled, read_selection
from .checkpoint import FREEZING, FROZEN, OPEN, RECORDED, RESTORED, RESTORING, Checkpoint, RecordedTask
from .checkpoint_store import STARTED, CheckpointStore
from .fleet import Fleet, Job, raise_task_failures, states_diff
from .journal import Journal, JournalState, UnconfirmedWrite, read_journal
from .options import check_limits, check_start_when, check_stop_policy
from .restart_points import SAFE_POINT, LastReadings, check_margin, from_safe_points, read_latencies
from .results import ALL_DONE, with_results
from .second_look import ServerStatus
from .selection import list_tasks, read_selectors
from .waves import WavesOption, check_waves, order_values, show_order, sort_into_waves

NOT_CONNECTED = "AEM_SERVER_NOT_CONNECTED"


class Step(NamedTuple):
    """One half of a window: the state that its tasks get, and the phases of the window meanwhile and afterwards."""

    state: str
    begun: str
    done: str


FREEZE, RESTORE = Step("stopped", FREEZING, FROZEN), Step(STARTED, RESTORING, RESTORED)


def ensure(api: Api, params: Mapping[str, Any], mode: Mode) -> Result:
    """Do one step of a maintenance window. Each may be repeated, also after a crash. Raises AemError with the rows."""

    def work() -> Result:
        window = Window(api, params, mode)  # checks the options before anything is locked or sent
        steps = {"recorded": window.record, "frozen": window.freeze, "restored": window.restore}
        with window.alone():
            return steps[params["state"]]()

    return with_results(api, params, mode, work)


class Window:
    """The window that the options describe; raises InputError for what can be seen to be wrong in them."""

    def __init__(self, api: Api, params: Mapping[str, Any], mode: Mode) -> None:
        self._api, self._params, self._mode = api, params, mode
        for line in params["next_steps"] or []:
            check_text("next_steps", line)
        is_record, has_document = params["state"] == "recorded", params["checkpoint"] is not None
        if is_record and has_document:
            raise InputError("checkpoint cannot be used with state: recorded, which creates one.")
        if not is_record and not params["checkpoint"] and bool(params["path"]) == has_document:
            empty = " checkpoint is empty." if has_document else ""
            raise InputError(f"state: {params['state']} needs either path or checkpoint.{empty}")
        self._limits, self._policy = check_limits(params), check_stop_policy(params)
        self._timeout, self._waiting = check_timeout(params), check_waiting(params)
        self._start_when, self._margin = check_start_when(params), check_margin(params)
        self._store = CheckpointStore(params["path"], api.client.address, mode.check)
        self._path = self._store.path
        self._waves = check_waves(params)
        if is_record:
            for option in ("include", "exclude"):
                read_selectors(option, params[option])
            if not params["include"]:
                raise InputError(NO_SELECTOR)
            self._store.load()
        else:
            self._store.given(params["checkpoint"])

    def alone(self) -> contextlib.AbstractContextManager[None]:
        """Keep a second run off the same checkpoint."""
        return self._store.alone()

    def record(self) -> Result:
        """Note which of the selected tasks run. Of a window that is open, what was noted stays as it is."""
        api, params, path = self._api, self._params, self._path
        selectors = _selection_of(params, self._waves)
        old = self._store.load()
        if old and old.phase in OPEN:
            if old.selection != selectors:
                raise InputError(
                    f"The window in {path} has been open since {old.recorded} and was recorded for another "
                    "selection. Restore it before you record another one."
                )
            note = f"The window in {path} has been open since {old.recorded}: its record is kept."
            return Result(
                values=window_notes.recorded_values(old), diff=window_notes.diff_of_records(old, old), warnings=[note]
            )
        if old and old.phase == RECORDED:
            self._check_all_back(old)
        selection = read_selection(api, params, self._limits)
        waves = sort_into_waves(api, selection.tasks, self._waves, self._limits)
        show_order(self._mode, waves)
        tasks = tuple(
            RecordedTask(*listed.task, listed.snapshot.state, number)
            for number, wave in enumerate(waves.tasks, start=1)
            for listed in wave
        )
        new = Checkpoint(api.client.address, time_at(server_time(api.client)), RECORDED, selectors, tasks)
        warnings = selection.warnings + waves.warnings
        warnings += [
            f"{recorded.task} is in the state {recorded.state}, which this collection does not know: it is left alone."
            for recorded in tasks
            if recorded.state not in KNOWN_STATES
        ]
        if old and old.phase == RESTORED:
            warnings += window_notes.stopped_since(old, new)
        if old and old.phase == RECORDED and (set(old.tasks), old.selection) == (set(new.tasks), new.selection):
            outcome = {**window_notes.recorded_values(old), **order_values(waves)}
            return Result(values=outcome, diff=window_notes.diff_of_records(old, old), warnings=warnings)
        readings, notes = read_latencies(api, [one.task for one in tasks if one.ran], self._limits, self._mode)
        new, warnings = new._replace(readings=readings), warnings + notes
        if path:
            if not old:
                self._store.check_missing()
            warnings += self._store.begin(new)
        outcome = {**window_notes.recorded_values(new), **order_values(waves)}
        return Result(bool(path), outcome, window_notes.diff_of_records(old, new), warnings)

    def freeze(self) -> Result:
        """Stop what the checkpoint says ran, wave by wave, and make sure that it is stopped."""
        checkpoint = self._store.given(self._params["checkpoint"])
        if checkpoint.phase == RESTORED:
            raise InputError(f"The window of {checkpoint.recorded} is over. Record a new one.")
        with self._reporting(FREEZE):
            return self._move(FREEZE, checkpoint, checkpoint.waves, self._policy)

    def restore(self) -> Result:
        """Start exactly what ran, the last wave first. A window that is over is left alone."""
        checkpoint = self._store.given(self._params["checkpoint"])
        if checkpoint.phase == RESTORED:
            note = f"The window of {checkpoint.recorded} is over: its tasks were started again before."
            return Result(values={"checkpoint": checkpoint.document(), **values("tasks", [])}, warnings=[note])
        with self._reporting(RESTORE):
            return self._move(RESTORE, checkpoint, checkpoint.waves[::-1], StopPolicy())

    @contextlib.contextmanager
    def _reporting(self, step: Step) -> Iterator[None]:
        """Let a failure say what somebody needs to know at night: what failed, where the checkpoint is, what to do.

        The latter two are shown at the beginning, too: after Ctrl-C, Ansible shows nothing more of what a task says.
        """
        end = [f"The checkpoint is {self._path or 'the one that was given'}", *self._next_steps(step)]
        if not self._mode.check:
            for line in ("If this run ends early:", *end):
                self._mode.progress(line)
        try:
            yield
        except AemError as failure:
            failure.lines += end
            failure.hint = ""
            raise

    def _next_steps(self, step: Step) -> list[str]:
        """Return how to go on, in the words of whoever has called the module."""
        if self._params["next_steps"]:
            return list(self._params["next_steps"])
        source = f"path: {self._path}" if self._path else "the same checkpoint"
        if step == RESTORE:
            if self._params["from"] == SAFE_POINT:  # else the rest would be resumed where it stopped
                source += f", from: {SAFE_POINT}, restart_margin: {self._params['restart_margin']}, force: true"
            return [f"To continue, run it again with state: restored, {source}"]
        return [
            f"To continue, run it again with state: frozen, {source}",
            f"To go back, run it with state: restored, {source}",
        ]

    def _move(
        self, step: Step, checkpoint: Checkpoint, waves: Sequence[Sequence[RecordedTask]], policy: StopPolicy
    ) -> Result:
        """Stop or start the tasks of the waves, as the step says."""
        mode, as_of = self._mode, time.monotonic()
        names = dict.fromkeys(recorded.server for recorded in checkpoint.tasks)
        servers = self._read_servers(names, is_patient=step == RESTORE and not mode.check)
        rows, jobs = self._plan(step, waves, servers, as_of)
        phase, is_safe = checkpoint.phase, step == RESTORE and self._params["from"] == SAFE_POINT
        if is_safe:
            jobs = self._from_safe_points(jobs, checkpoint)
        checkpoint = checkpoint._replace(phase=step.begun)
        warnings = self._store.save(checkpoint)
        if step == RESTORE:
            warnings += window_notes.started_meanwhile(checkpoint, servers)
        with journaled(self._api, self._store.journal, step.state, mode) as (api, journal_state, journal):
            readings = LastReadings(self._api, checkpoint.readings)
            try:
                if step == RESTORE:
                    journal_state = self._with_unseen_stops(checkpoint, phase, journal_state)
                start_when, before_stop = (self._start_when, None) if step == RESTORE else (None, readings.refresh)
                fleet = Fleet(
                    api, mode, self._limits, policy, journal_state, journal, start_when, before_stop, warnings.append
                )
                rows += fleet.run(jobs, step.state)
                if step == RESTORE:
                    window_notes.explain(rows, is_safe, jobs)
                if not mode.check:
                    warnings += self._look_again(step, checkpoint, rows, api, journal)
                raise_task_failures(rows)
            except AemError as failure:
                failure.warnings += warnings
                if readings.found != checkpoint.readings:
                    with contextlib.suppress(InputError):  # the earlier ones are true, too
                        self._store.save(checkpoint._replace(readings=readings.found))
                raise
            if journal:
                with rows_on_failure("tasks", rows, ALL_DONE):
                    journal.note("end")
        checkpoint = checkpoint._replace(phase=step.done, readings=readings.found)
        with rows_on_failure("tasks", rows, ALL_DONE):
            self._store.save(checkpoint)
        outcome = {"checkpoint": checkpoint.document(), **values("tasks", rows)}
        return Result(any(row.changed for row in rows), outcome, states_diff(rows), warnings)

    def _from_safe_points(self, jobs: Sequence[Sequence[Job]], checkpoint: Checkpoint) -> list[list[Job]]:
        """Return the jobs with starts from the safe restart points; raise InputError if a task has none."""
        api, path = self._api, self._store.journal
        journal_state = read_journal(path, api.client.address, RESTORE.state) if path else JournalState()
        stopping = self._with_unseen_stops(checkpoint, checkpoint.phase, journal_state).unconfirmed
        return from_safe_points(jobs, checkpoint.readings, self._margin, stopping, server_time(api.client))

    def _with_unseen_stops(self, checkpoint: Checkpoint, phase: str, state: JournalState) -> JournalState:
        """Return what is known of the writes of the freeze before, also without a journal of a freeze that did not end.

        Then a stop may be on its way to each task that ran, unseen (docs/enterprise_manager_api.md, 8.2). A checkpoint
        that was handed on does not show whether the freeze was begun, nor whether it had ended before a restore.
        """
        is_handed_on = phase in (RECORDED, RESTORING) and not self._path
        is_unseen = is_handed_on or (phase == FREEZING and state.has_ended)
        if not is_unseen:
            return state
        stop = UnconfirmedWrite("StopTask", time.monotonic(), goes_on=phase == FREEZING)
        ran = {recorded.task: stop for wave in checkpoint.waves for recorded in wave}
        return state._replace(unconfirmed={**ran, **state.unconfirmed})

    def _look_again(
        self, step: Step, checkpoint: Checkpoint, rows: Sequence[Row], api: Api, journal: Journal | None
    ) -> list[str]:
        """Read the servers again and correct the rows by what has happened meanwhile; return what is to be known."""
        with rows_on_failure("tasks", rows):
            servers = self._read_again(rows)
            second_look.note_deleted(rows, servers)
            if step == RESTORE:
                recovering = {recorded.task for recorded in checkpoint.tasks if recorded.state == "RECOVERY"}
                second_look.note_stopped_again(rows, servers, recovering)
                return second_look.unread(servers)
            as_of = time.monotonic()
            found = second_look.restarted(rows, servers)
            if self._params["on_restart"] == "report":
                for row, now in found:
                    row.after, row.msg = now.state, second_look.LEFT_RUNNING
                return second_look.unread(servers) + [f"{row.label} is {now.state}: {row.msg}" for row, now in found]
            if found:
                tasks = {str(recorded.task): recorded for recorded in checkpoint.tasks}
                jobs = [
                    Job(recorded.task, self._operation(step, recorded), now, as_of)
                    for row, now in found
                    for recorded in [tasks[row.label]]
                ]
                fleet = Fleet(api, self._mode, self._limits, self._policy, JournalState(), journal)
                for (row, _now), again in zip(found, fleet.run([jobs], "stopped again")):
                    window_notes.take_over(row, again)
                stopped = [row for row, _now in found]
                for row, now in second_look.restarted(stopped, self._read_again(stopped)):
                    row.after, row.failed, row.msg = now.state, True, second_look.UNSTOPPABLE
                    row.hint = "Stop what starts it, then run this again."
            return second_look.unread(servers)

    def _read_again(self, rows: Sequence[Row]) -> dict[str, ServerStatus]:
        """Read the servers of the tasks that were worked at."""
        return self._read_servers(dict.fromkeys(row.names["server"] for row in rows if not row.skipped), False)

    def _plan(
        self,
        step: Step,
        waves: Sequence[Sequence[RecordedTask]],
        servers: Mapping[str, ServerStatus],
        as_of: float,
    ) -> tuple[list[Row], list[list[Job]]]:
        """Return the rows of the tasks that cannot be moved, and the jobs for the others, wave by wave."""
        rows: list[Row] = []
        jobs: list[list[Job]] = []
        for wave in waves:
            jobs.append([])
            for recorded in wave:
                status = servers[recorded.server]
                row = window_notes.unmovable(recorded, status)
                if row:
                    rows.append(row)
                elif isinstance(status, dict):
                    operation = self._operation(step, recorded)
                    jobs[-1].append(Job(recorded.task, operation, status[recorded.name], as_of))
        return rows, jobs

    def _operation(self, step: Step, recorded: RecordedTask) -> Operation:
        # One that was retrying when the window began need not come further than that.
        wait = step == FREEZE or recorded.state != "RECOVERY"
        return Operation(step.state, self._timeout, wait, self._waiting)

    def _read_servers(self, names: Iterable[str], is_patient: bool) -> dict[str, ServerStatus]:
        """Return how the tasks are now, by server. ``is_patient``: a server that is not connected yet is waited for."""
        api = self._api
        limit = self._waiting.timeout if is_patient else 0

        def read(server: str) -> ServerStatus:
            try:
                return {listed.task.name: listed.snapshot for listed in list_tasks(api, server)}
            except ApiError as error:
                return error

        def is_connected(status: ServerStatus) -> bool:
            return not (isinstance(status, ApiError) and status.error_code == NOT_CONNECTED)

        def await_connection(server: str) -> ServerStatus:
            try:
                return wait_until(api, lambda: read(server), is_connected, limit, self._waiting.sleep)
            except TimedOut as over:
                return over.last or over.trouble or TransportError(f'Server "{server}" cannot be read.')
            except TransportError as error:
                return error

        servers = list(names)
        answers = map_parallel(await_connection, servers, self._limits.parallel, api.client.interrupt.abandon)
        return dict(zip(servers, answers))

    def _check_all_back(self, old: Checkpoint) -> None:
        """Raise InputError if a task that ran is not back: it may have been stopped without the file.

        What is recorded now would take the place of what says that it ran.
        """
        servers = self._read_servers(dict.fromkeys(recorded.server for recorded in old.tasks), is_patient=False)
        lost = [note for recorded in old.tasks if recorded.ran for note in window_notes.not_back(recorded, servers)]
        if lost:
            names = ", ".join(first(lost))
            raise InputError(
                f"The window in {self._path}, recorded {old.recorded}, may be open: {len(lost)} of the tasks that "
                f"ran then did not come back: {names}. Nothing was recorded. Restore the window of this file, which "
                f"starts them again. If they are to stay as they are, move {self._path} away, then record again."
            )


def _selection_of(params: Mapping[str, Any], waves: WavesOption) -> dict[str, Any]:
    """Return the selection as the checkpoint has it: without ``waves`` if their order was found out."""
    given = {"include": params["include"], "exclude": params["exclude"]}
    if waves.given is not None:
        given["waves"] = waves.given
    return {option: [_given_members(one) for one in selectors or []] for option, selectors in given.items()}


def _given_members(selector: Mapping[str, Any]) -> dict[str, Any]:
    """Return a selector without what was not given, so that one that means the same is the same."""
    return {key: value for key, value in selector.items() if value}
