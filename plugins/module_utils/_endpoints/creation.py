# Copyright (c) 2026, dataops.qlik_em contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is private to the collection.

"""Importing an endpoint, as the API has no call that creates one (docs/enterprise_manager_api.md, 6.30).

A task can be imported together with its endpoints. So a dummy task is, with the wanted endpoint and a dummy one at its
other end; then the dummies are deleted. They are deleted, too, if something fails on the way.
"""

from __future__ import annotations

import contextlib
import re
import time
import uuid
from collections.abc import Callable
from typing import NamedTuple

from .._client.api import DEFINITION, Api, Json
from .._client.errors import AemError, ApiError, TransportError, WaitError
from .._common.lost_answers import confirm_lost_write
from .._common.wait import TimedOut, Waiting, wait_until
from .._definitions.document import with_version
from .._tasks.model import TASK_NOT_FOUND
from .read import find
from .types import SUFFIX, TYPES

PREFIX = "dataops_qlik_em_temporary"  # of all that must not stay; somebody who finds it knows where it comes from
NO_ENDPOINT, IN_USE = "AEM_ENDPOINT_NOT_FOUND", "AEM_ENDPOINT_IS_IN_USE"
LATE = "it has not shown yet, but it may"
# The other end of the dummy task: a type that needs no settings (docs/enterprise_manager_api.md, 6.30).
SOURCE, TARGET = (
    {"role": role, "type_id": kind + SUFFIX, "db_settings": {"$type": TYPES[kind].settings_type}}
    for role, kind in (("SOURCE", "FILE"), ("TARGET", "NULL_TARGET"))
)


class Dummies(NamedTuple):
    """The names of what is imported beside the wanted endpoint."""

    task: str
    endpoint: str


class Leftover(NamedTuple):
    """Something that could not be removed, and why."""

    kind: str  # task, endpoint
    name: str
    msg: str


def new_dummies() -> Dummies:
    """Return names that nobody else has."""
    unique = uuid.uuid4().hex[:16]
    return Dummies(f"{PREFIX}_task_{unique}", f"{PREFIX}_endpoint_{unique}")


def new_item(name: str, kind: str, role: str, description: str | None, settings: Json) -> Json:
    """Return the item of ``databases`` for a new endpoint.

    ``kind`` as GetEndpointList shows it, e.g. ORACLE; ``settings`` with the class that fits it.
    """
    return {
        "name": name,
        **({"description": description} if description else {}),
        "role": role,
        "is_licensed": True,
        "type_id": kind + SUFFIX,
        "db_settings": {"$type": settings["$type"], **settings},  # first, as in exports
        "override_properties": {},
    }


def document(item: Json, dummies: Dummies, version: str) -> Json:
    """Return what to import: the dummy task between the wanted endpoint and a dummy.

    ``version`` of the server goes into it, or Replicate would fall back to defaults
    (docs/enterprise_manager_api.md, 9.4).
    """
    other: Json = {"name": dummies.endpoint, "is_licensed": True, "override_properties": {}}
    other.update(SOURCE if item["role"] == "TARGET" else TARGET)
    source, target = (other, item) if item["role"] == "TARGET" else (item, other)
    task = {
        "task": {"name": dummies.task, "source_name": source["name"], "target_names": [target["name"]]},
        "source": {
            "rep_source": {"source_name": source["name"], "database_name": source["name"]},
            "source_tables": {"name": source["name"], "explicit_included_tables": []},
        },
        "targets": [{"rep_target": {"target_name": target["name"], "database_name": target["name"]}}],
        "task_settings": {
            "source_settings": {},
            "target_settings": {},
            "sorter_settings": {},
            "common_settings": {},
        },
    }
    whole: Json = {"name": dummies.task, DEFINITION: {"tasks": [task], "databases": [source, target]}}
    return with_version(whole, version) if len(re.findall(r"\d+", version)) > 1 else whole


