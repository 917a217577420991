# Copyright (c) 2026, dataops.qlik_em contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is private to the collection.

"""ACLs as values: who has which role, compared without case. Pure functions."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from .._client.api import Json
from .._client.checks import check_characters
from .._client.errors import InputError

ROLES = ("admin_role", "designer_role", "operator_role", "viewer_role")
# Sent only if it is there or was asked for (docs/enterprise_manager_api.md, 6.44).
NONE_ROLE = "none_role"
ALL_ROLES = (*ROLES, NONE_ROLE)
KINDS = ("users", "groups")

Members = dict[str, list[str]]  # the names in users and groups
Roles = dict[str, Members]


def key_of(name: str) -> str:
    """Return what two spellings of one user or group have in common (docs/enterprise_manager_api.md, 6.45)."""
    return name.casefold()


def read_roles(acl: Json) -> Roles:
    """Return the roles of an ACL of the API, each with both lists; null and missing are empty. Names as they are."""
    roles = {role: _names(acl.get(role)) for role in ROLES}
    if acl.get(NONE_ROLE) is not None:
        roles[NONE_ROLE] = _names(acl[NONE_ROLE])
    return roles


def _names(role: Any) -> Members:
    role = role or {}
    return {kind: [item["name"] for item in role.get(kind) or []] for kind in KINDS}


def given_roles(params: Mapping[str, Any]) -> Roles:
    """Return the roles that the options name; raise InputError for one that is odd, with one clear line."""
    roles: Roles = {}
    for role in ALL_ROLES:
        if params.get(role) is None:
            continue
        roles[role] = {}
        for kind in KINDS:
            names = params[role].get(kind) or []
            if any(not name.strip() for name in names):
                raise InputError(f"{kind} of {role} must not contain empty or blank names.")
            roles[role][kind] = _once(check_characters(f"A name in {kind} of {role}", name) for name in names)
    refuse_two_roles(roles, roles)
    return roles


def _once(names: Iterable[str]) -> list[str]:
    """Return the names, each in its first spelling only."""
    return list({key_of(name): name for name in reversed(list(names))}.values())[::-1]


def refuse_two_roles(roles: Roles, named: Roles) -> None:
    """Raise InputError if one of the ``named`` users or groups has two of ``roles``."""
    for kind in KINDS:
        wanted = {key_of(name) for members in named.values() for name in members[kind]}
        seen: dict[str, str] = {}
        for role, members in roles.items():
            for name in _once(members[kind]):
                other = seen.setdefault(key_of(name), role)
                if other != role and key_of(name) in wanted:
                    raise InputError(
                        f'The {kind[:-1]} "{name}" would have two roles, {other} and {role}. Remove one of them: '
                        "leave it out here, or remove it from the ACL first (state: absent)."
                    )


def added(current: Roles, named: Roles) -> Roles:
    """Return ``current`` with the ``named`` users and groups beside what is there."""
    roles = {
        role: {
            kind: _once([*current.get(role, {}).get(kind, []), *named.get(role, {}).get(kind, [])]) for kind in KINDS
        }
        for role in {**current, **named}
    }
    refuse_two_roles(roles, named)
    return roles


def replaced(current: Roles, named: Roles) -> Roles:
    """Return ``named`` alone, all four roles, in the spelling of ``current`` where that has the name, too."""
    result: Roles = {}
    for role in (*ROLES, *([NONE_ROLE] if NONE_ROLE in named else [])):
        result[role] = {}
        for kind in KINDS:
            known = {key_of(name): name for name in current.get(role, {}).get(kind, [])}
            names = named.get(role, {}).get(kind, [])
            kept = [name for key, name in known.items() if key in set(map(key_of, names))]
            result[role][kind] = [*kept, *(name for name in names if key_of(name) not in known)]
    return result


def removed(current: Roles, named: Roles) -> Roles:
    """Return ``current`` without the ``named`` users and groups."""
    result: Roles = {}
    for role, members in current.items():
        unwanted = {kind: set(map(key_of, named.get(role, {}).get(kind, []))) for kind in KINDS}
        result[role] = {kind: [one for one in members[kind] if key_of(one) not in unwanted[kind]] for kind in KINDS}
    return result


def are_same(one: Roles, other: Roles) -> bool:
    """Return whether two ACLs give the same roles to the same users and groups."""
    return _sets(one) == _sets(other)


def _sets(roles: Roles) -> set[tuple[str, str, str]]:
    return {(role, kind, key_of(name)) for role, members in roles.items() for kind in KINDS for name in members[kind]}


def body_of(roles: Roles, disable_inheritance: bool, others: Json) -> Json:
    """Return the ACL to send: all four roles with both lists, and the members of ``others`` that we know nothing of."""
    body = {key: value for key, value in others.items() if key not in ALL_ROLES}
    for role, members in roles.items():
        body[role] = {kind: [{"name": name} for name in members[kind]] for kind in KINDS}
    return {**body, "disable_inheritance": disable_inheritance}
