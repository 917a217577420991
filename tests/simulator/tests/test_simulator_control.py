# Copyright (c) 2026, dataops.qlik_em contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The control address, the handle, the command line and the state document."""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import re
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import yaml
from ansible_collections.dataops.qlik_em.tests.simulator import Handle, InputError, cli, running
from ansible_collections.dataops.qlik_em.tests.simulator.document import DEFAULT_DOCUMENT
from ansible_collections.dataops.qlik_em.tests.simulator.document_access import ROLES
from ansible_collections.dataops.qlik_em.tests.simulator.tests.wire import (
    ORDERS,
    PROD,
    SESSION,
    STOP,
    Client,
    eventually,
    function_calls,
    task_path,
)

ROOT = Path(__file__).resolve().parents[3]


def control(url: str, method: str, path: str, body: Any = None) -> tuple[int, Any]:
    """Ask the control address."""
    parts = urlsplit(url)
    connection = http.client.HTTPConnection(str(parts.hostname), parts.port, timeout=10)
    data = body if isinstance(body, (bytes, type(None))) else json.dumps(body).encode()
    connection.request(method, path, data)
    response = connection.getresponse()
    text = response.read()
    connection.close()
    return response.status, json.loads(text) if text.startswith((b"{", b"[")) else text


# The control address


def test_requests(em: Handle, operator: Client) -> None:
    """The record over HTTP is the record of the handle."""
    operator.call("GET", ORDERS)
    status, entries = control(em.control_url, "GET", "/requests")
    assert (status, entries) == (200, em.requests())
    assert [entry["operation"] for entry in entries] == ["Login", "GetTaskDetails"]
    assert control(em.control_url, "DELETE", "/requests") == (200, {})
    assert em.requests() == []


def test_faults(em: Handle, operator: Client) -> None:
    """Set, list, empty."""
    rule = {"match": {"operation": "GetServerList"}, "nth": 2, "fault": "status", "status": 503}
    status, plan = control(em.control_url, "POST", "/faults", rule)
    assert (status, len(plan)) == (200, 1)
    assert {"nth": 2, "fault": "status", "status": 503, "matched": 0, "applied": 0}.items() <= plan[0].items()
    assert control(em.control_url, "POST", "/faults", [rule, rule])[1] == em.faults()
    assert [operator.call("GET", "/servers").status for _turn in range(2)] == [200, 503]
    assert [item["matched"] for item in control(em.control_url, "GET", "/faults")[1]] == [2, 2, 2]
    assert control(em.control_url, "DELETE", "/faults") == (200, {})
    assert em.faults() == []


def test_state(em: Handle) -> None:
    """Servers by name, tasks by name."""
    status, state = control(em.control_url, "GET", "/state")
    assert (status, state) == (200, em.state())
    assert state["servers"]["Replicate-Prod"]["tasks"]["orders"] == em.task("Replicate-Prod", "orders")
    assert em.task("Replicate-Prod", "orders") == {
        "state": "RUNNING",
        "shown": "RUNNING",
        "stop_reason": "NONE",
        "message": "",
        "memory_mb": 212,
        "runs": [],
        "stops": 0,
    }


def test_reset(em: Handle, operator: Client) -> None:
    """Everything goes; another document may come."""
    em.set_task("Replicate-Prod", "orders", state="ERROR")
    em.faults([{"fault": "empty", "nth": 9}])
    assert control(em.control_url, "POST", "/reset") == (200, {})
    assert (em.requests(), em.faults(), em.task("Replicate-Prod", "orders")["state"]) == ([], [], "RUNNING")
    assert set(em.summary().values()) == {0}
    assert operator.call("GET", "/servers").status == 440
    document = {"users": [{"name": "u", "password": "p", "grants": [{"role": "Admin"}]}], "servers": [{"name": "only"}]}
    assert control(em.control_url, "POST", "/reset", document)[0] == 200
    assert operator.log_in("u", "p").status == 200
    assert [server["name"] for server in operator.call("GET", "/servers").json["serverList"]] == ["only"]
    em.reset()
    assert "Replicate-Prod" in em.state()["servers"]


