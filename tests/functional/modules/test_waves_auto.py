# Copyright (c) 2026, dataops.qlik_em contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""waves: auto and dependencies: the order follows from what tasks read and write, as far as the user may see it."""

from __future__ import annotations

import json
from collections import Counter

import pytest
from ansible_collections.dataops.qlik_em.tests.functional.support.checkpoints import tasks_in
from ansible_collections.dataops.qlik_em.tests.functional.support.user import User

ADMIN = {"username": "admin@x", "password": "pw"}
OPERATOR = {"username": "operator@x", "password": "pw"}  # may export tasks, not servers
LOOKER = {"username": "looker@x", "password": "pw"}  # may export nothing
NARROW = {"username": "narrow@x", "password": "pw"}  # sees neither the list of servers nor C
QUICK = {"wait_sleep": 0.1, "timeout": 5, "wait_timeout": 10, "parallel": 20}
ALL = [{"server": "R"}, {"server": "C"}]
STAGING, READERS = ["R/staging", "R/alone"], ["R/orders", "R/invoices"]
TREE = [
    "R/staging: start wave 1, stop wave 3",
    "|- R/orders: start wave 2, stop wave 2",
    "|- R/invoices: start wave 2, stop wave 2",
    "R/alone: start wave 1, stop wave 3",
    "then (Replicate before Compose)",
    "|- C/flow__x: start wave 3, stop wave 1",
]

ONLY_R = [
    "R/staging: start wave 1, stop wave 2",
    "|- R/orders: start wave 2, stop wave 1",
    "|- R/invoices: start wave 2, stop wave 1",
    "R/alone: start wave 1, stop wave 2",
]


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    """Short pauses."""
    monkeypatch.setattr(User, "limits", User.limits._replace(lost_effect=0.4))


def task(name, source="ERP", target=("Warehouse", "Snowflake"), **members):
    """Return a running task."""
    ends = {
        "source_endpoint": {"name": source, "type": "Oracle"},
        "target_endpoint": dict(zip(("name", "type"), target)),
    }
    return {"name": name, "state": "RUNNING", "stop_seconds": 0.2, "start_seconds": 0.2, **ends, **members}


def staged(name, staging, **settings):
    """Return an endpoint that reads what a task stages."""
    secret = {"$type": "OracleSettings", "username": "replicate", "password": "staged-test-password"}
    return {"name": name, "db_settings": {**secret, "logstreamstagingtask": staging, **settings}}


def installation(*more):
    """Return a Replicate server R, of which two tasks read what a third one stages, and a Compose server C."""

    def user(name, *grants):
        return {"name": name, "logins": [f"{name}@x"], "password": "pw", "grants": list(grants)}

    on_tasks = [{"role": "Operator", "server": server, "all_tasks": True} for server in ("R", "C")]
    users = [
        user("admin", {"role": "Admin"}),
        user("operator", {"role": "Operator"}),
        user("looker", {"role": "Viewer"}, *on_tasks),
        user("narrow", {"role": "Operator", "server": "R"}),
    ]
    tasks = [
        task("orders", "ERP staged"),
        task("staging", target=("Stage", "Log Stream")),
        task("invoices", "ERP staged"),
        task("alone"),
    ]
    replicate = {"name": "R", "tasks": tasks, "endpoints": [staged("ERP staged", "staging")]}
    compose = {"name": "C", "type": "COMPOSE", "tasks": [{**task("flow__x"), "state": "RUNNING"}]}
    return {"users": users, "servers": [replicate, compose, *more]}


@pytest.fixture
def em(stand_in):
    """The installation as new."""
    stand_in.reset(installation())
    return stand_in


@pytest.fixture
def batch(user):
    """Run the batch, as the admin if nothing else is given."""

    def run(state="stopped", **options):
        given = {**QUICK, "include": ALL, "waves": "auto", **ADMIN, **options}
        return user.run("aem_task_batch", state=state, **given)

    return run


@pytest.fixture
def window(user, tmp_path):
    """Run a step of a window, as the admin if nothing else is given."""

    def step(state, **options):
        selection = {"include": ALL, "waves": "auto"} if state == "recorded" else {}
        given = {**QUICK, "path": str(tmp_path / "checkpoint"), **ADMIN, **selection, **options}
        return user.run("aem_maintenance_window", state=state, **given)

    return step


def waves(run, operation):
    """Return the tasks that were stopped or started, in groups none of which began before the one before was done."""
    calls = sorted((r for r in run.requests if r["operation"] == operation), key=lambda r: r["monotonic"])
    groups, end = [], 0.0
    for call in calls:
        if call["monotonic"] >= end and call["monotonic"] - end >= 0:
            groups.append([])
        groups[-1].append(f"{call['server']}/{call['task']}")
        end = max(end, call["monotonic"] + call["seconds"])
    return [sorted(group) for group in groups]


