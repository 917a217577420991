# Copyright (c) 2026, dataops.qlik_em contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Ctrl-C, SIGTERM and kill -9 while tasks run: nothing is sent any more but the logout, and no session is left."""

from __future__ import annotations

import contextlib
import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from ansible.release import __version__
from ansible_collections.dataops.qlik_em.plugins.module_utils._client.interrupt import Interrupt
from ansible_collections.dataops.qlik_em.tests.functional.ways.children import Child, Controller, await_that
from ansible_collections.dataops.qlik_em.tests.simulator import running
from ansible_collections.dataops.qlik_em.tests.simulator.handle import Handle

SOON = 120.0  # seconds, for a busy machine; far below the time-outs of what is interrupted
AEM_TASK = "dataops.qlik_em.aem_task"
BATCH = "dataops.qlik_em.aem_task_batch"
WAIT = {"server": "Replicate-Test", "name": "stuck", "state": "stopped"}
WAIT_LONG = WAIT | {"timeout": 1, "wait": True, "wait_timeout": 600, "wait_sleep": 3}
LOOP = ["a+b=c #1?", "stuck", 'it\'s "quoted"', "a+b=c #1?"]

both_ways = pytest.mark.parametrize("as_module", [False, True], ids=["in_process", "as_module"])
# ansible-core 2.16 leaves its workers alone when it is ended: a module cannot see that its grandparent has ended
forwards_signals = not __version__.startswith("2.16.")


class Scene:
    """A stand-in, and a playbook that is interrupted while it works with it."""

    def __init__(self, em: Handle, controller: Controller) -> None:
        self.em = em
        self.controller = controller

    def start(self, as_module: bool, task: dict[str, Any]) -> Child:
        """Start a playbook with this task and a further one, which must never be reached."""
        connection = {"url": self.em.url, "ca_path": self.em.ca_path}
        login = {"username": self.em.username, "password": self.em.password}
        never = {AEM_TASK: {"server": "Replicate-Prod", "name": "orders", "state": "stopped"}}
        return self.controller.play(
            [task, never],
            vars={"aem_run_as_module": as_module},
            module_defaults={"group/dataops.qlik_em.aem": connection | login},
        )

    def operations(self) -> list[str]:
        """The methods called so far, in order."""
        return [request["operation"] for request in self.em.requests()]

    def await_wait(self, reads: int = 2) -> None:
        """Wait until a task that hangs has been read so often."""
        await_that(lambda: self.operations().count("GetTaskDetails") >= reads, "the task waits")

    def await_call(self, task: str) -> None:
        """Wait until a stop of this task is under way."""
        await_that(lambda: any(request["task"] == task for request in self.em.requests()), f"a call for {task}")

    def assert_only_logout_after(self, before: int) -> None:
        """Assert what was sent since, and that the session is closed."""
        with contextlib.suppress(AssertionError):  # what was sent instead says more
            await_that(lambda: self.em.summary()["open_sessions"] == 0, "the session is closed", SOON)
        assert self.operations()[before:] == ["Logout"]
        assert self.em.summary()["open_sessions"] == 0
        assert self.em.requests()[-1]["status"] == 200


@pytest.fixture(scope="module")
def stand_in() -> Iterator[Handle]:
    """One stand-in for all tests."""
    with running() as handle:
        yield handle


@pytest.fixture
def scene(stand_in: Handle, tmp_path: Path, heeded: None) -> Scene:
    """The stand-in as new."""
    stand_in.reset()
    return Scene(stand_in, Controller(tmp_path, {}))


@both_ways
def test_ctrl_c_during_a_wait_logs_out_and_sends_nothing_more(scene, as_module):
    with scene.start(as_module, {AEM_TASK: WAIT_LONG}) as child:
        scene.await_wait()
        before = len(scene.operations())
        child.press_ctrl_c()
        assert child.wait(SOON) == 99
    scene.assert_only_logout_after(before)


