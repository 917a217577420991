# Copyright (c) 2026, dataops.qlik_em contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is private to the collection.

"""What is checked before a running task is stopped: a full load under way, changes in flight."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from .._client.api import Api
from .._client.errors import WaitError
from .._common.wait import TimedOut, wait_until
from .counters import in_flight, is_loading
from .latency import total_latency
from .model import ACTIVE, TaskName, snapshot_of
from .operation import Operation
from .stop_policy import DrainPolicy, StopPolicy


class Preparation(NamedTuple):
    """Whether a task is to be left running, and what its row says of the wait."""

    leave: bool = False
    msg: str = ""


def prepare_stop(api: Api, task: TaskName, operation: Operation, policy: StopPolicy, is_check: bool) -> Preparation:
    """Wait as ``policy`` says; return whether the task can be stopped then.

    In check mode nothing is waited for: the wait is taken to succeed. Raises AemError.
    """
    details = api.get_task_details(*task)
    if _is_over(details):
        return Preparation()
    if is_loading(details):
        if policy.on_full_load == "skip":
            return Preparation(True, "Left running: a full load is in progress (on_full_load: skip).")
        if policy.on_full_load == "fail":
            raise _not_stopped(task, details, "a full load is in progress (on_full_load: fail).")
        if policy.on_full_load == "wait" and not is_check:
            _wait_for_load(api, task, operation)
    if policy.drain and not is_check:
        return _drain(api, task, operation, policy.drain)
    return Preparation()


def _is_over(details: Mapping[str, Any]) -> bool:
    return snapshot_of(details).state not in ACTIVE  # it stopped meanwhile, whoever did it: nothing to wait for


def _wait_for_load(api: Api, task: TaskName, operation: Operation) -> None:
    try:
        wait_until(
            api,
            lambda: api.get_task_details(*task),
            lambda details: _is_over(details) or not is_loading(details),
            *operation.waiting,
        )
    except TimedOut as over:
        what = f"its full load is still in progress after {operation.waiting.timeout:g} s (wait_timeout)."
        raise _not_stopped(task, over.last, what) from over


def _drain(api: Api, task: TaskName, operation: Operation, policy: DrainPolicy) -> Preparation:
    def is_drained(details: Mapping[str, Any]) -> bool:
        latency = total_latency(details)
        is_near = latency is None or latency.is_at_most(policy.max_latency)
        return _is_over(details) or (is_near and in_flight(details) == 0)

    try:
        wait_until(api, lambda: api.get_task_details(*task), is_drained, policy.timeout, operation.waiting.sleep)
    except TimedOut as over:
        what = f"after {policy.timeout:g} s (drain) {_standing(over)}."
        if policy.on_timeout == "fail":
            raise _not_stopped(task, over.last, what) from over
        is_left = policy.on_timeout == "skip"
        begin = "Left running" if is_left else "Stopped although it was not drained (on_timeout: stop)"
        return Preparation(is_left, f"{begin}: {what}")
    return Preparation()


def _standing(over: TimedOut[Mapping[str, Any]]) -> str:
    """Return how far the changes of a task were applied when the time was over."""
    if over.last is None:
        return f"it cannot be read: {over.trouble}"
    changes = in_flight(over.last)
    number = "an unknown number of" if changes is None else changes
    return f"its latency is {total_latency(over.last) or 'not given'} and {number} changes are in flight"


def _not_stopped(task: TaskName, details: Mapping[str, Any] | None, why: str) -> WaitError:
    return WaitError(
        f"The {task.subject} was not stopped: {why}",
        "Run this again later, or choose another value for the option in parentheses.",
        task=snapshot_of(details).view(task) if details else None,
    )
