# Copyright (c) 2026, dataops.qlik_em contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The policy of healing case by case."""

from __future__ import annotations

import pytest
from ansible_collections.dataops.qlik_em.plugins.module_utils._fleets.healing import (
    Policy,
    Record,
    Seen,
    decide,
    noted,
    pause,
)
from ansible_collections.dataops.qlik_em.plugins.module_utils._tasks.latency import Latency
from ansible_collections.dataops.qlik_em.plugins.module_utils._tasks.model import TaskName, TaskSnapshot

NOW, HOUR = 1_800_000_000, 3600
TASK = TaskName("S", "a/b")
POLICY = Policy(frozenset(["ERROR"]), 600, 3, 24 * HOUR)
ERROR, STOPPED = TaskSnapshot("ERROR", "FATAL_ERROR", "No."), TaskSnapshot("STOPPED", "NORMAL")
RUNNING = TaskSnapshot("RUNNING", "NONE")


def one(record: Record, snapshot: TaskSnapshot, policy: Policy = POLICY, **more):
    """Return the kind of the decision on a task, and what is remembered of it then."""
    plan = decide(policy, {TASK: record}, [Seen(TASK, snapshot, **more)], NOW)
    return plan.decisions[0].kind if plan.decisions else None, plan.memory.get(TASK)


def test_the_pauses_are_those_of_the_guide():
    assert [pause(number) / 60 for number in range(10)] == [0, 2, 6, 12, 20, 30, 42, 56, 60, 60]


@pytest.mark.parametrize(
    ("within", "text"),
    [
        (86_400, "24 hours"),
        (172_800, "2 days"),
        (3600, "60 minutes"),
        (5400, "90 minutes"),
        (7200, "2 hours"),
        (61, "61 seconds"),
    ],
)
def test_the_period_is_said_in_words(within, text):
    assert POLICY._replace(within=within).period == text


def test_what_was_stopped_and_not_started_is_sick_until_it_is_seen_in_another_state():
    record = noted(Record(), NOW - HOUR, is_stopped_first=True)
    assert record.unfinished
    assert one(record, STOPPED) == ("restart", record)
    assert one(record, TaskSnapshot("STOPPING")) == (None, record)
    # It was started then, so whoever stops it now means it.
    for snapshot in (RUNNING, ERROR, TaskSnapshot("STARTING"), TaskSnapshot("RECOVERY")):
        assert one(record, snapshot)[1] == Record((NOW - HOUR,))
    assert one(Record((NOW - HOUR,)), STOPPED) == (None, Record((NOW - HOUR,)))


def test_who_is_in_quarantine_for_its_latency_leaves_it_only_if_that_is_known_to_be_low():
    record = Record((), NOW - HOUR, seen=NOW - HOUR)
    assert one(record, RUNNING, latency=Latency(None, "it loads tables")) == (None, record)
    assert one(record, RUNNING, latency=Latency(601, "601 s"))[0] == "quarantine"
    assert one(record, RUNNING, latency=Latency(600, "600 s")) == (None, None)
    assert one(record, RUNNING) == (None, None)


def test_a_window_changes_nothing_that_is_remembered():
    record = Record((NOW - HOUR,), NOW - HOUR, seen=NOW - HOUR)
    assert one(record, RUNNING, window="night.json") == (None, record)
    assert one(record, ERROR, window="night.json") == ("window", record)


def test_what_is_remembered_of_a_restart_never_goes_back():
    record = noted(Record((NOW,)), NOW - HOUR, is_stopped_first=False)
    assert record.restarts == (NOW, NOW)


def test_a_start_that_was_missing_is_not_one_more_restart():
    unfinished = Record((NOW - HOUR,), None, True, NOW - HOUR)
    assert noted(unfinished, NOW, is_stopped_first=False) is unfinished
    assert noted(unfinished, NOW, is_stopped_first=True) == Record((NOW - HOUR, NOW), None, True, NOW)
    in_quarantine = Record((), NOW - HOUR, False, NOW - HOUR)
    assert noted(in_quarantine, NOW, is_stopped_first=False) == in_quarantine._replace(restarts=(NOW,))
    assert noted(in_quarantine, NOW, is_stopped_first=True) == Record((NOW,), NOW - HOUR, True, NOW)


NEVER = POLICY._replace(messages=("ORA-0*1", "No space", "[Q]z"), reasons=frozenset(["FATAL_ERROR"]))


@pytest.mark.parametrize(
    ("reason", "message", "kind"),
    [
        ("FATAL_ERROR", None, "never"),
        ("Fatal_Error", "x", "never"),
        ("NORMAL", None, "restart"),
        (None, None, "restart"),
        (None, "xxxx", "restart"),
        (None, "See a[q]Z.", "never"),
        (None, "It has NO SPACE left.", "never"),
        (None, "Failed: ora-00001 of a table.", "never"),
        (None, "Failed: ora-00002.", "restart"),
        ("FATAL_ERRORS", "No room", "restart"),
    ],
)
def test_what_is_never_restarted(reason, message, kind):
    assert one(Record(), TaskSnapshot("ERROR", reason, message), NEVER)[0] == kind
    assert one(Record(), TaskSnapshot("ERROR", reason, message))[0] == "restart"


def test_no_pattern_matches_a_message_that_is_missing():
    assert one(Record(), TaskSnapshot("ERROR"), NEVER._replace(messages=("x",)))[0] == "restart"


def why(record, snapshot, policy=POLICY, **more):
    """Return the decision on a task."""
    (decision,) = decide(policy, {TASK: record}, [Seen(TASK, snapshot, **more)], NOW).decisions
    assert (decision.task, decision.state) == (TASK, snapshot.state)
    return decision


