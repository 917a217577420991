# Copyright (c) 2026, dataops.qlik_em contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs the benchmark playbook and prints its figures as Markdown."""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
from collections import defaultdict
from pathlib import Path
from typing import Any

from ..tools.environments import Environment, ready
from ..tools.layout import link_collection
from ..tools.simulator import connection, serving

HERE = Path(__file__).parent
ITEMS = 100
USER, PASSWORD = "bench", "bench-password"

# (what is measured, beside what, the most that we promise)
PROMISES = (
    ("In process", "Uri", 0.15),
    ("As a module", "Uri", 1.05),
    ("Loop in process", "Loop of uri", 0.05),
)
FLOORS = (("In process", "Set_fact"), ("Loop in process", "Loop of set_fact"))


def document(singles: int, loops: int) -> dict[str, Any]:
    """Return the state of the stand-in: a running task for each stop, none of which takes any time."""

    def tasks(ways: tuple[str, ...], count: int) -> list[dict[str, str]]:
        return [{"name": f"{way} {number}", "state": "RUNNING"} for way in ways for number in range(count)]

    return {
        "users": [{"name": USER, "logins": [USER], "password": PASSWORD, "grants": [{"role": "Operator"}]}],
        "servers": [
            {"name": "single", "tasks": tasks(("process", "uri", "module"), singles)},
            *({"name": f"loop {number}", "tasks": tasks(("process", "uri"), ITEMS)} for number in range(loops)),
        ],
    }


def measure(tools: Environment, singles: int, loops: int) -> dict[str, list[float]]:
    """Run the playbook and return the seconds of each kind of task."""
    with tempfile.TemporaryDirectory() as folder:
        state, durations = Path(folder, "state.json"), Path(folder, "durations.jsonl")
        state.write_text(json.dumps(document(singles, loops)))
        with serving("--state", str(state)) as access:
            variables = {
                "bench_singles": singles,
                "bench_loops": loops,
                "bench_items": ITEMS,
                "bench_api": f"{access['url']}/attunityenterprisemanager/api/v1",
                "bench_ca_path": access["ca_path"],
                "bench_control": access["control_url"],
                "ansible_python_interpreter": str(tools.interpreter),
            }
            environment = {
                "ANSIBLE_COLLECTIONS_PATH": str(link_collection()),
                "ANSIBLE_CALLBACK_PLUGINS": str(HERE / "callback_plugins"),
                "ANSIBLE_CALLBACKS_ENABLED": "durations",
                "ANSIBLE_LOCALHOST_WARNING": "false",
                "ANSIBLE_INVENTORY_UNPARSED_WARNING": "false",
                "BENCH_DURATIONS": str(durations),
                **connection({**access, "username": USER, "password": PASSWORD}),
            }
            done = subprocess.run(
                [tools.command("ansible-playbook"), "--extra-vars", json.dumps(variables), str(HERE / "playbook.yml")],
                env=tools.variables() | environment,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                check=False,
            )
        if done.returncode:
            raise SystemExit(f"{done.stdout[-5000:]}\nThe playbook failed")
        seconds = defaultdict(list)
        for line in durations.read_text().splitlines():
            record = json.loads(line)
            seconds[record["task"]].append(record["seconds"])
    return seconds


def table(seconds: dict[str, list[float]]) -> tuple[str, bool]:
    """Return the figures as Markdown, and whether all promises are kept."""

    def milliseconds(task: str) -> str:
        times = [1000 * one for one in seconds[task]]
        return f"{statistics.median(times):.0f} ({min(times):.0f} to {max(times):.0f}, n = {len(times)})"

    def ratio(task: str, other: str) -> float:
        # Round by round: a pair ran within a second or so of each other.
        return statistics.median(one / beside for one, beside in zip(seconds[task], seconds[other], strict=True))

    shown = ["Set_fact", "In process", "Uri", "As a module", "Loop of set_fact", "Loop in process", "Loop of uri"]
    lines = ["| task | ms, median (range) |", "|---|---|", *(f"| {task} | {milliseconds(task)} |" for task in shown)]
    lines += ["", "| ratio | measured | promised |", "|---|---|---|"]
    kept = True
    for task, other, most in PROMISES:
        measured = ratio(task, other)
        kept = kept and measured <= most
        lines.append(f"| {task} / {other} | {measured:.3f} | <= {most} |")
    lines += [f"| {task} / {other} | {ratio(task, other):.1f} | |" for task, other in FLOORS]
    return "\n".join(lines), kept


def main() -> int:
    """Measure and print; 1 if a promise is not kept."""
    parser = argparse.ArgumentParser(prog="make bench")
    parser.add_argument("--singles", type=int, default=15, help="rounds of single tasks")
    parser.add_argument("--loops", type=int, default=3, help=f"rounds of loops over {ITEMS} tasks")
    arguments = parser.parse_args()
    tools = ready("play")
    version = subprocess.run([tools.command("ansible"), "--version"], capture_output=True, text=True, check=True).stdout
    figures, kept = table(measure(tools, arguments.singles, arguments.loops))
    core, python = version.splitlines()[0], platform.python_version()
    print(f"{core}, Python {python}, {os.cpu_count()} x {platform.machine()}\n\n{figures}")
    return 0 if kept else 1


if __name__ == "__main__":
    sys.exit(main())
