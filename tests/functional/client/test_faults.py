# Copyright (c) 2026, dataops.qlik_em contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Each way in which an answer can fail to come: what the user sees, what was sent, and what was not sent again."""

from __future__ import annotations

import os
import signal
import time
from itertools import pairwise

import pytest
from ansible_collections.dataops.qlik_em.plugins.module_utils._client.client import build_url
from ansible_collections.dataops.qlik_em.plugins.module_utils._client.connection import Connection
from ansible_collections.dataops.qlik_em.plugins.module_utils._client.errors import TransportError
from ansible_collections.dataops.qlik_em.plugins.module_utils._client.interrupt import Interrupt
from ansible_collections.dataops.qlik_em.plugins.module_utils._client.transport import Transport
from ansible_collections.dataops.qlik_em.tests.functional.support.user import User
from ansible_collections.dataops.qlik_em.tests.functional.support.wires import Line
from requests.adapters import HTTPAdapter

STOP = ["Login", "StopTask", "Logout"]
LONG = 30  # seconds

# name: (the fault, what msg says of it). All of them leave the client without a usable answer.
LOST = {
    "cut": ({"fault": "cut_after", "how": "close"}, "gave no usable answer"),
    "reset": ({"fault": "cut_after", "how": "reset"}, "gave no usable answer"),
    "cut in headers": ({"fault": "cut_midway", "part": "headers"}, "gave no usable answer"),
    "cut in body": ({"fault": "cut_midway", "part": "body"}, "gave no usable answer"),
    "reset in body": ({"fault": "cut_midway", "part": "body", "how": "reset"}, "gave no usable answer"),
    "status 502": (
        {"fault": "status", "status": 502, "work": True},
        "answered HTTP 502 with something other than an API response",
    ),
    "status 503": (
        {"fault": "status", "status": 503, "work": True},
        "answered HTTP 503 with something other than an API response",
    ),
    "status 404": (
        {"fault": "status", "status": 404, "headers": {"Server": "nginx"}, "work": True},
        "answered HTTP 404 with something other than an API response",
    ),
    "garbage": ({"fault": "garbage"}, "gave no usable answer"),
    "bad JSON": ({"fault": "bad_json"}, "answered HTTP 200 with something other than an API response"),
    "other JSON": ({"fault": "bad_json", "body": '["STOPPED"]'}, ": the body is a list, not an object."),
    "wrong type": ({"fault": "bad_json", "body": '{"state": 3}'}, ": state is a number, not a string."),
    "deep JSON": (
        {"fault": "bad_json", "body": "[" * 20000},
        "answered HTTP 200 with something other than an API response",
    ),
    "truncated": ({"fault": "truncated_json"}, "answered HTTP 200 with something other than an API response"),
    "truncated and cut": ({"fault": "truncated_json", "length": "too_long"}, "gave no usable answer"),
    "html": (
        {"fault": "html"},
        'answered HTTP 200 with something other than an API response: "<html><body><h1>Sign in',
    ),
    "empty": ({"fault": "empty"}, "answered HTTP 200 with something other than an API response"),
    "redirect": (
        {"fault": "redirect", "location": "https://elsewhere.example/login", "work": True},
        "redirects to https://elsewhere.example/login, which is not followed",
    ),
    "endless": ({"fault": "endless"}, "the answer is longer than"),
    "endless in chunks": ({"fault": "endless", "chunked": True}, "the answer is longer than"),
    "slow body": ({"fault": "trickle", "interval": 0.2}, "did not answer in time"),
    "slow headers": ({"fault": "trickle", "interval": 0.2, "headers": True}, "did not answer in time"),
    "silence": ({"fault": "stall", "work": True}, "did not answer in time"),
}
SLOW = {"slow body", "slow headers", "silence"}  # these use up the time of a call
FINAL = {"redirect", "status 404"}  # trying again cannot help
BRIEF = sorted(set(LOST) - SLOW - FINAL)
# What Login and Logout, whose bodies are empty, can suffer from.
ALL = sorted(LOST)


@pytest.fixture(autouse=True)
def quick(monkeypatch, em):
    """Short pauses, limits and tasks; the proportions stay."""
    monkeypatch.setattr(
        User, "limits", User.limits._replace(server_margin=0.2, logout=1, lost_effect=0.4, answer_size=1024 * 1024)
    )
    em.set_task("Replicate-Prod", "orders", stop_seconds=0.05, start_seconds=0.05, memory_lag=0)
    em.set_task("Replicate-Test", "stock", stop_seconds=0.05, start_seconds=0.05)


