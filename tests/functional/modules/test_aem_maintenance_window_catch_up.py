# Copyright (c) 2026, dataops.qlik_em contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Waves that are started only when the tasks of the wave before have caught up (start_when)."""

from __future__ import annotations

import json
import os
import re
import signal
import threading
import time

import pytest
from ansible_collections.dataops.qlik_em.tests.functional.support.user import User
from ansible_collections.dataops.qlik_em.tests.functional.ways.children import await_that

FIRST, LAST = {("P", "a"), ("P", "b")}, {("P", "last")}
QUICK = {"stop_seconds": 0, "start_seconds": 0, "memory_lag": 0}
NO_LATENCY = {"options": {"apply_changes_enabled": False}}


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    """Short pauses."""
    monkeypatch.setattr(User, "limits", User.limits._replace(lost_effect=0.4, progress_interval=0.2))


@pytest.fixture
def em(stand_in):
    """A server with two tasks that are to be started first, and one that is to follow."""
    tasks = [{"name": name, "state": "RUNNING", **QUICK} for name in ("a", "b", "last")]
    stand_in.reset(
        {
            "users": [{"name": "op", "logins": ["op@x"], "password": "pw", "grants": [{"role": "Operator"}]}],
            "servers": [{"name": "P", "tasks": tasks}],
        }
    )
    return stand_in


@pytest.fixture
def window(em, user, tmp_path):
    """Run a step of a window; it is frozen when the test begins."""
    user.defaults.update(username="op@x", password="pw")

    def step(state, **options):
        given = {"path": str(tmp_path / "checkpoint"), "wait_sleep": 0.1, "timeout": 2, "wait_timeout": 5}
        return user.run("aem_maintenance_window", **{"state": state, **given, **options})

    assert not step("recorded", include=[{"server": "P"}], waves=[{"name": "last"}]).failed
    assert not step("frozen").failed
    return step


def when(**options):
    """Return the option."""
    return {"start_when": {"max_latency": 5, "stable_for": 2, "timeout": 2, **options}}


def running(em):
    """Return the tasks that run."""
    return {("P", name) for name, task in em.state()["servers"]["P"]["tasks"].items() if task["state"] == "RUNNING"}


def row(run, name):
    """Return the row of a task."""
    return next(row for row in run.result["tasks"] if row["name"] == name)


def calls(run, *operations):
    """Return the calls of these methods, in order: [(operation, task)]."""
    return [(one["operation"], one["task"]) for one in run.requests if one["operation"] in operations]


def test_the_next_wave_starts_when_each_task_has_caught_up_in_readings_in_a_row(em, window, user):
    em.set_task("P", "b", total_latency=600)
    high, low = ({"state": "RUNNING", "cdc_latency": {"total_latency": text}} for text in ("00:10:00", "00:00:05"))
    # The first one is of the start. A low reading alone does not count.
    answers = [high, low, high, low, low]
    em.faults(
        [
            {"match": {"operation": "GetTaskDetails", "task": "b"}, "nth": n, "fault": "answer", "json": answer}
            for n, answer in enumerate(answers, start=2)
        ]
    )
    run = window("restored", **when())
    assert not run.failed and running(em) == FIRST | LAST, run.result
    sent = calls(run, "RunTask", "GetTaskDetails")
    place = sent.index(("RunTask", "last"))
    assert sent[:place].count(("GetTaskDetails", "b")) == 1 + len(answers)
    assert sent[:place].count(("GetTaskDetails", "a")) == 1 + 2  # it is not read again when it has caught up
    # After the last wave there is no wait.
    assert sent[place + 1 :] == [("GetTaskDetails", "last")]
    assert "started: waiting for 2 tasks to catch up (start_when)" in user.progress
    assert any(
        re.fullmatch(
            r"started: 1 of 2 tasks have caught up \(start_when\); P/b: its latency is (600 s|5 s \(1 .*\))", line
        )
        for line in user.progress
    ), user.progress


