# Copyright (c) 2026, dataops.qlik_em contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is private to the collection.

"""One row for each of many objects (tasks, tables): one that fails never hides the others."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from .._client.errors import AemError

MOST_SHOWN = 20


@dataclass
class Row:
    """What happened to one object, which ``names`` identify.

    ``skipped``: it was left alone, ``msg`` says why. ``started`` (a time) and ``elapsed`` (seconds) are None if it was
    not begun.
    """

    names: Mapping[str, str]
    label: str
    before: str | None
    after: str | None
    changed: bool = False
    failed: bool = False
    skipped: bool = False
    error_code: str | None = None
    msg: str = ""
    hint: str = ""
    started: str | None = None
    elapsed: float | None = None

    def fail(self, failure: AemError) -> None:
        """Note why it failed; a change that was noted before stays one."""
        self.changed = self.changed or bool(failure.changed)
        self.failed, self.msg, self.hint = True, failure.message, failure.hint
        self.error_code = failure.facts.get("error_code")

    def view(self) -> dict[str, Any]:
        """Return the row as results show it."""
        members = ("before", "after", "changed", "failed", "skipped", "error_code", "msg", "hint", "started", "elapsed")
        return {**self.names, **{member: getattr(self, member) for member in members}}


def counted(number: int, kind: str) -> str:
    """Return how many there are: "1 task", "2 tasks"; ``kind`` is the singular of what they are."""
    return f"{number} {kind}" if number == 1 else f"{number} {kind}s"


def first(lines: Sequence[str]) -> list[str]:
    """Return the first lines, as many as one can read, and how many more there are."""
    more = len(lines) - MOST_SHOWN
    return [*lines[:MOST_SHOWN], f"and {more} more"] if more > 0 else list(lines)


def counts(rows: Sequence[Row]) -> dict[str, int]:
    """Return how many rows there are of each kind; a failed one counts as changed too if it may have been."""
    return {
        "selected": len(rows),
        "changed": sum(row.changed for row in rows),
        "failed": sum(row.failed for row in rows),
        "skipped": sum(row.skipped for row in rows),
        "unchanged": sum(not (row.changed or row.failed or row.skipped) for row in rows),
    }


def values(kind: str, rows: Sequence[Row]) -> dict[str, Any]:
    """Return the members of a result that show the rows; ``kind`` is the plural of what they are of."""
    return {kind: [row.view() for row in rows], "counts": counts(rows)}


def with_rows(error: AemError, kind: str, rows: Sequence[Row]) -> AemError:
    """Let a failure carry the rows, and show a line for each that failed, unless its own message says the same."""
    error.facts.update(values(kind, rows))
    error.changed = any(row.changed for row in rows)
    error.lines = first([f"{row.label}: {row.msg}" for row in rows if row.failed and row.msg != error.message])
    return error


@contextlib.contextmanager
def rows_on_failure(kind: str, rows: Sequence[Row], message: str = "") -> Iterator[None]:
    """Let a failure of the block, which comes after the work, carry the rows and begin with ``message``."""
    try:
        yield
    except AemError as failure:
        failure.message = f"{message} {failure.message}".lstrip()
        with_rows(failure, kind, rows)
        raise


def raise_failures(kind: str, rows: Sequence[Row], hint: str, **facts: Any) -> None:
    """Raise AemError, with ``facts`` and a line for each row that failed, if one did."""
    failed = sum(row.failed for row in rows)
    if failed:
        left = sum(row.skipped and row.elapsed is None for row in rows)
        more = f" Not started: {left}." if left else ""
        raise with_rows(AemError(f"{failed} of {len(rows)} {kind} failed.{more}", hint, **facts), kind, rows)
