# Copyright (c) 2026, dataops.qlik_em contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Definitions: the export of one task and of everything, and the way there and back."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from ansible_collections.dataops.qlik_em.tests.simulator import Handle
from ansible_collections.dataops.qlik_em.tests.simulator.tests.documents import BODY, EMPTY, compared, export, send
from ansible_collections.dataops.qlik_em.tests.simulator.tests.wire import ORDERS, PROD, Client

# Export


def test_an_export(em: Handle, admin: Client) -> None:
    """Built, stamped and indented as Replicate does."""
    reply = admin.call("GET", f"{ORDERS}?action=export")
    assert reply.headers["Content-Type"] == "application/json; charset=utf-8"
    assert reply.body.startswith(b'{\n\t"name": "orders__')
    document = reply.json
    assert re.fullmatch(r"orders__\d{4}-\d\d-\d\d--\d\d-\d\d-\d\d-\d{6}", document["name"])
    assert document["_version"] == {
        "version": "2021.5.0.745",
        "version_major": 2021,
        "version_minor": 5,
        "version_revision": 745,
    }
    assert re.fullmatch(r"Host name: replicate-prod.corp.example, Time: \d{4}-.*", document["description"])
    (item,) = document[BODY]["tasks"]
    assert "databases" not in document[BODY]
    assert item["task"]["source_name"] == "ERP"
    assert item["task"]["target_names"] == ["Warehouse"]
    assert {"owner": "SALES", "name": "ORDERS"} in item["source"]["source_tables"]["explicit_included_tables"]
    assert item["loggers"] == {}  # empty objects stay
    assert list(item["task_settings"]["common_settings"]) == ["task_uuid"]  # defaults are left out
    again = admin.call("GET", f"{ORDERS}?action=export").json
    assert again["name"] != document["name"]
    assert compared(again) == compared(document)


@pytest.mark.parametrize("spelling", ["true", "True", "TRUE"])
def test_an_export_with_endpoints(admin: Client, spelling: str) -> None:
    """The endpoints that the task uses and no others, passwords in braces."""
    document = export(admin, query=f"&withendpoints={spelling}")
    assert [item["name"] for item in document[BODY]["databases"]] == ["ERP", "Warehouse"]
    erp = document[BODY]["databases"][0]
    assert (erp["role"], erp["type_id"], erp["is_licensed"]) == ("SOURCE", "ORACLE_COMPONENT_TYPE", True)
    assert next(iter(erp["db_settings"])) == "$type"
    assert re.fullmatch(r"\{[A-Za-z0-9+/=]+\}", erp["db_settings"]["password"])
    assert erp["db_settings"]["username"] == "replicate"
    assert erp["override_properties"] == {}
    assert "erp-test-password" not in json.dumps(document)


def test_a_log_stream(em: Handle, admin: Client) -> None:
    """A task that stages has its own type; who reads from it has a source endpoint that names it."""
    staging = {"name": "staging", "target_endpoint": {"name": "Stage", "type": "Log Stream"}}
    reader = {"name": "reader", "source_endpoint": {"name": "Staged", "type": "Oracle"}}
    settings = {"$type": "OracleSettings", "logstreamstagingtask": "staging", "password": "secret"}
    server = {"name": "S", "tasks": [staging, reader], "endpoints": [{"name": "Staged", "db_settings": settings}]}
    user = {"name": "a", "logins": ["admin@corp.example"], "password": "admin-test-password"}
    em.reset({"users": [{**user, "grants": [{"role": "Admin"}]}], "servers": [server]})
    admin.log_in("admin@corp.example", "admin-test-password")
    content = admin.call("GET", "/servers/S?action=export").json[BODY]
    assert [item["task"].get("task_type") for item in content["tasks"]] == ["_LOG_STREAM", None]
    endpoints = {item["name"]: item for item in content["databases"]}
    assert endpoints["Stage"]["type_id"] == "LOG_STREAM_COMPONENT_TYPE"
    assert endpoints["Staged"]["db_settings"]["logstreamstagingtask"] == "staging"
    details = admin.call("GET", "/servers/S/tasks/staging").json
    assert details["target_endpoint"] == {"name": "Stage", "type": "Log Stream"}


@pytest.mark.parametrize("query", ["", "&withendpoints=false", "&withendpoints=False", "&withendpoints=None"])
def test_an_export_without(admin: Client, query: str) -> None:
    """However it is not asked for."""
    assert "databases" not in export(admin, query=query)[BODY]


