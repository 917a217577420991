# Copyright (c) 2026, dataops.qlik_em contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a failure says of the writes before it: ``changed`` whenever one of them may have been done."""

from __future__ import annotations

import threading

import pytest
from ansible_collections.dataops.qlik_em.plugins.module_utils._client.errors import AemError, ApiError, TransportError
from ansible_collections.dataops.qlik_em.plugins.module_utils._client.writes import Writes


def sent(writes, outcome):
    """Send a write that ends in an error code (empty: done), or in an exception; return the failure, if any."""

    def call():
        if isinstance(outcome, AemError):
            raise outcome
        return outcome

    try:
        assert writes.send(call, str) == outcome
    except AemError as failure:
        return failure
    return None


@pytest.mark.parametrize(
    ("outcome", "is_done"),
    [
        ("", True),
        ("AEM_TASK_ALREADY_STOPPED", False),
        ("AEM_STOP_TASK_TIMEOUT", True),  # it goes on in the server
        (ApiError("No.", "", "AEM_TASK_NOT_FOUND"), False),
        (ApiError("No.", "", "AEM_RUN_TASK_TIMEOUT"), True),
        (ApiError("No.", "", ""), False),
        (TransportError("Lost.", sent=True), True),
        (TransportError("Refused.", sent=False), False),
    ],
)
def test_only_a_body_of_the_api_or_an_unsent_request_is_certain(outcome, is_done):
    writes = Writes()
    assert writes.may_be_done is False
    if isinstance(outcome, AemError):
        outcome.changed = None
    failure = sent(writes, outcome)
    assert writes.may_be_done is is_done
    if isinstance(outcome, AemError):
        assert failure is outcome and failure.changed is (True if is_done else None)


def test_what_may_be_done_stays_so_after_a_refusal():
    writes = Writes()
    for outcome in ("", "AEM_TASK_ALREADY_STOPPED", ApiError("No.", "", "AEM_TASK_NOT_FOUND")):
        sent(writes, outcome)
    assert writes.may_be_done is True


@pytest.mark.parametrize(
    ("outcomes", "said", "changed"),
    [
        ([""], None, True),
        (["AEM_TASK_ALREADY_STOPPED"], None, None),
        ([], None, None),
        ([""], False, False),  # it has undone what was done, and says so
        ([], True, True),
    ],
)
def test_a_failure_after_a_write_says_that_something_may_have_changed(outcomes, said, changed):
    writes, failure = Writes(), AemError("Too late.")
    failure.changed = said
    with pytest.raises(AemError) as raised, writes.guard():
        for outcome in outcomes:
            sent(writes, outcome)
        raise failure
    assert raised.value is failure and failure.changed is changed


def test_an_inner_block_does_not_see_the_writes_before_it_and_the_outer_sees_all():
    writes, inner, outer = Writes(), AemError("Inner."), AemError("Outer.")
    with pytest.raises(AemError, match="Outer"), writes.guard():
        sent(writes, "")
        with pytest.raises(AemError, match="Inner"), writes.guard():
            raise inner
        raise outer
    assert inner.changed is None and outer.changed is True
    later = AemError("Later.")
    with pytest.raises(AemError, match="Later"), writes.guard():
        with writes.guard():
            sent(writes, "")
        raise later
    assert later.changed is True and writes.may_be_done is True


def test_each_thread_has_its_own_writes():
    writes, seen = Writes(), []
    sent(writes, "")
    thread = threading.Thread(target=lambda: seen.append(writes.may_be_done))
    thread.start()
    thread.join()
    assert seen == [False]
