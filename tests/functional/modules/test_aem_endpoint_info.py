# Copyright (c) 2026, dataops.qlik_em contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""aem_endpoint_info and aem_endpoint_test: what they read, and what they make of it."""

from __future__ import annotations

import pytest
from ansible_collections.dataops.qlik_em.tests.functional.support.endpoints import PROD, person


@pytest.fixture
def admin(em):
    """The Admin of Enterprise Manager."""
    return person(em, "admin")


def info(user, **options):
    """Run aem_endpoint_info on Replicate-Prod."""
    return user.run("aem_endpoint_info", **{"server": [PROD], **options})


def found(run):
    """Return the names that it found."""
    assert not run.failed, run.result
    return {one["name"] for one in run.result["endpoints"]}


@pytest.mark.parametrize(
    ("options", "names"),
    [
        ({"name": ["ERP*"]}, {"ERP", "ERP standby"}),
        ({"name": ["ERP"]}, {"ERP"}),
        ({"name": ["erp"]}, set()),
        ({"name": ["ERP", "Down & ou?", "nothing"]}, {"ERP", "Down & out"}),
        ({"type": ["snowflake"]}, {"Warehouse", "Target"}),
        ({"type": ["SNOWFLAKE_COMPONENT_TYPE", "Postgresql"], "name": ["[!T]*"]}, {"Warehouse", "Down & out"}),
        ({"role": ["source"], "name": ["ERP*", "W*", "D*"]}, {"ERP", "ERP standby"}),
        ({"role": ["target"], "name": ["ERP*", "W*", "D*"]}, {"Warehouse", "Down & out"}),
        ({"role": ["source", "target"], "type": ["oracle"], "name": ["ERP", "W*"]}, {"ERP"}),
    ],
)
def test_the_filters_hold_together(admin, options, names):
    assert found(info(admin, **options)) == names


def test_the_members_are_the_ones_of_the_server(admin):
    run = info(admin, name=["ERP"])
    assert run.result["endpoints"] == [
        {
            "server": PROD,
            "name": "ERP",
            "description": "The database of the shop",
            "role": "SOURCE",
            "type": "ORACLE",
            "is_licensed": True,
        }
    ]
    assert run.operations == ["Login", "GetEndpointList", "Logout"] and not run.changed


def test_settings_come_without_secrets(admin, em):
    deep = {"$type": "OracleSettings", "more": [{"authToken": "canary", "key": "{" + "QUJD" * 12 + "}", "n": None}]}
    em.set_endpoint(PROD, "ERP standby", db_settings=deep | {"password": ""})
    run = info(admin, name=["ERP*"], settings=True)
    settings = {one["name"]: one["settings"] for one in run.result["endpoints"]}
    assert settings["ERP"] == {
        "$type": "OracleSettings",
        "server": "erp.corp.example:1521/ERP",
        "username": "replicate",
        "password": "********",
        "archived_logs_only": True,
    }
    assert settings["ERP standby"]["more"] == [{"authToken": "********", "key": "********", "n": None}]
    assert "canary" not in repr(run.result) and "QUJD" not in repr(run.result)


def test_texts_and_numbers_are_masked_by_their_names_and_all_below_them(admin, em):
    shown = {"useToken": True, "authToken": "", "secretStore": {"host": "a"}, "token": None}
    hidden = {
        "apiKey": 4711,
        "accountKey": 1.5,
        "deep": '{"clientSecret": "canary", "host": "b"}',
        "passwords": {"left": ["x", 4711, True]},
    }
    item = {"name": "ERP", "db_settings": {**shown, **hidden}}
    exported = {"cmd.replication_definition": {"tasks": [], "databases": [item]}}
    em.faults({"match": {"operation": "ExportAll"}, "nth": "all", "fault": "answer", "json": exported})
    run = info(admin, name=["ERP"], settings=True)
    masked = {"apiKey": "********", "accountKey": "********", "deep": '{"clientSecret": "********", "host": "b"}'}
    masked["passwords"] = {"left": ["********", "********", True]}
    assert run.result["endpoints"][0]["settings"] == {**shown, **masked}


def test_a_designer_sees_the_settings_of_what_tasks_use(em):
    run = info(person(em, "designer"), name=["ERP", "Warehouse", "Down & out"], settings=True)
    settings = {one["name"]: one["settings"] for one in run.result["endpoints"]}
    assert settings["ERP"]["username"] == "replicate" and settings["Warehouse"]["username"] == "loader"
    assert settings["Down & out"] is None
    (warning,) = run.result["warnings"]
    assert 'settings of endpoints of server "Replicate-Prod" cannot be read: Down & out.' in warning


