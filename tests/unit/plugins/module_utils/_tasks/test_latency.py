# Copyright (c) 2026, dataops.qlik_em contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How latencies are read: what can be, and what cannot be and so is not 0."""

from __future__ import annotations

import pytest
from ansible_collections.dataops.qlik_em.plugins.module_utils._tasks.latency import read_latency, total_latency


@pytest.mark.parametrize(
    ("text", "seconds", "shown"),
    [
        ("00:00:00", 0, "0 s"),
        ("00:02:03", 123, "123 s"),
        ("0:02:03", 123, "123 s"),
        ("126:03:04", 453784, "453784 s"),
        ("1.02:03:04", 93784, "93784 s"),
        ("00:02:03.5000000", 123.5, "123.5 s"),
        ("10.00:00:00.25", 864000.25, "864000.2 s"),
        (" 00:00:05 ", 5, "5 s"),
    ],
)
def test_the_forms_that_make_sense_are_read(text, seconds, shown):
    latency = read_latency(text)
    assert (latency.seconds, str(latency)) == (seconds, shown)


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (None, "null"),
        ("", '""'),
        (17, "17"),
        (0, "0"),
        (1.5, "1.5"),
        (True, "true"),
        ([], "a list"),
        ({"total": "00:00:01"}, "a mapping"),
        ("-00:00:05", '"-00:00:05"'),
        ("02:03", '"02:03"'),
        ("00:61:00", '"00:61:00"'),
        ("00:00:60", '"00:00:60"'),
        ("1.25:00:00", '"1.25:00:00"'),
        ("1.2:03:04", '"1.2:03:04"'),
        ("00:00:0\u0665", '"00:00:0\\u0665"'),
        ("n/a", '"n/a"'),
        ("00:00:05\n00:00:00", '"00:00:05\\n00:00:00"'),
        ("\u202e\x1b[2J\ud800", '"\\u202e\\u001b[2J\\ud800"'),
        ("9" * 58, '"' + "9" * 58 + '"'),
        ("9" * 59, '"' + "9" * 59 + "..."),
        ("9" * 5000 + ":00:00", '"' + "9" * 59 + "..."),
    ],
)
def test_anything_else_is_unknown_and_quoted(value, shown):
    latency = read_latency(value)
    assert latency.seconds is None and str(latency) == f"unknown ({shown})"
    assert not latency.is_at_most(1e12)


def test_a_latency_that_is_as_high_as_the_limit_is_low_enough():
    assert read_latency("00:00:05").is_at_most(5) and not read_latency("00:00:05.1").is_at_most(5)


@pytest.mark.parametrize(
    ("details", "shown"),
    [
        ({"cdc_latency": {"total_latency": "00:00:05"}}, "5 s"),
        ({"cdc_latency": {"source_latency": "00:00:05"}}, "unknown (null)"),
        ({"cdc_latency": None}, "unknown (null)"),
        ({"cdc_latency": "00:00:05"}, "5 s"),
        ({"cdc_latency": 3}, "unknown (3)"),
        ({"cdc_transactions_counters": {}}, "unknown (null)"),
        ({"cdc_latency": {"total_latency": None}, "options": {"store_changes_enabled": True}}, "unknown (null)"),
        # What captures no changes has no latency that somebody could wait for.
        ({"memory_mb": 212}, "None"),
        ({"cdc_latency": {"total_latency": None}, "options": {"apply_changes_enabled": False}}, "None"),
    ],
)
def test_the_latency_of_a_task(details, shown):
    assert str(total_latency(details)) == shown
