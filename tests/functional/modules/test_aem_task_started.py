# Copyright (c) 2026, dataops.qlik_em contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""`started`, `restarted` and `reloaded`: each answer of the API, and what the module does with it."""

from __future__ import annotations

import pytest

TEST = "Replicate-Test"


def state(em, name="orders", server="Replicate-Prod"):
    return em.task(server, name)["state"]


def test_a_stopped_task_is_started_where_it_stopped(user, em):
    run = user.task("stock", "started", server=TEST)
    assert run.changed and not run.failed
    assert run.result["task"]["state"] == "RUNNING" == state(em, "stock", TEST)
    assert run.operations == ["Login", "GetTaskDetails", "RunTask", "Logout"]
    assert run.requests[2]["query"] == {"action": "run", "option": "RESUME_PROCESSING", "timeout": "60"}
    assert run.requests[2]["body"] in ("", None)
    assert em.summary()["tcp_connections"] == 1


@pytest.mark.parametrize("name", ["orders", "shipments"])
def test_a_running_or_recovering_task_is_left_alone(user, name):
    run = user.task(name, "started")
    assert not run.changed and not run.failed
    assert run.writes == []


def test_a_finished_full_load_is_not_loaded_again(user):
    run = user.task("customers full load", "started")
    assert not run.changed and not run.failed
    assert run.result["task"]["stop_reason"] == "FULL_LOAD_ONLY_FINISHED"
    assert run.writes == []


def test_a_finished_full_load_is_known_from_the_list_if_the_details_do_not_show_it(user, em):
    em.set_options(task_stop_reason=False)
    run = user.task("customers full load", "started")
    assert not run.changed and run.writes == []
    assert "GetTaskList" in run.operations


def test_a_list_that_fails_for_another_reason_than_the_role_is_a_failure(user, em):
    em.set_options(task_stop_reason=False)
    em.faults([{"match": {"operation": "GetTaskList"}, "fault": "error", "error_code": "SYS,GENERIC"}])
    run = user.task("customers full load", "started")
    assert run.failed and not run.changed and run.writes == [] and run.msg.startswith("GetTaskList of ")


def test_without_the_right_to_the_list_the_task_is_started(user, em):
    em.set_options(task_stop_reason=False)
    em.set_task("Replicate-Prod", "orders", state="STOPPED")
    run = user.task("orders", "started", username="orders@corp.example", password="orders-test-password")
    assert run.changed and not run.failed


def test_a_task_in_error_is_started(user, em):
    run = user.task("invoices", "started")
    assert run.changed and state(em, "invoices") == "RUNNING"


def test_a_short_full_load_that_is_over_before_the_next_read_is_a_success(user, em):
    em.set_task("Replicate-Prod", "customers full load", stop_reason="NORMAL", full_load_seconds=0.05, memory_lag=0.5)
    run = user.task("customers full load", "started", wait=True)
    assert run.changed and not run.failed
    assert state(em, "customers full load") == "STOPPED"
    assert em.task("Replicate-Prod", "customers full load")["stop_reason"] == "FULL_LOAD_ONLY_FINISHED"


def test_a_full_load_that_is_over_when_the_server_answers_is_a_success(user, em):
    em.set_task(
        "Replicate-Prod",
        "customers full load",
        stop_reason="NORMAL",
        full_load_seconds=0.01,
        start_seconds=0,
        run_answer={"state": "STOPPED"},
    )
    run = user.task("customers full load", "started")
    assert run.changed and not run.failed


def test_a_run_that_is_answered_with_stopped_is_no_success(user, em):
    em.set_task(TEST, "stock", run_answer={"state": "STOPPED"}, details={"state": "STOPPED"})
    run = user.task("stock", "started", server=TEST)
    assert run.failed and "is STOPPED after RunTask" in run.msg


