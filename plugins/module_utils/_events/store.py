# Copyright (c) 2026, dataops.qlik_em contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is private to the collection.

"""The state file: what was seen last, and the events of the last change, of which each is ticked off as it is given.

The first line is a document in JSON, written as a whole or not at all. Each event that the rulebook has taken adds a
line. So a source that is killed at any moment loses no event, and gives at most one, with the same id, again.
"""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Iterator
from typing import Any

from .._client.api import Json
from .._client.errors import InputError
from .._common.files import locked, open_to_append, read_file, real_path, write_atomically
from .model import MEMBERS, NOTHING, Memory, as_json, from_json

FORMAT = 1
TICK = "given\n"


class Store:
    """The state in a file, for the Enterprise Manager at ``manager``; without ``path`` nothing is kept."""

    def __init__(self, path: str | None, manager: str) -> None:
        # Links are followed once, here: the lock is beside the file itself, for whoever shares it.
        self._path = path and real_path("state_file", path)
        self._manager = manager
        self._ticks: int | None = None  # the file, open to append

    @contextlib.contextmanager
    def alone(self) -> Iterator[None]:
        """Keep a second source off the same file; raise InputError if there is one."""
        try:
            if self._path:
                with locked("state_file", self._path):
                    yield
            else:
                yield
        finally:
            self._close()

    def load(self) -> tuple[Memory, list[Json]]:
        """Return what was seen last, and the events that have not been given; raise InputError if it is unusable."""
        text = read_file("state_file", self._path) if self._path else None
        if not text:
            return NOTHING, []
        first, *ticks = text.splitlines(keepends=True)
        try:
            document = json.loads(first)
            if document["format"] != FORMAT or document["manager"] != self._manager:
                raise InputError(
                    f"state_file ({self._path}) belongs to {document['manager']} (format {document['format']}), not "
                    f"to {self._manager} (format {FORMAT}). Use a separate file for each Enterprise Manager."
                )
            memory = from_json(document)
            events = [{member: one.get(member) for member in MEMBERS} for one in document["events"]]
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
            raise InputError(
                f"state_file ({self._path}) does not contain the state of this source. Remove it to start over; "
                "changes in the meantime are then not reported."
            ) from error
        return memory, events[ticks.count(TICK) :]

    def save(self, memory: Memory, events: list[Json]) -> None:
        """Note what was seen, and the events that are to be given now; raise InputError if that cannot be."""
        if not self._path:
            return
        self._close()
        document: dict[str, Any] = {"format": FORMAT, "manager": self._manager, **as_json(memory), "events": events}
        write_atomically("state_file", self._path, json.dumps(document) + "\n")
        if events:
            self._ticks = open_to_append("state_file", self._path)

    def tick(self) -> None:
        """Note that the next event was given."""
        if self._ticks is not None:
            with contextlib.suppress(OSError):  # a full disk: the event may be given again
                os.write(self._ticks, TICK.encode())

    def _close(self) -> None:
        if self._ticks is not None:
            os.close(self._ticks)
            self._ticks = None
