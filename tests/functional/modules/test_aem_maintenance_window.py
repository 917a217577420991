# Copyright (c) 2026, dataops.qlik_em contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A maintenance window: exactly what ran is stopped and started again, whatever happens in between."""

from __future__ import annotations

import fcntl
import json
import os
import re
import signal
import threading
from datetime import datetime, timezone

import pytest
from ansible_collections.dataops.qlik_em.plugins.modules import aem_maintenance_window
from ansible_collections.dataops.qlik_em.tests.functional.support.checkpoints import first_form, ran, tasks_in
from ansible_collections.dataops.qlik_em.tests.functional.support.user import User
from ansible_collections.dataops.qlik_em.tests.functional.ways.children import await_that

RAN = {("P", "run1"), ("P", "run2"), ("P", "recovering"), ("C", "flow__x"), ("P", "starting")}
SELECTION = {"include": [{"server": "P"}, {"server": "C"}], "exclude": [{"name": "spared"}], "waves": [{"server": "C"}]}


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    """Short pauses."""
    monkeypatch.setattr(User, "limits", User.limits._replace(lost_effect=0.4))


@pytest.fixture
def em(stand_in):
    """Two servers with tasks in all kinds of states."""
    quickly = {"stop_seconds": 0.1, "start_seconds": 0.1, "memory_lag": 0.1}
    states = {
        "run1": "RUNNING",
        "run2": "RUNNING",
        "recovering": "RECOVERY",
        "starting": "STARTING",
        "stopping": "STOPPING",
        "idle": "STOPPED",
        "broken": "ERROR",
        "paused": "PAUSED",
        "spared": "RUNNING",
    }
    tasks = [{"name": name, "state": state, **quickly} for name, state in states.items()]
    for task in tasks:
        if task["name"] in ("starting", "stopping"):  # they stay so until they are touched
            task.update(start_seconds=600, stop_seconds=600)
    compose = [{"name": "flow__x", "state": "RUNNING", **quickly}, {"name": "idle__x", "state": "STOPPED"}]
    stand_in.reset(
        {
            "users": [{"name": "op", "logins": ["op@x"], "password": "pw", "grants": [{"role": "Operator"}]}],
            "servers": [
                {"name": "P", "tasks": tasks},
                {"name": "C", "type": "COMPOSE", "tasks": compose},
            ],
        }
    )
    return stand_in


@pytest.fixture
def window(em, user, tmp_path):
    """Run a step of a window whose checkpoint is a file."""
    user.defaults.update(username="op@x", password="pw")

    def step(state, **options):
        given = {"path": str(tmp_path / "checkpoint"), "wait_sleep": 0.1, "timeout": 2, "wait_timeout": 5}
        selection = SELECTION if state == "recorded" else {}
        if not selection:
            em.set_task("P", "starting", start_seconds=0.1, stop_seconds=0.1)  # counts from the next start and stop on
        return user.run("aem_maintenance_window", **{"state": state, **given, **selection, **options})

    return step


def running(em):
    """Return the tasks that run, without the excluded one."""
    return {
        (server, name)
        for server, found in em.state()["servers"].items()
        for name, task in found["tasks"].items()
        if task["state"] in ("RUNNING", "RECOVERY", "STARTING") and name != "spared"
    }


def row(run, name):
    """Return the row of a task."""
    return next(row for row in run.result["tasks"] if row["name"] == name)


def read(tmp_path):
    """Return the checkpoint in the file."""
    return json.loads((tmp_path / "checkpoint").read_text())


def test_exactly_what_ran_is_stopped_and_comes_back(em, window, tmp_path):
    record = window("recorded")
    assert record.changed and not record.writes
    assert record.result["counts"] == {"selected": 10, "running": 5}
    assert ran(read(tmp_path)) == RAN
    assert record.result["checkpoint"] == read(tmp_path)
    assert (tmp_path / "checkpoint").stat().st_mode & 0o777 == 0o600
    expected = "P/paused is in the state PAUSED, which this collection does not know: it is left alone."
    assert expected in record.result["warnings"]

    freeze = window("frozen")
    assert freeze.changed and not freeze.failed, freeze.result
    assert running(em) == set()
    assert all(em.task(*task)["memory_mb"] == 0 for task in RAN)
    assert em.task("P", "spared")["stops"] == em.task("P", "paused")["stops"] == 0
    assert freeze.result["checkpoint"]["phase"] == read(tmp_path)["phase"] == "frozen"
    stops = [request["server"] for request in freeze.requests if request["operation"] == "StopTask"]
    assert stops[0] == "C" and stops[1:] == ["P"] * 4

    restore = window("restored")
    assert restore.changed and not restore.failed, restore.result
    assert running(em) == RAN
    assert all(em.task(*task)["runs"] == [{"option": "RESUME_PROCESSING", "cdcposition": None}] for task in RAN)
    starts = [request["server"] for request in restore.requests if request["operation"] == "RunTask"]
    assert starts[-1] == "C" and starts[:-1] == ["P"] * 4
    assert read(tmp_path)["phase"] == "restored"


