# Copyright (c) 2026, dataops.qlik_em contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Explicit ACLs: reading, replacing, dropping; and what they do to the rights of those who call."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.dataops.qlik_em.tests.simulator import Handle, InputError
from ansible_collections.dataops.qlik_em.tests.simulator.tests.wire import ORDERS, PROD, Client

OBJECTS = {
    "server": (PROD, "AEM_SERVER_HAS_NO_ACL", "AEM_SERVER_HAS_NO_ACL"),
    "tasks": (f"{PROD}/tasks", "AEM_TASK_HAS_NO_ACL", None),
    "task": (ORDERS, "AEM_TASK_HAS_NO_ACL", "AEM_SERVER_HAS_NO_ACL"),
    "endpoints": (f"{PROD}/endpoints", "AEM_ENDPOINT_HAS_NO_ACL", None),
    "endpoint": (f"{PROD}/endpoints/ERP", "AEM_ENDPOINT_HAS_NO_ACL", "AEM_SERVER_HAS_NO_ACL"),
}


def role(*users: str, groups: tuple[str, ...] = ()) -> dict[str, Any]:
    """A role with these members."""
    return {"users": [{"name": name} for name in users], "groups": [{"name": name} for name in groups]}


def put(client: Client, path: str = PROD, **roles: Any) -> int:
    """PUT of an ACL; the role's names without "_role"."""
    body = {key if key == "disable_inheritance" else f"{key}_role": value for key, value in roles.items()}
    return client.send("PUT", f"{path}?action=acl", body).status


def plain(acl: dict[str, Any]) -> dict[str, list[str]]:
    """The names of each role that is not null."""
    roles = {key: value for key, value in acl.items() if key.endswith("_role") and value is not None}
    return {key: [item["name"] for item in value["users"] + value["groups"]] for key, value in roles.items()}


@pytest.mark.parametrize("kind", OBJECTS)
def test_an_acl_from_birth_to_death(admin: Client, kind: str) -> None:
    """None is an error; PUT replaces it as a whole; DELETE goes back to none."""
    path, missing, missing_for_delete = OBJECTS[kind]
    refused = admin.call("GET", f"{path}?action=acl")
    assert (refused.status, refused.code) == (500, missing)
    reply = admin.call("DELETE", f"{path}?action=acl")
    assert (reply.code if missing_for_delete else reply.status) == (missing_for_delete or 200)
    assert put(admin, path, admin=role("admin@corp.example"), viewer=role("x", groups=("g",))) == 200
    found = admin.call("GET", f"{path}?action=acl").json
    assert plain(found) == {"admin_role": ["admin@corp.example"], "viewer_role": ["x", "g"]}
    assert found == {
        "$type": "AemAuthorizationAcl",
        "admin_role": {
            "$type": "AemRoleDef",
            "users": [{"$type": "AemUserRef", "name": "admin@corp.example"}],
            "groups": [],
        },
        "designer_role": None,
        "operator_role": None,
        "viewer_role": {
            "$type": "AemRoleDef",
            "users": [{"$type": "AemUserRef", "name": "x"}],
            "groups": [{"$type": "AemGroupRef", "name": "g"}],
        },
        "disable_inheritance": False,
    }
    assert admin.send("PUT", f"{path}?action=acl", {**found, "viewer_role": None}).status == 200
    assert plain(admin.call("GET", f"{path}?action=acl").json) == {"admin_role": ["admin@corp.example"]}
    assert put(admin, path, operator={"users": None}, none=role("nobody")) == 200
    assert plain(admin.call("GET", f"{path}?action=acl").json) == {"operator_role": [], "none_role": ["nobody"]}
    assert admin.call("DELETE", f"{path}?action=acl").status == 200
    assert admin.call("GET", f"{path}?action=acl").code == missing


@pytest.mark.parametrize("kind", OBJECTS)
@pytest.mark.parametrize(
    ("value", "code"),
    [
        ([], "DESERIALIZE_TO_TYPE"),
        ({"admin_role": []}, "DESERIALIZE_TO_TYPE"),
        ({"admin_role": {"users": {}}}, "DESERIALIZE_TO_TYPE"),
        ({"admin_role": {"users": ["x"]}}, "DESERIALIZE_TO_TYPE"),
        ({"disable_inheritance": "no"}, "DESERIALIZE_TO_TYPE"),
        ({"viewer_role": {"groups": [{"name": " "}]}}, "AEM_PUT_{kind}_ACL_INNER_ERR"),
        ({"none_role": {"users": [{}]}}, "AEM_PUT_{kind}_ACL_INNER_ERR"),
    ],
)
def test_acls_that_are_refused(em: Handle, admin: Client, kind: str, value: Any, code: str) -> None:
    """The old one stays."""
    path, _missing, _missing_for_delete = OBJECTS[kind]
    put(admin, path, viewer=role("before"))
    assert admin.send("PUT", f"{path}?action=acl", value).code == code.format(kind=kind.rstrip("s").upper())
    assert not em.requests()[-1]["executed"]
    assert plain(admin.call("GET", f"{path}?action=acl").json) == {"viewer_role": ["before"]}


# Rights


def rights(client: Client) -> str:
    """What the client may do on Replicate-Prod: Viewer, Operator, Admin."""
    may = ""
    may += "V" if client.call("GET", PROD).status == 200 else ""
    may += "O" if client.call("GET", f"{PROD}/def").status == 200 else ""
    may += "A" if client.call("DELETE", f"{PROD}/tasks?action=acl").status == 200 else ""
    return may


OPERATOR = "operator@corp.example"


