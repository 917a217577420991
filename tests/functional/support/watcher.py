# Copyright (c) 2026, dataops.qlik_em contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The event source, round by round: it pauses until the test asks for the next one. Its clock is the test's."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from ansible_collections.dataops.qlik_em.plugins.module_utils._client.limits import Limits
from ansible_collections.dataops.qlik_em.plugins.module_utils._events.source import Clock, follow_tasks
from ansible_collections.dataops.qlik_em.tests.simulator.handle import Handle

BEGIN = 1_800_000_000.0  # seconds since 1970


class Watcher:
    """Runs the source against a stand-in; ``events`` are all that it gave, ``pauses`` how long it wanted to sleep."""

    def __init__(self, em: Handle, environ: dict[str, str] | None = None, **options: Any) -> None:
        self.events: list[dict[str, Any]] = []
        self.pauses: list[float] = []
        self.time = 0.0
        self._loop = asyncio.new_event_loop()
        self._idle, self._go = asyncio.Event(), asyncio.Event()
        arguments = {"url": em.url, "ca_path": em.ca_path, "username": em.username, "password": em.password, **options}
        clock = Clock(lambda: BEGIN + self.time, lambda: self.time, self._sleep)
        limits = Limits(attempts=1, first_pause=0.01)
        self._source = follow_tasks(self, arguments, environ or {}, clock, limits)
        self._task: asyncio.Task[None] | None = None

    async def put(self, event: dict[str, Any]) -> None:
        """Take an event, as the rulebook's queue does."""
        self.events.append(event)

    async def _sleep(self, seconds: float) -> None:
        self.pauses.append(seconds)
        self._idle.set()
        await self._go.wait()
        self._go.clear()
        self.time += seconds

    def round(self) -> list[dict[str, Any]]:
        """Let the source read once more; return the events of it. Raises what ends the source."""
        begin = len(self.events)
        self._loop.run_until_complete(self._round())
        return self.events[begin:]

    async def _round(self) -> None:
        self._idle.clear()
        if self._task:
            self._go.set()
        else:
            self._task = asyncio.ensure_future(self._source)
        idle = asyncio.ensure_future(self._idle.wait())
        await asyncio.wait([self._task, idle], return_when=asyncio.FIRST_COMPLETED)
        idle.cancel()
        if self._task.done():
            self._task.result()

    def stop_in_round(self, is_reading: Callable[[], bool]) -> None:
        """Let the source read, and end it as soon as it does."""
        self._loop.run_until_complete(self._stop_in_round(is_reading))
        self.stop()

    async def _stop_in_round(self, is_reading: Callable[[], bool]) -> None:
        self._task = asyncio.ensure_future(self._source)
        while not is_reading():
            await asyncio.sleep(0.01)
        self._task.cancel()
        await asyncio.wait([self._task])

    def stop(self) -> None:
        """End the source as the rulebook does, by cancelling it; may be called twice."""
        if self._loop.is_closed():
            return
        if self._task and not self._task.done():
            self._task.cancel()
            self._loop.run_until_complete(asyncio.wait([self._task]))
        if not self._task:
            self._source.close()
        self._loop.run_until_complete(self._loop.shutdown_default_executor())
        self._loop.close()
