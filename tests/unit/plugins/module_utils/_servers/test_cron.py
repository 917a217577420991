# Copyright (c) 2026, dataops.qlik_em contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Cron expressions: what is refused, what is said, and the next runs, which another library must find, too."""

from __future__ import annotations

from datetime import datetime, timedelta
from itertools import islice

import pytest
from ansible_collections.dataops.qlik_em.plugins.module_utils._servers.cron import explained, next_runs, normal, parse
from cronsim import CronSim
from hypothesis import example, given, settings
from hypothesis import strategies as st

NOW = datetime(2026, 11, 26, 7, 0)  # a Thursday
DAYS = ("MON", "TUE", "WED", "THU", "FRI", "SAT", "SUN")


def runs(text, after=NOW, most=3):
    """Return the next runs of an expression."""
    found = next_runs(parse(text), after, most)
    return found if found is None else [f"{run:%Y-%m-%d %H:%M}" for run in found]


# Reading


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "has 0 fields, not six: minute, hour, day, month, weekday and year"),
        ("1 2 3 4", "has 4 fields"),
        ("* * * * * * *", "has 7 fields"),
        ("60 * * * * *", 'the minute "60" is not understood: 0 to 59, lists'),
        ("-1 * * * * *", 'the minute "-1"'),
        ("1,,2 * * * * *", 'the minute ""'),
        ("1- * * * * *", 'the minute "1-"'),
        ("٣ * * * * *", 'the minute "٣"'),
        ("*/0 * * * * *", 'the minute "*/0"'),
        ("5/10 * * * * *", 'the minute "5/10"'),
        ("12345678901 * * * * *", 'the minute "12345678901"'),
        ("* 24 * * * *", 'the hour "24" is not understood: 0 to 23,'),
        ("* 5-4 * * * *", 'the hour "5-4" is not understood (it ends before it begins)'),
        ("* * 0 * * *", 'the day "0" is not understood: 1 to 31,'),
        ("* * 32 * * *", 'the day "32"'),
        ("* * L * * *", 'the day "L"'),
        ("* * 15W * * *", 'the day "15W"'),
        ("* * ? * * *", 'the day "?"'),
        ("* * * 0 * *", 'the month "0" is not understood: 1 to 12, or JAN to DEC,'),
        ("* * * JANUARY * *", 'the month "JANUARY"'),
        ("* * * * 0 *", 'the weekday "0" is not understood: 1 to 7, or MON to SUN,'),
        ("* * * * 8 *", 'the weekday "8"'),
        ("* * * * 5#2 *", 'the weekday "5#2"'),
        ("* * * * FRI-MON *", 'the weekday "FRI-MON" is not understood (it ends before it begins)'),
        ("* * * * * 26", 'the year "26" is not understood: 1970 to 2099,'),
        ("* * */2 * * *", 'the day "*/2" is not understood: the server reads it as a week of the month'),
        ("* * */2 * 1 *", 'the day "*/2" is not understood: the server reads it as a week of the month'),
        ("* * */6 * */1 *", 'the day "*/6"'),
        ("* * */1 * */8 *", 'the day "*/1"'),
        ("* * */2,9 * * *", 'the day "*/2,9" is not understood: */n cannot be a part of a list here'),
        ("* * * * */3 *", 'the weekday "*/3" is not understood: the server reads it as an interval, */5 to */527039'),
        ("* * * * */527040 *", 'the weekday "*/527040"'),
    ],
)
def test_what_is_wrong_is_named_with_what_is_allowed(text, says):
    with pytest.raises(ValueError) as error:
        parse(text)
    assert says in str(error.value)


@pytest.mark.parametrize(
    ("text", "same"),
    [
        ("30 2 * * MON-FRI", "30 2 * * 1-5 *"),
        ("  5   02 * jan,Feb 7  2026 ", "5 2 * 1,2 7 2026"),
        ("*/15 */2 1-31/2 * * *", "*/15 */2 1-31/2 * * *"),
        ("0 0 */5 * */7", "0 0 */5 * */7 *"),
        ("0 6 1 1 */90 2026", "0 6 1 1 */90 2026"),
    ],
)
def test_the_spelling_that_is_sent(text, same):
    assert normal(text) == same and parse(text) == parse(same)


