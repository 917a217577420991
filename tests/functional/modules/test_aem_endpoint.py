# Copyright (c) 2026, dataops.qlik_em contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""aem_endpoint: what it changes, what it leaves alone, what it refuses, who may run it."""

from __future__ import annotations

import json

import pytest
import yaml
from ansible_collections.dataops.qlik_em.tests.functional.support.endpoints import (
    PROD,
    endpoint,
    names,
    person,
    sent,
    writes,
)
from ansible_collections.dataops.qlik_em.tests.simulator import document


@pytest.fixture
def admin(em):
    """The Admin of Enterprise Manager."""
    return person(em, "admin")


def stored(em, name="ERP"):
    """Return the settings as the stand-in has them, secrets in clear text."""
    return em.endpoint(PROD, name)["db_settings"]


def limited_user(em, grants):
    """Return a user who has these roles on Replicate-Prod, and no others."""
    settings = yaml.safe_load(document.DEFAULT_DOCUMENT.read_text())
    (limited,) = [one for one in settings["users"] if one["name"] == "viewer"]
    limited["grants"] = [{**grant, "server": PROD} for grant in grants]
    em.reset(settings)
    return person(em, "viewer")


# Changing


def test_what_differs_is_patched_and_the_rest_stays(admin, em):
    before = stored(em)
    run = endpoint(admin, settings={"server": "new:1521/ERP", "archived_logs_only": None, "depth": {"a/b~c": 1}})
    assert run.changed and not run.failed, run.result
    assert sent(run, "PatchEndpoint") == [
        [
            {"op": "replace", "path": "/db_settings/server", "value": "new:1521/ERP"},
            {"op": "remove", "path": "/db_settings/archived_logs_only"},
            {"op": "add", "path": "/db_settings/depth", "value": {"a/b~c": 1}},
        ]
    ]
    del before["archived_logs_only"]
    assert stored(em) == {**before, "server": "new:1521/ERP", "depth": {"a/b~c": 1}}
    run = endpoint(admin, settings={"depth": {"a/b~c": 2, "gone": None, "more": {"x": None}}})
    assert sent(run, "PatchEndpoint") == [[{"op": "replace", "path": "/db_settings/depth/a~1b~0c", "value": 2}]]
    assert run.result["endpoint"] == {
        "server": PROD,
        "name": "ERP",
        "type": "ORACLE",
        "role": "SOURCE",
        "description": "The database of the shop",
    }


def test_what_is_there_already_is_not_sent(admin, em):
    em.set_endpoint(PROD, "ERP", db_settings={**stored(em), "useToken": False})
    settings = {"server": "erp.corp.example:1521/ERP", "archived_logs_only": True, "nothing": None, "useToken": False}
    run = endpoint(admin, type="Oracle_Component_Type", role="source", settings=settings)
    assert not run.failed and not run.changed and writes(run) == []


@pytest.mark.parametrize(
    ("is_now", "given", "value"),
    [
        (1521, "1521", None),
        (1521, "1522", 1522),
        (1521, "many", "many"),
        (True, "true", None),
        (True, "False", False),
        (True, "YES", None),
        (False, "no", None),
        (False, "on", "on"),
        (1.5, "1.5", None),
        (1.5, "2", 2.0),
        (5, "5.5", "5.5"),
        ("1521", 1521, None),
        ("1521", 1522, "1522"),
        (1, True, True),
        ([1, 2], [1, 2], None),
        ([1, 2], [2, 1], [2, 1]),
        ([1, 2], ["1", "2"], ["1", "2"]),
        ({"a": 1}, 2, 2),
        ([{"a": 1}], [{"a": 1, "b": 2}], [{"a": 1, "b": 2}]),
    ],
)
def test_a_text_that_a_template_made_is_compared_in_the_type_of_the_stored_value(admin, em, is_now, given, value):
    em.set_endpoint(PROD, "ERP", db_settings={"$type": "OracleSettings", "x": is_now})
    run = endpoint(admin, settings={"x": given})
    assert not run.failed and run.changed is (value is not None)
    if value is not None:
        assert stored(em)["x"] == value and type(stored(em)["x"]) is type(value)
        assert not endpoint(admin, settings={"x": given}).changed


