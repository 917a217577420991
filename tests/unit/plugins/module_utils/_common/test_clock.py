# Copyright (c) 2026, dataops.qlik_em contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The time by the clock of Enterprise Manager, as its answers show it."""

from __future__ import annotations

import time
from types import SimpleNamespace

import pytest
from ansible_collections.dataops.qlik_em.plugins.module_utils._common import clock
from ansible_collections.dataops.qlik_em.plugins.module_utils._common.clock import monotonic_of, server_time

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


@pytest.fixture
def machine(monkeypatch, tmp_path):
    """A machine that was started 500 seconds ago, with a process of which the clock shows 70."""
    (tmp_path / "boot_id").write_text("one-start\n")
    monkeypatch.setattr(clock, "_BOOT_ID", str(tmp_path / "boot_id"))
    monkeypatch.setattr(clock, "_CLOCK", 7)
    times = SimpleNamespace(clock_gettime={7: 500.0}.get, monotonic=lambda: 70.0, time=time.time)
    monkeypatch.setattr(clock, "time", times)
    return tmp_path


@pytest.mark.parametrize(
    ("boot", "noted", "shown"),
    [
        ("one-start", 490.0, 60.0),
        ("one-start", 500, 70.0),
        ("one-start", 0, -430.0),
        ("another-start", 490.0, 70.0),
        ("", 490.0, 70.0),
        (None, 490.0, 70.0),
        ("one-start", 501.0, 70.0),
        ("one-start", -1, 70.0),
        ("one-start", True, 70.0),
        ("one-start", "490", 70.0),
        ("one-start", None, 70.0),
    ],
)
def test_what_another_process_has_noted_counts_within_one_start_of_the_machine(machine, boot, noted, shown):
    assert monotonic_of(boot, noted) == shown


def test_a_machine_that_does_not_know_its_start(machine, monkeypatch):
    (machine / "boot_id").write_bytes(b"\xff")
    assert clock.boot_id() == "" and monotonic_of("", 490.0) == 70.0
    (machine / "boot_id").unlink()
    assert clock.boot_id() == ""
    (machine / "boot_id").write_text("one-start\n")
    monkeypatch.setattr(clock, "_CLOCK", None)
    assert clock.boot_id() == "" and clock.uptime() == 70.0
