# Copyright (c) 2026, dataops.qlik_em contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The installation that a history plays on, and what of it counts as changed."""

from __future__ import annotations

from typing import Any

from ansible_collections.dataops.qlik_em.tests.functional.support.canaries import CANARIES, NAME, OWN
from ansible_collections.dataops.qlik_em.tests.simulator.handle import Handle
from hypothesis import strategies as st

SERVER, NEW_SERVER = "Prod 1", "Prod/2"
TASKS = ["orders", "a/b & c%", "load"]
NEW_TASKS = ["fresh", "fresh+1"]
NEW_ENDPOINTS = ["Shop", "Shop & more"]
USER = {
    "name": "admin",
    "logins": [NAME],
    "password": CANARIES["password"],
    "grants": [{"role": "Admin"}],
}
TABLES = [("SALES", "ORDERS"), ("SALES", "PRICES"), ("STOCK", "Lager & Regal 100%")]
AT_REST = ("STOPPED", "ERROR")
ACTIVE = ("RUNNING", "RECOVERY")

SLOWLY = {"start_seconds": 0.2, "stop_seconds": 0.2, "memory_lag": 0.2}
BEHAVIOURS: list[dict[str, Any]] = [
    {},
    {"show_transient": False},
    SLOWLY,
    {**SLOWLY, "show_transient": False},
    {"stop_seconds": 0.2, "memory_lag": 0.2},
    {"fail_stop": "It is\nlocked."},
    {"fail_start": "It is locked.", "start_seconds": 0.2},
]


@st.composite
def worlds(draw: Any) -> dict[str, Any]:
    """Return what is special about an installation: how it behaves, and what it refuses."""
    states = st.sampled_from(["RUNNING", "STOPPED", "ERROR", "RECOVERY"])
    return {
        "tasks": {name: {"state": draw(states), **draw(st.sampled_from(BEHAVIOURS))} for name in TASKS},
        "suspended": draw(st.sampled_from([[], [0], [1, 2]])),
        "server": draw(st.sampled_from([*[{}] * 6, {"import_seconds": 0.2}, {"fail_import": "It is\nlocked."}])),
        "new_server": draw(st.sampled_from([{}, {"connect_seconds": 0.2}])),
    }


def document(world: dict[str, Any]) -> dict[str, Any]:
    """Return the state document of such an installation."""
    tasks = [
        {
            "name": name,
            "source_endpoint": {"name": "ERP", "type": "Oracle"},
            "target_endpoint": {"name": "Warehouse", "type": "Snowflake"},
            "tables": [
                {
                    "schema": schema,
                    "table": table,
                    "state": "TABLE_ERROR" if number in world["suspended"] else "TABLE_COMPLETED",
                }
                for number, (schema, table) in enumerate(TABLES)
            ],
            **special,
        }
        for name, special in world["tasks"].items()
    ]
    oracle = {"$type": "OracleSettings", "username": "replicate", "password": OWN["endpoint setting"]}
    endpoints = [
        {"name": "ERP", "db_settings": {**oracle, "server": "erp.corp.example", "archived_logs_only": True}},
        {"name": "ERP standby", "db_settings": {**oracle, "server": "standby.corp.example"}},
        {"name": "Warehouse", "role": "TARGET", "type": "Snowflake", "db_settings": {"$type": "SnowflakeSettings"}},
        {"name": "Spare", "db_settings": dict(oracle)},
    ]
    server = {
        "name": SERVER,
        "tasks": tasks,
        "endpoints": endpoints,
        "schedules": [{"name": "nightly", "command_id": 51, "schedule": "0 4 * * 7 *", "task": "orders"}],
        **world["server"],
    }
    return {"users": [USER], "servers": [server], "variants": {"new_server": world["new_server"]}}


def snapshot(em: Handle) -> dict[str, Any]:
    """Return all that a write can change, without what changes by itself, as the states of tasks and tables do."""
    servers = em.state()["servers"]
    found: dict[str, Any] = {}
    for name, server in servers.items():
        insides = {task: em.inside(name, task) for task in server["tasks"]}
        found[name] = {
            "tasks": {
                task: {
                    "runs": len(state["runs"]),
                    "stops": state["stops"],
                    "tables": [(table["reloads"], table["resumes"]) for table in insides[task]["tables"]],
                    **{key: insides[task][key] for key in ("definition", "barriers", "deleted_change_data")},
                }
                for task, state in server["tasks"].items()
            },
            "endpoints": {
                endpoint: {key: value for key, value in state.items() if key != "tests"}
                for endpoint, state in server["endpoints"].items()
            },
            **{key: server.get(key) for key in ("acls", "others", "password", "license", "description", "host")},
        }
    return found
