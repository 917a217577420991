# Copyright (c) 2026, dataops.qlik_em contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is private to the collection.

"""What is known of a server: its definition and its details, in one spelling."""

from __future__ import annotations

from typing import Any

from .._client.api import Api, Json
from .._client.errors import ApiError

NOT_FOUND = "AEM_SERVER_NOT_FOUND"
MONITORED = "MONITORED"
TYPES = {"replicate": "AemReplicateServer", "compose": "AemComposeServer"}  # of GetServer and PutServer
# The spelling of one page of the guide, and that of the others and of the SDKs
# (docs/enterprise_manager_api.md, 6.10).
LICENSE_STATES = {
    "LICENSE_VALID": "VALID_LICENSE",
    "LICENSE_INVALID_CHECKSUM": "INVALID_LICENSE_CHECKSUM",
    "LICENSE_EXPIRED": "EXPIRED_LICENSE",
}
MEMBERS = ("description", "host", "port", "username", "verify_server_certificate", "monitored")


def type_of(definition: Json) -> str:
    """Return the product of a definition as the option ``type`` names it."""
    # `type` varies between products of one kind (COMPOSE, COMPOSE_FDL, ...) and may be wrong
    # (docs/enterprise_manager_api.md, 6.5).
    kind = str(definition.get("$type") or definition.get("type") or "")
    return "compose" if "COMPOSE" in kind.upper() else "replicate"


def view(definition: Json) -> dict[str, Any]:
    """Return what is shown of a definition: never the password, which is a GUID. Of no definition nothing."""
    if not definition:
        return {}
    shown = {key: definition.get(key) for key in MEMBERS}
    # The port is a text on the wire, and clients send numbers, too (docs/enterprise_manager_api.md, 4.11).
    shown.update(description=shown["description"] or "", port=str(shown["port"] or ""))
    return {"name": definition["name"], "type": type_of(definition), **shown}


def read_details(api: Api, name: str) -> Json | None:
    """Return the details of a server in one spelling (GetServerDetails), None if there is no such server."""
    try:
        details = api.get_server_details(name)
    except ApiError as error:
        if error.error_code != NOT_FOUND:
            raise
        return None
    return in_one_spelling({"name": name, **details})


def in_one_spelling(item: Json) -> Json:
    """Return a server as GetServerList or GetServerDetails shows it, by the same members from both.

    The details have host, port and user inside ``configuration``, the user under two names
    (docs/enterprise_manager_api.md, 6.2).
    """
    shown = {key: value for key, value in item.items() if key not in ("$type", "configuration")}
    shown.setdefault("type", type_of(item).upper())
    configuration = item.get("configuration") or {}
    shown.update({key: value for key, value in configuration.items() if key not in ("user_name", "$type")})
    if "user_name" in configuration:
        shown["username"] = configuration["user_name"]
    if isinstance(item.get("license"), dict):
        state = item["license"].get("state")
        shown["license"] = {**item["license"], "state": LICENSE_STATES.get(state, state)}
        shown["license"].pop("$type", None)
    return shown