@both_ways
def test_ctrl_c_during_a_loop_starts_no_further_item(scene, as_module):
    task = {AEM_TASK: WAIT | {"name": "{{ item }}", "timeout": 4}, "loop": LOOP}
    with scene.start(as_module, task) as child:
        scene.await_call("stuck")
        before = len(scene.operations())
        child.press_ctrl_c()
        assert child.wait(SOON) == 99
    scene.assert_only_logout_after(before)
    assert scene.em.requests()[-2]["error_code"] == "AEM_STOP_TASK_TIMEOUT"  # the call in flight was let go on


def start_fleet(scene, as_module):
    """Start a batch of 20 stops, 4 at a time, and return it with what was sent when the first ones are under way."""
    user = {
        "name": "op",
        "logins": [scene.em.username],
        "password": scene.em.password,
        "grants": [{"role": "Operator"}],
    }
    tasks = [{"name": f"t{number}", "state": "RUNNING", "stop_seconds": 2} for number in range(20)]
    scene.em.reset({"users": [user], "servers": [{"name": "fleet", "tasks": tasks}]})
    return scene.start(as_module, {BATCH: {"state": "stopped", "include": [{"server": "fleet"}], "parallel": 4}})


def await_fleet(scene):
    """Wait until the first stops are under way; return how much was sent by then."""
    await_that(lambda: scene.operations().count("StopTask") == 4, "four stops")
    return len(scene.operations())


@both_ways
def test_ctrl_c_during_a_batch_begins_no_further_task(scene, as_module):
    with start_fleet(scene, as_module) as child:
        before = await_fleet(scene)
        child.press_ctrl_c()
        assert child.wait(SOON) == 99
    scene.assert_only_logout_after(before)
    assert [r["status"] for r in scene.em.requests() if r["operation"] == "StopTask"] == [200] * 4  # they were let end


@pytest.mark.parametrize("as_module", [False, *([True] if forwards_signals else [])])
def test_sigterm_to_ansible_during_a_batch_begins_no_further_task(scene, as_module):
    with start_fleet(scene, as_module) as child:
        before = await_fleet(scene)
        os.kill(child.pid, signal.SIGTERM)
        assert child.wait(SOON) == -signal.SIGTERM
    scene.assert_only_logout_after(before)


def test_kill_9_of_ansible_during_a_batch_begins_no_further_task(scene):
    with start_fleet(scene, False) as child:
        before = await_fleet(scene)
        os.kill(child.pid, signal.SIGKILL)
        assert child.wait(SOON) == -signal.SIGKILL
    scene.assert_only_logout_after(before)


def test_ctrl_c_while_it_logs_out_lets_it_do_so(scene):
    scene.em.faults([{"match": {"operation": "Logout"}, "fault": "delay", "seconds": 4}])
    with scene.start(False, {AEM_TASK: WAIT | {"name": "a+b=c #1?"}}) as child:
        await_that(lambda: "Logout" in scene.operations(), "it logs out")
        before = len(scene.operations()) - 1
        child.press_ctrl_c()
        assert child.wait(SOON) == 99
        assert scene.em.summary()["open_sessions"] == 0  # it would be open still if nobody had waited for the answer
    scene.assert_only_logout_after(before)


@pytest.mark.parametrize("as_module", [False, *([True] if forwards_signals else [])])
def test_sigterm_to_ansible_during_a_wait_logs_out_and_sends_nothing_more(scene, as_module):
    with scene.start(as_module, {AEM_TASK: WAIT_LONG}) as child:
        scene.await_wait()
        before = len(scene.operations())
        os.kill(child.pid, signal.SIGTERM)
        assert child.wait(SOON) == -signal.SIGTERM
    scene.assert_only_logout_after(before)


@both_ways
def test_sigterm_to_ansible_during_a_loop_starts_no_further_item(scene, as_module):
    task = {AEM_TASK: WAIT | {"name": "{{ item }}", "timeout": 4}, "loop": LOOP}
    with scene.start(as_module, task) as child:
        scene.await_call("stuck")
        before = len(scene.operations())
        os.kill(child.pid, signal.SIGTERM)
        assert child.wait(SOON) == -signal.SIGTERM
    scene.assert_only_logout_after(before)


