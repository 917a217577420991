# Copyright (c) 2026, dataops.qlik_em contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is private to the collection.

"""A folder with folders and files in it, none of which is reached through a link.

A checkout of Git may hold links that somebody else has made, and names that come from a server must not lead out.
"""

from __future__ import annotations

import contextlib
import io
import os
import stat
from collections.abc import Iterator

from .._client.checks import check_text
from .._client.errors import InputError
from .._common.files import replace
from .._common.places import Place, place_of

MODE = 0o700  # of a new folder
OPENING = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC


class Folder:
    """An open folder; ``path`` is where it is, ``label`` how messages call it."""

    def __init__(self, label: str, path: str, descriptor: int, trusted: frozenset[int] | None) -> None:
        self.label, self.path = label, path
        self._descriptor = descriptor
        self._trusted = trusted

    def place(self, name: str, verb: str = "written") -> Place:
        """Return the place of a file in it."""
        trouble = f"{self.label}/{name} cannot be {verb}"
        return Place(trouble, os.path.join(self.path, name), self._descriptor, name, self._trusted)

    def names(self) -> list[str]:
        """Return the names of all that is in it, sorted."""
        return sorted(os.listdir(self._descriptor))

    def is_folder(self, name: str) -> bool:
        """Return whether there is a folder of a name in it, or a link to one."""
        try:
            return stat.S_ISDIR(os.stat(name, dir_fd=self._descriptor).st_mode)
        except OSError:
            return False

    @contextlib.contextmanager
    def below(self, name: str, create: bool = False) -> Iterator[Folder | None]:
        """Yield the folder of a name in it, None if there is none. Raises InputError if it is not a folder."""
        if create:
            with contextlib.suppress(FileExistsError):
                os.mkdir(name, MODE, dir_fd=self._descriptor)
        label, path = f"{self.label}/{name}", os.path.join(self.path, name)
        try:
            descriptor = os.open(name, OPENING, dir_fd=self._descriptor)
        except FileNotFoundError:
            yield None
            return
        except OSError as error:  # which one it is for a link differs between systems
            status = os.stat(name, dir_fd=self._descriptor, follow_symlinks=False)
            what = f"{label} is a link, which is not followed here" if stat.S_ISLNK(status.st_mode) else ""
            raise InputError(f"{what or f'{label} cannot be used: {error.strerror}'}.") from error
        try:
            yield Folder(label, path, descriptor, _trusted_in(descriptor, self._trusted))
        finally:
            os.close(descriptor)

    def read(self, name: str, most: int) -> str | None:
        """Return what is in a file (UTF-8), None if there is none; raise InputError."""
        place = self.place(name, "read")
        try:
            with open(place.open(os.O_RDONLY, is_own=False), "rb") as file:
                content = file.read(most + 1)
        except FileNotFoundError:
            return None
        except OSError as error:
            raise place.refusal(str(error.strerror)) from error
        if len(content) > most:
            raise place.refusal(f"it is larger than {most // 2**20} MB")
        try:
            return content.decode("utf-8-sig")
        except UnicodeDecodeError as error:
            raise place.refusal("it is not UTF-8") from error

    def write(self, name: str, text: str) -> None:
        """Write a file as a whole or not at all; raise InputError."""
        place = self.place(name)
        try:
            replace(place, io.BytesIO(text.encode()))
        except OSError as error:
            raise place.refusal(str(error.strerror)) from error

    def remove(self, name: str) -> None:
        """Remove a file; raise InputError."""
        place = self.place(name, "removed")
        try:
            os.unlink(name, dir_fd=self._descriptor)
        except FileNotFoundError:
            pass
        except OSError as error:
            raise place.refusal(str(error.strerror)) from error


@contextlib.contextmanager
def open_folder(option: str, path: str, create: bool = False) -> Iterator[Folder | None]:
    """Yield the folder that ``path`` leads to, None if there is none; the folder above it must be there.

    ``create`` makes one; if it is empty at the end, it is removed again. Links on the way to it are followed as those
    to a file. Raises InputError, which names ``option``.
    """
    plain = check_text(option, path).rstrip("/")
    if os.path.basename(plain) in ("", ".", ".."):
        plain = os.path.realpath(path)
    with place_of(option, plain, "used") as place:
        is_new = create and _status(place) is None
        if is_new:
            with contextlib.suppress(FileExistsError):
                os.mkdir(place.name, MODE, dir_fd=place.folder)
        status = _status(place)
        if status is None:
            place.check_folder()
            yield None
            return
        if not stat.S_ISDIR(status.st_mode):
            raise place.refusal("it is not a folder")
        descriptor = os.open(place.name, OPENING, dir_fd=place.folder)
        try:
            yield Folder(path.rstrip("/"), place.path, descriptor, _trusted_in(descriptor, place.trusted))
        finally:
            os.close(descriptor)
            if is_new:
                with contextlib.suppress(OSError):  # it holds something
                    os.rmdir(place.name, dir_fd=place.folder)


def _status(place: Place) -> os.stat_result | None:
    """Return what is known of whatever has the name of a place, None if nothing has."""
    try:
        return os.stat(place.name, dir_fd=place.folder, follow_symlinks=False)
    except FileNotFoundError:
        return None


def _trusted_in(descriptor: int, outside: frozenset[int] | None) -> frozenset[int] | None:
    """Return whose files are used in a folder, None for anybody's; ``outside`` are those of the folder above.

    As _common/places.py has it.
    """
    status, own = os.fstat(descriptor), frozenset((0, os.geteuid()))
    if outside is not None and status.st_uid not in outside:
        return own
    return own | {status.st_uid} if status.st_mode & stat.S_IWOTH else None
