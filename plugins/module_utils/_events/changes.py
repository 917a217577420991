# Copyright (c) 2026, dataops.qlik_em contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is private to the collection.

"""What has changed from one round to the next: pure functions, of which each event comes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from .._client.api import Json
from .._client.errors import AemError
from .._common.patterns import is_literal, is_selected, matches
from .._fleets.selection import Listed, Selector, Selectors
from .._tasks.model import TaskName, TaskSnapshot
from .model import (
    AWAY,
    MONITORED,
    NOT_EXIST,
    NOT_LISTED,
    NOT_MONITORED,
    REACHABLE,
    TASK_ERROR,
    Memory,
    Reading,
    ServerMemory,
    ServerReading,
    Since,
    TaskMemory,
    event,
)


class Watch(NamedTuple):
    """What is watched at the Enterprise Manager ``manager``, and from where on it is a problem (None: not watched)."""

    manager: str
    include: Sequence[Selector] = ()
    exclude: Sequence[Selector] = ()
    latency_of: Sequence[Selector] = ()
    tables_of: Sequence[Selector] = ()
    max_latency: float | None = None
    license_days: int | None = None

    @property
    def server_patterns(self) -> list[str]:
        """The servers that ``include`` means."""
        return [one.server or "*" for one in self.include] or ["*"]

    @property
    def names_servers(self) -> bool:
        """Whether all servers are named literally: then GetServerList is not needed, which asks for a higher role."""
        return all(map(is_literal, self.server_patterns))

    def wants_server(self, name: str) -> bool:
        """Return whether a server is watched: ``exclude`` may name it as a whole."""
        whole = [one.server or "*" for one in self.exclude if one.name is None and not one.tags and not one.states]
        return is_selected(name, self.server_patterns) and not any(matches(name, pattern) for pattern in whole)


class _Round:
    """One comparison, and the events that came of it."""

    def __init__(self, watch: Watch, at: str) -> None:
        self.watch, self.at = watch, at
        self.events: list[Json] = []
        self._include, self._exclude = Selectors(watch.include), Selectors(watch.exclude)

    def add(self, kind: str, text: str, **members: Any) -> None:
        self.events.append(event(kind, self.watch.manager, self.at, text, **members))

    def wants(self, *shown: Listed) -> bool:
        """Return whether a task is watched: ``include`` means it as it is or as it was, ``exclude`` not as it is."""
        selected = not self.watch.include or any(map(self._include.select, shown))
        return selected and not self._exclude.select(shown[0])


def changes(before: Memory, now: Reading, at: str, watch: Watch) -> tuple[Memory, list[Json]]:
    """Return what is to be remembered after a round that began at the time ``at``, and an event for each change.

    What is a problem when it is looked at first is an event, too, without ``before``.
    """
    this = _Round(watch, at)
    if before.away_since:
        text = f"Enterprise Manager answers again; it had not answered since {before.away_since}."
        this.add("manager_back", text, before=AWAY, before_since=before.away_since, after=REACHABLE)
    servers = {}
    for name, server in now.servers.items():
        servers[name] = _server(this, name, before.servers.get(name), server, now)
    for name, known in before.servers.items():
        if name not in servers and watch.wants_server(name):
            servers[name] = _server(this, name, known, ServerReading(NOT_LISTED, "It is no longer listed."), now)
    return Memory(servers), this.events


def away(before: Memory, at: str, watch: Watch, failure: AemError) -> tuple[Memory, list[Json]]:
    """Return the memory and an event, if Enterprise Manager answered until now."""
    if before.away_since:
        return before, []
    this = _Round(watch, at)
    this.add(
        "manager_lost",
        f"Enterprise Manager cannot be read: {failure}",
        before=REACHABLE if before.servers else None,
        after=AWAY,
        message=f"{failure} {failure.hint}".strip(),
        error_code=failure.facts.get("error_code"),
    )
    return before._replace(away_since=at), this.events


def selected(servers: Mapping[str, ServerReading], watch: Watch, also: Sequence[Selector]) -> Iterator[Listed]:
    """Yield the tasks that are watched and that one of the selectors ``also`` means."""
    if not also:
        return
    this, of = _Round(watch, ""), Selectors(also)
    for server in servers.values():
        for one in server.tasks or ():
            if of.select(one) and this.wants(one):
                yield one


def _server(this: _Round, name: str, old: ServerMemory | None, new: ServerReading, now: Reading) -> ServerMemory:
    state, since = new.state, old.since if old and old.state == new.state else this.at
    was_lost, is_lost = old is not None and old.state != MONITORED, new.state != MONITORED
    # Somebody has switched off the monitoring of a server: that is worth an event when it happens, not at a first look.
    if is_lost != was_lost and (old or new.state != NOT_MONITORED):
        kind, words = ("server_lost", "is lost") if is_lost else ("server_back", "is back")
        this.add(
            kind,
            f'Server "{name}" {words}: {_way(old and old.state, state)}. {new.message or ""}'.rstrip(),
            server=name,
            before=old and old.state,
            before_since=old and old.since,
            after=state,
            message=new.message or None,
            error_code=new.error_code,
        )
    tasks = old.tasks if old else None
    if new.tasks is not None:
        tasks = _tasks(this, name, tasks, new.tasks, now)
    return ServerMemory(state, since, tasks, _license(this, name, old and old.low, new.license_days))


def _license(this: _Round, server: str, old: Since | None, days: int | None) -> Since | None:
    limit = this.watch.license_days
    if days is None or limit is None:
        return old
    new = _level(old, days < limit, this.at)
    if _is_event(old, new):
        kind, words = ("license_low", "ends in") if new.is_problem else ("license_low_ended", "is valid for")
        _crossed(
            this, kind, old, ("OK", "LOW"), f'The licence of server "{server}" {words} {days} days.', server=server
        )
        this.events[-1].update(value=days, limit=limit)
    return new


def _tasks(
    this: _Round, server: str, old: Mapping[str, TaskMemory] | None, new: tuple[Listed, ...], now: Reading
) -> dict[str, TaskMemory]:
    found: dict[str, TaskMemory] = {}
    for shown in new:
        name = shown.task.name
        known = old.get(name) if old else None
        task = _state(this, shown, known, is_first=old is None)
        task = _latency(this, shown, task, now.latencies.get(shown.task))
        found[name] = _tables(this, shown, task, now.tables.get(shown.task))
    for name, known in (old or {}).items():
        if name not in found:
            missing = Listed(TaskName(server, name), TaskSnapshot(NOT_EXIST), frozenset(known.tags))
            _state(this, missing, known, is_first=False)
    return found


def _state(this: _Round, shown: Listed, old: TaskMemory | None, is_first: bool) -> TaskMemory:
    """Return a task as it is to be remembered; an event says how its state changed."""
    snapshot, tags = shown.snapshot, tuple(sorted(shown.tags))
    if old and old.state == snapshot.state:
        return old if old.tags == tags else old._replace(tags=tags)
    before = None if is_first else old.state if old else NOT_EXIST
    was = Listed(shown.task, TaskSnapshot(before or ""), frozenset(old.tags) if old else shown.tags)
    is_error, was_error = snapshot.state == TASK_ERROR, before == TASK_ERROR
    if (is_error or not is_first) and this.wants(shown, was):
        kind = "task_error" if is_error else "task_error_ended" if was_error else "task_state"
        this.add(
            kind,
            f'Task "{shown.task.name}" on server "{shown.task.server}": {_way(before, snapshot.state)}. '
            f"{snapshot.message or ''}".rstrip(),
            server=shown.task.server,
            task=shown.task.name,
            before=before,
            before_since=old and old.since,
            after=snapshot.state,
            message=snapshot.message or None,
            stop_reason=snapshot.stop_reason or None,
        )
    kept = old or TaskMemory("", "")
    return kept._replace(state=snapshot.state, since=this.at, tags=tags)


def _latency(this: _Round, shown: Listed, task: TaskMemory, seconds: float | None) -> TaskMemory:
    limit = this.watch.max_latency
    if seconds is None or limit is None:
        return task
    new = _level(task.late, seconds > limit, this.at)
    if _is_event(task.late, new):
        kind, sign = ("latency_high", "above") if new.is_problem else ("latency_high_ended", "within")
        text = (
            f'Task "{shown.task.name}" on server "{shown.task.server}": the latency is {seconds:g} s, {sign} the limit '
            f"of {limit:g} s."
        )
        _crossed(this, kind, task.late, ("OK", "HIGH"), text, server=shown.task.server, task=shown.task.name)
        this.events[-1].update(value=seconds, limit=limit)
    return task if new == task.late else task._replace(late=new)


def _tables(this: _Round, shown: Listed, task: TaskMemory, broken: frozenset[tuple[str, str]] | None) -> TaskMemory:
    if broken is None:
        return task
    old = task.broken or {}
    for table in sorted(broken ^ old.keys()):
        kind, words = ("table_error", "is in error") if table in broken else ("table_error_ended", "is well again")
        known = None if task.broken is None else Since(table in old, old.get(table, ""))
        schema, name = table
        text = f'Table {schema}.{name} of task "{shown.task.name}" on server "{shown.task.server}" {words}.'
        members = {"server": shown.task.server, "task": shown.task.name, "schema": schema, "table": name}
        _crossed(this, kind, known, ("OK", "ERROR"), text, **members)
    if task.broken is not None and broken == old.keys():
        return task
    return task._replace(broken={table: old.get(table, this.at) for table in sorted(broken)})


def _level(old: Since | None, is_problem: bool, at: str) -> Since:
    return old if old and old.is_problem == is_problem else Since(is_problem, at)


def _is_event(old: Since | None, new: Since) -> bool:
    """Return whether a limit was crossed; what is well when it is looked at first is not worth an event."""
    return new != old and (old is not None or new.is_problem)


def _crossed(this: _Round, kind: str, old: Since | None, words: tuple[str, str], text: str, **members: Any) -> None:
    """Add the event that a limit was crossed; ``words`` are for well and not well."""
    before = old and {"before": words[old.is_problem], "before_since": old.since or None}
    this.add(
        kind, text, **(before or {}), after=words[kind in ("license_low", "latency_high", "table_error")], **members
    )


def _way(before: str | None, after: str) -> str:
    return f"{before} -> {after}" if before else after
