# Copyright (c) 2026, dataops.qlik_em contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""aem_change_data_info: the earliest barrier of a task, by one read."""

from __future__ import annotations

import pytest
from ansible_collections.dataops.qlik_em.tests.functional.support.user import User

ORDERS = {"server": "Replicate-Prod", "name": "orders"}
GET = "GetChangeDataRetentionBarrier"
POINT = "2026-11-24T22:00:00Z"


def set_barrier(user, application="nightly load", point=POINT, **task):
    run = user.run(
        "aem_change_data",
        **{**ORDERS, **task},
        state="barrier_present",
        application=application,
        retention_point=point,
    )
    assert not run.failed, run.result


@pytest.mark.parametrize("check", [False, True])
def test_the_barrier_is_returned_by_one_read(user, check):
    set_barrier(user)
    run = user.run("aem_change_data_info", **ORDERS, check=check, diff=True)
    assert not run.failed and not run.changed and "diff" not in run.result
    assert run.operations == ["Login", GET, "Logout"]
    assert run.result["barrier"] == {"application": "nightly load", "retention_point": POINT}


def test_of_several_barriers_the_earliest_is_returned(user):
    set_barrier(user)
    set_barrier(user, "audit", "2026-11-20")
    run = user.run("aem_change_data_info", **ORDERS)
    assert run.result["barrier"] == {"application": "audit", "retention_point": "2026-11-20T00:00:00Z"}


def test_a_task_without_a_barrier_is_not_a_failure(user):
    run = user.run("aem_change_data_info", **ORDERS)
    assert not run.failed and run.result["barrier"] is None


@pytest.mark.parametrize(
    ("spelling", "point"),
    [("2026-11-24T22:00:00", POINT), ("2026-11-24T22:00:00.000Z", POINT), ("2026-11-25T00:00:00+02:00", POINT)],
)
def test_the_time_is_in_utc_however_the_server_spells_it(user, em, spelling, point):
    barrier = {"application": "nightly load", "retention_point": spelling}
    em.faults([{"match": {"operation": GET}, "fault": "answer", "json": barrier}])
    assert user.run("aem_change_data_info", **ORDERS).result["barrier"]["retention_point"] == point


def test_names_are_data(user):
    awkward = {"server": "Replicate-Prod", "name": "Aufträge & Kunden 100%"}
    set_barrier(user, 'x "/&%é', **awkward)
    run = user.run("aem_change_data_info", **awkward)
    assert run.result["barrier"]["application"] == 'x "/&%é'
    assert "/Replicate-Prod/tasks/Auftr%C3%A4ge%20%26%20Kunden%20100%25?" in run.requests[1]["raw_path"]


def test_a_compose_server_has_no_barriers(user):
    run = user.run("aem_change_data_info", server="Compose-DW", name="nightly__sales")
    assert run.failed and run.result["error_code"] == "AEM_METHOD_NOT_SUPPORTED_VERSION"
    assert "Qlik Replicate" in run.result["hint"]


def test_a_viewer_may_read_and_others_learn_the_role(em):
    viewer = User(em, defaults={"username": "viewer@corp.example", "password": "viewer-test-password"})
    assert not viewer.run("aem_change_data_info", **ORDERS).failed
    refusal = {"fault": "error", "error_code": "UNAUTHORIZED_REQUEST", "error_message": "No."}
    em.faults([{"match": {"operation": GET}, "nth": "all", **refusal}])
    run = viewer.run("aem_change_data_info", **ORDERS)
    assert run.failed and not run.changed and "Viewer on the task" in run.result["hint"]
