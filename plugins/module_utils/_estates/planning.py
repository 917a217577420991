# Copyright (c) 2026, dataops.qlik_em contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is private to the collection.

"""Comparing the files, under an overlay, with the servers: the result is a plan, in a file and as a page."""

from __future__ import annotations

import os
import re
from collections.abc import Collection, Mapping, Sequence
from typing import Any, NamedTuple

from .._client.api import Api, Json
from .._client.checks import check_count, check_seconds
from .._client.errors import InputError
from .._common.files import ensure_file, read_file
from .._common.times import now
from .._common.wait import check_waiting
from .._definitions.model import Rules
from .._endpoints import settings as endpoint_settings
from .._fleets.options import MOST_PARALLEL
from .._fleets.results import fitting
from .._fleets.selection import list_tasks
from .._run.result import Mode, Result
from .._run.result import diff as shown_diff
from .._tasks.model import MOVING
from . import plan_file
from .desired import desired_estate
from .model import NO_RULES, TASKS, Estate, ObjectKey, servers_of
from .plan import CREATE, DELETE, REORDER, UPDATE, Plan, Step, plan
from .plan_page import page
from .reading import read_servers
from .run_state import RunStore
from .scope import scope_in

CONFIRM = "confirm"
ROOM = 110_000  # characters of each list of a result, and of its diff: all of them fit into what AWX keeps
# What stands in the place of a plan and of its page must be one, or it is not overwritten
PLAN_BEGINS, PAGE_BEGINS = re.compile(r'\s*\{\s*"schema": \d+,\s*"enterprise_manager": '), re.compile(r"# Plan\n")
# In a template, counts.update would be the method of a dictionary.
COUNTS = {CREATE: "created", UPDATE: "updated", REORDER: "reordered", DELETE: "deleted"}


class Situation(NamedTuple):
    """What is wanted, what is there, which tasks run, and what of it is in the scope of the options."""

    desired: Estate
    current: Estate
    running: Collection[ObjectKey]
    scope: Collection[ObjectKey]

    def plan(self, delete: bool) -> Plan:
        """Return what leads from what is there to what is wanted. Raises InputError."""
        return plan(self.desired, self.current, self.running, delete, self.scope)


def planned(api: Api, params: Mapping[str, Any], mode: Mode) -> Result:
    """Write the plan and its page, and return what it says. Raises AemError."""
    check_options(params)
    store = RunStore(params["plan"], api.client.address)
    run = store.load()
    if run and run.is_open:
        raise InputError(
            f"The run of {run.since}, which applies the plan {store.plan}, did not come to its end. Nothing was done.",
            "Run state: applied again, so that it does, or take back what was done: state: backed_out.",
        )
    _check_place(store.plan)
    found = situation(api, params)
    todo = found.plan(is_deleting(params))
    file = plan_file.PlanFile(api.client.address, now(), todo)
    text, shown = file.text(), page(file)
    if not mode.check:
        with store.alone():
            ensure_file(plan_file.OPTION, store.plan, text, Mode(), is_same=_is_same_plan)
            ensure_file(plan_file.OPTION, page_path(store.plan), shown, Mode(), is_same=_is_same_page)
    values = {**result_of(todo, todo.steps), "plan": store.plan, "page": page_path(store.plan)}
    return Result(bool(todo.steps), values, diff_of(todo))


def _check_place(path: str) -> None:
    """Raise InputError if a plan or its page would overwrite something else, such as the overlay."""
    page = page_path(path)
    if page == path:
        raise InputError(
            f"plan ({path}) is where its page would be. Nothing was done.", "Give a name that ends in .json."
        )
    for place, what, begin in ((path, "a plan", PLAN_BEGINS), (page, "the page of a plan", PAGE_BEGINS)):
        old = read_file(plan_file.OPTION, place)
        if old and not begin.match(old):
            raise InputError(
                f"plan: {place} is there, and is not {what}. Nothing was done.",
                "Give the plan a place of its own, or remove that file.",
            )


