# Copyright (c) 2026, dataops.qlik_em contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What an operator does: operations of all resources that write, and what holds if one of them succeeds.

Another resource is one more function that returns a strategy, its methods, and its goal: see ``RESOURCES``.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

from ansible_collections.dataops.qlik_em.tests.functional.every_module.cases_definitions import (
    definition,
    with_shop,
)
from ansible_collections.dataops.qlik_em.tests.functional.support.canaries import OWN
from ansible_collections.dataops.qlik_em.tests.functional.support.checkpoints import ran
from ansible_collections.dataops.qlik_em.tests.simulator.handle import Handle
from ansible_collections.dataops.qlik_em.tests.soak.histories.world import (
    ACTIVE,
    AT_REST,
    NEW_ENDPOINTS,
    NEW_SERVER,
    NEW_TASKS,
    SERVER,
    TABLES,
    TASKS,
)
from hypothesis import strategies as st

WAITING = {"wait_sleep": 0.5, "wait_timeout": 20}
LICENCE = f"expiration_date=2036-02-02\nchecksum=1A2B-3C4D\nserial={OWN['license']}\n"
PEOPLE = [f"{name}@corp.example" for name in ("ann", "bob")]

Options = dict[str, Any]


class Resource(NamedTuple):
    """How one module is used.

    ``repeats`` is whether an operation acts each time, as its module's attributes say; ``holds`` whether what was
    wanted is there after a success.
    """

    operations: st.SearchStrategy[Options]
    methods: list[str]
    holds: Callable[[Handle, Options, Path], bool]
    repeats: Callable[[Options], bool] = lambda options: False


def _choice(**members: Any) -> st.SearchStrategy[Options]:
    """Return options, each of them fixed, or one of the items of a list, or of a strategy."""
    return st.fixed_dictionaries(
        {
            name: value
            if isinstance(value, st.SearchStrategy)
            else st.sampled_from(value)
            if isinstance(value, list)
            else st.just(value)
            for name, value in members.items()
        }
    )


def _state_of(em: Handle, name: str) -> str | None:
    found = em.server(SERVER)["tasks"].get(name)
    return found["state"] if found else None


def _tables(em: Handle, name: str) -> set[tuple[str, str]]:
    selection = em.inside(SERVER, name)["definition"]["source"]["source_tables"]
    return {(table["owner"], table["name"]) for table in selection.get("explicit_included_tables") or []}


# Tasks


def _definitions(names: list[str]) -> st.SearchStrategy[Any]:
    def build(name: str, table: str, size: int, is_with_shop: bool) -> Any:
        document = definition(name, (table,), batch_size=size)
        if is_with_shop:
            with_shop(document)["cmd.replication_definition"]["databases"][0]["db_settings"]["password"] = OWN[
                "definition"
            ]
        return document

    return st.builds(
        build, st.sampled_from(names), st.sampled_from(["ORDERS", "NEW"]), st.integers(1, 2), st.booleans()
    )


def _with_definition(document: Any, **more: Any) -> Options:
    name = document["cmd.replication_definition"]["tasks"][0]["task"]["name"]
    return {"server": SERVER, "name": name, "state": "present", "definition": document, **WAITING, **more}


_ALL_TASKS = [*TASKS, *NEW_TASKS]
TASK_OPERATIONS = st.one_of(
    _choice(
        server=SERVER,
        name=[*TASKS, "fresh"],
        state=["stopped", "started", "restarted", "reloaded", "drained"],
        wait=[True, False],
        timeout=5,
        force=True,
        **WAITING,
    ),
    st.builds(_with_definition, _definitions(_ALL_TASKS), stop_if_running=st.booleans()),
    st.builds(
        _with_definition,
        _definitions(_ALL_TASKS),
        stop_if_running=st.just(True),
        import_mode=st.just("replace"),
        backup_dir=st.just("{folder}"),
        force=st.just(True),
    ),
    _choice(server=SERVER, name=_ALL_TASKS, state="absent", stop_if_running=[True, False], **WAITING),
    _choice(server=SERVER, name=NEW_TASKS, state="present", clone_of=TASKS, **WAITING),
)


