# Copyright (c) 2026, dataops.qlik_em contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Schedules and notifications: parts of the documents of ExportAll and ImportAll."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.dataops.qlik_em.tests.simulator import Handle
from ansible_collections.dataops.qlik_em.tests.simulator.tests.documents import BODY, export
from ansible_collections.dataops.qlik_em.tests.simulator.tests.wire import PROD, Client

JOB: dict[str, Any] = {"name": "new", "command_id": 25, "schedule": "0 1 * * 1-5,7 2026"}


def jobs(admin: Client) -> dict[str, dict[str, Any]]:
    """The jobs in an export of the server, by name."""
    return {job["name"]: job for job in export(admin, PROD, "")[BODY]["scheduler"]["jobs"]}


def send(admin: Client, *items: Any, **more: Any) -> Any:
    """Import jobs."""
    document = {"_version": {"version": "1"}, BODY: {"scheduler": {"jobs": list(items), **more}}}
    return admin.send("POST", f"{PROD}?action=import", document)


def test_jobs_are_merged_by_name_and_defaults_left_out(admin: Client) -> None:
    """What a document does not have stays, members and jobs."""
    before = jobs(admin)
    assert list(before) == ["nightly reload", "second monday", "move of 2020"]
    assert "enabled" not in before["nightly reload"] and before["second monday"]["enabled"] is False
    assert send(admin, {**JOB, "enabled": True, "is_local_time": False}).status == 200
    assert send(admin, {**JOB, **before["second monday"], "enabled": True}).status == 200
    after = jobs(admin)
    changed = {key: value for key, value in before["second monday"].items() if key != "enabled"}
    assert after == {**before, "new": JOB, "second monday": changed}


def test_jobs_are_replaced_if_the_server_is_like_that(em: Handle, admin: Client) -> None:
    """Only if the document has any."""
    em.set_server("Replicate-Prod", replaces_schedules=True)
    assert admin.send("POST", f"{PROD}?action=import", {BODY: {"logging": {"level": 1}}}).status == 200
    assert len(jobs(admin)) == 3
    assert send(admin, JOB).status == 200
    assert jobs(admin) == {"new": JOB}


@pytest.mark.parametrize(
    "job",
    [
        "text",
        {},
        {**JOB, "name": ""},
        {**JOB, "command_id": 7},
        {**JOB, "command_id": "25"},
        {**JOB, "schedule": "0 1 * * *"},
        {**JOB, "schedule": "0 1 * * MON *"},
        {**JOB, "schedule": None},
        {**JOB, "enabled": "yes"},
        {**JOB, "is_local_time": 1},
        {**JOB, "task": ["orders"]},
        {**JOB, "command_requests": []},
        {**JOB, "command_requests": {"execute_req": {"flags": "OFTEN"}}},
    ],
)
def test_what_is_malformed_is_refused(em: Handle, admin: Client, job: Any) -> None:
    """In an import and in a state document."""
    before = jobs(admin)
    assert send(admin, JOB, job).code == "AEM_IMPORT_INVALID_CONTENT"
    assert jobs(admin) == before
    with pytest.raises(Exception, match=r"schedules: a job|schedules\[0\] must be a mapping"):
        em.reset({"servers": [{"name": "A", "schedules": [job]}]})


def test_a_name_that_stands_twice_is_refused(admin: Client) -> None:
    """It would not be clear which one is meant."""
    assert send(admin, JOB, JOB).code == "AEM_IMPORT_INVALID_CONTENT"


def test_notifications_are_a_part_of_the_document(em: Handle, admin: Client) -> None:
    """Merged by name, defaults left out, malformed ones refused."""

    def given() -> list[dict[str, Any]]:
        return list(export(admin, PROD, "")[BODY]["notifications"]["notifications_list"])

    def sent(*items: Any) -> Any:
        document = {BODY: {"notifications": {"notifications_list": list(items)}}}
        return admin.send("POST", f"{PROD}?action=import", document)

    before = {item["name"]: item for item in given()}
    assert list(before) == ["task failed", "latency too high"]
    assert sent({"name": "latency too high", "enabled": True}, {"name": "new", "enabled": True}).status == 200
    changed = {key: value for key, value in before["latency too high"].items() if key != "enabled"}
    assert {item["name"]: item for item in given()} == {**before, "latency too high": changed, "new": {"name": "new"}}
    for bad in ({}, "text", {"name": 1}, {"name": "x", "enabled": "yes"}, {"name": "new"}):
        assert sent({"name": "new"}, bad).code == "AEM_IMPORT_INVALID_CONTENT"
    with pytest.raises(Exception, match="notifications: "):
        em.reset({"servers": [{"name": "A", "notifications": [{}]}]})


def test_jobs_do_not_belong_to_a_task(admin: Client) -> None:
    """ImportTask refuses them."""
    document = {BODY: {"tasks": [{"task": {"name": "stock"}}], "scheduler": {"jobs": [JOB]}}}
    reply = admin.send("POST", f"{PROD}/tasks/stock?action=import", document)
    assert reply.code == "AEM_IMPORT_TASK_CONTAIN_ALIEN_ITEMS"
