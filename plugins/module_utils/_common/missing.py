# Copyright (c) 2026, dataops.qlik_em contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is private to the collection.

"""What an option names and nothing fits: not a failure of what only reads, but never silent."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import NamedTuple

from .._client.nearest import did_you_mean
from .patterns import is_literal, unmatched


class Missing(NamedTuple):
    """A name or a pattern that nothing fits, and what to say of it."""

    name: str
    warning: str


def missing_servers(patterns: Iterable[str], servers: Iterable[str]) -> list[Missing]:
    """Return the globs that match none of the servers; one that is named literally is found out by reading it."""
    globs = [pattern for pattern in patterns if not is_literal(pattern)]
    return [Missing(one, f'No server matches "{one}".') for one in unmatched(globs, servers)]


def missing_names(
    kind: str,
    patterns: Iterable[str],
    there: Iterable[str],
    where: str = "",
    suggest: Callable[[str], str] | None = None,
) -> list[Missing]:
    """Return the literal names that are not ``there``. A glob may well match nothing, as when nothing is in trouble.

    ``suggest`` returns the nearest names, if ``there`` does not hold all that there are.
    """
    there = list(there)
    result = []
    for name in unmatched(filter(is_literal, dict.fromkeys(patterns)), there):
        near = suggest(name) if suggest else did_you_mean(name, there)
        result.append(Missing(name, f'There is no {kind} "{name}"{where}. {near}'.strip()))
    return result


def on_servers(servers: Iterable[str]) -> str:
    """Return where something was looked for."""
    names = list(servers)
    return f' on server "{names[0]}"' if len(names) == 1 else f" on any of the {len(names)} servers"


def values_of(missing: Iterable[Missing]) -> dict[str, list[str]]:
    """Return them as a member of a result."""
    return {"missing": [one.name for one in missing]}


def warnings_of(missing: Iterable[Missing]) -> list[str]:
    """Return what the caller should know of them."""
    return [one.warning for one in missing]
