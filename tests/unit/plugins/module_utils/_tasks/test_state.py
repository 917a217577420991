# Copyright (c) 2026, dataops.qlik_em contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest
from ansible_collections.dataops.qlik_em.plugins.module_utils._common.wait import Waiting
from ansible_collections.dataops.qlik_em.plugins.module_utils._tasks.model import TaskSnapshot, snapshot_of
from ansible_collections.dataops.qlik_em.plugins.module_utils._tasks.operation import Operation
from ansible_collections.dataops.qlik_em.plugins.module_utils._tasks.state import plan

FINISHED = "FULL_LOAD_ONLY_FINISHED"


def operation(wanted, **more):
    return Operation(wanted, 60, False, Waiting(300, 2), **more)


@pytest.mark.parametrize(
    ("wanted", "state", "stop_reason", "stop", "run", "after"),
    [
        ("stopped", "RUNNING", None, True, False, "STOPPED"),
        ("stopped", "RECOVERY", None, True, False, "STOPPED"),
        ("stopped", "STARTING", None, True, False, "STOPPED"),
        ("stopped", "STOPPING", None, True, False, "STOPPED"),
        ("stopped", "PAUSED", None, True, False, "STOPPED"),
        ("stopped", "STOPPED", None, False, False, "STOPPED"),
        ("stopped", "ERROR", None, False, False, "ERROR"),
        ("started", "RUNNING", None, False, False, "RUNNING"),
        ("started", "RECOVERY", None, False, False, "RECOVERY"),
        ("started", "STARTING", None, False, False, "STARTING"),
        ("started", "STOPPING", None, False, True, "RUNNING"),
        ("started", "STOPPED", "NORMAL", False, True, "RUNNING"),
        ("started", "STOPPED", None, False, True, "RUNNING"),
        ("started", "STOPPED", FINISHED, False, False, "STOPPED"),
        ("started", "STOPPED", "STOPPED_AFTER_FULL_LOAD", False, True, "RUNNING"),
        ("started", "ERROR", "FATAL_ERROR", False, True, "RUNNING"),
        ("started", "PAUSED", None, False, True, "RUNNING"),
        ("started", "NEVER_HEARD_OF", None, False, True, "RUNNING"),
        ("restarted", "RUNNING", None, True, True, "RUNNING"),
        ("restarted", "STOPPED", FINISHED, False, True, "RUNNING"),
        ("reloaded", "RECOVERY", None, True, True, "RUNNING"),
        ("reloaded", "ERROR", None, False, True, "RUNNING"),
    ],
)
def test_plan(wanted, state, stop_reason, stop, run, after):
    todo = plan(operation(wanted), TaskSnapshot(state, stop_reason))
    assert (todo.stop, todo.run, todo.before, todo.after) == (stop, run, state, after)
    assert todo.changed is (stop or run)


@pytest.mark.parametrize(("wanted", "run"), [("stopped", False), ("restarted", True), ("reloaded", True)])
def test_without_a_snapshot_everything_is_sent(wanted, run):
    todo = plan(operation(wanted), None)
    assert (todo.stop, todo.run) == (True, run)


def test_snapshots_of_details_and_of_items_of_lists():
    details = {"name": "a", "state": "RECOVERING", "task_stop_reason": "NONE", "message": "m", "memory_mb": 3}
    assert snapshot_of(details) == TaskSnapshot("RECOVERY", "NONE", "m", 3)
    assert snapshot_of({"name": "a", "state": "STOPPED", "stop_reason": "NORMAL"}) == TaskSnapshot("STOPPED", "NORMAL")


@pytest.mark.parametrize(
    ("snapshot", "stopped", "at_rest", "up"),
    [
        (TaskSnapshot("STOPPED", memory_mb=0), True, True, False),
        (TaskSnapshot("STOPPED", memory_mb=7), True, False, False),
        (TaskSnapshot("ERROR"), True, True, False),
        (TaskSnapshot("STOPPING", memory_mb=0), False, False, False),
        (TaskSnapshot("RUNNING", memory_mb=0), False, False, False),
        (TaskSnapshot("RUNNING", memory_mb=7), False, False, True),
        (TaskSnapshot("RUNNING"), False, False, True),
        (TaskSnapshot("RECOVERY", memory_mb=7), False, False, False),
    ],
)
def test_at_rest_and_up(snapshot, stopped, at_rest, up):
    assert (snapshot.is_stopped, snapshot.is_at_rest, snapshot.is_up) == (stopped, at_rest, up)
