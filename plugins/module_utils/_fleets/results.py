# Copyright (c) 2026, dataops.qlik_em contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later


# This file is private to the collection.

"""Which rows of a run its result shows, and the file that holds all of them."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from .._client.api import Api
from .._client.errors import AemError, InputError
from .._common.files import real_path, write_atomically
from .._run.result import Mode, Result

# ansible-runner, and so AWX, drops a result of more than 700,000 characters, and a checkpoint may be in it, too.
MOST_ROWS = 500
MOST_SIZE = 220_000  # characters of the rows as JSON: 500 with a message of the server each
MOST_IN_ALL = 650_000  # the same, of all that the result has: Ansible adds a little
ALL_DONE = "All tasks reached their state, but that could not be recorded."

Row = Mapping[str, Any]  # as results show it

CHOSEN: dict[str, Callable[[Row], bool]] = {
    "none": lambda _row: False,
    "failed": lambda row: row["failed"],
    "changed": lambda row: row["changed"] or bool(row["msg"]),
    "all": lambda _row: True,
}


def result_options() -> dict[str, Any]:
    """Return the spec of the options that say what is shown of the rows; documented in ``tasks.fleet``."""
    return {
        "results": {"type": "str", "choices": ["failed", "changed", "all", "none"], "default": "changed"},
        "results_dest": {"type": "path"},
    }


def with_results(api: Api, params: Mapping[str, Any], mode: Mode, work: Callable[[], Result]) -> Result:
    """Do the ``work``; of the rows in its result or failure show what the options say, and write all to a file.

    Raises InputError, before the work, for a file that cannot be written. If that turns out afterwards, it is a failure
    with the rows, or a warning beside another failure.
    """
    choice, path = params["results"], _checked_path(params)

    def write(rows: Sequence[Row]) -> list[str]:
        if not path or mode.check:
            return []
        text = "".join(f"{_line(api.client.masked(row))}\n" for row in rows)
        return write_atomically("results_dest", path, text)

    try:
        result = work()
    except AemError as failure:
        rows = failure.facts.get("tasks")
        if rows is not None:
            is_done = isinstance(failure, InputError)  # and could not be noted, only
            failure.facts.update(shown(rows, "failed" if choice == "changed" and not is_done else choice))
            try:
                failure.warnings += write(rows)
            except InputError as error:
                failure.warnings.append(error.message)
        raise
    rows = result.values.get("tasks")
    if rows is not None:
        others = [value for member, value in result.values.items() if member != "tasks"]
        seen = shown(rows, choice, MOST_IN_ALL - len(json.dumps([*others, result.diff], default=str)))
        result.values.update(seen)
        try:
            result.warnings += write(rows)
        except InputError as error:
            error.message, error.changed = f"{ALL_DONE} {error.message}", result.changed
            error.facts.update(seen, counts=result.values["counts"])
            raise
    return result


def _line(row: Row) -> str:
    """Return a row as JSON in one line: printable characters as they are, others escaped, so that none breaks it."""
    text = json.dumps(row, ensure_ascii=False)
    return "".join(sign if sign.isprintable() else json.dumps(sign)[1:-1] for sign in text)


def shown(rows: Sequence[Row], choice: str, room: int = MOST_SIZE) -> dict[str, Any]:
    """Return the members of a result that show the rows of a ``choice``, and how many of these did not fit.

    ``room`` is how many characters the rest of the result leaves.
    """
    chosen = [row for row in rows if CHOSEN[choice](row)]
    if len(chosen) > MOST_ROWS:
        chosen.sort(key=lambda row: not row["failed"])  # these must not be among the missing
    kept = fitting(chosen, min(MOST_SIZE, room))
    return {"tasks": kept, "truncated": len(chosen) - len(kept)}


def fitting(rows: Sequence[Any], room: int) -> list[Any]:
    """Return the first rows, as many as a result shows and ``room`` characters hold."""
    kept, size = [], 0
    for row in rows[:MOST_ROWS]:
        size += len(json.dumps(row))
        if size > room:
            break
        kept.append(row)
    return kept


def shown_states(states: Mapping[str, str | None]) -> dict[str, str | None]:
    """Return the states of tasks as a diff shows them: so many, and how many more there are."""
    more = len(states) - MOST_ROWS
    if more <= 0:
        return dict(states)
    return {**dict(list(states.items())[:MOST_ROWS]), "...": f"and {more} more"}


def _checked_path(params: Mapping[str, Any]) -> str | None:
    """Return the path of the file without links; raise InputError if it cannot be, or is another file of the run."""
    if not params["results_dest"]:
        return None
    path = real_path("results_dest", params["results_dest"])
    for option in ("path", "journal", "state_file"):
        other = params.get(option) and real_path(option, params[option])
        if other and path in (other, f"{other}.journal"):
            raise InputError(f"results_dest ({path}) is the file of {option}, which it would overwrite.")
    return path
