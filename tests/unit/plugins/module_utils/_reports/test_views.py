# Copyright (c) 2026, dataops.qlik_em contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the pages of aem_report say of servers, tasks and runs; how they look is tested in a browser (tests/pages)."""

from __future__ import annotations

import json

import pytest
from ansible_collections.dataops.qlik_em.plugins.module_utils._client.errors import InputError
from ansible_collections.dataops.qlik_em.plugins.module_utils._reports import estate, outcome, plan
from ansible_collections.dataops.qlik_em.plugins.module_utils._reports.history import (
    MOST,
    read_history,
    trends,
    write_history,
)
from ansible_collections.dataops.qlik_em.plugins.module_utils._reports.reading import Estate, Facts
from ansible_collections.dataops.qlik_em.plugins.module_utils._reports.view import Bar, State, clock, count
from ansible_collections.dataops.qlik_em.plugins.module_utils._tasks.model import TaskName, TaskSnapshot

VALID = {"state": "VALID_LICENSE", "days_to_expiration": 200}
PROD = {"name": "Prod", "type": "REPLICATE", "state": "MONITORED", "version": "2025.5", "license": VALID}


def facts(name, state="RUNNING", message="", server="Prod", reason=None, **members):
    return Facts(TaskName(server, name), TaskSnapshot(state, reason, message), **members)


def estate_of(*tasks, servers=(PROD,), skipped=(), tables=None, unread=0):
    return Estate(servers, tasks, tables or {}, skipped, unread, ())


def page_of(found):
    return estate.view(found, estate.summary(found), [], "", "https://em.example.com", "2026-11-26T03:00:00Z")


def table(page, name):
    """Return the rows of a table as texts, by the labels of its columns."""
    (found,) = [one for one in page.tables if one.name == name]
    labels = [column.label for column in found.columns]
    return [dict(zip(labels, [getattr(cell, "text", cell) for cell in row])) for row in found.rows]


# -- the estate


def test_a_healthy_estate_says_so():
    page = page_of(estate_of(facts("a", latency=2.0, records=40), facts("b", "STOPPED")))
    assert page.verdict == State("2 tasks on 1 server, nothing in error.", "good")
    assert page.groups == [] and page.notes == []


def test_what_is_in_error_comes_first_with_its_message_and_a_remedy():
    page = page_of(
        estate_of(
            facts("retries", "RECOVERY", "lost it", reason="RECOVERABLE_ERROR"),
            facts("full", "ERROR", "no space", reason="STOPPED_LOW_DISK_SPACE"),
            facts("one", "ERROR", "ORA-12541", reason="FATAL_ERROR"),
            facts("two", "ERROR", "ORA-12541", reason="FATAL_ERROR"),
            facts("tables", table_errors=2),
        )
    )
    assert page.verdict.text == "3 tasks in ERROR, 2 tables in error and 1 task in RECOVERY, of 5 tasks on 1 server."
    found = [(list(group.names), group.state.text, group.message, group.remedy.split()[0]) for group in page.groups]
    assert found == [
        (["Prod/one", "Prod/two"], "ERROR", "ORA-12541", "Fix"),
        (["Prod/full"], "ERROR", "no space", "Free"),
        (["Prod/retries"], "RECOVERY", "lost it", "It"),
        (["Prod/tables"], "TABLES IN ERROR", "2 tables in error.", "Look"),
    ]
    assert [row["Task"] for row in table(page, "tasks")] == ["full", "one", "two", "retries", "tables"]


def test_of_many_tasks_with_one_cause_five_are_named():
    (group,) = page_of(estate_of(*(facts(f"t{number}", "ERROR", "same") for number in range(12)))).groups
    assert len(group.names) == 5 and group.more == 7


def test_of_very_many_causes_50_are_shown():
    page = page_of(estate_of(*(facts(f"t{number}", "ERROR", f"m{number}") for number in range(60))))
    assert len(page.groups) == 50 and page.more_groups == 10


def test_a_server_that_cannot_be_read_is_there_with_the_remedy_of_the_catalogue():
    row = {"server": "Down", "msg": "It cannot be reached.", "error_code": "AEM_SERVER_NOT_CONNECTED"}
    page = page_of(estate_of(servers=[PROD], skipped=[row]))
    assert page.verdict == State("1 server in trouble, of 0 tasks on 2 servers.", "bad")
    (group,) = page.groups
    assert (group.names, group.state.text, group.message) == (["Down"], "NOT READ", "It cannot be reached.")
    assert group.remedy.startswith("Check that the Replicate or Compose service runs")
    assert [one["Server"] for one in table(page, "servers")] == ["Down", "Prod"]
    assert page.notes == ["Tasks of 1 server could not be listed: Down."]


