# Copyright (c) 2026, dataops.qlik_em contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The journal: what a run that was killed has left, read from whatever stands in the file."""

from __future__ import annotations

import errno
import json
import os
import stat
from datetime import datetime, timezone
from types import SimpleNamespace

import pytest
from ansible_collections.dataops.qlik_em.plugins.module_utils._client.api import Api
from ansible_collections.dataops.qlik_em.plugins.module_utils._client.calls import Answer
from ansible_collections.dataops.qlik_em.plugins.module_utils._client.errors import (
    AemError,
    ApiError,
    InputError,
    TransportError,
)
from ansible_collections.dataops.qlik_em.plugins.module_utils._fleets import journal as module
from ansible_collections.dataops.qlik_em.plugins.module_utils._fleets.journal import (
    Journal,
    JournaledApi,
    JournalState,
    UnconfirmedWrite,
    open_journal,
    read_journal,
)
from ansible_collections.dataops.qlik_em.plugins.module_utils._tasks.model import TaskName

EM = "https://em.example.com/attunityenterprisemanager"
A, B = TaskName("S", "a"), TaskName("S", "b/ü")
RUN = {"event": "run", "schema": 1, "enterprise_manager": EM, "operation": "stop", "boot": "start", "continues": False}
BEFORE = {"event": "before", "call": "StopTask", "server": "S", "name": "a", "timeout": 30, "uptime": 100.0}
AFTER = {"event": "after", "call": "StopTask", "server": "S", "name": "a", "known": True, "uptime": 110.0}
DONE = {"event": "task", "server": "S", "name": "a"}
LEFT = {"event": "left", "call": "StopTask", "server": "S", "name": "a", "uptime": 120.0}
END = {"event": "end"}
UNCONFIRMED = UnconfirmedWrite("StopTask", 100.0, 30.0)


@pytest.fixture(autouse=True)
def machine(monkeypatch):
    """The monotonic clock of a process shows the uptime, of the start of the machine that is called "start"."""
    monkeypatch.setattr(module, "monotonic_of", lambda boot, uptime: uptime if boot == "start" else -1.0)
    monkeypatch.setattr(module, "boot_id", lambda: "start")
    monkeypatch.setattr(module, "uptime", lambda: 200.12345)


@pytest.fixture
def path(tmp_path):
    return str(tmp_path / "journal")


def read(path, *entries, operation="stop", tail=""):
    """Return what a journal of these entries holds for a run."""
    with open(path, "w", encoding="utf-8") as file:
        file.write("".join(f"{json.dumps(entry)}\n" for entry in entries) + tail)
    return read_journal(path, EM, operation)


def test_without_a_journal_nothing_was_begun(path):
    assert read_journal(path, EM, "stop") == JournalState(False, frozenset(), {}, True)
    assert read(path) == JournalState(False, frozenset(), {}, True)


@pytest.mark.parametrize(
    ("entries", "continues", "done", "has_ended"),
    [
        ([RUN], True, set(), False),
        ([RUN, DONE], True, {A}, False),
        ([RUN, DONE, END], False, set(), True),
        ([RUN, DONE, {**RUN, "continues": True}], True, {A}, False),
        ([RUN, DONE, {**RUN, "continues": True}, {**DONE, "name": "b/ü"}], True, {A, B}, False),
        ([RUN, DONE, RUN], True, set(), False),  # a run that began anew
        ([{**RUN, "continues": True}], True, set(), False),  # somebody has cut the lines before it
        ([RUN, DONE, END, RUN], True, set(), False),
        ([{**RUN, "operation": "start"}, DONE], False, set(), False),
        ([{**RUN, "operation": "start"}, DONE, END], False, set(), False),
        ([{**RUN, "operation": "start"}, END, RUN, DONE], True, {A}, False),
    ],
)
def test_a_run_goes_on_where_one_that_wanted_the_same_was_killed(path, entries, continues, done, has_ended):
    assert read(path, *entries) == JournalState(continues, frozenset(done), {}, has_ended)


