# Copyright (c) 2026, dataops.qlik_em contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Job templates as ansible-runner runs them for AWX: with the rendered credential, answers, and artifacts."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible_collections.dataops.qlik_em.tests import simulator
from ansible_collections.dataops.qlik_em.tests.functional.awx.jobs import BIN, Jobs, walk

DEFAULT = yaml.safe_load((Path(simulator.__file__).parent / "default.yml").read_text(encoding="utf-8"))
WINDOW = "Qlik EM: maintenance window"
ALL = json.dumps([{"server": "Replicate-Prod"}, {"server": "Compose-DW"}])
MOST_IN_AN_EVENT = 700_000  # characters; AWX replaces a longer result by an empty one
QUICK = {"maintenance_window_wait_sleep": 0.1, "maintenance_window_timeout": 1, "maintenance_window_waves": "auto"}
NOT_STUCK = json.dumps([{"name": "stuck"}])  # the stand-in's task that never stops
STOPPABLE = json.dumps([{"name": "stuck"}, {"name": "locked"}])  # and the one whose stop is refused
EMPTY = dict.fromkeys(("username", "password", "api_token", "ca", "proxy"), "")


@pytest.fixture
def inputs(em) -> dict[str, Any]:
    """What a user types into the credential."""
    text = Path(em.ca_path).read_text(encoding="utf-8")
    return {"url": em.url, "username": em.username, "password": em.password, "ca": text}


@pytest.fixture
def jobs(setup, tmp_path, inputs) -> Jobs:
    """Jobs of the AWX that was set up."""
    return Jobs(setup.awx, setup.project, tmp_path, inputs)


def running(em) -> set[str]:
    """Return the tasks that are up."""
    tasks = {name: task["state"] for server in em.state()["servers"].values() for name, task in server["tasks"].items()}
    return {name for name, state in tasks.items() if state in ("RUNNING", "RECOVERY")}


@pytest.mark.parametrize("rest", [{}, EMPTY], ids=["left out", "empty"])
@pytest.mark.parametrize("way", ["password", "api_token"])
def test_what_is_not_given_in_the_credential_is_not_set(em, jobs, inputs, way, rest) -> None:
    login = {"username": em.username, "password": em.password} if way == "password" else {"api_token": em.api_token}
    jobs.inputs = {**rest, "url": em.url, "ca": inputs["ca"], **login}
    job = jobs.launch("Qlik EM: state report", report_server="Replicate-Prod")
    assert job.successful, job.output
    assert job.artifacts["state_report"]["servers"] == 1


def test_without_a_ca_the_store_of_the_system_is_trusted(em, jobs) -> None:
    jobs.inputs |= {"ca": ""}
    job = jobs.launch("Qlik EM: state report")
    assert not job.successful
    assert jobs.variables["QLIK_EM_CA_PATH"] == ""
    assert "Set ca_path (QLIK_EM_CA_PATH) to the certificate of the CA" in job.output
    assert "is an empty file" not in job.output


def test_a_box_that_was_left_out_does_not_switch_the_check_off(em, jobs) -> None:
    jobs.new_folder()
    assert jobs.variables["QLIK_EM_VALIDATE_CERTS"] == ""
    jobs.inputs |= {"ca": "", "is_unverified": True}
    job = jobs.launch("Qlik EM: state report", report_server="Replicate-Prod")
    assert job.successful, job.output
    assert "is not verified (validate_certs: false)" in job.output


def test_the_inventory_source_has_a_host_for_each_server(em, jobs) -> None:
    folder = jobs.new_folder()
    command = [f"{BIN}/ansible-inventory", "-i", "em.qlik_em.yml", "--list"]
    ended = subprocess.run(
        command, cwd=folder / "project", env=jobs.variables, check=False, capture_output=True, text=True
    )
    found = json.loads(ended.stdout)
    assert set(found["type_compose"]["hosts"]) >= {"Compose-DW"}, ended.stderr
    assert "Replicate-Prod" in found["_meta"]["hostvars"]


def test_stop_and_start_by_a_survey(em, jobs) -> None:
    before = running(em)
    answers = {"task_server": "Replicate-Prod", "task_name": "", "task_tag": "erp\n", "task_exclude": ""}
    stopped = jobs.launch("Qlik EM: stop tasks", **answers)
    assert stopped.successful, stopped.output
    taken = before - running(em)
    assert taken == {"orders", "Aufträge & Kunden 100%"} & before
    started = jobs.launch("Qlik EM: start tasks", **answers)
    assert started.successful, started.output
    assert taken <= running(em)


def test_a_survey_without_any_answer_stops_nothing(em, jobs) -> None:
    job = jobs.launch("Qlik EM: stop tasks", task_server="", task_name="", task_tag="\n", task_exclude="")
    assert not job.successful
    assert "Select the tasks with task_server" in job.output
    assert em.requests() == []


def test_a_misspelt_variable_stops_nothing(em, jobs) -> None:
    job = jobs.launch("Qlik EM: stop tasks", task_server="Replicate-Prod", task_exlude=[{"name": "orders"}])
    assert not job.successful
    assert "task_exlude is unknown to this playbook. Nothing was done." in job.output
    assert em.requests() == []


def test_selectors_may_be_texts(em, jobs) -> None:
    exclude = json.dumps([{"name": "orders"}])
    job = jobs.launch("Qlik EM: stop tasks", task_server="Replicate-Prod", task_tag="erp", task_exclude=exclude)
    assert job.successful, job.output
    assert em.task("Replicate-Prod", "orders")["state"] == "RUNNING"
    assert em.task("Replicate-Prod", "Aufträge & Kunden 100%")["state"] == "STOPPED"


