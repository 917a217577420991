# Copyright (c) 2026, dataops.qlik_em contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is private to the collection.

"""Progress that somebody can watch: a line every few seconds, and one for each failure."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

from .._client.limits import Limits


class Progress:
    """Counts, and shows a line when it is time to. Not for threads: only who schedules the work uses it."""

    def __init__(self, show: Callable[[str], None], operation: str, total: int, limits: Limits) -> None:
        self._show, self._operation, self._total, self._limits = show, operation, total, limits
        self._done = self._failed = 0
        self._next = time.monotonic() + limits.progress_interval

    def done(self, name: str, failure: str) -> None:
        """Count a task; ``failure`` is why it failed, empty if it did not."""
        self._done += 1
        if failure:
            self._failed += 1
            self._show(f"{self._operation}: {name} failed: {failure}")
        if self._done == self._total:
            self._line([])

    def tick(self, running: Sequence[tuple[str, float]]) -> None:
        """Show how it stands if it is time to; ``running`` are names and the times (monotonic) they began."""
        if time.monotonic() >= self._next:
            self._line(running)

    def _line(self, running: Sequence[tuple[str, float]]) -> None:
        now = time.monotonic()
        self._next = now + self._limits.progress_interval
        least = self._limits.slow_task
        slow = sorted(((now - begin, name) for name, begin in running if now - begin >= least), reverse=True)[:3]
        named = "".join(f", {name} for {seconds:.0f} s" for seconds, name in slow)
        counts = f"{self._done} of {self._total} done, {self._failed} failed, {len(running)} running"
        self._show(f"{self._operation}: {counts}{named}")


class Pace:
    """Says when it is time for another line of something that takes long."""

    def __init__(self, limits: Limits) -> None:
        self._pause = limits.progress_interval
        self._next = time.monotonic() + self._pause

    @property
    def is_due(self) -> bool:
        """Whether it is time; then the next line has to wait."""
        is_due = time.monotonic() >= self._next
        if is_due:
            self._next = time.monotonic() + self._pause
        return is_due
