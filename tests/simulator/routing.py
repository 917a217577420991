# Copyright (c) 2026, dataops.qlik_em contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""From the request target as it stands on the wire to the method that is meant. Pure functions.

Lenient where the vendor's SDK generations differ (notes 4 and 10): a slash before the query, names encoded twice,
"/" in names left unescaped. Strict everywhere else: what is not in the table is nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from urllib.parse import parse_qsl, unquote

PREFIX = "/attunityenterprisemanager/api/v1"

# (verb, shape of the path, action in lower case) -> the guide's name of the method
METHODS: dict[tuple[str, str, str], str] = {
    ("GET", "login", ""): "Login",
    ("POST", "login", ""): "Login",
    ("GET", "logout", ""): "Logout",
    ("GET", "servers", ""): "GetServerList",
    ("GET", "server", ""): "GetServerDetails",
    ("GET", "tasks", ""): "GetTaskList",
    ("GET", "task", ""): "GetTaskDetails",
    ("POST", "task", "run"): "RunTask",
    ("POST", "task", "stop"): "StopTask",
}


@dataclass(frozen=True)
class Target:
    """The request target, taken apart and decoded once."""

    path: str
    decoded: str
    query: dict[str, str] = field(default_factory=dict)

    @property
    def action(self) -> str:
        """`action` decides the method; matched in any case, since the guide itself mixes (assumption, notes 4)."""
        return self.query.get("action", "").lower()


@dataclass(frozen=True)
class Route:
    """The method that is meant (None: there is none) and the names it is about, fully decoded."""

    operation: str | None = None
    server: str = ""
    task: str = ""


def take_apart(target: str) -> Target:
    """Split the raw target. Of a query parameter that comes twice the first counts."""
    path, _mark, query = target.partition("?")
    parameters: dict[str, str] = {}
    for key, value in parse_qsl(query, keep_blank_values=True):
        parameters.setdefault(key, value)
    return Target(path, unquote(path), parameters)


def resolve(method: str, target: Target, known: Callable[[str, str | None], bool]) -> Route:
    """Find the method. `known(server, task or None)` tells which names exist.

    A name with an unescaped "/" can only be told from a longer path by knowing the names, so readings with known
    names come first; the plain reading (each name one segment) is the last.
    """
    if not target.path.startswith(PREFIX + "/"):
        return Route()
    segments = target.path[len(PREFIX) + 1 :].split("/")
    if len(segments) > 1 and segments[-1] == "":
        segments.pop()  # the slash before the query
    if "" in segments:
        return Route()
    for shape, server, task in _readings(segments, known):
        operation = METHODS.get((method, shape, target.action))
        if operation:
            return Route(operation, server, task)
    return Route()


def _readings(segments: list[str], known: Callable[[str, str | None], bool]) -> Iterator[tuple[str, str, str]]:
    """(shape, server, task) for each way to read the path."""
    head, rest = segments[0], segments[1:]
    if not rest:
        if head in ("login", "logout", "servers"):
            yield head, "", ""
        return
    if head != "servers":
        return
    server = _name(rest, lambda name: known(name, None))
    if known(server, None) or len(rest) == 1:
        yield "server", server, ""
    for index in [index for index, segment in enumerate(rest) if segment == "tasks" and index > 0]:
        server = _name(rest[:index], lambda name: known(name, None))
        if index > 1 and not known(server, None):
            continue
        below = rest[index + 1 :]
        if not below:
            yield "tasks", server, ""
            continue
        task = _name(below, lambda name, server=server: known(server, name))  # type: ignore[misc]
        if len(below) == 1 or known(server, task):
            yield "task", server, task


def _name(segments: list[str], is_known: Callable[[str], bool]) -> str:
    """Decode a name once; a second time only if that makes it known (the 2018 SDK encodes twice)."""
    once = unquote("/".join(segments))
    if not is_known(once):
        twice = unquote(once)
        if is_known(twice):
            return twice
    return once
