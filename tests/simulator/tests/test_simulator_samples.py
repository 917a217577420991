# Copyright (c) 2026, dataops.qlik_em contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Sample requests as the two generations of the vendor's SDK send them, for every method that they have."""

from __future__ import annotations

import json
import urllib.parse
from typing import Any

import pytest
from ansible_collections.dataops.qlik_em.tests.simulator import Handle
from ansible_collections.dataops.qlik_em.tests.simulator.tests.sdks import Refused, Sdk2018, Sdk2021

ADMIN = ("admin@corp.example", "admin-test-password")
ROLES = ("admin_role", "designer_role", "operator_role", "viewer_role")


class Old:
    """The SDK of 2018: every part of an address encoded twice, a slash before the query."""

    def __init__(self, em: Handle) -> None:
        self.sdk = Sdk2018(em, ADMIN)

    def ask(self, method: str, *names: str, body: Any = None, **query: Any) -> Any:
        """`names` are the segments of the path."""
        address = "/".join(self.sdk.name(name) for name in names)
        text = "&".join(f"{key}={self.sdk.name(str(value))}" for key, value in query.items())
        return self.sdk.ask(method, f"{address}/?{text}" if text else address, body)


class New:
    """The SDK of 2021: encoded once, no slash, unset parameters as None."""

    def __init__(self, em: Handle) -> None:
        self.sdk = Sdk2021(em, login=ADMIN)

    def ask(self, method: str, *names: str, body: Any = None, **query: Any) -> Any:
        """`names` are the segments of the path."""
        address = "/".join(urllib.parse.quote(name) for name in names)
        text = "&".join(f"{key}={urllib.parse.quote(str(value))}" for key, value in query.items())
        return self.sdk.ask(method, f"{address}?{text}" if text else address, body)


@pytest.fixture(params=[Old, New])
def sdk(em: Handle, request: pytest.FixtureRequest) -> Any:
    """Each of the two, logged in; the older one knows no transient state."""
    em.set_options(show_transient=request.param is New)
    return request.param(em)


def reference(name: str, kind: str = "User") -> dict[str, str]:
    """A user or a group in an ACL."""
    return {"$type": f"Aem{kind}Ref", "name": name}


def test_servers(em: Handle, sdk: Any) -> None:
    """Read, write back, add, delete; the body's type name first, the product in it."""
    found = sdk.ask("GET", "servers", "Replicate-Prod", "def")
    assert found["$type"] == "AemReplicateServer"
    assert found["type"] == "REPLICATE"
    assert sdk.ask("PUT", "servers", "Replicate-Prod", "def", body={**found, "description": "by an SDK"}) is None
    assert em.server("Replicate-Prod")["description"] == "by an SDK"
    name = "Ein neuer Server 100%"
    new = {"$type": "AemReplicateServer", "name": name, "description": "", "host": "h", "port": "443", "username": "u"}
    new.update(password="p", type="REPLICATE")
    new_flags = {"verify_server_certificate": False, "monitored": True}
    assert sdk.ask("PUT", "servers", name, "def", body={**new, **new_flags}) is None
    assert any(item["name"] == name for item in sdk.ask("GET", "servers")["serverList"])
    assert sdk.ask("GET", "servers", name, "def")["host"] == "h"
    assert sdk.ask("DELETE", "servers", name, "def") is None
    assert "Content-Length" not in em.requests()[-1]["headers"]
    with pytest.raises(Refused, match="AEM_SERVER_NOT_FOUND"):
        sdk.ask("GET", "servers", name, "def")


def test_acls(em: Handle, sdk: Any) -> None:
    """Four roles with both lists, null where there is none; DELETE without a length."""
    with pytest.raises(Refused, match="AEM_SERVER_HAS_NO_ACL"):
        sdk.ask("GET", "servers", "Replicate-Prod", action="acl")
    body: dict[str, Any] = {"$type": "AemAuthorizationAcl", **dict.fromkeys(ROLES), "disable_inheritance": False}
    members = {"users": [reference("admin@corp.example")], "groups": [reference("g", "Group")]}
    body["admin_role"] = {"$type": "AemRoleDef", **members}
    assert sdk.ask("PUT", "servers", "Replicate-Prod", action="acl", body=body) is None
    found = sdk.ask("GET", "servers", "Replicate-Prod", action="acl")
    assert set(ROLES) < set(found)
    assert all(found[key] is None or {"users", "groups"} < set(found[key]) for key in ROLES)
    assert found == body
    assert sdk.ask("DELETE", "servers", "Replicate-Prod", action="acl") is None
    assert "Content-Length" not in em.requests()[-1]["headers"]


