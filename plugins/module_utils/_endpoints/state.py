# Copyright (c) 2026, dataops.qlik_em contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is private to the collection.

"""The state of an endpoint: read, plan, apply."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from typing import Any, NamedTuple

from .._client.api import Api, Json, on_endpoint
from .._client.checks import check_name
from .._client.error_codes import advice_on
from .._client.errors import AemError, ApiError, InputError
from .._client.nearest import CASE
from .._client.redaction import redacted
from .._common.lost_answers import confirm_lost_write
from .._common.wait import Waiting, check_waiting
from .._run.result import Mode, Result, diff
from .._tasks.temporary import IN_USE, delete_endpoint
from . import settings as settings_
from .creation import import_endpoint, new_item
from .read import find, is_forbidden, settings_of, users_of
from .settings import Change, Path
from .settings_type import find_settings_type
from .types import check_type, kind_of, meaning

DESERIALIZE = "DESERIALIZE_TO_TYPE"
READERS = "Settings can be read by an Admin of Enterprise Manager, or by the Operator of a task that uses the endpoint."


class Options(NamedTuple):
    """The checked options. ``role`` and ``kind`` as GetEndpointList shows them; None: not given.

    ``settings`` hold ``settings_type``, and the secrets.
    """

    server: str
    name: str
    state: str
    type: str | None  # as it is given; what it means is ``kind``
    kind: str | None
    role: str | None
    description: str | None
    settings: Json
    secret: frozenset[Path]
    always: bool  # whether secrets that cannot be compared are sent
    configuration: str | None
    recycle: bool
    waiting: Waiting

    @property
    def subject(self) -> str:
        """The endpoint as messages name it."""
        return on_endpoint(self.server, self.name).subject


class Plan(NamedTuple):
    """What leads to the wanted endpoint: an import (of a new one, or for another description), then a patch."""

    item: Json | None
    is_new: bool
    patch: tuple[Change, ...]
    before: Json
    after: Json

    @property
    def changed(self) -> bool:
        """Whether anything is to be sent."""
        return self.item is not None or bool(self.patch)


def ensure(api: Api, params: Mapping[str, Any], mode: Mode) -> Result:
    """Create, change, delete or reconfigure one endpoint. Raises AemError; see ``changed``."""
    options = check_options(params)
    if options.state == "absent":
        return _remove(api, options, mode)
    if options.state == "reconfigured":
        return _reconfigure(api, options, mode)
    listed = api.get_endpoint_list(options.server)
    known = next((item for item in listed if item.get("name") == options.name), None)
    stored = None
    if known is None:
        kind = check_new(options)
        if not options.settings.get("$type"):
            found = find_settings_type(api, options.server, str(options.type), kind, listed)
            options = options._replace(settings={**options.settings, "$type": found})
    else:
        check_unchangeable(options, known)
        if options.settings or _description_differs(options, known):
            stored = _stored(api, options)
    todo = plan(options, known, stored)
    if not mode.check:
        _apply(api, options, todo)
    view = {
        "server": options.server,
        "name": options.name,
        "type": known["type"] if known else options.kind,
        "role": known["role"] if known else options.role,
        "description": (known or {}).get("description") or "" if options.description is None else options.description,
    }
    return Result(todo.changed, {"endpoint": view}, _diff(options, todo.before, todo.after))


def check_options(params: Mapping[str, Any]) -> Options:
    """Return the checked options; raise InputError with one clear line."""
    state = params["state"]
    given, secrets = with_type(params["settings"] or {}, params["settings_type"]), params["secrets"] or {}
    settings_.check("settings", given)
    settings_.check("secrets", secrets, is_secret=True)
    if state != "present":
        for option in ("type", "role", "description", "settings_type", "settings", "secrets"):
            if params[option] is not None:
                raise InputError(f"{option} cannot be used with state: {state}.")
    if (params["configuration"] is not None) != (state == "reconfigured"):
        raise InputError("configuration is required with state: reconfigured, and cannot be used with any other state.")
    role = params["role"].upper() if params["role"] else None
    options = Options(
        server=check_name("server", params["server"]),
        name=check_name("name", params["name"]),
        state=state,
        type=params["type"],
        kind=meaning(check_type(params["type"]), role) if params["type"] is not None else None,
        role=role,
        description=params["description"],
        settings=settings_.merged(given, secrets),
        secret=frozenset(settings_.paths(secrets)),
        always=params["update_password"] == "always",
        configuration=params["configuration"],
        recycle=params["recycle"],
        waiting=check_waiting(params),
    )
    if options.configuration is not None and check_name("configuration", options.configuration) == options.name:
        raise InputError("configuration must name a different endpoint than name.")
    return options


def with_type(settings: Json, settings_type: str | None) -> Json:
    """Return settings with their class in them; raise InputError if they have another one."""
    if settings_type is None:
        return settings
    check_name("settings_type", settings_type)
    if settings.get("$type") not in (None, settings_type):
        raise InputError(
            f'settings_type is "{settings_type}", but settings.$type is "{settings["$type"]}": leave one of them out.'
        )
    return {**settings, "$type": settings_type}


def check_new(options: Options) -> str:
    """Return the type of a new endpoint; raise InputError unless the options give all that it needs."""
    missing = [option for option, value in (("type", options.kind), ("role", options.role)) if not value]
    if missing:
        raise InputError(
            f"There is no {options.subject}. To create it, {' and '.join(missing)} must be given.",
            CASE,
            not_found=on_endpoint(options.server, options.name).path,
        )
    return str(options.kind)


def check_unchangeable(options: Options, known: Mapping[str, Any]) -> None:
    """Raise InputError if the options want another type or role than the endpoint has: no call can change these."""
    for option, given, wanted, is_now in (
        ("type", options.type, options.kind, kind_of(str(known.get("type")))),
        ("role", options.role, options.role, str(known.get("role"))),
    ):
        if wanted and wanted != is_now:
            raise InputError(
                f"The {options.subject} has the {option} {is_now.lower()}, not {str(given).lower()}, and the API "
                "cannot change it.",
                "Leave the option out, or delete the endpoint first (state: absent).",
            )


def plan(options: Options, known: Mapping[str, Any] | None, stored: Json | None) -> Plan:
    """Return what leads to the wanted endpoint.

    ``known`` is what the list shows of it (None: there is none), ``stored`` its item in an export (None: not needed).
    """
    if known is None:
        wanted = settings_.without_nulls(options.settings)
        item = new_item(options.name, str(options.kind), str(options.role), options.description, wanted)
        shown = {"type": item["type_id"], "role": item["role"], "description": item.get("description", "")}
        return Plan(item, True, (), {}, {**shown, "settings": settings_.covered(item["db_settings"], options.secret)})
    if stored is None:
        return Plan(None, False, (), {}, {})
    found = settings_.changes(stored.get("db_settings") or {}, options.settings, options.always, options.secret)
    settings_.check_fixed(found)
    before, after = settings_.shown(found, options.secret)
    todo = Plan(None, False, tuple(found), {"settings": before} if found else {}, {"settings": after} if found else {})
    if not _description_differs(options, known):
        return todo
    # Only an import changes it. It merges, so it gets the whole item: what stays must not be taken for missing.
    return todo._replace(
        item={**stored, "description": options.description},
        before={"description": known.get("description") or "", **todo.before},
        after={"description": options.description, **todo.after},
    )


def _description_differs(options: Options, known: Mapping[str, Any]) -> bool:
    return options.description is not None and options.description != (known.get("description") or "")


def _stored(api: Api, options: Options) -> Json:
    """Return the endpoint's item in an export."""
    try:
        found = settings_of(api, options.server, {options.name})
    except ApiError as refusal:
        if is_forbidden(refusal):
            refusal.message = f"The settings of the {options.subject} cannot be read. {refusal.message}"
            refusal.hint = f"{READERS} {refusal.hint}"
        raise
    if options.name not in found:
        raise AemError(f"The settings of the {options.subject} cannot be read: no export contains them.", READERS)
    return found[options.name]


