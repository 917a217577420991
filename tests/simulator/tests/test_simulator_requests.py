# Copyright (c) 2026, dataops.qlik_em contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is accepted on the wire: paths, verbs, lengths, queries; and what the record shows of it."""

from __future__ import annotations

import socket
from urllib.parse import quote

import pytest
from ansible_collections.dataops.qlik_em.tests.simulator import Handle
from ansible_collections.dataops.qlik_em.tests.simulator.tests.wire import (
    ORDERS,
    PREFIX,
    PROD,
    RUN,
    SESSION,
    STOP,
    Client,
    eventually,
    raw,
    raw_request,
    task_path,
    tls_socket,
)

NAMES = [
    ("Replicate-Prod", "Aufträge & Kunden 100%"),
    ("Replicate-Prod", "customers full load"),
    ("Replicate-Test", "a+b=c #1?"),
    ("Replicate-Test", "north/south"),
    ("Replicate-Test", 'it\'s "quoted"'),
    ("Replicate-Test", "在庫 — été"),
]


def last(em: Handle) -> dict:
    """The newest entry of the record."""
    return em.requests()[-1]


@pytest.mark.parametrize(("server", "task"), NAMES)
@pytest.mark.parametrize("slash", ["", "/"])
@pytest.mark.parametrize("how", ["once", "twice", "slash kept", "slash kept twice"])
def test_names_and_spellings(operator: Client, server: str, task: str, slash: str, how: str) -> None:
    """Encoded once or twice, "/" escaped or not, a slash before the query or not: always the same task."""
    safe = "/" if "kept" in how else ""
    names = [quote(name, safe=safe) for name in (server, task)]
    if "twice" in how:
        names = [quote(name, safe=safe) for name in names]
    reply = operator.call("GET", f"/servers/{names[0]}/tasks/{names[1]}{slash}")
    assert (reply.status, reply.json["name"]) == (200, task)


@pytest.mark.parametrize(("server", "task"), NAMES)
def test_actions_on_awkward_names(operator: Client, server: str, task: str) -> None:
    """A query does not change how the name is read."""
    path = task_path(server, task)
    running = operator.state(path) == "RUNNING"
    query = "?action=stop" if running else "?action=run&option=RESUME_PROCESSING"
    assert operator.call("POST", path + query).status == 200


def test_names_as_raw_utf8(em: Handle, operator: Client) -> None:
    """Some clients leave everything but blanks as it is."""
    answer = raw(
        em,
        raw_request("GET", "/servers/Replicate-Test/tasks/在庫%20—%20été".encode(), f"{SESSION}: {operator.session}"),
    )
    assert answer.startswith(b"HTTP/1.1 200 ")
    assert last(em)["task"] == "在庫 — été"
    assert last(em)["raw_path"].endswith("/在庫%20—%20été")


def test_a_name_that_looks_encoded_wins_over_a_second_decoding(em: Handle, operator: Client) -> None:
    """The name as it is comes first; only an unknown one is decoded again."""
    em.reset(
        {
            "users": [{"name": "u", "password": "p", "grants": [{"role": "Admin"}]}],
            "servers": [
                {"name": "s", "tasks": [{"name": "a%20b", "message": "literal"}, {"name": "a b", "message": "blank"}]}
            ],
        }
    )
    operator.log_in("u", "p")
    assert operator.call("GET", "/servers/s/tasks/a%2520b").json["message"] == "literal"
    assert operator.call("GET", "/servers/s/tasks/a%20b").json["message"] == "blank"
    assert operator.call("GET", "/servers/s/tasks/a%252520b").json["message"] == "literal"


def test_servers_and_tasks_that_hold_slashes_and_the_word_tasks(em: Handle, operator: Client) -> None:
    """Unescaped slashes are resolved by the names that exist."""
    em.reset(
        {
            "users": [{"name": "u", "password": "p", "grants": [{"role": "Admin"}]}],
            "servers": [
                {"name": "a/tasks/b", "tasks": [{"name": "c/tasks/d"}]},
                {"name": "a", "tasks": [{"name": "x"}]},
            ],
        }
    )
    operator.log_in("u", "p")
    assert operator.call("GET", "/servers/a/tasks/b/tasks/c/tasks/d").json["name"] == "c/tasks/d"
    assert operator.call("GET", "/servers/a/tasks/b").json["server_details"]["name"] == "a/tasks/b"
    assert operator.call("GET", "/servers/a/tasks/x").json["name"] == "x"
    assert operator.call("GET", "/servers/a/tasks").json["taskList"][0]["name"] == "x"


