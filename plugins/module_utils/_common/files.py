# Copyright (c) 2026, dataops.qlik_em contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is private to the collection.

"""Files that outlive a crash: written whole or not at all, and locked against a second user. The one place for it."""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from operator import eq
from pathlib import Path
from typing import Any, NamedTuple

from .._client.checks import check_text
from .._client.errors import InputError
from .._run.result import Mode, diff


class FileChange(NamedTuple):
    """What happened to a file; ``backup`` is the path of the copy of the old one, if there is to be one."""

    changed: bool
    diff: dict[str, Any] | None
    backup: str | None


def ensure_file(
    option: str,
    path: str,
    text: str,
    mode: Mode,
    backup: bool = False,
    is_same: Callable[[str, str], bool] = eq,
) -> FileChange:
    """Make a file hold ``text``, unless what it holds is the same by ``is_same``; it is its owner's alone (mode 0600).

    Raises InputError, which names ``option``; the old file stays then. In check mode nothing is written, but what can
    be known to fail does.
    """
    old = check_file(option, path)
    if old is not None and is_same(old, text):
        return FileChange(False, None, None)
    copy = None
    if not mode.check:
        if backup and old is not None:
            copy = _back_up(option, path)
        write_atomically(option, path, text)
    return FileChange(True, diff(old or "", text, path), copy)


def check_file(option: str, path: str) -> str | None:
    """Return what is in a file that is to be written, None if there is none.

    Raises InputError, which names ``option``, for what can be known to fail: ask this before anything is sent.
    """
    old = read_file(option, path)
    if not Path(path).parent.is_dir():
        raise InputError(f"{option} ({path}) cannot be written: there is no folder {Path(path).parent}.")
    return old


def read_file(option: str, path: str) -> str | None:
    """Return what is in a file (UTF-8), None if there is none. Raises InputError, which names ``option``."""
    check_text(option, path)
    try:
        return Path(path).read_text(encoding="utf-8")
    except FileNotFoundError:
        return None
    except OSError as error:
        raise InputError(f"{option} ({path}) cannot be read: {error.strerror}.") from error
    except UnicodeDecodeError as error:
        raise InputError(f"{option} ({path}) cannot be read: it is not a text in UTF-8.") from error


def _back_up(option: str, path: str) -> str:
    """Copy a file beside itself and return the copy's path."""
    copy = f"{path}.{time.strftime('%Y-%m-%d@%H:%M:%S')}~"
    try:
        shutil.copy2(path, copy)
    except OSError as error:
        raise InputError(f"{option} ({path}) cannot be backed up: {error.strerror}.") from error
    return copy


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
def locked(option: str, path: str, keep: bool = True) -> Iterator[None]:
    """Hold a lock beside the file ``path``; raise InputError if somebody else does. It ends with the process.

    The lock's own file stays unless ``keep`` is false.
    """
    lock = f"{path}.lock"
    try:
        # Not the file itself: it is replaced, and the lock would stay with the old one.
        descriptor = os.open(lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise InputError(f"{option} ({path}) cannot be locked: {error.strerror}.") from error
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if not os.path.samestat(os.fstat(descriptor), os.stat(lock)):
                raise OSError("whoever held it has removed it meanwhile, and another one has made it anew")
        except OSError as error:
            raise InputError(f"{option} ({path}) is in use by another run. Nothing was done.") from error
        try:
            yield
        finally:
            if not keep:
                with contextlib.suppress(OSError):
                    os.unlink(lock)
    finally:
        os.close(descriptor)
