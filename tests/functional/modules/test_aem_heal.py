# Copyright (c) 2026, dataops.qlik_em contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Healing: what is sick, what holds it back, what it remembers, and what a kill at any moment leaves behind."""

from __future__ import annotations

import json
import os
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.dataops.qlik_em.plugins.module_utils._client.api import Api
from ansible_collections.dataops.qlik_em.plugins.module_utils._client.errors import InputError
from ansible_collections.dataops.qlik_em.plugins.module_utils._common.files import locked
from ansible_collections.dataops.qlik_em.plugins.module_utils._fleets import heal as _heal
from ansible_collections.dataops.qlik_em.plugins.module_utils._fleets import heal_memory as _memory
from ansible_collections.dataops.qlik_em.plugins.module_utils._fleets import heal_report as _report
from ansible_collections.dataops.qlik_em.tests.functional.ways.children import Controller, await_that

MINUTE = 60
ERROR = {"state": "ERROR", "stop_reason": "FATAL_ERROR", "message": "ORA-12541: TNS:no listener"}
RUNNING: dict[str, Any] = {"state": "RUNNING"}


class Clock:
    """The time of Enterprise Manager, which goes on when a test says so."""

    now = 1_800_000_000

    def __call__(self, _client: Any) -> int:
        return self.now


@pytest.fixture
def clock(monkeypatch) -> Clock:
    """A clock that stands."""
    fake = Clock()
    monkeypatch.setattr(_heal, "server_time", fake)
    return fake


@pytest.fixture
def state_file(tmp_path: Path) -> Path:
    """Where it is remembered."""
    return tmp_path / "heal.json"


@pytest.fixture
def heal(user, state_file):
    """Run the module on all tasks of the servers S*."""

    def run(**options: Any):
        given = {"mode": "heal", "include": [{"server": "S*"}], "state_file": str(state_file), "wait_sleep": 0.1}
        return user.run("aem_heal", **{**given, "wait_timeout": 5, **options})

    return run


def estate(em, **servers: dict[str, dict[str, Any]]) -> None:
    """Give the stand-in servers with these tasks: {name: attributes}."""
    document = {
        "users": [{"name": "op", "logins": [em.username], "password": em.password, "grants": [{"role": "Operator"}]}],
        "servers": [
            {"name": server, "tasks": [{"name": name, **task} for name, task in tasks.items()]}
            for server, tasks in servers.items()
        ],
    }
    em.reset(document)


def fails_again(em, *names: str) -> None:
    for name in names or ("a",):
        em.set_task("S0", name, **ERROR)


def sent(em) -> Counter:
    """Return how often each task was started."""
    return Counter(request["task"] for request in em.requests() if request["operation"] == "RunTask")


def decisions(run) -> dict[str, str]:
    return {row["name"]: row["decision"] for row in run.result["tasks"]}


# What is sick


def test_only_what_has_failed_for_good_is_sick(em, heal):
    estate(
        em,
        S0={
            "failed": ERROR,
            "retries": {**ERROR, "stop_reason": "RECOVERABLE_ERROR"},
            "recovers": {"state": "RECOVERY"},
            "runs": RUNNING,
            "stopped": {"state": "STOPPED", "stop_reason": "NORMAL"},
            "never ran": {"state": "STOPPED", "stop_reason": "NONE"},
            "loaded": {"state": "STOPPED", "stop_reason": "FULL_LOAD_ONLY_FINISHED"},
            "starts": {"state": "STARTING", "stuck_in_starting": True},
        },
    )
    assert decisions(heal(mode="report")) == {"failed": "restart"}
    run = heal(mode="report", sick_states=["error", "stopped"])
    assert decisions(run) == {"failed": "restart", "stopped": "restart"}
    assert sent(em) == {}


def test_a_report_writes_and_sends_nothing(em, heal, state_file):
    estate(em, S0={"a": ERROR})
    for run in (heal(mode="report"), heal(check=True)):
        assert run.writes == [] and not list(state_file.parent.iterdir())
        assert "would be sent." in run.result["report"][1]
    assert not heal(mode="report").changed and heal(check=True).changed


