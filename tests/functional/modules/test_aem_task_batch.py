# Copyright (c) 2026, dataops.qlik_em contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Many tasks at once: which ones, in what order and how many at a time, and what one failure does to the rest."""

from __future__ import annotations

import errno
import json
import os
import re
import signal
import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timezone
from pathlib import Path

import pytest
from ansible_collections.dataops.qlik_em.plugins.module_utils._client.api import Api
from ansible_collections.dataops.qlik_em.plugins.module_utils._client.errors import InputError
from ansible_collections.dataops.qlik_em.plugins.module_utils._common import parallel as _parallel
from ansible_collections.dataops.qlik_em.plugins.module_utils._fleets import results as _results
from ansible_collections.dataops.qlik_em.tests.functional.support.play import Player, both_ways
from ansible_collections.dataops.qlik_em.tests.functional.support.user import User

LOADING = {"full_load_counters": {"tables_loading_count": 2, "tables_queued_count": 3}}
LOADED = {"full_load_counters": {"tables_loading_count": 0, "tables_queued_count": 0}}
ORDERS = {"server": "Replicate-Prod", "name": "orders"}
QUIET = {"state": "stopped", "wait_sleep": 0.1, "results": "all"}


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    """Short pauses."""
    monkeypatch.setattr(User, "limits", User.limits._replace(lost_effect=0.4))


def fleet(em, servers=3, tasks=4, **attributes):
    """Give the stand-in servers S0, S1, ... with running tasks t0, t1, ..."""
    document = {
        "users": [
            {"name": "op", "logins": [em.username], "password": em.password, "grants": [{"role": "Operator"}]},
            {"name": "blind", "password": "blind", "grants": [{"role": "Operator", "server": "S0"}]},
        ],
        "servers": [
            {
                "name": f"S{number}",
                "tasks": [
                    {"name": f"t{task}", "state": "RUNNING", "assigned_tags": [f"tag{task % 2}"], **attributes}
                    for task in range(tasks)
                ],
            }
            for number in range(servers)
        ],
    }
    em.reset(document)


def batch(user, include, **options):
    """Run the module."""
    return user.run("aem_task_batch", **{**QUIET, "include": include, **options})


def states(em):
    """Return the state of each task: {(server, task): state}."""
    return {
        (server, name): task["state"]
        for server, found in em.state()["servers"].items()
        for name, task in found["tasks"].items()
    }


def stopped(em):
    """Return the names of the stopped tasks."""
    return sorted(f"{server}/{name}" for (server, name), state in states(em).items() if state == "STOPPED")


def rows(run):
    """Return the rows by name."""
    return {f"{row['server']}/{row['name']}": row for row in run.result["tasks"]}


# Which tasks


def test_servers_that_are_named_are_listed_once_each_and_the_list_of_servers_is_not_needed(em, user):
    fleet(em)
    user.defaults.update(username="blind", password="blind")
    run = batch(user, [{"server": "S0", "name": "t1"}, {"server": "S0", "name": "t[23]"}])
    assert run.changed and not run.failed, run.result
    assert Counter(run.operations) == {"Login": 1, "GetTaskList": 1, "StopTask": 3, "Logout": 1}
    assert stopped(em) == ["S0/t1", "S0/t2", "S0/t3"]
    assert run.result["counts"] == {"selected": 3, "changed": 3, "failed": 0, "skipped": 0, "unchanged": 0}


@pytest.mark.parametrize(
    ("include", "exclude", "expected"),
    [
        ([{"server": "S[01]", "name": "t0"}], None, ["S0/t0", "S1/t0"]),
        ([{"name": "t0"}], None, ["S0/t0", "S1/t0", "S2/t0"]),
        ([{"tag": ["tag1"]}], [{"server": "S1"}, {"server": "S2", "name": "t1"}], ["S0/t1", "S0/t3", "S2/t3"]),
        ([{"server": "S2"}, {"server": "S2", "name": "t0"}], [{"tag": ["tag1"]}], ["S2/t0", "S2/t2"]),
        ([{"server": "*"}], [{"name": "t*"}, {"name": "*"}], None),
        ([{"server": "S0", "state": ["recovery"]}], None, None),
        ([{"server": "S0", "state": ["running", "error"], "name": "t2"}], None, ["S0/t2"]),
    ],
)
def test_the_selectors_choose(em, user, include, exclude, expected):
    fleet(em)
    run = batch(user, include, exclude=exclude)
    if expected is None:
        assert run.failed and "include selects no task" in run.msg and not run.writes
        assert not batch(user, include, exclude=exclude, allow_empty=True).failed
        expected = []
    assert stopped(em) == expected


def test_a_name_with_signs_of_a_glob_is_found_as_it_is(em, user):
    fleet(em, servers=1, tasks=1)
    document = {"name": "odd", "tasks": [{"name": name, "state": "RUNNING"} for name in ("a[1]", "a1", "*")]}
    em.reset(
        {
            "users": [{"name": em.username, "password": em.password, "grants": [{"role": "Operator"}]}],
            "servers": [document],
        }
    )
    run = batch(user, [{"server": "odd", "name": "a[1]"}])
    assert stopped(em) == ["odd/a1", "odd/a[1]"], run.result  # as a name, and as a glob


