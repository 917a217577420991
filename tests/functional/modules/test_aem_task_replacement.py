# Copyright (c) 2026, dataops.qlik_em contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""aem_task with import_mode replace: whatever fails on the way, the old task or the new one is there, and runs."""

from __future__ import annotations

import contextlib
import fcntl
import functools
import json
import os
import signal
import subprocess
import sys
import threading
import time

import pytest
from ansible_collections.dataops.qlik_em.plugins.module_utils._client.errors import InputError
from ansible_collections.dataops.qlik_em.plugins.module_utils._tasks import replacement
from ansible_collections.dataops.qlik_em.plugins.module_utils._tasks.note import write_note
from ansible_collections.dataops.qlik_em.tests.functional.every_module.cases_definitions import (
    BODY,
    SHOP,
    definition,
    with_shop,
)
from ansible_collections.dataops.qlik_em.tests.functional.support import replacement as killed
from ansible_collections.dataops.qlik_em.tests.functional.support.user import User
from ansible_collections.dataops.qlik_em.tests.functional.ways.children import await_that

PROD = "Replicate-Prod"
PREFIX = "dataops_qlik_em_temporary"
OLD, NEW = ("ORDERS", "PRICES"), ("ORDERS", "NEW")
ODD = {"fault": "error", "error_code": "AEM_IMPORT_TASK_INNER_ERR", "error_message": "Not this."}
FORBIDDEN = {"fault": "error", "error_code": "UNAUTHORIZED_REQUEST", "error_message": "No.", "http_status": 403}
WRITES = ("ImportTask", "DeleteTask", "StopTask", "RunTask", "DeleteEndpoint")


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    """What is lost is not waited for long."""
    limits = User.limits._replace(lost_effect=0.3, import_lag=0.3)
    monkeypatch.setattr(User, "limits", limits)


@pytest.fixture
def admin(user):
    """A user who may do everything, and a running task of the OLD definition."""
    user.defaults = {"username": "admin@corp.example", "password": "admin-test-password"}
    run = user.task("fresh", "present", definition=definition(tables=OLD, batch_size=7), wait_timeout=15)
    assert run.changed, run.result
    assert user.task("fresh", "started").changed
    user.em.clear_requests()
    return user


@pytest.fixture
def at_first(admin):
    """The names of all tasks and endpoints before."""
    return things(admin.em)


def things(em):
    """Return the names of all tasks and endpoints of the server."""
    server = em.server(PROD)
    return {*server["tasks"], *server["endpoints"]}


def replace(admin, folder, document=None, **options):
    """Replace the task."""
    given = {"import_mode": "replace", "backup_dir": str(folder), "force": True, "stop_if_running": True}
    given |= {"timeout": 1, "wait_timeout": 3, "definition": document or definition(tables=NEW), **options}
    return admin.task("fresh", "present", **given)


def tables(em):
    """Return which definition the task has, by its tables; None if it is not there."""
    if "fresh" not in em.server(PROD)["tasks"]:
        return None
    source = em.inside(PROD, "fresh")["definition"]["source"]
    return tuple(table["name"] for table in source["source_tables"]["explicit_included_tables"])


def state(em):
    """Return the true state of the task."""
    return em.task(PROD, "fresh")["state"]


def writes(run):
    """Return the calls that change something, with the kind of task that they are about."""
    return [
        f"{one['operation']} {'trial' if (one['task'] or '').startswith(PREFIX) else one['task'] or one['endpoint']}"
        for one in run.requests
        if one["operation"] in WRITES
    ]


def notes(folder):
    """Return the notes for the next run."""
    return list(folder.glob("*__replacement.json"))


def on_fresh(operation, fault, **more):
    """Return a rule about a call for the task itself."""
    return {"match": {"operation": operation, "task": "fresh"}, **fault, **more}


TRIED = ["ImportTask trial", "DeleteTask trial"]
DONE = [*TRIED, "StopTask fresh", "DeleteTask fresh", "ImportTask fresh", "RunTask fresh"]


# The way it should go


def test_it_is_tried_under_another_name_before_it_is_touched(admin, em, tmp_path, at_first):
    run = replace(admin, tmp_path)
    assert run.changed and not run.failed and writes(run) == DONE, run.result
    assert tables(em) == NEW and state(em) == "RUNNING" and things(em) == at_first
    (kept,) = tmp_path.iterdir()  # neither a note nor a lock stays
    assert run.result["backup_file"] == str(kept) and kept.stat().st_mode & 0o777 == 0o600
    again = replace(admin, tmp_path)
    assert not again.changed and writes(again) == [] and list(tmp_path.iterdir()) == [kept]


