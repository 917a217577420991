# Copyright (c) 2026, dataops.qlik_em contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is private to the collection.

"""The definition of a task: present as wanted, or absent (ImportTask, DeleteTask). Read, plan, apply."""

from __future__ import annotations

import os
import time
from collections.abc import Mapping
from typing import Any, NamedTuple
from urllib.parse import quote

from .._client.api import Api, Json
from .._client.error_codes import advice_on
from .._client.errors import AemError, ApiError, InputError
from .._common.files import write_atomically
from .._common.lost_answers import confirm_lost_write
from .._definitions import diff as definition_diff
from .._definitions.diff import ABSENT, Change, Leaves, Where
from .._definitions.document import BODY, names_in, redacted_names, stable_text, task_definition
from .._definitions.importing import Import, given_definition, ready_to_send, warnings_about
from .._run.result import Mode, Result, diff
from .control import Control
from .model import ACTIVE, MOVING, STARTING, TASK_NOT_FOUND, TaskName, TaskSnapshot, check_task, snapshot_of
from .operation import Operation, check_operation

NOT_STOPPED = "AEM_TASK_NOT_STOPPED"
# The API's word for it, in one generation of the SDK (docs/enterprise_manager_api.md, 8.2).
NOT_THERE = TaskSnapshot("NOT_EXIST")
REPLACE = "replace"


class Plan(NamedTuple):
    """What is to be done. ``changes`` is what the diff shows, ``remaining`` what stays although it is not wanted."""

    changes: dict[Where, Change]
    remaining: list[Where]
    replace: bool = False  # delete the task before the import

    @property
    def changed(self) -> bool:
        """Whether anything is to be sent."""
        return bool(self.changes)


def ensure(api: Api, params: Mapping[str, Any], mode: Mode) -> Result:
    """Make a task be as its definition says, or delete it.

    Raises AemError; its ``changed`` says whether this call may have changed something.
    """
    change = TaskChange(api, check_task(params), check_operation("started", params), params["stop_if_running"])
    return (_present if params["state"] == "present" else _absent)(change, params, mode)


class TaskChange:
    """Stopping, deleting and starting one task around a change of its definition.

    ``operation`` is how it is started again, ``may_stop`` whether a task that runs may be stopped.
    """

    def __init__(self, api: Api, task: TaskName, operation: Operation, may_stop: bool) -> None:
        self.api, self.task, self._may_stop = api, task, may_stop
        self._stopping = Control(api, task, operation._replace(state="stopped", wait=True))
        self._starting = Control(api, task, operation)

    def read(self) -> TaskSnapshot:
        """Return the task as it is, NOT_THERE if there is none."""
        details = self.api.get_task_details(*self.task, accept=(TASK_NOT_FOUND,))
        return snapshot_of(details) if details else NOT_THERE

    def export(self, with_endpoints: bool) -> Json:
        """Return the definition that is there; empty if there is no task."""
        return self.api.export_task(*self.task, with_endpoints, accept=(TASK_NOT_FOUND,))

    def check_stop(self, current: TaskSnapshot, change: str) -> None:
        """Raise AemError for a task that has to be stopped first, and may not be.

        Of states that are not known the server decides.
        """
        if current.state in MOVING and not self._may_stop:
            raise AemError(
                f"The {self.task.subject} is {current.state}: it must be stopped before it can be {change}.",
                advice_on(NOT_STOPPED).remedy,
                task=current.view(self.task),
            )

    def stop(self, current: TaskSnapshot) -> bool:
        """Stop the task if it runs; return whether it was stopped."""
        return self._stopping.stop().changed if current.state in MOVING else False

    def start(self) -> TaskSnapshot:
        """Start the task."""
        return self._starting.run(self.read()).snapshot

    def delete(self, with_logs: bool) -> bool:
        """Delete the task; return whether there was one."""
        code = ""  # if the answer is lost and the task is not there any more
        with confirm_lost_write(lambda: self.read() is NOT_THERE):
            code = self.api.delete_task(*self.task, with_logs, accept=(TASK_NOT_FOUND,)).error_code
        return not code

    def note_stop(self, error: AemError) -> None:
        """Say in a failure that the task was stopped before."""
        error.changed = True
        error.message = f"The {self.task.subject} was stopped, and stays so. {error.message}"


def _absent(change: TaskChange, params: Mapping[str, Any], mode: Mode) -> Result:
    current = change.read()
    is_there = current is not NOT_THERE
    if is_there:
        change.check_stop(current, "deleted")
    before = {"state": "present"} if is_there else {}
    if is_there and not mode.check:
        stopped = change.stop(current)
        try:
            is_there = change.delete(params["delete_task_logs"])
        except AemError as error:
            if stopped:
                change.note_stop(error)
            raise
        is_there, current = is_there or stopped, NOT_THERE
    return Result(is_there, {"task": current.view(change.task)}, diff(before, {}, str(change.task)))


