# Copyright (c) 2026, dataops.qlik_em contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Metrics, alert rules and the dashboard by the measure of Prometheus itself."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from ansible_collections.dataops.qlik_em.tests.functional.support.user import User
from ansible_collections.dataops.qlik_em.tests.simulator import running
from ansible_collections.dataops.qlik_em.tests.tools import monitoring

ALERTS = {alert.name: alert for metric in monitoring.METRICS for alert in metric.alerts}
DAYS = 86_400
SCRAPE = {"job": "node", "instance": "i", "em": "em.example.com"}
SERVER = {**SCRAPE, "server": "S"}
TASK = {**SERVER, "task": "t"}


class Story(NamedTuple):
    """What an alert is about: series with their values minute by minute, when it is quiet, and when it fires.

    ``labels`` are those of the alert that fires, ``value`` is how its summary shows the value.
    """

    alert: str
    series: dict[str, str]
    quiet: str
    fires: str
    labels: dict[str, str]
    value: str = ""


def named(metric: str, labels: dict[str, str]) -> str:
    """Return a series as PromQL writes it."""
    return f"{metric}{{{','.join(f'{name}={json.dumps(value)}' for name, value in labels.items())}}}"


def of_server(metric: str, **more: str) -> str:
    return named(f"qlik_em_server_{metric}", {**SERVER, **more})


def of_task(metric: str, **more: str) -> str:
    return named(f"qlik_em_task_{metric}", {**TASK, **more})


STORIES = (
    Story("QlikEmScrapeFailed", {"qlik_em_scrape_success": "1x4 0x60"}, "14m", "16m", {}),
    Story("QlikEmMetricsOld", {"qlik_em_scrape_timestamp_seconds": "0x60"}, "20m", "22m", {}),
    Story("QlikEmMetricsMissing", {"qlik_em_scrape_timestamp_seconds": "0x4"}, "20m", "26m", {}),
    Story(
        "QlikEmServerDown",
        {
            of_server("up"): "0x60",
            of_server("state", state="not_monitored"): "0x60",
            of_server("state", em="test.example.com", state="not_monitored"): "1x60",  # a namesake elsewhere
        },
        "9m",
        "11m",
        SERVER,
    ),
    Story("QlikEmTasksUnread", {of_server("unread_tasks"): "3x60"}, "29m", "31m", SERVER, "3"),
    Story("QlikEmLicenseInvalid", {of_server("license_valid"): "0x60"}, "9m", "11m", SERVER),
    Story(
        "QlikEmLicenseEndsSoon",
        {of_server("license_remaining_seconds"): f"{20 * DAYS}x90"},
        "59m",
        "61m",
        SERVER,
        "20d 0h 0m 0s",
    ),
    Story(
        "QlikEmLicenseEnds",
        {of_server("license_remaining_seconds"): f"{6 * DAYS}x90"},
        "59m",
        "61m",
        SERVER,
        "6d 0h 0m 0s",
    ),
    Story("QlikEmTaskFailed", {of_task("state", state="error"): "0x9 1x60"}, "14m", "16m", {**TASK, "state": "error"}),
    Story(
        "QlikEmTaskRecovering",
        {of_task("state", state="recovery"): "1x60"},
        "29m",
        "31m",
        {**TASK, "state": "recovery"},
    ),
    Story("QlikEmTaskLate", {of_task("latency_seconds"): "3661x60"}, "14m", "16m", TASK, "1h 1m 1s"),
    Story(
        "QlikEmTablesInError",
        {of_task("full_load_tables", state="error"): "2x60"},
        "4m",
        "6m",
        {**TASK, "state": "error"},
        "2",
    ),
    Story("QlikEmTaskDataErrors", {of_task("data_errors_total"): "5x9 6x60"}, "9m", "12m", TASK),
)
# What no alert may be about, at any time.
QUIET = {
    "a server that is not monitored on purpose": {
        of_server("up"): "0x120",
        of_server("state", state="not_monitored"): "1x120",
    },
    "a licence that lasts": {of_server("license_remaining_seconds"): f"{31 * DAYS}x120"},
    "tasks that run, are stopped, or recover for a while": {
        of_task("state", state="error"): "0x120",
        of_task("state", state="recovery"): "1x20 0x100",
        of_task("latency_seconds"): "900x120",
    },
    "counters that begin at 0 again": {of_task("data_errors_total"): "5x30 0x90"},
}


