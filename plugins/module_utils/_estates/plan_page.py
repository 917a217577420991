# Copyright (c) 2026, dataops.qlik_em contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is private to the collection.

"""A plan as a page in Markdown, for who approves it. Pure functions."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from .._run.lines import one_line
from .model import ACL, ENDPOINTS, KINDS, TASKS, ObjectKey
from .plan import ACTIONS, CREATE, DELETE, UPDATE, Plan, Step
from .plan_file import PlanFile, shown_value

LONGEST_VALUE = 300  # signs of a value; the JSON has the whole
HEADINGS = {ENDPOINTS: "Endpoints", TASKS: "Tasks", "schedules": "Schedules", ACL: "Access control"}


def page(found: PlanFile) -> str:
    """Return the page."""
    return "\n".join(_lines(found)).rstrip() + "\n"


def _lines(found: PlanFile) -> Iterator[str]:
    plan = found.plan
    yield from ("# Plan", "")
    yield f"For {_text(found.enterprise_manager)}, made {found.planned}. Fingerprint `{plan.fingerprint[:16]}`."
    yield ""
    if not plan.steps:
        yield "Nothing is to be done: the servers are as the files and the overlay say."
    else:
        yield from _summary(plan)
    yield ""
    for kind in KINDS:
        steps = [step for step in plan.steps if step.key.kind == kind and step.action != DELETE]
        if steps:
            yield from (f"## {HEADINGS[kind]}", "")
            for alike in _alike(steps):
                yield from _steps(alike)
    yield from _named("Deleted at the end", [step.key for step in plan.steps if step.action == DELETE])
    deleted = {step.key for step in plan.steps if step.action == DELETE}
    yield from _named(
        "On the servers and not in the files (stays as it is)", [key for key in plan.unmanaged if key not in deleted]
    )
    if plan.impossible:
        yield from ("## What the API cannot do", "")
        yield "An import adds and changes. It cannot remove this, which stays:"
        yield ""
        for key, places in plan.impossible.items():
            yield from (f"- {_text(key.text)}: {', '.join(map(_code, places))}",)
        yield ""


def _summary(plan: Plan) -> Iterator[str]:
    yield from ("| | " + " | ".join(ACTIONS) + " |", "|---|" + "---:|" * len(ACTIONS))
    for kind in KINDS:
        counts = [sum(step.action == action and step.key.kind == kind for step in plan.steps) for action in ACTIONS]
        if any(counts):
            yield f"| {HEADINGS[kind]} | " + " | ".join(str(count or "") for count in counts) + " |"
    yield ""
    stopped = [step.key for step in plan.steps if step.stops]
    if stopped:
        yield f"**Running tasks that are stopped: {len(stopped)}.** They are started again unless they are deleted:"
        yield from ("", *(f"- {_text(key.text)}" for key in stopped))
    else:
        yield "No running task is stopped."
    yield from ("", *_order(plan))


def _order(plan: Plan) -> Iterator[str]:
    """Yield what happens, in order."""
    kinds = {step.key.kind for step in plan.steps if step.action != DELETE}
    texts = []
    if ENDPOINTS in kinds:
        texts.append("endpoints are imported")
    if kinds & {ENDPOINTS, TASKS}:
        texts.append("each endpoint that was changed, or that a changed task uses, is tested: one that fails ends it")
    if any(step.stops for step in plan.steps):
        texts.append("the tasks named above are stopped")
    if TASKS in kinds:
        texts.append("tasks are imported; new ones stay stopped")
    texts += [f"{one} are set" for one, kind in (("schedules", "schedules"), ("ACLs", ACL)) if kind in kinds]
    if any(step.stops and step.action != DELETE for step in plan.steps):
        texts.append("the tasks that ran are started again, where they stopped")
    if any(step.action == DELETE for step in plan.steps):
        texts.append("what is to be deleted is deleted")
    yield from ("In this order:", "")
    yield from (f"{number}. {text}" for number, text in enumerate(texts, start=1))
    yield from ("", "If something fails on the way, all that was done is backed out.")
    created = [step.key for step in plan.steps if step.action == CREATE and step.key.kind == "schedules"]
    if created or any(step.stays for step in plan.steps):
        yield "What an import has added cannot all be removed again; see *Back-out* below."


def _alike(steps: Sequence[Step]) -> list[list[Step]]:
    """Return the steps in groups that differ in nothing but the names of their objects, each where its first one is."""
    groups: dict[str, list[Step]] = {}
    for step in steps:
        what = (step.action, step.stops, step.shown["before"], step.shown["after"])
        alike = shown_value((*what, _anywhere(step, step.secrets), _anywhere(step, step.stays)))
        groups.setdefault(alike, []).append(step)
    return list(groups.values())


def _anywhere(step: Step, places: Sequence[str]) -> list[str]:
    """Return places without the name of their object, which is their second part."""
    return [place.replace(f"/{step.key.name}/", "/*/", 1) for place in places]


def _steps(alike: Sequence[Step]) -> Iterator[str]:
    step = alike[0]
    if len(alike) == 1:
        secrets, stays = list(step.secrets), list(step.stays)
        yield from (f"### {step.action}: {_text(step.key.text)}", "")
    else:
        secrets, stays = _anywhere(step, step.secrets), _anywhere(step, step.stays)
        yield from (f"### {step.action}: {len(alike)} objects, all in the same way", "")
        yield from (*(f"- {_text(one.key.text)}" for one in alike), "")
    if step.stops:
        yield from (
            "The task runs, and is stopped for this." if len(alike) == 1 else "They run, and are stopped for this.",
            "",
        )
    if step.action == CREATE and step.key.kind == TASKS:
        yield from ("The new task is not started.", "")
    if step.action == UPDATE and step.key.kind == ENDPOINTS:
        yield from ("Tasks that use it take the new settings at their next start.", "")
    if secrets:
        yield from (f"Secrets that must be given (option `secrets`): {', '.join(map(_code, secrets))}.", "")
    before, after = step.shown["before"], step.shown["after"]
    yield "```diff"
    for place in {**before, **after}:
        if place in before:
            yield f"- {_place(place)}: {_value(before[place])}"
        if place in after:
            yield f"+ {_place(place)}: {_value(after[place])}"
    yield from ("```", "")
    if stays:
        yield f"Back-out: an import cannot remove again {', '.join(map(_code, stays))}."
        if step.key.kind == TASKS:
            yield (
                "Only with `force: true` is the task then deleted and imported anew, which loses how far it has read."
            )
        yield ""
    elif step.action == CREATE and step.key.kind == "schedules":
        yield from ("Back-out: a new schedule cannot be removed; it is disabled.", "")


def _named(title: str, keys: Sequence[ObjectKey]) -> Iterator[str]:
    if keys:
        yield from (f"## {title}", "", *(f"- {_text(key.text)}" for key in keys), "")


def _place(text: str) -> str:
    return one_line(text)


def _value(value: object) -> str:
    text = one_line(shown_value(value))
    return text if len(text) <= LONGEST_VALUE else f"{text[:LONGEST_VALUE]}..."


def _text(text: str) -> str:
    """Return a text, parts of which are data, as it looks in Markdown."""
    return re.sub(r"([\\`*_{}\[\]<>()#+!|~&])", r"\\\1", one_line(text))


def _code(text: str) -> str:
    """Return a place as code; a backtick in it would end that."""
    return "`" + one_line(text).replace("`", "'") + "`"