def test_sigterm_to_the_worker_during_a_wait_logs_out_and_ends_the_play(scene):
    with scene.start(False, {AEM_TASK: WAIT_LONG}) as child:
        scene.await_wait()
        before = len(scene.operations())
        os.kill(child.worker, signal.SIGTERM)
        assert child.wait(SOON) != 0
    scene.assert_only_logout_after(before)


def test_sigterm_to_the_worker_lets_the_call_in_flight_end_and_starts_no_further_item(scene):
    task = {AEM_TASK: WAIT | {"name": "{{ item }}", "timeout": 3}, "loop": LOOP}
    with scene.start(False, task) as child:
        scene.await_call("stuck")
        before = len(scene.operations())
        os.kill(child.worker, signal.SIGTERM)
        assert child.wait(SOON) != 0
    scene.assert_only_logout_after(before)
    assert scene.em.requests()[-2]["error_code"] == "AEM_STOP_TASK_TIMEOUT"


def test_a_signal_between_two_items_is_answered_by_ansible_itself(scene):
    task = {AEM_TASK: WAIT | {"name": "{{ item }}"}, "loop": ["a+b=c #1?", "stuck"], "loop_control": {"pause": 600}}
    with scene.start(False, task) as child:
        await_that(lambda: "(item=a+b=c #1?)" in child.output, "one item")
        # Ansible waits for ever if it ends a worker that still holds the lock with which it passed on the result.
        await_that(lambda: "State:\tS" in Path(f"/proc/{child.worker}/status").read_text(), "the pause")
        child.press_ctrl_c()
        assert child.wait(SOON) != 0
    assert scene.operations() == ["Login", "StopTask", "Logout"]


def test_kill_9_of_ansible_during_a_wait_logs_out_and_sends_nothing_more(scene):
    with scene.start(False, {AEM_TASK: WAIT_LONG}) as child:
        scene.await_wait()
        before = len(scene.operations())
        os.kill(child.pid, signal.SIGKILL)
        assert child.wait(SOON) == -signal.SIGKILL
    scene.assert_only_logout_after(before)


def test_kill_9_of_the_worker_during_a_wait_of_the_module_logs_out_and_sends_nothing_more(scene):
    with scene.start(True, {AEM_TASK: WAIT_LONG}) as child:
        scene.await_wait()
        before = len(scene.operations())
        [worker] = child.workers
        os.kill(worker, signal.SIGKILL)  # the shell that it has started for the module lives on
        assert child.wait(SOON) != 0
    scene.assert_only_logout_after(before)


@both_ways
def test_kill_9_of_ansible_during_a_loop_starts_no_further_item(scene, as_module):
    task = {AEM_TASK: WAIT | {"name": "{{ item }}", "timeout": 3}, "loop": LOOP}
    with scene.start(as_module, task) as child:
        scene.await_call("stuck")
        before = len(scene.operations())
        os.kill(child.pid, signal.SIGKILL)
        assert child.wait(SOON) == -signal.SIGKILL
    scene.assert_only_logout_after(before)


@pytest.mark.parametrize("handler", [signal.default_int_handler, signal.SIG_DFL, signal.SIG_IGN])
def test_the_handlers_are_restored_and_what_is_ignored_stays_so(handler):
    numbers = (signal.SIGINT, signal.SIGTERM)
    before = [signal.signal(number, handler) for number in numbers]
    try:
        with Interrupt():
            watched = [signal.getsignal(number) != handler for number in numbers]
        assert watched == [handler != signal.SIG_IGN] * 2
        assert [signal.getsignal(number) for number in numbers] == [handler] * 2
    finally:
        for number, one in zip(numbers, before):
            signal.signal(number, one)


def test_signals_in_a_burst_are_one_and_a_later_one_ends_the_run_at_once():
    with Interrupt(burst=0.5) as interrupt:
        os.kill(os.getpid(), signal.SIGTERM)
        os.kill(os.getpid(), signal.SIGTERM)
        assert interrupt.signal == signal.SIGTERM
        time.sleep(0.6)
        with pytest.raises(KeyboardInterrupt):
            os.kill(os.getpid(), signal.SIGTERM)
        interrupt.closing = True
        os.kill(os.getpid(), signal.SIGTERM)  # the logout is let go on
