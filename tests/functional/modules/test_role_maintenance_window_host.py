# Copyright (c) 2026, dataops.qlik_em contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A host with a disk keeps the checkpoint for jobs whose own files are lost, as in AWX."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import sys
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.dataops.qlik_em.tests.functional.ways.children import (
    COLLECTIONS,
    Child,
    Controller,
    await_that,
    descendants,
)

PLUGINS = COLLECTIONS / "ansible_collections/dataops/qlik_em/tests/functional/support/connection_plugins"
CONNECTION = ("url", "ca_path", "username", "password")
RAN = {"orders", "Aufträge & Kunden 100%"}  # what the selection below finds running
SELECT = {"maintenance_window_include": [{"server": "Replicate-Prod", "tag": ["erp"]}]}


class Awx:
    """Runs each job in surroundings of its own, which are not kept; a host named keeper has a disk."""

    def __init__(self, em: Any, folder: Path, connection: str) -> None:
        self.path = folder / "disk" / "night.json"
        self.path.parent.mkdir(mode=0o700)
        (folder / "keeper-home").mkdir()
        self._em, self._folder, self._jobs = em, folder, 0
        host = {
            "ansible_python_interpreter": sys.executable,
            "ansible_remote_tmp": str(folder / "keeper-tmp"),
            "ansible_connection": connection,
        }
        self._inventory = folder / "inventory.json"
        self._inventory.write_text(json.dumps({"all": {"hosts": {"keeper": host, "bare": {}}}}), encoding="utf-8")

    def start(self, step: str, *arguments: str, **variables: Any) -> Child:
        """Start the step of the role, or the playbook of the collection, as a job."""
        self._jobs += 1
        environ = {f"QLIK_EM_{name.upper()}": getattr(self._em, name) for name in CONNECTION}
        environ |= {"ANSIBLE_CONNECTION_PLUGINS": str(PLUGINS), "ELSEWHERE_HOME": str(self._folder / "keeper-home")}
        job = Controller(self._folder / f"job-{self._jobs}", environ)
        given = {"maintenance_window_host": "keeper", "maintenance_window_path": str(self.path), **variables}
        given |= {"maintenance_window_wait_sleep": 0.1, "aem_run_as_module": True}
        arguments = (*arguments, "-i", str(self._inventory), "-e", json.dumps(given))
        if step.startswith("maintenance_"):
            return job.start("ansible-playbook", *arguments, f"dataops.qlik_em.{step}")
        role = {"name": "dataops.qlik_em.maintenance_window"}
        env = {name: f"{{{{ lookup('ansible.builtin.env', 'QLIK_EM_{name.upper()}') }}}}" for name in CONNECTION}
        return job.play(
            [{"ansible.builtin.include_role": role, "vars": {"maintenance_window_step": step}}],
            *arguments,
            connection="local",  # as many playbooks for AWX have it
            module_defaults={"group/dataops.qlik_em.aem": env},
        )

    def run(self, step: str, *arguments: str, status: int = 0, **variables: Any) -> str:
        """Run it to its end and return its output."""
        with self.start(step, *arguments, **variables) as child:
            assert child.wait() == status, child.output
            return child.output

    @property
    def phase(self) -> str:
        """The phase of the window in the file."""
        return json.loads(self.path.read_text(encoding="utf-8"))["phase"]

    def stopped(self) -> set[str]:
        """Return which of the tasks are stopped."""
        return {name for name in RAN if self._em.task("Replicate-Prod", name)["state"] == "STOPPED"}

    def moves(self) -> list[tuple[int, int]]:
        """Return how often each task was stopped, and how often it was started."""
        tasks = [self._em.task("Replicate-Prod", name) for name in sorted(RAN)]
        return [(task["stops"], len(task["runs"])) for task in tasks]


@pytest.fixture(params=["another connection", "local, as a module"])
def awx(em, tmp_path, request):
    """AWX, and a keeper that is reached over a connection of its own, or over none."""
    return Awx(em, tmp_path, "local" if request.param.startswith("local") else "elsewhere")


def test_the_jobs_of_a_workflow_find_the_window_on_the_host(awx):
    output = awx.run("record", **SELECT)
    assert "runs as a module" in output and awx.phase == "recorded" and awx.path.stat().st_mode & 0o777 == 0o600
    awx.run("freeze")
    assert awx.stopped() == RAN and awx.phase == "frozen" and Path(f"{awx.path}.journal").exists()
    awx.run("record", **SELECT)  # the workflow is launched again
    awx.run("freeze")
    awx.run("restore")
    assert not awx.stopped() and awx.moves() == [(1, 1), (1, 1)] and awx.phase == "restored"


def test_the_playbooks_take_the_host_and_name_it_in_the_next_command(awx, em):
    em.set_task("Replicate-Prod", "orders", fail_stop="No.")
    output = awx.run("maintenance_begin", status=2, **SELECT)
    file = json.dumps({"maintenance_window_host": "keeper", "maintenance_window_path": str(awx.path)})
    assert f"To go back: ansible-playbook dataops.qlik_em.maintenance_end -e '{file}'" in output.replace('\\"', '"')
    em.set_task("Replicate-Prod", "orders", fail_stop=None)
    awx.run("maintenance_begin", **SELECT)
    assert awx.stopped() == RAN
    awx.run("maintenance_end", "--check")
    assert awx.stopped() == RAN and awx.phase == "frozen"
    awx.run("maintenance_end")
    assert not awx.stopped() and awx.moves() == [(1, 1), (1, 1)]


@pytest.mark.parametrize("is_whole", [True, False], ids=["with the work", "but for the work at the host"])
def test_a_job_that_is_killed_is_gone_on_with_by_the_next_one(awx, em, is_whole):
    """In another home, so nothing but the host's disk can show what was stopped. The host may live on."""
    for name in RAN:
        em.set_task("Replicate-Prod", name, stop_seconds=2, show_transient=False)
    awx.run("record", **SELECT)
    with awx.start("freeze", maintenance_window_timeout=3) as child:
        await_that(lambda: em.summary()["under_way"], "a task is being stopped")
        for pid in descendants(child.pid):
            with contextlib.suppress(OSError):
                if is_whole or b"AnsiballZ" not in Path(f"/proc/{pid}/cmdline").read_bytes():
                    os.kill(pid, signal.SIGKILL)
    for _try in range(3):
        with awx.start("restore", maintenance_window_timeout=3) as child:
            if child.wait() == 0:
                break
            # The work at the host ends by itself: nobody reads its result. The lock is free then.
            assert not is_whole and "is in use by another run. Nothing was done. It is process" in child.output
    assert not awx.stopped() and awx.phase == "restored"
    assert set(awx.moves()) <= {(1, 1), (0, 0)}  # the kill may have come before the second stop


@pytest.mark.parametrize("host", ["nowhere.invalid", "bare"])
def test_what_is_not_a_host_with_a_connection_is_not_taken_for_this_machine(em, tmp_path, host):
    """A play with connection: local must not leave the checkpoint in a container, nor end well with nothing done."""
    awx = Awx(em, tmp_path, "elsewhere")
    for step in ("record", "maintenance_begin"):
        output = awx.run(step, status=4, maintenance_window_host=host, **SELECT)
        assert "UNREACHABLE" in output
    assert not em.requests() and not awx.path.exists()
