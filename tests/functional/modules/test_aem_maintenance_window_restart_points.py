# Copyright (c) 2026, dataops.qlik_em contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The latency and the safe restart point of each task in a checkpoint, and a restore from there."""

from __future__ import annotations

import json
import time
from datetime import datetime, timedelta, timezone

import pytest
from ansible_collections.dataops.qlik_em.plugins.module_utils._common import clock
from ansible_collections.dataops.qlik_em.tests.functional.support.checkpoints import first_form, tasks_in
from ansible_collections.dataops.qlik_em.tests.functional.support.user import User

QUICK = {"stop_seconds": 0, "start_seconds": 0, "memory_lag": 0}
LOADS = {"options": {"apply_changes_enabled": False}, "cdc_latency": {"total_latency": "00:00:00"}}
SAFE = {"from": "safe_point", "force": True}
RESUMED = [{"option": "RESUME_PROCESSING", "cdcposition": None}]


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    """Short pauses."""
    monkeypatch.setattr(User, "limits", User.limits._replace(lost_effect=0.4))


@pytest.fixture
def em(stand_in):
    """Two tasks that capture changes, one that only loads, one of Compose, and one that does not run."""
    tasks = [
        {"name": "orders", "state": "RUNNING", "total_latency": 5, **QUICK},
        {"name": "returns", "state": "RUNNING", "total_latency": 3600, **QUICK},
        {"name": "load", "state": "RUNNING", "details": LOADS, **QUICK},
        {"name": "archive", "state": "STOPPED", **QUICK},
    ]
    stand_in.reset(
        {
            "users": [{"name": "op", "logins": ["op@x"], "password": "pw", "grants": [{"role": "Operator"}]}],
            "servers": [
                {"name": "P", "tasks": tasks},
                {"name": "C", "type": "COMPOSE", "tasks": [{"name": "flow__x", "state": "RUNNING", **QUICK}]},
            ],
        }
    )
    return stand_in


@pytest.fixture
def window(em, user, tmp_path):
    """Run a step of a window."""
    user.defaults.update(username="op@x", password="pw")

    def step(state, **options):
        given = {"path": str(tmp_path / "checkpoint"), "wait_sleep": 0.1, "timeout": 2, "wait_timeout": 5}
        selection = {"include": [{"server": "*"}]} if state == "recorded" else {}
        return user.run("aem_maintenance_window", **{"state": state, **given, **selection, **options})

    return step


def ages(monkeypatch, seconds):
    """Set for how long a latency is taken to be true."""
    monkeypatch.setattr(User, "limits", User.limits._replace(latency_age=seconds))


def read(tmp_path):
    """Return the checkpoint in the file."""
    return json.loads((tmp_path / "checkpoint").read_text(encoding="utf-8"))


def change(tmp_path, **members):
    """Edit the file."""
    (tmp_path / "checkpoint").write_text(json.dumps({**read(tmp_path), **members}))


def latency(document, name):
    """Return what a checkpoint holds of a task's latency."""
    return next(known for (_server, task), (_state, _wave, *known) in tasks_in(document).items() if task == name)


def runs(em, name):
    """Return with what a task was started."""
    return em.task("C" if "__" in name else "P", name)["runs"]


def row(run, name):
    """Return the row of a task."""
    return next(row for row in run.result["tasks"] if row["name"] == name)


def seconds_ago(position):
    """Return how many seconds ago a position is."""
    assert len(position) == len("2026-11-23T21:49:55")
    return (datetime.now(timezone.utc) - datetime.fromisoformat(position + "+00:00")).total_seconds()


def test_the_latency_of_each_task_that_runs_is_recorded_with_one_call_each(em, window, tmp_path):
    run = window("recorded")
    assert not run.failed and run.operations.count("GetTaskDetails") == 4 and not run.result.get("warnings")
    document = read(tmp_path)
    assert document["schema"] == 2 and document["running"] == 4 and document == run.result["checkpoint"]
    assert latency(document, "orders")[0] == 5 and latency(document, "returns")[0] == 3600
    assert all(0 <= latency(document, name)[1] <= 5 for name in ("orders", "returns"))
    # What captures no changes has none, nor has what does not run.
    assert [latency(document, name) for name in ("load", "flow__x", "archive")] == [[], [], []]
    lines = (tmp_path / "checkpoint").read_text().splitlines()
    assert sum('"orders"' in line for line in lines) == 1  # a line for each task
    again = window("recorded")
    assert not again.changed and "GetTaskDetails" not in again.operations and read(tmp_path) == document


@pytest.mark.parametrize(
    ("attributes", "warned"),
    [
        ({"details": {"cdc_latency": {"total_latency": None}}}, "P/orders (unknown (null))"),
        ({"details": {"cdc_latency": {"total_latency": "soon"}}}, 'P/orders (unknown ("soon"))'),
        ({"details": {"full_load_counters": {"tables_loading_count": 2}}}, ""),
        ({"state": "RECOVERY"}, ""),
    ],
)
def test_a_latency_that_is_not_known_is_not_a_low_one(em, window, tmp_path, attributes, warned):
    em.set_task("P", "orders", **attributes)
    run = window("recorded")
    assert not run.failed and latency(read(tmp_path), "orders") == [None]
    assert run.result.get("warnings", []) == (
        [f"The latency of 1 task cannot be read, so there is no safe restart point: {warned}."] if warned else []
    )


