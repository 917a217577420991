# Copyright (c) 2026, dataops.qlik_em contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The order of tasks that need each other: waves, circles, and the tree. Pure functions."""

from __future__ import annotations

import itertools
import random

import pytest
from ansible_collections.dataops.qlik_em.plugins.module_utils._client.errors import InputError
from ansible_collections.dataops.qlik_em.plugins.module_utils._fleets.order import Gate, Order
from ansible_collections.dataops.qlik_em.plugins.module_utils._tasks.model import TaskName


def named(names):
    """Return tasks of server S."""
    return [TaskName("S", name) for name in names.split()]


def ordered(names, links):
    """Return the order of tasks with links like "a>b"."""
    order = Order(named(names))
    for link in links.split():
        first, then = link.split(">")
        order.put(TaskName("S", first), TaskName("S", then), "link")
    return order


@pytest.mark.parametrize(
    ("links", "waves"),
    [
        ("", ["a b c d"]),
        ("b>a", ["b c d", "a"]),
        ("a>b b>c c>d", ["a", "b", "c", "d"]),
        ("a>b a>c b>d c>d", ["a", "b c", "d"]),
        ("a>b b>c a>c a>a", ["a d", "b", "c"]),  # no task waits for itself
        ("d>a d>a", ["b c d", "a"]),
    ],
)
def test_each_task_is_in_the_first_wave_that_it_can_be_in(links, waves):
    assert ordered("a b c d", links).waves() == [named(wave) for wave in waves]


def test_nothing_has_no_waves():
    assert Order([]).waves() == [] and Order([]).tree() == []


def test_all_before_a_gate_are_before_all_behind_it():
    order = ordered("a b c d e", "a>b")
    order.put_all(named("a b"), named("c d"), Gate("the gate"))
    order.put_all([], named("e"), Gate("nothing is before it"))
    order.put_all(named("e"), [], Gate("nothing is behind it"))
    assert order.waves() == [named("a e"), named("b"), named("c d")]
    assert [line for line in order.tree() if line.startswith("then ")] == ["then (the gate)"]


def test_what_is_put_already_shows_what_is_later_and_earlier():
    order = ordered("a b c d e", "a>b c>d")
    order.put_all(named("b"), named("c e"), Gate("the gate"))
    assert order.later_than(named("b")) == {*named("b c d e"), Gate("the gate")}
    assert order.earlier_than(named("c")) == {*named("a b c"), Gate("the gate")}


@pytest.mark.parametrize(
    ("names", "links", "circle"),
    [
        ("a b", "a>b b>a", "S/a -> S/b (link) -> S/a (link)"),
        ("a b c d", "d>b b>c c>d a>b d>a", "S/b -> S/c (link) -> S/d (link) -> S/b (link)"),
        ("x z a c b", "x>z z>a a>c c>b b>a b>x2 x>x2", "S/a -> S/c (link) -> S/b (link) -> S/a (link)"),
    ],
)
def test_a_circle_is_refused_with_its_members_in_order(names, links, circle):
    with pytest.raises(InputError) as failure:
        ordered(names, links).waves()
    assert failure.value.message == f"The dependencies of the tasks form a cycle: {circle}. Nothing was done."
    assert failure.value.hint.startswith("Change dependencies, ")


def test_a_circle_through_a_gate_names_what_the_gate_is():
    order = ordered("a b c", "c>b")
    order.put_all(named("a b"), named("c"), Gate("item 1 of dependencies"))
    with pytest.raises(InputError, match=r"S/b -> S/c \(item 1 of dependencies\) -> S/b \(link\)\. Nothing"):
        order.waves()


def test_the_waves_of_any_order_are_right():
    random.seed(7)
    for _time in range(200):
        tasks = named(" ".join(f"t{number}" for number in range(12)))
        pairs = [pair for pair in itertools.combinations(tasks, 2) if random.random() < 0.15]
        random.shuffle(tasks)
        order = Order(tasks)
        for first, then in pairs:
            order.put(first, then, "")
        waves = order.waves()
        place = {task: number for number, wave in enumerate(waves) for task in wave}
        assert sorted(place) == sorted(tasks)
        assert all(place[first] < place[then] for first, then in pairs)
        for task, number in place.items():  # and none waits longer than it must
            assert number == max((place[first] + 1 for first, then in pairs if then == task), default=0)