def test_who_is_late_is_stopped_and_started_again_unless_it_loads(em, heal, clock):
    loading = {"details": {"full_load_counters": {"tables_loading_count": 1}}}
    late = {**RUNNING, "total_latency": 9000}
    estate(em, S0={"late": late, "loads": {**late, **loading}, "quick": RUNNING}, S1={"a": RUNNING})
    run = heal(max_latency=3600)
    assert "Latency 9000 s, over 3600 s" in run.result["tasks"][0]["msg"]
    assert run.writes == ["StopTask", "RunTask"] and sent(em) == {"late": 1}
    assert run.operations.count("GetTaskDetails") - len(run.writes) >= 4  # only of those that run
    assert decisions(heal(max_latency=3600)) == {"late": "wait"}
    assert heal().operations.count("GetTaskDetails") == 0


# What holds it back


def test_each_restart_makes_the_next_pause_longer_and_the_last_one_ends_in_quarantine(em, heal, clock):
    estate(em, S0={"a": ERROR})
    for pause in (0, 2, 6, 12):
        if pause:
            clock.now += pause * MINUTE - 1
            run = heal(max_restarts=4)
            assert decisions(run) == {"a": "wait"} and not run.changed
            clock.now += 1
            assert run.result["tasks"][0]["until"] in run.result["tasks"][0]["msg"]
        assert heal(max_restarts=4).changed
        fails_again(em)
    for _run in range(2):
        clock.now += 6 * 3600
        run = heal(max_restarts=4)
        assert decisions(run) == {"a": "quarantine"} and not run.changed and not run.failed
        assert "1 task in quarantine will not be restarted: S0/a." in run.result["warnings"]
    clock.now += 24 * 3600
    assert decisions(heal(max_restarts=4)) == {"a": "quarantine"}  # a day changes nothing
    assert sent(em) == {"a": 4}


def test_a_quarantine_ends_when_somebody_starts_the_task_or_names_it(em, heal, clock):
    estate(em, S0={"a": ERROR, "b": ERROR})
    heal(max_restarts=1)
    fails_again(em, "a", "b")
    assert decisions(heal(max_restarts=1)) == {"a": "quarantine", "b": "quarantine"}
    em.set_task("S0", "a", state="RUNNING")
    assert decisions(heal(max_restarts=1)) == {"b": "quarantine"}
    fails_again(em, "a")
    run = heal(max_restarts=1)
    assert decisions(run) == {"a": "quarantine", "b": "quarantine"}  # its restart still counts
    run = heal(max_restarts=1, release=[{"name": "b"}])
    assert run.changed and run.result["released"] == ["S0/b"] and sent(em) == {"a": 1, "b": 2}
    run = heal(max_restarts=1, release=[{"name": "c"}])
    assert "release selects no task in quarantine: nothing was released." in run.result["warnings"]
    clock.now += 24 * 3600
    em.set_task("S0", "a", state="RUNNING")
    heal(max_restarts=1)
    fails_again(em, "a")
    assert heal(max_restarts=1).changed


@pytest.mark.parametrize(
    "never_if",
    [
        {"messages": ["ora-12541"]},
        {"messages": ["x", "TNS*listen"]},
        {"messages": ["[Q]"]},
        {"stop_reasons": ["Fatal_Error"]},
    ],
)
def test_what_must_never_be_restarted_is_left_alone(em, heal, never_if):
    estate(em, S0={"a": {**ERROR, "message": "[Q] ORA-12541: TNS:no listener"}, "b": RUNNING})
    run = heal(never_if=never_if)
    assert decisions(run) == {"a": "never"} and run.writes == []
    assert heal(never_if={"messages": ["ORA-01017"], "stop_reasons": ["NORMAL"]}).changed


def test_a_wrong_restart_counts_and_one_that_was_not_begun_does_not(em, heal, clock):
    estate(em, S0={"a": {**ERROR, "fail_start": "No."}, "b": ERROR})
    run = heal(parallel=1, max_failures=1)
    assert run.failed and run.msg.startswith("1 of 2 restarts failed.\nS0/a: RunTask of task")
    assert run.result["counts"]["failed"] == 1 and run.result["counts"]["due"] == 2
    assert decisions(heal(mode="report")) == {"a": "wait", "b": "restart"}


