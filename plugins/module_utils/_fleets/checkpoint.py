# Copyright (c) 2026, dataops.qlik_em contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is private to the collection.

"""The checkpoint of a maintenance window: what ran when it began, as a document that is checked before it is used."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, NamedTuple

from .._client.checks import check_segment
from .._client.errors import InputError
from .._common.files import read_private_file
from .._tasks.model import TaskName
from .._tasks.operation import RESUME

SCHEMA = 1
RUN_OPTION = RESUME.lower()  # the only one: each other one would load data again, or lose some
MOST_BYTES = 64 * 1024 * 1024  # many times the tasks that an Enterprise Manager can have
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
        tasks = [task._asdict() for task in self.tasks]
        return {"schema": SCHEMA, **self._asdict(), "running": _running(self.tasks), "tasks": tasks}

    def text(self) -> str:
        """Return it as what stands in the file."""
        return json.dumps(self.document(), indent=2, ensure_ascii=False) + "\n"


def load(path: str, address: str) -> Checkpoint | None:
    """Return the checkpoint in a file, None if there is no file.

    Raises InputError as ``read_document`` does, and for a file that somebody else may have written.
    """
    text = read_private_file("path", path, MOST_BYTES)
    if text is None:
        return None
    try:
        document = json.loads(text)
    except RecursionError as error:
        raise _damaged(path, "it is nested too deeply") from error
    except ValueError as error:
        raise _damaged(path, "it is not JSON") from error
    return read_document(document, address, path)


def read_document(document: Any, address: str, source: str) -> Checkpoint:
    """Return the checkpoint in a document, which anybody may have written.

    Raises InputError, which names ``source`` and the place in it, if it is not as this or an earlier release has
    written it, of a newer schema, or not of the Enterprise Manager at ``address``.
    """
    if not isinstance(document, dict) or not _is_number(document.get("schema")):
        raise _damaged(source, "it is not a checkpoint")
    if document["schema"] > SCHEMA:
        raise InputError(
            f"The checkpoint ({source}) was written by a newer release of the collection (schema {document['schema']}, "
            f"this one knows {SCHEMA}). Nothing was done."
        )
    try:
        checkpoint = _checkpoint_in(document)
    except _Odd as odd:
        raise _damaged(source, str(odd), " or was edited") from odd
    if checkpoint.enterprise_manager != address:
        raise InputError(
            f"The checkpoint ({source}) is of another Enterprise Manager: {checkpoint.enterprise_manager}, not "
            f"{address}. Nothing was done."
        )
    return checkpoint


def check_same(found: Checkpoint, given: Checkpoint, path: str) -> None:
    """Raise InputError unless the checkpoint of a file and a given one are of the same window."""
    if found.recorded != given.recorded:
        which = "an earlier" if given.recorded < found.recorded else "a newer"
        raise InputError(
            f"The checkpoint in {path} was recorded {found.recorded}, the one that was handed on "
            f"{given.recorded}: that is of {which} window. Nothing was done. Leave out checkpoint to use the file, or "
            "path to use the other."
        )
    if found.tasks != given.tasks:
        task = _first_difference(found.tasks, given.tasks)
        raise InputError(
            f"The checkpoint in {path} and the one that was handed on were both recorded {found.recorded}, but "
            f"differ in {task}. Nothing was done. Find out which one is right, and leave out the other "
            "(path or checkpoint)."
        )


def _first_difference(ones: tuple[RecordedTask, ...], others: tuple[RecordedTask, ...]) -> TaskName:
    odd = set(ones) ^ set(others)
    return next((one.task for one in (*ones, *others) if one in odd), ones[0].task)  # else only their order differs


class _Odd(Exception):
    """What no release writes: where in the document, what is there, and what may be."""

    def __init__(self, where: str, value: Any, allowed: str) -> None:
        super().__init__(f"{where} is {_shown(value)}, and must be {allowed}")


def _checkpoint_in(document: Mapping[str, Any]) -> Checkpoint:
    _check_members(
        "", document, ("schema", "enterprise_manager", "recorded", "phase", "selection", "tasks"), ("running",)
    )
    if document["schema"] != SCHEMA:
        raise _Odd("schema", document["schema"], str(SCHEMA))
    if document["phase"] not in PHASES:
        raise _Odd("phase", document["phase"], f"one of {', '.join(PHASES)}")
    selection = document["selection"]
    _check_selection(selection)
    if not isinstance(document["tasks"], list):
        raise _Odd("tasks", document["tasks"], "a list")
    tasks = tuple(_task_in(f"tasks/{number}", item) for number, item in enumerate(document["tasks"]))
    _check_once(tasks)
    _check_running(document, tasks)
    address, recorded = _text("enterprise_manager", document["enterprise_manager"]), document["recorded"]
    return Checkpoint(address, _time("recorded", recorded), document["phase"], dict(selection), tasks)


def _task_in(where: str, item: Any) -> RecordedTask:
    _check_members(where, item, RecordedTask._fields)
    server, name, state = (_text(f"{where}/{member}", item[member]) for member in ("server", "name", "state"))
    for member in ("server", "name"):
        try:
            check_segment(member, item[member])
        except InputError as error:
            raise _Odd(f"{where}/{member}", item[member], "a name") from error
    if item["run_option"] not in (RUN_OPTION, None):
        raise _Odd(f"{where}/run_option", item["run_option"], f'"{RUN_OPTION}" or null')
    if not _is_number(item["wave"]) or item["wave"] < 1:
        raise _Odd(f"{where}/wave", item["wave"], "a whole number from 1")
    return RecordedTask(server, name, state, item["run_option"], item["wave"])


def _is_number(value: Any) -> bool:
    """Return whether a value is a whole number; True and False are in Python."""
    return isinstance(value, int) and not isinstance(value, bool)


def _check_once(tasks: Iterable[RecordedTask]) -> None:
    seen: dict[TaskName, int] = {}
    for number, recorded in enumerate(tasks):
        first = seen.setdefault(recorded.task, number)
        if first != number:
            raise _Odd(f"tasks/{number}", str(recorded.task), f"another task than tasks/{first}: a task is there twice")


def _check_running(document: Mapping[str, Any], tasks: tuple[RecordedTask, ...]) -> None:
    """Raise _Odd if a task that ran was taken out, as far as the document shows; the first release did not count."""
    counted = document.get("running")
    if "running" in document and (not _is_number(counted) or counted != _running(tasks)):
        raise _Odd("running", counted, f"the number of tasks with a run_option, which is {_running(tasks)}")
    if "running" not in document and not tasks and document["phase"] in OPEN:
        raise _Odd("tasks", [], f"the tasks of the window, which is {document['phase']}")


def _running(tasks: Iterable[RecordedTask]) -> int:
    return sum(task.run_option is not None for task in tasks)


def _check_selection(selection: Any) -> None:
    _check_members("selection", selection, (), ("include", "exclude", "waves"))
    for option, selectors in selection.items():
        for number, selector in enumerate(_list_or_null(f"selection/{option}", selectors)):
            where = f"selection/{option}/{number}"
            _check_members(where, selector, (), ("server", "name", "tag", "state"))
            for member, value in selector.items():
                if member in ("server", "name"):
                    if value is not None:
                        _text(f"{where}/{member}", value)
                else:
                    for place, one in enumerate(_list_or_null(f"{where}/{member}", value)):
                        _text(f"{where}/{member}/{place}", one)


def _check_members(where: str, value: Any, needed: Iterable[str], possible: Iterable[str] = ()) -> None:
    """Raise _Odd unless ``value`` is a mapping with the members that are needed, and at most the possible ones more."""
    if not isinstance(value, dict):
        raise _Odd(where, value, "a mapping")
    known = (*needed, *possible)
    prefix = f"{where}/" if where else ""
    for member in value:
        if member not in known:
            raise _Odd(f"{prefix}{member}", value[member], f"left out: the members here are {', '.join(known)}")
    for member in needed:
        if member not in value:
            raise _Odd(where or "the document", value, f"a mapping with {member}")


def _list_or_null(where: str, value: Any) -> list[Any]:
    if value is not None and not isinstance(value, list):
        raise _Odd(where, value, "a list or null")
    return value or []


def _text(where: str, value: Any) -> str:
    if not isinstance(value, str) or not value.strip():
        raise _Odd(where, value, "a text that is not blank")
    return value


def _time(where: str, value: Any) -> str:
    try:
        datetime.strptime(value, "%Y-%m-%dT%H:%M:%SZ")
    except (TypeError, ValueError) as error:
        raise _Odd(where, value, "a UTC time, as 2026-11-23T22:00:00Z") from error
    return str(value)


def _shown(value: Any) -> str:
    """Return a value as a message may show it: short, whatever it is."""
    if isinstance(value, dict):
        return "a mapping"
    if isinstance(value, list):
        return "a list" if value else "an empty list"
    text = json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= 60 else f"{text[:60]}..."


def _damaged(source: str, why: str, how: str = "") -> InputError:
    return InputError(f"The checkpoint ({source}) is damaged{how}: {why}. Nothing was done.")
