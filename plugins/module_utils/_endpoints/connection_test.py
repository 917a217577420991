# Copyright (c) 2026, dataops.qlik_em contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is private to the collection.

"""Testing the connection of an endpoint."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from .._client.api import Api
from .._client.checks import check_name, check_seconds
from .._client.errors import AemError
from .._run.result import Mode, Result

TIMEOUT = "AEM_TEST_ENDPOINT_CONNECTION_TIMEOUT"
CONNECTED, UNKNOWN = "CONNECTED", "UNKNOWN"
# The guide contradicts itself on the members of the answer, and the SDKs differ: the first one counts
# (docs/enterprise_manager_api.md, 6.36).
STATUS = ("status", "state", "requeststate")
MESSAGE = ("message", "error_message")
DETAILS = ("detailed_message",)


class Verdict(NamedTuple):
    """What a test has shown."""

    status: str
    message: str
    detailed_message: str


def verdict_of(body: Mapping[str, Any]) -> Verdict:
    """Return what the answer of TestEndpoint says, in whichever spelling. An answer without a status is UNKNOWN."""

    def first(names: tuple[str, ...]) -> str:
        return next((str(body[name]) for name in names if body.get(name)), "")

    return Verdict(first(STATUS).upper() or UNKNOWN, first(MESSAGE), first(DETAILS))


def check(api: Api, params: Mapping[str, Any], mode: Mode) -> Result:
    """Test an endpoint (TestEndpoint); fail if it does not connect, unless ``fail_on_error`` is false."""
    server, name = check_name("server", params["server"]), check_name("name", params["name"])
    timeout = int(check_seconds("timeout", params["timeout"]))
    answer = api.test_endpoint(server, name, timeout, accept=() if params["fail_on_error"] else (TIMEOUT,))
    # A test that does not end says nothing of the connection.
    verdict = Verdict(UNKNOWN, answer.message, "") if answer.error_code else verdict_of(answer.body)
    shown = {"server": server, "name": name, **verdict._asdict(), "connected": verdict.status == CONNECTED}
    if params["fail_on_error"] and not shown["connected"]:
        text = f'The endpoint "{name}" on server "{server}" cannot connect ({verdict.status}): '
        raise AemError(
            text + (verdict.message or "the server gives no reason."),
            "Check its settings, and that the Replicate server reaches the database.",
            endpoint=shown,
        )
    return Result(values={"endpoint": shown})
