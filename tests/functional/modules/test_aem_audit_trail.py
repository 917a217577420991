# Copyright (c) 2026, dataops.qlik_em contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""aem_audit_trail: spans of time, what is returned and what is kept in a file, and no secret in either."""

from __future__ import annotations

import errno
import io
import json
import os
import stat
from contextlib import contextmanager
from datetime import datetime, timedelta, timezone

import pytest
from ansible_collections.dataops.qlik_em.plugins.module_utils._access import audit_trail as _audit_trail
from ansible_collections.dataops.qlik_em.tests.functional.support.play import Player, both_ways
from ansible_collections.dataops.qlik_em.tests.functional.support.user import User

ADMIN = {"username": "admin@corp.example", "password": "admin-test-password"}
DAY = {"start": "2026-01-01T00:00:00Z", "end": "2026-01-02T00:00:00Z"}


@pytest.fixture
def admin(em):
    """Somebody who may read the audit trail."""
    return User(em, defaults=ADMIN)


def answers(em, text):
    """Let the stand-in answer with a trail of another layout."""
    em.clear_faults()
    em.faults([{"match": {"operation": "ExportAuditTrail"}, "nth": "all", "fault": "bad_json", "body": text}])


def target(run):
    """Return the request target of the one export that was sent."""
    (path,) = [request["raw_path"] for request in run.requests if request["operation"] == "ExportAuditTrail"]
    return path.partition("?")[2]


def test_the_records_of_a_span_are_returned(admin, em):
    admin.run("aem_task", server="Replicate-Prod", name="orders", state="stopped", **ADMIN)
    run = admin.run("aem_audit_trail", start="1h")
    assert not run.failed and not run.changed
    assert run.result["format"] == "json" and run.result["end"] is None
    requests = [record["request"] for record in run.result["content"]]
    assert requests == ["AemLogin", "AemStopTask", "AemLogout", "AemLogin"]
    assert run.operations == ["Login", "ExportAuditTrail", "Logout"]


@pytest.mark.parametrize(
    ("given", "sent"),
    [
        ("2026-01-01T10:00:00Z", "2026-01-01T10%3A00%3A00Z"),
        ("2026-01-01T10:00:00", "2026-01-01T10%3A00%3A00Z"),
        ("2026-01-01 10:00:00+00:00", "2026-01-01T10%3A00%3A00Z"),  # what YAML makes of a time without quotes
        ("2026-01-01T10:00:00.75z", "2026-01-01T10%3A00%3A00Z"),
        ("2026-01-01T00:30:00+02:00", "2025-12-31T22%3A30%3A00Z"),
        (" 2026-01-01 ", "2026-01-01T00%3A00%3A00Z"),
    ],
)
def test_times_are_sent_in_utc_as_the_guide_wants_them(admin, given, sent):
    run = admin.run("aem_audit_trail", start=given, end="2026-01-03")
    assert target(run) == f"start_timestamp={sent}&end_timestamp=2026-01-03T00%3A00%3A00Z"


@pytest.mark.parametrize(
    ("age", "delta"), [("30m", {"minutes": 30}), ("24h", {"hours": 24}), ("7d", {"days": 7}), ("2w", {"weeks": 2})]
)
def test_an_age_counts_from_now(admin, age, delta):
    before = datetime.now(timezone.utc).replace(microsecond=0)
    run = admin.run("aem_audit_trail", start=age)
    start = datetime.fromisoformat(run.result["start"].replace("Z", "+00:00"))
    assert before <= start + timedelta(**delta) <= datetime.now(timezone.utc)
    assert "end_timestamp" not in target(run)


def test_an_end_at_the_start_is_fine(admin):
    assert admin.run("aem_audit_trail", start="2026-01-01", end="2026-01-01").result["content"] == []


@pytest.fixture(params=[None, 1], ids=["in memory", "in a file"])
def length(request, monkeypatch):
    """Take a trail for short, or for one that is too long for the memory."""
    if request.param:
        monkeypatch.setattr(User, "limits", User.limits._replace(spool_from=request.param))


