# Copyright (c) 2026, dataops.qlik_em contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is private to the collection.

"""One HTTPS request and its answer: TLS, time limits, and whether a failed request may have reached the server."""

from __future__ import annotations

import base64
import socket
import ssl
import threading
import time
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, NamedTuple
from urllib.parse import unquote, urlsplit

from .connection import Connection
from .errors import InputError

# Not requests, which is made of it: a module would import it at each start, for nothing that is needed here.
try:
    from urllib3 import PoolManager, ProxyManager, Timeout
    from urllib3.connection import HTTPSConnection
    from urllib3.connectionpool import HTTPSConnectionPool
    from urllib3.exceptions import HTTPError, InsecureRequestWarning
except ImportError as error:
    URLLIB3_IMPORT_ERROR: ImportError | None = error
    InsecureRequestWarning = Warning  # type: ignore[assignment,misc]
else:
    URLLIB3_IMPORT_ERROR = None

# identity: a compressed body could grow without bound when it is unpacked.
HEADERS = {"Accept": "application/json", "Accept-Encoding": "identity", "User-Agent": "dataops.qlik_em"}
CHUNK = 64 * 1024  # bytes

# SO_KEEPALIVE notices a dead peer during the minutes that a stop may take (seconds before and between probes).
KEEPALIVE = [(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)]
if hasattr(socket, "TCP_KEEPIDLE"):
    KEEPALIVE += [(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, 30), (socket.IPPROTO_TCP, socket.TCP_KEEPINTVL, 10)]


class Reply(NamedTuple):
    """What came back: any HTTP answer, whatever its status."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class _Exchange(threading.local):
    """The request that the current thread is sending, as its socket sees it."""

    deadline = 0.0  # monotonic seconds
    sent = False  # whether a byte of the request may have left


def _time_left(exchange: _Exchange) -> float:
    left = exchange.deadline - time.monotonic()
    if left <= 0:
        raise socket.timeout("the time limit of the call is over")
    return left


def _socket_class(exchange: _Exchange) -> type[ssl.SSLSocket]:
    """Return a socket class that keeps the deadline of the whole exchange and notes when a request begins to leave.

    The time limits of urllib3 are per read, so that a server which trickles bytes would hold a caller for ever.
    """

    class ExchangeSocket(ssl.SSLSocket):
        def send(self, *args: Any, **kwargs: Any) -> int:
            exchange.sent = True
            self.settimeout(_time_left(exchange))
            return super().send(*args, **kwargs)

        def recv_into(self, *args: Any, **kwargs: Any) -> int:
            self.settimeout(_time_left(exchange))
            return super().recv_into(*args, **kwargs)

    return ExchangeSocket


def _pool_class(exchange: _Exchange) -> Any:
    """Return a connection pool that keeps the deadline: its plain sockets, which only a proxy talks to, and itself."""

    class PlainSocket(socket.socket):
        def recv_into(self, *args: Any, **kwargs: Any) -> int:
            left = _time_left(exchange)
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
            return super()._get_conn(_time_left(exchange))  # else it would wait for ever for a free connection

    return Pool


class _Context(ssl.SSLContext):
    """TLS settings for one host: urllib3 1.26 does not say which it is if it is an address."""

    host = ""

    def wrap_socket(self, *args: Any, **kwargs: Any) -> ssl.SSLSocket:
        kwargs["server_hostname"] = kwargs.get("server_hostname") or self.host
        return super().wrap_socket(*args, **kwargs)


def tls_context(connection: Connection) -> ssl.SSLContext:
    """Return the TLS settings: 1.2 or newer, verified by default; raise InputError for an unusable file.

    Trusted is what ``ca_path`` holds and nothing else, or, without it, the system's store (OpenSSL's own variables
    SSL_CERT_FILE and SSL_CERT_DIR count there).
    """
    context = _Context(ssl.PROTOCOL_TLS_CLIENT)
    context.host = urlsplit(connection.url).hostname or ""
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_alpn_protocols(["http/1.1"])  # HTTP/2 is offered by real servers and does not work (notes, 1)
    if not connection.validate_certs:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    elif connection.ca_path:
        _load("ca_path", connection.ca_path, lambda: _load_ca(context, str(connection.ca_path)))
    else:
        context.load_default_certs()
    if connection.client_cert:
        # Without a password callback, OpenSSL would ask the terminal for the passphrase of an encrypted key.
        _load(
            "client_cert or client_key",
            f"{connection.client_cert}, {connection.client_key}",
            lambda: context.load_cert_chain(str(connection.client_cert), connection.client_key, password=lambda: b""),
        )
    return context


def _load_ca(context: ssl.SSLContext, path: str) -> None:
    try:
        context.load_verify_locations(cafile=path)
    except IsADirectoryError:
        context.load_verify_locations(capath=path)


def _load(option: str, path: str, load: Any) -> None:
    try:
        load()
    except ssl.SSLError as error:
        raise InputError(
            f"{option} ({path}) does not hold what it should, as unencrypted PEM: {error.reason}."
        ) from error
    except OSError as error:
        raise InputError(f"{option} ({path}) cannot be read: {error.strerror}.") from error


def _pools(connection: Connection, pool_class: Any, connections: int, context: ssl.SSLContext) -> PoolManager:
    """Return the manager of the only pool; it goes through the proxy, if there is one.

    Unlike requests, it heeds no .netrc (which would replace the login), no proxy or CA variables, and no cookies.
    """
    options: dict[str, Any] = {
        "maxsize": connections,
        "block": True,
        "ssl_context": context,
        "cert_reqs": "CERT_REQUIRED" if connection.validate_certs else "CERT_NONE",
        "socket_options": [(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1), *KEEPALIVE],
    }
    proxy = connection.proxy
    manager = ProxyManager(proxy, proxy_headers=_proxy_headers(proxy), **options) if proxy else PoolManager(**options)
    manager.pool_classes_by_scheme = {"https": pool_class}
    return manager


def _proxy_headers(proxy: str) -> dict[str, str]:
    user, _at, _host = urlsplit(proxy).netloc.rpartition("@")
    return {"Proxy-Authorization": "Basic " + base64.b64encode(unquote(user).encode()).decode("ascii")} if user else {}


@contextmanager
def one_warning_is_enough() -> Iterator[None]:
    """Keep urllib3 from warning at each request that the certificate is not verified: the frame says it once."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", InsecureRequestWarning)
        yield


