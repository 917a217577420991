# Copyright (c) 2026, dataops.qlik_em contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is private to the collection.

"""The limits of a run that no option sets."""

from __future__ import annotations

from typing import NamedTuple


class Limits(NamedTuple):
    """How often, how long and how much; the client carries them. Times are seconds."""

    attempts: int = 4  # of one call, if it may be repeated
    first_pause: float = 0.25  # before the second attempt; doubled for each further one
    server_margin: float = 15  # that an answer may take beyond the server's own time limit
    logout: float = 10
    answer_size: int = 16 * 1024 * 1024  # bytes; the status of 30,000 tables
    export_size: int = 128 * 1024 * 1024  # bytes, of definitions, and of the audit trail that is not kept in a file
    spool_size: int = 4 * 1024 * 1024 * 1024  # bytes, of an answer that goes into a file
    spool_from: int = 1024 * 1024  # bytes from which it does: what says that something failed is shorter
    # After a lost answer, the effect of a call must show within this time, or the call is taken not to have arrived.
    lost_effect: float = 10
    # That an import may take to show after its answer; an old client waits 5 (docs/enterprise_manager_api.md, 9.10).
    import_lag: float = 10
    # What an export shows all of but some settings this long after an import has been taken: those settings have their
    # default value, which an export leaves out (docs/enterprise_manager_api.md, 9.2).
    defaults_after: float = 10
    list_age: float = 30  # for which a list of tasks is taken to be true
    # The same before a start: what has finished its load in between would load everything again.
    start_age: float = 1
    latency_age: float = 60  # for which the latency of a running task is taken to be true
    stable_readings: int = 3  # that must agree, of what a server may show for a moment only
    # In which a task that runs moves data, or else may be in a run that only makes tables and then stops.
    quiet_run: float = 10
    progress_interval: float = 5  # between two lines, for a minute; then it grows
    progress_longest: float = 300
    slow_task: float = 10  # after which progress names a task that is under way
