#!/usr/bin/python
# Copyright (c) 2026, dataops.qlik_em contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: aem_server_info
short_description: Read the Replicate and Compose servers that Qlik Enterprise Manager knows
version_added: 1.0.0
author:
  - dataops.qlik_em contributors (!UNKNOWN)
description:
  - Returns one, several or all servers, with their state, version, licence, tasks and load.
  - A server that does not exist is not a failure. There is a warning then, and its name is in RV(missing).
extends_documentation_fragment:
  - dataops.qlik_em.connection
  - dataops.qlik_em.attributes
  - dataops.qlik_em.attributes.info
options:
  name:
    description:
      - The names of the servers, or globs (V(*), V(?), V([abc])), as Enterprise Manager displays them. They are
        case-sensitive.
      - Without it, all servers that the user may see are read. This, and globs, need the role Viewer on All Servers.
        Servers named literally only need Viewer on the server.
    type: list
    elements: str
    aliases:
      - server
  details:
    description:
      - Whether the details of each server are read, one call each. V(false) returns what the list shows, that is
        without licence, tasks, load and user. A server named literally is always read in full if no list is needed.
    type: bool
    default: true
  on_server_error:
    description:
      - What to do if the details of a server cannot be read, for example because of a missing role. V(skip) leaves it
        out, with a warning and an entry in RV(skipped_servers).
    type: str
    choices:
      - fail
      - skip
    default: fail
seealso:
  - module: dataops.qlik_em.aem_server
  - module: dataops.qlik_em.aem_task_info
"""

EXAMPLES = r"""
- name: Read one server
  dataops.qlik_em.aem_server_info:
    name: Replicate-Prod
  register: production

- name: Show for how long its licence is valid
  ansible.builtin.debug:
    msg: "{{ production.servers[0].license.state }}, {{ production.servers[0].license.days_to_expiration }} days left"

- name: Find the servers that are not monitored
  dataops.qlik_em.aem_server_info:
    details: false
  register: known

- name: Name them
  ansible.builtin.debug:
    msg: "{{ known.servers | rejectattr('state', 'eq', 'MONITORED') | map(attribute='name') }}"

- name: Read some servers, and continue without those that the user may not read in full
  dataops.qlik_em.aem_server_info:
    name:
      - Replicate-*
      - Compose-DW
    on_server_error: skip
"""

RETURN = r"""
servers:
  description:
    - The servers, each with the members that Enterprise Manager returns, under the guide's names. Where those differ
      between releases, one spelling is used.
  returned: success
  type: list
  elements: dict
  contains:
    name:
      description: The server.
      returned: always
      type: str
      sample: Replicate-Prod
    type:
      description: The product, V(REPLICATE), V(COMPOSE) or another kind of Compose.
      returned: always
      type: str
      sample: REPLICATE
    state:
      description: V(MONITORED), V(NOT_MONITORED) or V(ERROR).
      returned: always
      type: str
      sample: MONITORED
    message:
      description: The reason if the state is V(ERROR).
      returned: if Enterprise Manager returns it
      type: str
      sample: ""
    description:
      description: The description of the server.
      returned: if Enterprise Manager returns it
      type: str
      sample: Production replication
    host:
      description: The host.
      returned: if Enterprise Manager returns it
      type: str
      sample: replicate-prod.corp.example
    port:
      description: The port, a string as in the API.
      returned: if Enterprise Manager returns it
      type: str
      sample: "443"
    username:
      description: The user with whom Enterprise Manager logs in to the server.
      returned: with O(details=true)
      type: str
      sample: em-service
    platform:
      description: V(WINDOWS), V(LINUX) or V(UNKNOWN).
      returned: if Enterprise Manager returns it
      type: str
      sample: LINUX
    version:
      description: The version of the product.
      returned: if Enterprise Manager returns it
      type: str
      sample: 2021.5.0.745
    last_connection:
      description: When Enterprise Manager last heard of the server (UTC).
      returned: if Enterprise Manager returns it
      type: str
      sample: "2026-01-15T08:30:00"
    license:
      description:
        - The licence. Its state is V(VALID_LICENSE), V(EXPIRED_LICENSE), V(NO_LICENSE), V(MACHINE_NOT_LICENSED),
          V(INVALID_LICENSE) or V(INVALID_LICENSE_CHECKSUM).
      returned: with O(details=true)
      type: dict
      sample:
        issue_date: "2026-01-01"
        state: VALID_LICENSE
        expiration: "2027-01-01"
        days_to_expiration: 365
    task_summary:
      description: How many tasks there are, and how many are in which state.
      returned: with O(details=true)
      type: dict
      sample:
        total: 6
        running: 3
        stopped: 1
        recovering: 1
        error: 1
    resource_utilization:
      description: Disk, memory and CPU.
      returned: with O(details=true)
      type: dict
      sample:
        disk_usage_mb: 2048
        memory_mb: 572
        attunity_cpu_percentage: 4
        machine_cpu_percentage: 11
missing:
  description:
    - The names, and the globs on servers, that nothing fits. There is a warning for each.
  returned: success
  type: list
  elements: str
  sample: []
skipped_servers:
  description: The servers that could not be read, with the reason.
  returned: success
  type: list
  elements: dict
  sample:
    - server: Replicate-Old
      error_code: UNAUTHORIZED_REQUEST
      error_message: Unauthorized Request.
      http_status: 403
      msg: >-
        GetServerDetails of server "Replicate-Old" was refused to user "operator@corp.example": Unauthorized Request.
"""

from ansible_collections.dataops.qlik_em.plugins.module_utils._run.arguments import Spec
from ansible_collections.dataops.qlik_em.plugins.module_utils._run.module import run_as_module
from ansible_collections.dataops.qlik_em.plugins.module_utils._servers import info

SPEC = Spec(
    name={"type": "list", "elements": "str", "aliases": ["server"]},
    details={"type": "bool", "default": True},
    on_server_error={"type": "str", "choices": ["fail", "skip"], "default": "fail"},
)
run = info.gather


def main() -> None:
    """Run the module."""
    run_as_module(SPEC, run)


if __name__ == "__main__":
    main()
