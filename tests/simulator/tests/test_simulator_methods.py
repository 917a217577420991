# Copyright (c) 2026, dataops.qlik_em contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""All methods alike: how they are routed, who may call them, on what; the record, the audit trail and the faults."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
import yaml
from ansible_collections.dataops.qlik_em.tests.simulator import Handle
from ansible_collections.dataops.qlik_em.tests.simulator.document import DEFAULT_DOCUMENT
from ansible_collections.dataops.qlik_em.tests.simulator.tests.methods import LOGIN_METHODS, METHODS, Method
from ansible_collections.dataops.qlik_em.tests.simulator.tests.wire import (
    SESSION,
    Client,
    Reply,
    basic,
    raw,
    raw_request,
)

IDS = [f"{method.name}-{method.verb}" for method in METHODS]
WRITES = [method for method in METHODS if method.verb != "GET"]
# Names that the guide counts; LoginPost and DeleteEndpointDelete are the same methods by another verb.
COUNT = 48


def data(method: Method) -> bytes:
    """The body on the wire."""
    if isinstance(method.body, bytes):
        return method.body
    return b"" if method.body is None else json.dumps(method.body).encode()


def ask(client: Client, method: Method, path: str | None = None) -> Reply:
    """Call the method as the guide says."""
    body = data(method)
    headers = {} if method.verb == "GET" else {"Content-Length": str(len(body))}
    return client.call(method.verb, path or method.path, body or None, **headers)


def prepare(em: Handle, method: Method) -> None:
    """An ACL that is to be read or deleted must be there; a stop shall be quick."""
    em.set_task("Replicate-Prod", "orders", stop_seconds=0)
    if method.name.endswith("Acl") and method.verb != "PUT":
        with Client(em) as client:
            client.log_in("admin@corp.example", "admin-test-password")
            put = next(item for item in METHODS if item.name == f"Put{method.name.removeprefix(method.verb.title())}")
            assert ask(client, put).status == 200


def reset(em: Handle, grants: tuple[dict[str, Any], ...]) -> None:
    """The default document, and a user with these grants."""
    document = yaml.safe_load(DEFAULT_DOCUMENT.read_text(encoding="utf-8"))
    document["users"].append({"name": "u", "password": "p", "grants": list(grants)})
    em.reset(document)


def test_the_table_is_whole() -> None:
    """As many methods as the guide has."""
    assert len({method.name for method in METHODS} | {name for name, _verb, _path in LOGIN_METHODS}) == COUNT


@pytest.mark.parametrize("method", METHODS, ids=IDS)
def test_every_method_is_there(em: Handle, admin: Client, method: Method) -> None:
    """Routed by its verb and path, done, and on record as done."""
    prepare(em, method)
    reply = ask(admin, method)
    entry = em.requests()[-1]
    assert (reply.status, entry["operation"], entry["executed"]) == (200, method.name, True), reply.body
    assert entry["server"] == (None if "/servers/" not in method.path else "Replicate-Prod")


@pytest.mark.parametrize(("name", "verb", "path"), LOGIN_METHODS)
def test_login_and_logout_are_there(em: Handle, operator: Client, name: str, verb: str, path: str) -> None:
    """By each verb."""
    body = b"" if verb == "POST" else None
    reply = operator.call(verb, path, body, Authorization=basic(str(em.username), str(em.password)))
    assert (reply.status, em.requests()[-1]["operation"]) == (200, name)


def address(method: Method) -> tuple[str, str]:
    """The kind of path, and the action."""
    path, _mark, query = method.path.partition("?")
    action = re.search(r"action=(\w+)", query)
    return re.sub(r"(tasks|endpoints)/[^/]+", r"\1/x", path), action[1].lower() if action else ""


