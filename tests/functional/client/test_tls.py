# Copyright (c) 2026, dataops.qlik_em contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Certificates, TLS and proxies: each fault is called by its name, with the URL and the option to change."""

from __future__ import annotations

import contextlib
import datetime
import ssl

import pytest
import trustme
from ansible_collections.dataops.qlik_em.tests.functional.support.user import User
from ansible_collections.dataops.qlik_em.tests.functional.support.wires import Proxy, Tls, Wire
from ansible_collections.dataops.qlik_em.tests.simulator import running
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

STOP = ["Login", "StopTask", "Logout"]


@pytest.fixture
def quick_stop(em):
    """A task that stops at once."""
    em.set_task("Replicate-Prod", "orders", stop_seconds=0)


def assert_no_way(run, url, *texts, option):
    """A failure before anything was sent, in one line that names the URL, with a hint that names the option."""
    assert run.failed and not run.changed
    assert len(run.msg.splitlines()) == 1
    assert "Unexpected" not in run.msg and "exception" not in run.result
    for text in (url, *texts):
        assert text in run.msg
    assert option in run.result["hint"]
    assert run.requests == []


class Counted(Tls):
    """A TLS server that counts connections; `keep` is what the stand-in's handle would have of it."""

    def requests(self):
        """No request is ever understood."""
        return []


@contextlib.contextmanager
def odd_server(tmp_path, context, ca_pem, kind=Counted):
    """A user and a TLS server with a certificate of our own making."""
    ca_path = tmp_path / "ca.pem"
    ca_path.write_bytes(ca_pem)
    with kind(context) as server:
        server.ca_path = str(ca_path)
        server.username, server.password = "operator@corp.example", "a password"
        yield User(server), server


def server_context(certificate):
    """The TLS settings of a server with this certificate."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    certificate.configure_cert(context)
    return context


# Certificates


@pytest.mark.parametrize(
    ("kind", "text", "option"),
    [
        ("unknown_ca", "was issued by an unknown CA", "ca_path (QLIK_EM_CA_PATH)"),
        ("wrong_name", "is for another host name", "url"),
        ("expired", "has expired", "Renew the server's certificate"),
    ],
)
def test_a_bad_certificate_is_named_as_what_it_is_and_never_tried_again(kind, text, option):
    with running(certificate=kind) as em:
        run = User(em).task()
        assert_no_way(run, f"The certificate of {em.url}/attunityenterprisemanager {text}", option=option)
        assert em.summary()["tcp_connections"] == 1


def test_a_certificate_that_is_not_valid_yet_is_named_as_such(tmp_path):
    ca = trustme.CA()
    tomorrow = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(days=1)
    certificate = ca.issue_cert("localhost", not_before=tomorrow, not_after=tomorrow + datetime.timedelta(days=9))
    with odd_server(tmp_path, server_context(certificate), ca.cert_pem.bytes()) as (user, server):
        run = user.task()
        assert_no_way(run, f"The certificate of {server.url}", "is not valid yet", option="clocks")
        assert server.accepted == 1


def self_signed(tmp_path):
    """Return the TLS settings of a server that signed its certificate itself."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "localhost")])
    now = datetime.datetime.now(datetime.timezone.utc)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .sign(key, hashes.SHA256())
    )
    pem = tmp_path / "server.pem"
    pem.write_bytes(
        certificate.public_bytes(serialization.Encoding.PEM)
        + key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pem)
    return context


def test_a_self_signed_certificate_is_named_as_such(tmp_path):
    with odd_server(tmp_path, self_signed(tmp_path), trustme.CA().cert_pem.bytes()) as (user, server):
        run = user.task()
        assert_no_way(run, f"The certificate of {server.url}", "is self-signed and not trusted", option="ca_path")
        assert server.accepted == 1


def test_an_address_that_the_certificate_names_is_fine(em, user):
    run = user.task(state="started", url=em.url.replace("localhost", "127.0.0.1"))
    assert not run.failed and run.operations == ["Login", "GetTaskDetails", "Logout"]


