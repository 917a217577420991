# Copyright (c) 2026, dataops.qlik_em contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is private to the collection.

"""Reading tasks: one by name, or many by server, name, state and tag."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .._client.api import Api
from .._client.checks import check_name
from .._client.errors import ApiError
from .._fleets.selection import find_servers, is_literal, matches, skip_warnings
from .._run.result import Mode, Result
from .model import TASK_NOT_FOUND, seen_in, state_of


def gather(api: Api, params: Mapping[str, Any], mode: Mode) -> Result:
    """Return the selected tasks: the details of tasks named literally, else what the lists tell.

    A server that is named literally needs no GetServerList, which asks for a higher role.
    """
    servers = [check_name("server", server) for server in params["server"] or []]
    names = [check_name("name", name) for name in params["name"] or []]
    states = {state.upper() for state in params["state"] or []}
    tags = set(params["tag"] or [])
    tasks: list[dict[str, Any]] = []
    skipped: list[dict[str, Any]] = []
    for server in find_servers(api, servers):
        try:
            found = _tasks(api, server, names)
        except ApiError as error:
            if params["on_server_error"] == "fail":
                raise
            skipped.append({"server": server, "msg": error.message, **error.facts})
            continue
        for item in found:
            details = {key: value for key, value in item.items() if key != "$type"}
            task = {**details, **seen_in(item).view(server, item["name"])}
            if (not states or state_of(task["state"]) in states) and (
                not tags or tags & set(task.get("assigned_tags") or [])
            ):
                tasks.append(task)
    return Result(values={"tasks": tasks, "skipped_servers": skipped}, warnings=skip_warnings(skipped))


def _tasks(api: Api, server: str, patterns: list[str]) -> list[dict[str, Any]]:
    """Return the tasks of a server whose names match (no pattern: all)."""
    if patterns and all(map(is_literal, patterns)):
        details = [api.get_task_details(server, name, accept=(TASK_NOT_FOUND,)) for name in dict.fromkeys(patterns)]
        return [dict(one, name=name) for one, name in zip(details, dict.fromkeys(patterns)) if one]
    return [
        item
        for item in api.get_task_list(server)
        if not patterns or any(matches(item["name"], pattern) for pattern in patterns)
    ]
