# Copyright (c) 2026, dataops.qlik_em contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""`state: stopped`: each answer of the API, and what the module does with it."""

from __future__ import annotations

import time

import pytest

ONCE = ["Login", "StopTask", "Logout"]


def test_a_running_task_is_stopped_with_one_login_one_post_and_one_connection(user, em):
    begin = time.monotonic()
    run = user.task()
    assert run.changed and not run.failed
    assert run.result["task"] == {
        "server": "Replicate-Prod",
        "name": "orders",
        "state": "STOPPED",
        "stop_reason": None,
        "message": "",
    }
    assert run.operations == ONCE
    assert {request["connection"] for request in run.requests} == {run.requests[0]["connection"]}
    summary = em.summary()
    assert (summary["logins"], summary["tcp_connections"], summary["open_sessions"]) == (1, 1, 0)
    assert em.task("Replicate-Prod", "orders")["state"] == "STOPPED"
    assert 0.9 < run.result["elapsed"] <= time.monotonic() - begin + 0.01  # it is rounded


def test_a_stopped_task_is_left_alone(user):
    user.task()
    run = user.task()
    assert not run.changed and not run.failed
    assert run.operations == ONCE


def test_a_task_in_error_counts_as_stopped(user):
    run = user.task("invoices")
    assert not run.changed and not run.failed


def test_a_recovering_task_is_stopped(user):
    assert user.task("shipments").changed


def test_the_server_waits_as_long_as_the_user_says(user):
    run = user.task(timeout=7)
    assert run.requests[1]["query"] == {"action": "stop", "timeout": "7"}
    assert user.task().requests[1]["query"]["timeout"] == "60"


def test_a_refused_stop_says_what_the_server_says(user):
    run = user.task("locked")
    message = (
        "Failed to stop Replicate task locked on server Replicate-Prod: "
        "<SYS-E-HTTPFAIL, Cannot stop task 'locked': task operation is locked by another operation.>"
    )
    assert run.failed and not run.changed
    assert run.msg == f'StopTask of task "locked" on server "Replicate-Prod" failed: {message}'
    assert run.result["error_code"] == "AEM_STOP_TASK_INNER_ERR"
    assert run.result["error_message"] == message
    assert run.result["http_status"] == 500
    assert run.result["hint"]
    assert run.operations == ONCE


@pytest.mark.parametrize(
    ("http_status", "error_code"), [(500, "AEM_NEVER_HEARD_OF"), (404, "AEM_TASK_NOT_FOUND"), (200, "AEM_STRANGE")]
)
def test_every_other_code_passes_through_unchanged(user, em, http_status, error_code):
    em.faults(
        [
            {
                "match": {"operation": "StopTask"},
                "fault": "error",
                "error_code": error_code,
                "http_status": http_status,
                "error_message": "The moon is in the wrong phase.",
            }
        ]
    )
    run = user.task()
    assert run.failed and not run.changed
    assert (run.result["error_code"], run.result["http_status"]) == (error_code, http_status)
    assert run.msg.endswith("failed: The moon is in the wrong phase.")
    assert run.writes == ["StopTask"]


def test_a_timeout_of_the_server_is_a_failure_that_may_have_changed_something(user, em):
    em.set_task("Replicate-Prod", "orders", stop_seconds=3)
    run = user.task(timeout=1)
    assert run.failed and run.changed
    assert run.result["error_code"] == "AEM_STOP_TASK_TIMEOUT"
    assert "A timeout occurred when trying to stop Replicate task orders" in run.msg
    assert "wait: true" in run.result["hint"]


def test_with_wait_a_timeout_of_the_server_is_watched_on(user, em):
    em.set_task("Replicate-Prod", "orders", stop_seconds=2)
    run = user.task(timeout=1, wait=True)
    assert run.changed and not run.failed
    assert run.result["task"]["state"] == "STOPPED"
    assert run.writes == ["StopTask"]


def test_stuck_in_stopping_is_said_as_such(user):
    run = user.task("stuck", server="Replicate-Test", timeout=1, wait=True, wait_timeout=1)
    assert run.failed and run.changed
    assert run.msg.startswith('The task "stuck" on server "Replicate-Test" is stuck in STOPPING')
    assert "A timeout occurred when trying to stop Replicate task stuck" in run.msg
    assert run.result["error_code"] == "AEM_STOP_TASK_TIMEOUT"
    assert run.result["task"]["state"] == "STOPPING"


def test_a_transient_answer_is_followed_without_wait(user, em):
    em.set_task("Replicate-Prod", "orders", stop_answer={"state": "STOPPING"}, answer_before_done=True)
    run = user.task()
    assert run.changed and not run.failed
    assert run.result["task"]["state"] == "STOPPED"
    assert run.operations.count("GetTaskDetails") > 1


def test_a_transient_answer_that_leads_nowhere_fails_with_the_last_state(user, em):
    em.set_task(
        "Replicate-Prod", "orders", stop_answer={"state": "STOPPING"}, answer_before_done=True, stuck_in_stopping=True
    )
    run = user.task(wait_timeout=1)
    assert run.failed and run.changed
    assert "stuck in STOPPING" in run.msg
    assert run.result["task"]["state"] == "STOPPING"
    assert run.result["error_code"] == "AEM_STOP_TASK_TIMEOUT"


