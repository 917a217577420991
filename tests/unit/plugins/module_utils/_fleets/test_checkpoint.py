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


def damaged(why, how=" or was edited"):
    return f"The checkpoint (cp.json) is damaged{how}: {why}. Nothing was done."


def edited(place, value, document=DOCUMENT):
    """Return a document with something else at a place."""
    document = copy.deepcopy(document)
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
    assert refused(document) == damaged("it is not a checkpoint", "")


def test_one_of_a_newer_release_or_another_enterprise_manager():
    assert refused({"schema": 3}) == (
        "The checkpoint (cp.json) was written by a newer release of the collection (schema 3, this one knows 2). "
        "Nothing was done."
    )
    assert refused(DOCUMENT, "https://other.example.com") == (
        f"The checkpoint (cp.json) is of another Enterprise Manager: {EM}, not https://other.example.com. "
        "Nothing was done."
    )


GROUP = ["servers", "S", 0]
FORM = "a name, [name, null], or [name, latency in seconds, seconds from recorded to when it was read]"


@pytest.mark.parametrize(
    ("place", "value", "why"),
    [
        (["schema"], 0, "schema is 0, and must be 1 or 2"),
        (["more"], 1, "more is 1, and must be left out: the members here are schema, enterprise_manager, recorded, "
         "phase, selection, running, servers"),
        (["servers"], KeyError, "the document is a mapping, and must be a mapping with servers"),
        (["running"], KeyError, "the document is a mapping, and must be a mapping with running"),
        (["running"], 4, "running is 4, and must be the number of tasks that ran, which is 5"),
        (["running"], 5.0, "running is 5.0, and must be the number of tasks that ran, which is 5"),
        (["phase"], "over", 'phase is "over", and must be one of recorded, freezing, frozen, restoring, restored'),
        (["recorded"], "today", 'recorded is "today", and must be a UTC time, as 2026-11-23T22:00:00Z'),
        (["enterprise_manager"], "", 'enterprise_manager is "", and must be a text that is not blank'),
        (["selection"], None, "selection is null, and must be a mapping"),
        (["selection", "only"], [], "selection/only is an empty list, and must be left out: the members here are "
         "include, exclude, waves"),
        (["selection", "exclude"], {}, "selection/exclude is a mapping, and must be a list or null"),
        (["selection", "include", 0, "x"], 1, "selection/include/0/x is 1, and must be left out: the members here are "
         "server, name, tag, state"),
        (["selection", "include", 0, "server"], 7, "selection/include/0/server is 7, and must be a text that is not "
         "blank"),
        (["selection", "include", 0, "name"], " ", 'selection/include/0/name is " ", and must be a text that is not '
         "blank"),
        (["selection", "include", 0, "tag"], "x", 'selection/include/0/tag is "x", and must be a list or null'),
        (["selection", "include", 0, "state"], ["a", 7], "selection/include/0/state/1 is 7, and must be a text that "
         "is not blank"),
        (["servers"], [], "servers is an empty list, and must be a mapping"),
        (["servers", ".."], [], 'servers is "..", and must be a name'),
        (["servers", "S"], {}, "servers/S is a mapping, and must be a list"),
        ([*GROUP, "wave"], KeyError, "servers/S/0 is a mapping, and must be a mapping with wave"),
        ([*GROUP, "wave"], 0, "servers/S/0/wave is 0, and must be a whole number from 1"),
        ([*GROUP, "wave"], True, "servers/S/0/wave is true, and must be a whole number from 1"),
        ([*GROUP, "state"], "", 'servers/S/0/state is "", and must be a text that is not blank'),
        ([*GROUP, "state"], "STOPPED", "servers/S/0/tasks/0 is a list, and must be a name alone, as it was STOPPED"),
        ([*GROUP, "tasks"], "a", 'servers/S/0/tasks is "a", and must be a list'),
        ([*GROUP, "tasks", 2], "..", 'servers/S/0/tasks/2 is "..", and must be a name'),
        ([*GROUP, "tasks", 2], 7, "servers/S/0/tasks/2 is 7, and must be a text that is not blank"),
        ([*GROUP, "tasks", 2], "a", 'servers/S/0/tasks/2 is "S/a", and must be another task: it is there twice'),
        ([*GROUP, "tasks", 0], [], f"servers/S/0/tasks/0 is an empty list, and must be {FORM}"),
        ([*GROUP, "tasks", 0], ["a"], f"servers/S/0/tasks/0 is a list, and must be {FORM}"),
        ([*GROUP, "tasks", 0], ["a", 5], f"servers/S/0/tasks/0 is a list, and must be {FORM}"),
        ([*GROUP, "tasks", 0], ["a", None, 3], f"servers/S/0/tasks/0 is a list, and must be {FORM}"),
        ([*GROUP, "tasks", 0], ["a", -1, 3], f"servers/S/0/tasks/0 is a list, and must be {FORM}"),
        ([*GROUP, "tasks", 0], ["a", 5, 3, 1], f"servers/S/0/tasks/0 is a list, and must be {FORM}"),
        ([*GROUP, "tasks", 0], ["a", 5, True], f"servers/S/0/tasks/0 is a list, and must be {FORM}"),
        ([*GROUP, "tasks", 0], ["a", 315_360_001, 3], f"servers/S/0/tasks/0 is a list, and must be {FORM}"),
        ([*GROUP, "tasks", 0], ["a", 5, -315_360_001], f"servers/S/0/tasks/0 is a list, and must be {FORM}"),
    ],
)  # fmt: skip
def test_an_edited_one_is_refused_with_the_place(place, value, why):
    assert refused(edited(place, value)) == damaged(why)


