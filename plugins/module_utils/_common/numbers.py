# Copyright (c) 2026, dataops.qlik_em contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is private to the collection.

"""Numbers in answers. Pure functions."""

from __future__ import annotations

from typing import Any


def whole_number(value: Any) -> int | None:
    """Return a whole number, also one that JSON spells 5.0; None for anything else."""
    if isinstance(value, float) and value.is_integer():  # (docs/enterprise_manager_api.md, 4.11)
        return int(value)
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def without_fraction(value: Any) -> Any:
    """Return a value of an answer, a whole number as an integer: sent back as 5.0, the server may refuse it."""
    number = whole_number(value)
    return value if number is None else number
