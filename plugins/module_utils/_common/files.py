# Copyright (c) 2026, dataops.qlik_em contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is private to the collection.

"""Files that outlive a crash: written whole or not at all, and locked against a second user. The one place for it."""

from __future__ import annotations

import codecs
import contextlib
import fcntl
import io
import os
import re
import secrets
import shutil
import stat
import tempfile
import time
from collections.abc import Callable, Iterator
from operator import eq
from typing import Any, BinaryIO, NamedTuple

from .._client.errors import InputError
from .._run.result import Mode
from .file_diffs import file_diff, texts_of
from .file_modes import AS_IT_IS, NEW, OTHERS, Access, Rights, give, rights_of
from .places import NoFolder, Place, place_of
from .times import now

BLOCK = 1024 * 1024  # bytes of a long file that are read at a time
HOLDER = re.compile(r"process \d+ on [\w.-]+, since [\dTZ:-]+")  # in a lock's file


class FileChange(NamedTuple):
    """What happened to a file; ``backup`` is the path of the copy of the old one, if there is to be one."""

    changed: bool
    diff: dict[str, Any] | None
    backup: str | None
    warnings: list[str]


class _Found(NamedTuple):
    """What is in a file, and who may use it."""

    content: bytes
    status: os.stat_result


def ensure_file(
    option: str,
    path: str,
    text: str,
    mode: Mode,
    backup: bool = False,
    is_same: Callable[[str, str], bool] = eq,
    access: Access = AS_IT_IS,
    shown: Callable[[str], str] = str,
) -> FileChange:
    """Make a file hold ``text``, unless what it holds is the same by ``is_same``, and give it the rights asked for.

    ``shown`` returns a text as the diff may show it. Raises InputError, which names ``option``; the old file stays
    then. In check mode nothing is written, but what can be known to fail does.
    """
    copy, change = None, None
    with place_of(option, path) as place:
        found = _found(place)
        old = None if found is None else _decoded(place, found.content)
        before = rights_of(found.status) if found else None
        after = access.rights(before) if before else None
        is_same_text = old is not None and is_same(old, text)
        if is_same_text and before == after:
            return FileChange(False, None, None, [])
        if not is_same_text:
            place.check_folder()
        warnings = _warnings_about_secrets(place, access, before, after)
        if not mode.check:
            if backup and found and not is_same_text:
                copy = _back_up(place, io.BytesIO(found.content), found.status, access)
            warnings += _set_rights(place, access) if is_same_text else replace(place, _source(text), access)
    if mode.shows_diff:
        texts = None if is_same_text else (shown(old or ""), shown(text))
        change = file_diff(path, texts, *(rights.shown() if rights else {} for rights in (before, after)))
    return FileChange(True, change, copy, warnings)


def ensure_copy(
    option: str, path: str, source: BinaryIO, mode: Mode, backup: bool = False, access: Access = AS_IT_IS
) -> FileChange:
    """Make a file hold what is in ``source``, as ``ensure_file`` does, but whatever the length: memory holds a part."""
    copy, change = None, None
    with place_of(option, path) as place, _opened(place) as old:
        before = rights_of(os.fstat(old.fileno())) if old else None
        after = access.rights(before) if before else None
        is_same = old is not None and _holds_the_same(old, source)
        if is_same and before == after:
            return FileChange(False, None, None, [])
        if not is_same:
            place.check_folder()
        warnings = _warnings_about_secrets(place, access, before, after)
        if not mode.check:
            if backup and old and not is_same:
                copy = _back_up(place, old, os.fstat(old.fileno()), access)
            warnings += _set_rights(place, access) if is_same else replace(place, source, access)
        if mode.shows_diff:
            texts = None if is_same else texts_of(old or io.BytesIO(), source)
            change = file_diff(path, texts, *(rights.shown() if rights else {} for rights in (before, after)))
    return FileChange(True, change, copy, warnings)


def check_place(option: str, path: str) -> None:
    """Raise InputError, which names ``option``, for what can be known to fail, as ``check_file`` does."""
    with place_of(option, path) as place, _opened(place):
        pass


@contextlib.contextmanager
def scratch_file(option: str, path: str) -> Iterator[BinaryIO]:
    """Yield a file without a name, in the folder of the file that ``path`` leads to; it ends with the process.

    Where the folder may not be written to, it is elsewhere: the file may be found to be as it should. Raises
    InputError, which names ``option``, also for an OSError of the caller: a full disk.
    """
    with place_of(option, path) as place:
        try:
            place.check_folder()
        except InputError:
            with tempfile.TemporaryFile() as file:
                yield file
            return
        partial = _partial(place)
        with open(partial.open(os.O_RDWR | os.O_CREAT | os.O_EXCL), "w+b") as file:
            os.unlink(partial.name, dir_fd=place.folder)
            yield file


def check_file(option: str, path: str) -> str | None:
    """Return what is in a file that is to be written, None if there is none.

    Raises InputError, which names ``option``, for what can be known to fail: ask this before anything is sent.
    """
    with place_of(option, path) as place:
        found = _found(place)
        return None if found is None else _decoded(place, found.content)


