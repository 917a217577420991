# Copyright (c) 2026, dataops.qlik_em contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is private to the collection.

"""What healing remembers from run to run: a document that is checked before it is used, and the file that holds it."""

from __future__ import annotations

import contextlib
import json
import threading
from collections.abc import Iterable, Iterator
from typing import Any

from .._client.errors import InputError
from .._common.files import locked, read_private_file, real_path, write_atomically
from .._common.times import time_at
from .._tasks.model import TaskName
from .healing import Memory, Record, finished
from .strict import (
    NotJson,
    Odd,
    OddText,
    check_members,
    is_number,
    list_at,
    mapping_at,
    name_at,
    parsed,
    seconds_of,
    text_at,
    utc_at,
)

SCHEMA = 1
OPTION = "state_file"
MOST_BYTES = 16 * 1024 * 1024  # many times the tasks that fail in a month


def document_of(memory: Memory, address: str) -> dict[str, Any]:
    """Return what is remembered of the tasks of the Enterprise Manager at ``address``, as it is written and returned.

    Short: AWX keeps it with each job.
    """
    servers: dict[str, dict[str, Any]] = {}
    for task, record in sorted(memory.items()):
        item: dict[str, Any] = {"restarts": [time_at(at) for at in record.restarts]}
        if record.quarantined is not None:
            item["quarantined"] = time_at(record.quarantined)
        if record.unfinished:
            item["unfinished"] = True
        if record.lasts and record.seen is not None:
            item["seen"] = time_at(record.seen)
        servers.setdefault(task.server, {})[task.name] = item
    return {"schema": SCHEMA, "enterprise_manager": address, "servers": servers}


def read_memory(document: Any, address: str, source: str) -> dict[TaskName, Record]:
    """Return what a document remembers, which anybody may have written; an empty mapping remembers nothing.

    Raises InputError, which names ``source`` and the place in it, if it is not as a release has written it, of a newer
    schema, or not of the Enterprise Manager at ``address``.
    """
    if document == {}:
        return {}
    if not isinstance(document, dict) or not is_number(document.get("schema")):
        raise _damaged(source, "it is not a memory of aem_heal")
    if document["schema"] > SCHEMA:
        raise InputError(
            f"The memory ({source}) was written by a newer release of the collection (schema {document['schema']}, "
            f"this one knows {SCHEMA}). Nothing was done."
        )
    try:
        check_members("", document, ("schema", "enterprise_manager", "servers"))
        if document["schema"] != SCHEMA:
            raise Odd("schema", document["schema"], str(SCHEMA))
        owner = text_at("enterprise_manager", document["enterprise_manager"])
        memory = dict(_records_in(document["servers"]))
    except OddText as odd:
        raise _damaged(source, str(odd)) from odd
    if owner != address:
        raise InputError(
            f"The memory ({source}) belongs to another Enterprise Manager: {owner}, not {address}. Nothing was done."
        )
    return memory


def _records_in(servers: Any) -> Iterator[tuple[TaskName, Record]]:
    for server, tasks in mapping_at("servers", servers).items():
        name_at("servers", server)
        for name, item in mapping_at(f"servers/{server}", tasks).items():
            name_at(f"servers/{server}", name)
            yield TaskName(server, name), _record_in(f"servers/{server}/{name}", item)


def _record_in(where: str, item: Any) -> Record:
    check_members(where, item, ("restarts",), ("quarantined", "unfinished", "seen"))
    restarts: list[int] = []
    for number, value in enumerate(list_at(f"{where}/restarts", item["restarts"])):
        restarts.append(_seconds(f"{where}/restarts/{number}", value))
        if restarts[-1] < max(restarts):
            raise Odd(f"{where}/restarts/{number}", value, "a time after the one before it")
    unfinished = item.get("unfinished", False)
    if not isinstance(unfinished, bool):
        raise Odd(f"{where}/unfinished", unfinished, "true or false")
    since = _seconds(f"{where}/quarantined", item["quarantined"]) if "quarantined" in item else None
    seen = _seconds(f"{where}/seen", item["seen"]) if "seen" in item else None
    record = Record(tuple(restarts), since, unfinished, seen)
    if record.lasts and seen is None:
        raise Odd(where, item, "a mapping with seen, as it is in quarantine or unfinished")
    return record


def _seconds(where: str, value: Any) -> int:
    return seconds_of(utc_at(where, value))


def _damaged(source: str, why: str) -> InputError:
    return InputError(
        f"The memory ({source}) is damaged or was edited: {why}. Nothing was done.",
        "Correct it, or move it away to forget all restarts and quarantines.",
    )


class MemoryStore:
    """The memory of the Enterprise Manager at ``address``: in the file ``path``, or as it was ``given``.

    ``is_read_only``: the file is read, and neither locked nor written. What is noted is kept by many threads. Raises
    InputError, as all methods do.
    """

    def __init__(self, path: str | None, given: Any, address: str, is_read_only: bool) -> None:
        self._path = path and real_path(OPTION, path)
        self._given, self._address, self._is_read_only = given, address, is_read_only
        self._memory: dict[TaskName, Record] = {}
        self._lock, self._write_lock = threading.Lock(), threading.Lock()
        self._version = self._written = 0
        self.warnings: list[str] = []

    @contextlib.contextmanager
    def alone(self) -> Iterator[None]:
        """Keep a second run off the same file."""
        if self._path and not self._is_read_only:
            with locked(OPTION, self._path):
                yield
        else:
            yield

    def load(self) -> dict[TaskName, Record]:
        """Return what is remembered."""
        if self._path:
            text = read_private_file(OPTION, self._path, MOST_BYTES)
            try:
                document = {} if text is None else parsed(text)
            except NotJson as error:
                raise _damaged(self._path, str(error)) from error
            self._memory = read_memory(document, self._address, self._path)
        else:
            self._memory = read_memory(self._given or {}, self._address, "option memory")
        return dict(self._memory)

    def record(self, task: TaskName) -> Record:
        """Return what is remembered of a task."""
        with self._lock:
            return self._memory.get(task, Record())

    def save(self, memory: Memory) -> None:
        """Remember all of this instead, on the disk when this returns."""
        with self._lock:
            if self._is_read_only or memory == self._memory:
                return
            self._memory = dict(memory)
            self._version += 1
            version = self._version
        self._write(version)

    def note(self, task: TaskName, record: Record) -> None:
        """Remember this of a task, on the disk when this returns."""
        with self._lock:
            self._memory[task] = record
            self._version += 1
            version = self._version
        self._write(version)

    def finish(self, tasks: Iterable[TaskName]) -> None:
        """Remember of these tasks that their restarts came to their ends."""
        done = {task: finished(record) for task in tasks for record in [self.record(task)] if record.unfinished}
        self.save({**self._memory, **done})

    def _write(self, version: int) -> None:
        """Write the file, unless it holds this ``version`` already: threads that wait for one write share the next."""
        if not self._path:
            return
        with self._write_lock:
            if self._written >= version:
                return
            with self._lock:
                reached, document = self._version, self.document()
            for warning in write_atomically(OPTION, self._path, f"{json.dumps(document, indent=1)}\n"):
                if warning not in self.warnings:
                    self.warnings.append(warning)
            self._written = reached

    def document(self) -> dict[str, Any]:
        """Return what is remembered as a document."""
        return document_of(self._memory, self._address)
