#!/usr/bin/python
# Copyright (c) 2026, dataops.qlik_em contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: aem_schedule
short_description: Set up the schedules of a Qlik Replicate server
version_added: 1.0.0
author:
  - dataops.qlik_em contributors (!UNKNOWN)
description:
  - Creates, changes, enables and disables a schedule (the console calls it a job), which starts, reloads or stops
    tasks at certain times.
  - The API has no methods for schedules. They are read by an export of the whole server and set by an import, which
    adds and changes, but never removes. So a schedule cannot be removed, see O(state=absent).
  - The cron expression is checked before anything is sent. The result explains it in words and lists the next runs.
  - Schedules do not run in Enterprise Manager but in Replicate. Tasks may be running or stopped while one is changed.
extends_documentation_fragment:
  - dataops.qlik_em.connection
  - dataops.qlik_em.attributes
attributes:
  check_mode:
    description: Can run in check mode without changing anything.
    support: full
    details: Refusals because of missing permissions cannot be predicted.
  diff_mode:
    description: Returns what has changed (or would have) in diff mode.
    support: full
  idempotent:
    description: Run twice, it changes nothing the second time.
    support: full
options:
  server:
    description:
      - The name of the Replicate server in Enterprise Manager. It is the display name, not a host name, and it is
        case-sensitive.
    type: str
    required: true
  name:
    description:
      - The name of the schedule. It is case-sensitive.
    type: str
    required: true
    aliases:
      - schedule
  state:
    description:
      - V(present) creates the schedule or changes the given options that differ, and enables it.
      - V(disabled) does the same, and disables it. A new schedule is created disabled.
      - V(absent) disables the schedule with a warning, because the API cannot remove it. Remove it in the console.
    type: str
    choices:
      - present
      - disabled
      - absent
    default: present
  cron:
    description:
      - "When it runs, in six fields: minute (0 to 59), hour (0 to 23), day (1 to 31), month (1 to 12, or V(JAN) to
        V(DEC)), weekday (1 to 7, or V(MON) to V(SUN); Sunday is 7) and year (1970 to 2099). Without the year, it runs
        each year."
      - Each field is V(*) or a list (V(1,15)) of numbers and ranges (V(1-5)), ranges with a step (V(0-20/5)). Minute,
        hour, month and year may also be V(*/5).
      - Two forms are specific to the server. V(*/2) as day with V(*/1) as weekday is the second Monday of the month,
        and V(*/5) as day is the last one of it. V(*/90) as weekday is every 90 minutes, counted from the minute that
        the other fields give.
      - With both a day and a weekday it runs on either, as in Vixie cron. That is an assumption.
      - Needed to create a schedule. Otherwise the schedule keeps its setting.
    type: str
  local_time:
    description:
      - Whether the times are in the local time of the server. If not, they are in UTC.
      - If not set, a new schedule is in UTC, and an existing one keeps its setting.
    type: bool
  action:
    description:
      - The action on the tasks. V(start) starts them where they stopped, V(reload) deletes the data at the target and
        loads it again, V(stop) stops them.
      - Needed to create a schedule. Otherwise the schedule keeps its setting.
    type: str
    choices:
      - start
      - reload
      - stop
  tasks:
    description:
      - The names of the tasks, which must exist, or V(*) alone for all tasks of the server. A schedule for some
        tasks cannot be changed to one for all, because an import removes nothing.
      - Needed to create a schedule. Otherwise the schedule keeps its setting.
    type: list
    elements: str
  wait_timeout:
    description:
      - How long to wait until an export of the server shows the change, in seconds, up to a day. An import takes effect
        some time after its answer.
    type: int
    default: 300
  wait_sleep:
    description:
      - How long to wait between two exports, in seconds.
    type: float
    default: 2
notes:
  - Needs the roles Admin on Enterprise Manager and on the server, and Designer on All Tasks and on All Endpoints.
  - All schedules of the server are imported as they were just read, with only this one changed. A change that
    somebody else makes in that moment, in the console or by another run, may be lost. Do not let several hosts or forks
    change schedules of one server at a time.
  - Members of a schedule that this module does not know are kept.
seealso:
  - module: dataops.qlik_em.aem_schedule_info
  - module: dataops.qlik_em.aem_import
"""

EXAMPLES = r"""
# Needs the role Admin on Enterprise Manager.
- name: Load the customers again at 02:30 UTC from Monday to Friday
  dataops.qlik_em.aem_schedule:
    username: admin@corp.example
    password: "{{ vault_qlik_em_admin_password }}"
    server: Replicate-Prod
    name: nightly reload
    cron: 30 2 * * MON-FRI
    action: reload
    tasks:
      - customers full load

- name: Stop two tasks once, on Christmas Eve, by the clock of the server
  dataops.qlik_em.aem_schedule:
    username: admin@corp.example
    password: "{{ vault_qlik_em_admin_password }}"
    server: Replicate-Prod
    name: Christmas
    cron: 0 18 24 12 * 2030
    local_time: true
    action: stop
    tasks:
      - orders
      - invoices
  register: christmas

- name: Show when it runs
  ansible.builtin.debug:
    msg: "{{ christmas.schedule.explained }}"

- name: Disable it for now
  dataops.qlik_em.aem_schedule:
    username: admin@corp.example
    password: "{{ vault_qlik_em_admin_password }}"
    server: Replicate-Prod
    name: nightly reload
    state: disabled
"""

RETURN = r"""
schedule:
  description: The schedule as it is now (or would be, in check mode), V(null) if there is none.
  returned: success
  type: dict
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
        - The next five runs, or fewer if there are not as many; none if it is disabled or never runs again. V(null) if
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
elapsed:
  description: How long it took, in seconds.
  returned: always
  type: float
  sample: 1.04
diff:
  description: The schedule before and after.
  returned: in check mode and in diff mode
  type: dict
  sample:
    before: {}
    after:
      name: nightly reload
      enabled: true
    before_header: nightly reload
    after_header: nightly reload
msg:
  description: The reason for the failure, with the message of Enterprise Manager.
  returned: failure
  type: str
  sample: >-
    cron cannot be used: the hour "24" is not understood: 0 to 23, lists (1,2), ranges (1-5) and steps (1-5/2) of them,
    or * is allowed.
error_code:
  description: The error code of Enterprise Manager.
  returned: failures that Enterprise Manager answered
  type: str
  sample: AEM_IMPORT_INVALID_CONTENT
http_status:
  description: The HTTP status. Method failures are 500.
  returned: failures with an answer
  type: int
  sample: 500
hint:
  description: How to fix the failure.
  returned: most failures
  type: str
  sample: Names are case-sensitive. Create the task first.
"""

from ansible_collections.dataops.qlik_em.plugins.module_utils._run.arguments import Spec, waiting_options
from ansible_collections.dataops.qlik_em.plugins.module_utils._run.module import run_as_module
from ansible_collections.dataops.qlik_em.plugins.module_utils._servers import schedules

SPEC = Spec(
    server={"type": "str", "required": True},
    name={"type": "str", "required": True, "aliases": ["schedule"]},
    state={"type": "str", "choices": ["present", "disabled", "absent"], "default": "present"},
    cron={"type": "str"},
    local_time={"type": "bool"},
    action={"type": "str", "choices": ["start", "reload", "stop"]},
    tasks={"type": "list", "elements": "str"},
    is_timed=True,
    **waiting_options(),
)
run = schedules.ensure


def main() -> None:
    """Run the module."""
    run_as_module(SPEC, run)


if __name__ == "__main__":
    main()
