# Copyright (c) 2026, dataops.qlik_em contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs the benchmark playbooks and prints their figures as Markdown."""

from __future__ import annotations

import argparse
import os
import platform
import re
import statistics
import subprocess
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from . import estates, events, fleets, inventories, metrics, peers, tasks, windows
from .playing import Seconds

PAGE = Path(__file__).parents[2] / "docs" / "benchmarks.md"


def committed() -> dict[str, float]:
    """Return the ratios of the page, which are those of the last run that was committed, by their names."""
    found = re.findall(r"^\| ([^|]+ / [^|]+) \| ([\d.]+) \|", PAGE.read_text(), re.MULTILINE)
    return {name: float(value) for name, value in found}


@dataclass
class Ratio:
    """What is measured, beside what, and the bound that we promise (``at_most``, or else at least)."""

    task: str
    beside: tuple[str, ...]
    bound: float | None = None
    at_most: bool = True

    def value(self, seconds: Seconds) -> float:
        """The median of the ratios round by round: what is compared ran within a short time."""
        columns = [seconds[one] for one in (self.task, *self.beside)]
        rounds = max(map(len, columns))
        aligned = [one * rounds if len(one) == 1 else one for one in columns]  # what ran once stands beside each round
        pairs = [(one, sum(others)) for one, *others in zip(*aligned, strict=True)]
        return statistics.median(one / other if self.at_most else other / one for one, other in pairs)

    def is_kept(self, seconds: Seconds) -> bool:
        """Whether the promise holds."""
        if self.bound is None:
            return True
        return self.value(seconds) <= self.bound if self.at_most else self.value(seconds) >= self.bound

    def line(self, seconds: Seconds, last: dict[str, float]) -> str:
        """A line of the table; ``last`` are the ratios of the last run, by their names."""
        names = (
            f"{self.task} / ({' + '.join(self.beside)})" if len(self.beside) > 1 else f"{self.task} / {self.beside[0]}"
        )
        if not self.at_most:
            names = f"{self.beside[0]} / {self.task}"
        bound = "" if self.bound is None else f"{'<=' if self.at_most else '>='} {self.bound:g}"
        value = self.value(seconds)
        beside = f"{value / last[names]:.2f}" if names in last else ""
        return f"| {names} | {value:.3g} | {bound} | {beside} |"


SINGLE = (
    Ratio("In process", ("Uri",), 0.15),
    Ratio("As a module", ("Uri",), 1.2),
    Ratio("Loop in process", ("Loop of uri",), 0.05),
    Ratio("Short loop as a module", ("Short loop of uri",), 1.2),
    Ratio("In process", ("Set_fact",)),
    Ratio("Loop in process", ("Loop of set_fact",)),
)
PEERS = (
    Ratio("Loop in process, with a session", ("Loop of set_fact",), 1.5),
    Ratio("Loop in process, with a session", ("Loop of uri under Mitogen",), 0.2),
    Ratio("Loop in process, with a session", ("Loop over httpapi",)),
)
FLEET = (
    Ratio("Batch of slow stops", ("The stops themselves", "Empty batch"), 1.15),
    Ratio("Batch of quick stops", ("Loop of uri",), 50, at_most=False),
    Ratio("Loop of aem_task, slow stops", ("Batch of slow stops",)),
    Ratio("Loop of uri, slow stops", ("Batch of slow stops",)),
)
INVENTORY = (
    Ratio("Inventory of tasks", ("Constant inventory",), 1.2),
    Ratio("Inventory of servers", ("A second",), 3),
)
EVENTS = (Ratio("Round of events", ("A second",), 2),)


