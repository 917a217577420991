# Copyright (c) 2026, dataops.qlik_em contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is suggested for a name that does not exist."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
from ansible_collections.dataops.qlik_em.plugins.module_utils._client.errors import ApiError
from ansible_collections.dataops.qlik_em.plugins.module_utils._client.nearest import did_you_mean, nearest, suggestion

NAMES = ["Orders", "orders", "Orders_2", "Invoices", "Orders"]


@pytest.mark.parametrize(
    ("name", "names", "near"),
    [
        ("ORDERS", NAMES, ["Orders", "orders"]),  # only the case differs: nothing else is suggested
        ("Orders", NAMES, ["orders"]),
        ("Order", NAMES, ["Orders", "orders", "Orders_2"]),
        ("Zebra", NAMES, []),
        ("task1", ["task2", "task3", "task4", "task5"], ["task5", "task4", "task3"]),
        ("abcd", ["Abcx", "aBcx", "abCx", "abcX"], ["Abcx", "aBcx", "abCx"]),
        ("STRASSE", ["straße"], ["straße"]),
    ],
)
def test_the_nearest_come_first_and_not_more_than_three(name, names, near):
    assert nearest(name, names) == near


def test_the_question():
    assert did_you_mean("ORDERS", NAMES) == 'Did you mean "Orders" or "orders"?'
    assert did_you_mean("Zebra", NAMES) == ""


def listed(*names):
    return [{"name": name} for name in names]


API = SimpleNamespace(
    get_server_list=lambda: listed("Berlin"),
    get_task_list=lambda server: listed(f"task of {server}"),
    get_endpoint_list=lambda server: listed(f"endpoint of {server}"),
)


@pytest.mark.parametrize(
    ("path", "meant"),
    [
        (("servers", "berlin"), "Berlin"),
        (("servers", "Berlin", "tasks", "Task of Berlin"), "task of Berlin"),
        (("servers", "Berlin", "endpoints", "Endpoint of Berlin"), "endpoint of Berlin"),
    ],
)
def test_the_names_of_the_same_kind_are_looked_at(path, meant):
    assert suggestion(API, path) == f'Did you mean "{meant}"?'


def test_a_list_that_cannot_be_read_is_not_a_failure():
    def refuse():
        raise ApiError("No.", "", "SYS_UNAUTHORIZED")

    assert suggestion(SimpleNamespace(get_server_list=refuse), ("servers", "x")) == ""
