# Copyright (c) 2026, dataops.qlik_em contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""From the request target as it stands on the wire to the method that is meant. Pure functions.

Lenient where the vendor's SDK generations differ (docs/enterprise_manager_api.md, 4.4, 4.5 and 10.5):
a slash before the query, names encoded twice,
"/" in names left unescaped. Strict everywhere else: what is not in the table is nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from urllib.parse import parse_qsl, unquote

PREFIX = "/attunityenterprisemanager/api/v1"

# (verb, shape of the path, action in lower case) -> the guide's name of the method
METHODS: dict[tuple[str, str, str], str] = {
    ("GET", "login", ""): "Login",
    ("POST", "login", ""): "Login",
    ("GET", "logout", ""): "Logout",
    ("GET", "servers", ""): "GetServerList",
    ("GET", "server", ""): "GetServerDetails",
    ("GET", "server", "export"): "ExportAll",
    ("POST", "server", "import"): "ImportAll",
    ("GET", "server", "acl"): "GetServerAcl",
    ("PUT", "server", "acl"): "PutServerAcl",
    ("DELETE", "server", "acl"): "DeleteServerAcl",
    ("GET", "definition", ""): "GetServer",
    ("PUT", "definition", ""): "PutServer",
    ("PUT", "definition of a new server", ""): "PutServer",
    ("DELETE", "definition", ""): "DeleteServer",
    ("PUT", "license", ""): "PutServerLicense",
    ("GET", "tasks", ""): "GetTaskList",
    ("GET", "tasks", "acl"): "GetTasksCollectionAcl",
    ("PUT", "tasks", "acl"): "PutTasksCollectionAcl",
    ("DELETE", "tasks", "acl"): "DeleteTasksCollectionAcl",
    ("GET", "task", ""): "GetTaskDetails",
    ("POST", "task", "run"): "RunTask",
    ("POST", "task", "stop"): "StopTask",
    ("POST", "task", "delete"): "DeleteTask",
    ("POST", "task", "clone"): "CloneTask",
    ("GET", "task", "export"): "ExportTask",
    ("POST", "task", "import"): "ImportTask",
    ("POST", "new task", "import"): "ImportTask",
    ("GET", "task", "acl"): "GetTaskAcl",
    ("PUT", "task", "acl"): "PutTaskAcl",
    ("DELETE", "task", "acl"): "DeleteTaskAcl",
    ("POST", "task", "delete_old_change_data"): "DeleteOldChangeData",
    ("PUT", "task", "set_change_data_retention_barrier"): "SetChangeDataRetentionBarrier",
    ("GET", "task", "get_change_data_retention_barrier"): "GetChangeDataRetentionBarrier",
    ("GET", "tables", ""): "GetTableList",
    ("GET", "tables", "getstatus"): "GetTableStatuses",
    ("GET", "tables", "selection"): "GetTaskTableSelection",
    ("PUT", "tables", "selection"): "PutTaskTableSelection",
    ("POST", "tables", "reload"): "ReloadTable",
    ("POST", "tables", "resume"): "ResumeTable",
    ("GET", "endpoints", ""): "GetEndpointList",
    ("GET", "endpoints", "acl"): "GetEndpointsCollectionAcl",
    ("PUT", "endpoints", "acl"): "PutEndpointsCollectionAcl",
    ("DELETE", "endpoints", "acl"): "DeleteEndpointsCollectionAcl",
    ("PATCH", "endpoint", ""): "PatchEndpoint",
    # The guide's heading says DELETE, its sample and the SDKs POST (docs/enterprise_manager_api.md, 6.35).
    ("POST", "endpoint", "delete"): "DeleteEndpoint",
    ("DELETE", "endpoint", "delete"): "DeleteEndpoint",
    ("PUT", "endpoint", "reconfigure"): "ReconfigureEndpointNoWait",
    ("GET", "endpoint", "test"): "TestEndpoint",
    ("GET", "endpoint", "acl"): "GetEndpointAcl",
    ("PUT", "endpoint", "acl"): "PutEndpointAcl",
    ("DELETE", "endpoint", "acl"): "DeleteEndpointAcl",
    ("GET", "audit trail", ""): "ExportAuditTrail",
}

