# Copyright (c) 2026, dataops.qlik_em contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A maintenance window that is killed at a random moment, while the line is bad: `restored` starts what ran.

SOAK_MOMENTS is how many moments are tried for each way to run (3; `make soak` tries 20). SOAK_SEED repeats a run.
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

MOMENTS = int(os.environ.get("SOAK_MOMENTS", "3"))
SEED = int(os.environ.get("SOAK_SEED", random.randrange(2**32)))
SERVERS, TASKS = 4, 15
USER = {"name": "op", "password": "op-test-password", "grants": [{"role": "Operator"}]}
WINDOW = "dataops.qlik_em.aem_maintenance_window"
LONGEST = 6.0  # seconds from the first request to the last of an undisturbed window, about
ALIVE = ("RUNNING", "RECOVERY")
KEPT = ("file", "link", "no_file")  # how the checkpoint is kept; without a file, as in AWX, there is no journal
DAY = 86400
CLOCK = str(Path(__file__).parent / "clock")  # lets a test set the clock of the machine


def document(chance: random.Random) -> dict[str, Any]:
    """Servers with tasks that run, retry, rest or are broken, and need their time, some of them long, some unseen."""

    def task(number: int, shows: bool) -> dict[str, Any]:
        return {
            "name": f"task {number}",
            "state": chance.choice(["RUNNING", "RUNNING", "RUNNING", "RECOVERY", "STOPPED", "ERROR"]),
            "stop_seconds": round(chance.uniform(0, 0.6), 2) + 3 * (chance.random() < 0.1),
            "start_seconds": round(chance.uniform(0, 0.6), 2),
            "memory_lag": 0.2,
            "show_transient": shows,
        }

    def server(name: str) -> dict[str, Any]:
        shows = chance.random() < 0.5  # not every server shows STARTING and STOPPING
        return {"name": name, "tasks": [task(number, shows) for number in range(TASKS)]}

    return {"users": [USER], "servers": [server(f"S{number}") for number in range(SERVERS)]}


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


class Window:
    """A window whose checkpoint is kept in one of the ways; each run has a controller and, with a link, a link anew."""

    def __init__(self, em: Handle, folder: Path, way: str, kept: str) -> None:
        self._em, self._folder, self._way, self._kept = em, folder, way, kept
        self._runs = 0
        self.path, self._clock = folder / "checkpoint", folder / "clock"
        self.set_clock(0)

    def set_clock(self, ahead: float) -> None:
        """Set the clock of all that runs so many seconds ahead of what it is."""
        new = self._clock.with_suffix(".new")
        new.write_text(str(ahead), encoding="ascii")
        new.replace(self._clock)

    def start(self, *steps: str) -> Child:
        """Start a playbook with these steps, on a controller that has run nothing before."""
        self._runs += 1
        folder = self._folder / f"controller-{self._runs}"
        controller = Controller(folder, {"PYTHONPATH": CLOCK, "SOAK_CLOCK": str(self._clock)})
        options: dict[str, Any] = {"parallel": 8, "timeout": 5, "wait_timeout": 60, "wait_sleep": 0.1}
        if self._kept == "no_file" and steps != ("recorded",):
            options["checkpoint"] = json.loads(self.path.read_text(encoding="utf-8"))  # of the record alone
        elif self._kept == "link":
            link = folder / "window"
            link.symlink_to(self.path)
            options["path"] = str(link)
        else:
            options["path"] = str(self.path)
        select = {"include": [{"server": "S*"}], "waves": [{"server": "S[01]"}]}
        em = self._em
        return controller.play(
            [{WINDOW: {"state": state, **options, **(select if state == "recorded" else {})}} for state in steps],
            vars={"aem_run_as_module": self._way == "as_module"},
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


def kill_at_some_time(window: Window, child: Child, chance: random.Random, longest: float) -> None:
    """Kill it within so many seconds; the clock is set by a day before that, or back, or it is left alone."""
    moments = sorted(chance.uniform(0, longest) for _time in range(2))
    time.sleep(moments[0])
    window.set_clock(chance.choice([-DAY, 0, DAY]))
    time.sleep(moments[1] - moments[0])
    child.kill()


@pytest.mark.parametrize("way", ["in_process", "as_module"])
@pytest.mark.parametrize("moment", range(MOMENTS))
def test_a_window_that_is_killed_starts_exactly_what_ran(em, tmp_path, moment, way):
    seed = SEED + moment
    chance = random.Random(seed)
    kept = KEPT[seed % len(KEPT)]
    print(f"SOAK_SEED={seed} SOAK_MOMENTS=1, {way}, {kept}")  # pytest shows it if the test fails
    em.reset(document(chance))
    ran = alive(em)
    window = Window(em, tmp_path, way, kept)
    steps = ["recorded", "frozen", "restored"]
    if kept == "no_file":  # as in AWX: the record is a run of its own, which hands the checkpoint on
        with window.start(steps.pop(0)) as child:
            assert child.wait() == 0, child.output
    em.clear_requests()
    em.faults(faults(chance))
    with window.start(*steps) as child:
        await_that(em.requests, "the window begins")
        kill_at_some_time(window, child, chance, LONGEST)
    is_begun = window.path.exists()
    if chance.random() < 0.5:
        with window.start("restored") as child:
            kill_at_some_time(window, child, chance, 2 + LONGEST / 2)
    for _try in range(3):
        with window.start("restored") as child:
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