def _task_holds(em: Handle, options: Options, folder: Path) -> bool:
    name, state = options["name"], options["state"]
    now = _state_of(em, name)
    if state == "absent":
        return now is None
    if state in ("stopped", "drained"):
        return now in AT_REST
    if state != "present":
        return now in ACTIVE
    if options.get("clone_of"):
        return now is not None
    wanted = options["definition"]["cmd.replication_definition"]["tasks"][0]
    found = em.inside(SERVER, name)["definition"]
    size = found["task_settings"]["target_settings"]["batch_size"]
    tables = {("SALES", wanted["source"]["source_tables"]["explicit_included_tables"][0]["name"])}
    is_replaced = options.get("import_mode") == "replace"
    has_tables = _tables(em, name) == tables if is_replaced else _tables(em, name) >= tables
    return has_tables and size == wanted["task_settings"]["target_settings"]["batch_size"]


def _import_holds(em: Handle, options: Options, folder: Path) -> bool:
    name = options["definition"]["cmd.replication_definition"]["tasks"][0]["task"]["name"]
    return _task_holds(em, {**options, "name": name, "state": "present"}, folder)


# Endpoints

_ORACLE = {"server": SERVER, "state": "present", "type": "oracle", "role": "source", **WAITING}
ENDPOINT_OPERATIONS = st.one_of(
    _choice(
        **_ORACLE,
        name=NEW_ENDPOINTS,
        settings=[{"server": "a.corp.example", "username": "shop"}, {"server": "b.corp.example"}],
        secrets={"password": OWN["endpoint secret"]},
    ),
    _choice(
        **_ORACLE,
        name=["ERP", "Spare", *NEW_ENDPOINTS],
        description=["", "Another"],
        settings=[{"server": "a.corp.example"}, {"server": "b.corp.example", "archived_logs_only": None}],
    ),
    _choice(**_ORACLE, name=["ERP", "Spare"], secrets={"password": OWN["endpoint secret"]}, update_password="always"),
    _choice(server=SERVER, name=["ERP", "Spare", *NEW_ENDPOINTS], state="absent"),
    _choice(server=SERVER, name=["ERP", "Spare"], state="reconfigured", configuration="ERP standby", **WAITING),
)


def _endpoint_holds(em: Handle, options: Options, folder: Path) -> bool:
    found = em.server(SERVER)["endpoints"].get(options["name"])
    if options["state"] == "absent":
        return found is None
    if options["state"] == "reconfigured":
        return bool(found) and found["db_settings"] == em.endpoint(SERVER, options["configuration"])["db_settings"]
    return bool(
        found
        and options.get("description", found["description"]) == found["description"]
        and all(found["db_settings"].get(key) == value for key, value in options.get("settings", {}).items())
        and (
            options.get("update_password") != "always"
            or found["db_settings"]["password"] == options["secrets"]["password"]
        )
    )


# ACLs

_SCOPES = st.sampled_from(
    [
        {"scope": "server"},
        {"scope": "tasks"},
        {"scope": "endpoints"},
        {"scope": "task", "task": TASKS[1]},
        {"scope": "endpoint", "endpoint": "ERP"},
    ]
)
_ROLES = _choice(viewer_role=[{"users": PEOPLE[:1]}, {"users": PEOPLE, "groups": []}])
ACL_OPERATIONS = st.builds(
    lambda scope, what: {"server": SERVER, **scope, **what},
    _SCOPES,
    st.one_of(
        st.builds(lambda state, roles: {"state": state, **roles}, st.sampled_from(["present", "absent"]), _ROLES),
        st.builds(lambda roles: {"state": "replaced", **roles}, _ROLES),
        st.just({"state": "absent", "force": True}),
    ),
)


def _acl_holds(em: Handle, options: Options, folder: Path) -> bool:
    place = {
        "server": "",
        "task": f"tasks/{options.get('task')}",
        "endpoint": f"endpoints/{options.get('endpoint')}",
    }.get(options["scope"], options["scope"])
    acl = em.server(SERVER)["acls"].get(place)
    if "viewer_role" not in options:
        return acl is None
    there = set(((acl or {}).get("viewer_role") or {}).get("users", []))
    wanted = set(options["viewer_role"]["users"])
    if options["state"] == "absent":
        return not there & wanted
    return there == wanted if options["state"] == "replaced" else there >= wanted


