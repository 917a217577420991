# Copyright (c) 2026, dataops.qlik_em contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is private to the collection.

"""A journal of writes: what a run that was killed has done, and what nobody can know."""

from __future__ import annotations

import contextlib
import errno
import io
import json
import os
import threading
import time
from collections.abc import Iterator, Mapping
from datetime import datetime, timezone
from typing import Any, NamedTuple

from .._client.api import Api
from .._client.calls import Answer
from .._client.client import Client
from .._client.errors import AemError, ApiError, InputError
from .._common.clock import boot_id, monotonic_of, uptime
from .._common.files import locked, open_to_append, read_file
from .._tasks.model import STOP_TIMEOUT, TaskName

SCHEMA = 1
BEGIN = '{"event": "'  # of each line


class UnconfirmedWrite(NamedTuple):
    """A write of which nobody knows what became.

    ``since`` is when the last thing was heard of it (monotonic seconds), ``timeout`` the server's own time limit for
    it (None: not known). ``goes_on``: the server has said, or shown, that it takes longer than that.
    """

    call: str
    since: float
    timeout: float | None = None
    goes_on: bool = False

    def time_left(self, limit: float) -> float:
        """Return how long (seconds) it may still take effect, if ``limit`` seconds are enough for that."""
        return max(0.0, min(limit, self.since + limit - time.monotonic()))


class JournalState(NamedTuple):
    """What the run before has left: ``continues`` if it wanted the same operation and did not come to its end.

    ``done`` are the tasks that it had finished then; ``unconfirmed`` are left whatever it wanted. ``has_ended`` is
    whether there was no run before, or one that wanted the same and did all of it.
    """

    continues: bool = False
    done: frozenset[TaskName] = frozenset()
    unconfirmed: Mapping[TaskName, UnconfirmedWrite] = {}
    has_ended: bool = True


class Journal:
    """Appends a JSON line before and after each write, the former on the disk before the write is sent.

    Safe for threads.
    """

    def __init__(self, path: str, state: JournalState) -> None:
        self.state = state
        self._path = path
        self._file = open(open_to_append("journal", path), "a+b", buffering=0)  # noqa: SIM115 (see close)
        _drop_cut_line(self._file)
        self._size = self._synced = self._file.seek(0, os.SEEK_END)  # bytes in the file, and on the disk for sure
        self._lock, self._sync_lock = threading.Lock(), threading.Lock()
        self._broken: OSError | None = None  # why nothing more can be known to be on the disk
        self.boot = boot_id()

    def note(self, event: str, **members: Any) -> None:
        """Append a line; raise InputError if that is not possible.

        Not if it notes what is over: without the line the next run takes the write for unconfirmed, and reads.
        """
        now = datetime.now(timezone.utc).isoformat(timespec="milliseconds")  # for people; the uptime is what counts
        text = json.dumps({"event": event, "time": now, "uptime": round(uptime(), 3), **members})
        try:
            end = self._append(text.encode() + b"\n")
            if event == "before":  # what is sent must be known after a power cut, too
                self._sync(end)
        except OSError as error:
            if event not in ("after", "task"):
                raise _unwritable(self._path, error) from error

    def _append(self, line: bytes) -> int:
        """Write a whole line or nothing; return where it ends."""
        with self._lock:
            if self._broken:
                raise self._broken
            try:
                if self._file.write(line) < len(line):
                    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            except OSError:
                self._cut(self._size)
                raise
            self._size += len(line)
            return self._size

    def _sync(self, end: int) -> None:
        """Return when all up to ``end`` is on the disk. Those who wait while one thread syncs share the next sync."""
        with self._sync_lock:
            if self._broken:
                raise self._broken
            if self._synced >= end:
                return
            reached = self._size
            try:
                os.fsync(self._file.fileno())
            except OSError as error:
                with self._lock:  # a second sync might succeed although the first has lost the lines
                    self._broken = error
                    self._cut(self._synced)
                raise
            self._synced = reached

    def _cut(self, size: int) -> None:
        with contextlib.suppress(OSError):
            os.ftruncate(self._file.fileno(), size)  # or what was not sent would be unconfirmed

    def close(self) -> None:
        """Close the file."""
        self._file.close()


def _unwritable(path: str, error: OSError) -> InputError:
    return InputError(
        f"journal ({path}) cannot be written: {error.strerror}.",
        "Nothing is sent before it is noted in the journal. Free disk space or fix the permissions, then run this "
        "again.",
    )


@contextlib.contextmanager
def open_journal(path: str, address: str, operation: str) -> Iterator[Journal]:
    """Read and lock a journal, and begin a new run of ``operation`` in it, of the Enterprise Manager at ``address``.

    Raises InputError if the file is damaged, of another Enterprise Manager or a newer schema, or in use.
    """
    with locked("journal", path):
        state = read_journal(path, address, operation)
        with contextlib.closing(Journal(path, state)) as journal:
            about = {"schema": SCHEMA, "enterprise_manager": address, "operation": operation}
            journal.note("run", **about, boot=journal.boot, continues=state.continues)
            yield journal