def test_details_that_cannot_be_read_are_not_a_failure(em, window, tmp_path):
    match = {"operation": "GetTaskDetails", "task": "orders"}
    em.faults([{"match": match, "nth": "all", "fault": "error", "error_code": "AEM_X", "error_message": "No."}])
    run = window("recorded")
    assert not run.failed and latency(read(tmp_path), "orders") == [None]
    assert "so there is no safe restart point: GetTaskDetails of task" in run.result["warnings"][0]


def test_a_freeze_reads_a_latency_again_only_if_it_is_old(em, window, tmp_path, monkeypatch):
    window("recorded")
    em.set_task("P", "orders", total_latency=77)
    run = window("frozen")
    first = next(n for n, operation in enumerate(run.operations) if operation == "StopTask")
    assert "GetTaskDetails" not in run.operations[:first] and latency(read(tmp_path), "orders")[0] == 5
    window("restored")
    assert window("recorded").changed and latency(read(tmp_path), "orders")[0] == 77
    em.set_task("P", "orders", total_latency=88)
    ages(monkeypatch, 0)
    time.sleep(1.1)
    run = window("frozen", parallel=1)
    sent = [(one["operation"], one["task"]) for one in run.requests]
    place = sent.index(("StopTask", "orders"))
    assert sent[place - 1] == ("GetTaskDetails", "orders")
    assert sent[sent.index(("StopTask", "flow__x")) - 1] != ("GetTaskDetails", "flow__x")  # it captures no changes
    known, seen = latency(read(tmp_path), "orders")
    assert known == 88 and 1 <= seen <= 10 and run.result["checkpoint"] == read(tmp_path)


@pytest.mark.parametrize(
    ("attributes", "known"),
    [
        ({"details": {"cdc_latency": {"total_latency": None}}}, 5),  # the earlier one stays true
        ({"state": "RECOVERY"}, 5),
        ({"details": {"full_load_counters": {"tables_loading_count": 2}}}, None),  # it is being loaded anew
    ],
)
def test_what_a_freeze_cannot_read_again_stays_as_it_was(em, window, tmp_path, monkeypatch, attributes, known):
    window("recorded")
    ages(monkeypatch, 0)
    em.set_task("P", "orders", **attributes)
    assert not window("frozen").failed
    assert latency(read(tmp_path), "orders")[0] == known


def test_a_failure_to_read_a_latency_does_not_keep_a_task_from_being_stopped(em, window, tmp_path, monkeypatch):
    window("recorded")
    ages(monkeypatch, 0)
    match = {"operation": "GetTaskDetails", "task": "orders"}
    em.faults([{"match": match, "nth": 1, "fault": "error", "error_code": "AEM_X", "error_message": "No."}])
    assert not window("frozen").failed and em.task("P", "orders")["state"] == "STOPPED"
    assert latency(read(tmp_path), "orders")[0] == 5


def test_a_freeze_that_fails_keeps_what_it_has_read(em, window, tmp_path, monkeypatch):
    window("recorded")
    ages(monkeypatch, 0)
    em.set_task("P", "orders", total_latency=88)
    em.set_task("P", "returns", fail_stop="It is locked.")
    assert window("frozen").failed and read(tmp_path)["phase"] == "freezing"
    assert latency(read(tmp_path), "orders")[0] == 88


def test_tasks_are_started_from_their_safe_points(em, window, tmp_path):
    window("recorded")
    begin = datetime.now(timezone.utc)
    window("frozen")
    end = datetime.now(timezone.utc)
    foreseen = window("restored", check=True, **SAFE)
    assert not foreseen.writes and foreseen.changed
    assert row(foreseen, "orders")["msg"].endswith(" (UTC), its safe restart point.")
    run = window("restored", **SAFE)
    assert not run.failed, run.result
    for name, known in (("orders", 5), ("returns", 3600)):
        (started,) = runs(em, name)
        assert started["option"] == "RESUME_PROCESSING_FROM_TIMESTAMP"
        stopped = datetime.fromisoformat(f"{started['cdcposition']}+00:00") + timedelta(seconds=known + 600)
        assert begin - timedelta(seconds=2) <= stopped <= end
        msg = f"From {started['cdcposition']} (UTC), its safe restart point."
        assert row(run, name)["msg"] == row(foreseen, name)["msg"] == msg
    assert runs(em, "load") == runs(em, "flow__x") == RESUMED and not runs(em, "archive")
    assert row(run, "load")["msg"] == ""


