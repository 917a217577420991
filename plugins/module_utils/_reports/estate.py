# Copyright (c) 2026, dataops.qlik_em contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is private to the collection.

"""The page of an estate: what runs where, how fast, and what needs somebody. Pure functions."""

from __future__ import annotations

import statistics
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from .._client.api import Json
from .._common.numbers import whole_number
from .._common.rows import counted
from . import remedies
from .reading import MOST_WITH_TABLES, Estate, Facts, is_monitored
from .troubles import Trouble, grouped
from .view import (
    BAD,
    GOOD,
    PLAIN,
    WARN,
    Chart,
    Column,
    Figure,
    State,
    Table,
    Trend,
    View,
    clock,
    count,
    items,
    listed,
    state,
)

SOON = 30  # days before the end of a licence
IN_TROUBLE = ("ERROR", "RECOVERY")
ORDER = ("ERROR", "RECOVERY", "STARTING", "STOPPING", "RUNNING", "STOPPED")  # of rows and bars
LATENCIES = ((5, "up to 5 s"), (30, "up to 30 s"), (60, "up to 1 min"), (300, "up to 5 min"), (3600, "up to 1 h"))
LATE = "over 1 h"
TASKS = "tasks"
FASTEST = 8  # servers in the chart of throughput


def summary(estate: Estate) -> dict[str, Any]:
    """Return the numbers of the estate, which trends are made of."""
    states = Counter(one.now.state for one in estate.tasks)
    latencies = [one.latency for one in estate.tasks if one.latency is not None]
    records = [one.records for one in estate.tasks if one.records is not None]
    return {
        "servers": len({*(server["name"] for server in estate.servers), *(row["server"] for row in estate.skipped)}),
        "servers_in_trouble": len(_servers_in_trouble(estate)),
        "tasks": len(estate.tasks),
        "running": states["RUNNING"],
        "stopped": states["STOPPED"],
        "error": states["ERROR"],
        "recovery": states["RECOVERY"],
        "table_errors": sum(one.table_errors for one in estate.tasks),
        "latency_median": round(statistics.median(latencies), 1) if latencies else None,
        "latency_max": max(latencies, default=None),
        "records_per_second": sum(records) if records else None,
    }


# What of it has a trend, and how it is called.
TRENDS = {
    "error": "Tasks in ERROR",
    "running": "Tasks RUNNING",
    "table_errors": "Tables in error",
    "latency_max": "Highest latency, seconds",
    "records_per_second": "Records per second",
    "servers_in_trouble": "Servers in trouble",
}


def view(
    estate: Estate, numbers: Mapping[str, Any], trends: Sequence[Trend], title: str, source: str, time: str
) -> View:
    """Return the page."""
    groups, more = grouped(_troubles(estate))
    return View(
        title or "State of the estate",
        source,
        time,
        _verdict(numbers),
        _figures(numbers),
        groups,
        more,
        [chart for chart in _charts(estate) if chart.items],
        trends,
        [table for table in (_server_table(estate), _table_errors(estate), _task_table(estate)) if table.rows],
        [*_notes(estate), *estate.warnings],
    )


def _verdict(numbers: Mapping[str, Any]) -> State:
    whole = f"{counted(numbers['tasks'], 'task')} on {counted(numbers['servers'], 'server')}"
    bad = [
        f"{counted(number, noun)} {what}"
        for number, noun, what in (
            (numbers["error"], "task", "in ERROR"),
            (numbers["servers_in_trouble"], "server", "in trouble"),
            (numbers["table_errors"], "table", "in error"),
            (numbers["recovery"], "task", "in RECOVERY"),
        )
        if number
    ]
    if not bad:
        return State(f"{whole}, nothing in error.", GOOD)
    is_bad = numbers["error"] or numbers["servers_in_trouble"]
    return State(f"{listed(bad)}, of {whole}.", BAD if is_bad else WARN)


