# Copyright (c) 2026, dataops.qlik_em contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""aem_export and aem_import: files that stay the same in Git, and whole servers that are copied."""

from __future__ import annotations

import json
import os
import re
import resource
import signal

import pytest
from ansible_collections.dataops.qlik_em.tests.functional.every_module.cases_definitions import (
    BODY,
    SHOP,
    definition,
    with_shop,
)
from ansible_collections.dataops.qlik_em.tests.functional.support.user import User
from ansible_collections.dataops.qlik_em.tests.simulator import running

PROD = "Replicate-Prod"
ADMIN = {"username": "admin@corp.example", "password": "admin-test-password"}
EMPTY = {
    "users": [{"name": "u", "password": "p", "grants": [{"role": "Admin"}]}],
    "servers": [{"name": PROD, "host": "empty.corp.example", "master_key": "another", "version": "2026.5.0.1"}],
}


@pytest.fixture
def admin(user):
    """A user who may do everything."""
    user.defaults = ADMIN
    return user


def export(user, path, **options):
    """Run aem_export."""
    return user.run("aem_export", **{"server": PROD, "dest": str(path), **options})


def import_definition(user, document, **options):
    """Run aem_import."""
    return user.run(
        "aem_import", **{"server": PROD, "wait_sleep": 0.1, "wait_timeout": 15, "definition": document, **options}
    )


def sent(run, operation):
    """Return the calls of a method."""
    return [request for request in run.requests if request["operation"] == operation]


# Export


def test_an_export_is_a_private_file_without_secrets(admin, em, tmp_path):
    path = tmp_path / "orders.json"
    run = export(admin, path, name="orders", with_endpoints=True, diff=True)
    assert run.changed and not run.failed and path.stat().st_mode & 0o777 == 0o600
    assert (run.result["tasks"], run.result["endpoints"]) == (["orders"], ["ERP", "Warehouse"])
    text = path.read_text()
    document = json.loads(text)
    assert text.endswith("}\n") and list(document) == ["_version", BODY, "name"] and document["name"] == "orders"
    settings = {item["name"]: item["db_settings"] for item in document[BODY]["databases"]}
    assert settings["ERP"]["password"] == "<redacted>" and next(iter(settings["ERP"])) == "$type"
    assert not re.search(r"\{[A-Za-z0-9+/]{20}", text) and "erp-test-password" not in text
    assert run.result["diff"]["before"] == "" and run.result["diff"]["after_header"] == str(path)
    assert not re.search(r"\{[A-Za-z0-9+/]{20}|test-password", str(run.result))


def test_secrets_are_covered_also_as_numbers_and_in_json_inside_of_a_text(admin, em, tmp_path):
    """By the same rule in the file and in the diff of an import, and what was covered is never sent."""
    document = with_shop(definition())
    inner = {"mode": "fast", "api_key": "key-in-a-text"}
    document[BODY]["databases"][0]["db_settings"] |= {"keypin_secret": 4711081547, "extra": json.dumps(inner)}
    run = import_definition(admin, document, diff=True)
    assert run.changed and not run.failed
    assert run.result["diff"]["after"]["databases/Shop/db_settings/keypin_secret"] == "<secret>"
    shown = json.loads(run.result["diff"]["after"]["databases/Shop/db_settings/extra"])
    assert shown == {"mode": "fast", "api_key": "<secret>"}
    path = tmp_path / "fresh.json"
    run = export(admin, path, name="fresh", with_endpoints=True, diff=True)
    settings = {item["name"]: item["db_settings"] for item in json.loads(path.read_text())[BODY]["databases"]}["Shop"]
    assert settings["keypin_secret"] == "<redacted>"
    assert json.loads(settings["extra"]) == {"mode": "fast", "api_key": "<redacted>"}
    assert not re.search("4711081547|key-in-a-text", f"{path.read_text()}{run.result}")
    again = import_definition(admin, None, src=str(path))
    assert not again.changed and not again.failed
    other = definition("other")
    other[BODY]["databases"] = json.loads(path.read_text())[BODY]["databases"]
    run = import_definition(admin, other)
    assert run.changed and "<redacted>" not in sent(run, "ImportAll")[0]["body"]
    export(admin, path, name="fresh", with_endpoints=True, secrets="keep")
    assert "4711081547" in path.read_text() and "key-in-a-text" in path.read_text()


def test_an_export_may_begin_with_a_mark_and_a_comment(admin, em, tmp_path):
    em.set_variants(export_mark=True, export_comment=True)
    assert export(admin, tmp_path / "x.json", name="invoices").changed
    assert (tmp_path / "x.json").read_bytes().startswith(b"{")
    assert not import_definition(admin, None, src=str(tmp_path / "x.json")).changed


