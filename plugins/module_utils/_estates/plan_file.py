# Copyright (c) 2026, dataops.qlik_em contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is private to the collection.

"""A plan in a file, as what is compared before it is applied. Pure functions; what stands in it is checked.

It holds fingerprints and differences, neither definitions nor secrets: who changes the file can only make it be
refused.
"""

from __future__ import annotations

import json
from typing import Any, NamedTuple

from .._client.api import Json
from .._client.errors import InputError
from .._client.exact_json import dumps
from .._common.files import read_private_file
from .._fleets.strict import NotJson, Odd, OddText, check_members, is_number, list_at, name_at, parsed, text_at, utc_at
from .model import ACL, KINDS, ObjectKey
from .plan import ACTIONS, Plan, Step

SCHEMA = 1
MOST_BYTES = 256 * 1024 * 1024  # a step of some KB for each of 10,000 tasks, and more
OPTION = "plan"
STEP = ("server", "kind", "name", "action", "before", "after", "stops", "diff", "secrets", "stays")


class PlanFile(NamedTuple):
    """A plan, the address of the Enterprise Manager that it is for, and when it was made (UTC, ISO 8601)."""

    enterprise_manager: str
    planned: str
    plan: Plan

    def text(self) -> str:
        """Return it as what stands in the file."""
        plan = self.plan
        document = {
            "schema": SCHEMA,
            "enterprise_manager": self.enterprise_manager,
            "planned": self.planned,
            "fingerprint": plan.fingerprint,
            "steps": [step_view(step) for step in plan.steps],
            "impossible": [{**key._asdict(), "places": list(places)} for key, places in plan.impossible.items()],
            "unmanaged": [key._asdict() for key in plan.unmanaged],
        }
        return dumps(document, indent=1, ensure_ascii=False) + "\n"


def step_view(step: Step) -> Json:
    """Return a step as the file and results show it."""
    return {
        **step.key._asdict(),
        "action": step.action,
        "before": step.before,
        "after": step.after,
        "stops": step.stops,
        "diff": {side: step.shown[side] for side in ("before", "after")},
        "secrets": list(step.secrets),
        "stays": list(step.stays),
    }


def load(path: str, address: str) -> PlanFile:
    """Return the plan in a file.

    Raises InputError if there is none, if it is damaged, of a newer release or of another Enterprise Manager than the
    one at ``address``, or if somebody else may have written it.
    """
    text = read_private_file(OPTION, path, MOST_BYTES)
    if text is None:
        raise InputError(
            f"There is no plan {path}: nothing was done.", "Look at the name, or make one with state: planned."
        )
    try:
        found = _read(path, parsed(text))
    except (NotJson, OddText) as odd:
        raise InputError(
            f"The plan ({path}) is damaged or was edited: {odd}. Nothing was done.", "Make it again: state: planned."
        ) from odd
    if found.enterprise_manager != address:
        raise InputError(
            f"The plan ({path}) is for another Enterprise Manager: {found.enterprise_manager}, not {address}. Nothing "
            "was done."
        )
    return found


def _read(path: str, document: Any) -> PlanFile:
    if isinstance(document, dict) and is_number(document.get("schema")) and document["schema"] > SCHEMA:
        raise InputError(
            f"The plan ({path}) was written by a newer release of the collection (schema {document['schema']}, this "
            f"one knows {SCHEMA}). Nothing was done."
        )
    members = ("schema", "enterprise_manager", "planned", "fingerprint", "steps", "impossible", "unmanaged")
    check_members("", document, members)
    if document["schema"] != SCHEMA:
        raise Odd("schema", document["schema"], str(SCHEMA))
    steps = tuple(_step(f"steps/{at}", item) for at, item in enumerate(list_at("steps", document["steps"])))
    impossible = {}
    for at, item in enumerate(list_at("impossible", document["impossible"])):
        where = f"impossible/{at}"
        check_members(where, item, (*ObjectKey._fields, "places"))
        impossible[_key(where, item)] = _texts(f"{where}/places", item["places"])
    unmanaged = []
    for at, item in enumerate(list_at("unmanaged", document["unmanaged"])):
        check_members(f"unmanaged/{at}", item, ObjectKey._fields)
        unmanaged.append(_key(f"unmanaged/{at}", item))
    plan = Plan(steps, impossible, tuple(unmanaged))
    if document["fingerprint"] != plan.fingerprint:
        raise Odd("fingerprint", document["fingerprint"], "that of the steps")
    planned = utc_at("planned", document["planned"])
    return PlanFile(text_at("enterprise_manager", document["enterprise_manager"]), planned, plan)


def _step(where: str, item: Any) -> Step:
    check_members(where, item, STEP)
    if item["action"] not in ACTIONS:
        raise Odd(f"{where}/action", item["action"], f"one of {', '.join(ACTIONS)}")
    for member in ("before", "after"):
        if not isinstance(item[member], str):
            raise Odd(f"{where}/{member}", item[member], "a fingerprint, or empty")
    if not isinstance(item["stops"], bool):
        raise Odd(f"{where}/stops", item["stops"], "true or false")
    check_members(f"{where}/diff", item["diff"], ("before", "after"))
    return Step(
        _key(where, item),
        item["action"],
        item["before"],
        item["after"],
        item["diff"],
        _texts(f"{where}/secrets", item["secrets"]),
        _texts(f"{where}/stays", item["stays"]),
        item["stops"],
    )


def _key(where: str, item: Json) -> ObjectKey:
    kind, name = item["kind"], item["name"]
    if kind not in KINDS:
        raise Odd(f"{where}/kind", kind, f"one of {', '.join(KINDS)}")
    if kind == ACL and name != "":
        raise Odd(f"{where}/name", name, "empty, as a server has one ACL")
    if kind != ACL:
        text_at(f"{where}/name", name)
    return ObjectKey(name_at(f"{where}/server", item["server"]), kind, name)


def _texts(where: str, value: Any) -> tuple[str, ...]:
    return tuple(text_at(f"{where}/{at}", item) for at, item in enumerate(list_at(where, value)))


def differing(found: Plan, now: Plan) -> str:
    """Return why a plan is not the one that would be made ``now``; empty if it is.

    A task that does not run any more makes no difference, but one that would have to be stopped in addition does.
    """
    planned = {step.key: step for step in found.steps}
    for step in now.steps:
        same = planned.pop(step.key, None)
        if same is None:
            return f"the {step.key.text} now has to be changed, too ({step.action})"
        if step.before != same.before:
            return f"the {step.key.text} was changed on the server"
        if (step.action, step.after) != (same.action, same.after):
            return f"the {step.key.text} was changed in the files or the overlay"
        if step.stops and not same.stops:
            return f"the {step.key.text} now runs, and would have to be stopped"
    for key in planned:
        return f"the {key.text} needs no change any more, or its file is not there any more"
    return ""


def shown_value(value: Any) -> str:
    """Return a value of a difference in one line."""
    return json.dumps(value, ensure_ascii=False, default=str)
