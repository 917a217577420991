# Copyright (c) 2026, dataops.qlik_em contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The metrics of thousands of tasks, with and without details, beside the bare requests that they consist of."""

from __future__ import annotations

import statistics
import tempfile
from collections import defaultdict
from pathlib import Path
from typing import Any

from .playing import play_at, stand_in
from .windows import PARALLEL, SERVERS, TASKS, Bare, as_bare, control

MOST_SECONDS = 30.0  # with details
MOST_RATIO = 5.0  # of the time to that of the bare requests
WAYS = {"with details": True, "states only": False}


def _document() -> dict[str, Any]:
    tasks = [{"name": f"task {number}", "state": "RUNNING"} for number in range(TASKS)]
    return {"servers": [{"name": f"S{number}", "tasks": tasks[number::SERVERS]} for number in range(SERVERS)]}


def measure(rounds: int) -> tuple[str, bool]:
    """Return how long it takes beside its requests, as Markdown, and whether that is as promised."""
    found: dict[str, list[dict[str, float]]] = defaultdict(list)
    with tempfile.TemporaryDirectory() as folder, stand_in(_document()) as access:
        path, bare = Path(folder, "qlik_em.prom"), Bare(access)
        for _round in range(rounds):
            for way, details in WAYS.items():
                control(access, "DELETE")
                given: dict[str, Any] = {"bench_path": str(path), "bench_details": details, "bench_parallel": PARALLEL}
                given |= {"bench_servers": SERVERS, "bench_tasks": TASKS}
                seconds, _summary, growth = play_at(access, "metrics.yml", **given)
                requests = as_bare(control(access, "GET"))
                text = path.read_text(encoding="utf-8")
                found[way].append(
                    {
                        "ours": seconds["Metrics"][0],
                        "bare": bare.seconds(requests),
                        "requests": len(requests),
                        "growth": growth,
                        "series": sum(not line.startswith("#") for line in text.splitlines()),
                        "size": path.stat().st_size / 1e6,
                    }
                )
    lines = [
        f"| {TASKS} tasks on {SERVERS} servers | s, median | requests | alone, s | ratio | worker grows by MB | series "
        "| MB |",
        "|---|---|---|---|---|---|---|---|",
    ]
    kept = True
    for way, runs in found.items():
        middle = {member: statistics.median(run[member] for run in runs) for member in runs[0]}
        ratio = statistics.median(run["ours"] / run["bare"] for run in runs)
        bounds = [f" (<= {most:g})" if WAYS[way] else "" for most in (MOST_SECONDS, MOST_RATIO)]
        kept = kept and not (WAYS[way] and (middle["ours"] > MOST_SECONDS or ratio > MOST_RATIO))
        lines.append(
            f"| {way} | {middle['ours']:.2f}{bounds[0]} | {middle['requests']:.0f} | {middle['bare']:.2f} | "
            f"{ratio:.2f}{bounds[1]} | {middle['growth']:.1f} | {middle['series']:.0f} | {middle['size']:.1f} |"
        )
    return "\n".join(lines), kept
