# Copyright (c) 2026, dataops.qlik_em contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is private to the collection.

"""The kinds of objects in the definition of a whole server, and the part that is asked for. Pure functions.

The option ``objects`` names kinds; what is known of each stands in one table (docs/enterprise_manager_api.md, 9.14 and
9.15).
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import Any, NamedTuple

from .._client.api import Json
from .._client.errors import InputError
from .document import BODY, name_of

Changed = Collection["tuple[Any, ...]"]  # places in a definition, as a diff has them
MOST_NAMES = 5  # in a message


class Kind(NamedTuple):
    """Where the objects of a kind are: members of the definition, and the list in such a member that holds them.

    ``items`` is empty if the member itself is the list, and None if it holds settings and no list. ``defaults`` are
    what an item has if an export leaves it out.
    """

    members: tuple[str, ...]
    items: str | None = None
    defaults: Mapping[str, Any] = {}
    source: str = "seen"


KINDS: dict[str, Kind] = {
    "tasks": Kind(("tasks",), ""),
    "endpoints": Kind(("databases",), ""),
    "schedules": Kind(("scheduler",), "jobs", {"enabled": True, "is_local_time": False}),
    "notifications": Kind(("notifications",), "notifications_list", {"enabled": True}),
    "server_settings": Kind(
        (
            "replication_environment",
            "disk_utilization_configuration",
            "memory_utilization_configuration",
            "server_settings",
            "environment",
            "logging",
        ),
        source="the first three seen, the others assumed",
    ),
    "error_policies": Kind(("error_behavior", "error_handling"), source="assumed"),
}
OTHERS = "others"  # members that the table does not know
CHOICES = (*KINDS, OTHERS)
DEFAULT = ("tasks", "endpoints")
_KIND_OF = {member: name for name, kind in KINDS.items() for member in kind.members}


def objects_option() -> dict[str, Any]:
    """Return the spec of the option ``objects``."""
    return {"type": "list", "elements": "str", "choices": list(CHOICES), "default": list(DEFAULT)}


def asked(kinds: Collection[str]) -> Collection[str]:
    """Return the option ``objects``; raise InputError if it is empty: nothing would happen, without a word."""
    if not kinds:
        raise InputError("objects must name at least one kind of object.")
    return kinds


def kind_of(member: str) -> str:
    """Return the kind to which a member of a definition belongs."""
    return _KIND_OF.get(member, OTHERS)


def part(document: Json, objects: Collection[str]) -> Json:
    """Return the part of a definition that is of these kinds."""
    content = document[BODY]
    return {**document, BODY: {member: content[member] for member in content if kind_of(member) in objects}}


def only(document: Json, objects: Collection[str]) -> Json:
    """Return the part of a definition that is of these kinds, defaults filled in.

    So an enabled schedule is the same whether or not the definition says that it is.
    """
    content = part(document, objects)[BODY]
    return {**document, BODY: {member: _with_defaults(member, value) for member, value in content.items()}}


def _with_defaults(member: str, value: Any) -> Any:
    kind = KINDS.get(kind_of(member))
    if not kind or not kind.items or not kind.defaults or not isinstance(value, dict):
        return value
    items = value.get(kind.items)
    if not isinstance(items, list):
        return value
    return {**value, kind.items: [{**kind.defaults, **item} if isinstance(item, dict) else item for item in items]}


def check(label: str, document: Json) -> None:
    """Raise InputError unless lists of named objects are what they should be; tasks and endpoints are checked before.

    ``label`` is how messages call the definition.
    """
    for member, value in document[BODY].items():
        kind = KINDS.get(kind_of(member))
        if not kind or not kind.items:
            continue
        items = value.get(kind.items, []) if isinstance(value, dict) else None
        if not isinstance(items, list):
            raise InputError(
                f"{label} is not a replication definition: {member} must be an object with a list {kind.items}."
            )
        names = [name_of(member, item) for item in items]
        where = f"{member}.{kind.items}"
        if None in names:
            raise InputError(f"{label} is not a replication definition: an item of {where} has no name.")
        double = next((name for name in names if names.count(name) > 1), None)
        if double:
            raise InputError(f'{label} has "{double}" twice in {where}.')


def laid_over(current: Any, wanted: Any, member: str) -> Any:
    """Return a member of a definition with what is wanted laid over what the server has.

    Lists of named objects are sent whole. It is not known whether an import merges them by name or replaces the list
    (docs/enterprise_manager_api.md, 9.16), and so it does not matter. What the server has must have names for that.
    """
    kind = KINDS.get(kind_of(member))
    if not kind or not kind.items or not isinstance(current, dict) or not isinstance(wanted, dict):
        return wanted
    there = current.get(kind.items) or []
    old, new = _by_name(member, there), _by_name(member, wanted.get(kind.items))
    if None in old or len(old) != len(there):
        return wanted
    items = [_merged(old.get(name, {}), new.get(name, {})) for name in {**old, **new}]
    return {**current, **wanted, kind.items: items}


def _merged(old: Any, new: Any) -> Any:
    if not isinstance(old, dict) or not isinstance(new, dict):
        return new
    return {**old, **{key: _merged(old.get(key), value) for key, value in new.items()}}


def _by_name(member: str, items: Any) -> dict[str | None, Any]:
    return {name_of(member, item): item for item in items} if isinstance(items, list) else {}


def is_another_object(where: tuple[Any, ...]) -> bool:
    """Return whether a place is an object as a whole, beside those of a definition: it is not a part of any of them."""
    kind = KINDS.get(kind_of(where[0]))
    return len(where) == 3 and kind is not None and where[1] == kind.items


# Reporting


def names_in_kind(document: Json, objects: Iterable[str] = CHOICES) -> dict[str, list[str]]:
    """Return the names of what a definition holds of each kind, without kinds of which it holds nothing.

    Of settings, and of what has no names, these are the members.
    """
    found: dict[str, list[str]] = {name: [] for name in objects}
    for member, value in document[BODY].items():
        if kind_of(member) in found and value:
            found[kind_of(member)] += sorted(str(name) for name in _names(member, value))
    return {name: names for name, names in found.items() if names}


def _names(member: str, value: Any) -> list[Any]:
    kind = KINDS.get(kind_of(member))
    if not kind or kind.items is None:
        return [member]
    items = value if not kind.items else value.get(kind.items) if isinstance(value, dict) else None
    names = [name_of(member, item) for item in items] if isinstance(items, list) else [None]
    return names if None not in names else [member]


def beyond(document: Json, objects: Collection[str]) -> dict[str, list[str]]:
    """Return the names of what a definition holds beside these kinds."""
    return names_in_kind(document, [name for name in CHOICES if name not in objects])


def rows(document: Json, changed: Changed) -> list[dict[str, Any]]:
    """Return a row for each kind in a definition: which of its objects differ at the server, and which do not."""
    differing = {where[:length] for where in changed for length in (1, 2, 3)}
    found: dict[str, dict[str, Any]] = {}
    for member, value in document[BODY].items():
        if not value:
            continue
        kind = kind_of(member)
        row = found.setdefault(kind, {"kind": kind, "imported": [], "unchanged": []})
        for name in sorted(_names(member, value)):
            row["imported" if _place(member, name) in differing else "unchanged"].append(name)
    return list(found.values())


def _place(member: str, name: str) -> tuple[Any, ...]:
    kind = KINDS.get(kind_of(member))
    if not kind or kind.items is None or name == member:
        return (name,)
    return (member, kind.items, name) if kind.items else (member, name)


def in_words(held: Mapping[str, list[str]]) -> str:
    """Return what there is of each kind in one line: ``2 schedules (nightly, weekly) and others (x)``."""
    texts = []
    for kind, names in held.items():
        more = f" and {len(names) - MOST_NAMES} more" if len(names) > MOST_NAMES else ""
        listed = ", ".join(names[:MOST_NAMES]) + more
        count = "" if kind not in KINDS or KINDS[kind].items is None else f"{len(names)} "
        label = kind[:-1] if count == "1 " else kind
        texts.append(f"{count}{label} ({listed})")
    return ", ".join(texts[:-1]) + (" and " if texts[:-1] else "") + texts[-1]


def warning_about(held: Mapping[str, list[str]]) -> list[str]:
    """Return the warning that a definition holds what was not asked for; none if it does not."""
    if not held:
        return []
    are, them = ("was", "it") if sum(map(len, held.values())) == 1 else ("were", "them")
    return [
        f"The definition also contains {in_words(held)}, which {are} not imported. To import {them}, add "
        f"{' and '.join(held)} to objects."
    ]
