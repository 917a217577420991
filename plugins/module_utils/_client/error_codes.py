# Copyright (c) 2026, dataops.qlik_em contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is private to the collection.

"""The error codes of the API: what each means, and what to do about it."""

from __future__ import annotations

from typing import NamedTuple

from .errors import INVALID_SESSION_ID, UNAUTHORIZED_REQUEST


class Advice(NamedTuple):
    """What an error code means and what the reader can do about it."""

    meaning: str = ""
    remedy: str = ""


# The comment "assumed" marks codes that the guide does not list (docs/enterprise_manager_api.md, 3.9).
# A code that is missing here passes through unchanged.
CATALOGUE: dict[str, Advice] = {
    UNAUTHORIZED_REQUEST: Advice(
        "The user may not do this.",
        "Give the user the role in Enterprise Manager (User Permissions of the object or of its parent).",
    ),
    INVALID_SESSION_ID: Advice(
        "The API session has expired (5 minutes after its last request) or never existed.",
        "Give username and password, api_token or jwt in addition to session_id, so that the session can be renewed.",
    ),
    "DESERIALIZE_TO_TYPE": Advice(
        "The server could not read the body of the request.",
        "Check the values passed to the module; the server's message names the member.",
    ),
    "AEM_SERVER_NOT_FOUND": Advice(
        "Enterprise Manager has no server with this name.",
        "server is the display name in Enterprise Manager, not a host name. Names are case-sensitive.",
    ),
    "AEM_SERVER_NOT_MONITORED": Advice(
        "Monitoring of the server is switched off.",
        "Start monitoring the server in Enterprise Manager, then run this again.",
    ),
    "AEM_SERVER_NOT_CONNECTED": Advice(
        "Enterprise Manager cannot reach the server.",
        "Check that the Replicate or Compose service runs and that Enterprise Manager reaches it.",
    ),
    "AEM_INVALID_NAME": Advice("The name of the server is not valid.", "Choose another name."),
    "AEM_INVALID_DESC": Advice("The description of the server is not valid.", "Shorten or simplify description."),
    "AEM_INVALID_HOST": Advice(
        "The host of the server is not valid.", "host is a host name or an address, without scheme, port and path."
    ),
    "AEM_INVALID_USERNAME": Advice(
        "The user name for the server is not valid.", "server_username must be an administrator of that server."
    ),
    "AEM_PUT_SERVER_INNER_ERR": Advice(  # assumed
        "Enterprise Manager refused or failed to add or change the server.",
        "Read the server's message; server_username must be an administrator of that server.",
    ),
    "AEM_DELETE_SERVER_INNER_ERR": Advice(
        "Enterprise Manager failed to remove the server.", "Read the log of Enterprise Manager, then run this again."
    ),
    "AEM_PUT_SRV_LIC_INNER_ERR": Advice(
        "The server refused the licence or failed to register it.",
        "Check that it is the whole licence file, and one for this product and this machine.",
    ),
    **{
        f"AEM_{verb}_{kind}_ACL_INNER_ERR": Advice(  # those of PUT are assumed
            f"Enterprise Manager failed to {what} the ACL.",
            "Read the server's message, and check that the users and groups exist and are spelled correctly.",
        )
        for verb, what in (("GET", "read"), ("PUT", "set"))
        for kind in ("SERVER", "TASK", "ENDPOINT")
    },
    # The pages of tasks and endpoints name it, too.
    "AEM_DELETE_SERVER_ACL_INNER_ERR": Advice(
        "Enterprise Manager failed to delete the ACL.", "Read the server's message, then run this again."
    ),
    "AEM_SERVER_HAS_NO_ACL": Advice("The object has no ACL of its own: it inherits all permissions.", "Nothing to do."),
    "AEM_TASK_HAS_NO_ACL": Advice(
        "The object has no ACL of its own: it inherits all permissions.", "Nothing to do."
    ),  # assumed
    "AEM_ENDPOINT_HAS_NO_ACL": Advice(  # assumed
        "The object has no ACL of its own: it inherits all permissions.", "Nothing to do."
    ),
    "AEM_SERVER_LICENSE_EXPIRED": Advice("The licence of the server has expired.", "Register a new licence."),
    "AEM_SERVER_INVALID_LICENSE": Advice("The licence of the server is not valid.", "Register a valid licence."),
    "LICENSE_NOT_FOUND": Advice(
        "Enterprise Manager has no licence.", "Register one in the Enterprise Manager console."
    ),
    "LICENSE_NOT_FOUND_CONTACT_ADMIN": Advice(
        "Enterprise Manager has no licence.", "Ask an Enterprise Manager Admin to register one."
    ),
    "AEM_TASK_NOT_FOUND": Advice(  # assumed
        "The server has no task with this name.",
        "Names are case-sensitive; Compose tasks and workflows are named task__project.",
    ),
    "AEM_TASK_ALREADY_STOPPED": Advice("The task is already stopped.", "Nothing to do."),
    "AEM_STOP_TASK_INNER_ERR": Advice(
        "The server refused or failed to stop the task.",
        "Read the server's message and the task's log; then run this again.",
    ),
    "AEM_STOP_TASK_TIMEOUT": Advice(
        "The task did not stop within timeout; the server is still stopping it.",
        "Use wait: true to keep watching (up to wait_timeout), raise timeout, or run this again.",
    ),
    "AEM_TASK_ALREADY_RUNNING": Advice("The task is already running.", "Nothing to do."),  # assumed
    "AEM_RUN_TASK_INNER_ERR": Advice(  # assumed
        "The server refused or failed to start the task.",
        "Read the server's message and the task's log; then run this again.",
    ),
    "AEM_RUN_TASK_TIMEOUT": Advice(  # assumed
        "The task did not start within timeout; the server is still starting it.",
        "Use wait: true to keep watching (up to wait_timeout), raise timeout, or run this again.",
    ),
    "AEM_TABLE_LIST_INNER_ERR": Advice(
        "The server could not read the tables of the task.",
        "Read the server's message and the task's log; then run this again.",
    ),
    "AEM_INVALID_TASK_NOT_FL": Advice(
        "Full load is disabled for the task, so its tables cannot be reloaded.",
        "Enable Full Load in the settings of the task.",
    ),
    "AEM_INVALID_TASK_NT_NTSUPPEP": Advice(
        "A task that reads from a File Channel cannot reload or resume single tables.",
        "Do it in the task that writes into the File Channel, or reload the whole task.",
    ),
    "AEM_RELOAD_TABLE_ERR": Advice(
        "The server refused or failed to reload the table.",
        "Read the server's message. The task must be running, and the table one of its tables.",
    ),
    "AEM_UNSUSPEND_TABLE_ERR": Advice(
        "The server refused or failed to resume the table.",
        "Read the server's message. The task must be running; a table that was suspended in the full load can only be "
        "reloaded.",
    ),
    "AEM_METHOD_NOT_SUPPORTED_VERSION": Advice(
        "The server's product or version does not have this method.",
        "Check the product and the version of the server.",
    ),
    "AEM_INVALID_TIMESTAMP_FORMAT": Advice(
        "A time is not in the form that the method requires.",
        "Give it in UTC, like 2026-11-25T18:00:00Z.",
    ),
    "AEM_EXPORT_INNER_ERR": Advice(
        "The audit trail cannot be exported, or its end is before its start.",
        "Read the server's message; check start and end.",
    ),
    "AEM_SET_CHANGE_DATA_RETENTION_BARRIER_INNER_ERR": Advice(  # assumed
        "The server failed to set or remove the retention barrier.",
        "Read the server's message; the task must store changes in partitions.",
    ),
    "AEM_GET_CHANGE_DATA_RETENTION_BARRIER_INNER_ERR": Advice(
        "The server failed to read the retention barrier.",
        "Read the server's message; the task must store changes in partitions.",
    ),
    "AEM_ENDPOINT_NOT_FOUND": Advice(  # assumed for PatchEndpoint and ReconfigureEndpointNoWait
        "The server has no endpoint with this name.",
        "name is the display name of the endpoint. Names are case-sensitive.",
    ),
    "AEM_ENDPOINT_LIST_INNER_ERR": Advice(
        "The server failed to list its endpoints.", "Read the server's message and its log; then run this again."
    ),
    "AEM_PATCH_ENDPOINT_INNER_ERR": Advice(
        "The server refused or failed to change the settings of the endpoint.",
        "Check the names and the values of the settings against an export of the endpoint (withendpoints).",
    ),
    "AEM_DELETE_ENDPOINT_INNER_ERR": Advice(
        "The server refused or failed to delete the endpoint.",
        "Read the server's message and its log; then run this again.",
    ),
    "AEM_ENDPOINT_IS_IN_USE": Advice(
        "Tasks use the endpoint, so it cannot be deleted.",
        "Delete these tasks, or let them use another endpoint; then run this again.",
    ),
    "AEM_RECONFIGURE_ENDPOINT_INNER_ERR": Advice(  # assumed
        "The server refused or failed to copy the settings.",
        "This is documented for Oracle source endpoints only. Read the server's message.",
    ),
    "AEM_TEST_ENDPOINT_CONNECTION_TIMEOUT": Advice(
        "The test did not end within timeout.",
        "Raise timeout, or check that the Replicate server reaches the database.",
    ),
    "AEM_CLONE_TASK_INNER_ERR": Advice(  # assumed
        "The server refused or failed to copy the task.",
        "Read the server's message: the name may be taken, or the other endpoints may be missing or of another type.",
    ),
    "AEM_TASK_NOT_STOPPED": Advice(
        "The task must be stopped before it can be changed or deleted.",
        "Set stop_if_running: true (a changed task runs again afterwards), or stop the task first.",
    ),
    "AEM_DELETE_TASK_ERR": Advice(
        "The server failed to delete the task.", "Read the server's message and the task's log; then run this again."
    ),
    "AEM_DELETE_TASK_INNER_ERR": Advice(
        "The server failed to delete the task.", "Read the server's message and the task's log; then run this again."
    ),
    "AEM_IMPORT_TASK_NO_PERMISSION_ON_ENDPOINT": Advice(
        "The definition contains endpoints, which the user may not add or change.",
        "Give the user the role Designer on All Endpoints, or leave the databases out of the definition.",
    ),
    "AEM_IMPORT_TASK_CONTAIN_ALIEN_ITEMS": Advice(
        "The definition contains more than a task and its endpoints.",
        "Leave only tasks and databases in it, or import the whole of it with aem_import.",
    ),
    "AEM_IMPORT_TASK_NAME_DIFFER": Advice(
        "The definition belongs to another task.", "Give the definition of the task in name."
    ),
    "AEM_IMPORT_TASK_CONTAINS_MULTIPLE_TASKS": Advice(
        "The definition contains several tasks.", "Split it, or import the whole of it with aem_import."
    ),
    "AEM_IMPORT_TASK_INNER_ERR": Advice(  # assumed
        "The server refused or failed to import the definition.",
        "Read the server's message; the endpoints that a task uses must exist or be in the definition.",
    ),
    "AEM_IMPORT_NO_PERMISSION_ON_TASK": Advice(
        "The user may not add or change tasks of the server.", "Give the user the role Designer on All Tasks."
    ),
    "AEM_IMPORT_NO_PERMISSION_ON_ENDPOINT": Advice(
        "The user may not add or change endpoints of the server.", "Give the user the role Designer on All Endpoints."
    ),
    "AEM_IMPORT_CONTENT_EMPTY": Advice("The definition is empty.", "Give an export of a server or of a task."),
    "AEM_IMPORT_INVALID_CONTENT": Advice(
        "The server does not accept the definition.",
        "Read the server's message; a definition must be as Replicate exports it.",
    ),
    "AEM_EXPORT_NO_PERMISSION_ON_TASK": Advice(
        "The user may not export all tasks of the server.", "Give the user the role Designer on All Tasks."
    ),
    "AEM_EXPORT_NO_PERMISSION_ON_ENDPOINT": Advice(
        "The user may not export all endpoints of the server.", "Give the user the role Operator on All Endpoints."
    ),
}


def advice_on(error_code: str) -> Advice:
    """Return what is known of an error code of the API; of an unknown one nothing."""
    return CATALOGUE.get(error_code, Advice())
