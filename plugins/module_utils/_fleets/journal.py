# Copyright (c) 2026, dataops.qlik_em contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is private to the collection.

"""A journal of writes: what a run that was killed has done, and what nobody can know."""

from __future__ import annotations

import contextlib
import errno
import json
import os
import threading
import time
from collections.abc import Iterator, Mapping
from datetime import datetime, timezone
from pathlib import Path
from typing import Any, NamedTuple

from .._client.api import Api
from .._client.client import Answer, Client
from .._client.errors import AemError, ApiError, InputError
from .._common.files import locked

SCHEMA = 1
BEGIN = '{"event": "'  # of each line
Task = tuple[str, str]  # server and name


class Doubt(NamedTuple):
    """A write of which nobody knows what became: the call, and when it was about to be sent (seconds since 1970)."""

    call: str
    time: float

    def time_left(self, limit: float) -> float:
        """Return how long (seconds) it may still take effect, if ``limit`` seconds are enough for that."""
        return max(0.0, min(limit, self.time + limit - time.time()))


class Known(NamedTuple):
    """What the run before has left: ``continues`` if it wanted the same and did not come to its end.

    ``done`` are the tasks that it was through with then; ``doubts`` are left whatever it wanted.
    """

    continues: bool = False
    done: frozenset[Task] = frozenset()
    doubts: Mapping[Task, Doubt] = {}


class Journal:
    """Appends a JSON line before and after each write, each on the disk before the write is sent. Safe for threads."""

    def __init__(self, path: str, known: Known) -> None:
        self.known = known
        self._path = path
        descriptor = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT, 0o600)
        self._file = open(descriptor, "ab", buffering=0)  # noqa: SIM115 (see close)
        _drop_cut_line(path)
        self._lock = threading.Lock()

    def note(self, event: str, **members: Any) -> None:
        """Append a line; raise InputError if that is not possible.

        Not if it tells of what is over: without the line the next run has its doubts, and looks.
        """
        now = datetime.now(timezone.utc)
        text = json.dumps({"event": event, "time": now.isoformat(timespec="milliseconds"), **members})
        line = text.encode() + b"\n"
        with self._lock:
            begin = os.fstat(self._file.fileno()).st_size
            try:
                if self._file.write(line) < len(line):
                    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
                if event == "before":  # what is sent must be known after a power cut, too
                    os.fsync(self._file.fileno())
            except OSError as error:
                with contextlib.suppress(OSError):
                    os.ftruncate(self._file.fileno(), begin)  # or what was not sent would be in doubt
                if event not in ("after", "task"):
                    raise _unwritable(self._path, error) from error

    def close(self) -> None:
        """Close the file."""
        self._file.close()


def _unwritable(path: str, error: OSError) -> InputError:
    return InputError(
        f"journal ({path}) cannot be written: {error.strerror}.",
        "Nothing is sent that cannot be noted before. Make room, then run this again.",
    )


@contextlib.contextmanager
def open_journal(path: str, address: str, wish: str) -> Iterator[Journal]:
    """Read and lock a journal, and begin a new run in it that wants ``wish`` of the Enterprise Manager at ``address``.

    Raises InputError if the file is damaged, of another Enterprise Manager or a newer schema, or in use.
    """
    with locked("journal", path):
        known = read_journal(path, address, wish)
        try:
            journal = Journal(path, known)
        except OSError as error:
            raise _unwritable(path, error) from error
        with contextlib.closing(journal):
            journal.note("run", schema=SCHEMA, enterprise_manager=address, wish=wish, continues=known.continues)
            yield journal


