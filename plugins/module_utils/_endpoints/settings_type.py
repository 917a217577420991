# Copyright (c) 2026, dataops.qlik_em contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is private to the collection.

"""The class of the settings of a new endpoint, which an import has to name ($type)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from .._client.api import Api, Json
from .._client.errors import ApiError, InputError, TransportError
from .._common.patterns import find_servers
from .read import items_of
from .types import TYPES, kind_of, nearest_types

HOW = (
    "Give settings_type as an export of such an endpoint shows it ($type below db_settings), or create the first "
    "endpoint of this type in the console."
)


def find_settings_type(api: Api, server: str, text: str, kind: str, listed: Sequence[Json]) -> str:
    """Return the class for a type: that of an endpoint of this type which is there, else the one that is known.

    ``text`` is how the user calls the type, ``listed`` the endpoints of the server. Raises InputError if neither helps.
    """
    others: set[str] = set()
    for one, endpoints in _endpoint_lists(api, server, listed):
        others.update(kind_of(str(endpoint.get("type"))) for endpoint in endpoints)
        if found := _learned(api, one, endpoints, kind):
            return found
    if kind not in TYPES:
        raise unknown_type(text, others, HOW)
    if not TYPES[kind].settings_type:
        raise InputError(
            f"The settings class of type {kind} is not known, and there is no readable endpoint of this type to "
            "learn it from.",
            HOW,
        )
    return TYPES[kind].settings_type


def unknown_type(text: str, others: Iterable[str], hint: str) -> InputError:
    """Return the failure for a type that is not known, and that none of the endpoints has; ``others`` are theirs."""
    near = nearest_types(text, others)
    meant = f" Did you mean {' or '.join(near)}?" if near else ""
    return InputError(f'The type "{text}" is not known, and no readable endpoint has it.{meant}', hint)


def _endpoint_lists(api: Api, server: str, listed: Sequence[Json]) -> Iterator[tuple[str, Sequence[Json]]]:
    """Yield the servers with their endpoints, this one first; those that cannot be read are left out."""
    yield server, listed
    try:
        servers = find_servers(api, [])
    except ApiError:
        return
    for other in servers:
        if other != server:
            try:
                yield other, api.get_endpoint_list(other)
            except (ApiError, TransportError):
                continue


def _learned(api: Api, server: str, listed: Sequence[Json], kind: str) -> str | None:
    """Return the class of an endpoint of this type; None if none can be read, which is not a failure."""
    names = {str(one.get("name")) for one in listed if kind_of(str(one.get("type"))) == kind}
    try:
        for _name, item in items_of(api, server, names) if names else ():
            if found := (item.get("db_settings") or {}).get("$type"):
                return str(found)
    except (ApiError, TransportError):
        pass
    return None