def test_a_flag_that_is_none(em: Handle, admin: Client) -> None:
    """500 with JSON."""
    reply = admin.call("GET", f"{ORDERS}?action=export&withendpoints=perhaps")
    assert (reply.status, reply.code) == (500, "DESERIALIZE_TO_TYPE")
    assert not em.requests()[-1]["executed"]


def test_passwords_of_an_export(em: Handle, admin: Client) -> None:
    """The same each time, other ones with another master key, new ones each time if configured."""

    def password() -> str:
        return str(export(admin)[BODY]["databases"][0]["db_settings"]["password"])

    first = password()
    assert password() == first
    em.set_server("Replicate-Prod", master_key="another")
    assert password() != first
    em.set_variants(fresh_encryption=True)
    assert len({password() for _turn in range(5)}) == 5


def test_the_comment_of_older_releases(em: Handle, admin: Client) -> None:
    """It makes the answer no JSON, and is taken back on import."""
    em.set_variants(export_comment=True)
    body = admin.call("GET", f"{PROD}/tasks/invoices?action=export").body
    first, _newline, rest = body.partition(b"\n")
    assert first.startswith(b"// Host name: replicate-prod.corp.example, Time: ")
    assert json.loads(rest)["name"].startswith("invoices__")
    em.set_variants(export_mark=True)
    marked = admin.call("GET", f"{PROD}/tasks/invoices?action=export").body
    assert marked.startswith(b"\xef\xbb\xbf// Host name: replicate-prod.corp.example, Time: ")
    for taken in (body, marked):
        assert admin.call("POST", f"{PROD}/tasks/invoices?action=import", taken).status == 200


# Round trips


def round_trip(em: Handle, admin: Client, path: str, back: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """Export, import into a stand-in that has nothing, export again."""
    em.set_task(
        "Replicate-Prod",
        "orders",
        definition={"task_settings": {"target_settings": {"create_pk_after_data_load": True}}},
    )
    before = export(admin, path)
    em.reset(EMPTY)
    admin.log_in("u", "p")
    reply = admin.send("POST", f"{back}?action=import", before)
    assert reply.status == 200, reply.body
    return before, export(admin, back)


def test_a_round_trip_of_a_task(em: Handle, admin: Client) -> None:
    """Nothing is lost, nothing comes in."""
    before, after = round_trip(em, admin, ORDERS, "/servers/Empty/tasks/orders")
    assert compared(after) == compared(before)
    assert before[BODY]["tasks"][0]["task_settings"]["target_settings"]["create_pk_after_data_load"] is True
    uuids = [item[BODY]["tasks"][0]["task_settings"]["common_settings"]["task_uuid"] for item in (before, after)]
    assert uuids[0] != uuids[1]
    details = admin.call("GET", "/servers/Empty/tasks/orders").json
    assert (details["state"], details["source_endpoint"]) == ("STOPPED", {"name": "ERP", "type": "Oracle"})
    assert details["description"] == "Orders from ERP to the warehouse, running for years"


def test_a_round_trip_of_everything(em: Handle, admin: Client) -> None:
    """All tasks and all endpoints."""
    before, after = round_trip(em, admin, PROD, "/servers/Empty")
    assert compared(after) == compared(before)
    assert len(after[BODY]["tasks"]) == len(before[BODY]["tasks"]) == 6
    assert len(after[BODY]["databases"]) == 6
    assert after["name"].startswith("Empty__")


def test_a_round_trip_on_the_same_server_changes_nothing(em: Handle, admin: Client) -> None:
    """An unchanged document is an import without effect, passwords included."""
    em.set_task("Replicate-Prod", "orders", state="STOPPED")
    before = export(admin)
    assert send(admin, before, "orders").status == 200
    assert compared(export(admin)) == compared(before)
    assert em.endpoint("Replicate-Prod", "ERP")["db_settings"]["password"] == "erp-test-password"


def test_a_password_of_another_server_can_not_be_read(em: Handle, admin: Client) -> None:
    """It comes over as it is, and the endpoint does not connect until it gets a new one."""
    _before, after = round_trip(em, admin, ORDERS, "/servers/Empty/tasks/orders")
    em.set_server("Empty", master_key="other")
    assert admin.send("POST", "/servers/Empty/tasks/orders?action=import", after).status == 200
    path = "/servers/Empty/endpoints/ERP"
    assert admin.call("GET", f"{path}?action=test").json["status"] == "ERROR"
    patch = [{"op": "replace", "path": "/db_settings/password", "value": "new"}]
    assert admin.send("PATCH", path, patch).status == 200
    assert admin.call("GET", f"{path}?action=test").json["status"] == "CONNECTED"
