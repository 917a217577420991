# Copyright (c) 2026, dataops.qlik_em contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is private to the collection.

"""Names and patterns in options, the servers that they mean, and reading one server after the other."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from fnmatch import fnmatchcase
from typing import Any, NamedTuple, TypeVar

from .._client.api import Api
from .._client.errors import ApiError
from .rows import first

T = TypeVar("T")
# Calls a function with each item, one after the other or several at a time, and returns the results in their order.
RunAll = Callable[[Callable[[Any], Any], Iterable[Any]], Iterable[Any]]


def is_literal(pattern: str) -> bool:
    """Return whether ``pattern`` can match nothing but itself."""
    return not any(sign in pattern for sign in "*?[")


def matches(name: str, pattern: str) -> bool:
    """Return whether ``name`` is, or is matched by, ``pattern`` (a glob; upper and lower case count)."""
    return name == pattern or fnmatchcase(name, pattern)


def is_selected(name: str, patterns: Iterable[str]) -> bool:
    """Return whether one of the patterns matches, or there is none: no pattern selects everything."""
    patterns = list(patterns)
    return not patterns or any(matches(name, pattern) for pattern in patterns)


def find_servers(api: Api, patterns: Sequence[str | None]) -> list[str]:
    """Return the servers that the patterns mean (None, and no pattern at all: every one), each once.

    Servers that are named literally need no GetServerList, which asks for a higher role.
    """
    literal = [pattern for pattern in patterns if pattern is not None and is_literal(pattern)]
    if patterns and len(literal) == len(patterns):
        return list(dict.fromkeys(literal))
    wanted = [pattern or "*" for pattern in patterns]
    listed = [item["name"] for item in api.get_server_list()]
    return list(dict.fromkeys([*(name for name in listed if is_selected(name, wanted)), *literal]))


def unmatched(patterns: Iterable[str], names: Iterable[str]) -> list[str]:
    """Return the patterns that match none of the names."""
    names = list(names)
    return [pattern for pattern in patterns if not any(matches(name, pattern) for name in names)]


class SkippedServers(NamedTuple):
    """The servers that could not be read and were left out: ``{"server", "msg", ...}`` each."""

    rows: list[dict[str, Any]]

    @property
    def warnings(self) -> list[str]:
        """What the caller should know of them."""
        return [f'Server "{row["server"]}" was skipped: {row["msg"]}' for row in self.rows]


def read_servers(
    servers: Iterable[str],
    read: Callable[[str], T],
    on_server_error: str,
    run_all: RunAll = map,
    offer: str = "Or leave such servers out with on_server_error: skip.",
) -> tuple[dict[str, T], SkippedServers]:
    """Return what ``read`` returns for each server, and the servers that were skipped.

    ``on_server_error`` is what to do with a server for which the API reports an error: ``fail`` or ``skip``.
    ``run_all`` may read several servers at a time. Raises ApiError, which names all that failed, and whose hint ends in
    the ``offer``.
    """

    def attempt(server: str) -> T | ApiError:
        try:
            return read(server)
        except ApiError as error:
            return error

    servers = list(servers)
    answers = dict(zip(servers, run_all(attempt, servers)))
    failures = {server: answer for server, answer in answers.items() if isinstance(answer, ApiError)}
    if failures and on_server_error == "fail":
        raise _combined(failures, offer)
    skipped = [{"server": server, "msg": error.message, **error.facts} for server, error in failures.items()]
    return {server: answer for server, answer in answers.items() if server not in failures}, SkippedServers(skipped)


def _combined(failures: Mapping[str, ApiError], offer: str) -> ApiError:
    """Return the first failure; the lines below its message name the other servers."""
    failure, *others = failures.values()
    failure.lines = first([other.message for other in others])
    failure.hint = f"{failure.hint} {offer}".lstrip()
    return failure
