# Copyright (c) 2026, dataops.qlik_em contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""No secret comes out of any module, whatever the server gives back: canaries in all that each module is given.

Not searched is what users ask for: the session that aem_session returns, the file of aem_export with ``secrets: keep``,
and the old definition that aem_task keeps before it replaces one. In any file of aem_export the members for secrets are
redacted, and no others: a definition must not come out changed because a word in it is also somebody's password.
Names are not secrets: a checkpoint and a journal must hold those of tasks as they are, or these could not be started
again.
"""

from __future__ import annotations

import base64
import copy
import functools
import html
import http.client
import json
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
import yaml
from ansible.module_utils import basic
from ansible.module_utils.testing import patch_module_args
from ansible_collections.dataops.qlik_em.plugins.module_utils._client.connection import MASK
from ansible_collections.dataops.qlik_em.plugins.module_utils._client.http_failure import failure_of
from ansible_collections.dataops.qlik_em.plugins.module_utils._client.transport import Reply, Transport
from ansible_collections.dataops.qlik_em.tests import simulator
from ansible_collections.dataops.qlik_em.tests.functional.every_module.cases import Case, all_cases, filled, nothing
from ansible_collections.dataops.qlik_em.tests.functional.every_module.cases_definitions import (
    REPLACE,
    definition,
    with_shop,
)
from ansible_collections.dataops.qlik_em.tests.functional.every_module.cases_servers import LICENCE
from ansible_collections.dataops.qlik_em.tests.functional.support.canaries import (
    CANARIES,
    EVERY,
    NAME,
    OWN,
    USERS,
    contents,
    everything,
    leaks,
    strings,
)
from ansible_collections.dataops.qlik_em.tests.functional.support.play import Player, both_ways
from ansible_collections.dataops.qlik_em.tests.functional.support.user import MODULES, User
from ansible_collections.dataops.qlik_em.tests.functional.support.wires import Proxy

pytestmark = pytest.mark.unmeasured

# What the stand-in takes in the place of the canary.
LOGIN = "Basic " + base64.b64encode(b"admin@corp.example:admin-test-password").decode()
PROD = {"server": "Replicate-Prod"}
ORDERS = {**PROD, "name": "orders"}
IN_JSON = {"expiration": "2036-02-02", "checksum": "1A2B-3C4D-5E6F", "serial": OWN["license"]}
READS, WRITES, ALL = "GET", "POST PUT PATCH DELETE", "GET POST PUT PATCH DELETE"


def with_canary(document: dict[str, Any]) -> dict[str, Any]:
    """Return a definition with an endpoint whose password is the canary."""
    document = with_shop(copy.deepcopy(document))
    document["cmd.replication_definition"]["databases"][0]["db_settings"]["password"] = OWN["definition"]
    return document


def with_canaries(case: Case) -> Case:
    """Return the case, canaries in the place of its secrets."""
    own: dict[str, Any] = {}
    if "server_password" in case.options:
        own["server_password"] = OWN["server_password"]
    if "license" in case.options:
        own["license"] = f"{LICENCE}serial={OWN['license']}\n"
    if case.module == "aem_endpoint" and case.options.get("state") == "present":
        own["secrets"] = {**case.options.get("secrets", {}), "deep": {"pin": OWN["endpoint secret"]}}
        own["settings"] = {**case.options.get("settings", {}), "authToken": OWN["endpoint setting"]}
    if case.module == "aem_estate" and "plan" not in case.options:
        own["secret_places"] = ["databases/*/db_settings/deep"]
    if "definition" in case.options:
        own["definition"] = with_canary(case.options["definition"])
    if "body" in case.options:
        secrets = {"password": OWN["body"], "secret_key": int(OWN["number"])}
        own["body"] = {**case.options["body"], "db_settings": secrets}
    return Case(case.module, {**case.options, **own}, case.prepare, case.changes, is_file_only=case.is_file_only)


def more_cases() -> list[Case]:
    """Return cases with secrets in other forms, and with files that are left behind."""
    document = with_canary(definition())
    text = json.dumps(document)
    fresh = {**PROD, "name": "fresh", "state": "present"}
    put = {"method": "put", "path": "servers/Replicate-New/def"}
    batch = {"include": [PROD], "exclude": [{"name": "locked"}]}
    return [
        Case("aem_task", {**fresh, "definition": text}),
        Case("aem_task", {**fresh, "definition": f"// Host name: x\n{text}"}),
        Case("aem_task", {**fresh, "definition": text[:-3]}),
        Case("aem_task", {**fresh, "src": "{given}/definition.json"}),
        Case("aem_task", {**ORDERS, **REPLACE, "state": "present", "definition": document, "backup_dir": "{kept}"}),
        Case("aem_import", {**PROD, "definition": text}),
        Case("aem_import", {**PROD, "src": "{given}/definition.json"}),
        Case("aem_server_license", {**PROD, "src": "{given}/licence"}),
        Case("aem_server_license", {**PROD, "license": json.dumps(IN_JSON)}),
        Case("aem_server_license", {**PROD, "license": IN_JSON}),
        Case("aem_api", {**put, "body": json.dumps({"password": OWN["body"]})}),
        Case("aem_api", {**put, "body": [{"op": "add", "value": {"secret_key": OWN["body"]}}]}),
        Case("aem_api", {"path": "servers", "query": {"token": OWN["body"]}}, changes=False),
        Case("aem_api", {"path": "servers/Replicate-Prod/def"}, changes=False),
        Case("aem_export", {**ORDERS, "with_endpoints": True, "dest": "{folder}/x.json"}, is_file_only=True),
        Case(
            "aem_estate",
            {"include": [PROD], "secret_places": ["databases/*/db_settings/deep"], "path": "{folder}/estate"},
            is_file_only=True,
        ),
        Case("aem_export", {**ORDERS, "secrets": "keep", "dest": "{kept}/x.json"}, is_file_only=True),
        Case("aem_task_batch", {**batch, "state": "restarted", "journal": "{folder}/journal"}),
        Case("aem_heal", {"include": [PROD], "mode": "heal", "state_file": "{folder}/heal.json"}),
        Case("aem_maintenance_window", {"state": "frozen", "path": "{folder}/checkpoint"}, record),
    ]


def record(user: User, folder: Path) -> None:
    """Begin a window."""
    run = user.run(
        "aem_maintenance_window", include=[{**PROD, "name": "orders"}], state="recorded", path=f"{folder}/checkpoint"
    )
    assert not run.failed, run.result


def names_in(options: dict[str, Any], is_read: bool = True) -> list[str]:
    """Return the names of the canaries that a module gets to know: if ``is_read``, those in its files, too."""
    text = "\n".join(strings(options))
    own = [name for name, secret in OWN.items() if secret in text or json.dumps(secret)[1:-1] in text]
    if "src" in options and is_read:
        own.append("definition" if "json" in options["src"] else "license")
    return [*CANARIES, *own]


def corpus() -> list[Case]:
    """Return the cases without those that do the same with other names."""
    chosen = {}
    for case in all_cases():
        secret = sorted({"definition", "body", "secrets", "settings", "description"} & set(case.options))
        chosen[case.module, str(case.options.get("state")), case.changes, case.prepare, str(secret)] = case
    return [*map(with_canaries, chosen.values()), *more_cases()]


CORPUS = corpus()
WITH_OTHER_SECRETS = [case for case in CORPUS if names_in(case.options) != list(CANARIES)]


# A server that gives back what it got


def in_many_forms(name: str) -> str:
    """Return a canary in the forms that servers use. (All forms are a matter of test_leaks.py.)"""
    secret = EVERY[name]
    header = base64.b64encode(f"{USERS.get(name, '')}:{secret}".encode()).decode()
    return " | ".join([secret, json.dumps(secret)[1:-1], quote(secret), html.escape(secret), header])


class Echo(Transport):
    """The way to a stand-in that gives back canaries, and what was sent, in the answers to some methods."""

    def __init__(self, *arguments: Any, kind: str, methods: str = "", names: list[str] | None = None) -> None:
        super().__init__(*arguments)
        self._answer, self._methods, self._names = getattr(self, f"_{kind}"), methods.split(), names or []

    def send(self, verb: str, url: str, headers: Any, body: bytes | None, *limits: Any) -> Reply:
        """Send a request and return what is made of its answer."""
        is_login = url.endswith("/login")
        reply = super().send(verb, url, {**headers, "Authorization": LOGIN} if is_login else headers, body, *limits)
        if ("LOGIN" if is_login else verb) not in self._methods or url.endswith("/logout"):
            return reply
        sent = [*map(str, headers.values()), (body or b"").decode(), url]
        return self._answer(reply, " | ".join([*map(in_many_forms, self._names), *sent]))

    def _error(self, _reply: Reply, text: str) -> Reply:
        return Reply(500, {}, json.dumps({"error_code": text, "error_message": text}).encode())

    def _page(self, _reply: Reply, text: str) -> Reply:
        return Reply(200, {}, f"<html>{'.' * 150}{text}".encode())

    def _redirect(self, _reply: Reply, text: str) -> Reply:
        return Reply(302, {"Location": f"https://elsewhere.example/?{text}"}, b"")

    def _garbage(self, _reply: Reply, text: str) -> Reply:
        raise failure_of(http.client.BadStatusLine(text), True, self._connection)

    def _crash(self, _reply: Reply, text: str) -> Reply:
        known = [EVERY[name] for name in self._names]
        raise RuntimeError(f"{text} {known} {json.dumps(known)}")

    def _members(self, reply: Reply, text: str) -> Reply:
        try:
            value = json.loads(reply.body)
        except ValueError:
            return reply
        added = " ".join([*(EVERY[name] for name in self._names), text[-60:]])
        return reply._replace(body=json.dumps(with_more(value, added)).encode())


def with_more(value: Any, text: str) -> Any:
    """Return a valid answer with the text wherever it may have one."""
    if isinstance(value, list):
        return [with_more(item, text) for item in value]
    if not isinstance(value, dict):
        return value
    texts = {key: text for key in ("message", "description", "detailed_message", "host") if key in value}
    return {**{key: with_more(item, text) for key, item in value.items()}, **texts, "remark": text, text: 1}


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    """No patience: neither between attempts nor for the effect of a call whose answer was lost."""
    limits = User.limits._replace(first_pause=0.001, import_lag=0.1, lost_effect=0.1)
    monkeypatch.setattr(User, "limits", limits)


@pytest.fixture(scope="module")
def proxy():
    """A proxy whose password is a canary."""
    with Proxy(f"joe:{CANARIES['proxy']}") as proxy:
        yield proxy


@pytest.fixture
def knowing(em, proxy):
    """A user whose options and variables hold all canaries."""
    return User(
        em,
        environ={f"QLIK_EM_{name.upper()}": CANARIES[name] for name in ("api_token", "jwt", "session_id")},
        defaults={
            "username": NAME,
            "password": CANARIES["password"],
            "proxy": f"http://joe:{quote(CANARIES['proxy'], safe='')}@127.0.0.1:{proxy.port}",
        },
    )


def given_files(folder: Path) -> None:
    """Write the files that options name."""
    folder.mkdir()
    (folder / "definition.json").write_text(json.dumps(with_canary(definition())))
    (folder / "licence").write_text(f"{LICENCE}serial={OWN['license']}\n")


def ways_to_fail(case: Case) -> list[tuple[str, str, bool]]:
    """Return what the server does, to which methods, and whether that is in check mode."""
    before = [("members", ALL, True), ("error", "LOGIN", True), ("error", READS, True), ("page", READS, False)]
    methods = WRITES if case.changes and not case.is_file_only else READS
    kinds = ("error", "redirect", "garbage", "crash")
    return [*before, *((kind, methods, False) for kind in kinds), ("members", ALL, False)]


@pytest.mark.parametrize("case", CORPUS, ids=str)
def test_no_secret_comes_out(em, knowing, tmp_path, case):
    """In this process, where nothing but our own masking is at work."""
    given_files(tmp_path / "given")
    spec = MODULES[case.module].SPEC.argument_spec
    short = {"timeout": 1, "wait_timeout": 1, "wait_sleep": 0.1, "request_timeout": 5}
    for number, (kind, methods, check) in enumerate(ways_to_fail(case)):
        em.reset()
        folders = {name: tmp_path / f"{name}{number}" for name in ("folder", "kept")}
        for folder in folders.values():
            folder.mkdir()
        knowing.transport = functools.partial(Echo, kind="members")
        if case.prepare is record:
            record(knowing, folders["folder"])
        else:
            case.prepare(em)
        if "orders" in em.server("Replicate-Prod")["tasks"]:
            em.set_task("Replicate-Prod", "orders", stop_seconds=0, start_seconds=0, memory_lag=0)
        values = {**{name: str(path) for name, path in folders.items()}, "given": str(tmp_path / "given")}
        values |= {"address": f"{em.url}/attunityenterprisemanager", "session_id": CANARIES["session_id"]}
        options = {**filled(case.options, values), **{name: value for name, value in short.items() if name in spec}}
        names = names_in(options, is_read=methods != "LOGIN")
        knowing.transport = functools.partial(Echo, kind=kind, methods=methods, names=names)
        run = knowing.run(case.module, check=check, diff=True, **options)
        sessions = {request["session"] for request in run.requests} - {None, CANARIES["session_id"]}
        if case.module == "aem_session" and "session_id" in run.result:
            sessions.add(run.result.pop("session_id"))
        files = "" if case.module in ("aem_estate", "aem_export") and kind == "members" else contents(folders["folder"])
        shown = "\n".join([*strings(run.result), *knowing.progress, files])
        what = f"{kind} {methods} {check}"
        assert leaks(shown, names_in(options)) == [], what
        assert not [one for one in sessions if one in shown], what
        if kind == "crash" and case.module != "aem_session":
            assert em.summary()["open_sessions"] == 0
        assert "Unexpected" not in run.result.get("msg", "") or kind in ("crash", "members"), run.result
        if kind == "error" and "error_code" in run.result:
            assert MASK in run.msg


@pytest.mark.parametrize("mistake", [{}, {"no_such_option": 1}], ids=["right", "wrong"])
@pytest.mark.parametrize("case", [*{case.module: case for case in CORPUS}.values(), *WITH_OTHER_SECRETS], ids=str)
def test_a_module_reveals_nothing_to_ansible_or_the_system_log(knowing, tmp_path, monkeypatch, capsys, case, mistake):
    """It adds its arguments to its result, and writes them to the log before it does anything."""
    given_files(tmp_path / "given")
    logged: list[str] = []
    monkeypatch.setattr(basic.syslog, "syslog", lambda *arguments: logged.append(str(arguments[-1])))
    monkeypatch.setattr(basic, "has_journal", False)
    for name, value in knowing.environ.items():
        monkeypatch.setenv(name, value)
    values = {"folder": str(tmp_path), "given": str(tmp_path / "given"), "session_id": CANARIES["session_id"]}
    options = filled(case.options, values)
    where = {"url": "https://localhost:1", "ca_path": knowing.em.ca_path, "_ansible_check_mode": True}
    with patch_module_args({**knowing.defaults, **options, **where, **mistake}), pytest.raises(SystemExit):
        MODULES[case.module].main()
    shown = capsys.readouterr().out
    assert json.loads(shown)["invocation"]["module_args"]["username"] == NAME
    assert leaks(shown, names_in(options)) == []
    if not mistake:
        assert "Invoked with" in logged[0] and NAME in logged[0]
    assert leaks("\n".join(logged), names_in(options)) == []


# In playbooks


def in_variables(value: Any, variables: dict[str, str]) -> Any:
    """Return options with templates for texts that hold canaries: Ansible itself shows what stands in a playbook."""
    if isinstance(value, dict):
        return {key: in_variables(item, variables) for key, item in value.items()}
    if isinstance(value, list):
        return [in_variables(item, variables) for item in value]
    if not leaks(str(value), EVERY):
        return value
    name = next((name for name, text in variables.items() if text == str(value)), f"TEXT_{len(variables)}")
    variables[name] = str(value)
    return f"{{{{ lookup('ansible.builtin.env', '{name}'){' | int' if isinstance(value, int) else ''} }}}}"


def installation() -> dict[str, Any]:
    """Return the default installation, its admin the one with the canaries."""
    document = yaml.safe_load(Path(simulator.__file__).with_name("default.yml").read_text())
    admin = {"name": "canary", "logins": [NAME], "grants": [{"role": "Admin"}]}
    admin |= {name: CANARIES[name] for name in ("password", "api_token", "jwt")}
    return {**document, "users": [admin]}


LOGINS: list[dict[str, Any]] = [
    {"username": NAME, "password": CANARIES["password"]},
    {"api_token": CANARIES["api_token"]},
    {"jwt": CANARIES["jwt"]},
]
MISTAKES: list[dict[str, Any]] = [
    {**LOGINS[0], **LOGINS[1]},
    {"username": NAME, "password": f"{CANARIES['password']}:x"},
    {**LOGINS[2], "no_such_option": 1},
    {**LOGINS[1], "url": f"https://{NAME}:{CANARIES['password']}@nowhere.example"},
    {"session_id": CANARIES["session_id"]},
    {**LOGINS[0], "proxy": f"http://joe:x{quote(CANARIES['proxy'], safe='')}@127.0.0.1:1", "request_timeout": 1},
]


def playable(is_short: bool) -> list[Case]:
    """Return one case of each module and, unless ``is_short``, of each place that a secret may have in its options."""
    chosen: dict[Any, Case] = {}
    # Reads first: a server shows what it does not know to be secret, and so must a module.
    for case in sorted(CORPUS, key=lambda case: (case.changes, case.options.get("state") == "absent")):
        places = [(option, type(value)) for option, value in case.options.items() if leaks(str(value), OWN)]
        if case.prepare is nothing and case.options.get("state") != "restored" and case.module != "aem_session":
            chosen.setdefault((case.module, "" if is_short else str(places)), case)
    return [*chosen.values(), Case("aem_session", {"state": "absent", "session_id": CANARIES["session_id"]})]


@both_ways
def test_a_playbook_shows_no_secret(em, proxy, tmp_path, as_module):
    em.reset(installation())
    folder, given = tmp_path / "work", tmp_path / "given"
    given_files(given)
    folder.mkdir()
    where = {"url": em.url, "ca_path": em.ca_path}
    through = {"proxy": f"http://joe:{quote(CANARIES['proxy'], safe='')}@127.0.0.1:{proxy.port}"}
    cases = playable(is_short=as_module)  # a process for each task takes its time
    assert {case.module for case in cases} == set(MODULES)
    tasks = [
        {f"dataops.qlik_em.{case.module}": {**where, **(through if at % 2 else {}), **LOGINS[at % 3], **case.options}}
        for at, case in enumerate(cases)
    ]
    tasks += [{"dataops.qlik_em.aem_task": {**ORDERS, "state": "stopped", **where, **one}} for one in MISTAKES]
    values = {"folder": str(folder), "kept": str(tmp_path), "given": str(given)}
    known = {f"QLIK_EM_{name.upper()}": CANARIES[name] for name in ("password", "api_token", "jwt", "session_id")}
    player = Player(folder, as_module, **known, QLIK_EM_USERNAME=NAME, ANSIBLE_PIPELINING="true")
    tasks = in_variables(filled(tasks, values), player.environ)
    em.faults({"match": {"operation": "PatchEndpoint"}, "nth": "all", **refusal(["endpoint secret", "password"])})
    em.faults({"match": {"operation": "ImportTask", "task": "fresh"}, "nth": 1, **refusal(["definition", "jwt"])})
    outcome = player.play(tasks, "-vvvv", "--diff")
    failed = [next(iter(task)) for task, result in zip(tasks, outcome.results) if result.get("failed")]
    expected = ["endpoint"] if as_module else ["endpoint", "task", "api", "api"]
    assert failed == [f"dataops.qlik_em.aem_{name}" for name in expected + ["task"] * len(MISTAKES)], outcome.text
    licences = [one["license"] for one in outcome.results if "license" in one]
    assert {one["expiration"] for one in licences} == {"2036-02-02"}  # a date is not a secret
    shown = f"{everything(outcome, folder)}\n{json.dumps(outcome.results)}"
    assert leaks(shown, EVERY) == []
    assert not [one for one in {request["session"] for request in em.requests()} if one and one in shown]


def refusal(names: list[str]) -> dict[str, Any]:
    """Return the fault of a server that gives back canaries."""
    return {"fault": "error", "error_code": "AEM_ODD", "error_message": " | ".join(map(in_many_forms, names))}
