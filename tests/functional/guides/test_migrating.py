# Copyright (c) 2026, dataops.qlik_em contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""docs/migrating.md: every example of ours is played, and sends the calls that stand above it."""

from __future__ import annotations

import json
import re
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

import yaml
from ansible_collections.dataops.qlik_em.tests.functional.support.play import COLLECTIONS, Player
from ansible_collections.dataops.qlik_em.tests.simulator import running
from ansible_collections.dataops.qlik_em.tests.simulator.tests.wire import PREFIX

GUIDE = (COLLECTIONS / "ansible_collections/dataops/qlik_em/docs/migrating.md").read_text(encoding="utf-8")
VAULT = {
    "vault_qlik_em_admin_password": "admin-test-password",
    "vault_replicate_password": "replicate-test-password",
    "vault_archive_password": "archive-test-password",
    "vault_replicate_licence": "issue_date=2026-11-01\nexpiration=2027-11-01\nchecksum=0123456789abcdef\n",
}
DEFINITION = {
    "tasks": [{"task": {"name": "orders", "source_name": "ERP", "target_names": ["Warehouse"]}}],
}


@dataclass(frozen=True)
class Section:
    """What a section says of the others, and our tasks."""

    title: str
    curl: list[str]
    powershell: list[str]
    sdk: list[str]
    tasks: list[dict[str, Any]]


def sections() -> list[Section]:
    """Return the sections that have a call and an example."""
    found = []
    for part in GUIDE.split("\n## ")[1:]:
        rows = dict(re.findall(r"^\| (curl|PowerShell|SDK) \| (.*) \|$", part, re.MULTILINE))
        if rows:
            curl, powershell, sdk = (rows.get(name, "") for name in ("curl", "PowerShell", "SDK"))
            tasks = yaml.safe_load("".join(re.findall(r"```yaml\n(.*?)```", part, re.DOTALL)))
            # What the comments say is in a result
            for result in re.findall(r"register: \w+ # (\S+)", part):
                tasks.append({"name": "Look for it", "ansible.builtin.assert": {"that": f"{result} is defined"}})
            found.append(
                Section(
                    part.partition("\n")[0],
                    [f"{method or 'GET'} {path}" for method, path in re.findall(CURL, curl)],
                    [f"{(method or 'GET').upper()} {path}" for path, method in re.findall(POWERSHELL, powershell)],
                    re.findall(r"client\.(\w+)\(", sdk),
                    tasks,
                )
            )
    return found


CURL = re.compile(r'`curl (?:-X (\w+) )?[^`]*"\$API([^"`]*)"`')
POWERSHELL = re.compile(r'`Invoke-RestMethod "\$api([^"`]*)"(?: -Method (\w+))?')


def is_sent(call: str, requests: list[dict[str, Any]]) -> bool:
    """Whether one of the requests has the method and the path, and the parameters among its own."""
    method, target = call.split(" ", 1)
    parts = urlsplit(target)
    return any(
        request["method"] == method
        and request["path"] == PREFIX + unquote(parts.path)
        and dict(parse_qsl(parts.query)).items() <= request["query"].items()
        for request in requests
    )


def test_every_example_sends_what_the_calls_above_it_send(tmp_path):
    ((connection,),) = [
        yaml.safe_load(block).values() for block in re.findall(r"```yaml\n(module_defaults:.*?)```", GUIDE, re.DOTALL)
    ]
    player = Player(tmp_path, as_module=False)
    found = sections()
    assert len(found) == 18
    with ExitStack() as stack:
        book, stand_ins = [], []
        for section in found:
            em = stack.enter_context(running())
            stand_ins.append(em)
            text = json.dumps(connection).replace("https://em.example.com", em.url)
            play = {
                "name": section.title,
                "hosts": "localhost",
                "gather_facts": False,
                "vars": {**player.variables, **VAULT},
                "module_defaults": json.loads(text.replace("/etc/pki/corp-ca.pem", str(em.ca_path))),
                "tasks": section.tasks,
            }
            book.append(play)
        definition = {"cmd.replication_definition": DEFINITION}
        (tmp_path / "orders.json").write_text(json.dumps(definition), encoding="utf-8")
        outcome = player.run_file(book)
        requests = {section.title: em.requests() for section, em in zip(found, stand_ins)}
    assert outcome.code == 0, outcome.text
    missing = []
    for section in found:
        operations = {request["operation"] for request in requests[section.title]}
        wanted = {name.title().replace("_", "") for name in section.sdk}
        missing += [f"{section.title}: {name}" for name in wanted - operations]
        missing += [f"{section.title}: {call}" for call in section.curl if not is_sent(call, requests[section.title])]
    assert not missing, outcome.text


def test_the_calls_of_curl_and_powershell_are_the_same():
    found = sections()
    pairs = [(section.curl, section.powershell) for section in found if section.powershell]
    assert len(pairs) == 16  # one section has a loop, and one has no call
    assert [curl for curl, _powershell in pairs] == [powershell for _curl, powershell in pairs]
