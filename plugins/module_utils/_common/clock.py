# Copyright (c) 2026, dataops.qlik_em contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is private to the collection.

"""Time that a change of the machine's time does no harm to: since another process noted something, and the server's."""

from __future__ import annotations

import time
from datetime import timezone
from email.utils import parsedate_to_datetime
from typing import Any

from .._client.client import Client

_BOOT_ID = "/proc/sys/kernel/random/boot_id"
_CLOCK = getattr(time, "CLOCK_BOOTTIME", None)  # Linux; it goes on while the machine sleeps


def boot_id() -> str:
    """Return what tells this start of this machine from all others; empty where that is not known."""
    if _CLOCK is None:
        return ""
    try:
        with open(_BOOT_ID, encoding="ascii") as file:
            return file.read().strip()
    except (OSError, ValueError):
        return ""


def uptime() -> float:
    """Return the seconds since the machine was started, which all its processes share; any number without boot id."""
    return time.clock_gettime(_CLOCK) if _CLOCK is not None else time.monotonic()


def monotonic_of(boot: Any, noted: Any) -> float:
    """Return what this process's monotonic clock showed at the uptime ``noted`` of the start ``boot``.

    Of another machine or another start, or if it is not a time that was, it is the present: then a wait lasts its full
    time.
    """
    here, now = time.monotonic(), uptime()
    is_number = isinstance(noted, (int, float)) and not isinstance(noted, bool)
    if boot and boot == boot_id() and is_number and 0 <= noted <= now:
        return here - (now - noted)
    return here


def server_time(client: Client) -> int:
    """Return the time by the clock of Enterprise Manager (UTC, seconds since 1970), rounded down.

    The clock of this machine counts only if the last answer did not show the time (docs/enterprise_manager_api.md,
    1.9).
    """
    date, came = client.last_date
    try:
        moment = parsedate_to_datetime(date)
    except (TypeError, ValueError):  # of no text, the one or the other
        return int(time.time())
    return int(moment.replace(tzinfo=moment.tzinfo or timezone.utc).timestamp() + time.monotonic() - came)
