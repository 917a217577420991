# Copyright (c) 2026, dataops.qlik_em contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is private to the collection.

"""Restarting sick tasks: look, decide by the policy, note each restart, send it."""

from __future__ import annotations

import functools
import time
from collections.abc import Mapping, Sequence
from typing import Any

from .._client.api import Api
from .._client.calls import Answer
from .._client.checks import check_characters, check_count, check_seconds
from .._client.client import Client
from .._client.errors import AemError, InputError
from .._common.clock import server_time
from .._common.parallel import map_parallel
from .._common.patterns import SkippedServers
from .._common.wait import check_waiting
from .._run.result import Mode, Result
from .._tasks.counters import is_loading
from .._tasks.latency import Latency, total_latency
from .._tasks.model import TASK_NOT_FOUND, TaskName, snapshot_of
from .._tasks.operation import Operation, check_timeout
from .._tasks.stop_policy import StopPolicy
from .batch import NO_SELECTOR, read_selection
from .fleet import Fleet, Job
from .heal_memory import MemoryStore
from .heal_report import Outcome
from .heal_windows import Windows
from .healing import DAY, Plan, Policy, Seen, decide, noted
from .journal import JournalState
from .options import check_limits, selectors_option
from .results import result_options, with_results
from .selection import Listed, Selectors, read_selectors

MOST_RESTARTS = 100
LONGEST_PERIOD = 30 * DAY
SICK_STATES = ["error", "stopped"]
NEXT_RUN = "They count as restarts. The next run tries again, as the policy allows."
NONE_RELEASED = "release selects no task in quarantine: nothing was released."


def heal_options() -> dict[str, Any]:
    """Return the spec of the options, beside those of a wait."""
    return {
        "mode": {"type": "str", "choices": ["report", "heal"], "default": "report"},
        **{option: _selectors_option() for option in ("include", "exclude", "release")},
        "sick_states": {"type": "list", "elements": "str", "choices": SICK_STATES, "default": ["error"]},
        "max_latency": {"type": "int"},
        "max_restarts": {"type": "int", "default": 5},
        "within": {"type": "int", "default": DAY},
        "never_if": {
            "type": "dict",
            "options": {member: {"type": "list", "elements": "str"} for member in ("messages", "stop_reasons")},
        },
        "windows": {"type": "list", "elements": "path"},
        "state_file": {"type": "path"},
        "memory": {"type": "dict"},
        "on_server_error": {"type": "str", "choices": ["fail", "skip"], "default": "skip"},
        "allow_empty": {"type": "bool", "default": False},
        "parallel": {"type": "int", "default": 10},
        "parallel_per_server": {"type": "int"},
        "max_failures": {"type": "int"},
        "timeout": {"type": "int", "default": 60},
        **result_options(),
    }


def _selectors_option() -> dict[str, Any]:
    """Return the spec of an option that selects tasks in whatever state: the policy says which state is sick."""
    option = selectors_option()
    del option["options"]["state"]
    return option


def check_policy(params: Mapping[str, Any]) -> Policy:
    """Return the checked policy; raise InputError."""
    check_count("max_restarts", params["max_restarts"], MOST_RESTARTS)
    check_count("within", params["within"], LONGEST_PERIOD)
    limit, never = params["max_latency"], params["never_if"] or {}
    texts = {
        member: [check_characters(f"{member} in never_if", text) for text in never.get(member) or ()]
        for member in ("messages", "stop_reasons")
    }
    if not all(text.strip() for text in texts["messages"]):
        raise InputError('An empty string in never_if.messages would match every message: write "*" for that.')
    return Policy(
        frozenset(state.upper() for state in params["sick_states"]),
        None if limit is None else check_seconds("max_latency", limit),
        params["max_restarts"],
        params["within"],
        tuple(texts["messages"]),
        frozenset(text.upper() for text in texts["stop_reasons"]),
    )


def ensure(api: Api, params: Mapping[str, Any], mode: Mode) -> Result:
    """Restart the selected tasks that are sick, as the policy allows; with ``mode: report`` say what that would be.

    Raises AemError, with the rows, if a restart failed, when all that runs has ended.
    """
    return with_results(api, params, mode, lambda: Healing(api, params, mode).run())