def test_patches(em: Handle, operator: Client) -> None:
    """Tasks, servers, options; names with anything in them."""
    for server, task in (
        ("Replicate-Prod", "orders"),
        ("Replicate-Test", "north/south"),
        ("Replicate-Test", "a+b=c #1?"),
    ):
        assert control(em.control_url, "PATCH", task_path(server, task), {"state": "PAUSED"}) == (200, {})
        assert operator.state(task_path(server, task)) == "PAUSED"
    assert control(em.control_url, "PATCH", "/servers/Replicate%20Old", {"state": "MONITORED"})[0] == 200
    assert operator.call("GET", "/servers/Replicate%20Old/tasks").status == 200
    assert control(em.control_url, "PATCH", "/options", {"server_details_key": "serverDetails"})[0] == 200
    assert "serverDetails" in operator.call("GET", PROD).json


def test_sessions_and_summary(em: Handle, operator: Client) -> None:
    """Counters since the reset."""
    operator.call("GET", "/servers")
    Client(em).log_in("nobody", "x")
    assert control(em.control_url, "GET", "/summary") == (
        200,
        {
            "logins": 1,
            "failed_logins": 1,
            "logouts": 0,
            "most_calls": 1,
            "turned_away": 0,
            "open_sessions": 1,
            "tcp_connections": 2,
            "tls_handshakes": 2,
            "requests": 3,
            "under_way": 0,
        },
    )
    assert control(em.control_url, "POST", "/sessions/expire") == (200, {"expired": 1})
    assert em.summary()["open_sessions"] == 0


@pytest.mark.parametrize(
    ("method", "path", "body", "words"),
    [
        ("POST", "/faults", b"{", "not JSON"),
        ("POST", "/faults", {"fault": "explode"}, "cut_before"),
        ("POST", "/reset", {"server": []}, "unknown member 'server'"),
        ("POST", "/reset", [], "must be a mapping"),
        ("PATCH", "/options", {"session_idle_seconds": "long"}, "0 or more"),
        ("PATCH", "/options", None, "must be a mapping"),
        ("PATCH", "/servers/Nowhere", {}, "there is no server 'Nowhere'"),
        ("PATCH", PROD, {"state": "STOPPED"}, "MONITORED, NOT_MONITORED, ERROR"),
        ("PATCH", PROD, {"name": "x"}, "unknown member 'name'"),
        ("PATCH", f"{PROD}/tasks/nothing", {}, "there is no task 'nothing'"),
        ("PATCH", ORDERS, {"stop_secs": 1}, "unknown member 'stop_secs'; allowed are"),
        ("PATCH", ORDERS, {"state": "running"}, "RUNNING"),
        ("PATCH", ORDERS, {"stop_seconds": True}, "0 or more"),
        ("PATCH", ORDERS, {"memory_mb": 1.5}, "whole number"),
        ("PATCH", ORDERS, {"stop_answer": {"status": "x"}}, "unknown member 'status'"),
        ("PATCH", ORDERS, {"assigned_tags": "one"}, "must be a list"),
    ],
)
def test_bad_input(em: Handle, method: str, path: str, body: Any, words: str) -> None:
    """400 with one clear line, and nothing is changed."""
    before = em.state()
    status, answer = control(em.control_url, method, path, body)
    assert (status, list(answer)) == (400, ["error"])
    assert words in answer["error"]
    assert em.state() == before


def test_a_patch_is_all_or_nothing(em: Handle) -> None:
    """One bad member spoils the others."""
    with pytest.raises(InputError):
        em.set_task("Replicate-Prod", "orders", state="ERROR", message=1)
    assert em.task("Replicate-Prod", "orders")["state"] == "RUNNING"


# The state document


