# Copyright (c) 2026, dataops.qlik_em contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is private to the collection.

"""What an estate is: the objects of many servers, one document each. Pure functions."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple

from .._client.api import Json
from .._definitions.document import names_in
from .._definitions.model import BODY, PLACEHOLDER, Rules, cover_secrets, without_counted

ENDPOINTS, TASKS, SCHEDULES, ACL = "endpoints", "tasks", "schedules", "acl"
KINDS = (ENDPOINTS, TASKS, SCHEDULES, ACL)  # in the order in which they are written to a server
NO_RULES = Rules()


class ObjectKey(NamedTuple):
    """One object of an estate: the display name of its server, its kind (one of KINDS), and its name.

    The ACL of a server has the name "".
    """

    server: str
    kind: str
    name: str

    @property
    def text(self) -> str:
        """The object as messages name it."""
        what = "ACL" if self.kind == ACL else f'{self.kind[:-1]} "{self.name}"'
        return f'{what} of server "{self.server}"'


# The document of each object: an item of ``databases``, of ``tasks`` or of ``scheduler.jobs`` as in ExportAll, or the
# ACL as GetServerAcl gives it. They are plain: without what Replicate counts, without loggers, secrets redacted.
Estate = dict[ObjectKey, Json]


def estate_of(server: str, document: Json, acl: Json | None, rules: Rules | None = NO_RULES) -> Estate:
    """Return the objects in an export of a server that was checked (``document.read_definition``, ``objects.check``).

    ``acl`` is the server's own, None if it has none. ``rules`` as in ``plain``.
    """
    content = document[BODY]
    found: Estate = {}
    for kind, member in ((ENDPOINTS, "databases"), (TASKS, "tasks")):
        for name, item in zip(names_in(document, member), content.get(member) or []):
            found[ObjectKey(server, kind, name)] = item
    for job in (content.get("scheduler") or {}).get("jobs") or []:
        found[ObjectKey(server, SCHEDULES, job["name"])] = job
    if acl is not None:
        found[ObjectKey(server, ACL, "")] = acl
    return plain(found, rules)


def plain(estate: Estate, rules: Rules | None = NO_RULES) -> Estate:
    """Return an estate without what Replicate counts, and without loggers.

    There is a placeholder for each secret by the ``rules``; without them, secrets stay.
    """
    return {key: plain_item(key, item, rules) for key, item in estate.items()}


def plain_item(key: ObjectKey, item: Json, rules: Rules | None = NO_RULES) -> Json:
    """Return one object as ``plain`` does."""
    if key.kind == ACL:
        return item
    whole = without_counted(definition_of({key: item}, key.server), with_loggers=False)
    if rules is not None:
        whole = cover_secrets(whole, rules, lambda _secret: PLACEHOLDER)
    (member,) = whole[BODY].values()
    (found,) = member["jobs"] if key.kind == SCHEDULES else member
    return dict(found)


def definition_of(estate: Estate, server: str, keys: Iterable[ObjectKey] | None = None) -> Json:
    """Return the replication definition that holds the objects of a server, but for its ACL; of ``keys`` only."""
    content: dict[str, Any] = {}
    for key in estate if keys is None else keys:
        if key.server != server or key.kind == ACL:
            continue
        if key.kind == SCHEDULES:
            content.setdefault("scheduler", {"jobs": []})["jobs"].append(estate[key])
        else:
            content.setdefault("databases" if key.kind == ENDPOINTS else "tasks", []).append(estate[key])
    return {BODY: content}


def servers_of(estate: Estate) -> list[str]:
    """Return the names of the servers, sorted."""
    return sorted({key.server for key in estate})
