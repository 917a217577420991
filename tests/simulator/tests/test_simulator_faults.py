# Copyright (c) 2026, dataops.qlik_em contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The fault plan: which requests it hits, what the client sees, and whether the work was done."""

from __future__ import annotations

import http.client
import json
import socket
import ssl
import time
from typing import Any

import pytest
from ansible_collections.dataops.qlik_em.tests.simulator import Handle, InputError, faults
from ansible_collections.dataops.qlik_em.tests.simulator.tests.wire import (
    ORDERS,
    PROD,
    SESSION,
    STOP,
    Client,
    Clock,
    eventually,
    raw,
    raw_request,
    tls_socket,
)

STOPS = {"operation": "StopTask"}
DONE = b'{"state":"STOPPED","error_message":""}'


@pytest.fixture
def quick(em: Handle, operator: Client) -> Client:
    """The operator, and a task that stops at once."""
    em.set_task("Replicate-Prod", "orders", stop_seconds=0)
    return operator


def stopped(em: Handle) -> bool:
    """Whether the stop was really done."""
    return em.task("Replicate-Prod", "orders")["stops"] == 1


def stop_bytes(client: Client) -> bytes:
    """A StopTask as bytes."""
    return raw_request("POST", STOP, f"{SESSION}: {client.session}", "Content-Length: 0")


def check_record(em: Handle, fault: str, status: int | None, executed: bool) -> None:
    """The newest entry says what was done."""
    entry = em.requests()[-1]
    assert (entry["operation"], entry["fault"], entry["status"]) == ("StopTask", fault, status)
    assert entry["executed"] is executed is stopped(em)


# Which requests


@pytest.mark.parametrize(
    ("rule", "hit"),
    [
        ({}, [1]),
        ({"nth": 3}, [3]),
        ({"nth": 2, "count": 3}, [2, 3, 4]),
        ({"nth": [1, 4]}, [1, 4]),
        ({"nth": "all"}, [1, 2, 3, 4, 5]),
        ({"nth": "all", "count": 2}, [1, 2]),
    ],
)
def test_nth_and_count(em: Handle, operator: Client, rule: dict, hit: list[int]) -> None:
    """Counted from when the rule was set, over the matching requests only."""
    em.faults([{"match": {"operation": "GetTaskDetails"}, "fault": "status", "status": 503, **rule}])
    failed = []
    for number in range(1, 6):
        assert operator.call("GET", "/servers").status == 200
        if operator.call("GET", ORDERS).status == 503:
            failed.append(number)
    assert failed == hit
    (described,) = em.faults()
    assert (described["matched"], described["applied"]) == (5, len(hit))


@pytest.mark.parametrize(
    ("match", "hit"),
    [
        ({}, "lsto"),
        ({"operation": "GetTaskList"}, "t"),
        ({"method": "POST"}, "o"),
        ({"path": "*/tasks/orders"}, "o"),
        ({"path": "*/servers"}, "l"),
        ({"path": "*Replicate-[PX]rod*"}, "sto"),
        ({"server": "Replicate-Prod"}, "sto"),
        ({"server": "Replicate-Prod", "task": "orders"}, "o"),
        ({"task": "orders", "method": "GET"}, ""),
    ],
)
def test_matches(em: Handle, quick: Client, match: dict, hit: str) -> None:
    """Every member given must fit."""
    em.faults([{"match": match, "nth": "all", "fault": "status", "status": 502}])
    requests = {"l": ("GET", "/servers"), "s": ("GET", PROD), "t": ("GET", f"{PROD}/tasks"), "o": ("POST", STOP)}
    assert "".join(key for key, (verb, path) in requests.items() if quick.call(verb, path).status == 502) == hit


def test_the_first_rule_wins_and_all_count(em: Handle, operator: Client) -> None:
    """Two rules for one request."""
    em.faults([{"fault": "status", "status": 502}, {"fault": "status", "status": 503, "nth": "all", "count": 2}])
    assert [operator.call("GET", "/servers").status for _turn in range(3)] == [502, 503, 200]
    assert [(rule["matched"], rule["applied"]) for rule in em.faults()] == [(3, 1), (3, 1)]


