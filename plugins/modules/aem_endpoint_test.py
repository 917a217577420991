#!/usr/bin/python
# Copyright (c) 2026, dataops.qlik_em contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: aem_endpoint_test
short_description: Test the connection of an endpoint of Qlik Replicate
version_added: 1.0.0
author:
  - dataops.qlik_em contributors (!UNKNOWN)
description:
  - Lets the Replicate server connect to the database of an endpoint, and returns the result.
extends_documentation_fragment:
  - dataops.qlik_em.connection
  - dataops.qlik_em.attributes
  - dataops.qlik_em.attributes.info
options:
  server:
    description:
      - The name of the Replicate server, as Enterprise Manager displays it.
    type: str
    required: true
  name:
    description:
      - The name of the endpoint. It is case-sensitive.
    type: str
    required: true
    aliases:
      - endpoint
  timeout:
    description:
      - How long the server may try, in seconds.
    type: int
    default: 60
  fail_on_error:
    description:
      - Whether an endpoint that does not connect is a failure. V(false) returns the result, also of a test that does
        not end within O(timeout). An endpoint that does not exist is a failure in any case.
    type: bool
    default: true
notes:
  - The test needs the role Operator on the endpoint. Nothing is changed by it, so it is done in check mode, too.
seealso:
  - module: dataops.qlik_em.aem_endpoint
  - module: dataops.qlik_em.aem_endpoint_info
"""

EXAMPLES = r"""
- name: Go on only if the database can be reached
  dataops.qlik_em.aem_endpoint_test:
    server: Replicate-Prod
    name: ERP
    timeout: 30

- name: Test a database that may be down
  dataops.qlik_em.aem_endpoint_test:
    server: Replicate-Prod
    name: Down & out
    fail_on_error: false
  register: test

- name: Show the result
  ansible.builtin.debug:
    msg: "{{ test.endpoint.status }}: {{ test.endpoint.message }}"
"""

RETURN = r"""
endpoint:
  description: The endpoint, and the result of the test.
  returned: success, and if the endpoint does not connect
  type: dict
  contains:
    server:
      description: The server.
      returned: always
      type: str
      sample: Replicate-Prod
    name:
      description: The endpoint.
      returned: always
      type: str
      sample: ERP
    status:
      description: One of V(CONNECTED), V(ERROR), V(UNKNOWN). The last one also if the server does not say, or if the
        test did not end in time.
      returned: always
      type: str
      sample: CONNECTED
    connected:
      description: Whether that is V(CONNECTED).
      returned: always
      type: bool
      sample: true
    message:
      description: The message of the server. Mostly empty if the endpoint connects.
      returned: always
      type: str
      sample: ""
    detailed_message:
      description: The detailed message of the server.
      returned: always
      type: str
      sample: ""
elapsed:
  description: How long it took, in seconds.
  returned: always
  type: float
  sample: 0.8
msg:
  description: The reason for the failure.
  returned: failure
  type: str
  sample: 'The endpoint "ERP" on server "Replicate-Prod" cannot connect (ERROR): ORA-12541: TNS:no listener'
"""

from ansible_collections.dataops.qlik_em.plugins.module_utils._endpoints import connection_test
from ansible_collections.dataops.qlik_em.plugins.module_utils._run.arguments import Spec
from ansible_collections.dataops.qlik_em.plugins.module_utils._run.module import run_as_module

SPEC = Spec(
    server={"type": "str", "required": True},
    name={"type": "str", "required": True, "aliases": ["endpoint"]},
    timeout={"type": "int", "default": 60},
    fail_on_error={"type": "bool", "default": True},
    is_timed=True,
)
run = connection_test.check


def main() -> None:
    """Run the module."""
    run_as_module(SPEC, run)


if __name__ == "__main__":
    main()
