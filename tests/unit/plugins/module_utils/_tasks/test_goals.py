# Copyright (c) 2026, dataops.qlik_em contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How far a started task is followed: when it counts as up, loaded, finished, or as having failed."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
from ansible_collections.dataops.qlik_em.plugins.module_utils._client.errors import AemError, ApiError, WaitError
from ansible_collections.dataops.qlik_em.plugins.module_utils._common.wait import Waiting
from ansible_collections.dataops.qlik_em.plugins.module_utils._tasks.goals import (
    ALL_TABLES,
    Goal,
    Tables,
    check_possible,
    load_times,
    missing,
)
from ansible_collections.dataops.qlik_em.plugins.module_utils._tasks.latency import Latency
from ansible_collections.dataops.qlik_em.plugins.module_utils._tasks.model import TaskName, TaskSnapshot
from ansible_collections.dataops.qlik_em.plugins.module_utils._tasks.operation import (
    FINISHED,
    LATENCY,
    LOADED,
    METADATA_OPTIONS,
    RELOAD,
    Operation,
)
from ansible_collections.dataops.qlik_em.plugins.module_utils._tasks.work import Work

TASK = TaskName("S", "T")
WORK = Work(False, False, False, 2, 2, 0, 7, 7, Latency(5.0, "5 s"), True)
UP = TaskSnapshot("RUNNING", "NONE", None, 7, WORK)
STOPPED = TaskSnapshot("STOPPED", "NORMAL", None, 0, WORK)
READY = ["TABLE_CHANGE_PROCESSING", "table_completed"]


def operation(state="started", **more):
    return Operation(state, 60, more.pop("wait", True), Waiting(300, 2), **more)


def goal(states=(), *, op):
    """Return the goal of an operation on a task with tables in these states."""
    asked = []

    def get_table_list(*arguments):
        asked.append(arguments)
        return [{"schema": "dbo", "table": f"t{number}", "state": state} for number, state in enumerate(states)]

    limits = SimpleNamespace(stable_readings=3)
    made = Goal(SimpleNamespace(client=SimpleNamespace(limits=limits), get_table_list=get_table_list), TASK, op)
    made.asked = asked
    return made


@pytest.mark.parametrize(
    ("op", "snapshot", "reached"),
    [
        (operation(), UP, True),
        (operation(), UP._replace(memory_mb=0), False),
        (operation(), UP._replace(state="RECOVERY"), False),
        (operation(wait=False), UP._replace(memory_mb=0), True),
        (operation(wait=False), UP._replace(state="RECOVERY"), True),
        (operation(wait=False), UP._replace(state="STARTING"), False),
        (operation(wait_for=FINISHED), UP, False),
        (operation(run_option=METADATA_OPTIONS[0]), UP, False),
    ],
)
def test_a_task_that_runs(op, snapshot, reached):
    assert goal(op=op).is_reached(snapshot) is reached


def reached(one, *snapshots):
    """Return what is_reached says of each of the readings."""
    return [one.is_reached(snapshot) for snapshot in snapshots]


def test_a_low_latency_must_be_seen_several_times_in_a_row():
    late = UP._replace(work=WORK._replace(latency=Latency(10.5, "10.5 s")))
    unknown = UP._replace(work=WORK._replace(latency=None))
    one = goal(op=operation(wait_for=LATENCY))
    assert reached(one, UP, UP, late, UP, UP, UP, UP) == [False] * 5 + [True, True]
    assert one.asked == []
    for doubtful in (unknown, UP._replace(work=None), UP._replace(work=WORK._replace(is_loading=True))):
        assert reached(goal(op=operation(wait_for=LATENCY)), *[doubtful] * 4) == [False] * 4
    assert reached(goal(op=operation(wait_for=LATENCY, max_latency=11)), late, late, late)[-1] is True
    down = UP._replace(memory_mb=0)
    assert reached(goal(op=operation(wait_for=LATENCY)), UP, UP, down, UP, UP, UP) == [False] * 5 + [True]


