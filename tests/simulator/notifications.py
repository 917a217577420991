# Copyright (c) 2026, dataops.qlik_em contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The notifications of a server, as ExportAll and ImportAll carry them. Pure functions over plain data.

Nobody is notified: the stand-in keeps them, gives them out, and refuses what is malformed. An import merges them by
their names (assumption, docs/enterprise_manager_api.md, 9.16).
"""

from __future__ import annotations

import copy
from typing import Any

from .checks import InputError
from .definitions import BadDocument, Tree

_HOLDER, _LIST = "notifications", "notifications_list"
_TEXTS = ("name", "trigger_type")


def check(others: Tree) -> None:
    """Raise BadDocument if the notifications in a document are not built as expected."""
    holder = others.get(_HOLDER, {})
    items = holder.get(_LIST, []) if isinstance(holder, dict) else None
    if not isinstance(items, list) or not all(_is_good(item) for item in items):
        raise BadDocument("AEM_IMPORT_INVALID_CONTENT", f"{_LIST} is not a list of notifications")
    if len({item["name"] for item in items}) != len(items):
        raise BadDocument("AEM_IMPORT_INVALID_CONTENT", "a notification is there twice")


def _is_good(item: Any) -> bool:
    return (
        isinstance(item, dict)
        and bool(item.get("name"))
        and all(isinstance(item.get(key, ""), str) for key in _TEXTS)
        and isinstance(item.get("enabled", True), bool)
    )


def seeded(items: list[Tree]) -> Tree:
    """What ExportAll shows of the notifications of a state document."""
    others: Tree = {_HOLDER: {_LIST: copy.deepcopy(items)}} if items else {}
    try:
        check(others)
    except BadDocument as error:
        raise InputError(f"notifications: {error.message}") from error
    return others


def exported(others: Tree) -> Tree:
    """The same, default values left out (docs/enterprise_manager_api.md, 9.14)."""
    holder = others.get(_HOLDER)
    if not isinstance(holder, dict) or _LIST not in holder:
        return others
    items = [{key: value for key, value in item.items() if (key, value) != ("enabled", True)} for item in holder[_LIST]]
    return {**others, _HOLDER: {**holder, _LIST: items}}
