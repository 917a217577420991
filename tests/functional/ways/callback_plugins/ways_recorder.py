# Copyright (c) 2026, dataops.qlik_em contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import json
import os
from typing import Any

from ansible.plugins.callback import CallbackBase

DOCUMENTATION = r"""
name: ways_recorder
type: aggregate
short_description: Writes the raw result of each task and loop item of this collection, and of each debug, to a file
description:
  - One JSON object a line, to the file that the environment variable E(WAYS_RECORD) names.
"""


class CallbackModule(CallbackBase):
    """Notes what happens, as a callback of any kind would see it."""

    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "aggregate"
    CALLBACK_NAME = "ways_recorder"

    def _note(self, event: str, result: Any) -> None:
        task = result._task
        if not task.action.rpartition(".")[2].startswith(("aem_", "debug")):
            return
        line = {
            "event": event,
            "task": f"{os.path.basename(task.get_path())} {task.get_name()}",
            "host": result._host.get_name(),
            "result": result.result if hasattr(result, "result") else result._result,
        }
        with open(os.environ["WAYS_RECORD"], "a", encoding="utf-8") as record:
            record.write(json.dumps(line, default=str, ensure_ascii=False) + "\n")

    def v2_runner_on_ok(self, result: Any) -> None:
        """Note it."""
        self._note("ok", result)

    def v2_runner_on_failed(self, result: Any, ignore_errors: bool = False) -> None:
        """Note it."""
        self._note("ignored failure" if ignore_errors else "failure", result)

    def v2_runner_on_skipped(self, result: Any) -> None:
        """Note it."""
        self._note("skipped", result)

    def v2_runner_on_unreachable(self, result: Any) -> None:
        """Note it."""
        self._note("unreachable", result)

    def v2_runner_retry(self, result: Any) -> None:
        """Note it."""
        self._note("retry", result)

    def v2_runner_item_on_ok(self, result: Any) -> None:
        """Note it."""
        self._note("item ok", result)

    def v2_runner_item_on_failed(self, result: Any) -> None:
        """Note it."""
        self._note("item failure", result)

    def v2_runner_item_on_skipped(self, result: Any) -> None:
        """Note it."""
        self._note("item skipped", result)

    def v2_runner_on_async_ok(self, result: Any) -> None:
        """Note it."""
        self._note("async ok", result)

    def v2_runner_on_async_failed(self, result: Any) -> None:
        """Note it."""
        self._note("async failure", result)
