# Copyright (c) 2026, dataops.qlik_em contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# All files in this folder are the same: each is the action plugin of the module of its name.

from __future__ import annotations

from ..plugin_utils._action import action_plugin

ActionModule, main = action_plugin(__name__)