def _present(change: TaskChange, params: Mapping[str, Any], mode: Mode) -> Result:
    api, task = change.api, change.task
    replace, folder = params["import_mode"] == REPLACE, params["backup_dir"]
    if replace and not params["force"]:
        raise InputError("import_mode: replace deletes the task before it imports it: it needs force: true.")
    label, given = given_definition(api, params)
    document = task_definition(label, given, task.name)
    if replace and not os.path.isdir(folder):
        raise InputError(f"backup_dir ({folder}) is not a folder: the old definition would have no place.")
    with_endpoints = bool(document[BODY].get("databases"))
    before = change.export(with_endpoints)
    wanted = definition_diff.comparable(document)
    todo = plan(definition_diff.leaves(before), wanted, replace)
    current = change.read() if before else NOT_THERE
    warnings = warnings_about(todo.remaining, _without_secrets(api, task.server, document, before))
    if todo.changed and names_in(given, "tasks") != [task.name]:
        warnings.append(
            f'The definition is one of the task "{names_in(given, "tasks")[0]}"; name is another, and wins.'
        )
    values: dict[str, Any] = {"not_removed": [definition_diff.name(where) for where in todo.remaining]}
    if todo.changed:
        if todo.replace or current.state in MOVING:
            change.check_stop(current, "changed")
        if not mode.check:
            document = ready_to_send(api, task.server, document)
            sending = Import(api, params, lambda: definition_diff.leaves(change.export(with_endpoints)), wanted)
            backup = _back_up(before, folder, task) if todo.replace else None
            if backup:
                values["backup_file"] = backup
            try:
                current = _apply(change, todo, current, sending, document, warnings)
            except AemError as error:
                if backup:
                    error.message += f" The old definition is kept in {backup}."
                    error.facts["backup_file"] = backup
                raise
    values["task"] = current.view(task)
    return Result(todo.changed, values, definition_diff.diff(todo.changes, str(task)), warnings)


def _without_secrets(api: Api, server: str, document: Json, before: Json) -> set[str]:
    """Return the new endpoints that come without their secrets. An export of a task has only those that it uses."""
    redacted = redacted_names(document) - set(names_in(before, "databases") if before else [])
    return redacted - {str(item.get("name")) for item in api.get_endpoint_list(server)} if redacted else redacted


def plan(current: Leaves, wanted: Leaves, replace: bool) -> Plan:
    """Return what leads from the ``current`` definition (empty: no task) to the ``wanted`` one.

    A replacement removes what belongs to the task; endpoints are merged in any case.
    """
    changes = definition_diff.changes(current, wanted)
    remaining = definition_diff.leftovers(current, wanted)
    if not replace or not current:
        return Plan(changes, remaining)
    for item in [where for where in remaining if where[0] == "tasks"]:
        removed = {where: (value, ABSENT) for where, value in current.items() if where[: len(item)] == item}
        changes.update(removed)
    remaining = [where for where in remaining if where[0] != "tasks"]
    return Plan(changes, remaining, replace=any(where[0] == "tasks" for where in changes))


def _apply(
    change: TaskChange, todo: Plan, current: TaskSnapshot, sending: Import, document: Json, warnings: list[str]
) -> TaskSnapshot:
    """Send what is planned; a task that was active is started again. Return the task as it is then."""
    task = change.task
    was_active = current.state in (*ACTIVE, STARTING)
    stopped = change.stop(current)
    deleted = False
    try:
        if todo.replace:
            deleted = change.delete(with_logs=False)
        warnings += sending.send(document, task.subject, lambda whole: change.api.import_task(*task, whole))
    except AemError as error:
        error.changed = error.changed or deleted
        if deleted:
            error.message = f"The {task.subject} was deleted, but not imported again. {error.message}"
        elif stopped and was_active and isinstance(error, ApiError) and not error.changed:
            _start_after_refusal(change, error)
        elif stopped:
            change.note_stop(error)
        raise
    if not was_active:
        return change.read()
    try:
        return change.start()
    except AemError as error:
        error.changed = True
        error.message = f"The {task.subject} has its new definition, but was not started again. {error.message}"
        raise


def _start_after_refusal(change: TaskChange, refusal: ApiError) -> None:
    """Start a task again whose definition was refused: it is the old one, and it was running."""
    refusal.changed = True
    try:
        change.start()
        refusal.message += " The task runs again, with its old definition."
    except AemError as error:
        refusal.message += f" The task was stopped, and could not be started again: {error}"


def _back_up(before: Json, folder: str, task: TaskName) -> str:
    """Write the old definition into a file of its own and return its path. Raises InputError."""
    stamp = time.strftime("%Y-%m-%d@%H%M%S")
    stem = f"{quote(task.server, safe=' ')}__{quote(task.name, safe=' ')}__{stamp}"
    path, number = os.path.join(folder, f"{stem}.json"), 1
    while os.path.exists(path):
        number += 1
        path = os.path.join(folder, f"{stem}_{number}.json")
    write_atomically("backup_dir", path, stable_text(before, task.name))
    return path
