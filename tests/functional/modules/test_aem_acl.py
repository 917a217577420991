# Copyright (c) 2026, dataops.qlik_em contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""aem_acl and aem_acl_info: who has which role, on each kind of object."""

from __future__ import annotations

import json

import pytest
from ansible_collections.dataops.qlik_em.tests.functional.support.user import User

ADMIN = {"username": "admin@corp.example", "password": "admin-test-password"}
THE_ADMIN = {
    "name": "admin",
    "logins": [ADMIN["username"]],
    "password": ADMIN["password"],
    "grants": [{"role": "Admin"}],
}
PROD = "/attunityenterprisemanager/api/v1/servers/Replicate-Prod"
SCOPES = {
    "server": ({}, "", "Server"),
    "tasks": ({"scope": "tasks"}, "/tasks", "TasksCollection"),
    "task": ({"scope": "task", "task": "orders"}, "/tasks/orders", "Task"),
    "endpoints": ({"scope": "endpoints"}, "/endpoints", "EndpointsCollection"),
    "endpoint": ({"scope": "endpoint", "endpoint": "ERP standby"}, "/endpoints/ERP%20standby", "Endpoint"),
}
MYSELF = {"admin_role": {"users": ["admin@corp.example"]}}
EMPTY = {"users": [], "groups": []}
FOUR = ("admin_role", "designer_role", "operator_role", "viewer_role")


@pytest.fixture
def user(em):
    """An admin who works on Replicate-Prod."""
    return User(em, defaults={**ADMIN, "server": "Replicate-Prod"})


def acl(disable_inheritance=False, **roles):
    """Return an ACL as the modules show it."""
    return {
        **{role: {**EMPTY, **roles.get(role, {})} for role in {**dict.fromkeys(FOUR), **roles}},
        "disable_inheritance": disable_inheritance,
    }


def writes(run):
    return [r["operation"] for r in run.requests if r["method"] != "GET" and r["operation"] != "Login"]


def bodies(run):
    return [json.loads(r["body"]) for r in run.requests if r["method"] == "PUT"]


def start_with(user, **options):
    """Give the server an ACL."""
    run = user.run("aem_acl", state="replaced", **{**MYSELF, **options})
    assert not run.failed, run.result


# Each kind of object


@pytest.mark.parametrize("scope", SCOPES)
def test_an_acl_from_birth_to_death(user, scope):
    options, path, title = SCOPES[scope]
    run = user.run("aem_acl_info", **options)
    assert run.result["acl"] is None and not run.changed and not run.failed
    run = user.run("aem_acl", **options, **MYSELF, diff=True)
    expected = acl(admin_role={"users": ["admin@corp.example"]})
    assert run.changed and run.result["acl"] == expected
    assert run.operations == ["Login", f"Get{title}Acl", f"Put{title}Acl", "Logout"]
    assert {request["raw_path"] for request in run.requests[1:3]} == {f"{PROD}{path}?action=acl"}
    assert run.result["diff"]["before"] == {} and run.result["diff"]["after"] == expected
    assert user.run("aem_acl_info", **options).result["acl"] == expected
    again = user.run("aem_acl", **options, **MYSELF)
    assert not again.changed and writes(again) == []
    run = user.run("aem_acl", **options, state="absent", force=True)
    assert run.changed and run.result["acl"] is None and writes(run) == [f"Delete{title}Acl"]
    assert user.run("aem_acl_info", **options).result["acl"] is None
    again = user.run("aem_acl", **options, state="absent", force=True)
    assert not again.changed and writes(again) == []


def test_all_four_roles_are_sent_with_both_lists(user):
    run = user.run("aem_acl", **MYSELF)
    (body,) = bodies(run)
    assert body == {
        "admin_role": {"users": [{"name": "admin@corp.example"}], "groups": []},
        "designer_role": EMPTY,
        "operator_role": EMPTY,
        "viewer_role": EMPTY,
        "disable_inheritance": False,
    }


# States


