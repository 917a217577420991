# Copyright (c) 2026, dataops.qlik_em contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""aem_server: a definition is read, changed and written in one session; secrets stay in."""

from __future__ import annotations

import json

import pytest
from ansible_collections.dataops.qlik_em.tests.functional.every_module.cases_servers import NEW
from ansible_collections.dataops.qlik_em.tests.functional.support.user import User

ADMIN = {"username": "admin@corp.example", "password": "admin-test-password"}
PASSWORD = NEW["server_password"]
PROD = "Replicate-Prod"
ON_PROD = {"name": PROD, "description": "Changed"}


@pytest.fixture
def user(em):
    """An admin."""
    return User(em, defaults=ADMIN)


def sent(run):
    """Return the bodies of all PutServer, in order."""
    return [json.loads(r["body"]) for r in run.requests if r["operation"] == "PutServer"]


def writes(run):
    return [r["operation"] for r in run.requests if r["method"] != "GET" and r["operation"] != "Login"]


def executed(run):
    return [r["operation"] for r in run.requests if r["executed"] and r["operation"] in writes(run)]


# Adding


def test_a_new_server_is_sent_whole_and_type_first(user, em):
    run = user.run("aem_server", **NEW, diff=True)
    assert run.operations == ["Login", "GetServer", "PutServer", "Logout"]
    (body,) = sent(run)
    assert next(iter(body)) == "$type"
    assert body == {
        "$type": "AemReplicateServer",
        "name": "Replicate-New",
        "description": "",
        "host": "new.corp.example",
        "port": "443",
        "username": "em",
        "password": PASSWORD,
        "verify_server_certificate": True,
        "monitored": True,
    }
    assert em.server("Replicate-New")["password"] == PASSWORD
    assert run.changed and run.result["server"] == {
        "name": "Replicate-New",
        "type": "replicate",
        "description": "",
        "host": "new.corp.example",
        "port": "443",
        "username": "em",
        "verify_server_certificate": True,
        "monitored": True,
    }
    assert run.result["diff"]["before"] == {} and run.result["diff"]["after"] == run.result["server"]


def test_a_port_that_the_server_spells_as_a_number_with_a_fraction(user, em):
    shown = {"$type": "AemReplicateServer", "name": PROD, "host": "h", "port": 3552.0, "password": "guid-1"}
    em.faults([{"match": {"operation": "GetServer"}, "nth": "all", "fault": "answer", "json": shown}])
    assert not user.run("aem_server", name=PROD, host="h", port=3552).changed
    (body,) = sent(user.run("aem_server", name=PROD, description="new"))
    assert str(body["port"]) == "3552"


def test_a_compose_server(user, em):
    assert user.run("aem_server", **{**NEW, "type": "compose"}).changed
    assert em.server("Replicate-New")["type"] == "COMPOSE"
    again = user.run("aem_server", **{**NEW, "type": "compose"})
    assert not again.changed and again.result["server"]["type"] == "compose" and writes(again) == []


@pytest.mark.parametrize("kind", ["COMPOSE_FDL", "COMPOSE_FDW"])
def test_all_kinds_of_compose_are_compose(user, em, kind):
    em.reset({"users": ALL, "servers": [{"name": "C", "type": kind}]})
    run = user.run("aem_server", name="C", type="compose", description="x")
    assert not run.failed and sent(run)[0]["$type"] == "AemComposeServer"


# Changing


@pytest.mark.parametrize(
    ("options", "member", "value"),
    [
        ({"description": "Changed"}, "description", "Changed"),
        ({"description": ""}, "description", ""),
        ({"host": "elsewhere"}, "host", "elsewhere"),
        ({"port": 3552}, "port", "3552"),
        ({"server_username": "other", "server_password": None}, "username", "other"),
        ({"verify_server_certificate": False}, "verify_server_certificate", False),
        ({"monitored": False}, "monitored", False),
    ],
)
def test_what_is_not_given_keeps_what_is_there(user, em, options, member, value):
    before = user.run("aem_server", name=PROD).result["server"]
    run = user.run("aem_server", name=PROD, diff=True, **{"server_password": "not to be sent", **options})
    assert run.changed and run.result["server"] == {**before, member: value}
    assert run.result["diff"]["before"] == before and run.result["diff"]["after"] == {**before, member: value}
    assert em.server(PROD)["password"] == "server-test-password"
    (body,) = sent(run)
    assert next(iter(body)) == "$type" and body["type"] == "REPLICATE" and "not to be" not in str(body)
    again = user.run("aem_server", name=PROD, **options)
    assert not again.changed and writes(again) == []


