# Copyright (c) 2026, dataops.qlik_em contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What holds for every task, operation and plan of faults: Hypothesis searches for a case in which it does not hold.

STATE_MACHINE_SCHEDULES is how many schedules are tried (300). A failure prints its seed; STATE_MACHINE_SEED takes it.
"""

from __future__ import annotations

import os
import random
import time
from typing import Any, NamedTuple

import pytest
from ansible_collections.dataops.qlik_em.tests.functional.support.bad_line import HARMLESS, rules, seconds
from ansible_collections.dataops.qlik_em.tests.functional.support.time_lapse import time_lapse
from ansible_collections.dataops.qlik_em.tests.functional.support.user import User
from hypothesis import HealthCheck, Phase, given, note, seed, settings
from hypothesis import strategies as st

pytestmark = pytest.mark.unmeasured

SCHEDULES = int(os.environ.get("STATE_MACHINE_SCHEDULES", "300"))
SEED = int(os.environ.get("STATE_MACHINE_SEED", random.randrange(2**32)))
SHARDS = 6  # so that several processes share the work
MOST_REQUESTS = 40  # twice as many as a run sends that waits as long as it may

SERVER = "Prod 1"
USER = {
    "name": "operator",
    "logins": ["operator@corp.example"],
    "password": "operator-test-password",
    "grants": [{"role": "Operator"}],
}
AT_REST = ("STOPPED", "ERROR")
ACTIVE = ("RUNNING", "RECOVERY")
ON_ITS_WAY = ("STARTING", "STOPPING")

stand_in = pytest.fixture(time_lapse, scope="module")


class Step(NamedTuple):
    """One run of aem_task, and the faults that it meets."""

    state: str
    wait: bool
    check: bool
    diff: bool
    login: str  # "login", "session", or "both"
    faults: list[dict[str, Any]]


@st.composite
def tasks(draw):
    """Return the attributes of a task that behaves in some way, bad ways included."""
    task = {
        "name": draw(st.sampled_from(["orders", "a/b & c%", "flow__project"])),
        "state": draw(st.sampled_from(["STOPPED", "RUNNING", "ERROR", "RECOVERY", "STARTING", "STOPPING"])),
        "start_seconds": draw(seconds),
        "stop_seconds": draw(seconds),
        # With neither, the stand-in would answer a stop by RUNNING and mean STOPPING: that can't be known.
        **draw(st.sampled_from([{}, {"show_transient": False}, {"answer_before_done": True}])),
        "memory_lag": draw(st.sampled_from([0, 0, 0.2])),
    }
    if task["state"] == "STOPPED":
        task["stop_reason"] = draw(st.sampled_from([None, "FULL_LOAD_ONLY_FINISHED", "STOPPED_AFTER_FULL_LOAD"]))
    stuck = [{"stuck_in_stopping": True}, {"stuck_in_starting": True}]  # each costs seconds
    oddities = [
        draw(st.sampled_from([{}, {}, *stuck])),
        {"fail_stop": "It is\nlocked."},
        {"fail_start": "It is locked."},
        {"error_after_start": "No source."},
        {"error_after_start": "No source.", "error_after_seconds": 0.1},
        {"full_load_only": True, "full_load_seconds": draw(seconds)},
        {"self_stop_reason": "STOPPED_AFTER_FULL_LOAD", "full_load_seconds": draw(seconds)},
        {"recover_after": 0.1, "recovery_seconds": draw(st.sampled_from([None, 0.1]))},
    ]
    for oddity in draw(st.lists(st.sampled_from(oddities), max_size=2)):
        task.update(oddity)
    return task


OPERATIONS = ["Login", "GetTaskDetails", "GetTaskDetails", "StopTask", "StopTask", "RunTask", "RunTask", "Logout"]
steps = st.builds(
    Step,
    state=st.sampled_from(["stopped", "started", "restarted", "reloaded"]),
    wait=st.booleans(),
    check=st.sampled_from([False, False, False, True]),
    diff=st.booleans(),
    login=st.sampled_from(["login", "login", "session", "both"]),
    faults=st.lists(rules(OPERATIONS, slow_in=15), max_size=3),
)


@pytest.fixture(autouse=True, scope="module")
def quick():
    """Tiny limits and pauses."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(
            User, "limits", User.limits._replace(server_margin=0.3, logout=1, lost_effect=0.4, answer_size=256 * 1024)
        )
        yield


