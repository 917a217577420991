# Copyright (c) 2026, dataops.qlik_em contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Overlays: what one environment has otherwise, laid over the data of another."""

from __future__ import annotations

import copy
import sys

import pytest
from ansible_collections.dataops.qlik_em.plugins.module_utils._client.errors import InputError
from ansible_collections.dataops.qlik_em.plugins.module_utils._estates.model import ObjectKey
from ansible_collections.dataops.qlik_em.plugins.module_utils._estates.overlay import overlaid, read_overlay
from ansible_collections.dataops.qlik_em.plugins.module_utils._estates.overlay_file import load_overlay

DEV, PROD = "Replicate-Dev", "Replicate-Prod"


def task(name, source="ERP dev", target="DWH dev"):
    """A task of the forms that real exports have."""
    return {
        "task": {"name": name, "source_name": source, "target_names": [target], "description": "for dev"},
        "source": {
            "rep_source": {"source_name": source},
            "source_tables": {
                "explicit_included_tables": [{"owner": "SALES_DEV", "name": "ORDERS"}],
                "included_pattern": [{"owner": "STOCK_DEV", "name": "%"}],
            },
        },
        "targets": [{"rep_target": {"target_name": target}}],
        "task_settings": {"target_settings": {"default_schema": "DWH_DEV", "handle_ddl": True}},
    }


def job(name, tasks=None, **more):
    """A schedule."""
    requests = {"execute_req": {"task": tasks or "", "flags": "RESUME"}}
    given = {"task": tasks} if tasks else {}
    return {"name": name, "command_id": 25, "schedule": "0 1 * * * *", "command_requests": requests, **given, **more}


@pytest.fixture
def estate():
    """A small estate."""
    objects = {
        ("endpoints", "ERP dev"): {"name": "ERP dev", "db_settings": {"server": "dev", "password": "<redacted>"}},
        ("endpoints", "DWH dev"): {"name": "DWH dev", "db_settings": {"logstreamstagingtask": "dev_orders"}},
        ("tasks", "dev_orders"): task("dev_orders"),
        ("tasks", "dev_stock"): task("dev_stock"),
        ("tasks", "scratch"): task("scratch"),
        ("schedules", "nightly"): job("nightly", "dev_orders,scratch"),
        ("schedules", "scratch"): job("scratch", "scratch"),
        ("schedules", "all"): job("all"),
        ("acl", ""): {"admin_role": {"users": [], "groups": []}},
    }
    return {ObjectKey(DEV, *key): item for key, item in objects.items()}


def lay(estate, **document):
    """Lay an overlay over an estate, which stays as it is."""
    before = copy.deepcopy(estate)
    found = overlaid(estate, read_overlay("overlay (x.yml)", document))
    assert estate == before
    return found


def refusal(estate, **document):
    """Return the message and the hint of an overlay that cannot be used."""
    with pytest.raises(InputError) as caught:
        lay(estate, **document)
    return f"{caught.value.message} {caught.value.hint}".strip()


def test_an_empty_overlay_changes_nothing(estate):
    assert lay(estate) == estate


def test_servers_endpoints_and_tasks_get_other_names_wherever_they_are_named(estate):
    found = lay(
        estate,
        servers={"Replicate-*": "Qlik-*", DEV: PROD},
        endpoints=[{"name": "* dev", "rename": "*"}],
        tasks=[{"name": "dev_*", "rename": "prod_*"}],
    )
    assert {(key.kind, key.name) for key in found} == {
        *(("endpoints", name) for name in ("ERP", "DWH")),
        *(("tasks", name) for name in ("prod_orders", "prod_stock", "scratch")),
        *(("schedules", name) for name in ("nightly", "scratch", "all")),
        ("acl", ""),
    }
    assert {key.server for key in found} == {PROD}
    orders = found[ObjectKey(PROD, "tasks", "prod_orders")]
    assert orders["task"] == {
        "name": "prod_orders",
        "source_name": "ERP",
        "target_names": ["DWH"],
        "description": "for dev",
    }
    assert orders["source"]["rep_source"] == {"source_name": "ERP"}
    assert orders["targets"] == [{"rep_target": {"target_name": "DWH"}}]
    assert found[ObjectKey(PROD, "endpoints", "DWH")]["db_settings"] == {"logstreamstagingtask": "prod_orders"}
    nightly = found[ObjectKey(PROD, "schedules", "nightly")]
    assert nightly["task"] == "prod_orders,scratch"
    assert found[ObjectKey(PROD, "schedules", "all")].get("task") is None


def test_an_object_may_be_added_whole_where_nothing_is_yet(estate):
    found = lay(estate, tasks=[{"name": "dev_orders", "add": {"loggers/configuration/level": "TRACE"}}])
    assert found[ObjectKey(DEV, "tasks", "dev_orders")]["loggers"] == {"configuration": {"level": "TRACE"}}


