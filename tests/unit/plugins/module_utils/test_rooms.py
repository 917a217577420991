# Copyright (c) 2026, dataops.qlik_em contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The layout of the code: imports only go down, and the ground floor knows nothing of Ansible."""

from __future__ import annotations

import ast
import functools
from pathlib import Path

import pytest

PLUGINS = Path(__file__).resolve().parents[4] / "plugins"
MODULE_UTILS = PLUGINS / "module_utils"
# Each folder may import from itself and from those before it.
ROOMS = [
    "_client",
    "_run",
    "_common",
    "_access",
    "_definitions",
    "_tasks",
    "_tables",
    "_endpoints",
    "_servers",
    "_fleets",
    "_estates",
    "_reports",
    "_events",
]
FILES = sorted(MODULE_UTILS.rglob("*.py"))


@functools.cache
def imported(path):
    """Return what a file of module_utils imports: (folder, file) for its own kind, (None, name) for all else."""
    found = []
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found += [(None, one.name) for one in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level < 3, f"{path.name} reaches out of module_utils"
            parts = (node.module or "").split(".")
            if node.level == 0:
                found.append((None, node.module))
            elif node.level == 1:
                found += [(path.parent.name, one.name if not node.module else parts[0]) for one in node.names]
            else:
                found += [(parts[0], one.name if len(parts) == 1 else parts[1]) for one in node.names]
    return found


def test_every_file_lies_in_a_room():
    assert {path.parent.name for path in FILES} == set(ROOMS)
    assert not list(MODULE_UTILS.glob("*.py"))  # Ansible would send an empty __init__.py instead


@pytest.mark.parametrize("path", FILES, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_imports_only_go_down(path):
    allowed = ROOMS[: ROOMS.index(path.parent.name) + 1]
    assert [one for one in imported(path) if one[0] is not None and one[0] not in allowed] == []


def test_no_files_import_each_other_in_a_circle():
    graph = {(path.parent.name, path.stem): set(imported(path)) for path in FILES}
    while graph:
        ground = [name for name, below in graph.items() if not below & graph.keys()]
        assert ground, f"a circle is among {sorted(graph)}"
        for name in ground:
            del graph[name]


@pytest.mark.parametrize("path", FILES, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_only_the_frames_know_ansible(path):
    foreign = {name.split(".")[0] for folder, name in imported(path) if folder is None}
    assert "ansible_collections" not in foreign  # an event source is loaded by its path
    assert path.parent.name == "_run" or "ansible" not in foreign


def test_each_module_has_its_action_plugin_and_all_of_these_are_the_same():
    modules = {path.name for path in (PLUGINS / "modules").glob("aem_*.py")}
    actions = {path.name: path for path in (PLUGINS / "action").glob("*.py")}
    assert set(actions) == modules
    assert len({path.read_bytes() for path in actions.values()}) == 1
    assert not any(path.is_symlink() for path in actions.values()), "antsibull-docs takes a link for a redirect"
