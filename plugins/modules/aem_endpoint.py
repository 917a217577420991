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
  - dataops.qlik_em contributors (!UNKNOWN)
description:
  - An endpoint is a source or a target of the tasks of a Qlik Replicate server. This module creates it, changes its
    settings, deletes it, or gives it the settings of another one.
  - The API has no call that creates an endpoint. So a temporary task is imported, with the wanted endpoint and a
    temporary one (a file source or a null target) at its other end. The temporary task and endpoint are then deleted.
    Their names begin with C(dataops_qlik_em_temporary). If the import fails, a new endpoint is deleted, too. The
    failure names all objects that could not be deleted.
extends_documentation_fragment:
  - dataops.qlik_em.connection
  - dataops.qlik_em.attributes
attributes:
  check_mode:
    description: Can run in check mode without changing anything.
    support: full
    details:
      - Refusals because of missing permissions, or of settings that the server rejects, cannot be predicted.
      - With O(state=absent), the tasks that use the endpoint are read. If the user may not see them, a refusal by the
        server cannot be predicted.
  diff_mode:
    description: Returns what has changed (or would have) in diff mode.
    support: full
    details: Secrets are not shown, only that they change.
  idempotent:
    description: Run twice, it changes nothing the second time.
    support: partial
    details:
      - With O(update_password=always), a secret that an export shows encrypted is sent each time.
      - An export leaves out settings that have their default. Such a setting is sent each time if O(settings) names it.
      - O(state=reconfigured) sends its call each time if the settings of the two endpoints cannot be read, and with
        O(update_password=always).
options:
  server:
    description:
      - The name of the Replicate server, as Enterprise Manager displays it.
    type: str
    required: true
  name:
    description:
      - The name of the endpoint. Names are case-sensitive.
    type: str
    required: true
    aliases:
      - endpoint
  state:
    description:
      - V(present) creates the endpoint, or changes it where it differs from O(description), O(settings) and O(secrets).
        Options that are not given stay as they are.
      - V(absent) deletes it. One that does not exist is not a failure. One that tasks use cannot be deleted, and the
        failure names the tasks if the user may see them.
      - V(reconfigured) gives an Oracle source endpoint the settings of another one, as for a switch to a standby
        database. The call is sent if the settings differ in more than their secrets, or if they cannot be read. The
        server answers before this is done.
      - O(type), O(role), O(description), O(settings_type), O(settings) and O(secrets) are for V(present) only. With
        another state they are a failure.
    type: str
    choices:
      - present
      - absent
      - reconfigured
    default: present
  type:
    description:
      - The type as in C(type) of M(dataops.qlik_em.aem_endpoint_info), such as V(ORACLE), or as in C(type_id) of an
        exported definition, such as V(ORACLE_COMPONENT_TYPE), in upper or lower case. Spaces, hyphens and other
        characters count as an underscore, so V(sql server) is V(SQL_SERVER).
      - The name of the type in the console is also accepted if it is known, such as V(Microsoft SQL Server) for
        V(SQL_SERVER) or V(IBM DB2 for iSeries) for V(DB2I_NATIVE). A new endpoint of a type that is not known, and
        that no existing endpoint has, is refused with the nearest known types, unless O(settings_type) is given.
      - Needed to create an endpoint. No call changes the type later. If the endpoint has another one, that is a
        failure, and nothing is sent.
    type: str
  role:
    description:
      - How tasks can use the endpoint.
      - Needed to create an endpoint. No call changes the role later. If the endpoint has another one, that is a
        failure, and nothing is sent.
    type: str
    choices:
      - source
      - target
      - both
  description:
    description:
      - A description of the endpoint. Without this option, the current one stays. An empty string removes it.
      - Changing the description of an existing endpoint needs an import, like creating one. The current settings are
        imported again as they were exported, with encrypted secrets. Differences from O(settings) and O(secrets) are
        sent afterwards, in a second call. If only the second call fails, the message reports it.
    type: str
  settings_type:
    description:
      - The class of the settings, as in C($type) below C(db_settings) of an export, such as V(OracleSettings). Names
        are case-sensitive.
      - A new endpoint needs one. Without this option, it is that of an existing endpoint of the same type, on this
        server or else on another one, if the user may read its settings. Otherwise it is the known class of the
        type. If none is known, nothing is sent, and the failure asks for this option.
      - C($type) in O(settings) means the same, so that settings can be taken from an export as they are. If both are
        given they must be equal. No call changes the class later. If the endpoint has another one, that is a failure,
        and nothing is sent.
    type: str
  settings:
    description:
      - Settings of the endpoint, by the names below C(db_settings) of an exported definition.
      - Settings that are not named here stay unchanged. V(null) removes a setting, at any depth. A new endpoint is made
        without it.
      - Mappings are compared member by member. Lists are compared and sent as a whole.
      - A text is compared and sent in the type of the current value. If that is a number, V(1521) in quotes is a
        number. If it is a boolean, V(true), V(yes), V(false) and V(no) in quotes are booleans. If it is a text, a
        number is a text. Without a current value, and within lists, each value is sent as it is given.
      - No call changes C($type) (see O(settings_type)) and C(connectioninfo.$type) later. A different value for one of
        them is a failure, and nothing is sent.
      - A setting is secret if its name ends in a word like C(password), C(passphrase), C(pwd), C(secret), C(token),
        C(credentials), C(connectionString), C(keytab), C(authorization), C(sessionId), or in a kind of key, like
        C(privateKey), C(accessKey), C(accountKey), C(apiKey), C(appKey), C(encryptionKey) or C(sharedKey). Case,
        underscores and digits at the end do not count. A name that only contains such a word, like C(privateKeyFile),
        is not secret. Everything below a secret name is secret, too, in mappings and lists, and so is the secret part
        of a text like C(PWD=...;). A secret is never shown in results.
      - The value of a secret, and all below its name, must not be a number, so write it in quotes.
      - A secret, and a setting whose name ends in C(user) or C(username), must not contain a control character, such as
        a trailing newline. A key or a certificate in PEM, and a string that is a JSON object, may have many lines.
      - Give secrets in O(secrets) if you can. Messages about wrong options hide this option as a whole.
    type: dict
  secrets:
    description:
      - Settings that are secret, merged into O(settings). One that is given in both is a failure.
      - Everything about O(settings) also applies here. No text in it is ever shown, whatever its name. A value
        must not be a number, so write it in quotes.
    type: dict
  update_password:
    description:
      - An export shows secrets encrypted, as texts in braces, so they cannot be compared. This option sets how they
        are treated, in O(settings) and in O(secrets).
      - V(on_create) leaves them as they are. V(always) sends those that are given each time, and reports a change each
        time.
      - A secret that the endpoint does not have yet is set in both cases, and V(null) removes one in both cases. A
        secret that an export does not show encrypted is compared like any other setting, also with V(always).
      - With V(on_create), a secret in a list is not a difference by itself. If something else in the list differs, the
        list is sent with the secret.
      - With O(state=reconfigured), V(always) sends the call each time, even if only a secret may differ.
    type: str
    choices:
      - on_create
      - always
    default: on_create
  configuration:
    description:
      - For O(state=reconfigured), which needs it, the name of the endpoint whose settings are copied. No other state
        takes it.
      - Both must be Oracle endpoints with the role V(source) or V(both).
    type: str
  recycle:
    description:
      - For O(state=reconfigured), whether the running tasks that use the endpoint are stopped and resumed, so that they
        use the settings at once. V(false) is for planned switches.
    type: bool
    default: true
  wait_timeout:
    description:
      - How long to wait until an imported endpoint is listed, in seconds. After that the import has failed.
    type: int
    default: 300
  wait_sleep:
    description:
      - The pause between two reads of the server, in seconds.
    type: float
    default: 2
