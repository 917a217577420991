# Copyright (c) 2026, dataops.qlik_em contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who asks first, where the processes of a run cannot wait for each other: nobody is held up for good."""

from __future__ import annotations

import errno
import fcntl

import pytest
from ansible_collections.dataops.qlik_em.plugins.module_utils._client.errors import LoginRefused
from ansible_collections.dataops.qlik_em.plugins.module_utils._client.refusals import Refusals

LOGIN = ("https://em", "ann", "hunter2")


class Waits(Exception):
    """Somebody waits for his turn."""


def pause(_seconds):
    raise Waits


def test_the_second_waits_for_the_first_and_not_for_ever(tmp_path):
    refusals = Refusals(str(tmp_path))
    with refusals.turn(LOGIN, 60, pause):
        with pytest.raises(Waits), refusals.turn(LOGIN, 60, pause):
            pass
        with refusals.turn(("another", "login"), 60, pause), refusals.turn(LOGIN, 0, pause):
            pass  # his time was over: he asks, too
    with refusals.turn(LOGIN, 60, pause), refusals.turn(LOGIN, 60, pause):
        pass  # it ended, and not in a refusal


def test_where_there_are_no_locks_nobody_waits(tmp_path, monkeypatch):
    def flock(_file, _operation):
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr(fcntl, "flock", flock)
    refusals = Refusals(str(tmp_path))
    with refusals.turn(LOGIN, 60, pause), refusals.turn(LOGIN, 60, pause):
        pass


def test_without_its_folder_a_refusal_is_remembered_by_the_process(tmp_path):
    refusals = Refusals(str(tmp_path / "removed"))
    with refusals.turn(LOGIN, 60, pause):
        refusals.remember(LOGIN, "Refused.", http_status=401)
    with pytest.raises(LoginRefused, match="Refused") as refused, refusals.turn(LOGIN, 60, pause):
        pass
    assert refused.value.facts == {"http_status": 401}