def test_each_step_may_be_repeated(em, window, tmp_path):
    assert window("recorded").changed
    text = (tmp_path / "checkpoint").read_text()
    assert not window("recorded").changed
    assert (tmp_path / "checkpoint").read_text() == text
    assert window("frozen").changed
    again = window("frozen")
    assert not again.changed and not again.writes
    for _time in range(2):
        record = window("recorded")
        assert not record.changed and "its record is kept" in record.result["warnings"][0]
    assert read(tmp_path)["servers"] == json.loads(text)["servers"]
    assert window("restored").changed
    em.set_task("P", "run1", state="STOPPED")  # somebody stops it later: the window is over
    again = window("restored")
    assert not again.changed and not again.writes and "is over" in again.result["warnings"][0]
    frozen = window("frozen")
    assert frozen.failed and "is over. Record a new one." in frozen.msg
    assert window("recorded").changed
    assert tasks_in(read(tmp_path)).keys() - ran(read(tmp_path)) >= {("P", "run1"), ("P", "idle")}


def test_check_mode_predicts_each_step_and_leaves_no_trace(em, window, tmp_path):
    for state in ("recorded", "frozen", "restored"):
        files = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
        foreseen = window(state, check=True, diff=True)
        assert not foreseen.writes and files == {path.name: path.read_bytes() for path in tmp_path.iterdir()}
        real = window(state, diff=True)
        assert foreseen.changed is real.changed is True
        assert foreseen.result["diff"] == real.result["diff"]
        assert foreseen.result["counts"] == real.result["counts"]


def test_without_a_file_the_checkpoint_is_handed_on(em, window, tmp_path):
    record = window("recorded", path=None)
    assert not record.changed and not list(tmp_path.iterdir())
    given = {"path": None, "checkpoint": json.loads(json.dumps(record.result["checkpoint"]))}
    assert window("frozen", **given).changed and running(em) == set()
    assert not window("frozen", **given).changed
    assert window("restored", **given).changed and running(em) == RAN
    assert not window("restored", **given).changed
    assert not list(tmp_path.iterdir())


def test_the_file_counts_beside_the_checkpoint_that_is_handed_on(em, window, tmp_path):
    """As AWX has it, which always hands it on."""
    given = {"checkpoint": window("recorded").result["checkpoint"]}
    assert window("frozen", **given).changed and running(em) == set() and read(tmp_path)["phase"] == "frozen"
    assert (tmp_path / "checkpoint.journal").exists()
    again = window("recorded")  # the workflow, launched again
    assert not again.changed and "its record is kept" in again.result["warnings"][0]
    assert again.result["checkpoint"] == read(tmp_path)
    assert window("restored", **given).changed and running(em) == RAN and read(tmp_path)["phase"] == "restored"
    assert not window("restored", checkpoint=again.result["checkpoint"]).changed


def test_a_checkpoint_of_another_window_than_the_file_is_refused(em, window, tmp_path):
    document = window("recorded").result["checkpoint"]
    time = document["recorded"]
    groups = document["servers"]["P"]
    others = [group for group in groups if group["state"] != "PAUSED"]
    cases = [
        (
            {"recorded": "2001-01-01T00:00:00Z"},
            f"{time}, the one in the option checkpoint 2001-01-01T00:00:00Z: that belongs to an earlier",
        ),
        (
            {"recorded": "2999-01-01T00:00:00Z"},
            "2999-01-01T00:00:00Z: that belongs to a newer window. Nothing was done. Leave out",
        ),
        ({"servers": {**document["servers"], "P": others}}, "but differ in P/paused. Nothing was done."),
        ({"servers": {**document["servers"], "P": groups[::-1]}}, ""),  # what hands it on may sort it
        ({"enterprise_manager": "https://em/x"}, "(option checkpoint) belongs to another Enterprise Manager"),
        ({"phase": "frozen"}, ""),  # how far it is does not matter
    ]
    for members, message in cases:
        given = {**document, **members}
        for state in ("frozen", "restored"):
            run = window(state, checkpoint=given, check=not message)
            assert run.failed is bool(message), run.result
            assert message in run.result.get("msg", "") and not run.writes
            assert not (message and run.requests)
    assert read(tmp_path) == document


def test_a_handed_on_checkpoint_does_not_stand_in_for_a_file_that_is_missing(em, window, tmp_path):
    given = {"checkpoint": window("recorded").result["checkpoint"]}
    (tmp_path / "checkpoint").unlink()
    for state in ("frozen", "restored"):
        run = window(state, **given)
        assert run.failed and not run.requests and "Make sure that its volume is mounted." in run.msg
        assert "To use the option checkpoint without a file, leave out path." in run.msg
    assert window("frozen", check=True, **given).changed  # a dry run of the whole workflow has no file
    assert "checkpoint is empty." in window("frozen", checkpoint={}).msg


