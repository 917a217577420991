# Copyright (c) 2026, dataops.qlik_em contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Each module on the Python of RHEL 9, with the libraries that it ships. OLDEST_PYTHON names the interpreter."""

from __future__ import annotations

import os
import subprocess
from contextlib import ExitStack

import pytest
from ansible_collections.dataops.qlik_em.tests.functional.every_module.test_every_module import CASES, Scene, play
from ansible_collections.dataops.qlik_em.tests.functional.support.play import Player
from ansible_collections.dataops.qlik_em.tests.functional.support.user import MODULES
from ansible_collections.dataops.qlik_em.tests.simulator import running

PYTHON = os.environ.get("OLDEST_PYTHON", "")
VERSIONS = "import sys, requests, urllib3; print(*sys.version_info[:2], requests.__version__, urllib3.__version__)"


@pytest.mark.skipif(not PYTHON, reason="there is no Python 3.9 on this machine")
def test_each_module_runs_on_the_python_of_rhel_9(tmp_path):
    found = subprocess.run([PYTHON, "-c", VERSIONS], capture_output=True, text=True, check=True).stdout
    assert found.split() == ["3", "9", "2.25.1", "1.26.5"]
    cases = [next(case for case in CASES if case.module == name) for name in sorted(MODULES)]
    player = Player(tmp_path, True, ANSIBLE_PYTHON_INTERPRETER=PYTHON, ANSIBLE_PIPELINING="true")
    with ExitStack() as stack:
        scenes = []
        for case in cases:
            folder = tmp_path / str(case).replace("/", "_")
            folder.mkdir()
            scenes.append(Scene(case, stack.enter_context(running(idle_seconds=86_400)), folder))
        output = play(player, scenes)
    for scene in scenes:
        assert not [run.result for run in scene.runs if run.failed]
        foreseen, real, again = (run.changed for run in scene.runs)
        assert (foreseen, real, again) == (scene.case.changes, scene.case.changes, scene.case.again), scene.case
    assert output.count(f"'{PYTHON} ") >= 3 * len(cases)  # what Ansible started
