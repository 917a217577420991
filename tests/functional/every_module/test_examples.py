# Copyright (c) 2026, dataops.qlik_em contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The EXAMPLES of every module run: each as a playbook against the stand-in, all its tasks in order."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible_collections.dataops.qlik_em.tests.functional.support.play import Player
from ansible_collections.dataops.qlik_em.tests.functional.support.user import MODULES

pytestmark = pytest.mark.unmeasured

USERNAME, PASSWORD = "admin@corp.example", "admin-test-password"
# Where examples keep files; each test has a folder of its own instead.
FOLDERS = ("/var/tmp/", "/var/lib/qlik/", "/var/lib/prometheus/node-exporter/")
# What stands in examples for the user's own installation.
ADDRESS = "https://em.example.com"
VAULT = {
    "vault_qlik_em_password": PASSWORD,
    "vault_qlik_em_admin_password": PASSWORD,
    "vault_replicate_password": "replicate-test-password",
    "vault_replicate_licence": "issue_date=2026-11-01\nexpiration=2027-11-01\nchecksum=0123456789abcdef\n",
}


def examples(name: str) -> list[dict[str, Any]]:
    """Return the plays or tasks in the documentation of a module."""
    return yaml.safe_load(MODULES[name].EXAMPLES)


def at_home(value: Any, url: str, folder: Path) -> Any:
    """Return an example with the stand-in's address and user, and with files below `folder`."""
    if isinstance(value, dict):
        found = {key: at_home(item, url, folder) for key, item in value.items()}
        if value.get("url") == ADDRESS:  # the options of a connection
            found |= {key: text for key, text in (("url", url), ("username", USERNAME)) if key in found}
        return found
    if isinstance(value, list):
        return [at_home(item, url, folder) for item in value]
    if isinstance(value, str):
        for name in FOLDERS:
            value = value.replace(name, f"{folder}/")
    return value


def plays(found: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the plays of an example; tasks alone become one."""
    if "hosts" in found[0]:
        return found
    return [{"name": "Run the examples", "hosts": "localhost", "gather_facts": False, "tasks": found}]


@pytest.mark.parametrize("name", sorted(MODULES))
def test_the_examples_run(em, tmp_path, name):
    kept = tmp_path / "kept"
    kept.mkdir()
    environ = {
        "QLIK_EM_URL": em.url,
        "QLIK_EM_CA_PATH": str(em.ca_path),
        "QLIK_EM_USERNAME": USERNAME,
        "QLIK_EM_PASSWORD": PASSWORD,
    }
    player = Player(tmp_path, as_module=False, **environ)
    book = plays(at_home(examples(name), em.url, kept))
    for play in book:
        play["vars"] = {**player.variables, **VAULT, **play.get("vars", {})}
    outcome = player.run_file(book)
    assert outcome.code == 0, outcome.text
    assert "failed=0" in outcome.text and "unreachable=0" in outcome.text
    assert PASSWORD not in outcome.text
    assert any(request["operation"] not in ("Login", "Logout") or name == "aem_session" for request in em.requests())


@pytest.mark.parametrize("name", sorted(MODULES))
def test_the_examples_are_of_the_module_and_name_each_task(name):
    def tasks(value):
        for item in value:
            parts = [one for key in ("tasks", "block", "rescue", "always") for one in item.get(key, [])]
            yield from tasks(parts) if parts else [item]

    found = list(tasks(examples(name)))
    assert all(task.get("name") for task in found)
    assert any(f"dataops.qlik_em.{name}" in task for task in found)
