# Copyright (c) 2026, dataops.qlik_em contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The playbook metrics, by its name: as a job template or cron runs it."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible_collections.dataops.qlik_em.plugins.module_utils._run.arguments import connection_options
from ansible_collections.dataops.qlik_em.plugins.modules.aem_metrics import SPEC
from ansible_collections.dataops.qlik_em.tests.functional.ways.children import COLLECTIONS, Controller

ROOT = COLLECTIONS / "ansible_collections/dataops/qlik_em"
PLAYBOOK = ROOT / "playbooks/metrics.yml"
OPTIONS = set(SPEC.argument_spec) - set(connection_options())
# A survey of AWX gives an empty text for each question that was not answered.
UNANSWERED = {f"metrics_{option}": "" for option in (*OPTIONS, "host")}


@pytest.fixture
def controller(em, tmp_path: Path) -> Controller:
    """A controller whose variables lead to the stand-in."""
    variables = {f"QLIK_EM_{name.upper()}": getattr(em, name) for name in ("url", "ca_path", "username", "password")}
    plugins = str(ROOT / "tests/functional/support/connection_plugins")
    return Controller(tmp_path, {**variables, "ANSIBLE_CONNECTION_PLUGINS": plugins, "ELSEWHERE_HOME": str(tmp_path)})


def play(controller: Controller, *arguments: str, status: int = 0, **variables: Any) -> str:
    """Run the playbook with these variables, and return its output."""
    given = (*arguments, "-e", json.dumps(UNANSWERED | variables))
    with controller.start("ansible-playbook", *given, "dataops.qlik_em.metrics") as child:
        assert child.wait() == status, child.output
        return child.output


def test_one_variable_is_enough(controller, tmp_path):
    output = play(controller, metrics_dest=str(tmp_path / "qlik.prom"))
    assert 'Server "Replicate-Down" could not be read' in output and "changed=1" in output
    assert "qlik_em_task_memory_bytes" in (tmp_path / "qlik.prom").read_text()


def test_a_host_gets_the_file_and_the_connection(controller, tmp_path):
    there = {"ansible_python_interpreter": sys.executable, "ansible_connection": "elsewhere"}
    (tmp_path / "inventory.json").write_text(json.dumps({"all": {"hosts": {"monitor": there}}}))
    given = {"metrics_dest": str(tmp_path / "qlik.prom"), "metrics_host": "monitor", "metrics_details": False}
    output = play(controller, "-i", str(tmp_path / "inventory.json"), **given)
    assert "runs as a module" in output
    text = (tmp_path / "qlik.prom").read_text()
    assert "qlik_em_task_state" in text and "qlik_em_task_memory_bytes" not in text


def test_what_is_missing_or_misspelt_is_refused(controller, em):
    assert "Set metrics_dest to an absolute path, not nothing." in play(controller, status=2)
    assert "Set metrics_dest to an absolute path, not q.prom." in play(controller, status=2, metrics_dest="q.prom")
    assert "metrics_sever is unknown to this playbook." in play(controller, status=2, metrics_sever="x")
    assert em.requests() == []


def test_each_option_is_a_variable():
    (play,) = yaml.safe_load(PLAYBOOK.read_text())
    options = play["tasks"][2]["dataops.qlik_em.aem_metrics"]
    assert set(options) == OPTIONS
    assert all(f"metrics_{option} " in value for option, value in options.items())
    meta = yaml.safe_load(PLAYBOOK.with_suffix(".meta.yml").read_text())
    assert set(meta["argument_specs"]["main"]["options"]) == set(UNANSWERED)
