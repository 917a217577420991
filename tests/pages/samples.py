# Copyright (c) 2026, dataops.qlik_em contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The pages that the browser looks at: of an estate and of a run, with all that a page can have, and very long ones."""

from __future__ import annotations

from ansible_collections.dataops.qlik_em.plugins.module_utils._reports import estate, outcome, plan
from ansible_collections.dataops.qlik_em.plugins.module_utils._reports.history import trends
from ansible_collections.dataops.qlik_em.plugins.module_utils._reports.page import render
from ansible_collections.dataops.qlik_em.plugins.module_utils._reports.reading import Estate, Facts
from ansible_collections.dataops.qlik_em.plugins.module_utils._tasks.model import TaskName, TaskSnapshot

SOURCE, NOW = "https://em.example.com/attunityenterprisemanager", "2026-11-26T03:10:00Z"
LONG = "Lieferantenstammdaten" * 6  # a name without any place to break it
SCRIPT = "<script>document.title = 'caught'</script><b onmouseover=alert(1)>"
STATES = ("RUNNING", "RUNNING", "RUNNING", "STOPPED", "RUNNING", "RECOVERY", "RUNNING", "ERROR", "STARTING", "PAUSED")
MESSAGES = {
    "ERROR": f"ORA-12541: TNS:no listener. Cannot connect to the source {SCRIPT}",
    "RECOVERY": "Connection to the target was lost, trying again",
}


def estate_page(tasks: int, servers: int = 4) -> str:
    """Return the page of an estate with a history."""
    names = [f"Replicate-{number:03}" for number in range(servers)]
    found = [_task(names[number % servers], number) for number in range(tasks)]
    found.append(Facts(TaskName(names[0], LONG), TaskSnapshot("RUNNING", "NONE", ""), 4000.0, 12345.0, 99.5, 3))
    licence = {"state": "VALID_LICENSE", "days_to_expiration": 20}
    used = {"memory_mb": 81920, "machine_cpu_percentage": 71}
    rows = [
        {"name": name, "type": "REPLICATE", "state": "MONITORED", "version": "2025.5.0.343", "license": licence}
        | {"resource_utilization": used, "message": ""}
        for name in names
    ]
    rows.append(
        {"name": "Compose-Down", "type": "COMPOSE", "state": "ERROR", "message": f"It does not answer {SCRIPT}"}
    )
    tables = {TaskName(names[0], LONG): ["SALES.PRICES", f"SALES.{LONG}", "SALES.ITEMS"]}
    skipped = [{"server": "Replicate-Away", "msg": "It cannot be reached.", "error_code": "AEM_SERVER_NOT_CONNECTED"}]
    whole = Estate(rows, found, tables, skipped, 2, ["A warning."])
    numbers = estate.summary(whole)
    runs = [{"numbers": {**numbers, "error": number * 7 % 11, "running": number}} for number in range(30)]
    return render(estate.view(whole, numbers, trends(runs, estate.TRENDS), "", SOURCE, NOW), str)


def _task(server: str, number: int) -> Facts:
    state = STATES[number % len(STATES)]
    now = TaskSnapshot(state, "FATAL_ERROR" if state == "ERROR" else "NONE", MESSAGES.get(state, ""))
    latency = float(number * number % 4000) if state == "RUNNING" else None
    return Facts(TaskName(server, f"task {number:05} to the warehouse"), now, latency, number % 900, number % 70)


def run_page(tasks: int, tail: str = SCRIPT * 3, every: int = 10) -> str:
    """Return the page of a run, one of ``every`` so many tasks has failed, with a message that ends in ``tail``."""
    rows = [
        {
            "server": f"Replicate-{number % 40:03}",
            "name": f"task {number:05} to the warehouse",
            "before": "RUNNING",
            "after": "RUNNING" if number % every == every // 3 else "STOPPED",
            "failed": number % every == every // 3,
            "changed": number % every != every // 3 and number % 7 != 0,
            "error_code": "AEM_STOP_TASK_TIMEOUT" if number % every == every // 3 else None,
            "msg": f'StopTask of task "task {number:05} to the warehouse" failed: {tail}'
            if number % every == every // 3
            else "",
            "started": f"2026-11-26T03:{number // 600 % 60:02}:{number // 10 % 60:02}.{number % 10}00Z",
            "elapsed": number % 37 + 0.25,
        }
        for number in range(tasks)
    ]
    done = outcome.read_rows(
        "result", [*rows, {"server": "Replicate-000", "name": LONG, "skipped": True, "msg": "Left."}]
    )
    result = {"failed": True, "msg": "Some tasks failed.", "hint": "Run this again."}
    numbers = outcome.summary(done, result)
    runs = [{"numbers": {**numbers, "span": 100 + number % 5}} for number in range(9)]
    return render(outcome.view(result, done, numbers, trends(runs, outcome.TRENDS), "", SOURCE, NOW), str)


def heal_page() -> str:
    """Return the page of a heal: it has columns more."""
    decisions = ("restart", "wait", "quarantine", "never", "window")
    rows = [
        {
            "server": "Replicate-Prod",
            "name": f"orders {number}",
            "before": "ERROR",
            "after": "RUNNING" if number == 0 else "ERROR",
            "changed": number == 0,
            "skipped": number > 0,
            "decision": decision,
            "restarts": number,
            "elapsed": 1.5 if number == 0 else None,
            "started": "2026-11-26T03:00:00.000Z" if number == 0 else None,
            "msg": "ERROR (ORA-12541: TNS:no listener). Restart 2 of 5 in 24 hours.",
        }
        for number, decision in enumerate(decisions)
    ]
    done = outcome.read_rows("result", rows)
    return render(outcome.view({}, done, outcome.summary(done, {}), [], "Heal", SOURCE, NOW), str)


def plan_page() -> str:
    """Return the page of a plan with all that one can have."""
    actions = ("create", "update", "reorder", "delete")
    steps = [
        {"server": "Replicate-Prod", "kind": "tasks", "name": LONG if number == 5 else f"orders {number}"}
        | {"action": actions[number % 4], "stops": number % 3 == 0}
        for number in range(12)
    ]
    one = {"server": "Replicate-Prod", "kind": "tasks", "name": "orders 1"}
    result = {
        "page": "/var/lib/qlik/plan.md",
        "impossible": [{**one, "places": ["tasks/orders/source/source_tables/explicit_included_tables/SALES.OLD"]}],
        "secrets_needed": [{**one, "kind": "endpoints", "places": ["databases/Shop/db_settings/password"]}],
        "unmanaged": [{**one, "name": "scratch"}, {**one, "name": SCRIPT}],
    }
    found = plan.read_steps(steps)
    return render(plan.view(result, found, plan.summary(found, result), [], "", SOURCE, NOW), str)