@pytest.mark.parametrize("method", METHODS, ids=IDS)
def test_other_verbs_are_not_there(em: Handle, admin: Client, method: Method) -> None:
    """404 without JSON for every verb that no method of this path and action has."""
    known = {item.verb for item in METHODS if address(item) == address(method)}
    for verb in {"GET", "POST", "PUT", "DELETE", "PATCH"} - known:
        reply = admin.call(verb, method.path, Content_Length="0")
        assert (reply.status, em.requests()[-1]["operation"]) == (404, None), verb
        assert not reply.headers["Content-Type"].startswith("application/json")


@pytest.mark.parametrize("method", METHODS, ids=IDS)
def test_the_least_role_is_enough(em: Handle, client: Client, method: Method) -> None:
    """Exactly what the guide asks for, on exactly that object."""
    reset(em, method.grants)
    prepare(em, method)
    client.log_in("u", "p")
    assert ask(client, method).status == 200


@pytest.mark.parametrize("method", METHODS, ids=IDS)
@pytest.mark.parametrize("status", [403, 401])
def test_less_is_not_enough(em: Handle, client: Client, method: Method, status: int) -> None:
    """One role lower, or one of two grants missing, is refused, nothing is done, and nothing is shown."""
    lower = {"Operator": "Viewer", "Designer": "Operator", "Admin": "Designer"}
    weaker = [
        tuple({**grant, "role": lower[grant["role"]]} if grant is weak else grant for grant in method.grants)
        for weak in method.grants
        if weak["role"] != "Viewer"
    ]
    for grants in (*weaker, ()):
        reset(em, grants)
        em.set_variants(unauthorized_status=status)
        prepare(em, method)
        before = em.state()
        client.log_in("u", "p")
        reply = ask(client, method)
        expected = 401 if method.name == "ExportAuditTrail" else status
        assert (reply.status, reply.code) == (expected, "UNAUTHORIZED_REQUEST"), grants
        assert em.state() == before
        assert em.requests()[-1]["executed"] is False


@pytest.mark.parametrize("method", METHODS, ids=IDS)
def test_methods_of_replicate_only(em: Handle, admin: Client, method: Method) -> None:
    """On a Compose server they have a code of their own (assumption)."""
    path = method.path.replace("/servers/Replicate-Prod", "/servers/Compose-DW")
    reply = ask(admin, method, path)
    assert (reply.status != 200 and reply.code == "AEM_METHOD_NOT_SUPPORTED_VERSION") is not method.on_compose
    assert method.on_compose or not em.requests()[-1]["executed"]


@pytest.mark.parametrize("method", [item for item in METHODS if "/servers/" in item.path])
def test_servers_that_can_not_be_worked_with(em: Handle, admin: Client, method: Method) -> None:
    """Definition and ACLs of a server work in every state, a licence makes one work again, the rest fails."""
    prepare(em, method)
    always = method.name in ("GetServerDetails", "GetServer", "PutServer", "DeleteServer") or "Acl" in method.name
    em.set_server("Replicate-Prod", license={"state": "EXPIRED_LICENSE"})
    if not always and method.name != "PutServerLicense":
        assert ask(admin, method).code == "AEM_SERVER_LICENSE_EXPIRED"
    for state, code in (("ERROR", "AEM_SERVER_NOT_CONNECTED"), ("NOT_MONITORED", "AEM_SERVER_NOT_MONITORED")):
        em.set_server("Replicate-Prod", state=state)
        if not always:
            assert ask(admin, method).code == code
    assert not any(entry["executed"] for entry in em.requests() if entry["operation"] == method.name)
    if not always:
        em.set_server("Replicate-Prod", state="MONITORED", license={})
    assert ask(admin, method).status == 200


@pytest.mark.parametrize("method", [item for item in METHODS if "/servers/" in item.path and item.name != "PutServer"])
def test_unknown_servers_tasks_and_endpoints(em: Handle, admin: Client, method: Method) -> None:
    """500 with the code for each."""
    path = method.path.replace("Replicate-Prod", "Nowhere")
    assert ask(admin, method, path).code == "AEM_SERVER_NOT_FOUND"
    below = re.search(r"(tasks|endpoints)/[^/?]+", method.path)
    if below and method.name != "ImportTask":
        reply = ask(admin, method, method.path.replace(below[0], f"{below[1]}/nothing"))
        assert (reply.status, reply.code) == (500, f"AEM_{below[1][:-1].upper()}_NOT_FOUND")
        assert "nothing" in reply.json["error_message"]


