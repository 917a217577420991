# Copyright (c) 2026, dataops.qlik_em contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""`wait_for`: a start is followed until its work is done, its tables are loaded, or its latency is low."""

from __future__ import annotations

import threading
import time

import pytest

PROD, TEST, COMPOSE = "Replicate-Prod", "Replicate-Test", "Compose-DW"
LOAD, FLOW = "customers full load", "load_dims__sales"
LOST = {"match": {"operation": "RunTask"}, "fault": "cut_after"}
NO_TABLE = "ORA-00942: table or view does not exist"


def later(seconds, change, *args, **attributes):
    """Change the stand-in after a while."""
    timer = threading.Timer(seconds, change, args, attributes)
    timer.daemon = True
    timer.start()


def tables(*names, **attributes):
    return [{"schema": "S", "table": name, **attributes} for name in names]


@pytest.mark.parametrize("is_lost", [False, True], ids=["answered", "answer lost"])
@pytest.mark.parametrize("seconds", [0, 0.3, 5])
def test_a_full_load_is_followed_to_its_end(user, em, seconds, is_lost):
    em.set_task(PROD, LOAD, state="STOPPED", stop_reason="NORMAL", full_load_seconds=seconds)
    em.faults([LOST] if is_lost else [])
    run = user.task(LOAD, "started", wait_for="finished")
    assert run.changed and not run.failed
    assert (run.result["task"]["state"], run.result["task"]["stop_reason"]) == ("STOPPED", "FULL_LOAD_ONLY_FINISHED")
    assert run.result["elapsed"] >= seconds
    assert run.executed_writes == ["RunTask"]


@pytest.mark.parametrize("shows_starting", [True, False])
@pytest.mark.parametrize("seconds", [0, 0.3])
def test_a_load_is_not_taken_for_the_one_before(user, em, seconds, shows_starting):
    em.set_task(PROD, LOAD, full_load_seconds=seconds, start_seconds=1.5, show_transient=shows_starting)
    run = user.task(LOAD, "reloaded", force=True, timeout=1, wait_for="finished", wait_timeout=10)
    if seconds == 0 and not shows_starting:  # it shows in nothing
        assert run.failed and run.changed
        return
    assert run.changed and not run.failed
    assert run.result["elapsed"] >= 1.5 + seconds
    assert [one["option"] for one in em.task(PROD, LOAD)["runs"]] == ["RELOAD_TARGET"]


@pytest.mark.parametrize("goal", ["finished", "loaded"])
def test_a_reload_whose_answer_is_lost_shows_in_the_load_of_its_tables(user, em, goal):
    em.set_task(PROD, LOAD, start_seconds=0, full_load_seconds=0, tables=tables("A"))
    for _time in range(2):
        em.faults([LOST])
        run = user.task(LOAD, "reloaded", force=True, wait_for=goal)
        assert run.changed and not run.failed and run.executed_writes == ["RunTask"]
        time.sleep(1.1)  # the times of loads are in seconds


def test_a_reload_that_never_arrived_is_not_said_to_be_done(user, em):
    em.set_task(PROD, LOAD, full_load_seconds=0, tables=tables("A"))
    em.faults([{**LOST, "fault": "cut_before"}])
    run = user.task(LOAD, "reloaded", force=True, wait_for="finished", wait_timeout=1)
    assert run.failed and run.changed and run.executed_writes == []


def test_a_reload_whose_answer_is_lost_and_that_shows_nothing_is_not_said_to_be_done(user, em):
    em.set_task(PROD, LOAD, start_seconds=0, full_load_seconds=0)  # it ends at once, and as the one before
    em.faults([LOST])
    run = user.task(LOAD, "reloaded", force=True, wait_for="finished", wait_timeout=1)
    assert run.failed and run.changed
    assert "It is not known whether the call arrived" in run.msg
    assert run.writes.count("RunTask") == 1


def test_a_load_in_progress_is_followed_not_started(user, em):
    em.set_task(PROD, LOAD, full_load_seconds=0.8)
    em.set_task(PROD, LOAD, state="RUNNING")
    run = user.task(LOAD, "started", wait_for="finished")
    assert not run.changed and not run.failed and run.writes == []
    assert run.result["task"]["state"] == "STOPPED"
    assert not user.task(LOAD, "started", wait_for="finished").changed


