# Copyright (c) 2026, dataops.qlik_em contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The policy of healing over 30 days of random failures, kills, windows, people and clocks that are set back.

What counts is what was sent, at the true time, which the policy does not know.
"""

from __future__ import annotations

import json
import random
from collections import Counter, defaultdict

import pytest
from ansible_collections.dataops.qlik_em.plugins.module_utils._fleets.heal_memory import document_of, read_memory
from ansible_collections.dataops.qlik_em.plugins.module_utils._fleets.healing import (
    Policy,
    Record,
    Seen,
    decide,
    finished,
    noted,
)
from ansible_collections.dataops.qlik_em.plugins.module_utils._tasks.latency import Latency
from ansible_collections.dataops.qlik_em.plugins.module_utils._tasks.model import TaskName, TaskSnapshot

EM = "https://em.example.com/attunityenterprisemanager"
BEGIN, MINUTE, HOUR = 1_800_000_000, 60, 3600
END = BEGIN + 30 * 24 * HOUR
TASKS = [TaskName(f"S{number % 3}", f"t{number}") for number in range(12)]
STATES = {
    "RUNNING": TaskSnapshot("RUNNING", "NONE"),
    "LATE": TaskSnapshot("RUNNING", "NONE"),
    "ERROR": TaskSnapshot("ERROR", "FATAL_ERROR", "ORA-12541: TNS:no listener"),
    "NEVER": TaskSnapshot("ERROR", "FATAL_ERROR", "ORA-01017: invalid username/password"),
    "RECOVERY": TaskSnapshot("RECOVERY", "RECOVERABLE_ERROR", "Connection lost"),
    "STOPPED": TaskSnapshot("STOPPED", "NORMAL"),
}
RUNS = ("RUNNING", "LATE", "RECOVERY")


class Killed(Exception):
    """The run was ended by kill -9."""


class Month:
    """Tasks that fail, and a run of the policy every few minutes. Its assertions are the promises."""

    def __init__(self, seed: int, policy: Policy) -> None:
        self.chance = random.Random(seed)
        self.policy = policy
        self.now, self.slow_by = BEGIN, 0  # the true time, and how far the clock is behind
        self.state = dict.fromkeys(TASKS, "RUNNING")
        # From one that is restarted by the first try to one that fails each time.
        self.trouble = {task: number / (len(TASKS) - 1) for number, task in enumerate(TASKS)}
        self.disk: dict[TaskName, Record] = {}
        self.sent: dict[TaskName, list[int]] = defaultdict(list)
        self.quarantined: set[TaskName] = set()
        self.in_doubt: set[TaskName] = set()  # a run may have ended between their stop and their start
        self.window_until: dict[TaskName, int] = {}
        self.seen: Counter[str] = Counter()
        self.waits_since: dict[TaskName, int] = {}

    def live(self) -> None:
        while self.now < END:
            self.now += self.chance.randint(30, 15 * MINUTE)
            self.happen()
            try:
                self.heal()
            except Killed:
                self.seen["killed"] += 1

    def happen(self) -> None:
        """Let the world go on."""
        if self.chance.random() < 0.002:
            self.slow_by += self.chance.choice([1, 90, HOUR, 26 * HOUR, 40 * 24 * HOUR])
            self.waits_since.clear()
        for task, state in self.state.items():
            luck = self.chance.random()
            if state in RUNS and luck < 0.02 + self.trouble[task] / 10:
                self.state[task] = self.chance.choice(["ERROR", "ERROR", "ERROR", "LATE", "RECOVERY", "NEVER"])
            elif state in ("RECOVERY", "LATE") and luck > 0.8:
                self.state[task] = "RUNNING"
            elif luck > 0.99:  # a person
                self.state[task] = self.chance.choice(["RUNNING", "RUNNING", "STOPPED"])
            if self.chance.random() < 0.001:
                self.window_until[task] = self.now + self.chance.randint(HOUR, 8 * HOUR)

    def in_window(self, task: TaskName) -> bool:
        return self.now < self.window_until.get(task, 0)

    def heal(self) -> None:
        """Do one run, as the module does it."""
        clock = self.now - self.slow_by
        plan = decide(self.policy, self.disk, [self.look(task) for task in TASKS], clock)
        self.save(plan.memory)
        for one in plan.decisions:
            self.seen[one.kind] += 1
            if one.kind == "quarantine":
                self.quarantined.add(one.task)
        self.check_patience(plan)
        memory = dict(plan.memory)
        for one in plan.decisions:
            if one.kind == "restart":
                runs = self.state[one.task] in RUNS
                memory[one.task] = noted(memory.get(one.task, Record()), clock, runs)
                if runs:
                    self.in_doubt.add(one.task)
                self.save(memory)
                self.restart(one.task, runs)
        done = {task: finished(record) for task, record in memory.items() if self.state[task] != "STOPPED"}
        self.in_doubt = {task for task in self.in_doubt if self.state[task] == "STOPPED"}
        self.save({**memory, **done})

    def look(self, task: TaskName) -> Seen:
        state = self.state[task]
        if state != "STOPPED":
            self.in_doubt.discard(task)
        if state in ("RUNNING", "RECOVERY"):
            self.quarantined.discard(task)
        latency = Latency(9000 if state == "LATE" else 1, "") if state in ("LATE", "RUNNING") else None
        return Seen(task, STATES[state], "window.json" if self.in_window(task) else None, latency)

    def save(self, memory) -> None:
        self.disk = dict(memory)
        if self.chance.random() < 0.01:
            assert read_memory(json.loads(json.dumps(document_of(memory, EM))), EM, "disk") == memory
        assert all(len(record.restarts) <= self.policy.max_restarts for record in memory.values())
        self.may_be_killed()

    def may_be_killed(self) -> None:
        if self.chance.random() < 0.01:
            raise Killed

    def restart(self, task: TaskName, runs: bool) -> None:
        """Send a restart, and check that the policy allows it."""
        assert not self.in_window(task)
        sent = self.sent[task]
        lately = [at for at in sent if self.now - at < self.policy.within]
        if self.state[task] == "STOPPED":
            assert task in self.in_doubt  # the rest of a restart that was counted before
        else:
            assert len(lately) < self.policy.max_restarts
            if lately:
                assert self.now - lately[-1] >= min(len(lately) ** 2 + len(lately), 60) * MINUTE
            assert task not in self.quarantined
            assert self.state[task] in ("ERROR", "LATE")
            sent.append(self.now)
        if runs:
            self.state[task] = "STOPPED"
            self.may_be_killed()
        self.state[task] = "ERROR" if self.chance.random() < self.trouble[task] else "RUNNING"
        self.may_be_killed()

    def check_patience(self, plan) -> None:
        """What is sick is restarted in the end: nobody waits longer than an hour, or for nothing."""
        decided = {one.task: one.kind for one in plan.decisions}
        for task in TASKS:
            is_sick = self.state[task] in ("ERROR", "LATE", "NEVER") or task in self.in_doubt
            assert is_sick == (task in decided)
            if task in self.in_doubt and not self.in_window(task):
                assert decided[task] == "restart", "a task that was stopped by a restart stays so"
            if decided.get(task) == "wait":
                assert self.now - self.waits_since.setdefault(task, self.now) <= HOUR
            else:
                self.waits_since.pop(task, None)


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize(("max_restarts", "within"), [(5, 24 * HOUR), (1, HOUR), (12, 7 * HOUR)])
def test_a_month_of_failures(seed, max_restarts, within):
    month = Month(seed, Policy(frozenset(["ERROR"]), 7200, max_restarts, within, ("ora-01017",)))
    month.live()
    assert set(month.seen) == {"restart", "wait", "quarantine", "never", "window", "killed"} - (
        {"wait"} if max_restarts == 1 else set()
    )
    assert min(len(month.sent[task]) for task in TASKS) > 5, "nothing was tried"
