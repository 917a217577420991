# Copyright (c) 2026, dataops.qlik_em contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Writes how long each task took: a JSON line each, into the file that BENCH_DURATIONS names."""

from __future__ import annotations

import json
import os
import time
from typing import Any

from ansible.plugins.callback import CallbackBase

DOCUMENTATION = """
name: durations
type: aggregate
short_description: Writes how long each task took
description: Writes how long each task took, its loop included.
"""


class CallbackModule(CallbackBase):
    """Measures from the start of a task to its result."""

    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "aggregate"
    CALLBACK_NAME = "durations"

    def __init__(self) -> None:
        super().__init__()
        self._began = 0.0

    def v2_playbook_on_task_start(self, task: Any, is_conditional: bool) -> None:
        self._began = time.perf_counter()

    def v2_runner_on_ok(self, result: Any) -> None:
        took = time.perf_counter() - self._began
        with open(os.environ["BENCH_DURATIONS"], "a", encoding="utf-8") as file:
            line = {"task": result._task.get_name(), "seconds": took}
            if line["task"] == "Summary":
                line["summary"] = (result.result if hasattr(result, "result") else result._result)["json"]
            file.write(json.dumps(line) + "\n")
