# Copyright (c) 2026, dataops.qlik_em contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A playbook that applies a plan is killed at a random request: then all of the plan is in place, or nothing.

SOAK_MOMENTS and SOAK_SEED as in test_crash.py.
"""

from __future__ import annotations

import random
from collections.abc import Iterator

import pytest
from ansible_collections.dataops.qlik_em.tests.functional.support.estate_runs import ADMIN, PROD, Estate
from ansible_collections.dataops.qlik_em.tests.functional.support.replacement import CAUGHT
from ansible_collections.dataops.qlik_em.tests.functional.ways.children import Child, Controller, await_that
from ansible_collections.dataops.qlik_em.tests.simulator import running
from ansible_collections.dataops.qlik_em.tests.simulator.handle import Handle
from ansible_collections.dataops.qlik_em.tests.soak.test_crash import MOMENTS, SEED

MOST = 45  # requests of an undisturbed application, about


@pytest.fixture(scope="module")
def em() -> Iterator[Handle]:
    """One stand-in for all moments."""
    with running() as handle:
        yield handle


@pytest.mark.parametrize("as_module", [False, True], ids=["in_process", "as_module"])
@pytest.mark.parametrize("moment", range(MOMENTS))
def test_a_plan_that_is_killed_is_in_place_as_a_whole_or_not_at_all(em, tmp_path, moment, as_module):
    seed = SEED + moment
    print(f"SOAK_SEED={seed} SOAK_MOMENTS=1")  # pytest shows it if the test fails
    chance = random.Random(seed)
    em.reset()
    estate = Estate(em, tmp_path)
    estate.prepare()
    em.set_server(PROD, import_seconds=chance.choice([0, 0.3]))
    before = estate.picture()
    controller = Controller(tmp_path / "ansible", {})

    def start(state: str) -> Child:
        task = {"dataops.qlik_em.aem_estate": {"url": em.url, "ca_path": em.ca_path, **ADMIN, **estate.options(state)}}
        return controller.play([task], vars={"aem_run_as_module": as_module})

    rule = {"nth": chance.randint(1, MOST), **CAUGHT[chance.choice(sorted(CAUGHT))]}
    em.faults([rule])
    with start("applied") as child:
        await_that(lambda: em.faults()[0]["applied"] or child.process.poll() is not None, f"{rule}")
        child.kill()
    em.clear_faults()
    state = chance.choice(["applied", "backed_out"])
    with start(state) as child:
        assert child.wait() == 0, child.output
    if state == "applied":
        assert not estate.run("planned").changed
        assert em.task(PROD, "orders")["state"] == "RUNNING"
    else:
        assert estate.picture() == before
