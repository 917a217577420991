# Copyright (c) 2026, dataops.qlik_em contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The variables of the role maintenance_window: what counts as given, and what is refused in their own words."""

from __future__ import annotations

import pytest
from ansible_collections.dataops.qlik_em.plugins.filter.maintenance_window_options import (
    PREFIX,
    FilterModule,
    maintenance_window_options,
)
from ansible_collections.dataops.qlik_em.plugins.modules.aem_maintenance_window import SPEC

KNOWN = [PREFIX + name for name in ("step", "host", *SPEC.argument_spec) if name not in ("state", "next_steps")]


def read(*others, **given):
    """Return what the filter makes of these variables, and of these names beside them."""
    variables = {PREFIX + name: value for name, value in given.items()}
    return FilterModule().filters()["maintenance_window_options"](variables, KNOWN, [*variables, *others])


@pytest.mark.parametrize("empty", ["", " \n", None])
def test_what_is_empty_is_not_given(empty):
    everything = dict.fromkeys((name[len(PREFIX) :] for name in KNOWN), empty)
    assert read(**everything) == {"given": {}, "wrong": []}


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [
        ("include", '[{"server": "P", "tag": ["a"]}]', [{"server": "P", "tag": ["a"]}]),
        ("exclude", "- server: P\n- name: x", [{"server": "P"}, {"name": "x"}]),
        ("waves", "[]", []),
        ("waves", "auto", "auto"),
        ("waves", "- server: P", [{"server": "P"}]),
        ("drain", "{}", {}),
        ("checkpoint", '{"schema": 1}', {"schema": 1}),
        ("path", "/a/[b]", "/a/[b]"),
        ("parallel", "20", "20"),
    ],
)
def test_lists_and_mappings_may_be_texts(name, text, value):
    assert read(**{name: text}) == {"given": {name: value}, "wrong": []}


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"include": "P"}, "maintenance_window_include must be a list, or one as a string in YAML or JSON, not 'P'."),
        ({"include": '{"server": "P"}'}, "maintenance_window_include must be a list, or"),
        ({"drain": "[1]"}, "maintenance_window_drain must be a mapping, or one as a string in YAML or JSON"),
        ({"waves": "\n["}, "maintenance_window_waves is a string that is neither YAML nor JSON (line 2)."),
        (
            {"waves": "[2026-06-31]"},
            "maintenance_window_waves is a string that is neither YAML nor JSON. It must be a list.",
        ),
        (
            {"waves": "[" * 9999},
            "maintenance_window_waves is a string that is neither YAML nor JSON. It must be a list.",
        ),
        ({"include": [{"servr": "P"}]}, "maintenance_window_include.servr"),
        ({"include": [{"server": ""}]}, "An empty selector in maintenance_window_include would select every task"),
        ({"waves": "automatic"}, "maintenance_window_waves must be a list, or one as a string in YAML or JSON"),
        ({"waves": ["P"]}, "Each of maintenance_window_waves must be a selector"),
        ({"waves": [{}]}, "An empty selector in maintenance_window_waves would select every task"),
        (
            {"dependencies": '[{"before": [{"name": "a"}], "after": [{"name": "b"}]}]'},
            "maintenance_window_dependencies can only be used with maintenance_window_waves: auto.",
        ),
        ({"parallel": "ten"}, "'maintenance_window_parallel' is of type"),
        ({"parallel": "0"}, "maintenance_window_parallel must be between 1 and 256, not 0."),
        ({"timeout": 100000}, "maintenance_window_timeout must be between 1 and 86400 seconds"),
        ({"wait_sleep": 0}, "maintenance_window_wait_sleep must be between"),
        ({"drain": {"timeout": 0}}, "maintenance_window_drain.timeout must be between"),
        ({"on_restart": "go"}, "value of maintenance_window_on_restart must be one of: stop, report, got: go"),
    ],
)
def test_what_the_module_would_refuse_is_refused_in_the_words_of_the_role(given, says):
    (line,) = read(**given)["wrong"]
    assert says in line


def test_a_misspelt_variable_is_refused_with_the_nearest_one():
    assert (
        read("maintenance_window_recorded", "maintenance_window_frozen", "maintenance_window_restored")["wrong"] == []
    )
    (line,) = read("maintenance_window_includes")["wrong"]
    assert line == (
        "maintenance_window_includes is not a variable of the role maintenance_window. "
        'Did you mean "maintenance_window_include"?'
    )
    first, second = read("maintenance_window_wavs", "maintenance_window_paralell")["wrong"]
    assert (
        'Did you mean "maintenance_window_parallel"?' in first and 'Did you mean "maintenance_window_waves"?' in second
    )


def test_all_that_is_wrong_is_named():
    wrong = maintenance_window_options({PREFIX + "include": "P", PREFIX + "drain": "x"}, KNOWN, [])["wrong"]
    assert len(wrong) == 2
