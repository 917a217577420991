# Copyright (c) 2026, dataops.qlik_em contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is private to the collection.

"""The trouble of many objects, those with the same trouble together. Pure functions."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from .view import BAD, Group, State

MOST_GROUPS = 50
MOST_NAMES = 5


class Trouble(NamedTuple):
    """What is wrong with one object, and what can be done; ``own`` is what only its message may say (its names)."""

    name: str
    state: State
    message: str
    remedy: str
    own: Sequence[str] = ()


def grouped(troubles: Iterable[Trouble]) -> tuple[list[Group], int]:
    """Return the groups that a page shows, the worst and largest first, and how many more there are."""
    alike: dict[tuple[State, str, str], list[Trouble]] = {}
    for one in troubles:
        message = one.message
        for name in one.own:
            message = message.replace(name, "")
        alike.setdefault((one.state, message, one.remedy), []).append(one)
    order = sorted(alike.values(), key=lambda found: (found[0].state.kind != BAD, -len(found)))
    return [_group(found) for found in order[:MOST_GROUPS]], max(0, len(order) - MOST_GROUPS)


def _group(found: Sequence[Trouble]) -> Group:
    """Return the group of what is alike; its message is that of the first."""
    first = found[0]
    names = [one.name for one in found[:MOST_NAMES]]
    return Group(names, len(found) - len(names), first.state, first.message, first.remedy)
