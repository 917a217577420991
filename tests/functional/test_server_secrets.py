# Copyright (c) 2026, dataops.qlik_em contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The password of a server and a licence stay in: in playbooks at -vvvv, both ways, and whatever the server echoes."""

from __future__ import annotations

import json

import pytest
from cases_servers import LICENCE, NEW
from functional_play import Player, both_ways
from functional_user import User

PASSWORD = "Canary \"q'a\\b%41&c of the server"
SERIAL = "1A2B-3C4D-5E6F"
ADMIN = {"username": "admin@corp.example", "password": "admin-test-password"}


def from_variable(name):
    """Return a template that takes a value from the environment, so that the playbook does not hold it."""
    return f"{{{{ lookup('ansible.builtin.env', '{name}') }}}}"


@both_ways
def test_a_playbook_shows_neither(em, tmp_path, as_module):
    em.faults(
        [
            {
                "match": {"operation": operation},
                "nth": [1, 2],
                "fault": "error",
                "error_code": "AEM_ODD",
                "error_message": f"Not {text}",
            }
            for operation, text in (("PutServer", PASSWORD), ("PutServerLicense", SERIAL))
        ]
    )
    members = {"issue_date": "2026-03-03", "expiration": "2037-03-03", "checksum": f"{SERIAL}-7G8H", "type": "Canarish"}
    mapping = json.dumps(members)
    environ = {
        "MAPPING": mapping,
        "SERVER_PASSWORD": PASSWORD,
        "LICENCE": LICENCE,
        "QLIK_EM_URL": em.url,
        "QLIK_EM_CA_PATH": em.ca_path,
    }
    login = {"QLIK_EM_USERNAME": ADMIN["username"], "QLIK_EM_PASSWORD": ADMIN["password"]}
    player = Player(tmp_path, as_module, **environ, **login)
    server = {**NEW, "server_password": from_variable("SERVER_PASSWORD")}
    licence = {"server": "Replicate-Unlicensed", "license": from_variable("LICENCE")}
    tasks = [
        {"dataops.qlik_em.aem_server": server},
        {"dataops.qlik_em.aem_server": {**server, "prot": 1}},
        {"dataops.qlik_em.aem_server": server},
        {"dataops.qlik_em.aem_server": server},
        {"dataops.qlik_em.aem_server": {**server, "update_password": "always"}},
        {"dataops.qlik_em.aem_server_license": licence},
        {"dataops.qlik_em.aem_server_license": {**licence, "servre": 1}},
        {"dataops.qlik_em.aem_server_license": licence},
        {"dataops.qlik_em.aem_server_license": licence},
        {
            "dataops.qlik_em.aem_server_license": {
                **licence,
                "license": f"{{{{ {from_variable('MAPPING')[3:-3]} | from_json }}}}",
            }
        },
    ]
    outcome = player.play(tasks, "-vvvv", "--diff")
    failed = [bool(result.get("failed")) for result in outcome.results]
    assert failed == [True, True, True, False, False, True, True, True, False, False], outcome.text
    files = [path.read_text(errors="replace") for path in tmp_path.rglob("*") if path.is_file()]
    shown = "\n".join([outcome.text, *files])
    assert "Not ********" in shown
    for form in (PASSWORD, PASSWORD.replace('"', '\\"'), "b%41&c", "Canarish", SERIAL, "expiration_date=2036-02-02"):
        assert form not in shown, form
    assert em.server("Replicate-New")["password"] == PASSWORD
    assert outcome.results[-1]["license"]["expiration"] == "2037-03-03"
    assert em.server("Replicate-Unlicensed")["license"]["expiration"] == "2037-03-03"


@pytest.mark.parametrize("text", [PASSWORD, SERIAL, f"checksum={SERIAL}"])
def test_what_comes_before_the_module_is_masked_too(em, text):
    em.faults(
        [
            {
                "match": {"operation": "Login"},
                "nth": "all",
                "fault": "error",
                "error_code": "AEM_ODD",
                "error_message": text,
            }
        ]
    )
    user = User(em, defaults=ADMIN)
    for run in (
        user.run("aem_server", **{**NEW, "server_password": text}),
        user.run("aem_server_license", server="Replicate-Prod", license=f"{LICENCE}\n{text}"),
    ):
        assert run.failed and "********" in run.msg and text not in str(run.result)
