# Copyright (c) 2026, dataops.qlik_em contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The time by the clock of Enterprise Manager, as its answers show it."""

from __future__ import annotations

import time
from types import SimpleNamespace

import pytest
from ansible_collections.dataops.qlik_em.plugins.module_utils._common.clock import server_time

EPOCH = 784111777


@pytest.mark.parametrize("date", ["Sun, 06 Nov 1994 08:49:37 GMT", "Sun, 06 Nov 1994 09:49:37 +0100"])
@pytest.mark.parametrize("zone", ["UTC", "America/New_York"])
def test_the_date_of_the_last_answer_goes_on(monkeypatch, date, zone):
    monkeypatch.setenv("TZ", zone)
    time.tzset()
    try:
        client = SimpleNamespace(last_date=(date, time.monotonic() - 100))
        assert server_time(client) - (EPOCH + 100) in (0, 1)
        client = SimpleNamespace(last_date=("Sun, 06 Nov 1994 08:49:37 -0000", time.monotonic()))
        assert server_time(client) - EPOCH in (0, 1)
    finally:
        monkeypatch.undo()
        time.tzset()


@pytest.mark.parametrize("date", ["", "yesterday", "Sun, 99 Nov 1994 08:49:37 GMT", "0"])
def test_without_a_date_the_clock_of_this_machine_counts(date):
    client = SimpleNamespace(last_date=(date, 0.0))
    assert abs(server_time(client) - time.time()) < 5
