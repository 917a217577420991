# Copyright (c) 2026, dataops.qlik_em contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A small HTTP client that hides nothing: every byte of a request can be chosen. For the stand-in's own tests."""

from __future__ import annotations

import base64
import contextlib
import http.client
import json
import socket
import ssl
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlsplit

PREFIX = "/attunityenterprisemanager/api/v1"
SESSION = "EnterpriseManager.APISessionID"
PROD = "/servers/Replicate-Prod"
ORDERS = f"{PROD}/tasks/orders"
STOP = f"{ORDERS}?action=stop"
RUN = f"{ORDERS}?action=run&option=RESUME_PROCESSING"


@dataclass
class Reply:
    """An answer."""

    status: int
    reason: str
    headers: http.client.HTTPMessage
    body: bytes

    @property
    def json(self) -> Any:
        """The body as JSON."""
        return json.loads(self.body)

    @property
    def code(self) -> str | None:
        """`error_code`, if this is a failure of the API."""
        return self.json.get("error_code") if self.body else None


def basic(user: str, password: str) -> str:
    """The value of an Authorization header."""
    return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()


def task_path(server: str, task: str) -> str:
    """The path of a task, names encoded once."""
    return f"/servers/{quote(server, safe='')}/tasks/{quote(task, safe='')}"


def endpoint_path(server: str, endpoint: str) -> str:
    """The path of an endpoint, names encoded once."""
    return f"/servers/{quote(server, safe='')}/endpoints/{quote(endpoint, safe='')}"


def context(em: Any, **options: Any) -> ssl.SSLContext:
    """A client's TLS context that trusts the stand-in's CA."""
    result = ssl.create_default_context(cafile=em.ca_path)
    for key, value in options.items():
        setattr(result, key, value)
    return result


class Client:
    """One kept-alive connection."""

    def __init__(self, em: Any, timeout: float = 20) -> None:
        self.em = em
        self.session: str | None = None
        port = urlsplit(em.url).port
        self.connection = http.client.HTTPSConnection("127.0.0.1", port, context=context(em), timeout=timeout)

    def __enter__(self) -> Client:
        return self

    def __exit__(self, *_error: object) -> None:
        self.connection.close()

    def log_in(self, user: str | None = None, password: str | None = None) -> Reply:
        """Log in and keep the session."""
        reply = self.call("GET", "/login", Authorization=basic(user or self.em.username, password or self.em.password))
        self.session = reply.headers.get(SESSION)
        return reply

    def call(self, method: str, path: str, body: bytes | None = None, **headers: str) -> Reply:
        """Send a request (names of headers with _ for -) and read the whole answer."""
        sent = {key.replace("_", "-"): value for key, value in headers.items()}
        if self.session:
            sent.setdefault(SESSION, self.session)
        self.connection.request(method, PREFIX + path, body, sent)
        response = self.connection.getresponse()
        return Reply(response.status, response.reason, response.headers, response.read())

    def send(self, method: str, path: str, value: Any = None) -> Reply:
        """Send JSON; without a value the length 0, as the guide asks for."""
        if value is None:
            return self.call(method, path, **({} if method == "GET" else {"Content-Length": "0"}))
        return self.call(method, path, json.dumps(value).encode(), Content_Type="application/json")

    def state(self, path: str = ORDERS) -> str:
        """The state of a task, as GetTaskDetails shows it."""
        return str(self.call("GET", path).json["state"])


def tls_socket(em: Any, timeout: float = 10, **options: Any) -> ssl.SSLSocket:
    """A bare TLS connection."""
    plain = socket.create_connection(("127.0.0.1", urlsplit(em.url).port or 0), timeout=timeout)
    return context(em, **options).wrap_socket(plain, server_hostname="localhost")


def raw(em: Any, data: bytes, timeout: float = 10) -> bytes:
    """Send bytes; return what comes until the stand-in ends the connection."""
    received = bytearray()
    with tls_socket(em, timeout) as connection:
        connection.sendall(data)
        with contextlib.suppress(OSError):
            while block := connection.recv(65536):
                received += block
    return bytes(received)


def raw_request(method: str, target: str | bytes, *lines: str, body: bytes = b"") -> bytes:
    """The bytes of a request that ends its connection; `target` goes out as it is."""
    wire = target if isinstance(target, bytes) else target.encode()
    head = "".join(f"{line}\r\n" for line in ("Host: localhost", "Connection: close", *lines))
    return method.encode() + b" " + PREFIX.encode() + wire + b" HTTP/1.1\r\n" + head.encode() + b"\r\n" + body


class Clock:
    """The time of the stand-in, which a test puts forward."""

    ahead = 0.0

    def __call__(self) -> float:
        return time.monotonic() + self.ahead


def function_calls(em: Any, work: Callable[[], Any]) -> int:
    """How many functions the stand-in calls for some work: a time would depend on what else the machine does."""
    count = 0

    def note(_frame: Any, event: str, _argument: Any) -> None:
        nonlocal count
        count += event == "call"

    em._call(lambda: sys.setprofile(note))  # of the thread in which the stand-in lives
    try:
        work()
    finally:
        em._call(lambda: sys.setprofile(None))
    return count


def eventually(check: Any, seconds: float = 5) -> None:
    """Wait until `check()` is true."""
    end = time.monotonic() + seconds
    while not check():
        assert time.monotonic() < end, "it did not become true in time"
        time.sleep(0.02)