class Transport:
    """Sends requests over at most ``connections`` kept connections; knows nothing of the API. Safe for threads."""

    def __init__(self, connection: Connection, connections: int = 1) -> None:
        self._connection = connection
        self._exchange = _Exchange()
        context = tls_context(connection)
        context.sslsocket_class = _socket_class(self._exchange)
        self._pools = _pools(connection, _pool_class(self._exchange), connections, context)

    def send(
        self, verb: str, url: str, headers: Mapping[str, str], body: bytes | None, deadline: float, answer_size: int
    ) -> Reply:
        """Send one request, once, and return the answer.

        ``deadline`` (monotonic seconds) bounds all of it: connecting, sending, waiting, reading. ``answer_size`` is how
        long a body may be (bytes).
        Raises TransportError; its ``sent`` says whether the request may have reached the server.
        """
        self._exchange.deadline, self._exchange.sent = deadline, False
        left = max(deadline - time.monotonic(), 0.001)
        try:
            response = self._pools.request(
                verb,
                url,
                body=body,
                headers={**HEADERS, **headers},
                retries=False,
                redirect=False,
                timeout=Timeout(connect=min(self._connection.connect_timeout, left), read=left),
                preload_content=False,
            )
            try:
                return Reply(response.status, response.headers, _read(response, answer_size))
            finally:
                response.close()
                response.release_conn()
        except (HTTPError, OSError, ValueError) as error:
            from .http_failure import failure_of  # a module compiles what it imports at each start

            raise failure_of(error, self._exchange.sent, self._connection) from error
        except BaseException:
            # A signal or the task's `timeout:` may strike where the pool's connection is on its way back, and be lost.
            self._pools.clear()
            raise

    def __enter__(self) -> Transport:
        return self

    def __exit__(self, *_exception: object) -> None:
        self._pools.clear()


def _read(response: Any, most: int) -> bytes:
    """Return the whole body; raise ValueError if it is too long, shorter than announced, or if nothing announced it."""
    response.enforce_content_length = True  # urllib3 1.26 does not by itself
    body = bytearray()
    while True:
        chunk = response.read(CHUNK, decode_content=False)
        if not chunk:
            break
        body += chunk
        if len(body) > most:
            raise ValueError(f"the answer is longer than {most} bytes")
    # http.client takes headers that break off for complete ones: what announces the body is missing then.
    is_announced = "Content-Length" in response.headers or "Transfer-Encoding" in response.headers
    if response.status == 200 and not body and not is_announced:
        raise ValueError("the answer ended too early")
    return bytes(body)
