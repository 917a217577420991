# Copyright (c) 2026, dataops.qlik_em contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""In which waves tasks are stopped: as a list says, or as is found out."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
from ansible_collections.dataops.qlik_em.plugins.module_utils._client.errors import (
    UNAUTHORIZED_REQUEST,
    ApiError,
    InputError,
)
from ansible_collections.dataops.qlik_em.plugins.module_utils._fleets import waves as module
from ansible_collections.dataops.qlik_em.plugins.module_utils._fleets.options import FleetLimits
from ansible_collections.dataops.qlik_em.plugins.module_utils._fleets.selection import Listed
from ansible_collections.dataops.qlik_em.plugins.module_utils._fleets.waves import (
    Waves,
    WavesOption,
    check_waves,
    order_values,
    show_order,
    sort_into_waves,
)
from ansible_collections.dataops.qlik_em.plugins.module_utils._run.result import Mode
from ansible_collections.dataops.qlik_em.plugins.module_utils._tasks.model import TaskName, TaskSnapshot

LIMITS = FleetLimits(2, 1, None)
FORM, EACH = "waves must be auto, ", "Each of waves must be "


def listed(*names):
    """Return tasks like "S/a"; those whose names begin with "err" are in ERROR, those with "x" have a tag x."""
    return [
        Listed(
            TaskName(*name.split("/")),
            TaskSnapshot("ERROR" if "/err" in name else "RUNNING"),
            frozenset(["x"] if "/x" in name else []),
        )
        for name in names
    ]


def option(waves, dependencies=None):
    return check_waves({"waves": waves, "dependencies": dependencies})


def refusal(*given):
    with pytest.raises(InputError) as raised:
        option(*given)
    return str(raised.value)


def names(waves):
    return [" ".join(str(one.task) for one in wave) for wave in waves.tasks]


def by_list(waves, *tasks):
    """Return the waves of tasks by a list, which needs no API."""
    found = sort_into_waves(None, listed(*tasks), option(waves), LIMITS)
    assert (found.tree, found.warnings) == (None, [])
    return names(found)


# The options


def test_auto_and_lists():
    assert option("auto") == WavesOption(None, [], []) and option("auto").is_auto is True
    assert option([]).is_auto is False and option([]).given == option(None).given == []
    assert option([{"server": "S"}]).given[0]["server"] == "S"
    assert option('[{"server": "S", "state": ["running"]}]').given[0]["state"] == ["running"]
    assert option("null").given == []


@pytest.mark.parametrize(
    ("given", "begin", "end"),
    [
        ("first", FORM, ', not "first".'),
        ("[" * 100_000, FORM, f', not "{"[" * 59}....'),
        ("x" * 58, FORM, f', not "{"x" * 58}".'),
        ("x" * 59, FORM, f', not "{"x" * 59}....'),
        ("ü", FORM, ', not "ü".'),
        ({"server": "S"}, FORM, ", not a mapping."),
        ('{"server": "S"}', FORM, ", not a mapping."),
        (7, FORM, ", not 7."),
        ({1}, FORM, ', not "{1}".'),
        ([["S"]], EACH, ", not a list."),
        (["S"], EACH, ', not "S".'),
        ([{}], "An empty selector in waves ", "."),
    ],
)
def test_what_is_not_a_list_of_selectors(given, begin, end):
    assert refusal(given).startswith(begin) and refusal(given).endswith(end)


def test_ansible_s_own_checks_hold_for_each_selector():
    assert " waves.serverr." in refusal([{"serverr": "S"}])
    assert "must be one or more of" in refusal([{"state": ["asleep"]}])
    assert refusal("a\tb").startswith("waves contains a control character (a tab)")


DEPENDENCY = {"before": [{"name": "a"}], "after": [{"name": "b"}]}


def test_dependencies():
    (first, second) = option(
        "auto", [DEPENDENCY, {"before": [{"server": "S"}], "after": [{"tag": ["x"]}]}]
    ).dependencies
    assert (first.number, first.before[0].name, first.after[0].name) == (1, "a", "b")
    assert (second.number, second.text) == (2, "item 2 of dependencies")
    assert option([], []).dependencies == []
    assert "waves: auto" in refusal([], [DEPENDENCY])
    assert refusal("auto", [DEPENDENCY, {"before": [], "after": [{"name": "b"}]}]).startswith(
        "before in item 2 of dependencies "
    )
    assert refusal("auto", [{"before": [{"name": "a"}], "after": []}]).startswith("after in item 1 of dependencies ")
    assert " before in dependencies " in refusal("auto", [{"before": [{}], "after": [{"name": "b"}]}])


