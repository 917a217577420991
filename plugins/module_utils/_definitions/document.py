# Copyright (c) 2026, dataops.qlik_em contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is private to the collection.

"""Replication definitions as documents: reading, checking their form, writing. Pure functions.

What is in one is in docs/enterprise_manager_api.md, 9.
"""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Iterator
from typing import Any

from .._client.api import Json
from .._client.connection import MASK
from .._client.errors import InputError
from .._client.exact_json import dumps, number
from .model import BODY, KINDS, SETS, Where, is_set, name, placed, sorted_set
from .sending import REWRITTEN

LIMIT = 50 * 1024 * 1024  # bytes; the largest known definitions are a few MB
DEPTH = 100  # levels; an export has about 10
DIGITS = 640  # of a whole number: so many are read by each Python, whatever its limit is set to
# What Windows PowerShell makes of objects that are deeper than ConvertTo-Json -Depth.
POWERSHELL = re.compile(r"@\{.*\}|System\.(?:Object|Collections|Management|String)[\w.+`]*(?:\[\])?", re.DOTALL)
# Members that hold an object in all exports that were seen: of a task (and those whose names end in _settings), and
# of an endpoint.
OBJECTS = {"task", "source", "rep_source", "source_tables", "rep_target", "table_manipulation", "loggers"}
DATABASE_OBJECTS = {"db_settings", "override_properties"}


TEMPLATES = (
    "A value that a template inserts into JSON needs the filter to_json, which adds quotes and escapes: {{ password | "
    "to_json }}. So does a whole variable. Python's single quotes are not JSON."
)
EDITED = (
    "Correct the file there: a comma, quote or bracket is missing or too many, or Git has left marks of a conflict."
)

# Reading


def read_definition(option: str, value: Any) -> Json:
    """Return the definition in a dict or a JSON text; raise InputError, which names ``option``, if it is not one."""
    try:
        text = value if isinstance(value, str) else dumps(value)
    except (TypeError, ValueError, RecursionError) as error:
        raise InputError(f"{option} is not JSON: {error}.") from error
    document = _parsed(option, text)  # what YAML has and JSON has not, such as numbers as names, is as it is sent
    if not isinstance(document, dict):
        raise InputError(f"{option} must be a replication definition (an object), not {type(document).__name__}.")
    check_form(option, document)
    return document


def read_part(option: str, member: str, text: str) -> Any:
    """Return what a JSON text holds in place of a member of a definition; of tasks and databases, in place of one item.

    Raises InputError, which names ``option``, if it cannot be that.
    """
    value = _parsed(option, text, EDITED)
    check_form(option, {BODY: {member: [value] if member in KINDS else value}})
    return value


def check_form(option: str, document: Json) -> None:
    """Raise InputError, which names ``option``, unless a document has the form of a replication definition."""
    try:
        for where, item, is_member in _walk((), document, DEPTH):
            _check_value(option, where, item, is_member)
    except (ValueError, RecursionError) as error:
        raise InputError(f"{option} is not JSON: {error}.") from error
    content = document.get(BODY)
    if not isinstance(content, dict):
        raise InputError(
            f'{option} is not a replication definition: it has no member "{BODY}", as an export of Replicate has.'
        )
    for kind in KINDS:
        _check_items(option, kind, content.get(kind))


class _LongNumber(ValueError):
    """Such a number, as text."""


class _Twice(dict):
    """An object in which a member stands twice."""

    member = ""


def _members(pairs: list[tuple[str, Any]]) -> Json:
    members = dict(pairs)
    if len(members) == len(pairs):
        return members
    double = _Twice(members)
    seen: set[str] = set()
    double.member = next(key for key, _value in pairs if key in seen or seen.add(key))  # type: ignore[func-returns-value]
    return double


