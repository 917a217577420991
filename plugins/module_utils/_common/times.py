# Copyright (c) 2026, dataops.qlik_em contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is private to the collection.

"""Points in time and durations as the API takes them. Pure functions."""

from __future__ import annotations

import re
from datetime import datetime, timedelta, timezone

from .._client.errors import InputError

# A date, or a date and a time. A blank between them, and an offset from UTC: so YAML hands on what it takes for a time.
# Consoles leave the seconds out, and shells the colon in an offset.
_POINT = re.compile(
    r"(\d{4}-\d\d-\d\d)(?:[T ](\d\d:\d\d)(?:(:\d\d)(?:\.\d+)?)?(?: ?(?P<zone>Z|[+-]\d\d(?::?\d\d)?))?)?",
    re.ASCII | re.IGNORECASE,
)
_AGE = re.compile(r"(\d{1,9})([mhdw])", re.ASCII)
_UNITS = {"m": "minutes", "h": "hours", "d": "days", "w": "weeks"}
# A duration of ISO 8601 with at least one part, like P1M3DT1H2M (the guide's sample in DeleteOldChangeData).
_DURATION = re.compile(r"P(?=.)(\d+Y)?(\d+M)?(\d+W)?(\d+D)?(T(?=.)(\d+H)?(\d+M)?(\d+S)?)?", re.ASCII)


def _spelled(point: datetime) -> str:
    """Return a point in time as the guide asks for it: in UTC, to the second."""
    return point.astimezone(timezone.utc).isoformat(timespec="seconds").replace("+00:00", "Z")


def now() -> str:
    """Return the present time, as files of the collection and messages write it."""
    return _spelled(datetime.now(timezone.utc))


def time_at(seconds: float) -> str:
    """Return a time since 1970, as files of the collection and messages write it."""
    return _spelled(datetime.fromtimestamp(seconds, timezone.utc))


def moment() -> str:
    """Return the present time to the millisecond, for what is compared with others of the same run."""
    return datetime.now(timezone.utc).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def utc_timestamp(text: str) -> str | None:
    """Return a point in time as ``YYYY-MM-DDTHH:MM:SSZ``, None if ``text`` is none. Parts of a second are cut off."""
    found = _POINT.fullmatch(text.strip())
    if not found:
        return None
    date, clock, seconds = found.group(1), found.group(2) or "00:00", found.group(3) or ":00"
    zone = (found.group("zone") or "Z").upper().replace("Z", "+0000").replace(":", "").ljust(5, "0")
    try:
        return _spelled(datetime.fromisoformat(f"{date}T{clock}{seconds}{zone[:3]}:{zone[3:]}"))
    except (ValueError, OverflowError):  # the 31st of June; a time before the year 1
        return None


def check_timestamp(option: str, text: str) -> str:
    """Return a point in time as the API takes it; raise InputError, which names ``option``, if ``text`` is none."""
    point = utc_timestamp(text)
    if point is None:
        raise InputError(f'{option} must be a time in UTC, like 2026-11-25T18:00:00Z, not "{text}".')
    return point


def check_moment(option: str, text: str, now: datetime) -> str:
    """Return a point in time, or one that is so long before ``now`` (``24h``), as the API takes it."""
    age = _AGE.fullmatch(text.strip())
    try:
        point = _spelled(now - timedelta(**{_UNITS[age[2]]: int(age[1])})) if age else utc_timestamp(text)
    except OverflowError:
        point = None
    if point is None:
        raise InputError(
            f"{option} must be a time in UTC, like 2026-11-25T18:00:00Z, or how long ago it was, like 24h (m, h, d, "
            f'w), not "{text}".'
        )
    return point


def check_timestamp_or_duration(option: str, text: str) -> str:
    """Return a point in time, or a duration of ISO 8601, as the API takes it; raise InputError for anything else."""
    duration = text.strip()
    if _DURATION.fullmatch(duration):
        return duration
    point = utc_timestamp(text)
    if point is None:
        raise InputError(
            f"{option} must be a time in UTC, like 2026-11-25T18:00:00Z, or an ISO 8601 duration, like P30D or "
            f'PT12H, not "{text}".'
        )
    return point