def test_a_repository_of_exports_stays_quiet(admin, em, tmp_path):
    em.set_variants(fresh_encryption=True, export_comment=True)
    path = tmp_path / "all.json"
    for secrets in ("redact", "keep"):
        assert export(admin, path, secrets=secrets).changed
        before = path.read_bytes(), path.stat().st_mtime_ns
        em.set_server(PROD, version="2026.5.0.9")
        run = export(admin, path, secrets=secrets, backup=True)
        assert not run.changed and (path.read_bytes(), path.stat().st_mtime_ns) == before
        em.set_server(PROD, version="2024.11.0.177")
    assert [entry.name for entry in tmp_path.iterdir()] == ["all.json"]


def test_two_exports_of_the_same_are_the_same_text(admin, em, tmp_path):
    em.set_variants(fresh_encryption=True)
    for name in ("a", "b"):
        assert export(admin, tmp_path / name).changed
    assert (tmp_path / "a").read_text() == (tmp_path / "b").read_text()


def test_the_text_does_not_depend_on_the_order_of_what_has_names(admin, tmp_path):
    texts = set()
    for tables in (("ONE", "TWO"), ("TWO", "ONE")):
        admin.task("fresh", "absent")
        assert admin.task("fresh", "present", definition=definition(tables=tables)).changed
        (tmp_path / "x.json").unlink(missing_ok=True)
        assert export(admin, tmp_path / "x.json", name="fresh").changed
        texts.add((tmp_path / "x.json").read_text())
    assert len(texts) == 1


def test_a_file_in_another_order_is_the_same(admin, tmp_path):
    path = tmp_path / "all.json"
    export(admin, path)
    document = json.loads(path.read_text())
    for kind in ("tasks", "databases"):
        document[BODY][kind].reverse()
    document["description"] = "Host name: other, Time: long ago"
    path.write_text("// a comment\n" + json.dumps(document))
    assert not export(admin, path).changed
    document[BODY]["tasks"].pop()
    path.write_text(json.dumps(document))
    assert export(admin, path).changed


def test_an_export_that_changes_keeps_the_old_file_if_asked_to(admin, em, tmp_path):
    path = tmp_path / "invoices.json"
    export(admin, path, name="invoices")
    old = path.read_text()
    admin.task("invoices", "present", definition=definition("invoices", batch_size=7))
    foreseen = export(admin, path, name="invoices", backup=True, check=True, diff=True)
    assert foreseen.changed and path.read_text() == old and "backup_file" not in foreseen.result
    run = export(admin, path, name="invoices", backup=True, diff=True)
    assert run.changed and run.result["diff"] == foreseen.result["diff"]
    with open(run.result["backup_file"]) as kept:
        assert kept.read() == old
    assert '"batch_size": 7' in run.result["diff"]["after"] and '"batch_size": 7' not in run.result["diff"]["before"]


@pytest.mark.parametrize(("before", "after"), [("keep", "redact"), ("redact", "keep")])
def test_secrets_that_are_to_go_go(admin, tmp_path, before, after):
    path = tmp_path / "all.json"
    export(admin, path, secrets=before)
    run = export(admin, path, secrets=after, diff=True)
    assert run.changed and ("<redacted>" in path.read_text()) is (after == "redact")
    assert not re.search(r"\{[A-Za-z0-9+/]{20}", str(run.result)) and "<secret>" in str(run.result["diff"])
    assert run.result["diff"]["before"] != run.result["diff"]["after"]
    assert not export(admin, path, secrets=after).changed


def test_a_file_of_something_else_is_replaced_and_not_shown(admin, tmp_path):
    path = tmp_path / "all.json"
    path.write_text('password: "hunter2"')
    run = export(admin, path, diff=True)
    assert run.changed and run.result["diff"]["before"] == "(something that is not a replication definition)\n"


def test_a_name_that_needs_care(user, tmp_path):
    run = export(user, tmp_path / "x.json", name="Aufträge & Kunden 100%")
    assert run.changed and sent(run, "ExportTask")[0]["raw_path"].endswith(
        "/tasks/Auftr%C3%A4ge%20%26%20Kunden%20100%25?action=export"
    )
    run = export(user, tmp_path / "x.json", name="orders", with_endpoints=True)
    assert sent(run, "ExportTask")[0]["raw_path"].endswith("/tasks/orders?action=export&withendpoints=true")


