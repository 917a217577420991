# Copyright (c) 2026, dataops.qlik_em contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is private to the collection.

"""The argument specs: of the connection (its documentation is the fragment of the same name), and of a module."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ansible.module_utils.basic import env_fallback

from ._connection import variable


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


class Spec:
    """The arguments of a module: its own ``options``, the connection's, and the rules between them."""

    def __init__(self, required_if: Sequence[Sequence[Any]] = (), **options: dict[str, Any]) -> None:
        self.argument_spec = {**connection_options(), **options}
        self.required_if = list(required_if)
