# Copyright (c) 2026, dataops.qlik_em contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""aem_report: what is read, what is written, and that nothing on the page is more than a text."""

from __future__ import annotations

import json
import re
import stat
from html.parser import HTMLParser

import pytest
from ansible_collections.dataops.qlik_em.plugins.module_utils._reports import page as html
from ansible_collections.dataops.qlik_em.tests.functional.ways.children import Controller

ADMIN = {"username": "admin@corp.example", "password": "admin-test-password"}
HOSTILE = "\"><script>alert(1)</script><img src=x onerror=alert(1)>'{{ 7*7 }}&lt;"
HIDING = "a\u202eb\u2066c\x1b[31md\x00e\nf\ud800g\u200bh"


class Page(HTMLParser):
    """A page as a browser reads it: its texts, its elements, and what they would load."""

    def __init__(self, path):
        super().__init__()
        self.html = path.read_text(encoding="utf-8")
        self.tags, self.loads, self._texts, self._inside = [], [], [], ""
        self.feed(self.html)
        self.text = " ".join(" ".join(self._texts).split())

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self._inside = tag
        names = [name for name, _value in attrs]
        assert not any(name.startswith("on") or name == "style" for name in names), (tag, attrs)
        self.loads += [(tag, value) for name, value in attrs if name in ("src", "href", "action", "data")]

    def handle_endtag(self, tag):
        self._inside = ""

    def handle_data(self, data):
        if self._inside not in ("style", "script"):
            self._texts.append(data)


@pytest.fixture
def dest(tmp_path):
    return tmp_path / "page.html"


def test_the_page_of_the_estate(user, dest):
    run = user.run("aem_report", dest=str(dest), **ADMIN)
    assert run.changed and not run.failed, run.result
    assert run.result["verdict"].startswith("1 task in ERROR, 2 servers in trouble and 1 task in RECOVERY, of 14 tasks")
    assert run.result["numbers"]["latency_max"] == 5
    page = Page(dest)
    for text in (
        run.result["verdict"],
        "ERROR Replicate-Prod/invoices ORA-12541: TNS:no listener What to do: Fix what the message says",
        "NOT READ Replicate-Unlicensed",
        "Register a new licence",
        "EXPIRED_LICENSE",
        "2024.11.0.90",
        "a+b=c #1? RUNNING",
        "120 rec/s",
    ):
        assert text in page.text, text
    assert stat.S_IMODE(dest.stat().st_mode) == 0o600


def test_it_asks_each_server_once_and_each_task_once(user, dest):
    run = user.run("aem_report", dest=str(dest), server=["Compose-DW", "Replicate-T*"], **ADMIN)
    assert sorted(run.operations) == sorted(
        ["Login", "GetServerList", *["GetServerDetails"] * 2, *["GetTaskList"] * 2, *["GetTaskDetails"] * 8, "Logout"]
    )
    lists_only = user.run("aem_report", dest=str(dest), server="Compose-DW", details=False, **ADMIN)
    assert lists_only.operations == ["Login", "GetServerDetails", "GetTaskList", "Logout"]
    assert "Latency" in Page(dest).text and lists_only.result["numbers"]["latency_max"] is None


def test_details_that_cannot_be_read_spoil_no_page(user, em, dest):
    em.faults(
        [{"match": {"operation": "GetTaskDetails", "task": "orders"}, "nth": "all", "fault": "bad_json", "body": NO}]
    )
    run = user.run("aem_report", dest=str(dest), server="Replicate-Prod")
    assert not run.failed and run.result["numbers"]["running"] == 3
    assert "The details of 1 task could not be read" in Page(dest).text


def test_a_task_whose_name_cannot_be_in_a_url_spoils_no_page(user, em, dest):
    admin = {"name": "a", "logins": ["a"], "password": "of-the-admin", "grants": [{"role": "Admin"}]}
    em.reset({"users": [admin], "servers": [{"name": "S", "tasks": [{"name": ".."}, {"name": "t"}]}]})
    run = user.run("aem_report", dest=str(dest), username="a", password="of-the-admin")
    assert not run.failed and "The details of 1 task could not be read" in Page(dest).text, run.result


