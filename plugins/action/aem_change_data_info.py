# Copyright (c) 2026, dataops.qlik_em contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from ..modules.aem_change_data_info import RESOURCE, SPEC, main
from ..plugin_utils._action import ActionFrame

__all__ = ["ActionModule", "main"]  # main: ansible-lint checks the arguments of a task by it


class ActionModule(ActionFrame):
    """Runs aem_change_data_info in process where it can."""

    SPEC = SPEC
    RESOURCE = staticmethod(RESOURCE)