@pytest.mark.parametrize(
    ("answer", "changed"),
    [
        ({"state": "RUNNING"}, False),
        ({"state": "ERROR"}, True),
        ({"state": "PAUSED"}, True),
        ({"state": "STOPPED", "error_message": "Stopped, but the log could not be closed."}, True),
        ({"state": "RUNNING", "error_message": "Cannot stop now."}, False),
    ],
)
def test_a_200_with_another_state_or_a_message_is_no_success(user, em, answer, changed):
    em.set_task("Replicate-Prod", "orders", stop_answer=answer)
    run = user.task()
    assert run.failed
    assert run.changed is changed
    assert answer["state"] in run.msg and answer.get("error_message", "") in run.msg


def test_wait_checks_that_the_process_has_ended(user, em):
    em.set_task("Replicate-Prod", "orders", stop_seconds=0.1, memory_lag=1.5)
    run = user.task(wait=True)
    assert run.changed and not run.failed
    assert em.task("Replicate-Prod", "orders")["memory_mb"] == 0
    assert run.operations.count("GetTaskDetails") > 3


def test_wait_reads_memory_that_is_spelled_with_a_fraction(user, em):
    em.set_variants(fractions=True)
    em.set_task("Replicate-Prod", "orders", stop_seconds=0, memory_lag=0.5)
    run = user.task(wait=True)
    assert run.changed and run.operations.count("GetTaskDetails") > 1
    assert em.task("Replicate-Prod", "orders")["memory_mb"] == 0


def test_wait_fails_if_the_process_stays(user, em):
    em.set_task("Replicate-Prod", "orders", stop_seconds=0.1, memory_lag=60)
    run = user.task(wait=True, wait_timeout=1)
    assert run.failed and run.changed
    assert "is STOPPED, but its process still holds 212 MB" in run.msg


def test_wait_checks_a_task_that_was_stopped_already(user, em):
    em.set_task("Replicate-Prod", "orders", stop_seconds=0.1, memory_lag=1.5)
    user.task()
    run = user.task(wait=True)
    assert not run.changed and not run.failed
    assert em.task("Replicate-Prod", "orders")["memory_mb"] == 0


def test_a_compose_workflow_is_stopped_too(user):
    run = user.task("nightly__sales", server="Compose-DW", wait=True)
    assert run.changed and not run.failed


@pytest.mark.parametrize(
    ("server", "name", "code"),
    [
        ("Nowhere", "orders", "AEM_SERVER_NOT_FOUND"),
        ("Replicate-Prod", "nothing", "AEM_TASK_NOT_FOUND"),
        ("Replicate Old", "archive", "AEM_SERVER_NOT_MONITORED"),
        ("Replicate-Down", "payments", "AEM_SERVER_NOT_CONNECTED"),
        ("Replicate-Unlicensed", "returns", "AEM_SERVER_LICENSE_EXPIRED"),
    ],
)
def test_what_is_wrong_with_the_server_or_the_name_is_said(user, server, name, code):
    run = user.task(name, server=server)
    assert run.failed and not run.changed
    assert run.result["error_code"] == code
    assert f'task "{name}" on server "{server}"' in run.msg
    assert run.result["hint"]


def test_a_missing_right_names_the_user_the_object_and_the_role(user):
    run = user.task(username="viewer@corp.example", password="viewer-test-password")
    assert run.failed and not run.changed
    assert run.msg == (
        'StopTask of task "orders" on server "Replicate-Prod" was refused to user "viewer@corp.example": '
        "Unauthorized Request."
    )
    assert "Operator on the task" in run.result["hint"]
    assert run.operations == ONCE


@pytest.mark.parametrize("status", [401, 403])
def test_a_refusal_without_a_code_is_one_of_a_read_and_leaves_a_write_in_doubt(user, em, status):
    em.faults([{"match": {"operation": "GetTaskDetails"}, "fault": "status", "status": status}])
    run = user.task(state="started")
    assert run.failed and not run.changed and run.writes == []
    assert "was refused to user" in run.msg and "Viewer on the task" in run.result["hint"]
    em.faults([{"match": {"operation": "StopTask"}, "fault": "status", "status": status, "work": False}])
    run = user.task(timeout=1)
    assert run.failed and run.changed and "It is not known whether the call arrived" in run.msg
    assert run.writes == ["StopTask"]


@pytest.mark.parametrize(("state", "method"), [("stopped", "StopTask"), ("restarted", "RunTask")])
def test_a_404_page_says_which_method_is_missing(user, em, state, method):
    """Of one that somebody between sends, nobody knows whether the call was carried out."""
    user.limits = user.limits._replace(lost_effect=0.3)
    page = {"match": {"operation": method}, "fault": "status", "status": 404}
    for headers, is_doubtful in (({}, False), ({"Server": "nginx"}, True)):
        em.reset()
        em.faults([{**page, "headers": headers}])
        run = user.task(state=state, wait_timeout=1)
        assert run.failed and f"this release may not have {method}" in run.result["hint"]
        assert run.changed is (is_doubtful or state == "restarted")
        assert ("The page probably came from a proxy in between" in run.result["hint"]) is is_doubtful
        assert ("was not sent again" in run.result["hint"]) is is_doubtful
