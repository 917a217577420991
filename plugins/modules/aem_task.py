#!/usr/bin/python
# Copyright (c) 2026, dataops.qlik_em contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: aem_task
short_description: Start, stop, restart or reload a task of Qlik Replicate or Qlik Compose
version_added: 1.0.0
author:
  - dataops.qlik_em contributors (@dataops)
description:
  - Brings one task to a state through Qlik Enterprise Manager. A task that is in the state already is left as it is.
  - Works for Replicate tasks and for Compose tasks and workflows.
  - A failure carries the message of Enterprise Manager, its O(ignore:error_code) and a hint. Nothing is swallowed.
  - A call whose answer was lost is not sent again. The state is read, and the result follows from it.
extends_documentation_fragment:
  - dataops.qlik_em.connection
  - dataops.qlik_em.attributes
  - dataops.qlik_em.tasks
  - dataops.qlik_em.tasks.starting
attributes:
  check_mode:
    description: Can run in check mode without changing anything.
    support: full
    details: What a missing permission would refuse cannot be foreseen.
  diff_mode:
    description: Returns what has changed (or would have) in diff mode.
    support: full
    details: In check and diff mode the task is read first, which needs the role Viewer on the task.
  idempotent:
    description: Run twice, it changes nothing the second time.
    support: partial
    details:
      - V(restarted) and V(reloaded) act each time.
      - V(started) starts a task again that stops by itself, except one that has finished its only full load.
options:
  server:
    description:
      - The name of the Replicate or Compose server in Enterprise Manager. It is the display name, not a host name, and
        upper and lower case count.
    type: str
    required: true
  name:
    description:
      - The name of the task. A Compose task or workflow is named V(task__project), with two underscores.
    type: str
    required: true
    aliases:
      - task
  state:
    description:
      - V(stopped) stops the task. A task in the state ERROR counts as stopped.
      - V(started) starts the task with O(run_option), unless it is RUNNING or in RECOVERY, or has finished its only
        full load (C(FULL_LOAD_ONLY_FINISHED)), which a start would load again.
      - V(restarted) stops the task if it is not stopped, then starts it with O(run_option).
      - V(reloaded) stops the task if it is not stopped, then starts it with C(RELOAD_TARGET). The data at the target
        are deleted and loaded again, each time. Needs O(force=true).
    type: str
    choices:
      - started
      - stopped
      - restarted
      - reloaded
    required: true
notes:
  - Stopping and starting ask for the role Operator on the task.
seealso:
  - module: dataops.qlik_em.aem_task_info
  - module: dataops.qlik_em.aem_session
"""

EXAMPLES = r"""
- name: Stop a task
  dataops.qlik_em.aem_task:
    url: https://em.example.com
    username: operator@corp.example
    password: "{{ vault_qlik_em_password }}"
    server: Replicate-Prod
    name: orders
    state: stopped

# The other examples take the connection from QLIK_EM_URL, QLIK_EM_USERNAME and QLIK_EM_PASSWORD.
- name: Stop a task and make sure that it is really gone
  dataops.qlik_em.aem_task:
    server: Replicate-Prod
    name: orders
    state: stopped
    wait: true
    wait_timeout: 600

- name: Start it again where it stopped
  dataops.qlik_em.aem_task:
    server: Replicate-Prod
    name: orders
    state: started

- name: Start it from a point in time (UTC)
  dataops.qlik_em.aem_task:
    server: Replicate-Prod
    name: orders
    state: restarted
    run_option: resume_processing_from_timestamp
    cdc_position: "2026-11-23T03:00:00"

- name: Load everything again
  dataops.qlik_em.aem_task:
    server: Replicate-Prod
    name: orders
    state: reloaded
    force: true

- name: Stop a Compose workflow, and go on if the server refuses
  block:
    - name: Stop the workflow
      dataops.qlik_em.aem_task:
        server: Compose-DW
        name: nightly__sales
        state: stopped
      register: stop
  rescue:
    - name: Say why
      ansible.builtin.debug:
        msg: "{{ stop.msg }} ({{ stop.error_code | default('no answer') }})"
"""

RETURN = r"""
task:
  description:
    - The task as it was seen last. On a failure too, if it was seen.
    - For all that Enterprise Manager tells of it, see M(dataops.qlik_em.aem_task_info).
  returned: success, and failures after the task was seen
  type: dict
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
      description:
        - The state, in the guide's terms. In check mode the state before.
        - If the server answers that the task is stopped already, V(STOPPED), also for a task in the state ERROR.
      returned: always
      type: str
      sample: STOPPED
    stop_reason:
      description: Why the task stopped. V(null) if it was not read.
      returned: always
      type: str
      sample: NORMAL
    message:
      description: What the server says of the task. V(null) if it was not read.
      returned: always
      type: str
      sample: ""
  sample:
    server: Replicate-Prod
    name: orders
    state: STOPPED
    stop_reason: null
    message: ""
elapsed:
  description: How long it took, in seconds.
  returned: success
  type: float
  sample: 1.04
diff:
  description: The state before and after, and the run option of a start.
  returned: in check mode and in diff mode
  type: dict
  sample:
    before:
      state: RUNNING
    after:
      state: STOPPED
    before_header: Replicate-Prod/orders
    after_header: Replicate-Prod/orders
msg:
  description: What went wrong, with the message of Enterprise Manager.
  returned: failure
  type: str
  sample: >-
    StopTask of task "orders" on server "Replicate-Prod" failed:
    A timeout occurred when trying to stop Replicate task orders on server Replicate-Prod
error_code:
  description: The error code of Enterprise Manager.
  returned: failures that Enterprise Manager answered
  type: str
  sample: AEM_STOP_TASK_TIMEOUT
error_message:
  description: The message of Enterprise Manager, alone.
  returned: failures that Enterprise Manager answered
  type: str
  sample: A timeout occurred when trying to stop Replicate task orders on server Replicate-Prod
http_status:
  description: The HTTP status. Method failures are 500.
  returned: failures with an answer
  type: int
  sample: 500
hint:
  description: What can be done about it.
  returned: most failures
  type: str
  sample: "Use wait: true to go on watching (up to wait_timeout), raise timeout, or run this again."
"""

from ansible_collections.dataops.qlik_em.plugins.module_utils import _task
from ansible_collections.dataops.qlik_em.plugins.module_utils._arguments import (
    Spec,
    starting_options,
    waiting_options,
)
from ansible_collections.dataops.qlik_em.plugins.module_utils._module import run_as_module

SPEC = Spec(
    server={"type": "str", "required": True},
    name={"type": "str", "required": True, "aliases": ["task"]},
    state={"type": "str", "choices": ["started", "stopped", "restarted", "reloaded"], "required": True},
    **waiting_options(),
    **starting_options(),
)
RESOURCE = _task.ensure


def main() -> None:
    """Run the module."""
    run_as_module(SPEC, RESOURCE)


if __name__ == "__main__":
    main()
