# Copyright (c) 2026, dataops.qlik_em contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Endpoints as plain data: their types, their items in an export document, their patches. Pure functions."""

from __future__ import annotations

import copy
import re
from typing import Any

import jsonpatch

from . import definitions, encryption
from .document_servers import Endpoint

Tree = dict[str, Any]

_SUFFIX = "_COMPONENT_TYPE"
# How the console writes a type whose name is not just its words with capitals (assumptions but for the first two).
_SHOWN = {
    "NULL_TARGET": "Null Target",
    "FILE": "File",
    "SQL_SERVER": "Microsoft SQL Server",
    "POSTGRESQL": "PostgreSQL",
}
# The class of the settings of each type that the stand-in knows; others it takes as they are. The first five were seen
# so in exports, of the others only the class or only the pair's halves (docs/enterprise_manager_api.md, 6.31 and 6.47).
_CLASSES = {
    "ORACLE": "OracleSettings",
    "FILE": "FileSettings",
    "NULL_TARGET": "NulltargetSettings",
    "DB2I_NATIVE": "Db2iSettings",
    "DATABRICKS_AZURE_DELTA": "DatabricksazuredeltaSettings",
    "DB2ZOS_NATIVE": "Db2zosSettings",
    "SQL_SERVER": "SqlserverSettings",
    "AZURE_SQL_MSCDC_SOURCE": "MicrosoftazuresqlmscdcSettings",
    "MICROSOFT_SQL_SERVER_MSCDC_SOURCE": "MicrosoftsqlservermscdcSettings",
    "RDS_POSTGRESQL": "RdspostgresqlSettings",
    "POSTGRESQL": "PostgresqlSettings",
    "SNOWFLAKE": "SnowflakeSettings",
    "SNOWFLAKE_AZURE": "SnowflakeazureSettings",
    "AZURE_ADLS": "AzureadlsSettings",
    "LOG_STREAM": "LogstreamSettings",
    "KAFKA": "KafkaSettings",
}
# The others of RFC 6902 are not supported (docs/enterprise_manager_api.md, 6.34).
_OPERATIONS = ("add", "replace", "remove", "test")
_FIXED = ("/db_settings/$type", "/db_settings/connectioninfo/$type")
_KNOWN = ("name", "description", "role", "is_licensed", "type_id", "db_settings", "override_properties")


class BadPatch(ValueError):
    """A patch that can't be applied."""


class BadType(ValueError):
    """Settings that can't be read as the class that belongs to the type."""


def short_type(settings: Endpoint) -> str:
    """The type as GetEndpointList shows it, e.g. ORACLE."""
    if settings.type_id:
        return settings.type_id.removesuffix(_SUFFIX)
    for short, shown in _SHOWN.items():
        if shown == settings.type:
            return short
    return re.sub(r"[^A-Z0-9]+", "_", settings.type.upper()).strip("_")


def shown_type(type_id: str) -> str:
    """The type as the console shows it, from the `type_id` of a document."""
    short = type_id.removesuffix(_SUFFIX)
    return _SHOWN.get(short, short.replace("_", " ").title())


def invented(name: str, role: str, kind: str) -> Endpoint:
    """An endpoint of which only the name and the type are known: it has a connection and a password, too."""
    result = Endpoint(name=name, role=role, type=kind)
    compact = re.sub(r"[^A-Za-z0-9]+", "", kind)
    result.db_settings = {
        "$type": _CLASSES.get(short_type(result), f"{compact}Settings"),
        "username": "replicate",
        "password": f"password of {name}",
        "server": f"{name}.corp.example",
    }
    return result


def item_of(settings: Endpoint, extra: Tree, master_key: str, fresh: bool) -> Tree:
    """The item of `databases` for an endpoint; secrets encrypted, defaults left out."""
    item: Tree = {
        "name": settings.name,
        "description": settings.description,
        "role": settings.role,
        "is_licensed": settings.is_licensed,
        "type_id": settings.type_id or f"{short_type(settings)}{_SUFFIX}",
        "db_settings": encryption.sealed(settings.db_settings, master_key, fresh),
        "override_properties": copy.deepcopy(settings.override_properties),
        **copy.deepcopy(extra),
    }
    if not settings.description:
        del item["description"]
    return item


def check_type(old: Endpoint | None, item: Tree) -> None:
    """Refuse an item of `databases` whose settings have another class than its type, or none."""
    type_id = item.get("type_id") or (old.type_id or f"{short_type(old)}{_SUFFIX}" if old else "")
    wanted = _CLASSES.get(str(type_id).removesuffix(_SUFFIX))
    settings = item.get("db_settings")
    given = settings.get("$type") if isinstance(settings, dict) else None
    if given is None and old is not None:
        given = old.db_settings.get("$type")
    if wanted is not None and given != wanted:
        raise BadType(f"{item['name']}: {type_id} has settings of the class {wanted}, not {given}.")


def imported(old: Endpoint | None, item: Tree, master_key: str) -> tuple[Endpoint, Tree]:
    """The endpoint after an item of `databases` was merged into it, and what the stand-in does not know of it."""
    new = Endpoint(name=str(item["name"]), type_id=f"UNKNOWN{_SUFFIX}", type="Unknown")
    result = copy.deepcopy(old or new)
    if isinstance(item.get("description"), str):
        result.description = item["description"]
    if item.get("role") in ("SOURCE", "TARGET", "BOTH"):
        result.role = item["role"]
    if isinstance(item.get("type_id"), str) and item["type_id"]:
        result.type_id = item["type_id"]
        result.type = shown_type(item["type_id"])
    if isinstance(item.get("is_licensed"), bool):
        result.is_licensed = item["is_licensed"]
    for key in ("db_settings", "override_properties"):
        if isinstance(item.get(key), dict):
            imported = encryption.opened(item[key], master_key)
            setattr(result, key, definitions.merged(getattr(result, key), imported))
    return result, {key: copy.deepcopy(value) for key, value in item.items() if key not in _KNOWN}


def patched(settings: Endpoint, patch: Any) -> Tree:
    """The db_settings after a JSON Patch, all of it or nothing. Only /db_settings may change (assumption)."""
    if not isinstance(patch, list) or not all(isinstance(step, dict) for step in patch):
        raise BadPatch("a list of operations was expected")
    for step in patch:
        path = step.get("path")
        if step.get("op") not in _OPERATIONS or not isinstance(path, str) or not path.startswith("/db_settings/"):
            raise BadPatch(f"{step.get('op')} {path} is not supported")
        if path in _FIXED and step["op"] != "test":
            raise BadPatch(f"{path} can't be changed")
    try:
        # A list given as text would be parsed again, so only the checked one goes in.
        whole = jsonpatch.apply_patch({"db_settings": settings.db_settings}, patch)
    except (jsonpatch.JsonPatchException, jsonpatch.JsonPointerException, TypeError, KeyError) as error:
        raise BadPatch(str(error)) from error
    result: Tree = whole["db_settings"]
    return result
