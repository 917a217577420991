# Copyright (c) 2026, dataops.qlik_em contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The model of definitions, over generated ones: nothing lost, nothing reordered, nothing shown."""

from __future__ import annotations

import copy
import datetime
import json
import re
from decimal import Decimal

import pytest
from ansible_collections.dataops.qlik_em.plugins.module_utils._client.errors import InputError
from ansible_collections.dataops.qlik_em.plugins.module_utils._client.exact_json import number
from ansible_collections.dataops.qlik_em.plugins.module_utils._client.redaction import is_encrypted
from ansible_collections.dataops.qlik_em.plugins.module_utils._definitions import diff, model
from ansible_collections.dataops.qlik_em.plugins.module_utils._definitions.document import (
    POWERSHELL,
    read_definition,
    stable_text,
)
from ansible_collections.dataops.qlik_em.plugins.module_utils._definitions.importing import warnings_about
from hypothesis import HealthCheck, given, reject, settings
from hypothesis import strategies as st

BODY = "cmd.replication_definition"
RULES = model.Rules(("tasks/fresh/hidden", "databases/*/hidden*"))
ALL = RULES._replace(with_loggers=True)
NOTHING = {BODY: {}}
SETS = ("explicit_included_tables", "explicit_excluded_tables", "included_pattern", "excluded_pattern")
# The machine may do other work, and what measures coverage takes time.
UNHURRIED = settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])


# Generated definitions


def survives(text):
    """Return whether a text is the same after JSON (two halves of a character become one), and of no special form."""
    return json.loads(json.dumps(text)) == text and not POWERSHELL.fullmatch(text) and "redacted" not in text


TEXTS = st.text(st.characters(exclude_categories=()), max_size=6).filter(survives) | st.sampled_from(
    ["\t", "\x00", "\ud800", "Müller 😀", "{0B1D3C4E-1111-2222-3333-444455556666}", "a=b;c", '{"a": 1}', "1", "x" * 30]
)
NUMBERS = (
    st.integers()
    | st.integers(10**30, 10**40)
    | st.decimals(allow_nan=False, allow_infinity=False).map(lambda value: number(f"{value:e}"))
    | st.sampled_from(
        [
            1.0,
            1e300,
            number("0.1234567890123456789012345"),
            number("1e400"),
            number("-0.0"),
            number("9007199254740993e0"),
        ]
    )
)
VALUES = st.none() | st.booleans() | NUMBERS | TEXTS
# No names of parts that have a form, of secrets, or of what is counted.
NAMES = st.sampled_from(["a", "b", "Ä ö", "odd\tname", "\ud800", "$type", "privateKeyFile", "accountKeyType", "n/m"])
ITEMS = st.sampled_from(["one", "two", "Three", "ü", "four/five", "1"])


def objects(values):
    """Return objects of such values."""
    return st.dictionaries(NAMES, values, max_size=4)


def named(values, member="name"):
    """Return lists of objects that have names."""
    return st.dictionaries(ITEMS, objects(values), max_size=4).map(
        lambda items: [{member: key, **value} for key, value in items.items()]
    )


TREES = st.recursive(VALUES, lambda inner: objects(inner) | st.lists(inner, max_size=3) | named(inner), max_leaves=8)
TABLES = st.lists(st.tuples(st.sampled_from("AB"), ITEMS), unique=True, max_size=4).map(
    lambda pairs: [{"owner": owner, "name": name} for owner, name in pairs]
)


def tasks(more):
    """Return tasks of one name, with what ``more`` makes in their settings."""
    return st.fixed_dictionaries(
        {"task": st.fixed_dictionaries({"name": st.just("fresh"), "target_names": st.lists(ITEMS, unique=True)})},
        optional={
            "source": st.fixed_dictionaries({"source_tables": st.dictionaries(st.sampled_from(SETS), TABLES)}),
            "task_settings": st.fixed_dictionaries({"common_settings": objects(more)}),
            "manipulations": named(more),
            "columns": named(more, "column_name"),
            "unknown": st.lists(more, max_size=3),
            "loggers": st.dictionaries(st.sampled_from(["SERVER", "SORTER"]), st.sampled_from(["TRACE", "INFO"])),
        },
    )


