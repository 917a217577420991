# Copyright (c) 2026, dataops.qlik_em contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is private to the collection.

"""The times from which tasks can be started again without loss: their latencies, read before they are stopped."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from .._client.api import Api
from .._client.checks import check_seconds
from .._client.errors import ApiError, InputError, TransportError
from .._common.clock import server_time
from .._common.parallel import FairQueue, run_parallel
from .._common.rows import counted, first
from .._common.times import time_at
from .._run.result import Mode
from .._tasks.counters import is_loading
from .._tasks.latency import total_latency
from .._tasks.model import TaskName, snapshot_of
from .._tasks.operation import FROM_TIMESTAMP, Operation
from .._tasks.state import plan
from .checkpoint import MOST_SECONDS, UNKNOWN, Reading
from .fleet import Job
from .options import FleetLimits
from .progress import Pace

WHERE_IT_STOPPED, SAFE_POINT = STARTS = ("where_it_stopped", "safe_point")


def start_options() -> dict[str, Any]:
    """Return the spec of the options that say from where tasks are started again."""
    return {
        "from": {"type": "str", "choices": list(STARTS), "default": WHERE_IT_STOPPED},
        "restart_margin": {"type": "int", "default": 600},
        "force": {"type": "bool", "default": False},
    }


def check_margin(params: Mapping[str, Any]) -> float:
    """Return the checked option ``restart_margin`` (seconds); raise InputError, also if ``force`` is missing."""
    if params["state"] == "restored" and params["from"] == SAFE_POINT and not params["force"]:
        raise InputError(
            "from: safe_point starts tasks from a time before they stopped, so changes can arrive at the target "
            "twice: it needs force: true."
        )
    return check_seconds("restart_margin", params["restart_margin"], least=0)


def reading_of(details: Mapping[str, Any], at: int) -> Reading | None:
    """Return how far behind its source a task was ``at`` a time; None if it captures no changes.

    Only of a task that runs and has loaded its tables it is known: the latency of one that retries may be of the time
    before, and a start at a time would leave out what is not loaded (docs/enterprise_manager_api.md, 6.50).
    """
    latency = total_latency(details)
    if latency is None:
        return None
    if snapshot_of(details).state != "RUNNING" or is_loading(details) or not latency.is_at_most(MOST_SECONDS):
        return UNKNOWN
    return Reading(math.ceil(latency.seconds or 0), at)


def read_latencies(
    api: Api, tasks: Sequence[TaskName], limits: FleetLimits, mode: Mode
) -> tuple[dict[TaskName, Reading], list[str]]:
    """Return the readings of tasks that run, and what the caller should know: whose latency cannot be read."""
    readings: dict[TaskName, Reading] = {}
    unread: list[str] = []
    pace, ended = Pace(api.client.limits), []

    def read(task: TaskName) -> tuple[Reading | None, str]:
        at = server_time(api.client)  # before it is read: rather too early
        try:
            details = api.get_task_details(*task)
        except ApiError as error:
            return UNKNOWN, str(error)
        reading, latency = reading_of(details, at), total_latency(details)
        is_odd = reading == UNKNOWN and latency is not None and latency.seconds is None
        return reading, f"{task} ({latency})" if is_odd else ""

    def done(task: TaskName, result: tuple[Reading | None, str]) -> None:
        reading, trouble = result
        if reading:
            readings[task] = reading
        if trouble:
            unread.append(trouble)
        ended.append(task)
        if pace.is_due and not mode.check:
            mode.progress(f"recorded: the latencies of {len(ended)} of {len(tasks)} tasks are read")

    run_parallel(
        FairQueue(tasks, group=lambda task: task.server, limit=limits.per_server),
        work=read,
        done=done,
        parallel=limits.parallel,
        may_start=lambda: True,
        tick=lambda _running: None,
        abandon=api.client.interrupt.abandon,
    )
    if not unread:
        return readings, []
    return readings, [
        f"The latency of {counted(len(unread), 'task')} cannot be read, so there is no safe restart point: "
        f"{', '.join(first(sorted(unread)))}."
    ]


class LastReadings:
    """The readings of a window's tasks; one that is old is taken again before the task is stopped. Safe for threads."""

    def __init__(self, api: Api, found: Mapping[TaskName, Reading]) -> None:
        self._api, self.found = api, dict(found)

    def refresh(self, task: TaskName) -> None:
        """Read the latency of a task that is about to be stopped, if that is due.

        A failure does no harm: a task only moves on, so that an earlier reading stays true.
        """
        before, at = self.found.get(task), server_time(self._api.client)
        if not before or 0 <= at - before.at < self._api.client.limits.latency_age:
            return
        try:
            details = self._api.get_task_details(*task)
        except (ApiError, TransportError):
            return
        now = reading_of(details, at)
        if not now and before == UNKNOWN:
            del self.found[task]
        elif now and now.latency is not None:
            self.found[task] = now
        elif is_loading(details):  # what is loaded anew since then would be missing
            self.found[task] = UNKNOWN


def from_safe_points(
    waves: Sequence[Sequence[Job]],
    readings: Mapping[TaskName, Reading],
    margin: float,
    stopping: Collection[TaskName],
    now: int,
) -> list[list[Job]]:
    """Return the jobs with starts from the safe restart points, for all tasks that capture changes.

    ``stopping`` are tasks that may be stopped although they show RUNNING. Raises InputError if a task that is to be
    started has no such point, or one that is not in the past.
    """
    points: dict[TaskName, float] = {}
    unknown: list[str] = []
    for job in (job for wave in waves for job in wave):
        reading = readings.get(job.task)
        if not reading or not (job.task in stopping or plan(job.operation, job.listed).changed):
            continue
        if reading.latency is None:
            unknown.append(str(job.task))
        else:
            points[job.task] = reading.at - reading.latency - margin
    if unknown:
        raise InputError(
            f"There is no safe restart point for {len(unknown)} of the tasks to be started: their latency was not "
            "known when they were stopped, or they were not RUNNING, or they were loading tables: "
            f"{', '.join(first(unknown))}. Nothing was started. Start these in another way (aem_task, "
            "aem_task_batch), then run this again: running tasks are left alone. Or start all where they stopped "
            "(from: where_it_stopped)."
        )
    future = [f"{task} ({time_at(point)})" for task, point in points.items() if point >= now]
    if future:
        raise InputError(
            f"The restart points of {counted(len(future), 'task')} are not in the past: {', '.join(first(future))}. "
            f"The time of Enterprise Manager is {time_at(now)}: either its clock or the checkpoint was changed. "
            "Nothing was started. Start these in another way, or all where they stopped (from: where_it_stopped)."
        )
    return [
        [job._replace(operation=_from(job.operation, points[job.task])) if job.task in points else job for job in wave]
        for wave in waves
    ]


def _from(operation: Operation, point: float) -> Operation:
    # The form that RunTask asks for: UTC, without a zone.
    return operation._replace(run_option=FROM_TIMESTAMP, cdc_position=time_at(point).rstrip("Z"))