# Maintenance windows


@pytest.fixture
def window(user, tmp_path):
    """Do a step of a window over S0."""

    def step(state: str, **options: Any) -> str:
        path = str(tmp_path / "window.json")
        selection = {"include": [{"server": "S0", "state": ["running"]}]} if state == "recorded" else {}
        run = user.run("aem_maintenance_window", state=state, path=path, wait_sleep=0.1, **{**selection, **options})
        assert not run.failed, run.result
        return path

    return step


def test_nothing_is_sent_to_a_task_of_an_open_window(em, heal, window, state_file):
    estate(em, S0={"a": RUNNING, "b": ERROR}, S1={"a": ERROR})
    path = window("recorded")
    window("frozen")
    fails_again(em, "a")
    run = heal(windows=[path])
    assert run.result["counts"]["in_window"] == 2  # one that it has not recorded, but on its server
    assert path in run.result["tasks"][0]["msg"] and sent(em) == {"a": 1} and run.result["counts"]["restarted"] == 1
    before = json.loads(state_file.read_text())
    assert list(before["servers"]) == ["S1"]
    window("restored")
    assert heal(windows=[path]).result["counts"]["restarted"] == 1


def test_a_window_that_was_just_recorded_counts_as_open_for_a_day(em, heal, window, monkeypatch):
    estate(em, S0={"a": RUNNING, "b": ERROR})
    path = window("recorded")
    assert decisions(heal(windows=[path])) == {"b": "window"}
    now = _heal.server_time
    monkeypatch.setattr(_heal, "server_time", lambda client: now(client) + 24 * 3600)
    assert decisions(heal(windows=[path])) == {"b": "restart"}


def test_a_window_that_begins_between_the_look_and_the_restart_is_seen(em, heal, window, monkeypatch, state_file):
    estate(em, S0={"a": ERROR, "b": RUNNING}, S1={"c": ERROR})
    path = window("recorded", include=[{"server": "S1"}])
    os.unlink(path)
    window("recorded", include=[{"server": "S1", "name": "nothing*"}], allow_empty=True)
    real = _heal.decide

    def decide(*arguments: Any) -> Any:
        plan = real(*arguments)
        os.unlink(path)
        window("recorded")
        window("frozen")
        return plan

    monkeypatch.setattr(_heal, "decide", decide)
    run = heal(windows=[path])
    assert not run.failed and decisions(run) == {"a": "window", "c": "restart"} and sent(em) == {"c": 1}
    assert "S0" not in state_file.read_text()  # nothing was done, so nothing counts


@pytest.mark.parametrize("mode", ["report", "heal"])
def test_nobody_knows_of_a_window_whose_file_is_missing_or_odd(em, heal, tmp_path, mode):
    path = tmp_path / "night.json"
    run = heal(windows=[str(path)], mode=mode)
    assert "it is not known whether a maintenance window is open. Nothing was done." in run.msg
    path.write_text("{}")
    assert "is damaged: it is not a checkpoint" in heal(windows=[str(path)], mode=mode).msg
    path.chmod(0o666)
    assert "everybody can write to it" in heal(windows=[str(path)], mode=mode).msg
    assert em.requests() == []


# What is remembered


def test_a_server_that_does_not_answer_hides_no_restart(em, heal, clock):
    estate(em, S0={"a": ERROR}, S1={"b": ERROR})
    heal(max_restarts=1)
    fails_again(em)
    assert decisions(heal(max_restarts=1)) == {"a": "quarantine"}
    em.set_server("S0", state="ERROR", message="away")
    clock.now += 3600
    run = heal(max_restarts=1)
    assert not run.failed and run.result["skipped_servers"][0]["server"] == "S0"
    em.set_server("S0", state="MONITORED")
    assert decisions(heal(max_restarts=1)) == {"a": "quarantine"}


