# Copyright (c) 2026, dataops.qlik_em contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is private to the collection.

"""What ``aem_estate`` does, state by state, and its options."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .._client.api import Api
from .._run.arguments import waiting_options
from .._run.result import Mode, Result
from .applying import applied, backed_out
from .gathering import gathered
from .planning import CONFIRM, planned
from .scope import include_option

STATES = {"gathered": gathered, "planned": planned, "applied": applied, "backed_out": backed_out}


def ensure(api: Api, params: Mapping[str, Any], mode: Mode) -> Result:
    """Do what ``state`` says; raises what that raises."""
    return STATES[params["state"]](api, params, mode)


def estate_options() -> dict[str, Any]:
    """Return the spec of the options."""
    return {
        "state": {"type": "str", "choices": list(STATES), "default": "gathered"},
        "path": {"type": "path", "required": True},
        "include": include_option(),
        "on_server_error": {"type": "str", "choices": ["fail", "skip"], "default": "fail"},
        "parallel": {"type": "int", "default": 10},
        "overlay": {"type": "path"},
        "plan": {"type": "path"},
        "secret_places": {"type": "list", "elements": "str", "no_log": False},
        "secrets": {"type": "dict", "no_log": True},
        "prune": {"type": "str", "choices": ["report", CONFIRM], "default": "report"},
        "force": {"type": "bool", "default": False},
        "parallel_per_server": {"type": "int"},
        "timeout": {"type": "int", "default": 60},
        **waiting_options(),
    }
