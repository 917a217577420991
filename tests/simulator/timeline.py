# Copyright (c) 2026, dataops.qlik_em contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a task does over time, as data: pure functions over a list of phases, no timers.

A task's timeline is a tuple of phases in ascending order of their start; the phase in force is the last one that has
begun. An action cuts the future off and appends what it causes, so a state is known at any time without
anything running in the background. Times are seconds of a monotonic clock.
"""

from __future__ import annotations

from dataclasses import dataclass

from .document_tasks import Task

STARTING, RUNNING, STOPPING, STOPPED = "STARTING", "RUNNING", "STOPPING", "STOPPED"
ERROR, RECOVERY = "ERROR", "RECOVERY"

# A task in one of these has a process that holds memory. STARTING has none yet: the state flips before the process
# is up, and back before it has ended (docs/enterprise_manager_api.md, 6.17).
ALIVE = frozenset({RUNNING, RECOVERY, STOPPING})

# All others: NONE (docs/enterprise_manager_api.md, 8.3).
_REASONS = {STOPPED: "NORMAL", ERROR: "FATAL_ERROR", RECOVERY: "RECOVERABLE_ERROR"}
_KEPT = 8  # past phases that are kept, for the lagging memory sample


@dataclass(frozen=True)
class Phase:
    """From `at` on the task is in `state`; the API shows `shown`, `stop_reason` and `message`."""

    at: float
    state: str
    shown: str
    stop_reason: str
    message: str = ""


Timeline = tuple[Phase, ...]


def phase(at: float, state: str, reason: str | None = None, message: str = "") -> Phase:
    """A phase that is shown as it is, with the stop reason that belongs to its state."""
    return Phase(at, state, state, reason or _REASONS.get(state, "NONE"), message)


def current(timeline: Timeline, now: float) -> Phase:
    """The phase in force."""
    return next((item for item in reversed(timeline) if item.at <= now), timeline[0])


def next_change(timeline: Timeline, now: float) -> float | None:
    """When the next phase begins; None if the present one lasts."""
    return next((item.at for item in timeline if item.at > now), None)


def begin(task: Task, now: float) -> Timeline:
    """The timeline of a task that is in the state its settings name, from `now` on."""
    first = phase(now, task.state, task.stop_reason, task.message)
    if task.state == RUNNING:
        return (first, *_after_running(task, now))
    if task.state == RECOVERY:
        return (first, *_after_recovery(task, now))
    if task.state == STARTING and not task.stuck_in_starting:
        return (first, *_running(task, now + task.start_seconds))
    if task.state == STOPPING and not task.stuck_in_stopping:
        return (first, phase(now + task.stop_seconds, STOPPED))
    return (first,)


def started(task: Task, timeline: Timeline, now: float, show_transient: bool, makes_tables: bool = False) -> Timeline:
    """The timeline after a run was accepted at `now`; one that only `makes_tables` stops by itself."""
    before, transient = past(timeline, now), _transient(timeline, now, STARTING, show_transient)
    if task.stuck_in_starting:
        return (*before, transient)
    return (*before, transient, *_running(task, now + task.start_seconds, makes_tables))


def stopped(task: Task, timeline: Timeline, now: float, show_transient: bool) -> Timeline:
    """The timeline after a stop was accepted at `now`."""
    before, transient = past(timeline, now), _transient(timeline, now, STOPPING, show_transient)
    if task.stuck_in_stopping:
        return (*before, transient)
    return (*before, transient, phase(now + task.stop_seconds, STOPPED))


def recycled(task: Task, timeline: Timeline, now: float, show_transient: bool) -> Timeline:
    """The timeline of a running task that is stopped and started again, as ReconfigureEndpointNoWait does it."""
    down = stopped(task, timeline, now, show_transient)
    if down[-1].state != STOPPED:  # it never stops
        return down
    at = down[-1].at
    again = started(task, down, at, show_transient)
    return (*down, *(item for item in again if item not in down))


def memory_mb(task: Task, timeline: Timeline, now: float) -> int:
    """The sampled memory: what the process held `memory_lag` seconds ago (the product samples every 10 s)."""
    return task.memory_mb if current(timeline, now - task.memory_lag).state in ALIVE else 0


def _running(task: Task, at: float, makes_tables: bool = False) -> Timeline:
    if task.error_after_start is not None and not task.error_after_seconds:
        return (phase(at, ERROR, message=task.error_after_start),)
    return (phase(at, RUNNING), *_after_running(task, at, makes_tables))


def _after_running(task: Task, at: float, makes_tables: bool = False) -> Timeline:
    """What a running task does by itself later on."""
    if task.error_after_start is not None:
        return (phase(at + task.error_after_seconds, ERROR, message=task.error_after_start),)
    if makes_tables:  # it ends as if somebody had stopped it (docs/enterprise_manager_api.md, 6.20)
        return (phase(at + task.metadata_only_seconds, STOPPED, message=task.metadata_only_message),)
    if task.recover_after is not None:
        begins = at + task.recover_after
        return (phase(begins, RECOVERY), *_after_recovery(task, begins))
    if task.full_load_only or task.self_stop_reason:
        reason = task.self_stop_reason or "FULL_LOAD_ONLY_FINISHED"
        return (phase(at + task.full_load_seconds, STOPPED, reason),)
    return ()


def _after_recovery(task: Task, at: float) -> Timeline:
    if task.recovery_seconds is None:
        return ()
    message = "The task could not recover." if task.recovery_ends_in == ERROR else ""
    return (phase(at + task.recovery_seconds, task.recovery_ends_in, message=message),)


def past(timeline: Timeline, now: float) -> Timeline:
    """The timeline without its future, and without what is too old to matter."""
    return tuple(item for item in timeline if item.at <= now)[-_KEPT:]


def _transient(timeline: Timeline, now: float, state: str, show: bool) -> Phase:
    """STARTING or STOPPING; if it is not to be shown, the API goes on showing what it showed before."""
    before = current(timeline, now)
    return phase(now, state) if show else Phase(now, state, before.shown, before.stop_reason, before.message)
