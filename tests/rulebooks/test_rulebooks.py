# Copyright (c) 2026, dataops.qlik_em contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The rulebooks of the collection in the real ansible-rulebook (which needs Java), against the stand-in."""

from __future__ import annotations

import json
import os
import queue
import signal
import subprocess
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.dataops.qlik_em.tests.simulator import running

PATIENCE = 90.0  # seconds for anything that must happen: the engine is a Java machine, an action a playbook
PROD = "Replicate-Prod"
INVENTORY = Path(__file__).resolve().parents[2] / "extensions" / "eda" / "inventory.yml"


@pytest.fixture(scope="module")
def stand_in():
    with running() as handle:
        yield handle


@pytest.fixture
def em(stand_in):
    stand_in.reset()
    return stand_in


class Webhook:
    """Takes what is posted to ``url``."""

    def __init__(self) -> None:
        posted: queue.Queue[Any] = queue.Queue()

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                posted.put(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
                self.send_response(204)
                self.end_headers()

            def log_message(self, *_arguments: Any) -> None:
                pass

        self._posted = posted
        self._server = HTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}/"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def take(self) -> Any:
        """Return what is posted next."""
        return self._posted.get(timeout=PATIENCE)

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


@pytest.fixture
def webhook() -> Iterator[Webhook]:
    one = Webhook()
    yield one
    one.close()


class Rulebook:
    """A running ansible-rulebook, of a rulebook that is called as users call it."""

    def __init__(self, em, folder: Path, name: str, **variables: Any) -> None:
        file = folder / "vars.yml"
        file.write_text(json.dumps({"qlik_em_interval": 1, "qlik_em_include": [{"server": PROD}], **variables}))
        environ = {f"QLIK_EM_{key.upper()}": getattr(em, key) for key in ("url", "ca_path", "username", "password")}
        self.log = folder / f"{name}.log"
        self._em = em
        with self.log.open("ab") as output:
            self.process = subprocess.Popen(
                [
                    *("ansible-rulebook", "--rulebook", f"dataops.qlik_em.{name}"),
                    *("--inventory", str(INVENTORY), "--vars", str(file)),
                ],
                cwd=folder,
                env={**os.environ, **environ},
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def until(self, is_so, what: str) -> None:
        """Wait until something is so."""
        deadline = time.monotonic() + PATIENCE
        while not is_so():
            if time.monotonic() > deadline or self.process.poll() is not None:
                raise AssertionError(f"not: {what}\n{self.log.read_text()}")
            time.sleep(0.1)

    def rounds(self, count: int = 2) -> None:
        """Wait for so many further rounds of the source."""
        wanted = self._rounds() + count
        self.until(lambda: self._rounds() >= wanted, f"{count} rounds")

    def _rounds(self) -> int:
        return sum(one["operation"] == "GetTaskList" and one["status"] == 200 for one in self._em.requests())

    def stop(self, number: signal.Signals = signal.SIGTERM) -> None:
        """End it, with all that it has started if it is killed."""
        if self.process.poll() is None:
            if number == signal.SIGKILL:
                os.killpg(self.process.pid, number)
            else:
                self.process.send_signal(number)
        self.process.wait(PATIENCE)


@pytest.fixture
def rulebook(em, tmp_path):
    """Return a function that starts a rulebook."""
    started = []

    def start(name: str, **variables: Any) -> Rulebook:
        started.append(Rulebook(em, tmp_path, name, **variables))
        started[-1].rounds(1)
        return started[-1]

    yield start
    for one in started:
        one.stop(signal.SIGKILL)


def state(em, name: str) -> str:
    return em.task(PROD, name)["state"]


def test_a_task_that_fails_is_restarted_once_in_a_while_also_after_restarts(em, rulebook, tmp_path):
    other = "Aufträge & Kunden 100%"
    started = rulebook("restart_failed", qlik_em_state_file=str(tmp_path / "state"))
    em.set_task(PROD, "orders", state="ERROR", message="{{ 1 / 0 }}")
    started.until(lambda: state(em, "orders") == "RUNNING", "orders is restarted")
    started.until(lambda: "-> RUNNING" in (tmp_path / "state").read_text(), "that is seen")

    # The brake: it fails at once again, and stays so. Another one, whose turn comes after it, is restarted.
    em.set_task(PROD, "orders", state="ERROR")
    started.rounds()
    em.set_task(PROD, "shipments", state="ERROR")
    started.until(lambda: state(em, "shipments") == "RUNNING", "shipments is restarted")

    # The source's restart (Java ends the process at once): what failed meanwhile is restarted, nothing else.
    started.stop()
    em.set_task(PROD, other, state="ERROR")
    again = rulebook("restart_failed", qlik_em_state_file=str(tmp_path / "state"))
    again.until(lambda: state(em, other) == "RUNNING", "the other one is restarted")
    runs = {name: len(em.task(PROD, name)["runs"]) for name in ("orders", "shipments", other, "invoices")}
    assert runs == {"orders": 1, "shipments": 1, other: 1, "invoices": 0}  # invoices was in an error before all this


def test_alerts_go_to_the_webhook_also_of_an_outage_that_ends_the_session(em, rulebook, webhook):
    em.set_task(PROD, "orders", state="ERROR", message="ORA-1")
    rulebook("alert", qlik_em_webhook=webhook.url, qlik_em_include=[{"server": PROD, "name": "orders"}])
    first = webhook.take()
    assert first["text"] == f'Task "orders" on server "{PROD}": ERROR. ORA-1'
    assert (first["event"]["type"], first["event"]["first_look"]) == ("task_error", True)
    em.expire_sessions()
    em.faults({"match": {"operation": "Login"}, "fault": "cut_before", "nth": "all"})
    assert webhook.take()["event"]["type"] == "manager_lost"
    em.clear_faults()
    em.set_task(PROD, "orders", state="RUNNING")
    assert {webhook.take()["event"]["type"] for _number in range(2)} == {"manager_back", "task_error_ended"}


def test_licences_that_end_soon_are_reported(em, rulebook, webhook):
    em.set_server(PROD, license={"days_to_expiration": 12})
    rulebook("license", qlik_em_webhook=webhook.url)
    assert webhook.take()["text"] == f'The licence of server "{PROD}" ends in 12 days.'


def test_a_refused_login_ends_the_rulebook(em, rulebook, tmp_path):
    em.reset()
    em.faults({"match": {"operation": "Login"}, "fault": "status", "status": 401, "nth": "all"})
    one = Rulebook(em, tmp_path, "alert")
    one.process.wait(PATIENCE)
    assert [request["operation"] for request in em.requests()] == ["Login"]
    assert "refused to log in" in one.log.read_text()
    assert em.password not in one.log.read_text()
