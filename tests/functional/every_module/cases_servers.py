# Copyright (c) 2026, dataops.qlik_em contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Cases for test_every_module.py: servers, their licences, and ACLs."""

from __future__ import annotations

from ansible_collections.dataops.qlik_em.tests.functional.every_module.cases import Case

NEW = {
    "name": "Replicate-New",
    "type": "replicate",
    "host": "new.corp.example",
    "server_username": "em",
    "server_password": "s3cr3t of the server",
}
LICENCE = "issue_date=2026-02-02\nexpiration_date=2036-02-02\nchecksum=1A2B-3C4D-5E6F\n"
SOMEBODY = {"users": ["orders@corp.example"], "groups": ["CORP\\auditors"]}
ROLES = {"admin_role": {"users": ["admin@corp.example"]}, "viewer_role": SOMEBODY}
SCOPES = (
    {"scope": "server"},
    {"scope": "tasks"},
    {"scope": "task", "task": "orders"},
    {"scope": "endpoints"},
    {"scope": "endpoint", "endpoint": "ERP"},
)


def with_acls(em):
    """Give each kind of object an ACL."""
    acl = {"admin_role": {"users": ["ADMIN@corp.example"], "groups": []}, "viewer_role": SOMEBODY}
    server = {"name": "Replicate-Prod", "acl": acl, "tasks_acl": acl, "endpoints_acl": acl}
    server["tasks"] = [{"name": "orders", "acl": acl}]
    server["endpoints"] = [{"name": "ERP", "acl": acl}]
    admin = {"name": "admin", "logins": ["admin@corp.example"], "password": "admin-test-password"}
    em.reset({"users": [{**admin, "grants": [{"role": "Admin"}]}], "servers": [server]})


CASES = [
    Case("aem_server", {**NEW, "state": "present"}),
    Case("aem_server", {**NEW, "wait": True, "monitored": True, "verify_server_certificate": False, "port": 3552}),
    Case("aem_server", {"name": "Compose-DW", "description": "Changed", "wait": True}),
    Case("aem_server", {"name": "Replicate Old", "monitored": True, "wait": True, "wait_sleep": 0.1}),
    Case(
        "aem_server",
        {
            **NEW,
            "name": "Replicate-Prod",
            "host": "replicate-prod.corp.example",
            "server_username": None,
            "update_password": "always",
        },
        again=True,
    ),
    Case("aem_server", {"name": "Replicate-Prod", "server_password": "another"}, changes=False),
    Case("aem_server", {"name": "Replicate-Down", "state": "absent"}),
    Case("aem_server_info", {}, changes=False),
    Case("aem_server_info", {"name": "Replicate-Prod"}, changes=False),
    Case(
        "aem_server_license",
        {"server": "Replicate-Unlicensed", "license": LICENCE},
        is_sent_again=True,
        is_diff_foreseen=False,
    ),
    *(
        Case("aem_acl", {"server": "Replicate-Prod", "state": state, **scope, **ROLES})
        for scope in SCOPES
        for state in ("present", "replaced")
    ),
    *(
        Case("aem_acl", {"server": "Replicate-Prod", "state": "absent", **scope, **more}, with_acls)
        for scope in SCOPES
        for more in ({"viewer_role": SOMEBODY}, {"force": True})
    ),
    *(Case("aem_acl", {"server": "Replicate-Prod", **scope, **ROLES}, with_acls, changes=False) for scope in SCOPES),
    Case("aem_acl", {"server": "Replicate-Prod", "disable_inheritance": True}, with_acls),
    *(Case("aem_acl_info", {"server": "Replicate-Prod", **scope}, changes=False) for scope in SCOPES),
]
