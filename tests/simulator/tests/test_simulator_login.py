# Copyright (c) 2026, dataops.qlik_em contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Login, sessions, Logout."""

from __future__ import annotations

import base64
import re
import time

import pytest
from ansible_collections.dataops.qlik_em.tests.simulator import Handle
from ansible_collections.dataops.qlik_em.tests.simulator.tests.wire import (
    SESSION,
    STOP,
    Client,
    basic,
    raw_request,
    tls_socket,
)


def test_login_answers_with_a_header_only(client: Client) -> None:
    """200, no body, text/html, the token of 22 URL-safe characters."""
    reply = client.log_in()
    assert (reply.status, reply.body) == (200, b"")
    assert re.fullmatch(r"[A-Za-z0-9_-]{22}", reply.headers[SESSION])
    assert reply.headers["Content-Length"] == "0"
    assert reply.headers["Content-Type"] == "text/html"
    assert reply.headers["Server"] == "Microsoft-HTTPAPI/2.0"
    assert reply.headers["Cache-Control"] == "no-cache, no-store"
    assert "Set-Cookie" not in reply.headers
    assert client.call("GET", "/servers").status == 200


@pytest.mark.parametrize(
    ("user", "password"),
    [
        ("operator@corp.example", "operator-test-password"),
        (r"CORP\operator", "operator-test-password"),
        (r"EMHOST\operator", "operator-test-password"),
        ("OPERATOR@corp.example", "operator-test-password"),
        ("api-token", "operator-test-api-token"),
        ("jwt", "operator.test.jwt"),
        ("jörg@corp.example", "pässwörd with blanks"),
    ],
)
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_ways_to_log_in(client: Client, method: str, user: str, password: str) -> None:
    """Every documented form, with both verbs, in UTF-8."""
    reply = client.call(method, "/login", Authorization=basic(user, password))
    assert reply.status == 200
    client.session = reply.headers[SESSION]
    assert client.call("GET", "/servers").status == 200


@pytest.mark.parametrize(
    "header",
    [
        "",
        "Basic",
        "Basic !!!",
        "Basic " + base64.b64encode(b"\xff\xfe:x").decode(),
        "Basic " + base64.b64encode(b"operator@corp.example").decode(),
        "Bearer operator-test-api-token",
        basic("operator@corp.example", "wrong"),
        basic("operator@corp.example", "OPERATOR-TEST-PASSWORD"),
        basic("operator@corp.example", "operator-test-password:more"),
        basic("nobody@corp.example", "operator-test-password"),
        basic("api-token", "operator-test-password"),
        basic("jwt", "operator-test-api-token"),
        "Basic " + base64.b64encode("jörg@corp.example:pässwörd with blanks".encode("latin-1")).decode(),
    ],
)
def test_refused_logins(em: Handle, client: Client, header: str) -> None:
    """401 with a challenge, and nothing to parse."""
    reply = client.call("GET", "/login", Authorization=header)
    assert (reply.status, reply.body) == (401, b"")
    assert reply.headers["WWW-Authenticate"] == "Basic"
    assert SESSION not in reply.headers
    assert em.summary()["failed_logins"] == 1
    assert em.summary()["open_sessions"] == 0


def test_login_without_authorization(client: Client) -> None:
    """Neither verb lets anybody in for nothing."""
    assert client.call("GET", "/login").status == 401
    assert client.call("POST", "/login").status == 401


def test_a_password_with_a_colon_can_not_be_used(em: Handle, client: Client) -> None:
    """Not even if it is the right one."""
    em.reset({"users": [{"name": "u", "password": "a:b"}]})
    assert client.log_in("u", "a:b").status == 401


def test_basic_with_a_colon_is_tolerated(client: Client) -> None:
    """One exporter in production writes it so."""
    header = basic("operator@corp.example", "operator-test-password").replace("Basic", "Basic:")
    assert client.call("GET", "/login", Authorization=header).status == 200


