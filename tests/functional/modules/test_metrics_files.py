# Copyright (c) 2026, dataops.qlik_em contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The files that are made from the table of metrics, and what the table says of itself."""

from __future__ import annotations

import json
import re

import pytest
from ansible_collections.dataops.qlik_em.tests.tools import monitoring

NAMES = {metric.name for metric in monitoring.METRICS}
ALERTS = [alert for metric in monitoring.METRICS for alert in metric.alerts]


@pytest.mark.parametrize("path", monitoring.FILES, ids=lambda path: path.name)
def test_the_generated_files_are_up_to_date(path):
    assert path.read_text(encoding="utf-8") == monitoring.FILES[path](), "run make docs-tables"


@pytest.mark.parametrize("metric", monitoring.METRICS, ids=lambda metric: metric.name)
def test_alerts_and_panels_are_about_their_metric_and_others_that_exist(metric):
    for one in (*metric.alerts, *metric.panels):
        named = set(re.findall(r"qlik_em_\w+", one.expr))
        assert metric.name in named and named <= NAMES, one


def test_panels_lie_side_by_side_and_none_over_another():
    panels = json.loads(monitoring.dashboard())["panels"]
    cells = []
    for panel in panels:
        x, y, w, h = (panel["gridPos"][side] for side in "xywh")
        assert x + w <= 24
        cells += [(column, row) for column in range(x, x + w) for row in range(y, y + h)]
    assert len(set(cells)) == len(cells) and len({panel["id"] for panel in panels}) == len(panels)


def test_each_alert_says_where_and_what_to_do():
    assert len({alert.name for alert in ALERTS}) == len(ALERTS)
    for metric in monitoring.METRICS:
        for alert in metric.alerts:
            about = [
                label for label in ("server", "task") if metric.name.startswith((f"qlik_em_{label}", "qlik_em_task"))
            ]
            assert all(f"$labels.{label} " in alert.summary for label in about), alert
            assert alert.todo.endswith(".") and alert.severity in ("critical", "warning")