@pytest.mark.parametrize("shard", range(SHARDS))
def test_every_run_keeps_its_promises(stand_in, shard):
    @seed(SEED + shard)
    @settings(
        max_examples=-(-SCHEDULES // SHARDS),
        deadline=None,
        database=None,
        derandomize=False,
        print_blob=False,
        phases=[Phase.generate, Phase.shrink],
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.large_base_example],
    )
    @given(task=tasks(), plan=st.lists(steps, min_size=1, max_size=2))
    def play(task, plan):
        stand_in.reset({"users": [USER], "servers": [{"name": SERVER, "tasks": [task]}]})
        for step in plan:
            stand_in.clear_faults()
            check_step(stand_in, task, step)
        stand_in.clear_faults()
        check_second_run(stand_in, task, plan[-1])

    print(f"STATE_MACHINE_SEED={SEED} (shard {shard})")  # pytest shows it if the test fails
    play()


def options(em, task, step):
    """Return the arguments of a run."""
    login = {"username": em.username, "password": em.password}
    session = {}
    if step.login != "login":
        session = {"session_id": User(em).run("aem_session", **login).result["session_id"]}
    return {
        **(session if step.login == "session" else {**session, **login}),
        "server": SERVER,
        "timeout": 1,
        "wait": step.wait,
        "wait_timeout": 1,
        "request_timeout": 1,
        "connect_timeout": 1,
        "force": True,
    }


def check_step(em, task, step):
    """Run the step and compare what it says with what the stand-in knows."""
    name = task["name"]
    arguments = options(em, task, step)
    em.faults(step.faults)
    before, sessions = em.task(SERVER, name), em.summary()["open_sessions"]
    begin = time.monotonic()
    run = User(em).task(name, step.state, check=step.check, diff=step.diff, **arguments)
    elapsed = time.monotonic() - begin
    after = em.task(SERVER, name)
    note(f"{step.state}: {run.result}")
    note(
        "\n".join(
            f"{r['operation']} {r['fault']} {r['status']} {r['error_code']} {r['executed']}" for r in run.requests
        )
    )
    note(f"{before} -> {after}")

    assert len(run.requests) <= MOST_REQUESTS
    check_form(em, name, run)
    check_writes(step, run)
    check_changed(step, run, before, after)
    check_sessions(em, step, run, sessions, arguments.get("session_id"), elapsed)
    if not run.failed:
        check_success(task, step, run, before, after)


def check_form(em, name, run):
    """A result is one of ours; a failure says in one line what it is about."""
    assert isinstance(run.changed, bool)
    assert "exception" not in run.result
    if run.failed:
        assert run.msg.isprintable() and "Unexpected" not in run.msg
        assert f'task "{name}"' in run.msg or em.url in run.msg
    else:
        assert set(run.result["task"]) == {"server", "name", "state", "stop_reason", "message"}


def check_writes(step, run):
    """No write is executed twice, or sent twice unless the server said that it did nothing for want of a session."""
    allowed = {"stopped": ["StopTask"], "started": ["RunTask"]}.get(step.state, ["StopTask", "RunTask"])
    if step.check:
        allowed = []
    sent = [r for r in run.requests if r["operation"] in ("StopTask", "RunTask")]
    counted = [r["operation"] for r in sent if r["error_code"] != "INVALID_SESSION_ID"]
    assert set(run.writes) <= set(allowed)
    assert len(counted) == len(set(counted))
    assert len(run.executed_writes) == len(set(run.executed_writes))
    assert len(sent) <= len(set(counted)) + 2  # each renewed once


