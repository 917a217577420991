# Copyright (c) 2026, dataops.qlik_em contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Servers: their definition, their registration and its end, their licence."""

from __future__ import annotations

import datetime
import json
import time
from typing import Any

import pytest
from ansible_collections.dataops.qlik_em.tests.simulator import Handle, InputError
from ansible_collections.dataops.qlik_em.tests.simulator.tests.wire import PROD, Client, Reply, eventually

NEW = {
    "$type": "AemReplicateServer",
    "name": "Replicate-New",
    "description": "brand new",
    "host": "new.corp.example",
    "port": "443",
    "username": "em",
    "password": "secret",
    "verify_server_certificate": True,
    "monitored": True,
}


def put(client: Client, name: str = "Replicate-New", **members: Any) -> Reply:
    """PutServer with some members changed; one that is ... is left out."""
    body = {key: value for key, value in {**NEW, "name": name, **members}.items() if value is not ...}
    return client.send("PUT", f"/servers/{name.replace(' ', '%20')}/def", body)


def info(client: Client, name: str = "Replicate-New") -> dict[str, Any] | None:
    """The server's item in GetServerList."""
    listed = client.call("GET", "/servers").json["serverList"]
    return next((item for item in listed if item["name"] == name), None)


# GetServer and PutServer


def test_a_new_server(em: Handle, admin: Client) -> None:
    """It is there at once, with what was given; the product is decided by $type, whatever `type` says."""
    assert put(admin, type="COMPOSE").status == 200
    found = info(admin)
    assert found is not None
    assert (found["type"], found["host"], found["port"], found["state"]) == (
        "REPLICATE",
        "new.corp.example",
        "443",
        "MONITORED",
    )
    definition = admin.call("GET", "/servers/Replicate-New/def").json
    assert next(iter(definition)) == "$type"
    assert {key: definition[key] for key in NEW if key != "password"} == {
        key: NEW[key] for key in NEW if key != "password"
    }
    assert em.server("Replicate-New")["password"] == "secret"
    assert admin.call("GET", "/servers/Replicate-New/tasks").json == {"taskList": []}
    assert put(admin, "Compose-New", **{"$type": "AemComposeServer"}, type="REPLICATE").status == 200
    details = admin.call("GET", "/servers/Compose-New").json["server_details"]
    assert (details["type"], details["$type"]) == ("COMPOSE", "ComposeServerDetails")


def test_the_product_of_a_server_does_not_change(em: Handle, admin: Client) -> None:
    """Neither into Compose nor back; a Compose server stays the kind of Compose that it is."""
    before = em.server("Replicate-Prod")
    reply = put(admin, "Replicate-Prod", **{"$type": "AemComposeServer"})
    assert (reply.code, "product" in reply.json["error_message"]) == ("AEM_PUT_SERVER_INNER_ERR", True)
    assert em.server("Replicate-Prod") == before and not em.requests()[-1]["executed"]
    em.set_server("Compose-DW", type="COMPOSE_FDW")
    assert put(admin, "Compose-DW").code == "AEM_PUT_SERVER_INNER_ERR"
    assert put(admin, "Compose-DW", **{"$type": "AemComposeServer"}).status == 200
    assert em.server("Compose-DW")["type"] == "COMPOSE_FDW"


def test_a_read_modify_write_keeps_the_password(em: Handle, admin: Client) -> None:
    """The GUID means the stored one, any number of times, and never is the password itself."""
    for turn in ("once", "twice"):
        definition = admin.call("GET", f"{PROD}/def").json
        assert definition["password"] != "server-test-password"
        assert admin.send("PUT", f"{PROD}/def", {**definition, "description": turn}).status == 200
        assert em.server("Replicate-Prod")["description"] == turn
        assert em.server("Replicate-Prod")["password"] == "server-test-password"
    definition = admin.call("GET", f"{PROD}/def").json
    assert admin.send("PUT", f"{PROD}/def", {**definition, "password": "new one"}).status == 200
    assert em.server("Replicate-Prod")["password"] == "new one"


