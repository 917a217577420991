# Copyright (c) 2026, dataops.qlik_em contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is private to the collection.

"""A server in Enterprise Manager: read, plan, apply."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from .._client.api import Api, Json, on_server
from .._client.checks import check_name, check_text
from .._client.errors import AemError, InputError, WaitError
from .._client.nearest import CASE
from .._common.lost_answers import confirm_lost_write, from_the_read
from .._common.numbers import without_fraction
from .._common.wait import TimedOut, Waiting, check_waiting, wait_until
from .._run.result import Mode, Result, diff
from .model import MEMBERS, MONITORED, NOT_FOUND, TYPES, read_details, type_of, view

# What a new server has if nobody says otherwise. The SDK does not verify the certificate; we do.
DEFAULTS = {"description": "", "port": "443", "verify_server_certificate": True, "monitored": True}
# The options that are called otherwise than their members, as the connection options have those names.
OPTIONS = {"username": "server_username", "password": "server_password"}
NEEDED = ("type", "host", "username", "password")  # of a new server
MOST_PORT = 65535


class Wanted(NamedTuple):
    """The checked options; ``members`` are those of the definition that are to have a value, by their wire names."""

    name: str
    state: str
    type: str | None
    members: Json
    password: str | None
    is_password_sent: bool  # to a server that is there
    wait: bool
    waiting: Waiting

    @property
    def subject(self) -> str:
        """The server as messages name it."""
        return on_server(self.name).subject


class Plan(NamedTuple):
    """What to send (None: nothing), and what is shown of the server before and after it."""

    definition: Json | None
    before: dict[str, Any]
    after: dict[str, Any]
    is_delete: bool = False

    @property
    def changed(self) -> bool:
        """Whether anything is to be sent."""
        return self.definition is not None or self.is_delete


def ensure(api: Api, params: Mapping[str, Any], mode: Mode) -> Result:
    """Add a server, change it or remove it (GetServer, PutServer, DeleteServer).

    Raises AemError; its ``changed`` says whether this call may have changed the server.
    """
    wanted = check_options(params)
    todo = from_the_read(lambda: _apply(api, wanted, mode))
    shown, warnings = dict(todo.after), []
    if wanted.wait and not todo.after.get("monitored"):
        warnings.append(f"The {wanted.subject} is not monitored, so there is nothing to wait for.")
    elif wanted.wait and not mode.check:
        shown.update(_watch(api, wanted, todo))
    return Result(todo.changed, {"server": shown}, _diff(wanted, todo), warnings)


def check_options(params: Mapping[str, Any]) -> Wanted:
    """Return the checked options; raise InputError with one clear line."""
    state, always = params["state"], params["update_password"] == "always"
    members = {key: params[OPTIONS.get(key, key)] for key in MEMBERS}
    password = params["server_password"]
    for option, value in (
        ("host", members["host"]),
        ("server_username", members["username"]),
        ("server_password", password),
    ):
        if value is not None:
            check_text(option, value)
    port = members["port"]
    if port is not None and not 1 <= port <= MOST_PORT:
        raise InputError(f"port must be between 1 and {MOST_PORT}, not {port}.")
    if state == "present" and always and password is None:
        raise InputError("update_password: always needs server_password.")
    if params["wait"] and (state == "absent" or members["monitored"] is False):
        why = "state: absent" if state == "absent" else "monitored: false"
        raise InputError(f"wait cannot be used with {why}: it waits until the server is monitored.")
    return Wanted(
        name=check_name("name", params["name"]),
        state=state,
        type=params["type"],
        members={key: str(value) if key == "port" else value for key, value in members.items() if value is not None},
        password=password,
        is_password_sent=always,
        wait=params["wait"],
        waiting=check_waiting(params),
    )


def plan(wanted: Wanted, current: Json) -> Plan:
    """Return what leads from ``current`` (GetServer; empty: no such server) to what is wanted."""
    before = view(current)
    if wanted.state == "absent":
        return Plan(None, before, {}, is_delete=bool(current))
    definition = _changed(wanted, current) if current else _new(wanted)
    after = view(definition)
    is_needed = before != after or wanted.is_password_sent
    return Plan(definition if is_needed else None, before, after)


def _new(wanted: Wanted) -> Json:
    given = {**wanted.members, "type": wanted.type, "password": wanted.password}
    missing = [OPTIONS.get(key, key) for key in NEEDED if given.get(key) is None]
    if missing:
        raise InputError(
            f"There is no {wanted.subject} yet, and a new one needs {', '.join(missing)}.",
            CASE,
            not_found=on_server(wanted.name).path,
        )
    # $type must come first: the server decides by it what it reads (docs/enterprise_manager_api.md, 4.9).
    return {
        "$type": TYPES[str(wanted.type)],
        "name": wanted.name,
        **DEFAULTS,
        **wanted.members,
        "password": wanted.password,
    }


def _changed(wanted: Wanted, current: Json) -> Json:
    """Return the definition to send: what is there, unknown members and the password's GUID too, less what differs."""
    there = type_of(current)
    if wanted.type and wanted.type != there:
        raise InputError(
            f"The {wanted.subject} is of type {there}, which cannot be changed to {wanted.type}. Remove it first "
            "(state: absent), or choose another name."
        )
    user = wanted.members.get("username", current.get("username"))
    if user != current.get("username") and wanted.password is not None and not wanted.is_password_sent:
        raise InputError(
            f'The {wanted.subject} would get the user "{user}" with the password of the user '
            f'"{current.get("username")}", as update_password: on_create does not send the password to an existing '
            "server.",
            "Set update_password: always for this change. If both users have one password, leave server_password out.",
        )
    definition = {"$type": TYPES[there], **current, **wanted.members}
    if wanted.is_password_sent:
        definition["password"] = wanted.password
    return definition


