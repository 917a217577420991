# Copyright (c) 2026, dataops.qlik_em contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The loop in simulated time, and its options beside their documentation."""

from __future__ import annotations

import ast
import asyncio
import gc
import random
import sys
from pathlib import Path

import pytest
import yaml
from ansible_collections.dataops.qlik_em.plugins.doc_fragments.connection import ModuleDocFragment
from ansible_collections.dataops.qlik_em.plugins.module_utils._client.connection import OPTIONS
from ansible_collections.dataops.qlik_em.plugins.module_utils._client.errors import InputError, TransportError
from ansible_collections.dataops.qlik_em.plugins.module_utils._client.interrupt import Interrupt
from ansible_collections.dataops.qlik_em.plugins.module_utils._events import source
from ansible_collections.dataops.qlik_em.plugins.module_utils._events.model import NOTHING, event
from ansible_collections.dataops.qlik_em.plugins.module_utils._events.options import OWN, check_options, read_options
from ansible_collections.dataops.qlik_em.plugins.module_utils._events.store import Store

SOURCE = Path(__file__).resolve().parents[5] / "extensions" / "eda" / "plugins" / "event_source" / "tasks.py"
OPEN = {"url": "https://em", "username": "u", "password": "p"}
STATES = ("RUNNING", "STOPPED", "ERROR")


class Estate:
    """What the API returns of 20 tasks, which change at random; every 50th round there is no answer."""

    def __init__(self, rounds):
        self.rounds, self.left = rounds, rounds
        self.random = random.Random(12)
        self.states = ["RUNNING"] * 20

    def get_server_list(self, accept=()):
        self.left -= 1
        if self.left % 50 == 0:
            raise TransportError("No connection.")
        self.states[self.random.randrange(20)] = self.random.choice(STATES)
        return [{"name": "S", "state": "MONITORED" if self.left % 7 else "ERROR"}]

    def get_task_list(self, server):
        # A task that is never there again: nothing of it may stay.
        states = [*self.states, "ERROR"]
        return [{"name": f"t{n}" if n < 20 else f"once {self.left}", "state": one} for n, one in enumerate(states)]

    def get_table_list(self, server, task, filters):
        broken = [f"T{n}" for n in range(5) if self.random.random() < 0.1]
        return [{"schema": "S", "table": table, "state": "TABLE_ERROR"} for table in broken]


class Client:
    interrupt = Interrupt()

    def masked(self, value):
        return value


class Enough(Exception):
    """All rounds have been."""


def test_memory_stays_flat_over_10000_rounds(monkeypatch):
    estate, blocks, given = Estate(10_000), {}, []

    class Queue:
        async def put(self, one):
            given.append(one["type"])

    async def sleep(_seconds):
        if estate.left in (9_000, 0):
            given.clear()
            gc.collect()
            blocks[estate.left] = sys.getallocatedblocks()
        if not estate.left:
            raise Enough

    async def at_once(work, _stop):
        return work()

    monkeypatch.setattr(source.LOG, "disabled", True)  # pytest keeps all that is logged
    monkeypatch.setattr(source, "_in_thread", at_once)
    monkeypatch.setattr(source, "Api", lambda _client: estate)
    estate.client = Client()
    params = read_options({**OPEN, "tables_of": [{"name": "t1"}]}, {})
    clock = source.Clock(lambda: 1_800_000_000.0 + 30 * (10_000 - estate.left), lambda: 0.0, sleep)
    one = source._Source(Queue(), Client(), check_options(params, {}), Store(None, "x"), clock)
    one._reader._run_all = map
    with pytest.raises(Enough):
        asyncio.run(one.run())
    assert blocks[0] - blocks[9_000] < 2_000  # one that each round keeps would make 9,000


def test_what_cannot_be_noted_is_given_again_but_nothing_is_lost(tmp_path):
    path = str(tmp_path / "state")
    events = [event("task_state", "x", f"2027-01-15T08:00:0{n}Z", "", before="A", after="B") for n in range(3)]
    store = Store(path, "x")
    with store.alone():
        store.save(NOTHING, events)
        store.tick()
        assert store.load() == (NOTHING, events[1:])
        with open(path, "a", encoding="utf-8") as file:
            file.write("giv")  # as a power cut leaves it
        assert store.load() == (NOTHING, events[1:])
        store.save(NOTHING, events[2:])
        assert store.load() == (NOTHING, events[2:])
        store.tick()
        assert store.load() == (NOTHING, [])
    with pytest.raises(InputError, match=r"belongs to x \(format 1\), not to y"):
        Store(path, "y").load()


def test_pauses_grow_up_to_five_minutes_or_the_interval():
    for interval, longest in ((30, 300), (1000, 1000)):
        pauses = [source.back_off(interval, lost) for lost in (1, 2, 9, 9999)]
        assert interval / 2 <= pauses[0] <= interval
        assert all(longest / 2 <= pause <= longest for pause in pauses[2:])


def test_the_documentation_has_the_options_that_there_are():
    texts = {
        node.targets[0].id: node.value.value
        for node in ast.parse(SOURCE.read_text(encoding="utf-8")).body
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Constant)
    }
    documented = yaml.safe_load(texts["DOCUMENTATION"])["options"]
    types = {"selectors": "list"}
    for name, (kind, default) in OWN.items():
        assert (documented[name]["type"], documented[name].get("default")) == (types.get(kind, kind), default), name
    assert documented.keys() == OWN.keys()
    shared = yaml.safe_load(ModuleDocFragment.DOCUMENTATION)["options"]
    assert {name: (one["type"], one.get("default")) for name, one in shared.items()} == OPTIONS
    for example in yaml.safe_load(texts["EXAMPLES"]):
        options = example["dataops.qlik_em.tasks"]
        assert check_options(read_options({**OPEN, **options}, {}), {}).interval == 30
