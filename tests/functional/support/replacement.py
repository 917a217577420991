# Copyright (c) 2026, dataops.qlik_em contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A replacement of the running task "orders" that is killed at one of its steps, and what must be the case then.

Run as a program, it does one such replacement, as its options on stdin say, and may kill itself at a step with files.
"""

from __future__ import annotations

import json
import os
import signal
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from ansible_collections.dataops.qlik_em.plugins.module_utils._tasks import replacement
from ansible_collections.dataops.qlik_em.tests.functional.every_module.cases_definitions import (
    BODY,
    definition,
    with_shop,
)
from ansible_collections.dataops.qlik_em.tests.functional.support.user import User
from ansible_collections.dataops.qlik_em.tests.functional.ways.children import await_that
from ansible_collections.dataops.qlik_em.tests.simulator.handle import Handle

PROD, TASK = "Replicate-Prod", "orders"
ADMIN = {"username": "admin@corp.example", "password": "admin-test-password"}
NEW = ("ORDERS", "NEW")
FILE_STEPS = ("back_up", "write_note", "remove_note")
# How a request is caught: before the server does its work, and after that, the answer on its way.
CAUGHT: dict[str, dict[str, Any]] = {
    "before": {"fault": "stall", "seconds": 20},
    "after": {"fault": "delay", "seconds": 20, "when": "after"},
}


def begin_anew(em: Handle) -> None:
    """Make the stand-in as new, its task quick."""
    em.reset()
    em.set_task(PROD, TASK, stop_seconds=0, start_seconds=0, memory_lag=0)


def options(folder: Path) -> dict[str, Any]:
    """Return the options of aem_task for the replacement; the new definition comes with a new endpoint."""
    return {
        "server": PROD,
        "name": TASK,
        "state": "present",
        "definition": with_shop(definition(TASK, NEW)),
        "import_mode": "replace",
        "backup_dir": str(folder),
        "force": True,
        "stop_if_running": True,
        "wait_sleep": 0.1,
        "wait_timeout": 20,
    }


def tables(em: Handle) -> list[str] | None:
    """Return the tables of the task, None if there is no such task."""
    if TASK not in em.server(PROD)["tasks"]:
        return None
    source = em.inside(PROD, TASK)["definition"]["source"]
    return [table["name"] for table in source["source_tables"]["explicit_included_tables"]]


def things(em: Handle) -> set[str]:
    """Return the names of all tasks and endpoints of the server."""
    server = em.server(PROD)
    return {*server["tasks"], *server["endpoints"]}


def assert_nothing_is_lost(em: Handle, folder: Path, old: list[str]) -> None:
    """After a kill there is the old task or the new one, or the old one is in the file that the note names."""
    now = tables(em)
    assert now in (old, list(NEW), None)
    if now is None or em.task(PROD, TASK)["state"] != "RUNNING":
        (path,) = folder.glob("*__replacement.json")
        note = json.loads(path.read_text())
        assert note["was_active"] and note["is_touched"]
        item = json.loads(Path(note["backup_file"]).read_text())[BODY]["tasks"][0]
        kept = [table["name"] for table in item["source"]["source_tables"]["explicit_included_tables"]]
        assert sorted(kept) == sorted(old)


def assert_all_is_well(em: Handle, folder: Path, at_first: set[str]) -> None:
    """After the next run the new task runs, and nothing of the killed one is left."""
    assert tables(em) == list(NEW)
    await_that(lambda: em.task(PROD, TASK)["state"] == "RUNNING", "the task runs")
    assert things(em) == at_first | {"Shop"}
    assert not list(folder.glob("*__replacement.json"))


def main() -> None:
    """Do one replacement."""
    given = json.load(sys.stdin)

    def die(*_arguments: Any) -> None:
        os.kill(os.getpid(), signal.SIGKILL)

    count, step = 0, given.get("step")
    if step:
        work = getattr(replacement, step)

        def killing(*arguments: Any) -> Any:
            nonlocal count
            count += 1
            if count < given["nth"]:
                return work(*arguments)
            if given["when"] == "after":
                work(*arguments)
            return die()

        setattr(replacement, step, killing)
    em: Any = SimpleNamespace(url=given["url"], ca_path=given["ca_path"], requests=list)
    User(em, defaults=ADMIN).run("aem_task", **options(Path(given["folder"])))


if __name__ == "__main__":
    main()
