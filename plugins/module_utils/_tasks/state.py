# Copyright (c) 2026, dataops.qlik_em contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is private to the collection.

"""The state of a task: read, plan, apply."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

from .._client.api import Api
from .._client.errors import AemError, InputError
from .._run.result import Mode, Result, diff
from .control import Control, Outcome, Watch, ignore
from .model import ACTIVE, AT_REST, FINISHED_FOR_GOOD, KNOWN_STATES, STARTING, TaskName, TaskSnapshot, check_task
from .operation import FINISHED, RESUME, Operation, check_operation
from .stop_policy import StopPolicy, check_drain
from .watching import watch_task

if TYPE_CHECKING:
    from .starting import Start

QUIET = (
    "The {} is RUNNING, but moves no data. The API does not show with which run option it was started: if that run "
    "only creates tables, it will stop by itself."
)

CLONING = ("clone_of", "clone_permissions", "source_endpoint", "target_endpoint")


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
    """Start or stop one task (StopTask, RunTask), or define or delete it.

    Raises AemError; its ``changed`` says whether this call may have changed the task.
    """
    state = params["state"]
    _check_meaning(state, params)
    if params["clone_of"] is not None:
        from . import clone  # late: a module compiles what it imports at each start

        return clone.ensure(api, params, mode)
    if state in ("present", "absent"):
        from . import definition  # likewise

        return definition.ensure(api, params, mode)
    operation, task = check_operation(state, params), check_task(params)
    policy = StopPolicy("wait", check_drain(params)) if state == "drained" else StopPolicy()
    # A stop is sent straight away: its answer shows enough, unless the old state is to be shown.
    current = read_for_plan(api, task, operation) if mode.shows_diff or state == "started" else None
    may_end = state == "started" and operation.wait_for != FINISHED and not operation.makes_tables
    if current and current.is_quiet and may_end and not mode.check:
        from .starting import Start  # likewise

        current = Start(api, task, operation).await_signs(current)
    todo, warnings = plan(operation, current), []
    if policy.is_needed and not (current and current.is_stopped):
        from .drain import prepare_stop  # likewise

        leave, why = prepare_stop(api, task, operation, policy, mode.check)
        if leave:
            current = current or Control(api, task, operation).read()
            return Result(values={"task": current.view(task)}, warnings=[f"The {task.subject}: {why}"])
        warnings += [f"The {task.subject}: {why}"] if why else []
    outcome = apply(api, task, operation, current, mode, watch_task(api, task, mode))
    return Result(
        changed=outcome.changed,
        values={"task": outcome.snapshot.view(task)},
        diff=_diff(task, operation, todo, outcome.changed),
        warnings=warnings + _warnings_about(task, operation, todo, current, outcome),
    )


def _check_meaning(state: str, params: Mapping[str, Any]) -> None:
    """Raise InputError for an option that has no meaning with this state."""
    given = [option for option in (*CLONING, "definition", "src") if params[option] is not None]
    if given and state != "present":
        raise InputError(f"{given[0]} can only be used with state: present.")
    if given and given[0] in CLONING and given[0] != "clone_of":
        raise InputError(f"{given[0]} can only be used with clone_of.")
    if params["drain"] is not None and state != "drained":
        raise InputError("drain can only be used with state: drained.")
    if params["wait_for"] and state in ("present", "absent"):
        raise InputError(f"wait_for cannot be used with state: {state}.")


def plan(operation: Operation, current: TaskSnapshot | None) -> Plan:
    """Return what leads from ``current`` (None: not read) to the state that the operation wants.

    States that are not known are not guessed at: the call is sent, and the server's answer decides. Of a run in
    progress nobody can read the option, so one that is to make tables is always sent, once that one has ended.
    """
    wanted, state = operation.state, current.state if current else ""
    is_stopped = state in AT_REST
    after = "STOPPED" if operation.makes_tables or operation.wait_for == FINISHED else "RUNNING"
    if wanted == "stopped":
        return Plan(before=state, after=state) if is_stopped else Plan(stop=True, before=state, after="STOPPED")
    if wanted == "started":
        is_finished = current is not None and is_stopped and current.stop_reason == FINISHED_FOR_GOOD
        if (state in ACTIVE or state == STARTING or is_finished) and not operation.makes_tables:
            return Plan(before=state, after=state)
        return Plan(run=True, before=state, after=after)
    return Plan(stop=not is_stopped, run=True, before=state, after=after)


def read_for_plan(api: Api, task: TaskName, operation: Operation) -> TaskSnapshot:
    """Return the task, before a start with its stop reason."""
    control = Control(api, task, operation)
    return control.read_with_reason() if operation.state == "started" else control.read()


def apply(
    api: Api,
    task: TaskName,
    operation: Operation,
    current: TaskSnapshot | None,
    mode: Mode,
    watch: Watch = ignore,
) -> Outcome:
    """Take the task from ``current`` (None: not read) to the wanted state; in check mode say what that would change.

    ``watch`` gets each reading of a task that is followed. Raises AemError; its ``changed`` says whether this call may
    have changed the task.
    """
    todo, control = plan(operation, current), Control(api, task, operation, watch)
    start: Start | None = None
    if operation.state != "stopped":
        from .starting import Start  # late: a stop does not need it

        control = start = Start(api, task, operation, watch)
        start.check(current)
    if current and mode.check:
        return Outcome(todo.changed, current)
    if current and not todo.changed:
        return Outcome(False, control.watch(current))
    if start is None:
        return control.stop()
    changed = todo.stop and start.stop().changed
    try:
        outcome = start.run(current if current and not todo.stop else start.read())
    except AemError as error:
        if changed:
            error.changed = True
            error.message = f"The {task.subject} was stopped, but not started again. {error.message}"
        raise
    return Outcome(changed or outcome.changed, outcome.snapshot)


def _diff(task: TaskName, operation: Operation, todo: Plan, changed: bool) -> dict[str, Any]:
    """Return the states before and after; a run shows its option too, as a restart ends in the state it began with."""
    before, after = {"state": todo.before}, {"state": todo.after if changed else todo.before}
    if todo.run and changed:
        after["run_option"] = operation.run_option.lower()
    return diff(before, after, str(task))


def _warnings_about(
    task: TaskName, operation: Operation, todo: Plan, current: TaskSnapshot | None, outcome: Outcome
) -> list[str]:
    """Return what the caller should know although it is not a failure."""
    last, warnings = outcome.snapshot, []
    if operation.state == "started" and operation.wait_for != FINISHED and last.is_quiet and not outcome.changed:
        warnings.append(QUIET.format(task.subject))
    if operation.wait_for == FINISHED and last.work and last.work.tables_in_error:
        warnings.append(f"The {task.subject} has finished, but with tables in error: {last.work}.")
    if current and current.state not in KNOWN_STATES:
        warnings.append(
            f"The {task.subject} is in the state {current.state}, which this collection does not know: the server "
            "decides."
        )
    if current and operation.state == "started" and not todo.run and operation.run_option != RESUME:
        warnings.append(
            f"run_option: {operation.run_option.lower()} was not applied: the task is already {current.state}."
        )
    if operation.state == "stopped" and last.state == "ERROR" and last is not current:
        warnings.append(f"The {task.subject} is stopped in the state ERROR: {last.message}")
    return warnings
