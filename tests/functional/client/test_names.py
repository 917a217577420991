# Copyright (c) 2026, dataops.qlik_em contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Names are data: each is percent-encoded once, as one segment of the path on the wire."""

from __future__ import annotations

import pytest

NAMES = {
    "with blank": "with%20blank",
    "a&b=c": "a%26b%3Dc",
    "100%": "100%25",
    "%20": "%2520",
    "a+b": "a%2Bb",
    "#1": "%231",
    "what?": "what%3F",
    "north/south": "north%2Fsouth",
    "back\\slash": "back%5Cslash",
    'it\'s "quoted"': "it%27s%20%22quoted%22",
    "Aufträge": "Auftr%C3%A4ge",
    "在庫": "%E5%9C%A8%E5%BA%AB",
    "...": "...",
    "..;x": "..%3Bx",
    "a/../b": "a%2F..%2Fb",
    "%2e%2e": "%252e%252e",
    "~user": "~user",
    "semi;colon:at@": "semi%3Bcolon%3Aat%40",
    "{{ braces }}": "%7B%7B%20braces%20%7D%7D",
    "__": "__",
}


@pytest.mark.parametrize("name", NAMES)
def test_the_path_on_the_wire(user, em, name):
    task = {"name": name, "state": "RUNNING", "stop_seconds": 0, "start_seconds": 0}
    em.reset({"users": USERS, "servers": [{"name": f"srv {name}", "tasks": [task]}]})
    run = user.task(name, server=f"srv {name}", diff=True, username="u", password="p")
    assert run.changed and not run.failed, run.result
    path = f"/attunityenterprisemanager/api/v1/servers/srv%20{NAMES[name]}/tasks/{NAMES[name]}"
    assert [request["raw_path"] for request in run.requests[1:3]] == [path, f"{path}?action=stop&timeout=60"]
    assert run.result["task"]["name"] == name


def test_a_name_that_the_server_gives_is_not_judged(user, em):
    """Nobody may type a control character, but a task that has one in its name is a task."""
    task = {"name": "new\nline\t", "state": "RUNNING", "stop_seconds": 0}
    em.reset({"users": USERS, "servers": [{"name": "srv", "tasks": [task]}]})
    run = user.run(
        "aem_task_batch", state="stopped", include=[{"server": "srv"}], wait_sleep=0.1, username="u", password="p"
    )
    assert run.changed and not run.failed, run.result
    assert any("/tasks/new%0Aline%09?action=stop" in request["raw_path"] for request in run.requests)


USERS = [{"name": "u", "logins": ["u"], "password": "p", "grants": [{"role": "Admin"}]}]
