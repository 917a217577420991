# Copyright (c) 2026, dataops.qlik_em contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is private to the collection.

"""What differs between two replication definitions, as a merge sees it (docs/enterprise_manager_api.md, 9.7)."""

from __future__ import annotations

from decimal import Decimal
from typing import Any, NamedTuple

from .._client.api import Json
from .._client.redaction import is_encrypted
from .._run.result import diff as shown_diff
from .model import (
    BODY,
    KINDS,
    ORDER,
    PLACEHOLDER,
    Rules,
    Where,
    beginnings,
    by_identity,
    cover_at,
    is_secret_place,
    is_set,
    members,
    name,
    sorted_set,
    without_counted,
)
from .sending import ABSENT, sending

Leaves = dict[Where, Any]
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
    """Return each value of a definition by its place. Empty objects, and the order of sets, mean nothing."""
    found: Leaves = {}

    def walk(where: Where, value: Any) -> None:
        if isinstance(value, dict):
            for key, item in members(value):
                walk((*where, key), item)
            return
        keyed = by_identity(value) if isinstance(value, list) else None
        if keyed is None:
            found[where] = sorted_set(value) if isinstance(value, list) and is_set(where) else value
            return
        for key, item in keyed.items():
            walk((*where, key), item)
        if len(keyed) > 1 and not is_set(where):
            place = (*where, ORDER)
            found[place] = list(keyed)

    walk((), document.get(BODY) or {})
    return found


class Comparison(NamedTuple):
    """A definition beside the one that is there. ``document`` is what is sent, and nothing else was compared.

    ``remaining`` is what a merge does not remove; ``uncompared`` and ``redacted`` as in ``Sending``.
    """

    document: Json
    current: Leaves
    wanted: Leaves
    changes: dict[Where, Change]
    remaining: list[Where]
    uncompared: list[Where]
    redacted: list[Where]


def compare(
    label: str, current: Json, wanted: Json, rules: Rules, always: bool = False, keep: bool = False
) -> Comparison:
    """Return what a merge of ``wanted`` into ``current`` (empty: nothing is there) would change.

    ``always`` and ``keep`` as in ``sending``. Raises InputError, which names ``label``.
    """
    new, old = (without_counted(one, rules.with_loggers) for one in (wanted, current))
    sent = sending(label, new, old, rules, always, keep)
    document = {**new, BODY: sent.content}
    there, given = leaves(old), leaves(document)
    found = changes(there, given)
    found.update((where, (there.get(where, ABSENT), given[where])) for where in sent.forced)
    return Comparison(
        document, there, given, found, leftovers(there, leaves(new), rules), sent.uncompared, sent.redacted
    )


def changes(current: Leaves, wanted: Leaves) -> dict[Where, Change]:
    """Return what a merge of ``wanted`` into ``current`` would add or change. What is encrypted counts as the same."""
    found = {}
    for where, new in wanted.items():
        old = current.get(where, ABSENT)
        if where[-1] is ORDER:
            if old is not ABSENT and [key for key in old if key in new] != [key for key in new if key in old]:
                found[where] = (old, new)
        elif old is ABSENT and _is_empty(new):
            continue
        elif not _same(DEFAULTS.get(where[-2:], ABSENT) if old is ABSENT else old, new):
            found[where] = (old, new)
    return found


def leftovers(current: Leaves, wanted: Leaves, rules: Rules) -> list[Where]:
    """Return what ``current`` has and ``wanted`` has not, within the items of ``wanted``: a merge does not remove it.

    An item that is missing as a whole is named once. Secrets are not counted: definitions rarely hold them.
    """
    inner = {where[:length] for where in wanted for length in range(len(where))}
    found: dict[Where, None] = {}
    for where, value in current.items():
        if where in wanted or where in inner or _is_empty(value) or where[-1] is ORDER:
            continue
        if is_encrypted(value) or is_secret_place(where, rules):
            continue
        if where[: 2 if where[0] in KINDS else 1] not in inner or _same(DEFAULTS.get(where[-2:], ABSENT), value):
            continue
        # A value in the place of an object replaces it; an empty list does not empty one that has names.
        above = next((one for one in beginnings(where) if one in wanted), None)
        if (above and wanted[above] != []) or _goes_with_its_target(where, wanted):
            continue
        found[next(one for one in beginnings(where) if one not in inner)] = None
    return list(found)


def _goes_with_its_target(where: Where, wanted: Leaves) -> bool:
    """Return whether a part belongs to a target that the task no longer names (docs/enterprise_manager_api.md, 9.8)."""
    if where[0] != "tasks" or len(where) < 4 or where[2] != "targets":
        return False
    targets = wanted.get((*where[:2], "task", "target_names"))
    return isinstance(targets, list) and where[3] not in targets


def is_same(left: Json, right: Json) -> bool:
    """Return whether two definitions mean the same; a secret that is redacted is another one than one that is not."""
    one, other = leaves(left), leaves(right)
    return not changes(one, other) and not changes(other, one)


def may_be_defaults(remaining: dict[Where, Change]) -> bool:
    """Return whether all of what an export does not show after an import may be settings with their default value."""
    return all(old is ABSENT and len(where) > 3 and where[2] in SETTINGS for where, (old, _new) in remaining.items())


def diff(found: dict[Where, Change], header: str, rules: Rules) -> dict[str, Any]:
    """Return just what differs, for Ansible's diff mode."""
    before = {name(where): _shown(where, old, rules) for where, (old, _new) in found.items() if old is not ABSENT}
    after = {name(where): _shown(where, new, rules) for where, (_old, new) in found.items() if new is not ABSENT}
    return shown_diff(before, after, header)


def forced(shown: dict[str, Any]) -> dict[str, Any]:
    """Return a diff that shows an import although nothing differs (``force_import``)."""
    before, after = {"import": "nothing differs"}, {"import": "all the same (force_import)"}
    return {**shown, "before": {**before, **shown["before"]}, "after": {**after, **shown["after"]}}


def _shown(where: Where, value: Any, rules: Rules) -> Any:
    if where[-1] is ORDER:
        return [name((key,)) for key in value]
    return _plain(cover_at(where, value, rules, lambda _secret: SECRET))


def _plain(value: Any) -> Any:
    """Return a value as Ansible can carry it: a number that no float holds as a text."""
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_plain(item) for item in value]
    return str(value) if isinstance(value, Decimal) else value


def _is_empty(value: Any) -> bool:
    return value is None or value in ("", [], {})


def _same(left: Any, right: Any) -> bool:
    if isinstance(left, bool) or isinstance(right, bool):  # 1 == True
        return left is right
    if isinstance(left, dict) and isinstance(right, dict):  # in a list, which is replaced as a whole
        return left.keys() == right.keys() and all(_same(left[key], right[key]) for key in left)
    if isinstance(left, list) and isinstance(right, list):
        return len(left) == len(right) and all(map(_same, left, right))
    if left == right or (left is not ABSENT and _is_empty(left) and _is_empty(right)):
        return True
    # One that was redacted is the other's only if that is what stands in the file, too.
    return left is not ABSENT and (
        (is_encrypted(left) and right != PLACEHOLDER) or (is_encrypted(right) and left != PLACEHOLDER)
    )