@pytest.mark.parametrize("problem", [{"state": "NOT_MONITORED"}, {"state": "ERROR", "message": "away"}])
def test_a_server_that_cannot_be_read_fails_before_any_write_or_is_skipped(em, user, problem):
    fleet(em)
    em.set_server("S1", **problem)
    run = batch(user, [{"server": "*"}])
    assert run.failed and not run.changed and not run.writes
    assert 'server "S1" failed' in run.msg and run.result["error_code"].startswith("AEM_SERVER_NOT_")
    em.set_server("S0", **problem)
    run = batch(user, [{"server": "*"}])
    assert 'server "S0" failed' in run.msg and 'server "S1" failed' in run.msg  # all of them are reported
    em.set_server("S0", state="MONITORED", message="")
    run = batch(user, [{"server": "*"}, {"server": "S1", "name": "t1"}], on_server_error="skip")
    assert not run.failed and run.changed
    assert [one["server"] for one in run.result["skipped_servers"]] == ["S1"]
    assert 'Server "S1" was skipped' in run.result["warnings"][0]
    assert stopped(em) == [f"S{server}/t{task}" for server in (0, 2) for task in range(4)]


# How many at a time, and in which order


def busiest(requests, server=None):
    """Return how many stops were under way at a time, on one server if it is given."""
    spans = [
        (r["monotonic"], r["monotonic"] + r["seconds"])
        for r in requests
        if r["operation"] == "StopTask" and server in (None, r["server"])
    ]
    return max(sum(begin <= moment < end for begin, end in spans) for moment, _end in spans)


def test_a_server_that_was_begun_goes_on_before_another_one_is_begun(em, user, monkeypatch):
    """Else each start of a large installation would find its server's list too old, and read it again."""
    monkeypatch.setattr(User, "limits", User.limits._replace(start_age=0.5))
    fleet(em, servers=12, tasks=10, state="STOPPED", start_seconds=0.1)
    run = batch(user, [{"server": "*"}], state="started", parallel=4)
    assert run.result["counts"]["changed"] == 120
    assert run.operations.count("GetTaskList") <= 12 * 5  # in turns of all servers, 120 of them
    starts = [r for r in run.requests if r["operation"] == "RunTask"]
    assert {r["server"] for r in starts[:20]} <= {f"S{number}" for number in range(6)}


@pytest.mark.parametrize(
    ("parallel", "per_server", "all_of_it", "of_one"), [(9, 2, 6, 2), (5, None, 5, 5), (1, None, 1, 1)]
)
def test_so_many_at_a_time_over_so_many_connections_with_one_login(em, user, parallel, per_server, all_of_it, of_one):
    fleet(em, stop_seconds=0.6)
    run = batch(user, [{"server": "*"}], parallel=parallel, parallel_per_server=per_server)
    assert not run.failed
    assert min(2, all_of_it) <= busiest(run.requests) <= all_of_it  # a busy machine may not get to all of them
    assert max(busiest(run.requests, f"S{number}") for number in range(3)) <= of_one
    if parallel == 1:  # else they overtake each other on their way
        assert [r["server"] for r in run.requests if r["operation"] == "StopTask"] == ["S0"] * 4 + ["S1"] * 4 + [
            "S2"
        ] * 4
    assert em.summary()["tcp_connections"] <= parallel
    assert em.summary()["logins"] == em.summary()["logouts"] == 1


def test_each_wave_begins_when_the_one_before_is_done(em, user):
    fleet(em, stop_seconds=0.2, start_seconds=0.1)
    waves = [{"server": "S2"}, {"server": "S[01]", "tag": ["tag1"]}]  # the rest is the last wave
    order = [["S2"], ["t1", "t3"], ["t0", "t2"]]

    def assert_order(run, operation, expected):
        requests = [r for r in run.requests if r["operation"] == operation]
        for wave in expected:
            first, requests = requests[:4], requests[4:]
            assert all(r["server"] in wave or r["task"] in wave for r in first), wave
            if requests:
                assert max(r["monotonic"] + r["seconds"] for r in first) <= min(r["monotonic"] for r in requests)

    assert_order(batch(user, [{"server": "*"}], waves=waves, parallel=20), "StopTask", order)
    run = batch(user, [{"server": "*"}], waves=waves, parallel=20, state="started", reverse=True)
    assert_order(run, "RunTask", order[::-1])
    assert [row["changed"] for row in run.result["tasks"]] == [True] * 12


# What nothing fits


def test_a_server_that_nothing_fits_is_a_warning(em, user, tmp_path):
    """A typing mistake beside what is right would forget the tasks of a server, or not spare them."""
    fleet(em)
    include, exclude = [{"server": "S0"}, {"server": "s1*"}], [{"server": "S0"}, {"server": "s0"}, {"server": "T*"}]
    window = {"state": "recorded", "path": str(tmp_path / "window.json")}
    foreseen = batch(user, include, exclude=exclude[1:], check=True)
    run = batch(user, include, exclude=exclude[1:])
    assert not run.failed and run.result["counts"]["changed"] == 4
    assert (
        run.result["warnings"]
        == foreseen.result["warnings"]
        == [
            'No server matches "s1*" in include.',
            'No server that include means matches "s0" in exclude. Did you mean "S0"?',
            'No server that include means matches "T*" in exclude.',
        ]
    )
    run = user.run("aem_maintenance_window", include=include, exclude=exclude, **window)
    assert run.failed and 'No server matches "s1*" in include.' in run.msg


def test_a_task_that_exclude_names_and_nothing_is_called_is_a_warning(em, user):
    fleet(em, servers=2)
    exclude = [{"name": "T0"}, {"server": "S0", "name": "t1"}, {"server": "S1", "name": "ghost"}, {"name": "x*"}]
    run = batch(user, [{"server": "*"}], exclude=exclude)
    assert run.result["warnings"] == [
        'exclude names a task that does not exist: "T0". Did you mean "t0"?',
        'exclude names a task that does not exist: "ghost" on server "S1".',
    ]
    assert run.result["counts"]["selected"] == 7
    em.set_server("S1", state="ERROR", message="away")
    run = batch(user, [{"server": "*"}], exclude=exclude[2:], on_server_error="skip")
    (warning,) = run.result["warnings"]
    assert 'Server "S1" was skipped' in warning  # the task may well be there


