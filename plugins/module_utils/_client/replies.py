# Copyright (c) 2026, dataops.qlik_em contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is private to the collection.

"""What a reply means: an answer, a refusal of the API, or something that is not of the API. Pure functions."""

from __future__ import annotations

import codecs
import json
import re
from collections.abc import Callable, Mapping
from email.utils import formatdate, parsedate_to_datetime
from typing import Any

from . import exact_json, shapes
from .calls import Answer, Call
from .connection import Connection
from .errors import UNAUTHORIZED_REQUEST, ApiError, TransportError
from .transport import Reply

NOT_SUPPORTED = "AEM_METHOD_NOT_SUPPORTED_VERSION"
# How much of a path names the object that does not exist.
NOT_FOUND = {"AEM_SERVER_NOT_FOUND": 2, "AEM_TASK_NOT_FOUND": 4, "AEM_ENDPOINT_NOT_FOUND": 4}
NOT_JSON: Any = object()
# Comment lines at the begin, with a byte order mark before them or without.
BEFORE_JSON = re.compile(rb"(?:\xef\xbb\xbf)?\s*(?://[^\n]*\n\s*)+")
EXCERPT = 200  # characters of a foreign answer that a message shows
LONGEST_MESSAGE = 2000  # characters of a message of the API
SEARCHED = 256 * 1024  # of a longer text, characters that are searched for secrets: more than the ones that are shown
# An answer with more lists and objects than that, and with more than one in so many bytes, is not one of the API: it
# would take far more memory than its own size.
FEW_PARTS = 64 * 1024
BYTES_OF_A_PART = 16
# The statuses after which a read is sent again, when the server says (RFC 9110, 10.2.3).
TOO_LATE, TOO_MANY, UNAVAILABLE = 408, 429, 503
BUSY = "Check the server, and any proxy or load balancer in between."


def read_answer(call: Call, reply: Reply, connection: Connection, mask: Callable[[str], str] = str) -> Answer:
    """Return the answer in ``reply``; decide by ``error_code``, never by the HTTP status or the text alone.

    ``mask`` takes the secrets out of a text that is shown in part.
    Raises ApiError if the server said no, TransportError if the reply is not one of the API.
    """
    if reply.is_spooled:
        return Answer({}, reply.headers, http_status=reply.status, is_spooled=True)
    body = _json(reply.body, exact_json.number if call.is_exact else None)
    if isinstance(body, dict):
        code, message = str(body.get("error_code") or ""), _excerpt(body.get("error_message"), LONGEST_MESSAGE, mask)
        if code in call.accept:
            return Answer(body, reply.headers, code, message, reply.status)
        if code:
            raise _api_error(call, code, message, reply.status, connection)
    if 200 <= reply.status < 300 and call.is_open:
        return Answer({}, reply.headers, http_status=reply.status, content=bytes(reply.body))
    if 200 <= reply.status < 300 and body is not NOT_JSON and (reply.body or not call.shape):
        # A void call may answer any JSON (docs/enterprise_manager_api.md, 4.12).
        fault = shapes.fault_in(body, call.shape) if call.shape else ""
        fault = fault or ("" if call.is_exact else shapes.half_character(reply.body, body))
        if fault:
            raise _odd_answer(call, reply, connection, fault)
        return Answer(body if isinstance(body, dict) else {}, reply.headers)
    # Without a body of the API: a wrong password (docs/enterprise_manager_api.md, 2.10), or a proxy. Of a write only a
    # body of the API says that nothing was done.
    if reply.status in (401, 403) and call.repeatable:
        raise _api_error(call, "", f"HTTP {reply.status}", reply.status, connection)
    raise _foreign_reply(reply, connection, mask)


