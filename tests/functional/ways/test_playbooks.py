# Copyright (c) 2026, dataops.qlik_em contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The playbooks of the collection on each ansible-core: all in one run, with their names as a user types them."""

from __future__ import annotations

import json
import re

from ansible_collections.dataops.qlik_em.tests.functional.ways.children import COLLECTIONS, Controller

PLAYBOOKS = COLLECTIONS / "ansible_collections/dataops/qlik_em/playbooks"
# What an event starts, what sets up AWX, and the steps of a window have tests of their own.
OTHERS = {"restart_failed", "awx_project", "awx_setup", "maintenance_begin", "maintenance_end", "maintenance_step"}
ORDER = ("backup", "promote", "restore", "metrics", "report", "state_report", "heal", "task_state")


def test_each_playbook_runs(em, tmp_path):
    assert {path.stem for path in PLAYBOOKS.glob("*.yml") if ".meta" not in path.name} == {*ORDER, *OTHERS}
    estate = str(tmp_path / "estate")
    variables = {
        "backup_path": estate,
        "backup_include": [{"server": "Replicate-Prod"}],
        "promote_path": estate,
        "promote_plan": str(tmp_path / "plan.json"),
        "restore_path": estate,
        "restore_plan": str(tmp_path / "back.json"),
        "metrics_dest": str(tmp_path / "qlik.prom"),
        "report_dest": str(tmp_path / "estate.html"),
        "task_state": "started",
        "task_server": "Replicate-Prod",
        "task_name": "orders",
    }
    login = {"username": "admin@corp.example", "password": "admin-test-password"}
    connection = {"url": em.url, "ca_path": em.ca_path, **login}
    environ = {f"QLIK_EM_{name.upper()}": value for name, value in connection.items()}
    names = [f"dataops.qlik_em.{name}" for name in ORDER]
    with Controller(tmp_path, environ).start("ansible-playbook", "-e", json.dumps(variables), *names) as child:
        assert child.wait() == 0, child.output
        assert len(re.findall(r"^localhost +: ok=.* failed=0 ", child.output, re.MULTILINE)) == len(ORDER)
    assert {"plan.json", "back.json", "qlik.prom", "estate.html"} <= {path.name for path in tmp_path.iterdir()}