def test_a_value_where_there_was_none_is_sent_as_it_is_given(admin, em):
    assert endpoint(admin, settings={"port": "1522", "slow": "yes", "depth": {"size": "1"}}).changed
    assert {name: stored(em)[name] for name in ("port", "slow", "depth")} == {
        "port": "1522",
        "slow": "yes",
        "depth": {"size": "1"},
    }


def test_null_removes_at_any_depth_and_nothing_that_is_not_there(admin, em):
    em.set_endpoint(PROD, "ERP", db_settings={"$type": "OracleSettings", "a": {"b": 1, "c": {"d": 2}}})
    assert endpoint(admin, settings={"a": {"b": None, "c": {"d": None, "e": None}}}).changed
    assert stored(em) == {"$type": "OracleSettings", "a": {"c": {}}}
    assert not endpoint(admin, settings={"a": {"b": None, "x": {"y": None}}, "z": None}).changed


def test_a_default_that_an_export_leaves_out_is_sent_each_time(admin, em):
    item = {"name": "ERP", "role": "SOURCE", "type_id": "ORACLE_COMPONENT_TYPE", "db_settings": {"server": "erp"}}
    exported = {"cmd.replication_definition": {"tasks": [], "databases": [item]}}
    em.faults({"match": {"operation": "ExportAll"}, "nth": "all", "fault": "answer", "json": exported})
    for _attempt in range(2):
        run = endpoint(admin, settings={"server": "erp", "port": 1521})
        assert run.changed
        assert sent(run, "PatchEndpoint") == [[{"op": "add", "path": "/db_settings/port", "value": 1521}]]


def test_settings_are_read_only_where_they_are_needed(em):
    """The viewer may not read them."""
    run = endpoint(person(em, "viewer"), type="oracle", role="source", description="The database of the shop")
    assert not run.failed and not run.changed and run.operations == ["Login", "GetEndpointList", "Logout"]


def test_the_inner_type_of_settings_cannot_be_changed(admin, em):
    fixed = {"$type": "JavaSettings", "connectioninfo": {"$type": "InnerSettings", "port": 1}}
    em.set_endpoint(PROD, "ERP", db_settings=fixed)
    for value in ("OtherSettings", None):
        run = endpoint(admin, settings={"connectioninfo": {"$type": value, "port": 2}})
        assert run.failed and not run.changed and writes(run) == []
        assert 'settings.connectioninfo.$type is "InnerSettings" and cannot be changed: leave it out.' in run.msg
    assert endpoint(admin, settings={"connectioninfo": {"$type": "InnerSettings", "port": 2}}).changed


def test_an_endpoint_without_a_description_has_an_empty_one(admin, em):
    listed = {"endpointList": [{"name": "ERP", "description": None, "role": "SOURCE", "type": "ORACLE"}]}
    em.faults({"match": {"operation": "GetEndpointList"}, "nth": "all", "fault": "answer", "json": listed})
    for options in ({}, {"description": ""}):
        run = endpoint(admin, **options)
        assert not run.failed and not run.changed and run.result["endpoint"]["description"] == ""


def test_a_description_is_changed_by_an_import_that_keeps_all_else(admin, em):
    before = em.server(PROD)
    run = endpoint(admin, description="New", settings={"server": "new"}, diff=True)
    assert run.changed and writes(run) == ["ImportTask", "DeleteTask", "DeleteEndpoint", "PatchEndpoint"]
    assert run.result["diff"]["before"]["description"] == "The database of the shop"
    assert run.result["diff"]["after"] == {"description": "New", "settings": {"server": "new"}}
    sent_item = sent(run, "ImportTask")[0]["cmd.replication_definition"]["databases"][0]
    assert (sent_item["name"], sent_item["type_id"]) == ("ERP", "ORACLE_COMPONENT_TYPE")
    assert sent_item["db_settings"]["password"].startswith("{")
    before["endpoints"]["ERP"]["description"] = "New"
    before["endpoints"]["ERP"]["db_settings"]["server"] = "new"
    before["endpoints"]["ERP"]["patches"] = 1
    assert em.server(PROD) == before
    assert not endpoint(admin, description="New").changed
    assert endpoint(admin, description="").changed and em.endpoint(PROD, "ERP")["description"] == ""


