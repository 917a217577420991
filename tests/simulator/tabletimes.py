# Copyright (c) 2026, dataops.qlik_em contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a table of a task does over time, and which tables a filter means. Pure functions, no timers.

A table's timeline is a tuple of (begin in seconds of a monotonic clock, state), ascending, like a task's.
"""

from __future__ import annotations

import fnmatch
import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from .document_tasks import Table

QUEUED, LOADING, COMPLETED = "TABLE_QUEUED", "TABLE_LOADING", "TABLE_COMPLETED"
CHANGES, ERROR = "TABLE_CHANGE_PROCESSING", "TABLE_ERROR"

TableLine = tuple[tuple[float, str], ...]

# Include flag of GetTableList and GetTableStatuses -> the state that it means
FLAGS = {
    "includequeued": QUEUED,
    "includeloading": LOADING,
    "includecompleted": COMPLETED,
    "includechangeprocessing": CHANGES,
    "includeerror": ERROR,
}


def current(line: TableLine, now: float) -> str:
    """The state in force."""
    return next((state for at, state in reversed(line) if at <= now), line[0][1])


def began(line: TableLine, now: float, state: str) -> float | None:
    """When the table last came into `state`; None if it did not."""
    return next((at for at, item in reversed(line) if item == state and at <= now), None)


def reloaded(table: Table, now: float, changes: bool) -> TableLine:
    """After a reload was accepted: queued, loading, and then what the task does with it (`changes`: it captures)."""
    loading = now + table.queue_seconds
    line: TableLine = ((now, QUEUED), (loading, LOADING))
    if table.stuck:
        return line
    return (*line, (loading + table.load_seconds, ERROR if table.error_after_reload else _end(table, changes)))


def resumed(table: Table, now: float, changes: bool) -> TableLine:
    """After a resume was accepted: it stays suspended for a while; one that fails is back in error after that."""
    if table.error_after_resume:
        return ((now, _end(table, changes)), (now + table.resume_seconds, ERROR))
    return ((now, ERROR), (now + table.resume_seconds, _end(table, changes)))


def _end(table: Table, changes: bool) -> str:
    return table.ends_in or (CHANGES if changes else COMPLETED)


def pattern_fits(pattern: str | None, name: str, wildcard: str) -> bool:
    """Whether a name is meant: None means all; case counts; wildcards differ (docs/enterprise_manager_api.md, 6.24)."""
    if pattern is None:
        return True
    if wildcard == "substring":
        return pattern in name
    return fnmatch.fnmatchcase(name, glob(pattern, wildcard))


def glob(pattern: str, wildcard: str) -> str:
    """The pattern for fnmatch: only `wildcard` is special in it."""
    return "*".join(re.sub(r"[\[?*]", r"[\g<0>]", part) for part in pattern.split(wildcard))


def selector(selection: Mapping[str, Any]) -> Callable[[str, str], bool]:
    """Returns by schema and table whether a selection means a table. Its patterns use "%" (assumption)."""
    explicit = {(item.get("owner"), item.get("name")) for item in selection.get("explicit_included_tables") or []}
    included, excluded = selection.get("included_pattern") or [], selection.get("excluded_pattern") or []

    def is_selected(schema: str, table: str) -> bool:
        if (schema, table) in explicit:
            return True
        return _in(included, schema, table) and not _in(excluded, schema, table)

    return is_selected


def _in(patterns: Iterable[Mapping[str, Any]], schema: str, table: str) -> bool:
    return any(
        pattern_fits(item.get("owner", "%"), schema, "%") and pattern_fits(item.get("name", "%"), table, "%")
        for item in patterns
    )