def test_the_margin_counts_and_where_it_stopped_is_the_default(em, window):
    window("recorded")
    window("frozen")
    assert not window("restored", **SAFE, restart_margin=0).failed
    assert 5 <= seconds_ago(runs(em, "orders")[0]["cdcposition"]) < 60
    window("recorded")
    window("frozen")
    assert not window("restored", restart_margin=7200).failed and runs(em, "orders")[1:] == RESUMED


@pytest.mark.parametrize("options", [{}, {"check": True}])
def test_it_needs_force(em, window, options):
    window("recorded")
    window("frozen")
    run = window("restored", **{"from": "safe_point"}, **options)
    assert run.failed and "changes can arrive at the target twice: it needs force: true." in run.msg
    assert not run.requests


def test_a_task_without_a_safe_point_stops_all_before_anything_is_started(em, window, tmp_path):
    em.set_task("P", "orders", details={"cdc_latency": {"total_latency": None}})
    window("recorded")
    window("frozen")
    text = (tmp_path / "checkpoint").read_text()
    for check in (True, False):
        run = window("restored", **SAFE, check=check)
        assert run.failed and not run.writes and not run.changed, run.result
        assert (
            run.msg.startswith("There is no safe restart point for 1 of the tasks to be started: ")
            and "P/orders" in run.msg
        )
        assert "P/returns" not in run.msg and (tmp_path / "checkpoint").read_text() == text
    # The way out that the message names: start it in another way.
    em.set_task("P", "orders", state="RUNNING")
    run = window("restored", **SAFE)
    assert not run.failed and runs(em, "returns")[0]["option"] == "RESUME_PROCESSING_FROM_TIMESTAMP"
    assert row(run, "orders")["msg"] == "It was already RUNNING, and was not started from a safe point."


def test_a_stop_that_may_be_under_way_counts_as_one(em, window):
    """The task shows RUNNING, but is to be started: it needs a safe point, too."""
    em.set_task("P", "orders", details={"cdc_latency": {"total_latency": None}})
    document = window("recorded", path=None).result["checkpoint"]
    run = window("restored", path=None, checkpoint=document, **SAFE)
    assert run.failed and not run.writes and "no safe restart point" in run.msg and "P/orders" in run.msg


def test_a_checkpoint_of_an_earlier_release_has_no_safe_points_until_it_is_frozen(em, window, tmp_path):
    older = first_form(window("recorded").result["checkpoint"])
    (tmp_path / "checkpoint").write_text(json.dumps(older))
    em.set_task("P", "orders", state="STOPPED")
    run = window("restored", **SAFE)
    assert run.failed and not run.writes and "P/orders" in run.msg
    em.set_task("P", "orders", state="RUNNING")
    assert not window("frozen").failed and read(tmp_path)["schema"] == 2
    assert latency(read(tmp_path), "orders")[0] == 5
    assert not window("restored", **SAFE).failed and runs(em, "load") == RESUMED


def test_the_clock_of_this_machine_does_not_matter(em, window, tmp_path, monkeypatch):
    """It is a day ahead during the record, and a year behind after it; Enterprise Manager's is right."""

    class Clock:
        shift = 24 * 3600.0

        def __getattr__(self, name):
            return getattr(time, name)

        def time(self):
            return time.time() + self.shift

    shifted = Clock()
    monkeypatch.setattr(clock, "time", shifted)
    window("recorded")
    assert abs(seconds_ago(read(tmp_path)["recorded"].rstrip("Z"))) < 60
    shifted.shift = -365 * 24 * 3600.0
    ages(monkeypatch, 0)
    window("frozen")
    assert not window("restored", **SAFE).failed
    assert 605 <= seconds_ago(runs(em, "orders")[0]["cdcposition"]) < 700


def test_a_restart_point_that_is_not_in_the_past_is_refused(em, window, tmp_path):
    window("recorded")
    window("frozen")
    groups = {"P": [{"wave": 1, "state": "RUNNING", "tasks": [["orders", 5, 7200]]}]}
    change(tmp_path, servers=groups, running=1)
    run = window("restored", **SAFE)
    assert run.failed and not run.writes and "The restart points of 1 task are not in the past: P/orders (" in run.msg
    assert not window("restored").failed


@pytest.mark.parametrize("way", ["path", "checkpoint"])
def test_a_restore_that_failed_is_gone_on_with(em, window, tmp_path, way):
    """Also with the checkpoint of a restore that failed, in the phase restoring, handed on as an option."""
    window("recorded")
    window("frozen")
    em.set_task("P", "returns", fail_start="No licence.")
    failed = window("restored")
    assert failed.failed and "checkpoint" not in failed.result and read(tmp_path)["phase"] == "restoring"
    em.set_task("P", "returns", fail_start=None)
    given = {} if way == "path" else {"path": None, "checkpoint": read(tmp_path)}
    run = window("restored", **given)
    assert not run.failed and run.result["checkpoint"]["phase"] == "restored", run.result
    assert [runs(em, name) for name in ("orders", "returns", "load", "flow__x")] == [RESUMED] * 4
    assert not runs(em, "archive")