@pytest.fixture
def line(em):
    """The line to the stand-in, which can be cut."""
    with Line(em.url) as wire:
        yield wire


def spoil(em, operation, fault, **rule):
    """Let a fault hit the first request of a method (or `nth`)."""
    em.faults([{"match": {"operation": operation}, **fault, **rule}])


def undone(fault):
    """Return the fault as one that hits before the server did anything."""
    return {"fault": "cut_before", "how": fault["how"]} if fault["fault"] == "cut_after" else {**fault, "work": False}


def assert_clear_failure(run, em, *texts):
    """A failure is one line that names what was asked for and where, with a hint."""
    assert run.failed
    assert len(run.msg.splitlines()) == 1 and run.msg.isprintable(), run.msg
    assert "Unexpected" not in run.msg and "exception" not in run.result
    for text in (em.url, *texts):
        assert text in run.msg
    assert run.result["hint"]


# Reads


@pytest.mark.parametrize("name", BRIEF)
def test_a_read_without_an_answer_is_repeated(user, em, name):
    spoil(em, "GetTaskDetails", LOST[name][0], count=2)
    run = user.task(state="started")
    assert not run.failed and not run.changed
    assert run.operations == ["Login", *["GetTaskDetails"] * 3, "Logout"]
    assert em.summary()["open_sessions"] == 0


@pytest.mark.parametrize("name", BRIEF)
def test_a_read_that_never_gets_an_answer_is_given_up_after_four_attempts(user, em, name):
    fault, text = LOST[name]
    spoil(em, "GetTaskDetails", fault, nth="all")
    run = user.task(state="started")
    assert_clear_failure(run, em, 'GetTaskDetails of task "orders" on server "Replicate-Prod" failed', text)
    assert not run.changed
    assert run.operations == ["Login", *["GetTaskDetails"] * 4, "Logout"]
    assert em.summary()["open_sessions"] == 0


@pytest.mark.parametrize("name", sorted(FINAL))
def test_a_read_that_was_sent_elsewhere_is_not_repeated(user, em, name):
    fault, text = LOST[name]
    spoil(em, "GetTaskDetails", fault, nth="all")
    run = user.task(state="started")
    assert_clear_failure(run, em, 'GetTaskDetails of task "orders" on server "Replicate-Prod" failed', text)
    assert run.operations == ["Login", "GetTaskDetails", "Logout"]


@pytest.mark.parametrize("name", sorted(SLOW))
def test_a_slow_read_holds_nobody_beyond_the_time_limit(user, em, time_limits, name):
    fault, text = LOST[name]
    spoil(em, "GetTaskDetails", fault, nth="all")
    run = user.task(state="started", request_timeout=1)
    assert max(time_limits) <= 1
    assert_clear_failure(run, em, 'GetTaskDetails of task "orders" on server "Replicate-Prod" failed', text)
    assert "request_timeout" in run.result["hint"]
    assert run.operations == ["Login", "GetTaskDetails", "Logout"]
    assert em.summary()["open_sessions"] == 0


def test_the_pauses_between_repetitions_grow(user, em, monkeypatch):
    monkeypatch.setattr(User, "limits", User.limits._replace(first_pause=0.25))
    spoil(em, "GetTaskDetails", LOST["status 503"][0], count=3)
    run = user.task(state="started")
    assert not run.failed
    times = [request["monotonic"] for request in run.requests if request["operation"] == "GetTaskDetails"]
    for (before, after), least in zip(pairwise(times), (0.125, 0.25, 0.5), strict=True):
        assert after - before >= least


def test_the_repetitions_of_a_call_share_its_time_limit(user, em, monkeypatch):
    monkeypatch.setattr(User, "limits", User.limits._replace(first_pause=0.3))
    spoil(em, "GetTaskDetails", LOST["status 503"][0], nth="all")
    run = user.task(state="started", request_timeout=1)
    assert run.failed
    assert run.operations.count("GetTaskDetails") in (2, 3)  # not 4: the fourth would begin after 1.05 s at least


