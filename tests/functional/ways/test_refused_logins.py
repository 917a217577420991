# Copyright (c) 2026, dataops.qlik_em contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A refused login is final for the whole run: real ansible-playbook children, with their workers."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from ansible_collections.dataops.qlik_em.tests.functional.support.play import both_ways
from ansible_collections.dataops.qlik_em.tests.functional.ways.children import Controller

INFO = {"dataops.qlik_em.aem_task_info": {"server": "Replicate-Prod", "name": "orders"}}
HOSTS = "".join(f"host{number} ansible_connection=local\n" for number in range(50))


@pytest.fixture
def controller(em, tmp_path: Path) -> Controller:
    """A controller whose variables lead to the stand-in, with a password that is wrong."""
    variables = {f"QLIK_EM_{name.upper()}": getattr(em, name) for name in ("url", "ca_path", "username")}
    return Controller(tmp_path, {**variables, "QLIK_EM_PASSWORD": "not the right one"}, is_measured=True)


def run(controller: Controller, *tasks: dict[str, Any], **play: Any) -> str:
    """Run a play, go on after failures, and return its output."""
    arguments = play.pop("arguments", ())
    with controller.play([{**task, "ignore_errors": True} for task in tasks], *arguments, **play) as child:
        assert child.wait() == 0, child.output
        return child.output


def logins(em) -> int:
    return [request["operation"] for request in em.requests()].count("Login")


@both_ways
def test_six_items_and_the_tasks_after_them_ask_once(em, controller, as_module):
    items = {**INFO, "loop": [1, 2, 3, 4, 5, 6]}
    again = {**INFO, "register": "found", "until": "found is not failed", "retries": 3, "delay": 0}
    output = run(controller, items, again, INFO, vars={"aem_run_as_module": as_module})
    assert logins(em) == 1, output
    assert output.count("refused to log in") >= 8
    assert "was refused earlier in this run" in output
    assert "not the right one" not in output


def test_another_password_is_another_login(em, controller):
    right = {"password": em.password, "username": em.username}
    task = {"dataops.qlik_em.aem_task_info": {**INFO["dataops.qlik_em.aem_task_info"], **right}}
    output = run(controller, INFO, task, INFO)
    assert [request["operation"] for request in em.requests()] == ["Login", "Login", "GetTaskDetails", "Logout"], output


def test_a_new_run_asks_again_and_nothing_is_left_behind(em, controller):
    for count in (1, 2):
        run(controller, INFO, INFO)
        assert logins(em) == count
    assert not list(controller.folder.rglob("aem_login_*"))


def test_fifty_hosts_at_the_same_moment_ask_once(em, controller):
    inventory = controller.folder / "hosts"
    inventory.write_text(HOSTS)
    em.faults([{"match": {"operation": "Login"}, "nth": "all", "fault": "delay", "seconds": 3, "when": "before"}])
    task = {**INFO, "loop": [1, 2]}
    output = run(controller, task, hosts="all", arguments=("-f", "50", "-i", str(inventory)))
    assert logins(em) == 1, output
    assert output.count("refused to log in") >= 50


def test_hosts_that_are_delegated_to_the_controller_ask_once(em, controller):
    inventory = controller.folder / "hosts"
    inventory.write_text(HOSTS.replace("local", "ssh"))
    task = {**INFO, "delegate_to": "localhost"}
    output = run(controller, task, hosts="all", arguments=("-f", "10", "-i", str(inventory)))
    assert logins(em) == 1, output


def test_a_server_that_does_not_answer_a_login_is_asked_again(em, controller):
    """So that `until` can wait for a server that is about to come back."""
    em.faults([{"match": {"operation": "Login"}, "count": 2, "fault": "status", "status": 502, "work": False}])
    controller.variables["QLIK_EM_PASSWORD"] = em.password
    again = {**INFO, "register": "found", "until": "found is not failed", "retries": 3, "delay": 0}
    output = run(controller, again)
    assert "GetTaskDetails" in [request["operation"] for request in em.requests()], output
