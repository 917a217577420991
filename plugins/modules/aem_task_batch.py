#!/usr/bin/python
# Copyright (c) 2026, dataops.qlik_em contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: aem_task_batch
short_description: Start, stop or restart many tasks of Qlik Replicate and Qlik Compose side by side
version_added: 1.0.0
author:
  - dataops.qlik_em contributors (!UNKNOWN)
description:
  - Puts all selected tasks into one state, several at a time, each as M(dataops.qlik_em.aem_task) does.
  - One login, and one list call for each server, find the tasks. A task that is already in that state needs no call.
  - One failing task never hides the others. The module fails at the end, and its message has a line for each failed
    task. A refused login ends everything at once.
  - To start exactly what ran again later, use M(dataops.qlik_em.aem_maintenance_window).
extends_documentation_fragment:
  - dataops.qlik_em.connection
  - dataops.qlik_em.attributes
  - dataops.qlik_em.tasks
  - dataops.qlik_em.tasks.starting
  - dataops.qlik_em.tasks.fleet
  - dataops.qlik_em.tasks.drain
attributes:
  check_mode:
    description: Can run in check mode without changing anything.
    support: full
    details: Refusals because of missing permissions cannot be predicted. Waits for full loads, O(drain) and
      O(wait_for) are assumed to succeed.
  diff_mode:
    description: Returns what has changed (or would have) in diff mode.
    support: full
  idempotent:
    description: Run twice, it changes nothing the second time.
    support: partial
    details:
      - V(restarted) and a O(run_option) that makes tables act each time.
      - V(started) starts a task again that has stopped by itself, except one that has finished its only full load.
options:
  state:
    description:
      - V(stopped) stops the tasks. A task in the state ERROR counts as stopped.
      - V(started) starts the tasks with O(run_option), unless they are RUNNING or in RECOVERY, or have finished their
        only full load.
      - V(drained) is V(stopped) with O(drain), even if that is not set.
      - V(restarted) stops them if they are not stopped, then starts them.
      - V(started) treats a task that the list shows as RUNNING as started. With O(wait=true) or O(wait_for) its details
        are read.
    type: str
    choices:
      - started
      - stopped
      - drained
      - restarted
    required: true
  reverse:
    description:
      - Whether to begin with the last one of O(waves), so that the same waves can be used to stop and to start.
      - It must not be set with O(waves=auto), whose order follows from O(state).
    type: bool
    default: false
  journal:
    description:
      - A file to which a JSON line is added before and after each write. A write is sent only when its line is on the
        disk, so the file survives a run that is killed.
      - The next run with the same file, O(state) and O(run_option) continues where that one ended. It does not restart
        tasks twice, and gives writes whose answers were lost the time to take effect.
      - Its folder must exist. Only its owner may read the file. It may be removed when no run needs it any more.
      - A link is followed; the journal and its lock are in the folder of the file that it leads to.
    type: path
notes:
  - Stopping and starting need the role Operator on the tasks, the lists need Viewer on All Tasks of the servers.
  - Progress (done, failed, running, and what takes long) goes to standard error every few seconds, if the task runs in
    process. A module that runs as a separate process shows no progress.
  - After Ctrl-C or SIGTERM no further task is started; the calls in flight end, and the session is closed.
seealso:
  - module: dataops.qlik_em.aem_task
  - module: dataops.qlik_em.aem_task_info
  - module: dataops.qlik_em.aem_maintenance_window
"""

EXAMPLES = r"""
# The connection comes from QLIK_EM_URL, QLIK_EM_USERNAME and QLIK_EM_PASSWORD.
- name: Stop all tasks of two servers and make sure that they have really stopped
  dataops.qlik_em.aem_task_batch:
    state: stopped
    include:
      - server: Replicate-Prod
      - server: Compose-DW
    exclude:
      - name: locked
    wait: true
    parallel: 20

- name: Start failed tasks again, on all servers that can be reached
  dataops.qlik_em.aem_task_batch:
    state: started
    include:
      - server: "*"
        state:
          - error
    on_server_error: skip
    allow_empty: true

- name: Stop the nightly tasks first and then the others, each once its changes are applied
  dataops.qlik_em.aem_task_batch:
    state: stopped
    include:
      - server: Replicate-Test
    waves:
      - name: "st*"
    on_full_load: wait
    drain:
      timeout: 30
      max_latency: 10
      on_timeout: stop
    timeout: 5
  ignore_errors: true

- name: Run full loads side by side and wait until all are done
  dataops.qlik_em.aem_task_batch:
    state: started
    include:
      - server: Replicate-Prod
        name: "customers*"
    wait_for: finished
    wait_timeout: 7200

- name: Start tasks and wait until they have caught up with their sources
  dataops.qlik_em.aem_task_batch:
    state: started
    include:
      - server: Replicate-Test
        name: stock
    wait_for: latency
    max_latency: 30

- name: Stop a task when no change is in flight
  dataops.qlik_em.aem_task_batch:
    state: drained
    include:
      - server: Replicate-Test
        name: stock
    drain:
      timeout: 600
      on_timeout: skip

- name: Start all tasks of two servers in their order, each wave when the one before has caught up
  dataops.qlik_em.aem_task_batch:
    state: started
    include:
      - server: Replicate-Prod
      - server: Compose-DW
    waves: auto
    dependencies:
      - before:
          - name: orders
        after:
          - name: shipments
    wait: true
    start_when:
      max_latency: 30
      stable_for: 2
      timeout: 60

