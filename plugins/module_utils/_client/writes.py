# Copyright (c) 2026, dataops.qlik_em contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is private to the collection.
"""The one guard around all writes: after one that may have been done, each failure says ``changed``."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

from .errors import AemError, ApiError, TransportError

T = TypeVar("T")
# A code that ends so says that the server goes on with the work (docs/enterprise_manager_api.md, 3.10).
GOES_ON = "_TIMEOUT"


class Writes(threading.local):
    """What became of the writes that this thread has sent: all calls that are not reads pass ``send``.

    Only a body of the API is definitive: it says that a write was done, or that it was refused. All else leaves it in
    doubt, and it may have been done.
    """

    def __init__(self) -> None:
        self.may_be_done = False

    def send(self, call: Callable[[], T], error_code: Callable[[T], str]) -> T:
        """Send a write by ``call`` and return its answer; ``error_code`` returns the accepted code in an answer.

        Raises what ``call`` does, with ``changed`` if the write may have been done all the same.
        """
        try:
            answer = call()
        except (ApiError, TransportError) as failure:
            if failure.sent if isinstance(failure, TransportError) else failure.error_code.endswith(GOES_ON):
                failure.changed = self.may_be_done = True
            raise
        code = error_code(answer)
        self.may_be_done |= not code or code.endswith(GOES_ON)
        return answer

    @contextmanager
    def guard(self) -> Iterator[None]:
        """Let a failure of the block say by ``changed`` whether a write in it may have been done.

        What the failure says already stays: who has undone all that was done knows better.
        """
        before, self.may_be_done = self.may_be_done, False
        try:
            yield
        except AemError as failure:
            if failure.changed is None and self.may_be_done:
                failure.changed = True
            raise
        finally:
            self.may_be_done |= before