def _apply(api: Api, options: Options, todo: Plan) -> None:
    """Send what is planned."""
    if todo.item:
        try:
            import_endpoint(api, options.server, todo.item, todo.is_new, options.waiting)
        except ApiError as refusal:
            if todo.is_new and refusal.error_code == DESERIALIZE:
                settings_type = todo.item["db_settings"]["$type"]
                refusal.hint += f' If the class of the settings ("{settings_type}") is wrong, give settings_type.'
            raise
    if not todo.patch:
        return

    def is_done() -> bool:
        if any(change.is_secret and change.op != "remove" for change in todo.patch):
            raise AemError("Secrets cannot be compared.")
        return not settings_.changes(_stored(api, options).get("db_settings") or {}, options.settings)

    try:
        with confirm_lost_write(is_done):
            api.patch_endpoint(options.server, options.name, [change.operation() for change in todo.patch])
    except AemError as error:
        if todo.item:
            error.message = f"The description of the {options.subject} was changed, but not its settings. {error}"
        raise


def _remove(api: Api, options: Options, mode: Mode) -> Result:
    """Delete the endpoint. The answer shows whether it was there, so it is read first only for a diff."""
    known = find(api, options.server, options.name) if mode.shows_diff else None
    before = {key: known.get(key) or "" for key in ("type", "role", "description")} if known else {}
    change = _diff(options, before, {})
    if mode.check:
        users = users_of(api, options.server, options.name) if known else None
        if users:
            raise _in_use(options, users)
        return Result(known is not None, diff=change)
    try:
        return Result(delete_endpoint(api, options.server, options.name), diff=change)
    except ApiError as error:
        users = None
        if error.error_code == IN_USE:
            with contextlib.suppress(AemError):  # that it is in use is what matters, not that nobody says by whom
                users = users_of(api, options.server, options.name)
        if users:
            raise _in_use(options, users, error.facts) from error
        raise


