# Copyright (c) 2026, dataops.qlik_em contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The failures of the API: codes, HTTP statuses and message templates, each in one place.

The codes of any method are documented (docs/enterprise_manager_api.md, 3.6). Everything that is marked
"assumption" below is one there, too, or in docs/errors.md.
"""

from __future__ import annotations

# Assumption: 440 for a dead session, 403 for missing rights (docs/enterprise_manager_api.md, 3.4 and 3.5);
# every other failure is 500 (docs/enterprise_manager_api.md, 3.2).
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
    # Assumption by analogy with the methods whose error tables list it (docs/enterprise_manager_api.md, 3.8).
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
    # Assumptions: the three codes of RunTask, by analogy with StopTask (docs/enterprise_manager_api.md, 6.12).
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
    "UNAUTHORIZED_REQUEST/audit trail": (401, "Unauthorized Request. request: AemExportAuditTrail"),
    # Assumption: the nearest code for a Replicate method on a Compose server
    # (docs/enterprise_manager_api.md, 5.5).
    "AEM_METHOD_NOT_SUPPORTED_VERSION": (FAILURE_STATUS, "{method} is only supported on Replicate 5.2 or above."),
    **dict.fromkeys(
        ("AEM_INVALID_NAME", "AEM_INVALID_DESC", "AEM_INVALID_HOST", "AEM_INVALID_USERNAME"),
        (FAILURE_STATUS, "Failed to put server {server}. {message}"),  # codes documented, text assumption
    ),
    "AEM_PUT_SERVER_INNER_ERR": (FAILURE_STATUS, 'Failed to put server "{server}". Error: "{message}"'),
    "AEM_DELETE_SERVER_INNER_ERR": (FAILURE_STATUS, 'Failed to delete requested server "{server}".'),
    "AEM_PUT_SRV_LIC_INNER_ERR": (
        FAILURE_STATUS,
        'Failed to put license for server "{server}". Error: "{message}"',
    ),
    "AEM_DELETE_TASK_ERR": (
        FAILURE_STATUS,
        "Replication task {task} on server {server} could not be deleted due to an error. {message}",
    ),
    # Assumption, by analogy with StopTask (docs/enterprise_manager_api.md, 6.23).
    "AEM_CLONE_TASK_INNER_ERR": (
        FAILURE_STATUS,
        "Failed to clone Replicate task {task} on server {server}: <{message}>",
    ),
    "AEM_TASK_NOT_STOPPED": (
        FAILURE_STATUS,
        "Replication task {task} on server {server} must be stopped before it can be deleted.",
    ),
    "AEM_TASK_NOT_FOUND/tables": (FAILURE_STATUS, "Replicate task {task} on server {server} could not be found."),
    "AEM_IMPORT_TASK_NO_PERMISSION_ON_ENDPOINT": (
        FAILURE_STATUS,
        "Failed to import task {task} to replication server {server} as the logged in user does not have permission "
        "to add or modify endpoints.",
    ),
    "AEM_IMPORT_TASK_CONTAIN_ALIEN_ITEMS": (
        FAILURE_STATUS,
        "Failed to import task {task} to replication server {server} as the JSON file contains unsupported objects.",
    ),
    "AEM_IMPORT_TASK_NAME_DIFFER": (
        FAILURE_STATUS,
        "Failed to import task {task} to replication server {server} as the JSON file contains conflicting tasks.",
    ),
    "AEM_IMPORT_TASK_CONTAINS_MULTIPLE_TASKS": (
        FAILURE_STATUS,
        "Failed to import task to replication server {server} as the JSON file contains multiple tasks.",
    ),
    # Assumption, named like the same code of other methods.
    "AEM_IMPORT_TASK_INNER_ERR": (
        FAILURE_STATUS,
        "Failed to import task {task} to replication server {server}. Error: {message}",
    ),
    "AEM_IMPORT_NO_PERMISSION_ON_TASK": (
        FAILURE_STATUS,
        "Failed to import all tasks to replication server {server} as the logged in user does not have permission "
        "to add tasks.",
    ),
    "AEM_IMPORT_NO_PERMISSION_ON_ENDPOINT": (
        FAILURE_STATUS,
        "Failed to import all tasks to replication server {server} as the logged in user does not have permission "
        "to add endpoints.",
    ),
    "AEM_IMPORT_CONTENT_EMPTY": (
        FAILURE_STATUS,
        "Failed to import all tasks to replication server {server} as the JSON file is empty.",
    ),
    "AEM_IMPORT_INVALID_CONTENT": (
        FAILURE_STATUS,
        "Failed to import all tasks to replication server {server} as the JSON file contains invalid content. "
        "{message}",
    ),
    "AEM_EXPORT_NO_PERMISSION_ON_TASK": (
        FAILURE_STATUS,
        "Failed to export all tasks from Replicate server {server} as the logged in user does not have permission to "
        "export one or more of the defined tasks.",
    ),
    "AEM_EXPORT_NO_PERMISSION_ON_ENDPOINT": (
        FAILURE_STATUS,
        "Failed to export all tasks from server {server} as the logged in user does not have permission to export "
        "one or more of the defined endpoints.",
    ),
    "AEM_ENDPOINT_NOT_FOUND": (
        FAILURE_STATUS,
        "Replicate endpoint {endpoint} on server {server} could not be found.",
    ),
    "AEM_PATCH_ENDPOINT_INNER_ERR": (
        FAILURE_STATUS,
        "Failed to patch replication endpoint {endpoint} from server {server}.",
    ),
    "AEM_DELETE_ENDPOINT_INNER_ERR": (
        FAILURE_STATUS,
        "Failed to delete Replicate endpoint {endpoint} from server {server}.",
    ),
    # That the tasks are named is an assumption.
    "AEM_ENDPOINT_IS_IN_USE": (
        FAILURE_STATUS,
        "Replicate endpoint {endpoint} on server {server} cannot be deleted as it is currently in use by one or more "
        "tasks. {message}",
    ),
    # Assumption, named like the same code of other methods.
    "AEM_RECONFIGURE_ENDPOINT_INNER_ERR": (
        FAILURE_STATUS,
        "Failed to reconfigure Replicate endpoint {endpoint} on server {server}. Error: {message}",
    ),
    "AEM_TEST_ENDPOINT_CONNECTION_TIMEOUT": (
        FAILURE_STATUS,
        "A timeout occurred while testing the connection for endpoint {endpoint} on Replicate server {server}.",
    ),
    "AEM_TABLE_LIST_INNER_ERR": (
        FAILURE_STATUS,
        'Failed to retrieve table list for replication task "{task}" on server "{server}". Error: "{message}"',
    ),
    "AEM_INVALID_TASK_NOT_FL": (
        FAILURE_STATUS,
        "Failed to reload table {table} as Full Load is not enabled for task {task}.",
    ),
    "AEM_INVALID_TASK_NT_NTSUPPEP": (
        FAILURE_STATUS,
        "Failed to {message} table as this operation is not supported with the File Channel source endpoint.",
    ),
    "AEM_RELOAD_TABLE_ERR": (
        FAILURE_STATUS,
        "Failed to reload table {schema}.{table} for replication task {task} on server {server}: {message}",
    ),
    "AEM_UNSUSPEND_TABLE_ERR": (
        FAILURE_STATUS,
        "Failed to unsuspend table {schema}.{table} for replication task {task} on server {server}: {message}",
    ),
    "AEM_INVALID_TIMESTAMP_FORMAT/audit trail": (
        FAILURE_STATUS,
        "{message} is not a timestamp. Timestamp format should be 'yyyy'-'MM'-'dd'T'HH':'mm':'ss'Z or Ticks.",
    ),
    "AEM_INVALID_TIMESTAMP_FORMAT/barrier": (
        FAILURE_STATUS,
        "The specified partition retention barrier does not conform to the expected timestamp format. Timestamp "
        "format should be yyyy'-'MM'-'dd'T'HH':'mm':'ss'Z'",
    ),
    "AEM_INVALID_TIMESTAMP_FORMAT/old change data": (
        FAILURE_STATUS,  # text not seen
        "{message} is neither a timestamp (yyyy'-'MM'-'dd'T'HH':'mm':'ss'Z') nor a duration.",
    ),
    "AEM_EXPORT_INNER_ERR": (
        FAILURE_STATUS,
        "Failed to export audit trail. AUDIT-E-INVRANGE. The end time is before the start time.",
    ),
    # The kind is server, task or endpoint; PUT is an assumption, and so is which code a page with two spellings means.
    "AEM_SERVER_HAS_NO_ACL": (FAILURE_STATUS, 'ACL for server "{name}" could not be found.'),
    "AEM_TASK_HAS_NO_ACL": (FAILURE_STATUS, 'ACL for task "{name}" could not be found.'),
    "AEM_ENDPOINT_HAS_NO_ACL": (FAILURE_STATUS, 'ACL for endpoint "{name}" could not be found.'),
    "AEM_PUT_SERVER_ACL_INNER_ERR": (FAILURE_STATUS, 'Failed to put ACL of server "{name}". Error: "{message}".'),
    "AEM_PUT_TASK_ACL_INNER_ERR": (FAILURE_STATUS, 'Failed to put ACL of task "{name}". Error: "{message}".'),
    "AEM_PUT_ENDPOINT_ACL_INNER_ERR": (FAILURE_STATUS, 'Failed to put ACL of endpoint "{name}". Error: "{message}".'),
}


class ApiError(Exception):
    """A refusal as the API words it: `error_code`, `error_message` and the HTTP status."""

    def __init__(self, code: str, message: str, status: int = FAILURE_STATUS) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message
        self.status = status

    def body(self) -> dict[str, str]:
        """The JSON members of every failure: exactly these two (docs/enterprise_manager_api.md, 3.1)."""
        return {"error_code": self.code, "error_message": self.message}


def failure(key: str, **names: str) -> ApiError:
    """Build a failure with the template's placeholders filled in. The key is the code; where pages word one code in
    several ways (or give it another status), "/" and the method follow."""
    status, template = TEMPLATES[key]
    return ApiError(key.partition("/")[0], template.format(**names), status)
