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


GUIDE = (COLLECTIONS / "ansible_collections/dataops/qlik_em/docs/maintenance_windows.md").read_text(encoding="utf-8")


class Awx:
    """Runs each job in surroundings of its own, which are not kept; a host named keeper has a disk."""

    def __init__(self, em: Any, folder: Path, connection: str) -> None:
        self.path = folder / "disk" / "patch-night.json"  # as in the guide
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

    def job(self) -> Controller:
        """Return a controller that has run nothing, with the variables of a credential."""
        self._jobs += 1
        environ = {f"QLIK_EM_{name.upper()}": getattr(self._em, name) for name in CONNECTION}
        environ |= {"ANSIBLE_CONNECTION_PLUGINS": str(PLUGINS), "ELSEWHERE_HOME": str(self._folder / "keeper-home")}
        return Controller(self._folder / f"job-{self._jobs}", environ)

    def start(self, step: str, *arguments: str, **variables: Any) -> Child:
        """Start the step of the role, or the playbook of the collection, as a job."""
        job = self.job()
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

    def play_the_guide(self, step: str, *, status: int = 0, **variables: Any) -> str:
        """Run the playbook that the guide shows, word for word but for the paths, and return its output."""
        section = GUIDE.partition("## From AWX, with a host that keeps the window")[2]
        book = section.partition("```yaml\n")[2].partition("```")[0]
        book = book.replace("/etc/qlik/ca.pem", self._em.ca_path).replace("/var/lib/qlik", str(self.path.parent))
        (self._folder / "window.yml").write_text(book, encoding="utf-8")
        given = {"maintenance_window_step": step, "maintenance_window_wait_sleep": 0.1, **variables}
        arguments = ("-i", str(self._inventory), "-e", json.dumps(given), str(self._folder / "window.yml"))
        with self.job().start("ansible-playbook", *arguments) as child:
            assert child.wait() == status, child.output
            return child.output

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
def test_the_next_job_goes_on_after_a_kill(awx, em, is_whole):
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


def test_the_playbook_of_the_guide_does_what_it_says(em, tmp_path):
    awx = Awx(em, tmp_path, "elsewhere")
    assert "the connection is elsewhere" in awx.play_the_guide("record", **SELECT)
    awx.play_the_guide("freeze")
    assert awx.stopped() == RAN and awx.phase == "frozen"
    awx.play_the_guide("restore")
    assert not awx.stopped() and awx.moves() == [(1, 1), (1, 1)]


def test_a_window_whose_disk_is_lost_is_ended_with_the_artifact(em, tmp_path):
    """As the table of the guide says."""
    awx = Awx(em, tmp_path, "elsewhere")
    awx.play_the_guide("record", **SELECT)
    artifact = {"maintenance_window_checkpoint": json.loads(awx.path.read_text(encoding="utf-8"))}
    awx.play_the_guide("freeze")
    for file in awx.path.parent.iterdir():
        file.unlink()
    assert "There is no checkpoint" in awx.play_the_guide("restore", status=2, **artifact)
    awx.path.parent.rmdir()
    assert str(awx.path.parent) in awx.play_the_guide("restore", status=2, **artifact)
    empty = {"maintenance_window_path": "", "maintenance_window_host": "", "maintenance_window_timeout": 2}
    awx.play_the_guide("restore", **artifact, **empty)
    assert not awx.stopped() and awx.moves() == [(1, 1), (1, 1)]


@pytest.mark.parametrize("host", ["nowhere.invalid", "bare"])
def test_what_is_not_a_host_with_a_connection_is_not_taken_for_this_machine(em, tmp_path, host):
    """A play with connection: local must not leave the checkpoint in a container, nor end well with nothing done."""
    awx = Awx(em, tmp_path, "elsewhere")
    for step in ("record", "maintenance_begin"):
        output = awx.run(step, status=4, maintenance_window_host=host, **SELECT)
        assert "UNREACHABLE" in output
    assert not em.requests() and not awx.path.exists()
