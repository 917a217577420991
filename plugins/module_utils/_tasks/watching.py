# Copyright (c) 2026, dataops.qlik_em contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is private to the collection.

"""How far a task is, for somebody who watches: a line every few seconds while it is followed."""

from __future__ import annotations

import time

from .._client.api import Api
from .._run.result import Mode
from .control import Watch
from .model import TaskName, TaskSnapshot


def watch_task(api: Api, task: TaskName, mode: Mode) -> Watch:
    """Return what shows the readings of one task, the first one after a while."""
    interval = api.client.limits.progress_interval
    due = time.monotonic() + interval

    def watch(snapshot: TaskSnapshot) -> None:
        nonlocal due
        if time.monotonic() >= due:
            due = time.monotonic() + interval
            mode.progress(f"{task} is {standing(snapshot)}")

    return watch


def standing(snapshot: TaskSnapshot) -> str:
    """Return the state of a task and how far its work is, in a few words."""
    work = str(snapshot.work) if snapshot.work else ""
    return f"{snapshot.state}: {work}" if work else snapshot.state
