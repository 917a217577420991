# Copyright (c) 2026, dataops.qlik_em contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What lives in the pretended installation: tasks with their tables, endpoints, servers."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from . import definitions, endpoints, notifications, schedules, tabletimes, timeline
from .checks import InputError, change
from .document_access import Acl
from .document_servers import Endpoint, Server
from .document_tasks import Table, Task
from .rights import Scope, all_endpoints, all_tasks, server_scope
from .tabletimes import TableLine
from .timeline import Phase, Timeline

Clock = Callable[[], float]
Tree = dict[str, Any]
Key = tuple[str, str]  # schema and table

# Settings from which a task's definition is built; a patch of one of them builds it anew.
_DEFINING = {"definition", "tables", "description", "source_endpoint", "target_endpoint", "full_load_only"}


@dataclass
class LiveTable:
    """A table of a task, with what was asked of it."""

    settings: Table
    line: TableLine
    reloads: int = 0
    resumes: int = 0


@dataclass
class LiveEndpoint:
    """An endpoint, with what was done to it. `extra`: members of an imported item that the stand-in does not know."""

    settings: Endpoint
    extra: Tree = field(default_factory=dict)
    tests: int = 0
    patches: int = 0


class LiveTask:
    """A task that lives: its settings, its timeline and what was done to it."""

    def __init__(self, settings: Task, clock: Clock) -> None:
        self.settings = settings
        self.clock = clock
        self.timeline: Timeline = timeline.begin(settings, clock())
        self.actions = 0  # raised by every run, stop and patch, so that a waiting request sees it was overtaken
        self.runs: list[dict[str, Any]] = []
        self.stops = 0
        self.has_begun_tables = False  # whether the counters of the full load are those of the tables
        self.barriers: dict[str, str] = {}  # application -> retention point
        self.deleted_change_data: list[dict[str, str]] = []
        self._definition: Tree | None = None  # built when first needed: most tasks of a large installation never are
        self._tables: dict[Key, LiveTable] | None = None
        self._uuid = ""
        self._waiting: set[asyncio.Future[None]] = set()

    @property
    def phase(self) -> Phase:
        """The phase in force."""
        return timeline.current(self.timeline, self.clock())

    @property
    def memory_mb(self) -> int:
        """The memory sample that the API shows now."""
        return timeline.memory_mb(self.settings, self.timeline, self.clock())

    @property
    def makes_tables(self) -> bool:
        """Whether the last run does nothing but make the tables at the target."""
        return bool(self.runs) and self.runs[-1]["option"].startswith("METADATA_ONLY")

    def follow(self, new: Timeline) -> None:
        """Take over a new timeline and wake those who wait for the old one."""
        self.timeline = new
        self.actions += 1
        self.wake()

    def wake(self) -> None:
        """Let every waiting request check again."""
        for future in self._waiting:
            if not future.done():
                future.set_result(None)

    async def next_change(self, until: float) -> None:
        """Wait for the next phase, for another action, or until the time `until`, whichever is first."""
        now = self.clock()
        due = timeline.next_change(self.timeline, now)
        await self.pause(max(0.0, min(until, until if due is None else due) - now))

    async def pause(self, seconds: float) -> None:
        """Wait so long, or until another action."""
        future = asyncio.get_running_loop().create_future()
        self._waiting.add(future)
        try:
            await asyncio.wait({future}, timeout=seconds)
        finally:
            self._waiting.discard(future)

    def patch(self, value: Any, where: str) -> None:
        """Change settings. A new state, reason or message takes effect at once; so does getting unstuck."""
        changed = change(self.settings, value, where, fixed=("name", "acl"))
        if changed.keys() & _DEFINING:
            self._definition = self._tables = None
        now, phase = self.clock(), self.phase
        if changed.keys() & {"state", "stop_reason", "message"}:
            # What is not given stays as it is now; but reason and message do not outlive the state they belong to.
            same_state = "state" not in changed
            self.settings.state = changed.get("state", phase.state)
            self.settings.stop_reason = changed.get("stop_reason", phase.stop_reason if same_state else None)
            self.settings.message = changed.get("message", phase.message if same_state else "")
            self.follow((*timeline.past(self.timeline, now), *timeline.begin(self.settings, now)))
        elif changed.get("stuck_in_stopping") is False and phase.state == timeline.STOPPING:
            self.follow(timeline.stopped(self.settings, self.timeline, now, phase.shown == phase.state))
        elif changed.get("stuck_in_starting") is False and phase.state == timeline.STARTING:
            shown = phase.shown == phase.state
            self.follow(timeline.started(self.settings, self.timeline, now, shown, self.makes_tables))

    # Definition and tables

    @property
    def definition(self) -> Tree:
        """The task's item in an export document; never changed in place."""
        if self._definition is None:
            self._definition = definitions.item_of(self.settings, self.uuid)
        return self._definition

    @property
    def uuid(self) -> str:
        """The task's own identity, of this life of the stand-in."""
        self._uuid = self._uuid or str(uuid.uuid4())
        return self._uuid

    def define(self, item: Tree) -> None:
        """Take over another definition. Its tables are those of the next run (docs/enterprise_manager_api.md, 6.29)."""
        self._definition = item
        self.settings.full_load_only = self.full_load and not self.captures
        self.settings.description = str(item["task"].get("description", ""))

    @property
    def full_load(self) -> bool:
        """Whether the task does full loads."""
        return definitions.option(self.definition, "full_load_enabled")

    @property
    def captures(self) -> bool:
        """Whether the task captures changes after its full load, to apply, to store or to audit them."""
        return self.applies or self.stores or self.audits

    @property
    def applies(self) -> bool:
        """Whether the task applies changes at the target."""
        return definitions.option(self.definition, "apply_changes_enabled")

    @property
    def stores(self) -> bool:
        """Whether the task keeps changes in change tables."""
        return definitions.option(self.definition, "save_changes_enabled")

    @property
    def audits(self) -> bool:
        """Whether the task keeps changes in one audit table."""
        return definitions.option(self.definition, "audit_changes_enabled")

    @property
    def tables(self) -> dict[Key, LiveTable]:
        """The tables by (schema, table)."""
        if self._tables is None:
            self._tables = {
                (table.schema, table.table): LiveTable(table, ((self.clock(), table.state),))
                for table in self.settings.tables
            }
        return self._tables

    def patch_table(self, key: Key, value: Any) -> None:
        """Change settings of a table. A new state takes effect at once and stays."""
        live = self.tables.get(key)
        if live is None:
            raise InputError(f"there is no table {'.'.join(key)!r} in {self.settings.name!r}")
        changed = change(live.settings, value, f"table {'.'.join(key)}", fixed=("schema", "table"))
        if "state" in changed:
            live.line = ((self.clock(), live.settings.state),)

    def expect_tables(self) -> None:
        """The tables that a task which never ran will load: they are queued."""
        self._tables = {}
        for item in definitions.selection_of(self.definition).get("explicit_included_tables") or []:
            self._add_table(item)

    def _add_table(self, item: Tree) -> None:
        """A new table of the selection: it waits for the next run."""
        key = (str(item.get("owner", "")), str(item.get("name", "")))
        if key not in self.tables and all(key):
            settings = Table(*key, state=tabletimes.QUEUED)
            self.tables[key] = LiveTable(settings, ((self.clock(), tabletimes.QUEUED),))

    def begin_tables(self, reload_all: bool) -> None:
        """What a run does with the tables: those that wait are loaded, those that left the selection are dropped."""
        self.has_begun_tables = True
        tables, selection = self.tables, definitions.selection_of(self.definition)
        is_selected = tabletimes.selector(selection)
        for key in [key for key in tables if not is_selected(*key)]:
            del tables[key]
        for item in selection.get("explicit_included_tables") or []:
            self._add_table(item)
        for table in tables.values():
            if reload_all or table.line[-1][1] == tabletimes.QUEUED:
                table.line = tabletimes.reloaded(table.settings, self.clock(), self.captures)


