# Copyright (c) 2026, dataops.qlik_em contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""docs/estate_as_code.md: its overlay fits an estate of the forms that real exports have."""

from __future__ import annotations

import re

import yaml
from ansible_collections.dataops.qlik_em.plugins.module_utils._estates.model import ObjectKey
from ansible_collections.dataops.qlik_em.plugins.module_utils._estates.overlay import overlaid, read_overlay
from ansible_collections.dataops.qlik_em.tests.functional.support.play import COLLECTIONS

GUIDE = (COLLECTIONS / "ansible_collections/dataops/qlik_em/docs/estate_as_code.md").read_text(encoding="utf-8")
TEST, PROD = "Replicate-Test", "Replicate-Prod"


def task(name):
    """A task of the test server."""
    return {
        "task": {"name": name, "source_name": "ERP test", "target_names": ["DWH test"]},
        "source": {"source_tables": {"explicit_included_tables": [{"owner": "SALES_TEST", "name": "ORDERS"}]}},
        "task_settings": {"target_settings": {"default_schema": "DWH_TEST"}},
    }


def test_the_overlay_makes_production_of_a_test_server():
    (text,) = re.findall(r"```yaml\n(# overlays/prod\.yml\n.*?)```", GUIDE, re.DOTALL)
    estate = {
        ObjectKey(TEST, "endpoints", "ERP test"): {"name": "ERP test", "db_settings": {"server": "erp-test"}},
        ObjectKey(TEST, "endpoints", "DWH test"): {"name": "DWH test", "db_settings": {}},
        **{ObjectKey(TEST, "tasks", name): task(name) for name in ("orders", "scratch1")},
        ObjectKey(TEST, "schedules", "nightly"): {"name": "nightly", "schedule": "0 1 * * * *", "task": "orders"},
        ObjectKey(TEST, "acl", ""): {},
    }
    found = overlaid(estate, read_overlay("overlay", yaml.safe_load(text)))
    assert found == {
        ObjectKey(PROD, "endpoints", "ERP"): {"name": "ERP", "db_settings": {"server": "erp-prod.corp.example"}},
        ObjectKey(PROD, "endpoints", "DWH"): {"name": "DWH", "db_settings": {}},
        ObjectKey(PROD, "tasks", "orders"): {
            "task": {"name": "orders", "source_name": "ERP", "target_names": ["DWH"]},
            "source": {"source_tables": {"explicit_included_tables": [{"owner": "SALES", "name": "ORDERS"}]}},
            "task_settings": {
                "target_settings": {"default_schema": "DWH"},
                "common_settings": {"batch_apply_enabled": True},
            },
        },
        ObjectKey(PROD, "schedules", "nightly"): {
            "name": "nightly",
            "schedule": "30 2 * * 1-5 *",
            "task": "orders",
            "enabled": True,
        },
    }
