# Copyright (c) 2026, dataops.qlik_em contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is private to the collection.

"""Who may use a file: its mode, its owner and its group, as asked for and as they are."""

from __future__ import annotations

import contextlib
import functools
import grp
import os
import pwd
import re
import stat
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from .._client.errors import InputError

NEW = 0o600  # of a file that did not exist
OTHERS = 0o077  # all bits of the group and of everybody else
HIGHEST = 0o7777
SHIFT = {"u": 6, "g": 3, "o": 0}
SPECIAL = {"u": ("s", stat.S_ISUID), "g": ("s", stat.S_ISGID), "o": ("t", stat.S_ISVTX)}
CLAUSE = re.compile(r"([ugoa]*)((?:[-+=](?:[ugo]|[rwxXst]*))+)")
ACTION = re.compile(r"([-+=])([ugo]|[rwxXst]*)")
OCTAL = re.compile(r"(?:0o)?[0-7]{1,5}")


class Rights(NamedTuple):
    """The mode, the owner and the group of a file."""

    mode: int
    uid: int
    gid: int

    def shown(self) -> dict[str, str]:
        """Return them as people write them."""
        return {"mode": f"{self.mode:04o}", "owner": _name_of_user(self.uid), "group": _name_of_group(self.gid)}


class Access(NamedTuple):
    """What is asked for of a file; None leaves it as it is. One that ``is_secret`` is for nobody but its owner."""

    mode: str | int | None = None
    uid: int | None = None
    gid: int | None = None
    is_secret: bool = False

    def rights(self, base: Rights) -> Rights:
        """Return what a file gets that has ``base``."""
        mode = base.mode if self.mode is None else parse_mode(self.mode, base.mode, _umask())
        uid = base.uid if self.uid is None else self.uid
        gid = base.gid if self.gid is None else self.gid
        return Rights(mode & ~OTHERS if self.is_secret else mode, uid, gid)


AS_IT_IS = Access()


def access_options() -> dict[str, Any]:
    """Return the spec of these options; documented in ``files``."""
    return {"mode": {"type": "raw"}, "owner": {"type": "str"}, "group": {"type": "str"}}


def check_access(params: Mapping[str, Any], secret_by: str = "") -> Access:
    """Return what the options ask for; ``secret_by`` is what makes the file secret.

    Raises InputError for a mode that is not one or lets others read a secret, and for a user or a group that does not
    exist; also if there is no ``dest`` that they could be meant for.
    """
    mode, owner, group = (params[name] for name in ("mode", "owner", "group"))
    for option in ("mode", "owner", "group"):
        if params["dest"] is None and params[option] is not None:
            raise InputError(f"{option} needs dest: without it no file is written.")
    if mode is not None and parse_mode(mode, NEW, 0) & OTHERS and secret_by:
        raise InputError(
            f'mode ("{_as_text(mode)}") would give others access to the file, but it contains secrets ({secret_by}). '
            'Use "0600", or leave it out.'
        )
    uid = None if owner is None else _find("owner", owner, "user", lambda name: pwd.getpwnam(name).pw_uid)
    gid = None if group is None else _find("group", group, "group", lambda name: grp.getgrnam(name).gr_gid)
    return Access(mode, uid, gid, bool(secret_by))


def parse_mode(mode: Any, current: int, umask: int) -> int:
    """Return the mode that an octal or symbolic ``mode`` means for a file that has ``current``; raise InputError."""
    if isinstance(mode, bool) or not isinstance(mode, (str, int)):
        raise _not_a_mode(mode)
    if isinstance(mode, int):
        _check_number(mode)
        return mode
    text = mode.strip()
    if OCTAL.fullmatch(text) and int(text, 8) <= HIGHEST:
        return int(text, 8)
    clauses = [CLAUSE.fullmatch(clause) for clause in text.split(",")]
    result = current
    for clause in clauses:
        if not clause:
            raise _not_a_mode(mode)
        result = _with_clause(clause[1], clause[2], result, umask)
    return result


def _with_clause(users: str, actions: str, mode: int, umask: int) -> int:
    """Return ``mode`` after one clause (``u=rw``) of a symbolic mode; without users the umask counts, as in chmod."""
    mask = 0 if users else umask
    for operator, permissions in ACTION.findall(actions):
        bits, whole = 0, 0
        for user in ("u", "g", "o") if "a" in users else users or "ugo":
            bits |= _bits(user, permissions, mode)
            whole |= 7 << SHIFT[user] | SPECIAL[user][1]
        bits &= ~mask
        if operator == "+":
            mode |= bits
        elif operator == "-":
            mode &= ~bits
        else:
            mode = mode & ~whole | bits
    return mode


