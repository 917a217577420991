# Copyright (c) 2026, dataops.qlik_em contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is private to the collection.

"""Log streams: which tasks read what another one stages. Of exports nothing is kept but names: they hold passwords."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from .._client.api import DEFINITION, Api, Json
from .._client.errors import AemError, ApiError, TransportError
from .._common.rows import first
from .._endpoints.types import kind_of
from .._tasks.model import TaskName

LOG_STREAM = "LOG_STREAM"
STAGING_TASK = "_LOG_STREAM"  # the type of a task that stages (docs/enterprise_manager_api.md, 9.22)

RunAll = Callable[[Callable[[Any], Any], Iterable[Any]], Iterable[Any]]


class Source(NamedTuple):
    """What is known of a task: whether it stages, and the task that stages what it reads ("": none; None: unknown)."""

    is_staging: bool | None
    parent: str | None


UNKNOWN = Source(None, None)


class ServerStreams(NamedTuple):
    """The tasks of a server by name: all of them, or, if an export of the server is refused, the selected ones."""

    server: str
    sources: Mapping[str, Source]
    refusal: str = ""  # why not all could be read


class Relations(NamedTuple):
    """What the log streams of a server say of the order of tasks.

    ``readers`` may read from any of ``staging``. Of the ``unknown`` not even that can be seen. ``strangers`` read from
    a task that the server does not have. ``refusal`` is why not all could be read.
    """

    server: str
    links: list[tuple[TaskName, TaskName]]
    staging: list[TaskName]
    readers: list[TaskName]
    unknown: list[TaskName]
    strangers: list[str]
    refusal: str


def read_streams(api: Api, tasks: Mapping[str, Sequence[str]], run_all: RunAll) -> list[ServerStreams]:
    """Return the log streams of servers, of which ``tasks`` are selected: one ExportAll for each server.

    Where that is refused (it needs Admin on Enterprise Manager), the details show which tasks stage, and ExportTask, if
    the user may call it, what the others read.
    """
    exported = dict(zip(tasks, run_all(lambda server: _exported(api, server), tasks)))
    refused = {server: answer for server, answer in exported.items() if isinstance(answer, AemError)}
    selected = [TaskName(server, name) for server in refused for name in tasks[server]]
    sources: dict[TaskName, Source | AemError] = dict(
        zip(selected, run_all(lambda task: _detailed(api, task), selected))
    )
    with_streams = {task.server for task, found in sources.items() if isinstance(found, Source) and found.is_staging}
    readers = [
        task
        for task, found in sources.items()
        if task.server in with_streams and not (isinstance(found, Source) and found.is_staging)
    ]
    # A task that stages is known by now, so each answer is about a reader.
    for task, answer in zip(readers, run_all(lambda task: _exported_task(api, task), readers)):
        if isinstance(answer, Source) or not isinstance(sources[task], Source):
            sources[task] = answer
    result = [ServerStreams(server, answer) for server, answer in exported.items() if server not in refused]
    for server, refusal in refused.items():
        of_server = {name: sources[TaskName(server, name)] for name in tasks[server]}
        failures = [str(found) for found in of_server.values() if isinstance(found, AemError)]
        known = {name: UNKNOWN if isinstance(found, AemError) else found for name, found in of_server.items()}
        result.append(ServerStreams(server, known, failures[0] if failures else refusal.message))
    return result


def relate(streams: ServerStreams, selected: Sequence[str]) -> Relations:
    """Return what the log streams of a server say of the selected tasks."""
    server, sources = streams.server, streams.sources
    found = Relations(server, [], [], [], [], [], streams.refusal)
    selected_names, spellings = set(selected), {name.casefold(): name for name in sources}
    for name in selected:
        task, source = TaskName(server, name), sources.get(name, UNKNOWN)
        if source.is_staging:
            found.staging.append(task)
        elif source.parent is None:
            (found.unknown if source.is_staging is None else found.readers).append(task)
        if not source.parent:
            continue
        parent = source.parent if source.parent in sources else spellings.get(source.parent.casefold())
        if parent in selected_names:
            found.links.append((TaskName(server, parent), task))
        elif parent is None and not streams.refusal:  # else only the selected tasks were read
            found.strangers.append(f'{task} (reads from "{source.parent}")')
    if not found.staging:
        found.readers.clear()  # they wait for nothing that is selected
    return found


def warnings_of(relations: Sequence[Relations]) -> list[str]:
    """Return a warning for each kind of thing that cannot be seen, whatever the number of servers."""
    readers = [task for one in relations for task in one.readers]
    unknown = [task for one in relations for task in one.unknown]
    strangers = [text for one in relations for text in one.strangers]
    warnings = []
    if readers:
        warnings.append(
            "The sources of these tasks cannot be read. They are ordered after all tasks of their server that stage "
            f"log streams: {_named(readers)}.{_why(one.refusal for one in relations if one.readers)}"
        )
    if unknown:
        warnings.append(
            "It cannot be read whether these tasks stage or read log streams. If they do, give their order in "
            f"dependencies: {_named(unknown)}.{_why(one.refusal for one in relations if one.unknown)}"
        )
    if strangers:
        warnings.append(
            "These tasks read the log stream of a task that does not exist on their server. Give their order in "
            f"dependencies: {_named(strangers)}."
        )
    return warnings


def _why(refusals: Iterable[str]) -> str:
    """Return the first reason, with a space before it; that of each server would be a wall of text."""
    return next((f" {refusal}" for refusal in refusals if refusal), "")


def _named(tasks: Iterable[object]) -> str:
    return ", ".join(first([str(task) for task in tasks]))


def sources_in(document: Mapping[str, Any]) -> dict[str, Source]:
    """Return what an export shows of each of its tasks (docs/enterprise_manager_api.md, 9.22)."""
    content = _mapping(document.get(DEFINITION))
    endpoints = {str(item.get("name")): item for item in _items(content.get("databases"))}
    result = {}
    for item in _items(content.get("tasks")):
        task = _mapping(item.get("task"))
        targets = [*_texts(task.get("target_names")), *_targets(item)]
        is_staging = task.get("task_type") == STAGING_TASK or any(
            kind_of(str(_mapping(endpoints.get(name)).get("type_id"))) == LOG_STREAM for name in targets
        )
        source = _mapping(_mapping(item.get("source")).get("rep_source")).get("source_name") or task.get("source_name")
        result[str(task.get("name"))] = Source(is_staging, _parent(endpoints, str(source)))
    return result


def _parent(endpoints: Mapping[str, Json], name: str) -> str | None:
    """Return the task that stages what an endpoint reads: "" for none, None if the export does not show it."""
    if name not in endpoints:
        return None
    settings = _mapping(endpoints[name].get("db_settings"))
    parent, backend = settings.get("logstreamstagingtask"), settings.get("backend_db")
    if not parent and backend:  # of SAP: the database behind it may be what is staged
        if str(backend) not in endpoints:
            return None
        parent = _mapping(endpoints[str(backend)].get("db_settings")).get("logstreamstagingtask")
    return str(parent or "").strip()


def _targets(item: Json) -> list[str]:
    names = [_mapping(one.get("rep_target")).get("target_name") for one in _items(item.get("targets"))]
    return [name for name in names if isinstance(name, str)]


def _mapping(value: Any) -> Json:
    return value if isinstance(value, dict) else {}


def _items(value: Any) -> list[Json]:
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def _texts(value: Any) -> list[str]:
    return [item for item in value if isinstance(item, str)] if isinstance(value, list) else []


def _exported(api: Api, server: str) -> dict[str, Source] | AemError:
    """Return what ExportAll shows, without the export itself, or why it shows nothing."""
    try:
        return sources_in(api.export_all(server))
    except (ApiError, TransportError) as failure:  # also one that is too large, or takes too long
        return failure


def _exported_task(api: Api, task: TaskName) -> Source | AemError:
    try:
        found = sources_in(api.export_task(*task, with_endpoints=True))
    except ApiError as failure:
        return failure
    return found.get(task.name, UNKNOWN)


def _detailed(api: Api, task: TaskName) -> Source | AemError:
    """Return what the details show: the types of the endpoints, but not what a source reads."""
    try:
        target = api.get_task_details(*task).get("target_endpoint")
    except ApiError as failure:
        return failure
    kind = kind_of(str(_mapping(target).get("type") or ""))
    return Source(kind == LOG_STREAM, None) if kind else UNKNOWN
