# Copyright (c) 2026, dataops.qlik_em contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is private to the collection.

"""What a replication definition is: the one model by which it is compared, sent, exported, redacted and shown.

docs/definitions_in_git.md has it as a table. Pure functions.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from fnmatch import fnmatchcase
from functools import partial
from typing import Any, NamedTuple

from .._client.api import DEFINITION as BODY
from .._client.api import Json
from .._client.exact_json import dumps
from .._client.redaction import Cover, covered, is_secret_name, named, noted, redacted, secret_texts

# Where a value is: names of members; in place of an index the name of the item, or its pair of owner and name.
Where = tuple[Any, ...]

KINDS = ("tasks", "databases")  # what an import of one task may hold
PLACEHOLDER = "<redacted>"  # stands for a secret in an export; never sent
# Lists that are sets by nature. The order of any other one may count, as that of global rules does
# (docs/enterprise_manager_api.md, 9.5).
SETS = {
    *KINDS,
    "target_names",
    "targets",
    "explicit_included_tables",
    "explicit_excluded_tables",
    "included_pattern",
    "excluded_pattern",
}
# Members of a task that Replicate counts or assigns: nobody wants a value of theirs
# (docs/enterprise_manager_api.md, 9.3).
COUNTED = {"task_uuid", "estimated_size", "orig_db_id"}
LOGGERS = "loggers"


class _Order:
    def __repr__(self) -> str:
        return "(order)"


ORDER: Any = _Order()  # the last part of the place where the order of a list stands


class Rules(NamedTuple):
    """What the user says of a definition: the places of further secrets, and whether loggers belong to it."""

    secrets: tuple[str, ...] = ()
    with_loggers: bool = False


def rules_in(params: Mapping[str, Any]) -> Rules:
    """Return what the options ``secrets`` and ``loggers`` say."""
    return Rules(tuple(params["secrets"] or ()), params["loggers"] == "manage")


def name(where: Where) -> str:
    """Return a place as people read it."""
    return "/".join(".".join(part) if isinstance(part, tuple) else str(part) for part in where)


def beginnings(where: Where) -> list[Where]:
    """Return the places that a place is in, from the outermost to itself."""
    return [where[:end] for end, _part in enumerate(where, start=1)]


def names(places: Iterable[Where], most: int = 10) -> str:
    """Return places in one line; of more than ``most``, how many more there are."""
    shown = [name(where) for where in places]
    more = f" and {len(shown) - most} more" if len(shown) > most else ""
    return ", ".join(shown[:most]) + more


# Lists


def by_identity(items: list[Any]) -> dict[Any, Any] | None:
    """Return the items of a list by what identifies them; None if nothing does (or the list is empty).

    Assumed: an import merges such a list item by item; any other list is replaced
    (docs/enterprise_manager_api.md, 9.5).
    """
    keyed = {identity(item): item for item in items}
    return keyed if keyed and None not in keyed and len(keyed) == len(items) else None


def identity(item: Any) -> Any:
    """Return what identifies an item of a list: a name, or the pair of owner and name; None if nothing does."""
    if not isinstance(item, dict):
        return None
    for outer, member in (("task", "name"), ("rep_target", "target_name")):
        inner = item.get(outer)
        if isinstance(inner, dict) and isinstance(inner.get(member), str):
            return inner[member]
    for member in ("name", "column_name"):
        if isinstance(item.get(member), str):
            owner = item.get("owner")
            return (owner, item[member]) if isinstance(owner, str) else item[member]
    return None


def placed(items: list[Any]) -> Iterator[tuple[Any, Any]]:
    """Yield each item of a list with its part of a place: what identifies it, else its index."""
    return zip(by_identity(items) or range(len(items)), items)


def is_set(where: Where) -> bool:
    """Return whether the order of the list at this place means nothing."""
    return where[-1] in SETS


def sorted_set(items: list[Any]) -> list[Any]:
    """Return the items of a set in an order that is always the same."""
    return sorted(items, key=lambda item: (str(identity(item)), dumps(item, sort_keys=True)))


# What counts


def without_counted(document: Json, with_loggers: bool = True) -> Json:
    """Return a copy without what is neither compared nor sent: what Replicate counts, and loggers unless wanted."""

    def plain(value: Any) -> Any:
        if isinstance(value, dict):
            return {key: plain(item) for key, item in value.items() if key not in COUNTED}
        return [plain(item) for item in value] if isinstance(value, list) else value

    def task(item: Any) -> Any:
        if isinstance(item, dict) and not with_loggers:
            item = {key: value for key, value in item.items() if key != LOGGERS}
        return plain(item)

    content = document.get(BODY)
    if not isinstance(content, dict) or not isinstance(content.get("tasks"), list):
        return document
    return {**document, BODY: {**content, "tasks": [task(item) for item in content["tasks"]]}}


# Secrets


def is_secret_place(where: Where, rules: Rules) -> bool:
    """Return whether all at this place is secret: by the user's word, or by a name, which counts outside of tasks."""
    if any(_is_named(one, rules) for one in beginnings(where)):
        return True
    return where[0] != "tasks" and any(map(_is_secret_part, where[2 if where[0] in KINDS else 1 :]))


