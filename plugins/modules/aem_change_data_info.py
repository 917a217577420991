#!/usr/bin/python
# Copyright (c) 2026, dataops.qlik_em contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: aem_change_data_info
short_description: Read how far back the change data of a Qlik Replicate task is kept
version_added: 1.0.0
author:
  - dataops.qlik_em contributors (!UNKNOWN)
description:
  - Returns the earliest retention barrier of a task. Change data from this barrier on is not deleted.
  - Each application can have a barrier of its own. The API returns only the earliest one.
  - A task without a barrier is not a failure.
extends_documentation_fragment:
  - dataops.qlik_em.connection
  - dataops.qlik_em.attributes
  - dataops.qlik_em.attributes.info
options:
  server:
    description:
      - The name of the Replicate server as Enterprise Manager displays it. Names are case-sensitive.
    type: str
    required: true
  name:
    description:
      - The name of the task. Names are case-sensitive.
    type: str
    required: true
    aliases:
      - task
notes:
  - Asks for the role Viewer on the task.
seealso:
  - module: dataops.qlik_em.aem_change_data
"""

EXAMPLES = r"""
- name: Read how far back change data is kept
  dataops.qlik_em.aem_change_data_info:
    server: Replicate-Prod
    name: orders
  register: orders

- name: Show it
  ansible.builtin.debug:
    msg: "{{ orders.barrier.retention_point if orders.barrier else 'There is no barrier.' }}"
"""

RETURN = r"""
barrier:
  description: The earliest barrier of the task, of whatever application. V(null) if there is none.
  returned: success
  type: dict
  contains:
    application:
      description: The application that it is for.
      returned: always
      type: str
      sample: nightly load
    retention_point:
      description: The time from which on change data is kept, in UTC.
      returned: always
      type: str
      sample: "2026-11-24T22:00:00Z"
"""

from ansible_collections.dataops.qlik_em.plugins.module_utils._run.arguments import Spec
from ansible_collections.dataops.qlik_em.plugins.module_utils._run.module import run_as_module
from ansible_collections.dataops.qlik_em.plugins.module_utils._tasks import change_data

SPEC = Spec(
    server={"type": "str", "required": True},
    name={"type": "str", "required": True, "aliases": ["task"]},
)
run = change_data.gather


def main() -> None:
    """Run the module."""
    run_as_module(SPEC, run)


if __name__ == "__main__":
    main()
