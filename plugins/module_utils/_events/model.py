# Copyright (c) 2026, dataops.qlik_em contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is private to the collection.

"""What a round of reading has shown, what is remembered of the rounds before, and the events. Plain data, no calls."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any, NamedTuple

from .._client.api import Json
from .._fleets.selection import Listed
from .._tasks.model import TaskName

# States of a server beside those that Enterprise Manager gives (docs/enterprise_manager_api.md, 8.4).
MONITORED, NOT_MONITORED, FAILED = "MONITORED", "NOT_MONITORED", "ERROR"
NOT_LISTED = "NOT_LISTED"
TASK_ERROR = "ERROR"
NOT_EXIST = "NOT_EXIST"  # of a task: not on its server's list
REACHABLE, AWAY = "REACHABLE", "AWAY"  # of Enterprise Manager

# The types of events, and whether a problem begins with one.
TYPES = {
    "task_state": False,
    "task_error": True,
    "task_error_ended": False,
    "latency_high": True,
    "latency_high_ended": False,
    "table_error": True,
    "table_error_ended": False,
    "server_lost": True,
    "server_back": False,
    "license_low": True,
    "license_low_ended": False,
    "manager_lost": True,
    "manager_back": False,
}
# The members of an event, in their order: all in each, null where they say nothing.
MEMBERS = (
    *("id", "type", "problem", "first_look", "manager", "server", "task", "schema", "table"),
    *("before", "before_since", "after", "since", "value", "limit", "message", "stop_reason", "error_code", "text"),
)


class ServerReading(NamedTuple):
    """A server as a round has shown it; ``tasks`` and ``license_days`` are None if they were not read."""

    state: str
    message: str | None = None
    error_code: str | None = None
    tasks: tuple[Listed, ...] | None = None
    license_days: int | None = None


class Reading(NamedTuple):
    """What one round has shown. Of the tasks whose details or tables were read: seconds, and the tables in error."""

    servers: Mapping[str, ServerReading]
    latencies: Mapping[TaskName, float]
    tables: Mapping[TaskName, frozenset[tuple[str, str]]]


class Since(NamedTuple):
    """Whether something is a problem, and when it was first seen so."""

    is_problem: bool
    since: str


class TaskMemory(NamedTuple):
    """A task as it was seen last; ``late`` and ``broken`` (tables in error, since when) are None if never read."""

    state: str
    since: str
    tags: tuple[str, ...] = ()
    late: Since | None = None
    broken: Mapping[tuple[str, str], str] | None = None


class ServerMemory(NamedTuple):
    """A server as it was seen last; ``tasks`` is None if they were never read, ``low`` is of its licence."""

    state: str
    since: str
    tasks: Mapping[str, TaskMemory] | None = None
    low: Since | None = None


class Memory(NamedTuple):
    """All that was seen last; ``away_since`` is None while Enterprise Manager answers."""

    servers: Mapping[str, ServerMemory]
    away_since: str | None = None


NOTHING = Memory({})


def event(kind: str, manager: str, since: str, text: str, **members: Any) -> Json:
    """Return an event of a type. Its ``id`` is that of the same change whenever it is made."""
    names = (members.get(member) or "" for member in ("server", "task", "schema", "table"))
    key = "\n".join([manager, kind, since, *names])
    made = {
        "id": hashlib.sha256(key.encode("utf-8", "surrogatepass")).hexdigest()[:20],
        "type": kind,
        "problem": TYPES[kind],
        "first_look": members.get("before") is None,
        "manager": manager,
        "since": since,
        "text": text,
        **members,
    }
    return {member: made.get(member) for member in MEMBERS}


def as_json(memory: Memory) -> Json:
    """Return the memory as a file holds it."""
    return {
        "away_since": memory.away_since,
        "servers": {
            name: {
                "state": server.state,
                "since": server.since,
                "low": server.low,
                "tasks": None if server.tasks is None else {name: _task(one) for name, one in server.tasks.items()},
            }
            for name, server in memory.servers.items()
        },
    }


def _task(task: TaskMemory) -> list[Any]:
    broken = None if task.broken is None else [[*table, since] for table, since in task.broken.items()]
    return [task.state, task.since, list(task.tags), task.late, broken]


def from_json(document: Json) -> Memory:
    """Return the memory in a file. Raises what Python does (KeyError, TypeError, ValueError) if it is not one."""
    return Memory(
        {
            name: ServerMemory(
                str(server["state"]),
                str(server["since"]),
                None if server["tasks"] is None else {name: _from(one) for name, one in server["tasks"].items()},
                _since(server["low"]),
            )
            for name, server in document["servers"].items()
        },
        document["away_since"],
    )


def _from(row: list[Any]) -> TaskMemory:
    state, since, tags, late, broken = row
    tables = None if broken is None else {(schema, table): at for schema, table, at in broken}
    return TaskMemory(str(state), str(since), tuple(tags), _since(late), tables)


def _since(pair: list[Any] | None) -> Since | None:
    return None if pair is None else Since(bool(pair[0]), str(pair[1]))
