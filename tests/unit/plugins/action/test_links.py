# Copyright (c) 2026, dataops.qlik_em contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Each module has the action plugin of its name, or it would never run in process."""

from __future__ import annotations

import importlib
import pkgutil

import pytest
from ansible_collections.dataops.qlik_em.plugins import action, modules
from ansible_collections.dataops.qlik_em.plugins.plugin_utils._action import ActionFrame

MODULES = [found.name for found in pkgutil.iter_modules(modules.__path__)]


@pytest.mark.parametrize("name", MODULES)
def test_a_module_has_its_action_plugin(name):
    plugin = importlib.import_module(f"{action.__name__}.{name}")
    assert issubclass(plugin.ActionModule, ActionFrame)
    assert plugin.ActionModule.__module__ == plugin.__name__
