# Copyright (c) 2026, dataops.qlik_em contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whatever JSON comes, the stand-in answers with JSON, and goes on to answer everything else."""

from __future__ import annotations

import copy
import json
import random
from collections.abc import Iterator
from typing import Any

import pytest
from ansible_collections.dataops.qlik_em.tests.simulator import Handle
from ansible_collections.dataops.qlik_em.tests.simulator.tests.methods import METHODS, RUNNING, SELECTION, SERVER
from ansible_collections.dataops.qlik_em.tests.simulator.tests.wire import Client

ROUNDS = 250
JUNK: list[Any] = [None, True, 0, -1, 1.5, "", "x", [], {}, [None], [{}], {"name": None}, {"name": "x"}, [["a"]]]
READS = [method.path for method in METHODS if method.verb == "GET"]
TABLE = {"owner": "A", "name": "B", "load_order": 1, "table_type": "VIEW"}
LISTS = {key: [TABLE] for key in ("included_pattern", "excluded_pattern", "explicit_included_tables")}


def places(value: Any, place: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The way to everything in a document."""
    if place:
        yield place
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, item in items:
        yield from places(item, (*place, key))


def spoilt(value: Any, chance: random.Random) -> Any:
    """A copy in which up to three places are missing or hold something else."""
    result = copy.deepcopy(value)
    for _turn in range(chance.randint(1, 3)):
        way = chance.choice(list(places(result)) or [()])
        if not way:
            return chance.choice(JUNK)
        holder = result
        for key in way[:-1]:
            holder = holder[key]
        if isinstance(holder, dict) and chance.random() < 0.3:
            del holder[way[-1]]
        else:
            holder[way[-1]] = copy.deepcopy(chance.choice(JUNK))
    return result


@pytest.mark.parametrize("seed", range(4))
def test_any_json(em: Handle, admin: Client, seed: int) -> None:
    """Spoilt documents of every kind, in a row; between them every read, a stop and a run."""
    chance = random.Random(seed)
    running = [name for name, task in em.server("Replicate-Prod")["tasks"].items() if task["state"] != "STOPPED"]
    for name in running:
        em.set_task("Replicate-Prod", name, state="STOPPED", stop_seconds=0, start_seconds=0)
    one = admin.call("GET", f"{RUNNING}?action=export&withendpoints=true").json
    everything = admin.call("GET", f"{SERVER}?action=export").json
    bodies = [(item.verb, item.path, item.body) for item in METHODS if isinstance(item.body, (dict, list))]
    bodies += [("POST", f"{RUNNING}?action=import", one), ("POST", f"{SERVER}?action=import", everything)]
    bodies += [("PUT", SELECTION, LISTS)]
    for turn in range(ROUNDS):
        verb, path, body = chance.choice(bodies)
        sent = json.dumps(spoilt(body, chance)).encode()
        reply = admin.call(verb, path, sent)
        assert reply.status in (200, 500, 403), sent
        assert reply.headers["Content-Type"].startswith("application/json"), (path, sent)
        assert reply.status == 200 or reply.code
        read = admin.call("GET", chance.choice(READS))
        assert read.headers["Content-Type"].startswith("application/json"), sent
        if turn % 10 == 0:
            for query in ("run&option=RELOAD_TARGET", "stop"):
                action = admin.call("POST", f"{RUNNING}?action={query}", b"")
                assert action.headers["Content-Type"].startswith("application/json"), sent
