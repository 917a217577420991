# Copyright (c) 2026, dataops.qlik_em contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a reply means: an answer, a refusal of the API, or something of somebody in between."""

from __future__ import annotations

import json
import time
from decimal import Decimal
from email.utils import formatdate

import pytest
from ansible_collections.dataops.qlik_em.plugins.module_utils._client.calls import Answer, Call, Target
from ansible_collections.dataops.qlik_em.plugins.module_utils._client.connection import Connection
from ansible_collections.dataops.qlik_em.plugins.module_utils._client.error_codes import advice_on
from ansible_collections.dataops.qlik_em.plugins.module_utils._client.errors import (
    UNAUTHORIZED_REQUEST,
    ApiError,
    TransportError,
)
from ansible_collections.dataops.qlik_em.plugins.module_utils._client.replies import BUSY, read_answer, retry_after
from ansible_collections.dataops.qlik_em.plugins.module_utils._client.shapes import compiled
from ansible_collections.dataops.qlik_em.plugins.module_utils._client.transport import Reply

URL = "https://em.example.com/attunityenterprisemanager"
EM = Connection(URL, None, "session")
TASK = Target(("servers", "S", "tasks", "T"), 'task "T" on server "S"')
READ = Call("GetTaskDetails", "GET", TASK, "viewer", shape=compiled({"state": str}))
STOP = Call("StopTask", "POST", TASK, "operator", accept=("AEM_TASK_ALREADY_STOPPED",))
HEADERS = {"X": "1"}


def answer(call, status, body, headers=None, mask=str, **more):
    return read_answer(call, Reply(status, HEADERS if headers is None else headers, body, **more), EM, mask)


def failure(kind, call, status, body=b"", headers=None, mask=str):
    """Return the failure that a reply is."""
    with pytest.raises(kind) as raised:
        answer(call, status, body, headers, mask)
    return raised.value


def refused(code, message="No.", status=500, call=STOP):
    return failure(ApiError, call, status, f'{{"error_code": "{code}", "error_message": "{message}"}}'.encode())


def test_a_comment_alone_is_not_an_answer():
    for body in (b"// Host name: x", b"// Host name: x\n", b"\xef\xbb\xbf"):
        failure(TransportError, STOP, 200, body)


def test_an_answer():
    assert answer(READ, 200, b'{"state": "RUNNING"}') == Answer({"state": "RUNNING"}, HEADERS)
    assert answer(READ, 299, b'// Host name: x\n{\n"state": "RUNNING"}').body == {"state": "RUNNING"}
    assert answer(READ, 200, b'\xef\xbb\xbf// a\r\n// b\r\n{"state": "x"}').body == {"state": "x"}
    assert isinstance(answer(READ, 200, b'{"state": "x", "n": 0.1234567890123456789012345}').body["n"], float)
    assert answer(READ, 200, bytearray(b'{"state": "1.50", "n": 1.50}')).body == {"state": "1.50", "n": 1.5}
    assert answer(READ._replace(is_exact=True), 200, b'{"state": "x", "n": 1e400}').body["n"] == Decimal("1e400")


def test_a_method_without_a_result_may_answer_anything():
    for body in (b"", b"{}", b"[1]", b"null"):
        assert answer(STOP, 200, body) == Answer({}, HEADERS)


def test_an_accepted_error_code_is_an_answer():
    body = b'{"error_code": "AEM_TASK_ALREADY_STOPPED", "error_message": "It is."}'
    found = answer(STOP, 500, body)
    assert (
        found.body == json.loads(body)
        and found[1:5] == (HEADERS, "AEM_TASK_ALREADY_STOPPED", "It is.", 500)
        and found.result == {}
    )


def test_an_answer_of_any_form_is_kept_as_it_is():
    call = READ._replace(is_open=True)
    assert answer(call, 201, bytearray(b"<xml>")) == Answer({}, HEADERS, "", "", 201, b"<xml>")
    assert isinstance(answer(call, 200, bytearray(b"x")).content, bytes)
    assert failure(TransportError, call, 300, b"<xml>").final
    assert failure(TransportError, call, 404, b"<xml>").final
    assert answer(call, 201, b"", is_spooled=True) == Answer({}, HEADERS, "", "", 201, b"", True)


@pytest.mark.parametrize(
    ("body", "fault"),
    [
        (b'{"state": 7}', "state is a number"),
        (b"{}", "state is missing"),
        (b'{"state": "\\ud800"}', "state contains a lone surrogate"),
    ],
)
def test_another_form_than_the_method_promises_is_named(body, fault):
    found = failure(TransportError, READ, 200, body)
    assert URL in str(found) and "GetTaskDetails" in str(found) and fault in str(found)
    assert found.hint and found.facts == {"http_status": 200, "url": URL} and found.sent and not found.final


