# Copyright (c) 2026, dataops.qlik_em contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is private to the collection.

"""Doing exactly what a plan says: all of it, or nothing that stays.

Before the first write, all that the plan changes is kept in a file. What a run that fails has done is put back. After
one that was killed, the next one goes on, or puts back, and decides by what it reads.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from .._client.api import Api, Json
from .._client.errors import AemError, Interrupted, LoginRefused, sentence
from .._common.parallel import map_parallel
from .._common.rows import first
from .._definitions.document import endpoints_used
from .._endpoints import connection_test
from .._fleets.journal import Journal, open_journal
from .._fleets.results import fitting
from .._run.result import Mode, Result
from .._tasks.model import TaskName
from . import plan_file
from .back_out import BackOut
from .deciding import decided
from .model import ACL, ENDPOINTS, SCHEDULES, TASKS, Estate, plain_item
from .plan import DELETE, Plan, Step, difference, fingerprint
from .planning import ROOM, check_options, diff_of, page_path, result_of
from .run_state import APPLIED, BACKED_OUT, BACKING_OUT, Before, RunState, RunStore
from .writing import Writer

TEST_TIMEOUT = 60  # seconds of TestEndpoint
AGAIN = "Run this again: it goes on from what is there. To take back what was done instead, use state: backed_out."


def applied(api: Api, params: Mapping[str, Any], mode: Mode) -> Result:
    """Make the servers be as the plan says, and as they were if that fails. Raises AemError."""
    check_options(params)
    store = RunStore(params["plan"], api.client.address)
    with store.alone():
        run = store.load()
        if run and run.phase == BACKING_OUT:
            raise _went_on_with_putting_back(api, store, run, params, mode)
        file = plan_file.load(store.plan, api.client.address)
        with store.alone_on(step.key.server for step in file.plan.steps):
            todo, desired, current = decided(api, run, file.plan, params)
            about = todo if todo.steps else file.plan
            values = {**result_of(about, todo.steps), "plan": store.plan, "page": page_path(store.plan)}
            if mode.check or not todo.steps:
                return Result(bool(todo.steps), values, diff_of(todo))
            if not (run and run.is_open):
                ran = tuple(TaskName(step.key.server, step.key.name) for step in todo.steps if step.stops)
                run = store.begin(todo.fingerprint, ran, {step.key: current.get(step.key) for step in todo.steps})
            warnings = _apply(api, store, run, todo, desired, params, mode)
            return Result(True, values, diff_of(todo), warnings)


def _went_on_with_putting_back(
    api: Api, store: RunStore, run: RunState, params: Mapping[str, Any], mode: Mode
) -> AemError:
    """Go on with a back-out that was ended early; return the failure of its run. In check mode, only say so."""
    failure = AemError(f"The run of {run.since} had failed, and ended while it put back.")
    run = back_out(api, store, run, params, mode)
    if mode.check:
        failure.message += " The next run goes on with putting back, and fails when it is done."
        failure.facts["back_out"] = BACKING_OUT
        return failure
    return _backed_out(failure, run, True)


def backed_out(api: Api, params: Mapping[str, Any], mode: Mode) -> Result:
    """Put back what the last run of the plan has changed, whether it came to its end or not. Raises AemError.

    After a back-out without force that left something of tasks, ``force`` puts that back, too.
    """
    check_options(params)
    store = RunStore(params["plan"], api.client.address)
    with store.alone():
        run = store.load()
        if run is None:  # a plan that was misspelt must not look as if it was taken back
            plan_file.load(store.plan, api.client.address)
            return Result(False, {"left": [], "truncated": 0, "back_out": "nothing"})
        if run.phase == BACKED_OUT and not (run.kept and params["force"]):
            return Result(False, _shown(run))
        run = back_out(api, store, run, params, mode)
        warnings = [] if mode.check else first([f"Not put back: {one}." for one in run.texts])
        return Result(True, _shown(run), None, warnings)


def back_out(api: Api, store: RunStore, run: RunState, params: Mapping[str, Any], mode: Mode) -> RunState:
    """Put back what a run has changed; return the run, with what the API cannot put back. Raises AemError.

    In check mode nothing is put back, and the run is returned as it is.
    """
    before = store.load_before(run)
    with store.alone_on(key.server for key in before):
        if mode.check:
            return run
        with open_journal(store.journal, api.client.address, f"estate {run.plan}") as journal:
            run = _put_all_back(store, run, before, Writer(api, journal, params, mode), params["force"])
            journal.note("end")
    return run


def _put_all_back(store: RunStore, run: RunState, before: Before, writer: Writer, force: bool) -> RunState:
    run = store.save(run._replace(phase=BACKING_OUT))
    left = BackOut(writer, run, before, force).run_all()
    return store.save(run._replace(phase=BACKED_OUT, left=left))


def _shown(run: RunState) -> dict[str, Any]:
    """Return the members of a result that show how a run was backed out; the file of the run has all that is left."""
    left = fitting(run.texts, ROOM)
    return {"left": left, "truncated": len(run.texts) - len(left), "back_out": run.phase}


def _backed_out(failure: AemError, run: RunState, changed: bool) -> AemError:
    """Return the failure of a run that was backed out."""
    left = run.texts
    failure.message = f"{sentence(failure.message)} All that was done is put back" + (
        f", but for what the API cannot put back: {'; '.join(first(left))}." if left else ": everything is as it was."
    )
    failure.hint = failure.hint or (
        "Correct the cause, then make the plan again." if left else "Correct the cause, then apply it again."
    )
    failure.facts.update(_shown(run))
    failure.changed = changed
    return failure


# Doing it


def _apply(
    api: Api, store: RunStore, run: RunState, todo: Plan, desired: Estate, params: Mapping[str, Any], mode: Mode
) -> list[str]:
    """Do what is not done yet of a plan, and return warnings; if that fails, back out. Raises AemError."""
    with open_journal(store.journal, api.client.address, f"estate {run.plan}") as journal:
        applying = Applying(Writer(api, journal, params, mode), store, run, todo, desired, bool(params["secrets"]))
        try:
            applying.run_all()
        except AemError as failure:
            written = applying.writer.api.has_written
            if isinstance(failure, (Interrupted, LoginRefused)):
                failure.hint, failure.changed = AGAIN, written
                raise
            if not written and not run.touched:  # nothing is to be put back: not by a run before either
                failure.message = f"{sentence(failure.message)} Nothing was changed."
                failure.changed = False
                store.save(applying.run._replace(phase=BACKED_OUT))
                raise
            raise _put_back(failure, applying, store, journal, params, mode) from None
        store.save(applying.run._replace(phase=APPLIED))
        journal.note("end")
    return applying.writer.warnings


def _put_back(
    failure: AemError, applying: Applying, store: RunStore, journal: Journal, params: Mapping[str, Any], mode: Mode
) -> AemError:
    """Put back what was done; return the failure, which says so."""
    writer = applying.writer
    mode.progress(f"applied: backing out: {failure.message}")
    try:
        run = _put_all_back(store, applying.run, store.load_before(applying.run), writer, params["force"])
        journal.note("end")
    except AemError as trouble:
        failure.message = (
            f"{sentence(failure.message)} What was done could not be put back yet: {sentence(trouble.message)}"
        )
        failure.hint, failure.changed = "Run this again: it goes on with putting back.", writer.api.has_written
        failure.facts["back_out"] = BACKING_OUT
        return failure
    return _backed_out(failure, run, writer.api.has_written)


class Applying:
    """One application of a plan. What is as wanted already is not sent again. All methods raise AemError."""

    def __init__(
        self, writer: Writer, store: RunStore, run: RunState, todo: Plan, desired: Estate, has_secrets: bool
    ) -> None:
        self.writer, self.run = writer, run
        self._store, self._plan, self._desired, self._has_secrets = store, todo, desired, has_secrets

    def run_all(self) -> None:
        """Do all steps that are not done yet."""
        for server in self._servers(ENDPOINTS):
            self._import(server, ENDPOINTS)
        self._test_endpoints()
        self._stop()
        for kind in (TASKS, SCHEDULES):
            for server in self._servers(kind):
                self._import(server, kind)
        for server in self._servers(ACL):
            self._put_acl(server)
        deleted = {TaskName(step.key.server, step.key.name) for step in self._steps(TASKS, deletions=True)}
        # A task that does not come up with its new definition gets its old one back.
        self.writer.start((task for task in self.run.ran if task not in deleted), wait=True)
        for kind in (TASKS, ENDPOINTS):
            self._delete(kind)

    def _steps(self, kind: str, server: str | None = None, deletions: bool = False) -> list[Step]:
        return [
            step
            for step in self._plan.steps
            if step.key.kind == kind and server in (None, step.key.server) and (step.action == DELETE) == deletions
        ]

    def _servers(self, kind: str) -> list[str]:
        return list(dict.fromkeys(step.key.server for step in self._steps(kind)))

    def _touch(self, server: str, kind: str) -> None:
        """Note that something may be written: what is noted is put back if this fails."""
        if (server, kind) not in self.run.touched:
            self.run = self._store.save(self.run._replace(touched=(*self.run.touched, (server, kind))))

    def _pending(self, steps: Iterable[Step], there: Estate) -> list[Step]:
        """Return the steps that are not done; raise AemError if an object is neither as before nor as wanted."""
        pending = []
        for step in steps:
            item = there.get(step.key)
            now = plain_item(step.key, item) if item is not None else None
            if now is None and step.action == DELETE:
                continue
            if fingerprint(step.key, now) == step.before:
                pending.append(step)
            elif (
                now is None
                or step.action == DELETE
                or difference(step.key, now, plain_item(step.key, self._desired[step.key])).changes
            ):
                raise AemError(f"The {step.key.text} was changed by somebody else since the plan was made.")
        return pending

    def _import(self, server: str, kind: str) -> None:
        steps = self._steps(kind, server)
        if (server, kind) in self.run.touched:
            self.writer.await_import(server, lambda: not self._pending(steps, self.writer.read(server).objects))
        there = self.writer.read(server)
        pending = self._pending(steps, there.objects)
        if not pending:
            return
        self._touch(server, kind)
        wanted = {step.key: self._desired[step.key] for step in pending}
        self.writer.send(server, kind, wanted, there, always=kind == ENDPOINTS and self._has_secrets)

    def _test_endpoints(self) -> None:
        """Test what was changed, and what the tasks to be changed use."""
        keys = [(step.key.server, step.key.name) for step in self._steps(ENDPOINTS)]
        for step in self._steps(TASKS):
            keys += [(step.key.server, name) for name in sorted(endpoints_used(self._desired[step.key]))]

        def test(pair: tuple[str, str]) -> None:
            options = {"server": pair[0], "name": pair[1], "timeout": TEST_TIMEOUT, "fail_on_error": True}
            connection_test.check(self.writer.api, options, Mode())

        map_parallel(test, dict.fromkeys(keys), self.writer.parallel, self.writer.api.client.interrupt.abandon)

    def _stop(self) -> None:
        """Stop the tasks that are to be changed or deleted, but for those that a run before has done."""
        servers = {task.server for task in self.run.ran}
        moving = self.writer.moving(sorted(servers))
        for server in sorted(servers):
            steps = [*self._steps(TASKS, server), *self._steps(TASKS, server, deletions=True)]
            pending = self._pending(steps, self.writer.read(server).objects)
            # One that somebody has started since is not stopped: nobody would start it again.
            names = {TaskName(step.key.server, step.key.name) for step in pending} & set(self.run.ran)
            moving = {task: job for task, job in moving.items() if task.server != server or task in names}
        self.writer.stop(moving.values())

    def _put_acl(self, server: str) -> None:
        (step,) = self._steps(ACL, server)

        def check(there: Json | None) -> None:
            self._pending([step], {step.key: there} if there is not None else {})

        there = self.writer.read(server).objects
        if self._pending([step], there):
            self._touch(server, ACL)
            self.writer.put_acl(server, self._desired[step.key], check)

    def _delete(self, kind: str) -> None:
        for server in dict.fromkeys(step.key.server for step in self._steps(kind, deletions=True)):
            pending = self._pending(self._steps(kind, server, deletions=True), self.writer.read(server).objects)
            if not pending:
                continue
            self._touch(server, kind)
            if kind == TASKS:
                for step in pending:
                    self.writer.delete_task(server, step.key.name)
            else:
                self.writer.delete_endpoints(server, [step.key.name for step in pending])