def test_a_window_that_was_frozen_without_its_file_is_not_recorded_over(em, window, tmp_path):
    given = {"path": None, "checkpoint": window("recorded").result["checkpoint"]}
    assert window("frozen", **given).changed
    text = (tmp_path / "checkpoint").read_text()
    for options in ({}, {"check": True}, {"include": [{"server": "C"}], "waves": None}):
        run = window("recorded", **options)
        assert run.failed and not run.changed and not run.writes
        assert "5 of the tasks that ran then did not come back: C/flow__x (STOPPED), P/" in run.msg, run.msg
        assert "Restore the window of this file, which starts them again." in run.msg and "move" in run.msg
        assert (tmp_path / "checkpoint").read_text() == text
    em.set_server("P", state="ERROR")
    run = window("recorded")
    assert run.failed and "P/run1 (its server cannot be read: " in run.msg
    em.set_server("P", state="MONITORED")
    assert window("restored").changed and running(em) == RAN
    assert window("recorded").changed


def test_a_task_that_has_finished_or_was_deleted_is_back(em, window):
    window("recorded")
    em.set_task("P", "run1", state="STOPPED", stop_reason="FULL_LOAD_ONLY_FINISHED")
    em.set_task("P", "run2", state="NOT_EXIST")
    assert window("recorded").changed


def test_what_was_stopped_since_a_window_that_is_over_is_named(em, window):
    for state in ("recorded", "frozen", "restored"):
        assert window(state).changed
    em.set_task("P", "run1", state="STOPPED")
    run = window("recorded")
    expected = "They are recorded as they are and will not be started: P/run1 (STOPPED)."
    assert run.changed and expected in run.result["warnings"][-1]


def test_what_changed_meanwhile_is_reported_and_no_failure(em, window):
    window("recorded")
    window("frozen")
    em.set_task("P", "run1", state="NOT_EXIST")  # deleted
    em.set_task("P", "run2", state="RUNNING")  # somebody started it
    em.set_task("P", "recovering", state="STOPPED", stop_reason="FULL_LOAD_ONLY_FINISHED")  # done meanwhile
    em.set_task("P", "starting", state="ERROR", message="broken")
    em.set_task("P", "idle", state="RUNNING")  # did not run before
    run = window("restored")
    assert not run.failed and run.changed
    assert (
        row(run, "run1")["msg"] == "It was deleted since the window began: nothing to do."
        and row(run, "run1")["skipped"]
    )
    assert row(run, "run2")["msg"] == "It was already RUNNING."
    assert row(run, "recovering")["msg"] == "It is STOPPED because its work is done: it is left as it is."
    assert row(run, "starting")["changed"] and row(run, "starting")["before"] == "ERROR"
    assert run.result["warnings"] == [
        "P/idle was STOPPED when the window began and is RUNNING now: it is left as it is."
    ]
    assert running(em) == {("P", "run2"), ("P", "starting"), ("C", "flow__x"), ("P", "idle")}


def test_a_task_that_fails_keeps_the_window_open_and_the_next_try_completes_it(em, window, tmp_path):
    window("recorded")
    em.set_task("P", "run1", fail_stop="It is locked.")
    freeze = window("frozen")
    assert freeze.failed and freeze.changed and "P/run1" in freeze.msg and "It is locked." in freeze.msg
    assert running(em) == {("P", "run1")}
    assert read(tmp_path)["phase"] == "freezing" and "checkpoint" not in freeze.result
    em.set_task("P", "run1", fail_stop=None)
    assert not window("frozen").failed and running(em) == set()
    em.set_task("P", "run2", fail_start="No licence.")
    restore = window("restored")
    assert restore.failed and "No licence." in restore.msg and read(tmp_path)["phase"] == "restoring"
    assert running(em) == RAN - {("P", "run2")}
    em.set_task("P", "run2", fail_start=None)
    assert not window("restored").failed and running(em) == RAN
    assert [em.task(*task)["runs"] for task in RAN] == [[{"option": "RESUME_PROCESSING", "cdcposition": None}]] * 5


def test_a_checkpoint_that_was_deleted_is_not_recorded_over(em, window, tmp_path):
    window("recorded")
    window("frozen")
    (tmp_path / "checkpoint").unlink()
    journal = (tmp_path / "checkpoint.journal").read_text()
    assert all(f'"name": "{name}"' in journal for _server, name in RAN)
    for state in ("frozen", "restored"):
        run = window(state)
        assert run.failed and "is missing. Its journal" in run.msg and "Record one first" not in run.msg
    run = window("recorded")
    assert run.failed and "is missing, but its journal" in run.msg and not run.changed
    assert (tmp_path / "checkpoint.journal").read_text() == journal and not (tmp_path / "checkpoint").exists()
    (tmp_path / "checkpoint.journal").unlink()
    assert window("recorded").changed


def test_the_checkpoint_of_a_window_that_is_over_may_be_deleted(em, window, tmp_path):
    for state in ("recorded", "frozen", "restored"):
        assert window(state).changed
    (tmp_path / "checkpoint").unlink()
    assert window("recorded").changed


def test_the_same_selection_in_other_words_is_the_same(em, window):
    assert window("recorded", exclude=None).changed
    window("frozen")
    assert not window("recorded", exclude=[], include=[{**one, "tag": []} for one in SELECTION["include"]]).failed