def real_path(option: str, path: str) -> str:
    """Return the path without links of a file that is to be written, and beside which others are.

    Raises InputError, which names ``option``, as ``check_file`` does; also if the folder may not be written to.
    """
    with place_of(option, path) as place:
        place.check_folder()
        place.own_status()
        return place.path


def read_file(option: str, path: str) -> str | None:
    """Return what is in a file (UTF-8), None if there is none; line ends are those of Unix.

    Raises InputError, which names ``option``.
    """
    try:
        with place_of(option, path, "read") as place:
            found = _found(place, is_own=False)
            if found is None:
                return None
            return io.IncrementalNewlineDecoder(None, translate=True).decode(_decoded(place, found.content), final=True)
    except NoFolder:
        return None


def read_private_file(option: str, path: str, most: int) -> str | None:
    """Return what is in a file that this user can trust, None if there is none.

    Raises InputError, which names ``option``, if it belongs to somebody else, everybody may write to it, or it holds
    more than ``most`` bytes.
    """
    try:
        with place_of(option, path, "read") as place:
            found = _found(place, most=most + 1)
            if found is None:
                return None
            place.check_private(found.status)
            if len(found.content) > most:
                raise place.refusal(f"it is larger than {most // 2**20} MB")
            return _decoded(place, found.content)
    except NoFolder:
        return None


def write_atomically(option: str, path: str, text: str, access: Access = AS_IT_IS) -> list[str]:
    """Write ``text`` to a file; another process sees the old or the new one, and its rights stay. A new one is private.

    Returns what the caller should know. Raises InputError, which names ``option``; the old file stays then.
    """
    with place_of(option, path) as place:
        return replace(place, _source(text), access)


def open_to_append(option: str, path: str) -> int:
    """Return the descriptor of a file that grows (and may be read); a new one is private. Raises InputError."""
    with place_of(option, path) as place:
        return _open_kept(place, os.O_APPEND)


def remove_file(option: str, path: str) -> None:
    """Remove a file if there is one. Raises InputError."""
    with place_of(option, path) as place, contextlib.suppress(FileNotFoundError):
        os.unlink(place.name, dir_fd=place.folder)


@contextlib.contextmanager
def locked(option: str, path: str, keep: bool = True) -> Iterator[None]:
    """Hold a lock beside the file that ``path`` leads to; raise InputError if somebody else does.

    It ends with the process. The lock's own file stays unless ``keep`` is false.
    """
    subject = f"{option} ({path})"
    # Not the file itself: it is replaced, and the lock would stay with the old one.
    with place_of(option, path, "locked") as place, hold(place.beside(f"{place.name}.lock"), subject, keep):
        yield


@contextlib.contextmanager
def hold(lock: Place, subject: str, keep: bool) -> Iterator[None]:
    """Hold a lock in a file of its own, as ``locked``; ``subject`` is what it keeps others off, for messages."""
    descriptor = _open_kept(lock, 0)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            there = lock.status()
            if not there or not os.path.samestat(os.fstat(descriptor), there):
                raise OSError("the run that held it has just removed it")
        except OSError as error:
            raise InputError(
                f"{subject} is in use by another run. Nothing was done.{_holder(descriptor)}",
                "Wait for that run to end. If it was killed, the file is free again within seconds.",
            ) from error
        _note_holder(descriptor, f"process {os.getpid()} on {os.uname().nodename}, since {now()}")
        try:
            yield
        finally:
            _note_holder(descriptor, "")
            if not keep:
                with contextlib.suppress(OSError):
                    os.unlink(lock.name, dir_fd=lock.folder)
    finally:
        os.close(descriptor)


def _found(place: Place, is_own: bool = True, most: int = -1) -> _Found | None:
    """Return what is in a file (the first ``most`` bytes), None if there is none; ``is_own`` if it is to be written."""
    try:
        descriptor = place.open(os.O_RDONLY, is_own)
    except FileNotFoundError:
        return None
    with open(descriptor, "rb") as file:
        return _Found(file.read(most), os.fstat(descriptor))


@contextlib.contextmanager
def _opened(place: Place) -> Iterator[BinaryIO | None]:
    """Yield a file that is to be written, open to be read; None if there is none. Raises InputError unless it is text.

    A file of something else is not one that was written here.
    """
    if place.status() is None:
        yield None
        return
    with open(place.open(os.O_RDONLY), "rb") as file:
        begin, decoder = file.read(4), codecs.getincrementaldecoder("utf-8")()
        file.seek(0)
        try:
            while block := file.read(BLOCK):
                decoder.decode(block)
            decoder.decode(b"", final=True)
        except UnicodeDecodeError as error:
            raise _not_utf8(place, begin) from error
        yield file


def _holds_the_same(one: BinaryIO, other: BinaryIO) -> bool:
    one.seek(0)
    other.seek(0)
    while True:
        block = one.read(BLOCK)
        if block != other.read(BLOCK):
            return False
        if not block:
            return True


def _decoded(place: Place, content: bytes) -> str:
    try:
        return content.decode()
    except UnicodeDecodeError as error:
        raise _not_utf8(place, content) from error


