# Copyright (c) 2026, dataops.qlik_em contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is private to the collection.

"""Tables of a task as the API shows them, and when a reload or a resume is over: plain data, no calls."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any, NamedTuple

QUEUED, LOADING, COMPLETED = "TABLE_QUEUED", "TABLE_LOADING", "TABLE_COMPLETED"
CHANGES, ERROR = "TABLE_CHANGE_PROCESSING", "TABLE_ERROR"  # ERROR: suspended

# State as an option -> state on the wire, and the flag of GetTableList and GetTableStatuses that asks for it.
STATES = {
    "queued": (QUEUED, "includequeued"),
    "loading": (LOADING, "includeloading"),
    "completed": (COMPLETED, "includecompleted"),
    "change_processing": (CHANGES, "includechangeprocessing"),
    "error": (ERROR, "includeerror"),
}


class TableName(NamedTuple):
    """A table by its names on the source."""

    schema: str
    table: str

    def __str__(self) -> str:
        return f"{self.schema}.{self.table}"


class TableSnapshot(NamedTuple):
    """A table at one time, from GetTableStatuses; ``load`` describes its last load (None: not given)."""

    state: str
    load: Mapping[str, Any] | None = None


def filters(schema: str | None = None, table: str | None = None, states: Collection[str] = ()) -> dict[str, str]:
    """Return the query of GetTableList and GetTableStatuses; ``states`` are options (none: all).

    ``schema`` and ``table`` must be exact names. What is a wildcard differs by release (``*`` until 2024, ``%`` from
    May 2025, any part of a name in 2022), so the answer may hold more than these: the caller filters it.
    """
    names = {"schema": schema, "table": table}
    # What comes back without any flag is not documented: all flags are certain to mean all
    # (docs/enterprise_manager_api.md, 6.25).
    flags = {flag: "true" for name, (_state, flag) in STATES.items() if not states or name in states}
    return {**{key: name for key, name in names.items() if name is not None}, **flags}


def name_in(item: Mapping[str, Any]) -> TableName:
    """Return the name in an item of GetTableList, or of GetTableStatuses, which spells it differently."""
    schema, table = item.get("schema", item.get("schema_on_source")), item.get("table", item.get("table_on_source"))
    return TableName(str(schema), str(table))


def snapshot_of(item: Mapping[str, Any]) -> TableSnapshot:
    """Return the table that an item of GetTableStatuses shows."""
    load = item.get("table_full_load_info")
    return TableSnapshot(state_of(item), load if isinstance(load, dict) and any(load.values()) else None)


def state_of(item: Mapping[str, Any]) -> str:
    """Return the state in an item of GetTableList or GetTableStatuses."""
    return str(item.get("state") or "").upper()


def is_due(wanted: str, current: TableSnapshot) -> bool:
    """Return whether a call is needed: a reload always, a resume unless the table is known not to be suspended."""
    return wanted == "reloaded" or current.state not in (QUEUED, LOADING, COMPLETED, CHANGES)


def has_begun(before: TableSnapshot, current: TableSnapshot | None) -> bool:
    """Return whether a call shows an effect. Its answer comes at once, and the old state may be shown for a while."""
    return current is None or (current.state, current.load) != (before.state, before.load)


def verdict(
    before: TableSnapshot, current: TableSnapshot | None, is_sent: bool, loads: bool | None, is_late: bool
) -> bool | None:
    """Return whether a table is well (True) or has failed (False); None: neither yet.

    ``is_sent`` is whether a call was sent for it, ``loads`` is of ``only_loads``. ``is_late`` is whether so much time
    has passed that a table of which no load is shown is taken as it is.
    """
    if current is None:
        return False
    if not is_sent:
        return None if current.state in (QUEUED, LOADING) else current.state != ERROR
    if not has_begun(before, current) and (current.load or not is_late):
        return None
    if current.state == ERROR:
        return False
    return True if current.state == CHANGES or (current.state == COMPLETED and loads is not False) else None
