# Copyright (c) 2026, dataops.qlik_em contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is private to the collection.

"""A write whose answer is lost is never sent again: what became of it is read."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

from .._client.errors import INVALID_SESSION_ID, AemError, ApiError, TransportError

T = TypeVar("T")
NO_EFFECT = "It shows no effect. It may have been carried out all the same, so changed is true."


def from_the_read(work: Callable[[], T]) -> T:
    """Read, change and write by ``work``; if the session ends before the write, begin again with the read, once.

    The write is one that is bound to its session (``Call.is_bound``). The read renews the session if it can.
    """
    try:
        return work()
    except ApiError as error:
        if error.error_code != INVALID_SESSION_ID:
            raise
    return work()


def hint_after(lost: TransportError, what: str) -> str:
    """Return what to do after a write without an answer; ``what`` it was about is to be looked at."""
    more = f" {lost.hint}" if lost.final else ""  # what it says would help beside that, or else nothing
    return f"The call was not sent again. Look at the {what}, then run this again: nothing is done twice.{more}"


@contextmanager
def confirm_lost_write(is_done: Callable[[], bool]) -> Iterator[None]:
    """Send a write in the block; if its answer is lost, ask ``is_done`` whether it has taken effect.

    Raises the TransportError if it has not or if that cannot be known.
    """
    try:
        yield
    except TransportError as lost:
        if not lost.sent:
            raise
        lost.hint = hint_after(lost, "object")
        try:
            if is_done():
                return
            lost.message += f" {NO_EFFECT}"
        except AemError as error:
            lost.message += f" Its current state cannot be read either: {error}"
        raise
