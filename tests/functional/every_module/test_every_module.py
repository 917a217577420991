# Copyright (c) 2026, dataops.qlik_em contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What holds for every module and state, both ways: check mode predicts truly, the second run changes nothing.

A real playbook runs each case three times: to see what it would change, for real, and once more. In process, all cases
are run; as a module, one of each module.
"""

from __future__ import annotations

import os
import re
import threading
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible_collections.dataops.qlik_em.plugins.modules import aem_task
from ansible_collections.dataops.qlik_em.tests.functional.every_module.cases import Case, all_cases, filled
from ansible_collections.dataops.qlik_em.tests.functional.support.play import Player
from ansible_collections.dataops.qlik_em.tests.functional.support.user import MODULES, Run, User
from ansible_collections.dataops.qlik_em.tests.simulator import running
from ansible_collections.dataops.qlik_em.tests.simulator.handle import Handle

READS = ("GET", "HEAD")
ADMIN = {"username": "admin@corp.example", "password": "admin-test-password"}
PLUGINS = Path(aem_task.__file__).parent
CASES = all_cases()
WITHOUT_OPTIONS = [Case(name, {}) for name in sorted(MODULES)]
# Both ways run the same code, which tests/functional/ways compares.
ONE_OF_EACH = [*{case.module: case for case in reversed(CASES)}.values()]
ROUNDS = (
    {"check_mode": True, "diff": True},
    {"check_mode": False, "diff": True},
    {"check_mode": False, "diff": False},
)


@dataclass
class Scene:
    """Where a case is played, a stand-in and a folder of its own, and the result of each round."""

    case: Case
    em: Handle
    folder: Path
    requests: list[list[dict[str, Any]]] = field(default_factory=list)
    files: list[dict[str, bytes]] = field(default_factory=list)  # what was in the folder
    runs: list[Run] = field(default_factory=list)

    def task(self) -> dict[str, Any]:
        """Make everything ready and return the task."""
        self.case.prepare(self.em)
        values = {"folder": str(self.folder), "address": f"{self.em.url}/attunityenterprisemanager"}
        if "{session_id}" in str(self.case.options):
            values["session_id"] = User(self.em, defaults=ADMIN).run("aem_session").result["session_id"]
        self.em.clear_requests()
        login = {"url": self.em.url, "ca_path": self.em.ca_path, **ADMIN}
        options = login | filled(self.case.options, values)
        return {"name": str(self.case), f"dataops.qlik_em.{self.case.module}": options}

    def collect(self) -> None:
        """Keep what a round has left behind."""
        self.requests.append(self.em.requests())
        self.em.clear_requests()
        found = (path for path in self.folder.rglob("*") if path.is_file())
        self.files.append({str(path.relative_to(self.folder)): path.read_bytes() for path in found})


def play(player: Player, scenes: list[Scene]) -> str:
    """Play all rounds in one playbook (Ansible packs each module once then); return what it printed."""
    usual = [scene for scene in scenes if scene.case not in WITHOUT_OPTIONS]
    rounds = (usual, usual, scenes)
    pipes = [player.folder / f"pipe{number}" for number, _round in enumerate(rounds)]
    for pipe in pipes:
        os.mkfifo(pipe)

    def collect() -> None:
        for playing, pipe in zip(rounds, pipes, strict=True):
            with pipe.open("w"):  # once the playbook has come that far; it goes on when this is closed
                for scene in playing:
                    scene.collect()

    tasks = {scene.case: scene.task() for scene in scenes}
    script: list[tuple[Scene | None, dict[str, Any]]] = []
    for playing, keywords, pipe in zip(rounds, ROUNDS, pipes, strict=True):
        script += [(scene, tasks[scene.case] | keywords) for scene in playing]
        script.append((None, {"ansible.builtin.raw": f"cat '{pipe}'", "check_mode": False, "timeout": 60}))
    threading.Thread(target=collect, daemon=True).start()
    outcome = player.play([task for _scene, task in script], "-vvv")
    assert len(outcome.results) == len(script), outcome.text
    for (scene, _task), result in zip(script, outcome.results, strict=True):
        if scene:
            scene.runs.append(Run(result, scene.requests[len(scene.runs)]))
        else:
            assert not result["failed"], result
    return outcome.text


@pytest.fixture(scope="module", params=[False, True], ids=["in process", "as module"])
def scenes(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[Case, Scene]]:
    """The cases of the tests that were selected, played one way: by one process for all (conftest.py)."""
    parameters = [item.callspec.params for item in request.session.items if hasattr(item, "callspec")]
    cases = [one["case"] for one in parameters if one.get("scenes") is request.param]
    player = Player(tmp_path_factory.mktemp("player"), request.param, ANSIBLE_PIPELINING="true")
    way = "runs as a module: aem_run_as_module is true" if request.param else "runs in process"
    with ExitStack() as stack:
        # A session that is left open must not expire only because the playbook takes long.
        stand_ins = [stack.enter_context(running(idle_seconds=86_400)) for _case in cases]
        found = {
            case: Scene(case, em, tmp_path_factory.mktemp(case.module))
            for case, em in zip(cases, stand_ins, strict=True)
        }
        output = play(player, list(found.values()))
        assert output.count(way) == sum(len(scene.runs) for scene in found.values()), output
        yield found


def writes(run: Run) -> list[str]:
    """Return the methods that were sent and are not reads."""
    return [r["operation"] for r in run.requests if r["method"] not in READS and r["operation"] != "Login"]


def executed(run: Run) -> list[str]:
    """Return those that did something."""
    return [r["operation"] for r in run.requests if r["executed"] and r["operation"] in writes(run)]


def left_open(run: Run) -> int:
    """Return how many more sessions there are than before."""
    done = [r["operation"] for r in run.requests if r["executed"]]
    return done.count("Login") - done.count("Logout")


@pytest.mark.parametrize(
    ("scenes", "case"),
    [(False, case) for case in CASES] + [(True, case) for case in ONE_OF_EACH],
    indirect=["scenes"],
    ids=[f"in process-{case}" for case in CASES] + [f"as module-{case}" for case in ONE_OF_EACH],
    scope="module",
)
def test_check_mode_predicts_truly_and_the_second_run_changes_nothing(scenes, case):
    scene = scenes[case]
    foreseen, real, again = scene.runs
    for run in scene.runs:
        assert not run.failed, run.result
        assert left_open(run) <= ("session_id" in run.result)

    assert writes(foreseen) == []
    assert scene.files[0] == {}
    assert foreseen.changed is real.changed is case.changes
    assert (foreseen.result.get("diff") == real.result.get("diff")) is case.is_diff_foreseen
    if case.changes:
        diff = real.result.get("diff")
        assert bool(diff) is case.has_diff
        assert not diff or diff["before"] != diff["after"]
    assert bool(executed(real)) is (case.changes and not case.is_file_only)
    assert bool(scene.files[1]) is case.is_file_only

    assert again.changed is case.again
    assert bool(executed(again)) is ((case.again and not case.is_file_only) or case.is_sent_again)
    assert "diff" not in again.result
    assert (scene.files[2] != scene.files[1]) is (case.again and case.is_file_only)
    assert scene.files[2].keys() == scene.files[1].keys()


@pytest.mark.parametrize("case", WITHOUT_OPTIONS, ids=str)
def test_without_options_there_is_one_clear_line_and_no_request(scenes, case):
    (run,) = scenes[case].runs
    assert writes(run) == []
    if run.failed:
        lines = run.msg.splitlines()
        assert all(line.isprintable() for line in lines)
        # One line, and nothing was asked; or all servers were, and there is one for each that refused.
        assert (len(lines) == 1 and run.requests == []) or "error_code" in run.result


def test_each_module_and_each_of_its_states_has_a_case():
    tried = {(case.module, case.options.get("state")) for case in CASES if isinstance(case.options.get("state"), str)}
    for name, module in MODULES.items():
        state = module.SPEC.argument_spec.get("state", {})
        if state.get("type") == "str":
            assert {(name, one) for one in state["choices"]} <= tried, name
        assert any(case.module == name for case in CASES), name


def test_no_module_is_forgotten():
    names = {path.stem for path in PLUGINS.glob("aem_*.py")}
    actions = {path.stem for path in (PLUGINS.parent / "action").glob("aem_*.py")}
    assert actions == names
    runtime = yaml.safe_load((PLUGINS.parents[1] / "meta" / "runtime.yml").read_text())
    assert runtime["action_groups"]["aem"] == sorted(names)
    targets = {path.name for path in (PLUGINS.parents[1] / "tests" / "integration" / "targets").glob("aem_*")}
    assert targets == names


@pytest.mark.parametrize("name", sorted(MODULES))
def test_a_module_that_is_started_runs_its_own_resource_with_its_own_options(monkeypatch, name):
    started = []
    monkeypatch.setattr(MODULES[name], "run_as_module", lambda *given: started.append(given))
    MODULES[name].main()
    assert started == [(MODULES[name].SPEC, MODULES[name].run)]


def test_all_integration_targets_have_the_same_frame():
    """What ansible-test shows of two in `make test` holds for all. In tests/functional/ways all of them are played."""
    targets = PLUGINS.parents[1] / "tests" / "integration" / "targets"
    frames = {
        re.sub(r"(username|password): .*|(?<=Test the )\w+$", r"\1", path.read_text(), flags=re.MULTILINE)
        for path in targets.glob("*/tasks/main.yml")
        if path.parts[-3] != "setup_simulator"
    }
    assert len(frames) == 1


@pytest.mark.parametrize("name", sorted(MODULES))
def test_the_check_mode_of_the_documentation_is_the_one_there_is(name):
    attributes = yaml.safe_load(MODULES[name].DOCUMENTATION).get("attributes", {})
    fragments = yaml.safe_load(MODULES[name].DOCUMENTATION)["extends_documentation_fragment"]
    assert "dataops.qlik_em.attributes.info" in fragments or {"check_mode", "diff_mode", "idempotent"} <= set(
        attributes
    )
