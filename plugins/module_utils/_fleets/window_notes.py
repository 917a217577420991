# Copyright (c) 2026, dataops.qlik_em contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is private to the collection.

"""What a window says of its tasks: what was recorded, and what has changed since. Pure functions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from .._client.errors import AemError
from .._common.rows import Row, counted, first
from .._run.result import diff
from .checkpoint import Checkpoint, RecordedTask
from .fleet import Job
from .results import shown_states
from .second_look import DELETED, RAN, STOPPED_AGAIN, ServerStatus


def recorded_values(checkpoint: Checkpoint) -> dict[str, Any]:
    """Return the members of a result that show what a window has recorded."""
    ran = [recorded for recorded in checkpoint.tasks if recorded.ran]
    counts = {"selected": len(checkpoint.tasks), "running": len(ran)}
    return {"checkpoint": checkpoint.document(), "counts": counts}


def diff_of_records(old: Checkpoint | None, new: Checkpoint) -> dict[str, Any]:
    """Return the states of the tasks in two checkpoints (None: there was none), as a diff."""
    before, after = (
        shown_states({str(recorded.task): recorded.state for recorded in (one.tasks if one else ())})
        for one in (old, new)
    )
    return diff(before, after, "checkpoint")


def unmovable(recorded: RecordedTask, status: ServerStatus) -> Row | None:
    """Return the row of a task that cannot be moved: its server cannot be read, or it was deleted."""
    names, label = recorded.task._asdict(), str(recorded.task)
    if isinstance(status, AemError):
        row = Row(names, label, "UNKNOWN", "UNKNOWN")
        row.fail(status)
        return row
    if recorded.name not in status:
        return Row(names, label, "NOT_EXIST", "NOT_EXIST", skipped=True, elapsed=0.0, msg=DELETED)
    return None


def not_back(recorded: RecordedTask, servers: Mapping[str, ServerStatus]) -> list[str]:
    """Return a note if a task that ran does not run now; not if it was deleted, or has finished its work."""
    status = servers[recorded.server]
    if isinstance(status, AemError):
        return [f"{recorded.task} (its server cannot be read: {status.message})"]
    current = status.get(recorded.name)
    if not current or current.is_active or current.has_finished:
        return []
    return [f"{recorded.task} ({current.state})"]


def stopped_since(old: Checkpoint, new: Checkpoint) -> list[str]:
    """Return a note if tasks of a window that is over do not run now: somebody has stopped them since."""
    ran = {recorded.task for recorded in old.tasks if recorded.ran}
    stopped = [f"{one.task} ({one.state})" for one in new.tasks if one.task in ran and not one.ran]
    if not stopped:
        return []
    names = ", ".join(first(stopped))
    return [
        f"{counted(len(stopped), 'task')} that ran before the window of {old.recorded} and were started after it are "
        f"not running now. They are recorded as they are and will not be started: {names}."
    ]


def started_meanwhile(checkpoint: Checkpoint, servers: Mapping[str, ServerStatus]) -> list[str]:
    """Return a note for each task that did not run when the window began and runs now."""
    notes = []
    for recorded in checkpoint.tasks:
        status = servers[recorded.server]
        current = status.get(recorded.name) if isinstance(status, dict) else None
        if current and not recorded.ran and current.state in RAN:
            notes.append(
                f"{recorded.task} was {recorded.state} when the window began and is {current.state} now: it is left "
                "as it is."
            )
    return notes


def explain(rows: Sequence[Row], is_safe: bool, waves: Sequence[Sequence[Job]]) -> None:
    """Say of each task that needed no start why that is so, if it is not what a window expects.

    ``is_safe``: tasks are started from their safe restart points, which the jobs of the ``waves`` name.
    """
    points = {str(job.task): job.operation.cdc_position for wave in waves for job in wave if job.operation.cdc_position}
    for row in rows:
        if row.changed and not row.failed and row.label in points:
            row.msg = f"From {points[row.label]} (UTC), its safe restart point."
        if row.changed or row.failed or row.skipped:
            continue
        if row.before in RAN:
            row.msg = f"It was already {row.before}{', and was not started from a safe point' if is_safe else ''}."
        elif row.after == row.before:
            row.msg = f"It is {row.after} because its work is done: it is left as it is."


def take_over(row: Row, again: Row) -> None:
    """Note in the row of a task what its second stop has come to."""
    row.after, row.changed, row.failed = again.after, row.changed or again.changed, again.failed
    row.error_code, row.hint = again.error_code, again.hint
    row.msg = again.msg or STOPPED_AGAIN
    row.elapsed = round((row.elapsed or 0) + (again.elapsed or 0), 2)
