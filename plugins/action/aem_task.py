# Copyright (c) 2026, dataops.qlik_em contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The action plugin of each module: the other files here are links to this one, which finds its module by its name."""

from __future__ import annotations

from importlib import import_module

from ..plugin_utils._action import ActionFrame

_module = import_module(f"..modules.{__name__.rpartition('.')[2]}", __package__)

main = _module.main  # ansible-lint checks the arguments of a task by it


class ActionModule(ActionFrame):
    """Runs the module in process where it can."""

    _supports_async = not _module.SPEC.returned_secret  # the result of an async task is kept in a file
    spec = _module.SPEC
    run_module = staticmethod(_module.run)
