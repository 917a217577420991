# Copyright (c) 2026, dataops.qlik_em contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is private to the collection.

"""The change data of a task: how long it is kept (the retention barrier), and deleting what is old."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from .._client.api import Api
from .._client.checks import check_text
from .._client.errors import AemError, InputError
from .._common.lost_answers import confirm_lost_write
from .._common.times import check_timestamp, check_timestamp_or_duration, utc_timestamp
from .._run.result import Mode, Result, diff
from .model import TaskName, check_task

# What a diff shows for a barrier that may be there: the API returns the earliest one of a task only.
HIDDEN = "not known"


class Barrier(NamedTuple):
    """A retention barrier; both are empty if the task has none (docs/enterprise_manager_api.md, 6.40)."""

    application: str = ""
    point: str = ""

    def view(self) -> dict[str, str] | None:
        """Return the barrier as results show it."""
        return {"application": self.application, "retention_point": self.point} if self.point else None


class Plan(NamedTuple):
    """What to do about the barrier of one application: ``before`` and ``after`` are its retention points."""

    before: str | None
    after: str | None

    @property
    def changed(self) -> bool:
        """Whether there is something to do."""
        return self.before != self.after


def gather(api: Api, params: Mapping[str, Any], mode: Mode) -> Result:
    """Return the earliest barrier of a task."""
    return Result(values={"barrier": read(api, check_task(params)).view()})


def ensure(api: Api, params: Mapping[str, Any], mode: Mode) -> Result:
    """Set or remove the barrier of an application, or delete old change data."""
    task = check_task(params)
    if params["state"] == "deleted":
        limit = check_timestamp_or_duration("timestamp_or_offset", params["timestamp_or_offset"])
        if not params["force"]:
            raise InputError("state: deleted deletes change data for good: it needs force: true.")
        return _delete(api, task, limit, mode)
    application, point = check_text("application", params["application"]), None
    if params["state"] == "barrier_present":
        point = check_timestamp("retention_point", params["retention_point"])
    return _set_barrier(api, task, application, point, mode)


def _delete(api: Api, task: TaskName, limit: str, mode: Mode) -> Result:
    """Delete change data that is older than ``limit``."""
    earliest = read(api, task)
    if not mode.check:
        with confirm_lost_write(_cannot_be_known):
            api.delete_old_change_data(*task, limit)
    return Result(changed=True, values={"barrier": earliest.view()})


def _set_barrier(api: Api, task: TaskName, application: str, point: str | None, mode: Mode) -> Result:
    """Set the barrier of ``application`` to ``point`` (None: remove it)."""
    earliest = read(api, task)
    plan = plan_barrier(earliest, application, point)
    if not plan.changed:
        return Result(values={"barrier": earliest.view()})
    if mode.check:
        after = expected(earliest, application, plan)
    else:
        _apply(api, task, application, earliest, plan)
        after = read(api, task)
    return Result(changed=True, values={"barrier": after.view()}, diff=_diff(task, application, plan))


def read(api: Api, task: TaskName) -> Barrier:
    """Return the earliest barrier of the task (GetChangeDataRetentionBarrier)."""
    body = api.get_change_data_retention_barrier(*task)
    point = str(body.get("retention_point") or "")
    return Barrier(str(body.get("application") or ""), utc_timestamp(point) or point) if point else Barrier()


def plan_barrier(earliest: Barrier, application: str, wanted: str | None) -> Plan:
    """Return what to do so that ``application`` has its barrier at ``wanted`` (None: has none).

    If the earliest barrier is of another application, ours cannot be seen. It is not before the earliest one.
    """
    if not earliest.point:
        return Plan(None, wanted)
    if earliest.application == application:
        return Plan(earliest.point, wanted)
    return Plan(HIDDEN, wanted)


def expected(earliest: Barrier, application: str, plan: Plan) -> Barrier:
    """Return the barrier that will be the earliest after ``plan``, as far as can be known."""
    if plan.after is None:
        return Barrier() if earliest.application == application else earliest
    ours = Barrier(application, plan.after)
    if not earliest.point or earliest.application == application:
        return ours
    return min(earliest, ours, key=lambda barrier: barrier.point)


def _apply(api: Api, task: TaskName, application: str, before: Barrier, plan: Plan) -> None:
    """Set or remove the barrier; if the answer is lost, read what became of it."""

    def is_done() -> bool:
        earliest = read(api, task)
        now = plan_barrier(earliest, application, plan.after)
        if now.before != HIDDEN:
            return not now.changed
        if before.application == application and before.point < earliest.point and plan.after is None:
            return True  # ours was the earliest, and would still be
        raise AemError(f'the earliest barrier is of the application "{earliest.application}".')

    with confirm_lost_write(is_done):
        api.set_change_data_retention_barrier(*task, application, plan.after or "")


def _cannot_be_known() -> bool:
    raise AemError("the API does not show which change data exists.")


def _diff(task: TaskName, application: str, plan: Plan) -> dict[str, Any]:
    before, after = ({"retention_point": point} for point in plan)
    return diff(before, after, f"retention barrier of {application} on {task.name}")
