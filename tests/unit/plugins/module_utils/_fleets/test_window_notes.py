# Copyright (c) 2026, dataops.qlik_em contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a maintenance window says of its tasks."""

from __future__ import annotations

from dataclasses import replace

import pytest
from ansible_collections.dataops.qlik_em.plugins.module_utils._client.errors import ApiError
from ansible_collections.dataops.qlik_em.plugins.module_utils._common.rows import Row
from ansible_collections.dataops.qlik_em.plugins.module_utils._common.wait import Waiting
from ansible_collections.dataops.qlik_em.plugins.module_utils._fleets.checkpoint import Checkpoint, RecordedTask
from ansible_collections.dataops.qlik_em.plugins.module_utils._fleets.fleet import Job
from ansible_collections.dataops.qlik_em.plugins.module_utils._fleets.second_look import DELETED, STOPPED_AGAIN
from ansible_collections.dataops.qlik_em.plugins.module_utils._fleets.window_notes import (
    diff_of_records,
    explain,
    not_back,
    recorded_values,
    started_meanwhile,
    stopped_since,
    take_over,
    unmovable,
)
from ansible_collections.dataops.qlik_em.plugins.module_utils._tasks.model import TaskSnapshot
from ansible_collections.dataops.qlik_em.plugins.module_utils._tasks.operation import Operation

RAN, RESTED = RecordedTask("S", "a", "RUNNING", 1), RecordedTask("S", "b", "STOPPED", 1)
AWAY = ApiError("S is away.", "Start it.", "AEM_SERVER_DOWN", http_status=500)


def window(*tasks):
    return Checkpoint("https://em.example.com", "2026-11-23T22:00:00Z", "recorded", {}, tasks)


def row(before, after, **more):
    return Row({"server": "S", "name": "a"}, "S/a", before, after, **more)


def test_what_was_recorded():
    checkpoint = window(RAN, RESTED)
    assert recorded_values(checkpoint) == {
        "checkpoint": checkpoint.document(),
        "counts": {"selected": 2, "running": 1},
    }


def test_the_diff_of_two_records():
    shown = diff_of_records(window(RAN), window(RAN._replace(state="STOPPED"), RESTED))
    assert shown["before_header"] == shown["after_header"] == "checkpoint"
    first = diff_of_records(None, window(RESTED))
    assert first["before"] != first["after"]
    assert "S/b" in str(first["after"]) and "STOPPED" in str(first["after"]) and "S/b" not in str(first["before"])
    assert "RUNNING" in str(shown["before"]) and "RUNNING" not in str(shown["after"])


def test_a_task_that_cannot_be_moved():
    assert unmovable(RAN, {"a": TaskSnapshot("STOPPED")}) is None
    assert unmovable(RAN, AWAY).view() == {
        "server": "S",
        "name": "a",
        "before": "UNKNOWN",
        "after": "UNKNOWN",
        "changed": False,
        "started": None,
        "failed": True,
        "skipped": False,
        "error_code": "AEM_SERVER_DOWN",
        "msg": "S is away.",
        "hint": "Start it.",
        "elapsed": None,
    }
    deleted = unmovable(RAN, {"b": TaskSnapshot("STOPPED")})
    assert deleted.view() == {
        "server": "S",
        "name": "a",
        "before": "NOT_EXIST",
        "after": "NOT_EXIST",
        "changed": False,
        "started": None,
        "failed": False,
        "skipped": True,
        "error_code": None,
        "msg": DELETED,
        "hint": "",
        "elapsed": 0.0,
    }
    assert deleted.label == unmovable(RAN, AWAY).label == "S/a"


@pytest.mark.parametrize(
    ("status", "notes"),
    [
        (AWAY, ["S/a (its server cannot be read: S is away.)"]),
        ({}, []),
        ({"a": TaskSnapshot("RUNNING")}, []),
        ({"a": TaskSnapshot("STOPPED", "STOPPED_AFTER_FULL_LOAD")}, []),
        ({"a": TaskSnapshot("STOPPED", "NORMAL")}, ["S/a (STOPPED)"]),
        ({"a": TaskSnapshot("ERROR")}, ["S/a (ERROR)"]),
    ],
)
def test_a_task_that_is_not_back(status, notes):
    assert not_back(RAN, {"S": status}) == notes


