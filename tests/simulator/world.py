# Copyright (c) 2026, dataops.qlik_em contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The state of the pretended installation: servers and sessions, as they are right now."""

from __future__ import annotations

import asyncio
import datetime
import heapq
import itertools
import secrets
import uuid
from collections import deque
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from typing import Any

from . import rights, views_resources
from .checks import InputError
from .document import Document
from .document_access import Acl, User
from .live import Clock, LiveEndpoint, LiveServer, LiveTask

MOST_AUDITED = 50_000  # records of the audit trail that are kept


@dataclass
class Session:
    """One login. It dies `session_idle_seconds` after `last_used` (monotonic seconds)."""

    user: User
    last_used: float
    # GetServer's stand-ins for passwords: GUID -> server. They are good in this session only
    # (docs/enterprise_manager_api.md, 6.3).
    passwords: dict[str, str] = field(default_factory=dict)

    def password_guid(self, server: str) -> str:
        """The GUID for the stored password of a server."""
        for guid, name in self.passwords.items():
            if name == server:
                return guid
        guid = str(uuid.uuid4())
        self.passwords[guid] = server
        return guid


@dataclass
class Tally:
    """What happened since the last reset."""

    logins: int = 0
    failed_logins: int = 0
    logouts: int = 0
    most_calls: int = 0  # at the same time
    turned_away: int = 0  # as there were too many


@dataclass
class World:
    """Everything that a reset throws away."""

    document: Document
    clock: Clock
    servers: dict[str, LiveServer] = field(default_factory=dict)
    sessions: dict[str, Session] = field(default_factory=dict)
    tally: Tally = field(default_factory=Tally)
    over: bool = False  # replaced by another world; requests that still wait in it give up
    # Servers that were registered and then deleted, by host: Replicate itself goes on (assumption at DeleteServer)
    unregistered: dict[str, LiveServer] = field(default_factory=dict)
    audit: deque[dict[str, Any]] = field(default_factory=lambda: deque(maxlen=MOST_AUDITED))

    def __post_init__(self) -> None:
        self.servers = {server.name: LiveServer(server, self.clock) for server in self.document.servers}
        self._pending: list[tuple[float, int, Callable[[], None]]] = []
        self._numbers = itertools.count()
        self._waiting: set[asyncio.Future[None]] = set()
        self.born = datetime.datetime.now(datetime.timezone.utc), self.clock()

    # Time

    def later(self, seconds: float, work: Callable[[], None]) -> None:
        """Do something once `seconds` have passed; at once with 0. It is done at the next access, not by a timer."""
        if seconds <= 0:
            work()
        else:
            heapq.heappush(self._pending, (self.clock() + seconds, next(self._numbers), work))

    def do_due_work(self) -> None:
        """Do what is due. To be called before the state is read."""
        while self._pending and self._pending[0][0] <= self.clock():
            heapq.heappop(self._pending)[2]()

    async def pause(self, seconds: float) -> None:
        """Wait; the end of this world ends it early."""
        future = asyncio.get_running_loop().create_future()
        self._waiting.add(future)
        try:
            await asyncio.wait({future}, timeout=max(0.0, seconds))
        finally:
            self._waiting.discard(future)

    def wall_time(self, at: float) -> datetime.datetime:
        """The UTC time of a moment of the monotonic clock."""
        then, started = self.born
        return then + datetime.timedelta(seconds=at - started)

    # Servers

    def knows(self, server: str, kind: str | None = None, name: str = "") -> bool:
        """Whether the server (kind None) or its task or endpoint (kind "tasks" or "endpoints") exists.

        Names are case-sensitive (docs/enterprise_manager_api.md, 5.2).
        """
        live = self.servers.get(server)
        if live is None or kind is None:
            return live is not None
        return name in (live.tasks if kind == "tasks" else live.endpoints)

    def acls(self, server: str) -> dict[rights.Scope, Acl]:
        """The explicit ACLs on a server and below it."""
        live = self.servers.get(server)
        return live.acls if live else {}

    def may(self, user: User, role: str, scope: rights.Scope) -> bool:
        """Whether the user has at least `role` on an object."""
        return rights.holds(user, role, scope, self.acls(scope[1]) if len(scope) > 1 else {})

    def server(self, name: str) -> LiveServer:
        """For the control address; the API has its own refusals."""
        self.do_due_work()
        if name not in self.servers:
            raise InputError(f"there is no server {name!r}; there are {', '.join(sorted(self.servers))}")
        return self.servers[name]

    def task(self, server: str, name: str) -> LiveTask:
        """For the control address; the API has its own refusals."""
        tasks = self.server(server).tasks
        if name not in tasks:
            raise InputError(f"there is no task {name!r} on {server!r}; there are {', '.join(sorted(tasks))}")
        return tasks[name]

    def endpoint(self, server: str, name: str) -> LiveEndpoint:
        """For the control address; the API has its own refusals."""
        endpoints = self.server(server).endpoints
        if name not in endpoints:
            raise InputError(f"there is no endpoint {name!r} on {server!r}; there are {', '.join(sorted(endpoints))}")
        return endpoints[name]

    # Sessions

    def open_session(self, user: User) -> str:
        """Log the user in; 16 random bytes give the 22 URL-safe characters of all samples."""
        token = secrets.token_urlsafe(16)
        self.sessions[token] = Session(user, self.clock())
        self.tally.logins += 1
        return token

    def session(self, token: str | None) -> Session | None:
        """The living session of a token, its life renewed; None if there is none."""
        session = self.sessions.get(token or "")
        if session is None:
            return None
        now = self.clock()
        if now - session.last_used > self.document.options.session_idle_seconds:
            del self.sessions[token or ""]
            return None
        session.last_used = now
        return session

    def open_sessions(self) -> int:
        """How many sessions live."""
        oldest = self.clock() - self.document.options.session_idle_seconds
        return sum(session.last_used >= oldest for session in self.sessions.values())

    # The whole

    def end(self) -> None:
        """Send home the requests that wait in this world."""
        self.over = True
        for future in self._waiting:
            if not future.done():
                future.set_result(None)
        for server in (*self.servers.values(), *self.unregistered.values()):
            for task in server.tasks.values():
                task.wake()

    def snapshot(self) -> dict[str, Any]:
        """The present state, for the control address."""
        self.do_due_work()
        return {
            "options": asdict(self.document.options),
            "variants": asdict(self.document.variants),
            "servers": {name: views_resources.server_state(server) for name, server in self.servers.items()},
        }

    def snapshot_of_task(self, server: str, name: str) -> dict[str, Any]:
        """One task as it is now."""
        return views_resources.task_state(self.server(server), self.task(server, name))

    def inside_task(self, server: str, name: str) -> dict[str, Any]:
        """A task's definition, tables and change data."""
        return views_resources.task_inside(self.task(server, name), self.clock())
