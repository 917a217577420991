# Copyright (c) 2026, dataops.qlik_em contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""aem_schedule and aem_schedule_info: schedules are read from exports of a server, and imported all together."""

from __future__ import annotations

import json
from datetime import datetime, timedelta, timezone

import pytest
from ansible_collections.dataops.qlik_em.tests.functional.support.user import User

PROD, BODY = "Replicate-Prod", "cmd.replication_definition"
NEW = {"name": "new", "cron": "30 2 * * MON-FRI", "action": "start", "tasks": ["orders", "Aufträge & Kunden 100%"]}


@pytest.fixture
def admin(user):
    """A user who may do everything."""
    user.defaults = {"username": "admin@corp.example", "password": "admin-test-password"}
    return user


def schedule(user, name="nightly reload", **options):
    """Run aem_schedule."""
    return user.run("aem_schedule", **{"server": PROD, "name": name, "wait_sleep": 0.1, "wait_timeout": 15, **options})


def rows(user, **options):
    """Return what aem_schedule_info returns, by name."""
    run = user.run("aem_schedule_info", **{"server": PROD, **options})
    assert not run.failed and not run.changed, run.result
    return {row["name"]: row for row in run.result["schedules"]}


def imported(run):
    """Return the jobs that were imported, by name, and the members of the document that was sent."""
    (request,) = [one for one in run.requests if one["operation"] == "ImportAll"]
    document = json.loads(request["body"])
    assert list(document[BODY]) == ["scheduler"] and document["_version"]
    return {job["name"]: job for job in document[BODY]["scheduler"]["jobs"]}


# Read


def test_schedules_are_returned_in_words_and_with_their_next_runs(admin):
    found = rows(admin)
    assert list(found) == ["nightly reload", "second monday", "move of 2020"]
    nightly, monday, once = found.values()
    assert (nightly["action"], nightly["tasks"], nightly["enabled"]) == ("reload", ["customers full load"], True)
    assert nightly["cron"] == "30 2 * * 1,2,3,4,5 *"
    assert nightly["explained"] == "at 02:30 on Monday to Friday (UTC)"
    times = [datetime.strptime(time, "%Y-%m-%dT%H:%M:%SZ") for time in nightly["next_runs"]]
    now = datetime.now(timezone.utc).replace(tzinfo=None)
    assert len(times) == 5 and times == sorted(times) and now < times[0] <= now + timedelta(days=4)
    assert all((time.hour, time.minute) == (2, 30) and time.isoweekday() < 6 for time in times)
    assert (monday["enabled"], monday["next_runs"], monday["local_time"]) == (False, [], True)
    assert monday["explained"] == "at 22:00 on the second Monday of each month (local time of the server)"
    assert (monday["action"], monday["tasks"]) == ("stop", ["orders", "invoices"])
    assert monday["definition"]["owner"] == {"team": "erp"}
    assert (once["action"], once["tasks"], once["next_runs"]) == ("stop", ["*"], [])
    assert once["explained"] == "once at 06:00 on 24 December 2020 (UTC)"


def test_times_of_a_server_are_not_called_utc(admin):
    assert schedule(admin, "second monday").changed
    times = rows(admin)["second monday"]["next_runs"]
    assert len(times) == 5 and all(datetime.fromisoformat(time).tzinfo is None and time[-1] != "Z" for time in times)


def test_only_the_named_ones_are_returned(admin):
    assert list(rows(admin, name=["move of 2020", "nothing"])) == ["move of 2020"]
    assert rows(admin, name=["nothing"]) == {} and rows(admin, server="Replicate-Test")["hourly"]["action"] == "start"


def test_what_is_not_understood_is_returned_with_a_warning(admin, em):
    jobs = [
        {"name": "odd", "command_id": 51, "schedule": "0 0 */9 * * *"},
        {"name": "every 90", "command_id": 25, "schedule": "* * * * */90 *", "command_requests": {}},
        {"name": "metadata", "command_id": 25, "schedule": "0 0 * * * *", "command_requests": {"execute_req": {}}},
    ]
    jobs[2]["command_requests"]["execute_req"]["flags"] = "METADATA_ONLY"
    em.reset(one_server(jobs))
    run = User(em, defaults={"username": "u", "password": "one-server-password"}).run("aem_schedule_info", server=PROD)
    odd, every, metadata = run.result["schedules"]
    assert (odd["explained"], odd["next_runs"], odd["cron"]) == (None, None, "0 0 */9 * * *")
    assert len(run.result["warnings"]) == 1
    assert 'The cron expression of schedule "odd" is not understood: the day "*/9"' in run.result["warnings"][0]
    assert (every["explained"], every["next_runs"]) == ("every 90 minutes (UTC)", None)
    assert (every["action"], metadata["action"]) == ("start", "other")


