# Copyright (c) 2026, dataops.qlik_em contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""aem_task with state present and absent: what is compared, what is sent, what happens to a running task."""

from __future__ import annotations

import copy
import json

import pytest
from ansible_collections.dataops.qlik_em.tests.functional.every_module.cases_definitions import (
    BODY,
    SHOP,
    VERSION,
    definition,
    with_shop,
)
from ansible_collections.dataops.qlik_em.tests.functional.support.user import User

PROD = "Replicate-Prod"
TABLES = "source/source_tables/explicit_included_tables"


@pytest.fixture
def admin(user):
    """A user who may do everything."""
    user.defaults = {"username": "admin@corp.example", "password": "admin-test-password"}
    return user


def present(admin, document, name="fresh", **options):
    """Run aem_task with state present."""
    return admin.task(name, "present", definition=document, **{"wait_timeout": 15, **options})


def sent(run, operation):
    """Return the calls of a method."""
    return [request for request in run.requests if request["operation"] == operation]


def exported(admin, tmp_path, name="fresh"):
    """Return the definition as the stand-in exports it."""
    run = admin.run("aem_export", server=PROD, name=name, dest=str(tmp_path / "export.json"), with_endpoints=True)
    assert not run.failed, run.result
    return json.loads((tmp_path / "export.json").read_text())


# What is there afterwards


def test_a_new_task_comes_and_the_second_run_changes_nothing(admin, em):
    run = present(admin, definition(tables=("ORDERS", "PRICES"), batch_size=7), diff=True)
    assert run.changed and not run.failed, run.result
    assert run.operations == [
        "Login", "ExportTask", "ImportTask", "ExportTask", "GetTaskDetails", "Logout",
    ]  # fmt: skip
    found = em.inside(PROD, "fresh")["definition"]
    assert found["task_settings"]["target_settings"]["batch_size"] == 7
    assert [table["name"] for table in found["source"]["source_tables"]["explicit_included_tables"]] == [
        "ORDERS",
        "PRICES",
    ]
    assert run.result["task"]["state"] == "STOPPED" and run.result["not_removed"] == []
    assert run.result["diff"]["before"] == {}
    assert run.result["diff"]["after"][f"tasks/fresh/{TABLES}/SALES.PRICES/name"] == "PRICES"
    again = present(admin, definition(tables=("PRICES", "ORDERS"), batch_size=7))
    assert not again.changed and not sent(again, "ImportTask")


def test_the_definition_may_be_text_with_a_line_before_it(admin):
    text = "// Host name: h, Time: t\n" + json.dumps(definition())
    assert present(admin, text).changed
    assert not present(admin, definition()).changed


def test_the_definition_may_be_a_file(admin, tmp_path):
    path = tmp_path / "fresh.json"
    path.write_text("\ufeff// Host name: h\n" + json.dumps(definition()))
    run = admin.task("fresh", "present", src=str(path))
    assert run.changed and not run.failed
    assert not present(admin, definition()).changed


def test_what_an_export_ignores_is_no_difference(admin, em):
    present(admin, definition(batch_size=7))
    other = definition(batch_size=7)
    other.update(name="other__2020", description="Host name: other", _version={"version": "1.0"})
    item = other[BODY]["tasks"][0]
    item["task_settings"]["common_settings"] = {
        "task_uuid": "other", "full_load_enabled": True, "apply_changes_enabled": True, "save_changes_enabled": False,
    }  # fmt: skip
    item["loggers"] = {"SERVER": "TRACE"}
    item["task_settings"]["sorter_settings"] = {}
    run = present(admin, other)
    assert not run.changed and not run.failed and not run.result.get("warnings")


def test_the_diff_shows_just_what_differs(admin):
    present(admin, definition(batch_size=7, kept="x"))
    run = present(admin, definition(tables=("ORDERS", "NEW"), batch_size=8, kept="x"), check=True, diff=True)
    assert run.result["diff"] == {
        "before": {"tasks/fresh/task_settings/target_settings/batch_size": 7},
        "after": {
            "tasks/fresh/task_settings/target_settings/batch_size": 8,
            f"tasks/fresh/{TABLES}/SALES.NEW/name": "NEW",
            f"tasks/fresh/{TABLES}/SALES.NEW/owner": "SALES",
        },
        "before_header": "Replicate-Prod/fresh",
        "after_header": "Replicate-Prod/fresh",
    }


