# Copyright (c) 2026, dataops.qlik_em contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The role restore, by its playbook: a task that was deleted, a spare server, and a backup that was damaged."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.dataops.qlik_em.plugins.module_utils._estates import plan_file
from ansible_collections.dataops.qlik_em.plugins.module_utils._estates.run_state import RunStore
from ansible_collections.dataops.qlik_em.tests.functional.support.user import User
from ansible_collections.dataops.qlik_em.tests.functional.ways.children import Controller

PROD, SPARE = "Replicate-Prod", "Replicate-Test"
ADMIN = {"username": "admin@corp.example", "password": "admin-test-password"}
WRITES = ("RunTask", "StopTask", "ImportAll", "ImportTask", "DeleteTask", "PutServerAcl")
SECRETS = {SPARE: {name: {"password": f"{name}-secret"} for name in ("ERP", "ERP standby", "Warehouse")}}


@pytest.fixture
def controller(em, tmp_path: Path) -> Controller:
    """A controller of an admin, whose variables lead to the stand-in."""
    variables = {f"QLIK_EM_{name.upper()}": getattr(em, name) for name in ("url", "ca_path")}
    login = {f"QLIK_EM_{name.upper()}": text for name, text in ADMIN.items()}
    return Controller(tmp_path, {**variables, **login})


@pytest.fixture
def estate(em, tmp_path: Path) -> str:
    """A backup of a server, with checksums."""
    folder = tmp_path / "estate"
    run = User(em, defaults=ADMIN).run("aem_estate", path=str(folder), include=[{"server": PROD}])
    assert not run.failed, run.result
    files = sorted(str(path.relative_to(folder)) for path in folder.rglob("*.json"))
    sums = subprocess.run(["sha256sum", *files], cwd=folder, check=True, capture_output=True, text=True).stdout
    (folder / "SHA256SUMS").write_text(sums)
    return str(folder)


def restore(controller: Controller, estate: str, *options: str, status: int = 0, **variables: Any) -> str:
    """Run the playbook, and return its output."""
    given = {"restore_path": estate, "restore_plan": f"{Path(estate).parent}/plan.json", **variables}
    with controller.start("ansible-playbook", *options, "-e", json.dumps(given), "dataops.qlik_em.restore") as child:
        assert child.wait() == status, child.output
        return child.output


def writes(em) -> list[str]:
    """Return the calls that could have changed something."""
    return [request["operation"] for request in em.requests() if request["operation"] in WRITES]


def begin(em, path: str) -> None:
    """Leave what a run leaves that is killed before its first write."""
    store = RunStore(path, f"{em.url}/attunityenterprisemanager")
    plan = plan_file.load(path, f"{em.url}/attunityenterprisemanager").plan
    store.begin(plan.fingerprint, (), {step.key: None for step in plan.steps})


def test_a_deleted_task_is_there_again_and_runs_also_if_the_first_run_was_killed(controller, em, estate):
    run = User(em, defaults=ADMIN).run("aem_task", server=PROD, name="orders", state="absent", stop_if_running=True)
    assert run.changed and not run.failed
    em.clear_requests()
    only = {"restore_include": [{"server": PROD, "name": "orders"}]}
    output = restore(controller, estate, **only)
    assert f"create {PROD} tasks orders" in output and writes(em) == []
    begin(em, f"{Path(estate).parent}/plan.json")
    output = restore(controller, estate, **only, status=2)
    assert "did not come to its end" in output and output.count("fatal: ") == 1 and "Run state: applied again" in output
    output = restore(controller, estate, **only, restore_step="restore")
    assert "did not come to its end" in output and em.task(PROD, "orders")["state"] == "RUNNING"
    em.clear_requests()
    output = restore(controller, estate, **only, restore_step="restore")
    assert "changed=0" in output and writes(em) == []


def test_a_drill_on_a_spare_server_starts_nothing(controller, em, estate):
    spare = {
        "restore_to": {PROD: SPARE},
        "restore_include": [{"server": SPARE}],
        "restore_step": "drill",
        "restore_plan": f"{Path(estate).parent}/drill.json",
    }
    for options in (("--check",), ()):
        output = restore(controller, estate, *options, **spare, status=2)
        assert "is new, and its secrets are not known" in output and writes(em) == [], output
    output = restore(controller, estate, **spare, restore_secrets=SECRETS)
    assert "ERP-secret" not in output
    tasks = em.server(SPARE)["tasks"]
    assert {"orders", "invoices", "shipments"} <= set(tasks) and "RunTask" not in writes(em)
    assert {tasks[name]["state"] for name in ("orders", "invoices", "shipments")} == {"STOPPED"}


def test_a_damaged_backup_is_refused_unless_it_was_edited_on_purpose(controller, em, estate):
    path = Path(estate) / PROD / "tasks" / "orders.json"
    path.write_text(path.read_text().replace('"orders"', '"orders" '))
    em.clear_requests()
    output = restore(controller, estate, status=2)
    assert "are not as they were written: " in output and f"{PROD}/tasks/orders.json: FAILED. Nothing was" in output
    assert em.requests() == []
    assert "0 objects are missing or different" in restore(controller, estate, restore_verify=False)


def test_what_was_added_to_a_backup_is_refused_if_it_would_be_restored(controller, em, estate):
    folder = Path(estate)
    text = (folder / PROD / "tasks" / "orders.json").read_text()
    for path in (folder / PROD / "notes.json", folder / "plan.json", folder / ".git" / "tasks" / "x.json"):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    assert "0 objects are missing or different" in restore(controller, estate)
    (folder / PROD / "tasks" / "new one.json").write_text(text.replace('"orders"', '"new one"'))
    em.clear_requests()
    output = restore(controller, estate, status=2)
    assert f"are not as they were written: {PROD}/tasks/new one.json: was added. Nothing was done" in output
    assert em.requests() == []
    assert "1 object is missing or different" in restore(controller, estate, restore_verify=False)


@pytest.mark.parametrize(
    ("variables", "message"),
    [
        ({"restore_path": "estate"}, "restore_path, restore_plan and restore_overlay must be absolute paths"),
        ({"restore_to": {"a": "b"}, "restore_overlay": "/x"}, "only one of restore_overlay and restore_to"),
        ({"restore_stp": "drill"}, "restore_stp is unknown to this playbook. Nothing was done."),
        ({"restore_step": "all"}, "value of restore_step must be one of: plan, drill, restore"),
    ],
)
def test_wrong_variables_are_refused_before_anything_is_done(controller, em, tmp_path, variables, message):
    given = {"restore_path": str(tmp_path), **variables}
    path = given.pop("restore_path")
    output = restore(controller, path, **given, restore_plan="/x/plan.json", status=2)
    assert message in output.replace("\n", " ") and em.requests() == []
