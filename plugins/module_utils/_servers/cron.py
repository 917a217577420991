# Copyright (c) 2026, dataops.qlik_em contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is private to the collection.

"""The cron expressions of Replicate's scheduler: checked, said in words, and their next runs. Pure functions.

Six fields: minute, hour, day, month, weekday, year. Two forms are the server's own: ``*/2`` as day with ``*/1`` as
weekday is the second Monday of a month, and ``*/90`` as weekday is every 90 minutes (docs/enterprise_manager_api.md,
9.17).
"""

from __future__ import annotations

import calendar
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice
from typing import Optional

Values = Optional[frozenset[int]]  # None: every value

MONTHS = tuple(calendar.month_name)[1:]
WEEKDAYS = tuple(calendar.day_name)
ORDINALS = ("first", "second", "third", "fourth", "last")
LAST = len(ORDINALS)  # as a week of the month
LEAST_INTERVAL, MOST_INTERVAL = 5, 527039  # minutes
HORIZON = 100  # years in which a run is looked for: the 29th of February is the same weekday after 40 at most
MOST_CLOCKS = 6  # times of a day that are named one by one

_ATOM = re.compile(r"(?:(?P<any>\*)|(?P<first>\w{1,9})(?:-(?P<last>\w{1,9}))?)(?:/(?P<step>\w{1,9}))?", re.ASCII)


@dataclass(frozen=True)
class _Field:
    """What a field may hold; ``names`` stand for the numbers from ``least`` on."""

    name: str
    least: int
    most: int
    names: tuple[str, ...] = ()

    @property
    def allowed(self) -> str:
        names = f", or {self.names[0]} to {self.names[-1]}" if self.names else ""
        return f"{self.least} to {self.most}{names}, lists (1,2), ranges (1-5) and steps (1-5/2) of them, or *"


MINUTE = _Field("minute", 0, 59)
HOUR = _Field("hour", 0, 23)
DAY = _Field("day", 1, 31)
MONTH = _Field("month", 1, 12, tuple(name[:3].upper() for name in MONTHS))
WEEKDAY = _Field("weekday", 1, 7, tuple(name[:3].upper() for name in WEEKDAYS))
YEAR = _Field("year", 1970, 2099)
FIELDS = (MINUTE, HOUR, DAY, MONTH, WEEKDAY, YEAR)


@dataclass(frozen=True)
class Cron:
    """A schedule by its meaning: two with the same meaning are equal.

    ``week`` is the week of the month of a single ``weekday`` (5: the last one); ``interval`` are minutes.
    """

    minute: Values
    hour: Values
    day: Values
    month: Values
    weekday: Values
    year: Values
    week: int | None = None
    interval: int | None = None


# Reading


def normal(text: str) -> str:
    """Return an expression as it is sent: six fields, one blank between, numbers for names.

    Raises ValueError, which says which field is wrong and what is allowed.
    """
    return " ".join(",".join(_spelled(field, atom) for atom in atoms) for field, atoms in _fields(text))


def parse(text: str) -> Cron:
    """Return the meaning of an expression of six fields, or of five: each year. Raises ValueError, as ``normal``."""
    atoms = dict(_fields(text))
    week, weekday, interval = _own_forms(atoms[DAY], atoms[WEEKDAY])
    values = {field: _values(field, atoms[field]) for field in (MINUTE, HOUR, MONTH, YEAR)}
    return Cron(
        values[MINUTE],
        values[HOUR],
        None if week else _values(DAY, atoms[DAY]),
        values[MONTH],
        frozenset([weekday]) if weekday else None if interval else _values(WEEKDAY, atoms[WEEKDAY]),
        values[YEAR],
        week,
        interval,
    )


def _fields(text: str) -> list[tuple[_Field, list[str]]]:
    words = text.split()
    if len(words) not in (5, 6):
        raise ValueError(
            f'"{text}" has {len(words)} fields, not six: minute, hour, day, month, weekday and year (* for each year, '
            "or left out)"
        )
    return [(field, word.upper().split(",")) for field, word in zip(FIELDS, [*words, "*"])]


def _wrong(field: _Field, atom: str, why: str = "") -> ValueError:
    return ValueError(f'the {field.name} "{atom}" is not understood{why}: {field.allowed} is allowed')


def _number(field: _Field, word: str, atom: str) -> int:
    if word in field.names:
        return field.least + field.names.index(word)
    if not word.isdigit() or not field.least <= int(word) <= field.most:
        raise _wrong(field, atom)
    return int(word)


