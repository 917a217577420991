# Copyright (c) 2026, dataops.qlik_em contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is private to the collection.

"""Ending a run in order: a signal lets the call in flight end, and nothing more is sent but the logout."""

from __future__ import annotations

import os
import select
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

from .errors import Interrupted

SLICE = 0.2  # seconds between two checks during a pause
BURST = 2.0  # seconds; Ansible answers one Ctrl-C with a SIGINT and at once a SIGTERM


class Interrupt:
    """Knows whether the run is to end early: SIGINT or SIGTERM has come, or whoever started it has ended.

    The signals are watched between ``__enter__`` and ``__exit__``, in the main thread only. One that comes more than
    ``burst`` seconds after the first ends the run at once, by a KeyboardInterrupt, but for the logout.

    ``parent`` is the id of the process that started the run, if that is not just the present parent. ``output`` is
    the file descriptor that takes the result: a shell between it and its reader would hide that the reader has ended.
    """

    def __init__(self, parent: int | None = None, burst: float = BURST, output: int | None = None) -> None:
        self.signal: signal.Signals | None = None
        self.closing = False  # whether only the logout is left
        self._is_abandoned = False
        self._is_deferred = False
        self._since = 0.0  # monotonic seconds of the first signal
        self._burst = burst
        self._parent = parent or os.getppid()
        # One that has no reader from the start says nothing.
        self._output = None if output is None or _is_closed(output) else output
        self._previous: dict[signal.Signals, Any] = {}

    def __enter__(self) -> Interrupt:
        if threading.current_thread() is threading.main_thread():
            for one in (signal.SIGINT, signal.SIGTERM):
                if signal.getsignal(one) != signal.SIG_IGN:  # as in a shell's background, where Ctrl-C means others
                    self._previous[one] = signal.signal(one, self._note)
        return self

    def __exit__(self, *_exception: object) -> None:
        for one, handler in self._previous.items():
            signal.signal(one, signal.SIG_DFL if handler is None else handler)

    def _note(self, number: int, _frame: FrameType | None) -> None:
        now = time.monotonic()
        if not self.signal:
            self.signal, self._since = signal.Signals(number), now
        elif now - self._since > self._burst and not self.closing:
            raise KeyboardInterrupt

    def abandon(self) -> None:
        """Let whatever still runs in other threads end at its next check."""
        self._is_abandoned = True

    @contextmanager
    def deferred(self) -> Iterator[None]:
        """Let the block clean up what the run has begun, although the run is to end; a second signal ends it."""
        before, self._is_deferred = self._is_deferred, True
        try:
            yield
        finally:
            self._is_deferred = before

    def check(self) -> None:
        """Raise Interrupted if the run is to end; not where only the logout is left, which may need a second try."""
        if self._is_deferred or (self.closing and threading.current_thread() is threading.main_thread()):
            return
        if self.signal:
            raise Interrupted(f"Interrupted by {self.signal.name}.")
        if self._is_abandoned:
            raise Interrupted("Interrupted: the run that this was a part of has ended.")
        if os.getppid() != self._parent or (self._output is not None and _is_closed(self._output)):
            raise Interrupted("Interrupted: the process that started this run has ended.")

    def pause(self, seconds: float) -> None:
        """Sleep; raise Interrupted as soon as the run is to end."""
        end = time.monotonic() + seconds
        while True:
            self.check()
            left = end - time.monotonic()
            if left <= 0:
                return
            time.sleep(min(left, SLICE))


def _is_closed(output: int) -> bool:
    """Return whether nobody reads what is written to this file descriptor any more."""
    watch = select.poll()
    watch.register(output, 0)  # without an event, only errors and the end of the reader are reported
    return bool(watch.poll(0))
