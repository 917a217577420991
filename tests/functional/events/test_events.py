# Copyright (c) 2026, dataops.qlik_em contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The event source against the stand-in: what it gives for what happens, what it asks for, and how it ends."""

from __future__ import annotations

import asyncio
import gc
import json
import os
import runpy
import subprocess
import sys
from collections import Counter
from pathlib import Path

import jsonschema
import pytest
from ansible_collections.dataops.qlik_em.plugins.module_utils._events import source as source_module
from ansible_collections.dataops.qlik_em.plugins.module_utils._events.reader import Reader
from ansible_collections.dataops.qlik_em.plugins.module_utils._events.source import SourceEnded
from ansible_collections.dataops.qlik_em.tests.functional.support.watcher import Watcher
from ansible_collections.dataops.qlik_em.tests.simulator import running

ROOT = Path(__file__).resolve().parents[3]
SOURCE = ROOT / "extensions" / "eda" / "plugins" / "event_source" / "tasks.py"
SCHEMA = json.loads(SOURCE.with_suffix(".schema.json").read_text(encoding="utf-8"))
PROD = [{"server": "Replicate-Prod"}]


@pytest.fixture
def watch(em):
    """Return a function that makes a Watcher, which is stopped at the end; each event must be as the schema says."""
    made = []

    def make(**options):
        made.append(Watcher(em, **options))
        return made[-1]

    yield make
    for one in made:
        one.stop()
    for event in (event for one in made for event in one.events):
        jsonschema.validate(event, SCHEMA)


def small(*events):
    return [(one["type"], one["server"], one["task"], one["before"], one["after"]) for one in events]


def test_a_change_of_state_is_an_event_and_says_what_was_and_since_when(em, watch):
    source = watch(include=[{"server": "Replicate-Prod", "name": "orders"}])
    assert source.round() == []
    em.set_task("Replicate-Prod", "orders", state="ERROR", message="ORA-1 'x'\n{{ bad }}")
    assert source.round() == [
        {
            "id": source.events[0]["id"],
            "type": "task_error",
            "problem": True,
            "first_look": False,
            "manager": f"{em.url}/attunityenterprisemanager",
            "server": "Replicate-Prod",
            "task": "orders",
            "schema": None,
            "table": None,
            "before": "RUNNING",
            "before_since": "2027-01-15T08:00:00Z",
            "after": "ERROR",
            "since": "2027-01-15T08:00:30Z",
            "value": None,
            "limit": None,
            "message": "ORA-1 'x' { { bad }}",
            "stop_reason": "FATAL_ERROR",
            "error_code": None,
            "text": 'Task "orders" on server "Replicate-Prod": RUNNING -> ERROR. ORA-1 \'x\' { { bad }}',
        }
    ]
    assert source.round() == []
    em.set_task("Replicate-Prod", "orders", state="RUNNING")
    em.set_task("Replicate-Prod", "locked", state="STOPPED")
    assert small(*source.round()) == [("task_error_ended", "Replicate-Prod", "orders", "ERROR", "RUNNING")]


def test_what_is_in_error_at_the_first_look_is_an_event_without_a_before(em, watch):
    em.set_task("Replicate-Prod", "orders", state="ERROR")
    em.set_task("Replicate-Prod", "locked", state="STOPPED")
    first = watch(include=[{"server": "Replicate-Prod", "name": "[ol]*"}]).round()
    assert small(*first) == [("task_error", "Replicate-Prod", "orders", None, "ERROR")]
    assert first[0]["first_look"]


def test_selectors_are_those_of_the_batch(em, watch):
    tagged = watch(include=[{"tag": ["erp"], "state": ["stopped"]}])
    but = watch(include=PROD, exclude=[{"name": "ord*"}])
    tagged.round(), but.round()
    for name in ("orders", "locked"):
        em.set_task("Replicate-Prod", name, state="STOPPED")
    assert small(*tagged.round()) == [("task_state", "Replicate-Prod", "orders", "RUNNING", "STOPPED")]
    assert small(*but.round()) == [("task_state", "Replicate-Prod", "locked", "RUNNING", "STOPPED")]
    em.set_task("Replicate-Prod", "orders", state="RUNNING")
    assert small(*tagged.round()) == [("task_state", "Replicate-Prod", "orders", "STOPPED", "RUNNING")]


