# Copyright (c) 2026, dataops.qlik_em contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The memory of healing, in a file and without one."""

from __future__ import annotations

import json
import stat
import threading
import time

import pytest
from ansible_collections.dataops.qlik_em.plugins.module_utils._client.errors import InputError
from ansible_collections.dataops.qlik_em.plugins.module_utils._fleets import heal_memory as module
from ansible_collections.dataops.qlik_em.plugins.module_utils._fleets.heal_memory import (
    MemoryStore,
    document_of,
    read_memory,
)
from ansible_collections.dataops.qlik_em.plugins.module_utils._fleets.healing import Record
from ansible_collections.dataops.qlik_em.plugins.module_utils._tasks.model import TaskName

EM = "https://em.example.com/attunityenterprisemanager"
NOW = 1_800_000_000  # 2027-01-15T08:00:00Z
A, B = TaskName("S", "a"), TaskName("T", "b")
MEMORY = {
    B: Record((NOW - 60, NOW), NOW, True, NOW),
    A: Record((NOW,), None, False, NOW),  # seen does not matter then
}
DOCUMENT = {
    "schema": 1,
    "enterprise_manager": EM,
    "servers": {
        "S": {"a": {"restarts": ["2027-01-15T08:00:00Z"]}},
        "T": {
            "b": {
                "restarts": ["2027-01-15T07:59:00Z", "2027-01-15T08:00:00Z"],
                "quarantined": "2027-01-15T08:00:00Z",
                "unfinished": True,
                "seen": "2027-01-15T08:00:00Z",
            }
        },
    },
}
READ = {**MEMORY, A: Record((NOW,))}


@pytest.fixture
def path(tmp_path):
    return tmp_path / "heal.json"


def store(path, given=None, is_read_only=False):
    return MemoryStore(path and str(path), given, EM, is_read_only)


def written(path):
    return json.loads(path.read_text(encoding="utf-8"))


def test_it_is_written_sorted_and_read_back():
    document = document_of(MEMORY, EM)
    assert document == DOCUMENT and list(document["servers"]) == ["S", "T"]
    assert read_memory(document, EM, "x") == READ
    assert document_of({A: Record((), NOW, False, None)}, EM)["servers"]["S"]["a"] == {
        "restarts": [],
        "quarantined": "2027-01-15T08:00:00Z",
    }


def test_two_restarts_at_the_same_time_are_in_order():
    document = document_of({A: Record((NOW, NOW))}, EM)
    assert read_memory(document, EM, "x") == {A: Record((NOW, NOW))}


def test_one_of_another_enterprise_manager_names_both():
    with pytest.raises(InputError) as raised:
        read_memory(DOCUMENT, "https://other.example.com", "heal.json")
    assert f": {EM}, not https://other.example.com." in str(raised.value)
    with pytest.raises(InputError, match=r"\(heal.json\) .*schema 2, .* 1\)"):
        read_memory({"schema": 2}, EM, "heal.json")
    with pytest.raises(InputError) as raised:
        read_memory({"schema": 1}, EM, "heal.json")
    assert raised.value.hint


def test_a_store_without_a_file(path):
    for given in (None, {}, DOCUMENT):
        one = store(None, given)
        with one.alone():
            assert one.load() == (READ if given else {})
        one.note(A, Record((NOW, NOW + 1)))
        assert one.record(A) == Record((NOW, NOW + 1)) and one.record(TaskName("S", "x")) == Record()
        assert one.document()["servers"]["S"]["a"]["restarts"] == ["2027-01-15T08:00:00Z", "2027-01-15T08:00:01Z"]
    with pytest.raises(InputError, match=r"\(option memory\)"):
        store(None, []).load() or store(None, [1]).load()


def test_a_store_with_a_file(path):
    one = store(path, DOCUMENT)
    assert one.load() == {} and not path.exists()
    one.save({})
    assert not path.exists()  # nothing has changed
    one.save(MEMORY)
    assert written(path) == DOCUMENT and stat.S_IMODE(path.stat().st_mode) == 0o600
    assert path.read_text().endswith("}\n") and '\n "schema": 1' in path.read_text()
    one.note(A, Record((NOW, NOW + 1)))
    assert len(written(path)["servers"]["S"]["a"]["restarts"]) == 2
    again = store(path)
    assert again.load() == {**READ, A: Record((NOW, NOW + 1))} and again.warnings == []
    found = again.load()
    found.clear()
    assert again.record(B) == READ[B]


def test_a_restart_that_came_to_its_end(path):
    one = store(path)
    one.save({A: Record((NOW,), None, True, NOW), B: Record((NOW,), NOW, True, NOW)})
    one.finish(iter([A]))
    assert one.record(A) == Record((NOW,)) and one.record(B) == Record((NOW,), NOW, True, NOW)
    before = path.stat().st_ino
    one.finish([A])
    assert path.stat().st_ino == before  # nothing to note
    one.finish([A, B])
    assert written(path) == document_of({A: Record((NOW,)), B: Record((NOW,), NOW, False, NOW)}, EM)


def test_a_report_reads_and_writes_nothing(path):
    store(path).save(MEMORY)
    text = path.read_text()
    with store(path).alone():
        one = store(path, is_read_only=True)
        with one.alone():
            assert one.load() == READ
            one.save({})
        assert path.read_text() == text and one.record(B) == READ[B]
        with pytest.raises(InputError, match=r"^state_file .* in use"), store(path).alone():
            pass


@pytest.mark.parametrize(("text", "why"), [("{", "it is not JSON"), ("[]", "memory of aem_heal")])
def test_a_damaged_file(path, text, why):
    path.write_text(text)
    path.chmod(0o600)
    with pytest.raises(InputError) as raised:
        store(path).load()
    assert f"({path})" in str(raised.value) and why in str(raised.value)
    path.chmod(0o666)
    with pytest.raises(InputError, match=r"^state_file "):
        store(path).load()


def test_a_huge_file_is_not_read(path, monkeypatch):
    store(path).save(MEMORY)
    monkeypatch.setattr(module, "MOST_BYTES", path.stat().st_size - 1)
    with pytest.raises(InputError, match=r"^state_file "):
        store(path).load()


def test_what_threads_note_meanwhile_is_written_at_once(path, monkeypatch):
    one, writes, threads = store(path), [], []

    def write(option, place, text):
        assert (option, place) == ("state_file", str(path))
        writes.append(sorted(json.loads(text)["servers"]))
        if len(writes) == 1:  # while this is written, two others wait
            for server in "TU":
                threads.append(threading.Thread(target=one.note, args=(TaskName(server, "x"), Record((NOW,)))))
                threads[-1].start()
            while len(one.document()["servers"]) < 3:
                time.sleep(0.001)
        return ["It is on a network drive."]

    monkeypatch.setattr(module, "write_atomically", write)
    one.note(A, Record((NOW,)))
    for thread in threads:
        thread.join()
    assert writes == [["S"], ["S", "T", "U"]] and one.warnings == ["It is on a network drive."]
