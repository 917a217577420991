# Copyright (c) 2026, dataops.qlik_em contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Endpoints: list, patch, reconfigure, delete, test."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.dataops.qlik_em.tests.simulator import Handle, InputError
from ansible_collections.dataops.qlik_em.tests.simulator.tests.wire import (
    ORDERS,
    PROD,
    Client,
    Clock,
    endpoint_path,
    eventually,
    task_path,
)

ERP = f"{PROD}/endpoints/ERP"


def settings(em: Handle, name: str = "ERP") -> dict[str, Any]:
    """The stored settings."""
    found: dict[str, Any] = em.endpoint("Replicate-Prod", name)["db_settings"]
    return found


def test_the_list(admin: Client) -> None:
    """Those of the document, and those that its tasks use without describing them."""
    reply = admin.call("GET", f"{PROD}/endpoints")
    listed = {item["name"]: item for item in reply.json["endpointList"]}
    assert list(reply.json) == ["endpointList"]
    assert list(listed) == ["ERP", "ERP standby", "Warehouse", "Down & out", "Source", "Target"]
    assert listed["ERP"] == {
        "name": "ERP",
        "description": "The database of the shop",
        "role": "SOURCE",
        "type": "ORACLE",
        "is_licensed": True,
    }
    assert (listed["Source"]["role"], listed["Target"]["role"], listed["Target"]["type"]) == (
        "SOURCE",
        "TARGET",
        "SNOWFLAKE",
    )


def test_an_endpoint_that_is_source_and_target(em: Handle, admin: Client) -> None:
    """BOTH, if the document does not say otherwise."""
    tasks = [
        {
            "name": "a",
            "source_endpoint": {"name": "x", "type": "File"},
            "target_endpoint": {"name": "y", "type": "File"},
        },
        {
            "name": "b",
            "source_endpoint": {"name": "y", "type": "File"},
            "target_endpoint": {"name": "z", "type": "Null Target"},
        },
    ]
    users = [{"name": "u", "password": "p", "grants": [{"role": "Admin"}]}]
    em.reset(
        {"users": users, "servers": [{"name": "s", "tasks": tasks, "endpoints": [{"name": "z", "role": "SOURCE"}]}]}
    )
    admin.log_in("u", "p")
    listed = admin.call("GET", "/servers/s/endpoints").json["endpointList"]
    assert {item["name"]: item["role"] for item in listed} == {"x": "SOURCE", "y": "BOTH", "z": "SOURCE"}


# PatchEndpoint


def test_a_patch(em: Handle, admin: Client) -> None:
    """add also overwrites; the operations are done in their order; the answer is empty."""
    reply = admin.send(
        "PATCH",
        ERP,
        [
            {"op": "test", "path": "/db_settings/$type", "value": "OracleSettings"},
            {"op": "add", "path": "/db_settings/username", "value": "other"},
            {"op": "add", "path": "/db_settings/fresh", "value": {"a": [1]}},
            {"op": "replace", "path": "/db_settings/fresh/a/0", "value": 2},
            {"op": "remove", "path": "/db_settings/archived_logs_only"},
            {"op": "replace", "path": "/db_settings/password", "value": "new-secret"},
        ],
    )
    assert (reply.status, reply.body) == (200, b"")
    assert settings(em) == {
        "$type": "OracleSettings",
        "server": "erp.corp.example:1521/ERP",
        "username": "other",
        "password": "new-secret",
        "fresh": {"a": [2]},
    }
    assert em.endpoint("Replicate-Prod", "ERP")["patches"] == 1


@pytest.mark.parametrize(
    "step",
    [
        {"op": "replace", "path": "/db_settings/nothing", "value": 1},
        {"op": "remove", "path": "/db_settings/nothing"},
        {"op": "test", "path": "/db_settings/username", "value": "somebody"},
        {"op": "move", "from": "/db_settings/server", "path": "/db_settings/x"},
        {"op": "copy", "from": "/db_settings/server", "path": "/db_settings/x"},
        {"op": "add", "path": "/db_settings/x"},
        {"op": "add", "path": "/name", "value": "x"},
        {"op": "replace", "path": "/db_settings", "value": {}},
        {"op": "replace", "path": "/db_settings/$type", "value": "FileSettings"},
        {"op": "remove", "path": "/db_settings/connectioninfo/$type"},
        {"op": "add", "path": "db_settings/x", "value": 1},
        {"op": "add", "path": 1, "value": 1},
        {"op": ["add"], "path": "/db_settings/x", "value": 1},
        {"path": "/db_settings/x", "value": 1},
        {"op": "add", "path": "/db_settings/username/deep", "value": 1},
        "add",
    ],
)
def test_patches_that_are_refused(em: Handle, admin: Client, step: Any) -> None:
    """And with them all that came before: a patch is done as a whole or not at all."""
    before = settings(em)
    patch = [{"op": "add", "path": "/db_settings/username", "value": "changed"}, step]
    reply = admin.send("PATCH", ERP, patch)
    assert (reply.status, reply.code) == (500, "AEM_PATCH_ENDPOINT_INNER_ERR")
    assert settings(em) == before
    assert not em.requests()[-1]["executed"]


