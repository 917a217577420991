# Copyright (c) 2026, dataops.qlik_em contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The failures of the API: codes, HTTP statuses and message templates, each in one place.

Source: api/notes.md section 3 and the general errors of api/openapi.yaml. Everything that is marked
"assumption" below is one there too.
"""

from __future__ import annotations

# Assumption (notes 12): 440 for a dead session, 403 for missing rights; every other failure is 500 [doc].
SESSION_STATUS = 440
FORBIDDEN_STATUS = 403
FAILURE_STATUS = 500

TEMPLATES: dict[str, tuple[int, str]] = {
    "UNAUTHORIZED_REQUEST": (FORBIDDEN_STATUS, "Unauthorized Request."),
    "INVALID_SESSION_ID": (SESSION_STATUS, "The session has expired or the session ID is not valid."),
    "DESERIALIZE_TO_TYPE": (FAILURE_STATUS, "Failed to deserialize JSON to type {type}: {message}"),
    # The vendor SDK's sample has the name in double quotes.
    "AEM_SERVER_NOT_FOUND": (FAILURE_STATUS, 'The requested server "{server}" could not be found.'),
    "AEM_SERVER_NOT_MONITORED": (FAILURE_STATUS, "The requested server {server} is not monitored."),
    "AEM_SERVER_NOT_CONNECTED": (
        FAILURE_STATUS,
        'The requested server "{server}" cannot be reached at this time. Message: {message}',
    ),
    "AEM_SERVER_LICENSE_EXPIRED": (FAILURE_STATUS, "The license for requested server {server} has expired."),
    "AEM_SERVER_INVALID_LICENSE": (FAILURE_STATUS, "The license for requested server {server} is not valid."),
    "LICENSE_NOT_FOUND": (
        FAILURE_STATUS,
        "You need to register a Replication Management license in order to use Qlik Enterprise Manager. To register "
        "or obtain a license, open the Qlik Enterprise Manager console and follow the instructions.",
    ),
    "LICENSE_NOT_FOUND_CONTACT_ADMIN": (
        FAILURE_STATUS,
        "An Enterprise Manager Admin needs to register a Replication Management license before you can use the "
        "product. To obtain a license, contact your Qlik Sales Representative.",
    ),
    # Assumption by analogy with the methods whose error tables were seen.
    "AEM_TASK_NOT_FOUND": (FAILURE_STATUS, "Replication task {task} on server {server} could not be found."),
    "AEM_TASK_ALREADY_STOPPED": (FAILURE_STATUS, "Replicate task {task} on server {server} is already stopped."),
    "AEM_STOP_TASK_INNER_ERR": (
        FAILURE_STATUS,
        "Failed to stop Replicate task {task} on server {server}: <{message}>",
    ),
    "AEM_STOP_TASK_TIMEOUT": (
        FAILURE_STATUS,
        "A timeout occurred when trying to stop Replicate task {task} on server {server}",
    ),
    # Assumptions: the three codes of RunTask, by analogy with StopTask.
    "AEM_TASK_ALREADY_RUNNING": (FAILURE_STATUS, "Replicate task {task} on server {server} is already running."),
    "AEM_RUN_TASK_INNER_ERR": (FAILURE_STATUS, "Failed to run Replicate task {task} on server {server}: <{message}>"),
    "AEM_RUN_TASK_TIMEOUT": (
        FAILURE_STATUS,
        "A timeout occurred when trying to run Replicate task {task} on server {server}",
    ),
    # The code is listed for other methods; its use for a run position is an assumption.
    "AEM_INVALID_TIMESTAMP_FORMAT": (
        FAILURE_STATUS,
        "The timestamp {message} is not in the format YYYY-MM-DDTHH:MM:SS.",
    ),
}


class ApiError(Exception):
    """A refusal as the API words it: `error_code`, `error_message` and the HTTP status."""

    def __init__(self, code: str, message: str, status: int = FAILURE_STATUS) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message
        self.status = status

    def body(self) -> dict[str, str]:
        """The JSON members of every failure: exactly these two [doc]."""
        return {"error_code": self.code, "error_message": self.message}


def failure(code: str, **names: str) -> ApiError:
    """Build the failure `code` with the template's placeholders filled in."""
    status, template = TEMPLATES[code]
    return ApiError(code, template.format(**names), status)
