# Copyright (c) 2026, dataops.qlik_em contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Plays one step of a history: a run of a module, in this process or in a child that is killed at a write."""

from __future__ import annotations

import json
import os
import signal
import time
from collections.abc import Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any, NamedTuple

from ansible_collections.dataops.qlik_em.plugins.module_utils._client.interrupt import Interrupt
from ansible_collections.dataops.qlik_em.plugins.module_utils._client.transport import Transport
from ansible_collections.dataops.qlik_em.tests.functional.every_module.cases import filled
from ansible_collections.dataops.qlik_em.tests.functional.support.user import User
from ansible_collections.dataops.qlik_em.tests.functional.ways.children import await_that
from ansible_collections.dataops.qlik_em.tests.simulator.handle import Handle
from ansible_collections.dataops.qlik_em.tests.soak.histories.world import USER, snapshot

PATIENCE = 0.15  # seconds that a run waits for an answer that a fault keeps back
SLOW = ("stall", "trickle", "endless")
REST = 60.0  # seconds between two steps, in which all that is under way ends


class Kill(NamedTuple):
    """When the process ends at once: before or after it sends its nth write, or before its nth file is on the disk.

    With "signal" it gets a SIGTERM before its nth write, and may end in order.
    """

    when: str
    nth: int


class Step(NamedTuple):
    """One run of a module, and the faults that it meets."""

    module: str
    options: dict[str, Any]
    check: bool = False
    diff: bool = False
    login: str = "login"  # or "session", or "both"
    faults: Sequence[dict[str, Any]] = ()
    kill: Kill | None = None


class Played(NamedTuple):
    """What a step did, as the stand-in saw it; ``result`` is None if the process was killed."""

    result: dict[str, Any] | None
    text: str  # all that came out
    requests: list[dict[str, Any]]
    before: dict[str, Any]
    after: dict[str, Any]
    sessions: tuple[int, int]  # that were open before and after
    passed_in: str | None  # the session that the run was given
    elapsed: float


def play(em: Handle, step: Step, folder: Path) -> Played:
    """Play a step and return what came of it."""
    Interrupt().pause(REST)
    em.clear_faults()
    login = {"username": USER["logins"][0], "password": USER["password"]}
    session = {}
    if step.login != "login":
        session = {"session_id": User(em).run("aem_session", **login).result["session_id"]}
    options = {
        **(session if step.login == "session" else {**session, **login}),
        **(
            {"request_timeout": 1, "connect_timeout": 1} if any(fault["fault"] in SLOW for fault in step.faults) else {}
        ),
        **filled(step.options, {"folder": str(folder)}),
    }
    before, sessions = snapshot(em), em.summary()["open_sessions"]
    em.clear_requests()
    em.faults(step.faults)
    begin = time.monotonic()
    if step.kill:
        result, progress = _in_a_child(em, step, options, step.kill)
        await_that(lambda: not em.summary()["under_way"], "what the killed process has sent is worked on")
    else:
        result, progress = _here(em, step, options)
    elapsed = time.monotonic() - begin
    em.clear_faults()
    return Played(
        result,
        "\n".join([json.dumps(result, ensure_ascii=False), repr(result), *progress]),
        em.requests(),
        before,
        snapshot(em),
        (sessions, em.summary()["open_sessions"]),
        session.get("session_id"),
        elapsed,
    )


def _here(
    em: Any, step: Step, options: dict[str, Any], transport: type[Transport] | None = None
) -> tuple[dict[str, Any], list[str]]:
    user = User(em, transport=transport or (_Impatient if is_impatient(step) else Transport))
    run = user.run(step.module, check=step.check, diff=step.diff, **options)
    return run.result, user.progress


def is_impatient(step: Step) -> bool:
    """Return whether the run waits so shortly for answers that it may miss some of a busy machine, too."""
    return any(fault["fault"] in SLOW or fault.get("seconds", 0) > PATIENCE for fault in step.faults)


class _Impatient(Transport):
    """Waits for no answer longer than PATIENCE, so that a late one costs little time."""

    def send(self, verb: str, url: str, headers: Any, body: Any, deadline: float, *more: Any) -> Any:
        """Send one request."""
        return super().send(verb, url, headers, body, min(deadline, time.monotonic() + PATIENCE), *more)


def _in_a_child(em: Handle, step: Step, options: dict[str, Any], kill: Kill) -> tuple[dict[str, Any] | None, list[str]]:
    """Run the step in a child; the result is None if it was killed, as the kill says."""
    readable, writable = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            os.close(readable)
            # Only this thread lives on in a child: it cannot ask the stand-in in any other way than by its address.
            stub = SimpleNamespace(url=em.url, ca_path=em.ca_path, requests=list)
            try:
                outcome = json.dumps(_here(stub, step, options, _deadly(step, kill)))
            except BaseException as error:
                outcome = json.dumps([{"exception": repr(error)}, []])
            with os.fdopen(writable, "w") as pipe:
                pipe.write(outcome)
        finally:
            os._exit(0)  # never back into the tests
    os.close(writable)
    with os.fdopen(readable) as pipe:
        text = pipe.read()
    _child, status = os.waitpid(child, 0)
    if os.WIFSIGNALED(status):
        assert os.WTERMSIG(status) == signal.SIGKILL
        return None, []
    result, progress = json.loads(text)
    return result, progress


def _deadly(step: Step, kill: Kill) -> type[Transport]:
    """Return a transport that kills this process, in which a step on the files does so, too."""
    counts = {"write": 0, "file": 0}

    def is_time(what: str) -> bool:
        counts[what] += 1
        return counts[what] == kill.nth

    def die() -> None:
        os.kill(os.getpid(), signal.SIGKILL)

    if kill.when == "file":
        sync = os.fsync

        def fsync(descriptor: int) -> None:
            if is_time("file"):
                die()
            sync(descriptor)

        os.fsync = fsync
        return _Impatient if is_impatient(step) else Transport

    class Deadly(_Impatient if is_impatient(step) else Transport):
        def send(self, verb: str, url: str, *more: Any) -> Any:
            if verb == "GET" or url.endswith("/login") or not is_time("write"):
                return super().send(verb, url, *more)
            if kill.when == "before":
                die()
            if kill.when == "signal":
                os.kill(os.getpid(), signal.SIGTERM)
                return super().send(verb, url, *more)
            try:
                return super().send(verb, url, *more)
            finally:
                die()

    return Deadly
