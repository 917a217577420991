# Copyright (c) 2026, dataops.qlik_em contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The model of definitions as users see it: what is compared, ordered, sent, refused, and shown of secrets."""

from __future__ import annotations

import copy
import json
from pathlib import Path

import pytest
from ansible.module_utils import basic
from ansible.module_utils.testing import patch_module_args
from ansible_collections.dataops.qlik_em.tests.functional.every_module.cases_definitions import (
    BODY,
    definition,
    with_shop,
)
from ansible_collections.dataops.qlik_em.tests.functional.support.play import Player, both_ways
from ansible_collections.dataops.qlik_em.tests.functional.support.user import MODULES
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

PROD = "Replicate-Prod"
SETTINGS = "databases/Shop/db_settings"


@pytest.fixture
def admin(user):
    """A user who may do everything."""
    user.defaults = {"username": "admin@corp.example", "password": "admin-test-password"}
    return user


def run_import(admin, module, document, **options):
    """Run aem_task (state present, task fresh) or aem_import."""
    given = {"src": str(document)} if isinstance(document, Path) else {"definition": document}
    task = {"name": "fresh", "state": "present"} if module == "aem_task" else {}
    return admin.run(
        module, **{"server": PROD, "wait_sleep": 0.1, "wait_timeout": 10, **task, **given, **options}
    )  # fmt: skip


both_modules = pytest.mark.parametrize("module", ["aem_task", "aem_import"])


def exported(admin, tmp_path, **options):
    """Export the task fresh; return the run and the document."""
    path = tmp_path / "fresh.json"
    run = admin.run(
        "aem_export", **{"server": PROD, "name": "fresh", "with_endpoints": True, "dest": str(path), **options}
    )
    assert not run.failed, run.result
    return run, json.loads(path.read_text())


def bodies(run):
    """Return the bodies of all imports of a run."""
    return [request["body"] for request in run.requests if str(request["operation"]).startswith("Import")]


def task_of(document):
    """Return the task in a definition."""
    return document[BODY]["tasks"][0]


def shop_with(**members):
    """Return a definition whose endpoint Shop has these settings beside its own."""
    document = with_shop(definition())
    document[BODY]["databases"][0]["db_settings"].update(members)
    return document


# Order, loggers, counted members, numbers


def with_rules(*names, **more):
    """Return a definition with global rules in this order."""
    document = definition(**more)
    task_of(document)["global_manipulation"] = {"rules": [{"name": name, "level": 1} for name in names]}
    return document


def rules_of(item):
    """Return the names of the global rules of a task, in their order."""
    return [rule["name"] for rule in item["global_manipulation"]["rules"]]


@both_modules
def test_global_rules_keep_their_order(admin, em, tmp_path, module):
    assert run_import(admin, module, with_rules("zeta", "alpha", "mid")).changed
    assert rules_of(em.inside(PROD, "fresh")["definition"]) == ["zeta", "alpha", "mid"]
    _run, document = exported(admin, tmp_path)
    assert rules_of(task_of(document)) == ["zeta", "alpha", "mid"]
    assert not run_import(admin, module, document).changed
    turned = with_rules("alpha", "zeta", "mid")
    run = run_import(admin, module, turned, diff=True)
    place = "tasks/fresh/global_manipulation/rules/(order)"
    assert run.result["diff"]["before"] == {place: ["zeta", "alpha", "mid"]}
    assert run.result["diff"]["after"] == {place: ["alpha", "zeta", "mid"]}
    assert rules_of(em.inside(PROD, "fresh")["definition"]) == ["alpha", "zeta", "mid"]
    run, document = exported(admin, tmp_path)
    assert run.changed and rules_of(task_of(document)) == ["alpha", "zeta", "mid"]


