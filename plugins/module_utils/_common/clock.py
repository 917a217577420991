# Copyright (c) 2026, dataops.qlik_em contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is private to the collection.

"""How long ago another process noted something: measured so that a change of the machine's time does no harm."""

from __future__ import annotations

import time
from typing import Any

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
