# Copyright (c) 2026, dataops.qlik_em contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is private to the collection.

"""The licence of a Replicate server: sent each time, as nobody can read which one is registered."""

from __future__ import annotations

import contextlib
import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from .._client.api import Api, Json, on_server
from .._client.checks import check_name
from .._client.error_codes import advice_on
from .._client.errors import AemError, InputError
from .._client.masking import DATE, LONGEST
from .._common.files import read_file
from .._common.lost_answers import confirm_lost_write
from .._run.result import Mode, Result, diff
from .model import NOT_FOUND, read_details

UNKNOWN = "known only when it is registered"
LEAST_PIECE = 8  # characters of a part of a licence that is worth hiding


def secret_pieces(value: Any, _params: Mapping[str, Any]) -> Iterator[str]:
    """Yield the parts of a licence that must not come out: a message may show a line or a value of it.

    Not its dates, which are shown on purpose, and no plain words, of which messages consist.
    """
    text = _as_text(value)
    if len(text) > LONGEST:  # too long for a licence, and for pieces
        yield text
        return
    for line in text.splitlines():
        if len(line.strip()) >= LEAST_PIECE and not DATE.fullmatch(line.strip()):
            yield line.strip()
        for part in re.split(r"[=:,]", line):  # in JSON, too
            piece = part.strip(" \t\"'{}[]")
            if len(piece) >= LEAST_PIECE and any(map(str.isdigit, piece)) and not DATE.fullmatch(piece):
                yield piece
                if "\\" in piece:  # as JSON writes it
                    with contextlib.suppress(ValueError):
                        yield json.loads(f'"{piece}"', strict=False)


def ensure(api: Api, params: Mapping[str, Any], mode: Mode) -> Result:
    """Register a licence (PutServerLicense); changed if the licence that GetServerDetails shows is another then.

    Raises AemError; its ``changed`` says whether this call may have changed the licence.
    """
    server = check_name("server", params["server"])
    text = _text(params)
    api.client.hide(secret_pieces(text, params))
    before = _read(api, server)
    if mode.check:
        subject = on_server(server).subject
        note = f"Whether {subject} already has this licence is known only after it is registered."
        return Result(True, {"license": before}, _diff(server, before, {"license": UNKNOWN}), [note])
    with confirm_lost_write(lambda: facts(_read(api, server)) != facts(before)):
        api.put_server_license(server, text)
    try:
        after = _read(api, server)
    except AemError as error:
        error.message = f"The licence was registered, but the result cannot be read. {error.message}"
        raise
    changed = facts(after) != facts(before)
    return Result(changed, {"license": after}, _diff(server, before, after))


def _text(params: Mapping[str, Any]) -> str:
    """Return the licence; raise InputError with one clear line, which does not show it."""
    if (params["license"] is None) == (params["src"] is None):
        raise InputError("Give the licence in either license or src.")
    text, option = _as_text(params["license"]), "license"
    if params["src"] is not None:
        option = f"src ({params['src']})"
        found = read_file("src", params["src"])
        if found is None:
            raise InputError(f"{option} cannot be read: there is no such file.")
        text = found
    text = text.removeprefix("\ufeff")  # as Windows editors write it
    if not text.strip():
        raise InputError(f"{option} contains no licence: it is empty.")
    if len(text) > LONGEST:
        raise InputError(f"{option} contains no licence: it has {len(text)} characters, and the limit is {LONGEST}.")
    return text


def _as_text(value: Any) -> str:
    """Return a licence as text: templating turns one that is JSON into a mapping."""
    return value if isinstance(value, str) else json.dumps(value)


def facts(shown: Json) -> Json:
    """Return what distinguishes one licence from another: its dates and its state, not the days that are left of it."""
    return {key: shown.get(key) for key in ("issue_date", "expiration", "state")}


def _read(api: Api, server: str) -> Json:
    details = read_details(api, server)
    if details is None:
        # As the write would say, but before it.
        raise AemError(
            f"There is no {on_server(server).subject}: the licence was not sent.",
            advice_on(NOT_FOUND).remedy,
            not_found=on_server(server).path,
            error_code=NOT_FOUND,
        )
    return details.get("license") or {}


def _diff(server: str, before: Json, after: Json) -> dict[str, Any]:
    shown = after if "license" in after else facts(after)
    return diff(facts(before), shown, server)