def test_faults_hit_login_and_unknown_paths(em: Handle, client: Client) -> None:
    """Nothing is out of reach."""
    em.faults([{"match": {"operation": "Login"}, "fault": "status", "status": 503}])
    em.faults([{"match": {"path": "*/nowhere"}, "fault": "status", "status": 502}])
    assert client.log_in().status == 503
    assert em.summary()["logins"] == 0
    assert client.call("GET", "/nowhere").status == 502


def test_clearing_and_resetting(em: Handle, operator: Client) -> None:
    """The plan goes with both."""
    rule = {"nth": "all", "fault": "status", "status": 502}
    em.faults([rule])
    em.clear_faults()
    assert operator.call("GET", "/servers").status == 200
    em.faults(rule)
    em.reset()
    assert em.faults() == []


@pytest.mark.parametrize(
    ("rule", "words"),
    [
        ({}, "fault is missing"),
        ({"fault": "cut"}, "cut_before"),
        ({"fault": "cut_before", "when": 1}, "unknown member 'when'"),
        ({"fault": "delay"}, "seconds is missing"),
        ({"fault": "delay", "seconds": -1}, "0 or more"),
        ({"fault": "delay", "seconds": "1"}, "0 or more"),
        ({"fault": "delay", "seconds": 1, "when": "later"}, "before, after"),
        ({"fault": "status", "status": 99}, "from 200 to 599"),
        ({"fault": "redirect", "location": "x", "status": 200}, "from 300 to 399"),
        ({"fault": "error", "error_code": "X", "http_status": 1000}, "from 200 to 599"),
        ({"fault": "empty", "work": "yes"}, "true or false"),
        ({"fault": "empty", "nth": 0}, "'all'"),
        ({"fault": "empty", "nth": "every"}, "'all'"),
        ({"fault": "empty", "nth": [1, 0]}, "1 or more"),
        ({"fault": "empty", "nth": [1], "count": 2}, "not with a list"),
        ({"fault": "empty", "count": 0}, "1 or more"),
        ({"fault": "empty", "match": {"operation": "stop_task"}}, "StopTask"),
        ({"fault": "empty", "match": {"name": "x"}}, "unknown member 'name'"),
        ({"fault": "empty", "mach": {}}, "unknown member 'mach'"),
        ("cut_before", "must be a mapping"),
    ],
)
def test_bad_rules(em: Handle, rule: Any, words: str) -> None:
    """Each is refused with a line that helps; none of the list is set."""
    with pytest.raises(InputError, match=words.replace("(", r"\(")):
        em.faults([{"fault": "empty"}, rule])
    assert em.faults() == []


# What happens


@pytest.mark.parametrize("how", ["close", "reset"])
@pytest.mark.parametrize(("fault", "done"), [("cut_before", False), ("cut_after", True)])
def test_cuts(em: Handle, quick: Client, fault: str, done: bool, how: str) -> None:
    """No answer; only the state shows which it was."""
    em.faults([{"match": STOPS, "fault": fault, "how": how}])
    with pytest.raises(ConnectionResetError):  # http.client's RemoteDisconnected is one, too
        quick.call("POST", STOP)
    check_record(em, fault, None, done)


@pytest.mark.parametrize("how", ["close", "reset"])
def test_how_a_cut_looks_to_the_socket(em: Handle, quick: Client, how: str) -> None:
    """Below TLS, which hides the difference from Python."""
    em.faults([{"match": STOPS, "fault": "cut_before", "how": how}])
    with tls_socket(em) as connection:
        connection.sendall(stop_bytes(quick))
        eventually(lambda: em.requests()[-1]["operation"] == "StopTask")
        time.sleep(0.1)
        with socket.socket(fileno=connection.detach()) as bare:
            received = b""
            try:
                while block := bare.recv(65536):
                    received += block
            except ConnectionResetError:
                assert how == "reset"
            else:
                assert how == "close"
        assert b"HTTP" not in received


