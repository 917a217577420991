# Copyright (c) 2026, dataops.qlik_em contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What tasks do when they are run, stopped, or left alone."""

from __future__ import annotations

import contextlib
import threading
import time
from typing import Any

import pytest
from ansible_collections.dataops.qlik_em.tests.simulator import Handle
from ansible_collections.dataops.qlik_em.tests.simulator.tests.wire import (
    ORDERS,
    PROD,
    RUN,
    STOP,
    Client,
    Clock,
    Reply,
    eventually,
    task_path,
)

ALL_RUN_OPTIONS = [
    ("RESUME_PROCESSING", None),
    ("RELOAD_TARGET", None),
    ("METADATA_ONLY_RECREATE_ALL_TABLES", None),
    ("METADATA_ONLY_CREATE_MISSING_TABLES", None),
    ("RECOVER_USING_LOCALLY_STORED_CHECKPOINT", None),
    ("RESUME_PROCESSING_FROM_TIMESTAMP", "2026-01-31T23:59:59"),
    ("RECOVER_USING_CHECKPOINT_STORED_ON_TARGET", "Checkpoint:V1#1#timestamp:2017-02-14T12:34:44#0#0#*#0#0"),
    ("RESUME_PROCESSING_FROM_POSITION", "0/1A2B"),
]


TABLES_THAT_LOAD: dict[str, dict[str, Any]] = {
    "DONE": {},
    "LOADS": {"load_seconds": 30},
    "WAITS": {"queue_seconds": 30},
    "FAILS": {"error_after_reload": True},
}


def table_states(operator: Client) -> list[str]:
    """The states of the tables of orders."""
    flags = "&".join(f"include{kind}=true" for kind in ("queued", "loading", "completed", "changeprocessing", "error"))
    return [item["state"] for item in operator.call("GET", f"{ORDERS}/tables?{flags}").json["tablelist"]]


def setup(em: Handle, **attributes: Any) -> None:
    """Give the task orders other attributes; all its times are 0 unless given."""
    em.set_task("Replicate-Prod", "orders", **{"stop_seconds": 0, "start_seconds": 0, "memory_lag": 0, **attributes})


def orders(em: Handle) -> dict[str, Any]:
    """What the task really does now."""
    return em.task("Replicate-Prod", "orders")


class Background(threading.Thread):
    """A request on a connection of its own, under way while the test goes on."""

    def __init__(self, em: Handle, path: str) -> None:
        super().__init__(daemon=True)
        self.em, self.path = em, path
        self.reply: Reply | None = None
        self.start()
        eventually(lambda: any(entry["raw_path"].endswith(path) for entry in em.requests()))

    def run(self) -> None:
        """Log in, call, keep the answer."""
        with Client(self.em) as client:
            client.log_in()
            with contextlib.suppress(OSError):  # no answer
                self.reply = client.call("POST", self.path)

    def result(self) -> Reply:
        """The answer."""
        self.join(10)
        assert self.reply is not None
        return self.reply


def test_stop(em: Handle, operator: Client) -> None:
    """The guide's sample, to the byte; then NORMAL, no memory, and already stopped."""
    setup(em)
    reply = operator.call("POST", STOP)
    assert (reply.status, reply.body) == (200, b'{"state":"STOPPED","error_message":""}')
    details = operator.call("GET", ORDERS).json
    assert (details["state"], details["task_stop_reason"], details["memory_mb"]) == ("STOPPED", "NORMAL", 0)
    again = operator.call("POST", STOP)
    assert (again.status, again.code) == (500, "AEM_TASK_ALREADY_STOPPED")
    assert again.json["error_message"] == "Replicate task orders on server Replicate-Prod is already stopped."
    assert orders(em)["stops"] == 1


def test_stop_takes_its_time(em: Handle, operator: Client) -> None:
    """The answer comes when the task is stopped, and not before; STOPPING is seen meanwhile."""
    setup(em, stuck_in_stopping=True)
    background = Background(em, STOP)
    assert operator.state() == "STOPPING"
    assert operator.call("GET", f"{PROD}/tasks").json["taskList"][0]["state"] == "STOPPING"
    assert background.is_alive()
    setup(em, stuck_in_stopping=False)
    assert background.result().json["state"] == "STOPPED"
    setup(em, state="RUNNING", stop_seconds=0.3)
    assert operator.call("POST", STOP).json["state"] == "STOPPED"
    assert em.requests()[-1]["seconds"] >= 0.3