def test_latencies_tables_and_licences_are_read_where_asked(em, watch):
    orders = [{"server": "Replicate-Prod", "name": "orders"}]
    source = watch(include=PROD, max_latency=60, latency_of=orders, tables_of=orders, license_days=30)
    first = source.round()
    tables = {(one["schema"], one["table"]) for one in first if one["type"] == "table_error"}
    assert tables == {("SALES", "PRICES"), ("STOCK", "ITEMS")}
    em.set_task("Replicate-Prod", "orders", total_latency=61)
    em.set_table("Replicate-Prod", "orders", "SALES", "PRICES", state="TABLE_COMPLETED")
    em.set_server("Replicate-Prod", license={"days_to_expiration": 29})
    em.clear_requests()
    found = source.round()
    assert [(one["type"], one["before"], one["after"], one["value"], one["limit"]) for one in found] == [
        ("latency_high", "OK", "HIGH", 61, 60),
        ("table_error_ended", "ERROR", "OK", None, None),
    ]
    operations = [request["operation"] for request in em.requests()]
    assert Counter(operations) == {"GetTaskList": 1, "GetTaskDetails": 1, "GetTableList": 1}
    assert source.round() == []
    em.set_task("Replicate-Prod", "orders", total_latency=60)
    source.time += 3600
    found = source.round()
    assert [(one["type"], one["before"], one["after"], one["value"]) for one in found] == [
        ("latency_high_ended", "HIGH", "OK", 60),
        ("license_low", "OK", "LOW", 29),
    ]
    em.set_task("Replicate-Prod", "orders", state="STOPPED")
    em.clear_requests()
    source.round()
    assert "GetTaskDetails" not in [request["operation"] for request in em.requests()]


def test_a_server_is_lost_and_comes_back_with_what_changed_meanwhile(em, watch):
    source = watch(include=[{"name": "orders"}])
    source.round()
    em.set_server("Replicate-Prod", state="ERROR", message="It does not answer")
    em.set_task("Replicate-Prod", "orders", state="STOPPED")
    lost = source.round()
    assert small(*lost) == [("server_lost", "Replicate-Prod", None, "MONITORED", "ERROR")]
    assert lost[0]["message"] == "It does not answer"
    assert source.round() == []
    em.set_server("Replicate-Prod", state="MONITORED", message="")
    assert small(*source.round()) == [
        ("server_back", "Replicate-Prod", None, "ERROR", "MONITORED"),
        ("task_state", "Replicate-Prod", "orders", "RUNNING", "STOPPED"),
    ]


def test_one_server_that_gives_no_answer_hides_no_other(em, watch):
    source = watch(include=[{"name": "*"}])
    source.round()
    em.faults({"match": {"operation": "GetTaskList", "server": "Replicate-Prod"}, "fault": "cut_before"})
    em.set_task("Compose-DW", "nightly__sales", state="ERROR")
    assert small(*source.round()) == [
        ("server_lost", "Replicate-Prod", None, "MONITORED", "ERROR"),
        ("task_error", "Compose-DW", "nightly__sales", "RUNNING", "ERROR"),
    ]
    assert [one["type"] for one in source.round()] == ["server_back"]


def test_one_task_that_gives_no_answer_hides_no_other_and_is_logged_once(em, watch, caplog):
    both = [{"server": "Replicate-Prod", "name": name} for name in ("orders", "locked")]
    source = watch(include=both, max_latency=60, latency_of=both)
    source.round()
    em.faults({"match": {"operation": "GetTaskDetails", "task": "orders"}, "fault": "cut_before", "nth": "all"})
    em.set_task("Replicate-Prod", "locked", total_latency=61)
    assert small(*source.round()) == [("latency_high", "Replicate-Prod", "locked", "OK", "HIGH")]
    assert source.round() == []
    assert caplog.text.count("GetTaskDetails of task") == 1


def test_a_task_that_is_named_and_does_not_exist_is_logged_once(watch, caplog):
    source = watch(include=[{"server": "Replicate-Prod", "name": "order"}])
    assert source.round() == source.round() == []
    assert caplog.text.count('does not exist: "order" on server "Replicate-Prod". Did you mean "orders"?') == 1


@pytest.mark.parametrize("include", [None, PROD])
def test_while_enterprise_manager_is_away_the_log_says_what_to_do(watch, caplog, include):
    assert small(*watch(ca_path=None, include=include).round()) == [("manager_lost", None, None, None, "AWAY")]
    assert caplog.text.count("issued by an unknown CA") == 1 and "ca_path" in caplog.text


def test_enterprise_manager_away_is_one_event_and_longer_and_longer_pauses(watch, em):
    source = watch(include=[{"server": "*", "name": "orders"}], interval=100)
    source.round()
    em.faults({"match": {"operation": "GetServerList"}, "fault": "cut_before", "nth": "all", "count": 4})
    em.set_task("Replicate-Prod", "orders", state="STOPPED")
    (lost,) = source.round()
    assert lost["type"] == "manager_lost"
    assert [source.round() for _number in range(3)] == [[], [], []]
    for pause, full in zip(source.pauses[1:], (100, 200, 300, 300), strict=True):
        assert full / 2 <= pause <= full
    back = source.round()
    assert [one["type"] for one in back] == ["manager_back", "task_state"]
    assert back[0]["before_since"] == lost["since"]