def test_a_guid_is_good_in_its_session_only(em: Handle, admin: Client) -> None:
    """Neither in another session, nor for another server, nor if nobody ever read it."""
    definition = admin.call("GET", f"{PROD}/def").json
    em.clear_requests()
    replies = [
        admin.send("PUT", "/servers/Replicate-Test/def", {**definition, "name": "Replicate-Test"}),
        admin.send("PUT", f"{PROD}/def", {**definition, "password": "00000000-0000-4000-8000-000000000000"}),
    ]
    with Client(em) as other:
        other.log_in("admin@corp.example", "admin-test-password")
        replies.append(other.send("PUT", f"{PROD}/def", definition))
        assert other.call("GET", f"{PROD}/def").json["password"] != definition["password"]
    admin.log_in("admin@corp.example", "admin-test-password")  # again is another session, too
    replies.append(admin.send("PUT", f"{PROD}/def", definition))
    assert [reply.code for reply in replies] == ["AEM_PUT_SERVER_INNER_ERR"] * 4
    assert not any(entry["executed"] for entry in em.requests() if entry["operation"] == "PutServer")
    assert em.server("Replicate-Prod")["password"] == "server-test-password"


@pytest.mark.parametrize(
    ("members", "code"),
    [
        ({"name": ...}, "AEM_INVALID_NAME"),
        ({"name": "Other"}, "AEM_INVALID_NAME"),
        ({"name": "replicate-new"}, "AEM_INVALID_NAME"),
        ({"name": 5}, "AEM_INVALID_NAME"),
        ({"description": "x" * 1001}, "AEM_INVALID_DESC"),
        ({"description": 1}, "AEM_INVALID_DESC"),
        ({"host": ...}, "AEM_INVALID_HOST"),
        ({"host": ""}, "AEM_INVALID_HOST"),
        ({"host": "https://x"}, "AEM_INVALID_HOST"),
        ({"host": "two words"}, "AEM_INVALID_HOST"),
        ({"username": ...}, "AEM_INVALID_USERNAME"),
        ({"username": " "}, "AEM_INVALID_USERNAME"),
        ({"$type": "AemTalendServer"}, "DESERIALIZE_TO_TYPE"),
        ({"$type": ...}, "DESERIALIZE_TO_TYPE"),
        ({"port": "http"}, "DESERIALIZE_TO_TYPE"),
        ({"port": 70000}, "DESERIALIZE_TO_TYPE"),
        ({"password": 1}, "DESERIALIZE_TO_TYPE"),
        ({"monitored": "yes"}, "DESERIALIZE_TO_TYPE"),
    ],
)
def test_bad_definitions(em: Handle, admin: Client, members: dict[str, Any], code: str) -> None:
    """Each has its code, and nothing is registered."""
    body = {key: value for key, value in {**NEW, **members}.items() if value is not ...}
    reply = admin.send("PUT", "/servers/Replicate-New/def", body)
    assert (reply.status, reply.code) == (500, code)
    assert info(admin) is None
    assert not any(entry["executed"] for entry in em.requests() if entry["operation"] == "PutServer")


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"null", b'"x"', b"\xff"])
def test_bodies_that_are_no_definition(admin: Client, body: bytes) -> None:
    """500 with JSON, whatever comes."""
    reply = admin.call("PUT", "/servers/Replicate-New/def", body)
    assert (reply.status, reply.code) == (500, "DESERIALIZE_TO_TYPE")


def test_the_type_comes_first(em: Handle, admin: Client) -> None:
    """As the vendor's clients take care to do; a lenient installation takes it anywhere."""
    body = {key: NEW[key] for key in sorted(NEW, reverse=True)}
    assert admin.send("PUT", "/servers/Replicate-New/def", body).code == "DESERIALIZE_TO_TYPE"
    em.set_variants(type_first=False)
    assert admin.send("PUT", "/servers/Replicate-New/def", body).status == 200


@pytest.mark.parametrize("port", [443, "443", 3552])
def test_ports_as_text_and_number(admin: Client, port: Any) -> None:
    """Clients send both; answers always have text."""
    assert put(admin, port=port).status == 200
    assert admin.call("GET", "/servers/Replicate-New/def").json["port"] == str(port)


def test_defaults_of_the_sdk(admin: Client) -> None:
    """What is left out or null: monitored, no check of the certificate, port 443."""
    assert put(admin, monitored=None, verify_server_certificate=..., port=..., description=None).status == 200
    found = admin.call("GET", "/servers/Replicate-New/def").json
    assert (found["monitored"], found["verify_server_certificate"], found["port"]) == (True, False, "443")


