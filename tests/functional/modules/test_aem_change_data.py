# Copyright (c) 2026, dataops.qlik_em contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""aem_change_data: barriers by reading, deletion by force, and what a lost answer leaves known."""

from __future__ import annotations

import pytest
from ansible_collections.dataops.qlik_em.tests.functional.support.user import User

ORDERS = {"server": "Replicate-Prod", "name": "orders"}
POINT = "2026-11-24T22:00:00Z"
SET, GET = "SetChangeDataRetentionBarrier", "GetChangeDataRetentionBarrier"
PRESENT = {**ORDERS, "state": "barrier_present", "application": "nightly load", "retention_point": POINT}
ABSENT = {**ORDERS, "state": "barrier_absent", "application": "nightly load"}
DELETED = {**ORDERS, "state": "deleted", "timestamp_or_offset": "P30D", "force": True}


def barriers(em, name="orders", server="Replicate-Prod"):
    return em.inside(server, name)["barriers"]


def deleted(em):
    return [one["timestamp_or_offset"] for one in em.inside("Replicate-Prod", "orders")["deleted_change_data"]]


def sent(run):
    """Return the writes."""
    return [request["operation"] for request in run.requests if request["method"] in ("PUT", "POST")][1:]


def test_a_barrier_is_set_moved_and_removed_once_each(user, em):
    for options, point in ((PRESENT, POINT), ({**PRESENT, "retention_point": "2026-11-23"}, "2026-11-23T00:00:00Z")):
        run = user.run("aem_change_data", **options, diff=True)
        assert run.changed and barriers(em) == {"nightly load": point}
        assert run.result["barrier"] == {"application": "nightly load", "retention_point": point}
        assert run.result["diff"]["after"] == {"retention_point": point}
        run = user.run("aem_change_data", **options)
        assert not run.changed and run.operations == ["Login", GET, "Logout"] and "diff" not in run.result
    run = user.run("aem_change_data", **ABSENT, diff=True)
    assert run.changed and barriers(em) == {} and run.result["barrier"] is None
    assert run.result["diff"]["before"] == {"retention_point": "2026-11-23T00:00:00Z"}
    assert run.result["diff"]["after"] == {"retention_point": None}
    run = user.run("aem_change_data", **ABSENT)
    assert not run.changed and sent(run) == []


@pytest.mark.parametrize("spelling", ["2026-11-24T22:00:00", "2026-11-24 22:00:00+00:00", "2026-11-25T00:00:00+02:00"])
def test_a_time_is_the_same_however_it_is_spelled(user, spelling):
    user.run("aem_change_data", **PRESENT)
    assert not user.run("aem_change_data", **{**PRESENT, "retention_point": spelling}).changed


@pytest.mark.parametrize("spelling", ["2026-11-24T22:00:00", "2026-11-24T22:00:00.000Z"])
def test_a_barrier_is_the_same_however_the_server_spells_it(user, em, spelling):
    barrier = {"application": "nightly load", "retention_point": spelling}
    em.faults([{"match": {"operation": GET}, "nth": "all", "fault": "answer", "json": barrier}])
    run = user.run("aem_change_data", **PRESENT)
    assert not run.changed and run.result["barrier"]["retention_point"] == POINT


def test_the_barrier_of_another_application_is_left_alone(user, em):
    """The API shows the earliest barrier only, so ours is sent again whenever that is not ours: it does no harm."""
    other = {**PRESENT, "application": "audit", "retention_point": "2026-11-20"}
    user.run("aem_change_data", **other)
    for _time in range(2):
        foreseen = user.run("aem_change_data", **PRESENT, check=True, diff=True)
        run = user.run("aem_change_data", **PRESENT, diff=True)
        assert run.changed and foreseen.changed and run.result["diff"] == foreseen.result["diff"]
        assert run.result["diff"]["before"] == {"retention_point": "not known"}
        assert run.result["barrier"] == foreseen.result["barrier"]
        assert run.result["barrier"]["application"] == "audit"
        assert barriers(em) == {"audit": "2026-11-20T00:00:00Z", "nightly load": POINT}
    assert user.run("aem_change_data", **ABSENT).changed
    assert barriers(em) == {"audit": "2026-11-20T00:00:00Z"}
    earlier = {**PRESENT, "retention_point": "2026-11-19"}
    foreseen = user.run("aem_change_data", **earlier, check=True)
    run = user.run("aem_change_data", **earlier)
    assert run.result["barrier"] == foreseen.result["barrier"]
    assert run.result["barrier"]["application"] == "nightly load"
    assert not user.run("aem_change_data", **earlier).changed


def test_old_change_data_is_deleted_each_time_and_only_by_force(user, em):
    run = user.run("aem_change_data", **{**DELETED, "force": False})
    assert run.failed and "force: true" in run.msg and run.requests == []
    run = user.run("aem_change_data", **DELETED, check=True)
    assert run.changed and sent(run) == [] and deleted(em) == []
    for _time in range(2):
        run = user.run("aem_change_data", **DELETED)
        assert run.changed and run.operations == ["Login", GET, "DeleteOldChangeData", "Logout"]
    assert deleted(em) == ["P30D", "P30D"]


