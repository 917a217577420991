# Copyright (c) 2026, dataops.qlik_em contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Cases for test_every_module.py: the definitions of tasks and servers."""

from __future__ import annotations

import copy
from typing import Any

from ansible_collections.dataops.qlik_em.tests.functional.every_module.cases import Case

BODY = "cmd.replication_definition"
VERSION = {"version": "2024.11.0.177", "version_major": 2024, "version_minor": 11, "version_revision": 177}
PROD = {"server": "Replicate-Prod", "wait_sleep": 0.1}


def definition(name: str = "fresh", tables: tuple[str, ...] = ("ORDERS",), **settings: Any) -> dict[str, Any]:
    """A definition of a task between two endpoints of the default document."""
    task = {
        "task": {"name": name, "source_name": "ERP", "target_names": ["Warehouse"]},
        "source": {"source_tables": {"explicit_included_tables": [{"owner": "SALES", "name": t} for t in tables]}},
        "task_settings": {"target_settings": settings},
    }
    return {"_version": VERSION, BODY: {"tasks": [task]}}


SHOP = {
    "name": "Shop",
    "role": "SOURCE",
    "type_id": "ORACLE_COMPONENT_TYPE",
    "db_settings": {"$type": "OracleSettings", "username": "shop", "password": "clear-shop-password"},
}


def with_shop(document: dict[str, Any]) -> dict[str, Any]:
    """The definition, its source a new endpoint that it contains."""
    content = document[BODY]
    content["tasks"][0]["task"]["source_name"] = "Shop"
    content["databases"] = [copy.deepcopy(SHOP)]  # tests change what they get
    return document


JOBS = [{"name": "weekly", "command_id": 51, "schedule": "0 4 * * 7 *", "task": "orders"}]
EVERYTHING = ["tasks", "endpoints", "schedules", "notifications", "server_settings", "error_policies", "others"]
NIGHTLY = {"name": "nightly", "cron": "30 2 * * MON-FRI", "action": "reload", "tasks": ["orders", "invoices"]}


def with_schedules(document: dict[str, Any]) -> dict[str, Any]:
    """The definition, with a schedule and a setting of a whole server."""
    document[BODY]["scheduler"] = {"jobs": copy.deepcopy(JOBS)}
    document[BODY]["replication_environment"] = {"roll_over_max_size_mb": 10}
    return document


REPLACE = {"import_mode": "replace", "backup_dir": "/var/tmp", "force": True}

CASES = [
    Case("aem_task", {**PROD, "name": "fresh", "state": "present", "definition": definition()}),
    Case("aem_task", {**PROD, "name": "fresh", "state": "present", "definition": with_shop(definition())}),
    Case(
        "aem_task",
        {**PROD, "name": "invoices", "state": "present", "definition": definition("invoices", batch_size=7)},
    ),
    Case(
        "aem_task",
        {
            **PROD,
            "name": "orders",
            "state": "present",
            "stop_if_running": True,
            "definition": definition("orders", a=1),
        },
    ),
    Case(
        "aem_task",
        {**PROD, "name": "fresh", "state": "present", "definition": definition(), **REPLACE},
    ),
    Case(
        "aem_task", {**PROD, "name": "twin", "state": "present", "clone_of": "orders", "source_endpoint": "ERP standby"}
    ),
    Case(
        "aem_task",
        {**PROD, "name": "fresh", "state": "present", "definition": definition(), "force_import": True},
        again=True,
    ),
    Case("aem_import", {**PROD, "definition": definition(), "force_import": True}, again=True),
    Case("aem_task", {**PROD, "name": "invoices", "state": "absent"}),
    Case("aem_task", {**PROD, "name": "orders", "state": "absent", "stop_if_running": True}),
    Case("aem_task", {**PROD, "name": "nothing", "state": "absent"}, changes=False),
    Case("aem_export", {"server": "Replicate-Prod", "name": "orders", "dest": "{folder}/x.json"}, is_file_only=True),
    Case("aem_export", {"server": "Replicate-Prod", "dest": "{folder}/x.json", "backup": True}, is_file_only=True),
    Case("aem_export", {"server": "Replicate-Prod", "dest": "{folder}/x", "objects": EVERYTHING}, is_file_only=True),
    Case("aem_import", {**PROD, "definition": with_shop(definition())}),
    Case("aem_import", {**PROD, "definition": with_schedules(definition()), "objects": EVERYTHING}),
    Case("aem_schedule", {**PROD, **NIGHTLY, "state": "present"}),
    Case("aem_schedule", {**PROD, **NIGHTLY, "state": "disabled", "tasks": ["*"]}),
    Case("aem_schedule", {**PROD, "name": "nightly reload", "cron": "30 2 * * MON-FRI"}, changes=False),
    Case("aem_schedule", {**PROD, "name": "second monday", "action": "reload", "tasks": ["orders"]}),
    Case("aem_schedule", {**PROD, "name": "nightly reload", "state": "absent"}),
    Case("aem_schedule", {**PROD, "name": "nothing", "state": "absent"}, changes=False),
    Case("aem_schedule_info", {"server": "Replicate-Prod"}, changes=False),
]