def test_a_login_that_is_refused_in_the_middle_is_reported_with_what_was_done(em, heal, clock, state_file):
    estate(em, S0={"a": ERROR, "b": ERROR})
    em.faults([{"match": {"operation": "RunTask"}, "nth": 2, "fault": "expire_session"}])
    em.faults([{"match": {"operation": "Login"}, "nth": 2, "count": 9, "fault": "status", "status": 401}])
    run = heal(parallel=1)
    assert run.failed and run.changed and "refused to log in" in run.msg
    assert run.operations.count("Login") == 2 and run.result["counts"]["restarted"] == 1
    assert [(row["name"], row["changed"]) for row in run.result["tasks"]] == [("b", False)]
    assert run.result["report"][0] == "2 of 2 tasks are sick: 1 restarted, 1 failed."
    assert set(json.loads(state_file.read_text())["servers"]["S0"]) == {"a", "b"}  # it was about to be sent


def test_a_task_that_somebody_starts_or_deletes_meanwhile_is_no_failure(em, heal, clock, monkeypatch):
    estate(em, S0={"a": ERROR, "late": {**RUNNING, "total_latency": 9000}})
    deleted = {"fault": "error", "error_code": "AEM_TASK_NOT_FOUND"}
    em.faults([{"match": {"operation": "GetTaskDetails", "task": "late"}, **deleted}])
    run_task = Api.run_task

    def later(api, server, task, *arguments, **options):
        em.set_task(server, task, state="RUNNING", stop_reason=None, message="")
        return run_task(api, server, task, *arguments, **options)

    monkeypatch.setattr(Api, "run_task", later)
    run = heal(max_latency=3600)
    assert not run.failed and not run.changed and decisions(run) == {"a": "restart"}, run.result
    assert run.result["tasks"][0]["msg"] == _report.STARTED_MEANWHILE


def test_what_is_over_is_forgotten(em, heal, clock, state_file):
    estate(em, S0={"a": ERROR, "deleted": ERROR, "left": ERROR})
    heal(max_restarts=1)
    fails_again(em, "deleted", "left")
    heal(max_restarts=1)
    clock.now += 24 * 3600
    em.set_task("S0", "left", state="RUNNING")
    heal(max_restarts=1)
    assert set(json.loads(state_file.read_text())["servers"]["S0"]) == {"deleted"}
    clock.now += 30 * 24 * 3600
    heal(max_restarts=1, exclude=[{"name": "deleted"}])
    assert json.loads(state_file.read_text())["servers"] == {}


def test_a_clock_that_is_set_back_gives_no_more_restarts(em, heal, clock):
    estate(em, S0={"a": ERROR})
    heal(max_restarts=2)
    fails_again(em)
    clock.now -= 7 * 24 * 3600
    assert decisions(heal(max_restarts=2)) == {"a": "wait"}
    clock.now += 2 * MINUTE
    assert heal(max_restarts=2).changed  # and it does not wait for a week
    fails_again(em)
    clock.now -= MINUTE
    assert decisions(heal(max_restarts=2)) == {"a": "quarantine"}
    assert sent(em) == {"a": 2}


def test_the_memory_can_be_handed_on_instead_of_a_file(em, heal, tmp_path):
    estate(em, S0={"a": ERROR})
    run = heal(state_file=None, memory={})
    assert run.changed and list(tmp_path.iterdir()) == []
    fails_again(em)
    again = heal(state_file=None, memory=run.result["memory"])
    assert decisions(again) == {"a": "wait"} and again.result["memory"] == run.result["memory"]
    assert "memory" not in heal().result


def test_two_runs_do_not_use_the_same_file(em, heal, state_file):
    estate(em, S0={"a": ERROR})
    with locked("x", str(state_file)):
        assert "is in use by another run. Nothing was done." in heal().msg
        assert not heal(mode="report").failed
    assert em.requests()[0]["operation"] == "Login" and sent(em) == {}


