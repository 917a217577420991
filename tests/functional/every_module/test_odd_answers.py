# Copyright (c) 2026, dataops.qlik_em contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Answers of another form than the API promises: each module says which member is odd, and no module breaks.

One odd value is drawn for each member that a module reads, the same in each run. EVERY_FAULT=1 tries each of them.
"""

from __future__ import annotations

import copy
import json
import os
import random
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.dataops.qlik_em.plugins.module_utils._client.transport import Reply, Transport
from ansible_collections.dataops.qlik_em.tests.functional.every_module.cases import Case, all_cases
from ansible_collections.dataops.qlik_em.tests.functional.every_module.test_failures import ADMIN, Hasty, hurried
from ansible_collections.dataops.qlik_em.tests.functional.support.time_lapse import time_lapse
from ansible_collections.dataops.qlik_em.tests.functional.support.user import MODULES, Run
from ansible_collections.dataops.qlik_em.tests.simulator.handle import Handle

pytestmark = pytest.mark.unmeasured

Place = tuple[Any, ...]
MISSING = object()
ODD = {"null": None, "a number": 7, "a list": [], "a text": "x", "half a character": "\ud800", "missing": MISSING}
AT_ONCE = len(ODD) if os.environ.get("EVERY_FAULT") else 1  # odd values of one member
DEPTH = 5
OPEN = ("aem_api", "aem_audit_trail")  # whose answers may have any form
stand_in = pytest.fixture(time_lapse, scope="module")


class Altered:
    """The client's way to the stand-in: one answer of it comes in another form. ``bodies`` are those that came."""

    def __init__(self, number: int = 0, place: Place = (), odd: Any = None) -> None:
        self.number, self.place, self.odd = number, place, odd
        self.bodies: list[Any] = []

    def __call__(self, *args: Any) -> Transport:
        outer = self

        class Way(Transport):
            def send(self, *args: Any) -> Reply:
                reply = super().send(*args)
                outer.bodies.append(reply.body)
                if len(outer.bodies) < outer.number or not reply.body or "/login" in args[1] or "/logout" in args[1]:
                    return reply
                if len(outer.bodies) == outer.number or (args[0], args[1]) == outer.asked:
                    outer.asked = (args[0], args[1])  # asked once more, it answers the same
                    return reply._replace(
                        body=json.dumps(changed(json.loads(reply.body), outer.place, outer.odd)).encode()
                    )
                return reply

        return Way(*args)

    asked: tuple[str, str] | None = None


def changed(value: Any, place: Place, odd: Any) -> Any:
    """Return an answer with something else at a place; one that has no such place stays."""
    if not place:
        return odd
    value = copy.deepcopy(value)
    part = value
    try:
        for step in place[:-1]:
            part = part[step]
        if odd is MISSING:
            del part[place[-1]]
        else:
            part[place[-1]] = odd
    except (KeyError, IndexError, TypeError):
        pass
    return value


def places(value: Any, left: int = DEPTH) -> Iterator[Place]:
    """Yield the places in an answer, of a list only those in its first item."""
    yield ()
    if not left:
        return
    if isinstance(value, dict):
        for key, item in value.items():
            yield from ((key, *rest) for rest in places(item, left - 1))
    elif isinstance(value, list) and value:
        yield from ((0, *rest) for rest in places(value[0], left - 1))


def play(em: Handle, case: Case, folder: Path, way: Altered) -> Run:
    """Run a case as it is on a new stand-in."""
    em.reset()
    case.prepare(em)
    values = {"folder": str(folder), "address": f"{em.url}/attunityenterprisemanager"}
    if "{session_id}" in str(case.options):
        values["session_id"] = Hasty(em, defaults=ADMIN).run("aem_session").result["session_id"]
    em.clear_requests()
    return Hasty(em, defaults=ADMIN, transport=way).run(case.module, **hurried(case, values))


def name_of(place: Place) -> str:
    """Return the member that is at a place, or in which it is; the whole body has no name."""
    return next((step for step in reversed(place) if isinstance(step, str)), "body")


@pytest.mark.parametrize("module", MODULES)
def test_an_odd_answer_is_named(em, tmp_path, module):
    wrong, tried, named = [], set(), 0
    for turn, case in enumerate(case for case in all_cases() if case.module == module):
        way = Altered()
        folder = tmp_path / f"{turn}"
        folder.mkdir()
        play(em, case, folder, way)
        operations = em.requests()
        for number, body in enumerate(way.bodies, start=1):
            if not body:
                continue
            operation = operations[number - 1]["operation"]
            # What a definition holds has no promised form, and tests of its own.
            for place in places(json.loads(body), 2 if operation.startswith("Export") else DEPTH):
                if (operation, place) in tried:  # asked once more, it is read the same way
                    continue
                tried.add((operation, place))
                # Only a member can be missing.
                kinds = [kind for kind in ODD.items() if kind[1] is not MISSING or (place and place[-1] != 0)]
                for what, odd in random.Random(f"{module} {operation} {place}").sample(kinds, min(AT_ONCE, len(kinds))):
                    shutil.rmtree(folder)
                    folder.mkdir()
                    run = play(em, case, folder, Altered(number, place, odd))
                    msg = run.result.get("msg", "")
                    is_named = operation in msg and name_of(place) in msg
                    named += run.failed and is_named
                    if "Unexpected" in msg or "Please report" in msg or (" unexpected answer " in msg and not is_named):
                        wrong.append((str(case), operation, place, what, msg, run.result.get("exception", "")[-600:]))
    assert not wrong, "\n".join(f"{len(wrong)}: {one[:5]}\n{one[5]}" for one in wrong)
    assert named or module in OPEN or not tried
