# Copyright (c) 2026, dataops.qlik_em contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations


class ModuleDocFragment:
    """Who may use a file that is written; the specs are in module_utils/_common/file_modes.py."""

    DOCUMENTATION = r"""
options:
  mode:
    description:
      - Who may read and write the file O(dest). Octal and in quotes, like V("0640"), or symbolic, like V(u=rw,g=r).
      - Without it, an existing file keeps its mode, and a new one is for its owner only (V("0600")). A symbolic mode
        like V(g+r) changes one of these.
      - A number without quotes is refused where YAML reads it as a decimal one, as in C(mode=640).
    type: raw
  owner:
    description:
      - The owner of the file O(dest), by name or number. The user must exist where the module runs.
      - Without it, an existing file keeps its owner. If this user may not set the owner, the file is written anyway,
        with a warning.
    type: str
  group:
    description:
      - The group of the file O(dest), by name or number. The group must exist where the module runs.
      - Without it, an existing file keeps its group. If this user may not set the group, the file is written anyway,
        with no new access for anybody, and with a warning.
    type: str
notes:
  - A link is followed, and the file that it leads to is replaced in its own folder. Anything but an ordinary file (a
    folder, a pipe, a device) is refused. So is a link or a file of another user in a folder where everybody may write,
    like C(/tmp).
  - A text of more than 1 MB, or more than C(max_diff_size) of C(ansible.cfg), is not shown in diff mode, only its size.
"""
