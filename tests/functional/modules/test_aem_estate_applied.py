# Copyright (c) 2026, dataops.qlik_em contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""aem_estate, states planned, applied and backed_out: all of a plan, or nothing that stays."""

from __future__ import annotations

import json
import os
import signal
import stat

import pytest
from ansible_collections.dataops.qlik_em.plugins.module_utils._estates.run_state import RunStore
from ansible_collections.dataops.qlik_em.plugins.module_utils._fleets.journal import Journal
from ansible_collections.dataops.qlik_em.tests.functional.support.estate_runs import (
    PROD,
    SECRET,
    WRITES,
    Estate,
    written,
)
from ansible_collections.dataops.qlik_em.tests.functional.support.user import User


@pytest.fixture
def estate(em, tmp_path):
    """Files that differ from the server, and a plan."""
    estate = Estate(em, tmp_path)
    estate.prepare()
    return estate


def test_a_plan_is_applied_once_and_then_nothing_is_left_to_do(estate):
    run = estate.run("applied")
    assert run.changed and not run.failed, run.result
    assert written(run) == list(WRITES)
    assert run.result["counts"] == {"created": 2, "updated": 5, "reordered": 0, "deleted": 1}
    tests = [request["endpoint"] for request in run.requests if request["operation"] == "TestEndpoint"]
    assert sorted(tests) == ["ERP", "Shop", "Warehouse"]
    again = estate.run("applied")
    assert not again.changed and written(again) == [] and again.result["steps"] == []
    assert again.result["fingerprint"] == run.result["fingerprint"]
    planned = estate.run("planned")
    assert not planned.changed and planned.result["steps"] == []
    assert estate.em.task(PROD, "orders")["state"] == "RUNNING"
    assert "invoices" not in estate.em.server(PROD)["tasks"]
    assert estate.em.inside(PROD, "fresh")["definition"]["task"]["source_name"] == "Shop"


def test_two_plans_are_not_applied_to_one_server_at_a_time(estate, monkeypatch):
    other = str(estate.folder / "other.json")
    assert estate.run("planned", plan=other).changed
    runs, note = [], Journal.note

    def noting(journal, event, **members):
        note(journal, event, **members)
        if event == "before" and not runs:
            monkeypatch.undo()
            runs.append(estate.run("applied", plan=other))
            runs.append(estate.run("applied", plan=other, check=True))

    monkeypatch.setattr(Journal, "note", noting)
    assert estate.run("applied").changed and len(runs) == 2
    for run in runs:
        assert run.failed and f'The server "{PROD}" is in use by another run. Nothing was done. It is ' in run.msg
    run = estate.run("applied", plan=other)
    assert not run.failed and not run.changed
    with RunStore(other, f"{estate.em.url}/attunityenterprisemanager").alone_on(["Replicate-Test"]):
        assert estate.run("backed_out").changed  # another server


def test_no_secret_is_in_a_plan_and_what_holds_them_is_private(estate):
    run = estate.run("applied", diff=True)
    for path in estate.folder.glob("plan*"):
        text = path.read_text()
        assert SECRET not in text and "password of ERP" not in text, path
    assert SECRET not in json.dumps(run.result)
    assert stat.S_IMODE(estate.plan.with_name("plan.json.before").stat().st_mode) == 0o600


def test_a_new_endpoint_without_its_secret_is_refused_before_the_first_write(estate):
    run = estate.run("applied", secrets={})
    assert run.failed and not run.changed and written(run) == []
    assert 'endpoint "Shop"' in run.msg and "databases/Shop/db_settings/password" in run.msg


def test_taking_back_a_plan_that_does_not_exist_is_a_failure_and_one_that_was_never_applied_is_none(estate, tmp_path):
    run = estate.run("backed_out", plan=str(tmp_path / "paln.json"))
    assert run.failed and f"There is no plan {tmp_path}/paln.json" in run.msg
    run = estate.run("backed_out")
    assert not run.failed and not run.changed and run.result["back_out"] == "nothing"


def test_a_secret_of_an_endpoint_that_is_misspelt_is_refused_with_the_nearest(estate):
    estate.run("planned")
    run = estate.run("applied", secrets={PROD: {"Warehuose": {"password": "hunter2"}}})
    assert run.failed and 'there is no endpoint "Warehuose" of server' in run.msg
    assert run.result["hint"] == 'Did you mean "Warehouse"?' and "hunter2" not in str(run.result)


def test_a_server_that_cannot_be_read_ends_the_plan_which_skips_none(estate):
    estate.em.set_server(PROD, state="ERROR")
    run = estate.run("planned")
    assert run.failed and f'ExportAll of server "{PROD}" failed' in run.msg
    assert run.result["hint"].endswith(" Or leave such servers out, by include or in the overlay.")


