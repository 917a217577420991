# Copyright (c) 2026, dataops.qlik_em contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A maintenance window of thousands of tasks, beside the bare requests that it consists of."""

from __future__ import annotations

import base64
import http.client
import json
import ssl
import statistics
import tempfile
import threading
import time
import urllib.request
from collections import defaultdict, deque
from contextlib import closing
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from .playing import PASSWORD, USER, play_at, stand_in

TASKS, SERVERS, PARALLEL = 10_000, 300, 50
MOST_GROWTH = 60  # MB, of the worker
MOST_RATIO = 5.0  # of the time of a step to that of its bare requests
OURS, BARE = "ours", "bare"  # what the names of the servers begin with: the same tasks for both
STEPS = {"recorded": "running", "frozen": "changed", "restored": "changed"}  # with what counts all tasks
SESSION = "EnterpriseManager.APISessionID"
API = "/attunityenterprisemanager/api/v1"


class Bare:
    """Sends requests with nothing around http.client, over as many connections as the window has."""

    def __init__(self, access: dict[str, Any]) -> None:
        self._address = urlsplit(access["url"]).netloc
        self._context = ssl.create_default_context(cafile=access["ca_path"])
        credentials = base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()
        with closing(self._connect()) as connection:
            connection.request("POST", f"{API}/login", headers={"Authorization": f"Basic {credentials}"})
            self._headers = {SESSION: str(connection.getresponse().headers[SESSION])}

    def _connect(self) -> http.client.HTTPSConnection:
        return http.client.HTTPSConnection(self._address, context=self._context)

    def seconds(self, requests: list[tuple[str, str]]) -> float:
        """Return how long they take; ``requests`` are methods and paths."""
        left, failures = deque(requests), []

        def work() -> None:
            with closing(self._connect()) as connection:
                while left:
                    try:
                        method, path = left.popleft()
                    except IndexError:  # another thread was faster
                        return
                    connection.request(method, path, headers=self._headers)
                    answer = connection.getresponse()
                    if json.loads(answer.read()).get("error_code") or answer.status != 200:
                        failures.append(f"{method} {path}: HTTP {answer.status}")

        threads = [threading.Thread(target=work) for _number in range(PARALLEL)]
        begin = time.perf_counter()
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        if failures:
            raise SystemExit(f"{len(failures)} bare requests failed: {failures[0]}")
        return time.perf_counter() - begin


def _document() -> dict[str, Any]:
    tasks = [{"name": f"task {number}", "state": "RUNNING"} for number in range(TASKS)]
    servers = [
        {"name": f"{way}-{number}", "tasks": tasks[number::SERVERS]}
        for way in (OURS, BARE)
        for number in range(SERVERS)
    ]
    return {"servers": servers}


def control(access: dict[str, Any], method: str) -> Any:
    """Read (GET) or forget (DELETE) the requests that the stand-in has recorded."""
    with urllib.request.urlopen(urllib.request.Request(f"{access['control_url']}/requests", method=method)) as answer:
        return json.load(answer)


def as_bare(sent: list[dict[str, Any]]) -> list[tuple[str, str]]:
    """Return what was sent within the session, to the tasks that are for the bare requests, if there are such."""
    return [
        (one["method"], one["raw_path"].replace(f"/{OURS}-", f"/{BARE}-"))
        for one in sent
        if one["operation"] not in ("Login", "Logout")
    ]


def measure(rounds: int) -> tuple[str, bool]:
    """Return how long the steps take beside their requests, as Markdown, and whether that is as promised."""
    found: dict[str, list[dict[str, float]]] = defaultdict(list)
    for _round in range(rounds):
        with tempfile.TemporaryDirectory() as folder, stand_in(_document()) as access:
            path, bare = Path(folder, "checkpoint.json"), Bare(access)
            for step, count in STEPS.items():
                control(access, "DELETE")
                given: dict[str, Any] = {"bench_state": step, "bench_path": str(path), "bench_servers": f"{OURS}-*"}
                given |= {"bench_parallel": PARALLEL, "bench_count": count, "bench_tasks": TASKS}
                seconds, _summary, growth = play_at(access, "window.yml", **given)
                requests = as_bare(control(access, "GET"))
                found[step].append(
                    {
                        "ours": seconds["Step"][0],
                        "bare": bare.seconds(requests),
                        "requests": len(requests),
                        "growth": growth,
                        "checkpoint": path.stat().st_size / 1e6,
                    }
                )

    def middle(step: str, member: str) -> float:
        return statistics.median(one[member] for one in found[step])

    lines = [
        f"| {TASKS} tasks on {SERVERS} servers | s, median | requests | alone, s | ratio | worker grows by MB |",
        "|---|---|---|---|---|---|",
    ]
    kept = True
    for step in STEPS:
        ratio = statistics.median(one["ours"] / one["bare"] for one in found[step])
        grown = middle(step, "growth")
        bound = "" if step == "recorded" else f" (<= {MOST_RATIO:g})"
        kept = kept and (not bound or ratio <= MOST_RATIO) and grown <= MOST_GROWTH
        lines.append(
            f"| {step} | {middle(step, 'ours'):.2f} | {middle(step, 'requests'):.0f} | {middle(step, 'bare'):.2f} | "
            f"{ratio:.2f}{bound} | {grown:.1f} (<= {MOST_GROWTH}) |"
        )
    lines.append(f"\nThe checkpoint has {middle('frozen', 'checkpoint'):.2f} MB.")
    return "\n".join(lines), kept
