# Copyright (c) 2026, dataops.qlik_em contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is private to the collection.

"""Reading servers: one, several or all."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .._client.api import Api, Json, on_server
from .._client.checks import check_name
from .._client.nearest import suggestion
from .._common.missing import missing_names, missing_servers, values_of, warnings_of
from .._common.patterns import RunAll, is_literal, is_selected, read_servers
from .._run.result import Mode, Result
from .model import in_one_spelling, read_details


def gather(api: Api, params: Mapping[str, Any], mode: Mode, run_all: RunAll = map) -> Result:
    """Return the selected servers: what the list shows of them, and their details.

    A server that is named literally needs no GetServerList, which asks for a higher role. One that does not exist is
    left out, with a warning.
    """
    patterns = list(dict.fromkeys(check_name("name", name) for name in params["name"] or []))
    listed: dict[str, Json] = {}
    if not patterns or not all(map(is_literal, patterns)):
        listed = {item["name"]: in_one_spelling(item) for item in api.get_server_list()}

    def read(name: str) -> Json | None:
        if name in listed and not params["details"]:
            return listed[name]
        details = read_details(api, name)
        return {**listed.get(name, {}), **details} if details else None

    chosen = [name for name in listed if is_selected(name, patterns)]
    names = dict.fromkeys([*chosen, *filter(is_literal, patterns)])
    found, skipped = read_servers(names, read, params["on_server_error"], run_all)
    servers = {name: server for name, server in found.items() if server}
    there = [*servers, *(row["server"] for row in skipped.rows)]
    missing = [
        *missing_servers(patterns, there),
        *missing_names("server", patterns, there, suggest=lambda name: suggestion(api, on_server(name).path)),
    ]
    return Result(
        values={"servers": list(servers.values()), **values_of(missing), "skipped_servers": skipped.rows},
        warnings=warnings_of(missing) + skipped.warnings,
    )