def read_journal(path: str, address: str, operation: str) -> JournalState:
    """Return what a journal holds for a run of ``operation``. Raises InputError as ``open_journal`` does."""
    before, is_over = "", True  # the operation of the run before, and whether it came to its end
    boot: str | None = None  # the start of the machine on which it ran, if that is known
    done: set[TaskName] = set()
    unconfirmed: dict[TaskName, UnconfirmedWrite] = {}
    for number, line in enumerate(_lines(path), start=1):
        try:
            entry = json.loads(line)
            event = entry["event"]
            if event == "run":
                _check_run(path, address, entry)
                before, is_over, boot = entry["operation"], False, entry.get("boot")
                done = done if entry["continues"] else set()
            elif event == "end":
                is_over, done, unconfirmed = True, set(), {}
            elif event == "task":
                done.add(_task_in(entry))
                unconfirmed.pop(_task_in(entry), None)
            elif event == "before":
                since = monotonic_of(boot, entry.get("uptime"))
                unconfirmed[_task_in(entry)] = UnconfirmedWrite(entry["call"], since, _seconds(entry.get("timeout")))
            elif event == "after" and _is_without_effect(entry):
                unconfirmed.pop(_task_in(entry), None)
            elif event in ("after", "left") and entry["call"] == "StopTask" and _task_in(entry) in unconfirmed:
                # Also if it was answered: until the task was seen to end (event task), the stop may go on.
                goes_on = event == "left" or entry.get("goes_on") is True
                unconfirmed[_task_in(entry)] = unconfirmed[_task_in(entry)]._replace(
                    since=monotonic_of(boot, entry.get("uptime")), goes_on=goes_on
                )
        except (ValueError, KeyError, TypeError, RecursionError) as error:
            raise _damaged(path, number) from error
    continues = before == operation and not is_over
    has_ended = before in ("", operation) and is_over
    return JournalState(continues, frozenset(done if continues else ()), unconfirmed, has_ended)


def _lines(path: str) -> list[str]:
    """Return the lines of a journal that are whole; none if there is no journal. Raises InputError."""
    text = read_file("journal", path)
    if text is None:
        return []
    *lines, cut = text.split("\n")
    if cut[: len(BEGIN)] != BEGIN[: len(cut)]:
        raise _damaged(path, len(lines) + 1)  # somebody else's file, which is not to be touched
    # Otherwise a crash has cut it, and it is not a line: a write is sent only when its line is whole and on the disk.
    return lines


def _damaged(path: str, number: int) -> InputError:
    return InputError(f"journal ({path}) is damaged at line {number}. Look at it, then move it away to start over.")


def _task_in(entry: Mapping[str, Any]) -> TaskName:
    return TaskName(entry["server"], entry["name"])


def _is_without_effect(entry: Mapping[str, Any]) -> bool:
    """Return whether the line after a write says that it has changed nothing."""
    is_unsent_stop = entry["call"] == "StopTask" and "msg" in entry
    return bool(entry["known"] and ("error_code" in entry or is_unsent_stop))


def _seconds(value: Any) -> float | None:
    return float(value) if isinstance(value, (int, float)) and not isinstance(value, bool) else None


def _drop_cut_line(file: io.FileIO) -> None:
    """Remove what a crash has left of a last line, or the next one would be glued to it."""
    file.seek(0)
    file.truncate(file.readall().rfind(b"\n") + 1)


def _check_run(path: str, address: str, entry: Mapping[str, Any]) -> None:
    if entry["schema"] > SCHEMA:
        raise InputError(f"journal ({path}) was written by a newer release (schema {entry['schema']}).")
    if entry["enterprise_manager"] != address:
        raise InputError(f"journal ({path}) belongs to another Enterprise Manager: {entry['enterprise_manager']}.")


class JournaledApi(Api):
    """The API, with a line in the journal before and after each write to a task."""

    def __init__(self, client: Client, journal: Journal) -> None:
        super().__init__(client)
        self._journal = journal

    def run_task(
        self, server: str, task: str, option: str, timeout: int, cdc_position: str | None, accept: tuple[str, ...]
    ) -> Answer:
        """RunTask, as ``Api.run_task``."""
        with self.noted("RunTask", server, task, timeout):
            return super().run_task(server, task, option, timeout, cdc_position, accept)

    def stop_task(self, server: str, task: str, timeout: int, accept: tuple[str, ...]) -> Answer:
        """StopTask, as ``Api.stop_task``."""
        with self.noted("StopTask", server, task, timeout) as after:
            answer = super().stop_task(server, task, timeout, accept)
            if answer.error_code == STOP_TIMEOUT:
                after["goes_on"] = True  # (docs/enterprise_manager_api.md, 6.15)
            return answer

    @contextlib.contextmanager
    def noted(self, call: str, server: str, name: str, timeout: int, **more: Any) -> Iterator[dict[str, Any]]:
        """Note a call before and after it; what the block adds to the members it gets is noted after it."""
        about: dict[str, Any] = {"call": call, "server": server, "name": name, **more}
        self._journal.note("before", **about, timeout=timeout)
        try:
            yield about
        except ApiError as error:
            self._journal.note("after", known=True, error_code=self.client.masked(error.error_code), **about)
            raise
        except AemError as error:
            msg = self.client.masked(error.message)
            self._journal.note("after", known=not getattr(error, "sent", False), msg=msg, **about)
            raise
        self._journal.note("after", known=True, **about)