def test_a_full_disk_leaves_the_old_file(admin, tmp_path):
    path = tmp_path / "all.json"
    path.write_text("old")
    limits, handler = resource.getrlimit(resource.RLIMIT_FSIZE), signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, limits[1]))
    try:
        run = export(admin, path)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
        signal.signal(signal.SIGXFSZ, handler)
    assert run.failed and not run.changed and f"dest ({path}) cannot be written" in run.msg
    assert path.read_text() == "old" and os.listdir(tmp_path) == ["all.json"]


def test_a_lost_answer_to_an_export_is_no_harm(user, em, tmp_path):
    em.faults([{"match": {"operation": "ExportTask"}, "fault": "cut_after", "how": "close"}])
    run = export(user, tmp_path / "x.json", name="orders")
    assert run.changed and len(sent(run, "ExportTask")) == 2


def test_a_refused_export_names_the_role(user, tmp_path):
    run = export(user, tmp_path / "x.json")
    assert run.failed and "Admin on Enterprise Manager and on the server" in run.result["hint"]
    login = {"username": "orders@corp.example", "password": "orders-test-password"}
    run = export(user, tmp_path / "x.json", name="orders", **login)
    assert run.failed and "Operator on the task and on All Endpoints" in run.result["hint"]


# Import


def test_an_import_sends_what_differs_and_nothing_the_second_time(admin, em):
    document = with_shop(definition(batch_size=7))
    run = import_definition(admin, document, diff=True)
    assert run.changed and not run.failed, run.result
    assert (run.result["tasks"], run.result["endpoints"]) == (["fresh"], ["Shop"])
    assert run.result["diff"]["after"]["databases/Shop/db_settings/password"] == "<secret>"
    assert em.endpoint(PROD, "Shop")["db_settings"] == SHOP["db_settings"]
    assert "fresh" in em.server(PROD)["tasks"] and "clear-shop-password" not in str(run.result)
    assert sent(run, "ImportAll")[0]["raw_path"].endswith("/servers/Replicate-Prod?action=import")
    again = import_definition(admin, document, diff=True)
    assert not again.changed and not sent(again, "ImportAll")
    assert again.result["diff"]["before"] == again.result["diff"]["after"] == {}


def test_running_tasks_that_are_as_wanted_do_no_harm(admin, em, tmp_path):
    path = tmp_path / "all.json"
    export(admin, path)
    document = json.loads(path.read_text())
    assert not import_definition(admin, document).changed
    item = next(item for item in document[BODY]["tasks"] if item["task"]["name"] == "invoices")
    item["task_settings"]["target_settings"]["batch_size"] = 7
    run = import_definition(admin, document)
    assert run.changed and not run.failed and (run.result["tasks"], run.result["endpoints"]) == (["invoices"], [])
    assert em.task(PROD, "orders")["state"] == "RUNNING"


@pytest.mark.parametrize("check", [True, False])
def test_a_running_task_that_differs_is_named_before_anything_is_sent(admin, check):
    document = definition("orders", batch_size=7)
    document[BODY]["tasks"] += definition("invoices", batch_size=7)[BODY]["tasks"]
    run = import_definition(admin, document, check=check)
    assert run.failed and not run.changed and not sent(run, "ImportAll")
    assert run.msg == (
        'Tasks of server "Replicate-Prod" that differ from the definition are not stopped: orders. '
        "Nothing was imported."
    )


def test_an_import_of_all_can_be_forced(admin, em):
    document = definition("fresh")
    import_definition(admin, document)
    run = import_definition(admin, document, force_import=True, diff=True)
    assert run.changed and not run.failed and run.result["tasks"] == ["fresh"] and len(sent(run, "ImportAll")) == 1
    assert run.result["objects"] == [{"kind": "tasks", "imported": ["fresh"], "unchanged": []}]
    assert run.result["diff"]["after"] == {"import": "all the same (force_import)"}
    em.set_task(PROD, "fresh", state="RUNNING")
    run = import_definition(admin, document, force_import=True)
    assert run.failed and not run.changed
    assert run.msg == (
        'Tasks of server "Replicate-Prod" that are to be imported (force_import) are not stopped: fresh. '
        "Nothing was imported."
    )
    assert not import_definition(admin, document).changed


def test_an_import_says_what_stays(admin):
    import_definition(admin, definition(tables=("ORDERS", "PRICES")))
    run = import_definition(admin, definition(tables=("ORDERS",)))
    assert not run.changed
    assert run.result["not_removed"] == ["tasks/fresh/source/source_tables/explicit_included_tables/SALES.PRICES"]
    assert run.result["not_removed"][0] in run.result["warnings"][0]


