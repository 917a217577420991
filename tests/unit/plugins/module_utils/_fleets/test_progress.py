# Copyright (c) 2026, dataops.qlik_em contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""When a line of progress is shown, by a clock of our own."""

from __future__ import annotations

import pytest
from ansible_collections.dataops.qlik_em.plugins.module_utils._client.limits import Limits
from ansible_collections.dataops.qlik_em.plugins.module_utils._fleets import progress as _progress
from ansible_collections.dataops.qlik_em.plugins.module_utils._fleets.progress import Progress

BOOT = 50_000.0  # what the clock shows at the begin: the uptime of the machine


class Watched:
    """A run that is watched; ``lines`` are the seconds after its begin and what was shown then."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.clock = BOOT
        self.lines: list[tuple[float, str]] = []
        monkeypatch.setattr(_progress.time, "monotonic", lambda: self.clock)
        self.progress = Progress(self._show, "stopped", 1000, Limits())

    def _show(self, line: str) -> None:
        self.lines.append((self.clock - BOOT, line))

    def until(self, seconds: int) -> None:
        """Let time pass; nothing ends meanwhile."""
        while self.clock < BOOT + seconds:
            self.clock += 0.5
            if self.progress.is_due:
                self.progress.show([("S/t", BOOT)])


@pytest.fixture
def watched(monkeypatch):
    """A run that has just begun."""
    return Watched(monkeypatch)


def test_the_lines_get_fewer_after_a_minute(watched):
    watched.until(4 * 3600)
    times = [seconds for seconds, _line in watched.lines]
    pauses = [after - before for before, after in zip([0.0, *times], times)]
    assert [pause for time, pause in zip(times, pauses) if time <= 60] == [5.0] * 12
    assert all(before <= after for before, after in zip(pauses, pauses[1:]))
    assert pauses[-1] == 300 and 90 < len(times) < 110
    seconds, line = watched.lines[-1]
    assert line == f"stopped: 0 of 1000 done, 0 failed, 1 running, S/t for {seconds:.0f} s"


def test_a_failure_is_shown_at_once_and_the_end_too(watched):
    watched.until(3600)
    before = len(watched.lines)
    watched.progress.done("S/a", "No.")
    assert watched.lines[before:] == [(3600, "stopped: S/a failed: No.")]
    for number in range(999):
        watched.progress.done(f"S/{number}", "")
    assert watched.lines[-1][1] == "stopped: 1000 of 1000 done, 1 failed, 0 running"
    assert len(watched.lines) == before + 2
