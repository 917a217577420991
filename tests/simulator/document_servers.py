# Copyright (c) 2026, dataops.qlik_em contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Members of the state document that describe servers and their endpoints.

Times are in seconds. Values and spellings of the enumerations are those of the vendor's guide
(docs/enterprise_manager_api.md, 8.4).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Annotated, Any

from . import checks
from .checks import Flag, MaybeName, MaybeText, Name, Number, Text, Tree, Whole
from .document_access import MaybeAcl
from .document_tasks import Task

LICENSE_STATES = (
    "VALID_LICENSE",
    "INVALID_LICENSE_CHECKSUM",
    "EXPIRED_LICENSE",
    "NO_LICENSE",
    "MACHINE_NOT_LICENSED",
    "INVALID_LICENSE",
)
ENDPOINT_ROLES = ("SOURCE", "TARGET", "BOTH")
ENDPOINT_STATES = ("UNKNOWN", "CONNECTED", "ERROR")

_license = checks.members(
    state=checks.choice(*LICENSE_STATES),
    issue_date=checks.text,
    expiration=checks.text,
    days_to_expiration=checks.whole,
)


@dataclass
class Endpoint:
    """A source or target of a Replicate server."""

    name: Name
    description: Text = ""
    role: Annotated[str, checks.choice(*ENDPOINT_ROLES)] = "SOURCE"
    type: Name = "Oracle"  # as the console shows it; `type_id` follows from it unless it is given
    type_id: MaybeName = None
    is_licensed: Flag = True
    db_settings: Tree = field(default_factory=dict)  # passwords in clear text
    override_properties: Tree = field(default_factory=dict)
    # TestEndpoint
    test_status: Annotated[str, checks.choice(*ENDPOINT_STATES)] = "CONNECTED"
    test_message: Text = ""
    test_detailed_message: Text = ""
    test_seconds: Number = 0
    # Other methods
    fail_patch: Flag = False
    fail_delete: Flag = False
    reconfigure_seconds: Number = 0
    acl: MaybeAcl = None


@dataclass
class Server:
    """A Replicate or Compose server as Enterprise Manager knows it."""

    name: Name
    type: Annotated[str, checks.choice("REPLICATE", "COMPOSE", "COMPOSE_FDL", "COMPOSE_FDW")] = "REPLICATE"
    description: Text = ""
    host: Text = "localhost"
    port: Text = "443"  # a text on the wire (docs/enterprise_manager_api.md, 4.11)
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
    endpoints: Annotated[list[Endpoint], checks.list_of(checks.one(Endpoint))] = field(default_factory=list)
    # Registration
    password: Text = "server-test-password"
    verify_server_certificate: Flag = True
    connect_seconds: Number = 0  # after PutServer, until it is MONITORED (or in ERROR for good)
    connect_message: Text = "The server is not connected yet."  # of the ERROR until then
    connect_error: MaybeText = None  # a message: PutServer ends in ERROR
    fail_put: MaybeText = None
    fail_delete: Flag = False
    fail_license: MaybeText = None
    # Definitions
    master_key: Name = "master-key-of-this-server"
    import_seconds: Number = 0  # until what was imported is there
    fail_import: MaybeText = None
    schedules: Annotated[list[Tree], checks.list_of(checks.tree)] = field(default_factory=list)  # jobs, as exported
    replaces_schedules: Flag = False  # an import replaces the jobs
    notifications: Annotated[list[Tree], checks.list_of(checks.tree)] = field(default_factory=list)  # as exported
    # Explicit ACLs of the server, of all its tasks and of all its endpoints
    acl: MaybeAcl = None
    tasks_acl: MaybeAcl = None
    endpoints_acl: MaybeAcl = None

    @property
    def is_compose(self) -> bool:
        """Compose servers differ in names, run options and stop reasons."""
        return self.type != "REPLICATE"
