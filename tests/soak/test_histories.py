# Copyright (c) 2026, dataops.qlik_em contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Random histories: whatever an operator does, whatever goes wrong, and wherever a run is killed, promises are kept.

HISTORIES is how many schedules are tried (150; `make soak` tries 10,000). A failure prints the shortest schedule that
fails, and its seed; HISTORIES_SEED takes it.
"""

from __future__ import annotations

import json
import os
import random
import shutil
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.dataops.qlik_em.tests.functional.support.bad_line import rules
from ansible_collections.dataops.qlik_em.tests.functional.support.canaries import contents
from ansible_collections.dataops.qlik_em.tests.functional.support.time_lapse import time_lapse
from ansible_collections.dataops.qlik_em.tests.functional.support.user import User
from ansible_collections.dataops.qlik_em.tests.soak.histories import judge
from ansible_collections.dataops.qlik_em.tests.soak.histories.operations import (
    ESTATE_STEPS,
    FILES,
    RESOURCES,
    WINDOW_STEPS,
)
from ansible_collections.dataops.qlik_em.tests.soak.histories.playing import Kill, Played, Step, play
from ansible_collections.dataops.qlik_em.tests.soak.histories.world import document, worlds
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st

SCHEDULES = int(os.environ.get("HISTORIES", "150"))
SEED = int(os.environ.get("HISTORIES_SEED", random.randrange(2**32)))
SHARDS = max(1, SCHEDULES // 500)  # each prints figures of its own
MOST_MEMORY = 200  # MiB that this process, with the stand-in in it, may grow by

stand_in = pytest.fixture(time_lapse, scope="module")

# With "file" only where there are files: in other modules it would never come to that.
MOMENTS = ["before", "after", "after", "signal"]


@st.composite
def steps(draw: Any, modules: Sequence[str] = tuple(sorted(RESOURCES)), options: Any = None) -> Step:
    """Return a step: a resource, what is done with it (one of its operations, if not given), and what goes wrong."""
    module = draw(st.sampled_from(modules))
    resource = RESOURCES[module]
    check = draw(st.sampled_from([False, False, False, False, True]))
    moments = [*MOMENTS, "file"] if module in FILES else MOMENTS
    kills = st.builds(Kill, st.sampled_from(moments), st.sampled_from([1, 1, 1, 2, 3]))
    return Step(
        module,
        draw(resource.operations if options is None else options),
        check,
        draw(st.booleans()),
        draw(st.sampled_from(["login", "login", "login", "session", "both"])),
        draw(st.lists(rules(["Login", "Logout", *resource.methods * 2], 40, most=2, any_of=7), max_size=3)),
        draw(st.one_of(st.none(), kills)) if not check else None,
    )


def windows() -> Any:
    """Return a maintenance window, in which somebody may do something else, too."""
    module, (recorded, frozen, restored) = ["aem_maintenance_window"], WINDOW_STEPS
    return st.builds(
        lambda first, others, second, more, third: [first._replace(check=False), *others, second, *more, third],
        steps(module, recorded),
        st.lists(steps(["aem_task", "aem_task_batch"]), max_size=1),
        steps(module, frozen),
        st.lists(steps(["aem_task", "aem_heal"]), max_size=1),
        steps(module, restored),
    )


def estates() -> Any:
    """Return a change by files: what somebody does after they were written is taken back by a plan."""
    module, (gathered, planned, applied, backed_out) = ["aem_estate"], ESTATE_STEPS
    return st.builds(
        lambda first, others, plan, apply, more: [*map(real, [first, *others, plan]), apply, *more],
        steps(module, gathered),
        st.lists(steps(["aem_endpoint", "aem_acl", "aem_schedule", "aem_task", "aem_table_selection"]), max_size=3),
        steps(module, planned),
        steps(module, applied),
        st.lists(steps(module, backed_out), max_size=1),
    )


@pytest.fixture(autouse=True, scope="module")
def quick():
    """Tiny limits and pauses."""
    with pytest.MonkeyPatch.context() as patch:
        limits = User.limits._replace(server_margin=0.5, logout=1, lost_effect=0.4, answer_size=256 * 1024)
        patch.setattr(User, "limits", limits)
        yield


class Story:
    """Plays schedules, each in a new world, and counts."""

    def __init__(self, em: Any, folder: Path) -> None:
        self.em, self.folder = em, folder
        self.figures: Counter[str] = Counter()

    def play(self, world: dict[str, Any], schedule: list[Step]) -> None:
        """Play a schedule, and the last step again without faults."""
        shutil.rmtree(self.folder, ignore_errors=True)
        for name in ("notes", "kept"):
            (self.folder / name).mkdir(parents=True)
        self.em.reset(document(world))
        self.requests: list[dict[str, Any]] = []
        self.figures["schedules"] += 1
        for step in schedule:
            played = self.step(step)
            if played.result is None or (played.result.get("failed") and step.faults and not step.check):
                self.again(step, played)
        if schedule[-1].check:
            self.foretold(schedule[-1])
        else:
            self.twice(schedule[-1])
        if {step.module for step in schedule} == {"aem_maintenance_window"}:
            twice = [what for what, count in judge.done(self.requests).items() if count > 1]
            assert not twice, "in one window, a task was stopped or started twice"

    def step(self, step: Step) -> Played:
        """Play a step and judge it."""
        # A definition that is kept before it is replaced has its secrets in it, as the docs say.
        folder = self.folder / ("kept" if "backup_dir" in step.options else "notes")
        played = play(self.em, step, folder)
        judge.check(self.em, step, played, folder, "" if folder.name == "kept" else contents(folder))
        self.requests += played.requests
        self.figures["operations"] += 1
        self.figures["faults"] += sum(1 for r in played.requests if r["fault"])
        self.figures["kills"] += played.result is None
        self.figures["requests"] += len(played.requests)
        self.figures["writes"] += len(judge.writes(played.requests))
        return played

    def again(self, step: Step, before: Played) -> None:
        """After a kill or a failure, the same command does what is left to do, and nothing that is done."""
        played = self.step(clean(step))
        options = step.options
        if options.get("import_mode") == "replace" and played.result and not played.result.get("failed"):
            assert temporaries(played.after) <= temporaries(before.before), "something temporary was left"
        # Who puts back what was done before the failure does it all again.
        if before.result is not None and (options.get("stop_if_running") or step.module == "aem_estate"):
            return
        if "journal" not in options and (RESOURCES[step.module].repeats(options) or "import_mode" in options):
            return
        twice = [what for what, count in judge.done(before.requests + played.requests).items() if count > 1]
        assert not twice, "after a kill or a failure, a write was done twice"

    def foretold(self, step: Step) -> None:
        """Check mode says what a run then does."""
        said, done = (self.step(one).result for one in (clean(step), real(step)))
        if step.module == "aem_server_license":  # which one it is shows only when it is registered, as its docs say
            return
        if said and done and not done.get("failed"):
            assert not said.get("failed") and said["changed"] == done["changed"], f"{said}, then {done}"

    def twice(self, step: Step) -> None:
        """A second success changes nothing."""
        first = self.step(clean(step))
        if first.result and not first.result.get("failed") and not RESOURCES[step.module].repeats(step.options):
            second = self.step(clean(step)).result
            assert second and not second.get("failed") and not second["changed"], f"{first.result}, then {second}"


def temporaries(state: dict[str, Any]) -> set[str]:
    """Return the names of the objects that a run has made for itself."""
    names = {name for server in state.values() for kind in ("tasks", "endpoints") for name in server[kind]}
    return {name for name in names if name.startswith("dataops_qlik_em_temporary_")}


def clean(step: Step) -> Step:
    """Return the step without faults."""
    return step._replace(faults=(), kill=None, login="login")


def real(step: Step) -> Step:
    """Return the step without faults, and not in check mode."""
    return clean(step)._replace(check=False)


def memory() -> float:
    """Return how much memory this process has, in MiB."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGESIZE") / 2**20