@pytest.mark.parametrize(
    ("licence", "shown", "is_trouble"),
    [
        (VALID, State("200 days", "good"), False),
        ({**VALID, "days_to_expiration": 30}, State("30 days", "warn"), True),
        ({**VALID, "days_to_expiration": 0}, State("0 days", "bad"), True),
        ({"state": "EXPIRED_LICENSE"}, State("EXPIRED_LICENSE", "bad"), True),
        ({"state": "VALID_LICENSE", "days_to_expiration": None}, State("valid", "good"), False),
        ({"state": 7}, State("7", "bad"), True),
        ("no mapping", State(""), False),
        (None, State(""), False),
    ],
)
def test_the_days_of_a_licence(licence, shown, is_trouble):
    page = page_of(estate_of(servers=[{**PROD, "license": licence}]))
    (servers,) = page.tables
    assert servers.rows[0][4] == shown
    assert bool(page.groups) is is_trouble


def test_a_server_that_is_not_monitored_is_named_and_is_not_in_trouble():
    page = page_of(estate_of(servers=[{**PROD, "state": "NOT_MONITORED"}]))
    assert page.groups == []
    assert page.notes == ["Not monitored, so that nothing is known of their tasks: Prod."]


def test_latency_and_throughput_are_charts():
    page = page_of(
        estate_of(
            facts("a", latency=0.0, records=10, volume=1),
            facts("b", latency=5.0, records=30, volume=1.5),
            facts("c", latency=5000.0),
            facts("x", server="Compose"),
        )
    )
    charts = {chart.title: chart for chart in page.charts}
    latency = {item.label: item.value for item in charts["Latency"].items if item.value != "0"}
    assert latency == {"up to 5 s": "2", "over 1 h": "1"}
    assert "Median 0:00:05, highest 1:23:20" in charts["Latency"].note
    (item,) = charts["Throughput, records per second"].items
    assert (item.label, item.value, item.length) == ("Prod", "40 rec/s", 100)
    assert [item.value for item in charts["Throughput, kilobytes per second"].items] == ["2.5 KB/s"]
    assert [row["Latency"] for row in table(page, "tasks")] == ["1:23:20", "0:00:05", "", "0:00:00"]


def test_tables_in_error_are_named():
    task = TaskName("Prod", "orders")
    page = page_of(estate_of(facts("orders", table_errors=1), tables={task: ["SALES.PRICES"]}))
    assert table(page, "tables") == [{"Server": "Prod", "Task": "orders", "Table": "SALES.PRICES"}]


def test_of_very_many_servers_and_tasks_the_rest_is_counted():
    most = estate.MOST_WITH_TABLES
    page = page_of(estate_of(*(facts(f"t{number}", table_errors=1) for number in range(most + 2))))
    assert page.notes[-1] == "The tables in error of 2 more tasks are counted and not named."
    servers = range(estate.FASTEST + 3)
    page = page_of(estate_of(*(facts("a", server=f"S{number:03}", records=100 - number) for number in servers)))
    (chart,) = [chart for chart in page.charts if chart.title.startswith("Throughput, records")]
    left = sum(100 - number for number in servers[estate.FASTEST :])
    assert len(chart.items) == estate.FASTEST and chart.note.endswith(f" 3 more servers: {left} rec/s.")


def test_details_that_could_not_be_read_are_counted():
    assert page_of(estate_of(facts("a"), unread=1)).notes == [
        "The details of 1 task could not be read: no latency, no throughput."
    ]


# -- what was done

ROW = {"server": "Prod", "name": "a", "before": "RUNNING", "after": "STOPPED", "changed": True, "elapsed": 1.0}
AT = "2026-11-26T03:00:{:06.3f}Z"


def done_page(*rows, **result):
    done = outcome.read_rows("result", list(rows))
    return outcome.view(result, done, outcome.summary(done, result), [], "", "https://em.example.com", "now")


def test_what_failed_comes_first_then_the_slowest():
    page = done_page(
        {**ROW, "name": "quick", "elapsed": 1},
        {**ROW, "name": "slow", "elapsed": 9},
        {**ROW, "name": "bad", "failed": True, "msg": "No.", "hint": "Do it again.", "elapsed": 0.5},
        {**ROW, "name": "left", "changed": False, "skipped": True, "elapsed": None},
        {**ROW, "name": "same", "changed": False, "elapsed": 0},
    )
    assert page.verdict == State("5 tasks: 1 failed, 2 changed, 1 skipped and 1 unchanged.", "bad")
    rows = table(page, "rows")
    assert [row["Task"] for row in rows] == ["bad", "slow", "quick", "left", "same"]
    assert [row["Seconds"] for row in rows] == ["0.50", "9.00", "1.00", "", "0.00"]
    (group,) = page.groups
    assert (group.names, group.message, group.remedy) == (["Prod/bad"], "No.", "Do it again.")
    assert [item.label for item in page.charts[1].items] == ["Prod/slow", "Prod/quick", "Prod/bad"]


