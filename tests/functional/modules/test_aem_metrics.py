# Copyright (c) 2026, dataops.qlik_em contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""aem_metrics: what is in the file, and what a server, a task or Enterprise Manager that fails does to it."""

from __future__ import annotations

import os
import re
import stat
import time
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.dataops.qlik_em.plugins.module_utils._client.errors import InputError, Interrupted
from ansible_collections.dataops.qlik_em.plugins.module_utils._reports import metrics
from ansible_collections.dataops.qlik_em.plugins.module_utils._reports.metrics_of_tasks import OF_DETAILS
from ansible_collections.dataops.qlik_em.tests.functional.support.user import Run, User

PROD = "Replicate-Prod"
ORDERS = f'server="{PROD}",task="orders"'


class Scraper:
    """Runs the module, and reads the file as Prometheus does."""

    def __init__(self, user: User, file: Path) -> None:
        self.user, self.file = user, file

    def run(self, **options: Any) -> Run:
        return self.user.run("aem_metrics", **{"dest": str(self.file), **options})

    @property
    def samples(self) -> dict[str, float]:
        """The samples, without the label that all have."""
        lines = [line for line in self.file.read_text().splitlines() if not line.startswith("#")]
        plain = [re.sub(r'\{em="(127\.0\.0\.1|localhost):\d+",?', "{", line).replace("{}", "") for line in lines]
        assert not [line for line in plain if "em=" in line]
        return {name: float(value) for name, value in (line.rsplit(" ", 1) for line in plain)}

    def of(self, metric: str) -> dict[str, float]:
        """Return the samples of a metric by their labels."""
        begin = f"{metric}{{"
        return {name[len(begin) : -1]: value for name, value in self.samples.items() if name.startswith(begin)}

    def tasks(self) -> set[str]:
        """Return the names of the tasks in the file."""
        return {labels.split('task="')[1].split('"')[0] for labels in self.of("qlik_em_task_state")}


@pytest.fixture
def scraper(user: User, tmp_path: Path) -> Scraper:
    return Scraper(user, tmp_path / "qlik.prom")


def test_what_is_in_the_file(scraper, em):
    counters = {"cdc_event_counters": {"applied_insert_count": 42}, "data_error_count": 3}
    em.set_task(PROD, "orders", details=counters)
    begin = time.time()
    run = scraper.run()
    assert run.changed and not run.failed
    assert run.result["counts"] == {"servers": 6, "servers_down": 3, "tasks": 14, "tasks_unread": 0}
    found = scraper.samples
    assert found["qlik_em_scrape_success"] == 1
    assert begin - 1 <= found["qlik_em_scrape_timestamp_seconds"] <= time.time()
    assert found[f'qlik_em_task_state{{{ORDERS},state="running"}}'] == 1
    assert found[f'qlik_em_task_state{{server="{PROD}",task="invoices",state="error"}}'] == 1
    assert found[f"qlik_em_task_latency_seconds{{{ORDERS}}}"] == 5
    assert found[f'qlik_em_task_applied_changes_total{{{ORDERS},operation="insert"}}'] == 42
    assert found[f"qlik_em_task_data_errors_total{{{ORDERS}}}"] == 3
    assert found[f"qlik_em_task_memory_bytes{{{ORDERS}}}"] == 212 * 2**20
    assert found[f'qlik_em_server_license_remaining_seconds{{server="{PROD}"}}'] == 365 * 86400
    assert {metric.name for metric in OF_DETAILS} <= {name.split("{")[0] for name in found if ORDERS in name}
    assert {"north/south", "a+b=c #1?", "nightly__sales"} <= scraper.tasks()
    assert "ORA-" not in scraper.file.read_text()  # a message is not a label
    assert run.requests[-1]["operation"] == "Logout" and em.summary()["open_sessions"] == 0


def test_node_exporter_is_another_user(scraper):
    scraper.run()
    assert stat.S_IMODE(scraper.file.stat().st_mode) == 0o644
    scraper.run(mode="0640")
    assert stat.S_IMODE(scraper.file.stat().st_mode) == 0o640
    assert os.listdir(scraper.file.parent) == [scraper.file.name]


