# Copyright (c) 2026, dataops.qlik_em contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The pages docs/api-coverage.md and docs/errors.md, from templates; `make docs-tables` writes them.

Runs in the environment of the tests: it reads YAML and the argument specs of the modules.
"""

from __future__ import annotations

import importlib
from functools import cache, partial
from pathlib import Path
from typing import Any

import jinja2
import yaml
from ansible_collections.dataops.qlik_em.plugins.module_utils._client.error_codes import CATALOGUE

ROOT = Path(__file__).resolve().parents[2]
FACTS = ROOT / "tests" / "api_methods.yml"
COVERAGE, ERRORS = ROOT / "docs" / "api-coverage.md", ROOT / "docs" / "errors.md"

# What makes use of a method: a module, or one state of it ("module:state").
COVERED_BY: dict[str, tuple[str, ...]] = {
    "Login": ("aem_session:present",),
    "Logout": ("aem_session:absent",),
    "GetServerList": ("aem_server_info", "aem_task_info"),
    "GetServerDetails": ("aem_server_info",),
    "GetServer": ("aem_server:present",),
    "PutServer": ("aem_server:present",),
    "DeleteServer": ("aem_server:absent",),
    "PutServerLicense": ("aem_server_license",),
    "ExportAll": ("aem_export", "aem_schedule_info", "aem_estate:gathered"),
    "ImportAll": ("aem_import", "aem_schedule:present", "aem_endpoint:present", "aem_estate:applied"),
    "ExportAuditTrail": ("aem_audit_trail",),
    "GetTaskList": ("aem_task_info", "aem_task_batch"),
    "GetTaskDetails": ("aem_task_info", "aem_task"),
    "RunTask": ("aem_task:started", "aem_task_batch:started", "aem_maintenance_window:restored", "aem_heal"),
    "StopTask": ("aem_task:stopped", "aem_task_batch:stopped", "aem_maintenance_window:frozen", "aem_heal"),
    "ExportTask": ("aem_export", "aem_task:present"),
    "ImportTask": ("aem_task:present", "aem_endpoint:present"),
    "CloneTask": ("aem_task:present",),
    "DeleteTask": ("aem_task:absent",),
    "DeleteOldChangeData": ("aem_change_data:deleted",),
    "SetChangeDataRetentionBarrier": ("aem_change_data:barrier_present", "aem_change_data:barrier_absent"),
    "GetChangeDataRetentionBarrier": ("aem_change_data_info",),
    "GetTableList": ("aem_table_info",),
    "GetTableStatuses": ("aem_table_info", "aem_table"),
    "GetTaskTableSelection": ("aem_table_selection_info",),
    "PutTaskTableSelection": ("aem_table_selection:replaced",),
    "ReloadTable": ("aem_table:reloaded",),
    "ResumeTable": ("aem_table:resumed",),
    "GetEndpointList": ("aem_endpoint_info",),
    "PatchEndpoint": ("aem_endpoint:present",),
    "DeleteEndpoint": ("aem_endpoint:absent",),
    "ReconfigureEndpointNoWait": ("aem_endpoint:reconfigured",),
    "TestEndpoint": ("aem_endpoint_test",),
    **{
        f"{verb}{owner}Acl": (module,)
        for owner in ("Server", "TasksCollection", "Task", "EndpointsCollection", "Endpoint")
        for verb, module in (("Get", "aem_acl_info"), ("Put", "aem_acl:replaced"), ("Delete", "aem_acl:absent"))
    },
}
# Methods that nothing covers, each with the reason.
WITHOUT_MODULE: dict[str, str] = {}
# The option for a parameter (in the query or the body) that has another name, for one method or for all.
OPTIONS: dict[str, str] = {
    "PutServer.username": "server_username",
    "PutServer.password": "server_password",
    "PutServerLicense.text": "license",
    "ExportAuditTrail.start_timestamp": "start",
    "ExportAuditTrail.end_timestamp": "end",
    "RunTask.option": "run_option",
    "RunTask.cdcposition": "cdc_position",
    "CloneTask.new_task_name": "name",
    "CloneTask.new_source_endpoint": "source_endpoint",
    "CloneTask.new_target_endpoint": "target_endpoint",
    "DeleteTask.deletetasklogs": "delete_task_logs",
    "ExportTask.withendpoints": "with_endpoints",
    **{f"include{state}": "state" for state in ("queued", "loading", "completed", "changeprocessing", "error")},
    **{f"PatchEndpoint.{member}": "settings" for member in ("op", "path", "value")},
    **{
        f"{method}.{member}": "definition"
        for method in ("ImportTask", "ImportAll")
        for member in ("name", "cmd.replication_definition", "_version", "description")
    },
}
# Parameters that no option covers, each with the reason.
WITHOUT_OPTION: dict[str, str] = {
    "ImportTask.overridetask": "in the guide of May 2022 only",
}


@cache
def facts() -> dict[str, Any]:
    """Return what tests/api_methods.yml holds."""
    return yaml.safe_load(FACTS.read_text(encoding="utf-8"))


def parameters(method: dict[str, Any]) -> list[str]:
    """Return the parameters of a method, in its query and its body."""
    body = method.get("body", [])
    return [*method.get("query", []), *([body] if isinstance(body, str) else body)]


def option_of(method: str, parameter: str) -> str:
    """Return the option that stands for a parameter; empty if none does."""
    name = f"{method}.{parameter}"
    return "" if name in WITHOUT_OPTION else OPTIONS.get(name) or OPTIONS.get(parameter) or parameter


@cache
def argument_spec(module: str) -> dict[str, Any] | None:
    """Return the argument spec of a module, None if it does not exist."""
    if not (ROOT / "plugins" / "modules" / f"{module}.py").is_file():
        return None
    return importlib.import_module(f"ansible_collections.dataops.qlik_em.plugins.modules.{module}").SPEC.argument_spec


def exists(part: str) -> bool:
    """Return whether there is such a module ("module:state": one that has this state)."""
    module, _colon, state = part.partition(":")
    spec = argument_spec(module)
    return spec is not None and (not state or state in spec["state"]["choices"])


def modules(method: str) -> str:
    """Return the modules for a method, with the state that makes use of it; or why there is none."""
    parts = [part.partition(":") for part in COVERED_BY.get(method, ())]
    return (
        ", ".join(f"`{one}`" + (f" ({state})" if state else "") for one, _colon, state in parts)
        or WITHOUT_MODULE[method]
    )


def methods_with(code: str) -> list[str]:
    """Return the methods that answer with an error code."""
    return [method["method"] for method in facts()["methods"] if code in method.get("errors", [])]


def cell(text: str) -> str:
    """Return a text as it stands in a table."""
    return text.replace("|", "\\|")


def page(path: Path) -> str:
    """Return a page of the documentation, from the template of its name."""
    loader = jinja2.FileSystemLoader(Path(__file__).parent / "templates")
    environment = jinja2.Environment(loader=loader, keep_trailing_newline=True)
    environment.filters["cell"] = cell
    in_guide = {*facts()["general_errors"]}
    for method in facts()["methods"]:
        in_guide |= {*method.get("errors", [])} - {*method.get("assumed", [])}
    return environment.get_template(f"{path.name}.j2").render(
        facts(),
        catalogue=CATALOGUE,
        covered_by=COVERED_BY,
        in_guide=in_guide,
        methods_with=methods_with,
        modules=modules,
        option_of=option_of,
        parameters=parameters,
        without_option=WITHOUT_OPTION,
    )


PAGES = {path: partial(page, path) for path in (COVERAGE, ERRORS)}


def write() -> None:
    """Write both pages."""
    for path, render in PAGES.items():
        path.write_text(render(), encoding="utf-8")
        print(path.relative_to(ROOT))


if __name__ == "__main__":
    write()
