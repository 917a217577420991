# Copyright (c) 2026, dataops.qlik_em contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Bad input: one clear line, and nothing is sent."""

from __future__ import annotations

import pytest
from ansible_collections.dataops.qlik_em.plugins.module_utils import _run

NO_LOGIN = {"username": None, "password": None}


@pytest.mark.parametrize(
    ("options", "text"),
    [
        ({"url": None}, "url is missing: give the option url or set QLIK_EM_URL."),
        ({"url": " "}, "url is missing"),
        ({"url": "http://em.example.com"}, "url must begin with https://"),
        ({"url": "ftp://em.example.com"}, 'url "ftp://em.example.com" is not of the form'),
        ({"url": "https://"}, "is not of the form"),
        ({"url": "https://em.example.com:0"}, "is not of the form"),
        ({"url": "https://em.example.com:99999"}, "is not of the form"),
        ({"url": "https://[::1"}, "is not of the form"),
        ({"url": "https://em.example.com/?a=b"}, "is not of the form"),
        ({"url": "https://em example.com"}, "is not of the form"),
        ({"url": "https://me:secret@em.example.com"}, "must not contain a user or a password"),
        ({"server": ""}, "server must not be empty or blank"),
        ({"server": " "}, "server must not be empty or blank"),
        ({"server": ".."}, 'server must not be ".."'),
        ({"name": ""}, "name must not be empty or blank"),
        ({"name": "\t"}, "name must not be empty or blank"),
        ({"name": "."}, 'name must not be "."'),
        ({"name": ".."}, 'name must not be ".."'),
        ({"timeout": -1}, "timeout must be between 1 and 86400 seconds, not -1"),
        ({"timeout": 0}, "timeout must be between"),
        ({"timeout": 10**9}, "timeout must be between"),
        ({"timeout": "soon"}, "timeout"),
        ({"wait_timeout": -5}, "wait_timeout must be between"),
        ({"wait_timeout": 86401}, "wait_timeout must be between"),
        ({"wait_sleep": 0}, "wait_sleep must be between 0.1"),
        ({"wait_sleep": "nan"}, "wait_sleep must be between"),
        ({"connect_timeout": 0}, "connect_timeout must be between"),
        ({"request_timeout": 1e6}, "request_timeout"),
        ({"username": "olga", "password": "with:colon"}, "password must not contain a colon"),
        ({"username": "a:b", "password": "s3cr3t"}, "username must not contain a colon"),
        ({"username": "a"}, "username needs password"),
        ({"password": "s3cr3t"}, "password needs username"),
        ({"username": "", "password": "s3cr3t"}, "username must not be empty"),
        ({"username": "a", "password": " "}, "password must not be empty"),
        (
            {"username": "olga", "password": "s3cr3t", "jwt": "t0k3n"},
            "Only one way to log in may be given, not username and jwt.",
        ),
        ({"api_token": "t1k3n", "jwt": "t0k3n"}, "Only one way to log in may be given, not api_token and jwt."),
        ({"session_id": "two lines\n"}, "session_id must be one line"),
        ({"session_id": "é"}, "session_id must be one line"),
        ({"ca_path": "/nowhere/ca.pem"}, "ca_path (/nowhere/ca.pem) cannot be read: No such file or directory."),
        ({"client_cert": "/x.pem"}, "client_cert needs client_key"),
        ({"client_key": "/x.pem"}, "client_key needs client_cert"),
        ({"client_cert": "/x.pem", "client_key": "/x.pem"}, "cannot be read: No such file or directory"),
        ({"proxy": "https://proxy:3128"}, "proxy is not of the form"),
        ({"proxy": "proxy:3128"}, "proxy is not of the form"),
        ({"state": "stopd"}, "value of state must be one of"),
        ({"state": "started", "run_option": "reload_target"}, "value of run_option must be one of"),
        ({"state": "started", "run_option": "resume_processing_from_timestamp"}, "needs cdc_position"),
        (
            {"state": "started", "run_option": "resume_processing_from_position", "cdc_position": ""},
            "needs cdc_position",
        ),
        ({"state": "started", "run_option": "recover_using_checkpoint_stored_on_target"}, "needs cdc_position"),
        ({"state": "started", "cdc_position": "1"}, "cdc_position has no meaning with run_option: resume_processing"),
        (
            {
                "state": "started",
                "run_option": "resume_processing_from_timestamp",
                "cdc_position": "2026-11-23 03:00:00",
            },
            "cdc_position must be a UTC time of the form YYYY-MM-DDTHH:MM:SS, in quotes in YAML.",
        ),
    ],
)
def test_bad_input_gets_one_clear_line_and_touches_nothing(user, em, options, text):
    run = user.task(**options)
    assert run.failed and not run.changed
    assert text in run.msg and "\n" not in run.msg
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
    assert run.failed and run.msg.startswith(f"ca_path ({junk}) does not hold what it should")


def test_a_missing_library_is_said_with_the_python_that_lacks_it(user, monkeypatch):
    monkeypatch.setattr(_run, "URLLIB3_IMPORT_ERROR", ImportError("No module named 'urllib3'"))
    monkeypatch.setattr("sys.executable", "/opt/some/python3")
    run = user.task()
    assert run.failed and run.msg == "The Python library urllib3 is missing for /opt/some/python3."
    assert "/opt/some/python3 -m pip install urllib3" in run.result["hint"]


@pytest.mark.parametrize("suffix", ["", "/", "/attunityenterprisemanager", "/attunityenterprisemanager/api/v1/"])
def test_the_url_may_be_written_in_several_ways(user, em, suffix):
    assert not user.task(url=em.url + suffix).failed
    assert not user.task(url=(em.url + suffix).replace("https://", "")).failed
