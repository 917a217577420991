# Copyright (c) 2026, dataops.qlik_em contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""aem_session: one session for several tasks."""

from __future__ import annotations

OTHER_LOGIN = {"api_token": "operator-test-api-token"}


def test_present_opens_a_session_that_stays_open_and_serves_the_others(user, em):
    opened = user.run("aem_session")
    assert not opened.changed and opened.operations == ["Login"]
    session_id = opened.result["session_id"]
    for state in ("stopped", "started"):
        run = user.task(state=state, session_id=session_id)
        assert run.changed
        assert not {"Login", "Logout"} & set(run.operations)
    assert em.summary()["open_sessions"] == 1
    closed = user.run("aem_session", state="absent", session_id=session_id)
    assert not closed.changed and closed.operations == ["Logout"]
    assert em.summary()["open_sessions"] == 0


def test_present_with_a_live_session_keeps_it(user):
    session_id = user.run("aem_session").result["session_id"]
    again = user.run("aem_session", session_id=session_id)
    assert again.result["session_id"] == session_id
    assert "Login" not in again.operations


def test_a_session_is_alive_even_if_its_user_may_see_no_servers(user):
    login = {"username": "stranger@corp.example", "password": "stranger-test-password"}
    session_id = user.run("aem_session", **login).result["session_id"]
    assert user.run("aem_session", session_id=session_id).result["session_id"] == session_id


def test_present_with_a_dead_session_opens_another_if_it_can(user, em):
    session_id = user.run("aem_session").result["session_id"]
    em.expire_sessions()
    renewed = user.run("aem_session", session_id=session_id, **OTHER_LOGIN)
    assert renewed.result["session_id"] not in (session_id, None)
    assert em.summary()["open_sessions"] == 1
    em.expire_sessions()
    run = user.run("aem_session", session_id=session_id)
    assert run.failed and run.result["error_code"] == "INVALID_SESSION_ID"
    assert "session_id" not in run.result and "in addition to session_id" in run.result["hint"]


def test_absent_twice_is_no_failure(user):
    session_id = user.run("aem_session").result["session_id"]
    for _time in range(2):
        run = user.run("aem_session", state="absent", session_id=session_id)
        assert not run.failed and not run.changed


def test_a_session_that_cannot_be_ended_is_a_failure(user, em):
    session_id = user.run("aem_session").result["session_id"]
    em.faults([{"match": {"operation": "Logout"}, "fault": "error", "error_code": "SYS,GENERIC"}])
    run = user.run("aem_session", state="absent", session_id=session_id)
    assert run.failed and not run.changed and run.result["error_code"] == "SYS,GENERIC"


def test_check_mode_opens_and_ends_too_so_that_the_tasks_between_can_be_checked(user, em):
    session_id = user.run("aem_session", check=True).result["session_id"]
    assert user.task(session_id=session_id, check=True).changed
    user.run("aem_session", state="absent", session_id=session_id, check=True)
    assert em.summary()["open_sessions"] == 0


def test_a_refused_login_gives_no_session(user):
    run = user.run("aem_session", username="operator@corp.example", password="wrong")
    assert run.failed and "session_id" not in run.result


def test_a_session_that_expires_between_two_calls_is_renewed_and_the_new_one_is_closed(user, em):
    session_id = user.run("aem_session").result["session_id"]
    em.expire_sessions()
    run = user.task(session_id=session_id, **OTHER_LOGIN)
    assert run.changed and run.operations == ["StopTask", "Login", "StopTask", "Logout"]
    assert run.executed_writes == ["StopTask"]
    assert em.summary()["open_sessions"] == 0
