# Copyright (c) 2026, dataops.qlik_em contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The files that modules read and write, as users keep them: behind links, with rights of their own, and very long."""

from __future__ import annotations

import json
import os
import stat

import pytest
from ansible_collections.dataops.qlik_em.plugins.module_utils._common import file_diffs
from ansible_collections.dataops.qlik_em.tests.functional.every_module.cases_definitions import definition
from ansible_collections.dataops.qlik_em.tests.functional.support.play import Player, both_ways
from ansible_collections.dataops.qlik_em.tests.functional.support.user import User

ADMIN = {"username": "admin@corp.example", "password": "admin-test-password"}
PROD = {"server": "Replicate-Prod"}
DAY = {"start": "2026-01-01T00:00:00Z", "end": "2026-01-02T00:00:00Z"}
WRITERS = {
    "export": ("aem_export", "dest", {**PROD, "name": "orders"}),
    "trail": ("aem_audit_trail", "dest", DAY),
    "record": ("aem_maintenance_window", "path", {"state": "recorded", "include": [PROD]}),
    "journal": ("aem_task_batch", "journal", {"state": "stopped", "include": [{**PROD, "name": "orders"}]}),
}


@pytest.fixture
def admin(em):
    """Somebody who may do everything, and whose tasks stop at once."""
    em.set_task("Replicate-Prod", "orders", stop_seconds=0, memory_lag=0)
    return User(em, defaults=ADMIN)


@pytest.fixture
def player(em, tmp_path, as_module):
    """Plays tasks as that user does."""
    login = {f"QLIK_EM_{name.upper()}": value for name, value in ADMIN.items()}
    return Player(tmp_path, as_module, QLIK_EM_URL=em.url, QLIK_EM_CA_PATH=str(em.ca_path), **login)


def mode_of(path):
    return stat.S_IMODE(os.stat(path).st_mode)


def task(module, **options):
    """Return a task of a playbook, which is not waited for without end."""
    return {"name": "Do it", f"dataops.qlik_em.{module}": options, "timeout": 60}


@pytest.mark.parametrize("name", WRITERS)
def test_the_file_behind_a_link_is_written_and_the_link_stays(admin, tmp_path, name):
    module, option, options = WRITERS[name]
    (tmp_path / "volume").mkdir()
    (tmp_path / "link").symlink_to("volume/file")
    run = admin.run(module, **options, **{option: str(tmp_path / "link")})
    assert run.changed and not run.failed
    assert (tmp_path / "link").is_symlink() and (tmp_path / "volume/file").stat().st_size
    assert {mode_of(path) for path in (tmp_path / "volume").iterdir()} == {0o600}
    assert [path.name for path in tmp_path.iterdir() if path.is_file()] == ["link"]


@pytest.mark.parametrize("name", ["export", "trail"])
def test_rights_that_are_asked_for(admin, tmp_path, name):
    module, option, options = WRITERS[name]
    dest = tmp_path / "file"
    given = {**options, option: str(dest)}
    assert admin.run(module, **given, mode="u=rw,g=r").changed and mode_of(dest) == 0o640
    again = admin.run(module, **given, mode="0640")
    assert not again.changed and "diff" not in again.result
    assert not admin.run(module, **given).changed and mode_of(dest) == 0o640
    foreseen = admin.run(module, **given, mode="0604", group=str(os.getgid()), check=True)
    assert foreseen.changed and mode_of(dest) == 0o640
    run = admin.run(module, **given, mode="0604", owner=str(os.getuid()), group=str(os.getgid()), diff=True)
    assert run.changed and run.result["diff"] == foreseen.result["diff"] and mode_of(dest) == 0o604
    assert (run.result["diff"]["before"], run.result["diff"]["after"]) == ({"mode": "0640"}, {"mode": "0604"})
    dest.write_text("{}")
    assert admin.run(module, **given, backup=True).changed and mode_of(dest) == 0o604
    assert {mode_of(path) for path in tmp_path.iterdir()} == {0o604}


@pytest.mark.parametrize("user", ["owner", "group"])
def test_what_does_not_exist_is_known_before_anything_is_sent(admin, tmp_path, user):
    run = admin.run("aem_export", **PROD, dest=str(tmp_path / "x"), **{user: "nobody-knows"})
    assert run.failed and run.requests == [] and f"{user} (nobody-knows) does not exist" in run.msg


def test_a_file_with_secrets_is_closed_to_others(admin, tmp_path):
    dest = tmp_path / "all.json"
    admin.run("aem_export", **PROD, dest=str(dest), mode="0664")
    given = {**PROD, "dest": str(dest), "secrets": "keep", "backup": True}
    foreseen = admin.run("aem_export", **given, check=True)
    assert mode_of(dest) == 0o664
    run = admin.run("aem_export", **given)
    (warning,) = run.result["warnings"]
    assert warning == f"{dest} contains secrets, and its mode 0664 gave others access: its mode is set to 0600."
    assert foreseen.result["warnings"] == [warning] and run.changed
    assert {mode_of(path) for path in tmp_path.iterdir()} == {0o600} and len(os.listdir(tmp_path)) == 2
    dest.chmod(0o644)  # somebody opens it again
    run = admin.run("aem_export", **given, diff=True)
    assert run.changed and run.result["diff"]["after"] == {"mode": "0600"} and mode_of(dest) == 0o600
    assert run.result["warnings"] and "backup_file" not in run.result
    again = admin.run("aem_export", **given)
    assert not again.changed and "warnings" not in again.result
    refused = admin.run("aem_export", **given, mode="0640")
    assert refused.failed and refused.requests == [] and "contains secrets (secrets: keep)" in refused.msg


