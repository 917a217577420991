# Copyright (c) 2026, dataops.qlik_em contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from typing import Any

from ansible.plugins.inventory import BaseInventoryPlugin, Constructable

DOCUMENTATION = r"""
name: constant
short_description: Hosts with the variables of tasks, from nowhere
description:
  - What Ansible itself needs for so many hosts with such variables and groups.
extends_documentation_fragment:
  - ansible.builtin.constructed
options:
  plugin:
    description: The name of this plugin.
    required: true
  servers:
    description: How many servers.
    type: int
  tasks:
    description: How many tasks, on all of them.
    type: int
"""


class InventoryModule(BaseInventoryPlugin, Constructable):
    """Adds the hosts in the shortest way that Ansible has."""

    NAME = "constant"

    def parse(self, inventory: Any, loader: Any, path: str, cache: bool = True) -> None:
        """Fill the inventory."""
        super().parse(inventory, loader, path)
        self._read_config_data(path)
        servers, keys = self.get_option("servers"), self.get_option("keyed_groups")
        for number in range(self.get_option("tasks")):
            server, task = f"S{number % servers}", f"t {number // servers}"
            host = f"{server}/{task}"
            variables = {
                "qlik_em_server": server,
                "qlik_em_task": task,
                "qlik_em_state": "RUNNING",
                "qlik_em_stop_reason": "NONE",
                "qlik_em_message": "",
                "qlik_em_assigned_tags": ["nightly"],
            }
            self.inventory.add_host(host)
            for name, value in variables.items():
                self.inventory.set_variable(host, name, value)
            self._add_host_to_keyed_groups(keys, variables, host, fetch_hostvars=False)