def test_transient_states_can_be_hidden(em: Handle, operator: Client) -> None:
    """For the 2018 SDK, which breaks on them: by task, and for all."""
    setup(em, stuck_in_stopping=True, stuck_in_starting=True, show_transient=False)
    background = Background(em, STOP)
    assert (operator.state(), orders(em)["state"]) == ("RUNNING", "STOPPING")
    setup(em, stuck_in_stopping=False)
    assert background.result().json["state"] == "STOPPED"
    background = Background(em, RUN)
    assert (operator.state(), orders(em)["state"]) == ("STOPPED", "STARTING")
    setup(em, stuck_in_starting=False)
    assert background.result().json["state"] == "RUNNING"
    setup(em, stuck_in_stopping=True, show_transient=True)
    em.set_options(show_transient=False)
    background = Background(em, f"{STOP}&timeout=9")
    assert operator.state() == "RUNNING"
    setup(em, stuck_in_stopping=False)
    background.result()


def test_stop_times_out_and_goes_on(clock: Clock, em: Handle, operator: Client) -> None:
    """The timeout bounds the waiting only."""
    setup(em, stop_seconds=60)
    reply = operator.call("POST", f"{STOP}&timeout=1")
    assert (reply.status, reply.code) == (500, "AEM_STOP_TASK_TIMEOUT")
    assert em.requests()[-1]["seconds"] >= 1
    assert operator.state() == "STOPPING"
    assert em.requests()[-2]["executed"]
    clock.ahead = 60
    assert operator.state() == "STOPPED"
    assert orders(em)["stops"] == 1


def test_timeout_zero_does_not_wait(em: Handle, operator: Client) -> None:
    """What is done at once still succeeds."""
    setup(em, stop_seconds=0.2)
    assert operator.call("POST", f"{STOP}&timeout=0").code == "AEM_STOP_TASK_TIMEOUT"
    setup(em, state="RUNNING")
    assert operator.call("POST", f"{STOP}&timeout=0").status == 200


def test_stuck_in_stopping(em: Handle, operator: Client) -> None:
    """Until it is let go; a second stop joins the first and does nothing."""
    setup(em, stuck_in_stopping=True)
    assert operator.call("POST", f"{STOP}&timeout=0").code == "AEM_STOP_TASK_TIMEOUT"
    assert operator.call("POST", f"{STOP}&timeout=0").code == "AEM_STOP_TASK_TIMEOUT"
    assert not em.requests()[-1]["executed"]
    details = operator.call("GET", ORDERS).json
    assert (details["state"], details["memory_mb"]) == ("STOPPING", 212)
    assert operator.call("POST", RUN).code == "AEM_TASK_ALREADY_RUNNING"
    background = Background(em, f"{STOP}&timeout=8")
    em.set_task("Replicate-Prod", "orders", stuck_in_stopping=False)
    assert background.result().json["state"] == "STOPPED"
    assert orders(em)["stops"] == 1


def test_a_second_stop_joins(em: Handle, operator: Client) -> None:
    """Both end with the same success."""
    setup(em, stop_seconds=0.4)
    background = Background(em, STOP)
    assert operator.call("POST", f"{STOP}&timeout=5").json["state"] == "STOPPED"
    assert background.result().json["state"] == "STOPPED"
    assert orders(em)["stops"] == 1


def test_refused_stop(em: Handle, operator: Client) -> None:
    """The server's own message in angle brackets; the task runs on."""
    reply = operator.call("POST", f"{PROD}/tasks/locked?action=stop")
    assert (reply.status, reply.code) == (500, "AEM_STOP_TASK_INNER_ERR")
    assert reply.json["error_message"].startswith(
        "Failed to stop Replicate task locked on server Replicate-Prod: <SYS-E-"
    )
    assert em.task("Replicate-Prod", "locked")["state"] == "RUNNING"
    assert not em.requests()[-1]["executed"]