# Selectors as a text


@pytest.mark.parametrize("state", ["stopped", "restarted"])
@pytest.mark.parametrize(
    "text", ['[{"server": "S0", "name": "t1"}, {"name": "t2"}]', '{"name": "t1"}', {"name": "t1"}, "name=t1"]
)
def test_selectors_may_be_a_text_in_json_as_a_survey_gives_them(em, user, text, state):
    fleet(em, servers=1)
    run = batch(user, '[{"server": "S0"}]', state=state, exclude=text)
    assert not run.failed and run.result["counts"]["selected"] == (2 if "t2" in text else 3)
    assert not batch(user, text if "S0" in text else [{"server": "S0"}]).failed


@both_ways
def test_any_other_text_is_refused_with_the_name_of_the_option(em, tmp_path, as_module):
    login = {"QLIK_EM_USERNAME": em.username, "QLIK_EM_PASSWORD": em.password}
    player = Player(tmp_path, as_module, QLIK_EM_URL=em.url, QLIK_EM_CA_PATH=str(em.ca_path), **login)
    tasks = [
        {"dataops.qlik_em.aem_task_batch": {"state": "stopped", "include": "- server: S0"}},
        {
            "dataops.qlik_em.aem_maintenance_window": {
                "state": "stopped",
                "path": str(tmp_path / "window"),
                "include": [{"server": "S0"}],
                "exclude": ["S0"],
            }
        },
        {"dataops.qlik_em.aem_task_batch": {"state": "stopped", "include": json.dumps([ORDERS])}},
    ]
    first, second, third = player.play([{"name": "Try", **task} for task in tasks]).results
    assert first["msg"] == "include must be a list of dictionaries (or such a list as a JSON string)."
    assert second["msg"] == "exclude must be a list of dictionaries (or such a list as a JSON string)."
    assert not third["failed"] and third["changed"]


# What is done


@pytest.mark.parametrize("wait", [False, True])
@pytest.mark.parametrize("state", ["stopped", "started", "restarted"])
def test_check_mode_predicts_and_the_second_run_changes_nothing(em, user, state, wait):
    fleet(em, servers=2, tasks=3, start_seconds=0.1)
    em.set_task("S0", "t0", state="STOPPED")
    em.set_task("S0", "t1", state="ERROR", message="broken")
    em.set_task("S1", "t1", state="STOPPED", stop_reason="FULL_LOAD_ONLY_FINISHED")
    em.set_task("S1", "t2", state="RECOVERY", recovery_seconds=4)
    options = {"state": state, "wait": wait, "include": [{"server": "S*"}]}
    foreseen = batch(user, check=True, diff=True, **options)
    assert not foreseen.writes and not foreseen.failed
    real = batch(user, diff=True, **options)
    assert not real.failed, real.msg
    assert foreseen.changed is real.changed is True
    assert foreseen.result["diff"] == real.result["diff"]
    assert foreseen.result["counts"] == real.result["counts"]
    after = foreseen.result["diff"]["after"]
    assert ("RUNNING (resume_processing)" in after.values()) is (state != "stopped")
    if state != "restarted":
        again = batch(user, **options)
        assert not again.changed and not again.writes and "diff" not in again.result


def test_a_task_that_somebody_starts_while_the_others_are_stopped_is_stopped_too(em, user, monkeypatch):
    """When its turn comes, the list may be out of date: nothing is decided by it."""
    monkeypatch.setattr(User, "limits", User.limits._replace(list_age=0.0))
    fleet(em, servers=1, tasks=2)
    em.set_task("S0", "t1", state="STOPPED")
    run = batch(user, [{"server": "S0"}])
    assert run.writes == ["StopTask", "StopTask"] and rows(run)["S0/t1"]["changed"] is False


def test_with_wait_a_listed_task_is_read_and_its_memory_waited_for(em, user):
    fleet(em, servers=1, tasks=1, memory_lag=0.4)
    em.set_task("S0", "t0", state="STOPPED")
    run = batch(user, [{"server": "S0"}], wait=True)
    assert not run.changed and run.operations.count("GetTaskDetails") > 1
    assert em.task("S0", "t0")["memory_mb"] == 0


def test_one_failing_task_never_hides_the_others(em, user):
    fleet(em)
    em.set_task("S0", "t1", fail_stop="It is locked.")
    em.set_task("S2", "t3", stuck_in_stopping=True)
    run = batch(user, [{"server": "*"}], timeout=1, diff=True)
    assert run.failed and run.changed
    summary, locked, stuck = run.msg.splitlines()
    assert summary == "2 of 12 tasks failed." and "It is locked." in locked
    assert locked.startswith("S0/t1: StopTask of task") and stuck.startswith("S2/t3: StopTask of task")
    assert len(stopped(em)) == 10
    locked, stuck = rows(run)["S0/t1"], rows(run)["S2/t3"]
    assert (locked["error_code"], locked["changed"], locked["after"]) == ("AEM_STOP_TASK_INNER_ERR", False, "RUNNING")
    assert (stuck["error_code"], stuck["changed"]) == ("AEM_STOP_TASK_TIMEOUT", True)
    assert locked["hint"] and stuck["hint"]
    assert run.result["counts"]["failed"] == 2 and run.result["counts"]["changed"] == 11
    assert "S0/t1" not in run.result["diff"]["before"] and "S0/t0" in run.result["diff"]["before"]


