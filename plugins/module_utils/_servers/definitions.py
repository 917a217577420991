# Copyright (c) 2026, dataops.qlik_em contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is private to the collection.

"""The definitions of a whole server (ImportAll): add and change what differs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .._client.api import Api, Json
from .._client.checks import check_name
from .._client.errors import AemError, InputError
from .._common.wait import check_waiting
from .._definitions import diff as definition_diff
from .._definitions import objects
from .._definitions.diff import Leaves
from .._definitions.document import name_of, names_in
from .._definitions.importing import Import, given_definition, hide_secrets, ready_to_send, warnings_about
from .._definitions.model import BODY, KINDS, Where, name
from .._run.result import Mode, Result
from .._tasks.model import MOVING, state_of


def ensure(api: Api, params: Mapping[str, Any], mode: Mode) -> Result:
    """Make the objects of a server, of the kinds that are asked for, be as the definition says.

    Only what differs is sent, so that a running task that is as it should be does no harm. Raises AemError; its
    ``changed`` says whether this call may have changed something.
    """
    server, kinds = check_name("server", params["server"]), objects.asked(params["objects"])
    check_waiting(params)
    label, whole = given_definition(api, params)
    rules, always = hide_secrets(api, label, whole, params), params["update_password"] == "always"
    if not any(whole[BODY].values()):
        raise InputError(f"{label} is empty: it contains neither tasks nor endpoints nor anything else.")
    document, beyond = objects.only(whole, kinds), objects.beyond(whole, kinds)
    objects.check(label, document)
    before = objects.only(api.export_all(server), kinds)
    found = definition_diff.compare(label, before, document, rules, always)
    changes = found.changes
    remaining = [where for where in found.remaining if not objects.is_another_object(where)]
    is_forced = params["force_import"]
    places = set(found.wanted) if is_forced else set(changes)
    part = differing(found.document, before, places)
    warnings = objects.warning_about(beyond)
    new_endpoints = set(names_in(document, "databases")) - set(names_in(before, "databases"))
    warnings += warnings_about(found._replace(remaining=remaining), always, new_endpoints)
    if places:
        why = "are to be imported (force_import)" if is_forced else "differ from the definition"
        _refuse_moving(api, server, names_in(part, "tasks"), why)
        if not mode.check:

            def read() -> Leaves:
                return definition_diff.leaves(objects.only(api.export_all(server), kinds))

            part = ready_to_send(api, server, part)
            sending = Import(api, params, read, found.wanted, is_visible=bool(changes))
            warnings += sending.send(part, f'server "{server}"', lambda sent: api.import_all(server, sent))
    values = {
        "tasks": sorted(names_in(part, "tasks")),
        "endpoints": sorted(names_in(part, "databases")),
        "objects": objects.rows(document, places),
        "not_imported": beyond,
        "not_removed": [name(where) for where in remaining],
    }
    shown = definition_diff.diff(changes, server, rules)
    if places and not changes:
        shown = definition_diff.forced(shown)
    return Result(bool(places), values, shown, warnings)


def differing(document: Json, before: Json, places: set[Where]) -> Json:
    """Return the definition with those tasks, endpoints and other objects only that hold one of the places.

    ``before`` is what the server has: lists of other objects are sent whole.
    """
    content: Json = {}
    items, members = {where[:2] for where in places}, {where[0] for where in places}
    for key, value in document[BODY].items():
        if key in KINDS:
            content[key] = [item for item in value or [] if (key, name_of(key, item)) in items]
        elif key in members:
            content[key] = objects.laid_over(before[BODY].get(key), value, key)
    return {**document, BODY: content}


def _refuse_moving(api: Api, server: str, names: list[str], why: str) -> None:
    """Raise AemError if one of the tasks, which are imported for the reason ``why``, runs.

    Their import would be refused (docs/enterprise_manager_api.md, 9.9).
    """
    if not names:
        return
    states = {item.get("name"): state_of(str(item.get("state"))) for item in api.get_task_list(server)}
    moving = [name for name in names if states.get(name) in MOVING]
    if moving:
        raise AemError(
            f'Tasks of server "{server}" that {why} are not stopped: {", ".join(moving)}. Nothing was imported.',
            "Stop them first (aem_task_batch), and start them again afterwards.",
        )
