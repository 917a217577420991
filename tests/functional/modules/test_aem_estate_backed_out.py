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
    estate = edited(em, tmp_path)
    run = estate.run("applied", **OTHERS)
    assert run.changed and not run.failed, run.result
    return estate


def edited(em, tmp_path):
    """Return an estate with such a plan."""
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
    run = estate.run("planned", **OTHERS)
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


def take_no_table_away(em):
    """Be a release that cannot change the selection of a task."""
    older = {"match": {"operation": "GetTaskTableSelection"}, "fault": "error", "error_code": "SYS,GENERIC"}
    em.faults([{**older, "nth": "all"}])


def test_where_no_selection_can_be_read_the_task_is_made_anew_by_force(estate):
    take_no_table_away(estate.em)
    run = estate.run("backed_out", **{**OTHERS, "force": True})
    assert "DeleteTask" in run.operations
    assert_only_a_disabled_schedule_is_left(estate, run)


@pytest.mark.parametrize("is_killed", [False, True])
def test_what_stays_without_force_is_taken_back_by_the_same_with_it_and_nothing_else_is_touched(estate, is_killed):
    take_no_table_away(estate.em)
    run = estate.run("backed_out", **OTHERS)
    (_schedule, left) = run.result["left"]
    assert left.startswith(f'the task "orders" of server "{PROD}" keeps ') and "SALES.RETURNS" in left
    assert "DeleteTask" not in run.operations and estate.em.task(PROD, "orders")["state"] == "RUNNING"
    again = estate.run("backed_out", **OTHERS)
    assert not again.changed and again.result["left"] == run.result["left"]
    # What others have done since then stays: the task is all that is left to take back.
    estate.user.run("aem_endpoint", server=PROD, name="Warehouse", settings={"more": {"kept": "later"}})
    place = f"{PROD}/endpoints/Warehouse.json"
    estate.before[place] = estate.before[place].replace('"one"', '"later"')
    forced = {**OTHERS, "force": True}
    foreseen = estate.run("backed_out", **forced, check=True)
    assert foreseen.changed and foreseen.result["back_out"] == "backed_out" and "DeleteTask" not in foreseen.operations
    if is_killed:  # once the task is stopped and deleted
        estate.die_at(7, "backed_out")
        assert "orders" not in estate.em.server(PROD)["tasks"]
    run = estate.run("backed_out", **forced)
    assert_only_a_disabled_schedule_is_left(estate, run)
    assert estate.em.task(PROD, "orders")["state"] == "RUNNING"
    again = estate.run("backed_out", **forced)
    assert not again.changed and again.result["left"] == run.result["left"]


def test_what_a_plan_that_failed_has_left_is_taken_back_by_force(em, tmp_path):
    estate = edited(em, tmp_path)
    take_no_table_away(em)
    em.faults([{"match": {"operation": "PutServerAcl"}, "fault": "error", "error_code": "SYS,GENERIC"}])
    run = estate.run("applied", **OTHERS)
    assert run.failed and run.result["back_out"] == "backed_out" and len(run.result["left"]) == 2, run.result
    assert_only_a_disabled_schedule_is_left(estate, estate.run("backed_out", **{**OTHERS, "force": True}))