def test_after_so_many_failures_no_further_task_is_begun(em, user):
    fleet(em, servers=1, tasks=10, fail_stop="No.")
    run = batch(user, [{"server": "S0"}], max_failures=2, parallel=2)
    assert run.failed
    assert 2 <= run.result["counts"]["failed"] <= 3  # what ran then was finished
    assert run.result["counts"]["failed"] == run.operations.count("StopTask")
    left = [row for row in run.result["tasks"] if row["elapsed"] is None]
    assert len(left) == run.result["counts"]["skipped"] == 10 - run.result["counts"]["failed"]
    assert all(row["skipped"] and "max_failures" in row["msg"] for row in left)
    assert f"Not started: {len(left)}." in run.msg


def test_a_wave_that_fails_too_often_is_the_last_one(em, user):
    fleet(em, servers=2, tasks=3)
    for number in range(3):
        em.set_task("S0", f"t{number}", fail_stop="No.")
    run = batch(user, [{"server": "*"}], waves=[{"server": "S0"}, {"server": "S1"}], max_failures=3)
    assert run.failed and stopped(em) == []
    assert "Not started: 3." in run.msg


def test_a_refused_login_is_sent_once_and_ends_everything(em, user):
    fleet(em)
    user.defaults.update(username=em.username, password="wrong")
    run = batch(user, [{"server": "S0"}, {"server": "S1"}, {"server": "S2"}])
    assert run.failed and "refused to log in" in run.msg
    assert run.operations == ["Login"]


def test_a_renewal_that_is_refused_ends_everything_with_the_rows(em, user):
    fleet(em, servers=1, tasks=12)
    em.faults(
        [
            {"match": {"operation": "StopTask"}, "nth": 4, "count": 9, "fault": "expire_session"},
            {"match": {"operation": "Login"}, "nth": 2, "count": 99, "fault": "status", "status": 401},
        ]
    )
    run = batch(user, [{"server": "S0"}], parallel=3)
    assert run.failed and run.changed and "refused to log in" in run.msg and "Work was started on " in run.msg
    assert run.operations.count("Login") == 2
    assert len(stopped(em)) == 3
    assert sum(row["changed"] for row in run.result["tasks"]) == 3
    assert any(row["elapsed"] is None for row in run.result["tasks"])


def test_a_session_that_expires_is_renewed_once_for_all(em, user):
    fleet(em, stop_seconds=0.1)
    em.faults([{"match": {"operation": "StopTask"}, "nth": 7, "fault": "expire_session"}])
    run = batch(user, [{"server": "*"}], parallel=6)
    assert not run.failed and len(stopped(em)) == 12
    assert run.operations.count("Login") == 2
    assert em.summary()["open_sessions"] == 0


def test_lost_answers_are_confirmed_for_each_task_and_no_write_is_sent_twice(em, user):
    fleet(em)
    em.faults(
        [
            {"match": {"operation": "StopTask"}, "nth": [1, 5, 9], "fault": "cut_after"},
            {"match": {"operation": "StopTask"}, "nth": [3], "fault": "cut_before"},
        ]
    )
    run = batch(user, [{"server": "*"}], parallel=4, timeout=1)
    assert run.result["counts"]["failed"] == 1 and "It is not known whether the call arrived" in run.msg
    assert len(stopped(em)) == 11
    sent = Counter((r["server"], r["task"]) for r in run.requests if r["operation"] == "StopTask")
    assert set(sent.values()) == {1} and len(sent) == 12


def test_a_batch_that_is_interrupted_says_what_was_done_and_ends_its_session(em, user):
    fleet(em, servers=1, tasks=10, stop_seconds=2)

    def end_when_three_are_under_way():
        while sum(request["operation"] == "StopTask" for request in em.requests()) < 3:
            time.sleep(0.01)
        os.kill(os.getpid(), signal.SIGTERM)

    threading.Thread(target=end_when_three_are_under_way, daemon=True).start()
    run = batch(user, [{"server": "S0"}], parallel=3)
    assert run.failed and run.changed and run.msg == "Interrupted by SIGTERM. Work was started on 3 of 10 tasks."
    assert [row["changed"] for row in run.result["tasks"]] == [True] * 3 + [False] * 7
    assert {row["msg"] for row in run.result["tasks"][3:]} == {"Not started: the run ended before."}
    assert len(stopped(em)) == run.operations.count("StopTask") == 3
    assert run.operations[-1] == "Logout" and em.summary()["open_sessions"] == 0


# Full loads and changes in flight


@pytest.mark.parametrize(
    ("policy", "failed", "skipped", "is_stopped"),
    [("stop", 0, 0, True), ("skip", 0, 1, False), ("fail", 1, 0, False)],
)
def test_a_full_load_under_way_is_treated_as_chosen(em, user, policy, failed, skipped, is_stopped):
    fleet(em, servers=1, tasks=2)
    em.set_task("S0", "t1", details=LOADING)
    foreseen = batch(user, [{"server": "S0"}], on_full_load=policy, check=True)
    run = batch(user, [{"server": "S0"}], on_full_load=policy)
    assert (run.result["counts"]["failed"], run.result["counts"]["skipped"]) == (failed, skipped)
    assert foreseen.result["counts"] == run.result["counts"]
    assert ("S0/t1" in stopped(em)) is is_stopped
    assert "S0/t0" in stopped(em)
    row = rows(run)["S0/t1"]
    assert ("a full load is in progress" in row["msg"]) is not is_stopped
    assert row["after"] == ("STOPPED" if is_stopped else "RUNNING")


@pytest.mark.parametrize("counter", ["tables_loading_count", "tables_queued_count"])
def test_a_load_is_under_way_as_long_as_a_table_is_loaded_or_waits_for_it(em, user, counter):
    fleet(em, servers=1, tasks=1, details={"full_load_counters": {counter: 1}})
    run = batch(user, [{"server": "S0"}], on_full_load="skip")
    assert not run.writes and run.result["counts"]["skipped"] == 1


