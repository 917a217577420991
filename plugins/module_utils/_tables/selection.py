# Copyright (c) 2026, dataops.qlik_em contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is private to the collection.

"""Which tables a task replicates: the lists of GetTaskTableSelection and PutTaskTableSelection."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from .._client.api import Api, Json
from .._client.checks import check_text
from .._client.errors import AemError, InputError
from .._common.lost_answers import confirm_lost_write
from .._common.numbers import without_fraction
from .._run.result import Mode, Result, diff
from .._tasks.model import TaskName, check_task, snapshot_of

EXPLICIT = "explicit_included_tables"
LISTS = ("included_pattern", "excluded_pattern", EXPLICIT)
TYPES = ("TABLE", "VIEW")
LEVELS = ("LOWEST", "LOW", "NORMAL", "HIGH", "HIGHEST")
# What a member of an item is if it is not given (the guide's sample: 0 is no order).
DEFAULTS: dict[str, Any] = {"load_order": 0, "table_type": "TABLE"}

Lists = dict[str, list[Json]]


class Wanted(NamedTuple):
    """What is wanted of the selection of a task; ``lists`` are those that were given."""

    task: TaskName
    state: str
    lists: Lists


def gather(api: Api, params: Mapping[str, Any], mode: Mode) -> Result:
    """Return the selection (GetTaskTableSelection)."""
    return Result(values={"selection": lists_in(_read(api, check_task(params)))})


def ensure(api: Api, params: Mapping[str, Any], mode: Mode) -> Result:
    """Make the selection of a task be what is wanted (PutTaskTableSelection)."""
    wanted = check_options(params)
    answer = _read(api, wanted.task)
    before = lists_in(answer)
    after = plan(wanted, before)
    changed = not is_same(before, after)
    hint = ""
    if changed:
        hint = _hint(api, wanted.task)
        if not mode.check:
            # All lists: a PUT may empty those that it lacks (docs/enterprise_manager_api.md, 6.28).
            # Members that are not known here go back, too.
            with confirm_lost_write(lambda: is_same(lists_in(_read(api, wanted.task)), after)):
                api.put_task_table_selection(*wanted.task, {**answer, **after})
    values = {"selection": after if changed else before, "hint": hint}
    return Result(changed, values, _diff(wanted.task, before, after))


def check_options(params: Mapping[str, Any]) -> Wanted:
    """Return the checked options; raise InputError with one clear line."""
    given = {option: params[option] for option in LISTS if params[option] is not None}
    if not given:
        raise InputError(f"Nothing is selected: give at least one of {', '.join(LISTS)}.")
    lists = {option: [_checked(option, item) for item in items] for option, items in given.items()}
    for option, items in lists.items():
        known: set[tuple[Any, ...]] = set()
        for item in items:
            if _key(option, item) in known:
                raise InputError(f'{option} contains "{item["owner"]}.{item["name"]}" twice.')
            known.add(_key(option, item))
    return Wanted(check_task(params), params["state"], lists)


def _checked(option: str, given: Mapping[str, Any]) -> Json:
    """Return an item of an option as the API spells it, without what was not given.

    Upper and lower case are taken, so that what the info module returns may be given.
    """
    item: Json = {part: check_text(f"{part} in {option}", given[part]) for part in ("owner", "name")}
    order, kind = given.get("load_order"), given.get("table_type")
    if order is not None:
        if not re.fullmatch(r"[0-9]{1,9}", order) and order.upper() not in LEVELS:
            names = ", ".join(level.lower() for level in LEVELS)
            raise InputError(f'load_order in {option} must be 0, a positive number or one of {names}, not "{order}".')
        item["load_order"] = int(order) if order.isdigit() else order.upper()
    if kind is not None and kind.upper() not in TYPES:
        raise InputError(f'table_type in {option} must be table or view, not "{kind}".')
    if kind is not None:
        item["table_type"] = kind.upper()
    return item


def _key(option: str, item: Mapping[str, Any]) -> tuple[Any, ...]:
    """Return what identifies an item of a list: one pattern may be there for tables and for views."""
    kind = None if option == EXPLICIT else item.get("table_type", DEFAULTS["table_type"])
    return item["owner"], item["name"], kind


def lists_in(answer: Mapping[str, Any]) -> Lists:
    """Return the lists of an answer, each with all its members."""
    return {option: [_normal(item) for item in answer.get(option) or []] for option in LISTS}


def _normal(item: Mapping[str, Any]) -> Json:
    given = {key: without_fraction(value) for key, value in item.items() if key != "$type" and value is not None}
    result = {**DEFAULTS, **given}
    for key in DEFAULTS:
        if isinstance(result[key], str):
            result[key] = result[key].upper()
    return {"owner": result.pop("owner", ""), "name": result.pop("name", ""), **result}


def plan(wanted: Wanted, current: Lists) -> Lists:
    """Return the lists as they are wanted; a list that was not given stays as it is."""
    act = {"present": _with, "absent": _without, "replaced": _replaced}[wanted.state]
    return {
        option: act(option, items, wanted.lists[option]) if option in wanted.lists else items
        for option, items in current.items()
    }


def _with(option: str, items: list[Json], wanted: Sequence[Json]) -> list[Json]:
    """Add what is missing; what is there takes over the members that are given."""
    changes = {_key(option, item): item for item in wanted}
    kept = [{**item, **changes.pop(_key(option, item), {})} for item in items]
    return [*kept, *({**DEFAULTS, **item} for item in changes.values())]


def _without(option: str, items: list[Json], wanted: Sequence[Json]) -> list[Json]:
    unwanted = {_key(option, item) for item in wanted}
    return [item for item in items if _key(option, item) not in unwanted]


def _replaced(option: str, items: list[Json], wanted: Sequence[Json]) -> list[Json]:
    """Return what is wanted, and nothing else; members that are not known here stay."""
    known = {_key(option, item): item for item in items}
    return [{**known.get(_key(option, item), {}), **DEFAULTS, **item} for item in wanted]


def is_same(one: Lists, other: Lists) -> bool:
    """Return whether two selections mean the same; the order within a list has no meaning."""
    return all(_sorted(one[option]) == _sorted(other[option]) for option in LISTS)


def _sorted(items: Sequence[Json]) -> list[Json]:
    return sorted(items, key=lambda item: (item["owner"], item["name"], item["table_type"], str(item["load_order"])))


def _read(api: Api, task: TaskName) -> Json:
    answer = api.get_task_table_selection(*task)
    # The API always sends the lists, empty or not. Anything else taken for an empty one would empty the selection.
    if not any(isinstance(answer.get(option), list) for option in LISTS):
        raise AemError(
            f"The answer to GetTaskTableSelection of {task.subject} has no table selection.",
            "Check the server, and any proxy or load balancer in between. Nothing was sent.",
        )
    return answer


def _hint(api: Api, task: TaskName) -> str:
    """Return when the selection takes effect, or nothing (docs/enterprise_manager_api.md, 6.29)."""
    current = snapshot_of(api.get_task_details(*task))
    if current.is_stopped:
        return ""
    return f'The task "{task.name}" is {current.state}: it takes the new selection after a restart or a reload.'


def _diff(task: TaskName, before: Lists, after: Lists) -> dict[str, Any]:
    """Return the lists that change, sorted."""
    changed = [option for option in LISTS if _sorted(before[option]) != _sorted(after[option])]
    return diff(
        {option: _sorted(before[option]) for option in changed},
        {option: _sorted(after[option]) for option in changed},
        str(task),
    )