def test_what_a_half_done_freeze_has_stopped_is_restored(em, window):
    window("recorded")
    em.set_task("P", "run1", fail_stop="It is locked.")
    window("frozen")
    assert not window("restored").failed
    assert running(em) == RAN and em.task("P", "run1")["runs"] == []


def test_a_server_that_is_not_back_yet_is_waited_for(em, window):
    window("recorded")
    window("frozen")
    em.set_server("P", state="ERROR", message="rebooting")
    run = window("restored", wait_timeout=1)
    assert (
        run.failed and 'server "P" failed' in run.msg and row(run, "run1")["error_code"] == "AEM_SERVER_NOT_CONNECTED"
    )
    assert running(em) == {("C", "flow__x")}  # the others come back all the same
    threading.Timer(0.7, lambda: em.set_server("P", state="MONITORED")).start()
    run = window("restored", wait_timeout=10)
    assert not run.failed and running(em) == RAN


def test_an_unreachable_server_does_not_keep_the_others_from_being_stopped(em, window):
    window("recorded")
    em.set_server("C", state="ERROR")
    run = window("frozen")
    assert run.failed and "C/flow__x" in run.msg and running(em) == {("C", "flow__x")}


def test_a_stop_that_is_still_on_its_way_after_a_crash_is_not_overtaken(em, window, tmp_path):
    em.set_task("P", "starting", state="RUNNING")
    window("recorded")
    checkpoint = read(tmp_path)
    (tmp_path / "checkpoint").write_text(json.dumps({**checkpoint, "phase": "freezing"}))
    now = datetime.now(timezone.utc).isoformat()
    lines = [
        {"event": "run", "schema": 1, "enterprise_manager": checkpoint["enterprise_manager"], "operation": "stopped"},
        {"event": "before", "time": now, "call": "StopTask", "server": "P", "name": "run1"},
    ]
    lines[0]["continues"] = False
    (tmp_path / "checkpoint.journal").write_text("".join(json.dumps(line) + "\n" for line in lines))
    threading.Timer(0.8, lambda: em.set_task("P", "run1", state="STOPPED")).start()
    run = window("restored", timeout=5)
    assert not run.failed and running(em) == RAN
    assert len(em.task("P", "run1")["runs"]) == 1


def test_two_windows_do_not_work_with_one_checkpoint(em, window, tmp_path):
    window("recorded")
    with open(tmp_path / "checkpoint.lock") as other:
        fcntl.flock(other, fcntl.LOCK_EX)
        for state in ("recorded", "frozen", "restored"):
            run = window(state)
            assert run.failed and "is in use by another run. Nothing was done." in run.msg and not run.requests
    assert window("frozen").changed


def test_in_use_says_by_whom(em, window, tmp_path):
    window("recorded")
    em.set_task("P", "run1", stop_seconds=3)
    other = threading.Thread(target=window, args=["frozen"])
    other.start()
    lock = tmp_path / "checkpoint.lock"
    await_that(lock.read_text, "somebody holds the lock")
    run = window("restored")
    other.join()
    assert run.failed  # its requests are mixed with those of the other run; see the test before
    holder = rf"is in use by another run. Nothing was done. It is process {os.getpid()} on \S+, since 20\S+Z\."
    assert re.search(holder, run.msg), run.msg
    assert run.result["hint"] == "Wait for that run to end. If it was killed, the file is free again within seconds."
    assert lock.read_text() == ""
    with open(lock) as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        lock.write_text("process 1 on x, since 2026\nforged")
        assert window("restored").msg.endswith("is in use by another run. Nothing was done.")


@pytest.fixture
def many(em, window):
    """A window of 30 tasks, 25 of which cannot be stopped; the server's reason would forge lines."""
    operator = {"name": "op", "logins": ["op@x"], "password": "pw", "grants": [{"role": "Operator"}]}
    why = "No.\r\nstopped: M/t99 failed: \x1b[2J\x9b\u202egnihton\u2069"
    tasks = [
        {"name": f"t{number}", "state": "RUNNING", "stop_seconds": 0, **({"fail_stop": why} if number < 25 else {})}
        for number in range(30)
    ]
    em.reset(
        {"users": [operator], "servers": [{"name": "P", "tasks": [*tasks, {"name": "starting", "state": "ERROR"}]}]}
    )
    assert window("recorded", include=[{"server": "P"}], exclude=None, waves=None).changed


def test_a_failure_fits_on_a_screen(em, window, user, tmp_path, many):
    run = window("frozen")
    path = tmp_path / "checkpoint"
    summary, *failed, more, where, go_on, go_back = run.msg.splitlines()
    assert summary == "25 of 30 tasks failed." and more == "and 5 more" and len(failed) == 20
    assert all(line.startswith("P/t") and ": StopTask of task" in line for line in failed)
    assert where == f"The checkpoint is {path}"
    assert go_on == f"To continue, run it again with state: frozen, path: {path}"
    assert go_back == f"To go back, run it with state: restored, path: {path}"
    assert "checkpoint" not in run.result and "hint" not in run.result
    assert len(run.result["tasks"]) == 25 and all(one["failed"] for one in run.result["tasks"])
    assert run.result["counts"] == {"selected": 30, "changed": 5, "failed": 25, "skipped": 0, "unchanged": 0}
    lines = [*run.msg.splitlines(), *user.progress]
    assert all(line.isprintable() for line in lines)
    assert sum(r"No. stopped: M/t99 failed: \x1b[2J\x9b\u202egnihton\u2069" in line for line in lines) == 45
    assert not [line for line in lines if line.startswith("stopped: M/t99")]