def test_tasks_that_somebody_has_stopped_since_the_last_window():
    stopped = RAN._replace(state="STOPPED")
    (note,) = stopped_since(window(RAN, RESTED), window(stopped, RESTED))
    assert note.startswith("1 task") and "2026-11-23T22:00:00Z" in note and note.endswith(": S/a (STOPPED).")
    (note,) = stopped_since(window(RAN, RAN._replace(name="c")), window(stopped, stopped._replace(name="c")))
    assert note.startswith("2 tasks") and note.endswith(": S/a (STOPPED), S/c (STOPPED).")
    assert stopped_since(window(RAN, RESTED), window(RAN, RESTED)) == []
    assert stopped_since(window(RESTED), window(RESTED, stopped)) == []


def test_tasks_that_run_although_they_did_not():
    running, moving = TaskSnapshot("RUNNING"), TaskSnapshot("STOPPING")
    (note,) = started_meanwhile(window(RAN, RESTED), {"S": {"a": running, "b": running}})
    assert note.startswith("S/b was STOPPED ") and " is RUNNING now" in note
    for status in ({"b": moving}, {}, AWAY):
        assert started_meanwhile(window(RESTED), {"S": status}) == []
    other = RESTED._replace(server="T")
    assert len(started_meanwhile(window(RESTED, other), {"S": AWAY, "T": {"b": running}})) == 1


OPERATION = Operation("started", 60, True, Waiting(300, 2))


def explained(one, is_safe=False, point=None):
    """Return what is said of the row of a task, which is to be started from a point in time, if one is given."""
    job = Job(RAN.task, OPERATION._replace(cdc_position=point), TaskSnapshot("STOPPED"), 0.0)
    one = replace(one)
    explain([one], is_safe, [[job]])
    return one.msg


@pytest.mark.parametrize(
    ("one", "is_safe", "point", "words"),
    [
        (row("STOPPED", "RUNNING", changed=True), False, None, []),
        (
            row("STOPPED", "RUNNING", changed=True),
            True,
            "2026-11-23T21:00:00",
            ["2026-11-23T21:00:00 (UTC)", "safe"],
        ),
        (row("STOPPED", "STOPPED", changed=True, failed=True, msg="No."), True, "2026-11-23T21:00:00", ["No."]),
        (row("STOPPED", "STOPPED", failed=True, msg="No."), False, None, ["No."]),
        (row("NOT_EXIST", "NOT_EXIST", skipped=True, msg="Deleted."), False, None, ["Deleted."]),
        (row("RUNNING", "RUNNING"), False, None, ["already", "RUNNING"]),
        (row("RECOVERY", "RUNNING"), True, None, ["already", "RECOVERY", "safe"]),
        (
            row("RUNNING", "RUNNING"),
            True,
            "2026-11-23T21:00:00",
            ["already", "RUNNING", "safe"],
        ),
        (row("STOPPED", "STOPPED"), False, None, ["STOPPED", "done"]),
        (row("STOPPED", "ERROR", msg="Odd."), False, None, ["Odd."]),
    ],
)
def test_why_a_task_needed_no_start(one, is_safe, point, words):
    text = explained(one, is_safe, point)
    assert bool(text) is bool(words) and all(word in text for word in words)
    assert ("safe" in text) is ("safe" in words)


def test_each_task_that_needed_no_start_has_its_own_reason():
    rows = [row("STOPPED", "RUNNING", changed=True), row("RUNNING", "RUNNING"), row("STOPPED", "STOPPED")]
    explain(rows, False, [])
    assert [one.msg for one in rows] == [
        "",
        "It was already RUNNING.",
        "It is STOPPED because its work is done: it is left as it is.",
    ]


@pytest.mark.parametrize(
    ("first", "again", "after"),
    [
        (
            row("RUNNING", "STOPPED", changed=True, elapsed=1.234),
            row("RUNNING", "STOPPED", changed=False, elapsed=2.0),
            ("STOPPED", True, False, None, "", STOPPED_AGAIN, 3.23),
        ),
        (
            row("STOPPED", "STOPPED"),
            row("RUNNING", "RUNNING", changed=True, failed=True, error_code="X", hint="Look.", msg="No."),
            ("RUNNING", True, True, "X", "Look.", "No.", 0),
        ),
        (
            row("STOPPED", "STOPPED", failed=True, elapsed=1.0),
            row("RUNNING", "STOPPED", elapsed=None),
            ("STOPPED", False, False, None, "", STOPPED_AGAIN, 1.0),
        ),
    ],
)
def test_what_a_second_stop_has_come_to(first, again, after):
    first = replace(first)
    take_over(first, again)
    assert (
        first.after,
        first.changed,
        first.failed,
        first.error_code,
        first.hint,
        first.msg,
        first.elapsed,
    ) == after
