# Copyright (c) 2026, dataops.qlik_em contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The pure functions, against a model: what a task does over time."""

from __future__ import annotations

from ansible_collections.dataops.qlik_em.tests.simulator import timeline
from ansible_collections.dataops.qlik_em.tests.simulator.document import Task
from hypothesis import given, settings
from hypothesis import strategies as st

SECONDS = st.sampled_from([0, 0.5, 1, 2, 7])
# A phase that lasts 0 seconds is never in force: without STARTING and RUNNING, STOPPED becomes RECOVERY at once.
ALLOWED = {
    "STOPPED": {"STARTING", "RUNNING", "RECOVERY", "ERROR", "STOPPED"},
    "ERROR": {"STARTING", "RUNNING", "RECOVERY", "ERROR", "STOPPED"},
    "STARTING": {"RUNNING", "ERROR", "STOPPING", "STOPPED", "RECOVERY"},
    "RUNNING": {"RECOVERY", "ERROR", "STOPPED", "STOPPING"},
    "RECOVERY": {"RUNNING", "ERROR", "STOPPING", "STOPPED"},
    "STOPPING": {"STOPPED"},
}


@st.composite
def tasks(draw: st.DrawFn) -> Task:
    """Any behaviour."""
    return Task(
        name="t",
        state=draw(st.sampled_from(["STOPPED", "RUNNING", "ERROR", "RECOVERY"])),
        start_seconds=draw(SECONDS),
        stop_seconds=draw(SECONDS),
        stuck_in_starting=draw(st.booleans()),
        stuck_in_stopping=draw(st.booleans()),
        error_after_start=draw(st.none() | st.just("broken")),
        error_after_seconds=draw(SECONDS),
        recover_after=draw(st.none() | SECONDS),
        recovery_seconds=draw(st.none() | SECONDS),
        recovery_ends_in=draw(st.sampled_from(["RUNNING", "ERROR"])),
        full_load_only=draw(st.booleans()),
        full_load_seconds=draw(SECONDS),
        memory_lag=draw(SECONDS),
    )


@settings(max_examples=150, deadline=None, database=None)
@given(tasks(), st.lists(st.tuples(st.sampled_from(["run", "stop", "wait"]), SECONDS), max_size=12), st.booleans())
def test_a_timeline_makes_sense(task: Task, actions: list[tuple[str, float]], show: bool) -> None:
    """States follow each other as allowed; phases ascend; what is hidden is not shown; nothing wakes for nothing."""
    now = 100.0
    line = timeline.begin(task, now)
    before = timeline.current(line, now).state
    for action, pause in actions:
        state = timeline.current(line, now).state
        if action == "run" and state in ("STOPPED", "ERROR"):
            line = timeline.started(task, line, now, show)
        elif action == "stop" and state not in ("STOPPED", "ERROR", "STOPPING"):
            line = timeline.stopped(task, line, now, show)
        begins = [phase.at for phase in line]
        assert begins == sorted(begins)
        assert len(line) <= 12
        end = now + pause
        while True:
            phase = timeline.current(line, now)
            assert phase.state == before or phase.state in ALLOWED[before]
            before = phase.state
            assert (phase.shown in ("STARTING", "STOPPING")) is (show and before in ("STARTING", "STOPPING"))
            lives = timeline.current(line, now - task.memory_lag).state in ("RUNNING", "RECOVERY", "STOPPING")
            assert timeline.memory_mb(task, line, now) == (120 if lives else 0)
            due = timeline.next_change(line, now)
            if due is None or due > end:
                break
            assert due > now
            now = due
        now = end


def test_a_stop_always_ends_stopped() -> None:
    """Unless it is stuck."""
    task = Task(name="t", state="RUNNING", stop_seconds=2, recover_after=1, recovery_seconds=1)
    line = timeline.stopped(task, timeline.begin(task, 0), 0.5, True)
    assert [(phase.at, phase.state) for phase in line] == [(0, "RUNNING"), (0.5, "STOPPING"), (2.5, "STOPPED")]
    assert timeline.current(line, 99).stop_reason == "NORMAL"


def test_old_phases_are_forgotten() -> None:
    """A task that is stopped and started for years does not grow."""
    task = Task(name="t", state="RUNNING")
    line = timeline.begin(task, 0)
    for turn in range(1, 100):
        change = timeline.stopped if turn % 2 else timeline.started
        line = change(task, line, float(turn), True)
    assert len(line) < 12


def test_a_task_may_begin_in_the_middle() -> None:
    """A document may name a transient state; it takes its time from there, or is stuck."""
    stopping = timeline.begin(Task(name="t", state="STOPPING", stop_seconds=2), 10)
    assert [(phase.at, phase.state) for phase in stopping] == [(10, "STOPPING"), (12, "STOPPED")]
    starting = timeline.begin(Task(name="t", state="STARTING", start_seconds=3), 10)
    assert [(phase.at, phase.state) for phase in starting] == [(10, "STARTING"), (13, "RUNNING")]
    for state in ("STARTING", "STOPPING"):
        stuck = Task(name="t", state=state, stuck_in_starting=True, stuck_in_stopping=True)
        assert [phase.state for phase in timeline.begin(stuck, 10)] == [state]