def check_changed(step, run, before, after):
    """`changed` is true exactly if this run may have changed the task."""
    # What was on its way may have come to rest before the run read it.
    at_first = (before["state"], *(AT_REST if before["state"] in ON_ITS_WAY else ()))
    differs = after["state"] not in at_first or "StopTask" in run.executed_writes
    if run.executed_writes and differs:
        assert run.changed
    lost = [
        r for r in run.requests if r["operation"] in ("StopTask", "RunTask") and r["fault"] not in (*HARMLESS, None)
    ]
    if any(r["status"] not in (401, 403) for r in lost):  # nobody can know that it did nothing
        assert run.changed
    if run.changed and not step.check:
        # A call on a connection that the server is just ending may be lost, and is in no record then.
        assert run.writes or any(r["fault"] not in (*HARMLESS, None) for r in run.requests)


def check_sessions(em, step, run, before, passed_in, elapsed):
    """What was opened is closed, as far as the client can know of it; a session that was passed in is left alone."""
    logins = [r for r in run.requests if r["operation"] == "Login"]
    logouts = [r for r in run.requests if r["operation"] == "Logout"]
    expired = any(r["fault"] == "expire_session" for r in run.requests)
    used = {r["session"] for r in run.requests} - {None, passed_in}
    unknown = sum(1 for r in logins if r["executed"]) - len(used)  # whose answers got lost
    assert unknown == 0 or any(r["fault"] for r in logins) or elapsed >= 1
    is_unheard = bool(logouts) and all(r["fault"] or not r["executed"] for r in logouts)
    assert em.summary()["open_sessions"] <= before + unknown + is_unheard
    if not expired:
        assert em.summary()["open_sessions"] >= before
    if step.login == "session":
        assert not logins and not logouts
    assert sum(1 for r in logins if r["status"] in (401, 403)) <= 1


def check_success(task, step, run, before, after):
    """Success means that the wanted state is reached."""
    said = run.result["task"]["state"]
    if step.check or before["shown"] != before["state"]:  # what was under way, and not shown, cannot be known
        return
    if step.state == "stopped":
        assert said in AT_REST and after["state"] in AT_REST
        if step.wait:
            assert after["memory_mb"] == 0
        return
    goes_on = any(key in task for key in ("full_load_only", "self_stop_reason", "error_after_seconds"))
    assert after["state"] in (*ACTIVE, *AT_REST) if goes_on else after["state"] in (*ACTIVE, *finished(before))
    assert said in (*ACTIVE, *AT_REST)
    if step.state == "started":
        return
    options_used = [item["option"] for item in after["runs"][len(before["runs"]) :]]
    assert options_used == ["RELOAD_TARGET" if step.state == "reloaded" else "RESUME_PROCESSING"]
    assert after["stops"] - before["stops"] <= 1
    assert run.changed


def finished(task):
    """Return the state of a task that needs no start because its only load is done."""
    return (task["state"],) if task["stop_reason"] == "FULL_LOAD_ONLY_FINISHED" else ()


def check_second_run(em, task, step):
    """A run without faults after a success, or after a lost answer that the line had swallowed, is not a change."""
    is_stuck = any(name.startswith("stuck") for name in task)
    if is_stuck or step.check or step.state not in ("stopped", "started"):
        return
    clean = step._replace(faults=[], login="login", wait=False)
    first = User(em).task(task["name"], step.state, **options(em, task, clean))
    if first.failed or (step.state == "started" and set(task) & {"self_stop_reason", "error_after_start"}):
        return
    second = User(em).task(task["name"], step.state, **options(em, task, clean))
    note(f"again: {first.result}, {second.result}")
    assert not second.failed and not second.changed