@pytest.mark.parametrize("path", ["/servers/replicate-prod", f"{PROD}/tasks/Orders", f"{PROD}/tasks/orders%20"])
def test_names_are_case_sensitive(operator: Client, path: str) -> None:
    """And blanks count."""
    assert operator.call("GET", path).code in ("AEM_SERVER_NOT_FOUND", "AEM_TASK_NOT_FOUND")


def test_plus_in_a_path_is_a_plus(operator: Client) -> None:
    """Only in a query it is a blank."""
    assert operator.call("GET", "/servers/Replicate-Test/tasks/a+b%3Dc%20%231%3F").json["name"] == "a+b=c #1?"
    assert operator.call("GET", f"{PROD}/tasks/customers+full+load").code == "AEM_TASK_NOT_FOUND"


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/"),
        ("GET", "/nothing"),
        ("GET", "//servers"),
        ("GET", "/servers//tasks"),
        ("GET", f"{PROD}/nothing"),
        ("GET", f"{ORDERS}/nothing"),
        ("GET", "/servers/two/segments"),
        ("GET", "/servers/two/segments/tasks"),
        ("GET", f"{PROD}/tasks/two/segments"),
        ("GET", STOP),
        ("GET", RUN),
        ("POST", ORDERS),
        ("POST", f"{ORDERS}?action=nothing"),
        ("POST", "/servers"),
        ("POST", "/logout"),
        ("PUT", "/login"),
        ("DELETE", ORDERS),
        ("PATCH", ORDERS),
        ("OPTIONS", ORDERS),
    ],
)
def test_unknown_paths_and_verbs(em: Handle, operator: Client, method: str, path: str) -> None:
    """404 without JSON, on record."""
    reply = operator.call(method, path)
    assert reply.status == 404
    assert not reply.headers["Content-Type"].startswith("application/json")
    assert (last(em)["status"], last(em)["operation"], last(em)["raw_path"]) == (404, None, PREFIX + path)


def test_paths_outside_the_prefix(em: Handle) -> None:
    """Nothing lives there, and it is on record too."""
    data = b"GET /servers?x=%FF HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
    assert raw(em, data).startswith(b"HTTP/1.1 404 ")
    assert (last(em)["raw_path"], last(em)["status"]) == ("/servers?x=%FF", 404)


@pytest.mark.parametrize("data", [b"nonsense\r\n\r\n", b"GET / HTTP/1.1\r\nbad header\r\n\r\n", b"\x16\x03\x01\x02"])
def test_bytes_that_are_no_http(em: Handle, data: bytes) -> None:
    """400 (or the end), and a line in the record; the stand-in lives on."""
    with tls_socket(em, 2) as connection:
        connection.sendall(data + b"\r\n\r\n")
        assert connection.recv(65536).startswith(b"HTTP/1.") or data.startswith(b"\x16")
    assert last(em)["method"] == "UNKNOWN"
    with Client(em) as client:
        assert client.log_in().status == 200


@pytest.mark.parametrize("method", ["POST", "PUT"])
def test_a_length_is_mandatory(em: Handle, operator: Client, method: str) -> None:
    """411 to POST and PUT without Content-Length; nothing is done."""
    session = f"{SESSION}: {operator.session}"
    assert raw(em, raw_request(method, STOP, session)).startswith(b"HTTP/1.1 411 ")
    assert raw(em, raw_request(method, "/nowhere")).startswith(b"HTTP/1.1 411 ")
    assert em.task("Replicate-Prod", "orders")["state"] == "RUNNING"
    assert [entry["status"] for entry in em.requests()[-2:]] == [411] * 2
    assert not last(em)["executed"]


