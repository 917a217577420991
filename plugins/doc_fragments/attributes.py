# Copyright (c) 2026, dataops.qlik_em contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations


class ModuleDocFragment:
    """The attributes that all modules share, and those of the modules that only read."""

    DOCUMENTATION = r"""
options: {}
attributes:
  action_group:
    description: Use C(group/dataops.qlik_em.aem) in C(module_defaults) to set the connection options once.
    support: full
    membership:
      - dataops.qlik_em.aem
  platform:
    description: The systems on which the module runs. It talks to Enterprise Manager over HTTPS, mostly from
      V(localhost).
    support: full
    platforms: posix
"""

    INFO = r"""
options: {}
attributes:
  check_mode:
    description: Can run in check mode without changing anything.
    support: full
    details: The module only reads.
  diff_mode:
    description: Returns what has changed (or would have) in diff mode.
    support: N/A
    details: The module only reads.
  idempotent:
    description: Run twice, it changes nothing the second time.
    support: full
    details: The module only reads.
"""