def with_others():
    """A definition with a task and what belongs to a whole server."""
    document = definition()
    document[BODY] |= {
        "scheduler": {"jobs": [job("nightly"), job("weekly", enabled=False)]},
        "notifications": {"notifications_list": [{"name": "failures", "trigger_type": "TASK_ERROR"}]},
        "replication_environment": {"roll_over_max_size_mb": 10},
    }
    return document


def job(name, **more):
    """A job of the scheduler."""
    return {"name": name, "command_id": 25, "schedule": "0 1 * * * *", "task": "orders", **more}


def jobs_at(user, server=PROD):
    """Return the schedules of a server by name."""
    return {row["name"]: row for row in user.run("aem_schedule_info", server=server).result["schedules"]}


def test_only_what_is_asked_for_is_imported_and_one_warning_names_the_rest(admin):
    before = jobs_at(admin)
    document = with_others()
    foreseen = import_definition(admin, document, check=True, diff=True)
    run = import_definition(admin, document, diff=True)
    assert run.changed and not run.failed and run.result["diff"] == foreseen.result["diff"]
    assert (
        run.result["warnings"]
        == foreseen.result["warnings"]
        == [
            "The definition also contains 2 schedules (nightly, weekly), 1 notification (failures) and server_settings "
            "(replication_environment), which were not imported. To import them, add schedules and notifications and "
            "server_settings to objects."
        ]
    )
    assert run.result["not_imported"] == {
        "schedules": ["nightly", "weekly"],
        "notifications": ["failures"],
        "server_settings": ["replication_environment"],
    }
    assert run.result["objects"] == [{"kind": "tasks", "imported": ["fresh"], "unchanged": []}]
    assert {place.partition("/")[0] for place in run.result["diff"]["after"]} == {"tasks"}
    assert set(json.loads(sent(run, "ImportAll")[0]["body"])[BODY]) == {"tasks"}
    assert jobs_at(admin) == before
    again = import_definition(admin, document)
    assert not again.changed and again.result["warnings"] == run.result["warnings"]


@pytest.mark.parametrize("replaces", [False, True], ids=["merged", "replaced"])
def test_each_kind_that_is_asked_for_has_its_row_and_its_place_in_the_diff(admin, em, replaces):
    """Whatever the server does with the list of jobs: those that it has beside the definition's stay as they are."""
    em.set_server(PROD, replaces_schedules=replaces)
    before = jobs_at(admin)
    document, kinds = with_others(), ["schedules", "notifications", "server_settings"]
    run = import_definition(admin, document, objects=kinds, diff=True)
    assert run.changed and not run.failed, run.result
    assert run.result["objects"] == [
        {"kind": "schedules", "imported": ["nightly", "weekly"], "unchanged": []},
        {"kind": "notifications", "imported": ["failures"], "unchanged": []},
        {"kind": "server_settings", "imported": ["replication_environment"], "unchanged": []},
    ]
    after = run.result["diff"]["after"]
    assert after["scheduler/jobs/nightly/schedule"] == "0 1 * * * *"
    assert after["scheduler/jobs/weekly/enabled"] is False
    assert after["notifications/notifications_list/failures/trigger_type"] == "TASK_ERROR"
    assert after["replication_environment/roll_over_max_size_mb"] == 10
    assert (run.result["tasks"], run.result["not_imported"]) == ([], {"tasks": ["fresh"]})
    assert run.result["not_removed"] == []  # other schedules are not a part of these
    now = jobs_at(admin)
    assert set(now) == {*before, "nightly", "weekly"} and {name: now[name] for name in before} == before
    document[BODY]["scheduler"]["jobs"][0]["schedule"] = "0 2 * * * *"
    run = import_definition(admin, document, objects=kinds, diff=True)
    assert run.result["diff"]["before"] == {"scheduler/jobs/nightly/schedule": "0 1 * * * *"}
    assert run.result["objects"][0] == {"kind": "schedules", "imported": ["nightly"], "unchanged": ["weekly"]}
    now = jobs_at(admin)
    assert {name: now[name] for name in before} == before and now["nightly"]["cron"] == "0 2 * * * *"
    again = import_definition(admin, document, objects=kinds)
    assert not again.changed and all(row["imported"] == [] for row in again.result["objects"])


def test_a_schedule_that_is_enabled_by_default_enables_the_one_at_the_server(admin):
    """An export leaves the default out, so that its absence has a meaning, too."""
    admin.run("aem_schedule", server=PROD, name="nightly reload", state="disabled", wait_sleep=0.1)
    exported = jobs_at(admin)["nightly reload"]["definition"]
    document = {BODY: {"scheduler": {"jobs": [{key: exported[key] for key in exported if key != "enabled"}]}}}
    assert import_definition(admin, document, objects=["schedules"]).changed
    assert jobs_at(admin)["nightly reload"]["enabled"] is True
    document[BODY]["scheduler"]["jobs"][0] |= {"enabled": True, "is_local_time": False}
    assert not import_definition(admin, document, objects=["schedules"]).changed


