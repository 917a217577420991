# Copyright (c) 2026, dataops.qlik_em contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The methods of tables: lists, statuses, reload, resume, and the selection of a task."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from .. import definitions, endpoints, tabletimes, views_resources
from ..errors import failure
from ..live import LiveServer, LiveTable, LiveTask
from ..routing import as_known
from ..tabletimes import ERROR
from ..timeline import ALIVE
from ..views import Json
from .base import Call, Operation, body_object, flag, unset_or

Found = tuple[LiveServer, LiveTask]

_LEVELS = ("LOWEST", "LOW", "NORMAL", "HIGH", "HIGHEST")
_TYPES = ("TABLE", "VIEW")


async def get_table_list(call: Call, found: Found) -> Json:
    """GetTableList."""
    listed = _filtered(call, found[1])
    call.entry.executed = True
    return {"tablelist": [views_resources.table_info(table, state) for table, state in listed]}


async def get_table_statuses(call: Call, found: Found) -> Json:
    """GetTableStatuses, with the same filters."""
    listed, now, wall = _filtered(call, found[1]), call.world.clock(), call.world.wall_time
    call.entry.executed = True
    return {"table_details": [views_resources.table_details(table, state, now, wall) for table, state in listed]}


def _filtered(call: Call, task: LiveTask) -> list[tuple[LiveTable, str]]:
    """The tables that the query means, all if it has no include flag (docs/enterprise_manager_api.md, 6.25)."""
    wanted = {state for key, state in tabletimes.FLAGS.items() if flag(call.query, key)}
    wildcard, now = call.world.document.variants.table_wildcard, call.world.clock()
    schema, table = (_pattern(call, task, at) for at in (0, 1))
    result = []
    for (owner, name), live in task.tables.items():
        state = tabletimes.current(live.line, now)
        if wanted and state not in wanted:
            continue
        if tabletimes.pattern_fits(schema, owner, wildcard) and tabletimes.pattern_fits(table, name, wildcard):
            result.append((live, state))
    return result


def _pattern(call: Call, task: LiveTask, at: int) -> str | None:
    """The filter by schema (0) or table (1), decoded as leniently as names in the path."""
    wildcard, given = call.world.document.variants.table_wildcard, unset_or(call.query, ("schema", "table")[at])

    def fits(pattern: str) -> bool:
        return any(tabletimes.pattern_fits(pattern, key[at], wildcard) for key in task.tables)

    return as_known(given, fits) if given else None


async def reload_table(call: Call, found: Found) -> None:
    """ReloadTable: answers at once; the table goes through its states by itself."""
    server, task = found
    schema, table = _names(call, task)
    _refuse_file_channel(call, server, task, "reload")
    if not task.full_load:
        raise call.fail("AEM_INVALID_TASK_NOT_FL", table=table)

    def fail(message: str) -> Exception:
        return call.fail("AEM_RELOAD_TABLE_ERR", schema=schema, table=table, message=message)

    live = _active_table(task, schema, table, fail)
    if live.settings.fail_reload is not None:
        raise fail(live.settings.fail_reload)
    live.line = tabletimes.reloaded(live.settings, call.world.clock(), task.captures)
    live.reloads += 1
    call.entry.executed = True


async def resume_table(call: Call, found: Found) -> None:
    """ResumeTable: only a suspended table, but not one of a full load (docs/enterprise_manager_api.md, 6.26)."""
    server, task = found
    schema, table = _names(call, task)
    _refuse_file_channel(call, server, task, "unsuspend")

    def fail(message: str) -> Exception:
        return call.fail("AEM_UNSUSPEND_TABLE_ERR", schema=schema, table=table, message=message)

    live = _active_table(task, schema, table, fail)
    if tabletimes.current(live.line, call.world.clock()) != ERROR:
        raise fail("The table is not suspended.")
    if live.settings.suspended_in_full_load and live.resumes == live.reloads == 0:
        raise fail("The table was suspended during full load; it can only be reloaded.")
    if live.settings.fail_resume is not None:
        raise fail(live.settings.fail_resume)
    live.line = tabletimes.resumed(live.settings, call.world.clock(), task.captures)
    live.resumes += 1
    call.entry.executed = True