def test_a_task_without_a_list_of_targets_is_renamed_as_any_other(estate):
    del estate[ObjectKey(DEV, "tasks", "dev_orders")]["task"]["target_names"]
    found = lay(estate, endpoints=[{"name": "* dev", "rename": "*"}])
    assert found[ObjectKey(DEV, "tasks", "dev_orders")]["task"]["source_name"] == "ERP"


def test_schemas_settings_and_schedules_differ(estate):
    found = lay(
        estate,
        tasks=[
            {"name": "dev_*", "schemas": {"*_DEV": "*", "STOCK_DEV": "LAGER"}},
            {
                "name": "dev_stock",
                "set": {"task/description": "for prod", "task_settings/target_settings/handle_ddl": False},
                "add": {"task_settings/common_settings/batch_apply_enabled": True},
            },
        ],
        endpoints=[{"name": "ERP dev", "set": {"db_settings/server": "prod", "db_settings/password": "<redacted>"}}],
        schedules=[
            {"name": "*", "enabled": False},
            {"name": "nightly", "enabled": True, "cron": "30 2 * * MON-FRI"},
        ],
        acls=[{"leave_out": True}],
    )
    stock = found[ObjectKey(DEV, "tasks", "dev_stock")]
    assert stock["source"]["source_tables"] == {
        "explicit_included_tables": [{"owner": "SALES", "name": "ORDERS"}],
        "included_pattern": [{"owner": "LAGER", "name": "%"}],
    }
    assert stock["task_settings"] == {
        "target_settings": {"default_schema": "DWH", "handle_ddl": False},
        "common_settings": {"batch_apply_enabled": True},
    }
    assert stock["task"]["description"] == "for prod"
    assert found[ObjectKey(DEV, "tasks", "dev_orders")]["task"]["description"] == "for dev"
    assert found[ObjectKey(DEV, "tasks", "scratch")] == estate[ObjectKey(DEV, "tasks", "scratch")]
    assert found[ObjectKey(DEV, "endpoints", "ERP dev")]["db_settings"]["server"] == "prod"
    jobs = {key.name: (item["enabled"], item["schedule"]) for key, item in found.items() if key.kind == "schedules"}
    assert jobs == {
        "nightly": (True, "30 2 * * 1-5 *"),
        "scratch": (False, "0 1 * * * *"),
        "all": (False, "0 1 * * * *"),
    }
    assert ObjectKey(DEV, "acl", "") not in found


def test_what_is_left_out_is_not_named_by_a_schedule_either(estate):
    """A schedule without tasks would be for all of the server."""
    found = lay(
        estate,
        tasks=[{"name": "*", "leave_out": True}, {"name": "dev_*", "leave_out": False}],
        endpoints=[{"name": "ERP dev", "leave_out": True, "rename": "ERP"}],
    )
    assert [key.name for key in found if key.kind == "tasks"] == ["dev_orders", "dev_stock"]
    assert {key.name: item.get("task") for key, item in found.items() if key.kind == "schedules"} == {
        "nightly": "dev_orders",
        "all": None,
    }
    assert [key.name for key in found if key.kind == "endpoints"] == ["DWH dev"]  # ERP is on the other server already
    assert found[ObjectKey(DEV, "tasks", "dev_stock")]["task"]["source_name"] == "ERP"


def test_a_place_may_be_in_a_list_and_names_may_hold_slashes(estate):
    estate[ObjectKey(DEV, "endpoints", "ERP dev")]["db_settings"]["a/b"] = {"c": 1}
    found = lay(
        estate,
        tasks=[
            {
                "name": "dev_orders",
                "set": {"source/source_tables/explicit_included_tables/SALES_DEV.ORDERS/name": "ORDERS2"},
            }
        ],
        endpoints=[{"name": "ERP dev", "set": {"db_settings/a/b/c": 2}}],
    )
    tables = found[ObjectKey(DEV, "tasks", "dev_orders")]["source"]["source_tables"]
    assert tables["explicit_included_tables"] == [{"owner": "SALES_DEV", "name": "ORDERS2"}]
    assert found[ObjectKey(DEV, "endpoints", "ERP dev")]["db_settings"]["a/b"] == {"c": 2}


