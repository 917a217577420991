# Copyright (c) 2026, dataops.qlik_em contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is private to the collection.

"""What a user says of a running task that is to be stopped: a full load under way, changes in flight."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from .._client.checks import check_seconds


class DrainPolicy(NamedTuple):
    """Waiting until changes are applied: for ``timeout`` seconds, down to a latency of ``max_latency`` seconds."""

    timeout: float
    max_latency: float
    on_timeout: str  # stop, skip or fail


class StopPolicy(NamedTuple):
    """How running tasks are treated before they are stopped."""

    on_full_load: str = "stop"  # or skip, wait, fail
    drain: DrainPolicy | None = None

    @property
    def is_needed(self) -> bool:
        """Whether the details of a task must be read before it is stopped."""
        return self.on_full_load != "stop" or self.drain is not None


def drain_option() -> dict[str, Any]:
    """Return the spec of the option ``drain``; documented in ``tasks.drain``."""
    options = {
        "timeout": {"type": "int", "default": 300},
        "max_latency": {"type": "int", "default": 10},
        "on_timeout": {"type": "str", "choices": ["stop", "skip", "fail"], "default": "fail"},
    }
    return {"type": "dict", "options": options}


def check_drain(params: Mapping[str, Any]) -> DrainPolicy | None:
    """Return the checked option ``drain``; ``state: drained`` has it always. Raises InputError.

    The variables of the role have no ``state``.
    """
    drain = params["drain"]
    if drain is None:
        return DrainPolicy(300, 10, "fail") if params.get("state") == "drained" else None
    timeout = check_seconds("drain.timeout", drain["timeout"])
    return DrainPolicy(timeout, check_seconds("drain.max_latency", drain["max_latency"], least=0), drain["on_timeout"])
