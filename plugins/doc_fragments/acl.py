# Copyright (c) 2026, dataops.qlik_em contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations


class ModuleDocFragment:
    """The options that name an object with an ACL; their spec is in module_utils/_access/acl.py."""

    DOCUMENTATION = r"""
options:
  server:
    description:
      - The name of the Replicate or Compose server in Enterprise Manager. It is the display name, not a host name, and
        it is case-sensitive.
    type: str
    required: true
  scope:
    description:
      - Which object on the server has the ACL.
      - V(server) is the server itself, V(tasks) all its tasks, V(task) the one in O(task), V(endpoints) all its
        endpoints, V(endpoint) the one in O(endpoint).
      - All but V(server) are in the vendor's guide of May 2026 only.
    type: str
    choices:
      - server
      - tasks
      - task
      - endpoints
      - endpoint
    default: server
  task:
    description:
      - The name of the task. Required with O(scope=task), and refused otherwise.
    type: str
  endpoint:
    description:
      - The name of the endpoint. Required with O(scope=endpoint), and refused otherwise.
    type: str
notes:
  - Reading an ACL needs the role Operator on the object, changing it needs Admin on it.
  - An object without an ACL of its own inherits everything from its parent. A task inherits from all tasks of its
    server, an endpoint from all endpoints, those from the server, and the server from All Servers.
  - Names of users and groups are not case-sensitive. V(user@domain) and V(DOMAIN\\user) are two names, though.
"""