def test_nothing_more_is_started_if_they_do_not_catch_up_and_it_can_be_gone_on_with(em, window, tmp_path):
    em.set_task("P", "b", total_latency=5400)
    begin = time.monotonic()
    run = window("restored", **when(timeout=1))
    assert time.monotonic() - begin >= 1
    assert run.failed and run.changed and running(em) == FIRST
    late = "It was started, but has not caught up within 1 s (start_when): its latency is 5400 s."
    first, line, *end = run.msg.splitlines()
    assert first == "1 of 3 tasks failed. Not started: 1." and line == f"P/b: {late}"
    assert end[-1].startswith("To continue, run it again with state: restored, path: ")
    assert [one["name"] for one in run.result["tasks"]] == ["b"] and row(run, "b")["after"] == "RUNNING"
    assert run.result["counts"] == {"selected": 3, "changed": 2, "failed": 1, "skipped": 1, "unchanged": 0}
    assert json.loads((tmp_path / "checkpoint").read_text())["phase"] == "restoring"
    # What runs is left alone, and waited for anew.
    again = window("restored", **when(timeout=1))
    assert again.failed and not again.changed and not again.writes and late in again.msg
    em.set_task("P", "b", total_latency=5)
    last = window("restored", **when())
    assert not last.failed and calls(last, "RunTask") == [("RunTask", "last")] and running(em) == FIRST | LAST
    # Nothing is left to be started, so nothing is waited for.
    em.set_task("P", "b", total_latency=5400)
    (tmp_path / "checkpoint").write_text((tmp_path / "checkpoint").read_text().replace('"restored"', '"restoring"'))
    assert not window("restored", **when(timeout=1)).failed


def test_they_are_started_all_the_same_with_a_warning(em, window):
    em.set_task("P", "b", details={"cdc_latency": {"total_latency": None}})
    run = window("restored", **when(timeout=1, on_timeout="go_on"))
    assert not run.failed and running(em) == FIRST | LAST
    assert run.result["warnings"] == [
        "When the next wave was started, 1 task had not caught up within 1 s (start_when): P/b: its latency is "
        "unknown (null)."
    ]


def test_too_few_readings_in_a_row_are_not_enough(em, window):
    run = window("restored", **when(stable_for=1000, timeout=1))
    assert run.failed and running(em) == FIRST
    assert re.search(r"its latency is 0 s \(\d+ of 1000 times\)\.", row(run, "a")["msg"]), run.msg


@pytest.mark.parametrize(
    ("details", "what"),
    [
        ({"state": "RECOVERY"}, "it is RECOVERY"),
        ({"state": "STARTING"}, "it is STARTING"),
        ({"state": "PAUSED"}, "it is PAUSED"),
        ({"full_load_counters": {"tables_queued_count": 3}}, "it loads tables"),
        ({"cdc_latency": {"total_latency": "soon"}}, 'its latency is unknown ("soon")'),
    ],
)
def test_what_is_not_near_its_source_is_waited_for(em, window, details, what):
    answer = {"state": "RUNNING", "cdc_latency": {"total_latency": "00:00:00"}, **details}
    match = {"operation": "GetTaskDetails", "task": "b"}
    em.faults([{"match": match, "nth": n, "fault": "answer", "json": answer} for n in range(2, 40)])
    run = window("restored", **when(timeout=1))
    assert run.failed and f"has not caught up within 1 s (start_when): {what}." in run.msg and running(em) == FIRST


@pytest.mark.parametrize(
    ("fault", "text"),
    [
        ({"fault": "error", "error_code": "AEM_SERVER_NOT_CONNECTED", "error_message": "Away."}, "Away."),
        ({"fault": "status", "status": 502}, "answered HTTP 502"),
    ],
)
def test_a_server_that_cannot_be_read_is_waited_for(em, window, fault, text):
    match = {"operation": "GetTaskDetails", "task": "b"}
    em.faults([{"match": match, "nth": 2, "count": 99, **fault}])
    run = window("restored", **when(timeout=1))
    assert run.failed and "it cannot be read: GetTaskDetails of task" in run.msg and text in run.msg


def test_a_server_that_sends_elsewhere_ends_the_wait(em, window):
    match = {"operation": "GetTaskDetails", "task": "b"}
    em.faults([{"match": match, "nth": 2, "count": 99, "fault": "redirect", "location": "https://elsewhere.example"}])
    run = window("restored", **when(timeout=60))
    assert run.failed and run.changed and "redirects to https://elsewhere.example" in run.msg and running(em) == FIRST


@pytest.mark.parametrize(
    "attributes",
    [
        {"details": {**NO_LATENCY, "cdc_latency": {"total_latency": "05:00:00"}}},
        {"full_load_only": True, "full_load_seconds": 0.2, "details": NO_LATENCY},
    ],
)
def test_what_captures_no_changes_is_not_waited_for(em, window, attributes):
    em.set_task("P", "b", **attributes)
    run = window("restored", **when(timeout=60))
    assert not run.failed and ("P", "last") in running(em), run.result


