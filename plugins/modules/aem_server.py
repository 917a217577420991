#!/usr/bin/python
# Copyright (c) 2026, dataops.qlik_em contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: aem_server
short_description: Add, change or remove a Replicate or Compose server in Qlik Enterprise Manager
version_added: 1.0.0
author:
  - dataops.qlik_em contributors (!UNKNOWN)
description:
  - Manages the servers of Enterprise Manager, and how it connects to them. The tasks of a server are not touched.
  - A server is read, changed and written within one API session. Options that are not given stay unchanged, including
    the stored password. If the session ends in between, the module begins again with the read.
  - A call whose answer was lost is not sent again. The definition is read, and the result follows from it.
extends_documentation_fragment:
  - dataops.qlik_em.connection
  - dataops.qlik_em.attributes
attributes:
  check_mode:
    description: Can run in check mode without changing anything.
    support: full
    details:
      - Refusals because of missing permissions cannot be predicted, nor whether the server will be monitored.
  diff_mode:
    description: Returns what has changed (or would have) in diff mode.
    support: full
    details: For a password the diff only shows that it is sent.
  idempotent:
    description: Run twice, it changes nothing the second time.
    support: partial
    details:
      - With O(update_password=always) the result is changed each time, because the stored password cannot be read.
options:
  name:
    description:
      - The name of the server in Enterprise Manager. It is the display name, not a host name, and it is
        case-sensitive.
    type: str
    required: true
    aliases:
      - server
  state:
    description:
      - V(present) adds the server, or changes what differs.
      - V(absent) removes the server from Enterprise Manager, whatever its state. Enterprise Manager then deletes its
        data about the server, that is its tasks, messages and the roles of users on them. Replicate or Compose itself
        and its tasks keep running. A server that is added again has its tasks again, but neither the roles nor the
        messages.
    type: str
    choices:
      - present
      - absent
    default: present
  type:
    description:
      - The product. Required for a new server. It cannot be changed.
    type: str
    choices:
      - replicate
      - compose
  host:
    description:
      - The host name or the address of the server, without scheme and port. Required for a new server.
    type: str
  port:
    description:
      - The port. V(443) for a new server if not given.
    type: int
  description:
    description:
      - The description of the server. Empty for a new server if not given.
    type: str
  server_username:
    description:
      - The user with whom Enterprise Manager logs in to the server, who must be an administrator there. Required for a
        new server.
      - This is C(username) in the vendor's guide. O(username) is the user who logs in to Enterprise Manager.
    type: str
  server_password:
    description:
      - The password of O(server_username). Required for a new server. See O(update_password).
    type: str
  update_password:
    description:
      - V(on_create) sends O(server_password) for a new server only. An existing one keeps its password, so that
        another O(server_username) is refused if O(server_password) is given, too.
      - V(always) sends it each time. The result is then always changed, because the stored one cannot be read.
    type: str
    choices:
      - on_create
      - always
    default: on_create
  verify_server_certificate:
    description:
      - Whether Enterprise Manager verifies the certificate of the server. V(true) for a new server if not given.
      - A certificate of a private CA must be trusted on the host of Enterprise Manager. The self-signed one of
        Replicate's own port (3552) is verified without that.
    type: bool
  monitored:
    description:
      - Whether Enterprise Manager is connected to the server and fetches its tasks and messages. V(true) for a new
        server if not given.
    type: bool
  wait:
    description:
      - Whether to wait until the server is in the state MONITORED. It may be in ERROR before, while Enterprise Manager
        connects. The module waits even if nothing was changed, but not in check mode.
    type: bool
    default: false
  wait_timeout:
    description:
      - How long to wait, in seconds, up to a day.
    type: int
    default: 300
  wait_sleep:
    description:
      - How long to wait between two reads of the state, in seconds.
    type: float
    default: 2
notes:
  - Reading a server needs the role Operator on it (with O(wait) also Viewer), changing or removing it needs Admin on
    it, and adding one needs Admin on All Servers.
  - The API has no locks. A change that somebody else makes between the read and the write is lost.
seealso:
  - module: dataops.qlik_em.aem_server_info
  - module: dataops.qlik_em.aem_server_license
  - module: dataops.qlik_em.aem_acl
"""

EXAMPLES = r"""
- name: Add a Replicate server, and wait until it is monitored
  dataops.qlik_em.aem_server:
    name: Replicate-New
    type: replicate
    host: replicate-new.corp.example
    port: 3552
    description: Replication of the new shop
    server_username: em-service
    server_password: "{{ vault_replicate_password }}"
    wait: true

