# Copyright (c) 2026, dataops.qlik_em contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is private to the collection.

"""What a page shows: plain data, in the order of the page. The template only lays it out."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

# What a state means to who reads it; the page shows it by a colour and, for those who see none, by the word itself.
GOOD, BAD, WARN, PLAIN = "good", "bad", "warn", "plain"
KINDS = {
    "RUNNING": GOOD,
    "MONITORED": GOOD,
    "VALID_LICENSE": GOOD,
    "ERROR": BAD,
    "FAILED": BAD,
    "NOT READ": BAD,
    "RECOVERY": WARN,
    "STARTING": WARN,
    "STOPPING": WARN,
    "TABLES IN ERROR": WARN,
    "QUARANTINE": BAD,
}


class State(NamedTuple):
    """A word with a meaning."""

    text: str
    kind: str = PLAIN


class Bar(NamedTuple):
    """A bar in a row of a table: where it begins and how long it is, in percent of its column."""

    begin: float
    length: float


class Figure(NamedTuple):
    """A number that is seen first."""

    label: str
    value: str
    kind: str = PLAIN


class Group(NamedTuple):
    """What needs somebody, and what can be done: all objects with the same trouble, ``more`` of them not named."""

    names: Sequence[str]
    more: int
    state: State
    message: str
    remedy: str


class Item(NamedTuple):
    """A bar with its words; ``length`` is in percent."""

    label: str
    value: str
    length: float
    kind: str = PLAIN


class Chart(NamedTuple):
    """Some bars below each other."""

    title: str
    items: Sequence[Item]
    note: str = ""


class Trend(NamedTuple):
    """A line through the same number of several runs; ``points`` are pairs as SVG takes them."""

    label: str
    points: str
    first: str
    last: str
    lowest: str
    highest: str


class Column(NamedTuple):
    """A column: ``kind`` is text, word (short, in one line), name, number, state or bar."""

    label: str
    kind: str = "text"


class Table(NamedTuple):
    """All rows of one kind; ``name`` distinguishes it on the page."""

    name: str
    title: str
    columns: Sequence[Column]
    rows: Sequence[Sequence[Any]]
    note: str = ""


class View(NamedTuple):
    """A page from top to bottom; ``verdict`` is what the whole says, ``time`` when it was made."""

    title: str
    source: str
    time: str
    verdict: State
    figures: Sequence[Figure]
    groups: Sequence[Group]
    more_groups: int
    charts: Sequence[Chart]
    trends: Sequence[Trend]
    tables: Sequence[Table]
    notes: Sequence[str]


def state(word: Any) -> State:
    """Return a state of a task or a server with its meaning."""
    text = str(word or "UNKNOWN").upper()
    return State(text, KINDS.get(text, WARN if "LICENSE" in text else PLAIN))


def items(pairs: Iterable[tuple[str, float, str]], unit: str = "", kinds: Sequence[str] = ()) -> list[Item]:
    """Return the bars of a chart, the longest of which fills it; of a pair without a text the number is shown."""
    pairs = list(pairs)
    most = max((number for _label, number, _text in pairs), default=0)
    return [
        Item(
            label,
            (text or count(number)) + unit,
            round(100 * number / most, 1) if most > 0 else 0,
            kinds[at] if at < len(kinds) else PLAIN,
        )
        for at, (label, number, text) in enumerate(pairs)
    ]


def figures(numbers: Mapping[str, Any], kinds: Mapping[str, str]) -> list[Figure]:
    """Return a number for each of the ``kinds``, without its meaning if it is 0."""
    return [
        Figure(name.capitalize(), str(numbers[name]), kind if numbers[name] else PLAIN) for name, kind in kinds.items()
    ]


def shares(numbers: Mapping[str, Any], kinds: Mapping[str, str]) -> list[Item]:
    """Return a bar for each of the ``kinds`` that is not 0."""
    there = [name for name in kinds if numbers[name]]
    return items(((name, numbers[name], "") for name in there), kinds=[kinds[name] for name in there])


def verdict(result: Mapping[str, Any], text: str, kind: str) -> State:
    """Return what a result says as a whole: ``text``, of this kind unless it failed."""
    return State(f"It failed. {text}", BAD) if result.get("failed") else State(text, kind)


def dicts(value: Any) -> list[Mapping[str, Any]]:
    """Return the mappings in a list of a result; anything may be there."""
    return [one for one in value if isinstance(one, dict)] if isinstance(value, list) else []


def counts_of(result: Mapping[str, Any]) -> dict[str, int]:
    """Return the ``counts`` of a result, which may be anything."""
    found = result.get("counts")
    return {
        name: value
        for name, value in (found.items() if isinstance(found, dict) else ())
        if isinstance(value, int) and not isinstance(value, bool) and value >= 0
    }


def count(number: float) -> str:
    """Return a number as people read it: no more digits than help."""
    text = f"{number:.2f}" if abs(number) < 10 else f"{number:.1f}" if abs(number) < 100 else f"{number:.0f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def clock(seconds: float) -> str:
    """Return a duration as h:mm:ss, which sorts by its numbers."""
    whole = round(seconds)
    return f"{whole // 3600}:{whole // 60 % 60:02d}:{whole % 60:02d}"


def listed(parts: Iterable[str]) -> str:
    """Return parts of a sentence as one writes them."""
    *others, last = parts
    return f"{', '.join(others)} and {last}" if others else last
