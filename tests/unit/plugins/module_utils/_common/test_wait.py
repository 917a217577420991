# Copyright (c) 2026, dataops.qlik_em contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import time
from types import SimpleNamespace

import pytest
from ansible_collections.dataops.qlik_em.plugins.module_utils._client.errors import ApiError, InputError, TransportError
from ansible_collections.dataops.qlik_em.plugins.module_utils._common import wait
from ansible_collections.dataops.qlik_em.plugins.module_utils._common.wait import (
    TimedOut,
    Waiting,
    check_waiting,
    wait_until,
)

# All that a wait needs of the API: a pause that an interrupt could end.
API = SimpleNamespace(client=SimpleNamespace(interrupt=SimpleNamespace(pause=time.sleep)))


def readings(*values):
    """Return a function that gives one value after the other (raising exceptions), the last one for ever."""
    left = list(values)

    def read():
        value = left.pop(0) if len(left) > 1 else left[0]
        if isinstance(value, Exception):
            raise value
        return value

    return read


def test_it_reads_until_it_is_done():
    assert wait_until(API, readings(1, 2, 3), lambda now: now == 3, 10, 0.001) == 3


def test_it_reads_at_least_once():
    assert wait_until(API, readings(1), lambda now: True, 0, 0.001) == 1


def test_a_time_out_carries_what_was_read_last_and_why_the_last_reading_failed():
    away = TransportError("away")
    with pytest.raises(TimedOut) as raised:
        wait_until(API, readings(1, away), lambda now: False, 0.02, 0.001)
    assert raised.value.last == 1 and raised.value.trouble is away


def test_an_outage_is_survived():
    away = TransportError("away")
    assert wait_until(API, readings(away, away, 1), lambda now: True, 10, 0.001) == 1


@pytest.mark.parametrize("failure", [TransportError("x", final=True), ApiError("x", "", "CODE")])
def test_a_failure_that_will_not_pass_ends_the_wait(failure):
    with pytest.raises(type(failure)):
        wait_until(API, readings(failure), lambda now: True, 10, 0.001)


class Clock:
    """A clock that only pauses move, and the API that pauses by it."""

    def __init__(self):
        self.now, self.pauses = 1000.0, []
        self.client = SimpleNamespace(interrupt=SimpleNamespace(pause=self.pause))

    def monotonic(self):
        return self.now

    def pause(self, seconds):
        self.pauses.append(seconds)
        self.now += seconds


def test_it_reads_every_so_often_and_once_more_at_the_end(monkeypatch):
    clock = Clock()
    monkeypatch.setattr(wait, "time", clock)
    with pytest.raises(TimedOut) as raised:
        wait_until(clock, readings(1, 2, 3, 4, 5), lambda now: False, 5, 2)
    assert clock.pauses == [2, 2, 1] and raised.value.last == 4
    assert raised.value.trouble is None and str(raised.value) == "timed out"


def test_trouble_that_is_over_is_forgotten(monkeypatch):
    clock, away = Clock(), TransportError("away")
    monkeypatch.setattr(wait, "time", clock)
    with pytest.raises(TimedOut) as raised:
        wait_until(clock, readings(away, 1), lambda now: False, 2, 2)
    assert raised.value.last == 1 and raised.value.trouble is None
    with pytest.raises(TimedOut) as raised:
        wait_until(clock, readings(away), lambda now: False, 0, 2)
    assert raised.value.last is None and raised.value.trouble is away


def test_the_options_of_a_wait():
    assert check_waiting({"wait_timeout": 1, "wait_sleep": 0.1}) == Waiting(1, 0.1)
    for timeout, sleep, text in [
        (0.9, 1, "wait_timeout must be between 1 and 86400 seconds, not 0.9."),
        (1, 0.09, "wait_sleep must be between 0.1 and 86400 seconds, not 0.09."),
    ]:
        with pytest.raises(InputError) as raised:
            check_waiting({"wait_timeout": timeout, "wait_sleep": sleep})
        assert str(raised.value) == text