def test_the_stop_reason_is_read_in_the_list_if_the_details_lack_it(user, em):
    em.set_options(task_stop_reason=False)
    em.set_task(PROD, LOAD, state="STOPPED", stop_reason="NORMAL", full_load_seconds=0.3)
    run = user.task(LOAD, "started", wait_for="finished")
    assert run.changed and run.result["task"]["stop_reason"] == "FULL_LOAD_ONLY_FINISHED"


def test_a_load_that_somebody_stops_has_not_finished(user, em):
    em.set_task(PROD, LOAD, state="STOPPED", stop_reason="NORMAL", full_load_seconds=30)
    later(0.8, em.set_task, PROD, LOAD, state="STOPPED")
    run = user.task(LOAD, "reloaded", force=True, wait_for="finished")
    assert run.failed and run.changed
    assert "is STOPPED after RunTask (stop reason NORMAL)" in run.msg


def test_a_load_that_fails_is_a_failure_with_its_message(user, em):
    em.set_task(PROD, LOAD, stop_reason="NORMAL", error_after_start=NO_TABLE, error_after_seconds=0.3)
    run = user.task(LOAD, "started", wait_for="finished")
    assert run.failed and run.changed
    assert run.result["error_message"] == NO_TABLE and NO_TABLE in run.msg


def test_tables_in_error_are_said_when_a_load_has_finished(user, em):
    bad = [*tables("GOOD"), *tables("BAD", error_after_reload=True)]
    em.set_task(PROD, LOAD, tables=bad, full_load_seconds=0.3)
    run = user.task(LOAD, "reloaded", force=True, wait_for="finished")
    assert run.changed and not run.failed
    assert "has finished, but with tables in error: 1 of 2 tables loaded (1 in error)" in run.result["warnings"][0]


def test_a_timeout_shows_how_far_the_load_is(user, em):
    em.set_task(PROD, LOAD, tables=[*tables("A", "B"), *tables("C", load_seconds=30)], full_load_seconds=30)
    run = user.task(LOAD, "reloaded", force=True, wait_for="finished", wait_timeout=1)
    assert run.failed and run.changed and "error_code" not in run.result
    assert f'The task "{LOAD}" on server "{PROD}" is RUNNING and has not finished within 1 s (wait_timeout)' in run.msg
    assert "2 of 3 tables loaded, 200 of 300 rows" in run.msg
    assert run.result["task"]["state"] == "RUNNING"


def test_a_task_that_captures_changes_does_not_finish_and_the_hint_says_so(user):
    run = user.task("orders", "started", wait_for="finished", wait_timeout=1)
    assert run.failed and not run.changed
    assert "has not finished within 1 s" in run.msg and "latency 5 s" in run.msg
    assert "wait_for: loaded" in run.result["hint"]


@pytest.mark.parametrize("is_lost", [False, True], ids=["answered", "answer lost"])
@pytest.mark.parametrize("seconds", [0.3, 2])
def test_a_workflow_is_followed_to_its_end(user, em, seconds, is_lost):
    em.set_task(COMPOSE, FLOW, full_load_only=True, full_load_seconds=seconds)
    em.faults([LOST] if is_lost else [])
    run = user.task(FLOW, "started", server=COMPOSE, wait_for="finished")
    assert run.changed and not run.failed
    assert run.result["task"]["state"] == "STOPPED" and run.result["elapsed"] >= seconds


@pytest.mark.parametrize("goal", [{"wait_for": "finished"}, {"wait": True}])
def test_a_workflow_that_is_over_before_its_answer_has_finished(user, em, goal):
    em.set_task(COMPOSE, FLOW, full_load_only=True)
    for _time in range(2):
        run = user.task(FLOW, "started", server=COMPOSE, **goal)
        assert run.changed and not run.failed and run.result["task"]["state"] == "STOPPED"


@pytest.mark.parametrize("is_lost", [False, True], ids=["answered", "answer lost"])
@pytest.mark.parametrize("seconds", [0, 0.3, 2])
def test_a_workflow_that_fails_is_a_failure(user, em, seconds, is_lost):
    em.set_task(COMPOSE, FLOW, error_after_start=NO_TABLE, error_after_seconds=seconds)
    em.faults([LOST] if is_lost else [])
    run = user.task(FLOW, "started", server=COMPOSE, wait_for="finished")
    assert run.failed and run.changed and run.result["error_message"] == NO_TABLE
    assert run.result["task"]["state"] == "ERROR"


