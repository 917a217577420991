# Copyright (c) 2026, dataops.qlik_em contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The folder of an estate: names that become file names, and files that anybody may have written."""

from __future__ import annotations

import errno
import json
import os
import unicodedata

import pytest
from ansible_collections.dataops.qlik_em.plugins.module_utils._client.errors import InputError
from ansible_collections.dataops.qlik_em.plugins.module_utils._common.places import Place
from ansible_collections.dataops.qlik_em.plugins.module_utils._estates import folder as folder_module
from ansible_collections.dataops.qlik_em.plugins.module_utils._estates.desired import desired_estate
from ansible_collections.dataops.qlik_em.plugins.module_utils._estates.folder import open_folder
from ansible_collections.dataops.qlik_em.plugins.module_utils._estates.layout import (
    LONGEST,
    Changes,
    check_origin,
    file_name,
    name_in,
    read_estate,
    write_server,
)
from ansible_collections.dataops.qlik_em.plugins.module_utils._estates.layout_diff import NEW, ODD, THERE, places_of
from ansible_collections.dataops.qlik_em.plugins.module_utils._estates.model import NO_RULES, ObjectKey
from ansible_collections.dataops.qlik_em.plugins.module_utils._estates.reading import Reading
from hypothesis import example, given, settings
from hypothesis import strategies as st

EM = "https://em.example.com/attunityenterprisemanager"
NAMES = st.text(min_size=1, max_size=20)
ACL = {"admin_role": {"users": [{"name": "a"}], "groups": []}, "disable_inheritance": False}


@given(NAMES | st.text(st.characters(codec="utf-8"), min_size=100, max_size=300))
@example("..")
@example("a/../b")
@example("CON~1")
@example("50%")
def test_a_file_name_does_no_harm_and_shows_the_name(name):
    file = file_name(name)
    assert 0 < len(file.encode()) <= LONGEST and not any(sign in file for sign in '/\\:*?"<>|\0\n')
    assert not file.startswith(".") and not file.endswith((".", " "))
    assert not any(unicodedata.category(sign) in ("Cc", "Cs") for sign in file)
    assert name_in(file) == (None if "~" in file else name)


@given(st.lists(NAMES, min_size=2, max_size=2, unique=True))
def test_two_names_are_two_files(names):
    assert len({file_name(name) for name in names}) == 2


def test_usual_names_stay_as_they_are():
    for name in ("orders", "Aufträge & Kunden", "it's a+b=c #1", "在庫 — été", "v1.2"):
        assert file_name(name) == name


def write(path, *servers, **objects):
    """Write an estate with the same objects for each server, and return it."""
    estate = {}
    with open_folder("path", str(path), create=True) as root:
        if stamp := check_origin(root, EM):
            root.write("estate.json", stamp)
        for server in servers:
            own = {ObjectKey(server, kind, name): item for kind, items in objects.items() for name, item in items}
            write_server(root, server, Reading(own, {"version": "1"}), lambda _kind, _name: True, False)
            estate.update(own)
    return estate


def task(name):
    """A task."""
    return {"task": {"name": name, "source_name": "ERP", "target_names": []}, "n": 1.5}


@settings(deadline=None, max_examples=20)  # files are slow
@given(st.lists(NAMES.filter(str.strip), min_size=1, max_size=4, unique=True))
def test_what_is_written_is_read_again(tmp_path_factory, names):
    path = tmp_path_factory.mktemp("estate") / "x"
    names = [name for name in names if not any("\ud800" <= sign <= "\udfff" for sign in name)] or ["x"]
    estate = write(
        path,
        *[name for name in names if name not in (".", "..")] or ["x"],
        tasks=[(name, task(name)) for name in names],
        endpoints=[(name, {"name": name, "db_settings": {"a": [2, 1]}}) for name in names],
        schedules=[(name, {"name": name, "schedule": "0 1 * * * *"}) for name in names],
        acl=[("", ACL)],
    )
    readings = read_estate("path", str(path))
    assert {key: item for one in readings.values() for key, item in one.objects.items()} == estate
    assert all(one.version == {"version": "1"} for one in readings.values())