def test_the_tree_shows_each_task_below_what_it_waits_for():
    order = ordered("staging orders invoices alone flow out", "staging>orders staging>invoices flow>out orders>out")
    order.put_all(named("staging orders invoices alone"), named("flow"), Gate("Replicate before Compose"))
    assert order.tree() == [
        "S/staging: start wave 1, stop wave 4",
        "|- S/orders: start wave 2, stop wave 3",
        "|- S/invoices: start wave 2, stop wave 3",
        "S/alone: start wave 1, stop wave 4",
        "then (Replicate before Compose)",
        "|- S/flow: start wave 3, stop wave 2",
        "| |- S/out: start wave 4, stop wave 1, also after S/orders",
    ]


def test_the_tree_shows_what_else_a_task_waits_for():
    order = ordered("a b c", "a>b b>c")
    order.put_all(named("a"), named("c"), Gate("the gate"))
    assert order.tree() == [
        "S/a: start wave 1, stop wave 3",
        "|- S/b: start wave 2, stop wave 2",
        "| |- S/c: start wave 3, stop wave 1, also by the gate",
        "then (the gate)",
    ]
    assert ordered("a b c d", "a>d b>d c>d").tree()[1].endswith(", also after S/b and 1 more")
    assert ordered("a b c d e", "a>e b>e c>e d>e").tree()[1].endswith(", also after S/b and 2 more")


def test_what_the_tree_leaves_out_is_counted_before_the_gates():
    names = [f"t{number:02}" for number in range(20)]
    assert ordered(" ".join(names), "").tree() == [f"S/{name}: start wave 1, stop wave 1" for name in names]
    order = ordered(" ".join([*names, "one", "last"]), "")
    order.put_all(named("t00"), named("last"), Gate("the gate"))
    assert order.tree()[19:] == [
        "S/t19: start wave 1, stop wave 2",
        "and 1 more",
        "then (the gate)",
        "|- S/last: start wave 2, stop wave 1",
    ]


def test_the_tree_leaves_out_what_nobody_waits_for_beyond_what_one_can_read():
    names = [f"t{number:02}" for number in range(30)]
    lines = ordered(" ".join([*names, "last"]), "t29>last").tree()
    assert lines[:20] == [f"S/{name}: start wave 1, stop wave 2" for name in names[:20]]
    assert lines[20:] == ["S/t29: start wave 1, stop wave 2", "|- S/last: start wave 2, stop wave 1", "and 9 more"]


def test_a_long_chain_is_shown_and_a_circle_in_it_found():
    links = [f"t{number}>t{number + 1}" for number in range(3000)]
    order = ordered(" ".join(f"t{number}" for number in range(3001)), " ".join(links))
    assert len(order.waves()) == 3001 and len(order.tree()) == 3001
    order.put(TaskName("S", "t3000"), TaskName("S", "t0"), "back")
    with pytest.raises(InputError, match="form a cycle"):
        order.waves()


def test_tasks_behind_a_gate_take_no_link_for_each_pair():
    """Here that would be a hundred million links, which no machine for tests holds."""
    count = 20_000
    tasks = [TaskName(f"S{number % 30}", f"t{number}") for number in range(count)]
    order = Order(tasks)
    half = count // 2
    for number in range(1, half):
        order.put(tasks[number // 10], tasks[number], "log stream")
    later = order.later_than(tasks[half:])
    order.put_all([one for one in tasks[:half] if one not in later], tasks[half:], Gate("Replicate before Compose"))
    waves = order.waves()
    assert sum(map(len, waves)) == count and sorted(waves[-1]) == sorted(tasks[half:]) and order.tree()
