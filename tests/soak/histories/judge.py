# Copyright (c) 2026, dataops.qlik_em contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether a run kept its promises. The stand-in's record and state are the judge, not what the run says."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

from ansible_collections.dataops.qlik_em.tests.functional.support.bad_line import HARMLESS
from ansible_collections.dataops.qlik_em.tests.functional.support.canaries import leaks
from ansible_collections.dataops.qlik_em.tests.simulator.handle import Handle
from ansible_collections.dataops.qlik_em.tests.soak.histories.operations import FILES, RESOURCES
from ansible_collections.dataops.qlik_em.tests.soak.histories.playing import Played, Step, is_impatient
from hypothesis import note

LONG = 1800  # seconds, of the clock that pauses put forward: several times the sum of all limits of a run
MOST_REQUESTS = 400
SECRETS = ("password", "server_password", "license", "endpoint secret", "endpoint setting", "definition")

Request = dict[str, Any]


def check(em: Handle, step: Step, played: Played, folder: Path, files: str) -> None:
    """Raise AssertionError if the run has broken a promise; ``files`` is what is in those that it left."""
    note(f"{step.module} {step.options} {step.kill or ''}: {played.result}")
    for r in played.requests:
        note(
            f"    {r['operation']} {r['task'] or r['endpoint'] or ''} {r['fault']} {r['status']} {r['error_code']} "
            f"{'executed' if r['executed'] else ''}"
        )
    assert played.elapsed < LONG and len(played.requests) < MOST_REQUESTS
    assert all(r["operation"] for r in played.requests), "the server could not read a request"
    _check_writes(step, played)
    _check_sessions(step, played)
    _check_secrets(step, played, files)
    if played.result is None:
        return
    _check_form(step, played.result)
    _check_changed(step, played)
    if not played.result.get("failed") and not step.check and not any(_is_a_lie(r) for r in played.requests):
        assert RESOURCES[step.module].holds(em, step.options, folder), "it says that it succeeded, but it has not"


def writes(requests: list[Request]) -> list[Request]:
    """Return the requests that could change something, without those that met a dead session and did not."""
    return [
        r
        for r in requests
        if r["method"] != "GET" and r["operation"] != "Login" and r["error_code"] != "INVALID_SESSION_ID"
    ]


def key(request: Request) -> tuple[str, ...]:
    """Return what makes a write the same as another one."""
    return request["operation"], request["path"], str(sorted(request["query"].items())), request["body"]


def done(requests: list[Request]) -> Counter[tuple[str, ...]]:
    """Return how often each write was executed."""
    return Counter(key(r) for r in writes(requests) if r["executed"])


def _check_writes(step: Step, played: Played) -> None:
    """No write is sent twice, and none in check mode."""
    sent = Counter(
        (r["operation"], r["path"], str(sorted(r["query"].items())))
        for r in writes(played.requests)
        if not _is_clearing_up(r)
    )
    if step.check:
        assert not sent and played.before == played.after
    # These import one thing after the other, and may import the old ones again.
    if step.options.get("import_mode") != "replace" and step.module != "aem_estate":
        assert not [what for what, count in sent.items() if count > 1], "a write was sent twice"
    assert not [what for what, count in done(played.requests).items() if count > 1], "a write was done twice"


def _check_sessions(step: Step, played: Played) -> None:
    """What was opened is closed, as far as the client can know of it; a session that was passed in is left alone."""
    logins = [r for r in played.requests if r["operation"] == "Login"]
    logouts = [r for r in played.requests if r["operation"] == "Logout"]
    before, after = played.sessions
    used = {r["session"] for r in played.requests} - {None, played.passed_in}
    unknown = sum(1 for r in logins if r["executed"]) - len(used)  # whose answers got lost
    assert unknown == 0 or any(r["fault"] for r in logins) or played.result is None or is_impatient(step)
    is_unheard = bool(logouts) and all(r["fault"] or not r["executed"] for r in logouts)
    is_lost = played.result is None or is_impatient(step)  # one attempt to log out may not even get through
    assert after <= before + unknown + (is_unheard or is_lost), "a session was left open"
    if not any(r["fault"] == "expire_session" for r in played.requests):
        assert after >= before, "a session was closed that belongs to somebody else"
    if step.login == "session":
        assert not logins and not logouts
    assert sum(1 for r in logins if r["status"] in (401, 403)) <= 1, "a refused login was tried again"


def _check_secrets(step: Step, played: Played, files: str) -> None:
    """No secret comes out, in the result, in the progress or in a file."""
    sessions = {r["session"] for r in played.requests} - {None}
    # A run that was given a session does not know the password, which the server may say.
    names = SECRETS[1:] if step.login == "session" else SECRETS
    for text in (played.text, files):
        assert not leaks(text, names), "a secret came out"
        assert not [session for session in sessions if session in text], "a session came out"
    assert "Traceback" not in played.text


def _check_form(step: Step, result: dict[str, Any]) -> None:
    """A result is one of ours; a failure says in clear lines what it is about."""
    assert isinstance(result["changed"], bool)
    assert "exception" not in result
    if result.get("failed"):
        lines = result["msg"].split("\n")
        assert all(line.isprintable() for line in lines) and "Unexpected" not in result["msg"]
        assert len(lines[0]) > 10


def _check_changed(step: Step, played: Played) -> None:
    """`changed` is true if this run may have changed something, and false if it surely did not."""
    assert played.result is not None
    changed, sent = played.result["changed"], writes(played.requests)
    if step.check:
        return
    if played.before != played.after and any(r["executed"] for r in sent):
        assert changed, "it changed something and says that it did not"
    # To delete what the run has made for itself, or may have made, takes nothing from anybody.
    lost = [
        r
        for r in sent
        if r["fault"] not in (*HARMLESS, None) and not _is_clearing_up(r) and not _is_of_new(r, played.before)
    ]
    if lost:
        assert changed, "a write was lost, and may have been done"
    is_sure = all(not r["executed"] and r["error_code"] for r in sent)
    if is_sure and not lost and step.module not in FILES and not is_impatient(step):
        # A call on a connection that the server is just ending may be lost, and is in no record then.
        assert not changed or any(r["fault"] not in (*HARMLESS, None) for r in played.requests), "nothing was changed"


def _is_clearing_up(request: Request) -> bool:
    name = request["task"] or request["endpoint"] or ""
    return request["operation"].startswith("Delete") and name.startswith("dataops_qlik_em_temporary_")


def _is_of_new(request: Request, before: dict[str, Any]) -> bool:
    """Return whether an endpoint is deleted that was not there before the run: one of a trial that failed."""
    is_new = all(request["endpoint"] not in server["endpoints"] for server in before.values())
    return request["operation"] == "DeleteEndpoint" and is_new


def _is_a_lie(request: Request) -> bool:
    """Return whether nothing was done and the answer was a success: nobody sees it where a success is empty.

    That of a stop or a start is not, so that these are never deceived (docs/enterprise_manager_api.md, 4.12).
    """
    return (
        request["method"] != "GET"
        and request["operation"] not in ("Login", "StopTask", "RunTask")
        and not request["executed"]
        and (request["fault"] in ("empty", "truncated_json") or request["status"] == 204)
    )
