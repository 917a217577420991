# Copyright (c) 2026, dataops.qlik_em contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is private to the collection.

"""The order of tasks that need each other: its waves, its circles, and the tree that people read. Pure, no calls."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple, Union

from .._client.errors import InputError
from .._common.rows import MOST_SHOWN
from .._tasks.model import TaskName

DEEPEST = 20  # levels that the tree shows by its indentation


class Gate(NamedTuple):
    """Why many tasks are before many others. It stands between them, as a link for each pair would be millions."""

    text: str

    def __str__(self) -> str:
        return self.text


Node = Union[TaskName, Gate]


class Order:
    """Which task is started before which, and why. All that it does takes time in proportion to tasks and links."""

    def __init__(self, tasks: Iterable[TaskName]) -> None:
        # What comes after each, and what before it, with the reason.
        self._after: dict[Node, dict[Node, None]] = {}
        self._before: dict[Node, dict[Node, str]] = {}
        for task in tasks:
            self._add(task)

    def _add(self, node: Node) -> None:
        self._after.setdefault(node, {})
        self._before.setdefault(node, {})

    def put(self, first: Node, then: Node, why: str) -> None:
        """Put one before another. No task is before itself."""
        if first != then:
            self._add(first)
            self._add(then)
            self._after[first].setdefault(then)
            self._before[then].setdefault(first, why)

    def put_all(self, firsts: Iterable[TaskName], thens: Iterable[TaskName], gate: Gate) -> None:
        """Put all of ``firsts`` before all of ``thens``, if there are any of both."""
        firsts, thens = list(firsts), list(thens)
        if firsts and thens:
            for first in firsts:
                self.put(first, gate, gate.text)
            for then in thens:
                self.put(gate, then, gate.text)

    def later_than(self, tasks: Iterable[TaskName]) -> set[Node]:
        """Return the tasks themselves, and all that comes after one of them by what is put already."""
        return _reached(tasks, self._after)

    def earlier_than(self, tasks: Iterable[TaskName]) -> set[Node]:
        """Return the tasks themselves, and all that comes before one of them by what is put already."""
        return _reached(tasks, self._before)

    def levels(self) -> dict[Node, int]:
        """Return how many waves of the start come before each; raise InputError for tasks that wait in a circle."""
        waits_for = {node: len(firsts) for node, firsts in self._before.items()}
        found = dict.fromkeys(waits_for, 0)
        ready = deque(node for node, count in waits_for.items() if not count)
        while ready:
            node = ready.popleft()
            for follower in self._after[node]:
                found[follower] = max(found[follower], found[node] + isinstance(node, TaskName))
                waits_for[follower] -= 1
                if not waits_for[follower]:
                    ready.append(follower)
        stuck = {node for node, count in waits_for.items() if count}
        if stuck:
            raise _circular(self._circle(stuck))
        return found

    def _circle(self, stuck: set[Node]) -> list[tuple[Node, str]]:
        """Return a circle among the nodes that wait for ever: each with why it comes after the one before."""
        # Each of them waits for another one, so the way back never ends, and comes to where it was.
        node: Node = min(one for one in stuck if isinstance(one, TaskName))
        way: dict[Node, str] = {}
        while node not in way:
            first = next(one for one in self._before[node] if one in stuck)
            way[node] = self._before[node][first]
            node = first
        nodes = list(way)
        circle = nodes[nodes.index(node) :][::-1]
        tasks = [one for one in circle if isinstance(one, TaskName)]
        start = circle.index(min(tasks))
        return [(one, way[one]) for one in circle[start:] + circle[:start]]

    def waves(self) -> list[list[TaskName]]:
        """Return the tasks in the waves in which they are started; raise InputError for a circle."""
        levels = self.levels()
        result: list[list[TaskName]] = [[] for _level in set(levels.values())]  # a wave for each
        for node, level in levels.items():
            if isinstance(node, TaskName):
                result[level].append(node)
        return result

    def tree(self) -> list[str]:
        """Return the order as lines: each task below what it waits for, with the waves of its start and its stop."""
        levels = self.levels()
        count = len(set(levels.values()))
        below: dict[Node, list[Node]] = {node: [] for node in levels}
        top: list[Node] = []
        others: dict[Node, list[Node]] = {}
        for node, before in self._before.items():
            firsts = list(before)
            upper = None if isinstance(node, Gate) else _deciding(firsts, levels)
            (below[upper] if upper is not None else top).append(node)
            others[node] = [one for one in firsts if one != upper]
        top.sort(key=lambda node: (isinstance(node, Gate), levels[node]))  # the tasks first, each in its place

        def line(node: Node) -> str:
            if isinstance(node, Gate):
                return f"then ({node})"
            level, also = levels[node], others[node]
            more = f" and {len(also) - 1} more" if len(also) > 1 else ""
            word = "by" if also and isinstance(also[0], Gate) else "after"
            after = f", also {word} {also[0]}{more}" if also else ""
            return f"{node}: start wave {level + 1}, stop wave {count - level}{after}"

        lines: list[str] = []
        waiting: list[tuple[int, Node | str]] = [(0, one) for one in _shown(top, below)[::-1]]
        while waiting:
            depth, shown = waiting.pop()
            text = shown if isinstance(shown, str) else line(shown)
            lines.append("| " * min(depth - 1, DEEPEST) + "|- " * (depth > 0) + text)
            if not isinstance(shown, str):
                waiting += [(depth + 1, one) for one in _shown(below[shown], below)[::-1]]
        return lines


def _reached(tasks: Iterable[TaskName], links: Mapping[Node, Iterable[Node]]) -> set[Node]:
    found: set[Node] = set(tasks)
    waiting: list[Node] = list(found)
    while waiting:
        fresh = [node for node in links[waiting.pop()] if node not in found]
        found.update(fresh)
        waiting += fresh
    return found


def _deciding(firsts: Sequence[Node], levels: dict[Node, int]) -> Node | None:
    """Return which of those that a task waits for comes last: below it the tree shows the task."""
    return max(
        firsts,
        key=lambda node: (levels[node] + isinstance(node, TaskName), isinstance(node, TaskName)),
        default=None,
    )


def _shown(nodes: Sequence[Node], below: dict[Node, list[Node]]) -> list[Node | str]:
    """Return what the tree shows of nodes side by side: all that others wait for, and some of the rest."""
    leaves = [node for node in nodes if not below[node] and not isinstance(node, Gate)]
    left = len(leaves) - MOST_SHOWN
    if left <= 0:
        return list(nodes)
    hidden = set(leaves[MOST_SHOWN:])
    shown: list[Node | str] = [node for node in nodes if node not in hidden]
    at = len(shown) - sum(isinstance(node, Gate) for node in shown)
    return [*shown[:at], f"and {left} more", *shown[at:]]


def _circular(circle: Sequence[tuple[Node, str]]) -> InputError:
    """Return the failure for tasks that wait for each other, with its members in their order."""
    steps = list(_steps(circle))
    return InputError(
        f"The dependencies of the tasks form a cycle: {' -> '.join(steps)}. Nothing was done.",
        "Change dependencies, or leave one of these tasks out of the selection.",
    )


def _steps(circle: Sequence[tuple[Node, str]]) -> Iterator[str]:
    (first, why_first), *rest = circle
    yield str(first)
    for node, why in [*rest, (first, why_first)]:
        if isinstance(node, TaskName):
            yield f"{node} ({why})"
