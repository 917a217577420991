# Copyright (c) 2026, dataops.qlik_em contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is private to the collection.

"""A page about an estate, or about what a run has done, as one file."""

from __future__ import annotations

import functools
import html
import json
import re
from collections.abc import Callable, Mapping
from typing import Any

from .._client.api import Api, Json
from .._client.checks import check_characters, check_count, check_name
from .._client.errors import InputError
from .._common.file_modes import check_access
from .._common.files import check_file, ensure_file, read_file, real_path
from .._common.parallel import map_parallel
from .._common.times import now
from .._fleets.options import MOST_PARALLEL
from .._run.lines import one_line
from .._run.result import Mode, Result
from . import estate, outcome, plan
from .history import read_history, trends, write_history
from .page import render
from .reading import read_estate
from .view import View

Page = tuple[View, Json, list[str]]
DESCRIPTION = re.compile('<meta name="description" content="([^"]*)">')


def ensure(api: Api, params: Mapping[str, Any], mode: Mode) -> Result:
    """Write the page ``dest``: of the rows that are given, else of the servers.

    Raises AemError; the old file stays then.
    """
    dest, history = params["dest"], params["history"]
    title = check_characters("title", params["title"] or "")
    access = check_access(params)
    check_file("dest", dest)
    if history and real_path("history", history) == real_path("dest", dest):
        raise InputError(f"history ({history}) is the file of dest, which would overwrite it.")
    kind, of_page = _kind(params)
    runs, time = read_history(history, kind), now()
    page, numbers, warnings = of_page(api, params, title, time, runs)
    change = ensure_file(
        "dest", dest, render(page, api.client.masked), mode, params["backup"], access=access, shown=_shown
    )
    warnings += change.warnings
    if history and not mode.check:
        warnings += write_history(history, [*runs, {"kind": kind, "time": time, "numbers": numbers}])
    verdict = one_line(api.client.masked(page.verdict.text))
    values: dict[str, Any] = {"dest": dest, "verdict": verdict, "numbers": numbers}
    if change.backup:
        values["backup_file"] = change.backup
    return Result(change.changed, values, change.diff, warnings)


def _kind(params: Mapping[str, Any]) -> tuple[str, Callable[..., Page]]:
    """Return what a page is about, as the history calls it, and what makes it."""
    result = params["result"]
    if result is None and params["rows_file"] is None:
        return "estate", _of_estate
    is_plan = params["rows_file"] is None and "steps" in result and "tasks" not in result
    return ("plan", _of_plan) if is_plan else ("rows", _of_rows)


def _of_estate(api: Api, params: Mapping[str, Any], title: str, time: str, runs: list[Json]) -> Page:
    """Return the page of what the servers show, its numbers, and warnings."""
    patterns = [check_name("server", server) for server in params["server"] or []]
    check_count("parallel", params["parallel"], MOST_PARALLEL)
    run_all = functools.partial(map_parallel, parallel=params["parallel"], abandon=api.client.interrupt.abandon)
    found = read_estate(api, patterns, params["details"], run_all)
    numbers = estate.summary(found)
    lines = trends([*runs, {"numbers": numbers}], estate.TRENDS)
    page = estate.view(found, numbers, lines, title, api.client.address, time)
    return page, numbers, list(found.warnings)


def _of_rows(api: Api, params: Mapping[str, Any], title: str, time: str, runs: list[Json]) -> Page:
    """Return the page of the rows that are given, its numbers, and warnings."""
    _refuse_server(params)
    result = params["result"] or {}
    if params["rows_file"]:
        done = outcome.read_rows("rows_file", _lines(params["rows_file"]))
    else:
        is_only_failed = result.get("failed") is True and "tasks" not in result
        done = outcome.read_rows("result", [] if is_only_failed else result.get("tasks"))
    numbers = outcome.summary(done, result)
    lines = trends([*runs, {"numbers": numbers}], outcome.TRENDS)
    return outcome.view(result, done, numbers, lines, title, api.client.address, time), numbers, []


def _of_plan(api: Api, params: Mapping[str, Any], title: str, time: str, runs: list[Json]) -> Page:
    """Return the page of the plan that is given, its numbers, and no warnings."""
    _refuse_server(params)
    result = params["result"]
    steps = plan.read_steps(result["steps"])
    numbers = plan.summary(steps, result)
    lines = trends([*runs, {"numbers": numbers}], plan.TRENDS)
    return plan.view(result, steps, numbers, lines, title, api.client.address, time), numbers, []


def _refuse_server(params: Mapping[str, Any]) -> None:
    if params["server"]:
        raise InputError("server cannot be used with result or rows_file: the page shows what they hold.")


def _lines(path: str) -> list[Any]:
    """Return what the lines of a file hold; raise InputError if there is none, or a line is not JSON."""
    text = read_file("rows_file", path)
    if text is None:
        raise InputError(f"rows_file ({path}) cannot be read: there is no such file.")
    found = []
    for number, line in enumerate(text.splitlines(), start=1):
        try:
            found.append(json.loads(line))
        except (ValueError, RecursionError):
            raise InputError(f"Line {number} of rows_file ({path}) is not JSON. {outcome.GIVE}") from None
    return found


def _shown(text: str) -> str:
    """Return a page as a diff shows it: by what it says of the whole."""
    found = DESCRIPTION.search(text)
    return f"{html.unescape(found[1])}\n" if found else "(something that is not a page of aem_report)\n" if text else ""
