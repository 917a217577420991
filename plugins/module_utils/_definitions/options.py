# Copyright (c) 2026, dataops.qlik_em contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is private to the collection.

"""The options that give a replication definition, and what may be shown of them.

What works on definitions is imported late: a module that starts a task compiles what it imports at each start.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any


def source_options() -> dict[str, Any]:
    """Return the spec of these options; documented in ``definitions.source``."""
    # Not no_log: every name in it would be a secret then. Its secrets are found in it (Spec.secret_options).
    return {
        "definition": {"type": "raw", "no_log": False},
        "src": {"type": "path"},
        "secrets": {"type": "list", "elements": "str", "no_log": False},
        "update_password": {
            "type": "str",
            "choices": ["on_create", "always"],
            "default": "on_create",
            "no_log": False,
        },
        "force_import": {"type": "bool", "default": False},
        **loggers_option(),
    }


def loggers_option() -> dict[str, Any]:
    """Return the spec of the option that makes loggers belong to a definition; documented in ``definitions``."""
    return {"loggers": {"type": "str", "choices": ["ignore", "manage"], "default": "ignore"}}


def secrets_in_definition(definition: Any, params: Mapping[str, Any]) -> Iterator[str]:
    """Yield what is secret in the option ``definition``; of what is not a definition nothing is shown anyway."""
    from .importing import secrets_in_option

    return secrets_in_option(definition, params)


def shown_definition(definition: Any) -> Any:
    """Return the option ``definition`` as it is shown."""
    from .document import shown_option

    return shown_option(definition)
