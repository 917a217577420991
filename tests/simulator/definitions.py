# Copyright (c) 2026, dataops.qlik_em contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The export document: its building, its reading, its merging. Pure functions over plain data.

Assumptions, all in here (docs/enterprise_manager_api.md, 9.5 and 9.14): which settings have which default (they are
left out of an export); that a list of named things is merged by their names and any other list replaced; that the
settings of a document without `_version` are not read.
"""

from __future__ import annotations

import copy
import datetime
import json
import re
from dataclasses import dataclass, field
from typing import Any

from .document_tasks import Task

Tree = dict[str, Any]

BODY = "cmd.replication_definition"
LOG_STREAM = (
    "Log Stream"  # the type of the target to which a staging task writes (docs/enterprise_manager_api.md, 9.22)
)
# Settings below `task_settings` that an export leaves out when they have this value.
DEFAULTS: dict[tuple[str, ...], Any] = {
    ("common_settings", "full_load_enabled"): True,
    ("common_settings", "apply_changes_enabled"): True,
    ("common_settings", "save_changes_enabled"): False,
    ("common_settings", "audit_changes_enabled"): False,
    ("common_settings", "write_full_logging"): False,
    ("target_settings", "create_pk_after_data_load"): False,
    ("target_settings", "handle_drop_ddl"): True,
    ("target_settings", "max_transaction_size"): 0,
    ("sorter_settings", "local_transactions_storage", "max_memory_size"): 1024,
}
SELECTION_LISTS = ("included_pattern", "excluded_pattern", "explicit_included_tables")
# Lists whose order means nothing (docs/enterprise_manager_api.md, 9.5).
SETS = (*SELECTION_LISTS, "explicit_excluded_tables", "tasks", "databases", "targets", "target_names")
_PARTS: Tree = {"source": {}, "task_settings": {}, "targets": []}
# What ExportAll and ImportAll carry beside tasks and databases (docs/enterprise_manager_api.md, 9.14); in ImportTask
# they are alien.
OTHER_OBJECTS = (
    *("notifications", "error_behavior", "error_handling", "logging", "scheduler", "server_settings", "environment"),
    *("replication_environment", "disk_utilization_configuration", "memory_utilization_configuration"),
)


class BadDocument(ValueError):
    """A document that can't be imported; `code` is the API's."""

    def __init__(self, code: str, message: str = "") -> None:
        super().__init__(message)
        self.code = code
        self.message = message


@dataclass
class Import:
    """What a document contains: items of `tasks` and `databases`, and all other objects."""

    tasks: list[Tree] = field(default_factory=list)
    databases: list[Tree] = field(default_factory=list)
    others: Tree = field(default_factory=dict)

    def task_names(self) -> list[str]:
        """The names of the tasks in it."""
        return [str(item["task"]["name"]) for item in self.tasks]


# Building


def item_of(task: Task, uuid: str) -> Tree:
    """The item of `tasks` for a task of the state document, defaults left out."""
    source, target = task.source_endpoint.get("name", ""), task.target_endpoint.get("name", "")
    tables = [{"owner": table.schema, "name": table.table} for table in task.tables]
    item: Tree = {
        "task": {"name": task.name, "source_name": source, "target_names": [target]},
        "source": {
            "rep_source": {"source_name": source, "database_name": source},
            "source_tables": {"name": source, "explicit_included_tables": tables},
        },
        "targets": [{"rep_target": {"target_name": target, "target_state": "ENABLED", "database_name": target}}],
        "task_settings": {
            "source_settings": {},
            "target_settings": {"queue_settings": {}},
            "sorter_settings": {"local_transactions_storage": {}},
            "common_settings": {"task_uuid": uuid, "apply_changes_enabled": not task.full_load_only},
        },
        "loggers": {},
    }
    if task.description:
        item["task"]["description"] = task.description
    if task.target_endpoint.get("type") == LOG_STREAM:
        item["task"]["task_type"] = "_LOG_STREAM"
    return stripped(merged(item, task.definition))


def stripped(item: Tree) -> Tree:
    """The item without its default values; empty objects stay, empty lists of tables don't."""
    result = copy.deepcopy(item)
    for path, default in DEFAULTS.items():
        holder: Any = result.get("task_settings")
        for key in path[:-1]:
            holder = holder.get(key) if isinstance(holder, dict) else None
        if isinstance(holder, dict) and path[-1] in holder and _same(holder[path[-1]], default):
            del holder[path[-1]]
    if not result["task"].get("description", "x"):
        del result["task"]["description"]
    tables = selection_of(result)
    for key in SELECTION_LISTS:
        if tables.get(key) == []:
            del tables[key]
    return result


