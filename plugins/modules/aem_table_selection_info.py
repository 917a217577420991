#!/usr/bin/python
# Copyright (c) 2026, dataops.qlik_em contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: aem_table_selection_info
short_description: Read which tables a Qlik Replicate task replicates
version_added: 1.0.0
author:
  - dataops.qlik_em contributors (!UNKNOWN)
description:
  - Returns the lists of patterns and tables that a task includes and excludes.
  - The lists show the selection. M(dataops.qlik_em.aem_table_info) shows the current tables of the task.
  - Enterprise Manager has this since May 2024.
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
notes:
  - Needs the role Viewer on the task.
seealso:
  - module: dataops.qlik_em.aem_table_selection
  - module: dataops.qlik_em.aem_table_info
"""

EXAMPLES = r"""
- name: Read the selection of a task
  dataops.qlik_em.aem_table_selection_info:
    server: Replicate-Prod
    name: orders
  register: orders

- name: Give another task the same selection
  dataops.qlik_em.aem_table_selection:
    server: Replicate-Test
    name: stock
    state: replaced
    included_pattern: "{{ orders.selection.included_pattern }}"
    excluded_pattern: "{{ orders.selection.excluded_pattern }}"
    explicit_included_tables: "{{ orders.selection.explicit_included_tables }}"
"""

RETURN = r"""
selection:
  description: The lists of the task.
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
          name: ORDERS
          load_order: 0
          table_type: TABLE
"""

from ansible_collections.dataops.qlik_em.plugins.module_utils._run.arguments import Spec
from ansible_collections.dataops.qlik_em.plugins.module_utils._run.module import run_as_module
from ansible_collections.dataops.qlik_em.plugins.module_utils._tables import selection

SPEC = Spec(
    server={"type": "str", "required": True},
    name={"type": "str", "required": True, "aliases": ["task"]},
)
run = selection.gather


def main() -> None:
    """Run the module."""
    run_as_module(SPEC, run)


if __name__ == "__main__":
    main()
