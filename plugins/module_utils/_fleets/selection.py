# Copyright (c) 2026, dataops.qlik_em contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is private to the collection.

"""Which tasks are meant: selectors by server, name, tag and state, and one list call for each server."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from fnmatch import fnmatchcase
from typing import Any, NamedTuple

from .._client.api import Api
from .._client.checks import check_name
from .._client.errors import ApiError, InputError
from .._tasks.model import Seen, seen_in, state_of


def is_literal(pattern: str) -> bool:
    """Return whether ``pattern`` can match nothing but itself."""
    return not any(sign in pattern for sign in "*?[")


def matches(name: str, pattern: str) -> bool:
    """Return whether ``name`` is, or is matched by, ``pattern`` (a glob; upper and lower case count)."""
    return name == pattern or fnmatchcase(name, pattern)


class Listed(NamedTuple):
    """A task as GetTaskList told of it."""

    server: str
    name: str
    seen: Seen
    tags: frozenset[str]


class Selector(NamedTuple):
    """What must all be true of a task; None and empty sets allow everything."""

    server: str | None
    name: str | None
    tags: frozenset[str]
    states: frozenset[str]

    def selects(self, task: Listed) -> bool:
        """Return whether the task is meant."""
        return (
            (self.server is None or matches(task.server, self.server))
            and (self.name is None or matches(task.name, self.name))
            and (not self.tags or bool(self.tags & task.tags))
            and (not self.states or task.seen.state in self.states)
        )

    def could_be(self, task: Listed) -> bool:
        """Return whether server and name fit, whatever the task's tags and state."""
        return self._replace(tags=frozenset(), states=frozenset()).selects(task)


class Selectors:
    """Many selectors; those that name a task literally are looked up, as there may be thousands."""

    def __init__(self, selectors: Sequence[Selector]) -> None:
        self._literal: dict[str, list[Selector]] = {}
        self._patterns: list[Selector] = []
        for one in selectors:
            if one.name is not None and is_literal(one.name):
                self._literal.setdefault(one.name, []).append(one)
            else:
                self._patterns.append(one)

    def select(self, task: Listed) -> bool:
        """Return whether one of them selects the task."""
        return any(one.selects(task) for one in (*self._literal.get(task.name, ()), *self._patterns))

    def unknown(self, tasks: Iterable[Listed], unread: Sequence[str]) -> list[Selector]:
        """Return those that name literally a task that is not among ``tasks``, nor can be on an ``unread`` server."""
        found = {one for task in tasks for one in self._literal.get(task.name, ()) if one.could_be(task)}
        return [
            one
            for selectors in self._literal.values()
            for one in selectors
            if one not in found and not any(one.server is None or matches(server, one.server) for server in unread)
        ]


class Selection(NamedTuple):
    """The tasks that were found, and the servers that could not be read: ``{"server", "msg", ...}`` each."""

    tasks: list[Listed]
    skipped: list[dict[str, Any]]


def read_selectors(option: str, given: Iterable[Mapping[str, Any]] | None) -> list[Selector]:
    """Return the selectors in an option; raise InputError for one that is empty, and so would mean everything."""
    selectors = []
    for one in given or []:
        if not any(one.get(key) for key in ("server", "name", "tag", "state")):
            raise InputError(f'An empty selector in {option} would mean every task: write server: "*" for that.')
        selectors.append(
            Selector(
                server=check_name(f"server in {option}", one["server"]) if one.get("server") is not None else None,
                name=check_name(f"name in {option}", one["name"]) if one.get("name") is not None else None,
                tags=frozenset(one.get("tag") or ()),
                states=frozenset(state_of(state) for state in one.get("state") or ()),
            )
        )
    return selectors


def select(
    api: Api,
    include: Sequence[Selector],
    exclude: Sequence[Selector],
    on_server_error: str,
    side_by_side: Callable[[Callable[[str], Any], Sequence[str]], Iterable[Any]] = map,
) -> Selection:
    """Return the tasks that one of ``include`` selects and none of ``exclude``, in the order of the servers' lists.

    ``on_server_error`` is what to do with a server that cannot be read: ``fail`` or ``skip``. ``side_by_side`` may
    read several servers at a time. Raises InputError if a task that is named literally does not exist.
    """

    def read(server: str) -> list[Listed] | ApiError:
        try:
            return list_tasks(api, server)
        except ApiError as error:
            return error

    known: list[Listed] = []
    skipped: list[dict[str, Any]] = []
    servers = find_servers(api, [one.server for one in include])
    answers = dict(zip(servers, side_by_side(read, servers)))
    failures = {server: answer for server, answer in answers.items() if isinstance(answer, ApiError)}
    if failures and on_server_error == "fail":
        raise _all_in_one(failures)
    for server, answer in answers.items():
        if isinstance(answer, ApiError):
            skipped.append({"server": server, "msg": answer.message, **answer.facts})
        else:
            known += answer
    wanted, unwanted = Selectors(include), Selectors(exclude)
    _refuse_unknown(wanted.unknown(known, [one["server"] for one in skipped]))
    return Selection([task for task in known if wanted.select(task) and not unwanted.select(task)], skipped)


def skip_warnings(skipped: Iterable[Mapping[str, Any]]) -> list[str]:
    """Return what the caller should know of servers that were skipped."""
    return [f'Server "{one["server"]}" was skipped: {one["msg"]}' for one in skipped]


def find_servers(api: Api, patterns: Sequence[str | None]) -> list[str]:
    """Return the servers that the patterns mean (None, and no pattern at all: every one), each once.

    Servers that are named literally need no GetServerList, which asks for a higher role.
    """
    literal = [pattern for pattern in patterns if pattern is not None and is_literal(pattern)]
    if patterns and len(literal) == len(patterns):
        return list(dict.fromkeys(literal))
    wanted = [pattern or "*" for pattern in patterns or ["*"]]
    known = [item["name"] for item in api.get_server_list()]
    chosen = [name for name in known if any(matches(name, pattern) for pattern in wanted)]
    return list(dict.fromkeys([*chosen, *literal]))


def list_tasks(api: Api, server: str) -> list[Listed]:
    """Return all tasks of a server (GetTaskList)."""
    return [
        Listed(server, item["name"], seen_in(item), frozenset(item.get("assigned_tags") or ()))
        for item in api.get_task_list(server)
    ]


def _all_in_one(failures: Mapping[str, ApiError]) -> ApiError:
    """Return the first failure; its message names the other servers, too."""
    first, *others = failures.values()
    first.message += "".join(f" | {other.message}" for other in others)
    first.hint += " Or leave such servers out with on_server_error: skip."
    return first


def _refuse_unknown(missing: Sequence[Selector]) -> None:
    """Raise InputError for literal names that no task has: a typing mistake, and its task would be forgotten."""
    if missing:
        where = [f'"{one.name}" on server "{one.server}"' if one.server else f'"{one.name}"' for one in missing]
        raise InputError(f"include names tasks that do not exist: {', '.join(where)}.")
