# Copyright (c) 2026, dataops.qlik_em contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is private to the collection.

"""What leads from the estate that is there to the one that is wanted. Pure functions.

Imports add and change, and never remove (docs/enterprise_manager_api.md, 9.7): what would have to be removed is named.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterable, Mapping
from typing import Any, NamedTuple

from .._access import acl_model
from .._client.api import Json
from .._client.errors import InputError
from .._client.exact_json import dumps
from .._definitions import diff as definition_diff
from .._definitions import objects
from .._definitions.diff import ORDER, Comparison, compare, leaves, leftovers
from .._definitions.document import endpoints_used
from .._definitions.model import BODY, Where, name
from .._run.result import diff as shown_diff
from .._tables.selection import LISTS
from .model import ACL, ENDPOINTS, KINDS, NO_RULES, SCHEDULES, TASKS, Estate, ObjectKey, definition_of, plain

CREATE, UPDATE, REORDER, DELETE = ACTIONS = ("create", "update", "reorder", "delete")
INHERITANCE = "disable_inheritance"
SELECTION = ("source", "source_tables")  # of a task


class Step(NamedTuple):
    """One object that is to be changed. ``before`` and ``after`` are fingerprints, empty where there is nothing.

    ``shown`` is what differs, without secrets; ``secrets`` the places of a new object whose secrets must be given;
    ``stays`` what a back-out cannot remove again by an import; ``stops`` whether it is a task that runs.
    """

    key: ObjectKey
    action: str
    before: str
    after: str
    shown: Json
    secrets: tuple[str, ...] = ()
    stays: tuple[str, ...] = ()
    stops: bool = False


class Plan(NamedTuple):
    """The steps in the order in which they are done.

    ``impossible`` are the places of each object that the API cannot remove, ``unmanaged`` what is on the servers and
    not wanted; it stays, unless there is a step that deletes it.
    """

    steps: tuple[Step, ...] = ()
    impossible: Mapping[ObjectKey, tuple[str, ...]] = {}
    unmanaged: tuple[ObjectKey, ...] = ()

    @property
    def fingerprint(self) -> str:
        """What identifies the plan: the same objects from the same state to the same state."""
        return _digest([[*step.key, step.action, step.before, step.after] for step in self.steps])


class Difference(NamedTuple):
    """What is to be sent of an object, and what of it differs; ``stays`` as in ``Step``."""

    changes: dict[Where, definition_diff.Change]
    remaining: tuple[str, ...] = ()
    redacted: tuple[str, ...] = ()
    stays: tuple[str, ...] = ()


def plan(
    desired: Estate,
    current: Estate,
    running: Collection[ObjectKey] = (),
    delete: bool = False,
    scope: Collection[ObjectKey] | None = None,
) -> Plan:
    """Return what leads from ``current`` to ``desired``; secrets in either are not compared.

    ``running`` are the tasks that would have to be stopped first; with ``delete``, tasks and endpoints that are not
    wanted are deleted, unless something that stays uses them. ``scope`` is what counts as not wanted if it is not
    ``desired`` (None: all). Raises InputError for a task without its endpoints, and for a document that is damaged.
    """
    desired, current = plain(desired), plain(current)
    check_endpoints(desired, current)
    steps, impossible = [], {}
    for key, new in desired.items():
        old = current.get(key)
        if old is not None and _text(old) == _text(new):  # most are; 1 and true are not the same
            continue
        found = difference(key, old, new)
        if found.remaining:
            impossible[key] = found.remaining
        if not found.changes:
            continue
        is_order = all(where[-1] is ORDER for where in found.changes)
        steps.append(
            Step(
                key,
                CREATE if old is None else REORDER if is_order else UPDATE,
                fingerprint(key, old),
                fingerprint(key, new),
                _shown(key, found.changes),
                found.redacted if old is None else (),
                found.stays if old is not None else (),
                stops=old is not None and key in running,
            )
        )
    unmanaged = tuple(sorted(key for key in (current if scope is None else scope) if key not in desired))
    deletions = _deletions(unmanaged, desired, current, running) if delete else []
    steps.sort(key=lambda step: (KINDS.index(step.key.kind), step.key))
    return Plan((*steps, *deletions), impossible, unmanaged)


def _deletions(
    unmanaged: Iterable[ObjectKey], desired: Estate, current: Estate, running: Collection[ObjectKey]
) -> list[Step]:
    """Return the steps that delete what is not wanted: tasks, then the endpoints that nothing else uses."""
    found = [key for key in unmanaged if key.kind == TASKS]
    stay = {**current, **desired}
    used = {
        (key.server, endpoint)
        for key, item in stay.items()
        if key.kind == TASKS and key not in found
        for endpoint in endpoints_used(item)
    }
    found += [key for key in unmanaged if key.kind == ENDPOINTS and (key.server, key.name) not in used]
    return [
        Step(
            key,
            DELETE,
            fingerprint(key, current[key]),
            "",
            shown_diff({"state": "present"}, {}, key.text),
            stops=key in running,
        )
        for key in found
    ]


def check_endpoints(desired: Estate, current: Estate) -> None:
    """Raise InputError for a wanted task that names an endpoint that is neither wanted nor there: it is refused.

    (docs/enterprise_manager_api.md, 9.19)
    """
    for key, item in desired.items():
        for endpoint in sorted(endpoints_used(item)) if key.kind == TASKS else ():
            needed = ObjectKey(key.server, ENDPOINTS, endpoint)
            if needed not in desired and needed not in current:
                raise InputError(
                    f"The {key.text} uses the {needed.text}, which is neither in the files nor on the server.",
                    "Gather it, rename it in the overlay, or leave the task out.",
                )


# One object


def document_of(key: ObjectKey, item: Json | None) -> Json:
    """Return the definition that holds one object (none: an empty one), defaults of schedules filled in."""
    whole = {BODY: {}} if item is None else definition_of({key: item}, key.server)
    return objects.only(whole, objects.CHOICES)


def difference(key: ObjectKey, old: Json | None, new: Json) -> Difference:
    """Return what an import (of an ACL: a replacement) of ``new`` would change where ``old`` is (None: nothing)."""
    if key.kind == ACL:
        before, after = (acl_leaves(one) if one is not None else {} for one in (old, new))
        return Difference(
            {
                where: (before.get(where, definition_diff.ABSENT), after.get(where, definition_diff.ABSENT))
                for where in {**before, **after}
                if before.get(where) != after.get(where)
            }
        )
    found = comparison(key, old, new)
    return Difference(
        found.changes,
        tuple(map(name, found.remaining)),
        tuple(map(name, found.redacted)),
        tuple(map(name, _staying(found, document_of(key, old)))) if old is not None else (),
    )


def _staying(found: Comparison, old: Json) -> list[Where]:
    """Return what an import of the ``old`` definition would not remove again after the one that was compared."""
    sent = leaves(found.document)
    items = leftovers(sent, leaves(old), NO_RULES)
    return [
        where
        for where in sent
        if any(where[: len(item)] == item for item in items) and not (where[-1] is ORDER or _is_removable(where))
    ]


def _is_removable(where: Where) -> bool:
    """Return whether another call than an import removes what is at a place: PatchEndpoint, PutTaskTableSelection."""
    if where[0] == "databases":
        return where[2:3] == ("db_settings",) and len(where) > 3
    return where[2:4] == SELECTION and len(where) > 5 and where[4] in LISTS


def comparison(key: ObjectKey, old: Json | None, new: Json) -> Comparison:
    """Return how an import of ``new`` compares with ``old`` (None: nothing is there). Raises InputError."""
    return compare(key.text, document_of(key, old), document_of(key, new), NO_RULES)


def acl_leaves(acl: Json) -> definition_diff.Leaves:
    """Return each role of an ACL, with its users and groups in an order and a spelling that is always the same."""
    found: definition_diff.Leaves = {(INHERITANCE,): bool(acl.get(INHERITANCE))}
    for role, kinds in acl_model.read_roles(acl).items():
        for kind, names in kinds.items():
            if names:
                found[(role, kind)] = sorted(acl_model.key_of(one) for one in names)
    return found


def fingerprint(key: ObjectKey, item: Json | None) -> str:
    """Return what two documents have in common that mean the same; empty if there is nothing. Secrets must be covered.

    Which secret an endpoint has does not count: it cannot be compared.
    """
    if item is None:
        return ""
    found = acl_leaves(item) if key.kind == ACL else leaves(document_of(key, item))
    return _digest(sorted([name(where), value] for where, value in found.items() if value not in (None, "", [], {})))


def _shown(key: ObjectKey, changes: dict[Where, definition_diff.Change]) -> Json:
    """Return what differs of an object by the place inside of it."""
    strip = {ENDPOINTS: 2, TASKS: 2, SCHEDULES: 3, ACL: 0}[key.kind]
    whole = definition_diff.diff(changes, key.text, NO_RULES)
    names = {name(where): name(where[strip:]) or key.name for where in changes}
    return {**whole, **{side: {names[at]: value for at, value in whole[side].items()} for side in ("before", "after")}}


def _digest(value: Any) -> str:
    return hashlib.sha256(_text(value).encode()).hexdigest()


def _text(value: Any) -> str:
    return dumps(value, sort_keys=True)