def test_loaded_waits_for_all_tables(user, em):
    both = [*tables("A"), *tables("B", queue_seconds=0.5, load_seconds=0.7)]
    em.set_task(PROD, "orders", tables=both, stop_seconds=0, start_seconds=0)
    run = user.task("orders", "reloaded", force=True, wait_for="loaded")
    assert run.changed and not run.failed and run.result["task"]["state"] == "RUNNING"
    assert run.result["elapsed"] >= 1.2
    assert {table["state"] for table in em.inside(PROD, "orders")["tables"]} == {"TABLE_CHANGE_PROCESSING"}
    assert not user.task("orders", "started", wait_for="loaded").changed


@pytest.mark.parametrize("details", [{}, {"full_load_counters": None}], ids=["with counters", "without"])
def test_loaded_fails_for_tables_in_error_once_the_others_are_loaded(user, em, details):
    failing = [*tables("BAD", error_after_reload=True), *tables("SLOW", load_seconds=2)]
    em.set_task(PROD, "orders", tables=failing, details=details, stop_seconds=0, start_seconds=0)
    run = user.task("orders", "reloaded", force=True, wait_for="loaded")
    assert run.failed and run.changed and run.result["elapsed"] >= 2
    assert "has loaded its tables, but 1 of them are in error: S.BAD." in run.msg


def test_loaded_fails_for_a_finished_load_with_tables_in_error(user, em):
    em.set_task(PROD, LOAD, tables=tables("BAD", error_after_reload=True), full_load_seconds=0.3)
    run = user.task(LOAD, "reloaded", force=True, wait_for="loaded")
    assert run.failed and run.changed and "S.BAD" in run.msg
    em.set_task(PROD, LOAD, tables=tables("GOOD"))
    assert user.task(LOAD, "reloaded", force=True, wait_for="loaded").changed


def test_loaded_does_not_believe_a_table_that_waits_for_its_cached_changes(user, em):
    em.set_task(PROD, "orders", tables=tables("A", ends_in="TABLE_COMPLETED"))
    run = user.task("orders", "reloaded", force=True, wait_for="loaded", wait_timeout=1)
    assert run.failed and "has not loaded all its tables within 1 s" in run.msg


def test_latency_must_stay_low(user, em):
    em.set_task(TEST, "stock", total_latency=600)
    later(0.6, em.set_task, TEST, "stock", total_latency=3)
    run = user.task("stock", "started", server=TEST, wait_for="latency")
    assert run.changed and not run.failed and run.result["elapsed"] >= 0.6
    reads = [r for r in run.requests if r["operation"] == "GetTaskDetails"]
    assert len(reads) >= 5  # three of them in a row show 3 s


def test_a_latency_that_is_low_for_a_moment_is_not_enough(user, em):
    high, low = ({"total_latency": text} for text in ("00:10:00", "00:00:01"))
    em.set_task(TEST, "stock", details={"cdc_latency": high})

    over = threading.Event()

    def swing():
        while not over.wait(0.25):
            em.set_task(TEST, "stock", details={"cdc_latency": low})
            over.wait(0.25)
            em.set_task(TEST, "stock", details={"cdc_latency": high})

    thread = threading.Thread(target=swing, daemon=True)
    thread.start()
    run = user.task("stock", "started", server=TEST, wait_for="latency", wait_timeout=2, wait_sleep=0.2)
    over.set()
    thread.join()
    assert run.failed and "has not reached a latency of 10 s (max_latency) within 2 s" in run.msg


@pytest.mark.parametrize("shown", ["soon", None, 7])
def test_a_latency_that_cannot_be_read_is_not_low(user, em, shown):
    em.set_task(TEST, "stock", details={"cdc_latency": {"total_latency": shown}})
    run = user.task("stock", "started", server=TEST, wait_for="latency", max_latency=3600, wait_timeout=1)
    assert run.failed and "latency unknown (" in run.msg


@pytest.mark.parametrize("check", [False, True])
def test_a_task_without_latency_is_refused_before_anything_is_sent(user, check):
    run = user.task(LOAD, "reloaded", force=True, wait_for="latency", check=check)
    assert run.failed and not run.changed and run.writes == []
    assert "captures no changes, so it has no latency. Nothing was sent." in run.msg