def test_a_failure_without_a_hint_gets_the_remedy_of_its_code():
    (group,) = done_page({**ROW, "failed": True, "error_code": "AEM_SERVER_NOT_MONITORED"}).groups
    assert group.remedy == "Start monitoring the server in Enterprise Manager, then run this again."


def test_failures_that_differ_by_their_names_only_are_one_group():
    rows = [{**ROW, "name": name, "failed": True, "msg": f'StopTask of task "{name}" failed.'} for name in "xyz"]
    (group,) = done_page(*rows).groups
    assert group.names == ["Prod/x", "Prod/y", "Prod/z"]
    assert group.message == 'StopTask of task "x" failed.'


def test_the_timeline_shows_when_each_task_was_worked_at():
    page = done_page(
        {**ROW, "name": "first", "started": AT.format(0), "elapsed": 2},
        {**ROW, "name": "second", "started": AT.format(2.5), "elapsed": 7.5},
    )
    assert {row["Task"]: row["Timeline"] for row in table(page, "rows")} == {
        "first": Bar(0, 20),
        "second": Bar(25, 75),
    }
    assert [one.value for one in page.figures][-2:] == ["7.5 s", "10 s"]


def test_without_times_the_bars_are_durations():
    page = done_page({**ROW, "name": "a", "elapsed": 2}, {**ROW, "name": "b", "elapsed": 4})
    assert [row["Duration"] for row in table(page, "rows")] == [Bar(0, 100), Bar(0, 50)]


def test_a_heal_shows_its_decisions_and_what_is_in_quarantine():
    page = done_page({**ROW, "changed": False, "skipped": True, "decision": "quarantine", "restarts": 5, "msg": "x"})
    (row,) = table(page, "rows")
    assert (row["Decision"], row["Restarts before"]) == ("quarantine", "5")
    assert page.groups[0].state == State("QUARANTINE", "bad") and page.groups[0].remedy.startswith("Restarts have not")


def test_rows_that_the_result_does_not_show_count():
    counts = {"selected": 10, "changed": 3, "failed": 1, "skipped": 2, "unchanged": 5}
    page = done_page({**ROW, "failed": True}, counts=counts)
    assert page.verdict.text == "10 tasks: 1 failed, 2 changed, 2 skipped and 5 unchanged."
    assert page.notes[0].startswith("9 tasks more are counted, but the result does not show them.")


def test_a_result_that_failed_as_a_whole_says_why():
    page = done_page(failed=True, msg="The login was refused.", hint="Check the password.")
    assert page.verdict == State("It failed. No tasks.", "bad")
    assert page.notes == ["The login was refused. Check the password."]


@pytest.mark.parametrize(
    "odd", [None, True, "x", -1, 1e300, float("nan"), [], "2026-99-26T03:00:00.000Z", {"a": 1}], ids=str
)
def test_odd_values_in_a_row_are_shown_or_left_out(odd):
    members = ("before", "after", "elapsed", "started", "msg", "hint", "error_code", "decision", "restarts")
    for member in members:
        assert done_page({**ROW, member: odd}).tables[0].rows


@pytest.mark.parametrize("rows", [None, {}, "x", ["x"], [{"server": "x"}], [{"server": 1, "name": "x"}]], ids=str)
def test_what_has_no_rows_is_refused(rows):
    with pytest.raises(InputError, match=r"of result|result has no rows"):
        outcome.read_rows("result", rows)


def test_what_a_result_counts_and_does_not_show_is_named_with_the_servers_that_were_skipped():
    skipped = [{"server": "Down", "msg": "It cannot be reached."}, "odd"]
    page = done_page(ROW, counts={"selected": 9, "unchanged": 5, "failed": 1}, skipped_servers=skipped)
    figures = {figure.label: figure.value for figure in page.figures}
    assert [figures[name] for name in ("Tasks", "Failed", "Changed", "Unchanged")] == ["9", "1", "3", "5"]
    assert page.notes[0].startswith("8 tasks more are counted, but the result does not show them.")
    assert page.notes[1:] == ["Server Down was skipped: It cannot be reached."]


# -- a plan

STEP = {"server": "Prod", "kind": "tasks", "name": "orders", "action": "update", "stops": True}


def plan_page(*steps, **result):
    found = plan.read_steps(list(steps))
    return plan.view(result, found, plan.summary(found, result), [], "", "https://em.example.com", "now")


