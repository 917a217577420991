# Copyright (c) 2026, dataops.qlik_em contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is private to the collection.

"""The definition of a task: there as wanted, or gone (ImportTask, DeleteTask). Read, plan, apply."""

from __future__ import annotations

import os
import time
from collections.abc import Mapping
from typing import Any, NamedTuple
from urllib.parse import quote

from .._client.api import Api
from .._client.checks import check_seconds
from .._client.errors import AemError, ApiError, InputError, advice_on
from .._common.files import write_atomically
from .._common.lost_answers import settled
from .._definitions import diff as difference
from .._definitions.diff import ABSENT, Change, Leaves, Where
from .._definitions.document import BODY, Tree, names_in, redacted_names, stable_text, task_definition
from .._definitions.importing import Import, given_definition, notes_on, ready_to_send
from .._run.result import Mode, Result
from . import state as _task
from .control import run, stop
from .model import ACTIVE, STARTING, STOPPING, TASK_NOT_FOUND, Options, Seen, seen_in

NOT_STOPPED = "AEM_TASK_NOT_STOPPED"
NOT_THERE = Seen("NOT_EXIST")  # the API's word for it, in one generation of the SDK (notes, 8)
MOVING = (*ACTIVE, STARTING, STOPPING)
REPLACE = "replace"


class Plan(NamedTuple):
    """What is to be done. ``changes`` is what the diff shows, ``kept`` what stays although it is not wanted."""

    changes: dict[Where, Change]
    kept: list[Where]
    replace: bool = False  # delete the task before the import

    @property
    def changed(self) -> bool:
        """Whether anything is to be sent."""
        return bool(self.changes)


def ensure(api: Api, params: Mapping[str, Any], mode: Mode) -> Result:
    """Make a task be as its definition says, or be gone.

    Raises AemError; its ``changed`` says whether this call may have changed something.
    """
    begin = time.monotonic()
    options = _task.check_options({**params, "state": "started"})
    bring = _present if params["state"] == "present" else _absent
    result = bring(api, params, options, mode)
    result.values["elapsed"] = round(time.monotonic() - begin, 2)
    return result


# Absent


def _absent(api: Api, params: Mapping[str, Any], options: Options, mode: Mode) -> Result:
    seen = _read(api, options)
    there = seen is not NOT_THERE
    if there:
        _refuse_moving(options, seen, params["stop_if_running"], "deleted")
    header = f"{options.server}/{options.name}"
    headers = {"before_header": header, "after_header": header}
    diff = {"before": {"state": "present"} if there else {}, "after": {}, **headers}
    if there and not mode.check:
        stopped = _stop(api, options) if seen.state in MOVING else False
        try:
            there = _delete(api, options, params["delete_task_logs"])
        except AemError as error:
            _after_stop(error, options, stopped)
            raise
        there, seen = there or stopped, NOT_THERE
    return Result(there, {"task": seen.view(options.server, options.name)}, diff if mode.check or mode.diff else None)


def _delete(api: Api, options: Options, with_logs: bool) -> bool:
    """Delete the task; return whether there was one."""
    code = ""  # if the answer is lost and the task gone
    with settled(lambda: _read(api, options) is NOT_THERE):
        code = api.delete_task(options.server, options.name, with_logs, accept=(TASK_NOT_FOUND,)).error_code
    return not code


# Present


def _present(api: Api, params: Mapping[str, Any], options: Options, mode: Mode) -> Result:
    replace, folder = params["import_mode"] == REPLACE, params["backup_dir"]
    if replace and not params["force"]:
        raise InputError("import_mode: replace deletes the task before it imports it: it needs force: true.")
    check_seconds("wait_timeout", params["wait_timeout"])
    label, given = given_definition(api, params)
    document = task_definition(label, given, options.name)
    if replace and not os.path.isdir(folder):
        raise InputError(f"backup_dir ({folder}) is no folder: the old definition would have no place.")
    with_endpoints = bool(document[BODY].get("databases"))

    def export() -> Tree:
        return api.export_task(options.server, options.name, with_endpoints, accept=(TASK_NOT_FOUND,))

    current = export()
    wanted = difference.comparable(document)
    todo = plan(difference.leaves(current), wanted, replace)
    seen = _read(api, options) if current else NOT_THERE
    diff = difference.diff(todo.changes, f"{options.server}/{options.name}") if mode.check or mode.diff else None
    notes = notes_on(todo.kept, _bare(api, options.server, document, current))
    if todo.changed and names_in(given, "tasks") != [options.name]:
        notes.append(f'The definition is one of the task "{names_in(given, "tasks")[0]}"; name is another, and wins.')
    values: dict[str, Any] = {"not_removed": [difference.name(where) for where in todo.kept]}
    if todo.changed:
        if todo.replace or seen.state in MOVING:
            _refuse_moving(options, seen, params["stop_if_running"], "changed")
        if not mode.check:
            document = ready_to_send(api, options.server, document)
            order = Import(api, params, lambda: difference.leaves(export()), wanted)
            kept_file = _keep(current, folder, options) if todo.replace else None
            if kept_file:
                values["backup_file"] = kept_file
            try:
                seen = _apply(api, options, todo, seen, order, document, notes)
            except AemError as error:
                if kept_file:
                    error.message += f" The old definition is kept in {kept_file}."
                    error.facts["backup_file"] = kept_file
                raise
    values["task"] = seen.view(options.server, options.name)
    return Result(todo.changed, values, diff, notes)


