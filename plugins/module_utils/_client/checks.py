# Copyright (c) 2026, dataops.qlik_em contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is private to the collection.

"""Checks of option values: one clear line for each bad input, before anything is sent."""

from __future__ import annotations

import json
import re
from typing import Any

from .errors import InputError

# Longer than a day is a typing mistake (milliseconds for seconds), not a plan.
MAX_SECONDS = 86400
# Unicode's control characters, and its two separators that are line ends and nothing else.
CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029]")
LONGEST_SHOWN = 60  # characters
LINE_ENDS = "\n\r\x85\u2028\u2029"
# The name of a member that holds a user: username, asm_user, proxyUserName.
USER_MEMBER = re.compile(r"user(?:_?name)?$", re.IGNORECASE)
# A key or a certificate: a text of many lines.
PEM = re.compile(r"\s*-----BEGIN [A-Z0-9 ]+-----[\r\n].*-----END [A-Z0-9 ]+-----\s*", re.DOTALL)


def check_text(option: str, value: Any) -> str:
    """Return ``value`` if it is a text that is not blank and has no control character; raise InputError otherwise."""
    return check_characters(option, _not_blank(option, value))


def _not_blank(option: str, value: Any) -> str:
    if not isinstance(value, str) or not value.strip():
        raise InputError(f"{option} must not be empty or blank.")
    return value


def check_characters(option: str, value: str) -> str:
    """Return ``value`` (a name, a user or a secret) if it has no control character; raise InputError otherwise.

    The server would refuse it, which costs a failed login each time, or store it. The message holds nothing of it.
    """
    found = CONTROL.search(value)
    if found is None:
        return value
    if CONTROL.search(value.rstrip(LINE_ENDS)) is None:
        raise InputError(
            f"{option} ends with a newline. Remove it, for example with the filter trim: echo adds one unless it is "
            "given -n, and most files end with one (lookup('ansible.builtin.file', ...) strips it by itself)."
        )
    name = "a newline" if found[0] in LINE_ENDS else "a tab" if found[0] == "\t" else f"U+{ord(found[0]):04X}"
    raise InputError(
        f"{option} contains a control character ({name}). If it is in double quotes in YAML, use single quotes: "
        r'in "CORP\nadia" the \n is a newline; \t, \r and \0 are control characters, too.'
    )


def shown_value(value: Any) -> str:
    """Return a value of somebody else as a message shows it: short, and without a sign that hides or turns others."""
    if isinstance(value, dict):
        return "a mapping"
    if isinstance(value, list):
        return "a list" if value else "an empty list"
    text = json.dumps(value, ensure_ascii=False, default=str)
    text = "".join(sign if sign.isprintable() else json.dumps(sign)[1:-1] for sign in text)
    return text if len(text) <= LONGEST_SHOWN else f"{text[:LONGEST_SHOWN]}..."


def check_secret(option: str, value: str) -> str:
    """Return ``value`` if it has no control character but the line ends of PEM or JSON; raise InputError otherwise.

    Keys, certificates and the credentials of a service account are texts of many lines, and end in a line end mostly.
    """
    if PEM.fullmatch(value):
        check_characters(option, value.replace("\r", "").replace("\n", ""))
        return value
    return value if _is_json_object(value) else check_characters(option, value)


def _is_json_object(text: str) -> bool:
    try:
        return isinstance(json.loads(text), dict)
    except (ValueError, RecursionError):
        return False


def check_name(option: str, value: Any) -> str:
    """Return ``value`` (given by the user) if it can name an object; raise InputError otherwise."""
    return check_characters(option, check_segment(option, value))


def check_segment(what: str, value: Any) -> str:
    """Return ``value`` if it can name an object in a URL; raise InputError otherwise.

    HTTP libraries collapse the path segments ``.`` and ``..``, so that a call would hit the parent object.
    """
    if _not_blank(what, value) in (".", ".."):
        raise InputError(f'{what} must not be "{value}": as a part of a URL it would address another object.')
    return str(value)


def check_count(option: str, value: int | None, most: int) -> None:
    """Raise InputError unless ``value`` is None or lies between 1 and ``most``."""
    if value is not None and not 1 <= value <= most:
        raise InputError(f"{option} must be between 1 and {most}, not {value}.")


def check_seconds(option: str, value: float, least: float = 1) -> float:
    """Return ``value`` (seconds) if it lies between ``least`` and a day; raise InputError otherwise (NaN included)."""
    if not least <= value <= MAX_SECONDS:
        raise InputError(f"{option} must be between {least} and {MAX_SECONDS} seconds, not {value}.")
    return value
