# Copyright (c) 2026, dataops.qlik_em contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One task and a loop of them, in process and as modules, beside `ansible.builtin.uri`."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import Any

from ..tools.simulator import connection
from .playing import HERE, Seconds, play, stand_in

ITEMS = 100
FEW = 10  # of a short loop


def document(singles: int, loops: int) -> dict[str, Any]:
    """Return the state of the stand-in: a running task for each stop, none of which takes any time."""

    def tasks(ways: tuple[str, ...], count: int) -> list[dict[str, str]]:
        return [{"name": f"{way} {number}", "state": "RUNNING"} for way in ways for number in range(count)]

    return {
        "servers": [
            {"name": "single", "tasks": tasks(("process", "uri", "module"), singles)},
            *({"name": f"loop {number}", "tasks": tasks(("process", "uri"), ITEMS)} for number in range(loops)),
            *({"name": f"short {number}", "tasks": tasks(("uri", "module"), FEW)} for number in range(loops)),
        ],
    }


def measure(singles: int, loops: int) -> Seconds:
    """Run the playbook and return the seconds of each kind of task."""
    rounds = {"bench_singles": singles, "bench_loops": loops, "bench_items": ITEMS, "bench_few": FEW}
    return play("playbook.yml", document(singles, loops), **rounds)[0]


def measure_phases(rounds: int) -> dict[str, float]:
    """Return what one stop in process spends its time on: milliseconds of each phase."""
    tasks = [{"name": f"phase {number}", "state": "RUNNING"} for number in range(rounds)]
    with stand_in({"servers": [{"name": "single", "tasks": tasks}]}) as access:
        process = subprocess.run(
            [sys.executable, str(HERE / "phases.py"), str(rounds)],
            env=os.environ | connection(access),
            stdout=subprocess.PIPE,
            check=True,
        )
    phases: dict[str, float] = json.loads(process.stdout)
    return phases
