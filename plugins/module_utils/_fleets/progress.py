# Copyright (c) 2026, dataops.qlik_em contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is private to the collection.

"""Progress that somebody can watch: a line now and then, less often the longer it takes, and one for each failure."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

from .._client.limits import Limits

PART = 12  # of the time that has passed: the pause between two lines, after a minute


class Progress:
    """Counts, and shows a line when it is time to. Not for threads: only who schedules the work uses it."""

    def __init__(self, show: Callable[[str], None], operation: str, total: int, limits: Limits) -> None:
        self._show, self._operation, self._total, self._limits = show, operation, total, limits
        self._done = self._failed = 0
        self._begin = time.monotonic()
        self._next = self._begin + limits.progress_interval

    def done(self, name: str, failure: str) -> None:
        """Count a task; ``failure`` is why it failed, empty if it did not."""
        self._done += 1
        if failure:
            self._failed += 1
            self._show(f"{self._operation}: {name} failed: {failure}")
        if self._done == self._total:
            self.show([])

    @property
    def is_due(self) -> bool:
        """Whether it is time for a line."""
        return time.monotonic() >= self._next

    def show(self, running: Sequence[tuple[str, float]]) -> None:
        """Show how it stands; ``running`` are the names of tasks and the times (monotonic) they began."""
        now = time.monotonic()
        self._next = now + pause_after(now - self._begin, self._limits)
        least = self._limits.slow_task
        slow = sorted(((now - begin, name) for name, begin in running if now - begin >= least), reverse=True)[:3]
        named = "".join(f", {name} for {seconds:.0f} s" for seconds, name in slow)
        counts = f"{self._done} of {self._total} done, {self._failed} failed, {len(running)} running"
        self._show(f"{self._operation}: {counts}{named}")


def pause_after(elapsed: float, limits: Limits) -> float:
    """Return the seconds until the next line, ``elapsed`` seconds after the begin.

    Short ones for a minute; then they grow with the time that has passed, as nobody reads a thousand lines.
    """
    return min(max(limits.progress_interval, elapsed / PART), limits.progress_longest)


class Pace:
    """Says when it is time for another line of something that takes long."""

    def __init__(self, limits: Limits) -> None:
        self._limits, self._begin = limits, time.monotonic()
        self._next = self._begin + limits.progress_interval

    @property
    def is_due(self) -> bool:
        """Whether it is time; then the next line has to wait."""
        now = time.monotonic()
        is_due = now >= self._next
        if is_due:
            self._next = now + pause_after(now - self._begin, self._limits)
        return is_due
