# Copyright (c) 2026, dataops.qlik_em contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A maintenance window while others are at work: stops under way, starts in between, loads that end, wrong clocks."""

from __future__ import annotations

import json
import threading
import time

import pytest
from ansible_collections.dataops.qlik_em.tests.functional.support.user import User

NAMES = ("run1", "run2", "run3")
DAY = 86400
SLOW = 3.5  # seconds that the stop of run1 takes


@pytest.fixture
def has_reason():
    """Return whether the details of a task show its stop reason."""
    return True


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    """Short pauses."""
    monkeypatch.setattr(User, "limits", User.limits._replace(lost_effect=0.4))


@pytest.fixture
def em(stand_in, has_reason):
    """A server with three tasks that run; the stop of the first is slow, and nothing shows it before it is done."""
    quickly = {"stop_seconds": 0.1, "start_seconds": 0.1, "state": "RUNNING"}
    tasks = [{"name": name, **quickly} for name in NAMES]
    tasks[0].update(stop_seconds=SLOW, show_transient=False)
    tasks.append({**quickly, "name": "idle", "state": "STOPPED"})
    stand_in.reset(
        {
            "options": {"task_stop_reason": has_reason},
            "users": [{"name": "op", "logins": ["op@x"], "password": "pw", "grants": [{"role": "Operator"}]}],
            "servers": [{"name": "P", "tasks": tasks}],
        }
    )
    return stand_in


@pytest.fixture(autouse=True)
def login(user):
    """Let the user be an operator."""
    user.defaults.update(username="op@x", password="pw")


@pytest.fixture
def window(em, user, tmp_path):
    """Run a step of a window whose checkpoint is a file."""

    def step(state, **options):
        given = {"path": str(tmp_path / "checkpoint"), "wait_sleep": 0.1, "timeout": 5, "wait_timeout": 8}
        selection = {"include": [{"server": "P"}]} if state == "recorded" else {}
        run = user.run("aem_maintenance_window", **{"state": state, **given, **selection, **options})
        assert state != "recorded" or not run.failed, run.msg
        return run

    return step


@pytest.fixture
def brisk(em):
    """Let no stop be slow."""
    em.set_task("P", "run1", stop_seconds=0.1)


def row(run, name):
    """Return the row of a task."""
    return next(row for row in run.result["tasks"] if row["name"] == name)


def looks(run):
    """Return how often the details of a task were read."""
    return run.operations.count("GetTaskDetails")


def stay(em):
    """Return the states when nothing is under way any more, with how often each task was started."""
    time.sleep(0.3)
    return {name: (em.task("P", name)["state"], len(em.task("P", name)["runs"])) for name in NAMES}


ALL_BACK = dict.fromkeys(NAMES, ("RUNNING", 1))


def freeze_in_vain(window, **options):
    """Freeze, and give up while the stop of run1 goes on in the server."""
    run = window("frozen", timeout=1, wait_timeout=1, **options)
    assert run.failed and row(run, "run1")["error_code"] == "AEM_STOP_TASK_TIMEOUT" and row(run, "run1")["changed"]
    return run


def phase_of(tmp_path):
    """Return the phase of the window in its file."""
    return json.loads((tmp_path / "checkpoint").read_text())["phase"]


def cut_journal(tmp_path, *events, timeout=5):
    """Leave of the journal what a freeze leaves that was killed when it had noted these events of the stop of run1."""
    path = tmp_path / "checkpoint.journal"
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    kept = [one for one in lines if one["event"] != "end" and (one.get("name") != "run1" or one["event"] in events)]
    for line in kept:
        if "timeout" in line:
            line["timeout"] = timeout
    path.write_text("".join(json.dumps(one) + "\n" for one in kept))


# A stop under way


def test_a_stop_that_has_timed_out_is_watched_before_a_restore_takes_the_task_to_run(em, window):
    window("recorded")
    freeze_in_vain(window)
    restore = window("restored", timeout=1)
    assert not restore.failed and row(restore, "run1")["changed"], restore.result
    assert stay(em) == ALL_BACK