def test_who_may_not_read_any_gets_the_list_and_the_reason(em):
    run = info(person(em, "viewer"), settings=True)
    assert found(run) >= {"ERP", "Warehouse"} and all(one["settings"] is None for one in run.result["endpoints"])
    assert "ExportAll" in run.result["warnings"][0] and "refused" in run.result["warnings"][0]


def test_an_export_that_fails_is_a_failure_and_not_a_warning(admin, em):
    em.faults({"match": {"operation": "ExportAll"}, "fault": "error", "error_code": "SYS,GENERIC"})
    run = info(admin, settings=True)
    assert run.failed and "ExportAll" in run.msg and run.result["error_code"] == "SYS,GENERIC"


def test_servers_by_glob_and_what_cannot_be_read(admin):
    run = info(admin, server=["Replicate-*"], on_server_error="skip")
    assert {one["server"] for one in run.result["endpoints"]} == {PROD, "Replicate-Test"}
    assert {one["server"] for one in run.result["skipped_servers"]} == {"Replicate-Down", "Replicate-Unlicensed"}
    assert len(run.result["warnings"]) == 2
    assert info(admin, server=["Replicate-*"]).result["error_code"] == "AEM_SERVER_NOT_CONNECTED"


def test_a_compose_server_has_no_endpoints_and_fails_only_if_it_is_named(admin):
    assert found(info(admin, server=["Compose*"])) == set()
    run = info(admin, server=["Compose-DW"])
    assert run.failed and run.result["error_code"] == "AEM_METHOD_NOT_SUPPORTED_VERSION"


# Testing the connection


def check(user, name="ERP", **options):
    """Run aem_endpoint_test on an endpoint of Replicate-Prod."""
    return user.run("aem_endpoint_test", server=PROD, name=name, **options)


def test_an_endpoint_that_connects(user, em):
    run = check(user, timeout=7)
    assert not run.failed and not run.changed
    assert run.result["endpoint"] == {
        "server": PROD,
        "name": "ERP",
        "status": "CONNECTED",
        "connected": True,
        "message": "",
        "detailed_message": "",
    }
    assert run.requests[1]["raw_path"].endswith("/endpoints/ERP?action=test&timeout=7")


@pytest.mark.parametrize("spelling", ["sdk", "guide_table", "guide_template"])
def test_one_that_does_not_fails_in_all_spellings_of_the_answer(user, em, spelling):
    em.set_variants(endpoint_test_keys=spelling)
    assert check(user).result["endpoint"]["connected"] is True
    run = check(user, "Down & out")
    assert run.failed and not run.changed and run.result["hint"] and run.result["elapsed"] >= 0
    text = 'The endpoint "Down & out" on server "Replicate-Prod" cannot connect (ERROR): Cannot connect to the server.'
    assert run.msg == text
    seen = run.result["endpoint"]
    assert (seen["status"], seen["connected"], seen["message"]) == ("ERROR", False, "Cannot connect to the server.")
    details = "could not translate host name nowhere.corp.example to address"
    assert seen["detailed_message"] == ("" if spelling == "guide_table" else details)
    kept = check(user, "Down & out", fail_on_error=False)
    assert not kept.failed and kept.result["endpoint"] == seen


def test_the_first_spelling_counts_and_a_silent_server_is_unknown(user, em):
    answers = [
        ({"status": "ERROR", "state": "CONNECTED", "requeststate": "CONNECTED"}, "ERROR"),
        ({"state": "connected", "requeststate": "ERROR"}, "CONNECTED"),
        ({}, "UNKNOWN"),
        ({"status": None, "message": None}, "UNKNOWN"),
    ]
    for body, status in answers:
        em.clear_faults()
        em.faults({"match": {"operation": "TestEndpoint"}, "nth": "all", "fault": "answer", "json": body})
        run = check(user, fail_on_error=False)
        assert (run.result["endpoint"]["status"], run.result["endpoint"]["message"]) == (status, "")
        assert check(user).failed is (status != "CONNECTED")


def test_a_test_that_does_not_end(user, em):
    em.set_endpoint(PROD, "ERP", test_seconds=30)
    run = check(user, timeout=1)
    assert run.failed and run.result["error_code"] == "AEM_TEST_ENDPOINT_CONNECTION_TIMEOUT" and run.result["hint"]
    kept = check(user, timeout=1, fail_on_error=False)
    assert not kept.failed and kept.result["endpoint"]["status"] == "UNKNOWN"
    assert kept.result["endpoint"]["message"]


def test_one_that_does_not_exist_fails_in_any_case(user):
    for fails in (True, False):
        run = check(user, "nothing", fail_on_error=fails)
        assert run.failed and run.result["error_code"] == "AEM_ENDPOINT_NOT_FOUND" and run.result["hint"]


def test_who_may_not_is_told_the_role(em):
    run = check(person(em, "viewer"))
    assert run.failed and "Operator on the endpoint" in run.result["hint"]
