# Copyright (c) 2026, dataops.qlik_em contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""No secret comes out, in no form. (That no module lets one out is a matter of test_canaries.py.)"""

from __future__ import annotations

import json
from urllib.parse import quote

import pytest
import yaml
from ansible_collections.dataops.qlik_em.plugins.modules import aem_session
from ansible_collections.dataops.qlik_em.tests.functional.support.canaries import (
    CANARIES,
    ENVIRON,
    NAME,
    USERS,
    everything,
    forms,
    leaks,
    lookup,
    strings,
)
from ansible_collections.dataops.qlik_em.tests.functional.support.play import Player, both_ways
from ansible_collections.dataops.qlik_em.tests.functional.support.user import User
from ansible_collections.dataops.qlik_em.tests.functional.support.wires import Proxy

pytestmark = pytest.mark.unmeasured


@pytest.mark.parametrize("name", CANARIES)
def test_the_detector_finds_each_form_and_nothing_in_masked_text(name):
    for form in forms(CANARIES[name], USERS[name]):
        assert leaks(f"x{form}y", [name]), form
    assert leaks(f"x{CANARIES[name][3:14]}y", [name])
    assert not leaks("x ******** y VALUE_SPECIFIED_IN_NO_LOG_PARAMETER", [name])


@pytest.fixture
def em(stand_in):
    """A stand-in whose user has the canaries as secrets."""
    document = {
        "users": [
            {
                "name": "operator",
                "logins": [NAME],
                "password": CANARIES["password"],
                "api_token": CANARIES["api_token"],
                "jwt": CANARIES["jwt"],
                "grants": [{"role": "Operator"}],
            }
        ],
        "servers": [
            {
                "name": "Prod",
                "tasks": [{"name": f"task{number}", "state": "RUNNING"} for number in range(9)]
                + [{"name": "refused", "state": "RUNNING", "fail_stop": "No."}],
            }
        ],
    }
    stand_in.reset(document)
    yield stand_in
    stand_in.reset()


# What a server gives back


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    """Short pauses between attempts."""
    monkeypatch.setattr(User, "limits", User.limits._replace(first_pause=0.001))


@pytest.fixture
def knowing(em):
    """A user whose options and variables hold all canaries (only the password and the proxy's are used)."""
    variables = {f"QLIK_EM_{name.upper()}": CANARIES[name] for name in ("api_token", "jwt", "session_id")}
    with Proxy(f"joe:{CANARIES['proxy']}") as proxy:
        options = {
            "username": NAME,
            "password": CANARIES["password"],
            "proxy": f"http://joe:{quote(CANARIES['proxy'], safe='')}@127.0.0.1:{proxy.port}",
        }
        yield User(em, environ=variables, defaults=options)
        assert proxy.requests


def echoes():
    """Return texts that hold the canaries: in all forms, and where a text may get cut."""
    for name, value in CANARIES.items():
        yield " | ".join(form for form, kind in forms(value, USERS[name]).items() if "Latin-1" not in kind)
        yield from (f"{'.' * length}{value}" for length in (150, 185, 195))


def on_the_wire(text):
    """Return a text for the stand-in to send as UTF-8 where it would send Latin-1."""
    return text.encode().decode("latin-1")


ECHOES = {
    "error": lambda text: {"fault": "error", "error_code": "AEM_ODD", "error_message": text},
    "page": lambda text: {"fault": "html", "body": text, "work": False},
    "bad gateway": lambda text: {"fault": "status", "status": 502, "body": f"<html><body>{text}</body></html>"},
    "redirect": lambda text: {"fault": "redirect", "location": on_the_wire(f"https://elsewhere.example/?{text}")},
    "garbage": lambda text: {"fault": "garbage", "text": on_the_wire(f"HTTP/9 {text}\r\n\r\n"), "work": False},
    "state": lambda text: {
        "fault": "answer",
        "json": {"state": text, "message": text, "serverList": [], "taskList": []},
    },
    "list": lambda text: {"fault": "answer", "json": {"state": 1, "taskList": [text]}},
    "members": lambda text: {"fault": "answer", "json": {"state": "X", "taskList": [{"name": text, "state": text}]}},
}


@pytest.mark.parametrize("kind", ECHOES)
def test_what_a_server_gives_back_is_masked(em, knowing, kind):
    """In this process, where nothing but our own masking is at work."""
    for text in echoes():
        em.clear_faults()
        for operation in ("GetTaskDetails", "GetTaskList"):
            em.faults([{"match": {"operation": operation}, "nth": "all", **ECHOES[kind](text)}])
        results = [
            knowing.task("task1", "started", server="Prod", wait_timeout=1, request_timeout=2).result,
            knowing.run("aem_task_info", server=["Prod"]).result,
        ]
        assert not leaks(json.dumps(results, ensure_ascii=False))
        assert not leaks("\n".join(strings(results)))


def test_a_login_that_is_refused_with_what_was_sent_is_masked(em, knowing):
    for text in echoes():
        for status in (401, 404, 502):
            em.clear_faults()
            em.faults(
                [{"nth": "all", "fault": "error", "error_code": "", "error_message": text, "http_status": status}]
            )
            result = knowing.task("task1", server="Prod").result
            assert result["failed"]
            assert not leaks("\n".join(strings(result)))


