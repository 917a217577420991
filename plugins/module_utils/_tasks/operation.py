# Copyright (c) 2026, dataops.qlik_em contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is private to the collection.

"""What is to be done with a task that exists: the options that say so, and their checks."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from .._client.checks import check_seconds
from .._client.errors import InputError
from .._common.wait import Waiting, check_waiting

RELOAD = "RELOAD_TARGET"
RESUME = "RESUME_PROCESSING"
RECREATE = "METADATA_ONLY_RECREATE_ALL_TABLES"
METADATA_OPTIONS = (RECREATE, "METADATA_ONLY_CREATE_MISSING_TABLES")
FROM_TIMESTAMP = "RESUME_PROCESSING_FROM_TIMESTAMP"
POSITION_OPTIONS = (FROM_TIMESTAMP, "RECOVER_USING_CHECKPOINT_STORED_ON_TARGET", "RESUME_PROCESSING_FROM_POSITION")
# How far a start is followed (option wait_for).
RUNNING, FINISHED, LOADED, LATENCY = "running", "finished", "loaded", "latency"


class Operation(NamedTuple):
    """What is to be done: the wanted ``state``, and how the calls are sent and followed.

    ``timeout`` (seconds) is the server's own time limit. With ``wait``, a task is followed until its process is up or
    has ended, or as far as ``wait_for`` says.
    """

    state: str  # stopped (drained too), started, restarted, reloaded
    timeout: int
    wait: bool
    waiting: Waiting
    run_option: str = RESUME
    cdc_position: str | None = None
    wait_for: str = RUNNING
    max_latency: float = 10

    @property
    def makes_tables(self) -> bool:
        """Whether the run only makes tables, and stops by itself (docs/enterprise_manager_api.md, 6.20)."""
        return self.state != "stopped" and self.run_option in METADATA_OPTIONS

    @property
    def is_for_replicate(self) -> bool:
        """Whether Compose knows nothing of it: its tasks have one run option, and neither tables nor a latency."""
        return self.state != "stopped" and (self.run_option != RESUME or self.wait_for in (LOADED, LATENCY))


def starting_options() -> dict[str, Any]:
    """Return the spec of the options that say how a task is started; documented in ``tasks.starting``."""
    choices = [
        "resume_processing",
        "resume_processing_from_timestamp",
        "resume_processing_from_position",
        "recover_using_locally_stored_checkpoint",
        "recover_using_checkpoint_stored_on_target",
        "metadata_only_recreate_all_tables",
        "metadata_only_create_missing_tables",
    ]
    return {
        "wait": {"type": "bool"},
        "wait_for": {"type": "str", "choices": [RUNNING, FINISHED, LOADED, LATENCY]},
        "max_latency": {"type": "int"},
        "run_option": {"type": "str", "choices": choices, "default": "resume_processing"},
        "cdc_position": {"type": "raw"},
        "force": {"type": "bool", "default": False},
    }


def check_operation(state: str, params: Mapping[str, Any]) -> Operation:
    """Return the checked options for the wanted ``state`` of a task; raise InputError with one clear line."""
    run_option = RELOAD if state == "reloaded" else params["run_option"].upper()
    position = _check_position(params["cdc_position"])
    if state == "reloaded" and not params["force"]:
        raise InputError("state: reloaded deletes the data at the target and loads it again: it needs force: true.")
    if state != "stopped" and run_option == RECREATE and not params["force"]:
        raise InputError(f"run_option: {RECREATE.lower()} drops the tables at the target: it needs force: true.")
    if run_option in POSITION_OPTIONS and not (position and position.strip()):
        raise InputError(f"run_option: {run_option.lower()} needs cdc_position.")
    if position is not None and run_option not in POSITION_OPTIONS:
        raise InputError(f"cdc_position cannot be used with run_option: {run_option.lower()}.")
    if run_option == FROM_TIMESTAMP and position:
        from .._common.times import check_timestamp  # late: no other option needs it

        position = check_timestamp("cdc_position", position).rstrip("Z")  # as RunTask takes it
    operation = Operation(
        "stopped" if state == "drained" else state,
        check_timeout(params),
        bool(params["wait"] or params["wait_for"]),
        check_waiting(params),
        run_option,
        cdc_position=position,
    )
    return _with_goal(operation, params)


def _check_position(value: Any) -> str | None:
    """Return the option ``cdc_position``; raise InputError for one that is not a text any more.

    YAML takes 00012345 for 5349, and 42:31:10 for 153070.
    """
    if value is None or isinstance(value, str):
        return value
    raise InputError(
        f"cdc_position must be a string, not {type(value).__name__} {value}, which YAML may have made from something "
        "else.",
        'Put it in quotes: cdc_position: "...". In a template, keep the value itself in quotes where it is set.',
    )


def _with_goal(operation: Operation, params: Mapping[str, Any]) -> Operation:
    """Return the operation with the checked options ``wait_for`` and ``max_latency``; raise InputError."""
    goal, most = params["wait_for"], params["max_latency"]
    if goal and operation.state == "stopped":
        raise InputError(f"wait_for cannot be used with state: {params['state']}.")
    if goal and params["wait"] is False:
        raise InputError(f"wait_for: {goal} waits: leave wait: false out, or wait_for.")
    if goal and goal != FINISHED and operation.makes_tables:
        raise InputError(
            f"run_option: {operation.run_option.lower()} creates tables and stops by itself, so wait_for: {goal} "
            "cannot be used with it."
        )
    if most is not None and goal != LATENCY:
        raise InputError("max_latency can only be used with wait_for: latency.")
    if most is not None:
        operation = operation._replace(max_latency=check_seconds("max_latency", most, least=0))
    return operation._replace(wait_for=goal or RUNNING)


def check_timeout(params: Mapping[str, Any]) -> int:
    """Return the checked option ``timeout`` (seconds); raise InputError."""
    return int(check_seconds("timeout", params["timeout"]))
