# Copyright (c) 2026, dataops.qlik_em contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is private to the collection.

"""The numbers of the runs before, in a file with one line for each, and the trends that a page makes of them."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from .._client.api import Json
from .._client.errors import InputError
from .._common.files import read_file, write_atomically
from .view import Trend, count

MOST = 400  # runs that the file keeps: a year of days
SHOWN = 60
WIDTH, HEIGHT, EDGE = 240, 48, 3  # of a drawing


def read_history(path: str | None, kind: str) -> list[Json]:
    """Return the runs that the file holds, the oldest first; none if there is no file.

    Raises InputError for a file that is not one of this kind of page: it would be overwritten.
    """
    text = read_file("history", path) if path else None
    return [_run(path, number, line, kind) for number, line in enumerate((text or "").splitlines(), start=1)]


def _run(path: str | None, number: int, line: str, kind: str) -> Json:
    try:
        run = json.loads(line)
    except (ValueError, RecursionError):
        run = None
    if not isinstance(run, dict) or not isinstance(run.get("time"), str) or not isinstance(run.get("numbers"), dict):
        raise InputError(
            f"history ({path}) is damaged, or is another file: line {number} is not a run that aem_report has noted. "
            "Nothing was written. Name another file, or move this one away."
        )
    if run.get("kind") != kind:
        raise InputError(
            f"history ({path}) has the runs of another kind of page ({run.get('kind')}, not {kind}). Nothing was "
            "written. Name another file."
        )
    return run


def write_history(path: str, runs: Sequence[Json]) -> list[str]:
    """Write the last runs; return what the caller should know. Raises InputError."""
    return write_atomically("history", path, "".join(f"{json.dumps(run)}\n" for run in runs[-MOST:]))


def trends(runs: Sequence[Json], labels: Mapping[str, str]) -> list[Trend]:
    """Return a line for each number in ``labels`` that two runs or more have."""
    found = []
    for member, label in labels.items():
        values = [run["numbers"].get(member) for run in runs[-SHOWN:]]
        numbers = [float(value) for value in values if _is_number(value)]
        if len(numbers) > 1:
            shown = (numbers[0], numbers[-1], min(numbers), max(numbers))
            found.append(Trend(label, _points(numbers), *map(count, shown)))
    return found


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and abs(value) < 1e15


def _points(numbers: Sequence[float]) -> str:
    """Return the points of a line through the numbers, as the attribute of SVG takes them."""
    low, high = min(numbers), max(numbers)
    step, room = (WIDTH - 2 * EDGE) / (len(numbers) - 1), HEIGHT - 2 * EDGE
    heights = (EDGE + room * (1 - (number - low) / (high - low)) if high > low else HEIGHT / 2 for number in numbers)
    return " ".join(f"{EDGE + at * step:.1f},{height:.1f}" for at, height in enumerate(heights))