def test_settings_that_cannot_be_changed_after_the_description_was_say_so(admin, em):
    before = names(em)
    em.set_endpoint(PROD, "ERP", fail_patch=True)
    run = endpoint(admin, description="New", settings={"server": "new"})
    assert run.failed and run.changed and run.result["error_code"] == "AEM_PATCH_ENDPOINT_INNER_ERR"
    assert 'The description of the endpoint "ERP" on server "Replicate-Prod" was changed, but not' in run.msg
    assert em.endpoint(PROD, "ERP")["description"] == "New" and names(em) == before


# Secrets

CANARY = "canary \"q'a\\b%41&c+d/e=f<g>ü#z"


def test_a_secret_that_is_there_is_set_by_update_password_only(admin, em):
    kept = endpoint(admin, secrets={"password": CANARY})
    assert not kept.failed and not kept.changed and writes(kept) == []
    for _attempt in range(2):
        run = endpoint(admin, secrets={"password": CANARY}, update_password="always", diff=True)
        assert run.changed and writes(run) == ["PatchEndpoint"] and stored(em)["password"] == CANARY
        assert run.result["diff"]["before"] == {"settings": {"password": "(the stored secret)"}}
        assert run.result["diff"]["after"] == {"settings": {"password": "(the given secret)"}}


def test_a_secret_that_an_export_does_not_encrypt_is_compared(admin, em):
    em.set_endpoint(PROD, "ERP", db_settings={"$type": "OracleSettings", "pin": CANARY, "authToken": CANARY})
    same = {"settings": {"authToken": CANARY}, "secrets": {"pin": CANARY}}
    assert not endpoint(admin, **same, update_password="always").changed
    assert endpoint(admin, settings={"authToken": "another one"}, update_password="on_create").changed
    assert stored(em)["authToken"] == "another one"


@pytest.mark.parametrize("option", ["settings", "secrets"])
@pytest.mark.parametrize("update_password", ["on_create", "always"])
def test_null_removes_a_secret(admin, em, option, update_password):
    for changes in (True, False):
        run = endpoint(admin, **{option: {"password": None}}, update_password=update_password)
        assert not run.failed and run.changed is changes and "password" not in stored(em)


def test_update_password_holds_for_secrets_in_settings(admin, em):
    before = stored(em)["password"]
    assert not endpoint(admin, settings={"password": CANARY}).changed and stored(em)["password"] == before
    assert endpoint(admin, settings={"password": CANARY}, update_password="always").changed
    assert stored(em)["password"] == CANARY


def test_a_secret_that_is_not_there_is_set_once(admin, em):
    em.set_variants(fresh_encryption=True)
    assert endpoint(admin, secrets={"wallet": {"asm_password": CANARY}}).changed
    assert stored(em)["wallet"] == {"asm_password": CANARY}
    assert not endpoint(admin, secrets={"wallet": {"asm_password": CANARY}}).changed
    assert endpoint(admin, settings={"wallet": {"asm_password": None}}, diff=True).changed
    assert stored(em)["wallet"] == {}


def test_a_secret_in_a_list_is_no_difference_by_itself(admin, em):
    em.set_endpoint(PROD, "ERP", db_settings={"$type": "OracleSettings", "nodes": [{"host": "a", "password": "x"}]})
    assert not endpoint(admin, settings={"nodes": [{"host": "a", "password": CANARY}]}).changed
    run = endpoint(admin, settings={"nodes": [{"host": "b", "password": CANARY}]}, diff=True)
    assert run.changed and stored(em)["nodes"] == [{"host": "b", "password": CANARY}]
    assert run.result["diff"]["before"]["settings"] == {"nodes": [{"host": "a", "password": "********"}]}
    assert run.result["diff"]["after"]["settings"] == {"nodes": [{"host": "b", "password": "********"}]}
    for _attempt in range(2):
        run = endpoint(admin, settings={"nodes": [{"host": "b", "password": CANARY}]}, update_password="always")
        assert run.changed


