# Copyright (c) 2026, dataops.qlik_em contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is private to the collection.

"""A task: its name, and what the API shows of it. Plain data, no calls."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

from .._client.checks import check_name
from .._common.numbers import whole_number

if TYPE_CHECKING:
    from .work import Work

# ERROR: stopped by a fatal error (docs/enterprise_manager_api.md, 8.1).
AT_REST = ("STOPPED", "ERROR")
ACTIVE = ("RUNNING", "RECOVERY")  # RECOVERY: retrying, goes on by itself
STARTING, STOPPING = "STARTING", "STOPPING"  # transient: followed
MOVING = (*ACTIVE, STARTING, STOPPING)
KNOWN_STATES = (*AT_REST, *MOVING)
# As options name them.
TASK_STATES = ["running", "recovery", "stopped", "error", "starting", "stopping", "paused", "not_exist"]

STOP_TIMEOUT, RUN_TIMEOUT = "AEM_STOP_TASK_TIMEOUT", "AEM_RUN_TASK_TIMEOUT"
TASK_NOT_FOUND = "AEM_TASK_NOT_FOUND"  # assumed (docs/enterprise_manager_api.md, 3.8)

# Starting a task that has finished its only load would load everything again
# (docs/enterprise_manager_api.md, 6.21).
FINISHED_FOR_GOOD = "FULL_LOAD_ONLY_FINISHED"
# The task was started, did what it is set up to do, and stopped by itself.
FINISHED = (FINISHED_FOR_GOOD, "STOPPED_AFTER_FULL_LOAD", "STOPPED_AFTER_CACHED_EVENTS", "STOPPED_AFTER_DDL_APPLY")


class TaskName(NamedTuple):
    """Which task: its server and its name, both as Enterprise Manager displays them."""

    server: str
    name: str

    @property
    def subject(self) -> str:
        """The task as messages name it."""
        return f'task "{self.name}" on server "{self.server}"'

    def __str__(self) -> str:
        return f"{self.server}/{self.name}"


def check_task(params: Mapping[str, Any]) -> TaskName:
    """Return the task that the options ``server`` and ``name`` name; raise InputError."""
    return TaskName(check_name("server", params["server"]), check_name("name", params["name"]))


class TaskSnapshot(NamedTuple):
    """A task at one time; ``memory_mb`` is None where it is not given (Compose), ``work`` if it was only listed."""

    state: str
    stop_reason: str | None = None
    message: str | None = None
    memory_mb: int | None = None
    work: Work | None = None

    @property
    def is_stopped(self) -> bool:
        """Stopped, as far as the state shows."""
        return self.state in AT_REST

    @property
    def is_at_rest(self) -> bool:
        """Stopped, and its process ended; ``memory_mb`` lags (docs/enterprise_manager_api.md, 6.17)."""
        return self.is_stopped and not self.memory_mb

    @property
    def is_active(self) -> bool:
        """Running, or about to."""
        return self.state in (*ACTIVE, STARTING)

    @property
    def is_up(self) -> bool:
        """Running, and its process there, for the same reason."""
        return self.state == "RUNNING" and self.memory_mb != 0

    @property
    def has_finished(self) -> bool:
        """Stopped by itself because its work is done."""
        return self.is_stopped and self.stop_reason in FINISHED

    @property
    def is_compose(self) -> bool:
        """A task or workflow of Compose, as far as that is known."""
        return self.work is not None and self.work.is_compose

    @property
    def is_quiet(self) -> bool:
        """Running, and moving no data: nothing shows that this run goes on (docs/enterprise_manager_api.md, 6.48)."""
        return (
            self.state == "RUNNING" and self.work is not None and not self.work.is_compose and not self.work.moves_data
        )

    @property
    def has_reason(self) -> bool:
        """Stopped, with a reason that says something."""
        return self.is_stopped and self.stop_reason not in (None, "", "NONE", "FATAL_ERROR")

    def may_have_finished(self, makes_tables: bool) -> bool:
        """Stopped, and nothing shows that its run was stopped or failed; ``makes_tables``: it was to do only that.

        Compose gives no stop reason (docs/enterprise_manager_api.md, 5.6), and that of such a run is not known (6.20).
        """
        if self.state != "STOPPED" or self.has_finished:
            return self.has_finished
        return not self.message and (makes_tables or self.stop_reason in (None, "", "NONE"))

    def view(self, task: TaskName) -> dict[str, Any]:
        """Return the task as results show it: the same five members always."""
        return {
            **task._asdict(),
            "state": self.state,
            "stop_reason": self.stop_reason,
            "message": self.message,
        }


def state_of(value: str) -> str:
    """Return a state in one spelling: RECOVERING is RECOVERY (docs/enterprise_manager_api.md, 8.1)."""
    state = value.upper()
    return "RECOVERY" if state == "RECOVERING" else state


def snapshot_of(details: Mapping[str, Any]) -> TaskSnapshot:
    """Return the task that GetTaskDetails or an item of GetTaskList shows."""
    from .work import work_in  # late: a stop that is not watched reads no details

    return TaskSnapshot(
        state=state_of(details["state"]),
        # The list's name of it is certain, the details' name is not (docs/enterprise_manager_api.md, 6.18).
        stop_reason=details.get("task_stop_reason") or details.get("stop_reason"),
        message=details.get("message"),
        memory_mb=whole_number(details.get("memory_mb")),
        work=work_in(details),
    )


def is_old_compose(details: Mapping[str, Any]) -> bool:
    """Return whether GetServerDetails shows a Compose without run options (docs/enterprise_manager_api.md, 5.6)."""
    kind = f"{details.get('$type')} {details.get('type')}".lower()
    release = tuple(map(int, re.findall(r"\d+", str(details.get("version")))[:2]))
    return "compose" in kind and bool(release) and release < (2024, 5)
