# Copyright (c) 2026, dataops.qlik_em contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A write whose answer is lost: it is not sent again, and what became of it is read."""

from __future__ import annotations

import pytest
from ansible_collections.dataops.qlik_em.plugins.module_utils._client.errors import (
    INVALID_SESSION_ID,
    AemError,
    ApiError,
    TransportError,
)
from ansible_collections.dataops.qlik_em.plugins.module_utils._common.lost_answers import (
    NO_EFFECT,
    confirm_lost_write,
    from_the_read,
    hint_after,
)

HINT = hint_after(TransportError("Lost."), "object")


def never():
    raise AssertionError("asked for nothing")


def test_a_write_that_is_answered_is_not_asked_about():
    done = []
    with confirm_lost_write(never):
        done.append(1)
    assert done == [1]


@pytest.mark.parametrize("failure", [TransportError("Refused.", "Try.", sent=False), ApiError("No.", "Try.", "X")])
def test_what_was_certainly_not_done_is_raised_as_it_is(failure):
    with pytest.raises(AemError) as raised, confirm_lost_write(never):
        raise failure
    assert raised.value is failure and failure.hint == "Try." and failure.message in ("Refused.", "No.")


def test_a_lost_write_that_took_effect_is_a_success():
    with confirm_lost_write(lambda: True):
        raise TransportError("Lost.")


def test_one_without_an_effect_fails_and_says_so():
    lost = TransportError("Lost.", "Look at the proxy.")
    with pytest.raises(TransportError) as raised, confirm_lost_write(lambda: False):
        raise lost
    assert raised.value is lost and lost.hint == HINT
    assert lost.message == f"Lost. {NO_EFFECT}"


def test_one_of_which_nothing_can_be_read_fails_with_both_reasons():
    def unreadable():
        raise ApiError("Enterprise Manager is away.", "", "")

    lost = TransportError("Lost.", "The certificate expired.", final=True)
    with pytest.raises(TransportError) as raised, confirm_lost_write(unreadable):
        raise lost
    assert raised.value is lost
    assert lost.message.startswith("Lost. ") and lost.message.endswith(" Enterprise Manager is away.")
    assert lost.hint == f"{HINT} The certificate expired."  # what is final does not get better by itself


def test_the_hint_names_what_is_to_be_looked_at():
    assert "not sent again" in HINT and " object" in HINT
    assert hint_after(TransportError("Lost.", "Wait."), "task") == HINT.replace("object", "task")


def failing(*failures):
    """Return a work that fails in these ways, one call after the other, and then ends well."""
    left = list(failures)

    def work():
        if left:
            raise left.pop(0)
        return "done"

    return work


def test_a_session_that_ended_before_a_write_is_worth_one_more_read():
    over = ApiError("Over.", "", INVALID_SESSION_ID)
    assert from_the_read(failing()) == "done"
    assert from_the_read(failing(over)) == "done"
    with pytest.raises(ApiError, match="Over"):
        from_the_read(failing(over, over))


def test_any_other_failure_is_not():
    with pytest.raises(ApiError, match="No"):
        from_the_read(failing(ApiError("No.", "", "AEM_TASK_NOT_FOUND")))
    with pytest.raises(TransportError, match="Lost"):
        from_the_read(failing(TransportError("Lost.")))