@pytest.mark.parametrize(
    ("entries", "left"),
    [
        ([BEFORE], UNCONFIRMED),
        ([{**BEFORE, "timeout": None}], UNCONFIRMED._replace(timeout=None)),
        ([{**BEFORE, "timeout": True}], UNCONFIRMED._replace(timeout=None)),
        ([{**BEFORE, "timeout": "30"}], UNCONFIRMED._replace(timeout=None)),
        ([{**BEFORE, "timeout": 2.5}], UNCONFIRMED._replace(timeout=2.5)),
        # An answered stop may go on in the server until the task was seen to end.
        ([BEFORE, AFTER], UNCONFIRMED._replace(since=110.0)),
        ([BEFORE, {**AFTER, "goes_on": True}], UNCONFIRMED._replace(since=110.0, goes_on=True)),
        ([BEFORE, {**AFTER, "goes_on": "yes"}], UNCONFIRMED._replace(since=110.0)),
        ([BEFORE, {**AFTER, "known": False, "msg": "Lost."}], UNCONFIRMED._replace(since=110.0)),
        ([BEFORE, {**AFTER, "known": False, "error_code": "X"}], UNCONFIRMED._replace(since=110.0)),
        ([BEFORE, LEFT], UNCONFIRMED._replace(since=120.0, goes_on=True)),
        ([BEFORE, AFTER, DONE], None),
        ([BEFORE, DONE], None),
        ([BEFORE, END], None),
        # Refused, or certainly not sent.
        ([BEFORE, {**AFTER, "error_code": "AEM_TASK_NOT_FOUND"}], None),
        ([BEFORE, {**AFTER, "msg": "Refused."}], None),
        ([AFTER], None),
        ([LEFT], None),
        ([{**AFTER, "error_code": "X"}], None),
        ([{**RUN, "continues": True}, BEFORE], UNCONFIRMED),
        # A start is left until it was refused, or the task was seen to run.
        ([{**BEFORE, "call": "RunTask"}], UNCONFIRMED._replace(call="RunTask")),
        ([{**BEFORE, "call": "RunTask"}, {**AFTER, "call": "RunTask"}], UNCONFIRMED._replace(call="RunTask")),
        ([{**BEFORE, "call": "RunTask"}, {**AFTER, "call": "RunTask", "error_code": "X"}], None),
        (
            [{**BEFORE, "call": "RunTask"}, {**AFTER, "call": "RunTask", "msg": "Refused."}],
            UNCONFIRMED._replace(call="RunTask"),
        ),
    ],
)
def test_a_write_of_which_nobody_knows_what_became(path, entries, left):
    for operation in ("stop", "start"):  # it is left whatever this run wants
        assert read(path, RUN, *entries, operation=operation).unconfirmed == ({} if left is None else {A: left})


def test_the_times_of_another_start_of_the_machine_do_not_count(path):
    assert read(path, {**RUN, "boot": "before"}, BEFORE).unconfirmed == {A: UNCONFIRMED._replace(since=-1.0)}
    unbooted = {key: value for key, value in RUN.items() if key != "boot"}
    assert read(path, unbooted, BEFORE, LEFT).unconfirmed == {A: UNCONFIRMED._replace(since=-1.0, goes_on=True)}


@pytest.mark.parametrize("tail", ['{"event": "bef', '{"event": "task", "server": "S", "name": "a"', "{", '{"ev'])
def test_a_line_that_a_crash_has_cut_is_none(path, tail):
    assert read(path, RUN, tail=tail) == JournalState(True, frozenset(), {}, False)


@pytest.mark.parametrize(
    ("entries", "tail", "line"),
    [
        ([RUN, {"event": "task", "server": "S"}], "", 2),
        ([RUN], "somebody's notes", 2),
        pytest.param([RUN], f"{'[' * 100_000}\n", 2, id="nested deeply"),
        ([RUN], '{"events": 1}', 2),
        ([RUN], '{"server": "S", "name": "a", "event": "task"}', 2),
        ([["x"]], "", 1),
        ([RUN, {"name": "a"}], "", 2),
        ([{**RUN, "schema": "one"}], "", 1),
        ([RUN, {**BEFORE, "call": KeyError}], "", 2),
    ],
)
def test_what_no_release_has_written_is_not_touched(path, entries, tail, line):
    kept = [
        {key: value for key, value in entry.items() if value is not KeyError} if isinstance(entry, dict) else entry
        for entry in entries
    ]
    with pytest.raises(InputError) as raised:
        read(path, *kept, tail=tail)
    assert str(raised.value).startswith(f"journal ({path}) is damaged at line {line}.")


