# Copyright (c) 2026, dataops.qlik_em contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is private to the collection.

"""What a task is asked to do and what is seen of it: plain data, no calls."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

AT_REST = ("STOPPED", "ERROR")  # ERROR: stopped by a fatal error (notes, 8)
ACTIVE = ("RUNNING", "RECOVERY")  # RECOVERY: retrying, goes on by itself
STARTING, STOPPING = "STARTING", "STOPPING"  # transient: followed
KNOWN_STATES = (*AT_REST, *ACTIVE, STARTING, STOPPING)

TASK_NOT_FOUND = "AEM_TASK_NOT_FOUND"  # assumed (notes, 12)

# Starting a task that has finished its only load would load everything again.
FINISHED_FOR_GOOD = "FULL_LOAD_ONLY_FINISHED"
# The task was started, did what it is set up to do, and stopped by itself.
FINISHED = (FINISHED_FOR_GOOD, "STOPPED_AFTER_FULL_LOAD", "STOPPED_AFTER_CACHED_EVENTS", "STOPPED_AFTER_DDL_APPLY")


class Options(NamedTuple):
    """What is wanted of a task; times are seconds."""

    server: str
    name: str
    state: str
    timeout: int
    wait: bool
    wait_timeout: float
    wait_sleep: float
    run_option: str
    cdc_position: str | None

    @property
    def subject(self) -> str:
        """The task as messages name it."""
        return f'task "{self.name}" on server "{self.server}"'


class Seen(NamedTuple):
    """A task as it was seen; ``memory_mb`` is None where it is not told (Compose)."""

    state: str
    stop_reason: str | None = None
    message: str | None = None
    memory_mb: int | None = None

    @property
    def is_stopped(self) -> bool:
        """Stopped, as far as the state tells."""
        return self.state in AT_REST

    @property
    def is_at_rest(self) -> bool:
        """Stopped, and its process gone: ``memory_mb`` lags behind the state (notes, 6)."""
        return self.is_stopped and not self.memory_mb

    @property
    def is_up(self) -> bool:
        """Running, and its process there, for the same reason."""
        return self.state == "RUNNING" and self.memory_mb != 0

    @property
    def has_finished(self) -> bool:
        """Stopped by itself because its work is done."""
        return self.is_stopped and self.stop_reason in FINISHED

    def view(self, server: str, name: str) -> dict[str, Any]:
        """Return the task as results show it: the same five members always."""
        return {
            "server": server,
            "name": name,
            "state": self.state,
            "stop_reason": self.stop_reason,
            "message": self.message,
        }


def state_of(value: str) -> str:
    """Return a state as the guide's method pages spell it; its Parameters page writes RECOVERING (notes, 8)."""
    state = value.upper()
    return "RECOVERY" if state == "RECOVERING" else state


def seen_in(details: Mapping[str, Any]) -> Seen:
    """Return the task that GetTaskDetails or an item of GetTaskList tells of."""
    memory = details.get("memory_mb")
    return Seen(
        state=state_of(details["state"]),
        # The details' name of it was not seen in a capture (openapi.yaml); the list's name is certain.
        stop_reason=details.get("task_stop_reason") or details.get("stop_reason"),
        message=details.get("message"),
        memory_mb=memory if isinstance(memory, int) else None,
    )
