# Copyright (c) 2026, dataops.qlik_em contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is private to the collection.

"""Many tasks stopped or started side by side: one row a task, and one failing task never hides the others."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Sequence
from typing import Any, NamedTuple

from .._client.api import Api
from .._client.errors import AemError, Interrupted, LoginRefused
from .._common.parallel import FairQueue, run_parallel
from .._common.rows import Row, raise_failures, with_rows
from .._common.times import moment
from .._common.wait import TimedOut, wait_until
from .._run.result import Mode, diff, no_progress
from .._tasks.drain import prepare_stop
from .._tasks.model import ACTIVE, STARTING, STOP_TIMEOUT, TaskName, TaskSnapshot
from .._tasks.operation import Operation
from .._tasks.state import apply, plan, read_for_plan
from .._tasks.stop_policy import StopPolicy
from .._tasks.watching import standing
from .catch_up import StartWhen, wait_for_wave
from .journal import Journal, JournalState, UnconfirmedWrite
from .options import FleetLimits
from .progress import Progress
from .results import shown_states
from .selection import RecentLists


class Job(NamedTuple):
    """A task and what is to be done with it; ``listed`` is how it was shown at ``as_of`` (monotonic seconds)."""

    task: TaskName
    operation: Operation
    listed: TaskSnapshot
    as_of: float


class Fleet:
    """Runs waves of jobs, each when the one before is done, and keeps a row for each task."""

    def __init__(
        self,
        api: Api,
        mode: Mode,
        limits: FleetLimits,
        policy: StopPolicy,
        journal_state: JournalState,
        journal: Journal | None,
        start_when: StartWhen | None = None,
        before_stop: Callable[[TaskName], None] | None = None,
        warn: Callable[[str], None] = no_progress,
    ) -> None:
        self._api, self._mode, self._limits, self._policy = api, mode, limits, policy
        self._journal_state, self._journal = journal_state, journal
        self._start_when, self._before_stop, self._warn = start_when, before_stop, warn
        self._rows: dict[TaskName, Row] = {}
        self._begun: dict[TaskName, float] = {}  # monotonic seconds
        self._seen: dict[TaskName, TaskSnapshot] = {}  # what is followed, as it was read last
        self._lists = RecentLists(api)
        self._failures = 0
        self._end: AemError | None = None  # why nothing more is started
        self._is_behind = False  # the same, because a wave has not caught up

    def run(self, waves: Sequence[Sequence[Job]], operation: str) -> list[Row]:
        """Do all jobs and return their rows, in the order of the jobs; ``operation`` is what progress calls it.

        Raises Interrupted or LoginRefused, with the rows, when all that runs has ended.
        """
        jobs = [job for wave in waves for job in wave]
        show = no_progress if self._mode.check else self._mode.progress
        progress = Progress(show, operation, len(jobs), self._api.client.limits)
        done: Sequence[Job] = ()
        for wave in filter(None, waves):
            self._wait_for(done, wave, operation)
            done = wave
            run_parallel(
                FairQueue(wave, group=lambda job: job.task.server, limit=self._limits.per_server),
                work=self._work,
                done=lambda job, row: self._done(job, row, progress),
                parallel=self._limits.parallel,
                may_start=self._may_start,
                tick=lambda running: self._tick(running, progress),
                abandon=self._api.client.interrupt.abandon,
            )
        rows = [self._rows.get(job.task) or self._not_started(job) for job in jobs]
        if self._end:
            begun = sum(row.elapsed is not None for row in rows)
            self._end.message += f" Work was started on {begun} of {len(rows)} tasks."
            raise with_rows(self._end, "tasks", rows)
        return rows

    def _wait_for(self, done: Sequence[Job], wave: Sequence[Job], operation: str) -> None:
        """Wait until the tasks of a wave that is done have caught up, if ``wave`` is to be started only then."""
        is_due = any(plan(job.operation, job.listed).changed or self._is_unconfirmed(job) for job in wave)
        if not (self._start_when and is_due and not self._mode.check and self._may_start()):
            return
        rows = [row for row in (self._rows[job.task] for job in done) if not (row.failed or row.skipped)]
        if not rows:
            return
        show = self._mode.progress
        try:
            outcome = wait_for_wave(
                self._api, rows, self._start_when, self._limits, lambda line: show(f"{operation}: {line}")
            )
        except AemError as failure:
            self._end = failure
            return
        for warning in outcome.warnings:
            self._warn(warning)
        self._is_behind = outcome.stop
        for row in rows:
            if row.failed:
                self._failures += 1
                show(f"{operation}: {row.label} failed: {row.msg}")

    def _is_unconfirmed(self, job: Job) -> bool:
        return job.task in self._journal_state.unconfirmed

    def _standing(self, task: TaskName) -> str:
        seen = self._seen.get(task)
        return f"{task} ({standing(seen)})" if seen else str(task)

    def _may_start(self) -> bool:
        try:
            self._api.client.interrupt.check()
        except Interrupted as interrupted:
            self._end = self._end or interrupted
        return not (self._end or self._is_enough or self._is_behind)

    @property
    def _is_enough(self) -> bool:
        return self._limits.max_failures is not None and self._failures >= self._limits.max_failures

    def _done(self, job: Job, row: Row, progress: Progress) -> None:
        self._rows[job.task] = row
        self._failures += row.failed
        progress.done(row.label, row.msg if row.failed else "")

    def _tick(self, running: Collection[Job], progress: Progress) -> None:
        if progress.is_due:  # asked after each task: the names of all that run are costly
            begun = self._begun
            progress.show([(self._standing(job.task), begun[job.task]) for job in running if job.task in begun])

    def _not_started(self, job: Job) -> Row:
        if self._is_enough and not self._end:
            return _row(job, skipped=True, msg=f"Not started: {self._failures} tasks have failed (max_failures).")
        why = "the previous wave has not caught up (start_when)" if self._is_behind else "the run ended before"
        return _row(job, skipped=True, msg=f"Not started: {why}.")

    def _work(self, job: Job) -> Row:
        """Do one job, in a thread of its own."""
        begin, started = time.monotonic(), moment()
        self._begun[job.task] = begin
        try:
            with self._api.client.writes.guard():
                row = self._apply(job)
        except AemError as failure:
            if isinstance(failure, Interrupted) and not failure.changed:
                return self._not_started(job)
            if isinstance(failure, LoginRefused):
                self._end = failure  # for all: to go on would lock the user's account
            if self._journal and failure.facts.get("error_code") == STOP_TIMEOUT:
                self._journal.note("left", call="StopTask", **job.task._asdict())  # its stop goes on
            last = failure.facts.get("task") or {}
            row = _row(job, after=last.get("state") or job.listed.state)
            row.fail(failure)
        row.started, row.elapsed = started, round(time.monotonic() - begin, 2)
        if self._journal and not row.failed and not row.skipped:
            self._journal.note("task", **job.task._asdict(), changed=row.changed, state=row.after)
        return row

    def _apply(self, job: Job) -> Row:
        api, mode, task, operation = self._api, self._mode, job.task, job.operation
        write, msg = self._journal_state.unconfirmed.get(task), ""
        current: TaskSnapshot | None
        if write and not mode.check and not (write.goes_on and operation.state != "started"):
            current = _after_unconfirmed(api, task, operation, write)
            job = job._replace(listed=current)
        elif operation.state == "started" and not mode.check:
            current = self._before_start(job)
        else:
            is_fresh = mode.check or time.monotonic() - job.as_of < api.client.limits.list_age
            current = job.listed if is_fresh else None
        if operation.state == "restarted" and self._is_restarted(task, write, current):
            return _row(job, after=(current or job.listed).state, msg="The previous run has already restarted it.")
        if current and operation.wait and not mode.check and not plan(operation, current).changed:
            current = read_for_plan(api, task, operation)  # the list does not show the memory
        if operation.state != "started" and self._policy.is_needed and not (current and current.is_stopped):
            leave, msg = prepare_stop(api, task, operation, self._policy, mode.check)
            if leave:
                return _row(job, skipped=True, msg=msg)
        if (
            self._before_stop
            and operation.state != "started"
            and not mode.check
            and not (current and current.is_stopped)
        ):
            self._before_stop(task)
        changed, snapshot = apply(api, task, operation, current, mode, lambda now: self._seen.update({task: now}))
        after = plan(operation, current).after if mode.check else snapshot.state
        return _row(job, changed=changed, after=after, msg=msg)

    def _before_start(self, job: Job) -> TaskSnapshot:
        """Return the task as it is now, with its stop reason: what has finished its load is not to load it again."""
        api, age = self._api, self._api.client.limits.start_age
        if time.monotonic() - job.as_of < age:
            return job.listed
        # One list for all tasks of a server that are due: the details may lack the stop reason
        # (docs/enterprise_manager_api.md, 6.18).
        return self._lists.read(job.task, age) or read_for_plan(api, job.task, job.operation)

    def _is_restarted(self, task: TaskName, write: UnconfirmedWrite | None, current: TaskSnapshot | None) -> bool:
        """Return whether the run before, of which this is the continuation, has done what is not to be done twice."""
        if not self._journal_state.continues:
            return False
        has_started = write is not None and current is not None and write.call == "RunTask" and _shows(write, current)
        return task in self._journal_state.done or has_started


def _shows(write: UnconfirmedWrite, snapshot: TaskSnapshot) -> bool:
    """Return whether an unconfirmed write has taken effect, as far as the state shows."""
    return (snapshot.state in (*ACTIVE, STARTING)) == (write.call == "RunTask")


def _after_unconfirmed(api: Api, task: TaskName, operation: Operation, write: UnconfirmedWrite) -> TaskSnapshot:
    """Return the task once a write of the run before, which may be under way still, has taken effect or had its time.

    The server may work on it for its own time limit, and a little longer until that shows. A stop that takes longer
    has the time that it would have had in the run before.
    """
    limits, timeout = api.client.limits, operation.timeout if write.timeout is None else write.timeout
    limit = timeout + limits.lost_effect
    limit = write.time_left(max(limit, operation.waiting.timeout) if write.goes_on else limit)
    try:
        return wait_until(
            api,
            lambda: read_for_plan(api, task, operation),
            lambda now: _shows(write, now),
            limit,
            operation.waiting.sleep,
        )
    except TimedOut as over:
        if over.last:
            return over.last
        raise over.trouble or over from over


def _row(job: Job, **members: Any) -> Row:
    state = job.listed.state
    return Row(job.task._asdict(), str(job.task), **{"before": state, "after": state, **members})


def states_diff(rows: Sequence[Row], run_option: str = "") -> dict[str, Any]:
    """Return the states before and after of the tasks that changed.

    ``run_option`` is the one that all were run with; it is shown, as a restart ends in the state it began with.
    """
    changed = [row for row in rows if row.changed]
    before = {row.label: row.before for row in changed}
    after = {row.label: _after(row, run_option) for row in changed}
    return diff(shown_states(before), shown_states(after), "tasks")


def _after(row: Row, run_option: str) -> str | None:
    return f"{row.after} ({run_option})" if run_option and not row.failed else row.after


def raise_task_failures(rows: Sequence[Row], run_option: str = "") -> None:
    """Raise AemError, with the diff, if a task failed."""
    raise_failures(
        "tasks", rows, "Run this again: finished tasks are not touched again.", diff=states_diff(rows, run_option)
    )
