# Copyright (c) 2026, dataops.qlik_em contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Numbers that no float holds come through JSON unchanged."""

from __future__ import annotations

import json
from decimal import Decimal

import pytest
from ansible_collections.dataops.qlik_em.plugins.module_utils._client.exact_json import dumps, number


@pytest.mark.parametrize("text", ["1.5", "0.1", "1e300", "-0.0", "1.0"])
def test_a_number_that_a_float_holds_is_one(text):
    assert isinstance(number(text), float) and number(text) == float(text)


@pytest.mark.parametrize("text", ["0.1234567890123456789012345", "9007199254740993e0", "1e400", "-1e400"])
def test_any_other_stays_as_it_is(text):
    assert isinstance(number(text), Decimal) and number(text) == Decimal(text)


def test_an_exponent_that_nothing_holds_is_refused():
    with pytest.raises(ValueError, match=r"^the exponent of a number is out of range$"):
        number("1e9999999999999999999")


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ({"a": Decimal("0.1234567890123456789012345")}, '{"a": 0.1234567890123456789012345}'),
        ([Decimal("1E+400"), Decimal("1.0"), 1, 1.5, "1.5"], '[1E+400, 1.0, 1, 1.5, "1.5"]'),
        (Decimal("9007199254740993"), "9007199254740993E+0"),  # read back, it is of the same kind
        ({"a": "None1", "b": Decimal("1E+400")}, '{"a": "None1", "b": 1E+400}'),
        ({"a": None, "b": 'Decimal"'}, '{"a": null, "b": "Decimal\\""}'),
    ],
)
def test_it_is_written_as_it_was(value, text):
    assert dumps(value) == text
    assert json.loads(text, parse_float=number) == value


def test_the_options_of_json_hold():
    assert dumps({"b": Decimal("1E+400"), "a": "ü"}, sort_keys=True, ensure_ascii=False, indent=1) == (
        '{\n "a": "ü",\n "b": 1E+400\n}'
    )


def test_what_is_not_json_is_named_by_its_kind():
    with pytest.raises(TypeError, match=r"^set is not JSON$"):
        dumps({"a": {1}})
