# Copyright (c) 2026, dataops.qlik_em contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is private to the collection.

"""Waiting for the server: a monotonic clock, one predicate, and a time-out that carries what was read last."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Any, Generic, NamedTuple, TypeVar

from .._client.api import Api
from .._client.checks import check_seconds
from .._client.errors import AemError, TransportError

T = TypeVar("T")


class Waiting(NamedTuple):
    """The options of a wait: how long it may take, and how long to pause between two readings (seconds)."""

    timeout: float
    sleep: float


class TimedOut(Exception, Generic[T]):
    """The time is over. ``last`` is what was read last (None: nothing), ``trouble`` why the last reading failed."""

    def __init__(self, last: T | None, trouble: AemError | None) -> None:
        super().__init__("timed out")
        self.last = last
        self.trouble = trouble


def check_waiting(params: Mapping[str, Any]) -> Waiting:
    """Return the checked options ``wait_timeout`` and ``wait_sleep``; raise InputError."""
    return Waiting(
        check_seconds("wait_timeout", params["wait_timeout"]),
        check_seconds("wait_sleep", params["wait_sleep"], least=0.1),
    )


def wait_until(api: Api, read: Callable[[], T], is_done: Callable[[T], bool], timeout: float, sleep: float) -> T:
    """Read every ``sleep`` seconds until ``is_done``; return what was read; raise TimedOut after ``timeout`` seconds.

    Reads at least once. An unreachable server is not the end of waiting: it may be back before the time is over.
    Raises Interrupted as soon as the run is to end.
    """
    deadline = time.monotonic() + timeout
    last: T | None = None
    trouble: AemError | None = None
    while True:
        try:
            last, trouble = read(), None
        except TransportError as error:
            if error.final:
                raise
            trouble = error
        else:
            if is_done(last):
                return last
        left = deadline - time.monotonic()
        if left <= 0:
            raise TimedOut(last, trouble)
        api.client.interrupt.pause(min(sleep, left))