def test_a_setting_that_was_switched_off_is_switched_on_again_by_its_default(admin, em):
    off = definition()
    off[BODY]["tasks"][0]["task_settings"]["common_settings"] = {"apply_changes_enabled": False}
    present(admin, off)
    on = definition()
    on[BODY]["tasks"][0]["task_settings"]["common_settings"] = {"apply_changes_enabled": True}
    assert present(admin, on).changed
    assert not present(admin, on).changed
    assert present(admin, off).changed


def test_a_default_that_is_not_known_is_named_and_does_no_harm(admin, monkeypatch):
    monkeypatch.setattr(User, "limits", User.limits._replace(defaults_after=0.3))
    run = present(admin, definition(max_transaction_size=0, batch_size=7))
    assert run.changed and not run.failed
    assert run.result["warnings"] == [
        'The export of the task "fresh" on server "Replicate-Prod" does not show these settings of the definition '
        "after the import, probably because they have their default values: "
        "tasks/fresh/task_settings/target_settings/max_transaction_size. Leave them out of the definition; otherwise "
        "it is imported again each time."
    ]


def test_a_merge_says_what_it_cannot_remove(admin, em):
    present(admin, definition(tables=("ORDERS", "PRICES"), batch_size=7, other=1))
    run = present(admin, definition(tables=("ORDERS",), batch_size=8))
    assert run.changed
    left = [f"tasks/fresh/{TABLES}/SALES.PRICES", "tasks/fresh/task_settings/target_settings/other"]
    assert sorted(run.result["not_removed"]) == left
    assert all(place in run.result["warnings"][0] for place in left)
    again = present(admin, definition(tables=("ORDERS",), batch_size=8))
    assert not again.changed and sorted(again.result["not_removed"]) == left


def test_a_replacement_removes_and_keeps_the_old_definition(admin, em, tmp_path):
    present(admin, definition(tables=("ORDERS", "PRICES"), batch_size=7))
    admin.task("fresh", "started")
    options = {
        "import_mode": "replace", "backup_dir": str(tmp_path), "force": True, "stop_if_running": True, "diff": True,
    }  # fmt: skip
    foreseen = present(admin, definition(), check=True, **options)
    assert foreseen.changed and not sent(foreseen, "DeleteTask") and not list(tmp_path.iterdir())
    run = present(admin, definition(), **options)
    assert run.changed and not run.failed, run.result
    assert run.result["diff"] == foreseen.result["diff"]
    assert run.result["diff"]["before"]["tasks/fresh/task_settings/target_settings/batch_size"] == 7
    assert [name for name in run.operations if not name.startswith(("Get", "Export", "Log"))] == [
        "ImportTask", "DeleteTask", "StopTask", "DeleteTask", "ImportTask", "RunTask",
    ]  # fmt: skip
    assert run.result["task"]["state"] == "RUNNING" and run.result["not_removed"] == []
    (kept,) = tmp_path.iterdir()
    assert run.result["backup_file"] == str(kept) and kept.stat().st_mode & 0o777 == 0o600
    tables = em.inside(PROD, "fresh")["definition"]["source"]["source_tables"]["explicit_included_tables"]
    assert [table["name"] for table in tables] == ["ORDERS"]
    assert not present(admin, definition(), **options).changed
    admin.task("fresh", "stopped")
    back = admin.task("fresh", "present", src=str(kept))
    assert back.changed and not back.failed
    assert len(em.inside(PROD, "fresh")["definition"]["source"]["source_tables"]["explicit_included_tables"]) == 2


def test_name_wins_over_the_name_in_the_definition(admin, em):
    document = definition("orders", batch_size=7)
    run = present(admin, document, "copy")
    assert run.changed and not run.failed
    assert 'belongs to the task "orders"' in run.result["warnings"][0]
    assert em.inside(PROD, "copy")["definition"]["task_settings"]["target_settings"]["batch_size"] == 7
    assert "batch_size" not in em.inside(PROD, "orders")["definition"]["task_settings"]["target_settings"]
    again = present(admin, document, "copy")
    assert not again.changed and "warnings" not in again.result
    assert document[BODY]["tasks"][0]["task"]["name"] == "orders"


def test_a_missing_version_is_the_servers(admin, em):
    document = definition(batch_size=7)
    del document["_version"]
    assert present(admin, document).changed
    assert em.inside(PROD, "fresh")["definition"]["task_settings"]["target_settings"] == {"batch_size": 7}
    assert not present(admin, document).changed