def test_chunks_are_as_good_as_a_length(em: Handle, operator: Client) -> None:
    """http.sys takes a chunked POST, with a body and without."""
    lines = (f"{SESSION}: {operator.session}", "Transfer-Encoding: chunked")
    em.set_task("Replicate-Prod", "orders", stop_seconds=0)
    assert raw(em, raw_request("POST", STOP, *lines, body=b"0\r\n\r\n")).startswith(b"HTTP/1.1 200 ")
    position = b'{"cdcposition":"2026-01-02T03:04:05"}'
    chunks = b"5\r\n" + position[:5] + b"\r\n%x\r\n" % (len(position) - 5) + position[5:] + b"\r\n0\r\n\r\n"
    run = f"{ORDERS}?action=run&option=RESUME_PROCESSING_FROM_TIMESTAMP"
    assert raw(em, raw_request("POST", run, *lines, body=chunks)).startswith(b"HTTP/1.1 200 ")
    assert em.task("Replicate-Prod", "orders")["runs"][-1]["cdcposition"] == "2026-01-02T03:04:05"


def test_delete_needs_no_length(em: Handle) -> None:
    """Both SDKs send it without."""
    assert raw(em, raw_request("DELETE", "/nowhere")).startswith(b"HTTP/1.1 404 ")


def test_zero_length_is_fine(em: Handle, operator: Client) -> None:
    """What the guide asks for."""
    em.set_task("Replicate-Prod", "orders", stop_seconds=0)
    answer = raw(em, raw_request("POST", STOP, f"{SESSION}: {operator.session}", "Content-Length: 0"))
    assert answer.endswith(b'{"state":"STOPPED","error_message":""}')
    assert b"Content-Length: 38" in answer


def test_expect_100_continue(em: Handle, operator: Client) -> None:
    """The client waits with its body for the go-ahead."""
    body = b'{"cdcposition":null}'
    em.set_task("Replicate-Prod", "orders", state="STOPPED", start_seconds=0)
    lines = (f"{SESSION}: {operator.session}", "Expect: 100-continue", f"Content-Length: {len(body)}")
    with tls_socket(em) as connection:
        connection.sendall(raw_request("POST", RUN, *lines))
        assert connection.recv(1000) == b"HTTP/1.1 100 Continue\r\n\r\n"
        connection.sendall(body)
        assert connection.recv(65536).startswith(b"HTTP/1.1 200 ")
    assert last(em)["body"] == body.decode()


@pytest.mark.parametrize("action", ["stop", "Stop", "STOP"])
def test_actions_in_any_case(em: Handle, operator: Client, action: str) -> None:
    """The guide itself mixes."""
    em.set_task("Replicate-Prod", "orders", stop_seconds=0)
    assert operator.call("POST", f"{ORDERS}?action={action}").json["state"] == "STOPPED"


@pytest.mark.parametrize("timeout", ["abc", "-1", "1.5", "1e3", "0x10", "٣"])
def test_malformed_timeouts(em: Handle, operator: Client, timeout: str) -> None:
    """500 with a JSON error, and nothing is done."""
    for path, state in ((STOP, "RUNNING"), (RUN, "STOPPED")):
        em.set_task("Replicate-Prod", "orders", state=state)
        reply = operator.call("POST", f"{path}&timeout={quote(timeout)}")
        assert (reply.status, reply.code) == (500, "DESERIALIZE_TO_TYPE")
        assert em.task("Replicate-Prod", "orders")["state"] == state


@pytest.mark.parametrize("query", ["&timeout=None", "&timeout=", "&whatever=1&TIMEOUT=abc", "&timeout=5&timeout=abc"])
def test_unset_and_unknown_parameters(em: Handle, operator: Client, query: str) -> None:
    """None is what some SDK builds send for unset; what is not known is ignored."""
    em.set_task("Replicate-Prod", "orders", stop_seconds=0)
    assert operator.call("POST", STOP + query).status == 200


def test_a_lost_ampersand_loses_the_option(em: Handle, operator: Client) -> None:
    """As in a shell without quotes: the run option never arrives."""
    em.set_task("Replicate-Prod", "orders", state="STOPPED")
    assert operator.call("POST", f"{ORDERS}?action=run").code == "AEM_RUN_TASK_INNER_ERR"


