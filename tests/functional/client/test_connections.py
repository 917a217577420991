# Copyright (c) 2026, dataops.qlik_em contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Answers that do not keep to HTTP: no call ever takes another one's answer for its own, whatever a server sends."""

from __future__ import annotations

import contextlib
import json
import time
import tracemalloc
from collections.abc import Callable, Iterator
from email.utils import formatdate

import pytest
import trustme
from ansible_collections.dataops.qlik_em.plugins.module_utils._client.calls import Call, Target
from ansible_collections.dataops.qlik_em.plugins.module_utils._client.client import Client
from ansible_collections.dataops.qlik_em.plugins.module_utils._client.connection import Connection
from ansible_collections.dataops.qlik_em.plugins.module_utils._client.interrupt import Interrupt
from ansible_collections.dataops.qlik_em.plugins.module_utils._client.limits import Limits
from ansible_collections.dataops.qlik_em.plugins.module_utils._client.masking import Secrets
from ansible_collections.dataops.qlik_em.plugins.module_utils._client.transport import Transport
from ansible_collections.dataops.qlik_em.tests.functional.support.user import User
from ansible_collections.dataops.qlik_em.tests.functional.support.wires import Desk

LOGIN = b"HTTP/1.1 200 OK\r\nEnterpriseManager.APISessionID: 123456\r\nContent-Length: 0\r\n\r\n"
EMPTY = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"
HINTS = b"HTTP/1.1 103 Early Hints\r\nLink: </style.css>; rel=preload\r\n\r\n"
PROCESSING = b"HTTP/1.1 102 Processing\r\n\r\n"
CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"


def answer(state: str, head: str = "") -> bytes:
    """Return the answer of a server whose task is in this state."""
    body = json.dumps({"state": state, "name": "orders", "error_message": ""}).encode()
    return f"HTTP/1.1 200 OK\r\nContent-Length: {len(body)}\r\n{head}\r\n".encode() + body


@pytest.fixture
def desk(tmp_path) -> Iterator[Callable[..., tuple[User, Desk]]]:
    """Open a server that answers as a function of the request says: with bytes, and seconds to wait between them."""
    ca = trustme.CA()
    (tmp_path / "ca.pem").write_bytes(ca.cert_pem.bytes())
    with contextlib.ExitStack() as stack:

        def opened(reply: Callable[[str], list[bytes | float]]) -> tuple[User, Desk]:
            server = stack.enter_context(Desk(ca, reply))
            server.ca_path, server.username, server.password = str(tmp_path / "ca.pem"), "operator", "a password"
            return User(server), server

        yield opened


def replies(stop: list[bytes | float], details: list[bytes | float]) -> Callable[[str], list[bytes | float]]:
    """Answer a login and a logout as they should be, StopTask and GetTaskDetails as given."""

    def reply(line: str) -> list[bytes | float]:
        if "/login" in line:
            return [LOGIN]
        return stop if "action=stop" in line else details if "/tasks/" in line else [EMPTY]

    return reply


@pytest.mark.parametrize("pause", [0, 0.15])
@pytest.mark.parametrize(
    "interim", [[HINTS], [PROCESSING, PROCESSING], [CONTINUE, HINTS, CONTINUE], [PROCESSING] * 40], ids=len
)
def test_answers_before_the_answer_are_skipped(desk, interim, pause):
    user, server = desk(replies([*interim, pause, answer("STOPPED")], [*interim, pause, answer("RUNNING")]))
    run = user.task(state="started")
    assert run.result["task"]["state"] == "RUNNING" and not run.changed
    run = user.task()
    assert not run.failed, run.result
    assert run.changed and run.result["task"]["state"] == "STOPPED"
    assert server.accepted == 2  # one for each run: no connection was given up
    assert [line.split("?")[0].split(" ")[1].rpartition("/")[2] for line in server.lines] == [
        *["login", "orders", "logout"] * 2
    ]