@pytest.mark.parametrize("body", [b"", b"{", b"\xff"])
def test_bodies_that_are_no_json(admin: Client, body: bytes) -> None:
    """500 with JSON."""
    reply = admin.call("PATCH", ERP, body, Content_Length=str(len(body)))
    assert (reply.status, reply.code) == (500, "DESERIALIZE_TO_TYPE")


@pytest.mark.parametrize("value", [{"op": "add", "path": "/db_settings/x", "value": 1}, "[]", 5])
def test_json_that_is_no_patch(admin: Client, value: Any) -> None:
    """A list is wanted."""
    assert admin.send("PATCH", ERP, value).code == "AEM_PATCH_ENDPOINT_INNER_ERR"


def test_a_patch_that_the_server_refuses(em: Handle, admin: Client) -> None:
    """As configured."""
    em.set_endpoint("Replicate-Prod", "ERP", fail_patch=True)
    assert admin.send("PATCH", ERP, []).code == "AEM_PATCH_ENDPOINT_INNER_ERR"


# DeleteEndpoint


@pytest.mark.parametrize("verb", ["POST", "DELETE"])
def test_deleting(em: Handle, admin: Client, verb: str) -> None:
    """By both verbs; one in use stays, and the tasks are named."""
    refused = admin.call(verb, f"{ERP}?action=delete", Content_Length="0")
    assert (refused.status, refused.code) == (500, "AEM_ENDPOINT_IS_IN_USE")
    assert "orders" in refused.json["error_message"]
    path = endpoint_path("Replicate-Prod", "Down & out")
    admin.send("PUT", f"{path}?action=acl", {})
    assert admin.call(verb, f"{path}?action=delete", Content_Length="0").status == 200
    assert "Down & out" not in em.server("Replicate-Prod")["endpoints"]
    assert em.server("Replicate-Prod")["acls"] == {}
    assert admin.call(verb, f"{path}?action=delete", Content_Length="0").code == "AEM_ENDPOINT_NOT_FOUND"


def test_a_refusal_does_not_name_hundreds_of_tasks(em: Handle, admin: Client) -> None:
    """A few, and that there are more."""
    message = admin.call("POST", f"{PROD}/endpoints/Source?action=delete", b"").json["error_message"]
    assert "locked" in message
    em.set_endpoint("Replicate-Prod", "Down & out", fail_delete=True)
    path = endpoint_path("Replicate-Prod", "Down & out")
    assert admin.call("POST", f"{path}?action=delete", b"").code == "AEM_DELETE_ENDPOINT_INNER_ERR"


# TestEndpoint


def test_a_connection_that_works(em: Handle, admin: Client) -> None:
    """CONNECTED, and no messages."""
    reply = admin.call("GET", f"{ERP}?action=test&timeout=30")
    assert reply.json == {"status": "CONNECTED", "message": "", "detailed_message": ""}
    assert em.endpoint("Replicate-Prod", "ERP")["tests"] == 1


def test_a_connection_that_does_not(em: Handle, admin: Client) -> None:
    """An answer like any other, in each of the spellings."""
    path = f"{endpoint_path('Replicate-Prod', 'Down & out')}?action=test"
    details = "could not translate host name nowhere.corp.example to address"
    expected = {
        "sdk": {"status": "ERROR", "message": "Cannot connect to the server.", "detailed_message": details},
        "guide_table": {"state": "ERROR", "error_message": "Cannot connect to the server."},
        "guide_template": {
            "requeststate": "ERROR",
            "message": "Cannot connect to the server.",
            "detailed_message": details,
        },
    }
    for spelling, answer in expected.items():
        em.set_variants(endpoint_test_keys=spelling)
        reply = admin.call("GET", path)
        assert (reply.status, reply.json) == (200, answer)


def test_a_slow_connection(em: Handle, admin: Client) -> None:
    """Waits, or gives up after the timeout."""
    em.set_endpoint("Replicate-Prod", "ERP", test_seconds=0.4)
    assert admin.call("GET", f"{ERP}?action=test&timeout=60").json["status"] == "CONNECTED"
    assert em.requests()[-1]["seconds"] >= 0.4
    em.set_endpoint("Replicate-Prod", "ERP", test_seconds=600)  # the client has less patience
    reply = admin.call("GET", f"{ERP}?action=test&timeout=0")
    assert (reply.status, reply.code) == (500, "AEM_TEST_ENDPOINT_CONNECTION_TIMEOUT")
    assert admin.call("GET", f"{ERP}?action=test&timeout=soon").code == "DESERIALIZE_TO_TYPE"