STOPS = [["C/flow__x"], sorted(READERS), sorted(STAGING)]


def exports(run):
    """Return how often what was exported."""
    return Counter(r["operation"] for r in run.requests if str(r["operation"]).startswith("Export"))


# The order


def test_a_window_stops_readers_first_and_starts_them_last(em, window, tmp_path):
    record = window("recorded")
    assert record.changed and not record.writes and "warnings" not in record.result, record.result
    assert record.result["order"] == TREE
    assert exports(record) == {"ExportAll": 1}  # of R; C has none, and no task is asked for
    recorded = tasks_in(json.loads((tmp_path / "checkpoint").read_text()))
    kept = {"/".join(task): wave for task, (_state, wave, *_latency) in recorded.items()}
    assert kept == {"C/flow__x": 1, "R/orders": 2, "R/invoices": 2, "R/staging": 3, "R/alone": 3}
    freeze = window("frozen")
    assert not freeze.failed and waves(freeze, "StopTask") == STOPS and not exports(freeze)
    restore = window("restored")
    assert not restore.failed and waves(restore, "RunTask") == STOPS[::-1] and not exports(restore)
    assert "order" not in freeze.result and "order" not in restore.result


def test_a_batch_follows_the_state(em, batch):
    stop = batch("stopped")
    assert not stop.failed and waves(stop, "StopTask") == STOPS and stop.result["order"] == TREE
    assert exports(stop) == {"ExportAll": 1}
    start = batch("started")
    assert not start.failed and waves(start, "RunTask") == STOPS[::-1] and start.result["order"] == TREE
    again = batch("restarted")
    assert not again.failed and waves(again, "RunTask") == STOPS[::-1]


def test_a_dry_run_shows_the_order_and_a_real_one_does_not(em, user, batch, window):
    for run in (lambda: batch(check=True), lambda: window("recorded", check=True)):
        user.progress.clear()
        assert run().result["order"] == TREE
        assert user.progress == ["The order:", *TREE]
    user.progress.clear()
    batch()
    assert not [line for line in user.progress if "wave" in line]


def test_a_list_of_waves_is_as_before_and_exports_nothing(em, batch):
    run = batch(waves=[{"name": "staging"}])
    assert not exports(run) and "order" not in run.result
    assert waves(run, "StopTask")[0] == ["R/staging"]


def test_a_compose_server_is_not_exported(em, batch):
    document = installation()
    document["servers"][1]["tasks"].append({"name": "other__x", "state": "RUNNING"})
    em.reset(document)
    run = batch(include=[{"server": "C"}], check=True)
    assert not exports(run) and "GetTaskDetails" not in run.operations and "warnings" not in run.result


def test_one_task_of_a_server_needs_no_export(em, batch):
    run = batch(include=[{"name": "orders"}, {"server": "C"}])
    assert not exports(run) and run.result["order"] == [
        "R/orders: start wave 1, stop wave 2",
        "then (Replicate before Compose)",
        "|- C/flow__x: start wave 2, stop wave 1",
    ]


def test_the_staging_task_of_sap_stands_behind_the_endpoint(em, batch):
    document = installation()
    document["servers"][0]["endpoints"] = [
        {"name": "ERP staged", "type": "SAP Application", "db_settings": {"backend_db": "behind"}},
        staged("behind", "STAGING"),  # in other letters
    ]
    em.reset(document)
    assert batch(check=True).result["order"] == TREE


def test_a_staging_task_that_is_not_selected_is_not_waited_for(em, batch):
    run = batch(include=[{"server": "R", "name": name} for name in ("orders", "alone")])
    assert run.result["order"] == ["R/orders: start wave 1, stop wave 1", "R/alone: start wave 1, stop wave 1"]
    assert "warnings" not in run.result


def test_a_staging_task_of_another_server_is_a_warning_and_a_dependency_puts_it_in_order(em, batch):
    document = installation()
    document["servers"][0]["endpoints"] = [staged("ERP staged", "elsewhere")]
    elsewhere = {"name": "Other", "tasks": [task("elsewhere", target=("Stage", "Log Stream"))]}
    em.reset({**document, "servers": [*document["servers"], elsewhere]})
    include = [{"server": "R"}, {"server": "Other"}]
    (warning,) = batch(include=include, check=True).result["warnings"]
    assert (
        "log stream of a task that does not exist on their server" in warning
        and 'R/orders (reads from "elsewhere")' in warning
    )
    readers = [{"server": "R", "name": "orders"}, {"server": "R", "name": "invoices"}]
    run = batch(include=include, dependencies=[{"before": [{"server": "Other"}], "after": readers}])
    assert waves(run, "StopTask")[0] == sorted(READERS)


# What a user may see


