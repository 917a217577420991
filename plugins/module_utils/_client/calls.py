# Copyright (c) 2026, dataops.qlik_em contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is private to the collection.

"""One call of the API, and its answer, as values."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, BinaryIO, NamedTuple

from .shapes import Check


class Target(NamedTuple):
    """What a call acts on: the segments of its path, and how messages name it (empty: Enterprise Manager itself)."""

    path: tuple[str, ...]
    subject: str = ""


class Call(NamedTuple):
    """One method of the vendor guide, ready to be sent."""

    method: str  # the guide's name
    verb: str
    target: Target
    role: str = ""  # what the guide asks for
    query: Mapping[str, Any] = {}
    body: Any = None  # JSON, or a plain text; None: no body
    server_timeout: float = 0  # seconds that the server itself may wait; 0 if the call has no such limit
    shape: Check | None = None  # the form of the answer; None: the method promises none
    is_open: bool = False  # whether the form of the answer is not known: any is taken, and given as ``content``
    accept: tuple[str, ...] = ()  # the error codes that are an answer, not a failure
    scope: str = ""  # for which products and since when the guide has it, if not for all
    is_exact: bool = False  # whether the answer's numbers are kept as they are: one that no float holds is a Decimal
    spool: BinaryIO | None = None  # of an open call, the file that gets an answer too long for the memory
    too_long: str = ""  # what to do if the answer is too long: it would be so again
    is_bound: bool = False  # whether it holds what was read in this session, so that no other one may send it

    @property
    def repeatable(self) -> bool:
        """Whether sending it twice does no harm. All reads are GET; a login leaves at most a session that dies."""
        return self.verb == "GET" or self.method == "Login"

    @property
    def is_large(self) -> bool:
        """Whether the answer may be as long as the definitions of a whole server."""
        return self.is_exact or self.is_open

    def __str__(self) -> str:
        return f"{self.method} of {self.target.subject}" if self.target.subject else self.method


class Answer(NamedTuple):
    """What the server answered: ``body`` of a success, or an accepted ``error_code`` with its message."""

    body: dict[str, Any]
    headers: Mapping[str, str]
    error_code: str = ""
    message: str = ""
    http_status: int = 200
    content: bytes = b""  # of an open call only
    is_spooled: bool = False  # whether the content is in the spool of the call instead

    @property
    def result(self) -> dict[str, Any]:
        """The body of a success; empty for an accepted error code."""
        return {} if self.error_code else self.body