@pytest.mark.parametrize("answer", [{"state": "PAUSED"}, {"state": "RUNNING", "error_message": "Only half of it."}])
def test_another_answer_is_no_success(user, em, answer):
    em.set_task(TEST, "stock", run_answer=answer)
    run = user.task("stock", "started", server=TEST)
    assert run.failed and run.changed
    assert answer["state"] in run.msg and answer.get("error_message", "") in run.msg


def test_starting_is_followed_without_wait(user, em):
    em.set_task(TEST, "stock", run_answer={"state": "STARTING"}, answer_before_done=True)
    run = user.task("stock", "started", server=TEST)
    assert run.changed and not run.failed
    assert run.result["task"]["state"] == "RUNNING" == state(em, "stock", TEST)


def test_wait_checks_that_the_process_is_up(user, em):
    em.set_task(TEST, "stock", memory_lag=1.5)
    run = user.task("stock", "started", server=TEST, wait=True)
    assert run.changed and not run.failed
    assert em.task(TEST, "stock")["memory_mb"] > 0


def test_wait_says_if_the_process_does_not_come_up(user, em):
    em.set_task(TEST, "stock", memory_lag=60)
    run = user.task("stock", "started", server=TEST, wait=True, wait_timeout=1)
    assert run.failed and run.changed
    assert "is RUNNING, but its process has not started after 1 s" in run.msg


def test_a_task_that_fails_while_it_starts_is_said_with_its_message(user, em):
    em.set_task(TEST, "stock", error_after_start="ORA-01017: invalid username/password")
    run = user.task("stock", "started", server=TEST, wait=True)
    assert run.failed and run.changed
    assert "is ERROR after RunTask: ORA-01017" in run.msg


def test_a_refused_start_says_what_the_server_says(user, em):
    em.set_task(TEST, "stock", fail_start="The target is read-only.")
    run = user.task("stock", "started", server=TEST)
    assert run.failed and not run.changed
    assert run.result["error_code"] == "AEM_RUN_TASK_INNER_ERR"
    assert "The target is read-only." in run.msg


def test_a_timeout_of_the_server_is_a_failure_without_wait_and_watched_on_with_it(user, em):
    em.set_task(TEST, "stock", start_seconds=1.5)
    run = user.task("stock", "started", server=TEST, timeout=1)
    assert run.failed and run.changed and run.result["error_code"] == "AEM_RUN_TASK_TIMEOUT"
    user.task("stock", server=TEST, wait=True)
    run = user.task("stock", "started", server=TEST, timeout=1, wait=True)
    assert run.changed and not run.failed and state(em, "stock", TEST) == "RUNNING"


def test_a_task_that_somebody_starts_is_followed_not_started(user, em):
    em.set_task(TEST, "stock", start_seconds=1.2)
    user.task("stock", "started", server=TEST, timeout=1)
    run = user.task("stock", "started", server=TEST)
    assert not run.changed and not run.failed and run.writes == []
    assert run.result["task"]["state"] == "RUNNING"


def test_a_task_that_somebody_stops_is_started_when_it_is_stopped(user, em):
    em.set_task("Replicate-Prod", "orders", stop_seconds=1.5)
    user.task(timeout=1)
    assert state(em) == "STOPPING"
    run = user.task("orders", "started")
    assert run.changed and not run.failed and state(em) == "RUNNING"
    assert run.writes == ["RunTask"]


@pytest.mark.parametrize("wait", [None, True])
def test_somebody_else_was_faster(user, em, stale_reading, wait):
    user.task("stock", "started", server=TEST)
    em.faults([stale_reading])
    run = user.task("stock", "started", server=TEST, wait=wait)
    assert run.writes == ["RunTask"] and len(em.task(TEST, "stock")["runs"]) == 1
    assert not run.changed and not run.failed and run.result["task"]["state"] == "RUNNING"


def test_an_unknown_state_is_reported_and_the_server_decides(user, em):
    em.set_task(TEST, "stock", details={"state": "PAUSED"})
    run = user.task("stock", "started", server=TEST)
    assert run.writes == ["RunTask"]
    assert any("PAUSED" in warning for warning in run.result["warnings"])