@pytest.mark.parametrize(
    "names", [["Orders", "orders"], ["ORDERS", "x", "orders"], ["É", "e\u0301"], ["ß", "SS"], ["A" * 300, "a" * 300]]
)
def test_names_that_differ_by_case_only_are_files_that_differ_in_more(tmp_path, names):
    def written(*names):
        estate = write(tmp_path / "x", "S", tasks=[(name, task(name)) for name in names])
        assert read_estate("path", str(tmp_path / "x"))["S"].objects == estate
        return {path.name for path in (tmp_path / "x" / "S" / "tasks").iterdir()}

    files = written(*names)
    assert len(files) == len({unicodedata.normalize("NFC", file).lower() for file in files}) == len(names)
    assert ("x.json" in files) == ("x" in names)
    assert written(*reversed(names)) == files  # whatever the order
    assert written(names[0]) == {file_name(names[0]) + ".json"}  # alone, a name is as usual
    for name in names:  # as a folder has them that was written where case counts, before
        (tmp_path / "x" / "S" / "tasks" / f"{file_name(name)}.json").write_text(json.dumps(task(name)))
    assert len(read_estate("path", str(tmp_path / "x"))["S"].objects) == len(names)
    assert written(*names) == files


def test_two_files_of_one_object_are_refused(tmp_path):
    write(tmp_path / "x", "S", tasks=[("Orders", task("Orders")), ("orders", task("orders"))])
    (tmp_path / "x" / "S" / "tasks" / "orders.json").write_text(json.dumps(task("orders")))
    with pytest.raises(InputError, match=r'orders~\w+\.json and .*/orders\.json both hold the task "orders"'):
        read_estate("path", str(tmp_path / "x"))


def test_two_servers_in_one_folder_are_refused_where_case_does_not_count(tmp_path):
    write(tmp_path / "x", "Prod", tasks=[("orders", task("orders"))])
    (tmp_path / "x" / "Prod").rename(tmp_path / "x" / "prod")  # what such a file system does
    with pytest.raises(InputError, match=r'prod is the folder of the server "Prod", and this file system takes "prod"'):
        write(tmp_path / "x", "prod", tasks=[("returns", task("returns"))])


def test_a_secret_in_a_file_is_taken_for_its_placeholder(tmp_path):
    write(tmp_path / "x", "S", endpoints=[("ERP", {"name": "ERP", "db_settings": {"password": "hunter2"}})])
    found = desired_estate({"path": str(tmp_path / "x"), "overlay": None, "include": None})
    assert found == {ObjectKey("S", "endpoints", "ERP"): {"name": "ERP", "db_settings": {"password": "<redacted>"}}}


def test_include_means_names_under_the_overlay(tmp_path):
    path, overlay = tmp_path / "x", tmp_path / "prod.json"
    write(
        path,
        "Dev",
        tasks=[("a", task("a")), ("b", task("b"))],
        endpoints=[(name, {"name": name}) for name in ("ERP", "unused")],
        schedules=[("s", {"name": "s", "task": "a"}), ("all", {"name": "all"})],
    )
    overlay.write_text(json.dumps({"servers": {"Dev": "Prod"}, "tasks": [{"name": "a", "rename": "c"}]}))
    params = {"path": str(path), "overlay": str(overlay)}
    found = desired_estate({**params, "include": [{"server": "Prod", "name": "c"}]})
    assert [(key.kind, key.name) for key in found] == [("endpoints", "ERP"), ("tasks", "c"), ("schedules", "s")]
    for include, message in (
        ({"server": "Dev"}, 'the server "Dev", which the files, under the overlay, do not have'),
        ({"server": "Prod", "name": "a"}, "names a task that the files, under the overlay, do not have"),
    ):
        with pytest.raises(InputError, match=message):
            desired_estate({**params, "include": [include]})


def test_an_estate_without_an_object_is_refused_as_that(tmp_path):
    write(tmp_path / "x", "S")
    with pytest.raises(InputError, match=r"x\) has no object of any server: there is nothing to compare"):
        desired_estate({"path": str(tmp_path / "x"), "overlay": None, "include": None})