def check_options(params: Mapping[str, Any]) -> None:
    """Raise InputError for an option that cannot be meant; nothing was sent then."""
    check_waiting(params)
    check_seconds("timeout", params["timeout"])
    check_count("parallel", params["parallel"], MOST_PARALLEL)
    check_count("parallel_per_server", params["parallel_per_server"], MOST_PARALLEL)
    for server, endpoints in (params["secrets"] or {}).items():
        for name, members in endpoints.items() if isinstance(endpoints, dict) else [("", None)]:
            if not isinstance(members, dict):
                where = f"{server}.{name}" if name else str(server)
                raise InputError(f"secrets.{where} must be a mapping: by server, then by endpoint, then by setting.")
            endpoint_settings.check(f"secrets.{server}.{name}", members, is_secret=True)


def is_deleting(params: Mapping[str, Any]) -> bool:
    """Return whether what is not wanted is to be deleted."""
    return bool(params["prune"] == CONFIRM)


def page_path(path: str) -> str:
    """Return where the page of a plan is."""
    return f"{os.path.splitext(path)[0]}.md"


def situation(api: Api, params: Mapping[str, Any], rules: Rules | None = NO_RULES) -> Situation:
    """Return what is wanted and what is there. Raises AemError, also if one of the servers cannot be read."""
    desired = desired_estate(params)
    servers = servers_of(desired)
    current = read_servers(api, params["parallel"], servers, rules)
    running = {
        ObjectKey(server, TASKS, listed.task.name)
        for server in sorted({key.server for key in (*desired, *current) if key.kind == TASKS})
        for listed in list_tasks(api, server)
        if listed.snapshot.state in MOVING
    }
    scope = set(scope_in(params).selected(current))
    return Situation(desired, current, running, scope)


def result_of(todo: Plan, steps: Sequence[Step]) -> dict[str, Any]:
    """Return the members of a result that show a plan, of which ``steps`` are done or to be done."""
    rows = {
        "steps": [{**step.key._asdict(), "action": step.action, "stops": step.stops} for step in steps],
        "impossible": [{**key._asdict(), "places": list(places)} for key, places in todo.impossible.items()],
        "unmanaged": [key._asdict() for key in todo.unmanaged],
        "secrets_needed": [{**step.key._asdict(), "places": list(step.secrets)} for step in todo.steps if step.secrets],
    }
    seen = {member: fitting(all_, ROOM) for member, all_ in rows.items()}
    return {
        "fingerprint": todo.fingerprint,
        **seen,
        "truncated": sum(len(all_) - len(seen[member]) for member, all_ in rows.items()),
        "counts": {count: sum(step.action == action for step in steps) for action, count in COUNTS.items()},
    }


def diff_of(todo: Plan) -> Json:
    """Return what the steps of a plan change, for Ansible's diff mode; of very many, how many more there are."""
    shown = [(step.key.text, step.shown["before"], step.shown["after"]) for step in todo.steps]
    kept = fitting(shown, ROOM)
    before = {text: old for text, old, _new in kept if old}
    after = {text: new for text, _old, new in kept if new}
    more = {"...": f"and {len(shown) - len(kept)} more"} if len(shown) > len(kept) else {}
    return shown_diff(before, {**after, **more}, "estate")


def _is_same_plan(old: str, new: str) -> bool:
    """Return whether two plans differ in nothing but when they were made."""
    return _without(old, '"planned": ') == _without(new, '"planned": ')


def _is_same_page(old: str, new: str) -> bool:
    return _without(old, "For ") == _without(new, "For ")


def _without(text: str, begin: str) -> list[str]:
    """Return the lines of a text without the first that begins so."""
    lines = text.splitlines()
    at = next((at for at, line in enumerate(lines) if line.strip().startswith(begin)), None)
    return lines if at is None else lines[:at] + lines[at + 1 :]
