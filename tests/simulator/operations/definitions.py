# Copyright (c) 2026, dataops.qlik_em contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The methods that carry whole definitions: ExportTask, ImportTask, ExportAll, ImportAll."""

from __future__ import annotations

import copy
from typing import Any

from .. import definitions, endpoints, notifications, schedules
from ..answers import Text
from ..definitions import BadDocument, Import
from ..document_tasks import Task
from ..errors import ApiError, failure
from ..live import LiveEndpoint, LiveServer, LiveTask, Tree
from ..timeline import ERROR, STOPPED
from .base import Call, Operation, flag, names_itself, with_server


async def export_task(call: Call, found: tuple[LiveServer, LiveTask]) -> Text:
    """ExportTask: the task, with the endpoints it uses if they are asked for."""
    server, task = found
    content: Tree = {"tasks": [task.definition]}
    if flag(call.query, "withendpoints"):
        source, targets = definitions.endpoints_of(task.definition)
        used = [name for name in (source, *targets) if name is not None and name in server.endpoints]
        content["databases"] = [_database(call, server, name) for name in dict.fromkeys(used)]
    call.entry.executed = True
    return _text(call, server, call.route.task, content)


async def export_all(call: Call, server: LiveServer) -> Text:
    """ExportAll. Who may not export one task or endpoint gets nothing (docs/enterprise_manager_api.md, 9.12)."""
    if not call.may("Designer", "all_tasks"):
        raise call.fail("AEM_EXPORT_NO_PERMISSION_ON_TASK")
    if not call.may("Operator", "all_endpoints"):
        raise call.fail("AEM_EXPORT_NO_PERMISSION_ON_ENDPOINT")
    content: Tree = {
        "tasks": [task.definition for task in server.tasks.values()],
        "databases": [_database(call, server, name) for name in server.endpoints],
        **notifications.exported(schedules.exported(server.others)),
    }
    call.entry.executed = True
    return _text(call, server, call.route.server, content)


def _database(call: Call, server: LiveServer, name: str) -> Tree:
    live, fresh = server.endpoints[name], call.world.document.variants.fresh_encryption
    return endpoints.item_of(live.settings, live.extra, server.settings.master_key, fresh)


def _text(call: Call, server: LiveServer, name: str, content: Tree) -> Text:
    whole = definitions.document(name, content, server.settings.version, server.settings.host)
    variants = call.world.document.variants
    return Text(definitions.text(whole, variants.export_comment, variants.export_mark))


async def import_task(call: Call, server: LiveServer) -> None:
    """ImportTask: merges one task and the endpoints in the document; never removes anything.

    The answer comes at once, the effect after `import_seconds` (docs/enterprise_manager_api.md, 9.10).
    `overridetask` is ignored (docs/enterprise_manager_api.md, 9.11).
    """
    given = _read(call)
    if given.others:
        raise call.fail("AEM_IMPORT_TASK_CONTAIN_ALIEN_ITEMS")
    if len(given.tasks) > 1:
        raise call.fail("AEM_IMPORT_TASK_CONTAINS_MULTIPLE_TASKS")
    if not given.tasks:
        raise _refused(call, "There is no task in it.")
    (name,) = given.task_names()
    if not names_itself(call.route.task, name):
        raise call.fail("AEM_IMPORT_TASK_NAME_DIFFER")
    if given.databases and not call.may("Designer", "all_endpoints"):
        raise call.fail("AEM_IMPORT_TASK_NO_PERMISSION_ON_ENDPOINT")
    _accept(call, server, given)


async def import_all(call: Call, server: LiveServer) -> None:
    """ImportAll: the same for any number of tasks, endpoints and other objects."""
    given = _read(call)
    try:
        schedules.check(given.others)
        notifications.check(given.others)
    except BadDocument as error:
        raise call.fail(error.code, message=error.message) from error
    if not given.tasks and not given.databases and not given.others:
        raise call.fail("AEM_IMPORT_CONTENT_EMPTY")
    unknown = set(given.others) - set(definitions.OTHER_OBJECTS)
    if unknown:
        raise call.fail("AEM_IMPORT_INVALID_CONTENT", message=f"Unknown: {', '.join(sorted(unknown))}")
    if given.tasks and not call.may("Designer", "all_tasks"):
        raise call.fail("AEM_IMPORT_NO_PERMISSION_ON_TASK")
    if given.databases and not call.may("Designer", "all_endpoints"):
        raise call.fail("AEM_IMPORT_NO_PERMISSION_ON_ENDPOINT")
    _accept(call, server, given)


