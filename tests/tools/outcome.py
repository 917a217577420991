# Copyright (c) 2026, dataops.qlik_em contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a step of the tests counted."""

from __future__ import annotations

import json
import xml.etree.ElementTree
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from pathlib import Path

LONGEST = 4000  # characters of one failure that are repeated


@dataclass
class Outcome:
    """How many tests or checks passed, failed and were skipped."""

    passed: int = 0
    failed: int = 0
    skipped: int = 0
    # What failed and why, for the reader of a long log
    failures: list[str] = field(default_factory=list)

    def __iadd__(self, other: Outcome) -> Outcome:
        self.passed += other.passed
        self.failed += other.failed
        self.skipped += other.skipped
        self.failures += other.failures
        return self

    def __str__(self) -> str:
        text = f"{self.passed} passed, {self.failed} failed"
        return f"{text}, {self.skipped} skipped" if self.skipped else text

    @classmethod
    def of(cls, passed: bool) -> Outcome:
        """A single check."""
        return cls(passed=1) if passed else cls(failed=1)

    @classmethod
    def from_junit(cls, reports: Iterable[Path]) -> Outcome:
        """The sum of the reports."""
        outcome = cls()
        for report in reports:
            for case in xml.etree.ElementTree.parse(report).iter("testcase"):
                results = {child.tag: child for child in case}
                reason = results.get("failure", results.get("error"))
                if reason is not None:
                    outcome.failed += 1
                    text = reason.text or reason.get("message") or ""
                    outcome.failures.append(f"{case.get('classname', '')} {case.get('name')}\n{text[-LONGEST:]}")
                elif "skipped" in results:
                    outcome.skipped += 1
                else:
                    outcome.passed += 1
        return outcome

    def save(self, path: Path) -> None:
        """Keep it for the process that started the step."""
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(asdict(self)), encoding="utf-8")

    @classmethod
    def load(cls, path: Path) -> Outcome:
        """What a step kept."""
        return cls(**json.loads(path.read_text(encoding="utf-8")))