# Schedules

SCHEDULE_OPERATIONS = st.one_of(
    _choice(
        server=SERVER,
        name=["nightly", "weekly"],
        state=["present", "disabled"],
        cron=["30 2 * * MON-FRI", "0 4 * * *"],
        action=["start", "stop", "reload"],
        tasks=[TASKS[:1], TASKS[:2]],
        **WAITING,
    ),
    _choice(server=SERVER, name=["nightly", "weekly"], state="absent", **WAITING),
)


def _schedule_holds(em: Handle, options: Options, folder: Path) -> bool:
    jobs = {job["name"]: job for job in em.server(SERVER)["others"].get("scheduler", {}).get("jobs", [])}
    found = jobs.get(options["name"])
    if options["state"] == "absent":  # no call removes one
        return found is None or found.get("enabled") is False
    return (
        found is not None
        and found.get("enabled", True) is (options["state"] == "present")
        and found["schedule"].startswith(options["cron"][:4])
        and (found["command_id"] == 51) is (options["action"] == "stop")
    )


# Tables

_TABLE = st.sampled_from([{"schema": schema, "table": table} for schema, table in TABLES])
TABLE_OPERATIONS = st.builds(
    lambda tables, more: {"server": SERVER, "tables": tables, **more, **WAITING},
    st.lists(_TABLE, min_size=1, max_size=2, unique_by=lambda table: table["table"]),
    _choice(name=TASKS, state=["reloaded", "resumed"], force=True, wait=[True, False]),
)


def _table_holds(em: Handle, options: Options, folder: Path) -> bool:
    states = {
        (table["schema"], table["table"]): table["state"] for table in em.inside(SERVER, options["name"])["tables"]
    }
    there = [states.get((table["schema"], table["table"])) for table in options["tables"]]
    return "TABLE_ERROR" not in there and (options["state"] == "resumed" or _state_of(em, options["name"]) in ACTIVE)


_ITEMS = st.sampled_from([[{"owner": "SALES", "name": "NEW"}], [{"owner": "SALES", "name": "ORDERS"}]])
SELECTION_OPERATIONS = _choice(
    server=SERVER, name=TASKS, state=["present", "replaced", "absent"], explicit_included_tables=_ITEMS
)


def _selection_holds(em: Handle, options: Options, folder: Path) -> bool:
    there = _tables(em, options["name"])
    wanted = {(item["owner"], item["name"]) for item in options["explicit_included_tables"]}
    if options["state"] == "absent":
        return not there & wanted
    return there == wanted if options["state"] == "replaced" else there >= wanted


# Servers

SERVER_OPERATIONS = st.one_of(
    _choice(
        name=NEW_SERVER,
        type="replicate",
        host=["a.corp.example", "b.corp.example"],
        server_username="em",
        server_password=OWN["server_password"],
        wait=[True, False],
        **WAITING,
    ),
    _choice(name=[SERVER, NEW_SERVER], description=["", "Another"]),
    _choice(
        name=[SERVER, NEW_SERVER],
        host="a.corp.example",
        server_username="em",
        server_password=OWN["server_password"],
        update_password="always",
    ),
    _choice(name=NEW_SERVER, state="absent"),
)


def _server_holds(em: Handle, options: Options, folder: Path) -> bool:
    found = em.state()["servers"].get(options["name"])
    if options.get("state") == "absent":
        return found is None
    return bool(
        found
        and found["host"] == options.get("host", found["host"])
        and found["description"] == options.get("description", found["description"])
        and ("update_password" not in options or found["password"] == options["server_password"])
    )


# Change data, and any call

# One application only: of several barriers the API shows the earliest (docs/enterprise_manager_api.md, 6.40).
_BARRIER = {"server": SERVER, "name": TASKS[:2], "application": "nightly"}
CHANGE_DATA_OPERATIONS = st.one_of(
    _choice(**_BARRIER, state="barrier_present", retention_point=["2026-11-20", "2026-11-24"]),
    _choice(**_BARRIER, state="barrier_absent"),
    _choice(server=SERVER, name=TASKS[:2], state="deleted", older_than="P30D", force=True),
)


