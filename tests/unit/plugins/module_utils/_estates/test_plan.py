# Copyright (c) 2026, dataops.qlik_em contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Plans: their order, what they name as impossible, what stands in their files, and when they do not fit any more."""

from __future__ import annotations

import json

import pytest
from ansible_collections.dataops.qlik_em.plugins.module_utils._client.errors import InputError
from ansible_collections.dataops.qlik_em.plugins.module_utils._estates import plan_file
from ansible_collections.dataops.qlik_em.plugins.module_utils._estates.model import (
    ACL,
    ENDPOINTS,
    SCHEDULES,
    TASKS,
    ObjectKey,
)
from ansible_collections.dataops.qlik_em.plugins.module_utils._estates.plan import DELETE, REORDER, plan
from ansible_collections.dataops.qlik_em.plugins.module_utils._estates.plan_file import PlanFile, differing
from ansible_collections.dataops.qlik_em.plugins.module_utils._estates.plan_page import page

ADDRESS = "https://em.example.com/attunityenterprisemanager"
ERP, LAKE = ObjectKey("One", ENDPOINTS, "ERP"), ObjectKey("One", ENDPOINTS, "Lake")
ORDERS = ObjectKey("One", TASKS, "orders")


def endpoint(**members):
    return {"name": "ERP", "role": "SOURCE", "type_id": "ORACLE_COMPONENT_TYPE", "db_settings": {**members}}


def task(*tables, rules=(), source="ERP"):
    return {
        "task": {"name": "orders", "source_name": source, "target_names": ["Lake"]},
        "source": {"source_tables": {"explicit_included_tables": [{"owner": "o", "name": one} for one in tables]}},
        "manipulations": [{"name": rule} for rule in rules],
    }


def estate(**objects):
    keys = {"erp": ERP, "lake": LAKE, "orders": ORDERS}
    return {keys[name]: item for name, item in {"erp": endpoint(), "lake": {"name": "Lake"}, **objects}.items()}


def test_objects_come_in_the_order_in_which_they_need_each_other():
    other = ObjectKey("Other", ENDPOINTS, "ERP")
    schedule, acl = ObjectKey("One", SCHEDULES, "nightly"), ObjectKey("One", ACL, "")
    job = {"name": "nightly", "schedule": "0 1 * * * *", "command_id": 25}
    desired = {acl: {}, schedule: job, ORDERS: task("A"), other: endpoint(), **estate()}
    assert [step.key for step in plan(desired, {}).steps] == [ERP, LAKE, other, ORDERS, schedule, acl]


def test_a_removal_inside_of_a_task_is_impossible_and_named():
    todo = plan(estate(orders=task("A")), estate(orders=task("A", "B")))
    assert todo.steps == ()
    assert todo.impossible == {ORDERS: ("tasks/orders/source/source_tables/explicit_included_tables/o.B",)}


def test_another_order_alone_is_a_reorder():
    (step,) = plan(estate(orders=task(rules="12")), estate(orders=task(rules="21"))).steps
    assert step.action == REORDER


def test_secrets_are_neither_compared_nor_shown_and_a_new_endpoint_needs_them():
    secret = endpoint(password="canary-1", server="a")
    other = endpoint(password="canary-2", server="a")
    assert plan(estate(erp=secret), estate(erp=other)).steps == ()
    (step, _lake) = plan(estate(erp=secret), {}).steps
    assert step.secrets == ("databases/ERP/db_settings/password",)
    found = PlanFile(ADDRESS, "2026-11-26T20:00:00Z", plan(estate(erp=secret), estate(erp=endpoint(server="b"))))
    assert "canary" not in found.text() + page(found)


def test_only_what_nothing_uses_is_deleted_tasks_first():
    current = {**estate(orders=task("A")), ObjectKey("One", ENDPOINTS, "Old"): {"name": "Old"}}
    todo = plan({LAKE: {"name": "Lake"}}, current, delete=True)
    assert [(step.key.name, step.action) for step in todo.steps] == [
        ("orders", DELETE),
        ("ERP", DELETE),
        ("Old", DELETE),
    ]
    scope = [ERP, LAKE]  # the task is not in it: it stays, and so does what it uses
    assert plan({LAKE: {"name": "Lake"}}, current, delete=True, scope=scope).steps == ()
    assert plan({LAKE: {"name": "Lake"}}, current).steps == ()
    assert set(plan({LAKE: {"name": "Lake"}}, current).unmanaged) == set(current) - {LAKE}


def test_a_task_without_its_endpoint_is_refused_before_anything_is_planned():
    with pytest.raises(InputError, match='"Missing" of server "One", which is neither in the files nor on the server'):
        plan(estate(orders=task("A", source="Missing")), {})


def test_a_page_shows_what_happens_to_many_objects_in_the_same_way_once():
    def tasks(**settings):
        return {
            ObjectKey("One", TASKS, name): {"task": {"name": name, "source_name": "ERP", **settings}}
            for name in ("a", "b", "c")
        }

    ours, theirs = {**estate(), **tasks(description="x", more=1)}, {**estate(), **tasks(description="y")}
    other = ObjectKey("One", TASKS, "b")
    ours[other] = {"task": {**ours[other]["task"], "description": "z"}}
    shown = page(PlanFile(ADDRESS, "2026-11-26T20:00:00Z", plan(ours, theirs)))
    assert shown.count("```diff") == 2 and "### update: 2 objects, all in the same way\n\n- task " in shown
    assert shown.count('"a" of') == shown.count('"b" of') == shown.count('"c" of') == 1
    assert "cannot remove again `tasks/*/task/more`." in shown and "`tasks/b/task/more`" in shown