def test_a_late_answer_is_an_answer(user, em):
    spoil(em, "StopTask", {"fault": "delay", "seconds": 0.4, "when": "before"})
    spoil(em, "GetTaskDetails", {"fault": "delay", "seconds": 0.4, "when": "after"}, nth="all")
    run = user.task(wait=True)
    assert run.changed and not run.failed
    assert run.writes == ["StopTask"]


# Writes


@pytest.mark.parametrize("name", ALL)
def test_a_stop_whose_answer_is_lost_is_confirmed_and_never_sent_again(user, em, name):
    spoil(em, "StopTask", LOST[name][0])
    run = user.task(timeout=1)
    assert run.changed and not run.failed
    assert run.writes == run.executed_writes == ["StopTask"]
    assert run.operations[:2] == ["Login", "StopTask"] and "GetTaskDetails" in run.operations
    assert run.result["task"]["state"] == em.task("Replicate-Prod", "orders")["state"] == "STOPPED"
    assert em.task("Replicate-Prod", "orders")["stops"] == 1
    assert em.summary()["open_sessions"] == 0


@pytest.mark.parametrize("name", ALL)
def test_a_stop_that_may_not_have_arrived_fails_clearly_and_is_never_sent_again(user, em, name):
    fault, text = LOST[name]
    spoil(em, "StopTask", undone(fault))
    run = user.task(timeout=1)
    assert_clear_failure(
        run,
        em,
        'StopTask of task "orders" on server "Replicate-Prod" failed',
        text,
        "It is not known whether the call arrived: after 0.4 s the task is RUNNING",
    )
    assert run.changed
    assert "not sent again" in run.result["hint"]
    assert run.result["task"]["state"] == "RUNNING"
    assert run.writes == ["StopTask"] and run.executed_writes == []
    assert em.summary()["open_sessions"] == 0


@pytest.mark.parametrize("name", ALL)
def test_a_start_whose_answer_is_lost_is_confirmed_and_never_sent_again(user, em, name):
    spoil(em, "RunTask", LOST[name][0])
    run = user.task("stock", "started", server="Replicate-Test", timeout=1)
    assert run.changed and not run.failed
    assert run.writes == run.executed_writes == ["RunTask"]
    assert run.result["task"]["state"] == em.task("Replicate-Test", "stock")["state"] == "RUNNING"
    assert len(em.task("Replicate-Test", "stock")["runs"]) == 1
    assert em.summary()["open_sessions"] == 0


@pytest.mark.parametrize("name", ALL)
def test_a_start_that_may_not_have_arrived_fails_clearly_and_is_never_sent_again(user, em, name):
    fault, text = LOST[name]
    spoil(em, "RunTask", undone(fault))
    run = user.task("stock", "started", server="Replicate-Test", timeout=1)
    assert_clear_failure(
        run,
        em,
        'RunTask of task "stock" on server "Replicate-Test" failed',
        text,
        "It is not known whether the call arrived: after 0.4 s the task is STOPPED",
    )
    assert run.changed
    assert run.writes == ["RunTask"] and run.executed_writes == []
    assert em.summary()["open_sessions"] == 0


def test_a_restart_without_answers_sends_each_write_once(user, em):
    spoil(em, "StopTask", LOST["reset"][0])
    spoil(em, "RunTask", LOST["status 502"][0])
    run = user.task(state="restarted", timeout=1)
    assert run.changed and not run.failed
    assert run.writes == run.executed_writes == ["StopTask", "RunTask"]


def test_a_restart_whose_start_gets_lost_says_that_the_task_was_stopped(user, em):
    spoil(em, "RunTask", {"fault": "cut_before"})
    run = user.task(state="restarted", timeout=1)
    assert_clear_failure(run, em, 'The task "orders" on server "Replicate-Prod" was stopped, but not started again.')
    assert run.changed
    assert run.writes == ["StopTask", "RunTask"] and run.executed_writes == ["StopTask"]


def test_a_restart_whose_stop_gets_lost_starts_nothing(user, em):
    spoil(em, "StopTask", {"fault": "cut_before"})
    run = user.task(state="restarted", timeout=1)
    assert_clear_failure(run, em, "StopTask", "It is not known whether the call arrived")
    assert run.changed and run.writes == ["StopTask"]