ANYTHING = st.lists(steps(), min_size=1, max_size=3)
SCHEDULE = st.one_of(ANYTHING, ANYTHING, windows(), estates())


@pytest.mark.parametrize("shard", range(SHARDS))
def test_every_history_keeps_its_promises(stand_in, tmp_path, capsys, shard):
    story = Story(stand_in, tmp_path / "files")

    @seed(SEED + shard)
    @settings(
        max_examples=-(-SCHEDULES // SHARDS),
        deadline=None,
        database=None,
        derandomize=False,
        print_blob=False,
        phases=[Phase.generate, Phase.shrink],
        suppress_health_check=list(HealthCheck),
    )
    @given(world=worlds(), schedule=SCHEDULE)
    def tell(world, schedule):
        story.play(world, schedule)

    print(f"HISTORIES_SEED={SEED} (shard {shard} of {SHARDS})")  # pytest shows it if the test fails
    begin, at_first = time.perf_counter(), memory()
    tell()
    seconds = time.perf_counter() - begin
    assert memory() - at_first < MOST_MEMORY
    with capsys.disabled():
        figures = {
            **story.figures,
            "seconds": round(seconds, 1),
            "ms a schedule": round(1000 * seconds / SCHEDULES * SHARDS),
        }
        print(f"\nHISTORIES_SEED={SEED}, shard {shard}: {json.dumps(figures)}")
