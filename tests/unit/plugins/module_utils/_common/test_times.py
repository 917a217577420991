# Copyright (c) 2026, dataops.qlik_em contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Points in time and durations, as people write them and as the API takes them."""

from __future__ import annotations

import time
from datetime import datetime, timedelta, timezone

import pytest
from ansible_collections.dataops.qlik_em.plugins.module_utils._client.errors import InputError
from ansible_collections.dataops.qlik_em.plugins.module_utils._common.times import (
    check_moment,
    check_timestamp,
    check_timestamp_or_duration,
    moment,
    now,
    time_at,
    utc_timestamp,
)

NOW = datetime(2026, 11, 26, 18, 0, 0, tzinfo=timezone.utc)


@pytest.mark.parametrize(
    ("text", "point"),
    [
        ("2026-11-25", "2026-11-25T00:00:00Z"),
        (" 2026-11-25T18:04:05Z\n", "2026-11-25T18:04:05Z"),
        ("2026-11-25t18:04:05z", "2026-11-25T18:04:05Z"),
        ("2026-11-25 18:04", "2026-11-25T18:04:00Z"),
        ("2026-11-25 18:04:05.999", "2026-11-25T18:04:05Z"),
        ("2026-11-25 18:04:05 +02:00", "2026-11-25T16:04:05Z"),
        ("2026-11-25T18:04:05+0530", "2026-11-25T12:34:05Z"),
        ("2026-11-25T18:04:05-08", "2026-11-26T02:04:05Z"),
        ("2026-06-31", None),
        ("0001-01-01T00:00:00+02:00", None),
        ("2026-11-25T25:00", None),
        ("2026-11-25T", None),
        ("18:04", None),
        ("٢٠٢٦-11-25", None),
        ("yesterday", None),
    ],
)
def test_a_point_in_time_in_utc_to_the_second(text, point):
    assert utc_timestamp(text) == point
    if point:
        assert check_timestamp("at", text) == check_timestamp_or_duration("at", text) == point
        assert check_moment("at", text, NOW) == point


@pytest.mark.parametrize(
    ("text", "point"),
    [
        ("90m", "2026-11-26T16:30:00Z"),
        (" 24h ", "2026-11-25T18:00:00Z"),
        ("3d", "2026-11-23T18:00:00Z"),
        ("2w", "2026-11-12T18:00:00Z"),
    ],
)
def test_how_long_ago(text, point):
    assert check_moment("since", text, NOW) == point


@pytest.mark.parametrize("text", ["P30D", "PT12H", "P1M3DT1H2M", " P1Y2W ", "PT5S", "P1YT1S"])
def test_a_duration_stays_as_it_is(text):
    assert check_timestamp_or_duration("keep", text) == text.strip()


@pytest.mark.parametrize("text", ["P", "PT", "P1DT", "P1H", "30D", "p30d", "P-1D", "P1.5D"])
def test_what_is_not_a_duration_is_refused(text):
    with pytest.raises(InputError) as raised:
        check_timestamp_or_duration("keep", text)
    assert str(raised.value).startswith("keep must be ") and str(raised.value).endswith(f'not "{text}".')
    assert "PT12H" in str(raised.value)


@pytest.mark.parametrize("text", ["24", "h", "1y", "1.5h", "999999999w", "1234567890m", "-1h"])
def test_what_is_not_a_moment_is_refused(text):
    with pytest.raises(InputError) as raised:
        check_moment("since", text, NOW)
    assert str(raised.value).startswith("since must be ") and str(raised.value).endswith(f'not "{text}".')
    assert "24h (m, h, d, w)" in str(raised.value)


def test_what_is_not_a_time_is_refused():
    with pytest.raises(InputError) as raised:
        check_timestamp("at", "P1D")
    assert str(raised.value) == 'at must be a time in UTC, like 2026-11-25T18:00:00Z, not "P1D".'


def test_seconds_since_1970():
    assert time_at(1_800_000_000) == "2027-01-15T08:00:00Z"
    assert time_at(0.9) == "1970-01-01T00:00:00Z"


def test_the_zone_of_the_machine_does_not_count(monkeypatch):
    monkeypatch.setenv("TZ", "America/New_York")
    time.tzset()
    try:
        assert time_at(1_800_000_000) == "2027-01-15T08:00:00Z"
        assert utc_timestamp("2026-11-25T18:04:05+02:00") == "2026-11-25T16:04:05Z"
        for present, form in [(now, "%Y-%m-%dT%H:%M:%SZ"), (moment, "%Y-%m-%dT%H:%M:%S.%fZ")]:
            before, shown = datetime.now(timezone.utc), present()
            point = datetime.strptime(shown, form).replace(tzinfo=timezone.utc)
            assert before - timedelta(seconds=1) < point <= datetime.now(timezone.utc)
            assert len(shown) == (20 if present is now else 24) and shown.endswith("Z")
    finally:
        monkeypatch.undo()
        time.tzset()
