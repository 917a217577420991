# Copyright (c) 2026, dataops.qlik_em contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is private to the collection.

"""The checkpoint of a maintenance window: what ran when it began, as a document that is checked before it is used."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Any, NamedTuple

from .._client.errors import InputError
from .._common.files import read_private_file
from .._tasks.model import TaskName
from .second_look import RAN
from .strict import (
    NotJson,
    Odd,
    OddText,
    check_members,
    is_number,
    list_at,
    list_or_null_at,
    mapping_at,
    name_at,
    parsed,
    seconds_of,
    text_at,
    utc_at,
)

SCHEMA = 2  # 1 had a mapping for each task and no latencies
RUN_OPTION = "resume_processing"  # of a task that ran, in schema 1
MOST_BYTES = 64 * 1024 * 1024  # many times the tasks that an Enterprise Manager can have
MOST_SECONDS = 10 * 365 * 24 * 3600  # of a latency, and between a record and its freeze
RECORDED, FREEZING, FROZEN, RESTORING, RESTORED = PHASES = ("recorded", "freezing", "frozen", "restoring", "restored")
OPEN = (FREEZING, FROZEN, RESTORING)  # tasks may be stopped that must come back


class RecordedTask(NamedTuple):
    """A task as it was when the window began; one that did not run is left alone."""

    server: str
    name: str
    state: str
    wave: int  # counted from 1

    @property
    def task(self) -> TaskName:
        """Which task it is."""
        return TaskName(self.server, self.name)

    @property
    def ran(self) -> bool:
        """Whether it ran, so that it must come back."""
        return self.state in RAN


class Reading(NamedTuple):
    """How far a task was behind its source (seconds, None: not known) ``at`` a time (UTC, seconds since 1970)."""

    latency: int | None
    at: int


UNKNOWN = Reading(None, 0)


class Checkpoint(NamedTuple):
    """What a window must put back. ``enterprise_manager`` is its address, ``recorded`` a UTC time (ISO 8601).

    ``readings`` are of the tasks that ran and capture changes.
    """

    enterprise_manager: str
    recorded: str
    phase: str
    selection: Mapping[str, Any]
    tasks: tuple[RecordedTask, ...]
    readings: Mapping[TaskName, Reading] = {}

    @property
    def waves(self) -> list[list[RecordedTask]]:
        """The tasks that ran, in the waves in which they are stopped."""
        ran = [task for task in self.tasks if task.ran]
        return [[task for task in ran if task.wave == wave] for wave in sorted({task.wave for task in ran})]

    def document(self) -> dict[str, Any]:
        """Return it as what is written and returned: short, as AWX keeps it with each job."""
        groups: dict[str, dict[tuple[int, str], list[Any]]] = {}
        begin = seconds_of(self.recorded)
        for one in self.tasks:
            tasks = groups.setdefault(one.server, {}).setdefault((one.wave, one.state), [])
            reading = self.readings.get(one.task)
            if not reading:
                tasks.append(one.name)
            elif reading.latency is None:
                tasks.append([one.name, None])
            else:
                tasks.append([one.name, reading.latency, reading.at - begin])
        return {
            "schema": SCHEMA,
            "enterprise_manager": self.enterprise_manager,
            "recorded": self.recorded,
            "phase": self.phase,
            "selection": self.selection,
            "running": _running(self.tasks),
            "servers": {
                server: [{"wave": wave, "state": state, "tasks": tasks} for (wave, state), tasks in found.items()]
                for server, found in groups.items()
            },
        }

    def text(self) -> str:
        """Return it as what stands in the file: a line for each task, for who looks at it or compares two."""
        document = self.document()
        servers = [
            f"{_dump(server)}: [\n{_joined(map(_group_text, groups))}\n]"
            for server, groups in document.pop("servers").items()
        ]
        head = [f"{_dump(member)}: {_dump(value)}" for member, value in document.items()]
        return f'{{\n{_joined(head)},\n"servers": {{\n{_joined(servers)}\n}}\n}}\n'


def _group_text(group: Mapping[str, Any]) -> str:
    about = f'"wave": {group["wave"]}, "state": {_dump(group["state"])}'
    return f' {{{about}, "tasks": [\n{_joined(f"  {_dump(task)}" for task in group["tasks"])}\n ]}}'


def _joined(parts: Iterable[str]) -> str:
    return ",\n".join(parts)


def _dump(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)


def load(path: str, address: str, option: str = "path") -> Checkpoint | None:
    """Return the checkpoint in a file, which ``option`` names, None if there is no file.

    Raises InputError as ``read_document`` does, and for a file that somebody else may have written.
    """
    text = read_private_file(option, path, MOST_BYTES)
    if text is None:
        return None
    try:
        document = parsed(text)
    except NotJson as error:
        raise _damaged(path, str(error)) from error
    return read_document(document, address, path)


def read_document(document: Any, address: str, source: str) -> Checkpoint:
    """Return the checkpoint in a document, which anybody may have written.

    Raises InputError, which names ``source`` and the place in it, if it is not as this or an earlier release has
    written it, of a newer schema, or not of the Enterprise Manager at ``address``.
    """
    if not isinstance(document, dict) or not is_number(document.get("schema")):
        raise _damaged(source, "it is not a checkpoint")
    if document["schema"] > SCHEMA:
        raise InputError(
            f"The checkpoint ({source}) was written by a newer release of the collection (schema {document['schema']}, "
            f"this one knows {SCHEMA}). Nothing was done."
        )
    try:
        checkpoint = _checkpoint_in(document)
    except OddText as odd:
        raise _damaged(source, str(odd), " or was edited") from odd
    if checkpoint.enterprise_manager != address:
        raise InputError(
            f"The checkpoint ({source}) belongs to another Enterprise Manager: {checkpoint.enterprise_manager}, not "
            f"{address}. Nothing was done."
        )
    return checkpoint


def check_same(found: Checkpoint, given: Checkpoint, path: str) -> None:
    """Raise InputError unless the checkpoint of a file and a given one are of the same window."""
    if found.recorded != given.recorded:
        which = "an earlier" if given.recorded < found.recorded else "a newer"
        raise InputError(
            f"The checkpoint in {path} was recorded {found.recorded}, the one in the option checkpoint "
            f"{given.recorded}: that belongs to {which} window. Nothing was done. Leave out checkpoint to use the "
            "file, or path to use the other."
        )
    differing = set(found.tasks) ^ set(given.tasks)  # not their order: what hands one on may sort its members
    if differing:
        task = next(one.task for one in (*found.tasks, *given.tasks) if one in differing)
        raise InputError(
            f"The checkpoint in {path} and the one in the option checkpoint were both recorded {found.recorded}, but "
            f"differ in {task}. Nothing was done. Find out which one is right, and leave out the other (path or "
            "checkpoint)."
        )


def _checkpoint_in(document: Mapping[str, Any]) -> Checkpoint:
    schema, common = document["schema"], ("schema", "enterprise_manager", "recorded", "phase", "selection")
    if schema == 1:
        check_members("", document, (*common, "tasks"), ("running",))
    elif schema == SCHEMA:
        check_members("", document, (*common, "running", "servers"))
    else:
        raise Odd("schema", schema, f"1 or {SCHEMA}")
    if document["phase"] not in PHASES:
        raise Odd("phase", document["phase"], f"one of {', '.join(PHASES)}")
    selection = document["selection"]
    _check_selection(selection)
    recorded = utc_at("recorded", document["recorded"])
    found = _mappings_in(document["tasks"]) if schema == 1 else _groups_in(document["servers"], seconds_of(recorded))
    tasks: dict[TaskName, RecordedTask] = {}
    readings: dict[TaskName, Reading] = {}
    for where, one, reading in found:
        if one.task in tasks:
            raise Odd(where, str(one.task), "another task: it is there twice")
        tasks[one.task] = one
        if reading:
            readings[one.task] = reading
    _check_running(document, tasks.values())
    address = text_at("enterprise_manager", document["enterprise_manager"])
    return Checkpoint(address, recorded, document["phase"], dict(selection), tuple(tasks.values()), readings)


def _groups_in(servers: Any, begin: int) -> Iterator[tuple[str, RecordedTask, Reading | None]]:
    """Yield where each task is in ``servers``, and what is there of it; ``begin`` is when it was recorded."""
    for server, groups in mapping_at("servers", servers).items():
        name_at("servers", server)
        for number, group in enumerate(list_at(f"servers/{server}", groups)):
            where = f"servers/{server}/{number}"
            check_members(where, group, ("wave", "state", "tasks"))
            wave, state = _wave(f"{where}/wave", group["wave"]), text_at(f"{where}/state", group["state"])
            for place, item in enumerate(list_at(f"{where}/tasks", group["tasks"])):
                spot = f"{where}/tasks/{place}"
                name, reading = _item(spot, item, begin)
                one = RecordedTask(server, name_at(spot, name), state, wave)
                if reading and not one.ran:
                    raise Odd(spot, item, f"a name alone, as it was {state}")
                yield spot, one, reading


def _item(where: str, item: Any, begin: int) -> tuple[Any, Reading | None]:
    """Return the name of a task, and what is known of its latency; None if it captures no changes."""
    if not isinstance(item, list):
        return item, None
    if len(item) == 2 and item[1] is None:
        return item[0], UNKNOWN
    numbers = item[1:]
    if len(numbers) != 2 or not all(is_number(one) and abs(one) <= MOST_SECONDS for one in numbers) or numbers[0] < 0:
        form = "a name, [name, null], or [name, latency in seconds, seconds from recorded to when it was read]"
        raise Odd(where, item, form)
    return item[0], Reading(numbers[0], begin + numbers[1])


def _mappings_in(tasks: Any) -> Iterator[tuple[str, RecordedTask, Reading | None]]:
    """Yield where each task is in ``tasks`` of schema 1, and what is there of it."""
    for number, item in enumerate(list_at("tasks", tasks)):
        where = f"tasks/{number}"
        check_members(where, item, ("server", "name", "state", "run_option", "wave"))
        server, name = (name_at(f"{where}/{member}", item[member]) for member in ("server", "name"))
        one = RecordedTask(server, name, text_at(f"{where}/state", item["state"]), _wave(f"{where}/wave", item["wave"]))
        if item["run_option"] not in (RUN_OPTION, None):
            raise Odd(f"{where}/run_option", item["run_option"], f'"{RUN_OPTION}" or null')
        if one.ran != (item["run_option"] is not None):
            due = f'"{RUN_OPTION}"' if one.ran else "null"
            raise Odd(f"{where}/run_option", item["run_option"], f"{due}, as it was {one.state}")
        yield where, one, UNKNOWN if one.ran else None


def _check_running(document: Mapping[str, Any], tasks: Collection[RecordedTask]) -> None:
    """Raise Odd if a task that ran was taken out, as far as the document shows; the first release did not count."""
    counted = document.get("running")
    if "running" in document and (not is_number(counted) or counted != _running(tasks)):
        raise Odd("running", counted, f"the number of tasks that ran, which is {_running(tasks)}")
    if "running" not in document and not tasks and document["phase"] in OPEN:
        raise Odd("tasks", [], f"the tasks of the window, which is {document['phase']}")


def _running(tasks: Iterable[RecordedTask]) -> int:
    return sum(task.ran for task in tasks)


def _check_selection(selection: Any) -> None:
    check_members("selection", selection, (), ("include", "exclude", "waves"))
    for option, selectors in selection.items():
        for number, selector in enumerate(list_or_null_at(f"selection/{option}", selectors)):
            where = f"selection/{option}/{number}"
            check_members(where, selector, (), ("server", "name", "tag", "state"))
            for member, value in selector.items():
                if member in ("server", "name"):
                    if value is not None:
                        text_at(f"{where}/{member}", value)
                else:
                    for place, one in enumerate(list_or_null_at(f"{where}/{member}", value)):
                        text_at(f"{where}/{member}/{place}", one)


def _wave(where: str, value: Any) -> int:
    if not is_number(value) or value < 1:
        raise Odd(where, value, "a whole number from 1")
    return int(value)


def _damaged(source: str, why: str, how: str = "") -> InputError:
    return InputError(f"The checkpoint ({source}) is damaged{how}: {why}. Nothing was done.")