def test_an_existing_schedule_that_is_not_understood_can_be_changed(em):
    em.reset(one_server([{"name": "odd", "command_id": 25, "schedule": "0 0 */9 * * *"}]))
    user = User(em, defaults={"username": "u", "password": "one-server-password"})
    run = schedule(user, "odd", state="disabled")
    assert run.changed and not run.failed, run.result
    assert 'The cron expression of schedule "odd" is not understood: ' in run.result["warnings"][0]
    run = schedule(user, "odd", cron="0 1 * * *")
    assert run.changed and imported(run)["odd"]["schedule"] == "0 1 * * * *" and "warnings" not in run.result


def one_server(jobs):
    """An installation with these jobs on its one server."""
    return {
        "users": [{"name": "u", "password": "one-server-password", "grants": [{"role": "Admin"}]}],
        "servers": [{"name": PROD, "tasks": [{"name": "orders"}], "schedules": jobs}],
    }


# Write


@pytest.mark.parametrize("replaces", [False, True], ids=["merged", "replaced"])
def test_a_new_schedule_leaves_all_others_whatever_the_server_does_with_the_list(admin, em, replaces):
    em.set_server(PROD, import_seconds=0.3, replaces_schedules=replaces)
    before = rows(admin)
    foreseen = schedule(admin, **NEW, check=True, diff=True)
    assert foreseen.changed and "ImportAll" not in foreseen.operations and rows(admin) == before
    run = schedule(admin, **NEW, diff=True)
    assert run.changed and not run.failed, run.result
    assert run.result["diff"] == foreseen.result["diff"] and run.result["schedule"] == foreseen.result["schedule"]
    assert run.result["diff"]["before"] == {} and run.result["diff"]["after"] == {
        "name": "new",
        "enabled": True,
        "cron": "30 2 * * 1-5 *",
        "local_time": False,
        "action": "start",
        "tasks": ["orders", "Aufträge & Kunden 100%"],
    }
    assert run.result["schedule"]["explained"] == "at 02:30 on Monday to Friday (UTC)"
    assert len(run.result["schedule"]["next_runs"]) == 5 and "warnings" not in run.result
    job = imported(run)["new"]
    assert (job["schedule"], job["command_id"], job["is_local_time"]) == ("30 2 * * 1-5 *", 25, False)
    assert job["task"] == "orders,Aufträge & Kunden 100%"
    assert job["command_requests"]["execute_req"]["flags"] == "RESUME"
    after = rows(admin)
    assert {name: after[name] for name in before} == before and set(after) == {*before, "new"}
    again = schedule(admin, **NEW, diff=True)
    assert not again.changed and "ImportAll" not in again.operations
    assert again.result["diff"]["before"] == again.result["diff"]["after"]


@pytest.mark.parametrize("replaces", [False, True], ids=["merged", "replaced"])
def test_a_change_keeps_what_it_does_not_name(admin, em, replaces):
    em.set_server(PROD, replaces_schedules=replaces)
    old = rows(admin)["second monday"]
    run = schedule(admin, "second monday", state="disabled", action="reload", cron="0 23 */2 * */1")
    assert run.changed and not run.failed
    new = rows(admin)["second monday"]
    kept = ("name", "enabled", "local_time", "tasks")
    assert {key: new[key] for key in kept} == {key: old[key] for key in kept}
    assert (new["action"], new["cron"]) == ("reload", "0 23 */2 * */1 *")
    assert new["definition"] == {**old["definition"], "schedule": "0 23 */2 * */1 *", "command_id": 25}
    assert new["definition"]["owner"] == {"team": "erp"}


@pytest.mark.parametrize(
    ("options", "member", "value"),
    [
        ({"cron": "30 2 * * MON-FRI 2026-2030"}, "schedule", "30 2 * * 1-5 2026-2030"),
        ({"local_time": True}, "is_local_time", True),
        ({"action": "stop"}, "command_id", 51),
        ({"tasks": ["orders"]}, "task", "orders"),
        ({"state": "disabled"}, "enabled", False),
    ],
)
def test_each_option_changes_one_member_of_the_job(admin, options, member, value):
    old = rows(admin)["nightly reload"]["definition"]
    assert schedule(admin, **options).changed
    assert rows(admin)["nightly reload"]["definition"] == {**old, member: value}
    assert not schedule(admin, **options).changed


@pytest.mark.parametrize("cron", ["30 2 * * 1-5 *", "30 02 * * MON-FRI", "30 2 * * MON,TUE,WED,THU,FRI *"])
def test_the_same_schedule_in_another_spelling_changes_nothing(admin, cron):
    run = schedule(admin, cron=cron)
    assert not run.changed and not run.failed


def test_a_schedule_for_all_tasks(admin):
    run = schedule(admin, **{**NEW, "tasks": ["*"]})
    assert run.changed and "task" not in imported(run)["new"] and rows(admin)["new"]["tasks"] == ["*"]
    assert not schedule(admin, **{**NEW, "tasks": ["*"]}).changed
    assert schedule(admin, **NEW).changed and rows(admin)["new"]["tasks"] == NEW["tasks"]


