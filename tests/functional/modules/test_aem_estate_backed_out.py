# Copyright (c) 2026, dataops.qlik_em contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""aem_estate, state backed_out: what an import has added and no import takes away again."""

from __future__ import annotations

import json

import pytest
from ansible_collections.dataops.qlik_em.tests.functional.support.estate_runs import PROD, Estate

OTHERS = {"prune": "report", "secrets": {}, "force": False}
ACL = {
    **{role: {"users": [], "groups": []} for role in ("designer_role", "operator_role", "viewer_role")},
    "admin_role": {"users": [{"name": "admin@corp.example"}], "groups": []},
    "disable_inheritance": False,
}


@pytest.fixture
def estate(em, tmp_path):
    """An estate in which a plan has added a setting, a table of a task, a schedule and an ACL to what was there."""
    estate = Estate(em, tmp_path)
    for name in ("orders", "invoices"):
        em.set_task(PROD, name, stop_seconds=0, start_seconds=0, memory_lag=0)
    estate.user.run("aem_endpoint", server=PROD, name="Warehouse", settings={"more": {"kept": "one"}})
    assert not estate.run("gathered").failed
    estate.before = estate.picture()
    estate.edit("endpoints/Warehouse.json", lambda item: item["db_settings"]["more"].update(added="two"))
    estate.edit("tasks/orders.json", lambda item: tables(item).append({"owner": "SALES", "name": "RETURNS"}))
    estate.edit("schedules.json", lambda all_: all_["jobs"].append({**all_["jobs"][0], "name": "yearly"}))
    (estate.path / PROD / "acl.json").write_text(json.dumps(ACL))
    for state in ("planned", "applied"):
        run = estate.run(state, **OTHERS)
        assert run.changed and not run.failed, run.result
    return estate


def tables(item):
    """Return the list of the tables of a task."""
    return item["source"]["source_tables"]["explicit_included_tables"]


def assert_only_a_disabled_schedule_is_left(estate, run):
    """See that all else is as it was before the plan."""
    text = f'the schedule "yearly" of server "{PROD}" is new and cannot be removed; it is disabled'
    assert run.changed and not run.failed and run.result["left"] == [text], run.result
    assert run.result["warnings"] == [f"Not put back: {text}."]
    now = estate.picture()
    place = f"{PROD}/schedules.json"
    *jobs, new = json.loads(now.pop(place))["jobs"]
    assert (new["name"], new["enabled"]) == ("yearly", False)
    assert jobs == json.loads(estate.before.pop(place))["jobs"] and now == estate.before


def test_all_is_taken_back_by_the_calls_that_remove_it_each_sent_once_though_its_answer_is_lost(estate):
    calls = ("DeleteServerAcl", "PutTaskTableSelection", "PatchEndpoint")
    estate.em.faults([{"match": {"operation": call}, "fault": "cut_after"} for call in calls])
    run = estate.run("backed_out", **OTHERS)
    assert_only_a_disabled_schedule_is_left(estate, run)
    assert [call for call in run.operations if call in calls] == list(calls)
    noted = [json.loads(line) for line in estate.plan.with_name("plan.json.journal").read_text().splitlines()]
    assert {line["call"] for line in noted if line["event"] == "before"} >= set(calls)


@pytest.mark.parametrize("force", [False, True])
def test_where_no_selection_can_be_read_a_table_stays_or_the_task_is_made_anew_by_force(estate, force):
    older = {"match": {"operation": "GetTaskTableSelection"}, "fault": "error", "error_code": "SYS,GENERIC"}
    estate.em.faults([{**older, "nth": "all"}])
    run = estate.run("backed_out", **{**OTHERS, "force": force})
    assert ("DeleteTask" in run.operations) is force
    if force:
        assert_only_a_disabled_schedule_is_left(estate, run)
    else:
        (_schedule, left) = run.result["left"]
        assert left.startswith(f'the task "orders" of server "{PROD}" keeps ') and "SALES.RETURNS" in left
        assert estate.em.task(PROD, "orders")["state"] == "RUNNING"