@pytest.mark.parametrize(
    ("document", "words"),
    [
        ({"servers": [{}]}, "name is missing"),
        ({"servers": [{"name": ""}]}, "must not be empty"),
        ({"servers": [{"name": "a"}, {"name": "a"}]}, "'a' is there twice"),
        ({"servers": [{"name": "a", "tasks": [{"name": "t"}, {"name": "t"}]}]}, "'t' is there twice"),
        ({"servers": [{"name": "a", "type": "TALEND"}]}, "COMPOSE"),
        ({"servers": [{"name": "a", "license": {"state": "OK"}}]}, "VALID_LICENSE"),
        ({"servers": [{"name": "a", "port": 443}]}, "must be a string"),
        ({"users": [{"name": "u"}, {"name": "U"}]}, "'u' is there twice"),
        ({"users": [{"name": "u", "grants": [{"role": "God"}]}]}, "Viewer, Operator"),
        ({"users": [{"name": "u", "grants": [{"role": "Admin", "task": "t"}]}]}, "must name its server"),
        ({"users": [{"name": "u", "grants": [{"role": "Admin", "server": "s", "all_servers": True}]}]}, "not on both"),
        ({"options": {"idle": 1}}, "unknown member 'idle'"),
    ],
)
def test_bad_documents(em: Handle, document: dict, words: str) -> None:
    """Refused as a whole; what was goes on."""
    with pytest.raises(InputError, match=words):
        em.reset(document)
    assert em.task("Replicate-Prod", "orders")["state"] == "RUNNING"


def test_documents_are_not_shared(em: Handle) -> None:
    """What one test changes, the next one does not see; and the caller's document stays as it is."""
    document = {"servers": [{"name": "s", "tasks": [{"name": "t", "assigned_tags": ["x"]}]}]}
    for _turn in range(2):
        em.reset(document)
        em.set_task("s", "t", description="changed", details={"x": 1})
    assert document == {"servers": [{"name": "s", "tasks": [{"name": "t", "assigned_tags": ["x"]}]}]}


def test_a_document_from_a_file(tmp_path: Path) -> None:
    """YAML or JSON, and options of the start that beat its own."""
    path = tmp_path / "state.yml"
    path.write_text("options: {session_idle_seconds: 5, show_transient: false}\nservers:\n  - {name: ä}\n", "utf-8")
    with running(state=path, idle_seconds=7) as em:
        assert list(em.state()["servers"]) == ["ä"]
        assert em.state()["options"]["session_idle_seconds"] == 7
        assert em.state()["options"]["show_transient"] is False
        assert (em.username, em.api_token) == (None, None)
        em.reset()
        assert list(em.state()["servers"]) == ["ä"]


@pytest.mark.parametrize("options", [{"host": "0.0.0.0"}, {"host": "::"}, {"host": "10.0.0.1"}])
def test_only_this_machine(options: dict) -> None:
    """It is not a server for a network."""
    with pytest.raises(InputError, match="loopback"), running(**options):
        pass


def test_the_handle_knows_how_to_log_in(em: Handle) -> None:
    """Every way."""
    assert em.url.startswith("https://localhost:")
    assert (em.username, em.password) == ("operator@corp.example", "operator-test-password")
    assert (em.api_token, em.jwt) == ("operator-test-api-token", "operator.test.jwt")


def test_nothing_is_left_behind() -> None:
    """Neither files nor a listening port."""
    with running() as em:
        folder, port = Path(em.ca_path).parent, urlsplit(em.url).port
        assert folder.is_dir()
    assert not folder.exists()
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", port), timeout=2)


# The command line