def endpoints(more):
    """Return lists of endpoints."""
    return st.lists(st.sampled_from(["ERP", "Shop"]), unique=True).flatmap(
        lambda names: st.tuples(
            *(
                st.fixed_dictionaries(
                    {"name": st.just(name)}, optional={"db_settings": objects(more), "more": named(more)}
                )
                for name in names
            )
        ).map(list)
    )


def definitions(more=TREES):
    """Return whole definitions."""
    return st.fixed_dictionaries({"tasks": tasks(more).map(lambda item: [item]), "databases": endpoints(more)}).map(
        lambda content: {"_version": {"version": "2024.11"}, BODY: content}
    )


def with_counted(document):
    """Return the definition with what Replicate counts."""
    document = copy.deepcopy(document)
    (task,) = document[BODY]["tasks"]
    task.setdefault("task_settings", {}).setdefault("common_settings", {})["task_uuid"] = "canary"
    tables = task.setdefault("source", {}).setdefault("source_tables", {}).setdefault("explicit_included_tables", [])
    tables.append({"owner": "C", "name": "COUNTED", "estimated_size": 7, "orig_db_id": 1})
    return document


def shuffled(document, draw):
    """Return the definition with its sets in another order."""

    def walk(where, value):
        if isinstance(value, dict):
            keys = draw(st.permutations(list(value)))
            return {key: walk((*where, key), value[key]) for key in keys}
        if isinstance(value, list):
            items = [walk((*where, None), item) for item in value]
            is_unordered = where[-1] in (*SETS, "tasks", "databases", "target_names")
            return list(draw(st.permutations(items))) if is_unordered else items
        return value

    return {**document, BODY: walk((), document[BODY])}


def merged(old, new, member=""):
    """Return what an import makes of ``old``: the collection does not have it, so that it is written here."""
    if isinstance(old, dict) and isinstance(new, dict):
        return {**old, **{key: merged(old.get(key), value, key) for key, value in new.items()}}
    if isinstance(old, list) and isinstance(new, list):
        left, right = ({key_of(item): item for item in items} for items in (old, new))
        if None not in left and None not in right and len(right) == len(new) and len(left) == len(old):
            return [merged(left.get(key), right.get(key, left.get(key))) for key in {**right, **left}]
    return copy.deepcopy(new)


def key_of(item):
    """Return what identifies an item of a list."""
    if not isinstance(item, dict):
        return None
    name = item.get("task", {}).get("name") or item.get("name") or item.get("column_name")
    return (item.get("owner"), name) if name else None


def compared(before, after, rules=ALL, **options):
    """Return the comparison of two definitions; none of two that differ in form, which is refused."""
    try:
        return diff.compare("definition", before, after, rules, **options)
    except InputError as error:
        assert "is damaged" in str(error)
        reject()


def exact(value):
    """Return a value in a form in which 1, 1.0 and True differ."""
    if isinstance(value, dict):
        return {key: exact(item) for key, item in value.items()}
    if isinstance(value, list):
        return [exact(item) for item in value]
    return type(value).__name__, str(value)


# Nothing lost, nothing reordered


@UNHURRIED
@given(definitions())
def test_what_an_export_holds_is_the_definition(document):
    text = stable_text(document, "fresh")
    text.encode()
    back = read_definition("dest", text)
    assert diff.is_same(document, back)
    assert exact(back[BODY]) == exact(with_sorted_sets(document[BODY]))  # by hand: is_same may forgive too much
    assert stable_text(back, "fresh") == text


