# Copyright (c) 2026, dataops.qlik_em contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What an export shows of log streams, whatever is in it, and what that says of the order. Pure functions."""

from __future__ import annotations

import pytest
from ansible_collections.dataops.qlik_em.plugins.module_utils._fleets.log_streams import (
    UNKNOWN,
    ServerStreams,
    Source,
    relate,
    sources_in,
    warnings_of,
)
from ansible_collections.dataops.qlik_em.plugins.module_utils._tasks.model import TaskName

NONE, STAGING = Source(False, ""), Source(True, "")


def export(task, *databases):
    """Return an export with one task."""
    return {"cmd.replication_definition": {"tasks": [task], "databases": list(databases)}}


def reader(**members):
    """Return a task that reads from the endpoint "in"."""
    return {"task": {"name": "t", "source_name": "in", "target_names": ["out"], **members}}


def endpoint(name, type_id="ORACLE_COMPONENT_TYPE", **settings):
    return {"name": name, "type_id": type_id, "db_settings": settings}


@pytest.mark.parametrize(
    ("document", "source"),
    [
        (export(reader(), endpoint("in"), endpoint("out")), NONE),
        (export(reader(), endpoint("in", logstreamstagingtask="staging")), Source(False, "staging")),
        (export(reader(), endpoint("in", logstreamstagingtask=" staging ")), Source(False, "staging")),
        (export(reader(), endpoint("in", logstreamstagingtask="")), NONE),
        (export(reader(), endpoint("in", logstreamstagingtask=None)), NONE),
        (export(reader(task_type="_LOG_STREAM"), endpoint("in")), STAGING),
        (export(reader(), endpoint("in"), endpoint("out", "LOG_STREAM_COMPONENT_TYPE")), STAGING),
        (export(reader()), Source(False, None)),
        # As real exports name the endpoints
        (
            export(
                {
                    "task": {"name": "t"},
                    "source": {"rep_source": {"source_name": "in"}},
                    "targets": [{"rep_target": {"target_name": "out"}}],
                },
                endpoint("in", logstreamstagingtask="staging"),
                endpoint("out", "LOG_STREAM_COMPONENT_TYPE"),
            ),
            Source(True, "staging"),
        ),
        # Of SAP
        (
            export(reader(), endpoint("in", backend_db="db"), endpoint("db", logstreamstagingtask="staging")),
            Source(False, "staging"),
        ),
        (export(reader(), endpoint("in", backend_db="db"), endpoint("db")), NONE),
        (export(reader(), endpoint("in", backend_db="db")), Source(False, None)),
    ],
)
def test_what_a_task_reads(document, source):
    assert sources_in(document) == {"t": source}


@pytest.mark.parametrize(
    "odd",
    [
        {},
        {"cmd.replication_definition": None},
        {"cmd.replication_definition": {"tasks": {}, "databases": 7}},
        {"cmd.replication_definition": {"tasks": [None, 7, "x"], "databases": [None]}},
    ],
)
def test_an_export_of_an_odd_form_shows_no_task(odd):
    assert sources_in(odd) == {}


@pytest.mark.parametrize(
    "task",
    [
        {"task": {"name": "t", "source_name": ["in"], "target_names": "out"}, "targets": {}, "source": []},
        {"task": {"name": "t", "source_name": 7, "target_names": [7]}, "targets": ["x"], "source": {"rep_source": 1}},
    ],
)
def test_a_task_of_an_odd_form_reads_what_nobody_knows(task):
    assert sources_in(export(task, {"name": "in", "db_settings": []})) == {"t": Source(False, None)}


def related(selected, refusal="", **sources):
    return relate(ServerStreams("S", sources, refusal), selected.split())


def test_a_task_comes_after_the_one_that_stages_what_it_reads():
    found = related("staging child", staging=STAGING, child=Source(False, "staging"), other=Source(False, "staging"))
    assert found.links == [(TaskName("S", "staging"), TaskName("S", "child"))]
    assert found.readers == warnings_of([found]) == []


def test_the_staging_task_is_found_in_other_letters_and_need_not_be_selected():
    assert related("staging child", staging=STAGING, child=Source(False, "Staging")).links
    found = related("child", staging=STAGING, child=Source(False, "staging"))
    assert found.links == warnings_of([found]) == []


def test_a_staging_task_of_nowhere_is_a_warning():
    (warning,) = warnings_of([related("child", child=Source(False, "nowhere"))])
    assert warning.startswith("These tasks read the log stream of a task that does not exist on their server.")
    assert warning.endswith('dependencies: S/child (reads from "nowhere").')


def test_what_is_not_shown_comes_after_all_that_is_staged_with_a_warning():
    found = related("a b c", "No permission.", a=STAGING, b=Source(False, None), c=NONE)
    assert (found.staging, found.readers) == ([TaskName("S", "a")], [TaskName("S", "b")])
    (warning,) = warnings_of([found])
    assert warning.startswith(
        "The sources of these tasks cannot be read. They are ordered after all tasks of their server that"
    )
    assert warning.endswith("streams: S/b. No permission.")


def test_a_task_that_is_not_shown_at_all_is_a_warning():
    found = related("a b", a=STAGING, b=UNKNOWN)
    assert found.readers == [] and warnings_of([found])[0].startswith(
        "It cannot be read whether these tasks stage or read log"
    )
    assert warnings_of([related("a b", a=NONE)])  # the export lacks it
    assert warnings_of([related("a", a=Source(False, None))]) == []  # nothing is staged in the selection


def test_many_servers_make_one_warning():
    many = [
        relate(ServerStreams(f"S{number:02}", {"a": STAGING, "b": Source(False, None)}, f"No {number}."), ["a", "b"])
        for number in range(50)
    ]
    (warning,) = warnings_of(many)
    assert "S00/b, S01/b, " in warning and warning.endswith("S19/b, and 30 more. No 0.")
