# Copyright (c) 2026, dataops.qlik_em contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is private to the collection.

"""One HTTPS request and its answer: TLS, time limits, and whether a failed request may have reached the server."""

from __future__ import annotations

import base64
import logging
import os
import socket
import ssl
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, BinaryIO, NamedTuple
from urllib.parse import unquote, urlsplit

from .connection import Connection
from .deadlines import Exchange, pool_class, socket_class, time_left
from .errors import AemError, InputError, TooLong

try:
    from requests import PreparedRequest
    from requests.adapters import HTTPAdapter
    from urllib3 import PoolManager, ProxyManager  # what requests is made of
    from urllib3.exceptions import HTTPError, InsecureRequestWarning
except ImportError as error:
    REQUESTS_IMPORT_ERROR: ImportError | None = error
    HTTPAdapter = object  # type: ignore[assignment,misc]
    InsecureRequestWarning = Warning  # type: ignore[assignment,misc]
else:
    REQUESTS_IMPORT_ERROR = None

# identity: a compressed body could grow without bound when it is unpacked.
HEADERS = {"Accept": "application/json", "Accept-Encoding": "identity", "User-Agent": "dataops.qlik_em"}
CHUNK = 64 * 1024  # bytes
LOG = logging.getLogger("urllib3")

# SO_KEEPALIVE notices a dead peer during the minutes that a stop may take (seconds before and between probes).
KEEPALIVE = [(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)]
if hasattr(socket, "TCP_KEEPIDLE"):
    KEEPALIVE += [(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, 30), (socket.IPPROTO_TCP, socket.TCP_KEEPINTVL, 10)]


class Reply(NamedTuple):
    """What came back: any HTTP answer, whatever its status."""

    status: int
    headers: Mapping[str, str]
    body: bytes | bytearray
    is_spooled: bool = False  # whether the body is in the spool instead


class Spool(NamedTuple):
    """The file for a body of more than ``least`` bytes."""

    file: BinaryIO
    least: int

    def add(self, data: bytearray, is_first: bool) -> None:
        """Write a part of the body; the first one begins again, as the call may have been sent again."""
        with self._refused():
            if is_first:
                self.file.seek(0)
                self.file.truncate()
            self.file.write(data)

    def flush(self) -> None:
        """Write all that has not been written yet."""
        with self._refused():
            self.file.flush()

    @contextmanager
    def _refused(self) -> Iterator[None]:
        """Raise an AemError for an OSError, which would be taken for one of the connection."""
        try:
            yield
        except OSError as error:
            raise AemError(f"The answer cannot be saved: {error.strerror}.", "Free disk space for the file.") from error


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
    # HTTP/2 is offered by real servers and does not work (docs/enterprise_manager_api.md, 1.6).
    context.set_alpn_protocols(["http/1.1"])
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
    if os.path.isfile(path) and not os.path.getsize(path):
        raise InputError(f"ca_path ({path}) is an empty file: put the CA's certificate there, as PEM.")
    try:
        context.load_verify_locations(cafile=path)
    except IsADirectoryError:
        context.load_verify_locations(capath=path)


def _load(option: str, path: str, load: Any) -> None:
    try:
        load()
    except ssl.SSLError as error:
        raise InputError(f"{option} ({path}) does not contain the expected unencrypted PEM: {error.reason}.") from error
    except OSError as error:
        raise InputError(f"{option} ({path}) cannot be read: {error.strerror}.") from error


def _pools(connection: Connection, exchange: Exchange, connections: int) -> PoolManager:
    """Return the manager of the only pool; it goes through the proxy, if there is one."""
    context = tls_context(connection)
    context.sslsocket_class = socket_class(exchange)
    options: dict[str, Any] = {
        "maxsize": connections,
        "block": True,
        "ssl_context": context,
        "cert_reqs": "CERT_REQUIRED" if connection.validate_certs else "CERT_NONE",
        "socket_options": [(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1), *KEEPALIVE],
    }
    proxy = connection.proxy
    manager = ProxyManager(proxy, proxy_headers=_proxy_headers(proxy), **options) if proxy else PoolManager(**options)
    manager.pool_classes_by_scheme = {"https": pool_class(exchange)}
    return manager


def _proxy_headers(proxy: str) -> dict[str, str]:
    user, _at, _host = urlsplit(proxy).netloc.rpartition("@")
    return {"Proxy-Authorization": "Basic " + base64.b64encode(unquote(user).encode()).decode("ascii")} if user else {}


@contextmanager
def one_warning_is_enough() -> Iterator[None]:
    """Keep urllib3 from warning at each request that the certificate is not verified: the frame says it once.

    Nor may it write to Ansible's log, neither masked nor escaped, what it finds odd in an answer.
    """
    before, LOG.propagate = LOG.propagate, False
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", InsecureRequestWarning)
            yield
    finally:
        LOG.propagate = before