def _names(call: Call, task: LiveTask) -> tuple[str, str]:
    """The schema and the table of the query, decoded as leniently as names in the path."""
    schema, table = unset_or(call.query, "schema") or "", unset_or(call.query, "table") or ""
    schema = as_known(schema, lambda one: any(owner == one for owner, _table in task.tables))
    return schema, as_known(table, lambda one: (schema, one) in task.tables)


def _active_table(task: LiveTask, schema: str, table: str, fail: Callable[[str], Exception]) -> LiveTable:
    """The table, if the task is active (docs/enterprise_manager_api.md, 6.27)."""
    if not schema or not table:
        raise fail("The schema and the table must be given.")
    live = task.tables.get((schema, table))
    if live is None:
        raise fail("The table could not be found.")
    if task.phase.state not in ALIVE:
        raise fail("The task is not running.")
    return live


def _refuse_file_channel(call: Call, server: LiveServer, task: LiveTask, what: str) -> None:
    source = server.endpoints.get(task.settings.source_endpoint.get("name", ""))
    if source is not None and endpoints.short_type(source.settings) == "FILE_CHANNEL":
        raise call.fail("AEM_INVALID_TASK_NT_NTSUPPEP", message=what)


async def get_selection(call: Call, found: Found) -> Json:
    """GetTaskTableSelection."""
    call.entry.executed = True
    selection = definitions.selection_of(found[1].definition)
    lists = {key: selection.get(key) or [] for key in definitions.SELECTION_LISTS}
    return {key: [views_resources.selected(item) for item in items] for key, items in lists.items()}


async def put_selection(call: Call, found: Found) -> None:
    """PutTaskTableSelection: only the lists that are sent are replaced (docs/enterprise_manager_api.md, 6.28)."""
    task = found[1]
    body = body_object(call, "AemTableSelection")
    lists = {key: [_item(value) for value in _list(body, key)] for key in definitions.SELECTION_LISTS if key in body}
    source = task.definition.get("source") or {}
    tables = {**(source.get("source_tables") or {}), **lists}
    item = {**task.definition, "source": {**source, "source_tables": tables}}
    task.define(definitions.stripped(item))
    call.entry.executed = True


def _list(body: Json, key: str) -> list[Any]:
    value = [] if body[key] is None else body[key]
    if not isinstance(value, list):
        raise _unreadable(f"{key} is not a list")
    return value


def _item(value: Any) -> Json:
    """One table or pattern of a selection; what has its default value is left out."""
    if not isinstance(value, dict):
        raise _unreadable("an object was expected")
    owner, name, order, kind = (value.get(key) for key in ("owner", "name", "load_order", "table_type"))
    if not isinstance(owner, str) or not isinstance(name, str) or not owner or not name:
        raise _unreadable("owner and name must be given")
    result: Json = {"owner": owner, "name": name}
    if isinstance(order, str) and order.upper() in _LEVELS:
        result["load_order"] = order.upper()
    elif isinstance(order, int) and not isinstance(order, bool):
        if order:
            result["load_order"] = order
    elif order is not None:
        raise _unreadable(f"{order!r} is not a load order")
    if kind is not None and (not isinstance(kind, str) or kind.upper() not in _TYPES):
        raise _unreadable(f"{kind!r} is not a table type")
    if kind is not None and kind.upper() == "VIEW":
        result["table_type"] = "VIEW"
    return result


def _unreadable(message: str) -> Exception:
    return failure("DESERIALIZE_TO_TYPE", type="AemTableSelection", message=message)


def _replicate(role: str, work: Callable[[Call, Found], Any]) -> Operation:
    return Operation(role, "task", work, replicate_only=True, variant="/tables")


OPERATIONS: dict[str, Operation] = {
    "GetTableList": _replicate("Viewer", get_table_list),
    "GetTableStatuses": _replicate("Viewer", get_table_statuses),
    # Roles from here on: assumptions.
    "ReloadTable": _replicate("Operator", reload_table),
    "ResumeTable": _replicate("Operator", resume_table),
    "GetTaskTableSelection": _replicate("Viewer", get_selection),
    "PutTaskTableSelection": _replicate("Designer", put_selection),
}
