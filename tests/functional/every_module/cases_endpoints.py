# Copyright (c) 2026, dataops.qlik_em contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Cases for test_every_module.py: endpoints."""

from __future__ import annotations

from ansible_collections.dataops.qlik_em.tests.functional.every_module.cases import Case

PROD = {"server": "Replicate-Prod", "wait_sleep": 0.1}
NEW = {**PROD, "name": "Archive & more", "type": "postgresql", "description": "Old orders", "state": "present"}
NEW |= {"settings": {"server": "archive.corp.example", "port": 5432}, "secrets": {"password": "archive-password"}}
ERP = {**PROD, "name": "ERP", "state": "present"}
CHANGED = {"server": "new.corp.example", "archived_logs_only": None, "more": {"a/b": [1, 2]}}

CASES = [
    Case("aem_endpoint", {**NEW, "role": "target"}),
    Case("aem_endpoint", {**NEW, "role": "source"}),
    Case("aem_endpoint", {**NEW, "role": "both"}),
    Case("aem_endpoint", {**ERP, "type": "oracle", "role": "source"}, changes=False),
    Case("aem_endpoint", {**ERP, "settings": CHANGED}),
    Case("aem_endpoint", {**ERP, "description": "Another text", "settings": CHANGED}),
    Case("aem_endpoint", {**ERP, "secrets": {"password": "erp-test-password"}}, changes=False),
    Case("aem_endpoint", {**ERP, "secrets": {"password": "new-password"}, "update_password": "always"}, again=True),
    Case("aem_endpoint", {**PROD, "name": "Down & out", "state": "absent"}),
    Case("aem_endpoint", {**PROD, "name": "nothing", "state": "absent"}, changes=False),
    Case("aem_endpoint", {**ERP, "state": "reconfigured", "configuration": "ERP standby"}),
    Case("aem_endpoint_info", {"server": ["Replicate-*"], "on_server_error": "skip", "settings": True}, changes=False),
    Case("aem_endpoint_test", {"server": "Replicate-Prod", "name": "ERP"}, changes=False),
]