def _parsed(option: str, text: str, hint: str = TEMPLATES) -> Any:
    """Return what a JSON text holds. No failure shows a piece of it: there may be secrets in it.

    Older exports begin with a line ``// Host name: ...`` (docs/enterprise_manager_api.md, 10.1).
    """
    if len(text) > LIMIT:
        raise InputError(too_large(option))
    plain = text.lstrip("\ufeff \t\r\n")
    while plain.startswith("//"):
        plain = plain.partition("\n")[2].lstrip()
    if not plain:
        raise InputError(f"{option} is empty.")
    if "\0" in plain[:2]:  # without the mark that a file in it should begin with, it is read as UTF-8
        encoding = "UTF-32" if plain[:4].count("\0") == 3 else "UTF-16"
        raise InputError(f"{option} is {encoding}, not UTF-8. {REWRITTEN}")
    try:
        return json.loads(
            plain,
            parse_int=_integer,
            parse_float=number,
            parse_constant=_refuse_constant,
            object_pairs_hook=_members,
        )
    except RecursionError as error:
        raise InputError(f"{option} is not JSON: it is nested too deeply.") from error
    except json.JSONDecodeError as error:
        place = _place(text, len(text) - len(plain) + error.pos)
        raise InputError(f"{option} is not JSON: syntax error at {place}.", hint) from None
    except _LongNumber as error:
        long = str(error)
        raise InputError(
            f"{option} is not a replication definition: the number at {_place(text, text.index(long))} has "
            f"{len(long.lstrip('-'))} digits, and the limit is {DIGITS}."
        ) from None
    except ValueError as error:  # a number that is not JSON
        raise InputError(f"{option} is not JSON: {error}.") from None


def _place(text: str, at: int) -> str:
    before = text[:at]
    line, column = before.count("\n") + 1, at - before.rfind("\n")
    return f"line {line}, column {column}"


def shown_option(value: Any) -> Any:
    """Return the option as it is shown: nothing of what is not a definition, as secrets are not found in it."""
    try:
        read_definition("definition", value)
    except InputError:
        return MASK
    return value


def too_large(option: str) -> str:
    return f"{option} is larger than {LIMIT // 1024**2} MB: that is not a replication definition."


def _integer(text: str) -> int:
    if len(text.lstrip("-")) > DIGITS:
        raise _LongNumber(text)
    return int(text)


def _refuse_constant(word: str) -> None:
    raise ValueError(f"{word} is not a JSON number")


def _walk(where: Where, value: Any, left: int, is_member: bool = False) -> Iterator[tuple[Where, Any, bool]]:
    """Yield all values of a document, with their places, and whether they are members of an object (not of a list).

    Raises ValueError if they are nested too deeply.
    """
    if left < 0:
        raise ValueError(f"it is nested deeper than {DEPTH} levels")
    yield where, value, is_member
    if isinstance(value, dict):
        for key, item in value.items():
            yield from _walk((*where, key), item, left - 1, True)
    elif isinstance(value, list):
        for part, item in placed(value):
            yield from _walk((*where, part), item, left - 1)


def _check_value(option: str, where: Where, value: Any, is_member: bool) -> None:
    """Raise InputError for a member that stands twice, and for what a tool has made of an object or a list."""
    place = name(where[1:] if where[:1] == (BODY,) else where)
    if isinstance(value, _Twice):
        inner = f"{place}/{value.member}" if place else value.member
        raise InputError(f"{option} has the member {inner} twice. Remove one of them.")
    if isinstance(value, str) and POWERSHELL.fullmatch(value):
        raise InputError(f"{option} is damaged: {place} is the text of a PowerShell object. {REWRITTEN}")
    if value is None or not is_member or where[0] != BODY or len(where) == 1:
        return
    wanted = _form_of(where)
    if wanted and not isinstance(value, wanted):
        form = "a list" if wanted is list else "an object"
        forms = ((str, "a text"), (dict, "a single object"), (list, "a list"))
        is_now = next((text for kind, text in forms if isinstance(value, kind)), type(value).__name__)
        raise InputError(
            f"{option} is not a replication definition: {place} must be {form}, but is {is_now}. {REWRITTEN}"
        )


