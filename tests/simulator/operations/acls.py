# Copyright (c) 2026, dataops.qlik_em contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The methods of ACLs: explicit ones of a server, a task, an endpoint, and of all tasks or endpoints of a server.

They are kept by Enterprise Manager itself, so they work in every state of the server
(docs/enterprise_manager_api.md, 8.5).
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from .. import views_resources
from ..document_access import Acl
from ..errors import failure
from ..views import Json
from .base import NOTHING, Call, Operation, body_object, scope

_ROLES = ("admin_role", "designer_role", "operator_role", "viewer_role", "none_role")
_KINDS = {"server": "SERVER", "all_tasks": "TASK", "task": "TASK", "all_endpoints": "ENDPOINT", "endpoint": "ENDPOINT"}


def _name(call: Call, on: str) -> str:
    """The name in messages: the object's own, the server's for all tasks or endpoints."""
    return {"task": call.route.task, "endpoint": call.route.endpoint}.get(on, call.route.server)


def _reader(on: str) -> Callable[[Call, Any], Awaitable[Json]]:
    async def get_acl(call: Call, _subject: Any) -> Json:
        """The explicit ACL only; none is an error (docs/enterprise_manager_api.md, 6.43)."""
        found = call.world.acls(call.route.server).get(scope(on, call.route))
        if found is None:
            raise failure(f"AEM_{_KINDS[on]}_HAS_NO_ACL", name=_name(call, on))
        call.entry.executed = True
        return views_resources.acl(found)

    return get_acl


def _writer(on: str) -> Callable[[Call, Any], Awaitable[None]]:
    async def put_acl(call: Call, _subject: Any) -> None:
        """Replaces the whole explicit ACL (docs/enterprise_manager_api.md, 6.42)."""
        acl = _read(call, on)
        call.world.acls(call.route.server)[scope(on, call.route)] = acl
        call.entry.executed = True

    return put_acl


def _remover(on: str) -> Callable[[Call, Any], Awaitable[None]]:
    async def delete_acl(call: Call, _subject: Any) -> None:
        """Back to inheritance. Pages of single objects name the server's code whatever the object is; the pages of all
        tasks and all endpoints list no error of their own, so nothing to delete is none there (assumption)."""
        removed = call.world.acls(call.route.server).pop(scope(on, call.route), None)
        if removed is None and on in ("server", "task", "endpoint"):
            raise failure("AEM_SERVER_HAS_NO_ACL", name=_name(call, on))
        call.entry.executed = True

    return delete_acl


def _read(call: Call, on: str) -> Acl:
    body = body_object(call, "AemAuthorizationAcl")
    disable = body.get("disable_inheritance")
    if not isinstance(disable, (bool, type(None))):
        raise _unreadable("disable_inheritance is not a boolean")
    roles = {key: _role(call, on, key, body.get(key)) for key in _ROLES}
    return Acl(**roles, disable_inheritance=bool(disable))


def _role(call: Call, on: str, key: str, value: Any) -> dict[str, list[str]] | None:
    """The names of a role; null and absent are the same."""
    if value is None:
        return None
    if not isinstance(value, dict):
        raise _unreadable(f"{key} is not an object")
    result: dict[str, list[str]] = {}
    for part in ("users", "groups"):
        items = [] if value.get(part) is None else value[part]
        if not isinstance(items, list) or not all(isinstance(item, dict) for item in items):
            raise _unreadable(f"{part} of {key} is not a list of objects")
        names = [item.get("name") for item in items]
        if not all(isinstance(name, str) and name.strip() for name in names):
            message = f"{key} has a {part[:-1]} without name"
            raise failure(f"AEM_PUT_{_KINDS[on]}_ACL_INNER_ERR", name=_name(call, on), message=message)
        result[part] = names
    return result


def _unreadable(message: str) -> Exception:
    return failure("DESERIALIZE_TO_TYPE", type="AemAuthorizationAcl", message=message)


def _operations(title: str, on: str) -> dict[str, Operation]:
    """The three methods of one kind of object. The roles are documented for servers, assumed for the rest."""
    about = on if on in ("task", "endpoint") else "server"
    return {
        f"Get{title}Acl": Operation("Operator", on, _reader(on), NOTHING, gets=about),
        f"Put{title}Acl": Operation("Admin", on, _writer(on), NOTHING, gets=about),
        f"Delete{title}Acl": Operation("Admin", on, _remover(on), NOTHING, gets=about),
    }


OPERATIONS: dict[str, Operation] = {
    **_operations("Server", "server"),
    **_operations("TasksCollection", "all_tasks"),
    **_operations("Task", "task"),
    **_operations("EndpointsCollection", "all_endpoints"),
    **_operations("Endpoint", "endpoint"),
}