def _bare(api: Api, server: str, document: Tree, current: Tree) -> set[str]:
    """Return the new endpoints that come without their secrets. An export of a task shows only those that it uses."""
    bare = redacted_names(document) - set(names_in(current, "databases") if current else [])
    return bare - {str(item.get("name")) for item in api.get_endpoint_list(server)} if bare else bare


def plan(current: Leaves, wanted: Leaves, replace: bool) -> Plan:
    """Return what leads from the ``current`` definition (empty: no task) to the ``wanted`` one.

    A replacement removes what belongs to the task; endpoints are merged in any case.
    """
    changes = difference.changes(current, wanted)
    kept = difference.leftovers(current, wanted)
    if not replace or not current:
        return Plan(changes, kept)
    for item in [where for where in kept if where[0] == "tasks"]:
        gone = {where: (value, ABSENT) for where, value in current.items() if where[: len(item)] == item}
        changes.update(gone)
    kept = [where for where in kept if where[0] != "tasks"]
    return Plan(changes, kept, replace=any(where[0] == "tasks" for where in changes))


def _apply(api: Api, options: Options, todo: Plan, seen: Seen, order: Import, document: Tree, notes: list[str]) -> Seen:
    """Send what is planned; a task that was active is started again. Return the task as it is then."""
    was_active = seen.state in (*ACTIVE, STARTING)
    stopped = _stop(api, options) if seen.state in MOVING else False
    deleted = False
    try:
        if todo.replace:
            deleted = _delete(api, options, with_logs=False)
        notes += order.send(
            document, options.subject, lambda whole: api.import_task(options.server, options.name, whole)
        )
    except AemError as error:
        error.changed = error.changed or deleted
        if deleted:
            error.message = f"The {options.subject} was deleted, but not imported again. {error.message}"
        elif stopped and was_active and isinstance(error, ApiError) and not error.changed:
            _start_after_refusal(api, options, error)
        else:
            _after_stop(error, options, stopped)
        raise
    after = _read(api, options)
    if not was_active:
        return after
    try:
        return run(api, options, after).seen
    except AemError as error:
        error.changed = True
        error.message = f"The {options.subject} has its new definition, but was not started again. {error.message}"
        raise


def _start_after_refusal(api: Api, options: Options, refusal: ApiError) -> None:
    """Start a task again whose definition was refused: it is the old one, and it was running."""
    refusal.changed = True
    try:
        run(api, options, _read(api, options))
        refusal.message += " The task runs again, with its old definition."
    except AemError as error:
        refusal.message += f" The task was stopped, and could not be started again: {error}"


def _stop(api: Api, options: Options) -> bool:
    return stop(api, options._replace(state="stopped", wait=True)).changed


def _after_stop(error: AemError, options: Options, stopped: bool) -> None:
    """Say in a failure that the task was stopped before."""
    if stopped:
        error.changed = True
        error.message = f"The {options.subject} was stopped, and stays so. {error.message}"


def _read(api: Api, options: Options) -> Seen:
    """Return the task as it is, NOT_THERE if there is none."""
    details = api.get_task_details(options.server, options.name, accept=(TASK_NOT_FOUND,))
    return seen_in(details) if details else NOT_THERE


def _refuse_moving(options: Options, seen: Seen, may_stop: bool, what: str) -> None:
    """Raise AemError for a task that has to be stopped first, and may not be.

    Of states that are not known the server decides.
    """
    if seen.state in MOVING and not may_stop:
        raise AemError(
            f"The {options.subject} is {seen.state}: it must be stopped before it can be {what}.",
            advice_on(NOT_STOPPED).remedy,
            task=seen.view(options.server, options.name),
        )


def _keep(current: Tree, folder: str, options: Options) -> str:
    """Write the old definition into a file of its own and return its path. Raises InputError."""
    stamp = time.strftime("%Y-%m-%d@%H%M%S")
    stem = f"{quote(options.server, safe=' ')}__{quote(options.name, safe=' ')}__{stamp}"
    path, number = os.path.join(folder, f"{stem}.json"), 1
    while os.path.exists(path):
        number += 1
        path = os.path.join(folder, f"{stem}_{number}.json")
    write_atomically("backup_dir", path, stable_text(current, options.name))
    return path