@pytest.mark.parametrize(
    ("document", "message"),
    [
        (
            {"servers": {"Replicate-Def": "x"}},
            f'servers names "Replicate-Def", which is not in the files. Did you mean "{DEV}"?',
        ),
        (
            {"tasks": [{"name": "dev_oders", "rename": "x"}]},
            'tasks/1 names the task "dev_oders", which is not in the files. Did you mean "dev_orders"?',
        ),
        (
            {"tasks": [{"name": "*", "server": "Replicate-Dew", "leave_out": True}]},
            f'names the server "Replicate-Dew", which is not in the files. Did you mean "{DEV}"?',
        ),
        (
            {"tasks": [{"name": "dev_*", "schemas": {"SALES_DEF": "x"}}]},
            'names the schema "SALES_DEF", which none of its tasks has. Did you mean "SALES_DEV"',
        ),
        (
            {"tasks": [{"name": "scratch", "set": {"task_settings/target_settings/handle_dll": True}}]},
            'tasks/1/set names "task_settings/target_settings/handle_dll", which is not in the task "scratch" of '
            f'server "{DEV}". Did you mean "task_settings/target_settings/handle_ddl"',
        ),
        (
            {"endpoints": [{"name": "ERP dev", "set": {"xyz": 1}}]},
            "An export leaves out defaults. To set one that is not there, use add.",
        ),
        (
            {"endpoints": [{"name": "ERP dev", "set": {"db_settings": 1}}]},
            "which is an object and not a value in the endpoint",
        ),
        (
            {"endpoints": [{"name": "ERP dev", "add": {"name/x": 1}}]},
            "which is below something that is not an object in",
        ),
        ({"endpoints": [{"name": "ERP dev", "set": {"name": "x"}}]}, "another name. Use rename for that."),
        ({"tasks": [{"name": "dev_*", "rename": "same"}]}, 'would both become the task "same"'),
        ({"tasks": [{"name": "dev_*", "rename": "*_*"}]}, "tasks/1/rename is"),
        ({"tasks": [{"name": "dev_?rders", "rename": "*"}]}, "tasks/1/rename is"),
        ({"tasks": [{"name": "dev_*"}]}, "must be a mapping with one of rename, leave_out"),
        ({"tasks": [{"rename": "x"}]}, "has no member name"),
        ({"tasks": [{"name": "x", "renam": "x"}]}, "tasks/1/renam is not known: "),
        ({"task": []}, "task is not known: the members here are servers, endpoints, tasks, schedules, acls"),
        ({"schedules": [{"name": "all", "enabled": "on"}]}, 'schedules/1/enabled is "on", but must be true or false'),
        ({"schedules": [{"name": "all", "cron": "61 * * * *"}]}, "but must be a cron expression ("),
        (
            {"endpoints": [{"name": "ERP dev", "set": {"db_settings/password": "hunter2"}}]},
            "holds a secret: write <redacted> here, and give the secret in the option secrets",
        ),
        (
            {"endpoints": [{"name": "ERP dev", "set": {"db_settings": {"password": "hunter2"}}}]},
            "holds a secret: write <redacted> here, and give the secret in the option secrets",
        ),
    ],
)
def test_what_is_odd_or_not_there_is_refused_with_its_place_and_the_nearest(estate, document, message):
    shown = refusal(estate, **document)
    assert shown.startswith("overlay (x.yml) cannot be used: ") and message in shown and "hunter2" not in shown


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("tasks:\n  - name: a\n    name: b\n", 'is not YAML at line 3, column 5: the member "name" stands twice.'),
        ("tasks: [\n", "is not YAML at line 2, column 1"),
        ("tasks: !vault x\n", "could not determine a constructor for the tag '!vault'"),
        ("on: x\n", "the name of a member is True, not a text"),
        ("tasks: [{name: a, set: {x: 2026-01-01}}]\n", "tasks/1/set/x is a date, which JSON does not have"),
        ('{"tasks": [], "tasks": []}', "twice"),
        ("&a [*a]\n", "is too large, or nested too deeply"),
        ("- a\n", "must be a mapping"),
        ("[" * 5000, "is nested too deeply"),
        ("", "must be a mapping"),
    ],
)
def test_a_file_that_is_odd_is_refused(tmp_path, text, message):
    path = tmp_path / "prod.yml"
    path.write_text(text)
    with pytest.raises(InputError) as caught:
        load_overlay("overlay", str(path))
    assert caught.value.message.startswith(f"overlay ({path})") and message in caught.value.message


def test_a_file_may_be_yaml_or_json(tmp_path):
    (tmp_path / "a.yml").write_text("servers:\n  a: b\n")
    (tmp_path / "a.json").write_text('{"servers": {"a": "b"}}')
    found = [load_overlay("overlay", str(tmp_path / name)) for name in ("a.yml", "a.json")]
    assert [(one.servers, one.rules) for one in found] == [({"a": "b"}, [])] * 2
    with pytest.raises(InputError, match="does not exist"):
        load_overlay("overlay", str(tmp_path / "b.yml"))


def test_without_pyyaml_a_file_in_yaml_is_refused_and_one_in_json_is_read(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "yaml", None)
    (tmp_path / "a.yml").write_text("servers:\n  a: b\n")
    (tmp_path / "a.json").write_text('{"servers": {"a": "b"}}')
    with pytest.raises(InputError, match=f"PyYAML is missing for {sys.executable}") as caught:
        load_overlay("overlay", str(tmp_path / "a.yml"))
    assert caught.value.hint.endswith("or write the overlay in JSON.")
    assert load_overlay("overlay", str(tmp_path / "a.json")).servers == {"a": "b"}
