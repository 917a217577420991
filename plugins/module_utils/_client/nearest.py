# Copyright (c) 2026, dataops.qlik_em contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is private to the collection.

"""The names that are nearest to one that does not exist."""

from __future__ import annotations

import difflib
from collections.abc import Iterable

from .api import Api
from .errors import AemError

CASE = "Names are case-sensitive."
MOST = 3  # names in a suggestion


def nearest(name: str, names: Iterable[str]) -> list[str]:
    """Return those of the ``names`` that are much like ``name``, the nearest first."""
    by_fold: dict[str, list[str]] = {}
    for one in dict.fromkeys(names):
        by_fold.setdefault(one.casefold(), []).append(one)
    fold = name.casefold()
    near = [fold] if fold in by_fold else difflib.get_close_matches(fold, by_fold, MOST)
    return [one for other in near for one in by_fold[other] if one != name][:MOST]


def did_you_mean(name: str, names: Iterable[str]) -> str:
    """Return a question with the names that are nearest to ``name``, or an empty text if none is near."""
    quoted = [f'"{one}"' for one in nearest(name, names)]
    return f"Did you mean {' or '.join(quoted)}?" if quoted else ""


def suggestion(api: Api, path: tuple[str, ...]) -> str:
    """Return the question which of the real names is meant by the last one in ``path``, which does not exist.

    Never raises: that it does not exist is what matters to the caller, not that the others cannot be listed.
    """
    try:
        return did_you_mean(path[-1], _names_beside(api, path))
    except AemError:
        return ""


def _names_beside(api: Api, path: tuple[str, ...]) -> list[str]:
    """Return the names of all servers, or of all tasks or endpoints of the server in ``path``."""
    server, below = path[1], path[2:]
    if not below:
        items = api.get_server_list()
    elif below[0] == "tasks":
        items = api.get_task_list(server)
    else:
        items = api.get_endpoint_list(server)
    return [item["name"] for item in items]
