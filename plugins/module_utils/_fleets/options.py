# Copyright (c) 2026, dataops.qlik_em contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is private to the collection.

"""The options that select many tasks, bound the work, and say how running tasks are treated."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from .._client.checks import check_count, check_seconds
from .._client.errors import InputError
from .._common.wait import check_waiting
from .._tasks.model import TASK_STATES
from .._tasks.stop_policy import StopPolicy, check_drain, drain_option
from .results import result_options

MOST_PARALLEL = 256  # calls at a time; more is a typing mistake, and hard on a server


class FleetLimits(NamedTuple):
    """How many calls at a time, and after how many failures nothing more is started (None: go on)."""

    parallel: int
    per_server: int
    max_failures: int | None


class StartWhen(NamedTuple):
    """A wave is started when the tasks before show a latency of at most ``max_latency``, ``stable_for`` times in a row.

    ``on_timeout`` (``go_on`` or ``stop``) says what becomes of it after ``timeout`` seconds. All times are seconds.
    """

    max_latency: float
    stable_for: int
    timeout: float
    on_timeout: str
    sleep: float


def fleet_options() -> dict[str, Any]:
    """Return the spec of these options; documented in ``tasks.fleet``."""
    start_when = {
        "max_latency": {"type": "int", "default": 10},
        "stable_for": {"type": "int", "default": 3},
        "timeout": {"type": "int", "default": 900},
        "on_timeout": {"type": "str", "choices": ["go_on", "stop"], "default": "stop"},
    }
    return {
        "include": selectors_option(),
        "exclude": selectors_option(),
        "waves": {"type": "raw"},  # auto, or such a list: waves.py checks it
        "dependencies": {
            "type": "list",
            "elements": "dict",
            "options": {side: {**selectors_option(), "required": True} for side in ("before", "after")},
        },
        "on_server_error": {"type": "str", "choices": ["fail", "skip"], "default": "fail"},
        "allow_empty": {"type": "bool", "default": False},
        "parallel": {"type": "int", "default": 10},
        "parallel_per_server": {"type": "int"},
        "max_failures": {"type": "int"},
        "on_full_load": {"type": "str", "choices": ["stop", "skip", "wait", "fail"], "default": "stop"},
        "drain": drain_option(),
        "start_when": {"type": "dict", "options": start_when},
        **result_options(),
    }


def selectors_option() -> dict[str, Any]:
    """Return the spec of an option that selects tasks."""
    selector = {
        "server": {"type": "str"},
        "name": {"type": "str"},
        "tag": {"type": "list", "elements": "str"},
        "state": {"type": "list", "elements": "str", "choices": TASK_STATES},
    }
    return {"type": "list", "elements": "dict", "options": selector}


def check_limits(params: Mapping[str, Any]) -> FleetLimits:
    """Return the checked limits; raise InputError."""
    check_count("parallel", params["parallel"], MOST_PARALLEL)
    check_count("parallel_per_server", params["parallel_per_server"], MOST_PARALLEL)
    check_count("max_failures", params["max_failures"], 1_000_000)
    return FleetLimits(params["parallel"], params["parallel_per_server"] or params["parallel"], params["max_failures"])


def check_stop_policy(params: Mapping[str, Any]) -> StopPolicy:
    """Return the checked options that say how running tasks are treated; raise InputError."""
    return StopPolicy(params["on_full_load"], check_drain(params))


def check_start_when(params: Mapping[str, Any]) -> StartWhen | None:
    """Return the checked option ``start_when``, None if it is not given; raise InputError."""
    given = params["start_when"]
    if given is None:
        return None
    if params["state"] in ("stopped", "drained"):
        raise InputError(f"start_when cannot be used with state: {params['state']}. To wait before a stop, use drain.")
    check_count("start_when.stable_for", given["stable_for"], 1000)
    return StartWhen(
        check_seconds("start_when.max_latency", given["max_latency"], least=0),
        given["stable_for"],
        check_seconds("start_when.timeout", given["timeout"]),
        given["on_timeout"],
        check_waiting(params).sleep,
    )
