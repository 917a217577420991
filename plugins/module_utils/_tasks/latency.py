# Copyright (c) 2026, dataops.qlik_em contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is private to the collection.

"""How far a task is behind its source, as GetTaskDetails shows it. Pure functions."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any, NamedTuple

from .counters import only_loads

# The documented form is hh:mm:ss, with any number of hours (docs/enterprise_manager_api.md, 6.16). Days and parts of a
# second are how .NET, in which the server is written, spells a time span.
_FORM = re.compile(r"(?:(\d{1,7})\.(?=[01]\d:|2[0-3]:))?(\d{1,7}):([0-5]\d):([0-5]\d(?:\.\d{1,9})?)", re.ASCII)


class Latency(NamedTuple):
    """A latency: ``seconds``, None if it cannot be read, which is not 0; ``shown`` is how messages quote it."""

    seconds: float | None
    shown: str

    def is_at_most(self, limit: float) -> bool:
        """Return whether it is known, and that low."""
        return self.seconds is not None and self.seconds <= limit

    def __str__(self) -> str:
        return self.shown if self.seconds is not None else f"unknown ({self.shown})"


def read_latency(value: Any) -> Latency:
    """Return the latency that a value of GetTaskDetails spells; anything may be there."""
    found = _FORM.fullmatch(value.strip()) if isinstance(value, str) else None
    if not found:
        return Latency(None, _quoted(value))
    days, hours, minutes, seconds = (float(part or 0) for part in found.groups())
    total = ((days * 24 + hours) * 60 + minutes) * 60 + seconds
    return Latency(total, f"{round(total, 1):.12g} s")


def total_latency(details: Mapping[str, Any]) -> Latency | None:
    """Return the latency of a task from its source to its target; None if it captures no changes."""
    # Compose shows neither of them.
    has_none = "cdc_latency" not in details and "cdc_transactions_counters" not in details
    if has_none or only_loads(details):
        return None
    latencies = details.get("cdc_latency")
    return read_latency(latencies.get("total_latency") if isinstance(latencies, dict) else latencies)


def _quoted(value: Any) -> str:
    """Return a value as the server gave it, short, and without a character that a terminal would obey."""
    if isinstance(value, (dict, list)):
        return "a mapping" if isinstance(value, dict) else "a list"
    text = json.dumps(value)
    return text if len(text) <= 60 else f"{text[:60]}..."