@both_modules
def test_loggers_are_left_as_they_are_unless_they_are_managed(admin, em, tmp_path, module):
    document = definition()
    task_of(document)["loggers"] = {"SERVER": "TRACE"}
    assert run_import(admin, module, document).changed
    assert em.inside(PROD, "fresh")["definition"]["loggers"] == {}
    assert not run_import(admin, module, document).changed
    assert "loggers" not in task_of(exported(admin, tmp_path)[1])
    run = run_import(admin, module, document, loggers="manage", diff=True)
    assert run.changed and run.result["diff"]["after"] == {"tasks/fresh/loggers/SERVER": "TRACE"}
    assert em.inside(PROD, "fresh")["definition"]["loggers"] == {"SERVER": "TRACE"}
    assert not run_import(admin, module, document, loggers="manage").changed
    assert task_of(exported(admin, tmp_path, loggers="manage")[1])["loggers"] == {"SERVER": "TRACE"}


@both_modules
def test_counted_members_do_not_make_a_running_task_differ(admin, em, tmp_path, module):
    def counted(size):
        document = definition()
        tables = task_of(document)["source"]["source_tables"]["explicit_included_tables"]
        tables[0].update(estimated_size=size, orig_db_id=size)
        return document

    assert run_import(admin, module, counted(7)).changed
    assert admin.task("fresh", "started").changed
    run = run_import(admin, module, counted(8), diff=True)
    assert not run.failed and not run.changed and run.result["diff"]["after"] == {}
    text = json.dumps(exported(admin, tmp_path)[1])
    assert not [member for member in ("estimated_size", "orig_db_id", "task_uuid") if member in text]


@both_modules
def test_numbers_and_texts_are_sent_as_they_stand(admin, tmp_path, module):
    digits = ["0.12345678901234567890123", "1E+400", "123456789012345678901234567890"]
    text = json.dumps(definition(odd="tab\t, NUL \u0000, half \ud800, Müller 😀", unknown={"a": [1]}, n=["digits"]))
    text = text.replace('"digits"', ", ".join(digits))
    path = tmp_path / "given.json"
    path.write_text(text)
    run = run_import(admin, module, path, wait_timeout=1)
    (body,) = bodies(run)
    assert all(number in body for number in digits)
    sent = task_of(json.loads(body))["task_settings"]["target_settings"]
    assert sent["odd"] == "tab\t, NUL \u0000, half \ud800, Müller 😀" and sent["unknown"] == {"a": [1]}


# What is refused before anything is sent

GOOD = json.dumps(shop_with(extra={"a": 1}), indent=1)
POWERSHELL = "use ConvertTo-Json -Depth 100 and Set-Content -Encoding utf8."
BROKEN = {
    "a text of an object": (GOOD.replace('{\n      "a": 1\n     }', '"@{a=1}"'), POWERSHELL),
    "a text of a list": (GOOD.replace('{\n      "a": 1\n     }', '"System.Object[]"'), POWERSHELL),
    "a list that was unwrapped": (json.dumps(definition()).replace('["Warehouse"]', '"Warehouse"'), POWERSHELL),
    "tasks that were unwrapped": (json.dumps({BODY: {"tasks": task_of(definition())}}), POWERSHELL),
    "settings that are a text": (GOOD.replace('"target_settings": {}', '"target_settings": ""'), POWERSHELL),
    "UTF-16": (GOOD.encode("utf-16"), "UTF-16"),
    "UTF-16 without a mark": (GOOD.encode("utf-16-le"), "UTF-16"),
    "UTF-32": (GOOD.encode("utf-32"), "UTF-32"),
    "UTF-32 without a mark": (GOOD.encode("utf-32-be"), "UTF-32"),
    "another encoding": (GOOD.replace("shop", "Müller").encode("cp1252"), "UTF-8"),
    "Python": (str(shop_with()), "line 1, column 2"),
    "a member twice": (GOOD.replace('"extra"', '"password": "canary2", "extra"'), f"{SETTINGS}/password twice"),
    "a member of the whole twice": ('{"name": "canary", "name": "b"}', "the member name twice"),
    "nothing": ("", "is empty"),
    "a list": ("[]", "must be a replication definition"),
    "not a definition": ('{"a": 1}', "has no member"),
    "NaN": (GOOD.replace('"a": 1', '"a": NaN'), "NaN is not a JSON number"),
    "a number that none can hold": (GOOD.replace('"a": 1', '"a": 1e99999999999999999999'), "is not JSON"),
    "many digits": (GOOD.replace('"a": 1', f'"a": {"1" * 5000}'), "column 12 has 5000 digits"),
}


