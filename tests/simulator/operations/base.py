# Copyright (c) 2026, dataops.qlik_em contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What all methods share: one request on its way, the checks before the work, and reading its parameters.

Every method is a function of one `Call`. The request's entry in the record is marked as executed at the moment the work
is done, so that the record distinguishes a refused write from one that happened.
"""

from __future__ import annotations

import json
import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote

from .. import rights
from ..document_access import User
from ..document_servers import Server
from ..errors import ApiError, failure
from ..live import LiveServer
from ..record import Entry
from ..routing import Route
from ..world import Session, World

DEFAULT_TIMEOUT = 60.0  # seconds; the REST guide's default

# What must be in order for a method: nothing, a connected server, or also a valid licence of it.
NOTHING, CONNECTION, LICENCE = "nothing", "connection", "licence"


class Abandoned(Exception):
    """There is nobody to answer, or no true answer any more: the client left, or the world was reset meanwhile."""


@dataclass
class Call:
    """One request on its way through a method."""

    world: World
    route: Route
    query: dict[str, str]
    body: bytes
    session: Session
    entry: Entry  # `entry.executed` is set when the work is done

    @property
    def user(self) -> User:
        """Who calls."""
        return self.session.user

    @property
    def names(self) -> dict[str, str]:
        """The names for messages of failures."""
        return {"server": self.route.server, "task": self.route.task, "endpoint": self.route.endpoint}

    def fail(self, key: str, **more: str) -> ApiError:
        """The failure `key`, with the names of this call."""
        return failure(key, **{**self.names, **more})

    def may(self, role: str, on: str) -> bool:
        """Whether the caller has at least `role` on an object of this call."""
        return self.world.may(self.user, role, scope(on, self.route))


@dataclass(frozen=True)
class Operation:
    """A method: the role it needs (docs/enterprise_manager_api.md, 7.2), on what, what must be in order, and the work.

    `on` is "root", "all_servers", "server", "all_tasks", "task", "all_endpoints" or "endpoint". `gets` names what the
    work is about if that is not what the role is on: "nothing", "server", "task" or "endpoint".
    """

    role: str | None  # None: the work checks it
    on: str
    work: Callable[[Call, Any], Awaitable[Any]]
    needs: str = LICENCE
    replicate_only: bool = False
    gets: str | None = None
    also: tuple[tuple[str, str], ...] = ()  # further (role, on)
    variant: str = ""  # of the texts of general failures, e.g. "/tables"

    @property
    def about(self) -> str:
        """What the work gets: nothing, the server, or the server with its task or endpoint."""
        if self.gets:
            return self.gets
        if self.on in ("task", "endpoint"):
            return self.on
        return "nothing" if self.on in ("root", "all_servers") else "server"


async def perform(operation: Operation, call: Call) -> Any:
    """Check in the order below, then do the work; what changed something goes into the audit trail.

    The order is an assumption (docs/enterprise_manager_api.md, 7.3). Its reason: what holds for the whole installation
    comes first, and each step only shows what the steps before allow to show. Enterprise Manager must know the server
    before it can know the caller's rights on it, and it shows a stranger nothing of the server's state. Only a
    connected server can say whether a task exists. (The session is checked before all this, by the caller.)
    """
    subject = _checked(operation, call)
    try:
        return await operation.work(call, subject)
    finally:
        if call.entry.executed and call.entry.method != "GET":
            audit(call.world, call.entry)


def _checked(operation: Operation, call: Call) -> Any:
    world, route = call.world, call.route
    if not world.document.options.license_registered:
        is_admin = call.may("Admin", "root")
        raise failure("LICENSE_NOT_FOUND" if is_admin else "LICENSE_NOT_FOUND_CONTACT_ADMIN")
    server = world.servers.get(route.server)
    if server is None and operation.about != "nothing":
        raise failure("AEM_SERVER_NOT_FOUND", server=route.server)
    for role, on in ((operation.role, operation.on), *operation.also):
        if role is not None and not call.may(role, on):
            raise unauthorized(call, operation.variant)
    if server is None or operation.about == "nothing":
        return None
    if operation.replicate_only and server.settings.is_compose:
        raise failure("AEM_METHOD_NOT_SUPPORTED_VERSION", method=str(route.operation))
    if operation.needs != NOTHING:
        refuse_dead_server(server.settings, operation.needs)
    if operation.about == "task":
        task = server.tasks.get(route.task)
        if task is None or task.phase.state == "NOT_EXIST":
            raise call.fail("AEM_TASK_NOT_FOUND" + operation.variant)
        return server, task
    if operation.about == "endpoint":
        endpoint = server.endpoints.get(route.endpoint)
        if endpoint is None:
            raise call.fail("AEM_ENDPOINT_NOT_FOUND")
        return server, endpoint
    return server


def unauthorized(call: Call, variant: str = "") -> ApiError:
    """Missing rights; the audit trail has its own text and status."""
    if variant == "/audit trail":
        return failure("UNAUTHORIZED_REQUEST" + variant)
    error = failure("UNAUTHORIZED_REQUEST")
    error.status = call.world.document.variants.unauthorized_status
    return error


def refuse_dead_server(server: Server, needs: str = LICENCE) -> None:
    """Raise if Enterprise Manager cannot work with the server."""
    if server.state == "NOT_MONITORED":
        raise failure("AEM_SERVER_NOT_MONITORED", server=server.name)
    if server.state == "ERROR":
        raise failure("AEM_SERVER_NOT_CONNECTED", server=server.name, message=server.message)
    license_state = server.license.get("state", "VALID_LICENSE")
    if needs == CONNECTION or license_state == "VALID_LICENSE":
        return
    if license_state == "EXPIRED_LICENSE":
        raise failure("AEM_SERVER_LICENSE_EXPIRED", server=server.name)
    raise failure("AEM_SERVER_INVALID_LICENSE", server=server.name)


def scope(on: str, route: Route) -> rights.Scope:
    """The object that a role must be on."""
    return {
        "root": rights.ROOT,
        "all_servers": rights.ALL_SERVERS,
        "server": rights.server_scope(route.server),
        "all_tasks": rights.all_tasks(route.server),
        "task": (*rights.all_tasks(route.server), route.task),
        "all_endpoints": rights.all_endpoints(route.server),
        "endpoint": (*rights.all_endpoints(route.server), route.endpoint),
    }[on]


def audit(world: World, entry: Entry) -> None:
    """Note a change in the audit trail. The layout of its records is not documented."""
    world.audit.append(
        {
            "timestamp": entry.time.replace("+00:00", "Z"),
            "user": entry.user,
            "request": f"Aem{entry.operation}",
            "server": entry.server,
            "task": entry.task,
            "endpoint": entry.endpoint,
        }
    )


# Parameters and bodies


def wait_seconds(query: dict[str, str]) -> float:
    """The `timeout` parameter. Some SDK builds send the text None for what is not set."""
    given = unset_or(query, "timeout")
    if given is None:
        return DEFAULT_TIMEOUT
    if not re.fullmatch(r"[0-9]{1,9}", given):
        # Assumption: 500 with a JSON error (docs/enterprise_manager_api.md, 3.12); the code is the nearest one.
        raise failure("DESERIALIZE_TO_TYPE", type="Int32", message=given)
    return float(given)


def flag(query: dict[str, str], key: str, default: bool = False) -> bool:
    """An on/off parameter, in any case (docs/enterprise_manager_api.md, 4.6)."""
    given = unset_or(query, key)
    if given is None:
        return default
    if given.lower() not in ("true", "false"):
        raise failure("DESERIALIZE_TO_TYPE", type="Boolean", message=given)
    return given.lower() == "true"


def unset_or(query: dict[str, str], key: str) -> str | None:
    """A query parameter; empty or the text None means that it is not set."""
    value = query.get(key, "")
    return None if value in ("", "None") else value


def body_object(call: Call, kind: str) -> dict[str, Any]:
    """The JSON object in the body; `kind` names it in a failure."""
    value = body_json(call, kind)
    if not isinstance(value, dict):
        raise failure("DESERIALIZE_TO_TYPE", type=kind, message="an object was expected")
    return value


def body_json(call: Call, kind: str) -> Any:
    """The JSON in the body, whatever it is."""
    try:
        return json.loads(call.body.decode("utf-8-sig"))
    except ValueError as error:
        raise failure("DESERIALIZE_TO_TYPE", type=kind, message=str(error)) from error


def names_itself(in_path: str, in_body: str) -> bool:
    """Whether both names are the same: the 2018 SDK encodes twice, and a new name can't be known to be meant."""
    return in_body in (in_path, unquote(in_path))


def with_server(call: Call, work: Callable[[LiveServer], None], name: str) -> Callable[[], None]:
    """Work for later on a server, done only if that is still there."""
    server = call.world.servers[name]

    def run() -> None:
        if call.world.servers.get(name) is server:
            work(server)

    return run
