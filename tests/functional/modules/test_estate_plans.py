# Copyright (c) 2026, dataops.qlik_em contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Plans between random estates, applied by the merge of the stand-in: they do what they say, and name the rest."""

from __future__ import annotations

import copy

from ansible_collections.dataops.qlik_em.plugins.module_utils._estates import plan_file
from ansible_collections.dataops.qlik_em.plugins.module_utils._estates.model import ACL, ENDPOINTS, TASKS, ObjectKey
from ansible_collections.dataops.qlik_em.plugins.module_utils._estates.plan import DELETE, fingerprint, plan
from ansible_collections.dataops.qlik_em.plugins.module_utils._estates.plan_file import PlanFile, differing
from ansible_collections.dataops.qlik_em.tests.functional.support.estates import estates, imported
from hypothesis import given, settings

ADDRESS = "https://em.example.com/attunityenterprisemanager"
ORDERS = ObjectKey("One", TASKS, "orders")


def applied(todo, current, desired):
    """Return the estate after the steps of a plan, as the server's merge makes it."""
    result = copy.deepcopy(current)
    for step in todo.steps:
        if step.action == DELETE:
            del result[step.key]
        else:
            result[step.key] = imported(step.key, current.get(step.key), desired[step.key])
    return result


def restored(key, item, old):
    """Return an object without what PatchEndpoint and PutTaskTableSelection remove."""
    if key.kind == ENDPOINTS:
        kept = {name: value for name, value in item["db_settings"].items() if name in old["db_settings"]}
        return {**item, "db_settings": kept}
    if key.kind == TASKS:
        tables = old["source"]["source_tables"]["explicit_included_tables"]
        selection = item["source"]["source_tables"]
        kept = [one for one in selection.get("explicit_included_tables", []) if one in tables]
        return {
            **item,
            "source": {**item["source"], "source_tables": {**selection, "explicit_included_tables": kept}},
        }
    return item


@settings(max_examples=40, deadline=None)
@given(estates(), estates())
def test_after_a_plan_was_applied_planning_again_finds_nothing(current, desired):
    todo = plan(desired, current)
    after = applied(todo, current, desired)
    again = plan(desired, after)
    assert again.steps == ()
    for key, item in desired.items():
        if key not in again.impossible:
            assert fingerprint(key, after[key]) == fingerprint(key, item), key
    assert set(again.impossible) <= set(todo.impossible)
    untouched = {key: item for key, item in current.items() if key not in {step.key for step in todo.steps}}
    assert untouched == {key: after[key] for key in untouched}


@settings(max_examples=40, deadline=None)
@given(estates(), estates())
def test_what_a_back_out_cannot_remove_is_named(current, desired):
    for step in plan(desired, current).steps:
        if step.key.kind == ACL or step.key not in current:
            continue
        after = imported(step.key, current[step.key], desired[step.key])
        back = restored(step.key, imported(step.key, after, current[step.key]), current[step.key])
        is_whole = fingerprint(step.key, back) == fingerprint(step.key, current[step.key])
        assert is_whole or step.stays, step


@settings(max_examples=15, deadline=None)
@given(current=estates(), desired=estates())
def test_a_plan_is_the_same_after_its_file(tmp_path_factory, current, desired):
    todo = plan(desired, current, running=[ORDERS], delete=True)
    path = tmp_path_factory.mktemp("plan") / "plan.json"
    path.write_text(PlanFile(ADDRESS, "2026-11-26T20:00:00Z", todo).text())
    path.chmod(0o600)
    again = plan_file.load(str(path), ADDRESS).plan
    assert again.fingerprint == todo.fingerprint
    assert differing(again, todo) == ""
    assert (again.steps == ()) == (todo.steps == ())
