# Copyright (c) 2026, dataops.qlik_em contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The inventory plugin beside what Ansible itself needs for as many hosts that are constant."""

from __future__ import annotations

import json
import os
import subprocess
import tempfile
import time
from pathlib import Path
from typing import Any

from ..tools.simulator import connection
from .playing import HERE, Seconds, stand_in

SERVERS, TASKS = 300, 10_000
KEYED = [{"prefix": "state", "key": "qlik_em_state | lower"}, {"prefix": "server", "key": "qlik_em_server"}]
PLUGIN = "dataops.qlik_em.servers"
SHOWN = ("Inventory of servers", "Inventory of tasks", "Constant inventory")
FILES = {
    "Inventory of servers": ("servers.qlik_em.yml", {"plugin": PLUGIN}),
    "Inventory of tasks": ("tasks.qlik_em.yml", {"plugin": PLUGIN, "hosts": "tasks", "keyed_groups": KEYED}),
    "Constant inventory": (
        "constant.yml",
        {"plugin": "constant", "servers": SERVERS, "tasks": TASKS, "keyed_groups": KEYED},
    ),
}


def measure(rounds: int) -> Seconds:
    """Return the seconds that ``ansible-inventory --list`` takes for each inventory, one after the other each round."""
    servers: list[dict[str, Any]] = [{"name": f"S{number}", "tasks": []} for number in range(SERVERS)]
    for number in range(TASKS):
        task = {"name": f"t {number // SERVERS}", "state": "RUNNING", "assigned_tags": ["nightly"]}
        servers[number % SERVERS]["tasks"].append(task)
    seconds: Seconds = {name: [] for name in FILES}
    seconds["A second"] = [1.0]
    with stand_in({"servers": servers}) as access, tempfile.TemporaryDirectory() as folder:
        for file, content in FILES.values():
            Path(folder, file).write_text(json.dumps(content))
        environ = {"ANSIBLE_INVENTORY_PLUGINS": str(HERE / "inventory_plugins"), **connection(access)}
        for _round in range(rounds):
            for name, (file, _content) in FILES.items():
                seconds[name].append(_list(Path(folder, file), environ, SERVERS if "servers" in name else TASKS))
    return seconds


def _list(file: Path, environ: dict[str, str], hosts: int) -> float:
    """Return the seconds that one ``ansible-inventory --list`` takes, which must show so many hosts."""
    begin = time.monotonic()
    command = ["ansible-inventory", "--inventory", str(file), "--list"]
    process = subprocess.run(command, env=os.environ | environ, capture_output=True, text=True, check=False)
    duration = time.monotonic() - begin
    shown = json.loads(process.stdout or "{}")
    if len(shown.get("_meta", {}).get("hostvars", {})) != hosts:
        raise SystemExit(f"{process.stderr[-5000:]}\nNot the {hosts} hosts of {file.name}")
    return duration
