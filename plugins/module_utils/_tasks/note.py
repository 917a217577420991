# Copyright (c) 2026, dataops.qlik_em contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is private to the collection.

"""What a replacement keeps in ``backup_dir``: the old definition, and a note for the next run, should it be killed."""

from __future__ import annotations

import hashlib
import json
import os
import time
from typing import NamedTuple
from urllib.parse import quote

from .._client.api import Json
from .._client.errors import InputError
from .._common.files import read_file, remove_file, write_atomically
from .._definitions.document import read_definition, stable_text
from .model import STOPPING, TaskName, TaskSnapshot

SCHEMA = 1
OPTION = "backup_dir"


class Note(NamedTuple):
    """How far a replacement has come, and what the task was before it."""

    since: str  # a UTC time (ISO 8601)
    backup_file: str
    new_endpoints: tuple[str, ...] = ()  # that this replacement creates
    is_touched: bool = False  # whether the task itself may have been stopped or deleted
    was_active: bool = False

    def owes_start(self, current: TaskSnapshot, is_there: bool) -> bool:
        """Return whether the task is to be started because the run that wrote this stopped or deleted it."""
        is_down = not is_there or current.is_stopped or current.state == STOPPING
        return self.is_touched and self.was_active and is_down


def note_path(folder: str, task: TaskName) -> str:
    """Return where the note of a task is."""
    stem = _stem(task)
    if len(stem) > 160:  # a file's name may have 255 bytes, and a lock and partial files are beside it
        stem = f"{stem[:140]}_{hashlib.sha256(stem.encode()).hexdigest()[:12]}"
    return os.path.join(folder, f"{stem}__replacement.json")


def read_note(folder: str, task: TaskName, address: str) -> Note | None:
    """Return the note of a run that did not come to its end, None if there is none.

    Raises InputError if it is damaged, or of another Enterprise Manager than the one at ``address``.
    """
    path = note_path(folder, task)
    text = read_file(OPTION, path) if os.path.lexists(path) else None
    if text is None:
        return None
    try:
        kept = json.loads(text)
        if kept["schema"] != SCHEMA or (kept["server"], kept["task"]) != task:
            raise ValueError("it is not a note about this task, or another release of the collection wrote it")
        note = Note(
            str(kept["since"]),
            str(kept["backup_file"]),
            tuple(map(str, kept["new_endpoints"])),
            kept["is_touched"] is True,
            kept["was_active"] is True,
        )
        owner = kept["enterprise_manager"]
    except (KeyError, TypeError, ValueError, RecursionError) as error:
        raise InputError(
            f"The note of an unfinished replacement ({path}) is damaged: {error}. Nothing was done.",
            "Look at the task and at the definitions in backup_dir, then remove the note.",
        ) from error
    if owner != address:
        raise InputError(
            f"The note of an unfinished replacement ({path}) belongs to another Enterprise Manager: {owner}, not "
            f"{address}. Nothing was done.",
            "Give each Enterprise Manager a backup_dir of its own.",
        )
    return note


def write_note(folder: str, task: TaskName, address: str, note: Note) -> None:
    """Write the note of a run before it does what the note says. Raises InputError."""
    about = {"schema": SCHEMA, "enterprise_manager": address, "server": task.server, "task": task.name}
    write_atomically(OPTION, note_path(folder, task), json.dumps({**about, **note._asdict()}, indent=2) + "\n")


def remove_note(folder: str, task: TaskName) -> None:
    """Remove the note of a run that has come to its end. Raises InputError."""
    remove_file(OPTION, note_path(folder, task))


def back_up(before: Json, folder: str, task: TaskName) -> str:
    """Write the old definition into a file of its own and return its path. Raises InputError."""
    stem = f"{_stem(task)}__{time.strftime('%Y-%m-%d@%H%M%S')}"
    path, number = os.path.join(folder, f"{stem}.json"), 1
    while os.path.exists(path):
        number += 1
        path = os.path.join(folder, f"{stem}_{number}.json")
    write_atomically(OPTION, path, stable_text(before, task.name))
    return path


def read_backup(path: str) -> Json:
    """Return an old definition that a run before has kept. Raises InputError."""
    text = read_file(OPTION, path)
    if text is None:
        raise InputError(f"The old definition is no longer in {path}.")
    return read_definition(f"The old definition in {path}", text)


def _stem(task: TaskName) -> str:
    return f"{quote(task.server, safe=' ')}__{quote(task.name, safe=' ')}"
