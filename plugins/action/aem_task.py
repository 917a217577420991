# Copyright (c) 2026, dataops.qlik_em contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from ..module_utils._tasks import definition as _task_definition
from ..modules.aem_task import RESOURCE, SPEC, main
from ..plugin_utils._action import ActionFrame

# _task_definition: what the module puts off is imported here, once for all workers.
# main: ansible-lint checks the arguments of a task by it.
__all__ = ["ActionModule", "_task_definition", "main"]


class ActionModule(ActionFrame):
    """Runs aem_task in process where it can."""

    SPEC = SPEC
    RESOURCE = staticmethod(RESOURCE)
