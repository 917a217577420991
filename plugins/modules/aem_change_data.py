#!/usr/bin/python
# Copyright (c) 2026, dataops.qlik_em contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: aem_change_data
short_description: Keep the change data of a Qlik Replicate task, or delete old change data
version_added: 1.0.0
author:
  - dataops.qlik_em contributors (!UNKNOWN)
description:
  - Sets and removes the retention barrier of an application. Change data from the barrier on is not deleted.
  - Deletes change data (partitions that are processed) that is older than a time.
  - The task must store changes in partitions.
extends_documentation_fragment:
  - dataops.qlik_em.connection
  - dataops.qlik_em.attributes
attributes:
  check_mode:
    description: Can run in check mode without changing anything.
    support: full
    details: Refusals because of missing permissions cannot be predicted.
  diff_mode:
    description: Returns what has changed (or would have) in diff mode.
    support: partial
    details: The API does not show which change data exists, so there is no diff for O(state=deleted).
  idempotent:
    description: Run twice, it changes nothing the second time.
    support: partial
    details:
      - O(state=deleted) is not. It is sent each time and reports a change each time, whether something was old enough
        to be deleted or not. The API does not say.
      - A barrier is, as long as it is the earliest of the task. The API returns only the earliest one. If that is of
        another application, the barrier of this one is sent again and reports a change, which does no harm.
options:
  server:
    description:
      - The name of the server, as Enterprise Manager displays it. Names are case-sensitive.
    type: str
    required: true
  name:
    description:
      - The name of the task. Names are case-sensitive.
    type: str
    required: true
    aliases:
      - task
  state:
    description:
      - V(barrier_present) sets the barrier of O(application) to O(retention_point).
      - V(barrier_absent) removes the barrier of O(application). One that does not exist is not a failure.
      - V(deleted) deletes change data that is older than O(timestamp_or_offset), but nothing from the earliest
        barrier on. Needs O(force=true).
    type: str
    choices:
      - barrier_present
      - barrier_absent
      - deleted
    required: true
  application:
    description:
      - The application that the barrier is for. Each has a barrier of its own.
      - Needed for V(barrier_present) and V(barrier_absent).
    type: str
  retention_point:
    description:
      - The time from which on change data is kept, in UTC, like V(2026-11-25T18:00:00Z). A date alone is the beginning
        of that day.
      - Needed for V(barrier_present).
    type: str
  timestamp_or_offset:
    description:
      - The age limit. Change data from before this time (in UTC, like V(2026-11-25T18:00:00Z)), or older than this
        ISO 8601 duration, like V(P30D) or V(P1M3DT1H2M).
      - Needed for V(deleted).
    type: str
    aliases:
      - older_than
  force:
    description:
      - Must be V(true) for V(deleted), because deleted change data cannot be restored.
    type: bool
    default: false
notes:
  - The task deletes while it runs. On a task that is stopped, nothing happens before it runs again.
seealso:
  - module: dataops.qlik_em.aem_change_data_info
  - module: dataops.qlik_em.aem_task
"""

EXAMPLES = r"""
# The connection comes from QLIK_EM_URL, QLIK_EM_USERNAME and QLIK_EM_PASSWORD.
- name: Keep change data that the nightly load has not read yet
  dataops.qlik_em.aem_change_data:
    server: Replicate-Prod
    name: orders
    state: barrier_present
    application: nightly load
    retention_point: "2026-11-24T22:00:00Z"

- name: Delete change data older than 30 days
  dataops.qlik_em.aem_change_data:
    server: Replicate-Prod
    name: orders
    state: deleted
    timestamp_or_offset: P30D
    force: true

- name: Stop keeping change data for the nightly load
  dataops.qlik_em.aem_change_data:
    server: Replicate-Prod
    name: orders
    state: barrier_absent
    application: nightly load
"""

RETURN = r"""
barrier:
  description: The earliest barrier of the task, of whatever application. V(null) if there is none. In check mode the
    one that is expected.
  returned: success
  type: dict
  contains:
    application:
      description: The application that it is for.
      returned: always
      type: str
      sample: nightly load
    retention_point:
      description: The time from which on change data is kept, in UTC.
      returned: always
      type: str
      sample: "2026-11-24T22:00:00Z"
diff:
  description: The barrier of the application before and after. V(not known) if the earliest one is of another
    application.
  returned: in check mode and in diff mode, if the barrier changes
  type: dict
  sample:
    before:
      retention_point: null
    after:
      retention_point: "2026-11-24T22:00:00Z"
    before_header: retention barrier of nightly load on orders
    after_header: retention barrier of nightly load on orders
"""

from ansible_collections.dataops.qlik_em.plugins.module_utils._run.arguments import Spec
from ansible_collections.dataops.qlik_em.plugins.module_utils._run.module import run_as_module
from ansible_collections.dataops.qlik_em.plugins.module_utils._tasks import change_data

SPEC = Spec(
    server={"type": "str", "required": True},
    name={"type": "str", "required": True, "aliases": ["task"]},
    state={
        "type": "str",
        "choices": ["barrier_present", "barrier_absent", "deleted"],
        "required": True,
    },
    application={"type": "str"},
    retention_point={"type": "str"},
    timestamp_or_offset={"type": "str", "aliases": ["older_than"]},
    force={"type": "bool", "default": False},
    required_if=[
        ("state", "barrier_present", ["application", "retention_point"]),
        ("state", "barrier_absent", ["application"]),
        ("state", "deleted", ["timestamp_or_offset"]),
    ],
)
run = change_data.ensure


def main() -> None:
    """Run the module."""
    run_as_module(SPEC, run)


if __name__ == "__main__":
    main()