def test_a_stopped_task_stays_stopped(admin, em, tmp_path):
    admin.task("fresh")
    run = replace(admin, tmp_path, stop_if_running=False)
    assert run.changed and writes(run) == [*TRIED, "DeleteTask fresh", "ImportTask fresh"]
    assert tables(em) == NEW and state(em) == "STOPPED"


def test_a_new_endpoint_is_tried_too_and_one_that_is_there_is_not(admin, em, tmp_path, at_first):
    document = with_shop(definition(tables=NEW))
    warehouse = em.endpoint(PROD, "Warehouse")
    item = {"name": "Warehouse", "role": "TARGET", "type_id": "SNOWFLAKE_COMPONENT_TYPE", "db_settings": {"x": 1}}
    document[BODY]["databases"].append(item)
    em.faults(on_fresh("StopTask", ODD))
    run = replace(admin, tmp_path, document)
    assert run.failed and things(em) == at_first and em.endpoint(PROD, "Warehouse") == warehouse
    em.clear_faults()
    run = replace(admin, tmp_path, document)
    assert not run.failed and things(em) == at_first | {"Shop"}, run.result
    tried, sent = (
        json.loads(one["body"])[BODY]["databases"] for one in run.requests if one["operation"] == "ImportTask"
    )
    assert [one["name"] for one in tried] == ["Shop"] and len(sent) == 2


# What is known before


@pytest.mark.parametrize("mode", ["merge", "replace"])
@pytest.mark.parametrize("check", [False, True])
@pytest.mark.parametrize("where", ["source_name", "target_names", "rep_source", "rep_target"])
def test_an_endpoint_that_is_not_there_is_named_before_anything_is_sent(admin, em, tmp_path, mode, check, where):
    document = definition(tables=NEW)
    item = document[BODY]["tasks"][0]
    if where == "source_name":
        item["task"]["source_name"] = "Nowhere"
    elif where == "target_names":
        item["task"]["target_names"] = ["Warehouse", "Nowhere"]
    elif where == "rep_source":
        item["source"]["rep_source"] = {"source_name": "Nowhere"}
    else:
        del item["task"]["target_names"]
        item["targets"] = [{"rep_target": {"target_name": "Nowhere"}}]
    run = replace(admin, tmp_path, document, import_mode=mode, check=check)
    assert run.failed and not run.changed and writes(run) == []
    assert run.msg == (
        'The definition of the task "fresh" on server "Replicate-Prod" names endpoints that are neither on the server '
        "nor in the definition: Nowhere. Nothing was sent."
    )
    assert "aem_endpoint" in run.result["hint"] and state(em) == "RUNNING" and not list(tmp_path.iterdir())


def test_endpoints_that_the_task_has_need_no_look_and_those_of_other_targets_do_not_count(admin, tmp_path):
    document = definition(tables=NEW)
    document[BODY]["tasks"][0]["targets"] = [{"rep_target": {"target_name": "An older one"}}]
    run = replace(admin, tmp_path, document, import_mode="merge", check=True)
    assert run.changed and "GetEndpointList" not in run.operations


@pytest.mark.parametrize("check", [False, True])
def test_a_look_that_is_refused_for_lack_of_a_role_is_a_warning(admin, em, tmp_path, check):
    em.faults({"match": {"operation": "GetEndpointList"}, "nth": "all", **FORBIDDEN})
    document = with_shop(definition(tables=NEW))
    document[BODY]["tasks"][0]["task"]["target_names"] = ["Archive"]
    run = replace(admin, tmp_path, document, check=check)
    assert 'Whether server "Replicate-Prod" has these endpoints could not be checked: Archive.' in str(
        run.result["warnings"]
    )
    if check:
        assert run.changed
    else:  # it cannot be tried either, and the server refuses it: it has no such endpoint
        assert "was not tried under a temporary name" in str(run.result["warnings"])
        assert run.failed and "in place again and the task is running as before" in run.msg
        assert tables(em) == OLD and state(em) == "RUNNING"


@pytest.mark.parametrize("check", [False, True])
def test_a_definition_of_a_newer_release_is_a_warning(admin, em, tmp_path, check):
    document = definition(tables=NEW)
    document["_version"] = {"version": "2031.5.0.1", "version_major": 2031, "version_minor": 5, "version_revision": 1}
    run = replace(admin, tmp_path, document, check=check)
    assert run.changed and not run.failed
    (warning,) = run.result["warnings"]
    assert "is of Replicate 2031.5, and server" in warning and "has 2021.5" in warning


