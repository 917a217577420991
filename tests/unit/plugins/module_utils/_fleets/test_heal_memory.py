# Copyright (c) 2026, dataops.qlik_em contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The memory of healing: in a file, without one, and as a document that anybody may have edited."""

from __future__ import annotations

import copy
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


READABLE = {
    "schema": 1,
    "enterprise_manager": EM,
    "servers": {
        "S": {
            "a/b": {"restarts": ["2026-11-26T01:00:00Z", "2026-11-26T01:02:00Z"]},
            "c": {"restarts": [], "quarantined": "2026-11-25T01:00:00Z", "seen": "2026-11-26T01:00:00Z"},
            "d": {"restarts": ["2026-11-26T01:00:00Z"], "unfinished": True, "seen": "2026-11-26T01:00:00Z"},
        }
    },
}


def test_a_document_is_read_as_it_was_written():
    memory = read_memory(READABLE, EM, "x")
    assert len(memory) == 3 and document_of(memory, EM) == READABLE
    assert read_memory({}, EM, "x") == {}


def edited(path, value):
    """Return the document with another value at a path; None takes the member out."""
    document = copy.deepcopy(READABLE)
    *parts, last = path
    place = document
    for part in parts:
        place = place[part]
    if value is None:
        del place[last]
    else:
        place[last] = value
    return document


IN_A = ("servers", "S", "a/b")


@pytest.mark.parametrize(
    ("document", "text"),
    [
        ([], "it is not a memory of aem_heal"),
        ({"servers": {}}, "it is not a memory of aem_heal"),
        (edited(["schema"], True), "it is not a memory of aem_heal"),
        (edited(["schema"], 2), "was written by a newer release of the collection (schema 2, this one knows 1)"),
        (edited(["schema"], 0), "schema is 0, but must be 1"),
        (edited(["enterprise_manager"], "https://other"), "belongs to another Enterprise Manager: https://other, not"),
        (edited(["enterprise_manager"], 1), "enterprise_manager is 1, but must be a non-blank string"),
        (edited(["servers"], []), "servers is an empty list, but must be a mapping"),
        (edited(["servers", "S"], ["a"]), "servers/S is a list, but must be a mapping"),
        (edited(["servers", ".."], {}), 'servers is "..", but must be a name'),
        (edited(["servers", "S", " "], {}), 'servers/S is " ", but must be a non-blank string'),
        (edited(["more"], 1), "more is not known: the members here are schema, enterprise_manager"),
        (edited([*IN_A, "restarts"], None), "servers/S/a/b has no member restarts."),
        (edited([*IN_A, "restarts"], 1), "servers/S/a/b/restarts is 1, but must be a list"),
        (edited([*IN_A, "restarts", 0], 1), "servers/S/a/b/restarts/0 is 1, but must be a UTC time"),
        (
            edited([*IN_A, "restarts", 0], "2026-11-27T01:00:00Z"),
            'servers/S/a/b/restarts/1 is "2026-11-26T01:02:00Z", but must be a time after the one before it',
        ),
        (edited([*IN_A, "unfinished"], 1), "servers/S/a/b/unfinished is 1, but must be true or false"),
        (edited([*IN_A, "quarantined"], "soon"), 'servers/S/a/b/quarantined is "soon", but must be a UTC time'),
        (edited(["servers", "S", "c", "seen"], "soon"), 'servers/S/c/seen is "soon", but must be a UTC time'),
        (
            edited(["servers", "S", "c", "seen"], None),
            "servers/S/c is a mapping, but must be a mapping with seen, as it is in quarantine",
        ),
    ],
)
def test_what_no_release_has_written_is_refused_with_its_place(document, text):
    with pytest.raises(InputError) as caught:
        read_memory(document, EM, "heal.json")
    begin = "" if text.startswith(("was ", "belongs ")) else "is damaged or was edited: "
    assert str(caught.value).startswith(f"The memory (heal.json) {begin}{text}")
    assert str(caught.value).endswith(". Nothing was done.")


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


def test_a_place_where_no_file_can_be(tmp_path):
    with pytest.raises(InputError, match=r"^state_file "):
        store(tmp_path)


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