def test_a_lost_answer_and_then_no_read_of_the_task_is_a_clear_failure(user, em):
    spoil(em, "StopTask", LOST["cut"][0])
    spoil(em, "GetTaskDetails", LOST["status 503"][0], nth="all")
    run = user.task(timeout=1)
    assert_clear_failure(
        run, em, "gave no usable answer", "Its state cannot be read either: GetTaskDetails of task", "HTTP 503"
    )
    assert run.changed and run.writes == ["StopTask"]


def test_a_lost_answer_and_then_a_refused_read_is_a_clear_failure(user, em):
    spoil(em, "StopTask", LOST["cut"][0])
    spoil(em, "GetTaskDetails", {"fault": "error", "error_code": "AEM_SERVER_NOT_CONNECTED"}, nth="all")
    run = user.task(timeout=1)
    assert_clear_failure(run, em, "gave no usable answer", "Its state cannot be read either", "from the fault plan")
    assert run.changed and run.writes == ["StopTask"]


def test_a_task_that_stops_long_after_its_answer_was_lost_is_followed(user, em):
    em.set_task("Replicate-Prod", "orders", stop_seconds=1.5)
    spoil(em, "StopTask", {"fault": "cut_after", "seconds": 0.1})
    run = user.task(timeout=1)
    assert run.changed and not run.failed
    assert em.task("Replicate-Prod", "orders")["state"] == run.result["task"]["state"] == "STOPPED"
    assert run.writes == ["StopTask"]


@pytest.mark.parametrize(
    ("fault", "text"),
    [
        ({"fault": "error", "error_code": "AEM_ODD", "error_message": "The moon is full."}, "The moon is full."),
        ({"fault": "error", "error_code": "AEM_ODD", "error_message": "One.\r\nTwo."}, "One. Two."),
        ({"fault": "error", "error_code": "AEM_ODD", "error_message": ""}, "AEM_ODD"),
    ],
)
def test_a_failure_of_the_server_is_passed_on_in_one_line(user, em, fault, text):
    spoil(em, "StopTask", fault)
    run = user.task()
    assert run.failed and not run.changed
    assert run.msg == f'StopTask of task "orders" on server "Replicate-Prod" failed: {text}'
    assert run.result["error_code"] == "AEM_ODD"
    assert run.operations == STOP


# Login


# What is surely not a refusal, and what may be one: to send that again could lock the account.
LOGIN_LOST = ["cut", "cut in headers", "garbage", "reset", "status 503"]
LOGIN_UNCLEAR = ["bad JSON", "html", "status 502"]
LOGIN_BRIEF = [*LOGIN_LOST, *LOGIN_UNCLEAR]


@pytest.mark.parametrize("name", LOGIN_LOST)
def test_a_login_without_an_answer_is_repeated(user, em, name):
    spoil(em, "Login", undone(LOST[name][0]))
    run = user.task()
    assert run.changed and not run.failed
    assert run.operations == ["Login", *STOP]
    assert em.summary()["open_sessions"] == 0


@pytest.mark.parametrize("name", LOGIN_BRIEF)
def test_a_login_that_never_gets_an_answer_fails_before_anything_else_is_sent(user, em, name):
    fault, text = LOST[name]
    spoil(em, "Login", undone(fault), nth="all")
    run = user.task()
    assert_clear_failure(run, em, "Login failed", text)
    assert not run.changed
    assert run.operations == ["Login"] * (4 if name in LOGIN_LOST else 1)
    assert em.summary()["open_sessions"] == 0


@pytest.mark.parametrize(
    ("fault", "text"),
    [
        (LOST["redirect"][0], "redirects to https://elsewhere.example/login, which is not followed"),
        (LOST["status 404"][0], "answered HTTP 404"),
        ({"fault": "empty", "work": False}, "answered the login without a session ID"),
    ],
)
def test_a_login_at_the_wrong_place_is_sent_once(user, em, fault, text):
    spoil(em, "Login", fault, nth="all")
    run = user.task()
    assert_clear_failure(run, em, text)
    assert "url" in run.result["hint"]
    assert run.operations == ["Login"] and not run.changed


@pytest.mark.parametrize("name", ["slow headers", "silence"])
def test_a_slow_login_holds_nobody_beyond_the_time_limit(user, em, time_limits, name):
    spoil(em, "Login", undone(LOST[name][0]), nth="all")
    run = user.task(request_timeout=1)
    assert max(time_limits) <= 1
    assert_clear_failure(run, em, "Login failed", "did not answer in time")
    assert run.operations == ["Login"] and not run.changed


