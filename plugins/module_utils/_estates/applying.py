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
from .._client.errors import AemError, InputError, Interrupted, LoginRefused, sentence
from .._client.nearest import did_you_mean
from .._client.redaction import secret_texts
from .._common.parallel import map_parallel
from .._common.rows import first
from .._definitions.document import endpoints_used
from .._endpoints import connection_test
from .._fleets.journal import Journal, open_journal
from .._run.result import Mode, Result
from .._tasks.model import TaskName
from . import plan_file
from .back_out import BackOut
from .model import ACL, ENDPOINTS, SCHEDULES, TASKS, Estate, ObjectKey, plain, plain_item
from .plan import CREATE, DELETE, Plan, Step, difference, fingerprint
from .planning import Situation, check_options, diff_of, is_deleting, planned, result_of, situation
from .run_state import APPLIED, BACKED_OUT, BACKING_OUT, RunState, RunStore
from .writing import Writer

TEST_TIMEOUT = 60  # seconds of TestEndpoint
AGAIN = "Run this again: it goes on from what is there. To take back what was done instead, use state: backed_out."


def applied(api: Api, params: Mapping[str, Any], mode: Mode) -> Result:
    """Make the servers be as the plan says, and as they were if that fails. Raises AemError."""
    if mode.check:
        return planned(api, params, mode)
    check_options(params)
    store = RunStore(params["plan"], api.client.address)
    with store.alone():
        run = store.load()
        if run and run.phase == BACKING_OUT:
            left = back_out(api, store, run, params, mode)
            raise _backed_out(AemError(f"The run of {run.since} had failed, and ended while it put back."), left, True)
        file = plan_file.load(store.plan, api.client.address)
        if run and run.is_open:
            now = situation(api, params, rules=None)
            desired = with_secrets(api, _still_desired(run, file.plan, now), params["secrets"] or {})
            _check_secrets([step for step in file.plan.steps if step.key not in now.current], desired)
            return _apply(api, store, run, file.plan, desired, params, mode)
        now = situation(api, params, rules=None)
        todo = now.plan(is_deleting(params))
        if not todo.steps:
            _check_deletions(file.plan, todo, now.current, params)
            return Result(False, result_of(file.plan, ()), None, now.warnings)
        _check(file.plan, todo, params)
        desired = with_secrets(api, now.desired, params["secrets"] or {})
        _check_secrets(todo.steps, desired)
        before = {step.key: now.current.get(step.key) for step in todo.steps}
        ran = tuple(TaskName(step.key.server, step.key.name) for step in todo.steps if step.stops)
        run = store.begin(todo.fingerprint, ran, before)
        return _apply(api, store, run, todo, desired, params, mode)


def backed_out(api: Api, params: Mapping[str, Any], mode: Mode) -> Result:
    """Put back what the last run of the plan has changed, whether it came to its end or not. Raises AemError."""
    check_options(params)
    store = RunStore(params["plan"], api.client.address)
    with store.alone():
        run = store.load()
        if run is None:
            plan_file.load(
                store.plan, api.client.address
            )  # one that was misspelt must not look as if it was taken back
        if run is None or run.phase == BACKED_OUT:
            return Result(False, {"left": [], "back_out": BACKED_OUT if run else "nothing"})
        if mode.check:
            return Result(True, {"left": [], "back_out": run.phase})
        left = back_out(api, store, run, params, mode)
        return Result(
            True, {"left": left, "back_out": BACKED_OUT}, None, first([f"Not put back: {one}." for one in left])
        )


def back_out(api: Api, store: RunStore, run: RunState, params: Mapping[str, Any], mode: Mode) -> list[str]:
    """Put back what a run has changed; return what the API cannot put back. Raises AemError."""
    before = store.load_before(run)
    with open_journal(store.journal, api.client.address, f"estate {run.plan}") as journal:
        run = store.save(run._replace(phase=BACKING_OUT))
        left = BackOut(Writer(api, journal, params, mode), run, before, params["force"]).run_all()
        store.save(run._replace(phase=BACKED_OUT))
        journal.note("end")
    return left


def _backed_out(failure: AemError, left: list[str], changed: bool) -> AemError:
    """Return the failure of a run that was backed out."""
    failure.message = f"{sentence(failure.message)} All that was done is put back" + (
        f", but for what the API cannot put back: {'; '.join(first(left))}." if left else ": everything is as it was."
    )
    failure.hint = failure.hint or (
        "Correct the cause, then make the plan again." if left else "Correct the cause, then apply it again."
    )
    failure.facts.update(back_out=BACKED_OUT, left=left)
    failure.changed = changed
    return failure


# Before the first write


