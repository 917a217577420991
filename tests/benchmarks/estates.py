# Copyright (c) 2026, dataops.qlik_em contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Thousands of tasks, stopped by one runner and by two side by side, on a server that bears so many calls at a time."""

from __future__ import annotations

import json
import statistics
import tempfile
import time
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from .playing import play_at, stand_in

TASKS, SERVERS, MOST_CALLS = 10_000, 300, 50
STOP_SECONDS = 0.05  # so that calls are under way at the same time
ZONES = ("north", "south")
RUNNERS = {"one runner": ("*",), "two runners side by side": tuple(f"{zone}-*" for zone in ZONES)}


def _document() -> dict[str, Any]:
    tasks = [{"name": f"task {number}", "state": "RUNNING", "stop_seconds": STOP_SECONDS} for number in range(TASKS)]
    servers = [
        {"name": f"{ZONES[number % len(ZONES)]}-{number}", "tasks": tasks[number::SERVERS]} for number in range(SERVERS)
    ]
    return {"options": {"most_calls": MOST_CALLS}, "servers": servers}


def _control(access: dict[str, Any], path: str) -> Any:
    with urllib.request.urlopen(f"{access['control_url']}/{path}") as answer:
        return json.load(answer)


def _rows(folder: Path) -> list[dict[str, Any]]:
    """Return the reports of all runners as one."""
    return [json.loads(line) for path in sorted(folder.iterdir()) for line in path.read_text().splitlines()]


def _check(access: dict[str, Any], rows: list[dict[str, Any]]) -> None:
    """Raise SystemExit unless each task was stopped once, and is once in the reports, as it is."""
    found = {
        (server, name): task
        for server, its in _control(access, "state")["servers"].items()
        for name, task in its["tasks"].items()
    }
    twice = [key for key, task in found.items() if task["stops"] != 1]
    reported = {(row["server"], row["name"]): row["after"] for row in rows if row["changed"] and not row["failed"]}
    if len(found) != TASKS or twice:
        raise SystemExit(f"{len(twice)} of {len(found)} tasks were not stopped exactly once: {twice[:3]}")
    if len(rows) != TASKS or reported != {key: task["state"] for key, task in found.items()}:
        raise SystemExit(f"The reports have {len(rows)} rows for {TASKS} tasks, {len(reported)} of them right")


def _run(selectors: tuple[str, ...]) -> dict[str, float]:
    """Stop all tasks, with one runner for each selector and as many calls at a time as the server bears."""
    with tempfile.TemporaryDirectory() as name, stand_in(_document()) as access:
        folder = Path(name)

        def play_one(number: int) -> float:
            given = {"bench_servers": selectors[number], "bench_parallel": MOST_CALLS // len(selectors)}
            return play_at(access, "slice.yml", bench_report=str(folder / str(number)), **given)[2]

        begin = time.perf_counter()
        with ThreadPoolExecutor(len(selectors)) as runners:
            growths = [*runners.map(play_one, range(len(selectors)))]
        seconds = time.perf_counter() - begin
        rows, summary = _rows(folder), _control(access, "summary")
        _check(access, rows)
        size = sum(path.stat().st_size for path in folder.iterdir()) / 1e6
    return {"seconds": seconds, "growth": max(growths), "size": size, **summary}


def measure(rounds: int) -> tuple[str, bool]:
    """Return how long it takes, as Markdown, and whether no call was turned away."""
    found = {name: [_run(selectors) for _round in range(rounds)] for name, selectors in RUNNERS.items()}
    lines = [
        f"| {TASKS} tasks on {SERVERS} servers | s, median | most calls at a time | turned away | worker grows by MB |",
        "|---|---|---|---|---|",
    ]
    for name, runs in found.items():
        median = {member: statistics.median(run[member] for run in runs) for member in ("seconds", "growth")}
        most = {member: max(run[member] for run in runs) for member in ("most_calls", "turned_away")}
        lines.append(
            f"| {name} | {median['seconds']:.2f} | {most['most_calls']} (<= {MOST_CALLS}) | "
            f"{most['turned_away']} (0) | {median['growth']:.1f} |"
        )
    lines.append(f"\nThe reports have {max(run['size'] for runs in found.values() for run in runs):.2f} MB.")
    return "\n".join(lines), not any(run["turned_away"] for runs in found.values() for run in runs)
