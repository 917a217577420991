# Copyright (c) 2026, dataops.qlik_em contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""No secret comes out, in no form: canaries through success, failure and crash, searched in all that is left behind."""

from __future__ import annotations

import base64
import html
import json
from pathlib import Path
from urllib.parse import quote, quote_plus

import pytest
import yaml
from ansible.module_utils import basic
from ansible.module_utils.testing import patch_module_args
from ansible_collections.dataops.qlik_em.plugins.module_utils import _client
from ansible_collections.dataops.qlik_em.plugins.module_utils._arguments import connection_options
from ansible_collections.dataops.qlik_em.plugins.module_utils._result import Mode
from ansible_collections.dataops.qlik_em.plugins.module_utils._run import run_resource
from ansible_collections.dataops.qlik_em.plugins.module_utils._stop import Stop
from ansible_collections.dataops.qlik_em.plugins.modules import aem_session, aem_task
from functional_play import Player, both_ways
from functional_user import User
from functional_wires import Proxy

NAME = "operator@corp.example"
# Awkward in URLs, JSON, HTML, Python and shells. A colon is not possible in a password, a blank not in a session id.
CANARIES = {
    "password": "Pw \"q'a\\b%41&c+d/e=f<g>h  ü€ #z",
    "api_token": "Tok'en\\u0041\"%2B&x+/y==<ß> 7",
    "jwt": "eyJ.+a/b=c%<j'w\"t>\\é&.zz 9",
    "session_id": "Sess%20'i\"d\\+/=<&>;x4711",
    "proxy": "Pr0x'y\"\\%25&+/=<@ü€> pass",
}
USERS = {"password": NAME, "api_token": "api-token", "jwt": "jwt", "session_id": "", "proxy": "joe"}


def twice(text):
    """Return a text in the spellings of a percent-encoded one."""
    return {text, text.lower(), quote(text, safe=""), quote(text, safe="").lower()}


def forms(secret, user):
    """Return the forms in which a secret may come out: {form: what it is}."""
    found = {secret: "plain", secret.encode().decode("latin-1"): "UTF-8 read as Latin-1"}
    for safe in ("", "/", "!'()*~", "-_.!~*'()", "!$&'()*+,;=:@/?"):
        found.update(dict.fromkeys(twice(quote(secret, safe=safe)), "in a URL"))
    found.update(dict.fromkeys(twice(quote_plus(secret)), "in a form"))
    for clear in (secret, f"{user}:{secret}"):
        for encoded in (base64.b64encode(clear.encode()), base64.urlsafe_b64encode(clear.encode())):
            text = encoded.decode()
            found.update({text: "Base64", text.rstrip("="): "Base64", quote(text, safe=""): "Base64 in a URL"})
    for ascii_only in (True, False):
        in_json = json.dumps(secret, ensure_ascii=ascii_only)[1:-1]
        found.update({in_json: "JSON", in_json.replace("/", "\\/"): "JSON", json.dumps(in_json)[1:-1]: "JSON in JSON"})
        found[json.dumps(in_json, ensure_ascii=False)[1:-1]] = "JSON in JSON"
        found[repr(in_json)[1:-1]] = "repr of JSON"
    for text in (repr(secret), repr(secret.encode()), repr([secret, "'\""]), repr(f"{secret}'\"")):
        found[text] = "repr"
    found[repr(secret)[1:-1]] = found[repr(secret.encode())[2:-1]] = "repr"
    found[repr(secret + "'\"")[1:-4]] = "repr"  # with both kinds of quotes in the text around
    for text in (html.escape(secret), html.escape(secret, quote=False), html.escape(secret).replace("&#x27;", "&#39;")):
        found[text] = "HTML"
    return found


def pieces(secret, length=9):
    """Return all pieces of the plain secret of this length: half of it must not come out either."""
    return {secret[start : start + length]: "a piece" for start in range(len(secret) - length + 1)}


def leaks(text, names=tuple(CANARIES), values=None):
    """Return what of the canaries (other ``values`` than usual, if given) is in a text."""
    values = values or CANARIES
    return [
        f"{name}, {kind}: {form}"
        for name in names
        for form, kind in {**pieces(values[name]), **forms(values[name], USERS[name])}.items()
        if form in text
    ]


def everything(outcome, folder):
    """Return all that a playbook printed, and the contents of all files that it left."""
    files = [path for path in sorted(Path(folder).rglob("*")) if path.is_file()]
    assert Path(folder, "log") in files
    return "\n".join([outcome.text, *(path.read_text(errors="replace") for path in files)])


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
    monkeypatch.setattr(_client, "FIRST_PAUSE", 0.001)


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


def strings(value):
    """Return all strings in a result."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for key, item in value.items():
            yield from (str(key), *strings(item))
    elif isinstance(value, (list, tuple)):
        for item in value:
            yield from strings(item)


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


def test_a_crash_shows_no_secret(em, knowing):
    """The session's id is one of them, which the run only learns on its way."""
    ids = []

    def crash(api, params, mode):
        ids.append(api.client.session())
        raise RuntimeError(f"{params} {ids} {knowing.environ} {json.dumps(params)} " + " ".join(echoes()))

    params = dict.fromkeys(connection_options())
    params.update(knowing.defaults, url=em.url, ca_path=em.ca_path, validate_certs=True)
    params.update(connect_timeout=5, request_timeout=5)
    result = run_resource(crash, params, knowing.environ, Mode(), Stop())
    assert result["failed"] and result["msg"].startswith("Unexpected RuntimeError")
    assert "crash" in result["exception"]
    text = "\n".join(strings(result))
    assert not leaks(text) and ids[0] not in text
    assert em.summary()["open_sessions"] == 0


