# Copyright (c) 2026, dataops.qlik_em contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""aem_estate, state gathered: what servers have, as a folder for Git."""

from __future__ import annotations

import fcntl
import json
import re

import pytest

PROD, TEST, DOWN = "Replicate-Prod", "Replicate-Test", "Replicate-Down"
ADMIN = {"username": "admin@corp.example", "password": "admin-test-password"}
BOTH = [{"server": PROD}, {"server": TEST}]
ACL = {"admin_role": {"users": ["zoe@corp.example", "Adam@corp.example"]}}


@pytest.fixture
def admin(user):
    """A user who may do everything."""
    user.defaults = ADMIN
    return user


@pytest.fixture
def estate(tmp_path):
    """Where the estate is."""
    return tmp_path / "estate"


def gather(user, path, include=None, **options):
    """Run aem_estate, for both servers unless something else is meant."""
    include = BOTH if include is None else include
    return user.run("aem_estate", **{"path": str(path), "include": include, **options})


def files(folder):
    """Return the bytes and the time of each file in a folder."""
    found = (path for path in folder.rglob("*") if path.is_file())
    return {str(path.relative_to(folder)): (path.read_bytes(), path.stat().st_mtime_ns) for path in found}


def read(path):
    """Return what a file holds."""
    return json.loads(path.read_text())


def row(run, server):
    """Return the row of a server."""
    return next(row for row in run.result["servers"] if row["server"] == server)


def test_a_secret_whose_name_does_not_say_so_is_covered_where_the_user_names_it(admin, em, estate):
    given = {"server": PROD, "name": "ERP", "state": "present", "secrets": {"code": {"pin": "canary 1234"}}}
    assert not admin.run("aem_endpoint", **given, update_password="always").failed
    place, file = "databases/ERP/db_settings/code/pin", estate / PROD / "endpoints" / "ERP.json"
    gather(admin, estate)
    assert "canary 1234" in file.read_text()  # nobody can know
    run = gather(admin, estate, diff=True, secret_places=[place, "databases/*/db_settings/nothing"])
    assert read(file)["db_settings"]["code"] == {"pin": "<redacted>"}
    assert "canary" not in json.dumps(run.result) and f"{PROD}/{place}" in run.result["diff"]["after"]
    assert run.result["warnings"] == ["secret_places: no server has anything at databases/*/db_settings/nothing."]
    assert not gather(admin, estate, secret_places=["databases/*/db_settings/code"]).changed


def test_each_object_is_a_file_without_secrets(admin, em, estate):
    admin.run("aem_acl", server=PROD, **ACL)
    run = gather(admin, estate, diff=True)
    assert run.changed and not run.failed and "warnings" not in run.result
    assert sorted(file for file in files(estate) if file.startswith(PROD)) == [
        f"{PROD}/{file}"
        for file in (
            "acl.json",
            "endpoints/Down & out.json",
            "endpoints/ERP standby.json",
            "endpoints/ERP.json",
            "endpoints/Source.json",
            "endpoints/Target.json",
            "endpoints/Warehouse.json",
            "schedules.json",
            "server.json",
            "tasks/Aufträge & Kunden 100%25.json",
            "tasks/customers full load.json",
            "tasks/invoices.json",
            "tasks/locked.json",
            "tasks/orders.json",
            "tasks/shipments.json",
        )
    ]
    assert {path.name for path in (estate / TEST / "tasks").iterdir()} == {
        "stock.json",
        "stuck.json",
        "a+b=c #1%3F.json",
        "north%2Fsouth.json",
        "it's %22quoted%22.json",
        "在庫 — été.json",
    }
    assert read(estate / "estate.json") == {"schema": 1, "enterprise_manager": f"{em.url}/attunityenterprisemanager"}
    assert read(estate / PROD / "server.json")["name"] == PROD
    assert read(estate / PROD / "server.json")["_version"]["version_major"] == 2021
    assert read(estate / PROD / "endpoints" / "ERP.json")["db_settings"]["password"] == "<redacted>"
    assert [job["name"] for job in read(estate / PROD / "schedules.json")["jobs"]] == [
        "move of 2020",
        "nightly reload",
        "second monday",
    ]
    acl = read(estate / PROD / "acl.json")
    assert [one["name"] for one in acl["admin_role"]["users"]] == ["Adam@corp.example", "zoe@corp.example"]
    text = str([content for content, _time in files(estate).values()]) + str(run.result)
    assert not re.search(r"\{[A-Za-z0-9+/]{20}|erp-test-password", text)
    assert {(path.stat().st_mode & 0o777) for path in estate.rglob("*")} == {0o700, 0o600}
    assert run.result["counts"] == {"selected": 2, "changed": 2, "failed": 0, "skipped": 0, "unchanged": 0}
    assert [row(run, PROD)[kind] for kind in ("endpoints", "tasks", "schedules", "acls", "written")] == [6, 6, 3, 1, 15]
    assert run.result["diff"]["after"][f"{PROD}/tasks/orders.json"] == "a new file"


