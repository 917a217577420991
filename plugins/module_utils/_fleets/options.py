# Copyright (c) 2026, dataops.qlik_em contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is private to the collection.

"""The options that select many tasks, bound the work, and say how running tasks are treated."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from .._client.checks import check_count
from .._tasks.drain import StopPolicy, check_drain, drain_option
from .._tasks.model import TASK_STATES
from .results import result_options

MOST_PARALLEL = 256  # calls at a time; more is a typing mistake, and hard on a server


class FleetLimits(NamedTuple):
    """How many calls at a time, and after how many failures nothing more is started (None: go on)."""

    parallel: int
    per_server: int
    max_failures: int | None


def fleet_options() -> dict[str, Any]:
    """Return the spec of these options; documented in ``tasks.fleet``."""
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
