# Copyright (c) 2026, dataops.qlik_em contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The methods of servers: list, details, definition, licence."""

from __future__ import annotations

import re

from .. import checks, licences, rights, views
from ..document_servers import Server
from ..errors import ApiError, failure
from ..live import LiveServer
from ..views import Json
from .base import CONNECTION, NOTHING, Call, Operation, body_object, names_itself, unauthorized, with_server

_GUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
_PRODUCTS = {"AemReplicateServer": "REPLICATE", "AemComposeServer": "COMPOSE"}
_MOST_DESCRIPTION = 1000  # characters (assumption; the rules behind the codes were not seen)
_BAD_NAME = re.compile(r'[\x00-\x1f"<>\\]')  # assumption
_BAD_HOST = re.compile(r"[\s/\\@?#]")  # assumption


async def get_server_list(call: Call, _nothing: None) -> Json:
    """GetServerList: the servers that the caller may see (docs/enterprise_manager_api.md, 6.1)."""
    call.entry.executed = True
    seen = [
        server.settings
        for name, server in call.world.servers.items()
        if call.world.may(call.user, "Viewer", rights.server_scope(name))
    ]
    return {"serverList": [views.server_info(settings) for settings in seen]}


async def get_server_details(call: Call, server: LiveServer) -> Json:
    """GetServerDetails, which answers in every state of the server."""
    call.entry.executed = True
    phases = [task.phase for task in server.tasks.values()]
    memory = sum(task.memory_mb for task in server.tasks.values())
    key = call.world.document.options.server_details_key
    return {key: views.server_details(server.settings, phases, memory)}


async def get_server(call: Call, server: LiveServer) -> Json:
    """GetServer: the password is a GUID that means the stored one, in this session only."""
    call.entry.executed = True
    return views.server_definition(server.settings, call.session.password_guid(server.settings.name))


async def put_server(call: Call, _nothing: None) -> None:
    """PutServer: add a server or change its definition, then connect to it.

    The role differs: Admin on all servers for a new one, on the server for one that exists
    (docs/enterprise_manager_api.md, 7.2).
    """
    world, name = call.world, call.route.server
    old = world.servers.get(name)
    if not call.may("Admin", "server" if old else "all_servers"):
        raise unauthorized(call)
    body = body_object(call, "AemServer")
    name = _checked_name(call, body, name)
    old = world.servers.get(name)
    members = {"name": name, **_read(call, body), "password": _password(call, body, old)}
    if old and old.settings.is_compose is not (members["type"] == "COMPOSE"):
        raise call.fail("AEM_PUT_SERVER_INNER_ERR", message="The product of a server cannot be changed.")  # assumption
    if old:
        members["type"] = old.settings.type  # there are several kinds of Compose
    failing = old.settings.fail_put if old else world.document.variants.new_server.get("fail_put")
    if failing is not None:
        raise call.fail("AEM_PUT_SERVER_INNER_ERR", message=failing)
    monitored = members.pop("monitored")
    server = old or _registered(call, members)
    for key, value in members.items():
        setattr(server.settings, key, value)
    _connect(call, server, monitored)
    call.entry.executed = True


def _checked_name(call: Call, body: Json, name: str) -> str:
    """The name, which must be the one in the URL (docs/enterprise_manager_api.md, 6.7)."""
    given = body.get("name")
    if not isinstance(given, str) or not given.strip() or _BAD_NAME.search(given) or not names_itself(name, given):
        raise call.fail("AEM_INVALID_NAME", message="The name is not valid, or not the one of the request.")
    return given


def _read(call: Call, body: Json) -> Json:
    """The members of the definition, checked."""
    kind = next(iter(body), None)
    if call.world.document.variants.type_first and kind != "$type":
        raise _unreadable("$type is not the first member")
    if str(body.get("$type")) not in _PRODUCTS:
        raise _unreadable(f"unknown type {body.get('$type')!r}")
    description, host, user = (body.get(key) for key in ("description", "host", "username"))
    if not isinstance(description, (str, type(None))) or len(description or "") > _MOST_DESCRIPTION:
        raise call.fail("AEM_INVALID_DESC", message="The description is not valid.")
    if not isinstance(host, str) or not host or _BAD_HOST.search(host):
        raise call.fail("AEM_INVALID_HOST", message="The host is not valid.")
    if not isinstance(user, str) or not user.strip():
        raise call.fail("AEM_INVALID_USERNAME", message="The user name is not valid.")
    # Clients send both "443" and 443 (docs/enterprise_manager_api.md, 4.11).
    port = str(body.get("port", "443"))
    if not re.fullmatch(r"[0-9]{1,5}", port) or not 0 < int(port) < 65536 or isinstance(body.get("port"), float):
        raise _unreadable(f"{port} is not a port")
    return {
        # By $type, whatever `type` says (docs/enterprise_manager_api.md, 6.5).
        "type": _PRODUCTS[body["$type"]],
        "description": description or "",
        "host": host,
        "port": port,
        "user_name": user,
        "verify_server_certificate": _flag(body, "verify_server_certificate", False),
        "monitored": _flag(body, "monitored", True),
    }


