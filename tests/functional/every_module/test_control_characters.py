# Copyright (c) 2026, dataops.qlik_em contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A control character in a name, a user or a secret is refused before anything is sent, for each option of each module.

A secret that was read from a file or made by echo ends in a line end, and a name between double quotes in YAML may hold
what nobody sees. A failed login for each run may lock the account.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator
from typing import Any

import pytest
from ansible_collections.dataops.qlik_em.plugins.module_utils._client.connection import SECRET_OPTIONS, variable
from ansible_collections.dataops.qlik_em.plugins.module_utils._run.arguments import connection_options
from ansible_collections.dataops.qlik_em.tests.functional.every_module.cases import filled
from ansible_collections.dataops.qlik_em.tests.functional.every_module.inputs import FINE as ROW
from ansible_collections.dataops.qlik_em.tests.functional.every_module.inputs import (
    NEW_ENDPOINT,
    PATTERN,
)
from ansible_collections.dataops.qlik_em.tests.functional.support.user import MODULES, User

pytestmark = pytest.mark.unmeasured

ADMIN = {"username": "admin@corp.example", "password": "admin-test-password"}
CONNECTION = connection_options()

# Texts that are neither a name, nor a user, nor a secret. By module; "" is each of them.
OTHER = {
    "": {"dest", "src", "backup_dir", "journal", "path", "mode", "owner", "group"},
    "aem_api": {"query", "body", "accept"},  # sent as they are; of path see the last test
    "aem_audit_trail": {"start", "end"},
    "aem_change_data": {"retention_point", "timestamp_or_offset"},
    "aem_endpoint": {"description", "settings", "secrets"},  # see the tests of settings and secrets below
    "aem_estate": {"overlay", "plan", "secret_places", "secrets"},  # paths, places; of secrets see inputs_table.py
    "aem_export": {"secrets"},  # places, as in the next one and aem_task
    "aem_heal": {"memory", "windows"},  # of windows, which must exist, see inputs_table.py
    "aem_import": {"definition", "secrets"},
    "aem_maintenance_window": {"checkpoint", "waves"},  # of waves see inputs.py
    "aem_report": {"result", "rows_file", "history"},  # files, and what a module has returned
    "aem_schedule": {"cron"},
    "aem_server": {"description"},
    "aem_server_license": {"license"},
    "aem_table": {"tables.state"},
    "aem_table_selection": {
        f"{option}.{member}"
        for option in ("included_pattern", "excluded_pattern", "explicit_included_tables")
        for member in ("load_order", "table_type")
    },
    "aem_task": {"definition", "secrets", "cdc_position"},
    "aem_task_batch": {"cdc_position", "waves"},
}
# What each other option needs beside it, if ROW has it not.
BESIDE: dict[tuple[str, str], dict[str, Any]] = {
    ("aem_acl", "task"): {"scope": "task"},
    ("aem_acl", "endpoint"): {"scope": "endpoint"},
    ("aem_acl_info", "task"): {"scope": "task"},
    ("aem_acl_info", "endpoint"): {"scope": "endpoint"},
    ("aem_endpoint", "configuration"): {"state": "reconfigured"},
    ("aem_endpoint", "type"): NEW_ENDPOINT,
    ("aem_endpoint", "settings_type"): NEW_ENDPOINT,
    ("aem_maintenance_window", "dependencies"): {"waves": "auto"},
    ("aem_task_batch", "dependencies"): {"waves": "auto"},
    ("aem_task", "clone_of"): {"state": "present"},
    ("aem_task", "source_endpoint"): {"state": "present", "clone_of": "invoices"},
    ("aem_task", "target_endpoint"): {"state": "present", "clone_of": "invoices"},
    ("aem_table", "schema"): {"table": "T"},
    ("aem_table", "table"): {"schema": "S"},
}
DEPENDENCY = {"dependencies": {"before": [{"name": "orders"}], "after": [{"name": "invoices"}]}}
ITEMS = {
    "aem_maintenance_window": DEPENDENCY,
    "aem_task_batch": DEPENDENCY,
    "aem_table": {"tables": {"schema": "S", "table": "T"}},
    "aem_table_selection": dict.fromkeys(("included_pattern", "excluded_pattern", "explicit_included_tables"), PATTERN),
}


def texts(spec: dict[str, Any], path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], bool]]:
    """Yield the path of each option that takes any text, or may hold some, and whether it is a list."""
    for option, one in spec.items():
        kind = one.get("elements") if one["type"] == "list" else one["type"]
        if "options" in one:
            yield from texts(one["options"], (*path, option))
        elif "choices" not in one and kind in ("str", "raw", "path", "dict"):
            yield (*path, option), one["type"] == "list"


NAMED = [
    (name, path, is_list)
    for name, module in MODULES.items()
    for path, is_list in texts(module.SPEC.argument_spec)
    if path[0] not in CONNECTION and ".".join(path) not in OTHER.get(name, set()) | OTHER[""]
]

