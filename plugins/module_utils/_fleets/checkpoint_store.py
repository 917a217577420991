# Copyright (c) 2026, dataops.qlik_em contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is private to the collection.

"""Where a window keeps its checkpoint: in a file, with a lock and a journal beside it, or with whoever hands it on."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

from .._client.errors import InputError
from .._common.files import locked, real_path, remove_file, write_atomically
from .checkpoint import RESTORED, Checkpoint, check_same, load, read_document
from .journal import read_journal

STARTED = "started"  # the operation with which a window ends, as its journal names it


class CheckpointStore:
    """The checkpoint of the Enterprise Manager at ``address``; in check mode it is only read.

    ``path`` is None if there is no file. Raises InputError, as all methods do.
    """

    def __init__(self, path: str | None, address: str, is_check: bool) -> None:
        # Links are followed once, here: lock and journal are beside the file itself, for whoever shares it.
        self.path: str | None = path and real_path("path", path)
        self._address, self._is_check = address, is_check

    @property
    def journal(self) -> str | None:
        """The file in which the writes of a window are noted."""
        return self.path and f"{self.path}.journal"

    @contextlib.contextmanager
    def alone(self) -> Iterator[None]:
        """Keep a second run off the same checkpoint."""
        if self.path and not self._is_check:
            with locked("path", self.path):
                yield
        else:
            yield

    def load(self) -> Checkpoint | None:
        """Return the checkpoint in the file."""
        return load(self.path, self._address) if self.path else None

    def save(self, checkpoint: Checkpoint) -> list[str]:
        """Write the checkpoint if it has a file; return what the caller should know."""
        if not self.path or self._is_check:
            return []
        return write_atomically("path", self.path, checkpoint.text())

    def begin(self, checkpoint: Checkpoint) -> list[str]:
        """Write the checkpoint of a new window; return what the caller should know."""
        if self.journal and not self._is_check:
            remove_file("path", self.journal)  # it is of the window before
        warnings = self.save(checkpoint)
        self.load()  # or the next step would be the first to find that the file cannot be trusted
        return warnings

    def given(self, document: Any) -> Checkpoint:
        """Return the checkpoint of the file, or the one of the option (None: not given) if there is no path.

        With a path, the option is only compared: the file knows how far the window is.
        """
        found = self.load()
        if document is not None:
            handed_on = read_document(document, self._address, "option checkpoint")
            # A record in check mode, which has written no file, may have handed it on.
            if not self.path or (self._is_check and (not found or found.phase == RESTORED)):
                return handed_on
            if not found:
                raise InputError(
                    f"There is no checkpoint {self.path}: nothing was done. Make sure that its volume is mounted. To "
                    "use the option checkpoint without a file, leave out path."
                )
            check_same(found, handed_on, self.path)
        if found:
            return found
        if self._has_ended():
            # Not "record one": if the file is elsewhere, what is stopped would be noted as what is to stay so.
            raise InputError(
                f"There is no checkpoint {self.path}: nothing was done. If tasks were stopped for a window, its "
                "checkpoint is elsewhere: use the path that it was recorded with, and make sure that its volume is "
                "mounted. Record a new window only if none is open."
            )
        raise InputError(
            f"The checkpoint {self.path} is missing. Its journal {self.journal} names each task that was stopped: "
            "start these with aem_task_batch before you record another window."
        )

    def check_missing(self) -> None:
        """Raise InputError if there is a journal of a window that was not ended; there is no checkpoint."""
        if not self._has_ended():
            raise InputError(
                f"The checkpoint {self.path} is missing, but its journal {self.journal} belongs to a window that was "
                "not ended. Start the tasks that it names, then remove it: a new record would replace it."
            )

    def _has_ended(self) -> bool:
        return read_journal(str(self.journal), self._address, STARTED).has_ended
