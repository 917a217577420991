# Copyright (c) 2026, dataops.qlik_em contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is private to the collection.

"""What a resource function gets from the frame that runs it, beside its options, and what it returns."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, NamedTuple


def no_progress(_line: str) -> None:
    """Show no progress."""


class Mode(NamedTuple):
    """How to run: in check mode nothing is written; ``progress`` shows a line to somebody who watches."""

    check: bool = False
    diff: bool = False
    progress: Callable[[str], None] = no_progress

    @property
    def shows_diff(self) -> bool:
        """Whether the caller sees the diff: what only the diff needs is read then only."""
        return self.check or self.diff


@dataclass
class Result:
    """The outcome of a resource function.

    ``values`` are the members of the result that the caller sees. ``diff`` is dropped by the runner if nobody sees it.
    ``secrets`` are members that are secret and returned on purpose: the only ones that are not masked.
    """

    changed: bool = False
    values: dict[str, Any] = field(default_factory=dict)
    diff: dict[str, Any] | None = None
    warnings: list[str] = field(default_factory=list)
    secrets: dict[str, str] = field(default_factory=dict)


def diff(before: Any, after: Any, header: str) -> dict[str, Any]:
    """Return a diff as Ansible shows it; ``header`` names the object."""
    return {"before": before, "after": after, "before_header": header, "after_header": header}
