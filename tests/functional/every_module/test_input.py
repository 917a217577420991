# Copyright (c) 2026, dataops.qlik_em contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Bad input, for each module and each option that asks for something: one clear line, and nothing is sent."""

from __future__ import annotations

import copy
import importlib
import os
import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible_collections.dataops.qlik_em.plugins import doc_fragments
from ansible_collections.dataops.qlik_em.plugins.module_utils._run import run as _run
from ansible_collections.dataops.qlik_em.tests.functional.every_module.cases import filled
from ansible_collections.dataops.qlik_em.tests.functional.every_module.inputs import CONNECTION, FINE, Row
from ansible_collections.dataops.qlik_em.tests.functional.every_module.inputs_table import BAD, BAD_TO_READ
from ansible_collections.dataops.qlik_em.tests.functional.support.user import MODULES, User

ADMIN = {"username": "admin@corp.example", "password": "admin-test-password"}


def by_spec(name: str) -> list[Row]:
    """Return what is wrong by the argument spec alone: values of another type, other choices, nothing at all."""
    rows: list[Row] = []
    for option, spec in MODULES[name].SPEC.argument_spec.items():
        values: dict[str, Any] = {"int": "soon", "float": "soon", "bool": "perhaps", "dict": "x y", "list": {"a": "b"}}
        if spec["type"] in values and not (spec["type"] == "list" and spec["elements"] == "str"):
            # Of an option with options of its own, Ansible says no name.
            rows.append(
                (
                    {option: values[spec["type"]]},
                    "dictionary requested" if spec["type"] == "dict" and "options" in spec else option,
                )
            )
        if "choices" in spec:
            wrong = ["nonsense"] if spec["type"] == "list" else "nonsense"
            rows.append(({option: wrong}, f"value of {option} must be one "))
        if spec.get("required"):
            rows.append(({option: None}, f"missing required arguments: {option}"))
    return [*rows, ({"no_such_option": 1}, "no_such_option")]


TABLE = [(name, row, True) for name in MODULES for row in [*by_spec(name), *BAD[name]]] + [
    (name, row, False) for name, rows in BAD_TO_READ.items() for row in rows
]


@pytest.fixture
def values(em, tmp_path):
    """What the table has placeholders for."""
    given, folder = tmp_path / "given", tmp_path / "folder"
    given.mkdir()
    folder.mkdir()
    (given / "file").write_text("hello")
    (given / "empty").touch()
    (given / "binary").write_bytes(b"\xff\xfe\x00")
    os.mkfifo(given / "pipe")
    (given / "circle").symlink_to("circle")
    (given / "astray").symlink_to("/nowhere/x")
    with (given / "huge").open("wb") as file:
        file.truncate(50 * 1024 * 1024 + 1)
    found = {path.name: str(path) for path in given.iterdir()}
    return {**found, "folder": str(folder), "address": f"{em.url}/attunityenterprisemanager"}


def found_files(folder: Path, is_silent: bool) -> dict[Path, Any]:
    """Return what there is, and when it was written. Locks of work that has begun stay for the next run."""
    files = [path for path in folder.rglob("*") if is_silent or path.suffix != ".lock"]
    return {path: path.is_file() and path.stat().st_mtime_ns for path in files}


@pytest.mark.parametrize(("name", "row", "is_silent"), TABLE, ids=lambda value: value if isinstance(value, str) else "")
def test_bad_input_gets_one_clear_line_and_touches_nothing(em, tmp_path, values, name, row, is_silent):
    user, before = User(em, defaults=ADMIN), None if is_silent else em.state()
    files = found_files(tmp_path, is_silent)
    options, text = filled({**FINE[name], **row[0]}, values), filled(row[1], values)
    for check in (True, False):
        run = user.run(name, check=check, diff=True, **copy.deepcopy(options))
        assert run.failed and not run.changed and text in run.msg, run.result
        assert run.msg.isprintable() and "Unexpected" not in run.msg and len(run.msg) < 1500
        if is_silent:
            assert em.requests() == []
        else:
            assert [r["operation"] for r in run.requests if r["method"] != "GET"] == ["Login"]
            assert em.state()["servers"] == before["servers"]
    assert found_files(tmp_path, is_silent) == files