@contextlib.contextmanager
def process(
    *arguments: str, start: tuple[str, ...] = ("-m", "tests.simulator"), cwd: Path = ROOT
) -> Iterator[subprocess.Popen[str]]:
    """The stand-in as a process of its own."""
    command = [sys.executable, *start, *arguments]
    with subprocess.Popen(command, cwd=cwd, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as child:
        try:
            yield child
        finally:
            child.kill()


def ready(path: Path) -> dict[str, Any]:
    """Wait for the ready file."""
    eventually(path.exists, 15)
    return json.loads(path.read_text())


class Access:
    """Enough of a handle for the client."""

    def __init__(self, access: dict[str, Any]) -> None:
        self.__dict__.update(access)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_command_line(tmp_path: Path, number: signal.Signals) -> None:
    """Start by path from anywhere, ready file, exports to paste, a clean end."""
    path = tmp_path / "ready.json"
    options = ("--ready-file", str(path), "--paste", "export PATH=/x")
    with process(*options, start=(str(ROOT / "tests" / "simulator"),), cwd=tmp_path) as child:
        access = ready(path)
        assert access["pid"] == child.pid
        assert {"url", "ca_path", "control_url", "username", "password", "api_token", "jwt"} < set(access)
        with Client(Access(access)) as client:
            assert client.log_in().status == 200
        client.connection.close()
        child.send_signal(number)
        output, errors = child.communicate(timeout=10)
    assert (child.returncode, errors) == (0, "")
    for key, name in (("url", "URL"), ("ca_path", "CA_PATH"), ("username", "USERNAME"), ("password", "PASSWORD")):
        assert f"export QLIK_EM_{name}='{access[key]}'\n" in output
    assert "\n  export PATH=/x\n" in output
    for role in ROLES:
        assert f"{role}: " in output and f"{role.lower()}@corp.example / {role.lower()}-test-password\n" in output
    assert access["control_url"] in output
    assert not path.exists()
    assert not Path(access["ca_path"]).parent.exists()


def test_command_line_options(tmp_path: Path) -> None:
    """All of them at once, as a module; ended over the control address while a client waits."""
    path, tls, faults = tmp_path / "ready.json", tmp_path / "tls", tmp_path / "faults.yml"
    faults.write_text("- {fault: status, status: 503}\n")
    options = ["--no-transient", "--no-task-stop-reason", "--server-details-key", "serverDetails", "--client-cert"]
    more = ["--idle-seconds", "12", "--tls-dir", str(tls), "--faults", str(faults), "--ready-file", str(path)]
    with process(*options, *more) as child:
        access = ready(path)
        assert Path(access["ca_path"]) == tls / "ca.pem"
        with Client(Access(access)) as client:
            client.connection._context.load_cert_chain(access["client_cert"], access["client_key"])
            assert [client.log_in().status, client.log_in().status] == [503, 200]
            assert "serverDetails" in client.call("GET", PROD).json
            assert "task_stop_reason" not in client.call("GET", ORDERS).json
            assert control(access["control_url"], "GET", "/state")[1]["options"] == {
                "session_idle_seconds": 12,
                "show_transient": False,
                "task_stop_reason": False,
                "server_details_key": "serverDetails",
                "license_registered": True,
                "most_calls": None,
            }
            client.connection.putrequest("POST", f"/attunityenterprisemanager/api/v1{STOP}")
            client.connection.putheader(SESSION, str(client.session))
            client.connection.putheader("Content-Length", "0")
            client.connection.endheaders()
            assert control(access["control_url"], "POST", "/shutdown") == (200, {})
            child.communicate(timeout=10)
    assert child.returncode == 0
    assert (tls / "ca.pem").exists()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--host", "0.0.0.0"], "loopback"),
        (["--state", "/nowhere.yml"], "can't be read"),
        (["--faults", __file__], "neither YAML nor JSON"),
        (["--tls-dir", "/dev/null/x"], "can't start"),
    ],
)
def test_a_start_that_fails(capsys: pytest.CaptureFixture[str], arguments: list[str], words: str) -> None:
    """One line, no traceback, nothing on standard output."""
    assert cli.main(arguments) == 2
    output, errors = capsys.readouterr()
    assert words in errors
    assert (output, errors.count("Traceback")) == ("", 0)


def test_a_port_that_is_taken(em: Handle) -> None:
    """Said, and nothing is left behind."""
    with pytest.raises(OSError), running(port=int(str(urlsplit(em.url).port))):
        pass


def test_it_dies_with_its_parent(tmp_path: Path) -> None:
    """A test run that is killed leaves nothing running."""
    path = tmp_path / "ready.json"
    program = (
        "import subprocess, sys, time\n"
        "subprocess.Popen([sys.executable, *sys.argv[1:]], stdout=subprocess.DEVNULL)\n"
        "time.sleep(60)\n"
    )
    stand_in = [str(ROOT / "tests" / "simulator"), "--die-with-parent", "--ready-file", str(path)]
    with subprocess.Popen([sys.executable, "-c", program, *stand_in]) as parent:
        pid = ready(path)["pid"]
        parent.kill()
    eventually(lambda: not _lives(pid), 5)
    assert not path.exists()