def _change_data_holds(em: Handle, options: Options, folder: Path) -> bool:
    inside = em.inside(SERVER, options["name"])
    if options["state"] == "deleted":
        return bool(inside["deleted_change_data"])
    point = inside["barriers"].get(options["application"], "")
    return point.startswith(options["retention_point"]) if options["state"] == "barrier_present" else not point


API_OPERATIONS = _choice(
    method="post",
    path=[["servers", SERVER, "tasks", name] for name in TASKS[:2]],
    query={"action": "delete_old_change_data"},
    body={"timestamp_or_offset": "P30D"},
)

# Fleets

_SELECTED = [[{"server": SERVER}], [{"server": "*", "name": TASKS[0]}], [{"server": SERVER, "name": "[!l]*"}]]
_FLEET = {"parallel": [1, 1, 2], "timeout": 5, **WAITING}
BATCH_OPERATIONS = st.builds(
    lambda options, more: {**options, **more},
    _choice(state=["stopped", "started", "restarted"], include=_SELECTED, wait=[True, False], **_FLEET),
    st.sampled_from([{}, {"journal": "{folder}/journal"}]),
)
# The steps of a window, in their order.
WINDOW_STEPS = [
    _choice(state="recorded", path="{folder}/checkpoint", include=_SELECTED, waves=[None, [{"name": "o*"}]], **_FLEET),
    _choice(state="frozen", path="{folder}/checkpoint", **_FLEET),
    _choice(state="restored", path="{folder}/checkpoint", **_FLEET),
]
HEAL_OPERATIONS = _choice(mode="heal", include=_SELECTED, state_file="{folder}/heal", **_FLEET)


def _batch_holds(em: Handle, options: Options, folder: Path) -> bool:
    (selector,) = options["include"]
    named = {None: TASKS, TASKS[0]: TASKS[:1]}.get(selector.get("name"), TASKS[:2])
    states = [_state_of(em, name) for name in named]
    return all(state in (AT_REST if options["state"] == "stopped" else ACTIVE) or state is None for state in states)


def _window_holds(em: Handle, options: Options, folder: Path) -> bool:
    checkpoint = json.loads((folder / "checkpoint").read_text())
    if options["state"] == "recorded":
        return checkpoint["phase"] != "restored"
    states = [_state_of(em, name) for _server, name in ran(checkpoint)]
    return checkpoint["phase"] == options["state"] and (
        options["state"] == "restored" or not set(states) & {"RUNNING", "RECOVERY", "STARTING"}
    )


# Estates

_PLAN = {"path": "{folder}/estate", "plan": "{folder}/plan.json", "include": _SELECTED[:1], **WAITING}
# The steps of a change by files, in their order.
ESTATE_STEPS = [
    _choice(state="gathered", path="{folder}/estate", include=_SELECTED[:1]),
    _choice(state="planned", **_PLAN),
    _choice(state="applied", **_PLAN),
    _choice(state="backed_out", **_PLAN),
]


def _estate_holds(em: Handle, options: Options, folder: Path) -> bool:
    if options["state"] != "applied":
        return True
    server = em.server(SERVER)
    tasks = [json.loads(path.read_text()) for path in (folder / "estate").rglob("tasks/*.json")]
    endpoints = [json.loads(path.read_text()) for path in (folder / "estate").rglob("endpoints/*.json")]
    return {item["task"]["name"] for item in tasks} <= set(server["tasks"]) and {
        item["name"] for item in endpoints
    } <= set(server["endpoints"])


