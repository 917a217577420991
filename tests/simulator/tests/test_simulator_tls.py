# Copyright (c) 2026, dataops.qlik_em contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""TLS: what is wrong with a certificate, client certificates, and how an answer travels."""

from __future__ import annotations

import ssl

import pytest
from ansible_collections.dataops.qlik_em.tests.simulator import Handle, running
from ansible_collections.dataops.qlik_em.tests.simulator.tests.wire import (
    ORDERS,
    SESSION,
    Client,
    context,
    raw_request,
    tls_socket,
)


@pytest.mark.parametrize("name", ["localhost", "127.0.0.1", "::1"])
def test_the_certificate_is_good_for_this_machine(em: Handle, name: str) -> None:
    """Its three names, under the strictest checks."""
    import socket

    strict = context(em)
    strict.verify_flags |= ssl.VERIFY_X509_STRICT
    with socket.create_connection(("127.0.0.1", int(em.url.rsplit(":", 1)[1]))) as plain:
        strict.wrap_socket(plain, server_hostname=name).close()


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        ("expired", "certificate has expired"),
        ("wrong_name", "not valid for"),
        ("unknown_ca", "unable to get local issuer|self.signed"),
    ],
)
def test_bad_certificates(kind: str, words: str) -> None:
    """Each is refused for its own reason, before any request."""
    with running(certificate=kind) as em:
        with pytest.raises(ssl.SSLCertVerificationError, match=words), Client(em) as client:
            client.log_in()
        assert em.requests() == []
        assert em.summary()["tcp_connections"] == 1


def test_a_system_without_the_ca_refuses(em: Handle) -> None:
    """It is a private one."""
    with pytest.raises(ssl.SSLCertVerificationError), Client(em) as client:
        client.connection._context = ssl.create_default_context()
        client.log_in()


def test_client_certificates() -> None:
    """Asked for, and made; without one nobody gets in."""
    with running(client_cert=True) as em:
        assert em.client_cert
        assert em.client_key
        with Client(em) as client:
            client.connection._context.load_cert_chain(em.client_cert, em.client_key)
            assert client.log_in().status == 200
        with pytest.raises(OSError), Client(em) as client:
            client.log_in()
        assert len(em.requests()) == 1


def test_no_client_certificate_by_default(em: Handle) -> None:
    """And none is made."""
    assert (em.client_cert, em.client_key) == (None, None)


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_versions(em: Handle, version: ssl.TLSVersion) -> None:
    """1.2 and newer."""
    with tls_socket(em, minimum_version=version, maximum_version=version) as connection:
        assert connection.version() == {"TLSv1_2": "TLSv1.2", "TLSv1_3": "TLSv1.3"}[version.name]


def test_older_versions_are_refused(em: Handle) -> None:
    """Asked of the server's own context: new OpenSSL clients can't even offer them."""
    assert em._simulator.tls.context.minimum_version == ssl.TLSVersion.TLSv1_2


def test_plain_http_is_no_way_in(em: Handle) -> None:
    """HTTPS only."""
    import http.client

    plain = http.client.HTTPConnection("127.0.0.1", int(em.url.rsplit(":", 1)[1]), timeout=5)
    with pytest.raises(OSError):
        plain.request("GET", "/")
        plain.getresponse()
    assert em.requests() == []


def test_only_http_1_1_is_offered(em: Handle) -> None:
    """HTTP/2 is offered by the product but does not work there."""
    import socket

    offering = context(em)
    offering.set_alpn_protocols(["h2", "http/1.1"])
    with socket.create_connection(("127.0.0.1", int(em.url.rsplit(":", 1)[1]))) as plain:
        assert offering.wrap_socket(plain, server_hostname="localhost").selected_alpn_protocol() == "http/1.1"


def test_an_answer_comes_in_one_piece(em: Handle, operator: Client) -> None:
    """Head and body in one TLS record, or a kept connection would cost 40 ms a request."""
    with tls_socket(em) as connection:
        connection.sendall(raw_request("GET", ORDERS, f"{SESSION}: {operator.session}"))
        head, _blank, body = connection.recv(65536).partition(b"\r\n\r\n")
    length = next(line for line in head.split(b"\r\n") if line.startswith(b"Content-Length: "))
    assert len(body) == int(length.split()[1])


def test_connections_are_kept(em: Handle, operator: Client) -> None:
    """After a failure, too."""
    for _turn in range(5):
        operator.call("POST", f"{ORDERS}?action=stop&timeout=abc")
    assert em.summary()["tcp_connections"] <= 1