def test_members_that_we_do_not_know_are_sent_back(user, em):
    definition = {"$type": "AemReplicateServer", "name": PROD, "host": "h", "port": 443, "username": "u", "new": [1]}
    em.faults([{"match": {"operation": "GetServer"}, "nth": "all", "fault": "answer", "json": definition}])
    run = user.run("aem_server", name=PROD, host="h", port=443, description="x")
    assert sent(run)[0] == {**definition, "port": "443", "description": "x"}
    assert not user.run("aem_server", name=PROD, host="h", port=443).changed


@pytest.mark.parametrize("kind", [{}, {"$type": "AemComposeServer"}])
def test_the_type_comes_first_wherever_it_was(user, em, kind):
    definition = {"name": PROD, "host": "h", "username": "u", "type": "COMPOSE", **kind}
    em.faults([{"match": {"operation": "GetServer"}, "fault": "answer", "json": definition}])
    (body,) = sent(user.run("aem_server", name=PROD, description="x"))
    assert next(iter(body.items())) == ("$type", "AemComposeServer")


def test_the_type_cannot_be_changed(user):
    run = user.run("aem_server", name=PROD, type="compose")
    assert run.failed and writes(run) == []
    assert run.msg.startswith(f'The server "{PROD}" is of type replicate, which cannot be changed to compose.')
    assert not user.run("aem_server", name=PROD, type="replicate").changed


def test_the_password_of_a_server_that_is_there_is_sent_only_if_wanted(user, em):
    run = user.run("aem_server", name=PROD, server_password=PASSWORD)
    assert not run.changed and writes(run) == []
    for check in (True, False):
        run = user.run("aem_server", name=PROD, server_password=PASSWORD, update_password="always", check=check)
        assert run.changed and bool(writes(run)) is not check
        if check:
            assert run.result["diff"]["after"]["server_password"] == "sent anew, not shown"
    assert em.server(PROD)["password"] == PASSWORD
    assert user.run("aem_server", name=PROD, server_password=PASSWORD, update_password="always").changed


# Sessions


def test_another_user_does_not_get_the_password_of_the_one_before(user, em):
    known = {"name": "Replicate-Test", "server_password": "another-test-password"}
    run = user.run("aem_server", **known, server_username="other")
    assert run.failed and not run.changed and "PutServer" not in run.operations
    assert 'would get the user "other" with the password of the user "' in run.msg
    assert "update_password: always" in run.result["hint"]
    for more in ({"update_password": "always"}, {"server_password": None}):
        assert user.run("aem_server", **{**known, "server_username": "other", **more}).changed
        em.reset()


def test_a_session_that_ends_before_the_write_starts_again_from_the_read(user, em):
    em.faults([{"match": {"operation": "PutServer"}, "fault": "expire_session"}])
    run = user.run("aem_server", **ON_PROD)
    assert run.changed and not run.failed, run.result
    guids = [body["password"] for body in sent(run)]
    assert len(guids) == 2 and guids[0] != guids[1]
    assert executed(run) == ["PutServer"]
    assert em.server(PROD)["password"] == "server-test-password" and em.server(PROD)["description"] == "Changed"
    # The read finds the session dead, renews it and is sent once more.
    assert run.operations == [
        *("Login", "GetServer", "PutServer"),
        *("GetServer", "Login", "GetServer", "PutServer", "Logout"),
    ]


def test_a_session_that_ends_each_time_is_given_up(user, em):
    em.faults([{"match": {"operation": "PutServer"}, "nth": "all", "fault": "expire_session"}])
    run = user.run("aem_server", **ON_PROD)
    assert run.failed and not run.changed and run.result["error_code"] == "INVALID_SESSION_ID"
    assert len(sent(run)) == 2 and executed(run) == []


def test_a_passed_in_session_without_another_login_is_not_renewed(user, em):
    session_id = user.run("aem_session", state="present").result["session_id"]
    em.faults([{"match": {"operation": "PutServer"}, "fault": "expire_session"}])
    run = User(em).run("aem_server", session_id=session_id, **ON_PROD)
    assert run.failed and run.result["error_code"] == "INVALID_SESSION_ID" and executed(run) == []
    assert "Login" not in run.operations


