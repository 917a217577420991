#!/usr/bin/python
# Copyright (c) 2026, dataops.qlik_em contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: aem_task_info
short_description: Read tasks of Qlik Replicate and Qlik Compose
version_added: 1.0.0
author:
  - dataops.qlik_em contributors (!UNKNOWN)
description:
  - Returns the details of tasks that are named literally, or the lists of one, several or all servers, filtered by
    name, state and tag.
  - A task that does not exist is not a failure. There is a warning then, and its name is in RV(missing).
extends_documentation_fragment:
  - dataops.qlik_em.connection
  - dataops.qlik_em.attributes
  - dataops.qlik_em.attributes.info
options:
  server:
    description:
      - The names of the servers, or globs (V(*), V(?), V([abc])), as Enterprise Manager displays them. They are
        case-sensitive.
      - Without it, all servers that the user may see are read. This, and globs, need the role Viewer on All Servers.
        Servers named literally do not.
    type: list
    elements: str
  name:
    description:
      - The names of the tasks, or globs.
      - If all are named literally, the details of each are returned, which needs the role Viewer on the task only.
        Otherwise the list of the server is returned, which needs Viewer on All Tasks.
    type: list
    elements: str
    aliases:
      - task
  state:
    description:
      - Only tasks in one of these states.
    type: list
    elements: str
    choices:
      - running
      - recovery
      - stopped
      - error
      - starting
      - stopping
      - paused
      - not_exist
  tag:
    description:
      - Only tasks with one of these tags.
    type: list
    elements: str
  on_server_error:
    description:
      - What to do if the tasks of a server cannot be read, for example because it is not connected. V(skip) leaves them
        out, with a warning and an entry in RV(skipped_servers).
    type: str
    choices:
      - fail
      - skip
    default: fail
seealso:
  - module: dataops.qlik_em.aem_task
"""

EXAMPLES = r"""
- name: Read one task
  dataops.qlik_em.aem_task_info:
    server: Replicate-Prod
    name: orders
  register: orders

- name: Show how far behind it is
  ansible.builtin.debug:
    msg: "{{ orders.tasks[0].state }}, latency {{ orders.tasks[0].cdc_latency.total_latency }}"

- name: Find tasks with problems, on all servers that can be reached
  dataops.qlik_em.aem_task_info:
    state:
      - error
      - recovery
    on_server_error: skip
  register: trouble

- name: Find the tasks of two servers by name
  dataops.qlik_em.aem_task_info:
    server:
      - Replicate-Prod
      - Replicate-Test
    name: "order*"
"""

RETURN = r"""
tasks:
  description:
    - The tasks, each with the members that Enterprise Manager returns, under the guide's names, and the ones below.
  returned: success
  type: list
  elements: dict
  contains:
    server:
      description: The server.
      returned: always
      type: str
      sample: Replicate-Prod
    name:
      description: The task.
      returned: always
      type: str
      sample: orders
    state:
      description: The state, in the guide's terms.
      returned: always
      type: str
      sample: RUNNING
    stop_reason:
      description: Why the task stopped, V(NONE) while it runs. V(null) if the server does not say.
      returned: always
      type: str
      sample: NONE
    message:
      description: The message of the server about the task.
      returned: always
      type: str
      sample: ""
    assigned_tags:
      description: The tags of the task.
      returned: if the server returns them
      type: list
      elements: str
      sample: [nightly]
missing:
  description:
    - The names, and the globs on servers, that nothing fits. There is a warning for each.
  returned: success
  type: list
  elements: str
  sample: []
skipped_servers:
  description: The servers that could not be read, with the reason.
  returned: success
  type: list
  elements: dict
  sample:
    - server: Replicate-Old
      error_code: AEM_SERVER_NOT_MONITORED
      error_message: The requested server "Replicate-Old" is not monitored.
      http_status: 500
      msg: 'GetTaskList of server "Replicate-Old" failed: The requested server "Replicate-Old" is not monitored.'
"""

from ansible_collections.dataops.qlik_em.plugins.module_utils._run.arguments import Spec
from ansible_collections.dataops.qlik_em.plugins.module_utils._run.module import run_as_module
from ansible_collections.dataops.qlik_em.plugins.module_utils._tasks import info
from ansible_collections.dataops.qlik_em.plugins.module_utils._tasks.model import TASK_STATES

SPEC = Spec(
    server={"type": "list", "elements": "str"},
    name={"type": "list", "elements": "str", "aliases": ["task"]},
    state={"type": "list", "elements": "str", "choices": TASK_STATES},
    tag={"type": "list", "elements": "str"},
    on_server_error={"type": "str", "choices": ["fail", "skip"], "default": "fail"},
)
run = info.gather


def main() -> None:
    """Run the module."""
    run_as_module(SPEC, run)


if __name__ == "__main__":
    main()
