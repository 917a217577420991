# Copyright (c) 2026, dataops.qlik_em contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The methods of endpoints: list, patch, reconfigure, delete, test."""

from __future__ import annotations

import copy

from .. import encryption, endpoints, rights, timeline, views_resources
from ..live import LiveEndpoint, LiveServer
from ..routing import as_known
from ..timeline import RUNNING
from ..views import Json
from .base import Abandoned, Call, Operation, body_json, flag, unset_or, wait_seconds, with_server
from .tasks import transient_shown

Found = tuple[LiveServer, LiveEndpoint]

_NAMED = 5  # tasks that a refusal names at most


async def get_endpoint_list(call: Call, server: LiveServer) -> Json:
    """GetEndpointList."""
    call.entry.executed = True
    listed = list(server.endpoints.items())
    if server.acls:  # one of them may hide some
        above = rights.all_endpoints(call.route.server)
        listed = [(name, live) for name, live in listed if call.world.may(call.user, "Viewer", (*above, name))]
    return {"endpointList": [views_resources.endpoint_info(live.settings) for _name, live in listed]}


async def patch_endpoint(call: Call, found: Found) -> None:
    """PatchEndpoint: JSON Patch on db_settings, all or nothing.

    Running tasks take it at their next start (docs/enterprise_manager_api.md, 6.34).
    """
    server, endpoint = found
    patch = body_json(call, "JsonPatch")
    if endpoint.settings.fail_patch:
        raise call.fail("AEM_PATCH_ENDPOINT_INNER_ERR")
    try:
        settings = endpoints.patched(endpoint.settings, patch)
    except endpoints.BadPatch as error:
        raise call.fail("AEM_PATCH_ENDPOINT_INNER_ERR") from error
    endpoint.settings.db_settings = encryption.opened(settings, server.settings.master_key)
    endpoint.patches += 1
    call.entry.executed = True


async def delete_endpoint(call: Call, found: Found) -> None:
    """DeleteEndpoint: only one that no task uses."""
    server, endpoint = found
    users = server.users_of(endpoint.settings.name)
    if users:
        shown = ", ".join(users[:_NAMED]) + (", ..." if len(users) > _NAMED else "")
        raise call.fail("AEM_ENDPOINT_IS_IN_USE", message=f"Tasks: {shown}")
    if endpoint.settings.fail_delete:
        raise call.fail("AEM_DELETE_ENDPOINT_INNER_ERR")
    server.drop_endpoint(endpoint.settings.name)
    call.entry.executed = True


async def reconfigure_endpoint(call: Call, found: Found) -> None:
    """ReconfigureEndpointNoWait: answers before the settings are copied (docs/enterprise_manager_api.md, 6.38).

    With `recycle` the running tasks that use the endpoint are stopped and resumed. Codes of refusals: assumptions.
    """
    server, endpoint = found
    recycle = flag(call.query, "recycle", default=True)
    given = as_known(unset_or(call.query, "configuration") or "", server.endpoints.__contains__)
    origin = server.endpoints.get(given)
    if origin is None:
        raise call.fail("AEM_ENDPOINT_NOT_FOUND", endpoint=given)
    kinds = {endpoints.short_type(item.settings) for item in (endpoint, origin)}
    if kinds != {"ORACLE"} or endpoint.settings.role == "TARGET":
        raise call.fail("AEM_RECONFIGURE_ENDPOINT_INNER_ERR", message="Only Oracle source endpoints are supported.")

    def copied(_server: LiveServer) -> None:
        endpoint.settings.db_settings = copy.deepcopy(origin.settings.db_settings)

    call.world.later(endpoint.settings.reconfigure_seconds, with_server(call, copied, call.route.server))
    for name in server.users_of(endpoint.settings.name) if recycle else ():
        task = server.tasks[name]
        if task.phase.state == RUNNING:
            shown = transient_shown(call, task)
            task.follow(timeline.recycled(task.settings, task.timeline, task.clock(), shown))
    call.entry.executed = True


async def test_endpoint(call: Call, found: Found) -> Json:
    """TestEndpoint: a connection that fails is an answer, with ERROR (docs/enterprise_manager_api.md, 6.37)."""
    endpoint = found[1]
    settings, timeout = endpoint.settings, wait_seconds(call.query)
    await call.world.pause(min(settings.test_seconds, timeout))
    if call.world.over:
        raise Abandoned
    endpoint.tests += 1
    call.entry.executed = True
    if settings.test_seconds > timeout:
        raise call.fail("AEM_TEST_ENDPOINT_CONNECTION_TIMEOUT")
    status, message, details = settings.test_status, settings.test_message, settings.test_detailed_message
    if status == "CONNECTED" and encryption.unreadable(settings.db_settings):
        status, message = "ERROR", "The password can't be decrypted."
        details = "It was encrypted with the master key of another server."
    return views_resources.endpoint_test(status, message, details, call.world.document.variants.endpoint_test_keys)


OPERATIONS: dict[str, Operation] = {
    "GetEndpointList": Operation("Viewer", "all_endpoints", get_endpoint_list, replicate_only=True),
    "PatchEndpoint": Operation("Designer", "all_endpoints", patch_endpoint, replicate_only=True, gets="endpoint"),
    "DeleteEndpoint": Operation("Designer", "endpoint", delete_endpoint, replicate_only=True),
    "ReconfigureEndpointNoWait": Operation(
        "Operator", "all_endpoints", reconfigure_endpoint, replicate_only=True, gets="endpoint"
    ),
    "TestEndpoint": Operation("Operator", "endpoint", test_endpoint, replicate_only=True),  # the role: assumption
}
