# Copyright (c) 2026, dataops.qlik_em contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The state of the pretended installation: servers, tasks and sessions, as they are right now."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from typing import Any

from . import timeline, views
from .checks import InputError, change
from .document import Document, Server, Task, User
from .timeline import Phase, Timeline

Clock = Callable[[], float]


class LiveTask:
    """A task that lives: its settings, its timeline and what was done to it."""

    def __init__(self, settings: Task, clock: Clock) -> None:
        self.settings = settings
        self.clock = clock
        self.timeline: Timeline = timeline.begin(settings, clock())
        self.actions = 0  # raised by every run, stop and patch, so that a waiting request sees it was overtaken
        self.runs: list[dict[str, Any]] = []
        self.stops = 0
        self._waiting: set[asyncio.Future[None]] = set()

    @property
    def phase(self) -> Phase:
        """The phase in force."""
        return timeline.current(self.timeline, self.clock())

    @property
    def memory_mb(self) -> int:
        """The memory sample that the API tells now."""
        return timeline.memory_mb(self.settings, self.timeline, self.clock())

    def follow(self, new: Timeline) -> None:
        """Take over a new timeline and wake those who wait for the old one."""
        self.timeline = new
        self.actions += 1
        self.wake()

    def wake(self) -> None:
        """Let every waiting request look again."""
        for future in self._waiting:
            if not future.done():
                future.set_result(None)

    async def next_change(self, until: float) -> None:
        """Wait for the next phase, for another action, or until the time `until`, whichever is first."""
        now = self.clock()
        due = timeline.next_change(self.timeline, now)
        future = asyncio.get_running_loop().create_future()
        self._waiting.add(future)
        try:
            await asyncio.wait({future}, timeout=max(0.0, min(until, until if due is None else due) - now))
        finally:
            self._waiting.discard(future)

    def patch(self, value: Any, where: str) -> None:
        """Change settings. A new state, reason or message takes effect at once; so does getting unstuck."""
        changed = change(self.settings, value, where, fixed=("name",))
        now, phase = self.clock(), self.phase
        if changed.keys() & {"state", "stop_reason", "message"}:
            # What is not given stays as it is now; but reason and message do not outlive the state they belong to.
            same_state = "state" not in changed
            self.settings.state = changed.get("state", phase.state)
            self.settings.stop_reason = changed.get("stop_reason", phase.stop_reason if same_state else None)
            self.settings.message = changed.get("message", phase.message if same_state else "")
            self.follow((*timeline.past(self.timeline, now), *timeline.begin(self.settings, now)))
        elif changed.get("stuck_in_stopping") is False and phase.state == timeline.STOPPING:
            self.follow(timeline.stopped(self.settings, self.timeline, now, phase.shown == phase.state))
        elif changed.get("stuck_in_starting") is False and phase.state == timeline.STARTING:
            self.follow(timeline.started(self.settings, self.timeline, now, phase.shown == phase.state))


class LiveServer:
    """A server and its tasks by name."""

    def __init__(self, settings: Server, clock: Clock) -> None:
        self.settings = settings
        self.tasks = {task.name: LiveTask(task, clock) for task in settings.tasks}


@dataclass
class Session:
    """One login. It dies `session_idle_seconds` after `last_used` (monotonic seconds)."""

    user: User
    last_used: float


@dataclass
class Tally:
    """What happened since the last reset."""

    logins: int = 0
    failed_logins: int = 0
    logouts: int = 0


@dataclass
class World:
    """Everything that a reset throws away."""

    document: Document
    clock: Clock
    servers: dict[str, LiveServer] = field(default_factory=dict)
    sessions: dict[str, Session] = field(default_factory=dict)
    tally: Tally = field(default_factory=Tally)
    over: bool = False  # replaced by another world; requests that still wait in it give up

    def __post_init__(self) -> None:
        self.servers = {server.name: LiveServer(server, self.clock) for server in self.document.servers}

    def knows(self, server: str, task: str | None) -> bool:
        """Whether the server (task None) or the task exists. Names are case-sensitive (assumption, notes 5)."""
        live = self.servers.get(server)
        return live is not None and (task is None or task in live.tasks)

    def server(self, name: str) -> LiveServer:
        """For the control address; the API has its own refusals."""
        if name not in self.servers:
            raise InputError(f"there is no server {name!r}; there are {', '.join(sorted(self.servers))}")
        return self.servers[name]

    def task(self, server: str, name: str) -> LiveTask:
        """For the control address; the API has its own refusals."""
        tasks = self.server(server).tasks
        if name not in tasks:
            raise InputError(f"there is no task {name!r} on {server!r}; there are {', '.join(sorted(tasks))}")
        return tasks[name]

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

    def end(self) -> None:
        """Send home the requests that wait for a task of this world."""
        self.over = True
        for server in self.servers.values():
            for task in server.tasks.values():
                task.wake()

    def snapshot(self) -> dict[str, Any]:
        """The present state, for the control address."""
        return {
            "options": asdict(self.document.options),
            "servers": {
                name: {
                    **views.server_info(server.settings),
                    "tasks": {task: self.snapshot_of_task(name, task) for task in server.tasks},
                }
                for name, server in self.servers.items()
            },
        }

    def snapshot_of_task(self, server: str, name: str) -> dict[str, Any]:
        """One task as it is now."""
        task, phase = self.task(server, name), self.task(server, name).phase
        return {
            "state": phase.state,
            "shown": phase.shown,
            "stop_reason": views.stop_reason(self.server(server).settings, phase),
            "message": phase.message,
            "memory_mb": task.memory_mb,
            "runs": list(task.runs),
            "stops": task.stops,
        }
