# Copyright (c) 2026, dataops.qlik_em contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is private to the collection.

"""One HTTPS request and its answer: TLS, time limits, and whether a failed request may have reached the server."""

from __future__ import annotations

import base64
import http.client
import http.cookiejar
import socket
import ssl
import threading
import time
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, NamedTuple
from urllib.parse import unquote, urlsplit

from ._connection import Connection
from ._errors import InputError, TransportError

try:
    import requests
    from requests.adapters import HTTPAdapter
    from urllib3.connection import HTTPSConnection
    from urllib3.connectionpool import HTTPSConnectionPool
    from urllib3.exceptions import HTTPError, InsecureRequestWarning, NewConnectionError, ProxyError
except ImportError as error:
    REQUESTS_IMPORT_ERROR: ImportError | None = error
    HTTPAdapter = object  # type: ignore[assignment,misc]
    InsecureRequestWarning = Warning  # type: ignore[assignment,misc]
else:
    REQUESTS_IMPORT_ERROR = None

# identity: a compressed body could grow without bound when it is unpacked.
HEADERS = {"Accept": "application/json", "Accept-Encoding": "identity", "User-Agent": "dataops.qlik_em"}
MAX_BODY = 64 * 1024 * 1024  # bytes; the largest definitions are a few MB
CHUNK = 64 * 1024  # bytes

# Verification results of OpenSSL (x509_vfy.h) that deserve a sentence of their own.
CERTIFICATE_FAULTS = {
    9: "is not valid yet",
    10: "has expired",
    18: "is self-signed and not trusted",
    19: "was issued by an unknown CA",
    20: "was issued by an unknown CA",
    21: "was issued by an unknown CA",
    62: "is for another host name",
    64: "is for another address",
}
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

    The time limits of ``requests`` are per read, so that a server which trickles bytes would hold a caller for ever.
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
            return super()._get_conn(_time_left(exchange))  # requests would wait for ever for a free connection

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


class _Adapter(HTTPAdapter):
    """Connections whose trust is decided by our TLS context alone."""

    def __init__(self, context: ssl.SSLContext, pool_class: Any, connections: int) -> None:
        self._context = context
        self._pools = {"https": pool_class}
        super().__init__(pool_connections=1, pool_maxsize=connections, pool_block=True, max_retries=0)

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        options = [(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1), *KEEPALIVE]
        super().init_poolmanager(*args, ssl_context=self._context, socket_options=options, **kwargs)
        self.poolmanager.pool_classes_by_scheme = self._pools

    def proxy_manager_for(self, proxy: str, **kwargs: Any) -> Any:
        manager = super().proxy_manager_for(proxy, ssl_context=self._context, **kwargs)
        manager.pool_classes_by_scheme = self._pools
        return manager

    def proxy_headers(self, proxy: str) -> dict[str, str]:
        # Not the parent's: it cannot send what is not in Latin-1.
        user, _at, _host = urlsplit(proxy).netloc.rpartition("@")
        if not user:
            return {}
        return {"Proxy-Authorization": "Basic " + base64.b64encode(unquote(user).encode()).decode("ascii")}

    def cert_verify(self, conn: Any, url: str, verify: Any, cert: Any) -> None:
        # Not the parent's: it would add the CA bundle of certifi to the trusted ones.
        conn.cert_reqs = "CERT_REQUIRED" if verify else "CERT_NONE"


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
        self._session = requests.Session()
        self._session.trust_env = False  # no .netrc (it would replace the login), no proxy or CA variables
        self._session.headers.clear()
        self._session.headers.update(HEADERS)
        self._session.cookies.set_policy(http.cookiejar.DefaultCookiePolicy(allowed_domains=[]))
        # Even if told not to follow a redirect, requests works out the next request and reads the whole body for it.
        self._session.get_redirect_target = lambda resp: None  # type: ignore[method-assign]
        self._adapter = _Adapter(context, _pool_class(self._exchange), connections)
        self._session.mount("https://", self._adapter)

    def send(self, verb: str, url: str, headers: Mapping[str, str], body: bytes | None, deadline: float) -> Reply:
        """Send one request, once, and return the answer.

        ``deadline`` (monotonic seconds) bounds all of it: connecting, sending, waiting, reading.
        Raises TransportError; its ``sent`` says whether the request may have reached the server.
        """
        self._exchange.deadline, self._exchange.sent = deadline, False
        left = max(deadline - time.monotonic(), 0.001)
        try:
            with self._session.request(
                verb,
                url,
                headers=dict(headers),
                data=body,
                timeout=(min(self._connection.connect_timeout, left), left),
                allow_redirects=False,
                stream=True,
                verify=self._connection.validate_certs,
                proxies={"https": self._connection.proxy} if self._connection.proxy else None,
            ) as response:
                return Reply(response.status_code, response.headers, _read(response))
        except (requests.RequestException, HTTPError, OSError, ValueError) as error:
            raise _failure(error, self._exchange.sent, self._connection) from error
        except BaseException:
            # A signal or the task's `timeout:` may strike where the pool's connection is on its way back, and be lost.
            self._adapter.close()
            raise

    def __enter__(self) -> Transport:
        return self

    def __exit__(self, *_exception: object) -> None:
        self._session.close()


