# Copyright (c) 2026, dataops.qlik_em contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""In process or as a module: which way is taken and why, and what running in process must not do.

Real ansible-playbook children. That both ways give the same results is tested in test_same_results.py,
with each ansible-core.
"""

from __future__ import annotations

import getpass
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.dataops.qlik_em.tests.functional.ways.children import (
    AS_MODULE,
    COLLECTIONS,
    IN_PROCESS,
    Controller,
    await_that,
)

INFO = {"dataops.qlik_em.aem_task_info": {"server": "Replicate-Prod", "name": "orders"}}
STUCK = {"server": "Replicate-Test", "name": "stuck", "state": "stopped", "timeout": 1, "wait": True}

FAR_CONNECTION = """
DOCUMENTATION = "name: far\\nshort_description: Elsewhere\\ndescription: [Not local]\\noptions: {}"
from ansible.plugins.connection.local import Connection as Local
class Connection(Local):
    transport = "far"
"""
SELF_BECOME = """
DOCUMENTATION = \"\"\"
name: nobody_else
short_description: Becomes nobody else
description: [Runs the command as it is]
options:
  become_user: {description: [who], default: me}
  become_exe: {description: [how], default: ""}
  become_flags: {description: [how], default: ""}
  become_pass: {description: [word], default: ""}
\"\"\"
from ansible.plugins.become import BecomeBase
class BecomeModule(BecomeBase):
    name = "nobody_else"
    def build_become_command(self, cmd, shell):
        return cmd
"""
# Looks at the worker's process before and after each item of a loop, and at the task's arguments.
WATCHER = """
import json, os
from ansible_collections.dataops.qlik_em.plugins.plugin_utils import _action

def see(action):
    return {
        "args": repr(action._task.args), "environ": dict(os.environ), "cwd": os.getcwd(),
        "state": sorted(name for name in vars(action) if name not in ("_used_interpreter",)),
        "pools": len(_action._transports),
    }

run = _action.ActionFrame.run
def watched(self, tmp=None, task_vars=None):
    before = see(self)
    try:
        return run(self, tmp, task_vars)
    finally:
        with open(os.environ["WATCHED"], "a") as file:
            file.write(json.dumps([before, see(self)]) + "\\n")
_action.ActionFrame.run = watched
"""


@pytest.fixture
def controller(em, tmp_path: Path) -> Controller:
    """A controller whose variables lead to the stand-in."""
    variables = {f"QLIK_EM_{name.upper()}": getattr(em, name) for name in ("url", "ca_path", "username", "password")}
    return Controller(tmp_path, variables, is_measured=True)


def run(controller: Controller, *tasks: dict[str, Any], status: int | None = 0, **play: Any) -> str:
    """Run a play to its end and return its output."""
    with controller.play(list(tasks), **play) as child:
        found = child.wait()
        assert status is None or found == status, child.output
        return child.output


def ways(output: str) -> list[str]:
    """The ways taken, in order; in process is an empty reason."""
    lines = [line for line in output.splitlines() if " runs " in line and "aem_" in line]
    return [reason[2] if (reason := AS_MODULE.search(line)) else "" for line in lines]


def plugin_folder(controller: Controller, name: str, text: str) -> str:
    """A folder with one plugin of this test's own."""
    folder = controller.folder / f"{name} plugins"
    folder.mkdir()
    (folder / f"{name}.py").write_text(text, encoding="utf-8")
    return str(folder)


def test_a_local_task_runs_in_process_unless_something_stands_against_it(controller):
    connections = plugin_folder(controller, "far", FAR_CONNECTION)
    become = plugin_folder(controller, "nobody_else", SELF_BECOME)
    output = run(
        controller,
        INFO,
        INFO | {"become": True, "become_method": "nobody_else", "become_user": getpass.getuser()},
        INFO | {"become": False},
        INFO | {"async": 60, "poll": 1},
        INFO | {"async": 60, "poll": 0, "register": "job"},
        {
            "ansible.builtin.async_status": {"jid": "{{ job.ansible_job_id }}"},
            "register": "end",
            "until": "end is finished",
            "retries": 200,
            "delay": 1,
        },
        {"ansible.builtin.assert": {"that": "end.tasks[0].name == 'orders'"}},
        INFO | {"vars": {"ansible_connection": "far"}},
        INFO | {"delegate_to": "there", "vars": {"ansible_connection": "local"}},
        INFO | {"vars": {"aem_run_as_module": "{{ 1 == 1 }}"}},
        INFO | {"vars": {"aem_run_as_module": "yes"}},
        INFO | {"vars": {"aem_run_as_module": "{{ false }}"}},
        INFO | {"vars": {"aem_run_as_module": "no"}},
        INFO | {"vars": {"aem_run_as_module": None}},
        variables={"ANSIBLE_CONNECTION_PLUGINS": connections, "ANSIBLE_BECOME_PLUGINS": become},
    )
    assert ways(output) == [
        "",
        "become",
        "",
        "async",
        "async",
        "the connection is far",
        "",
        "aem_run_as_module is true",
        "aem_run_as_module is true",
        *([""] * 3),
    ]


