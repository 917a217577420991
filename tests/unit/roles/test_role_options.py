# Copyright (c) 2026, dataops.qlik_em contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the role says of its options is what the module takes, and what the role takes if they are not given."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible_collections.dataops.qlik_em.plugins.modules.aem_maintenance_window import SPEC

ROLE = Path(__file__).parents[3] / "roles" / "maintenance_window"
PREFIX = "maintenance_window_"
OWN = {"path", "checkpoint", "report", "step", "host"}  # the role looks at these itself
STEPS = {
    "record": {"include", "exclude", "waves", "dependencies", "on_server_error", "allow_empty", "parallel"},
    "freeze": {
        *("parallel", "parallel_per_server", "max_failures", "timeout", "wait_timeout", "wait_sleep"),
        *("on_restart", "on_full_load", "drain"),
    },
    "restore": {
        *("parallel", "parallel_per_server", "max_failures", "timeout", "wait_timeout", "wait_sleep"),
        *("start_when", "from", "restart_margin", "force"),
    },
}


def read(name: str) -> Any:
    return yaml.safe_load((ROLE / name).read_text(encoding="utf-8"))


def options_of(step: str) -> dict[str, dict[str, Any]]:
    specs = read("meta/argument_specs.yml")["argument_specs"]
    return {name[len(PREFIX) :]: spec for name, spec in specs[step]["options"].items()}


@pytest.mark.parametrize("step", ["main", *STEPS])
def test_the_options_of_the_role_are_those_of_the_module(step):
    options = options_of(step)
    wanted = set().union(*STEPS.values()) if step == "main" else STEPS[step]
    assert set(options) - OWN == wanted
    for name in wanted:
        default = options[name].get("default")
        assert (None if default == [] else default) == SPEC.argument_spec[name].get("default"), name


@pytest.mark.parametrize("step", ["main", *STEPS])
def test_ansible_itself_refuses_no_empty_text(step):
    """A survey of AWX gives one for what was not answered. The filter maintenance_window_options checks the types."""
    for name, spec in options_of(step).items():
        assert name == "step" or (spec["type"] in ("raw", "str", "path") and "choices" not in spec), name


@pytest.mark.parametrize("step", ["main", *STEPS])
def test_the_documented_defaults_are_those_of_the_role(step):
    defaults = read("defaults/main.yml")
    options = options_of(step)
    found = {name: spec["default"] for name, spec in options.items() if "default" in spec}
    assert found == {name: defaults[PREFIX + name] for name in options if PREFIX + name in defaults}