@pytest.mark.parametrize(
    ("given", "wire"),
    [("P1M3DT1H2M", "P1M3DT1H2M"), ("PT12H", "PT12H"), ("P2W", "P2W"), ("2026-11-01", "2026-11-01T00:00:00Z")],
)
def test_what_is_old_is_a_time_or_a_duration(user, em, given, wire):
    user.run("aem_change_data", **{**DELETED, "timestamp_or_offset": given})
    assert deleted(em) == [wire]


def test_names_are_data(user, em):
    for server, name, path in (
        ("Replicate-Test", "a+b=c #1?", "/servers/Replicate-Test/tasks/a%2Bb%3Dc%20%231%3F?"),
        ("Replicate-Test", "north/south", "/servers/Replicate-Test/tasks/north%2Fsouth?"),
        ("Replicate-Prod", "Aufträge & Kunden 100%", "/Replicate-Prod/tasks/Auftr%C3%A4ge%20%26%20Kunden%20100%25?"),
    ):
        awkward = {**PRESENT, "server": server, "name": name, "application": 'x "/&%é'}
        run = user.run("aem_change_data", **awkward)
        assert run.changed and barriers(em, name, server) == {'x "/&%é': POINT}
        assert all(path in request["raw_path"] for request in run.requests[1:-1])


@pytest.mark.parametrize("state", [PRESENT, ABSENT, DELETED])
def test_what_does_not_exist_is_a_failure(user, state):
    run = user.run("aem_change_data", **{**state, "name": "nothing"}, check=True)
    assert run.failed and run.result["error_code"] == "AEM_TASK_NOT_FOUND" and not run.changed
    run = user.run("aem_change_data", **{**state, "server": "Compose-DW", "name": "nightly__sales"})
    assert run.result["error_code"] == "AEM_METHOD_NOT_SUPPORTED_VERSION" and "Qlik Replicate" in run.result["hint"]


@pytest.mark.parametrize("state", [PRESENT, DELETED])
def test_a_refusal_names_the_role(em, state):
    viewer = User(em, defaults={"username": "viewer@corp.example", "password": "viewer-test-password"})
    run = viewer.run("aem_change_data", **state)
    assert run.failed and not run.changed and "Operator on the task" in run.result["hint"]


LOST = [{"fault": "cut_after"}, {"fault": "status", "status": 502, "work": True}]
UNDONE = [{"fault": "cut_before"}, {"fault": "status", "status": 502}]


def spoil(em, operation, fault):
    em.faults([{"match": {"operation": operation}, **fault}])


@pytest.mark.parametrize("fault", LOST)
def test_a_barrier_that_took_effect_is_a_success_though_its_answer_was_lost(user, em, fault):
    for options in (PRESENT, ABSENT):
        spoil(em, SET, fault)
        run = user.run("aem_change_data", **options)
        assert not run.failed and run.changed and sent(run) == [SET]


@pytest.mark.parametrize("fault", UNDONE)
def test_a_barrier_that_took_no_effect_is_a_failure_and_is_not_sent_again(user, em, fault):
    spoil(em, SET, fault)
    run = user.run("aem_change_data", **PRESENT)
    assert run.failed and run.changed and sent(run) == [SET] and "It shows no effect" in run.msg
    assert barriers(em) == {}


def test_a_barrier_behind_another_one_cannot_be_seen_after_a_lost_answer(user, em):
    user.run("aem_change_data", **{**PRESENT, "application": "audit", "retention_point": "2026-11-20"})
    spoil(em, SET, {"fault": "cut_after"})
    run = user.run("aem_change_data", **PRESENT)
    assert run.failed and run.changed and sent(run) == [SET]
    assert 'the earliest barrier is of the application "audit"' in run.msg


def test_the_earliest_barrier_is_found_deleted_though_another_one_follows(user, em):
    user.run("aem_change_data", **{**PRESENT, "application": "audit", "retention_point": "2026-11-25"})
    user.run("aem_change_data", **PRESENT)
    spoil(em, SET, {"fault": "cut_after"})
    run = user.run("aem_change_data", **ABSENT)
    assert not run.failed and run.changed and run.result["barrier"]["application"] == "audit"


@pytest.mark.parametrize("fault", [*LOST, *UNDONE])
def test_a_deletion_without_an_answer_is_a_failure_that_may_have_changed_something(user, em, fault):
    spoil(em, "DeleteOldChangeData", fault)
    run = user.run("aem_change_data", **DELETED)
    assert run.failed and run.changed and sent(run) == ["DeleteOldChangeData"]
    assert "does not show which change data exists" in run.msg


def test_a_failed_look_afterwards_does_not_hide_the_change(user, em):
    failure = {"fault": "error", "error_code": "ODD", "error_message": "x"}
    em.faults([{"match": {"operation": GET}, "nth": 2, "count": 9, **failure}])
    run = user.run("aem_change_data", **PRESENT)
    assert run.failed and run.changed and run.result["error_code"] == "ODD" and barriers(em)
