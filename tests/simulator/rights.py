# Copyright (c) 2026, dataops.qlik_em contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who may do what: roles on a tree of objects (notes 7). Pure functions."""

from __future__ import annotations

from collections.abc import Iterable

from .document import ROLES, Grant

ROOT: tuple[str, ...] = ()
ALL_SERVERS = ("servers",)


def all_tasks(server: str) -> tuple[str, ...]:
    """The object "All Tasks" of a server."""
    return ("servers", server, "tasks")


def holds(grants: Iterable[Grant], role: str, scope: tuple[str, ...]) -> bool:
    """Whether the grants give at least `role` on the object at `scope`, a path from the root downwards.

    Objects inherit: root > All Servers > server > All Tasks > task. A grant counts for everything below its object.
    """
    wanted = ROLES.index(role)
    return any(ROLES.index(grant.role) >= wanted and scope[: len(grant.scope)] == grant.scope for grant in grants)
