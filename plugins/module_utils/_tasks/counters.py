# Copyright (c) 2026, dataops.qlik_em contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is private to the collection.

"""The counters and options of GetTaskDetails, whatever stands there. Pure functions."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .._common.numbers import whole_number

# GetTaskDetails, cdc_transactions_counters: what was read at the source and is not committed at the target.
IN_FLIGHT = (
    "applied_transactions_in_progress_count",
    "applied_records_in_progress_count",
    "incoming_accumulated_changes_in_memory_count",
    "incoming_accumulated_changes_on_disk_count",
    "incoming_applying_changes_in_memory_count",
    "incoming_applying_changes_on_disk_count",
)
LOADS = "full_load_counters"


def counter(details: Mapping[str, Any], group: str, name: str) -> int | None:
    """Return a counter; 0 if the task has none, None if something else is there than a number."""
    counters = details.get(group)
    value = counters.get(name) if isinstance(counters, dict) else counters
    if value is None:
        return 0
    return whole_number(value)


def is_loading(details: Mapping[str, Any]) -> bool:
    """Return whether tables are being loaded or wait for it, or may be. Compose tasks have no such counters."""
    return any(counter(details, LOADS, f"tables_{what}_count") != 0 for what in ("loading", "queued"))


def in_flight(details: Mapping[str, Any]) -> int | None:
    """Return how many changes were read and are not applied yet; None if a counter cannot be read."""
    counters = [counter(details, "cdc_transactions_counters", name) for name in IN_FLIGHT]
    return None if None in counters else sum(filter(None, counters))


def only_loads(details: Mapping[str, Any]) -> bool | None:
    """Return whether the task that GetTaskDetails shows captures no changes; None if that is not given."""
    # Where the task options are in the details is not certain (docs/enterprise_manager_api.md, 6.19).
    options = {**details, **(details["options"] if isinstance(details.get("options"), dict) else {})}
    flags = [options.get(f"{kind}_changes_enabled") for kind in ("apply", "store", "audit")]
    return not any(flags) if any(flag is not None for flag in flags) else None


def has_throughput(details: Mapping[str, Any]) -> bool:
    """Return whether rows or changes pass at this moment."""
    groups = [details.get(group) for group in ("full_load_throughput", "cdc_throughput")]
    rates = [value for group in groups if isinstance(group, dict) for value in group.values()]
    numbers = [rate.get("current") if isinstance(rate, dict) else rate for rate in rates]
    return any(isinstance(number, (int, float)) and number > 0 for number in numbers)
