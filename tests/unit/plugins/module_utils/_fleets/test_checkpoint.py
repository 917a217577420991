# Copyright (c) 2026, dataops.qlik_em contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The checkpoint as a document: what is written is read back, and what anybody has broken is refused."""

from __future__ import annotations

import copy
import json
import os

import pytest
from ansible_collections.dataops.qlik_em.plugins.module_utils._client.errors import InputError
from ansible_collections.dataops.qlik_em.plugins.module_utils._fleets import checkpoint as module
from ansible_collections.dataops.qlik_em.plugins.module_utils._fleets.checkpoint import (
    Checkpoint,
    Reading,
    RecordedTask,
    check_same,
    load,
    read_document,
)
from ansible_collections.dataops.qlik_em.plugins.module_utils._tasks.model import TaskName

EM = "https://em.example.com/attunityenterprisemanager"
BEGIN = 1795471200  # 2026-11-23T22:00:00Z
TASKS = (
    RecordedTask("S", "a", "RUNNING", 1),
    RecordedTask("S", "b", "RUNNING", 1),
    RecordedTask("S", "Müller", "RUNNING", 1),
    RecordedTask("S", "c", "RECOVERY", 3),
    RecordedTask("S", "d", "STOPPED", 2),
    RecordedTask("T", "a", "STARTING", 2),
)
READINGS = {TASKS[0].task: Reading(5, BEGIN + 3), TASKS[1].task: Reading(None, 0)}
SELECTION = {"include": [{"server": "*", "name": None, "tag": ["x"], "state": None}], "exclude": None, "waves": []}
WINDOW = Checkpoint(EM, "2026-11-23T22:00:00Z", "frozen", SELECTION, TASKS, READINGS)
DOCUMENT = {
    "schema": 2,
    "enterprise_manager": EM,
    "recorded": "2026-11-23T22:00:00Z",
    "phase": "frozen",
    "selection": SELECTION,
    "running": 5,
    "servers": {
        "S": [
            {"wave": 1, "state": "RUNNING", "tasks": [["a", 5, 3], ["b", None], "Müller"]},
            {"wave": 3, "state": "RECOVERY", "tasks": ["c"]},
            {"wave": 2, "state": "STOPPED", "tasks": ["d"]},
        ],
        "T": [{"wave": 2, "state": "STARTING", "tasks": ["a"]}],
    },
}
FIRST_SCHEMA = {
    "schema": 1,
    "enterprise_manager": EM,
    "recorded": "2026-11-23T22:00:00Z",
    "phase": "frozen",
    "selection": {},
    "running": 1,
    "tasks": [
        {"server": "S", "name": "a", "state": "RUNNING", "run_option": "resume_processing", "wave": 2},
        {"server": "S", "name": "d", "state": "STOPPED", "run_option": None, "wave": 1},
    ],
}


def refused(document, address=EM):
    """Return why a document is refused."""
    with pytest.raises(InputError) as raised:
        read_document(document, address, "cp.json")
    return str(raised.value)


def is_damaged(document, why):
    """Check that a document is refused with a place, what is there, and after bars what it should be, if given.

    What ends in a full stop is all of it.
    """
    text, (found, *due) = refused(document), why.split("|")
    if found.endswith("."):
        assert f"(cp.json) is damaged or was edited: {found} Nothing was done." in text
        return
    assert f"(cp.json) is damaged or was edited: {found}, but " in text
    allowed = text.partition(", but ")[2]
    assert all(one in allowed for one in due) and "None" not in allowed and text.endswith("Nothing was done.")


def edited(place, value, document=None):
    """Return a document with something else at a place."""
    document = copy.deepcopy(document or DOCUMENT)
    *way, last = place
    inner = document
    for step in way:
        inner = inner[step]
    if value is KeyError:
        del inner[last]
    else:
        inner[last] = value
    return document


def test_it_is_written_and_read_back():
    assert WINDOW.document() == DOCUMENT
    assert read_document(copy.deepcopy(DOCUMENT), EM, "cp.json") == WINDOW
    text = WINDOW.text()
    assert json.loads(text) == DOCUMENT
    assert text.splitlines() == [
        "{",
        '"schema": 2,',
        f'"enterprise_manager": "{EM}",',
        '"recorded": "2026-11-23T22:00:00Z",',
        '"phase": "frozen",',
        f'"selection": {json.dumps(SELECTION)},',
        '"running": 5,',
        '"servers": {',
        '"S": [',
        ' {"wave": 1, "state": "RUNNING", "tasks": [',
        '  ["a", 5, 3],',
        '  ["b", null],',
        '  "Müller"',
        " ]},",
        ' {"wave": 3, "state": "RECOVERY", "tasks": [',
        '  "c"',
        " ]},",
        ' {"wave": 2, "state": "STOPPED", "tasks": [',
        '  "d"',
        " ]}",
        "],",
        '"T": [',
        ' {"wave": 2, "state": "STARTING", "tasks": [',
        '  "a"',
        " ]}",
        "]",
        "}",
        "}",
    ]
    assert text.endswith("}\n")


