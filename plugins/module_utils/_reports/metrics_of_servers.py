# Copyright (c) 2026, dataops.qlik_em contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is private to the collection.

"""The metrics of a run and of the servers. With those of the tasks they are the one place that says what there is.

The text, docs/metrics.md and the files in extensions/monitoring/ are made from them; `make docs-tables` writes those.
"""

from __future__ import annotations

from .metrics_model import (
    COUNT,
    CRITICAL,
    GAUGE,
    OF_SERVER,
    ON_SERVER,
    RATIO,
    SECONDS,
    STAT,
    TABLE,
    TIME_SERIES,
    WARNING,
    Alert,
    Metric,
    Panel,
)
from .metrics_values import (
    DAY,
    MB,
    PERCENT,
    SERVER_STATES,
    amount,
    amounts,
    fact,
    license_valid,
    server_info,
    server_state,
    states,
)

OF_SCRAPE = (
    Metric(
        "qlik_em_scrape_success",
        GAUGE,
        "Whether Enterprise Manager could be read (1) or not (0): then there are only metrics named qlik_em_scrape_*.",
        fact("success"),
        alerts=(
            Alert(
                "QlikEmScrapeFailed",
                "qlik_em_scrape_success == 0",
                "10m",
                CRITICAL,
                "Enterprise Manager cannot be read",
                "See the output of the last run of aem_metrics for the reason. Until a run succeeds, there are no "
                "metrics of servers and tasks.",
            ),
        ),
        panels=(Panel("Enterprise Manager was read", STAT, COUNT, "min(qlik_em_scrape_success)"),),
    ),
    Metric(
        "qlik_em_scrape_duration_seconds",
        GAUGE,
        "The time it took to read everything.",
        fact("duration"),
        panels=(Panel("Time to read", STAT, SECONDS, "max(qlik_em_scrape_duration_seconds)"),),
    ),
    Metric(
        "qlik_em_scrape_timestamp_seconds",
        GAUGE,
        "The time when the run began (Unix time, by the clock of the host that ran it).",
        fact("begin"),
        alerts=(
            Alert(
                "QlikEmMetricsOld",
                "time() - qlik_em_scrape_timestamp_seconds > 900",
                "5m",
                CRITICAL,
                "The metrics of Enterprise Manager are more than 15 minutes old",
                "Check that the job that runs aem_metrics is still running. All figures are from its last run.",
            ),
            Alert(
                "QlikEmMetricsMissing",
                "absent(qlik_em_scrape_timestamp_seconds)",
                "15m",
                CRITICAL,
                "There are no metrics of Enterprise Manager",
                "Check that the file of aem_metrics exists, ends in .prom, and can be read by node_exporter.",
            ),
        ),
        panels=(Panel("Age", STAT, SECONDS, "time() - min(qlik_em_scrape_timestamp_seconds)"),),
    ),
)