def test_the_inventory_decides_for_each_host(controller):
    local = {"ansible_connection": "local", "ansible_python_interpreter": "{{ ansible_playbook_python }}"}
    hosts = {"a": local, "b": local | {"aem_run_as_module": True}}
    inventory = controller.folder / "hosts.json"
    inventory.write_text(json.dumps({"all": {"hosts": hosts}}), encoding="utf-8")
    with controller.play([INFO], "-i", str(inventory), "--forks", "1", hosts="all") as child:
        assert child.wait() == 0
        assert ways(child.output) == ["", "aem_run_as_module is true"]


def test_without_requests_beside_ansible_the_module_runs_and_says_so(controller):
    shim = controller.folder / "shim"
    shim.mkdir()
    (shim / "requests.py").write_text("raise ImportError('no requests here')", encoding="utf-8")
    output = run(controller, INFO, status=2, variables={"PYTHONPATH": str(shim)})
    assert ways(output) == ["ansible-core's own Python lacks a library: no requests here"]
    assert "The Python library requests is missing for" in output


# A Python without the type hints of 3.9, in its words.
PYTHON_3_8 = """#!{python}
import collections.abc, runpy, sys

def refuse(_type):
    raise TypeError("'ABCMeta' object is not subscriptable")

collections.abc.Callable.__class_getitem__ = refuse
del sys.argv[0]
runpy.run_path(sys.argv[0], run_name="__main__")
"""


def test_a_module_on_an_old_python_says_so_in_one_line(controller, tmp_path):
    old = tmp_path / "python3.8"
    old.write_text(PYTHON_3_8.format(python=sys.executable))
    old.chmod(0o755)
    tasks = [dict(INFO, ignore_errors=True), {"ansible.builtin.debug": {"msg": "after it"}}]
    output = run(controller, *tasks, vars={"aem_run_as_module": True, "ansible_python_interpreter": str(old)})
    assert f"The modules need Python 3.9 or newer, and {old} is older. Nothing was sent." in output
    assert "Traceback" not in output and "after it" in output


def test_a_loop_uses_one_connection_and_logs_in_and_out_for_each_item(controller, em):
    run(controller, INFO | {"loop": list(range(20))})
    summary = em.summary()
    assert (summary["logins"], summary["logouts"], summary["open_sessions"]) == (20, 20, 0)
    assert summary["tcp_connections"] == 1


def test_items_with_other_tls_options_do_not_share_a_connection_and_others_do(controller, em):
    item = {"server": "Replicate-Prod", "name": "orders", "validate_certs": "{{ item[0] }}"}
    users = {"username": "{{ item[1] }}@corp.example", "password": "{{ item[1] }}-test-password"}
    loop = [[verify, user] for user in ("operator", "viewer") for verify in (True, False)]
    run(controller, {"dataops.qlik_em.aem_task_info": item | users, "loop": loop})
    connections = {(request["connection"], request["user"]) for request in em.requests() if request["user"]}
    assert em.summary()["tcp_connections"] == 2
    assert {user for _connection, user in connections} == {"operator", "viewer"}
    assert len(connections) == 4


def test_the_worker_is_as_it_was_after_each_item(controller):
    watched = controller.folder / "watched"
    # As a callback, because Ansible loads these at the start.
    plugins = plugin_folder(
        controller,
        "watcher",
        WATCHER
        + "from ansible.plugins.callback import CallbackBase\n"
        + "class CallbackModule(CallbackBase):\n    CALLBACK_TYPE, CALLBACK_NAME = 'aggregate', 'watcher'\n",
    )
    late = {"dataops.qlik_em.aem_task": STUCK | {"wait_timeout": 100}, "timeout": 8, "ignore_errors": True}
    wrong = {"dataops.qlik_em.aem_task": {"nonsense": "{{ item }}"}, "loop": [1, 2], "ignore_errors": True}
    run(
        controller,
        INFO | {"loop": [1, 2], "environment": {"QLIK_EM_CONNECT_TIMEOUT": "{{ item }}0", "NEW": "x"}},
        INFO | {"until": "false", "retries": 1, "delay": 0, "ignore_errors": True},
        wrong | {"environment": {"NEW": "x"}},
        late | {"environment": {"NEW": "x"}},
        variables={"ANSIBLE_CALLBACK_PLUGINS": plugins, "WATCHED": str(watched)},
    )
    sights = [json.loads(line) for line in watched.read_text(encoding="utf-8").splitlines()]
    assert len(sights) == 7
    for before, after in sights:
        for name in ("args", "environ", "cwd", "state"):
            assert after[name] == before[name]
        assert "NEW" not in after["environ"]