def test_tasks_whose_names_differ_by_case_only_keep_a_file_each_also_if_one_is_gathered(admin, em, estate, tmp_path):
    tasks = [{"name": name, "state": "STOPPED"} for name in ("Orders", "orders", "returns")]
    admins = [
        {"name": "a", "logins": [ADMIN["username"]], "password": ADMIN["password"], "grants": [{"role": "Admin"}]}
    ]
    em.reset({"users": admins, "servers": [{"name": PROD, "tasks": tasks}]})

    def names():
        return sorted(path.stem.partition("~")[0] for path in (estate / PROD / "tasks").iterdir())

    one = [{"server": PROD, "name": "Orders"}]
    foreseen = gather(admin, estate, one, check=True, diff=True)
    run = gather(admin, estate, one, diff=True)
    assert run.result["diff"] == foreseen.result["diff"] and names() == ["Orders"]
    assert not (estate / PROD / "tasks" / "Orders.json").exists()
    assert gather(admin, estate, [{"server": PROD}]).changed and names() == ["Orders", "orders", "returns"]
    folded = {path.name.lower() for path in (estate / PROD / "tasks").iterdir()}
    assert len(folded) == 3 and "returns.json" in folded
    assert not gather(admin, estate, [{"server": PROD}]).changed
    run = admin.run("aem_estate", state="planned", path=str(estate), plan=str(tmp_path / "plan.json"))
    assert not run.failed and run.result["steps"] == run.result["unmanaged"] == []
    assert admin.task("orders", "absent").changed
    run = gather(admin, estate, one)
    assert (row(run, PROD)["written"], row(run, PROD)["removed"]) == (1, 1)
    assert (estate / PROD / "tasks" / "Orders.json").exists()


def test_git_stays_quiet_while_nothing_has_changed(admin, em, estate):
    em.set_variants(fresh_encryption=True, export_comment=True)
    assert gather(admin, estate).changed
    before = files(estate)
    run = gather(admin, estate, diff=True)
    assert not run.changed and files(estate) == before
    assert run.result["diff"]["before"] == run.result["diff"]["after"] == {}
    assert row(run, PROD)["unchanged"] == 14


def test_a_change_is_the_change_of_one_file_and_a_check_foresees_it(admin, em, estate):
    gather(admin, estate)
    admin.run("aem_schedule", server=PROD, name="nightly reload", cron="0 3 * * *", wait_sleep=0.1)
    admin.run("aem_task", server=TEST, name="stock", state="absent")
    before = files(estate)
    foreseen = gather(admin, estate, check=True)
    assert foreseen.changed and files(estate) == before
    run = gather(admin, estate, diff=True)
    assert (run.result["diff"], run.changed) == (foreseen.result["diff"], True)
    assert run.result["diff"]["before"] == {
        f"{PROD}/scheduler/jobs/nightly reload/schedule": "30 2 * * 1,2,3,4,5 *",
        f"{TEST}/tasks/stock.json": "a file",
    }
    assert run.result["diff"]["after"] == {f"{PROD}/scheduler/jobs/nightly reload/schedule": "0 3 * * * *"}
    after = files(estate)
    assert {file for file in before if before[file] != after.get(file)} == {
        f"{PROD}/schedules.json",
        f"{TEST}/tasks/stock.json",
    }
    assert row(run, TEST)["removed"] == 1 and set(after) <= set(before)


def test_a_first_check_writes_nothing(admin, estate):
    run = gather(admin, estate, check=True)
    assert run.changed and row(run, PROD)["written"] == 14 and not estate.exists()


def test_a_server_that_fails_is_reported_and_its_files_stay(admin, em, estate):
    gather(admin, estate, include=[{"server": "Replicate-[PT]*"}])
    em.set_server(TEST, state="ERROR")
    admin.run("aem_task", server=PROD, name="invoices", state="absent")
    before = files(estate)
    run = gather(admin, estate, include=[{"server": "Replicate-[PT]*"}])
    assert run.failed and run.changed and run.msg.startswith("1 of 2 servers failed.\n")
    assert f'ExportAll of server "{TEST}" failed' in run.msg and "on_server_error: skip" in run.result["hint"]
    assert row(run, TEST)["failed"] and row(run, TEST)["error_code"] == "AEM_SERVER_NOT_CONNECTED"
    assert row(run, PROD)["removed"] == 1
    after = files(estate)
    assert set(before) - set(after) == {f"{PROD}/tasks/invoices.json"} and after.items() <= before.items()
    run = gather(admin, estate, on_server_error="skip")
    assert not run.failed and not run.changed and row(run, TEST)["skipped"]
    assert run.result["warnings"][0].startswith(f'Server "{TEST}" was skipped: ExportAll')


