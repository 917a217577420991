# Copyright (c) 2026, dataops.qlik_em contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is private to the collection.

"""Reading the tables of a task."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from .._client.api import Api, on_task
from .._client.checks import check_name
from .._common.missing import Missing, missing_names, values_of, warnings_of
from .._common.patterns import is_literal, is_selected
from .._run.result import Mode, Result
from .model import STATES, TableName, filters, name_in, state_of

PATTERNS = ("schema_pattern", "table_pattern")  # for the server, whose wildcard differs by release


def gather(api: Api, params: Mapping[str, Any], mode: Mode) -> Result:
    """Return the tables that match (GetTableList, or GetTableStatuses for all that is known of them)."""
    server, task = check_name("server", params["server"]), check_name("name", params["name"])
    schemas = [check_name("schema", one) for one in params["schema"] or []]
    tables = [check_name("table", one) for one in params["table"] or []]
    states = {STATES[one][0] for one in params["state"] or []}
    patterns = {option: check_name(option, params[option]) for option in PATTERNS if params[option] is not None}
    sent = (patterns.get("schema_pattern") or _exact(schemas), patterns.get("table_pattern") or _exact(tables))
    read = api.get_table_statuses if params["statuses"] else api.get_table_list
    found, there = [], []
    for item in read(server, task, filters(*sent, params["state"] or ())):
        name, state = name_in(item), state_of(item)
        there.append(name)
        if is_selected(name.schema, schemas) and is_selected(name.table, tables) and (not states or state in states):
            members = {key: value for key, value in item.items() if key != "$type"}
            found.append({**members, "schema": name.schema, "table": name.table, "state": state})
    if patterns:
        are_found = there or (states and api.get_table_list(server, task, filters(*sent)))
        return Result(values={"tables": found, "missing": []}, warnings=[] if are_found else [_unmatched(patterns)])
    missing = [] if states else _missing(schemas, tables, there, f" of {on_task(server, task).subject}")
    return Result(values={"tables": found, **values_of(missing)}, warnings=warnings_of(missing))


def _unmatched(patterns: Mapping[str, str]) -> str:
    given = ", ".join(f"{option}: {pattern}" for option, pattern in patterns.items())
    return (
        f"The server has no table that matches {given}. The wildcard is * in releases up to 2024, and % from May "
        "2025 on. Names are case-sensitive."
    )


def _missing(schemas: list[str], tables: list[str], there: list[TableName], where: str) -> list[Missing]:
    """Return the literal names that no table has, whatever its state; of a schema only if no table is named."""
    if tables:
        names = [name.table for name in there if is_selected(name.schema, schemas)]
        return missing_names("table", tables, names, where)
    return missing_names("schema", schemas, [name.schema for name in there], where)


def _exact(patterns: Sequence[str]) -> str | None:
    """Return the one exact name that is meant; None if more may be: globs are not the server's wildcards."""
    return patterns[0] if len(patterns) == 1 and is_literal(patterns[0]) else None
