# Copyright (c) 2026, dataops.qlik_em contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is private to the collection.

"""The failures of a task that is stopped or started: what it is now, and what to do. Pure functions."""

from __future__ import annotations

from .._client.calls import Answer
from .._client.error_codes import advice_on
from .._client.errors import WaitError
from .._common.wait import TimedOut
from .goals import missing
from .model import RUN_TIMEOUT, STARTING, STOP_TIMEOUT, STOPPING, TaskName, TaskSnapshot
from .operation import FINISHED, RUNNING, Operation

RECOVERS = (
    "It needs no further start: it retries by itself, because of an error at its source or target, which the task's "
    "log in the console names. Run this again to keep watching."
)


def stuck(
    task: TaskName, operation: Operation, over: TimedOut[TaskSnapshot], code: str, answer: Answer | None
) -> WaitError:
    """Return the failure of a wait, with the last state that was read."""
    last, limit, subject = over.last, limit_of(operation), task.subject
    error_code: str | None = code
    goes_further = code == RUN_TIMEOUT and (operation.makes_tables or operation.wait_for != RUNNING)
    hint = "Look at the task's log in the console. The server is still working on it; run this again to keep watching."
    if last is None or over.trouble:
        known = f"was last seen {last.state}" if last else "was not seen at all"
        text = f"The {subject} {known} within {limit}, and cannot be read now: {over.trouble}"
    elif last.state in (STARTING, STOPPING):
        text = f"The {subject} is stuck in {last.state}: it has not changed in {limit}."
    elif goes_further:
        error_code = None
        standing = f": {last.work}" if last.work and str(last.work) else ""
        text = f"The {subject} is {last.state} and {missing(operation)} within {limit}{standing}."
        if last.work and last.work.only_loads is False and operation.wait_for == FINISHED:
            hint = "It captures changes, so it may never finish: wait_for: loaded waits for its full load. " + hint
    elif last.is_stopped and last.memory_mb and code == STOP_TIMEOUT:
        text = f"The {subject} is {last.state}, but its process still holds {last.memory_mb} MB after {limit}."
    elif last.state == "RECOVERY" and code == RUN_TIMEOUT:
        reason = f" {last.message}" if last.message else ""
        text = f"The {subject} is started, but in RECOVERY: it is not running after {limit}.{reason}"
        hint = RECOVERS
    elif last.state == "RUNNING" and code == RUN_TIMEOUT:
        text = f"The {subject} is RUNNING, but its process has not started after {limit}."
    else:
        text = f"The {subject} is still {last.state} after {limit}."
    if answer:
        text += f" The server's answer was: {answer.message}"
    return WaitError(
        text,
        hint,
        error_code=error_code,
        http_status=answer.http_status if answer else None,
        error_message=answer.message if answer else None,
        task=last.view(task) if last else None,
    )


def limit_of(operation: Operation) -> str:
    """Return how long a task is followed."""
    return f"{operation.waiting.timeout:g} s (wait_timeout)"


def server_timeout(task: TaskName, method: str, answer: Answer) -> WaitError:
    """Return the failure for a time-out that the server reports and nobody wants to wait out."""
    return WaitError(
        f"{method} of {task.subject} failed: {answer.message}",
        advice_on(answer.error_code).remedy,
        error_code=answer.error_code,
        http_status=answer.http_status,
        error_message=answer.message,
    )


def not_a_success(task: TaskName, when: str, snapshot: TaskSnapshot, changed: bool | None = None) -> WaitError:
    """Return the failure for a task that ended up in another state than the wanted one.

    ``changed`` is what an answer shows that came without an error code; None leaves it to the guard around writes.
    """
    stopped_by = f" (stop reason {snapshot.stop_reason})" if snapshot.has_reason else ""
    reason = f": {snapshot.message}" if snapshot.message else "."
    error = WaitError(
        f"The {task.subject} is {snapshot.state} {when}{stopped_by}{reason}",
        "Look at the task's log in the console.",
        error_message=snapshot.message,
        task=snapshot.view(task),
    )
    error.changed = changed
    return error