def test_an_address_that_the_certificate_does_not_name_is_said(tmp_path):
    ca = trustme.CA()
    context = server_context(ca.issue_cert("localhost"))
    with odd_server(tmp_path, context, ca.cert_pem.bytes()) as (user, server):
        run = user.task(url=f"https://127.0.0.1:{server.port}")
        assert_no_way(run, "The certificate of https://127.0.0.1", "is for another address", option="url")


def test_without_ca_path_only_the_system_store_is_trusted(user):
    run = user.task(ca_path=None)
    assert_no_way(run, "The certificate of", "unknown CA", option="ca_path (QLIK_EM_CA_PATH)")


@pytest.mark.usefixtures("quick_stop")
def test_unverified_works_and_warns_once(user, em, recwarn):
    run = user.task(state="restarted", validate_certs=False, ca_path=None)
    assert run.changed and not run.failed
    assert run.result["warnings"] == [
        f"The certificate of {em.url}/attunityenterprisemanager is not verified (validate_certs: false)."
    ]
    assert not recwarn.list


@pytest.mark.parametrize("kind", ["unknown_ca", "wrong_name", "expired"])
def test_unverified_takes_any_certificate(kind):
    with running(certificate=kind) as em:
        em.set_task("Replicate-Prod", "orders", stop_seconds=0)
        run = User(em).task(validate_certs=False)
        assert run.changed and not run.failed and run.operations == STOP


# Files


@pytest.mark.parametrize(
    ("content", "text"),
    [
        (None, "cannot be read: No such file or directory"),
        ("Not a certificate.", "does not contain the expected unencrypted PEM"),
        ("", "is an empty file: put the CA's certificate there, as PEM."),
        (
            "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
            "does not contain the expected unencrypted PEM",
        ),
    ],
)
def test_an_unusable_ca_path_is_named_before_anything_is_sent(user, tmp_path, content, text):
    path = tmp_path / "ca.pem"
    if content is not None:
        path.write_text(content)
    run = user.task(ca_path=str(path))
    assert run.failed and not run.changed
    assert run.msg.startswith(f"ca_path ({path}) {text}")
    assert user.em.summary()["tcp_connections"] == 0


def test_an_empty_folder_as_ca_path_trusts_nobody(user, tmp_path):
    assert_no_way(user.task(ca_path=str(tmp_path)), "The certificate of", "unknown CA", option="ca_path")


@pytest.fixture(scope="module")
def choosy():
    """A stand-in that wants a client certificate."""
    with running(client_cert=True) as em:
        em.set_task("Replicate-Prod", "orders", stop_seconds=0)
        yield em


def test_a_client_certificate_is_shown(choosy):
    run = User(choosy).task(state="restarted", client_cert=choosy.client_cert, client_key=choosy.client_key)
    assert run.changed and not run.failed


def test_a_missing_client_certificate_is_said(tmp_path):
    ca = trustme.CA()
    context = server_context(ca.issue_cert("localhost"))
    ca.configure_trust(context)
    context.verify_mode = ssl.CERT_REQUIRED
    with odd_server(tmp_path, context, ca.cert_pem.bytes()) as (user, server):
        run = user.task()
        text = f"No TLS connection to {server.url}"
        assert_no_way(run, text, "CERTIFICATE_REQUIRED", option="client_cert and client_key")
        assert server.accepted == 1


def test_a_server_that_just_leaves_for_want_of_a_client_certificate_is_named(choosy):
    run = User(choosy).task()
    assert_no_way(run, f"Login failed: {choosy.url}", "gave no usable answer", option="client_cert")


@pytest.mark.parametrize("half", ["client_cert", "client_key"])
def test_half_a_client_certificate_is_refused_before_anything_is_sent(choosy, half):
    before = choosy.summary()["tcp_connections"]
    run = User(choosy).task(**{half: getattr(choosy, half)})
    other = {"client_cert": "client_key", "client_key": "client_cert"}[half]
    assert run.failed and run.msg.startswith(f"{half} needs {other}")
    assert choosy.summary()["tcp_connections"] == before