def _form_of(where: Where) -> type | None:
    """Return the form that a member has in all exports that were seen; None if it may have any."""
    member = str(where[-1])
    if len(where) == 2:
        return list if member in KINDS else None
    if where[1] == "tasks":
        if member in SETS:
            return list
        return dict if member in OBJECTS or member.endswith("_settings") else None
    return dict if where[1] == "databases" and len(where) == 4 and member in DATABASE_OBJECTS else None


def _check_items(option: str, kind: str, items: Any) -> None:
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


def task_definition(option: str, document: Json, name: str) -> tuple[Json, list[str]]:
    """Return the definition as one of the task ``name``: a copy, renamed, and the endpoints that it does not use.

    Without these: an export of the task would not show them. Raises InputError unless it has one task.
    """
    content = document[BODY]
    aliens = sorted(key for key in content if key not in KINDS)
    if aliens:
        raise InputError(
            f"{option} contains {', '.join(aliens)}, which belong to a whole server: import it with aem_import, or "
            "leave only tasks and databases in it."
        )
    names = names_in(document, "tasks")
    if not names:
        raise InputError(f"{option} contains no task.")
    if len(names) > 1:
        raise InputError(
            f"{option} contains {len(names)} tasks ({', '.join(names[:3])}{', ...' if len(names) > 3 else ''}), not "
            "one."
        )
    document = copy.deepcopy(document)
    (task,) = document[BODY]["tasks"]
    task["task"]["name"] = name
    unused = [one for one in names_in(document, "databases") if one not in endpoints_used(task)]
    if unused:
        databases = document[BODY]["databases"]
        document[BODY]["databases"] = [item for item in databases if item["name"] not in unused]
    return document, unused


def endpoints_used(task: Json) -> set[str]:
    """Return the names of the endpoints that an item of ``tasks`` reads from and writes to."""
    inner = task["task"]
    targets = inner.get("target_names")
    names = [inner.get("source_name"), *(targets if isinstance(targets, list) else [])]
    return {name for name in names if isinstance(name, str)}


def with_version(document: Json, version: str) -> Json:
    """Return the definition with ``_version``, made of GetServerDetails' version if it has none.

    Without it, Replicate falls back to default settings (docs/enterprise_manager_api.md, 9.4).
    """
    if document.get("_version"):
        return document
    numbers = [int(part) for part in re.findall(r"\d+", version)] or [0]
    stamp = {"version": version, "version_major": numbers[0], "version_minor": [*numbers, 0][1]}
    return {**document, "_version": {**stamp, "version_revision": numbers[-1]}}


# Writing


def stable_text(document: Json, name: str) -> str:
    """Return an export as a text that is the same as long as the definition is: for Git.

    The stamps (when, where) are left out, and sets are sorted. ``$type``, which the server may want first
    (docs/enterprise_manager_api.md, 4.9), sorts before all letters.
    """
    whole = {BODY: _ordered((), document[BODY]), "_version": document.get("_version"), "name": name}
    if not whole["_version"]:
        del whole["_version"]
    return _as_text(whole)


def stable_part(where: Where, value: Any) -> str:
    """Return what stands at a place of a definition as such a text."""
    return _as_text(_ordered(where, value))


def _as_text(value: Any) -> str:
    text = dumps(value, indent="\t", ensure_ascii=False, sort_keys=True) + "\n"
    # Half of a character beyond the first 65,536 is JSON, but not UTF-8.
    return re.sub("[\ud800-\udfff]", lambda half: f"\\u{ord(half[0]):04x}", text)


def _ordered(where: Where, value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _ordered((*where, key), item) for key, item in value.items()}
    if isinstance(value, list):
        items = [_ordered((*where, None), item) for item in value]
        return sorted_set(items) if is_set(where) else items
    return value
