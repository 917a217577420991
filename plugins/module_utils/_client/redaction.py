# Copyright (c) 2026, dataops.qlik_em contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is private to the collection.

"""Secrets in what the API takes and gives, known by the names of their members. Pure functions."""

from __future__ import annotations

import contextlib
import json
import re
from collections.abc import Callable, Iterator
from typing import Any

MASK = "********"
# The guide lists no such members: an assumption (docs/enterprise_manager_api.md, 9.6).
SECRET_NAME = re.compile(r"password|passphrase|secret|token$|session_?id$|(?:private|access|api|account)_?key", re.I)
# A secret as an export carries it. That it is Base64 and at least so long is an assumption
# (docs/enterprise_manager_api.md, 9.6).
ENCRYPTED = re.compile(r"\{[A-Za-z0-9+/=_-]{16,}\}")
LEAST_DIGITS = 4
# A member in a text that should have been JSON, and is broken.
JSON_MEMBER = re.compile(r'"((?:[^"\\]|\\.)*)"\s*:\s*"((?:[^"\\]|\\.)*)"')


def is_secret_name(name: Any) -> bool:
    """Return whether a member of this name holds a secret."""
    return isinstance(name, str) and SECRET_NAME.search(name) is not None


def is_encrypted(value: Any) -> bool:
    """Return whether a value is a text in braces, as a server exports a secret."""
    return isinstance(value, str) and ENCRYPTED.fullmatch(value) is not None


def is_secret(name: Any, value: Any) -> bool:
    """Return whether the value of a member is a secret: by the member's name, or as a server exports it."""
    return is_encrypted(value) or (is_secret_name(name) and value != "" and type(value) in (str, int, float))


def redacted(value: Any, cover: Callable[[Any], str] = lambda _secret: MASK) -> Any:
    """Return a copy of ``value`` (any nesting, JSON in texts too) each secret replaced by what ``cover`` returns."""
    if isinstance(value, dict):
        return {name: cover(item) if is_secret(name, item) else redacted(item, cover) for name, item in value.items()}
    if isinstance(value, list):
        return [redacted(item, cover) for item in value]
    if not isinstance(value, str):
        return value
    if is_encrypted(value):
        return cover(value)
    inner = _json_in(value)
    cleaned = redacted(inner, cover)
    return value if cleaned == inner else json.dumps(cleaned, ensure_ascii=False)


def secret_texts(value: Any) -> Iterator[str]:
    """Yield each text in ``value`` (any nesting, JSON in texts too, even if it is broken) that is a secret.

    A number, as text, too, unless it is so small that it may stand anywhere.
    """
    if isinstance(value, dict):
        for name, item in value.items():
            if is_secret(name, item) and (isinstance(item, str) or len(str(item)) >= LEAST_DIGITS):
                yield str(item)
            else:
                yield from secret_texts(item)
    elif isinstance(value, list):
        for item in value:
            yield from secret_texts(item)
    elif isinstance(value, str):
        inner = _json_in(value)
        if is_encrypted(value):
            yield value
        elif inner is not None:
            yield from secret_texts(inner)
        else:
            for name, item in JSON_MEMBER.findall(value):
                if is_secret_name(name) or is_encrypted(item):
                    yield item
                    with contextlib.suppress(ValueError):
                        yield json.loads(f'"{item}"', strict=False)


def leaves(value: Any) -> Iterator[str]:
    """Yield each text and number of a value (any nesting), as text: all of it is secret."""
    if isinstance(value, (dict, list)):
        for item in value.values() if isinstance(value, dict) else value:
            yield from leaves(item)
    elif value is not None and not isinstance(value, bool):
        yield str(value)


def _json_in(text: str) -> Any:
    """Return the JSON object or list that ``text`` is, None if it is not one."""
    if text.lstrip()[:1] in ("{", "["):
        try:
            return json.loads(text)
        except (ValueError, RecursionError):
            pass
    return None
