# Copyright (c) 2026, dataops.qlik_em contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is private to the collection.

"""The argument specs: of the connection (its documentation is the fragment of the same name), and of a module."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ansible.module_utils.basic import env_fallback

from .._client.connection import variable


def _with_variable(option: str, **spec: Any) -> dict[str, Any]:
    return dict(spec, fallback=(env_fallback, [variable(option)]))


def connection_options() -> dict[str, dict[str, Any]]:
    """Return the spec of the connection options.

    The options that log in have no fallback here: variables count only if no option logs in (``_connection``).
    """
    return {
        "url": _with_variable("url", type="str"),
        "username": {"type": "str"},
        "password": {"type": "str", "no_log": True},
        "api_token": {"type": "str", "no_log": True},
        "jwt": {"type": "str", "no_log": True},
        "session_id": {"type": "str", "no_log": True},
        "validate_certs": _with_variable("validate_certs", type="bool", default=True),
        "ca_path": _with_variable("ca_path", type="path"),
        "client_cert": _with_variable("client_cert", type="path"),
        "client_key": _with_variable("client_key", type="path", no_log=False),
        "proxy": _with_variable("proxy", type="str"),
        "connect_timeout": _with_variable("connect_timeout", type="int", default=10),
        "request_timeout": _with_variable("request_timeout", type="int", default=60),
    }


def waiting_options() -> dict[str, dict[str, Any]]:
    """Return the spec of the options that bound a wait; their documentation is the fragment ``tasks``."""
    return {
        "timeout": {"type": "int", "default": 60},
        "wait_timeout": {"type": "int", "default": 300},
        "wait_sleep": {"type": "float", "default": 2},
    }


def starting_options() -> dict[str, dict[str, Any]]:
    """Return the spec of the options that say how a task is started; documented in ``tasks.starting``."""
    choices = [
        "resume_processing",
        "resume_processing_from_timestamp",
        "resume_processing_from_position",
        "recover_using_locally_stored_checkpoint",
        "recover_using_checkpoint_stored_on_target",
        "metadata_only_recreate_all_tables",
        "metadata_only_create_missing_tables",
    ]
    return {
        "wait": {"type": "bool", "default": False},
        "run_option": {"type": "str", "choices": choices, "default": "resume_processing"},
        "cdc_position": {"type": "str"},
        "force": {"type": "bool", "default": False},
    }


TASK_STATES = ["running", "recovery", "stopped", "error", "starting", "stopping", "paused", "not_exist"]


def _selectors(**members: Any) -> dict[str, Any]:
    selector = {
        "server": {"type": "str"},
        "name": {"type": "str"},
        "tag": {"type": "list", "elements": "str"},
        "state": {"type": "list", "elements": "str", "choices": TASK_STATES},
    }
    return {"type": "list", "elements": "dict", "options": selector, **members}


def fleet_options() -> dict[str, dict[str, Any]]:
    """Return the spec of the options that select many tasks and bound the work; documented in ``tasks.fleet``."""
    drain = {
        "timeout": {"type": "int", "default": 300},
        "max_latency": {"type": "int", "default": 10},
        "on_timeout": {"type": "str", "choices": ["stop", "skip", "fail"], "default": "fail"},
    }
    return {
        "include": _selectors(),
        "exclude": _selectors(),
        "waves": _selectors(),
        "on_server_error": {"type": "str", "choices": ["fail", "skip"], "default": "fail"},
        "allow_empty": {"type": "bool", "default": False},
        "parallel": {"type": "int", "default": 10},
        "parallel_per_server": {"type": "int"},
        "max_failures": {"type": "int"},
        "on_full_load": {"type": "str", "choices": ["stop", "skip", "wait", "fail"], "default": "stop"},
        "drain": {"type": "dict", "options": drain},
    }


def acl_owner_options() -> dict[str, dict[str, Any]]:
    """Return the spec of the options that name an object with an ACL; documented in ``acl``."""
    scopes = ["server", "tasks", "task", "endpoints", "endpoint"]
    return {
        "server": {"type": "str", "required": True},
        "scope": {"type": "str", "choices": scopes, "default": "server"},
        "task": {"type": "str"},
        "endpoint": {"type": "str"},
    }


def source_options() -> dict[str, dict[str, Any]]:
    """Return the spec of the options that give a replication definition; documented in ``definitions.source``."""
    # Not no_log: every name in it would be a secret then. Its secrets are found in it (_connection.secrets_in).
    return {"definition": {"type": "raw", "no_log": False}, "src": {"type": "path"}}


class Spec:
    """The arguments of a module: its own ``options``, the connection's, and the rules between them."""

    def __init__(self, required_if: Sequence[Sequence[Any]] = (), **options: dict[str, Any]) -> None:
        self.argument_spec = {**connection_options(), **options}
        self.required_if = list(required_if)