@pytest.mark.parametrize("name", MODULES)
def test_the_options_that_the_table_begins_with_are_fine(em, values, name):
    run = User(em, defaults=ADMIN).run(name, check=True, **filled(FINE[name], values))
    assert not run.failed or name == "aem_table", run.result


# Words by which the documentation asks for something.
ASKING = re.compile(
    r"\bneeds?\b|needed|must\b|has to be|required|refused|exactly one|give (?:either|this)|up to a day|from \d+ to \d+"
    r"|at least one|at most|only be used|cannot take",
    re.IGNORECASE,
)
# Options that ask for something of somebody else: of a server, or of the reader.
ELSEWHERE = {"verify_server_certificate", "details", "accept", "wait"}


def documented(name: str) -> dict[str, str]:
    """Return the options of a module with their descriptions, those of its fragments too."""
    own = yaml.safe_load(MODULES[name].DOCUMENTATION)
    parts = [own]
    for fragment in own["extends_documentation_fragment"]:
        _namespace, _name, file, *section = fragment.split(".")
        module = importlib.import_module(f"{doc_fragments.__name__}.{file}")
        text = getattr(module.ModuleDocFragment, section[0].upper() if section else "DOCUMENTATION")
        parts.append(yaml.safe_load(text))
    options = {option: found for part in parts for option, found in part.get("options", {}).items()}
    return {option: str(found["description"]) for option, found in options.items()}


@pytest.mark.parametrize("name", MODULES)
def test_each_option_that_asks_for_something_has_a_row(name):
    rows = [*BAD[name], *BAD_TO_READ.get(name, []), *CONNECTION]
    spec = MODULES[name].SPEC.argument_spec
    given = {option for options, _text in rows for option in options}
    said = " ".join(text for _options, text in rows)
    asking = {option for option, text in documented(name).items() if ASKING.search(text)} - ELSEWHERE
    assert {"url", "username"} <= asking
    for option in asking:
        assert given & {option, *spec[option].get("aliases", [])} or re.search(rf"\b{option}\b", said), option


# Connecting


@pytest.mark.parametrize(("options", "text"), CONNECTION)
def test_a_bad_connection_option_gets_one_clear_line_and_touches_nothing(user, em, options, text):
    run = user.task(**options)
    assert run.failed and not run.changed
    assert text in run.msg and run.msg.isprintable()
    assert "Unexpected" not in run.msg and "secret" not in str(run.result)
    assert em.requests() == [] and em.summary()["tcp_connections"] == 0


def test_no_way_to_log_in(user, em):
    user.environ["QLIK_EM_NOTHING"] = "x"
    run = user.task()
    assert run.failed and run.msg.startswith(
        "No way to log in: give username and password, api_token, jwt or session_id"
    )
    assert em.requests() == []


def test_missing_arguments_are_named(user):
    assert user.run("aem_task").msg == "missing required arguments: name, server, state"


def test_a_ca_path_that_holds_no_certificate(user, tmp_path):
    junk = tmp_path / "ca.pem"
    junk.write_text("not a certificate")
    run = user.task(ca_path=str(junk))
    assert run.failed and run.msg.startswith(f"ca_path ({junk}) does not contain the expected unencrypted PEM")


def test_a_missing_library_is_said_with_the_python_that_lacks_it(user, monkeypatch):
    monkeypatch.setattr(_run, "REQUESTS_IMPORT_ERROR", ImportError("No module named 'requests'"))
    monkeypatch.setattr("sys.executable", "/opt/some/python3")
    run = user.task()
    assert run.failed and run.msg == "The Python library requests is missing for /opt/some/python3."
    assert "/opt/some/python3 -m pip install requests" in run.result["hint"]


@pytest.mark.parametrize("suffix", ["", "/", "/attunityenterprisemanager", "/attunityenterprisemanager/api/v1/"])
def test_the_url_may_be_written_in_several_ways(user, em, suffix):
    assert not user.task(url=em.url + suffix).failed
    assert not user.task(url=(em.url + suffix).replace("https://", "")).failed
