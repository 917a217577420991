# Copyright (c) 2026, dataops.qlik_em contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is private to the collection.

"""The event source: rounds of reading, one after the other, and what to do while Enterprise Manager is away."""

from __future__ import annotations

import asyncio
import functools
import logging
import random
import re
import sys
import time
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, NamedTuple, Protocol, TypeVar

from .._client.api import Api, Json
from .._client.client import Client
from .._client.errors import INVALID_SESSION_ID, AemError, InputError, Interrupted, LoginRefused
from .._client.interrupt import Interrupt
from .._client.limits import Limits
from .._client.masking import Secrets, secrets_in
from .._client.transport import REQUESTS_IMPORT_ERROR, Transport, one_warning_is_enough
from .._common.times import time_at
from .._run.lines import one_line
from .changes import Watch, away, changes
from .model import Memory
from .options import Settings, check_options, read_options
from .reader import Reader
from .store import Store

LOG = logging.getLogger(__name__)
LONGEST_PAUSE = 300.0  # seconds between two rounds while Enterprise Manager is away, unless the interval is longer
SHORTEST_PAUSE = 1.0  # after a round that took longer than the interval
DEFAULT_LIMITS = Limits()
# What a rulebook hands to a playbook is evaluated there, and whoever can make a task fail with a message of his choice
# could run commands. An object with such a name is not found then, and left alone.
TEMPLATE = re.compile(r"{(?=[{%#])")
T = TypeVar("T")


class Queue(Protocol):
    """Where events go."""

    async def put(self, event: Json) -> Any:
        """Take an event."""


class Clock(NamedTuple):
    """Time, which tests replace: since 1970, monotonic, and how to wait."""

    now: Callable[[], float] = time.time
    monotonic: Callable[[], float] = time.monotonic
    sleep: Callable[[float], Awaitable[Any]] = asyncio.sleep


class SourceEnded(Exception):
    """Why the source has ended, in one line without secrets."""


class Stop(Interrupt):
    """Ends what runs when the source is cancelled, and nothing else: it may outlive the shell that has started it."""

    def check(self) -> None:
        """Raise Interrupted if the source is to end."""
        if self._is_abandoned:
            raise Interrupted("The event source ends.")


async def follow_tasks(
    queue: Queue,
    arguments: Mapping[str, Any],
    environ: Mapping[str, str],
    clock: Clock | None = None,
    limits: Limits = DEFAULT_LIMITS,
) -> None:
    """Put an event into the queue for each change, until cancelled. Raises SourceEnded, with all secrets masked."""
    secrets = Secrets(secrets_in(arguments, environ, {}))
    try:
        if REQUESTS_IMPORT_ERROR:
            raise InputError(
                f"The Python library requests is missing for {sys.executable}. Install it there, or in the decision "
                "environment."
            )
        settings = check_options(read_options(arguments, environ), environ)
        connection = settings.connection
        if not connection.validate_certs:
            LOG.warning("The certificate of %s is not verified (validate_certs: false).", connection.url)
        store, stop = Store(settings.state_file, connection.address), Stop()
        with one_warning_is_enough(), Transport(connection, settings.parallel) as transport, store.alone():
            client = Client(connection, transport, secrets, stop, limits)
            try:
                await _Source(queue, client, settings, store, clock or Clock()).run()
            finally:
                await _in_thread(client.close, stop)
    except AemError as failure:
        raise SourceEnded(one_line(secrets.mask(_advice(failure)))) from None
    except Exception as bug:
        text = f"Unexpected {type(bug).__name__}: {bug}. Please report it."
        raise SourceEnded(one_line(secrets.mask(text))) from None


class _Source:
    def __init__(self, queue: Queue, client: Client, settings: Settings, store: Store, clock: Clock) -> None:
        self._queue, self._client, self._settings, self._store, self._clock = queue, client, settings, store, clock
        self._watch: Watch = settings.watch
        self._reader = Reader(Api(client), settings.watch, settings.parallel, clock.monotonic)
        self._is_saved = True

    async def run(self) -> None:
        memory, left = self._store.load()
        await self._give(left)
        lost = 0  # rounds in a row
        while True:
            begin, at = self._clock.monotonic(), time_at(self._clock.now())
            try:
                reading = await _in_thread(self._reader.read, self._client.interrupt)
            except (LoginRefused, InputError, Interrupted):
                raise
            except AemError as failure:
                if failure.facts.get("error_code") == INVALID_SESSION_ID and not self._settings.connection.login:
                    raise
                after, events = away(memory, at, self._watch, failure)
                if not lost:
                    LOG.warning("%s", self._shown(_advice(failure)))
                lost += 1
                pause = back_off(self._settings.interval, lost)
            else:
                after, events = changes(memory, reading, at, self._watch)
                lost = 0
                pause = max(self._settings.interval - (self._clock.monotonic() - begin), SHORTEST_PAUSE)
            events = [{member: self._shown(value) for member, value in event.items()} for event in events]
            await self._save(memory, after, events)
            memory = after
            await self._give(events)
            await self._clock.sleep(pause)

    async def _save(self, before: Memory, after: Memory, events: list[Json]) -> None:
        if self._is_saved and not events and after == before:
            return
        try:
            await _in_thread(functools.partial(self._store.save, after, events), self._client.interrupt)
            self._is_saved = True
        except InputError as error:  # a full disk is not a reason to watch no more
            LOG.error("%s After a restart, events since then may be reported again.", self._shown(str(error)))
            self._is_saved = False

    async def _give(self, events: list[Json]) -> None:
        for event in events:
            await self._queue.put(event)
            self._store.tick()

    def _shown(self, value: Any) -> Any:
        """Return a value as it may be shown: without secrets, a text in one line and not as a template."""
        return TEMPLATE.sub("{ ", one_line(self._client.masked(value))) if isinstance(value, str) else value


def _advice(failure: AemError) -> str:
    """Return what has failed, and what to do about it."""
    return f"{failure.message} {failure.hint}".strip()


def back_off(interval: float, lost: int) -> float:
    """Return the pause (seconds) after so many rounds in a row without an answer: growing, jittered, bounded."""
    longest = max(interval, LONGEST_PAUSE)
    return min(interval * 2 ** min(lost - 1, 30), longest) * random.uniform(0.5, 1)


async def _in_thread(work: Callable[[], T], stop: Interrupt) -> T:
    """Return what ``work``, which blocks, returns; if this is cancelled, let the work end first."""
    future = asyncio.get_running_loop().run_in_executor(None, work)
    try:
        return await asyncio.shield(future)
    except asyncio.CancelledError:
        stop.abandon()
        await asyncio.gather(future, return_exceptions=True)  # asyncio logs one that nobody has looked at
        raise
