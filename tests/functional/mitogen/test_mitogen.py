# Copyright (c) 2026, dataops.qlik_em contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Under Mitogen, which replaces how Ansible runs modules: both ways give the same results and send the same."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import ansible_mitogen
import pytest
from ansible_collections.dataops.qlik_em.tests.functional.ways.test_same_results import Way, both_ways, compare

STRATEGIES = Path(ansible_mitogen.__file__).parent / "plugins" / "strategy"


@pytest.fixture(scope="module")
def ways(tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[Way]]:
    """Both ways, with Mitogen."""
    settings = {"ANSIBLE_STRATEGY": "mitogen_linear", "ANSIBLE_STRATEGY_PLUGINS": str(STRATEGIES)}
    with both_ways(tmp_path_factory, **settings) as found:
        yield found


def test_the_integration_target_of_aem_task(ways):
    compare(ways, "targets.yml", "-e", "@../em.json", "-e", json.dumps({"targets": ["aem_task"]}))


def test_it_is_mitogen_that_runs_modules(ways):
    # An action that only Mitogen has: how it reaches the host.
    actions = str(STRATEGIES.parent / "action")
    stack = {"mitogen_get_stack": {}, "register": "stack"}
    check = {"ansible.builtin.assert": {"that": "stack.result | map(attribute='method') == ['local']"}}
    with ways[0].controller.play([stack, check], variables={"ANSIBLE_ACTION_PLUGINS": actions}) as child:
        assert child.wait() == 0, child.output
