# Copyright (c) 2026, dataops.qlik_em contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Everything that CI runs: the steps side by side, and a summary that says what was tested."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

from . import cores, environments
from .layout import LOGS, RESULTS, ROOT
from .outcome import Outcome

# More of them than processors gain nothing and make tests that measure time fail.
WORKERS = min(os.cpu_count() or 1, 4)
TIME_LIMIT = 30 * 60  # seconds for one step, on a slow machine


@dataclass
class Step:
    """A step, its result, and the time it took."""

    name: str
    command: list[str]
    # Two steps that work in the same folder can not run at the same time.
    folder: str = ""
    outcome: Outcome = field(default_factory=Outcome)
    seconds: float = 0.0

    @property
    def log(self) -> Path:
        """Where its output goes."""
        return LOGS / f"{self.name}.log"


def plan() -> list[Step]:
    """The steps in the order in which they start: what fails fast first, then the long ones before the short."""

    def step(name: str, *arguments: str, folder: str = "") -> Step:
        return Step("-".join([name, *arguments]), ["-m", "tests.tools", name, *arguments], folder)

    series = [core.series for core in reversed(cores.available())]
    return [
        step("lint"),
        step("unit"),
        step("functional"),
        step("soak"),
        *(step("ways", core) for core in series),
        *(step("sanity", core, folder=core) for core in series),
        # As modules these targets run in "ways", which compares the two.
        *(step("integration", core, folder=core) for core in series),
        *(step("units", core, folder=core) for core in series),
        step("docs"),
        step("molecule"),
        step("importer"),
        step("demo"),
        step("window"),
    ]


class Gate:
    """Runs steps, tells what happens, and stops what it started when it is interrupted."""

    def __init__(self, steps: list[Step]) -> None:
        self.waiting = list(steps)
        self.done: list[Step] = []
        self.busy: set[str] = set()
        self.running: dict[str, subprocess.Popen[bytes]] = {}
        self.stopped = False
        self.change = threading.Condition()

    def run(self) -> None:
        """Run all steps and return when the last one has ended."""
        with ThreadPoolExecutor(WORKERS) as pool:
            workers = [pool.submit(self._work) for worker in range(WORKERS)]
            try:
                for worker in workers:
                    worker.result()
            finally:
                self._stop()

    def _work(self) -> None:
        while step := self._next():
            try:
                self._run(step)
            finally:
                with self.change:
                    self.busy.discard(step.folder)
                    self.done.append(step)
                    self.change.notify_all()

    def _next(self) -> Step | None:
        with self.change:
            while self.waiting and not self.stopped:
                step = next((step for step in self.waiting if step.folder not in self.busy), None)
                if step:
                    self.waiting.remove(step)
                    if step.folder:
                        self.busy.add(step.folder)
                    return step
                self.change.wait()
            return None

    def _run(self, step: Step) -> None:
        result = RESULTS / f"{step.name}.json"
        result.unlink(missing_ok=True)
        started = time.monotonic()
        with step.log.open("wb") as log:
            # A group of its own, so that nothing of it survives when it is stopped.
            process = subprocess.Popen(
                [sys.executable, *step.command],
                cwd=ROOT,
                env=_variables() | {"STEP_OUTCOME": str(result)},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
            self.running[step.name] = process
            try:
                status = process.wait(TIME_LIMIT)
            except subprocess.TimeoutExpired:
                log.write(f"\nNot finished after {TIME_LIMIT} seconds: stopped\n".encode())
                _end(process)
                status = -1
            del self.running[step.name]
        step.seconds = time.monotonic() - started
        step.outcome = Outcome.load(result) if result.exists() else Outcome()
        if status and not step.outcome.failed:
            step.outcome.failed = 1
        self._tell(step)

    def _tell(self, step: Step) -> None:
        mark = "FAILED" if step.outcome.failed else "ok"
        lines = [f"{mark:6}  {step.name:18} {step.seconds:5.0f} s   {step.outcome}"]
        if step.outcome.failed and not self.stopped:
            log = step.log.read_text(encoding="utf-8", errors="replace")
            reasons = "\n".join(step.outcome.failures) or log
            lines += [f"        | {line}" for line in reasons.splitlines()[-60:]]
        print("\n".join(lines), flush=True)

    def _stop(self) -> None:
        with self.change:
            self.stopped = True
            self.change.notify_all()
        for process in list(self.running.values()):
            _end(process)


def _variables() -> dict[str, str]:
    """The environment without what would lead the tests to a real Enterprise Manager."""
    return {name: value for name, value in os.environ.items() if not name.startswith("QLIK_EM_")}


def _end(process: subprocess.Popen[bytes]) -> None:
    """End a step and all that it started, politely first: it may have a server to shut down."""
    for sign in (signal.SIGINT, signal.SIGTERM, signal.SIGKILL):
        if process.poll() is not None:
            return
        os.killpg(process.pid, sign)
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            continue


def prepare() -> float:
    """Create the environments and return how long it took."""
    started = time.monotonic()
    names = ["lint", "test", "play", "docs", "importer", *(f"core-{core.series}" for core in cores.available())]
    with ThreadPoolExecutor(WORKERS) as pool:
        list(pool.map(environments.ready, names))
    return time.monotonic() - started


def summary(gate: Gate, preparation: float, total: float) -> str:
    """Which step took how long, what was tested on, and the sum."""
    ordered = sorted(gate.done, key=lambda step: -step.seconds)
    lines = ["", "Step                  time   result", f"{'environments':18} {preparation:5.0f} s"]
    lines += [f"{step.name:18} {step.seconds:5.0f} s   {step.outcome}" for step in ordered]
    lines += [f"{step.name:18} not run" for step in gate.waiting]
    lines += ["", *cores.report()]
    failed = [step.name for step in gate.done if step.outcome.failed]
    lines += ["", f"Failed: {', '.join(failed)} (output in {LOGS.relative_to(ROOT)})" if failed else "Nothing failed"]
    lines.append(f"{len(gate.done)} steps in {total:.0f} s")
    return "\n".join(lines)


def main() -> int:
    """Run everything; 0 if all of it passed."""
    for folder in (LOGS, RESULTS):
        folder.mkdir(parents=True, exist_ok=True)
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    started = time.monotonic()
    print("\n".join(cores.report()), flush=True)
    preparation = prepare()
    gate = Gate(plan())
    try:
        gate.run()
    except KeyboardInterrupt:
        print("Interrupted", file=sys.stderr)
        return 130
    total = Outcome()
    for step in gate.done:
        total += step.outcome
    print(summary(gate, preparation, time.monotonic() - started))
    # The form that pytest closes with: alone on the last line, for those who read logs by machine.
    print(total, flush=True)
    return 1 if total.failed else 0


if __name__ == "__main__":
    sys.exit(main())