@pytest.mark.parametrize(
    ("one", "other", "is_same"),
    [
        ("0 0 * * 1,2,3 *", "0 0 * * 1-3 *", True),
        ("*/30 * * * * *", "30,0 * * * * *", True),
        ("0 0 * * 1-7 *", "0 0 * * * *", False),  # with a day, either is enough
        ("0 0 */1 * */1 *", "0 0 1-7 * 1 *", False),
    ],
)
def test_two_are_equal_if_they_mean_the_same(one, other, is_same):
    assert (parse(one) == parse(other)) is is_same


# In words


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("30 2 * * 1-5 *", "at 02:30 on Monday to Friday"),
        ("0 1 * * * *", "at 01:00 every day"),
        ("0 6,18 * * 6,7 *", "at 06:00 and 18:00 on Saturday and Sunday"),
        ("* * * * * *", "every minute"),
        ("* 3 * * * *", "every minute in hour 3"),
        ("*/15 * * * * *", "every 15 minutes"),
        ("*/15 9-17 * * 1-5 *", "every 15 minutes in hour 9 to 17 on Monday to Friday"),
        ("5 * * * * *", "at minute 5 of every hour"),
        ("0 */2 * * * *", "at minute 0 every 2 hours"),
        ("0 0 1,15 * * *", "at 00:00 on day 1 and 15 of the month"),
        ("0 0 1 1,7 * *", "at 00:00 on day 1 of January and July"),
        ("0 0 1 * 1 *", "at 00:00 on day 1 of the month or on Monday"),
        ("0 0 * 2 1 2028", "at 00:00 on Monday in February in 2028"),
        ("30 2 24 12 * 2026", "once at 02:30 on 24 December 2026"),
        ("30 2 24 12 * *", "at 02:30 on day 24 of December"),
        ("0 22 */2 * */1 *", "at 22:00 on the second Monday of each month"),
        ("0 22 */5 3 */7 *", "at 22:00 on the last Sunday of March"),
        ("* * * * */90 *", "every 90 minutes"),
        ("0 6 1 1 */90 2026", "every 90 minutes, beginning at 06:00 on 1 January 2026"),
    ],
)
def test_it_is_said_in_words(text, words):
    assert explained(parse(text)).startswith(words)


# Next runs


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("0 7 * * * *", ["2026-11-27 07:00", "2026-11-28 07:00", "2026-11-29 07:00"]),  # not now
        ("30 2 24 12 * 2026", ["2026-12-24 02:30"]),
        ("30 2 24 12 * 2020", []),
        ("0 0 30 2 * *", []),
        ("0 0 31 4,6,9,11 * *", []),
        ("0 0 29 2 * *", ["2028-02-29 00:00", "2032-02-29 00:00", "2036-02-29 00:00"]),
        ("0 0 31 * * *", ["2026-12-31 00:00", "2027-01-31 00:00", "2027-03-31 00:00"]),
        ("0 0 1 12 1 *", ["2026-12-01 00:00", "2026-12-07 00:00", "2026-12-14 00:00"]),  # either day is enough
        ("0 22 */2 * */1 *", ["2026-12-14 22:00", "2027-01-11 22:00", "2027-02-08 22:00"]),
        ("0 22 */5 * */7 *", ["2026-11-29 22:00", "2026-12-27 22:00", "2027-01-31 22:00"]),
        ("0 22 */4 2 */1 2027", ["2027-02-22 22:00"]),
        ("0 22 */5 2 */1 2027", ["2027-02-22 22:00"]),  # the last one is the fourth
        ("0 6 1 1 */90 2026", ["2026-11-26 07:30", "2026-11-26 09:00", "2026-11-26 10:30"]),
        ("30 23 31 12 */1440 2026", ["2026-12-31 23:30", "2027-01-01 23:30", "2027-01-02 23:30"]),
        ("* * * * */90 *", None),  # it is not known when it began
        ("0 0 31 6 */90 2026", None),
        ("30 23 30 12 */1440 2099", ["2099-12-30 23:30", "2099-12-31 23:30"]),  # and in no later year
        ("0 0 * * * 2099", ["2099-01-01 00:00", "2099-01-02 00:00", "2099-01-03 00:00"]),
    ],
)
def test_next_runs(text, found):
    assert runs(text) == found


