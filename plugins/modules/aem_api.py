#!/usr/bin/python
# Copyright (c) 2026, dataops.qlik_em contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: aem_api
short_description: Send any call of the Qlik Enterprise Manager API
version_added: 1.0.0
author:
  - dataops.qlik_em contributors (!UNKNOWN)
description:
  - Sends calls that no other module sends yet, such as a method of a newer release. It logs in and out, and treats
    failures and secrets, as all modules do.
  - It knows nothing about the call, so it does not compare and is not idempotent. Prefer the other modules.
extends_documentation_fragment:
  - dataops.qlik_em.connection
  - dataops.qlik_em.attributes
attributes:
  check_mode:
    description: Can run in check mode without changing anything.
    support: partial
    details: Reads (O(method=get)) are sent. All others are not. They report a change and RV(sent=false), and have no
      answer.
  diff_mode:
    description: Returns what has changed (or would have) in diff mode.
    support: none
    details: The module does not know what the call changes.
  idempotent:
    description: Run twice, it changes nothing the second time.
    support: none
    details: Each write is sent and reports a change, unless it is answered with a code in O(accept).
options:
  method:
    description:
      - The HTTP method. All reads of the API are V(get), which never reports a change. All others do.
    type: str
    choices:
      - get
      - post
      - put
      - patch
      - delete
    default: get
  path:
    description:
      - The path below C(/api/v1), as a list of its parts, or as a string with slashes between them.
      - Each part is percent-encoded by the module. Do not encode it yourself. A name with a slash, a question mark or
        a number sign needs the list.
      - C(login) and C(logout) are refused, because the module does both. See M(dataops.qlik_em.aem_session).
    type: raw
    required: true
  query:
    description:
      - The parameters, such as C(action). Those that are V(null) are left out. Booleans are sent in lower case.
    type: dict
  body:
    description:
      - The body. A dictionary or a list is sent as JSON, a string as it is, as plain text.
      - Members with a name such as C(password) are masked in all that Ansible shows. Set C(no_log=true) on the task if
        there are other secrets in it.
    type: raw
  accept:
    description:
      - Error codes of Enterprise Manager that are not a failure here.
      - A write that is answered with one reports no change, because the server refused it. Codes that end with
        C(_TIMEOUT) are an exception, as the server carries on then.
    type: list
    elements: str
  secrets:
    description:
      - How to treat secrets in the answer. They are recognised by the names of the members, and by the form in
        which definitions are exported. V(redact) masks them.
      - V(keep) returns them. Set C(no_log=true) on the task then.
    type: str
    choices:
      - redact
      - keep
    default: redact
notes:
  - A write whose answer is lost is not sent again. The task fails with C(changed=true), because it may have been
    carried out.
seealso:
  - module: dataops.qlik_em.aem_session
"""

EXAMPLES = r"""
# The connection comes from QLIK_EM_URL, QLIK_EM_USERNAME and QLIK_EM_PASSWORD.
- name: Read the servers
  dataops.qlik_em.aem_api:
    path: servers
  register: answer

- name: Show their names
  ansible.builtin.debug:
    msg: "{{ answer.json.serverList | map(attribute='name') }}"

- name: Read a task whose name has a slash
  dataops.qlik_em.aem_api:
    path:
      - servers
      - Replicate-Test
      - tasks
      - north/south

- name: Stop a task, if it runs
  dataops.qlik_em.aem_api:
    method: post
    path: servers/Replicate-Prod/tasks/orders
    query:
      action: stop
      timeout: 60
    accept:
      - AEM_TASK_ALREADY_STOPPED

- name: Set a retention barrier
  dataops.qlik_em.aem_api:
    method: put
    path: servers/Replicate-Prod/tasks/orders
    query:
      action: set_change_data_retention_barrier
    body:
      application: nightly load
      retention_point: "2026-11-24T22:00:00Z"
"""

RETURN = r"""
sent:
  description: Whether the call was sent. V(false) for writes in check mode.
  returned: success
  type: bool
  sample: true
status:
  description: The HTTP status.
  returned: if the call was sent
  type: int
  sample: 200
json:
  description: The answer, if it is JSON. A list of values if there is one JSON value in each line.
  returned: if the call was sent and answered with JSON
  type: raw
  sample:
    state: STOPPED
    error_message: ""
text:
  description: The answer, if it is not JSON. Often empty.
  returned: if the call was sent and not answered with JSON
  type: str
  sample: ""
error_code:
  description: The error code in O(accept) with which Enterprise Manager answered. V(null) if there is none.
  returned: if the call was sent
  type: str
  sample: AEM_TASK_ALREADY_STOPPED
error_message:
  description: The message of Enterprise Manager for that code.
  returned: if the answer is a code in O(accept)
  type: str
  sample: Replicate task orders on server Replicate-Prod is already stopped.
msg:
  description: The reason for the failure, or a note that nothing was sent in check mode.
  returned: failure, and in check mode for writes
  type: str
  sample: "Check mode: POST servers/Replicate-Prod/tasks/orders was not sent, so its answer is not known."
"""

from ansible_collections.dataops.qlik_em.plugins.module_utils._access import raw_call
from ansible_collections.dataops.qlik_em.plugins.module_utils._run.arguments import Spec
from ansible_collections.dataops.qlik_em.plugins.module_utils._run.module import run_as_module

SPEC = Spec(
    method={"type": "str", "choices": ["get", "post", "put", "patch", "delete"], "default": "get"},
    path={"type": "raw", "required": True},
    query={"type": "dict"},
    body={"type": "raw"},
    accept={"type": "list", "elements": "str"},
    secrets={"type": "str", "choices": ["redact", "keep"], "default": "redact", "no_log": False},
    secret_options={"body": raw_call.secrets_in_body},
    shown_options={"body": raw_call.shown_body},
)
run = raw_call.send


def main() -> None:
    """Run the module."""
    run_as_module(SPEC, run)


if __name__ == "__main__":
    main()
