# Copyright (c) 2026, dataops.qlik_em contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""From which points in time tasks are started again: never later than what has arrived at the target."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
from ansible_collections.dataops.qlik_em.plugins.module_utils._client.errors import ApiError, InputError, TransportError
from ansible_collections.dataops.qlik_em.plugins.module_utils._client.limits import Limits
from ansible_collections.dataops.qlik_em.plugins.module_utils._common.wait import Waiting
from ansible_collections.dataops.qlik_em.plugins.module_utils._fleets import progress
from ansible_collections.dataops.qlik_em.plugins.module_utils._fleets import restart_points as module
from ansible_collections.dataops.qlik_em.plugins.module_utils._fleets.checkpoint import Reading
from ansible_collections.dataops.qlik_em.plugins.module_utils._fleets.fleet import Job
from ansible_collections.dataops.qlik_em.plugins.module_utils._fleets.options import FleetLimits
from ansible_collections.dataops.qlik_em.plugins.module_utils._fleets.restart_points import (
    LastReadings,
    check_margin,
    from_safe_points,
    read_latencies,
    reading_of,
    start_options,
)
from ansible_collections.dataops.qlik_em.plugins.module_utils._run.result import Mode
from ansible_collections.dataops.qlik_em.plugins.module_utils._tasks.model import TaskName, TaskSnapshot
from ansible_collections.dataops.qlik_em.plugins.module_utils._tasks.operation import Operation

NOW = 1_795_471_200  # 2026-11-23T22:00:00Z
A, B, C = (TaskName("S", name) for name in "abc")
UNKNOWN = Reading(None, 0)


def details(latency="00:00:05", state="RUNNING", **counters):
    return {"state": state, "cdc_latency": {"total_latency": latency}, "full_load_counters": counters}


LOADS_ONLY = {"state": "RUNNING", "full_load_counters": {}}
LOADING = details(tables_loading_count=1)


@pytest.mark.parametrize(
    ("shown", "reading"),
    [
        (details(), Reading(5, NOW)),
        (details("00:00:05.001"), Reading(6, NOW)),  # rather too early
        (details("00:00:00"), Reading(0, NOW)),
        (details("87600:00:00"), Reading(315_360_000, NOW)),
        (details("87600:00:01"), UNKNOWN),  # longer than ten years
        (details("soon"), UNKNOWN),
        (details(state="RECOVERY"), UNKNOWN),
        (details(state="STOPPED"), UNKNOWN),
        (LOADING, UNKNOWN),
        (details(tables_queued_count=1), UNKNOWN),
        (LOADS_ONLY, None),
    ],
)
def test_how_far_a_task_is_behind(shown, reading):
    assert reading_of(shown, NOW) == reading


def test_the_options():
    assert start_options() == {
        "from": {"type": "str", "choices": ["where_it_stopped", "safe_point"], "default": "where_it_stopped"},
        "restart_margin": {"type": "int", "default": 600},
        "force": {"type": "bool", "default": False},
    }
    given = {"state": "restored", "from": "safe_point", "force": True, "restart_margin": 0}
    assert check_margin(given) == 0
    for other in ({"state": "frozen"}, {"from": "where_it_stopped"}):
        assert check_margin({**given, "force": False, "restart_margin": 7, **other}) == 7
    with pytest.raises(InputError) as raised:
        check_margin({**given, "force": False})
    assert "from: safe_point" in str(raised.value) and str(raised.value).endswith("force: true.")
    with pytest.raises(InputError) as raised:
        check_margin({**given, "restart_margin": -1})
    assert str(raised.value) == "restart_margin must be between 0 and 86400 seconds, not -1."


class Server:
    """An API that shows these details of tasks; ``asked`` are the tasks that were read."""

    def __init__(self, shown, **limits):
        self.shown, self.asked = shown, []
        self.client = SimpleNamespace(
            limits=Limits(**limits), interrupt=SimpleNamespace(abandon=lambda: None), last_date=("", 0.0)
        )

    def get_task_details(self, server, name):
        self.asked.append(TaskName(server, name))
        found = self.shown[TaskName(server, name)]
        if isinstance(found, Exception):
            raise found
        return found


@pytest.fixture(autouse=True)
def clock(monkeypatch):
    """The time of Enterprise Manager; a test may move it."""
    times = [NOW]
    monkeypatch.setattr(module, "server_time", lambda client: times[0] if client.last_date else None)
    return times


LIMITS = FleetLimits(2, 1, None)


def read(shown, check=False, interval=5.0):
    """Return the readings of tasks, what the caller should know, and the lines that were shown meanwhile."""
    shows = []
    api = Server(shown, progress_interval=interval)
    readings, warnings = read_latencies(api, list(shown), LIMITS, Mode(check, False, shows.append))
    assert sorted(api.asked) == sorted(shown)
    return readings, warnings, shows


def test_the_latencies_of_running_tasks():
    assert read({A: details(), B: LOADS_ONLY, C: details("00:01:00")}) == (
        {A: Reading(5, NOW), C: Reading(60, NOW)},
        [],
        [],
    )
    assert read({}) == ({}, [], [])


def test_whose_latency_cannot_be_read():
    readings, warnings, _shows = read({A: ApiError("a is away.", "", "X"), B: details("soon"), C: LOADING})
    assert readings == {A: UNKNOWN, B: UNKNOWN, C: UNKNOWN}
    (warning,) = warnings
    assert " 2 tasks " in warning and warning.endswith(': S/b (unknown ("soon")), a is away..')
    many = {TaskName("S", f"t{number:02}"): details("soon") for number in range(25, 0, -1)}
    (warning,) = read(many)[1]
    assert " 25 tasks " in warning and 'S/t01 (unknown ("soon")), S/t02' in warning
    assert warning.endswith("and 5 more.")


