#!/usr/bin/python
# Copyright (c) 2026, dataops.qlik_em contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: aem_acl
short_description: Manage the permissions on servers, tasks and endpoints in Qlik Enterprise Manager
version_added: 1.0.0
author:
  - dataops.qlik_em contributors (!UNKNOWN)
description:
  - Manages the access control list (ACL) of a server, of one or all of its tasks, or of one or all of its endpoints,
    that is which users and groups have which role on it.
  - An object without an ACL of its own is not a failure. It inherits everything.
  - A user or group may have only one role in an ACL. Whatever would give it two is refused before anything is sent.
  - A call whose answer was lost is not sent again. The ACL is read, and the result follows from it.
extends_documentation_fragment:
  - dataops.qlik_em.connection
  - dataops.qlik_em.attributes
  - dataops.qlik_em.acl
attributes:
  check_mode:
    description: Can run in check mode without changing anything.
    support: full
    details:
      - Refusals because of missing permissions, or of names that Enterprise Manager rejects, cannot be predicted.
  diff_mode:
    description: Returns what has changed (or would have) in diff mode.
    support: full
  idempotent:
    description: Run twice, it changes nothing the second time.
    support: full
options:
  state:
    description:
      - V(present) adds the named users and groups to their roles. All others stay.
      - V(replaced) gives the roles to the named users and groups and to nobody else. Roles that are not given are
        emptied. Be careful not to lock yourself out.
      - V(absent) removes the named users and groups from their roles. An ACL whose last entry is removed stays,
        empty. Without any role, V(absent) deletes the whole ACL, so that all permissions are inherited. This needs
        O(force=true).
    type: str
    choices:
      - present
      - replaced
      - absent
    default: present
  admin_role:
    description:
      - The users and groups with the role Admin.
    type: dict
    suboptions:
      users:
        description:
          - Names of users, like V(user@domain) or V(DOMAIN\\user).
        type: list
        elements: str
      groups:
        description:
          - Names of groups.
        type: list
        elements: str
  designer_role:
    description:
      - The users and groups with the role Designer.
    type: dict
    suboptions:
      users:
        description:
          - Names of users, like V(user@domain) or V(DOMAIN\\user).
        type: list
        elements: str
      groups:
        description:
          - Names of groups.
        type: list
        elements: str
  operator_role:
    description:
      - The users and groups with the role Operator.
    type: dict
    suboptions:
      users:
        description:
          - Names of users, like V(user@domain) or V(DOMAIN\\user).
        type: list
        elements: str
      groups:
        description:
          - Names of groups.
        type: list
        elements: str
  viewer_role:
    description:
      - The users and groups with the role Viewer.
    type: dict
    suboptions:
      users:
        description:
          - Names of users, like V(user@domain) or V(DOMAIN\\user).
        type: list
        elements: str
      groups:
        description:
          - Names of groups.
        type: list
        elements: str
  none_role:
    description:
      - The users and groups without any permission, even an inherited one. Only a few pages of the vendor's guide of
        May 2026 name it. It is sent only if it is used here or in the current ACL.
    type: dict
    suboptions:
      users:
        description:
          - Names of users, like V(user@domain) or V(DOMAIN\\user).
        type: list
        elements: str
      groups:
        description:
          - Names of groups.
        type: list
        elements: str
  disable_inheritance:
    description:
      - Enterprise Manager's switch of the same name. If it is not given, it stays as it is. For a new ACL it is
        V(false).
      - As the vendor documents it, explicit roles beat inherited ones if it is V(false). If it is V(true), a role that
        is missing or empty is inherited only if an ancestor defines it.
    type: bool
  force:
    description:
      - Must be V(true) to delete a whole ACL, and to replace one with empty roles.
    type: bool
    default: false
notes:
  - The API has no locks. A change that somebody else makes between the read and the write is lost.
seealso:
  - module: dataops.qlik_em.aem_acl_info
  - module: dataops.qlik_em.aem_server
"""

EXAMPLES = r"""
- name: Let a user work with one task, and a group see it
  dataops.qlik_em.aem_acl:
    server: Replicate-Prod
    scope: task
    task: orders
    operator_role:
      users:
        - orders@corp.example
    viewer_role:
      groups:
        - CORP\auditors

- name: Set exactly who has which role on a server
  dataops.qlik_em.aem_acl:
    server: Replicate-Test
    state: replaced
    admin_role:
      users:
        - admin@corp.example
    designer_role:
      groups:
        - CORP\designers

- name: Take a role away
  dataops.qlik_em.aem_acl:
    server: Replicate-Prod
    scope: task
    task: orders
    state: absent
    viewer_role:
      groups:
        - CORP\auditors

- name: Return to inherited permissions
  dataops.qlik_em.aem_acl:
    server: Replicate-Prod
    scope: task
    task: orders
    state: absent
    force: true
"""

RETURN = r"""
acl:
  description:
    - The ACL as it is now, or would be (in check mode). V(null) if the object has none.
    - Its roles may be given to the module again.
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
diff:
  description: The ACL before and after. Empty where there is none.
  returned: in check mode and in diff mode
  type: dict
  sample:
    before: {}
    after:
      admin_role: {users: [], groups: []}
      designer_role: {users: [], groups: []}
      operator_role: {users: [orders@corp.example], groups: []}
      viewer_role: {users: [], groups: ['CORP\auditors']}
      disable_inheritance: false
    before_header: task "orders" on server "Replicate-Prod"
    after_header: task "orders" on server "Replicate-Prod"
msg:
  description: The reason for the failure, with the message of Enterprise Manager.
  returned: failure
  type: str
  sample: >-
    PutServerAcl of server "Replicate-Prod" was refused to user "viewer@corp.example": Unauthorized Request.
error_code:
  description: The error code of Enterprise Manager.
  returned: failures that Enterprise Manager answered
  type: str
  sample: UNAUTHORIZED_REQUEST
error_message:
  description: The message of Enterprise Manager, alone.
  returned: failures that Enterprise Manager answered
  type: str
  sample: Unauthorized Request.
http_status:
  description: The HTTP status. Method failures are 500, refusals 403 or 401.
  returned: failures with an answer
  type: int
  sample: 403
hint:
  description: How to fix the failure.
  returned: most failures
  type: str
  sample: >-
    This call requires the role Admin on it. Give the user the role in Enterprise Manager (User Permissions of the
    object or of its parent).
"""

from typing import Any

from ansible_collections.dataops.qlik_em.plugins.module_utils._access import acl
from ansible_collections.dataops.qlik_em.plugins.module_utils._access.acl_model import ALL_ROLES
from ansible_collections.dataops.qlik_em.plugins.module_utils._run.arguments import Spec
from ansible_collections.dataops.qlik_em.plugins.module_utils._run.module import run_as_module

MEMBERS = {"users": {"type": "list", "elements": "str"}, "groups": {"type": "list", "elements": "str"}}
ROLES: dict[str, Any] = {role: {"type": "dict", "options": MEMBERS} for role in ALL_ROLES}
SPEC = Spec(
    required_if=[("scope", "task", ["task"]), ("scope", "endpoint", ["endpoint"])],
    **acl.acl_owner_options(),
    state={"type": "str", "choices": ["present", "replaced", "absent"], "default": "present"},
    **ROLES,
    disable_inheritance={"type": "bool"},
    force={"type": "bool", "default": False},
)
run = acl.ensure


def main() -> None:
    """Run the module."""
    run_as_module(SPEC, run)


if __name__ == "__main__":
    main()