def test_a_new_server_needs_more_rights_than_an_old_one(em: Handle, client: Client) -> None:
    """Admin on all servers for a new one, on the server for one that is there."""
    document = {
        "users": [
            {"name": "one", "password": "p", "grants": [{"role": "Admin", "server": "Replicate-New"}]},
            {"name": "all", "password": "p", "grants": [{"role": "Admin", "all_servers": True}]},
        ]
    }
    em.reset(document)
    client.log_in("one", "p")
    assert put(client).code == "UNAUTHORIZED_REQUEST"
    client.log_in("all", "p")
    assert put(client).status == 200
    client.log_in("one", "p")
    assert put(client, description="mine").status == 200
    assert em.server("Replicate-New")["description"] == "mine"


def test_it_takes_a_while_to_be_monitored(em: Handle, admin: Client) -> None:
    """ERROR first, as polling clients know it; nothing can be done with it meanwhile."""
    em.set_variants(new_server={"connect_seconds": 0.4, "version": "2025.5.0.1"})
    assert put(admin).status == 200
    first = info(admin)
    assert first is not None
    assert (first["state"], first["message"]) == ("ERROR", "The server is not connected yet.")
    assert admin.call("GET", "/servers/Replicate-New/tasks").code == "AEM_SERVER_NOT_CONNECTED"
    eventually(lambda: info(admin)["state"] == "MONITORED", 3)  # type: ignore[index]
    assert (info(admin)["message"], info(admin)["version"]) == ("", "2025.5.0.1")  # type: ignore[index]
    em.set_server("Replicate-New", connect_seconds=0.2, connect_error="no route to host")
    put(admin)
    eventually(lambda: info(admin)["message"] == "no route to host", 3)  # type: ignore[index]
    em.set_server("Replicate-New", connect_error=None, connect_seconds=0)
    put(admin)
    assert info(admin)["state"] == "MONITORED"  # type: ignore[index]


@pytest.mark.parametrize(
    ("members", "state"),
    [({"password": ...}, "ERROR"), ({"password": ""}, "ERROR"), ({"monitored": False}, "NOT_MONITORED")],
)
def test_what_comes_of_it(admin: Client, members: dict[str, Any], state: str) -> None:
    """Without a password nobody gets in; without monitoring nothing is fetched."""
    assert put(admin, **members).status == 200
    assert info(admin)["state"] == state  # type: ignore[index]


def test_the_last_put_counts(em: Handle, admin: Client) -> None:
    """A connection that an older one began does not come up behind its back."""
    em.set_variants(new_server={"connect_seconds": 0.3})
    put(admin)
    put(admin, monitored=False)
    time.sleep(0.5)
    assert info(admin)["state"] == "NOT_MONITORED"  # type: ignore[index]


def test_a_put_that_the_server_refuses(em: Handle, admin: Client) -> None:
    """The message comes through."""
    em.set_server("Replicate-Prod", fail_put="not an administrator")
    reply = put(admin, "Replicate-Prod")
    assert (reply.status, reply.code) == (500, "AEM_PUT_SERVER_INNER_ERR")
    assert "not an administrator" in reply.json["error_message"]


def test_names_of_new_servers(em: Handle, admin: Client) -> None:
    """Encoded once or twice, "/" escaped or not: the body has the name."""
    for path, name in (
        ("A%20new%20one", "A new one"),
        ("Ein%2520neuer", "Ein neuer"),
        ("north/south", "north/south"),
        ("n%C3%B6rdlich%25", "nördlich%"),
    ):
        assert admin.send("PUT", f"/servers/{path}/def", {**NEW, "name": name}).status == 200, name
        assert em.server(name)["name"] == name
        assert admin.call("GET", f"/servers/{path}/def").json["name"] == name


# DeleteServer


def test_deleting(em: Handle, admin: Client) -> None:
    """Deleted with its tasks; added again, the tasks of that Replicate are back, but no ACL."""
    admin.send("PUT", f"{PROD}?action=acl", {"viewer_role": {"users": [{"name": "x"}]}})
    assert admin.call("DELETE", f"{PROD}/def").status == 200
    assert info(admin, "Replicate-Prod") is None
    assert admin.call("DELETE", f"{PROD}/def").code == "AEM_SERVER_NOT_FOUND"
    assert "Replicate-Prod" not in em.state()["servers"]
    assert put(admin, "Replicate-Again", host="replicate-prod.corp.example").status == 200
    listed = admin.call("GET", "/servers/Replicate-Again/tasks").json["taskList"]
    assert [task["name"] for task in listed][:2] == ["orders", "locked"]
    assert admin.call("GET", "/servers/Replicate-Again?action=acl").code == "AEM_SERVER_HAS_NO_ACL"


