# Copyright (c) 2026, dataops.qlik_em contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the surroundings of a run may decide (QLIK_EM_*), and what they may not (everything else)."""

from __future__ import annotations

import base64
import subprocess
import sys

import pytest
import trustme
from ansible_collections.dataops.qlik_em.tests.functional.support.play import Player, both_ways
from ansible_collections.dataops.qlik_em.tests.functional.support.user import User
from ansible_collections.dataops.qlik_em.tests.functional.support.wires import Proxy
from ansible_collections.dataops.qlik_em.tests.simulator import running

pytestmark = pytest.mark.unmeasured

PROXY_VARIABLES = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "all_proxy")


def stop(**options):
    """Return a task that stops `orders`."""
    return {
        "dataops.qlik_em.aem_task": {
            "server": "Replicate-Prod",
            "name": "orders",
            "state": "stopped",
            "wait_sleep": 0.1,
            **options,
        }
    }


def login(em):
    """Return the connection options."""
    return {"url": em.url, "ca_path": em.ca_path, "username": em.username, "password": em.password}


def basic(user, secret):
    """Return the header of a login."""
    return "Basic " + base64.b64encode(f"{user}:{secret}".encode()).decode()


def logins(em):
    """Return the headers of all logins so far."""
    return [r["headers"]["Authorization"] for r in em.requests() if r["operation"] == "Login"]


@pytest.fixture
def trap():
    """A proxy where nobody should come by."""
    with Proxy() as proxy:
        yield proxy


@pytest.fixture
def poison(em, trap, tmp_path):
    """Variables and files that decide where other programs connect to, as whom, and whom they trust."""
    home = tmp_path / "home"
    home.mkdir()
    netrc = home / ".netrc"
    netrc.write_text("machine localhost login poison password poison\ndefault login poison password poison\n")
    netrc.chmod(0o600)
    bundle = tmp_path / "poison.pem"
    trustme.CA().cert_pem.write_to_path(str(bundle))
    return {
        "NETRC": str(netrc),
        "REQUESTS_CA_BUNDLE": str(bundle),
        "CURL_CA_BUNDLE": str(bundle),
        "NO_PROXY": "",
        "no_proxy": "",
        **dict.fromkeys(PROXY_VARIABLES, f"http://127.0.0.1:{trap.port}"),
    }


@both_ways
def test_netrc_and_the_variables_of_other_programs_have_no_effect(em, tmp_path, poison, trap, as_module):
    outcome = Player(tmp_path, as_module, **poison).play([stop(**login(em))])
    assert outcome.results[0]["changed"], outcome.text
    assert logins(em) == [basic(em.username, em.password)]
    assert trap.accepted == 0


def test_the_poison_works_on_a_program_that_trusts_its_surroundings(em, tmp_path, poison, trap):
    code = (
        "import requests, sys; url = sys.argv[1]; print(requests.utils.get_netrc_auth(url)); "
        "print(requests.Session().merge_environment_settings(url, {}, False, True, None)['verify']); "
        "requests.get(url)"
    )
    environ = Player(tmp_path, False, **poison).environ
    process = subprocess.run([sys.executable, "-c", code, em.url], env=environ, capture_output=True, check=False)
    assert process.returncode == 1
    assert process.stdout.decode().split("\n")[:2] == ["('poison', 'poison')", poison["REQUESTS_CA_BUNDLE"]]
    assert trap.accepted == 1


@both_ways
def test_an_explicit_proxy_is_used_whatever_no_proxy_says(em, tmp_path, as_module):
    with Proxy() as proxy:
        player = Player(tmp_path, as_module, NO_PROXY="*", no_proxy="localhost")
        outcome = player.play([stop(**login(em), proxy=f"http://127.0.0.1:{proxy.port}")])
        assert outcome.results[0]["changed"], outcome.text
        assert proxy.accepted == 1


@both_ways
def test_the_documented_variables_count_one_by_one(em, tmp_path, as_module):
    session = em_session(em)
    where = {"QLIK_EM_URL": em.url, "QLIK_EM_CA_PATH": em.ca_path}
    user = {"QLIK_EM_USERNAME": em.username, "QLIK_EM_PASSWORD": em.password}
    with Proxy() as proxy:
        cases = [
            {**where, **user},
            {**where, "QLIK_EM_API_TOKEN": em.api_token},
            {**where, "QLIK_EM_JWT": em.jwt},
            {**where, "QLIK_EM_SESSION_ID": session},
            {**where, **user, "QLIK_EM_SESSION_ID": session},
            {"QLIK_EM_URL": em.url, **user, "QLIK_EM_VALIDATE_CERTS": "false"},
            {**where, **user, "QLIK_EM_PROXY": f"http://127.0.0.1:{proxy.port}"},
            {**where, **user, "QLIK_EM_CONNECT_TIMEOUT": "0"},
            {**where, **user, "QLIK_EM_REQUEST_TIMEOUT": "0"},
            {"QLIK_EM_URL": em.url, **user},
        ]
        tasks = [{**stop(), "environment": environ} for environ in cases]
        outcome = Player(tmp_path, as_module).play(tasks)
        assert len(proxy.requests) == 1
    results = outcome.results
    assert [result["changed"] for result in results] == [True, *[False] * 9], outcome.text
    assert [bool(result.get("failed")) for result in results] == [*[False] * 7, True, True, True], outcome.text
    assert "is not verified" in str(results[5]["warnings"])
    assert "connect_timeout must be between" in results[7]["msg"]
    assert "request_timeout must be between" in results[8]["msg"]
    assert "unknown CA" in results[9]["msg"]
    assert logins(em)[1:] == [
        basic(em.username, em.password),
        basic("api-token", em.api_token),
        basic("jwt", em.jwt),
        basic(em.username, em.password),
        basic(em.username, em.password),
    ]


