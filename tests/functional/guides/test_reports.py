# Copyright (c) 2026, dataops.qlik_em contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""docs/reports.md: its tasks about pages are played, and what it quotes of a page is what the page says."""

from __future__ import annotations

import re

import yaml
from ansible_collections.dataops.qlik_em.tests.functional.ways.children import COLLECTIONS, Controller

GUIDE = (COLLECTIONS / "ansible_collections/dataops/qlik_em/docs/reports.md").read_text(encoding="utf-8")
PLAN = {"steps": [{"server": "P", "kind": "tasks", "name": "orders", "action": "update", "stops": True}]}


def test_the_tasks_of_the_guide(em, tmp_path):
    blocks = re.findall(r"```yaml\n(- name:.*?)```", GUIDE, re.DOTALL)
    of_pages = "".join(block for block in blocks if "aem_report" in block or "aem_task_batch" in block)
    tasks = yaml.safe_load(re.sub(r"/(?:var/lib|srv/www)/qlik", str(tmp_path), of_pages))
    last = next(task for task in tasks if "ansible.builtin.assert" in task)
    tasks.remove(last)
    environ = {f"QLIK_EM_{name.upper()}": getattr(em, name) for name in ("url", "ca_path", "username", "password")}
    with Controller(tmp_path, environ).play([*tasks, last], variables={}, vars={"plan": PLAN}) as child:
        assert child.wait() == 2, child.output
    assert "1 of 6 tasks failed" in child.output
    pages = {page.stem: page.read_text(encoding="utf-8") for page in tmp_path.glob("*.html")}
    assert set(pages) == {"prod", "stop", "plan"}
    assert "<h1>Stop before the patch</h1>" in pages["stop"] and "It failed. 6 tasks: " in pages["stop"]


def test_the_verdict_of_the_guide(user, tmp_path):
    run = user.run(
        "aem_report", dest=str(tmp_path / "x"), username="admin@corp.example", password="admin-test-password"
    )
    assert f"estate.html: {run.result['verdict']}\n" in GUIDE
