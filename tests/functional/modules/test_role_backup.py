# Copyright (c) 2026, dataops.qlik_em contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The role backup, by its playbook: commits, dated folders, and servers that cannot be read."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.dataops.qlik_em.tests.functional.ways.children import Controller

PROD, TEST = "Replicate-Prod", "Replicate-Test"
BOTH = [{"server": PROD}, {"server": TEST}]


@pytest.fixture
def controller(em, tmp_path: Path) -> Controller:
    """A controller of an admin, whose variables lead to the stand-in."""
    variables = {f"QLIK_EM_{name.upper()}": getattr(em, name) for name in ("url", "ca_path")}
    login = {"QLIK_EM_USERNAME": "admin@corp.example", "QLIK_EM_PASSWORD": "admin-test-password"}
    git = {f"GIT_{who}_{what}": "x@corp.example" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}
    return Controller(tmp_path, {**variables, **login, **git, "GIT_CONFIG_GLOBAL": "/dev/null"})


def back_up(controller: Controller, *arguments: str, status: int = 0, **variables: Any) -> str:
    """Run the playbook, and return its output."""
    given = ("-e", json.dumps({"backup_include": BOTH, **variables}))
    with controller.start("ansible-playbook", *arguments, *given, "dataops.qlik_em.backup") as child:
        assert child.wait() == status, child.output
        return child.output


def git(folder: Path, *words: str) -> str:
    """Run git in a folder, and return what it says."""
    return subprocess.run(["git", "-C", str(folder), *words], check=True, capture_output=True, text=True).stdout


def are_sums_right(folder: Path) -> bool:
    """Return whether all files are as the checksums say, and each object has one."""
    check = subprocess.run(
        ["sha256sum", "--check", "--strict", "SHA256SUMS"], cwd=folder, capture_output=True, check=False
    )
    count = len((folder / "SHA256SUMS").read_text().splitlines())
    return check.returncode == 0 and count == len(list(folder.rglob("*.json")))


def test_a_repository_gets_a_commit_for_each_change_and_none_without(controller, em, tmp_path):
    folder = tmp_path / "estate"
    subprocess.run(["git", "init", "--quiet", str(folder)], check=True)
    output = back_up(controller, backup_path=str(folder))
    assert "2 of 2 servers, " in output and are_sums_right(folder)
    manifest = json.loads((folder / "manifest.json").read_text())
    assert manifest["complete"] is True and manifest["servers"][PROD]["tasks"] == 6 and "taken" not in manifest
    assert "changed=0" in back_up(controller, backup_path=str(folder))
    assert git(folder, "rev-list", "--count", "HEAD").strip() == "1" and git(folder, "status", "--porcelain") == ""
    em.set_server(TEST, state="ERROR")
    em.set_task(PROD, "orders", description="Another one")
    output = back_up(controller, backup_path=str(folder), status=2)
    assert f'ExportAll of server "{TEST}" failed' in output
    assert git(folder, "log", "-1", "--format=%s").startswith("Backup: 1 of 2 servers, ")
    assert f"Not read: {TEST}" in git(folder, "log", "-1", "--format=%s") and git(folder, "status", "--porcelain") == ""
    assert (folder / TEST / "tasks" / "stock.json").exists() and are_sums_right(folder)
    assert json.loads((folder / "manifest.json").read_text())["complete"] is False


def test_a_host_on_which_git_knows_nobody_commits_too(controller, tmp_path):
    folder = tmp_path / "estate"
    subprocess.run(["git", "init", "--quiet", str(folder)], check=True)
    subprocess.run(["git", "-C", str(folder), "config", "user.useConfigOnly", "true"], check=True)
    named = ("GIT_AUTHOR", "GIT_COMMITTER")
    nobody = {name: text for name, text in controller.variables.items() if not name.startswith(named)}
    back_up(Controller(tmp_path, nobody), backup_path=str(folder))
    assert git(folder, "log", "-1", "--format=%an %ae %cn").strip() == "backup backup@localhost backup"


def test_a_commit_that_fails_is_a_failure(controller, tmp_path):
    folder = tmp_path / "estate"
    subprocess.run(["git", "init", "--quiet", str(folder)], check=True)
    hook = folder / ".git" / "hooks" / "pre-commit"
    hook.write_text("#!/bin/sh\necho refused by a hook >&2\nexit 1\n")
    hook.chmod(0o755)
    assert "refused by a hook" in back_up(controller, backup_path=str(folder), status=2)


def test_a_folder_that_a_repository_ignores_is_only_written(controller, tmp_path):
    subprocess.run(["git", "init", "--quiet", str(tmp_path)], check=True)
    (tmp_path / ".gitignore").write_text("/estate/\n")
    back_up(controller, backup_path=str(tmp_path / "estate"))
    assert are_sums_right(tmp_path / "estate") and git(tmp_path, "status", "--short", "estate") == ""


def test_so_many_complete_backups_are_kept(controller, em, tmp_path):
    folder = tmp_path / "backups"
    for date, is_complete in (
        ("2026-01-01T000000Z", True),
        ("2026-01-02T000000Z", True),
        ("2026-01-03T000000Z", False),
    ):
        (folder / date).mkdir(parents=True)
        text = json.dumps({"complete": is_complete}, indent=4)
        (folder / date / "manifest.json").write_text(text)
    (folder / "notes").mkdir()
    em.set_server(TEST, state="ERROR")
    back_up(controller, backup_path=str(folder), backup_keep=2, status=2)
    assert len(list(folder.iterdir())) == 5  # what is not complete pushes nothing out
    em.set_server(TEST, state="MONITORED")
    back_up(controller, backup_path=str(folder), backup_keep=2)
    names = sorted(path.name for path in folder.iterdir())
    assert names[:2] == ["2026-01-02T000000Z", "2026-01-03T000000Z"] and names[-1] == "notes" and len(names) == 5
    assert (
        are_sums_right(folder / names[-2]) and json.loads((folder / names[-2] / "manifest.json").read_text())["taken"]
    )


@pytest.mark.parametrize(
    ("variables", "message"),
    [
        ({"backup_path": "estate"}, "backup_path must be an absolute path"),
        ({"backup_path": "/var/tmp/x", "backup_kep": 3}, "backup_kep is unknown to this playbook. Nothing was done."),
        ({}, "missing required arguments: backup_path"),
    ],
)
def test_wrong_variables_are_refused_before_anything_is_done(controller, em, variables, message):
    assert message in back_up(controller, status=2, **variables).replace("\n", " ")
    assert em.requests() == []
