# Copyright (c) 2026, dataops.qlik_em contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Kill -9 of a playbook at the writes of a replacement, both ways to run: the next run goes on from what is there.

All requests and the steps with files are in test_aem_task_replacement.py, without Ansible around them; the soak
kills playbooks at any request.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from ansible_collections.dataops.qlik_em.tests.functional.support import replacement
from ansible_collections.dataops.qlik_em.tests.functional.ways.killing import kill_and_run_again
from ansible_collections.dataops.qlik_em.tests.simulator import running
from ansible_collections.dataops.qlik_em.tests.simulator.handle import Handle

# The second import and deletion are those of the task itself, the first ones those of the trial.
STEPS = [
    ("ImportTask", 1, "after"),
    ("DeleteTask", 1, "after"),
    ("StopTask", 1, "after"),
    ("DeleteTask", 2, "after"),
    ("ImportTask", 2, "before"),
    ("ImportTask", 2, "after"),
    ("RunTask", 1, "before"),
]


@pytest.fixture(scope="module")
def stand_in() -> Iterator[Handle]:
    """One stand-in for all."""
    with running() as handle:
        yield handle


@pytest.mark.parametrize("as_module", [False, True], ids=["in_process", "as_module"])
@pytest.mark.parametrize(("operation", "nth", "when"), STEPS)
def test_a_playbook_that_is_killed_loses_no_task(stand_in, tmp_path, operation, nth, when, as_module):
    replacement.begin_anew(stand_in)
    rule = {"match": {"operation": operation}, "nth": nth, **replacement.CAUGHT[when]}
    kill_and_run_again(stand_in, tmp_path, rule, as_module)
