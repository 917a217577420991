# Copyright (c) 2026, dataops.qlik_em contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is private to the collection.

"""Writing what servers have into a folder: server by server, so that memory holds a few of them at a time."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from .._client.api import Api
from .._client.checks import check_count
from .._client.errors import AemError, ApiError, InputError
from .._client.nearest import did_you_mean
from .._common.files import locked
from .._common.parallel import map_parallel
from .._common.patterns import is_literal, unmatched
from .._common.rows import Row, first, raise_failures, values, with_rows
from .._definitions.model import Rules, unknown_secrets
from .._fleets.batch import NO_SELECTOR
from .._fleets.options import MOST_PARALLEL
from .._run.result import Mode, Result
from .._run.result import diff as shown_diff
from .._tasks.model import TaskName
from .folder import Folder, open_folder
from .layout import (
    ESTATE,
    SERVER,
    Changes,
    check_origin,
    file_name,
    folded,
    name_in,
    new_files,
    read_jobs,
    write_server,
)
from .layout_diff import MOST_PLACES, places_of
from .model import KINDS, SCHEDULES, TASKS, Estate, ObjectKey, definition_of
from .reading import Reading, find_servers, read_server
from .scope import Scope, scope_in

FAILED = (
    "The files of the other servers were written, and those of the failed ones stay as they were. Correct the cause "
    "and run this again, or leave such servers out with on_server_error: skip."
)


@dataclass
class ServerRow(Row):
    """What happened to the files of a server. ``places`` are what the diff shows: the old and the new values."""

    objects: Mapping[str, int] = field(default_factory=dict)
    written: int = 0
    removed: int = 0
    unchanged: int = 0
    failure: AemError | None = None
    named: frozenset[str] = frozenset()  # tasks that were found and are named literally
    unknown: frozenset[str] = frozenset()  # of secret_places
    places: tuple[dict[str, Any], dict[str, Any]] = field(default_factory=lambda: ({}, {}))

    def view(self) -> dict[str, Any]:
        """Return the row as results show it."""
        objects = {"acls" if kind == "acl" else kind: self.objects.get(kind, 0) for kind in KINDS}
        members = ("written", "removed", "unchanged", "changed", "failed", "skipped", "error_code", "msg", "hint")
        return {**self.names, **objects, **{member: getattr(self, member) for member in (*members, "elapsed")}}


class Gathering(NamedTuple):
    """What is to be done, the same for each server; ``root`` is None if there is no folder yet (check mode)."""

    root: Folder | None
    scope: Scope
    mode: Mode
    is_skipping: bool  # servers that fail
    rules: Rules


def gathered(api: Api, params: Mapping[str, Any], mode: Mode) -> Result:
    """Make the files of the servers that are meant be as the servers are (ExportAll, GetServerAcl).

    A server that fails is reported, its files stay as they are, and the others are written. Raises AemError at the end,
    which carries the rows.
    """
    if not params["include"]:
        raise InputError(NO_SELECTOR, 'For all servers: include: [{server: "*"}].')
    scope, rules = scope_in(params), Rules(tuple(params["secret_places"] or ()))
    check_count("parallel", params["parallel"], MOST_PARALLEL)
    with _opened(params["path"], api.client.address, mode) as (root, is_stamped):
        servers = find_servers(api, [one.server for one in scope.selectors])
        warnings = _unmatched(scope, servers) + _unlisted(root, scope, servers)
        work = Gathering(root, scope, mode, params["on_server_error"] == "skip", rules)
        # Where case does not count, servers whose names differ by it only have one folder: who was first has it.
        alike: dict[str, list[str]] = {}
        for server in servers:
            alike.setdefault(folded(server), []).append(server)
        groups: list[list[ServerRow]] = map_parallel(
            lambda group: [_gather(api, work, server) for server in group],
            alike.values(),
            params["parallel"],
            api.client.interrupt.abandon,
        )
        rows = [row for group in groups for row in group]
    warnings += _unknown_tasks(scope, rows) + _unknown_places(rules, rows)
    warnings += first([f'Server "{row.names["server"]}" was skipped: {row.msg}' for row in rows if row.skipped])
    try:
        _raise_failures(rows)
    except AemError as failure:
        failure.warnings += warnings
        raise
    return Result(
        changed=is_stamped or any(row.changed for row in rows),
        values={"path": params["path"], **values("servers", rows)},
        diff=_diff(params["path"], rows) if mode.shows_diff else None,
        warnings=warnings,
    )


@contextlib.contextmanager
def _opened(path: str, address: str, mode: Mode) -> Iterator[tuple[Folder | None, bool]]:
    """Yield the folder, locked and with its stamp, and whether the stamp is new. In check mode nothing is written."""
    with contextlib.ExitStack() as stack:
        root = stack.enter_context(open_folder("path", path, create=not mode.check))
        if root is None:
            yield None, True
            return
        if not mode.check:
            stack.enter_context(locked("path", f"{root.path}/{ESTATE}", keep=False))
        stamp = check_origin(root, address)
        if stamp and not mode.check:
            root.write(ESTATE, stamp)
        try:
            yield root, stamp is not None
        finally:
            if stamp and not mode.check and not any(map(root.is_folder, root.names())):  # nothing could be read
                root.remove(ESTATE)


def _gather(api: Api, work: Gathering, server: str) -> ServerRow:
    """Write the files of one server, and return what happened."""
    begin, row = time.monotonic(), ServerRow({"server": server}, f'server "{server}"', None, None)
    try:
        _write(read_server(api, server, work.rules), server, work, row)
    except (ApiError, InputError) as failure:  # of this server; whatever else goes wrong ends the run
        row.fail(failure)
        row.failure = failure
        if work.is_skipping:
            row.failed, row.skipped = False, True
    row.elapsed = round(time.monotonic() - begin, 2)
    return row


def _write(reading: Reading, server: str, work: Gathering, row: ServerRow) -> None:
    scope, mode = work.scope, work.mode
    selected = scope.selected(reading.objects)
    row.objects = {kind: sum(key.kind == kind for key in selected) for kind in KINDS}
    row.unknown = frozenset(unknown_secrets(definition_of(reading.objects, server), work.rules))
    row.named = frozenset(key.name for key in selected if key.kind == TASKS)
    is_whole = scope.is_whole(server)

    def is_stale(kind: str, name: str | None) -> bool:
        if is_whole or kind == SCHEDULES:
            return True
        return kind == TASKS and name is not None and scope.means_task(server, name)

    changes = Changes({}, [], 0)
    if work.root is None:  # in check mode, only
        changes.written.update(new_files(server, reading._replace(objects=selected), reading.objects))
    else:
        others = {} if is_whole else _other_jobs(work.root, server, scope)
        wanted = reading._replace(objects={**others, **selected})
        changes = write_server(work.root, server, wanted, is_stale, mode.check, reading.objects)
    row.written, row.removed, row.unchanged = len(changes.written), len(changes.removed), changes.unchanged
    row.changed = bool(changes.written or changes.removed)
    if mode.shows_diff:
        row.places = places_of(changes, work.rules)


def _other_jobs(root: Folder, server: str, scope: Scope) -> Estate:
    """Return the schedules in the files that are not meant: they share a file with those that are."""
    with root.below(file_name(server)) as folder:
        jobs = read_jobs(folder) if folder else []
    return {ObjectKey(server, SCHEDULES, job["name"]): job for job in jobs if not scope.means_job(server, job)}


# What the caller should know


def _raise_failures(rows: Sequence[ServerRow]) -> None:
    """Raise the failures of servers, if there are any; if all failed, the first of them, as it says most."""
    failures = [row.failure for row in rows if row.failed and row.failure]
    if failures and len(failures) == len(rows):
        raise with_rows(failures[0], "servers", rows)
    raise_failures("servers", rows, FAILED)


def _unmatched(scope: Scope, servers: Sequence[str]) -> list[str]:
    names = dict.fromkeys(one.server for one in scope.selectors if one.server is not None)
    return [
        f'No server matches "{name}" in include. {did_you_mean(name, servers)}'.strip()
        for name in unmatched(names, servers)
    ]


def _unlisted(root: Folder | None, scope: Scope, servers: Sequence[str]) -> list[str]:
    """Return a warning for each server in the folder that is meant and that Enterprise Manager does not have."""
    files = {file_name(server) for server in servers}
    found = []
    for file in root.names() if root else ():
        server = name_in(file)
        if server is None or file in files or not root or not root.is_folder(file):
            continue
        if any(one.could_be(TaskName(server, one.name or "")) for one in scope.selectors):
            with root.below(file) as folder:
                if folder and SERVER in folder.names():
                    found.append(
                        f'Enterprise Manager does not list the server "{server}" any more. Its files in {folder.label} '
                        "were left alone: remove the folder if that is right."
                    )
    return first(found)


def _unknown_tasks(scope: Scope, rows: Sequence[ServerRow]) -> list[str]:
    """Return a warning for each task that is named literally and that no server has, if all of them were read."""
    if any(row.failed or row.skipped for row in rows):
        return []
    found = []
    for one in scope.selectors:
        if one.name is None or not is_literal(one.name):
            continue
        names = [(row.names["server"], row.named) for row in rows]
        if not any(one.name in named and one.could_be(TaskName(server, one.name)) for server, named in names):
            found.append(f"include names a task that does not exist: {one.text}.")
    return first(found)


def _unknown_places(rules: Rules, rows: Sequence[ServerRow]) -> list[str]:
    """Return a warning for each of ``secret_places`` at which no server has anything, if all of them were read."""
    if not rows or any(row.failed or row.skipped for row in rows):
        return []
    unknown = frozenset.intersection(*(row.unknown for row in rows))
    return first([f"secret_places: no server has anything at {place}." for place in rules.secrets if place in unknown])


def _diff(path: str, rows: Sequence[ServerRow]) -> dict[str, Any]:
    """Return what differs in the files, place by place; of very many, how many more there are."""
    before: dict[str, Any] = {}
    after: dict[str, Any] = {}
    for row in rows:
        before.update(row.places[0])
        after.update(row.places[1])
    places = list(dict.fromkeys([*before, *after]))
    kept = frozenset(places[:MOST_PLACES])
    more = {"...": f"and {len(places) - MOST_PLACES} more"} if len(places) > MOST_PLACES else {}
    return shown_diff(
        {place: value for place, value in before.items() if place in kept},
        {**{place: value for place, value in after.items() if place in kept}, **more},
        path,
    )
