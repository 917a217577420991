# Copyright (c) 2026, dataops.qlik_em contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is private to the collection.

"""The definition of a task: present as wanted, or absent (ImportTask, DeleteTask). Read, plan, apply."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from .._client.api import Api, Json
from .._client.errors import AemError, ApiError, InputError, sentence
from .._definitions import diff as definition_diff
from .._definitions.diff import Comparison
from .._definitions.document import names_in, task_definition
from .._definitions.importing import Import, given_definition, hide_secrets, ready_to_send, warnings_about
from .._definitions.model import BODY, name
from .._definitions.sending import ABSENT
from .._run.result import Mode, Result, diff
from .model import MOVING, TaskSnapshot, check_task
from .note import read_note
from .operation import check_operation
from .preflight import ServerEndpoints, check_endpoints, version_warnings
from .replacement import Replacement
from .task_change import NOT_THERE, TaskChange

REPLACE = "replace"


class Plan(NamedTuple):
    """What is to be done: what ``found`` says of a merge or, with ``replace``, of a task that is deleted before.

    With ``force`` it is imported although nothing differs.
    """

    found: Comparison
    replace: bool = False
    force: bool = False

    @property
    def changed(self) -> bool:
        """Whether anything is to be sent."""
        return self.force or bool(self.found.changes)


def ensure(api: Api, params: Mapping[str, Any], mode: Mode) -> Result:
    """Make a task be as its definition says, or delete it.

    Raises AemError; its ``changed`` says whether this call may have changed something.
    """
    change = TaskChange(api, check_task(params), check_operation("started", params), params["stop_if_running"])
    return (_present if params["state"] == "present" else _absent)(change, params, mode)


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
    document, unused = task_definition(label, given, task.name)
    rules = hide_secrets(api, label, document, params)
    if replace and not os.path.isdir(folder):
        raise InputError(f"backup_dir ({folder}) is not a folder: the old definition could not be saved.")
    note = read_note(folder, task, api.client.address) if folder else None
    with_endpoints = bool(document[BODY].get("databases"))
    before = change.export(with_endpoints)
    always = params["update_password"] == "always"
    comparison = definition_diff.compare(label, before, document, rules, always, keep=replace)
    todo = plan(comparison, replace)._replace(force=params["force_import"])
    found = todo.found
    document = found.document
    current = change.read() if before else NOT_THERE
    owed = note is not None and note.owes_start(current, is_there=bool(before))
    listed = ServerEndpoints(api, task.server)
    warnings = warnings_about(found, always, _new_endpoints(listed, found, before))
    if unused:
        warnings.append(
            f"These endpoints of the definition are left out, as the task does not use them: {', '.join(unused)}."
        )
    if note:
        warnings.append(
            f"The run of {note.since} that was replacing the {task.subject} did not finish. This run continues it."
        )
    if todo.changed:
        if names_in(given, "tasks") != [task.name]:
            warnings.append(
                f'The definition belongs to the task "{names_in(given, "tasks")[0]}"; it is imported as the task in '
                "name."
            )
        warnings += _check(change, todo, current, document, before, listed, mode.check)
    values: dict[str, Any] = {"not_removed": [name(where) for where in found.remaining]}
    shown = definition_diff.diff(found.changes, str(task), rules)
    if todo.force and not found.changes:
        shown = definition_diff.forced(shown)
    if owed and before:
        shown["before"]["state"], shown["after"]["state"] = current.state, "RUNNING"
    if (todo.changed or note) and not mode.check:
        document = ready_to_send(api, task.server, document) if todo.changed else document
        sending = Import(
            api,
            params,
            lambda: definition_diff.leaves(change.export(with_endpoints)),
            found.wanted,
            is_visible=bool(found.changes),
        )
        replacement = Replacement(change, params, note, before, document, sending)

        def merge(now: TaskSnapshot = current) -> TaskSnapshot:
            return _merge(change, now, sending, document, warnings, owed)

        try:
            current = _apply(replacement, todo, owed, listed, merge) if todo.replace or note else merge()
        except AemError as error:
            error.warnings += warnings + replacement.warnings
            raise
        warnings += replacement.warnings
        if todo.replace:
            values["backup_file"] = replacement.backup_file
    values["task"] = current.view(task)
    return Result(todo.changed or owed, values, shown, warnings)


def _new_endpoints(listed: ServerEndpoints, found: Comparison, before: Json) -> set[str]:
    """Return the endpoints of which secrets are redacted and that are new. An export of a task has only its own."""
    redacted = {where[1] for where in found.redacted if where[0] == "databases"}
    redacted -= set(names_in(before, "databases") if before else [])
    there = listed.names() if redacted else set()
    return set() if there is None else redacted - there


def _check(
    change: TaskChange,
    todo: Plan,
    current: TaskSnapshot,
    document: Json,
    before: Json,
    listed: ServerEndpoints,
    check_mode: bool,
) -> list[str]:
    """Raise AemError for what can be known to fail before anything is stopped or sent. Return warnings."""
    is_touched = todo.replace or current.state in MOVING
    if is_touched:
        change.check_stop(current, "changed")
    warnings = version_warnings(change.task, document, before) if todo.replace else []
    if is_touched or check_mode:  # else there is nothing to lose, and the server's answer comes as soon
        warnings += check_endpoints(change.task, document, before, listed)
    return warnings


def plan(found: Comparison, replace: bool) -> Plan:
    """Return what leads from the definition that is there (if one is) to the wanted one.

    A replacement removes what belongs to the task; endpoints are merged in any case.
    """
    current, changes, remaining = found.current, dict(found.changes), found.remaining
    if not replace or not current:
        return Plan(found)
    for item in [where for where in remaining if where[0] == "tasks"]:
        removed = {where: (value, ABSENT) for where, value in current.items() if where[: len(item)] == item}
        changes.update(removed)
    remaining = [where for where in remaining if where[0] != "tasks"]
    is_replaced = any(where[0] == "tasks" for where in changes)
    return Plan(found._replace(changes=changes, remaining=remaining), is_replaced)


def _apply(
    replacement: Replacement, todo: Plan, owed: bool, listed: ServerEndpoints, merge: Callable[[], TaskSnapshot]
) -> TaskSnapshot:
    """Replace the task, or end the replacement that was killed. Return the task as it is then."""
    with replacement.alone():
        if todo.replace:
            return replacement.replace(owed, listed)
        if replacement.lacks_task:
            return replacement.import_again()
        is_started = todo.changed and merge().is_active
        return replacement.end(start=owed and not is_started)


def _merge(
    change: TaskChange, current: TaskSnapshot, sending: Import, document: Json, warnings: list[str], owed: bool
) -> TaskSnapshot:
    """Import into the task that is there, if any; one that was active, or is ``owed`` a start, is started again.

    Return the task as it is then.
    """
    task = change.task
    was_active = owed or current.is_active
    stopped = change.stop(current) or owed
    try:
        warnings += sending.send(document, task.subject, lambda whole: change.api.import_task(*task, whole))
    except AemError as error:
        if stopped and was_active and isinstance(error, ApiError) and not error.changed:
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
        end = "The task is running again, with its old definition."
    except AemError as error:
        end = f"The task was stopped, and could not be started again: {error}"
    refusal.message = f"{sentence(refusal.message)} {end}"
