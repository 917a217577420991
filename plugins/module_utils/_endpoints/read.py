# Copyright (c) 2026, dataops.qlik_em contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is private to the collection.

"""Reading endpoints: the list, their settings in an export, and the tasks that use them."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import Any

from .._client.api import DEFINITION, Api, Json
from .._client.errors import ApiError
from .._tasks.model import TASK_NOT_FOUND

# ExportAll gives everything or nothing.
NO_PERMISSION = ("AEM_EXPORT_NO_PERMISSION_ON_TASK", "AEM_EXPORT_NO_PERMISSION_ON_ENDPOINT")


def find(api: Api, server: str, name: str) -> Json | None:
    """Return what GetEndpointList shows of an endpoint; None if there is none of this name."""
    return next((item for item in api.get_endpoint_list(server) if item.get("name") == name), None)


def settings_of(api: Api, server: str, names: Collection[str]) -> dict[str, Json]:
    """Return the items of these endpoints in an export, by name; see ``items_of``."""
    return dict(items_of(api, server, names))


def items_of(api: Api, server: str, names: Collection[str]) -> Iterator[tuple[str, Json]]:
    """Yield the items of these endpoints in an export, each with its name, as soon as they are found.

    Only an export shows the settings (docs/enterprise_manager_api.md, 6.33).
    Of an endpoint that this user may not see and no task uses there are none.
    Raises the refusal of ExportAll if that leaves nothing at all.
    """
    try:
        yield from [(name, item) for name, item in _databases(api.export_all(server)) if name in names]
        return
    except ApiError as refusal:
        if not is_forbidden(refusal):
            raise
        left = set(names)
        for task, used in _uses(api, server):
            if left & used:
                for name, item in _databases(_maybe_exported(api, server, task)):
                    if name in left:
                        left.remove(name)
                        yield name, item
            if not left:
                break
        if len(left) == len(names):
            refusal.hint += (
                " Or let a task use the endpoint: the Operator of such a task and of All Endpoints may read it."
            )
            raise


def users_of(api: Api, server: str, name: str) -> list[str] | None:
    """Return the tasks that use an endpoint; None if this user may not see them."""
    try:
        tasks = [item.get("task") or {} for item in _definition(api.export_all(server)).get("tasks") or []]
        return [str(task.get("name")) for task in tasks if name in _ends(task)]
    except ApiError as refusal:
        if not is_forbidden(refusal):
            raise
    try:
        return [task for task, used in _uses(api, server, quietly=False) if name in used]
    except ApiError as refusal:
        if not is_forbidden(refusal):
            raise
        return None


def is_forbidden(error: ApiError) -> bool:
    """Return whether the user may not read this."""
    return error.is_refusal or error.error_code in NO_PERMISSION


def _definition(document: Mapping[str, Any]) -> Json:
    content = document.get(DEFINITION)
    return content if isinstance(content, dict) else {}


def _databases(document: Mapping[str, Any]) -> Iterator[tuple[str, Json]]:
    for item in _definition(document).get("databases") or []:
        yield str(item.get("name")), item


def _ends(task: Mapping[str, Any]) -> set[str]:
    return {task.get("source_name"), *(task.get("target_names") or [])} - {None}


def _uses(api: Api, server: str, quietly: bool = True) -> Iterator[tuple[str, set[str]]]:
    """Yield each task that this user may see, with the endpoints that it uses: one GetTaskDetails each."""
    try:
        for item in api.get_task_list(server):
            details = api.get_task_details(server, item["name"], accept=(TASK_NOT_FOUND,))
            ends = (details.get("source_endpoint"), details.get("target_endpoint"))
            yield item["name"], {str(end.get("name")) for end in ends if isinstance(end, dict)}
    except ApiError as refusal:
        if not (quietly and is_forbidden(refusal)):
            raise


def _maybe_exported(api: Api, server: str, task: str) -> Json:
    try:
        return api.export_task(server, task, with_endpoints=True)
    except ApiError as refusal:
        if not is_forbidden(refusal):
            raise
        return {}