def test_a_reset_ends_a_test_that_waits(em: Handle, admin: Client) -> None:
    """Its client gets no answer, and nobody waits for a minute."""
    em.set_endpoint("Replicate-Prod", "ERP", test_seconds=30)
    admin.connection.putrequest("GET", f"/attunityenterprisemanager/api/v1{ERP}?action=test")
    admin.connection.putheader("EnterpriseManager.APISessionID", str(admin.session))
    admin.connection.endheaders()
    eventually(lambda: em.summary()["under_way"] == 1)
    em.reset()
    eventually(lambda: em.summary()["under_way"] == 0, 2)


# ReconfigureEndpointNoWait


def reconfigure(client: Client, name: str = "ERP", origin: str = "ERP%20standby", query: str = "") -> Any:
    """The method."""
    path = f"{endpoint_path('Replicate-Prod', name)}?action=reconfigure&configuration={origin}{query}"
    return client.send("PUT", path)


def test_reconfiguring_recycles_the_tasks(clock: Clock, em: Handle, admin: Client) -> None:
    """It answers before anything is done; then the tasks stop and run again, and the settings are the other one's."""
    em.set_endpoint("Replicate-Prod", "ERP", reconfigure_seconds=200)
    em.set_task("Replicate-Prod", "orders", stop_seconds=100, start_seconds=100)
    assert reconfigure(admin).status == 200
    assert settings(em)["password"] == "erp-test-password"
    assert admin.state(ORDERS) == "STOPPING"
    clock.ahead = 100
    assert admin.state(ORDERS) == "STARTING"
    clock.ahead = 200
    assert admin.state(ORDERS) == "RUNNING"
    assert settings(em)["server"] == "standby.corp.example:1521/ERP"
    assert admin.state(task_path("Replicate-Prod", "locked")) == "RUNNING"
    em.set_options(show_transient=False)
    reconfigure(admin)
    assert admin.state(ORDERS) == "RUNNING"


@pytest.mark.parametrize("flag", ["false", "False"])
def test_reconfiguring_for_later(em: Handle, admin: Client, flag: str) -> None:
    """Without recycling the tasks go on."""
    assert reconfigure(admin, query=f"&recycle={flag}").status == 200
    assert settings(em) == settings(em, "ERP standby")
    assert admin.state(ORDERS) == "RUNNING"


@pytest.mark.parametrize("origin", ["ERP%20standby", "ERP%2520standby", "ERP+standby"])
def test_the_name_to_copy_from(em: Handle, admin: Client, origin: str) -> None:
    """Encoded once or twice."""
    assert reconfigure(admin, origin=origin, query="&recycle=false").status == 200
    assert settings(em) == settings(em, "ERP standby")


@pytest.mark.parametrize(
    ("name", "origin", "code"),
    [
        ("ERP", "nothing", "AEM_ENDPOINT_NOT_FOUND"),
        ("ERP", "", "AEM_ENDPOINT_NOT_FOUND"),
        ("ERP", "None", "AEM_ENDPOINT_NOT_FOUND"),
        ("ERP", "Warehouse", "AEM_RECONFIGURE_ENDPOINT_INNER_ERR"),
        ("Warehouse", "Warehouse", "AEM_RECONFIGURE_ENDPOINT_INNER_ERR"),
    ],
)
def test_reconfiguring_that_is_refused(em: Handle, admin: Client, name: str, origin: str, code: str) -> None:
    """Oracle sources only, and there must be one to copy from."""
    before = em.state()
    assert reconfigure(admin, name, origin).code == code
    assert em.state() == before


# Names and settings


@pytest.mark.parametrize("name", ["a/b", "x & y %", "ß #1?", "tasks", "endpoints"])
def test_awkward_names(em: Handle, admin: Client, name: str) -> None:
    """Encoded once or twice, "/" escaped or not, a slash before the query or not."""
    from urllib.parse import quote

    users = [{"name": "u", "password": "p", "grants": [{"role": "Admin"}]}]
    em.reset({"users": users, "servers": [{"name": "s", "endpoints": [{"name": name}]}]})
    admin.log_in("u", "p")
    once = quote(name, safe="")
    for part in (once, quote(once), quote(name), quote(quote(name))):
        for slash in ("", "/"):
            reply = admin.call("GET", f"/servers/s/endpoints/{part}{slash}?action=test")
            assert reply.json["status"] == "CONNECTED", part
            assert em.requests()[-1]["endpoint"] == name


def test_bad_settings(em: Handle) -> None:
    """Checked like every other."""
    with pytest.raises(InputError, match="there is no endpoint"):
        em.set_endpoint("Replicate-Prod", "nothing", role="BOTH")
    with pytest.raises(InputError, match="CONNECTED"):
        em.set_endpoint("Replicate-Prod", "ERP", test_status="OK")
    with pytest.raises(InputError, match="twice"):
        em.reset({"servers": [{"name": "s", "endpoints": [{"name": "e"}, {"name": "e"}]}]})