def test_check_mode_writes_nothing_and_promises_the_same(admin, em, tmp_path):
    foreseen = replace(admin, tmp_path, check=True, diff=True)
    assert foreseen.changed and writes(foreseen) == [] and not list(tmp_path.iterdir())
    run = replace(admin, tmp_path, diff=True)
    assert run.result["diff"] == foreseen.result["diff"] and run.changed


# The trial


@pytest.mark.parametrize("is_running", [True, False])
def test_what_the_server_refuses_leaves_the_old_task_as_it_is(admin, em, tmp_path, at_first, is_running):
    if not is_running:
        admin.task("fresh")
    em.set_server(PROD, fail_import="No such column.")
    run = replace(admin, tmp_path, with_shop(definition(tables=NEW)))
    assert run.failed and not run.changed and run.result["error_code"] == "AEM_IMPORT_TASK_INNER_ERR"
    assert "A trial of the new definition, under a temporary name, was refused by the server: " in run.msg
    assert "No such column." in run.msg
    end = "was not touched and is still running." if is_running else "was not touched."
    assert run.msg.endswith(f'The task "fresh" on server "Replicate-Prod" {end}')
    assert "StopTask" not in run.operations
    assert tables(em) == OLD and state(em) == ("RUNNING" if is_running else "STOPPED")
    assert things(em) == at_first and not list(tmp_path.iterdir())


def test_a_definition_of_a_script_that_cut_it_off_leaves_the_old_task_as_it_is(admin, em, tmp_path, at_first):
    document = definition(tables=NEW)  # ConvertTo-Json of PowerShell does so, without -Depth
    document[BODY]["tasks"][0]["source"]["source_tables"]["explicit_included_tables"] = "@{owner=SALES; name=NEW}"
    run = replace(admin, tmp_path, document)
    assert run.failed and not run.changed and "StopTask" not in run.operations
    assert tables(em) == OLD and state(em) == "RUNNING" and things(em) == at_first and not list(tmp_path.iterdir())


def test_a_trial_that_failed_half_way_is_removed_with_its_endpoints(admin, em, tmp_path, at_first):
    em.faults({"match": {"operation": "ImportTask"}, **ODD, "work": True})
    run = replace(admin, tmp_path, with_shop(definition(tables=NEW)))
    assert run.failed and not run.changed and "left_behind" not in run.result
    assert things(em) == at_first and state(em) == "RUNNING" and not list(tmp_path.iterdir())


def test_a_trial_that_does_not_show_is_removed_when_it_does(admin, em, tmp_path, at_first):
    em.set_server(PROD, import_seconds=2.5)
    run = replace(admin, tmp_path, wait_timeout=1)
    assert run.failed and run.changed and "was not touched and is still running" in run.msg
    assert "it has not appeared yet, but may do so later" in run.msg and notes(tmp_path)
    time.sleep(2)
    assert any(name.startswith(PREFIX) for name in things(em))
    em.set_server(PROD, import_seconds=0)
    run = replace(admin, tmp_path)
    assert not run.failed and things(em) == at_first and not notes(tmp_path), run.result


def test_a_trial_that_was_lost_may_still_come_although_nothing_is_there_to_delete(admin, em, tmp_path, at_first):
    em.faults({"match": {"operation": "ImportTask"}, "fault": "cut_before"})
    unreadable = {"match": {"operation": "GetTaskDetails", "path": f"*/{PREFIX}*"}, "nth": "all"}
    em.faults({"fault": "redirect", "location": "https://elsewhere.example/", **unreadable})
    run = replace(admin, tmp_path)
    assert run.failed and run.changed and "changed is true" in run.msg
    assert [one["msg"] for one in run.result["left_behind"]] == ["it has not appeared yet, but may do so later"]
    assert things(em) == at_first and state(em) == "RUNNING"


def test_a_trial_that_cannot_be_removed_is_named_and_the_next_run_removes_it(admin, em, tmp_path, at_first):
    em.faults({"match": {"operation": "DeleteTask"}, **ODD})
    run = replace(admin, tmp_path, with_shop(definition(tables=NEW)))
    assert run.failed and run.changed and writes(run) == TRIED
    left = things(em) - at_first
    assert {one["name"] for one in run.result["left_behind"]} == left and len(left) == 2
    assert all(f'"{name}"' in run.msg for name in left) and "to be deleted by the next run or by hand" in run.msg
    assert state(em) == "RUNNING" and tables(em) == OLD
    run = replace(admin, tmp_path)
    assert not run.failed and things(em) == at_first and not notes(tmp_path), run.result


