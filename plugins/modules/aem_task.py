#!/usr/bin/python
# Copyright (c) 2026, dataops.qlik_em contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: aem_task
short_description: Start, stop, define or delete a task of Qlik Replicate or Qlik Compose
version_added: 1.0.0
author:
  - dataops.qlik_em contributors (!UNKNOWN)
description:
  - Puts one task into a state through Qlik Enterprise Manager. A task that is already in that state is left as it is.
  - Works for Replicate tasks and for Compose tasks and workflows. V(present) and V(absent) are for Replicate only.
  - A call whose answer was lost is not sent again. The state is read instead, and decides the result.
extends_documentation_fragment:
  - dataops.qlik_em.connection
  - dataops.qlik_em.attributes
  - dataops.qlik_em.tasks
  - dataops.qlik_em.tasks.starting
  - dataops.qlik_em.tasks.drain
  - dataops.qlik_em.definitions.source
  - dataops.qlik_em.definitions.loggers
attributes:
  check_mode:
    description: Can run in check mode without changing anything.
    support: full
    details:
      - Refusals because of missing permissions cannot be predicted. The waits of O(wait_for) and O(drain) are assumed
        to succeed.
      - With O(clone_of) it checks that the task to copy and the named endpoints exist. An Enterprise Manager older than
        May 2025, which cannot clone, is not detected.
      - With O(import_mode=replace) it does not try the definition under a temporary name, which would be a write. It
        checks that the endpoints that the definition names exist.
  diff_mode:
    description: Returns what has changed (or would have) in diff mode.
    support: full
    details:
      - In check and diff mode the task is read first, which needs the role Viewer on the task.
      - For O(state=present) the diff shows only the differences in the definition. Secrets are not shown.
      - With O(clone_of) it shows the original task and the endpoints of the copy.
  idempotent:
    description: Run twice, it changes nothing the second time.
    support: partial
    details:
      - V(restarted), V(reloaded) and a O(run_option) that makes tables act each time.
      - V(started) starts a task again that has stopped by itself, except one that has finished its only full load.
      - V(present) imports a definition again each time if it holds settings with their default value, which an export
        leaves out. A warning names them. With O(force_import=true) it does so anyway.
options:
  server:
    description:
      - The name of the Replicate or Compose server in Enterprise Manager. It is the display name, not a host name, and
        it is case-sensitive.
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
      - V(started) cannot know with which option a running task was started. If the task moves no data, it may be in a
        run that only creates tables. Then it is watched for 10 seconds, and started again if it stops. If it does not
        stop, there is a warning.
      - V(drained) waits, within the limits of O(drain), until no change is in flight, and until a full load in progress
        is done (up to O(wait_timeout)), then stops the task.
      - V(restarted) stops the task if it is not stopped, then starts it with O(run_option).
      - V(reloaded) stops the task if it is not stopped, then starts it with C(RELOAD_TARGET). The data at the target
        are deleted and loaded again, each time. Needs O(force=true). For Replicate only.
      - V(present) makes the task match O(definition) or O(src). The current definition is exported and compared by its
        meaning. The definition is imported only if something differs. A new task is not started.
      - The comparison ignores the metadata of an export (C(name), C(description), C(_version)), what Replicate counts
        or assigns itself, the loggers (see O(loggers)), secrets that are encrypted (see O(update_password)), and the
        order of lists where it has no meaning (targets, tables and patterns). Endpoints in the definition that the task
        does not use are left out, with a warning.
      - With O(clone_of), V(present) copies another task of the server if there is no task O(name) yet.
      - V(absent) deletes the task with its definition. The data at the target stay.
    type: str
    choices:
      - present
      - absent
      - started
      - stopped
      - drained
      - restarted
      - reloaded
    required: true
  clone_of:
    description:
      - The task of the same server that O(name) is a copy of (CloneTask, which Enterprise Manager has since May 2025).
        The copy has its settings, tables, patterns, rules and endpoints, and is not started.
      - An existing task O(name) is left as it is and not compared, so that a second run changes nothing. If its
        endpoints differ from those of the copy, there is a warning. To make it follow a definition, use O(definition)
        or O(src) instead, not both.
      - The original may be running. Nothing is stopped.
    type: str
  clone_permissions:
    description:
      - Whether the copy also gets the explicit permissions of the task O(clone_of). If not set, it does not.
    type: bool
  source_endpoint:
    description:
      - Another source endpoint for the copy. It must be on the server, and of the same type as the one that it
        replaces.
    type: str
  target_endpoint:
    description:
      - Another target endpoint for the copy, under the same conditions.
    type: str
  import_mode:
    description:
      - What V(present) does with a task that exists and differs.
      - V(merge) imports the definition. This adds and changes, but never removes. Members that the definition does not
        have are kept, and returned in RV(not_removed), with a warning.
      - V(replace) deletes the task and imports the definition, so that nothing of the old one stays. Needs
        O(force=true). Endpoints are merged in either case.
      - A task that compares the same is not replaced. With O(force_import=true) the definition is imported into it.
      - With V(replace) the definition is first tried under a temporary name that begins with
        C(dataops_qlik_em_temporary_trial), with those endpoints in it that the server does not have yet. It is
        imported, read back and deleted. If the server refuses it, the old task is not touched.
      - Then the old definition is kept in O(backup_dir), the task is stopped, deleted, imported, and started if it was
        running. If the import is refused after all, the old definition is imported again, and the task is started
        if it was running. The message says which of the two is in place.
      - The new task does not have the position of the old one; neither does an old one that was imported again.
      - A run that was killed leaves a note in O(backup_dir). The next run of the same task with O(state=present) and
        the same O(backup_dir) continues where it stopped, also with V(merge), and gives a warning.
    type: str
    choices:
      - merge
      - replace
    default: merge
  backup_dir:
    description:
      - The folder for the old definition, where the module runs. Required with O(import_mode=replace).
      - The file is readable by its owner only (mode 0600). It holds the secrets of endpoints, encrypted, if the new
        definition holds endpoints. Every failure after the task was touched names it.
      - Give the same folder each time. While a replacement runs, its note (C(...__replacement.json)) and a lock are
        there, so that a second run of the same task does nothing, and the next one can continue if this one is killed.
    type: path
  stop_if_running:
    description:
      - Whether V(present) and V(absent) may stop a running task. Otherwise a running task that would be changed is a
        failure.
      - A task that was stopped to be changed is started again with O(run_option), even if the server refuses the
        definition.
    type: bool
    default: false
  delete_task_logs:
    description: Whether V(absent) deletes the log files of the task, too.
    type: bool
    default: false
