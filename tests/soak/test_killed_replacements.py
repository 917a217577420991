# Copyright (c) 2026, dataops.qlik_em contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A playbook that replaces a task is killed at a random request: the next run ends with the new task, running.

SOAK_MOMENTS and SOAK_SEED as in test_crash.py.
"""

from __future__ import annotations

import random
from collections.abc import Iterator

import pytest
from ansible_collections.dataops.qlik_em.tests.functional.support import replacement
from ansible_collections.dataops.qlik_em.tests.functional.ways.killing import kill_and_run_again
from ansible_collections.dataops.qlik_em.tests.simulator import running
from ansible_collections.dataops.qlik_em.tests.simulator.handle import Handle
from ansible_collections.dataops.qlik_em.tests.soak.test_crash import MOMENTS, SEED

MOST = 22  # requests of an undisturbed replacement, about: more if the task takes its time


@pytest.fixture(scope="module")
def em() -> Iterator[Handle]:
    """One stand-in for all moments."""
    with running() as handle:
        yield handle


@pytest.mark.parametrize("as_module", [False, True], ids=["in_process", "as_module"])
@pytest.mark.parametrize("moment", range(MOMENTS))
def test_a_replacement_that_is_killed_loses_no_task(em, tmp_path, moment, as_module):
    seed = SEED + moment
    print(f"SOAK_SEED={seed} SOAK_MOMENTS=1")  # pytest shows it if the test fails
    chance = random.Random(seed)
    em.reset()
    em.set_server(replacement.PROD, import_seconds=chance.choice([0, 0.3]))
    rule = {"nth": chance.randint(1, MOST), **replacement.CAUGHT[chance.choice(sorted(replacement.CAUGHT))]}
    kill_and_run_again(em, tmp_path, rule, as_module)
