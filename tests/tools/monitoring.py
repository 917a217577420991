# Copyright (c) 2026, dataops.qlik_em contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is made from the table of metrics: alert rules, a dashboard, and docs/metrics.md.

`make docs-tables` writes them. Runs in the environment of the tests.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import jinja2
import yaml
from ansible_collections.dataops.qlik_em.plugins.module_utils._reports.metrics_model import (
    STAT,
    TABLE,
    TIME_SERIES,
    Metric,
    Panel,
)
from ansible_collections.dataops.qlik_em.plugins.module_utils._reports.metrics_of_servers import OF_SCRAPE, OF_SERVERS
from ansible_collections.dataops.qlik_em.plugins.module_utils._reports.metrics_of_tasks import OF_DETAILS, OF_TASKS
from ansible_collections.dataops.qlik_em.plugins.module_utils._reports.metrics_values import Task

ROOT = Path(__file__).resolve().parents[2]
RULES = ROOT / "extensions" / "monitoring" / "qlik_em_alerts.yml"
DASHBOARD = ROOT / "extensions" / "monitoring" / "qlik_em_dashboard.json"
PAGE = ROOT / "docs" / "metrics.md"

GROUPS: dict[str, tuple[Metric, ...]] = {
    "A run": OF_SCRAPE,
    "Servers": OF_SERVERS,
    "Tasks": OF_TASKS,
    "Tasks, with details": OF_DETAILS,
}
METRICS = [metric for metrics in GROUPS.values() for metric in metrics]
OF_TASK = ("em", "server", "task")
LABELS = {"A run": ("em",), "Servers": ("em", "server"), "Tasks": OF_TASK, "Tasks, with details": OF_TASK}

# The licence of this file, and whose file it is.
HEADER = "".join(Path(__file__).read_text(encoding="utf-8").splitlines(keepends=True)[:3])
HEADER += """
---
# Made by `make docs-tables` from the metrics of aem_metrics. Change a copy of it, not this file.
"""
# How much of the dashboard's 24 columns a panel takes, and how high it is.
SIZES = {STAT: (4, 4), TIME_SERIES: (12, 8), TABLE: (12, 8)}
DATA_SOURCE = {"type": "prometheus", "uid": "${datasource}"}
HIDDEN = ("Time", "Value", "__name__", "instance", "job")


class Indented(yaml.SafeDumper):
    """Indents lists, as yamllint wants it."""

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:
        """Begin a level."""
        super().increase_indent(flow, False)


def rules() -> str:
    """Return the alert rules for Prometheus."""
    found = []
    for alert in (alert for metric in METRICS for alert in metric.alerts):
        rule: dict[str, Any] = {"alert": alert.name, "expr": alert.expr, "for": alert.pending}
        rule |= {"labels": {"severity": alert.severity}}
        found.append(rule | {"annotations": {"summary": alert.summary, "description": alert.todo}})
    document = {"groups": [{"name": "qlik_em", "rules": found}]}
    return HEADER + yaml.dump(document, Dumper=Indented, sort_keys=False, width=110)


def dashboard() -> str:
    """Return the dashboard for Grafana, which asks for a data source when it is imported."""
    panels = [panel for metric in METRICS for panel in metric.panels]
    ordered = [panel for kind in SIZES for panel in panels if panel.kind == kind]
    document = {
        "uid": "qlik-em",
        "title": "Qlik Replicate and Qlik Compose",
        "description": "Made from the metrics of the Ansible module dataops.qlik_em.aem_metrics.",
        "tags": ["qlik"],
        "schemaVersion": 39,
        "version": 1,
        "editable": True,
        "graphTooltip": 1,
        "refresh": "1m",
        "time": {"from": "now-6h", "to": "now"},
        "templating": {
            "list": [
                {"name": "datasource", "label": "Data source", "type": "datasource", "query": "prometheus"},
                _variable("em", "Enterprise Manager", "label_values(qlik_em_scrape_success, em)"),
                _variable("server", "Server", 'label_values(qlik_em_server_up{em=~"$em"}, server)'),
                _variable("task", "Task", 'label_values(qlik_em_task_state{em=~"$em",server=~"$server"}, task)'),
            ]
        },
        "panels": [_panel(*numbered) for numbered in enumerate(_placed(ordered), start=1)],
    }
    return json.dumps(document, indent=2) + "\n"


def _variable(name: str, label: str, query: str) -> dict[str, Any]:
    return {
        "name": name,
        "label": label,
        "type": "query",
        "datasource": DATA_SOURCE,
        "definition": query,
        "query": {"query": query, "refId": name},
        "refresh": 2,  # when the span of time changes
        "sort": 5,
        "multi": True,
        "includeAll": True,
        "allValue": ".*",  # or the names of ten thousand tasks would be in each query
        "current": {"text": "All", "value": "$__all"},
    }


def _placed(panels: list[Panel]) -> list[tuple[Panel, dict[str, int]]]:
    """Return the panels with their places, in rows from the left to the right."""
    placed, x, y, height = [], 0, 0, 0
    for panel in panels:
        width, own = SIZES[panel.kind]
        if x + width > 24 or (height and own != height):
            x, y = 0, y + height
        height = own
        placed.append((panel, {"x": x, "y": y, "w": width, "h": own}))
        x += width
    return placed


def _panel(number: int, placed: tuple[Panel, dict[str, int]]) -> dict[str, Any]:
    panel, place = placed
    is_table = panel.kind == TABLE
    target = {
        "refId": "A",
        "datasource": DATA_SOURCE,
        "expr": panel.expr,
        "legendFormat": panel.legend or "__auto",
        "instant": panel.kind != TIME_SERIES,
        "range": panel.kind == TIME_SERIES,
        "format": "table" if is_table else "time_series",
    }
    shown: dict[str, Any] = {
        "id": number,
        "title": panel.title,
        "type": panel.kind,
        "datasource": DATA_SOURCE,
        "gridPos": place,
        "fieldConfig": {"defaults": {"unit": panel.unit, "min": None if panel.kind != TIME_SERIES else 0}},
        "targets": [target],
    }
    shown["fieldConfig"]["overrides"] = []
    if is_table:
        hidden = HIDDEN if panel.unit != "s" else tuple(name for name in HIDDEN if name != "Value")
        options = {"excludeByName": dict.fromkeys(hidden, True), "renameByName": {"Value": "left"}}
        shown["transformations"] = [{"id": "organize", "options": options}]
    return shown


def cell(text: str) -> str:
    """Return a text as it stands in a table."""
    return text.replace("|", "\\|")


def said(text: str) -> str:
    """Return a text of an alert as it reads, with the names of labels in braces."""
    return re.sub(r"\{\{ \$(?:labels\.)?(\w+)(?: \| \w+)? \}\}", r"{\1}", text)


def series(metrics: tuple[Metric, ...]) -> int:
    """Return how many series there are of one task."""
    return sum(len(list(metric.read(Task("", "", "RUNNING", {})))) for metric in metrics)


def page() -> str:
    """Return the page of the documentation."""
    loader = jinja2.FileSystemLoader(Path(__file__).parent / "templates")
    environment = jinja2.Environment(loader=loader, keep_trailing_newline=True)
    environment.filters |= {"cell": cell, "said": said, "series": series}
    return environment.get_template("metrics.md.j2").render(groups=GROUPS, labels=LABELS, metrics=METRICS)


FILES = {RULES: rules, DASHBOARD: dashboard, PAGE: page}


def write() -> None:
    """Write all files."""
    for path, render in FILES.items():
        path.write_text(render(), encoding="utf-8")
        print(path.relative_to(ROOT))


if __name__ == "__main__":
    write()
