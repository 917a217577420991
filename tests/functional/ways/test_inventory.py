# Copyright (c) 2026, dataops.qlik_em contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The inventory plugin in real ansible-inventory and ansible-playbook processes, over HTTPS, with each ansible-core."""

from __future__ import annotations

import base64
import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import yaml
from ansible_collections.dataops.qlik_em.plugins.inventory import servers as plugin
from ansible_collections.dataops.qlik_em.tests.functional.ways.children import Controller, await_that

PLUGIN = "dataops.qlik_em.servers"
SERVERS = ["Compose-DW", "Replicate Old", "Replicate-Down", "Replicate-Prod", "Replicate-Test", "Replicate-Unlicensed"]
LOST = ["Replicate Old", "Replicate-Down", "Replicate-Unlicensed"]  # their tasks cannot be read
WRONG = "not-the-right-one"


class Listed(NamedTuple):
    """What ansible-inventory showed, and what it sent."""

    hosts: dict[str, dict[str, Any]]
    groups: dict[str, list[str]]
    output: str
    operations: list[str]


class Inventory:
    """Somebody who writes inventory files and lists them."""

    def __init__(self, em: Any, folder: Path) -> None:
        self.em, self.folder = em, folder
        self.login = {"QLIK_EM_USERNAME": em.username, "QLIK_EM_PASSWORD": em.password}
        variables = {"QLIK_EM_URL": em.url, "QLIK_EM_CA_PATH": em.ca_path}
        self.controller = Controller(folder, variables, is_measured=True)

    def write(self, called: str = "em.qlik_em.yml", text: str | None = None, **options: Any) -> Path:
        """Write a file; JSON is YAML."""
        file = self.folder / called
        file.write_text(text or json.dumps({"plugin": PLUGIN, **options}), encoding="utf-8")
        return file

    def list(self, *arguments: str, file: Path | None = None, environ: dict[str, str] | None = None, **options: Any):
        """Run ansible-inventory with -vvvv on a file with these options."""
        shown, before = self.folder / "shown.json", len(self.em.requests())
        command = ["--list", "-v", "--output", str(shown), "--inventory", str(file or self.write(**options))]
        with self.controller.start("ansible-inventory", *command, *arguments, **(environ or self.login)) as child:
            assert child.wait() == 0, child.output
            found, output = json.loads(shown.read_text()), child.output
        groups = {name: group["hosts"] for name, group in found.items() if "hosts" in group}
        operations = [request["operation"] for request in self.em.requests()[before:]]
        return Listed(found["_meta"]["hostvars"], groups, output, operations)


@pytest.fixture
def inventory(em, tmp_path: Path) -> Inventory:
    return Inventory(em, tmp_path)


def operator(em: Any) -> dict[str, Any]:
    """The user of a stand-in with other servers."""
    return {"name": em.username, "logins": [em.username], "password": em.password, "grants": [{"role": "Operator"}]}


def text_of(value: Any) -> str:
    """A text of a host, however ansible-inventory shows one that must never be evaluated."""
    return value["__ansible_unsafe"] if isinstance(value, dict) else value


def words(text: str) -> str:
    """A text whose lines Ansible may have wrapped."""
    return " ".join(text.split())


def test_servers(inventory):
    found = inventory.list()
    assert sorted(found.hosts) == SERVERS and found.operations == ["Login", "GetServerList", "Logout"]
    assert found.hosts["Replicate-Prod"] == {
        "qlik_em_server": "Replicate-Prod",
        "qlik_em_type": "REPLICATE",
        "qlik_em_state": "MONITORED",
        "qlik_em_message": "",
        "qlik_em_description": "Production replication",
        "qlik_em_host": "replicate-prod.corp.example",
        "qlik_em_port": "443",
        "qlik_em_platform": "LINUX",
        "qlik_em_version": "2021.5.0.745",
        "qlik_em_last_connection": "2026-01-15T08:30:00",
    }


