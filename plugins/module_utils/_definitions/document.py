# Copyright (c) 2026, dataops.qlik_em contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is private to the collection.

"""Replication definitions as plain data: reading, checking, redacting, writing. Pure functions.

What is in one is in docs/enterprise_manager_api.md, 9.
"""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Iterator
from typing import Any

from .._client.api import DEFINITION as BODY
from .._client.api import Json
from .._client.errors import InputError
from .._client.redaction import redacted

LIMIT = 50 * 1024 * 1024  # bytes; the largest known definitions are a few MB
DEPTH = 100  # levels; an export has about 10
PLACEHOLDER = "<redacted>"  # stands for a secret in an export; never sent
KINDS = ("tasks", "databases")  # what an import of one task may hold


# Reading


def read_definition(option: str, value: Any) -> Json:
    """Return the definition in a dict or a JSON text; raise InputError, which names ``option``, if it is not one."""
    document = _parsed(option, value) if isinstance(value, (str, bytes)) else value
    if not isinstance(document, dict):
        raise InputError(f"{option} must be a replication definition (an object), not {type(document).__name__}.")
    try:
        _check_depth(document, DEPTH)
        if document is value and len(json.dumps(document)) > LIMIT:
            raise InputError(too_large(option))
    except (TypeError, ValueError, RecursionError) as error:
        raise InputError(f"{option} is not JSON: {error}.") from error
    content = document.get(BODY)
    if not isinstance(content, dict):
        raise InputError(
            f'{option} is not a replication definition: it has no member "{BODY}", as an export of Replicate has.'
        )
    for kind in KINDS:
        _check_items(option, kind, content.get(kind))
    return document


def _parsed(option: str, text: str | bytes) -> Any:
    """Return what a JSON text holds.

    Older exports begin with a line ``// Host name: ...`` (docs/enterprise_manager_api.md, 10.1).
    """
    if len(text) > LIMIT:
        raise InputError(too_large(option))
    plain = text.decode("utf-8-sig", "replace") if isinstance(text, bytes) else text
    plain = plain.lstrip("\ufeff \t\r\n")
    while plain.startswith("//"):
        plain = plain.partition("\n")[2].lstrip()
    if not plain:
        raise InputError(f"{option} is empty.")
    try:
        return json.loads(plain, parse_constant=_refuse_constant)
    except RecursionError as error:
        raise InputError(f"{option} is not JSON: it is nested too deeply.") from error
    except ValueError as error:
        raise InputError(f"{option} is not JSON: {error}.") from error


def too_large(option: str) -> str:
    return f"{option} is larger than {LIMIT // 1024**2} MB: that is not a replication definition."


def _refuse_constant(word: str) -> None:
    raise ValueError(f"{word} is not a JSON number")


def _check_depth(value: Any, left: int) -> None:
    if left < 0:
        raise ValueError(f"it is nested deeper than {DEPTH} levels")
    if isinstance(value, (dict, list)):
        for item in value.values() if isinstance(value, dict) else value:
            _check_depth(item, left - 1)


def _check_items(option: str, kind: str, items: Any) -> None:
    if items is not None and not isinstance(items, list):
        raise InputError(f"{option} is not a replication definition: {kind} must be a list.")
    names = [name_of(kind, item) for item in items or []]
    if not all(names):
        raise InputError(f"{option} is not a replication definition: an item of {kind} has no name.")
    double = next((name for name in names if names.count(name) > 1), None)
    if double:
        raise InputError(f'{option} has "{double}" twice in {kind}.')


def name_of(kind: str, item: Any) -> str | None:
    """Return the name of an item of ``tasks`` or ``databases``; None if it has none."""
    inner = item.get("task") if isinstance(item, dict) and kind == "tasks" else item
    name = inner.get("name") if isinstance(inner, dict) else None
    return name if isinstance(name, str) and name.strip() else None


def names_in(document: Json, kind: str) -> list[str]:
    """Return the names of the ``tasks`` or ``databases`` of a definition that was read."""
    return [str(name_of(kind, item)) for item in document[BODY].get(kind) or []]


