# Copyright (c) 2026, dataops.qlik_em contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Definitions: importing one task or everything, and deleting a task."""

from __future__ import annotations

import time
from typing import Any
from urllib.parse import quote

import pytest
from ansible_collections.dataops.qlik_em.tests.simulator import Handle
from ansible_collections.dataops.qlik_em.tests.simulator.tests.documents import BODY, export, new_task, send
from ansible_collections.dataops.qlik_em.tests.simulator.tests.wire import ORDERS, PROD, Client, eventually

# Import


def test_an_import_creates(em: Handle, admin: Client) -> None:
    """Task, endpoints, tables; the task is stopped, and runs."""
    assert send(admin, new_task()).status == 200
    details = admin.call("GET", f"{PROD}/tasks/fresh").json
    assert (details["state"], details["source_endpoint"], details["target_endpoint"]) == (
        "STOPPED",
        {"name": "Tap", "type": "Oracle"},
        {"name": "Sink", "type": "Null Target"},
    )
    assert em.endpoint("Replicate-Prod", "Tap")["db_settings"]["password"] == "tap-secret"
    listed = {item["name"]: item for item in admin.call("GET", f"{PROD}/endpoints").json["endpointList"]}
    assert (listed["Sink"]["role"], listed["Sink"]["type"]) == ("TARGET", "NULL_TARGET")
    assert admin.call("GET", f"{PROD}/tasks/fresh/tables").json["tablelist"] == [
        {"schema": "A", "table": "ONE", "state": "TABLE_QUEUED"}
    ]
    run = admin.call("POST", f"{PROD}/tasks/fresh?action=run&option=RELOAD_TARGET", b"")
    assert run.json == {"state": "RUNNING", "error_message": ""}
    assert admin.call("GET", f"{PROD}/tasks/fresh/tables").json["tablelist"][0]["state"] == "TABLE_CHANGE_PROCESSING"


def test_an_import_merges_and_never_removes(em: Handle, admin: Client) -> None:
    """Members and tables that the document does not have stay; so does what has its default in it."""
    settings = {"common_settings": {"apply_changes_enabled": False}, "target_settings": {"kept": 1}}
    assert send(admin, new_task(task_settings=settings)).status == 200
    first = em.inside("Replicate-Prod", "fresh")["definition"]["task_settings"]
    assert first["target_settings"] == {"kept": 1}
    second = new_task(task_settings={"target_settings": {"new": 2}})
    second[BODY]["tasks"][0]["source"]["source_tables"]["explicit_included_tables"] = [{"owner": "A", "name": "TWO"}]
    second[BODY]["databases"] = [{"name": "Tap", "db_settings": {"port": 1}}]
    assert send(admin, second).status == 200
    document = export(admin, f"{PROD}/tasks/fresh")[BODY]
    (item,) = document["tasks"]
    assert item["task_settings"]["target_settings"] == {"kept": 1, "new": 2}
    assert item["task_settings"]["common_settings"]["task_uuid"] == first["common_settings"]["task_uuid"]
    assert item["task_settings"]["common_settings"]["apply_changes_enabled"] is False
    tables = item["source"]["source_tables"]["explicit_included_tables"]
    assert [table["name"] for table in tables] == ["ONE", "TWO"]
    tap = next(database for database in document["databases"] if database["name"] == "Tap")
    assert (tap["db_settings"]["username"], tap["db_settings"]["port"]) == ("u", 1)
    assert admin.call("GET", f"{PROD}/tasks/fresh").json["options"]["apply_changes_enabled"] is False


def test_defaults_that_are_written_out_are_not_given_back(admin: Client) -> None:
    """So a client that compares must know them."""
    settings = {
        "common_settings": {"full_load_enabled": True, "apply_changes_enabled": True, "write_full_logging": False},
        "target_settings": {"max_transaction_size": 0, "handle_drop_ddl": False},
        "sorter_settings": {"local_transactions_storage": {"max_memory_size": 1024}},
    }
    send(admin, new_task(task_settings=settings))
    stored = export(admin, f"{PROD}/tasks/fresh")[BODY]["tasks"][0]["task_settings"]
    assert list(stored["common_settings"]) == ["task_uuid"]
    assert stored["target_settings"] == {"handle_drop_ddl": False}
    assert stored["sorter_settings"] == {"local_transactions_storage": {}}


