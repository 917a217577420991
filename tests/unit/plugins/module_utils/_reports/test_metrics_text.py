# Copyright (c) 2026, dataops.qlik_em contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Metrics as text: units, states, what is left out, and names that the format would trip over."""

from __future__ import annotations

import re

import pytest
from ansible_collections.dataops.qlik_em.plugins.module_utils._reports.metrics import installation
from ansible_collections.dataops.qlik_em.plugins.module_utils._reports.metrics_of_servers import OF_SCRAPE, OF_SERVERS
from ansible_collections.dataops.qlik_em.plugins.module_utils._reports.metrics_of_tasks import OF_DETAILS, OF_TASKS
from ansible_collections.dataops.qlik_em.plugins.module_utils._reports.metrics_text import metrics_lines
from ansible_collections.dataops.qlik_em.plugins.module_utils._reports.metrics_values import Scrape, Server, Task

SCRAPE = Scrape(True, 1795718102.5, 0.25)
METRICS = (*OF_SCRAPE, *OF_SERVERS, *OF_TASKS, *OF_DETAILS)


def samples(*subjects, scrape=SCRAPE):
    """Return what is in the text, without what explains it: the sample's name with labels, and its value."""
    servers = [one for one in subjects if isinstance(one, Server)]
    tasks = [one for one in subjects if isinstance(one, Task)]
    text = "".join(metrics_lines("em.example.com", scrape, servers, tasks))
    lines = [line for line in text.split("\n") if line and not line.startswith("#")]
    assert all('{em="em.example.com"' in line for line in lines)
    found = dict(re.sub(r'em="em.example.com",?', "", line, count=1).rsplit(" ", 1) for line in lines)
    assert len(found) == len(lines), "a sample is there twice"
    return found


def values(details, state="RUNNING"):
    """Return the samples of one task by what distinguishes them."""
    found = samples(Task("S", "t", state, details))
    begin = re.compile(r'qlik_em_task_(\w+)\{server="S",task="t",?(.*)\}')
    return {(m[1], m[2]): value for m, value in ((begin.fullmatch(key), value) for key, value in found.items()) if m}


def server(**details):
    return Server("S", True, details, None)


def test_a_run_that_could_not_read_shows_nothing_but_itself():
    assert samples(scrape=Scrape(False, 1795718102.5, 0.25)) == {
        "qlik_em_scrape_success{}": "0",
        "qlik_em_scrape_duration_seconds{}": "0.25",
        "qlik_em_scrape_timestamp_seconds{}": "1795718102.5",
    }


def test_each_metric_is_explained_before_its_samples_and_none_without():
    text = "".join(metrics_lines("em.example.com", SCRAPE, [Server("S", False, {}, None)], []))
    lines = text.splitlines()
    assert text.endswith("\n") and lines[0].startswith("# HELP qlik_em_scrape_success ")
    assert lines[1:3] == ["# TYPE qlik_em_scrape_success gauge", 'qlik_em_scrape_success{em="em.example.com"} 1']
    assert 'qlik_em_server_up{em="em.example.com",server="S"} 0' in lines
    assert "license" not in text and "qlik_em_server_state" not in text and "qlik_em_task" not in text


@pytest.mark.parametrize(
    ("state", "shown"),
    [("RUNNING", "running"), ("ERROR", "error"), ("PAUSED", "other"), ("NOT_EXIST", "other"), ("A new one", "other")],
)
def test_a_task_is_in_one_of_seven_states(state, shown):
    found = {key: value for key, value in values({}, state).items() if key[0] == "state"}
    assert len(found) == 7 and [key[1] for key, value in found.items() if value == "1"] == [f'state="{shown}"']