def _check(found: Plan, now: Plan, params: Mapping[str, Any]) -> None:
    """Raise AemError if a plan is not the one that would be made now, or deletes what nobody has confirmed."""
    deleted = [step.key for step in found.steps if step.action == DELETE]
    if deleted and not (is_deleting(params) and params["force"]):
        raise InputError(
            f"The plan deletes {len(deleted)} objects, the {deleted[0].text} first: that needs prune: confirm and "
            "force: true. Nothing was done."
        )
    why = plan_file.differing(found, now)
    if why:
        raise AemError(
            f"The plan ({params['plan']}) does not fit any more: {why}. Nothing was done.",
            "Make it again (state: planned), have it approved, then apply it.",
        )


def _check_deletions(found: Plan, now: Plan, current: Estate, params: Mapping[str, Any]) -> None:
    """Raise AemError if nothing is to be done only because what the plan deletes is not to be deleted."""
    if any(step.action == DELETE and step.key in current for step in found.steps):
        _check(found, now, params)


def _still_desired(run: RunState, found: Plan, now: Situation) -> Estate:
    """Return what a run that was killed wanted; raise InputError if the plan or the files are not those of then."""
    wanted = plain(now.desired)
    why = "" if found.fingerprint == run.plan else "the plan is another one now"
    for step in found.steps:
        if step.after != fingerprint(step.key, wanted.get(step.key)):
            why = f"the {step.key.text} was changed in the files or the overlay"
    if why:
        raise InputError(
            f"The run of {run.since} did not come to its end, and {why}. Nothing was done.",
            "Put the files back to go on, or take back what was done: state: backed_out.",
        )
    return now.desired


def with_secrets(api: Api, desired: Estate, secrets: Mapping[str, Any]) -> Estate:
    """Return the estate with the option ``secrets`` laid into the settings of its endpoints.

    Raises InputError for a server or an endpoint that is not wanted: a typing mistake, most likely.
    """
    filled = dict(desired)
    for server, endpoints in secrets.items():
        for name, members in endpoints.items():
            key = ObjectKey(str(server), ENDPOINTS, str(name))
            if key not in desired:
                there = [one for one in desired if one.kind == ENDPOINTS]
                beside = [one.name for one in there if one.server == key.server]
                near = did_you_mean(key.name, beside) if beside else did_you_mean(key.server, [one[0] for one in there])
                raise InputError(f"secrets: there is no {key.text} in the files, after the overlay.", near)
            api.client.hide(secret_texts({"secret": members}))
            item = desired[key]
            filled[key] = {**item, "db_settings": _laid(item.get("db_settings") or {}, members)}
    return filled


def _laid(settings: Json, secrets: Mapping[str, Any]) -> Json:
    result = dict(settings)
    for key, value in secrets.items():
        below = result.get(key)
        result[key] = _laid(below if isinstance(below, dict) else {}, value) if isinstance(value, dict) else value
    return result


def _check_secrets(steps: Iterable[Step], desired: Estate) -> None:
    """Raise InputError for a new object that would come without one of its secrets."""
    for step in steps:
        missing = difference(step.key, None, desired[step.key]).redacted if step.action == CREATE else ()
        if missing:
            raise InputError(
                f"The {step.key.text} is new, and its secrets are not known: {', '.join(missing)}. Nothing was done.",
                "Give them in secrets, by server, endpoint and setting.",
            )


# Doing it


def _apply(
    api: Api, store: RunStore, run: RunState, todo: Plan, desired: Estate, params: Mapping[str, Any], mode: Mode
) -> Result:
    """Do what is not done yet of a plan; if that fails, back out. Raises AemError."""
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
    return Result(True, result_of(todo, todo.steps), diff_of(todo), applying.writer.warnings)


def _put_back(
    failure: AemError, applying: Applying, store: RunStore, journal: Journal, params: Mapping[str, Any], mode: Mode
) -> AemError:
    """Put back what was done; return the failure, which says so."""
    writer = applying.writer
    mode.progress(f"applied: backing out: {failure.message}")
    try:
        run = store.save(applying.run._replace(phase=BACKING_OUT))
        left = BackOut(writer, run, store.load_before(run), params["force"]).run_all()
        store.save(run._replace(phase=BACKED_OUT))
        journal.note("end")
    except AemError as trouble:
        failure.message = (
            f"{sentence(failure.message)} What was done could not be put back yet: {sentence(trouble.message)}"
        )
        failure.hint, failure.changed = "Run this again: it goes on with putting back.", writer.api.has_written
        failure.facts["back_out"] = BACKING_OUT
        return failure
    return _backed_out(failure, left, writer.api.has_written)


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
