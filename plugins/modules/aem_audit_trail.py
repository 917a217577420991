#!/usr/bin/python
# Copyright (c) 2026, dataops.qlik_em contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: aem_audit_trail
short_description: Export the audit trail of Qlik Enterprise Manager
version_added: 1.0.0
author:
  - dataops.qlik_em contributors (!UNKNOWN)
description:
  - Returns the records of a period, or writes them to a file.
  - The guide does not describe the format of the audit trail. JSON is returned as it is, and so are lines of JSON.
    Anything else is returned as text.
  - Needs the role Admin on Enterprise Manager.
extends_documentation_fragment:
  - dataops.qlik_em.connection
  - dataops.qlik_em.attributes
  - dataops.qlik_em.files
attributes:
  check_mode:
    description: Can run in check mode without changing anything.
    support: full
    details: Reads the audit trail in check mode too, and writes no file.
  diff_mode:
    description: Returns what has changed (or would have) in diff mode.
    support: full
  idempotent:
    description: Run twice, it changes nothing the second time.
    support: partial
    details: A time span that is over no longer changes, and neither does its file. Without O(end), or with times
      that are given as ages, there may be new records each time.
options:
  start:
    description:
      - The start of the period. A time in UTC, like V(2026-11-25T18:00:00Z), or how long ago it was, like V(24h).
      - An age is a number and C(m) (minutes), C(h) (hours), C(d) (days) or C(w) (weeks). The last 24 hours are
        V(24h). It counts from the clock of the host that runs the module.
      - A time without a zone is in UTC, and a date alone is the beginning of that day.
    type: str
    required: true
  end:
    description:
      - The end of the period, in the same forms. Without it, the period ends at the latest record.
      - Must not be before O(start).
    type: str
  dest:
    description:
      - The file for the audit trail, on the host that runs the module. It is written whole or not at all. Its folder
        must exist. While it is written, a private file without a name uses up to twice its size there.
      - Without it, the audit trail is returned as RV(content).
    type: path
  backup:
    description:
      - Keep a copy of the file O(dest) that is replaced, with the time in its name.
    type: bool
    default: false
notes:
  - Members with a name such as C(password) or C(token) are masked, and so is every secret of this run, in the file
    too. Without such secrets, the file is what Enterprise Manager sent, byte by byte.
  - Without O(dest), an answer has at most 128 MB. With O(dest), it goes into a file at once, and may have 4 GB. Ask for
    shorter time spans if that is not enough, or if O(request_timeout) is over.
  - A trail that is neither a JSON list nor JSON lines is held in memory. It has at most 128 MB with O(dest) as well.
seealso:
  - module: dataops.qlik_em.aem_api
"""

EXAMPLES = r"""
# The connection comes from QLIK_EM_URL, QLIK_EM_USERNAME and QLIK_EM_PASSWORD.
- name: Read the last 24 hours
  dataops.qlik_em.aem_audit_trail:
    start: 24h
  register: audit

- name: Show how many records there are
  ansible.builtin.debug:
    msg: "{{ audit.content | length }} records since {{ audit.start }}"

- name: Keep the audit trail of a day
  dataops.qlik_em.aem_audit_trail:
    start: "2026-11-24T00:00:00Z"
    end: "2026-11-24T23:59:59Z"
    dest: /var/tmp/audit-2026-11-24.json
    mode: "0640"
"""

RETURN = r"""
start:
  description: The start of the period, in UTC.
  returned: success
  type: str
  sample: "2026-11-24T18:00:00Z"
end:
  description: The end of the period, in UTC. V(null) if no end was given.
  returned: success
  type: str
  sample: "2026-11-25T18:00:00Z"
format:
  description: The form of the trail. V(json), V(json_lines) (a JSON value in each line), or V(text).
  returned: success
  type: str
  sample: json
content:
  description: The audit trail. The JSON, a list of the JSON values for V(json_lines), or a string.
  returned: success, without O(dest)
  type: raw
  sample:
    - timestamp: "2026-11-25T17:03:11Z"
      user: operator
      request: AemStopTask
      server: Replicate-Prod
      task: orders
dest:
  description: The file.
  returned: success, with O(dest)
  type: str
  sample: /var/tmp/audit-2026-11-24.json
backup_file:
  description: The copy of the file that was replaced.
  returned: with O(backup), if a file was replaced
  type: str
  sample: /var/tmp/audit-2026-11-24.json.2026-11-25@18:00:00~
"""

from ansible_collections.dataops.qlik_em.plugins.module_utils._access import audit_trail
from ansible_collections.dataops.qlik_em.plugins.module_utils._common.file_modes import access_options
from ansible_collections.dataops.qlik_em.plugins.module_utils._run.arguments import Spec
from ansible_collections.dataops.qlik_em.plugins.module_utils._run.module import run_as_module

SPEC = Spec(
    start={"type": "str", "required": True},
    end={"type": "str"},
    dest={"type": "path"},
    backup={"type": "bool", "default": False},
    required_if=[("backup", True, ["dest"])],
    **access_options(),
)
run = audit_trail.export


def main() -> None:
    """Run the module."""
    run_as_module(SPEC, run)


if __name__ == "__main__":
    main()
