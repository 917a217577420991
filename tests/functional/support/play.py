# Copyright (c) 2026, dataops.qlik_em contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Real ansible-playbook processes, in surroundings that a test makes up."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from ansible_collections.dataops.qlik_em.plugins.modules import aem_task

# The folder that holds ansible_collections (no link is followed: the last folders may be one).
COLLECTIONS = Path(aem_task.__file__).parents[5]
PATIENCE = 1200  # seconds for one playbook

# Compiled Python is kept where this process keeps it, if that is out of the way: else each start takes twice as long.
COMPILED = {"PYTHONPYCACHEPREFIX": sys.pycache_prefix} if sys.pycache_prefix else {"PYTHONDONTWRITEBYTECODE": "1"}

# The two ways in which a module runs: in the worker's process, and as a process of its own.
both_ways = pytest.mark.parametrize("as_module", [False, True], ids=["in process", "as module"])


class Outcome(NamedTuple):
    """What a playbook left behind: all that it printed, its return code, and the results of its tasks."""

    text: str
    code: int
    results: list[dict[str, Any]]


class Player:
    """Runs playbooks under `folder`, with nothing of this process's environment but PATH."""

    def __init__(self, folder: Path, as_module: bool, **environ: str) -> None:
        self.folder = folder
        self.environ = {
            "PATH": os.environ["PATH"],
            "HOME": str(folder / "home"),
            "LC_ALL": "C.UTF-8",
            **COMPILED,
            "ANSIBLE_HOME": str(folder / "ansible"),
            "ANSIBLE_LOCAL_TEMP": str(folder / "local"),
            "ANSIBLE_REMOTE_TEMP": str(folder / "remote"),
            "ANSIBLE_LOG_PATH": str(folder / "log"),
            "ANSIBLE_COLLECTIONS_PATH": str(COLLECTIONS),
            "ANSIBLE_PYTHON_INTERPRETER": sys.executable,
            "ANSIBLE_NOCOLOR": "1",
            **environ,
        }
        self.variables = {"aem_run_as_module": as_module, "ansible_connection": "local"}
        (folder / "home").mkdir(exist_ok=True)

    def play(self, tasks: list[dict[str, Any]], *arguments: str, **variables: Any) -> Outcome:
        """Run the tasks, go on after failures, and collect the results of those without `no_log`."""
        results = self.folder / "results.json"
        named = [
            {**task, "register": f"result_{number}", "ignore_errors": True} if "block" not in task else task
            for number, task in enumerate(tasks)
        ]
        kept = ", ".join(f"result_{number}" for number, task in enumerate(tasks) if "block" not in task)
        keep = {
            "name": "Keep the results",
            "ansible.builtin.copy": {"content": f"{{{{ [{kept}] | to_json }}}}", "dest": str(results), "mode": "0600"},
            "check_mode": False,
            "diff": False,
            "no_log": True,
        }
        play = {
            "hosts": "localhost",
            "gather_facts": False,
            "vars": {**self.variables, **variables},
            "tasks": [*named, keep],
        }
        outcome = self.run_file([play], *arguments)
        found = json.loads(results.read_text()) if results.exists() else []
        results.unlink(missing_ok=True)
        return outcome._replace(results=found)

    def run_file(self, plays: list[dict[str, Any]], *arguments: str) -> Outcome:
        """Run plays as they are."""
        playbook = self.folder / "playbook.yml"
        playbook.write_text(json.dumps(plays, indent=1))
        command = [Path(sys.executable).with_name("ansible-playbook"), "-i", "localhost,", playbook, *arguments]
        process = subprocess.run(
            command, env=self.environ, cwd=self.folder, capture_output=True, timeout=PATIENCE, check=False
        )
        return Outcome((process.stdout + process.stderr).decode(), process.returncode, [])
