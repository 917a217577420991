# Copyright (c) 2026, dataops.qlik_em contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Watch a playbook stop and start a task, with the installed collection (ANSIBLE_COLLECTIONS_PATH).

Against the stand-in; or, if QLIK_EM_URL is set, against a real Enterprise Manager, after a question.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
from pathlib import Path

from . import simulator

SETTINGS = {
    "ANSIBLE_CALLBACK_RESULT_FORMAT": "yaml",
    "ANSIBLE_INVENTORY_UNPARSED_WARNING": "false",
    "ANSIBLE_LOCALHOST_WARNING": "false",
    "ANSIBLE_NOCOWS": "true",
}


class DemoError(Exception):
    """The demo can't go on, for a reason that is the reader's to fix."""


def play(playbook: str, connection: dict[str, str], **variables: str) -> None:
    """Run a playbook of the demo and show its output."""
    command = ["ansible-playbook", str(simulator.ROOT / "demo" / playbook), "-e", json.dumps(variables)]
    environ = os.environ | SETTINGS | connection
    if subprocess.run(command, cwd=simulator.ROOT, env=environ, check=False).returncode:
        raise DemoError(f"The playbook demo/{playbook} failed")


def with_stand_in() -> None:
    """Everything, on tasks that nobody misses."""
    with simulator.serving() as access:
        print(f"\nA stand-in Enterprise Manager answers at {access['url']}", flush=True)
        connection = simulator.connection(access)
        play("list_tasks.yml", connection)
        play("stop_and_start.yml", connection, server="Replicate-Prod", task="orders", refused_task="locked")


def with_real_server() -> None:
    """List the tasks; stop and start one only if the user names it and says yes."""
    if not sys.stdin.isatty():
        raise DemoError(
            "QLIK_EM_URL is set, so the demo would stop a task of a real Enterprise Manager. It asks before it does, "
            "and there is not a terminal to ask on. Unset QLIK_EM_URL to use the stand-in."
        )
    connection = {name: value for name, value in os.environ.items() if name.startswith("QLIK_EM_")}
    for name in ("QLIK_EM_CA_PATH", "QLIK_EM_CLIENT_CERT", "QLIK_EM_CLIENT_KEY"):
        if name in connection:
            connection[name] = str(Path(connection[name]).expanduser().absolute())
    play("list_tasks.yml", connection)
    print(f"\nThis is {connection['QLIK_EM_URL']}. One of its tasks will be stopped and started again.")
    server = input("Server (display name): ").strip()
    task = input("Task: ").strip()
    if not server or not task or input(f'Stop "{task}" on "{server}" now? Type yes: ').strip() != "yes":
        print("Nothing was stopped.")
        return
    play("stop_and_start.yml", connection, server=server, task=task)


def main() -> int:
    """Run the demo that the environment asks for."""
    # Whatever ends the demo, the stand-in is shut down.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        with_real_server() if os.environ.get("QLIK_EM_URL") else with_stand_in()
    except DemoError as error:
        print(f"\n{error}", file=sys.stderr)
        return 1
    except (KeyboardInterrupt, EOFError):
        with contextlib.suppress(KeyboardInterrupt):
            print("\nStopped", file=sys.stderr)
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