def test_why_something_is_done():
    assert "No." in why(Record(), ERROR).why and "1 of 3 in 24 hours" in why(Record(), ERROR).why
    never = why(Record(), TaskSnapshot("ERROR", None, "Ora-01"), NEVER)
    assert "ORA-0*1" in never.why and "never_if" in never.why
    assert "FATAL_ERROR" in why(Record(), ERROR, NEVER).why
    assert why(Record(), TaskSnapshot("ERROR")).why.startswith("ERROR. Restart 1 ")
    assert why(Record(), STOPPED, BOTH).why.startswith("STOPPED, NORMAL. Restart 1 ")
    unfinished = noted(Record((NOW - 3, NOW - 2)), NOW - 1, is_stopped_first=True)
    assert why(unfinished, STOPPED).why.endswith(
        " that did not finish. It is started; that restart was already counted"
    )
    waiting = why(Record((NOW - 200, NOW - 100)), ERROR)
    assert (waiting.kind, waiting.restarts, waiting.until) == ("wait", 2, NOW + 260)
    assert "3 of 3" in waiting.why and "2027-01-15T08:04:20Z" in waiting.why and "2027-01-15T07:58:20Z" in waiting.why
    assert "2027-01-15T07:59:00Z" in why(Record((NOW - 60,)), ERROR).why
    assert why(Record((NOW - 200, NOW - 360)), ERROR).kind == "restart"
    assert why(Record((NOW - 361, NOW - 359)), ERROR).kind == "wait"
    tired = why(Record((NOW - 3, NOW - 2, NOW - 1)), ERROR)
    assert tired.kind == "quarantine" and "2027-01-15T08:00:00Z" in tired.why and tired.until is None
    assert "night.json" in why(Record(), ERROR, window="night.json").why
    late = why(Record(), RUNNING, latency=Latency(600.5, "600.5 s"))
    assert "600.5 s" in late.why and " 600 s" in late.why and late.kind == "restart"
    long = why(Record(), TaskSnapshot("ERROR", None, "x" * 201)).why
    assert "x" * 200 + "...)" in long and "x" * 201 not in long
    assert "x" * 200 + ")" in why(Record(), TaskSnapshot("ERROR", None, "x" * 200)).why


BOTH = POLICY._replace(states=frozenset(["ERROR", "STOPPED"]))


@pytest.mark.parametrize(
    ("snapshot", "policy", "kind"),
    [
        (TaskSnapshot("ERROR", "RECOVERABLE_ERROR"), POLICY, None),  # it retries by itself
        (TaskSnapshot("ERROR", "FULL_LOAD_ONLY_FINISHED"), POLICY, None),
        (ERROR, POLICY._replace(states=frozenset(["STOPPED"])), None),
        (STOPPED, POLICY, None),
        (STOPPED, BOTH, "restart"),
        (TaskSnapshot("STOPPED"), BOTH, None),  # it may never have run
        (TaskSnapshot("STOPPED", None, "It broke."), BOTH, "restart"),
        (TaskSnapshot("STOPPED", "FULL_LOAD_ONLY_FINISHED"), BOTH, None),
        (TaskSnapshot("RECOVERY"), BOTH, None),
        (RUNNING, BOTH, None),
    ],
)
def test_what_is_sick(snapshot, policy, kind):
    assert one(Record(), snapshot, policy)[0] == kind


def test_without_a_limit_no_latency_is_too_high():
    late = Latency(601, "601 s")
    assert one(Record(), RUNNING, latency=late)[0] == "restart"
    assert one(Record(), RUNNING, POLICY._replace(max_latency=None), latency=late)[0] is None
    assert one(Record(), TaskSnapshot("RECOVERY"), latency=late)[0] is None


def test_who_is_released_begins_anew():
    full = Record((NOW - 3, NOW - 2, NOW - 1), NOW - 1, False, NOW)
    plan = decide(POLICY, {TASK: full}, [Seen(TASK, ERROR, is_released=True)], NOW)
    assert plan.released == [TASK] and plan.decisions[0].kind == "restart" and plan.memory == {}
    free = Record((NOW - HOUR,))
    plan = decide(POLICY, {TASK: free}, [Seen(TASK, RUNNING, is_released=True)], NOW)
    assert plan.released == [] and plan.memory == {TASK: free}


DAY = 24 * HOUR


@pytest.mark.parametrize(
    ("record", "kept"),
    [
        (Record((NOW - DAY, NOW - DAY + 1)), Record((NOW - DAY + 1,))),
        (Record((NOW - DAY,)), None),
        (Record((NOW + 5,)), Record((NOW,))),  # the clock was set back
        (Record((), NOW + 5, False, NOW + 6), Record((), NOW, False, NOW)),
        (Record((), NOW - 40 * DAY, False, NOW - 30 * DAY + 1), Record((), NOW - 40 * DAY, False, NOW - 30 * DAY + 1)),
        (Record((), NOW - 40 * DAY, False, NOW - 30 * DAY), None),
        (
            Record((NOW - 1,), NOW - 40 * DAY, True, NOW - 30 * DAY),
            Record((NOW - 1,), NOW - 40 * DAY, True, NOW - 30 * DAY),
        ),
        (Record((), NOW - 1, False, None), Record((), NOW - 1, False, None)),
    ],
)
def test_what_still_counts_of_a_task_that_is_not_listed(record, kept):
    assert decide(POLICY, {TASK: record}, [], NOW).memory == ({} if kept is None else {TASK: kept})


def test_when_a_task_was_listed_last_is_noted_once_a_day():
    for seen, noted_as in [(NOW - DAY, NOW), (NOW - DAY + 1, NOW - DAY + 1), (None, NOW)]:
        record = Record((), NOW - HOUR, False, seen)
        assert one(record, ERROR)[1] == record._replace(seen=noted_as)
