# Copyright (c) 2026, dataops.qlik_em contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is private to the collection.

"""Which objects of an estate are meant by ``include``. Pure functions.

Tags and states do not select here: files know neither, and a folder must not change because a task was stopped.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from .._client.api import Json
from .._definitions.document import endpoints_used
from .._fleets.selection import Selector, read_selectors
from .._servers.schedule_model import ALL_TASKS, tasks_of
from .._tasks.model import TaskName
from .model import ENDPOINTS, SCHEDULES, TASKS, Estate, ObjectKey


class Scope(NamedTuple):
    """What is meant: all of a server, or tasks by name, the endpoints that they use, and their schedules."""

    selectors: Sequence[Selector]

    def is_whole(self, server: str) -> bool:
        """Return whether all of a server is meant."""
        return any(one.name is None and one.could_be(TaskName(server, "")) for one in self.selectors)

    def means_task(self, server: str, name: str) -> bool:
        """Return whether a task is meant."""
        return any(one.could_be(TaskName(server, name)) for one in self.selectors)

    def means_job(self, server: str, job: Json) -> bool:
        """Return whether a schedule is meant: if one of its tasks is."""
        return self.is_whole(server) or any(self.means_task(server, name) for name in named_tasks(job))

    def selected(self, estate: Estate) -> Estate:
        """Return the part of an estate that is meant."""
        whole = {server for server in {key.server for key in estate} if self.is_whole(server)}
        tasks = [key for key in estate if key.kind == TASKS and self.means_task(key.server, key.name)]
        used = {ObjectKey(key.server, ENDPOINTS, name) for key in tasks for name in endpoints_used(estate[key])}
        part = {*tasks, *used}
        return {
            key: item
            for key, item in estate.items()
            if key.server in whole or key in part or (key.kind == SCHEDULES and self.means_job(key.server, item))
        }


def scope_in(params: Mapping[str, Any]) -> Scope:
    """Return what the option ``include`` means; raise InputError. If it is not given: everything."""
    given = params["include"]
    selectors = read_selectors("include", given if given is not None else [{"server": "*"}])
    return Scope(selectors)


def include_option() -> dict[str, Any]:
    """Return the spec of the option ``include``."""
    return {"type": "list", "elements": "dict", "options": {"server": {"type": "str"}, "name": {"type": "str"}}}


def named_tasks(job: Json) -> list[str]:
    """Return the names of the tasks of a schedule; of one for all of the server none."""
    return [name for name in tasks_of(job) if name != ALL_TASKS]