@pytest.mark.parametrize("status", [401, 500])
def test_a_refused_login_ends_it_and_is_sent_once(em, watch, status):
    source = watch(password="wrong-password-1")
    if status == 500:
        em.faults({"match": {"operation": "Login"}, "fault": "status", "status": 500, "nth": "all"})
    with pytest.raises(SourceEnded, match="refused to log in") as ended:
        source.round()
    assert "wrong-password-1" not in str(ended.value)
    assert [request["operation"] for request in em.requests()] == ["Login"]


def test_one_session_for_all_rounds_renewed_once_and_ended_at_the_end(em, watch):
    source = watch(include=[{"server": "*"}])
    source.round()
    em.expire_sessions()
    assert source.round() == source.round() == []
    source.stop()
    operations = Counter(request["operation"] for request in em.requests())
    assert (operations["Login"], operations["Logout"]) == (2, 1)


def test_cancelled_in_a_round_it_reads_no_more_and_ends_its_session(em, watch, caplog):
    em.faults({"match": {"operation": "GetServerList"}, "fault": "delay", "seconds": 0.3})
    source = watch()
    source.stop_in_round(lambda: any(request["operation"] == "GetServerList" for request in em.requests()))
    assert [request["operation"] for request in em.requests()] == ["Login", "GetServerList", "Logout"]
    assert source.events == [] and em.summary()["open_sessions"] == 0
    gc.collect()  # asyncio logs the traceback of an exception that nobody has looked at
    assert caplog.text == ""


def test_a_session_that_was_passed_in_and_has_ended_ends_the_watch(em, user, watch):
    session = user.run("aem_session").result["session_id"]
    source = watch(username=None, password=None, session_id=session, include=PROD)
    source.round()
    em.expire_sessions()
    with pytest.raises(SourceEnded) as ended:
        source.round()
    assert session not in str(ended.value)


def test_a_certificate_that_is_not_verified_is_logged_once(em, watch, caplog):
    source = watch(ca_path=None, validate_certs="no", include=PROD)
    source.round()
    source.round()
    assert caplog.text.count(f"The certificate of {em.url}/attunityenterprisemanager is not verified") == 1


def test_without_requests_it_says_where_to_install_it(em, watch, monkeypatch):
    monkeypatch.setattr(source_module, "REQUESTS_IMPORT_ERROR", ImportError("No module named 'requests'"))
    with pytest.raises(SourceEnded, match=f"The Python library requests is missing for {sys.executable}"):
        watch().round()
    assert em.requests() == []


def test_an_unexpected_exception_ends_it_in_one_line_without_secrets(em, watch, monkeypatch):
    def broken(_reader):
        raise LookupError(f"odd:\n{em.password}")

    monkeypatch.setattr(Reader, "read", broken)
    with pytest.raises(SourceEnded, match=r"^Unexpected LookupError: odd: .* Please report it\.$") as ended:
        watch().round()
    assert em.password not in str(ended.value)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"includ": []}, 'Unknown option "includ". Did you mean "include" or "exclude"?'),
        ({"include": [{"servr": "x"}]}, 'Unknown member of a selector in include "servr". Did you mean "server"?'),
        ({"include": [{}]}, "An empty selector in include would select every task"),
        ({"include": [{"state": ["eror"]}]}, 'Unknown state in include "eror". Did you mean "error"?'),
        ({"include": "x"}, "include must be a list of selectors"),
        ({"interval": "soon"}, "interval must be a whole number."),
        ({"interval": 0}, "interval must be between 1 and 86400 seconds, not 0."),
        ({"max_latency": 5}, "max_latency and latency_of must be given together"),
        ({"validate_certs": "perhaps"}, "validate_certs must be true or false."),
        ({"url": ["https://em"]}, "url must be a string."),
        ({"url": "http://em"}, "url must begin with https://"),
    ],
)
def test_wrong_options_are_refused_before_anything_is_sent(em, watch, options, message):
    with pytest.raises(SourceEnded) as ended:
        watch(**options).round()
    assert message in str(ended.value)
    assert em.requests() == []


def test_the_plugin_finds_the_source_by_its_own_path():
    main = runpy.run_path(str(SOURCE))["main"]
    with pytest.raises(Exception, match='Unknown option "includ"'):  # its class is of the package that main() makes
        asyncio.run(main(None, {"includ": []}))


def test_the_variables_of_the_modules_count(em, watch):
    environ = {"QLIK_EM_URL": em.url, "QLIK_EM_CA_PATH": em.ca_path, "QLIK_EM_API_TOKEN": em.api_token}
    source = watch(environ=environ, url="", ca_path=None, username=None, password="", include=PROD, interval="7")
    source.round()
    assert 6 < source.pauses[0] <= 7


