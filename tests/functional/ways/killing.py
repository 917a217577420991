# Copyright (c) 2026, dataops.qlik_em contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A playbook with the replacement of support/replacement.py that is killed, and run again."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ansible_collections.dataops.qlik_em.tests.functional.support import replacement
from ansible_collections.dataops.qlik_em.tests.functional.ways.children import Child, Controller, await_that
from ansible_collections.dataops.qlik_em.tests.simulator.handle import Handle


def kill_and_run_again(em: Handle, folder: Path, rule: dict[str, Any], as_module: bool) -> None:
    """Kill a playbook when the stand-in applies the ``rule`` (or at its end), and run it again: all is well then."""
    old, at_first = replacement.tables(em), replacement.things(em)
    assert old is not None
    kept = folder / "kept"
    kept.mkdir()
    connection = {"url": em.url, "ca_path": em.ca_path, **replacement.ADMIN}
    task = {"dataops.qlik_em.aem_task": {**connection, **replacement.options(kept)}}
    controller = Controller(folder / "ansible", {})

    def start() -> Child:
        return controller.play([task], vars={"aem_run_as_module": as_module})

    em.faults([rule])
    with start() as child:
        await_that(lambda: em.faults()[0]["applied"] or child.process.poll() is not None, f"{rule}")
        child.kill()
    replacement.assert_nothing_is_lost(em, kept, old)
    em.clear_faults()
    with start() as child:
        assert child.wait() == 0, child.output
    replacement.assert_all_is_well(em, kept, at_first)