- name: Change its description, and keep everything else
  dataops.qlik_em.aem_server:
    name: Replicate-New
    description: Replication of the shop

- name: Give it a new password
  dataops.qlik_em.aem_server:
    name: Replicate-New
    server_password: "{{ vault_replicate_password }}"
    update_password: always

- name: Stop monitoring a Compose server
  dataops.qlik_em.aem_server:
    name: Compose-DW
    monitored: false

- name: Remove a server
  dataops.qlik_em.aem_server:
    name: Replicate-New
    state: absent
"""

RETURN = r"""
server:
  description:
    - The server as it is now, or would be (in check mode). Empty after it was removed.
    - For its state, version and licence see M(dataops.qlik_em.aem_server_info).
  returned: success, and failures of O(wait)
  type: dict
  contains:
    name:
      description: The server.
      returned: always
      type: str
      sample: Replicate-New
    type:
      description: The product.
      returned: always
      type: str
      sample: replicate
    description:
      description: The description of the server.
      returned: always
      type: str
      sample: Replication of the shop
    host:
      description: The host.
      returned: always
      type: str
      sample: replicate-new.corp.example
    port:
      description: The port, a string as in the API.
      returned: always
      type: str
      sample: "3552"
    username:
      description: The user with whom Enterprise Manager logs in to the server.
      returned: always
      type: str
      sample: em-service
    verify_server_certificate:
      description: Whether its certificate is verified.
      returned: always
      type: bool
      sample: true
    monitored:
      description: Whether it is to be monitored.
      returned: always
      type: bool
      sample: true
    state:
      description: The state, in the guide's terms.
      returned: with O(wait=true), but not in check mode
      type: str
      sample: MONITORED
    message:
      description: The message of Enterprise Manager about the state.
      returned: with O(wait=true), but not in check mode
      type: str
      sample: ""
elapsed:
  description: How long it took, in seconds.
  returned: always
  type: float
  sample: 1.04
diff:
  description: The definition before and after.
  returned: in check mode and in diff mode
  type: dict
  sample:
    before:
      name: Replicate-New
      type: replicate
      description: Replication of the new shop
      host: replicate-new.corp.example
      port: "3552"
      username: em-service
      verify_server_certificate: true
      monitored: true
    after:
      name: Replicate-New
      type: replicate
      description: Replication of the shop
      host: replicate-new.corp.example
      port: "3552"
      username: em-service
      verify_server_certificate: true
      monitored: true
    before_header: Replicate-New
    after_header: Replicate-New
msg:
  description: The reason for the failure, with the message of Enterprise Manager.
  returned: failure
  type: str
  sample: >-
    PutServer of server "Replicate-New" failed: The host is not valid.
error_code:
  description: The error code of Enterprise Manager.
  returned: failures that Enterprise Manager answered
  type: str
  sample: AEM_INVALID_HOST
error_message:
  description: The message of Enterprise Manager, alone.
  returned: failures that Enterprise Manager answered
  type: str
  sample: The host is not valid.
http_status:
  description: The HTTP status. Method failures are 500.
  returned: failures with an answer
  type: int
  sample: 500
hint:
  description: How to fix the failure.
  returned: most failures
  type: str
  sample: >-
    host is a host name or an address, without scheme, port and path.
"""

from ansible_collections.dataops.qlik_em.plugins.module_utils._client.masking import all_of
from ansible_collections.dataops.qlik_em.plugins.module_utils._run.arguments import Spec, waiting_options
from ansible_collections.dataops.qlik_em.plugins.module_utils._run.module import run_as_module
from ansible_collections.dataops.qlik_em.plugins.module_utils._servers import state

SPEC = Spec(
    name={"type": "str", "required": True, "aliases": ["server"]},
    state={"type": "str", "choices": ["present", "absent"], "default": "present"},
    type={"type": "str", "choices": ["replicate", "compose"]},
    host={"type": "str"},
    port={"type": "int"},
    description={"type": "str"},
    server_username={"type": "str"},
    server_password={"type": "str", "no_log": True},
    update_password={"type": "str", "choices": ["on_create", "always"], "default": "on_create", "no_log": False},
    verify_server_certificate={"type": "bool"},
    monitored={"type": "bool"},
    wait={"type": "bool", "default": False},
    secret_options={"server_password": all_of},
    is_timed=True,
    **waiting_options(),
)
run = state.ensure


def main() -> None:
    """Run the module."""
    run_as_module(SPEC, run)


if __name__ == "__main__":
    main()
