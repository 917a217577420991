# Copyright (c) 2026, dataops.qlik_em contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Random estates, small ones, and what an import makes of a pair of them."""

from __future__ import annotations

import copy
from typing import Any

from ansible_collections.dataops.qlik_em.plugins.module_utils._estates.model import (
    ACL,
    ENDPOINTS,
    SCHEDULES,
    TASKS,
    ObjectKey,
)
from ansible_collections.dataops.qlik_em.tests.simulator import definitions
from hypothesis import strategies as st

SERVERS = ("One",)
SOURCES, TARGETS = ("ERP", "Shop"), ("Lake", "Mart")
TABLES = ("A", "B", "C")
ROLES = ("admin_role", "designer_role", "operator_role", "viewer_role")


def table_lists() -> st.SearchStrategy[list[dict[str, Any]]]:
    """Return lists of tables."""
    return st.lists(st.sampled_from(TABLES), unique=True, max_size=3).map(
        lambda names: [{"owner": "dbo", "name": name} for name in names]
    )


def tasks(name: str) -> st.SearchStrategy[dict[str, Any]]:
    """Return definitions of a task; its rules have an order."""

    def build(source: str, target: str, tables: Any, settings: Any, rules: list[str]) -> dict[str, Any]:
        return {
            "task": {"name": name, "source_name": source, "target_names": [target]},
            "source": {
                "rep_source": {"source_name": source, "database_name": source},
                "source_tables": {"name": source, "explicit_included_tables": tables},
            },
            "targets": [{"rep_target": {"target_name": target, "target_state": "ENABLED", "database_name": target}}],
            "task_settings": {
                "source_settings": {},
                "target_settings": settings,
                "sorter_settings": {},
                "common_settings": {},
            },
            "manipulations": [{"name": rule, "expression": f"$ID + {rule}"} for rule in rules],
        }

    settings = st.dictionaries(st.sampled_from(["default_schema", "commit_timeout"]), st.sampled_from([7, 8, "x"]))
    rules = st.lists(st.sampled_from(["1", "2", "3"]), unique=True, max_size=3)
    return st.builds(build, st.sampled_from(SOURCES), st.sampled_from(TARGETS), table_lists(), settings, rules)


def endpoints(name: str) -> st.SearchStrategy[dict[str, Any]]:
    """Return definitions of an endpoint, each with a password."""
    role = "SOURCE" if name in SOURCES else "TARGET"
    kind = ("ORACLE_COMPONENT_TYPE", "OracleSettings") if role == "SOURCE" else ("FILE_COMPONENT_TYPE", "FileSettings")
    settings = st.dictionaries(st.sampled_from(["server", "port", "mode"]), st.sampled_from(["one", "two"]))
    return settings.map(
        lambda given: {
            "name": name,
            "role": role,
            "is_licensed": True,
            "type_id": kind[0],
            "db_settings": {"$type": kind[1], "password": "<redacted>", **given},
            "override_properties": {},
        }
    )


def schedules(name: str) -> st.SearchStrategy[dict[str, Any]]:
    """Return jobs of the scheduler."""
    return st.builds(
        lambda minute, enabled: {
            "name": name,
            "command_id": 25,
            "schedule": f"{minute} 1 * * * *",
            "task": "orders",
            "command_requests": {"execute_req": {"flags": "RESUME"}},
            **({} if enabled else {"enabled": False}),
        },
        st.integers(0, 2),
        st.booleans(),
    )


def acls() -> st.SearchStrategy[dict[str, Any]]:
    """Return ACLs; each has its admin, or nobody could change it again."""
    return st.builds(
        lambda viewers, inherits: {
            **{role: {"users": [], "groups": []} for role in ROLES},
            "admin_role": {"users": [{"name": "admin@corp.example"}], "groups": []},
            "viewer_role": {"users": [{"name": name} for name in viewers], "groups": []},
            "disable_inheritance": not inherits,
        },
        st.lists(st.sampled_from(["ann@corp.example", "bob@corp.example"]), unique=True),
        st.booleans(),
    )


@st.composite
def estates(draw: Any, servers: tuple[str, ...] = SERVERS) -> dict[ObjectKey, Any]:
    """Return estates: all endpoints, and some of the other objects."""
    found: dict[ObjectKey, Any] = {}
    for server in servers:
        for name in (*SOURCES, *TARGETS):
            found[ObjectKey(server, ENDPOINTS, name)] = draw(endpoints(name))
        for name in draw(st.lists(st.sampled_from(["orders", "stock", "crm"]), unique=True)):
            found[ObjectKey(server, TASKS, name)] = draw(tasks(name))
        for name in draw(st.lists(st.sampled_from(["nightly", "weekly"]), unique=True)):
            found[ObjectKey(server, SCHEDULES, name)] = draw(schedules(name))
        if draw(st.booleans()):
            found[ObjectKey(server, ACL, "")] = draw(acls())
    return found


def imported(key: ObjectKey, old: Any, new: Any) -> Any:
    """Return an object after its import (its replacement, for an ACL), by the merge of the stand-in."""
    if key.kind == ACL or old is None:
        return copy.deepcopy(new)
    if key.kind == TASKS:
        whole = definitions.merged_task(old, new, "")
        del whole["task_settings"]["common_settings"]["task_uuid"]
        return whole
    if key.kind == SCHEDULES:
        new = {"enabled": True, **new}  # what is sent says it
    return definitions.merged(old, new)
