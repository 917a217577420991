# Copyright (c) 2026, dataops.qlik_em contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import os
import shlex

from ansible.plugins.connection import local

DOCUMENTATION = r"""
name: elsewhere
short_description: Another machine, as far as Ansible can see
description:
  - Runs commands on this machine, with nothing of the environment of Ansible's own process. The home is the folder that
    the environment variable E(ELSEWHERE_HOME) names.
extends_documentation_fragment:
  - connection_pipelining
"""


class Connection(local.Connection):
    """Not the connection local, so modules run as processes of their own."""

    transport = "elsewhere"

    def exec_command(self, cmd: str, in_data: bytes | None = None, sudoable: bool = True) -> tuple[int, bytes, bytes]:
        """Run a command as a login there does."""
        home = shlex.quote(os.environ["ELSEWHERE_HOME"])
        clean = f"cd {home} && exec env -i HOME={home} PATH=/usr/bin:/bin /bin/sh -c {shlex.quote(cmd)}"
        return super().exec_command(clean, in_data, sudoable)