def _json(body: bytes | bytearray, parse_float: Callable[[str], Any] | None) -> Any:
    """Return the parsed body, NOT_JSON if it is none; an empty one (docs/enterprise_manager_api.md, 4.12) is an object.

    Older exports begin with a line ``// Host name: ...`` (docs/enterprise_manager_api.md, 10.1).
    """
    if body.count(b"[") + body.count(b"{") > max(FEW_PARTS, len(body) // BYTES_OF_A_PART):
        return NOT_JSON
    if not body:
        return {}
    begin = BEFORE_JSON.match(body)
    try:
        return json.loads(body[begin.end() :] if begin else body, parse_float=parse_float)
    except (ValueError, RecursionError):
        return NOT_JSON


def _odd_answer(call: Call, reply: Reply, connection: Connection, fault: str) -> TransportError:
    """Return the failure for an answer of the API in another form than the method promises."""
    text = f"{connection.url} sent an unexpected answer to {call.method}: {fault}."
    hint = "Check the server's release, and any proxy or load balancer in between."
    return TransportError(text, hint, http_status=reply.status, url=connection.url)


def _api_error(call: Call, code: str, message: str, status: int, connection: Connection) -> ApiError:
    from .error_codes import advice_on  # late: only a failure needs it

    advice = advice_on(code)
    what = str(call) if call.target.subject else f"{call} at {connection.url}"
    error = ApiError(
        f"{what} failed: {message or advice.meaning or code}",
        advice.remedy,
        not_found=call.target.path[: NOT_FOUND.get(code, 0)],
        error_code=code,
        http_status=status,
        error_message=message,
    )
    if code == NOT_SUPPORTED and call.scope:
        error.hint = f"{call.method} is documented {call.scope}."
    if error.is_refusal and call.role:
        error.message = f"{what} was refused to {connection.user}: {message}"
        error.hint = f"This call requires the role {call.role}. {advice_on(UNAUTHORIZED_REQUEST).remedy}"
    return error


def _text(body: bytes | bytearray) -> str:
    """Return the begin of a body as text; of one in another encoding nothing, as a secret would not be found in it."""
    try:
        # A decoder that may get more: the last character may be cut.
        return codecs.getincrementaldecoder("utf-8")().decode(body[:SEARCHED], final=len(body) <= SEARCHED)
    except UnicodeDecodeError:
        return f"{len(body)} bytes that are not UTF-8 text"


def _excerpt(text: Any, most: int, mask: Callable[[str], str]) -> str:
    """Return the begin of a text of a server for a message.

    It is masked before it is cut: half a secret would not be found later.
    """
    whole = str(text or "")
    masked = mask(whole[:SEARCHED])
    return masked if len(whole) <= SEARCHED and len(masked) <= most else f"{masked[:most]}..."


def retry_after(headers: Mapping[str, str]) -> float:
    """Return for how many seconds a server asks to wait: a number, or a time by its own clock; 0 if it does not."""
    text = headers.get("Retry-After", "").strip()
    if text.isascii() and text.isdigit():
        return float(text[:9])
    try:
        until, now = (parsedate_to_datetime(one).timestamp() for one in (text, headers.get("Date") or formatdate()))
    except (TypeError, ValueError, IndexError, OverflowError):
        return 0.0
    return max(0.0, until - now)


def _foreign_reply(reply: Reply, connection: Connection, mask: Callable[[str], str]) -> TransportError:
    """Return the failure for an answer that Enterprise Manager would not give: somebody stands in between."""
    facts: dict[str, Any] = {"http_status": reply.status, "url": connection.url}
    if 300 <= reply.status < 400:
        text = f"{connection.url} redirects to {reply.headers.get('Location', 'nowhere')}, which is not followed."
        return TransportError(text, "Check that url leads to Enterprise Manager itself.", final=True, **facts)
    # Masked while it is whole: neither half a secret nor one whose blanks were joined would be found later.
    start = " ".join(mask(_text(reply.body)).split())[:EXCERPT]
    text = f'{connection.url} answered HTTP {reply.status} with something other than an API response: "{start}".'
    if reply.status in (TOO_LATE, TOO_MANY, UNAVAILABLE):
        # 429 turns a call away. 408 should as well, but is given after a call that had come whole, too.
        failure = TransportError(text, BUSY, sent=reply.status != TOO_MANY, **facts)
        failure.pause = retry_after(reply.headers)
        if failure.pause:
            failure.hint = f"It asks clients to wait {failure.pause:g} s before the next attempt. {BUSY}"
        return failure
    if reply.status in (401, 403):
        hint = "A proxy or a firewall probably refused this call: the API itself answers in JSON."
        return TransportError(text, hint, final=True, **facts)
    if 400 <= reply.status < 500:
        return TransportError(text, "Check the host and the path in url.", final=True, **facts)
    return TransportError(text, BUSY, **facts)
