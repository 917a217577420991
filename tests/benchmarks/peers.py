# Copyright (c) 2026, dataops.qlik_em contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What users would pick otherwise for a loop over tasks: uri, uri under Mitogen, a connection of httpapi."""

from __future__ import annotations

from collections import defaultdict
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import ansible_mitogen

from .playing import PASSWORD, USER, Seconds, play_at, stand_in

ITEMS = 50
WAYS = ("process", "uri", "mitogen", "httpapi")
SHOWN = (
    "Loop of set_fact",
    "Loop in process, with a session",
    "Loop of uri under Mitogen",
    "Loop over httpapi",
    "Loop of uri",
)
MITOGEN = {
    "ANSIBLE_STRATEGY": "mitogen_linear",
    "ANSIBLE_STRATEGY_PLUGINS": str(Path(ansible_mitogen.__file__).parent / "plugins" / "strategy"),
}


def measure(rounds: int) -> Seconds:
    """Return the seconds of each loop, each with a playbook of its own kind, one after the other each round."""
    tasks = [{"name": f"{way} {number}", "state": "RUNNING"} for way in WAYS for number in range(ITEMS)]
    seconds: Seconds = defaultdict(list)
    with stand_in({"servers": [{"name": f"round {number}", "tasks": tasks} for number in range(rounds)]}) as access:
        for number in range(rounds):
            given = {"bench_server": f"round {number}", "bench_items": ITEMS}
            for found in (
                play_at(access, "peers.yml", **given),
                play_at(access, "peers_mitogen.yml", MITOGEN, **given),
                play_at(access, "peer/httpapi.yml", **given, **_over_httpapi(access)),
            ):
                for task, times in found[0].items():
                    seconds[task] += times
    return seconds


def _over_httpapi(access: dict[str, Any]) -> dict[str, Any]:
    """Return the variables of such a connection."""
    address = urlsplit(access["url"])
    return {
        "bench_host": address.hostname,
        "ansible_httpapi_port": address.port,
        "ansible_httpapi_use_ssl": True,
        "ansible_httpapi_ca_path": access["ca_path"],
        "ansible_user": USER,
        "ansible_httpapi_password": PASSWORD,
    }