@both_modules
@pytest.mark.parametrize("kind", BROKEN)
def test_a_broken_file_is_refused_before_anything_is_sent(admin, tmp_path, module, kind):
    content, message = BROKEN[kind]
    assert content not in (GOOD, json.dumps(definition()))
    path = tmp_path / "given.json"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    for check in (True, False):
        run = run_import(admin, module, path, check=check)
        assert run.failed and not run.changed and run.requests == []
        text = f"{run.msg} {run.result.get('hint')}"
        assert message in text and str(path) in text and "canary" not in text and "Unexpected" not in text


@pytest.mark.parametrize("before", ["", "// Host name: x\n", "\ufeff", "\ufeff// a\r\n\r\n"])
@both_modules
def test_what_is_not_json_is_shown_by_its_place_only(admin, module, before):
    text = before + '{\n "a": "pa"canary-word", "password": "canary"}'
    run = run_import(admin, module, text)
    line = 2 + before.count("\n")
    assert run.msg == f"definition is not JSON: syntax error at line {line}, column 11."
    assert "to_json" in run.result["hint"] and "canary" not in str(run.result) and run.requests == []


def test_the_form_that_the_server_has_counts_too(admin):
    assert run_import(admin, "aem_task", definition(kept=[1], holder={"a": 1})).changed
    for broken in ({"kept": "1"}, {"kept": {"a": 1}}, {"holder": "x"}):
        run = run_import(admin, "aem_task", definition(**broken))
        assert run.failed and not run.changed and bodies(run) == [] and "on the server it is" in run.msg


# Secrets that cannot be compared


@both_modules
def test_a_definition_that_differs_in_a_clear_password_only_says_so(admin, em, module):
    assert run_import(admin, module, shop_with()).changed
    other = shop_with(password="another-canary")
    for check in (True, False):
        run = run_import(admin, module, other, check=check, diff=True)
        assert not run.changed and not run.failed and bodies(run) == []
        assert run.result["warnings"][-1] == (
            "These secrets cannot be compared with the encrypted ones on the server and are not sent: "
            f"{SETTINGS}/password. Set update_password: always to send them each time."
        )
    run = run_import(admin, module, other, update_password="always", check=True, diff=True)
    assert run.changed and not run.failed and bodies(run) == []
    for _time in range(2):
        run = run_import(admin, module, other, update_password="always", diff=True)
        assert run.changed and not run.failed, run.result
        assert run.result["diff"]["after"] == {f"{SETTINGS}/password": "<secret>"}
        assert "canary" not in str(run.result) and "not sent" not in str(run.result["warnings"])
        assert em.endpoint(PROD, "Shop")["db_settings"]["password"] == "another-canary"


@both_modules
def test_places_that_the_user_names_are_secret(admin, module):
    document = shop_with(code="canary-one", more={"x": ["canary-two"]})
    for secrets in ([f"{SETTINGS}/code", f"{SETTINGS}/more"], ["databases/*/code", "*/more*"]):
        run = run_import(admin, module, document, secrets=secrets, diff=True, check=True)
        assert run.changed and "canary" not in str(run.result)
        assert run.result["diff"]["after"][f"{SETTINGS}/code"] == "<secret>"
    run = run_import(admin, module, document, secrets=[f"{SETTINGS}/cod"])
    assert run.failed and run.requests == [] and f"has no member at {SETTINGS}/cod" in run.msg
    assert run_import(admin, module, document).changed
    run = run_import(admin, module, shop_with(code="other"), secrets=["*/code"], diff=True)
    assert run.result["diff"]["before"] == run.result["diff"]["after"] == {f"{SETTINGS}/code": "<secret>"}