def with_sorted_sets(content):
    """Return a definition with its sets in the order of an export."""

    def walk(where, value):
        if isinstance(value, dict):
            return {key: walk((*where, key), item) for key, item in value.items()}
        if isinstance(value, list):
            items = [walk((*where, None), item) for item in value]
            return model.sorted_set(items) if where[-1] in (*SETS, "tasks", "databases", "target_names") else items
        return value

    return walk((), content)


@UNHURRIED
@given(st.data(), definitions())
def test_sets_may_come_in_any_order(data, document):
    other = shuffled(document, data.draw)
    assert diff.is_same(document, other) and stable_text(document, "x") == stable_text(other, "x")
    assert compared(document, other).changes == {}


@UNHURRIED
@given(definitions(), st.booleans())
def test_what_is_sent_to_an_empty_server_is_the_definition(document, with_loggers):
    found = compared(NOTHING, with_counted(document), RULES._replace(with_loggers=with_loggers))
    (task,) = found.document[BODY]["tasks"]
    assert diff.leaves(found.document) == found.wanted
    assert "canary" not in str(found.document) and "orig_db_id" not in str(found.document)
    assert ("loggers" in task) is (with_loggers and "loggers" in document[BODY]["tasks"][0])
    expected = copy.deepcopy(document[BODY])
    (given_task,) = expected["tasks"]
    if not with_loggers:
        given_task.pop("loggers", None)
    sent = copy.deepcopy(found.document[BODY])
    tables = sent["tasks"][0]["source"]["source_tables"]["explicit_included_tables"]
    assert tables.pop() == {"owner": "C", "name": "COUNTED"}
    given_task.setdefault("task_settings", {}).setdefault("common_settings", {})
    given_task.setdefault("source", {}).setdefault("source_tables", {}).setdefault("explicit_included_tables", [])
    assert exact(sent) == exact(expected)
    assert not found.uncompared and not found.redacted and not found.remaining


@UNHURRIED
@given(definitions(), definitions())
def test_a_merge_of_what_is_sent_leaves_no_difference(before, after):
    """By an import as the project assumes it, and by the changes that a diff shows."""
    found = compared(before, after)
    assert diff.leaves(found.document) == found.wanted
    there = merged(before[BODY], found.document[BODY])
    again = compared({BODY: there}, after)
    assert again.changes == {} and {*again.remaining} <= {*found.remaining}
    applied = {**found.current, **{where: new for where, (_old, new) in found.changes.items()}}
    assert diff.changes(applied, found.wanted) == {}
    assert {where for where in found.changes if where not in found.wanted} == set()


@given(definitions(), definitions())
@UNHURRIED
def test_what_is_not_removed_is_all_that_differs_afterwards(before, after):
    found = compared(before, after)
    there = {BODY: merged(before[BODY], found.document[BODY])}
    left = compared(after, there)
    expected = [*found.remaining, *others(before, after)]
    assert all(
        any(where[: len(one)] == one for one in expected) or where[-1] is model.ORDER or is_empty_list(after, where)
        for where in left.changes
    )


def others(before, after):
    """Return the places of endpoints that only the first definition has: no part of the other."""
    names = [{item["name"] for item in document[BODY]["databases"]} for document in (before, after)]
    return [("databases", name) for name in names[0] - names[1]]


def is_empty_list(document, where):
    """Return whether the definition has an empty list at a place or above it, which empties none that has names."""
    return any(diff.leaves(document).get(where[:end]) == [] for end in range(len(where) + 1))


@given(definitions())
@UNHURRIED
def test_one_value_that_differs_is_one_change(document):
    other = copy.deepcopy(document)
    for tree, value in ((document, True), (other, 1)):
        tree[BODY]["tasks"][0]["deep"] = {"list": [{"name": "one", "x": [value]}]}
    assert set(compared(document, other).changes) == {("tasks", "fresh", "deep", "list", "one", "x")}
    assert compared(document, copy.deepcopy(document)).changes == {}


# Nothing shown


