# Copyright (c) 2026, dataops.qlik_em contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is private to the collection.

"""Many pieces of work in threads: bounded, fair between groups, and ended in order."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Callable, Collection, Hashable, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from queue import Empty, SimpleQueue
from typing import Any, Generic, TypeVar

T = TypeVar("T")
R = TypeVar("R")

TICK = 0.5  # seconds between two checks while nothing ends


class FairQueue(Generic[T]):
    """What waits, by group: as many groups as possible are under way, with at most ``limit`` items each.

    A group that was begun goes on before another one is begun. So what was read of it is used while it is fresh.
    """

    def __init__(self, items: Iterable[T], group: Callable[[T], Hashable], limit: int) -> None:
        self._group, self._limit = group, limit
        self._busy: Counter[Hashable] = Counter()
        self._new: dict[Hashable, deque[T]] = {}
        self._begun: dict[Hashable, deque[T]] = {}
        for item in items:
            self._new.setdefault(group(item), deque()).append(item)

    def take(self) -> T | None:
        """Return the next item that may be started; None if there is none."""
        key = next((key for key in self._begun if not self._busy[key]), None)
        if key is None:
            key = next(iter(self._new), None)
        if key is None:
            key = next((key for key in self._begun if self._busy[key] < self._limit), None)
        if key is None:
            return None
        items = self._new.pop(key, None) or self._begun.pop(key)
        item = items.popleft()
        self._busy[key] += 1
        if items:
            self._begun[key] = items  # last in turn now
        return item

    def give_back(self, item: T) -> None:
        """Note that an item is no longer under way."""
        self._busy[self._group(item)] -= 1


def run_parallel(
    queue: FairQueue[T],
    work: Callable[[T], R],
    done: Callable[[T, R], None],
    parallel: int,
    may_start: Callable[[], bool],
    tick: Callable[[Collection[T]], None],
    abandon: Callable[[], None],
) -> None:
    """Do ``work`` on each item of ``queue`` in up to ``parallel`` threads, as long as ``may_start``.

    All the rest happens in the thread of the caller: ``done`` gets each result, and ``tick`` now and then what is under
    way. An exception of ``work`` ends the starting of more and is raised when all that runs has ended. Whatever
    else ends this early calls ``abandon``, which must make the running work end soon.
    """
    ended: SimpleQueue[Future[R]] = SimpleQueue()
    running: dict[Future[R], T] = {}
    fatal: list[BaseException] = []
    pool = ThreadPoolExecutor(parallel)
    patient = True
    try:
        while True:
            while len(running) < parallel and not fatal and may_start() and (item := queue.take()) is not None:
                future = pool.submit(work, item)
                running[future] = item
                future.add_done_callback(ended.put)
            if not running:
                break
            try:
                future = ended.get(timeout=TICK)
            except Empty:
                tick(running.values())
                continue
            item = running.pop(future)
            queue.give_back(item)
            failure = future.exception()
            if failure:
                fatal.append(failure)
            else:
                done(item, future.result())
            tick(running.values())
    except BaseException as error:
        patient = not isinstance(error, KeyboardInterrupt)  # the second signal: nothing is waited for
        abandon()
        raise
    finally:
        pool.shutdown(wait=patient, cancel_futures=True)
    if fatal:
        raise fatal[0]


def map_parallel(work: Callable[[T], R], items: Iterable[T], parallel: int, abandon: Callable[[], None]) -> list[Any]:
    """Return what ``work`` makes of each item, in their order; the first exception is raised when all has ended."""
    numbered = list(enumerate(items))
    results: dict[int, R] = {}
    run_parallel(
        FairQueue(numbered, group=lambda pair: pair[0], limit=1),
        work=lambda pair: work(pair[1]),
        done=lambda pair, result: results.update({pair[0]: result}),
        parallel=parallel,
        may_start=lambda: True,
        tick=lambda _running: None,
        abandon=abandon,
    )
    return [results[number] for number, _item in numbered]