class _Adapter(HTTPAdapter):
    """Sends a request through one pool, with the TLS settings and the proxy of that pool and no others.

    There is no Session around it. A Session would add what must not be: the login in .netrc, which replaces ours,
    proxies and CAs of the environment, cookies, and redirects, for which it reads the whole body.
    """

    def __init__(self, pools: PoolManager) -> None:
        super().__init__()
        self.poolmanager = pools
        self._pool: Any = None

    def close(self) -> None:
        """Close all connections; the next request opens a new one."""
        self._pool = None
        super().close()

    def cert_verify(self, *_arguments: Any, **_options: Any) -> None:
        """Leave it to the TLS settings: requests would trust the CAs that come with it."""

    def get_connection_with_tls_context(self, request: Any, *_arguments: Any, **_options: Any) -> Any:
        """Return our pool: requests 2.32.0 to 2.32.2 would make one with TLS settings of its own."""
        # All requests go to one host; to look its pool up by the URL takes as long as all else that requests does.
        self._pool = self._pool or self.poolmanager.connection_from_url(request.url)
        return self._pool

    _get_connection = get_connection_with_tls_context  # its name in 2.32.0 and 2.32.1

    def build_response(self, _request: Any, response: Any) -> Any:
        """Return the answer of urllib3. Of it, requests would keep cookies, and 2.25 fails at an odd Content-Type."""
        return response


class Transport:
    """Sends requests over at most ``connections`` kept connections; knows nothing of the API. Safe for threads."""

    def __init__(self, connection: Connection, connections: int = 1) -> None:
        self._connection = connection
        self._exchange = Exchange()
        self._adapter = _Adapter(_pools(connection, self._exchange, connections))

    def send(
        self,
        verb: str,
        url: str,
        headers: Mapping[str, str],
        body: bytes | None,
        deadline: float,
        answer_size: int,
        spool: Spool | None = None,
    ) -> Reply:
        """Send one request, once, and return the answer.

        ``deadline`` (monotonic seconds) bounds all of it: connecting, sending, waiting, reading. ``answer_size`` is how
        long a body may be (bytes). A long one of a success goes into ``spool``, if there is one.
        Raises TransportError; its ``sent`` says whether the request may have reached the server. AemError if the spool
        cannot be written.
        """
        self._exchange.deadline, self._exchange.sent = deadline, False
        try:
            left = time_left(self._exchange)
            response: Any = self._adapter.send(
                _prepared(verb, url, {**HEADERS, **headers}, body),
                stream=True,
                timeout=(min(self._connection.connect_timeout, left), left),
                verify=self._connection.validate_certs,
            )
            try:
                used = spool if response.status == 200 else None
                answer = _read(response, answer_size, used)
                return Reply(response.status, response.headers, answer or b"", answer is None)
            finally:
                response.close()
                response.release_conn()
        except (HTTPError, OSError, ValueError) as error:  # the exceptions of requests are OSErrors
            from .http_failure import failure_of  # late: only a failure needs it

            raise failure_of(error, self._exchange.sent, self._connection) from error
        except BaseException:
            # A signal or the task's `timeout:` may strike where the pool's connection is on its way back, and be lost.
            self._adapter.close()
            raise

    def __enter__(self) -> Transport:
        return self

    def __exit__(self, *_exception: object) -> None:
        self._adapter.close()


def _prepared(verb: str, url: str, headers: Mapping[str, str], body: bytes | None) -> PreparedRequest:
    """Return the request as it is to be sent. The URL stays as it is: ``prepare`` would turn "%2E%2E" into ".."."""
    request = PreparedRequest()
    request.prepare_method(verb)
    request.url = url
    request.prepare_headers(headers)
    request.prepare_body(body, files=None)
    return request


def _read(response: Any, most: int, spool: Spool | None) -> bytearray | None:
    """Return the whole body, None if it is in ``spool``.

    Raises ValueError if it is too long, shorter than announced, or if nothing announced it.
    """
    response.enforce_content_length = True  # urllib3 1.26 does not by itself
    body = bytearray()
    size, least = 0, spool.least if spool else most
    while True:
        chunk = response.read(CHUNK, decode_content=False)
        if not chunk:
            break
        body += chunk
        size += len(chunk)
        if size > most:
            raise TooLong(f"the answer is longer than {most} bytes")
        if spool and size > least:
            spool.add(body, is_first=len(body) == size)
            body.clear()
    if spool and size > least:
        spool.flush()
        return None
    # http.client takes headers that break off for complete ones: what announces the body is missing then.
    is_announced = "Content-Length" in response.headers or "Transfer-Encoding" in response.headers
    if response.status == 200 and not body and not is_announced:
        raise ValueError("the answer ended too early")
    return body  # not as bytes: that would be a second one