def _span(field: _Field, atom: str) -> tuple[int, int, int]:
    """Return the first and the last value of a part, and the step."""
    found = _ATOM.fullmatch(atom)
    if not found or (found["step"] and not found["any"] and not found["last"]):
        raise _wrong(field, atom)
    first, last = field.least, field.most
    if found["first"]:
        first = _number(field, found["first"], atom)
        last = _number(field, found["last"], atom) if found["last"] else first
    step = found["step"] or "1"
    if not step.isdigit() or not int(step):
        raise _wrong(field, atom)
    if last < first:
        raise _wrong(field, atom, " (it ends before it begins)")
    return first, last, int(step)


def _values(field: _Field, atoms: list[str]) -> Values:
    if "*" in atoms:
        return None
    return frozenset(value for atom in atoms for value in _steps(_span(field, atom)))


def _steps(span: tuple[int, int, int]) -> range:
    first, last, step = span
    return range(first, last + 1, step)


def _spelled(field: _Field, atom: str) -> str:
    first, last, step = _span(field, atom)
    if atom.startswith("*"):
        return "*" if "/" not in atom else f"*/{step}"
    return (str(first) if "-" not in atom else f"{first}-{last}") + (f"/{step}" if "/" in atom else "")


def _star_step(field: _Field, atoms: list[str]) -> int | None:
    """Return n if a field is ``*/n``; raise ValueError if that is one of many."""
    if not any(atom.startswith("*/") for atom in atoms):
        return None
    if len(atoms) > 1:
        raise ValueError(f'the {field.name} "{",".join(atoms)}" is not understood: */n cannot be a part of a list here')
    return _span(field, atoms[0])[2]


def _own_forms(days: list[str], weekdays: list[str]) -> tuple[int | None, int | None, int | None]:
    """Return week and weekday, or the interval, of the server's own forms; None for what is not meant."""
    week, step = _star_step(DAY, days), _star_step(WEEKDAY, weekdays)
    if week is None and step is None:
        return None, None, None
    if week is not None:
        if step is None or not 1 <= week <= LAST or not WEEKDAY.least <= step <= WEEKDAY.most:
            raise ValueError(
                f'the day "*/{week}" is not understood: the server reads it as a week of the month, */1 to */5 (the '
                "last), and it needs */1 (Monday) to */7 (Sunday) as weekday. Every second day is 1-31/2"
            )
        return week, step, None
    if step is None or not LEAST_INTERVAL <= step <= MOST_INTERVAL:
        raise ValueError(
            f'the weekday "*/{step}" is not understood: the server reads it as an interval, */{LEAST_INTERVAL} to '
            f"*/{MOST_INTERVAL} minutes, unless the day is a week of the month, */1 to */5"
        )
    return None, None, step


# Next runs


def next_runs(cron: Cron, after: datetime, most: int) -> list[datetime] | None:
    """Return up to ``most`` runs after a point in time, by the same clock: none if it never runs again.

    None if that is not known: of a schedule by interval whose other fields do not give the minute in which it begins.
    """
    if not cron.interval:
        return list(islice(_by_calendar(cron, after), most))
    begin = _point(cron)
    return None if begin is None else list(islice(_by_interval(begin, timedelta(minutes=cron.interval), after), most))


