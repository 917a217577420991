# Copyright (c) 2026, dataops.qlik_em contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Creating an endpoint takes dummies, and leaves none behind, whatever fails on the way."""

from __future__ import annotations

import os
import signal
import threading
import time

import pytest
from ansible_collections.dataops.qlik_em.tests.functional.support.endpoints import (
    PROD,
    endpoint,
    names,
    person,
    sent,
    writes,
)
from ansible_collections.dataops.qlik_em.tests.functional.support.user import User

NEW = {"name": "Archive & more", "type": "postgresql", "role": "target", "description": "Old orders"}
NEW |= {"settings": {"server": "archive", "port": None}, "secrets": {"password": "archive-password"}}
ALL = ["ImportTask", "DeleteTask", "DeleteEndpoint"]
ALL_BACK = [*ALL, "DeleteEndpoint"]
PREFIX = "dataops_qlik_em_temporary"


@pytest.fixture
def admin(em):
    """The Admin of Enterprise Manager."""
    return person(em, "admin")


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    """An import that does not show is not waited for long."""
    monkeypatch.setattr(User, "limits", User.limits._replace(import_lag=0.5))


def things(em):
    """Return the names of all tasks and endpoints of the server."""
    server = em.server(PROD)
    return {*server["tasks"], *server["endpoints"]}


@pytest.fixture
def at_first(em):
    """What was there before."""
    return things(em)


@pytest.mark.parametrize("role", ["source", "target", "both"])
def test_it_is_there_and_nothing_else_is(admin, em, at_first, role):
    run = endpoint(admin, **{**NEW, "role": role}, diff=True)
    assert not run.failed and run.changed and writes(run) == ALL
    assert things(em) == at_first | {NEW["name"]}
    made = em.endpoint(PROD, NEW["name"])
    assert (made["role"], made["type"], made["description"]) == (role.upper(), "POSTGRESQL", "Old orders")
    assert made["db_settings"] == {"$type": "PostgresqlSettings", "server": "archive", "password": "archive-password"}
    assert run.result["endpoint"] == {
        "server": PROD,
        "name": NEW["name"],
        "type": "POSTGRESQL",
        "role": role.upper(),
        "description": "Old orders",
    }
    assert run.result["diff"]["before"] == {}
    assert run.result["diff"]["after"]["settings"] == {
        "$type": "PostgresqlSettings",
        "server": "archive",
        "password": "********",
    }
    again = endpoint(admin, **{**NEW, "role": role})
    assert not again.failed and not again.changed and writes(again) == []


def test_the_import_is_what_the_guide_and_the_server_want(admin, em):
    em.set_server(PROD, version="2025.5.0.318")
    (document,) = sent(endpoint(admin, **NEW, update_password="always"), "ImportTask")
    assert document["_version"] == {
        "version": "2025.5.0.318",
        "version_major": 2025,
        "version_minor": 5,
        "version_revision": 318,
    }
    content = document["cmd.replication_definition"]
    (task,), (other, wanted) = content["tasks"], content["databases"]
    assert task["task"]["name"].startswith(f"{PREFIX}_task_") and other["name"].startswith(f"{PREFIX}_endpoint_")
    assert wanted["name"] == NEW["name"] and wanted["type_id"] == "POSTGRESQL_COMPONENT_TYPE"
    assert task["task"]["target_names"] == [wanted["name"]] and task["task"]["source_name"] == other["name"]
    (second,) = sent(endpoint(admin, **{**NEW, "name": "other"}), "ImportTask")
    assert second["cmd.replication_definition"]["tasks"][0]["task"]["name"] != task["task"]["name"]


@pytest.mark.parametrize(
    ("role", "other_type"),
    [
        ("source", "NULL_TARGET_COMPONENT_TYPE"),
        ("both", "NULL_TARGET_COMPONENT_TYPE"),
        ("target", "FILE_COMPONENT_TYPE"),
    ],
)
def test_the_other_end_is_a_file_source_or_a_null_target(admin, role, other_type):
    (document,) = sent(endpoint(admin, **{**NEW, "role": role}), "ImportTask")
    types = {one["name"]: one["type_id"] for one in document["cmd.replication_definition"]["databases"]}
    assert types.pop(NEW["name"]) == "POSTGRESQL_COMPONENT_TYPE" and list(types.values()) == [other_type]