@pytest.mark.usefixtures("length")
@pytest.mark.parametrize(
    ("text", "kind", "content"),
    [
        ('[{"a": 1}, {"a": "é"}]', "json", [{"a": 1}, {"a": "é"}]),
        ('{"records": []}', "json", {"records": []}),
        ('{"a": 1}\r\n{"a": "x\u2028y"}\n\n', "json_lines", [{"a": 1}, {"a": "x\u2028y"}]),
        ("when;who\n1;admin\n", "text", "when;who\n1;admin\n"),
        ('{"a": 1}\nnot JSON', "text", '{"a": 1}\nnot JSON'),
        ("", "text", ""),
    ],
)
def test_any_layout_is_taken_and_kept_as_it_came(admin, em, tmp_path, text, kind, content):
    answers(em, text)
    run = admin.run("aem_audit_trail", **DAY)
    assert (run.result["format"], run.result["content"]) == (kind, content)
    kept = tmp_path / "trail"
    run = admin.run("aem_audit_trail", **DAY, dest=str(kept))
    assert run.changed and "content" not in run.result
    assert kept.read_bytes().decode() == text
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600


@pytest.mark.usefixtures("length")
def test_a_file_is_written_only_if_it_differs(admin, em, tmp_path):
    kept = tmp_path / "trail.json"
    kept.write_text("old")
    foreseen = admin.run("aem_audit_trail", **DAY, dest=str(kept), backup=True, check=True)
    assert foreseen.changed and kept.read_text() == "old" and len(list(tmp_path.iterdir())) == 1
    run = admin.run("aem_audit_trail", **DAY, dest=str(kept), backup=True, diff=True)
    assert run.changed and run.result["diff"] == foreseen.result["diff"] and run.result["dest"] == str(kept)
    assert run.result["diff"]["before"] == "old" and run.result["diff"]["after"] == kept.read_text() == "[]"
    with open(run.result["backup_file"]) as file:
        assert file.read() == "old"
    again = admin.run("aem_audit_trail", **DAY, dest=str(kept), backup=True)
    assert not again.changed and "backup_file" not in again.result


def test_a_file_that_cannot_be_written_is_a_clear_failure(admin, tmp_path):
    run = admin.run("aem_audit_trail", **DAY, dest=str(tmp_path / "nothing" / "trail"))
    assert run.failed and run.msg.startswith("dest (") and "there is no folder" in run.msg
    run = admin.run("aem_audit_trail", **DAY, dest=str(tmp_path))
    assert run.failed and run.msg.startswith("dest (") and "cannot be written: it is a folder." in run.msg
    run = admin.run("aem_audit_trail", **DAY, backup=True)
    assert run.failed and "dest" in run.msg


def test_a_refusal_names_the_role(user):
    run = user.run("aem_audit_trail", **DAY)
    assert run.failed and run.result["error_code"] == "UNAUTHORIZED_REQUEST"
    assert "Admin on Enterprise Manager" in run.result["hint"]


@pytest.mark.usefixtures("length")
@pytest.mark.parametrize("fault", [{"fault": "cut_after"}, {"fault": "status", "status": 502}])
def test_a_lost_answer_is_asked_for_again(admin, em, fault):
    em.faults([{"match": {"operation": "ExportAuditTrail"}, **fault}])
    run = admin.run("aem_audit_trail", **DAY)
    assert not run.failed and run.operations == ["Login", "ExportAuditTrail", "ExportAuditTrail", "Logout"]


@pytest.mark.usefixtures("length")
def test_no_secret_is_returned_or_kept(admin, em, tmp_path):
    """The login's own, one under a name that shows it, one in JSON within JSON, and an encrypted one."""
    inner = json.dumps({"db_settings": {"password": "canary-of-json"}})
    records = [
        {"user": "admin", "password": "canary-of-member", "note": ADMIN["password"]},
        {"payload": inner, "session_idle_seconds": 300},
        {"value": "{Y2FuYXJ5LW9mLWV4cG9ydA==}"},
    ]
    kept = tmp_path / "trail"
    for text in (json.dumps(records), "\n".join(map(json.dumps, records))):
        answers(em, text)
        run = admin.run("aem_audit_trail", **DAY)
        admin.run("aem_audit_trail", **DAY, dest=str(kept))
        for shown in (json.dumps(run.result), kept.read_text()):
            assert "canary" not in shown and ADMIN["password"] not in shown and "Y2FuYXJ5" not in shown
            assert "admin" in shown and "300" in shown and "********" in shown
    answers(em, f"a text with {ADMIN['password']} in it")
    admin.run("aem_audit_trail", **DAY, dest=str(kept))
    assert kept.read_text() == "a text with ******** in it"