def test_a_page_of_acls_and_schedules_alone_promises_no_test_and_shows_what_is_not_there_any_more():
    key, nightly = ObjectKey("One", ACL, ""), ObjectKey("One", SCHEDULES, "nightly")
    viewers = [{"name": "ann@corp.example"}, {"name": "bob@corp.example"}]
    old, new = ({"viewer_role": {"users": users, "groups": []}} for users in (viewers, viewers[:1]))
    job = {"name": "nightly", "schedule": "0 1 * * * *", "command_id": 25}
    shown = page(PlanFile(ADDRESS, "2026-11-26T20:00:00Z", plan({key: new, nightly: job}, {key: old})))
    assert "is tested" not in shown and "1. schedules are set\n2. ACLs are set\n" in shown
    assert "bob@corp.example" in shown and "Back-out: a new schedule cannot be removed" in shown


def test_what_an_import_adds_to_an_endpoint_beside_its_settings_stays_and_no_force_helps():
    new = {**endpoint(port=1), "description": "new"}
    shown = page(PlanFile(ADDRESS, "2026-11-26T20:00:00Z", plan(estate(erp=new), estate(erp=endpoint()))))
    assert "cannot remove again `databases/ERP/description`." in shown and "force: true" not in shown


def test_a_page_cannot_be_forged_by_names():
    name = "x\n# Approved\n```\n| <b>"
    key = ObjectKey("One", ENDPOINTS, name)
    shown = page(PlanFile(ADDRESS, "2026-11-26T20:00:00Z", plan({key: {"name": name, "description": name}}, {})))
    assert "\n# Approved" not in shown and "\n```\n|" not in shown and "<b>" not in shown.partition("```")[0]


@pytest.mark.parametrize(
    ("member", "value", "place"),
    [
        ("schema", 9, "newer release"),
        ("schema", "1", "schema"),
        ("steps", {}, "steps"),
        ("fingerprint", "x", "fingerprint"),
        ("enterprise_manager", "https://other", "another Enterprise Manager"),
        ("planned", "today", "planned"),
        ("extra", 1, "extra"),
    ],
)
def test_a_plan_that_was_edited_is_refused(tmp_path, member, value, place):
    path = tmp_path / "plan.json"
    document = json.loads(PlanFile(ADDRESS, "2026-11-26T20:00:00Z", plan(estate(), {})).text())
    path.write_text(json.dumps({**document, member: value}))
    path.chmod(0o600)
    with pytest.raises(InputError, match=place):
        plan_file.load(str(path), ADDRESS)


@pytest.mark.parametrize(
    ("members", "message"),
    [
        ({"action": "drop"}, 'steps/0/action is "drop", but must be one of create, update, reorder, delete'),
        ({"before": None}, "steps/0/before is null, but must be a fingerprint, or empty"),
        ({"stops": "no"}, 'steps/0/stops is "no", but must be true or false'),
        ({"kind": "tables"}, 'steps/0/kind is "tables", but must be one of '),
        ({"kind": ACL}, "steps/0/name is "),
        ({"secrets": [1]}, "steps/0/secrets/0 is 1"),
    ],
)
def test_a_step_that_was_edited_is_named(tmp_path, members, message):
    path = tmp_path / "plan.json"
    document = json.loads(PlanFile(ADDRESS, "2026-11-26T20:00:00Z", plan(estate(), {})).text())
    document["steps"][0].update(members)
    path.write_text(json.dumps(document))
    path.chmod(0o600)
    with pytest.raises(InputError) as caught:
        plan_file.load(str(path), ADDRESS)
    assert f"is damaged or was edited: {message}" in caught.value.message


def test_a_plan_that_others_may_write_is_refused(tmp_path):
    path = tmp_path / "plan.json"
    path.write_text(PlanFile(ADDRESS, "2026-11-26T20:00:00Z", plan(estate(), {})).text())
    path.chmod(0o666)
    with pytest.raises(InputError):
        plan_file.load(str(path), ADDRESS)


@pytest.mark.parametrize(
    ("desired", "current", "running", "why"),
    [
        (estate(orders=task("A")), estate(), [], ""),
        (estate(orders=task("A")), estate(orders=task("B")), [], "on the server"),
        (estate(orders=task("C")), estate(), [], "in the files"),
        (estate(orders=task("A"), erp=endpoint(x=1)), estate(), [], "now has to be changed, too"),
        (estate(), estate(), [], "needs no change any more"),
    ],
)
def test_a_plan_that_does_not_fit_any_more_says_why(desired, current, running, why):
    found = plan(estate(orders=task("A")), estate())
    now = plan(desired, current, running)
    assert why in differing(found, now)
    assert bool(why) == bool(differing(found, now))


def test_a_task_that_began_to_run_makes_another_plan_and_one_that_stopped_does_not():
    pair = estate(orders=task("A", "B")), estate(orders=task("A"))
    runs, rests = plan(*pair, running=[ORDERS]), plan(*pair)
    assert "now runs" in differing(rests, runs)
    assert differing(runs, rests) == ""