def test_disabled_and_enabled_again(admin):
    run = schedule(admin, state="disabled")
    assert run.changed and run.result["schedule"]["enabled"] is False and run.result["schedule"]["next_runs"] == []
    assert rows(admin)["nightly reload"]["enabled"] is False and not schedule(admin, state="disabled").changed
    run = schedule(admin)
    assert run.changed and len(run.result["schedule"]["next_runs"]) == 5
    assert rows(admin)["nightly reload"]["enabled"] is True


def test_absent_disables_and_says_that_it_stays(admin):
    foreseen = schedule(admin, state="absent", check=True, diff=True)
    run = schedule(admin, state="absent", diff=True)
    assert run.changed is foreseen.changed is True and run.result["diff"] == foreseen.result["diff"]
    assert (
        run.result["warnings"]
        == foreseen.result["warnings"]
        == [
            'The API cannot remove a schedule: "nightly reload" on server "Replicate-Prod" was kept, and it was '
            "disabled. Remove it in the console."
        ]
    )
    assert rows(admin)["nightly reload"]["enabled"] is False
    again = schedule(admin, state="absent")
    assert not again.changed and "was kept, and it is disabled." in again.result["warnings"][0]
    nothing = schedule(admin, "nothing", state="absent")
    assert not nothing.changed and nothing.result["schedule"] is None and "warnings" not in nothing.result


@pytest.mark.parametrize("cron", ["0 6 24 12 * 2020", "0 0 30 2 * *"])
def test_one_that_never_runs_is_created_with_a_warning(admin, cron):
    run = schedule(admin, **{**NEW, "cron": cron})
    assert run.changed and run.result["schedule"]["next_runs"] == []
    assert run.result["warnings"] == [
        f'The schedule "new" will never run again: {run.result["schedule"]["explained"]}.'
    ]
    assert "warnings" not in schedule(admin, **{**NEW, "cron": cron, "state": "disabled"}).result


def test_running_tasks_do_not_matter(admin, em):
    assert em.task(PROD, "orders")["state"] == "RUNNING"
    assert not schedule(admin, **{**NEW, "tasks": ["orders"]}).failed
    assert em.task(PROD, "orders")["state"] == "RUNNING"


@pytest.mark.parametrize("fault", ["cut_after", "cut_before"])
def test_a_lost_answer(admin, em, monkeypatch, fault):
    monkeypatch.setattr(User, "limits", User.limits._replace(lost_effect=1))
    em.faults([{"match": {"operation": "ImportAll"}, "fault": fault, "how": "close"}])
    run = schedule(admin, **NEW)
    assert run.changed and run.failed is (fault == "cut_before") and run.operations.count("ImportAll") == 1
    assert ("new" in rows(admin)) is (fault == "cut_after")


def test_an_import_without_an_effect_is_a_failure_that_says_so(admin, em):
    em.set_server(PROD, import_seconds=60)
    run = schedule(admin, **NEW, wait_timeout=1)
    assert run.failed and run.changed and 'schedule "new" of server "Replicate-Prod"' in run.msg
    assert "(wait_timeout)" in run.msg


def test_a_refusal_says_why(admin, em, user):
    em.set_server(PROD, fail_import="SYS-E-GNRLERR, not now.")
    run = schedule(admin, **NEW)
    assert run.failed and not run.changed and "not now" in run.msg
    run = schedule(user, **NEW, username="operator@corp.example", password="operator-test-password")
    assert run.failed and "Admin on Enterprise Manager and on the server" in run.result["hint"]


def test_two_of_the_same_name_are_not_guessed_at(admin, em):
    """The stand-in, too, refuses such a list; a proxy in between does not."""
    jobs = [{"name": "twice", "command_id": 51, "schedule": "0 0 * * * *"}] * 2
    document = {"name": "x", BODY: {"tasks": [], "scheduler": {"jobs": jobs}}}
    em.faults([{"match": {"operation": "ExportAll"}, "fault": "status", "status": 200, "body": json.dumps(document)}])
    run = schedule(admin, "twice", state="disabled")
    assert run.failed and run.msg == 'Server "Replicate-Prod" has 2 schedules with the name "twice".'


@pytest.mark.parametrize("scheduler", [[{"name": "a"}], {"jobs": {}}, {"jobs": [{}]}])
def test_a_form_that_is_not_known_is_not_changed(admin, em, scheduler):
    document = {"name": "x", BODY: {"tasks": [], "scheduler": scheduler}}
    em.faults([{"match": {"operation": "ExportAll"}, "fault": "status", "status": 200, "body": json.dumps(document)}])
    run = schedule(admin, **NEW)
    assert run.failed and "contains schedules in a form that this module does not know" in run.msg
    assert run.operations == ["Login", "ExportAll", "Logout"]
