# Copyright (c) 2026, dataops.qlik_em contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The checkpoint of a maintenance window, as its documentation describes it."""

from __future__ import annotations

from typing import Any

RAN = ("RUNNING", "RECOVERY", "STARTING")


def tasks_in(document: dict[str, Any]) -> dict[tuple[str, str], tuple[Any, ...]]:
    """Return the tasks: {(server, name): (state, wave, ...)}, with what is known of the latency behind."""
    return {
        (server, item if isinstance(item, str) else item[0]): (
            group["state"],
            group["wave"],
            *([] if isinstance(item, str) else item[1:]),
        )
        for server, groups in document["servers"].items()
        for group in groups
        for item in group["tasks"]
    }


def ran(document: dict[str, Any]) -> set[tuple[str, str]]:
    """Return the tasks that ran."""
    return {task for task, (state, *_more) in tasks_in(document).items() if state in RAN}


def first_form(document: dict[str, Any]) -> dict[str, Any]:
    """Return a checkpoint in schema 1."""
    older = {member: value for member, value in document.items() if member != "servers"}
    tasks = [
        {
            "server": server,
            "name": name,
            "state": state,
            "run_option": "resume_processing" if state in RAN else None,
            "wave": wave,
        }
        for (server, name), (state, wave, *_latency) in tasks_in(document).items()
    ]
    return {**older, "schema": 1, "tasks": tasks}