def test_compose_has_no_definitions_and_a_server_that_is_not_listed_any_more_is_named(admin, em, estate):
    run = gather(admin, estate, include=[{"server": "*"}], on_server_error="skip")
    names = [row["server"] for row in run.result["servers"]]
    assert PROD in names and "Compose-DW" not in names and not (estate / DOWN).exists()
    (estate / TEST).rename(estate / "Replicate-Elsewhere")
    run = gather(admin, estate, include=[{"server": "*"}], on_server_error="skip")
    assert any('does not list the server "Replicate-Elsewhere" any more' in text for text in run.result["warnings"])
    assert (estate / "Replicate-Elsewhere" / "server.json").exists()


def test_tasks_by_name_come_with_what_they_use_and_leave_other_files_alone(admin, em, estate):
    gather(admin, estate)
    for file in estate.rglob("*.json"):
        if file.parent.name in ("tasks", "endpoints"):
            file.write_text("{}\n")
    admin.run("aem_task", server=PROD, name="invoices", state="absent")
    admin.run("aem_schedule", server=PROD, name="second monday", state="present", wait_sleep=0.1)
    admin.run("aem_schedule", server=PROD, name="nightly reload", cron="0 3 * * *", wait_sleep=0.1)
    run = gather(admin, estate, include=[{"server": PROD, "name": "orders"}, {"server": PROD, "name": "invoice*"}])
    assert not run.failed and (row(run, PROD)["tasks"], row(run, PROD)["removed"]) == (1, 1)
    changed = {str(file.relative_to(estate)) for file in estate.rglob("*/*.json") if file.read_text() != "{}\n"}
    assert {file for file in changed if "/" in file[len(PROD) + 1 :]} == {
        f"{PROD}/tasks/orders.json",
        f"{PROD}/endpoints/ERP.json",
        f"{PROD}/endpoints/Warehouse.json",
    }
    jobs = {job["name"]: job for job in read(estate / PROD / "schedules.json")["jobs"]}
    assert "enabled" not in jobs["second monday"]  # it is on
    assert jobs["nightly reload"]["schedule"] == "30 2 * * 1,2,3,4,5 *"  # not meant: as it was
    run = gather(admin, estate, include=[{"server": PROD, "name": "order"}])
    assert run.result["warnings"] == ['include names a task that does not exist: "order" on server "Replicate-Prod".']


def test_a_folder_of_something_else_is_left_alone(admin, em, estate):
    estate.mkdir()
    (estate / ".git").mkdir()
    (estate / "README.md").write_text("ours")
    (estate / PROD / "tasks").mkdir(parents=True)
    (estate / PROD / "tasks" / "mine.json").write_text("mine")
    run = gather(admin, estate)
    assert run.failed and "is not a folder of an estate: it has no server.json" in run.msg
    assert (estate / PROD / "tasks" / "mine.json").read_text() == "mine" and (estate / TEST / "server.json").exists()
    (estate / "estate.json").write_text('{"schema": 1, "enterprise_manager": "https://other.example.com"}')
    run = gather(admin, estate)
    assert run.failed and "gathered from another Enterprise Manager (https://other.example.com, not" in run.msg
    assert "ExportAll" not in run.operations and (estate / "README.md").read_text() == "ours"


def test_no_link_within_the_estate_is_followed(admin, em, estate, tmp_path):
    gather(admin, estate)
    outside = tmp_path / "outside"
    (estate / PROD / "tasks").rename(outside)
    (estate / PROD / "tasks").symlink_to(outside)
    (estate / TEST / "schedules.json").unlink()
    (estate / TEST / "schedules.json").symlink_to(outside / "orders.json")
    before = files(outside)
    run = gather(admin, estate)
    assert run.failed and run.msg.count("is a link, which is not followed here") == 2 and files(outside) == before


def test_what_a_killed_run_has_left_is_removed(admin, em, estate):
    gather(admin, estate)
    partial = estate / PROD / "tasks" / ".orders.json.0123456789abcdef"
    partial.write_text("{")
    assert not gather(admin, estate).failed and not partial.exists()


def test_two_runs_do_not_write_at_the_same_time(admin, em, estate):
    gather(admin, estate)
    with (estate / "estate.json.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        run = gather(admin, estate)
    assert run.failed and "is in use by another run" in run.msg and run.requests == []
    assert not gather(admin, estate).failed and not (estate / "estate.json.lock").exists()
