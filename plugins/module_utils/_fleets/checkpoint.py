# Copyright (c) 2026, dataops.qlik_em contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is private to the collection.

"""The checkpoint of a maintenance window: what ran when it began, as a document that is checked before it is used."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime, timezone
from typing import Any, NamedTuple

from .._client.errors import InputError
from .._common.files import read_file
from .._tasks.model import TaskName

SCHEMA = 1
RECORDED, FREEZING, FROZEN, RESTORING, RESTORED = PHASES = ("recorded", "freezing", "frozen", "restoring", "restored")
OPEN = (FREEZING, FROZEN, RESTORING)  # tasks may be stopped that must come back


class RecordedTask(NamedTuple):
    """A task as it was when the window began; ``run_option`` is None for one that did not run, which is left alone."""

    server: str
    name: str
    state: str
    run_option: str | None
    wave: int  # counted from 1

    @property
    def task(self) -> TaskName:
        """Which task it is."""
        return TaskName(self.server, self.name)


class Checkpoint(NamedTuple):
    """What a window must put back. ``enterprise_manager`` is its address, ``recorded`` a UTC time (ISO 8601)."""

    enterprise_manager: str
    recorded: str
    phase: str
    selection: Mapping[str, Any]
    tasks: tuple[RecordedTask, ...]

    @property
    def waves(self) -> list[list[RecordedTask]]:
        """The tasks that ran, in the waves in which they are stopped."""
        ran = [task for task in self.tasks if task.run_option]
        return [[task for task in ran if task.wave == wave] for wave in sorted({task.wave for task in ran})]

    def document(self) -> dict[str, Any]:
        """Return it as what is written and returned."""
        return {"schema": SCHEMA, **self._asdict(), "tasks": [task._asdict() for task in self.tasks]}

    def text(self) -> str:
        """Return it as what stands in the file."""
        return json.dumps(self.document(), indent=2, ensure_ascii=False) + "\n"


def now() -> str:
    """Return the time as checkpoints write it."""
    return datetime.now(timezone.utc).isoformat(timespec="seconds").replace("+00:00", "Z")


def load(path: str, address: str) -> Checkpoint | None:
    """Return the checkpoint in a file, None if there is no file. Raises InputError as ``read_document`` does."""
    text = read_file("path", path)
    if text is None:
        return None
    try:
        document = json.loads(text)
    except ValueError as error:
        raise _damaged(path, "it is not JSON") from error
    return read_document(document, address, path)


def read_document(document: Any, address: str, source: str) -> Checkpoint:
    """Return the checkpoint in a document.

    Raises InputError, which names ``source``, if it is damaged, of a newer schema, or not of the Enterprise Manager at
    ``address``.
    """
    if not isinstance(document, dict) or not isinstance(document.get("schema"), int):
        raise _damaged(source, "it is not a checkpoint")
    if document["schema"] > SCHEMA:
        raise InputError(
            f"The checkpoint ({source}) was written by a newer release of the collection (schema {document['schema']}, "
            f"this one knows {SCHEMA}). Nothing was done."
        )
    if document.get("enterprise_manager") != address:
        raise InputError(
            f"The checkpoint ({source}) is of another Enterprise Manager: {document.get('enterprise_manager')}, not "
            f"{address}. Nothing was done."
        )
    try:
        tasks = tuple(_task_in(task) for task in document["tasks"])
        checkpoint = Checkpoint(
            address, _text(document["recorded"]), document["phase"], dict(document["selection"]), tasks
        )
    except (KeyError, TypeError, ValueError) as error:
        raise _damaged(source, f"{type(error).__name__} {error}") from error
    if checkpoint.phase not in PHASES:
        raise _damaged(source, f"there is no phase {checkpoint.phase}")
    if len({recorded.task for recorded in tasks}) != len(tasks):
        raise _damaged(source, "a task is there twice")
    return checkpoint


def _task_in(item: Mapping[str, Any]) -> RecordedTask:
    run_option = item["run_option"]
    wave = item["wave"]
    if not isinstance(wave, int) or wave < 1:
        raise ValueError("wave")
    return RecordedTask(
        _text(item["server"]), _text(item["name"]), _text(item["state"]), run_option and _text(run_option), wave
    )


def _text(value: Any) -> str:
    if not isinstance(value, str) or not value.strip():
        raise ValueError(f"{value!r} is not a text")
    return value


def _damaged(source: str, why: str) -> InputError:
    return InputError(f"The checkpoint ({source}) is damaged: {why}. Nothing was done.")