def test_a_full_load_is_nothing_to_a_start(em, user):
    fleet(em, servers=1, tasks=1, details=LOADING)
    run = batch(user, [{"server": "S0"}], state="started", on_full_load="fail", drain={"timeout": 1}, max_failures=1)
    assert not run.failed and run.operations == ["Login", "GetTaskList", "Logout"]


def test_a_full_load_is_waited_for(em, user):
    fleet(em, servers=1, tasks=1)
    em.set_task("S0", "t0", details=LOADING)
    run = batch(user, [{"server": "S0"}], on_full_load="wait", wait_timeout=1)
    assert run.failed and "its full load is still in progress after 1 s (wait_timeout)" in run.msg and not run.writes
    em.faults(
        [
            {
                "match": {"operation": "GetTaskDetails"},
                "nth": 3,
                "fault": "answer",
                "json": {"state": "RUNNING", **LOADED},
            }
        ]
    )
    run = batch(user, [{"server": "S0"}], on_full_load="wait", wait_timeout=5)
    assert not run.failed and run.operations.count("GetTaskDetails") == 3 and stopped(em) == ["S0/t0"]


@pytest.mark.parametrize(
    "busy",
    [
        {"cdc_latency": {"total_latency": "100:00:02"}},
        {"cdc_transactions_counters": {"applied_transactions_in_progress_count": 1}},
        {"cdc_transactions_counters": {"incoming_accumulated_changes_on_disk_count": 7}},
    ],
)
@pytest.mark.parametrize(("on_timeout", "failed", "skipped"), [("stop", 0, 0), ("skip", 0, 1), ("fail", 1, 0)])
def test_changes_in_flight_are_waited_for_so_long_and_no_longer(em, user, busy, on_timeout, failed, skipped):
    fleet(em, servers=1, tasks=2)
    em.set_task("S0", "t1", details=busy)
    run = batch(user, [{"server": "S0"}], drain={"timeout": 1, "on_timeout": on_timeout, "max_latency": 5})
    assert (run.result["counts"]["failed"], run.result["counts"]["skipped"]) == (failed, skipped)
    assert stopped(em) == (["S0/t0"] if failed or skipped else ["S0/t0", "S0/t1"])
    if failed or skipped:
        assert re.search(
            r"after 1 s \(drain\) its latency is \d+ s and \d+ changes are in flight", rows(run)["S0/t1"]["msg"]
        )


def test_changes_that_cannot_be_read_are_not_known_to_be_applied(em, user):
    fleet(em, servers=1, tasks=2)
    match = {"operation": "GetTaskDetails", "task": "t1"}
    em.faults([{"match": match, "nth": 2, "count": 99, "fault": "status", "status": 502}])
    run = batch(user, [{"server": "S0"}], drain={"timeout": 1, "on_timeout": "skip"})
    assert run.result["counts"]["skipped"] == 1 and stopped(em) == ["S0/t0"]
    assert rows(run)["S0/t1"]["msg"].startswith("Left running: after 1 s (drain) it cannot be read: GetTaskDetails")


@pytest.mark.parametrize(
    ("value", "quoted"),
    [
        ("1.02:03:04", "93784 s"),
        ("00:02:03.5000000", "123.5 s"),
        (None, "unknown (null)"),
        ("", 'unknown ("")'),
        (7, "unknown (7)"),
        ("soon", 'unknown ("soon")'),
    ],
)
def test_a_latency_that_cannot_be_read_is_not_low(em, user, value, quoted):
    fleet(em, servers=1, tasks=1)
    em.set_task("S0", "t0", details={"cdc_latency": {"total_latency": value}})
    standing = f"after 1 s (drain) its latency is {quoted} and 0 changes are in flight."
    run = batch(user, [{"server": "S0"}], drain={"timeout": 1, "on_timeout": "skip"})
    assert rows(run)["S0/t0"]["msg"] == f"Left running: {standing}" and not run.writes
    run = batch(user, [{"server": "S0"}], drain={"timeout": 1})
    assert run.failed and standing in run.msg and not run.writes
    run = batch(user, [{"server": "S0"}], drain={"timeout": 1, "on_timeout": "stop"})
    assert not run.failed and stopped(em) == ["S0/t0"]
    msg = rows(run)["S0/t0"]["msg"]
    assert msg == f"Stopped although it was not drained (on_timeout: stop): {standing}"


@pytest.mark.parametrize("counters", ["many", {"applied_records_in_progress_count": "many"}])
def test_a_counter_that_cannot_be_read_is_not_0(em, user, counters):
    fleet(em, servers=1, tasks=1)
    em.set_task("S0", "t0", details={"cdc_transactions_counters": counters})
    run = batch(user, [{"server": "S0"}], drain={"timeout": 1})
    assert run.failed and not run.writes
    assert "its latency is 0 s and an unknown number of changes are in flight." in run.msg


def test_what_captures_no_changes_has_no_latency_to_wait_for(em, user):
    only_loads = {"cdc_latency": {"total_latency": None}, "options": {"apply_changes_enabled": False}}
    em.reset(
        {
            "users": [{"name": "op", "logins": [em.username], "password": em.password, "grants": [{"role": "Admin"}]}],
            "servers": [
                {"name": "C", "type": "COMPOSE", "tasks": [{"name": "flow__dw", "state": "RUNNING"}]},
                {"name": "R", "tasks": [{"name": "load", "state": "RUNNING", "details": only_loads}]},
            ],
        }
    )
    run = batch(user, [{"server": "*"}], drain={"timeout": 60})
    assert not run.failed and stopped(em) == ["C/flow__dw", "R/load"], run.result