def test_present_adds(user):
    start_with(user, viewer_role={"users": ["a"], "groups": ["g"]})
    run = user.run("aem_acl", viewer_role={"users": ["b"]}, operator_role={"groups": ["h"]})
    assert run.changed and run.result["acl"] == acl(
        admin_role={"users": ["admin@corp.example"]},
        operator_role={"groups": ["h"]},
        viewer_role={"users": ["a", "b"], "groups": ["g"]},
    )


def test_replaced_sets_and_empties_the_rest(user):
    start_with(user, viewer_role={"users": ["a", "c"], "groups": ["g"]}, designer_role={"users": ["d"]})
    options = {"state": "replaced", **MYSELF, "viewer_role": {"users": ["b", "A"]}}
    run = user.run("aem_acl", **options)
    assert run.changed and run.result["acl"] == acl(
        admin_role={"users": ["admin@corp.example"]}, viewer_role={"users": ["a", "b"]}
    )
    assert not user.run("aem_acl", **options).changed


def test_replaced_by_nobody_needs_force(user):
    start_with(user, viewer_role={"users": ["a"]})
    nobody = {"state": "replaced", "viewer_role": {"users": []}, "admin_role": {}}
    run = user.run("aem_acl", **nobody)
    assert run.failed and not run.changed and "force: true" in run.msg and run.operations == []
    assert user.run("aem_acl", **nobody, force=True).changed


def test_absent_takes_entries_out_of_their_role_only(user):
    start_with(user, viewer_role={"users": ["a", "b"], "groups": ["a"]})
    run = user.run("aem_acl", state="absent", viewer_role={"users": ["A", "nobody"]}, operator_role={"users": ["b"]})
    assert run.changed and run.result["acl"] == acl(
        admin_role={"users": ["admin@corp.example"]}, viewer_role={"users": ["b"], "groups": ["a"]}
    )
    again = user.run("aem_acl", state="absent", viewer_role={"users": ["A"]})
    assert not again.changed and writes(again) == []


def test_the_last_entry_leaves_an_empty_acl(user, em):
    start_with(user)
    run = user.run("aem_acl", state="absent", **MYSELF)
    assert run.changed and run.result["acl"] == acl()
    assert em.server("Replicate-Prod")["acls"][""]["admin_role"] == EMPTY


@pytest.mark.parametrize("state", ["present", "absent"])
def test_nobody_named_is_nothing_to_do(user, state):
    run = user.run("aem_acl", state=state, viewer_role={"users": []})
    assert not run.failed and not run.changed and run.result["acl"] is None
    start_with(user)
    run = user.run("aem_acl", state=state, viewer_role={"users": []})
    assert not run.changed and run.result["acl"] == acl(**MYSELF)


def test_names_are_compared_without_case(user):
    start_with(user, viewer_role={"users": ["Jörg@Corp"], "groups": ["CORP\\Straße"]})
    same = {"users": ["JÖRG@corp", "jörg@CORP"], "groups": ["corp\\STRASSE"]}
    assert not user.run("aem_acl", viewer_role=same).changed
    assert not user.run(
        "aem_acl", state="replaced", viewer_role=same, admin_role={"users": ["ADMIN@corp.example"]}
    ).changed
    run = user.run("aem_acl", state="absent", viewer_role=same)
    assert run.changed and run.result["acl"]["viewer_role"] == EMPTY


def test_inheritance(user):
    run = user.run("aem_acl", **MYSELF, disable_inheritance=True)
    assert run.changed and run.result["acl"]["disable_inheritance"] is True
    for state in ("present", "replaced"):
        run = user.run("aem_acl", state=state, viewer_role={"users": [state]}, **MYSELF)
        assert run.changed and run.result["acl"]["disable_inheritance"] is True
    assert user.run("aem_acl", disable_inheritance=False).changed
    assert not user.run("aem_acl", disable_inheritance=False).changed