def _not_utf8(place: Place, begin: bytes) -> InputError:
    return place.refusal(
        f"it is {_encoding(begin[:4])}, not UTF-8. Save it as UTF-8 (in Windows PowerShell: Set-Content -Encoding utf8)"
    )


def _encoding(begin: bytes) -> str:
    if begin in (codecs.BOM_UTF32_LE, codecs.BOM_UTF32_BE) or begin.count(0) == 3:
        return "UTF-32"
    if begin[:2] in (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE) or begin[1::2] == b"\0\0" != begin[::2]:
        return "UTF-16"
    return "in another encoding"


def _open_kept(place: Place, flags: int) -> int:
    """Open a file that stays the same file, with its rights; a new one is private, and usable whatever the umask is."""
    is_new = place.status() is None
    descriptor = place.open(os.O_RDWR | os.O_CREAT | flags)
    if is_new and stat.S_IMODE(os.fstat(descriptor).st_mode) != NEW:
        with contextlib.suppress(PermissionError):  # it is not ours, if somebody else was faster
            os.fchmod(descriptor, NEW)
    return descriptor


def _source(text: str) -> BinaryIO:
    return io.BytesIO(text.encode())


def _partial(place: Place) -> Place:
    """Return the place for a file that is being written."""
    return place.beside(f".{place.name[:32]}.{secrets.token_hex(8)}")


def replace(place: Place, source: BinaryIO, access: Access = AS_IT_IS) -> list[str]:
    """Put a new file in the place of the old one, with the same rights; return a warning if they cannot be the same."""
    old = place.own_status()
    rights = access.rights(rights_of(old)) if old else None
    partial, lost = _partial(place), []
    descriptor = partial.open(os.O_WRONLY | os.O_CREAT | os.O_EXCL)
    try:
        with open(descriptor, "wb") as file:
            source.seek(0)
            shutil.copyfileobj(source, file)
            file.flush()
            own = rights_of(os.fstat(descriptor))
            lost = give(descriptor, access, rights or access.rights(own._replace(mode=NEW)), place.refusal)
            os.fsync(descriptor)
        os.replace(partial.name, place.name, src_dir_fd=place.folder, dst_dir_fd=place.folder)
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(partial.name, dir_fd=place.folder)
        raise
    _sync_folder(place)
    return _warnings_about_losses(place, lost)


def _set_rights(place: Place, access: Access) -> list[str]:
    """Give a file the rights asked for, and leave what is in it."""
    descriptor = place.open(os.O_RDONLY)
    try:
        wanted = access.rights(rights_of(os.fstat(descriptor)))
        return _warnings_about_losses(place, give(descriptor, access, wanted, place.refusal))
    finally:
        os.close(descriptor)


def _back_up(place: Place, old: BinaryIO, status: os.stat_result, access: Access) -> str:
    """Copy a file beside itself, for nobody more to read, and return the copy's path."""
    stem, number = f"{place.name}.{time.strftime('%Y-%m-%d@%H:%M:%S')}", 1
    rights = Access(is_secret=access.is_secret).rights(rights_of(status))
    while True:
        copy = place.beside(f"{stem}_{number}~" if number > 1 else f"{stem}~")
        try:
            descriptor = copy.open(os.O_WRONLY | os.O_CREAT | os.O_EXCL)
        except FileExistsError:
            number += 1
            continue
        with open(descriptor, "wb") as file:
            old.seek(0)
            shutil.copyfileobj(old, file)
            file.flush()
            give(descriptor, AS_IT_IS, rights, copy.refusal)
            os.utime(descriptor, ns=(status.st_atime_ns, status.st_mtime_ns))
            os.fsync(descriptor)
        return copy.path


def _sync_folder(place: Place) -> None:
    """Make a new name outlive a power cut, where the user and the file system allow it."""
    with contextlib.suppress(PermissionError):
        descriptor = os.open(".", os.O_RDONLY | os.O_DIRECTORY, dir_fd=place.folder)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def _warnings_about_secrets(place: Place, access: Access, before: Rights | None, after: Rights | None) -> list[str]:
    if not (access.is_secret and before and after and before.mode & OTHERS):
        return []
    return [
        f"{place.path} contains secrets, and its mode {before.mode:04o} gave others access: its mode is set to "
        f"{after.mode:04o}."
    ]


def _warnings_about_losses(place: Place, lost: list[str]) -> list[str]:
    if not lost:
        return []
    return [f"{place.path} could not keep its {' and its '.join(lost)}: this user may not set that."]


def _note_holder(descriptor: int, text: str) -> None:
    """Write into a lock's file who holds it, for whoever waits; that is not worth a failure (a full disk)."""
    with contextlib.suppress(OSError):
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, text.encode("utf-8", "replace"), 0)


def _holder(descriptor: int) -> str:
    """Return who holds a lock, as far as its file says, as a sentence; it may say nothing."""
    text = os.pread(descriptor, 300, 0).decode("utf-8", "replace")
    return f" It is {text}." if HOLDER.fullmatch(text) else ""
