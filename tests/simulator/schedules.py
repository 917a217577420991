# Copyright (c) 2026, dataops.qlik_em contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The scheduler of a server, as ExportAll and ImportAll carry it. Pure functions over plain data.

Nothing runs by it: the stand-in keeps the jobs, gives them out, merges what is imported and refuses what is malformed.
Assumptions, all in here (docs/enterprise_manager_api.md, 9.15 to 9.17): the members of a job and their defaults, and
that jobs are merged by name; with `replaces_schedules` an import replaces the list.
"""

from __future__ import annotations

import copy
import re
from typing import Any

from .checks import InputError
from .definitions import BadDocument, Tree, merged

START, STOP = 25, 51
FLAGS = ("RESUME", "FRESH", "METADATA_ONLY", "FRESH_METADATA_ONLY", "COLLECTION", "RECOVERY")
DEFAULTS: Tree = {"enabled": True, "is_local_time": False}  # left out of an export
_PART = r"(?:\*|\d{1,4}(?:-\d{1,4})?)(?:/\d{1,6})?"
_SCHEDULE = re.compile(rf"{_PART}(?:,{_PART})*(?: {_PART}(?:,{_PART})*){{5}}")


def check(others: Tree) -> None:
    """Raise BadDocument if the scheduler in a document is not built as expected."""
    scheduler = others.get("scheduler", {})
    jobs = scheduler.get("jobs", []) if isinstance(scheduler, dict) else None
    if not isinstance(jobs, list):
        raise BadDocument("AEM_IMPORT_INVALID_CONTENT", "scheduler.jobs is not a list")
    for job in jobs:
        trouble = _trouble(job)
        if trouble:
            raise BadDocument("AEM_IMPORT_INVALID_CONTENT", f"a job of the scheduler {trouble}")
    names = [job["name"] for job in jobs]
    if len(set(names)) != len(names):
        raise BadDocument("AEM_IMPORT_INVALID_CONTENT", "a job of the scheduler is there twice")


def _trouble(job: Any) -> str:
    if not isinstance(job, dict):
        return "is not an object"
    schedule, requests = job.get("schedule"), job.get("command_requests", {})
    if not isinstance(job.get("name"), str) or not job["name"]:
        return "has no name"
    if job.get("command_id") not in (START, STOP):
        return f"has the command {job.get('command_id')!r}"
    if not isinstance(schedule, str) or not _SCHEDULE.fullmatch(schedule):
        return f"has the schedule {schedule!r}"
    if not all(isinstance(job.get(key, False), bool) for key in DEFAULTS):
        return "has a flag that is neither true nor false"
    if not isinstance(job.get("task", ""), str):
        return "has tasks that are not a text"
    request = requests.get("execute_req", {}) if isinstance(requests, dict) else None
    if not isinstance(request, dict) or request.get("flags", FLAGS[0]) not in FLAGS:
        return "has requests that are not understood"
    return ""


def seeded(jobs: list[Tree]) -> Tree:
    """What ExportAll shows beside tasks and databases, of the jobs of a state document."""
    others: Tree = {"scheduler": {"jobs": copy.deepcopy(jobs)}} if jobs else {}
    try:
        check(others)
    except BadDocument as error:
        raise InputError(f"schedules: {error.message}") from error
    return others


def exported(others: Tree) -> Tree:
    """The same, default values left out."""
    scheduler = others.get("scheduler")
    if not isinstance(scheduler, dict):
        return others
    jobs = [
        {key: value for key, value in job.items() if DEFAULTS.get(key) is not value}
        for job in scheduler.get("jobs", [])
    ]
    return {**others, "scheduler": {**scheduler, "jobs": jobs}}


def imported(old: Tree, new: Tree, replaces: bool) -> Tree:
    """All objects beside tasks and databases after an import."""
    result: Tree = merged(old, new)
    if replaces and "jobs" in new.get("scheduler", {}):
        result["scheduler"]["jobs"] = copy.deepcopy(new["scheduler"]["jobs"])
    return result