def test_who_may_not_export_a_server_reads_its_tasks_one_by_one(em, batch):
    run = batch(**OPERATOR)
    assert run.result["order"] == TREE and "warnings" not in run.result, run.result
    assert exports(run) == {"ExportAll": 1, "ExportTask": 3}  # what stages is known from its details


def test_without_a_log_stream_the_details_are_enough(em, batch):
    run = batch(include=[{"server": "R", "name": name} for name in ("orders", "alone")], **LOOKER)
    assert exports(run) == {"ExportAll": 1} and "warnings" not in run.result


def test_who_may_export_nothing_gets_all_readers_after_what_is_staged_and_a_warning(em, batch):
    run = batch(**LOOKER)
    assert not run.failed and waves(run, "StopTask") == [["C/flow__x"], ["R/alone", *sorted(READERS)], ["R/staging"]]
    assert run.result["order"][:2] == ["R/staging: start wave 1, stop wave 3", 'then (log streams of server "R")']
    (warning,) = run.result["warnings"]
    assert warning.startswith(
        "The sources of these tasks cannot be read. They are ordered after all tasks of their server that stage"
    )
    assert "R/orders, R/invoices, R/alone. ExportAll of server" in warning


def test_what_is_certain_is_stronger_than_what_is_not_seen(em, batch):
    dependencies = [{"before": [{"name": "alone"}], "after": [{"name": "staging"}]}]
    run = batch(include=[{"server": "R"}], dependencies=dependencies, **LOOKER)
    assert not run.failed and run.result["order"] == [
        "R/alone: start wave 1, stop wave 3",
        "then (item 1 of dependencies)",
        "|- R/staging: start wave 2, stop wave 2",
        'then (log streams of server "R")',
        "|- R/orders: start wave 3, stop wave 1",
        "|- R/invoices: start wave 3, stop wave 1",
    ]


@pytest.mark.parametrize(
    "fault",
    [
        {"fault": "error", "error_code": "AEM_EXPORT_INNER_ERR", "error_message": "Out of memory"},
        {"fault": "answer", "json": {"cmd.replication_definition": []}},
    ],
)
def test_an_export_that_fails_is_made_up_for(em, batch, fault):
    em.faults([{"match": {"operation": "ExportAll"}, "nth": "all", **fault}])
    run = batch(check=True)
    assert not run.failed and run.result["order"] == TREE


def test_a_task_of_which_nothing_can_be_seen_is_a_warning(em, batch):
    error = {"fault": "error", "error_code": "AEM_TASK_NOT_FOUND", "error_message": "No such task"}
    em.faults(
        [
            {"match": {"operation": name, "task": "orders"}, "nth": "all", **error}
            for name in ("GetTaskDetails", "ExportTask")
        ]
    )
    run = batch(check=True, **OPERATOR)
    (warning,) = run.result["warnings"]
    assert (
        warning.startswith("It cannot be read whether these tasks stage or read log streams") and "R/orders." in warning
    )
    assert "No such task" in warning


def test_who_does_not_see_the_list_of_servers_reads_the_server(em, batch):
    run = batch(include=[{"server": "R"}], **NARROW)
    assert not run.failed and run.result["order"] == ONLY_R and "warnings" not in run.result, run.result
    assert run.operations.count("GetServerDetails") == 1


def test_a_server_whose_product_is_not_shown_is_a_warning(em, batch):
    error = {"fault": "error", "error_code": "UNAUTHORIZED_REQUEST", "error_message": "No.", "http_status": 403}
    em.faults([{"match": {"operation": name}, "nth": "all", **error} for name in ("GetServerList", "GetServerDetails")])
    run = batch(include=[{"server": "R"}], check=True)
    (warning,) = run.result["warnings"]
    assert warning.startswith(
        "It cannot be read whether these servers are Replicate or Compose. They are treated as Replicate: R. "
    )
    assert run.result["order"] == ONLY_R


def test_servers_are_exported_side_by_side_but_so_many_at_a_time(em, batch):
    more = [{"name": f"R{number}", "tasks": [task("a"), task("b")]} for number in range(5)]
    em.reset(installation(*more))
    em.faults([{"match": {"operation": "ExportAll"}, "nth": "all", "fault": "delay", "seconds": 0.3}])
    run = batch(include=[{"server": "R[0-9]"}], parallel=3, check=True)
    spans = [(r["monotonic"], r["monotonic"] + r["seconds"]) for r in run.requests if r["operation"] == "ExportAll"]
    busiest = max(sum(begin <= moment < end for begin, end in spans) for moment, _end in spans)
    assert len(spans) == 5 and 2 <= busiest <= 3
    assert em.summary()["tcp_connections"] <= 3


