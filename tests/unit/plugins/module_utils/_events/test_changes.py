# Copyright (c) 2026, dataops.qlik_em contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What has changed from one round to the next, whatever happens: no event is missing, none comes twice."""

from __future__ import annotations

import json
from itertools import count

from ansible_collections.dataops.qlik_em.plugins.module_utils._client.errors import TransportError
from ansible_collections.dataops.qlik_em.plugins.module_utils._common.times import time_at
from ansible_collections.dataops.qlik_em.plugins.module_utils._events.changes import Watch, away, changes
from ansible_collections.dataops.qlik_em.plugins.module_utils._events.model import (
    NOTHING,
    TYPES,
    Reading,
    ServerReading,
    as_json,
    from_json,
)
from ansible_collections.dataops.qlik_em.plugins.module_utils._fleets.selection import Listed, Selector
from ansible_collections.dataops.qlik_em.plugins.module_utils._tasks.model import TaskName, TaskSnapshot
from hypothesis import given, settings
from hypothesis import strategies as st

WATCH = Watch("https://em/x", max_latency=60, license_days=30)


def reading(servers, latencies=None, tables=None):
    """Return a Reading; ``servers`` are their tasks with their states, or a state of the server."""
    made = {}
    for name, tasks in servers.items():
        if isinstance(tasks, str):
            made[name] = ServerReading(tasks)
            continue
        listed = [Listed(TaskName(name, task), TaskSnapshot(state), frozenset()) for task, state in tasks.items()]
        made[name] = ServerReading("MONITORED", tasks=tuple(listed))
    return Reading(made, latencies or {}, tables or {})


def follow(readings, watch=WATCH, memory=NOTHING):
    """Return the last memory and the events of each round."""
    events = []
    for second, now in zip(count(1_800_000_000), readings):
        memory, found = changes(memory, now, time_at(second), watch)
        events.append(found)
    return memory, events


def shown(events):
    return [(one["type"], one["task"] or one["server"], one["before"], one["after"]) for one in events]


FEW = settings(max_examples=60, deadline=None)
STATES = st.sampled_from(["RUNNING", "STOPPED", "ERROR", "RECOVERY", "STARTING"])
TASKS = st.dictionaries(st.sampled_from("ab"), STATES)
ROUNDS = st.lists(
    st.builds(
        reading,
        st.dictionaries(st.sampled_from("ST"), st.one_of(TASKS, st.sampled_from(["ERROR", "NOT_MONITORED"]))),
        st.dictionaries(st.sampled_from([TaskName("S", "a"), TaskName("T", "b")]), st.floats(0, 120)),
        st.dictionaries(
            st.just(TaskName("S", "a")), st.frozensets(st.tuples(st.sampled_from("xy"), st.sampled_from("12")))
        ),
    ),
    max_size=8,
)


@given(ROUNDS)
@FEW
def test_each_change_of_a_state_is_one_event(rounds):
    seen = {}
    for now, found in zip(rounds, follow(rounds)[1]):
        wanted = []
        for server, shown_now in now.servers.items():
            if shown_now.tasks is None:
                continue
            new = {one.task.name: one.snapshot.state for one in shown_now.tasks}
            old = seen.get(server)
            for name in {**(old or {}), **new}:
                before = None if old is None else old.get(name, "NOT_EXIST")
                after = new.get(name, "NOT_EXIST")
                if before != after and (before or after == "ERROR"):
                    wanted.append((server, name, before, after))
            seen[server] = new
        given_now = [one for one in found if one["type"].startswith("task_")]
        assert {(one["server"], one["task"], one["before"], one["after"]) for one in given_now} == set(wanted)
        assert len(given_now) == len(wanted)
        for one in given_now:
            assert (one["type"] == "task_error") == (one["after"] == "ERROR")
            assert (one["type"] == "task_error_ended") == (one["before"] == "ERROR")
        for one in found:
            assert (one["problem"], one["first_look"]) == (TYPES[one["type"]], one["before"] is None)


