# Copyright (c) 2026, dataops.qlik_em contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Watch a playbook stop and start a task, with the installed collection (ANSIBLE_COLLECTIONS_PATH).

Against the stand-in; or, if QLIK_EM_URL is set, against a real Enterprise Manager, after a question.
What is shown of the stand-in is also the picture in README.md.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import signal
import subprocess
import sys
from pathlib import Path

from . import recording, simulator

SETTINGS = {
    "ANSIBLE_CALLBACK_RESULT_FORMAT": "yaml",
    "ANSIBLE_INVENTORY_UNPARSED_WARNING": "false",
    "ANSIBLE_LOCALHOST_WARNING": "false",
    "ANSIBLE_NOCOWS": "true",
}


TASKS = {"server": "Replicate-Prod", "task": "orders", "refused_task": "locked"}


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
        play("stop_and_start.yml", connection, **TASKS)


def record(is_check: bool) -> None:
    """Make the picture of the second playbook anew, or fail if it would show something else."""
    with simulator.serving() as access:
        environ = os.environ | SETTINGS | simulator.connection(access) | {"ANSIBLE_FORCE_COLOR": "true"}
        environ.pop("NO_COLOR", None)
        command = ["ansible-playbook", "demo/stop_and_start.yml", "-e", json.dumps(TASKS)]
        ran = subprocess.run(
            command,
            cwd=simulator.ROOT,
            env=environ,
            check=False,
            text=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )
    if ran.returncode:
        raise DemoError(f"The playbook demo/stop_and_start.yml failed:\n{ran.stdout}")
    # Where the checkout lies is nobody's business.
    svg = recording.picture(ran.stdout.replace(f"{simulator.ROOT}/", ""), "make demo")
    if not is_check:
        recording.PICTURE.write_text(svg, encoding="utf-8")
    elif recording.words(svg) != recording.words(recording.PICTURE.read_text(encoding="utf-8")):
        raise DemoError(f"{recording.PICTURE.name} shows something else than the demo: make recording")


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
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--stand-in", action="store_true", help="never run it against a real server")
    picture = parser.add_mutually_exclusive_group()
    picture.add_argument("--record", action="store_true", help="only make the picture anew")
    picture.add_argument("--check", action="store_true", help="also fail if the picture shows something else")
    arguments = parser.parse_args()
    try:
        if arguments.record:
            record(is_check=False)
        elif os.environ.get("QLIK_EM_URL") and not arguments.stand_in:
            with_real_server()
        else:
            with_stand_in()
        if arguments.check:
            record(is_check=True)
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
