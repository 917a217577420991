# Copyright (c) 2026, dataops.qlik_em contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is private to the collection.

"""The diff of a file, unless it is too long to be shown."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any, BinaryIO

from .._run.result import diff
from .rows import counted

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
    lines = [_size(*each) for each in zip(("old", "new"), sizes, (str(text).count("\n") for text in texts))]
    return {**found, "before": lines[0], "after": lines[1]}


def texts_of(old: BinaryIO, new: BinaryIO) -> tuple[str, str]:
    """Return the texts in two files as a diff shows them; if one is too long to be shown, their sizes."""
    sizes = [file.seek(0, os.SEEK_END) for file in (old, new)]
    old.seek(0)
    new.seek(0)
    if max(sizes) <= LONGEST:
        return old.read().decode(), new.read().decode()
    return _size("old", sizes[0], _lines_in(old)), _size("new", sizes[1], _lines_in(new))


def _lines_in(file: BinaryIO) -> int:
    return sum(block.count(b"\n") for block in iter(lambda: file.read(LONGEST), b""))


def _size(age: str, size: int, lines: int) -> str:
    """Return the size of a text. The words differ by ``age``, or a diff of two of one size would be empty."""
    return f"{age} text, not shown as it is long: {size} bytes, {counted(lines, 'line')}\n" if size else ""
