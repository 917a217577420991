# Copyright (c) 2026, dataops.qlik_em contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Time that nobody waits for: where a module or the stand-in pauses, the clock that both read is put forward."""

from __future__ import annotations

import multiprocessing
import time
from collections.abc import Iterator

import pytest
from ansible_collections.dataops.qlik_em.plugins.module_utils._client.interrupt import Interrupt
from ansible_collections.dataops.qlik_em.tests.simulator import running
from ansible_collections.dataops.qlik_em.tests.simulator.handle import Handle
from ansible_collections.dataops.qlik_em.tests.simulator.live import LiveTask
from ansible_collections.dataops.qlik_em.tests.simulator.server import Simulator


def time_lapse() -> Iterator[Handle]:
    """Run a stand-in as long as no pause takes time: a fixture for tests that run one module at a time.

    What such a module does side by side has no time of its own: the pause of one thread is a delay of all. A child of
    this process has the same time.
    """
    real, skipped = time.monotonic, multiprocessing.RawValue("d", 0.0)

    def skip(seconds: float) -> None:
        skipped.value += max(0.0, seconds)

    def of_module(interrupt: Interrupt, seconds: float) -> None:
        interrupt.check()
        skip(seconds)
        interrupt.check()

    async def of_stand_in(_what: LiveTask | Simulator, seconds: float) -> None:
        skip(seconds)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(time, "monotonic", lambda: real() + skipped.value)
        patch.setattr(Interrupt, "pause", of_module)
        patch.setattr(LiveTask, "pause", of_stand_in)
        patch.setattr(Simulator, "delay", of_stand_in)
        # A session that a killed run has left must not expire because pauses put the clock forward.
        with running(idle_seconds=86_400) as em:
            yield em
