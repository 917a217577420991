# Copyright (c) 2026, dataops.qlik_em contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is private to the collection.

"""The methods of the vendor guide, one each, by the guide's names in snake case."""

from __future__ import annotations

from typing import Any

from ._client import Answer, Call, Client


class Api:
    """The API as methods. All raise what ``Client.call`` raises."""

    def __init__(self, client: Client) -> None:
        self.client = client

    def get_server_list(self, accept: tuple[str, ...] = ()) -> list[dict[str, Any]]:
        """GetServerList: the servers that the user may see (an accepted error code: none)."""
        answer = self.client.call(
            Call(
                "GetServerList",
                "GET",
                ("servers",),
                role="Viewer on All Servers",
                needs=("serverList", list),
                accept=accept,
            )
        )
        return [] if answer.error_code else answer.body["serverList"]

    def get_task_list(self, server: str) -> list[dict[str, Any]]:
        """GetTaskList: name, state, stop reason, message and tags of each task of ``server``."""
        call = Call(
            "GetTaskList",
            "GET",
            ("servers", server, "tasks"),
            _server(server),
            "Viewer on All Tasks",
            needs=("taskList", list),
        )
        return self.client.call(call).body["taskList"]

    def get_task_details(self, server: str, task: str, accept: tuple[str, ...] = ()) -> dict[str, Any]:
        """GetTaskDetails: state, counters and latency of a task (an accepted error code: empty)."""
        call = Call(
            "GetTaskDetails",
            "GET",
            _task_path(server, task),
            _task(server, task),
            "Viewer on the task",
            needs=("state", str),
            accept=accept,
        )
        answer = self.client.call(call)
        return {} if answer.error_code else answer.body

    def run_task(
        self, server: str, task: str, option: str, timeout: int, cdc_position: str | None, accept: tuple[str, ...]
    ) -> Answer:
        """RunTask: start a stopped task; answers when it runs or ``timeout`` seconds are over."""
        call = Call(
            "RunTask",
            "POST",
            _task_path(server, task),
            _task(server, task),
            "Operator on the task",
            # Replicate needs the option; Compose takes RESUME_PROCESSING since May 2024 (notes, 5).
            query={"action": "run", "option": option, "timeout": timeout},
            body={"cdcposition": cdc_position} if cdc_position else None,
            server_timeout=timeout,
            needs=("state", str),
            accept=accept,
        )
        return self.client.call(call)

    def stop_task(self, server: str, task: str, timeout: int, accept: tuple[str, ...]) -> Answer:
        """StopTask: stop a task; answers when it is stopped or ``timeout`` seconds are over."""
        call = Call(
            "StopTask",
            "POST",
            _task_path(server, task),
            _task(server, task),
            "Operator on the task",
            query={"action": "stop", "timeout": timeout},
            server_timeout=timeout,
            needs=("state", str),
            accept=accept,
        )
        return self.client.call(call)


def _server(server: str) -> str:
    return f'server "{server}"'


def _task(server: str, task: str) -> str:
    return f'task "{task}" on {_server(server)}'


def _task_path(server: str, task: str) -> tuple[str, ...]:
    return ("servers", server, "tasks", task)
