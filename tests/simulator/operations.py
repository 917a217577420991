# Copyright (c) 2026, dataops.qlik_em contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The methods of the API: who may call them, what they check, what they do.

Every method is a function of one `Call`. The request's entry in the record is marked as executed at the moment the work
is done, so that the record can tell a refused write from one that happened.
"""

from __future__ import annotations

import json
import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from . import rights, timeline, views
from .document import Server, User
from .errors import ApiError, failure
from .record import Entry
from .routing import Route
from .timeline import ERROR, RECOVERY, RUNNING, STARTING, STOPPED, STOPPING
from .views import Json
from .world import LiveServer, LiveTask, World

DEFAULT_TIMEOUT = 60.0  # seconds; the REST guide's default for RunTask and StopTask

REPLICATE_RUN_OPTIONS = frozenset(
    {
        "RESUME_PROCESSING",
        "RELOAD_TARGET",
        "RESUME_PROCESSING_FROM_TIMESTAMP",
        "METADATA_ONLY_RECREATE_ALL_TABLES",
        "METADATA_ONLY_CREATE_MISSING_TABLES",
        "RECOVER_USING_LOCALLY_STORED_CHECKPOINT",
        "RECOVER_USING_CHECKPOINT_STORED_ON_TARGET",
        "RESUME_PROCESSING_FROM_POSITION",
    }
)
COMPOSE_RUN_OPTIONS = frozenset({"", "NONE", "RESUME_PROCESSING"})
OPTIONS_WITH_POSITION = frozenset(
    {
        "RESUME_PROCESSING_FROM_TIMESTAMP",
        "RECOVER_USING_CHECKPOINT_STORED_ON_TARGET",
        "RESUME_PROCESSING_FROM_POSITION",
    }
)
_TIMESTAMP = re.compile(r"\d{4}-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])T([01]\d|2[0-3]):[0-5]\d:[0-5]\d")


class Abandoned(Exception):
    """There is nobody to answer, or nothing true left to say: the client left, or the world was reset meanwhile."""


@dataclass
class Call:
    """One request on its way through a method."""

    world: World
    route: Route
    query: dict[str, str]
    body: bytes
    user: User
    entry: Entry  # `entry.executed` is set when the work is done


@dataclass(frozen=True)
class Operation:
    """A method: the role it asks for [doc], on what, whether the server must be up, and the work."""

    role: str
    on: str  # "all_servers", "server", "all_tasks" or "task"
    work: Callable[[Call, Any], Awaitable[Json]]
    needs_live_server: bool = True


async def perform(operation: Operation, call: Call) -> Json:
    """Check in the order below, then do the work.

    The order is an assumption; its sense: what holds for the whole installation comes first, and each step only tells
    what the steps before allow to tell. Enterprise Manager must know the server before it can know the caller's rights
    on it, and it tells a stranger nothing of the server's state. Only a connected server can say whether a task
    exists. (The session is checked before all this, by the caller.)
    """
    world, route = call.world, call.route
    if not world.document.options.license_registered:
        is_admin = rights.holds(call.user.grants, "Admin", rights.ROOT)
        raise failure("LICENSE_NOT_FOUND" if is_admin else "LICENSE_NOT_FOUND_CONTACT_ADMIN")
    server = world.servers.get(route.server)
    if server is None and operation.on != "all_servers":
        raise failure("AEM_SERVER_NOT_FOUND", server=route.server)
    if not rights.holds(call.user.grants, operation.role, _scope(operation.on, route)):
        raise failure("UNAUTHORIZED_REQUEST")
    if server is None:
        return await operation.work(call, None)
    if operation.needs_live_server:
        refuse_dead_server(server.settings)
    if operation.on != "task":
        return await operation.work(call, server)
    task = server.tasks.get(route.task)
    if task is None or task.phase.state == "NOT_EXIST":
        raise failure("AEM_TASK_NOT_FOUND", task=route.task, server=route.server)
    return await operation.work(call, (server, task))


def refuse_dead_server(server: Server) -> None:
    """Raise if Enterprise Manager cannot work with the server."""
    if server.state == "NOT_MONITORED":
        raise failure("AEM_SERVER_NOT_MONITORED", server=server.name)
    if server.state == "ERROR":
        raise failure("AEM_SERVER_NOT_CONNECTED", server=server.name, message=server.message)
    license_state = server.license.get("state", "VALID_LICENSE")
    if license_state == "EXPIRED_LICENSE":
        raise failure("AEM_SERVER_LICENSE_EXPIRED", server=server.name)
    if license_state != "VALID_LICENSE":
        raise failure("AEM_SERVER_INVALID_LICENSE", server=server.name)


def _scope(on: str, route: Route) -> tuple[str, ...]:
    return {
        "all_servers": rights.ALL_SERVERS,
        "server": ("servers", route.server),
        "all_tasks": rights.all_tasks(route.server),
        "task": (*rights.all_tasks(route.server), route.task),
    }[on]


async def get_server_list(call: Call, _nothing: None) -> Json:
    """GetServerList."""
    call.entry.executed = True
    return {"serverList": [views.server_info(server.settings) for server in call.world.servers.values()]}


async def get_server_details(call: Call, server: LiveServer) -> Json:
    """GetServerDetails, which answers in every state of the server."""
    call.entry.executed = True
    phases = [task.phase for task in server.tasks.values()]
    memory = sum(task.memory_mb for task in server.tasks.values())
    key = call.world.document.options.server_details_key
    return {key: views.server_details(server.settings, phases, memory)}


async def get_task_list(call: Call, server: LiveServer) -> Json:
    """GetTaskList."""
    call.entry.executed = True
    listed = [task for task in server.tasks.values() if task.phase.state != "NOT_EXIST"]
    return {"taskList": [views.task_info(server.settings, task.settings, task.phase) for task in listed]}


async def get_task_details(call: Call, found: tuple[LiveServer, LiveTask]) -> Json:
    """GetTaskDetails."""
    server, task = found
    call.entry.executed = True
    with_reason = call.world.document.options.task_stop_reason
    return views.task_details(server.settings, task.settings, task.phase, task.memory_mb, with_reason)


async def stop_task(call: Call, found: tuple[LiveServer, LiveTask]) -> Json:
    """StopTask: begin the stop, then wait for its end or the timeout; after a timeout the stop goes on.

    A stop that arrives while the task is STOPPING joins the stop under way: it waits like the first one but does
    nothing (assumption). A stop during STARTING takes back the start.
    """
    task, names = found[1], {"task": call.route.task, "server": call.route.server}
    timeout = wait_seconds(call.query)
    settings, state = task.settings, task.phase.state
    if state in (STOPPED, ERROR):  # a task in ERROR is stopped, by a fatal error
        raise failure("AEM_TASK_ALREADY_STOPPED", **names)
    if settings.fail_stop is not None:
        raise failure("AEM_STOP_TASK_INNER_ERR", message=settings.fail_stop, **names)
    if state != STOPPING:
        task.follow(timeline.stopped(settings, task.timeline, task.clock(), transient_shown(call, task)))
        task.stops += 1
        call.entry.executed = True
    if settings.answer_before_done:
        return answer(task, settings.stop_answer)
    if not await left_state(call, task, STOPPING, timeout):
        raise failure("AEM_STOP_TASK_TIMEOUT", **names)
    return answer(task, settings.stop_answer)


async def run_task(call: Call, found: tuple[LiveServer, LiveTask]) -> Json:
    """RunTask: begin the start, then wait until the task runs or the timeout; after a timeout the start goes on.

    A task that is STARTING, STOPPING, RUNNING, in RECOVERY or PAUSED is not stopped, so it cannot be run (assumption
    for all but RUNNING). A start that a stop takes back is an error for the waiting run.
    """
    server, task = found
    names = {"task": call.route.task, "server": call.route.server}
    timeout = wait_seconds(call.query)
    option, position = run_arguments(server.settings, call)
    settings = task.settings
    if task.phase.state not in (STOPPED, ERROR):
        raise failure("AEM_TASK_ALREADY_RUNNING", **names)
    if settings.fail_start is not None:
        raise failure("AEM_RUN_TASK_INNER_ERR", message=settings.fail_start, **names)
    task.follow(timeline.started(settings, task.timeline, task.clock(), transient_shown(call, task)))
    task.runs.append({"option": option, "cdcposition": position})
    mine = task.actions
    call.entry.executed = True
    if settings.answer_before_done:
        return answer(task, settings.run_answer)
    if not await left_state(call, task, STARTING, timeout):
        raise failure("AEM_RUN_TASK_TIMEOUT", **names)
    if task.actions != mine and task.phase.state not in (RUNNING, RECOVERY):
        raise failure("AEM_RUN_TASK_INNER_ERR", message="The task was stopped while it was starting.", **names)
    return answer(task, settings.run_answer)


def transient_shown(call: Call, task: LiveTask) -> bool:
    """Whether STARTING and STOPPING are to be seen."""
    return task.settings.show_transient and call.world.document.options.show_transient


def answer(task: LiveTask, override: dict[str, str] | None) -> Json:
    """The answer of RunTask and StopTask. A task that went into ERROR says why (assumption)."""
    phase = task.phase
    plain = {"state": phase.shown, "error_message": phase.message if phase.state == ERROR else ""}
    return {**plain, **(override or {})}


async def left_state(call: Call, task: LiveTask, state: str, timeout: float) -> bool:
    """Wait until the task is no longer in `state`; False after `timeout` seconds."""
    deadline = task.clock() + timeout
    while task.phase.state == state:
        if task.clock() >= deadline:
            return False
        await task.next_change(deadline)
        if call.world.over:
            raise Abandoned
    return True


def wait_seconds(query: dict[str, str]) -> float:
    """The `timeout` parameter. Some SDK builds send the text None for what is not set."""
    given = unset_or(query, "timeout")
    if given is None:
        return DEFAULT_TIMEOUT
    if not re.fullmatch(r"[0-9]{1,9}", given):
        # Assumption (notes 3): 500 with a JSON error; the code is the nearest known one.
        raise failure("DESERIALIZE_TO_TYPE", type="Int32", message=given)
    return float(given)


def run_arguments(server: Server, call: Call) -> tuple[str, str | None]:
    """The run option and the position, checked. Codes for bad ones are assumptions, the status 500 is not."""
    position = run_position(call.body)
    option = unset_or(call.query, "option") or ""
    allowed = COMPOSE_RUN_OPTIONS if server.is_compose else REPLICATE_RUN_OPTIONS
    if option not in allowed:
        raise _bad_run(call, f"The run option {option} is not valid." if option else "The run option is missing.")
    if option in OPTIONS_WITH_POSITION:
        if not position:
            raise _bad_run(call, f"The run option {option} needs a cdcposition.")
        if option == "RESUME_PROCESSING_FROM_TIMESTAMP" and not _TIMESTAMP.fullmatch(position):
            raise failure("AEM_INVALID_TIMESTAMP_FORMAT", message=position)
    return option, position


def run_position(body: bytes) -> str | None:
    """`cdcposition` of the body. The SDKs always send one, with null and a harmless $type."""
    if not body:
        return None
    try:
        document = json.loads(body)
    except ValueError as error:
        raise failure("DESERIALIZE_TO_TYPE", type="AemRunTaskReq", message=str(error)) from error
    position = document.get("cdcposition") if isinstance(document, dict) else document
    if not isinstance(document, dict) or not isinstance(position, (str, type(None))):
        raise failure("DESERIALIZE_TO_TYPE", type="AemRunTaskReq", message="unexpected value")
    return position


def unset_or(query: dict[str, str], key: str) -> str | None:
    """A query parameter; empty or the text None means that it is not set."""
    value = query.get(key, "")
    return None if value in ("", "None") else value


def _bad_run(call: Call, message: str) -> ApiError:
    return failure("AEM_RUN_TASK_INNER_ERR", message=message, task=call.route.task, server=call.route.server)


OPERATIONS: dict[str, Operation] = {
    "GetServerList": Operation("Viewer", "all_servers", get_server_list),
    "GetServerDetails": Operation("Viewer", "server", get_server_details, needs_live_server=False),
    "GetTaskList": Operation("Viewer", "all_tasks", get_task_list),
    "GetTaskDetails": Operation("Viewer", "task", get_task_details),
    "RunTask": Operation("Operator", "task", run_task),
    "StopTask": Operation("Operator", "task", stop_task),
}
