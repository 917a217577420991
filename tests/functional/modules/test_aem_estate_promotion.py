# Copyright (c) 2026, dataops.qlik_em contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""aem_estate from development over test to production: other endpoints, schemas and schedules, by overlays alone."""

from __future__ import annotations

import json

import pytest
from ansible_collections.dataops.qlik_em.tests.functional.support.user import User
from ansible_collections.dataops.qlik_em.tests.simulator import running

BODY = "cmd.replication_definition"
DEV, TEST, PROD = "Replicate-Dev", "Replicate-Test", "Replicate-Prod"
VERSION = {"version": "2021.5.0.745", "version_major": 2021, "version_minor": 5, "version_revision": 745}
SERVERS = {
    "users": [{"name": "u", "password": "promoter-password", "grants": [{"role": "Admin"}]}],
    "servers": [{"name": name, "host": f"{name}.corp.example", "master_key": name} for name in (DEV, TEST, PROD)],
}


def lake(stage: str, schema: str, cron: str) -> dict:
    """A definition in the form of a real export of Replicate 2021.5: empty objects stay, stamps are in it."""
    source, target = f"AS400 {stage}".strip(), f"Lake {stage}".strip()
    task = {
        "task": {"name": "as400-lake", "source_name": source, "target_names": [target]},
        "source": {
            "rep_source": {"source_name": source, "database_name": source},
            "source_tables": {
                "name": source,
                "explicit_included_tables": [
                    {"owner": schema, "name": "CUSTPF", "estimated_size": 7, "validation_sampling_percentage": 0}
                ],
            },
        },
        "targets": [{"rep_target": {"target_name": target, "target_state": "DISABLED", "database_name": target}}],
        "task_settings": {
            "source_settings": {},
            "target_settings": {"default_schema": "structured", "queue_settings": {"message_shape": {}}},
            "sorter_settings": {"local_transactions_storage": {}},
            "common_settings": {"save_changes_enabled": True, "task_uuid": "d9bf86a8-2b06-2f4f-8ef5-49d4175a8b1f"},
        },
        "loggers": {"$type": "RepTaskLoggers", "loggers_configuration": {}, "SOURCE_CAPTURE": "DETAILED_DEBUG"},
    }
    databases = [
        {
            "name": source,
            "role": "SOURCE",
            "is_licensed": True,
            "type_id": "DB2I_NATIVE_COMPONENT_TYPE",
            "db_settings": {
                "$type": "Db2iSettings",
                "username": "replicate",
                "password": "secret-of-as400",
                "server": f"as400{stage}.corp.example",
                "JournalName": "APPJRN",
            },
            "override_properties": {},
        },
        {
            "name": target,
            "role": "TARGET",
            "is_licensed": True,
            "type_id": "FILE_COMPONENT_TYPE",
            "db_settings": {"$type": "FileSettings"},
            "override_properties": {},
        },
    ]
    job = {"name": "nightly", "command_id": 25, "schedule": cron, "task": "as400-lake"}
    content = {"tasks": [task], "databases": databases, "scheduler": {"jobs": [job]}}
    return {BODY: content, "_version": VERSION, "name": "as400-lake__2026-08-27--16-12-22-887071"}


def overlay(old: str, new: str, stages: tuple[str, str], schemas: tuple[str, str], cron: str) -> dict:
    """What is otherwise in the next environment."""
    server = f"as400{stages[1]}.corp.example"
    return {
        "servers": {old: new},
        "endpoints": [
            {"name": f"*{stages[0]}", "rename": f"*{stages[1]}"},
            {"name": f"AS400{stages[0]}", "set": {"db_settings/server": server}},
        ],
        "tasks": [{"name": "*", "schemas": {schemas[0]: schemas[1]}}],
        "schedules": [{"name": "nightly", "cron": cron}],
    }


@pytest.fixture
def em():
    """A stand-in with three servers that have nothing yet."""
    with running() as handle:
        handle.reset(SERVERS)
        yield handle


def test_a_real_definition_goes_from_development_to_production(em, tmp_path):
    user = User(em, defaults={"username": "u", "password": "promoter-password", "wait_sleep": 0.1})
    everything = {"objects": ["tasks", "endpoints", "schedules"], "server": DEV}
    run = user.run("aem_import", definition=lake("dev", "DEVLIB", "0 1 * * * *"), **everything)
    assert run.changed and not run.failed, run.result
    user.defaults.pop("wait_sleep")
    ways = (
        (DEV, TEST, overlay(DEV, TEST, (" dev", " test"), ("DEVLIB", "TESTLIB"), "30 2 * * MON-FRI")),
        (TEST, PROD, overlay(TEST, PROD, (" test", ""), ("TESTLIB", "APPLIB"), "0 4 * * *")),
    )
    for old, new, document in ways:
        (tmp_path / "overlay.json").write_text(json.dumps(document))
        estate = {"path": str(tmp_path / old)}
        run = user.run("aem_estate", **estate, state="gathered", include=[{"server": old}])
        assert run.changed and not run.failed, run.result
        plan = {**estate, "plan": str(tmp_path / f"{new}.json"), "overlay": str(tmp_path / "overlay.json")}
        assert user.run("aem_estate", **plan, state="planned").result["counts"]["created"] == 4
        endpoint = next(rule["set"] for rule in document["endpoints"] if "set" in rule)
        name = "AS400 test" if new == TEST else "AS400"
        secrets = {new: {name: {"password": f"secret-of-{new}"}}}
        run = user.run("aem_estate", **plan, state="applied", secrets=secrets, wait_sleep=0.1)
        assert run.changed and not run.failed, run.result
        assert not user.run("aem_estate", **plan, state="planned").changed
        assert em.endpoint(new, name)["db_settings"]["server"] == endpoint["db_settings/server"]
        assert em.endpoint(new, name)["db_settings"]["password"] == f"secret-of-{new}"
    run = user.run("aem_estate", path=str(tmp_path / PROD), include=[{"server": PROD}])
    assert not run.failed, run.result
    found = json.loads((tmp_path / PROD / PROD / "tasks" / "as400-lake.json").read_text())
    (wanted,) = lake("", "APPLIB", "")[BODY]["tasks"]
    del wanted["loggers"], wanted["task_settings"]["common_settings"]["task_uuid"]
    del wanted["source"]["source_tables"]["explicit_included_tables"][0]["estimated_size"]
    assert found == wanted
    (job,) = json.loads((tmp_path / PROD / PROD / "schedules.json").read_text())["jobs"]
    assert job["schedule"] == "0 4 * * * *"
