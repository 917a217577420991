# Copyright (c) 2026, dataops.qlik_em contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The same playbooks as a module and in process: the results, and what the stand-in got, are equal."""

from __future__ import annotations

import json
import os
import re
import shutil
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from difflib import unified_diff
from pathlib import Path
from typing import Any

import pytest
from ansible.parsing.vault import VaultLib, VaultSecret
from ansible_collections.dataops.qlik_em.tests.functional.ways.children import (
    AS_MODULE,
    HERE,
    IN_PROCESS,
    Child,
    Controller,
)
from ansible_collections.dataops.qlik_em.tests.simulator import running
from ansible_collections.dataops.qlik_em.tests.simulator.handle import Handle

TARGETS = HERE.parents[1] / "integration" / "targets"
# "2/3" is the second third of them, so that the three cores share them in `make test`.
PART, PARTS = map(int, os.environ.get("TARGETS", "1/1").split("/"))

# The tasks that try out a change have a name of their own each time.
TEMPORARY = re.compile(r"(?<=temporary_trial_)\w+")

# Arguments that are wrong or odd, each for a task of its own; the keys are the tasks' names.
STOP = {"server": "Replicate-Prod", "name": "orders", "state": "stopped"}
WRONG: dict[str, dict[str, Any]] = {
    "options that do not exist, with a secret": STOP | {"wiat": 1, "passwort": 2, "jwt": "canary-of-jwt"},
    "a state that does not exist": STOP | {"state": "stopd"},
    "a state of another type": STOP | {"state": ["stopped"]},
    "no state": {"server": "Replicate-Prod", "name": "orders"},
    "nothing at all": {},
    "empty values": STOP | {"name": "", "cdc_position": None},
    "a name that would climb": STOP | {"name": ".."},
    "a number in words": STOP | {"timeout": "soon"},
    "a truth in words": STOP | {"wait": "maybe"},
    "a mapping as a name": STOP | {"name": {"a": [1, None, "é"]}},
    "a name and its alias": STOP | {"task": "orders"},
    "a position that is missing": STOP | {"state": "started", "run_option": "resume_processing_from_timestamp"},
    "a secret as a number": STOP | {"password": 8150815},  # too long for a port, of which a part would be masked
    "a secret in the url": STOP | {"url": "https://joe:canary-of-url@localhost"},
    "a url of nobody": STOP | {"url": "https://localhost:1", "connect_timeout": 2},
    "a proxy that is none": STOP | {"proxy": "socks5://joe:canary-of-proxy@localhost"},
}