def test_progress_is_shown_unless_it_is_a_dry_run(monkeypatch):
    monkeypatch.setattr(progress, "pause_after", lambda _elapsed, _limits: 0.0)
    tasks = {A: details(), B: details()}
    assert read(tasks, interval=0.0)[2] == [
        "recorded: the latencies of 1 of 2 tasks are read",
        "recorded: the latencies of 2 of 2 tasks are read",
    ]
    assert read(tasks, check=True, interval=0.0)[2] == []


def test_what_is_under_way_is_abandoned_if_nobody_can_watch():
    def fail(_line):
        raise OSError("The terminal was closed.")

    api, abandoned = Server({A: details()}, progress_interval=0.0), []
    api.client.interrupt.abandon = lambda: abandoned.append(1)
    with pytest.raises(OSError, match="terminal"):
        read_latencies(api, [A], LIMITS, Mode(False, False, fail))
    assert abandoned == [1]


@pytest.mark.parametrize(
    ("before", "shown", "after"),
    [
        (Reading(5, NOW - 60), details("00:00:07"), Reading(7, NOW)),
        (UNKNOWN, details("00:00:07"), Reading(7, NOW)),
        (UNKNOWN, LOADS_ONLY, None),
        (Reading(5, NOW - 60), LOADS_ONLY, Reading(5, NOW - 60)),
        (Reading(5, NOW - 60), LOADING, UNKNOWN),
        (Reading(5, NOW - 60), details("soon"), Reading(5, NOW - 60)),  # a task only moves on
        (Reading(5, NOW - 60), details(state="RECOVERY"), Reading(5, NOW - 60)),
        (Reading(5, NOW - 60), ApiError("No.", "", "X"), Reading(5, NOW - 60)),
        (Reading(5, NOW - 60), TransportError("Lost."), Reading(5, NOW - 60)),
        (Reading(5, NOW + 1), details("00:00:07"), Reading(7, NOW)),  # its clock was set back
    ],
)
def test_an_old_reading_is_taken_again_before_the_stop(before, shown, after):
    readings = LastReadings(Server({A: shown}), {A: before})
    readings.refresh(A)
    assert readings.found.get(A) == after


def test_a_fresh_one_is_not():
    server, given = Server({A: details()}), {A: Reading(5, NOW - 59), B: Reading(5, NOW)}
    readings = LastReadings(server, given)
    for task in (A, B, C):
        readings.refresh(task)
    assert server.asked == [] and readings.found == given and readings.found is not given


STOPPED, RUNNING = TaskSnapshot("STOPPED", "NORMAL"), TaskSnapshot("RUNNING")
START = Operation("started", 60, True, Waiting(300, 2))


def job(task, listed=STOPPED):
    return Job(task, START, listed, 0.0)


def points(waves, readings, margin=600, stopping=(), now=NOW):
    """Return from where the jobs of each wave are started."""
    found = from_safe_points(waves, readings, margin, stopping, now)
    assert [[one.task for one in wave] for wave in found] == [[one.task for one in wave] for wave in waves]
    return [[(one.operation.run_option, one.operation.cdc_position) for one in wave] for wave in found]


AS_BEFORE = ("RESUME_PROCESSING", None)
FROM = "RESUME_PROCESSING_FROM_TIMESTAMP"


def test_the_start_is_before_what_has_arrived():
    readings = {A: Reading(60, NOW - 100), B: Reading(0, NOW - 100)}
    assert points([[job(A)], [job(B), job(C)]], readings) == [
        [(FROM, "2026-11-23T21:47:20")],
        [(FROM, "2026-11-23T21:48:20"), AS_BEFORE],
    ]
    assert points([[job(C), job(A)]], readings) == [[AS_BEFORE, (FROM, "2026-11-23T21:47:20")]]


def test_what_runs_is_left_alone_unless_it_may_be_stopping():
    readings = {A: Reading(60, NOW - 100), B: UNKNOWN}
    assert points([[job(A, RUNNING), job(B, RUNNING)]], readings) == [[AS_BEFORE, AS_BEFORE]]
    assert points([[job(A, RUNNING)]], readings, stopping={A}) == [[(FROM, "2026-11-23T21:47:20")]]


def test_without_a_point_nothing_is_started():
    with pytest.raises(InputError) as raised:
        points([[job(A), job(B)], [job(C)]], {A: UNKNOWN, B: Reading(0, NOW - 100), C: UNKNOWN})
    assert " 2 of the tasks" in f" {raised.value}" and ": S/a, S/c. Nothing was started." in str(raised.value)


def test_nothing_is_started_from_the_future():
    readings = {A: Reading(0, NOW), B: Reading(0, NOW - 1)}
    with pytest.raises(InputError) as raised:
        points([[job(A), job(B)]], readings, margin=0)
    assert " 1 task" in str(raised.value) and ": S/a (2026-11-23T22:00:00Z). " in str(raised.value)
    assert str(raised.value).count("2026-11-23T22:00:00Z") == 2  # and the time by Enterprise Manager's clock
    with pytest.raises(InputError, match=r": S/a \(2026-11-23T22:00:00Z\), S/c \(2026-11-23T22:00:01Z\)\. "):
        points([[job(A)], [job(C)]], {**readings, C: Reading(0, NOW + 1)}, margin=0)
    assert points([[job(B)]], readings, margin=0) == [[(FROM, "2026-11-23T21:59:59")]]