def encrypted(path, key_path):
    """Write the key with a passphrase."""
    with open(key_path, "rb") as file:
        key = serialization.load_pem_private_key(file.read(), None)
    how = serialization.BestAvailableEncryption(b"passphrase")
    path.write_bytes(key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, how))


def foreign(path, _key_path):
    """Write a key that belongs to another certificate."""
    path.write_bytes(trustme.CA().issue_cert("other@example.com").private_key_pem.bytes())


@pytest.mark.parametrize(
    ("spoil", "text"),
    [
        (encrypted, "does not contain the expected unencrypted PEM"),
        (foreign, "KEY_VALUES_MISMATCH"),
        (lambda path, _key: path.write_text("no key"), "does not contain the expected unencrypted PEM"),
        (lambda path, _key: None, "cannot be read: No such file or directory"),
    ],
)
def test_an_unusable_client_key_is_named_before_anything_is_sent(choosy, tmp_path, spoil, text):
    key = tmp_path / "client.key"
    spoil(key, choosy.client_key)
    before = choosy.summary()["tcp_connections"]
    run = User(choosy).task(client_cert=choosy.client_cert, client_key=str(key))
    assert run.failed and not run.changed
    assert run.msg.startswith(f"client_cert or client_key ({choosy.client_cert}, {key}) ") and text in run.msg
    assert choosy.summary()["tcp_connections"] == before


# TLS itself


def test_a_port_that_speaks_no_tls_is_named(user, em):
    port = em.control_url.rpartition(":")[2]
    run = user.task(url=f"https://localhost:{port}")
    assert_no_way(run, f"No TLS connection to https://localhost:{port}", option="port in url")


@pytest.mark.filterwarnings("ignore:ssl.TLSVersion:DeprecationWarning")
def test_a_server_that_offers_only_tls_older_than_1_2_is_refused(tmp_path):
    ca = trustme.CA()
    context = server_context(ca.issue_cert("localhost"))
    context.minimum_version = ssl.TLSVersion.TLSv1
    context.maximum_version = ssl.TLSVersion.TLSv1_1
    context.set_ciphers("ALL:@SECLEVEL=0")
    with odd_server(tmp_path, context, ca.cert_pem.bytes()) as (user, server):
        run = user.task()
        assert_no_way(run, f"No TLS connection to {server.url}", "PROTOCOL_VERSION", option="url")
        assert server.accepted == 1


def test_tls_1_2_is_enough(tmp_path):
    ca = trustme.CA()
    context = server_context(ca.issue_cert("localhost"))
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    with odd_server(tmp_path, context, ca.cert_pem.bytes()) as (user, _server):
        assert "answered the login without a session ID" in user.task().msg


class Flood(Counted):
    """Redirects, with a page that has no end."""

    sent = 0

    def serve(self, connection):
        """Send until the client has enough."""
        with self._context.wrap_socket(connection, server_side=True) as secured:
            secured.recv(65536)
            secured.sendall(b"HTTP/1.1 302 Found\r\nLocation: https://elsewhere.example/\r\nConnection: close\r\n\r\n")
            while True:
                secured.sendall(bytes(65536))
                self.sent += 65536


def test_no_endless_page_is_read_because_it_comes_with_a_redirect(tmp_path, monkeypatch):
    monkeypatch.setattr(User, "limits", User.limits._replace(answer_size=1024 * 1024))
    ca = trustme.CA()
    with odd_server(tmp_path, server_context(ca.issue_cert("localhost")), ca.cert_pem.bytes(), Flood) as (user, server):
        run = user.task(request_timeout=2)
        assert_no_way(run, server.url, option="Check")
        assert 1024 * 1024 <= server.sent < 32 * 1024 * 1024  # up to four attempts, and what is on its way


# Proxies