def test_a_type_may_be_spelled_in_several_ways(admin, em):
    new = {"name": "new", "role": "source"}
    run = endpoint(admin, **new, type="sql server")
    assert run.changed and run.result["endpoint"]["type"] == "SQL_SERVER"
    assert em.endpoint(PROD, "new")["db_settings"] == {"$type": "SqlserverSettings"}
    for spelling in ("SQL_SERVER", "Sql-Server", "sql_server_component_type"):
        again = endpoint(admin, **new, type=spelling)
        assert not again.failed and not again.changed
        info = admin.run("aem_endpoint_info", server=PROD, type=spelling)
        assert [one["name"] for one in info.result["endpoints"]] == ["new"]
    assert endpoint(admin, **new, type="sqlserver").failed


def test_an_import_that_takes_effect_late_is_waited_for(admin, em, at_first):
    em.set_server(PROD, import_seconds=1)
    run = endpoint(admin, **NEW)
    assert not run.failed and writes(run) == ALL and things(em) == at_first | {NEW["name"]}


def test_an_import_that_never_shows_fails_in_time(admin, em, at_first):
    em.set_server(PROD, import_seconds=60)
    run = endpoint(admin, **NEW, wait_timeout=1)
    assert run.failed and run.changed and "has not appeared after 1" in run.msg and "wait_timeout" in run.result["hint"]
    assert [(one["kind"], one["name"][: len(PREFIX)], one["msg"]) for one in run.result["left_behind"]] == [
        ("task", PREFIX, "it has not appeared yet, but may do so later"),
        ("endpoint", PREFIX, "it has not appeared yet, but may do so later"),
    ]
    assert all(one["name"] in run.msg for one in run.result["left_behind"])
    assert things(em) == at_first


def test_a_refused_import_leaves_nothing(admin, em, at_first):
    em.set_server(PROD, fail_import="No.")
    run = endpoint(admin, **NEW)
    assert run.failed and not run.changed and "No." in run.msg and writes(run) == ["ImportTask"]
    assert things(em) == at_first and "left_behind" not in run.result


def test_an_import_that_failed_half_way_is_taken_back(admin, em, at_first):
    rule = {"fault": "error", "error_code": "AEM_ODD", "error_message": "Half of it.", "work": True}
    em.faults({"match": {"operation": "ImportTask"}, **rule})
    run = endpoint(admin, **NEW)
    assert run.failed and "Half of it." in run.msg and writes(run) == ALL_BACK
    assert things(em) == at_first


@pytest.mark.parametrize("fault", [{"fault": "cut_after"}, {"fault": "status", "status": 502, "work": True}], ids=str)
@pytest.mark.parametrize("operation", ["ImportTask", "DeleteTask", "DeleteEndpoint"])
def test_a_lost_answer_is_no_failure_if_it_was_done(admin, em, at_first, operation, fault):
    em.faults({"match": {"operation": operation}, **fault})
    run = endpoint(admin, **NEW)
    assert not run.failed and run.changed and writes(run) == ALL, run.result
    assert things(em) == at_first | {NEW["name"]}


@pytest.mark.parametrize("operation", ["DeleteTask", "DeleteEndpoint"])
def test_a_deletion_that_was_lost_on_its_way_is_sent_once_more(admin, em, at_first, operation):
    em.faults({"match": {"operation": operation}, "fault": "cut_before"})
    run = endpoint(admin, **NEW)
    assert not run.failed and run.changed and run.operations.count(operation) == 2, run.result
    assert things(em) == at_first | {NEW["name"]}


def test_an_import_that_was_lost_on_its_way_is_not_sent_again(admin, em, at_first):
    em.faults({"match": {"operation": "ImportTask"}, "fault": "cut_before"})
    run = endpoint(admin, **NEW)
    assert run.failed and run.changed and writes(run) == ["ImportTask"] and "It shows no effect" in run.msg
    assert things(em) == at_first


def test_a_late_import_whose_answer_was_lost_is_found(admin, em, at_first, monkeypatch):
    monkeypatch.setattr(User, "limits", User.limits._replace(import_lag=5))
    em.set_server(PROD, import_seconds=0.5)
    em.faults({"match": {"operation": "ImportTask"}, "fault": "cut_after"})
    run = endpoint(admin, **NEW)
    assert not run.failed and things(em) == at_first | {NEW["name"]}