def test_definitions(em: Handle, sdk: Any) -> None:
    """Export, import under another name, delete; of a task whose name needs care."""
    name, other = "customers full load", "Kopie & Co 50%"
    document = sdk.ask("GET", "servers", "Replicate-Prod", "tasks", name, action="export", withendpoints=True)
    document["cmd.replication_definition"]["tasks"][0]["task"]["name"] = other
    assert sdk.ask("POST", "servers", "Replicate-Prod", "tasks", other, action="import", body=document) is None
    assert sdk.ask("GET", "servers", "Replicate-Prod", "tasks", other)["state"] == "STOPPED"
    with pytest.raises(Refused, match="AEM_IMPORT_TASK_NAME_DIFFER"):
        sdk.ask("POST", "servers", "Replicate-Prod", "tasks", name, action="import", body=document)
    assert sdk.ask("POST", "servers", "Replicate-Prod", "tasks", other, action="delete", deletetasklogs=False) is None
    assert other not in em.server("Replicate-Prod")["tasks"]
    everything = sdk.ask("GET", "servers", "Replicate-Test", action="export")
    em.set_task("Replicate-Test", "stuck", state="STOPPED")
    em.set_task("Replicate-Test", "a+b=c #1?", state="STOPPED")
    em.set_task("Replicate-Test", 'it\'s "quoted"', state="STOPPED")
    assert sdk.ask("POST", "servers", "Replicate-Test", action="import", body=everything) is None


def test_endpoints(em: Handle, sdk: Any) -> None:
    """List, patch, test, reconfigure, delete by POST."""
    server = ("servers", "Replicate-Prod", "endpoints")
    names = [item["name"] for item in sdk.ask("GET", *server)["endpointList"]]
    assert {"ERP standby", "Down & out"} < set(names)
    patch = [{"op": "replace", "path": "/db_settings/username", "value": "new"}]
    assert sdk.ask("PATCH", *server, "ERP standby", body=patch) is None
    assert em.endpoint("Replicate-Prod", "ERP standby")["db_settings"]["username"] == "new"
    result = sdk.ask("GET", *server, "ERP standby", action="test", timeout=30)
    assert result["status"] in ("UNKNOWN", "CONNECTED", "ERROR")
    assert {"message", "detailed_message"} < set(result)
    assert sdk.ask("PUT", *server, "ERP", action="reconfigure", configuration="ERP standby", recycle=False) is None
    assert em.endpoint("Replicate-Prod", "ERP")["db_settings"]["username"] == "new"
    assert sdk.ask("POST", *server, "Down & out", action="delete") is None
    with pytest.raises(Refused, match="AEM_ENDPOINT_NOT_FOUND"):
        sdk.ask("POST", *server, "Down & out", action="delete")


def test_a_licence(em: Handle, sdk: Any) -> None:
    """A JSON one, sent as it is."""
    body = {"issue_date": "2026-01-01", "expiration": "2099-01-01", "checksum": "1"}
    assert sdk.ask("PUT", "servers", "Replicate-Unlicensed", "license", "def", body=body) is None
    details = sdk.ask("GET", "servers", "Replicate-Unlicensed")["server_details"]
    assert details["license"]["state"] == "VALID_LICENSE"


def test_tables(em: Handle) -> None:
    """Only the newer one has them: all parameters always there, unset ones as None, flags as True and False."""
    sdk = New(em)
    tables = ("servers", "Replicate-Prod", "tasks", "orders", "tables")
    flags = dict.fromkeys(
        ("includequeued", "includeloading", "includecompleted", "includechangeprocessing", "includeerror"), False
    )
    assert len(sdk.ask("GET", *tables, schema=None, table=None, **flags)["tablelist"]) == 6
    some = sdk.ask("GET", *tables, action="getstatus", schema="SALES", table=None, **{**flags, "includeerror": True})
    assert [item["table_on_source"] for item in some["table_details"]] == ["PRICES"]
    assert sdk.ask("POST", *tables, action="Resume", schema="SALES", table="PRICES") is None
    assert sdk.ask("POST", *tables, action="reload", schema="STOCK", table="Lager & Regal 100%") is None
    assert em.requests()[-1]["executed"]


def test_change_data_and_audit(em: Handle) -> None:
    """Only the newer one has them; bodies carry a harmless $type."""
    sdk = New(em)
    task = ("servers", "Replicate-Prod", "tasks", "orders")
    body = {
        "$type": "AemSetChangeDataRetentionBarrierReq",
        "application": "Compose",
        "retention_point": "2026-01-01T00:00:00Z",
    }
    assert sdk.ask("PUT", *task, action="set_change_data_retention_barrier", body=body) is None
    found = sdk.ask("GET", *task, action="get_change_data_retention_barrier")
    assert found == {key: value for key, value in body.items() if key != "$type"}
    delete = {"$type": "AemDeleteOldChangeDataReq", "timestamp_or_offset": "P3D"}
    assert sdk.ask("POST", *task, action="delete_old_change_data", body=delete) is None
    trail = sdk.ask("GET", "security", "audit_trail", start_timestamp="2020-06-30T16:15:00Z", end_timestamp=None)
    assert json.dumps(trail)
    assert [item["request"] for item in trail][-1] == "AemDeleteOldChangeData"
