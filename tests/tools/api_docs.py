# Copyright (c) 2026, dataops.qlik_em contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The pages docs/api-coverage.md and docs/errors.md, from what is known: python -m ...tests.tools.api_docs writes them.

Runs in the environment of the tests: it reads YAML and the argument specs of the modules.
"""

from __future__ import annotations

import importlib
from collections.abc import Iterable
from functools import cache
from typing import Any

import yaml
from ansible_collections.dataops.qlik_em.plugins.module_utils._client.error_codes import CATALOGUE
from ansible_collections.dataops.qlik_em.tests.tools.layout import NAME, NAMESPACE, ROOT

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
    "ExportAll": ("aem_export",),
    "ImportAll": ("aem_import", "aem_endpoint:present"),
    "ExportAuditTrail": ("aem_audit_trail",),
    "GetTaskList": ("aem_task_info", "aem_task_batch"),
    "GetTaskDetails": ("aem_task_info", "aem_task"),
    "RunTask": ("aem_task:started", "aem_task_batch:started", "aem_maintenance_window:restored"),
    "StopTask": ("aem_task:stopped", "aem_task_batch:stopped", "aem_maintenance_window:frozen"),
    "ExportTask": ("aem_export", "aem_task:present"),
    "ImportTask": ("aem_task:present", "aem_endpoint:present"),
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
GENERATED = "<!-- Made by `make docs-tables`, from tests/api_methods.yml and the collection itself. Do not edit. -->"
PLUGINS = f"ansible_collections.{NAMESPACE}.{NAME}.plugins"


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
    """Return the argument spec of a module, None if there is no such module."""
    if not (ROOT / "plugins" / "modules" / f"{module}.py").is_file():
        return None
    return importlib.import_module(f"{PLUGINS}.modules.{module}").SPEC.argument_spec


def exists(part: str) -> bool:
    """Return whether there is such a module ("module:state": one that has this state)."""
    module, _colon, state = part.partition(":")
    spec = argument_spec(module)
    return spec is not None and (not state or state in spec["state"]["choices"])


def coverage_page() -> str:
    """Return docs/api-coverage.md."""
    rows, options = [], []
    for method in facts()["methods"]:
        name = method["method"]
        modules = _modules(COVERED_BY.get(name, ())) or WITHOUT_MODULE[name]
        rows.append((name, _request(method), modules, _scope(method)))
        for parameter in parameters(method) if name in COVERED_BY else []:
            option = option_of(name, parameter)
            where = f"`{option}`" if option else WITHOUT_OPTION[f"{name}.{parameter}"]
            options.append((name, "the body" if parameter == "text" else f"`{parameter}`", where))
    return _page(
        "Methods of the API, and the modules for them",
        "Every method of the vendor guide, up to the release of May 2026. `aem_api` sends any other call.",
        _table(("Method", "Request", "Modules", "Where"), rows),
        "## Parameters",
        _table(("Method", "Parameter", "Option"), options),
    )


def errors_page() -> str:
    """Return docs/errors.md."""
    general, uses, told = facts()["general_errors"], dict[str, list[str]](), set(facts()["general_errors"])
    for method in facts()["methods"]:
        for code in method.get("errors", []):
            uses.setdefault(code, []).append(method["method"])
        told |= {*method.get("errors", [])} - {*method.get("assumed", [])}
    codes = [
        (
            f"`{code}`" + ("" if code in told else " (assumed)"),
            advice.meaning,
            advice.remedy,
            "all" if code in general else ", ".join(uses.get(code, [])),
        )
        for code, advice in sorted(CATALOGUE.items())
    ]
    roles = [
        (method["method"], method["role"] + (" (assumed)" if "role" in method.get("assumed", []) else ""))
        for method in facts()["methods"]
    ]
    return _page(
        "Error codes and roles",
        "A failed task returns `error_code`, `error_message` (in the server's words), `http_status` and a `hint`.\n"
        "Decide by `error_code`: the texts and the HTTP status differ between releases. Codes that are not listed are\n"
        "passed on as they are. What the guide does not tell is marked as assumed.",
        _table(("Code", "What it means", "What to do", "Methods"), codes),
        "## Roles",
        "What the user needs. Roles are inherited, from Enterprise Manager down to tasks and endpoints.",
        _table(("Method", "Role"), roles),
    )


def _request(method: dict[str, Any]) -> str:
    action = f"?action={method['action']}" if "action" in method else ""
    also = f" (or {method['also']})" if "also" in method else ""
    return f"`{method['request']}{action}`{also}"


def _modules(parts: Iterable[str]) -> str:
    return ", ".join(f"`{module}`" + (f" ({state})" if state else "") for module, _colon, state in _split(parts))


def _split(parts: Iterable[str]) -> list[tuple[str, str, str]]:
    return [part.partition(":") for part in parts]


def _scope(method: dict[str, Any]) -> str:
    since = f", since {method['since']}" if "since" in method else ""
    return " and ".join(method["products"]) + since


def _page(title: str, *parts: str) -> str:
    return "\n\n".join([GENERATED, f"# {title}", *parts]) + "\n"


def _table(head: tuple[str, ...], rows: list[tuple[str, ...]]) -> str:
    lines = [head, tuple("---" for _column in head), *rows]
    return "\n".join(f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in line)} |" for line in lines)


PAGES = {COVERAGE: coverage_page, ERRORS: errors_page}


def write() -> None:
    """Write both pages."""
    for path, page in PAGES.items():
        path.write_text(page(), encoding="utf-8")
        print(path.relative_to(ROOT))


if __name__ == "__main__":
    write()
