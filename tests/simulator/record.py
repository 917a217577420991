# Copyright (c) 2026, dataops.qlik_em contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The record of every request, so that tests can assert what was sent, and what was not."""

from __future__ import annotations

import datetime
from collections import deque
from dataclasses import asdict, dataclass, field
from typing import Any

MOST = 50_000  # requests that are kept; older ones are forgotten


@dataclass
class Entry:
    """One request. `status` is None while no answer was sent (or none ever will be)."""

    seq: int
    time: str  # ISO 8601, UTC
    monotonic: float  # seconds
    connection: int  # the number of the TCP connection
    method: str
    raw_path: str  # the request target as on the wire, with the query
    path: str  # decoded once, without the query
    query: dict[str, str] = field(default_factory=dict)
    headers: dict[str, str] = field(default_factory=dict)  # names as sent
    body: str = ""
    operation: str | None = None
    server: str | None = None
    task: str | None = None
    endpoint: str | None = None
    session: str | None = None  # the token that was sent
    user: str | None = None  # whose session it is
    fault: str | None = None
    status: int | None = None
    error_code: str | None = None
    executed: bool = False  # the method's work was done on the state
    seconds: float | None = None  # until the answer was ready


class Record:
    """All entries since the last clearing."""

    def __init__(self) -> None:
        self.entries: deque[Entry] = deque(maxlen=MOST)
        self._seq = 0

    def open(self, **members: Any) -> Entry:
        """Note a request that has just arrived."""
        self._seq += 1
        now = datetime.datetime.now(datetime.timezone.utc)
        entry = Entry(seq=self._seq, time=now.isoformat(timespec="milliseconds"), **members)
        self.entries.append(entry)
        return entry

    def clear(self) -> None:
        """Forget everything; numbers start at 1 again."""
        self.entries.clear()
        self._seq = 0

    def as_list(self) -> list[dict[str, Any]]:
        """Copies of all entries, oldest first."""
        return [asdict(entry) for entry in self.entries]