def test_each_run_changes_the_file_and_check_mode_does_not(scraper):
    foreseen = scraper.run(check=True)
    assert foreseen.changed and not scraper.file.exists()
    assert foreseen.result["diff"]["before"] == "" and "qlik_em_scrape_success{" in foreseen.result["diff"]["after"]
    scraper.run()
    first = scraper.file.read_text()
    assert scraper.run(check=True).changed and scraper.file.read_text() == first
    again = scraper.run(diff=True)
    assert again.changed and again.result["diff"]["before"] == first != scraper.file.read_text()


def test_states_only_is_one_list_for_each_server(scraper):
    run = scraper.run(details=False, server=[PROD, "Compose-DW"])
    assert sorted(run.operations[1:-1]) == ["GetServerDetails"] * 2 + ["GetTaskList"] * 2
    assert {name.split("{")[0] for name in scraper.samples if "task" in name} == {"qlik_em_task_state"}


def test_which_tasks(scraper):
    run = scraper.run(server="Replicate-*", name=["orders", "stock", "no such"], tag=["erp", "nightly", "dev"])
    assert scraper.tasks() <= {"orders", "stock"} and "orders" in scraper.tasks()
    assert not [line for line in run.result["warnings"] if "no such" in line]  # it may be on a server that is down
    run = scraper.run(server=[PROD, "X*"], name=["ord*", "invoice"])
    assert scraper.tasks() == {"orders"}
    assert run.result["warnings"] == [
        'No server matches "X*".',
        'There is no task "invoice". Did you mean "invoices"?',
    ]


def test_a_server_that_fails_is_in_the_metrics_and_hides_no_other(scraper):
    run = scraper.run()
    assert not run.failed
    up = scraper.of("qlik_em_server_up")
    down = [labels for labels, value in up.items() if value == 0]
    assert down == ['server="Replicate Old"', 'server="Replicate-Down"', 'server="Replicate-Unlicensed"']
    assert scraper.of("qlik_em_server_state")['server="Replicate Old",state="not_monitored"'] == 1
    assert [row["server"] for row in run.result["skipped_servers"]] == [
        "Replicate Old",
        "Replicate-Down",
        "Replicate-Unlicensed",
    ]
    assert run.result["skipped_servers"][1]["error_code"] == "AEM_SERVER_NOT_CONNECTED"
    assert sum("could not be read" in warning for warning in run.result["warnings"]) == 3


def test_a_server_that_is_not_there(scraper):
    run = scraper.run(server=["Nowhere", PROD])
    assert not run.failed and run.result["skipped_servers"][0]["error_code"] == "AEM_SERVER_NOT_FOUND"
    assert scraper.of("qlik_em_server_up") == {'server="Nowhere"': 0, f'server="{PROD}"': 1}


def test_details_that_cannot_be_read_leave_the_state(scraper, em):
    refused = {"fault": "error", "error_code": "AEM_INTERNAL", "error_message": "No."}
    em.faults([{"match": {"operation": "GetTaskDetails", "task": "orders"}, "nth": "all", **refused}])
    run = scraper.run(server=PROD)
    assert not run.failed and run.result["counts"]["tasks_unread"] == 1
    assert scraper.of("qlik_em_server_unread_tasks") == {f'server="{PROD}"': 1}
    assert f'{ORDERS},state="running"' in scraper.of("qlik_em_task_state")
    latencies = scraper.of("qlik_em_task_latency_seconds")
    assert ORDERS not in latencies and f'server="{PROD}",task="locked"' in latencies
    (warning,) = run.result["warnings"]
    assert warning.startswith(f"{PROD}/orders could not be read in full: ") and "No." in warning


def test_a_task_whose_name_cannot_be_in_a_url_hides_no_other(em, tmp_path):
    admin = {"name": "a", "logins": ["a"], "password": "of-the-admin", "grants": [{"role": "Admin"}]}
    em.reset({"users": [admin], "servers": [{"name": "S", "tasks": [{"name": ".."}, {"name": "t"}]}]})
    run = User(em).run("aem_metrics", username="a", password="of-the-admin", dest=str(tmp_path / "q.prom"))
    assert not run.failed and run.result["counts"]["tasks_unread"] == 1, run.result
    assert 'task="t"' in (tmp_path / "q.prom").read_text()


def test_a_server_that_does_not_answer_in_time_costs_its_time_once(scraper, em):
    em.faults([{"match": {"operation": "GetTaskDetails", "server": PROD}, "nth": "all", "fault": "stall"}])
    run = scraper.run(server=[PROD, "Replicate-Test"], request_timeout=1, parallel=1)
    assert not run.failed
    assert run.operations.count("GetTaskDetails") - len(scraper.of("qlik_em_task_memory_bytes")) <= 4  # of one task
    unread = scraper.of("qlik_em_server_unread_tasks")
    assert unread[f'server="{PROD}"'] == 6 and unread['server="Replicate-Test"'] == 0