@pytest.mark.parametrize("state", ["ERROR", "STOPPED"])
def test_stop_of_what_is_stopped(em: Handle, operator: Client, state: str) -> None:
    """A task in ERROR counts as stopped; a refusing one too."""
    setup(em, state=state, fail_stop="never asked")
    assert operator.call("POST", STOP).code == "AEM_TASK_ALREADY_STOPPED"
    assert operator.state() == state


@pytest.mark.parametrize("state", ["RECOVERY", "PAUSED", "RUNNING"])
def test_stop_of_what_lives(em: Handle, operator: Client, state: str) -> None:
    """Works from every state that is not stopped."""
    setup(em, state=state)
    assert operator.call("POST", STOP).json["state"] == "STOPPED"


@pytest.mark.parametrize(
    "attributes",
    [
        {"stop_answer": {"state": "RUNNING"}},
        {"stop_answer": {"error_message": "half done"}},
        {"stop_answer": {"state": "MELTED", "error_message": "half done"}},
    ],
)
def test_strange_stop_answers(em: Handle, operator: Client, attributes: dict) -> None:
    """200 with another state or a message."""
    setup(em, **attributes)
    assert operator.call("POST", STOP).json == {"state": "STOPPED", "error_message": "", **attributes["stop_answer"]}


def test_answers_before_the_action_is_done(clock: Clock, em: Handle, operator: Client) -> None:
    """200 STOPPING and 200 STARTING at once."""
    setup(em, stop_seconds=200, start_seconds=200, answer_before_done=True)
    assert operator.call("POST", STOP).json == {"state": "STOPPING", "error_message": ""}
    assert operator.state() == "STOPPING"
    clock.ahead = 200
    assert operator.state() == "STOPPED"
    assert operator.call("POST", RUN).json == {"state": "STARTING", "error_message": ""}
    assert operator.state() == "STARTING"
    clock.ahead = 400
    assert operator.state() == "RUNNING"


@pytest.mark.parametrize(("option", "position"), ALL_RUN_OPTIONS)
def test_run_options(em: Handle, operator: Client, option: str, position: str | None) -> None:
    """Each on a stopped task; option and position are kept for the test."""
    setup(em, state="STOPPED")
    body = f'{{"$type":"AemRunTaskReq","cdcposition":"{position}"}}'.encode() if position else None
    reply = operator.call("POST", f"{ORDERS}?action=run&option={option}&timeout=5", body)
    assert reply.json == {"state": "RUNNING", "error_message": ""}
    assert orders(em)["runs"] == [{"option": option, "cdcposition": position}]
    assert operator.call("GET", ORDERS).json["task_stop_reason"] == "NONE"


@pytest.mark.parametrize(
    "query", ["", "&option=", "&option=None", "&option=NONE", "&option=resume_processing", "&option=X"]
)
def test_bad_run_options(em: Handle, operator: Client, query: str) -> None:
    """500, and the task stays as it is."""
    setup(em, state="STOPPED")
    reply = operator.call("POST", f"{ORDERS}?action=run{query}")
    assert (reply.status, reply.code) == (500, "AEM_RUN_TASK_INNER_ERR")
    assert (orders(em)["state"], orders(em)["runs"]) == ("STOPPED", [])


@pytest.mark.parametrize("option", [option for option, position in ALL_RUN_OPTIONS if position])
@pytest.mark.parametrize("body", [None, b"{}", b'{"cdcposition":null}', b'{"cdcposition":""}'])
def test_missing_position(em: Handle, operator: Client, option: str, body: bytes | None) -> None:
    """These options can't do without."""
    setup(em, state="STOPPED")
    assert operator.call("POST", f"{ORDERS}?action=run&option={option}", body).code == "AEM_RUN_TASK_INNER_ERR"
    assert orders(em)["runs"] == []


@pytest.mark.parametrize("position", ["2026-01-31", "2026-01-31T23:59:59Z", "2026-13-01T00:00:00", "yesterday"])
def test_malformed_timestamp(em: Handle, operator: Client, position: str) -> None:
    """YYYY-MM-DDTHH:MM:SS and nothing else."""
    setup(em, state="STOPPED")
    path = f"{ORDERS}?action=run&option=RESUME_PROCESSING_FROM_TIMESTAMP"
    reply = operator.call("POST", path, f'{{"cdcposition":"{position}"}}'.encode())
    assert reply.code == "AEM_INVALID_TIMESTAMP_FORMAT"


