#!/usr/bin/python
# Copyright (c) 2026, dataops.qlik_em contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: aem_heal
short_description: Restart tasks that have failed, as often as a policy allows
version_added: 1.0.0
author:
  - dataops.qlik_em contributors (!UNKNOWN)
description:
  - Looks at the selected tasks, and restarts those that are sick. To be run every few minutes, by cron or by a job
    template with a schedule.
  - The policy sets limits. After each restart a task is left alone for an increasing time (n * n + n minutes after n
    restarts, at most an hour). It is restarted at most O(max_restarts) times in O(within) seconds. If it is sick
    after that, it is in quarantine. It is reported in each run and not restarted, until somebody starts it or names it
    in O(release).
  - Nothing is sent to a task that is in an open maintenance window (O(windows)), or that matches O(never_if).
  - A task in RECOVERY, or with the stop reason RECOVERABLE_ERROR, retries by itself. It is not sick, and neither is one
    that has finished its work.
extends_documentation_fragment:
  - dataops.qlik_em.connection
  - dataops.qlik_em.attributes
  - dataops.qlik_em.tasks
attributes:
  check_mode:
    description: Can run in check mode without changing anything.
    support: full
    details: Refusals because of missing permissions cannot be predicted. Restarts are assumed to succeed.
  diff_mode:
    description: Returns what has changed (or would have) in diff mode.
    support: full
  idempotent:
    description: Run twice, it changes nothing the second time.
    support: partial
    details:
      - A task that has failed again in the meantime is restarted again, as the policy allows.
