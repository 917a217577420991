#!/usr/bin/python
# Copyright (c) 2026, dataops.qlik_em contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: aem_export
short_description: Export the definition of a Replicate task or server into a file
version_added: 1.0.0
author:
  - dataops.qlik_em contributors (!UNKNOWN)
description:
  - Writes the replication definition of one task, or of a whole server, into a file. The text is made for Git. It is
    sorted where order has no meaning, and without the stamps of an export (when, where, the id of the task).
  - The file is written only if the definition differs in meaning from the existing one. So a repository of
    exports shows no change although each export of the server differs.
  - An export of a whole server contains tasks and endpoints, and on request schedules, notifications and settings.
  - The file can be imported again with M(dataops.qlik_em.aem_task) or M(dataops.qlik_em.aem_import).
extends_documentation_fragment:
  - dataops.qlik_em.connection
  - dataops.qlik_em.definitions.loggers
  - dataops.qlik_em.attributes
  - dataops.qlik_em.files
attributes:
  check_mode:
    description: Can run in check mode without changing anything.
    support: full
    details: The definition is exported in check mode, too, as that only reads.
  diff_mode:
    description: Returns what has changed (or would have) in diff mode.
    support: full
    details: Secrets are not shown, encrypted or not.
  idempotent:
    description: Run twice, it changes nothing the second time.
    support: full
options:
  server:
    description:
      - The name of the Replicate server in Enterprise Manager. It is the display name, not a host name, and it is
        case-sensitive.
    type: str
    required: true
  name:
    description:
      - The name of the task. If not set, the whole server is exported, see O(objects).
    type: str
    aliases:
      - task
  dest:
    description:
      - The file to write, where the module runs. Its folder must exist. The file is replaced as a whole or not at all.
    type: path
    required: true
  backup:
    description: Whether to keep a copy of the old file beside it, readable by nobody who could not read the old one.
    type: bool
    default: false
  with_endpoints:
    description:
      - Whether to export the endpoints that the task uses, too. For a whole server, see O(objects).
    type: bool
    default: false
  objects:
    description:
      - Which kinds of objects of a whole server are exported. RV(not_exported) lists the other objects of the server.
      - An export of one task, by O(name), holds the task and, with O(with_endpoints), its endpoints. This option has no
        meaning then.
      - V(server_settings) are log roll-over, disk and memory limits and so on, V(error_policies) the error handling
        of the server, and V(others) all other objects.
    type: list
    elements: str
    choices:
      - tasks
      - endpoints
      - schedules
      - notifications
      - server_settings
      - error_policies
      - others
    default:
      - tasks
      - endpoints
  secrets:
    description:
      - V(redact) replaces each secret by V(<redacted>), in a string that contains more than a secret just that part. An
        import leaves such a member out, so that an existing endpoint keeps its secret. A warning names all places.
      - Secrets are members that the server exports encrypted and, outside of tasks, members with the name of a secret.
        Give a list of places to have more redacted, as in O(secrets=["databases/Shop/db_settings/code"]). A place is
        written as diffs show it. V(*) matches any text. One that is not in the export is named in a warning.
      - V(keep) writes the secrets as the server exports them. They are encrypted with its master key, and only a server
        with the same key can read them. Nobody but its owner may use such a file. If its mode allows others more, it
        loses that with a warning, and an O(mode) that does is refused.
    type: list
    elements: str
    default:
      - redact
notes:
  - An export of a task needs the roles Operator on the task and on All Endpoints. One of a server needs Admin on
    Enterprise Manager and on the server, Designer on All Tasks and Operator on All Endpoints.
seealso:
  - module: dataops.qlik_em.aem_task
  - module: dataops.qlik_em.aem_import
"""

EXAMPLES = r"""
- name: Export a task with its endpoints
  dataops.qlik_em.aem_export:
    server: Replicate-Prod
    name: orders
    with_endpoints: true
    dest: /var/tmp/orders.json

# Needs the role Admin on Enterprise Manager.
- name: Export all of a server
  dataops.qlik_em.aem_export:
    username: admin@corp.example
    password: "{{ vault_qlik_em_admin_password }}"
    server: Replicate-Test
    dest: /var/tmp/Replicate-Test.json
    backup: true

- name: Export a task into a folder that a group shares
  dataops.qlik_em.aem_export:
    server: Replicate-Prod
    name: orders
    dest: /var/tmp/orders-shared.json
    mode: u=rw,g=r
"""

RETURN = r"""
dest:
  description: The file.
  returned: success
  type: str
  sample: /var/tmp/orders.json
tasks:
  description: The names of the tasks in the definition.
  returned: success
  type: list
  elements: str
  sample:
    - orders
endpoints:
  description: The names of the endpoints in the definition.
  returned: success
  type: list
  elements: str
  sample:
    - ERP
    - Warehouse
not_exported:
  description:
    - The names of other objects of the server, by kind. They are not in the file, because O(objects) does not
      select them.
  returned: success
  type: dict
  sample:
    schedules:
      - nightly reload
backup_file:
  description: The copy of the old file.
  returned: if O(backup=true) and there was one that was replaced
  type: str
  sample: /var/tmp/orders.json.2026-11-23@03:00:00~
diff:
  description:
    - The text before and after, without secrets. If only its mode, owner or group changes, the diff shows these.
  returned: in check mode and in diff mode, if the file changes
  type: dict
  sample:
    before: ""
    after: "{...}"
    before_header: /var/tmp/orders.json
    after_header: /var/tmp/orders.json
msg:
  description: The reason for the failure, with the message of Enterprise Manager.
  returned: failure
  type: str
  sample: >-
    ExportTask of task "orders" on server "Replicate-Prod" failed:
    Replication task orders on server Replicate-Prod could not be found.
error_code:
  description: The error code of Enterprise Manager.
  returned: failures that Enterprise Manager answered
  type: str
  sample: AEM_TASK_NOT_FOUND
http_status:
  description: The HTTP status. Method failures are 500.
  returned: failures with an answer
  type: int
  sample: 500
hint:
  description: How to fix the failure.
  returned: most failures
  type: str
  sample: Names are case-sensitive; Compose tasks and workflows are named task__project.
"""

from ansible_collections.dataops.qlik_em.plugins.module_utils._common.file_modes import access_options
from ansible_collections.dataops.qlik_em.plugins.module_utils._definitions import export
from ansible_collections.dataops.qlik_em.plugins.module_utils._definitions.objects import objects_option
from ansible_collections.dataops.qlik_em.plugins.module_utils._definitions.options import loggers_option
from ansible_collections.dataops.qlik_em.plugins.module_utils._run.arguments import Spec
from ansible_collections.dataops.qlik_em.plugins.module_utils._run.module import run_as_module

SPEC = Spec(
    server={"type": "str", "required": True},
    name={"type": "str", "aliases": ["task"]},
    dest={"type": "path", "required": True},
    backup={"type": "bool", "default": False},
    with_endpoints={"type": "bool", "default": False},
    objects=objects_option(),
    secrets={"type": "list", "elements": "str", "default": ["redact"], "no_log": False},
    **loggers_option(),
    **access_options(),
)
run = export.ensure


def main() -> None:
    """Run the module."""
    run_as_module(SPEC, run)


if __name__ == "__main__":
    main()
