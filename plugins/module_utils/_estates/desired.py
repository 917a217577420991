# Copyright (c) 2026, dataops.qlik_em contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is private to the collection.

"""What is wanted: the files of an estate, under the overlay, as far as ``include`` means it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .._client.errors import InputError
from .._client.nearest import CASE, did_you_mean
from .._common.patterns import is_literal, matches
from .layout import read_estate
from .model import TASKS, Estate
from .overlay import overlaid
from .overlay_file import load_overlay
from .scope import Scope, scope_in


def desired_estate(params: Mapping[str, Any]) -> Estate:
    """Return what is wanted. A secret in a file is taken for its placeholder.

    Raises InputError, which names the file that is odd, or what the overlay or ``include`` names and is not there.
    """
    scope = scope_in(params)
    readings = read_estate("path", params["path"])
    estate = {key: item for reading in readings.values() for key, item in reading.objects.items()}
    if params["overlay"]:
        estate = overlaid(estate, load_overlay("overlay", params["overlay"]))
    if not estate:
        under = ", under the overlay" if params["overlay"] else ""
        raise InputError(
            f"path ({params['path']}) has no object of any server{under}: there is nothing to compare.",
            "Gather a server that has some (state: gathered), or look whether this is the right folder.",
        )
    _check_known(estate, scope)
    return scope.selected(estate)


def _check_known(estate: Estate, scope: Scope) -> None:
    """Raise InputError for a server or a task that is named literally and not there: it would be forgotten."""
    servers = list(dict.fromkeys(key.server for key in estate))
    tasks = [key for key in estate if key.kind == TASKS]
    for one in scope.selectors:
        if one.server is not None and not any(matches(server, one.server) for server in servers):
            raise InputError(
                f'include names the server "{one.server}", which the files, under the overlay, do not have.',
                f"{did_you_mean(one.server, servers)} {CASE}".strip(),
            )
        if one.name is not None and is_literal(one.name):
            there = [key.name for key in tasks if one.server is None or matches(key.server, one.server)]
            if one.name not in there:
                raise InputError(
                    f"include names a task that the files, under the overlay, do not have: {one.text}.",
                    f"{did_you_mean(one.name, there)} {CASE}".strip(),
                )
