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
from .._common.files import locked, real_path, remove_file, write_atomically
from .._common.parallel import map_parallel
from .._common.rows import Row, first, rows_on_failure, values
from .._common.times import now
from .._common.wait import TimedOut, check_waiting, wait_until
from .._run.result import Mode, Result
from .._tasks.drain import StopPolicy
from .._tasks.model import KNOWN_STATES
from .._tasks.operation import RESUME, Operation, check_timeout
from . import checkpoint as checkpoints
from . import second_look, window_notes
from .batch import NO_SELECTOR, journaled, read_selection
from .checkpoint import FREEZING, FROZEN, OPEN, RECORDED, RESTORED, RESTORING, Checkpoint, RecordedTask
from .fleet import Fleet, Job, raise_task_failures, states_diff
from .journal import Journal, JournalState, UnconfirmedWrite, read_journal
from .options import check_limits, check_stop_policy
from .results import ALL_DONE, with_results
from .second_look import RAN, ServerStatus
from .selection import list_tasks, read_selectors
from .waves import WavesOption, check_waves, order_values, show_order, sort_into_waves

NOT_CONNECTED = "AEM_SERVER_NOT_CONNECTED"


class Step(NamedTuple):
    """One half of a window: the state that its tasks get, and the phases of the window meanwhile and afterwards."""

    state: str
    begun: str
    done: str


