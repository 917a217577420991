# Copyright (c) 2026, dataops.qlik_em contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is private to the collection.

"""Waiting between two waves until the tasks of the first one have caught up with their sources."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from .._client.api import Api
from .._client.errors import ApiError, TransportError
from .._common.parallel import FairQueue, run_parallel
from .._common.rows import Row, counted, first
from .._tasks.counters import is_loading
from .._tasks.latency import total_latency
from .._tasks.model import TASK_NOT_FOUND, TaskName, snapshot_of
from .options import FleetLimits, StartWhen
from .progress import Pace

MOST_NAMED = 3  # tasks in a line of progress
LOOK_AT_LOG = "Look at the task's log in the console, then run this again."
GO_ON = "Run this again: the wait starts over, and running tasks are left alone. Or set start_when.on_timeout: go_on."


class Standing(NamedTuple):
    """How far a task has come: ``is_over`` if it need not be waited for, ``is_near`` if it is close to its source.

    ``error`` is why it ended in ERROR.
    """

    is_over: bool = False
    is_near: bool = False
    text: str = ""
    error: str | None = None


class Outcome(NamedTuple):
    """What became of a wait: whether nothing more is to be started, and what the caller should know."""

    stop: bool = False
    warnings: Sequence[str] = ()


def standing(details: Mapping[str, Any], max_latency: float) -> Standing:
    """Return how far a task has come that was started. Pure."""
    state, latency = snapshot_of(details), total_latency(details)
    if state.is_stopped:  # its work is done, or it has failed, or somebody has stopped it
        return Standing(is_over=True, error=state.message or "" if state.state == "ERROR" else None)
    if latency is None:  # it captures no changes
        return Standing(is_over=state.state == "RUNNING", text=f"it is {state.state}")
    if state.state != "RUNNING":
        return Standing(text=f"it is {state.state}")
    if is_loading(details):
        return Standing(text="it loads tables")
    return Standing(is_near=latency.is_at_most(max_latency), text=f"its latency is {latency}")


def wait_for_wave(
    api: Api, rows: Sequence[Row], when: StartWhen, limits: FleetLimits, show: Callable[[str], None]
) -> Outcome:
    """Wait until the tasks of a wave have caught up; let the rows fail of those that end in ERROR, or do not in time.

    ``rows`` are of tasks that were started. Raises AemError if the run is to end.
    """
    by_name = {TaskName(row.names["server"], row.names["name"]): row for row in rows}
    pending = dict.fromkeys(by_name, "")
    near: Counter[TaskName] = Counter()  # readings in a row
    deadline, pace = time.monotonic() + when.timeout, Pace(api.client.limits)
    show(f"waiting for {counted(len(rows), 'task')} to catch up (start_when)")
    while True:
        for task, now in _readings(api, list(pending), when.max_latency, limits):
            near[task] = near[task] + 1 if now.is_near else 0
            pending[task] = f"{now.text} ({near[task]} of {when.stable_for} times)" if now.is_near else now.text
            if now.is_over or near[task] >= when.stable_for:
                del pending[task]
            if now.error is not None:
                _fail(by_name[task], f"It was started, and is in ERROR now. {now.error}".rstrip(), LOOK_AT_LOG)
                by_name[task].after = "ERROR"
        left = deadline - time.monotonic()
        if not pending or left <= 0:
            break
        if pace.is_due:
            show(f"{len(rows) - len(pending)} of {len(rows)} tasks have caught up (start_when){_named(pending)}")
        api.client.interrupt.pause(min(when.sleep, left))
    if not pending:
        return Outcome()
    late = f"not caught up within {when.timeout:g} s (start_when)"
    if when.on_timeout == "go_on":
        names = "; ".join(first([f"{task}: {text}" for task, text in pending.items()]))
        return Outcome(
            warnings=[f"When the next wave was started, {counted(len(pending), 'task')} had {late}: {names}."]
        )
    for task, text in pending.items():
        _fail(by_name[task], f"It was started, but has {late}: {text}.", GO_ON)
    return Outcome(stop=True)


def _fail(row: Row, msg: str, hint: str) -> None:
    row.failed, row.msg, row.hint = True, msg, hint


def _named(pending: Mapping[TaskName, str]) -> str:
    """Return some of the tasks that are waited for, as a line of progress ends."""
    return "".join(f"; {task}: {text}" for task, text in list(pending.items())[:MOST_NAMED])


def _readings(
    api: Api, tasks: Sequence[TaskName], max_latency: float, limits: FleetLimits
) -> list[tuple[TaskName, Standing]]:
    def read(task: TaskName) -> Standing:
        try:
            return standing(api.get_task_details(*task), max_latency)
        except ApiError as error:
            return Standing(is_over=error.error_code == TASK_NOT_FOUND, text=f"it cannot be read: {error}")
        except TransportError as error:
            if error.final:
                raise
            return Standing(text=f"it cannot be read: {error}")

    readings: list[tuple[TaskName, Standing]] = []
    run_parallel(
        FairQueue(tasks, group=lambda task: task.server, limit=limits.per_server),
        work=read,
        done=lambda task, now: readings.append((task, now)),
        parallel=limits.parallel,
        may_start=lambda: True,
        tick=lambda _running: None,
        abandon=api.client.interrupt.abandon,
    )
    return readings