@given(ROUNDS)
@FEW
def test_what_is_seen_twice_is_one_event_and_a_restart_changes_nothing(rounds):
    memory, events = follow(rounds)
    doubled, twice = follow([one for now in rounds for one in (now, now)])
    assert [shown(one) for one in twice[::2]] == [shown(one) for one in events]
    assert not any(twice[1::2])
    restarted = NOTHING
    for number, now in enumerate(rounds):
        restarted = from_json(json.loads(json.dumps(as_json(restarted))))
        restarted, found = changes(restarted, now, time_at(1_800_000_000 + number), WATCH)
        assert found == events[number]
    assert restarted == memory
    assert all(name in doubled.servers for name in memory.servers)


@given(ROUNDS)
@FEW
def test_ids_are_unique(rounds):
    ids = [one["id"] for found in follow(rounds)[1] for one in found]
    assert len(ids) == len(set(ids))


def test_tasks_that_come_and_go_are_not_there_before_and_after():
    memory, events = follow([reading({"S": {}}), reading({"S": {"a": "ERROR"}}), reading({"S": {}})])
    assert [shown(one) for one in events] == [
        [],
        [("task_error", "a", "NOT_EXIST", "ERROR")],
        [("task_error_ended", "a", "ERROR", "NOT_EXIST")],
    ]
    assert memory.servers["S"].tasks == {}


def test_a_server_that_is_not_listed_any_more_is_lost_once_unless_it_is_not_watched():
    rounds = [reading({"S": {"a": "RUNNING"}}), reading({}), reading({}), reading({"S": {"a": "ERROR"}})]
    assert [shown(one) for one in follow(rounds)[1]] == [
        [],
        [("server_lost", "S", "MONITORED", "NOT_LISTED")],
        [],
        [("server_back", "S", "NOT_LISTED", "MONITORED"), ("task_error", "a", "RUNNING", "ERROR")],
    ]
    without = WATCH._replace(exclude=[Selector("S", None, frozenset(), frozenset())])
    assert not any(follow(rounds[1:], without, follow(rounds[:1])[0])[1])


def test_monitoring_that_was_off_before_is_not_an_event_but_that_it_is_switched_off_is():
    rounds = [reading({"S": "NOT_MONITORED"}), reading({"S": {}}), reading({"S": "NOT_MONITORED"})]
    assert [shown(one) for one in follow(rounds)[1]] == [
        [],
        [("server_back", "S", "NOT_MONITORED", "MONITORED")],
        [("server_lost", "S", "MONITORED", "NOT_MONITORED")],
    ]


def test_a_latency_at_the_limit_is_within_it():
    task = TaskName("S", "a")
    rounds = [reading({"S": {"a": "RUNNING"}}, {task: seconds} if seconds else {}) for seconds in (60, 61, None, 60)]
    assert [shown(one) for one in follow(rounds)[1]] == [
        [],
        [("latency_high", "a", "OK", "HIGH")],
        [],
        [("latency_high_ended", "a", "HIGH", "OK")],
    ]


def test_enterprise_manager_is_lost_once_and_comes_back_with_what_it_was_lost_with():
    memory, _events = follow([reading({"S": {"a": "RUNNING"}})])
    failure = TransportError("No connection.", "Check url.")
    memory, lost = away(memory, "2027-01-15T08:00:00Z", WATCH, failure)
    assert [(one["type"], one["before"], one["message"]) for one in lost] == [
        ("manager_lost", "REACHABLE", "No connection. Check url.")
    ]
    assert away(memory, "2027-01-15T08:01:00Z", WATCH, failure) == (memory, [])
    memory, back = changes(memory, reading({"S": {"a": "RUNNING"}}), "2027-01-15T08:02:00Z", WATCH)
    assert [(one["type"], one["before_since"]) for one in back] == [("manager_back", "2027-01-15T08:00:00Z")]
    assert away(NOTHING, "2027-01-15T08:00:00Z", WATCH, failure)[1][0]["first_look"]
