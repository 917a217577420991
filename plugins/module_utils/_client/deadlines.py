# Copyright (c) 2026, dataops.qlik_em contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is private to the collection.

"""One deadline for a whole exchange, and whether a byte of the request has left: sockets and pools that know both.

The time limits of requests (and of urllib3 below it) are per read, so that a server which trickles bytes would hold a
caller for ever; and a failed request does not say whether the server may have got it.
"""

from __future__ import annotations

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


def time_left(exchange: Exchange) -> float:
    """Return the seconds that are left of the exchange; raise socket.timeout if none are."""
    left = exchange.deadline - time.monotonic()
    if left <= 0:
        raise socket.timeout("the time limit of the call is over")
    return left


def socket_class(exchange: Exchange) -> type[ssl.SSLSocket]:
    """Return a socket class that keeps the deadline of the whole exchange and notes when a request begins to leave."""

    class ExchangeSocket(ssl.SSLSocket):
        def send(self, *args: Any, **kwargs: Any) -> int:
            exchange.sent = True
            self.settimeout(time_left(exchange))
            return super().send(*args, **kwargs)

        def recv_into(self, *args: Any, **kwargs: Any) -> int:
            self.settimeout(time_left(exchange))
            return super().recv_into(*args, **kwargs)

    return ExchangeSocket


def pool_class(exchange: Exchange) -> Any:
    """Return a connection pool that keeps the deadline: its plain sockets, which only a proxy talks to, and itself."""

    class PlainSocket(socket.socket):
        def recv_into(self, *args: Any, **kwargs: Any) -> int:
            left = time_left(exchange)
            self.settimeout(min(left, self.gettimeout() or left))  # connect_timeout counts here
            return super().recv_into(*args, **kwargs)

    class Connection(HTTPSConnection):
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
