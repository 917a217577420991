# Copyright (c) 2026, dataops.qlik_em contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is private to the collection.

"""Reading and stopping one task, followed to its end: time-outs, transient states, lost answers."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from .._client.api import Api
from .._client.calls import Answer
from .._client.errors import AemError, ApiError, TransportError
from .._common.wait import TimedOut, wait_until
from .model import ACTIVE, STOP_TIMEOUT, STOPPING, TaskName, TaskSnapshot, snapshot_of, state_of
from .operation import RUNNING, Operation

ALREADY_STOPPED = "AEM_TASK_ALREADY_STOPPED"

Watch = Callable[[TaskSnapshot], None]


def ignore(_snapshot: TaskSnapshot) -> None:
    """Show nothing of a task that is followed."""


class Outcome(NamedTuple):
    """Whether the call may have changed the task, and the task as it was read last."""

    changed: bool
    snapshot: TaskSnapshot


class Control:
    """The calls that read and stop one task. All raise AemError; its ``changed`` says whether they may have."""

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
                from .failures import server_timeout  # late: only a failure needs it

                raise server_timeout(self._task, "StopTask", answer)
            return Outcome(True, self._follow(is_done, STOP_TIMEOUT, answer))
        snapshot = snapshot_in(answer)
        if snapshot.message or snapshot.state not in ("STOPPED", STOPPING):
            from .failures import not_a_success  # likewise

            raise not_a_success(self._task, "after StopTask", snapshot, changed=snapshot.state not in ACTIVE)
        if snapshot.state == STOPPING or operation.wait:
            snapshot = self._follow(is_done, STOP_TIMEOUT)
        return Outcome(True, snapshot)

    @property
    def _is_followed(self) -> bool:
        return self._operation.wait or self._operation.makes_tables

    def _look(self) -> TaskSnapshot:
        """Read a task that is followed."""
        snapshot = self.read() if self._operation.wait_for == RUNNING else self.read_with_reason()
        self._watch(snapshot)
        return snapshot

    def watch(self, snapshot: TaskSnapshot) -> TaskSnapshot:
        """Return the task, which needs no call, once it is where it should be: somebody else may have just moved it."""
        return snapshot if self._is_stopped(snapshot) else self._follow(self._is_stopped, STOP_TIMEOUT)

    def _is_stopped(self, snapshot: TaskSnapshot) -> bool:
        return snapshot.is_at_rest if self._operation.wait else snapshot.is_stopped

    def _read_effect(self, lost: TransportError, shows_effect: Callable[[TaskSnapshot], bool]) -> TaskSnapshot:
        """Decide by reading what became of a call whose answer was lost: return the task once it ``shows_effect``.

        Raises ``lost`` if nothing of the call left, or if it shows no effect in time.
        """
        if not lost.sent:
            raise lost
        from .._common.lost_answers import hint_after  # likewise

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
            from .failures import stuck  # likewise

            raise stuck(self._task, self._operation, over, code, answer) from over


def snapshot_in(answer: Answer) -> TaskSnapshot:
    """Return the task that the answer to StopTask or RunTask shows."""
    return TaskSnapshot(state_of(answer.body["state"]), message=str(answer.body.get("error_message") or ""))