# knows(server), knows(server, "tasks" or "endpoints", name): whether there is such a one
Knows = Callable[..., bool]


@dataclass(frozen=True)
class Target:
    """The request target, taken apart and decoded once."""

    path: str
    decoded: str
    query: dict[str, str] = field(default_factory=dict)

    @property
    def action(self) -> str:
        """`action` decides the method; matched in any case (docs/enterprise_manager_api.md, 4.8)."""
        return self.query.get("action", "").lower()


@dataclass(frozen=True)
class Route:
    """The method that is meant (None: there is none) and the names it is about, fully decoded."""

    operation: str | None = None
    server: str = ""
    task: str = ""
    endpoint: str = ""


def take_apart(target: str) -> Target:
    """Split the raw target. Of a query parameter that comes twice the first counts."""
    path, _mark, query = target.partition("?")
    parameters: dict[str, str] = {}
    for key, value in parse_qsl(query, keep_blank_values=True):
        parameters.setdefault(key, value)
    return Target(path, unquote(path), parameters)


def resolve(method: str, target: Target, known: Knows) -> Route:
    """Find the method.

    Only who knows the names can distinguish a name with an unescaped "/" from a longer path, so readings with known
    names come first, then the plain one (each name one segment). What creates something may have a new name with
    slashes in it: that is the last resort.
    """
    if not target.path.startswith(PREFIX + "/"):
        return Route()
    segments = target.path[len(PREFIX) + 1 :].split("/")
    if len(segments) > 1 and segments[-1] == "":
        segments.pop()  # the slash before the query
    if "" in segments:
        return Route()
    for _rank, shape, names in sorted(_readings(segments, known), key=lambda reading: reading[0]):
        operation = METHODS.get((method, shape, target.action))
        if operation:
            return Route(operation, **names)
    return Route()


Reading = tuple[int, str, dict[str, str]]  # how sure it is (0: all names are known), shape, names


def _readings(segments: list[str], known: Knows) -> Iterator[Reading]:
    """Each way to read the path."""
    head, rest = segments[0], segments[1:]
    if not rest:
        if head in ("login", "logout", "servers"):
            yield 0, head, {}
    elif segments == ["security", "audit_trail"]:
        yield 0, "audit trail", {}
    elif head == "servers":
        for length in (len(rest), *range(1, len(rest))):
            server = _name(rest[:length], known)
            rank = 0 if known(server) else 2 if length == 1 else 3
            yield from _below_server(server, rank, rest[length:], known)


def _below_server(server: str, rank: int, tail: list[str], known: Knows) -> Iterator[Reading]:
    """How the path may go on behind a server's name; `rank` 3 is a name that only a new server could have."""
    names = {"server": server}
    if tail == ["def"]:
        yield rank, "definition of a new server" if rank == 3 else "definition", names
    if rank == 3:
        return
    if not tail:
        yield rank, "server", names
    elif tail == ["license", "def"]:
        yield rank, "license", names
    elif tail[0] in ("tasks", "endpoints"):
        kind, below = tail[0], tail[1:]
        if not below:
            yield rank, kind, names
            return
        if kind == "tasks" and len(below) > 1 and below[-1] == "tables":
            yield from _child(names, rank, kind, "tables", below[:-1], known)
        yield from _child(names, rank, kind, kind[:-1], below, known)


def _child(
    names: dict[str, str], rank: int, kind: str, shape: str, segments: list[str], known: Knows
) -> Iterator[Reading]:
    """A task or an endpoint."""
    server = names["server"]
    name = _name(segments, lambda item: known(server, kind, item))
    result = {**names, kind[:-1]: name}
    if known(server, kind, name):
        yield rank, shape, result
    elif len(segments) == 1:
        yield rank + 1, shape, result
    else:
        yield 3, f"new {shape}", result


def _name(segments: list[str], is_known: Callable[[str], bool]) -> str:
    return as_known(unquote("/".join(segments)), is_known)


def as_known(once: str, is_known: Callable[[str], bool]) -> str:
    """A name that was decoded once; decoded again only if that makes it known (the 2018 SDK encodes twice)."""
    twice = unquote(once)
    return twice if is_known(twice) and not is_known(once) else once