# Endpoints and secrets


def test_an_endpoint_comes_along_and_its_secret_counts_as_the_same(admin, em):
    em.set_variants(fresh_encryption=True)
    run = present(admin, with_shop(definition()), diff=True)
    assert run.changed and not run.failed, run.result
    assert em.endpoint(PROD, "Shop")["db_settings"]["password"] == "clear-shop-password"
    assert run.result["diff"]["after"]["databases/Shop/db_settings/password"] == "<secret>"
    other = with_shop(definition())
    other[BODY]["databases"] = [{**SHOP, "db_settings": {**SHOP["db_settings"], "password": "something else"}}]
    assert not present(admin, other).changed
    other[BODY]["databases"][0]["db_settings"]["username"] = "somebody"
    run = present(admin, other, diff=True)
    assert run.result["diff"]["after"] == {"databases/Shop/db_settings/username": "somebody"}


def test_what_is_redacted_is_not_sent(admin, em, tmp_path):
    present(admin, with_shop(definition()))
    document = exported(admin, tmp_path)
    assert "<redacted>" in str(document)
    next(item for item in document[BODY]["databases"] if item["name"] == "Shop")["db_settings"]["port"] = 1
    run = present(admin, document)
    assert run.changed and "stay unchanged on the server: databases/Shop/db_settings/password" in str(
        run.result["warnings"]
    )
    assert em.endpoint(PROD, "Shop")["db_settings"] == {**SHOP["db_settings"], "port": 1}
    new = copy.deepcopy(document)
    new[BODY]["tasks"][0]["task"]["source_name"] = "Shop 2"
    next(item for item in new[BODY]["databases"] if item["name"] == "Shop")["name"] = "Shop 2"
    run = present(admin, new, "second")
    assert "new objects are created without them: databases/Shop 2/db_settings/password." in run.result["warnings"][0]
    assert "password" not in em.endpoint(PROD, "Shop 2")["db_settings"]


# Running tasks


@pytest.mark.parametrize(("state", "what"), [("present", "changed"), ("absent", "deleted")])
def test_a_running_task_is_not_stopped_unasked(admin, em, state, what):
    for check in (True, False):
        options = {"definition": definition("orders", batch_size=7)} if state == "present" else {}
        run = admin.task("orders", state, check=check, **options)
        assert run.failed and not run.changed
        assert run.msg == (
            f'The task "orders" on server "Replicate-Prod" is RUNNING: it must be stopped before it can be {what}.'
        )
        assert "stop_if_running: true" in run.result["hint"]
    assert em.task(PROD, "orders")["state"] == "RUNNING"


def test_a_running_task_that_is_as_wanted_is_left_alone(admin, em):
    run = present(admin, {"_version": VERSION, BODY: {"tasks": [{"task": {"name": "orders"}}]}}, "orders")
    assert not run.failed and not run.changed and run.result["not_removed"]


def test_a_running_task_runs_again_afterwards(admin, em):
    run = present(admin, definition("orders", batch_size=7), "orders", stop_if_running=True)
    assert run.changed and not run.failed, run.result
    assert run.result["task"]["state"] == "RUNNING" == em.task(PROD, "orders")["state"]
    assert [name for name in run.operations if name in ("StopTask", "ImportTask", "RunTask")] == [
        "StopTask",
        "ImportTask",
        "RunTask",
    ]


def test_a_task_runs_again_after_its_definition_was_refused(admin, em):
    em.set_server(PROD, fail_import="No")
    run = present(admin, definition("orders", batch_size=7), "orders", stop_if_running=True)
    assert run.failed and run.changed and run.result["error_code"] == "AEM_IMPORT_TASK_INNER_ERR"
    assert run.msg.endswith("No. The task is running again, with its old definition.")
    assert em.task(PROD, "orders")["state"] == "RUNNING"


def test_a_stopped_task_stays_stopped(admin, em):
    run = present(admin, definition("invoices", batch_size=7), "invoices", stop_if_running=True)
    assert run.changed and not sent(run, "RunTask") and run.result["task"]["state"] in ("STOPPED", "ERROR")


# Deleting


