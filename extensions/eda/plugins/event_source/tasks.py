# Copyright (c) 2026, dataops.qlik_em contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""An event source for ansible-rulebook: what changes in Qlik Enterprise Manager. The work is done in _events/."""

from __future__ import annotations

DOCUMENTATION = r"""
---
short_description: Changes in Qlik Enterprise Manager, as events
version_added: 1.0.0
author:
  - dataops.qlik_em contributors (!UNKNOWN)
description:
  - An ansible-rulebook event source that reads the tasks of all servers again and again, and gives an event for each
    change. A task changed its state, went into an error or left it. A latency crossed its limit. A table went into an
    error. A server was lost or came back. A licence ends soon. Enterprise Manager itself is away or back.
  - A round takes one call for the servers and one for each server, all within one session, and one more for each task
    that O(latency_of) or O(tables_of) selects. O(license_days) adds one call a server each hour.
  - A problem that already exists at the first look is also an event, with V(first_look=true). What happens and is
    undone between two rounds is not seen.
  - All members of an event, and what is promised when something is restarted or killed, are in docs/events.md. The
    members as a JSON Schema are in tasks.schema.json beside this file.
  - An unknown option is refused. An empty string counts as not given. The environment variables of the connection
    options count as they do for modules.
extends_documentation_fragment:
  - dataops.qlik_em.connection
options:
  include:
    description:
      - The selection to watch. A task is watched if it matches all members of one of these selectors. Without it, all
        servers and tasks are that the user may see. If all servers are named literally, the role Viewer on All Servers
        is not needed.
      - A task with another state or other tags than before is meant, too, if it was what a selector says.
    type: list
    elements: dict
    suboptions: &selector
      server:
        description: The name of the server, or a glob (V(*), V(?), V([abc])).
        type: str
      name:
        description: The name of the task, or a glob.
        type: str
      tag:
        description: Tasks with one of these tags.
        type: list
        elements: str
      state:
        description: Tasks in one of these states.
        type: list
        elements: str
        choices: [running, recovery, stopped, error, starting, stopping, paused, not_exist]
  exclude:
    description:
      - The selection to leave out. A selector with only a server leaves out the whole server.
    type: list
    elements: dict
    suboptions: *selector
  max_latency:
    description:
      - The limit for the latency from source to target, in seconds. Needs O(latency_of).
    type: int
  latency_of:
    description:
      - The tasks whose latency is read, one call each in each round, while they run. Needs O(max_latency).
    type: list
    elements: dict
    suboptions: *selector
  tables_of:
    description:
      - The tasks whose tables in error are read, one call each in each round.
    type: list
    elements: dict
    suboptions: *selector
  license_days:
    description:
      - From fewer than how many days on a licence ends soon. Without it, no licence is read.
    type: int
  interval:
    description:
      - The time from the start of a round to the start of the next, in seconds. While Enterprise Manager is away, it
        doubles each time up to five minutes, with a random part.
    type: int
    default: 30
  parallel:
    description:
      - How many servers or tasks are read at a time, from 1 to 256. Also the number of connections.
    type: int
    default: 10
  state_file:
    description:
      - A file that keeps what was seen last. With it, a restart neither repeats nor loses an event. Without it, what
        changes in the meantime is not seen, and existing problems are reported again.
      - One file for each source. A second source that uses it is refused.
    type: path
"""

EXAMPLES = r"""
- name: Watch everything
  dataops.qlik_em.tasks:
    url: https://em.example.com
    ca_path: /etc/pki/corp-ca.pem
    state_file: /var/lib/rulebook/tasks.state

- name: Watch production, with latencies of the tasks that matter, their tables, and licences
  dataops.qlik_em.tasks:
    include:
      - server: Replicate-Prod*
    exclude:
      - tag: [playground]
    max_latency: 300
    latency_of:
      - tag: [critical]
    tables_of:
      - tag: [critical]
    license_days: 30
"""

import importlib
import os
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

ROOMS = Path(__file__).resolve().parents[4] / "plugins" / "module_utils"


def _import(name: str) -> Any:
    """Import from our own module_utils: a source is loaded by its path, and knows no ansible_collections."""
    package = "dataops_qlik_em_events"
    if package not in sys.modules:
        module = ModuleType(package)
        module.__path__ = [str(ROOMS)]
        sys.modules[package] = module
    return importlib.import_module(f"{package}.{name}")


async def main(queue: Any, args: dict[str, Any]) -> None:
    """Put an event into the queue for each change, until cancelled."""
    await _import("_events.source").follow_tasks(queue, args, os.environ)