@pytest.mark.parametrize("body", [b"{", b"[]", b'"x"', b'{"cdcposition":1}', b"\xff"])
def test_malformed_run_body(em: Handle, operator: Client, body: bytes) -> None:
    """DESERIALIZE_TO_TYPE, and nothing is run."""
    setup(em, state="STOPPED")
    reply = operator.call("POST", RUN, body)
    assert (reply.status, reply.code) == (500, "DESERIALIZE_TO_TYPE")
    assert "AemRunTaskReq" in reply.json["error_message"]
    assert orders(em)["runs"] == []


@pytest.mark.parametrize("query", ["", "&option=NONE", "&option=RESUME_PROCESSING", "&option=None"])
def test_compose_runs(em: Handle, operator: Client, query: str) -> None:
    """Without an option, with the old one, with the new one."""
    path = task_path("Compose-DW", "load_dims__sales")
    assert operator.call("POST", f"{path}?action=run{query}").json["state"] == "RUNNING"
    assert operator.call("POST", f"{path}?action=stop").json["state"] == "STOPPED"
    assert operator.call("GET", path).json["task_stop_reason"] == "NONE"


def test_an_older_compose_knows_no_run_option(em: Handle, operator: Client) -> None:
    """Until November 2023."""
    path = task_path("Compose-DW", "load_dims__sales")
    em.set_variants(compose_run_option=False)
    assert operator.call("POST", f"{path}?action=run&option=RESUME_PROCESSING").code == "AEM_RUN_TASK_INNER_ERR"
    assert operator.call("POST", f"{path}?action=run").json["state"] == "RUNNING"


def test_compose_has_no_other_run_options(operator: Client) -> None:
    """500, code assumed."""
    path = task_path("Compose-DW", "load_dims__sales")
    assert operator.call("POST", f"{path}?action=run&option=RELOAD_TARGET").code == "AEM_RUN_TASK_INNER_ERR"


@pytest.mark.parametrize("state", ["RUNNING", "RECOVERY", "STARTING", "STOPPING", "PAUSED"])
def test_run_of_what_is_not_stopped(em: Handle, operator: Client, state: str) -> None:
    """Refused, nothing counted."""
    setup(em, state=state, stuck_in_starting=True, stuck_in_stopping=True)
    reply = operator.call("POST", RUN)
    assert (reply.status, reply.code) == (500, "AEM_TASK_ALREADY_RUNNING")
    assert orders(em)["runs"] == []


def test_run_times_out_and_goes_on(em: Handle, operator: Client) -> None:
    """As with the stop."""
    setup(em, state="STOPPED", start_seconds=0.4)
    assert operator.call("POST", f"{RUN}&timeout=0").code == "AEM_RUN_TASK_TIMEOUT"
    assert operator.state() == "STARTING"
    eventually(lambda: operator.state() == "RUNNING")


def test_a_stop_takes_back_a_start(em: Handle, operator: Client) -> None:
    """The waiting run gets a failure; the task ends up stopped."""
    setup(em, state="STOPPED", start_seconds=5)
    background = Background(em, RUN)
    assert operator.call("POST", STOP).json["state"] == "STOPPED"
    assert background.result().code == "AEM_RUN_TASK_INNER_ERR"
    assert operator.state() == "STOPPED"


def test_refused_start(em: Handle, operator: Client) -> None:
    """The task stays stopped."""
    setup(em, state="STOPPED", fail_start="no licence for the source")
    reply = operator.call("POST", RUN)
    assert (reply.status, reply.code) == (500, "AEM_RUN_TASK_INNER_ERR")
    assert "<no licence for the source>" in reply.json["error_message"]
    assert (operator.state(), orders(em)["runs"]) == ("STOPPED", [])


def test_start_that_ends_in_error(em: Handle, operator: Client) -> None:
    """At once, or a while after it ran."""
    setup(em, state="STOPPED", error_after_start="bad endpoint")
    assert operator.call("POST", RUN).json == {"state": "ERROR", "error_message": "bad endpoint"}
    assert operator.call("GET", ORDERS).json["message"] == "bad endpoint"
    setup(em, error_after_seconds=0.2)
    assert operator.call("POST", RUN).json == {"state": "RUNNING", "error_message": ""}
    eventually(lambda: operator.state() == "ERROR")
    assert orders(em)["stop_reason"] == "FATAL_ERROR"