def import_endpoint(api: Api, server: str, item: Json, is_new: bool, waiting: Waiting) -> None:
    """Import one endpoint and leave nothing else behind.

    Raises AemError; what could not be removed is in its message and in ``left_behind``.
    """
    dummies, name, lag = new_dummies(), item["name"], api.client.limits.import_lag
    version = str(api.get_server_details(server).get("version") or "")

    def is_there() -> bool:
        listed = _listed(api, server)
        return (
            dummies.endpoint in listed
            and name in listed
            and (listed[name].get("description") or "") == (item.get("description") or "")
            and bool(api.get_task_details(server, dummies.task, accept=(TASK_NOT_FOUND,)))
        )

    def wait_for(seconds: float) -> bool:
        try:
            return wait_until(api, is_there, bool, seconds, waiting.sleep)
        except TimedOut as over:
            if over.trouble:
                raise over.trouble from None
            return False

    is_begun = is_accepted = False  # whether the server may have begun, and whether it said so
    try:
        with confirm_lost_write(lambda: wait_for(min(lag, waiting.timeout))):
            is_begun = True
            try:
                api.import_task(server, dummies.task, document(item, dummies, version))
            except AemError as failure:
                is_begun = not _did_nothing(failure)
                raise
        is_accepted = True
        if not wait_for(waiting.timeout):
            text = (
                f'The endpoint "{name}" was imported into server "{server}" and did not show within '
                f"{waiting.timeout} s."
            )
            raise WaitError(text, "Raise wait_timeout, or read the log of the Replicate server.")
    except BaseException as failure:
        if is_begun:
            with api.client.interrupt.deferred():
                if is_accepted and not isinstance(failure, WaitError):
                    _quietly(lambda: wait_for(lag))  # what is not there yet cannot be deleted
                wanted = name if is_new else None
                if not _brought_nothing(api, server, dummies, wanted):
                    left = clean_up(api, server, dummies, wanted, waiting.sleep)
                elif is_accepted or not isinstance(failure, ApiError):
                    left = [Leftover(kind, one, LATE) for kind, one in zip(("task", "endpoint"), dummies)]
                else:
                    left = []
            if isinstance(failure, AemError):
                failure.changed = failure.changed or bool(left) or is_accepted
                report_left_behind(failure, server, left)
        raise
    with api.client.interrupt.deferred():
        left = clean_up(api, server, dummies, None, waiting.sleep)
    if left:
        error = AemError(f'The endpoint "{name}" is on server "{server}" as wanted.')
        error.changed = True
        report_left_behind(error, server, left)
        raise error


def clean_up(api: Api, server: str, dummies: Dummies, wanted: str | None, pause: float) -> list[Leftover]:
    """Delete what was imported, in reverse; ``wanted`` is the endpoint itself, if it is to go, too."""
    left: list[Leftover] = []
    try:
        delete_task(api, server, dummies.task)
    except AemError as error:
        left.append(Leftover("task", dummies.task, error.message))
    patience = 0 if left else api.client.limits.import_lag  # the endpoints stay in use then
    for name in (dummies.endpoint, *([wanted] if wanted else [])):
        try:
            _delete_unused(api, server, name, patience, pause)
        except AemError as error:
            left.append(Leftover("endpoint", name, error.message))
    return left


def delete_task(api: Api, server: str, name: str) -> None:
    """Delete a task with its logs; one that is deleted already is fine."""
    with confirm_lost_write(lambda: not api.get_task_details(server, name, accept=(TASK_NOT_FOUND,))):
        api.delete_task(server, name, with_logs=True, accept=(TASK_NOT_FOUND,))


def delete_endpoint(api: Api, server: str, name: str) -> bool:
    """Delete an endpoint; return whether it was there (also if the answer is lost, and it is not there any more)."""
    code = ""
    with confirm_lost_write(lambda: find(api, server, name) is None):
        code = api.delete_endpoint(server, name, accept=(NO_ENDPOINT,)).error_code
    return not code


def report_left_behind(error: AemError, server: str, left: list[Leftover]) -> None:
    """Add to a failure what could not be removed."""
    if left:
        names = " and ".join(f'the {one.kind} "{one.name}" ({one.msg.rstrip(".")})' for one in left)
        error.message += f' Left behind on server "{server}", and to be deleted by hand: {names}.'
        error.facts["left_behind"] = [one._asdict() for one in left]
        error.hint = error.hint or "Delete it with aem_task and aem_endpoint (state: absent), or in the console."


def _delete_unused(api: Api, server: str, name: str, patience: float, pause: float) -> None:
    """Delete an endpoint that the dummy task used: the server may need a moment to know that the task is deleted."""
    deadline = time.monotonic() + patience
    while True:
        try:
            delete_endpoint(api, server, name)
            return
        except ApiError as error:
            if error.error_code != IN_USE or time.monotonic() >= deadline:
                raise
        api.client.interrupt.pause(pause)


def _brought_nothing(api: Api, server: str, dummies: Dummies, wanted: str | None) -> bool:
    """Return whether nothing of an import is there; if that cannot be read, it may be."""
    try:
        return not {dummies.endpoint, wanted} & _listed(api, server).keys() and not api.get_task_details(
            server, dummies.task, accept=(TASK_NOT_FOUND,)
        )
    except AemError:
        return False


def _listed(api: Api, server: str) -> dict[str, Json]:
    return {str(item.get("name")): item for item in api.get_endpoint_list(server)}


def _did_nothing(failure: AemError) -> bool:
    """Return whether it is certain that the server did not begin with the import."""
    return (isinstance(failure, TransportError) and not failure.sent) or (
        isinstance(failure, ApiError) and failure.is_refusal
    )


def _quietly(act: Callable[[], object]) -> None:
    with contextlib.suppress(AemError):  # the clean-up that follows meets the same trouble, and reports it
        act()
