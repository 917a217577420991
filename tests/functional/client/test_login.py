# Copyright (c) 2026, dataops.qlik_em contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Logging in: each way, and where it comes from."""

from __future__ import annotations

import pytest

OPERATOR = {"username": "operator@corp.example", "password": "operator-test-password"}


@pytest.mark.parametrize(
    "login",
    [
        OPERATOR,
        {"username": "CORP\\operator", "password": "operator-test-password"},
        {"username": "EMHOST\\operator", "password": "operator-test-password"},
        {"username": "jörg@corp.example", "password": "pässwörd with blanks"},
        {"api_token": "operator-test-api-token"},
        {"jwt": "operator.test.jwt"},
    ],
)
def test_every_way_to_log_in_works_as_option_and_as_variable(user, login):
    assert user.run("aem_task_info", server="Replicate-Prod", name="locked", **login).result["tasks"]
    user.environ.update({f"QLIK_EM_{option.upper()}": value for option, value in login.items()})
    assert user.run("aem_task_info", server="Replicate-Prod", name="locked").result["tasks"]


def test_options_beat_variables_as_a_whole(user):
    user.environ.update(QLIK_EM_USERNAME="nobody", QLIK_EM_PASSWORD="nothing", QLIK_EM_JWT="nonsense")
    assert not user.task(api_token="operator-test-api-token").failed


def test_half_a_login_is_not_completed_from_the_variables(user, em):
    user.environ.update(QLIK_EM_USERNAME="operator@corp.example", QLIK_EM_PASSWORD="operator-test-password")
    assert "username needs password" in user.task(username="admin@corp.example").msg
    assert em.requests() == []


def test_an_empty_variable_counts_as_none(user):
    user.environ.update(QLIK_EM_USERNAME="operator@corp.example", QLIK_EM_PASSWORD="operator-test-password")
    user.environ.update(QLIK_EM_API_TOKEN="", QLIK_EM_SESSION_ID="")
    assert not user.task().failed


def test_a_wrong_password_is_sent_once_and_said(user, em):
    run = user.task(username="operator@corp.example", password="wrong")
    assert run.failed and not run.changed
    assert 'refused to log in user "operator@corp.example": HTTP 401' in run.msg
    assert em.url in run.msg
    assert run.result["http_status"] == 401
    assert "not tried again" in run.result["hint"]
    assert run.operations == ["Login"]


def test_a_login_that_fails_by_a_known_code_says_what_to_do(user, em):
    em.faults([{"match": {"operation": "Login"}, "fault": "error", "error_code": "LICENSE_NOT_FOUND"}])
    run = user.task()
    assert run.failed and not run.changed and run.operations == ["Login"]
    assert run.result["error_code"] == "LICENSE_NOT_FOUND" and run.result["hint"].startswith("Register one in the")
    assert "not tried again" in run.result["hint"]


@pytest.mark.parametrize("way", ["api_token", "jwt"])
def test_a_refused_token_is_named_but_not_shown(user, way):
    run = user.task(**{way: "not-the-right-one"})
    assert f"refused to log in the owner of {way}" in run.msg
    assert "not-the-right-one" not in str(run.result)


def test_a_user_without_rights_gets_a_clear_failure(user):
    run = user.task(username="stranger@corp.example", password="stranger-test-password")
    assert run.failed and "Operator on the task" in run.result["hint"]


@pytest.mark.parametrize("password", ["msg", "failed", "changed"])
def test_a_password_that_is_a_word_of_ansible_does_not_take_the_result_apart(user, password):
    result = user.task(username="operator@corp.example", password=password).result
    assert result["failed"] is True and result["changed"] is False and result["http_status"] == 401


EMPTY = ["client_cert", "client_key", "proxy", "connect_timeout", "request_timeout"]


@pytest.mark.parametrize("option", [*EMPTY, "api_token", "jwt", "session_id"])
def test_an_empty_option_is_not_given(user, em, option):
    """AWX leaves out an answer of a survey, or a field of a credential, like that."""
    user.defaults.update(username=em.username, password=em.password)
    assert not user.task(**{option: ""}).failed


@pytest.mark.parametrize("option", ["url", "validate_certs", "ca_path", *EMPTY])
def test_an_empty_variable_of_an_option_is_not_set(user, em, monkeypatch, option):
    monkeypatch.setenv(f"QLIK_EM_{option.upper()}", "")
    assert not user.task().failed


def test_an_empty_option_does_not_hide_the_variable(user, em):
    user.environ.update(QLIK_EM_USERNAME=em.username, QLIK_EM_PASSWORD=em.password)
    assert not user.task(username="", password="").failed


@pytest.mark.parametrize(
    "option", ["wait", "timeout", "wait_timeout", "run_option", "cdc_position", "definition", "src"]
)
def test_an_empty_option_of_a_module_is_not_given(user, option):
    assert not user.task(**{option: ""}).failed


@pytest.mark.parametrize("option", ["server", "name"])
def test_an_empty_name_is_refused(user, em, option):
    run = user.task(**{"server": "Replicate-Prod", "name": "orders", option: ""})
    assert f"{option} must not be empty or blank" in run.msg and em.requests() == []


def test_an_empty_file_of_cas_is_called_empty(user, tmp_path):
    (tmp_path / "ca.pem").touch()
    assert f"ca_path ({tmp_path}/ca.pem) is an empty file" in user.task(ca_path=str(tmp_path / "ca.pem")).msg