def test_an_option_that_does_nothing_on_a_running_task_is_said(user):
    run = user.task("orders", "started", run_option="recover_using_locally_stored_checkpoint")
    assert not run.changed and run.writes == []
    assert "was not applied" in run.result["warnings"][0]


@pytest.mark.parametrize(
    ("option", "position"),
    [
        ("resume_processing_from_timestamp", "2026-11-23T03:00:00"),
        ("recover_using_checkpoint_stored_on_target", "Checkpoint:V1#1#timestamp:2026-11-23T03:00:00#0#0#*#0#0"),
        ("resume_processing_from_position", "0x00000027:00000f5e:0001"),
        ("recover_using_locally_stored_checkpoint", None),
        ("metadata_only_create_missing_tables", None),
    ],
)
def test_the_run_options_travel_with_their_position(user, option, position):
    run = user.task("stock", "started", server=TEST, run_option=option, cdc_position=position)
    assert run.changed and not run.failed
    sent = next(request for request in run.requests if request["operation"] == "RunTask")
    assert sent["query"]["option"] == option.upper()
    assert (position in sent["body"]) if position else not sent["body"]


def test_a_compose_workflow_is_started_and_stopped(user, em):
    assert user.task("load_dims__sales", "started", server="Compose-DW", wait=True).changed
    assert state(em, "load_dims__sales", "Compose-DW") == "RUNNING"
    assert not user.task("load_dims__sales", "started", server="Compose-DW").changed


def test_restarted_stops_and_starts(user, em):
    run = user.task("orders", "restarted", wait=True)
    assert run.changed and not run.failed and state(em) == "RUNNING"
    assert run.executed_writes == ["StopTask", "RunTask"]


def test_restarted_starts_a_stopped_task(user, em):
    run = user.task("stock", "restarted", server=TEST)
    assert run.changed and not run.failed and state(em, "stock", TEST) == "RUNNING"
    assert run.executed_writes == ["RunTask"]


def test_a_restart_that_ends_half_way_says_that_the_task_stands_still(user, em):
    em.set_task("Replicate-Prod", "orders", fail_start="No licence for the target.")
    run = user.task("orders", "restarted")
    assert run.failed and run.changed
    assert run.msg.startswith(
        'The task "orders" on server "Replicate-Prod" was stopped, but not started again. '
        'RunTask of task "orders" on server "Replicate-Prod" failed: '
    )
    assert "No licence for the target." in run.msg
    assert run.result["error_code"] == "AEM_RUN_TASK_INNER_ERR"


def test_reloaded_loads_the_target_again_each_time(user, em):
    for _time in range(2):
        run = user.task("customers full load", "reloaded", force=True, wait=True)
        assert run.changed and not run.failed
        assert next(r for r in run.requests if r["operation"] == "RunTask")["query"]["option"] == "RELOAD_TARGET"


@pytest.mark.parametrize("check", [False, True])
@pytest.mark.parametrize(
    "options",
    [
        {"state": "reloaded"},
        {"state": "started", "run_option": "metadata_only_recreate_all_tables"},
        {"state": "restarted", "run_option": "metadata_only_recreate_all_tables"},
    ],
)
def test_what_destroys_data_wants_force(user, options, check):
    run = user.task("orders", check=check, **options)
    assert run.failed and "it needs force: true" in run.msg
    assert run.requests == []
    assert not user.task("stock", server=TEST, check=True, force=True, **options).failed


def test_the_full_load_before_is_not_taken_for_the_new_one(user, em):
    name = "customers full load"
    em.set_task("Replicate-Prod", name, start_seconds=2, full_load_seconds=30, show_transient=False)
    run = user.task(name, "reloaded", force=True, timeout=1, wait=True)
    assert run.changed and not run.failed
    assert run.result["task"]["state"] == "RUNNING"
    assert em.task("Replicate-Prod", name)["state"] != "STARTING"
