# Copyright (c) 2026, dataops.qlik_em contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The state document: what the stand-in starts with. README.md explains every member for people.

Times are in seconds. Values and spellings of the enumerations are those of api/openapi.yaml.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any

import yaml

from . import checks
from .checks import Flag, InputError, MaybeName, MaybeNumber, MaybeText, Name, Number, Text, Whole

DEFAULT_DOCUMENT = Path(__file__).with_name("default.yml")

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
LICENSE_STATES = (
    "VALID_LICENSE",
    "INVALID_LICENSE_CHECKSUM",
    "EXPIRED_LICENSE",
    "NO_LICENSE",
    "MACHINE_NOT_LICENSED",
    "INVALID_LICENSE",
)
ROLES = ("Viewer", "Operator", "Designer", "Admin")  # ascending [doc]

_endpoint = checks.members(name=checks.text, type=checks.text)
_answer = checks.members(state=checks.name, error_message=checks.text)


@dataclass
class Options:
    """How the whole stand-in behaves where installations or releases differ."""

    session_idle_seconds: Number = 300  # 5 minutes after the last request [doc]
    show_transient: Flag = True  # False: no STARTING/STOPPING at all, for the 2018 SDK
    task_stop_reason: Flag = True  # the notes are unsure whether GetTaskDetails has it
    server_details_key: Annotated[str, checks.choice("server_details", "serverDetails")] = "server_details"
    license_registered: Flag = True  # Enterprise Manager's own licence


@dataclass
class Grant:
    """One role on one object: root (nothing else given), all_servers, server, all_tasks of a server, task."""

    role: Annotated[str, checks.choice(*ROLES)]
    all_servers: Flag = False
    server: MaybeName = None
    all_tasks: Flag = False
    task: MaybeName = None

    def __post_init__(self) -> None:
        if (self.all_tasks or self.task) and not self.server:
            raise InputError("a grant on all_tasks or on a task must name its server")
        if self.all_servers and self.server:
            raise InputError("a grant is on all_servers or on one server, not on both")

    @property
    def scope(self) -> tuple[str | None, ...]:
        """The path from the root down to the object; see `rights.holds`."""
        if self.server is None:
            return ("servers",) if self.all_servers else ()
        below = ("servers", self.server)
        if self.task is not None:
            return (*below, "tasks", self.task)
        return (*below, "tasks") if self.all_tasks else below


@dataclass
class User:
    """Somebody who may log in, with every way that this user has."""

    name: Name
    logins: Annotated[list[str], checks.list_of(checks.name)] = field(default_factory=list)  # user@domain, ...
    password: MaybeName = None
    api_token: MaybeName = None
    jwt: MaybeName = None
    saml_response: MaybeName = None  # base64 text of the assertion
    grants: Annotated[list[Grant], checks.list_of(checks.one(Grant))] = field(default_factory=list)


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


_license = checks.members(
    state=checks.choice(*LICENSE_STATES),
    issue_date=checks.text,
    expiration=checks.text,
    days_to_expiration=checks.whole,
)


@dataclass
class Server:
    """A Replicate or Compose server as Enterprise Manager knows it."""

    name: Name
    type: Annotated[str, checks.choice("REPLICATE", "COMPOSE", "COMPOSE_FDL", "COMPOSE_FDW")] = "REPLICATE"
    description: Text = ""
    host: Text = "localhost"
    port: Text = "443"  # a string on the wire [client]
    user_name: Text = "em-service"
    state: Annotated[str, checks.choice("MONITORED", "NOT_MONITORED", "ERROR")] = "MONITORED"
    message: Text = ""
    platform: Annotated[str, checks.choice("UNKNOWN", "WINDOWS", "LINUX")] = "LINUX"
    version: Text = "2021.5.0.745"
    last_connection: Text = "2026-01-15T08:30:00"
    license: Annotated[dict[str, Any], _license] = field(default_factory=dict)
    disk_usage_mb: Whole = 2048
    attunity_cpu_percentage: Whole = 4
    machine_cpu_percentage: Whole = 11
    tasks: Annotated[list[Task], checks.list_of(checks.one(Task))] = field(default_factory=list)

    @property
    def is_compose(self) -> bool:
        """Compose servers differ in names, run options and stop reasons."""
        return self.type != "REPLICATE"


@dataclass
class Document:
    """The whole document."""

    options: Annotated[Options, checks.one(Options)] = field(default_factory=Options)
    users: Annotated[list[User], checks.list_of(checks.one(User))] = field(default_factory=list)
    servers: Annotated[list[Server], checks.list_of(checks.one(Server))] = field(default_factory=list)

    def __post_init__(self) -> None:
        _refuse_doubles([server.name for server in self.servers], "servers")
        for server in self.servers:
            _refuse_doubles([task.name for task in server.tasks], f"tasks of {server.name}")
        _refuse_doubles([login.casefold() for user in self.users for login in (user.logins or [user.name])], "logins")


def _refuse_doubles(names: list[str], where: str) -> None:
    seen: set[str] = set()
    for item in names:
        if item in seen:
            raise InputError(f"{where}: {item!r} is there twice")
        seen.add(item)


def parse(source: str, where: str = "document") -> Any:
    """Read YAML or JSON (which is YAML) text."""
    try:
        return yaml.load(source, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    except yaml.YAMLError as error:
        raise InputError(f"{where} is neither YAML nor JSON: {error}") from error


def load(value: Any) -> Document:
    """Check a state document. Each call builds new objects."""
    return checks.read(Document, value, "document")
