# Copyright (c) 2026, dataops.qlik_em contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is private to the collection.

"""The metrics of the tasks, from the list of a server and from the details of each task."""

from __future__ import annotations

from .metrics_model import (
    BYTES,
    COUNT,
    COUNTER,
    CRITICAL,
    GAUGE,
    OF_TASK,
    PER_SECOND,
    SECONDS,
    STAT,
    TABLE,
    TASK,
    TIME_SERIES,
    WARNING,
    Alert,
    Metric,
    Panel,
)
from .metrics_values import LISTED_STATES, MB, PERCENT, amount, amounts, latency, states

OF_TASKS = (
    Metric(
        "qlik_em_task_state",
        GAUGE,
        "The state of the task: 1 for its current state, 0 for the others.",
        states(LISTED_STATES, lambda task: task.state),
        "GetTaskList, state",
        ("state",),
        alerts=(
            Alert(
                "QlikEmTaskFailed",
                'qlik_em_task_state{state="error"} == 1',
                "5m",
                CRITICAL,
                f"Task {TASK} has stopped with an error",
                "See its message for the reason (aem_task_info, or the console). aem_heal restarts such tasks by a "
                "policy.",
            ),
            Alert(
                "QlikEmTaskRecovering",
                'qlik_em_task_state{state="recovery"} == 1',
                "30m",
                WARNING,
                f"Task {TASK} has been retrying for half an hour",
                "It continues by itself once its source and its target answer. See its message for the error.",
            ),
        ),
        panels=(
            Panel(
                "Tasks in error",
                STAT,
                COUNT,
                f'sum(qlik_em_task_state{{{OF_TASK},state="error"}}) or vector(0)',
            ),
            Panel(
                "Tasks by state",
                TIME_SERIES,
                COUNT,
                f"sum by (state) (qlik_em_task_state{{{OF_TASK}}})",
                "{{state}}",
            ),
            Panel(
                "Tasks in error or recovery",
                TABLE,
                COUNT,
                f'qlik_em_task_state{{{OF_TASK},state=~"error|recovery"}} == 1',
            ),
        ),
    ),
)

