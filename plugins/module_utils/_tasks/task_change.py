# Copyright (c) 2026, dataops.qlik_em contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is private to the collection.

"""One task around a change of its definition: read, stopped, deleted, started again."""

from __future__ import annotations

from .._client.api import Api, Json
from .._client.error_codes import advice_on
from .._client.errors import AemError
from .._common.lost_answers import confirm_lost_write
from .control import Control
from .model import MOVING, TASK_NOT_FOUND, TaskName, TaskSnapshot, snapshot_of
from .operation import Operation
from .starting import Start

NOT_STOPPED = "AEM_TASK_NOT_STOPPED"
# The API's word for it, in one generation of the SDK (docs/enterprise_manager_api.md, 8.2).
NOT_THERE = TaskSnapshot("NOT_EXIST")


class TaskChange:
    """Stopping, deleting and starting one task around a change of its definition.

    ``operation`` is how it is started again, ``may_stop`` whether a task that runs may be stopped.
    """

    def __init__(self, api: Api, task: TaskName, operation: Operation, may_stop: bool) -> None:
        self.api, self.task, self._may_stop = api, task, may_stop
        self._stopping = Control(api, task, operation._replace(state="stopped", wait=True))
        self._starting = Start(api, task, operation)

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
        error.message = f"The {self.task.subject} was stopped, and remains stopped. {error.message}"