class _SecretValue(str):
    """The name ``value`` in a pair like {"name": "password", "value": ...}: a place that holds a secret."""


def members(value: Json) -> Iterator[tuple[str, Any]]:
    """Yield each member of an object by the name that it has in a place."""
    for key, item in value.items():
        yield _SecretValue(key) if key == "value" and is_secret_name(named(value, key)) else key, item


def _is_secret_part(part: Any) -> bool:
    return isinstance(part, _SecretValue) or is_secret_name(part[1] if isinstance(part, tuple) else part)


def _is_named(where: Where, rules: Rules) -> bool:
    return any(name(where) == pattern or fnmatchcase(name(where), pattern) for pattern in rules.secrets)


def cover_at(where: Where, value: Any, rules: Rules, cover: Cover) -> Any:
    """Return a copy of the value at a place, each secret replaced by what ``cover`` returns."""
    if is_secret_place(where, rules):
        return covered(value, cover)
    return _cover_named(where, redacted(value, cover, by_name=where[0] != "tasks"), rules, cover)


def cover_secrets(document: Json, rules: Rules, cover: Cover) -> Json:
    """Return a copy of a definition, each secret replaced by what ``cover`` returns."""
    content = {kind: cover_at((kind,), value, rules, cover) for kind, value in document[BODY].items()}
    return {**document, BODY: content}


def _cover_named(where: Where, value: Any, rules: Rules, cover: Cover) -> Any:
    """Return a copy of the value with what the user calls secret replaced."""
    if not rules.secrets:
        return value
    if _is_named(where, rules):
        return covered(value, cover)
    if isinstance(value, dict):
        return {key: _cover_named((*where, key), item, rules, cover) for key, item in value.items()}
    if isinstance(value, list):
        return [_cover_named((*where, part), item, rules, cover) for part, item in placed(value)]
    return value


def secrets_of(document: Json, rules: Rules) -> Iterator[str]:
    """Yield each secret of a definition, as text."""
    for kind, value in document[BODY].items():
        yield from secret_texts(value, by_name=kind != "tasks")
        yield from noted(partial(_cover_named, (kind,), value, rules))


def redacted_places(document: Json) -> list[Where]:
    """Return the places of a definition at which a secret was taken out."""
    return [where for where, value in texts(document) if is_redacted(value)]


def unknown_secrets(document: Json, rules: Rules) -> list[str]:
    """Return the patterns of the user that name nothing in the definition: typing mistakes, most likely."""
    places = {name(one) for where, _value in _values(document) for one in beginnings(where)}
    return [
        pattern
        for pattern in rules.secrets
        if pattern not in places and not any(fnmatchcase(place, pattern) for place in places)
    ]


def is_redacted(value: Any) -> bool:
    """Return whether a value is a text of which a secret was taken out: it is not known any more."""
    return isinstance(value, str) and PLACEHOLDER in value


def texts(document: Json) -> Iterator[tuple[Where, str]]:
    """Yield each text of a definition, and where it is."""
    return ((where, value) for where, value in _values(document) if isinstance(value, str))


def _values(document: Json) -> Iterator[tuple[Where, Any]]:
    def walk(where: Where, value: Any) -> Iterator[tuple[Where, Any]]:
        if isinstance(value, dict):
            for key, item in members(value):
                yield from walk((*where, key), item)
        elif isinstance(value, list):
            for part, item in placed(value):
                yield from walk((*where, part), item)
        else:
            yield where, value

    return walk((), document.get(BODY) or {})
