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
      - Secrets that M(dataops.qlik_em.aem_export) has redacted are left out when it is imported, so that an existing
        endpoint keeps its own.
      - Give either this or O(src).
    type: raw
  src:
    description:
      - A file with the definition.
      - It is searched for on the controller as usual, in C(files/) of the role and beside the playbook. If it is not
        found there, it is read on the host that runs the module.
    type: path
"""
