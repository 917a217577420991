# Copyright (c) 2026, dataops.qlik_em contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Cases for test_every_module.py: the audit trail, change data, and any call."""

from __future__ import annotations

from ansible_collections.dataops.qlik_em.tests.functional.every_module.cases import Case
from ansible_collections.dataops.qlik_em.tests.functional.support.user import User
from ansible_collections.dataops.qlik_em.tests.simulator.handle import Handle

ORDERS = {"server": "Replicate-Prod", "name": "orders"}
BARRIER = {**ORDERS, "application": "nightly load"}
DAY = {"start": "2026-01-01", "end": "2026-01-02"}  # over, and nothing was recorded
DELETION = {
    "method": "post",
    "path": ["servers", "Replicate-Prod", "tasks", "orders"],
    "query": {"action": "delete_old_change_data"},
    "body": {"timestamp_or_offset": "P30D"},
}


def set_barrier(em: Handle) -> None:
    """Give the task a barrier of its own."""
    User(em).run("aem_change_data", **BARRIER, state="barrier_present", retention_point="2026-11-20")


CASES = [
    Case("aem_audit_trail", {"start": "24h"}, changes=False),
    Case("aem_audit_trail", {**DAY, "dest": "{folder}/trail.json"}, is_file_only=True),
    Case("aem_change_data", {**BARRIER, "state": "barrier_present", "retention_point": "2026-11-24"}),
    Case("aem_change_data", {**BARRIER, "state": "barrier_absent"}, changes=False),
    Case("aem_change_data", {**BARRIER, "state": "barrier_absent"}, set_barrier),
    Case("aem_change_data", {**BARRIER, "state": "barrier_present", "retention_point": "2026-11-24"}, set_barrier),
    Case(
        "aem_change_data",
        {**ORDERS, "state": "deleted", "older_than": "P30D", "force": True},
        again=True,
        has_diff=False,
    ),
    Case("aem_change_data_info", ORDERS, changes=False),
    Case("aem_change_data_info", ORDERS, set_barrier, changes=False),
    # The time of the run, and how long it took, are in the file.
    Case("aem_metrics", {"dest": "{folder}/qlik.prom"}, again=True, is_file_only=True, is_diff_foreseen=False),
    Case("aem_api", {"path": "servers"}, changes=False),
    Case("aem_api", DELETION, again=True, has_diff=False),
]