def test_one_of_a_newer_release_or_another_enterprise_manager(path):
    with pytest.raises(InputError) as raised:
        read(path, {**RUN, "schema": 2})
    assert f"({path})" in str(raised.value) and "(schema 2)" in str(raised.value)
    with pytest.raises(InputError) as raised:
        read(path, {**RUN, "enterprise_manager": "https://other.example.com"})
    assert f"({path})" in str(raised.value) and str(raised.value).endswith(": https://other.example.com.")


def test_how_long_a_write_may_still_take_effect(monkeypatch):
    monkeypatch.setattr(module, "time", SimpleNamespace(monotonic=lambda: 105.0))
    assert UNCONFIRMED.time_left(30) == 25.0
    assert UNCONFIRMED.time_left(4) == 0.0
    assert UNCONFIRMED._replace(since=110.0).time_left(30) == 30  # the clock was set back


# Writing


def lines(path):
    with open(path, encoding="utf-8") as file:
        return [json.loads(line) for line in file]


def test_a_run_is_noted_and_keeps_others_out(path):
    with open_journal(path, EM, "stop") as journal:
        assert journal.state == JournalState(False, frozenset(), {}, True)
        with pytest.raises(InputError, match=r"^journal .* is in use by another run"), open_journal(path, EM, "stop"):
            pass
        journal.note("task", server="S", name="a")
    (run, task) = lines(path)
    now = datetime.fromisoformat(run.pop("time"))
    assert abs((datetime.now(timezone.utc) - now).total_seconds()) < 60 and now.utcoffset().total_seconds() == 0
    assert run == {**RUN, "uptime": 200.123}
    assert {**task, "time": 0} == {**DONE, "time": 0, "uptime": 200.123}
    assert stat.S_IMODE(os.stat(path).st_mode) == 0o600
    with pytest.raises(ValueError, match="closed file"):
        journal.note("end")
    with open_journal(path, EM, "stop") as journal:
        assert journal.state == JournalState(True, frozenset([A]), {}, False)
        journal.note("end")
    assert [line["event"] for line in lines(path)] == ["run", "task", "run", "end"]
    assert lines(path)[2]["continues"] is True
    assert read_journal(path, EM, "stop").has_ended


def test_where_no_file_can_be_the_option_is_named(tmp_path):
    with pytest.raises(InputError, match=r"^journal "):
        Journal(str(tmp_path), JournalState())
    with pytest.raises(InputError, match=r"^journal "):
        read_journal(str(tmp_path), EM, "stop")


def test_a_cut_line_is_removed_before_more_is_written(path):
    read(path, RUN, tail='{"event": "bef')
    with open_journal(path, EM, "stop"):
        pass
    assert [line["event"] for line in lines(path)] == ["run", "run"]
    read(path, tail='{"event": "r')
    with open_journal(path, EM, "stop"):
        pass
    assert [line["event"] for line in lines(path)] == ["run"]


def test_what_is_sent_is_on_the_disk_before(path, monkeypatch):
    synced = []
    monkeypatch.setattr(os, "fsync", lambda _descriptor: synced.append(len(lines(path))))
    with open_journal(path, EM, "stop") as journal:
        for event in ("before", "after", "task", "before"):
            journal.note(event)
    assert synced == [2, 5]


