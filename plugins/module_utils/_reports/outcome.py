# Copyright (c) 2026, dataops.qlik_em contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is private to the collection.

"""The page of a batch, a window or a heal: a row for each task, what failed first. Pure functions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timezone
from typing import Any, NamedTuple

from .._client.api import Json
from .._client.errors import InputError
from .._common.rows import counted
from . import remedies
from .troubles import Trouble, grouped
from .view import (
    BAD,
    GOOD,
    PLAIN,
    WARN,
    Bar,
    Chart,
    Column,
    Figure,
    State,
    Table,
    Trend,
    View,
    count,
    counts_of,
    dicts,
    figures,
    items,
    listed,
    shares,
    state,
    verdict,
)

SLOWEST = 10
LEAST = 0.8  # percent: a bar that can be seen
DECISIONS = {"quarantine": BAD, "never": WARN, "wait": WARN, "window": PLAIN, "restart": GOOD}
FAILED, CHANGED, LEFT, SAME = "failed", "changed", "skipped", "unchanged"
OUTCOMES = {FAILED: BAD, CHANGED: GOOD, LEFT: WARN, SAME: PLAIN}
GIVE = "Give what aem_task_batch, aem_maintenance_window or aem_heal has returned (register), or its results_dest."


class Done(NamedTuple):
    """What was done with one task; ``begin`` is seconds since 1970, None if that is not known."""

    name: str
    server: str
    task: str
    outcome: str
    before: str
    after: str
    decision: str
    restarts: str
    begin: float | None
    elapsed: float | None
    code: str
    msg: str
    hint: str


def read_rows(option: str, rows: Any) -> list[Done]:
    """Return the rows of a result; raise InputError, which names ``option``, for what is not one."""
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise InputError(f"{option} has no rows of tasks. {GIVE}")
    for number, row in enumerate(rows, start=1):
        if not all(isinstance(row.get(member), str) for member in ("server", "name")):
            raise InputError(f"Row {number} of {option} does not name a task (server and name). {GIVE}")
    return [_done(row) for row in rows]


def _done(row: Json) -> Done:
    flags = (name for name in (FAILED, LEFT, CHANGED) if row.get(name) is True)
    texts = {member: "" if row.get(member) is None else str(row[member]) for member in MEMBERS}
    return Done(
        f"{row['server']}/{row['name']}",
        row["server"],
        row["name"],
        next(flags, SAME),
        texts["before"],
        texts["after"],
        texts["decision"],
        texts["restarts"],
        _seconds(row.get("started")),
        _number(row.get("elapsed")),
        texts["error_code"],
        texts["msg"],
        texts["hint"],
    )


MEMBERS = ("before", "after", "decision", "restarts", "error_code", "msg", "hint")


def _number(value: Any) -> float | None:
    is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
    return float(value) if is_number and 0 <= value < 1e9 else None


def _seconds(value: Any) -> float | None:
    """Return the time that a row gives (2026-11-26T03:12:00.123Z) as seconds since 1970."""
    try:
        return datetime.strptime(value, "%Y-%m-%dT%H:%M:%S.%fZ").replace(tzinfo=timezone.utc).timestamp()
    except (TypeError, ValueError):
        return None


def summary(done: Sequence[Done], result: Mapping[str, Any]) -> dict[str, Any]:
    """Return the numbers of a run, which trends are made of; a result counts the rows too that it does not show."""
    times = [one.elapsed for one in done if one.elapsed is not None]
    numbers: dict[str, Any] = {outcome: sum(one.outcome == outcome for one in done) for outcome in OUTCOMES}
    counts = counts_of(result)
    tasks = max(counts.get("selected", 0), len(done))
    if tasks > len(done):
        numbers.update((name, counts[name]) for name in (FAILED, LEFT) if name in counts)
        if SAME in counts:  # a row that failed may count as changed, too
            numbers[CHANGED] = max(0, tasks - numbers[FAILED] - numbers[LEFT] - counts[SAME])
        numbers[SAME] = max(0, tasks - numbers[FAILED] - numbers[LEFT] - numbers[CHANGED])
    return {"tasks": tasks, **numbers, "slowest": max(times, default=None), "span": _span(done)}


# What of it has a trend, and how it is called.
TRENDS = {
    "failed": "Failed",
    "changed": "Changed",
    "span": "First to last, seconds",
    "slowest": "Slowest task, seconds",
}


def view(
    result: Mapping[str, Any],
    done: Sequence[Done],
    numbers: Mapping[str, Any],
    trends: Sequence[Trend],
    title: str,
    source: str,
    time: str,
) -> View:
    """Return the page of a ``result`` (empty if only its rows are there)."""
    troubles = [
        Trouble(one.name, *_trouble(one), _remedy(one), (one.task, one.server))
        for one in done
        if one.outcome == FAILED or DECISIONS.get(one.decision) == BAD
    ]
    groups, more = grouped(troubles)
    slow = sorted((one for one in done if one.elapsed), key=lambda one: -(one.elapsed or 0))[:SLOWEST]
    bars = [(one.name, one.elapsed or 0, "") for one in slow]
    charts = [
        Chart("Outcome", shares(numbers, OUTCOMES)),
        Chart("Slowest tasks", items(bars, " s", [OUTCOMES[one.outcome] for one in slow])),
    ]
    return View(
        title or "What was done",
        source,
        time,
        _verdict(result, numbers),
        _figures(numbers),
        groups,
        more,
        [chart for chart in charts if chart.items],
        trends,
        [_table(done)] if done else [],
        _notes(result, numbers["tasks"] - len(done)),
    )


def _trouble(one: Done) -> tuple[State, str]:
    word = FAILED if one.outcome == FAILED else one.decision
    return state(word), one.msg or "(no message)"


def _remedy(one: Done) -> str:
    return remedies.of_code(one.code, one.hint or ("" if one.outcome == FAILED else remedies.QUARANTINE))


def _verdict(result: Mapping[str, Any], numbers: Mapping[str, Any]) -> State:
    parts = [f"{numbers[name]} {name}" for name in OUTCOMES if numbers[name]]
    text = f"{counted(numbers['tasks'], 'task')}: {listed(parts)}." if parts else "No tasks."
    return verdict(result, text, BAD if numbers[FAILED] else WARN if numbers[LEFT] else GOOD)


def _figures(numbers: Mapping[str, Any]) -> list[Figure]:
    found = [Figure("Tasks", str(numbers["tasks"])), *figures(numbers, OUTCOMES)]
    for label, member in (("Slowest", "slowest"), ("First to last", "span")):
        if numbers[member] is not None:
            found.append(Figure(label, f"{count(numbers[member])} s"))
    return found


def _notes(result: Mapping[str, Any], left: int) -> list[str]:
    notes = []
    if result.get("failed") and result.get("msg"):
        first, *_lines = str(result["msg"]).splitlines() or [""]
        notes.append(f"{first} {result.get('hint') or ''}".strip())
    if left > 0:
        notes.append(
            f"{counted(left, 'task')} more are counted, but the result does not show them. The file of results_dest "
            "has all that were worked on: give it as rows_file."
        )
    notes += [
        f"Server {row.get('server')} was skipped: {row.get('msg')}" for row in dicts(result.get("skipped_servers"))
    ]
    return notes


# -- the rows


def _span(done: Sequence[Done]) -> float | None:
    """Return the seconds from the begin of the first task to the end of the last, None if that is not known."""
    bounds = [(one.begin, one.begin + one.elapsed) for one in done if one.begin is not None and one.elapsed is not None]
    return round(max(end for _begin, end in bounds) - min(begin for begin, _end in bounds), 2) if bounds else None


def _table(done: Sequence[Done]) -> Table:
    is_heal = any(one.decision for one in done)
    has_times = any(one.begin is not None for one in done)
    columns = [
        Column("Outcome", "state"),
        Column("Server"),
        Column("Task", "name"),
        *([Column("Decision", "state"), Column("Restarts before", "number")] if is_heal else []),
        Column("Before", "word"),
        Column("After", "state"),
        Column("Seconds", "number"),
        Column("Timeline" if has_times else "Duration", "bar"),
        Column("Message"),
    ]
    bars = _bars(done, has_times)
    order = sorted(range(len(done)), key=lambda at: (list(OUTCOMES).index(done[at].outcome), -(done[at].elapsed or 0)))
    rows = []
    for at in order:
        one = done[at]
        rows.append(
            [
                State(one.outcome, OUTCOMES[one.outcome]),
                one.server,
                one.task,
                *([State(one.decision, DECISIONS.get(one.decision, PLAIN)), one.restarts] if is_heal else []),
                one.before,
                state(one.after) if one.after else State(""),
                "" if one.elapsed is None else f"{one.elapsed:.2f}",
                bars[at],
                one.msg,
            ]
        )
    return Table("rows", "Tasks", columns, rows, "What failed first, then the slowest.")


def _bars(done: Sequence[Done], has_times: bool) -> list[Bar | None]:
    """Return the bar of each row: from its begin to its end if the rows say when they began, else its duration."""
    first = min((one.begin for one in done if one.begin is not None), default=0.0)
    whole = (_span(done) if has_times else max((one.elapsed or 0 for one in done), default=0)) or 1

    def bar_of(one: Done) -> Bar | None:
        if not one.elapsed or (has_times and one.begin is None):
            return None
        begin = round(100 * ((one.begin or 0) - first) / whole, 1) if has_times else 0
        return Bar(begin, max(LEAST, round(100 * one.elapsed / whole, 1)))

    return [bar_of(one) for one in done]