notes:
  - Stopping and starting need the role Operator on the task. O(wait_for=loaded) reads its tables, with the role Viewer.
  - While a task is watched, a line every few seconds shows its tables, rows and latency on standard error, if the task
    runs in process.
  - V(present) needs the roles Designer on All Tasks and Operator on All Endpoints, and Designer on All Endpoints if the
    definition holds endpoints. V(absent) needs the role Designer on the task.
  - O(clone_of) needs the role Operator on Enterprise Manager.
  - For V(present), O(wait_timeout) is also how long to wait until the export of the task shows what was imported. An
    import takes effect some time after its answer.
  - The endpoints that a definition names must exist on the server or in the definition. With O(import_mode=replace),
    and before a task is stopped, this is checked with the role Viewer on All Endpoints. Without that role it is a
    warning.
  - With O(import_mode=replace), the remains of an earlier trial are found by their name, with the role Viewer on All
    Tasks, and removed.
seealso:
  - module: dataops.qlik_em.aem_export
  - module: dataops.qlik_em.aem_import
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
- name: Stop a task and make sure that it has really stopped
  dataops.qlik_em.aem_task:
    server: Replicate-Prod
    name: orders
    state: stopped
    wait: true
    wait_timeout: 600

- name: Start it again from where it stopped
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
    cdc_position: "2026-11-23T03:00:00Z"

- name: Create new columns at the target, then continue; the first task ends when the tables are created
  dataops.qlik_em.aem_task:
    server: Replicate-Prod
    name: orders
    state: restarted
    run_option: metadata_only_create_missing_tables

- name: Start it and wait until the changes of the meantime are applied
  dataops.qlik_em.aem_task:
    server: Replicate-Prod
    name: orders
    state: started
    wait_for: latency
    max_latency: 30
    wait_timeout: 3600

- name: Stop it when no change is in flight
  dataops.qlik_em.aem_task:
    server: Replicate-Prod
    name: orders
    state: drained
    drain:
      timeout: 600

- name: Run a full load and wait until it is done
  dataops.qlik_em.aem_task:
    server: Replicate-Prod
    name: customers full load
    state: reloaded
    force: true
    wait_for: finished
    wait_timeout: 7200

- name: Make a task match a definition; if it has to be stopped for that, it is started again
  dataops.qlik_em.aem_task:
    server: Replicate-Prod
    name: orders copy
    state: present
    stop_if_running: true
    definition:
      _version: {version: 2024.11.0.177, version_major: 2024, version_minor: 11, version_revision: 177}
      cmd.replication_definition:
        tasks:
          - task: {name: orders, source_name: ERP, target_names: [Warehouse]}
            source:
              source_tables:
                explicit_included_tables:
                  - {owner: SALES, name: ORDERS}

- name: Replace a task by a definition; if this is killed, the next run continues
  dataops.qlik_em.aem_task:
    server: Replicate-Prod
    name: orders copy
    state: present
    import_mode: replace
    force: true
    stop_if_running: true
    backup_dir: /var/tmp/
    definition:
      _version: {version: 2024.11.0.177, version_major: 2024, version_minor: 11, version_revision: 177}
      cmd.replication_definition:
        tasks:
          - task: {name: orders copy, source_name: ERP, target_names: [Warehouse]}
            source:
              source_tables:
                explicit_included_tables:
                  - {owner: SALES, name: PRICES}