def test_an_export_redacts_what_the_user_names_and_warns_of_what_is_not_there(admin, tmp_path):
    assert run_import(admin, "aem_task", shop_with(code="canary-one", adlsclientappkey="canary-two", path="x")).changed
    run, document = exported(admin, tmp_path, secrets=["*/code", "*/no such"], diff=True)
    shop = next(item["db_settings"] for item in document[BODY]["databases"] if item["name"] == "Shop")
    assert shop["code"] == shop["adlsclientappkey"] == shop["password"] == "<redacted>" and shop["path"] == "x"
    assert "canary" not in str(run.result)
    assert "secrets: the export has no member at */no such." in run.result["warnings"]
    (named,) = [text for text in run.result["warnings"] if "are redacted" in text]
    assert all(f"{SETTINGS}/{member}" in named for member in ("code", "adlsclientappkey", "password"))
    run = admin.run("aem_export", server=PROD, name="fresh", dest=str(tmp_path / "x"), secrets=["keep", "*/code"])
    assert run.failed and run.requests == [] and "keep" in run.msg
    assert "canary-one" in json.dumps(exported(admin, tmp_path, secrets=["keep"])[1])


def test_what_is_not_a_secret_is_exported_compared_and_shown(admin, tmp_path):
    plain = {
        "privateKeyFile": "C:\\keys\\new.p8", "accountKeyType": "SAS", "secretStore": "none", "file_name_token": "d",
        "guid": "{0B1D3C4E-1111-2222-3333-444455556666}", "tokenCaching": "on",
    }  # fmt: skip
    run = run_import(admin, "aem_task", shop_with(**plain), diff=True)
    shown = run.result["diff"]["after"]
    assert {member: shown[f"{SETTINGS}/{member}"] for member in plain} == plain
    shop = next(i["db_settings"] for i in exported(admin, tmp_path)[1][BODY]["databases"] if i["name"] == "Shop")
    assert {member: shop[member] for member in plain} == plain
    run = run_import(admin, "aem_task", shop_with(**{**plain, "privateKeyFile": "other"}), diff=True)
    assert run.result["diff"]["before"] == {f"{SETTINGS}/privateKeyFile": "C:\\keys\\new.p8"}


# Secrets inside of texts


@both_modules
def test_a_secret_inside_of_a_text_is_covered_and_filled_in_again(admin, em, tmp_path, module):
    inside = {
        "text": "Driver=x;PWD=canary1;Server=y", "json": json.dumps({"a": 1, "password": "canary2"}),
        "texts": ["PWD=canary3;a=1", "b=2", "https://u:canary4@host"],
    }  # fmt: skip
    run = run_import(admin, module, shop_with(**inside), diff=True)
    assert run.changed and "canary" not in str(run.result)
    assert run.result["diff"]["after"][f"{SETTINGS}/text"] == "Driver=x;PWD=<secret>;Server=y"
    run, document = exported(admin, tmp_path)
    assert "canary" not in json.dumps(document) and f"{SETTINGS}/text" in str(run.result["warnings"])
    assert not run_import(admin, module, document).changed
    shop = next(item["db_settings"] for item in document[BODY]["databases"] if item["name"] == "Shop")
    assert shop["texts"] == ["PWD=<redacted>;a=1", "b=2", "https://u:<redacted>@host"]
    shop["text"] = shop["text"].replace("Server=y", "Server=z")
    shop["port"] = 7
    run = run_import(admin, module, document, diff=True)
    assert run.changed and not run.failed, run.result
    now = em.endpoint(PROD, "Shop")["db_settings"]
    assert now["text"] == "Driver=x;PWD=canary1;Server=z" and now["port"] == 7
    assert (now["texts"], now["json"]) == (inside["texts"], inside["json"])
    assert "canary" not in str(run.result) and "<redacted>" not in "".join(bodies(run))


