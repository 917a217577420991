# Copyright (c) 2026, dataops.qlik_em contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is private to the collection.

"""Files that outlive a crash: written whole or not at all, and locked against a second user."""

from __future__ import annotations

import contextlib
import fcntl
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

from ._errors import InputError


def write_atomically(option: str, path: str, text: str) -> None:
    """Write ``text`` to a file that only its owner may read (mode 0600); another process sees the old or the new one.

    Raises InputError, which names ``option``; the old file stays then.
    """
    target = Path(path)
    try:
        descriptor, partial = tempfile.mkstemp(prefix=f".{target.name}.", dir=target.parent)
        try:
            with open(descriptor, "w", encoding="utf-8") as file:
                file.write(text)
                file.flush()
                os.fsync(file.fileno())
            os.replace(partial, target)
        except BaseException:
            with contextlib.suppress(OSError):
                os.unlink(partial)
            raise
        _sync_folder(target.parent)
    except OSError as error:
        raise InputError(f"{option} ({path}) cannot be written: {error.strerror}.") from error


def _sync_folder(folder: Path) -> None:
    """Make a new name outlive a power cut."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextlib.contextmanager
def locked(option: str, path: str) -> Iterator[None]:
    """Hold a lock beside the file ``path``; raise InputError if somebody else does. It ends with the process."""
    try:
        # Not the file itself: it is replaced, and the lock would stay with the old one.
        descriptor = os.open(f"{path}.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise InputError(f"{option} ({path}) cannot be locked: {error.strerror}.") from error
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise InputError(f"{option} ({path}) is in use by another run. Nothing was done.") from error
        yield
    finally:
        os.close(descriptor)
