# Copyright (c) 2026, dataops.qlik_em contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is private to the collection.

"""Many tasks brought to a state side by side: one row a task, and one failing task never hides the others."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, NamedTuple, Protocol

from .._client.api import Api
from .._client.checks import check_count, check_seconds
from .._client.errors import AemError, Interrupted, LoginRefused
from .._common.parallel import Queue, run_parallel
from .._common.wait import TimedOut, wait_until
from .._run.result import Mode, tell_nobody
from .._tasks.control import SETTLE_LIMIT
from .._tasks.model import ACTIVE, STARTING, Options, Seen
from .._tasks.state import bring, plan, read_for_plan
from .drain import Care, Drain, prepare_stop
from .journal import Doubt, Journal, Known
from .progress import Progress

MOST_PARALLEL = 256  # calls at a time; more is a typing mistake, and hard on a server
FRESH = 30.0  # seconds for which a list is taken to be true


class Job(NamedTuple):
    """A task and what is wanted of it; ``listed`` is how it was seen at ``as_of`` (monotonic seconds)."""

    options: Options
    listed: Seen
    as_of: float


class Limits(NamedTuple):
    """How many calls at a time, and after how many failures nothing more is started (None: go on)."""

    parallel: int
    per_server: int
    max_failures: int | None


@dataclass
class Row:
    """What became of one task. ``skipped``: it was left alone, ``msg`` says why; ``elapsed`` is None if not begun."""

    server: str
    name: str
    before: str
    after: str
    changed: bool = False
    failed: bool = False
    skipped: bool = False
    error_code: str | None = None
    msg: str = ""
    hint: str = ""
    elapsed: float | None = None


class Counted(Protocol):
    """A row of any kind that can be counted."""

    changed: bool
    failed: bool
    skipped: bool


class FleetError(AemError):
    """Some tasks failed; the rows tell which."""


def check_limits(params: Mapping[str, Any]) -> Limits:
    """Return the checked limits; raise InputError."""
    check_count("parallel", params["parallel"], MOST_PARALLEL)
    check_count("parallel_per_server", params["parallel_per_server"], MOST_PARALLEL)
    check_count("max_failures", params["max_failures"], 1_000_000)
    return Limits(params["parallel"], params["parallel_per_server"] or params["parallel"], params["max_failures"])


def check_care(params: Mapping[str, Any]) -> Care:
    """Return the checked options that say how running tasks are treated; raise InputError."""
    drain = params["drain"]
    if drain is None:
        return Care(params["on_full_load"])
    timeout = check_seconds("drain.timeout", drain["timeout"])
    most = check_seconds("drain.max_latency", drain["max_latency"], least=0)
    return Care(params["on_full_load"], Drain(timeout, most, drain["on_timeout"]))


class Fleet:
    """Runs waves of jobs, each when the one before is done, and keeps a row for each task."""

    def __init__(self, api: Api, mode: Mode, limits: Limits, care: Care, known: Known, journal: Journal | None) -> None:
        self._api, self._mode, self._limits, self._care, self._known = api, mode, limits, care, known
        self._journal = journal
        self._rows: dict[Job, Row] = {}
        self._begun: dict[Job, float] = {}
        self._failures = 0
        self._end: AemError | None = None  # why nothing more is started

    def run(self, waves: Sequence[Sequence[Job]], wish: str) -> list[Row]:
        """Do all jobs and return their rows, in the order of the jobs; ``wish`` is what progress calls it.

        Raises Interrupted or LoginRefused, with the rows, when all that runs has ended.
        """
        jobs = [job for wave in waves for job in wave]
        progress = Progress(tell_nobody if self._mode.check else self._mode.tell, wish, len(jobs))
        for wave in waves:
            run_parallel(
                Queue(wave, group=lambda job: job.options.server, limit=self._limits.per_server),
                work=self._work,
                done=lambda job, row: self._done(job, row, progress),
                parallel=self._limits.parallel,
                may_start=self._may_start,
                tick=lambda running: progress.tick([(label(job), self._begun.get(job, 0.0)) for job in running]),
                abandon=self._api.client.stop.abandon,
            )
        rows = [self._rows.get(job) or self._not_started(job) for job in jobs]
        if self._end:
            begun = sum(row.elapsed is not None for row in rows)
            self._end.message += f" {begun} of {len(rows)} tasks were begun."
            raise with_rows(self._end, rows)
        return rows

    def _may_start(self) -> bool:
        try:
            self._api.client.stop.check()
        except Interrupted as interrupted:
            self._end = self._end or interrupted
        return not self._end and not self._is_enough

    @property
    def _is_enough(self) -> bool:
        return self._limits.max_failures is not None and self._failures >= self._limits.max_failures

    def _done(self, job: Job, row: Row, progress: Progress) -> None:
        self._rows[job] = row
        self._failures += row.failed
        progress.done(label(job), row.msg if row.failed else "")

    def _not_started(self, job: Job) -> Row:
        if self._is_enough and not self._end:
            return _row(job, skipped=True, msg=f"Not started: {self._failures} tasks have failed (max_failures).")
        return _row(job, skipped=True, msg="Not started: the run ended before.")

    def _work(self, job: Job) -> Row:
        """Do one job, in a thread of its own."""
        begin = self._begun[job] = time.monotonic()
        try:
            row = self._bring(job)
        except AemError as failure:
            if isinstance(failure, Interrupted) and not failure.changed:
                return self._not_started(job)
            if isinstance(failure, LoginRefused):
                self._end = failure  # for all: to go on would lock the user's account
            row = _failed(job, failure)
        row.elapsed = round(time.monotonic() - begin, 2)
        if self._journal and not row.failed and not row.skipped:
            self._journal.note("task", server=row.server, name=row.name, changed=row.changed, state=row.after)
        return row

    def _bring(self, job: Job) -> Row:
        api, options, mode = self._api, job.options, self._mode
        task = (options.server, options.name)
        current = job.listed if mode.check or time.monotonic() - job.as_of < FRESH else None
        doubt = self._known.doubts.get(task)
        if doubt and not mode.check:
            current = _settle(api, options, doubt)
        if options.state == "restarted" and self._is_restarted(task, doubt, current):
            return _row(job, after=(current or job.listed).state, msg="The run before has restarted it already.")
        if current and options.wait and not mode.check and not plan(options.state, current).changed:
            current = read_for_plan(api, options)  # the list does not tell the memory
        if options.state != "started" and self._care.is_needed and not (current and current.is_stopped):
            reason = prepare_stop(api, options, self._care, mode.check)
            if reason:
                return _row(job, skipped=True, msg=reason)
        changed, seen = bring(api, options, current, mode)
        after = plan(options.state, current).after if mode.check else seen.state
        return _row(job, changed=changed, after=after)

    def _is_restarted(self, task: tuple[str, str], doubt: Doubt | None, current: Seen | None) -> bool:
        """Return whether the run before, of which this is the continuation, has done what is not to be done twice."""
        if not self._known.continues:
            return False
        has_arrived = doubt is not None and current is not None and _shows(doubt, current)
        return task in self._known.done or (has_arrived and doubt is not None and doubt.call == "RunTask")


def _shows(doubt: Doubt, seen: Seen) -> bool:
    """Return whether a write in doubt has taken effect, as far as the state tells."""
    return (seen.state in (*ACTIVE, STARTING)) == (doubt.call == "RunTask")


def _settle(api: Api, options: Options, doubt: Doubt) -> Seen:
    """Return the task once a write of the run before, which may be under way still, has taken effect or had its time.

    The server may work on it for its own time limit, which was ``timeout`` then as, most likely, now.
    """
    limit = doubt.time_left(max(SETTLE_LIMIT, options.timeout))
    try:
        return wait_until(
            lambda: read_for_plan(api, options),
            lambda seen: _shows(doubt, seen),
            limit,
            options.wait_sleep,
            api.client.stop.pause,
        )
    except TimedOut as over:
        if over.last:
            return over.last
        raise over.trouble or over from over


def label(job: Job) -> str:
    """Return how progress and messages call a task."""
    return f"{job.options.server}/{job.options.name}"


def _row(job: Job, **members: Any) -> Row:
    state = job.listed.state
    return Row(job.options.server, job.options.name, **{"before": state, "after": state, **members})


def _failed(job: Job, failure: AemError) -> Row:
    last = failure.facts.get("task") or {}
    return _row(
        job,
        after=last.get("state") or job.listed.state,
        changed=failure.changed,
        failed=True,
        error_code=failure.facts.get("error_code"),
        msg=failure.message,
        hint=failure.hint,
    )


def counts(rows: Sequence[Counted]) -> dict[str, int]:
    """Return how many rows there are of each kind; a failed one counts as changed too if it may have been."""
    return {
        "selected": len(rows),
        "changed": sum(row.changed for row in rows),
        "failed": sum(row.failed for row in rows),
        "skipped": sum(row.skipped for row in rows),
        "unchanged": sum(not (row.changed or row.failed or row.skipped) for row in rows),
    }


def values(rows: Sequence[Row]) -> dict[str, Any]:
    """Return the members of a result that tell of the rows."""
    return {"tasks": [asdict(row) for row in rows], "counts": counts(rows)}


def diff(rows: Sequence[Row]) -> dict[str, Any]:
    """Return the states before and after of the tasks that changed."""
    changed = [row for row in rows if row.changed]
    return {
        "before": {f"{row.server}/{row.name}": row.before for row in changed},
        "after": {f"{row.server}/{row.name}": row.after for row in changed},
        "before_header": "tasks",
        "after_header": "tasks",
    }


def with_rows(error: AemError, rows: Sequence[Row]) -> AemError:
    """Let a failure carry the rows."""
    error.facts.update(values(rows))
    error.changed = any(row.changed for row in rows)
    return error


@contextlib.contextmanager
def done(rows: Sequence[Row]) -> Iterator[None]:
    """Let a failure of the block, which notes that all is done, carry the rows and tell that."""
    try:
        yield
    except AemError as failure:
        failure.message = f"All tasks were brought to their state, but that could not be noted. {failure.message}"
        with_rows(failure, rows)
        raise


def raise_failures(rows: Sequence[Row], **facts: Any) -> None:
    """Raise FleetError, with ``facts``, if a task failed; its message names each with its own message."""
    failed = [row for row in rows if row.failed]
    if failed:
        told = " | ".join(f"{row.server}/{row.name}: {row.msg}" for row in failed)
        left = sum(row.skipped and row.elapsed is None for row in rows)
        more = f" {left} were not started." if left else ""
        text = f"{len(failed)} of {len(rows)} tasks failed.{more} {told}"
        hint = "The rows in tasks tell of each. Run this again: what is done stays done."
        raise with_rows(FleetError(text, hint, **facts), rows)