def test_the_watch_begins_where_the_freeze_has_ended_its_own(em, window):
    """Counted from the server's answer, 1 s after the stop, it would end 2.4 s after it, which is too early."""
    window("recorded")
    assert window("frozen", timeout=1, wait_timeout=2).failed
    assert not window("restored", timeout=1, wait_timeout=1).failed
    assert stay(em) == ALL_BACK


def test_a_stop_that_has_timed_out_is_watched_also_if_the_freeze_was_killed_then(em, window, tmp_path):
    """The server has said that it takes longer than its time limit."""
    window("recorded")
    freeze_in_vain(window)
    cut_journal(tmp_path, "before", "after", timeout=1)
    assert not window("restored", timeout=1).failed
    assert stay(em) == ALL_BACK


def test_a_stop_whose_sender_was_killed_is_watched_for_its_own_time_limit(em, window, tmp_path):
    """The limit is the one of the stop (5 s), not the one of the restore (1 s)."""
    window("recorded")
    freeze_in_vain(window)
    cut_journal(tmp_path, "before")
    assert not window("restored", timeout=1).failed
    assert stay(em) == ALL_BACK


def test_a_stop_that_was_answered_and_not_seen_to_end_is_watched(em, window, tmp_path):
    """The answer says STOPPED, the process is killed, and the list shows RUNNING for a while."""
    em.set_task("P", "run1", answer_before_done=True, stop_answer={"state": "STOPPED"})
    window("recorded")
    assert window("frozen", wait_timeout=1).failed
    cut_journal(tmp_path, "before", "after")
    em.set_task("P", "run1", answer_before_done=False)
    assert not window("restored").failed
    assert stay(em) == ALL_BACK


@pytest.mark.parametrize("phase", ["recorded", "freezing", "restoring"])
def test_without_a_journal_each_task_that_ran_may_have_a_stop_under_way(em, window, tmp_path, phase):
    """As in AWX: the checkpoint of the record is all that there is, or one whose freeze or restore did not end."""
    record = window("recorded", path=None)
    freeze_in_vain(window, path=None, checkpoint=record.result["checkpoint"])
    checkpoint = {**record.result["checkpoint"], "phase": phase}
    restore = window("restored", path=None, checkpoint=checkpoint, timeout=4)
    assert not restore.failed and stay(em) == ALL_BACK
    assert not list(tmp_path.iterdir())


def test_the_watch_without_a_journal_has_one_time_limit_for_all_tasks(em, window, brisk):
    record = window("recorded", path=None)
    begin = time.monotonic()
    checkpoint = record.result["checkpoint"]
    restore = window("restored", path=None, checkpoint=checkpoint, timeout=2, parallel=1)
    assert not restore.failed and not restore.changed and time.monotonic() - begin >= 2
    assert 3 < looks(restore) <= 40  # 30 without other work; a limit for each task would make twice as many
    restore = window("restored", path=None, checkpoint={**checkpoint, "phase": "frozen"}, timeout=2)
    assert looks(restore) == 3  # a freeze that has ended has seen them stop


def test_a_journal_that_was_deleted_is_as_none(em, window, tmp_path):
    window("recorded")
    freeze_in_vain(window)
    (tmp_path / "checkpoint.journal").unlink()
    assert not window("restored").failed
    assert stay(em) == ALL_BACK


def test_a_stop_that_comes_to_nothing_is_not_waited_for_for_ever(em, window, tmp_path, brisk):
    window("recorded")
    window("frozen")
    cut_journal(tmp_path, "before")
    document = json.loads((tmp_path / "checkpoint").read_text())
    (tmp_path / "checkpoint").write_text(json.dumps({**document, "phase": "freezing"}))
    em.set_task("P", "run1", state="RUNNING")
    restore = window("restored")
    assert not restore.failed and row(restore, "run1")["msg"] == "It was already RUNNING."
    assert row(restore, "run1")["elapsed"] > 3