def test_the_role_none_is_kept_and_sent_only_if_it_is_used(user, em):
    nobody = {"none_role": {"users": ["x"]}}
    start_with(user, **nobody)
    assert user.run("aem_acl_info").result["acl"] == acl(**MYSELF, **nobody)
    run = user.run("aem_acl", viewer_role={"users": ["a"]})
    assert bodies(run)[0]["none_role"] == {"users": [{"name": "x"}], "groups": []}
    run = user.run("aem_acl", state="replaced", **MYSELF)
    assert run.changed and "none_role" not in bodies(run)[0]
    assert "none_role" not in user.run("aem_acl_info").result["acl"]


def test_members_that_we_do_not_know_are_sent_back(user, em):
    answer = {"$type": "AemAuthorizationAcl", "admin_role": None, "viewer_role": {"users": None}, "tomorrow": [1]}
    em.faults([{"match": {"operation": "GetServerAcl"}, "fault": "answer", "json": answer}])
    (body,) = bodies(user.run("aem_acl", **MYSELF))
    assert next(iter(body)) == "$type" and body["tomorrow"] == [1] and body["viewer_role"] == EMPTY


# What is refused before anything is sent


def test_a_user_and_a_group_of_one_name_are_two(user):
    assert user.run("aem_acl", **MYSELF, viewer_role={"users": ["x"]}, operator_role={"groups": ["x"]}).changed


def test_a_second_role_beside_the_one_that_is_there_is_refused(user, em):
    start_with(user, operator_role={"users": ["A"]})
    for check in (True, False):
        run = user.run("aem_acl", viewer_role={"users": ["a"]}, check=check)
        assert run.failed and not run.changed and writes(run) == []
        assert run.msg.startswith('The user "a" would have two roles, operator_role and viewer_role.')
    moved = {"viewer_role": {"users": ["a"]}, **MYSELF}
    assert user.run("aem_acl", state="replaced", **moved).changed


def test_two_roles_that_somebody_else_gave_are_none_of_our_business(user, em):
    server = {"name": "Replicate-Prod", "acl": {"viewer_role": {"users": ["x"]}, "operator_role": {"users": ["X"]}}}
    em.reset({"users": [THE_ADMIN], "servers": [server]})
    assert user.run("aem_acl", **MYSELF).changed
    assert user.run("aem_acl", viewer_role={"users": ["x"]}).failed


@pytest.mark.parametrize("options", [MYSELF, {"state": "replaced", **MYSELF}, {"state": "absent", "force": True}])
def test_a_missing_role_is_named(user, em, options):
    start_with(user)
    operator = {"username": "operator@corp.example", "password": "operator-test-password"}
    run = user.run("aem_acl", **{**options, "disable_inheritance": None if "force" in options else True}, **operator)
    assert run.failed and not run.changed and "the role Admin on it" in run.result["hint"]
    viewer = {"username": "viewer@corp.example", "password": "viewer-test-password"}
    run = user.run("aem_acl_info", **viewer)
    assert run.failed and "the role Operator on it" in run.result["hint"]


@pytest.mark.parametrize("scope", ["task", "endpoint"])
def test_what_does_not_exist(user, scope):
    run = user.run("aem_acl", scope=scope, **{scope: "nothing"}, **MYSELF)
    assert run.failed and not run.changed and f'{scope} "nothing" on server "Replicate-Prod"' in run.msg
    run = user.run("aem_acl_info", server="Nowhere")
    assert run.failed and run.result["error_code"] == "AEM_SERVER_NOT_FOUND"


def test_a_version_without_these_methods(user, em):
    old = {"error_code": "AEM_METHOD_NOT_SUPPORTED_VERSION", "error_message": "Not supported."}
    em.faults([{"match": {"operation": "GetTasksCollectionAcl"}, "fault": "error", **old}])
    run = user.run("aem_acl_info", scope="tasks")
    assert run.failed and run.result["hint"] == "GetTasksCollectionAcl is documented in the guide of May 2026 only."