OF_DETAILS = (
    Metric(
        "qlik_em_task_latency_seconds",
        GAUGE,
        "The latency from the source to the target, while the task runs.",
        latency("total_latency"),
        "cdc_latency.total_latency",
        alerts=(
            Alert(
                "QlikEmTaskLate",
                "qlik_em_task_latency_seconds > 900",
                "15m",
                WARNING,
                f"Task {TASK} is {{{{ $value | humanizeDuration }}}} behind its source",
                "Compare it with the latency of the source. If that is as high, the source or its log is slow. "
                "Otherwise the target is slow.",
            ),
        ),
        panels=(
            Panel(
                "Highest latencies",
                TIME_SERIES,
                SECONDS,
                f"topk(20, qlik_em_task_latency_seconds{{{OF_TASK}}})",
                "{{server}}/{{task}}",
            ),
        ),
    ),
    Metric(
        "qlik_em_task_source_latency_seconds",
        GAUGE,
        "The latency of reading the source, while the task runs.",
        latency("source_latency"),
        "cdc_latency.source_latency",
    ),
    Metric(
        "qlik_em_task_applied_changes_total",
        COUNTER,
        "Changes applied to the target since the task was started.",
        amounts(
            "cdc_event_counters",
            {one: (f"applied_{one}_count",) for one in ("insert", "update", "delete", "ddl")},
        ),
        "cdc_event_counters.applied_\\*_count",
        ("operation",),
        panels=(
            Panel(
                "Changes applied",
                TIME_SERIES,
                PER_SECOND,
                f"sum by (operation) (rate(qlik_em_task_applied_changes_total{{{OF_TASK}}}[15m]))",
                "{{operation}}",
            ),
        ),
    ),
    Metric(
        "qlik_em_task_applied_transactions_total",
        COUNTER,
        "Transactions committed at the target since the task was started.",
        amount("cdc_transactions_counters", "applied_comitted_transaction_count"),
        "cdc_transactions_counters.applied_comitted_transaction_count",
    ),
    Metric(
        "qlik_em_task_applied_bytes_total",
        COUNTER,
        "Volume committed at the target since the task was started.",
        amount("cdc_transactions_counters", "applied_volume_comitted_mb", factor=MB),
        "cdc_transactions_counters.applied_volume_comitted_mb",
    ),
    Metric(
        "qlik_em_task_waiting_changes",
        GAUGE,
        "Changes that were read at the source and are waiting to be applied, in memory or on disk.",
        amounts(
            "cdc_transactions_counters",
            {
                place: (
                    f"incoming_accumulated_changes_{where}_count",
                    f"incoming_applying_changes_{where}_count",
                )
                for place, where in (("memory", "in_memory"), ("disk", "on_disk"))
            },
        ),
        "cdc_transactions_counters.incoming_\\*_changes_\\*_count",
        ("place",),
        panels=(
            Panel(
                "Changes waiting on disk",
                TIME_SERIES,
                COUNT,
                f'topk(20, qlik_em_task_waiting_changes{{{OF_TASK},place="disk"}})',
                "{{server}}/{{task}}",
            ),
        ),
    ),
    Metric(
        "qlik_em_task_full_load_tables",
        GAUGE,
        "Tables of the full load, by their state.",
        amounts(
            "full_load_counters",
            {
                "completed": ("tables_completed_count",),
                "loading": ("tables_loading_count",),
                "queued": ("tables_queued_count",),
                "error": ("tables_with_error_count",),
            },
        ),
        "full_load_counters.tables_\\*_count",
        ("state",),
        alerts=(
            Alert(
                "QlikEmTablesInError",
                'qlik_em_task_full_load_tables{state="error"} > 0',
                "5m",
                WARNING,
                f"{{{{ $value }}}} tables of task {TASK} are in error",
                "aem_table_info lists them with their messages. aem_table reloads or resumes a table.",
            ),
        ),
    ),
    Metric(
        "qlik_em_task_full_load_records_total",
        COUNTER,
        "Records loaded by the full load.",
        amount("full_load_counters", "records_completed_count"),
        "full_load_counters.records_completed_count",
    ),
    Metric(
        "qlik_em_task_full_load_estimated_records",
        GAUGE,
        "The estimated number of records of all tables of the full load.",
        amount("full_load_counters", "estimated_records_for_all_tables_count"),
        "full_load_counters.estimated_records_for_all_tables_count",
    ),
    Metric(
        "qlik_em_task_data_errors_total",
        COUNTER,
        "Data errors since the task was started.",
        amount("data_error_count"),
        "data_error_count",
        alerts=(
            Alert(
                "QlikEmTaskDataErrors",
                "increase(qlik_em_task_data_errors_total[30m]) > 0",
                "0m",
                WARNING,
                f"Task {TASK} has data errors",
                "Check the control table attrep_apply_exceptions at the target, and the error handling of the task: "
                "records may have been left out.",
            ),
        ),
    ),
    Metric(
        "qlik_em_task_memory_bytes",
        GAUGE,
        "The memory that the task uses.",
        amount("memory_mb", factor=MB),
        "memory_mb",
        panels=(
            Panel(
                "Most memory",
                TIME_SERIES,
                BYTES,
                f"topk(20, qlik_em_task_memory_bytes{{{OF_TASK}}})",
                "{{server}}/{{task}}",
            ),
        ),
    ),
    Metric(
        "qlik_em_task_disk_bytes",
        GAUGE,
        "The disk space that the task uses.",
        amount("disk_usage_mb", factor=MB),
        "disk_usage_mb",
    ),
    Metric(
        "qlik_em_task_cpu_ratio",
        GAUGE,
        "The processor usage of the task, from 0 to 1.",
        amount("cpu_percentage", factor=PERCENT),
        "cpu_percentage",
    ),
)

# The members of GetTaskDetails that are kept of each task, so that ten thousand of them fit into the memory.
USED = frozenset(metric.source.partition(".")[0] for metric in OF_DETAILS)
