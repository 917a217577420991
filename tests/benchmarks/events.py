# Copyright (c) 2026, dataops.qlik_em contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A round of the event source over 300 servers and 10,000 tasks: the first, which logs in, and those after it."""

from __future__ import annotations

import asyncio
import contextlib
import json
import time
import urllib.request
from typing import Any

from ansible_collections.dataops.qlik_em.plugins.module_utils._events.source import Clock, follow_tasks

from ..tools.simulator import connection
from .playing import Seconds, stand_in

SERVERS, TASKS = 300, 10_000
SHOWN = ("First round of events", "Round of events")


class _Queue:
    async def put(self, event: dict[str, Any]) -> None:
        raise SystemExit(f"Nothing has changed, but there is an event: {event}")


def measure(rounds: int) -> Seconds:
    """Return the seconds that the rounds take, one after the other; each must take one call a server and one more."""
    servers: list[dict[str, Any]] = [{"name": f"S{number}", "tasks": []} for number in range(SERVERS)]
    for number in range(TASKS):
        task = {"name": f"t {number // SERVERS}", "state": "RUNNING", "assigned_tags": ["nightly"]}
        servers[number % SERVERS]["tasks"].append(task)
    with stand_in({"servers": servers}) as access:
        took = asyncio.run(_rounds(access, rounds + 1))
        with urllib.request.urlopen(f"{access['control_url']}/requests") as reply:
            calls = [one["operation"] for one in json.load(reply)]
    lists = (calls.count("GetServerList"), calls.count("GetTaskList"), len(calls))
    if lists != (rounds + 1, SERVERS * (rounds + 1), (SERVERS + 1) * (rounds + 1) + 2):
        raise SystemExit(f"Not {SERVERS + 1} calls a round, a login and a logout: {lists}")
    return {"First round of events": took[:1], "Round of events": took[1:], "A second": [1.0]}


async def _rounds(access: dict[str, Any], rounds: int) -> list[float]:
    took: list[float] = []
    begin = time.monotonic()

    async def sleep(_seconds: float) -> None:
        nonlocal begin
        took.append(time.monotonic() - begin)
        if len(took) == rounds:
            raise asyncio.CancelledError
        begin = time.monotonic()

    with contextlib.suppress(asyncio.CancelledError):
        await follow_tasks(_Queue(), {}, connection(access), Clock(sleep=sleep))
    return took
