# Copyright (c) 2026, dataops.qlik_em contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""aem_api: what is sent, what comes back, what counts as a change, and what is refused."""

from __future__ import annotations

import json

import pytest
from ansible_collections.dataops.qlik_em.plugins.module_utils._access import raw_call
from ansible_collections.dataops.qlik_em.tests.functional.support.user import User

ORDERS = "servers/Replicate-Prod/tasks/orders"
STOP = {"method": "post", "path": ORDERS, "query": {"action": "stop", "timeout": 60}}
ADMIN = {"username": "admin@corp.example", "password": "admin-test-password"}


def call(run):
    """Return the one request beside the login and the logout."""
    (request,) = [one for one in run.requests if one["operation"] not in ("Login", "Logout")]
    return request


def test_a_read_returns_its_json_and_changes_nothing(user):
    for check in (True, False):
        run = user.run("aem_api", path="servers", check=check)
        assert not run.failed and not run.changed and run.operations == ["Login", "GetServerList", "Logout"]
        assert (run.result["sent"], run.result["status"], run.result["error_code"]) == (True, 200, None)
        assert "Compose-DW" in [server["name"] for server in run.result["json"]["serverList"]]
        assert "text" not in run.result


def test_a_write_is_a_change_and_is_not_sent_in_check_mode(user, em):
    run = user.run("aem_api", **STOP, check=True)
    assert run.changed and run.requests == [] and run.result["sent"] is False
    assert f"POST {ORDERS} was not sent" in run.msg
    run = user.run("aem_api", **STOP)
    assert run.changed and call(run)["operation"] == "StopTask" and run.result["json"]["state"] == "STOPPED"


@pytest.mark.parametrize(
    ("path", "raw"),
    [
        ("/servers/Replicate-Prod/", "/servers/Replicate-Prod"),
        ("servers/Replicate Old", "/servers/Replicate%20Old"),
        (["servers", "Replicate-Test", "tasks", "north/south"], "/servers/Replicate-Test/tasks/north%2Fsouth"),
        (["servers", "Replicate-Test", "tasks", "a+b=c #1?"], "/servers/Replicate-Test/tasks/a%2Bb%3Dc%20%231%3F"),
        ("servers/Replicate-Prod/tasks/Aufträge & Kunden 100%", "/tasks/Auftr%C3%A4ge%20%26%20Kunden%20100%25"),
        (["servers", "R", "tasks", 4711], "/servers/R/tasks/4711"),
        ("servers/%2e%2e", "/servers/%252e%252e"),
    ],
)
def test_each_part_of_the_path_is_encoded_once(user, path, raw):
    assert call(user.run("aem_api", path=path))["raw_path"].endswith(f"/api/v1{raw}" if raw.startswith("/s") else raw)


def test_parameters_are_texts_and_null_is_left_out(user):
    query = {"schema": "a&b c", "includequeued": True, "table": None, "n": 3}
    run = user.run("aem_api", path=f"{ORDERS}/tables", query=query)
    assert call(run)["raw_path"].endswith("/tables?schema=a%26b%20c&includequeued=true&n=3")


@pytest.mark.parametrize(
    ("body", "wire", "kind"),
    [
        ({"application": "é", "x": ""}, '{"application": "\\u00e9", "x": ""}', "application/json"),
        ([1, None], "[1, null]", "application/json"),
        ('{"a":  1}', '{"a":  1}', "text/plain; charset=utf-8"),
        ("", "", None),  # not given, as each empty text
        (None, "", None),
    ],
)
def test_a_body_is_json_or_a_text_as_it_is(user, body, wire, kind):
    run = user.run("aem_api", method="put", path=ORDERS, query={"action": "x"}, body=body)
    request = call(run)
    assert request["body"] == wire
    headers = {name.lower(): value for name, value in dict(request["headers"]).items()}
    assert headers.get("content-type") == kind and headers["content-length"] == str(len(wire))


def test_an_accepted_code_is_an_answer_and_no_change(user):
    user.run("aem_api", **STOP)
    run = user.run("aem_api", **STOP)
    assert run.failed and not run.changed and run.result["error_code"] == "AEM_TASK_ALREADY_STOPPED"
    assert f'POST of "{ORDERS}" failed' in run.msg
    run = user.run("aem_api", **STOP, accept=["AEM_TASK_ALREADY_STOPPED"])
    assert not run.failed and not run.changed
    assert (run.result["status"], run.result["error_code"]) == (500, "AEM_TASK_ALREADY_STOPPED")
    assert "already stopped" in run.result["error_message"]