SECRET_NAMES = (
    *("password", "PASSPHRASE_2", "passphrases", "pwd", "dbPasswd", "secret", "clientSecret", "secretAccessKey"),
    *(
        "privateKey",
        "ACCESS_KEY",
        "apiKey",
        "x_api_key_2",
        "accountKey",
        "adlsclientappkey",
        "encryptionKey",
        "sharedKey",
    ),
    *("token", "authToken", "sessionId", "SESSION_ID", "jsonCredentials", "credentials", "connectionString", "keytab"),
    *("authorization", "securityDbEncryption", "securityDbEncryptionName"),
)
OTHER_NAMES = (
    "username",
    "pass",
    "key",
    "topic_key",
    "dbPasswordFile",
    "private_key_file",
    "accountKeyType",
    "secretStore",
    "tokenCaching",
    "file_name_token",
    "accessKeyId",
    "keystore",
    "publicKey",
    "tokens",
    "tokenizer",
    "session",
    "sessionIds",
)


@pytest.mark.parametrize(
    ("name", "is_secret"), [*((name, True) for name in SECRET_NAMES), *((name, False) for name in OTHER_NAMES)]
)
def test_the_name_of_a_setting_says_whether_it_is_secret(admin, em, name, is_secret):
    em.set_endpoint(PROD, "ERP", db_settings={"$type": "OracleSettings", name: "the old value"})
    info = admin.run("aem_endpoint_info", server=PROD, name="ERP", settings=True)
    assert info.result["endpoints"][0]["settings"][name] == ("********" if is_secret else "the old value")
    run = endpoint(admin, settings={name: "the new value"}, update_password="always", diff=True)
    assert run.changed and stored(em)[name] == "the new value"
    before, after = (run.result["diff"][side]["settings"][name] for side in ("before", "after"))
    shown = ("(the stored secret)", "(the given secret)") if is_secret else ("the old value", "the new value")
    assert (before, after) == shown


@pytest.mark.parametrize("option", ["settings", "secrets"])
@pytest.mark.parametrize("name", ["password", "authToken", "clientSecret", "kerberos_passphrase", "secretAccessKey"])
def test_no_secret_comes_out(admin, em, option, name):
    new = {"name": "new", "type": "oracle", "role": "source", option: {"deep": {name: CANARY}}}
    em.set_endpoint(PROD, "ERP", db_settings={"$type": "OracleSettings", "deep": {name: "the old canary"}})
    echo = f"Not like this: {json.dumps(CANARY)} {CANARY}"
    texts = []
    for options in (new, {option: {"deep": {name: CANARY}}, "update_password": "always"}):
        for check in (True, False):
            texts.append(endpoint(admin, check=check, diff=True, **options).result)
    em.faults({"nth": "all", "fault": "error", "error_code": "AEM_ODD", "error_message": echo})
    texts += [endpoint(admin, **new).result, endpoint(admin, **{**new, "state": "absent"}).result]
    text = "\n".join(repr(one) + json.dumps(one, ensure_ascii=False) for one in texts)
    assert "canary" not in text and "(the given secret)" in text and "Not like this" in text


def test_all_values_of_secrets_are_hidden_whatever_their_names(admin, em):
    em.set_endpoint(PROD, "ERP", db_settings={"$type": "OracleSettings", "pin": "the old canary"})
    run = endpoint(admin, secrets={"pin": CANARY}, diff=True)
    assert run.changed and stored(em)["pin"] == CANARY
    assert "canary" not in repr(run.result) and "(the stored secret)" in repr(run.result)
    echo = {"fault": "error", "error_code": "AEM_ODD", "error_message": f"Not like this: {CANARY}"}
    em.faults({"match": {"operation": "PatchEndpoint"}, **echo})
    run = endpoint(admin, secrets={"pin": CANARY, "puk": "x"})
    assert "Not like this" in run.msg and "canary" not in repr(run.result)