def test_absent(admin, em):
    run = admin.task("invoices", "absent", diff=True)
    assert run.changed and not run.failed and run.result["task"]["state"] == "NOT_EXIST"
    assert run.result["diff"]["before"] == {"state": "present"} and run.result["diff"]["after"] == {}
    assert "invoices" not in em.server(PROD)["tasks"]
    assert sent(run, "DeleteTask")[0]["raw_path"].endswith("/tasks/invoices?action=delete")
    again = admin.task("invoices", "absent")
    assert not again.changed and not again.failed and not sent(again, "DeleteTask")


def test_absent_with_its_logs_and_a_name_that_needs_care(admin):
    run = admin.task("north/south", "absent", server="Replicate-Test", delete_task_logs=True)
    assert run.changed
    assert sent(run, "DeleteTask")[0]["raw_path"].endswith(
        "/servers/Replicate-Test/tasks/north%2Fsouth?action=delete&deletetasklogs=true"
    )


def test_a_running_task_is_stopped_and_deleted(admin, em):
    run = admin.task("orders", "absent", stop_if_running=True)
    assert run.changed and not run.failed and "orders" not in em.server(PROD)["tasks"]


def test_a_deletion_that_is_refused_says_that_the_task_was_stopped(admin, em):
    em.set_task(PROD, "orders", fail_delete="Locked.")
    run = admin.task("orders", "absent", stop_if_running=True)
    assert run.failed and run.changed and run.result["error_code"] == "AEM_DELETE_TASK_ERR"
    assert run.msg.startswith(
        'The task "orders" on server "Replicate-Prod" was stopped, and remains stopped. DeleteTask of'
    )


# Waiting, lost answers, refusals


def test_an_import_that_lags_is_waited_for(admin, em):
    em.set_server(PROD, import_seconds=0.6)
    run = present(admin, definition())
    assert run.changed and not run.failed and run.result["elapsed"] >= 0.5
    assert "fresh" in em.server(PROD)["tasks"]


def test_an_import_that_never_shows_fails_and_says_what_is_missing(admin, em):
    em.set_server(PROD, import_seconds=30)
    run = present(admin, definition("invoices", ("NEW",)), "invoices", wait_timeout=1)
    assert run.failed and run.changed
    assert "does not show all of it after 1 s (wait_timeout)" in run.msg and f"{TABLES}/SALES.NEW/name" in run.msg


LOST = {
    "cut after": {"fault": "cut_after", "how": "close"},
    "reset after": {"fault": "cut_after", "how": "reset"},
    "status 502": {"fault": "status", "status": 502, "work": True},
}


@pytest.mark.parametrize("how", LOST)
@pytest.mark.parametrize("operation", ["ImportTask", "DeleteTask"])
def test_a_lost_answer_is_decided_by_reading(admin, em, how, operation):
    em.set_server(PROD, import_seconds=0.3)
    em.faults([{**LOST[how], "match": {"operation": operation}}])
    run = present(admin, definition()) if operation == "ImportTask" else admin.task("invoices", "absent")
    assert run.changed and not run.failed, run.result
    assert len(sent(run, operation)) == 1


@pytest.mark.parametrize("operation", ["ImportTask", "DeleteTask"])
def test_a_call_that_never_arrived_is_not_sent_again(admin, em, monkeypatch, operation):
    monkeypatch.setattr(User, "limits", User.limits._replace(lost_effect=0.5))
    em.faults([{"fault": "cut_before", "match": {"operation": operation}}])
    run = present(admin, definition()) if operation == "ImportTask" else admin.task("invoices", "absent")
    assert run.failed and run.changed and "It shows no effect." in run.msg
    assert len(sent(run, operation)) == 1


def test_a_backup_that_cannot_be_written_stops_nothing(admin, em, tmp_path):
    folder = tmp_path / "folder"
    folder.mkdir()
    long_name = "x" * 260
    em.set_server(PROD)
    assert present(admin, definition(long_name), long_name).changed
    options = {"import_mode": "replace", "backup_dir": str(folder), "force": True}
    run = present(admin, definition(long_name, ("NEW",)), long_name, **options)
    assert run.failed and not run.changed and "backup_dir" in run.msg and "cannot be written" in run.msg
    assert not sent(run, "DeleteTask") and not list(folder.iterdir())


def test_a_refusal_names_the_role(user):
    run = user.task("fresh", "present", definition=definition())
    assert run.failed and not run.changed and run.result["error_code"] == "UNAUTHORIZED_REQUEST"
    assert "Designer on All Tasks" in run.result["hint"]
    run = user.task("invoices", "absent")
    assert run.failed and "Designer on the task" in run.result["hint"]