def test_cut_after_while_the_work_goes_on(clock: Clock, em: Handle, operator: Client) -> None:
    """The connection dies under a stop that takes longer."""
    em.set_task("Replicate-Prod", "orders", stop_seconds=200)
    em.faults([{"match": STOPS, "fault": "cut_after", "seconds": 0.1}])
    with pytest.raises(http.client.RemoteDisconnected):
        operator.call("POST", STOP)
    check_record(em, "cut_after", None, True)
    assert operator.state() == "STOPPING"
    clock.ahead = 200
    assert operator.state() == "STOPPED"


def test_cut_after_without_work(em: Handle, quick: Client) -> None:
    """The flag beats the name."""
    em.faults([{"match": STOPS, "fault": "cut_after", "work": False}])
    with pytest.raises(http.client.RemoteDisconnected):
        quick.call("POST", STOP)
    check_record(em, "cut_after", None, False)


@pytest.mark.parametrize(("part", "work"), [("headers", True), ("body", True), ("body", False)])
def test_cut_midway(em: Handle, quick: Client, part: str, work: bool) -> None:
    """Half a head, or a whole one and half a body."""
    em.faults([{"match": STOPS, "fault": "cut_midway", "part": part, "work": work}])
    answer = raw(em, stop_bytes(quick))
    if part == "headers":
        assert answer.startswith(b"HTTP/1.1 200 OK\r\n")
        assert b"\r\n\r\n" not in answer
    else:
        assert answer.split(b"\r\n\r\n")[1] == DONE[: len(DONE) // 2]
        assert b"Content-Length: 38" in answer
    check_record(em, "cut_midway", None, work)


@pytest.mark.parametrize("work", [True, False])
@pytest.mark.parametrize("status", [502, 503, 429, 500, 204])
def test_status(em: Handle, quick: Client, status: int, work: bool) -> None:
    """An HTML page, with or without the work done."""
    em.faults([{"match": STOPS, "fault": "status", "status": status, "work": work, "headers": {"Retry-After": "1"}}])
    reply = quick.call("POST", STOP)
    assert (reply.status, reply.headers["Retry-After"]) == (status, "1")
    assert reply.body.startswith(b"<html>") or status == 204
    assert reply.headers["Content-Type"].startswith("text/html")
    check_record(em, "status", status, work)
    assert quick.call("GET", "/servers").status == 200


def test_garbage(em: Handle, quick: Client) -> None:
    """Not HTTP."""
    em.faults([{"match": STOPS, "fault": "garbage"}])
    with pytest.raises(http.client.BadStatusLine):
        quick.call("POST", STOP)
    check_record(em, "garbage", None, True)


@pytest.mark.parametrize(
    ("rule", "body", "content_type"),
    [
        ({"fault": "bad_json"}, b'{"state": STOPPED, "error_message"', "application/json; charset=utf-8"),
        ({"fault": "bad_json", "body": "[]"}, b"[]", "application/json; charset=utf-8"),
        ({"fault": "truncated_json"}, DONE[: len(DONE) // 2], "application/json; charset=utf-8"),
        ({"fault": "html", "body": "<b>hi</b>"}, b"<b>hi</b>", "text/html; charset=utf-8"),
        ({"fault": "empty"}, b"", "application/json; charset=utf-8"),
        ({"fault": "answer", "json": {"state": "PAUSED"}}, b'{"state":"PAUSED"}', "application/json; charset=utf-8"),
    ],
)
@pytest.mark.parametrize("work", [True, False])
def test_wrong_bodies(em: Handle, quick: Client, rule: dict, body: bytes, content_type: str, work: bool) -> None:
    """200 each; the connection goes on."""
    em.faults([{"match": STOPS, "work": work, **rule}])
    reply = quick.call("POST", STOP)
    assert (reply.status, reply.body, reply.headers["Content-Type"]) == (200, body, content_type)
    assert reply.headers["Content-Length"] == str(len(body))
    check_record(em, rule["fault"], 200, work)
    assert quick.call("GET", "/servers").status == 200


def test_truncated_with_too_long_a_length(em: Handle, quick: Client) -> None:
    """The connection ends before the promised bytes came."""
    em.faults([{"match": STOPS, "fault": "truncated_json", "length": "too_long"}])
    with pytest.raises(http.client.IncompleteRead) as caught:
        quick.call("POST", STOP)
    assert caught.value.partial == DONE[: len(DONE) // 2]
    check_record(em, "truncated_json", None, True)


def test_error(em: Handle, quick: Client) -> None:
    """Any code, known or not."""
    rule = {"fault": "error", "error_code": "AEM_NEVER_SEEN", "error_message": "What?", "http_status": 418}
    em.faults([{"match": STOPS, **rule}])
    reply = quick.call("POST", STOP)
    assert (reply.status, reply.json) == (418, {"error_code": "AEM_NEVER_SEEN", "error_message": "What?"})
    check_record(em, "error", 418, False)
    assert em.requests()[-1]["error_code"] == "AEM_NEVER_SEEN"


def test_redirect(em: Handle, quick: Client) -> None:
    """Elsewhere."""
    em.faults([{"match": STOPS, "fault": "redirect", "location": "https://localhost:1/else", "status": 307}])
    reply = quick.call("POST", STOP)
    assert (reply.status, reply.headers["Location"]) == (307, "https://localhost:1/else")
    check_record(em, "redirect", 307, False)


@pytest.mark.parametrize("when", ["before", "after"])
def test_delay(em: Handle, quick: Client, when: str) -> None:
    """The right answer, late; and the work early or late."""
    em.faults([{"match": STOPS, "fault": "delay", "seconds": 0.2, "when": when}])
    assert quick.call("POST", STOP).body == DONE
    assert em.requests()[-1]["seconds"] >= 0.2
    check_record(em, "delay", 200, True)
    em.reset()
    em.set_task("Replicate-Prod", "orders", stop_seconds=0)
    em.faults([{"match": STOPS, "fault": "delay", "seconds": 600, "when": when}])
    quick.log_in()
    with tls_socket(em) as connection:
        connection.sendall(stop_bytes(quick))
        eventually(lambda: em.faults()[0]["applied"] == 1 and stopped(em) is (when == "after"))
        assert em.summary()["under_way"] == 1


def test_a_delayed_request_is_done_though_the_client_left(em: Handle, quick: Client) -> None:
    """The trap for whoever sends it again."""
    em.faults([{"match": STOPS, "fault": "delay", "seconds": 0.3}])
    with tls_socket(em, 0.1) as connection:
        connection.sendall(stop_bytes(quick))
        with pytest.raises(TimeoutError):
            connection.recv(1)
    assert not stopped(em)
    eventually(lambda: stopped(em))


def test_expire_session(em: Handle, quick: Client) -> None:
    """Just before the request; another login helps."""
    em.faults([{"match": STOPS, "fault": "expire_session"}])
    assert quick.call("POST", STOP).code == "INVALID_SESSION_ID"
    check_record(em, "expire_session", 440, False)
    quick.log_in()
    assert quick.call("POST", STOP).body == DONE


def test_stall(em: Handle, quick: Client) -> None:
    """Nothing comes; at the end the connection is closed and nothing was done."""
    em.faults([{"match": STOPS, "fault": "stall", "seconds": 0.4}])
    with pytest.raises(http.client.RemoteDisconnected):
        quick.call("POST", STOP)
    check_record(em, "stall", None, False)


@pytest.mark.parametrize("rule", [{"fault": "stall"}, {"fault": "trickle", "interval": 20}, {"fault": "endless"}])
def test_long_faults_end_when_the_client_leaves(em: Handle, quick: Client, rule: dict) -> None:
    """The stand-in keeps no dead ones."""
    em.faults([{"match": STOPS, "work": True, **rule}])
    connection = tls_socket(em)
    connection.sendall(stop_bytes(quick))
    eventually(lambda: em.summary()["under_way"] == 1)
    connection.close()
    eventually(lambda: em.summary()["under_way"] == 0, 2)


@pytest.mark.parametrize("chunked", [True, False])
def test_endless(em: Handle, quick: Client, chunked: bool) -> None:
    """Fast and without a length, up to the bound; it starts like the right answer."""
    em.faults([{"match": STOPS, "fault": "endless", "chunked": chunked, "max_bytes": 3_000_000}])
    answer = raw(em, stop_bytes(quick))
    assert 3_000_000 < len(answer) < 3_010_000
    head, _blank, body = answer.partition(b"\r\n\r\n")
    assert b"Content-Length" not in head
    assert (b"Transfer-Encoding: chunked" in head) is chunked
    assert b'{"state": "STOPPED", "error_message": "xxx' in body.replace(b"\r\n10000\r\n", b"")
    check_record(em, "endless", None, True)


def test_endless_is_bounded_in_time(em: Handle, quick: Client) -> None:
    """Also for a client that reads all."""
    em.faults([{"match": STOPS, "fault": "endless", "seconds": 0.01, "max_bytes": faults.MOST_BYTES}])
    assert len(raw(em, stop_bytes(quick))) < faults.MOST_BYTES


@pytest.mark.parametrize("headers", [True, False])
def test_trickle(em: Handle, quick: Client, headers: bool) -> None:
    """The right answer, one byte at a time."""
    em.faults([{"match": STOPS, "fault": "trickle", "interval": 0.002, "headers": headers}])
    pieces: list[bytes] = []
    with tls_socket(em) as connection:
        connection.sendall(stop_bytes(quick))
        while piece := connection.recv(65536):
            pieces.append(piece)
    assert b"".join(pieces).split(b"\r\n\r\n")[1] == DONE
    assert pieces[-len(DONE) :] == [bytes([byte]) for byte in DONE]
    assert (len(pieces[0]) == 1) is headers


def test_trickle_is_bounded(em: Handle, quick: Client) -> None:
    """It stops in the middle when the time is up."""
    em.faults([{"match": STOPS, "fault": "trickle", "interval": 0.05, "seconds": 0.3}])
    answer = raw(em, stop_bytes(quick))
    assert len(answer.split(b"\r\n\r\n")[1]) < 10


def test_a_cut_is_no_tls_goodbye(em: Handle, quick: Client) -> None:
    """A client that looks closely sees the difference from an orderly end."""
    em.faults([{"match": STOPS, "fault": "cut_before"}])
    with tls_socket(em) as connection:
        connection.suppress_ragged_eofs = False
        connection.sendall(stop_bytes(quick))
        with pytest.raises(ssl.SSLEOFError):
            connection.recv(1)


def test_faults_over_the_control_address_and_from_a_file(em: Handle, tmp_path: Any) -> None:
    """The same rules as JSON."""
    from ansible_collections.dataops.qlik_em.tests.simulator import running

    plan = tmp_path / "plan.json"
    plan.write_text(json.dumps([{"fault": "status", "status": 502}]))
    with running(faults=plan) as other:
        with Client(other) as client:
            assert [client.log_in().status for _turn in range(2)] == [502, 200]
        other.reset()
        with Client(other) as client:
            assert client.log_in().status == 502


def test_other_connections_go_on_meanwhile(em: Handle, operator: Client) -> None:
    """One stalled and one flooded client disturb nobody."""
    em.faults(
        [
            {"match": STOPS, "fault": "stall", "seconds": 600},
            {"match": {"method": "GET", "task": "locked"}, "fault": "endless"},
        ]
    )
    sleepers = [tls_socket(em), tls_socket(em)]
    sleepers[0].sendall(stop_bytes(operator))
    sleepers[1].sendall(raw_request("GET", f"{PROD}/tasks/locked", f"{SESSION}: {operator.session}"))
    eventually(lambda: em.summary()["under_way"] == 2)
    for _turn in range(20):
        assert operator.call("GET", ORDERS).status == 200
    assert em.summary()["under_way"] == 2
    for sleeper in sleepers:
        sleeper.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\0\0\0\0\0\0\0")
        sleeper.close()
