# Copyright (c) 2026, dataops.qlik_em contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Nothing is sent, changed, trusted or kept but what we say, whatever the HTTP library would do by itself.

What the surroundings of a run (.netrc, variables) may not decide is a matter of test_surroundings.py.
"""

from __future__ import annotations

import time

import pytest
from ansible_collections.dataops.qlik_em.plugins.module_utils._client import transport as _transport
from ansible_collections.dataops.qlik_em.plugins.module_utils._client.connection import Connection
from ansible_collections.dataops.qlik_em.plugins.module_utils._client.errors import TransportError
from ansible_collections.dataops.qlik_em.plugins.module_utils._client.transport import Transport

LONG = 30  # seconds
SIZE = 1024 * 1024  # bytes
ALWAYS = {"Host", "Accept", "Accept-Encoding", "User-Agent"}


@pytest.fixture
def transport(em):
    """One connection to the stand-in."""
    with Transport(Connection(em.url, None, None, ca_path=em.ca_path)) as opened:
        yield opened


def test_these_headers_are_sent_and_no_others(user, em):
    em.set_task("Replicate-Prod", "orders", stop_seconds=0)
    run = user.task(diff=True)
    assert run.changed and not run.failed
    assert [(request["operation"], set(request["headers"]) - ALWAYS) for request in run.requests] == [
        ("Login", {"Authorization", "Content-Length"}),
        ("GetTaskDetails", {"EnterpriseManager.APISessionID"}),
        ("StopTask", {"EnterpriseManager.APISessionID", "Content-Length"}),
        ("Logout", {"EnterpriseManager.APISessionID"}),
    ]
    for request in run.requests:
        assert set(request["headers"]) >= ALWAYS
        assert request["headers"]["Accept-Encoding"] == "identity"
        assert request["headers"]["User-Agent"] == "dataops.qlik_em"


@pytest.mark.parametrize("verb", ["POST", "PUT", "DELETE"])
def test_a_request_without_a_body_says_so(em, transport, verb):
    transport.send(verb, f"{em.url}/nowhere", {}, None, time.monotonic() + LONG, SIZE)
    assert em.requests()[-1]["headers"]["Content-Length"] == "0"


@pytest.mark.parametrize(
    "path",
    [
        "/%2E%2E/above",
        "/%2E/here",
        "/a/../b/./c",
        "/%7Euser/~user",
        "/%41%2D%5F",
        "/100%25/%2520",
        "/a%2Fb%3Fc%23d",
        "/Auftr%C3%A4ge",
        "/a;b=c,d:@&=+$!*'()",
        "/x?a=%2E&b=%7E+c%20d&c=",
    ],
)
def test_the_url_is_sent_as_it_is(em, transport, path):
    transport.send("GET", em.url + path, {}, None, time.monotonic() + LONG, SIZE)
    assert em.requests()[-1]["raw_path"] == path


def test_no_cookie_is_sent_back(user, em):
    cookie = {"Set-Cookie": "ARRAffinity=somewhere; Path=/; Secure"}
    em.faults([{"match": {"operation": "GetTaskDetails"}, "fault": "status", "status": 503, "headers": cookie}])
    run = user.task(state="started")
    assert not run.failed and run.operations == ["Login", "GetTaskDetails", "GetTaskDetails", "Logout"]
    assert {request["connection"] for request in run.requests} == {run.requests[0]["connection"]}
    assert [request["headers"].get("Cookie") for request in run.requests] == [None] * 4


@pytest.mark.parametrize("kind", ["text/html; charset", "application/json; charset=nonsense", ";;;=", "\xe4"])
def test_an_odd_content_type_does_no_harm(user, em, kind):
    fault = {"fault": "status", "status": 404, "headers": {"Content-Type": kind}, "body": "Nothing here"}
    em.faults([{"match": {"operation": "StopTask"}, **fault, "work": False}])
    run = user.task(timeout=1)
    assert run.failed and 'answered HTTP 404 with something other than an API response: "Nothing here"' in run.msg


def test_the_cas_that_come_with_requests_are_not_trusted(user, em, monkeypatch):
    monkeypatch.setattr("requests.adapters.DEFAULT_CA_BUNDLE_PATH", em.ca_path)
    run = user.task(ca_path=None)
    assert run.failed and "was issued by an unknown CA" in run.msg


def test_a_request_whose_time_is_over_is_not_sent(em, transport):
    with pytest.raises(TransportError) as failure:
        transport.send("GET", f"{em.url}/x", {}, None, time.monotonic() - 1, SIZE)
    assert not failure.value.sent and str(failure.value) == f"No connection to {em.url} in time."
    assert em.requests() == []


def test_after_an_end_by_force_the_connections_are_opened_anew(em, transport, monkeypatch):
    """A loop uses them for its next item, also after the `timeout:` of one."""

    def strike(*_arguments):
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(_transport, "_read", strike)
        with pytest.raises(KeyboardInterrupt):
            transport.send("GET", f"{em.url}/a", {}, None, time.monotonic() + LONG, SIZE)
    for _number in range(2):
        assert transport.send("GET", f"{em.url}/a", {}, None, time.monotonic() + LONG, SIZE).status
