# Copyright (c) 2026, dataops.qlik_em contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is private to the collection; its documentation is beside it.

"""What the role maintenance_window is given, as options of the module."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

import yaml
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from ansible.module_utils.errors import UnsupportedError
from ansible_collections.dataops.qlik_em.plugins.module_utils._client.errors import InputError
from ansible_collections.dataops.qlik_em.plugins.module_utils._client.nearest import nearest
from ansible_collections.dataops.qlik_em.plugins.module_utils._common.wait import check_waiting
from ansible_collections.dataops.qlik_em.plugins.module_utils._fleets.options import check_limits, check_stop_policy
from ansible_collections.dataops.qlik_em.plugins.module_utils._fleets.selection import read_selectors
from ansible_collections.dataops.qlik_em.plugins.module_utils._fleets.waves import AUTO, check_waves
from ansible_collections.dataops.qlik_em.plugins.module_utils._tasks.operation import check_timeout
from ansible_collections.dataops.qlik_em.plugins.modules.aem_maintenance_window import SPEC

PREFIX = "maintenance_window_"
RESULTS = ("recorded", "frozen", "restored")  # what the steps leave
KINDS: dict[str, tuple[type, str]] = {"list": (list, "a list"), "dict": (dict, "a mapping")}


def maintenance_window_options(
    variables: Mapping[str, Any], known: Iterable[str], names: Iterable[str]
) -> dict[str, Any]:
    """Return the options that were given, and a line for each variable that is wrong."""
    given: dict[str, Any] = {}
    known = [*known]
    wrong = [*_misspelt(known, names)]
    for name, value in variables.items():
        option = name[len(PREFIX) :]
        if value is None or (isinstance(value, str) and not value.strip()):
            continue
        kind = SPEC.argument_spec.get(option, {}).get("type", "str")
        if option == "waves" and value != AUTO:
            kind = "list"
        try:
            given[option] = _read(name, value, kind)
        except ValueError as error:
            wrong.append(str(error))
    return {"given": given, "wrong": wrong or [*_refused(known, given)]}


def _refused(known: Iterable[str], given: Mapping[str, Any]) -> Iterator[str]:
    """Yield a line for each value that the module would refuse, in the words of the role."""
    specs = {PREFIX + option: spec for option, spec in SPEC.argument_spec.items() if PREFIX + option in known}
    values = {PREFIX + option: value for option, value in given.items() if PREFIX + option in specs}
    validation = ArgumentSpecValidator(specs).validate(values)
    for odd in validation.errors.errors:
        # Its text is the name alone; a module puts this before it
        yield f"{'Unsupported parameters: ' if isinstance(odd, UnsupportedError) else ''}{odd.msg}"
    if validation.error_messages:
        return
    params = {name[len(PREFIX) :]: value for name, value in validation.validated_parameters.items()}
    for check in CHECKS:
        try:
            check(params)
        except InputError as error:
            yield re.sub(rf"(?<![.\w])({'|'.join(params)})\b", rf"{PREFIX}\1", error.message)


def _check_selectors(params: Mapping[str, Any]) -> None:
    for option in ("include", "exclude"):
        read_selectors(option, params[option])


CHECKS = (_check_selectors, check_waves, check_limits, check_stop_policy, check_timeout, check_waiting)


def _misspelt(known: list[str], names: Iterable[str]) -> Iterator[str]:
    """Yield a line for each name that is not a variable of the role, nor one of its results."""
    results = [PREFIX + result for result in RESULTS]
    for name in sorted(set(names) - {*known, *results}):
        near = nearest(name[len(PREFIX) :], (one[len(PREFIX) :] for one in known))
        hint = f'Did you mean "{PREFIX}{near[0]}"?' if near else f"Its variables are {', '.join(sorted(known))}."
        yield f"{name} is not a variable of the role maintenance_window. {hint}"


def _read(name: str, value: Any, kind: str) -> Any:
    """Return the value of a variable, a list or a mapping also from a text; raise ValueError."""
    if kind not in KINDS or not isinstance(value, str):
        return value
    wanted, words = KINDS[kind]
    try:
        found = yaml.safe_load(value)
    except (yaml.YAMLError, ValueError, RecursionError) as error:  # ValueError: the 31st of June
        mark = getattr(error, "problem_mark", None)
        where = f" (line {mark.line + 1})" if mark else ""
        raise ValueError(f"{name} is a string that is neither YAML nor JSON{where}. It must be {words}.") from error
    if not isinstance(found, wanted):
        raise ValueError(f"{name} must be {words}, or one as a string in YAML or JSON, not {value[:60]!r}.")
    return found


class FilterModule:
    """Makes the filter known to Ansible."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """Return it by its name."""
        return {"maintenance_window_options": maintenance_window_options}
