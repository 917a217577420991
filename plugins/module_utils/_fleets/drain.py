# Copyright (c) 2026, dataops.qlik_em contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is private to the collection.

"""What is checked before a running task is stopped: a full load under way, changes in flight."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, NamedTuple

from .._client.answers import IN_FLIGHT
from .._client.api import Api
from .._client.errors import WaitError
from .._common.wait import TimedOut, wait_until
from .._tasks.model import ACTIVE, TaskName, snapshot_of
from .._tasks.operation import Operation


class DrainPolicy(NamedTuple):
    """Waiting until changes are applied: for ``timeout`` seconds, down to a latency of ``max_latency`` seconds."""

    timeout: float
    max_latency: float
    on_timeout: str  # stop, skip or fail


class StopPolicy(NamedTuple):
    """How running tasks are treated before they are stopped."""

    on_full_load: str = "stop"  # or skip, wait, fail
    drain: DrainPolicy | None = None

    @property
    def is_needed(self) -> bool:
        """Whether the details of a task must be read before it is stopped."""
        return self.on_full_load != "stop" or self.drain is not None


def prepare_stop(api: Api, task: TaskName, operation: Operation, policy: StopPolicy, is_check: bool) -> str:
    """Wait as ``policy`` says; return why the task is to be left running, or an empty string if it can be stopped.

    In check mode nothing is waited for: the wait is taken to succeed. Raises AemError.
    """
    details = api.get_task_details(*task)
    if _is_over(details):
        return ""
    if is_loading(details):
        if policy.on_full_load == "skip":
            return "Left running: a full load is under way (on_full_load: skip)."
        if policy.on_full_load == "fail":
            raise _not_stopped(task, details, "a full load is under way (on_full_load: fail).")
        if policy.on_full_load == "wait" and not is_check:
            _wait_for_load(api, task, operation)
    if policy.drain and not is_check:
        return _drain(api, task, operation, policy.drain)
    return ""


def is_loading(details: Mapping[str, Any]) -> bool:
    """Return whether tables are being loaded or wait for it. Compose tasks have no such counters."""
    counters = details.get("full_load_counters") or {}
    return bool((counters.get("tables_loading_count") or 0) + (counters.get("tables_queued_count") or 0))


def in_flight(details: Mapping[str, Any]) -> int:
    """Return how many changes were read and are not applied yet."""
    counters = details.get("cdc_transactions_counters") or {}
    return sum(counters.get(name) or 0 for name in IN_FLIGHT)


def latency(details: Mapping[str, Any]) -> int:
    """Return the total latency in seconds; 0 if there is none.

    It is ``hh:mm:ss`` (docs/enterprise_manager_api.md, 6.16).
    """
    text = (details.get("cdc_latency") or {}).get("total_latency") or ""
    match = re.fullmatch(r"(\d+):(\d\d):(\d\d)", text)
    hours, minutes, seconds = map(int, match.groups()) if match else (0, 0, 0)
    return (hours * 60 + minutes) * 60 + seconds


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
        what = f"its full load is still under way after {operation.waiting.timeout:g} s (wait_timeout)."
        raise _not_stopped(task, over.last, what) from over


def _drain(api: Api, task: TaskName, operation: Operation, policy: DrainPolicy) -> str:
    def is_drained(details: Mapping[str, Any]) -> bool:
        return _is_over(details) or (latency(details) <= policy.max_latency and not in_flight(details))

    try:
        wait_until(api, lambda: api.get_task_details(*task), is_drained, policy.timeout, operation.waiting.sleep)
    except TimedOut as over:
        if policy.on_timeout == "stop":
            return ""
        last: Mapping[str, Any] = over.last or {}
        what = (
            f"after {policy.timeout:g} s (drain) its latency is {latency(last)} s and {in_flight(last)} changes are in "
            "flight."
        )
        if policy.on_timeout == "skip":
            return f"Left running: {what}"
        raise _not_stopped(task, last, what) from over
    return ""


def _not_stopped(task: TaskName, details: Mapping[str, Any] | None, why: str) -> WaitError:
    return WaitError(
        f"The {task.subject} was not stopped: {why}",
        "Run this again later, or choose another value of the option in brackets.",
        task=snapshot_of(details).view(task) if details else None,
    )
