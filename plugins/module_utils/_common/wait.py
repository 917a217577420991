# Copyright (c) 2026, dataops.qlik_em contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is private to the collection.

"""Waiting for the server: a monotonic clock, one predicate, and a time-out that carries what was seen last."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Generic, TypeVar

from .._client.errors import AemError, TransportError

T = TypeVar("T")


class TimedOut(Exception, Generic[T]):
    """The time is over. ``last`` is what was seen last (None: nothing), ``trouble`` why the last look failed."""

    def __init__(self, last: T | None, trouble: AemError | None) -> None:
        super().__init__("timed out")
        self.last = last
        self.trouble = trouble


def wait_until(
    look: Callable[[], T],
    done: Callable[[T], bool],
    timeout: float,
    pause: float,
    sleep: Callable[[float], None] = time.sleep,
) -> T:
    """Look every ``pause`` seconds until ``done`` and return what was seen; raise TimedOut after ``timeout`` seconds.

    Looks at least once. An unreachable server is not the end of waiting: it may be back before the time is over.
    """
    deadline = time.monotonic() + timeout
    last: T | None = None
    trouble: AemError | None = None
    while True:
        try:
            last, trouble = look(), None
        except TransportError as error:
            if error.final:
                raise
            trouble = error
        else:
            if done(last):
                return last
        left = deadline - time.monotonic()
        if left <= 0:
            raise TimedOut(last, trouble)
        sleep(min(pause, left))