# A name of a secret, and what may stand below it.
NESTED = [
    {"passwords": ["{}"]},
    {"passwords": ["fine", ["{}"]]},
    {"clientSecret": {"host": "{}"}},
    {"clientSecret": {"nodes": [{"host": "{}"}]}},
    {"deep": [{"clientSecrets": [{"a": {"b": ["{}"]}}]}]},
]


def filled(value, text):
    """Return a value with the text in the place of {}."""
    if isinstance(value, dict):
        return {key: filled(item, text) for key, item in value.items()}
    if isinstance(value, list):
        return [filled(item, text) for item in value]
    return text if value == "{}" else value


@pytest.mark.parametrize("nested", NESTED, ids=str)
@pytest.mark.parametrize("update_password", ["on_create", "always"])
def test_no_secret_below_the_name_of_one_comes_out(admin, em, nested, update_password):
    """Of a new endpoint, of one that is changed, reconfigured or read, and of what the server echoes."""
    given = filled(nested, CANARY)
    new = {"name": "new", "type": "oracle", "role": "source", "settings": given}
    results = [endpoint(admin, **new, check=check, diff=True).result for check in (True, False)]
    assert em.endpoint(PROD, "new")["db_settings"] == {"$type": "OracleSettings", **given}
    em.set_endpoint(PROD, "ERP", db_settings={"$type": "OracleSettings", **filled(nested, "the old canary")})
    em.set_endpoint(PROD, "ERP standby", db_settings={"$type": "OracleSettings", **given})
    swap = {"state": "reconfigured", "configuration": "ERP standby", "update_password": update_password}
    results.append(endpoint(admin, **swap, diff=True, check=True).result)
    results.append(admin.run("aem_endpoint_info", server=PROD, settings=True).result)
    echo = {"fault": "error", "error_code": "AEM_ODD", "error_message": f"Not like this: {json.dumps(CANARY)} {CANARY}"}
    em.faults({"match": {"operation": "PatchEndpoint"}, **echo})
    for _attempt in range(2):
        results.append(endpoint(admin, settings=given, update_password=update_password, diff=True).result)
    assert results[-2]["failed"] and "Not like this" in results[-2]["msg"] and not results[-1].get("failed")
    text = "\n".join(repr(one) + json.dumps(one, ensure_ascii=False) for one in results)
    assert "canary" not in text


def test_a_setting_below_the_name_of_a_secret_is_not_shown_when_it_changes(admin, em):
    em.set_endpoint(
        PROD, "ERP", db_settings={"$type": "OracleSettings", "clientSecret": {"a": "the old canary", "b": "c"}}
    )
    run = endpoint(admin, settings={"clientSecret": {"a": CANARY}}, diff=True)
    assert run.changed and stored(em)["clientSecret"] == {"a": CANARY, "b": "c"}
    assert run.result["diff"]["before"] == {"settings": {"clientSecret": {"a": "(the stored secret)"}}}
    assert run.result["diff"]["after"] == {"settings": {"clientSecret": {"a": "(the given secret)"}}}


def test_what_becomes_a_mapping_with_a_secret_in_it_is_not_shown(admin, em):
    em.set_endpoint(PROD, "ERP", db_settings={"$type": "OracleSettings", "wallet": "the old canary"})
    run = endpoint(admin, settings={"wallet": {"path": "/w"}}, secrets={"wallet": {"pin": CANARY}}, diff=True)
    assert run.changed and stored(em)["wallet"] == {"path": "/w", "pin": CANARY}
    assert run.result["diff"]["before"] == {"settings": {"wallet": "(the stored secret)"}}
    assert run.result["diff"]["after"] == {"settings": {"wallet": {"path": "/w", "pin": "********"}}}


def test_secrets_in_lists_are_not_what_two_endpoints_differ_in(admin, em):
    for name, secret in (("ERP", "one"), ("ERP standby", "another")):
        settings = {"$type": "OracleSettings", "passwords": [secret], "clientSecret": {"pins": [[secret]]}}
        em.set_endpoint(PROD, name, db_settings=settings)
    run = endpoint(admin, state="reconfigured", configuration="ERP standby")
    assert not run.failed and not run.changed


