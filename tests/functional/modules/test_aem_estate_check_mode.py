# Copyright (c) 2026, dataops.qlik_em contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""aem_estate, state applied in check mode: what a run would do, or refuse."""

from __future__ import annotations

import pytest
from ansible_collections.dataops.qlik_em.tests.functional.support.estate_runs import PROD, Estate, written


@pytest.fixture
def estate(em, tmp_path):
    """Files that differ from the server, and a plan."""
    estate = Estate(em, tmp_path)
    estate.prepare()
    return estate


def late_file(estate):
    """Change a file after the plan was made."""
    estate.edit("endpoints/ERP.json", lambda item: item["db_settings"].update(server="late"))


def test_nothing_is_tested_stopped_or_sent_in_check_mode(estate):
    before = estate.picture()
    run = estate.run("applied", check=True)
    assert run.changed and written(run) == [] and "TestEndpoint" not in run.operations
    assert estate.picture() == before
    assert not estate.plan.with_name("plan.json.run").exists()


@pytest.mark.parametrize(
    ("prepare", "options", "words"),
    [
        (lambda estate: estate.plan.unlink(), {}, "There is no plan"),
        (lambda _estate: None, {"secrets": {}}, "is new, and its secrets are not known"),
        (lambda _estate: None, {"secrets": {PROD: {"Shpo": {"password": "x"}}}}, 'there is no endpoint "Shpo"'),
        (lambda _estate: None, {"force": False}, "that needs prune: confirm and force: true"),
        (lambda _estate: None, {"prune": "report"}, "that needs prune: confirm and force: true"),
        (late_file, {}, "was changed in the files or the overlay"),
        (lambda estate: estate.em.set_server(PROD, state="ERROR"), {}, "cannot be reached"),
        (lambda estate: estate.die_at(1), {"secrets": {}}, "is new, and its secrets are not known"),
        (lambda estate: (estate.die_at(3), late_file(estate)), {}, "did not come to its end, and the endpoint"),
    ],
    ids=["plan", "secret", "name", "force", "prune", "files", "server", "killed", "killed and edited"],
)
def test_check_mode_refuses_what_a_run_refuses_before_it_writes_in_the_same_words(estate, prepare, options, words):
    prepare(estate)
    check, run = estate.run("applied", **options, check=True), estate.run("applied", **options)
    assert check.failed and run.failed and not run.changed and written(check) == written(run) == []
    assert words in check.msg and (check.msg, check.result.get("hint")) == (run.msg, run.result.get("hint"))


def test_check_mode_says_that_a_run_that_was_killed_goes_on_forward_or_with_putting_back(estate):
    estate.die_at(7)
    check = estate.run("applied", check=True)
    assert check.changed and not check.failed and written(check) == []
    run = estate.run("applied")
    members = ("steps", "counts", "fingerprint")
    assert [run.result[member] for member in members] == [check.result[member] for member in members]
    estate.die_at(6, "backed_out")
    check = estate.run("applied", check=True)
    assert check.failed and written(check) == [] and check.result["back_out"] == "backing_out"
    assert "had failed, and ended while it put back. The next run goes on with putting back" in check.msg
    for name in ("applied", "backed_out"):
        estate.plan.with_name("plan.json.before").unlink(missing_ok=True)
        assert "plan.json.before is missing" in estate.run(name, check=True).msg
