# Copyright (c) 2026, dataops.qlik_em contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The playbooks of a maintenance window, run by name from the installed tarball: exactly what ran comes back."""

from __future__ import annotations

import json
import subprocess
import tempfile
import urllib.request
from pathlib import Path
from typing import Any

from . import simulator
from .environments import Environment, ready
from .layout import BUILD
from .outcome import Outcome
from .steps import install

# All of the stand-in but what it refuses to stop, and the servers that do not answer.
NIGHT = {
    "maintenance_window_include": [{"server": name} for name in ("Replicate-Prod", "Replicate-Test", "Compose-DW")],
    "maintenance_window_exclude": [{"name": "locked"}, {"name": "stuck"}],
    "maintenance_window_waves": [{"server": "Compose-DW"}],
    "maintenance_window_wait_sleep": 0.1,
}
LEFT_RUNNING = {"locked", "stuck", "payments", "returns"}
RUNNING = ("RUNNING", "RECOVERY")

Tasks = dict[str, dict[str, Any]]


class Operator:
    """Somebody with the installed collection, who has nothing but the address and a user name."""

    def __init__(self, tools: Environment, collections: Path, access: dict[str, Any], folder: Path) -> None:
        self._tools, self._access, self._folder = tools, access, folder
        self._variables = {"ANSIBLE_COLLECTIONS_PATH": str(collections), **simulator.connection(access)}

    def play(self, playbook: str, **variables: Any) -> None:
        """Run a playbook of the collection; raise SystemExit if it fails."""
        command = [self._tools.command("ansible-playbook"), f"dataops.qlik_em.{playbook}", "-e", json.dumps(variables)]
        print(f"\n$ ansible-playbook {' '.join(command[1:])}", flush=True)
        environ = self._tools.variables() | self._variables
        if subprocess.run(command, cwd=self._folder, env=environ, check=False).returncode:
            raise SystemExit(f"{playbook} failed")

    def look(self) -> Tasks:
        """How the tasks are now, by their names, as the stand-in itself tells."""
        with urllib.request.urlopen(f"{self._access['control_url']}/state", timeout=30) as answer:
            servers = json.load(answer)["servers"]
        return {name: task for server in servers.values() for name, task in server["tasks"].items()}


def window() -> Outcome:
    """Begin and end a window, each twice, and compare what ran."""
    tools, collections = ready("play"), install(BUILD / "window")
    with simulator.serving() as access, tempfile.TemporaryDirectory(prefix="qlik_em-") as folder:
        operator = Operator(tools, collections, access, Path(folder))
        path = str(Path(folder) / "night.json")
        before = operator.look()
        for _time in range(2):
            operator.play("maintenance_begin", maintenance_window_path=path, **NIGHT)
        within = operator.look()
        for _time in range(2):
            operator.play("maintenance_end", maintenance_window_path=path, maintenance_window_wait_sleep=0.1)
        after = operator.look()
    faults = [*compare_within(before, within), *compare_after(before, after)]
    print("\n".join(["", *(faults or ["Exactly what ran was stopped, and runs again"])]))
    return Outcome(passed=1 - bool(faults), failed=int(bool(faults)), failures=faults)


def compare_within(before: Tasks, within: Tasks) -> list[str]:
    """What is wrong while the window is open."""
    running = {name for name, task in within.items() if task["state"] in RUNNING}
    stopped = {name: task["stops"] for name, task in within.items() if task["stops"]}
    ran = {name for name, task in before.items() if task["state"] in RUNNING}
    return [
        *([] if running == LEFT_RUNNING else [f"These run in the window: {sorted(running)}"]),
        *([] if stopped == dict.fromkeys(ran - LEFT_RUNNING, 1) else [f"These were stopped, so often: {stopped}"]),
    ]


def compare_after(before: Tasks, after: Tasks) -> list[str]:
    """What is wrong when the window is over."""
    ran = {name for name, task in before.items() if task["state"] in RUNNING}
    running = {name for name, task in after.items() if task["state"] in RUNNING}
    started = {name: [run["option"] for run in task["runs"]] for name, task in after.items() if task["runs"]}
    expected = {name: ["RESUME_PROCESSING"] for name in ran - LEFT_RUNNING}
    return [
        *([] if running == ran else [f"These ran: {sorted(ran)}", f"These run now: {sorted(running)}"]),
        *([] if started == expected else [f"These were started, so: {started}"]),
    ]