def test_what_an_earlier_trial_left_is_known_by_its_name_and_that_of_another_task_is_not(admin, em, tmp_path, at_first):
    em.faults({"match": {"operation": "DeleteTask"}, **ODD})
    replace(admin, tmp_path)
    (left,) = things(em) - at_first
    other = tmp_path / "other"
    other.mkdir()
    em.faults({"match": {"operation": "DeleteTask"}, **ODD})
    options = {"import_mode": "replace", "backup_dir": str(other), "force": True, "stop_if_running": True}
    assert admin.task("orders", "present", definition=definition("orders", NEW), **options).failed
    assert left in things(em)
    assert not replace(admin, other).failed  # another folder, without a note
    (others,) = things(em) - at_first
    assert others != left


def test_a_trial_that_may_not_be_read_back_is_a_warning(admin, em, tmp_path, at_first):
    em.faults({"match": {"operation": "ExportTask"}, "nth": 2, **FORBIDDEN})
    run = replace(admin, tmp_path)
    assert run.changed and not run.failed and things(em) == at_first and tables(em) == NEW
    assert "The trial import was accepted, but could not be read back" in str(run.result["warnings"])


def test_a_trial_of_an_earlier_run_that_cannot_be_removed_is_a_warning(admin, em, tmp_path, at_first):
    em.faults({"match": {"operation": "DeleteTask"}, **ODD})
    replace(admin, tmp_path)
    (left,) = things(em) - at_first
    em.faults({"match": {"operation": "DeleteTask", "task": left}, "nth": "all", **ODD})
    run = replace(admin, tmp_path)
    assert run.changed and not run.failed and tables(em) == NEW, run.result
    assert f'The task "{left}", which an earlier run left behind, could not be deleted: ' in str(run.result["warnings"])


@pytest.mark.parametrize("operation", ["GetTaskList", "GetEndpointList"])
def test_a_look_that_fails_otherwise_than_by_the_role_leaves_the_old_task(admin, em, tmp_path, at_first, operation):
    em.faults({"match": {"operation": operation}, **ODD})
    new = definition(tables=NEW)
    if operation == "GetEndpointList":  # which is read if one is new
        new["cmd.replication_definition"]["tasks"][0]["task"]["source_name"] = "Shop"
    run = replace(admin, tmp_path, new)
    assert run.failed and not run.changed and writes(run) == [] and f"{operation} of " in run.msg, run.result
    assert things(em) == at_first and state(em) == "RUNNING"


def test_what_cannot_be_looked_at_after_a_trial_is_in_the_message(admin, em, tmp_path, at_first):
    em.set_server(PROD, fail_import="No.")
    em.faults({"match": {"operation": "GetEndpointList"}, "nth": 2, **ODD})
    run = replace(admin, tmp_path, with_shop(definition(tables=NEW)))
    assert run.failed and [one["name"] for one in run.result["left_behind"]] == ["Shop"], run.result
    assert "GetEndpointList of " in run.result["left_behind"][0]["msg"]
    em.faults(on_fresh("GetTaskDetails", ODD, nth=2, count=9))
    run = replace(admin, tmp_path)
    assert run.failed and tables(em) == OLD and state(em) == "RUNNING"
    assert 'The task "fresh" on server "Replicate-Prod" was not touched. GetTaskDetails of task "fresh"' in run.msg


def test_who_finds_that_another_run_was_faster_does_nothing(admin, em, tmp_path, monkeypatch):
    monkeypatch.setattr(replacement, "read_note", lambda *_place: "the note of another run")  # none was there
    run = replace(admin, tmp_path)
    assert run.failed and not run.changed and writes(run) == [] and run.result["hint"] == "Run this again."
    assert 'Another run has replaced the task "fresh"' in run.msg


def test_a_list_of_tasks_that_may_not_be_read_is_not_missed(admin, em, tmp_path):
    em.faults({"match": {"operation": "GetTaskList"}, "nth": "all", **FORBIDDEN})
    run = replace(admin, tmp_path)
    assert run.changed and not run.failed and "No." not in str(run.result["warnings"])


