#!/usr/bin/python
# Copyright (c) 2026, dataops.qlik_em contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: aem_table_info
short_description: Read the tables of a Qlik Replicate task
version_added: 1.0.0
author:
  - dataops.qlik_em contributors (!UNKNOWN)
description:
  - Returns the tables of a task with their states, filtered by schema, name and state, and on request all that the
    server returns of them.
extends_documentation_fragment:
  - dataops.qlik_em.connection
  - dataops.qlik_em.attributes
  - dataops.qlik_em.attributes.info
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
  schema:
    description:
      - Only tables of these schemas (or owners) on the source. Names, or globs (V(*), V(?), V([abc])). They are
        case-sensitive.
      - The API's own wildcard is V(*) up to the releases of 2024 and V(%) from May 2025 on, and in 2022 any part of a
        name matches. So that the same playbook finds the same tables on each release, only a single exact name
        is sent to the server. Globs are matched by the module, in the list of all tables.
    type: list
    elements: str
  schema_pattern:
    description:
      - A pattern that is sent to the server as it is, so that it returns only matching tables. Use it for tasks with
        very many tables. Write it in the form of the release, with its wildcard (V(*) up to 2024, V(%) from May 2025
        on).
      - If the server finds no table of the task by it, there is a warning. O(schema) and O(table) choose from what
        the server returns.
    type: str
  table_pattern:
    description:
      - A pattern for names of tables, as in O(schema_pattern).
    type: str
  table:
    description:
      - Only tables with these names on the source. Names or globs, as in O(schema).
    type: list
    elements: str
  state:
    description:
      - Only tables in one of these states. V(error) selects suspended tables.
    type: list
    elements: str
    choices:
      - queued
      - loading
      - completed
      - change_processing
      - error
  statuses:
    description:
      - Whether to return all that the server returns of each table, such as its names at the target and its counters.
    type: bool
    default: false
notes:
  - Needs the role Viewer on the task.
seealso:
  - module: dataops.qlik_em.aem_table
  - module: dataops.qlik_em.aem_table_selection_info
"""

EXAMPLES = r"""
- name: Find the suspended tables of a task
  dataops.qlik_em.aem_table_info:
    server: Replicate-Prod
    name: orders
    state:
      - error
  register: suspended

- name: Show them
  ansible.builtin.debug:
    msg: "{{ suspended.tables | map(attribute='table') | join(', ') }}"

- name: Read all details of some tables
  dataops.qlik_em.aem_table_info:
    server: Replicate-Prod
    name: orders
    schema: SALES
    table: "ORDER*"
    statuses: true
  register: orders

- name: Find some of 100,000 tables with the pattern of a server of 2025 or later
  dataops.qlik_em.aem_table_info:
    server: Replicate-Prod
    name: orders
    table_pattern: "ORDER%"

- name: Show how many rows were loaded
  ansible.builtin.debug:
    msg: "{{ item.table }}: {{ item.table_full_load_info.transferred_row_count }}"
  loop: "{{ orders.tables }}"
  loop_control:
    label: "{{ item.table }}"
"""

RETURN = r"""
tables:
  description: The tables, in the order of the server.
  returned: success
  type: list
  elements: dict
  contains:
    schema:
      description: The schema (or owner) on the source.
      returned: always
      type: str
      sample: SALES
    table:
      description: The name on the source.
      returned: always
      type: str
      sample: ORDERS
    state:
      description: The state, in the guide's terms.
      returned: always
      type: str
      sample: TABLE_CHANGE_PROCESSING
    schema_on_source:
      description: The same as RV(tables[].schema).
      returned: with O(statuses=true)
      type: str
      sample: SALES
    table_on_source:
      description: The same as RV(tables[].table).
      returned: with O(statuses=true)
      type: str
      sample: ORDERS
    schema_on_target:
      description: The schema at the target.
      returned: with O(statuses=true)
      type: str
      sample: SALES
    table_on_target:
      description: The name at the target.
      returned: with O(statuses=true)
      type: str
      sample: ORDERS
    data_errors_count:
      description: How many data errors there were.
      returned: with O(statuses=true)
      type: int
      sample: 0
    table_full_load_info:
      description: Times (UTC) and counters of the last load.
      returned: with O(statuses=true)
      type: dict
      sample:
        start_time: '2026-01-15T08:00:00.000000'
        end_time: '2026-01-15T08:01:00.000000'
        estimated_row_count: 5000
        estimated_end_time: '2026-01-15T08:01:00.000000'
        transferred_row_count: 5000
        transferred_volume_mb: 5
    table_cdc_info:
      description: The counters of change processing.
      returned: with O(statuses=true)
      type: dict
      sample:
        insert_count: 120
        update_count: 33
        delete_count: 0
        ddl_count: 0
        last_update_time: '2026-01-15T09:30:00.000000'
        cached_insert_count: 0
        cached_update_count: 0
        cached_delete_count: 0
missing:
  description:
    - The names that match nothing. There is a warning for each. Not known with O(state), O(schema_pattern) and
      O(table_pattern).
  returned: success
  type: list
  elements: str
  sample: []
"""

from ansible_collections.dataops.qlik_em.plugins.module_utils._run.arguments import Spec
from ansible_collections.dataops.qlik_em.plugins.module_utils._run.module import run_as_module
from ansible_collections.dataops.qlik_em.plugins.module_utils._tables import info
from ansible_collections.dataops.qlik_em.plugins.module_utils._tables.model import STATES

SPEC = Spec(
    server={"type": "str", "required": True},
    name={"type": "str", "required": True, "aliases": ["task"]},
    schema={"type": "list", "elements": "str"},
    table={"type": "list", "elements": "str"},
    schema_pattern={"type": "str"},
    table_pattern={"type": "str"},
    state={"type": "list", "elements": "str", "choices": list(STATES)},
    statuses={"type": "bool", "default": False},
)
run = info.gather


def main() -> None:
    """Run the module."""
    run_as_module(SPEC, run)


if __name__ == "__main__":
    main()
