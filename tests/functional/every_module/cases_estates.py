# Copyright (c) 2026, dataops.qlik_em contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Cases for test_every_module.py: estates as files, and plans for them."""

from __future__ import annotations

import atexit
import os
import shutil
import tempfile
from functools import partial
from pathlib import Path
from typing import Any

from ansible_collections.dataops.qlik_em.tests.functional.every_module.cases import Case
from ansible_collections.dataops.qlik_em.tests.functional.support.user import User
from ansible_collections.dataops.qlik_em.tests.simulator.handle import Handle

PROD = "Replicate-Prod"
ADMIN = {"username": "admin@corp.example", "password": "admin-test-password"}
TWO = {"path": "{folder}/estate", "include": [{"server": PROD}, {"server": "Replicate-Test"}]}
# What is there before the module runs: not in its folder, which begins empty.
FOLDER = Path(tempfile.gettempdir()) / f"qlik_em_estates_{os.getpid()}"
atexit.register(shutil.rmtree, FOLDER, ignore_errors=True)


def options(state: str, plan: str) -> dict[str, Any]:
    """Return the options for a state that needs a plan."""
    return {
        "state": state,
        "path": str(FOLDER / state / "estate"),
        "plan": plan,
        "include": [{"server": PROD}],
        "wait_sleep": 0.1,
    }


def prepare(state: str, em: Handle) -> None:
    """Gather, and let the files be others than the server; for a back-out, apply that."""
    shutil.rmtree(FOLDER / state, ignore_errors=True)
    (FOLDER / state).mkdir(parents=True)
    user = User(em, defaults=ADMIN)
    given = options("planned", str(FOLDER / state / "plan.json")) | {"path": str(FOLDER / state / "estate")}
    steps = [{"state": "gathered", "plan": None}]
    if state != "planned":
        em.set_task(PROD, "orders", stop_seconds=0, start_seconds=0, memory_lag=0)
        steps.append({"state": "planned"})
    if state == "backed_out":
        steps.append({"state": "applied"})
    for step in steps:
        run = user.run("aem_estate", **{**given, **step})
        assert not run.failed, run.result
        if step["state"] == "gathered" and state != "planned":
            path = FOLDER / state / "estate" / PROD / "endpoints" / "ERP.json"
            path.write_text(path.read_text().replace("erp.corp.example", "new.corp.example"))


CASES = [
    Case("aem_estate", {**TWO, "state": "gathered"}, is_file_only=True),
    Case(
        "aem_estate",
        options("planned", "{folder}/plan.json"),
        prepare=partial(prepare, "planned"),
        changes=False,
        is_file_only=True,
    ),
    Case("aem_estate", options("applied", str(FOLDER / "applied" / "plan.json")), prepare=partial(prepare, "applied")),
    Case(
        "aem_estate",
        options("backed_out", str(FOLDER / "backed_out" / "plan.json")),
        prepare=partial(prepare, "backed_out"),
        has_diff=False,
    ),
]
