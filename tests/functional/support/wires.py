# Copyright (c) 2026, dataops.qlik_em contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What stands between a client and Enterprise Manager: a line that can be cut, a proxy, odd TLS servers."""

from __future__ import annotations

import base64
import contextlib
import socket
import ssl
import threading
import time
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

PATIENCE = 30.0  # seconds, for one step on loopback


class Wire:
    """A TCP server on loopback that gives each connection to `serve`, in a thread of its own."""

    def __init__(self) -> None:
        self.port = 0
        self.accepted = 0
        self._listener: socket.socket | None = None
        self._open: set[socket.socket] = set()
        self._lock = threading.Lock()

    def __enter__(self) -> Any:
        self.plug_in()
        return self

    def __exit__(self, *_exception: object) -> None:
        self.pull_plug()

    def plug_in(self) -> None:
        """Listen, the second time on the same port."""
        self._listener = socket.create_server(("127.0.0.1", self.port), backlog=64)
        self.port = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, args=(self._listener,), daemon=True).start()

    def pull_plug(self) -> None:
        """Listen no more, and end all connections."""
        listener, self._listener = self._listener, None
        if listener:
            with contextlib.suppress(OSError):
                listener.shutdown(socket.SHUT_RDWR)  # wakes the accepting thread
            listener.close()
        with self._lock:
            victims = list(self._open)
        for victim in victims:
            with contextlib.suppress(OSError):
                victim.shutdown(socket.SHUT_RDWR)  # wakes the reading thread, which closes it

    def serve(self, connection: socket.socket) -> None:
        """Deal with one connection; it is closed afterwards."""
        raise NotImplementedError

    def _accept(self, listener: socket.socket) -> None:
        while True:
            try:
                connection, _address = listener.accept()
            except OSError:
                return
            self.accepted += 1
            threading.Thread(target=self._handle, args=(connection,), daemon=True).start()

    def _handle(self, connection: socket.socket) -> None:
        with self.watched(connection), contextlib.suppress(OSError):
            self.serve(connection)

    @contextlib.contextmanager
    def watched(self, connection: socket.socket) -> Any:
        """Close the connection at the end of the block, or when the line is cut."""
        with self._lock:
            self._open.add(connection)
        try:
            yield connection
        finally:
            with self._lock:
                self._open.discard(connection)
            connection.close()

    def join(self, one: socket.socket, other: socket.socket) -> None:
        """Carry bytes both ways until either side ends."""
        back = threading.Thread(target=_carry, args=(other, one), daemon=True)
        back.start()
        _carry(one, other)
        back.join(PATIENCE)


def _carry(source: socket.socket, target: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while data := source.recv(65536):
            target.sendall(data)
    for end in (source, target):
        with contextlib.suppress(OSError):
            end.shutdown(socket.SHUT_RDWR)


class Line(Wire):
    """The line to a server. The first `slam` connections are closed before a byte passes."""

    def __init__(self, url: str, slam: int = 0) -> None:
        super().__init__()
        self._target = urlsplit(url).port
        self._slam = slam

    @property
    def url(self) -> str:
        """The server's address at this end of the line."""
        return f"https://localhost:{self.port}"

    def serve(self, connection: socket.socket) -> None:
        """Carry the bytes."""
        if self._slam:
            self._slam -= 1
            return
        with self.watched(socket.create_connection(("127.0.0.1", self._target), PATIENCE)) as server:
            server.settimeout(None)
            self.join(connection, server)


class Proxy(Wire):
    """An HTTP proxy that knows CONNECT only. With `login` (`user:password`) it asks for one."""

    def __init__(self, login: str = "", status: int = 200, trickle: float = 0) -> None:
        super().__init__()
        self._login, self._status, self._trickle = login, status, trickle
        self._over = threading.Event()
        self.requests: list[str] = []

    def pull_plug(self) -> None:
        """Listen no more, and end all connections."""
        self._over.set()
        super().pull_plug()

    def serve(self, connection: socket.socket) -> None:
        """Read the head of the request, answer it, and carry the bytes."""
        head = b""
        while not head.endswith(b"\r\n\r\n") and (data := connection.recv(1)):
            head += data
        text = head.decode("latin-1")
        self.requests.append(text)
        expected = "Basic " + base64.b64encode(self._login.encode()).decode()
        if self._login and f"Proxy-Authorization: {expected}\r\n".lower() not in text.lower():
            connection.sendall(b"HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n")
            return
        if self._status != 200:
            connection.sendall(b"HTTP/1.1 %d No\r\nContent-Length: 0\r\n\r\n" % self._status)
            return
        if self._trickle:
            for sign in b"HTTP/1.1 200 OK\r\nX-Slow: " + b"x" * 1000:
                connection.sendall(bytes([sign]))
                if self._over.wait(self._trickle):
                    return
        host, _colon, port = text.split(" ")[1].rpartition(":")
        with self.watched(socket.create_connection((host, int(port)), PATIENCE)) as server:
            server.settimeout(None)
            connection.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
            self.join(connection, server)


class Tls(Wire):
    """A server that makes the TLS handshake and then answers every request with an empty page."""

    def __init__(self, context: ssl.SSLContext) -> None:
        super().__init__()
        self._context = context

    @property
    def url(self) -> str:
        """Where it is."""
        return f"https://localhost:{self.port}"

    def serve(self, connection: socket.socket) -> None:
        """Shake hands, read something, answer. After a failure wait for the other side to see the alert and leave."""
        with self._context.wrap_socket(connection, server_side=True, do_handshake_on_connect=False) as secured:
            try:
                secured.do_handshake()
            except ssl.SSLError:
                secured.shutdown(socket.SHUT_WR)
                while secured.recv(65536):
                    pass
                return
            secured.recv(65536)
            secured.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")


class Desk(Wire):
    """An HTTPS server that reads each request whole and sends for it what `reply` says of its first line.

    That is bytes, and numbers: seconds to wait before the next bytes.
    """

    def __init__(self, ca: Any, reply: Callable[[str], list[bytes | float]]) -> None:
        super().__init__()
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        ca.issue_cert("localhost").configure_cert(self._context)
        self._reply = reply
        self.lines: list[str] = []  # the first ones of the requests
        self.requests_of_connections: list[int] = []

    @property
    def url(self) -> str:
        """Where it is."""
        return f"https://localhost:{self.port}"

    def requests(self) -> list[Any]:
        """Nothing: what the stand-in's handle would say of them is not known."""
        return []

    def serve(self, connection: socket.socket) -> None:
        """Answer one request after the other."""
        number = len(self.requests_of_connections)
        self.requests_of_connections.append(0)
        with self._context.wrap_socket(connection, server_side=True) as secured, secured.makefile("rb") as stream:
            while line := stream.readline().decode("latin-1").strip():
                head = iter(lambda: stream.readline().decode("latin-1").strip().lower(), "")
                lengths = [int(text.partition(":")[2]) for text in head if text.startswith("content-length:")]
                stream.read(sum(lengths))
                self.lines.append(line)
                self.requests_of_connections[number] += 1
                for piece in self._reply(line):
                    if isinstance(piece, bytes):
                        secured.sendall(piece)
                    else:
                        time.sleep(piece)
