# Copyright (c) 2026, dataops.qlik_em contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Three clients that behave like public ones (docs/enterprise_manager_api.md, 2.6, 2.8, 4.4).

They are written from that page; what they must be able to do, the real ones can do, too.
"""

from __future__ import annotations

import http.client
import json
import threading
import urllib.parse
from typing import Any

import pytest
from ansible_collections.dataops.qlik_em.tests.simulator import Handle
from ansible_collections.dataops.qlik_em.tests.simulator.tests.sdks import OPERATOR, Refused, Sdk2018, Sdk2021
from ansible_collections.dataops.qlik_em.tests.simulator.tests.wire import PREFIX, basic, context

TASKS = ["orders", "Aufträge & Kunden 100%", "customers full load"]
TEST_TASKS = ["a+b=c #1?", "north/south", 'it\'s "quoted"', "在庫 — été"]


@pytest.mark.parametrize(("server", "names"), [("Replicate-Prod", TASKS), ("Replicate-Test", TEST_TASKS)])
def test_the_sdk_of_2018(em: Handle, server: str, names: list[str]) -> None:
    """Lists, reads, stops and runs whatever the names are; with transient states switched off it sees none."""
    em.set_options(show_transient=False)
    for task in names:
        em.set_task(server, task, start_seconds=0, stop_seconds=0, full_load_seconds=9)
    sdk = Sdk2018(em)
    for item in sdk.ask("GET", "servers")["serverList"]:
        assert item["$type"] in ("ReplicateServerInfo", "ComposeServerInfo")
        assert item["platform"] in ("UNKNOWN", "WINDOWS", "LINUX")
    details = sdk.ask("GET", f"servers/{sdk.name(server)}")["server_details"]
    assert details["configuration"]["user_name"]
    assert details["license"]["state"] == "VALID_LICENSE"
    for task in names:
        found = sdk.ask("GET", f"servers/{sdk.name(server)}/tasks/{sdk.name(task)}")
        assert found["name"] == task
        assert {"source_endpoint", "target_endpoint"} < set(found)
        state = sdk.State[found["state"]]
        for _turn in range(2):
            if state is sdk.State.RUNNING:
                assert sdk.stop(server, task) == "STOPPED"
                with pytest.raises(Refused, match="AEM_TASK_ALREADY_STOPPED"):
                    sdk.stop(server, task)
                state = sdk.State.STOPPED
            else:
                with pytest.raises(Refused, match="AEM_RUN_TASK_INNER_ERR"):
                    sdk.run(server, task, "NONE")
                assert sdk.run(server, task, "RESUME_PROCESSING") == "RUNNING"
                state = sdk.State.RUNNING
    last = em.requests()[-1]
    assert last["headers"]["Server"] == "Microsoft-HTTPAPI/2.0"
    assert last["headers"]["Cache-Control"] == "no-cache, no-store"


def test_the_sdk_of_2018_on_compose_and_on_errors(em: Handle) -> None:
    """NONE is the old run option of Compose; every failure is JSON."""
    em.set_options(show_transient=False)
    sdk = Sdk2018(em)
    assert sdk.run("Compose-DW", "load_dims__sales", "NONE") == "RUNNING"
    with pytest.raises(Refused, match="AEM_SERVER_NOT_MONITORED"):
        sdk.ask("GET", "servers/Replicate%2520Old/tasks")
    em.expire_sessions()
    with pytest.raises(Refused, match="INVALID_SESSION_ID"):
        sdk.ask("GET", "servers")


@pytest.mark.parametrize("saml", [None, "PHNhbWw+b3BlcmF0b3I8L3NhbWw+"])
def test_the_sdk_of_2021(em: Handle, saml: str | None) -> None:
    """Needs `type`, `state` and `platform` of every server, and knows the transient states."""
    sdk = Sdk2021(em, saml)
    kinds = {"REPLICATE", "COMPOSE", "COMPOSE_FDL", "COMPOSE_FDW"}
    for item in sdk.ask("GET", "servers")["serverList"]:
        assert item["type"] in kinds
        assert {"state", "platform", "$type"} < set(item)
        assert sdk.ask("GET", f"servers/{urllib.parse.quote(item['name'])}")["server_details"]["type"] in kinds
    for task in sdk.ask("GET", "servers/Replicate-Prod/tasks")["taskList"]:
        assert sdk.State[task["state"]]
        assert "stop_reason" in task
    path = f"servers/Replicate-Prod/tasks/{urllib.parse.quote(TASKS[1])}"
    assert sdk.ask("POST", f"{path}?action=stop&timeout=30")["state"] == "STOPPED"
    run = f"{path}?action=run&option=RESUME_PROCESSING&timeout=30"
    assert sdk.ask("POST", run, {"$type": "AemRunTaskReq", "cdcposition": None})["state"] == "RUNNING"
    assert sdk.ask("GET", f"{path}?whatever=None")["profile"]
    assert em.summary()["logins"] == 1
    assert em.summary()["tcp_connections"] == 1


class Exporter:
    """Go's canonical header names, HTTP/1.1, a login with "Basic:", one thread a server, logs in again by the text."""

    def __init__(self, em: Handle) -> None:
        self.em = em
        self.token = self.log_in()

    def get(self, path: str, **headers: str) -> tuple[http.client.HTTPResponse, bytes]:
        """One request on a connection of its own."""
        port = int(self.em.url.rsplit(":", 1)[1])
        connection = http.client.HTTPSConnection("localhost", port, context=context(self.em), timeout=10)
        connection.putrequest("GET", PREFIX + path, skip_accept_encoding=True)
        for key, value in {"User-Agent": "Go-http-client/1.1", "Accept-Encoding": "gzip", **headers}.items():
            connection.putheader(key, value)
        connection.endheaders()
        answer = connection.getresponse()
        return answer, answer.read()

    def log_in(self) -> str:
        """The token stands in the header, whatever its case."""
        answer, body = self.get("/login", Authorization=basic(*OPERATOR).replace("Basic ", "Basic: "))
        assert answer.status == 200, body
        return str(answer.headers["Enterprisemanager.apisessionid"])

    def read(self, path: str) -> Any:
        """JSON, or an error with the whole body as its text."""
        answer, body = self.get(path, **{"Enterprisemanager.apisessionid": self.token})
        if answer.status != 200:
            raise Refused(f"HTTP {answer.status}; {body.decode()}")
        return json.loads(body)

    def collect(self) -> list[tuple[Any, ...]]:
        """All metrics."""
        try:
            servers = self.read("/servers")["serverList"]
        except Refused as error:
            if "INVALID_SESSION_ID" not in str(error):
                raise
            self.token = self.log_in()
            servers = self.read("/servers")["serverList"]
        metrics: list[tuple[Any, ...]] = []
        threads = [threading.Thread(target=self.collect_server, args=(server, metrics)) for server in servers]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return metrics

    def collect_server(self, server: dict[str, Any], metrics: list[tuple[Any, ...]]) -> None:
        """Tasks only of monitored servers; latency has three parts, or it breaks."""
        name = urllib.parse.quote(server["name"])
        details = self.read(f"/servers/{name}")["server_details"]
        summary = details["task_summary"]
        metrics.append(("tasks", server["name"], float(summary["running"]), float(summary["recovering"])))
        metrics.append(("license", server["name"], int(details["license"]["days_to_expiration"])))
        if server["state"] != "MONITORED" or server["name"] == "Replicate-Unlicensed":
            return
        for task in self.read(f"/servers/{name}/tasks")["taskList"]:
            found = self.read(f"/servers/{name}/tasks/{urllib.parse.quote(task['name'], safe='')}")
            if "cdc_latency" in found:
                hours, minutes, seconds = (int(part) for part in found["cdc_latency"]["total_latency"].split(":"))
                metrics.append(("latency", task["name"], hours * 3600 + minutes * 60 + seconds))
            metrics.append(("state", task["name"], found["state"], task["assigned_tags"][:1]))


def test_an_exporter(em: Handle) -> None:
    """Scrapes, survives the end of its session, scrapes again."""
    exporter = Exporter(em)
    first = exporter.collect()
    assert ("latency", "orders", 5) in first
    assert ("tasks", "Replicate-Prod", 3.0, 1.0) in first
    assert ("license", "Replicate-Unlicensed", 0) in first
    assert len([metric for metric in first if metric[0] == "state"]) == 14
    em.expire_sessions()
    assert sorted(exporter.collect(), key=str) == sorted(first, key=str)
    assert em.summary()["logins"] == 2
    assert em.requests()[0]["headers"]["Authorization"].startswith("Basic: ")