def document(name: str, content: Tree, version: str, host: str) -> Tree:
    """The whole document, stamped with the present time."""
    now = datetime.datetime.now(datetime.timezone.utc)
    numbers = [int(part) for part in re.findall(r"\d+", version)]
    major, minor, revision = (numbers[0], numbers[1], numbers[-1]) if len(numbers) > 1 else (0, 0, 0)
    return {
        "name": f"{name}__{now:%Y-%m-%d--%H-%M-%S-%f}",
        BODY: content,
        "_version": {
            "version": version,
            "version_major": major,
            "version_minor": minor,
            "version_revision": revision,
        },
        "description": origin(host, now),
    }


def origin(host: str, now: datetime.datetime | None = None) -> str:
    """Where and when an export was made."""
    now = now or datetime.datetime.now(datetime.timezone.utc)
    return f"Host name: {host}, Time: {now:%Y-%m-%d %H:%M:%S.%f}"


def text(whole: Tree, comment: bool, mark: bool) -> bytes:
    """The bytes of an export: indented with tabs; older releases begin with a comment line, some with a mark."""
    body = json.dumps(whole, indent="\t", ensure_ascii=False)
    first = f"// {whole['description']}\n" if comment else ""
    return f"{first}{body}".encode("utf-8-sig" if mark else "utf-8")


# Reading


def parse(body: bytes) -> Tree:
    """The document in a request body; comment lines before it are skipped."""
    plain = body.decode("utf-8-sig", "replace").lstrip()
    while plain.startswith("//"):
        plain = plain.partition("\n")[2].lstrip()
    if not plain:
        raise BadDocument("AEM_IMPORT_CONTENT_EMPTY", "there is nothing in it")
    try:
        whole = json.loads(plain)
    except ValueError as error:
        raise BadDocument("AEM_IMPORT_INVALID_CONTENT", str(error)) from error
    if not isinstance(whole, dict):
        raise BadDocument("AEM_IMPORT_INVALID_CONTENT", "no object")
    return whole


def read(whole: Tree) -> Import:
    """What the document contains, its shape checked."""
    content = whole.get(BODY)
    if not isinstance(content, dict):
        raise BadDocument("AEM_IMPORT_INVALID_CONTENT", f"{BODY} is missing")
    content = copy.deepcopy(content)
    tasks, databases = content.pop("tasks", None) or [], content.pop("databases", None) or []
    for items, named in ((tasks, _task_of), (databases, lambda item: item)):
        if not isinstance(items, list) or not all(isinstance(item, dict) for item in items):
            raise BadDocument("AEM_IMPORT_INVALID_CONTENT", "a list of objects was expected")
        names = [(named(item) or {}).get("name") for item in items]
        if not all(isinstance(name, str) and name for name in names) or len(set(names)) != len(names):
            raise BadDocument("AEM_IMPORT_INVALID_CONTENT", "a name is missing or there twice")
    if not all(_has_good_shape(item) for item in tasks):
        raise BadDocument("AEM_IMPORT_INVALID_CONTENT", "a task is not built as expected")
    if "_version" not in whole:  # Replicate falls back to its defaults (docs/enterprise_manager_api.md, 9.4)
        for item in tasks:
            item.pop("task_settings", None)
    return Import(tasks, databases, content)


def _task_of(item: Tree) -> Tree:
    inner = item.get("task")
    return inner if isinstance(inner, dict) else {}


def _has_good_shape(item: Tree) -> bool:
    """Whether the parts of a task's item that the stand-in works with have the right types."""
    source, settings, targets = (item.get(key, empty) for key, empty in _PARTS.items())
    tables = source.get("source_tables", {}) if isinstance(source, dict) else None
    if not isinstance(tables, dict) or not isinstance(settings, dict) or not isinstance(targets, list):
        return False
    lists = [tables.get(key) or [] for key in SELECTION_LISTS]
    return isinstance(settings.get("common_settings", {}), dict) and all(
        isinstance(part, list) and all(isinstance(table, dict) and _has_names(table) for table in part)
        for part in lists
    )


def _has_names(table: Tree) -> bool:
    return all(isinstance(table.get(key, ""), str) for key in ("owner", "name"))


# Merging


