# Copyright (c) 2026, dataops.qlik_em contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Batches of tasks beside loops, and how time and memory grow with their number."""

from __future__ import annotations

import statistics
from typing import Any

from .playing import Seconds, play

ITEMS, PARALLEL, STOP_SECONDS = 100, 20, 1.0
SIZES, SERVERS = (1000, 5000), 50
MOST_GROWTH = 60  # MB, of the worker at the largest size
SHOWN = (
    "Empty batch",
    "Batch of slow stops",
    "Batch of quick stops",
    "Loop of uri",
    "Loop of aem_task, slow stops",
    "Loop of uri, slow stops",
)


def _server(name: str, count: int, **attributes: Any) -> dict[str, Any]:
    tasks = [{"name": f"t {number}", "state": "RUNNING", **attributes} for number in range(count)]
    return {"name": name, "tasks": tasks}


def measure(rounds: int) -> Seconds:
    """Run the playbook and return the seconds of each kind of task; what takes minutes runs once."""
    servers = [_server(f"slow {way}", ITEMS, stop_seconds=STOP_SECONDS) for way in ("task", "uri")]
    for number in range(rounds):
        servers += [
            _server(f"slow {number}", ITEMS, stop_seconds=STOP_SECONDS),
            _server(f"quick {number}", ITEMS),
            _server(f"uri {number}", ITEMS),
        ]
    variables = {"bench_rounds": rounds, "bench_items": ITEMS, "bench_parallel": PARALLEL}
    seconds = play("fleets.yml", {"servers": servers}, **variables)[0]
    seconds["The stops themselves"] = [ITEMS / PARALLEL * STOP_SECONDS]
    return seconds


def measure_growth(rounds: int) -> tuple[str, bool]:
    """Return how time and memory grow with the number of tasks, as Markdown, and whether it is as promised."""
    times: dict[int, list[float]] = {size: [] for size in SIZES}
    growths: dict[int, list[float]] = {size: [] for size in SIZES}
    for _round in range(rounds):
        for size in SIZES:
            servers = [_server(f"S{number}", size // SERVERS) for number in range(SERVERS)]
            seconds, summary, growth = play("growth.yml", {"servers": servers}, bench_parallel=PARALLEL)
            if summary["logins"] != 1 or summary["tcp_connections"] > PARALLEL or summary["open_sessions"]:
                raise SystemExit(f"Not one login and at most {PARALLEL} connections: {summary}")
            times[size] += seconds["Batch of all"]
            growths[size].append(growth)
    lines = [
        f"| tasks on {SERVERS} servers | s, median | ms a task | worker grows by MB, median |",
        "|---|---|---|---|",
    ]
    for size in SIZES:
        middle = statistics.median(times[size])
        grown = statistics.median(growths[size])
        lines.append(f"| {size} | {middle:.2f} | {1000 * middle / size:.2f} | {grown:.1f} (<= {MOST_GROWTH}) |")
    small, large = SIZES
    ratio = statistics.median(two / one for one, two in zip(times[small], times[large], strict=True))
    most = large / small * 1.15
    lines.append(f"\n{large} tasks take {ratio:.2f} times as long as {small} (linear: {large / small:g}; <= {most:g}).")
    kept = ratio <= most and statistics.median(growths[large]) <= MOST_GROWTH
    return "\n".join(lines), kept
