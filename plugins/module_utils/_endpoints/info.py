# Copyright (c) 2026, dataops.qlik_em contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is private to the collection.

"""Reading endpoints of one, several or all servers, on request with their settings."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .._client.api import Api, Json
from .._client.checks import check_name
from .._client.errors import ApiError
from .._client.redaction import redacted
from .._client.replies import NOT_SUPPORTED
from .._common.missing import missing_names, missing_servers, on_servers, values_of, warnings_of
from .._common.patterns import find_servers, is_selected, read_servers
from .._run.result import Mode, Result
from .read import is_forbidden, settings_of
from .settings_type import unknown_type
from .types import SUFFIX, TYPES, check_type, kind_of, meaning


def gather(api: Api, params: Mapping[str, Any], mode: Mode) -> Result:
    """Return the selected endpoints (GetEndpointList, and ExportAll for settings)."""
    named = [check_name("server", server) for server in params["server"] or []]
    names = [check_name("name", name) for name in params["name"] or []]
    kinds = {meaning(check_type(kind)): kind for kind in params["type"] or []}
    there: set[str] = set()
    listed_names: list[str] = []
    roles = {role.upper() for role in params["role"] or []}
    warnings: list[str] = []

    def read(server: str) -> list[Json]:
        try:
            listed = api.get_endpoint_list(server)
        except ApiError as error:
            # A Compose server has no endpoints; that matters only to somebody who names it.
            if error.error_code == NOT_SUPPORTED and server not in named:
                return []
            raise
        there.update(kind_of(str(item.get("type"))) for item in listed)
        listed_names.extend(item["name"] for item in listed)
        found = [
            {**{key: value for key, value in item.items() if key != "$type"}, "server": server}
            for item in listed
            if is_selected(item["name"], names)
            and (not kinds or kind_of(str(item.get("type"))) in kinds)
            and (not roles or item.get("role") in roles)
        ]
        if params["settings"]:
            warnings.extend(_add_settings(api, server, found))
        return found

    chosen = find_servers(api, named)
    found, skipped = read_servers(chosen, read, params["on_server_error"])
    for kind, text in kinds.items():
        if kind not in TYPES and kind not in there and not text.upper().endswith(SUFFIX):
            raise unknown_type(text, there, f"If it is right, write it as exports do: {kind}{SUFFIX}.")
    endpoints = [endpoint for items in found.values() for endpoint in items]
    missing = missing_servers(named, chosen)
    if found and not skipped.rows:  # an endpoint may be on a server that could not be read
        missing += missing_names("endpoint", names, listed_names, on_servers(found))
    values = {"endpoints": endpoints, **values_of(missing), "skipped_servers": skipped.rows}
    return Result(values=values, warnings=warnings + warnings_of(missing) + skipped.warnings)


def _add_settings(api: Api, server: str, endpoints: list[Json]) -> list[str]:
    """Add ``settings``, without secrets, to each endpoint; return a warning if some cannot be read."""
    why = ""
    try:
        exported = settings_of(api, server, {one["name"] for one in endpoints}) if endpoints else {}
    except ApiError as refusal:
        if not is_forbidden(refusal):
            raise
        exported, why = {}, f" {refusal.message}"
    for one in endpoints:
        item = exported.get(one["name"])
        one["settings"] = redacted(item.get("db_settings") or {}) if item else None
    hidden = [one["name"] for one in endpoints if one["settings"] is None]
    text = f'The settings of endpoints of server "{server}" cannot be read: {", ".join(hidden)}.{why}'
    return [text] if hidden else []
