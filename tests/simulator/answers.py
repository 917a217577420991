# Copyright (c) 2026, dataops.qlik_em contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Answers as plain data, and their bytes on the wire."""

from __future__ import annotations

import email.utils
import json
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any

from .errors import ApiError

# Of all samples in the guide: a self-hosted .NET listener on http.sys.
SERVER = "Microsoft-HTTPAPI/2.0"
CACHE_CONTROL = "no-cache, no-store"
JSON_TYPE = "application/json; charset=utf-8"
LOGIN_TYPE = "text/html"  # with an empty body
HTML_TYPE = "text/html; charset=utf-8"
SESSION_HEADER = "EnterpriseManager.APISessionID"

_REASONS = {440: "Login Timeout"}


@dataclass
class Answer:
    """Status, headers and body. Date and Content-Length are added when it is sent."""

    status: int
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""
    error_code: str | None = None

    @property
    def reason(self) -> str:
        """The reason phrase; "" for a status that nobody knows."""
        if self.status in _REASONS:
            return _REASONS[self.status]
        return HTTPStatus(self.status).phrase if self.status in HTTPStatus.__members__.values() else ""

    def head(self, length: int | None = None, close: bool = False) -> bytes:
        """Status line and headers. `length` is the Content-Length to claim; -1 claims none."""
        lines = {"Server": SERVER, **self.headers, "Date": email.utils.formatdate(usegmt=True)}
        if length != -1:
            lines["Content-Length"] = str(len(self.body) if length is None else length)
        if close:
            lines["Connection"] = "close"
        first = f"HTTP/1.1 {self.status} {self.reason}"
        rest = [f"{key}: {value}" for key, value in lines.items()]
        return "\r\n".join([first, *rest, "", ""]).encode("latin-1", "replace")


def json_answer(value: Any, status: int = 200) -> Answer:
    """JSON as the listener sends it: compact, UTF-8 (a stopped task is 38 bytes in the guide's samples)."""
    body = json.dumps(value, separators=(",", ":"), ensure_ascii=False).encode()
    return Answer(status, {"Cache-Control": CACHE_CONTROL, "Content-Type": JSON_TYPE}, body)


@dataclass(frozen=True)
class Text:
    """The answer of a method that is JSON already, with its own layout (an exported definition)."""

    body: bytes


def fractional(value: Any) -> Any:
    """The same JSON with whole numbers that are spelled 5.0."""
    if isinstance(value, dict):
        return {key: fractional(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [fractional(item) for item in value]
    return float(value) if isinstance(value, int) and not isinstance(value, bool) else value


def result_answer(value: Any, void_body: str | None = None, fractions: bool = False) -> Answer:
    """The answer of a method that went well: JSON, or nothing (`void_body` instead of it, if given) for None.

    Assumption: the body of a void success is empty (docs/enterprise_manager_api.md, 4.12); its headers are
    those of every other answer.
    """
    if value is None or isinstance(value, Text):
        answer = json_answer(None)
        answer.body = value.body if isinstance(value, Text) else (void_body or "").encode()
        return answer
    return json_answer(fractional(value) if fractions else value)


def refusal(error: ApiError) -> Answer:
    """A failure of the API."""
    answer = json_answer(error.body(), error.status)
    answer.error_code = error.code
    return answer


def void(status: int = 200, **headers: str) -> Answer:
    """Login, Logout and a refused login: no body, text/html."""
    named = {key.replace("_", "-"): value for key, value in headers.items()}
    return Answer(status, {"Cache-Control": CACHE_CONTROL, "Content-Type": LOGIN_TYPE, **named})


def logged_in(token: str) -> Answer:
    """The answer of Login: the token is in a header only."""
    answer = void()
    answer.headers[SESSION_HEADER] = token
    return answer


def page(status: int, text: str | None = None) -> Answer:
    """An HTML page, as the listener (404, 411) or something in between sends it."""
    answer = Answer(status, {"Content-Type": HTML_TYPE})
    plain = f"<html><head><title>{answer.reason}</title></head><body>HTTP Error {status}</body></html>"
    answer.body = (plain if text is None else text).encode()
    return answer
