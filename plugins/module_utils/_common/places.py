# Copyright (c) 2026, dataops.qlik_em contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is private to the collection.

"""Where a file really is: links are followed, but none that somebody else may have planted.

A path is walked from folder to folder, and each folder is held open. What is checked and what is used are the same
folder then, whatever is renamed meanwhile.
"""

from __future__ import annotations

import contextlib
import os
import stat
from collections.abc import Iterator
from typing import NamedTuple

from .._client.checks import check_text
from .._client.errors import InputError

MOST_LINKS = 40  # as Linux has it
PRIVATE = 0o600
# Devices, open files of processes, and settings of the system: nothing that could be kept or replaced.
SYSTEM = ("/dev", "/proc", "/sys")
SHARED_MEMORY = "/dev/shm"  # files as everywhere else
# Only on Linux: a folder may be passed that may not be listed.
PASSING = os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC | getattr(os, "O_PATH", 0)
KINDS = {
    stat.S_IFDIR: "it is a folder",
    stat.S_IFIFO: "it is a named pipe, not a file",
    stat.S_IFSOCK: "it is a socket, not a file",
    stat.S_IFCHR: "it is a device, not a file",
    stat.S_IFBLK: "it is a device, not a file",
    stat.S_IFLNK: "it is a link, which is not followed here",
}


class NoFolder(InputError):
    """The folder of a file does not exist, so that there is no file either."""


class Place(NamedTuple):
    """The ``name`` of a file in its ``folder``, an open descriptor; the file need not exist.

    ``path`` is the one without links, ``trouble`` begins each refusal. ``trusted`` are the users whose files are used
    in a folder where others may write, None if nobody else may.
    """

    trouble: str
    path: str
    folder: int
    name: str
    trusted: frozenset[int] | None

    def refusal(self, why: str) -> InputError:
        """Return the failure to raise."""
        return InputError(f"{self.trouble}: {why}.")

    def beside(self, name: str) -> Place:
        """Return the place of another file in the same folder."""
        path = os.path.join(os.path.dirname(self.path), name)
        return self._replace(name=name, path=path, trouble=f"{self.trouble}: {path}")

    def status(self) -> os.stat_result | None:
        """Return what is known of the file, None if there is none. Raises InputError unless it is an ordinary file."""
        status = _status(self.name, self.folder)
        if status:
            self._check_kind(status)
        return status

    def own_status(self) -> os.stat_result | None:
        """Return the same of a file that is to be written; it must not be one that somebody else has planted."""
        status = self.status()
        if status:
            self._check_owner(status)
        return status

    def open(self, flags: int, is_own: bool = True) -> int:
        """Open the file and return its descriptor; a new file is private to its owner, whatever the umask is.

        Raises InputError unless it is an ordinary file; a pipe is never waited for. ``is_own``: as ``own_status``.
        """
        if not flags & os.O_EXCL:
            self.status()  # before: opening a device may have effects
        descriptor = os.open(
            self.name, flags | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, PRIVATE, dir_fd=self.folder
        )
        try:
            status = os.fstat(descriptor)  # of what was opened, whatever has the name by now
            self._check_kind(status)
            if is_own:
                self._check_owner(status)
        except BaseException:
            os.close(descriptor)
            raise
        return descriptor

    def check_private(self, status: os.stat_result) -> None:
        """Raise InputError if somebody else may have written what is in the file, wherever it is.

        A group may: a new file is private, so somebody who may has opened it to these people.
        """
        if status.st_uid not in (0, os.geteuid()):
            raise self.refusal(
                f"it belongs to another user (uid {status.st_uid}), who can write anything into it. Run this as the "
                "user who created it"
            )
        if status.st_mode & stat.S_IWOTH:
            raise self.refusal(
                f"everybody can write to it (mode {stat.S_IMODE(status.st_mode):04o}). Look at it, then close it: "
                "chmod go-w"
            )

    def check_folder(self) -> None:
        """Raise InputError if this user may not write to the folder."""
        if not os.access(".", os.W_OK | os.X_OK, dir_fd=self.folder):
            raise self.refusal(f"this user may not write to the folder {os.path.dirname(self.path)}")

    def _check_kind(self, status: os.stat_result) -> None:
        if not stat.S_ISREG(status.st_mode):
            raise self.refusal(KINDS.get(stat.S_IFMT(status.st_mode), "it is not a file"))

    def _check_owner(self, status: os.stat_result) -> None:
        if self.trusted is None:
            return
        if status.st_uid not in self.trusted:
            raise self.refusal(
                f"it belongs to another user (uid {status.st_uid}), in a folder where others may write. Use a private "
                "folder"
            )
        if status.st_nlink > 1:
            raise self.refusal(
                "the file has another hard link, which somebody else may have created, as others may write to its "
                "folder. Use a private folder"
            )


