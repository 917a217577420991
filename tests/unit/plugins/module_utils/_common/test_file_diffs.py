# Copyright (c) 2026, dataops.qlik_em contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Diffs that are longer than Ansible wants to show."""

from __future__ import annotations

import pytest
from ansible_collections.dataops.qlik_em.plugins.module_utils._common.file_diffs import shortened

FOUND = {"before": "a\nb\n", "after": "é\n", "before_header": "x"}


def test_texts_of_more_bytes_than_that_are_summed_up():
    size = "text, not shown as it is long"
    assert shortened(FOUND, 3) == {
        "before": f"old {size}: 4 bytes, 2 lines\n",
        "after": f"new {size}: 3 bytes, 1 line\n",
        "before_header": "x",
    }
    assert shortened({**FOUND, "before": ""}, 2)["before"] == ""


@pytest.mark.parametrize(("found", "most"), [(FOUND, 4), (FOUND, 0), ({"before": {"a": 1}, "after": "x" * 9}, 3)])
def test_all_others_are_shown(found, most):
    assert shortened(found, most) == found