def test_a_task_that_was_changed_during_the_trial_is_not_touched(admin, em, tmp_path, at_first):
    em.faults({"match": {"operation": "DeleteTask"}, "fault": "delay", "seconds": 0.4})
    timer = threading.Timer(0.2, em.set_task, (PROD, "fresh"), {"description": "x", "definition": {"loud": 1}})
    timer.start()
    run = replace(admin, tmp_path)
    timer.join()
    assert run.failed and not run.changed and "Somebody has changed the task in the meantime." in run.msg, run.result
    assert writes(run) == TRIED and things(em) == at_first and not list(tmp_path.iterdir())


# After the trial

REFUSED_LATER = {
    "StopTask": ("The old definition is in place and the task is running as before.", ["StopTask fresh"]),
    "DeleteTask": (
        "The old definition is in place and the task is running as before.",
        ["StopTask fresh", "DeleteTask fresh", "RunTask fresh"],
    ),
    "ImportTask": (
        "The old definition is in place again and the task is running as before.",
        ["StopTask fresh", "DeleteTask fresh", "ImportTask fresh", "ImportTask fresh", "RunTask fresh"],
    ),
}


@pytest.mark.parametrize("fault", [ODD, FORBIDDEN, {"fault": "cut_before"}], ids=lambda fault: str(fault["fault"]))
@pytest.mark.parametrize("operation", REFUSED_LATER)
def test_what_fails_later_is_undone_and_the_message_says_so(admin, em, tmp_path, at_first, operation, fault):
    em.faults(on_fresh(operation, fault))
    text, calls = REFUSED_LATER[operation]
    run = replace(admin, tmp_path, with_shop(definition(tables=NEW)))
    assert run.failed and run.changed and writes(run) == [*TRIED, *calls, "DeleteEndpoint Shop"]
    (kept,) = tmp_path.iterdir()
    assert run.msg.endswith(f"{text} The old definition is kept in {kept}."), run.msg
    assert run.result["backup_file"] == str(kept)
    assert tables(em) == OLD and state(em) == "RUNNING" and things(em) == at_first
    settings = em.inside(PROD, "fresh")["definition"]["task_settings"]["target_settings"]
    assert settings["batch_size"] == 7  # all of it, not only the tables


def test_a_task_that_takes_too_long_to_stop_is_left_to_the_next_run(admin, em, tmp_path):
    em.set_task(PROD, "fresh", stop_seconds=60)
    run = replace(admin, tmp_path, wait_timeout=1)
    assert run.failed and run.changed and state(em) == "STOPPING" and tables(em) == OLD and notes(tmp_path)
    assert "The old definition is in place, and the task is STOPPING. Run this again, with the same" in run.msg
    em.set_task(PROD, "fresh", state="STOPPED")
    run = replace(admin, tmp_path)
    assert not run.failed and tables(em) == NEW and state(em) == "RUNNING" and not notes(tmp_path), run.result


def test_a_stopped_task_that_is_put_back_stays_stopped(admin, em, tmp_path):
    admin.task("fresh")
    em.faults(on_fresh("ImportTask", ODD))
    run = replace(admin, tmp_path)
    assert run.failed and "is in place again and the task is stopped as before." in run.msg
    assert tables(em) == OLD and state(em) == "STOPPED" and not notes(tmp_path)


def test_the_secrets_of_the_endpoints_stay_when_the_old_definition_is_put_back(admin, em, tmp_path):
    em.set_variants(fresh_encryption=True)
    assert replace(admin, tmp_path, with_shop(definition(tables=OLD, batch_size=7))).changed
    em.faults(on_fresh("ImportTask", ODD))
    document = with_shop(definition(tables=NEW))
    run = replace(admin, tmp_path, document)
    assert run.failed and tables(em) == OLD and state(em) == "RUNNING"
    assert em.endpoint(PROD, "Shop")["db_settings"] == SHOP["db_settings"]


