# Copyright (c) 2026, dataops.qlik_em contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is private to the collection.

"""The page of a plan for an estate: each step in order, what it stops, and what it cannot do. Pure functions."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from .._client.api import Json
from .._client.errors import InputError
from .._common.rows import counted
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
    counts_of,
    dicts,
    figures,
    items,
    listed,
    shares,
    verdict,
)

ACTIONS = {"create": GOOD, "update": PLAIN, "reorder": PLAIN, "delete": BAD}
COUNTS = {"create": "created", "update": "updated", "reorder": "reordered", "delete": "deleted"}  # in a result
IMPOSSIBLE = "Remove it in the console, or take it into the files: an import cannot remove it."
SECRETS = "Give them in the option secrets of aem_estate when the plan is applied."
STOPS = "Running tasks are stopped for it, and started again."


class Step(NamedTuple):
    """A step as results show it; ``name`` is empty for an ACL."""

    server: str
    kind: str
    name: str
    action: str
    stops: bool


def read_steps(rows: Any) -> list[Step]:
    """Return the steps of a result of aem_estate; raise InputError for what is not one."""
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise InputError("The steps of result are not those of a plan. Give what aem_estate has returned (register).")
    return [_step(row) for row in rows]


def _step(row: Json) -> Step:
    server, kind, name, action = (str(row.get(member) or "") for member in ("server", "kind", "name", "action"))
    return Step(server, kind, name, action, row.get("stops") is True)


def summary(steps: Sequence[Step], result: Mapping[str, Any]) -> dict[str, Any]:
    """Return the numbers of a plan, which trends are made of; a result counts the steps too that it does not show."""
    seen, counts = Counter(step.action for step in steps), counts_of(result)
    actions = {action: max(seen[action], counts.get(member, 0)) for action, member in COUNTS.items()}
    others = {member: len(dicts(result.get(member))) for member in ("impossible", "unmanaged", "secrets_needed")}
    return {
        "steps": max(len(steps), sum(actions.values())),
        **actions,
        "stops": sum(step.stops for step in steps),
        **others,
    }


# What of it has a trend, and how it is called.
TRENDS = {"steps": "Steps", "stops": "Tasks stopped", "impossible": "Not possible", "unmanaged": "Not in the files"}


def view(
    result: Mapping[str, Any],
    steps: Sequence[Step],
    numbers: Mapping[str, Any],
    trends: Sequence[Trend],
    title: str,
    source: str,
    time: str,
) -> View:
    """Return the page of the ``steps`` of a ``result``."""
    groups, more = grouped(
        [
            *_troubles(result, "impossible", State("NOT POSSIBLE", BAD), IMPOSSIBLE),
            *_troubles(result, "secrets_needed", State("SECRETS", WARN), SECRETS),
            *(
                Trouble(f"{step.server}/{step.name}", State("STOPS", WARN), STOPS, "Choose a time for that.")
                for step in steps
                if step.stops
            ),
        ]
    )
    servers = Counter(step.server for step in steps).most_common(10)
    charts = [
        Chart("Steps by action", shares(numbers, ACTIONS)),
        Chart("Steps by server", items((name, number, "") for name, number in servers)),
    ]
    tables = [_step_table(steps), _unmanaged_table(result)]
    return View(
        title or "Plan",
        source,
        time,
        _verdict(result, numbers),
        _figures(numbers),
        groups,
        more,
        [chart for chart in charts if chart.items],
        trends,
        [table for table in tables if table.rows],
        _notes(result, numbers["steps"] - len(steps)),
    )


def _notes(result: Mapping[str, Any], left: int) -> list[str]:
    notes = []
    if left > 0:
        notes.append(f"{counted(left, 'step')} more are counted, but the result does not show them. The plan has all.")
    if result.get("page"):
        notes.append(f"What differs in each object is in {result['page']}.")
    return notes


def _troubles(result: Mapping[str, Any], member: str, state: State, remedy: str) -> list[Trouble]:
    found = []
    for one in dicts(result.get(member)):
        places = one.get("places")
        message = ", ".join(map(str, places)) if isinstance(places, list) else ""
        found.append(Trouble(f"{one.get('server')}/{one.get('name')}", state, message or "(no place)", remedy))
    return found


def _verdict(result: Mapping[str, Any], numbers: Mapping[str, Any]) -> State:
    parts = [f"{numbers[action]} to {action}" for action in ACTIONS if numbers[action]]
    text = f"{counted(numbers['steps'], 'step')}: {listed(parts)}." if parts else "Nothing to do."
    kind = BAD if numbers["delete"] else WARN if numbers["stops"] or numbers["impossible"] else GOOD
    return verdict(result, text, kind)


def _figures(numbers: Mapping[str, Any]) -> list[Figure]:
    return [
        Figure("Steps", str(numbers["steps"])),
        *figures(numbers, ACTIONS),
        Figure("Tasks stopped", str(numbers["stops"]), WARN if numbers["stops"] else PLAIN),
        Figure("Not possible", str(numbers["impossible"]), BAD if numbers["impossible"] else PLAIN),
    ]


def _step_table(steps: Sequence[Step]) -> Table:
    columns = [
        Column("Step", "number"),
        Column("Action", "state"),
        Column("Kind", "word"),
        Column("Server"),
        Column("Object", "name"),
        Column("Stops it", "word"),
    ]
    rows = [
        [
            number,
            State(step.action, ACTIONS.get(step.action, PLAIN)),
            step.kind,
            step.server,
            step.name,
            "yes" if step.stops else "",
        ]
        for number, step in enumerate(steps, start=1)
    ]
    return Table("steps", "Steps", columns, rows, "In the order in which they are done.")


def _unmanaged_table(result: Mapping[str, Any]) -> Table:
    texts = ("kind", "server", "name")
    rows = [[str(one.get(member) or "") for member in texts] for one in dicts(result.get("unmanaged"))]
    columns = [Column("Kind", "word"), Column("Server"), Column("Object", "name")]
    return Table("unmanaged", "On the servers, and not in the files", columns, rows)