@pytest.mark.parametrize(
    ("plan", "other", "message"),
    [
        ("o.yml", "o.yml", "o.yml is there, and is not a plan. Nothing was done."),
        ("README.json", "README.md", "README.md is there, and is not the page of a plan. Nothing was done."),
        ("plan.md", "x", "plan.md) is where its page would be. Nothing was done."),
    ],
)
def test_a_plan_overwrites_no_file_of_somebody_else(estate, tmp_path, plan, other, message):
    (tmp_path / other).write_text("tasks: []\n")
    run = estate.run("planned", plan=str(tmp_path / plan))
    assert run.failed and message in run.msg and run.operations == [], run.result
    assert (tmp_path / other).read_text() == "tasks: []\n"


def test_without_a_plan_nothing_is_done(estate):
    estate.plan.unlink()
    run = estate.run("applied")
    assert run.failed and run.requests == [] and f"There is no plan {estate.plan}" in run.msg


def test_a_failure_before_the_first_write_leaves_nothing_to_put_back(estate):
    estate.em.faults([{"match": {"operation": "ExportAll"}, "nth": 2, "count": 99, "fault": "status", "status": 403}])
    run = estate.run("applied")
    assert run.failed and not run.changed and "Nothing was changed" in run.msg, run.result
    estate.em.clear_faults()
    assert estate.run("planned").changed and not estate.run("applied").failed


def test_a_plan_that_only_deletes_is_not_done_without_its_word_and_is_taken_back_as_a_whole(em, tmp_path):
    estate, options = Estate(em, tmp_path), {"secrets": {}}
    assert not estate.run("gathered").failed
    for file in ("tasks/invoices.json", "endpoints/ERP standby.json"):
        (estate.path / PROD / file).unlink()
    assert estate.run("planned", **options).result["counts"]["deleted"] == 2
    before = estate.picture()
    run = estate.run("applied", **options, prune="report")
    assert run.failed and written(run) == [] and 'The plan deletes 2 objects, the task "invoices"' in run.msg
    em.faults([{"match": {"operation": "DeleteEndpoint"}, "fault": "error", "error_code": "SYS,GENERIC"}])
    run = estate.run("applied", **options)
    assert run.failed and run.result["back_out"] == "backed_out", run.result
    assert f'The endpoint "ERP standby" on server "{PROD}" could not be deleted: ' in run.msg
    assert estate.picture() == before
    run = estate.run("applied", **options)
    assert run.changed and not run.failed and written(run) == ["DeleteTask", "DeleteEndpoint"], run.result
    assert estate.run("backed_out", **options).changed
    assert estate.picture() == before


def test_deleting_needs_force_and_a_word(estate):
    for options in ({"force": False}, {"prune": "report"}):
        run = estate.run("applied", **options)
        assert run.failed and written(run) == [] and 'task "invoices"' in run.msg, run.msg


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda estate: estate.em.set_server(PROD, description="x"), ""),
        (
            lambda estate: estate.user.run(
                "aem_endpoint", server=PROD, name="ERP", settings={"server": "third.example"}
            ),
            'endpoint "ERP" of server "Replicate-Prod" was changed on the server',
        ),
        (
            lambda estate: estate.edit("endpoints/ERP.json", lambda item: item["db_settings"].update(server="late")),
            'endpoint "ERP" of server "Replicate-Prod" was changed in the files',
        ),
    ],
    ids=["nothing", "the server", "the files"],
)
def test_what_has_changed_since_the_plan_is_refused(estate, change, words):
    change(estate)
    run = estate.run("applied")
    assert run.failed == bool(words), run.result
    if words:
        assert words in run.msg and written(run) == []


def test_an_endpoint_that_does_not_connect_ends_it_before_a_task_is_touched(estate):
    before = estate.picture()
    estate.em.faults([{"match": {"operation": "TestEndpoint", "endpoint": "Shop"}, "fault": "status", "status": 503}])
    estate.em.faults(
        [{"match": {"operation": "TestEndpoint", "endpoint": "Shop"}, "nth": "all", "fault": "cut_before"}]
    )
    run = estate.run("applied")
    assert run.failed and run.changed and run.result["back_out"] == "backed_out", run.result
    assert "everything is as it was" in run.msg
    assert "StopTask" not in run.operations and "RunTask" not in run.operations
    assert estate.picture() == before