def test_the_tasks_that_ran_in_their_waves():
    assert [[one.task for one in wave] for wave in WINDOW.waves] == [
        [TaskName("S", "a"), TaskName("S", "b"), TaskName("S", "Müller")],
        [TaskName("T", "a")],
        [TaskName("S", "c")],
    ]
    assert [one.ran for one in TASKS] == [True, True, True, True, False, True]


def test_the_first_schema_is_read():
    found = read_document(FIRST_SCHEMA, EM, "cp.json")
    assert found.tasks == (RecordedTask("S", "a", "RUNNING", 2), RecordedTask("S", "d", "STOPPED", 1))
    assert found.readings == {TaskName("S", "a"): Reading(None, 0)}  # what its latency was is not known
    assert read_document(edited(["running"], KeyError, FIRST_SCHEMA), EM, "cp.json") == found
    for phase in ("recorded", "restored"):
        empty = {**edited(["running"], KeyError, FIRST_SCHEMA), "phase": phase, "tasks": []}
        assert read_document(empty, EM, "cp.json").tasks == ()
        assert read_document({**empty, "running": 0, "phase": "frozen"}, EM, "cp.json").tasks == ()


@pytest.mark.parametrize("document", [None, [], "x", {}, {"schema": "2"}, {"schema": True}, {"tasks": []}])
def test_what_is_not_a_checkpoint(document):
    assert refused(document).startswith("The checkpoint (cp.json) is damaged: it is not a checkpoint")


def test_one_of_a_newer_release_or_another_enterprise_manager():
    text = refused({"schema": 3})
    assert "(cp.json)" in text and "newer" in text and "schema 3" in text and "knows 2" in text
    text = refused(DOCUMENT, "https://other.example.com")
    assert "(cp.json)" in text and f": {EM}, not https://other.example.com." in text


GROUP = ["servers", "S", 0]
HERE = "the members here are"
MEMBERS = "schema, enterprise_manager, recorded, phase, selection"


@pytest.mark.parametrize(
    ("place", "value", "why"),
    [
        (["schema"], 0, "schema is 0"),
        (["more"], 1, f"more is not known: {HERE} {MEMBERS}, running, servers."),
        (["servers"], KeyError, "the document has no member servers."),
        (["running"], KeyError, "the document has no member running."),
        (["running"], 4, "running is 4|5"),
        (["running"], 5.0, "running is 5.0|5"),
        (["phase"], "over", 'phase is "over"|one of recorded, freezing, frozen, restoring, restored.'),
        (["recorded"], "today", 'recorded is "today"'),
        (["enterprise_manager"], "", 'enterprise_manager is ""'),
        (["selection"], None, "selection is null"),
        (["selection", "only"], [], f"selection/only is not known: {HERE} include, exclude, waves."),
        (["selection", "exclude"], {}, "selection/exclude is a mapping"),
        (["selection", "include", 0, "x"], 1, f"selection/include/0/x is not known: {HERE} server, name, tag, state."),
        (["selection", "include", 0, "server"], 7, "selection/include/0/server is 7"),
        (["selection", "include", 0, "name"], " ", 'selection/include/0/name is " "'),
        (["selection", "include", 0, "tag"], "x", 'selection/include/0/tag is "x"'),
        (["selection", "include", 0, "state"], ["a", 7], "selection/include/0/state/1 is 7"),
        (["servers"], [], "servers is an empty list"),
        (["servers", ".."], [], 'servers is ".."'),
        (["servers", "S"], {}, "servers/S is a mapping"),
        ([*GROUP, "wave"], KeyError, "servers/S/0 has no member wave."),
        ([*GROUP, "wave"], 0, "servers/S/0/wave is 0"),
        ([*GROUP, "wave"], True, "servers/S/0/wave is true"),
        ([*GROUP, "state"], "", 'servers/S/0/state is ""'),
        ([*GROUP, "state"], "STOPPED", "servers/S/0/tasks/0 is a list|STOPPED"),
        ([*GROUP, "tasks"], "a", 'servers/S/0/tasks is "a"'),
        ([*GROUP, "tasks", 2], "..", 'servers/S/0/tasks/2 is ".."'),
        ([*GROUP, "tasks", 2], 7, "servers/S/0/tasks/2 is 7"),
        ([*GROUP, "tasks", 2], "a", 'servers/S/0/tasks/2 is "S/a"'),
        ([*GROUP, "tasks", 0], [], "servers/S/0/tasks/0 is an empty list"),
        ([*GROUP, "tasks", 0], ["a"], "servers/S/0/tasks/0 is a list"),
        ([*GROUP, "tasks", 0], ["a", 5], "servers/S/0/tasks/0 is a list"),
        ([*GROUP, "tasks", 0], ["a", None, 3], "servers/S/0/tasks/0 is a list"),
        ([*GROUP, "tasks", 0], ["a", -1, 3], "servers/S/0/tasks/0 is a list"),
        ([*GROUP, "tasks", 0], ["a", 5, 3, 1], "servers/S/0/tasks/0 is a list"),
        ([*GROUP, "tasks", 0], ["a", 5, True], "servers/S/0/tasks/0 is a list"),
        ([*GROUP, "tasks", 0], ["a", 315_360_001, 3], "servers/S/0/tasks/0 is a list"),
        ([*GROUP, "tasks", 0], ["a", 5, -315_360_001], "servers/S/0/tasks/0 is a list"),
    ],
)  # fmt: skip
def test_an_edited_one_is_refused_with_the_place(place, value, why):
    is_damaged(edited(place, value), why)


