# Copyright (c) 2026, dataops.qlik_em contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Check and diff mode: the prediction is what the real run then does."""

from __future__ import annotations

import pytest

CASES = [
    ("Replicate-Prod", "orders", "stopped"),
    ("Replicate-Prod", "orders", "started"),
    ("Replicate-Prod", "orders", "restarted"),
    ("Replicate-Prod", "orders", "reloaded"),
    ("Replicate-Prod", "invoices", "stopped"),
    ("Replicate-Prod", "invoices", "started"),
    ("Replicate-Prod", "invoices", "restarted"),
    ("Replicate-Prod", "shipments", "stopped"),
    ("Replicate-Prod", "shipments", "started"),
    ("Replicate-Prod", "customers full load", "stopped"),
    ("Replicate-Prod", "customers full load", "started"),
    ("Replicate-Prod", "customers full load", "restarted"),
    ("Replicate-Prod", "customers full load", "reloaded"),
    ("Replicate-Test", "stock", "stopped"),
    ("Replicate-Test", "stock", "started"),
    ("Replicate-Test", "stock", "restarted"),
    ("Compose-DW", "nightly__sales", "stopped"),
    ("Compose-DW", "load_dims__sales", "started"),
]


@pytest.mark.parametrize(("server", "name", "state"), CASES)
def test_check_mode_sends_only_reads_and_predicts_the_real_run(user, em, server, name, state):
    before = em.task(server, name)["state"]
    options = {"server": server, "force": True, "diff": True}
    predicted = user.task(name, state, check=True, **options)
    assert not predicted.failed and predicted.writes == []
    assert {request["method"] for request in predicted.requests if request["operation"] != "Login"} == {"GET"}
    assert em.task(server, name)["state"] == before
    real = user.task(name, state, **options)
    assert not real.failed
    assert (predicted.changed, predicted.result["diff"]) == (real.changed, real.result["diff"])
    assert bool(real.executed_writes) is real.changed


@pytest.mark.parametrize("state", ["stopped", "started"])
def test_the_second_run_changes_nothing_and_its_diff_is_empty(user, state):
    user.task(state=state)
    again = user.task(state=state, diff=True)
    assert not again.changed and again.executed_writes == []
    assert again.result["diff"]["before"] == again.result["diff"]["after"]


def test_the_diff_shows_the_states(user):
    run = user.task(diff=True)
    assert run.result["diff"] == {
        "before": {"state": "RUNNING"},
        "after": {"state": "STOPPED"},
        "before_header": "Replicate-Prod/orders",
        "after_header": "Replicate-Prod/orders",
    }
    assert run.operations == ["Login", "GetTaskDetails", "StopTask", "Logout"]


def test_the_diff_of_a_restart_shows_what_is_run(user):
    diff = user.task("orders", "restarted", check=True, diff=True).result["diff"]
    assert diff["before"] == {"state": "RUNNING"}
    assert diff["after"] == {"state": "RUNNING", "run_option": "resume_processing"}


def test_without_check_and_diff_mode_there_is_no_diff(user):
    assert "diff" not in user.task().result


def test_check_mode_fails_as_the_real_run_does(user):
    for check in (True, False):
        run = user.task("nothing", check=check)
        assert run.failed and run.result["error_code"] == "AEM_TASK_NOT_FOUND"


def test_a_passing_state_is_predicted_too(user, em):
    em.set_task("Replicate-Prod", "orders", stop_seconds=1.5)
    user.task(timeout=1)
    assert em.task("Replicate-Prod", "orders")["state"] == "STOPPING"
    assert user.task("orders", "started", check=True).changed
