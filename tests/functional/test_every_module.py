# Copyright (c) 2026, dataops.qlik_em contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What holds for every module and state: check mode tells the truth and writes nothing, the second run nothing new."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml
from ansible_collections.dataops.qlik_em.plugins.modules import aem_task
from cases import all_cases, filled
from functional_user import MODULES, User

READS = ("GET", "HEAD")
ADMIN = {"username": "admin@corp.example", "password": "admin-test-password"}
PLUGINS = Path(aem_task.__file__).parent
CASES = all_cases()


def writes(run) -> list[str]:
    """Return the methods that were sent and are no reads."""
    return [r["operation"] for r in run.requests if r["method"] not in READS and r["operation"] != "Login"]


def executed(run) -> list[str]:
    """Return those that did something."""
    return [r["operation"] for r in run.requests if r["executed"] and r["operation"] in writes(run)]


@pytest.mark.parametrize("case", CASES, ids=str)
def test_check_mode_tells_the_truth_and_the_second_run_changes_nothing(em, tmp_path, case):
    case.prepare(em)
    user = User(em, defaults=ADMIN)
    values = {"folder": str(tmp_path), "address": f"{em.url}/attunityenterprisemanager"}
    if "{session_id}" in str(case.options):
        values["session_id"] = user.run("aem_session").result["session_id"]
    options = filled(case.options, values)

    foreseen = user.run(case.module, check=True, diff=True, **options)
    assert not foreseen.failed, foreseen.result
    assert writes(foreseen) == []
    assert list(tmp_path.iterdir()) == []
    real = user.run(case.module, diff=True, **options)
    assert not real.failed, real.result
    assert foreseen.changed is real.changed is case.changes
    assert (foreseen.result.get("diff") == real.result.get("diff")) is case.is_diff_foreseen
    if case.changes and "diff" in real.result:
        assert real.result["diff"]["before"] != real.result["diff"]["after"]
    assert bool(executed(real)) is (case.changes and not case.is_file_only)
    if "session_id" in values:
        return  # it is gone
    again = user.run(case.module, **options)
    assert not again.failed, again.result
    assert again.changed is case.again
    assert bool(executed(again)) is (case.again or case.is_sent_again)
    assert "diff" not in again.result
    assert em.summary()["open_sessions"] <= (3 if case.module == "aem_session" else 0)


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
def test_without_options_there_is_one_clear_line_and_no_request(em, name):
    run = User(em).run(name)
    if run.failed:
        assert len(run.msg.splitlines()) == 1 and run.msg.isprintable() and not writes(run)


@pytest.mark.parametrize("name", sorted(MODULES))
def test_the_check_mode_of_the_documentation_is_the_one_there_is(name):
    attributes = yaml.safe_load(MODULES[name].DOCUMENTATION).get("attributes", {})
    fragments = yaml.safe_load(MODULES[name].DOCUMENTATION)["extends_documentation_fragment"]
    assert "dataops.qlik_em.attributes.info" in fragments or {"check_mode", "diff_mode", "idempotent"} <= set(
        attributes
    )