FREEZE, RESTORE = Step("stopped", FREEZING, FROZEN), Step("started", RESTORING, RESTORED)


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
            raise InputError("state: recorded makes a checkpoint and takes none.")
        if not is_record and not params["checkpoint"] and bool(params["path"]) == has_document:
            empty = " An empty checkpoint is not one." if has_document else ""
            raise InputError(f"state: {params['state']} needs either path or checkpoint.{empty}")
        self._limits, self._policy = check_limits(params), check_stop_policy(params)
        self._timeout, self._waiting = check_timeout(params), check_waiting(params)
        self._waves = check_waves(params)
        # Links are followed once, here: lock and journal are beside the file itself, for whoever shares it.
        self._path: str | None = params["path"] and real_path("path", params["path"])
        if is_record:
            for option in ("include", "exclude"):
                read_selectors(option, params[option])
            if not params["include"]:
                raise InputError(NO_SELECTOR)
            self._load()
        else:
            self._given()

    @contextlib.contextmanager
    def alone(self) -> Iterator[None]:
        """Keep a second run off the same checkpoint."""
        if self._path and not self._mode.check:
            with locked("path", self._path):
                yield
        else:
            yield

    def record(self) -> Result:
        """Note which of the selected tasks run. Of a window that is open, what was noted stays as it is."""
        api, params, path = self._api, self._params, self._path
        selectors = _selection_of(params, self._waves)
        old = self._load()
        if old and old.phase in OPEN:
            if old.selection != selectors:
                raise InputError(
                    f"The window in {path} is open since {old.recorded} and was recorded for another selection. "
                    "Restore it before you record another one."
                )
            note = f"The window in {path} is open since {old.recorded}: what ran then is kept."
            return Result(
                values=window_notes.recorded_values(old), diff=window_notes.diff_of_records(old, old), warnings=[note]
            )
        if old and old.phase == RECORDED:
            self._check_all_back(old)
        selection = read_selection(api, params, self._limits)
        waves = sort_into_waves(api, selection.tasks, self._waves, self._limits)
        show_order(self._mode, waves)
        tasks = tuple(
            RecordedTask(*listed.task, state, RESUME.lower() if state in RAN else None, number)
            for number, wave in enumerate(waves.tasks, start=1)
            for listed in wave
            for state in [listed.snapshot.state]
        )
        new = Checkpoint(api.client.address, now(), RECORDED, selectors, tasks)
        warnings = selection.warnings + waves.warnings
        warnings += [
            f"{recorded.task} is {recorded.state}, of which little is known: it is left alone."
            for recorded in tasks
            if recorded.state not in KNOWN_STATES
        ]
        if old and old.phase == RESTORED:
            warnings += window_notes.stopped_since(old, new)
        if old and old.phase == RECORDED and (old.tasks, old.selection) == (new.tasks, new.selection):
            outcome = {**window_notes.recorded_values(old), **order_values(waves)}
            return Result(values=outcome, diff=window_notes.diff_of_records(old, old), warnings=warnings)
        if path:
            self._check_missing_checkpoint(old)
            if not self._mode.check:
                remove_file("path", _journal_of(path))  # it is of the window before
            warnings += self._save(new)
            self._load()  # or the next step would be the first to find that the file cannot be trusted
        outcome = {**window_notes.recorded_values(new), **order_values(waves)}
        return Result(bool(path), outcome, window_notes.diff_of_records(old, new), warnings)

    def freeze(self) -> Result:
        """Stop what the checkpoint says ran, wave by wave, and make sure that it is stopped."""
        checkpoint = self._given()
        if checkpoint.phase == RESTORED:
            raise InputError(f"The window of {checkpoint.recorded} is over. Record a new one.")
        with self._reporting(FREEZE):
            return self._move(FREEZE, checkpoint, checkpoint.waves, self._policy)

    def restore(self) -> Result:
        """Start exactly what ran, the last wave first. A window that is over is left alone."""
        checkpoint = self._given()
        if checkpoint.phase == RESTORED:
            note = f"The window of {checkpoint.recorded} is over: everything was started again before."
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
            return [f"To go on, run it again with state: restored, {source}"]
        return [
            f"To go on, run it again with state: frozen, {source}",
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
        phase, checkpoint = checkpoint.phase, checkpoint._replace(phase=step.begun)
        warnings = self._save(checkpoint)
        if step == RESTORE:
            warnings += window_notes.started_meanwhile(checkpoint, servers)
        journal_path = _journal_of(self._path) if self._path else None
        with journaled(self._api, journal_path, step.state, mode) as (api, journal_state, journal):
            try:
                if step == RESTORE:
                    journal_state = self._with_unseen_stops(checkpoint, phase, journal_state)
                rows += Fleet(api, mode, self._limits, policy, journal_state, journal).run(jobs, step.state)
                if step == RESTORE:
                    window_notes.explain(rows)
                if not mode.check:
                    warnings += self._look_again(step, checkpoint, rows, api, journal)
                raise_task_failures(rows)
            except AemError as failure:
                failure.warnings += warnings
                raise
            if journal:
                with rows_on_failure("tasks", rows, ALL_DONE):
                    journal.note("end")
        checkpoint = checkpoint._replace(phase=step.done)
        with rows_on_failure("tasks", rows, ALL_DONE):
            self._save(checkpoint)
        outcome = {"checkpoint": checkpoint.document(), **values("tasks", rows)}
        return Result(any(row.changed for row in rows), outcome, states_diff(rows), warnings)

    def _with_unseen_stops(self, checkpoint: Checkpoint, phase: str, state: JournalState) -> JournalState:
        """Return what is known of the writes of the freeze before, also without a journal of a freeze that did not end.

        Then a stop may be on its way to each task that ran, unseen (docs/enterprise_manager_api.md, 8.2). A checkpoint
        that was handed on does not show whether the freeze was begun.
        """
        is_unseen = (phase == FREEZING and state.has_ended) or (phase == RECORDED and not self._path)
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
        run_option = (recorded.run_option or RESUME).upper()
        return Operation(step.state, self._timeout, wait, self._waiting, run_option)

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

    def _load(self) -> Checkpoint | None:
        return checkpoints.load(self._path, self._api.client.address) if self._path else None

    def _save(self, checkpoint: Checkpoint) -> list[str]:
        """Write the checkpoint if it has a file; return what the caller should know."""
        if not self._path or self._mode.check:
            return []
        return write_atomically("path", self._path, checkpoint.text())

    def _given(self) -> Checkpoint:
        """Return the checkpoint of the file, or of the option if there is no path.

        With a path, the option is only compared: the file knows how far the window is. Raises InputError.
        """
        found, given = self._load(), self._params["checkpoint"]
        if given is not None:
            handed_on = checkpoints.read_document(given, self._api.client.address, "option checkpoint")
            # A record in check mode, which has written no file, may have handed it on.
            if not self._path or (self._mode.check and (not found or found.phase == RESTORED)):
                return handed_on
            if not found:
                raise InputError(
                    f"There is no checkpoint {self._path}: nothing was done. Make sure that its volume is mounted. To "
                    "use the checkpoint that was handed on, without a file, give no path."
                )
            checkpoints.check_same(found, handed_on, self._path)
        if found:
            return found
        journal = _journal_of(str(self._path))
        if self._has_ended(journal):
            # Not "record one": if the file is elsewhere, what is stopped would be noted as what is to stay so.
            raise InputError(
                f"There is no checkpoint {self._path}: nothing was done. If tasks were stopped for a window, its "
                "checkpoint is elsewhere: use the path that it was recorded with, and make sure that its volume is "
                "mounted. Only if no window is open, record one."
            )
        raise InputError(
            f"The checkpoint {self._path} is missing. Its journal {journal} names each task that was stopped: start "
            "these with aem_task_batch. Do not record another window before that."
        )

    def _check_all_back(self, old: Checkpoint) -> None:
        """Raise InputError if a task that ran is not back: it may have been stopped without the file.

        What is recorded now would take the place of what says that it ran.
        """
        servers = self._read_servers(dict.fromkeys(recorded.server for recorded in old.tasks), is_patient=False)
        lost = [
            note for recorded in old.tasks if recorded.run_option for note in window_notes.not_back(recorded, servers)
        ]
        if lost:
            names = ", ".join(first(lost))
            raise InputError(
                f"The window in {self._path}, recorded {old.recorded}, may be open: {len(lost)} of the tasks that "
                f"ran then are not back: {names}. Nothing was recorded. Restore the window of this file, "
                f"which starts them again. If they are to stay as they are, move {self._path} away, then record again."
            )

    def _check_missing_checkpoint(self, old: Checkpoint | None) -> None:
        """Raise InputError if there is no checkpoint, but a journal of a window that was not ended."""
        journal = _journal_of(str(self._path))
        if not old and not self._has_ended(journal):
            raise InputError(
                f"The checkpoint {self._path} is missing, but its journal {journal} is of a window that was not ended. "
                "Start again what it names, then remove it: what is recorded now would take its place."
            )

    def _has_ended(self, journal: str) -> bool:
        return read_journal(journal, self._api.client.address, RESTORE.state).has_ended


def _selection_of(params: Mapping[str, Any], waves: WavesOption) -> dict[str, Any]:
    """Return the selection as the checkpoint has it: without ``waves`` if their order was found out."""
    given = {"include": params["include"], "exclude": params["exclude"]}
    if waves.given is not None:
        given["waves"] = waves.given
    return {option: [_given_members(one) for one in selectors or []] for option, selectors in given.items()}


def _given_members(selector: Mapping[str, Any]) -> dict[str, Any]:
    """Return a selector without what was not given, so that one that means the same is the same."""
    return {key: value for key, value in selector.items() if value}


def _journal_of(path: str) -> str:
    return f"{path}.journal"
