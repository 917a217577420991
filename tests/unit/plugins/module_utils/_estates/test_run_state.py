# Copyright (c) 2026, dataops.qlik_em contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The files in which a run of a plan is kept: what is odd in them ends a run before it writes."""

from __future__ import annotations

import json

import pytest
from ansible_collections.dataops.qlik_em.plugins.module_utils._client.errors import InputError
from ansible_collections.dataops.qlik_em.plugins.module_utils._estates.model import TASKS, ObjectKey
from ansible_collections.dataops.qlik_em.plugins.module_utils._estates.run_state import RunStore
from ansible_collections.dataops.qlik_em.plugins.module_utils._tasks.model import TaskName

ADDRESS = "https://em.example.com/attunityenterprisemanager"
BEFORE = {ObjectKey("One", TASKS, "orders"): {"task": {"name": "orders"}}, ObjectKey("One", TASKS, "new"): None}


@pytest.fixture
def store(tmp_path):
    """The files of a plan, whose run has written to the tasks of a server."""
    store = RunStore(str(tmp_path / "plan.json"), ADDRESS)
    store.save(store.begin("abc", (TaskName("One", "orders"),), BEFORE)._replace(touched=(("One", TASKS),)))
    return store


def change(path, **members):
    """Change members of a file."""
    with open(path, encoding="utf-8") as file:
        document = {**json.load(file), **members}
    with open(path, "w", encoding="utf-8") as file:
        json.dump(document, file)


def test_a_run_is_read_as_it_was_kept(store):
    run = store.load()
    assert (run.plan, run.phase, run.ran, run.touched) == ("abc", "applying", (("One", "orders"),), (("One", TASKS),))
    assert store.load_before(run) == BEFORE


@pytest.mark.parametrize(
    ("members", "message"),
    [
        ({"phase": "done"}, "is damaged"),
        ({"touched": [["One", "tables"]]}, "is damaged"),
        ({"ran": [["One"]]}, "is damaged"),
        ({"plan": None, "touched": 1}, "is damaged"),
        ({"schema": 9}, "was written by another release of the collection"),
        ({"enterprise_manager": "https://other"}, "is of another Enterprise Manager: https://other, not"),
    ],
)
def test_a_run_that_was_edited_is_refused(store, members, message):
    change(f"{store.plan}.run", **members)
    with pytest.raises(InputError, match=message) as caught:
        store.load()
    assert caught.value.message.startswith(f"{store.plan}.run ") and "Nothing was done." in caught.value.message


@pytest.mark.parametrize("text", ["", "{", "[]", "[" * 100_000, '{"schema": 1}'], ids=range(5))
def test_a_run_that_was_cut_off_is_refused_with_the_file_to_look_into(store, text):
    with open(f"{store.plan}.run", "w", encoding="utf-8") as file:
        file.write(text)
    with pytest.raises(InputError, match=r"plan\.json\.run is damaged") as caught:
        store.load()
    assert store.journal in caught.value.hint


@pytest.mark.parametrize("members", [{"since": "2020-01-01T00:00:00Z"}, {"plan": "other"}, {"objects": [{}]}])
def test_what_was_there_before_another_run_is_not_put_back(store, members):
    change(store.backup, **members)
    with pytest.raises(InputError, match=r"plan\.json\.before is damaged"):
        store.load_before(store.load())


def test_without_what_was_there_before_nothing_is_put_back(store, tmp_path):
    (tmp_path / "plan.json.before").unlink()
    with pytest.raises(InputError, match=r"plan\.json\.before is missing: what was there before the run of") as caught:
        store.load_before(store.load())
    assert f"then remove {store.plan}.run" in caught.value.hint