def test_the_rows_of_a_step_are_shown_as_chosen_and_written(em, window, user, tmp_path, many):
    path = tmp_path / "results.jsonl"
    run = window("frozen", results="none", results_dest=str(path))
    assert run.failed and run.result["tasks"] == [] and run.result["counts"]["failed"] == 25
    assert len(run.msg.splitlines()) == 25 and f"The checkpoint is {tmp_path / 'checkpoint'}" in run.msg
    rows = [json.loads(line) for line in path.read_text().splitlines()]
    assert len(rows) == 30 and sum(row["failed"] for row in rows) == 25
    assert path.stat().st_mode & 0o777 == 0o600
    for number in range(25):
        em.set_task("P", f"t{number}", fail_stop=None)
    assert len(window("frozen", results="all").result["tasks"]) == 30
    run = window("restored", results_dest=str(path))
    assert len(run.result["tasks"]) == 30 and run.result["truncated"] == 0
    assert [json.loads(line)["after"] for line in path.read_text().splitlines()] == ["RUNNING"] * 30


def test_the_rows_never_take_the_place_of_the_checkpoint(em, window, tmp_path):
    window("recorded")
    path, link = tmp_path / "checkpoint", tmp_path / "link"
    link.symlink_to(path)
    before = path.read_bytes()
    for dest in (path, link, f"{path}.journal"):
        run = window("frozen", results_dest=str(dest))
        assert run.failed and "is the file of path, which it would overwrite" in run.msg and run.requests == []
    assert path.read_bytes() == before and not window("frozen").failed


def test_a_checkpoint_that_was_handed_on_is_not_shown_as_an_option(window):
    """AWX drops a result of more than 700,000 characters, and there it would stand twice."""
    document = window("recorded").result["checkpoint"]
    shown = aem_maintenance_window.SPEC.shown({"checkpoint": document})["checkpoint"]
    assert shown["recorded"] == document["recorded"] and "run1" not in json.dumps(shown)


def test_a_failure_ends_with_the_words_of_whoever_runs_the_module(em, window, many):
    steps = ["Relaunch the job template 'Window: freeze'", "Or call 4711"]
    run = window("frozen", max_failures=1, parallel=1, next_steps=steps)
    summary, _failed, _where, *end = run.msg.splitlines()
    assert summary == "1 of 30 tasks failed. Not started: 29." and end == steps
    assert "next_steps must not be empty" in window("frozen", next_steps=[" "]).msg


@pytest.mark.usefixtures("heeded")
def test_an_interrupted_run_says_how_to_go_on(em, window, user, tmp_path):
    """At its beginning, too: after Ctrl-C Ansible shows no result (see the test of the role)."""
    window("recorded")
    em.set_task("P", "run1", stop_seconds=10)

    def interrupt():
        await_that(lambda: em.task("P", "run1")["state"] == "STOPPING", "it is being stopped")
        os.kill(os.getpid(), signal.SIGINT)

    threading.Thread(target=interrupt).start()
    run = window("frozen")
    path = tmp_path / "checkpoint"
    end = [
        f"The checkpoint is {path}",
        f"To continue, run it again with state: frozen, path: {path}",
        f"To go back, run it with state: restored, path: {path}",
    ]
    first, *lines = run.msg.splitlines()
    assert run.failed and re.fullmatch(r"Interrupted by SIGINT. Work was started on \d of 5 tasks.", first), run.msg
    assert "P/run1: Interrupted by SIGINT." in lines  # what becomes of it is not known
    assert lines[-3:] == end and user.progress[:4] == ["If this run ends early:", *end]


@pytest.fixture
def links(tmp_path):
    """The folders of two machines, each with a link onto a volume that they share."""
    found = []
    (tmp_path / "volume").mkdir()
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "checkpoint").symlink_to("../volume/checkpoint")
        found.append(str(tmp_path / name / "checkpoint"))
    return found


def test_two_machines_share_a_window_through_links(em, window, tmp_path, links):
    """Checkpoint, journal and locks are on the volume, and the links stay links."""
    one, two = links
    assert window("recorded", path=one).changed
    assert not window("recorded", path=two).changed
    assert window("frozen", path=one).changed and running(em) == set()
    run = window("recorded", path=two)
    assert not run.failed and not run.changed and "its record is kept" in run.result["warnings"][0]
    assert window("restored", path=two).changed and running(em) == RAN
    assert "is over" in window("restored", path=one).result["warnings"][0]
    names = ["checkpoint", "checkpoint.journal", "checkpoint.journal.lock", "checkpoint.lock"]
    assert sorted(path.name for path in (tmp_path / "volume").iterdir()) == names
    assert [path.name for path in tmp_path.glob("*/*") if path.is_symlink()] == ["checkpoint"] * 2
    assert len(list(tmp_path.glob("one/*"))) == len(list(tmp_path.glob("two/*"))) == 1


