#!/usr/bin/python
# Copyright (c) 2026, dataops.qlik_em contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: aem_session
short_description: Log in to Qlik Enterprise Manager once for several tasks, and log out
version_added: 1.0.0
author:
  - dataops.qlik_em contributors (!UNKNOWN)
description:
  - Opens an API session and returns its id for C(module_defaults), or ends one.
  - Without it, each module logs in and out by itself. Use it where many tasks would log in many times.
  - The session ends 5 minutes after its last use.
  - The id is a secret. Always set C(no_log=true) on the task, as in the examples, or Ansible shows it.
extends_documentation_fragment:
  - dataops.qlik_em.connection
  - dataops.qlik_em.attributes
attributes:
  check_mode:
    description: Can run in check mode without changing anything.
    support: full
    details: Logs in and out in check mode too, because the tasks in between could not be checked otherwise.
  diff_mode:
    description: Returns what has changed (or would have) in diff mode.
    support: N/A
    details: Nothing that belongs to the user changes.
  idempotent:
    description: Run twice, it changes nothing the second time.
    support: full
    details: C(changed) is always false.
options:
  state:
    description:
      - V(present) returns the id of a valid session. It is the one in O(session_id) if that is still valid, else a new
        one.
      - V(absent) ends the session in O(session_id). One that has already ended is not a failure.
    type: str
    choices:
      - present
      - absent
    default: present
seealso:
  - module: dataops.qlik_em.aem_task
"""

EXAMPLES = r"""
- name: Work with one session
  hosts: localhost
  gather_facts: false
  tasks:
    - name: Log in
      dataops.qlik_em.aem_session:
        url: https://em.example.com
        username: operator@corp.example
        password: "{{ vault_qlik_em_password }}"
      register: em
      no_log: true

    - name: Work, then log out whatever happens
      module_defaults:
        group/dataops.qlik_em.aem:
          url: https://em.example.com
          session_id: "{{ em.session_id }}"
      block:
        - name: Stop the tasks
          dataops.qlik_em.aem_task:
            server: Replicate-Prod
            name: "{{ item }}"
            state: stopped
          loop:
            - orders
            - invoices
      always:
        - name: Log out
          dataops.qlik_em.aem_session:
            state: absent
          no_log: true
"""

RETURN = r"""
session_id:
  description: The id of the session. A secret.
  returned: success, for O(state=present)
  type: str
  sample: "(secret)"
"""

from ansible_collections.dataops.qlik_em.plugins.module_utils._access import session
from ansible_collections.dataops.qlik_em.plugins.module_utils._run.arguments import Spec
from ansible_collections.dataops.qlik_em.plugins.module_utils._run.module import run_as_module

SPEC = Spec(
    state={"type": "str", "choices": ["present", "absent"], "default": "present"},
    returned_secret="session_id",
)
run = session.ensure


def main() -> None:
    """Run the module."""
    run_as_module(SPEC, run)


if __name__ == "__main__":
    main()
