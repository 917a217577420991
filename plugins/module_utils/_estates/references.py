# Copyright (c) 2026, dataops.qlik_em contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is private to the collection.

"""New names of objects, and the places where one object names another. Pure functions.

Which places these are: docs/enterprise_manager_api.md, 9.15, 9.22 and 9.27.
"""

from __future__ import annotations

import copy
from collections.abc import Collection, Mapping
from typing import Any, NamedTuple

from .._client.api import Json
from .._common.patterns import matches
from .._servers.schedule_model import ALL_TASKS, tasks_of
from .model import ENDPOINTS, SCHEDULES, TASKS, ObjectKey

STAR = "*"


def renamed(name: str, pattern: str, new: str) -> str:
    """Return the new name of what a pattern matches: a star in it stands for what the star in the pattern matches."""
    if STAR not in new:
        return new
    before, _star, after = pattern.partition(STAR)
    return new.replace(STAR, name[len(before) : len(name) - len(after)])


def mapped(name: str, names: Mapping[str, str]) -> str:
    """Return the new name in a mapping of names and patterns: the exact one, else the first pattern that matches."""
    if name in names:
        return names[name]
    pattern = next((pattern for pattern in names if matches(name, pattern)), None)
    return name if pattern is None else renamed(name, pattern, names[pattern])


class Names(NamedTuple):
    """The new names of objects, by their old keys (the others keep theirs), and those of servers."""

    objects: dict[ObjectKey, str]
    servers: Mapping[str, str]

    def of(self, key: ObjectKey) -> ObjectKey:
        """Return the new key of an object."""
        return ObjectKey(mapped(key.server, self.servers), key.kind, self.objects.get(key, key.name))


def with_names(key: ObjectKey, document: Json, names: Names, left_out: Collection[ObjectKey]) -> Json | None:
    """Return the document of an object with the new names in it: its own, and those of what it names.

    None for a schedule all tasks of which are left out: without tasks it would be for all of the server.
    """
    if key.kind not in (TASKS, ENDPOINTS, SCHEDULES):
        return document
    result = copy.deepcopy(document)
    own = names.of(key).name
    if key.kind == TASKS:
        result["task"]["name"] = own
        _rename_endpoints(result, lambda name: _new(names, key.server, ENDPOINTS, name))
        return result
    result["name"] = own
    if key.kind == ENDPOINTS:
        settings = result.get("db_settings")
        if isinstance(settings, dict):
            for member, kind in (("logstreamstagingtask", TASKS), ("backend_db", ENDPOINTS)):
                _replace(settings, member, lambda name, kind=kind: _new(names, key.server, kind, name))
        return result
    tasks = [name for name in tasks_of(result) if name != ALL_TASKS]
    kept = [name for name in tasks if ObjectKey(key.server, TASKS, name) not in left_out]
    if tasks and not kept:
        return None
    if tasks:
        result["task"] = ",".join(_new(names, key.server, TASKS, name) for name in kept)
    requests = result.get("command_requests")
    for request in requests.values() if isinstance(requests, dict) else ():
        _replace(request, "task", lambda name: _new(names, key.server, TASKS, name))
    return result


def _new(names: Names, server: str, kind: str, name: str) -> str:
    return names.of(ObjectKey(server, kind, name)).name


def _rename_endpoints(item: Json, new: Any) -> None:
    """Rename the endpoints that a task names."""
    task, source, targets = item["task"], item.get("source"), item.get("targets")
    _replace(task, "source_name", new)
    if isinstance(task.get("target_names"), list):
        task["target_names"] = [new(name) if isinstance(name, str) else name for name in task["target_names"]]
    if isinstance(source, dict):
        for member in ("source_name", "database_name"):
            _replace(source.get("rep_source"), member, new)
        _replace(source.get("source_tables"), "name", new)
    for target in targets if isinstance(targets, list) else ():
        for member in ("target_name", "database_name"):
            _replace(target.get("rep_target") if isinstance(target, dict) else None, member, new)


def _replace(holder: Any, member: str, new: Any) -> None:
    """Rename what a member names, if there is one."""
    if isinstance(holder, dict) and isinstance(holder.get(member), str) and holder[member]:
        holder[member] = new(holder[member])