# Deleting


def test_an_endpoint_that_nobody_uses_is_deleted(admin, em):
    run = endpoint(admin, name="Down & out", state="absent", diff=True)
    assert run.changed and "Down & out" not in names(em)
    assert run.result["diff"]["before"] == {
        "type": "POSTGRESQL",
        "role": "TARGET",
        "description": "Nobody uses it, and nobody reaches it",
    }
    assert run.result["diff"]["after"] == {}
    again = endpoint(admin, name="Down & out", state="absent")
    assert not again.changed and again.operations == ["Login", "DeleteEndpoint", "Logout"]


@pytest.mark.parametrize("check", [True, False])
@pytest.mark.parametrize("who", ["admin", "designer"])
def test_one_in_use_names_the_tasks(em, who, check):
    run = endpoint(person(em, who), state="absent", check=check)
    assert run.failed and not run.changed and "ERP" in names(em)
    assert (
        run.msg == 'The endpoint "ERP" on server "Replicate-Prod" cannot be deleted: it is used by the task "orders".'
    )
    assert (run.result["tasks"], run.result["error_code"]) == (["orders"], "AEM_ENDPOINT_IS_IN_USE")
    assert run.result["hint"].startswith("Delete these tasks")


def test_one_in_use_by_tasks_that_the_user_may_not_see_keeps_the_words_of_the_server(em):
    limited = limited_user(em, [{"role": "Designer", "endpoint": "ERP"}])
    run = endpoint(limited, state="absent")
    assert run.failed and run.result["error_code"] == "AEM_ENDPOINT_IS_IN_USE" and "tasks" not in run.result
    assert 'DeleteEndpoint of endpoint "ERP" on server "Replicate-Prod" failed' in run.msg


def test_tasks_that_the_user_may_not_see_cannot_be_foreseen(em):
    limited = limited_user(em, [{"role": "Viewer", "all_endpoints": True}, {"role": "Designer", "endpoint": "ERP"}])
    foreseen = endpoint(limited, state="absent", check=True)
    assert foreseen.changed and not foreseen.failed and writes(foreseen) == []
    assert endpoint(limited, state="absent").result["error_code"] == "AEM_ENDPOINT_IS_IN_USE"


@pytest.mark.parametrize(
    ("operation", "options"),
    [
        ("ExportAll", {"state": "absent", "check": True}),
        ("GetTaskList", {"state": "absent", "check": True}),
        ("ExportAll", {"state": "reconfigured", "configuration": "ERP standby"}),
        ("ExportTask", {"settings": {"server": "new"}}),
    ],
)
def test_what_cannot_be_read_for_another_reason_than_the_role_is_a_failure(em, operation, options):
    who = "admin" if operation == "ExportAll" else "designer"  # who may not read an export of all
    em.faults({"match": {"operation": operation}, "fault": "error", "error_code": "SYS,GENERIC"})
    run = endpoint(person(em, who), **options)
    assert run.failed and writes(run) == [] and run.result["error_code"] == "SYS,GENERIC"
    assert run.msg.startswith(f"{operation} of ")


def test_an_endpoint_that_no_export_contains_is_named_with_who_may_read_it(admin, em):
    exported = {"cmd.replication_definition": {"databases": []}}
    em.faults({"match": {"operation": "ExportAll"}, "fault": "answer", "json": exported})
    run = endpoint(admin, settings={"server": "new"})
    assert run.failed and writes(run) == [] and "cannot be read: no export contains them." in run.msg
    assert run.result["hint"].startswith("Settings can be read by an Admin")


def test_a_refused_deletion_is_told(admin, em):
    em.set_endpoint(PROD, "Down & out", fail_delete=True)
    run = endpoint(admin, name="Down & out", state="absent")
    assert run.failed and run.result["error_code"] == "AEM_DELETE_ENDPOINT_INNER_ERR" and run.result["hint"]


# Reconfiguring


