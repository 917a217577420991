#!/usr/bin/python
# Copyright (c) 2026, dataops.qlik_em contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: aem_metrics
short_description: Write metrics of Qlik Replicate and Qlik Compose for Prometheus
version_added: 1.0.0
author:
  - dataops.qlik_em contributors (!UNKNOWN)
description:
  - Reads servers, tasks and their counters, and writes them to a file in the text format of Prometheus, for the
    textfile collector of node_exporter. A reader sees the old file or the new one, never a part.
  - All metrics, and the alerts and the dashboard that come with the collection, are described in C(docs/metrics.md).
    How to set them up is in C(docs/monitoring.md).
  - Only the host in O(url), servers, tasks and their states are labels, never a message.
extends_documentation_fragment:
  - dataops.qlik_em.connection
  - dataops.qlik_em.attributes
  - dataops.qlik_em.files
attributes:
  check_mode:
    description: Can run in check mode without changing anything.
    support: full
    details: Reads the same in check mode, and writes no file.
  diff_mode:
    description: Returns what has changed (or would have) in diff mode.
    support: full
  idempotent:
    description: Run twice, it changes nothing the second time.
    support: none
    details: The file contains the time of the run, which an alert needs to detect that the runs have stopped. So each
      run changes it. Nothing is ever changed in Enterprise Manager. With C(changed_when=false) the recap shows no
      change.
options:
  dest:
    description:
      - The file for the metrics, on the host that runs the module. Its folder must exist. To be read by node_exporter,
        it must be in the folder of C(--collector.textfile.directory), and its name must end in C(.prom).
    type: path
    required: true
  mode:
    description:
      - The permissions of the file O(dest). Octal and in quotes, like V("0640"), or symbolic, like V(u=rw,g=r).
      - By default everybody may read it, because node_exporter is another user. It contains the names of servers and
        tasks, but no secrets.
    type: raw
    default: "0644"
  server:
    description:
      - The names of the servers, or globs (V(*), V(?), V([abc])). They are case-sensitive.
      - Without it, all servers that the user may see are read. This, and globs, need the role Viewer on All Servers.
        Servers named literally do not.
    type: list
    elements: str
  name:
    description:
      - Only tasks with these names, or globs.
    type: list
    elements: str
    aliases:
      - task
  tag:
    description:
      - Only tasks with one of these tags.
    type: list
    elements: str
  details:
    description:
      - Whether to read latencies, counters and resources of each task, which is one request for each. Otherwise the
        metrics of tasks are their states only, from one list for each server.
    type: bool
    default: true
  parallel:
    description:
      - How many requests are sent at a time, from 1 to 256. It is also the number of connections.
    type: int
    default: 10
notes:
  - A server that cannot be read, because it is not connected or does not answer in time, is not a failure. It has the
    metric C(qlik_em_server_up) with the value 0, and there is a warning and an entry in RV(skipped_servers). Its tasks
    have no metrics then, and those of the other servers are complete. To fail in this case, use C(failed_when).
  - If Enterprise Manager itself cannot be read (no connection, a refused login, no list of servers), the module fails.
    The file then has C(qlik_em_scrape_success) 0, and no values of servers and tasks, as old values would still be
    scraped as if they were current.
  - A wrong option, a file that cannot be written, and a run that is interrupted are failures too. The file stays as it
    was then. That it gets old is what the alert C(QlikEmMetricsOld) is for. It also stays if the task would run as a
    module, and another task of the same run was refused the same login before, as the module is not started then.
  - Needs the role Viewer on the servers and on their tasks. Each run logs in once.
seealso:
  - module: dataops.qlik_em.aem_server_info
  - module: dataops.qlik_em.aem_task_info
"""

EXAMPLES = r"""
# The connection comes from QLIK_EM_URL, QLIK_EM_USERNAME and QLIK_EM_PASSWORD.
- name: Write the metrics of all servers and tasks
  dataops.qlik_em.aem_metrics:
    dest: /var/lib/prometheus/node-exporter/qlik_em.prom

- name: Read many tasks with more requests at a time, and show no change in the recap
  dataops.qlik_em.aem_metrics:
    dest: /var/lib/prometheus/node-exporter/qlik_em.prom
    server: "Replicate-Prod*"
    parallel: 50
  changed_when: false

- name: Write the states of the tasks only, and fail if a server cannot be read
  dataops.qlik_em.aem_metrics:
    dest: /var/lib/prometheus/node-exporter/qlik_em.prom
    server: Replicate-Prod
    details: false
  register: metrics
  failed_when: metrics is failed or metrics.skipped_servers | length > 0
"""

RETURN = r"""
dest:
  description: The file.
  returned: success, and when Enterprise Manager could not be read
  type: str
  sample: /var/lib/prometheus/node-exporter/qlik_em.prom
counts:
  description: How many servers and tasks were read.
  returned: success
  type: dict
  contains:
    servers:
      description: The servers, those that could not be read included.
      type: int
      sample: 3
    servers_down:
      description: The servers whose tasks could not be listed.
      type: int
      sample: 1
    tasks:
      description: The tasks.
      type: int
      sample: 120
    tasks_unread:
      description: The tasks whose details could not be read.
      type: int
      sample: 0
skipped_servers:
  description: The servers that could not be read, as a whole or in part, with the reason.
  returned: success
  type: list
  elements: dict
  sample:
    - server: Replicate-Old
      error_code: AEM_SERVER_NOT_MONITORED
      error_message: The requested server "Replicate-Old" is not monitored.
      http_status: 500
      msg: 'GetTaskList of server "Replicate-Old" failed: The requested server "Replicate-Old" is not monitored.'
"""

from ansible_collections.dataops.qlik_em.plugins.module_utils._common.file_modes import access_options
from ansible_collections.dataops.qlik_em.plugins.module_utils._reports import metrics
from ansible_collections.dataops.qlik_em.plugins.module_utils._run.arguments import Spec
from ansible_collections.dataops.qlik_em.plugins.module_utils._run.module import run_as_module

SPEC = Spec(
    parallel_option="parallel",
    dest={"type": "path", "required": True},
    server={"type": "list", "elements": "str"},
    name={"type": "list", "elements": "str", "aliases": ["task"]},
    tag={"type": "list", "elements": "str"},
    details={"type": "bool", "default": True},
    parallel={"type": "int", "default": 10},
    **{**access_options(), "mode": {"type": "raw", "default": "0644"}},
)
run = metrics.write


def main() -> None:
    """Run the module."""
    run_as_module(SPEC, run)


if __name__ == "__main__":
    main()
