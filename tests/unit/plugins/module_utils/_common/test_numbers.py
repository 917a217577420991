# Copyright (c) 2026, dataops.qlik_em contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Numbers in answers."""

from __future__ import annotations

import pytest
from ansible_collections.dataops.qlik_em.plugins.module_utils._common.numbers import whole_number, without_fraction


@pytest.mark.parametrize(
    ("value", "whole"),
    [
        (0, 0),
        (7.0, 7),
        (-0.0, 0),
        (1e20, 10**20),
        *((other, None) for other in (True, 7.5, float("inf"), float("nan"), "7", None, [])),
    ],
)
def test_whole_numbers(value, whole):
    assert whole_number(value) == whole
    assert isinstance(whole_number(value), (int, type(None)))


@pytest.mark.parametrize(
    ("value", "result"), [(5.0, 5), (5, 5), (7.5, 7.5), (True, True), ("5.0", "5.0"), (None, None)]
)
def test_a_value_without_a_fraction(value, result):
    assert without_fraction(value) == result and type(without_fraction(value)) is type(result)
