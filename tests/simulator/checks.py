# Copyright (c) 2026, dataops.qlik_em contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Checking what people wrote (state documents, patches, fault rules) before it is used.

A stand-in that ignores a typing error lets a test pass for the wrong reason. So every value goes through a check,
unknown members are refused, and the message says where the mistake is and what is allowed.
"""

from __future__ import annotations

import copy
import dataclasses
import math
from collections.abc import Callable, Mapping
from typing import Annotated, Any, TypeVar, get_origin, get_type_hints

Check = Callable[[Any, str], Any]
T = TypeVar("T")


class InputError(ValueError):
    """Input that cannot be used; the text is one line for the person who wrote it."""


def text(value: Any, where: str) -> str:
    """Any string."""
    if not isinstance(value, str):
        raise InputError(f"{where} must be a string, not {value!r}")
    return value


def name(value: Any, where: str) -> str:
    """A string that is not empty."""
    if not text(value, where):
        raise InputError(f"{where} must not be empty")
    return str(value)


def flag(value: Any, where: str) -> bool:
    """True or false."""
    if not isinstance(value, bool):
        raise InputError(f"{where} must be true or false, not {value!r}")
    return value


def number(value: Any, where: str) -> float:
    """A number of zero or more (seconds, where the name says so)."""
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not math.isfinite(value) or value < 0:
        raise InputError(f"{where} must be a number of 0 or more, not {value!r}")
    return value


def whole(value: Any, where: str) -> int:
    """A whole number of zero or more."""
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise InputError(f"{where} must be a whole number of 0 or more, not {value!r}")
    return value


def positive(value: Any, where: str) -> int:
    """A whole number of one or more."""
    if whole(value, where) < 1:
        raise InputError(f"{where} must be a whole number of 1 or more, not {value!r}")
    return int(value)


def mapping(value: Any, where: str) -> dict[str, Any]:
    """A mapping with string keys."""
    if not isinstance(value, Mapping) or not all(isinstance(key, str) for key in value):
        raise InputError(f"{where} must be a mapping with string keys, not {value!r}")
    return dict(value)


def tree(value: Any, where: str) -> dict[str, Any]:
    """A mapping with string keys, copied with everything in it: it may be changed later on."""
    return copy.deepcopy(mapping(value, where))


def anything(value: Any, _where: str) -> Any:
    """Whatever it is."""
    return value


def choice(*allowed: str) -> Check:
    """One of the given strings, letter by letter."""

    def check(value: Any, where: str) -> str:
        if value not in allowed:
            raise InputError(f"{where} must be one of {', '.join(allowed)}, not {value!r}")
        return str(value)

    return check


def number_in(*allowed: int) -> Check:
    """One of the given numbers."""

    def check(value: Any, where: str) -> int:
        if value not in allowed or isinstance(value, bool):
            raise InputError(f"{where} must be one of {', '.join(map(str, allowed))}, not {value!r}")
        return int(value)

    return check


def optional(inner: Check) -> Check:
    """null, or what `inner` allows."""

    def check(value: Any, where: str) -> Any:
        return None if value is None else inner(value, where)

    return check


def list_of(inner: Check) -> Check:
    """A list whose items `inner` allows."""

    def check(value: Any, where: str) -> list[Any]:
        if not isinstance(value, (list, tuple)):
            raise InputError(f"{where} must be a list, not {value!r}")
        return [inner(item, f"{where}[{index}]") for index, item in enumerate(value)]

    return check


def members(**checks: Check) -> Check:
    """A mapping with some of the given members and no others."""

    def check(value: Any, where: str) -> dict[str, Any]:
        given = mapping(value, where)
        refuse_unknown(given, checks, where)
        return {key: checks[key](item, f"{where}.{key}") for key, item in given.items()}

    return check


def one(cls: type[T]) -> Check:
    """A mapping that describes the dataclass `cls`."""

    def check(value: Any, where: str) -> T:
        return read(cls, value, where)

    return check


# Types of dataclass members that carry their check; see `checks_of`.
Text = Annotated[str, text]
Name = Annotated[str, name]
Flag = Annotated[bool, flag]
Number = Annotated[float, number]
Whole = Annotated[int, whole]
Positive = Annotated[int, positive]
Tree = Annotated["dict[str, Any]", tree]
Anything = Annotated[Any, anything]
MaybeText = Annotated["str | None", optional(text)]
MaybeName = Annotated["str | None", optional(name)]
MaybeNumber = Annotated["float | None", optional(number)]


def refuse_unknown(given: Mapping[str, Any], allowed: Mapping[str, Any], where: str) -> None:
    """Raise InputError if `given` has a key that is not in `allowed`."""
    unknown = sorted(set(given) - set(allowed))
    if unknown:
        raise InputError(f"{where}: unknown member {unknown[0]!r}; allowed are {', '.join(sorted(allowed))}")


_known: dict[Any, dict[str, Check]] = {}


def checks_of(cls: Any) -> dict[str, Check]:
    """The checks of a dataclass: of each member whose type is written `Annotated[type, check]`."""
    if cls not in _known:
        hints = get_type_hints(cls, include_extras=True)
        _known[cls] = {key: hint.__metadata__[0] for key, hint in hints.items() if get_origin(hint) is Annotated}
    return _known[cls]


def read(cls: type[T], value: Any, where: str) -> T:
    """Build the dataclass `cls` from a mapping, every member checked."""
    given = mapping(value, where)
    checks = checks_of(cls)
    refuse_unknown(given, checks, where)
    for item in dataclasses.fields(cls):  # type: ignore[arg-type]
        required = item.default is dataclasses.MISSING and item.default_factory is dataclasses.MISSING
        if required and item.name in checks and item.name not in given:
            raise InputError(f"{where}: {item.name} is missing")
    return cls(**{key: checks[key](item, f"{where}.{key}") for key, item in given.items()})


def change(target: Any, value: Any, where: str, fixed: tuple[str, ...] = ()) -> dict[str, Any]:
    """Set members of a dataclass object, all or none; `fixed` ones cannot be changed. Returns what was set."""
    given = mapping(value, where)
    checks = {key: check for key, check in checks_of(type(target)).items() if key not in fixed}
    refuse_unknown(given, checks, where)
    checked = {key: checks[key](item, f"{where}.{key}") for key, item in given.items()}
    for key, item in checked.items():
        setattr(target, key, item)
    return checked
