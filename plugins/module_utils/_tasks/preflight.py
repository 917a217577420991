# Copyright (c) 2026, dataops.qlik_em contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is private to the collection.

"""What can be known of a definition before anything is sent: the endpoints that it names, and its release."""

from __future__ import annotations

import re
from typing import Any

from .._client.api import DEFINITION, Api, Json
from .._client.errors import AemError, ApiError
from .._definitions.document import endpoints_used, names_in
from .model import TaskName


class ServerEndpoints:
    """The names of a server's endpoints, read when they are asked for, and once (GetEndpointList).

    ``refusal`` is what the server said if the user may not read them.
    """

    def __init__(self, api: Api, server: str) -> None:
        self._api, self._server = api, server
        self._names: set[str] | None = None
        self.refusal = ""

    def names(self) -> set[str] | None:
        """Return the names; None if the user may not read them. Raises AemError for all else."""
        if self._names is None and not self.refusal:
            try:
                self._names = {str(item.get("name")) for item in self._api.get_endpoint_list(self._server)}
            except ApiError as error:
                if not error.is_refusal:
                    raise
                self.refusal = error.message
        return self._names


def endpoints_named(item: Json) -> set[str]:
    """Return the names of all endpoints that an item of ``tasks`` reads from and writes to, wherever it names them."""
    named = endpoints_used(item)
    source = _member(_member(item, "source"), "rep_source", "source_name")
    listed = _member(item, "task", "target_names")
    targets = _member(item, "targets")
    written = {_member(one, "rep_target", "target_name") for one in (targets if isinstance(targets, list) else [])}
    if isinstance(listed, list):  # what belongs to another target has no effect (docs/enterprise_manager_api.md, 9.8)
        written &= {name for name in listed if isinstance(name, str)}
    return named | {name for name in (source, *written) if isinstance(name, str)}


def _member(value: Any, *names: str) -> Any:
    for name in names:
        value = value.get(name) if isinstance(value, dict) else None
    return value


def check_endpoints(task: TaskName, document: Json, before: Json, listed: ServerEndpoints) -> list[str]:
    """Raise AemError if the definition of a task names an endpoint that is neither on the server nor in it.

    Such an import is refused (docs/enterprise_manager_api.md, 9.19). Those of the task as it is (``before``) are there.
    Returns a warning if the user may not read which ones are.
    """
    known = set(names_in(document, "databases"))
    for item in before[DEFINITION].get("tasks") or [] if before else []:
        known |= endpoints_used(item)
    unknown = endpoints_named(document[DEFINITION]["tasks"][0]) - known
    there = listed.names() if unknown else set()
    if there is None:
        names = ", ".join(sorted(unknown))
        return [f'Whether server "{task.server}" has these endpoints could not be checked: {names}. {listed.refusal}']
    missing = sorted(unknown - there)
    if missing:
        raise AemError(
            f"The definition of the {task.subject} names endpoints that are neither on the server nor in the "
            f"definition: {', '.join(missing)}. Nothing was sent.",
            "Create them with aem_endpoint, add them to the definition, or name others in it.",
        )
    return []


def version_warnings(task: TaskName, document: Json, before: Json) -> list[str]:
    """Return a warning if a definition is of a newer release than the server, as its own export (``before``) shows.

    What a server does then is not documented (docs/enterprise_manager_api.md, 9.20).
    """
    given, there = _release(document), _release(before)
    if not given or not there or given <= there:
        return []
    return [
        f'The definition is of Replicate {given[0]}.{given[1]}, and server "{task.server}" has {there[0]}.{there[1]}: '
        "the server may refuse it, or not know all of its settings."
    ]


def _release(document: Json) -> tuple[int, ...]:
    """Return the release of a definition's ``_version``, e.g. (2024, 11); empty if it has none."""
    numbers = re.findall(r"\d+", str(_member(document, "_version", "version") or ""))
    return tuple(map(int, numbers[:2])) if len(numbers) > 1 else ()
