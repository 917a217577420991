# Copyright (c) 2026, dataops.qlik_em contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reading and writing definitions, case by case: what is refused, and in which words."""

from __future__ import annotations

import json
from decimal import Decimal

import pytest
from ansible_collections.dataops.qlik_em.plugins.module_utils._client.errors import InputError
from ansible_collections.dataops.qlik_em.plugins.module_utils._definitions import document as module
from ansible_collections.dataops.qlik_em.plugins.module_utils._definitions.document import (
    endpoints_used,
    name_of,
    names_in,
    read_definition,
    read_part,
    shown_option,
    stable_part,
    stable_text,
    task_definition,
    with_version,
)
from ansible_collections.dataops.qlik_em.plugins.module_utils._definitions.model import BODY

HOW = (
    "A tool has rewritten it, as Windows PowerShell does: use ConvertTo-Json -Depth 100 and Set-Content -Encoding utf8."
)
TO_JSON = (
    "A value that a template inserts into JSON needs the filter to_json, which adds quotes and escapes: "
    "{{ password | to_json }}. So does a whole variable. Python's single quotes are not JSON."
)
TASK = {"task": {"name": "t", "source_name": "ERP", "target_names": ["DWH"]}}
DEFINITION = {BODY: {"tasks": [TASK], "databases": [{"name": "ERP"}, {"name": "DWH"}, {"name": "Old"}]}}


def refusal(value, check=read_definition):
    """Return the words with which a definition is refused."""
    with pytest.raises(InputError) as raised:
        check("dest", value)
    return str(raised.value)


def with_task(**members):
    return {BODY: {"tasks": [{**TASK, **members}]}}


@pytest.mark.parametrize(
    "text",
    [
        json.dumps(DEFINITION),
        f"// Host name: x\n{json.dumps(DEFINITION)}",
        f"\ufeff \r\n\t// a\n // b\n{json.dumps(DEFINITION)}\n",
        DEFINITION,
    ],
)
def test_an_export_is_read(text):
    assert read_definition("dest", text) == DEFINITION


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "dest is empty."),
        ("// only\n//", "dest is empty."),
        ('{\0"\0', f"dest is UTF-16, not UTF-8. {HOW}"),
        *((mark, f"dest is UTF-32, not UTF-8. {HOW}") for mark in ("{\0\0\0", "\0\0\0{\0")),
        (
            '// x\n{"a":\n -' + "7" * 5000 + ',\n"b": -' + "7" * 5000 + "}",
            "dest is not a replication definition: the number at line 3, column 2 has 5000 digits, and the limit is "
            "640.",
        ),
        ("[]", "dest must be a replication definition (an object), not list."),
        ("7", "dest must be a replication definition (an object), not int."),
        ('{"a": NaN}', "dest is not JSON: NaN is not a JSON number."),
        ('{"a": 1e9999999999999999999}', "dest is not JSON: the exponent of a number is out of range."),
        ("[" * 100_000, "dest is not JSON: it is nested too deeply."),
        ('{"a": ' + "[" * 100 + "1" + "]" * 100 + "}", "dest is not JSON: it is nested deeper than 100 levels."),
        ({"a": {1, 2}}, "dest is not JSON: set is not JSON."),
        (
            "{}",
            'dest is not a replication definition: it has no member "cmd.replication_definition", as an export of '
            "Replicate has.",
        ),
        (
            {BODY: []},
            'dest is not a replication definition: it has no member "cmd.replication_definition", as an export of '
            "Replicate has.",
        ),
    ],
)
def test_what_is_not_a_definition(text, why):
    assert refusal(text) == why


def test_as_many_digits_as_can_be():
    most = -int("7" * 640)
    assert read_definition("dest", f'{{"{BODY}": {{}}, "a": {most}}}')["a"] == most


def test_as_deep_as_can_be():
    deep = '{"cmd.replication_definition": {}, "a": ' + "[" * 99 + "1" + "]" * 99 + "}"
    assert read_definition("dest", deep)[BODY] == {}
    assert refusal(deep.replace("[1]", "[[1]]")) == "dest is not JSON: it is nested deeper than 100 levels."


def test_no_failure_shows_a_piece_of_the_text():
    with pytest.raises(InputError) as raised:
        read_definition("dest", '// x\n{\n "password": secret\n}')
    assert str(raised.value) == "dest is not JSON: syntax error at line 3, column 14."
    assert raised.value.hint == TO_JSON and raised.value.__cause__ is None
    for text, column in [("secret", 1), ("X{}", 1), ('{"\0": 1}', 3)]:
        assert refusal(text) == f"dest is not JSON: syntax error at line 1, column {column}."
    assert refusal("\n{x").endswith(" line 2, column 2.")