def test_saml_form(em: Handle, client: Client) -> None:
    """The 2021 SDK's SAML mode: the form decides, other members are ignored."""
    form = "application/x-www-form-urlencoded"
    right = b"RelayState=x&SAMLResponse=PHNhbWw%2Bb3BlcmF0b3I8L3NhbWw%2B"
    assert client.call("POST", "/login", right, Content_Type=form).status == 200
    assert client.call("POST", "/login", b"SAMLResponse=wrong", Content_Type=form).status == 401
    assert client.call("POST", "/login", b"SAMLResponse=", Content_Type=form).status == 401
    assert em.summary()["logins"] == 1


@pytest.mark.parametrize("name", [SESSION, SESSION.lower(), SESSION.upper(), "Enterprisemanager.apisessionid"])
def test_the_token_header_in_any_case(client: Client, name: str) -> None:
    """Header names have no case."""
    client.log_in()
    token, client.session = str(client.session), None
    assert client.call("GET", "/servers", **{name: token}).status == 200


@pytest.mark.parametrize("token", [None, "", "AAAAAAAAAAAAAAAAAAAAAA", "ü"])
def test_a_missing_or_unknown_token(client: Client, token: str | None) -> None:
    """440 and INVALID_SESSION_ID; Basic does not help after Login."""
    headers = {} if token is None else {SESSION: token}
    reply = client.call("GET", "/servers", Authorization=basic(r"CORP\operator", "operator-test-password"), **headers)
    assert reply.status == 440
    assert reply.json == {
        "error_code": "INVALID_SESSION_ID",
        "error_message": "The session has expired or the session ID is not valid.",
    }
    assert reply.headers["Content-Type"] == "application/json; charset=utf-8"


def test_logout(em: Handle, operator: Client) -> None:
    """200 and empty; the second time the session has ended."""
    reply = operator.call("GET", "/logout")
    assert (reply.status, reply.body, reply.headers["Content-Length"]) == (200, b"", "0")
    assert reply.headers["Content-Type"] == "text/html"
    assert operator.call("GET", "/logout").code == "INVALID_SESSION_ID"
    assert operator.call("GET", "/servers").status == 440
    assert (em.summary()["logouts"], em.summary()["open_sessions"]) == (1, 0)


def test_sessions_are_independent(em: Handle, operator: Client) -> None:
    """Ending one leaves the other."""
    first = operator.session
    operator.log_in()
    assert em.summary()["open_sessions"] == 2
    operator.call("GET", "/logout")
    operator.session = first
    assert operator.call("GET", "/servers").status == 200


def test_idle_sessions_die_and_use_renews_them(em: Handle, operator: Client) -> None:
    """The life slides: 300 seconds by default, here shortened."""
    em.set_options(session_idle_seconds=0.3)
    for _turn in range(3):
        time.sleep(0.15)
        assert operator.call("GET", "/servers").status == 200
    assert em.summary()["open_sessions"] == 1
    time.sleep(0.4)
    assert em.summary()["open_sessions"] == 0
    assert operator.call("GET", "/servers").code == "INVALID_SESSION_ID"


def test_the_default_life_is_five_minutes(em: Handle) -> None:
    """As the guide says."""
    em.reset({})
    assert em.state()["options"]["session_idle_seconds"] == 300


def test_a_waiting_call_keeps_its_session(em: Handle, operator: Client) -> None:
    """A stop that takes longer than the idle life does not lose the session under its own feet."""
    em.set_options(session_idle_seconds=0.4)
    em.set_task("Replicate-Prod", "orders", stop_seconds=0.6)
    assert operator.call("POST", "/servers/Replicate-Prod/tasks/orders?action=stop").status == 200
    assert operator.call("GET", "/servers").status == 200


def test_a_call_counts_from_its_beginning(em: Handle, operator: Client) -> None:
    """Not only when it is answered: another call meanwhile finds the session alive."""
    em.set_options(session_idle_seconds=0.5)
    em.set_task("Replicate-Prod", "orders", stop_seconds=1)
    time.sleep(0.3)
    line = f"{SESSION}: {operator.session}"
    with tls_socket(em) as waiting:
        waiting.sendall(raw_request("POST", STOP, line, "Content-Length: 0"))
        time.sleep(0.35)
        assert operator.call("GET", "/servers").status == 200


def test_expiring_all_sessions(em: Handle, operator: Client) -> None:
    """On demand, for tests of renewal."""
    assert em.expire_sessions() == 1
    assert operator.call("GET", "/servers").status == 440