@pytest.mark.parametrize("login", [ADMIN, OPERATOR])
def test_nothing_of_an_export_is_shown_or_kept_but_names(em, user, batch, window, tmp_path, login):
    runs = [batch(check=True, diff=True, **login), window("recorded", diff=True, **login), window("frozen", **login)]
    text = json.dumps([run.result for run in runs]) + "".join(user.progress)
    text += "".join(path.read_text() for path in tmp_path.iterdir() if path.is_file())
    for secret in ("staged-test-password", "db_settings", "password", "OracleSettings", "ERP staged", "replicate"):
        assert secret not in text


# Dependencies


def test_dependencies_say_what_cannot_be_found_out(em, batch):
    dependencies = [
        {"before": [{"server": "C"}], "after": [{"name": "alone"}]},  # Compose writes what it reads
        {"before": [{"name": "orders"}], "after": [{"name": "invoices"}, {"name": "alone"}]},
    ]
    run = batch("stopped", dependencies=dependencies)
    assert not run.failed and run.result["order"] == [
        "R/staging: start wave 1, stop wave 5",
        "|- R/orders: start wave 2, stop wave 4",
        "then (item 2 of dependencies)",
        "|- R/invoices: start wave 3, stop wave 3, also after R/staging",
        "then (Replicate before Compose)",
        "|- C/flow__x: start wave 4, stop wave 2",
        "then (item 1 of dependencies)",
        "|- R/alone: start wave 5, stop wave 1, also by item 2 of dependencies",
    ]
    assert waves(run, "StopTask") == [["R/alone"], ["C/flow__x"], ["R/invoices"], ["R/orders"], ["R/staging"]]


def test_a_task_is_not_before_itself(em, batch):
    last = [{"before": [{"server": "*"}], "after": [{"name": "alone"}]}]
    assert waves(batch(dependencies=last), "StopTask")[0] == ["R/alone"]
    first = [{"before": [{"name": "alone"}], "after": [{"server": "*"}]}]
    assert waves(batch("started", dependencies=first), "RunTask")[0] == ["R/alone"]


def test_a_dependency_that_selects_nothing_is_a_warning(em, window):
    run = window("recorded", dependencies=[{"before": [{"name": "nope"}], "after": [{"name": "alone"}]}])
    assert run.result["warnings"] == ["before in item 1 of dependencies selects none of the tasks: it has no effect."]
    assert run.result["order"] == TREE


@pytest.mark.parametrize("check", [True, False])
def test_a_circle_is_refused_before_anything_is_stopped_or_noted(em, batch, window, tmp_path, check):
    dependencies = [
        {"before": [{"name": "orders"}], "after": [{"name": "alone"}]},
        {"before": [{"name": "alone"}], "after": [{"name": "staging"}]},
    ]
    says = (
        "The dependencies of the tasks form a cycle: R/alone -> R/staging (item 2 of dependencies) -> R/orders (log "
        "stream) -> R/alone (item 1 of dependencies). Nothing was done."
    )
    for run in (
        batch(dependencies=dependencies, check=check),
        window("recorded", dependencies=dependencies, check=check),
    ):
        assert run.failed and not run.changed and not run.writes and run.msg == says
    assert not (tmp_path / "checkpoint").exists()


def test_tasks_on_both_sides_of_a_dependency_are_refused(em, batch):
    run = batch(dependencies=[{"before": [{"server": "R"}], "after": [{"server": "R"}]}])
    assert run.failed and not run.writes
    assert run.msg == (
        "before and after in item 1 of dependencies both select R/alone and R/invoices: each would be before the other."
    )


# The option


@pytest.mark.parametrize("value", ['[{"server": "C"}]', [{"server": "C"}], ' [ {"server": "C"} ]\n'])
def test_waves_may_be_a_text_as_a_survey_gives_it(em, batch, value):
    assert waves(batch(waves=value), "StopTask")[0] == ["C/flow__x"]


def test_a_list_of_waves_is_taken_as_other_lists_of_selectors_are(em, batch):
    em.set_task("R", "alone", assigned_tags=["last"])
    run = batch(waves=[{"server": "R", "tag": "odd,last"}])  # a text for a list
    assert not run.failed and waves(run, "StopTask")[0] == ["R/alone"]


@pytest.mark.parametrize(
    ("first", "second", "is_same"), [("auto", "auto", True), ("auto", None, False), (None, "auto", False)]
)
def test_an_open_window_is_kept_for_the_same_selection_only(em, window, first, second, is_same):
    assert window("recorded", waves=first).changed
    assert not window("frozen").failed
    run = window("recorded", waves=second)
    assert run.failed is not is_same
    assert ("recorded for another selection" in run.msg) if run.failed else "order" not in run.result


def test_a_window_that_is_recorded_again_unchanged_shows_its_order(em, window):
    assert window("recorded").changed
    run = window("recorded")
    assert not run.changed and run.result["order"] == TREE
