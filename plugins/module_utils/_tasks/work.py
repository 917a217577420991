# Copyright (c) 2026, dataops.qlik_em contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is private to the collection.

"""How far a task is with its work, as GetTaskDetails shows it. Plain data."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from .counters import LOADS, counter, has_throughput, in_flight, is_loading, only_loads
from .latency import Latency, total_latency


class Work(NamedTuple):
    """The work of one task at one time; a number is None if it is not given, or cannot be read."""

    is_compose: bool
    only_loads: bool | None
    is_loading: bool
    tables_completed: int | None
    tables: int | None  # of the full load, those in error included
    tables_in_error: int | None
    rows: int | None
    all_rows: int | None  # as the source estimates it
    latency: Latency | None  # None: the task captures no changes
    moves_data: bool

    def __str__(self) -> str:
        parts = []
        if self.tables and self.tables_completed is not None:
            failed = f" ({self.tables_in_error} in error)" if self.tables_in_error else ""
            parts.append(f"{self.tables_completed} of {self.tables} tables loaded{failed}")
        if self.rows is not None and self.all_rows:
            parts.append(f"{self.rows:,} of {self.all_rows:,} rows")
        if self.latency:
            parts.append(f"latency {self.latency}")
        return ", ".join(parts)


def work_in(details: Mapping[str, Any]) -> Work | None:
    """Return what GetTaskDetails shows of the work; None for an item of GetTaskList, which shows nothing of it."""
    kind = str(details.get("$type") or details.get("type") or "")
    is_compose = "compose" in kind.lower()  # (docs/enterprise_manager_api.md, 5.7)
    if not is_compose and not any(group in details for group in (LOADS, "cdc_latency", "cdc_transactions_counters")):
        return None
    kinds = [counter(details, LOADS, f"tables_{kind}_count") for kind in ("completed", "loading", "queued")]
    failed = counter(details, LOADS, "tables_with_error_count")
    numbers = [*kinds, failed]
    latency = total_latency(details)
    return Work(
        is_compose,
        only_loads(details),
        is_loading(details),
        kinds[0],
        None if None in numbers else sum(filter(None, numbers)),
        failed,
        counter(details, LOADS, "records_completed_count"),
        counter(details, LOADS, "estimated_records_for_all_tables_count"),
        latency,
        # What only makes tables does none of this (docs/enterprise_manager_api.md, 6.48).
        is_loading(details) or in_flight(details) != 0 or has_throughput(details) or bool(latency and latency.seconds),
    )
