# Copyright (c) 2026, dataops.qlik_em contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is private to the collection.

"""Whether a plan may be applied: all that is decided before the first write, so that check mode decides the same."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from .._client.api import Api, Json
from .._client.errors import AemError, InputError
from .._client.nearest import did_you_mean
from .._client.redaction import secret_texts
from . import plan_file
from .model import ENDPOINTS, Estate, ObjectKey, plain
from .plan import CREATE, DELETE, Plan, Step, difference, fingerprint
from .planning import Situation, is_deleting, situation
from .run_state import RunState


class Decision(NamedTuple):
    """What is to be done: ``todo`` leads from what is there, ``current``, to what is wanted, secrets filled in."""

    todo: Plan
    desired: Estate
    current: Estate


def decided(api: Api, run: RunState | None, found: Plan, params: Mapping[str, Any]) -> Decision:
    """Return what is to be done of the plan that was ``found``, or is left to do of its ``run`` that was killed.

    Raises AemError if the plan does not fit any more, deletes what nobody has confirmed, or lacks a secret.
    """
    now = situation(api, params, rules=None)
    secrets = params["secrets"] or {}
    if run and run.is_open:
        desired = with_secrets(api, _still_desired(run, found, now), secrets)
        _check_secrets([step for step in found.steps if step.key not in now.current], desired)
        return Decision(found, desired, now.current)
    todo = now.plan(is_deleting(params))
    if not todo.steps:
        _check_deletions(found, todo, now.current, params)
        return Decision(todo, now.desired, now.current)
    _check(found, todo, params)
    desired = with_secrets(api, now.desired, secrets)
    _check_secrets(todo.steps, desired)
    return Decision(todo, desired, now.current)


def _check(found: Plan, now: Plan, params: Mapping[str, Any]) -> None:
    """Raise AemError if a plan is not the one that would be made now, or deletes what nobody has confirmed."""
    deleted = [step.key for step in found.steps if step.action == DELETE]
    if deleted and not (is_deleting(params) and params["force"]):
        raise InputError(
            f"The plan deletes {len(deleted)} objects, the {deleted[0].text} first: that needs prune: confirm and "
            "force: true. Nothing was done."
        )
    why = plan_file.differing(found, now)
    if why:
        raise AemError(
            f"The plan ({params['plan']}) does not fit any more: {why}. Nothing was done.",
            "Make it again (state: planned), have it approved, then apply it.",
        )


def _check_deletions(found: Plan, now: Plan, current: Estate, params: Mapping[str, Any]) -> None:
    """Raise AemError if nothing is to be done only because what the plan deletes is not to be deleted."""
    if any(step.action == DELETE and step.key in current for step in found.steps):
        _check(found, now, params)


def _still_desired(run: RunState, found: Plan, now: Situation) -> Estate:
    """Return what a run that was killed wanted; raise InputError if the plan or the files are not those of then."""
    wanted = plain(now.desired)
    why = "" if found.fingerprint == run.plan else "the plan is another one now"
    for step in found.steps:
        if step.after != fingerprint(step.key, wanted.get(step.key)):
            why = f"the {step.key.text} was changed in the files or the overlay"
    if why:
        raise InputError(
            f"The run of {run.since} did not come to its end, and {why}. Nothing was done.",
            "Put the files back to go on, or take back what was done: state: backed_out.",
        )
    return now.desired


def with_secrets(api: Api, desired: Estate, secrets: Mapping[str, Any]) -> Estate:
    """Return the estate with the option ``secrets`` laid into the settings of its endpoints.

    Raises InputError for a server or an endpoint that is not wanted: a typing mistake, most likely.
    """
    filled = dict(desired)
    for server, endpoints in secrets.items():
        for name, members in endpoints.items():
            key = ObjectKey(str(server), ENDPOINTS, str(name))
            if key not in desired:
                there = [one for one in desired if one.kind == ENDPOINTS]
                beside = [one.name for one in there if one.server == key.server]
                near = did_you_mean(key.name, beside) if beside else did_you_mean(key.server, [one[0] for one in there])
                raise InputError(f"secrets: there is no {key.text} in the files, after the overlay.", near)
            api.client.hide(secret_texts({"secret": members}))
            item = desired[key]
            filled[key] = {**item, "db_settings": _laid(item.get("db_settings") or {}, members)}
    return filled


def _laid(settings: Json, secrets: Mapping[str, Any]) -> Json:
    result = dict(settings)
    for key, value in secrets.items():
        below = result.get(key)
        result[key] = _laid(below if isinstance(below, dict) else {}, value) if isinstance(value, dict) else value
    return result


def _check_secrets(steps: Iterable[Step], desired: Estate) -> None:
    """Raise InputError for a new object that would come without one of its secrets."""
    for step in steps:
        missing = difference(step.key, None, desired[step.key]).redacted if step.action == CREATE else ()
        if missing:
            raise InputError(
                f"The {step.key.text} is new, and its secrets are not known: {', '.join(missing)}. Nothing was done.",
                "Give them in secrets, by server, endpoint and setting.",
            )
