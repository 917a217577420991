#!/usr/bin/python
# Copyright (c) 2026, dataops.qlik_em contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: aem_acl_info
short_description: Read the permissions on servers, tasks and endpoints in Qlik Enterprise Manager
version_added: 1.0.0
author:
  - dataops.qlik_em contributors (!UNKNOWN)
description:
  - Returns the access control list (ACL) of a server, of one or all of its tasks, or of one or all of its endpoints.
  - Only explicit ACLs are returned, not inherited permissions. An object without one is not a failure.
extends_documentation_fragment:
  - dataops.qlik_em.connection
  - dataops.qlik_em.attributes
  - dataops.qlik_em.attributes.info
  - dataops.qlik_em.acl
seealso:
  - module: dataops.qlik_em.aem_acl
"""

EXAMPLES = r"""
- name: Read the permissions on a server
  dataops.qlik_em.aem_acl_info:
    server: Replicate-Prod
  register: permissions

- name: Name its operators
  ansible.builtin.debug:
    msg: "{{ permissions.acl.operator_role.users if permissions.acl else 'All is inherited.' }}"

- name: Read the permissions on an endpoint
  dataops.qlik_em.aem_acl_info:
    server: Replicate-Prod
    scope: endpoint
    endpoint: ERP
"""

RETURN = r"""
acl:
  description:
    - The ACL. V(null) if the object has none, so that it inherits everything.
    - C(none_role) is there only if Enterprise Manager returns it.
  returned: success
  type: dict
  sample:
    admin_role:
      users: [admin@corp.example]
      groups: []
    designer_role:
      users: []
      groups: []
    operator_role:
      users: [orders@corp.example]
      groups: ['CORP\operators']
    viewer_role:
      users: []
      groups: []
    disable_inheritance: false
"""

from ansible_collections.dataops.qlik_em.plugins.module_utils._access import acl
from ansible_collections.dataops.qlik_em.plugins.module_utils._run.arguments import Spec
from ansible_collections.dataops.qlik_em.plugins.module_utils._run.module import run_as_module

SPEC = Spec(
    required_if=[("scope", "task", ["task"]), ("scope", "endpoint", ["endpoint"])],
    **acl.acl_owner_options(),
)
run = acl.gather


def main() -> None:
    """Run the module."""
    run_as_module(SPEC, run)


if __name__ == "__main__":
    main()