def test_a_file_that_was_edited_badly_is_to_be_corrected_where_it_is(tmp_path):
    write(tmp_path / "x", "S", tasks=[("a", task("a"))])
    (tmp_path / "x/S/tasks/a.json").write_text('{"task": {\n<<<<<<< HEAD\n')
    with pytest.raises(InputError, match=r"x/S/tasks/a\.json is not JSON: syntax error at line 2, column 1") as caught:
        desired_estate({"path": str(tmp_path / "x"), "overlay": None, "include": None})
    assert "Git has left marks of a conflict" in caught.value.hint and "to_json" not in caught.value.hint


@pytest.mark.parametrize(
    ("file", "text", "message"),
    [
        ("estate.json", None, "is not an estate: it has no file estate.json"),
        (
            "estate.json",
            '{"schema": 2, "enterprise_manager": "x"}',
            "x/estate.json cannot be used: schema is 2, but must be 1",
        ),
        ("estate.json", "[]", "x/estate.json cannot be used:"),
        ("S/server.json", None, "x/S has files of a server, but no server.json"),
        ("S/server.json", '{"name": "T"}', 'x/S holds the server "T", whose name here is T.'),
        ("S/server.json", '{"name": ".."}', "x/S/server.json cannot be used: name is"),
        (
            "S/server.json",
            '{"name": "S", "more": 1}',
            "x/S/server.json cannot be used: more is not known: the members here are name, _version",
        ),
        (
            "S/server.json",
            '{"name": "S", "_version": 1}',
            "x/S/server.json cannot be used: _version is 1, but must be a",
        ),
        ("S/tasks/a.json", "", "x/S/tasks/a.json is empty"),
        ("S/tasks/a.json", "{", "x/S/tasks/a.json is not JSON: syntax error at line 1, column 2"),
        ("S/tasks/a.json", '{"task": {"name": "b"}}', 'x/S/tasks/a.json holds the task "b", whose name here is b.json'),
        ("S/tasks/a.json", '{"task": {"name": "a"}, "task": {"name": "a"}}', "has the member tasks/a/task twice"),
        (
            "S/tasks/a.json",
            '{"name": "a"}',
            "x/S/tasks/a.json is not a replication definition: an item of tasks has no name",
        ),
        ("S/tasks/a.json", '{"task": "System.Object"}', "x/S/tasks/a.json is damaged"),
        ("S/endpoints/e.json", "[" * 200 + "]" * 200, "x/S/endpoints/e.json is not JSON: it is nested deeper than"),
        ("S/schedules.json", '{"jobs": [{"name": "s"}, {"name": "s"}]}', 'x/S/schedules.json has "s" twice'),
        ("S/acl.json", '{"admin_role": {"users": ["a"]}}', "x/S/acl.json cannot be used: admin_role/users/0 is"),
        ("S/acl.json", '{"admins": {}}', "x/S/acl.json cannot be used: the document is a mapping"),
    ],
)
def test_a_file_that_is_odd_is_named(tmp_path, file, text, message):
    path = tmp_path / "x"
    write(path, "S", tasks=[("a", task("a"))], endpoints=[("e", {"name": "e"})], acl=[("", ACL)])
    if text is None:
        (path / file).unlink()
    else:
        (path / file).write_text(text)
    with pytest.raises(InputError) as caught:
        read_estate("path", str(path))
    assert message in caught.value.message


def test_what_else_lies_in_the_folder_is_left_alone(tmp_path):
    path = tmp_path / "x"
    estate = write(path, "S", tasks=[("a", task("a"))])
    (path / "docs").mkdir()
    (path / "docs/README.md").write_text("ours")
    (path / "S/tasks/README.md").write_text("ours, too")
    assert [one.objects for one in read_estate("path", str(path)).values()] == [estate]


def test_a_stamp_in_another_spelling_is_written_anew(tmp_path):
    write(tmp_path / "x", "S")
    (tmp_path / "x/estate.json").write_text(json.dumps({"enterprise_manager": EM, "schema": 1}))
    with open_folder("path", str(tmp_path / "x")) as root:
        root.write("estate.json", check_origin(root, EM))
        assert check_origin(root, EM) is None
        with pytest.raises(InputError, match=r"was gathered from another Enterprise Manager \(https://em\.example"):
            check_origin(root, "https://other")


def test_a_folder_that_is_not_there_is_refused(tmp_path):
    with pytest.raises(InputError, match=r"x\) does not exist"):
        read_estate("path", str(tmp_path / "x"))


