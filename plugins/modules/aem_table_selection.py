#!/usr/bin/python
# Copyright (c) 2026, dataops.qlik_em contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: aem_table_selection
short_description: Choose which tables a Qlik Replicate task replicates
version_added: 1.0.0
author:
  - dataops.qlik_em contributors (!UNKNOWN)
description:
  - Changes the lists of patterns and tables that a task includes and excludes.
  - A running task uses the new selection after a restart or a reload, see RV(hint).
  - Enterprise Manager has this since May 2024.
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
    details: Shows the lists that change, sorted.
  idempotent:
    description: Run twice, it changes nothing the second time.
    support: partial
    details: The guide allows names for O(explicit_included_tables[].load_order) and does not say which numbers they
      mean. If the server returns a number for a name that was set, the module cannot know that they are the same, and
      sets it each time. With numbers this does not happen.
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
      - V(present) adds missing items to the lists, and changes the load order and type of existing items, if given.
      - V(replaced) makes each given list contain only the given items. An empty list empties it.
      - V(absent) removes items by owner and name (patterns by type, too).
      - A list that is not given stays as it is. The order within a list has no meaning.
    type: str
    choices:
      - present
      - replaced
      - absent
    default: present
  included_pattern:
    description:
      - Patterns. Tables that match one are replicated.
      - They are used unchanged. The wildcard is that of Replicate, V(%).
    type: list
    elements: dict
    suboptions:
      owner:
        description: The schema or owner on the source, as a pattern.
        type: str
        required: true
      name:
        description: The name on the source, as a pattern.
        type: str
        required: true
      load_order:
        description:
          - The load order, as a number (V(0) means no order) or as V(lowest), V(low), V(normal), V(high) or
            V(highest).
          - If not set, an existing item keeps its own with O(state=present). Otherwise it is V(0).
        type: str
      table_type:
        description:
          - The type, V(table) or V(view).
          - A pattern for tables and one for views are two patterns. If not set, it is V(table).
        type: str
  excluded_pattern:
    description:
      - Patterns. Tables that match one are not replicated, unless they are in O(explicit_included_tables).
    type: list
    elements: dict
    suboptions:
      owner:
        description: The schema or owner on the source, as a pattern.
        type: str
        required: true
      name:
        description: The name on the source, as a pattern.
        type: str
        required: true
      load_order:
        description:
          - The load order, as a number (V(0) means no order) or as V(lowest), V(low), V(normal), V(high) or
            V(highest).
          - If not set, an existing item keeps its own with O(state=present). Otherwise it is V(0).
        type: str
      table_type:
        description:
          - The type, V(table) or V(view).
          - A pattern for tables and one for views are two patterns. If not set, it is V(table).
        type: str
  explicit_included_tables:
    description:
      - Tables that are replicated.
      - At least one of the three lists must be given.
    type: list
    elements: dict
    suboptions:
      owner:
        description: The schema or owner on the source.
        type: str
        required: true
      name:
        description: The name on the source.
        type: str
        required: true
      load_order:
        description:
          - The load order, as a number (V(0) means no order) or as V(lowest), V(low), V(normal), V(high) or
            V(highest).
          - If not set, an existing item keeps its own with O(state=present). Otherwise it is V(0).
        type: str
      table_type:
        description:
          - The type, V(table) or V(view).
          - If not set, an existing table keeps its own with O(state=present). Otherwise it is V(table).
        type: str
notes:
  - Needs the role Designer on the task.
  - All three lists are sent, because the guide does not say what happens to one that is not sent. If somebody else
    changes the selection between the read and the write, the last one wins.
seealso:
  - module: dataops.qlik_em.aem_table_selection_info
  - module: dataops.qlik_em.aem_table
  - module: dataops.qlik_em.aem_task
"""

EXAMPLES = r"""
# The connection comes from QLIK_EM_URL, QLIK_EM_USERNAME and QLIK_EM_PASSWORD.
- name: Replicate one more table, before the others
  dataops.qlik_em.aem_table_selection:
    server: Replicate-Prod
    name: orders
    explicit_included_tables:
      - owner: SALES
        name: RETURNS
        load_order: high
  register: selection

- name: Restart the task if necessary
  dataops.qlik_em.aem_task:
    server: Replicate-Prod
    name: orders
    state: restarted
  when: selection.hint != ''

- name: Replicate all tables of a schema but the temporary ones, and no others
  dataops.qlik_em.aem_table_selection:
    server: Replicate-Test
    name: stock
    state: replaced
    included_pattern:
      - owner: STOCK
        name: "%"
    excluded_pattern:
      - owner: STOCK
        name: TMP%
    explicit_included_tables: []

- name: Stop replicating a table
  dataops.qlik_em.aem_table_selection:
    server: Replicate-Prod
    name: orders
    state: absent
    explicit_included_tables:
      - owner: SALES
        name: RETURNS
"""

RETURN = r"""
selection:
  description: The lists as they are now. In check mode, as they would be.
  returned: success
  type: dict
  contains:
    included_pattern:
      description: The patterns that are included, each with RV(ignore:owner), RV(ignore:name), RV(ignore:load_order)
        and RV(ignore:table_type).
      returned: always
      type: list
      elements: dict
      sample: []
    excluded_pattern:
      description: The patterns that are excluded.
      returned: always
      type: list
      elements: dict
      sample: []
    explicit_included_tables:
      description: The tables that are included.
      returned: always
      type: list
      elements: dict
      sample:
        - owner: SALES
          name: RETURNS
          load_order: HIGH
          table_type: TABLE
hint:
  description: The step that is needed for the change to take effect. Otherwise empty.
  returned: success
  type: str
  sample: 'The task "orders" is RUNNING: it takes the new selection after a restart or a reload.'
diff:
  description: The lists that change, sorted.
  returned: in check mode and in diff mode
  type: dict
  sample:
    before:
      explicit_included_tables: []
    after:
      explicit_included_tables:
        - owner: SALES
          name: RETURNS
          load_order: HIGH
          table_type: TABLE
    before_header: Replicate-Prod/orders
    after_header: Replicate-Prod/orders
"""

from ansible_collections.dataops.qlik_em.plugins.module_utils._run.arguments import Spec
from ansible_collections.dataops.qlik_em.plugins.module_utils._run.module import run_as_module
from ansible_collections.dataops.qlik_em.plugins.module_utils._tables import selection

_ITEMS = {
    "type": "list",
    "elements": "dict",
    "options": {
        "owner": {"type": "str", "required": True},
        "name": {"type": "str", "required": True},
        "load_order": {"type": "str"},
        "table_type": {"type": "str"},
    },
}
SPEC = Spec(
    server={"type": "str", "required": True},
    name={"type": "str", "required": True, "aliases": ["task"]},
    state={"type": "str", "choices": ["present", "replaced", "absent"], "default": "present"},
    included_pattern=_ITEMS,
    excluded_pattern=_ITEMS,
    explicit_included_tables=_ITEMS,
)
run = selection.ensure


def main() -> None:
    """Run the module."""
    run_as_module(SPEC, run)


if __name__ == "__main__":
    main()