@pytest.mark.parametrize("options", [{}, {"dest": "trail"}], ids=["returned", "kept"])
def test_a_trail_that_is_too_long_is_asked_for_once(admin, em, tmp_path, monkeypatch, options):
    monkeypatch.setattr(User, "limits", User.limits._replace(export_size=5000, spool_size=5000))
    answers(em, json.dumps([{"a": "b" * 10_000}]))
    kept = tmp_path / "trail"
    kept.write_text("old")
    run = admin.run("aem_audit_trail", **DAY, **{option: str(kept) for option in options})
    assert run.failed and run.operations == ["Login", "ExportAuditTrail", "Logout"]
    assert "the answer is longer than 5000 bytes" in run.msg
    assert "narrow start and end" in run.result["hint"] and ("dest" in run.result["hint"]) is not bool(options)
    assert kept.read_text() == "old" and len(list(tmp_path.iterdir())) == 1


def test_a_trail_that_is_sent_again_is_kept_once(admin, em, tmp_path, monkeypatch):
    """The first answer breaks off when a part of it is in the file."""
    monkeypatch.setattr(User, "limits", User.limits._replace(spool_from=0))
    text = json.dumps([{"number": number, "a": "b" * 100} for number in range(5000)])
    body = {"fault": "bad_json", "body": text}
    match = {"match": {"operation": "ExportAuditTrail"}}
    broken = {"fault": "truncated_json", "length": "too_long"}
    em.faults([{**match, **broken, "nth": 1}, {**match, **body, "nth": 2}])
    kept = tmp_path / "trail"
    run = admin.run("aem_audit_trail", **DAY, dest=str(kept))
    assert not run.failed, run.msg
    assert run.operations.count("ExportAuditTrail") == 2 and kept.read_text() == text
    again = User(em, defaults=ADMIN)
    answers(em, text)
    assert not again.run("aem_audit_trail", **DAY, dest=str(kept)).changed
    assert again.run("aem_audit_trail", **DAY, dest=str(kept), mode="0640").changed
    answers(em, text.replace("4999", "5000"))
    assert again.run("aem_audit_trail", **DAY, dest=str(kept), check=True, diff=True).changed


def test_a_full_disk_is_a_failure_that_says_so_and_is_not_tried_again(admin, em, tmp_path, monkeypatch):
    monkeypatch.setattr(User, "limits", User.limits._replace(spool_from=1))

    class Full(io.BytesIO):
        def write(self, _data):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    @contextmanager
    def full(*_arguments):
        yield Full()

    monkeypatch.setattr(_audit_trail, "scratch_file", full)
    kept = tmp_path / "trail"
    run = admin.run("aem_audit_trail", **DAY, dest=str(kept))
    assert run.failed and "No space left" in run.msg and "Free disk space" in run.result["hint"]
    assert run.operations == ["Login", "ExportAuditTrail", "Logout"] and not list(tmp_path.iterdir())


def test_bytes_that_are_no_text_are_a_clear_failure(admin, em, tmp_path, monkeypatch):
    from ansible_collections.dataops.qlik_em.plugins.module_utils._client.api import Api

    def export(_api, _start, _end, spool=None):
        if spool:
            spool.write(b"\xff\xfe\x00")
        return b"\xff\xfe\x00"

    monkeypatch.setattr(Api, "export_audit_trail", export)
    for options in ({}, {"dest": str(tmp_path / "trail")}):
        run = admin.run("aem_audit_trail", **DAY, **options)
        assert run.failed and not run.changed and "(3 bytes) is not UTF-8 text" in run.msg
    assert not list(tmp_path.iterdir())


@both_ways
def test_the_result_is_the_same_both_ways(em, tmp_path, as_module):
    """Ansible adds facts on a file to what a module returns."""
    environ = {f"QLIK_EM_{name.upper()}": value for name, value in ADMIN.items()}
    player = Player(tmp_path, as_module, QLIK_EM_URL=em.url, QLIK_EM_CA_PATH=str(em.ca_path), **environ)
    kept = tmp_path / "trail.json"
    outcome = player.play([{"name": "Keep", "dataops.qlik_em.aem_audit_trail": {**DAY, "dest": str(kept)}}])
    (result,) = outcome.results
    assert {key for key in result if key not in ("invocation", "ansible_facts")} == {
        *("changed", "failed", "start", "end", "format", "dest")
    }
    assert kept.read_text() == "[]"