def _read(call: Call) -> Import:
    """The document in the body. What cannot be read has a code of its own in ImportAll only."""
    try:
        return definitions.read(definitions.parse(call.body))
    except BadDocument as error:
        if call.route.operation == "ImportTask":
            raise failure("DESERIALIZE_TO_TYPE", type="ReplicationDefinition", message=error.message) from error
        raise call.fail(error.code, message=error.message) from error


def _accept(call: Call, server: LiveServer, given: Import) -> None:
    """Refuse what can't be, or let it happen. All or nothing (docs/enterprise_manager_api.md, 9.13)."""
    if server.settings.fail_import is not None:
        raise _refused(call, server.settings.fail_import)
    lists = call.world.document.variants.import_lists
    for item in given.databases:
        live = server.endpoints.get(item["name"])
        try:
            endpoints.check_type(live.settings if live else None, item)
        except endpoints.BadType as error:
            raise call.fail("DESERIALIZE_TO_TYPE", type="DbSettings", message=str(error)) from error
    there = {*server.endpoints, *(item["name"] for item in given.databases)}
    for item, name in zip(given.tasks, given.task_names()):
        old = server.tasks.get(name)
        if old is not None and old.phase.state not in (STOPPED, ERROR):
            raise _refused(call, f"The task {name} is not stopped.")  # docs/enterprise_manager_api.md, 9.9
        whole = definitions.merged_task(old.definition if old else None, item, "", lists)
        source, targets = definitions.endpoints_of(whole)
        missing = [endpoint for endpoint in (source, *targets) if endpoint not in there]
        if source is None or not targets or missing:
            raise _refused(call, f"The task {name} has no endpoint {missing[0] if missing else 'at all'}.")

    def take(live: LiveServer) -> None:
        for item in given.databases:
            _take_endpoint(live, item)
        for item in given.tasks:
            _take_task(live, item, lists)
        live.others = schedules.imported(live.others, given.others, server.settings.replaces_schedules)

    call.world.later(server.settings.import_seconds, with_server(call, take, call.route.server))
    call.entry.executed = True


def _refused(call: Call, message: str) -> ApiError:
    """A document that can be read, but not imported. Each method has a code of its own; that it is this: assumption."""
    is_task = call.route.operation == "ImportTask"
    return call.fail("AEM_IMPORT_TASK_INNER_ERR" if is_task else "AEM_IMPORT_INVALID_CONTENT", message=message)


def _take_endpoint(server: LiveServer, item: Tree) -> None:
    old = server.endpoints.get(item["name"])
    settings, extra = endpoints.imported(old.settings if old else None, item, server.settings.master_key)
    if old is None:
        server.endpoints[settings.name] = LiveEndpoint(settings, extra)
    else:
        old.settings, old.extra = settings, definitions.merged(old.extra, extra)


def _take_task(server: LiveServer, item: Tree, lists: str) -> None:
    name = str(item["task"]["name"])
    known = server.tasks.get(name)
    old = known or LiveTask(Task(name=name), server.clock)
    whole = definitions.merged_task(known.definition if known else None, item, old.uuid, lists)
    source, targets = definitions.endpoints_of(whole)
    references = [reference(server, endpoint) for endpoint in (source or "", *targets[:1])]
    server.tasks[name] = old
    old.settings.source_endpoint, old.settings.target_endpoint = references[0], references[-1]
    old.define(copy.deepcopy(whole))
    if not old.settings.tables and not old.runs:
        old.expect_tables()


def reference(server: LiveServer, name: str) -> dict[str, str]:
    """An endpoint as a task shows it."""
    live: Any = server.endpoints.get(name)
    return {"name": name, "type": live.settings.type if live else ""}


_ADMIN = (("Admin", "server"),)

OPERATIONS: dict[str, Operation] = {
    "ExportTask": Operation(
        "Operator", "task", export_task, replicate_only=True, also=(("Operator", "all_endpoints"),)
    ),
    "ImportTask": Operation("Designer", "all_tasks", import_task, replicate_only=True),
    "ExportAll": Operation("Admin", "root", export_all, replicate_only=True, gets="server", also=_ADMIN),
    "ImportAll": Operation("Admin", "root", import_all, replicate_only=True, gets="server", also=_ADMIN),
}