def test_answers_before_the_answer_do_not_hold_anybody_beyond_the_time_limit(desk, time_limits):
    user, _server = desk(replies([], [PROCESSING, 0.05] * 400))
    run = user.task(state="started", request_timeout=1)
    assert run.failed and "did not answer in time" in run.msg
    assert max(time_limits[:-1]) <= 1  # but for the logout


def test_a_connection_that_changes_to_another_protocol_is_not_used(desk):
    switch = b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n"
    user, server = desk(replies([], [switch]))
    run = user.task(state="started")
    assert run.failed and "gave no usable answer: it is not HTTP" in run.msg
    assert server.requests_of_connections == [2, 1, 1, 1, 1]  # login and read, three reads, logout


BODY = answer("RUNNING").partition(b"\r\n\r\n")[2]
CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n%b\r\n%x\r\n%b\r\n0\r\n\r\n"
FORGED = answer("STOPPED")
ODD = {
    "a second answer at once": [answer("RUNNING") + FORGED],
    "a second answer beyond a buffer": [answer("RUNNING", f"X-Long: {'x' * 8050}\r\n") + FORGED * 20],
    "a second answer after chunks": [CHUNKED % (b"", len(BODY), BODY) + FORGED],
    "a length and chunks": [CHUNKED % (b"Content-Length: 3\r\n", len(BODY), BODY)],
    "a line end too many": [answer("RUNNING") + b"\r\n"],
    "two lengths": [answer("RUNNING", "Content-Length: 3\r\n")],
    "a status without body, with one": [b"HTTP/1.1 204 No Content\r\n\r\n" + FORGED],
}


@pytest.mark.parametrize("name", ODD)
def test_the_next_call_does_not_read_what_is_left_of_this_one(desk, name):
    """Today's `stopped` would say ok for a task that runs."""
    is_first = iter([True])

    def reply(line: str) -> list[bytes | float]:
        if "/login" in line:
            return [LOGIN]
        if "/tasks/" in line:
            return ODD[name] if next(is_first, False) else [answer("RUNNING")]
        return [EMPTY]

    user, server = desk(reply)
    run = user.task(state="started", wait_sleep=0.1)
    time.sleep(0.1)
    assert server.requests_of_connections[0] == 2, server.lines  # the login, and what was odd
    assert server.accepted >= 2
    if name != "a status without body, with one":
        assert not run.failed, run.result
    assert run.result.get("task", {}).get("state") in ("RUNNING", None)


def test_an_answer_that_nobody_asked_for_is_not_read_by_the_next_call(desk):
    """As a server that has waited too long may send 408 and end the connection."""
    _user, server = desk(lambda _line: [answer("RUNNING"), 0.05, FORGED])
    with Transport(Connection(server.url, None, None, ca_path=server.ca_path)) as transport:
        for count in range(1, 4):
            reply = transport.send("GET", f"{server.url}/x", {}, None, time.monotonic() + 10, 1024)
            assert json.loads(reply.body)["state"] == "RUNNING"
            assert server.accepted == count
            time.sleep(0.15)


@pytest.mark.parametrize("length", ["0x2A", "-1", "99999999999999999999"])
def test_a_length_that_is_not_one_is_no_answer_that_lasts(desk, length):
    text = answer("RUNNING").decode().replace(f"Content-Length: {len(BODY)}", f"Content-Length: {length}")
    user, server = desk(replies([], [text.encode(), 0.05, FORGED]))
    run = user.task(state="started", request_timeout=1)
    assert run.failed and not run.changed  # it is never taken for STOPPED, which would have started the task
    assert not any("action=run" in line for line in server.lines)


def http_date(seconds: float) -> str:
    return formatdate(time.time() + seconds, usegmt=True)


TURNED_AWAY = "HTTP/1.1 {status} No\r\nContent-Length: 0\r\n{head}\r\n"


