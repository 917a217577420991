# Copyright (c) 2026, dataops.qlik_em contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Members of the state document that say who may do what: users, their grants, and explicit ACLs."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Annotated, Any

from . import checks
from .checks import Flag, InputError, MaybeName, Name

# Ascending (docs/enterprise_manager_api.md, 7.1).
ROLES = ("Viewer", "Operator", "Designer", "Admin")


@dataclass
class Grant:
    """One role on one object: root (nothing else given), all_servers, server, and below a server all_tasks, task,
    all_endpoints, endpoint."""

    role: Annotated[str, checks.choice(*ROLES)]
    all_servers: Flag = False
    server: MaybeName = None
    all_tasks: Flag = False
    task: MaybeName = None
    all_endpoints: Flag = False
    endpoint: MaybeName = None

    def __post_init__(self) -> None:
        if (self.all_tasks or self.task or self.all_endpoints or self.endpoint) and not self.server:
            raise InputError("a grant on all_tasks or on a task (or endpoints alike) must name its server")
        if self.all_servers and self.server:
            raise InputError("a grant is on all_servers or on one server, not on both")
        if (self.all_tasks or self.task) and (self.all_endpoints or self.endpoint):
            raise InputError("a grant is on tasks or on endpoints, not on both")

    @property
    def scope(self) -> tuple[str, ...]:
        """The path from the root down to the object; see `rights.holds`."""
        if self.server is None:
            return ("servers",) if self.all_servers else ()
        below = ("servers", self.server)
        if self.task is not None:
            return (*below, "tasks", self.task)
        if self.endpoint is not None:
            return (*below, "endpoints", self.endpoint)
        if self.all_endpoints:
            return (*below, "endpoints")
        return (*below, "tasks") if self.all_tasks else below


@dataclass
class User:
    """Somebody who may log in, with every way that this user has."""

    name: Name
    logins: Annotated[list[str], checks.list_of(checks.name)] = field(default_factory=list)  # user@domain, ...
    password: MaybeName = None
    api_token: MaybeName = None
    jwt: MaybeName = None
    saml_response: MaybeName = None  # base64 text of the assertion
    grants: Annotated[list[Grant], checks.list_of(checks.one(Grant))] = field(default_factory=list)
    groups: Annotated[list[str], checks.list_of(checks.name)] = field(default_factory=list)  # as ACLs name them


_role = checks.optional(checks.members(users=checks.list_of(checks.name), groups=checks.list_of(checks.name)))
_Role = Annotated["dict[str, list[str]] | None", _role]


@dataclass
class Acl:
    """An explicit ACL: for each role the names of users and groups; null is a role that was not given."""

    admin_role: _Role = None
    designer_role: _Role = None
    operator_role: _Role = None
    viewer_role: _Role = None
    none_role: _Role = None  # named only on two pages of the May 2026 guide
    disable_inheritance: Flag = False

    def role(self, name: str) -> dict[str, list[str]] | None:
        """The members of a role by its name in ROLES, or "None"."""
        found: dict[str, list[str]] | None = getattr(self, f"{name.lower()}_role")
        return found


MaybeAcl = Annotated[Acl | None, checks.optional(checks.one(Acl))]


def names_of(user: User) -> frozenset[str]:
    """All names by which an ACL may mean the user, compared without case (docs/enterprise_manager_api.md, 6.45)."""
    return frozenset(name.casefold() for name in (user.name, *user.logins))


def groups_of(user: User) -> frozenset[str]:
    """The same for the user's groups."""
    return frozenset(name.casefold() for name in user.groups)


def named(role: dict[str, Any] | None, users: frozenset[str], groups: frozenset[str]) -> bool:
    """Whether a role of an ACL means somebody with these names and groups."""
    if not role:
        return False
    return any(item.casefold() in users for item in role.get("users") or []) or any(
        item.casefold() in groups for item in role.get("groups") or []
    )