def test_without_room_nothing_is_sent_and_no_half_line_stays(path, monkeypatch):
    read(path, RUN, END)
    with open_journal(path, EM, "stop") as journal:
        size = os.path.getsize(path)
        real = journal._file
        half = SimpleNamespace(write=lambda line: real.write(line[:9]), fileno=real.fileno, close=real.close)
        monkeypatch.setattr(journal, "_file", half)
        with pytest.raises(InputError) as raised:
            journal.note("before", call="StopTask")
        assert f"({path})" in str(raised.value) and str(raised.value).endswith(": No space left on device.")
        assert raised.value.hint
        assert os.path.getsize(path) == size
        for event in ("after", "task"):  # what is over: the next run reads what became of it
            journal.note(event)
        with monkeypatch.context() as patch:  # not even the half line can be removed
            patch.setattr(os, "ftruncate", lambda *_arguments: os.close(-1))
            with pytest.raises(InputError, match="No space left"):
                journal.note("left")
        os.truncate(path, size)
        monkeypatch.setattr(journal, "_file", real)
        journal.note("before", call="StopTask")
    assert [line["event"] for line in lines(path)] == ["run", "end", "run", "before"]


def test_after_a_disk_that_fails_nothing_more_is_noted(path, monkeypatch):
    def fail(_descriptor):
        raise OSError(errno.EIO, "Input/output error")

    with open_journal(path, EM, "stop") as journal:
        journal.note("before", call="StopTask")
        monkeypatch.setattr(os, "fsync", fail)
        with pytest.raises(InputError, match=r": Input/output error\.$"):
            journal.note("before", call="RunTask")
        monkeypatch.undo()
        with pytest.raises(InputError, match="Input/output error"):
            journal.note("before", call="RunTask")
        journal.note("task")
    assert [line["event"] for line in lines(path)] == ["run", "before"]


# The API with a journal


class Noted(list):
    """A journal that keeps what is noted."""

    def note(self, event, **members):
        self.append({"event": event, **members})


CLIENT = SimpleNamespace(masked=lambda text: text.replace("secret", "****"))
ABOUT = {"server": "S", "name": "a"}


def noted(monkeypatch, method, outcome, *arguments):
    """Call a method of the API that ends so, and return what was noted, and the answer."""
    journal = Noted()

    def call(_self, *_arguments):
        journal.append((method, *_arguments))
        if isinstance(outcome, Exception):
            raise outcome
        return outcome

    monkeypatch.setattr(Api, method, call)
    answer = None
    try:
        answer = getattr(JournaledApi(CLIENT, journal), method)(*arguments)
    except AemError as failure:
        assert failure is outcome
    return journal, answer


STOP, START = ("S", "a", 30, ("X",)), ("S", "a", "RESUME", 40, "a position", ("X",))


@pytest.mark.parametrize(
    ("outcome", "after"),
    [
        (Answer({}, {}), {"known": True}),
        (Answer({}, {}, "AEM_STOP_TASK_TIMEOUT"), {"known": True, "goes_on": True}),
        (Answer({}, {}, "AEM_TASK_ALREADY_STOPPED"), {"known": True}),
        (ApiError("No secret.", "", "a secret code"), {"known": True, "error_code": "a **** code"}),
        (TransportError("No secret.", sent=True), {"known": False, "msg": "No ****."}),
        (TransportError("No secret.", sent=False), {"known": True, "msg": "No ****."}),
        (AemError("No secret."), {"known": True, "msg": "No ****."}),
    ],
)
def test_each_write_is_noted_before_and_after_it(monkeypatch, outcome, after):
    for method, call, arguments in (("stop_task", "StopTask", STOP), ("run_task", "RunTask", START)):
        journal, answer = noted(monkeypatch, method, outcome, *arguments)
        timeout = 30 if call == "StopTask" else 40
        ended = after if call == "StopTask" else {key: value for key, value in after.items() if key != "goes_on"}
        assert journal == [
            {"event": "before", "call": call, **ABOUT, "timeout": timeout},
            (method, *arguments),
            {"event": "after", "call": call, **ABOUT, **ended},
        ]
        assert answer is (outcome if isinstance(outcome, Answer) else None)


def test_what_cannot_be_noted_is_not_sent(monkeypatch):
    def refuse(_event, **_members):
        raise InputError("Full.")

    monkeypatch.setattr(Api, "stop_task", lambda *arguments: pytest.fail(f"sent {arguments}"))
    with pytest.raises(InputError, match="Full"):
        JournaledApi(CLIENT, SimpleNamespace(note=refuse)).stop_task(*STOP)
