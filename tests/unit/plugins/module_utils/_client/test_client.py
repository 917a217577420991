# Copyright (c) 2026, dataops.qlik_em contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest
from ansible_collections.dataops.qlik_em.plugins.module_utils._client import answers
from ansible_collections.dataops.qlik_em.plugins.module_utils._client.calls import Call, Target
from ansible_collections.dataops.qlik_em.plugins.module_utils._client.client import build_url
from ansible_collections.dataops.qlik_em.plugins.module_utils._client.connection import Connection, Login
from ansible_collections.dataops.qlik_em.plugins.module_utils._client.errors import ApiError, InputError, TransportError
from ansible_collections.dataops.qlik_em.plugins.module_utils._client.replies import read_answer
from ansible_collections.dataops.qlik_em.plugins.module_utils._client.transport import Reply

CONNECTION = Connection("https://em", Login("bob", "x", 'user "bob"'), None)
CALL = Call(
    "StopTask", "POST", Target(("x",), 'task "t"'), "Operator on the task", shape=answers.TASK_STATE, accept=("FINE",)
)


def answer(body, status=200, call=CALL):
    return read_answer(call, Reply(status, {"Location": "https://elsewhere"}, body), CONNECTION)


def test_a_success():
    assert answer(b'{"state": "STOPPED", "error_message": "", "new_member": 1}').body["state"] == "STOPPED"
    assert answer(b'\xef\xbb\xbf{"state": "STOPPED"}').body["state"] == "STOPPED"


@pytest.mark.parametrize("body", [b"", b" {} "])
def test_a_method_that_needs_nothing_takes_an_empty_body_or_any_object(body):
    assert answer(body, call=CALL._replace(shape=None)).body == {}


@pytest.mark.parametrize("status", [200, 404, 440, 500])
def test_an_accepted_code_is_an_answer_whatever_the_status(status):
    got = answer(b'{"error_code": "FINE", "error_message": "m"}', status)
    assert (got.error_code, got.message, got.http_status) == ("FINE", "m", status)


@pytest.mark.parametrize("status", [200, 401, 404, 440, 500])
def test_any_other_code_is_a_failure_whatever_the_status(status):
    with pytest.raises(ApiError) as raised:
        answer(b'{"error_code": "NEVER_HEARD_OF", "error_message": "m"}', status)
    assert raised.value.error_code == "NEVER_HEARD_OF"
    assert raised.value.facts == {"error_code": "NEVER_HEARD_OF", "http_status": status, "error_message": "m"}
    assert str(raised.value) == 'StopTask of task "t" failed: m'


@pytest.mark.parametrize(
    ("body", "status"), [(b'{"error_code": "UNAUTHORIZED_REQUEST"}', 500), (b"", 401), (b"<html>", 403)]
)
def test_a_refusal_names_user_object_and_role(body, status):
    call = CALL._replace(verb="GET" if status != 500 else "POST")
    with pytest.raises(ApiError) as raised:
        answer(body, status, call)
    assert 'StopTask of task "t" was refused to user "bob"' in str(raised.value)
    assert "Operator on the task" in raised.value.hint


@pytest.mark.parametrize(
    ("body", "status", "final"),
    [
        (b"", 200, False),
        (b"{}", 200, False),
        (b"[]", 200, False),
        (b'{"state": 1}', 200, False),
        (b'{"state": "STOP', 200, False),
        (b"\xff\xfe\x00", 200, False),
        (b"[" * 100000, 200, False),
        (b"<html>INVALID_SESSION_ID</html>", 440, True),
        (b"", 440, True),
        (b"<html>Bad gateway</html>", 502, False),
        (b'{"error_message": "no code"}', 500, False),
        (b"", 404, True),
        (b"", 401, True),
        (b"<html>Firewall</html>", 403, True),
        (b"", 302, True),
    ],
)
def test_what_is_not_of_the_api_is_no_answer(body, status, final):
    with pytest.raises(TransportError) as raised:
        answer(body, status)
    assert raised.value.sent and raised.value.final is final
    assert raised.value.facts["http_status"] == status
    if status == 302:
        assert "https://elsewhere" in str(raised.value)


def test_names_are_encoded_once_and_dots_are_refused():
    url = build_url("https://h/p", ("servers", "a/b %25"), {"action": "run", "option": "X Y&Z"})
    assert url == "https://h/p/api/v1/servers/a%2Fb%20%2525?action=run&option=X%20Y%26Z"
    for name in ("", " ", ".", ".."):
        with pytest.raises(InputError):
            build_url("https://h/p", ("servers", name), {})