CANARY = st.uuids().map(lambda value: f"canary{value.hex}")
SECRET_NAMES = ["password", "adlsclientappkey", "securityDbEncryptionAlgorithm", "jsonCredentials", "PWD", "sas_token"]
ENCRYPTED = CANARY.map(lambda text: "{" + text + "==}")
IN_TEXTS = st.one_of(
    CANARY.map("Driver=x;PWD={};Server=y".format),
    CANARY.map('password="{};&";a=b'.format),
    CANARY.map("https://user:{}@host/".format),
    CANARY.map(lambda text: json.dumps({"a": [{"password": text}], "b": 1})),
    CANARY.map(lambda text: json.dumps({"a": json.dumps({"apiKey": f"x {text}"})})),
    CANARY.map("x=1&sharedKey={}&y=2".format),
    CANARY.map("Authorization=Bearer {}".format),
)
BELOW_A_NAME = st.one_of(CANARY, st.lists(CANARY, max_size=2), st.fixed_dictionaries({"a": CANARY, "b": CANARY}))
SECRETS = st.one_of(
    ENCRYPTED,
    IN_TEXTS,
    st.lists(IN_TEXTS, max_size=2),
    st.dictionaries(st.sampled_from(SECRET_NAMES), BELOW_A_NAME, max_size=2),
    st.tuples(st.sampled_from(["name", "key"]), CANARY).map(lambda pair: {pair[0]: "password", "value": pair[1]}),
)
IN_ENDPOINTS = st.recursive(
    SECRETS | VALUES, lambda inner: objects(inner) | st.lists(inner, max_size=3) | named(inner), max_leaves=8
)
IN_TASKS = st.recursive(ENCRYPTED | VALUES, lambda inner: objects(inner) | named(inner), max_leaves=6)


@st.composite
def secretive(draw):
    """Return a definition with secrets wherever the model knows them."""
    content = draw(definitions(IN_TASKS))[BODY]
    content["databases"] = draw(endpoints(IN_ENDPOINTS))
    content["tasks"][0]["hidden"] = draw(st.one_of(CANARY, st.lists(CANARY), objects(CANARY)))
    for item in content["databases"]:
        item["hidden too"] = draw(BELOW_A_NAME)
    return {BODY: content}


@UNHURRIED
@given(secretive(), secretive(), st.booleans())
def test_no_secret_is_shown(before, after, always):
    found = compared(before, after, always=always)
    shown = [
        stable_text(model.cover_secrets(after, RULES, lambda _secret: model.PLACEHOLDER), "x"),
        json.dumps(diff.diff(found.changes, "x", RULES)),
        json.dumps(warnings_about(found, always, {"ERP"})),
    ]
    assert not [text for text in shown if "canary" in text]
    known = "\n".join(model.secrets_of(after, RULES))
    assert all(canary in known for canary in re.findall("canary[0-9a-f]{32}", str(after)))


@UNHURRIED
@given(secretive(), secretive())
def test_what_was_redacted_is_never_sent(before, after):
    redacted = model.cover_secrets(after, RULES, lambda _secret: model.PLACEHOLDER)
    for keep in (False, True):
        assert model.PLACEHOLDER not in str(compared(before, redacted, keep=keep).document)
    same = compared(after, redacted)
    assert same.changes == {} and model.PLACEHOLDER not in str(same.document)


def test_a_redacted_list_of_secrets_is_the_one_of_the_server():
    def with_pins(*pins):
        return {BODY: {"databases": [{"name": "ERP", "db_settings": {"passwords": list(pins)}}]}}

    redacted = model.cover_secrets(with_pins("x", "y"), RULES, lambda _secret: model.PLACEHOLDER)
    assert compared(with_pins("a", "b"), redacted).document == with_pins("a", "b")
    assert compared(with_pins("a"), redacted).document == with_pins("a")
    new = compared(NOTHING, redacted)
    assert new.document == with_pins() and new.redacted == [("databases", "ERP", "db_settings", "passwords")] * 2