@pytest.mark.parametrize("max_failures", [None, 1])
def test_a_task_in_error_is_not_waited_for_and_has_failed(em, window, max_failures):
    answer = {"state": "ERROR", "message": "The source is locked."}
    em.faults([{"match": {"operation": "GetTaskDetails", "task": "b"}, "nth": 2, "fault": "answer", "json": answer}])
    run = window("restored", **when(timeout=60), max_failures=max_failures)
    assert run.failed and "has not caught up" not in run.msg
    assert "P/b: It was started, and is in ERROR now. The source is locked." in run.msg.splitlines()
    assert row(run, "b")["after"] == "ERROR"
    assert running(em) == (FIRST | LAST if max_failures is None else FIRST)


def test_a_task_that_somebody_stops_or_deletes_is_not_waited_for_and_reported_in_the_end(em, window):
    em.set_task("P", "a", total_latency=600)
    em.set_task("P", "b", total_latency=600)

    def stop_one_and_delete_the_other():
        await_that(lambda: running(em) == FIRST, "the first wave is started")
        time.sleep(0.5)
        em.set_task("P", "a", state="STOPPED", stop_reason="NORMAL")
        em.set_task("P", "b", state="NOT_EXIST")

    thread = threading.Thread(target=stop_one_and_delete_the_other)
    thread.start()
    run = window("restored", **when(timeout=60))
    thread.join()
    assert run.failed and "has not caught up" not in run.msg and running(em) == LAST
    assert "P/a: It was running, and is STOPPED now: it failed, or somebody has stopped it." in run.msg.splitlines()


def test_one_that_fails_to_start_is_not_waited_for(em, window):
    em.set_task("P", "b", fail_start="No licence.")
    run = window("restored", **when(timeout=60))
    assert run.failed and "No licence." in run.msg and running(em) == {("P", "a"), ("P", "last")}


def test_check_mode_does_not_wait(em, window):
    em.set_task("P", "b", total_latency=5400)
    run = window("restored", check=True, **when(timeout=60))
    assert not run.failed and run.changed and "GetTaskDetails" not in run.operations
    assert run.result["counts"]["changed"] == 3


def test_the_wait_can_be_interrupted(em, window, user, heeded):
    em.set_task("P", "b", total_latency=5400)

    def interrupt():
        await_that(lambda: any("1 of 2 tasks have caught up" in line for line in user.progress), "it waits")
        os.kill(os.getpid(), signal.SIGINT)

    thread = threading.Thread(target=interrupt)
    thread.start()
    run = window("restored", **when(timeout=60))
    thread.join()
    assert run.failed and run.changed and "Interrupted by SIGINT. Work was started on 2 of 3 tasks." in run.msg, run.msg
    assert running(em) == FIRST and run.operations[-1] == "Logout"


def most_at_a_time(run):
    """Return how many readings of details were under way at a time."""
    spans = [(one["monotonic"], one["seconds"]) for one in run.requests if one["operation"] == "GetTaskDetails"]
    return max(sum(begin <= at < begin + seconds for begin, seconds in spans) for at, _seconds in spans)


@pytest.mark.parametrize(("limit", "expected"), [({"parallel": 1}, 1), ({"parallel_per_server": 1}, 1), ({}, 2)])
def test_at_most_so_many_are_read_at_a_time(em, window, limit, expected):
    em.set_task("P", "b", total_latency=600)
    em.faults([{"match": {"operation": "GetTaskDetails"}, "nth": "all", "fault": "delay", "seconds": 0.2}])
    run = window("restored", **limit, **when(timeout=1, stable_for=100))
    assert run.failed and most_at_a_time(run) == expected


def test_a_batch_waits_between_its_waves_too(em, window, user):
    options = {"include": [{"server": "P"}], "waves": [{"name": "last"}], "wait_sleep": 0.1}
    options.update(reverse=True, results="all")
    em.set_task("P", "b", total_latency=600)
    run = user.run("aem_task_batch", state="started", **options, **when(timeout=1))
    assert run.failed and running(em) == FIRST
    assert row(run, "last")["msg"] == "Not started: the previous wave has not caught up (start_when)."
    run = user.run("aem_task_batch", state="started", **options, **when(timeout=1, on_timeout="go_on"))
    assert not run.failed and running(em) == FIRST | LAST and "P/b: its latency is 600 s." in run.result["warnings"][0]
    em.set_task("P", "b", total_latency=0)
    run = user.run("aem_task_batch", state="restarted", **options, **when(timeout=60))
    sent = calls(run, "RunTask", "GetTaskDetails")
    assert not run.failed and sent[: sent.index(("RunTask", "last"))].count(("GetTaskDetails", "b")) >= 2
    run = user.run("aem_task_batch", state="stopped", **options, **when())
    assert run.failed and "start_when cannot be used with state: stopped. To wait before a stop, use drain." in run.msg
