# Copyright (c) 2026, dataops.qlik_em contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from typing import Any

from ..modules.aem_session import RESOURCE, SPEC, main
from ..plugin_utils._action import ActionFrame

__all__ = ["ActionModule", "main"]  # main: ansible-lint checks the arguments of a task by it


class ActionModule(ActionFrame):
    """Runs aem_session in process where it can."""

    _supports_async = False  # the result of an async task is kept in a file, and with it the session id
    SPEC = SPEC
    RESOURCE = staticmethod(RESOURCE)

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        """Run the task and keep its result, which is a secret, out of the output; a failure may be seen."""
        result = super().run(tmp, task_vars)
        if not result.get("failed"):
            result["_ansible_no_log"] = True
        return result