RESOURCES: dict[str, Resource] = {
    "aem_task": Resource(
        TASK_OPERATIONS,
        [
            *["StopTask", "RunTask", "GetTaskDetails"] * 2,
            *("ImportTask", "ImportTask", "ExportTask", "DeleteTask", "CloneTask", "GetTaskList", "DeleteEndpoint"),
        ],
        _task_holds,
        lambda options: options["state"] in ("restarted", "reloaded"),
    ),
    "aem_import": Resource(
        st.builds(lambda document: {"server": SERVER, "definition": document, **WAITING}, _definitions(_ALL_TASKS)),
        ["ImportAll", "ExportAll", "ImportTask"],
        _import_holds,
    ),
    "aem_endpoint": Resource(
        ENDPOINT_OPERATIONS,
        [
            *("GetEndpointList", "ExportAll", "ImportAll", "ImportAll", "PatchEndpoint", "PatchEndpoint"),
            *("DeleteEndpoint", "DeleteEndpoint", "ReconfigureEndpointNoWait"),
        ],
        _endpoint_holds,
        lambda options: "update_password" in options,
    ),
    "aem_acl": Resource(
        ACL_OPERATIONS,
        [
            f"{verb}{what}Acl"
            for what in ("Server", "Task", "TasksCollection", "Endpoint", "EndpointsCollection")
            for verb in ("Get", "Put", "Put", "Delete")
        ],
        _acl_holds,
    ),
    "aem_schedule": Resource(SCHEDULE_OPERATIONS, ["ExportAll", "ImportAll", "ImportAll"], _schedule_holds),
    "aem_table": Resource(
        TABLE_OPERATIONS,
        ["GetTableList", "GetTableStatuses", *["ReloadTable", "ResumeTable"] * 2, "GetTaskDetails"],
        _table_holds,
        lambda options: options["state"] == "reloaded",
    ),
    "aem_table_selection": Resource(
        SELECTION_OPERATIONS, ["GetTaskTableSelection", *["PutTaskTableSelection"] * 2], _selection_holds
    ),
    "aem_server": Resource(
        SERVER_OPERATIONS,
        ["GetServer", "PutServer", "PutServer", "DeleteServer", "DeleteServer", "GetServerList", "GetServerDetails"],
        _server_holds,
        lambda options: "update_password" in options,
    ),
    "aem_server_license": Resource(
        st.just({"server": SERVER, "license": LICENCE}),
        ["PutServerLicense", "PutServerLicense", "GetServerDetails"],
        lambda em, options, folder: em.server(SERVER)["license"]["expiration"] == "2036-02-02",
        lambda options: True,
    ),
    "aem_change_data": Resource(
        CHANGE_DATA_OPERATIONS,
        ["GetChangeDataRetentionBarrier", *["SetChangeDataRetentionBarrier", "DeleteOldChangeData"] * 2],
        _change_data_holds,
        lambda options: options["state"] == "deleted",
    ),
    "aem_api": Resource(
        API_OPERATIONS,
        ["DeleteOldChangeData"],
        lambda em, options, folder: bool(em.inside(SERVER, options["path"][-1])["deleted_change_data"]),
        lambda options: True,
    ),
    "aem_task_batch": Resource(
        BATCH_OPERATIONS,
        ["GetServerList", "GetTaskList", *["StopTask", "RunTask"] * 3, "GetTaskDetails"],
        _batch_holds,
        lambda options: options["state"] == "restarted",
    ),
    "aem_maintenance_window": Resource(
        st.one_of(WINDOW_STEPS),
        ["GetServerList", "GetTaskList", *["StopTask", "RunTask"] * 3, "GetTaskDetails"],
        _window_holds,
    ),
    "aem_estate": Resource(
        st.one_of(ESTATE_STEPS),
        [
            *("ExportAll", "ImportAll", "ImportAll", "ImportTask", "StopTask", "StopTask", "RunTask", "RunTask"),
            *("PutServerAcl", "DeleteTask", "DeleteEndpoint", "TestEndpoint", "PutTaskTableSelection"),
        ],
        _estate_holds,
        lambda options: options["state"] == "planned",  # it writes the plan anew
    ),
    "aem_heal": Resource(
        HEAL_OPERATIONS,
        ["GetTaskList", "GetTaskDetails", *["StopTask", "RunTask"] * 2],
        lambda em, options, folder: True,
        lambda options: True,
    ),
}
FILES = ("aem_estate", "aem_heal", "aem_maintenance_window", "aem_task_batch")  # these note in files what they do
