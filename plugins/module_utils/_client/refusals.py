# Copyright (c) 2026, dataops.qlik_em contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is private to the collection.

"""Logins that were refused: remembered for a run, so that no thread, loop, retry or other host asks again.

Each attempt with a wrong password counts, and after a few the directory locks the account.
"""

from __future__ import annotations

import contextlib
import fcntl
import hmac
import json
import os
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from .errors import LoginRefused

HINT = (
    "The same login was refused earlier in this run and was not sent again, so that the account does not get locked. "
    "Correct the login, then run this again."
)
STEP = 0.05  # seconds between two looks at who asks first


class Refusals:
    """The refused logins of a run.

    ``folder`` is one that the processes of this run share, and no other (None: this process remembers for itself).
    They are all forks of the one in which this object was made: the key of the digests is in no file.
    A login is known by its ``identity``: all texts that make it this one, secret or not.
    """

    def __init__(self, folder: str | None = None) -> None:
        self._folder = folder
        self._key = os.urandom(32)
        self._known: dict[str, dict[str, Any]] = {}  # also if nothing can be written to the folder

    def _digest(self, identity: Sequence[str]) -> str:
        return hmac.new(self._key, json.dumps(identity).encode(), "sha256").hexdigest()

    def _path(self, digest: str) -> str:
        return os.path.join(self._folder, f"aem_login_{digest}") if self._folder else ""

    def check(self, identity: Sequence[str]) -> None:
        """Raise LoginRefused if this login was refused before."""
        digest = self._digest(identity)
        if digest not in self._known and self._folder:
            with contextlib.suppress(OSError, ValueError), open(self._path(digest), encoding="utf-8") as file:
                self._known[digest] = json.load(file)
        if digest in self._known:
            facts = dict(self._known[digest])
            raise LoginRefused(facts.pop("msg"), HINT, **facts)

    def remember(self, identity: Sequence[str], msg: str, **facts: Any) -> None:
        """Remember that this login was refused; ``msg`` and ``facts`` hold no secret."""
        digest = self._digest(identity)
        self._known[digest] = {**facts, "msg": msg}
        if self._folder:
            _write(self._path(digest), json.dumps(self._known[digest]))

    @contextlib.contextmanager
    def turn(self, identity: Sequence[str], limit: float, pause: Callable[[float], None]) -> Iterator[None]:
        """Let one process ask first: the block is a login, for which the others wait up to ``limit`` seconds.

        Once a login has ended in any way but a refusal, nobody waits any more. Raises LoginRefused as ``check`` does.
        """
        self.check(identity)
        path = self._path(self._digest(identity))
        if not path or os.path.exists(path):
            yield
            return
        with _locked(f"{path}.lock", limit, pause):
            self.check(identity)
            try:
                yield
            finally:
                if not os.path.exists(path):
                    _write(path, "")


def _write(path: str, text: str) -> None:
    """Write a file as a whole, for this user only; if that cannot be, the login is remembered by this process only."""
    with contextlib.suppress(OSError):
        new = f"{path}.{os.getpid()}"
        with open(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as file:
            file.write(text)
        os.replace(new, path)


@contextlib.contextmanager
def _locked(path: str, limit: float, pause: Callable[[float], None]) -> Iterator[None]:
    """Hold a lock during the block, or none if it cannot be had within ``limit`` seconds or at all."""
    end = time.monotonic() + limit
    try:
        file = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    except OSError:
        yield
        return
    try:
        while time.monotonic() < end:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                pause(STEP)
                continue
            except OSError:  # a file system without locks
                pass
            break
        yield
    finally:
        os.close(file)