def read_journal(path: str, address: str, wish: str) -> Known:
    """Return what a journal tells to a run that wants ``wish``. Raises InputError as ``open_journal`` does."""
    try:
        text = Path(path).read_text(encoding="utf-8")
    except FileNotFoundError:
        return Known()
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else "it is no text in UTF-8"
        raise InputError(f"journal ({path}) cannot be read: {why}.") from error
    *lines, cut = text.split("\n")
    if cut[: len(BEGIN)] != BEGIN[: len(cut)]:
        lines.append(cut)  # somebody else's file, which is not to be touched
    # Otherwise a crash has cut it, and it is no line: a write is sent only when its line is whole and on the disk.
    last_wish = ""
    done: set[Task] = set()
    doubts: dict[Task, Doubt] = {}
    for number, line in enumerate(lines, start=1):
        try:
            entry = json.loads(line)
            event = entry["event"]
            if event == "run":
                _check_run(path, address, entry)
                last_wish, done = entry["wish"], (done if entry["continues"] else set())
            elif event == "end":
                last_wish, done, doubts = "", set(), {}
            elif event == "task":
                done.add((entry["server"], entry["name"]))
                doubts.pop((entry["server"], entry["name"]), None)
            elif event == "before":
                noted = datetime.fromisoformat(entry["time"]).timestamp()
                doubts[entry["server"], entry["name"]] = Doubt(entry["call"], noted)
            elif event == "after" and entry["known"] and (entry["call"] == "StopTask" or "error_code" in entry):
                doubts.pop((entry["server"], entry["name"]), None)  # a start is through only when its task is
        except (ValueError, KeyError, TypeError) as error:
            raise InputError(
                f"journal ({path}) is damaged at line {number}. Look at it, then move it away to start anew."
            ) from error
    continues = last_wish == wish
    return Known(continues, frozenset(done if continues else ()), doubts)


def came_to_end(path: str, address: str, wish: str) -> bool:
    """Return whether there is no journal, or the last run in it wanted ``wish`` and did all of it."""
    read_journal(path, address, wish)  # to refuse one that is not ours
    if not os.path.exists(path):
        return True
    entries = [json.loads(line) for line in Path(path).read_text(encoding="utf-8").split("\n")[:-1]]
    wishes = [entry["wish"] for entry in entries if entry["event"] == "run"]
    return not wishes or (wishes[-1] == wish and entries[-1]["event"] == "end")


def _drop_cut_line(path: str) -> None:
    """Remove what a crash has left of a last line, or the next one would be glued to it."""
    content = Path(path).read_bytes()
    os.truncate(path, content.rfind(b"\n") + 1)


def _check_run(path: str, address: str, entry: dict[str, Any]) -> None:
    if entry["schema"] > SCHEMA:
        raise InputError(f"journal ({path}) was written by a newer release (schema {entry['schema']}).")
    if entry["enterprise_manager"] != address:
        raise InputError(f"journal ({path}) is of another Enterprise Manager: {entry['enterprise_manager']}.")


class JournaledApi(Api):
    """The API, with a line in the journal before and after each write to a task."""

    def __init__(self, client: Client, journal: Journal) -> None:
        super().__init__(client)
        self._journal = journal

    def run_task(
        self, server: str, task: str, option: str, timeout: int, cdc_position: str | None, accept: tuple[str, ...]
    ) -> Answer:
        """RunTask, as ``Api.run_task``."""
        with self._noted("RunTask", server, task):
            return super().run_task(server, task, option, timeout, cdc_position, accept)

    def stop_task(self, server: str, task: str, timeout: int, accept: tuple[str, ...]) -> Answer:
        """StopTask, as ``Api.stop_task``."""
        with self._noted("StopTask", server, task):
            return super().stop_task(server, task, timeout, accept)

    @contextlib.contextmanager
    def _noted(self, call: str, server: str, name: str) -> Iterator[None]:
        about = {"call": call, "server": server, "name": name}
        self._journal.note("before", **about)
        try:
            yield
        except ApiError as error:
            self._journal.note("after", known=True, error_code=self.client.masked(error.error_code), **about)
            raise
        except AemError as error:
            msg = self.client.masked(error.message)
            self._journal.note("after", known=not getattr(error, "sent", False), msg=msg, **about)
            raise
        self._journal.note("after", known=True, **about)
