# Copyright (c) 2026, dataops.qlik_em contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is known of a task from its details: whether it has caught up, and where it can be started again."""

from __future__ import annotations

import pytest
from ansible_collections.dataops.qlik_em.plugins.module_utils._fleets.catch_up import Standing, standing
from ansible_collections.dataops.qlik_em.plugins.module_utils._fleets.checkpoint import UNKNOWN, Reading
from ansible_collections.dataops.qlik_em.plugins.module_utils._fleets.restart_points import reading_of

OVER = Standing(is_over=True)
LOADS = {"options": {"apply_changes_enabled": False}}


def details(state="RUNNING", latency="00:00:05", **more):
    """Return the details of a task."""
    return {"state": state, "cdc_latency": {"total_latency": latency}, **more}


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        (details(), Standing(is_near=True, text="its latency is 5 s")),
        (details(latency="00:00:06"), Standing(text="its latency is 6 s")),
        (details(latency=None), Standing(text="its latency is unknown (null)")),
        (details("RECOVERING"), Standing(text="it is RECOVERY")),
        (details("STOPPING"), Standing(text="it is STOPPING")),
        (details(full_load_counters={"tables_loading_count": 1}), Standing(text="it loads tables")),
        (details(full_load_counters={"tables_loading_count": "x"}), Standing(text="it loads tables")),
        (details("STOPPED"), OVER),
        (details("STOPPED", task_stop_reason="FULL_LOAD_ONLY_FINISHED"), OVER),
        (details("ERROR", message="No."), OVER._replace(error="No.")),
        (details("ERROR"), OVER._replace(error="")),
        (details(latency="9:00:00", **LOADS), OVER._replace(text="it is RUNNING")),
        ({"state": "RUNNING"}, OVER._replace(text="it is RUNNING")),
        ({"state": "STARTING"}, Standing(text="it is STARTING")),
    ],
)
def test_how_far_a_task_has_come(found, expected):
    assert standing(found, 5) == expected


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        (details(), Reading(5, 100)),
        (details(latency="00:00:05.1"), Reading(6, 100)),  # rather too early
        (details(latency="1.00:00:00"), Reading(86400, 100)),
        (details(latency=""), UNKNOWN),
        (details(latency="9999999:00:00"), UNKNOWN),
        (details("RECOVERY"), UNKNOWN),
        (details("STOPPED"), UNKNOWN),
        (details(full_load_counters={"tables_queued_count": 1}), UNKNOWN),
        (details(**LOADS), None),
        ({"state": "RUNNING"}, None),
    ],
)
def test_where_a_task_can_be_started_again(found, expected):
    assert reading_of(found, 100) == expected