@pytest.mark.parametrize(
    "fault",
    [
        {"fault": "status", "status": 401},
        {"fault": "status", "status": 403},
        {"fault": "error", "error_code": "UNAUTHORIZED_REQUEST", "http_status": 403},
        # Which answer a wrong password gets is not documented.
        {"fault": "error", "error_code": "AEM_ODD", "http_status": 500},
        {"fault": "status", "status": 500, "work": False},
    ],
)
def test_a_refused_login_is_sent_once(user, em, fault):
    spoil(em, "Login", fault, nth="all")
    run = user.task()
    assert_clear_failure(run, em, 'refused to log in user "operator@corp.example"')
    assert "account" in run.result["hint"]
    assert run.operations == ["Login"] and not run.changed


@pytest.mark.parametrize("status", [429, 503])
def test_a_login_that_is_turned_away_is_sent_again(user, em, status):
    spoil(em, "Login", {"fault": "status", "status": status, "work": False}, count=2)
    assert user.task().operations == ["Login", "Login", *STOP]


# Turned away


@pytest.mark.parametrize("status", [408, 429])
def test_a_read_that_is_turned_away_is_repeated(user, em, status):
    spoil(em, "GetTaskDetails", {"fault": "status", "status": status, "work": False}, count=2)
    run = user.task(state="started")
    assert not run.failed and run.operations == ["Login", *["GetTaskDetails"] * 3, "Logout"]


def test_a_write_that_is_turned_away_is_repeated(user, em):
    """429 says that nothing was done."""
    spoil(em, "StopTask", {"fault": "status", "status": 429, "work": False}, count=2)
    run = user.task()
    assert run.changed and not run.failed
    assert run.operations == ["Login", *["StopTask"] * 3, "Logout"] and run.executed_writes == ["StopTask"]


def test_a_write_that_is_turned_away_for_ever_has_changed_nothing(user, em):
    spoil(em, "StopTask", {"fault": "status", "status": 429, "work": False}, nth="all")
    run = user.task()
    assert_clear_failure(run, em, "answered HTTP 429")
    assert not run.changed and run.writes == ["StopTask"] * 4


def test_a_write_whose_answer_is_408_is_never_sent_again(user, em):
    """It had come whole, so that somebody may have passed it on."""
    spoil(em, "StopTask", {"fault": "status", "status": 408, "work": True})
    run = user.task(timeout=1)
    assert run.changed and not run.failed
    assert run.writes == run.executed_writes == ["StopTask"]


# Logout


@pytest.mark.parametrize("name", sorted({*LOGIN_BRIEF, "slow headers", "silence", "redirect", "status 404"}))
def test_a_logout_without_an_answer_does_not_spoil_the_result(user, em, time_limits, name):
    spoil(em, "Logout", LOST[name][0], nth="all")
    run = user.task()
    assert time_limits[-1] <= User.limits.logout
    assert run.changed and not run.failed
    assert run.writes == ["StopTask"]
    assert em.summary()["open_sessions"] == 0


@pytest.mark.parametrize("name", ["cut", "status 503", "garbage"])
def test_a_logout_that_did_not_arrive_is_repeated(user, em, name):
    spoil(em, "Logout", undone(LOST[name][0]))
    run = user.task()
    assert run.changed and not run.failed
    assert run.operations == [*STOP, "Logout"]
    assert em.summary()["open_sessions"] == 0


def test_a_logout_that_did_not_arrive_is_repeated_after_a_signal_too(user, em):
    class Signalled(Transport):
        def send(self, verb, url, *more):
            if "action=stop" in url:
                os.kill(os.getpid(), signal.SIGTERM)
            return super().send(verb, url, *more)

    spoil(em, "Logout", {"fault": "cut_before"})
    user.transport = Signalled
    run = user.task(wait=True)
    assert run.failed and "Interrupted by SIGTERM" in run.msg
    assert run.operations[-2:] == ["Logout", "Logout"] and em.summary()["open_sessions"] == 0


