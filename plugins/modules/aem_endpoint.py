#!/usr/bin/python
# Copyright (c) 2026, dataops.qlik_em contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: aem_endpoint
short_description: Create, change, delete and reconfigure endpoints of Qlik Replicate
version_added: 1.0.0
author:
  - dataops.qlik_em contributors (@dataops)
description:
  - An endpoint is a source or a target of the tasks of a Qlik Replicate server. This module creates it, changes its
    settings, deletes it, or gives it the settings of another one.
  - The API has no call that creates an endpoint. So a temporary task is imported, with the wanted endpoint and a
    temporary one at its other end, and both temporary ones are deleted again, also if something fails on the way. Their
    names begin with C(dataops_qlik_em_temporary). What could not be deleted is named in the failure.
extends_documentation_fragment:
  - dataops.qlik_em.connection
  - dataops.qlik_em.attributes
attributes:
  check_mode:
    description: Can run in check mode without changing anything.
    support: full
    details: What a missing permission would refuse cannot be foreseen, nor which settings the server refuses.
  diff_mode:
    description: Returns what has changed (or would have) in diff mode.
    support: full
    details: Secrets are not shown, only that they change.
  idempotent:
    description: Run twice, it changes nothing the second time.
    support: partial
    details:
      - With O(update_password=always), a secret that the server holds encrypted is sent each time.
      - An export leaves out settings that have their default. Such a setting is sent each time if O(settings) names it.
      - V(reconfigured) sends its call each time if the settings of the two endpoints cannot be read.
options:
  server:
    description:
      - The name of the Replicate server, as Enterprise Manager displays it.
    type: str
    required: true
  name:
    description:
      - The name of the endpoint. Upper and lower case count.
    type: str
    required: true
    aliases:
      - endpoint
  state:
    description:
      - V(present) creates the endpoint, or changes what differs from O(description), O(settings) and O(secrets).
      - V(absent) deletes it. One that tasks use cannot be deleted, and the failure names the tasks.
      - V(reconfigured) gives an Oracle source endpoint the settings of another one, as for a switch to a standby
        database. The server answers before this is done.
    type: str
    choices:
      - present
      - absent
      - reconfigured
    default: present
  type:
    description:
      - The type as C(type) of M(dataops.qlik_em.aem_endpoint_info) tells it, as V(ORACLE), or as C(type_id) of an
        exported definition, as V(ORACLE_COMPONENT_TYPE). In upper or lower case.
      - Needed to create an endpoint. One of another type is not changed, that is a failure.
    type: str
  role:
    description:
      - What tasks can use the endpoint for.
      - Needed to create an endpoint. One with another role is not changed, that is a failure.
    type: str
    choices:
      - source
      - target
      - both
  description:
    description:
      - A text about the endpoint. Without this option, the present one stays.
      - Another text for an endpoint that is there already needs an import, as creating one does.
    type: str
  settings:
    description:
      - Settings of the endpoint, by the names below C(db_settings) of an exported definition.
      - What is not named here stays as it is. V(null) removes a setting.
      - Mappings are compared member by member, lists as a whole.
      - The member C($type), for a new endpoint, follows from O(type) if it is not given. It cannot be changed later.
      - The value of a setting whose name ends in C(password), C(passphrase), C(secret), C(token), C(secretKey),
        C(secretAccessKey) or C(privateKey) is never shown in results. Better give it in O(secrets), which is hidden in
        messages about wrong options, too.
    type: dict
  secrets:
    description:
      - Settings that are secret, merged into O(settings). None of these values is ever shown, whatever its name.
    type: dict
  update_password:
    description:
      - An export shows secrets encrypted, so they cannot be compared.
      - V(on_create) sets a secret if the endpoint has none of this name yet. V(always) sets it each time, and never
        reports the endpoint unchanged.
      - With O(state=reconfigured), V(always) copies the settings even if nothing but a secret may differ.
    type: str
    choices:
      - on_create
      - always
    default: on_create
  configuration:
    description:
      - For O(state=reconfigured), the name of the endpoint whose settings are copied.
    type: str
  recycle:
    description:
      - For O(state=reconfigured), whether the running tasks that use the endpoint are stopped and resumed, so that they
        take the settings at once. V(false) is for switches that are planned.
    type: bool
    default: true
  wait_timeout:
    description:
      - How long to wait, in seconds, until an imported endpoint is there.
    type: int
    default: 300
  wait_sleep:
    description:
      - The pause between two looks at the server, in seconds.
    type: float
    default: 2
notes:
  - Creating, and changing the description, needs the role Designer on All Tasks and on All Endpoints. Changing settings
    needs Designer on All Endpoints, deleting Designer on the endpoint, and V(reconfigured) Operator on All Endpoints.
  - The present settings are read by an export of the whole server, which an Admin of Enterprise Manager may do. For
    others, the tasks are searched for one that uses the endpoint and whose Operator the user is. This takes a call for
    each task.
  - Running tasks take changed settings at their next start.
