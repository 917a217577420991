# Copyright (c) 2026, dataops.qlik_em contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The methods of tasks that the first releases had: lists, details, run, stop; and DeleteTask."""

from __future__ import annotations

import json
import re

from .. import rights, timeline, views
from ..document_servers import Server
from ..errors import ApiError, failure
from ..live import LiveServer, LiveTask
from ..timeline import ERROR, RECOVERY, RUNNING, STARTING, STOPPED, STOPPING
from ..views import Json
from .base import Abandoned, Call, Operation, flag, unset_or, wait_seconds

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
OLD_COMPOSE_RUN_OPTIONS = frozenset({"", "NONE"})  # until November 2023 (docs/enterprise_manager_api.md, 5.6)
OPTIONS_WITH_POSITION = frozenset(
    {
        "RESUME_PROCESSING_FROM_TIMESTAMP",
        "RECOVER_USING_CHECKPOINT_STORED_ON_TARGET",
        "RESUME_PROCESSING_FROM_POSITION",
    }
)
_TIMESTAMP = re.compile(r"\d{4}-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])T([01]\d|2[0-3]):[0-5]\d:[0-5]\d")


async def get_task_list(call: Call, server: LiveServer) -> Json:
    """GetTaskList."""
    call.entry.executed = True
    listed = [task for task in server.tasks.values() if task.phase.state != "NOT_EXIST"]
    if len(call.world.acls(call.route.server)) > 0:  # an ACL may hide some
        above = rights.all_tasks(call.route.server)
        listed = [task for task in listed if call.world.may(call.user, "Viewer", (*above, task.settings.name))]
    return {"taskList": [views.task_info(server.settings, task.settings, task.phase) for task in listed]}


async def get_task_details(call: Call, found: tuple[LiveServer, LiveTask]) -> Json:
    """GetTaskDetails."""
    server, task = found
    call.entry.executed = True
    with_reason = call.world.document.options.task_stop_reason
    return views.task_details(server.settings, task, with_reason)


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
    task.runs.append({"option": option, "cdcposition": position})
    task.follow(timeline.started(settings, task.timeline, task.clock(), transient_shown(call, task), task.makes_tables))
    if not server.settings.is_compose and not task.makes_tables:
        task.begin_tables(reload_all=option == "RELOAD_TARGET")
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
    """Whether STARTING and STOPPING are shown."""
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


def run_arguments(server: Server, call: Call) -> tuple[str, str | None]:
    """The run option and the position, checked. Codes for bad ones are assumptions, the status 500 is not."""
    position = run_position(call.body)
    option = unset_or(call.query, "option") or ""
    compose = COMPOSE_RUN_OPTIONS if call.world.document.variants.compose_run_option else OLD_COMPOSE_RUN_OPTIONS
    allowed = compose if server.is_compose else REPLICATE_RUN_OPTIONS
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


def _bad_run(call: Call, message: str) -> ApiError:
    return failure("AEM_RUN_TASK_INNER_ERR", message=message, task=call.route.task, server=call.route.server)


async def delete_task(call: Call, found: tuple[LiveServer, LiveTask]) -> None:
    """DeleteTask: only one that is stopped. With its logs or without makes no difference here."""
    server, task = found
    flag(call.query, "deletetasklogs")
    if task.phase.state not in (STOPPED, ERROR):
        raise call.fail("AEM_TASK_NOT_STOPPED")
    if task.settings.fail_delete is not None:
        raise call.fail("AEM_DELETE_TASK_ERR", message=task.settings.fail_delete)
    server.drop_task(task.settings.name)
    call.entry.executed = True


OPERATIONS: dict[str, Operation] = {
    "GetTaskList": Operation("Viewer", "all_tasks", get_task_list),
    "GetTaskDetails": Operation("Viewer", "task", get_task_details),
    "RunTask": Operation("Operator", "task", run_task),
    "StopTask": Operation("Operator", "task", stop_task),
    "DeleteTask": Operation("Designer", "task", delete_task, replicate_only=True),
}