def task_definition(option: str, document: Json, name: str) -> Json:
    """Return the definition as one of the task ``name``: a copy, renamed. Raises InputError unless it has one task."""
    content = document[BODY]
    aliens = sorted(key for key in content if key not in KINDS)
    if aliens:
        raise InputError(
            f"{option} holds {', '.join(aliens)}, which belong to a whole server: import it with aem_import, or leave "
            "only tasks and databases in it."
        )
    names = names_in(document, "tasks")
    if not names:
        raise InputError(f"{option} holds no task.")
    if len(names) > 1:
        raise InputError(
            f"{option} holds {len(names)} tasks ({', '.join(names[:3])}{', ...' if len(names) > 3 else ''}), not one."
        )
    document = copy.deepcopy(document)
    document[BODY]["tasks"][0]["task"]["name"] = name
    return document


def endpoints_used(task: Json) -> set[str]:
    """Return the names of the endpoints that an item of ``tasks`` reads from and writes to."""
    inner = task["task"]
    targets = inner.get("target_names")
    names = [inner.get("source_name"), *(targets if isinstance(targets, list) else [])]
    return {name for name in names if isinstance(name, str)}


# Sending


def sendable(document: Json) -> Json:
    """Return a copy to be imported: what was redacted is left out, so that a merge keeps what the server has."""

    def plain(value: Any) -> Any:
        if isinstance(value, dict):
            return {key: plain(item) for key, item in value.items() if not is_redacted(item)}
        return [plain(item) for item in value] if isinstance(value, list) else value

    return plain(document)


def is_redacted(value: Any) -> bool:
    """Return whether a value is a text of which a secret was taken out: it is not known any more."""
    return isinstance(value, str) and PLACEHOLDER in value


def with_version(document: Json, version: str) -> Json:
    """Return the definition with ``_version``, made of GetServerDetails' version if it has none.

    Without it, Replicate falls back to default settings (docs/enterprise_manager_api.md, 9.4).
    """
    if document.get("_version"):
        return document
    numbers = [int(part) for part in re.findall(r"\d+", version)] or [0]
    stamp = {"version": version, "version_major": numbers[0], "version_minor": [*numbers, 0][1]}
    return {**document, "_version": {**stamp, "version_revision": numbers[-1]}}


def redacted_names(document: Json) -> set[str]:
    """Return the names of the databases in which a secret was redacted."""
    items = document[BODY].get("databases") or []
    return {str(name_of("databases", item)) for item in items if any(map(is_redacted, _texts(item)))}


# Writing


def without_secrets(document: Json) -> Json:
    """Return a copy with PLACEHOLDER in place of each secret."""
    return redacted(document, lambda _secret: PLACEHOLDER)


def stable_text(document: Json, name: str) -> str:
    """Return an export as a text that is the same as long as the definition is: for Git.

    The stamps (when, where, and the id of the task) are left out, and what has no order is sorted. ``$type``, which
    the server may want first (docs/enterprise_manager_api.md, 4.9), sorts before all letters.
    """
    ordered: Json = _ordered({BODY: document[BODY], "_version": document.get("_version"), "name": name})
    if not ordered["_version"]:
        del ordered["_version"]
    return json.dumps(ordered, indent="\t", ensure_ascii=False, sort_keys=True) + "\n"


def _ordered(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _ordered(item) for key, item in value.items() if key != "task_uuid"}
    if isinstance(value, list):
        keyed = by_identity(value)
        return [_ordered(keyed[key]) for key in sorted(keyed, key=str)] if keyed else [_ordered(item) for item in value]
    return value


def by_identity(items: list[Any]) -> dict[Any, Any] | None:
    """Return the items of a list by what identifies them; None if nothing does (or the list is empty).

    Assumed: the order of such a list means nothing, and an import merges it item by item; any other list is replaced
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


def _texts(value: Any) -> Iterator[str]:
    """Yield all texts in a nested value."""
    if isinstance(value, (dict, list)):
        for item in value.values() if isinstance(value, dict) else value:
            yield from _texts(item)
    elif isinstance(value, str):
        yield value


def count_redacted(document: Json) -> int:
    """Return how many secrets of a definition are redacted."""
    return sum(text.count(PLACEHOLDER) for text in _texts(document))
