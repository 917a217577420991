# Copyright (c) 2026, dataops.qlik_em contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is private to the collection.

"""Reads what is watched, once a round: the servers, one list of tasks for each, and the details that are asked for."""

from __future__ import annotations

import functools
import logging
import time
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from .._client.api import Api, Json
from .._client.errors import INVALID_SESSION_ID, UNAUTHORIZED_REQUEST, AemError, ApiError, TransportError
from .._client.nearest import did_you_mean
from .._common.parallel import map_parallel
from .._common.patterns import is_literal
from .._fleets.selection import Selectors, list_tasks
from .._run.lines import one_line
from .._tables.model import ERROR as TABLE_ERROR
from .._tables.model import filters, name_in, state_of
from .._tasks.latency import total_latency
from .._tasks.model import ACTIVE, TaskName
from .changes import Watch, selected
from .model import FAILED, MONITORED, NOT_LISTED, NOT_MONITORED, Reading, ServerReading

LOG = logging.getLogger(__name__)
# Days are counted in a licence, so that reading it each hour is enough; that is a call a server.
LICENSE_AGE = 3600.0  # seconds
NO_LIST = {"AEM_SERVER_NOT_MONITORED": NOT_MONITORED, "AEM_SERVER_NOT_FOUND": NOT_LISTED}  # all others: ERROR


class Reader:
    """Reads through one session; what of the licences was read, and when, is all that it remembers."""

    def __init__(self, api: Api, watch: Watch, parallel: int, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._api, self._watch, self._monotonic = api, watch, monotonic
        self._run_all = functools.partial(map_parallel, parallel=parallel, abandon=api.client.interrupt.abandon)
        self._licensed_at: float | None = None
        self._failures: dict[str, str] = {}  # of the last round, so that each is logged once

    def read(self) -> Reading:
        """Return what there is now.

        Raises what calls raise, if it is not the failure of a single server or task: Enterprise Manager cannot be read
        then.
        """
        servers = self._servers()
        names = list(servers)
        servers = dict(zip(names, self._run_all(lambda name: self._tasks(name, servers[name]), names)))
        watch, failures = self._watch, self._unknown(servers)
        late = [one.task for one in selected(servers, watch, watch.latency_of) if one.snapshot.state in ACTIVE]
        latencies = self._each(late, self._latency, failures)
        broken = self._each([one.task for one in selected(servers, watch, watch.tables_of)], self._broken, failures)
        now = self._monotonic()
        if watch.license_days is not None and (self._licensed_at is None or now - self._licensed_at >= LICENSE_AGE):
            there = [name for name, server in servers.items() if server.state == MONITORED]
            for name, days in self._each(there, self._license, failures).items():
                servers[name] = servers[name]._replace(license_days=days)
            self._licensed_at = now
        for what, failure in failures.items():
            if self._failures.get(what) != failure:
                LOG.warning("%s", one_line(self._api.client.masked(failure)))
        self._failures = failures
        return Reading(servers, latencies, broken)

    def _unknown(self, servers: Mapping[str, ServerReading]) -> dict[str, str]:
        """Return what is to be said of tasks that ``include`` names literally and that do not exist."""
        there = [one.task for server in servers.values() for one in server.tasks or ()]
        unread = [name for name, server in servers.items() if server.tasks is None]
        return {
            one.text: f"include names a task that does not exist: {one.text}. "
            + did_you_mean(str(one.name), (task.name for task in there))
            for one in Selectors(self._watch.include).unknown(there, unread)
        }

    def _servers(self) -> dict[str, ServerReading]:
        """Return the servers that are watched, and their states."""
        watch = self._watch
        literal = [name for name in watch.server_patterns if is_literal(name)]
        found = {}
        if watch.names_servers:
            found = {name: ServerReading(MONITORED) for name in literal}
        else:
            found = {item["name"]: _listed(item) for item in self._api.get_server_list()}
            missing = {name: ServerReading(NOT_LISTED, "It is not listed.") for name in literal if name not in found}
            found.update(missing)
        return {name: server for name, server in found.items() if watch.wants_server(name)}

    def _tasks(self, name: str, server: ServerReading) -> ServerReading:
        """Return a server with its tasks, or why they cannot be read."""
        if server.state != MONITORED:
            return server
        found = self._attempt(lambda: list_tasks(self._api, name))
        if isinstance(found, AemError):
            code = found.facts.get("error_code")
            return ServerReading(NO_LIST.get(str(code), FAILED), found.message, code)
        return server._replace(tasks=tuple(found))

    def _attempt(self, read: Callable[[], Any]) -> Any:
        """Return what ``read`` returns, or a failure that is about a single server or task. Raises all others."""
        try:
            return read()
        except ApiError as error:
            if error.error_code == INVALID_SESSION_ID:
                raise
            return error
        except TransportError as failure:
            if not failure.sent:  # no connection, or no login
                raise
            # Is it Enterprise Manager that does not answer? It is asked for something else.
            self._api.get_server_list(accept=(UNAUTHORIZED_REQUEST,))
            return failure

    def _each(self, items: Iterable[Any], read: Callable[[Any], Any], failures: dict[str, str]) -> dict[Any, Any]:
        """Return what ``read`` returns for each item, without those of which nothing is known."""
        items = list(items)
        answers = dict(zip(items, self._run_all(lambda item: self._attempt(lambda: read(item)), items)))
        failed = {item: str(one) for item, one in answers.items() if isinstance(one, AemError)}
        failures.update({f"{read.__name__} {item}": failure for item, failure in failed.items()})
        return {item: one for item, one in answers.items() if one is not None and item not in failed}

    def _latency(self, task: TaskName) -> float | None:
        found = total_latency(self._api.get_task_details(*task))
        return found.seconds if found else None

    def _broken(self, task: TaskName) -> frozenset[tuple[str, str]]:
        found = self._api.get_table_list(*task, filters(states=("error",)))
        return frozenset((*name_in(item),) for item in found if state_of(item) in ("", TABLE_ERROR))

    def _license(self, server: str) -> int | None:
        days = (self._api.get_server_details(server).get("license") or {}).get("days_to_expiration")
        return int(str(days)) if str(days).isdecimal() else None  # (docs/enterprise_manager_api.md, 6.61)


def _listed(item: Json) -> ServerReading:
    state = item.get("state")
    message = item.get("message")
    return ServerReading(str(state).upper() if state else MONITORED, str(message) if message else None)
