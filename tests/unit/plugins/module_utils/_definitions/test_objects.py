# Copyright (c) 2026, dataops.qlik_em contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The kinds of objects in a definition: which members belong to which, and what is said of them."""

from __future__ import annotations

import pytest
from ansible_collections.dataops.qlik_em.plugins.module_utils._client.errors import InputError
from ansible_collections.dataops.qlik_em.plugins.module_utils._definitions import objects

BODY = "cmd.replication_definition"


def document(**content):
    """A definition with a stamp."""
    return {"name": "x", BODY: content}


TASKS = [{"task": {"name": "b"}}, {"task": {"name": "a"}}]
WHOLE = document(
    tasks=TASKS,
    databases=[{"name": "ERP"}],
    scheduler={"jobs": [{"name": "nightly", "schedule": "0 1 * * * *"}], "more": 1},
    notifications={"notifications_list": [{"name": "failures"}]},
    logging={"level": 3},
    replication_environment={"a": 1},
    error_behavior={"b": 2},
    novelty={"c": 3},
    empty={},
)


def test_each_member_belongs_to_one_kind():
    members = [member for kind in objects.KINDS.values() for member in kind.members]
    assert len(members) == len(set(members))
    assert all(kind.source for kind in objects.KINDS.values())
    assert set(objects.DEFAULT) < set(objects.CHOICES)


@pytest.mark.parametrize(
    ("asked", "members"),
    [
        (objects.DEFAULT, {"tasks", "databases"}),
        (["schedules"], {"scheduler"}),
        (["server_settings"], {"logging", "replication_environment"}),
        (["error_policies", "notifications"], {"error_behavior", "notifications"}),
        (["others"], {"novelty", "empty"}),
        (objects.CHOICES, set(WHOLE[BODY])),
    ],
)
def test_the_part_that_is_asked_for_and_what_is_beyond(asked, members):
    part = objects.part(WHOLE, asked)
    assert set(part[BODY]) == members and part["name"] == "x"
    beyond = objects.beyond(WHOLE, asked)
    assert set(beyond) == {objects.kind_of(member) for member in set(WHOLE[BODY]) - members - {"empty"}}
    assert set(objects.names_in_kind(part)) | set(beyond) == set(objects.CHOICES)


def test_defaults_of_named_objects_are_filled_in_for_a_comparison():
    given = WHOLE[BODY]["scheduler"]["jobs"][0]
    (job,) = objects.only(WHOLE, ["schedules"])[BODY]["scheduler"]["jobs"]
    assert job == {**given, "enabled": True, "is_local_time": False}
    disabled = document(scheduler={"jobs": [{"name": "n", "enabled": False}]})
    assert objects.only(disabled, ["schedules"])[BODY]["scheduler"]["jobs"][0]["enabled"] is False
    assert "enabled" not in given


def test_what_a_definition_holds_beyond_is_said_in_one_line():
    assert objects.warning_about(objects.beyond(WHOLE, ["tasks", "endpoints", "others"])) == [
        "The definition also contains 1 schedule (nightly), 1 notification (failures), server_settings (logging, "
        "replication_environment) and error_policies (error_behavior), which were not imported. To import them, add "
        "schedules and notifications and server_settings and error_policies to objects."
    ]
    many = document(scheduler={"jobs": [{"name": f"job {number}"} for number in range(8)]})
    assert objects.in_words(objects.beyond(many, objects.DEFAULT)) == (
        "8 schedules (job 0, job 1, job 2, job 3, job 4 and 3 more)"
    )
    one = objects.warning_about(objects.beyond(document(databases=[{"name": "ERP"}]), ["tasks"]))
    assert one == [
        "The definition also contains 1 endpoint (ERP), which was not imported. To import it, add endpoints to objects."
    ]
    assert objects.warning_about(objects.beyond(document(tasks=TASKS, scheduler={}), objects.DEFAULT)) == []


@pytest.mark.parametrize("value", [[1], {"jobs": [1]}, {"jobs": [{}]}, {"jobs": 1}, "text", 5])
def test_a_form_that_is_not_known_is_named_all_the_same(value):
    """What is not asked for is not checked, and must not break anything."""
    assert objects.beyond(document(scheduler=value), objects.DEFAULT) == {"schedules": ["scheduler"]}
    with pytest.raises(InputError):
        objects.check("definition", document(scheduler=value))


def test_rows_say_of_each_kind_what_differs():
    places = [("tasks", "a", "task", "x"), ("scheduler", "jobs", "nightly", "schedule"), ("novelty", "c")]
    assert objects.rows(WHOLE, places) == [
        {"kind": "tasks", "imported": ["a"], "unchanged": ["b"]},
        {"kind": "endpoints", "imported": [], "unchanged": ["ERP"]},
        {"kind": "schedules", "imported": ["nightly"], "unchanged": []},
        {"kind": "notifications", "imported": [], "unchanged": ["failures"]},
        {"kind": "server_settings", "imported": [], "unchanged": ["logging", "replication_environment"]},
        {"kind": "error_policies", "imported": [], "unchanged": ["error_behavior"]},
        {"kind": "others", "imported": ["novelty"], "unchanged": []},
    ]


def test_named_objects_are_laid_over_those_of_the_server():
    current = {"jobs": [{"name": "a", "requests": {"x": 1, "y": 1}, "team": 1}, {"name": "b"}], "kept": 1}
    wanted = {"jobs": [{"name": "c"}, {"name": "a", "requests": {"x": 2}}]}
    assert objects.laid_over(current, wanted, "scheduler") == {
        "jobs": [{"name": "a", "requests": {"x": 2, "y": 1}, "team": 1}, {"name": "b"}, {"name": "c"}],
        "kept": 1,
    }
    assert objects.laid_over(None, wanted, "scheduler") == wanted
    for nameless in ([{}], [{"name": "a"}, {"name": "a"}], {"a": 1}):
        assert objects.laid_over({"jobs": nameless}, wanted, "scheduler") == wanted
    assert objects.laid_over({"a": 1}, {"b": 2}, "logging") == {"b": 2}
