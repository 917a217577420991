# Copyright (c) 2026, dataops.qlik_em contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What happens below the requests: counting connections, and bytes that aiohttp would not take."""

from __future__ import annotations

import asyncio
import re
import socket
from typing import Any

from aiohttp import web

_REQUEST_LINE = re.compile(rb"[A-Z]+ [^\s]+ HTTP/1\.[01]")


class Listener(socket.socket):
    """A listening socket that numbers the TCP connections, the ones whose TLS handshake fails included."""

    def __init__(self, family: int) -> None:
        super().__init__(family, socket.SOCK_STREAM)
        self.accepted = 0
        self.numbers: dict[Any, int] = {}  # by the client's address

    def accept(self) -> tuple[socket.socket, Any]:
        """Accept and count."""
        connection, address = super().accept()
        self.accepted += 1
        self.numbers[address] = self.accepted
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return connection, address


class Connection(web.RequestHandler):
    """One connection. aiohttp's parser refuses raw UTF-8 in a request target; http.sys takes it, so escape it first.

    `unescaped` keeps what really came, for the record.
    """

    def __init__(self, manager: Any, **options: Any) -> None:
        super().__init__(manager, **options)
        self.unescaped: dict[str, str] = {}

    def data_received(self, data: bytes) -> None:
        """Bytes off the wire."""
        line, end, rest = data.partition(b"\r\n")
        # The line may begin with the rest of a body whose request was answered before it had come whole.
        if line.isascii() or not _REQUEST_LINE.fullmatch(line):
            super().data_received(data)
            return
        escaped = "".join(chr(byte) if byte < 0x80 else f"%{byte:02X}" for byte in line)
        self.unescaped[escaped.split(" ")[1]] = line.decode("utf-8", "surrogateescape").split(" ")[1]
        super().data_received(escaped.encode() + end + rest)


class Server(web.Server):
    """aiohttp's protocol server; it also counts connections that are ready (so their TLS handshake is done)."""

    handshakes = 0

    def __call__(self) -> Connection:
        """Make the protocol of a new connection."""
        return Connection(self, loop=asyncio.get_running_loop(), **self._kwargs)

    def connection_made(self, handler: Any, transport: asyncio.Transport) -> None:
        """Called once a connection."""
        self.handshakes += 1
        super().connection_made(handler, transport)