@pytest.mark.parametrize("check", [False, True])
@pytest.mark.parametrize(
    ("options", "what"),
    [
        ({"state": "reloaded", "force": True}, "state: reloaded is for Replicate tasks only"),
        ({"state": "restarted", "run_option": "recover_using_locally_stored_checkpoint"}, "run_option: recover_"),
        ({"state": "restarted", "run_option": "metadata_only_create_missing_tables"}, "run_option: metadata_only_"),
        ({"state": "restarted", "wait_for": "loaded"}, "wait_for: loaded is for Replicate tasks only"),
        ({"state": "started", "wait_for": "latency"}, "wait_for: latency is for Replicate tasks only"),
    ],
)
def test_what_compose_does_not_know_is_refused_before_anything_is_stopped(user, em, options, what, check):
    run = user.task("nightly__sales", server=COMPOSE, check=check, **options)
    assert run.failed and not run.changed and run.writes == []
    assert what in run.msg and 'the task "nightly__sales" on server "Compose-DW" is a Compose task' in run.msg
    assert em.task(COMPOSE, "nightly__sales")["state"] == "RUNNING"


@pytest.mark.parametrize("state", ["started", "restarted"])
def test_an_older_compose_is_started_without_a_run_option(user, em, state):
    em.set_variants(compose_run_option=False)
    em.set_server(COMPOSE, version="2023.11.0.90")
    run = user.task(FLOW, state, server=COMPOSE, wait=True)
    assert run.changed and not run.failed
    assert em.task(COMPOSE, FLOW)["runs"] == [{"option": "NONE", "cdcposition": None}]


def test_a_refused_start_on_another_server_is_not_sent_again(user, em):
    for version in ("2024.11.0.90", "2023.11.0.90"):
        em.set_variants(compose_run_option=False)
        em.set_server(COMPOSE, version=version)
        em.set_task(COMPOSE, FLOW, fail_start="No licence.")
        run = user.task(FLOW, "started", server=COMPOSE)
        assert run.failed and not run.changed
        assert len(run.writes) == (2 if version.startswith("2023") else 1)
    em.set_task(TEST, "stock", fail_start="No licence.")
    run = user.task("stock", "started", server=TEST)
    assert run.failed and run.operations == ["Login", "GetTaskDetails", "RunTask", "Logout"]


@pytest.mark.parametrize("goal", ["running", "finished", "loaded", "latency"])
def test_check_mode_predicts_and_waits_for_nothing(user, em, pauses, goal):
    run = user.task("stock", "started", server=TEST, wait_for=goal, check=True, diff=True)
    assert run.changed and run.writes == [] and pauses == []
    expected = "STOPPED" if goal == "finished" else "RUNNING"
    assert run.result["diff"]["after"] == {"state": expected, "run_option": "resume_processing"}
    assert not user.task("orders", "started", wait_for=goal, check=True).changed


def test_progress_shows_tables_rows_and_latency(user, em, monkeypatch):
    monkeypatch.setattr(type(user), "limits", user.limits._replace(progress_interval=0.2))
    em.set_task(PROD, "orders", tables=[*tables("A"), *tables("B", load_seconds=1)])
    assert not user.task("orders", "reloaded", force=True, wait_for="loaded").failed
    assert "Replicate-Prod/orders is RUNNING: 1 of 2 tables loaded, 100 of 200 rows, latency 5 s" in user.progress


def test_a_drained_task_is_stopped_when_nothing_is_in_flight(user, em):
    em.set_task(PROD, "orders", total_latency=90, stop_seconds=0)
    later(0.6, em.set_task, PROD, "orders", total_latency=1)
    run = user.task("orders", "drained")
    assert run.changed and not run.failed and run.result["elapsed"] >= 0.6
    assert em.task(PROD, "orders")["state"] == "STOPPED" and run.writes == ["StopTask"]
    assert not user.task("orders", "drained").changed


def test_a_drained_task_has_its_full_load_done(user, em):
    em.set_task(PROD, "orders", tables=tables("A", load_seconds=1), start_seconds=0, stop_seconds=0)
    user.task("orders", "reloaded", force=True)
    run = user.task("orders", "drained")
    assert run.changed and not run.failed and run.result["elapsed"] >= 0.5
    assert {table["state"] for table in em.inside(PROD, "orders")["tables"]} == {"TABLE_CHANGE_PROCESSING"}


@pytest.mark.parametrize(
    ("on_timeout", "failed", "state"),
    [("fail", True, "RUNNING"), ("skip", False, "RUNNING"), ("stop", False, "STOPPED")],
)
def test_what_does_not_drain_in_time_is_treated_as_the_option_says(user, em, on_timeout, failed, state):
    em.set_task(PROD, "orders", details={"cdc_latency": {"total_latency": "ages"}})
    run = user.task("orders", "drained", drain={"timeout": 1, "on_timeout": on_timeout})
    assert run.failed is failed and run.changed is (state == "STOPPED")
    assert em.task(PROD, "orders")["state"] == state
    assert 'unknown ("ages")' in (run.msg if failed else run.result["warnings"][0])