def _figures(numbers: Mapping[str, Any]) -> list[Figure]:
    found = [
        Figure("Servers", str(numbers["servers"])),
        Figure("Tasks", str(numbers["tasks"])),
        Figure("Running", str(numbers["running"]), GOOD),
        Figure("Stopped", str(numbers["stopped"])),
        Figure("In error", str(numbers["error"]), BAD if numbers["error"] else PLAIN),
        Figure("In recovery", str(numbers["recovery"]), WARN if numbers["recovery"] else PLAIN),
        Figure("Tables in error", str(numbers["table_errors"]), WARN if numbers["table_errors"] else PLAIN),
    ]
    if numbers["latency_max"] is not None:
        found.append(Figure("Highest latency", clock(numbers["latency_max"])))
    return found


# -- what needs somebody


def _servers_in_trouble(estate: Estate) -> dict[str, Trouble]:
    """Return what is wrong with servers, by their names, the worst of each."""
    return {name: Trouble(name, shown, message, remedy) for name, shown, message, remedy in _server_troubles(estate)}


def _server_troubles(estate: Estate) -> Iterator[tuple[str, State, str, str]]:
    for server in estate.servers:
        name = server["name"]
        licence = _licence(server)
        if licence.kind in (BAD, WARN):
            yield name, licence, "The licence ends, or is not valid.", remedies.LICENCE
        if str(server.get("state")).upper() == "ERROR":
            yield name, state("ERROR"), str(server.get("message") or ""), remedies.SERVER
    in_error = {server["name"] for server in estate.servers if str(server.get("state")).upper() == "ERROR"}
    for row in estate.skipped:
        if row["server"] not in in_error:
            remedy = remedies.of_code(row.get("error_code"), str(row.get("hint") or ""))
            yield row["server"], state("NOT READ"), str(row["msg"]), remedy


def _troubles(estate: Estate) -> Iterator[Trouble]:
    yield from _servers_in_trouble(estate).values()
    for one in estate.tasks:
        if one.now.state in IN_TROUBLE:
            remedy = remedies.of_task(one.now.state, _text(one.now.stop_reason))
            yield Trouble(str(one.task), state(one.now.state), _text(one.now.message) or "(no message)", remedy)
        if one.table_errors:
            message = f"{counted(one.table_errors, 'table')} in error."
            yield Trouble(str(one.task), state("TABLES IN ERROR"), message, remedies.TABLES)


def _notes(estate: Estate) -> list[str]:
    notes = []
    if estate.skipped:
        names = sorted({row["server"] for row in estate.skipped})
        notes.append(f"Tasks of {counted(len(names), 'server')} could not be listed: {', '.join(names)}.")
    off = sorted(server["name"] for server in estate.servers if not is_monitored(server))
    if off:
        notes.append(f"Not monitored, so that nothing is known of their tasks: {', '.join(off)}.")
    if estate.unread:
        notes.append(f"The details of {counted(estate.unread, 'task')} could not be read: no latency, no throughput.")
    left = sum(bool(one.table_errors) for one in estate.tasks) - MOST_WITH_TABLES
    if left > 0:
        notes.append(f"The tables in error of {counted(left, 'more task')} are counted and not named.")
    return notes


# -- charts


def _charts(estate: Estate) -> Iterator[Chart]:
    states = Counter(one.now.state for one in estate.tasks)
    order = sorted(states, key=_rank)
    kinds = [state(name).kind for name in order]
    yield Chart("Tasks by state", items(((name, states[name], "") for name in order), kinds=kinds))
    known = [one.latency for one in estate.tasks if one.latency is not None]
    bounds = [(label, sum(low < one <= high for one in known)) for low, high, label in _spans()]
    if known:
        middle, most = clock(statistics.median(known)), clock(max(known))
        note = f"Of {counted(len(known), 'task')} that capture changes. Median {middle}, highest {most} (h:mm:ss)."
        yield Chart("Latency", items(((label, number, "") for label, number in bounds)), note)
    for title, member, unit in (
        ("Throughput, records per second", "records", " rec/s"),
        ("Throughput, kilobytes per second", "volume", " KB/s"),
    ):
        yield _throughput(estate.tasks, title, member, unit)


def _throughput(tasks: Sequence[Facts], title: str, member: str, unit: str) -> Chart:
    totals: Counter[str] = Counter()
    for one in tasks:
        totals[one.task.server] += getattr(one, member) or 0
    busy = [(server, total, "") for server, total in totals.most_common() if total > 0]
    left = busy[FASTEST:]
    note = "At the target, by server."
    if left:
        note += f" {counted(len(left), 'more server')}: {count(sum(total for _name, total, _text in left))}{unit}."
    return Chart(title, items(busy[:FASTEST], unit), note)