CHARACTERS = {
    "\n": "ends with a newline",
    "\r\n": "ends with a newline",
    "\u0085": "ends with a newline",
    "\u2028": "ends with a newline",
    "\nadia": "contains a control character (a newline)",
    "\u2029x": "contains a control character (a newline)",
    "\tx": "contains a control character (a tab)",
    "\t": "contains a control character (a tab)",
    "\0": "contains a control character (U+0000)",
    "\x7f": "contains a control character (U+007F)",
    "\x1b[0m": "contains a control character (U+001B)",
    "\x9b": "contains a control character (U+009B)",
}


def options_for(name: str, path: tuple[str, ...], is_list: bool, value: Any) -> dict[str, Any]:
    """Return options that are fine but for the value at a path."""
    options = {**copy.deepcopy(ROW[name]), **BESIDE.get((name, path[0]), {})}
    value = [value] if is_list else value
    if len(path) == 1:
        if name == "aem_table" and path[0] in ("schema", "table"):
            options.pop("tables")
        return {**options, path[0]: value}
    if len(path) == 3:
        value = [{path[2]: value}]
    inner = {**ITEMS.get(name, {}).get(path[0], {}), path[1]: value}
    is_mapping = MODULES[name].SPEC.argument_spec[path[0]]["type"] == "dict"
    return {**options, path[0]: inner if is_mapping else [inner]}


@pytest.mark.parametrize(("name", "path", "is_list"), NAMED, ids=str)
def test_no_name_may_hold_a_control_character(em, tmp_path, name, path, is_list):
    user = User(em, defaults=ADMIN)
    for signs, text in CHARACTERS.items():
        options = filled(options_for(name, path, is_list, f"hush{signs}"), {"folder": str(tmp_path)})
        for check in (True, False):
            run = user.run(name, check=check, **options)
            assert run.failed and not run.changed and text in run.msg, (signs, run.result)
            assert path[-1] in run.msg.partition(text)[0] and "hush" not in str(run.result)
            assert ("echo" if "ends" in text else 'single quotes: in "CORP\\nadia"') in run.msg
    assert em.requests() == [] and em.summary()["tcp_connections"] == 0


@pytest.mark.parametrize(("name", "path", "is_list"), NAMED, ids=str)
def test_blanks_and_any_other_sign_are_data(em, tmp_path, name, path, is_list):
    """What the server makes of it is another matter."""
    signs = " CORP\u00a0\u200b\\nadia é\u3000 "
    options = filled(options_for(name, path, is_list, signs), {"folder": str(tmp_path)})
    run = User(em, defaults=ADMIN).run(name, check=True, **options)
    assert not run.failed or ("control character" not in run.msg and "line end" not in run.msg), run.result
    assert em.requests() or not run.failed


def test_each_exception_is_an_option_that_there_is():
    """A new option that takes a text is a name, unless it is put among the others."""
    for name, options in OTHER.items():
        if name:
            assert options <= {".".join(path) for path, _is_list in texts(MODULES[name].SPEC.argument_spec)}
    every = {".".join(path) for module in MODULES.values() for path, _is_list in texts(module.SPEC.argument_spec)}
    assert OTHER[""] <= every
    apart = {option for option, spec in CONNECTION.items() if spec["type"] in ("str", "path")}
    assert apart == {*SECRET_OPTIONS, "username", "proxy", "url", "ca_path", "client_cert", "client_key"}


# Logging in

WAYS = [
    *({"username": ADMIN["username"], "password": ADMIN["password"], "bad": bad} for bad in ("username", "password")),
    *({option: "something", "bad": option} for option in ("api_token", "jwt", "session_id")),
]


@pytest.mark.parametrize("way", WAYS, ids=lambda way: way["bad"])
@pytest.mark.parametrize("is_variable", [False, True], ids=["option", "variable"])
@pytest.mark.parametrize("name", ["aem_task", "aem_session"])
def test_no_login_is_tried_with_a_control_character(em, name, is_variable, way):
    bad = way["bad"]
    for signs, text in CHARACTERS.items():
        given = {option: value for option, value in way.items() if option != "bad"}
        given[bad] += signs
        if is_variable and "\0" in signs:  # no environment can hold it
            continue
        user = User(em, environ={variable(option): value for option, value in given.items()} if is_variable else {})
        run = user.run(name, **ROW[name], **({} if is_variable else given))
        assert run.failed and not run.changed
        assert run.msg.startswith(f"{variable(bad) if is_variable else bad} {text}"), (signs, run.result)
        assert given[bad].rstrip() not in str(run.result) or bad == "username"
    assert em.requests() == [] and em.summary()["tcp_connections"] == 0


def test_every_option_that_logs_in_is_tried():
    assert {way["bad"] for way in WAYS} == {*SECRET_OPTIONS, "username"}


