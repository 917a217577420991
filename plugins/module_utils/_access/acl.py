# Copyright (c) 2026, dataops.qlik_em contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is private to the collection.

"""Access control lists: read, plan, apply."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from .._client.api import AclOwner, Api, Json, on_endpoint, on_server, on_task
from .._client.checks import check_name
from .._client.errors import InputError, TransportError
from .._common.lost_answers import confirm_lost_write, from_the_read
from .._run.result import Mode, Result, diff
from . import acl_model as model

# An object without ACL. The pages of tasks and endpoints contradict each other on the code, so that each is taken for
# each object; the spelling of the last is that of the Python pages (docs/enterprise_manager_api.md, 6.43).
NO_ACL = ("AEM_SERVER_HAS_NO_ACL", "AEM_TASK_HAS_NO_ACL", "AEM_ENDPOINT_HAS_NO_ACL", "AEM_endpoint_HAS_NO_ACL")
NAMED = ("task", "endpoint")  # the scopes that need an option of the same name


class Acl(NamedTuple):
    """An ACL that is there; ``body`` is the whole as the API sent it."""

    roles: model.Roles
    disable_inheritance: bool
    body: Json

    def view(self) -> dict[str, Any]:
        """Return what is shown of it."""
        return {**self.roles, "disable_inheritance": self.disable_inheritance}


class Plan(NamedTuple):
    """The ACL to put (None: nothing to put), or whether to drop it."""

    put: Acl | None = None
    is_drop: bool = False


def gather(api: Api, params: Mapping[str, Any], mode: Mode) -> Result:
    """Return the ACL of an object; to have none is not a failure."""
    acl = read_acl(api, owner_of(params))
    return Result(values={"acl": acl.view() if acl else None})


def ensure(api: Api, params: Mapping[str, Any], mode: Mode) -> Result:
    """Make the ACL of an object be what is wanted (Get...Acl, Put...Acl, Delete...Acl).

    Raises AemError; its ``changed`` says whether this call may have changed the ACL.
    """
    owner, named = check_options(params)
    before, todo, after = from_the_read(lambda: _apply(api, owner, params, named, mode))
    old, new = (acl.view() if acl else None for acl in (before, after))
    return Result(todo != Plan(), {"acl": new}, diff(old or {}, new or {}, owner.target.subject))


def acl_owner_options() -> dict[str, Any]:
    """Return the spec of the options that name an object with an ACL; documented in ``acl``."""
    return {
        "server": {"type": "str", "required": True},
        "scope": {
            "type": "str",
            "choices": ["server", "tasks", "task", "endpoints", "endpoint"],
            "default": "server",
        },
        "task": {"type": "str"},
        "endpoint": {"type": "str"},
    }


def owner_of(params: Mapping[str, Any]) -> AclOwner:
    """Return the object that the options name; raise InputError with one clear line."""
    server, scope = check_name("server", params["server"]), params["scope"]
    for option in NAMED:
        if params[option] is not None and scope != option:
            raise InputError(f"{option} cannot be used with scope: {scope}.")
    if scope == "server":
        return AclOwner(on_server(server), "Server", is_new=False)
    if scope in ("tasks", "endpoints"):
        target = on_server(server, scope)
        target = target._replace(subject=f"all {scope} of {target.subject}")
        return AclOwner(target, f"{scope.capitalize()}Collection")
    name = check_name(scope, params[scope])
    return AclOwner((on_task if scope == "task" else on_endpoint)(server, name), scope.capitalize())


def check_options(params: Mapping[str, Any]) -> tuple[AclOwner, model.Roles]:
    """Return the object and the named users and groups; raise InputError with one clear line."""
    owner, named, state = owner_of(params), model.given_roles(params), params["state"]
    if state == "absent" and params["disable_inheritance"] is not None:
        raise InputError("disable_inheritance cannot be used with state: absent.")
    if state == "absent" and not named and not params["force"]:
        raise InputError(
            "state: absent without any role deletes the whole ACL, so that all permissions are inherited: it needs "
            "force: true."
        )
    if state == "absent" and named and params["force"]:
        raise InputError("force deletes the whole ACL, but the roles name parts of it: give only one of the two.")
    if state == "present" and not named and params["disable_inheritance"] is None:
        raise InputError("state: present needs a role or disable_inheritance; otherwise there is nothing to do.")
    if state == "replaced" and not named:
        raise InputError(
            "state: replaced needs a role; otherwise nobody would have one. To go back to inherited permissions, use "
            "state: absent."
        )
    if state == "replaced" and not params["force"] and not any(any(kinds.values()) for kinds in named.values()):
        raise InputError("state: replaced with empty roles removes every role from everybody: it needs force: true.")
    return owner, named


def plan(state: str, named: model.Roles, disable_inheritance: bool | None, current: Acl | None) -> Plan:
    """Return what leads from ``current`` (None: no ACL) to what is wanted."""
    if state == "absent" and (current is None or not named):
        return Plan(is_drop=current is not None)
    there = current or Acl(model.read_roles({}), False, {})
    roles = {"present": model.added, "replaced": model.replaced, "absent": model.removed}[state](there.roles, named)
    flag = there.disable_inheritance if disable_inheritance is None else disable_inheritance
    if model.are_same(roles, there.roles) and flag == there.disable_inheritance and (current or state == "present"):
        return Plan()
    return Plan(put=Acl(roles, flag, there.body))


def _apply(
    api: Api, owner: AclOwner, params: Mapping[str, Any], named: model.Roles, mode: Mode
) -> tuple[Acl | None, Plan, Acl | None]:
    """Read, plan and (but in check mode) write. Return the ACL before, what was done, and the ACL after."""
    before = read_acl(api, owner)
    todo = plan(params["state"], named, params["disable_inheritance"], before)
    after = None if todo.is_drop else todo.put or before
    if mode.check:
        return before, todo, after
    if todo.is_drop:
        answer = None
        with confirm_lost_write(lambda: read_acl(api, owner) is None):
            answer = api.delete_acl(owner, accept=NO_ACL)
        if answer and answer.error_code:
            todo = Plan()  # somebody else was faster
    elif todo.put:
        acl = todo.put
        with confirm_lost_write(lambda: _is_there(read_acl(api, owner), acl)):
            api.put_acl(owner, model.body_of(acl.roles, acl.disable_inheritance, acl.body))
    return before, todo, after


def _is_there(current: Acl | None, wanted: Acl) -> bool:
    return (
        current is not None
        and model.are_same(current.roles, wanted.roles)
        and current.disable_inheritance == wanted.disable_inheritance
    )


def read_acl(api: Api, owner: AclOwner) -> Acl | None:
    """Return the ACL of an object, None if it has none of its own (which is an error of the API)."""
    answer = api.get_acl(owner, accept=NO_ACL)
    if answer.error_code:
        return None
    # Something else would be taken for an ACL of nobody, and then written back.
    if not any(role in answer.body for role in model.ALL_ROLES):
        raise TransportError(
            f"The answer to Get{owner.title}Acl of {owner.target.subject} is not an ACL.",
            "Check the server, and any proxy or load balancer in between.",
        )
    return Acl(model.read_roles(answer.body), bool(answer.body.get("disable_inheritance")), answer.body)