def test_a_drained_task_is_stopped_at_once(em, user):
    fleet(em, servers=1, tasks=1, total_latency=3)
    run = batch(user, [{"server": "S0"}], drain={"max_latency": 3, "timeout": 60})
    assert run.operations == ["Login", "GetTaskList", "GetTaskDetails", "GetTaskDetails", "StopTask", "Logout"]


# Progress


def test_the_progress_is_shown_with_what_takes_long_and_nothing_in_check_mode(em, user, monkeypatch):
    monkeypatch.setattr(User, "limits", User.limits._replace(progress_interval=0.3, slow_task=0.3))
    fleet(em, servers=1, tasks=3)
    em.set_task("S0", "t1", fail_stop=f"No, {em.password} is wrong.")
    em.set_task("S0", "t2", stop_seconds=1.5)
    batch(user, [{"server": "S0"}], check=True)
    assert user.progress == []
    batch(user, [{"server": "S0"}])
    assert any(line.startswith("stopped: S0/t1 failed: StopTask of") for line in user.progress)
    assert any(
        re.fullmatch(r"stopped: 2 of 3 done, 1 failed, 1 running, S0/t2 for \d s", line) for line in user.progress
    )
    assert user.progress[-1] == "stopped: 3 of 3 done, 1 failed, 0 running"
    assert em.password not in "\n".join(user.progress)


class Late(ThreadPoolExecutor):
    """Threads that are slow to begin: what is handed to them waits for a second."""

    def submit(self, work, /, *arguments):
        def begin_late():
            time.sleep(1)
            return work(*arguments)

        return super().submit(begin_late)


def test_the_progress_names_only_tasks_that_have_begun(em, user, monkeypatch):
    """One that has not began at no time: it showed the uptime of the machine."""
    monkeypatch.setattr(_parallel, "ThreadPoolExecutor", Late)
    monkeypatch.setattr(User, "limits", User.limits._replace(progress_interval=0.3, slow_task=0.2))
    fleet(em, servers=1, tasks=2, stop_seconds=1.5)
    assert not batch(user, [{"server": "S0"}]).failed
    assert user.progress[0] == "stopped: 0 of 2 done, 0 failed, 0 running"
    named = [int(seconds) for line in user.progress for seconds in re.findall(r"for (\d+) s", line)]
    assert named and max(named) < 5


# What is shown of the tasks


def outcome(em):
    """Give the stand-in one server: a task that is stopped, one that cannot be stopped, and two that can."""
    fleet(em, servers=1, tasks=4)
    em.set_task("S0", "t0", state="STOPPED")
    em.set_task("S0", "t1", fail_stop="It is locked.")


@pytest.mark.parametrize(
    ("choice", "names", "names_on_failure"),
    [
        (None, ["t2", "t3"], ["t1"]),
        ("changed", ["t2", "t3"], ["t1"]),
        ("failed", [], ["t1"]),
        ("none", [], []),
        ("all", ["t0", "t2", "t3"], ["t0", "t1", "t2", "t3"]),
    ],
)
def test_the_result_shows_these_tasks_and_counts_all(em, user, tmp_path, choice, names, names_on_failure):
    path = tmp_path / "results.jsonl"
    options = {"results": choice, "results_dest": str(path)}
    outcome(em)
    failed = batch(user, [{"server": "S0"}], **options)
    assert failed.failed and [row["name"] for row in failed.result["tasks"]] == names_on_failure
    assert failed.result["counts"] == {"selected": 4, "changed": 2, "failed": 1, "skipped": 0, "unchanged": 1}
    written = [json.loads(line) for line in path.read_text().splitlines()]
    assert [(row["name"], row["failed"]) for row in written] == [(f"t{n}", n == 1) for n in range(4)]
    assert path.stat().st_mode & 0o777 == 0o600
    outcome(em)
    run = batch(user, [{"server": "S0"}], exclude=[{"name": "t1"}], **options)
    assert not run.failed and [row["name"] for row in run.result["tasks"]] == names and run.result["truncated"] == 0
    assert run.result["counts"] == {"selected": 3, "changed": 2, "failed": 0, "skipped": 0, "unchanged": 1}
    assert len(path.read_text().splitlines()) == 3


def test_the_result_and_the_message_of_many_tasks_are_short(em, user, tmp_path):
    path = tmp_path / "results.jsonl"
    fleet(em, servers=6, tasks=90)
    options = {"parallel": 50, "results": None, "results_dest": str(path)}
    assert batch(user, [{"server": "*"}], check=True, diff=True, **options).result["truncated"] == 40
    assert not path.exists()
    run = batch(user, [{"server": "*"}], diff=True, **options)
    assert len(run.result["tasks"]) == 500 and run.result["truncated"] == 40 and run.result["counts"]["changed"] == 540
    assert len(run.result["diff"]["after"]) == 501 and run.result["diff"]["after"]["..."] == "and 40 more"
    assert len(path.read_text().splitlines()) == 540
    fleet(em, servers=6, tasks=90, fail_stop="It is locked.")
    run = batch(user, [{"server": "*"}], **options)
    summary, *lines, more = run.msg.splitlines()
    assert summary == "540 of 540 tasks failed." and len(lines) == 20 and more == "and 520 more"
    assert len(run.result["tasks"]) == 500 and run.result["truncated"] == 40


def test_an_interrupted_batch_shows_no_task_that_went_well(em, user):
    fleet(em, servers=1, tasks=10, stop_seconds=1)

    def end_when_some_are_under_way():
        while sum(request["operation"] == "StopTask" for request in em.requests()) < 3:
            time.sleep(0.01)
        os.kill(os.getpid(), signal.SIGTERM)

    threading.Thread(target=end_when_some_are_under_way, daemon=True).start()
    run = batch(user, [{"server": "S0"}], parallel=3, results=None)
    assert run.failed and run.result["tasks"] == [] and run.result["counts"]["skipped"] == 7


