# Copyright (c) 2026, dataops.qlik_em contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is private to the collection.

"""The settings of an endpoint as plain data: what differs, as JSON Patch and for the diff. Pure functions."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from .._client.api import Json
from .._client.checks import USER_MEMBER, check_characters, check_secret
from .._client.connection import MASK
from .._client.errors import InputError
from .._client.redaction import is_encrypted, is_secret_name, redacted

Path = tuple[str, ...]

STORED, GIVEN = "(the stored secret)", "(the given secret)"
# PatchEndpoint cannot change these (docs/enterprise_manager_api.md, 6.34).
FIXED: tuple[Path, ...] = (("$type",), ("connectioninfo", "$type"))
MISSING = object()


class Change(NamedTuple):
    """One step of a JSON Patch below ``/db_settings``. ``before`` is MISSING for a setting that is new."""

    op: str  # add, replace, remove
    path: Path
    value: Any
    before: Any
    is_secret: bool

    def operation(self) -> Json:
        """Return it as PatchEndpoint takes it (RFC 6902, names escaped by RFC 6901)."""
        pointer = "".join("/" + name.replace("~", "~0").replace("/", "~1") for name in ("db_settings", *self.path))
        return {"op": self.op, "path": pointer, **({} if self.op == "remove" else {"value": self.value})}


def merged(settings: Mapping[str, Any], secrets: Mapping[str, Any], path: Path = ()) -> Json:
    """Return ``settings`` with ``secrets`` laid into them; raise InputError for one that is given in both."""
    result = dict(settings)
    for key, value in secrets.items():
        where = ".".join((*path, key))
        if isinstance(value, dict):
            below = result.get(key, {})
            if not isinstance(below, dict):
                raise InputError(f"secrets.{where} is a mapping, but settings.{where} is not.")
            result[key] = merged(below, value, (*path, key))
        elif key in result:
            raise InputError(f"{where} is given in settings and in secrets: give it in secrets only.")
        else:
            result[key] = value
    return result


def paths(secrets: Mapping[str, Any], path: Path = ()) -> Iterator[Path]:
    """Yield the path of each value in ``secrets``."""
    for key, value in secrets.items():
        if isinstance(value, dict):
            yield from paths(value, (*path, key))
        else:
            yield (*path, key)


def check(option: str, value: Any, is_secret: bool = False, path: Path = ()) -> None:
    """Raise InputError for a secret that is not a text: a number would be stored as a number.

    Also for a control character in a secret or a user.
    """
    where = ".".join((option, *path))
    if isinstance(value, dict):
        for key, item in value.items():
            check(option, item, is_secret or is_secret_name(key), (*path, key))
    elif isinstance(value, list):
        for item in value:
            check(option, item, is_secret, path)
    elif is_secret and isinstance(value, str):
        check_secret(where, value)
    elif is_secret and isinstance(value, (int, float)) and not isinstance(value, bool):
        raise InputError(f"{where} must be a string: write it in quotes.")
    elif isinstance(value, str) and path and USER_MEMBER.search(path[-1]):
        check_characters(where, value)


def without_nulls(value: Any) -> Any:
    """Return a copy without the members that are null: null means that a setting is not to be there."""
    if isinstance(value, dict):
        return {key: without_nulls(item) for key, item in value.items() if item is not None}
    return [without_nulls(item) for item in value] if isinstance(value, list) else value


def changes(
    current: Mapping[str, Any],
    wanted: Mapping[str, Any],
    always: bool = False,
    secret: frozenset[Path] = frozenset(),
    path: Path = (),
    is_below: bool = False,
) -> list[Change]:
    """Return what makes ``current`` (as exported) hold all that is ``wanted``; what is not named there stays.

    A secret that is encrypted cannot be compared: it is replaced ``always`` or never. One that is not there is added.
    ``secret`` are the paths of values that are secret whatever their names. All that ``is_below`` the name of a secret
    is one, too.
    """
    found: list[Change] = []
    for key, given in wanted.items():
        here, before = (*path, key), current.get(key, MISSING)
        is_named = is_below or is_secret_name(key)
        hidden = is_named or is_encrypted(before) or here in secret
        if given is None:
            if before is not MISSING:
                found.append(Change("remove", here, None, before, hidden))
        elif isinstance(given, dict) and isinstance(before, dict):
            found += changes(before, given, always, secret, here, is_named)
        elif before is MISSING:
            value = without_nulls(given)
            if value or not given or not isinstance(given, dict):  # not for a mapping of nothing but nulls
                found.append(Change("add", here, value, before, hidden))
        elif not _is_same(before, value := _as_stored(before, without_nulls(given)), always):
            found.append(Change("replace", here, value, before, hidden))
    return found


def check_fixed(found: list[Change]) -> None:
    """Raise InputError if a change touches what PatchEndpoint cannot change."""
    for change in found:
        if change.path in FIXED and change.before is not MISSING:
            name = ".".join(change.path)
            also = " The same applies to settings_type." if change.path == ("$type",) else ""
            raise InputError(f'settings.{name} is "{change.before}" and cannot be changed: leave it out.{also}')


def covered(value: Any, secret: frozenset[Path], path: Path = ()) -> Any:
    """Return what is at a path without what is secret, by its name, its value or its path."""
    return redacted(_without(value, secret, path))


def _without(value: Any, secret: frozenset[Path], path: Path) -> Any:
    if path in secret:
        return MASK
    return (
        {key: _without(item, secret, (*path, key)) for key, item in value.items()} if isinstance(value, dict) else value
    )


def shown(found: list[Change], secret: frozenset[Path]) -> tuple[Json, Json]:
    """Return what changes, before and after, without secrets; ``secret`` as in ``changes``."""
    before: Json = {}
    after: Json = {}
    for change in found:
        if change.before is not MISSING:
            # What is to become a mapping with a secret in it may have been the secret.
            is_secret = change.is_secret or any(path[: len(change.path)] == change.path for path in secret)
            _put(before, change.path, STORED if is_secret else redacted(change.before))
        if change.op != "remove":
            _put(after, change.path, GIVEN if change.is_secret else covered(change.value, secret, change.path))
    return before, after


def comparable(value: Any, is_below: bool = False) -> Any:
    """Return settings without their secrets, which cannot be compared: texts encrypted, or below the name of one."""
    if isinstance(value, dict):
        pairs = [(key, item, is_below or is_secret_name(key)) for key, item in value.items()]
        return {key: comparable(item, below) for key, item, below in pairs if not _is_incomparable(item, below)}
    if isinstance(value, list):
        return [comparable(item, is_below) for item in value if not _is_incomparable(item, is_below)]
    return value


def _is_incomparable(value: Any, is_below: bool) -> bool:
    return is_encrypted(value) or (is_below and isinstance(value, str))


def _put(tree: Json, path: Path, value: Any) -> None:
    for name in path[:-1]:
        tree = tree.setdefault(name, {})
    tree[path[-1]] = value


def _as_stored(stored: Any, given: Any) -> Any:
    """Return a plain value in the type of the stored one: a template mostly gives text where a number is meant."""
    if isinstance(stored, bool):
        words = {"true": True, "yes": True, "false": False, "no": False}
        return words.get(given.lower(), given) if isinstance(given, str) else given
    if isinstance(stored, (int, float)) and isinstance(given, str):
        try:
            return type(stored)(given)
        except ValueError:
            return given
    if isinstance(stored, str) and isinstance(given, (int, float)) and not isinstance(given, bool):
        return str(given)
    return given


def _is_same(stored: Any, given: Any, always: bool) -> bool:
    if isinstance(stored, dict) and isinstance(given, dict):  # in a list, which is replaced as a whole
        return stored.keys() == given.keys() and all(_is_same(stored[key], given[key], always) for key in stored)
    if isinstance(stored, list) and isinstance(given, list):
        return len(stored) == len(given) and all(_is_same(*pair, always) for pair in zip(stored, given))
    if isinstance(stored, bool) is not isinstance(given, bool):  # True == 1 in Python
        return False
    return bool(stored == given) or (is_encrypted(stored) and isinstance(given, str) and not always)
