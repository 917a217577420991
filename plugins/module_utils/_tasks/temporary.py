# Copyright (c) 2026, dataops.qlik_em contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is private to the collection.

"""Objects that are imported for a moment and must not stay: their names, their deletion, the report of what is left."""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable, Iterable
from typing import NamedTuple, TypeVar

from .._client.api import Api
from .._client.errors import AemError, ApiError, TransportError, sentence
from .._common.lost_answers import confirm_lost_write
from .model import TASK_NOT_FOUND

T = TypeVar("T")

PREFIX = "dataops_qlik_em_temporary"  # somebody who finds one knows where it comes from
NO_ENDPOINT, IN_USE = "AEM_ENDPOINT_NOT_FOUND", "AEM_ENDPOINT_IS_IN_USE"
LATE = "it has not appeared yet, but may do so later"


class Leftover(NamedTuple):
    """Something that could not be removed, and why."""

    kind: str  # task, endpoint
    name: str
    msg: str


def new_name(kind: str) -> str:
    """Return a name that nobody else has; ``kind`` stands in it."""
    return f"{PREFIX}_{kind}_{uuid.uuid4().hex[:16]}"


def clean_up(
    api: Api, server: str, task: str, endpoints: Iterable[str], pause: float, may_come: bool = False
) -> list[Leftover]:
    """Delete a temporary task and the endpoints that it used, in this order.

    ``may_come`` is whether the import that makes them may not have taken effect yet.
    """
    left: list[Leftover] = []
    try:
        if not delete_task(api, server, task) and may_come:
            left.append(Leftover("task", task, LATE))
    except AemError as error:
        left.append(Leftover("task", task, error.message))
    patience = 0 if left else api.client.limits.import_lag  # the endpoints stay in use then
    return left + delete_unused(api, server, endpoints, patience, pause)


def delete_unused(api: Api, server: str, endpoints: Iterable[str], patience: float, pause: float) -> list[Leftover]:
    """Delete endpoints; the server may need a moment (``patience``) to know that the task that used them is deleted."""
    left: list[Leftover] = []
    for name in endpoints:
        try:
            _delete_unused(api, server, name, patience, pause)
        except AemError as error:
            left.append(Leftover("endpoint", name, error.message))
    return left


def _delete_unused(api: Api, server: str, name: str, patience: float, pause: float) -> None:
    deadline = time.monotonic() + patience
    while True:
        try:
            _twice(lambda: delete_endpoint(api, server, name))
            return
        except ApiError as error:
            if error.error_code != IN_USE or time.monotonic() >= deadline:
                raise
        api.client.interrupt.pause(pause)


def delete_task(api: Api, server: str, name: str) -> bool:
    """Delete a temporary task with its logs; return whether it is known to have been there."""

    def delete() -> bool:
        code = TASK_NOT_FOUND
        with confirm_lost_write(lambda: not api.get_task_details(server, name, accept=(TASK_NOT_FOUND,))):
            code = api.delete_task(server, name, with_logs=True, accept=(TASK_NOT_FOUND,)).error_code
        return not code

    return _twice(delete)


def delete_endpoint(api: Api, server: str, name: str) -> bool:
    """Delete an endpoint; return whether it was there (also if the answer is lost, and it is not there any more)."""
    code = ""
    with confirm_lost_write(lambda: all(item.get("name") != name for item in api.get_endpoint_list(server))):
        code = api.delete_endpoint(server, name, accept=(NO_ENDPOINT,)).error_code
    return not code


def _twice(delete: Callable[[], T]) -> T:
    """Delete something; once more if the call is lost and shows no effect: what this run made has no other user."""
    try:
        return delete()
    except TransportError as lost:
        if lost.final:
            raise
    return delete()


def did_nothing(failure: BaseException) -> bool:
    """Return whether it is certain that the server did not begin with an import that failed."""
    return (isinstance(failure, TransportError) and not failure.sent) or (
        isinstance(failure, ApiError) and failure.is_refusal
    )


def report_left_behind(
    error: AemError, server: str, left: list[Leftover], remedy: str = "to be deleted by hand"
) -> None:
    """Add to a failure what could not be removed; ``remedy`` says how it will be."""
    if left:
        names = " and ".join(f'the {one.kind} "{one.name}" ({one.msg.rstrip(".")})' for one in left)
        error.message = f'{sentence(error.message)} Left behind on server "{server}", and {remedy}: {names}.'
        error.facts["left_behind"] = [one._asdict() for one in left]
        error.hint = error.hint or "Delete it with aem_task and aem_endpoint (state: absent), or in the console."