def table(seconds: Seconds, shown: Iterable[str], ratios: Iterable[Ratio]) -> tuple[str, bool]:
    """Return the figures of what was measured as Markdown, and whether all promises are kept."""
    shown, ratios = [one for one in shown if seconds[one]], [one for one in ratios if seconds[one.task]]

    def milliseconds(task: str) -> str:
        times = [1000 * one for one in seconds[task]]
        return f"{statistics.median(times):.0f} ({min(times):.0f} to {max(times):.0f}, n = {len(times)})"

    lines = ["| task | ms, median (range) |", "|---|---|", *(f"| {task} | {milliseconds(task)} |" for task in shown)]
    last = committed()
    lines += ["", "| ratio | measured | promised | / the last run |", "|---|---|---|---|"]
    lines += [ratio.line(seconds, last) for ratio in ratios]
    return "\n".join(lines), all(ratio.is_kept(seconds) for ratio in ratios)


def main() -> int:
    """Measure and print; 1 if a promise is not kept."""
    parser = argparse.ArgumentParser(prog="make bench")
    parser.add_argument("--singles", type=int, default=25, help="rounds of single tasks")
    parser.add_argument("--loops", type=int, default=3, help=f"rounds of loops over {tasks.ITEMS} tasks")
    parser.add_argument("--peers", type=int, default=3, help=f"rounds of loops over {peers.ITEMS} tasks in other ways")
    parser.add_argument("--fleets", type=int, default=3, help="rounds of batches; the slow loops run once")
    parser.add_argument("--windows", type=int, default=3, help=f"rounds of a window of {windows.TASKS} tasks")
    parser.add_argument(
        "--estates", type=int, default=3, help=f"rounds of {estates.TASKS} tasks by one and two runners"
    )
    parser.add_argument("--inventories", type=int, default=5, help="rounds of inventories")
    parser.add_argument("--events", type=int, default=5, help="rounds of the event source")
    parser.add_argument("--metrics", type=int, default=3, help=f"rounds of the metrics of {metrics.TASKS} tasks")
    arguments = parser.parse_args()
    version = subprocess.run(["ansible", "--version"], capture_output=True, text=True, check=True).stdout
    print(f"{version.splitlines()[0]}, Python {platform.python_version()}, {os.cpu_count()} x {platform.machine()}")
    kept = True
    if arguments.singles:
        seconds = tasks.measure(arguments.singles, arguments.loops)
        shown = ["Set_fact", "In process", "Uri", "As a module", "Loop of set_fact", "Loop in process", "Loop of uri"]
        shown += ["Short loop of uri", "Short loop as a module"]
        text, kept = table(seconds, shown, SINGLE)
        print(f"\n{text}", flush=True)
        phases = tasks.measure_phases(arguments.singles)
        lines = [f"| {phase} | {milliseconds:.1f} |" for phase, milliseconds in phases.items()]
        print("\n".join(["", "| one stop, without Ansible around it | ms, median |", "|---|---|", *lines]), flush=True)
    if arguments.peers:
        text, is_kept = table(peers.measure(arguments.peers), peers.SHOWN, PEERS)
        print(f"\n{text}", flush=True)
        kept = kept and is_kept
    if arguments.fleets:
        seconds = fleets.measure(arguments.fleets)
        text, is_kept = table(seconds, [*fleets.SHOWN], FLEET)
        print(f"\n{text}", flush=True)
        text, grows_evenly = fleets.measure_growth(arguments.fleets)
        print(f"\n{text}")
        kept = kept and is_kept and grows_evenly
    if arguments.windows:
        text, is_kept = windows.measure(arguments.windows)
        print(f"\n{text}")
        kept = kept and is_kept
    if arguments.estates:
        text, is_kept = estates.measure(arguments.estates)
        print(f"\n{text}", flush=True)
        kept = kept and is_kept
    if arguments.inventories:
        text, is_kept = table(inventories.measure(arguments.inventories), [*inventories.SHOWN], INVENTORY)
        print(f"\n{text}")
        kept = kept and is_kept
    if arguments.events:
        text, is_kept = table(events.measure(arguments.events), events.SHOWN, EVENTS)
        print(f"\n{text}")
        kept = kept and is_kept
    if arguments.metrics:
        text, is_kept = metrics.measure(arguments.metrics)
        print(f"\n{text}")
        kept = kept and is_kept
    return 0 if kept else 1


if __name__ == "__main__":
    sys.exit(main())
