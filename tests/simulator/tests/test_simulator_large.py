# Copyright (c) 2026, dataops.qlik_em contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A very large installation: nothing gets slow with its size."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from ansible_collections.dataops.qlik_em.tests.simulator import Handle, running
from ansible_collections.dataops.qlik_em.tests.simulator.tests.wire import Client

SERVERS, TASKS, TABLES = 50, 100, 2000


def document() -> dict[str, Any]:
    """5,000 tasks on 50 servers, each with a target of its own; one task with 2,000 tables; one server with an ACL."""
    servers = [
        {
            "name": f"s{server}",
            "tasks": [
                {"name": f"t{task}", "target_endpoint": {"name": f"e{task}", "type": "Snowflake"}}
                for task in range(TASKS)
            ],
        }
        for server in range(SERVERS)
    ]
    tables = [{"schema": "S", "table": f"T{number}"} for number in range(TABLES)]
    servers[0]["tasks"][0].update(tables=tables, state="RUNNING", stop_seconds=0)
    servers[1]["acl"] = {"viewer_role": {"users": [f"user{number}" for number in range(200)]}}
    return {"users": [{"name": "u", "password": "p", "grants": [{"role": "Admin"}]}], "servers": servers}


@pytest.fixture(scope="module")
def large() -> Iterator[tuple[Handle, Client]]:
    """The installation, and an administrator."""
    began = time.monotonic()
    with running(state=document()) as em:
        assert time.monotonic() - began < 5
        with Client(em) as client:
            client.log_in("u", "p")
            yield em, client


def seconds(work: Callable[[], Any], turns: int) -> float:
    """The mean time of one turn."""
    began = time.monotonic()
    for _turn in range(turns):
        work()
    return (time.monotonic() - began) / turns


@pytest.mark.parametrize(
    ("path", "most"),
    [
        ("/servers", 0.25),
        ("/servers/s1", 0.25),
        ("/servers/s1/tasks", 0.25),
        ("/servers/s1/tasks/t99", 0.25),
        ("/servers/s1/endpoints", 0.25),
        ("/servers/s1/tasks/t99?action=export&withendpoints=true", 0.25),
        ("/servers/s1?action=export", 0.5),
        ("/servers/s0/tasks/t0/tables", 0.25),
        ("/servers/s0/tasks/t0/tables?action=getstatus&schema=%25&table=T1%25", 0.5),
        ("/servers/s0/tasks/t0/tables?action=selection", 0.25),
    ],
)
def test_reads(large: tuple[Handle, Client], path: str, most: float) -> None:
    """Each takes about what its answer takes to be sent."""
    _em, client = large
    assert seconds(lambda: client.call("GET", path), 5) < most
    assert client.call("GET", path).status == 200


def test_writes(large: tuple[Handle, Client]) -> None:
    """So do writes."""
    em, client = large
    everything = client.call("GET", "/servers/s2?action=export").json
    assert seconds(lambda: client.send("POST", "/servers/s2?action=import", everything), 2) < 1
    run = "/servers/s0/tasks/t0?action={}&option=RELOAD_TARGET"

    def restart() -> None:
        assert client.call("POST", run.format("stop"), b"").status == 200
        assert client.call("POST", run.format("run"), b"").status == 200

    assert seconds(restart, 3) < 0.5
    assert client.send("POST", "/servers/s3/endpoints/e5?action=delete").code == "AEM_ENDPOINT_IS_IN_USE"
    assert seconds(lambda: client.send("DELETE", "/servers/s49/def"), 1) < 0.1
    assert seconds(em.state, 1) < 3