def test_two_machines_share_the_lock_of_a_window(em, window, tmp_path, links):
    window("recorded", path=links[0])
    with open(tmp_path / "volume/checkpoint.lock") as other:
        fcntl.flock(other, fcntl.LOCK_EX)
        for path in links:
            run = window("frozen", path=path)
            assert run.failed and "is in use by another run. Nothing was done." in run.msg and not run.requests


def test_two_machines_share_the_journal_of_a_window_that_was_cut_short(em, window, tmp_path, links):
    window("recorded", path=links[0])
    em.set_task("P", "run2", fail_stop="No.")
    assert window("frozen", path=links[0]).failed
    (tmp_path / "volume/checkpoint").unlink()
    run = window("recorded", path=links[1])
    assert run.failed and f"its journal {tmp_path}/volume/checkpoint.journal belongs to a window" in run.msg


@pytest.mark.parametrize("state", ["frozen", "restored"])
def test_nobody_is_advised_to_record_while_a_window_may_be_open(em, window, tmp_path, links, state):
    """The file is elsewhere: on a volume that is not mounted, or in the folder of somebody else."""
    window("recorded", path=links[0])
    window("frozen", path=links[0])
    for path in (str(tmp_path / "checkpoint"), links[1]):
        if path == links[1]:
            (tmp_path / "volume").rename(tmp_path / "not mounted")
            (tmp_path / "volume").mkdir()
        run = window(state, path=path)
        assert run.failed and not run.requests and "ecord one" not in run.msg
        assert f"There is no checkpoint {tmp_path}/" in run.msg
        assert "Record a new window only if none is open." in run.msg
    (tmp_path / "volume").rmdir()
    run = window(state, path=links[1])
    assert run.failed and run.msg.endswith(f"there is no folder {tmp_path}/volume.") and "a link to" in run.msg
    (tmp_path / "not mounted").rename(tmp_path / "volume")
    assert window("restored", path=links[1]).changed and running(em) == RAN


def test_a_checkpoint_keeps_its_mode(em, window, tmp_path):
    window("recorded")
    (tmp_path / "checkpoint").chmod(0o640)
    assert window("frozen").changed and (tmp_path / "checkpoint").stat().st_mode & 0o777 == 0o640


def test_another_selection_does_not_replace_an_open_window(em, window, tmp_path):
    window("recorded")
    window("frozen")
    text = (tmp_path / "checkpoint").read_text()
    run = window("recorded", include=[{"server": "P"}], waves=None)
    assert run.failed and "was recorded for another selection" in run.msg
    assert (tmp_path / "checkpoint").read_text() == text


def spoil(**members):
    """Return a change of the checkpoint's members."""
    return lambda document: json.dumps({**document, **members})


def spoil_group(**members):
    """Return a change of the first group of tasks on server P, which are RUNNING."""

    def change(document):
        document["servers"]["P"][0].update(members)
        return json.dumps(document)

    return change


def older(change):
    """Return the change of a checkpoint in schema 1."""
    return lambda document: change(first_form(document))


def spoil_older(**members):
    """Return a change of a task of schema 1, the fourth one, which is RUNNING."""

    def change(document):
        document["tasks"].sort(key=lambda task: task["name"] != "run1")
        document["tasks"].insert(3, {**document["tasks"].pop(0), **members})
        return json.dumps(document)

    return older(change)


def without(*path):
    """Return a change that takes a member out."""

    def change(document):
        inner = document
        for member in path[:-1]:
            inner = inner[member]
        del inner[path[-1]]
        return json.dumps(document)

    return change


def spoil_selector(**members):
    """Return a change of a selector."""
    return lambda document: spoil(selection={**document["selection"], "waves": [members]})(document)


