# Copyright (c) 2026, dataops.qlik_em contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Members of the state document that describe tasks and their tables.

Times are in seconds. Values and spellings of the enumerations are those of the vendor's guide and SDKs
(docs/enterprise_manager_api.md, 8.1, 8.2, 8.3 and 8.6).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Annotated, Any

from . import checks
from .checks import Flag, InputError, MaybeName, MaybeNumber, MaybeText, Name, Number, Text, Tree, Whole
from .document_access import MaybeAcl

TASK_STATES = ("STOPPED", "RUNNING", "ERROR", "RECOVERY", "STARTING", "STOPPING", "PAUSED", "NOT_EXIST")
STOP_REASONS = (
    "NONE",
    "NORMAL",
    "RECOVERABLE_ERROR",
    "FATAL_ERROR",
    "FULL_LOAD_ONLY_FINISHED",
    "STOPPED_AFTER_FULL_LOAD",
    "STOPPED_AFTER_CACHED_EVENTS",
    "EXPRESS_LICENSE_LIMITS_REACHED",
    "STOPPED_AFTER_DDL_APPLY",
    "STOPPED_LOW_MEMORY",
    "STOPPED_LOW_DISK_SPACE",
)
TABLE_STATES = ("TABLE_QUEUED", "TABLE_LOADING", "TABLE_COMPLETED", "TABLE_CHANGE_PROCESSING", "TABLE_ERROR")

_endpoint = checks.members(name=checks.text, type=checks.text)
_answer = checks.members(state=checks.name, error_message=checks.text)


@dataclass
class Table:
    """A table of a task: its state, and what becomes of it when it is reloaded or resumed."""

    schema: Name
    table: Name
    schema_on_target: MaybeName = None  # null: as on the source
    table_on_target: MaybeName = None
    state: Annotated[str, checks.choice(*TABLE_STATES)] = "TABLE_COMPLETED"
    # Then a table in error can't be resumed (docs/enterprise_manager_api.md, 6.26).
    suspended_in_full_load: Flag = False
    queue_seconds: Number = 0
    load_seconds: Number = 0
    resume_seconds: Number = 0
    ends_in: Annotated[str | None, checks.optional(checks.choice(*TABLE_STATES))] = None
    stuck: Flag = False  # never gets out of TABLE_LOADING
    fail_reload: MaybeText = None
    fail_resume: MaybeText = None
    error_after_reload: Flag = False
    error_after_resume: Flag = False
    rows: Whole = 100
    data_errors_count: Whole = 0
    details: Tree = field(default_factory=dict)  # over its item in GetTableStatuses


@dataclass
class Task:
    """A task: what it is, and how it behaves when it is run or stopped."""

    name: Name
    description: Text = ""
    state: Annotated[str, checks.choice(*TASK_STATES)] = "STOPPED"
    stop_reason: Annotated[str | None, checks.optional(checks.choice(*STOP_REASONS))] = None
    message: Text = ""
    assigned_tags: Annotated[list[str], checks.list_of(checks.text)] = field(default_factory=list)
    profile: Text = "Unidirectional"
    source_endpoint: Annotated[dict[str, str], _endpoint] = field(
        default_factory={"name": "Source", "type": "Oracle"}.copy
    )
    target_endpoint: Annotated[dict[str, str], _endpoint] = field(
        default_factory={"name": "Target", "type": "Snowflake"}.copy
    )
    details: Annotated[dict[str, Any], checks.mapping] = field(default_factory=dict)  # over GetTaskDetails' answer
    # Transitions
    start_seconds: Number = 0
    stop_seconds: Number = 0
    show_transient: Flag = True
    stuck_in_starting: Flag = False
    stuck_in_stopping: Flag = False
    fail_start: MaybeText = None
    fail_stop: MaybeText = None
    # What happens after RUNNING was reached; the first that is set wins
    error_after_start: MaybeText = None
    error_after_seconds: Number = 0
    recover_after: MaybeNumber = None
    recovery_seconds: MaybeNumber = None
    recovery_ends_in: Annotated[str, checks.choice("RUNNING", "ERROR")] = "RUNNING"
    full_load_only: Flag = False
    full_load_seconds: Number = 0
    self_stop_reason: Annotated[str | None, checks.optional(checks.choice(*STOP_REASONS))] = None
    metadata_only_seconds: Number = 0.2  # a run that only makes tables stops by itself
    metadata_only_message: Text = ""  # with which it stops
    # Answers
    answer_before_done: Flag = False
    run_answer: Annotated[dict[str, str] | None, checks.optional(_answer)] = None
    stop_answer: Annotated[dict[str, str] | None, checks.optional(_answer)] = None
    # Counters
    memory_mb: Whole = 120
    memory_lag: Number = 0
    disk_usage_mb: Whole = 0
    cpu_percentage: Whole = 3
    data_error_count: Whole = 0
    source_latency: Number = 0
    total_latency: Number = 0
    # Definition
    tables: Annotated[list[Table], checks.list_of(checks.one(Table))] = field(default_factory=list)
    definition: Tree = field(default_factory=dict)  # merged into the definition that is exported
    fail_delete: MaybeText = None
    fail_clone: MaybeText = None
    acl: MaybeAcl = None  # the explicit ACL of the task

    def __post_init__(self) -> None:
        keys = [(table.schema, table.table) for table in self.tables]
        if len(set(keys)) != len(keys):
            raise InputError(f"tables of the task {self.name}: one is there twice")