def em_session(em):
    """Return the id of an open session."""
    return User(em).run("aem_session").result["session_id"]


@both_ways
def test_variables_of_the_process_count_too(em, tmp_path, as_module):
    environ = {
        "QLIK_EM_URL": em.url,
        "QLIK_EM_CA_PATH": em.ca_path,
        "QLIK_EM_USERNAME": em.username,
        "QLIK_EM_PASSWORD": em.password,
    }
    outcome = Player(tmp_path, as_module, **environ).play([stop()])
    assert outcome.results[0]["changed"], outcome.text


@both_ways
def test_explicit_options_beat_variables(em, tmp_path, as_module):
    wrong = {
        "QLIK_EM_URL": "https://nowhere.example",
        "QLIK_EM_CA_PATH": "/nowhere",
        "QLIK_EM_VALIDATE_CERTS": "false",
        "QLIK_EM_PROXY": "http://nowhere.example:1",
        "QLIK_EM_CONNECT_TIMEOUT": "0",
        "QLIK_EM_REQUEST_TIMEOUT": "0",
        "QLIK_EM_USERNAME": "somebody",
        "QLIK_EM_PASSWORD": "wrong",
        "QLIK_EM_SESSION_ID": "wrong",
    }
    with Proxy() as proxy:
        right = {
            "url": em.url,
            "ca_path": em.ca_path,
            "validate_certs": True,
            "proxy": f"http://127.0.0.1:{proxy.port}",
            "connect_timeout": 5,
            "request_timeout": 5,
        }
        user = {"username": em.username, "password": em.password}
        tasks = [stop(**right, **user), stop(**right, api_token=em.api_token), stop(**right, jwt=em.jwt)]
        outcome = Player(tmp_path, as_module, **wrong).play(tasks)
    assert [result["changed"] for result in outcome.results] == [True, False, False], outcome.text
    assert not any(result.get("failed") or result.get("warnings") for result in outcome.results)
    assert logins(em) == [
        basic(em.username, em.password),
        basic("api-token", em.api_token),
        basic("jwt", em.jwt),
    ]
    assert [r["session"] for r in em.requests() if r["operation"] == "StopTask"].count("wrong") == 0


@both_ways
def test_no_two_ways_to_log_in_and_no_half_ones(em, tmp_path, as_module):
    where = {"url": em.url, "ca_path": em.ca_path}
    user = {"QLIK_EM_USERNAME": em.username, "QLIK_EM_PASSWORD": em.password}
    tasks = [
        {**stop(**where), "environment": {**user, "QLIK_EM_API_TOKEN": "x-token"}},
        {**stop(**where), "environment": {"QLIK_EM_JWT": "x-jwt", "QLIK_EM_API_TOKEN": "x-token"}},
        {**stop(**where), "environment": {"QLIK_EM_USERNAME": em.username}},
        {**stop(**where), "environment": {"QLIK_EM_PASSWORD": em.password}},
        {**stop(**where, password=em.password), "environment": {"QLIK_EM_USERNAME": em.username}},
        stop(**where),
        {**stop(**where), "environment": dict.fromkeys(user, "")},
    ]
    outcome = Player(tmp_path, as_module).play(tasks)
    assert all(result["failed"] and not result["changed"] for result in outcome.results), outcome.text
    assert [result["msg"].partition(":")[0] for result in outcome.results] == [
        "Only one way to log in may be given, not username and api_token.",
        "Only one way to log in may be given, not api_token and jwt.",
        "username needs password, given the same way (both as options, or both as variables).",
        "password needs username, given the same way (both as options, or both as variables).",
        "password needs username, given the same way (both as options, or both as variables).",
        "No way to log in",
        "No way to log in",
    ]
    assert em.requests() == []


@both_ways
def test_a_client_certificate_may_come_from_the_variables(tmp_path, as_module):
    with running(client_cert=True) as em:
        environ = {"QLIK_EM_CLIENT_CERT": em.client_cert, "QLIK_EM_CLIENT_KEY": em.client_key}
        outcome = Player(tmp_path, as_module, **environ).play([stop(**login(em))])
        assert outcome.results[0]["changed"], outcome.text
