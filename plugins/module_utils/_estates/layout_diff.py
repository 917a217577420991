# Copyright (c) 2026, dataops.qlik_em contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is private to the collection.

"""What differs in the files of a server, place by place. Pure functions."""

from __future__ import annotations

from typing import Any

from .._client.errors import InputError
from .._definitions import diff as definition_diff
from .._definitions.document import read_part
from .._definitions.model import BODY, Rules
from .layout import FILES, ONE_EACH, Changes
from .model import SCHEDULES

MOST_PLACES = 500
THERE, NEW = "a file", "a new file"
ODD = "a file with something else"


def places_of(changes: Changes, rules: Rules) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the old and the new values by their places; of a whole file, that it is there.

    No secrets are shown, also not those that the ``rules`` name.
    """
    before: dict[str, Any] = dict.fromkeys(changes.removed, THERE)
    after: dict[str, Any] = {}
    for path, (old, new) in changes.written.items():
        if old is None:
            after[path] = NEW
        elif len(before) + len(after) < MOST_PLACES:
            shown = _differing(path, old, new, rules)
            before.update(shown["before"])
            after.update(shown["after"])
        else:
            before[path], after[path] = THERE, NEW
    return before, after


def _differing(path: str, old: str, new: str, rules: Rules) -> dict[str, Any]:
    server, _slash, file = path.partition("/")
    kind = file.partition("/")[0]
    member = ONE_EACH.get(kind, "scheduler" if file == FILES[SCHEDULES] else file)
    try:
        one, other = (_leaves(member, text) for text in (old, new))
    except InputError:
        return {"before": {path: ODD}, "after": {path: NEW}}
    absent = definition_diff.ABSENT
    found = {
        where: (one.get(where, absent), other.get(where, absent))
        for where in dict.fromkeys([*one, *other])
        if one.get(where, absent) != other.get(where, absent)
    }
    if not found:  # the order of members, blanks
        return {"before": {path: ODD}, "after": {path: NEW}}
    covered = definition_diff.diff(found, path, rules)
    return {
        side: {f"{server}/{place}": value for place, value in covered[side].items()} for side in ("before", "after")
    }


def _leaves(member: str, text: str) -> definition_diff.Leaves:
    value = read_part("The file", member, text)
    return definition_diff.leaves({BODY: {member: [value] if member in ONE_EACH.values() else value}})
