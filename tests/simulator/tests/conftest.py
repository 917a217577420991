# Copyright (c) 2026, dataops.qlik_em contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The stand-in for its own tests: one for all of them, reset before each."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Iterator

import pytest
from ansible_collections.dataops.qlik_em.tests.simulator import Handle, running
from ansible_collections.dataops.qlik_em.tests.simulator.tests.wire import Client, Clock


@pytest.fixture(scope="module", autouse=True)
def unmeasured() -> Iterator[None]:
    """Measure nothing, where the run measures: no line of the plugins runs here."""
    tracing = sys.gettrace(), threading.gettrace()
    sys.settrace(None)
    threading.settrace(None)
    yield
    sys.settrace(tracing[0])
    threading.settrace(tracing[1])


@pytest.fixture(scope="session")
def running_em() -> Iterator[Handle]:
    """One stand-in for the whole run."""
    with running() as handle:
        yield handle


@pytest.fixture
def em(running_em: Handle) -> Iterator[Handle]:
    """The stand-in as if just started."""
    running_em.reset()
    yield running_em
    running_em.reset()  # sends home requests that a test left waiting


@pytest.fixture
def clock(em: Handle) -> Iterator[Clock]:
    """What the stand-in reads the time from. It wakes no call that waits."""
    em._simulator.clock = clock = Clock()
    em.reset()
    yield clock
    em._simulator.clock = time.monotonic


@pytest.fixture
def client(em: Handle) -> Iterator[Client]:
    """A connection that is not logged in."""
    with Client(em) as connection:
        yield connection


@pytest.fixture
def operator(client: Client) -> Client:
    """A connection logged in as the operator of the default document."""
    client.log_in()
    return client


@pytest.fixture
def admin(client: Client) -> Client:
    """A connection logged in as the administrator of the default document."""
    client.log_in("admin@corp.example", "admin-test-password")
    return client
