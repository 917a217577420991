# Copyright (c) 2026, dataops.qlik_em contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is private to the collection.

"""What is to be done with a task that exists: the options that say so, and their checks."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any, NamedTuple

from .._client.checks import check_seconds
from .._client.errors import InputError
from .._common.wait import Waiting, check_waiting

RELOAD = "RELOAD_TARGET"
RESUME = "RESUME_PROCESSING"
RECREATE = "METADATA_ONLY_RECREATE_ALL_TABLES"
FROM_TIMESTAMP = "RESUME_PROCESSING_FROM_TIMESTAMP"
POSITION_OPTIONS = (FROM_TIMESTAMP, "RECOVER_USING_CHECKPOINT_STORED_ON_TARGET", "RESUME_PROCESSING_FROM_POSITION")


class Operation(NamedTuple):
    """What is to be done: the wanted ``state``, and how the calls are sent and followed.

    ``timeout`` (seconds) is the server's own time limit. With ``wait``, a task is followed until its process is up or
    has ended.
    """

    state: str  # stopped, started, restarted, reloaded
    timeout: int
    wait: bool
    waiting: Waiting
    run_option: str = RESUME
    cdc_position: str | None = None


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
        "wait": {"type": "bool", "default": False},
        "run_option": {"type": "str", "choices": choices, "default": "resume_processing"},
        "cdc_position": {"type": "str"},
        "force": {"type": "bool", "default": False},
    }


def check_operation(state: str, params: Mapping[str, Any]) -> Operation:
    """Return the checked options for the wanted ``state`` of a task; raise InputError with one clear line."""
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
    return Operation(
        state, check_timeout(params), params["wait"], check_waiting(params), run_option, cdc_position=position
    )


def check_timeout(params: Mapping[str, Any]) -> int:
    """Return the checked option ``timeout`` (seconds); raise InputError."""
    return int(check_seconds("timeout", params["timeout"]))


def _is_time(text: str) -> bool:
    try:
        datetime.fromisoformat(text)
    except ValueError:  # the 31st of June
        return False
    return re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d", text, re.ASCII) is not None