@pytest.mark.parametrize("document", ["new", "refused", "old"])
@pytest.mark.parametrize("mode", ["replace", "merge"])
def test_an_old_task_that_could_not_be_put_back_is_by_the_next_run(admin, em, tmp_path, at_first, document, mode):
    em.faults(on_fresh("ImportTask", ODD, count=2))
    run = replace(admin, tmp_path)
    assert run.failed and run.changed and tables(em) is None
    (kept,) = set(tmp_path.iterdir()) - set(notes(tmp_path))
    assert "The old definition could not be put back: ImportTask of" in run.msg
    assert run.msg.endswith(
        "Run this again, with the same backup_dir: it continues where the last run stopped. The old definition is "
        f"kept in {kept}."
    )
    foreseen = replace(admin, tmp_path, import_mode=mode, check=True)
    assert foreseen.changed and "that was replacing the task" in str(foreseen.result["warnings"]) and notes(tmp_path)
    if document == "refused":
        em.faults(on_fresh("ImportTask", ODD))
    given = definition(tables=OLD, batch_size=7) if document == "old" else definition(tables=NEW)
    run = replace(admin, tmp_path, given, import_mode=mode)
    assert run.changed and run.failed == (document == "refused"), run.result
    assert tables(em) == (NEW if document == "new" else OLD) and state(em) == "RUNNING"
    assert things(em) == at_first and not notes(tmp_path)
    assert not any(path.name.endswith(".lock") for path in tmp_path.iterdir())


def test_an_old_definition_that_somebody_has_removed_is_named(admin, em, tmp_path):
    em.faults(on_fresh("ImportTask", ODD, count=2))
    assert replace(admin, tmp_path).failed and tables(em) is None
    (kept,) = set(tmp_path.iterdir()) - set(notes(tmp_path))
    kept.unlink()
    em.faults(on_fresh("ImportTask", ODD))
    run = replace(admin, tmp_path)
    assert run.failed and tables(em) is None and notes(tmp_path)
    assert f"could not be put back: The old definition is no longer in {kept}." in run.msg
    assert not replace(admin, tmp_path).failed and tables(em) == NEW


@pytest.mark.parametrize("fault", [ODD, {"fault": "cut_before"}], ids=["refused", "lost"])
def test_a_new_task_that_could_not_be_started_is_by_the_next_run(admin, em, tmp_path, fault):
    em.faults(on_fresh("RunTask", fault))
    run = replace(admin, tmp_path)
    assert run.failed and run.changed and "has its new definition, but was not started again." in run.msg
    assert tables(em) == NEW and state(em) == "STOPPED" and notes(tmp_path)
    foreseen = replace(admin, tmp_path, check=True, diff=True)
    assert foreseen.changed
    assert foreseen.result["diff"]["before"] == {"state": "STOPPED"}
    assert foreseen.result["diff"]["after"] == {"state": "RUNNING"}
    run = replace(admin, tmp_path, diff=True)
    assert run.changed and not run.failed and run.result["diff"] == foreseen.result["diff"]
    assert writes(run) == ["RunTask fresh"] and state(em) == "RUNNING" and not notes(tmp_path)
    assert not replace(admin, tmp_path).changed


def test_a_task_that_somebody_started_meanwhile_needs_nothing(admin, em, tmp_path):
    em.faults(on_fresh("RunTask", ODD))
    replace(admin, tmp_path)
    admin.task("fresh", "started")
    run = replace(admin, tmp_path)
    assert not run.changed and not run.failed and writes(run) == [] and not notes(tmp_path)


def test_an_old_task_that_is_stopped_for_a_killed_run_runs_again_if_the_next_definition_is_refused(
    admin, em, tmp_path, at_first
):
    em.faults([on_fresh("DeleteTask", ODD), on_fresh("RunTask", ODD)])
    run = replace(admin, tmp_path)
    assert run.failed and "but the task could not be started" in run.msg and state(em) == "STOPPED"
    em.clear_faults()
    em.set_server(PROD, fail_import="No.")
    run = replace(admin, tmp_path)
    assert run.failed and run.changed and "which the run of" in run.msg and "is running again as before" in run.msg
    assert tables(em) == OLD and state(em) == "RUNNING" and things(em) == at_first and not notes(tmp_path)


# The folder


def test_a_second_run_at_the_same_time_does_nothing(admin, em, tmp_path):
    em.faults(on_fresh("StopTask", {"fault": "delay", "seconds": 0.6}))
    results = []
    first = threading.Thread(target=lambda: results.append(replace(admin, tmp_path)))
    first.start()
    deadline = time.monotonic() + 10
    while not notes(tmp_path):
        assert time.monotonic() < deadline
        time.sleep(0.01)
    with open(next(tmp_path.glob("*.lock"))) as lock, pytest.raises(BlockingIOError):
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    second = replace(User(em, defaults=admin.defaults), tmp_path)
    first.join()
    assert second.failed and not second.changed and "is in use by another run. Nothing was done." in second.msg
    assert not results[0].failed and tables(em) == NEW and state(em) == "RUNNING"


