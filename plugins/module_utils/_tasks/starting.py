# Copyright (c) 2026, dataops.qlik_em contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is private to the collection.

"""Starting one task, followed to its end: time-outs, transient states, lost answers, runs of somebody else."""

from __future__ import annotations

from collections.abc import Callable

from .._client.calls import Answer
from .._client.errors import AemError, ApiError, TransportError, WaitError
from .._common.wait import TimedOut, wait_until
from .control import Control, Outcome, snapshot_in
from .failures import limit_of, not_a_success, server_timeout, stuck
from .goals import Goal, check_possible, load_times
from .model import ACTIVE, RUN_TIMEOUT, STARTING, STOP_TIMEOUT, STOPPING, TaskSnapshot, is_old_compose
from .operation import RESUME, RUNNING

# Assumed, by analogy with StopTask (docs/enterprise_manager_api.md, 6.12).
ALREADY_RUNNING = "AEM_TASK_ALREADY_RUNNING"
NO_OPTION = "NONE"  # that of Compose until November 2023 (docs/enterprise_manager_api.md, 5.6)


class Start(Control):
    """The calls that start one task, and may stop it first. They raise as those of Control."""

    def check(self, current: TaskSnapshot | None) -> None:
        """Raise AemError, before anything is sent, for what this task (None: not read yet) cannot do."""
        if self._operation.is_for_replicate:
            shown = check_possible(self._task, self._operation, current, self.read)
            if self._operation.state == "started":
                self._check_run_in_progress(shown)

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
                raise server_timeout(self._task, "RunTask", answer)
            return Outcome(True, self._follow(is_done, RUN_TIMEOUT, answer))
        return Outcome(True, self._follow_run(before, snapshot_in(answer)))

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

    def watch(self, snapshot: TaskSnapshot) -> TaskSnapshot:
        """Return the task, which needs no call, once it is where it should be: somebody else may have just moved it."""
        is_done = self._start_check(snapshot, has_begun=True, is_sent=False)
        return snapshot if is_done(snapshot) else self._follow(is_done, RUN_TIMEOUT)

    def _follow_run(self, before: TaskSnapshot, snapshot: TaskSnapshot) -> TaskSnapshot:
        """Return the task once it is started, after a RunTask that the server answered with ``snapshot``."""
        is_done = self._start_check(before, has_begun=True)
        if snapshot.is_stopped and not snapshot.message:
            snapshot = self._look()
            if self._goal().is_ended_well(snapshot):
                return snapshot
        if snapshot.message or snapshot.state not in (*ACTIVE, STARTING):
            changed = self._operation.makes_tables or snapshot.state != before.state
            raise not_a_success(self._task, "after RunTask", snapshot, changed)
        return self._follow(is_done, RUN_TIMEOUT) if snapshot.state == STARTING or self._is_followed else snapshot

    def _goal(self) -> Goal:
        return Goal(self._api, self._task, self._operation)

    def _load_times(self) -> list[str]:
        return load_times(self._api, self._task)

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
            self._check_run_in_progress(snapshot)
            return snapshot.is_stopped

        try:
            return wait_until(self._api, self._look, has_ended, *self._operation.waiting)
        except TimedOut as over:
            if over.trouble or not over.last:
                raise stuck(self._task, self._operation, over, RUN_TIMEOUT, None) from over
            raise self._other_run(over.last, f" after {limit_of(self._operation)}") from over

    def _check_run_in_progress(self, snapshot: TaskSnapshot) -> None:
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
                raise not_a_success(self._task, "after RunTask" if is_sent else "now", snapshot)
            return False

        return is_done


def _has_moved(before: TaskSnapshot, snapshot: TaskSnapshot) -> bool:
    """Return whether a task shows that something has happened to it; what was not read shows nothing."""
    pairs = ((before.stop_reason, snapshot.stop_reason), (before.message, snapshot.message))
    return snapshot.state != before.state or any(None not in pair and pair[0] != pair[1] for pair in pairs)
