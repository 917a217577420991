# Copyright (c) 2026, dataops.qlik_em contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is private to the collection.

"""Secrets in what the API takes and gives, told by the names of their members. Pure functions."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

from ._secrets import MASK

# The guide lists no such members: an assumption, here only.
SECRET_NAME = re.compile(r"password|passphrase|secret|token$|session_?id$|(?:private|access|api|account)_?key", re.I)
# A secret as an export carries it (notes, 6). That it is Base64 and at least so long is an assumption.
ENCRYPTED = re.compile(r"\{[A-Za-z0-9+/]{16,}={0,2}\}")


def redacted(value: Any) -> Any:
    """Return a copy of ``value`` (any nesting, JSON in texts too) in which MASK stands for each secret."""
    if isinstance(value, dict):
        return {name: MASK if _is_secret(name, item) else redacted(item) for name, item in value.items()}
    if isinstance(value, list):
        return [redacted(item) for item in value]
    if not isinstance(value, str):
        return value
    if ENCRYPTED.fullmatch(value):
        return MASK
    inner = _json_in(value)
    cleaned = redacted(inner)
    return value if cleaned == inner else json.dumps(cleaned, ensure_ascii=False)


def secret_texts(value: Any) -> Iterator[str]:
    """Yield each text in ``value`` (any nesting, JSON in texts too) that is a secret."""
    if isinstance(value, dict):
        for name, item in value.items():
            if isinstance(item, str) and _is_secret(name, item):
                yield item
            else:
                yield from secret_texts(item)
    elif isinstance(value, list):
        for item in value:
            yield from secret_texts(item)
    elif isinstance(value, str):
        if ENCRYPTED.fullmatch(value):
            yield value
        else:
            yield from secret_texts(_json_in(value))


def _is_secret(name: str, item: Any) -> bool:
    return SECRET_NAME.search(str(name)) is not None and item != "" and type(item) in (str, int, float)


def _json_in(text: str) -> Any:
    """Return the JSON object or list that ``text`` is, None if it is none."""
    if text.lstrip()[:1] in ("{", "["):
        try:
            return json.loads(text)
        except (ValueError, RecursionError):
            pass
    return None
