# Copyright (c) 2026, dataops.qlik_em contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Servers that cannot be read: what reads many of them names each one, and says how to leave them out."""

from __future__ import annotations

import pytest

MODULES = {
    "aem_server_info": ({"details": True}, "GetServerDetails"),
    "aem_task_info": ({}, "GetTaskList"),
    "aem_endpoint_info": ({}, "GetEndpointList"),
    "aem_task_batch": ({"include": [{"server": "*"}], "state": "stopped"}, "GetTaskList"),
}


def servers(em, count):
    """Give the stand-in so many servers without tasks."""
    user = {"name": "op", "logins": [em.username], "password": em.password, "grants": [{"role": "Admin"}]}
    em.reset({"users": [user], "servers": [{"name": f"S{number:02}"} for number in range(count)]})


@pytest.mark.parametrize("module", MODULES)
def test_all_servers_that_fail_are_named_in_a_line_each(em, user, module):
    options, operation = MODULES[module]
    servers(em, 4)
    faults = [{"match": {"operation": operation, "server": f"S0{n}"}, "nth": "all", **away(n)} for n in (0, 1, 3)]
    em.faults(faults)
    run = user.run(module, **options)
    assert run.failed and not run.changed
    lines = run.msg.splitlines()
    assert len(lines) == 3, run.msg
    for line, number in zip(lines, (0, 1, 3)):
        assert f'"S0{number}"' in line and f"Number {number} is away." in line
    assert run.result["hint"].endswith("Or leave such servers out with on_server_error: skip.")
    assert run.result["error_code"] == "AEM_SERVER_NOT_CONNECTED"
    skipping = user.run(
        module, **options, on_server_error="skip", **({"allow_empty": True} if "include" in options else {})
    )
    assert not skipping.failed
    assert [row["server"] for row in skipping.result["skipped_servers"]] == ["S00", "S01", "S03"]
    assert sum("was skipped" in warning for warning in skipping.result["warnings"]) == 3


def away(number):
    """Return a fault: the server says that it does not reach one of its own."""
    body = f'{{"error_code": "AEM_SERVER_NOT_CONNECTED", "error_message": "Number {number} is away."}}'
    return {"fault": "bad_json", "body": body}


@pytest.mark.parametrize("module", MODULES)
def test_no_more_are_named_than_one_can_read(em, user, module):
    options, operation = MODULES[module]
    servers(em, 30)
    em.faults([{"match": {"operation": operation}, "nth": "all", **away(7)}])
    run = user.run(module, **options)
    lines = run.msg.splitlines()
    assert run.failed and len(lines) == 1 + 20 + 1 and lines[-1] == "and 9 more"
