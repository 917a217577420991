# Copyright (c) 2026, dataops.qlik_em contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is private to the collection.

"""A task that is a copy of another one on its server (CloneTask). Read, plan, apply."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from .._client.api import Api, Json
from .._client.checks import check_name
from .._client.errors import AemError, ApiError, InputError, WaitError
from .._client.nearest import CASE, did_you_mean
from .._client.replies import NOT_SUPPORTED
from .._common.lost_answers import confirm_lost_write
from .._common.wait import TimedOut, check_waiting, wait_until
from .._run.result import Mode, Result, diff
from .model import TASK_NOT_FOUND, TaskName, TaskSnapshot, check_task, snapshot_of
from .task_change import NOT_THERE

ROLES = {"source_endpoint": "SOURCE", "target_endpoint": "TARGET"}  # option, and member of the details -> role


class Wanted(NamedTuple):
    """The copy, and of what it is one. ``endpoints`` are the options that name another endpoint, and their values."""

    task: TaskName
    original: TaskName
    with_permissions: bool
    endpoints: dict[str, str]


def ensure(api: Api, params: Mapping[str, Any], mode: Mode) -> Result:
    """Copy a task, unless there is one of the new name: that is neither changed nor compared.

    Raises AemError; its ``changed`` says whether this call may have made the copy.
    """
    wanted, waiting = check_options(params), check_waiting(params)
    details, original = (
        api.get_task_details(*task, accept=(TASK_NOT_FOUND,)) for task in (wanted.task, wanted.original)
    )
    after = _as_shown(wanted, original)
    if details:
        shown = diff(after, after, str(wanted.task))
        return Result(
            False, {"task": snapshot_of(details).view(wanted.task)}, shown, differences(wanted, details, after)
        )
    if not original:
        raise AemError(
            f"There is no {wanted.original.subject} to clone. Nothing was sent.",
            f"Check clone_of. {CASE}",
            not_found=("servers", wanted.original.server, "tasks", wanted.original.name),
            error_code=TASK_NOT_FOUND,
        )
    warnings = _check_endpoints(api, wanted, original)
    current = NOT_THERE
    if not mode.check:
        with confirm_lost_write(lambda: _is_there(api, wanted.task, api.client.limits.lost_effect, waiting.sleep)):
            api.clone_task(*wanted.original, _request(wanted))
        current = _shown(api, wanted, waiting.timeout, waiting.sleep)
    return Result(True, {"task": current.view(wanted.task)}, diff({}, after, str(wanted.task)), warnings)


def check_options(params: Mapping[str, Any]) -> Wanted:
    """Return the checked options; raise InputError with one clear line."""
    task = check_task(params)
    original = TaskName(task.server, check_name("clone_of", params["clone_of"]))
    if params["definition"] is not None or params["src"] is not None:
        raise InputError("Give either clone_of or a definition (definition, src), not both.")
    if params["import_mode"] == "replace":
        raise InputError(
            "import_mode: replace cannot be used with clone_of: a clone never overwrites an existing task."
        )
    if task == original:
        raise InputError("clone_of and name are the same: a task cannot be a clone of itself.")
    endpoints = {option: check_name(option, params[option]) for option in ROLES if params[option] is not None}
    return Wanted(task, original, bool(params["clone_permissions"]), endpoints)


def differences(wanted: Wanted, details: Json, after: Mapping[str, Any]) -> list[str]:
    """Return a warning if the task that is there obviously is something else: it has other endpoints than the copy."""
    found = {option: _endpoint(details, option) for option in ROLES}
    others = [
        f"{option} is {name} and not {after[option]}"
        for option, name in found.items()
        if name and after.get(option) and name != after[option]
    ]
    if not others:
        return []
    return [
        f"The {wanted.task.subject} already existed and was left as it is, but it is not the requested copy of "
        f'"{wanted.original.name}": {", ".join(others)}. Choose another name, or delete it first.'
    ]


def trouble_with(option: str, name: str, old: str, listed: Iterable[Json]) -> str:
    """Return why an endpoint cannot take the place of the ``old`` one (empty: it can), of those that are ``listed``."""
    known = {str(item.get("name")): item for item in listed}
    if name not in known:
        return f'{option}: the server has no endpoint "{name}". {did_you_mean(name, known)}'.strip()
    role, wanted = str(known[name].get("role") or "").upper(), ROLES[option]
    if role in ROLES.values() and role != wanted:
        return f'{option}: the endpoint "{name}" is a {role.lower()}.'
    before, after = (known.get(one, {}).get("type") for one in (old, name))
    if before and after and before != after:
        return (
            f'{option}: the endpoint "{name}" is of type {after}, but "{old}", which it replaces, is of type {before}.'
        )
    return ""


def _as_shown(wanted: Wanted, original: Json) -> dict[str, Any]:
    """Return the copy as a diff shows it; what is not known of the original is left out."""
    endpoints = {option: wanted.endpoints.get(option) or _endpoint(original, option) for option in ROLES}
    return {
        "state": "present",
        "clone_of": wanted.original.name,
        **{option: name for option, name in endpoints.items() if name},
        "clone_permissions": wanted.with_permissions,
    }


def _endpoint(details: Json, option: str) -> str:
    item = details.get(option)
    return str(item.get("name") or "") if isinstance(item, dict) else ""


def _request(wanted: Wanted) -> Json:
    request: Json = {"new_task_name": wanted.task.name, "clone_permissions": wanted.with_permissions}
    return {**request, **{f"new_{option}": name for option, name in wanted.endpoints.items()}}


def _check_endpoints(api: Api, wanted: Wanted, original: Json) -> list[str]:
    """Raise AemError for what CloneTask would refuse: a server that is not of Replicate, an endpoint that does not fit.

    Such an endpoint must be there, and of the same type (docs/enterprise_manager_api.md, 6.23). Returns a warning if
    the user may not read the endpoints.
    """
    try:
        listed = api.get_endpoint_list(wanted.task.server)
    except ApiError as error:
        if error.error_code == NOT_SUPPORTED:
            error.message = f'Tasks of server "{wanted.task.server}" cannot be cloned, as it is not a Replicate server.'
            error.hint = "CloneTask is documented for Qlik Replicate servers only. Nothing was sent."
            raise
        if not error.is_refusal:
            raise
        names = ", ".join(wanted.endpoints.values())
        return [f"Whether these endpoints are there could not be checked: {names}. {error.message}"] if names else []
    for option, name in wanted.endpoints.items():
        trouble = trouble_with(option, name, _endpoint(original, option), listed)
        if trouble:
            raise AemError(
                f"The {wanted.original.subject} cannot be cloned like this. {trouble} Nothing was sent.",
                "An endpoint that replaces another one must exist on the server and be of the same type.",
            )
    return []


def _is_there(api: Api, task: TaskName, limit: float, sleep: float) -> bool:
    """Return whether a task shows within ``limit`` seconds: a copy may take a while, as an import does."""
    try:
        return bool(_watch(api, task, limit, sleep))
    except TimedOut as over:
        if over.trouble:
            raise over.trouble from over
        return False


def _watch(api: Api, task: TaskName, limit: float, sleep: float) -> Json:
    return wait_until(api, lambda: api.get_task_details(*task, accept=(TASK_NOT_FOUND,)), bool, limit, sleep)


def _shown(api: Api, wanted: Wanted, limit: float, sleep: float) -> TaskSnapshot:
    """Return the copy, once it shows. Raises AemError if it does not in time."""
    try:
        return snapshot_of(_watch(api, wanted.task, limit, sleep))
    except TimedOut as over:
        raise WaitError(
            f"The {wanted.original.subject} was cloned, but the {wanted.task.subject} has not appeared after "
            f"{limit:g} s (wait_timeout).{f' {over.trouble}' if over.trouble else ''}",
            "Look at the tasks in the console, or run this again: nothing is done twice.",
        ) from over
