# Copyright (c) 2026, dataops.qlik_em contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A stand-in AWX as awx_setup.yml leaves it, which runs once for all tests."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from ansible_collections.dataops.qlik_em.tests.functional.awx import controller
from ansible_collections.dataops.qlik_em.tests.functional.support.play import COMPILED

MINE = {
    "qlik_em_awx_project_url": "https://git.example.com/qlik-em.git",
    "qlik_em_awx_image": "registry.example.com/qlik-em-ee:1.0.0",
    "qlik_em_awx_webhook_url": "https://hooks.example.com/qlik-em",
}


class Setup(NamedTuple):
    """What was set up, the folder of the project, and what was written in each run of the setup."""

    awx: controller.Awx
    project: Path
    first: list[Any]
    second: list[Any]


def play(name: str, url: str, folder: Path, variables: dict[str, Any]) -> subprocess.CompletedProcess[str]:
    """Run a playbook of the collection by its name, as a user does; the address is that of AWX."""
    environ = {
        **COMPILED,
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        "HOME": str(folder),
        "LC_ALL": "C.UTF-8",
        "ANSIBLE_COLLECTIONS_PATH": os.environ["PYTHONPATH"],
        "CONTROLLER_HOST": url,
        "CONTROLLER_OAUTH_TOKEN": "made-up",
    }
    command = ["ansible-playbook", f"dataops.qlik_em.{name}", "-e", json.dumps(variables)]
    return subprocess.run(command, cwd=folder, env=environ, check=False, capture_output=True, text=True)


@pytest.fixture(scope="session")
def setup(tmp_path_factory) -> Iterator[Setup]:
    """AWX after two runs, and the project after one."""
    folder = tmp_path_factory.mktemp("setup")
    project = folder / "project"
    assert play("awx_project", "", folder, {"awx_project_path": str(project)}).returncode == 0
    with controller.serving() as (awx, url):
        written = []
        for _time in range(2):
            awx.writes.clear()
            ended = play("awx_setup", url, folder, MINE)
            assert ended.returncode == 0, ended.stdout + ended.stderr
            written.append([*awx.writes])
        yield Setup(awx, project, *written)
