# Copyright (c) 2026, dataops.qlik_em contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is private to the collection.

"""Servers or tasks as the hosts of an inventory: their names and variables."""

from __future__ import annotations

import functools
import re
from collections.abc import Mapping
from typing import Any

from .._client.api import Api, Json
from .._client.checks import check_count
from .._client.errors import InputError
from .._common.parallel import map_parallel
from .._common.patterns import RunAll, SkippedServers, is_literal, read_servers
from .._run.result import Mode, Result
from .._servers import info as servers_info
from .._tasks import info as tasks_info
from .._tasks.model import TASK_NOT_FOUND, TaskName, snapshot_of
from .options import MOST_PARALLEL

PREFIX = "qlik_em_"
OF_TASKS = ("name", "state", "tag")  # options that choose among tasks
# What must be encoded in a name for two names never to be one host.
AMBIGUOUS = re.compile(r"/|%(?=2F|25)")


def host_name(*names: str) -> str:
    """Return the name of the host: that of the server, or server/task.

    A slash within a name is ``%2F``. So no two tasks are one host, and no name leads out of a folder ``host_vars``.
    """
    return "/".join(AMBIGUOUS.sub(lambda sign: "%2F" if sign[0] == "/" else "%25", name) for name in names)


def gather(api: Api, params: Mapping[str, Any], mode: Mode) -> Result:
    """Return the hosts: ``{"name", "variables", "is_unreachable"}`` each.

    Raises what reading raises, and InputError for options that contradict each other.
    """
    check_count("parallel", params["parallel"], MOST_PARALLEL)
    run_all = functools.partial(map_parallel, parallel=params["parallel"], abandon=api.client.interrupt.abandon)
    if params["hosts"] == "tasks":
        return _tasks(api, params, mode, run_all)
    meaningless = [option for option in OF_TASKS if params[option]]
    if meaningless:
        raise InputError(f"{meaningless[0]} selects tasks: it needs hosts: tasks.")
    return _servers(api, params, mode, run_all)


def _servers(api: Api, params: Mapping[str, Any], mode: Mode, run_all: RunAll) -> Result:
    """Return a host for each server."""
    policy = params["on_server_error"]
    options = {"name": params["server"], "details": params["details"], "on_server_error": policy}
    found = servers_info.gather(api, options, mode, run_all)
    rows = {server.pop("name"): server for server in found.values["servers"]}
    warnings, failures = found.warnings, _failures(found.values["skipped_servers"])
    if params["tasks"]:
        lists, skipped = read_servers(rows, lambda server: _task_list(api, server), policy, run_all)
        for server, tasks in lists.items():
            rows[server]["tasks"] = tasks
        failures.update(_failures(skipped.rows))
        warnings = warnings + skipped.warnings
    hosts = [
        _host((server,), rows.get(server, {}), failures.get(server), server=server)
        for server in dict.fromkeys([*rows, *failures])
    ]
    return Result(values={"hosts": hosts}, warnings=warnings)


def _task_list(api: Api, server: str) -> list[Json]:
    """Return the tasks of a server as they are listed."""
    return [
        {**_without_type(item), **snapshot_of(item).view(TaskName(server, item["name"]))}
        for item in api.get_task_list(server)
    ]


def _tasks(api: Api, params: Mapping[str, Any], mode: Mode, run_all: RunAll) -> Result:
    """Return a host for each task, and one for each server whose tasks could not be read, or nobody would see it."""
    if params["tasks"]:
        raise InputError("tasks adds the tasks to the variables of their server: it needs hosts: servers.")
    found = tasks_info.gather(api, params, mode, run_all)
    tasks, skipped = found.values["tasks"], SkippedServers(found.values["skipped_servers"])
    names = params["name"] or []
    if params["details"] and not (names and all(map(is_literal, names))):  # those have been read in full
        details = run_all(lambda task: _details(api, task), tasks)
        tasks = [task for task in details if task]
    hosts = []
    for task in tasks:
        server, name = task.pop("server"), task.pop("name")
        hosts.append(_host((server, name), task, server=server, task=name))
    for server, failure in _failures(skipped.rows).items():
        hosts.append(_host((server,), {}, failure, server=server))
    return Result(values={"hosts": hosts}, warnings=found.warnings)


def _details(api: Api, task: Json) -> Json | None:
    """Return a listed task with its details; None if it has been deleted meanwhile."""
    details = api.get_task_details(task["server"], task["name"], accept=(TASK_NOT_FOUND,))
    if not details:
        return None
    shown = snapshot_of(details).view(TaskName(task["server"], task["name"]))
    return {**task, **_without_type(details), **shown}


def _without_type(item: Json) -> Json:
    return {key: value for key, value in item.items() if key != "$type"}


def _failures(rows: list[Json]) -> dict[str, str]:
    """Return why each skipped server could not be read."""
    return {row["server"]: row["msg"] for row in rows}


def _host(names: tuple[str, ...], members: Json, failure: str | None = None, **objects: str) -> Json:
    """Return a host; ``failure`` is why its server could not be read."""
    variables = {**members, **objects, **({} if failure is None else {"error": failure})}
    return {
        "name": host_name(*names),
        "variables": {PREFIX + member: value for member, value in variables.items()},
        "is_unreachable": failure is not None,
    }