def test_a_text_that_is_too_long(monkeypatch):
    text = json.dumps(DEFINITION)
    monkeypatch.setattr(module, "LIMIT", 3 * 1024 * 1024)
    monkeypatch.setattr(module.json, "loads", lambda *_arguments, **_options: DEFINITION)
    assert read_definition("dest", text.ljust(3 * 1024 * 1024)) == DEFINITION
    assert refusal(text.ljust(3 * 1024 * 1024 + 1)) == "dest is larger than 3 MB: that is not a replication definition."


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ('{"a": 1, "a": 2}', "a"),
        ('{"cmd.replication_definition": {"tasks": [{"task": {"name": "t", "x": 1, "y": 2, "x": 1}}]}}',
         "tasks/t/task/x"),
        ('{"cmd.replication_definition": {}, "x": {"y": [{"b": 1, "a": 1, "a": 1, "b": 1}]}}', "x/y/0/a"),
        ('{"cmd.replication_definition": {"a": 1, "a": 2}}', "a"),
    ],
)  # fmt: skip
def test_a_member_that_stands_twice(text, place):
    assert refusal(text) == f"dest has the member {place} twice. Remove one of them."


@pytest.mark.parametrize(
    "text", ["@{name=x}", "@{a=\n1}", "System.Object[]", "System.Collections.Hashtable", "System.String"]
)
def test_what_powershell_makes_of_objects(text):
    assert refusal(with_task(x={"y": text})) == (
        f"dest is damaged: tasks/t/x/y is the text of a PowerShell object. {HOW}"
    )
    assert read_definition("dest", with_task(x=f"{text} and more"))


@pytest.mark.parametrize(
    ("members", "place", "form", "found"),
    [
        ({"tasks": {"task": {"name": "t"}}}, "tasks", "a list", "a single object"),
        ({"databases": "x"}, "databases", "a list", "a text"),
        ({"tasks": [{"task": "t"}]}, "tasks/0/task", "an object", "a text"),
        ({"tasks": [{**TASK, "source": []}]}, "tasks/t/source", "an object", "a list"),
        ({"tasks": [{**TASK, "x_settings": 7}]}, "tasks/t/x_settings", "an object", "int"),
        ({"tasks": [{**TASK, "a": {"task_settings": "x"}}]}, "tasks/t/a/task_settings", "an object", "a text"),
        ({"tasks": [{"task": {"name": "t", "target_names": "x"}}]}, "tasks/t/task/target_names", "a list", "a text"),
        ({"databases": [{"name": "e", "db_settings": "x"}]}, "databases/e/db_settings", "an object", "a text"),
        ({"databases": [{"name": "e", "override_properties": [1]}]}, "databases/e/override_properties", "an object",
         "a list"),
    ],
)  # fmt: skip
def test_a_member_of_another_form_than_exports_have(members, place, form, found):
    assert refusal({BODY: members}) == (
        f"dest is not a replication definition: {place} must be {form}, but is {found}. {HOW}"
    )


@pytest.mark.parametrize(
    "document",
    [
        {BODY: {"tasks": None, "databases": []}, "tasks": "x", "loggers": 1},
        with_task(source=None, x=[{"a": "task"}], more="x"),
        {BODY: {"databases": [{"name": "e", "x": {"db_settings": "x"}, "loggers": "x"}], "source": "x"}},
    ],
)
def test_anything_else_may_have_any_form(document):
    assert read_definition("dest", document) == document


@pytest.mark.parametrize(
    ("members", "why"),
    [
        ({"tasks": [{"task": {}}]}, "dest is not a replication definition: an item of tasks has no name."),
        ({"tasks": [{"name": "t"}]}, "dest is not a replication definition: an item of tasks has no name."),
        ({"tasks": [TASK, 7]}, "dest is not a replication definition: an item of tasks has no name."),
        ({"databases": [{"name": " "}]}, "dest is not a replication definition: an item of databases has no name."),
        ({"databases": [{"name": 7}]}, "dest is not a replication definition: an item of databases has no name."),
        ({"tasks": [TASK, TASK]}, 'dest has "t" twice in tasks.'),
        ({"databases": [{"name": "a"}, {"name": "b"}, {"name": "b"}]}, 'dest has "b" twice in databases.'),
    ],
)
def test_names(members, why):
    assert refusal({BODY: members}) == why


def test_the_names_of_items():
    assert name_of("tasks", TASK) == "t" and name_of("databases", {"name": "e"}) == "e"
    assert name_of("tasks", {"name": "e"}) is None and name_of("databases", TASK) is None
    assert names_in(DEFINITION, "databases") == ["ERP", "DWH", "Old"] and names_in({BODY: {}}, "tasks") == []
    assert endpoints_used(TASK) == {"ERP", "DWH"}
    assert endpoints_used({"task": {"source_name": None, "target_names": ["A", 7]}}) == {"A"}
    assert endpoints_used({"task": {"target_names": "A"}}) == set()


def test_what_is_shown_of_the_option():
    assert shown_option(DEFINITION) is DEFINITION
    assert shown_option("PWD=secret") == "********"


