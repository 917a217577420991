# Copyright (c) 2026, dataops.qlik_em contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is private to the collection.

"""What became of the tasks of a window while its other tasks were stopped or started. Pure functions over the rows."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Union

from .._client.errors import AemError
from .._common.rows import Row
from .._tasks.failures import RECOVERS
from .._tasks.model import ACTIVE, AT_REST, STARTING, STOPPING, TaskName, TaskSnapshot

ServerStatus = Union["dict[str, TaskSnapshot]", AemError]  # the tasks of a server by name, or why they cannot be read
RAN = (*ACTIVE, STARTING)  # STOPPING: somebody else stops it; what is not known is not touched

DELETED = "It was deleted since the window began: nothing to do."
STOPPED_AGAIN = "Somebody has started it in the meantime: it was stopped again."
LEFT_RUNNING = "Somebody has started it in the meantime: it is left running (on_restart: report)."
UNSTOPPABLE = "It was started again each time it was stopped: by a schedule, a script or a person."
RUN_AGAIN = "Look at the task's log in the console, then run this again."


def unread(servers: Mapping[str, ServerStatus]) -> list[str]:
    """Return a note for each server that could not be looked at."""
    return [
        f'It could not be checked whether the tasks on server "{server}" kept their state: {status}'
        for server, status in servers.items()
        if isinstance(status, AemError)
    ]


def note_deleted(rows: Sequence[Row], servers: Mapping[str, ServerStatus]) -> None:
    """Take the rows of tasks that were deleted meanwhile for skipped: that is not a failure."""
    for row in rows:
        status = servers.get(row.names["server"])
        if isinstance(status, dict) and row.names["name"] not in status and not row.skipped:
            row.failed, row.skipped, row.after = False, not row.changed, "NOT_EXIST"
            row.msg, row.hint, row.error_code = DELETED, "", None


def restarted(rows: Sequence[Row], servers: Mapping[str, ServerStatus]) -> list[tuple[Row, TaskSnapshot]]:
    """Return the rows of the tasks that were stopped and run again, with how they are now."""
    return [(row, now) for row, now in _moved(rows, servers) if now.state in RAN]


def note_stopped_again(rows: Sequence[Row], servers: Mapping[str, ServerStatus], recovering: set[TaskName]) -> None:
    """Let the rows fail of tasks that ran and do not run any more, or that retry; ``recovering`` did so before."""
    for row, now in _moved(rows, servers):
        reason = f" {now.message}" if now.message else ""
        if now.has_finished:
            row.after, row.msg = now.state, f"It is {now.state} because its work is done: it is left as it is."
        elif now.state in (*AT_REST, STOPPING) and row.after in RAN:
            row.after, row.failed, row.hint = now.state, True, RUN_AGAIN
            row.msg = f"It was running, and is {now.state} now: it failed, or somebody has stopped it.{reason}"
        elif now.state == "RECOVERY" and _name(row) not in recovering:
            row.after, row.failed = now.state, True
            row.msg, row.hint = f"It was started and has fallen into RECOVERY since.{reason}", RECOVERS


def _moved(rows: Sequence[Row], servers: Mapping[str, ServerStatus]) -> Iterator[tuple[Row, TaskSnapshot]]:
    """Yield the rows of the tasks that had reached their state and are in another one now."""
    for row in rows:
        status = servers.get(row.names["server"])
        now = status.get(row.names["name"]) if isinstance(status, dict) else None
        if now and not row.failed and not row.skipped and now.state != row.after:
            yield row, now


def _name(row: Row) -> TaskName:
    return TaskName(row.names["server"], row.names["name"])
