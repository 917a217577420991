#!/usr/bin/python
# Copyright (c) 2026, dataops.qlik_em contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: aem_report
short_description: Write a page about all servers and tasks, or about what a run has done
version_added: 1.0.0
author:
  - dataops.qlik_em contributors (!UNKNOWN)
description:
  - Writes one self-contained HTML file. A browser loads nothing else to show it, so it can be mailed, attached to a
    change ticket, or put on any web server.
  - Without O(result) and O(rows_file) it is about the estate. It shows the servers with their states, versions and
    licences, the tasks by state, latency and throughput, and what is in error, with its message and what to do about
    it.
  - With one of these it is about what M(dataops.qlik_em.aem_task_batch),
    M(dataops.qlik_em.aem_maintenance_window) or M(dataops.qlik_em.aem_heal) has done. It shows a row for each task with
    its place in time, what failed first, then the slowest.
  - With the result of M(dataops.qlik_em.aem_estate) it is about a plan. It shows the steps in order, which tasks they
    stop, and what they cannot do.
  - The page is light or dark as the reader's system is, prints, and is made for phones and keyboards, too. Its tables
    can be sorted and filtered. Where scripts are off, they are as they came.
extends_documentation_fragment:
  - dataops.qlik_em.connection
  - dataops.qlik_em.attributes
  - dataops.qlik_em.files
attributes:
  check_mode:
    description: Can run in check mode without changing anything.
    support: full
    details: The servers are read in check mode, too, as that only reads.
  diff_mode:
    description: Returns what has changed (or would have) in diff mode.
    support: full
    details: The diff shows what the old and the new page say of the whole, in a line each.
  idempotent:
    description: Run twice, it changes nothing the second time.
    support: none
    details: A page says when it was made.
options:
  dest:
    description:
      - The file to write, where the module runs. Its folder must exist. The file is replaced as a whole or not at all.
    type: path
    required: true
  title:
    description:
      - The title of the page. If not set, there is a default title.
    type: str
  server:
    description:
      - The names of servers, or globs (V(*), V(?), V([abc])). They are case-sensitive. If not set, all servers.
      - It is for a page about the estate only.
    type: list
    elements: str
  details:
    description:
      - Whether to read the details of each task. Without them, the page has no latency, no throughput and no table
        errors. With them, there is one more call for each task.
      - It is for a page about the estate only.
    type: bool
    default: true
  parallel:
    description:
      - How many calls are made at a time, from 1 to 256. Also the number of connections.
    type: int
    default: 10
  result:
    description:
      - The registered result of a task with one of these modules. It may be the result of a failed task.
    type: dict
  rows_file:
    description:
      - The file that such a task has written by C(results_dest). It has all rows, which a result of very many has not.
      - With O(result), too, the rows are those of the file.
    type: path
  history:
    description:
      - A file that keeps the numbers of each run, one JSON object a line. The page shows how they have developed, as
        soon as there are two runs. The numbers of this run are added, not in check mode.
      - It is made if it does not exist. It keeps 400 runs, of which the page shows 60. Use one file for each kind of
        page, and for each choice of servers.
    type: path
  backup:
    description: Whether to keep a copy of the old file beside it, for nobody else to read than the old one.
    type: bool
    default: false
notes:
  - Servers that cannot be read are on the page, with the reason. They are not a failure of the module.
  - A new page is for its owner only, as it names servers, tasks and what is wrong with them. Set O(mode) if others
    are to read it.
  - Names and messages of a server are shown as texts, whatever they hold. Secrets of this run are masked, but a message
    may hold others that are known to the server only.
  - A message is cut if the page has very many rows, so that 10,000 rows stay below 5 MB.
  - Where the module runs, the Python library C(jinja2) is needed. The controller has it, as ansible-core needs it, too.
  - The estate needs the roles Viewer on All Servers, Viewer on the servers and on All Tasks.