@pytest.mark.usefixtures("quick_stop")
def test_a_proxy_is_used_and_learns_nothing_but_the_host(user, em):
    with Proxy() as proxy:
        run = user.task(proxy=f"http://127.0.0.1:{proxy.port}")
    assert run.changed and not run.failed and run.operations == STOP
    host = em.url.removeprefix("https://")
    assert len(proxy.requests) == 1
    assert proxy.requests[0].startswith(f"CONNECT {host} HTTP/1.")
    assert "authorization" not in proxy.requests[0].lower() and "apisession" not in proxy.requests[0].lower()


@pytest.mark.usefixtures("quick_stop")
@pytest.mark.parametrize(("login", "userinfo"), [("joe:secret", "joe:secret"), ("j@e:s/c ret", "j%40e:s%2Fc%20ret")])
def test_a_proxy_gets_its_own_user_and_password(user, login, userinfo):
    with Proxy(login) as proxy:
        run = user.task(proxy=f"http://{userinfo}@127.0.0.1:{proxy.port}")
    assert run.changed and not run.failed and run.operations == STOP


def test_a_proxy_that_refuses_its_user_is_named_and_asked_once(user, em):
    with Proxy("joe:secret") as proxy:
        run = user.task(proxy=f"http://joe:wrong@127.0.0.1:{proxy.port}")
        text = f"The proxy 127.0.0.1:{proxy.port} refused or could not reach {em.url}"
    assert_no_way(run, text, "407", option="proxy (QLIK_EM_PROXY)")
    assert "wrong" not in str(run.result)
    assert len(proxy.requests) == 1


@pytest.mark.parametrize(("status", "attempts"), [(403, 1), (503, 4)])
def test_a_proxy_that_refuses_the_way_is_named(user, em, status, attempts):
    with Proxy(status=status) as proxy:
        run = user.task(proxy=f"http://127.0.0.1:{proxy.port}")
        text = f"The proxy 127.0.0.1:{proxy.port} refused or could not reach {em.url}"
    assert_no_way(run, text, str(status), option="proxy (QLIK_EM_PROXY)")
    assert len(proxy.requests) == attempts


def test_a_proxy_that_is_not_there_is_named(user, em):
    with Proxy() as proxy:
        pass
    run = user.task(proxy=f"http://127.0.0.1:{proxy.port}")
    text = f"The proxy 127.0.0.1:{proxy.port} refused or could not reach {em.url}"
    assert_no_way(run, text, "Connection refused", option="proxy (QLIK_EM_PROXY)")


def test_a_bad_certificate_behind_a_proxy_is_named_as_what_it_is(tmp_path):
    with running(certificate="expired") as em, Proxy() as proxy:
        run = User(em).task(proxy=f"http://127.0.0.1:{proxy.port}")
        assert_no_way(run, f"The certificate of {em.url}", "has expired", option="Renew")
        assert len(proxy.requests) == 1


def test_a_proxy_that_trickles_holds_nobody_beyond_the_time_limit(user, em, time_limits):
    with Proxy(trickle=0.2) as proxy:
        run = user.task(proxy=f"http://127.0.0.1:{proxy.port}", connect_timeout=1, request_timeout=2)
    assert max(time_limits) <= 2
    assert_no_way(run, em.url, option="proxy")


class Silent(Wire):
    """Takes connections and says nothing."""

    def serve(self, connection):
        """Read until the other side leaves."""
        while connection.recv(65536):
            pass


@pytest.mark.parametrize("through_proxy", [False, True])
def test_a_silent_port_holds_nobody_beyond_the_time_limit(user, time_limits, through_proxy):
    with Silent() as silent:
        where = {"proxy": f"http://127.0.0.1:{silent.port}"} if through_proxy else {}
        url = user.em.url if through_proxy else f"https://localhost:{silent.port}"
        run = user.task(url=url, connect_timeout=1, request_timeout=2, **where)
    assert max(time_limits) <= 2
    assert_no_way(run, url, option="proxy" if through_proxy else "connect_timeout")