def test_a_restart_neither_repeats_nor_loses_an_event(em, watch, tmp_path):
    file = tmp_path / "state"
    before = watch(include=PROD, state_file=str(file))
    before.round()
    em.set_task("Replicate-Prod", "orders", state="ERROR")
    assert [one["type"] for one in before.round()] == ["task_error"]
    before.stop()
    em.set_task("Replicate-Prod", "locked", state="STOPPED")
    after = watch(include=PROD, state_file=str(file))
    assert small(*after.round()) == [("task_state", "Replicate-Prod", "locked", "RUNNING", "STOPPED")]
    with pytest.raises(SourceEnded, match="in use by another run"):
        watch(include=PROD, state_file=str(file)).round()
    after.stop()
    assert file.stat().st_mode & 0o777 == 0o600
    assert em.password not in file.read_text()


def test_what_is_watched_less_is_not_lost(em, watch, tmp_path):
    file = str(tmp_path / "state")
    wide = watch(state_file=file)
    wide.round()
    wide.stop()
    assert watch(include=PROD, state_file=file).round() == []


@pytest.mark.parametrize("content", ["no JSON", "{}", "[]\n", "[" * 100_000, '{"format": 1}'], ids=range(5))
def test_a_file_of_something_else_is_refused(watch, tmp_path, content):
    file = tmp_path / "state"
    file.write_text(content)
    with pytest.raises(SourceEnded, match=r"state_file .* does not contain the state of this source"):
        watch(state_file=str(file)).round()
    assert file.read_text() == content


def test_a_full_disk_does_not_end_the_watch(em, watch, tmp_path, monkeypatch, caplog):
    from ansible_collections.dataops.qlik_em.plugins.module_utils._events import store

    def full(*_arguments):
        raise store.InputError("state_file cannot be written: No space left on device.")

    file = tmp_path / "state"
    source = watch(include=PROD, state_file=str(file))
    source.round()
    em.set_task("Replicate-Prod", "orders", state="ERROR")
    with monkeypatch.context() as patch:
        patch.setattr(store, "write_atomically", full)
        assert [one["type"] for one in source.round()] == ["task_error"]
    assert "No space left" in caplog.text
    assert source.round() == []
    source.stop()
    assert watch(include=PROD, state_file=str(file)).round() == []


# The source as a process of its own, that prints its events; it ends itself, hard, after so many.
KILLED = """
import asyncio, json, os, runpy, sys
class Queue:
    left = int(sys.argv[3])
    async def put(self, event):
        print(json.dumps(event), flush=True)
        self.left -= 1
        if not self.left:
            os.kill(os.getpid(), 9)
sys.modules["ansible"] = sys.modules["ansible_collections"] = None
asyncio.run(runpy.run_path(sys.argv[1])["main"](Queue(), json.loads(sys.argv[2])))
"""


def test_killed_among_its_events_it_goes_on_where_it_was_without_ansible(em, tmp_path):
    options = {"include": PROD, "state_file": str(tmp_path / "state"), "interval": 1}
    environ = {name: value for name, value in os.environ.items() if not name.startswith("PYTHONPATH")}
    for name in ("url", "ca_path", "username", "password"):
        environ[f"QLIK_EM_{name.upper()}"] = str(getattr(em, name))
    tasks = list(em.server("Replicate-Prod")["tasks"])
    assert len(tasks) > 4
    for name in tasks:
        em.set_task("Replicate-Prod", name, state="ERROR")
    given = []
    for _run in range(2):
        command = [sys.executable, "-c", KILLED, str(SOURCE), json.dumps(options), "2"]
        process = subprocess.run(command, env=environ, capture_output=True, text=True, timeout=60, check=False)
        assert process.returncode == -9, process.stderr
        given.append([json.loads(line) for line in process.stdout.splitlines()])
    (first, second), (third, fourth) = given
    assert third == second  # it was taken, and that could not be noted
    assert len({one["task"] for one in (first, second, fourth)}) == 3


def test_300_servers_and_10000_tasks_take_301_calls():
    servers = [{"name": f"S{number}", "tasks": []} for number in range(300)]
    for number in range(10_000):
        servers[number % 300]["tasks"].append({"name": f"t {number // 300}", "state": "RUNNING"})
    with running() as em:
        user = {"name": em.username, "logins": [em.username], "password": em.password, "grants": [{"role": "Viewer"}]}
        em.reset({"users": [user], "servers": servers})
        source = Watcher(em)
        assert source.round() == []
        em.clear_requests()
        em.set_task("S299", "t 3", state="ERROR")
        assert [one["task"] for one in source.round()] == ["t 3"]
        assert Counter(request["operation"] for request in em.requests()) == {"GetServerList": 1, "GetTaskList": 300}
        source.stop()
