# Copyright (c) 2026, dataops.qlik_em contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""docs/testing_playbooks.md, word for word: its files, its Molecule scenario and its test in Python."""

from __future__ import annotations

import re
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from ansible_collections.dataops.qlik_em.tests.functional.support.play import COLLECTIONS, COMPILED
from ansible_collections.dataops.qlik_em.tests.simulator.tests.package import Installed, install

GUIDE = (COLLECTIONS / "ansible_collections/dataops/qlik_em/docs/testing_playbooks.md").read_text(encoding="utf-8")
PORTS = ("9443", "9444")  # of the guide


def free_ports() -> list[str]:
    """Return ports that nobody uses now."""
    with socket.socket() as one, socket.socket() as other:
        for each in (one, other):
            each.bind(("127.0.0.1", 0))
        return [str(each.getsockname()[1]) for each in (one, other)]


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The user's folder, with the files of the guide; only the ports are others."""
    folder = tmp_path_factory.mktemp("project")
    text = GUIDE
    for theirs, ours in zip(PORTS, free_ports()):
        text = text.replace(theirs, ours)
    files = re.findall(r"`([^`\n]+\.yml)`:\n\n```yaml\n(.*?)```", text, re.DOTALL)
    files += [("test_playbooks.py", code) for code in re.findall(r"```python\n(.*?)```", text, re.DOTALL)]
    assert len(files) == 9
    for name, content in files:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content, encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Installed:
    """The package, as the guide has a user install it."""
    return install(tmp_path_factory.mktemp("installed"))


def run(project: Path, installed: Installed, *command: str) -> str:
    """Run a command of the guide as a user who has nothing else; return its output."""
    places = installed.environ()
    environ = {
        **places,
        **COMPILED,
        "PATH": f"{Path(sys.executable).parent}:{places['PATH']}",
        "HOME": str(project.parent),
        "LC_ALL": "C.UTF-8",
        "ANSIBLE_COLLECTIONS_PATH": str(COLLECTIONS),
    }
    ran = subprocess.run(
        command, cwd=project, env=environ, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False
    )
    assert ran.returncode == 0, ran.stdout
    return ran.stdout


def test_the_scenario_for_molecule(project, installed):
    commands = re.findall(r"^\$ (molecule .*)$", GUIDE, re.MULTILINE)
    assert commands == ["molecule test"]
    output = run(project, installed, *commands[0].split())
    actions = re.search(r"^ +test_sequence: \[(.*)\]$", GUIDE, re.MULTILINE)[1].split(", ")
    assert f"actions={len(actions)}  successful={len(actions)} " in output
    assert "[WARNING]" not in output


def test_the_test_in_python(project, installed):
    output = run(project, installed, sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "test_playbooks.py")
    assert "1 passed" in output
