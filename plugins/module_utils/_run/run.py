# Copyright (c) 2026, dataops.qlik_em contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is private to the collection.

"""Runs one resource function: one form of result, one form of failure, nothing unmasked. Both frames use it."""

from __future__ import annotations

import sys
import traceback
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from typing import Any

from .._client.api import Api
from .._client.client import Client
from .._client.connection import Connection, connection_from, secrets_in
from .._client.errors import AemError
from .._client.http import URLLIB3_IMPORT_ERROR, Transport, one_warning_is_enough
from .._client.interrupt import Stop
from .._client.masking import Secrets
from .result import Mode, Result

Resource = Callable[[Api, Mapping[str, Any], Mode], Result]


def run_resource(
    resource: Resource,
    params: Mapping[str, Any],
    environ: Mapping[str, str],
    mode: Mode,
    stop: Stop,
    open_transport: Callable[[Connection, int], AbstractContextManager[Transport]] = Transport,
) -> dict[str, Any]:
    """Run ``resource`` within one API session and return the result for Ansible, masked.

    Never raises an Exception: a failure is a result with ``failed``. What ends the process (KeyboardInterrupt) or the
    task (its `timeout:`) is none and passes; the session is closed in all cases. An option ``parallel`` is the number
    of connections.
    """
    secrets = Secrets(secrets_in(params, environ))
    shown: Mapping[str, str] = {}
    notes: list[str] = []
    try:
        if URLLIB3_IMPORT_ERROR:
            raise AemError(
                f"The Python library urllib3 is missing for {sys.executable}.",
                f"Install it there ({sys.executable} -m pip install urllib3), or set ansible_python_interpreter to a "
                "Python that has it.",
            )
        connection = connection_from(params, environ)
        if not connection.validate_certs:
            notes.append(f"The certificate of {connection.url} is not verified (validate_certs: false).")
        with one_warning_is_enough(), open_transport(connection, params.get("parallel", 1)) as transport:
            client = Client(connection, transport, secrets, stop)
            try:
                result = resource(Api(client), params, mode._replace(tell=lambda line: mode.tell(secrets.mask(line))))
            finally:
                stop.closing = True
                client.close()
        shown = result.secrets
        outcome = dict(result.values, changed=result.changed)
        notes += result.warnings
        if result.diff is not None:
            outcome["diff"] = result.diff
    except AemError as failure:
        outcome = dict(failure.as_result(), failed=True)
        notes += failure.warnings
    except Exception as bug:  # a resource function must not end otherwise; even so, nothing may come out unmasked
        text = f"Unexpected {type(bug).__name__}: {bug}. Please report it."
        outcome = {"failed": True, "msg": text, "exception": traceback.format_exc()}
    if notes:
        outcome["warnings"] = notes
    # Our own keys stay: with a password like "msg", Ansible would not find the message.
    masked = {key: secrets.mask(value) for key, value in outcome.items()}
    if "msg" in masked:  # after masking, or a secret with a line end would not be found
        masked["msg"] = " ".join("".join(sign if sign.isprintable() else " " for sign in masked["msg"]).split())
    return {**masked, **shown}