@pytest.mark.parametrize(
    ("states", "snapshot", "is_loaded"),
    [
        (READY, UP, True),
        (["TABLE_COMPLETED"], UP._replace(work=WORK._replace(only_loads=None)), True),
        (["TABLE_COMPLETED"], UP._replace(work=WORK._replace(only_loads=True)), True),
        (["TABLE_COMPLETED"], UP, False),  # it captures changes: the cached ones are still to be applied
        (["TABLE_CHANGE_PROCESSING"], UP, True),
        (["TABLE_CHANGE_PROCESSING"], UP._replace(work=WORK._replace(tables_completed=0)), True),
        (["TABLE_CHANGE_PROCESSING", "TABLE_LOADING"], UP, False),
        ([None], UP, False),
        ([], UP, True),  # the counters say that tables were loaded
        ([], UP._replace(work=WORK._replace(tables_completed=0)), False),
        ([], UP._replace(work=WORK._replace(tables_completed=None)), False),
        ([], UP._replace(work=None), False),
        (READY, UP._replace(work=WORK._replace(is_loading=True)), False),
        (READY, UP._replace(memory_mb=0), False),
    ],
)
def test_all_tables_are_loaded(states, snapshot, is_loaded):
    if states == READY:
        snapshot = snapshot._replace(work=snapshot.work._replace(only_loads=True))
    one = goal(states, op=operation(wait_for=LOADED))
    assert reached(one, snapshot, snapshot, snapshot) == [False, False, is_loaded]
    assert all(asked == (*TASK, ALL_TABLES) for asked in one.asked)


def test_tables_in_error_end_the_wait():
    one = goal(["TABLE_ERROR", "table_change_processing", "TABLE_ERROR"], op=operation(wait_for=LOADED))
    assert reached(one, UP, UP) == [False, False]
    with pytest.raises(WaitError) as raised:
        one.is_reached(UP)
    assert str(raised.value) == (
        'The task "T" on server "S" has loaded its tables, but 2 of them are in error: dbo.t0, dbo.t2.'
    )
    assert raised.value.hint == (
        "Look at the tables and at the task's log in the console; aem_table reloads or resumes tables."
    )
    assert raised.value.facts == {"task": UP.view(TASK)}
    # One table is on its way all the same: wait.
    assert reached(goal(["TABLE_ERROR", "TABLE_LOADING"], op=operation(wait_for=LOADED)), UP, UP, UP, UP) == [False] * 4


def test_of_many_tables_in_error_the_first_are_named():
    with pytest.raises(WaitError) as raised:
        Tables(True, [f"t{number:02}" for number in range(30, 0, -1)]).check(TASK, UP)
    assert "30 of them are in error: t01, t02, " in str(raised.value) and str(raised.value).endswith("and 10 more.")


DONE = STOPPED._replace(stop_reason="FULL_LOAD_ONLY_FINISHED")
UNSAID = STOPPED._replace(stop_reason=None)
COMPOSE = UNSAID._replace(work=WORK._replace(is_compose=True))


@pytest.mark.parametrize(
    ("op", "snapshot", "is_well"),
    [
        (operation(), DONE, True),
        (operation(), STOPPED, False),
        (operation(), UNSAID, False),  # to be up was wanted
        (operation(), COMPOSE, True),
        (operation(), COMPOSE._replace(message="It broke."), False),
        (operation(run_option=METADATA_OPTIONS[0]), STOPPED, True),
        (operation(run_option=METADATA_OPTIONS[0]), STOPPED._replace(message="It broke."), False),
        (operation(wait_for=FINISHED), DONE, True),
        (operation(wait_for=FINISHED), UNSAID, True),
        (operation(wait_for=FINISHED), STOPPED, False),
        (operation(wait_for=LATENCY), DONE, False),
        (operation(wait_for=LOADED), DONE, True),
        (operation(wait_for=LOADED), STOPPED, False),
    ],
)
def test_a_task_that_has_stopped(op, snapshot, is_well):
    assert goal(["TABLE_CHANGE_PROCESSING"], op=op).is_ended_well(snapshot) is is_well