def merged(old: Any, new: Any, lists: str = "reordered", member: str = "") -> Any:
    """`old` with `new` laid over it. Members that only `old` has stay, and so do named items.

    What becomes of other named items than those of sets is an assumption: they stay behind the new ones, in whose
    order the list is then (`lists` "reordered"), or before them ("appended"), or the list is "replaced".
    """
    if isinstance(old, dict) and isinstance(new, dict):
        result = dict(old)
        for key, value in new.items():
            result[key] = merged(old[key], value, lists, key) if key in old else copy.deepcopy(value)
        return result
    if isinstance(old, list) and isinstance(new, list):
        left, right = {_identity(item): item for item in old}, {_identity(item): item for item in new}
        if None not in left and None not in right and (member in SETS or lists != "replaced"):
            keys = {**right, **left} if lists == "reordered" and member not in SETS else {**left, **right}
            return [merged(left.get(key), right[key], lists) if key in right else left[key] for key in keys]
    return copy.deepcopy(new)


def merged_task(old: Tree | None, new: Tree, uuid: str, lists: str = "reordered") -> Tree:
    """A task's item after an import; the task keeps its own uuid, and a target that is no longer named is removed."""
    base: Tree = {
        "task": {},
        "source": {},
        "targets": [],
        "task_settings": {key: {} for key in ("source_settings", "target_settings", "sorter_settings")},
        "loggers": {},
    }
    result: Tree = merged(old or base, new, lists)
    for key in ("task_settings", "common_settings"):
        inner = result["task_settings"] if key == "common_settings" else result
        if not isinstance(inner.get(key), dict):
            inner[key] = {}
    result["task_settings"]["common_settings"]["task_uuid"] = uuid
    names = result["task"].get("target_names")
    if isinstance(names, list) and isinstance(result.get("targets"), list):
        result["targets"] = [item for item in result["targets"] if target_name(item) in (None, *names)]
    return stripped(result)


def cloned(item: Tree, name: str, own_uuid: str, given: Tree) -> Tree:
    """A copy of a task's item with another name, and other endpoints where CloneTask's body has some."""
    result = copy.deepcopy(item)
    source, targets = endpoints_of(item)
    parts = result.get("source") or {}
    others = {targets[0]: given.get("new_target_endpoint") or targets[0]}
    result["task"].update(
        name=name,
        source_name=given.get("new_source_endpoint") or source,
        target_names=[others.get(target, target) for target in targets],
    )
    result["task_settings"].setdefault("common_settings", {})["task_uuid"] = own_uuid
    new_source = result["task"]["source_name"]
    for holder, keys in (
        (parts.get("rep_source"), ("source_name", "database_name")),
        (selection_of(result), ("name",)),
    ):
        _rename(holder, keys, {str(source): new_source})
    for target in result.get("targets") or []:
        _rename(target.get("rep_target"), ("target_name", "database_name"), others)
    return result


def _rename(holder: Any, keys: tuple[str, ...], others: dict[str, str]) -> None:
    for key in keys if isinstance(holder, dict) else ():
        if holder.get(key) in others:
            holder[key] = others[holder[key]]


def endpoints_of(item: Tree) -> tuple[str | None, list[str]]:
    """The names of the source and the targets of a task's item."""
    inner = _task_of(item)
    source, targets = inner.get("source_name"), inner.get("target_names")
    good = isinstance(targets, list) and all(isinstance(name, str) for name in targets)
    return source if isinstance(source, str) else None, list(targets) if good and targets else []


def target_name(item: Any) -> str | None:
    """The name of one item of `targets`."""
    inner = item.get("rep_target") if isinstance(item, dict) else None
    name = inner.get("target_name") if isinstance(inner, dict) else None
    return name if isinstance(name, str) else None


def option(item: Tree, name: str) -> bool:
    """An on/off setting of a task's common settings, its default if it was left out."""
    common = item.get("task_settings", {}).get("common_settings", {})
    return bool(common.get(name, DEFAULTS[("common_settings", name)]))


def selection_of(item: Tree) -> Tree:
    """The holder of the table selection in a task's item."""
    source = item.get("source")
    tables = source.get("source_tables") if isinstance(source, dict) else None
    return tables if isinstance(tables, dict) else {}


def _identity(item: Any) -> Any:
    """What distinguishes two items of a list; None if nothing does."""
    if not isinstance(item, dict):
        return None
    if isinstance(item.get("name"), str):
        return (item["owner"] if isinstance(item.get("owner"), str) else None, item["name"])
    if isinstance(_task_of(item).get("name"), str):
        return _task_of(item)["name"]
    return target_name(item)


def _same(left: Any, right: Any) -> bool:
    return type(left) is type(right) and left == right