def test_drained_in_check_mode_sends_nothing_and_waits_for_nothing(user, em):
    em.set_task(PROD, "orders", total_latency=90)
    run = user.task("orders", "drained", check=True, diff=True)
    assert run.changed and run.writes == [] and run.result["diff"]["after"] == {"state": "STOPPED"}


def test_a_batch_waits_until_the_work_of_each_task_is_done(user, em, monkeypatch):
    monkeypatch.setattr(type(user), "limits", user.limits._replace(progress_interval=0.3, slow_task=0.1))
    names = {"short": {}, "long": {"full_load_seconds": 2.5, "tables": tables("A", load_seconds=2)}}
    names["bad"] = {"error_after_start": NO_TABLE, "error_after_seconds": 0.3}
    server = {"name": "S", "tasks": [{"name": name, "full_load_only": True, **more} for name, more in names.items()]}
    em.reset(
        {
            "users": [{"name": "op", "password": "op-test-password", "grants": [{"role": "Operator"}]}],
            "servers": [server],
        }
    )
    options = {"state": "started", "include": [{"server": "S"}], "wait_for": "finished", "wait_sleep": 0.1}
    run = user.run("aem_task_batch", **options, results="all", username="op", password="op-test-password")
    rows = {row["name"]: (row["after"], row["changed"], row["failed"]) for row in run.result["tasks"]}
    assert rows == {
        "short": ("STOPPED", True, False),
        "long": ("STOPPED", True, False),
        "bad": ("ERROR", True, True),
    }
    assert run.failed and NO_TABLE in run.msg
    shown = "\n".join(user.progress)
    assert "S/long (RUNNING: 1 of 1 tables loaded, 100 of 100 rows) for" in shown, shown
    em.set_task("S", "bad", error_after_start=None, full_load_seconds=0.3)
    run = user.run("aem_task_batch", **options, username="op", password="op-test-password")
    assert not run.failed and [row["name"] for row in run.result["tasks"] if row["changed"]] == ["bad"]


def test_a_batch_is_drained_before_it_is_stopped(user, em):
    include = [{"server": PROD, "name": "orders"}]
    em.set_task(PROD, "orders", total_latency=90, stop_seconds=0)
    later(0.6, em.set_task, PROD, "orders", total_latency=1)
    run = user.run("aem_task_batch", state="drained", include=include, wait_sleep=0.1)
    assert run.changed and not run.failed and run.result["elapsed"] >= 0.6
    assert em.task(PROD, "orders")["state"] == "STOPPED"
    assert not user.run("aem_task_batch", state="drained", include=include).changed


def test_a_batch_refuses_what_compose_does_not_know(user, em):
    run = user.run(
        "aem_task_batch",
        state="restarted",
        include=[{"server": COMPOSE, "name": "nightly__sales"}],
        run_option="recover_using_locally_stored_checkpoint",
    )
    assert run.failed and not run.changed and run.writes == [] and "is a Compose task" in run.msg
    assert em.task(COMPOSE, "nightly__sales")["state"] == "RUNNING"


@pytest.mark.parametrize(
    ("text", "sent"),
    [
        ("2026-11-25T18:00:00Z", "2026-11-25T18:00:00"),
        ("2026-11-25T18:00:00", "2026-11-25T18:00:00"),
        ("2026-11-25 18:00:00+01:00", "2026-11-25T17:00:00"),
        ("2026-11-25T18:00:00+0100", "2026-11-25T17:00:00"),
        ("2026-11-25 18:00:00 -05:30", "2026-11-25T23:30:00"),
        ("2026-11-25 18:00", "2026-11-25T18:00:00"),
        ("2026-11-25T18:00Z", "2026-11-25T18:00:00"),
        ("2026-11-25T18:00:00.75+01", "2026-11-25T17:00:00"),
    ],
)
def test_a_start_takes_times_like_all_other_options(user, em, text, sent):
    option = "resume_processing_from_timestamp"
    run = user.task("stock", "started", server=TEST, run_option=option, cdc_position=text)
    assert run.changed and em.task(TEST, "stock")["runs"] == [{"option": option.upper(), "cdcposition": sent}]
