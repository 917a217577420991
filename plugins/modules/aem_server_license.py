#!/usr/bin/python
# Copyright (c) 2026, dataops.qlik_em contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: aem_server_license
short_description: Register the licence of a Qlik Replicate server
version_added: 1.0.0
author:
  - dataops.qlik_em contributors (!UNKNOWN)
description:
  - Sends a licence (text or a JSON document) to a Replicate server through Qlik Enterprise Manager.
  - The API does not show which licence a server has, only its dates and its state. So the licence is sent each time,
    and the result is changed if the server shows other dates or another state than before.
  - The licence is never shown, not even a line of it.
extends_documentation_fragment:
  - dataops.qlik_em.connection
  - dataops.qlik_em.attributes
attributes:
  check_mode:
    description: Can run in check mode without changing anything.
    support: partial
    details:
      - Whether the server has this licence already cannot be known before it is registered. Therefore check mode always
        reports a change, with a warning. It is also not known whether the server accepts the licence.
  diff_mode:
    description: Returns what has changed (or would have) in diff mode.
    support: partial
    details: In check mode the dates after are not known.
  idempotent:
    description: Run twice, it changes nothing the second time.
    support: partial
    details:
      - The licence is sent each time. It is reported as changed only if the server shows other dates or another state.
      - A licence with the same dates and state as the one before is registered, and reported as unchanged.
options:
  server:
    description:
      - The name of the Replicate server in Enterprise Manager. It is the display name, not a host name, and it is
        case-sensitive.
    type: str
    required: true
  license:
    description:
      - The licence itself. Exactly one of O(license) and O(src) must be given.
      - Old releases of Ansible turn a JSON licence that comes from a template into a mapping, which is written as JSON
        again. Use O(src) to send a file as it is.
    type: raw
  src:
    description:
      - A file that holds the licence, in UTF-8, where the module runs.
    type: path
notes:
  - Needs the role Admin on the server.
  - Compose servers are not supported by the API.
seealso:
  - module: dataops.qlik_em.aem_server
  - module: dataops.qlik_em.aem_server_info
"""

EXAMPLES = r"""
- name: Fetch the licence
  ansible.builtin.copy:
    content: |
      issue_date=2026-01-01
      expiration_date=2036-01-01
      checksum=1A2B-3C4D-5E6F
    dest: /var/tmp/replicate-licence.txt
    mode: "0600"

- name: Register it
  dataops.qlik_em.aem_server_license:
    server: Replicate-Prod
    src: /var/tmp/replicate-licence.txt
  register: registered

- name: Show until when it is valid
  ansible.builtin.debug:
    msg: "{{ registered.license.expiration }}"

- name: Register a licence that is kept in a vault
  dataops.qlik_em.aem_server_license:
    server: Replicate-Test
    license: "{{ vault_replicate_licence }}"
"""

RETURN = r"""
license:
  description:
    - The licence as Enterprise Manager shows it now. In check mode the one before.
    - Its state is V(VALID_LICENSE), V(EXPIRED_LICENSE), V(NO_LICENSE), V(MACHINE_NOT_LICENSED), V(INVALID_LICENSE) or
      V(INVALID_LICENSE_CHECKSUM).
  returned: success
  type: dict
  sample:
    issue_date: "2026-01-01"
    state: VALID_LICENSE
    expiration: "2036-01-01"
    days_to_expiration: 3324
diff:
  description: The dates and the state before and after.
  returned: in check mode and in diff mode
  type: dict
  sample:
    before:
      issue_date: "2024-01-01"
      expiration: "2025-01-01"
      state: EXPIRED_LICENSE
    after:
      issue_date: "2026-01-01"
      expiration: "2036-01-01"
      state: VALID_LICENSE
    before_header: Replicate-Prod
    after_header: Replicate-Prod
msg:
  description: The reason for the failure, with the message of Enterprise Manager.
  returned: failure
  type: str
  sample: >-
    PutServerLicense of server "Replicate-Prod" failed:
    Failed to put license for server "Replicate-Prod". Error: "The license checksum is not valid."
error_code:
  description: The error code of Enterprise Manager.
  returned: failures that Enterprise Manager answered
  type: str
  sample: AEM_PUT_SRV_LIC_INNER_ERR
error_message:
  description: The message of Enterprise Manager, alone.
  returned: failures that Enterprise Manager answered
  type: str
  sample: >-
    Failed to put license for server "Replicate-Prod". Error: "The license checksum is not valid."
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
    Check that it is the whole licence file, and one for this product and this machine.
"""

from ansible_collections.dataops.qlik_em.plugins.module_utils._run.arguments import Spec
from ansible_collections.dataops.qlik_em.plugins.module_utils._run.module import run_as_module
from ansible_collections.dataops.qlik_em.plugins.module_utils._servers.license import ensure, secret_pieces

SPEC = Spec(
    server={"type": "str", "required": True},
    license={"type": "raw", "no_log": True},  # not str, by which a mapping of templating would become Python
    src={"type": "path"},
    secret_options={"license": secret_pieces},
    file_option="src",
)
run = ensure


def main() -> None:
    """Run the module."""
    run_as_module(SPEC, run)


if __name__ == "__main__":
    main()
