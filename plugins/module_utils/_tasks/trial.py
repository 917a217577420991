# Copyright (c) 2026, dataops.qlik_em contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is private to the collection.

"""A definition tried under a temporary name: imported, read back, deleted (docs/enterprise_manager_api.md, 9.18).

No other task and no endpoint that is there notices.
"""

from __future__ import annotations

import contextlib
import hashlib
from collections.abc import Collection, Mapping
from typing import Any

from .._client.api import DEFINITION, Api, Json
from .._client.errors import AemError, ApiError, WaitError
from .._common.wait import TimedOut, check_waiting, wait_until
from .._definitions import diff as definition_diff
from .._definitions.document import name_of, task_definition
from .._definitions.importing import Import
from .model import TASK_NOT_FOUND, TaskName
from .temporary import LATE, PREFIX, Leftover, clean_up, delete_task, did_nothing, new_name, report_left_behind

REMEDY = "to be deleted by the next run or by hand"


class Trial:
    """A trial of the definition of ``task``, with those endpoints of it that are ``new`` on the server.

    An endpoint that is there is used as it is: other tasks use it, too.
    """

    def __init__(
        self, api: Api, params: Mapping[str, Any], task: TaskName, document: Json, new: Collection[str]
    ) -> None:
        self._api, self._params, self._new = api, params, sorted(new)
        self._waiting = check_waiting(params)
        self._task = TaskName(task.server, new_name(_kind(task)))
        self._document, _unused = task_definition("definition", document, self._task.name)
        content = self._document[DEFINITION]
        content["databases"] = [item for item in content.get("databases") or [] if name_of("databases", item) in new]
        self._is_begun = self._is_accepted = False  # whether the server may have begun, and whether it said so

    def run(self) -> list[str]:
        """Import the definition, read it back and delete the task; new endpoints stay. Return warnings.

        Raises AemError; then the endpoints are deleted, too. What could not be removed is in its ``left_behind``.
        """
        wanted = definition_diff.leaves(self._document)
        warnings: list[str] = []
        try:
            Import(self._api, self._params, self._read, wanted).send(self._document, self._task.subject, self._send)
        except BaseException as failure:
            if not self._is_accepted or not isinstance(failure, ApiError) or not failure.is_refusal:
                with self._api.client.interrupt.deferred():
                    self._take_back(failure)
                raise
            warnings.append(f"The trial import was accepted, but could not be read back: {failure.message}")
            with self._api.client.interrupt.deferred():
                self._await_task()
        with self._api.client.interrupt.deferred():
            left = clean_up(self._api, self._task.server, self._task.name, (), self._waiting.sleep)
            if left:
                error = AemError(
                    "The trial of the definition succeeded, but its temporary objects could not be deleted."
                )
                left += [Leftover("endpoint", name, "that task uses it") for name in self._new]
                self._report(error, left)
                raise error
        return warnings

    def _read(self) -> definition_diff.Leaves:
        export = self._api.export_task(*self._task, with_endpoints=bool(self._new), accept=(TASK_NOT_FOUND,))
        return definition_diff.leaves(export)

    def _send(self, document: Json) -> None:
        self._is_begun = True
        self._api.import_task(*self._task, document)
        self._is_accepted = True

    def _take_back(self, failure: BaseException) -> None:
        """Delete whatever the import may have made."""
        left: list[Leftover] = []
        if self._is_begun and not did_nothing(failure):
            if self._is_accepted and not isinstance(failure, WaitError):
                self._await_task()
            (server, name), is_refused = self._task, isinstance(failure, ApiError)
            if is_refused or self._is_there():
                left = clean_up(self._api, server, name, self._new, self._waiting.sleep, may_come=not is_refused)
            else:
                left = [Leftover("task", name, LATE), *(Leftover("endpoint", new, LATE) for new in self._new)]
        if isinstance(failure, AemError):
            self._report(failure, left)

    def _await_task(self) -> None:
        """Wait until the task shows: what is not there yet cannot be deleted."""
        limit = self._api.client.limits.import_lag
        with contextlib.suppress(AemError, TimedOut):
            wait_until(self._api, self._is_there, bool, limit, self._waiting.sleep)

    def _is_there(self) -> bool:
        """Return whether the task is there; if that cannot be read, it may be."""
        try:
            return bool(self._api.get_task_details(*self._task, accept=(TASK_NOT_FOUND,)))
        except AemError:
            return True

    def _report(self, failure: AemError, left: list[Leftover]) -> None:
        failure.changed = bool(left)
        report_left_behind(failure, self._task.server, left, REMEDY)


def delete_earlier_trials(api: Api, task: TaskName) -> list[str]:
    """Delete what killed runs that tried a definition of ``task`` have left, known by its name. Return warnings.

    Only to be called by a run that no other one of this task runs beside.
    """
    try:
        names = [str(item.get("name")) for item in api.get_task_list(task.server)]
    except ApiError as error:
        if error.is_refusal:
            return []
        raise
    warnings = []
    for name in names:
        if name.startswith(f"{PREFIX}_{_kind(task)}_"):
            try:
                delete_task(api, task.server, name)
            except AemError as error:
                warnings.append(
                    f'The task "{name}", which an earlier run left behind, could not be deleted: {error.message}'
                )
    return warnings


def _kind(task: TaskName) -> str:
    """Return what the names of all trials of one task have in common."""
    return f"trial_{hashlib.sha256(str(task).encode('utf-8', 'replace')).hexdigest()[:12]}"
