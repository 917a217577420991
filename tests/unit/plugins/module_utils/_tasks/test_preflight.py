# Copyright (c) 2026, dataops.qlik_em contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is known of a definition before anything is sent, and the notes of replacements. Pure functions."""

from __future__ import annotations

import os

import pytest
from ansible_collections.dataops.qlik_em.plugins.module_utils._tasks.model import TaskName, TaskSnapshot
from ansible_collections.dataops.qlik_em.plugins.module_utils._tasks.note import Note, note_path
from ansible_collections.dataops.qlik_em.plugins.module_utils._tasks.preflight import endpoints_named, version_warnings

TASK = TaskName("S", "t")


def of_version(text):
    """Return a document of a version."""
    return {"_version": {"version": text}}


@pytest.mark.parametrize(
    ("given", "there", "is_newer"),
    [
        ("2024.11.0.1", "2024.5.0.1", True),
        ("2025.5.0.1", "2024.11.0.9", True),
        ("2024.11.0.900", "2024.11.0.1", False),  # a service release of the same one
        ("2024.5.0.1", "2024.11.0.1", False),
        ("2024.11", "", False),
        ("", "2024.11.0.1", False),
        ("new", "2024.11.0.1", False),
    ],
)
def test_only_a_newer_release_is_warned_of(given, there, is_newer):
    assert bool(version_warnings(TASK, of_version(given), of_version(there))) is is_newer


@pytest.mark.parametrize("odd", [{}, {"_version": None}, {"_version": "2031.1"}, {"_version": {"version": 7}}, None])
def test_a_version_that_is_not_one_is_none(odd):
    assert version_warnings(TASK, odd or {}, of_version("2024.11.0.1")) == []


@pytest.mark.parametrize(
    ("item", "names"),
    [
        ({"task": {"source_name": "A", "target_names": ["B", "C"]}}, {"A", "B", "C"}),
        ({"task": {}, "source": {"rep_source": {"source_name": "A"}}}, {"A"}),
        ({"task": {}, "targets": [{"rep_target": {"target_name": "B"}}, "odd", {"rep_target": None}]}, {"B"}),
        ({"task": {"target_names": ["B"]}, "targets": [{"rep_target": {"target_name": "older"}}]}, {"B"}),
        ({"task": {"source_name": 1, "target_names": "B"}, "source": [], "targets": {}}, set()),
    ],
)
def test_the_endpoints_that_a_task_names(item, names):
    assert endpoints_named(item) == names


@pytest.mark.parametrize("name", ["orders", "a/b & c", "заказы" * 20, "x" * 260, "."])
def test_a_note_has_a_name_that_a_file_may_have(name):
    path = note_path("/folder", TaskName("Replicate-Prod", name))
    assert os.path.dirname(path) == "/folder" and len(os.path.basename(path).encode()) < 220
    assert path != note_path("/folder", TaskName("Replicate-Prod", name + "!"))


@pytest.mark.parametrize(
    ("is_touched", "was_active", "state", "owes"),
    [
        (True, True, "STOPPED", True),
        (True, True, "ERROR", True),
        (True, True, "STOPPING", True),
        (True, True, "NOT_EXIST", True),
        (True, True, "RUNNING", False),
        (True, True, "STARTING", False),
        (True, True, "PAUSED", False),
        (False, True, "STOPPED", False),  # somebody else has stopped it
        (True, False, "STOPPED", False),
    ],
)
def test_a_start_is_owed_to_a_task_that_the_killed_run_has_stopped(is_touched, was_active, state, owes):
    note = Note("2026-11-26T08:00:00Z", "x.json", (), is_touched, was_active)
    assert note.owes_start(TaskSnapshot(state), is_there=state != "NOT_EXIST") is owes
