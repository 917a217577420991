# Copyright (c) 2026, dataops.qlik_em contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What one stop in process spends its time on: what a worker runs, without Ansible around it.

A program of its own, as it needs the collection: it stops the tasks of the server "single" one after the other, each
over a connection of its own, and prints the median milliseconds of each phase as JSON.
"""

from __future__ import annotations

import json
import os
import statistics
import sys
import time
from collections import defaultdict
from collections.abc import Callable
from typing import Any

from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from ansible_collections.dataops.qlik_em.plugins.module_utils._client import transport
from ansible_collections.dataops.qlik_em.plugins.module_utils._client.api import Api
from ansible_collections.dataops.qlik_em.plugins.module_utils._client.client import Client
from ansible_collections.dataops.qlik_em.plugins.module_utils._client.interrupt import Interrupt
from ansible_collections.dataops.qlik_em.plugins.module_utils._run.result import Mode
from ansible_collections.dataops.qlik_em.plugins.module_utils._run.run import run_resource
from ansible_collections.dataops.qlik_em.plugins.modules import aem_task

# Phase: the function that is all of it, and where it is looked up.
LOGIN, STOP = "login, with TCP and TLS", "stop"
PHASES = {
    "TLS settings, with the CA's file": (transport, "tls_context"),
    LOGIN: (Client, "session"),
    STOP: (Api, "stop_task"),
    "logout": (Client, "close"),
}
REST, ALL = "checks, masks and the rest of our code", "all"

seconds: dict[str, list[float]] = defaultdict(list)


def timed(phase: str, function: Callable[..., Any]) -> Callable[..., Any]:
    """Return the function, its time added to the last round of a phase."""

    def run(*arguments: Any, **options: Any) -> Any:
        begin = time.perf_counter()
        try:
            return function(*arguments, **options)
        finally:
            seconds[phase][-1] += time.perf_counter() - begin

    return run


def stop(name: str) -> Any:
    """Stop a task as the action frame does."""
    options = {"server": "single", "name": name, "state": "stopped"}
    validation = ArgumentSpecValidator(aem_task.SPEC.argument_spec).validate(options)
    with Interrupt() as interrupt:
        params = validation.validated_parameters
        return run_resource(aem_task.SPEC, aem_task.run, params, os.environ, Mode(), interrupt)


def main(rounds: int) -> None:
    """Measure and print."""
    for phase, (owner, name) in PHASES.items():
        setattr(owner, name, timed(phase, getattr(owner, name)))
    stop_timed = timed(ALL, stop)
    for number in range(rounds):
        for phase in (ALL, *PHASES):
            seconds[phase].append(0.0)
        result = stop_timed(f"phase {number}")
        if not result["changed"]:
            raise SystemExit(str(result))
        seconds[STOP][-1] -= seconds[LOGIN][-1]  # the stop asks for the session, and so logs in
        seconds[REST].append(seconds[ALL][-1] - sum(seconds[phase][-1] for phase in PHASES))
    print(json.dumps({phase: 1000 * statistics.median(seconds[phase]) for phase in (*PHASES, REST, ALL)}))


if __name__ == "__main__":
    main(int(sys.argv[1]))
