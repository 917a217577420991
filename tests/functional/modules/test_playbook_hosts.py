# Copyright (c) 2026, dataops.qlik_em contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The playbooks backup, promote and restore for jobs whose own disk ends with them: a host keeps the files."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.dataops.qlik_em.tests.functional.ways.children import COLLECTIONS, Controller

PLUGINS = COLLECTIONS / "ansible_collections/dataops/qlik_em/tests/functional/support/connection_plugins"
PROD = "Replicate-Prod"
OVERLAY = {"tasks": [{"name": "orders", "add": {"task/description": "as promoted"}}]}


class Keeper:
    """Runs each playbook on a controller of its own, with a host named keeper that has a disk."""

    def __init__(self, em: Any, folder: Path) -> None:
        self.disk, self._folder, self._jobs = folder / "disk", folder, 0
        (folder / "home").mkdir()
        self.disk.mkdir()
        variables = {f"QLIK_EM_{name.upper()}": getattr(em, name) for name in ("url", "ca_path")}
        login = {"QLIK_EM_USERNAME": "admin@corp.example", "QLIK_EM_PASSWORD": "admin-test-password"}
        there = {"ANSIBLE_CONNECTION_PLUGINS": str(PLUGINS), "ELSEWHERE_HOME": str(folder / "home")}
        self._variables = variables | login | there
        host = {"ansible_python_interpreter": sys.executable, "ansible_connection": "elsewhere"}
        self._inventory = folder / "inventory.json"
        self._inventory.write_text(json.dumps({"all": {"hosts": {"keeper": host, "bare": {}}}}))

    def play(self, name: str, *, host: str = "keeper", status: int = 0, **variables: Any) -> str:
        """Run a playbook whose files the host keeps, and return its output."""
        self._jobs += 1
        (self._folder / f"job-{self._jobs}").mkdir()
        paths = {"path": "estate"} if name == "backup" else {"path": "estate", "plan": "plan.json"}
        given = {f"{name}_{option}": str(self.disk / file) for option, file in paths.items()}
        given |= {f"{name}_{option}": value for option, value in variables.items()} | {f"{name}_host": host}
        job = Controller(self._folder / f"job-{self._jobs}", self._variables)
        arguments = ("-i", str(self._inventory), "-e", json.dumps(given), f"dataops.qlik_em.{name}")
        with job.start("ansible-playbook", *arguments) as child:
            assert child.wait() == status, child.output
            return child.output


@pytest.fixture
def keeper(em, tmp_path) -> Keeper:
    """A host with a disk."""
    em.set_task(PROD, "orders", stop_seconds=0.1, start_seconds=0.1)
    return Keeper(em, tmp_path)


def test_a_backup_is_kept_promoted_from_and_restored_on_the_host(em, keeper):
    output = keeper.play("backup", include=[{"server": PROD}])
    assert "runs as a module" in output and "runs in process" not in output and "1 of 1 servers" in output
    assert (keeper.disk / "estate/SHA256SUMS").exists()
    (keeper.disk / "prod.json").write_text(json.dumps(OVERLAY))
    given = {"overlay": str(keeper.disk / "prod.json"), "watch": 0}
    assert f"update {PROD} tasks orders" in keeper.play("promote", **given)
    em.clear_requests()
    output = keeper.play("promote", step="apply", **given)
    assert "Objects changed: 1. Tasks stopped and started again: 1." in output
    assert "runs in process" not in output and em.task(PROD, "orders")["state"] == "RUNNING"
    output = keeper.play("restore", plan=str(keeper.disk / "back.json"), step="restore")
    assert f"update {PROD} tasks orders" in output and "runs in process" not in output


@pytest.mark.parametrize("name", ["backup", "promote", "restore"])
def test_a_host_without_a_connection_is_not_taken_for_this_machine(keeper, em, name):
    assert "Failed to connect to the host via ssh" in keeper.play(name, host="bare", status=4)
    assert em.requests() == [] and not any(keeper.disk.iterdir())