@pytest.mark.parametrize(
    ("change", "text"),
    [
        (lambda note: "{", "is damaged"),
        (lambda note: json.dumps({**note, "schema": 99}), "is damaged: it is not a note about this task, or another"),
        (lambda note: json.dumps({**note, "task": "other"}), "is damaged: it is not a note about this task"),
        (
            lambda note: json.dumps({**note, "enterprise_manager": "https://other"}),
            "belongs to another Enterprise Manager",
        ),
        (lambda note: "[]", "is damaged"),
        (lambda note: "[" * 100_000, "is damaged"),
    ],
)
def test_a_note_that_cannot_be_used_is_refused(admin, em, tmp_path, change, text):
    em.faults(on_fresh("RunTask", ODD))
    replace(admin, tmp_path)
    (path,) = notes(tmp_path)
    path.write_text(change(json.loads(path.read_text())))
    run = replace(admin, tmp_path)
    assert run.failed and not run.changed and text in run.msg and "Nothing was done." in run.msg
    assert str(path) in run.msg and run.result["hint"] and writes(run) == []


def test_a_long_name_in_another_script_fits_into_the_names_of_files(admin, em, tmp_path):
    name = "заказы " * 3
    assert admin.task(name, "present", definition=definition(name, OLD)).changed
    em.faults({"match": {"operation": "RunTask"}, **ODD})
    options = {"import_mode": "replace", "backup_dir": str(tmp_path), "force": True, "stop_if_running": True}
    admin.task(name, "started")
    em.clear_faults()
    run = admin.task(name, "present", definition=definition(name, NEW), **options)
    assert run.changed and not run.failed, run.result


def full_disk(calls, number, *arguments):
    """Write a note, but for one of the calls."""
    if next(calls) == number:
        raise InputError("backup_dir (x) cannot be written: No space left on device.")
    write_note(*arguments)


def test_a_note_that_cannot_be_written_leaves_the_old_task_as_it_is(admin, em, tmp_path, at_first, monkeypatch):
    for number in (1, 2, 3):
        monkeypatch.setattr(replacement, "write_note", functools.partial(full_disk, iter(range(1, 9)), number))
        run = replace(admin, tmp_path, with_shop(definition(tables=NEW)))
        assert run.failed and not run.changed and "No space left" in run.msg and "StopTask" not in run.operations
        assert things(em) == at_first and state(em) == "RUNNING" and not list(tmp_path.iterdir()), (number, run.result)


def test_a_note_that_cannot_be_removed_is_a_warning(admin, em, tmp_path, monkeypatch):
    def refuse(*_arguments):
        raise InputError("backup_dir (x) cannot be removed: No.")

    with monkeypatch.context() as patch:
        patch.setattr(replacement, "remove_note", refuse)
        run = replace(admin, tmp_path)
    assert run.changed and not run.failed and "cannot be removed" in str(run.result["warnings"])
    assert notes(tmp_path) and state(em) == "RUNNING"
    again = replace(admin, tmp_path)
    assert not again.changed and not again.failed and not notes(tmp_path)


# A line that drops answers


def count_requests(admin, tmp_path):
    """Return how many requests a replacement sends; the task is as before then."""
    folder = tmp_path / "count"
    folder.mkdir()
    run = replace(admin, folder, with_shop(definition(tables=NEW)))
    assert not run.failed
    return len(run.requests)


@pytest.mark.parametrize("how", ["cut_before", "cut_after"])
def test_one_lost_answer_anywhere_loses_no_task_and_leaves_nothing(admin, em, tmp_path, how):
    most = count_requests(admin, tmp_path)
    assert most > 15
    for number in range(2, most + 1):  # the first one is the login
        em.reset()
        admin.task("fresh", "present", definition=definition(tables=OLD, batch_size=7), wait_timeout=15)
        admin.task("fresh", "started")
        at_first = things(em)
        folder = tmp_path / str(number)
        folder.mkdir()
        em.faults({"nth": number, "fault": how})
        run = replace(admin, folder, with_shop(definition(tables=NEW)))
        where = (number, [one["operation"] for one in run.requests], run.result)
        assert tables(em) in (OLD, NEW) and (state(em) == "RUNNING" or "not started again" in run.msg), where
        left = things(em) - at_first - {"Shop"}
        assert not left, where
        assert run.failed or tables(em) == NEW, where
        if run.failed and tables(em) == OLD and "Shop" in things(em):
            assert "Shop" in str(run.result["left_behind"]), where
        em.clear_faults()
        run = replace(admin, folder, with_shop(definition(tables=NEW)))
        assert not run.failed and tables(em) == NEW and state(em) == "RUNNING", (where, run.result)
        assert things(em) == at_first | {"Shop"} and not notes(folder), where