@both_modules
def test_a_redacted_secret_is_named_and_differently_for_a_new_endpoint(admin, em, tmp_path, module):
    run_import(admin, module, shop_with(adlsclientappkey="canary"))
    _run, document = exported(admin, tmp_path)
    shop = next(item for item in document[BODY]["databases"] if item["name"] == "Shop")
    shop["db_settings"]["port"] = 7
    run = run_import(admin, module, document)
    (text,) = [text for text in run.result["warnings"] if "stay unchanged on the server" in text]
    assert f"{SETTINGS}/adlsclientappkey" in text and f"{SETTINGS}/password" in text
    shop["name"] = task_of(document)["task"]["source_name"] = "Shop 2"
    run = run_import(admin, module, document)
    (text,) = [text for text in run.result["warnings"] if "new objects are created without them" in text]
    assert "databases/Shop 2/db_settings/adlsclientappkey" in text
    assert not {"password", "adlsclientappkey"} & set(em.endpoint(PROD, "Shop 2")["db_settings"])


def test_endpoints_that_the_task_does_not_use_are_left_out(admin, em):
    document = shop_with()
    document[BODY]["databases"].append({**document[BODY]["databases"][0], "name": "Other"})
    run = run_import(admin, "aem_task", document)
    assert run.changed and run.result["warnings"] == [
        "These endpoints of the definition are left out, as the task does not use them: Other."
    ]
    assert "Other" not in em.server(PROD)["endpoints"] and "Other" not in "".join(bodies(run))
    assert not run_import(admin, "aem_task", document).changed


# What is shown

STATE = {
    "users": [{"name": "u", "password": "state", "grants": [{"role": "Admin"}]}],
    "servers": [{"name": PROD, "host": "h", "tasks": [{"name": "a", "state": "RUNNING"}]}],
}


def test_a_password_that_is_a_word_hides_no_member(em, admin):
    em.reset(STATE)
    admin.defaults = {"username": "u", "password": "state"}
    run = admin.run("aem_task_info", server=PROD)
    assert run.result["tasks"][0]["state"] == "RUNNING"


@both_ways
def test_a_playbook_shows_names_and_no_secret_of_what_is_not_json(em, tmp_path, as_module):
    em.reset(STATE)
    player = Player(tmp_path, as_module, PASSWORD="state", CANARY='pa"canary\\word')
    login = {"url": em.url, "ca_path": em.ca_path, "username": "u", "password": "{{ lookup('env', 'PASSWORD') }}"}
    task = {**login, "server": PROD, "name": "a"}
    text = "{\"name\": \"{{ lookup('env', 'CANARY') }}\"}\n"
    steps = [{"op": "replace", "path": "/x", "value": "{{ lookup('env', 'CANARY') }}"}]
    patch = {**login, "method": "patch", "path": ["servers", PROD, "endpoints", "x"], "body": steps}
    outcome = player.play(
        [
            {"dataops.qlik_em.aem_task": {**task, "state": "started"}},
            {"dataops.qlik_em.aem_task": {**task, "state": "present", "definition": text}},
            {"dataops.qlik_em.aem_api": patch},
            {"dataops.qlik_em.aem_api": {**patch, "body": "text {{ lookup('env', 'CANARY') }}"}},
        ],
        "-vvv",
    )
    started, broken, *_calls = outcome.results
    assert started["task"]["state"] == "RUNNING"
    assert broken["msg"].startswith("definition is not JSON: syntax error at line 1, column")
    assert "canary" not in outcome.text and "canary" not in json.dumps(outcome.results)
    assert "********" in outcome.text and "ca_path" in outcome.text


def with_canary(**content):
    """Return a definition with a secret by its name, one by the user's word, and more content."""
    document = shop_with(password="canary", y="canary of the user")
    document[BODY].update(content)
    return document