def test_a_plan_shows_its_steps_in_order_and_what_they_stop():
    page = plan_page({**STEP, "kind": "endpoints", "name": "ERP", "action": "create", "stops": False}, STEP)
    assert page.verdict == State("2 steps: 1 to create and 1 to update.", "warn")
    assert [(row["Step"], row["Action"], row["Object"], row["Stops it"]) for row in table(page, "steps")] == [
        (1, "create", "ERP", ""),
        (2, "update", "orders", "yes"),
    ]
    (group,) = page.groups
    assert (group.names, group.state.text) == (["Prod/orders"], "STOPS")


def test_a_plan_that_failed_says_so_and_counts_its_steps():
    page = plan_page(STEP, {**STEP, "action": "delete"}, failed=True)
    assert page.verdict == State("It failed. 2 steps: 1 to update and 1 to delete.", "bad")
    assert [(item.label, item.value, item.kind) for item in page.charts[0].items] == [
        ("update", "1", "plain"),
        ("delete", "1", "bad"),
    ]


def test_steps_that_a_result_counts_and_does_not_show_are_named():
    page = plan_page(STEP, counts={"created": 0, "updated": 501, "deleted": None}, page="/x/plan.md")
    assert page.verdict == State("501 steps: 501 to update.", "warn")
    assert page.notes == [
        "500 steps more are counted, but the result does not show them. The plan has all.",
        "What differs in each object is in /x/plan.md.",
    ]


def test_a_plan_names_what_it_cannot_do_and_what_is_not_in_the_files():
    other = {"server": "Prod", "kind": "tasks", "name": "orders"}
    page = plan_page(impossible=[{**other, "places": ["a/b", "c"]}], unmanaged=[{**other, "name": "scratch"}])
    assert page.verdict == State("Nothing to do.", "warn")
    assert [(group.state.text, group.message) for group in page.groups] == [("NOT POSSIBLE", "a/b, c")]
    assert [row["Object"] for row in table(page, "unmanaged")] == ["scratch"]


@pytest.mark.parametrize("odd", [None, 7, "x", [], ["x"], {"a": 1}], ids=str)
def test_odd_values_in_a_plan_are_shown_or_left_out(odd):
    members = ("impossible", "unmanaged", "secrets_needed", "page")
    assert plan_page(STEP, **dict.fromkeys(members, odd)).tables
    assert plan_page({**STEP, **dict.fromkeys(STEP, odd)}, impossible=[{"places": odd}]).tables


# -- trends


def test_a_trend_goes_through_the_numbers_of_the_runs():
    runs = [{"numbers": {"error": number}} for number in (0, 4, 2)]
    (line,) = trends(runs, {"error": "Tasks in ERROR", "running": "Tasks RUNNING"})
    assert (line.label, line.first, line.last, line.lowest, line.highest) == ("Tasks in ERROR", "0", "2", "0", "4")
    assert line.points == "3.0,45.0 120.0,3.0 237.0,24.0"


def test_one_run_has_no_trend_and_equal_numbers_are_a_flat_line():
    assert trends([{"numbers": {"error": 1}}], {"error": "x"}) == []
    (line,) = trends([{"numbers": {"error": 1}}] * 2, {"error": "x"})
    assert line.points == "3.0,24.0 237.0,24.0"


def test_the_history_keeps_the_last_runs(tmp_path):
    path = str(tmp_path / "history")
    assert read_history(path, "estate") == []
    runs = [{"kind": "estate", "time": "now", "numbers": {"error": number}} for number in range(MOST + 5)]
    write_history(path, runs)
    assert read_history(path, "estate") == runs[5:]
    with pytest.raises(InputError, match="has the runs of another kind of page \\(estate, not rows\\)"):
        read_history(path, "rows")


@pytest.mark.parametrize("line", ["", "x", "[]", '{"kind": "estate"}', "[" * 100_000], ids=lambda line: line[:20])
def test_a_history_that_is_damaged_is_not_overwritten(tmp_path, line):
    path = tmp_path / "history"
    good = json.dumps({"kind": "estate", "time": "now", "numbers": {}})
    path.write_text(f"{good}\n{line}\n{good}\n")
    with pytest.raises(InputError, match="line 2 is not a run that aem_report has noted"):
        read_history(str(path), "estate")


def test_numbers_are_as_long_as_helps():
    assert [count(number) for number in (0, 5, 0.125, 2.5, 99.96, 12345.6)] == ["0", "5", "0.12", "2.5", "100", "12346"]
    assert [clock(number) for number in (0, 65, 360_000)] == ["0:00:00", "0:01:05", "100:00:00"]