def reconfigure(user, **options):
    """Give ERP the settings of its standby."""
    return endpoint(user, **{"state": "reconfigured", "configuration": "ERP standby", **options})


@pytest.mark.parametrize("recycle", [True, False])
def test_the_settings_of_another_endpoint_are_taken(admin, em, recycle):
    run = reconfigure(admin, recycle=recycle, diff=True)
    assert run.changed and stored(em) == stored(em, "ERP standby")
    assert f"recycle={str(recycle).lower()}" in run.requests[-2]["raw_path"]
    diff = run.result["diff"]
    assert diff["before"]["settings"]["server"] == "erp.corp.example:1521/ERP"
    assert diff["after"]["settings"]["server"] == "standby.corp.example:1521/ERP"
    assert diff["after"]["settings"]["password"] == diff["before"]["settings"]["password"] == "********"
    assert diff["after"]["configuration"] == "ERP standby"
    again = reconfigure(admin, diff=True)
    assert not again.changed and writes(again) == []
    assert again.result["diff"]["before"] == again.result["diff"]["after"]
    for _attempt in range(2):
        assert reconfigure(admin, update_password="always").changed


def test_without_the_right_to_read_settings_it_is_sent_each_time(em):
    foreseen = reconfigure(person(em, "operator"), check=True)
    assert foreseen.changed and writes(foreseen) == []
    assert (foreseen.result["diff"]["before"], foreseen.result["diff"]["after"]) == (
        {},
        {"configuration": "ERP standby"},
    )
    for _attempt in range(2):
        assert reconfigure(person(em, "operator")).changed
    assert stored(em) == stored(em, "ERP standby")


# Reading the present settings


def test_a_designer_reads_the_settings_through_a_task_that_uses_the_endpoint(em):
    run = endpoint(person(em, "designer"), settings={"server": "new"})
    assert run.changed and stored(em)["server"] == "new"
    assert run.operations[:6] == [
        *("Login", "GetEndpointList", "ExportAll", "GetTaskList", "GetTaskDetails", "ExportTask")
    ]


def test_without_such_a_task_the_refusal_says_who_may(em):
    run = endpoint(person(em, "designer"), name="Down & out", settings={"server": "new"})
    assert run.failed and writes(run) == [] and run.result["error_code"] == "UNAUTHORIZED_REQUEST"
    assert run.msg.startswith('The settings of the endpoint "Down & out" on server "Replicate-Prod" cannot be read.')
    assert "Admin of Enterprise Manager, or by the Operator of a task that uses the endpoint" in run.result["hint"]


def test_who_may_not_change_it_is_told_the_role(em):
    run = endpoint(person(em, "operator"), settings={"server": "new"})
    assert run.failed and not run.changed and run.result["error_code"] == "UNAUTHORIZED_REQUEST"
    assert 'PatchEndpoint of endpoint "ERP" on server "Replicate-Prod" was refused to user "operator@' in run.msg
    assert "Designer on All Endpoints" in run.result["hint"]
    run = endpoint(person(em, "operator"), name="new", type="oracle", role="source")
    assert run.failed and not run.changed and writes(run) == ["ImportTask"]
    assert "Designer on All Tasks" in run.result["hint"]


NEW = {"name": "new", "type": "oracle", "role": "source"}
DESIGNER = {"role": "Designer", "all_endpoints": True}
READER = [{"role": "Viewer", "all_tasks": True}, {"role": "Operator", "task": "orders"}]
REFUSALS = ("UNAUTHORIZED_REQUEST", "AEM_IMPORT_TASK_NO_PERMISSION_ON_ENDPOINT")
# For each call the roles that the documentation names.
ROLES = [
    (NEW, [{"role": "Viewer"}, {"role": "Designer", "all_tasks": True}, DESIGNER]),
    ({"description": "New"}, [{"role": "Viewer"}, {"role": "Designer", "all_tasks": True}, DESIGNER]),
    ({"settings": {"server": "new"}}, [DESIGNER, *READER]),
    ({"name": "Down & out", "state": "absent"}, [{"role": "Designer", "endpoint": "Down & out"}]),
    ({"state": "reconfigured", "configuration": "ERP standby"}, [{"role": "Operator", "all_endpoints": True}]),
]