@pytest.mark.parametrize(
    ("details", "name", "labels", "value"),
    [
        ({"memory_mb": 2}, "memory_bytes", "", "2097152"),
        ({"cpu_percentage": 7}, "cpu_ratio", "", "0.07"),
        ({"cdc_latency": {"total_latency": "01:00:05"}}, "latency_seconds", "", "3605"),
        ({"cdc_latency": {"source_latency": "00:00:01.25"}}, "source_latency_seconds", "", "1.25"),
        ({"cdc_event_counters": {"applied_ddl_count": 3}}, "applied_changes_total", 'operation="ddl"', "3"),
        ({"full_load_counters": {"tables_with_error_count": 1}}, "full_load_tables", 'state="error"', "1"),
        ({"data_error_count": 10**17}, "data_errors_total", "", "100000000000000000"),
        (
            {
                "cdc_transactions_counters": {
                    "incoming_accumulated_changes_on_disk_count": 2,
                    "incoming_applying_changes_on_disk_count": 3,
                }
            },
            "waiting_changes",
            'place="disk"',
            "5",
        ),
    ],
)
def test_values_are_in_the_units_of_their_names(details, name, labels, value):
    assert values(details)[(name, labels)] == value


@pytest.mark.parametrize(
    "details",
    [
        {"cdc_latency": {"total_latency": "late"}},
        {"cdc_latency": None, "memory_mb": None, "data_error_count": True},
        {"cdc_latency": "00:00:01", "memory_mb": "12", "cpu_percentage": float("nan")},
        {"cdc_transactions_counters": {"incoming_applying_changes_on_disk_count": 3}},  # one of two: no sum
        {"data_error_count": -1, "full_load_counters": [], "cdc_event_counters": {"applied_ddl_count": "1"}},
        {"disk_usage_mb": 10**400},
    ],
)
def test_what_is_not_a_number_is_left_out_and_never_0(details):
    assert {name for name, _labels in values(details)} == {"state"}


@pytest.mark.parametrize(("state", "is_shown"), [("RUNNING", True), ("RECOVERY", True), ("STOPPED", False)])
def test_a_stopped_task_has_no_latency(state, is_shown):
    found = values({"cdc_latency": {"total_latency": "00:00:00", "source_latency": "00:00:00"}}, state)
    assert (("latency_seconds", "") in found) is is_shown


def test_a_server():
    found = samples(
        server(
            state="NOT_MONITORED",
            type="REPLICATE",
            platform=None,
            version="2024.5",
            license={"state": "EXPIRED_LICENSE", "days_to_expiration": -3},
            resource_utilization={"attunity_cpu_percentage": 4, "machine_cpu_percentage": 100},
        )
    )
    assert found['qlik_em_server_state{server="S",state="not_monitored"}'] == "1"
    assert found['qlik_em_server_state{server="S",state="monitored"}'] == "0"
    assert found['qlik_em_server_info{server="S",type="REPLICATE",platform="",version="2024.5"}'] == "1"
    assert found['qlik_em_server_license_valid{server="S"}'] == "0"
    assert found['qlik_em_server_license_remaining_seconds{server="S"}'] == "-259200"
    assert found['qlik_em_server_cpu_ratio{server="S",scope="machine"}'] == "1"
    assert 'qlik_em_server_unread_tasks{server="S"}' not in found


def test_names_that_the_format_would_trip_over():
    found = samples(Task('a"b', "c\\d\ne\ud800 {=} ü", "RUNNING", {}))
    assert found['qlik_em_task_state{server="a\\"b",task="c\\\\d\\ne\\\\ud800 {=} ü",state="running"}'] == "1"


def test_what_is_listed_twice_is_there_once():
    found = samples(Task("S", "t", "STOPPED", {}), Task("S", "t", "RUNNING", {}), server(), server(state="ERROR"))
    assert found['qlik_em_task_state{server="S",task="t",state="running"}'] == "1"
    assert found['qlik_em_server_state{server="S",state="error"}'] == "1"


@pytest.mark.parametrize(
    ("address", "em"),
    [
        ("https://em.example.com/attunityenterprisemanager", "em.example.com"),
        ("https://em.example.com:8443/attunityenterprisemanager", "em.example.com:8443"),
        ("https://gateway.example.com/em/test", "gateway.example.com/em/test"),
    ],
)
def test_the_installation_is_called_by_its_host(address, em):
    assert installation(address) == em


def test_no_metric_has_a_label_without_bounds():
    known = {"state", "type", "platform", "version", "scope", "operation", "place"}
    assert {label for metric in METRICS for label in metric.labels} == known
    assert len({metric.name for metric in METRICS}) == len(METRICS)
    assert [metric.name for metric in METRICS if (metric.kind == "counter") != metric.name.endswith("_total")] == []