def test_a_body_that_breaks_off(em: Handle, operator: Client) -> None:
    """The client leaves in the middle of its own request: nothing is done."""
    request = raw_request("POST", STOP, f"{SESSION}: {operator.session}", "Content-Length: 100", body=b"{")
    with tls_socket(em) as connection:
        connection.sendall(request)
        eventually(lambda: em.summary()["under_way"] == 1)
    eventually(lambda: em.summary()["under_way"] == 0)
    assert (last(em)["operation"], last(em)["status"], last(em)["executed"]) == ("StopTask", None, False)
    assert em.task("Replicate-Prod", "orders")["state"] == "RUNNING"


def test_a_body_that_comes_with_the_next_request_is_not_taken_for_its_line(em: Handle, operator: Client) -> None:
    """A fault may answer before the body has come; then that and the next request can come at once."""
    session, body = f"{SESSION}: {operator.session}", "ä ö ü".encode()
    em.faults({"match": {"operation": "StopTask"}, "fault": "status", "status": 502})
    stop = raw_request("POST", STOP, session, f"Content-Length: {len(body)}").replace(b"Connection: close\r\n", b"")
    with tls_socket(em) as connection:
        connection.sendall(stop)
        assert connection.recv(65536).startswith(b"HTTP/1.1 502 ")
        connection.sendall(body + raw_request("GET", ORDERS, session))
        assert connection.recv(65536).startswith(b"HTTP/1.1 200 ")


def test_what_the_record_shows(em: Handle, operator: Client) -> None:
    """Everything a test may want to assert."""
    em.clear_requests()
    em.set_task("Replicate-Prod", "Aufträge & Kunden 100%", stop_seconds=0)
    path = task_path("Replicate-Prod", "Aufträge & Kunden 100%")
    operator.call("POST", f"{path}?action=stop&timeout=7", b'{"x": "\xc3\xa4"}', X_Strange="Yes")
    (entry,) = em.requests()
    assert entry["method"] == "POST"
    assert entry["raw_path"] == f"{PREFIX}{path}?action=stop&timeout=7"
    assert entry["path"] == f"{PREFIX}/servers/Replicate-Prod/tasks/Aufträge & Kunden 100%"
    assert entry["query"] == {"action": "stop", "timeout": "7"}
    assert entry["headers"]["X-Strange"] == "Yes"
    assert entry["headers"][SESSION] == entry["session"] == operator.session
    assert entry["body"] == '{"x": "ä"}'
    assert (entry["operation"], entry["server"], entry["task"]) == (
        "StopTask",
        "Replicate-Prod",
        "Aufträge & Kunden 100%",
    )
    assert (entry["seq"], entry["user"], entry["fault"]) == (1, "operator", None)
    assert (entry["status"], entry["error_code"], entry["executed"]) == (200, None, True)
    assert entry["time"].endswith("+00:00")
    assert entry["seconds"] >= 0
    operator.call("POST", f"{path}?action=stop")
    refused = last(em)
    assert (refused["seq"], refused["status"], refused["executed"]) == (2, 500, False)
    assert refused["error_code"] == "AEM_TASK_ALREADY_STOPPED"
    assert refused["connection"] == entry["connection"]
    assert refused["monotonic"] > entry["monotonic"]


def test_connections_are_counted(em: Handle) -> None:
    """One number a TCP connection, also of one whose TLS handshake fails."""
    for _turn in range(2):
        with Client(em) as client:
            client.log_in()
            client.call("GET", "/servers")
    numbers = [entry["connection"] for entry in em.requests()]
    assert numbers == [numbers[0]] * 2 + [numbers[0] + 1] * 2
    with socket.create_connection(("127.0.0.1", client.connection.port), timeout=5) as plain:
        plain.sendall(b"GET / HTTP/1.1\r\n\r\n")
        plain.recv(1000)
    assert (em.summary()["tcp_connections"], em.summary()["tls_handshakes"]) == (3, 2)