def test_half_a_character_in_a_definition_is_kept():
    assert answer(READ._replace(is_exact=True), 200, b'{"state": "\\ud800"}').body == {"state": "\ud800"}


def test_a_refusal_says_what_was_refused_and_what_to_do():
    found = refused("AEM_TASK_NOT_FOUND")
    assert str(found) == 'StopTask of task "T" on server "S" failed: No.'
    assert found.hint == advice_on("AEM_TASK_NOT_FOUND").remedy and found.not_found == TASK.path
    assert found.facts == {"error_code": "AEM_TASK_NOT_FOUND", "http_status": 500, "error_message": "No."}
    assert refused("AEM_SERVER_NOT_FOUND").not_found == ("servers", "S")
    assert refused("AEM_ENDPOINT_NOT_FOUND").not_found == TASK.path
    assert refused("NEVER_HEARD_OF", "").message == 'StopTask of task "T" on server "S" failed: NEVER_HEARD_OF'
    assert refused("NEVER_HEARD_OF").not_found == ()
    known = refused("AEM_TASK_NOT_FOUND", "")
    assert str(known) == f'StopTask of task "T" on server "S" failed: {advice_on("AEM_TASK_NOT_FOUND").meaning}'


def test_a_call_to_enterprise_manager_itself_names_its_url():
    found = refused("NEVER_HEARD_OF", call=Call("GetServerList", "GET", Target(("servers",))))
    assert str(found) == f"GetServerList at {URL} failed: No."


def test_a_missing_permission_names_the_user_and_the_role():
    found = refused(UNAUTHORIZED_REQUEST)
    assert str(found) == 'StopTask of task "T" on server "S" was refused to the owner of session_id: No.'
    assert "operator" in found.hint and found.hint.endswith(advice_on(UNAUTHORIZED_REQUEST).remedy)
    plain = refused(UNAUTHORIZED_REQUEST, call=STOP._replace(role=""))
    assert str(plain) == 'StopTask of task "T" on server "S" failed: No.'
    # A body is missing: of a read that is a refusal, of a write nothing is certain.
    for status in (401, 403):
        found = failure(ApiError, READ, status)
        assert found.is_refusal and str(found).endswith(f"was refused to the owner of session_id: HTTP {status}")
        assert found.facts == {"http_status": status, "error_message": f"HTTP {status}"} and found.error_code == ""
        lost = failure(TransportError, STOP, status)
        assert lost.sent and lost.final
        assert "firewall" in lost.hint and f" HTTP {status} " in str(lost)
        assert lost.facts == {"http_status": status, "url": URL}


def test_a_method_that_the_release_lacks_says_since_when_there_is_one():
    code = "AEM_METHOD_NOT_SUPPORTED_VERSION"
    assert refused(code, call=STOP._replace(scope="since 2024.5")).hint.endswith("since 2024.5.")
    assert refused(code).hint == advice_on(code).remedy
    assert refused("NEVER_HEARD_OF", call=STOP._replace(scope="since 2024.5")).hint == ""


def test_a_long_message_is_masked_before_it_is_cut():
    found = refused("X", "s" * 1990 + "secret-secret", call=STOP)
    assert found.facts["error_message"] == "s" * 1990 + "secret-sec..."
    body = f'{{"error_code": "X", "error_message": "{"s" * 1990}secret-secret"}}'.encode()
    masked = failure(ApiError, STOP, 500, body, mask=lambda text: text.replace("secret-secret", "****"))
    assert masked.facts["error_message"] == "s" * 1990 + "****"
    # Of a text that is longer than what is searched, something is left out even if little remains of it.
    body = f'{{"error_code": "X", "error_message": "{"s" * 300_000}"}}'.encode()
    assert failure(ApiError, STOP, 500, body, mask=lambda text: text[:9]).facts["error_message"] == "s" * 9 + "..."
    body = f'{{"error_code": "X", "error_message": "{"s" * 256 * 1024}"}}'.encode()
    assert failure(ApiError, STOP, 500, body, mask=lambda text: text[:9]).facts["error_message"] == "s" * 9
    body = f'{{"error_code": "X", "error_message": "{"s" * 2000}"}}'.encode()
    assert failure(ApiError, STOP, 500, body).facts["error_message"] == "s" * 2000


