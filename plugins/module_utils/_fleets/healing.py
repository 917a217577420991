# Copyright (c) 2026, dataops.qlik_em contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is private to the collection.

"""The policy that restarts sick tasks: what is remembered and what is seen -> what is to be done. Pure functions."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from .._common.patterns import matches
from .._common.times import time_at
from .._tasks.latency import Latency
from .._tasks.model import TaskName, TaskSnapshot

MINUTE, DAY = 60, 86_400  # seconds
LONGEST_PAUSE = 60 * MINUTE
FORGET_AFTER = 30 * DAY  # what has not been listed for so long was deleted
RESTART, WAIT, QUARANTINE, NEVER, WINDOW = KINDS = ("restart", "wait", "quarantine", "never", "window")
RETRIES = "RECOVERABLE_ERROR"  # while the task goes on and retries by itself (docs/enterprise_manager_api.md, 8.3)
LONGEST_MESSAGE = 200  # characters of a task's own message in ours


class Policy(NamedTuple):
    """What is sick, and how often it is restarted: at most ``max_restarts`` times ``within`` so many seconds.

    ``messages`` (globs, found anywhere) and ``reasons`` (stop reasons) are of tasks that are never restarted.
    """

    states: frozenset[str]
    max_latency: float | None
    max_restarts: int
    within: int
    messages: tuple[str, ...] = ()
    reasons: frozenset[str] = frozenset()

    @property
    def period(self) -> str:
        """How long ``within`` is, as messages say it."""
        for seconds, unit in ((DAY, "days"), (3600, "hours"), (MINUTE, "minutes")):
            if self.within >= 2 * seconds and self.within % seconds == 0:
                return f"{self.within // seconds} {unit}"
        return f"{self.within} seconds"


class Record(NamedTuple):
    """What is remembered of a task. All times are UTC, seconds since 1970.

    ``restarts`` are when it was restarted, the last one last; ``quarantined`` is since when it is in quarantine.
    ``unfinished``: it was to be stopped and started, and nobody has seen it run since. ``seen`` is when it was listed
    last, about, as long as that matters.
    """

    restarts: tuple[int, ...] = ()
    quarantined: int | None = None
    unfinished: bool = False
    seen: int | None = None

    @property
    def lasts(self) -> bool:
        """Whether it is kept longer than its restarts."""
        return self.quarantined is not None or self.unfinished


NOTHING = Record()
Memory = Mapping[TaskName, Record]


class Seen(NamedTuple):
    """A selected task as it is now; ``window`` is the file of the open maintenance window that it is in, if any.

    ``latency`` is None if it was not asked for, or the task captures no changes. ``is_released``: somebody has fixed
    it, so that it begins anew.
    """

    task: TaskName
    snapshot: TaskSnapshot
    window: str | None = None
    latency: Latency | None = None
    is_released: bool = False


class Decision(NamedTuple):
    """What is to be done with a sick task, and why. ``restarts`` counts those of the period; ``until`` ends a wait."""

    task: TaskName
    state: str
    kind: str
    why: str
    restarts: int
    until: int | None = None


class Plan(NamedTuple):
    """The decisions on the sick tasks, what is to be remembered before they are carried out, and who was released."""

    decisions: list[Decision]
    memory: dict[TaskName, Record]
    released: list[TaskName]


def decide(policy: Policy, memory: Memory, tasks: Iterable[Seen], now: int) -> Plan:
    """Return what is to be done now. Who restarts a task must first remember it, as ``noted`` says."""
    kept = {task: record for task, old in memory.items() for record in [_aged(old, policy, now)] if record}
    decisions, released = [], []
    for seen in tasks:
        record = kept.pop(seen.task, NOTHING)
        if seen.is_released and record.quarantined is not None:
            released.append(seen.task)
            record = NOTHING
        if seen.snapshot.state not in ("STOPPED", "STOPPING"):
            record = finished(record)  # it was started
        decision, record = _decide(policy, record, seen, now)
        if decision:
            decisions.append(decision)
        if record.lasts and (record.seen is None or now - record.seen >= DAY):
            record = record._replace(seen=now)
        if record.restarts or record.lasts:
            kept[seen.task] = record
    return Plan(decisions, kept, released)


def noted(record: Record, now: int, is_stopped_first: bool) -> Record:
    """Return what is to be remembered of a task that is restarted now; ``is_stopped_first``: it runs.

    The start that an unfinished restart lacks is not one more.
    """
    if record.unfinished and not is_stopped_first:
        return record
    now = max((now, *record.restarts))  # the clock may be set back at any time
    return record._replace(
        restarts=(*record.restarts, now), unfinished=is_stopped_first, seen=now if is_stopped_first else record.seen
    )


def finished(record: Record) -> Record:
    """Return what is to be remembered of a task whose restart came to its end."""
    return record._replace(unfinished=False, seen=None if record.quarantined is None else record.seen)


def pause(restarts: int) -> int:
    """Return how long a task is left alone after so many restarts: n * n + n minutes, at most an hour."""
    return min((restarts * restarts + restarts) * MINUTE, LONGEST_PAUSE)


def _aged(record: Record, policy: Policy, now: int) -> Record | None:
    """Return what still counts of a record, None if nothing does.

    A time to come was noted before the clock was set back. It counts as the present, so that nothing is restarted more
    often or sooner than by a clock that goes on.
    """
    restarts = tuple(at for at in (min(at, now) for at in record.restarts) if now - at < policy.within)
    seen = None if record.seen is None else min(record.seen, now)
    if not restarts and (not record.lasts or (seen is not None and now - seen >= FORGET_AFTER)):
        return None
    since = None if record.quarantined is None else min(record.quarantined, now)
    return Record(restarts, since, record.unfinished, seen)


def _decide(policy: Policy, record: Record, seen: Seen, now: int) -> tuple[Decision | None, Record]:
    """Return the decision on a task, None if it is not sick, and what is to be remembered of it."""
    ill = _illness(policy, record, seen)
    if not ill:
        return None, record if seen.window else _recovered(record, seen)
    restarts = len(record.restarts)

    def decision(kind: str, why: str, until: int | None = None) -> Decision:
        return Decision(seen.task, seen.snapshot.state, kind, f"{ill}. {why}", restarts, until)

    if seen.window:
        return decision(WINDOW, f"A maintenance window is open ({seen.window}): the task is left alone."), record
    if record.unfinished:  # and stopped, or it would not be sick
        # What this policy has stopped must not stay so, whatever the brakes say.
        return decision(RESTART, "It is started; that restart was already counted"), record
    if record.quarantined is None:
        never = _never(policy, seen.snapshot)
        if never:
            return decision(NEVER, f"It is not restarted: {never}."), record
        if restarts >= policy.max_restarts:
            record = record._replace(quarantined=now)
    if record.quarantined is not None:
        why = (
            f"In quarantine since {time_at(record.quarantined)}: restarts have not helped. Fix the cause, then start "
            "or "
        )
        return decision(QUARANTINE, f"{why}release the task."), record
    count = f"{restarts + 1} of {policy.max_restarts} in {policy.period}"
    due = record.restarts[-1] + pause(restarts) if restarts else now
    if now < due:
        why = f"Restart {count} will not be before {time_at(due)}; the last one was at {time_at(record.restarts[-1])}."
        return decision(WAIT, why, due), record
    return decision(RESTART, f"Restart {count}"), record


def _illness(policy: Policy, record: Record, seen: Seen) -> str:
    """Return what is wrong with a task, as a message says it; empty if it is not sick."""
    now, latency = seen.snapshot, seen.latency
    message = f" ({_short(now.message)})" if now.message else ""
    if now.state == "ERROR":
        is_ill = "ERROR" in policy.states and not now.has_finished and now.stop_reason != RETRIES
        return f"ERROR{message}" if is_ill else ""
    if now.state == "STOPPED" and record.unfinished and not now.has_finished:
        return "STOPPED by a restart that did not finish"
    if now.state == "STOPPED":
        # Without a reason it may never have run, or have done its work (docs/enterprise_manager_api.md, 5.6).
        is_ill = "STOPPED" in policy.states and not now.may_have_finished(makes_tables=False)
        return f"STOPPED, {now.stop_reason or 'without a reason'}{message}" if is_ill else ""
    if now.state == "RUNNING" and latency and latency.seconds is not None and policy.max_latency is not None:
        return f"Latency {latency}, over {policy.max_latency:g} s" if latency.seconds > policy.max_latency else ""
    return ""


def _recovered(record: Record, seen: Seen) -> Record:
    """Return the record of a task that is not sick: one that runs is in quarantine no more. Its restarts still count.

    One whose latency was asked for and is not known may be as late as before.
    """
    is_known = seen.latency is None or seen.latency.seconds is not None
    if seen.snapshot.state == "RUNNING" and is_known:
        return Record(record.restarts)
    return record


def _never(policy: Policy, snapshot: TaskSnapshot) -> str:
    """Return why a task must never be restarted; empty if it may be."""
    if snapshot.stop_reason and snapshot.stop_reason.upper() in policy.reasons:
        return f"its stop reason {snapshot.stop_reason} is in never_if"
    message = (snapshot.message or "").lower()
    for pattern in policy.messages:
        if pattern.lower() in message or matches(message, f"*{pattern.lower()}*"):
            return f'its message matches "{pattern}" in never_if'
    return ""


def _short(text: str) -> str:
    return text if len(text) <= LONGEST_MESSAGE else f"{text[:LONGEST_MESSAGE]}..."
