# Copyright (c) 2026, dataops.qlik_em contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Each module fails at each of its requests: ``changed`` is true as soon as a write may have been done.

The ways to fail are taken in turn, a few for each request. EVERY_FAULT=1 tries each way at each request.
"""

from __future__ import annotations

import itertools
import os
import zlib
from pathlib import Path
from typing import Any, ClassVar

import pytest
from ansible_collections.dataops.qlik_em.plugins.module_utils._client.limits import Limits
from ansible_collections.dataops.qlik_em.tests.functional.every_module.cases import Case, all_cases, filled
from ansible_collections.dataops.qlik_em.tests.functional.support.time_lapse import time_lapse
from ansible_collections.dataops.qlik_em.tests.functional.support.user import MODULES, Run, User
from ansible_collections.dataops.qlik_em.tests.simulator.handle import Handle

ADMIN = {"username": "admin@corp.example", "password": "admin-test-password"}
# From the request that is to fail on, all do.
FAILURES: dict[str, dict[str, Any]] = {
    "a redirect": {"fault": "redirect", "location": "https://elsewhere.example/"},
    "a 401 page": {"fault": "status", "status": 401},
    "a 403 page": {"fault": "status", "status": 403},
    "a 404 page": {"fault": "status", "status": 404, "headers": {"Server": "nginx"}},
    "a 429 page": {"fault": "status", "status": 429},
    "a 503 page": {"fault": "status", "status": 503},
    "a refusal": {"fault": "error", "error_code": "UNAUTHORIZED_REQUEST", "http_status": 403},
    "a failure": {"fault": "error", "error_code": "AEM_NEVER_HEARD_OF"},
    "a cut": {"fault": "cut_before"},
    "no JSON": {"fault": "bad_json"},
    "another form": {"fault": "answer", "json": []},
}
AT_ONCE = len(FAILURES) if os.environ.get("EVERY_FAULT") else 2  # ways to fail at one request
DEFINITIVE = ("a refusal", "a failure")  # of the API: a write that is answered so was not done
QUICK = {"wait_timeout": 1, "wait_sleep": 0.5, "timeout": 1, "parallel": 1}
CASES = [case for case in all_cases() if case.changes and not case.is_file_only]
stand_in = pytest.fixture(time_lapse, scope="module")


class Hasty(User):
    """A user who waits for nothing."""

    limits: ClassVar[Limits] = Limits(
        attempts=2, first_pause=0.01, lost_effect=0.2, import_lag=0.2, defaults_after=0.2, list_age=0
    )


def hurried(case: Case, values: dict[str, str]) -> dict[str, Any]:
    """Return the options of a case, each wait of which ends soon."""
    spec = MODULES[case.module].SPEC.argument_spec
    options = {**filled(case.options, values), **{name: value for name, value in QUICK.items() if name in spec}}
    if "drain" in options or options.get("state") == "drained":
        options["drain"] = {**options.get("drain", {}), "timeout": 1}
    if "start_when" in options:
        options["start_when"] = {**options["start_when"], "timeout": 1}
    return options


def play(em: Handle, case: Case, folder: Path) -> Run:
    """Run a case, in a hurry."""
    values = {"folder": str(folder), "address": f"{em.url}/attunityenterprisemanager"}
    return Hasty(em, defaults=ADMIN).run(case.module, **hurried(case, values))


def writes(run: Run) -> list[dict[str, Any]]:
    """Return the requests that are not reads."""
    return [r for r in run.requests if r["method"] != "GET" and r["operation"] != "Login"]


def expected(run: Run, failure: str) -> set[bool]:
    """Return what ``changed`` may be."""
    sent = writes(run)
    if any(r["executed"] for r in sent):
        return {True}
    if not sent or failure in DEFINITIVE:
        return {False}
    # The server may say that it has done nothing of it.
    return {True, False} if failure == "a 429 page" else {True}


@pytest.mark.parametrize("case", CASES, ids=str)
def test_a_failure_after_a_write_says_changed(em, tmp_path, case):
    def fresh(name: str) -> Path:
        em.reset()
        case.prepare(em)
        em.clear_requests()
        folder = tmp_path / name
        folder.mkdir()
        return folder

    whole = play(em, case, fresh("whole"))
    assert not whole.failed and whole.changed, whole.result
    wrong = []
    asked = whole.operations
    turns = itertools.cycle(FAILURES.items())
    next(itertools.islice(turns, zlib.crc32(str(case).encode()) % len(FAILURES), None))  # each case begins elsewhere
    # Neither login nor logout, and of a wait the first reading only.
    for number in [number for number in range(2, len(asked)) if asked[number - 1] != asked[number - 2]]:
        for failure, rule in itertools.islice(turns, AT_ONCE):
            folder = fresh(f"{number} {failure}")
            before = em.state()["servers"]
            em.faults([{**rule, "nth": number, "count": 1000}])
            run = play(em, case, folder)
            allowed = expected(run, failure) if run.failed else {True, False}
            if "left_behind" in run.result:
                allowed |= {True}  # what could not be read may be there
            if em.state()["servers"] == before:
                allowed |= {False}  # what was done was undone, too
            if run.changed not in allowed or "Unexpected" in run.result.get("msg", ""):
                sent = [(r["operation"], r["executed"]) for r in run.requests]
                wrong.append((number, failure, run.changed, run.result.get("msg"), sent))
    assert not wrong, "\n".join(map(str, wrong))