NO = '{"error_code": "AEM_TASK_INNER_ERR", "error_message": "Not now."}'


def test_what_is_deleted_or_refused_meanwhile_spoils_no_page(user, em, dest):
    em.set_table("Replicate-Prod", "orders", "SALES", "PRICES", state="TABLE_ERROR")
    em.set_task("Replicate-Prod", "orders", details={"full_load_counters": {"tables_with_error_count": 1}})
    deleted = {"fault": "error", "error_code": "AEM_TASK_NOT_FOUND", "error_message": "Not there."}
    em.faults([{"match": {"operation": "GetTaskDetails", "task": "invoices"}, **deleted}])
    em.faults([{"match": {"operation": "GetTableList"}, "nth": "all", "fault": "bad_json", "body": NO}])
    dest.write_text("old")
    run = user.run("aem_report", dest=str(dest), server="Replicate-Prod", backup=True)
    assert not run.failed and run.result["numbers"]["table_errors"] == 1, run.result
    with open(run.result["backup_file"]) as kept:
        assert kept.read() == "old"


def test_tables_in_error_are_read_and_named(user, em, dest):
    em.set_table("Replicate-Prod", "orders", "SALES", "PRICES", state="TABLE_ERROR")
    details = {"full_load_counters": {"tables_with_error_count": 1}}
    em.set_task("Replicate-Prod", "orders", details=details)
    run = user.run("aem_report", dest=str(dest), server="Replicate-Prod")
    assert run.operations.count("GetTableList") == 1
    assert run.result["numbers"]["table_errors"] == 1
    assert "SALES.PRICES" in Page(dest).text


def test_the_page_of_a_batch(user, dest):
    batch = user.run(
        "aem_task_batch", state="stopped", include=[{"server": "Replicate-Prod"}], results="all", wait_sleep=0.1
    )
    assert batch.failed  # one of them is locked
    run = user.run("aem_report", dest=str(dest), title="Before the patch", result=batch.result)
    assert run.operations == []
    assert run.result["verdict"].startswith("It failed. 6 tasks: 1 failed, ")
    page = Page(dest)
    assert "Before the patch" in page.text and "Timeline" in page.text
    assert "Cannot stop task 'locked'" in page.text and "What to do: Read the server's message" in page.text


def test_the_page_of_a_plan(user, dest):
    plan = {"steps": [{"server": "P", "kind": "tasks", "name": "orders", "action": "update", "stops": True}]}
    run = user.run("aem_report", dest=str(dest), result={**plan, "page": "/x/plan.md"})
    assert run.operations == [] and run.result["verdict"] == "1 step: 1 to update."
    assert "STOPS P/orders Running tasks are stopped for it" in Page(dest).text
    assert "What differs in each object is in /x/plan.md." in Page(dest).text


def test_the_rows_may_come_from_the_file_of_the_batch(user, dest, tmp_path):
    rows = tmp_path / "rows.jsonl"
    options = {"state": "stopped", "include": [{"server": "Compose-DW"}], "wait_sleep": 0.1}
    batch = user.run("aem_task_batch", **options, results="none", results_dest=str(rows))
    run = user.run("aem_report", dest=str(dest), result=batch.result, rows_file=str(rows))
    assert run.result["numbers"]["tasks"] == 2 and "nightly__sales" in Page(dest).text


def test_the_history_grows_and_check_mode_leaves_all_as_it_is(user, dest, tmp_path):
    options = {"dest": str(dest), "history": str(tmp_path / "history"), "server": "Compose-DW"}
    foreseen = user.run("aem_report", check=True, **options)
    assert foreseen.changed and list(tmp_path.iterdir()) == []
    user.run("aem_report", **options)
    assert "Trend" not in Page(dest).text
    user.run("aem_report", **options)
    assert "Trend Tasks in ERROR 0 first 0, lowest 0, highest 0" in Page(dest).text
    assert len((tmp_path / "history").read_text().splitlines()) == 2
    assert user.run("aem_report", check=True, diff=True, **options).result["diff"]["before"].startswith("2 tasks on")


