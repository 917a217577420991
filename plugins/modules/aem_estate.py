#!/usr/bin/python
# Copyright (c) 2026, dataops.qlik_em contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: aem_estate
short_description: Keep the tasks, endpoints, schedules and permissions of many servers as files
version_added: 1.0.0
author:
  - dataops.qlik_em contributors (!UNKNOWN)
description:
  - Writes what servers have into a folder that is made for Git, one file for each object. It is sorted where order has
    no meaning, without stamps, and without secrets. So Git shows no change as long as nothing has changed.
  - An estate holds the endpoints, the tasks and the schedules of each Replicate server, and the ACL of the server if it
    has one of its own. Loggers, notifications and settings of servers do not belong to it, see
    M(dataops.qlik_em.aem_export).
extends_documentation_fragment:
  - dataops.qlik_em.connection
  - dataops.qlik_em.attributes
attributes:
  check_mode:
    description: Can run in check mode without changing anything.
    support: full
    details: Servers are read in check mode, too.
  diff_mode:
    description: Returns what has changed (or would have) in diff mode.
    support: full
    details: The diff shows just what differs. Secrets are not shown. Of more than 500 places it says how many more.
  idempotent:
    description: Run twice, it changes nothing the second time.
    support: full
options:
  state:
    description:
      - V(gathered) makes the files be as the servers are. Files that are the same are not touched. The files of objects
        that a server no longer has are removed. If a server cannot be read, its files stay as they are.
    type: str
    choices:
      - gathered
    default: gathered
  path:
    description:
      - The folder of the estate, where the module runs. The folder above it must exist. A new folder is for its owner
        only (mode 0700), and so are new files (mode 0600).
      - It belongs to one Enterprise Manager, whose address is in its C(estate.json). A folder that was gathered from
        another one is refused, as servers of one name would be mixed up.
      - It may hold other files, such as those of Git. Within it no link is followed.
    type: path
    required: true
  include:
    description:
      - What of the servers is meant. A selector without O(include[].name) means all of a server. One with it means
        tasks, the endpoints that these use, and the schedules that name one of them.
      - States and tags do not select here, as files know neither.
      - A server of Compose is left out, unless it is named literally, which is a failure.
      - It may also be a text in JSON, as a survey of AWX gives it.
      - Required with O(state=gathered).
    type: list
    elements: dict
    suboptions:
      server:
        description: The name of the server, or a glob (V(*), V(?), V([abc])). It is case-sensitive.
        type: str
      name:
        description: The name of the task, or a glob.
        type: str
  on_server_error:
    description:
      - What to do if a server cannot be read, for example because it is not connected. In any case its files stay as
        they are, and those of the other servers are written.
      - V(fail) fails at the end, and V(skip) warns.
    type: str
    choices:
      - fail
      - skip
    default: fail
  parallel:
    description:
      - How many servers are read at a time, from 1 to 256. Also the number of connections. So many exports are in
        memory at a time.
    type: int
    default: 10
notes:
  - Needs the roles Admin on Enterprise Manager and on the servers, Designer on All Tasks and Operator on All Endpoints.
seealso:
  - module: dataops.qlik_em.aem_export
  - module: dataops.qlik_em.aem_import
"""

EXAMPLES = r"""
# Needs the role Admin on Enterprise Manager.
- name: Write all servers into a folder
  dataops.qlik_em.aem_estate:
    username: admin@corp.example
    password: "{{ vault_qlik_em_admin_password }}"
    state: gathered
    path: /var/tmp/estate
    include:
      - server: Replicate-*
    on_server_error: skip

- name: Write the tasks of one application, and what they use
  dataops.qlik_em.aem_estate:
    username: admin@corp.example
    password: "{{ vault_qlik_em_admin_password }}"
    state: gathered
    path: /var/tmp/estate-of-orders
    include:
      - server: Replicate-Prod
        name: orders*
