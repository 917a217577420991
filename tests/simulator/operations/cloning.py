# Copyright (c) 2026, dataops.qlik_em contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""CloneTask: a copy of a task on the same server (docs/enterprise_manager_api.md, 6.23)."""

from __future__ import annotations

import copy
from typing import Any

from .. import definitions, endpoints
from ..document_tasks import Task
from ..errors import failure
from ..live import LiveServer, LiveTask
from ..rights import all_tasks
from .base import Call, Operation, body_object, with_server
from .definitions import reference

_KIND = "AemCloneTaskReq"  # the name: assumption
_MEMBERS = {"new_task_name": str, "clone_permissions": bool, "new_source_endpoint": str, "new_target_endpoint": str}


async def clone_task(call: Call, found: tuple[LiveServer, LiveTask]) -> None:
    """CloneTask: never overwrites, and the copy is stopped. The effect comes after `import_seconds`, like an import's.

    Codes and texts of refusals are assumptions. What the body holds beyond the members that are known is ignored.
    """
    server, task = found
    given = _read(call)
    if task.settings.fail_clone is not None:
        raise _refused(call, task.settings.fail_clone)
    name, (source, targets) = given["new_task_name"], definitions.endpoints_of(task.definition)
    if name in server.tasks:
        raise _refused(call, f"There is a task {name} already.")
    if source is None or not targets:
        raise _refused(call, "The task has no source or no target endpoint.")
    others = {
        old: given[key]
        for key, old in (("new_source_endpoint", source), ("new_target_endpoint", targets[0]))
        if given.get(key)
    }
    for old, new in others.items():
        _check_endpoint(call, server, old, new)
    new = LiveTask(Task(name=name), server.clock)
    item = definitions.cloned(task.definition, name, new.uuid, given)
    above = all_tasks(call.route.server)
    old_scope, new_scope = (*above, call.route.task), (*above, name)
    acl = server.acls.get(old_scope) if given.get("clone_permissions") else None

    def take(live: LiveServer) -> None:
        sources, names = definitions.endpoints_of(item)
        new.settings.profile = task.settings.profile
        new.settings.source_endpoint = reference(live, sources or "")
        new.settings.target_endpoint = reference(live, names[0])
        live.tasks[name] = new
        new.define(item)
        new.expect_tables()
        if acl is not None:
            live.acls[new_scope] = copy.deepcopy(acl)

    call.world.later(server.settings.import_seconds, with_server(call, take, call.route.server))
    call.entry.executed = True


def _read(call: Call) -> dict[str, Any]:
    body = body_object(call, _KIND)
    for key, kind in _MEMBERS.items():
        if not isinstance(body.get(key), (kind, type(None))):
            raise failure("DESERIALIZE_TO_TYPE", type=_KIND, message=f"{key} is not of the type that was expected")
    if not (body.get("new_task_name") or "").strip():
        raise _refused(call, "The name of the new task is missing.")
    return body


def _check_endpoint(call: Call, server: LiveServer, old: str, new: str) -> None:
    """Another endpoint must be there, and of the same type."""
    if new not in server.endpoints:
        raise _refused(call, f"The endpoint {new} could not be found.")
    before, after = server.endpoints.get(old), server.endpoints[new]
    if before and endpoints.short_type(before.settings) != endpoints.short_type(after.settings):
        raise _refused(call, f"The endpoint {new} is not of the type of {old}.")


def _refused(call: Call, message: str) -> Exception:
    return call.fail("AEM_CLONE_TASK_INNER_ERR", message=message)


OPERATIONS: dict[str, Operation] = {
    "CloneTask": Operation("Operator", "root", clone_task, replicate_only=True, gets="task"),
}
