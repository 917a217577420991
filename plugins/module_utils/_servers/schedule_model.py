# Copyright (c) 2026, dataops.qlik_em contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is private to the collection.

"""The jobs of Replicate's scheduler, as an export holds them, and as people see them. Pure functions.

What is known of a job is in docs/enterprise_manager_api.md, 9.15 to 9.17.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, NamedTuple

from .._client.api import Json
from .._client.checks import check_characters
from .._client.errors import AemError, InputError
from .._definitions.document import BODY, name_of
from . import cron

ALL_TASKS = "*"
SHOWN_RUNS = 5
OTHER = "other"  # an action that is not in the table


class Action(NamedTuple):
    """What a job does: its ``command_id``, and the ``flags`` of a start."""

    command: int
    flags: str = ""


ACTIONS = {"start": Action(25, "RESUME"), "reload": Action(25, "FRESH"), "stop": Action(51)}
# A new job, with all that the console writes into one.
NEW_REQUESTS: Json = {
    "cleanlogs_req": {"server": {}, "task": {}, "fts": {}},
    "logfilerollover_req": {},
    "execute_req": {"task": "", "operation": "EXECUTE_OPERATIONS_BOTH"},
    "stoptask_req": {"task": ""},
}


def jobs_in(server: str, document: Json) -> list[Json]:
    """Return the jobs in the export of a server. Raises AemError if they are not as they have been seen."""
    scheduler = document[BODY].get("scheduler") or {}
    jobs = scheduler.get("jobs", []) if isinstance(scheduler, dict) else None
    if not isinstance(jobs, list) or not all(name_of("jobs", job) for job in jobs):
        raise AemError(
            f'The export of server "{server}" contains schedules in a form that this module does not know.',
            "Please report it, with the release of Replicate and the member scheduler of the export.",
        )
    return jobs


def find(server: str, jobs: list[Json], name: str) -> Json | None:
    """Return the job of a name, None if there is none. Raises AemError if there are two."""
    found = [job for job in jobs if job["name"] == name]
    if len(found) > 1:
        raise AemError(
            f'Server "{server}" has {len(found)} schedules with the name "{name}".', "Rename one in the console."
        )
    return found[0] if found else None


# As people see it


def brief(job: Json) -> Json:
    """Return what the options of aem_schedule are about: what is compared and shown in a diff."""
    return {
        "name": job["name"],
        "enabled": job.get("enabled", True),
        "cron": _same_spelling(str(job.get("schedule", ""))),
        "local_time": job.get("is_local_time", False),
        "action": _action_of(job),
        "tasks": tasks_of(job),
    }


def _same_spelling(schedule: str) -> str:
    try:
        return cron.normal(schedule)
    except ValueError:
        return schedule


def _action_of(job: Json) -> str:
    command, flags = job.get("command_id"), _flags_of(job)
    found = (name for name, action in ACTIONS.items() if action.command == command and action.flags in ("", flags))
    return next(found, OTHER)


def _flags_of(job: Json) -> str:
    """Return how a job starts tasks; a missing value is the first of its enumeration (assumed)."""
    requests = job.get("command_requests")
    request = requests.get("execute_req") if isinstance(requests, dict) else None
    return str(request.get("flags") or "RESUME") if isinstance(request, dict) else "RESUME"


def tasks_of(job: Json) -> list[str]:
    """Return the names of the tasks of a job, or ``*``: a job without any is for all of the server."""
    names = [name.strip() for name in str(job.get("task") or "").split(",")]
    return [name for name in names if name] or [ALL_TASKS]


def shown(job: Json, now: datetime) -> tuple[Json, str]:
    """Return a job as the modules return it, and why its expression is not understood (empty: it is).

    ``now`` is the time in UTC. Of a schedule in local time the next runs are counted from it, too: the time zone of the
    server is not known.
    """
    row = brief(job)
    trouble, explained, runs = "", None, None
    try:
        meaning = cron.parse(row["cron"])
    except ValueError as error:
        trouble = f'The cron expression of schedule "{row["name"]}" is not understood: {error}.'
    else:
        zone = "local time of the server" if row["local_time"] else "UTC"
        explained = f"{cron.explained(meaning)} ({zone})"
        runs = cron.next_runs(meaning, now, SHOWN_RUNS) if row["enabled"] else []
    mark = "" if row["local_time"] else "Z"
    times = None if runs is None else [run.isoformat() + mark for run in runs]
    return {**row, "explained": explained, "next_runs": times, "definition": job}, trouble


# As it is to be


def check_options(params: Mapping[str, Any]) -> None:
    """Raise InputError for options that cannot be meant."""
    given = [option for option in ("cron", "local_time", "action", "tasks") if params[option] is not None]
    if params["state"] == "absent" and given:
        raise InputError(f"{given[0]} cannot be used with state: absent.")
    if params["cron"] is not None:
        try:
            cron.parse(params["cron"])
        except ValueError as error:
            raise InputError(f"cron cannot be used: {error}.") from error
    if params["tasks"] is not None:
        _check_tasks(params["tasks"])


def _check_tasks(names: list[str]) -> None:
    if not names:
        raise InputError('tasks must name at least one task, or "*" alone for all tasks of the server.')
    if ALL_TASKS in names and len(names) > 1:
        raise InputError('"*" in tasks means all tasks of the server: it must be the only item.')
    for name in names:
        if not name.strip() or "," in name:
            raise InputError(f'tasks must be a list of task names, one per item and without commas, not "{name}".')
        check_characters("tasks", name)


def planned(old: Json | None, params: Mapping[str, Any], server: str) -> Json:
    """Return the job as the options want it: the old one, or a new one, with what is given laid over it.

    Raises InputError.
    """
    name = params["name"]
    if old is None:
        missing = [option for option in ("cron", "action", "tasks") if params[option] is None]
        if missing:
            raise InputError(
                f'There is no schedule "{name}" on server "{server}". To create it, {" and ".join(missing)} must be '
                "given."
            )
    job: Json = {"name": name, "command_requests": NEW_REQUESTS, "is_local_time": False} if old is None else dict(old)
    before = None if old is None else brief(old)
    job["enabled"] = params["state"] == "present"
    if params["cron"] is not None and not (before and _means(before["cron"], params["cron"])):
        job["schedule"] = cron.normal(params["cron"])
    if params["local_time"] is not None:
        job["is_local_time"] = params["local_time"]
    if params["action"] not in (None, before and before["action"]):
        job = _with_action(job, ACTIONS[params["action"]])
    if params["tasks"] not in (None, before and before["tasks"]):
        if params["tasks"] == [ALL_TASKS] and before:
            raise InputError(
                f'The schedule "{name}" on server "{server}" is for {", ".join(before["tasks"])}, and an import '
                "cannot remove these names to make it a schedule for all tasks. Create a new schedule and disable "
                "this one."
            )
        job["task"] = ",".join(params["tasks"])
    if job.get("task") == ALL_TASKS:
        del job["task"]
    return job


def _means(old: str, wanted: str) -> bool:
    try:
        return cron.parse(old) == cron.parse(wanted)
    except ValueError:  # the old one; what is wanted was checked
        return False


def _with_action(job: Json, action: Action) -> Json:
    if not action.flags:
        return {**job, "command_id": action.command}
    requests = job.get("command_requests")
    requests = requests if isinstance(requests, dict) else {}
    request = requests.get("execute_req")
    request = {**request, "flags": action.flags} if isinstance(request, dict) else {"flags": action.flags}
    return {**job, "command_id": action.command, "command_requests": {**requests, "execute_req": request}}


def with_job(document: Json, job: Json) -> Json:
    """Return the part of an export that is imported to have ``job``: all jobs of the server, this one as it is to be.

    It is not known whether an import merges the jobs by name or replaces them all (docs/enterprise_manager_api.md,
    9.16).
    """
    scheduler = document[BODY].get("scheduler") or {}
    jobs = scheduler.get("jobs") or []
    if any(one["name"] == job["name"] for one in jobs):
        jobs = [job if one["name"] == job["name"] else one for one in jobs]
    else:
        jobs = [*jobs, job]
    return {**document, BODY: {"scheduler": {**scheduler, "jobs": jobs}}}
