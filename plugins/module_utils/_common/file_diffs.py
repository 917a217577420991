# Copyright (c) 2026, dataops.qlik_em contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is private to the collection.

"""The diff of a file, unless it is too long to be shown."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .._run.result import diff

LONGEST = 1_000_000  # bytes; a terminal is of no use for more


def file_diff(
    path: str, texts: tuple[str, str] | None, old: Mapping[str, str], new: Mapping[str, str]
) -> dict[str, Any]:
    """Return the diff of a file: of its texts, None if they stay, and of its rights ``old`` and ``new``.

    If both differ, the rights stand in the headers.
    """
    differing = [name for name in old if old[name] != new[name]]
    rights = tuple({name: side[name] for name in differing} for side in (old, new))
    if texts is None:
        return diff(rights[0], rights[1], path)
    found = shortened(diff(*texts, path), LONGEST)
    if differing:
        found["before_header"], found["after_header"] = (
            f"{path} ({', '.join(f'{name} {value}' for name, value in side.items())})" for side in rights
        )
    return found


def shortened(found: dict[str, Any], most: int) -> dict[str, Any]:
    """Return a diff of two texts without them, but with their sizes, if one has more than ``most`` bytes (0: any)."""
    texts = found.get("before"), found.get("after")
    if most <= 0 or not all(isinstance(text, str) for text in texts):
        return found
    sizes = [len(str(text).encode(errors="surrogatepass")) for text in texts]
    if max(sizes) <= most:
        return found
    # The words differ, or a diff of two texts of one size would be empty.
    lines = [
        f"{age} text, not shown as it is long: {size} bytes, {str(text).count(chr(10))} lines\n" if text else ""
        for age, size, text in zip(("old", "new"), sizes, texts)
    ]
    return {**found, "before": lines[0], "after": lines[1]}