@pytest.mark.parametrize("fault", ["cut_before", "expire_session"])
def test_the_session_is_ended_after_a_failure_too(user, em, fault):
    spoil(em, "Logout", {"fault": fault})
    run = user.task("locked")
    assert run.failed and run.result["error_code"] == "AEM_STOP_TASK_INNER_ERR"
    assert em.summary()["open_sessions"] == 0


def test_an_interrupt_that_loses_the_connection_does_not_keep_the_session_open(user, em, monkeypatch):
    """It strikes when the answer has come but is in nobody's hands yet: the only connection is never given back."""
    send = HTTPAdapter.send

    def strike(self, request, **arguments):
        answer = send(self, request, **arguments)
        if "action=stop" in request.url:
            raise KeyboardInterrupt
        return answer

    monkeypatch.setattr(HTTPAdapter, "send", strike)
    with pytest.raises(KeyboardInterrupt):
        user.task()
    assert [r["operation"] for r in em.requests()] == STOP
    assert em.summary()["open_sessions"] == 0


def test_a_connection_that_never_becomes_free_is_not_awaited_for_ever(em, monkeypatch):
    connection = Connection(em.url, None, None, ca_path=em.ca_path)
    with Transport(connection) as transport:
        url = build_url(connection.url, ("servers",), {})
        transport.send("GET", url, {}, None, time.monotonic() + LONG, 1024)
        next(iter(transport._adapter.poolmanager.pools._container.values())).pool.get()  # nobody gives it back
        with pytest.raises(TransportError) as failure:
            transport.send("GET", url, {}, None, time.monotonic() + 0.2, 1024)
    assert not failure.value.sent


# Sessions


def test_an_expired_session_is_renewed_and_the_call_repeated(user, em):
    spoil(em, "StopTask", {"fault": "expire_session"})
    run = user.task()
    assert run.changed and not run.failed
    assert run.operations == ["Login", "StopTask", *STOP]
    assert run.executed_writes == ["StopTask"]
    assert em.summary()["open_sessions"] == 0


def test_a_session_is_renewed_once_a_call(user, em):
    spoil(em, "StopTask", {"fault": "expire_session"}, nth="all")
    run = user.task()
    assert run.failed and not run.changed
    assert run.result["error_code"] == "INVALID_SESSION_ID" and run.result["http_status"] == 440
    assert 'StopTask of task "orders" on server "Replicate-Prod" failed: The session has expired' in run.msg
    assert run.operations == ["Login", "StopTask", *STOP]
    assert run.executed_writes == []
    assert em.summary()["open_sessions"] == 0


def test_each_call_may_renew_the_session(user, em):
    em.set_task("Replicate-Prod", "orders", stop_answer={"state": "STOPPING"}, answer_before_done=True)
    spoil(em, "GetTaskDetails", {"fault": "expire_session"}, nth=[1, 3])
    em.set_task("Replicate-Prod", "orders", stop_seconds=0.3)
    run = user.task(wait=True)
    assert run.changed and not run.failed
    assert run.operations.count("Login") == 3
    assert em.summary()["open_sessions"] == 0


def test_a_session_that_expires_after_a_lost_stop_is_renewed_to_read_the_state(user, em):
    spoil(em, "StopTask", LOST["cut"][0])
    spoil(em, "GetTaskDetails", {"fault": "expire_session"})
    run = user.task(timeout=1)
    assert run.changed and not run.failed
    assert run.writes == ["StopTask"]
    assert run.operations.count("Login") == 2


def test_a_refused_renewal_is_final(user, em):
    spoil(em, "StopTask", {"fault": "expire_session"})
    spoil(em, "Login", {"fault": "status", "status": 401}, nth=[2, 3, 4, 5])
    run = user.task(wait=True)
    assert_clear_failure(run, em, 'refused to log in user "operator@corp.example"')
    assert run.operations[:3] == ["Login", "StopTask", "Login"] and not run.changed
    assert run.operations.count("Login") == 2 and run.writes == ["StopTask"]


@pytest.fixture
def session(user):
    """The id of a session that somebody else opened."""
    return user.run("aem_session").result["session_id"]


def test_a_session_that_was_passed_in_is_used_and_left_open(user, em, session):
    run = user.task(session_id=session)
    assert run.changed and not run.failed
    assert run.operations == ["StopTask"]
    assert em.summary()["open_sessions"] == 1