def test_a_dummy_task_that_cannot_be_deleted_is_named_with_all_that_stays_with_it(admin, em, at_first):
    em.faults({"match": {"operation": "DeleteTask"}, "fault": "error", "error_code": "AEM_ODD", "error_message": "No."})
    run = endpoint(admin, **NEW)
    assert run.failed and run.changed
    left = things(em) - at_first - {NEW["name"]}
    assert {one["name"] for one in run.result["left_behind"]} == left and len(left) == 2
    assert all(name.startswith(PREFIX) and f'"{name}"' in run.msg for name in left)
    assert (
        f'The endpoint "{NEW["name"]}" on server "{PROD}" is as requested, but temporary objects could not be '
        f'deleted. Left behind on server "{PROD}"'
    ) in run.msg
    assert len(run.msg.splitlines()) == 1 and run.result["hint"]
    assert NEW["name"] in names(em)


def test_a_dummy_endpoint_that_is_refused_is_named_and_the_task_is_gone(admin, em, at_first):
    rule = {"fault": "error", "error_code": "AEM_DELETE_ENDPOINT_INNER_ERR", "error_message": "No."}
    em.faults({"match": {"operation": "DeleteEndpoint"}, **rule})
    run = endpoint(admin, **NEW)
    assert run.failed and run.changed
    (left,) = things(em) - at_first - {NEW["name"]}
    assert [(one["kind"], one["name"]) for one in run.result["left_behind"]] == [("endpoint", left)]


def test_a_server_that_takes_a_moment_to_let_go_is_waited_for(admin, em, at_first):
    rule = {"fault": "error", "error_code": "AEM_ENDPOINT_IS_IN_USE", "error_message": "Not yet.", "count": 2}
    em.faults({"match": {"operation": "DeleteEndpoint"}, **rule})
    run = endpoint(admin, **NEW)
    assert not run.failed and things(em) == at_first | {NEW["name"]}
    em.faults({"match": {"operation": "DeleteEndpoint"}, **rule, "nth": "all"} | {"count": 99})
    run = endpoint(admin, **{**NEW, "name": "other"})
    assert run.failed and "failed: Not yet" in run.msg


def test_a_look_that_fails_after_the_import_takes_all_back(admin, em, at_first):
    rule = {"fault": "error", "error_code": "AEM_ODD", "error_message": "No."}
    em.faults({"match": {"operation": "GetEndpointList"}, "nth": 2, **rule})
    run = endpoint(admin, **NEW)
    assert run.failed and run.changed and "No." in run.msg and writes(run) == ALL_BACK
    assert things(em) == at_first


def test_an_endpoint_that_was_there_is_never_taken_back(admin, em, at_first):
    unused = "Down & out"
    before = em.endpoint(PROD, unused)
    rule = {"fault": "error", "error_code": "AEM_ODD", "error_message": "No."}
    em.faults({"match": {"operation": "GetEndpointList"}, "nth": 2, **rule})
    run = endpoint(admin, name=unused, description="New")
    assert run.failed and things(em) == at_first
    assert em.endpoint(PROD, unused) == {**before, "description": "New"}


@pytest.mark.usefixtures("heeded")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_who_is_interrupted_cleans_up(admin, em, at_first, monkeypatch, number):
    em.set_server(PROD, import_seconds=0.8)

    def interrupt():
        deadline = time.monotonic() + 10
        while not any(r["operation"] == "ImportTask" and r["executed"] for r in em.requests()):
            assert time.monotonic() < deadline
            time.sleep(0.01)
        time.sleep(0.2)
        os.kill(os.getpid(), number)

    monkeypatch.setattr(User, "limits", User.limits._replace(import_lag=5))
    thread = threading.Thread(target=interrupt)
    thread.start()
    run = endpoint(admin, **NEW)
    thread.join()
    assert run.failed and run.changed and f"Interrupted by {number.name}" in run.msg, run.result
    assert writes(run) == ALL_BACK and things(em) == at_first
    assert em.summary()["open_sessions"] == 0


def test_who_is_interrupted_before_the_import_has_nothing_to_clean_up(admin, em, at_first):
    em.faults({"match": {"operation": "GetServerDetails"}, "fault": "delay", "seconds": 0.5})
    threading.Timer(0.3, os.kill, (os.getpid(), signal.SIGTERM)).start()
    run = endpoint(admin, **NEW)
    assert run.failed and writes(run) == [] and things(em) == at_first


def test_a_user_without_rights_is_told_and_nothing_happens(em, at_first):
    for who in ("viewer", "operator"):
        run = endpoint(person(em, who), **NEW)
        assert run.failed and not run.changed and run.result["error_code"] == "UNAUTHORIZED_REQUEST"
        assert run.result["hint"] and things(em) == at_first
        assert run.operations[-2:] == ["ImportTask", "Logout"]


def test_a_designer_may(em, at_first):
    run = endpoint(person(em, "designer"), **NEW)
    assert not run.failed and things(em) == at_first | {NEW["name"]}