RELOAD = 'is damaged or was edited: tasks/3/run_option is "reload_target", but must be "resume_processing" or null.'
FORM = "but must be a name, [name, null], or [name, latency in seconds, seconds from recorded to when it was read]"
NO_MAPPING = [
    (lambda document: json.dumps(document)[:-20], "it is not JSON. Nothing was done."),
    (lambda document: "", "it is not JSON"),
    (lambda document: "[" * 100_000, "it is nested too deeply"),
    (lambda document: "[]", "is damaged: it is not a checkpoint"),
]
EDITED = [
    (lambda document: "{}", "it is not a checkpoint"),
    (spoil(schema=True), "it is not a checkpoint"),
    (spoil(schema=0), "schema is 0, but must be 1 or 2"),
    (spoil(enterprise_manager=3), "enterprise_manager is 3, but must be a non-blank string"),
    (spoil(recorded="yesterday"), 'recorded is "yesterday", but must be a UTC time'),
    (spoil(recorded=None), "recorded is null, but must be a UTC time"),
    (spoil(servers=None), "servers is null, but must be a mapping"),
    (spoil(servers={}), "running is 5, but must be the number of tasks that ran, which is 0"),
    (spoil(servers={}, running=0, phase="odd"), 'phase is "odd", but must be one of recorded, freezing, frozen,'),
    (spoil(phase=["frozen"]), "phase is a list, but must be one of"),
    (spoil(servers={"": []}), 'servers is "", but must be a non-blank string'),
    (spoil(servers={"..": []}), 'servers is "..", but must be a name'),
    (spoil(servers={"P": {}}), "servers/P is a mapping, but must be a list"),
    (spoil(servers={"P": ["x"]}), 'servers/P/0 is "x", but must be a mapping'),
    (spoil(servers={"P": [{}]}), "servers/P/0 has no member wave"),
    (spoil(selection=None), "selection is null, but must be a mapping"),
    (spoil(selection={"tasks": []}), "selection/tasks is not known: the members here are"),
    (spoil(state="restored"), "state is not known: the members here are schema,"),
    (spoil_selector(force=True), "selection/waves/0/force is not known: the members here are server,"),
    (spoil_selector(server=[]), "selection/waves/0/server is an empty list, but must be a non-blank string"),
    (spoil_selector(tag="x"), 'selection/waves/0/tag is "x", but must be a list or null'),
    (spoil_selector(state=[{}]), "selection/waves/0/state/0 is a mapping, but must be a non-blank string"),
    (spoil_group(wave="1"), 'servers/P/0/wave is "1", but must be a whole number from 1'),
    (spoil_group(wave=0), "servers/P/0/wave is 0, but must"),
    (spoil_group(wave=True), "servers/P/0/wave is true, but must"),
    (spoil_group(state=None), "servers/P/0/state is null, but must be a non-blank string"),
    (spoil_group(tasks=None), "servers/P/0/tasks is null, but must be a list"),
    (spoil_group(force=True), "servers/P/0/force is not known: the members here are wave, state,"),
    (spoil_group(tasks=[""]), 'servers/P/0/tasks/0 is "", but must be a non-blank string'),
    (spoil_group(tasks=["x", ["..", 0, 0]]), 'servers/P/0/tasks/1 is "..", but must be a name'),
    (spoil_group(tasks=[{"name": "x"}]), "servers/P/0/tasks/0 is a mapping, but must be a non-blank string"),
    (spoil_group(tasks=[[]]), f"servers/P/0/tasks/0 is an empty list, {FORM}"),
    (spoil_group(tasks=[["x"]]), f"servers/P/0/tasks/0 is a list, {FORM}"),
    (spoil_group(tasks=[["x", 1]]), FORM),
    (spoil_group(tasks=[["x", 1, 2, 3]]), FORM),
    (spoil_group(tasks=[["x", None, 2]]), FORM),
    (spoil_group(tasks=[["x", -1, 2]]), FORM),
    (spoil_group(tasks=[["x", 1.5, 2]]), FORM),
    (spoil_group(tasks=[["x", "1", 2]]), FORM),
    (spoil_group(tasks=[["x", True, 2]]), FORM),
    (spoil_group(tasks=[["x", 10**12, 2]]), FORM),
    (spoil_group(tasks=[["x", 1, -(10**12)]]), FORM),
    (spoil_group(tasks=[[["x"], 1, 2]]), "servers/P/0/tasks/0 is a list, but must be a non-blank string"),
    (spoil_group(state="STOPPED"), "servers/P/0/tasks/0 is a list, but must be a name alone, as it was STOPPED"),
    (spoil_group(tasks=["run1", ["run1", 1, 2]]), 'tasks/1 is "P/run1", but must be another task: it is there twice'),
    (spoil_group(tasks=["run1"]), "running is 5, but must be the number of tasks that ran, which is 4"),
    (without("phase"), "the document has no member phase"),
    (without("running"), "the document has no member running"),
    (without("servers", "P", 0, "wave"), "servers/P/0 has no member wave"),
    (spoil(running=4), "running is 4, but must be the number of tasks that ran, which is 5"),
    (spoil(running=True), "running is true, but must"),
    (spoil(tasks=[]), "tasks is not known: the members here are schema, enterprise_manager,"),
    # Of schema 1
    (older(spoil(servers={})), "servers is not known: the members here are schema,"),
    (older(spoil(tasks=None)), "tasks is null, but must be a list"),
    (older(spoil(tasks=[])), "running is 5, but must be the number of tasks that ran, which is 0"),
    (older(spoil(tasks=[{}])), "tasks/0 has no member server"),
    (older(spoil(tasks=["x"])), 'tasks/0 is "x", but must be a mapping'),
    (older(spoil(running=4)), "running is 4, but must be the number of tasks that ran, which is 5"),
    (older(without("tasks", 3, "wave")), "tasks/3 has no member wave"),
    (spoil_older(wave="1"), 'tasks/3/wave is "1", but must be a whole number from 1'),
    (spoil_older(name=""), 'tasks/3/name is "", but must be a non-blank string'),
    (spoil_older(name=".."), 'tasks/3/name is "..", but must be a name'),
    (spoil_older(server={"a": 1}), "tasks/3/server is a mapping, but must be a non-blank string"),
    (spoil_older(state=None), "tasks/3/state is null, but must be a non-blank string"),
    (spoil_older(run_option=3), "tasks/3/run_option is 3, but must be"),
    (spoil_older(run_option=""), 'tasks/3/run_option is "", but must be'),
    (spoil_older(run_option="RESUME_PROCESSING"), "tasks/3/run_option is"),
    (spoil_older(run_option="reload_target"), RELOAD),
    (spoil_older(run_option=None), 'tasks/3/run_option is null, but must be "resume_processing", as it was RUNNING'),
    (
        spoil_older(state="STOPPED"),
        'tasks/3/run_option is "resume_processing", but must be null, as it was STOPPED',
    ),
    (spoil_older(force=True), "tasks/3/force is not known: the members here are server, name, state,"),
    (
        older(lambda document: json.dumps({**document, "tasks": document["tasks"][:1] * 2})),
        "must be another task: it is there twice",
    ),
]


