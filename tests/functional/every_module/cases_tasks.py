# Copyright (c) 2026, dataops.qlik_em contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Cases for test_every_module.py: tasks, one and many."""

from __future__ import annotations

from ansible_collections.dataops.qlik_em.tests.functional.every_module.cases import Case

ORDERS = {"server": "Replicate-Prod", "name": "orders", "wait_sleep": 0.1}
FINISHED = {**ORDERS, "name": "customers full load"}
MAKES_TABLES = {"run_option": "metadata_only_create_missing_tables"}
MANY = {"include": [{"server": "Replicate-Prod"}, {"server": "Compose-DW"}], "exclude": [{"name": "locked"}]}
AUTO = {"waves": "auto", "dependencies": [{"before": [{"name": "orders"}], "after": [{"name": "shipments"}]}]}
ONE_OF_MANY = {"include": [{"server": "Replicate-Prod", "name": "invoices"}]}
ORDERS_LATE = {"include": [{"server": "Replicate-Prod", "name": "orders"}], "max_latency": 1}
WINDOW = {**MANY, "wait_sleep": 0.1, "path": "{folder}/checkpoint"}
KEPT = {
    "schema": 1,
    "recorded": "2026-11-25T11:00:00Z",
    "phase": "frozen",
    "selection": {},
    "tasks": [
        {"server": "Replicate-Prod", "name": name, "state": "RUNNING", "run_option": "resume_processing", "wave": 1}
        for name in ("orders", "invoices")
    ],
}
SHORT = {
    **{member: KEPT[member] for member in ("recorded", "phase", "selection")},
    "schema": 2,
    "running": 2,
    "servers": {
        "Replicate-Prod": [{"wave": 1, "state": "RUNNING", "tasks": [["orders", 5, 12], ["invoices", 60, 12]]}]
    },
}
ROW = {"server": "Replicate-Prod", "name": "orders", "failed": True, "msg": "It failed.", "elapsed": 1.5}
EACH_TIME = {"is_file_only": True, "again": True}  # a page says when it was made

CASES = [
    Case("aem_task", {**ORDERS, "state": "stopped"}),
    Case("aem_task", {**ORDERS, "state": "stopped", "wait": True}),
    Case("aem_task", {**ORDERS, "state": "started"}, changes=False),
    Case("aem_task", {**ORDERS, "name": "invoices", "state": "started", "wait": True}),
    Case("aem_task", {**ORDERS, "state": "restarted"}, again=True),
    Case("aem_task", {**ORDERS, "state": "reloaded", "force": True}, again=True),
    Case("aem_task", {**ORDERS, "state": "drained"}),
    Case("aem_task", {**FINISHED, "state": "reloaded", "force": True, "wait_for": "finished"}, again=True),
    Case("aem_task", {**FINISHED, "state": "started", "wait_for": "finished"}, changes=False),
    Case("aem_task", {**ORDERS, "state": "restarted", **MAKES_TABLES}, again=True),
    Case("aem_task", {**ORDERS, "name": "invoices", "state": "started", **MAKES_TABLES}, again=True),
    Case("aem_task", {**ORDERS, "name": "invoices", "state": "started", "wait_for": "latency"}),
    Case("aem_task_batch", {**MANY, "wait_sleep": 0.1, "state": "stopped", "wait": True}),
    Case("aem_task_batch", {**MANY, "wait_sleep": 0.1, "state": "drained"}),
    Case("aem_task_batch", {**ONE_OF_MANY, "wait_sleep": 0.1, "state": "started", "wait_for": "latency"}),
    Case("aem_task_batch", {"include": [{"server": "Compose-DW"}], "state": "started"}),
    Case("aem_task_batch", {**MANY, **AUTO, "wait_sleep": 0.1, "state": "stopped"}),
    Case("aem_task_batch", {"include": [{"server": "Compose-DW"}], "state": "restarted"}, again=True),
    Case("aem_heal", {**MANY, "mode": "report"}, changes=False),
    Case("aem_heal", {**MANY, "mode": "heal", "memory": {}, "wait_sleep": 0.1}),
    Case("aem_heal", {**ORDERS_LATE, "mode": "heal", "memory": {}, "wait_sleep": 0.1}, again=True),
    Case("aem_report", {"dest": "{folder}/x.html", "history": "{folder}/x"}, **EACH_TIME),
    Case("aem_report", {"dest": "{folder}/x.html", "result": {"tasks": [ROW]}}, **EACH_TIME),
    Case("aem_task_info", {"server": ["Replicate-*"], "on_server_error": "skip"}, changes=False),
    Case("aem_maintenance_window", {**WINDOW, "state": "recorded"}, is_file_only=True),
    Case("aem_maintenance_window", {**WINDOW, **AUTO, "state": "recorded"}, is_file_only=True),
    Case(
        "aem_maintenance_window",
        {"state": "frozen", "checkpoint": {**KEPT, "enterprise_manager": "{address}"}, "wait_sleep": 0.1},
    ),
    Case(
        "aem_maintenance_window",
        {"state": "restored", "checkpoint": {**KEPT, "enterprise_manager": "{address}"}, "wait_sleep": 0.1},
    ),
    Case(
        "aem_maintenance_window",
        {
            "state": "restored",
            "checkpoint": {**SHORT, "enterprise_manager": "{address}"},
            "wait_sleep": 0.1,
            "from": "safe_point",
            "force": True,
            "start_when": {},
        },
    ),
    Case("aem_session", {"state": "present"}, changes=False),
    Case("aem_session", {"state": "absent", "session_id": "{session_id}"}, changes=False),
]