def _by_interval(run: datetime, step: timedelta, after: datetime) -> Iterator[datetime]:
    if run <= after:
        run += ((after - run) // step + 1) * step
    while run.year <= YEAR.most:
        yield run
        run += step


def _point(cron: Cron) -> datetime | None:
    """Return the one minute that the fields beside the weekday name; None if they name more, or a 31st of June."""
    parts = [values for values in (cron.year, cron.month, cron.day, cron.hour, cron.minute) if values is not None]
    if len(parts) < 5 or any(len(values) != 1 for values in parts):
        return None
    year, month, day, hour, minute = (value for values in parts for value in values)
    try:
        return datetime(year, month, day, hour, minute)
    except ValueError:
        return None


def _by_calendar(cron: Cron, after: datetime) -> Iterator[datetime]:
    for year in range(after.year, min(after.year + HORIZON, YEAR.most) + 1):
        if cron.year is not None and year not in cron.year:
            continue
        for month in _all(cron.month, MONTH):
            if (year, month) < (after.year, after.month):
                continue
            for day in range(1, calendar.monthrange(year, month)[1] + 1):
                if _is_on(cron, year, month, day):
                    for run in _of_day(cron, datetime(year, month, day)):
                        if run > after:
                            yield run


def _of_day(cron: Cron, midnight: datetime) -> Iterator[datetime]:
    for hour in _all(cron.hour, HOUR):
        for minute in _all(cron.minute, MINUTE):
            yield midnight.replace(hour=hour, minute=minute)


def _all(values: Values, field: _Field) -> list[int]:
    return sorted(range(field.least, field.most + 1) if values is None else values)


def _is_on(cron: Cron, year: int, month: int, day: int) -> bool:
    """Return whether it runs on a day; with a day and a weekday either is enough, as in Vixie cron (assumed)."""
    is_weekday = cron.weekday is None or calendar.weekday(year, month, day) + 1 in cron.weekday
    if cron.week is not None:
        is_week = day + 7 > calendar.monthrange(year, month)[1] if cron.week == LAST else (day + 6) // 7 == cron.week
        return is_weekday and is_week
    if cron.day is None or cron.weekday is None:
        return is_weekday and (cron.day is None or day in cron.day)
    return is_weekday or day in cron.day


# In words


def explained(cron: Cron) -> str:
    """Return when it runs, in words."""
    if cron.interval:
        begin = " ".join(part for part in (_clock(cron), _days(cron)) if part)
        is_any = cron == Cron(None, None, None, None, None, None, interval=cron.interval)
        return f"every {cron.interval} minutes" + ("" if is_any else f", beginning {begin}")
    is_once = cron.weekday is None and _point(cron) is not None
    return " ".join(part for part in ("once" if is_once else "", _clock(cron), _days(cron)) if part)


def _clock(cron: Cron) -> str:
    minute, hour = cron.minute, cron.hour
    if minute is not None and hour is not None and len(minute) * len(hour) <= MOST_CLOCKS:
        return "at " + _joined([f"{h:02}:{m:02}" for h in sorted(hour) for m in sorted(minute)])
    if minute is None:
        text = "every minute"
    else:
        step = _regular(minute, MINUTE)
        text = f"every {step} minutes" if step else f"at minute {_ranges(minute)}"
        if hour is None:
            return text if step else f"{text} of every hour"
    if hour is None:
        return text
    step = _regular(hour, HOUR)
    return f"{text} every {step} hours" if step else f"{text} in hour {_ranges(hour)}"


def _regular(values: frozenset[int], field: _Field) -> int | None:
    """Return n if the values are those of ``*/n`` and evenly spread."""
    count = field.most + 1
    found = (n for n in range(2, count // 2 + 1) if count % n == 0 and values == frozenset(range(0, count, n)))
    return next(found, None)


def _days(cron: Cron) -> str:
    months = _ranges(cron.month, MONTHS, 1) if cron.month else ""
    years = f"in {_ranges(cron.year)}" if cron.year else ""
    if cron.week is not None:
        weekday = _ranges(cron.weekday or frozenset(), WEEKDAYS, 1)
        days = f"on the {ORDINALS[cron.week - 1]} {weekday} of {months or 'each month'}"
    elif cron.day is not None and cron.weekday is None and _point(cron):
        return f"on {_ranges(cron.day)} {months} {_ranges(cron.year or frozenset())}"
    elif cron.day is not None or cron.weekday is not None:
        each = [f"on day {_ranges(cron.day)} of {months or 'the month'}"] if cron.day else []
        each += [f"on {_ranges(cron.weekday, WEEKDAYS, 1)}{f' in {months}' if months else ''}"] if cron.weekday else []
        days = " or ".join(each)
    elif cron.minute is not None and cron.hour is not None:
        days = f"every day{f' in {months}' if months else ''}"
    else:
        days = f"in {months}" if months else ""
    return f"{days} {years}".strip()


def _ranges(values: frozenset[int], names: tuple[str, ...] = (), least: int = 0) -> str:
    """Return values in words, three or more in a row as a range."""

    def name(value: int) -> str:
        return names[value - least] if names else str(value)

    runs: list[list[int]] = []
    for value in sorted(values):
        if runs and runs[-1][-1] == value - 1:
            runs[-1].append(value)
        else:
            runs.append([value])
    words: list[str] = []
    for run in runs:
        words += [f"{name(run[0])} to {name(run[-1])}"] if len(run) > 2 else [name(value) for value in run]
    return _joined(words)


def _joined(words: list[str]) -> str:
    return ", ".join(words[:-1]) + (" and " if words[:-1] else "") + words[-1] if words else ""