@pytest.mark.usefixtures("heeded")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("operation", ["ImportTask trial", "StopTask fresh", "DeleteTask fresh", "ImportTask fresh"])
def test_who_is_interrupted_loses_no_task(admin, em, tmp_path, at_first, number, operation):
    name, task = operation.split()
    match = {"operation": name, "path": f"*/tasks/{'fresh' if task == 'fresh' else PREFIX + '*'}"}
    em.faults({"match": match, "fault": "delay", "seconds": 0.5, "when": "after"})

    def interrupt():
        deadline = time.monotonic() + 10
        while not em.faults()[0]["applied"]:
            assert time.monotonic() < deadline
            time.sleep(0.01)
        time.sleep(0.1)
        os.kill(os.getpid(), number)

    thread = threading.Thread(target=interrupt)
    thread.start()
    run = replace(admin, tmp_path)
    thread.join()
    assert run.failed and f"Interrupted by {number.name}" in run.msg, run.result
    # A deletion is followed by the import, whatever happens; only the start is left to the next run.
    assert tables(em) == (NEW if operation in ("DeleteTask fresh", "ImportTask fresh") else OLD)
    assert things(em) == at_first and (state(em) == "RUNNING") == (task == "trial")
    em.clear_faults()
    run = replace(admin, tmp_path)
    assert not run.failed and tables(em) == NEW and state(em) == "RUNNING" and not notes(tmp_path), run.result


# Killed: the way through real playbooks is in test_killed_replacements.py


@contextlib.contextmanager
def doomed(em, folder, **step):
    """Yield a process that does the replacement of support/replacement.py, and end it."""
    program = [sys.executable, "-m", killed.__name__]
    process = subprocess.Popen(program, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL)
    with process:
        given = {"url": em.url, "ca_path": em.ca_path, "folder": str(folder), **step}
        process.stdin.write(json.dumps(given).encode())
        process.stdin.close()
        try:
            yield process
        finally:
            process.kill()


def again(em, folder, at_first, old):
    """Assert what is the case after a kill, run it again, and assert that all is well."""
    killed.assert_nothing_is_lost(em, folder, old)
    em.clear_faults()
    run = User(em, defaults=killed.ADMIN).run("aem_task", **killed.options(folder))
    assert not run.failed, run.result
    killed.assert_all_is_well(em, folder, at_first)


@pytest.mark.parametrize("when", killed.CAUGHT)
@pytest.mark.parametrize("half", ["even", "odd"])
def test_kill_9_at_any_request_loses_no_task_and_the_next_run_goes_on(em, tmp_path, when, half):
    killed.begin_anew(em)
    folder = tmp_path / "count"
    folder.mkdir()
    most = len(User(em, defaults=killed.ADMIN).run("aem_task", **killed.options(folder)).requests)
    assert most >= 18
    for number in range(2 if half == "even" else 3, most + 1, 2):
        killed.begin_anew(em)
        old, at_first = killed.tables(em), killed.things(em)
        folder = tmp_path / str(number)
        folder.mkdir()
        em.faults({"nth": number, **killed.CAUGHT[when]})
        with doomed(em, folder) as process:
            await_that(lambda: em.faults()[0]["applied"], f"request {number}")
            process.kill()
        again(em, folder, at_first, old)


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize(
    ("step", "nth"), [("back_up", 1), ("write_note", 1), ("write_note", 2), ("write_note", 3), ("remove_note", 1)]
)
def test_kill_9_at_any_step_with_files_does_not_either(em, tmp_path, step, nth, when):
    killed.begin_anew(em)
    old, at_first = killed.tables(em), killed.things(em)
    with doomed(em, tmp_path, step=step, nth=nth, when=when) as process:
        assert process.wait(60) == -signal.SIGKILL
    again(em, tmp_path, at_first, old)


def test_kill_9_while_the_task_stops_is_no_reason_to_leave_it_stopped(em, tmp_path):
    em.set_task(killed.PROD, killed.TASK, stop_seconds=2, start_seconds=0)
    old, at_first = killed.tables(em), killed.things(em)
    with doomed(em, tmp_path) as process:
        await_that(lambda: em.task(killed.PROD, killed.TASK)["state"] == "STOPPING", "it stops")
        process.kill()
        process.wait()
    again(em, tmp_path, at_first, old)
