# Copyright (c) 2026, dataops.qlik_em contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Cases for test_every_module.py: estates as files."""

from __future__ import annotations

from ansible_collections.dataops.qlik_em.tests.functional.every_module.cases import Case

TWO = {"path": "{folder}/estate", "include": [{"server": "Replicate-Prod"}, {"server": "Replicate-Test"}]}

CASES = [
    Case("aem_estate", {**TWO, "state": "gathered"}, is_file_only=True),
]