def test_a_report_fails_if_it_is_asked_to(em, jobs) -> None:
    assert jobs.launch("Qlik EM: state report", report_server="Replicate-Prod").successful
    job = jobs.launch("Qlik EM: state report", report_server="Replicate-Prod", report_fail="true")
    assert not job.successful
    trouble = job.artifacts["state_report"]["trouble"]
    assert f"Tasks in trouble: {len(trouble)}. Servers that could not be read: 0." in job.output
    assert all(line.startswith("Replicate-Prod | ") for line in trouble)


def test_an_answer_that_is_left_out_is_not_deprecated(em, jobs) -> None:
    job = jobs.launch("Qlik EM: state report", report_server="Replicate-Prod", report_fail="")
    assert job.successful, job.output
    assert "DEPRECATION" not in job.output


def test_a_window_hands_its_checkpoint_from_node_to_node(setup, em, jobs) -> None:
    before = running(em)
    ran = walk(setup.awx, jobs, WINDOW, maintenance_window_include=ALL, maintenance_window_exclude=STOPPABLE, **QUICK)
    assert ran == [f"{node} succeeded" for node in ("record", "begin", "freeze", "patched", "restore")]
    assert running(em) == before
    assert len([one for one in em.requests() if one["operation"] == "StopTask"]) > 2


def test_a_freeze_that_fails_waits_for_somebody_then_goes_back(setup, em, jobs) -> None:
    before = running(em)
    ran = walk(setup.awx, jobs, WINDOW, maintenance_window_include=ALL, maintenance_window_exclude=NOT_STUCK, **QUICK)
    assert ran == ["record succeeded", "begin succeeded", "freeze failed", "go_back succeeded", "restore succeeded"]
    assert running(em) == before


@pytest.mark.parametrize(
    ("denied", "ends"),
    [
        (("begin",), ["record succeeded", "begin failed"]),
        (("patched", "go_back"), ["freeze succeeded", "patched failed", "go_back failed"]),
    ],
    ids=["nothing was done", "all stays stopped"],
)
def test_what_is_denied_is_not_done(setup, em, jobs, denied, ends) -> None:
    before = running(em)
    selected = {"maintenance_window_include": ALL, "maintenance_window_exclude": STOPPABLE}
    ran = walk(setup.awx, jobs, WINDOW, denied, **selected, **QUICK)
    assert ran[-len(ends) :] == ends
    assert (running(em) == before) is (denied == ("begin",))


def test_results_of_ten_thousand_tasks_stay_in_the_events(em, jobs) -> None:
    tasks = [{"name": f"task {number}", "state": "RUNNING"} for number in range(10_000)]
    em.reset(
        {
            "users": DEFAULT["users"],
            "servers": [{"name": f"Server-{number}", "tasks": tasks[number::300]} for number in range(300)],
        }
    )
    recorded = jobs.launch("Qlik EM: window, record", maintenance_window_include='[{"server": "*"}]')
    assert recorded.successful, recorded.output
    assert recorded.results["Record which tasks run"]["counts"]["selected"] == 10_000
    kept = recorded.artifacts["maintenance_window_checkpoint"]["servers"]
    assert sum(len(group["tasks"]) for groups in kept.values() for group in groups) == 10_000
    job = jobs.launch("Qlik EM: stop tasks", task_server="*", task_parallel=50)
    assert job.successful, job.output
    result = job.results["Change the state of the tasks"]
    assert result["counts"]["changed"] == 10_000
    assert len(json.dumps(result)) < MOST_IN_AN_EVENT
    assert running(em) == set()


def test_output_is_shown_in_lines(em, jobs) -> None:
    job = jobs.launch("Qlik EM: state report", report_server="Replicate-Prod")
    assert "\n        servers: 1\n" in job.output, job.output


def test_heal_says_what_it_would_do(em, jobs) -> None:
    job = jobs.launch("Qlik EM: heal")
    assert job.successful, job.output
    assert "heal_result.report" in job.output
    assert not [one for one in em.requests() if one["operation"] == "RunTask"]


def test_a_promotion_is_approved_by_its_plan_and_applied(setup, em, jobs, tmp_path) -> None:
    jobs.inputs |= {"username": "admin@corp.example", "password": "admin-test-password"}
    em.set_task("Replicate-Prod", "orders", stop_seconds=0.1, start_seconds=0.1)
    files = tmp_path / "disk"
    files.mkdir()
    on_the_host = {"backup_host": "localhost", "backup_path": str(files / "estate")}
    job = jobs.launch("Qlik EM: backup", **on_the_host, backup_include='[{"server": "Replicate-Prod"}]')
    assert job.successful, job.output
    overlay = {"tasks": [{"name": "orders", "add": {"task/description": "as promoted"}}]}
    (files / "prod.json").write_text(json.dumps(overlay))
    paths = {"path": "estate", "overlay": "prod.json", "plan": "plan.json"}
    answers = {f"promote_{name}": str(files / file) for name, file in paths.items()} | {"promote_watch": 0}
    ran = walk(setup.awx, jobs, "Qlik EM: promotion", promote_host="localhost", **answers)
    assert ran == ["plan succeeded", "approve succeeded", "apply succeeded"]
    writes = ("StopTask", "ImportAll", "RunTask")
    assert [one["operation"] for one in em.requests() if one["operation"] in writes] == [*writes]
    assert em.task("Replicate-Prod", "orders")["state"] == "RUNNING"


def test_metrics_are_written_on_the_host(em, jobs, tmp_path) -> None:
    file = tmp_path / "qlik.prom"
    answers = {"metrics_host": "localhost", "metrics_dest": str(file), "metrics_server": "Replicate-Prod"}
    job = jobs.launch("Qlik EM: metrics", **answers)
    assert job.successful, job.output
    assert "qlik_em_task_state" in file.read_text()