def test_no_run_is_found_in_no_time():
    """No expression keeps a worker busy: neither one that never runs, nor one that runs in 73 years."""
    begin = datetime.now()
    for text in ("* * 31 2 * *", "59 23 29 2 * 2097-2099", "0 0 31 12 * 2099"):
        runs(text)
    assert datetime.now() - begin < timedelta(seconds=2)


def lists(least, most, names=()):
    """Fields of a cron expression that mean the same to both: CronSim takes 1-1/2 for 1-7/2."""
    number = st.integers(least, most)
    ends = st.lists(number, min_size=2, max_size=2, unique=True).map(sorted)
    part = st.one_of(
        number.map(str),
        ends.map("{0[0]}-{0[1]}".format),
        st.builds("{0[0]}-{0[1]}/{1}".format, ends, st.integers(1, most)),
        *([st.sampled_from(names)] if names else []),
    )
    return st.lists(part, min_size=1, max_size=3).map(",".join)


def field(least, most, steps=True, names=()):
    """A field, which may be * or, if ``steps``, */n."""
    return st.one_of(
        st.just("*"), lists(least, most, names), *([st.integers(1, most).map("*/{}".format)] if steps else [])
    )


UNHURRIED = settings(deadline=None)  # the machine may do other work

EXPRESSIONS = st.tuples(
    field(0, 59), field(0, 23), field(1, 31, False), field(1, 12, True, ("JAN", "DEC")), field(1, 7, False, DAYS)
).map(" ".join)


@UNHURRIED
@given(EXPRESSIONS, st.datetimes(datetime(1999, 1, 1), datetime(2060, 1, 1)))
@example("0 0 29 2 *", datetime(2027, 12, 31, 23, 59))
@example("0 0 29 2 1", datetime(2000, 2, 28, 23, 59))
@example("59 23 31 * *", datetime(2026, 4, 30, 23, 59, 59))
@example("0 0 1,31 1-12/2 SUN", datetime(2026, 12, 31))
def test_another_library_finds_the_same_runs(text, after):
    """CronSim does as the cron of Debian does. It looks 50 years ahead, which is enough but for 30 February."""
    expected = list(islice(CronSim(text, after), 5))
    found = next_runs(parse(text), after, 5)
    assert found is not None and found[: len(expected)] == expected and (len(expected) == 5 or found == expected)


@UNHURRIED
@given(
    st.integers(1, 5),
    st.integers(1, 7),
    field(1, 12, True, ()),
    st.datetimes(datetime(1999, 1, 1), datetime(2060, 1, 1)),
)
def test_another_library_finds_the_same_weekdays_of_a_month(week, weekday, month, after):
    theirs = f"0 4 * {month} {weekday}{'L' if week == 5 else f'#{week}'}"
    found = next_runs(parse(f"0 4 */{week} {month} */{weekday} *"), after, 5)
    assert found == list(islice(CronSim(theirs, after), 5))


@UNHURRIED
@given(EXPRESSIONS, st.integers(1970, 2099), st.datetimes(datetime(1999, 1, 1), datetime(2060, 1, 1)))
def test_a_year_leaves_just_the_runs_of_that_year(text, year, after):
    found = next_runs(parse(f"{text} {year}"), after, 5)
    begin = max(after, datetime(year, 1, 1) - timedelta(minutes=1))
    expected = next_runs(parse(text), begin, 5)
    assert found == [run for run in expected or [] if run.year == year]


@UNHURRIED
@given(EXPRESSIONS, st.sampled_from(["*", "2026", "2026-2030/2", "1999,2027"]))
def test_the_spelling_does_not_change_the_meaning(text, year):
    whole = f"{text} {year}"
    assert normal(normal(whole)) == normal(whole) and parse(normal(whole)) == parse(whole)
    assert explained(parse(whole)) == explained(parse(normal(whole)))
