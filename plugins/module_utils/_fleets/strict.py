# Copyright (c) 2026, dataops.qlik_em contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is private to the collection.

"""Reading a JSON document that anybody may have written: what no release writes is refused, with its place."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from datetime import datetime, timezone
from typing import Any

from .._client.checks import check_segment, shown_value
from .._client.errors import InputError

TIME = "%Y-%m-%dT%H:%M:%SZ"
DOCUMENT = "the document"


class OddText(Exception):
    """What no release writes; ``str()`` says what it is."""


class Odd(OddText):
    """The same in the usual sentence: where in the document, what is there, and what may be."""

    def __init__(self, where: str, value: Any, allowed: str) -> None:
        super().__init__(f"{where or DOCUMENT} is {shown_value(value)}, but must be {allowed}")


class NotJson(Exception):
    """The text is not JSON; ``str()`` says why."""


def parsed(text: str) -> Any:
    """Return what a text in JSON says; raise NotJson."""
    try:
        return json.loads(text)
    except RecursionError as error:
        raise NotJson("it is nested too deeply") from error
    except ValueError as error:
        raise NotJson("it is not JSON") from error


def is_number(value: Any) -> bool:
    """Return whether a value is a whole number; True and False are in Python."""
    return isinstance(value, int) and not isinstance(value, bool)


def check_members(where: str, value: Any, needed: Iterable[str], possible: Iterable[str] = ()) -> None:
    """Raise Odd unless ``value`` is a mapping with the members that are needed, and at most the possible ones more."""
    if not isinstance(value, dict):
        raise Odd(where, value, "a mapping")
    known = (*needed, *possible)
    prefix = f"{where}/" if where else ""
    for member in value:
        if member not in known:
            raise OddText(f"{prefix}{member} is not known: the members here are {', '.join(known)}")
    for member in needed:
        if member not in value:
            raise OddText(f"{where or DOCUMENT} has no member {member}")


def mapping_at(where: str, value: Any) -> dict[str, Any]:
    """Return a value that is a mapping; raise Odd."""
    if not isinstance(value, dict):
        raise Odd(where, value, "a mapping")
    return value


def list_at(where: str, value: Any) -> list[Any]:
    """Return a value that is a list; raise Odd."""
    if not isinstance(value, list):
        raise Odd(where, value, "a list")
    return value


def list_or_null_at(where: str, value: Any) -> list[Any]:
    """Return a value that is a list, an empty one for null; raise Odd."""
    if value is not None and not isinstance(value, list):
        raise Odd(where, value, "a list or null")
    return value or []


def text_at(where: str, value: Any) -> str:
    """Return a value that is a text and not blank; raise Odd."""
    if not isinstance(value, str) or not value.strip():
        raise Odd(where, value, "a non-blank string")
    return value


def name_at(where: str, value: Any) -> str:
    """Return a value that can be the name of a server or task; raise Odd."""
    name = text_at(where, value)
    try:
        return check_segment("name", name)
    except InputError as error:
        raise Odd(where, value, "a name") from error


def utc_at(where: str, value: Any) -> str:
    """Return a value that is a UTC time; raise Odd."""
    try:
        datetime.strptime(value, TIME)
    except (TypeError, ValueError) as error:
        raise Odd(where, value, "a UTC time such as 2026-11-23T22:00:00Z") from error
    return str(value)


def seconds_of(time: str) -> int:
    """Return a time of a document as seconds since 1970."""
    return int(datetime.strptime(time, TIME).replace(tzinfo=timezone.utc).timestamp())


def outline(document: Any) -> Any:
    """Return a document as an option is shown: what it is of, without its thousands of tasks."""
    if not isinstance(document, Mapping):
        return document
    return {key: "(not shown)" if isinstance(value, (dict, list)) else value for key, value in document.items()}
