# Copyright (c) 2026, dataops.qlik_em contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is private to the collection.

"""What became of the sick tasks: a row for each, counts, and lines for who is woken up. Plain data."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from .._common.rows import Row, counted, first
from .._common.times import time_at
from .._run.result import diff
from .._tasks.model import TaskName
from .healing import NEVER, QUARANTINE, RESTART, WAIT, WINDOW, Decision, Plan
from .results import shown_states

WINDOW_BEGAN = "A maintenance window was opened in the meantime: nothing was sent."
STARTED_MEANWHILE = "Somebody has started it in the meantime: nothing was sent."
COUNTS = {"waiting": WAIT, "quarantined": QUARANTINE, "never": NEVER, "in_window": WINDOW}
URGENCY = (QUARANTINE, NEVER, RESTART, WAIT, WINDOW)  # the order of the lines, below the failures

View = dict[str, Any]  # a row as results show it


class Outcome:
    """The rows of the sick tasks; those to be restarted say so only when it is known what came of it."""

    def __init__(self, plan: Plan, selected: int) -> None:
        self._plan, self._selected = plan, selected
        self._views = {one.task: _view(one) for one in plan.decisions}

    @property
    def due(self) -> list[Decision]:
        """The restarts that the policy allows now."""
        return [one for one in self._plan.decisions if one.kind == RESTART]

    @property
    def released(self) -> list[str]:
        """The tasks that are in quarantine no more because the user says so."""
        return [str(task) for task in self._plan.released]

    @property
    def views(self) -> list[View]:
        """A row for each sick task."""
        return list(self._views.values())

    def foresee(self, is_changed: bool) -> None:
        """Note that nothing is sent; ``is_changed`` is whether a real run would restart what is due."""
        for one in self.due:
            view = self._views[one.task]
            view.update(changed=is_changed, msg=f"{one.why} would be sent.")
            if is_changed:
                view["after"] = "RUNNING"

    def take(self, views: Iterable[View], in_window: Mapping[TaskName, str]) -> None:
        """Note what came of the restarts; ``in_window`` are tasks that were left alone for a window that has begun."""
        why = {one.task: one.why for one in self.due}
        for view in views:
            task = TaskName(view["server"], view["name"])
            mine = self._views[task]
            mine.update(view)
            if task in in_window:
                mine.update(decision=WINDOW, failed=False, skipped=True, hint="", error_code=None, msg=WINDOW_BEGAN)
            elif view["changed"] and not view["failed"]:
                mine["msg"] = f"{why[task]} was done."
            elif not view["failed"] and not view["skipped"]:
                mine["msg"] = STARTED_MEANWHILE

    @property
    def is_changed(self) -> bool:
        """Whether a task was restarted, or may have been, or was released."""
        return bool(self._plan.released) or any(view["changed"] for view in self.views)

    @property
    def failures(self) -> list[str]:
        """A line for each restart that failed."""
        return first([_line(view) for view in self.views if view["failed"]])

    def counts(self) -> dict[str, int]:
        """Return how many tasks there are of each kind."""
        views = self.views
        return {
            "selected": self._selected,
            "sick": len(views),
            "due": sum(view["decision"] == RESTART for view in views),
            "restarted": sum(view["changed"] and not view["failed"] for view in views),
            "failed": sum(view["failed"] for view in views),
            **{name: sum(view["decision"] == kind for view in views) for name, kind in COUNTS.items()},
        }

    def report(self) -> list[str]:
        """Return what an operator reads: how many there are, and a line for each, the worst first."""
        counts = self.counts()
        counts["due"] -= counts["restarted"] + counts["failed"]
        kinds = ((name, counts[name]) for name in counts if name not in ("selected", "sick"))
        parts = ", ".join(f"{count} {name.replace('_', ' ')}" for name, count in kinds if count)
        views = sorted(self.views, key=lambda view: (not view["failed"], URGENCY.index(view["decision"])))
        sick = f"{len(views)} of {self._selected} tasks are sick"
        return [f"{sick}: {parts}." if parts else f"{sick}.", *first([_line(view) for view in views])]

    def warnings(self) -> list[str]:
        """Return what must not be overlooked: the tasks that stay as they are until somebody acts."""
        left = [_label(view) for view in self.views if view["decision"] == QUARANTINE]
        names = ", ".join(first(left))
        return [f"{counted(len(left), 'task')} in quarantine will not be restarted: {names}."] if left else []

    def diff(self) -> dict[str, Any]:
        """Return the states of the tasks that are restarted, and which restart that is."""
        changed = [view for view in self.views if view["changed"]]
        before = {_label(view): view["before"] for view in changed}
        after = {_label(view): f"{view['after']} (restart {view['restarts'] + 1})" for view in changed}
        before.update((task, "in quarantine") for task in self.released if task not in before)
        after.update((task, "released") for task in self.released if task not in after)
        return diff(shown_states(before), shown_states(after), "tasks")


def _view(decision: Decision) -> View:
    """Return the row of a task that is left alone, or is not restarted yet."""
    names, state = decision.task._asdict(), decision.state
    row = Row(names, str(decision.task), state, state, skipped=decision.kind != RESTART, msg=decision.why)
    until = None if decision.until is None else time_at(decision.until)
    return {**row.view(), "decision": decision.kind, "restarts": decision.restarts, "until": until}


def _label(view: View) -> str:
    return str(TaskName(view["server"], view["name"]))


def _line(view: View) -> str:
    return f"{_label(view)}: {view['msg']}"