def test_details_and_tasks_of_servers(inventory):
    found = inventory.list(details=True, tasks=True, server=["Replicate-[PT]*", "Compose-DW"], parallel=3)
    assert found.operations[:2] == ["Login", "GetServerList"] and found.operations[-1] == "Logout"
    assert sorted(found.operations[2:-1]) == ["GetServerDetails"] * 3 + ["GetTaskList"] * 3
    host = found.hosts["Replicate-Prod"]
    assert host["qlik_em_license"]["days_to_expiration"] == 365
    assert host["qlik_em_username"] == "em-service"
    states = {task["name"]: task["state"] for task in host["qlik_em_tasks"]}
    assert states["orders"] == "RUNNING" and states["Aufträge & Kunden 100%"] == "RUNNING" and len(states) == 6


def test_servers_are_read_side_by_side_up_to_the_bound(inventory, em):
    em.reset({"users": [operator(em)], "servers": [{"name": f"S{number}"} for number in range(12)]})
    em.faults([{"match": {"operation": "GetServerDetails"}, "fault": "delay", "seconds": 0.3, "nth": "all"}])
    assert len(inventory.list(details=True, parallel=3).hosts) == 12
    summary = em.summary()
    assert summary["tcp_connections"] == 3 and summary["logins"] == 1 and summary["open_sessions"] == 0


def test_a_server_named_literally_needs_no_list(inventory):
    assert inventory.list(server=["Replicate Old"]).operations == ["Login", "GetServerDetails", "Logout"]


def test_tasks(inventory):
    found = inventory.list(hosts="tasks", server=["Replicate-Test", "Replicate-Prod"])
    assert sorted(found.operations) == ["GetTaskList", "GetTaskList", "Login", "Logout"]
    assert len(found.hosts) == 12
    assert found.hosts["Replicate-Prod/orders"] == {
        "qlik_em_server": "Replicate-Prod",
        "qlik_em_task": "orders",
        "qlik_em_state": "RUNNING",
        "qlik_em_stop_reason": "NONE",
        "qlik_em_message": "",
        "qlik_em_assigned_tags": ["prod", "erp"],
    }
    assert found.hosts["Replicate-Test/north%2Fsouth"]["qlik_em_task"] == "north/south"
    assert found.hosts["Replicate-Test/在庫 — été"]["qlik_em_task"] == "在庫 — été"


def test_details_of_tasks_and_what_chooses_among_them(inventory):
    found = inventory.list(
        hosts="tasks", server=["Replicate-Prod"], name=["o*", "i*"], state=["running"], tag=["erp"], details=True
    )
    assert found.operations == ["Login", "GetTaskList", "GetTaskDetails", "Logout"]
    assert list(found.hosts) == ["Replicate-Prod/orders"]
    assert "total_latency" in found.hosts["Replicate-Prod/orders"]["qlik_em_cdc_latency"]
    found = inventory.list(hosts="tasks", server=["Replicate-Prod"], name=["orders"], details=True)
    assert found.operations == ["Login", "GetTaskDetails", "Logout"]


def test_a_task_that_is_deleted_meanwhile_is_left_out(inventory, em):
    deleted = {"fault": "error", "error_code": "AEM_TASK_NOT_FOUND"}
    em.faults([{"match": {"operation": "GetTaskDetails", "task": "orders"}, **deleted}])
    found = inventory.list(hosts="tasks", server=["Replicate-Prod"], name=["o*", "i*"], details=True)
    assert list(found.hosts) == ["Replicate-Prod/invoices"]


def test_two_tasks_of_one_name_and_names_with_a_slash_are_hosts_of_their_own(inventory, em):
    names = {"a": ["b/c", "x"], "a/b": ["c", "x"], "a%2Fb": ["c"], "a%252Fb": ["c"]}
    tasks = {server: [{"name": task} for task in tasks] for server, tasks in names.items()}
    servers = [{"name": server, "tasks": tasks} for server, tasks in tasks.items()]
    em.reset({"users": [operator(em)], "servers": servers})
    found = inventory.list(hosts="tasks")
    pairs = sorted((host["qlik_em_server"], host["qlik_em_task"]) for host in found.hosts.values())
    assert pairs == sorted((server, task) for server, tasks in names.items() for task in tasks)
    assert {"a/b%2Fc", "a%2Fb/c", "a/x", "a%2Fb/x", "a%252Fb/c", "a%25252Fb/c"} == set(found.hosts)