def test_what_a_server_says_of_a_task_forges_no_line(em, user, tmp_path):
    path = tmp_path / "results.jsonl"
    fleet(em, servers=1, tasks=1, fail_stop=f"Nö.\r\nok: \x1b[2J\x9b\u202e\u2028 {em.password}")
    run = batch(user, [{"server": "S0"}], results_dest=str(path))
    texts = [*run.msg.splitlines(), run.result["tasks"][0]["msg"], *path.read_text().splitlines()]
    assert all(text.isprintable() for text in texts) and len(texts) == 4
    assert r"Nö. ok: \x1b[2J\x9b\u202e" in run.result["tasks"][0]["msg"]
    assert r"Nö.\r\nok: \u001b[2J\u009b\u202e\u2028" in texts[-1]  # for whoever searches it: readable, in one line
    assert em.password not in str(texts)


@pytest.mark.parametrize("option", ["folder", "journal"])
def test_results_that_cannot_be_written_are_found_before_anything_is_sent(em, user, tmp_path, option):
    fleet(em, servers=1, tasks=1)
    journal = str(tmp_path / "journal")
    path = {"folder": str(tmp_path / "missing" / "results"), "journal": journal}[option]
    run = batch(user, [{"server": "S0"}], results_dest=path, journal=journal)
    assert run.failed and "results_dest (" in run.msg and run.requests == []


@pytest.mark.parametrize("fails", [False, True])
def test_results_that_turn_out_not_to_be_writable_hide_nothing(em, user, tmp_path, monkeypatch, fails):
    def refuse(option, path, _text):
        raise InputError(f"{option} ({path}) cannot be written: No space left on device.")

    fleet(em, servers=1, tasks=1, **({"fail_stop": "It is locked."} if fails else {}))
    monkeypatch.setattr(_results, "write_atomically", refuse)
    run = batch(user, [{"server": "S0"}], results_dest=str(tmp_path / "results"))
    assert run.failed and run.changed is not fails and len(run.result["tasks"]) == 1
    if fails:
        assert run.msg.startswith("1 of 1 tasks failed.") and "results_dest (" in run.result["warnings"][0]
    else:
        assert run.msg.startswith("All tasks reached their state, but that could not be recorded. results_dest (")
        assert run.result["counts"]["changed"] == 1


# The journal


def test_writes_that_wait_share_a_sync_of_the_journal(em, user, tmp_path, monkeypatch):
    """On a slow disk 40 syncs, one after the other, would take two seconds."""
    fleet(em, servers=1, tasks=40)
    path, sent, synced = tmp_path / "journal", [], []
    sync, stop = os.fsync, Api.stop_task

    def sync_slowly(descriptor):
        size = os.fstat(descriptor).st_size  # what is written later may not be on the disk
        time.sleep(0.05)
        sync(descriptor)
        if os.path.samestat(os.fstat(descriptor), path.stat()):
            synced.append(size)

    def noted_stop(api, server, task, *arguments, **options):
        on_disk = path.read_bytes()[: max(synced, default=0)].decode()
        sent.append(f'"name": "{task}"' in on_disk)
        return stop(api, server, task, *arguments, **options)

    monkeypatch.setattr(os, "fsync", sync_slowly)
    monkeypatch.setattr(Api, "stop_task", noted_stop)
    assert not batch(user, [{"server": "S0"}], parallel=20, journal=str(path)).failed
    assert sent == [True] * 40 and len(synced) <= 20


def test_a_disk_that_fails_once_ends_the_run(em, user, tmp_path, monkeypatch):
    """A later sync may succeed although the first one has lost the lines: what waited for it was not noted."""
    fleet(em, servers=1, tasks=20)
    path, sync, failures = tmp_path / "journal", os.fsync, []

    def fail_once(descriptor):
        if os.path.samestat(os.fstat(descriptor), path.stat()) and not failures:
            time.sleep(0.3)  # others wait for it
            failures.append(descriptor)
            raise OSError(errno.EIO, "Input/output error")
        sync(descriptor)

    monkeypatch.setattr(os, "fsync", fail_once)
    run = batch(user, [{"server": "S0"}], parallel=5, journal=str(path))
    assert run.failed and not run.changed and run.writes == []
    assert "cannot be written: Input/output error." in run.msg and '"before"' not in path.read_text()


def test_the_journal_has_a_line_before_and_after_each_write(em, user, tmp_path):
    fleet(em, servers=1, tasks=2)
    em.set_task("S0", "t1", fail_stop="No.")
    path = tmp_path / "journal"
    batch(user, [{"server": "S0"}], journal=str(path), parallel=1)
    entries = [json.loads(line) for line in path.read_text().splitlines()]
    events = [(entry["event"], entry.get("call"), entry.get("name"), entry.get("error_code")) for entry in entries]
    assert events == [
        ("run", None, None, None),
        ("before", "StopTask", "t0", None),
        ("after", "StopTask", "t0", None),
        ("task", None, "t0", None),
        ("before", "StopTask", "t1", None),
        ("after", "StopTask", "t1", "AEM_STOP_TASK_INNER_ERR"),
    ]
    assert path.stat().st_mode & 0o777 == 0o600
    em.set_task("S0", "t1", fail_stop=None)
    batch(user, [{"server": "S0"}], journal=str(path))
    assert json.loads(path.read_text().splitlines()[-1])["event"] == "end"


