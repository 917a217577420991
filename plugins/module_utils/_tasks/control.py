# Copyright (c) 2026, dataops.qlik_em contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is private to the collection.

"""StopTask and RunTask, each followed to its end: time-outs, transient states, lost answers."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple

from .._client.api import Api
from .._client.calls import Answer
from .._client.error_codes import advice_on
from .._client.errors import AemError, ApiError, TransportError, WaitError
from .._common.wait import TimedOut, wait_until
from .model import ACTIVE, STARTING, STOPPING, TaskName, TaskSnapshot, is_old_compose, snapshot_of, state_of
from .operation import FINISHED, RESUME, RUNNING, Operation

if TYPE_CHECKING:
    from .goals import Goal

ALREADY_STOPPED = "AEM_TASK_ALREADY_STOPPED"
STOP_TIMEOUT = "AEM_STOP_TASK_TIMEOUT"
# Assumed, by analogy with StopTask (docs/enterprise_manager_api.md, 6.12).
ALREADY_RUNNING = "AEM_TASK_ALREADY_RUNNING"
RUN_TIMEOUT = "AEM_RUN_TASK_TIMEOUT"
NO_OPTION = "NONE"  # that of Compose until November 2023 (docs/enterprise_manager_api.md, 5.6)
RECOVERS = (
    "It needs no further start: it retries by itself, because of an error at its source or target, which the task's "
    "log in the console names. Run this again to keep watching."
)

Watch = Callable[[TaskSnapshot], None]


def ignore(_snapshot: TaskSnapshot) -> None:
    """Show nothing of a task that is followed."""


class Outcome(NamedTuple):
    """Whether the call may have changed the task, and the task as it was read last."""

    changed: bool
    snapshot: TaskSnapshot


class Control:
    """The calls that stop and start one task. All raise AemError; its ``changed`` says whether they may have."""

    def __init__(self, api: Api, task: TaskName, operation: Operation, watch: Watch = ignore) -> None:
        self._api, self._task, self._operation, self._watch = api, task, operation, watch

    def read(self) -> TaskSnapshot:
        """Return the task as it is (GetTaskDetails)."""
        return snapshot_of(self._api.get_task_details(*self._task))

    def read_with_reason(self) -> TaskSnapshot:
        """Return the task with its stop reason, without which a finished full load is not known as such."""
        current = self.read()
        if not current.is_stopped or current.stop_reason:
            return current
        # That the details carry the stop reason is not certain; the list does, but asks for a higher role
        # (docs/enterprise_manager_api.md, 6.18).
        try:
            listed = self._api.get_task_list(self._task.server)
        except ApiError as error:
            if not error.is_refusal:
                raise
            return current
        named = (item for item in listed if item.get("name") == self._task.name)
        return next((current._replace(stop_reason=item.get("stop_reason")) for item in named), current)

    def stop(self) -> Outcome:
        """Stop the task; one that is stopped already is left as it is."""
        operation, is_done = self._operation, self._is_stopped
        try:
            answer = self._api.stop_task(*self._task, timeout=operation.timeout, accept=(ALREADY_STOPPED, STOP_TIMEOUT))
        except TransportError as lost:
            snapshot = self._read_effect(lost, lambda now: now.is_stopped or now.state == STOPPING)
            return Outcome(True, snapshot if is_done(snapshot) else self._follow(is_done, STOP_TIMEOUT))
        if answer.error_code == ALREADY_STOPPED:
            if operation.wait:
                return Outcome(False, self._follow(is_done, STOP_TIMEOUT))
            return Outcome(False, TaskSnapshot("STOPPED"))
        if answer.error_code == STOP_TIMEOUT:
            if not operation.wait:
                raise self._server_timeout("StopTask", answer)
            return Outcome(True, self._follow(is_done, STOP_TIMEOUT, answer))
        snapshot = _snapshot_in(answer)
        if snapshot.message or snapshot.state not in ("STOPPED", STOPPING):
            raise self._not_a_success("after StopTask", snapshot, changed=snapshot.state not in ACTIVE)
        if snapshot.state == STOPPING or operation.wait:
            snapshot = self._follow(is_done, STOP_TIMEOUT)
        return Outcome(True, snapshot)

    def run(self, before: TaskSnapshot) -> Outcome:
        """Start the task, which was read as ``before``. A run is never sent twice."""
        operation = self._operation
        if before.state == STOPPING:
            before = self._follow(self._is_stopped, STOP_TIMEOUT)
        elif before.is_active and operation.makes_tables:
            before = self._await_end()
        is_done = self._start_check(before)
        # A load that is over soon ends as the one before: then only its tables show that there was one.
        is_alike = before.has_finished and not before.is_compose and operation.wait_for != RUNNING
        loads = self._load_times() if is_alike else []

        def shows_effect(now: TaskSnapshot) -> bool:
            is_again = bool(loads) and now.is_stopped and self._load_times() not in ([], loads)
            return _has_moved(before, now) or is_again

        try:
            answer = self._send_run(before)
        except TransportError as lost:
            snapshot = self._read_effect(lost, shows_effect)
            is_done = self._start_check(before, has_begun=True)
            return Outcome(True, snapshot if is_done(snapshot) else self._follow(is_done, RUN_TIMEOUT))
        if answer.error_code == ALREADY_RUNNING:
            return Outcome(False, self._meet_other_run())
        if answer.error_code == RUN_TIMEOUT:
            if not self._is_followed:
                raise self._server_timeout("RunTask", answer)
            return Outcome(True, self._follow(is_done, RUN_TIMEOUT, answer))
        return Outcome(True, self._follow_run(before, _snapshot_in(answer)))

    def _meet_other_run(self) -> TaskSnapshot:
        """Return the task that somebody else was faster to start, once it is where it should be. Raises AemError."""
        snapshot = self.await_signs(self._look())
        if snapshot.is_stopped and not self._goal().is_ended_well(snapshot):
            reason = f": {snapshot.message}" if snapshot.message else "."
            raise WaitError(
                f"The {self._task.subject} was started by somebody else, and is {snapshot.state} again{reason}",
                "Look at the task's log in the console, then run this again.",
                task=snapshot.view(self._task),
            )
        return self.watch(snapshot)

    def _follow_run(self, before: TaskSnapshot, snapshot: TaskSnapshot) -> TaskSnapshot:
        """Return the task once it is started, after a RunTask that the server answered with ``snapshot``."""
        is_done = self._start_check(before, has_begun=True)
        if snapshot.is_stopped and not snapshot.message:
            snapshot = self._look()
            if self._goal().is_ended_well(snapshot):
                return snapshot
        if snapshot.message or snapshot.state not in (*ACTIVE, STARTING):
            changed = self._operation.makes_tables or snapshot.state != before.state
            raise self._not_a_success("after RunTask", snapshot, changed)
        return self._follow(is_done, RUN_TIMEOUT) if snapshot.state == STARTING or self._is_followed else snapshot

    def _goal(self) -> Goal:
        from .goals import Goal  # late: a stop does not need it

        return Goal(self._api, self._task, self._operation)

    def _load_times(self) -> list[str]:
        from .goals import load_times  # likewise

        return load_times(self._api, self._task)

    @property
    def _is_followed(self) -> bool:
        return self._operation.wait or self._operation.makes_tables

    def _send_run(self, before: TaskSnapshot) -> Answer:
        """Send RunTask; to an older Compose, which refuses the run option of later ones, without one."""
        operation = self._operation
        is_met = operation.state == "started" and not operation.makes_tables  # by a run that somebody else has begun
        accept = (RUN_TIMEOUT, ALREADY_RUNNING) if is_met else (RUN_TIMEOUT,)

        def send(option: str) -> Answer:
            return self._api.run_task(*self._task, option, operation.timeout, operation.cdc_position, accept)

        try:
            return send(operation.run_option)
        except ApiError as refused:
            is_replicate = before.work is not None and not before.is_compose
            if operation.run_option != RESUME or is_replicate or refused.is_refusal or not self._is_on_old_compose():
                raise
        return send(NO_OPTION)

    def _is_on_old_compose(self) -> bool:
        try:
            return is_old_compose(self._api.get_server_details(self._task.server))
        except AemError:  # the refusal of the start is what counts
            return False

    def _await_end(self) -> TaskSnapshot:
        """Return the task once it is stopped: the run in progress may be one that stops by itself. Raises AemError."""

        def has_ended(snapshot: TaskSnapshot) -> bool:
            self.check_run_in_progress(snapshot)
            return snapshot.is_stopped

        try:
            return wait_until(self._api, self._look, has_ended, *self._operation.waiting)
        except TimedOut as over:
            if over.trouble or not over.last:
                raise self._stuck(over, RUN_TIMEOUT, None) from over
            raise self._other_run(over.last, f" after {self._limit}") from over

    def check_run_in_progress(self, snapshot: TaskSnapshot) -> None:
        """Raise AemError if a run that only makes tables would wait for one that goes on for ever."""
        work = snapshot.work
        if self._operation.makes_tables and snapshot.is_active and work and work.moves_data and not work.only_loads:
            raise self._other_run(snapshot, " and moves data")

    def _other_run(self, snapshot: TaskSnapshot, since: str) -> WaitError:
        option = self._operation.run_option.lower()
        return WaitError(
            f"The {self._task.subject} is {snapshot.state}{since}: another run is in progress, and run_option: "
            f"{option} was not applied.",
            "Stop it first, or use state: restarted, which stops it.",
            task=snapshot.view(self._task),
        )

    def await_signs(self, snapshot: TaskSnapshot) -> TaskSnapshot:
        """Return a task that runs once it is seen to move data, or to end, or when it had its time for that.

        A run that only makes tables looks like any other one, but moves nothing and stops by itself
        (docs/enterprise_manager_api.md, 6.48).
        """
        waiting = self._operation.waiting
        limit = min(waiting.timeout, self._api.client.limits.quiet_run)
        try:
            return wait_until(self._api, self._look, lambda now: not now.is_quiet, limit, waiting.sleep)
        except TimedOut as over:
            return over.last or snapshot

    def _look(self) -> TaskSnapshot:
        """Read a task that is followed."""
        snapshot = self.read() if self._operation.wait_for == RUNNING else self.read_with_reason()
        self._watch(snapshot)
        return snapshot

    def watch(self, snapshot: TaskSnapshot) -> TaskSnapshot:
        """Return the task, which needs no call, once it is where it should be: somebody else may have just moved it."""
        stopping = self._operation.state == "stopped"
        is_done = self._is_stopped if stopping else self._start_check(snapshot, has_begun=True, is_sent=False)
        return snapshot if is_done(snapshot) else self._follow(is_done, STOP_TIMEOUT if stopping else RUN_TIMEOUT)

    def _is_stopped(self, snapshot: TaskSnapshot) -> bool:
        return snapshot.is_at_rest if self._operation.wait else snapshot.is_stopped

    def _start_check(
        self, before: TaskSnapshot, has_begun: bool = False, is_sent: bool = True
    ) -> Callable[[TaskSnapshot], bool]:
        """Return whether a task, read as ``before``, is started; the check raises WaitError for one that failed to.

        Until the start ``has_begun``, a finished full load is the one before: not every release shows STARTING.
        ``is_sent`` is whether this run has sent the start.
        """
        goal = self._goal()
        was_up = False

        def is_done(snapshot: TaskSnapshot) -> bool:
            nonlocal has_begun, was_up
            has_moved = _has_moved(before, snapshot)
            has_begun = has_begun or has_moved
            if not snapshot.is_stopped:
                was_up = was_up or snapshot.state in ACTIVE
                return goal.is_reached(snapshot)
            if has_begun and goal.is_ended_well(snapshot):  # a short run is over before anybody reads it
                return True
            if has_moved or was_up or (has_begun and self._operation.makes_tables):
                raise self._not_a_success("after RunTask" if is_sent else "now", snapshot)
            return False

        return is_done

    def _read_effect(self, lost: TransportError, shows_effect: Callable[[TaskSnapshot], bool]) -> TaskSnapshot:
        """Decide by reading what became of a call whose answer was lost: return the task once it ``shows_effect``.

        Raises ``lost`` if nothing of the call left, or if it shows no effect in time.
        """
        if not lost.sent:
            raise lost
        from .._common.lost_answers import hint_after  # late: only a failure needs it

        lost.hint = hint_after(lost, "task")
        waiting, limit = self._operation.waiting, self._api.client.limits.lost_effect
        limit = waiting.timeout if self._is_followed else min(self._operation.timeout, limit)
        try:
            return wait_until(self._api, self._look, shows_effect, limit, waiting.sleep)
        except TimedOut as over:
            if over.last is None:
                lost.message += f" Its state cannot be read either: {over.trouble}"
            else:
                lost.message += (
                    f" It is not known whether the call arrived: after {limit:g} s the task is {over.last.state}."
                )
                lost.facts["task"] = over.last.view(self._task)
        except AemError as error:
            lost.message += f" Its state cannot be read either: {error}"
        raise lost

    def _follow(
        self,
        is_done: Callable[[TaskSnapshot], bool],
        code: str,
        answer: Answer | None = None,
    ) -> TaskSnapshot:
        """Watch the task until ``is_done``; fail with ``code`` after ``wait_timeout``.

        ``answer`` is the server's own time-out, if it gave one.
        """
        try:
            return wait_until(self._api, self._look, is_done, *self._operation.waiting)
        except TimedOut as over:
            raise self._stuck(over, code, answer) from over

    def _stuck(self, over: TimedOut[TaskSnapshot], code: str, answer: Answer | None) -> WaitError:
        """Return the failure of a wait, with the last state that was read."""
        last, limit, subject = over.last, self._limit, self._task.subject
        error_code: str | None = code
        goes_further = code == RUN_TIMEOUT and (self._operation.makes_tables or self._operation.wait_for != RUNNING)
        hint = (
            "Look at the task's log in the console. The server is still working on it; run this again to keep watching."
        )
        if last is None or over.trouble:
            known = f"was last seen {last.state}" if last else "was not seen at all"
            text = f"The {subject} {known} within {limit}, and cannot be read now: {over.trouble}"
        elif last.state in (STARTING, STOPPING):
            text = f"The {subject} is stuck in {last.state}: it has not changed in {limit}."
        elif goes_further:
            missing, error_code = self._goal().missing(), None
            standing = f": {last.work}" if last.work and str(last.work) else ""
            text = f"The {subject} is {last.state} and {missing} within {limit}{standing}."
            if last.work and last.work.only_loads is False and self._operation.wait_for == FINISHED:
                hint = "It captures changes, so it may never finish: wait_for: loaded waits for its full load. " + hint
        elif last.is_stopped and last.memory_mb and code == STOP_TIMEOUT:
            text = f"The {subject} is {last.state}, but its process still holds {last.memory_mb} MB after {limit}."
        elif last.state == "RECOVERY" and code == RUN_TIMEOUT:
            reason = f" {last.message}" if last.message else ""
            text = f"The {subject} is started, but in RECOVERY: it is not running after {limit}.{reason}"
            hint = RECOVERS
        elif last.state == "RUNNING" and code == RUN_TIMEOUT:
            text = f"The {subject} is RUNNING, but its process has not started after {limit}."
        else:
            text = f"The {subject} is still {last.state} after {limit}."
        if answer:
            text += f" The server's answer was: {answer.message}"
        return WaitError(
            text,
            hint,
            error_code=error_code,
            http_status=answer.http_status if answer else None,
            error_message=answer.message if answer else None,
            task=last.view(self._task) if last else None,
        )

    @property
    def _limit(self) -> str:
        return f"{self._operation.waiting.timeout:g} s (wait_timeout)"

    def _server_timeout(self, method: str, answer: Answer) -> WaitError:
        """Return the failure for a time-out that the server reports and nobody wants to wait out."""
        return WaitError(
            f"{method} of {self._task.subject} failed: {answer.message}",
            advice_on(answer.error_code).remedy,
            error_code=answer.error_code,
            http_status=answer.http_status,
            error_message=answer.message,
        )

    def _not_a_success(self, when: str, snapshot: TaskSnapshot, changed: bool | None = None) -> WaitError:
        """Return the failure for a task that ended up in another state than the wanted one.

        ``changed`` is what an answer shows that came without an error code; None leaves it to the guard around writes.
        """
        stopped_by = f" (stop reason {snapshot.stop_reason})" if snapshot.has_reason else ""
        reason = f": {snapshot.message}" if snapshot.message else "."
        error = WaitError(
            f"The {self._task.subject} is {snapshot.state} {when}{stopped_by}{reason}",
            "Look at the task's log in the console.",
            error_message=snapshot.message,
            task=snapshot.view(self._task),
        )
        error.changed = changed
        return error


def _has_moved(before: TaskSnapshot, snapshot: TaskSnapshot) -> bool:
    """Return whether a task shows that something has happened to it; what was not read shows nothing."""
    pairs = ((before.stop_reason, snapshot.stop_reason), (before.message, snapshot.message))
    return snapshot.state != before.state or any(None not in pair and pair[0] != pair[1] for pair in pairs)


def _snapshot_in(answer: Answer) -> TaskSnapshot:
    return TaskSnapshot(state_of(answer.body["state"]), message=str(answer.body.get("error_message") or ""))