def _bits(user: str, permissions: str, mode: int) -> int:
    """Return the bits that ``permissions`` are for ``user``; they may be a copy of those of other users."""
    if permissions in SHIFT and permissions:
        return (mode >> SHIFT[permissions] & 7) << SHIFT[user]
    runs = "x" in permissions or ("X" in permissions and mode & 0o111)
    bits = 4 * ("r" in permissions) + 2 * ("w" in permissions) + bool(runs)
    letter, special = SPECIAL[user]
    return bits << SHIFT[user] | (special if letter in permissions else 0)


def _check_number(mode: int) -> None:
    """Raise InputError for a number that was likely meant as octal digits: YAML reads 640 as a decimal number.

    0640 without quotes is fine: YAML takes it for octal. 777 could be meant by 511 only.
    """
    digits = str(mode)
    meant = int(digits, 8) if OCTAL.fullmatch(digits) else None
    if not 0 <= mode <= 0o777 or (meant is not None and _is_usual(meant) and mode != 0o777):
        example = digits.rjust(4, "0") if meant is not None else "0640"
        raise InputError(
            f"mode ({mode}) is a decimal number, so its digits are not read as octal. Put them in quotes, like "
            f'"{example}".'
        )


def _is_usual(mode: int) -> bool:
    """Return whether the owner may read, and others may do no more than those before them."""
    user, group, others = mode >> 6, mode >> 3 & 7, mode & 7
    return user in (4, 5, 6, 7) and group & ~user == 0 and others & ~group == 0


def give(descriptor: int, access: Access, rights: Rights, refusal: Callable[[str], Exception]) -> list[str]:
    """Give an open file its rights, and return what it cannot have although it had it before.

    Like Ansible's own modules: who may not keep the owner of a file goes on without. But a file whose group changes is
    not open to the new one, and what is asked for is a must. Raises ``refusal`` then.
    """
    lost = []

    def is_given(what: str, value: str, is_must: bool, change: Callable[[], None]) -> bool:
        try:
            change()
        except OSError as error:
            if is_must:
                raise refusal(f"{what} cannot be set to {value}: {error.strerror}") from error
            lost.append(f"{what} {value}")
        return not lost

    current, mode, shown = os.fstat(descriptor), rights.mode, rights.shown()
    if current.st_gid != rights.gid:
        change = functools.partial(os.fchown, descriptor, -1, rights.gid)
        if not is_given("group", shown["group"], access.gid is not None, change):
            mode = _closed_to_the_group(mode)
    if current.st_uid != rights.uid:
        is_given("owner", shown["owner"], access.uid is not None, lambda: os.fchown(descriptor, rights.uid, -1))
    if lost:
        mode &= ~(stat.S_ISUID | stat.S_ISGID)
    if stat.S_IMODE(os.fstat(descriptor).st_mode) != mode:  # not before: a new owner may have cleared some bits
        is_must = access.is_secret or access.mode is not None
        is_given("mode", f"{mode:04o}", is_must, lambda: os.fchmod(descriptor, mode))
    return lost


def _closed_to_the_group(mode: int) -> int:
    """Return a mode whose group may do no more than everybody could before, and the other way round."""
    both = mode >> 3 & mode & 7
    return mode & 0o700 | both << 3 | both


def rights_of(status: os.stat_result) -> Rights:
    """Return the rights of a file."""
    return Rights(stat.S_IMODE(status.st_mode), status.st_uid, status.st_gid)


def _umask() -> int:
    umask = os.umask(OTHERS)  # there is no other way to read it
    os.umask(umask)
    return umask


def _find(option: str, value: str, kind: str, look_up: Callable[[str], int]) -> int:
    """Return the number of a user or of a group; raise InputError if there is none of that name."""
    with contextlib.suppress(KeyError):
        return look_up(value)
    if not (value.isascii() and value.isdigit() and int(value) < 2**32 - 1):
        raise InputError(f"{option} ({value}) does not exist: there is no {kind} of that name on this host.")
    return int(value)


def _name_of_user(uid: int) -> str:
    with contextlib.suppress(KeyError):
        return pwd.getpwuid(uid).pw_name
    return str(uid)


def _name_of_group(gid: int) -> str:
    with contextlib.suppress(KeyError):
        return grp.getgrgid(gid).gr_name
    return str(gid)


def _not_a_mode(mode: Any) -> InputError:
    return InputError(
        f'mode ({_as_text(mode)}) must be octal and in quotes, like "0640", or symbolic, like "u=rw,g=r".'
    )


def _as_text(mode: Any) -> str:
    return f"{mode:04o}" if isinstance(mode, int) and not isinstance(mode, bool) else str(mode)
