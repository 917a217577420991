# Copyright (c) 2026, dataops.qlik_em contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The stand-in as the package `qlik-em-simulator`, started from elsewhere."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from importlib.metadata import PathDistribution
from pathlib import Path
from typing import Any

import pytest
import requests
import yaml
from ansible_collections.dataops.qlik_em.tests.simulator.tests.package import SOURCE, Installed, install
from ansible_collections.dataops.qlik_em.tests.simulator.tests.wire import PREFIX, SESSION

ROOT = SOURCE.parents[1]
PATIENCE = 30.0


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Installed:
    """The package, installed once."""
    return install(tmp_path_factory.mktemp("installed"))


@pytest.fixture(scope="module")
def package(installed: Installed) -> PathDistribution:
    """What is known of the package."""
    return PathDistribution(next(installed.library.glob("*.dist-info")))


@pytest.fixture
def access(installed: Installed, tmp_path: Path) -> Iterator[dict[str, Any]]:
    """Start the command; what it says of itself when it is ready."""
    ready = tmp_path / "ready.json"
    command = [str(installed.command), "--die-with-parent", "--ready-file", str(ready)]
    environ = os.environ | installed.environ()
    with subprocess.Popen(command, cwd=tmp_path, env=environ, stdout=subprocess.DEVNULL) as process:
        try:
            deadline = time.monotonic() + PATIENCE
            while not ready.exists():
                assert process.poll() is None
                assert time.monotonic() < deadline
                time.sleep(0.05)
            yield json.loads(ready.read_text(encoding="utf-8"))
        finally:
            process.terminate()


def test_its_command_starts_a_server_that_lets_users_in(access: dict[str, Any]) -> None:
    """It has all of its modules, and the built-in document."""
    base, trust = access["url"] + PREFIX, {"verify": access["ca_path"], "timeout": PATIENCE}
    login = requests.post(f"{base}/login", auth=(access["username"], access["password"]), **trust)
    servers = requests.get(f"{base}/servers", headers={SESSION: login.headers[SESSION]}, **trust)
    assert "Replicate-Prod" in [server["name"] for server in servers.json()["serverList"]]


def test_it_is_a_library_too(installed: Installed, tmp_path: Path) -> None:
    """As in README.md, by the package's own name."""
    code = "from qlik_em_simulator import running\nwith running() as em: print(em.summary()['logins'])"
    environ = os.environ | installed.environ()
    command = [sys.executable, "-c", code]
    ran = subprocess.run(command, cwd=tmp_path, env=environ, check=True, capture_output=True, text=True)
    assert ran.stdout == "0\n"


def test_what_it_is_and_what_it_needs(package: PathDistribution) -> None:
    """The version is the collection's; the libraries are those of the files for pip and for ansible-test."""
    assert package.version == yaml.safe_load((ROOT / "galaxy.yml").read_text())["version"]
    needed = {line.lower() for line in package.requires or []}
    assert needed == {line.lower() for line in lines_of(SOURCE / "requirements.txt")}
    names = {line.partition(">")[0] for line in needed}
    assert names <= {line.lower() for line in lines_of(ROOT / "tests" / "integration" / "requirements.txt")}


def lines_of(path: Path) -> list[str]:
    """Return what a file of requirements asks for."""
    return [line for line in path.read_text(encoding="utf-8").splitlines() if not line.startswith("#")]


def test_it_holds_no_tests(package: PathDistribution) -> None:
    """Users get the stand-in and its licence, under one name."""
    files = [path for path in package.files or [] if path.suffix != ".pyc"]
    assert {path.parts[0] for path in files} == {
        "..",
        "qlik_em_simulator",
        f"qlik_em_simulator-{package.version}.dist-info",
    }
    assert {path.parts[1] for path in files if path.parts[0] == "qlik_em_simulator"} >= {"LICENSE", "default.yml"}
    assert not [path for path in files if "tests" in path.parts]