@pytest.mark.parametrize("end", ["RUNNING", "ERROR"])
def test_recovery(em: Handle, operator: Client, end: str) -> None:
    """RUNNING, RECOVERY, and out of it by itself."""
    setup(em, state="STOPPED", recover_after=0.2, recovery_seconds=0.3, recovery_ends_in=end)
    assert operator.call("POST", RUN).json["state"] == "RUNNING"
    eventually(lambda: operator.state() == "RECOVERY")
    assert orders(em)["stop_reason"] == "RECOVERABLE_ERROR"
    assert orders(em)["memory_mb"] == 212
    eventually(lambda: operator.state() == end)


def test_recovery_from_the_beginning(em: Handle, operator: Client) -> None:
    """Without an end unless one is set."""
    setup(em, state="RECOVERY", message="trying again")
    time.sleep(0.1)
    assert operator.call("GET", ORDERS).json["message"] == "trying again"
    setup(em, state="RECOVERY", recovery_seconds=0.1)
    eventually(lambda: operator.state() == "RUNNING")


@pytest.mark.parametrize("reason", ["FULL_LOAD_ONLY_FINISHED", "STOPPED_AFTER_FULL_LOAD", "STOPPED_LOW_DISK_SPACE"])
def test_tasks_that_stop_by_themselves(em: Handle, operator: Client, reason: str) -> None:
    """With their reason; a stop is too late then, a run begins anew."""
    how = {"full_load_only": True} if reason == "FULL_LOAD_ONLY_FINISHED" else {"self_stop_reason": reason}
    setup(em, state="STOPPED", full_load_seconds=0.2, **how)
    assert operator.call("POST", RUN).json["state"] == "RUNNING"
    eventually(lambda: operator.state() == "STOPPED")
    assert operator.call("GET", ORDERS).json["task_stop_reason"] == reason
    assert operator.call("POST", STOP).code == "AEM_TASK_ALREADY_STOPPED"
    assert operator.call("POST", RUN).json["state"] == "RUNNING"
    setup(em, state="RUNNING", full_load_seconds=0, **how)
    assert operator.state() == "STOPPED"


def test_a_full_load_that_is_over_before_the_answer(em: Handle, operator: Client) -> None:
    """RunTask returns the state of that moment."""
    setup(em, state="STOPPED", full_load_only=True)
    assert operator.call("POST", RUN).json == {"state": "STOPPED", "error_message": ""}
    assert orders(em)["stop_reason"] == "FULL_LOAD_ONLY_FINISHED"


def test_a_run_that_only_makes_tables_stops_by_itself(em: Handle, operator: Client) -> None:
    """With the stop reason of a stop by a user; it moves no data."""
    path = f"{ORDERS}?action=run&option=METADATA_ONLY_CREATE_MISSING_TABLES"
    setup(em, state="STOPPED", metadata_only_seconds=0.3)
    assert operator.call("POST", path).json == {"state": "RUNNING", "error_message": ""}
    details = operator.call("GET", ORDERS).json
    assert {item["current"] for item in details["cdc_throughput"].values()} == {0}
    eventually(lambda: operator.state() == "STOPPED")
    assert operator.call("GET", ORDERS).json["task_stop_reason"] == "NORMAL"
    assert orders(em)["runs"][-1]["option"] == "METADATA_ONLY_CREATE_MISSING_TABLES"
    setup(em, metadata_only_seconds=0, metadata_only_message="No right to create tables.")
    assert operator.call("POST", path).json["state"] == "STOPPED"
    assert operator.call("GET", ORDERS).json["message"] == "No right to create tables."
    assert operator.call("POST", RUN).json["state"] == "RUNNING"
    time.sleep(0.1)
    assert operator.state() == "RUNNING"


def test_the_counters_of_a_load_are_those_of_its_tables(em: Handle, operator: Client) -> None:
    """From the first run on."""
    tables = [{"schema": "A", "table": name, "rows": 7, **more} for name, more in TABLES_THAT_LOAD.items()]
    setup(em, state="STOPPED", tables=tables)
    operator.call("POST", f"{ORDERS}?action=run&option=RELOAD_TARGET")
    counters = operator.call("GET", ORDERS).json["full_load_counters"]
    assert [counters[f"tables_{kind}_count"] for kind in ("completed", "loading", "queued", "with_error")] == [
        1,
        1,
        1,
        1,
    ]
    assert (counters["records_completed_count"], counters["estimated_records_for_all_tables_count"]) == (7, 28)