def test_a_session_that_was_passed_in_is_left_open_after_a_failure(user, em, session):
    assert user.task("locked", session_id=session).operations == ["StopTask"]
    spoil(em, "StopTask", {"fault": "cut_before"})
    run = user.task(session_id=session, timeout=1)
    assert run.failed and "Logout" not in run.operations
    assert em.summary()["open_sessions"] == 1


def test_a_dead_session_that_was_passed_in_alone_is_a_failure_that_says_so(user, em, session):
    em.expire_sessions()
    run = user.task(session_id=session)
    assert run.failed and not run.changed
    assert run.result["error_code"] == "INVALID_SESSION_ID"
    assert 'task "orders" on server "Replicate-Prod" failed: The session has expired' in run.msg
    assert "in addition to session_id" in run.result["hint"]
    assert run.operations == ["StopTask"] and run.executed_writes == []


def test_a_dead_session_beside_a_login_is_replaced_by_one_that_is_ended(user, em, session):
    em.expire_sessions()
    run = user.task(session_id=session, username=em.username, password=em.password)
    assert run.changed and not run.failed
    assert run.operations == ["StopTask", *STOP]
    assert run.executed_writes == ["StopTask"]
    assert em.summary()["open_sessions"] == 0


def test_a_live_session_beside_a_login_is_used_and_left_open(user, em, session):
    run = user.task(session_id=session, username=em.username, password=em.password)
    assert run.operations == ["StopTask"]
    assert em.summary()["open_sessions"] == 1


# The line


def test_a_server_that_is_not_there_is_named_and_nothing_is_sent(user, em, line, time_limits):
    line.pull_plug()
    run = user.task(url=line.url)
    assert len(time_limits) == User.limits.attempts
    assert run.failed and not run.changed
    assert run.msg == f"Login failed: No connection to {line.url}/attunityenterprisemanager: Connection refused."
    assert "url" in run.result["hint"]
    assert run.requests == []


def test_what_fails_before_it_is_sent_is_repeated_even_a_stop(user, em, session):
    with Line(em.url, slam=3) as line:
        run = user.task(url=line.url, session_id=session)
        assert line.accepted == 4
    assert run.changed and not run.failed
    assert run.operations == ["StopTask"]


def test_what_fails_before_it_is_sent_is_given_up_after_four_attempts_unchanged(user, em, session):
    with Line(em.url, slam=99) as line:
        run = user.task(url=line.url, session_id=session)
        assert line.accepted == 4
    assert run.failed and not run.changed
    assert f'StopTask of task "orders" on server "Replicate-Prod" failed: No connection to {line.url}' in run.msg
    assert run.requests == []


def during_the_wait(monkeypatch, actions):
    """Call `actions[n]` at the n-th pause of a wait (0 is the first)."""
    count = iter(range(1_000_000))

    def pause(_interrupt, seconds):
        actions.get(next(count), lambda: None)()
        time.sleep(seconds)

    monkeypatch.setattr(Interrupt, "pause", pause)


@pytest.fixture
def long_stop(em):
    """A stop that is answered at once and takes a while."""
    em.set_task("Replicate-Prod", "orders", stop_seconds=1, answer_before_done=True)


@pytest.mark.usefixtures("long_stop")
def test_a_server_that_goes_away_and_comes_back_does_not_end_the_wait(user, em, line, monkeypatch):
    during_the_wait(monkeypatch, {0: line.pull_plug, 4: line.plug_in})
    run = user.task(url=line.url)
    assert run.changed and not run.failed
    assert run.result["task"]["state"] == em.task("Replicate-Prod", "orders")["state"] == "STOPPED"
    assert run.writes == ["StopTask"]
    assert em.summary()["tcp_connections"] == 2
    assert em.summary()["open_sessions"] == 0


@pytest.mark.usefixtures("long_stop")
def test_a_server_that_stays_away_ends_the_wait_with_what_was_seen_last(user, line, monkeypatch):
    during_the_wait(monkeypatch, {1: line.pull_plug})
    run = user.task(url=line.url, wait_timeout=1)
    assert run.failed and run.changed
    assert run.msg.startswith('The task "orders" on server "Replicate-Prod" was last seen STOPPING within 1 s')
    assert f"No connection to {line.url}" in run.msg
    assert run.result["task"]["state"] == "STOPPING"
    assert run.writes == ["StopTask"]