seealso:
  - module: dataops.qlik_em.aem_task_info
  - module: dataops.qlik_em.aem_server_info
  - module: dataops.qlik_em.aem_task_batch
"""

EXAMPLES = r"""
# The connection comes from QLIK_EM_URL, QLIK_EM_USERNAME and QLIK_EM_PASSWORD.
- name: Write a page about all servers and tasks, with a trend of the runs before
  dataops.qlik_em.aem_report:
    dest: /var/lib/qlik/estate.html
    history: /var/lib/qlik/estate-history.jsonl
    mode: u=rw,go=r

- name: Stop many tasks
  dataops.qlik_em.aem_task_batch:
    state: stopped
    include:
      - server: Replicate-Prod
    exclude:
      - name: locked
    results: all
    results_dest: /var/lib/qlik/rows.jsonl
  register: batch

- name: Write a page about the results
  dataops.qlik_em.aem_report:
    title: Stop before the patch
    result: "{{ batch }}"
    rows_file: /var/lib/qlik/rows.jsonl
    dest: /var/lib/qlik/stop.html
"""

RETURN = r"""
dest:
  description: The file.
  returned: success
  type: str
  sample: /var/lib/qlik/estate.html
verdict:
  description: The summary on the page.
  returned: success
  type: str
  sample: 2 tasks in ERROR, of 120 tasks on 4 servers.
numbers:
  description: The numbers that O(history) keeps. V(null) is what is not known.
  returned: success
  type: dict
  sample:
    servers: 4
    servers_in_trouble: 0
    tasks: 120
    running: 97
    stopped: 21
    error: 2
    recovery: 0
    table_errors: 0
    latency_median: 2.0
    latency_max: 65.0
    records_per_second: 3880
backup_file:
  description: The copy of the old file.
  returned: if O(backup=true) and there was one that was replaced
  type: str
  sample: /var/lib/qlik/estate.html.2026-11-23@03:00:00~
diff:
  description: The summary on the page, before and after. If only its mode, owner or group changes, these.
  returned: in check mode and in diff mode
  type: dict
  sample:
    before: "120 tasks on 4 servers, nothing in error.\n"
    after: "2 tasks in ERROR, of 120 tasks on 4 servers.\n"
    before_header: /var/lib/qlik/estate.html
    after_header: /var/lib/qlik/estate.html
msg:
  description: The reason for the failure, with the message of Enterprise Manager.
  returned: failure
  type: str
  sample: "result has no rows of tasks. Give what aem_task_batch, aem_maintenance_window or aem_heal has returned."
error_code:
  description: The error code of Enterprise Manager.
  returned: failures that Enterprise Manager answered
  type: str
  sample: UNAUTHORIZED_REQUEST
http_status:
  description: The HTTP status. Method failures are 500.
  returned: failures with an answer
  type: int
  sample: 500
hint:
  description: How to fix the failure.
  returned: most failures
  type: str
  sample: Give the user the role in Enterprise Manager (User Permissions of the object or of its parent).
"""

from ansible_collections.dataops.qlik_em.plugins.module_utils._common.file_modes import access_options
from ansible_collections.dataops.qlik_em.plugins.module_utils._reports import report
from ansible_collections.dataops.qlik_em.plugins.module_utils._run.arguments import Spec
from ansible_collections.dataops.qlik_em.plugins.module_utils._run.module import run_as_module

SPEC = Spec(
    parallel_option="parallel",
    dest={"type": "path", "required": True},
    title={"type": "str"},
    server={"type": "list", "elements": "str"},
    details={"type": "bool", "default": True},
    parallel={"type": "int", "default": 10},
    result={"type": "dict"},
    rows_file={"type": "path"},
    history={"type": "path"},
    backup={"type": "bool", "default": False},
    **access_options(),
)
run = report.ensure


def main() -> None:
    """Run the module."""
    run_as_module(SPEC, run)


if __name__ == "__main__":
    main()
