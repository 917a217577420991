# Copyright (c) 2026, dataops.qlik_em contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Plays a playbook against a stand-in and returns how long its tasks took, and how much memory its workers."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import threading
from collections import defaultdict
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from ..tools.simulator import connection, serving

HERE = Path(__file__).parent
USER, PASSWORD = "bench", "bench-password"
PAUSE = 0.005  # seconds between two reads of the memory

Seconds = dict[str, list[float]]


class Memory(threading.Thread):
    """Watches the workers of an ansible-playbook; ``growth`` is by how many MB the largest one has grown."""

    def __init__(self, pid: int) -> None:
        super().__init__(daemon=True)
        self._pid = pid
        self._first: dict[str, int] = {}
        self.growth = 0.0
        self.over = threading.Event()

    def run(self) -> None:
        """Read it until the end. A worker is a fork: what it begins with is its parent's."""
        while not self.over.wait(PAUSE):
            try:
                children = Path(f"/proc/{self._pid}/task/{self._pid}/children").read_text().split()
                for child in children:
                    resident = int(Path(f"/proc/{child}/statm").read_text().split()[1]) * 4096
                    first = self._first.setdefault(child, resident)
                    self.growth = max(self.growth, (resident - first) / 1024**2)
            except (OSError, IndexError):
                continue


@contextmanager
def stand_in(document: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Run a stand-in with the user of the measurements; yields what it says of itself."""
    with tempfile.TemporaryDirectory() as folder:
        state = Path(folder, "state.json")
        user = {"name": USER, "logins": [USER], "password": PASSWORD, "grants": [{"role": "Operator"}]}
        state.write_text(json.dumps({"users": [user], **document}))
        with serving("--state", str(state)) as access:
            yield {**access, "username": USER, "password": PASSWORD}


def play(playbook: str, document: dict[str, Any], **variables: Any) -> tuple[Seconds, dict[str, Any], float]:
    """Run a playbook against a stand-in of its own; return what ``play_at`` returns."""
    with stand_in(document) as access:
        return play_at(access, playbook, **variables)


def play_at(
    access: dict[str, Any], playbook: str, settings: Mapping[str, str] | None = None, /, **variables: Any
) -> tuple[Seconds, dict[str, Any], float]:
    """Run a playbook; return the seconds of each kind of task, the stand-in's summary, and the workers' growth (MB).

    ``settings`` are further ones of Ansible, as environment variables.
    """
    with tempfile.TemporaryDirectory() as folder:
        durations = Path(folder, "durations.jsonl")
        given = {
            "bench_api": f"{access['url']}/attunityenterprisemanager/api/v1",
            "bench_ca_path": access["ca_path"],
            "bench_control": access["control_url"],
            "ansible_python_interpreter": sys.executable,
            **variables,
        }
        environment = {
            "ANSIBLE_CALLBACK_PLUGINS": str(HERE / "callback_plugins"),
            "ANSIBLE_CALLBACKS_ENABLED": "durations",
            "ANSIBLE_LOCALHOST_WARNING": "false",
            "ANSIBLE_INVENTORY_UNPARSED_WARNING": "false",
            "BENCH_DURATIONS": str(durations),
            **connection(access),
            **(settings or {}),
        }
        output = Path(folder, "output")
        with output.open("wb") as file:
            process = subprocess.Popen(
                ["ansible-playbook", "--extra-vars", json.dumps(given), str(HERE / playbook)],
                env=os.environ | environment,
                stdout=file,
                stderr=subprocess.STDOUT,
            )
            memory = Memory(process.pid)
            memory.start()
            status = process.wait()
            memory.over.set()
        if status:
            raise SystemExit(f"{output.read_text()[-5000:]}\nThe playbook failed")
        seconds = defaultdict(list)
        summary: dict[str, Any] = {}
        for line in durations.read_text().splitlines():
            record = json.loads(line)
            seconds[record["task"]].append(record["seconds"])
            summary = record.get("summary") or summary
    return seconds, summary, memory.growth
