# Copyright (c) 2026, dataops.qlik_em contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which names patterns mean, and reading servers of which some fail."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
from ansible_collections.dataops.qlik_em.plugins.module_utils._client.errors import ApiError
from ansible_collections.dataops.qlik_em.plugins.module_utils._common.patterns import (
    find_servers,
    is_literal,
    is_selected,
    matches,
    read_servers,
    unmatched,
)


@pytest.mark.parametrize(
    ("name", "pattern", "is_match"),
    [
        ("Orders", "Ord*", True),
        ("Orders", "ord*", False),
        ("Orders", "Orders", True),
        ("a[1]", "a[1]", True),  # its own name, although it is a pattern for a1 too
        ("a1", "a[1]", True),
        ("ab", "a?", True),
        ("abc", "a?", False),
    ],
)
def test_a_name_is_matched_by_itself_and_by_globs(name, pattern, is_match):
    assert matches(name, pattern) is is_match
    assert is_selected(name, ["-", pattern]) is is_match
    assert unmatched([pattern], ["-", name]) == ([] if is_match else [pattern])


def test_no_pattern_selects_everything():
    assert is_selected("x", []) is True
    assert is_selected("x", iter(())) is True
    assert is_selected("x", iter(["y", "x"])) is True
    assert unmatched(["a", "b"], iter(["b"])) == ["a"]


@pytest.mark.parametrize(
    ("pattern", "literal"), [("a", True), ("TAX", True), ("a*", False), ("a?", False), ("a[b]", False)]
)
def test_what_can_match_nothing_but_itself(pattern, literal):
    assert is_literal(pattern) is literal


API = SimpleNamespace(get_server_list=lambda: [{"name": name} for name in ("Berlin", "Bonn", "Paris")])


@pytest.mark.parametrize(
    ("patterns", "servers"),
    [
        ([], ["Berlin", "Bonn", "Paris"]),
        ([None], ["Berlin", "Bonn", "Paris"]),
        (["B*"], ["Berlin", "Bonn"]),
        (["B*", "Rome", "Bonn"], ["Berlin", "Bonn", "Rome"]),
        (["P*", None], ["Berlin", "Bonn", "Paris"]),
    ],
)
def test_the_servers_that_patterns_mean_each_once(patterns, servers):
    assert find_servers(API, patterns) == servers


def test_servers_that_are_named_need_no_list():
    assert find_servers(None, ["Rome", "Bonn", "Rome"]) == ["Rome", "Bonn"]


def read(server):
    if server.startswith("bad"):
        hint = "" if server == "bad" else "Look."
        raise ApiError(f"{server} is down.", hint, "AEM_SERVER_DOWN", http_status=500)
    return server.upper()


def test_servers_that_fail_are_left_out_with_a_warning():
    found, skipped = read_servers(iter(["a", "bad1", "b"]), read, "skip")
    assert found == {"a": "A", "b": "B"}
    assert skipped.rows == [
        {"server": "bad1", "msg": "bad1 is down.", "error_code": "AEM_SERVER_DOWN", "http_status": 500}
    ]
    assert skipped.warnings == ['Server "bad1" was skipped: bad1 is down.']


def test_or_they_are_the_failure_all_of_them():
    with pytest.raises(ApiError) as raised:
        read_servers(["a", "bad1", "bad2"], read, "fail")
    assert str(raised.value) == "bad1 is down." and raised.value.lines == ["bad2 is down."]
    assert raised.value.hint == "Look. Or leave such servers out with on_server_error: skip."
    with pytest.raises(ApiError) as raised:
        read_servers(["bad"], read, "fail")
    assert raised.value.hint == "Or leave such servers out with on_server_error: skip."
    assert read_servers(["a"], read, "fail") == ({"a": "A"}, ([],))


def test_several_may_be_read_at_a_time():
    found, _skipped = read_servers(["a", "b"], read, "fail", lambda work, items: [work(item) for item in items])
    assert found == {"a": "A", "b": "B"}
