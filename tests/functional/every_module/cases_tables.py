# Copyright (c) 2026, dataops.qlik_em contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Cases for test_every_module.py: tables and their selection."""

from __future__ import annotations

from ansible_collections.dataops.qlik_em.tests.functional.every_module.cases import Case

ORDERS = {"server": "Replicate-Prod", "name": "orders"}
PRICES = {**ORDERS, "schema": "SALES", "table": "PRICES", "wait_sleep": 0.1}
SALES = {"owner": "SALES", "name": "ORDERS"}
MANY = [{"schema": "STOCK", "table": name} for name in ("ITEMS", "Lager & Regal 100%")]

CASES = [
    Case("aem_table", {**PRICES, "state": "resumed", "wait": True}),
    Case("aem_table", {**PRICES, "table": "CUSTOMERS", "state": "resumed", "wait": True}, changes=False),
    Case("aem_table", {**PRICES, "tables": MANY, "state": "reloaded", "force": True}, again=True),
    Case("aem_table_info", {**ORDERS, "schema": ["S*"], "state": ["error"], "statuses": True}, changes=False),
    Case("aem_table_info", {**ORDERS, "table": ["ORDERS"]}, changes=False),
    Case(
        "aem_table_selection",
        {**ORDERS, "state": "present", "explicit_included_tables": [SALES, {"owner": "NEW", "name": "ONE"}]},
    ),
    Case(
        "aem_table_selection",
        {**ORDERS, "state": "replaced", "included_pattern": [{"owner": "S", "name": "%"}], "excluded_pattern": []},
    ),
    Case("aem_table_selection", {**ORDERS, "state": "absent", "explicit_included_tables": [SALES]}),
    Case("aem_table_selection_info", ORDERS, changes=False),
]
