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
from collections.abc import Callable
from typing import NamedTuple

from .._client.api import DEFINITION, Api, Json
from .._client.errors import AemError, ApiError, WaitError
from .._common.lost_answers import confirm_lost_write
from .._common.wait import TimedOut, Waiting, wait_until
from .._definitions.document import with_version
from .._tasks.model import TASK_NOT_FOUND
from .._tasks.temporary import LATE, Leftover, clean_up, did_nothing, new_name, report_left_behind
from .types import SUFFIX, TYPES

# The other end of the dummy task: a type that needs no settings (docs/enterprise_manager_api.md, 6.30).
SOURCE, TARGET = (
    {"role": role, "type_id": kind + SUFFIX, "db_settings": {"$type": TYPES[kind].settings_type}}
    for role, kind in (("SOURCE", "FILE"), ("TARGET", "NULL_TARGET"))
)


class Dummies(NamedTuple):
    """The names of what is imported beside the wanted endpoint."""

    task: str
    endpoint: str


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
    dummies, name, lag = Dummies(new_name("task"), new_name("endpoint")), item["name"], api.client.limits.import_lag
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
                is_begun = not did_nothing(failure)
                raise
        is_accepted = True
        if not wait_for(waiting.timeout):
            text = (
                f'The endpoint "{name}" was imported into server "{server}", but has not appeared after '
                f"{waiting.timeout} s."
            )
            raise WaitError(text, "Raise wait_timeout, or read the log of the Replicate server.")
    except BaseException as failure:
        if is_begun:
            with api.client.interrupt.deferred():
                if is_accepted and not isinstance(failure, WaitError):
                    _quietly(lambda: wait_for(lag))  # what is not there yet cannot be deleted
                endpoints = [dummies.endpoint, *([name] if is_new else [])]
                if not _brought_nothing(api, server, dummies.task, endpoints):
                    left = clean_up(api, server, dummies.task, endpoints, waiting.sleep)
                elif is_accepted or not isinstance(failure, ApiError):
                    left = [Leftover(kind, one, LATE) for kind, one in zip(("task", "endpoint"), dummies)]
                else:
                    left = []
            if isinstance(failure, AemError):
                failure.changed = failure.changed or bool(left) or is_accepted
                report_left_behind(failure, server, left)
        raise
    with api.client.interrupt.deferred():
        left = clean_up(api, server, dummies.task, [dummies.endpoint], waiting.sleep)
    if left:
        error = AemError(
            f'The endpoint "{name}" on server "{server}" is as requested, but temporary objects could not be deleted.'
        )
        error.changed = True
        report_left_behind(error, server, left)
        raise error


def _brought_nothing(api: Api, server: str, task: str, endpoints: list[str]) -> bool:
    """Return whether nothing of an import is there; if that cannot be read, it may be."""
    try:
        return not set(endpoints) & _listed(api, server).keys() and not api.get_task_details(
            server, task, accept=(TASK_NOT_FOUND,)
        )
    except AemError:
        return False


def _listed(api: Api, server: str) -> dict[str, Json]:
    return {str(item.get("name")): item for item in api.get_endpoint_list(server)}


def _quietly(act: Callable[[], object]) -> None:
    with contextlib.suppress(AemError):  # the clean-up that follows meets the same trouble, and reports it
        act()