notes:
  - Creating, and changing the description, needs the roles Viewer on the server and Designer on All Tasks and on All
    Endpoints. Changing settings needs Designer on All Endpoints, deleting Designer on the endpoint, and V(reconfigured)
    Operator on All Endpoints. In check mode and in diff mode, deleting needs Viewer on All Endpoints, too.
  - The current settings are read if O(settings) or O(secrets) is given, if O(description) differs, and with
    O(state=reconfigured). They are read by an export of the whole server, which an Admin of Enterprise Manager may do.
    For others, the tasks are searched for one that uses the endpoint, and this task is exported. The user has to be
    Viewer on All Tasks, and Operator on this task and on All Endpoints. This takes a call for each task. If the
    settings cannot be read either way, that is a failure with O(state=present), and nothing is sent.
  - To find the class of the settings of a new endpoint, the settings of an existing one are read in the same way, if
    there is one of this type. If there is none on this server, the others are searched, which takes a call for each
    until one is found. Where the user may not read them, or not see other servers, that is not a failure. With
    O(settings_type) nothing is read for this.
  - Running tasks use changed settings from their next start on.
seealso:
  - module: dataops.qlik_em.aem_endpoint_info
  - module: dataops.qlik_em.aem_endpoint_test
"""

EXAMPLES = r"""
# The connection comes from QLIK_EM_URL, QLIK_EM_USERNAME and QLIK_EM_PASSWORD.
- name: Create a target for the archive
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

- name: Create a source of a type that the module does not know
  dataops.qlik_em.aem_endpoint:
    server: Replicate-Prod
    name: Ledger
    type: SAP HANA
    role: source
    settings_type: SaphanaSettings
    settings:
      server: ledger.corp.example

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
  description:
    - The changes. Both sides are empty if nothing changes, except with O(state=reconfigured).
    - For a new endpoint, all of it. For one that is changed, the description if it differs, and those of
      RV(ignore:settings) that differ. For one that is deleted, its type, role and description. With
      O(state=reconfigured), all settings of the two endpoints if they can be read, and the name of the other one.
    - A secret that changes is V((the stored secret\)) and V((the given secret\)). Within what is shown as a whole (a
      new endpoint, a list, a new mapping, O(state=reconfigured)), each secret is V(********).
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
  description: Objects that this run has created and could not delete, with the reason.
  returned: if there is something
  type: list
  elements: dict
  sample:
    - kind: task
      name: dataops_qlik_em_temporary_task_0123456789abcdef
      msg: 'DeleteTask of task "dataops_qlik_em_temporary_task_0123456789abcdef" on server "Replicate-Prod" failed: No.'
msg:
  description: The reason for the failure.
  returned: failure
  type: str
  sample: 'The endpoint "ERP" on server "Replicate-Prod" cannot be deleted: it is used by the task "orders".'
error_code:
  description: The error code of Enterprise Manager.
  returned: if it gave one
  type: str
  sample: AEM_ENDPOINT_IS_IN_USE
hint:
  description: How to fix the failure.
  returned: mostly, on failure
  type: str
  sample: Delete these tasks, or let them use another endpoint; then run this again.
"""

from ansible_collections.dataops.qlik_em.plugins.module_utils._client.masking import all_of
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
    settings_type={"type": "str"},
    settings={"type": "dict"},
    secrets={"type": "dict", "no_log": True},
    update_password={"type": "str", "choices": ["on_create", "always"], "default": "on_create", "no_log": False},
    configuration={"type": "str"},
    recycle={"type": "bool", "default": True},
    secret_options={"secrets": all_of},
    **waiting_options(),
)
run = state.ensure


def main() -> None:
    """Run the module."""
    run_as_module(SPEC, run)


if __name__ == "__main__":
    main()