class LiveServer:
    """A server: its tasks and endpoints by name, and the explicit ACLs on it and below."""

    def __init__(self, settings: Server, clock: Clock) -> None:
        self.settings = settings
        self.clock = clock
        self.tasks = {task.name: LiveTask(task, clock) for task in settings.tasks}
        self.endpoints = {item.name: LiveEndpoint(item) for item in settings.endpoints}
        # All that ExportAll shows beside tasks and databases.
        self.others: Tree = {
            **schedules.seeded(settings.schedules),
            **notifications.seeded(settings.notifications),
        }
        self.license_text: str | None = None  # as PutServerLicense sent it
        self.attempt = 0  # to connect, since the start
        self.acls: dict[Scope, Acl] = {}
        if not settings.is_compose:
            self._add_missing_endpoints()
        name = settings.name
        self._seed(server_scope(name), settings.acl)
        self._seed(all_tasks(name), settings.tasks_acl)
        self._seed(all_endpoints(name), settings.endpoints_acl)
        for task in settings.tasks:
            self._seed((*all_tasks(name), task.name), task.acl)
        for item in settings.endpoints:
            self._seed((*all_endpoints(name), item.name), item.acl)

    def _seed(self, scope: Scope, acl: Acl | None) -> None:
        if acl is not None:
            self.acls[scope] = acl

    def _add_missing_endpoints(self) -> None:
        """Endpoints that the document's tasks use but that it does not describe: a task can't be without them."""
        added: set[str] = set()
        for task in self.settings.tasks:
            for role, reference in (("SOURCE", task.source_endpoint), ("TARGET", task.target_endpoint)):
                name = reference.get("name")
                if not name:
                    continue
                found = self.endpoints.get(name)
                if found is None:
                    kind = reference.get("type") or "Oracle"
                    self.endpoints[name] = LiveEndpoint(endpoints.invented(name, role, kind))
                    added.add(name)
                elif name in added and found.settings.role != role:
                    found.settings.role = "BOTH"

    def users_of(self, endpoint: str) -> list[str]:
        """The names of the tasks that use an endpoint."""
        return [
            name
            for name, task in self.tasks.items()
            if endpoint in (task.settings.source_endpoint.get("name"), task.settings.target_endpoint.get("name"))
        ]

    def drop_task(self, name: str) -> None:
        """Delete a task and its ACL."""
        self.tasks.pop(name).wake()
        self.acls.pop((*all_tasks(self.settings.name), name), None)

    def drop_endpoint(self, name: str) -> None:
        """Delete an endpoint and its ACL."""
        del self.endpoints[name]
        self.acls.pop((*all_endpoints(self.settings.name), name), None)