@pytest.mark.parametrize("item", [["a", 0, 0], ["a", 315_360_000, -315_360_000], ["a", 7, -1]])
def test_any_latency_that_can_be_is_read(item):
    found = read_document(edited([*GROUP, "tasks", 0], item), EM, "cp.json")
    assert found.readings[TaskName("S", "a")] == Reading(item[1], BEGIN + item[2])


@pytest.mark.parametrize(
    ("place", "value", "why"),
    [
        (["servers"], {}, "servers is a mapping, and must be left out: the members here are schema, "
         "enterprise_manager, recorded, phase, selection, tasks, running"),
        (["tasks"], KeyError, "the document is a mapping, and must be a mapping with tasks"),
        (["tasks"], None, "tasks is null, and must be a list"),
        (["running"], 2, "running is 2, and must be the number of tasks that ran, which is 1"),
        (["tasks", 0, "wave"], KeyError, "tasks/0 is a mapping, and must be a mapping with wave"),
        (["tasks", 0, "server"], "", 'tasks/0/server is "", and must be a text that is not blank'),
        (["tasks", 0, "name"], ".", 'tasks/0/name is ".", and must be a name'),
        (["tasks", 0, "state"], None, "tasks/0/state is null, and must be a text that is not blank"),
        (["tasks", 0, "wave"], -1, "tasks/0/wave is -1, and must be a whole number from 1"),
        (["tasks", 0, "run_option"], "reload", 'tasks/0/run_option is "reload", and must be "resume_processing" or '
         "null"),
        (["tasks", 0, "run_option"], None, 'tasks/0/run_option is null, and must be "resume_processing", as it was '
         "RUNNING"),
        (["tasks", 1, "run_option"], "resume_processing", 'tasks/1/run_option is "resume_processing", and must be '
         "null, as it was STOPPED"),
        (["tasks", 1, "name"], "a", 'tasks/1 is "S/a", and must be another task: it is there twice'),
    ],
)  # fmt: skip
def test_so_is_one_of_the_first_schema(place, value, why):
    assert refused(edited(place, value, FIRST_SCHEMA)) == damaged(why)


@pytest.mark.parametrize("phase", ["freezing", "frozen", "restoring"])
def test_an_open_window_without_tasks_has_lost_them(phase):
    document = {**edited(["running"], KeyError, FIRST_SCHEMA), "phase": phase, "tasks": []}
    assert refused(document) == damaged(
        f"tasks is an empty list, and must be the tasks of the window, which is {phase}"
    )


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
    assert str(raised.value) == f"The checkpoint ({path}) is damaged: it is not JSON. Nothing was done."
    path.write_text("[]")
    with pytest.raises(InputError) as raised:
        load(str(path), EM)
    assert str(raised.value) == f"The checkpoint ({path}) is damaged: it is not a checkpoint. Nothing was done."


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
        assert str(raised.value) == (
            f"The checkpoint in cp.json was recorded 2026-11-23T22:00:00Z, the one that was handed on {recorded}: "
            f"that is of {which} window. Nothing was done. Leave out checkpoint to use the file, or path to use the "
            "other."
        )
    for tasks in (TASKS[:-1], (*TASKS[:-1], TASKS[-1]._replace(state="STOPPED"))):
        with pytest.raises(InputError) as raised:
            check_same(WINDOW, WINDOW._replace(tasks=tasks), "cp.json")
        assert str(raised.value) == (
            "The checkpoint in cp.json and the one that was handed on were both recorded 2026-11-23T22:00:00Z, but "
            "differ in T/a. Nothing was done. Find out which one is right, and leave out the other (path or "
            "checkpoint)."
        )