def test_a_document_without_version_loses_its_settings(admin: Client) -> None:
    """Replicate falls back to its defaults."""
    document = new_task(task_settings={"target_settings": {"lost": 1}})
    del document["_version"]
    send(admin, document)
    assert export(admin, f"{PROD}/tasks/fresh")[BODY]["tasks"][0]["task_settings"]["target_settings"] == {}


def test_a_changed_target(admin: Client) -> None:
    """The list of targets is replaced, and the parts of the old one go."""
    document = new_task(targets=[{"rep_target": {"target_name": "Sink"}}])
    send(admin, document)
    document[BODY]["tasks"][0]["task"]["target_names"] = ["Warehouse"]
    document[BODY]["tasks"][0]["targets"] = [{"rep_target": {"target_name": "Warehouse"}}]
    assert send(admin, document).status == 200
    (item,) = export(admin, f"{PROD}/tasks/fresh")[BODY]["tasks"]
    assert item["task"]["target_names"] == ["Warehouse"]
    assert item["targets"] == [{"rep_target": {"target_name": "Warehouse"}}]
    assert admin.call("GET", f"{PROD}/tasks/fresh").json["target_endpoint"]["type"] == "Snowflake"


def bad(**content: Any) -> dict[str, Any]:
    """A document with this content only."""
    return {"_version": {}, BODY: content}


TASK = {"task": {"name": "fresh", "source_name": "ERP", "target_names": ["Warehouse"]}}


@pytest.mark.parametrize(
    ("document", "code"),
    [
        (new_task("other"), "AEM_IMPORT_TASK_NAME_DIFFER"),
        (bad(tasks=[TASK, {"task": {"name": "b"}}]), "AEM_IMPORT_TASK_CONTAINS_MULTIPLE_TASKS"),
        (bad(tasks=[TASK], notifications={}), "AEM_IMPORT_TASK_CONTAIN_ALIEN_ITEMS"),
        (bad(tasks=[]), "AEM_IMPORT_TASK_INNER_ERR"),
        (bad(tasks=[{}]), "DESERIALIZE_TO_TYPE"),
        (bad(tasks={}), "AEM_IMPORT_TASK_INNER_ERR"),
        (bad(tasks=[{"task": {}}]), "DESERIALIZE_TO_TYPE"),
        (bad(tasks=[{**TASK, "source": []}]), "DESERIALIZE_TO_TYPE"),
        (bad(tasks=[TASK, TASK]), "DESERIALIZE_TO_TYPE"),
        (bad(tasks=[TASK], databases=[{"role": "SOURCE"}]), "DESERIALIZE_TO_TYPE"),
        ({"tasks": []}, "DESERIALIZE_TO_TYPE"),
        ([], "DESERIALIZE_TO_TYPE"),
        ("text", "DESERIALIZE_TO_TYPE"),
        (bad(tasks=[{"task": {"name": "fresh"}}]), "AEM_IMPORT_TASK_INNER_ERR"),
        (
            bad(tasks=[{"task": {"name": "fresh", "source_name": "ERP", "target_names": ["Nowhere"]}}]),
            "AEM_IMPORT_TASK_INNER_ERR",
        ),
    ],
)
def test_documents_that_are_refused(em: Handle, admin: Client, document: Any, code: str) -> None:
    """Each for its reason, with a code and a text of ImportTask, and nothing of them is taken."""
    before = em.state()
    reply = send(admin, document)
    assert (reply.status, reply.code) == (500, code)
    text = reply.json["error_message"]
    assert text.startswith("Failed to import task " if "IMPORT" in code else "Failed to deserialize JSON to type ")
    assert em.state() == before
    assert not em.requests()[-1]["executed"]


@pytest.mark.parametrize(("body", "code"), [(b"", "AEM_IMPORT_CONTENT_EMPTY"), (b"{", "AEM_IMPORT_INVALID_CONTENT")])
def test_bodies_that_are_no_document(admin: Client, body: bytes, code: str) -> None:
    """Empty, or no JSON."""
    for path, wanted in ((f"{PROD}/tasks/fresh", "DESERIALIZE_TO_TYPE"), (PROD, code)):
        assert admin.call("POST", f"{path}?action=import", body, Content_Length=str(len(body))).code == wanted


