# Copyright (c) 2026, dataops.qlik_em contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is private to the collection.

"""Why a request failed, in words that name the URL and the option to check. Pure functions."""

from __future__ import annotations

import http.client
import socket
import ssl
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

from .connection import Connection
from .errors import TooLong, TransportError, sentence

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


def failure_of(error: Exception, sent: bool, connection: Connection) -> TransportError:
    """Return what went wrong as a message that names the URL and the option to check."""
    from requests.exceptions import ProxyError  # late: only a failure needs it

    causes = list(_chain(error))

    def cause(*kinds: type[BaseException]) -> Any:
        return next((one for one in causes if isinstance(one, kinds)), None)

    url, host = connection.url, urlsplit(connection.url).hostname
    certificate = cause(ssl.SSLCertVerificationError)
    if certificate:
        fault = CERTIFICATE_FAULTS.get(certificate.verify_code, "cannot be verified")
        hint = {
            "is for another host name": "In url, use a name that the certificate is issued for.",
            "is for another address": "In url, use a name that the certificate is issued for.",
            "has expired": "Renew the server's certificate.",
            "is not valid yet": "Check the clocks of this machine and of the server.",
        }.get(fault, "Set ca_path (QLIK_EM_CA_PATH) to the certificate of the CA that issued the server's certificate.")
        text = sentence(f"The certificate of {url} {fault}: {certificate.verify_message}")
        return TransportError(text, hint, sent=False, final=True, url=url)
    if connection.proxy and cause(ProxyError):
        proxy = urlsplit(connection.proxy)
        reason = _innermost(causes)
        text = sentence(f"The proxy {proxy.hostname}:{proxy.port or 80} refused or could not reach {url}: {reason}")
        # A refusal (4xx) is not tried again: the user of the proxy would be locked like any other.
        final = "Tunnel connection failed: 4" in reason
        return TransportError(text, "Check proxy (QLIK_EM_PROXY).", sent=sent, final=final, url=url)
    tls = cause(ssl.SSLError)
    if tls and not isinstance(tls, (ssl.SSLEOFError, ssl.SSLZeroReturnError)):
        text = sentence(f"No TLS connection to {url}: {tls.reason or tls}")
        hint = "Check the port in url, the proxy, and client_cert and client_key if the server asks for a certificate."
        return TransportError(text, hint, sent=sent, final=True, url=url)
    if cause(socket.gaierror):
        return TransportError(f"The host name {host} of {url} cannot be resolved.", "Check url.", sent=False, url=url)
    if cause(socket.timeout):
        if sent:
            text, hint = f"{url} did not answer in time.", "Raise request_timeout, or check the server's load."
        else:
            text, hint = f"No connection to {url} in time.", "Check url, firewalls and proxy, or raise connect_timeout."
        return TransportError(text, hint, sent=sent, url=url)
    if not sent:
        return TransportError(
            sentence(f"No connection to {url}: {_innermost(causes)}"),
            "Check url (host and port), firewalls and proxy.",
            sent=False,
            url=url,
        )
    text = sentence(f"{url} gave no usable answer: {_innermost(causes)}")
    if cause(TooLong):
        failure = TransportError(text, "Check url, and the server's release.", sent=sent, url=url)
        failure.is_too_long = True
        return failure
    hint = "Check the server, and any proxy or load balancer in between."
    if cause(ConnectionError) and not connection.client_cert:
        hint += " A server that requires a client certificate (client_cert) may also close the connection like this."
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