def test_a_freeze_that_is_repeated_sends_the_stop_that_timed_out_again_at_once(em, window):
    window("recorded")
    freeze_in_vain(window)
    again = window("frozen")
    assert not again.failed and em.task("P", "run1")["stops"] == 1  # it joins the one under way
    assert not window("restored").failed and stay(em) == ALL_BACK


# The clock of the machine


def shift(monkeypatch, seconds):
    """Set the clock of this machine; what measures durations goes on."""
    real = time.time
    monkeypatch.setattr(time, "time", lambda: real() + seconds)


@pytest.mark.parametrize("days", [1, -1])
@pytest.mark.parametrize("is_killed", [True, False])
def test_a_clock_that_was_set_between_the_steps_does_no_harm(em, window, tmp_path, monkeypatch, days, is_killed):
    window("recorded")
    freeze_in_vain(window)
    if is_killed:
        cut_journal(tmp_path, "before")
    shift(monkeypatch, days * DAY)
    assert not window("restored", timeout=4).failed
    assert stay(em) == ALL_BACK


@pytest.mark.parametrize("days", [1, -1])
def test_a_clock_that_is_set_during_a_restore_does_no_harm(em, window, monkeypatch, days):
    window("recorded")
    freeze_in_vain(window)
    threading.Timer(0.5, shift, (monkeypatch, days * DAY)).start()
    assert not window("restored", timeout=4).failed
    assert stay(em) == ALL_BACK


@pytest.mark.parametrize("change", ["another machine", "no uptime", "a later uptime"])
def test_a_time_that_cannot_be_compared_counts_from_now(em, window, tmp_path, change):
    """After a reboot, on another machine, or with the journal of a former release."""
    window("recorded")
    freeze_in_vain(window)
    cut_journal(tmp_path, "before")
    path = tmp_path / "checkpoint.journal"
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    for line in lines:
        line["uptime"] -= 1000  # as if it were long ago
        if change == "another machine" and line["event"] == "run":
            line["boot"] = "another"
        elif change == "no uptime":
            del line["uptime"]
        elif change == "a later uptime":
            line["uptime"] += 1e9
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    assert not window("restored").failed
    assert stay(em) == ALL_BACK


def test_a_stop_of_long_ago_costs_no_time(em, window, tmp_path, brisk):
    window("recorded")
    window("frozen")
    cut_journal(tmp_path, "before")
    path = tmp_path / "checkpoint.journal"
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    path.write_text("".join(json.dumps({**line, "uptime": 0.5}) + "\n" for line in lines))
    em.set_task("P", "run1", state="RUNNING")
    restore = window("restored")
    assert not restore.failed and looks(restore) < 10  # it is not watched, which would take 5 s in steps of 0.1 s


# A full load that ends


@pytest.mark.parametrize("has_reason", [True, False])
def test_a_load_that_ends_before_its_task_is_due_is_not_loaded_again(em, window, monkeypatch, brisk, has_reason):
    """Somebody has started it, and it has done its work, while the others are started."""
    window("recorded")
    window("frozen")
    monkeypatch.setattr(User, "limits", User.limits._replace(list_age=0.3))
    em.set_task("P", "run1", start_seconds=1.5)
    change = {"state": "STOPPED", "stop_reason": "FULL_LOAD_ONLY_FINISHED"}
    threading.Timer(0.7, lambda: em.set_task("P", "run3", **change)).start()
    restore = window("restored", parallel=1)
    assert not restore.failed and em.task("P", "run3")["runs"] == [], restore.result
    assert row(restore, "run3")["msg"] == "It is STOPPED because its work is done: it is left as it is."
    assert stay(em)["run2"] == ("RUNNING", 1)