- name: Make a copy of a task that writes to another endpoint
  dataops.qlik_em.aem_task:
    server: Replicate-Prod
    name: orders to the lake
    state: present
    clone_of: orders
    clone_permissions: true
    source_endpoint: ERP standby

- name: Delete it
  dataops.qlik_em.aem_task:
    server: Replicate-Prod
    name: orders copy
    state: absent
    stop_if_running: true

- name: Stop a Compose workflow, and continue if the server refuses
  block:
    - name: Stop the workflow
      dataops.qlik_em.aem_task:
        server: Compose-DW
        name: nightly__sales
        state: stopped
      register: stop
  rescue:
    - name: Show the reason
      ansible.builtin.debug:
        msg: "{{ stop.msg }} ({{ stop.error_code | default('no answer') }})"
"""

RETURN = r"""
task:
  description:
    - The task as it was last seen. Also on a failure, if it was seen before.
    - For all that Enterprise Manager returns of it, see M(dataops.qlik_em.aem_task_info).
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
        - The state, in the guide's terms. In check mode, the state before.
        - V(NOT_EXIST) if there is no such task, with O(state=absent), and with O(state=present) in check mode.
        - If the server answers that the task is already stopped, V(STOPPED), also for a task in the state ERROR.
      returned: always
      type: str
      sample: STOPPED
    stop_reason:
      description: Why the task stopped. V(null) if it was not read.
      returned: always
      type: str
      sample: NORMAL
    message:
      description: The message of the server about the task. V(null) if it was not read.
      returned: always
      type: str
      sample: ""
not_removed:
  description:
    - Members of the task that the definition does not have. They stay, because an import cannot remove anything. A part
      that is missing as a whole is named once.
  returned: success, with O(state=present) and a definition
  type: list
  elements: str
  sample:
    - tasks/orders/source/source_tables/explicit_included_tables/SALES.PRICES
backup_file:
  description: The file with the old definition.
  returned: with O(import_mode=replace), if the task was replaced or was to be replaced
  type: str
  sample: /srv/backups/Replicate-Prod__orders__2026-11-23@030000.json
left_behind:
  description:
    - Objects of a trial of a definition that are left on the server, because they could not be deleted. The next run
      with the same O(backup_dir) deletes it.
  returned: failures with O(import_mode=replace), if something is left
  type: list
  elements: dict
  contains:
    kind:
      description: V(task) or V(endpoint).
      returned: always
      type: str
      sample: task
    name:
      description: Its name.
      returned: always
      type: str
      sample: dataops_qlik_em_temporary_trial_0a1b2c3d4e5f_0123456789abcdef
    msg:
      description: Why it could not be deleted.
      returned: always
      type: str
      sample: It has not appeared yet, but may do so later.
elapsed:
  description: How long it took, in seconds, waits included.
  returned: always
  type: float
  sample: 1.04
diff:
  description:
    - The state before and after, and the run option of a start.
    - With O(state=present) only the values of the definition that differ.
    - With O(clone_of), the original of the copy.
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
  description: The reason for the failure, with the message of Enterprise Manager.
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
  description: How to fix the failure.
  returned: most failures
  type: str
  sample: "Use wait: true to keep watching (up to wait_timeout), raise timeout, or run this again."
"""

from ansible_collections.dataops.qlik_em.plugins.module_utils._definitions.options import (
    secrets_in_definition,
    shown_definition,
    source_options,
)
from ansible_collections.dataops.qlik_em.plugins.module_utils._run.arguments import Spec, waiting_options
from ansible_collections.dataops.qlik_em.plugins.module_utils._run.module import run_as_module
from ansible_collections.dataops.qlik_em.plugins.module_utils._tasks import state
from ansible_collections.dataops.qlik_em.plugins.module_utils._tasks.operation import starting_options
from ansible_collections.dataops.qlik_em.plugins.module_utils._tasks.stop_policy import drain_option

STATES = ["present", "absent", "started", "stopped", "drained", "restarted", "reloaded"]
SPEC = Spec(
    server={"type": "str", "required": True},
    name={"type": "str", "required": True, "aliases": ["task"]},
    state={"type": "str", "choices": STATES, "required": True},
    timeout={"type": "int", "default": 60},
    clone_of={"type": "str"},
    clone_permissions={"type": "bool"},
    source_endpoint={"type": "str"},
    target_endpoint={"type": "str"},
    import_mode={"type": "str", "choices": ["merge", "replace"], "default": "merge"},
    backup_dir={"type": "path"},
    stop_if_running={"type": "bool", "default": False},
    delete_task_logs={"type": "bool", "default": False},
    drain=drain_option(),
    required_if=[("import_mode", "replace", ("backup_dir",))],
    secret_options={"definition": secrets_in_definition},
    shown_options={"definition": shown_definition},
    file_option="src",
    is_timed=True,
    **source_options(),
    **waiting_options(),
    **starting_options(),
)
run = state.ensure


def main() -> None:
    """Run the module."""
    run_as_module(SPEC, run)


if __name__ == "__main__":
    main()
