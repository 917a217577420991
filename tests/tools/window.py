# Copyright (c) 2026, dataops.qlik_em contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The playbooks of a maintenance window, run by name from the installed tarball: exactly what ran comes back."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import urllib.request
from pathlib import Path
from typing import Any

from . import simulator

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

    def __init__(self, access: dict[str, Any], folder: Path) -> None:
        self._access, self._folder = access, folder

    def play(self, playbook: str, **variables: Any) -> None:
        """Run a playbook of the collection; raise SystemExit if it fails."""
        command = ["ansible-playbook", f"dataops.qlik_em.{playbook}", "-e", json.dumps(variables)]
        print(f"\n$ {' '.join(command)}", flush=True)
        environ = os.environ | simulator.connection(self._access)
        if subprocess.run(command, cwd=self._folder, env=environ, check=False).returncode:
            raise SystemExit(f"{playbook} failed")

    def tasks(self) -> Tasks:
        """Return how the tasks are now, by their names, as the stand-in itself reports."""
        with urllib.request.urlopen(f"{self._access['control_url']}/state", timeout=30) as answer:
            servers = json.load(answer)["servers"]
        return {name: task for server in servers.values() for name, task in server["tasks"].items()}


def main() -> int:
    """Begin and end a window, each twice, and compare what ran."""
    with simulator.serving() as access, tempfile.TemporaryDirectory(prefix="qlik_em-") as folder:
        operator = Operator(access, Path(folder))
        path = str(Path(folder) / "night.json")
        before = operator.tasks()
        for _time in range(2):
            operator.play("maintenance_begin", maintenance_window_path=path, **NIGHT)
        within = operator.tasks()
        for _time in range(2):
            operator.play("maintenance_end", maintenance_window_path=path, maintenance_window_wait_sleep=0.1)
        after = operator.tasks()
    faults = [*compare_within(before, within), *compare_after(before, after)]
    print("\n".join(["", *(faults or ["Exactly what ran was stopped, and runs again"])]))
    return 1 if faults else 0


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


if __name__ == "__main__":
    sys.exit(main())
