# Copyright (c) 2026, dataops.qlik_em contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is private to the collection.

"""Changing the document of an object at a place, and its schemas. Pure functions, but that the document is changed."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from .._client.api import Json
from .._client.nearest import did_you_mean
from .._definitions.model import name, placed
from .references import mapped

SCHEMA_MEMBERS = ("owner", "default_schema")  # of tables and patterns, and of the target
MOST_PATHS = 5000  # among which the nearest is looked for


class Trouble(NamedTuple):
    """Why a place cannot be used, as it stands before the name of the object, and what may be meant."""

    why: str
    hint: str = ""


def put(document: Json, path: str, value: Any) -> Trouble | None:
    """Put a value in the place of one that is there; return what is wrong, None if nothing is."""
    found = _find(document, path.split("/"))
    if found is None:
        near = did_you_mean(path, itertools.islice(_paths((), document), MOST_PATHS))
        return Trouble(
            "which is not in", near or "An export leaves out defaults. To set one that is not there, use add."
        )
    container, key = found
    there, new = _form(container[key]), _form(value)
    if there != new:
        return Trouble(f"which is {there} and not {new} in")
    container[key] = value
    return None


def add(document: Json, path: str, value: Any) -> Trouble | None:
    """Put a value at a place that need not be there; return what is wrong, None if nothing is."""
    parts = path.split("/")
    base: Any = document
    for length in range(len(parts), 0, -1):
        found = _find(document, parts[:length])
        if found is None:
            continue
        if length == len(parts):
            return put(document, path, value)
        base, parts = found[0][found[1]], parts[length:]
        break
    if not isinstance(base, dict):
        return Trouble("which is below something that is not an object in")
    for part in reversed(parts[1:]):
        value = {part: value}
    base[parts[0]] = value
    return None


def schemas_in(document: Any) -> Iterator[str]:
    """Yield each schema in a document."""
    if isinstance(document, dict):
        for member, value in document.items():
            if member in SCHEMA_MEMBERS and isinstance(value, str):
                yield value
            yield from schemas_in(value)
    elif isinstance(document, list):
        for item in document:
            yield from schemas_in(item)


def with_schemas(document: Any, names: Mapping[str, str]) -> Any:
    """Return a copy of a document with other schemas."""
    if isinstance(document, dict):
        return {
            member: mapped(value, names)
            if member in SCHEMA_MEMBERS and isinstance(value, str)
            else with_schemas(value, names)
            for member, value in document.items()
        }
    return [with_schemas(item, names) for item in document] if isinstance(document, list) else document


def _find(value: Any, parts: Sequence[str]) -> tuple[Any, Any] | None:
    """Return what holds the value at a place, and where in it; None if there is none. A name may hold a slash."""
    for length in range(1, len(parts) + 1):
        text = "/".join(parts[:length])
        key = next((key for key, part in _inner(value) if part == text), None)
        if key is None:
            continue
        found = _find(value[key], parts[length:]) if length < len(parts) else (value, key)
        if found:
            return found
    return None


def _inner(value: Any) -> Iterator[tuple[Any, str]]:
    """Yield each key or index of a value, and how places call it."""
    if isinstance(value, dict):
        yield from ((key, str(key)) for key in value)
    elif isinstance(value, list):
        yield from ((index, name((part,))) for index, (part, _item) in enumerate(placed(value)))


def _paths(where: tuple[str, ...], value: Any) -> Iterator[str]:
    for key, part in _inner(value):
        yield "/".join((*where, part))
        yield from _paths((*where, part), value[key])


def _form(value: Any) -> str:
    return "an object" if isinstance(value, dict) else "a list" if isinstance(value, list) else "a value"
