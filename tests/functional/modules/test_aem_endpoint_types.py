# Copyright (c) 2026, dataops.qlik_em contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The type of an endpoint, as the API and as the console calls it, and the class of a new one's settings."""

from __future__ import annotations

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

TEST = "Replicate-Test"
NEW = {"name": "new", "role": "source"}
FUTURE = {"role": "SOURCE", "type_id": "FUTURE_COMPONENT_TYPE", "type": "Future"}


@pytest.fixture
def admin(em):
    """The Admin of Enterprise Manager."""
    return person(em, "admin")


def there_is(em, server, name="old", **members):
    """Put one more endpoint on a server."""
    settings = yaml.safe_load(document.DEFAULT_DOCUMENT.read_text())
    (one,) = [item for item in settings["servers"] if item["name"] == server]
    one.setdefault("endpoints", []).append({"name": name, **members})
    em.reset(settings)


def made(em, name="new"):
    """Return the class of the settings of an endpoint."""
    return em.endpoint(PROD, name)["db_settings"]["$type"]


def refused(em, user, text, **options):
    """Assert that nothing is sent and nothing there, in check mode neither; return the failure."""
    before = names(em)
    for check in (True, False):
        run = endpoint(user, **{**NEW, **options}, check=check)
        assert run.failed and not run.changed and text in run.msg and writes(run) == [], run.result
    assert names(em) == before
    return run


# The class


@pytest.mark.parametrize(
    ("given", "kind", "settings_type"),
    [
        ("DB2I_NATIVE", "DB2I_NATIVE", "Db2iSettings"),
        ("IBM DB2 for iSeries", "DB2I_NATIVE", "Db2iSettings"),
        ("IBM DB2 for z/OS", "DB2ZOS_NATIVE", "Db2zosSettings"),
        ("Microsoft SQL Server", "SQL_SERVER", "SqlserverSettings"),
        ("microsoft sql server (ms-cdc)", "MICROSOFT_SQL_SERVER_MSCDC_SOURCE", "MicrosoftsqlservermscdcSettings"),
        ("Amazon RDS for PostgreSQL", "RDS_POSTGRESQL", "RdspostgresqlSettings"),
        ("Amazon S3", "AMAZON_S3", "Amazons3Settings"),
        ("File", "FILE", "FileSettings"),
        ("Null Target", "NULL_TARGET", "NulltargetSettings"),
    ],
)
def test_a_known_type_has_its_class(admin, em, given, kind, settings_type):
    checked = endpoint(admin, **NEW, type=given, check=True, diff=True)
    assert checked.changed and checked.result["diff"]["after"]["settings"] == {"$type": settings_type}
    run = endpoint(admin, **NEW, type=given)
    assert run.changed and run.result["endpoint"]["type"] == kind and made(em) == settings_type, run.result
    for spelling in (given, kind, f"{kind}_COMPONENT_TYPE"):
        assert not endpoint(admin, **NEW, type=spelling).changed
        info = admin.run("aem_endpoint_info", server=[PROD], name=["new"], type=[spelling])
        assert [one["name"] for one in info.result["endpoints"]] == ["new"]


@pytest.mark.parametrize("server", [PROD, TEST])
@pytest.mark.parametrize("who", ["admin", "designer"])
def test_the_class_is_that_of_an_endpoint_that_is_there(em, server, who):
    there_is(em, server, **FUTURE, db_settings={"$type": "BrandnewSettings"})
    if who == "designer":  # who may not export a whole server, but a task that uses the endpoint
        em.set_task(server, "orders" if server == PROD else "stock", source_endpoint={"name": "old", "type": "Future"})
    run = endpoint(person(em, who), **NEW, type="future")
    assert run.changed and made(em) == "BrandnewSettings", run.result
    assert run.result["endpoint"]["type"] == "FUTURE"


def test_what_is_there_beats_what_is_known(admin, em):
    there_is(em, TEST, role="TARGET", type_id="AMAZON_S3_COMPONENT_TYPE", db_settings={"$type": "S3Settings"})
    assert endpoint(admin, **NEW, type="Amazon S3").changed and made(em) == "S3Settings"
    there_is(em, PROD, role="TARGET", type_id="AMAZON_S3_COMPONENT_TYPE", db_settings={"$type": "S4Settings"})
    assert endpoint(admin, **NEW, type="Amazon S3").changed and made(em) == "S4Settings"