def test_groups_and_variables(inventory):
    found = inventory.list(
        hosts="tasks",
        server=["Replicate-Prod"],
        strict=True,
        compose={"ansible_connection": "'local'", "label": "qlik_em_server ~ ':' ~ qlik_em_task"},
        groups={"orders": "label == 'Replicate-Prod:orders'", "talks": "qlik_em_message | length > 0"},
        keyed_groups=[
            {"prefix": "task", "key": "qlik_em_state | lower"},
            {"prefix": "tag", "key": "qlik_em_assigned_tags | default([])"},
        ],
    )
    assert found.groups["orders"] == ["Replicate-Prod/orders"]
    assert found.groups["task_error"] == ["Replicate-Prod/invoices"]
    assert found.groups["talks"] == ["Replicate-Prod/invoices", "Replicate-Prod/shipments"]
    assert "Replicate-Prod/locked" in found.groups["tag_prod"]
    assert "ansible_host" not in found.hosts["Replicate-Prod/orders"]


def test_strict_names_the_host(inventory):
    found = inventory.list(groups={"odd": "nowhere == 1"})
    assert sorted(found.hosts) == SERVERS and "odd" not in found.groups
    found = inventory.list(groups={"odd": "nowhere == 1"}, strict=True)
    assert "Could not add host Replicate-Prod to group odd" in words(found.output)


def test_a_server_that_does_not_answer_fails_and_is_named(inventory):
    found = inventory.list(hosts="tasks")
    assert not found.hosts and found.operations.count("Login") == 1 and found.operations[-1] == "Logout"
    for server in LOST:
        assert f'GetTaskList of server "{server}" failed' in words(found.output)
    assert "on_server_error: skip" in words(found.output)


def test_a_server_that_does_not_answer_is_a_host_of_its_own_group(inventory):
    found = inventory.list(
        hosts="tasks", on_server_error="skip", strict=True, groups={"up": "qlik_em_state == 'RUNNING'"}
    )
    assert found.groups["unreachable_servers"] == LOST
    assert "cannot be reached" in text_of(found.hosts["Replicate-Down"]["qlik_em_error"])
    assert 'Server "Replicate-Down" was skipped' in words(found.output)
    assert "Replicate-Prod/orders" in found.groups["up"]
    found = inventory.list(tasks=True, on_server_error="skip")
    assert sorted(found.hosts) == SERVERS and found.groups["unreachable_servers"] == LOST
    assert (
        found.hosts["Replicate-Down"]["qlik_em_state"] == "ERROR"
        and "qlik_em_tasks" not in found.hosts["Replicate-Down"]
    )


@pytest.mark.parametrize("given", ["file", "environment"])
def test_a_wrong_password_is_sent_once_and_never_shown(inventory, em, given):
    options, environ = {"username": em.username, "password": WRONG}, {"QLIK_EM_URL": em.url}
    if given == "environment":
        options, environ = {}, {"QLIK_EM_USERNAME": em.username, "QLIK_EM_PASSWORD": WRONG}
    # Both the plugin itself and "auto" try the file.
    enabled = {"ANSIBLE_INVENTORY_ENABLED": f"{PLUGIN},auto"}
    found = inventory.list("-vv", environ={**environ, **enabled}, **options)
    assert not found.hosts and found.operations == ["Login"]
    assert "refused to log in" in words(found.output) and WRONG not in found.output


def test_nothing_secret_is_shown_or_kept(inventory, em, tmp_path):
    cache = {"cache": True, "cache_plugin": "ansible.builtin.jsonfile", "cache_connection": str(tmp_path / "cache")}
    found = inventory.list(
        "-vv", username=em.username, password=em.password, details=True, on_server_error="skip", **cache
    )
    assert found.hosts
    kept = [path for path in tmp_path.rglob("*") if path.is_file() and path.name != "em.qlik_em.yml"]
    assert any(path.parent.name == "cache" for path in kept)
    for path in kept:
        assert em.password.encode() not in path.read_bytes(), path