def promtool(*arguments: str | Path, given: str = "") -> str:
    """Run promtool, which must find nothing, and return its output."""
    done = subprocess.run(
        ["promtool", *arguments], input=given, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False
    )
    assert done.returncode == 0, done.stdout
    return done.stdout


def examined(folder: Path, series: dict[str, str], expected: list[dict[str, Any]]) -> None:
    """Let promtool play series to the alert rules."""
    always = {"series": "qlik_em_scrape_timestamp_seconds", "values": "0+60x120"}
    given = [{"series": name, "values": values} for name, values in series.items()]
    if not any("timestamp" in name for name in series):
        given.append(always)  # or the alert on missing metrics fires
    document = {
        "rule_files": [str(monitoring.RULES)],
        "evaluation_interval": "1m",
        "tests": [{"interval": "1m", "input_series": given, "alert_rule_test": expected}],
    }
    (folder / "tests.yml").write_text(json.dumps(document))
    promtool("test", "rules", folder / "tests.yml")


def shown(text: str, story: Story) -> str:
    """Return what Prometheus makes of a text of an alert."""
    text = re.sub(r"\{\{ \$labels\.(\w+) \}\}", lambda found: story.labels[found[1]], text)
    return re.sub(r"\{\{ \$value.*?\}\}", story.value, text)


@pytest.mark.parametrize("options", [{}, {"details": False}], ids=["details", "states only"])
def test_the_text_is_sound(tmp_path, options):
    with running() as em:
        assert not User(em).run("aem_metrics", dest=str(tmp_path / "qlik.prom"), **options).failed
        names = {'S\\1 "x"': ["a\nb", 'ü {x="y"} # 1']}
        user = {"name": "op", "logins": [em.username], "password": em.password, "grants": [{"role": "Admin"}]}
        servers = [{"name": name, "tasks": [{"name": task} for task in tasks]} for name, tasks in names.items()]
        em.reset({"users": [user], "servers": servers})
        assert not User(em).run("aem_metrics", dest=str(tmp_path / "odd.prom"), **options).failed
    for file in ("qlik.prom", "odd.prom"):
        text = (tmp_path / file).read_text()
        assert text.count("\n# TYPE ") > 10 and promtool("check", "metrics", given=text) == ""


def test_the_alert_rules_are_sound():
    assert f"{len(ALERTS)} rules found" in promtool("check", "rules", monitoring.RULES)


def test_each_alert_has_a_story():
    assert [story.alert for story in STORIES] == list(ALERTS)


@pytest.mark.parametrize("story", STORIES, ids=lambda story: story.alert)
def test_an_alert_fires_when_it_should_and_not_before(tmp_path, story):
    alert = ALERTS[story.alert]
    texts = {"summary": shown(alert.summary, story), "description": alert.todo}
    fired = {"exp_labels": {**story.labels, "severity": alert.severity}, "exp_annotations": texts}
    assert "{{" not in texts["summary"]
    examined(
        tmp_path,
        story.series,
        [
            {"eval_time": story.quiet, "alertname": story.alert, "exp_alerts": []},
            {"eval_time": story.fires, "alertname": story.alert, "exp_alerts": [fired]},
        ],
    )


@pytest.mark.parametrize("case", QUIET)
def test_no_alert_without_a_reason(tmp_path, case):
    moments = [f"{minutes}m" for minutes in (5, 15, 31, 45, 65, 100)]
    examined(
        tmp_path,
        QUIET[case],
        [{"eval_time": moment, "alertname": name, "exp_alerts": []} for moment in moments for name in ALERTS],
    )


def test_the_expressions_of_the_dashboard_are_promql(tmp_path):
    dashboard = json.loads(monitoring.DASHBOARD.read_text())
    expressions = [target["expr"] for panel in dashboard["panels"] for target in panel["targets"]]
    rules = [{"record": f"panel:{number}", "expr": expr} for number, expr in enumerate(expressions)]
    (tmp_path / "rules.yml").write_text(json.dumps({"groups": [{"name": "panels", "rules": rules}]}))
    assert f"{len(expressions)} rules found" in promtool("check", "rules", tmp_path / "rules.yml")
