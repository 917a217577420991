# Copyright (c) 2026, dataops.qlik_em contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is private to the collection.

"""Putting an estate back as it was before a plan was applied, in part or as a whole.

An import cannot remove what another one has added (docs/enterprise_manager_api.md, 9.7). Settings of an endpoint are
removed by PatchEndpoint, tables of a task by PutTaskTableSelection. What then is left of a task is removed only by
deleting it and importing it anew, which loses how far it has read (9.21): that needs ``force``.
"""

from __future__ import annotations

import functools

from .._client.api import Json
from .._client.errors import AemError
from .._definitions.diff import leaves
from .._definitions.model import names
from .._tasks.model import TaskName
from .model import ACL, ENDPOINTS, SCHEDULES, TASKS, Estate, ObjectKey, plain_item
from .plan import difference, document_of, fingerprint
from .run_state import Before, Left, RunState
from .writing import Writer


class BackOut:
    """One back-out of ``run``; ``before`` is what was there. All methods raise AemError.

    It may be begun again at any time: it decides by what it reads.
    """

    def __init__(self, writer: Writer, run: RunState, before: Before, force: bool) -> None:
        self._writer, self._force = writer, force
        self._run, self._before = _rest(run, before)
        self._left = [(key, text) for key, text in run.left if key not in self._before]

    def run_all(self) -> Left:
        """Put everything back, in the order that is the reverse of the application; return what stays."""
        touched = self._run.touched
        for kind, put_back in (
            (ACL, self._put_back_acl),
            (SCHEDULES, self._put_back_schedules),
            (TASKS, self._put_back_tasks),
            (ENDPOINTS, self._put_back_endpoints),
        ):
            for server in [server for server, one in touched if one == kind]:
                self._writer.await_import(server, functools.partial(self._shows_effect, server, kind))
                put_back(server)
        self._writer.start(self._run.ran, wait=False)  # nor may it have come up before
        return tuple(self._left)

    def _shows_effect(self, server: str, kind: str) -> bool:
        """Return whether an import of a kind has taken effect; it does so as a whole (9.13)."""
        there = self._writer.read(server).objects
        return bool(self._created(server, kind, there) or self._differing(server, kind, there))

    def _keys(self, server: str, kind: str) -> list[ObjectKey]:
        return [key for key in self._before if key.server == server and key.kind == kind]

    def _differing(self, server: str, kind: str, there: Estate) -> Estate:
        """Return what was there of a kind and is another now, or is not there any more."""
        return {
            key: item
            for key, item in ((key, self._before[key]) for key in self._keys(server, kind))
            if item is not None and not _is_same(key, there.get(key), item)
        }

    def _created(self, server: str, kind: str, there: Estate) -> list[ObjectKey]:
        return [key for key in self._keys(server, kind) if self._before[key] is None and key in there]

    def _put_back_acl(self, server: str) -> None:
        (key,) = self._keys(server, ACL)
        there, item = self._writer.read(server).objects.get(key), self._before[key]
        if not _is_same(key, there, item):
            self._writer.put_acl(server, item, lambda _now: None)

    def _put_back_schedules(self, server: str) -> None:
        there = self._writer.read(server)
        wanted = self._differing(server, SCHEDULES, there.objects)
        for key in self._created(server, SCHEDULES, there.objects):
            self._left.append((key, f"the {key.text} is new and cannot be removed; it is disabled"))
            job = {**there.objects[key], "enabled": False}
            if there.objects[key] != job:
                wanted[key] = job
        if wanted:
            self._writer.send(server, SCHEDULES, wanted, there)
        self._note_left(server, SCHEDULES)

    def _put_back_tasks(self, server: str) -> None:
        writer = self._writer
        there = writer.read(server)
        created, wanted = self._created(server, TASKS, there.objects), self._differing(server, TASKS, there.objects)
        tasks = {TaskName(key.server, key.name) for key in (*created, *wanted)}
        writer.stop(job for task, job in writer.moving([server]).items() if task in tasks)
        for key in created:
            writer.delete_task(server, key.name)
        if not wanted:
            return
        changed = {key: item for key, item in wanted.items() if _needs_import(key, there.objects.get(key), item)}
        if changed:
            writer.send(server, TASKS, changed, there)
        there = writer.read(server)
        for key, item in self._differing(server, TASKS, there.objects).items():
            writer.restore_selection(key, item)
        there = writer.read(server)
        wanted = self._differing(server, TASKS, there.objects)
        if wanted and self._force:
            for key in wanted:
                writer.delete_task(server, key.name)
            writer.send(server, TASKS, wanted, writer.read(server))
        self._note_left(server, TASKS)

    def _put_back_endpoints(self, server: str) -> None:
        writer = self._writer
        there = writer.read(server)
        wanted = self._differing(server, ENDPOINTS, there.objects)
        if wanted:  # whether its secrets are those of before does not show: they are sent, as they were exported
            writer.send(server, ENDPOINTS, wanted, there, always=True)
        for key, item in wanted.items():
            if key in there.objects:
                writer.remove_settings(key, there.objects[key], item)
        writer.delete_endpoints(server, [key.name for key in self._created(server, ENDPOINTS, there.objects)])
        self._note_left(server, ENDPOINTS)

    def _note_left(self, server: str, kind: str) -> None:
        """Note what is not as it was, and raise AemError if that is not because an import cannot remove it."""
        there = self._writer.read(server).objects
        for key, item in self._differing(server, kind, there).items():
            if key not in there or _needs_import(key, there[key], item):
                raise AemError(f"The {key.text} could not be put back.")
            kept, old = (leaves(document_of(key, plain_item(key, one))) for one in (there[key], item))
            places = names(where for where, value in kept.items() if old.get(where) != value)
            more = (
                " (state: backed_out with force: true removes that, too)" if kind == TASKS and not self._force else ""
            )
            self._left.append((key, f"the {key.text} keeps {places}{more}"))


def _rest(run: RunState, before: Before) -> tuple[RunState, Before]:
    """Return what is to be put back: all, or of a run that was backed out before the tasks that kept something."""
    if not run.left:
        return run, before
    kept = {TaskName(key.server, key.name) for key in run.kept}
    touched = tuple((server, TASKS) for server in sorted({task.server for task in kept}))
    rest = run._replace(touched=touched, ran=tuple(task for task in run.ran if task in kept))
    return rest, {key: before[key] for key in run.kept}


def _is_same(key: ObjectKey, one: Json | None, other: Json | None) -> bool:
    """Return whether two documents mean the same, but for secrets."""
    plain = [plain_item(key, item) if item is not None else None for item in (one, other)]
    return fingerprint(key, plain[0]) == fingerprint(key, plain[1])


def _needs_import(key: ObjectKey, there: Json | None, item: Json) -> bool:
    """Return whether an import of ``item`` would change something; without it, only what it cannot remove differs."""
    plain = plain_item(key, there) if there is not None else None
    return bool(difference(key, plain, plain_item(key, item)).changes)
