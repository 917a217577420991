#!/usr/bin/python
# Copyright (c) 2026, dataops.qlik_em contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: aem_maintenance_window
short_description: Stop what runs for maintenance, and start exactly that again
version_added: 1.0.0
author:
  - dataops.qlik_em contributors (!UNKNOWN)
description:
  - A maintenance window has three steps. V(recorded) records which of the selected tasks run, V(frozen) stops these,
    and V(restored) starts exactly these again.
  - This record is the checkpoint. It is kept in a file (O(path)) or passed on from task to task (O(checkpoint)).
  - Each step may be repeated, even after a crash in the middle. The checkpoint of an open window never
    changes because of what is stopped in the meantime.
  - The role P(dataops.qlik_em.maintenance_window#role) and the playbooks C(dataops.qlik_em.maintenance_begin) and
    C(dataops.qlik_em.maintenance_end) run all steps.
extends_documentation_fragment:
  - dataops.qlik_em.connection
  - dataops.qlik_em.attributes
  - dataops.qlik_em.tasks
  - dataops.qlik_em.tasks.fleet
  - dataops.qlik_em.tasks.drain
attributes:
  check_mode:
    description: Can run in check mode without changing anything.
    support: full
    details: Refusals because of missing permissions cannot be predicted. Waits are assumed to succeed.
  diff_mode:
    description: Returns what has changed (or would have) in diff mode.
    support: full
  idempotent:
    description: Run twice, it changes nothing the second time.
    support: full
options:
  state:
    description:
      - V(recorded) only reads. If O(path) holds an open window (tasks are stopped, or some of them), it is kept as it
        is. If it holds one that was recorded only, and a task that ran then is not back, this is a failure that names
        the task, as it may have been stopped with O(checkpoint) alone. Tasks that somebody has stopped since a window
        that is over are noted as stopped, with a warning.
      - V(frozen) stops each task that ran, in the order of O(waves), and makes sure that its process has ended.
      - V(restored) starts each task that ran, the last wave first, and makes sure that its process is running. If a
        server is not connected yet, the module waits for it, up to O(wait_timeout). A task that was deleted, started or
        finished in the meantime is reported, and is not a failure. One that fails, is stopped or falls into RECOVERY
        after its start is a failure.
      - After a step that was killed, or in which a stop took longer than O(timeout), a task may show RUNNING and stop
        later. V(restored) watches it until it stops, and then starts it, or until the time for the stop is over. That
        is O(timeout) and 10 seconds, or O(wait_timeout) if the server reported that the stop takes longer.
      - When all is restored, the window is over. Restoring it again does nothing.
    type: str
    choices:
      - recorded
      - frozen
      - restored
    required: true
  path:
    description:
      - The file of the checkpoint, on the host that runs the module. Its folder must exist, and should be private. A
        new file is readable by its owner only (mode 0600), an existing one keeps its mode and its owner.
      - Beside it are a lock file, which keeps two runs from using the same checkpoint, and a journal of what is sent.
      - A link is followed. The checkpoint, the lock and the journal are in the folder of the file that it leads to, so
        that hosts can share them on a common volume.
      - A file that belongs to another user than the one who runs this (or root), or that everybody can write to, is
        refused. One that a group can write to is not, as a new file is private, and was opened to the group on purpose.
      - Needed for V(frozen) and V(restored), if there is no O(checkpoint).
    type: path
  checkpoint:
    description:
      - The checkpoint itself, as V(recorded) has returned it. For workflows whose nodes share no files.
      - If O(path) is also set, the file is used, and this option is only compared with it. A checkpoint of another
        window, or with other tasks, is a failure.
    type: dict
  next_steps:
    description:
      - The next steps that the message of a failure of V(frozen) or V(restored), or of an interruption, ends with.
      - If not set, it names the options of this module. For roles, playbooks and job templates, whose users do not call
        the module directly.
    type: list
    elements: str
  on_restart:
    description:
      - When all is stopped, O(state=frozen) reads each server once more. This option sets what to do with a task that
        somebody has started in the meantime. V(stop) stops it again, once; if it is started after that too, it counts
        as failed. V(report) leaves it running, with a warning.
      - It is started again with the others at the end of the window, as it ran when the window began.
    type: str
    choices:
      - stop
      - report
    default: stop
  from:
    description:
      - From where O(state=restored) starts the tasks that capture changes. V(where_it_stopped) resumes them
        (C(RESUME_PROCESSING)). V(safe_point) starts them with C(RESUME_PROCESSING_FROM_TIMESTAMP) from a time at which
        they had applied all changes. It is for a Replicate server that has lost its latest state, or a target that has.
        Changes can arrive twice, so O(force=true) is needed.
      - This time is when the task was stopped, minus its latency, minus O(restart_margin). Both are in the checkpoint.
        The latency is read in V(recorded), and again in V(frozen) before the task is stopped, if more than a minute has
        passed. The time is of the last reading, by the clock of Enterprise Manager.
      - It is known only of a task that was RUNNING and loaded no tables. If it is not known of a task that is to be
        started with V(safe_point), this is a failure, which names these tasks, before anything is started. Tasks
        that run already are left alone. Those that capture no changes (Compose, full loads) are resumed.
    type: str
    choices:
      - where_it_stopped
      - safe_point
    default: where_it_stopped
  restart_margin:
    description:
      - With O(from=safe_point), the seconds that tasks are started before the time at which they had applied all
        changes. They cover clocks that differ, and the delay with which a latency is measured.
    type: int
    default: 600
  force:
    description: Allows O(from=safe_point).
    type: bool
    default: false
notes:
  - Tasks that are RUNNING, in RECOVERY or STARTING when they are recorded are started again with
    C(RESUME_PROCESSING). All others are left alone.
  - A checkpoint is checked strictly, as anybody may have edited it. One that no release of the collection can have
    written is refused before anything is sent. The message gives the position, such as
    C(servers/Replicate-Prod/0/state), counted from 0.
  - O(include), O(exclude), O(waves), O(dependencies), O(on_server_error) and O(allow_empty) apply to V(recorded) only,
    O(on_full_load), O(drain) and O(on_restart) to V(frozen) only, O(start_when), O(from), O(restart_margin) and
    O(force) to V(restored) only, O(results) and O(results_dest) to V(frozen) and V(restored). The order is worked out
    once, by V(recorded).
  - The API returns no identifier of an installation, so a checkpoint identifies its Enterprise Manager by O(url). Use
    the same URL in all steps.
seealso:
  - module: dataops.qlik_em.aem_task_batch
"""

EXAMPLES = r"""
# The connection comes from QLIK_EM_URL, QLIK_EM_USERNAME and QLIK_EM_PASSWORD.
- name: Record which tasks run
  dataops.qlik_em.aem_maintenance_window:
    state: recorded
    path: /var/lib/qlik/patch-night.json
    include:
      - server: Replicate-Prod
      - server: Compose-DW
    exclude:
      - name: locked
    waves:
      - server: Compose-DW

- name: Record which tasks run, with the order that follows from their log streams
  dataops.qlik_em.aem_maintenance_window:
    state: recorded
    path: /var/lib/qlik/whole-estate.json
    include:
      - server: Replicate-Prod
      - server: Compose-DW
    waves: auto
    dependencies:
      - before:
          - name: orders
        after:
          - name: shipments

- name: Stop it
  dataops.qlik_em.aem_maintenance_window:
    state: frozen
    path: /var/lib/qlik/patch-night.json
    parallel: 20
    wait_timeout: 900

- name: Start it again
  dataops.qlik_em.aem_maintenance_window:
    state: restored
    path: /var/lib/qlik/patch-night.json
    wait_timeout: 900
    next_steps:
      - "Relaunch the job template 'Window: restore'"
    results: none
    results_dest: /var/lib/qlik/patch-night-restored.jsonl

- name: Start it again, the staging tasks first, and the others when these have caught up
  dataops.qlik_em.aem_maintenance_window:
    state: restored
    path: /var/lib/qlik/patch-night.json
    start_when:
      max_latency: 30
      timeout: 3600
      on_timeout: go_on

- name: Start it again after the Replicate server was restored from a backup, so that its latest state is lost
  dataops.qlik_em.aem_maintenance_window:
    state: restored
    path: /var/lib/qlik/patch-night.json
    from: safe_point
    force: true
"""

RETURN = r"""
checkpoint:
  description: The tasks that ran when the window began.
  returned: success
  type: dict
  contains:
    schema:
      description: The version of its format. Checkpoints of version 1 are still taken.
      returned: always
      type: int
      sample: 2
    enterprise_manager:
      description: The Enterprise Manager to which it belongs.
      returned: always
      type: str
      sample: https://em.example.com/attunityenterprisemanager
    recorded:
      description: When it was recorded, in UTC.
      returned: always
      type: str
      sample: "2026-11-23T22:00:00Z"
    phase:
      description: How far the window is. One of V(recorded), V(freezing), V(frozen), V(restoring), V(restored).
      returned: always
      type: str
      sample: frozen
    selection:
      description: The selection it was recorded for. Without C(waves) if O(waves=auto).
      returned: always
      type: dict
      sample: {include: [{server: Replicate-Prod}], exclude: null, waves: null}
    running:
      description: How many of the tasks ran.
      returned: always
      type: int
      sample: 1
    servers:
      description:
        - The tasks by server, in groups with the same RV(ignore:wave) and RV(ignore:state). Those of the states
          RUNNING, RECOVERY and STARTING ran.
        - A task is its name. One that ran and captures changes is a list with its name, its latency in seconds, and
          when that was read, in seconds after RV(ignore:recorded). V(null) stands for a latency that is not known.
      returned: always
      type: dict
      sample:
        Replicate-Prod:
          - wave: 1
            state: RUNNING
            tasks: [[orders, 5, 0], [returns, null], load]
          - wave: 1
            state: STOPPED
            tasks: [archive]
tasks:
  description: One row for each task that ran, or for those that O(results) means, also on a failure.
  returned: for O(state=frozen) and O(state=restored)
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
  returned: success, and failures of tasks
  type: dict
  sample:
    selected: 100
    changed: 97
    failed: 1
    skipped: 0
    unchanged: 2
order:
  description: The order, as lines that form a tree. Each task is shown below what it is started after, with the wave in
    which it is started and the one in which it is stopped. Of more than 20 tasks side by side that nothing waits for,
    the others are counted.
  returned: for O(state=recorded) with O(waves=auto), unless the window is open
  type: list
  elements: str
  sample:
    - "Replicate-Prod/staging: start wave 1, stop wave 3"
    - "|- Replicate-Prod/orders: start wave 2, stop wave 2"
    - then (Replicate before Compose)
    - "|- Compose-DW/nightly__sales: start wave 3, stop wave 1"
truncated:
  description: How many of the tasks that O(results) means are not in RV(tasks), as they would be too many.
  returned: with RV(tasks)
  type: int
  sample: 0
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
  description: The reason for the failure. If tasks failed, a line for each of them (at most 20), where the
    checkpoint is, and what to do next.
  returned: failure
  type: str
  sample: |-
    1 of 100 tasks failed.
    Replicate-Prod/orders: StopTask of task "orders" on server "Replicate-Prod" failed: The task is locked.
    The checkpoint is /var/lib/qlik/patch-night.json
    To continue, run it again with state: frozen, path: /var/lib/qlik/patch-night.json
    To go back, run it with state: restored, path: /var/lib/qlik/patch-night.json
"""

from ansible_collections.dataops.qlik_em.plugins.module_utils._fleets import window
from ansible_collections.dataops.qlik_em.plugins.module_utils._fleets.options import fleet_options
from ansible_collections.dataops.qlik_em.plugins.module_utils._fleets.restart_points import start_options
from ansible_collections.dataops.qlik_em.plugins.module_utils._fleets.strict import outline
from ansible_collections.dataops.qlik_em.plugins.module_utils._run.arguments import Spec, waiting_options
from ansible_collections.dataops.qlik_em.plugins.module_utils._run.module import run_as_module

SPEC = Spec(
    state={"type": "str", "choices": ["recorded", "frozen", "restored"], "required": True},
    path={"type": "path"},
    checkpoint={"type": "dict"},
    next_steps={"type": "list", "elements": "str"},
    timeout={"type": "int", "default": 60},
    on_restart={"type": "str", "choices": ["stop", "report"], "default": "stop"},
    shown_options={"checkpoint": outline},
    parallel_option="parallel",
    is_timed=True,
    **start_options(),
    **waiting_options(),
    **fleet_options(),
)
run = window.ensure


def main() -> None:
    """Run the module."""
    run_as_module(SPEC, run)


if __name__ == "__main__":
    main()
