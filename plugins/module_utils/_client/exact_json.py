# Copyright (c) 2026, dataops.qlik_em contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is private to the collection.

"""JSON that keeps each number as it is, also one that no float holds: it is a Decimal then."""

from __future__ import annotations

import json
import random
import re
from decimal import Decimal, InvalidOperation
from typing import Any


def number(text: str) -> float | Decimal:
    """Return the number in a JSON text that is not an integer; a float if it is the same number.

    Raises ValueError for an exponent that even a Decimal does not hold.
    """
    value = float(text)
    try:
        exact = Decimal(text)
    except InvalidOperation:
        raise ValueError("the exponent of a number is out of range") from None
    return value if Decimal(repr(value)) == exact else exact


def dumps(value: Any, **options: Any) -> str:
    """Return ``value`` as JSON; ``options`` are those of ``json.dumps``. Raises TypeError for what is not JSON."""
    mark = f"{random.getrandbits(128):032x}"  # a text that nothing else holds stands for each Decimal

    def marked(item: Any) -> str:
        if isinstance(item, Decimal):
            text = str(item)
            # One that happens to be whole stays of the kind that it was: an integer would be read back as another kind.
            return f"{mark}{text}" if set(text) & set(".E") else f"{mark}{text}E+0"
        raise TypeError(f"{type(item).__name__} is not JSON")

    return re.sub(f'"{mark}([^"]*)"', r"\1", json.dumps(value, default=marked, **options))
