# Copyright (c) 2026, dataops.qlik_em contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A very large installation: nothing gets slow with its size."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from ansible_collections.dataops.qlik_em.tests.simulator import Handle, running
from ansible_collections.dataops.qlik_em.tests.simulator.tests.wire import Client, function_calls

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
    with running(state=document()) as em, Client(em) as client:
        client.log_in("u", "p")
        yield em, client


@pytest.mark.parametrize(
    ("path", "most"),
    [
        ("/servers", 3_000),
        ("/servers/s1", 4_000),
        ("/servers/s1/tasks", 50_000),
        ("/servers/s1/tasks/t99", 1_500),
        ("/servers/s1/endpoints", 50_000),
        ("/servers/s1/tasks/t99?action=export&withendpoints=true", 5_000),
        ("/servers/s1?action=export", 250_000),
        ("/servers/s0/tasks/t0/tables", 25_000),
        ("/servers/s0/tasks/t0/tables?action=getstatus&schema=%25&table=T1%25", 130_000),
        ("/servers/s0/tasks/t0/tables?action=selection", 50_000),
    ],
)
def test_reads(large: tuple[Handle, Client], path: str, most: int) -> None:
    """Each is about the work that its answer is; ``most`` is about twice the calls of functions that it takes."""
    em, client = large
    assert function_calls(em, lambda: client.call("GET", path)) < most
    assert client.call("GET", path).status == 200


def test_writes(large: tuple[Handle, Client]) -> None:
    """So do writes."""
    em, client = large
    everything = client.call("GET", "/servers/s2?action=export").json
    assert function_calls(em, lambda: client.send("POST", "/servers/s2?action=import", everything)) < 200_000
    run = "/servers/s0/tasks/t0?action={}&option=RELOAD_TARGET"

    def restart() -> None:
        assert client.call("POST", run.format("stop"), b"").status == 200
        assert client.call("POST", run.format("run"), b"").status == 200

    # The load goes on meanwhile, on a busy machine for longer; with work for each pair of tables it would be millions.
    assert function_calls(em, restart) < 200_000
    assert client.send("POST", "/servers/s3/endpoints/e5?action=delete").code == "AEM_ENDPOINT_IS_IN_USE"
    assert function_calls(em, lambda: client.send("DELETE", "/servers/s49/def")) < 1_000
    assert function_calls(em, em.state) < 200_000
    assert function_calls(em, em.reset) < 700_000  # as much as its start
