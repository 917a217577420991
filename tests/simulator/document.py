# Copyright (c) 2026, dataops.qlik_em contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The state document: what the stand-in starts with. README.md explains every member for people.

Its parts are in document_access, document_tasks and document_servers; here are the options, and the whole.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any

import yaml

from . import checks
from .checks import Flag, InputError, MaybeText, Number, Tree
from .document_access import User
from .document_servers import Server
from .document_tasks import Task

__all__ = ["Document", "Options", "Server", "Task", "User", "Variants", "load", "parse"]

DEFAULT_DOCUMENT = Path(__file__).with_name("default.yml")


@dataclass
class Options:
    """How the whole stand-in behaves where installations or releases differ."""

    session_idle_seconds: Number = 300  # after the last request (docs/enterprise_manager_api.md, 2.5)
    show_transient: Flag = True  # False: no STARTING/STOPPING at all, for the 2018 SDK
    task_stop_reason: Flag = True  # whether GetTaskDetails has it (docs/enterprise_manager_api.md, 6.18)
    server_details_key: Annotated[str, checks.choice("server_details", "serverDetails")] = "server_details"
    license_registered: Flag = True  # Enterprise Manager's own licence
    # How many calls are worked on at a time; one more is a page with 429, as a gateway gives it. null: any number.
    most_calls: Annotated[int | None, checks.optional(checks.positive)] = None


@dataclass
class Variants:
    """What differs between releases, or is assumed, for the methods beyond running and stopping."""

    # The body of a void answer; null: none, Content-Length 0 (docs/enterprise_manager_api.md, 4.12).
    void_body: MaybeText = None
    # Since May 2025, in 2023, in May 2022 (docs/enterprise_manager_api.md, 6.24).
    table_wildcard: Annotated[str, checks.choice("%", "*", "substring")] = "%"
    export_comment: Flag = False  # "// Host name: ..." before the JSON, as older releases have it
    export_mark: Flag = False  # a byte order mark before an export
    fresh_encryption: Flag = False  # every export encrypts a password anew
    # What an import makes of a list of named items whose order may count (docs/enterprise_manager_api.md, 9.5).
    import_lists: Annotated[str, checks.choice("reordered", "appended", "replaced")] = "reordered"
    fractions: Flag = False  # 5 is 5.0 (docs/enterprise_manager_api.md, 4.11)
    type_first: Flag = True  # $type must be the first member of PutServer's body
    endpoint_test_keys: Annotated[str, checks.choice("sdk", "guide_table", "guide_template")] = "sdk"
    # Of UNAUTHORIZED_REQUEST (docs/enterprise_manager_api.md, 3.5).
    unauthorized_status: Annotated[int, checks.number_in(401, 403)] = 403
    compose_run_option: Flag = True  # Compose knows RESUME_PROCESSING (docs/enterprise_manager_api.md, 5.6)
    new_server: Tree = field(default_factory=dict)  # members of a server that PutServer registers


@dataclass
class Document:
    """The whole document."""

    options: Annotated[Options, checks.one(Options)] = field(default_factory=Options)
    variants: Annotated[Variants, checks.one(Variants)] = field(default_factory=Variants)
    users: Annotated[list[User], checks.list_of(checks.one(User))] = field(default_factory=list)
    servers: Annotated[list[Server], checks.list_of(checks.one(Server))] = field(default_factory=list)

    def __post_init__(self) -> None:
        _refuse_doubles([server.name for server in self.servers], "servers")
        _check_new_server(self.variants)
        for server in self.servers:
            _refuse_doubles([task.name for task in server.tasks], f"tasks of {server.name}")
            _refuse_doubles([endpoint.name for endpoint in server.endpoints], f"endpoints of {server.name}")
        _refuse_doubles([login.casefold() for user in self.users for login in (user.logins or [user.name])], "logins")

    def change_variants(self, value: Any) -> None:
        """Change some of the variants, all of the given ones or none."""
        new = dataclasses.replace(self.variants)
        checks.change(new, value, "variants")
        _check_new_server(new)
        self.variants = new


def _check_new_server(variants: Variants) -> None:
    checks.read(Server, {"name": "new", **variants.new_server}, "variants.new_server")


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