def test_a_task_that_runs_out_of_time_is_logged_out(controller, em):
    task = {"dataops.qlik_em.aem_task": STUCK | {"wait_timeout": 100}, "timeout": 10}
    output = run(controller, task, status=2)
    assert ways(output) == [""]
    await_that(lambda: em.summary()["open_sessions"] == 0, "the session is closed")
    summary = em.summary()
    assert (summary["logins"], summary["logouts"]) == (1, 1)


def test_importing_the_action_plugins_opens_nothing():
    code = """
import socket, ssl, sys, threading
def never(*args, **kwargs):
    raise AssertionError("opened at import")
ssl.SSLContext.__new__ = never
import requests, urllib3
requests.Session.__init__ = requests.adapters.HTTPAdapter.__init__ = urllib3.PoolManager.__init__ = never
threading.Thread.start = never
socket.socket.connect = never
from ansible.plugins.loader import init_plugin_loader
init_plugin_loader()
from ansible.plugins.loader import action_loader
for name in ("aem_task", "aem_task_info", "aem_session"):
    plugin = action_loader.get("dataops.qlik_em." + name, class_only=True)
    module = sys.modules[plugin.__module__]
    assert module.main.__module__.endswith(".plugins.modules." + name), "ansible-lint needs main"
from ansible_collections.dataops.qlik_em.plugins.plugin_utils import _action
assert not _action._transports
print("fine")
"""
    environ = dict(os.environ, ANSIBLE_COLLECTIONS_PATH=str(COLLECTIONS))
    done = subprocess.run([sys.executable, "-c", code], env=environ, capture_output=True, text=True, check=False)
    assert done.stdout == "fine\n", done.stderr


@pytest.mark.parametrize("as_module", [False, True])
def test_a_session_id_is_not_shown_and_a_failure_is(controller, em, as_module):
    session = {"dataops.qlik_em.aem_session": {}}
    output = run(
        controller,
        session | {"register": "em"},
        session | {"loop": [1]},
        {"ansible.builtin.assert": {"that": "em.session_id is string"}},
        {"dataops.qlik_em.aem_session": {"username": "nobody", "password": "wrong"}, "ignore_errors": True},
        vars={"aem_run_as_module": as_module},
    )
    ids = {request["session"] for request in em.requests()} - {None}
    for request in em.requests():
        ids |= {value for name, value in request["headers"].items() if "SessionID" in name}
    assert not [one for one in ids if one in output]
    assert "censored" in output and '"http_status": 401' in output


def test_a_session_is_not_opened_in_the_background(controller, em):
    output = run(controller, {"dataops.qlik_em.aem_session": {}, "async": 10, "poll": 0}, status=2)
    assert "does not support async" in output or "async is not supported" in output
    assert em.requests() == []


@pytest.mark.parametrize("place", ["_tasks.state.ensure", "_client.client.Client.close", "_run.run.connection_from"])
def test_a_crash_in_process_shows_no_secret(controller, em, place):
    room, module, name = place.split(".", 2)
    crash = (
        f"from ansible_collections.dataops.qlik_em.plugins.module_utils.{room} import {module}\n"
        "from ansible.plugins.callback import CallbackBase\n"
        "def crash(*args, **kwargs):\n"
        "    try:\n"
        f"        raise KeyError({em.password!r})\n"
        "    except KeyError as error:\n"
        f"        raise ValueError('crash with ' + {em.password!r}) from error\n"
        f"{module}.{name} = crash\n"
        "class CallbackModule(CallbackBase):\n    CALLBACK_TYPE, CALLBACK_NAME = 'aggregate', 'crash'\n"
    )
    plugins = plugin_folder(controller, "crash", crash)
    task = {"dataops.qlik_em.aem_task": STUCK | {"name": "no such", "wait": False}}
    settings = {"ANSIBLE_CALLBACK_PLUGINS": plugins, "ANSIBLE_DISPLAY_TRACEBACK": "always"}
    output = run(controller, task, status=2, variables=settings)
    assert IN_PROCESS.search(output) and "crash with ********" in output
    assert str(em.password) not in output
