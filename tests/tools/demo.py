# Copyright (c) 2026, dataops.qlik_em contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Install the collection from its own tarball and watch a playbook stop and start a task.

Against the stand-in; or, if QLIK_EM_URL is set, against a real Enterprise Manager, after a question.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from . import simulator
from .environments import Environment, ready
from .layout import BUILD, ROOT
from .outcome import Outcome
from .steps import install


class DemoError(Exception):
    """The demo can't go on, for a reason that is the reader's to mend."""


@dataclass
class Player:
    """Runs playbooks with the installed collection."""

    tools: Environment
    collections: Path
    connection: dict[str, str]

    def play(self, playbook: str, **variables: str) -> None:
        """Run a playbook of the demo and show its output."""
        settings = {
            "ANSIBLE_COLLECTIONS_PATH": str(self.collections),
            "ANSIBLE_CALLBACK_RESULT_FORMAT": "yaml",
            "ANSIBLE_INVENTORY_UNPARSED_WARNING": "false",
            "ANSIBLE_LOCALHOST_WARNING": "false",
            "ANSIBLE_NOCOWS": "true",
        }
        done = subprocess.run(
            [self.tools.command("ansible-playbook"), str(ROOT / "demo" / playbook), "-e", json.dumps(variables)],
            cwd=ROOT,
            env=self.tools.variables() | settings | self.connection,
            check=False,
        )
        if done.returncode:
            raise DemoError(f"The playbook demo/{playbook} failed")


def with_stand_in() -> None:
    """Everything, on tasks that nobody misses."""
    tools, collections = ready("play"), install(BUILD / "demo")
    with simulator.serving() as access:
        print(f"\nA stand-in Enterprise Manager answers at {access['url']}", flush=True)
        player = Player(tools, collections, simulator.connection(access))
        player.play("list_tasks.yml")
        player.play("stop_and_start.yml", server="Replicate-Prod", task="orders", refused_task="locked")


def with_real_server() -> None:
    """List the tasks; stop and start one only if the user names it and says yes."""
    if not sys.stdin.isatty():
        raise DemoError(
            "QLIK_EM_URL is set, so the demo would stop a task of a real Enterprise Manager. It asks before it does, "
            "and there is no terminal to ask on. Unset QLIK_EM_URL to use the stand-in."
        )
    tools, collections = ready("play"), install(BUILD / "demo")
    connection = {name: value for name, value in os.environ.items() if name.startswith("QLIK_EM_")}
    for name in ("QLIK_EM_CA_PATH", "QLIK_EM_CLIENT_CERT", "QLIK_EM_CLIENT_KEY"):
        if name in connection:
            connection[name] = str(Path(connection[name]).expanduser().absolute())
    player = Player(tools, collections, connection)
    player.play("list_tasks.yml")
    print(f"\nThis is {connection['QLIK_EM_URL']}. One of its tasks will be stopped and started again.")
    server = input("Server (display name): ").strip()
    task = input("Task: ").strip()
    if not server or not task or input(f'Stop "{task}" on "{server}" now? Type yes: ').strip() != "yes":
        print("Nothing was stopped.")
        return
    player.play("stop_and_start.yml", server=server, task=task)


def demo() -> Outcome:
    """The demo as a step of the tests: always against the stand-in."""
    with_stand_in()
    return Outcome.of(True)


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
