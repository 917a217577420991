# Copyright (c) 2026, dataops.qlik_em contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is private to the collection.
"""The forms of answers, written like the answers themselves: members, and the types of their values.

``{"name": str, "message?": str, "tags?": [str]}`` is an object with the text ``name``; what ends in ``?`` may be
missing or null; ``"server_details|serverDetails"`` has two spellings; ``(str, int)`` is a value of either type. Other
members may be there (docs/enterprise_manager_api.md, 1.4).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Optional

# Returns what is wrong with a value: the place in it and what is there; None if nothing is.
Check = Callable[[Any], Optional[tuple[str, str]]]

NAMES = {str: "a string", bool: "true or false", int: "a number", float: "a number", dict: "an object", list: "a list"}


def compiled(shape: Any) -> Check:
    """Return the check for a form."""
    if isinstance(shape, dict):
        return _object(shape)
    if isinstance(shape, list):
        return _list(compiled(shape[0]))
    return _value(shape if isinstance(shape, tuple) else (shape,))


def _value(kinds: tuple[type, ...]) -> Check:
    wanted = " or ".join(dict.fromkeys(NAMES[kind] for kind in kinds))
    kinds = (*kinds, float) if int in kinds else kinds  # JSON has numbers of one kind only
    is_flag = bool in kinds

    def check(value: Any) -> tuple[str, str] | None:
        if isinstance(value, kinds) and (is_flag or not isinstance(value, bool)):
            return None
        return "", f"is {kind_of(value)}, not {wanted}"

    return check


def _list(check_item: Check) -> Check:
    def check(value: Any) -> tuple[str, str] | None:
        if not isinstance(value, list):
            return "", f"is {kind_of(value)}, not a list"
        for number, item in enumerate(value):
            found = check_item(item)
            if found:
                return f"[{number}]{found[0]}", found[1]
        return None

    return check


def _object(shape: dict[str, Any]) -> Check:
    members = [
        (key.rstrip("?").split("|"), key.endswith("?"), form is str, compiled(form)) for key, form in shape.items()
    ]

    def check(value: Any) -> tuple[str, str] | None:
        if not isinstance(value, dict):
            return "", f"is {kind_of(value)}, not an object"
        for names, is_optional, is_text, check_member in members:
            item = value.get(names[0])
            if is_text and isinstance(item, str):  # most are: a list has thousands of them
                continue
            name = next((name for name in names if value.get(name) is not None), None)
            if name is None and is_optional:
                continue
            found = check_member(value.get(name))
            if found:
                name = name or next((name for name in names if name in value), None)
                return (f".{name}{found[0]}", found[1]) if name else (f".{' or '.join(names)}", "is missing")
        return None

    return check


def kind_of(value: Any) -> str:
    """Return what a value is, but nothing of it: it may be a secret."""
    return "null" if value is None else next((text for kind, text in NAMES.items() if isinstance(value, kind)), "odd")


def fault_in(body: Any, check: Check) -> str:
    """Return what is wrong with the body of an answer, and where; empty if nothing is."""
    found = check(body)
    if not found:
        return ""
    return f"{found[0].lstrip('.')} {found[1]}" if found[0] else f"the body {found[1]}"


def half_character(body: bytes | bytearray, value: Any) -> str:
    """Return where a text in the body of an answer holds half of a character, which no file and no URL can hold.

    JSON may hold one, as an escape, and the parser takes it.
    """
    # A cheap look first: hardly any answer has what may be one.
    if b"\\ud" not in body and b"\\uD" not in body and b"\xed" not in body:
        return ""
    place = _half(value, "")
    return "" if place is None else f"{place.lstrip('.') or 'the body'} contains a lone surrogate (half of a character)"


def _half(value: Any, place: str) -> str | None:
    if isinstance(value, str):
        return None if value.isascii() or not any("\ud800" <= sign <= "\udfff" for sign in value) else place
    if isinstance(value, dict):
        items = [
            (f"{place}.{key.encode('ascii', 'backslashreplace').decode()}", [key, one]) for key, one in value.items()
        ]
    elif isinstance(value, list):
        items = [(f"{place}[{number}]", [one]) for number, one in enumerate(value)]
    else:
        return None
    return next((found for at, parts in items for part in parts if (found := _half(part, at)) is not None), None)