# By a list


def test_the_waves_of_a_list_and_the_rest_last():
    waves = [{"server": "S", "name": "b"}, {"tag": ["x"]}, {"state": ["error"]}]
    assert by_list(waves, "S/a", "S/b", "T/b", "T/x1", "T/err") == ["S/b", "T/x1", "T/err", "S/a T/b"]
    assert by_list([], "S/a", "T/b") == ["S/a T/b"]
    assert by_list(waves) == ["", "", "", ""]


def test_a_task_of_two_waves():
    with pytest.raises(InputError) as raised:
        by_list([{"server": "S"}, {"name": "b"}, {"server": "*"}], "S/a")
    assert str(raised.value).startswith('Task "a" on server "S" is in the waves 1 and 3')


# As it is found out


def exported(**reads):
    """Return an export: of each task, the task whose log stream it reads; "-" stages one."""
    tasks, endpoints = [], []
    for name, parent in reads.items():
        settings = {} if parent in ("", "-") else {"logstreamstagingtask": parent}
        endpoints.append({"name": f"source of {name}", "db_settings": settings})
        kind = {"task_type": "_LOG_STREAM"} if parent == "-" else {}
        tasks.append({"task": {"name": name, "source_name": f"source of {name}", **kind}})
    return {"cmd.replication_definition": {"tasks": tasks, "databases": endpoints}}


class Server:
    """An Enterprise Manager with servers: ``exports`` of Replicate, and names of Compose."""

    client = SimpleNamespace(interrupt=SimpleNamespace(abandon=lambda: None))

    def __init__(self, compose=(), hidden=(), **exports):
        self.compose, self.hidden, self.exports, self.read = compose, hidden, exports, []

    def get_server_list(self, accept):
        assert accept == (UNAUTHORIZED_REQUEST,)  # the list asks for a higher role
        names = [*self.exports, *self.compose]
        return [{"name": name, "$type": self._kind(name)} for name in names if name not in self.hidden]

    def _kind(self, name):
        return "AemComposeServer" if name in self.compose else "AemReplicateServer"

    def get_server_details(self, name):
        self.read.append(name)
        if self.hidden == "all":
            raise ApiError(f"{name} is hidden.", "", "X")
        return {"$type": self._kind(name)}

    def export_all(self, server):
        self.read.append(server)
        return self.exports[server]


def found(api, tasks, dependencies=()):
    return sort_into_waves(api, listed(*tasks.split()), option("auto", dependencies), LIMITS)


def test_log_streams_and_compose():
    api = Server(["C"], S=exported(a="b", b="-", c=""), T=exported(d=""))
    waves = found(api, "C/w S/a S/b S/c T/d")
    # Stopped first: Compose, then what reads a log stream, last what stages it.
    assert names(waves) == ["C/w", "S/a", "S/b S/c T/d"] and waves.warnings == []
    assert any(line.endswith("S/a: start wave 2, stop wave 2") for line in waves.tree)
    assert "then (Replicate before Compose)" in "\n".join(waves.tree)
    assert api.read == ["S"]  # one task alone, and Compose, have no order of their own
    assert names(found(Server(S=exported(a="b", b="-")), "S/a S/b")) == ["S/a", "S/b"]


def test_readers_of_an_unknown_stream_come_after_all_that_stage():
    export = exported(a="-", b="", c="")
    export["cmd.replication_definition"]["databases"].pop(1)  # what b reads is not in the export
    waves = found(Server(S=export), "S/b S/a S/c")
    assert names(waves) == ["S/b", "S/a S/c"]
    assert 'then (log streams of server "S")' in "\n".join(waves.tree)
    (warning,) = waves.warnings
    assert " S/b" in warning and "S/a" not in warning


def test_a_dependency_goes_before_the_rules():
    api = Server(["C"], S=exported(a="", b=""))
    first = {"before": [{"server": "C"}], "after": [{"name": "b"}]}
    assert names(found(api, "S/a S/b C/w", [first])) == ["S/b", "C/w", "S/a"]
    export = exported(a="-", b="", c="")
    export["cmd.replication_definition"]["databases"].pop(1)
    reader_first = {"before": [{"name": "b"}], "after": [{"name": "a"}]}
    assert names(found(Server(S=export), "S/a S/b S/c", [reader_first])) == ["S/a", "S/b S/c"]