- name: Stop all tasks with a tag in a large installation, and keep the result of each
  dataops.qlik_em.aem_task_batch:
    state: stopped
    include:
      - tag:
          - erp
    on_server_error: skip
    parallel: 50
    results: failed
    results_dest: /var/lib/qlik/stopped.jsonl

- name: Restart tasks so that a run which was killed can be continued
  dataops.qlik_em.aem_task_batch:
    state: restarted
    include:
      - server: Compose-DW
        name: "*__sales"
    journal: /var/tmp/restart-sales.jsonl
"""

RETURN = r"""
tasks:
  description: One row for each selected task, or for those that O(results) means, also on a failure.
  returned: success, and failures after the tasks were listed
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
    before:
      description: The state before, as in the list of the server.
      returned: always
      type: str
      sample: RUNNING
    after:
      description: The state as it was last seen. In check mode, the expected one.
      returned: always
      type: str
      sample: STOPPED
    changed:
      description: Whether this run has changed the task, or may have.
      returned: always
      type: bool
      sample: true
    failed:
      description: Whether the task failed to reach the wanted state.
      returned: always
      type: bool
      sample: false
    skipped:
      description: Whether the task was left alone, or not begun. RV(tasks[].msg) says why.
      returned: always
      type: bool
      sample: false
    error_code:
      description: The error code of Enterprise Manager. V(null) if there is none.
      returned: always
      type: str
      sample: AEM_STOP_TASK_INNER_ERR
    msg:
      description: The reason for the failure, or why nothing was done. Otherwise empty.
      returned: always
      type: str
      sample: ""
    hint:
      description: How to fix the failure. Often empty.
      returned: always
      type: str
      sample: ""
    started:
      description: When the work on the task began, in UTC. V(null) if it was not begun.
      returned: always
      type: str
      sample: "2026-11-26T03:12:00.123Z"
    elapsed:
      description: How long the task took, in seconds. V(null) if it was not begun.
      returned: always
      type: float
      sample: 1.04
counts:
  description: How many tasks were RV(ignore:selected), and of these RV(ignore:changed), RV(ignore:unchanged),
    RV(ignore:failed) and RV(ignore:skipped). A failed one counts as changed too if it may have been.
  returned: success, and failures after the tasks were listed
  type: dict
  sample:
    selected: 100
    changed: 97
    failed: 1
    skipped: 0
    unchanged: 2
truncated:
  description: How many of the tasks that O(results) means are not in RV(tasks), as they would be too many.
  returned: with RV(tasks)
  type: int
  sample: 0
skipped_servers:
  description: The servers that could not be read, with the reason.
  returned: success, and failures of tasks
  type: list
  elements: dict
  sample:
    - server: Replicate-Down
      error_code: AEM_SERVER_NOT_CONNECTED
      error_message: 'The requested server "Replicate-Down" cannot be reached at this time.'
      http_status: 500
      msg: 'GetTaskList of server "Replicate-Down" failed: The requested server "Replicate-Down" cannot be reached.'
order:
  description: The order, as lines that form a tree. Each task is shown below what it is started after, with the wave in
    which it is started and the one in which it is stopped. Of more than 20 tasks side by side that nothing waits for,
    the others are counted.
  returned: success, with O(waves=auto)
  type: list
  elements: str
  sample:
    - "Replicate-Prod/staging: start wave 1, stop wave 3"
    - "|- Replicate-Prod/orders: start wave 2, stop wave 2"
    - then (Replicate before Compose)
    - "|- Compose-DW/nightly__sales: start wave 3, stop wave 1"
elapsed:
  description: How long it took, in seconds.
  returned: always
  type: float
  sample: 5.3
diff:
  description: The states before and after of the tasks that change.
  returned: in check mode and in diff mode
  type: dict
  sample:
    before:
      Replicate-Prod/orders: RUNNING
    after:
      Replicate-Prod/orders: STOPPED
    before_header: tasks
    after_header: tasks
msg:
  description: The reason for the failure. If tasks failed, a line for each of them (at most 20, then how many more).
  returned: failure
  type: str
  sample: |-
    1 of 100 tasks failed.
    Replicate-Prod/locked: StopTask of task "locked" on server "Replicate-Prod" failed: The task is locked.
"""

from ansible_collections.dataops.qlik_em.plugins.module_utils._fleets import batch
from ansible_collections.dataops.qlik_em.plugins.module_utils._fleets.options import fleet_options
from ansible_collections.dataops.qlik_em.plugins.module_utils._run.arguments import Spec, waiting_options
from ansible_collections.dataops.qlik_em.plugins.module_utils._run.module import run_as_module
from ansible_collections.dataops.qlik_em.plugins.module_utils._tasks.operation import starting_options

SPEC = Spec(
    state={"type": "str", "choices": ["started", "stopped", "drained", "restarted"], "required": True},
    reverse={"type": "bool", "default": False},
    journal={"type": "path"},
    timeout={"type": "int", "default": 60},
    parallel_option="parallel",
    is_timed=True,
    **waiting_options(),
    **starting_options(),
    **fleet_options(),
)
run = batch.ensure


def main() -> None:
    """Run the module."""
    run_as_module(SPEC, run)


if __name__ == "__main__":
    main()