def test_what_cannot_be_remembered_is_not_sent(em, heal, monkeypatch):
    def full(option: str, path: str, _text: str) -> Any:
        raise InputError(f"{option} ({path}) cannot be written: No space left on device.")

    estate(em, S0={"a": ERROR, "b": ERROR})
    monkeypatch.setattr(_memory, "write_atomically", full)
    run = heal()
    assert run.failed and "S0/a: state_file" in run.msg and "No space left" in run.msg
    assert sent(em) == {} and not run.changed


def test_many_are_reported_in_a_few_lines_and_remembered_in_a_few_writes(em, heal, monkeypatch):
    estate(em, S0={f"t{number:02}": ERROR for number in range(30)})
    writes = []
    real = _memory.write_atomically
    monkeypatch.setattr(_memory, "write_atomically", lambda *given: writes.append(1) or real(*given))
    run = heal(parallel=30)
    assert run.result["counts"]["restarted"] == 30 == len(sent(em)) and len(run.result["tasks"]) == 30
    assert run.result["report"][0] == "30 of 30 tasks are sick: 30 restarted."
    assert run.result["report"][-1] == "and 10 more" and len(run.result["report"]) == 22
    assert len(writes) <= 30


# A kill at any moment


class Killed(BaseException):
    """What kill -9 does, but for the lock, which ends with the process."""


class Fuse:
    """Ends a run at the n-th of its steps: before or after each write of the file and each call that acts."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.left = 10**9
        self.steps = 0
        for owner, name in ((_memory, "write_atomically"), (Api, "run_task"), (Api, "stop_task")):
            monkeypatch.setattr(owner, name, self._around(getattr(owner, name)))

    def _around(self, real: Any) -> Any:
        def call(*arguments: Any, **named: Any) -> Any:
            self._step()
            result = real(*arguments, **named)
            self._step()
            return result

        return call

    def _step(self) -> None:
        self.steps += 1
        self.left -= 1
        if self.left < 0:
            raise Killed


def test_a_kill_at_each_write_leads_to_no_further_restart_and_leaves_nothing_stopped(
    em, heal, clock, monkeypatch, state_file
):
    fuse = Fuse(monkeypatch)
    options = {"max_latency": 3600, "max_restarts": 2, "parallel": 1}
    steps, sends = 0, []
    while True:
        estate(em, S0={"broken": ERROR, "late": {**RUNNING, "total_latency": 9000}})
        state_file.unlink(missing_ok=True)
        fuse.left = steps
        try:
            heal(**options)
        except Killed:
            steps += 1
        else:
            break
        fuse.left = 10**9
        em.set_task("S0", "late", total_latency=1)
        for pause, most in ((0, 1), (2, 2), (6, 2), (60, 2)):
            clock.now += pause * MINUTE
            fails_again(em, "broken")
            run = heal(**options)
            assert not run.failed and max(sent(em).values(), default=0) <= most, (steps, run.result)
        assert em.task("S0", "late")["state"] == "RUNNING"
        assert decisions(run) == {"broken": "quarantine"}
        sends.append(sent(em)["broken"])
    assert (
        steps >= 12
    )  # a write and a call for one task, a write and two calls for the other, and before and after each
    assert sorted(set(sends)) == [1, 2]  # a restart that was remembered and not sent is one that is lost


def test_a_process_that_is_killed_within_a_restart_has_remembered_it(em, user, tmp_path, state_file):
    variables = {f"QLIK_EM_{name.upper()}": getattr(em, name) for name in ("url", "ca_path", "username", "password")}
    options = {"mode": "heal", "include": [{"server": "S0"}], "state_file": str(state_file)}
    estate(em, S0={"a": {**ERROR, "stuck_in_starting": True}})
    with Controller(tmp_path / "home", variables).play([{"dataops.qlik_em.aem_heal": options}]) as child:
        await_that(lambda: state_file.exists() and sent(em), "it restarts the task")
        child.kill()
        child.wait()
    fails_again(em)
    runs = []

    def is_free():
        runs.append(user.run("aem_heal", **options))
        return "is in use by another run" not in runs[-1].result.get("msg", "")

    await_that(is_free, "the worker, which has the lock, ends")
    run = runs[-1]
    assert not run.failed and decisions(run) == {"a": "wait"} and sent(em) == {"a": 1}, run.result