options:
  mode:
    description:
      - V(report) reports what would be done. It sends nothing, writes no O(state_file), and is never changed.
      - V(heal) restarts the tasks. It needs O(state_file) or O(memory). Without them, no run would know of earlier
        restarts.
    type: str
    choices:
      - report
      - heal
    default: report
  include:
    description:
      - The tasks to look at. A task is selected if it matches all members of one of the selectors. O(sick_states) and
        O(max_latency) define which of them are sick.
      - A task that is named literally and does not exist is a failure, before anything is sent. A glob of servers that
        matches none is a warning.
      - It may also be a string in JSON, as an AWX survey gives it.
    type: list
    elements: dict
    suboptions: &selector
      server:
        description: The name of the server, or a glob (V(*), V(?), V([abc])). It is case-sensitive.
        type: str
      name:
        description: The name of the task, or a glob.
        type: str
      tag:
        description: One of these tags.
        type: list
        elements: str
  exclude:
    description:
      - The tasks to leave out, in the same form.
    type: list
    elements: dict
    suboptions: *selector
  release:
    description:
      - The tasks whose quarantine ends, in the same form. Their restarts are forgotten, so they start over. They
        must be among the selected ones.
      - A task in quarantine that is seen to run again is released too, but its restarts still count. If it fails again
        within the time of O(within), it is in quarantine again.
    type: list
    elements: dict
    suboptions: *selector
  sick_states:
    description:
      - The states of sick tasks. V(error) is for tasks that were stopped by a fatal error.
      - V(stopped) is for tasks that must always run, as it also includes those that somebody has stopped. It does not
        include tasks that have finished their work, or tasks without a stop reason, which may never have run (all
        Compose tasks).
    type: list
    elements: str
    choices:
      - error
      - stopped
    default:
      - error
  max_latency:
    description:
      - A task that is RUNNING is sick too if its total latency is higher than this, in seconds. If not set, latencies
        are not read. It needs one more call for each running task.
      - A restart helps a task that hangs. It does not help a slow one, whose latency is even higher afterwards. Choose
        a limit that no task reaches under normal load. A task that is catching up after a restart still counts as sick.
      - A task that loads tables is not sick, nor is one that captures no changes, or whose latency cannot be read.
    type: int
  max_restarts:
    description:
      - How often a task is restarted in O(within) seconds, from 1 to 100.
    type: int
    default: 5
  within:
    description:
      - The period for O(max_restarts), in seconds, up to 30 days. The default is a day.
    type: int
    default: 86400
  never_if:
    description:
      - Which sick tasks are never restarted, as that cannot help or does harm. They are reported.
    type: dict
    suboptions:
      messages:
        description: Texts, or globs, that are anywhere in the message of the task, as V(ORA-01017) or
          V(*license*expired*). Upper and lower case are the same.
        type: list
        elements: str
      stop_reasons:
        description: Stop reasons, as V(EXPRESS_LICENSE_LIMITS_REACHED) or V(STOPPED_LOW_DISK_SPACE). Compose has none.
        type: list
        elements: str
  windows:
    description:
      - The files of checkpoints of maintenance windows (O(dataops.qlik_em.aem_maintenance_window#module:path)). They
        are only read.
      - While a window is open, that is from the start of V(frozen) until everything is V(restored), nothing is sent to
        the tasks that it has recorded or that its selection matches. A window that was recorded less than a day ago,
        and not frozen yet, counts as open. The files are read again before each restart.
      - A file that is missing, damaged or of another Enterprise Manager is a failure, before anything is sent, as it is
        not known whether a window is open.
    type: list
    elements: path
  state_file:
    description:
      - The file that remembers the restarts and quarantines. It is written before each restart is sent, so that a
        killed run never leads to an extra restart. Its folder must exist. A new file is readable by its owner only
        (mode 0600), an existing one keeps its mode and its owner.
      - Beside it is a lock file, which keeps two runs from using it at the same time. A second run is a failure.
      - A file that belongs to another user than the one who runs this (or root), or that everybody can write to, is
        refused. It is checked strictly. Content that no release can have written is refused, with the position of the
        error.
    type: path
  memory:
    description:
      - The memory itself, as the previous run returned it, instead of O(state_file). For the first run, use V({}).
      - For workflows whose nodes share no files. If a run is killed, its restarts are not remembered.
    type: dict
  on_server_error:
    description:
      - What to do if the tasks of a server cannot be listed, for example because it is not connected.
      - V(skip) leaves the server out, with a warning and an entry in RV(skipped_servers). V(fail) fails before anything
        is sent.
    type: str
    choices:
      - fail
      - skip
    default: skip
  allow_empty:
    description:
      - Whether an empty selection is allowed. Otherwise it is a failure.
    type: bool
    default: false
  parallel:
    description:
      - How many tasks are worked on at a time, from 1 to 256. Also the number of connections.
    type: int
    default: 10
  parallel_per_server:
    description:
      - How many of them may be on one server. If not set, as many as O(parallel).
    type: int
  max_failures:
    description:
      - After this many failed restarts, no further one is attempted. A restart that was not started does not count.
      - If not set, all are tried.
    type: int
  results:
    description:
      - Which of the sick tasks the result shows in RV(tasks). All of them are counted in RV(counts) in any case.
      - V(failed) shows those whose restart failed, V(changed) and V(all) all of them, V(none) none. If the module
        fails, V(changed) shows those that failed only.
      - No more than 500 are shown, fewer if their texts are long, and RV(truncated) says how many are missing.
    type: str
    choices:
      - failed
      - changed
      - all
      - none
    default: changed
  results_dest:
    description:
      - A file for the rows of all sick tasks, one JSON object a line, whatever O(results) is. It is written at the
        end, also if restarts failed, and replaces an existing file. Not in check mode.
      - Its folder must exist. A new file is readable by its owner only (mode 0600), an existing one keeps its mode and
        its owner. A link is followed.
    type: path
notes:
  - A task that is stopped is started with C(RESUME_PROCESSING), from where it stopped, so that nothing is lost or
    loaded twice. A running one (O(max_latency)) is stopped first. Each is watched until its process is running, up to
    O(wait_timeout). If a run ends between the stop and the start, the next one starts the task.
  - A restart counts even if it fails.
  - Times come from the clock of Enterprise Manager, so that runs on different machines agree. If it is set back, there
    may be fewer restarts.
  - Restarts are forgotten after O(within) seconds, and quarantines of tasks that are no longer listed after
    30 days.
  - Restarting needs the role Operator on the tasks, the lists need Viewer on All Tasks of the servers.
seealso:
  - module: dataops.qlik_em.aem_task_batch
  - module: dataops.qlik_em.aem_maintenance_window
"""

EXAMPLES = r"""
# The connection comes from QLIK_EM_URL, QLIK_EM_USERNAME and QLIK_EM_PASSWORD.
- name: Show which tasks are sick, and what would be done
  dataops.qlik_em.aem_heal:
    include:
      - server: "*"
  register: sick

- name: Restart failed tasks, from cron every five minutes
  dataops.qlik_em.aem_heal:
    mode: heal
    include:
      - server: "*"
    exclude:
      - name: "test*"
    max_restarts: 3
    never_if:
      messages:
        - ORA-01017
        - license
      stop_reasons:
        - EXPRESS_LICENSE_LIMITS_REACHED
    state_file: /var/lib/qlik/heal.json
  register: heal
  failed_when: heal is failed or heal.counts.quarantined > 0

- name: Record which tasks run, for a maintenance window
  dataops.qlik_em.aem_maintenance_window:
    state: recorded
    path: /var/lib/qlik/patch-night.json
    include:
      - server: Replicate-Prod
    exclude:
      - name: locked

- name: Leave the tasks of that window alone
  dataops.qlik_em.aem_heal:
    mode: heal
    include:
      - server: Replicate-Prod
    windows:
      - /var/lib/qlik/patch-night.json
    state_file: /var/lib/qlik/heal.json

- name: Restart tasks that hang, too
  dataops.qlik_em.aem_heal:
    mode: heal
    include:
      - server: Replicate-Prod
        tag:
          - erp
    max_latency: 7200
    state_file: /var/lib/qlik/heal-hanging.json

- name: Release a task from quarantine once its cause is fixed
  dataops.qlik_em.aem_heal:
    mode: heal
    include:
      - server: Replicate-Prod
    release:
      - server: Replicate-Prod
        name: invoices
    state_file: /var/lib/qlik/heal.json

- name: Heal in a workflow of AWX whose nodes share no files
  dataops.qlik_em.aem_heal:
    mode: heal
    include:
      - server: Replicate-Test
    memory: "{{ heal_memory | default({}) }}"
  register: heal_in_a_node

- name: Pass the memory on to the next nodes
  ansible.builtin.set_stats:
    data:
      heal_memory: "{{ heal_in_a_node.memory }}"
    per_host: false
    aggregate: false
"""

RETURN = r"""
tasks:
  description: One row for each sick task, or for those that O(results) selects, also on a failure.
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
    decision:
      description: The decision of the policy. V(restart), V(wait) (until RV(tasks[].until)), V(quarantine), V(never)
        (O(never_if)) or V(window) (a maintenance window is open).
      returned: always
      type: str
      sample: restart
    restarts:
      description: How often it was restarted in the period before this run.
      returned: always
      type: int
      sample: 1
    until:
      description: When its next restart is due, in UTC, if RV(tasks[].decision) is V(wait).
      returned: always
      type: str
      sample: "2026-11-26T03:12:00Z"
    before:
      description: The state before, as in the list of the server.
      returned: always
      type: str
      sample: ERROR
    after:
      description: The state as it was last seen. In check mode, the expected one.
      returned: always
      type: str
      sample: RUNNING
    changed:
      description: Whether this run has restarted the task, or may have.
      returned: always
      type: bool
      sample: true
    failed:
      description: Whether its restart failed.
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
      sample: AEM_RUN_TASK_INNER_ERR
    msg:
      description: The problem of the task, and the action that was (or would be) taken, or the reason for the failure.
      returned: always
      type: str
      sample: "ERROR (ORA-12541: TNS:no listener). Restart 2 of 5 in 24 hours was done."
    hint:
      description: How to fix the failure. Often empty.
      returned: always
      type: str
      sample: ""
    started:
      description: When the restart began, in UTC. V(null) if there was none.
      returned: always
      type: str
      sample: "2026-11-26T03:12:00.123Z"
    elapsed:
      description: How long the restart took, in seconds. V(null) if there was none.
      returned: always
      type: float
      sample: 1.04
counts:
  description: How many tasks were RV(ignore:selected), and how many of these are RV(ignore:sick). Of the sick ones, how
    many were RV(ignore:due) to be restarted, were RV(ignore:restarted), RV(ignore:failed) to, are RV(ignore:waiting)
    for the next restart, RV(ignore:quarantined), RV(ignore:never) restarted or RV(ignore:in_window).
  returned: success, and failures after the tasks were listed
  type: dict
  sample:
    selected: 120
    sick: 2
    due: 1
    restarted: 1
    failed: 0
    waiting: 0
    quarantined: 1
    never: 0
    in_window: 0
report:
  description: The same for people. How many tasks are sick, and a line for each, the worst first (at most 20, then how
    many more).
  returned: success, and failures after the tasks were listed
  type: list
  elements: str
  sample:
    - "2 of 120 tasks are sick: 1 due, 1 restarted, 1 quarantined."
    - "Replicate-Prod/invoices: ERROR (ORA-01017: invalid password). In quarantine since 2026-11-26T01:40:07Z: restarts
      have not helped. Fix the cause, then start or release the task."
    - "Replicate-Prod/orders: ERROR (ORA-12541: TNS:no listener). Restart 2 of 5 in 24 hours was done."
released:
  description: The tasks that were released (or would be) from quarantine because of O(release).
  returned: success, and failures after the tasks were listed
  type: list
  elements: str
  sample:
    - Replicate-Prod/invoices
memory:
  description: The memory, to be passed to the next run.
  returned: with O(memory), on success and failures after the tasks were listed
  type: dict
  sample:
    schema: 1
    enterprise_manager: https://em.example.com/attunityenterprisemanager
    servers:
      Replicate-Prod:
        invoices:
          restarts: ["2026-11-26T01:20:04Z"]
truncated:
  description: How many of the tasks that O(results) selects are not in RV(tasks), because there are too many.
  returned: with RV(tasks)
  type: int
  sample: 0
skipped_servers:
  description: The servers that could not be read, with the reason.
  returned: success, and failures after the tasks were listed
  type: list
  elements: dict
  sample:
    - server: Replicate-Down
      error_code: AEM_SERVER_NOT_CONNECTED
      error_message: 'The requested server "Replicate-Down" cannot be reached at this time.'
      http_status: 500
      msg: 'GetTaskList of server "Replicate-Down" failed: The requested server "Replicate-Down" cannot be reached.'
elapsed:
  description: How long it took, in seconds.
  returned: always
  type: float
  sample: 5.3
diff:
  description: The states before and after of the tasks that are restarted, and which restart that is.
  returned: in check mode and in diff mode, with O(mode=heal)
  type: dict
  sample:
    before:
      Replicate-Prod/orders: ERROR
    after:
      Replicate-Prod/orders: RUNNING (restart 2)
    before_header: tasks
    after_header: tasks
msg:
  description: The reason for the failure. If restarts failed, a line for each of them (at most 20, then how many more).
  returned: failure
  type: str
  sample: |-
    1 of 2 restarts failed.
    Replicate-Prod/orders: RunTask of task "orders" on server "Replicate-Prod" failed: The task is locked.
"""

from ansible_collections.dataops.qlik_em.plugins.module_utils._fleets import heal
from ansible_collections.dataops.qlik_em.plugins.module_utils._fleets.strict import outline
from ansible_collections.dataops.qlik_em.plugins.module_utils._run.arguments import Spec, waiting_options
from ansible_collections.dataops.qlik_em.plugins.module_utils._run.module import run_as_module

SPEC = Spec(
    shown_options={"memory": outline},
    parallel_option="parallel",
    is_timed=True,
    **waiting_options(),
    **heal.heal_options(),
)
run = heal.ensure


def main() -> None:
    """Run the module."""
    run_as_module(SPEC, run)


if __name__ == "__main__":
    main()
