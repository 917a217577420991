# Copyright (c) 2026, dataops.qlik_em contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is private to the collection.

"""The licence of a Replicate server: sent each time, as nobody can read which one is registered."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from .._client.api import Api, Json, server_subject
from .._client.checks import check_name
from .._client.errors import AemError, InputError
from .._client.masking import LONGEST, pieces
from .._common.files import read_file
from .._common.lost_answers import settled
from .._run.result import Mode, Result
from .model import NOT_FOUND, read_details

UNKNOWN = "known only when it is registered"


def ensure(api: Api, params: Mapping[str, Any], mode: Mode) -> Result:
    """Register a licence (PutServerLicense); changed if the licence that GetServerDetails shows is another then.

    Raises AemError; its ``changed`` says whether this call may have changed the licence.
    """
    server = check_name("server", params["server"])
    text = _text(params)
    api.client.hide(pieces(text))
    before = _read(api, server)
    if mode.check:
        note = f"Whether this licence is the one that {server_subject(server)} has can be told only by registering it."
        return Result(True, {"license": before}, _diff(server, before, {"license": UNKNOWN}), [note])
    with settled(lambda: facts(_read(api, server)) != facts(before)):
        api.put_server_license(server, text)
    try:
        after = _read(api, server)
    except AemError as error:
        error.changed = True
        error.message = f"The licence was registered, but what became of it cannot be read. {error.message}"
        raise
    changed = facts(after) != facts(before)
    return Result(changed, {"license": after}, _diff(server, before, after) if mode.diff else None)


def _text(params: Mapping[str, Any]) -> str:
    """Return the licence; raise InputError with one clear line, which does not show it."""
    if (params["license"] is None) == (params["src"] is None):
        raise InputError("Give the licence by license or by src, and by one of them only.")
    text, option = params["license"], "license"
    if isinstance(text, (dict, list)):
        text = json.dumps(text)
    if params["src"] is not None:
        option = f"src ({params['src']})"
        text = read_file("src", params["src"])
        if text is None:
            raise InputError(f"{option} cannot be read: there is no such file.")
    text = str(text).removeprefix("\ufeff")  # as Windows editors write it
    if not text.strip():
        raise InputError(f"{option} holds no licence: it is empty.")
    if len(text) > LONGEST:
        raise InputError(f"{option} holds no licence: it has {len(text)} characters, and the most is {LONGEST}.")
    return text


def facts(shown: Json) -> Json:
    """Return what tells one licence from another: its dates and its state, not the days that are left of it."""
    return {key: shown.get(key) for key in ("issue_date", "expiration", "state")}


def _read(api: Api, server: str) -> Json:
    details = read_details(api, server)
    if details is None:
        # As the write would say, but before it.
        raise AemError(
            f"There is no {server_subject(server)}: the licence was not sent.",
            "server is the display name in Enterprise Manager, not a host name; upper and lower case count.",
            error_code=NOT_FOUND,
        )
    return details.get("license") or {}


def _diff(server: str, before: Json, after: Json) -> dict[str, Any]:
    shown = after if "license" in after else facts(after)
    return {"before": facts(before), "after": shown, "before_header": server, "after_header": server}
