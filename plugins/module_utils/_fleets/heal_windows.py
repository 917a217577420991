# Copyright (c) 2026, dataops.qlik_em contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is private to the collection.

"""The maintenance windows whose tasks must be left alone."""

from __future__ import annotations

import os
from collections.abc import Iterable
from typing import NamedTuple

from .._client.errors import InputError
from .._tasks.model import TaskName
from .checkpoint import OPEN, RECORDED, Checkpoint, load
from .selection import Listed, Selectors, read_selectors
from .strict import seconds_of

OPTION = "windows"
_SIDES = ("include", "exclude")
SOON = 86_400  # seconds for which a window that is recorded only counts as about to begin


class _Window(NamedTuple):
    """A checkpoint, and which tasks it is of; ``version`` tells what is in the file from all that was."""

    version: tuple[int, int, int]
    checkpoint: Checkpoint
    recorded: frozenset[TaskName]
    include: Selectors
    exclude: Selectors

    def has(self, listed: Listed, now: int) -> bool:
        """Return whether the window is open, or about to be, and is of the task.

        It is also of a task that was made later, or was in another state then, if its selection means it.
        """
        phase, recorded = self.checkpoint.phase, self.checkpoint.recorded
        is_open = phase in OPEN or (phase == RECORDED and now - seconds_of(recorded) < SOON)
        is_meant = self.include.select(listed) and not self.exclude.select(listed)
        return is_open and (listed.task in self.recorded or is_meant)


class Windows:
    """The windows whose checkpoints are in these files, of the Enterprise Manager at ``address``.

    Raises InputError, as all methods do, for a file that is missing or cannot be trusted: whether its window is open
    cannot be known then.
    """

    def __init__(self, paths: Iterable[str], address: str) -> None:
        self._address = address
        self._windows = {path: self._read(path) for path in paths}

    def refresh(self) -> None:
        """Read the files again that have changed. Safe for threads."""
        for path, window in self._windows.items():
            if window.version != _version(path):
                self._windows[path] = self._read(path)

    def of(self, listed: Listed, now: int) -> str | None:
        """Return the file of a window that is open and is of the task, None if there is none."""
        return next((path for path, window in self._windows.items() if window.has(listed, now)), None)

    def _read(self, path: str) -> _Window:
        version = _version(path)  # first: what changes meanwhile is read again
        checkpoint = load(path, self._address, OPTION)
        if checkpoint is None:
            raise InputError(
                f"There is no checkpoint {path} ({OPTION}), so it is not known whether a maintenance window is open. "
                "Nothing was done.",
                "Make sure that its volume is mounted. If no window was ever recorded there, record one "
                "(aem_maintenance_window with state: recorded only reads), or leave the path out until there is one.",
            )
        selection = checkpoint.selection
        include, exclude = (read_selectors(f"{option} of {path}", selection.get(option)) for option in _SIDES)
        # Of a task in another state than then nobody knows whether it is meant: it is.
        return _Window(
            version,
            checkpoint,
            frozenset(one.task for one in checkpoint.tasks),
            Selectors([one._replace(states=frozenset()) for one in include]),
            Selectors([one for one in exclude if not one.states]),
        )


def _version(path: str) -> tuple[int, int, int]:
    try:
        status = os.stat(path)
    except (OSError, ValueError):  # to be reported by who reads it
        return (0, 0, 0)
    return (status.st_ino, status.st_mtime_ns, status.st_size)
