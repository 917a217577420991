# Copyright (c) 2026, dataops.qlik_em contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is private to the collection.

"""What can be done about what a page shows as trouble: by error code, by stop reason, by state. Pure functions."""

from __future__ import annotations

from .._client.error_codes import advice_on

# The stop reasons of tasks that are in trouble (docs/enterprise_manager_api.md, 8.1).
BY_REASON = {
    "FATAL_ERROR": "Fix what the message says, then start the task: it goes on from where it stopped.",
    "RECOVERABLE_ERROR": "It retries by itself. If that lasts, look at the endpoints and the log of the task.",
    "EXPRESS_LICENSE_LIMITS_REACHED": "Register a licence for the server (aem_server_license), then start the task.",
    "STOPPED_LOW_MEMORY": "Free memory on the Replicate server, then start the task.",
    "STOPPED_LOW_DISK_SPACE": "Free disk space on the Replicate server, then start the task.",
}
BY_STATE = {"ERROR": BY_REASON["FATAL_ERROR"], "RECOVERY": BY_REASON["RECOVERABLE_ERROR"]}
TABLES = "Look at the tables below and the log of the task, then load them again (aem_table, state: reloaded)."
SERVER = "Check that the Replicate or Compose service runs and that Enterprise Manager reaches it."
QUARANTINE = "Restarts have not helped. Fix the cause, then start the task, or name it in release."
LICENCE = "Register a new licence (aem_server_license) before tasks stop."


def of_task(state: str, reason: str | None) -> str:
    """Return the remedy for a task; empty if nothing general can be said."""
    return BY_REASON.get(reason or "") or BY_STATE.get(state, "")


def of_code(code: str | None, hint: str = "") -> str:
    """Return the remedy for an error code of the API, ``hint`` if the module gave one."""
    return hint or advice_on(code or "").remedy