@pytest.mark.parametrize(
    ("roles", "expected"),
    [
        ({}, "VO"),
        ({"admin": role(OPERATOR)}, "VOA"),
        ({"admin": role("OPERATOR@Corp.Example")}, "VOA"),
        ({"admin": role("corp\\operator")}, "VOA"),
        ({"viewer": role(OPERATOR)}, "V"),
        ({"viewer": role("somebody else")}, "VO"),
        ({"none": role(OPERATOR)}, ""),
        ({"none": role(OPERATOR), "admin": role(OPERATOR)}, ""),
        ({"viewer": role(OPERATOR), "admin": role(OPERATOR)}, "VOA"),
        ({"operator": role("x"), "disable_inheritance": True}, ""),
        ({"viewer": role("x"), "disable_inheritance": True}, "VO"),
        ({"operator": {}, "disable_inheritance": True}, "VO"),
        ({"operator": role(OPERATOR), "disable_inheritance": True}, "VO"),
        ({"operator": role(groups=("CORP\\designers",))}, "VO"),
    ],
)
def test_an_acl_of_a_server_counts(em: Handle, admin: Client, roles: dict[str, Any], expected: str) -> None:
    """Explicit roles beat inherited ones, names in any case; what is inherited is as documented."""
    assert put(admin, **roles) == 200
    with Client(em) as client:
        client.log_in()
        assert rights(client) == expected
    admin.call("DELETE", f"{PROD}?action=acl")
    with Client(em) as client:
        client.log_in()
        assert rights(client) == "VO"


def test_groups_count(em: Handle, admin: Client) -> None:
    """A group's role is its members'."""
    put(admin, viewer=role(groups=("corp\\DESIGNERS",)))
    with Client(em) as client:
        client.log_in("designer@corp.example", "designer-test-password")
        assert rights(client) == "V"
    put(admin, admin=role(groups=("other",)))
    with Client(em) as client:
        client.log_in("designer@corp.example", "designer-test-password")
        assert rights(client) == "VO"


def test_lists_show_what_may_be_seen(em: Handle, admin: Client) -> None:
    """Servers, tasks and endpoints that an ACL hides are not in the lists."""
    with Client(em) as client:
        client.log_in()
        before = [len(client.call("GET", path).json[key]) for path, key in LISTS]
        put(admin, "/servers/Replicate-Test", none=role(OPERATOR))
        put(admin, ORDERS, none=role(OPERATOR))
        put(admin, f"{PROD}/endpoints/ERP", none=role(OPERATOR))
        after = [client.call("GET", path).json[key] for path, key in LISTS]
        assert [len(items) for items in after] == [count - 1 for count in before]
        names = {item["name"] for items in after for item in items}
        assert not names & {"Replicate-Test", "orders", "ERP"}
        assert client.call("GET", ORDERS).code == "UNAUTHORIZED_REQUEST"


LISTS = [("/servers", "serverList"), (f"{PROD}/tasks", "taskList"), (f"{PROD}/endpoints", "endpointList")]


def test_rights_come_down_the_tree(em: Handle, admin: Client) -> None:
    """From all tasks to a task, where that has no ACL of its own."""
    with Client(em) as client:
        client.log_in("viewer@corp.example", "viewer-test-password")
        stop = f"{PROD}/tasks/shipments?action=stop"
        assert client.call("POST", stop, b"").status == 403
        put(admin, f"{PROD}/tasks", operator=role("viewer@corp.example"))
        put(admin, f"{PROD}/tasks/shipments", viewer=role("viewer@corp.example"))
        assert client.call("POST", stop, b"").status == 403
        admin.call("DELETE", f"{PROD}/tasks/shipments?action=acl")
        assert client.call("POST", stop, b"").status == 200
        assert client.call("GET", f"{PROD}/endpoints/ERP?action=test").status == 403
        put(admin, f"{PROD}/endpoints", operator=role("viewer@corp.example"))
        assert client.call("GET", f"{PROD}/endpoints/ERP?action=test").status == 200


def test_locking_oneself_out(em: Handle, admin: Client) -> None:
    """Possible, like in life."""
    put(admin, viewer=role("admin@corp.example"))
    assert admin.call("DELETE", f"{PROD}?action=acl").status == 403
    assert em.server("Replicate-Prod")["acls"][""]["viewer_role"]["users"] == ["admin@corp.example"]


def test_acls_of_the_document(em: Handle, admin: Client) -> None:
    """Each object may start with one."""
    acl = {"viewer_role": {"users": ["a"], "groups": ["b"]}}
    server: dict[str, Any] = {
        "name": "s",
        "acl": acl,
        "tasks_acl": acl,
        "endpoints_acl": acl,
        "tasks": [{"name": "t", "acl": acl}],
        "endpoints": [{"name": "e", "acl": acl}],
    }
    em.reset({"users": [{"name": "u", "password": "p", "grants": [{"role": "Admin"}]}], "servers": [server]})
    admin.log_in("u", "p")
    for path in ("", "/tasks", "/endpoints", "/tasks/t", "/endpoints/e"):
        assert plain(admin.call("GET", f"/servers/s{path}?action=acl").json) == {"viewer_role": ["a", "b"]}
    with pytest.raises(InputError, match="unknown member 'roles'"):
        em.reset({"servers": [{"name": "s", "acl": {"roles": []}}]})
    for grant in ({"all_endpoints": True}, {"endpoint": "e"}):
        with pytest.raises(InputError, match="must name its server"):
            em.reset({"users": [{"name": "u", "grants": [{"role": "Admin", **grant}]}]})
