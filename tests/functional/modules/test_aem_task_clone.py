# Copyright (c) 2026, dataops.qlik_em contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""aem_task with clone_of: what is copied, what is left alone, what is refused, and what a lost answer means."""

from __future__ import annotations

import json

import pytest
from ansible_collections.dataops.qlik_em.plugins.module_utils._client.limits import Limits
from ansible_collections.dataops.qlik_em.tests.functional.every_module.cases_definitions import definition

PROD = "Replicate-Prod"


@pytest.fixture
def operator(user):
    """The user with the least role that CloneTask asks for, and less patience after a lost answer."""
    user.limits = Limits(first_pause=0.01, lost_effect=0.5)
    return user


def clone(user, name="twin", **options):
    """Run aem_task with clone_of."""
    return user.task(name, "present", **{"clone_of": "orders", "wait_timeout": 5, **options})


def sent(run):
    """Return the bodies of the calls of CloneTask."""
    return [json.loads(request["body"] or "{}") for request in run.requests if request["operation"] == "CloneTask"]


def test_a_copy_comes_once(operator, em):
    run = clone(operator, diff=True)
    assert run.changed and not run.failed, run.result
    assert sent(run) == [{"new_task_name": "twin", "clone_permissions": False}]
    assert run.result["task"] == {
        "server": PROD, "name": "twin", "state": "STOPPED", "stop_reason": "NORMAL", "message": "",
    }  # fmt: skip
    assert run.result["diff"]["before"] == {}
    assert run.result["diff"]["after"] == {
        "state": "present",
        "clone_of": "orders",
        "source_endpoint": "ERP",
        "target_endpoint": "Warehouse",
        "clone_permissions": False,
    }
    assert em.task(PROD, "orders")["state"] == "RUNNING"
    again = clone(operator, diff=True)
    assert not again.changed and not again.failed and not sent(again) and not again.result.get("warnings")
    assert again.result["diff"]["before"] == again.result["diff"]["after"] == run.result["diff"]["after"]


def test_check_mode_foresees_it_and_sends_nothing(operator, em):
    foreseen = clone(operator, check=True, diff=True)
    assert foreseen.changed and not sent(foreseen) and foreseen.result["task"]["state"] == "NOT_EXIST"
    assert "twin" not in em.server(PROD)["tasks"]
    assert clone(operator, diff=True).result["diff"] == foreseen.result["diff"]
    assert not clone(operator, check=True).changed


def test_a_copy_may_have_another_endpoint_and_the_permissions(operator, em):
    run = clone(operator, source_endpoint="ERP standby", target_endpoint="Warehouse", clone_permissions=True)
    assert sent(run) == [
        {
            "new_task_name": "twin",
            "clone_permissions": True,
            "new_source_endpoint": "ERP standby",
            "new_target_endpoint": "Warehouse",
        }
    ]
    copied = em.inside(PROD, "twin")["definition"]["task"]
    assert (copied["source_name"], copied["target_names"]) == ("ERP standby", ["Warehouse"])


@pytest.mark.parametrize("name", ["a+b=c #1?", "north/south", 'it\'s "quoted"', "在庫 — été"])
def test_names_are_data(operator, em, name):
    first = clone(operator, name)
    assert first.changed, first.result
    assert clone(operator, "copy of it", clone_of=name).changed
    assert {name, "copy of it"} <= set(em.server(PROD)["tasks"])


def test_what_a_survey_leaves_empty_is_not_given(operator):
    run = clone(operator, source_endpoint="", target_endpoint="", clone_permissions="", definition="", src="")
    assert run.changed and sent(run) == [{"new_task_name": "twin", "clone_permissions": False}]


# A task of the name that is there


def test_a_task_that_is_there_is_neither_overwritten_nor_compared(operator, em):
    em.set_task(PROD, "invoices", source_endpoint={"name": "ERP"}, target_endpoint={"name": "Warehouse"})
    before = em.inside(PROD, "invoices")
    run = clone(operator, "invoices")
    assert not run.changed and not run.failed and not run.result.get("warnings") and not sent(run)
    assert em.inside(PROD, "invoices") == before


def test_one_that_obviously_is_something_else_is_a_warning(operator):
    run = clone(operator, "invoices", source_endpoint="ERP standby")
    assert not run.changed and not run.failed and not sent(run)
    (warning,) = run.result["warnings"]
    assert "source_endpoint is Source and not ERP standby, target_endpoint is Target and not Warehouse" in warning
    assert 'task "invoices" on server "Replicate-Prod" already existed and was left as it is' in warning


def test_the_original_may_be_deleted_later(operator):
    run = clone(operator, "invoices", clone_of="long gone")
    assert not run.changed and not run.failed and not run.result.get("warnings")


# What is refused before anything is sent


@pytest.mark.parametrize("check", [True, False])
@pytest.mark.parametrize(
    ("options", "text"),
    [
        ({"clone_of": "Orders"}, 'There is no task "Orders" on server "Replicate-Prod" to clone.'),
        ({"source_endpoint": "ERP standbye"}, 'no endpoint "ERP standbye". Did you mean "ERP standby"'),
        ({"target_endpoint": "Down & out"}, '"Down & out" is of type POSTGRESQL, but "Warehouse"'),
        ({"target_endpoint": "ERP"}, '"ERP" is a source.'),
        ({"server": "Compose-DW", "clone_of": "load_dims__sales"}, "as it is not a Replicate server"),
    ],
)
def test_what_would_be_refused_is_not_sent(operator, em, options, text, check):
    before = em.state()["servers"]
    run = clone(operator, check=check, **options)
    assert run.failed and not run.changed and not sent(run)
    assert text in run.msg and run.result["hint"], run.result
    assert em.state()["servers"] == before