@pytest.mark.parametrize("has_reason", [True, False])
@pytest.mark.parametrize("wait", [True, False])
def test_a_batch_does_not_load_again_what_has_ended_meanwhile(em, user, monkeypatch, brisk, wait, has_reason):
    monkeypatch.setattr(User, "limits", User.limits._replace(list_age=0.3))
    for name in NAMES:
        em.set_task("P", name, state="STOPPED", start_seconds=1.5)
    change = {"state": "STOPPED", "stop_reason": "FULL_LOAD_ONLY_FINISHED"}
    threading.Timer(0.7, lambda: em.set_task("P", "run3", **change)).start()
    include = [{"server": "P", "name": "run*"}]
    run = user.run("aem_task_batch", state="started", include=include, parallel=1, wait=wait, wait_sleep=0.1)
    assert not run.failed and em.task("P", "run3")["runs"] == [] and len(em.task("P", "run2")["runs"]) == 1


# What somebody does meanwhile


def at_the_second_stop(em, change):
    """Do something while run1 is stopped, after run2 and run3 are: they are in an earlier wave."""
    em.set_task("P", "run1", stop_seconds=1.5)
    threading.Timer(0.9, change).start()


FIRST = [{"name": "run2"}, {"name": "run3"}]  # the waves


def test_what_somebody_starts_during_a_freeze_is_stopped_again(em, window):
    window("recorded", waves=FIRST)
    at_the_second_stop(em, lambda: em.set_task("P", "run2", state="RUNNING"))
    freeze = window("frozen")
    assert not freeze.failed and stay(em) == dict.fromkeys(NAMES, ("STOPPED", 0))
    assert row(freeze, "run2")["msg"] == "Somebody has started it in the meantime: it was stopped again."
    assert row(freeze, "run2")["after"] == "STOPPED" and em.task("P", "run2")["stops"] == 2
    assert freeze.operations.count("GetTaskList") == 3  # before, after, and after the second stop
    assert not window("restored").failed and stay(em) == ALL_BACK


def test_what_somebody_starts_during_a_freeze_can_be_reported_instead(em, window):
    window("recorded", waves=FIRST)
    at_the_second_stop(em, lambda: em.set_task("P", "run2", state="RUNNING"))
    freeze = window("frozen", on_restart="report")
    assert not freeze.failed and freeze.result["checkpoint"]["phase"] == "frozen"
    assert row(freeze, "run2")["after"] == em.task("P", "run2")["state"] == "RUNNING"
    what = "Somebody has started it in the meantime: it is left running (on_restart: report)."
    assert row(freeze, "run2")["msg"] == what and freeze.result["warnings"] == [f"P/run2 is RUNNING: {what}"]


def test_what_cannot_be_stopped_a_second_time_is_a_failure(em, window, tmp_path):
    window("recorded", waves=FIRST)
    at_the_second_stop(em, lambda: em.set_task("P", "run2", state="RUNNING", fail_stop="It is locked."))
    freeze = window("frozen")
    assert freeze.failed and "P/run2" in freeze.msg and "It is locked." in freeze.msg
    assert phase_of(tmp_path) == "freezing" and row(freeze, "run2")["changed"]


def test_what_is_started_after_each_stop_is_a_failure(em, window, tmp_path):
    window("recorded", waves=FIRST)
    at_the_second_stop(em, lambda: em.set_task("P", "run2", state="RUNNING"))
    em.faults([{"match": {"operation": "GetTaskList"}, "nth": [3], "fault": "delay", "seconds": 1}])

    def start_again():
        while em.task("P", "run2")["stops"] < 2 or em.task("P", "run2")["state"] != "STOPPED":
            time.sleep(0.05)
        time.sleep(0.4)
        em.set_task("P", "run2", state="RUNNING")

    threading.Thread(target=start_again, daemon=True).start()
    freeze = window("frozen")
    assert freeze.failed and "P/run2: It was started again each time it was stopped" in freeze.msg
    assert row(freeze, "run2")["after"] == "RUNNING" and phase_of(tmp_path) == "freezing"
    assert row(freeze, "run2")["hint"] == "Stop what starts it, then run this again."


