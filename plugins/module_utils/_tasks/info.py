# Copyright (c) 2026, dataops.qlik_em contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is private to the collection.

"""Reading tasks: one by name, or many by server, name, state and tag."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .._client.api import Api, Json, on_task
from .._client.checks import check_characters, check_name
from .._client.nearest import suggestion
from .._common.missing import missing_names, missing_servers, on_servers, values_of, warnings_of
from .._common.patterns import RunAll, find_servers, is_literal, is_selected, read_servers
from .._run.result import Mode, Result
from .model import TASK_NOT_FOUND, TaskName, snapshot_of, state_of


def gather(api: Api, params: Mapping[str, Any], mode: Mode, run_all: RunAll = map) -> Result:
    """Return the selected tasks: the details of tasks named literally, else what the lists show.

    A server that is named literally needs no GetServerList, which asks for a higher role.
    """
    servers = [check_name("server", server) for server in params["server"] or []]
    names = [check_name("name", name) for name in params["name"] or []]
    states = {state.upper() for state in params["state"] or []}
    tags = {check_characters("tag", tag) for tag in params["tag"] or []}
    chosen = find_servers(api, servers)
    found, skipped = read_servers(chosen, lambda server: _tasks(api, server, names), params["on_server_error"], run_all)
    tasks: list[Json] = []
    for server, items in found.items():
        for item in items:
            details = {key: value for key, value in item.items() if key != "$type"}
            task = {**details, **snapshot_of(item).view(TaskName(server, item["name"]))}
            if (not states or state_of(task["state"]) in states) and (
                not tags or tags & set(task.get("assigned_tags") or [])
            ):
                tasks.append(task)
    missing = missing_servers(servers, chosen)
    if found and not skipped.rows:  # a task may be on a server that could not be read
        there = [item["name"] for items in found.values() for item in items]
        missing += missing_names("task", names, there, on_servers(found), lambda name: _near(api, list(found), name))
    return Result(
        values={"tasks": tasks, **values_of(missing), "skipped_servers": skipped.rows},
        warnings=warnings_of(missing) + skipped.warnings,
    )


def _near(api: Api, servers: list[str], name: str) -> str:
    """Return a suggestion for a task that does not exist: of many servers, any name is near."""
    return suggestion(api, on_task(servers[0], name).path) if len(servers) == 1 else ""


def _tasks(api: Api, server: str, patterns: list[str]) -> list[Json]:
    """Return the tasks of a server whose names match (no pattern: all)."""
    if patterns and all(map(is_literal, patterns)):
        details = [api.get_task_details(server, name, accept=(TASK_NOT_FOUND,)) for name in dict.fromkeys(patterns)]
        return [dict(one, name=name) for one, name in zip(details, dict.fromkeys(patterns)) if one]
    return [item for item in api.get_task_list(server) if is_selected(item["name"], patterns)]
