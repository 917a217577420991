# Copyright (c) 2026, dataops.qlik_em contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Stops a task over a connection of httpapi. For comparison only."""

from __future__ import annotations

from urllib.parse import quote

from ansible.module_utils.basic import AnsibleModule
from ansible.module_utils.connection import Connection


def main() -> None:
    """Stop it."""
    module = AnsibleModule({"server": {"type": "str"}, "name": {"type": "str"}})
    path = f"/servers/{quote(module.params['server'])}/tasks/{quote(module.params['name'])}?action=stop"
    module.exit_json(changed=True, task=Connection(module._socket_path).send_request(None, path=path))


if __name__ == "__main__":
    main()