def test_the_second_run_asks_the_cache(inventory, tmp_path):
    cache = {"cache": True, "cache_plugin": "ansible.builtin.jsonfile", "cache_connection": str(tmp_path / "cache")}
    options = {"hosts": "tasks", "on_server_error": "skip", **cache}
    first = inventory.list(**options)
    again = inventory.list(**options)
    assert again.operations == [] and again.hosts == first.hosts and again.groups == first.groups
    assert 'Server "Replicate-Down" was skipped' in words(again.output)
    other = inventory.list(**{**options, "server": ["Replicate-Prod"]})
    assert other.operations == ["Login", "GetTaskList", "Logout"] and len(other.hosts) == 6
    refreshed = [{"ansible.builtin.meta": "refresh_inventory"}]
    before = len(inventory.em.requests())
    with inventory.controller.play(
        refreshed, "-i", str(inventory.write(**options)), variables=inventory.login
    ) as child:
        assert child.wait() == 0, child.output
    sent = [request["operation"] for request in inventory.em.requests()[before:]]
    assert sent.count("Login") == 1 and sent.count("GetTaskList") == 6


def test_an_empty_value_is_not_given(inventory):
    empty = {f"QLIK_EM_{name}": "" for name in ("API_TOKEN", "JWT", "SESSION_ID", "PROXY", "CLIENT_CERT", "CLIENT_KEY")}
    empty |= {"QLIK_EM_VALIDATE_CERTS": "", "QLIK_EM_REQUEST_TIMEOUT": "", "QLIK_EM_CONNECT_TIMEOUT": ""}
    found = inventory.list(
        environ={**inventory.login, **empty},
        jwt="{{ lookup('ansible.builtin.env', 'QLIK_EM_JWT') }}",
        request_timeout="{{ lookup('ansible.builtin.env', 'QLIK_EM_REQUEST_TIMEOUT') }}",
        url="",
    )
    assert sorted(found.hosts) == SERVERS


def test_templates_extra_variables_and_vaulted_values(inventory, em, tmp_path):
    key = tmp_path / "key"
    key.write_text("vault-password")
    command = [Path(sys.executable).with_name("ansible-vault"), "encrypt_string", "--vault-password-file", key]
    vaulted = subprocess.run(
        [*command, em.password, "--name", "password"], capture_output=True, text=True, check=True
    ).stdout
    text = f"plugin: {PLUGIN}\nusername: '{{{{ who }}}}'\nparallel: '{{{{ 1 + 2 }}}}'\n{vaulted}"
    file = inventory.write(text=text)
    given = ("-e", f"who={em.username}", "--vault-password-file", str(key))
    assert sorted(inventory.list(*given, file=file, environ={"NONE": ""}).hosts) == SERVERS
    found = inventory.list("-e", "who=x", file=file, environ={"NONE": ""})
    assert not found.hosts and found.operations == []


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"passwrd": WRONG}, 'unknown option "passwrd". Did you mean "password"?'),
        ({"validate_certs": "treu"}, "treu"),
        ({"hosts": "servrs"}, "value of hosts must be one of"),
        ({"parallel": 0}, "parallel must be between 1 and 256, not 0."),
        ({"state": ["error"]}, "state selects tasks: it needs hosts: tasks."),
        ({"hosts": "tasks", "tasks": True}, "it needs hosts: servers."),
        ({"url": "{{ nowhere }}"}, "url in"),
        ({"url": "http://em.example.com"}, "url must begin with https://"),
        ({"username": "{{ 'someone' }}"}, "username needs password"),
    ],
)
def test_a_mistake_in_the_file(inventory, options, message):
    found = inventory.list(**options)
    assert not found.hosts and found.operations == []
    assert message in words(found.output)


def test_a_file_of_another_name(inventory):
    file = inventory.write(called="servers.yml")
    assert "must end in .qlik_em.yml or .qlik_em.yaml." in words(inventory.list(file=file).output)
    assert sorted(inventory.list(file=inventory.write(called="servers.qlik_em.yaml")).hosts) == SERVERS


def test_a_name_that_ansible_has_taken(inventory, em):
    em.reset({"users": [operator(em)], "servers": [{"name": "all"}, {"name": "good"}]})
    assert 'A server is called "all"' in words(inventory.list().output)
    assert list(inventory.list(server=["g*"]).hosts) == ["good"]


def test_two_names_that_are_masked_alike_are_refused(inventory, em):
    names = [em.password, base64.b64encode(em.password.encode()).decode()]
    em.reset({"users": [operator(em)], "servers": [{"name": name} for name in names]})
    found = inventory.list()
    assert not found.hosts and 'Two hosts are called "********".' in words(found.output)
    assert em.password not in found.output


