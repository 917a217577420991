# Copyright (c) 2026, dataops.qlik_em contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is private to the collection.

"""Progress that somebody can watch: a line every few seconds, and one for each failure."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

INTERVAL = 5.0  # seconds between two lines
SLOW = 10.0  # seconds after which a task under way is named


class Progress:
    """Counts, and tells when it is time to. Not for threads: only who schedules the work uses it."""

    def __init__(self, tell: Callable[[str], None], wish: str, total: int) -> None:
        self._tell, self._wish, self._total = tell, wish, total
        self._done = self._failed = 0
        self._next = time.monotonic() + INTERVAL

    def done(self, name: str, failure: str) -> None:
        """Count a task; ``failure`` is why it failed, empty if it did not."""
        self._done += 1
        if failure:
            self._failed += 1
            self._tell(f"{self._wish}: {name} failed: {failure}")
        if self._done == self._total:
            self._line([])

    def tick(self, running: Sequence[tuple[str, float]]) -> None:
        """Tell how it stands if it is time to; ``running`` are names and the times (monotonic) they began."""
        if time.monotonic() >= self._next:
            self._line(running)

    def _line(self, running: Sequence[tuple[str, float]]) -> None:
        now = time.monotonic()
        self._next = now + INTERVAL
        slow = sorted(((now - begin, name) for name, begin in running if now - begin >= SLOW), reverse=True)[:3]
        named = "".join(f", {name} for {seconds:.0f} s" for seconds, name in slow)
        self._tell(
            f"{self._wish}: {self._done} of {self._total} done, {self._failed} failed, {len(running)} running{named}"
        )