def _in_use(options: Options, users: list[str], facts: Mapping[str, Any] | None = None) -> AemError:
    names = ", ".join(f'"{name}"' for name in users)
    kind = "the task" if len(users) == 1 else "the tasks"
    text = f"The {options.subject} cannot be deleted: it is used by {kind} {names}."
    return AemError(text, advice_on(IN_USE).remedy, **{"error_code": IN_USE, **(facts or {}), "tasks": users})


def _reconfigure(api: Api, options: Options, mode: Mode) -> Result:
    """Copy the settings of another endpoint. Where both can be read, only if they differ."""
    pair = (options.name, str(options.configuration))
    known = {str(item.get("name")): item for item in api.get_endpoint_list(options.server)}
    for name in pair:
        if name not in known:
            target = on_endpoint(options.server, name)
            raise InputError(f"There is no {target.subject}.", CASE, not_found=target.path)
        kind, role = kind_of(str(known[name].get("type"))), known[name].get("role")
        if kind != "ORACLE" or role == "TARGET":  # (docs/enterprise_manager_api.md, 6.38)
            raise InputError(
                f'Only Oracle source endpoints can be reconfigured, but "{name}" has the type {kind.lower()} and the '
                f"role {str(role).lower()}."
            )

    def read() -> tuple[Json, Json] | None:
        try:
            found = settings_of(api, options.server, pair)
        except ApiError as refusal:
            if is_forbidden(refusal):
                return None
            raise
        if len(found) < len(pair):
            return None
        return found[pair[0]].get("db_settings") or {}, found[pair[1]].get("db_settings") or {}

    def is_same(settings: tuple[Json, Json] | None) -> bool:
        return settings is not None and settings_.comparable(settings[0]) == settings_.comparable(settings[1])

    both = read()
    changed = options.always or not is_same(both)
    shown = [{"settings": redacted(one)} for one in both] if both else [{}, {}]
    before, after = shown[0], {**shown[1], "configuration": options.configuration} if changed else shown[0]
    if changed and not mode.check:
        with confirm_lost_write(lambda: not options.always and is_same(read())):
            api.reconfigure_endpoint_no_wait(options.server, *pair, options.recycle)
    return Result(changed, diff=_diff(options, before, after))


def _diff(options: Options, before: Json, after: Json) -> Json:
    return diff(before, after, f"{options.server}/{options.name}")