def test_a_path_may_end_in_a_dot_and_links_that_lead_nowhere_are_left_alone(tmp_path):
    write(tmp_path / "x", "S", tasks=[("a", task("a"))])
    (tmp_path / "x/dangling").symlink_to("nowhere")
    assert list(read_estate("path", f"{tmp_path}/x/S/..")) == ["S"]


def test_what_is_not_a_text_file_is_named(tmp_path):
    write(tmp_path / "x", "S", tasks=[("a", task("a"))])
    file = tmp_path / "x/S/tasks/a.json"
    file.write_bytes(b"\xff")
    with pytest.raises(InputError, match=r"x/S/tasks/a\.json cannot be read: it is not UTF-8\.$"):
        read_estate("path", str(tmp_path / "x"))
    too_large = pytest.raises(InputError, match=r"a\.json cannot be read: it is larger than 0 MB\.$")
    with too_large, open_folder("path", str(file.parent)) as folder:
        folder.read("a.json", 0)


def test_a_file_that_cannot_be_written_or_removed_is_named(tmp_path):
    (tmp_path / "folder").mkdir()
    with open_folder("path", str(tmp_path)) as folder:
        with pytest.raises(InputError, match="/folder cannot be written: "):
            folder.write("folder", "")
        with pytest.raises(InputError, match="/folder cannot be removed: "):
            folder.remove("folder")
        folder.remove("a file that somebody else has just removed")


def test_what_the_disk_refuses_is_named(tmp_path, monkeypatch):
    (tmp_path / "file").write_text("x")

    def full(_place, *_arguments, **_options):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(folder_module, "replace", full)
    monkeypatch.setattr(Place, "open", full)
    with open_folder("path", str(tmp_path)) as folder:
        for act in (lambda: folder.write("file", ""), lambda: folder.read("file", 9)):
            with pytest.raises(InputError, match=r"/file cannot be (written|read): No space left on device\.$"):
                act()


@pytest.mark.skipif(os.geteuid() != 0, reason="Only root can give a file to another user: run the tests as root, too.")
def test_in_a_folder_that_everybody_may_write_to_a_file_of_a_stranger_is_not_replaced(tmp_path):
    tmp_path.chmod(0o1777)
    (tmp_path / "S").mkdir()
    (tmp_path / "S/server.json").write_text("theirs")
    for path in (tmp_path / "S", tmp_path / "S/server.json"):
        os.chown(path, 4002, 4002)
    refused = pytest.raises(InputError, match="it belongs to another user")
    with refused, open_folder("path", str(tmp_path)) as root, root.below("S") as folder:
        folder.write("server.json", "ours")
    assert (tmp_path / "S/server.json").read_text() == "theirs"


def test_in_check_mode_a_new_server_is_all_new_files_and_no_folder(tmp_path):
    write(tmp_path / "x", "S")
    with open_folder("path", str(tmp_path / "x")) as root:
        reading = Reading({ObjectKey("T", "tasks", "a"): task("a")}, None)
        changes = write_server(root, "T", reading, lambda _kind, _name: True, is_check=True)
    assert {path: old for path, (old, _new) in changes.written.items()} == dict.fromkeys(
        ["T/server.json", "T/tasks/a.json"]
    )
    assert not (tmp_path / "x/T").exists()


def test_a_file_that_differs_in_no_place_is_shown_as_a_whole_and_so_is_one_that_was_damaged():
    new = '{"task": {"name": "a"}, "n": 1}'
    for old in ('{"n": 1, "task": {"name": "a"}}', "{"):
        changes = Changes({"S/tasks/a.json": (old, new)}, [], 0)
        assert places_of(changes, NO_RULES) == ({"S/tasks/a.json": ODD}, {"S/tasks/a.json": NEW})


def test_of_very_many_places_the_files_are_shown():
    texts = {f"t{at:03}": f'{{"task": {{"name": "t{at:03}"}}, "n": %d}}' for at in range(251)}
    files = {f"S/tasks/{name}.json": (text % 1, text % 2) for name, text in texts.items()}
    before, after = places_of(Changes(files, [], 0), NO_RULES)
    assert len(before) == len(after) == 251
    assert (before["S/tasks/t250.json"], after["S/tasks/t250.json"]) == (THERE, NEW)