class Healing:
    """One run with these options; raises InputError for what can be seen to be wrong in them."""

    def __init__(self, api: Api, params: Mapping[str, Any], mode: Mode) -> None:
        self._api, self._params, self._mode = api, params, mode
        self._policy, self._limits = check_policy(params), check_limits(params)
        self._timeout, self._waiting = check_timeout(params), check_waiting(params)
        self._is_report = params["mode"] == "report"
        path, given = params["state_file"], params["memory"]
        if path and given is not None:
            raise InputError("Only one of state_file and memory may be given.")
        if not (self._is_report or path or given is not None):
            raise InputError(
                "mode: heal needs state_file: without it, no run would know of earlier restarts, and a task could be "
                "restarted without end.",
                "In a workflow whose nodes share no files, pass the memory that the previous node returned (memory), "
                "and {} to the first node.",
            )
        for option in ("include", "exclude"):
            read_selectors(option, params[option])
        if not params["include"]:
            raise InputError(NO_SELECTOR)
        self._release = read_selectors("release", params["release"])
        self._store = MemoryStore(path, given, api.client.address, mode.check or self._is_report)
        self._windows = Windows(params["windows"] or (), api.client.address)
        self._store.load()

    def run(self) -> Result:
        """Look, decide, restart. Raises AemError with the rows."""
        is_real = not (self._is_report or self._mode.check)
        with self._store.alone():
            memory = self._store.load()
            as_of = time.monotonic()
            selection = read_selection(self._api, self._params, self._limits)
            self._windows.refresh()
            now = server_time(self._api.client)
            plan = decide(self._policy, memory, self._look(selection.tasks, now), now)
            outcome = Outcome(plan, len(selection.tasks))
            warnings = selection.warnings + self._unreleased(plan)
            try:
                if is_real:
                    self._store.save(plan.memory)
                    self._restart(outcome, selection.tasks, as_of)
                else:
                    outcome.foresee(is_changed=not self._is_report)
                if outcome.failures:
                    raise AemError(f"{outcome.counts()['failed']} of {len(outcome.due)} restarts failed.", NEXT_RUN)
            except AemError as failure:
                failure.facts.update(self._facts(outcome, selection.skipped), diff=outcome.diff())
                failure.lines, failure.changed = outcome.failures, outcome.is_changed
                failure.warnings += [*warnings, *outcome.warnings(), *self._store.warnings]
                raise
        return Result(
            outcome.is_changed and not self._is_report,
            self._facts(outcome, selection.skipped),
            None if self._is_report else outcome.diff(),
            [*warnings, *outcome.warnings(), *self._store.warnings],
        )

    def _unreleased(self, plan: Plan) -> list[str]:
        """Return a warning if release was given and no task was in quarantine."""
        return [NONE_RELEASED] if self._release and not plan.released else []

    def _look(self, tasks: Sequence[Listed], now: int) -> list[Seen]:
        """Return the tasks as they are. The latency is read of those that run, if it matters."""
        release = Selectors(self._release)
        seen = [Seen(one.task, one.snapshot, self._windows.of(one, now), None, release.select(one)) for one in tasks]
        if self._policy.max_latency is None:
            return seen
        run_all = functools.partial(
            map_parallel, parallel=self._limits.parallel, abandon=self._api.client.interrupt.abandon
        )
        running = [one.task for one in seen if one.snapshot.state == "RUNNING" and not one.window]
        latencies = dict(zip(running, run_all(self._latency, running)))
        return [one._replace(latency=latencies.get(one.task)) for one in seen]

    def _latency(self, task: TaskName) -> Latency | None:
        """Return how late a task is; not known while it loads tables, when a restart would do harm."""
        details = self._api.get_task_details(*task, accept=(TASK_NOT_FOUND,))
        if not details or snapshot_of(details).state != "RUNNING":
            return Latency(None, "not RUNNING any more")
        return Latency(None, "it loads tables") if is_loading(details) else total_latency(details)

    def _restart(self, outcome: Outcome, tasks: Sequence[Listed], as_of: float) -> None:
        """Send the restarts; each is remembered before. Raises what ends the run early, with the rows."""
        listed = {one.task: one for one in tasks}
        api = RememberingApi(self._api.client, self._store, self._windows, listed)
        jobs = [self._job(listed[decision.task], as_of) for decision in outcome.due]
        fleet = Fleet(api, self._mode, self._limits, StopPolicy(), JournalState(), None)
        try:
            views = [row.view() for row in fleet.run([jobs], "healed")]
        except AemError as failure:
            outcome.take(failure.facts.get("tasks", ()), api.in_window)
            raise
        outcome.take(views, api.in_window)
        # These were seen to run, or to have done so. What another failure has left, the next run sees.
        self._store.finish(
            TaskName(one["server"], one["name"]) for one in views if not one["failed"] or one["after"] == "ERROR"
        )

    def _job(self, listed: Listed, as_of: float) -> Job:
        """Return the restart of a task. One that is stopped already is started, if nobody has done so meanwhile."""
        state = "started" if listed.snapshot.is_stopped else "restarted"
        # Followed until its process is up: a stop that takes long must not leave it stopped.
        return Job(listed.task, Operation(state, self._timeout, True, self._waiting), listed.snapshot, as_of)

    def _facts(self, outcome: Outcome, skipped: SkippedServers) -> dict[str, Any]:
        """Return the members of a result and of a failure."""
        return {
            "tasks": outcome.views,
            "counts": outcome.counts(),
            "report": outcome.report(),
            "released": outcome.released,
            "skipped_servers": skipped.rows,
            **({"memory": self._store.document()} if self._params["memory"] is not None else {}),
        }


class RememberingApi(Api):
    """The API, which remembers a restart before it sends the first call of it, unless a window has begun meanwhile.

    ``in_window`` are the tasks that were left alone for that. Safe for threads.
    """

    def __init__(self, client: Client, store: MemoryStore, windows: Windows, listed: Mapping[TaskName, Listed]) -> None:
        super().__init__(client)
        self._store, self._windows, self._listed = store, windows, listed
        self._begun: set[TaskName] = set()
        self.in_window: dict[TaskName, str] = {}

    def run_task(
        self, server: str, task: str, option: str, timeout: int, cdc_position: str | None, accept: tuple[str, ...]
    ) -> Answer:
        """RunTask, as ``Api.run_task``."""
        self._remember(TaskName(server, task), is_stop=False)
        return super().run_task(server, task, option, timeout, cdc_position, accept)

    def stop_task(self, server: str, task: str, timeout: int, accept: tuple[str, ...]) -> Answer:
        """StopTask, as ``Api.stop_task``."""
        self._remember(TaskName(server, task), is_stop=True)
        return super().stop_task(server, task, timeout, accept)

    def _remember(self, task: TaskName, is_stop: bool) -> None:
        """Remember a restart, once. Raises AemError if it must not be sent."""
        if task in self._begun:
            return
        now = server_time(self.client)
        self._windows.refresh()
        window = self._windows.of(self._listed[task], now)
        if window:
            self.in_window[task] = window
            raise AemError(f"{window} is open.")
        self._store.note(task, noted(self._store.record(task), now, is_stop))
        self._begun.add(task)
