# Copyright (c) 2026, dataops.qlik_em contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs that only make tables (METADATA_ONLY) and then stop by themselves: followed, and not mistaken for others."""

from __future__ import annotations

import pytest

PROD, TEST = "Replicate-Prod", "Replicate-Test"
CREATE, RECREATE = "metadata_only_create_missing_tables", "metadata_only_recreate_all_tables"
LOST = {"match": {"operation": "RunTask"}, "fault": "cut_after"}


def options_used(em, name="stock", server=TEST):
    return [run["option"] for run in em.task(server, name)["runs"]]


def begin_to_make_tables(user, em, seconds, name="stock", server=TEST):
    """Let somebody else begin such a run."""
    em.set_task(server, name, metadata_only_seconds=seconds)
    path = f"servers/{server}/tasks/{name}"
    query = {"action": "run", "option": CREATE.upper()}
    run = user.run("aem_api", method="post", path=path, query=query)
    assert not run.failed, run.result


@pytest.mark.parametrize("is_lost", [False, True], ids=["answered", "answer lost"])
@pytest.mark.parametrize("wait", [None, True])
@pytest.mark.parametrize("option", [CREATE, RECREATE])
def test_the_run_is_followed_to_its_end_and_the_next_start_is_one(user, em, option, wait, is_lost):
    em.set_task(TEST, "stock", metadata_only_seconds=0.6, memory_lag=0.2)
    em.faults([LOST] if is_lost else [])
    run = user.task("stock", "started", server=TEST, run_option=option, force=True, wait=wait)
    assert run.changed and not run.failed and run.result["elapsed"] >= 0.6
    assert run.result["task"]["state"] == "STOPPED" == em.task(TEST, "stock")["state"]
    after = user.task("stock", "started", server=TEST, wait=True)
    assert after.changed and em.task(TEST, "stock")["state"] == "RUNNING"
    assert options_used(em) == [option.upper(), "RESUME_PROCESSING"]


def test_a_run_that_is_over_before_its_answer_is_a_success(user, em):
    em.set_task(TEST, "stock", metadata_only_seconds=0)
    for _time in range(2):
        run = user.task("stock", "started", server=TEST, run_option=CREATE)
        assert run.changed and not run.failed and run.result["task"]["state"] == "STOPPED"


def test_a_message_with_which_it_stops_is_a_failure(user, em):
    for seconds in (0, 0.5):
        em.set_task(TEST, "stock", metadata_only_seconds=seconds, metadata_only_message="No right to create tables.")
        run = user.task("stock", "started", server=TEST, run_option=CREATE)
        assert run.failed and run.changed and "No right to create tables." in run.msg


def test_a_run_that_fails_is_a_failure(user, em):
    em.set_task(TEST, "stock", error_after_start="No target.", error_after_seconds=0.3)
    run = user.task("stock", "started", server=TEST, run_option=CREATE)
    assert run.failed and run.changed and "is ERROR after RunTask: No target." in run.msg


def test_a_run_that_takes_too_long_is_said_with_its_last_state(user, em):
    em.set_task(TEST, "stock", metadata_only_seconds=30)
    run = user.task("stock", "started", server=TEST, run_option=CREATE, wait_timeout=1)
    assert run.failed and run.changed
    assert "is RUNNING and has not created its tables and stopped within 1 s (wait_timeout)" in run.msg


def test_restarted_stops_the_task_for_it(user, em):
    run = user.task("orders", "restarted", run_option=CREATE)
    assert run.changed and not run.failed and run.result["task"]["state"] == "STOPPED"
    assert run.executed_writes == ["StopTask", "RunTask"]


def test_a_finished_full_load_does_not_keep_it_from_making_tables(user, em):
    run = user.task("customers full load", "started", run_option=CREATE)
    assert run.changed and options_used(em, "customers full load", PROD) == [CREATE.upper()]


@pytest.mark.parametrize("wait", [None, True])
def test_a_start_that_meets_such_a_run_waits_for_its_end(user, em, wait):
    begin_to_make_tables(user, em, 1)
    run = user.task("stock", "started", server=TEST, wait=wait)
    assert run.changed and not run.failed
    assert em.task(TEST, "stock")["state"] == "RUNNING"
    assert options_used(em) == [CREATE.upper(), "RESUME_PROCESSING"]