@pytest.mark.parametrize(("change", "message"), NO_MAPPING + EDITED)
def test_a_checkpoint_that_is_not_sound_stops_everything(em, window, tmp_path, change, message):
    document = window("recorded").result["checkpoint"]
    path = tmp_path / "checkpoint"
    path.write_text(change(document))
    text, before = path.read_text(), running(em)
    for state in ("recorded", "frozen", "restored"):
        run = window(state)
        assert run.failed and "is damaged" in run.msg and message in run.msg, run.msg
        assert str(path) in run.msg and not run.requests
    assert path.read_text() == text and running(em) == before


@pytest.mark.parametrize(("change", "message"), EDITED)
def test_a_checkpoint_as_an_option_has_to_be_as_sound(em, window, change, message):
    given = json.loads(change(window("recorded").result["checkpoint"]))
    for state in ("frozen", "restored"):
        run = window(state, path=None, checkpoint=given)
        assert run.failed and "is damaged" in run.msg and message in run.msg, run.msg
        assert "option checkpoint" in run.msg and not run.requests
    assert running(em) == RAN


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (spoil(schema=3), "was written by a newer release of the collection (schema 3, this one knows 2)"),
        (
            spoil(enterprise_manager="https://em/x"),
            "belongs to another Enterprise Manager: https://em/x, not https://localhost",
        ),
        (lambda document: " " * (64 * 2**20 + 1), "cannot be read: it is larger than 64 MB."),
    ],
)
def test_a_checkpoint_that_does_not_belong_here_stops_everything(em, window, tmp_path, change, message):
    document = window("recorded").result["checkpoint"]
    path = tmp_path / "checkpoint"
    path.write_text(change(document))
    for state in ("recorded", "frozen", "restored"):
        run = window(state)
        assert run.failed and message in run.msg and str(path) in run.msg and not run.requests
    assert running(em) == RAN


def first_release(document):
    """Return a checkpoint as release 1.0.0 has written it."""
    return json.dumps({member: value for member, value in first_form(document).items() if member != "running"})


def test_a_checkpoint_of_the_first_release_is_read(em, window, tmp_path):
    document = window("recorded").result["checkpoint"]
    for option in ("include", "exclude", "waves"):
        for selector in document["selection"][option]:
            selector.update(dict.fromkeys({"name", "tag", "state"} - set(selector)))
    document["selection"]["waves"] = None
    (tmp_path / "checkpoint").write_text(first_release(document))
    assert window("frozen").changed and running(em) == set()
    assert window("restored").changed and running(em) == RAN


def test_a_window_without_tasks_is_one(em, window, tmp_path):
    for options in ({}, {"allow_empty": True}):
        run = window("recorded", include=[{"server": "P", "name": "run[3]"}], waves=None, **options)
    assert run.changed and run.result["counts"] == {"selected": 0, "running": 0} and read(tmp_path)["running"] == 0
    assert not window("frozen").failed
    # The first release did not count: of an open window, its tasks may have been taken out
    (tmp_path / "checkpoint").write_text(first_release(read(tmp_path)))
    run = window("restored")
    assert run.failed and "tasks is an empty list, but must be the tasks of the window, which is frozen" in run.msg


def test_a_checkpoint_that_everybody_can_write_to_is_refused(em, window, tmp_path):
    window("recorded")
    path = tmp_path / "checkpoint"
    path.chmod(0o606)
    for state in ("recorded", "frozen", "restored"):
        run = window(state)
        assert run.failed and not run.requests, run.result
        assert f"path ({path}) cannot be read: everybody can write to it (mode 0606). Look at it" in run.msg
    path.chmod(0o664)  # somebody has opened it to the group on purpose
    assert window("frozen").changed and path.stat().st_mode & 0o777 == 0o664


def test_the_checkpoint_of_another_user_is_refused(em, window, tmp_path, monkeypatch):
    window("recorded")
    path = tmp_path / "checkpoint"
    own = os.geteuid()
    if own == 0:
        os.chown(path, 12345, -1)
    else:
        monkeypatch.setattr(os, "geteuid", lambda: own + 1)
    for state in ("recorded", "frozen", "restored"):
        run = window(state)
        assert run.failed and not run.requests, run.result
        assert f"path ({path}) cannot be read: it belongs to another user (uid " in run.msg
    assert running(em) == RAN
