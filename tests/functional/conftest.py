# Copyright (c) 2026, dataops.qlik_em contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Real HTTPS against the stand-in. Needs the folder that holds `ansible_collections` on PYTHONPATH."""

from __future__ import annotations

import importlib
import json
import os
import re
import signal
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.dataops.qlik_em import plugins
from ansible_collections.dataops.qlik_em.plugins.module_utils._client.interrupt import Interrupt
from ansible_collections.dataops.qlik_em.plugins.module_utils._client.transport import Transport
from ansible_collections.dataops.qlik_em.tests.functional.support.user import User
from ansible_collections.dataops.qlik_em.tests.simulator import running
from ansible_collections.dataops.qlik_em.tests.simulator.handle import Handle
from xdist.scheduler import LoadScopeScheduling

if "PYTEST_XDIST_WORKER" in os.environ and os.environ.pop("COVERAGE_PROCESS_START", None):
    # This process is measured by now. What it starts is not: tests/functional/ways shows the same of real playbooks.
    # A file's own lines run once, when it is imported: not by a test that is not measured.
    PLUGINS = Path(plugins.__path__[0])
    for path in PLUGINS.rglob("*.py"):
        importlib.import_module(".".join([plugins.__name__, *path.relative_to(PLUGINS).with_suffix("").parts]))


class Scheduling(LoadScopeScheduling):
    """Gives each test to whoever is free, but those that share a play, in test_every_module.py, to one process.

    The mark xdist_group would be the way to say so; pytest-xdist 3.8 loses it with pytest 9.2 (pytest-xdist #1386).
    """

    def _split_scope(self, nodeid: str) -> str:
        shared = re.search(r"test_every_module\.py::\w+\[(in process|as module)-", nodeid)
        return shared[1] if shared else nodeid


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config, log) -> Scheduling:
    """Decide which process gets which test; a hook of pytest-xdist."""
    return Scheduling(config, log)


@pytest.fixture(scope="module", autouse=True)
def measured(request: pytest.FixtureRequest) -> Iterator[None]:
    """Measure what the tests reach of the plugins, but for the mark ``unmeasured``: it would take twice as long."""
    tracing = sys.gettrace(), threading.gettrace()
    if request.node.get_closest_marker("unmeasured"):
        sys.settrace(None)
        threading.settrace(None)
    yield
    sys.settrace(tracing[0])
    threading.settrace(tracing[1])


@pytest.fixture(scope="session")
def stand_in() -> Iterator[Handle]:
    """One stand-in for all tests of a process."""
    with running() as handle:
        yield handle


@pytest.fixture
def em(stand_in: Handle) -> Handle:
    """The stand-in as new."""
    stand_in.reset()
    return stand_in


@pytest.fixture
def heeded() -> Iterator[None]:
    """Ctrl-C counts. A shell lets its background ignore it, and so would all that it starts."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.fixture
def user(em: Handle) -> User:
    """A user who logs in by user name and password."""
    return User(em)


@pytest.fixture
def pauses(monkeypatch) -> list[float]:
    """The seconds of each pause, as it is asked for."""
    found: list[float] = []
    pause = Interrupt.pause

    def noting(interrupt: Interrupt, seconds: float) -> None:
        found.append(seconds)
        pause(interrupt, seconds)

    monkeypatch.setattr(Interrupt, "pause", noting)
    return found


@pytest.fixture
def time_limits(monkeypatch) -> list[float]:
    """The seconds that each request, sent or not, is given at the most.

    What goes on beyond them would end in another failure than that of a time limit, or not at all.
    """
    found: list[float] = []
    send = Transport.send

    def noting(transport: Transport, verb: str, url: str, headers: Any, body: Any, deadline: float, *more: Any) -> Any:
        found.append(round(deadline - time.monotonic(), 3))
        return send(transport, verb, url, headers, body, deadline, *more)

    monkeypatch.setattr(Transport, "send", noting)
    return found


@pytest.fixture
def stale_reading() -> dict[str, Any]:
    """A fault: the task "stock" is shown stopped once more, although somebody has just started it."""
    stopped = {"name": "stock", "state": "STOPPED", "task_stop_reason": "NORMAL", "message": ""}
    return {"match": {"operation": "GetTaskDetails"}, "fault": "bad_json", "body": json.dumps(stopped)}