@pytest.mark.parametrize("at", [2, 4, 6])
def test_a_write_that_fails_leaves_the_estate_as_it_was(estate, at):
    before = estate.picture()
    nth = WRITES[: at + 1].count(WRITES[at])
    estate.em.faults([{"match": {"operation": WRITES[at]}, "nth": nth, "fault": "status", "status": 500}])
    run = estate.run("applied")
    assert run.failed and run.result["back_out"] == "backed_out", run.result
    assert estate.picture() == before
    estate.em.clear_faults()
    assert not estate.run("applied").failed


def test_a_task_that_does_not_come_up_with_its_new_definition_gets_the_old_one_back(estate):
    before = estate.picture()
    del before["running"]  # the stand-in's task breaks whatever its definition is
    estate.em.set_task(PROD, "orders", error_after_start="no such schema")
    run = estate.run("applied")
    assert run.failed and "no such schema" in run.msg, run.result
    assert run.result["hint"] == "Correct the cause, then apply it again."
    estate.em.set_task(PROD, "orders", error_after_start=None)
    again = estate.run("applied") if run.result["back_out"] == "backing_out" else run
    assert again.result["back_out"] == "backed_out", again.result
    assert estate.picture() == {**before, "running": estate.picture()["running"]}


def test_a_failure_on_one_server_takes_back_what_was_done_on_the_other(em, tmp_path):
    estate, test = Estate(em, tmp_path), "Replicate-Test"
    both = {"include": [{"server": PROD}, {"server": test}], "prune": "report"}
    assert not estate.run("gathered", include=both["include"]).failed
    for server, endpoint in ((PROD, "ERP"), (test, "Source")):
        path = estate.path / server / "endpoints" / f"{endpoint}.json"
        document = json.loads(path.read_text())
        document["db_settings"]["server"] = "new.corp.example"
        path.write_text(json.dumps(document))
    assert estate.run("planned", **both).result["counts"]["updated"] == 2
    before = estate.picture()
    em.faults([{"match": {"operation": "ImportAll", "server": test}, "fault": "status", "status": 403}])
    run = estate.run("applied", **both, secrets={})
    assert run.failed and run.result["back_out"] == "backed_out", run.result
    assert [operation for operation in written(run) if operation == "ImportAll"] == ["ImportAll"] * 3
    assert estate.picture() == before


def test_what_stays_of_very_many_objects_is_a_few_lines_and_all_in_the_result(em, tmp_path):
    admin = {"name": "a", "logins": ["a"], "password": "of-the-admin", "grants": [{"role": "Admin"}]}
    tasks = [{"name": f"t{number:02}", "state": "STOPPED"} for number in range(25)]
    em.reset({"users": [admin], "servers": [{"name": "S", "tasks": tasks}]})
    user = User(
        em, defaults={"username": "a", "password": "of-the-admin", "path": str(tmp_path / "estate"), "wait_sleep": 0.1}
    )
    user.run("aem_estate", include=[{"server": "S"}])
    (tmp_path / "overlay.json").write_text('{"tasks": [{"name": "*", "add": {"task/description": "new"}}]}')
    there = {"plan": str(tmp_path / "plan.json"), "overlay": str(tmp_path / "overlay.json")}
    for state in ("planned", "applied"):
        assert user.run("aem_estate", state=state, **there).changed
    run = user.run("aem_estate", state="backed_out", plan=there["plan"])
    assert len(run.result["left"]) == 25 and len(run.result["warnings"]) == 21, run.result
    assert run.result["warnings"][0].startswith('Not put back: the task "t00" of server "S" keeps ')
    assert run.result["warnings"][-1] == "and 5 more"


def test_a_result_shows_what_awx_keeps_of_very_many_steps_and_the_plan_has_all(em, tmp_path):
    admin = {"name": "a", "logins": ["a"], "password": "of-the-admin", "grants": [{"role": "Admin"}]}
    tasks = [{"name": f"{number:03} {'é' * 180}", "state": "STOPPED"} for number in range(120)]
    em.reset({"users": [admin], "servers": [{"name": "S", "tasks": tasks}]})
    there = {"path": str(tmp_path / "estate"), "plan": str(tmp_path / "plan.json")}
    user = User(em, defaults={"username": "a", "password": "of-the-admin", **there})
    assert user.run("aem_estate", include=[{"server": "S"}]).changed
    overlay = {"tasks": [{"name": "*", "add": {"task/description": "new" * 100}}]}
    (tmp_path / "overlay.json").write_text(json.dumps(overlay))
    options = {"overlay": str(tmp_path / "overlay.json"), "diff": True}
    planned = user.run("aem_estate", state="planned", **options)
    applied = user.run("aem_estate", state="applied", **options)
    assert len(json.loads((tmp_path / "plan.json").read_text())["steps"]) == 120
    for run in (planned, applied):
        result = run.result
        assert run.changed and result["counts"]["updated"] == 120 and len(json.dumps(result)) < 700_000, run.result
        assert 0 < len(result["steps"]) < 120 and len(result["steps"]) + result["truncated"] == 120
        assert result["diff"]["after"]["..."] == f"and {121 - len(result['diff']['after'])} more"
    run = user.run("aem_estate", state="backed_out")
    assert 0 < len(run.result["left"]) < 120 and len(run.result["left"]) + run.result["truncated"] == 120, run.result
    again = user.run("aem_estate", state="backed_out")
    assert not again.changed and again.result["truncated"] == run.result["truncated"]


