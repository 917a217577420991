# Copyright (c) 2026, dataops.qlik_em contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reading a licence file, text or JSON. The format is not documented: dates and a checksum are looked for by name."""

from __future__ import annotations

import datetime
import json
import re
from typing import Any

_LINE = re.compile(r"^\s*([A-Za-z_ ]+?)\s*[=:]\s*(.*?)\s*$", re.MULTILINE)
_ISSUED = ("issue_date", "license_issue_date")
_EXPIRES = ("expiration", "expiration_date", "license_expiration_date")


def read(text: str) -> dict[str, Any]:
    """The licence as GetServerDetails shows it. ValueError says why the server does not take it."""
    members = _members(text)
    expires = next((members[key] for key in _EXPIRES if members.get(key)), None)
    if expires is None:
        raise ValueError("The license is not valid: it has no expiration date.")
    if not members.get("checksum"):
        raise ValueError("The license is not valid: it has no checksum.")
    if members["checksum"].upper().startswith("INVALID"):
        raise ValueError("The license checksum is not valid.")
    days = (_date(expires) - datetime.datetime.now(datetime.timezone.utc).date()).days
    return {
        "state": "VALID_LICENSE" if days >= 0 else "EXPIRED_LICENSE",
        "issue_date": next((members[key] for key in _ISSUED if members.get(key)), ""),
        "expiration": expires,
        "days_to_expiration": max(days, 0),
    }


def _members(text: str) -> dict[str, str]:
    try:
        value = json.loads(text)
    except ValueError:
        return {key.lower().replace(" ", "_"): item for key, item in _LINE.findall(text)}
    found: dict[str, str] = {}
    todo = [value]
    while todo:
        item = todo.pop()
        if isinstance(item, dict):
            todo.extend(item.values())
            found.update({key.lower(): inner for key, inner in item.items() if isinstance(inner, str)})
    return found


def _date(text: str) -> datetime.date:
    try:
        return datetime.date.fromisoformat(text[:10])
    except ValueError:
        raise ValueError(f"The license is not valid: {text} is not a date.") from None
