# Copyright (c) 2026, dataops.qlik_em contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Secrets of endpoints in real playbooks, at the highest verbosity: none comes out, in no form."""

from __future__ import annotations

import pytest
from functional_play import Player, both_ways
from test_leaks import everything, forms, pieces

# By the member that holds it. Awkward in JSON, URLs and shells.
CANARIES = {
    "password": "Set \"q'a\\b%41&c+d/e=f<g>h ü€ #z",
    "authToken": "Tok'en\"%2B&x+/y==<ß> 7",
    "clientSecret": "Sec%20'r\"et\\+/=<&>;x4711",
    "pin": "N\\o na'me te\"lls 0815 \\u00/41",
}


def leaks(text):
    """Return what of the canaries is in a text."""
    return [
        f"{name}, {kind}: {form}"
        for name, secret in CANARIES.items()
        for form, kind in {**pieces(secret), **forms(secret, "")}.items()
        if form in text
    ]


def lookup(name):
    """Return a template: a literal secret in a playbook is shown by Ansible itself."""
    return f"{{{{ lookup('ansible.builtin.env', 'CANARY_{name}') }}}}"


def tasks(em):
    """Return tasks that create, change, fail and are wrong, with secrets in both options."""
    where = {"url": em.url, "ca_path": em.ca_path, "username": "admin@corp.example", "password": "admin-test-password"}
    in_settings = {name: lookup(name) for name in CANARIES if name != "pin"}
    secrets = {"deep": {name: lookup(name) for name in CANARIES}}
    both = {"settings": in_settings, "secrets": secrets, "server": "Replicate-Prod", "wait_sleep": 0.1, **where}
    options = [
        {**both, "name": "new", "type": "oracle", "role": "source"},
        {**both, "name": "new"},
        {**both, "name": "new", "update_password": "always"},
        {**both, "name": "ERP", "update_password": "always"},
        {**both, "name": "ERP", "type": "snowflake"},
        {**both, "name": "Warehouse"},
        {**both, "name": "new", "state": "absent"},
        {**both, "name": "new", "update_password": "sometimes", "settings": {}},
    ]
    return [{"dataops.qlik_em.aem_endpoint": one} for one in options] + [
        # Not "pin": nobody can know that a value which the server shows under such a name is a secret.
        {
            "dataops.qlik_em.aem_endpoint_info": {"server": ["Replicate-Prod"], "name": "*standby", "settings": True}
            | where
        },
        {"ansible.builtin.debug": {"msg": "{{ [" + ", ".join(f"result_{number}" for number in range(9)) + "] }}"}},
    ]


@both_ways
def test_a_playbook_shows_none(em, tmp_path, as_module):
    echo = f"No: {CANARIES} {' '.join(CANARIES.values())}"
    rule = {"nth": "all", "fault": "error", "error_code": "AEM_ODD", "error_message": echo}
    em.faults({"match": {"operation": "PatchEndpoint", "endpoint": "Warehouse"}, **rule})
    em.set_endpoint("Replicate-Prod", "ERP standby", db_settings={k: v for k, v in CANARIES.items() if k != "pin"})
    player = Player(tmp_path, as_module, **{f"CANARY_{name}": value for name, value in CANARIES.items()})
    outcome = player.play(tasks(em), "-vvvv", "--diff")
    assert [bool(one.get("failed")) for one in outcome.results] == [
        *(False, False, False, False, True, True, True, True, False, False)
    ], outcome.text
    assert [one["changed"] for one in outcome.results[:4]] == [True, False, True, True]
    assert em.endpoint("Replicate-Prod", "ERP")["db_settings"]["deep"]["pin"] == CANARIES["pin"]
    assert "No: {" in outcome.text and "(the given secret)" in outcome.text
    assert leaks(everything(outcome, tmp_path)) == []


@pytest.mark.parametrize("name", CANARIES)
def test_the_detector_finds_a_leak(em, tmp_path, name):
    player = Player(tmp_path, False, **{f"CANARY_{name}": CANARIES[name]})
    outcome = player.play([{"ansible.builtin.debug": {"msg": lookup(name)}}], "-vvvv")
    assert leaks(everything(outcome, tmp_path))