def test_a_selector_has_the_members_that_were_given():
    selection = {"include": [{"name": "a*"}, {"server": "S", "tag": ["x"]}]}
    assert read_document(edited(["selection"], selection), EM, "cp.json").selection == selection


@pytest.mark.parametrize("item", [["a", 0, 0], ["a", 315_360_000, -315_360_000], ["a", 7, -1]])
def test_any_latency_that_can_be_is_read(item):
    found = read_document(edited([*GROUP, "tasks", 0], item), EM, "cp.json")
    assert found.readings[TaskName("S", "a")] == Reading(item[1], BEGIN + item[2])


@pytest.mark.parametrize(
    ("place", "value", "why"),
    [
        (["servers"], {}, f"servers is not known: {HERE} {MEMBERS}, tasks, running."),
        (["tasks"], KeyError, "the document has no member tasks."),
        (["tasks"], None, "tasks is null"),
        (["running"], 2, "running is 2|1"),
        (["tasks", 0, "wave"], KeyError, "tasks/0 has no member wave."),
        (["tasks", 0, "server"], "", 'tasks/0/server is ""'),
        (["tasks", 0, "name"], ".", 'tasks/0/name is "."'),
        (["tasks", 0, "state"], None, "tasks/0/state is null"),
        (["tasks", 0, "wave"], -1, "tasks/0/wave is -1"),
        (["tasks", 0, "run_option"], "reload", 'tasks/0/run_option is "reload"|"resume_processing"|null'),
        (["tasks", 0, "run_option"], None, 'tasks/0/run_option is null|"resume_processing"|RUNNING'),
        (["tasks", 1, "run_option"], "resume_processing", 'tasks/1/run_option is "resume_processing"|null,|STOPPED'),
        (["tasks", 1, "name"], "a", 'tasks/1 is "S/a"'),
    ],
)  # fmt: skip
def test_so_is_one_of_the_first_schema(place, value, why):
    is_damaged(edited(place, value, FIRST_SCHEMA), why)


@pytest.mark.parametrize("phase", ["freezing", "frozen", "restoring"])
def test_an_open_window_without_tasks_has_lost_them(phase):
    document = {**edited(["running"], KeyError, FIRST_SCHEMA), "phase": phase, "tasks": []}
    is_damaged(document, f"tasks is an empty list|{phase}")


def test_it_is_loaded_from_a_private_file(tmp_path):
    path = tmp_path / "cp.json"
    assert load(str(path), EM) is None
    path.write_text(WINDOW.text(), encoding="utf-8")
    path.chmod(0o600)
    assert load(str(path), EM) == WINDOW
    path.chmod(0o666)
    with pytest.raises(InputError, match=r"^mine "):
        load(str(path), EM, "mine")
    with pytest.raises(InputError, match=r"^path "):
        load(str(path), EM)
    path.chmod(0o600)
    path.write_text("{")
    with pytest.raises(InputError) as raised:
        load(str(path), EM)
    assert f"({path}) is damaged: it is not JSON" in str(raised.value)
    path.write_text("[]")
    with pytest.raises(InputError) as raised:
        load(str(path), EM)
    assert f"({path}) is damaged: it is not a checkpoint" in str(raised.value)


def test_a_huge_file_is_not_read(tmp_path, monkeypatch):
    path = tmp_path / "cp.json"
    path.write_text(WINDOW.text())
    path.chmod(0o600)
    monkeypatch.setattr(module, "MOST_BYTES", os.path.getsize(path) - 1)
    with pytest.raises(InputError):
        load(str(path), EM)


def test_two_of_the_same_window():
    check_same(WINDOW, WINDOW._replace(tasks=TASKS[::-1], phase="restoring"), "cp.json")
    for recorded, which in [("2026-11-22T22:00:00Z", "an earlier"), ("2026-11-24T22:00:00Z", "a newer")]:
        with pytest.raises(InputError) as raised:
            check_same(WINDOW, WINDOW._replace(recorded=recorded), "cp.json")
        for part in ("cp.json", "2026-11-23T22:00:00Z", recorded, f"{which} window"):
            assert part in str(raised.value)
    for tasks in (TASKS[:-1], (*TASKS[:-1], TASKS[-1]._replace(state="STOPPED"))):
        for one, other in [(TASKS, tasks), (tasks, TASKS)]:
            with pytest.raises(InputError) as raised:
                check_same(WINDOW._replace(tasks=one), WINDOW._replace(tasks=other), "cp.json")
            for part in ("cp.json", "2026-11-23T22:00:00Z", " T/a."):
                assert part in str(raised.value)
