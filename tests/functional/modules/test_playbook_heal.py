# Copyright (c) 2026, dataops.qlik_em contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The playbook heal, by its name: as a job template or cron runs it."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible_collections.dataops.qlik_em.plugins.module_utils._run.arguments import connection_options
from ansible_collections.dataops.qlik_em.plugins.modules.aem_heal import SPEC
from ansible_collections.dataops.qlik_em.tests.functional.ways.children import COLLECTIONS, Controller

ROOT = COLLECTIONS / "ansible_collections/dataops/qlik_em"
PLAYBOOK = ROOT / "playbooks/heal.yml"
GUIDE = ROOT / "docs/healing.md"
# A survey of AWX gives an empty text for each question that was not answered.
UNANSWERED = {f"heal_{option}": "" for option in (*SPEC.argument_spec, "host") if option not in connection_options()}
QUICK = {"heal_wait_sleep": 0.1}


@pytest.fixture
def controller(em, tmp_path: Path) -> Controller:
    """A controller whose variables lead to the stand-in."""
    variables = {f"QLIK_EM_{name.upper()}": getattr(em, name) for name in ("url", "ca_path", "username", "password")}
    environ = {
        **variables,
        "ANSIBLE_SHOW_CUSTOM_STATS": "true",
        "ANSIBLE_CONNECTION_PLUGINS": str(ROOT / "tests/functional/support/connection_plugins"),
        "ELSEWHERE_HOME": str(tmp_path),
    }
    return Controller(tmp_path, environ)


def play(controller: Controller, *arguments: str, status: int = 0, **variables: Any) -> str:
    """Run the playbook with these variables, and return its output."""
    given = (*arguments, "-e", json.dumps(UNANSWERED | QUICK | variables))
    with controller.start("ansible-playbook", *given, "dataops.qlik_em.heal") as child:
        assert child.wait() == status, child.output
        return child.output


def writes(em) -> list[str]:
    return [request["task"] for request in em.requests() if request["operation"] in ("RunTask", "StopTask")]


def test_it_reports_without_a_variable_and_heals_with_two(controller, em, tmp_path):
    sick = "Replicate-Prod/invoices: ERROR (ORA-12541: TNS:no listener). Restart 1 of 5 in 24 hours "
    assert sick + "would be sent." in play(controller)
    assert writes(em) == []
    state_file = tmp_path / "heal.json"
    assert sick + "was done." in play(controller, heal_mode="heal", heal_state_file=str(state_file))
    assert writes(em) == ["invoices"] and "invoices" in state_file.read_text()


def test_the_memory_travels_from_node_to_node_also_when_a_restart_fails(controller, em):
    em.set_task("Replicate-Prod", "invoices", fail_start="No.")
    given: dict[str, Any] = {"heal_mode": "heal", "heal_include": '[{"server": "Replicate-Prod"}]'}
    output = play(controller, status=2, **given, heal_memory={})
    memory = json.JSONDecoder().raw_decode(output.rpartition("RUN: ")[2])[0]
    assert len(memory["heal_memory"]["servers"]["Replicate-Prod"]["invoices"]["restarts"]) == 1
    assert "1 waiting" in play(controller, **given, **memory)
    assert writes(em) == ["invoices"]


def test_a_host_keeps_the_memory_and_gets_the_connection(controller, em, tmp_path):
    keeper = {"ansible_python_interpreter": sys.executable, "ansible_connection": "elsewhere"}
    inventory = tmp_path / "inventory.json"
    inventory.write_text(json.dumps({"all": {"hosts": {"keeper": keeper}}}))
    given = {"heal_mode": "heal", "heal_state_file": str(tmp_path / "heal.json"), "heal_host": "keeper"}
    output = play(controller, "-i", str(inventory), **given)
    assert "runs as a module" in output and "was done." in output and writes(em) == ["invoices"]


def test_the_variables_of_the_guide_are_taken(controller, em, tmp_path):
    found = GUIDE.read_text().partition("# heal.yml\n")[2].partition("```")[0]
    variables = yaml.safe_load(found.replace("/var/lib/qlik", str(tmp_path)))
    assert variables.pop("heal_windows") == [f"{tmp_path}/patch-night.json"]  # a file that must exist
    assert "Restart 1 of 5 in 24 hours was done." in play(controller, **variables)
    assert "0 of 6 tasks are sick." in play(controller, **{**variables, "heal_include": [{"server": "Replicate-Prod"}]})


def test_to_heal_it_needs_a_memory(controller, em):
    assert "mode: heal needs state_file" in play(controller, status=2, heal_mode="heal")
    assert em.requests() == []


def test_a_misspelt_variable_is_refused(controller, em):
    output = play(controller, status=2, heal_exlude=[{"name": "invoices"}])
    assert "heal_exlude is unknown to this playbook. Nothing was done." in output and "heal_exclude" in output
    assert em.requests() == []


def test_each_option_is_a_variable():
    (play,) = yaml.safe_load(PLAYBOOK.read_text())
    options = play["tasks"][1]["block"][0]["dataops.qlik_em.aem_heal"]
    assert set(options) == set(SPEC.argument_spec) - set(connection_options())
    assert all(f"heal_{option} " in value for option, value in options.items())
