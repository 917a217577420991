# Copyright (c) 2026, dataops.qlik_em contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is private to the collection.

"""One deadline for a whole exchange, whether a byte of the request has left, and answers that stay in step.

The time limits of requests (and of urllib3 below it) are per read, so that a server which trickles bytes would hold a
caller for ever; and a failed request does not say whether the server may have got it.
"""

from __future__ import annotations

import contextlib
import http.client
import socket
import ssl
import threading
import time
from typing import Any

try:  # what requests is made of
    from urllib3.connection import HTTPSConnection
    from urllib3.connectionpool import HTTPSConnectionPool
except ImportError:  # nothing is sent then
    HTTPSConnection = HTTPSConnectionPool = object  # type: ignore[assignment,misc]


class Exchange(threading.local):
    """The request that the current thread is sending, as its socket sees it."""

    deadline = 0.0  # monotonic seconds
    sent = False  # whether a byte of the request may have left
    is_over = False  # whether nothing more is waited for: only what has come already can be read


def time_left(exchange: Exchange) -> float:
    """Return the seconds that are left of the exchange; raise socket.timeout if none are."""
    left = exchange.deadline - time.monotonic()
    if left <= 0:
        raise socket.timeout("the time limit of the call was exceeded")
    return left


def socket_class(exchange: Exchange) -> type[ssl.SSLSocket]:
    """Return a socket class that keeps the deadline of the whole exchange and notes when a request begins to leave."""

    class ExchangeSocket(ssl.SSLSocket):
        def send(self, *args: Any, **kwargs: Any) -> int:
            exchange.sent = True
            self.settimeout(time_left(exchange))
            return super().send(*args, **kwargs)

        def recv_into(self, *args: Any, **kwargs: Any) -> int:
            if exchange.is_over and not self.pending():
                return 0
            self.settimeout(time_left(exchange))
            return super().recv_into(*args, **kwargs)

    return ExchangeSocket


def answer_class(exchange: Exchange) -> type[http.client.HTTPResponse]:
    """Return a class of answers, none of which the next call on the connection takes for its own."""

    class Answer(http.client.HTTPResponse):
        def __init__(self, sock: socket.socket, *args: Any, **kwargs: Any) -> None:
            super().__init__(sock, *args, **kwargs)
            self._socket = sock
            self._is_odd = False

        def _read_status(self) -> tuple[str, int, str]:
            """Skip each answer before the answer; ``http.client`` skips those with 100 only (as of Python 3.14)."""
            while True:
                version, status, reason = super()._read_status()  # type: ignore[misc]
                if not 100 <= status < 200:
                    return version, status, reason
                if status == http.HTTPStatus.SWITCHING_PROTOCOLS:  # nobody has asked for that
                    raise http.client.UnknownProtocol(version)
                http.client.parse_headers(self.fp)

        def begin(self) -> None:
            super().begin()
            # Either length may be the wrong one, and with it where the next answer begins (RFC 9112, 6.3).
            lengths = self.headers.get_all("Content-Length", [])
            if lengths and (self.chunked or any(length != lengths[0] or not length.isdigit() for length in lengths)):
                self._is_odd = True

        def _close_conn(self) -> None:
            """Take no further answer from a connection on which more has come than the answer: it is somebody else's.

            What comes later is noticed by the pool, which takes no connection that has something to read.
            """
            exchange.is_over = True
            try:
                self._is_odd = self._is_odd or bool(self.fp.peek(1))
            except (OSError, ValueError):  # after a failure
                self._is_odd = True
            finally:
                exchange.is_over = False
            if self._is_odd:
                with contextlib.suppress(OSError):
                    self._socket.shutdown(socket.SHUT_RDWR)  # the pool notices it
            super()._close_conn()  # type: ignore[misc]

    return Answer


def pool_class(exchange: Exchange) -> Any:
    """Return a connection pool that keeps the deadline: its plain sockets, which only a proxy talks to, and itself."""

    class PlainSocket(socket.socket):
        def recv_into(self, *args: Any, **kwargs: Any) -> int:
            if exchange.is_over:
                return 0
            left = time_left(exchange)
            self.settimeout(min(left, self.gettimeout() or left))  # connect_timeout counts here
            return super().recv_into(*args, **kwargs)

    class Connection(HTTPSConnection):
        response_class = answer_class(exchange)

        def _new_conn(self) -> socket.socket:
            new = super()._new_conn()
            limit = new.gettimeout()
            plain = PlainSocket(new.family, new.type, new.proto, new.detach())
            plain.settimeout(limit)
            return plain

    class Pool(HTTPSConnectionPool):
        ConnectionCls = Connection

        def _get_conn(self, timeout: float | None = None) -> Any:
            return super()._get_conn(time_left(exchange))  # else it would wait for ever for a free connection

    return Pool
