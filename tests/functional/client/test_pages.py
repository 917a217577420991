# Copyright (c) 2026, dataops.qlik_em contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A page where the API should answer: what it says of a write, and of the method."""

from __future__ import annotations

import pytest
from ansible_collections.dataops.qlik_em.tests.functional.support.user import User


@pytest.fixture
def admin(em):
    return User(em, defaults={"username": "admin@corp.example", "password": "admin-test-password"})


SELECT = {"server": "Replicate-Prod", "name": "orders", "included_pattern": [{"owner": "NEW", "name": "%"}]}
PAGE = {"match": {"operation": "PutTaskTableSelection"}, "fault": "status", "status": 404}


def test_a_404_page_of_the_listener_says_what_the_release_lacks_and_that_nothing_was_done(admin, em):
    em.faults([PAGE])
    run = admin.run("aem_table_selection", **SELECT)
    assert run.failed and not run.changed
    assert "PutTaskTableSelection" in run.result["hint"] and "since May 2024" in run.result["hint"]
    assert run.operations.count("PutTaskTableSelection") == 1


def test_a_404_page_of_somebody_else_leaves_a_write_in_doubt_until_the_state_is_read(admin, em):
    page = {**PAGE, "headers": {"Server": "nginx"}}
    em.faults([page])
    run = admin.run("aem_table_selection", **SELECT)
    assert run.failed and run.changed and "It shows no effect." in run.msg
    assert "since May 2024" in run.result["hint"] and "is not known" in run.result["hint"]
    em.faults([{**page, "work": True}])
    run = admin.run("aem_table_selection", **SELECT)
    assert not run.failed and run.changed


@pytest.mark.parametrize("status", [401, 403])
def test_a_refusal_that_is_not_of_the_api_leaves_a_write_in_doubt(admin, em, status):
    em.faults([{**PAGE, "status": status, "work": True}])
    run = admin.run("aem_table_selection", **SELECT)
    assert not run.failed and run.changed
    em.faults([{"match": {"operation": "StopTask"}, "fault": "status", "status": status}])
    run = admin.task(timeout=1)
    assert run.failed and run.changed and run.operations.count("StopTask") == 1


def test_that_an_endpoint_is_in_use_is_said_although_nobody_says_by_whom(admin, em):
    em.faults([{"match": {"operation": "ExportAll"}, "fault": "status", "status": 503, "nth": "all"}])
    run = admin.run("aem_endpoint", server="Replicate-Prod", name="ERP", state="absent")
    assert run.failed and run.result["error_code"] == "AEM_ENDPOINT_IS_IN_USE"
