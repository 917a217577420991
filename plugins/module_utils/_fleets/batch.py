# Copyright (c) 2026, dataops.qlik_em contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is private to the collection.

"""Many tasks: which ones, in which order, and what is told of them."""

from __future__ import annotations

import contextlib
import functools
import time
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from .._client.api import Api
from .._client.errors import AemError, InputError
from .._common.files import check_file
from .._common.parallel import map_parallel
from .._run.result import Mode, Result
from .._tasks.model import Options
from .._tasks.state import check_options
from .fleet import Fleet, Job, Limits, check_care, check_limits, diff, done, raise_failures, values
from .journal import Journal, JournaledApi, Known, open_journal, read_journal
from .selection import Listed, Selection, Selector, read_selectors, select, skip_warnings

NO_SELECTOR = "include must hold at least one selector."


def ensure(api: Api, params: Mapping[str, Any], mode: Mode) -> Result:
    """Bring the selected tasks to the wanted state, as ``aem_task`` does with one.

    Raises AemError when all that runs has ended; it carries the rows.
    """
    begin = time.monotonic()
    # The same checks as for one task; the names come later.
    wanted = check_options({**params, "server": "*", "name": "*"})
    limits, care = check_limits(params), check_care(params)
    waves = read_selectors("waves", params["waves"])
    wish = f"{wanted.state} {wanted.run_option}"
    if params["journal"]:
        check_file("journal", params["journal"])
        read_journal(params["journal"], api.client.address, wish)
    as_of = time.monotonic()
    selection = read_selection(api, params, limits)
    sorted_waves = sort_into_waves(selection.tasks, waves)
    if params["reverse"]:
        sorted_waves.reverse()
    jobs = [[job_for(wanted, task, as_of) for task in wave] for wave in sorted_waves]
    with open_maybe(api, params["journal"], wish, mode) as (known, journal):
        journaled = JournaledApi(api.client, journal) if journal else api
        warnings = skip_warnings(selection.skipped)
        try:
            rows = Fleet(journaled, mode, limits, care, known, journal).run(jobs, wanted.state)
            with_diff = {"diff": diff(rows)} if mode.check or mode.diff else {}
            raise_failures(rows, **with_diff)
        except AemError as failure:
            failure.facts["skipped_servers"] = selection.skipped
            failure.warnings += warnings
            raise
        if journal:
            with done(rows):
                journal.note("end")
    elapsed = round(time.monotonic() - begin, 2)
    return Result(
        changed=any(row.changed for row in rows),
        values={**values(rows), "skipped_servers": selection.skipped, "elapsed": elapsed},
        diff=with_diff.get("diff"),
        warnings=warnings,
    )


def read_selection(api: Api, params: Mapping[str, Any], limits: Limits) -> Selection:
    """Return the tasks that ``include`` and ``exclude`` mean; raise InputError if there is none."""
    include, exclude = read_selectors("include", params["include"]), read_selectors("exclude", params["exclude"])
    if not include:
        raise InputError(NO_SELECTOR)
    at_a_time = functools.partial(map_parallel, parallel=limits.parallel, abandon=api.client.stop.abandon)
    selection = select(api, include, exclude, params["on_server_error"], at_a_time)
    if not selection.tasks and not params["allow_empty"]:
        skipped = "".join(f" {warning}" for warning in skip_warnings(selection.skipped))
        raise InputError(f"include selects no task. Set allow_empty: true if that can be right.{skipped}")
    return selection


def sort_into_waves(tasks: Sequence[Listed], waves: Sequence[Selector]) -> list[list[Listed]]:
    """Return the tasks of each wave, and last those of none; raise InputError for a task of two waves."""
    result: list[list[Listed]] = [[] for _wave in range(len(waves) + 1)]
    for task in tasks:
        places = [number for number, wave in enumerate(waves) if wave.selects(task)]
        if len(places) > 1:
            numbers = " and ".join(str(place + 1) for place in places)
            raise InputError(
                f'Task "{task.name}" on server "{task.server}" is in the waves {numbers}: waves must not overlap.'
            )
        result[places[0] if places else -1].append(task)
    return result


def job_for(wanted: Options, task: Listed, as_of: float) -> Job:
    """Return what is wanted of one task."""
    return Job(wanted._replace(server=task.server, name=task.name), task.seen, as_of)


@contextlib.contextmanager
def open_maybe(api: Api, path: str | None, wish: str, mode: Mode) -> Iterator[tuple[Known, Journal | None]]:
    """Open the journal if there is to be one; in check mode it is only read."""
    if not path:
        yield Known(), None
    elif mode.check:
        yield read_journal(path, api.client.address, wish), None
    else:
        with open_journal(path, api.client.address, wish) as journal:
            yield journal.known, journal
