# Copyright (c) 2026, dataops.qlik_em contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the states and stop reasons of a task mean."""

from __future__ import annotations

import pytest
from ansible_collections.dataops.qlik_em.plugins.module_utils._client.errors import InputError
from ansible_collections.dataops.qlik_em.plugins.module_utils._tasks.model import (
    TaskName,
    TaskSnapshot,
    check_task,
    is_old_compose,
    snapshot_of,
    state_of,
)
from ansible_collections.dataops.qlik_em.plugins.module_utils._tasks.work import Work

TASK = TaskName("S", "a/b")
IDLE = Work(False, False, False, 1, 1, 0, 1, 1, None, False)
COMPOSE = IDLE._replace(is_compose=True)


def test_how_messages_name_a_task():
    assert TASK.subject == 'task "a/b" on server "S"' and str(TASK) == "S/a/b"


def test_the_options_that_name_a_task():
    assert check_task({"server": "S", "name": "a/b"}) == TASK
    for server, name, text in [
        (" ", "a", "server must not be empty or blank."),
        ("S", "..", 'name must not be "..": as a part of a URL it would address another object.'),
    ]:
        with pytest.raises(InputError) as raised:
            check_task({"server": server, "name": name})
        assert str(raised.value) == text


# Of each state: is it stopped, at rest, active, up (with a process of 7 MB)?
@pytest.mark.parametrize(
    ("state", "shown"),
    [
        ("STOPPED", (True, False, False, False)),
        ("ERROR", (True, False, False, False)),
        ("RUNNING", (False, False, True, True)),
        ("RECOVERY", (False, False, True, False)),
        ("STARTING", (False, False, True, False)),
        ("STOPPING", (False, False, False, False)),
        ("PAUSED", (False, False, False, False)),
    ],
)
def test_states(state, shown):
    task = TaskSnapshot(state, memory_mb=7)
    assert (task.is_stopped, task.is_at_rest, task.is_active, task.is_up) == shown
    for memory in (0, None):
        assert task._replace(memory_mb=memory).is_at_rest is shown[0]
    assert task._replace(memory_mb=0).is_up is False
    assert task._replace(memory_mb=None).is_up is (state == "RUNNING")


@pytest.mark.parametrize(
    ("state", "reason", "finished", "has_reason"),
    [
        ("STOPPED", "FULL_LOAD_ONLY_FINISHED", True, True),
        ("STOPPED", "STOPPED_AFTER_FULL_LOAD", True, True),
        ("STOPPED", "STOPPED_AFTER_CACHED_EVENTS", True, True),
        ("ERROR", "STOPPED_AFTER_DDL_APPLY", True, True),
        ("RUNNING", "FULL_LOAD_ONLY_FINISHED", False, False),
        ("STOPPED", "NORMAL", False, True),
        ("STOPPED", "NONE", False, False),
        ("STOPPED", "", False, False),
        ("STOPPED", None, False, False),
        ("ERROR", "FATAL_ERROR", False, False),
    ],
)
def test_stop_reasons(state, reason, finished, has_reason):
    task = TaskSnapshot(state, reason)
    assert (task.has_finished, task.has_reason) == (finished, has_reason)


@pytest.mark.parametrize(
    ("snapshot", "makes_tables", "may"),
    [
        (TaskSnapshot("STOPPED"), False, True),
        (TaskSnapshot("STOPPED", ""), False, True),
        (TaskSnapshot("STOPPED", "NONE"), False, True),
        (TaskSnapshot("STOPPED", "NORMAL"), False, False),
        (TaskSnapshot("STOPPED", "NORMAL"), True, True),
        (TaskSnapshot("STOPPED", None, "It broke."), False, False),
        (TaskSnapshot("STOPPED", "NORMAL", "It broke."), True, False),
        (TaskSnapshot("STOPPED", "STOPPED_AFTER_FULL_LOAD", "Done."), False, True),
        (TaskSnapshot("ERROR", "STOPPED_AFTER_FULL_LOAD"), False, True),
        (TaskSnapshot("ERROR"), True, False),
        (TaskSnapshot("RUNNING"), True, False),
    ],
)
def test_what_may_have_done_its_work(snapshot, makes_tables, may):
    assert snapshot.may_have_finished(makes_tables) is may


@pytest.mark.parametrize(
    ("state", "work", "compose", "quiet"),
    [
        ("RUNNING", IDLE, False, True),
        ("RUNNING", IDLE._replace(moves_data=True), False, False),
        ("RECOVERY", IDLE, False, False),
        ("RUNNING", COMPOSE, True, False),
        ("RUNNING", None, False, False),
    ],
)
def test_what_its_work_shows(state, work, compose, quiet):
    task = TaskSnapshot(state, work=work)
    assert (task.is_compose, task.is_quiet) == (compose, quiet)


def test_how_results_show_a_task():
    assert TaskSnapshot("STOPPED", "NORMAL", "m", 7, IDLE).view(TASK) == {
        "server": "S",
        "name": "a/b",
        "state": "STOPPED",
        "stop_reason": "NORMAL",
        "message": "m",
    }


def test_what_the_api_shows():
    assert state_of("running") == "RUNNING" and state_of("Recovering") == "RECOVERY"
    details = {"state": "stopped", "task_stop_reason": "NORMAL", "stop_reason": "NONE", "message": "m", "memory_mb": 7}
    assert snapshot_of(details) == TaskSnapshot("STOPPED", "NORMAL", "m", 7)
    assert snapshot_of({"state": "STOPPED", "task_stop_reason": "", "stop_reason": "NONE", "memory_mb": "7"}) == (
        TaskSnapshot("STOPPED", "NONE")
    )
    assert snapshot_of({"state": "RUNNING", "$type": "Compose.Task"}).is_compose is True


def test_numbers_that_json_spells_with_a_fraction():
    up, loads = {"state": "RUNNING", "memory_mb": 5.0}, {"tables_loading_count": 0.0, "tables_queued_count": 0.0}
    assert snapshot_of(up).is_up and not snapshot_of({**up, "memory_mb": 0.0}).is_up
    assert not snapshot_of({"state": "STOPPED", "memory_mb": 512.0}).is_at_rest
    for loading in (0.0, 1.0):
        work = snapshot_of({**up, "full_load_counters": {**loads, "tables_loading_count": loading}}).work
        assert work and work.is_loading == bool(loading)


@pytest.mark.parametrize(
    ("details", "is_old"),
    [
        ({"$type": "AemComposeServer", "version": "2024.4.0.1"}, True),
        ({"type": "COMPOSE", "version": "2023.11"}, True),
        ({"type": "COMPOSE", "version": "2024.5.0.1"}, False),
        ({"type": "COMPOSE", "version": "2025.1"}, False),
        ({"type": "COMPOSE", "version": ""}, False),
        ({"type": "COMPOSE"}, False),
        ({"type": "REPLICATE", "version": "2023.11"}, False),
        ({"version": "2023.11"}, False),
    ],
)
def test_a_compose_without_run_options(details, is_old):
    assert is_old_compose(details) is is_old
