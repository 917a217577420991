# Copyright (c) 2026, dataops.qlik_em contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A Python that is too old says so in one line, whatever the module. (Here an old one is only pretended.)"""

from __future__ import annotations

import json
import subprocess
import sys

import pytest
from ansible_collections.dataops.qlik_em.tests.functional.support.play import COLLECTIONS
from ansible_collections.dataops.qlik_em.tests.functional.support.user import MODULES

# What Python 3.8 does not know ends in a TypeError there, so that nothing of it may be loaded before.
OLD = """
import ansible.module_utils.basic, ansible.module_utils.common.arg_spec, requests, sys
sys.hexversion, sys.version = 0x030812F0, "3.8.18 (default)"
class NotSubscriptable:
    pass
class Old:
    def __getattr__(self, name):
        return NotSubscriptable
sys.modules["collections.abc"] = Old()
import {module}
"""


@pytest.mark.parametrize("name", MODULES)
def test_each_module_says_that_its_python_is_too_old(name):
    module = f"ansible_collections.dataops.qlik_em.plugins.modules.{name}"
    run = subprocess.run(
        [sys.executable, "-c", OLD.format(module=module)],
        env={"PYTHONPATH": str(COLLECTIONS)},
        capture_output=True,
        text=True,
        check=False,
    )
    result = json.loads(run.stdout or run.stderr)
    assert run.returncode == 1 and result["failed"] is True and result["changed"] is False
    assert result["msg"].startswith("This module needs Python 3.9 or newer, and ")
    assert "is Python 3.8.18." in result["msg"] and "ansible_python_interpreter" in result["msg"]
