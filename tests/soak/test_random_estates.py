# Copyright (c) 2026, dataops.qlik_em contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""From one random estate to another: what is wanted is there then, or, after a failure at a random write, what was.

SOAK_MOMENTS is how many pairs are tried (3).
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any
from unittest import mock

import pytest
from ansible_collections.dataops.qlik_em.plugins.module_utils._estates import planning
from ansible_collections.dataops.qlik_em.plugins.module_utils._estates.layout import read_estate
from ansible_collections.dataops.qlik_em.plugins.module_utils._estates.model import ENDPOINTS, TASKS
from ansible_collections.dataops.qlik_em.plugins.module_utils._estates.plan import fingerprint
from ansible_collections.dataops.qlik_em.tests.functional.support.estate_runs import ADMIN, Patient
from ansible_collections.dataops.qlik_em.tests.functional.support.estates import SOURCES, TARGETS, estates
from ansible_collections.dataops.qlik_em.tests.simulator import running
from ansible_collections.dataops.qlik_em.tests.simulator.handle import Handle
from ansible_collections.dataops.qlik_em.tests.soak.test_crash import MOMENTS
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

SERVER = "Replicate-Test"
SECRETS = {SERVER: {name: {"password": f"password of {name}"} for name in (*SOURCES, *TARGETS)}}


@pytest.fixture(scope="module")
def em() -> Iterator[Handle]:
    """One stand-in for all pairs."""
    with running() as handle:
        yield handle


class Runs:
    """The runs of one pair, with what is wanted in place of files."""

    def __init__(self, em: Handle, folder: Path) -> None:
        em.reset()
        self.em, self.user, self.plan = em, Patient(em, defaults=ADMIN), folder / "plan.json"
        for path in folder.glob("plan*"):
            path.unlink()

    def run(self, state: str, desired: Any) -> Any:
        """Run aem_estate."""
        options = {"path": "/unused", "plan": str(self.plan), "secrets": SECRETS, "force": True, "state": state}
        with mock.patch.object(planning, "desired_estate", lambda _params: desired):
            return self.user.run("aem_estate", **options, wait_sleep=0.1, wait_timeout=20, timeout=2)

    def apply(self, desired: Any) -> None:
        """Plan and apply; all is well then."""
        planned = self.run("planned", desired)
        assert not planned.failed, planned.result
        applied = self.run("applied", desired)
        assert not applied.failed and applied.changed == planned.changed, applied.result
        again = self.run("planned", desired)
        assert not again.changed and not again.failed, again.result

    def picture(self) -> tuple[dict[Any, str], set[str]]:
        """Return the fingerprint of each object of the server, and the tasks that run."""
        folder = str(self.plan.parent / "picture")
        assert not self.user.run("aem_estate", path=folder, include=[{"server": SERVER}]).failed
        found = [reading.objects for reading in read_estate("path", folder).values()]
        return {key: fingerprint(key, item) for one in found for key, item in one.items()}, self.running()

    def running(self) -> set[str]:
        """Return the tasks that run."""
        names = self.em.server(SERVER)["tasks"]
        return {name for name in names if self.em.task(SERVER, name)["state"] == "RUNNING"}


@settings(
    max_examples=2 * MOMENTS,  # the first is a trivial one
    deadline=None,
    phases=[Phase.generate],
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(
    first=estates((SERVER,)),
    second=estates((SERVER,)),
    operation=st.sampled_from(["ImportAll", "StopTask", "RunTask", "PutServerAcl"]),
    nth=st.integers(1, 3),
    is_lost=st.booleans(),
)
def test_from_one_estate_to_another_or_back(em, tmp_path, first, second, operation, nth, is_lost):
    runs = Runs(em, tmp_path)
    runs.apply(first)
    for key in first:
        if key.kind == TASKS:
            em.set_task(SERVER, key.name, stop_seconds=0, start_seconds=0, memory_lag=0)
            assert not runs.user.run("aem_task", server=SERVER, name=key.name, state="started").failed
    before, ran = runs.picture()
    fault = {"fault": "cut_after"} if is_lost else {"fault": "status", "status": 500}
    assert not runs.run("planned", second).failed
    em.faults([{"match": {"operation": operation}, "nth": nth, **fault}])
    applied = runs.run("applied", second)
    em.clear_faults()
    if applied.failed:
        after, runs_now = runs.picture()
        assert applied.result.get("back_out", "backed_out") == "backed_out", applied.result
        assert {key: after.get(key) for key in before} == before, applied.result
        assert {key for key in after if key not in before and key.kind in (ENDPOINTS, TASKS)} == set()
        assert runs_now == ran
    runs.apply(second)
