# Copyright (c) 2026, dataops.qlik_em contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is private to the collection.

"""StopTask and RunTask, each seen through to its end: time-outs, transient states, lost answers."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import NamedTuple

from .._client.api import Api
from .._client.client import Answer
from .._client.errors import AemError, TransportError, WaitError, advice_on
from .._common.wait import TimedOut, wait_until
from .model import ACTIVE, STARTING, STOPPING, Options, Seen, seen_in, state_of

ALREADY_STOPPED = "AEM_TASK_ALREADY_STOPPED"
STOP_TIMEOUT = "AEM_STOP_TASK_TIMEOUT"
ALREADY_RUNNING = "AEM_TASK_ALREADY_RUNNING"  # assumed, by analogy with StopTask (notes, 6)
RUN_TIMEOUT = "AEM_RUN_TASK_TIMEOUT"  # assumed, likewise

# After a lost answer, the effect of a call must show within this many seconds, or it is taken not to have arrived.
SETTLE_LIMIT = 10


class Outcome(NamedTuple):
    """Whether the call may have changed the task, and how the task was seen last."""

    changed: bool
    seen: Seen


def read(api: Api, options: Options) -> Seen:
    """Return the task as it is (GetTaskDetails)."""
    return seen_in(api.get_task_details(options.server, options.name))


def stop(api: Api, options: Options) -> Outcome:
    """Stop the task; one that is stopped already is left as it is. Raises AemError with ``changed``."""
    is_done = _stop_is_done(options)
    try:
        answer = api.stop_task(options.server, options.name, options.timeout, accept=(ALREADY_STOPPED, STOP_TIMEOUT))
    except TransportError as lost:
        seen = _settle(api, options, lost, lambda seen: seen.is_stopped or seen.state == STOPPING)
        return Outcome(True, seen if is_done(seen) else _follow(api, options, is_done, STOP_TIMEOUT))
    if answer.error_code == ALREADY_STOPPED:
        seen = _follow(api, options, is_done, STOP_TIMEOUT, changed=False) if options.wait else Seen("STOPPED")
        return Outcome(False, seen)
    if answer.error_code == STOP_TIMEOUT:
        if not options.wait:
            raise _timed_out(options, "StopTask", answer)
        return Outcome(True, _follow(api, options, is_done, STOP_TIMEOUT, answer))
    seen = _answered(answer)
    if seen.message or seen.state not in ("STOPPED", STOPPING):
        raise _not_a_success(options, "StopTask", seen, changed=seen.state not in ACTIVE)
    if seen.state == STOPPING or options.wait:
        seen = _follow(api, options, is_done, STOP_TIMEOUT)
    return Outcome(True, seen)


def run(api: Api, options: Options, before: Seen) -> Outcome:
    """Start the task, which was seen as ``before``. A run is never sent twice. Raises AemError with ``changed``."""
    if before.state == STOPPING:
        before = _follow(api, options, _stop_is_done(options), STOP_TIMEOUT, changed=False)
    is_done = _start_is_done(options, before)
    accept = (RUN_TIMEOUT, ALREADY_RUNNING) if options.state == "started" else (RUN_TIMEOUT,)
    try:
        answer = api.run_task(
            options.server, options.name, options.run_option, options.timeout, options.cdc_position, accept
        )
    except TransportError as lost:
        seen = _settle(api, options, lost, lambda seen: _has_moved(before, seen))
        with _changed_on_failure(True):
            return Outcome(True, seen if is_done(seen) else _follow(api, options, is_done, RUN_TIMEOUT))
    if answer.error_code == ALREADY_RUNNING:  # somebody else was faster
        seen = _follow(api, options, is_done, RUN_TIMEOUT, changed=False) if options.wait else Seen("RUNNING")
        return Outcome(False, seen)
    if answer.error_code == RUN_TIMEOUT:
        if not options.wait:
            raise _timed_out(options, "RunTask", answer)
        return Outcome(True, _follow(api, options, is_done, RUN_TIMEOUT, answer))
    is_done = _start_is_done(options, before, has_begun=True)
    seen = _answered(answer)
    if seen.is_stopped and not seen.message:
        with _changed_on_failure(True):
            seen = read(api, options)
        if seen.has_finished:
            return Outcome(True, seen)
    if seen.message or seen.state not in (*ACTIVE, STARTING):
        raise _not_a_success(options, "RunTask", seen, changed=seen.state != before.state)
    if seen.state == STARTING or options.wait:
        seen = _follow(api, options, is_done, RUN_TIMEOUT)
    return Outcome(True, seen)


def watch(api: Api, options: Options, seen: Seen) -> Seen:
    """Return the task, which needs no call, once it is where it should be: somebody else may have just moved it."""
    stopping = options.state == "stopped"
    is_done = _stop_is_done(options) if stopping else _start_is_done(options, seen, has_begun=True)
    if is_done(seen):
        return seen
    return _follow(api, options, is_done, STOP_TIMEOUT if stopping else RUN_TIMEOUT, changed=False)


def _stop_is_done(options: Options) -> Callable[[Seen], bool]:
    return lambda seen: seen.is_at_rest if options.wait else seen.is_stopped


def _start_is_done(options: Options, before: Seen, has_begun: bool = False) -> Callable[[Seen], bool]:
    """Return whether a task, seen as ``before`` until now, is started; it raises WaitError for one that failed to.

    Until the start ``has_begun``, a finished full load is the one before: not every release shows STARTING.
    """

    def is_done(seen: Seen) -> bool:
        nonlocal has_begun
        has_begun = has_begun or _has_moved(before, seen)
        if seen.has_finished and has_begun:  # a short full load is over before anybody looks
            return True
        if seen.is_stopped and _has_moved(before, seen):
            raise _not_a_success(options, "RunTask", seen, changed=True)
        return seen.is_up if options.wait else seen.state in ACTIVE

    return is_done


def _has_moved(before: Seen, seen: Seen) -> bool:
    return (seen.state, seen.stop_reason) != (before.state, before.stop_reason)


@contextmanager
def _changed_on_failure(changed: bool) -> Iterator[None]:
    """Mark a failure in the block as one that comes after a change (or not)."""
    try:
        yield
    except AemError as error:
        error.changed = changed
        raise


def _answered(answer: Answer) -> Seen:
    return Seen(state_of(answer.body["state"]), message=str(answer.body.get("error_message") or ""))


def _settle(api: Api, options: Options, lost: TransportError, shows: Callable[[Seen], bool]) -> Seen:
    """Decide by reading what became of a call whose answer was lost: return the task once it ``shows`` an effect.

    Raises ``lost`` if nothing of the call left, or if it shows no effect in time.
    """
    if not lost.sent:
        raise lost
    lost.changed = True
    lost.hint = "The call was not sent again. Look at the task, then run this again: nothing is done twice."
    limit = options.wait_timeout if options.wait else min(options.timeout, SETTLE_LIMIT)
    try:
        return wait_until(lambda: read(api, options), shows, limit, options.wait_sleep, api.client.stop.pause)
    except TimedOut as over:
        if over.last is None:
            lost.message += f" Its state cannot be read either: {over.trouble}"
        else:
            lost.message += f" Whether it arrived is not known: the task is {over.last.state} {limit:g} s later."
            lost.facts["task"] = over.last.view(options.server, options.name)
    except AemError as error:
        lost.message += f" Its state cannot be read either: {error}"
    raise lost


def _follow(
    api: Api,
    options: Options,
    is_done: Callable[[Seen], bool],
    code: str,
    answer: Answer | None = None,
    changed: bool = True,
) -> Seen:
    """Watch the task until ``is_done``; fail with ``code`` after ``wait_timeout``.

    ``answer`` is the server's own time-out, if it gave one; ``changed`` is what a failure says.
    """
    with _changed_on_failure(changed):
        try:
            return wait_until(
                lambda: read(api, options), is_done, options.wait_timeout, options.wait_sleep, api.client.stop.pause
            )
        except TimedOut as over:
            raise _stuck(options, over, code, answer) from over


def _stuck(options: Options, over: TimedOut[Seen], code: str, answer: Answer | None) -> WaitError:
    """Return the failure of a wait, with the last state seen."""
    last, limit = over.last, f"{options.wait_timeout:g} s (wait_timeout)"
    if last is None or over.trouble:
        known = f"was last seen {last.state}" if last else "was not seen at all"
        text = f"The {options.subject} {known} within {limit}, and cannot be read now: {over.trouble}"
    elif last.state in (STARTING, STOPPING):
        text = f"The {options.subject} is stuck in {last.state}: still so after {limit}."
    elif last.is_stopped and last.memory_mb and code == STOP_TIMEOUT:
        text = f"The {options.subject} is {last.state}, but its process still holds {last.memory_mb} MB after {limit}."
    elif last.state == "RUNNING" and code == RUN_TIMEOUT:
        text = f"The {options.subject} is RUNNING, but its process has not come up within {limit}."
    else:
        text = f"The {options.subject} is still {last.state} after {limit}."
    if answer:
        text += f" The server had said: {answer.message}"
    return WaitError(
        text,
        "Look at the task's log in the console. The server goes on with it; run this again to go on watching.",
        error_code=code,
        http_status=answer.http_status if answer else None,
        error_message=answer.message if answer else None,
        task=last.view(options.server, options.name) if last else None,
    )


def _timed_out(options: Options, method: str, answer: Answer) -> WaitError:
    """Return the failure for a time-out that the server reports and nobody wants to wait out."""
    error = WaitError(
        f"{method} of {options.subject} failed: {answer.message}",
        advice_on(answer.error_code).remedy,
        error_code=answer.error_code,
        http_status=answer.http_status,
        error_message=answer.message,
    )
    error.changed = True  # the action goes on in the server (notes, 6)
    return error


def _not_a_success(options: Options, method: str, seen: Seen, changed: bool) -> WaitError:
    """Return the failure for a task that ended up in another state than the wanted one."""
    reason = f": {seen.message}" if seen.message else "."
    error = WaitError(
        f"The {options.subject} is {seen.state} after {method}{reason}",
        "Look at the task's log in the console.",
        error_message=seen.message,
        task=seen.view(options.server, options.name),
    )
    error.changed = changed
    return error