OF_SERVERS = (
    Metric(
        "qlik_em_server_up",
        GAUGE,
        "Whether the tasks of the server could be listed (1) or not (0): then there are no metrics of them.",
        fact("is_up"),
        "GetTaskList",
        alerts=(
            Alert(
                "QlikEmServerDown",
                'qlik_em_server_up == 0 unless ignoring (state) qlik_em_server_state{state="not_monitored"} == 1',
                "10m",
                CRITICAL,
                f"The tasks of server {ON_SERVER} cannot be listed",
                "Check in the console of Enterprise Manager whether the server is connected. The output of aem_metrics "
                "has the error of the request.",
            ),
        ),
        panels=(
            Panel(
                "Servers that cannot be read", STAT, COUNT, f"count(qlik_em_server_up{{{OF_SERVER}}} == 0) or vector(0)"
            ),
        ),
    ),
    Metric(
        "qlik_em_server_state",
        GAUGE,
        "The state of the server: 1 for its current state, 0 for the others.",
        states(SERVER_STATES, server_state),
        "GetServerDetails, state",
        ("state",),
        panels=(
            Panel(
                "Servers by state",
                TIME_SERIES,
                COUNT,
                f"sum by (state) (qlik_em_server_state{{{OF_SERVER}}})",
                "{{state}}",
            ),
        ),
    ),
    Metric(
        "qlik_em_server_info",
        GAUGE,
        "Always 1; the labels describe the server.",
        server_info,
        "GetServerDetails",
        ("type", "platform", "version"),
    ),
    Metric(
        "qlik_em_server_unread_tasks",
        GAUGE,
        "Tasks whose details could not be read. They only have the metric of their state.",
        fact("unread"),
        "GetTaskDetails",
        alerts=(
            Alert(
                "QlikEmTasksUnread",
                "qlik_em_server_unread_tasks > 0",
                "30m",
                WARNING,
                f"The details of {{{{ $value }}}} tasks of server {ON_SERVER} cannot be read",
                "See the warnings of the last run of aem_metrics for the reason. The alerts on latencies and errors do "
                "not cover these tasks.",
            ),
        ),
    ),
    Metric(
        "qlik_em_server_license_valid",
        GAUGE,
        "Whether the licence is valid (1) or not (0).",
        license_valid,
        "GetServerDetails, license.state",
        alerts=(
            Alert(
                "QlikEmLicenseInvalid",
                "qlik_em_server_license_valid == 0",
                "10m",
                CRITICAL,
                f"The licence of server {ON_SERVER} is not valid",
                "Tasks that stop cannot be started again. Register a licence (aem_server_license).",
            ),
        ),
    ),
    Metric(
        "qlik_em_server_license_remaining_seconds",
        GAUGE,
        "The time until the licence expires, in whole days. A licence that does not expire has no such metric.",
        amount("license", "days_to_expiration", factor=DAY),
        "GetServerDetails, license.days_to_expiration",
        alerts=(
            Alert(
                "QlikEmLicenseEndsSoon",
                "qlik_em_server_license_remaining_seconds < 30 * 86400"
                " and qlik_em_server_license_remaining_seconds >= 7 * 86400",
                "1h",
                WARNING,
                f"The licence of server {ON_SERVER} expires in {{{{ $value | humanizeDuration }}}}",
                "Order a new licence, and register it (aem_server_license).",
            ),
            Alert(
                "QlikEmLicenseEnds",
                "qlik_em_server_license_remaining_seconds < 7 * 86400",
                "1h",
                CRITICAL,
                f"The licence of server {ON_SERVER} expires in {{{{ $value | humanizeDuration }}}}",
                "Register a new licence (aem_server_license). Without it, no task of the server can be started.",
            ),
        ),
        panels=(
            Panel(
                "Licences that expire first",
                TABLE,
                SECONDS,
                f"bottomk(20, qlik_em_server_license_remaining_seconds{{{OF_SERVER}}})",
            ),
        ),
    ),
    Metric(
        "qlik_em_server_memory_bytes",
        GAUGE,
        "The memory that the server's processes use.",
        amount("resource_utilization", "memory_mb", factor=MB),
        "GetServerDetails, resource_utilization.memory_mb",
    ),
    Metric(
        "qlik_em_server_disk_bytes",
        GAUGE,
        "The disk space that the server uses.",
        amount("resource_utilization", "disk_usage_mb", factor=MB),
        "GetServerDetails, resource_utilization.disk_usage_mb",
    ),
    Metric(
        "qlik_em_server_cpu_ratio",
        GAUGE,
        "The processor usage of the product and of the whole machine, from 0 to 1.",
        amounts(
            "resource_utilization",
            {"product": ("attunity_cpu_percentage",), "machine": ("machine_cpu_percentage",)},
            PERCENT,
        ),
        "GetServerDetails, resource_utilization.\\*_cpu_percentage",
        ("scope",),
        panels=(
            Panel(
                "Processors of the servers",
                TIME_SERIES,
                RATIO,
                f'topk(20, qlik_em_server_cpu_ratio{{{OF_SERVER},scope="machine"}})',
                "{{server}}",
            ),
        ),
    ),
)