def test_the_nearest_task_is_named(operator):
    run = clone(operator, clone_of="Orders")
    assert 'Did you mean "orders"?' in run.result["hint"] and run.result["error_code"] == "AEM_TASK_NOT_FOUND"


@pytest.mark.parametrize(
    ("options", "text"),
    [
        ({"clone_of": "twin"}, "a task cannot be a clone of itself"),
        ({"definition": definition("twin")}, "Give either clone_of or a definition"),
        ({"src": "x.json"}, "Give either clone_of or a definition"),
        ({"import_mode": "replace", "backup_dir": "/var/tmp", "force": True}, "import_mode: replace cannot be used"),
        ({"clone_of": " "}, "clone_of"),
        ({"clone_of": None, "source_endpoint": "ERP"}, "source_endpoint can only be used with clone_of"),
        ({"state": "started"}, "clone_of can only be used with state: present"),
        (
            {"clone_of": None, "clone_permissions": False, "state": "stopped"},
            "clone_permissions can only be used with state",
        ),
    ],
)
def test_options_that_do_not_fit_together(operator, options, text):
    run = operator.run(
        "aem_task", **{"server": PROD, "name": "twin", "state": "present", "clone_of": "orders", **options}
    )
    assert run.failed and text in run.msg and run.requests == []


def test_without_the_role_on_endpoints_the_server_decides(operator, em):
    em.faults([{"match": {"operation": "GetEndpointList"}, "nth": "all", "fault": "error",
                "error_code": "UNAUTHORIZED_REQUEST", "error_message": "No.", "http_status": 403}])  # fmt: skip
    assert not clone(operator, "one").result.get("warnings")
    run = clone(operator, "two", source_endpoint="ERP standby")
    assert run.changed and "could not be checked: ERP standby" in run.result["warnings"][0]
    run = clone(operator, "three", source_endpoint="Nowhere")
    assert run.failed and not run.changed and run.result["error_code"] == "AEM_CLONE_TASK_INNER_ERR"
    assert "Nowhere could not be found" in run.msg and "of another type" in run.result["hint"]


def test_a_user_without_the_role_is_refused_with_its_name(user):
    user.defaults = {"username": "viewer@corp.example", "password": "viewer-test-password"}
    run = clone(user)
    assert run.failed and not run.changed and "role Operator on Enterprise Manager" in run.result["hint"]


# What comes late, or not at all


def test_a_copy_that_shows_later_is_waited_for(operator, em):
    em.set_server(PROD, import_seconds=0.5)
    run = clone(operator)
    assert run.changed and run.result["task"]["state"] == "STOPPED" and len(sent(run)) == 1
    em.set_server(PROD, import_seconds=30)
    run = clone(operator, "never", wait_timeout=1)
    assert run.failed and run.changed and "was cloned, but the task" in run.msg and "wait_timeout" in run.msg


@pytest.mark.parametrize("seconds", [0, 0.3])
@pytest.mark.parametrize("fault", ["cut_after", "cut_midway", "garbage"])
def test_an_answer_that_is_lost_after_the_work(operator, em, fault, seconds):
    em.set_server(PROD, import_seconds=seconds)
    em.faults([{"match": {"operation": "CloneTask"}, "fault": fault}])
    run = clone(operator)
    assert run.changed and not run.failed and len(sent(run)) == 1, run.result
    assert not clone(operator).changed


def test_a_call_that_was_lost_is_not_sent_again(operator, em):
    em.faults([{"match": {"operation": "CloneTask"}, "fault": "cut_before"}])
    run = clone(operator)
    assert run.failed and run.changed and len(sent(run)) == 1 and "It shows no effect." in run.msg
    assert clone(operator).changed


def test_a_call_that_was_lost_and_whose_effect_cannot_be_read_may_be_a_change(operator, em):
    em.faults([{"match": {"operation": "CloneTask"}, "fault": "cut_after"}])
    em.faults(
        [{"match": {"operation": "GetTaskDetails", "task": "twin"}, "nth": 2, "count": 99, "fault": "cut_before"}]
    )
    run = clone(operator)
    assert run.failed and run.changed and len(sent(run)) == 1, run.result
    assert "Its current state cannot be read either" in run.msg


def test_endpoints_that_cannot_be_listed_for_another_reason_than_the_role_are_a_failure(operator, em):
    em.faults([{"match": {"operation": "GetEndpointList"}, "fault": "error", "error_code": "SYS,GENERIC"}])
    run = clone(operator)
    assert run.failed and not run.changed and not sent(run) and run.result["error_code"] == "SYS,GENERIC"


def test_an_older_release_answers_with_a_page(operator, em):
    em.faults([{"match": {"operation": "CloneTask"}, "nth": "all", "fault": "status", "status": 404}])
    run = clone(operator)
    assert run.failed and not run.changed and len(sent(run)) == 1 and run.result["http_status"] == 404
    assert (
        "may not have CloneTask: it is documented for Qlik Replicate servers only, since May 2025" in run.result["hint"]
    )
    assert "twin" not in em.server(PROD)["tasks"]
