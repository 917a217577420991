# Copyright (c) 2026, dataops.qlik_em contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is private to the collection.

"""What metrics are made of, and how a value of one is found in what the API shows. Pure functions."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from .._client.api import Json
from .._tasks.latency import read_latency
from .._tasks.model import ACTIVE, STOPPING

# Units of the API (docs/enterprise_manager_api.md, 6.70).
MB = 1_048_576
DAY = 86_400
PERCENT = 0.01
HIGHEST = 1e30  # beyond any amount; what is not below it (NaN, infinity, a number too long for a float) is not one

OTHER = "other"  # any state that has no series of its own: their number must not grow with what a server says
SERVER_STATES = ("monitored", "not_monitored", "error")
LISTED_STATES = ("running", "recovery", "stopped", "error", "starting", "stopping")

# The further labels of a sample, in the order of the metric, and its value: anything but a number is not shown.
Sample = tuple[tuple[str, ...], Any]
Read = Callable[[Any], Iterator[Sample]]


class Scrape(NamedTuple):
    """One run: whether Enterprise Manager was read, when it began (seconds since 1970), and how long it took."""

    success: bool
    begin: float
    duration: float


class Server(NamedTuple):
    """A server: whether its tasks could be listed, its details (empty if they could not be read).

    ``unread`` is how many of its tasks could not be read in full; None if that was not asked for.
    """

    name: str
    is_up: bool
    details: Json
    unread: int | None


class Task(NamedTuple):
    """A task: its state in one spelling, and its details (empty if they were not read)."""

    server: str
    name: str
    state: str
    details: Json


def member(value: Any, path: Sequence[str]) -> Any:
    """Return what is at ``path`` in an answer, None if there is nothing."""
    for key in path:
        value = value.get(key) if isinstance(value, Mapping) else None
    return value


def number(value: Any, factor: float = 1) -> float | None:
    """Return a number of the API in the unit of the metric, None if it is not a number."""
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not abs(value) < HIGHEST:
        return None
    return value * factor


def fact(name: str) -> Read:
    """Return what reads a field of what was found out."""

    def read(subject: Any) -> Iterator[Sample]:
        value = getattr(subject, name)
        yield (), int(value) if isinstance(value, bool) else value

    return read


def amount(*path: str, factor: float = 1) -> Read:
    """Return what reads one number of the details."""

    def read(subject: Any) -> Iterator[Sample]:
        yield (), number(member(subject.details, path), factor)

    return read


def amounts(group: str, members: Mapping[str, Sequence[str]], factor: float = 1) -> Read:
    """Return what reads numbers of a group of the details, by the value of a label: the sum of those named."""

    def read(subject: Any) -> Iterator[Sample]:
        for label, names in members.items():
            found = [number(member(subject.details, (group, name)), factor) for name in names]
            known = [value for value in found if value is not None]
            yield (label,), sum(known) if len(known) == len(found) else None

    return read


def latency(name: str) -> Read:
    """Return what reads a latency, in seconds: of a task that runs, as that of a stopped one says nothing."""

    def read(task: Task) -> Iterator[Sample]:
        is_known = task.state in (*ACTIVE, STOPPING)
        yield (), read_latency(member(task.details, ("cdc_latency", name))).seconds if is_known else None

    return read


def states(known: Sequence[str], state: Callable[[Any], str]) -> Read:
    """Return what reads a state as a set of series, of which one is 1; none of them if there is no state."""

    def read(subject: Any) -> Iterator[Sample]:
        current = state(subject).lower()
        if current:
            current = current if current in known else OTHER
            for one in (*known, OTHER):
                yield (one,), int(one == current)

    return read


def server_state(server: Server) -> str:
    """Return the state of a server, empty if it is not known."""
    return str(server.details.get("state") or "")


def server_info(server: Server) -> Iterator[Sample]:
    """Yield what is constant about a server."""
    if server.details:
        yield tuple(str(server.details.get(name) or "") for name in ("type", "platform", "version")), 1


def license_valid(server: Server) -> Iterator[Sample]:
    """Yield whether the licence of a server is valid, if one is shown."""
    state = member(server.details, ("license", "state"))
    yield (), int(state == "VALID_LICENSE") if isinstance(state, str) and state else None
