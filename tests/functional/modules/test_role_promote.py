# Copyright (c) 2026, dataops.qlik_em contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The role promote, by its playbook: a plan, its page, applying it, and taking it back when a task does not run."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.dataops.qlik_em.tests.functional.support.user import User
from ansible_collections.dataops.qlik_em.tests.functional.ways.children import Controller

PROD = "Replicate-Prod"
ADMIN = {"username": "admin@corp.example", "password": "admin-test-password"}
WRITES = ("RunTask", "StopTask", "ImportAll", "ImportTask")
OVERLAY = {"tasks": [{"name": "orders", "add": {"task/description": "as promoted"}}]}


@pytest.fixture
def controller(em, tmp_path: Path) -> Controller:
    """A controller of an admin, whose variables lead to the stand-in."""
    variables = {f"QLIK_EM_{name.upper()}": getattr(em, name) for name in ("url", "ca_path")}
    login = {f"QLIK_EM_{name.upper()}": text for name, text in ADMIN.items()}
    return Controller(tmp_path, {**variables, **login})


@pytest.fixture
def given(em, tmp_path: Path) -> dict[str, Any]:
    """The variables of a promotion that changes a task that runs."""
    em.set_task(PROD, "orders", stop_seconds=0.1, start_seconds=0.1)
    run = User(em, defaults=ADMIN).run("aem_estate", path=str(tmp_path / "estate"), include=[{"server": PROD}])
    assert not run.failed, run.result
    (tmp_path / "prod.json").write_text(json.dumps(OVERLAY))
    em.clear_requests()
    paths = {"path": "estate", "overlay": "prod.json", "plan": "plan.json"}
    return {**{f"promote_{option}": str(tmp_path / name) for option, name in paths.items()}, "promote_watch": 0}


def promote(controller: Controller, given: dict[str, Any], *options: str, status: int = 0, **more: Any) -> str:
    """Run the playbook, and return its output."""
    variables = ("-e", json.dumps({**given, **more}))
    with controller.start("ansible-playbook", *options, *variables, "dataops.qlik_em.promote") as child:
        assert child.wait() == status, child.output
        return child.output


def writes(em) -> list[str]:
    """Return the calls that could have changed something."""
    return [request["operation"] for request in em.requests() if request["operation"] in WRITES]


def description(em) -> str:
    """Return what the server says of the task that is promoted."""
    run = User(em, defaults=ADMIN).run("aem_task_info", server=PROD, name="orders")
    return str(run.result["tasks"][0]["description"])


def test_a_plan_is_shown_then_done_then_taken_back(controller, em, given, tmp_path):
    output = promote(controller, given)
    assert f"update {PROD} tasks orders (it runs, and is stopped for that)" in output and writes(em) == []
    assert "orders" in (tmp_path / "plan.md").read_text()
    before = description(em)
    output = promote(controller, given, "--check", promote_step="apply")
    assert "1 object differs, and nothing was changed in check mode." in output and writes(em) == []
    output = promote(controller, given, promote_step="apply")
    assert "Objects changed: 1. Tasks stopped and started again: 1." in output
    assert description(em) == "as promoted" and em.task(PROD, "orders")["state"] == "RUNNING"
    assert "Nothing had to be done" in promote(controller, given, promote_step="apply")
    assert "The plan is backed out." in promote(controller, given, promote_step="back_out")
    assert "There was nothing to back out" in promote(controller, given, promote_step="back_out")
    assert description(em) == before and em.task(PROD, "orders")["state"] == "RUNNING"


def test_a_task_that_does_not_run_afterwards_takes_all_of_it_back(controller, em, given):
    promote(controller, given)
    before = description(em)
    # Applied by hand, so that it can fall in between; the role goes on with looking at it
    options = {name.removeprefix("promote_"): value for name, value in given.items() if name != "promote_watch"}
    assert User(em, defaults=ADMIN).run("aem_estate", state="applied", wait_sleep=0.1, **options).changed
    em.set_task(PROD, "orders", state="ERROR")
    task = {
        "ansible.builtin.include_role": {"name": "dataops.qlik_em.promote", "tasks_from": "verify.yml"},
        "vars": {"promote__ran": [[PROD, "orders"]]},
    }
    with controller.play([task], "-e", json.dumps(given)) as child:
        assert child.wait() == 2, child.output
        assert (
            f"These tasks ran before, and are not running now: {PROD}/orders. The plan is backed out." in child.output
        )
    assert description(em) == before


@pytest.mark.parametrize(
    ("variables", "message"),
    [
        ({"promote_path": "estate"}, "promote_path, promote_plan and promote_overlay must be absolute paths."),
        ({"promote_stp": "apply"}, "promote_stp is unknown to this playbook. Nothing was done."),
        ({"promote_step": "all"}, "value of promote_step must be one of: plan, apply, back_out"),
    ],
)
def test_wrong_variables_are_refused_before_anything_is_done(controller, em, given, variables, message):
    assert message in promote(controller, given, status=2, **variables).replace("\n", " ")
    assert em.requests() == []