def _read(response: Any) -> bytes:
    """Return the whole body; raise ValueError if it is too long, shorter than announced, or if nothing announced it."""
    response.raw.enforce_content_length = True  # urllib3 1.26 does not by itself
    body = bytearray()
    while True:
        chunk = response.raw.read(CHUNK, decode_content=False)
        if not chunk:
            break
        body += chunk
        if len(body) > MAX_BODY:
            raise ValueError(f"the answer is longer than {MAX_BODY} bytes")
    # http.client takes headers that break off for complete ones: what announces the body is missing then.
    is_announced = "Content-Length" in response.headers or "Transfer-Encoding" in response.headers
    if response.status_code == 200 and not body and not is_announced:
        raise ValueError("the answer ended too early")
    return bytes(body)


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    """Yield an exception and all that it wraps, in any of the ways in which the libraries wrap."""
    seen: set[int] = set()
    waiting = [error]
    while waiting:
        current = waiting.pop()
        if isinstance(current, BaseException) and id(current) not in seen:
            seen.add(id(current))
            yield current
            context = None if current.__suppress_context__ else current.__context__
            waiting += [context, current.__cause__, getattr(current, "reason", None), *current.args]


def _failure(error: Exception, sent: bool, connection: Connection) -> TransportError:
    """Return what went wrong as a message that names the URL and the option to look at."""
    causes = list(_chain(error))

    def cause(*kinds: type[BaseException]) -> Any:
        return next((one for one in causes if isinstance(one, kinds)), None)

    url, host = connection.url, urlsplit(connection.url).hostname
    certificate = cause(ssl.SSLCertVerificationError)
    if certificate:
        fault = CERTIFICATE_FAULTS.get(certificate.verify_code, "cannot be verified")
        hint = {
            "is for another host name": "Use in url a name that the certificate is issued for.",
            "is for another address": "Use in url a name that the certificate is issued for.",
            "has expired": "Renew the server's certificate.",
            "is not valid yet": "Check the clocks of this machine and of the server.",
        }.get(fault, "Point ca_path (QLIK_EM_CA_PATH) to the CA that issued the server's certificate.")
        text = f"The certificate of {url} {fault}: {certificate.verify_message}."
        return TransportError(text, hint, sent=False, final=True, url=url)
    if connection.proxy and cause(ProxyError):
        proxy = urlsplit(connection.proxy)
        reason = _innermost(causes)
        text = f"The proxy {proxy.hostname}:{proxy.port or 80} gives no way to {url}: {reason}."
        # A refusal (4xx) is not tried again: the user of the proxy would be locked like any other.
        final = "Tunnel connection failed: 4" in reason
        return TransportError(text, "Check proxy (QLIK_EM_PROXY).", sent=sent, final=final, url=url)
    tls = cause(ssl.SSLError)
    if tls and not isinstance(tls, (ssl.SSLEOFError, ssl.SSLZeroReturnError)):
        text = f"No TLS connection to {url}: {tls.reason or tls}."
        hint = "Check the port in url, the proxy, and client_cert and client_key if the server asks for a certificate."
        return TransportError(text, hint, sent=sent, final=True, url=url)
    if cause(socket.gaierror):
        return TransportError(f"The host name {host} of {url} cannot be resolved.", "Check url.", sent=False, url=url)
    if cause(socket.timeout, requests.Timeout):
        if sent:
            text, hint = f"{url} did not answer in time.", "Raise request_timeout, or check the server's load."
        else:
            text, hint = f"No connection to {url} in time.", "Check url, firewalls and proxy, or raise connect_timeout."
        return TransportError(text, hint, sent=sent, url=url)
    if not sent and cause(NewConnectionError, OSError):
        return TransportError(
            f"No connection to {url}: {_innermost(causes)}.",
            "Check url (host and port), firewalls and proxy.",
            sent=False,
            url=url,
        )
    text = f"{url} gave no usable answer: {_innermost(causes)}."
    hint = "Check the server and whatever stands between (proxy, load balancer)."
    if cause(ConnectionError) and not connection.client_cert:
        hint += " A server that wants a client certificate (client_cert) may end the connection like this, too."
    return TransportError(text, hint, sent=sent, url=url)


def _innermost(causes: list[BaseException]) -> str:
    """Return the plainest text among the causes: the operating system's, else the last one's."""
    for one in causes:
        if isinstance(one, OSError) and one.strerror:
            return one.strerror
        if isinstance(one, http.client.RemoteDisconnected):
            return str(one)
        if isinstance(one, (http.client.BadStatusLine, http.client.UnknownProtocol)):
            return "it is not HTTP"  # their own texts show a part of it, and half a secret would not be masked
    return str(causes[-1])
