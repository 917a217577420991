# Copyright (c) 2026, dataops.qlik_em contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which rows a result shows, and how many."""

from __future__ import annotations

import json

import pytest
from ansible_collections.dataops.qlik_em.plugins.module_utils._common.rows import Row
from ansible_collections.dataops.qlik_em.plugins.module_utils._fleets.results import shown, shown_states


def row(name, **members):
    """Return a row as results show it."""
    names = {"server": "Replicate-Production-07", "name": name}
    return Row(names, name, "RUNNING", "STOPPED", elapsed=12.34, **members).view()


ROWS = [
    row("changed", changed=True),
    row("failed", failed=True, msg="No."),
    row("both", failed=True, changed=True, msg="Lost."),
    row("left", skipped=True, msg="Left running."),
    row("said", msg="It was RUNNING already."),
    row("unchanged"),
]


@pytest.mark.parametrize(
    ("choice", "names"),
    [
        ("none", []),
        ("failed", ["failed", "both"]),
        ("changed", ["changed", "failed", "both", "left", "said"]),
        ("all", ["changed", "failed", "both", "left", "said", "unchanged"]),
    ],
)
def test_the_choice_decides(choice, names):
    assert shown(ROWS, choice) == {"tasks": [one for one in ROWS if one["name"] in names], "truncated": 0}


def test_at_most_500_are_shown_the_failed_ones_first():
    rows = [*(row(f"t{number}", changed=True) for number in range(10_000)), row("last", failed=True, msg="No.")]
    found = shown(rows, "all")
    assert len(found["tasks"]) == 500 and found["truncated"] == 9501
    assert [one["name"] for one in found["tasks"][:3]] == ["last", "t0", "t1"]
    assert len(json.dumps(found)) < 200_000


def test_long_messages_leave_room_for_the_rest_of_the_result():
    found = shown([row(f"t{number}", failed=True, msg="x" * 4000) for number in range(600)], "failed")
    assert 0 < len(found["tasks"]) < 500 and len(found["tasks"]) + found["truncated"] == 600
    assert len(json.dumps(found)) < 210_000


def test_a_diff_has_so_many_states_too():
    states = {f"S/t{number}": "RUNNING" for number in range(502)}
    assert shown_states(dict(list(states.items())[:500])) == dict(list(states.items())[:500])
    assert len(shown_states(states)) == 501 and shown_states(states)["..."] == "and 2 more"