@UNHURRIED
@given(secretive())
def test_what_was_redacted_is_named(document):
    redacted = model.cover_secrets(document, RULES, lambda _secret: model.PLACEHOLDER)
    places = model.redacted_places(redacted)
    assert len(places) == len([text for _where, text in model.texts(redacted) if model.PLACEHOLDER in text])
    if places:
        assert all(model.name(where) in model.names(places, 1000) for where in places)


@given(definitions())
@UNHURRIED
def test_without_secrets_nothing_is_redacted(document):
    assert model.cover_secrets(document, model.Rules(), lambda _secret: "covered") == document
    assert list(model.secrets_of(document, model.Rules())) == []


@given(st.text("+/=ABCabc012", min_size=17, max_size=40), st.uuids())
@UNHURRIED
def test_an_encrypted_text_counts_as_the_same_and_a_guid_does_not(text, guid):
    assert is_encrypted("{" + text + "}") and not is_encrypted(f"{{{guid}}}")


def test_numbers_are_kept_digit_by_digit():
    text = json.dumps({BODY: {"tasks": [{"task": {"name": "x"}, "n": 1}]}}).replace(
        "1}", "[0.12345678901234567890123, 123456789012345678901234567890, 1e400, 1.10, 1E2, -0.0]}"
    )
    (task,) = read_definition("x", text)[BODY]["tasks"]
    assert task["n"][0] == Decimal("0.12345678901234567890123") and task["n"][1] == 123456789012345678901234567890
    shown = stable_text({BODY: {"tasks": [task]}}, "x")
    assert all(digits in shown for digits in ("0.12345678901234567890123", "123456789012345678901234567890", "1E+400"))


def test_numbers_as_names_are_texts_as_in_json():
    (task,) = read_definition("x", {BODY: {"tasks": [{"task": {"name": "x"}, 1: {True: 2}}]}})[BODY]["tasks"]
    assert task["1"] == {"true": 2}


@pytest.mark.parametrize("value", [float("nan"), float("inf"), datetime.date(2026, 1, 1), {("a",): 1}])
def test_what_json_has_not_is_refused(value):
    with pytest.raises(InputError, match="x is not JSON: "):
        read_definition("x", {BODY: {"tasks": [{"task": {"name": "x"}, "a": value}]}})


@pytest.mark.parametrize(
    ("old", "new", "sent"),
    [
        ("PWD=a;B=1;PWD=b", "PWD=<redacted>;B=2;PWD=<redacted>", "PWD=a;B=2;PWD=b"),
        ("https://u:a@x https://u:b@y", "https://u:<redacted>@x https://u:<redacted>@z", "https://u:a@x https://u:b@z"),
        ("PWD=a;B=1;PWD=b", "PWD=clear;B=1;pwd=<redacted>", "PWD=clear;B=1;pwd=b"),
        ("PWD=a", "PWD=<redacted>;PWD=<redacted>", None),
        ("PWD=a", "PASSWORD=<redacted>", None),
    ],
)
def test_a_text_is_filled_in_by_the_names_of_its_secrets_and_their_order(old, new, sent):
    def with_text(text):
        return {BODY: {"databases": [{"name": "ERP", "db_settings": {"x": text}}]}}

    settings_ = compared(with_text(old), with_text(new)).document[BODY]["databases"][0]["db_settings"]
    assert settings_ == ({} if sent is None else {"x": sent})


def test_a_pair_with_an_owner_has_the_name_of_its_secret_too():
    def with_pair(value):
        settings_ = {"list": [{"owner": "o", "name": "password", "value": value}]}
        return {BODY: {"databases": [{"name": "ERP", "db_settings": settings_}]}}

    found = compared(with_pair("canary-old"), with_pair("canary-new"))
    assert found.changes and "canary" not in str(diff.diff(found.changes, "x", RULES))


# Case by case