@pytest.mark.parametrize("answer", [{}, [], 5, {"state": "RUNNING"}, {"admin_role": {"users": ["x"]}}])
def test_what_is_not_an_acl_is_not_taken_for_one(user, em, answer):
    em.faults([{"match": {"operation": "GetServerAcl"}, "nth": "all", "fault": "answer", "json": answer}])
    run = user.run("aem_acl", **MYSELF)
    assert run.failed and writes(run) == [] and "GetServerAcl of server" in run.msg
    assert "is not an ACL" in run.msg or "sent an unexpected answer to GetServerAcl: " in run.msg


# Lost answers, sessions, names

LOST = [
    {"fault": "cut_after"},
    {"fault": "cut_after", "how": "reset"},
    {"fault": "status", "status": 502, "work": True},
]
LEFT = [{"fault": "cut_before"}, {"fault": "status", "status": 502}]
WRITES = [
    ({"viewer_role": {"users": ["a"]}}, "PutServerAcl"),
    ({"disable_inheritance": True}, "PutServerAcl"),
    ({"state": "absent", "force": True}, "DeleteServerAcl"),
]


@pytest.mark.parametrize("fault", LOST)
@pytest.mark.parametrize(("options", "operation"), WRITES)
def test_a_write_whose_answer_is_lost_is_read_and_not_sent_again(user, em, options, operation, fault):
    start_with(user)
    em.faults([{"match": {"operation": operation}, "nth": "all", **fault}])
    run = user.run("aem_acl", **options)
    assert not run.failed and run.changed and writes(run) == [operation], run.result


@pytest.mark.parametrize("fault", LEFT)
@pytest.mark.parametrize(("options", "operation"), WRITES)
def test_a_write_that_shows_no_effect_fails(user, em, options, operation, fault):
    start_with(user)
    em.faults([{"match": {"operation": operation}, "nth": "all", **fault}])
    run = user.run("aem_acl", **options)
    assert run.failed and run.changed and "It shows no effect." in run.msg and writes(run) == [operation]


def test_somebody_else_was_faster(user, em):
    start_with(user)
    deleted = {"error_code": "AEM_SERVER_HAS_NO_ACL", "error_message": "deleted"}
    em.faults([{"match": {"operation": "DeleteServerAcl"}, "fault": "error", **deleted}])
    run = user.run("aem_acl", state="absent", force=True)
    assert not run.failed and not run.changed and run.result["acl"] is None


@pytest.mark.parametrize("code", ["AEM_SERVER_HAS_NO_ACL", "AEM_TASK_HAS_NO_ACL", "AEM_endpoint_HAS_NO_ACL"])
def test_each_spelling_of_no_acl(user, em, code):
    none = {"error_code": code, "error_message": "none"}
    em.faults([{"match": {"operation": "GetTaskAcl"}, "fault": "error", **none}])
    run = user.run("aem_acl_info", scope="task", task="orders")
    assert not run.failed and run.result["acl"] is None


def test_a_session_that_ends_before_the_write_starts_again_from_the_read(user, em):
    em.faults([{"match": {"operation": "PutServerAcl"}, "fault": "expire_session"}])
    run = user.run("aem_acl", **MYSELF)
    assert run.changed and not run.failed
    assert run.operations == [
        *("Login", "GetServerAcl", "PutServerAcl"),
        *("GetServerAcl", "Login", "GetServerAcl", "PutServerAcl", "Logout"),
    ]


def test_the_path_on_the_wire(user, em):
    server = {"name": "a b&c", "tasks": [{"name": "x/y #1?"}], "endpoints": [{"name": "100% é"}]}
    em.reset({"users": [THE_ADMIN], "servers": [server]})
    for options, path in (
        ({"scope": "task", "task": "x/y #1?"}, "/tasks/x%2Fy%20%231%3F"),
        ({"scope": "endpoint", "endpoint": "100% é"}, "/endpoints/100%25%20%C3%A9"),
    ):
        run = user.run("aem_acl", server="a b&c", **options, **MYSELF)
        assert run.changed, run.result
        expected = f"/attunityenterprisemanager/api/v1/servers/a%20b%26c{path}?action=acl"
        assert [request["raw_path"] for request in run.requests[1:3]] == [expected, expected]