@contextlib.contextmanager
def place_of(option: str, path: str, verb: str = "written") -> Iterator[Place]:
    """Yield the place of the file that ``path`` leads to, for as long as it is needed.

    Raises InputError, which names ``option`` and says that the file cannot be ``verb``; also for an OSError of the
    caller, NoFolder if there is no folder.
    """
    check_text(option, path)
    walk = _Walk(option, path, verb)
    try:
        yield walk.place()
    except OSError as error:
        raise walk.refusal(str(error.strerror)) from error
    finally:
        walk.close()


class _Walk:
    """The way along a path."""

    def __init__(self, option: str, path: str, verb: str) -> None:
        self._option, self._path, self._verb = option, path, verb
        self._pending = path.split("/")[::-1]
        self._parts: list[str] = []  # of the folder that is reached
        self._folder = -1
        self._links = 0
        self._end = ""  # where a link at the end of the path leads
        self._is_planted = False  # whether somebody else could have made a folder on the way

    def close(self) -> None:
        """Let the folder go."""
        if self._folder >= 0:
            os.close(self._folder)
            self._folder = -1

    def refusal(self, why: str) -> InputError:
        """Return the failure to raise."""
        return InputError(f"{self._trouble}: {why}.")

    @property
    def _trouble(self) -> str:
        link = f", a link to {self._end}" if self._end else ""
        return f"{self._option} ({self._path}{link}) cannot be {self._verb}"

    def place(self) -> Place:
        """Go all the way."""
        self._enter_start()
        while self._pending:
            part = self._pending.pop()
            if part == "..":
                self._enter(part)
            elif part not in ("", "."):
                status = _status(part, self._folder)
                if status and stat.S_ISLNK(status.st_mode):
                    self._follow(part, status)
                elif self._pending:
                    self._enter(part)
                else:
                    self._check_no_system_file(self._path_of(part))
                    return Place(self._trouble, self._path_of(part), self._folder, part, self._trusted())
        raise self.refusal(KINDS[stat.S_IFDIR])

    def _path_of(self, part: str) -> str:
        return "/" + "/".join([*self._parts, part])

    def _enter_start(self) -> None:
        if self._path.startswith("/"):
            self._enter_root()
        else:
            self._parts = [part for part in os.getcwd().split("/") if part]
            self._folder = os.open(".", PASSING)

    def _enter_root(self) -> None:
        self.close()
        self._parts, self._is_planted = [], False
        self._folder = os.open("/", PASSING)

    def _enter(self, part: str) -> None:
        """Go into a folder."""
        path, trusted = self._path_of(part), self._trusted()
        try:
            folder = os.open(part, PASSING, dir_fd=self._folder)
        except FileNotFoundError as error:
            raise NoFolder(f"{self._trouble}: there is no folder {path}.") from error
        except NotADirectoryError as error:
            raise self.refusal(f"{path} is not a folder") from error
        self.close()
        self._folder = folder
        if part == "..":
            self._parts = self._parts[:-1]
        else:
            self._parts.append(part)
            self._is_planted |= trusted is not None and os.fstat(folder).st_uid not in trusted

    def _trusted(self) -> frozenset[int] | None:
        """Return whose links and files are used here; None: anybody's, as nobody else may write here.

        As the kernel has it (fs.protected_symlinks), also where there is no sticky bit.
        """
        status = os.fstat(self._folder)
        if not (self._is_planted or status.st_mode & stat.S_IWOTH):
            return None
        own = {0, os.geteuid()}
        return frozenset(own if self._is_planted else own | {status.st_uid})

    def _follow(self, part: str, status: os.stat_result) -> None:
        """Go where a link leads."""
        path, trusted = self._path_of(part), self._trusted()
        self._check_no_system_file(path)
        if trusted is not None and status.st_uid not in trusted:
            raise self.refusal(
                f"{path} is a link of another user (uid {status.st_uid}), in a folder where others may write, and is "
                "not followed. Use a private folder"
            )
        self._links += 1
        if self._links > MOST_LINKS:
            raise self.refusal(f"{path} is a link that leads back to itself")
        target = os.readlink(part, dir_fd=self._folder)
        again = _status(part, self._folder)
        if not again or (again.st_ino, again.st_ctime_ns) != (status.st_ino, status.st_ctime_ns):
            raise self.refusal(f"{path} is being changed by another process")
        if not self._pending:
            self._end = os.path.normpath(os.path.join(os.path.dirname(path), target))
        if target.startswith("/"):
            self._enter_root()
        self._pending += target.split("/")[::-1]

    def _check_no_system_file(self, path: str) -> None:
        if path.startswith(tuple(f"{folder}/" for folder in SYSTEM)) and not f"{path}/".startswith(f"{SHARED_MEMORY}/"):
            raise self.refusal(f"{path} is in a system folder that is not for files")


def _status(name: str, folder: int) -> os.stat_result | None:
    try:
        return os.stat(name, dir_fd=folder, follow_symlinks=False)
    except FileNotFoundError:
        return None
