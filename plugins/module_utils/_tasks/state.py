# Copyright (c) 2026, dataops.qlik_em contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is private to the collection.

"""The state of a task: read, plan, apply."""

from __future__ import annotations

import re
import time
from collections.abc import Mapping
from datetime import datetime
from typing import Any, NamedTuple

from .._client.api import Api
from .._client.checks import check_name, check_seconds
from .._client.errors import AemError, ApiError, InputError
from .._run.result import Mode, Result
from .control import Outcome, read, run, stop, watch
from .model import ACTIVE, AT_REST, FINISHED_FOR_GOOD, KNOWN_STATES, STARTING, Options, Seen

RELOAD = "RELOAD_TARGET"
RESUME = "RESUME_PROCESSING"
RECREATE = "METADATA_ONLY_RECREATE_ALL_TABLES"
FROM_TIMESTAMP = "RESUME_PROCESSING_FROM_TIMESTAMP"
POSITION_OPTIONS = (FROM_TIMESTAMP, "RECOVER_USING_CHECKPOINT_STORED_ON_TARGET", "RESUME_PROCESSING_FROM_POSITION")


class Plan(NamedTuple):
    """The calls to send. ``before`` and ``after`` are the states that the diff shows."""

    stop: bool = False
    run: bool = False
    before: str = ""
    after: str = ""

    @property
    def changed(self) -> bool:
        """Whether anything is to be sent."""
        return self.stop or self.run


def ensure(api: Api, params: Mapping[str, Any], mode: Mode) -> Result:
    """Bring one task to the wanted state (StopTask, RunTask).

    Raises AemError; its ``changed`` says whether this call may have changed the task.
    """
    options = check_options(params)
    begin = time.monotonic()
    # A stop is sent straight away: its answer tells enough, unless the old state is to be shown.
    current = read_for_plan(api, options) if mode.check or mode.diff or options.state == "started" else None
    todo = plan(options.state, current)
    changed, seen = bring(api, options, current, mode)
    return Result(
        changed=changed,
        values={"task": seen.view(options.server, options.name), "elapsed": round(time.monotonic() - begin, 2)},
        diff=_diff(options, todo, changed) if mode.check or mode.diff else None,
        warnings=warnings_about(options, todo, current, seen),
    )


def check_options(params: Mapping[str, Any]) -> Options:
    """Return the checked options; raise InputError with one clear line."""
    state = params["state"]
    run_option = RELOAD if state == "reloaded" else params["run_option"].upper()
    position = params["cdc_position"]
    if state == "reloaded" and not params["force"]:
        raise InputError("state: reloaded deletes the data at the target and loads it again: it needs force: true.")
    if state != "stopped" and run_option == RECREATE and not params["force"]:
        raise InputError(f"run_option: {RECREATE.lower()} drops the tables at the target: it needs force: true.")
    if run_option in POSITION_OPTIONS and not (position and position.strip()):
        raise InputError(f"run_option: {run_option.lower()} needs cdc_position.")
    if position is not None and run_option not in POSITION_OPTIONS:
        raise InputError(f"cdc_position has no meaning with run_option: {run_option.lower()}.")
    if run_option == FROM_TIMESTAMP and not _is_time(position):
        raise InputError("cdc_position must be a UTC time of the form YYYY-MM-DDTHH:MM:SS, in quotes in YAML.")
    return Options(
        server=check_name("server", params["server"]),
        name=check_name("name", params["name"]),
        state=state,
        timeout=int(check_seconds("timeout", params["timeout"])),
        wait=params["wait"],
        wait_timeout=check_seconds("wait_timeout", params["wait_timeout"]),
        wait_sleep=check_seconds("wait_sleep", params["wait_sleep"], least=0.1),
        run_option=run_option,
        cdc_position=position,
    )


def _is_time(text: str) -> bool:
    try:
        datetime.fromisoformat(text)
    except ValueError:  # the 31st of June
        return False
    return re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d", text, re.ASCII) is not None


def plan(wanted: str, current: Seen | None) -> Plan:
    """Return what leads from ``current`` (None: not read) to the ``wanted`` state.

    States that are not known are not guessed at: the call is sent, and the server's answer decides.
    """
    state = current.state if current else ""
    is_stopped = state in AT_REST
    if wanted == "stopped":
        return Plan(before=state, after=state) if is_stopped else Plan(stop=True, before=state, after="STOPPED")
    if wanted == "started":
        is_finished = current is not None and is_stopped and current.stop_reason == FINISHED_FOR_GOOD
        if state in ACTIVE or state == STARTING or is_finished:
            return Plan(before=state, after=state)
        return Plan(run=True, before=state, after="RUNNING")
    return Plan(stop=not is_stopped, run=True, before=state, after="RUNNING")


def bring(api: Api, options: Options, current: Seen | None, mode: Mode) -> Outcome:
    """Bring the task from ``current`` (None: not read) to the wanted state; in check mode say what that would change.

    Raises AemError; its ``changed`` says whether this call may have changed the task.
    """
    todo = plan(options.state, current)
    if current and mode.check:
        return Outcome(todo.changed, current)
    return _apply(api, options, todo, current)


def read_for_plan(api: Api, options: Options) -> Seen:
    """Return the task with its stop reason, without which a finished full load would be loaded again."""
    seen = read(api, options)
    if options.state != "started" or not seen.is_stopped or seen.stop_reason:
        return seen
    # That the details carry the stop reason is not certain (openapi.yaml); the list does, but asks for a higher role.
    try:
        listed = api.get_task_list(options.server)
    except ApiError as error:
        if not error.is_refusal:
            raise
        return seen
    return next(
        (seen._replace(stop_reason=item.get("stop_reason")) for item in listed if item.get("name") == options.name),
        seen,
    )


def _apply(api: Api, options: Options, todo: Plan, current: Seen | None) -> Outcome:
    """Send what is planned."""
    if current and not todo.changed:
        return Outcome(False, watch(api, options, current))
    changed = False
    if todo.stop:
        changed, seen = stop(api, options)
        if not todo.run:
            return Outcome(changed, seen)
    try:
        before = current if current and not todo.stop else read(api, options)
        outcome = run(api, options, before)
    except AemError as error:
        error.changed = error.changed or changed
        if changed:
            error.message = f"The {options.subject} was stopped, but not started again. {error.message}"
        raise
    return Outcome(changed or outcome.changed, outcome.seen)


def _diff(options: Options, todo: Plan, changed: bool) -> dict[str, Any]:
    """Return the states before and after; a run shows its option too, as a restart ends in the state it began with."""
    header = f"{options.server}/{options.name}"
    before, after = {"state": todo.before}, {"state": todo.after if changed else todo.before}
    if todo.run and changed:
        after["run_option"] = options.run_option.lower()
    return {"before": before, "after": after, "before_header": header, "after_header": header}


def warnings_about(options: Options, todo: Plan, current: Seen | None, seen: Seen) -> list[str]:
    """Return what the caller should know although it is no failure."""
    warnings = []
    if current and current.state not in KNOWN_STATES:
        warnings.append(
            f"The {options.subject} is in the state {current.state}, of which little is known: the server decides."
        )
    if current and options.state == "started" and not todo.run and options.run_option != RESUME:
        warnings.append(
            f"run_option: {options.run_option.lower()} was not applied: the task is {current.state} already."
        )
    if options.state == "stopped" and seen.state == "ERROR" and seen is not current:
        warnings.append(f"The {options.subject} is stopped in the state ERROR: {seen.message}")
    return warnings
