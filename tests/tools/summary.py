# Copyright (c) 2026, dataops.qlik_em contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What `make test` ends with: which sessions ran, how long, what they counted, what was skipped and why."""

from __future__ import annotations

import json
import re
import sys
import xml.etree.ElementTree
from collections import Counter
from typing import Any, NamedTuple

from .bootstrap import BUILD, VERSIONS

RESULTS = ("passed", "failed", "skipped")
TELLING = re.compile(r"(E +)?(fatal: |failed: |\[?ERROR|\"msg\": )")
MOST_LINES, LONGEST = 12, 600
MAY_FAIL = "pre-release"  # nobody has to be ready for an ansible-core that is not released; what fails is shown


class Test(NamedTuple):
    """How a test of a session ended; ``report`` is what pytest wrote of its failure."""

    name: str
    result: str
    report: str

    def reason(self) -> list[str]:
        """Return the last lines that tell why: of the output of a playbook, only those on its failures."""
        lines = self.report.splitlines()
        lines = [line for line in lines if line.startswith("E ")] or lines  # those with E are pytest's
        if any("fatal: [" in line for line in lines):
            lines = [line for line in lines if TELLING.match(line)]
        return [line[:LONGEST] for line in lines[-MOST_LINES:]]


def tests(session: dict[str, Any]) -> list[Test]:
    """Return how each test of a session ended."""
    found = []
    for report in sorted((BUILD / "results" / session["name"]).glob("*.xml")):
        for case in xml.etree.ElementTree.parse(report).iter("testcase"):
            ends = {child.tag: child.text or "" for child in case}
            failure = [report for tag, report in ends.items() if tag in ("failure", "error")]
            result = "failed" if failure else "skipped" if "skipped" in ends else "passed"
            found.append(Test(f"{case.get('classname')}::{case.get('name')}", result, "\n".join(failure)))
    return found


def count(session: dict[str, Any], found: list[Test]) -> Counter[str]:
    """Return how many tests of a session passed, failed and were skipped; a session without tests counts as one."""
    counts = Counter(test.result for test in found)
    if session["result"] in ("failed", "aborted"):
        counts["failed"] = counts["failed"] or 1
    elif not counts:
        counts["skipped" if session["result"] == "skipped" else "passed"] = 1
    return counts


def used(session: dict[str, Any]) -> str:
    """Return the seconds of processor time that a session used; those of the linters are not known."""
    seconds = BUILD / "results" / f"{session['name']}.seconds"
    return seconds.read_text() if seconds.exists() else "?"


def text(counts: Counter[str]) -> str:
    """Return counts in the form that pytest closes with."""
    return ", ".join(f"{counts[result]} {result}" for result in RESULTS if counts[result] or result != "skipped")


def sessions_of(step: str) -> list[dict[str, Any]]:
    """Return what nox reported of the sessions of a step; without a report, it failed."""
    report = BUILD / "results" / f"{step}.json"
    if not report.exists():
        return [{"name": step, "result": "failed", "duration": 0, "reason": "nox ended without a report"}]
    return json.loads(report.read_text())["sessions"]


def main(*steps: str) -> int:
    """Print the list; 1 if anything failed."""
    sessions = [session for step in steps for session in sessions_of(step)]
    total: Counter[str] = Counter()
    ended: dict[str, Counter[str]] = {}
    reached = BUILD / "coverage" / "report.txt"
    print("\nLines and branches of the plugins that no test reaches (docs/reliability.md says why)")
    print(reached.read_text() if reached.exists() else "Not measured")
    print(f"\n{'Session':20}   time      CPU   result")
    for session in sorted(sessions, key=lambda session: -session["duration"]):
        found = tests(session)
        counts = ended[session["name"]] = count(session, found)
        if session["name"] != MAY_FAIL:
            total += counts
        reason = f" ({session['reason']})" if session["reason"] else ""
        print(f"{session['name']:20} {session['duration']:4.0f} s   {used(session):>4} s   {text(counts)}{reason}")
        # The end of its log, which was shown, may not go back so far.
        for test in found:
            if test.result == "failed":
                print(f"  failed: {test.name}", *test.reason(), sep="\n    ")
    pythons = [version for version in VERSIONS if (BUILD / "pythons" / f"python{version}").exists()]
    print(f"\nPythons: {', '.join(pythons)}")
    if missing := [version for version in VERSIONS if version not in pythons]:
        print(f"Pythons skipped, not on this machine: {', '.join(missing)}")
    failed = [session["name"] for session in sessions if ended[session["name"]]["failed"]]
    if MAY_FAIL in steps:
        result = "failed, and may" if MAY_FAIL in failed else "passed"
        print(f"The ansible-core that comes next: {result} (output in .build/logs/{MAY_FAIL}.log; counted in no total)")
        failed = [name for name in failed if name != MAY_FAIL]
    print(f"Failed: {', '.join(failed)} (output in .build/logs)" if failed else "Nothing failed")
    # The form that pytest closes with: alone on the last line, for those who read logs by machine.
    print(text(total), flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
