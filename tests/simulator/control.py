# Copyright (c) 2026, dataops.qlik_em contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The control address: plain HTTP and JSON on a loopback port of its own. README.md lists it for people."""

from __future__ import annotations

import json
import re
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any

from aiohttp import web

from .checks import InputError, change

if TYPE_CHECKING:
    from .server import Simulator

_SERVER_FIXED = ("name", "tasks", "endpoints", "acl", "tasks_acl", "endpoints_acl")

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


def application(simulator: Simulator) -> web.Application:
    """All routes of the control address."""
    app = web.Application(middlewares=[_clear_errors], client_max_size=64 * 1024 * 1024)

    def route(method: str, path: str, work: Callable[[web.Request, Any], Any]) -> None:
        async def handler(request: web.Request) -> web.StreamResponse:
            return web.json_response({} if (result := work(request, await _body(request))) is None else result)

        app.router.add_route(method, path, handler)

    def patch(path: str, work: Callable[..., None]) -> None:
        """`work` gets the names in the path, in their order, and the body."""
        names = re.findall(r"{(\w+)}", path)
        route("PATCH", path, lambda request, body: work(simulator, *map(request.match_info.get, names), body))

    route("GET", "/requests", lambda request, body: simulator.record.as_list())
    route("DELETE", "/requests", lambda request, body: simulator.record.clear())
    route("GET", "/faults", lambda request, body: simulator.fault_list())
    route("POST", "/faults", lambda request, body: simulator.add_faults([] if body is None else body))
    route("DELETE", "/faults", lambda request, body: simulator.plan.clear())
    route("GET", "/state", lambda request, body: simulator.world.snapshot())
    route("POST", "/reset", lambda request, body: simulator.reset(body))
    patch("/options", set_options)
    patch("/variants", set_variants)
    patch("/servers/{server}", set_server)
    patch("/servers/{server}/tasks/{task}", set_task)
    patch("/servers/{server}/tasks/{task}/tables/{schema}/{table}", set_table)
    patch("/servers/{server}/endpoints/{endpoint}", set_endpoint)
    route(
        "GET",
        "/servers/{server}/tasks/{task}",
        lambda request, body: simulator.world.inside_task(request.match_info["server"], request.match_info["task"]),
    )
    route("GET", "/audit", lambda request, body: list(simulator.world.audit))
    route("POST", "/sessions/expire", lambda request, body: {"expired": simulator.expire_sessions()})
    route("GET", "/summary", lambda request, body: simulator.summary())
    route("POST", "/shutdown", lambda request, body: simulator.stopped.set())
    return app


def set_options(simulator: Simulator, value: Any) -> None:
    """Change options of the installation."""
    change(simulator.world.document.options, value, "options")


def set_server(simulator: Simulator, server: str, value: Any) -> None:
    """Change attributes of a server."""
    change(simulator.world.server(server).settings, value, f"server {server}", fixed=_SERVER_FIXED)


def set_task(simulator: Simulator, server: str, task: str, value: Any) -> None:
    """Change attributes of a task."""
    simulator.world.task(server, task).patch(value, f"task {task}")


def set_table(simulator: Simulator, server: str, task: str, schema: str, table: str, value: Any) -> None:
    """Change attributes of a table; a new state takes effect at once."""
    simulator.world.task(server, task).patch_table((schema, table), value)


def set_endpoint(simulator: Simulator, server: str, endpoint: str, value: Any) -> None:
    """Change attributes of an endpoint."""
    change(simulator.world.endpoint(server, endpoint).settings, value, f"endpoint {endpoint}", fixed=("name", "acl"))


def set_variants(simulator: Simulator, value: Any) -> None:
    """Change variants of the installation."""
    simulator.world.document.change_variants(value)


async def _body(request: web.Request) -> Any:
    data = await request.read()
    if not data:
        return None
    try:
        return json.loads(data)
    except ValueError as error:
        raise InputError(f"the body is not JSON: {error}") from error


@web.middleware
async def _clear_errors(request: web.Request, handler: Handler) -> web.StreamResponse:
    try:
        return await handler(request)
    except InputError as error:
        return web.json_response({"error": str(error)}, status=400)