def test_a_time_out_of_the_server_is_a_change(user, em):
    late = {**STOP, "path": "servers/Replicate-Test/tasks/stuck", "query": {"action": "stop", "timeout": 0}}
    run = user.run("aem_api", **late)
    assert run.failed and run.changed and run.result["error_code"] == "AEM_STOP_TASK_TIMEOUT"
    em.reset()
    run = user.run("aem_api", **late, accept=["AEM_STOP_TASK_TIMEOUT"])
    assert not run.failed and run.changed


@pytest.mark.parametrize("method", ["post", "put", "patch", "delete"])
@pytest.mark.parametrize(
    "fault",
    [{"fault": "cut_after"}, {"fault": "cut_before"}, {"fault": "status", "status": 502}, {"fault": "garbage"}],
)
def test_a_write_without_an_answer_may_have_changed_something(user, em, method, fault):
    em.faults([{"match": {"method": method.upper()}, "nth": 2 if method == "post" else 1, **fault}])
    run = user.run("aem_api", method=method, path=ORDERS, query={"action": "stop"})
    call(run)  # once
    assert run.failed and run.changed and "was not sent again" in run.result["hint"]


def test_a_read_without_an_answer_is_sent_again(user, em):
    em.faults([{"match": {"operation": "GetServerList"}, "fault": "cut_after"}])
    run = user.run("aem_api", path="servers")
    assert not run.failed and run.operations == ["Login", "GetServerList", "GetServerList", "Logout"]
    em.faults([{"match": {"operation": "GetServerList"}, "nth": "all", "fault": "status", "status": 502}])
    run = user.run("aem_api", path="servers")
    assert run.failed and not run.changed


def test_a_write_that_never_left_changed_nothing(user):
    run = user.run("aem_api", **STOP, url="https://localhost:1", connect_timeout=2, request_timeout=2)
    assert run.failed and not run.changed


def test_a_path_that_does_not_exist_is_a_failure(user):
    """The API's own listener says so, and has done nothing then; of any other 404 page nobody knows."""
    for method in ("get", "post"):
        run = user.run("aem_api", method=method, path="no/such/thing")
        assert run.failed and not run.changed and run.result["http_status"] == 404
        assert "the path in url" in run.result["hint"]


@pytest.mark.parametrize("method", ["get", "post"])
def test_after_a_404_page_of_somebody_else_a_write_may_have_been_carried_out(user, em, method):
    em.faults([{"match": {"path": "*/thing"}, "fault": "status", "status": 404, "headers": {"Server": "nginx"}}])
    run = user.run("aem_api", method=method, path="no/such/thing")
    assert run.failed and run.changed is (method == "post") and run.result["http_status"] == 404


def test_a_text_is_returned_as_a_text(user, em):
    em.faults([{"match": {"operation": "GetServerList"}, "fault": "bad_json", "body": "plain é"}])
    run = user.run("aem_api", path="servers")
    assert run.result["text"] == "plain é" and "json" not in run.result
    barrier = {"application": "a", "retention_point": "2026-11-24T22:00:00Z"}
    query = {"action": "set_change_data_retention_barrier"}
    run = user.run("aem_api", method="put", path=ORDERS, query=query, body=barrier)
    assert run.changed and run.result["text"] == ""


@pytest.mark.parametrize("method", ["get", "post"])
def test_after_an_answer_that_is_not_text_a_write_is_a_change(user, monkeypatch, method):
    monkeypatch.setattr(raw_call, "read_content", lambda _content: None)  # as of bytes
    run = user.run("aem_api", **(STOP if method == "post" else {"path": "servers"}))
    assert run.failed and run.changed is (method == "post") and "bytes) is not UTF-8 text" in run.msg


def test_secrets_in_the_answer_are_masked_unless_they_are_wanted(em):
    """A definition has them encrypted, a server has the id of its password; older exports begin with a comment."""
    admin = User(em, defaults=ADMIN)
    everything = {"path": "servers/Replicate-Prod", "query": {"action": "export"}}
    for comment in (False, True):
        em.set_variants(export_comment=comment)
        shown = json.dumps(admin.run("aem_api", **everything).result["json"], ensure_ascii=False)
        assert '"password": "********"' in shown and '"username": "replicate"' in shown and '"{' not in shown
    kept = admin.run("aem_api", path="servers/Replicate-Prod/def", secrets="keep").result["json"]["password"]
    masked = admin.run("aem_api", path="servers/Replicate-Prod/def").result["json"]["password"]
    assert masked == "********" != kept and len(kept) > 8


def test_a_session_may_be_shared_and_is_left_open(em, user):
    session_id = user.run("aem_session").result["session_id"]
    run = user.run("aem_api", path="servers", session_id=session_id)
    assert not run.failed and run.operations == ["GetServerList"] and em.summary()["open_sessions"] == 1