@pytest.mark.parametrize(
    ("options", "grants"), ROLES, ids=["create", "description", "settings", "delete", "reconfigure"]
)
def test_the_roles_of_the_documentation_are_enough_and_none_is_too_much(em, options, grants):
    run = endpoint(limited_user(em, grants), **options)
    assert not run.failed and run.changed, run.result
    for grant in grants:
        others = [one for one in grants if one != grant]
        run = endpoint(limited_user(em, others), **options)
        assert run.failed and not run.changed and run.result["error_code"] in REFUSALS


def test_a_deletion_that_shows_what_was_there_reads_it_first(em):
    deletion, shown = {"name": "Down & out", "state": "absent"}, {"role": "Viewer", "all_endpoints": True}
    designer = {"role": "Designer", "endpoint": "Down & out"}
    for way in ({"check": True}, {"diff": True}):
        run = endpoint(limited_user(em, [designer]), **deletion, **way)
        assert run.failed and "Viewer on All Endpoints" in run.result["hint"]
        assert endpoint(limited_user(em, [designer, shown]), **deletion, **way).changed


# Bad input


def test_a_server_that_has_no_endpoints_says_so(admin):
    run = endpoint(admin, server="Compose-DW", settings={"a": 1})
    assert run.failed and run.result["error_code"] == "AEM_METHOD_NOT_SUPPORTED_VERSION"
    assert "Qlik Replicate servers only" in run.result["hint"]


@pytest.mark.parametrize(
    ("name", "path"), [("a&b=c #1?", "a%26b%3Dc%20%231%3F"), ("no/100%", "no%2F100%25"), ("ü在", "%C3%BC%E5%9C%A8")]
)
def test_names_are_data(admin, em, name, path):
    assert endpoint(admin, **{**NEW, "name": name}).changed and name in names(em)
    for state, settings in (("present", {"x": 1}), ("absent", None)):
        run = endpoint(admin, name=name, state=state, settings=settings)
        (request,) = [one for one in run.requests if one["operation"] in ("PatchEndpoint", "DeleteEndpoint")]
        assert request["raw_path"].partition("?")[0].endswith(f"/servers/Replicate-Prod/endpoints/{path}")
    assert name not in names(em)


# Lost answers


LOST = [{"fault": "cut_after"}, {"fault": "status", "status": 502, "work": True}]
UNDONE = [{"fault": "cut_before"}, {"fault": "status", "status": 502}]
CHANGES = {
    "PatchEndpoint": {"settings": {"server": "new"}},
    "DeleteEndpoint": {"name": "Down & out", "state": "absent"},
    "ReconfigureEndpointNoWait": {"state": "reconfigured", "configuration": "ERP standby"},
}


@pytest.mark.parametrize("fault", LOST, ids=str)
@pytest.mark.parametrize("operation", CHANGES)
def test_after_a_lost_answer_the_state_decides(admin, em, operation, fault):
    em.faults({"match": {"operation": operation}, **fault})
    run = endpoint(admin, **CHANGES[operation])
    assert not run.failed and run.changed and writes(run) == [operation]


@pytest.mark.parametrize("fault", UNDONE, ids=str)
@pytest.mark.parametrize("operation", CHANGES)
def test_what_was_not_done_is_not_sent_again(admin, em, operation, fault):
    em.faults({"match": {"operation": operation}, **fault})
    run = endpoint(admin, **CHANGES[operation])
    assert run.failed and run.changed and writes(run) == [operation]
    assert run.msg.endswith("It shows no effect. It may have been carried out all the same, so changed is true.")
    assert "nothing is done twice" in run.result["hint"]


def test_a_secret_whose_answer_is_lost_is_not_taken_to_be_set(admin, em):
    em.faults({"match": {"operation": "PatchEndpoint"}, "fault": "cut_after"})
    run = endpoint(admin, secrets={"password": "x"}, update_password="always")
    assert run.failed and run.changed and "Secrets cannot be compared." in run.msg
