# Copyright (c) 2026, dataops.qlik_em contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Run one step of the tests: python -m tests.tools STEP [ARGUMENT ...]."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from . import cores, demo, steps, window
from .outcome import Outcome

# Steps that run once for each ansible-core; the first argument may name one, as in "sanity 2.19"
FOR_EACH_CORE = {
    "sanity": steps.sanity,
    "units": steps.units,
    "integration": steps.integration,
    "ways": steps.ways,
}
ONCE = {
    "lint": steps.lint,
    "docs-tables": steps.docs_tables,
    "unit": steps.unit,
    "functional": steps.functional,
    "soak": steps.soak,
    "molecule": steps.molecule,
    "docs": steps.docs,
    "importer": steps.importer,
    "demo": demo.demo,
    "window": window.window,
}


def main(name: str, *arguments: str) -> Outcome:
    """Run the step and return what it counted."""
    if name in ONCE:
        return ONCE[name](*arguments)
    if arguments and arguments[0][0].isdigit():
        return FOR_EACH_CORE[name](*arguments)
    outcome = Outcome()
    for core in cores.available():
        outcome += FOR_EACH_CORE[name](core.series, *arguments)
    return outcome


if __name__ == "__main__":
    counted = main(*sys.argv[1:])
    if "STEP_OUTCOME" in os.environ:
        counted.save(Path(os.environ["STEP_OUTCOME"]))
    print(f"\n{counted}", flush=True)
    sys.exit(1 if counted.failed else 0)
