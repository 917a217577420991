# Copyright (c) 2026, dataops.qlik_em contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is private to the collection.

"""Any call of the API, for what no module does yet."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from .._client.api import Api
from .._client.checks import check_name
from .._client.connection import MASK
from .._client.errors import AemError, ApiError, InputError, TransportError
from .._client.redaction import secret_texts
from .._client.writes import GOES_ON
from .._common.content import TEXT, Content, read_content
from .._run.result import Mode, Result

SESSION_PATHS = ("login", "logout")


def send(api: Api, params: Mapping[str, Any], mode: Mode) -> Result:
    """Send the call and return the answer. In check mode only a read is sent."""
    method, path = params["method"], check_path(params["path"])
    query, body = check_query(params["query"]), check_body(method, params["body"])
    if mode.check and method != "get":
        text = f"Check mode: {method.upper()} {'/'.join(path)} was not sent, so its answer is not known."
        return Result(True, {"sent": False, "msg": text})
    try:
        answer = api.call_path(method.upper(), path, query, body, tuple(params["accept"] or ()))
    except TransportError as lost:
        if lost.changed:
            lost.hint = f"The call was not sent again, and may have been carried out. {lost.hint}"
        raise
    except ApiError as refused:
        refused.not_found = ()  # this module sends what it is asked to, and nothing else
        raise
    done = not answer.error_code or answer.error_code.endswith(GOES_ON)
    values: dict[str, Any] = {"sent": True, "status": answer.http_status, "error_code": answer.error_code or None}
    if answer.error_code:
        values["error_message"] = answer.message
    content = Content("json", answer.body, "") if answer.error_code else read_content(answer.content)
    if content is None:
        text = f"The answer ({len(answer.content)} bytes) is not UTF-8 text."
        raise AemError(text, http_status=answer.http_status)
    if params["secrets"] == "redact":
        content = content.without_secrets()
    values["text" if content.kind == TEXT else "json"] = content.value
    return Result(method != "get" and done, values)


def secrets_in_body(body: Any, _params: Mapping[str, Any]) -> Iterator[str]:
    """Yield what is secret in the option ``body``, by its name or because it is encrypted."""
    return secret_texts(body)


def shown_body(body: Any) -> Any:
    """Return the option ``body`` as it may be shown: nothing of a text, and no value of a JSON Patch.

    Whether one is a secret, no name beside it says.
    """
    if isinstance(body, str):
        return MASK
    if isinstance(body, list):
        return [
            {**step, "value": MASK} if isinstance(step, dict) and "op" in step and "value" in step else step
            for step in body
        ]
    return body


def check_path(path: Any) -> tuple[str, ...]:
    """Return the segments of ``path``, which is a list of them or a text with slashes; raise InputError."""
    if isinstance(path, str):
        for sign, instead in (("?", "Use query for parameters"), ("#", "Nothing may follow the path")):
            if sign in path:
                raise InputError(
                    f'path must not contain "{sign}" when it is a string. {instead}; if the character is part of a '
                    "name, give a list."
                )
        path = path.strip("/").split("/")
        if ["api", "v1"] in (path[:2], path[1:3]):
            raise InputError("path must begin below /api/v1, as in servers/Replicate-Prod/tasks.")
    if not isinstance(path, list) or not path:
        raise InputError("path must be a string, like servers/Replicate-Prod, or a non-empty list of names.")
    segments = tuple(str(one) if type(one) in (int, float) else one for one in path)
    for segment in segments:
        check_name("A part of path", segment)
    if segments[0].strip().casefold() in SESSION_PATHS:
        raise InputError(f"path must not be {segments[0]}: the module logs in and out itself. See aem_session.")
    return segments


def check_query(query: Mapping[str, Any] | None) -> dict[str, str]:
    """Return the parameters as texts; those that are null are left out. Raise InputError for lists and dicts."""
    given = {name: value for name, value in (query or {}).items() if value is not None}
    for name, value in given.items():
        if not isinstance(value, (str, int, float)):
            raise InputError(f"query.{name} must be a string, a number or a boolean.")
    # Booleans are in lower case (docs/enterprise_manager_api.md, 4.6).
    return {name: str(value).lower() if isinstance(value, bool) else str(value) for name, value in given.items()}


def check_body(method: str, body: Any) -> Any:
    """Return the body: a dict or list (sent as JSON), a text (sent as it is) or None; raise InputError."""
    if body is not None and not isinstance(body, (dict, list, str)):
        raise InputError("body must be a dictionary, a list or a string.")
    if body is not None and method == "get":
        raise InputError("body cannot be used with method: get.")
    return body