@pytest.mark.parametrize("status", [408, 429, 503])
@pytest.mark.parametrize(
    "head",
    [
        lambda: "Retry-After: 1\r\n",
        lambda: f"Retry-After: {http_date(2)}\r\n",
        # By the clock of the server, which is wrong.
        lambda: f"Date: {http_date(-5000)}\r\nRetry-After: {http_date(-4999)}\r\n",
    ],
    ids=["seconds", "a time", "a time of its own"],
)
def test_a_server_is_given_the_time_that_it_asks_for(desk, status, head):
    times = []

    def reply(line: str) -> list[bytes | float]:
        if "/tasks/" not in line:
            return [LOGIN]
        times.append(time.monotonic())
        is_first = len(times) == 1
        return [TURNED_AWAY.format(status=status, head=head()).encode() if is_first else answer("RUNNING")]

    user, _server = desk(reply)
    run = user.task(state="started")
    assert not run.failed, run.result
    assert times[1] - times[0] >= 0.9


def test_a_server_that_asks_for_more_time_than_there_is_ends_the_call_at_once(desk, pauses):
    user, server = desk(replies([], [TURNED_AWAY.format(status=429, head="Retry-After: 3600\r\n").encode()]))
    run = user.task(state="started")
    assert pauses == []
    assert run.failed and not run.changed and "answered HTTP 429" in run.msg
    assert "asks clients to wait 3600 s" in run.result["hint"]
    assert len(server.lines) == 3


@pytest.mark.parametrize("text", ["", "soon", "-5", "1e9", "9" * 400, "Wed, 99 Foo 2026 00:00:00 GMT", "\xb2"])
def test_a_time_that_is_none_is_not_waited_for(desk, text):
    count = iter(range(9))
    odd = TURNED_AWAY.format(status=503, head=f"Retry-After: {text}\r\n").encode("latin-1")
    user, _server = desk(lambda line: [LOGIN if "/tasks/" not in line else answer("RUNNING") if next(count) else odd])
    run = user.task(state="started")
    assert run.failed == (text == "9" * 400), run.result


def test_a_long_message_of_a_server_is_cut(desk):
    text = "No. " * 100_000
    body = json.dumps({"error_code": "AEM_ODD", "error_message": f"{text}a password"}).encode()
    user, _server = desk(replies([b"HTTP/1.1 500 No\r\nContent-Length: %d\r\n\r\n%b" % (len(body), body)], []))
    run = user.task()
    assert run.failed and run.result["error_code"] == "AEM_ODD"
    assert len(run.msg) < 2200 and run.msg.endswith("...")
    assert len(str(run.result)) < 5000


@pytest.mark.parametrize("part", ["[],", "{},", '{"":0},', "[[[],[]]],"])
def test_an_answer_that_would_fill_the_memory_is_not_read(desk, part):
    body = b'{"state": "RUNNING", "x": [%b0]}' % (part.encode() * (4_000_000 // len(part)))
    user, _server = desk(replies([], [b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%b" % (len(body), body)]))
    run = user.task(state="started")
    assert run.failed and "something other than an API response" in run.msg


def test_the_memory_for_a_body_is_a_small_multiple_of_its_size(desk):
    row = {"schema": "S", "name": "T", "state": "TABLE_COMPLETED", "count": 12345, "note": "ü" * 100}
    body = json.dumps({"tablelist": [row] * 20_000}, ensure_ascii=False).encode()
    _user, server = desk(lambda _line: [b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%b" % (len(body), body)])
    connection = Connection(server.url, None, "123456", ca_path=server.ca_path)
    call = Call("GetTableList", "GET", Target(("x",)))
    with Transport(connection) as transport:
        client = Client(connection, transport, Secrets(), Interrupt(), Limits())
        tracemalloc.start()
        client.call(call)
        most = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
    assert most < 5 * len(body), (most, len(body))


def test_an_ordinary_answer_has_to_be_far_shorter_than_an_export():
    assert Limits().answer_size * 4 <= Limits().export_size