def test_deleting_that_fails(em: Handle, admin: Client) -> None:
    """The server stays."""
    em.set_server("Replicate-Prod", fail_delete=True)
    assert admin.call("DELETE", f"{PROD}/def").code == "AEM_DELETE_SERVER_INNER_ERR"
    assert info(admin, "Replicate-Prod") is not None


def test_what_was_to_come_does_not_come_to_a_deleted_server(em: Handle, admin: Client) -> None:
    """An import under way ends with the server."""
    em.set_server("Replicate-Prod", import_seconds=0.2)
    body = {
        "cmd.replication_definition": {
            "tasks": [{"task": {"name": "n", "source_name": "ERP", "target_names": ["Warehouse"]}}]
        }
    }
    assert admin.send("POST", f"{PROD}/tasks/n?action=import", body).status == 200
    admin.call("DELETE", f"{PROD}/def")
    put(admin, "Replicate-Prod", host="replicate-prod.corp.example")
    time.sleep(0.3)
    assert admin.call("GET", f"{PROD}/tasks/n").code == "AEM_TASK_NOT_FOUND"
    assert "n" not in em.server("Replicate-Prod")["tasks"]


# PutServerLicense


def details(client: Client, server: str = "Replicate-Unlicensed") -> dict[str, Any]:
    """The licence in GetServerDetails."""
    found: dict[str, Any] = client.call("GET", f"/servers/{server}").json["server_details"]["license"]
    return found


IN_A_YEAR = (datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(days=365)).date().isoformat()
TEXT = "\n".join(
    (
        "# Replicate licence",
        "license_type = ENTERPRISE",
        "issue_date=2026-01-01",
        f"expiration_date: {IN_A_YEAR}",
        "checksum=AB12-34",
        "",
    )
)
JSON = json.dumps({"cmd.license": {"issue_date": "2026-02-02", "expiration": IN_A_YEAR, "checksum": "AB"}})


@pytest.mark.parametrize("body", [TEXT, JSON])
def test_a_licence_makes_a_server_work_again(em: Handle, admin: Client, body: str) -> None:
    """Text or JSON; the details show the new dates, and methods work again."""
    tasks = "/servers/Replicate-Unlicensed/tasks"
    assert details(admin)["state"] == "EXPIRED_LICENSE"
    assert admin.call("GET", tasks).code == "AEM_SERVER_LICENSE_EXPIRED"
    assert admin.call("PUT", "/servers/Replicate-Unlicensed/license/def", body.encode()).status == 200
    found = details(admin)
    assert (found["state"], found["expiration"]) == ("VALID_LICENSE", IN_A_YEAR)
    assert 364 <= found["days_to_expiration"] <= 365
    assert admin.call("GET", tasks).status == 200
    assert em.requests()[-3]["body"] == body


def test_a_licence_that_is_over(admin: Client) -> None:
    """The server takes it, and stops working."""
    body = b"issue_date=2020-01-01\nexpiration_date=2021-01-01\nchecksum=1\n"
    assert admin.call("PUT", f"{PROD}/license/def", body).status == 200
    assert details(admin, "Replicate-Prod")["state"] == "EXPIRED_LICENSE"
    assert admin.call("GET", f"{PROD}/tasks").code == "AEM_SERVER_LICENSE_EXPIRED"


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"hello",
        b"{}",
        b"expiration_date=2099-01-01",
        b"expiration_date=soon\nchecksum=1",
        TEXT.replace("AB12", "INVALID").encode(),
    ],
)
def test_licences_that_are_none(em: Handle, admin: Client, body: bytes) -> None:
    """Refused with the reason; the old one stays."""
    before = details(admin, "Replicate-Prod")
    reply = admin.call("PUT", f"{PROD}/license/def", body, Content_Length=str(len(body)))
    assert (reply.status, reply.code) == (500, "AEM_PUT_SRV_LIC_INNER_ERR")
    assert details(admin, "Replicate-Prod") == before
    em.set_server("Replicate-Prod", fail_license="licence server is busy")
    reply = admin.call("PUT", f"{PROD}/license/def", TEXT.encode())
    assert "licence server is busy" in reply.json["error_message"]


def test_bad_settings_for_new_servers(em: Handle) -> None:
    """They are checked like every server of the document."""
    with pytest.raises(InputError, match="unknown member"):
        em.set_variants(new_server={"colour": "red"})
    with pytest.raises(InputError, match="void_body"):
        em.set_variants(void_body=1, type_first=False)
    assert em.state()["variants"]["type_first"] is True