def _read(api: Api, wanted: Wanted) -> Json:
    definition = api.get_server(wanted.name, accept=(NOT_FOUND,))
    api.client.hide([str(definition.get("password") or "")])
    return {key: without_fraction(value) for key, value in definition.items()}


def _apply(api: Api, wanted: Wanted, mode: Mode) -> Plan:
    """Read, plan and (but in check mode) write, within one session: the GUID of the password is good in no other."""
    todo = plan(wanted, _read(api, wanted))
    if mode.check or not todo.changed:
        return todo
    if todo.is_delete:
        answer = None
        with confirm_lost_write(lambda: not _read(api, wanted)):
            answer = api.delete_server(wanted.name, accept=(NOT_FOUND,))
        # Somebody else was faster.
        return todo._replace(is_delete=not (answer and answer.error_code))
    with confirm_lost_write(lambda: _is_done(api, wanted, todo)):
        api.put_server(wanted.name, todo.definition or {})
    return todo


def _is_done(api: Api, wanted: Wanted, todo: Plan) -> bool:
    """Return whether a PutServer has taken effect: as a whole, so that members that differ show it for the password."""
    if todo.before == todo.after:
        raise AemError("only the password was to be changed, and it cannot be read.")
    return view(_read(api, wanted)) == todo.after


def _watch(api: Api, wanted: Wanted, todo: Plan) -> dict[str, Any]:
    """Wait until the server is monitored and return its state and message.

    It may be in ERROR first (docs/enterprise_manager_api.md, 6.6).
    """
    try:
        details = wait_until(
            api,
            lambda: read_details(api, wanted.name) or {},
            lambda now: now.get("state") == MONITORED,
            *wanted.waiting,
        )
    except TimedOut as over:
        last = over.last or {}
        what = str(over.trouble) if over.trouble else f"{last.get('message') or 'no message'}"
        raise WaitError(
            f"The {wanted.subject} is not monitored after {wanted.waiting.timeout:g} s. It is in the state "
            f"{last.get('state', 'UNKNOWN')}: {what}",
            "Check host, port, server_username and server_password (update_password: always sends it again), and "
            "that Enterprise Manager reaches the server.",
            server={**todo.after, "state": last.get("state"), "message": last.get("message")},
        ) from over
    return {"state": details["state"], "message": details.get("message") or ""}


def _diff(wanted: Wanted, todo: Plan) -> dict[str, Any]:
    """Return the definition before and after; of a password only that it is sent."""
    before, after = dict(todo.before), dict(todo.after)
    if todo.definition is not None and wanted.is_password_sent and before:
        before["server_password"], after["server_password"] = "not shown", "sent anew, not shown"
    if not todo.changed:
        after = before
    return diff(before, after, wanted.name)
