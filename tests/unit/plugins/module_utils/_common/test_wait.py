# Copyright (c) 2026, dataops.qlik_em contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import time
from types import SimpleNamespace

import pytest
from ansible_collections.dataops.qlik_em.plugins.module_utils._client.errors import ApiError, TransportError
from ansible_collections.dataops.qlik_em.plugins.module_utils._common.wait import TimedOut, wait_until

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
