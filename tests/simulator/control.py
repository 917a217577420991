# Copyright (c) 2026, dataops.qlik_em contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The control address: plain HTTP and JSON on a loopback port of its own. README.md lists it for people."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any

from aiohttp import web

from .checks import InputError, change

if TYPE_CHECKING:
    from .server import Simulator

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


def application(simulator: Simulator) -> web.Application:
    """All routes of the control address."""
    app = web.Application(middlewares=[_clear_errors], client_max_size=64 * 1024 * 1024)

    def route(method: str, path: str, work: Callable[[web.Request, Any], Any]) -> None:
        async def handler(request: web.Request) -> web.StreamResponse:
            return web.json_response({} if (result := work(request, await _body(request))) is None else result)

        app.router.add_route(method, path, handler)

    route("GET", "/requests", lambda request, body: simulator.record.as_list())
    route("DELETE", "/requests", lambda request, body: simulator.record.clear())
    route("GET", "/faults", lambda request, body: simulator.fault_list())
    route("POST", "/faults", lambda request, body: simulator.add_faults([] if body is None else body))
    route("DELETE", "/faults", lambda request, body: simulator.plan.clear())
    route("GET", "/state", lambda request, body: simulator.world.snapshot())
    route("POST", "/reset", lambda request, body: simulator.reset(body))
    route("PATCH", "/options", lambda request, body: set_options(simulator, body))
    route("PATCH", "/servers/{server}", lambda request, body: set_server(simulator, request.match_info["server"], body))
    route(
        "PATCH",
        "/servers/{server}/tasks/{task}",
        lambda request, body: set_task(simulator, request.match_info["server"], request.match_info["task"], body),
    )
    route("POST", "/sessions/expire", lambda request, body: {"expired": simulator.expire_sessions()})
    route("GET", "/summary", lambda request, body: simulator.summary())
    route("POST", "/shutdown", lambda request, body: simulator.stopped.set())
    return app


def set_options(simulator: Simulator, value: Any) -> None:
    """Change options of the installation."""
    change(simulator.world.document.options, value, "options")


def set_server(simulator: Simulator, server: str, value: Any) -> None:
    """Change attributes of a server."""
    change(simulator.world.server(server).settings, value, f"server {server}", fixed=("name", "tasks"))


def set_task(simulator: Simulator, server: str, task: str, value: Any) -> None:
    """Change attributes of a task."""
    simulator.world.task(server, task).patch(value, f"task {task}")


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
