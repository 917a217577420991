# Copyright (c) 2026, dataops.qlik_em contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is private to the collection.

"""How far the application of a plan has come, and what was there before it: two files beside the plan.

What was there holds secrets as the server encrypts them, so that it is for nobody else to read.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple

from .._client.api import Json
from .._client.errors import InputError
from .._client.exact_json import dumps, number
from .._common.files import hold, locked, read_private_file, real_path, write_atomically
from .._common.places import place_of
from .._common.times import now
from .._tasks.model import TaskName
from .model import KINDS, TASKS, ObjectKey
from .plan_file import MOST_BYTES, OPTION

SCHEMA = 1
APPLYING, BACKING_OUT, APPLIED, BACKED_OUT = PHASES = ("applying", "backing_out", "applied", "backed_out")
OPEN = (APPLYING, BACKING_OUT)
Touched = tuple[str, str]  # a server, and a kind of objects on it
Left = tuple[tuple[ObjectKey, str], ...]  # what a back-out could not put back: the object, and what of it stays


class RunState(NamedTuple):
    """The application of the plan with the fingerprint ``plan``; ``ran`` are the tasks of its steps that ran before.

    ``touched`` is what a write was, or may have been, sent to; ``left`` what stayed when it was backed out.
    """

    plan: str
    since: str
    phase: str
    ran: tuple[TaskName, ...]
    touched: tuple[Touched, ...] = ()
    left: Left = ()

    @property
    def texts(self) -> list[str]:
        """What stayed, as results show it."""
        return [text for _key, text in self.left]

    @property
    def kept(self) -> list[ObjectKey]:
        """The tasks that kept something: with ``force`` they are deleted and imported anew."""
        return [key for key, _text in self.left if key.kind == TASKS]

    @property
    def is_open(self) -> bool:
        """Whether it was neither done as a whole nor backed out as a whole."""
        return self.phase in OPEN


Before = Mapping[ObjectKey, "Json | None"]  # what was there (None: nothing)


class RunStore:
    """The files of a plan, of the Enterprise Manager at ``address``. All methods raise InputError."""

    def __init__(self, plan: str, address: str) -> None:
        self.plan = real_path(OPTION, plan)
        self._address = address

    @property
    def journal(self) -> str:
        """The file in which the writes are noted."""
        return f"{self.plan}.journal"

    @property
    def backup(self) -> str:
        """The file with what was there before the first write."""
        return f"{self.plan}.before"

    @property
    def _path(self) -> str:
        return f"{self.plan}.run"

    @contextlib.contextmanager
    def alone(self) -> Iterator[None]:
        """Keep a second run off the same plan."""
        with locked(OPTION, self.plan):
            yield

    @contextlib.contextmanager
    def alone_on(self, servers: Iterable[str]) -> Iterator[None]:
        """Keep other plans off the same servers, as long as this user applies them on this machine."""
        with contextlib.ExitStack() as stack:
            folder = os.path.join(tempfile.gettempdir(), "qlik_em")
            place = stack.enter_context(place_of(OPTION, folder, "locked"))
            for server in sorted(set(servers)):
                digest = hashlib.sha256(dumps([self._address, server]).encode()).hexdigest()[:32]
                lock = place.beside(f"qlik_em-{os.geteuid()}-{digest}.lock")
                stack.enter_context(hold(lock, f'The server "{server}"', keep=False))
            yield

    def begin(self, plan: str, ran: tuple[TaskName, ...], before: Before) -> RunState:
        """Write what is there before the first write, then that the run begins. Return the run."""
        since = now()
        kept = [{**key._asdict(), "document": item} for key, item in before.items()]
        write_atomically(OPTION, self.backup, self._text(plan=plan, since=since, objects=kept))
        return self.save(RunState(plan, since, APPLYING, ran))

    def save(self, run: RunState) -> RunState:
        """Write how far a run has come; return it."""
        lists = {"ran": [list(one) for one in run.ran], "left": [[*key, text] for key, text in run.left]}
        write_atomically(OPTION, self._path, self._text(**{**run._asdict(), **lists}))
        return run

    def _text(self, **members: Any) -> str:
        about = {"schema": SCHEMA, "enterprise_manager": self._address}
        return dumps({**about, **members}, indent=1, ensure_ascii=False) + "\n"

    def load(self) -> RunState | None:
        """Return the last run of the plan, or of one that was in its place before; None if there was none."""
        kept = self._read(self._path)
        if kept is None:
            return None
        try:
            if kept["phase"] not in PHASES or not all(kind in KINDS for _server, kind in kept["touched"]):
                raise ValueError
            touched = tuple((str(server), str(kind)) for server, kind in kept["touched"])
            ran = tuple(TaskName(str(server), str(task)) for server, task in kept["ran"])
            left = tuple((ObjectKey(*map(str, key)), str(text)) for *key, text in kept["left"])
            return RunState(str(kept["plan"]), str(kept["since"]), kept["phase"], ran, touched, left)
        except (KeyError, TypeError, ValueError) as error:
            raise self._damaged(self._path) from error

    def load_before(self, run: RunState) -> Before:
        """Return what was there before a run."""
        kept = self._read(self.backup)
        if kept is None:
            raise InputError(
                f"{self.backup} is missing: what was there before the run of {run.since} is not known. Nothing was "
                "done.",
                f"Put the file back, or put the servers in order from a backup of theirs, then remove {self._path}.",
            )
        try:
            if (kept["plan"], kept["since"]) != (run.plan, run.since):
                raise ValueError
            return {
                ObjectKey(str(item["server"]), str(item["kind"]), str(item["name"])): item["document"]
                for item in kept["objects"]
            }
        except (KeyError, TypeError, ValueError) as error:
            raise self._damaged(self.backup) from error

    def _read(self, path: str) -> Json | None:
        text = read_private_file(OPTION, path, MOST_BYTES)
        if text is None:
            return None
        try:
            kept = json.loads(text, parse_float=number)
            schema, owner = kept["schema"], kept["enterprise_manager"]
        except (KeyError, TypeError, ValueError, RecursionError) as error:
            raise self._damaged(path) from error
        if schema != SCHEMA:
            raise InputError(f"{path} was written by another release of the collection. Nothing was done.")
        if owner != self._address:
            raise InputError(
                f"{path} is of another Enterprise Manager: {owner}, not {self._address}. Nothing was done.",
                "Give each Enterprise Manager a plan of its own.",
            )
        return dict(kept)

    def _damaged(self, path: str) -> InputError:
        return InputError(
            f"{path} is damaged. Nothing was done.",
            f"Look at the journal ({self.journal}) for what was sent, and put the file back from a copy.",
        )