def test_a_running_task_is_not_imported(em: Handle, admin: Client) -> None:
    """In no state but STOPPED and ERROR."""
    document = export(admin, query="")
    for state in ("RUNNING", "RECOVERY", "STARTING", "STOPPING"):
        em.set_task("Replicate-Prod", "orders", state=state, stuck_in_starting=True, stuck_in_stopping=True)
        reply = send(admin, document, "orders")
        assert (reply.code, "not stopped" in reply.json["error_message"]) == ("AEM_IMPORT_TASK_INNER_ERR", True)
    for state in ("STOPPED", "ERROR"):
        em.set_task("Replicate-Prod", "orders", state=state)
        assert send(admin, document, "orders").status == 200


def test_an_import_may_lag_behind(em: Handle, admin: Client) -> None:
    """The answer comes first, the task later."""
    em.set_server("Replicate-Prod", import_seconds=0.4)
    assert send(admin, new_task()).status == 200
    assert em.requests()[-1]["executed"] is True
    assert admin.call("GET", f"{PROD}/tasks/fresh").code == "AEM_TASK_NOT_FOUND"
    assert admin.call("POST", f"{PROD}/endpoints/Tap?action=delete", b"").code == "AEM_ENDPOINT_NOT_FOUND"
    eventually(lambda: admin.call("GET", f"{PROD}/tasks/fresh").status == 200, 3)
    assert "Tap" in em.server("Replicate-Prod")["endpoints"]
    time.sleep(0.1)
    assert send(admin, new_task()).status == 200


def test_an_import_that_fails(em: Handle, admin: Client) -> None:
    """With the server's message."""
    em.set_server("Replicate-Prod", fail_import="disk is full")
    reply = send(admin, new_task())
    assert (reply.code, "disk is full" in reply.json["error_message"]) == ("AEM_IMPORT_TASK_INNER_ERR", True)


def test_endpoints_in_a_document_need_rights(em: Handle, client: Client) -> None:
    """Without them the task alone may come."""
    grants = [{"role": "Designer", "server": "s", "all_tasks": True}]
    user = {"name": "u", "password": "p", "grants": grants}
    em.reset({"users": [user], "servers": [{"name": "s", "endpoints": [{"name": "Tap"}, {"name": "Sink"}]}]})
    client.log_in("u", "p")
    document = new_task()
    assert send(client, document, server="s").code == "AEM_IMPORT_TASK_NO_PERMISSION_ON_ENDPOINT"
    del document[BODY]["databases"]
    assert send(client, document, server="s").status == 200


@pytest.mark.parametrize("name", ["north/west", "a+b & c%", "été #1?", "Ganz neu"])
@pytest.mark.parametrize("how", ["once", "twice", "slash kept"])
def test_names_of_new_tasks(em: Handle, admin: Client, name: str, how: str) -> None:
    """Encoded once or twice, "/" escaped or not."""
    part = quote(name, safe="/" if how == "slash kept" else "")
    path = f"{PROD}/tasks/{quote(part) if how == 'twice' else part}"
    assert admin.send("POST", f"{path}/?action=import", new_task(name)).status == 200
    assert name in em.server("Replicate-Prod")["tasks"]
    assert admin.call("GET", path).json["name"] == name


# Everything at once


def test_import_all(em: Handle, admin: Client) -> None:
    """Tasks, endpoints and other objects; those come out of the next export."""
    document = new_task()
    document[BODY]["tasks"].append({"task": {"name": "second", "source_name": "ERP", "target_names": ["Sink"]}})
    document[BODY]["notifications"] = {"rules": [1]}
    reply = admin.send("POST", f"{PROD}?action=import", document)
    assert (reply.status, reply.body, reply.headers["Content-Length"]) == (200, b"", "0")
    assert {"fresh", "second"} < set(em.server("Replicate-Prod")["tasks"])
    assert export(admin, PROD, "")[BODY]["notifications"]["rules"] == [1]


@pytest.mark.parametrize(
    ("document", "code"),
    [
        (bad(), "AEM_IMPORT_CONTENT_EMPTY"),
        (bad(tasks=[], databases=[]), "AEM_IMPORT_CONTENT_EMPTY"),
        (bad(aliens=[1]), "AEM_IMPORT_INVALID_CONTENT"),
        ({}, "AEM_IMPORT_INVALID_CONTENT"),
        (bad(tasks=[{"task": {"name": "orders"}}]), "AEM_IMPORT_INVALID_CONTENT"),
        (bad(databases=[{"name": "x"}], tasks=[{"task": {"name": "n"}}]), "AEM_IMPORT_INVALID_CONTENT"),
    ],
)
def test_import_all_that_is_refused(em: Handle, admin: Client, document: Any, code: str) -> None:
    """All or nothing."""
    before = em.state()
    assert admin.send("POST", f"{PROD}?action=import", document).code == code
    assert em.state() == before


