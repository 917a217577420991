# Copyright (c) 2026, dataops.qlik_em contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A plan with something of everything, applied to the stand-in, and what must be the case after it or after its end.

Run as a program, it applies the plan, and kills itself at a line of the journal, as its options on stdin say.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from ansible_collections.dataops.qlik_em.plugins.module_utils._client.limits import Limits
from ansible_collections.dataops.qlik_em.plugins.module_utils._fleets.journal import Journal
from ansible_collections.dataops.qlik_em.tests.functional.support.user import Run, User
from ansible_collections.dataops.qlik_em.tests.simulator.handle import Handle

PROD = "Replicate-Prod"
ADMIN = {"username": "admin@corp.example", "password": "admin-test-password"}
SECRET = "canary-of-the-shop"
# The writes of the plan, as the journal has them.
WRITES = ("ImportAll", "StopTask", "ImportAll", "ImportAll", "PutServerAcl", "RunTask", "DeleteTask")


class Patient(User):
    """A user whose waits for what nobody knows are short: the stand-in does at once what it was asked."""

    limits = Limits(first_pause=0.01, lost_effect=1, import_lag=1)


class Estate:
    """A folder with the files of the stand-in's server, which differ from it, and the plan for them."""

    def __init__(self, em: Handle, folder: Path) -> None:
        self.em, self.folder = em, folder
        self.user = Patient(em, defaults=ADMIN)
        self.path, self.plan = folder / "estate", folder / "plan.json"

    def run(self, state: str, **options: Any) -> Run:
        """Run aem_estate."""
        return self.user.run("aem_estate", **{**self.options(state), **options})

    def options(self, state: str) -> dict[str, Any]:
        """Return the options of a run."""
        given: dict[str, Any] = {"state": state, "path": str(self.path), "include": [{"server": PROD}]}
        if state != "gathered":
            given.update(plan=str(self.plan), prune="confirm", force=True, wait_sleep=0.1, wait_timeout=20, timeout=2)
            given["secrets"] = {PROD: {"Shop": {"password": SECRET}}}
        return given

    def edit(self, place: str, change: Any) -> None:
        """Change what is in a file."""
        path = self.path / PROD / place
        document = json.loads(path.read_text())
        change(document)
        path.write_text(json.dumps(document))

    def prepare(self) -> None:
        """Gather, let the files differ in an object of each kind, and plan that."""
        for task in ("orders", "invoices"):
            self.em.set_task(PROD, task, stop_seconds=0, start_seconds=0, memory_lag=0)
        self.user.run("aem_acl", server=PROD, admin_role={"users": ["admin@corp.example"]})
        assert not self.run("gathered").failed
        folder = self.path / PROD

        def point_to_shop(task: Any) -> None:
            task["task"]["source_name"] = "Shop"
            task["source"]["rep_source"].update(source_name="Shop", database_name="Shop")

        def put(*keys: str, value: Any) -> Any:
            def change(document: Any) -> None:
                for key in keys[:-1]:
                    document = document[key]
                document[keys[-1]] = value

            return change

        (folder / "endpoints" / "Shop.json").write_text((folder / "endpoints" / "ERP.json").read_text())
        self.edit("endpoints/Shop.json", put("name", value="Shop"))
        self.edit("endpoints/Warehouse.json", put("db_settings", "added", value="one"))
        self.edit("endpoints/ERP.json", put("db_settings", "server", value="new.corp.example"))
        self.edit("tasks/orders.json", point_to_shop)
        self.edit("tasks/orders.json", put("task_settings", "target_settings", "default_schema", value="DWH"))
        (folder / "tasks" / "fresh.json").write_text((folder / "tasks" / "orders.json").read_text())
        self.edit("tasks/fresh.json", put("task", "name", value="fresh"))
        (folder / "tasks" / "invoices.json").unlink()
        self.edit("schedules.json", lambda all_: all_["jobs"][0].update(enabled=False, schedule="5 5 * * * *"))
        self.edit("acl.json", put("viewer_role", "users", value=[{"name": "ann@corp.example"}]))
        run = self.run("planned")
        assert run.changed and not run.failed, run.result

    def picture(self) -> dict[str, Any]:
        """Return all that the server has, and the state of its tasks; but for secrets, which look new each time."""
        target = self.folder / "picture"
        assert not self.user.run("aem_estate", path=str(target), include=[{"server": PROD}]).failed
        found: dict[str, Any] = {str(path.relative_to(target)): path.read_text() for path in target.rglob("*.json")}
        tasks = self.em.server(PROD)["tasks"]
        return {**found, "running": sorted(name for name in tasks if self.em.task(PROD, name)["state"] == "RUNNING")}

    def die_at(self, line: int, state: str = "applied") -> None:
        """Run in a process of its own that is killed when it has written, or is about to write, so many lines."""
        given = {"url": self.em.url, "ca_path": self.em.ca_path, "line": line, "options": self.options(state)}
        program = [sys.executable, "-m", f"{__package__}.estate_runs"]
        done = subprocess.run(
            program, input=json.dumps(given), text=True, capture_output=True, timeout=120, check=False
        )
        assert done.returncode == -signal.SIGKILL, (done.returncode, done.stderr)


def written(run: Run) -> list[str]:
    """Return the writes of a run."""
    reads = ("Get", "Export", "Login", "Logout", "TestEndpoint")
    return [operation for operation in run.operations if not operation.startswith(reads)]


def main() -> None:
    """Apply the plan, or back it out, until the line of the journal at which this ends."""
    given = json.load(sys.stdin)
    count, note = 0, Journal.note

    def killing(journal: Journal, event: str, **members: Any) -> None:
        nonlocal count
        note(journal, event, **members)
        count += 1
        if count >= given["line"]:
            os.kill(os.getpid(), signal.SIGKILL)

    Journal.note = killing  # type: ignore[method-assign]
    em: Any = SimpleNamespace(url=given["url"], ca_path=given["ca_path"], requests=list)
    User(em, defaults=ADMIN).run("aem_estate", **given["options"])


if __name__ == "__main__":
    main()