def test_an_old_definition_is_kept_where_the_link_leads_and_for_its_owner_only(admin, tmp_path):
    (tmp_path / "volume").mkdir()
    (tmp_path / "link").symlink_to("volume")
    umask = os.umask(0)
    try:
        run = admin.task(
            "invoices",
            "present",
            definition=definition("invoices", x=1),
            import_mode="replace",
            force=True,
            backup_dir=str(tmp_path / "link"),
        )
    finally:
        os.umask(umask)
    assert run.changed and not run.failed
    (kept,) = (tmp_path / "volume").iterdir()
    assert mode_of(kept) == 0o600 and "invoices" in kept.read_text()


@pytest.mark.skipif(os.geteuid() != 0, reason="Only root can make a link of another user: run the tests as root, too.")
@pytest.mark.parametrize("name", WRITERS)
def test_a_link_that_somebody_else_has_planted_is_refused(admin, tmp_path, name):
    module, option, options = WRITERS[name]
    (tmp_path / "mine").write_text("mine")
    (tmp_path / "link").symlink_to("mine")
    os.lchown(tmp_path / "link", 4002, 4002)
    tmp_path.chmod(0o1777)
    for check in (True, False):
        run = admin.run(module, **options, **{option: str(tmp_path / "link")}, check=check)
        assert run.failed and run.requests == [] and not run.changed
        assert f"{option} ({tmp_path}/link) cannot be written: {tmp_path}/link is a link of another user" in run.msg
    assert (tmp_path / "mine").read_text() == "mine" and sorted(os.listdir(tmp_path)) == ["link", "mine"]


def test_a_diff_of_more_than_1_mb_is_summed_up(admin, em, tmp_path):
    answer = json.dumps("x" * file_diffs.LONGEST)
    em.faults([{"match": {"operation": "ExportAuditTrail"}, "nth": "all", "fault": "bad_json", "body": answer}])
    dest = tmp_path / "trail"
    for old, before in ((None, ""), ("a\nb\n", "old text, not shown as it is long: 4 bytes, 2 lines\n")):
        if old:
            dest.write_text(old)
        run = admin.run("aem_audit_trail", **DAY, dest=str(dest), diff=True)
        assert run.result["diff"]["before"] == before
        assert run.result["diff"]["after"] == "new text, not shown as it is long: 1000002 bytes, 0 lines\n"
    dest.write_text(answer.replace("x", "y"))
    diff = admin.run("aem_audit_trail", **DAY, dest=str(dest), diff=True).result["diff"]
    assert diff["before"] != diff["after"] and len(str(diff)) < 1000


def test_a_diff_up_to_1_mb_is_shown(admin, em, tmp_path):
    answer = json.dumps("x" * (file_diffs.LONGEST - 2))
    em.faults([{"match": {"operation": "ExportAuditTrail"}, "nth": "all", "fault": "bad_json", "body": answer}])
    assert admin.run("aem_audit_trail", **DAY, dest=str(tmp_path / "x"), diff=True).result["diff"]["after"] == answer


@both_ways
@pytest.mark.parametrize(("most", "is_shown"), [("500", False), ("0", True), ("100000", True)])
def test_a_diff_of_more_than_ansible_wants_to_show_is_summed_up(player, tmp_path, most, is_shown):
    player.environ["ANSIBLE_MAX_DIFF_SIZE"] = most
    outcome = player.play([task("aem_export", **PROD, name="orders", dest=str(tmp_path / "x"))], "--diff")
    (result,) = outcome.results
    assert result["changed"] and (result["diff"]["after"] == (tmp_path / "x").read_text()) is is_shown
    assert ("+new text, not shown as it is long: " in outcome.text) is not is_shown


@both_ways
def test_a_pipe_and_a_device_are_never_waited_for(player, tmp_path):
    os.mkfifo(tmp_path / "pipe")
    pipe = str(tmp_path / "pipe")
    sources = [
        ("aem_task", {**PROD, "name": "orders", "state": "present"}),
        ("aem_import", PROD),
        ("aem_server_license", PROD),
    ]
    tasks = [task(module, **options, src=src) for module, options in sources for src in (pipe, "/dev/stdin")]
    tasks += [task("aem_export", **PROD, dest=dest) for dest in (pipe, "/dev/stdout", "/dev/null", "/dev/fd/1")]
    outcome = player.play(tasks)
    assert len(outcome.results) == len(tasks)
    for result, given in zip(outcome.results, tasks):
        (options,) = [value for name, value in given.items() if name.startswith("dataops")]
        path, verb = (options["src"], "read") if "src" in options else (options["dest"], "written")
        why = "it is a named pipe, not a file." if path == pipe else "that is not for files."
        assert result["failed"] and f"({path}) cannot be {verb}: " in result["msg"] and result["msg"].endswith(why)
    assert stat.S_ISFIFO(os.stat(pipe).st_mode)