@pytest.mark.parametrize(
    ("item", "identity"),
    [
        ({"name": "a"}, "a"),
        ({"name": "a", "owner": "o"}, ("o", "a")),
        ({"name": "a", "owner": 7}, "a"),
        ({"column_name": "c"}, "c"),
        ({"column_name": "c", "owner": "o"}, ("o", "c")),
        ({"name": 7, "column_name": "c"}, "c"),
        ({"task": {"name": "t"}, "name": "x"}, "t"),
        ({"rep_target": {"target_name": "r"}, "name": "x"}, "r"),
        ({"task": {"name": 7}, "name": "x"}, "x"),
        ({"task": "t", "rep_target": {"name": "r"}}, None),
        ({}, None),
        ("name", None),
    ],
)
def test_what_identifies_an_item(item, identity):
    assert model.identity(item) == identity


def test_the_items_of_a_list_by_what_identifies_them():
    one, other = {"name": "a"}, {"name": "b"}
    assert model.by_identity([one, other]) == {"a": one, "b": other}
    for items in ([], [one, one], [one, {}], [1]):
        assert model.by_identity(items) is None
    assert list(model.placed([one, other])) == [("a", one), ("b", other)]
    assert list(model.placed([one, 7])) == [(0, one), (1, 7)]


def test_places_as_people_read_them():
    places = [("tasks", "t", ("o", "n"), 0)] * 12
    assert model.name(places[0]) == "tasks/t/o.n/0"
    assert model.name(("tasks", "t", "items", model.ORDER)) == "tasks/t/items/(order)"
    assert model.beginnings(("tasks", "t", 0)) == [("tasks",), ("tasks", "t"), ("tasks", "t", 0)]
    assert model.names(places[:2]) == "tasks/t/o.n/0, tasks/t/o.n/0"
    assert model.names(places) == f"{', '.join(['tasks/t/o.n/0'] * 10)} and 2 more"
    assert model.names(places[:10]).count("/0") == 10 and "more" not in model.names(places[:10])
    assert model.names(places, 11).endswith("/0 and 1 more")


def test_the_options():
    assert model.rules_in({"secrets": ["a"], "loggers": "manage"}) == model.Rules(("a",), True)
    assert model.rules_in({"secrets": None, "loggers": "ignore"}) == model.Rules((), False)


def test_sets():
    assert model.is_set(("tasks",)) and model.is_set(("tasks", "t", "targets")) and not model.is_set(("tasks", "t"))
    items = [{"name": "b"}, {"name": "a", "x": 2}, {"name": "a", "x": 1}, 7]
    assert model.sorted_set(items) == [7, {"name": "a", "x": 1}, {"name": "a", "x": 2}, {"name": "b"}]
    assert model.sorted_set([{"x": 1, "w": 2}, {"w": 1, "x": 9}]) == [{"w": 1, "x": 9}, {"x": 1, "w": 2}]
    assert model.sorted_set([{"w": 3, "x": 0}, {"x": 1, "w": 2}]) == [{"x": 1, "w": 2}, {"w": 3, "x": 0}]
    assert model.sorted_set([{"name": "b", "a": 1}, {"name": "a", "z": 1}])[0] == {"name": "a", "z": 1}


def test_what_replicate_counts_is_left_out():
    task = {
        "task": {"name": "t", "task_uuid": 1},
        "x": [{"estimated_size": 1, "y": [1]}, 2],
        "loggers": {"orig_db_id": 1},
    }
    document = {BODY: {"tasks": [task, "odd"], "databases": [{"task_uuid": 1}]}, "v": 1}
    plain = {"task": {"name": "t"}, "x": [{"y": [1]}, 2]}
    assert model.without_counted(document) == {
        BODY: {"tasks": [{**plain, "loggers": {}}, "odd"], "databases": [{"task_uuid": 1}]},
        "v": 1,
    }
    assert model.without_counted(document, False)[BODY]["tasks"] == [plain, "odd"]
    for other in ({}, {BODY: []}, {BODY: {}}, {BODY: {"tasks": {"task_uuid": 1}}}):
        assert model.without_counted(other) is other