def _spans() -> Iterator[tuple[float, float, str]]:
    low = -1.0
    for high, label in LATENCIES:
        yield low, high, label
        low = high
    yield low, float("inf"), LATE


def _rank(name: str) -> int:
    return ORDER.index(name) if name in ORDER else len(ORDER)


# -- tables


def _licence(server: Json) -> State:
    licence = server.get("license")
    if not isinstance(licence, dict) or not licence.get("state"):
        return State("")
    word, days = str(licence["state"]), whole_number(licence.get("days_to_expiration"))
    if word != "VALID_LICENSE":
        return State(word, WARN if word in ("NO_LICENSE", "UNKNOWN") else BAD)
    if days is None:
        return State("valid", GOOD)
    kind = BAD if days < 1 else WARN if days <= SOON else GOOD
    return State(counted(days, "day"), kind)


def _server_table(estate: Estate) -> Table:
    columns = [
        Column("Server", "name"),
        Column("Product", "word"),
        Column("State", "state"),
        Column("Version", "word"),
        Column("Licence", "state"),
        Column("Tasks", "number"),
        Column("Running", "number"),
        Column("In error", "number"),
        Column("Memory, MB", "number"),
        Column("CPU, %", "number"),
        Column("Message"),
    ]
    states: dict[str, Counter[str]] = {}
    for one in estate.tasks:
        states.setdefault(one.task.server, Counter())[one.now.state] += 1
    not_read = {row["server"]: row for row in estate.skipped}
    rows = []
    for server in estate.servers:
        name, mine = server["name"], states.get(server["name"])
        used = server.get("resource_utilization")
        used = used if isinstance(used, dict) else {}
        numbers = (sum(mine.values()), mine["RUNNING"], mine["ERROR"]) if mine else ("", "", "")
        message = server.get("message") or (not_read[name]["msg"] if name in not_read else "")
        rows.append(
            [
                name,
                server.get("type") or "",
                state(server.get("state")),
                server.get("version") or "",
                _licence(server),
                *numbers,
                _plain(used.get("memory_mb")),
                _plain(used.get("machine_cpu_percentage")),
                message,
            ]
        )
    there = {row[0] for row in rows}
    for name, row in not_read.items():
        if name not in there:
            rows.append([name, "", state("NOT READ"), "", State(""), "", "", "", "", "", row["msg"]])
    rows.sort(key=lambda row: (row[2].kind != BAD, row[4].kind not in (BAD, WARN), row[0].casefold()))
    return Table("servers", "Servers", columns, rows)


def _text(value: Any) -> str:
    """Return what a server gives as a text: anything may be there."""
    return "" if value is None else str(value)


def _plain(value: Any) -> Any:
    return value if isinstance(value, (int, float)) and not isinstance(value, bool) else ""


def _table_errors(estate: Estate) -> Table:
    rows = [[task.server, task.name, name] for task, names in estate.tables.items() for name in names]
    return Table("tables", "Tables in error", [Column("Server"), Column("Task", "name"), Column("Table")], rows)


def _task_table(estate: Estate) -> Table:
    columns = [
        Column("Server"),
        Column("Task", "name"),
        Column("State", "state"),
        Column("Stop reason", "word"),
        Column("Latency", "number"),
        Column("Records/s", "number"),
        Column("KB/s", "number"),
        Column("Table errors", "number"),
        Column("Message"),
    ]
    tasks = sorted(estate.tasks, key=lambda one: (_rank(one.now.state), -(one.latency or 0), one.task))
    rows = [
        [
            one.task.server,
            one.task.name,
            state(one.now.state),
            "" if one.now.stop_reason == "NONE" else _text(one.now.stop_reason),
            "" if one.latency is None else clock(one.latency),
            "" if one.records is None else count(one.records),
            "" if one.volume is None else count(one.volume),
            one.table_errors or "",
            _text(one.now.message),
        ]
        for one in tasks
    ]
    return Table(TASKS, "Tasks", columns, rows, "What is in error first, then by latency.")