"""

RETURN = r"""
path:
  description: The folder.
  returned: success
  type: str
  sample: /var/lib/qlik/estate
servers:
  description: One row for each server, also on a failure.
  returned: O(state=gathered), on success and failures after the servers were read
  type: list
  elements: dict
  contains:
    server:
      description: The server.
      returned: always
      type: str
      sample: Replicate-Prod
    endpoints:
      description: How many endpoints are meant. 0 if the server could not be read.
      returned: always
      type: int
      sample: 12
    tasks:
      description: How many tasks.
      returned: always
      type: int
      sample: 34
    schedules:
      description: How many schedules.
      returned: always
      type: int
      sample: 3
    acls:
      description: 1 if the server has an ACL of its own, else 0.
      returned: always
      type: int
      sample: 1
    written:
      description: How many files were written (or would be, in check mode).
      returned: always
      type: int
      sample: 2
    removed:
      description: How many files of deleted objects were removed (or would be).
      returned: always
      type: int
      sample: 0
    unchanged:
      description: How many files were as they should be.
      returned: always
      type: int
      sample: 46
    changed:
      description: Whether any of its files differed.
      returned: always
      type: bool
      sample: true
    failed:
      description: Whether the server could not be read, or a file not be written.
      returned: always
      type: bool
      sample: false
    skipped:
      description: The same with O(on_server_error=skip).
      returned: always
      type: bool
      sample: false
    error_code:
      description: The error code of Enterprise Manager. V(null) if there is none.
      returned: always
      type: str
      sample: AEM_SERVER_NOT_CONNECTED
    msg:
      description: What went wrong.
      returned: always
      type: str
      sample: ""
    hint:
      description: What can be done about it. Often empty.
      returned: always
      type: str
      sample: ""
    elapsed:
      description: How long it took, in seconds.
      returned: always
      type: float
      sample: 0.42
counts:
  description: How many servers were selected, and how many of them changed, failed, were skipped or unchanged.
  returned: O(state=gathered), on success and failures after the servers were read
  type: dict
  sample:
    selected: 300
    changed: 2
    failed: 0
    skipped: 1
    unchanged: 297
elapsed:
  description: How long it took, in seconds.
  returned: always
  type: float
  sample: 5.3
diff:
  description: What differs in the files, place by place. A new or removed file is named as a whole.
  returned: in check mode and in diff mode
  type: dict
  sample:
    before:
      Replicate-Prod/tasks/orders/task_settings/target_settings/batch_size: 1000
    after:
      Replicate-Prod/tasks/orders/task_settings/target_settings/batch_size: 5000
      Replicate-Prod/tasks/returns.json: a new file
    before_header: /var/lib/qlik/estate
    after_header: /var/lib/qlik/estate
msg:
  description: What went wrong. If servers could not be read, a line for each of them (at most 20, then how many more).
  returned: failure
  type: str
  sample: |-
    1 of 3 servers failed.
    server "Replicate-Down": ExportAll of server "Replicate-Down" failed: The requested server "Replicate-Down" cannot
    be reached at this time.
error_code:
  description: The error code of Enterprise Manager.
  returned: failures that Enterprise Manager answered
  type: str
  sample: AEM_SERVER_NOT_FOUND
http_status:
  description: The HTTP status. Method failures are 500.
  returned: failures with an answer
  type: int
  sample: 500
hint:
  description: What can be done about it.
  returned: most failures
  type: str
  sample: Correct the cause and run this again.
"""

from ansible_collections.dataops.qlik_em.plugins.module_utils._estates import state
from ansible_collections.dataops.qlik_em.plugins.module_utils._run.arguments import Spec
from ansible_collections.dataops.qlik_em.plugins.module_utils._run.module import run_as_module

SPEC = Spec(
    parallel_option="parallel",
    is_timed=True,
    **state.estate_options(),
)
run = state.ensure


def main() -> None:
    """Run the module."""
    run_as_module(SPEC, run)


if __name__ == "__main__":
    main()