@pytest.mark.parametrize("text", [HOSTILE, HIDING], ids=["hostile", "hiding"])
def test_whatever_a_server_gives_is_a_text(user, em, dest, text):
    em.set_task("Replicate-Prod", "orders", details={"message": text})
    row = dict.fromkeys(
        ("server", "name", "before", "after", "msg", "hint", "error_code", "decision", "restarts"), text
    )
    result = {"tasks": [{**row, "failed": True, "elapsed": 1}], "failed": True, "msg": text, "hint": text}
    result["skipped_servers"] = [{"server": text, "msg": text}]
    plain = {
        "tasks": [{**dict.fromkeys(row, "x"), "failed": True, "elapsed": 1}],
        "failed": True,
        "msg": "x",
        "hint": "x",
    }
    user.run("aem_report", dest=str(dest), result={**plain, "skipped_servers": [{"server": "x", "msg": "x"}]})
    usual = Page(dest)
    run = user.run("aem_report", dest=str(dest), title="<b>", result=result)
    assert not run.failed, run.result
    page = Page(dest)
    assert page.tags == usual.tags and "<b>" in page.text
    assert all(sign.isprintable() or sign == "\n" for sign in page.html)
    if text is HOSTILE:
        assert page.text.count(text) >= 8
    else:
        assert r"a\u202eb\u2066c\x1b[31md\x00e f\ud800g\u200bh" in page.text


def test_a_page_loads_nothing(user, dest):
    user.run("aem_report", dest=str(dest), **ADMIN)
    page = Page(dest)
    assert page.loads == [("link", "data:,"), ("a", "#main")]
    assert not re.search(r"url\(|@import|fetch|XMLHttp|WebSocket|sendBeacon|innerHTML", page.html)
    assert "default-src 'none'" in re.sub("&#39;", "'", page.html)


def test_a_secret_of_the_run_is_masked_also_where_a_long_message_is_cut(user, dest):
    message = f"{'x' * 3990} {ADMIN['password']} and more"
    row = {"server": "Prod", "name": "a", "failed": True, "msg": message, "elapsed": 1}
    user.run("aem_report", dest=str(dest), result={"tasks": [row]}, **ADMIN)
    assert "admin-t" not in dest.read_text() and "xxx ****" in dest.read_text()


def test_without_jinja2_it_says_what_to_do(user, dest, monkeypatch):
    monkeypatch.setattr(html, "JINJA2_IMPORT_ERROR", ImportError("no"))
    run = user.run("aem_report", dest=str(dest), result={"tasks": []})
    assert run.failed and "The Python library jinja2 is missing for" in run.msg and not dest.exists()


def test_a_line_that_is_not_json_is_named(user, dest, tmp_path):
    rows = tmp_path / "rows"
    rows.write_text(f"{json.dumps({'server': 'P', 'name': 'a'})}\nno JSON\n")
    run = user.run("aem_report", dest=str(dest), rows_file=str(rows))
    assert run.failed and f"Line 2 of rows_file ({rows}) is not JSON." in run.msg


def play(em, folder, **variables):
    """Run the playbook report with these variables; return its status and its output."""
    environ = {f"QLIK_EM_{name.upper()}": getattr(em, name) for name in ("url", "ca_path", "username", "password")}
    with Controller(folder, environ).start(
        "ansible-playbook", "-e", json.dumps(variables), "dataops.qlik_em.report"
    ) as child:
        return child.wait(), child.output


def test_the_playbook_writes_the_page(em, dest, tmp_path):
    empty = dict.fromkeys(("report_title", "report_server", "report_details", "report_history", "report_mode"), "")
    status, output = play(em, tmp_path, **empty, report_dest=str(dest))
    assert status == 0 and f"{dest}: 1 task in ERROR" in output, output
    assert "State of the estate" in Page(dest).text


@pytest.mark.parametrize(
    ("variables", "says"),
    [
        ({"report_dest": "x.html"}, "to an absolute path, not x.html."),
        ({}, "to an absolute path, not nothing."),
        ({"report_dest": "/x.html", "report_servers": "x"}, "report_servers is unknown to this playbook."),
    ],
)
def test_what_the_playbook_refuses(em, tmp_path, variables, says):
    status, output = play(em, tmp_path, **variables)
    assert status == 2 and says in " ".join(output.split()), output
    assert em.requests() == []