# Removing


def test_removing(user, em):
    run = user.run("aem_server", name=PROD, state="absent", check=True)
    assert run.changed and writes(run) == [] and run.result["diff"]["after"] == {}
    run = user.run("aem_server", name=PROD, state="absent", diff=True)
    assert run.changed and run.result["server"] == {} and run.result["diff"]["before"]["name"] == PROD
    assert PROD not in em.state()["servers"]
    again = user.run("aem_server", name=PROD, state="absent", diff=True)
    assert not again.changed and writes(again) == [] and again.result["diff"]["before"] == {}


def test_somebody_else_was_faster(user, em):
    deleted = {"error_code": "AEM_SERVER_NOT_FOUND", "error_message": "deleted"}
    em.faults([{"match": {"operation": "DeleteServer"}, "fault": "error", **deleted}])
    run = user.run("aem_server", name=PROD, state="absent")
    assert not run.failed and not run.changed


# Waiting


def test_waiting_until_it_is_monitored(user, em):
    em.set_variants(new_server={"connect_seconds": 0.4})
    run = user.run("aem_server", **NEW, wait=True, wait_sleep=0.1)
    assert run.changed and run.result["server"]["state"] == "MONITORED" and run.result["server"]["message"] == ""
    assert run.operations.count("GetServerDetails") >= 3
    run = user.run("aem_server", **NEW, wait=True, check=True)
    assert not run.changed and "state" not in run.result["server"] and "GetServerDetails" not in run.operations


def test_a_wait_is_bounded_and_says_what_was_seen(user, em):
    em.set_variants(new_server={"connect_error": "Bad credentials."})
    run = user.run("aem_server", **NEW, wait=True, wait_sleep=0.1, wait_timeout=1)
    assert run.failed and run.changed
    assert run.msg == (
        'The server "Replicate-New" is not monitored after 1 s. It is in the state ERROR: Bad credentials.'
    )
    assert run.result["server"]["state"] == "ERROR" and "server_password" in run.result["hint"]
    run = user.run("aem_server", **NEW, wait=True, wait_sleep=0.1, wait_timeout=1)
    assert run.failed and not run.changed


def test_a_server_that_is_not_monitored_is_not_waited_for(user):
    run = user.run("aem_server", name="Replicate Old", wait=True)
    assert not run.failed and not run.changed
    assert run.result["warnings"] == ['The server "Replicate Old" is not monitored, so there is nothing to wait for.']


def test_a_failure_while_waiting_says_that_the_server_was_changed(user, em):
    em.faults([{"match": {"operation": "GetServerDetails"}, "nth": "all", "fault": "error", "error_code": "AEM_ODD"}])
    run = user.run("aem_server", **ON_PROD, wait=True)
    assert run.failed and run.changed and run.result["error_code"] == "AEM_ODD"


# Lost answers

LOST = [
    {"fault": "cut_after"},
    {"fault": "cut_after", "how": "reset"},
    {"fault": "status", "status": 502, "work": True},
]
LEFT = [{"fault": "cut_before"}, {"fault": "status", "status": 502}]


@pytest.mark.parametrize("fault", LOST)
@pytest.mark.parametrize(
    ("options", "operation"),
    [(NEW, "PutServer"), (ON_PROD, "PutServer"), ({"name": PROD, "state": "absent"}, "DeleteServer")],
)
def test_a_write_whose_answer_is_lost_is_read_and_not_sent_again(user, em, options, operation, fault):
    em.faults([{"match": {"operation": operation}, "nth": "all", **fault}])
    run = user.run("aem_server", **options)
    assert not run.failed and run.changed, run.result
    assert writes(run) == [operation]


@pytest.mark.parametrize("fault", LEFT)
@pytest.mark.parametrize(
    ("options", "operation"),
    [(NEW, "PutServer"), (ON_PROD, "PutServer"), ({"name": PROD, "state": "absent"}, "DeleteServer")],
)
def test_a_write_that_shows_no_effect_fails_and_may_have_changed_something(user, em, options, operation, fault):
    em.faults([{"match": {"operation": operation}, "nth": "all", **fault}])
    run = user.run("aem_server", **options)
    assert run.failed and run.changed and "It shows no effect." in run.msg and "run this again" in run.result["hint"]
    assert writes(run) == [operation]
    em.clear_faults()
    assert user.run("aem_server", **options).changed


