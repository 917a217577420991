# Copyright (c) 2026, dataops.qlik_em contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations


class ModuleDocFragment:
    """The options that give a replication definition; their specs are in module_utils/_definitions/options.py."""

    SOURCE = r"""
options:
  definition:
    description:
      - The replication definition, as Replicate exports it, as a dictionary or as JSON text. A line C(// ...) before
        the JSON is skipped. At most 50 MB.
      - A missing C(_version) is filled in with the version of the server, as Replicate falls back to default settings
        without it.
      - Only compared members are sent. The ids and numbers that Replicate counts or assigns itself (C(task_uuid),
        C(estimated_size), C(orig_db_id)) are neither compared nor sent.
      - Secrets that M(dataops.qlik_em.aem_export) has redacted are left out when it is imported, so that an existing
        endpoint keeps its own. If only a part of a string is redacted, that part is taken from the server. A warning
        names the secrets that are left out.
      - JSON text that a template creates needs the filter P(ansible.builtin.to_json#filter) for each value that is put
        into it. A text that is not JSON is refused, and not shown.
      - Give either this or O(src).
    type: raw
  src:
    description:
      - A file with the definition.
      - It is searched for on the controller as usual, in C(files/) of the role and beside the playbook. If it is not
        found there, it is read on the host that runs the module.
      - It must be UTF-8. A file that a tool has shortened or rewritten, as C(ConvertTo-Json) of Windows PowerShell does
        without C(-Depth), is refused before anything is stopped or sent, and so is a member that occurs twice.
    type: path
  secrets:
    description:
      - Places in the definition that contain secrets, in addition to those that are known by their names or that the
        server exports encrypted. What they contain is never shown.
      - A place is written as diffs and RV(not_removed) show it, as V(databases/Shop/db_settings/code). V(*) matches any
        text, V(?) one character. One that is not in the definition is a failure.
    type: list
    elements: str
  update_password:
    description:
      - An export shows secrets encrypted, so that they cannot be compared. This option sets what happens to those that
        are given.
      - With V(on_create), only new objects get them. Otherwise they are not compared and not sent. A warning names
        those in clear text.
      - With V(always), they are sent each time, and a change is reported each time.
    type: str
    choices:
      - on_create
      - always
    default: on_create
  force_import:
    description:
      - Whether to import the definition although it compares the same, so that the server takes all of it once more. A
        change is reported each time. Running tasks are treated as if they differed.
      - An import that changes nothing cannot be seen in the export. If its answer is lost, this is a failure, as
        it is not known whether it was done.
    type: bool
    default: false
"""

    LOGGERS = r"""
options:
  loggers:
    description:
      - With V(ignore), the loggers of a task (C(loggers), the levels of its logs) do not belong to its definition. They
        are neither exported nor compared nor sent, and stay as they are on the server.
      - With V(manage), they are treated like everything else.
    type: str
    choices:
      - ignore
      - manage
    default: ignore
"""
