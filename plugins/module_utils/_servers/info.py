# Copyright (c) 2026, dataops.qlik_em contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is private to the collection.

"""Reading servers: one, several or all."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .._client.api import Api
from .._client.checks import check_name
from .._client.errors import ApiError
from .._fleets.selection import is_literal, matches, skip_warnings
from .._run.result import Mode, Result
from .model import in_one_spelling, read_details


def gather(api: Api, params: Mapping[str, Any], mode: Mode) -> Result:
    """Return the selected servers: what the list tells of them, and their details.

    A server that is named literally needs no GetServerList, which asks for a higher role. One that does not exist is
    left out.
    """
    patterns = list(dict.fromkeys(check_name("name", name) for name in params["name"] or []))
    listed: dict[str, dict[str, Any]] = {}
    if not patterns or not all(map(is_literal, patterns)):
        listed = {item["name"]: in_one_spelling(item) for item in api.get_server_list()}
    chosen = [name for name in listed if not patterns or any(matches(name, pattern) for pattern in patterns)]
    servers: list[dict[str, Any]] = []
    skipped: list[dict[str, Any]] = []
    for name in dict.fromkeys([*chosen, *filter(is_literal, patterns)]):
        if name in listed and not params["details"]:
            servers.append(listed[name])
            continue
        try:
            details = read_details(api, name)
        except ApiError as error:
            if params["on_server_error"] == "fail":
                raise
            skipped.append({"server": name, "msg": error.message, **error.facts})
            continue
        if details:
            servers.append({**listed.get(name, {}), **details})
    return Result(values={"servers": servers, "skipped_servers": skipped}, warnings=skip_warnings(skipped))