def test_a_task_that_is_deleted_meanwhile_is_left_out(scraper, em):
    deleted = {"fault": "error", "error_code": "AEM_TASK_NOT_FOUND", "error_message": "Not there."}
    em.faults([{"match": {"operation": "GetTaskDetails", "task": "orders"}, **deleted}])
    run = scraper.run(server=PROD)
    assert "orders" not in scraper.tasks() and "warnings" not in run.result
    assert run.result["counts"]["tasks_unread"] == 0


@pytest.mark.parametrize(
    ("options", "faults", "message"),
    [
        ({"password": "wrong"}, [], "refused to log in"),
        ({"url": "https://127.0.0.1:1"}, [], "refused"),
        ({}, [{"match": {"operation": "GetServerList"}, "nth": "all", "fault": "html"}], "GetServerList"),
        (
            {"server": [PROD, "Replicate-Test"], "request_timeout": 1},
            [{"match": {"operation": "Login"}, "nth": "all", "fault": "stall"}],
            "did not answer in time",
        ),
        (
            {"server": [PROD, "Replicate-Test"]},
            [
                {"match": {"operation": operation}, "nth": "all", "fault": "garbage"}
                for operation in ("GetServerDetails", "GetTaskList")
            ],
            "gave no usable answer",
        ),
        *(
            (
                {},
                [{"match": {"operation": one}, "nth": "all", "fault": "redirect", "location": "https://x"}],
                "redirects",
            )
            for one in ("GetServerDetails", "GetTaskList", "GetTaskDetails")
        ),
    ],
    ids=["refused login", "no connection", "no list", "no answer", "no server", "details", "tasks", "details of tasks"],
)
def test_enterprise_manager_that_cannot_be_read_is_a_failure_and_in_the_file(scraper, em, options, faults, message):
    scraper.run()
    before = scraper.file.read_text()
    em.faults(faults)
    login = {"username": em.username, "password": em.password}
    foreseen = scraper.run(**{**login, **options}, check=True)
    assert foreseen.failed and scraper.file.read_text() == before
    run = scraper.run(**{**login, **options})
    assert run.failed and run.changed and foreseen.changed and message in run.msg
    assert {name: value for name, value in scraper.samples.items() if "duration" not in name} == {
        "qlik_em_scrape_success": 0,
        "qlik_em_scrape_timestamp_seconds": pytest.approx(time.time(), abs=60),
    }


def test_a_file_that_cannot_be_written_is_found_out_before_anything_is_sent(scraper):
    scraper.file.mkdir()
    run = scraper.run()
    assert run.failed and not run.changed and run.requests == []


def test_a_failure_that_cannot_be_written_comes_beside_the_first_one(scraper, em, monkeypatch):
    def full(*_arguments: Any, **_options: Any) -> None:
        raise InputError("dest cannot be written: the disk is full.")

    monkeypatch.setattr(metrics, "ensure_copy", full)
    em.faults([{"match": {"operation": "GetServerList"}, "nth": "all", "fault": "html"}])
    run = scraper.run()
    assert run.failed and not run.changed and "GetServerList" in run.msg and "the disk is full" in run.msg


def test_a_wrong_option_and_an_interruption_leave_the_file(scraper, monkeypatch):
    def interrupted(*_arguments: Any) -> None:
        raise Interrupted("Interrupted by SIGTERM.")

    scraper.run()
    before = scraper.file.read_text()
    assert scraper.run(parallel=0).failed and scraper.file.read_text() == before
    monkeypatch.setattr(metrics, "find_servers", interrupted)
    run = scraper.run()
    assert run.failed and not run.changed and "SIGTERM" in run.msg and scraper.file.read_text() == before


def test_a_secret_that_a_server_shows_does_not_come_into_the_file(scraper, em):
    em.reset(
        {
            "users": [{"name": "op", "logins": [em.username], "password": em.password, "grants": [{"role": "Admin"}]}],
            "servers": [{"name": f"S {em.password}", "version": em.password, "tasks": [{"name": em.password}]}],
        }
    )
    assert not scraper.run().failed
    assert em.password not in scraper.file.read_text() and len(scraper.tasks()) == 1
