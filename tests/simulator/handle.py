# Copyright (c) 2026, dataops.qlik_em contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The stand-in inside a test process: its own thread and event loop, and a handle for every other thread."""

from __future__ import annotations

import asyncio
import concurrent.futures
import contextlib
import sys
import threading
from collections.abc import Callable, Iterator
from typing import Any, TypeVar

from . import control, views_resources
from .server import Settings, Simulator

T = TypeVar("T")
_PATIENCE = 30.0  # seconds for one call into the other thread


class Handle:
    """The running stand-in. Every method may be called from any thread."""

    def __init__(self, simulator: Simulator, loop: asyncio.AbstractEventLoop) -> None:
        self._simulator = simulator
        self._loop = loop
        access = simulator.access()
        self.url: str = access["url"]
        self.ca_path: str = access["ca_path"]
        self.control_url: str = access["control_url"]
        self.username: str | None = access["username"]
        self.password: str | None = access["password"]
        self.api_token: str | None = access["api_token"]
        self.jwt: str | None = access["jwt"]
        self.client_cert: str | None = access["client_cert"]
        self.client_key: str | None = access["client_key"]

    def requests(self) -> list[dict[str, Any]]:
        """The record, oldest first."""
        return self._call(self._simulator.record.as_list)

    def clear_requests(self) -> None:
        """Forget the record."""
        self._call(self._simulator.record.clear)

    def faults(self, rules: Any = ()) -> list[dict[str, Any]]:
        """Append rules to the fault plan; returns the whole plan."""
        return self._call(lambda: self._simulator.add_faults(rules))

    def clear_faults(self) -> None:
        """Empty the fault plan."""
        self._call(self._simulator.plan.clear)

    def state(self) -> dict[str, Any]:
        """The present state of all servers and tasks."""
        return self._call(self._simulator.world.snapshot)

    def task(self, server: str, name: str) -> dict[str, Any]:
        """The present state of one task."""
        return self._call(lambda: self._simulator.world.snapshot_of_task(server, name))

    def inside(self, server: str, name: str) -> dict[str, Any]:
        """A task's definition, tables, barriers and deleted change data."""
        return self._call(lambda: self._simulator.world.inside_task(server, name))

    def server(self, name: str) -> dict[str, Any]:
        """The present state of one server: its endpoints, ACLs, tasks."""
        return self._call(lambda: views_resources.server_state(self._simulator.world.server(name)))

    def endpoint(self, server: str, name: str) -> dict[str, Any]:
        """The present state of one endpoint."""
        return self._call(lambda: views_resources.endpoint_state(self._simulator.world.endpoint(server, name)))

    def reset(self, document: Any = None) -> None:
        """Start anew: state, sessions, record, faults and counters."""
        self._call(lambda: self._simulator.reset(document))

    def set_options(self, **options: Any) -> None:
        """Change options of the installation."""
        self._call(lambda: control.set_options(self._simulator, options))

    def set_server(self, server: str, **attributes: Any) -> None:
        """Change attributes of a server."""
        self._call(lambda: control.set_server(self._simulator, server, attributes))

    def set_task(self, server: str, name: str, **attributes: Any) -> None:
        """Change attributes of a task."""
        self._call(lambda: control.set_task(self._simulator, server, name, attributes))

    def set_table(self, server: str, task: str, schema: str, table: str, **attributes: Any) -> None:
        """Change attributes of a table of a task."""
        self._call(lambda: control.set_table(self._simulator, server, task, schema, table, attributes))

    def set_endpoint(self, server: str, name: str, **attributes: Any) -> None:
        """Change attributes of an endpoint."""
        self._call(lambda: control.set_endpoint(self._simulator, server, name, attributes))

    def set_variants(self, **variants: Any) -> None:
        """Change variants of the installation."""
        self._call(lambda: control.set_variants(self._simulator, variants))

    def audit(self) -> list[dict[str, Any]]:
        """The audit trail."""
        return self._call(lambda: list(self._simulator.world.audit))

    def expire_sessions(self) -> int:
        """End all sessions; returns how many there were."""
        return self._call(self._simulator.expire_sessions)

    def summary(self) -> dict[str, int]:
        """Counters since the last reset."""
        return self._call(self._simulator.summary)

    def _call(self, function: Callable[[], T]) -> T:
        """Run a function on the stand-in's loop, where all its state lives, and return its result."""
        future: concurrent.futures.Future[T] = concurrent.futures.Future()

        def run() -> None:
            try:
                future.set_result(function())
            except BaseException as error:
                future.set_exception(error)

        self._loop.call_soon_threadsafe(run)
        return future.result(_PATIENCE)


@contextlib.contextmanager
def running(**options: Any) -> Iterator[Handle]:
    """Run a stand-in in a background thread; the options are the members of `server.Settings`."""
    settings = Settings(**options)
    ready: concurrent.futures.Future[Handle] = concurrent.futures.Future()

    async def main() -> None:
        sys.settrace(None)  # the tests measure what they reach of the plugins; tracing would slow this thread as well
        try:
            simulator = Simulator(settings)
            await simulator.start()
        except BaseException as error:
            ready.set_exception(error)
            return
        try:
            ready.set_result(Handle(simulator, asyncio.get_running_loop()))
            await simulator.stopped.wait()
        finally:
            await simulator.stop()

    thread = threading.Thread(target=asyncio.run, args=(main(),), name="enterprise-manager", daemon=True)
    thread.start()
    handle = ready.result(_PATIENCE)
    try:
        yield handle
    finally:
        with contextlib.suppress(RuntimeError):  # the loop has ended if the control address was asked to shut down
            handle._loop.call_soon_threadsafe(handle._simulator.stopped.set)
        thread.join(_PATIENCE)
