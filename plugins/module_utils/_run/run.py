# Copyright (c) 2026, dataops.qlik_em contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is private to the collection.

"""Runs one resource function: one form of result, one form of failure, nothing unmasked. Both frames use it."""

from __future__ import annotations

import sys
import time
import traceback
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from typing import Any

from .._client.api import Api
from .._client.client import Client
from .._client.connection import Connection, connection_from
from .._client.errors import AemError
from .._client.interrupt import Interrupt
from .._client.limits import Limits
from .._client.masking import Secrets, secrets_in
from .._client.refusals import Refusals
from .._client.transport import REQUESTS_IMPORT_ERROR, Transport, one_warning_is_enough
from .arguments import Spec
from .lines import escaped, one_line
from .result import Mode, Result

Run = Callable[[Api, Mapping[str, Any], Mode], Result]
DEFAULT_LIMITS = Limits()
LINES = ("warnings", "report")  # members that are lists of texts for people
ROWS = ("tasks", "tables", "skipped_servers")  # members whose rows have texts for people, too


def run_resource(
    spec: Spec,
    run: Run,
    params: Mapping[str, Any],
    environ: Mapping[str, str],
    mode: Mode,
    interrupt: Interrupt,
    open_transport: Callable[[Connection, int], AbstractContextManager[Transport]] = Transport,
    limits: Limits = DEFAULT_LIMITS,
    refusals: Refusals | None = None,
) -> dict[str, Any]:
    """Call ``run`` within one API session and return the result for Ansible, masked.

    Never raises an Exception: a failure is a result with ``failed``. What ends the process (KeyboardInterrupt) or the
    task (its `timeout:`) is not one and passes; the session is closed in all cases. ``refusals`` are those of the whole
    run, if more than this task can know them.
    """
    begin = time.monotonic()
    secrets = Secrets(secrets_in(params, environ, spec.secret_options))
    unmasked: Mapping[str, str] = {}
    warnings: list[str] = []
    lines: list[str] = []  # of a message that has more than one
    client: Client | None = None
    try:
        if REQUESTS_IMPORT_ERROR:
            raise AemError(
                f"The Python library requests is missing for {sys.executable}.",
                f"Install it there ({sys.executable} -m pip install requests), or set ansible_python_interpreter to a "
                "Python that has it.",
            )
        connection = connection_from(params, environ)
        if not connection.validate_certs:
            warnings.append(f"The certificate of {connection.url} is not verified (validate_certs: false).")
        parallel = params[spec.parallel_option] if spec.parallel_option else 1
        with one_warning_is_enough(), open_transport(connection, parallel) as transport:
            client = Client(connection, transport, secrets, interrupt, limits, refusals)
            api = Api(client)
            try:
                masked_mode = mode._replace(progress=lambda line: mode.progress(one_line(secrets.mask(line))))
                with client.writes.guard():
                    result = run(api, params, masked_mode)
            except AemError as failure:
                if failure.not_found:
                    from .._client.nearest import suggestion  # late: only a failure needs it

                    failure.hint = f"{suggestion(api, failure.not_found)} {failure.hint}".strip()
                raise
            finally:
                interrupt.closing = True
                client.close()
        unmasked = result.secrets
        outcome = dict(result.values, changed=result.changed)
        warnings += result.warnings
        if result.diff is not None:
            outcome["diff"] = result.diff
    except AemError as failure:
        outcome = dict(failure.as_result(), failed=True)
        warnings += failure.warnings
        lines = failure.lines
    except Exception as bug:  # a resource function must not end otherwise; even so, nothing may come out unmasked
        text = f"Unexpected {type(bug).__name__}: {bug}. Please report it."
        changed = client is not None and client.writes.may_be_done
        outcome = {"failed": True, "msg": text, "changed": changed, "exception": traceback.format_exc()}
    if not mode.shows_diff:
        outcome.pop("diff", None)
    if spec.is_timed:
        outcome["elapsed"] = round(time.monotonic() - begin, 2)
    if warnings:
        outcome["warnings"] = warnings
    # Our own keys stay: with a password like "msg", Ansible would not find the message.
    masked = {key: secrets.mask(value) for key, value in outcome.items()}
    # After masking, or a secret with a line end would not be found.
    for member in LINES:
        if member in masked:
            masked[member] = [one_line(line) for line in masked[member]]
    for row in (row for member in ROWS if isinstance(masked.get(member), list) for row in masked[member]):
        if isinstance(row, dict):
            row.update({text: one_line(row[text]) for text in ("msg", "hint") if text in row})
    masked.update({text: one_line(masked[text]) for text in ("hint", "error_message") if text in masked})
    if "exception" in masked:
        masked["exception"] = escaped(masked["exception"])
    if "diff" in masked:  # what is not a text is shown as JSON
        shown = {part: escaped(text) if isinstance(text, str) else text for part, text in masked["diff"].items()}
        headers = {header: one_line(shown[header]) for header in ("before_header", "after_header") if header in shown}
        masked["diff"] = {**shown, **headers}
    if "msg" in masked:
        masked["msg"] = "\n".join(one_line(line) for line in [masked["msg"], *secrets.mask(lines)])
    return {**masked, **unmasked}