def test_an_export_holds_tasks_and_endpoints_and_what_is_asked_for(admin, tmp_path):
    usual, chosen = tmp_path / "usual.json", tmp_path / "chosen.json"
    run = export(admin, usual)
    assert set(json.loads(usual.read_text())[BODY]) == {"tasks", "databases"}
    assert run.result["not_exported"] == {
        "schedules": ["move of 2020", "nightly reload", "second monday"],
        "notifications": ["latency too high", "task failed"],
    }
    run = export(admin, chosen, objects=["schedules", "error_policies"])
    content = json.loads(chosen.read_text())[BODY]
    assert [one["name"] for one in content["scheduler"]["jobs"]] == ["nightly reload", "second monday", "move of 2020"]
    assert set(content) == {"scheduler"} and set(run.result["not_exported"]) == {"tasks", "endpoints", "notifications"}
    assert not export(admin, chosen, objects=["schedules"]).changed
    run = export(admin, usual, objects=["tasks", "endpoints", "schedules", "notifications"])
    assert run.changed and run.result["not_exported"] == {}
    task = export(admin, tmp_path / "task.json", name="orders", objects=["schedules"])
    assert task.result["tasks"] == ["orders"] and task.result["not_exported"] == {}


def test_schedules_move_from_server_to_server_by_a_file(admin, tmp_path):
    path = tmp_path / "all.json"
    export(admin, path, objects=["schedules"])
    before = jobs_at(admin, "Replicate-Test")
    run = import_definition(admin, None, src=str(path), server="Replicate-Test", objects=["schedules"])
    assert run.changed and not run.failed
    assert jobs_at(admin, "Replicate-Test") == {**before, **jobs_at(admin)}


@pytest.mark.parametrize("secrets", ["redact", "keep"])
def test_the_round_trip(admin, em, tmp_path, secrets):
    """Export everything, import it into an empty second installation, export again: no semantic difference."""
    first, second = tmp_path / "first.json", tmp_path / "second.json"
    export(admin, first, secrets=secrets)
    with running() as other:
        other.reset(EMPTY)
        other.set_server(PROD, import_seconds=0.3)
        guest = User(other, defaults={"username": "u", "password": "p"})
        foreseen = import_definition(guest, None, src=str(first), check=True, diff=True)
        run = import_definition(guest, None, src=str(first), diff=True)
        assert not run.failed, run.result
        assert run.changed is foreseen.changed is True and run.result["diff"] == foreseen.result["diff"]
        export(guest, second, secrets=secrets)
        assert not import_definition(guest, None, src=str(first)).changed
    assert not import_definition(admin, None, src=str(second)).changed
    one, two = (json.loads(path.read_text())[BODY] for path in (first, second))
    assert len(one["tasks"]) == len(em.server(PROD)["tasks"]) and len(one["databases"]) > 3
    for content in (one, two):  # by hand: what the modules take for a difference is not asked
        for item in content["tasks"]:
            item.pop("loggers", None)
        for item in content["databases"]:
            item["db_settings"].pop("password", None)
    assert one == two


def test_an_import_that_is_refused_says_why(admin, user, em):
    document = definition()
    document[BODY]["aliens"] = {"x": 1}
    run = import_definition(admin, document, objects=["tasks", "others"])
    assert run.failed and not run.changed and run.result["error_code"] == "AEM_IMPORT_INVALID_CONTENT"
    assert "Unknown: aliens" in run.msg and run.result["hint"]
    run = import_definition(user, definition(), username="operator@corp.example", password="operator-test-password")
    assert run.failed and "Admin on Enterprise Manager" in run.result["hint"]


@pytest.mark.parametrize("fault", ["cut_after", "status", "cut_before"])
def test_a_lost_answer_to_an_import(admin, em, monkeypatch, fault):
    monkeypatch.setattr(User, "limits", User.limits._replace(lost_effect=1))
    more = {"status": 502, "work": True} if fault == "status" else {"how": "close"}
    em.faults([{"match": {"operation": "ImportAll"}, "fault": fault, **more}])
    run = import_definition(admin, with_shop(definition()))
    assert run.changed and run.failed is (fault == "cut_before") and len(sent(run, "ImportAll")) == 1
    assert ("Shop" in em.server(PROD)["endpoints"]) is (fault != "cut_before")