NAMED = model.Rules(("tasks/t/mine", "databases/*/x?", "tasks/t/list/0"))


@pytest.mark.parametrize(
    ("where", "secret"),
    [
        (("tasks", "t", "mine"), True),
        (("tasks", "t", "mine", "below"), True),
        (("tasks", "t", "password"), False),
        (("databases", "e", "password"), True),
        (("databases", "e", "a", "password", "b"), True),
        (("databases", "password", "a"), False),  # the name of an endpoint
        (("databases", "password"), False),
        (("notifications", "password"), True),
        (("password", "a"), False),
        (("databases", "e", ("o", "password")), True),
        (("databases", "e", ("password", "o")), False),
        (("databases", "e", "x1"), True),
        (("databases", "e", "x"), False),
    ],
)
def test_secret_places(where, secret):
    assert model.is_secret_place(where, NAMED) is secret


def test_a_pattern_may_name_a_whole_part_of_the_definition_but_not_all_of_it():
    assert model.is_secret_place(("tasks", "t", "a"), model.Rules(("tasks",)))
    assert not model.is_secret_place(("tasks", "t", "a"), model.Rules(("",)))


def covered(where, value, rules=NAMED):
    return model.cover_at(where, value, rules, lambda text: f"<{text}>")


def test_covering():
    assert covered(("tasks", "t", "mine"), {"a": ["x", 7], "b": None}) == {"a": ["<x>", "<7>"], "b": None}
    assert covered(("tasks",), [{"task": {"name": "t"}, "mine": "x", "password": "y", "list": ["u", "v"]}]) == [
        {"task": {"name": "t"}, "mine": "<x>", "password": "y", "list": ["<u>", "v"]}
    ]
    endpoint = {"name": "e", "password": "x", "x1": {"y": 1}, "z": [{"name": "n", "q": 2}]}
    assert covered(("databases",), [endpoint]) == [{**endpoint, "password": "<x>", "x1": {"y": "<1>"}}]
    assert covered(("databases",), [endpoint], model.Rules()) == [{**endpoint, "password": "<x>"}]
    document = {BODY: {"databases": [endpoint], "tasks": []}, "v": 1}
    assert model.cover_secrets(document, NAMED, lambda text: f"<{text}>") == {
        BODY: {"databases": [{**endpoint, "password": "<x>", "x1": {"y": "<1>"}}], "tasks": []},
        "v": 1,
    }
    assert sorted(model.secrets_of({BODY: {"databases": [endpoint], "tasks": [{"password": "p"}]}}, NAMED)) == [
        "1",
        "x",
    ]


def test_what_was_taken_out_and_patterns_that_name_nothing():
    document = {BODY: {"tasks": [{"task": {"name": "t"}, "a": "x <redacted>", "b": [7, "<redacted>"]}]}}
    assert model.redacted_places(document) == [("tasks", "t", "a"), ("tasks", "t", "b", 1)]
    assert next(model.texts(document)) == (("tasks", "t", "task", "name"), "t")
    assert list(model.texts({})) == list(model.texts({BODY: None})) == []
    assert [model.is_redacted(value) for value in ("<redacted>", "a<redacted>b", "redacted", 7)] == [
        True,
        True,
        False,
        False,
    ]
    rules = model.Rules(("tasks", "tasks/t/a", "tasks/*/b", "tasks/t", "tasks/u", "a*", "tasks/t/b/1", ""))
    assert model.unknown_secrets(document, rules) == ["tasks/u", "a*", ""]


def test_a_pair_that_holds_a_secret():
    assert [
        model.is_secret_place(("databases", "e", key), NAMED)
        for key, _item in model.members({"name": "password", "value": "x"})
    ] == [False, True]
    assert [
        model.is_secret_place(("databases", "e", key), NAMED)
        for key, _item in model.members({"name": "host", "value": "x", "password": "y"})
    ] == [False, False, True]
    assert [key for key, _item in model.members({"name": "password", "value": "x"})] == ["name", "value"]
