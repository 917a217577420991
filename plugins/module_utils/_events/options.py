# Copyright (c) 2026, dataops.qlik_em contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is private to the collection.

"""The options of the event source, checked without Ansible: nothing of it can be imported there."""

from __future__ import annotations

import os
from collections.abc import Collection, Mapping
from typing import Any, NamedTuple

from .._client.checks import check_count, check_seconds
from .._client.connection import LOGIN_OPTIONS, OPTIONS, Connection, connection_from, variable
from .._client.errors import InputError
from .._client.nearest import did_you_mean
from .._fleets.options import MOST_PARALLEL
from .._fleets.selection import read_selectors
from .._tasks.model import TASK_STATES
from .changes import Watch

# The source's own options beside those of the connection: type and default.
OWN: dict[str, tuple[str, Any]] = {
    "include": ("selectors", None),
    "exclude": ("selectors", None),
    "max_latency": ("int", None),
    "latency_of": ("selectors", None),
    "tables_of": ("selectors", None),
    "license_days": ("int", None),
    "interval": ("int", 30),
    "parallel": ("int", 10),
    "state_file": ("path", None),
}
ALL = {**OPTIONS, **OWN}
SELECTOR = {"server": "str", "name": "str", "tag": "list", "state": "list"}
TRUE, FALSE = ("true", "yes", "on", "1"), ("false", "no", "off", "0")


class Settings(NamedTuple):
    """The checked options; times are seconds."""

    connection: Connection
    watch: Watch
    interval: float
    parallel: int
    state_file: str | None


def read_options(arguments: Mapping[str, Any], environ: Mapping[str, str]) -> dict[str, Any]:
    """Return all options with their types and defaults, those of the connection from ``environ`` if not given.

    Raises InputError for an option that does not exist or has the wrong type.
    """
    _check_names("option", arguments, ALL)
    return {option: _value(option, kind, default, arguments, environ) for option, (kind, default) in ALL.items()}


def check_options(params: Mapping[str, Any], environ: Mapping[str, str]) -> Settings:
    """Return the checked options; raise InputError."""
    connection = connection_from(params, environ)
    for option, most in (("parallel", MOST_PARALLEL), ("license_days", 100_000)):
        check_count(option, params[option], most)
    if (params["max_latency"] is None) != (params["latency_of"] is None):
        raise InputError(
            "max_latency and latency_of must be given together: one is the limit, the other selects the tasks whose "
            "details are read in each round, one call each."
        )
    if params["max_latency"] is not None:
        check_seconds("max_latency", params["max_latency"])
    selectors = {
        option: read_selectors(option, params[option]) for option in ("include", "exclude", "latency_of", "tables_of")
    }
    watch = Watch(
        connection.address, max_latency=params["max_latency"], license_days=params["license_days"], **selectors
    )
    return Settings(
        connection, watch, check_seconds("interval", params["interval"]), params["parallel"], params["state_file"]
    )


def _check_names(what: str, given: Mapping[Any, Any], known: Collection[str]) -> None:
    for name in given:
        if name not in known:
            hint = did_you_mean(str(name), known) or f"Valid names: {', '.join(known)}."
            raise InputError(f'Unknown {what} "{name}". {hint}')


def _value(option: str, kind: str, default: Any, given: Mapping[str, Any], environ: Mapping[str, str]) -> Any:
    value = given.get(option)
    if value is None or value == "":  # so a variable of the rulebook leaves an option out
        looked_up = option in OPTIONS and option not in LOGIN_OPTIONS
        value = (looked_up and environ.get(variable(option))) or None
        if value is None:
            return default
        option = variable(option)
    return _selectors(option, value) if kind == "selectors" else _typed(option, kind, value)


def _selectors(option: str, value: Any) -> list[dict[str, Any]]:
    if not isinstance(value, list) or not all(isinstance(one, dict) for one in value):
        raise InputError(f"{option} must be a list of selectors, each with some of {', '.join(SELECTOR)}.")
    checked = []
    for one in value:
        _check_names(f"member of a selector in {option}", one, SELECTOR)
        selector = {
            key: _typed(f"{key} in {option}", SELECTOR[key], item) for key, item in one.items() if item is not None
        }
        for state in selector.get("state", ()):
            _check_names(f"state in {option}", {state: None}, TASK_STATES)
        checked.append(selector)
    return checked


def _typed(option: str, kind: str, value: Any) -> Any:
    """Return a value as its type; raise InputError, which shows nothing of it: it may be a secret."""
    if kind == "list":
        items = value if isinstance(value, list) else [value]
        return [_typed(option, "str", item) for item in items]
    is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
    if kind in ("str", "path"):
        if isinstance(value, str) or is_number:
            return os.path.expanduser(os.path.expandvars(str(value))) if kind == "path" else str(value)
        raise InputError(f"{option} must be a string.")
    text = str(value).strip().lower()
    if kind == "int":
        try:
            return int(text)
        except ValueError:
            raise InputError(f"{option} must be a whole number.") from None
    if text not in (*TRUE, *FALSE):
        raise InputError(f"{option} must be true or false.")
    return text in TRUE
