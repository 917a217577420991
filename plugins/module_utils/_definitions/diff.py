# Copyright (c) 2026, dataops.qlik_em contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is private to the collection.

"""What differs between two replication definitions, as a merge sees it (docs/enterprise_manager_api.md, 9.7)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from .._client.api import Json
from .._client.redaction import is_encrypted, is_secret, redacted
from .._run.result import diff as shown_diff
from .document import BODY, KINDS, by_identity, endpoints_used, is_redacted, name_of

# Where a value is: names of members; in place of an index the name of the item, or its pair of owner and name.
Where = tuple[Any, ...]
Leaves = dict[Where, Any]


class _Absent:
    def __repr__(self) -> str:
        return "ABSENT"


ABSENT: Any = _Absent()
Change = tuple[Any, Any]  # the old value (ABSENT: none) and the new one
SECRET = "<secret>"  # what a diff shows of one

# An export leaves out defaults, but which there are is not documented (docs/enterprise_manager_api.md, 9.2).
# Assumed: these, which GetTaskDetails shows as the options of a task.
DEFAULTS = {
    ("common_settings", "full_load_enabled"): True,
    ("common_settings", "apply_changes_enabled"): True,
    ("common_settings", "save_changes_enabled"): False,
    ("common_settings", "audit_changes_enabled"): False,
}
SETTINGS = ("task_settings", "db_settings", "override_properties")  # where defaults are left out


def leaves(document: Json) -> Leaves:
    """Return each value of a definition by its place, without what is ignored in a comparison.

    Ignored: the stamps around the content, ``task_uuid``, the loggers of a task, empty objects, and the order of items
    that have names.
    """
    found: Leaves = {}

    def walk(where: Where, value: Any) -> None:
        if isinstance(value, dict):
            for key, item in value.items():
                if key == "task_uuid" or (key == "loggers" and where[:1] == ("tasks",) and len(where) == 2):
                    continue
                walk((*where, key), item)
            return
        keyed = by_identity(value) if isinstance(value, list) else None
        if keyed is None:
            found[where] = value
        else:
            for key, item in keyed.items():
                walk((*where, key), item)

    walk((), document.get(BODY) or {})
    return found


def comparable(document: Json) -> Leaves:
    """Return the leaves of one task's definition, without the endpoints that it does not use.

    An export of the task would not show those.
    """
    content = document[BODY]
    used = {name for task in content.get("tasks") or [] for name in endpoints_used(task)}
    databases = [item for item in content.get("databases") or [] if name_of("databases", item) in used]
    return leaves({BODY: {**content, "databases": databases}})


def changes(current: Leaves, wanted: Leaves) -> dict[Where, Change]:
    """Return what a merge of ``wanted`` into ``current`` would add or change.

    A secret that is encrypted on either side, or redacted in what is wanted, cannot be compared and counts as the same.
    """
    found = {}
    for where, new in wanted.items():
        old = current.get(where, ABSENT)
        if is_redacted(new) and not is_redacted(old):
            continue
        if old is not ABSENT and (is_encrypted(old) or is_encrypted(new)):
            continue
        if old is ABSENT and _is_empty(new):
            continue
        if not _same(DEFAULTS.get(where[-2:], ABSENT) if old is ABSENT else old, new):
            found[where] = (old, new)
    return found


def leftovers(current: Leaves, wanted: Leaves) -> list[Where]:
    """Return what ``current`` has and ``wanted`` has not, within the items of ``wanted``: a merge does not remove it.

    An item that is missing as a whole is named once. Secrets are not counted: definitions rarely hold them.
    """
    inner = {where[:length] for where in wanted for length in range(len(where))}
    found: dict[Where, None] = {}
    for where, value in current.items():
        if where in wanted or where in inner or _is_empty(value) or is_secret(where[-1], value):
            continue
        if where[: 2 if where[0] in KINDS else 1] not in inner or _same(DEFAULTS.get(where[-2:], ABSENT), value):
            continue
        # A value in the place of an object replaces it; an empty list does not empty one that has names.
        above = next((where[:end] for end in range(1, len(where)) if where[:end] in wanted), None)
        if (above and wanted[above] != []) or _goes_with_its_target(where, wanted):
            continue
        found[next(where[:end] for end in range(1, len(where) + 1) if where[:end] not in inner)] = None
    return list(found)


def _goes_with_its_target(where: Where, wanted: Leaves) -> bool:
    """Return whether a part belongs to a target that the task no longer names (docs/enterprise_manager_api.md, 9.8)."""
    if where[0] != "tasks" or len(where) < 4 or where[2] != "targets":
        return False
    targets = wanted.get((*where[:2], "task", "target_names"))
    return isinstance(targets, list) and where[3] not in targets


def is_same(left: Json, right: Json) -> bool:
    """Return whether two definitions mean the same."""
    one, other = leaves(left), leaves(right)
    return not changes(one, other) and not changes(other, one)


def may_be_defaults(remaining: dict[Where, Change]) -> bool:
    """Return whether all of what an export does not show after an import may be settings with their default value."""
    return all(old is ABSENT and len(where) > 3 and where[2] in SETTINGS for where, (old, _new) in remaining.items())


def name(where: Where) -> str:
    """Return a place as people read it."""
    return "/".join(".".join(part) if isinstance(part, tuple) else str(part) for part in where)


def names(places: Iterable[Where], most: int = 10) -> str:
    """Return places in one line; of more than ``most``, how many more there are."""
    shown = [name(where) for where in places]
    more = f" and {len(shown) - most} more" if len(shown) > most else ""
    return ", ".join(shown[:most]) + more


def diff(found: dict[Where, Change], header: str) -> dict[str, Any]:
    """Return just what differs, for Ansible's diff mode."""
    before = {name(where): _shown(where, old) for where, (old, _new) in found.items() if old is not ABSENT}
    after = {name(where): _shown(where, new) for where, (_old, new) in found.items() if new is not ABSENT}
    return shown_diff(before, after, header)


def _shown(where: Where, value: Any) -> Any:
    return SECRET if is_secret(where[-1], value) else redacted(value, lambda _secret: SECRET)


def _is_empty(value: Any) -> bool:
    return value is None or value in ("", [], {})


def _same(left: Any, right: Any) -> bool:
    if isinstance(left, bool) or isinstance(right, bool):  # 1 == True
        return left is right
    return left == right or (left is not ABSENT and _is_empty(left) and _is_empty(right))