@dataclass
class Way:
    """One of the two ways, with a stand-in and a controller of its own."""

    as_module: bool
    em: Handle
    controller: Controller
    record: Path

    def start(self, book: str, *arguments: str) -> Child:
        """Start a playbook of this folder, from another working directory."""
        return self.controller.start(
            "ansible-playbook",
            *("-e", json.dumps({"aem_run_as_module": self.as_module})),
            *("-i", str(self.controller.folder / "hosts.json")),
            *arguments,
            str(self.controller.folder / "site" / book),
            folder=self.controller.folder / "elsewhere",
        )

    def lines(self) -> list[str]:
        """What was recorded, made comparable: by task and host, each in its own order."""
        found = [json.loads(line) for line in self.record.read_text(encoding="utf-8").splitlines()]
        found.sort(key=lambda line: (line["task"], line["host"]))
        text = "\n".join(json.dumps(comparable(line), indent=1, sort_keys=True, ensure_ascii=False) for line in found)
        return self._without_surroundings(text).splitlines()

    def requests(self) -> list[str]:
        """What the stand-in got, made comparable; hosts that work side by side leave no order."""
        members = ("method", "raw_path", "body", "user", "status", "error_code", "executed")
        looks, others = set(), []
        for request in self.em.requests():
            line = TEMPORARY.sub("(temporary)", json.dumps({name: request[name] for name in members}))
            # How often a wait reads the state depends on the speed of the machine.
            if request["operation"] in ("GetTaskDetails", "GetTableStatuses"):
                looks.add(line)
            else:
                others.append(line)
        return sorted(looks) + sorted(others)

    def _without_surroundings(self, text: str) -> str:
        """Replace ports, folders and times, which no two runs share."""
        text = text.replace(str(self.controller.folder), "(folder)")
        text = re.sub(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", "(time)", text)  # when a checkpoint was recorded
        text = re.sub(r"localhost:\d{4,5}|127\.0\.0\.1:\d{4,5}", "(address)", text)
        text = re.sub(r"\d{4}-\d\d-\d\d@\d{6}", "(time)", text)  # in the names of backups
        text = re.sub(r"/\S*?/ansible\.\w+\.(?:export|backup|estate)", "(folder of a test)", text)
        return re.sub(r"/\S*?/ansible\.\w+\.simulator|/tmp/\S*?simulator\S*?(?=/)", "(simulator)", text)


def comparable(value: Any) -> Any:
    """Return `value` without what may differ between two runs of the same playbook."""
    if isinstance(value, list):
        if [type(item).__name__ for item in value] == ["str", "int", "int"]:
            return [*value[:2], "(seconds)"]  # of a checkpoint: when the latency of a task was read
        return [comparable(item) for item in value]
    if not isinstance(value, dict):
        return value
    # Since 2.19 a module that fails always gives a traceback, or this text, which says nothing.
    result = {name: comparable(item) for name, item in value.items() if item != "(traceback unavailable)"}
    result.pop("ansible_parsed", None)  # ansible-core 2.22 leaves its own mark in what a module returned
    # The load of a task lags behind its state, so that it depends on the moment of the read.
    load = ("memory_mb", "cpu_percentage")
    moments = ("elapsed", "slowest", "span", "start", "started", "timestamp")
    for name in (*moments, "session_id", "invocation", "ansible_job_id", "results_file", *load):
        if name in result:
            result[name] = f"({name})"
    facts = result.get("ansible_facts")
    if facts:
        facts.pop("discovered_interpreter_python", None)
        if not facts:
            del result["ansible_facts"]
    return result


def vaulted(text: str, secret: str) -> str:
    """Return `text` as an inline value of a playbook, encrypted."""
    vault = VaultLib([("default", VaultSecret(secret.encode()))]).encrypt(text).decode()
    return "!vault |\n" + "".join(f"          {line}\n" for line in vault.splitlines())


def write_site(folder: Path, em: Handle, secret: str) -> None:
    """Lay out what a user has: playbooks with a CA beside them, a home, an inventory, secrets in a vault."""
    site, generated = folder / "site", folder / "generated"
    shutil.copytree(HERE / "playbooks", site)
    for place in (site / "tls", folder / "home", folder / "elsewhere", generated):
        place.mkdir(parents=True, exist_ok=True)
    for place in (site / "tls", folder / "home"):
        shutil.copy(em.ca_path, place / "ca.pem")
    (folder / "vault password").write_text(secret, encoding="utf-8")
    workers = ["nightly__sales", "load_dims__sales", "no__such"]
    hosts = {
        f"worker{number}": {
            "ansible_connection": "local",
            "ansible_python_interpreter": "{{ ansible_playbook_python }}",
            "task_of_host": task,
        }
        for number, task in enumerate(workers)
    }
    (folder / "hosts.json").write_text(json.dumps({"workers": {"hosts": hosts}}), encoding="utf-8")
    facts = {name: getattr(em, name) for name in ("url", "username", "password", "api_token")}
    shared = {name: getattr(em, name) for name in ("url", "username", "password", "ca_path", "control_url")}
    for target in TARGETS.iterdir():
        (folder / "targets" / target.name).mkdir(parents=True)
    shared["folder"] = f"{folder}/targets/{{{{ target }}}}"
    variables = {"em": facts, "generated": str(generated), "setup_simulator_shared": shared}
    (folder / "em.json").write_text(json.dumps(variables), encoding="utf-8")
    (generated / "vaulted.yml").write_text(
        "- name: Log in with an inline vaulted value\n"
        "  dataops.qlik_em.aem_task_info:\n"
        f"    server: {vaulted('Replicate-Prod', secret)}"
        "    name: [orders]\n"
        f"    password: {vaulted(str(em.password), secret)}"
        "- name: Log in with a wrong vaulted value\n"
        "  dataops.qlik_em.aem_task_info:\n"
        f"    password: {vaulted('canary-of-vault', secret)}"
        "  ignore_errors: true\n"
        "- name: Log in with a template of a vaulted value\n"
        "  vars:\n"
        f"    word: {vaulted(str(em.password), secret)}"
        "  dataops.qlik_em.aem_task_info:\n"
        "    server: Replicate-Prod\n"
        "    name: ['{{ item }}']\n"
        "    password: '{{ word }}'\n"
        "  loop: [orders, locked]\n"
        "- name: Take a vaulted value from the environment\n"
        "  environment:\n"
        f"    QLIK_EM_CONNECT_TIMEOUT: {vaulted('86400', secret)}"  # more than any port: ansible-core 2.22 masks it
        "  dataops.qlik_em.aem_task_info:\n"
        "    server: Replicate-Prod\n"
        "    name: [orders]\n"
        "- name: Give a time that YAML knows, and numbers as names\n"
        "  dataops.qlik_em.aem_task:\n"
        "    server: Replicate-Test\n"
        "    name: '{{ item }}'\n"
        "    state: restarted\n"
        "    run_option: resume_processing_from_timestamp\n"
        "    cdc_position: 2026-11-23T03:00:00\n"
        "  loop: [stock, 4711, 1.50]\n"
        "  failed_when: false\n"
        "  register: numbers\n",
        encoding="utf-8",
    )
    wrong = [{"name": name, "dataops.qlik_em.aem_task": options} for name, options in WRONG.items()]
    wrong.append({"name": "a wrong option of the other", "dataops.qlik_em.aem_task_info": {"on_server_error": "x"}})
    (generated / "wrong.yml").write_text(json.dumps([task | {"ignore_errors": True} for task in wrong]))
    connection = facts | {"ca_path": str(site / "tls" / "ca.pem"), "api_token": None}
    tasks = [
        {"name": "Read", "aem_task_info": connection | {"server": "Compose-DW"}},
        {"name": "Err", "aem_task_info": connection | {"srever": 1}, "ignore_errors": True},
        {"name": "Act", "action": {"module": "aem_task", **connection, **STOP}, "check_mode": True},
    ]
    short = {"hosts": "localhost", "gather_facts": False, "collections": ["dataops.qlik_em"], "tasks": tasks}
    (generated / "short.yml").write_text(json.dumps([short]), encoding="utf-8")


@contextmanager
def both_ways(tmp_path_factory: pytest.TempPathFactory, **more: str) -> Iterator[list[Way]]:
    """Both ways, ready to run, with more settings of Ansible than the usual."""
    with ExitStack() as stack:
        found = []
        for as_module in (False, True):
            folder = tmp_path_factory.mktemp("as-module" if as_module else "in-process")
            em = stack.enter_context(running())
            write_site(folder, em, "the vault's own word")
            record = folder / "record.jsonl"
            settings = {
                "ANSIBLE_CALLBACK_PLUGINS": str(HERE / "callback_plugins"),
                "ANSIBLE_ROLES_PATH": str(TARGETS),
                "ANSIBLE_VAULT_PASSWORD_FILE": str(folder / "vault password"),
                "ANSIBLE_PIPELINING": "true",
                "WAYS_RECORD": str(record),
            }
            found.append(Way(as_module, em, Controller(folder, settings | more), record))
        yield found


@pytest.fixture(scope="module")
def ways(tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[Way]]:
    """Both ways, as most users have them."""
    with both_ways(tmp_path_factory) as found:
        yield found


def compare(ways: list[Way], book: str, *arguments: str, handed_over: set[str] | None = None) -> str:
    """Run a playbook both ways at once, and assert that all was equal but the way; return all output."""
    for way in ways:
        way.record.write_text("")
        way.em.reset()
    with ExitStack() as stack:
        children = [stack.enter_context(way.start(book, *arguments)) for way in ways]
        statuses = [child.wait() for child in children]
        outputs = [child.output for child in children]
    assert statuses == [0, 0], "".join(outputs)
    in_process, as_module = (way.lines() for way in ways)
    for one, other in ((in_process, as_module), (way.requests() for way in ways)):
        difference = "\n".join(unified_diff(one, other, "in process", "as a module", n=3, lineterm=""))
        assert not difference, difference
    # Which way it really was. A task that waits for its retry or its end in the background logs its way once.
    runs, not_runs = (IN_PROCESS.findall(output) for output in outputs)
    assert len(runs) > 5
    assert not not_runs
    reasons, always = ({reason for _name, reason in AS_MODULE.findall(output)} for output in outputs)
    assert reasons == (handed_over or set())
    assert always == {"aem_run_as_module is true"}
    return "".join(outputs)


def test_the_integration_targets(ways):
    targets = sorted(path.name for path in TARGETS.iterdir() if not path.name.startswith("setup_"))
    # One stand-in for all: to start one takes longer than most of the targets.
    compare(ways, "targets.yml", "-e", "@../em.json", "-e", json.dumps({"targets": targets[PART - 1 :: PARTS]}))


def test_what_users_do(ways):
    output = compare(ways, "user.yml", "-e", "@../em.json", "../generated/short.yml", handed_over={"async"})
    assert "canary-of" not in output


def test_what_users_do_as_a_dry_run_with_diffs(ways):
    compare(ways, "variables.yml", "-e", "@../em.json", "--check", "--diff")