def test_a_signal_ends_it_without_a_back_out_and_the_next_run_goes_on(estate, monkeypatch):
    note = Journal.note

    def signalling(journal, event, **members):
        note(journal, event, **members)
        if event == "after" and members["call"] == "StopTask":
            os.kill(os.getpid(), signal.SIGTERM)

    monkeypatch.setattr(Journal, "note", signalling)
    run = estate.run("applied")
    monkeypatch.undo()
    assert run.failed and run.changed and "it goes on from what is there" in run.result["hint"], run.result
    assert "back_out" not in run.result and written(run) == ["ImportAll", "StopTask"]
    run = estate.run("applied")
    assert not run.failed and written(run) == list(WRITES[2:]), run.result
    assert not estate.run("planned").changed


def test_a_task_that_somebody_deletes_in_the_middle_is_put_back_and_runs_again(estate, monkeypatch):
    before = estate.picture()
    note = Journal.note

    def deleting(journal, event, **members):
        note(journal, event, **members)
        if event == "after" and members["call"] == "PutServerAcl":
            monkeypatch.undo()
            assert estate.user.task("orders", "absent", force=True).changed

    monkeypatch.setattr(Journal, "note", deleting)
    run = estate.run("applied")
    assert run.failed and f'The task "orders" on server "{PROD}", which ran, is not there any more.' in run.msg
    assert run.result["back_out"] == "backed_out" and estate.picture() == before


def test_an_applied_plan_is_taken_back_on_request(estate):
    before = estate.picture()
    assert estate.run("applied").changed
    run = estate.run("backed_out")
    assert run.changed and run.result["left"] == [], run.result
    assert estate.picture() == before
    assert not estate.run("backed_out").changed


def test_a_run_that_was_killed_goes_on_with_what_it_wanted_only(estate):
    before = estate.picture()
    estate.die_at(3)
    path = estate.path / PROD / "endpoints/ERP.json"
    text = path.read_text()
    estate.edit("endpoints/ERP.json", lambda item: item["db_settings"].update(server="late"))
    run = estate.run("applied")
    assert run.failed and written(run) == [], run.result
    assert f'end, and the endpoint "ERP" of server "{PROD}" was changed in the files' in run.msg
    path.write_text(text)
    estate.user.run("aem_endpoint", server=PROD, name="ERP", settings={"server": "third.example"})
    run = estate.run("applied")
    assert run.failed and f'endpoint "ERP" of server "{PROD}" was changed by somebody else' in run.msg, run.result
    assert run.result["back_out"] == "backed_out" and estate.picture() == before


@pytest.mark.parametrize("line", [1, 2, 7, 13, 17])
def test_the_next_run_goes_on_after_a_kill_and_sends_nothing_twice(estate, line):
    estate.em.clear_requests()
    estate.die_at(line)
    planned = estate.run("planned")
    assert planned.failed and "did not come to its end" in planned.msg
    if line == 1:  # nothing is sent yet, and nothing is without its secret
        run = estate.run("applied", secrets={})
        assert run.failed and 'endpoint "Shop"' in run.msg and written(run) == []
    run = estate.run("applied")
    assert run.changed and not run.failed, run.result
    done = [request["operation"] for request in estate.em.requests() if request["executed"]]
    assert [operation for operation in done if operation in WRITES] == list(WRITES)
    assert not estate.run("planned").changed
    assert estate.em.task(PROD, "orders")["state"] == "RUNNING"


@pytest.mark.parametrize("line", [3, 11])
def test_a_run_that_was_killed_is_backed_out_on_request(estate, line):
    before = estate.picture()
    estate.die_at(line)
    run = estate.run("backed_out")
    assert run.changed and not run.failed, run.result
    assert estate.picture() == before


def test_the_next_run_goes_on_with_a_back_out_that_was_killed(estate):
    before = estate.picture()
    assert estate.run("applied").changed
    estate.die_at(6, "backed_out")
    run = estate.run("applied")
    assert run.failed and "put back" in run.msg, run.result
    assert estate.picture() == before
