# Copyright (c) 2026, dataops.qlik_em contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""CloneTask: what is copied, what is refused, when it shows."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.dataops.qlik_em.tests.simulator import Handle
from ansible_collections.dataops.qlik_em.tests.simulator.tests.documents import BODY, export
from ansible_collections.dataops.qlik_em.tests.simulator.tests.wire import ORDERS, PROD, Client, Reply, eventually

TWIN = f"{PROD}/tasks/twin"
RULES = {"rules": [{"name": "b"}, {"name": "a"}]}


def clone(admin: Client, path: str = ORDERS, **members: Any) -> Reply:
    """CloneTask, of orders as twin."""
    return admin.send("POST", f"{path}?action=clone", {"new_task_name": "twin", **members})


def test_a_clone_is_the_same_but_for_its_name(em: Handle, admin: Client) -> None:
    """Settings, tables, rules and endpoints; stopped, of its own identity, and nothing of the original changes."""
    em.set_task("Replicate-Prod", "orders", definition={"global_manipulation": RULES})
    before = em.inside("Replicate-Prod", "orders")
    reply = clone(admin)
    assert (reply.status, reply.body) == (200, b"")
    (old,), (new,) = (export(admin, path)[BODY]["tasks"] for path in (ORDERS, TWIN))
    assert new["task"].pop("name") == "twin" and old["task"].pop("name") == "orders"
    uuids = [item["task_settings"]["common_settings"].pop("task_uuid") for item in (old, new)]
    assert new == old and len(set(uuids)) == 2 and new["global_manipulation"] == RULES
    details = admin.call("GET", TWIN).json
    assert (details["state"], details["source_endpoint"]["name"]) == ("STOPPED", "ERP")
    states = {item["state"] for item in admin.call("GET", f"{TWIN}/tables").json["tablelist"]}
    assert states == {"TABLE_QUEUED"}
    assert em.inside("Replicate-Prod", "orders") == before
    assert admin.call("POST", f"{TWIN}?action=run&option=RELOAD_TARGET", b"").status == 200


def test_a_clone_may_have_other_endpoints(em: Handle, admin: Client) -> None:
    """Wherever the task names them; what the body holds beyond that is ignored."""
    assert clone(admin, new_source_endpoint="ERP standby", new_target_endpoint=None, more=[1]).status == 200
    (item,) = export(admin, TWIN)[BODY]["tasks"]
    assert item["task"]["source_name"] == item["source"]["rep_source"]["source_name"] == "ERP standby"
    assert item["task"]["target_names"] == [item["targets"][0]["rep_target"]["target_name"]] == ["Warehouse"]
    assert admin.call("GET", TWIN).json["source_endpoint"] == {"name": "ERP standby", "type": "Oracle"}


@pytest.mark.parametrize("copied", [True, False])
def test_permissions_are_copied_if_that_is_asked_for(em: Handle, admin: Client, copied: bool) -> None:
    """The explicit ones of the task."""
    acl = {"operator_role": {"users": [{"name": "orders@corp.example"}], "groups": []}}
    assert admin.send("PUT", f"{ORDERS}?action=acl", acl).status == 200
    assert clone(admin, clone_permissions=copied).status == 200
    reply = admin.call("GET", f"{TWIN}?action=acl")
    assert reply.code == (None if copied else "AEM_TASK_HAS_NO_ACL")


@pytest.mark.parametrize(
    ("members", "code", "text"),
    [
        ({"new_task_name": "orders"}, "AEM_CLONE_TASK_INNER_ERR", "There is a task orders already"),
        ({"new_task_name": " "}, "AEM_CLONE_TASK_INNER_ERR", "name of the new task is missing"),
        ({"new_task_name": None}, "AEM_CLONE_TASK_INNER_ERR", "name of the new task is missing"),
        ({"new_task_name": 1}, "DESERIALIZE_TO_TYPE", "new_task_name"),
        ({"clone_permissions": "yes"}, "DESERIALIZE_TO_TYPE", "clone_permissions"),
        ({"new_source_endpoint": "Nowhere"}, "AEM_CLONE_TASK_INNER_ERR", "Nowhere could not be found"),
        ({"new_target_endpoint": "Down & out"}, "AEM_CLONE_TASK_INNER_ERR", "not of the type of Warehouse"),
    ],
)
def test_what_is_refused(em: Handle, admin: Client, members: dict[str, Any], code: str, text: str) -> None:
    """Nothing is overwritten, and nothing is done."""
    before = em.state()["servers"]
    reply = clone(admin, **members)
    assert (reply.status, reply.code) == (500, code) and text in reply.json["error_message"]
    assert em.state()["servers"] == before and not em.requests()[-1]["executed"]


def test_a_task_that_is_not_there_and_one_that_cannot_be_cloned(em: Handle, admin: Client) -> None:
    """The one that is named in the path."""
    assert clone(admin, f"{PROD}/tasks/nothing").code == "AEM_TASK_NOT_FOUND"
    em.set_task("Replicate-Prod", "orders", fail_clone="disk is full")
    assert "<disk is full>" in clone(admin).json["error_message"]


def test_a_clone_may_lag_behind(em: Handle, admin: Client) -> None:
    """Like an import."""
    em.set_server("Replicate-Prod", import_seconds=0.3)
    assert clone(admin).status == 200 and em.requests()[-1]["executed"] is True
    assert admin.call("GET", TWIN).code == "AEM_TASK_NOT_FOUND"
    eventually(lambda: admin.call("GET", TWIN).status == 200, 3)