def test_a_restart_that_was_cut_short_is_continued_and_not_begun_anew(em, user, tmp_path):
    fleet(em, servers=1, tasks=3)
    em.set_task("S0", "t1", fail_stop="No.")
    options = {"state": "restarted", "journal": str(tmp_path / "journal"), "parallel": 1}
    assert batch(user, [{"server": "S0"}], **options).failed
    em.set_task("S0", "t1", fail_stop=None)
    foreseen = batch(user, [{"server": "S0"}], check=True, **options)
    run = batch(user, [{"server": "S0"}], **options)
    assert not run.failed
    assert [r["task"] for r in run.requests if r["operation"] in ("StopTask", "RunTask")] == ["t1", "t1"]
    assert "has already restarted it" in rows(run)["S0/t0"]["msg"]
    assert foreseen.result["counts"] == run.result["counts"]
    assert batch(user, [{"server": "S0"}], **options).result["counts"]["changed"] == 3  # that one came to its end


def cut_short(path, em, *lines, operation="stopped RESUME_PROCESSING"):
    """Write the journal of a run that was killed."""
    begin = {
        "event": "run",
        "time": "2026-11-25T11:00:00.000+00:00",
        "schema": 1,
        "operation": operation,
        "continues": False,
        "boot": Path("/proc/sys/kernel/random/boot_id").read_text().strip(),
    }
    begin["enterprise_manager"] = f"{em.url}/attunityenterprisemanager"
    path.write_text("".join(json.dumps(line) + "\n" for line in (begin, *lines)))


def now():
    """Return the time as the journal has it."""
    return datetime.now(timezone.utc).isoformat(timespec="milliseconds")


def test_a_stop_of_the_run_before_that_is_still_on_its_way_is_not_overtaken(em, user, tmp_path):
    """It was sent, its sender was killed, and the server does it only now: a read at once would come too early."""
    fleet(em, servers=1, tasks=1)
    path = tmp_path / "journal"
    cut_short(path, em, {"event": "before", "time": now(), "call": "StopTask", "server": "S0", "name": "t0"})
    em.faults([{"match": {"operation": "GetTaskDetails"}, "nth": 2, "fault": "delay", "seconds": 0.1}])

    threading.Timer(0.5, lambda: em.set_task("S0", "t0", state="STOPPED")).start()
    run = batch(user, [{"server": "S0"}], state="started", journal=str(path), timeout=5)
    assert run.writes == ["RunTask"] and em.task("S0", "t0")["state"] == "RUNNING"


def test_an_unconfirmed_write_that_never_arrived_has_its_time_and_no_more(em, user, tmp_path):
    fleet(em, servers=1, tasks=2)
    path = tmp_path / "journal"
    begin, uptime = time.monotonic(), time.clock_gettime(time.CLOCK_BOOTTIME)
    old = {"event": "before", "time": now(), "uptime": uptime - 3600, "call": "StopTask", "server": "S0", "name": "t0"}
    cut_short(path, em, old, {**old, "name": "t1", "uptime": uptime})
    run = batch(user, [{"server": "S0"}], state="started", journal=str(path), timeout=1)
    assert not run.changed and not run.failed
    assert time.monotonic() - begin >= 0.99  # counted from when the write was noted
    assert rows(run)["S0/t0"]["elapsed"] < rows(run)["S0/t1"]["elapsed"]


@pytest.mark.parametrize(("arrived", "writes"), [(True, []), (False, ["StopTask", "RunTask"])])
def test_an_unconfirmed_start_is_not_done_again_if_it_shows(em, user, tmp_path, arrived, writes):
    fleet(em, servers=1, tasks=1)
    em.set_task("S0", "t0", state="RUNNING" if arrived else "STOPPED")
    path = tmp_path / "journal"
    unconfirmed = {"event": "before", "time": now(), "call": "RunTask", "server": "S0", "name": "t0"}
    cut_short(path, em, unconfirmed, operation="restarted RESUME_PROCESSING")
    run = batch(user, [{"server": "S0"}], state="restarted", journal=str(path), timeout=1)
    assert run.writes == [write for write in writes if write == "RunTask"]


def test_a_task_that_cannot_be_read_after_an_unconfirmed_write_is_not_written_to(em, user, tmp_path):
    fleet(em, servers=1, tasks=1)
    path = tmp_path / "journal"
    cut_short(path, em, {"event": "before", "time": now(), "call": "StopTask", "server": "S0", "name": "t0"})
    em.faults([{"match": {"operation": "GetTaskDetails"}, "nth": "all", "fault": "status", "status": 502}])
    run = batch(user, [{"server": "S0"}], state="started", journal=str(path), timeout=1)
    assert run.failed and run.writes == [] and "answered HTTP 502" in rows(run)["S0/t0"]["msg"], run.result


def test_a_last_line_that_a_crash_has_cut_is_not_damage(em, user, tmp_path):
    fleet(em, servers=1, tasks=1)
    path = tmp_path / "journal"
    cut_short(path, em)
    with path.open("a") as file:
        file.write('{"event": "before", "ti')
    assert not batch(user, [{"server": "S0"}], journal=str(path)).failed
    assert not batch(user, [{"server": "S0"}], journal=str(path)).failed


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{}\n{}\n", "is damaged at line 1"),
        ("[]\n", "is damaged at line 1"),
        ("half\nwhole\n", "is damaged at line 1"),
        ('{"event": "run", "schema": 2}\n', "was written by a newer release (schema 2)"),
        (
            '{"event": "run", "schema": 1, "enterprise_manager": "https://x/y"}\n',
            "belongs to another Enterprise Manager: https://x/y",
        ),
        ("\xff", "is damaged at line 1"),
        ("somebody's file", "is damaged at line 1"),
    ],
)
def test_a_journal_that_is_not_ours_stops_everything(em, user, tmp_path, text, message):
    fleet(em, servers=1, tasks=1)
    path = tmp_path / "journal"
    path.write_text(text)
    run = batch(user, [{"server": "S0"}], journal=str(path))
    assert run.failed and message in run.msg and not run.writes
    assert path.read_text() == text