def _flag(body: Json, key: str, default: bool) -> bool:
    """An on/off member; the defaults are those of the SDK's class."""
    value = default if body.get(key) is None else body[key]
    if not isinstance(value, bool):
        raise _unreadable(f"{key} is not a boolean")
    return value


def _password(call: Call, body: Json, old: LiveServer | None) -> str:
    """The password to store. A GUID is good only in the session that read it, and for the server it was read of."""
    given = body.get("password")
    if given is None:
        return ""
    if not isinstance(given, str):
        raise _unreadable("password is not a string")
    if not _GUID.fullmatch(given):
        return given
    if old is None or call.session.passwords.get(given.lower()) != old.settings.name:
        raise call.fail("AEM_PUT_SERVER_INNER_ERR", message="The password is not known in this session.")
    return old.settings.password


def _unreadable(message: str) -> ApiError:
    return failure("DESERIALIZE_TO_TYPE", type="AemServer", message=message)


def _registered(call: Call, members: Json) -> LiveServer:
    """A new server; a host that was there before has its tasks again (docs/enterprise_manager_api.md, 6.8)."""
    world = call.world
    given: Json = {**world.document.variants.new_server, "name": members["name"], "type": members["type"]}
    server = LiveServer(checks.read(Server, given, "variants.new_server"), world.clock)
    before = world.unregistered.pop(members["host"], None)
    if before is not None and before.settings.type == members["type"]:
        server.tasks, server.endpoints, server.others = before.tasks, before.endpoints, before.others
        kept = ("version", "platform", "license", "master_key", "import_seconds")
        for key in kept:
            setattr(server.settings, key, getattr(before.settings, key))
    world.servers[members["name"]] = server
    return server


def _connect(call: Call, server: LiveServer, monitored: bool) -> None:
    """Monitoring begins: the state may be ERROR first (docs/enterprise_manager_api.md, 6.6)."""
    settings = server.settings
    attempt = server.attempt = server.attempt + 1
    if not monitored:
        settings.state, settings.message = "NOT_MONITORED", ""
        return

    def connected(live: LiveServer) -> None:
        if live.attempt != attempt:  # overtaken by another PutServer
            return
        problem = live.settings.connect_error
        if problem is None and not live.settings.password:
            problem = "The server refused the user name or the password."
        live.settings.state = "MONITORED" if problem is None else "ERROR"
        live.settings.message = problem or ""

    settings.state, settings.message = "ERROR", settings.connect_message
    call.world.later(settings.connect_seconds, with_server(call, connected, settings.name))


async def delete_server(call: Call, server: LiveServer) -> None:
    """DeleteServer, in every state; Replicate itself goes on (docs/enterprise_manager_api.md, 6.8)."""
    if server.settings.fail_delete:
        raise call.fail("AEM_DELETE_SERVER_INNER_ERR")
    world, name = call.world, server.settings.name
    del world.servers[name]
    world.unregistered[server.settings.host] = server
    for session in world.sessions.values():
        session.passwords = {guid: item for guid, item in session.passwords.items() if item != name}
    call.entry.executed = True


async def put_server_license(call: Call, server: LiveServer) -> None:
    """PutServerLicense: the body is the licence file, text or JSON."""
    text = call.body.decode("utf-8-sig", "replace")
    if server.settings.fail_license is not None:
        raise call.fail("AEM_PUT_SRV_LIC_INNER_ERR", message=server.settings.fail_license)
    try:
        server.settings.license = licences.read(text)
    except ValueError as error:
        raise call.fail("AEM_PUT_SRV_LIC_INNER_ERR", message=str(error)) from error
    server.license_text = text
    call.entry.executed = True


OPERATIONS: dict[str, Operation] = {
    "GetServerList": Operation("Viewer", "all_servers", get_server_list),
    "GetServerDetails": Operation("Viewer", "server", get_server_details, NOTHING),
    "GetServer": Operation("Operator", "server", get_server, NOTHING),
    # The role is checked by the work: it depends on whether the server is new.
    "PutServer": Operation(None, "server", put_server, NOTHING, gets="nothing"),
    "DeleteServer": Operation("Admin", "server", delete_server, NOTHING),
    "PutServerLicense": Operation("Admin", "server", put_server_license, CONNECTION, replicate_only=True),
}