UNUSED = with_canary()
task_of(UNUSED)["task"]["source_name"] = "ERP"
SHOWN = {
    "another secret": shop_with(x="PWD=canary;"),
    "as usual": with_canary(),
    "two tasks": with_canary(tasks=[task_of(definition("a")), task_of(definition("b"))]),
    "not used": UNUSED,
    "damaged": with_canary(tasks="System.Object[]"),
    "aliens": with_canary(aliens={"a": 1}),
    "without a body": {"databases": with_canary()[BODY]["databases"]},
    "not a definition": "canary",
    "not JSON": '{"a": "pa"canary"}',
    "a list": [{"password": "canary"}],
}
TEXTS = {
    **{f"{name} as text": json.dumps(value) for name, value in SHOWN.items() if not isinstance(value, str)},
    "twice": json.dumps(with_canary()).replace('"password"', '"port": 1, "port": 2, "password"'),
}


@pytest.mark.parametrize(
    ("module", "options"),
    [
        ("aem_api", {"method": "patch", "path": "a", "body": [{"op": "add", "path": "/x", "value": {"a": "canary"}}]}),
        ("aem_api", {"method": "put", "path": "a", "body": "a text with a canary"}),
        ("aem_api", {"method": "put", "path": "a", "body": '{"a": "canary"}'}),
        *(
            pytest.param(
                module, {**more, "server": PROD, "definition": value, "secrets": ["*/y"]}, id=f"{module} {name}"
            )
            for module, more in (("aem_task", {"name": "x", "state": "present"}), ("aem_import", {}))
            for name, value in {**SHOWN, **TEXTS}.items()
        ),
    ],
)
def test_neither_invocation_nor_the_log_of_the_system_shows_what_may_be_a_secret(
    admin, monkeypatch, capsys, module, options
):
    logged: list[str] = []
    monkeypatch.setattr(basic.syslog, "syslog", lambda *arguments: logged.append(str(arguments[-1])))
    monkeypatch.setattr(basic, "has_journal", False)
    where = {"url": "https://localhost:1", "ca_path": admin.em.ca_path, "_ansible_check_mode": True}
    with patch_module_args({**admin.defaults, **where, **options}), pytest.raises(SystemExit):
        MODULES[module].main()
    shown = capsys.readouterr().out
    assert json.loads(shown)["invocation"]["module_args"]["username"] == "admin@corp.example"
    assert "canary" not in shown and "Invoked with" in logged[0] and "canary" not in "\n".join(logged)


# Any definition, end to end

VALUES = st.integers() | st.booleans() | st.text(max_size=4).filter(lambda text: "\ud800" not in text)
NAMED = st.lists(st.sampled_from(["one", "two", "three", "four"]), unique=True, min_size=1)
OBJECTS = st.dictionaries(st.sampled_from(["x", "y", "ü"]), VALUES, max_size=2)


@st.composite
def any_definition(draw):
    """Return a definition with nested members that nobody knows, and lists with and without names."""
    document = definition(tables=tuple(draw(NAMED)))
    settings_ = {"plain": draw(st.lists(VALUES, max_size=3)), "deep": {"deeper": draw(OBJECTS)}}
    task_of(document)["task_settings"]["source_settings"] = settings_
    task_of(document)["rules"] = [{"name": name, **draw(OBJECTS)} for name in draw(NAMED)]
    return document


@pytest.mark.parametrize("lists", ["reordered", "appended", "replaced"])
def test_any_definition_comes_out_as_it_went_in(admin, em, tmp_path, lists):
    @settings(max_examples=6, deadline=None, suppress_health_check=list(HealthCheck))
    @given(any_definition())
    def round_trip(document):
        em.reset()
        em.set_variants(import_lists=lists)
        run = run_import(admin, "aem_task", document)
        assert run.changed and not run.failed, run.result
        found = copy.deepcopy(task_of(exported(admin, tmp_path)[1]))
        given_item = task_of(document)
        assert found["rules"] == given_item["rules"]
        assert found["task_settings"]["source_settings"] == given_item["task_settings"]["source_settings"]
        tables = [item["source"]["source_tables"]["explicit_included_tables"] for item in (found, given_item)]
        assert sorted(table["name"] for table in tables[0]) == sorted(table["name"] for table in tables[1])
        assert not run_import(admin, "aem_task", tmp_path / "fresh.json").changed

    round_trip()
