# Copyright (c) 2026, dataops.qlik_em contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is private to the collection.

"""Checks of option values: one clear line for each bad input, before anything is sent."""

from __future__ import annotations

from typing import Any

from .errors import InputError

# Longer than a day is a typing mistake (milliseconds for seconds), not a plan.
MAX_SECONDS = 86400


def check_text(option: str, value: Any) -> str:
    """Return ``value`` if it is a text that is not blank; raise InputError otherwise."""
    if not isinstance(value, str) or not value.strip():
        raise InputError(f"{option} must not be empty or blank.")
    return value


def check_name(option: str, value: Any) -> str:
    """Return ``value`` if it can name an object in a URL; raise InputError otherwise.

    HTTP libraries collapse the path segments ``.`` and ``..``, so that a call would hit the parent object.
    """
    if check_text(option, value) in (".", ".."):
        raise InputError(f'{option} must not be "{value}": as a part of a URL it would address another object.')
    return value


def check_count(option: str, value: int | None, most: int) -> None:
    """Raise InputError unless ``value`` is None or lies between 1 and ``most``."""
    if value is not None and not 1 <= value <= most:
        raise InputError(f"{option} must be between 1 and {most}, not {value}.")


def check_seconds(option: str, value: float, least: float = 1) -> float:
    """Return ``value`` (seconds) if it lies between ``least`` and a day; raise InputError otherwise (NaN included)."""
    if not least <= value <= MAX_SECONDS:
        raise InputError(f"{option} must be between {least} and {MAX_SECONDS} seconds, not {value}.")
    return value
