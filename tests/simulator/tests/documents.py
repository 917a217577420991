# Copyright (c) 2026, dataops.qlik_em contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Export documents for the tests: fetching, sending, comparing and making them."""

from __future__ import annotations

import copy
import json
from typing import Any

from ansible_collections.dataops.qlik_em.tests.simulator.tests.wire import ORDERS, Client, Reply, task_path

BODY = "cmd.replication_definition"
EMPTY = {
    "users": [{"name": "u", "password": "p", "grants": [{"role": "Admin"}]}],
    "servers": [{"name": "Empty", "host": "empty.corp.example"}],
}


def export(client: Client, path: str = ORDERS, query: str = "&withendpoints=true") -> dict[str, Any]:
    """An export as a document."""
    reply = client.call("GET", f"{path}?action=export{query}")
    assert reply.status == 200, reply.body
    found: dict[str, Any] = reply.json
    return found


def compared(document: dict[str, Any]) -> dict[str, Any]:
    """What counts when two documents are compared (docs/enterprise_manager_api.md, 9.3 and 9.5)."""
    content = copy.deepcopy(document[BODY])
    for item in content.get("tasks", []):
        item["task_settings"]["common_settings"].pop("task_uuid", None)
        item.pop("loggers", None)
    for item in content.get("databases", []):
        item["db_settings"] = {key: value for key, value in item["db_settings"].items() if "password" not in key}
    return {key: sorted(items, key=json.dumps) for key, items in content.items()}


def new_task(name: str = "fresh", **members: Any) -> dict[str, Any]:
    """A document with one task between two endpoints of its own."""
    task = {"name": name, "source_name": "Tap", "target_names": ["Sink"]}
    tables = {"explicit_included_tables": [{"owner": "A", "name": "ONE"}]}
    return {
        "_version": {"version": "2021.5.0.745"},
        BODY: {
            "tasks": [{"task": task, "source": {"source_tables": tables}, **members}],
            "databases": [
                {
                    "name": "Tap",
                    "role": "SOURCE",
                    "type_id": "ORACLE_COMPONENT_TYPE",
                    "db_settings": {"$type": "OracleSettings", "username": "u", "password": "tap-secret"},
                },
                {
                    "name": "Sink",
                    "role": "TARGET",
                    "type_id": "NULL_TARGET_COMPONENT_TYPE",
                    "db_settings": {"$type": "NulltargetSettings"},
                },
            ],
        },
    }


def send(client: Client, document: Any, name: str = "fresh", server: str = "Replicate-Prod") -> Reply:
    """ImportTask."""
    return client.send("POST", f"{task_path(server, name)}?action=import", document)
