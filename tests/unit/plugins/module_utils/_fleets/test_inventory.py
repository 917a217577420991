# Copyright (c) 2026, dataops.qlik_em contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The names of hosts: as they are, unless two could be one."""

from __future__ import annotations

import itertools

import pytest
from ansible_collections.dataops.qlik_em.plugins.module_utils._fleets.inventory import host_name


@pytest.mark.parametrize("name", ["Replicate-Prod", "Replicate Old", "在庫 — été", "100%", "a%20b", 'it\'s "quoted"'])
def test_a_name_stays_as_it_is(name):
    assert host_name(name) == name
    assert host_name(name, name) == f"{name}/{name}"


def test_no_two_objects_are_one_host():
    parts = ["/", "%", "2", "F", "5", "%2F", "%25"]
    names = {"".join(chosen) for length in (1, 2, 3) for chosen in itertools.product(parts, repeat=length)}
    assert len({host_name(name) for name in names}) == len(names)
    few = [name for name in names if len(name) < 4]
    pairs = list(itertools.product(few, repeat=2))
    assert len({host_name(*pair) for pair in pairs}) == len(pairs)
    assert all(host_name(*pair).count("/") == 1 for pair in pairs)
