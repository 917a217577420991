#!/usr/bin/python
# Copyright (c) 2026, dataops.qlik_em contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: aem_table
short_description: Reload or resume tables of a Qlik Replicate task
version_added: 1.0.0
author:
  - dataops.qlik_em contributors (!UNKNOWN)
description:
  - Reloads tables of a task, or resumes tables that are suspended, one or many.
  - One failing table never hides the others. Each has a row in the result. The module fails when all were tried, and
    its message has a line for each failed table.
  - For all tables of a task at once, use V(reloaded) of M(dataops.qlik_em.aem_task).
extends_documentation_fragment:
  - dataops.qlik_em.connection
  - dataops.qlik_em.attributes
attributes:
  check_mode:
    description: Can run in check mode without changing anything.
    support: full
    details: Refusals because of missing permissions, or because the task is not running, cannot be predicted.
  diff_mode:
    description: Returns what has changed (or would have) in diff mode.
    support: full
    details: Shows, for each table that changes, its state before and the action on it.
  idempotent:
    description: Run twice, it changes nothing the second time.
    support: partial
    details:
      - V(reloaded) acts each time.
      - V(resumed) resumes a table again that is suspended again.
options:
  server:
    description:
      - The name of the Replicate server as Enterprise Manager displays it. It is case-sensitive.
    type: str
    required: true
  name:
    description:
      - The name of the task.
    type: str
    required: true
    aliases:
      - task
  state:
    description:
      - V(resumed) resumes the tables that are in the state TABLE_ERROR (suspended). Tables in any other known state
        are left alone. A table that was suspended during the full load can only be reloaded.
      - V(reloaded) loads the tables again, whatever their state. Their data at the target is deleted first. Needs
        O(force=true).
      - The task must be running.
    type: str
    choices:
      - reloaded
      - resumed
    required: true
  schema:
    description:
      - The schema (or owner) of the table on the source. It is case-sensitive. Needs O(table).
    type: str
  table:
    description:
      - The name of the table on the source. Needs O(schema).
      - Names are taken literally, there are no wildcards. Use M(dataops.qlik_em.aem_table_info) to find tables.
    type: str
  tables:
    description:
      - More tables. At least one table must be named, here or by O(schema) and O(table).
    type: list
    elements: dict
    suboptions:
      schema:
        description: The schema (or owner) on the source.
        type: str
        required: true
      table:
        description: The name on the source.
        type: str
        required: true
      state:
        description: Has no effect. It exists so that the tables which M(dataops.qlik_em.aem_table_info) returns
          (without its O(dataops.qlik_em.aem_table_info#module:statuses)) may be given as they are.
        type: str
  force:
    description:
      - Must be V(true) for V(reloaded), which deletes data at the target.
    type: bool
    default: false
  wait:
    description:
      - Whether to wait until each table is back in change processing, or loaded if the task captures no changes. The
        server itself answers before anything has happened.
      - A table that ends up in the state TABLE_ERROR has failed, and so has one whose task stops before it is back.
      - If a table needed no call, the module only waits for the end of a load that is in progress.
    type: bool
    default: false
  wait_timeout:
    description:
      - How long to wait for all tables together, in seconds, up to a day.
    type: int
    default: 300
  wait_sleep:
    description:
      - How long to wait between two reads of the state, in seconds.
    type: float
    default: 2
notes:
  - Needs the role Operator on the task.
  - The states are read first, by one call for all tables.
  - If the answer to a call is lost, the call is not sent again. The state of the table decides the result. If it
    shows no effect within 10 seconds, the table has failed.
  - Tables are begun one after the other, and then watched all together.
seealso:
  - module: dataops.qlik_em.aem_table_info
  - module: dataops.qlik_em.aem_table_selection
  - module: dataops.qlik_em.aem_task
"""

EXAMPLES = r"""
# The connection comes from QLIK_EM_URL, QLIK_EM_USERNAME and QLIK_EM_PASSWORD.
- name: Resume a suspended table
  dataops.qlik_em.aem_table:
    server: Replicate-Prod
    name: orders
    state: resumed
    schema: SALES
    table: PRICES
    wait: true

- name: Load two tables again, and wait until their changes are processed
  dataops.qlik_em.aem_table:
    server: Replicate-Prod
    name: orders
    state: reloaded
    force: true
    tables:
      - schema: SALES
        table: ORDERS
      - schema: SALES
        table: ORDER_LINES
    wait: true
    wait_timeout: 3600

- name: Find the suspended tables
  dataops.qlik_em.aem_table_info:
    server: Replicate-Prod
    name: orders
    state:
      - error
  register: suspended

- name: Load them again
  dataops.qlik_em.aem_table:
    server: Replicate-Prod
    name: orders
    state: reloaded
    force: true
    tables: "{{ suspended.tables }}"
  when: suspended.tables | length > 0
"""

RETURN = r"""
tables:
  description: One row for each table, also on a failure.
  returned: success, and failures after the states were read
  type: list
  elements: dict
  contains:
    schema:
      description: The schema on the source.
      returned: always
      type: str
      sample: SALES
    table:
      description: The table on the source.
      returned: always
      type: str
      sample: PRICES
    before:
      description: The state before. V(null) if the task has no such table.
      returned: always
      type: str
      sample: TABLE_ERROR
    after:
      description: The state as it was last seen. V(null) if it was not read, that is without O(wait) after a call, and
        in check mode.
      returned: always
      type: str
      sample: TABLE_CHANGE_PROCESSING
    changed:
      description: Whether this run has changed the table, or may have.
      returned: always
      type: bool
      sample: true
    failed:
      description: Whether the table failed to reach the wanted state.
      returned: always
      type: bool
      sample: false
    skipped:
      description: Whether the table was not begun. RV(tables[].msg) says why.
      returned: always
      type: bool
      sample: false
    error_code:
      description: The error code of Enterprise Manager. V(null) if there is none.
      returned: always
      type: str
      sample: AEM_UNSUSPEND_TABLE_ERR
    msg:
      description: The reason for the failure. Otherwise empty.
      returned: always
      type: str
      sample: ""
    hint:
      description: How to fix the failure. Often empty.
      returned: always
      type: str
      sample: ""
    started:
      description: When the work on the table began, in UTC. V(null) if it was not begun.
      returned: always
      type: str
      sample: "2026-11-26T03:12:00.123Z"
    elapsed:
      description: How long the table took, in seconds. V(null) if it was not begun.
      returned: always
      type: float
      sample: 2.04
counts:
  description: How many tables were RV(ignore:selected), and of these RV(ignore:changed), RV(ignore:unchanged),
    RV(ignore:failed) and RV(ignore:skipped). A failed one counts as changed too if it may have been.
  returned: success, and failures after the states were read
  type: dict
  sample:
    selected: 2
    changed: 1
    failed: 0
    skipped: 0
    unchanged: 1
elapsed:
  description: How long it took, in seconds.
  returned: always
  type: float
  sample: 2.1
diff:
  description: For each table that changes, the state before and the action.
  returned: in check mode and in diff mode
  type: dict
  sample:
    before:
      SALES.PRICES: TABLE_ERROR
    after:
      SALES.PRICES: resumed
    before_header: Replicate-Prod/orders
    after_header: Replicate-Prod/orders
msg:
  description: The reason for the failure. If several tables were named, a line for each failed one (at most 20, then
    how many more).
  returned: failure
  type: str
  sample: |-
    1 of 2 tables failed.
    STOCK.ITEMS: ResumeTable of table "STOCK.ITEMS" of task "orders" on server "Replicate-Prod" failed: It is locked.
"""

from ansible_collections.dataops.qlik_em.plugins.module_utils._run.arguments import Spec, waiting_options
from ansible_collections.dataops.qlik_em.plugins.module_utils._run.module import run_as_module
from ansible_collections.dataops.qlik_em.plugins.module_utils._tables import state

SPEC = Spec(
    server={"type": "str", "required": True},
    name={"type": "str", "required": True, "aliases": ["task"]},
    state={"type": "str", "choices": ["reloaded", "resumed"], "required": True},
    schema={"type": "str"},
    table={"type": "str"},
    tables={
        "type": "list",
        "elements": "dict",
        "options": {
            "schema": {"type": "str", "required": True},
            "table": {"type": "str", "required": True},
            "state": {"type": "str"},
        },
    },
    force={"type": "bool", "default": False},
    wait={"type": "bool", "default": False},
    is_timed=True,
    **waiting_options(),
)
run = state.ensure


def main() -> None:
    """Run the module."""
    run_as_module(SPEC, run)


if __name__ == "__main__":
    main()
