#!/usr/bin/python
# Copyright (c) 2026, dataops.qlik_em contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: aem_import
short_description: Import the definitions of many tasks and endpoints into a Replicate server
version_added: 1.0.0
author:
  - dataops.qlik_em contributors (!UNKNOWN)
description:
  - Makes the tasks and endpoints of a server match a replication definition, usually one that
    M(dataops.qlik_em.aem_export) has written, and on request its schedules, notifications and settings. All of the
    server is exported and compared by its meaning, and only differences are imported.
  - An import adds and changes, but never removes. Tasks and endpoints that are not in the definition stay as they are.
    To make one task match its definition exactly, see M(dataops.qlik_em.aem_task).
  - A task that differs and is not stopped is a failure, before anything is imported.
extends_documentation_fragment:
  - dataops.qlik_em.connection
  - dataops.qlik_em.attributes
  - dataops.qlik_em.definitions.source
  - dataops.qlik_em.definitions.loggers
attributes:
  check_mode:
    description: Can run in check mode without changing anything.
    support: full
    details: Refusals because of missing permissions cannot be predicted.
  diff_mode:
    description: Returns what has changed (or would have) in diff mode.
    support: full
    details: The diff shows only the differences, without secrets.
  idempotent:
    description: Run twice, it changes nothing the second time.
    support: partial
    details:
      - Settings with their default value, which an export leaves out, are imported each time. A warning names them.
      - With O(force_import=true) everything is imported each time.
options:
  server:
    description:
      - The name of the Replicate server in Enterprise Manager. It is the display name, not a host name, and it is
        case-sensitive.
    type: str
    required: true
  objects:
    description:
      - Which kinds of objects are imported. Other objects of the definition are not imported, and a warning names
        them. So the schedules of a production server do not run on a test server unintentionally.
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
  wait_timeout:
    description:
      - How long to wait until an export of the server shows what was imported, in seconds, up to a day. An
        import takes effect some time after its answer.
    type: int
    default: 300
  wait_sleep:
    description:
      - How long to wait between two exports, in seconds.
    type: float
    default: 2
notes:
  - Needs the roles Admin on Enterprise Manager and on the server, and Designer on All Tasks and on All Endpoints.
  - Lists keep their order, and it is compared, unless the order can mean nothing (tasks, endpoints, targets, tables and
    patterns).
seealso:
  - module: dataops.qlik_em.aem_export
  - module: dataops.qlik_em.aem_schedule
  - module: dataops.qlik_em.aem_task
"""

EXAMPLES = r"""
# Needs the role Admin on Enterprise Manager.
- name: Make sure that a task and its endpoints are there
  dataops.qlik_em.aem_import:
    username: admin@corp.example
    password: "{{ vault_qlik_em_admin_password }}"
    server: Replicate-Test
    definition:
      cmd.replication_definition:
        tasks:
          - task: {name: orders to files, source_name: Shop, target_names: [Files]}
            source:
              source_tables:
                explicit_included_tables:
                  - {owner: SALES, name: ORDERS}
        databases:
          - name: Shop
            role: SOURCE
            type_id: ORACLE_COMPONENT_TYPE
            db_settings: {$type: OracleSettings, server: "shop.corp.example:1521/SHOP", username: replicate}
          - name: Files
            role: TARGET
            type_id: FILE_COMPONENT_TYPE
            db_settings: {$type: FileSettings}

- name: Import nothing of a definition but the schedules
  dataops.qlik_em.aem_import:
    username: admin@corp.example
    password: "{{ vault_qlik_em_admin_password }}"
    server: Replicate-Test
    definition:
      cmd.replication_definition:
        scheduler:
          jobs:
            - name: nightly start
              command_id: 25
              schedule: 30 2 * * 1-5 *
              task: stock
    objects:
      - schedules
"""

RETURN = r"""
tasks:
  description: The names of the tasks that differed and were imported (or would be, in check mode).
  returned: success
  type: list
  elements: str
  sample:
    - orders to files
endpoints:
  description: The names of the endpoints that differed and were imported (or would be, in check mode).
  returned: success
  type: list
  elements: str
  sample:
    - Files
    - Shop
objects:
  description: The objects of the definition, for each kind in O(objects). Of settings these are the members.
  returned: success
  type: list
  elements: dict
  contains:
    kind:
      description: The kind, as in O(objects).
      returned: always
      type: str
      sample: schedules
    imported:
      description: The names of those that differed and were imported (or would be, in check mode).
      returned: always
      type: list
      elements: str
      sample:
        - nightly reload
    unchanged:
      description: The names of those that did not differ.
      returned: always
      type: list
      elements: str
      sample: []
not_imported:
  description:
    - The names of other objects of the definition, by kind. They were not imported, because O(objects) does not
      select them.
  returned: success
  type: dict
  sample:
    schedules:
      - nightly reload
not_removed:
  description:
    - Members that the tasks and endpoints have on the server, but not in the definition. They stay, because an
      import cannot remove anything. A part that is missing as a whole is named once.
  returned: success
  type: list
  elements: str
  sample:
    - tasks/orders/source/source_tables/explicit_included_tables/SALES.PRICES
elapsed:
  description: How long it took, in seconds.
  returned: always
  type: float
  sample: 1.04
diff:
  description: Only the values that differ, before and after.
  returned: in check mode and in diff mode
  type: dict
  sample:
    before: {}
    after:
      databases/Files/name: Files
      databases/Files/role: TARGET
    before_header: Replicate-Test
    after_header: Replicate-Test
msg:
  description: The reason for the failure, with the message of Enterprise Manager.
  returned: failure
  type: str
  sample: >-
    Tasks of server "Replicate-Prod" that differ from the definition are not stopped: orders. Nothing was imported.
error_code:
  description: The error code of Enterprise Manager.
  returned: failures that Enterprise Manager answered
  type: str
  sample: AEM_IMPORT_INVALID_CONTENT
http_status:
  description: The HTTP status. Method failures are 500.
  returned: failures with an answer
  type: int
  sample: 500
hint:
  description: How to fix the failure.
  returned: most failures
  type: str
  sample: Stop them first (aem_task_batch), and start them again afterwards.
"""

from ansible_collections.dataops.qlik_em.plugins.module_utils._definitions.objects import objects_option
from ansible_collections.dataops.qlik_em.plugins.module_utils._definitions.options import (
    secrets_in_definition,
    shown_definition,
    source_options,
)
from ansible_collections.dataops.qlik_em.plugins.module_utils._run.arguments import Spec, waiting_options
from ansible_collections.dataops.qlik_em.plugins.module_utils._run.module import run_as_module
from ansible_collections.dataops.qlik_em.plugins.module_utils._servers import definitions

SPEC = Spec(
    server={"type": "str", "required": True},
    objects=objects_option(),
    secret_options={"definition": secrets_in_definition},
    shown_options={"definition": shown_definition},
    file_option="src",
    is_timed=True,
    **source_options(),
    **waiting_options(),
)
run = definitions.ensure


def main() -> None:
    """Run the module."""
    run_as_module(SPEC, run)


if __name__ == "__main__":
    main()