# What Ansible shows


def test_the_detector_finds_a_leak_in_a_playbook(em, tmp_path):
    player = Player(tmp_path, False, **ENVIRON)
    outcome = player.play([{"ansible.builtin.debug": {"msg": lookup(name)}} for name in CANARIES], "-vvvv")
    shown = everything(outcome, tmp_path)
    assert {name for name in CANARIES if leaks(shown, [name])} == set(CANARIES)


# Sessions


def documented_session(em):
    """Return the play of aem_session's documentation, for the stand-in."""
    (play,) = yaml.safe_load(aem_session.EXAMPLES)
    text = json.dumps(play)
    for old, new in {
        "https://em.example.com": em.url,
        "operator@corp.example": NAME,
        "Replicate-Prod": "Prod",
        '"orders"': '"task1"',
        '"invoices"': '"task2"',
    }.items():
        assert old in text
        text = text.replace(old, new)
    play = json.loads(text)
    login, block = play["tasks"]
    login["dataops.qlik_em.aem_session"]["password"] = lookup("password")
    assert login["no_log"] is True and block["always"][0]["no_log"] is True
    return play


@both_ways
def test_the_documented_session_shows_nothing_and_is_ended(em, tmp_path, as_module):
    player = Player(tmp_path, as_module, **ENVIRON, QLIK_EM_CA_PATH=em.ca_path)
    play = {**documented_session(em), "vars": player.variables}
    outcome = player.run_file([play], "-vvvv", "--diff")
    assert outcome.code == 0, outcome.text
    requests = em.requests()
    assert [r["operation"] for r in requests] == ["Login", *["GetTaskDetails", "StopTask"] * 2, "Logout"]
    (session,) = {request["session"] for request in requests} - {None}
    shown = everything(outcome, tmp_path)
    assert not leaks(shown)
    assert session not in shown
    assert em.summary()["open_sessions"] == 0


def test_a_session_that_is_shown_would_be_seen(em, tmp_path):
    """Or the test above would prove nothing."""
    player = Player(tmp_path, False, **ENVIRON, QLIK_EM_CA_PATH=em.ca_path)
    play = {**documented_session(em), "vars": player.variables}
    play["tasks"].append({"ansible.builtin.debug": {"var": "em.session_id"}})
    outcome = player.run_file([play])
    (session,) = {request["session"] for request in em.requests()} - {None}
    assert session in everything(outcome, tmp_path)


# What a terminal would take for more than a text

TRICKS = "a\x1b[31mred\x9b32m\nfatal: [localhost]: FAILED!\r\u202etxet\u2066\u2028b"
RAW = {"\x1b", "\x9b", "\r", "\u202e", "\u2066", "\u2028"}


@both_ways
def test_the_text_of_a_server_is_shown_escaped(em, tmp_path, as_module):
    """In messages, hints, warnings and progress; and in what Ansible says of an option that holds such a text."""
    player = Player(tmp_path, as_module, **ENVIRON, QLIK_EM_CA_PATH=em.ca_path, QLIK_EM_URL=em.url)
    login = {"username": NAME, "password": CANARIES["password"]}
    em.faults(
        [
            {
                "match": {"operation": "StopTask"},
                "nth": "all",
                "fault": "error",
                "error_code": "AEM_ODD",
                "error_message": TRICKS,
            }
        ]
    )
    fleet = {"include": [{"server": "Prod"}], "state": "stopped", "on_failure": "continue", **login}
    outcome = player.play(
        [
            {"dataops.qlik_em.aem_task": {"server": "Prod", "name": "task1", "state": "stopped", **login}},
            {"dataops.qlik_em.aem_task": {"server": "Prod", "name": "task1", "state": TRICKS, **login}},
            {"dataops.qlik_em.aem_task_batch": fleet},
        ],
        "--diff",
    )
    assert "red" in outcome.text and "\\x1b[31m" in outcome.text
    assert not RAW & set(outcome.text), sorted(RAW & set(outcome.text))
    assert not [line for line in outcome.text.splitlines() if line.startswith("fatal: [localhost]: FAILED!\\")]
    for result in outcome.results:
        assert not RAW & set(result["msg"] + result.get("hint", "") + result.get("error_message", ""))


def test_no_progress_is_shown_of_a_task_with_no_log(em, tmp_path):
    player = Player(tmp_path, False, **ENVIRON, QLIK_EM_CA_PATH=em.ca_path, QLIK_EM_URL=em.url)
    fleet = {"include": [{"server": "Prod"}], "state": "stopped", "username": NAME, "password": CANARIES["password"]}
    for task in range(9):
        em.set_task("Prod", f"task{task}", stop_seconds=6)
    shown = player.play([{"dataops.qlik_em.aem_task_batch": {**fleet, "exclude": [{"name": "refused"}], "wait": True}}])
    assert "of 9 done" in shown.text
    for task in range(9):
        em.set_task("Prod", f"task{task}", state="RUNNING", stop_seconds=6)
    hidden = player.play(
        [{"dataops.qlik_em.aem_task_batch": {**fleet, "exclude": [{"name": "refused"}], "wait": True}, "no_log": True}]
    )
    assert hidden.code == 0 and "of 9 done" not in hidden.text and "Prod" not in hidden.text