def test_everything_needs_rights_on_everything(em: Handle, admin: Client) -> None:
    """An ACL that takes them away below the server has codes of its own."""
    users = {"users": [{"name": "admin@corp.example"}]}
    for kind, export_code, import_code in (
        ("tasks", "AEM_EXPORT_NO_PERMISSION_ON_TASK", "AEM_IMPORT_NO_PERMISSION_ON_TASK"),
        ("endpoints", "AEM_EXPORT_NO_PERMISSION_ON_ENDPOINT", "AEM_IMPORT_NO_PERMISSION_ON_ENDPOINT"),
    ):
        em.reset()
        admin.log_in("admin@corp.example", "admin-test-password")
        assert admin.send("PUT", f"{PROD}/{kind}?action=acl", {"viewer_role": users}).status == 200
        assert admin.call("GET", f"{PROD}?action=export").code == export_code
        assert admin.send("POST", f"{PROD}?action=import", new_task()).code == import_code


# Delete


def test_deleting_a_task(em: Handle, admin: Client) -> None:
    """Only a stopped one; its endpoints stay; its ACL goes."""
    assert admin.call("POST", f"{ORDERS}?action=delete", b"").code == "AEM_TASK_NOT_STOPPED"
    admin.send("PUT", f"{ORDERS}?action=acl", {"viewer_role": {"users": []}})
    em.set_task("Replicate-Prod", "orders", state="ERROR")
    reply = admin.call("POST", f"{ORDERS}?action=delete&deletetasklogs=True", b"")
    assert (reply.status, reply.body) == (200, b"")
    assert admin.call("POST", f"{ORDERS}?action=delete", b"").code == "AEM_TASK_NOT_FOUND"
    assert "orders" not in em.server("Replicate-Prod")["tasks"]
    assert {"endpoints", "acls"} <= set(em.server("Replicate-Prod"))
    assert "ERP" in em.server("Replicate-Prod")["endpoints"]
    assert em.server("Replicate-Prod")["acls"] == {}
    em.set_task("Replicate-Prod", "invoices", fail_delete="locked")
    reply = admin.call("POST", f"{PROD}/tasks/invoices?action=delete", b"")
    assert (reply.code, "locked" in reply.json["error_message"]) == ("AEM_DELETE_TASK_ERR", True)


def test_the_dummy_task_that_creates_an_endpoint(em: Handle, admin: Client) -> None:
    """The known way to create one: import, delete the task, delete the counterpart."""
    assert send(admin, new_task("dummy"), "dummy").status == 200
    refused = admin.call("POST", f"{PROD}/endpoints/Sink?action=delete", b"")
    assert (refused.code, "dummy" in refused.json["error_message"]) == ("AEM_ENDPOINT_IS_IN_USE", True)
    assert admin.call("POST", f"{PROD}/tasks/dummy?action=delete", b"").status == 200
    assert admin.call("POST", f"{PROD}/endpoints/Sink?action=delete", b"").status == 200
    assert "Tap" in em.server("Replicate-Prod")["endpoints"]
    assert "Sink" not in em.server("Replicate-Prod")["endpoints"]


@pytest.mark.parametrize("members", [{"db_settings": {"$type": "DB2Settings"}}, {"db_settings": {"username": "u"}}, {}])
def test_settings_whose_class_does_not_fit_the_type_are_refused(em: Handle, admin: Client, members: Any) -> None:
    """As by a server that cannot read them; all of the document, and whether by ImportTask or by ImportAll."""
    before = em.state()["servers"]
    whole = new_task()
    del whole[BODY]["databases"][0]["db_settings"]
    whole[BODY]["databases"][0].update(members)
    for reply in (send(admin, whole), admin.send("POST", f"{PROD}?action=import", whole)):
        assert reply.json["error_code"] == "DESERIALIZE_TO_TYPE" and "OracleSettings" in reply.json["error_message"]
    assert em.state()["servers"] == before
    whole[BODY]["databases"][0].update(type_id="TAPE_COMPONENT_TYPE", db_settings={"$type": "TapeSettings"})
    assert send(admin, whole).status == 200
