# Copyright (c) 2026, dataops.qlik_em contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is private to the collection.

"""Many tasks: which ones, in which order, and what is reported of them."""

from __future__ import annotations

import contextlib
import functools
import time
from collections.abc import Iterator, Mapping
from typing import Any

from .._client.api import Api
from .._client.errors import AemError, InputError
from .._common.files import real_path
from .._common.parallel import map_parallel
from .._common.rows import rows_on_failure, values
from .._run.result import Mode, Result
from .._tasks.operation import check_operation
from .fleet import Fleet, Job, raise_task_failures, states_diff
from .journal import Journal, JournaledApi, JournalState, open_journal, read_journal
from .options import FleetLimits, check_limits, check_start_when, check_stop_policy
from .results import ALL_DONE, with_results
from .selection import Selection, read_selectors, select
from .waves import check_waves, order_values, show_order, sort_into_waves

NO_SELECTOR = "include must contain at least one selector."


def ensure(api: Api, params: Mapping[str, Any], mode: Mode) -> Result:
    """Do with the selected tasks what ``aem_task`` does with one.

    Raises AemError when all that runs has ended; it carries the rows.
    """
    return with_results(api, params, mode, lambda: _act(api, params, mode))


def _act(api: Api, params: Mapping[str, Any], mode: Mode) -> Result:
    operation = check_operation(params["state"], params)
    limits, policy, start_when = check_limits(params), check_stop_policy(params), check_start_when(params)
    option = check_waves(params)
    if option.is_auto and params["reverse"]:
        raise InputError("reverse cannot be used with waves: auto, whose order follows from state.")
    label = f"{operation.state} {operation.run_option}"  # what a journal calls it
    journal_path = params["journal"] and real_path("journal", params["journal"])
    if journal_path:
        read_journal(journal_path, api.client.address, label)
    run_option = "" if operation.state == "stopped" else operation.run_option.lower()  # what the diff shows of a run
    as_of = time.monotonic()
    selection = read_selection(api, params, limits)
    waves = sort_into_waves(api, selection.tasks, option, limits)
    show_order(mode, waves)
    is_reverse = operation.state != "stopped" if option.is_auto else params["reverse"]
    jobs = [
        [Job(listed.task, operation, listed.snapshot, as_of) for listed in wave]
        for wave in (waves.tasks[::-1] if is_reverse else waves.tasks)
    ]
    skipped, warnings = selection.skipped, selection.warnings + waves.warnings
    with journaled(api, journal_path, label, mode) as (journaled_api, state, journal):
        try:
            fleet = Fleet(journaled_api, mode, limits, policy, state, journal, start_when, warn=warnings.append)
            rows = fleet.run(jobs, operation.state)
            raise_task_failures(rows, run_option)
        except AemError as failure:
            failure.facts["skipped_servers"] = skipped.rows
            failure.warnings += warnings
            raise
        if journal:
            with rows_on_failure("tasks", rows, ALL_DONE):
                journal.note("end")
    return Result(
        changed=any(row.changed for row in rows),
        values={**values("tasks", rows), "skipped_servers": skipped.rows, **order_values(waves)},
        diff=states_diff(rows, run_option),
        warnings=warnings,
    )


def read_selection(api: Api, params: Mapping[str, Any], limits: FleetLimits) -> Selection:
    """Return the tasks that ``include`` and ``exclude`` mean; raise InputError if there is none."""
    include, exclude = read_selectors("include", params["include"]), read_selectors("exclude", params["exclude"])
    if not include:
        raise InputError(NO_SELECTOR)
    run_all = functools.partial(map_parallel, parallel=limits.parallel, abandon=api.client.interrupt.abandon)
    selection = select(api, include, exclude, params["on_server_error"], run_all)
    if not selection.tasks and not params["allow_empty"]:
        more = "".join(f" {warning}" for warning in selection.warnings)
        raise InputError(f"include selects no task. Set allow_empty: true if that is acceptable.{more}")
    return selection


@contextlib.contextmanager
def journaled(
    api: Api, path: str | None, operation: str, mode: Mode
) -> Iterator[tuple[Api, JournalState, Journal | None]]:
    """Open the journal if there is to be one, and yield the API that writes it; in check mode it is only read."""
    if not path:
        yield api, JournalState(), None
    elif mode.check:
        yield api, read_journal(path, api.client.address, operation), None
    else:
        with open_journal(path, api.client.address, operation) as journal:
            yield JournaledApi(api.client, journal), journal.state, journal