def test_in_the_background_it_says_where_it_is_and_goes_on(tmp_path: Path) -> None:
    """A playbook needs no other task to wait for it; nothing is left behind."""
    command = [sys.executable, str(ROOT / "tests" / "simulator"), "--background"]
    started = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True)
    access = json.loads(started.stdout)
    assert _lives(access["pid"])
    with Client(Access(access)) as client:
        assert client.log_in().status == 200
    control(access["control_url"], "POST", "/shutdown")
    eventually(lambda: not _lives(access["pid"]), 5)
    assert not Path(access["ca_path"]).parent.exists()
    command += ["--tls-dir", "/dev/null/x"]
    failed = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert (failed.returncode, failed.stdout) == (2, "") and "can't start" in failed.stderr


def test_it_ends_after_its_lifetime(tmp_path: Path) -> None:
    """A playbook that broke off before its last task leaves nothing running for long."""
    path = tmp_path / "ready.json"
    command = [sys.executable, str(ROOT / "tests" / "simulator"), "--lifetime", "1", "--ready-file", str(path)]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL) as process:
        assert process.wait(20) == 0
    assert not path.exists()


def _lives(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    with contextlib.suppress(OSError):  # a dead one that nobody has collected yet
        return ") Z " not in Path(f"/proc/{pid}/stat").read_text()
    return False


# Size


def test_a_reset_is_little_work(em: Handle) -> None:
    """A state machine does hundreds of them."""
    assert function_calls(em, em.reset) < 10_000


def fleet(servers: int) -> dict[str, Any]:
    """100 tasks on each server; the first of each stops only when it is let go."""
    tasks = [{"name": f"task {number}", "state": "RUNNING", "stuck_in_stopping": number == 0} for number in range(100)]
    user = {"name": "u", "password": "p", "grants": [{"role": "Operator"}]}
    return {"users": [user], "servers": [{"name": f"s{number}", "tasks": tasks} for number in range(servers)]}


def test_ten_times_the_tasks_are_ten_times_the_work(em: Handle) -> None:
    """Whoever looks up each task among all of them does a hundredfold."""
    small, large = (function_calls(em, partial(em.reset, fleet(servers))) for servers in (5, 50))
    assert large < 11 * small


def test_thousands_of_tasks_and_many_clients(em: Handle) -> None:
    """50 servers with 100 tasks each; 20 clients at once, none of which waits for another."""
    em.reset(fleet(50))
    failures: list[str] = []

    def work(number: int) -> None:
        with Client(em) as client:
            client.log_in("u", "p")
            for task in range(5):
                reply = client.call("POST", f"{task_path(f's{number}', f'task {task}')}?action=stop")
                if reply.status != 200 or reply.json["state"] != "STOPPED":
                    failures.append(str(reply))
            listed = client.call("GET", f"/servers/s{number}/tasks").json["taskList"]
            if sum(task["state"] == "STOPPED" for task in listed) != 5:
                failures.append("list")

    def stops() -> list[dict[str, Any]]:
        return [entry for entry in em.requests() if entry["operation"] == "StopTask"]

    threads = [threading.Thread(target=work, args=(number,)) for number in range(20)]
    for thread in threads:
        thread.start()
    eventually(lambda: len(stops()) == 20, 60)  # all of them, at once
    for number in range(20):
        em.set_task(f"s{number}", "task 0", stuck_in_stopping=False)
    for thread in threads:
        thread.join()
    assert failures == []
    assert sum(entry["executed"] for entry in stops()) == 100


def test_the_readme_has_a_login_of_each_role(em: Handle, client: Client) -> None:
    """One that works, and has that role on everything."""
    page = (ROOT / "tests" / "simulator" / "README.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| (\w+) \| `(\S+@\S+)` \| `(\S+)` \|$", page, re.MULTILINE)
    assert [role for role, _user, _password in rows] == list(ROLES)
    users = {
        login: user
        for user in yaml.safe_load(DEFAULT_DOCUMENT.read_text(encoding="utf-8"))["users"]
        for login in user.get("logins", [])
    }
    for role, user, password in rows:
        assert client.log_in(user, password).status == 200
        assert {"role": role} in users[user]["grants"]
