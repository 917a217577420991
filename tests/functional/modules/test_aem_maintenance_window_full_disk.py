# Copyright (c) 2026, dataops.qlik_em contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A full disk: nothing is written by half, the old file stays, and nothing is sent that should have been noted."""

from __future__ import annotations

import os
from typing import Any

import pytest
from ansible_collections.dataops.qlik_em.plugins.module_utils._client.errors import InputError
from ansible_collections.dataops.qlik_em.plugins.module_utils._fleets import checkpoint_store as _store
from ansible_collections.dataops.qlik_em.plugins.module_utils._fleets.journal import Journal
from ansible_collections.dataops.qlik_em.tests.functional.every_module.cases import filled
from ansible_collections.dataops.qlik_em.tests.functional.every_module.cases_definitions import REPLACE, definition
from ansible_collections.dataops.qlik_em.tests.functional.support.user import Run, User

ADMIN = {"username": "admin@corp.example", "password": "admin-test-password"}
PROD = {"server": "Replicate-Prod"}
ONE = {"include": [{**PROD, "name": "orders"}]}
QUICK = {"wait_sleep": 0.1}
OLD = "what was there before"
WRITERS: dict[str, tuple[str, str, dict[str, Any]]] = {
    "export": ("aem_export", "dest", {**PROD, "dest": "{folder}/old"}),
    "trail": ("aem_audit_trail", "dest", {"start": "2026-01-01", "end": "2026-01-02", "dest": "{folder}/old"}),
    "backup": (
        "aem_task",
        "backup_dir",
        {
            **PROD,
            **REPLACE,
            "name": "invoices",
            "state": "present",
            "definition": definition("invoices", x=1),
            "backup_dir": "{folder}",
        },
    ),
    "record": ("aem_maintenance_window", "path", {**ONE, "state": "recorded", "path": "{folder}/new"}),
    "freeze": ("aem_maintenance_window", "path", {"state": "frozen", "path": "{folder}/window", **QUICK}),
    "journal": ("aem_task_batch", "journal", {**ONE, **QUICK, "state": "stopped", "journal": "{folder}/journal"}),
}


@pytest.fixture
def user(em, tmp_path):
    """An admin who has recorded a window."""
    em.set_task("Replicate-Prod", "orders", stop_seconds=0, memory_lag=0)
    admin = User(em, defaults=ADMIN)
    assert not admin.run("aem_maintenance_window", **ONE, state="recorded", path=str(tmp_path / "window")).failed
    (tmp_path / "old").write_text(OLD)
    return admin


def writes(run: Run) -> list[str | None]:
    """Return what was sent and is not a read."""
    return [r["operation"] for r in run.requests if r["method"] != "GET" and r["operation"] != "Login"]


@pytest.mark.parametrize("name", WRITERS)
def test_nothing_is_half_done(user, em, tmp_path, monkeypatch, name):
    def fail(_descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    module, option, options = WRITERS[name]
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    monkeypatch.setattr(os, "fsync", fail)
    run = user.run(module, **filled(options, {"folder": str(tmp_path)}))
    assert run.failed and not run.changed and writes(run) == []
    assert f"{option} (" in run.msg and "cannot be written: No space left on device." in run.msg
    assert "Unexpected" not in str(run.result)
    after = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    notes = {name for name in after if name.endswith((".lock", "journal"))}
    assert not any(b'"before"' in content for content in after.values())  # or it would be unconfirmed
    assert {name: content for name, content in after.items() if name not in notes} == {
        name: content for name, content in before.items() if name not in notes
    }
    monkeypatch.undo()
    assert not user.run(module, **filled(options, {"folder": str(tmp_path)})).failed


def test_a_window_that_cannot_be_closed_reports_what_was_done(user, em, tmp_path, monkeypatch):
    written: list[str] = []

    def fail_at_the_end(option: str, path: str, text: str) -> list[str]:
        written.append(text)
        if len(written) > 1:
            raise InputError(f"{option} ({path}) cannot be written: No space left on device.")
        return []

    monkeypatch.setattr(_store, "write_atomically", fail_at_the_end)
    run = user.run("aem_maintenance_window", state="frozen", path=str(tmp_path / "window"), **QUICK)
    check_report(run, em)


def test_a_journal_that_cannot_be_ended_reports_what_was_done(user, em, tmp_path, monkeypatch):
    note = Journal.note

    def fail_at_the_end(self: Journal, event: str, **members: Any) -> None:
        if event == "end":
            raise InputError("journal cannot be written: No space left on device.")
        note(self, event, **members)

    monkeypatch.setattr(Journal, "note", fail_at_the_end)
    options = {**ONE, **QUICK, "state": "stopped", "journal": str(tmp_path / "journal")}
    check_report(user.run("aem_task_batch", **options), em)
    monkeypatch.undo()
    assert not user.run("aem_task_batch", **options).failed


def check_report(run: Run, em: Any) -> None:
    """The task is stopped, and the failure says so."""
    assert em.task("Replicate-Prod", "orders")["state"] == "STOPPED"
    assert run.failed and run.changed and run.result["counts"]["changed"] == 1
    assert run.msg.startswith("All tasks reached their state, but that could not be recorded. ")
    assert run.result["tasks"][0]["after"] == "STOPPED"


def test_what_cannot_be_noted_afterwards_is_not_a_failure(user, em, tmp_path, monkeypatch):
    """It is unconfirmed for the next run, which reads the state."""
    lines: list[bytes] = []

    class Full:
        """A file on a disk that gets full between the lines of a write."""

        def __init__(self, file: Any) -> None:
            self._file = file

        def __getattr__(self, name: str) -> Any:
            return getattr(self._file, name)

        def write(self, line: bytes) -> int:
            lines.append(line)
            is_over = b'"after"' in line or b'"task"' in line
            return self._file.write(line[:9] if is_over else line)

    begin = Journal.__init__

    def begin_on_a_full_disk(self: Journal, *arguments: Any) -> None:
        begin(self, *arguments)
        self._file = Full(self._file)

    monkeypatch.setattr(Journal, "__init__", begin_on_a_full_disk)
    options = {**ONE, **QUICK, "state": "stopped", "journal": str(tmp_path / "journal")}
    run = user.run("aem_task_batch", **options)
    assert not run.failed and run.changed and any(b'"after"' in line for line in lines)
    monkeypatch.undo()
    assert not user.run("aem_task_batch", **options).changed