def test_a_run_of_which_nothing_is_known_is_said(user, em, monkeypatch):
    monkeypatch.setattr(type(user), "limits", user.limits._replace(quiet_run=0.3))
    begin_to_make_tables(user, em, 30)
    run = user.task("stock", "started", server=TEST)
    assert not run.changed and not run.failed and "is RUNNING, but moves no data" in run.result["warnings"][0]
    assert "moves no data" in user.task("stock", "started", server=TEST, check=True).result["warnings"][0]


def test_such_a_run_that_somebody_else_was_faster_to_start_is_not_a_success(user, em, stale_reading):
    begin_to_make_tables(user, em, 0.6)
    em.faults([stale_reading])
    run = user.task("stock", "started", server=TEST)
    assert run.writes == ["RunTask"] and run.failed and not run.changed
    assert 'The task "stock" on server "Replicate-Test" was started by somebody else, and is STOPPED again.' in run.msg
    again = user.task("stock", "started", server=TEST)
    assert again.changed and not again.failed and options_used(em) == [CREATE.upper(), "RESUME_PROCESSING"]


def test_such_a_run_that_somebody_else_was_faster_to_start_is_warned_of(user, em, stale_reading, monkeypatch):
    monkeypatch.setattr(type(user), "limits", user.limits._replace(quiet_run=0.3))
    begin_to_make_tables(user, em, 30)
    em.faults([stale_reading])
    run = user.task("stock", "started", server=TEST)
    assert not run.changed and not run.failed and "is RUNNING, but moves no data" in run.result["warnings"][0]


def test_finished_is_not_said_of_such_a_run(user, em):
    begin_to_make_tables(user, em, 0.5)
    run = user.task("stock", "started", server=TEST, wait_for="finished")
    assert run.failed and "is STOPPED now (stop reason NORMAL)" in run.msg


@pytest.mark.parametrize("check", [False, True])
def test_making_tables_is_never_said_to_be_done_by_a_run_in_progress(user, em, check):
    run = user.task("orders", "started", run_option=CREATE, check=check)
    assert run.failed and not run.changed and run.writes == []
    assert f"another run is in progress, and run_option: {CREATE} was not applied." in run.msg
    assert "state: restarted" in run.result["hint"]


def test_making_tables_waits_for_a_run_that_ends(user, em):
    begin_to_make_tables(user, em, 1)
    em.set_task(TEST, "stock", metadata_only_seconds=0.1)
    run = user.task("stock", "started", server=TEST, run_option=RECREATE, force=True)
    assert run.changed and not run.failed
    assert options_used(em) == [CREATE.upper(), RECREATE.upper()]


def test_making_tables_waits_no_longer_than_it_may(user, em):
    begin_to_make_tables(user, em, 30)
    run = user.task("stock", "started", server=TEST, run_option=RECREATE, force=True, wait_timeout=1)
    assert run.failed and not run.changed
    assert "is RUNNING after 1 s (wait_timeout): another run is in progress" in run.msg


def test_a_run_whose_end_cannot_be_read_is_not_met_by_another(user, em):
    begin_to_make_tables(user, em, 30)
    em.faults([{"match": {"operation": "GetTaskDetails"}, "nth": 2, "count": 99, "fault": "status", "status": 502}])
    run = user.task("stock", "started", server=TEST, run_option=RECREATE, force=True, wait_timeout=1)
    assert run.failed and not run.changed and run.writes == [] and "answered HTTP 502" in run.msg, run.result


def test_check_mode_predicts_the_run(user, em):
    foreseen = user.task("stock", "started", server=TEST, run_option=CREATE, check=True, diff=True)
    assert foreseen.changed and foreseen.writes == []
    real = user.task("stock", "started", server=TEST, run_option=CREATE, diff=True)
    assert foreseen.result["diff"] == real.result["diff"]
    assert real.result["diff"]["after"] == {"state": "STOPPED", "run_option": CREATE}


def test_a_batch_makes_tables_too(user, em):
    em.set_task(TEST, "stock", metadata_only_seconds=0.5)
    include = [{"server": TEST, "name": "stock"}, {"server": TEST, "name": "north/south"}]
    run = user.run("aem_task_batch", state="started", include=include, run_option=CREATE, wait_sleep=0.1)
    assert run.changed and not run.failed, run.result
    assert [row["after"] for row in run.result["tasks"]] == ["STOPPED", "STOPPED"]


def test_a_batch_does_not_say_that_it_made_tables_where_another_run_goes_on(user, em):
    include = [{"server": PROD, "name": "orders"}]
    for check in (True, False):
        run = user.run("aem_task_batch", state="started", include=include, run_option=CREATE, check=check)
        assert run.failed and not run.changed and "was not applied" in run.result["tasks"][0]["msg"]