@pytest.mark.parametrize("kind", ["apply_changes_enabled", "save_changes_enabled", "audit_changes_enabled"])
def test_a_task_captures_changes_to_apply_store_or_audit_them(em: Handle, operator: Client, kind: str) -> None:
    """Its tables end in change processing then."""
    settings = {"apply_changes_enabled": False, kind: True}
    setup(em, state="STOPPED", definition={"task_settings": {"common_settings": settings}})
    operator.call("POST", f"{ORDERS}?action=run&option=RELOAD_TARGET")
    options = operator.call("GET", ORDERS).json["options"]
    assert [name for name, value in options.items() if value and name != "full_load_enabled"] == [
        kind.replace("save", "store")
    ]
    eventually(lambda: set(table_states(operator)) == {"TABLE_CHANGE_PROCESSING"})


def test_a_stop_cuts_the_future_off(clock: Clock, em: Handle, operator: Client) -> None:
    """What the task would have done by itself does not happen any more."""
    setup(em, state="STOPPED", error_after_start="later", error_after_seconds=100)
    operator.call("POST", RUN)
    operator.call("POST", STOP)
    clock.ahead = 101
    assert (operator.state(), orders(em)["message"]) == ("STOPPED", "")


def test_memory_lags_both_ways(clock: Clock, em: Handle, operator: Client) -> None:
    """State first, memory later, as sampling makes it."""
    setup(em, memory_lag=100)
    operator.call("POST", STOP)
    assert (orders(em)["state"], orders(em)["memory_mb"]) == ("STOPPED", 212)
    clock.ahead = 100
    assert orders(em)["memory_mb"] == 0
    operator.call("POST", RUN)
    assert (orders(em)["state"], orders(em)["memory_mb"]) == ("RUNNING", 0)
    clock.ahead = 200
    assert orders(em)["memory_mb"] == 212


def test_a_patched_state_takes_effect_at_once(em: Handle, operator: Client) -> None:
    """Also for a request that waits; reason and message go with the old state."""
    setup(em, stop_seconds=30)
    background = Background(em, STOP)
    em.set_task("Replicate-Prod", "orders", state="ERROR", message="crashed while stopping")
    assert background.result().json == {"state": "ERROR", "error_message": "crashed while stopping"}
    em.set_task("Replicate-Prod", "orders", message="still broken")
    assert (orders(em)["state"], orders(em)["message"]) == ("ERROR", "still broken")
    em.set_task("Replicate-Prod", "orders", state="RUNNING")
    assert (orders(em)["stop_reason"], orders(em)["message"]) == ("NONE", "")


def test_unknown_states_can_be_shown(em: Handle, operator: Client) -> None:
    """For clients that must not guess."""
    em.set_task("Replicate-Prod", "orders", details={"state": "RECOVERING"})
    assert operator.state() == "RECOVERING"


def test_a_reset_sends_waiting_requests_home(em: Handle) -> None:
    """No test has to wait for another one's stuck task."""
    setup(em, stuck_in_stopping=True)
    background = Background(em, STOP)
    em.reset()
    background.join(10)
    assert not background.is_alive()
    assert background.reply is None


def test_more_calls_at_a_time_than_allowed_are_turned_away(em: Handle, operator: Client) -> None:
    """One call may be worked on; the next gets a page and does nothing, until the first has its answer."""
    em.set_options(most_calls=1)
    em.set_task("Replicate-Prod", "orders", stop_seconds=30)
    Background(em, STOP)
    eventually(lambda: em.task("Replicate-Prod", "orders")["state"] == "STOPPING")
    reply = operator.call("GET", "/servers")
    assert (reply.status, reply.headers["Content-Type"]) == (429, "text/html; charset=utf-8")
    em.set_options(most_calls=2)
    assert operator.call("GET", "/servers").status == 200
    assert {name: em.summary()[name] for name in ("most_calls", "turned_away")} == {"most_calls": 2, "turned_away": 1}