def test_a_server_of_another_product_is_said(admin):
    run = admin.task("load_dims__sales", "present", server="Compose-DW", definition=definition())
    assert run.failed and run.result["error_code"] == "AEM_METHOD_NOT_SUPPORTED_VERSION"
    assert run.result["hint"] == "ExportTask is documented for Qlik Replicate servers only."


# Bad input

TWO = definition()
TWO[BODY]["tasks"] += definition("second")[BODY]["tasks"]
DEEP: dict = {}
for _level in range(200):
    DEEP = {"x": DEEP}
REPLACE = {"definition": definition(), "import_mode": "replace"}


def shop_of(body):
    """Return the settings of the endpoint in a definition, which may be changed."""
    (item,) = [item for item in body["databases"] if item["name"] == "Shop"]
    item["db_settings"] = dict(item["db_settings"])
    return item["db_settings"]


@pytest.mark.parametrize(
    ("change", "place"),
    [
        (lambda body: body["tasks"][0]["task"].update(source_name="Shop\n"), "tasks/fresh/task/source_name"),
        (lambda body: shop_of(body).update(username="CORP\nadia"), "databases/Shop/db_settings/username"),
        (lambda body: shop_of(body).update(password="canary\n"), "databases/Shop/db_settings/password"),
    ],
)
def test_a_control_character_in_a_definition_is_refused_before_anything_is_sent(admin, change, place):
    document = with_shop(definition())
    change(document[BODY])
    run = present(admin, document)
    assert run.failed and not run.changed and run.requests == []
    assert run.msg.startswith(f"definition: {place} ") and "canary" not in run.msg


# An import although nothing differs


@pytest.mark.parametrize("check", [True, False])
def test_an_import_can_be_forced(admin, em, check):
    present(admin, definition(batch_size=7))
    assert not present(admin, definition(batch_size=7), check=check).changed
    run = present(admin, definition(batch_size=7), force_import=True, check=check, diff=True)
    assert run.changed and not run.failed and len(sent(run, "ImportTask")) == (not check)
    assert run.result["diff"]["before"] == {"import": "nothing differs"}
    assert run.result["diff"]["after"] == {"import": "all the same (force_import)"}
    assert present(admin, definition(batch_size=8), force_import=True, check=True, diff=True).result["diff"][
        "before"
    ] == {"tasks/fresh/task_settings/target_settings/batch_size": 7}


def test_a_forced_import_stops_a_task_that_runs_only_if_it_may(admin, em):
    present(admin, definition())
    em.set_task(PROD, "fresh", state="RUNNING")
    run = present(admin, definition(), force_import=True)
    assert run.failed and not run.changed and "it must be stopped before it can be changed" in run.msg
    run = present(admin, definition(), force_import=True, stop_if_running=True)
    assert run.changed and not run.failed and run.result["task"]["state"] == "RUNNING"
    assert [one for one in run.operations if one in ("StopTask", "ImportTask", "RunTask")] == [
        "StopTask", "ImportTask", "RunTask",
    ]  # fmt: skip


def test_a_forced_import_replaces_nothing(admin, em, tmp_path):
    present(admin, definition())
    uuid = em.inside(PROD, "fresh")["definition"]["task_settings"]["common_settings"]["task_uuid"]
    run = present(admin, definition(), force_import=True, import_mode="replace", force=True, backup_dir=str(tmp_path))
    assert run.changed and not run.failed and not sent(run, "DeleteTask") and len(sent(run, "ImportTask")) == 1
    assert em.inside(PROD, "fresh")["definition"]["task_settings"]["common_settings"]["task_uuid"] == uuid


@pytest.mark.parametrize("fault", ["cut_before", "cut_after"])
def test_whether_a_forced_import_was_done_cannot_be_read(admin, em, fault):
    present(admin, definition())
    em.faults([{"match": {"operation": "ImportTask"}, "fault": fault}])
    run = present(admin, definition(), force_import=True)
    assert run.failed and run.changed and len(sent(run, "ImportTask")) == 1
    assert "cannot be read either: the definition was the same before (force_import)" in run.msg
    em.clear_faults()
    em.faults([{"match": {"operation": "ImportTask"}, "fault": "cut_after"}])
    run = present(admin, definition(batch_size=8), force_import=True)
    assert run.changed and not run.failed  # what differed shows it