def test_a_redirect_is_not_followed():
    found = failure(TransportError, STOP, 302, headers={"Location": "https://elsewhere.example.com/"})
    assert str(found) == f"{URL} redirects to https://elsewhere.example.com/, which is not followed."
    assert " url " in found.hint and found.final
    assert found.facts == {"http_status": 302, "url": URL}
    assert "redirects to nowhere," in str(failure(TransportError, STOP, 399))
    assert "redirects" in str(failure(TransportError, STOP, 300))


def test_a_foreign_answer_is_shown_in_part_and_masked():
    found = failure(TransportError, STOP, 500, b"<h1>\n  Proxy  error</h1>")
    assert str(found).startswith(f"{URL} answered HTTP 500 ") and str(found).endswith('"<h1> Proxy error</h1>".')
    assert (found.hint, found.sent, found.final) == (BUSY, True, False)
    assert found.facts == {"http_status": 500, "url": URL}
    shown = str(failure(TransportError, READ, 200, b"x" * 300))
    assert f'"{"x" * 200}".' in shown
    body = b"x" * 195 + b"two  words"
    masked = failure(TransportError, READ, 200, body, mask=lambda text: text.replace("two  words", "****"))
    assert f'"{"x" * 195}****".' in str(masked)
    assert '"4 bytes that are not ' in str(failure(TransportError, READ, 200, b"\xff\xfeab"))
    assert '"".' in str(failure(TransportError, READ, 200, b""))


def test_a_character_that_is_cut_does_not_hide_the_rest():
    body = b"x" * (256 * 1024 - 1) + "ü".encode()
    assert f'"{"x" * 200}".' in str(failure(TransportError, READ, 200, body))
    whole = b"x" * (256 * 1024 - 1) + b"\xc3"  # nothing of this one is cut off
    assert '"262144 bytes that are not ' in str(failure(TransportError, READ, 200, whole))
    assert '"2 bytes that are not ' in str(failure(TransportError, READ, 200, b"x\xc3"))


@pytest.mark.parametrize(("status", "sent"), [(408, True), (429, False), (503, True)])
def test_a_busy_server_may_be_asked_again_after_a_pause(status, sent):
    found = failure(TransportError, STOP, status, b"busy", {"Retry-After": "7"})
    assert (found.sent, found.final, found.pause) == (sent, False, 7.0)
    assert " 7 s " in found.hint and found.hint.endswith(BUSY)
    assert found.facts == {"http_status": status, "url": URL} and f" HTTP {status} " in str(found)
    found = failure(TransportError, STOP, status, b"busy")
    assert (found.sent, found.pause, found.hint) == (sent, 0.0, BUSY)


def test_a_wrong_address_is_final():
    for status in (400, 404, 499):
        found = failure(TransportError, READ, status, b"Not Found")
        assert found.final and "path" in found.hint and str(found).endswith('"Not Found".')
        assert found.facts == {"http_status": status, "url": URL}


def test_an_answer_of_braces_only_is_not_parsed():
    assert " HTTP 200 " in str(failure(TransportError, STOP, 200, b"[{" * 40_000 + b"}]" * 40_000))
    for part in (b"[],", b"{},"):
        assert answer(STOP, 200, b"[" + part * 65_534 + b"[]]") == Answer({}, HEADERS)
        assert " HTTP 200 " in str(failure(TransportError, STOP, 200, b"[" + part * 65_535 + b"[]]"))
    assert answer(STOP, 200, b"[" + b'{"member": 12345},' * 70_000 + b"{}]").body == {}
    assert " HTTP 200 " in str(failure(TransportError, STOP, 200, b"[" * 60_000 + b"]" * 60_000))


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({}, 0.0),
        ({"Retry-After": " 120 "}, 120.0),
        ({"Retry-After": "1234567890123"}, 123456789.0),
        ({"Retry-After": "٣"}, 0.0),
        ({"Retry-After": "-5"}, 0.0),
        ({"Retry-After": "soon"}, 0.0),
        ({"Retry-After": "Sun, 06 Nov 1994 08:49:40 GMT", "Date": "Sun, 06 Nov 1994 08:49:37 GMT"}, 3.0),
        ({"Retry-After": "Sun, 06 Nov 1994 08:49:30 GMT", "Date": "Sun, 06 Nov 1994 08:49:37 GMT"}, 0.0),
        ({"Retry-After": "Sun, 06 Nov 1994 08:49:40 GMT", "Date": "yesterday"}, 0.0),
    ],
)
def test_for_how_long_a_server_asks_to_wait(headers, seconds):
    assert retry_after(headers) == seconds


def test_without_its_date_the_time_of_this_machine_counts():
    assert 3590 < retry_after({"Retry-After": formatdate(time.time() + 3600)}) <= 3600