@pytest.mark.usefixtures("heeded")
def test_ctrl_c_logs_out_and_sends_nothing_more(inventory, em):
    em.faults([{"match": {"operation": "GetServerList"}, "fault": "delay", "seconds": 5}])
    command = ["--list", "--inventory", str(inventory.write(details=True))]
    with inventory.controller.start("ansible-inventory", *command, **inventory.login) as child:
        await_that(lambda: [one for one in em.requests() if one["operation"] == "GetServerList"], "the list is read")
        child.press_ctrl_c()
        assert child.wait() == 99, child.output
    assert [request["operation"] for request in em.requests()] == ["Login", "GetServerList", "Logout"]
    assert em.summary()["open_sessions"] == 0


def test_what_enterprise_manager_says_is_never_evaluated(inventory, em, tmp_path):
    mark = tmp_path / "mark"
    call = f"lookup('ansible.builtin.pipe', 'touch {mark}')"
    tasks = [{"name": f"{{{{ {call} }}}}", "message": call}, {"name": "t", "message": f"{{{{ {call} }}}}"}]
    em.reset({"users": [operator(em)], "servers": [{"name": "S", "tasks": tasks}]})
    file = inventory.write(hosts="tasks", compose={"ansible_connection": "'local'", "copy": "qlik_em_message"})
    show = {"ansible.builtin.debug": {"msg": "{{ inventory_hostname }} {{ qlik_em_message }} {{ copy }}"}}
    choose = {"ansible.builtin.debug": {"msg": "x"}, "when": "{{ qlik_em_message }}", "ignore_errors": True}
    with inventory.controller.play([show, choose], "-i", str(file), hosts="all", variables=inventory.login) as child:
        child.wait()
        assert "touch" in child.output
    assert not mark.exists()


def test_a_host_and_a_group_of_one_name(inventory, em):
    em.reset({"users": [operator(em)], "servers": [{"name": "prod"}, {"name": "test"}]})
    keyed = [{"key": "'test'", "separator": ""}]
    found = inventory.list(groups={"chosen": "qlik_em_server == 'test'"}, keyed_groups=keyed)
    assert found.groups == {"test": ["prod", "test"], "chosen": ["test"]}
    found = inventory.list(groups={"prod": True})
    assert 'A server is called "prod", and so is a group' in words(found.output)


def test_the_examples_run(inventory, em, tmp_path):
    files = re.sub("^# ", "", plugin.EXAMPLES, flags=re.MULTILINE)  # all but the first are comments, with their names
    for number, example in enumerate(yaml.safe_load_all(files)):
        example = {option: value for option, value in example.items() if not option.endswith(".yml")}
        options = {**example, "url": em.url, "ca_path": em.ca_path}
        if "password" in options:
            options.update(username=em.username, password=em.password)
        if "cache_connection" in options:
            options["cache_connection"] = str(tmp_path / "cache")
        if options.get("hosts") == "tasks":
            options["on_server_error"] = "skip"
        file = inventory.write(f"example-{number}.qlik_em.yml", text=json.dumps(options))
        found = inventory.list(file=file)
        if "compose" in example and "hosts" not in example:
            assert found.hosts["Replicate-Prod"]["ansible_host"]
        else:
            assert {*found.groups} - {"ungrouped"}, example


def test_a_play_over_tasks(inventory, em):
    compose = {"ansible_connection": "'local'", "ansible_python_interpreter": "ansible_playbook_python"}
    file = inventory.write(
        hosts="tasks", server=["Replicate-Prod"], state=["running"], on_server_error="skip", compose=compose
    )
    stop = {
        "dataops.qlik_em.aem_task": {"server": "{{ qlik_em_server }}", "name": "{{ qlik_em_task }}", "state": "stopped"}
    }
    arguments = ("-i", str(file), "--limit", "Replicate-Prod/orders,Replicate-Prod/Auf*100%")
    with inventory.controller.play(
        [stop], *arguments, hosts="all:!unreachable_servers", variables=inventory.login
    ) as child:
        assert child.wait() == 0, child.output
        assert "Could not match" not in child.output
    assert em.task("Replicate-Prod", "orders")["state"] == "STOPPED"
    assert em.task("Replicate-Prod", "Aufträge & Kunden 100%")["state"] == "STOPPED"
    assert em.task("Replicate-Prod", "locked")["state"] == "RUNNING"