def test_a_password_whose_answer_is_lost_is_not_taken_for_stored(user, em):
    em.faults([{"match": {"operation": "PutServer"}, **LOST[0]}])
    run = user.run("aem_server", name=PROD, server_password=PASSWORD, update_password="always")
    assert run.failed and run.changed and "only the password was to be changed, and it cannot be read" in run.msg
    em.faults([{"match": {"operation": "PutServer"}, **LOST[0]}])
    run = user.run("aem_server", **ON_PROD, server_password=PASSWORD, update_password="always")
    assert not run.failed and run.changed, "the description shows that all was taken"


# Refusals and bad input


@pytest.mark.parametrize(
    ("login", "options", "role"),
    [
        ("operator", ON_PROD, "Admin on the server (on All Servers for a new one)"),
        ("operator", NEW, "Admin on the server (on All Servers for a new one)"),
        ("operator", {"name": PROD, "state": "absent"}, "Admin on the server"),
        ("viewer", ON_PROD, "Operator on the server"),
    ],
)
def test_a_missing_role_is_named(user, em, login, options, role):
    run = user.run("aem_server", **options, username=f"{login}@corp.example", password=f"{login}-test-password")
    assert run.failed and not run.changed and f"requires the role {role}." in run.result["hint"]
    assert executed(run) == []


@pytest.mark.parametrize(
    ("member", "value", "code", "hint"),
    [
        ("host", "https://x", "AEM_INVALID_HOST", "without scheme"),
        ("description", "x" * 1001, "AEM_INVALID_DESC", "Shorten"),
        ("name", "Replicate<New", "AEM_INVALID_NAME", "another name"),
    ],
)
def test_what_the_server_does_not_take(user, member, value, code, hint):
    run = user.run("aem_server", **{**NEW, member: value})
    assert run.failed and not run.changed and run.result["error_code"] == code and hint in run.result["hint"]


def test_a_put_that_fails_says_why(user, em):
    em.set_server(PROD, fail_put="The user is not an administrator.")
    run = user.run("aem_server", **ON_PROD)
    assert run.failed and "The user is not an administrator." in run.msg
    assert "administrator of that server" in run.result["hint"]
    em.set_server(PROD, fail_delete=True)
    run = user.run("aem_server", name=PROD, state="absent")
    assert run.failed and run.result["error_code"] == "AEM_DELETE_SERVER_INNER_ERR" and run.result["hint"]


# Names and secrets


ALL = [
    {
        "name": "admin",
        "logins": ["admin@corp.example"],
        "password": "admin-test-password",
        "grants": [{"role": "Admin"}],
    }
]
NAMES = {"a&b=c": "a%26b%3Dc", "100% #1?": "100%25%20%231%3F", "north/south": "north%2Fsouth", "Süd": "S%C3%BCd"}


@pytest.mark.parametrize("name", NAMES)
def test_the_path_on_the_wire(user, em, name):
    em.reset({"users": ALL, "servers": [{"name": name}]})
    path = f"/attunityenterprisemanager/api/v1/servers/{NAMES[name]}/def"
    for options, verbs in (({"description": "x"}, ["GET", "PUT"]), ({"state": "absent"}, ["GET", "DELETE"])):
        run = user.run("aem_server", name=name, **options)
        assert run.changed, run.result
        assert [(r["method"], r["raw_path"]) for r in run.requests[1:-1]] == [(verb, path) for verb in verbs]


def test_neither_the_password_nor_its_guid_comes_out(user, em):
    guid = "5f0c1d2e-1111-4222-8333-944455556666"
    definition = {"$type": "AemReplicateServer", "name": PROD, "host": "h", "password": guid, "username": "u"}
    em.faults(
        [
            {"match": {"operation": "GetServer"}, "nth": "all", "fault": "answer", "json": definition},
            {
                "match": {"operation": "PutServer"},
                "fault": "error",
                "error_code": "AEM_ODD",
                "error_message": f"Cannot use {guid} or {PASSWORD} or {PASSWORD.replace(' ', '%20')}.",
            },
        ]
    )
    options = {"server_password": PASSWORD, "update_password": "always"}
    run = user.run("aem_server", name=PROD, **options, diff=True)
    assert run.failed and "Cannot use ******** or ******** or ********." in run.msg
    run = user.run("aem_server", name=PROD, **options, diff=True, check=True)
    assert guid not in str(run.result) and PASSWORD not in str(run.result)
