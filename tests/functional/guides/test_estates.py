# Copyright (c) 2026, dataops.qlik_em contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""docs/estates.md: two runs side by side, each with its slice, on one server that bears few calls at a time."""

from __future__ import annotations

import json
import re
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import yaml
from ansible_collections.dataops.qlik_em.tests.functional.support.play import COLLECTIONS, Outcome, Player

GUIDE = (COLLECTIONS / "ansible_collections/dataops/qlik_em/docs/estates.md").read_text(encoding="utf-8")
FILES = dict(re.findall(r"`([^`\n]+\.yml)`[^`]*:\n\n```yaml\n(.*?)```", GUIDE, re.DOTALL))
ZONES = {"north": "North-*", "south": "South-*"}
PARALLEL, MOST_CALLS = 4, 3  # of each slice; that the server bears: fewer than one slice sends


def task(number: int) -> dict[str, object]:
    """Describe a task that runs; the last of a server refuses to stop."""
    return {"name": f"t{number}", "state": "RUNNING", "stop_seconds": 0.05, "fail_stop": "No." if number == 5 else None}


def play_slice(folder: Path, zone: str, environ: dict[str, str]) -> Outcome:
    """Play the guide's playbook as the guide has it."""
    place = folder / zone
    place.mkdir()
    (place / "em.qlik_em.yml").write_text(FILES["em.qlik_em.yml"], encoding="utf-8")
    ((limit, more),) = re.findall(rf"stop_slice\.yml --limit '(.*?)' -e slice={zone} (.*)$", GUIDE, re.MULTILINE)
    assert limit == ZONES[zone] and more == "-e slice_parallel=10 -e reports=/srv/reports"
    given = {"slice": zone, "slice_parallel": PARALLEL, "reports": str(folder / "reports")}
    arguments = ("-i", "em.qlik_em.yml", "--limit", limit, "-e", json.dumps(given))
    return Player(place, as_module=False, **environ).run_file(yaml.safe_load(FILES["stop_slice.yml"]), *arguments)


def test_two_slices_side_by_side(em, tmp_path):
    user = {"name": "op", "password": "op-password", "grants": [{"role": "Operator"}]}
    servers = [
        {"name": f"{zone}-{number}", "tasks": [*map(task, range(6))]}
        for zone in ("North", "South")
        for number in (1, 2)
    ]
    em.reset({"options": {"most_calls": MOST_CALLS}, "users": [user], "servers": servers})
    login = {"QLIK_EM_USERNAME": user["name"], "QLIK_EM_PASSWORD": user["password"]}
    environ = {"QLIK_EM_URL": em.url, "QLIK_EM_CA_PATH": str(em.ca_path), **login}
    (tmp_path / "reports").mkdir()
    with ThreadPoolExecutor(len(ZONES)) as both:
        played = [*both.map(lambda zone: play_slice(tmp_path, zone, environ), ZONES)]
    text = "".join(one.text for one in played)
    # Each slice has two tasks that refuse, says so, and no other failure.
    assert [one.code for one in played] == [2, 2], text
    assert text.count("2 of 12 tasks failed.") >= 2, text
    # Calls were turned away; yet no task was stopped twice, and none was left out.
    found = {(server, name): one for server, its in em.state()["servers"].items() for name, one in its["tasks"].items()}
    assert {key: one["stops"] for key, one in found.items()} == {key: int(key[1] != "t5") for key in found}
    summary = em.summary()
    assert summary["most_calls"] == MOST_CALLS and summary["turned_away"]
    assert summary["logins"] == summary["logouts"] == 4  # two inventories, two slices
    # The report that is put together is right.
    report = Player(tmp_path, as_module=False)
    arguments = ("-e", json.dumps({"reports": str(tmp_path / "reports")}))
    outcome = report.run_file(yaml.safe_load(FILES["report.yml"]), *arguments)
    assert outcome.code == 2 and "24 tasks, 20 changed, 4 failed" in outcome.text, outcome.text
    assert outcome.text.count("fatal: ") == 1
    named = set(re.findall(r'task \W*"t5\W* on server \W*"([\w-]+)', outcome.text))
    assert named == {server["name"] for server in servers}, outcome.text
    # A slice that is played twice under two names is noticed.
    (tmp_path / "reports" / "again.jsonl").write_bytes((tmp_path / "reports" / "north.jsonl").read_bytes())
    outcome = report.run_file(yaml.safe_load(FILES["report.yml"]), *arguments)
    assert outcome.code == 2 and "36 tasks" in outcome.text and "unique" in outcome.text, outcome.text
