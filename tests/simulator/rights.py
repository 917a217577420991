# Copyright (c) 2026, dataops.qlik_em contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who may do what: roles on a tree of objects (docs/enterprise_manager_api.md, 7.1). Pure functions."""

from __future__ import annotations

from collections.abc import Mapping

from .document_access import ROLES, Acl, User, groups_of, named, names_of

Scope = tuple[str, ...]  # the path from the root down to an object
Acls = Mapping[Scope, Acl]

ROOT: Scope = ()
ALL_SERVERS: Scope = ("servers",)


def server_scope(server: str) -> Scope:
    """A server."""
    return ("servers", server)


def all_tasks(server: str) -> Scope:
    """The object "All Tasks" of a server."""
    return ("servers", server, "tasks")


def all_endpoints(server: str) -> Scope:
    """The object "All Endpoints" of a server."""
    return ("servers", server, "endpoints")


def holds(user: User, role: str, scope: Scope, acls: Acls) -> bool:
    """Whether the user has at least `role` on the object at `scope`.

    Objects inherit: root > All Servers > server > All Tasks > task, and All Endpoints > endpoint alike. Grants of the
    state document count at their object and below. An explicit ACL on the way down changes what came from above:
    - with disable_inheritance only those roles come from above that the ACL leaves out or empty (as documented);
    - who is named in it has the roles it says and no others (explicit roles beat inherited ones); none_role is none.
    """
    wanted = ROLES.index(role)
    held: set[int] = set()
    users = groups = frozenset[str]()
    if acls:
        users, groups = names_of(user), groups_of(user)
    for depth in range(len(scope) + 1):
        node = scope[:depth]
        held |= {ROLES.index(grant.role) for grant in user.grants if grant.scope == node}
        acl = acls.get(node)
        if acl is not None:
            held = _changed(held, acl, users, groups)
    return any(index >= wanted for index in held)


def _changed(held: set[int], acl: Acl, users: frozenset[str], groups: frozenset[str]) -> set[int]:
    if acl.disable_inheritance:
        held = {index for index in held if _is_empty(acl.role(ROLES[index]))}
    if named(acl.none_role, users, groups):
        return set()
    explicit = {index for index, role in enumerate(ROLES) if named(acl.role(role), users, groups)}
    return explicit or held


def _is_empty(role: Mapping[str, list[str]] | None) -> bool:
    return not role or not any(role.values())
