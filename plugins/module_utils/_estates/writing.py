# Copyright (c) 2026, dataops.qlik_em contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is private to the collection.

"""The writes to an estate, each noted in a journal before and after it, and followed until it shows."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

from .._access.acl import NO_ACL
from .._client.api import AclOwner, Api, Json, on_server
from .._client.calls import Answer
from .._client.errors import AemError, ApiError
from .._client.writes import GOES_ON
from .._common.lost_answers import confirm_lost_write, from_the_read
from .._common.wait import check_waiting
from .._definitions import objects
from .._definitions.diff import Leaves, compare, leaves
from .._definitions.importing import Import, ready_to_send
from .._definitions.model import BODY
from .._endpoints.settings import Change
from .._fleets.fleet import Fleet, Job, raise_task_failures
from .._fleets.journal import Journal, JournaledApi
from .._fleets.options import FleetLimits
from .._fleets.selection import list_tasks
from .._run.result import Mode
from .._tables.selection import LISTS
from .._tasks.model import MOVING, TASK_NOT_FOUND, TaskName
from .._tasks.operation import Operation
from .._tasks.stop_policy import StopPolicy
from .._tasks.temporary import delete_unused
from .model import ACL, ENDPOINTS, NO_RULES, SCHEDULES, TASKS, Estate, ObjectKey, definition_of, estate_of
from .plan import acl_leaves
from .reading import Reading, read_server

IMPORT = "ImportAll"
MEMBERS = {ENDPOINTS: "databases", TASKS: "tasks", SCHEDULES: "scheduler"}


class EstateApi(JournaledApi):
    """The API, with a line in the journal before and after each write to an estate. Safe for threads.

    ``has_written`` is whether one may have been done.
    """

    has_written = False

    @contextlib.contextmanager
    def noted(self, call: str, server: str, name: str, timeout: int, **more: Any) -> Iterator[dict[str, Any]]:
        """Note a call before and after it, as ``JournaledApi.noted``."""
        try:
            with super().noted(call, server, name, timeout, **more) as about:
                yield about
        except ApiError as error:
            self.has_written |= error.error_code.endswith(GOES_ON)
            raise
        except AemError as error:
            self.has_written |= bool(getattr(error, "sent", False))
            raise
        self.has_written = True

    def import_all(self, server: str, definition: Json) -> None:
        """ImportAll, as ``Api.import_all``."""
        with self.noted(IMPORT, server, "", 0, objects=objects.names_in_kind(definition)):
            super().import_all(server, definition)

    def put_acl(self, owner: AclOwner, acl: Json) -> None:
        """PutServerAcl, as ``Api.put_acl``."""
        with self.noted("PutServerAcl", owner.target.path[1], "", 0):
            super().put_acl(owner, acl)

    def delete_acl(self, owner: AclOwner, accept: tuple[str, ...] = ()) -> Answer:
        """DeleteServerAcl, as ``Api.delete_acl``."""
        with self.noted("DeleteServerAcl", owner.target.path[1], "", 0):
            return super().delete_acl(owner, accept)

    def patch_endpoint(self, server: str, endpoint: str, patch: list[Json]) -> None:
        """PatchEndpoint, as ``Api.patch_endpoint``."""
        with self.noted("PatchEndpoint", server, "", 0, endpoint=endpoint):
            super().patch_endpoint(server, endpoint, patch)

    def put_task_table_selection(self, server: str, task: str, selection: Json) -> None:
        """PutTaskTableSelection, as ``Api.put_task_table_selection``."""
        with self.noted("PutTaskTableSelection", server, "", 0, task=task):
            super().put_task_table_selection(server, task, selection)

    def delete_task(self, server: str, task: str, with_logs: bool, accept: tuple[str, ...] = ()) -> Answer:
        """DeleteTask, as ``Api.delete_task``."""
        with self.noted("DeleteTask", server, "", 0, task=task):
            return super().delete_task(server, task, with_logs, accept)

    def delete_endpoint(self, server: str, endpoint: str, accept: tuple[str, ...] = ()) -> Answer:
        """DeleteEndpoint, as ``Api.delete_endpoint``."""
        with self.noted("DeleteEndpoint", server, "", 0, endpoint=endpoint):
            return super().delete_endpoint(server, endpoint, accept)


class Writer:
    """Writes to the servers, with the options ``params``. All methods raise AemError."""

    def __init__(self, client_api: Api, journal: Journal, params: Mapping[str, Any], mode: Mode) -> None:
        self.api = EstateApi(client_api.client, journal)
        self._journal, self._params, self._mode = journal, params, mode
        self._waiting = check_waiting(params)
        self.warnings: list[str] = []

    @property
    def parallel(self) -> int:
        """How many calls at a time."""
        return int(self._params["parallel"])

    def read(self, server: str) -> Reading:
        """Return what a server has, its secrets as they are exported."""
        return read_server(self.api, server, rules=None)

    # Definitions

    def send(self, server: str, kind: str, wanted: Estate, there: Reading, always: bool = False) -> None:
        """Import objects of one kind into a server and wait until an export shows them.

        ``always``: secrets are sent although they cannot be compared with those that are ``there``.
        """
        member, kinds = MEMBERS[kind], (kind,)
        current = objects.only(definition_of(there.objects, server), kinds)
        given = objects.only(definition_of(wanted, server), kinds)
        label = f'The {kind} of server "{server}"'
        found = compare(label, current, given, NO_RULES, always)
        if not found.changes:
            return
        part = found.document[BODY][member]
        if kind == SCHEDULES:  # the whole list (docs/enterprise_manager_api.md, 9.16)
            part = objects.laid_over(current[BODY].get(member), part, member)
        document = {BODY: {member: part}, **({"_version": there.version} if there.version else {})}

        def read() -> Leaves:
            now = estate_of(server, self.api.export_all(server), None, rules=None)
            return leaves(objects.only(definition_of(now, server), kinds))

        # A secret does not show.
        shown = compare(label, current, given, NO_RULES).changes if always else found.changes
        sending = Import(self.api, self._params, read, found.wanted, is_visible=bool(shown))
        self.warnings += sending.send(
            ready_to_send(self.api, server, document),
            f'server "{server}"',
            lambda whole: self.api.import_all(server, whole),
        )

    def await_import(self, server: str, is_done: Callable[[], bool]) -> None:
        """Give an import of the run before, whose end nobody knows, the time that it may take to show."""
        write = self._journal.state.unconfirmed.get(TaskName(server, ""))
        while write and write.call == IMPORT:
            left = write.time_left(self.api.client.limits.import_lag)
            if not left or is_done():
                return
            self.api.client.interrupt.pause(min(left, self._waiting.sleep))

    def remove_settings(self, key: ObjectKey, there: Json, wanted: Json) -> None:
        """Remove the settings of an endpoint that are ``there`` and not wanted (PatchEndpoint)."""
        paths = list(_added(there.get("db_settings") or {}, wanted.get("db_settings") or {}))
        if paths:
            patch = [Change("remove", path, None, None, False).operation() for path in paths]

            def is_done() -> bool:
                now = self.read(key.server).objects.get(key) or {}
                return not list(_added(now.get("db_settings") or {}, wanted.get("db_settings") or {}))

            with confirm_lost_write(is_done):
                self.api.patch_endpoint(key.server, key.name, patch)

    def restore_selection(self, key: ObjectKey, wanted: Json) -> None:
        """Remove the tables and patterns of a task that are not wanted (PutTaskTableSelection, since May 2024)."""
        source = wanted.get("source") or {}
        lists = source.get("source_tables") or {}
        names = {option: {_owned(item) for item in lists.get(option) or []} for option in LISTS}

        def read() -> Json:
            return self.api.get_task_table_selection(key.server, key.name)

        def kept(answer: Json) -> Json:
            return {
                option: [item for item in answer.get(option) or [] if _owned(item) in names[option]] for option in LISTS
            }

        def is_done() -> bool:
            now = read()
            return kept(now) == {option: now.get(option) or [] for option in LISTS}

        try:
            answer = read()
        except ApiError:  # an older release: what is left is deleted with the task, or named
            return
        if kept(answer) != {option: answer.get(option) or [] for option in LISTS}:
            with confirm_lost_write(is_done):
                self.api.put_task_table_selection(key.server, key.name, {**answer, **kept(answer)})

    # Access control

    def put_acl(self, server: str, wanted: Json | None, check: Callable[[Json | None], None]) -> None:
        """Make the ACL of a server be as wanted (None: none of its own); ``check`` raises if it is another than it was.

        A PUT belongs to the session that has read.
        """
        owner = AclOwner(on_server(server), "Server", is_new=False)
        key = ObjectKey(server, ACL, "")

        def read() -> Json | None:
            return self.read(server).objects.get(key)

        def is_done() -> bool:
            now = read()
            return now is None if wanted is None else now is not None and acl_leaves(now) == acl_leaves(wanted)

        def write() -> None:
            check(read())
            with confirm_lost_write(is_done):
                if wanted is None:
                    self.api.delete_acl(owner, accept=NO_ACL)
                else:
                    self.api.put_acl(owner, wanted)

        with self.api.client.writes.guard():
            from_the_read(write)

    # Deleting

    def delete_task(self, server: str, name: str) -> None:
        """Delete a task that is stopped; one that is deleted already is fine."""
        with confirm_lost_write(lambda: not self.api.get_task_details(server, name, accept=(TASK_NOT_FOUND,))):
            self.api.delete_task(server, name, with_logs=False, accept=(TASK_NOT_FOUND,))

    def delete_endpoints(self, server: str, names: Sequence[str]) -> None:
        """Delete endpoints that no task uses any more."""
        left = delete_unused(self.api, server, names, self.api.client.limits.import_lag, self._waiting.sleep)
        if left:
            raise AemError(f'The endpoint "{left[0].name}" on server "{server}" could not be deleted: {left[0].msg}')

    # Tasks

    def moving(self, servers: Iterable[str]) -> dict[TaskName, Job]:
        """Return the tasks of servers that are not stopped, as jobs that stop them."""
        operation = self._operation("stopped")
        return {
            listed.task: Job(listed.task, operation, listed.snapshot, as_of)
            for server in servers
            for as_of in [time.monotonic()]
            for listed in list_tasks(self.api, server)
            if listed.snapshot.state in MOVING
        }

    def stop(self, jobs: Iterable[Job]) -> None:
        """Stop tasks, many at a time, each followed until its process has ended."""
        self._run(list(jobs), "stopped")

    def start(self, tasks: Iterable[TaskName], wait: bool) -> None:
        """Start tasks, many at a time; one that runs is left as it is. With ``wait``, until their processes are up."""
        wanted, operation = set(tasks), self._operation("started", wait)
        jobs = []
        for server in sorted({task.server for task in wanted}):
            as_of = time.monotonic()
            listed = [one for one in list_tasks(self.api, server) if one.task in wanted]
            jobs += [Job(one.task, operation, one.snapshot, as_of) for one in listed]
            missing = wanted - {job.task for job in jobs} - {one for one in wanted if one.server != server}
            if missing:
                raise AemError(f"The {min(missing).subject}, which ran, is not there any more.")
        self._run(jobs, "started")

    def _run(self, jobs: list[Job], what: str) -> None:
        parallel = self._params["parallel"]
        limits = FleetLimits(parallel, self._params["parallel_per_server"] or parallel, None)
        fleet = Fleet(self.api, self._mode, limits, StopPolicy(), self._journal.state, self._journal)
        try:
            raise_task_failures(fleet.run([jobs], what))
        except AemError as failure:
            failure.hint = ""  # that of a batch, whose finished tasks stay as they are: here all is put back
            raise

    def _operation(self, state: str, wait: bool = True) -> Operation:
        return Operation(state, self._params["timeout"], wait, self._waiting)


def _added(
    there: Mapping[str, Any], wanted: Mapping[str, Any], path: tuple[str, ...] = ()
) -> Iterator[tuple[str, ...]]:
    """Yield the path of each setting that is there and not wanted."""
    for name, value in there.items():
        if name not in wanted:
            yield (*path, name)
        elif isinstance(value, dict) and isinstance(wanted[name], dict):
            yield from _added(value, wanted[name], (*path, name))


def _owned(item: Mapping[str, Any]) -> tuple[Any, Any]:
    return item.get("owner"), item.get("name")