@pytest.mark.parametrize("method", WRITES, ids=[f"{method.name}-{method.verb}" for method in WRITES])
def test_writes_need_a_length_but_delete_does_not(em: Handle, admin: Client, method: Method) -> None:
    """Both SDKs send DELETE without; http.sys wants it of POST and PUT."""
    prepare(em, method)
    answer = raw(em, raw_request(method.verb, method.path, f"{SESSION}: {admin.session}"))
    if method.verb == "DELETE":
        assert answer.startswith(b"HTTP/1.1 200 ")
    elif method.verb == "PATCH":
        assert answer.startswith(b"HTTP/1.1 500 ")  # an empty patch is none
    else:
        assert answer.startswith(b"HTTP/1.1 411 ")
        assert not em.requests()[-1]["executed"]


VOID = [method for method in WRITES if method.name not in ("RunTask", "StopTask")]


@pytest.mark.parametrize("method", VOID, ids=[f"{method.name}-{method.verb}" for method in VOID])
@pytest.mark.parametrize("body", [None, '{"state":"STOPPED","error_message":""}'])
def test_void_answers(em: Handle, admin: Client, method: Method, body: str | None) -> None:
    """No body and the length 0, or what the installation is set to send."""
    em.set_variants(void_body=body)
    prepare(em, method)
    reply = ask(admin, method)
    assert (reply.body.decode(), reply.headers["Content-Length"]) == (body or "", str(len(body or "")))


def test_numbers_with_a_fraction(em: Handle, admin: Client) -> None:
    """Numbers change their spelling, not what they are."""
    plain = admin.call("GET", "/servers/Replicate-Prod/tasks/orders")
    em.set_variants(fractions=True)
    reply = admin.call("GET", "/servers/Replicate-Prod/tasks/orders")
    assert reply.json == plain.json
    assert b'"memory_mb":212.0,' in reply.body and b'"memory_mb":212,' in plain.body


@pytest.mark.parametrize("method", METHODS, ids=IDS)
def test_faults_reach_every_method(em: Handle, admin: Client, method: Method) -> None:
    """By the method's name; an answer that is lost means that the work is done."""
    prepare(em, method)
    before = em.state()
    em.faults([{"match": {"operation": method.name}, "fault": "status", "status": 503}])
    assert ask(admin, method).status == 503
    assert em.state() == before
    em.faults([{"match": {"operation": method.name}, "fault": "html"}])
    assert ask(admin, method).body.startswith(b"<html>")
    assert [entry["executed"] for entry in em.requests() if entry["operation"] == method.name][-2:] == [False, True]


def test_faults_by_endpoint(em: Handle, admin: Client) -> None:
    """As by server and task."""
    em.faults([{"match": {"endpoint": "ERP"}, "nth": "all", "fault": "error", "error_code": "X"}])
    codes = [
        admin.call("GET", f"/servers/Replicate-Prod/endpoints/{name}?action=test").status for name in ("ERP", "Source")
    ]
    assert codes == [500, 200]
    assert [entry["endpoint"] for entry in em.requests()[-2:]] == ["ERP", "Source"]


@pytest.mark.parametrize("method", WRITES, ids=[f"{method.name}-{method.verb}" for method in WRITES])
def test_changes_are_audited(em: Handle, admin: Client, method: Method) -> None:
    """Who did what to which object; a refused one is not in it."""
    prepare(em, method)
    admin.call("POST", "/servers/Replicate-Prod/tasks/nothing?action=stop", b"")
    count = len(em.audit())
    ask(admin, method)
    records = em.audit()[count:]
    assert [(item["request"], item["user"]) for item in records] == [(f"Aem{method.name}", "admin")]