@pytest.mark.parametrize(
    ("before", "after", "waves", "warnings"),
    [
        ({"name": "a"}, {"name": "[bc]"}, ["S/b S/c", "S/a S/d"], []),
        ({"name": "[ab]"}, {"name": "[bc]"}, ["S/c", "S/b", "S/a S/d"], []),
        ({"name": "z*"}, {"name": "a"}, ["S/a S/b S/c S/d"], ["before in item 1 "]),
        ({"name": "a"}, {"name": "z*"}, ["S/a S/b S/c S/d"], ["after in item 1 "]),
    ],
)  # fmt: skip
def test_one_dependency(before, after, waves, warnings):
    api = Server(S=exported(a="", b="", c="", d=""))
    got = found(api, "S/a S/b S/c S/d", [{"before": [before], "after": [after]}])
    assert names(got) == waves
    assert [warning.startswith(begin) for warning, begin in zip(got.warnings, warnings)] == [True] * len(warnings)


@pytest.mark.parametrize("after", ["[cb]", "[dcb]"])
def test_a_dependency_that_contradicts_itself(after):
    with pytest.raises(InputError) as raised:
        found(None, "S/a S/b S/c S/d", [{"before": [{"server": "S"}], "after": [{"name": after}]}])
    assert " item 1 of dependencies " in str(raised.value) and " S/b and S/c:" in str(raised.value)


@pytest.mark.parametrize(
    ("reads", "circle"),
    [
        ({"a": "b", "b": "-", "c": ""}, "S/a -> S/b (item 1 of dependencies) -> S/a (log stream)"),
        ({"a": "c", "b": "", "c": "-"}, "S/a -> S/c (item 1 of dependencies) -> S/a (log stream)"),
        ({"a": "", "b": "-", "c": "b"}, "S/b -> S/c (log stream) -> S/b (item 1 of dependencies)"),
    ],
)
def test_a_circle_names_where_each_of_its_steps_comes_from(reads, circle):
    with pytest.raises(InputError) as raised:
        found(Server(S=exported(**reads)), "S/a S/b S/c", [{"before": [{"name": "[ac]"}], "after": [{"name": "[cb]"}]}])
    assert f": {circle}." in str(raised.value)


def test_one_task_alone_is_not_asked_about():
    waves = found(None, "S/a", [DEPENDENCY])
    assert names(waves) == ["S/a"]
    (warning,) = waves.warnings
    assert warning.startswith("after in item 1 of dependencies ")
    assert names(found(None, "")) == []


def test_a_server_that_is_not_listed_is_looked_at_by_itself():
    api = Server(["C"], hidden=("C", "S"), S=exported(a="", b=""))
    waves = found(api, "S/a S/b C/w")
    assert names(waves) == ["C/w", "S/a S/b"] and waves.warnings == [] and api.read == ["S", "C", "S"]


def test_what_cannot_be_seen_is_taken_for_replicate():
    api = Server(["C"], hidden="all", S=exported(a="", b=""))
    api.get_server_list = lambda accept: []
    waves = found(api, "S/a S/b C/w")
    assert names(waves) == ["S/a S/b C/w"]
    (warning,) = waves.warnings
    assert warning.endswith(" Replicate: S, C. S is hidden.")


def test_an_interrupt_abandons_what_is_being_read(monkeypatch):
    abandoned = []
    api = Server(hidden=("S",), S=exported(a="", b=""))
    api.client = SimpleNamespace(interrupt=SimpleNamespace(abandon=lambda: abandoned.append("requests")))

    def interrupted(_work, _items, parallel, abandon):
        abandon()
        raise KeyboardInterrupt

    monkeypatch.setattr(module, "map_parallel", interrupted)
    with pytest.raises(KeyboardInterrupt):
        found(api, "S/a S/b")
    assert abandoned == ["requests"]


# How it is shown


def test_the_order_is_shown_in_a_dry_run():
    waves, shown = Waves([], ["a", "|- b"], []), []
    for check, given in [(False, waves), (True, waves._replace(tree=None))]:
        show_order(Mode(check, True, shown.append), given)
    assert shown == []
    show_order(Mode(True, False, shown.append), waves)
    assert shown == ["The order:", "a", "|- b"]
    assert order_values(waves) == {"order": ["a", "|- b"]} and order_values(waves._replace(tree=None)) == {}
