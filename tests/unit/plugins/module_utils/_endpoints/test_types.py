# Copyright (c) 2026, dataops.qlik_em contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The table of the known types says one thing."""

from __future__ import annotations

import pytest
from ansible_collections.dataops.qlik_em.plugins.module_utils._endpoints.types import (
    ASSUMED,
    PAIRED,
    SEEN,
    TYPE_ONLY,
    TYPES,
    kind_of,
    meaning,
)


@pytest.mark.parametrize("kind", TYPES)
def test_each_entry_is_well_formed(kind):
    known = TYPES[kind]
    assert kind_of(kind) == kind and known.role in ("", "SOURCE", "TARGET")
    assert known.basis in (SEEN, PAIRED, ASSUMED, TYPE_ONLY)
    assert bool(known.settings_type) is (known.basis != TYPE_ONLY)
    assert not known.settings_type or known.settings_type.endswith("Settings")


def test_each_name_means_one_type_and_no_name_is_the_type_of_another():
    called = [kind_of(name) for known in TYPES.values() for name in known.names]
    assert len(called) == len(set(called))
    for kind, known in TYPES.items():
        assert all(meaning(name) == meaning(name.lower(), known.role) == kind for name in known.names)


def test_a_name_that_the_console_has_for_the_other_role_is_not_taken():
    assert meaning("SAP HANA", "SOURCE") == "SAP_HANA_SRC"
    assert meaning("SAP HANA", "TARGET") == meaning("SAP HANA", "BOTH") == "SAP_HANA"
