# Copyright (c) 2026, dataops.qlik_em contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is private to the collection.

"""Replacing a task: it is deleted and imported anew, because an import cannot remove anything. None gets lost.

How far it had read is lost (docs/enterprise_manager_api.md, 9.21). The new definition is tried under a temporary name
before the task is touched. If it is refused all the same, the old one is put back. A note in ``backup_dir`` says how
far a run has come that was killed; the next run of the same task reads it, and decides from what is really there.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator, Mapping
from typing import Any

from .._client.api import DEFINITION, Json
from .._client.errors import AemError, ApiError, Interrupted, sentence
from .._common.files import locked
from .._common.times import now
from .._definitions import diff as definition_diff
from .._definitions.document import names_in
from .._definitions.importing import Import
from .._definitions.model import without_counted
from .model import STARTING, STOPPING, TaskSnapshot
from .note import OPTION, Note, back_up, note_path, read_backup, read_note, remove_note, write_note
from .preflight import ServerEndpoints
from .task_change import NOT_THERE, TaskChange
from .temporary import Leftover, delete_unused, report_left_behind
from .trial import REMEDY, Trial, delete_earlier_trials

AGAIN = "Run this again, with the same backup_dir: it continues where the last run stopped."


class Replacement:
    """One replacement of a task, or the end of one that was killed; ``note`` is what that one has left.

    ``before`` is the definition that is there (empty: no task), ``document`` the new one, ready to be sent by
    ``sending``. All methods raise AemError.
    """

    def __init__(
        self,
        change: TaskChange,
        params: Mapping[str, Any],
        note: Note | None,
        before: Json,
        document: Json,
        sending: Import,
    ) -> None:
        self._api, self._change, self._task, self._params = change.api, change, change.task, params
        self._folder, self._pause = params["backup_dir"], params["wait_sleep"]
        self._before, self._document, self._sending = before, document, sending
        self._found = note
        self._note = note or Note(now(), "")
        self._is_deleted = False  # whether the old task is
        self.warnings: list[str] = []

    @property
    def backup_file(self) -> str:
        """Where the old definition is kept."""
        return self._note.backup_file

    @property
    def lacks_task(self) -> bool:
        """Whether a killed run has deleted the task."""
        return self._note.is_touched and not self._before

    @contextlib.contextmanager
    def alone(self) -> Iterator[None]:
        """Let no other run with this ``backup_dir`` replace the task; raise AemError if one does, or just did."""
        with locked(OPTION, note_path(self._folder, self._task), keep=False):
            if read_note(self._folder, self._task, self._api.client.address) != self._found:
                raise AemError(f"Another run has replaced the {self._task.subject} in the meantime.", "Run this again.")
            yield

    def replace(self, owed: bool, listed: ServerEndpoints) -> TaskSnapshot:
        """Replace the task; with ``owed``, a killed run has stopped it. Return it as it is then."""
        try:
            backup_file = back_up(self._before, self._folder, self._task)
            self._keep(backup_file=backup_file, is_touched=owed, was_active=owed)
            self._try_out(listed)
            current = self._look_again()
            self._keep(is_touched=True, was_active=owed or current.is_active)
        except AemError as error:
            self._leave(error, owed)
            raise
        try:
            self._change.stop(current)
            with self._api.client.interrupt.deferred():
                self._change.delete(with_logs=False)
                self._is_deleted = True
                self._import()
        except AemError as error:
            self._recover(error)
            raise
        return self.end(self._note.was_active)

    def import_again(self) -> TaskSnapshot:
        """Import the task, which a killed run has deleted. Return it as it is then."""
        self._is_deleted = True
        try:
            with self._api.client.interrupt.deferred():
                self._import()
        except AemError as error:
            self._recover(error)
            raise
        return self.end(self._note.was_active)

    def end(self, start: bool) -> TaskSnapshot:
        """Start the task, which is as wanted, if it is to be, and remove the note. Return the task."""
        try:
            current = self._change.start() if start else self._change.read()
        except AemError as error:
            error.changed = error.changed or self._is_deleted
            state = "was not started again" if start else "cannot be read"
            error.message = f"The {self._task.subject} has its new definition, but {state}. {error.message}"
            self._name_backup(error)
            raise
        try:
            if self._found:
                self.warnings += delete_earlier_trials(self._api, self._task)
                unused = set(self._note.new_endpoints) - set(names_in(self._document, "databases"))
                delete_unused(self._api, self._task.server, sorted(unused), 0, self._pause)  # one in use stays
            remove_note(self._folder, self._task)
        except AemError as trouble:
            self.warnings.append(f"{trouble.message} The next run of the task cleans up.")
        return current

    def _keep(self, **changes: Any) -> None:
        self._note = self._note._replace(**changes)
        write_note(self._folder, self._task, self._api.client.address, self._note)

    def _import(self) -> None:
        self.warnings += self._sending.send(
            self._document, self._task.subject, lambda whole: self._api.import_task(*self._task, whole)
        )

    # Before the task is touched

    def _try_out(self, listed: ServerEndpoints) -> None:
        """Import the new definition under another name, unless it is not known which of its endpoints are new."""
        self.warnings += delete_earlier_trials(self._api, self._task)
        given = set(names_in(self._document, "databases"))
        there = set(names_in(self._before, "databases"))
        if given - there:
            found = listed.names()
            if found is None:
                self.warnings.append(
                    "The definition was not tried under a temporary name first: it could not be read which of its "
                    f"endpoints are new. {listed.refusal}"
                )
                return
            there = found
        self._keep(new_endpoints=tuple(sorted((given - there) | set(self._note.new_endpoints))))
        try:
            trial = Trial(self._api, self._params, self._task, self._document, self._note.new_endpoints)
            self.warnings += trial.run()
        except AemError as error:
            what = "was refused by the server" if isinstance(error, ApiError) else "failed"
            error.message = f"A trial of the new definition, under a temporary name, {what}: {error.message}"
            raise

    def _look_again(self) -> TaskSnapshot:
        """Return the task as it is; raise AemError if somebody has changed it meanwhile, or it may not be stopped."""
        current = self._change.read()
        with_endpoints = bool(self._document[DEFINITION].get("databases"))
        now, before = without_counted(self._change.export(with_endpoints)), without_counted(self._before)
        if current is NOT_THERE or not definition_diff.is_same(now, before):
            raise AemError("Somebody has changed the task in the meantime.", "Run this again.")
        self._change.check_stop(current, "changed")
        return current

    def _leave(self, error: AemError, owed: bool) -> None:
        """Say in a failure that the task was not touched; start one that a killed run has stopped."""
        text = f"The {self._task.subject} was not touched."
        error.changed = bool(error.changed)  # a trial that went well was taken back, and one that did not says so
        is_clean = "left_behind" not in error.facts and self._remove_new_endpoints(error)
        try:
            if owed:
                self._change.start()
                error.changed = True
                text = (
                    f"The {self._task.subject}, which the run of {self._note.since} had stopped, is running again as "
                    "before."
                )
            elif not isinstance(error, Interrupted) and self._change.read().is_active:
                text = f"The {self._task.subject} was not touched and is still running."
            if is_clean:
                remove_note(self._folder, self._task)
                with contextlib.suppress(OSError):
                    os.unlink(self._note.backup_file)
        except AemError as trouble:
            text += f" {trouble.message}"
        error.message = f"{sentence(error.message)} {text}"

    # After it was

    def _recover(self, error: AemError) -> None:
        """Make the task be as it was, or say in the failure that this did not succeed, and what to do."""
        error.changed = True
        try:
            if isinstance(error, Interrupted) and not self._is_deleted:
                state, is_clean = f"The {self._task.subject} may be stopped. {AGAIN}", False
            else:
                state, is_clean = self._put_back(error)
            if is_clean:
                remove_note(self._folder, self._task)
        except AemError as trouble:
            state = f"The old definition could not be put back: {sentence(trouble.message)} {AGAIN}"
        error.message = f"{sentence(error.message)} {state}"
        self._name_backup(error)

    def _put_back(self, error: AemError) -> tuple[str, bool]:
        """Return what is the case then, and whether nothing is left to do."""
        with self._api.client.interrupt.deferred():
            current = self._change.read()
            if current is NOT_THERE:
                self._import_old()
        if current is NOT_THERE:
            place = "The old definition is in place again"
        elif self._is_deleted:
            return f"The task seems to have its new definition, and was not started. {AGAIN}", False
        else:
            place = "The old definition is in place"
        if current.state in (STARTING, STOPPING):
            return f"{place}, and the task is {current.state}. {AGAIN}", False
        if self._note.was_active and not current.is_active:
            try:
                self._change.start()
            except AemError as trouble:
                return f"{place}, but the task could not be started: {sentence(trouble.message)} {AGAIN}", False
        is_clean = self._remove_new_endpoints(error)
        return f"{place} and the task is {'running' if self._note.was_active else 'stopped'} as before.", is_clean

    def _import_old(self) -> None:
        """Import the old task; its endpoints are there, and so are their secrets, so that none is sent."""
        old = self._before or read_backup(self._note.backup_file)
        old = {**old, DEFINITION: {"tasks": old[DEFINITION]["tasks"]}}

        def read() -> definition_diff.Leaves:
            return definition_diff.leaves(self._change.export(with_endpoints=False))

        Import(self._api, self._params, read, definition_diff.leaves(without_counted(old))).send(
            old, self._task.subject, lambda whole: self._api.import_task(*self._task, whole)
        )

    def _remove_new_endpoints(self, error: AemError) -> bool:
        """Delete the endpoints that came for the new definition; return whether none is left."""
        names = self._note.new_endpoints
        if not names:
            return True
        lag = self._api.client.limits.import_lag
        with self._api.client.interrupt.deferred():
            try:
                there = ServerEndpoints(self._api, self._task.server).names()
            except AemError as trouble:
                left = [Leftover("endpoint", name, trouble.message) for name in names]
            else:
                found = [name for name in names if there is None or name in there]
                left = delete_unused(self._api, self._task.server, found, lag, self._pause)
        report_left_behind(error, self._task.server, left, REMEDY)
        error.changed = error.changed or bool(left)
        return not left

    def _name_backup(self, error: AemError) -> None:
        error.message = f"{sentence(error.message)} The old definition is kept in {self.backup_file}."
        error.facts["backup_file"] = self.backup_file
