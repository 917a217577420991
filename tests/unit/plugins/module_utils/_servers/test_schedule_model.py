# Copyright (c) 2026, dataops.qlik_em contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Schedules of a form that no release is known to write are shown as they are."""

from __future__ import annotations

from ansible_collections.dataops.qlik_em.plugins.module_utils._servers.schedule_model import brief


def test_a_schedule_that_is_not_a_cron_expression_is_shown_as_it_is():
    assert brief({"name": "odd", "command_id": 25, "schedule": "at noon"})["cron"] == "at noon"