@pytest.mark.parametrize("is_variable", [False, True], ids=["option", "variable"])
@pytest.mark.parametrize("proxy", ["http://me:hush\x7f@proxy:3128", "http://me:hu\nsh@proxy:3128"])
def test_no_proxy_is_asked_with_a_control_character(em, proxy, is_variable):
    environ = {"QLIK_EM_PROXY": proxy} if is_variable else {}
    user = User(em, environ=environ, defaults=ADMIN)
    run = user.task(proxy=proxy)  # a variable is a fallback of the option
    assert run.failed and "contains a control character" in run.msg and "hu" not in run.msg
    assert run.msg.startswith("QLIK_EM_PROXY " if is_variable else "proxy ")
    assert em.requests() == []


# The settings of an endpoint

KEY = "-----BEGIN PRIVATE KEY-----\nAAECAwQFBgcICQ==\nDAwMDAwM\n-----END PRIVATE KEY-----\n"
MANY_LINES = {
    "pem": KEY,
    "windows": KEY.replace("\n", "\r\n"),
    "chain": KEY.rstrip() + "\n" + KEY,
    "headers": KEY.replace("\nAAE", "\nProc-Type: 4,ENCRYPTED\n\nAAE"),
    "json": '{\n\t"type": "service_account",\n\t"private_key": "-----BEGIN PRIVATE KEY-----\\nAA\\n"\n}\n',
}
PLACES = [
    ({"secrets": {"pin": None}}, "secrets.pin"),
    ({"secrets": {"deep": {"list": ["fine", None]}}}, "secrets.deep.list"),
    ({"settings": {"password": None}}, "settings.password"),
    ({"settings": {"nodes": [{"host": "a", "authToken": None}]}}, "settings.nodes.authToken"),
    ({"settings": {"secrets": [None]}}, "settings.secrets"),
    ({"settings": {"username": None}}, "settings.username"),
    ({"settings": {"deep": {"asm_user": None}}}, "settings.deep.asm_user"),
]


def placed(value: Any, text: str) -> Any:
    """Return a value with the text in the place of None."""
    if isinstance(value, dict):
        return {key: placed(item, text) for key, item in value.items()}
    if isinstance(value, list):
        return [placed(item, text) for item in value]
    return text if value is None else value


@pytest.mark.parametrize(("place", "path"), PLACES, ids=lambda value: value if isinstance(value, str) else "")
def test_no_secret_and_no_user_in_settings_may_hold_a_control_character(em, place, path):
    user = User(em, defaults=ADMIN)
    for signs, text in {**CHARACTERS, "-----BEGIN X-----\nA": "control character"}.items():
        for base in ({"name": "ERP"}, NEW_ENDPOINT):
            run = user.run("aem_endpoint", server="Replicate-Prod", **base, **placed(place, f"hush{signs}"))
            assert run.failed and not run.changed and text in run.msg and "hush" not in str(run.result), run.result
            assert run.msg.startswith(path)
    assert em.requests() == []


@pytest.mark.parametrize("text", MANY_LINES.values(), ids=MANY_LINES)
@pytest.mark.parametrize("place", [{"secrets": {"pin": None}}, {"settings": {"privateKey": None}}])
def test_a_key_and_credentials_may_have_many_lines(em, place, text):
    run = User(em, defaults=ADMIN).run("aem_endpoint", server="Replicate-Prod", **NEW_ENDPOINT, **placed(place, text))
    assert run.changed, run.result
    assert text in em.endpoint("Replicate-Prod", "new")["db_settings"].values()


@pytest.mark.parametrize("broken", [KEY.replace("AAE", "A\0E"), KEY.replace("AAE", "A\x7fE"), KEY + "x\n"])
def test_a_key_holds_no_other_control_character(em, broken):
    run = User(em, defaults=ADMIN).run(
        "aem_endpoint", server="Replicate-Prod", **NEW_ENDPOINT, secrets={"privateKey": broken}
    )
    assert run.failed and run.msg.startswith("secrets.privateKey ") and em.requests() == []


def test_other_settings_and_descriptions_may_hold_anything(em):
    user = User(em, defaults=ADMIN)
    run = user.run(
        "aem_endpoint",
        server="Replicate-Prod",
        **NEW_ENDPOINT,
        description="Two\nlines\t!\n",
        settings={"afterConnectScript": "ALTER SESSION\n\tSET x = 1\n"},
    )
    assert run.changed and em.endpoint("Replicate-Prod", "new")["description"] == "Two\nlines\t!\n"
    assert em.endpoint("Replicate-Prod", "new")["db_settings"]["afterConnectScript"] == "ALTER SESSION\n\tSET x = 1\n"
    run = user.run("aem_server", name="Replicate-Test", description="Two\nlines\n")
    assert run.changed and em.server("Replicate-Test")["description"] == "Two\nlines\n"


@pytest.mark.parametrize("path", ["servers/Replicate-Prod\n/tasks", ["servers", "a\0b"], ["servers", "a\u2028"]])
def test_no_name_in_a_path_may_hold_a_control_character(em, path):
    run = User(em, defaults=ADMIN).run("aem_api", path=path)
    assert run.failed and run.msg.startswith("A part of path ") and em.requests() == []
