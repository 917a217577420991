# Copyright (c) 2026, dataops.qlik_em contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What ends a run, and what goes on all the same."""

from __future__ import annotations

import pytest
from ansible_collections.dataops.qlik_em.plugins.module_utils._client.errors import Interrupted
from ansible_collections.dataops.qlik_em.plugins.module_utils._client.interrupt import Interrupt


def test_what_was_abandoned_ends_at_its_next_check_or_pause_but_for_the_clean_up():
    interrupt = Interrupt()
    interrupt.check()
    interrupt.abandon()
    for look in (interrupt.check, lambda: interrupt.pause(60)):
        with pytest.raises(Interrupted, match="the run that this was a part of has ended"):
            look()
    with interrupt.deferred():
        interrupt.check()
