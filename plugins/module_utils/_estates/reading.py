# Copyright (c) 2026, dataops.qlik_em contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is private to the collection.

"""The objects of servers as they are now (ExportAll, GetServerAcl)."""

from __future__ import annotations

import functools
from collections.abc import Iterable
from typing import NamedTuple

from .._access.acl import Acl, read_acl
from .._access.acl_model import KINDS, Roles, body_of
from .._client.api import AclOwner, Api, Json, on_server
from .._common import patterns
from .._common.parallel import map_parallel
from .._definitions import objects
from .._definitions.document import check_form
from .._definitions.model import Rules
from .._servers.model import type_of
from .model import NO_RULES, Estate, estate_of

COMPOSE = "compose"
LEAVE_OUT = "Or leave such servers out, by include or in the overlay."


class Reading(NamedTuple):
    """What a server has, and the ``_version`` of its export (None: it has none)."""

    objects: Estate
    version: Json | None


def read_server(api: Api, server: str, rules: Rules | None = NO_RULES) -> Reading:
    """Return what a server has; ``rules`` as in ``plain``.

    Raises AemError, also for an export of another form than has been seen.
    """
    document = api.export_all(server)
    label = f'The export of server "{server}"'
    check_form(label, document)
    objects.check(label, document)
    acl = read_acl(api, AclOwner(on_server(server), "Server", is_new=False))
    return Reading(estate_of(server, document, acl_document(acl) if acl else None, rules), document.get("_version"))


def acl_document(acl: Acl) -> Json:
    """Return an ACL as GetServerAcl gives it, names sorted: their order means nothing."""
    roles: Roles = {role: {kind: sorted(members[kind]) for kind in KINDS} for role, members in acl.roles.items()}
    return body_of(roles, acl.disable_inheritance, acl.body)


def find_servers(api: Api, names: Iterable[str | None]) -> list[str]:
    """Return the servers that names and patterns mean, without those of Compose that only a pattern matches.

    Those have no replication definitions.
    """
    wanted = list(dict.fromkeys("*" if name is None else name for name in names))
    literal = [name for name in wanted if patterns.is_literal(name)]
    if len(literal) == len(wanted):
        return literal
    listed = [item["name"] for item in api.get_server_list() if type_of(item) != COMPOSE]
    return list(dict.fromkeys([*(name for name in listed if patterns.is_selected(name, wanted)), *literal]))


def read_servers(api: Api, parallel: int, servers: Iterable[str], rules: Rules | None = NO_RULES) -> Estate:
    """Return what servers have, several read at a time. Raises AemError, also if one of them cannot be read."""
    run_all = functools.partial(map_parallel, parallel=parallel, abandon=api.client.interrupt.abandon)
    found, _skipped = patterns.read_servers(
        servers, lambda server: read_server(api, server, rules), "fail", run_all, LEAVE_OUT
    )
    return {key: item for reading in found.values() for key, item in reading.objects.items()}