def test_the_system_log_gets_no_secret(em, knowing, monkeypatch, capsys):
    """A module writes its arguments there before it runs."""
    logged = []
    monkeypatch.setattr(basic.syslog, "syslog", lambda *arguments: logged.append(str(arguments)))
    monkeypatch.setattr(basic, "has_journal", False)
    arguments = {"url": em.url, "ca_path": em.ca_path, "server": "Prod", "name": "task1", "state": "stopped"}
    with patch_module_args({**arguments, **knowing.defaults}), pytest.raises(SystemExit):
        aem_task.main()
    shown = capsys.readouterr().out
    assert json.loads(shown)["changed"]
    assert any("task1" in line for line in logged)
    assert not leaks("\n".join(logged)) and not leaks(shown)


# What Ansible shows


def lookup(name):
    """Return a template for a canary: a literal one would be shown by Ansible itself."""
    return f"{{{{ lookup('env', 'CANARY_{name.upper()}') }}}}"


ENVIRON = {
    **{f"CANARY_{name.upper()}": value for name, value in CANARIES.items()},
    "CANARY_PROXY": quote(CANARIES["proxy"], safe=""),
}
LOGINS = {
    "password": {"username": NAME, "password": lookup("password")},
    "api_token": {"api_token": lookup("api_token")},
    "jwt": {"jwt": lookup("jwt")},
    "session_id": {"session_id": lookup("session_id")},
}


def everyday_tasks(em, proxy):
    """Return tasks that succeed, fail, crash and loop, with all ways to log in."""
    where = {"url": em.url, "ca_path": em.ca_path, "request_timeout": 5}
    task = {"server": "Prod", "state": "stopped", "wait_sleep": 0.1}
    password = {**where, **LOGINS["password"]}

    def aem_task(**options):
        return {"dataops.qlik_em.aem_task": {**task, **options}}

    def aem_task_info(**options):
        return {"dataops.qlik_em.aem_task_info": {"server": ["Prod"], **options}}

    return [
        *(aem_task(name=f"task{number}", **where, **way) for number, way in enumerate(LOGINS.values())),
        {**aem_task(name="{{ item }}", **password), "loop": ["task4", "refused", "nothing"]},
        aem_task(name="task5", **password, proxy=f"http://joe:{lookup('proxy')}@127.0.0.1:{proxy.port}"),
        aem_task(name="task5", **password, proxy=f"http://joe:x{lookup('proxy')}@127.0.0.1:{proxy.port}"),
        aem_task(name="echo", **password),
        aem_task(name="page", **password),
        aem_task_info(**password),
        aem_task_info(**password, name=["task1"]),
        # Mistakes in the options
        aem_task(name="task6", **where, **LOGINS["password"], **LOGINS["jwt"]),
        aem_task(name="task6", **where, username=NAME, password=f"{lookup('password')}:x"),
        aem_task(name="task6", **where, **LOGINS["jwt"], no_such_option=1),
        aem_task(name="task6", url=f"https://{NAME}:x@nowhere.example", **LOGINS["jwt"]),
        {"ansible.builtin.debug": {"msg": "{{ [" + ", ".join(f"result_{number}" for number in range(15)) + "] }}"}},
    ]


@pytest.mark.parametrize(
    ("as_module", "check"),
    [(False, ()), (True, ()), (False, ("--check",))],
    ids=["in process", "as module", "in check mode"],
)
def test_a_playbook_shows_no_secret(em, tmp_path, as_module, check):
    known = [name for name in CANARIES if name != "proxy"]  # its password never gets to the server
    text = " | ".join(form for name in known for form in forms(CANARIES[name], USERS[name]))
    em.faults(
        [
            {"match": {"task": "echo"}, "nth": "all", **ECHOES["error"](text)},
            {"match": {"task": "page"}, "nth": "all", **ECHOES["page"](f"{'.' * 190}{CANARIES['password']}")},
            {"match": {"operation": "GetTaskList"}, "nth": "all", **ECHOES["list"](CANARIES["password"])},
        ]
    )
    with Proxy(f"joe:{CANARIES['proxy']}") as proxy:
        tasks = everyday_tasks(em, proxy)
        player = Player(tmp_path, as_module, **ENVIRON)
        player.environ.update(QLIK_EM_PASSWORD=CANARIES["password"], QLIK_EM_SESSION_ID=CANARIES["session_id"])
        player.environ.update(QLIK_EM_API_TOKEN=CANARIES["api_token"], QLIK_EM_JWT=CANARIES["jwt"])
        outcome = player.play(tasks, "-vvvv", "--diff", *check)
    results = outcome.results
    expected = [False, False, False, True, True, False, True, True, True, True, False, True, True, True, True, False]
    assert [bool(result.get("failed")) for result in results] == expected, outcome.text
    assert [result["changed"] for result in results[:3]] == [True] * 3
    assert "Unexpected" in results[9]["msg"]
    shown = everything(outcome, tmp_path)
    assert not leaks(shown)
    for session in {request["session"] for request in em.requests()} - {None, CANARIES["session_id"]}:
        assert session not in shown


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