def test_a_task_that_has_stopped_has_loaded_its_tables_only_if_they_show_it():
    op = operation(wait_for=LOADED)
    assert goal(["TABLE_LOADING"], op=op).is_ended_well(DONE) is False
    with pytest.raises(WaitError, match="has loaded its tables, but 1 of them are in error"):
        goal(["TABLE_ERROR"], op=op).is_ended_well(DONE)


@pytest.mark.parametrize(
    ("op", "text"),
    [
        (operation(run_option=METADATA_OPTIONS[1]), "has not created its tables and stopped"),
        (operation(wait_for=LATENCY, max_latency=30), "has not reached a latency of 30 s (max_latency)"),
        (operation(wait_for=LOADED), "has not loaded all its tables"),
        (operation(wait_for=FINISHED), "has not finished"),
    ],
)
def test_what_is_missing_at_the_time_out(op, text):
    assert missing(op) == text


def test_when_tables_were_loaded():
    statuses = [
        {"schema_on_source": "dbo", "table_on_source": name, "table_full_load_info": {"end": end}}
        for name, end in (("b", 2), ("a", 1))
    ]
    api = SimpleNamespace(get_table_statuses=lambda server, name, flags: statuses if flags == ALL_TABLES else [])
    assert load_times(api, TASK) == ["dbo a {'end': 1}", "dbo b {'end': 2}"]

    def refuse(*_arguments):
        raise ApiError("No.", "", "X")

    assert load_times(SimpleNamespace(get_table_statuses=refuse), TASK) == []


def test_all_tables_are_asked_for():
    assert ALL_TABLES == {
        "includequeued": "true",
        "includeloading": "true",
        "includecompleted": "true",
        "includechangeprocessing": "true",
        "includeerror": "true",
    }


def never():
    raise AssertionError("read for nothing")


def test_the_details_are_read_once():
    op = operation(wait_for=LOADED)
    assert check_possible(TASK, op, UP, never) is UP
    assert check_possible(TASK, op, None, lambda: UP) is UP
    assert check_possible(TASK, op, TaskSnapshot("RUNNING"), lambda: UP) is UP
    assert check_possible(TASK, op, None, lambda: TaskSnapshot("RUNNING")) == TaskSnapshot("RUNNING")


@pytest.mark.parametrize(
    ("op", "asked"),
    [
        (operation(wait_for=LOADED), "wait_for: loaded"),
        (operation(wait_for=LATENCY), "wait_for: latency"),
        (operation(run_option=RELOAD), "run_option: reload_target"),
        (operation("reloaded", run_option=RELOAD), "state: reloaded"),
    ],
)
def test_what_compose_cannot_do(op, asked):
    with pytest.raises(AemError) as raised:
        check_possible(TASK, op, COMPOSE, never)
    assert str(raised.value) == (
        f'{asked} is for Replicate tasks only, but the task "T" on server "S" is a Compose task. Nothing was sent.'
    )
    assert raised.value.hint == (
        "Compose tasks and workflows are started and restarted without run_option; wait_for: finished waits until "
        "they are done."
    )


def test_a_task_that_only_loads_has_no_latency():
    loads = UP._replace(work=WORK._replace(only_loads=True))
    assert check_possible(TASK, operation(wait_for=LOADED), loads, never) is loads
    with pytest.raises(AemError) as raised:
        check_possible(TASK, operation(wait_for=LATENCY), loads, never)
    assert str(raised.value) == (
        'The task "T" on server "S" captures no changes, so it has no latency. Nothing was sent.'
    )
    assert raised.value.hint == "Use wait_for: finished for a task that only loads."
