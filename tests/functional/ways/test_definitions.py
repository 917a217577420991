# Copyright (c) 2026, dataops.qlik_em contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Definitions in real playbooks, both ways: where src is found."""

from __future__ import annotations

import json
import os

import pytest
from ansible_collections.dataops.qlik_em.tests.functional.every_module.cases_definitions import definition
from ansible_collections.dataops.qlik_em.tests.functional.support.play import Player, both_ways
from ansible_collections.dataops.qlik_em.tests.functional.ways.test_choice import FAR_CONNECTION

PLACES = {"files/fresh.json": "fresh.json", "fresh.json": "fresh.json", "defs/fresh.json": "defs/fresh.json"}


def task(em, **options):
    """A task of a playbook that makes the task "fresh" be there."""
    connection = {
        "url": em.url,
        "ca_path": em.ca_path,
        "username": "admin@corp.example",
        "password": "admin-test-password",
    }
    wanted = {"server": "Replicate-Prod", "name": "fresh", "state": "present", "wait_sleep": 0.1}
    return {"dataops.qlik_em.aem_task": {**connection, **wanted, **options}}


def write(path, document):
    """Write a definition into a file, its folder too."""
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps(document))


@both_ways
@pytest.mark.parametrize("place", PLACES)
def test_src_is_found_beside_the_playbook_and_in_files(em, tmp_path, as_module, place):
    write(tmp_path / place, definition(batch_size=7))
    player = Player(tmp_path, as_module)
    (run,) = player.play([task(em, src=PLACES[place])]).results
    assert run["changed"] and not run["failed"], run
    assert em.inside("Replicate-Prod", "fresh")["definition"]["task_settings"]["target_settings"] == {"batch_size": 7}


@both_ways
def test_a_src_that_is_nowhere_is_named(em, tmp_path, as_module):
    (run,) = Player(tmp_path, as_module).play([task(em, src="none.json")]).results
    assert run["failed"] and run["msg"] == "src (none.json) cannot be read: No such file or directory."


def test_src_travels_to_the_host_that_runs_the_module(em, tmp_path):
    write(tmp_path / "files" / "fresh.json", definition(batch_size=7))
    write(tmp_path / "plugins" / "far.py", None)
    (tmp_path / "plugins" / "far.py").write_text(FAR_CONNECTION)
    player = Player(tmp_path, as_module=False, ANSIBLE_CONNECTION_PLUGINS=str(tmp_path / "plugins"))
    (tmp_path / "files" / "broken.json").write_text("{")
    os.mkfifo(tmp_path / "files" / "pipe.json")
    tasks = [{**task(em, src=f"{name}.json"), "timeout": 60} for name in ("fresh", "none", "broken", "pipe")]
    run, none, broken, pipe = player.play(tasks, ansible_connection="far").results
    assert pipe["failed"] and pipe["msg"].endswith("/files/pipe.json) cannot be read: it is a named pipe, not a file.")
    assert broken["msg"].startswith(f"src ({tmp_path / 'remote'}/") and "/broken.json) is not JSON" in broken["msg"]
    assert run["changed"] and not run["failed"], run
    assert none["failed"] and none["msg"] == "src (none.json) cannot be read: No such file or directory."
    assert not list((tmp_path / "remote").rglob("fresh.json"))
