#!/usr/bin/python
# Copyright (c) 2026, dataops.qlik_em contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: aem_schedule_info
short_description: Read the schedules of a Qlik Replicate server
version_added: 1.0.0
author:
  - dataops.qlik_em contributors (!UNKNOWN)
description:
  - Returns the schedules (the console calls them jobs) of a Replicate server, said in words and with their next runs.
  - They are read by an export of the whole server, as the API has no method for them.
extends_documentation_fragment:
  - dataops.qlik_em.connection
  - dataops.qlik_em.attributes
  - dataops.qlik_em.attributes.info
options:
  server:
    description:
      - The name of the Replicate server in Enterprise Manager. It is the display name, not a host name, and it is
        case-sensitive.
    type: str
    required: true
  name:
    description:
      - The names of the schedules. Without it, all of the server are returned. A schedule that does not exist is not a
        failure. There is a warning then, and its name is in RV(missing).
    type: list
    elements: str
    aliases:
      - schedule
notes:
  - Needs the roles Admin on Enterprise Manager and on the server, Designer on All Tasks and Operator on All Endpoints.
seealso:
  - module: dataops.qlik_em.aem_schedule
"""

EXAMPLES = r"""
# Needs the role Admin on Enterprise Manager.
- name: Read the schedules of a server
  dataops.qlik_em.aem_schedule_info:
    username: admin@corp.example
    password: "{{ vault_qlik_em_admin_password }}"
    server: Replicate-Prod
  register: schedules

- name: Show those that reload tasks
  ansible.builtin.debug:
    msg: "{{ item.explained }}, next: {{ item.next_runs | default([], true) | first | default('never') }}"
  loop: "{{ schedules.schedules | selectattr('action', 'equalto', 'reload') }}"
  loop_control:
    label: "{{ item.name }}"
"""

RETURN = r"""
schedules:
  description: The schedules, in the order of the server.
  returned: success
  type: list
  elements: dict
  contains:
    name:
      description: Its name.
      returned: always
      type: str
      sample: nightly reload
    enabled:
      description: Whether it runs.
      returned: always
      type: bool
      sample: true
    cron:
      description: When it runs, in six fields.
      returned: always
      type: str
      sample: 30 2 * * 1-5 *
    explained:
      description: The same in words, V(null) if the expression is not understood.
      returned: always
      type: str
      sample: at 02:30 on Monday to Friday (UTC)
    next_runs:
      description:
        - The next five runs, fewer if there are not so many, none if it is disabled or never runs again. V(null) if
          they are not known.
        - Times are in UTC, with a C(Z) at the end. Those of a schedule in the local time of the server have no C(Z).
          The server's time zone is not known, so they are counted from the present time in UTC. The first may be over,
          or some before it may be missing.
      returned: always
      type: list
      elements: str
      sample:
        - "2026-11-27T02:30:00Z"
        - "2026-11-30T02:30:00Z"
    local_time:
      description: Whether its times are in the local time of the server.
      returned: always
      type: bool
      sample: false
    action:
      description: The action on the tasks, V(other) for actions that the modules do not know.
      returned: always
      type: str
      sample: reload
    tasks:
      description: The names of the tasks, V(*) for all tasks of the server.
      returned: always
      type: list
      elements: str
      sample:
        - customers full load
    definition:
      description: The job as Replicate exports it.
      returned: always
      type: dict
      sample:
        name: nightly reload
        command_id: 25
        schedule: 30 2 * * 1-5 *
        task: customers full load
missing:
  description:
    - The names that nothing fits. There is a warning for each.
  returned: success
  type: list
  elements: str
  sample: []
"""

from ansible_collections.dataops.qlik_em.plugins.module_utils._run.arguments import Spec
from ansible_collections.dataops.qlik_em.plugins.module_utils._run.module import run_as_module
from ansible_collections.dataops.qlik_em.plugins.module_utils._servers import schedules

SPEC = Spec(
    server={"type": "str", "required": True},
    name={"type": "list", "elements": "str", "aliases": ["schedule"]},
)
run = schedules.gather


def main() -> None:
    """Run the module."""
    run_as_module(SPEC, run)


if __name__ == "__main__":
    main()