def test_a_part_is_read_as_the_member_that_it_stands_for():
    assert read_part("t.json", "tasks", json.dumps(TASK)) == TASK
    assert read_part("e.json", "databases", '{"name": "ERP"}') == {"name": "ERP"}
    assert read_part("n.json", "notifications", "[1.50]") == [Decimal("1.50")]
    for member, text, why in [
        ("tasks", '{"task": {}}', "an item of tasks has no name."),
        ("databases", "[]", "an item of databases has no name."),
    ]:
        with pytest.raises(InputError) as raised:
            read_part("t.json", member, text)
        assert str(raised.value) == f"t.json is not a replication definition: {why}"
    with pytest.raises(InputError, match=r"^n\.json is damaged: notifications/a is the text of a PowerShell object"):
        read_part("n.json", "notifications", '{"a": "@{x=1}"}')
    with pytest.raises(InputError) as raised:
        read_part("t.json", "tasks", '{"task": 1,}')
    assert str(raised.value).startswith("t.json is not JSON: syntax error at line 1, column ")
    assert raised.value.hint.startswith("Correct the file there: ")


# One task


def test_the_definition_of_one_task():
    found, unused = task_definition("dest", DEFINITION, "new")
    assert found == {
        BODY: {
            "tasks": [{"task": {**TASK["task"], "name": "new"}}],
            "databases": [{"name": "ERP"}, {"name": "DWH"}],
        }
    }
    assert unused == ["Old"] and DEFINITION[BODY]["tasks"][0]["task"]["name"] == "t"
    assert task_definition("dest", with_task(), "t") == (with_task(), [])


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (
            {"tasks": [TASK], "notifications": [], "error_behavior": {}},
            "dest contains error_behavior, notifications, which belong to a whole server: import it with aem_import, "
            "or leave only tasks and databases in it.",
        ),
        ({"databases": []}, "dest contains no task."),
        ({"tasks": []}, "dest contains no task."),
        ({"tasks": [{"task": {"name": one}} for one in "ab"]}, "dest contains 2 tasks (a, b), not one."),
        ({"tasks": [{"task": {"name": one}} for one in "abc"]}, "dest contains 3 tasks (a, b, c), not one."),
        ({"tasks": [{"task": {"name": one}} for one in "abcd"]}, "dest contains 4 tasks (a, b, c, ...), not one."),
    ],
)
def test_what_is_not_one_task(content, why):
    assert refusal({BODY: content}, lambda option, value: task_definition(option, value, "t")) == why


@pytest.mark.parametrize(
    ("version", "stamp"),
    [
        ("2024.5.0.123", (2024, 5, 123)),
        ("Version 2023.11 (build 7)", (2023, 11, 7)),
        ("2024", (2024, 0, 2024)),
        ("unknown", (0, 0, 0)),
    ],
)
def test_without_a_version_it_gets_that_of_the_server(version, stamp):
    major, minor, revision = stamp
    expected = {
        "version": version,
        "version_major": major,
        "version_minor": minor,
        "version_revision": revision,
    }
    assert with_version(DEFINITION, version) == {**DEFINITION, "_version": expected}
    given = {**DEFINITION, "_version": {"version": "x"}}
    assert with_version(given, version) is given
    assert with_version({**DEFINITION, "_version": None}, version)["_version"] == expected


# Writing


def test_a_stable_text():
    document = {
        BODY: {
            "tasks": [
                {"task": {"name": "b", "target_names": ["z", "a"], "$type": "x"}, "ordered": [2, 1]},
                {"task": {"name": "a"}, "ü": "\ud83d"},
            ]
        },
        "_version": {"version": "1"},
        "description": "Host name: x",
    }
    text = stable_text(document, "mine")
    assert text == (
        "{\n"
        '\t"_version": {\n\t\t"version": "1"\n\t},\n'
        '\t"cmd.replication_definition": {\n'
        '\t\t"tasks": [\n'
        '\t\t\t{\n\t\t\t\t"task": {\n\t\t\t\t\t"name": "a"\n\t\t\t\t},\n\t\t\t\t"ü": "\\ud83d"\n\t\t\t},\n'
        '\t\t\t{\n\t\t\t\t"ordered": [\n\t\t\t\t\t2,\n\t\t\t\t\t1\n\t\t\t\t],\n'
        '\t\t\t\t"task": {\n\t\t\t\t\t"$type": "x",\n\t\t\t\t\t"name": "b",\n'
        '\t\t\t\t\t"target_names": [\n\t\t\t\t\t\t"a",\n\t\t\t\t\t\t"z"\n\t\t\t\t\t]\n\t\t\t\t}\n\t\t\t}\n'
        "\t\t]\n\t},\n"
        '\t"name": "mine"\n'
        "}\n"
    )
    assert '"_version"' not in stable_text({BODY: {}}, "mine")
    assert '"_version"' not in stable_text({BODY: {}, "_version": {}}, "mine")


def test_a_part_has_the_text_that_it_has_in_the_whole():
    task = {"task": {"name": "b", "target_names": ["z", "a"]}, "ordered": [2, 1]}
    text = stable_part(("tasks", "b"), task)
    assert json.loads(text) == {"ordered": [2, 1], "task": {"name": "b", "target_names": ["a", "z"]}}
    assert text.startswith('{\n\t"ordered": [') and text.endswith("}\n")