seealso:
  - module: dataops.qlik_em.aem_endpoint_info
  - module: dataops.qlik_em.aem_endpoint_test
"""

EXAMPLES = r"""
# The connection comes from QLIK_EM_URL, QLIK_EM_USERNAME and QLIK_EM_PASSWORD.
- name: Have a target for the archive
  dataops.qlik_em.aem_endpoint:
    server: Replicate-Prod
    name: Archive
    type: postgresql
    role: target
    description: Where old orders go
    settings:
      server: archive.corp.example
      port: 5432
      username: loader
    secrets:
      password: "{{ lookup('ansible.builtin.env', 'ARCHIVE_PASSWORD') | default('not-a-real-one', true) }}"

- name: Move it to another host, and let the server take the default port
  dataops.qlik_em.aem_endpoint:
    server: Replicate-Prod
    name: Archive
    settings:
      server: archive2.corp.example
      port: null

- name: Give it a new password
  dataops.qlik_em.aem_endpoint:
    server: Replicate-Prod
    name: Archive
    secrets:
      password: not-a-real-one-either
    update_password: always

- name: Switch a source to its standby database
  dataops.qlik_em.aem_endpoint:
    server: Replicate-Prod
    name: ERP
    state: reconfigured
    configuration: ERP standby

- name: Delete the target
  dataops.qlik_em.aem_endpoint:
    server: Replicate-Prod
    name: Archive
    state: absent
"""

RETURN = r"""
endpoint:
  description: The endpoint. In check mode as it is expected.
  returned: success, for O(state=present)
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
      sample: Archive
    type:
      description: The type, in the guide's terms.
      returned: always
      type: str
      sample: POSTGRESQL
    role:
      description: The role, in the guide's terms.
      returned: always
      type: str
      sample: TARGET
    description:
      description: The description. Empty if there is none.
      returned: always
      type: str
      sample: Where old orders go
diff:
  description: What changes. Of RV(ignore:settings) only those that differ, without secrets.
  returned: in check mode and in diff mode
  type: dict
  sample:
    before:
      settings:
        server: archive.corp.example
        password: (the stored secret)
    after:
      settings:
        server: archive2.corp.example
        password: (the given secret)
    before_header: Replicate-Prod/Archive
    after_header: Replicate-Prod/Archive
tasks:
  description: The tasks that use the endpoint.
  returned: if it cannot be deleted because of them, and the user may see them
  type: list
  elements: str
  sample: [orders]
left_behind:
  description: What this run has created and could not delete, with the reason.
  returned: if there is something
  type: list
  elements: dict
  sample:
    - kind: task
      name: dataops_qlik_em_temporary_task_0123456789abcdef
      msg: 'DeleteTask of task "dataops_qlik_em_temporary_task_0123456789abcdef" on server "Replicate-Prod" failed: No.'
msg:
  description: What went wrong.
  returned: failure
  type: str
  sample: 'The endpoint "ERP" on server "Replicate-Prod" cannot be deleted: it is used by the task "orders".'
error_code:
  description: The error code of Enterprise Manager.
  returned: if it gave one
  type: str
  sample: AEM_ENDPOINT_IS_IN_USE
hint:
  description: What can be done about a failure.
  returned: mostly, on failure
  type: str
  sample: Delete these tasks, or let them use another endpoint; then run this again.
"""

from ansible_collections.dataops.qlik_em.plugins.module_utils._client.redaction import leaves
from ansible_collections.dataops.qlik_em.plugins.module_utils._endpoints import state
from ansible_collections.dataops.qlik_em.plugins.module_utils._run.arguments import Spec, waiting_options
from ansible_collections.dataops.qlik_em.plugins.module_utils._run.module import run_as_module

SPEC = Spec(
    server={"type": "str", "required": True},
    name={"type": "str", "required": True, "aliases": ["endpoint"]},
    state={"type": "str", "choices": ["present", "absent", "reconfigured"], "default": "present"},
    type={"type": "str"},
    role={"type": "str", "choices": ["source", "target", "both"]},
    description={"type": "str"},
    settings={"type": "dict"},
    secrets={"type": "dict", "no_log": True},
    update_password={"type": "str", "choices": ["on_create", "always"], "default": "on_create", "no_log": False},
    configuration={"type": "str"},
    recycle={"type": "bool", "default": True},
    secret_options={"secrets": leaves},
    **waiting_options(),
)
run = state.ensure


def main() -> None:
    """Run the module."""
    run_as_module(SPEC, run)


if __name__ == "__main__":
    main()
