# Copyright (c) 2026, dataops.qlik_em contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A maintenance window that is killed at a random moment, while the line is bad: `restored` starts what ran.

SOAK_MOMENTS is how many moments are tried for each way to run (2; `make soak` tries 20). SOAK_SEED repeats a run.
"""

from __future__ import annotations

import json
import os
import random
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.dataops.qlik_em.tests.functional.ways.children import Child, Controller, await_that
from ansible_collections.dataops.qlik_em.tests.simulator import running
from ansible_collections.dataops.qlik_em.tests.simulator.handle import Handle

MOMENTS = int(os.environ.get("SOAK_MOMENTS", "2"))
SEED = int(os.environ.get("SOAK_SEED", random.randrange(2**32)))
SERVERS, TASKS = 4, 15
USER = {"name": "op", "password": "op-test-password", "grants": [{"role": "Operator"}]}
WINDOW = "dataops.qlik_em.aem_maintenance_window"
LONGEST = 6.0  # seconds from the first request to the last of an undisturbed window, about
ALIVE = ("RUNNING", "RECOVERY")


def document(chance: random.Random) -> dict[str, Any]:
    """Servers with tasks that run, retry, rest or are broken, and need their time, some of them long, some unseen."""

    def task(number: int) -> dict[str, Any]:
        return {
            "name": f"task {number}",
            "state": chance.choice(["RUNNING", "RUNNING", "RUNNING", "RECOVERY", "STOPPED", "ERROR"]),
            "stop_seconds": round(chance.uniform(0, 0.6), 2) + 3 * (chance.random() < 0.1),
            "start_seconds": round(chance.uniform(0, 0.6), 2),
            "memory_lag": 0.2,
            "show_transient": chance.random() < 0.5,  # not every server shows STARTING and STOPPING
        }

    servers = [{"name": f"S{server}", "tasks": [task(number) for number in range(TASKS)]} for server in range(SERVERS)]
    return {"users": [USER], "servers": servers}


def faults(chance: random.Random) -> list[dict[str, Any]]:
    """Return what goes wrong: answers that come late or never, stops and starts that the server gets to later."""
    kinds: list[dict[str, Any]] = [
        {"fault": "delay", "seconds": 0.8},
        {"fault": "delay", "seconds": 0.5, "when": "after"},
        {"fault": "cut_after"},
        {"fault": "cut_after", "seconds": 0.05, "how": "reset"},
        {"fault": "status", "status": 502, "work": True},
        {"fault": "expire_session"},
    ]
    operations = ["StopTask", "RunTask", "GetTaskDetails", "GetTaskList"]
    return [
        {"match": {"operation": chance.choice(operations)}, "nth": sorted({chance.randint(1, 40) for _n in range(3)})}
        | chance.choice(kinds)
        for _rule in range(6)
    ]


@pytest.fixture(scope="module")
def em() -> Iterator[Handle]:
    """One stand-in for all moments."""
    with running() as handle:
        yield handle


def start(controller: Controller, em: Handle, way: str, path: Path, *steps: str) -> Child:
    """Start a playbook with these steps of a window. Without a journal, the file is of the record alone."""
    options: dict[str, Any] = {"parallel": 8, "timeout": 5, "wait_timeout": 60, "wait_sleep": 0.1}
    if way == "without_journal" and steps != ("recorded",):
        options["checkpoint"] = json.loads(path.read_text(encoding="utf-8"))
    else:
        options["path"] = str(path)
    select = {"include": [{"server": "S*"}], "waves": [{"server": "S[01]"}]}
    return controller.play(
        [{WINDOW: {"state": state, **options, **(select if state == "recorded" else {})}} for state in steps],
        vars={"aem_run_as_module": way == "as_module"},
        module_defaults={
            WINDOW: {"url": em.url, "ca_path": em.ca_path, "username": USER["name"], "password": USER["password"]}
        },
    )


def tasks(em: Handle) -> dict[tuple[str, str], dict[str, Any]]:
    """Return all tasks by server and name."""
    return {
        (server, name): task for server, found in em.state()["servers"].items() for name, task in found["tasks"].items()
    }


def alive(em: Handle) -> set[tuple[str, str]]:
    """Return the tasks that run."""
    return {key for key, task in tasks(em).items() if task["state"] in ALIVE}


@pytest.mark.parametrize("way", ["in_process", "as_module", "without_journal"])
@pytest.mark.parametrize("moment", range(MOMENTS))
def test_a_window_that_is_killed_starts_exactly_what_ran(em, tmp_path, moment, way):
    seed = SEED + moment
    print(f"SOAK_SEED={seed} SOAK_MOMENTS=1")  # pytest shows it if the test fails
    chance = random.Random(seed)
    em.reset(document(chance))
    ran = alive(em)
    controller, path = Controller(tmp_path, {}), tmp_path / "checkpoint"
    steps = ["recorded", "frozen", "restored"]
    if way == "without_journal":  # as in AWX: the record is a run of its own, which hands the checkpoint on
        with start(controller, em, way, path, steps.pop(0)) as child:
            assert child.wait() == 0, child.output
    em.clear_requests()
    em.faults(faults(chance))
    with start(controller, em, way, path, *steps) as child:
        await_that(em.requests, "the window begins")
        time.sleep(chance.uniform(0, LONGEST))
        child.kill()
    is_begun = path.exists()
    for _try in range(3):
        with start(controller, em, way, path, "restored") as child:
            status, output = child.wait(), child.output
        if status == 0:
            break
        if not is_begun:
            assert "There is no checkpoint" in output
            break
        em.clear_faults()  # the line may make a try fail, with a clear message; not the next one
    else:
        raise AssertionError(f"it never came to its end:\n{output}")
    await_that(lambda: not em.summary()["under_way"], "all that was under way has ended")
    assert alive(em) == ran
    for key, task in tasks(em).items():
        assert len(task["runs"]) == task["stops"] <= 1, (key, task)  # what was stopped was started again, once
        assert key in ran or not task["stops"]
    writes = Counter((r["server"], r["task"], r["operation"]) for r in em.requests() if r["executed"])
    assert not [key for key, count in writes.items() if key[2] in ("StopTask", "RunTask") and count > 1]
