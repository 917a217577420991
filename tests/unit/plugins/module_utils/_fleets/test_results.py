# Copyright (c) 2026, dataops.qlik_em contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which rows a result shows, and how many."""

from __future__ import annotations

import json

import pytest
from ansible_collections.dataops.qlik_em.plugins.module_utils._common.rows import Row
from ansible_collections.dataops.qlik_em.plugins.module_utils._fleets.checkpoint import (
    FROZEN,
    Checkpoint,
    Reading,
    RecordedTask,
)
from ansible_collections.dataops.qlik_em.plugins.module_utils._fleets.results import (
    shown,
    shown_states,
    with_results,
)
from ansible_collections.dataops.qlik_em.plugins.module_utils._run.result import Mode, Result


def row(name, **members):
    """Return a row as results show it."""
    names = {"server": "Replicate-Production-07", "name": name}
    return Row(names, name, "RUNNING", "STOPPED", elapsed=12.34, **members).view()


ROWS = [
    row("changed", changed=True),
    row("failed", failed=True, msg="No."),
    row("both", failed=True, changed=True, msg="Lost."),
    row("left", skipped=True, msg="Left running."),
    row("said", msg="It was already RUNNING."),
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
    assert len(json.dumps(found)) < 230_000


def test_a_diff_has_so_many_states_too():
    states = {f"S/t{number}": "RUNNING" for number in range(502)}
    assert shown_states(dict(list(states.items())[:500])) == dict(list(states.items())[:500])
    assert len(shown_states(states)) == 501 and shown_states(states)["..."] == "and 2 more"


def test_a_large_checkpoint_leaves_less_room_for_rows():
    """With names this long, checkpoint and rows together would be dropped."""
    rows = [row(f"{'long name ' * 6}{number}", changed=True) for number in range(500)]
    checkpoint = ["x" * 60] * 9_500
    result = Result(True, {"checkpoint": checkpoint, "tasks": rows, "counts": {}}, {"before": "y" * 30_000})
    params = {"results": "all", "results_dest": None}
    found = with_results(None, params, Mode(), lambda: result).values
    assert 0 < len(found["tasks"]) < 500 and len(found["tasks"]) + found["truncated"] == 500
    assert 600_000 < len(json.dumps([found, result.diff])) < 700_000


@pytest.mark.parametrize("ran", [0, 10_000])
def test_a_window_of_10000_tasks_fits_into_what_awx_keeps(ran):
    """700,000 characters, with the checkpoint, which is handed on in the result, the rows and the diff."""
    names = [
        (f"Replicate-Production-{number % 300:03}", f"Orders to warehouse {number:05}") for number in range(10_000)
    ]
    tasks = [RecordedTask(*name, "RUNNING" if at < ran else "STOPPED", 1) for at, name in enumerate(names)]
    readings = {one.task: Reading(at % 100, 1_800_000_000 + at % 1000) for at, one in enumerate(tasks) if one.ran}
    begun = Checkpoint("https://em.example.com", "2026-11-26T03:00:00Z", FROZEN, {}, tuple(tasks), readings)
    rows = [row(one.name, changed=True) for one in tasks]
    states = shown_states({str(one.task): "RUNNING" for one in tasks})
    diff = {"before": json.dumps(states, indent=4), "after": json.dumps(states, indent=4)}
    result = {"checkpoint": begun.document(), **shown(rows, "changed"), "diff": diff}
    assert len(json.dumps(result)) < 700_000