def test_what_is_given_beats_both_and_nothing_is_read_for_it(admin, em):
    there_is(em, PROD, **FUTURE, db_settings={"$type": "BrandnewSettings"})
    run = endpoint(admin, **NEW, type="future", settings_type="OtherSettings", settings={"port": 1})
    assert run.changed and "ExportAll" not in run.operations
    (item,) = [
        one for one in sent(run, "ImportTask")[0]["cmd.replication_definition"]["databases"] if one["name"] == "new"
    ]
    assert list(item["db_settings"].items()) == [("$type", "OtherSettings"), ("port", 1)]
    again = endpoint(admin, **NEW, type="future", settings_type="OtherSettings", settings={"port": 1})
    assert not again.failed and not again.changed


def test_settings_as_an_export_shows_them_may_be_given(admin, em):
    info = admin.run("aem_endpoint_info", server=[PROD], name=["Down & out"], settings=True)
    copied = info.result["endpoints"][0]["settings"]
    assert endpoint(admin, **NEW, type="postgresql", settings=copied).changed
    assert em.endpoint(PROD, "new")["db_settings"] == {"$type": "PostgresqlSettings", "server": "nowhere.corp.example"}
    text = 'settings_type is "A", but settings.$type is "PostgresqlSettings": leave one of them out.'
    refused(em, admin, text, name="more", type="postgresql", settings=copied, settings_type="A")


def test_a_lack_of_permission_is_not_a_failure(em):
    there_is(em, PROD, role="SOURCE", type_id="DB2I_NATIVE_COMPONENT_TYPE", db_settings={"$type": "Db2iSettings"})
    for operation in ("ExportAll", "ExportTask", "GetServerList", "GetTaskList"):
        refusal = {"fault": "error", "error_code": "UNAUTHORIZED_REQUEST", "error_message": "No."}
        em.faults({"match": {"operation": operation}, "nth": "all", **refusal})
    assert endpoint(person(em, "designer"), **NEW, type="DB2I_NATIVE").changed and made(em) == "Db2iSettings"


def test_a_type_without_a_known_class_needs_settings_type(admin, em):
    run = refused(em, admin, "The settings class of type SAP_HANA_SRC is not known", type="SAP HANA")
    assert "settings_type" in run.result["hint"] and "ImportTask" not in run.operations
    run = endpoint(admin, **NEW, type="SAP HANA", settings_type="SaphanaSettings")
    assert run.changed and run.result["endpoint"]["type"] == "SAP_HANA_SRC" and made(em) == "SaphanaSettings"


def test_a_type_that_nobody_knows_works_with_settings_type(admin, em):
    run = refused(em, admin, 'The type "Tape" is not known, and no readable endpoint has it.', type="Tape")
    assert "settings_type" in run.result["hint"]
    assert endpoint(admin, **NEW, type="Tape", settings_type="TapeSettings").changed and made(em) == "TapeSettings"
    assert not endpoint(admin, **NEW, type="tape").changed


@pytest.mark.parametrize(
    ("given", "meant"),
    [
        ("Microsft SQL Server", "Microsoft SQL Server (SQL_SERVER)"),
        ("sqlserver", "SQL_SERVER"),
        ("Amazon S4", "Amazon S3 (AMAZON_S3)"),
        ("Postgres", "POSTGRESQL"),
        ("futur", "FUTURE"),
    ],
)
def test_a_type_that_is_misspelled_is_refused_with_the_nearest_ones(admin, em, given, meant):
    there_is(em, TEST, **FUTURE, db_settings={"$type": "BrandnewSettings"})
    assert meant in refused(em, admin, f'The type "{given}" is not known', type=given).msg
    run = admin.run("aem_endpoint_info", type=[given], on_server_error="skip")
    assert run.failed and f'The type "{given}" is not known' in run.msg and meant in run.msg


def test_a_type_that_is_not_known_may_be_looked_for_if_it_is_written_as_in_an_export(admin):
    run = admin.run("aem_endpoint_info", server=[PROD], type=["FUTURE_COMPONENT_TYPE", "kafka"])
    assert not run.failed and run.result["endpoints"] == []


def test_the_wrong_class_is_refused_by_the_server_and_the_hint_names_the_option(admin, em):
    run = endpoint(admin, **NEW, type="oracle", settings_type="DB2iSettings")
    assert run.failed and not run.changed and run.result["error_code"] == "DESERIALIZE_TO_TYPE"
    assert 'If the class of the settings ("DB2iSettings") is wrong, give settings_type.' in run.result["hint"]
    assert "new" not in names(em)


def test_the_class_of_an_endpoint_that_is_there_cannot_be_changed(admin):
    assert not endpoint(admin, settings_type="OracleSettings").changed
    run = endpoint(admin, settings_type="Db2iSettings")
    assert run.failed and writes(run) == [] and "The same applies to settings_type" in run.msg