def test_what_is_deleted_during_a_freeze_is_not_a_failure(em, window):
    window("recorded", waves=FIRST)

    def delete():
        em.set_task("P", "run2", state="NOT_EXIST")
        em.set_task("P", "run1", state="NOT_EXIST")

    at_the_second_stop(em, delete)
    freeze = window("frozen")
    assert not freeze.failed, freeze.result
    for name in ("run1", "run2"):
        assert row(freeze, name)["msg"] == "It was deleted since the window began: nothing to do."
        assert row(freeze, name)["after"] == "NOT_EXIST"
    assert freeze.result["checkpoint"]["phase"] == "frozen"


def restore_slowly(em, window, change, **options):
    """Restore, and do something while run1, the last one, is started."""
    em.set_task("P", "run1", start_seconds=1.5)
    threading.Timer(0.9, change).start()
    return window("restored", parallel=1, **options)


@pytest.fixture
def frozen(window, brisk):
    """A window in which all is stopped; run2 and run3 are started before run1."""
    window("recorded", waves=[{"name": "run1"}])
    assert not window("frozen").failed


def test_what_is_stopped_during_a_restore_keeps_the_window_open(em, window, frozen, tmp_path):
    run = restore_slowly(em, window, lambda: em.set_task("P", "run2", state="ERROR", message="Disk full."))
    assert run.failed and phase_of(tmp_path) == "restoring"
    assert row(run, "run2")["after"] == "ERROR"
    assert "It was running, and is ERROR now: it failed, or somebody has stopped it. Disk full." in run.msg
    assert not window("restored").failed and stay(em)["run2"] == ("RUNNING", 2)


def test_what_is_deleted_or_finished_during_a_restore_is_not_a_failure(em, window, frozen):
    def change():
        em.set_task("P", "run2", state="NOT_EXIST")
        em.set_task("P", "run3", state="STOPPED", stop_reason="STOPPED_AFTER_FULL_LOAD")

    run = restore_slowly(em, window, change)
    assert not run.failed, run.msg
    assert row(run, "run2")["msg"] == "It was deleted since the window began: nothing to do."
    assert row(run, "run3")["msg"] == "It is STOPPED because its work is done: it is left as it is."


def test_what_is_deleted_before_its_start_is_not_a_failure(em, window, frozen):
    run = restore_slowly(em, window, lambda: None)
    assert not run.failed
    window("recorded", waves=[{"name": "run1"}])
    window("frozen")
    em.set_task("P", "run2", start_seconds=1.5)
    threading.Timer(0.9, lambda: em.set_task("P", "run3", state="NOT_EXIST")).start()
    run = window("restored", parallel=1)
    assert not run.failed and row(run, "run3")["skipped"], run.msg


def test_a_task_that_falls_into_recovery_after_its_start_is_named_as_such(em, window, frozen):
    em.set_task("P", "run3", recover_after=0)
    run = restore_slowly(em, window, lambda: em.set_task("P", "run2", state="RECOVERY"), wait_timeout=2)
    assert run.failed
    assert row(run, "run2")["msg"].startswith("It was started and has fallen into RECOVERY since.")
    assert "is started, but in RECOVERY: it is not running after 2 s (wait_timeout)." in row(run, "run3")["msg"]
    for name in ("run2", "run3"):
        assert row(run, name)["hint"].startswith("It needs no further start: it retries by itself")
        assert row(run, name)["after"] == "RECOVERY"


def test_a_server_that_cannot_be_read_at_the_end_is_named(em, window):
    window("recorded", waves=FIRST)
    em.set_task("P", "run1", stop_seconds=0.1)
    em.faults([{"match": {"operation": "GetTaskList"}, "nth": [2], "fault": "status", "status": 403}])
    freeze = window("frozen")
    assert not freeze.failed, freeze.msg
    assert freeze.result["warnings"][0].startswith(
        'It could not be checked whether the tasks on server "P" kept their state'
    )
