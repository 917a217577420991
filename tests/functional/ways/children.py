# Copyright (c) 2026, dataops.qlik_em contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Real ansible commands as children of a test, each with a home, a session and a log of its own."""

from __future__ import annotations

import contextlib
import json
import os
import re
import select
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

PATIENCE = 1200.0  # seconds for a whole playbook, on a busy machine
HERE = Path(__file__).parent
COLLECTIONS = HERE.parents[5]  # holds ansible_collections
IN_PROCESS = re.compile(r"(aem_\w+) runs in process (\d+)")
AS_MODULE = re.compile(r"(aem_\w+) runs as a module: (.*)")


def await_that(condition: Callable[[], Any], what: str, limit: float = 60) -> Any:
    """Return what `condition` returns as soon as it is true."""
    end = time.monotonic() + limit
    while not (found := condition()):
        if time.monotonic() > end:
            raise AssertionError(f"waited in vain: {what}")
        time.sleep(0.02)
    return found


def _children(pid: int) -> list[int]:
    """What a process has started and not seen to end."""
    with contextlib.suppress(FileNotFoundError, ProcessLookupError):
        return [int(one) for one in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    return []


def descendants(pid: int) -> list[int]:
    """A process and all that came of it, parents first: a parent that lives could start more."""
    found = [pid]
    for one in found:
        found += _children(one)
    return found


class Child:
    """A running command, leader of a new session: its group is what a terminal would send Ctrl-C to."""

    def __init__(self, command: list[str], folder: Path, variables: dict[str, str], log: Path) -> None:
        self._log = log
        # All processes that are forked from the command hold the other end: its end is theirs.
        self._end, end = os.pipe()
        with log.open("wb") as output:
            self.process = subprocess.Popen(
                command,
                cwd=folder,
                env=variables,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                pass_fds=(end,),
            )
        os.close(end)

    def __enter__(self) -> Child:
        return self

    def __exit__(self, *_exception: object) -> None:
        if self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()
        os.close(self._end)

    @property
    def pid(self) -> int:
        """The process id of the command itself."""
        return self.process.pid

    @property
    def output(self) -> str:
        """What it has written so far."""
        return self._log.read_text(encoding="utf-8", errors="replace")

    @property
    def worker(self) -> int:
        """The process id of the last worker that ran a task in process."""
        return int(IN_PROCESS.findall(self.output)[-1][1])

    @property
    def workers(self) -> list[int]:
        """The process ids of its workers."""
        return _children(self.pid)

    def kill(self) -> None:
        """End the command and all that came of it at once, as a power cut does."""
        for pid in descendants(self.pid):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        self.process.wait()

    def press_ctrl_c(self) -> None:
        """Send what a terminal sends: SIGINT to the whole foreground group."""
        os.killpg(self.pid, signal.SIGINT)

    def wait(self, limit: float = PATIENCE) -> int:
        """Wait until the command and all its workers have ended; return its exit status."""
        assert select.select([self._end], [], [], limit)[0], f"still there after {limit:g} s:\n{self.output}"
        return self.process.wait(limit)


class Controller:
    """Runs the ansible-core of this Python, which finds nothing of the user's."""

    def __init__(self, folder: Path, variables: dict[str, str], is_measured: bool = False) -> None:
        """Take the folder and variables; if ``is_measured``, what runs of the plugins is noted, in twice the time."""
        self.folder = folder
        self.variables = variables
        self._kept_out = ("ANSIBLE_", "QLIK_EM_", "PYTHON", *(() if is_measured else ("COVERAGE_",)))
        self._runs = 0
        (folder / "home").mkdir(parents=True, exist_ok=True)

    def start(self, command: str, *arguments: str, folder: Path | None = None, **variables: str) -> Child:
        """Start `command` with -vvv in `folder`; by default not where the playbooks are."""
        kept = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith(self._kept_out)  # compiled files are kept, or it takes ages
        }
        settings = {
            "HOME": str(self.folder / "home"),
            "LC_ALL": "C.UTF-8",
            "PYTHONUNBUFFERED": "1",
            "PYTHONHASHSEED": "0",  # the order of the words in some of Ansible's own messages
            "ANSIBLE_ASYNC_DIR": str(self.folder / "async"),
            "ANSIBLE_REMOTE_TEMP": str(self.folder / "remote"),
            "ANSIBLE_COLLECTIONS_PATH": str(COLLECTIONS),
            "ANSIBLE_LOCALHOST_WARNING": "false",
            "ANSIBLE_INVENTORY_UNPARSED_WARNING": "false",
            "ANSIBLE_RETRY_FILES_ENABLED": "false",
            "ANSIBLE_NOCOLOR": "true",
        }
        self._runs += 1
        return Child(
            [str(Path(sys.executable).parent / command), "-vvv", *arguments],
            folder or self.folder / "home",
            kept | settings | self.variables | variables,
            self.folder / f"run-{self._runs}.log",
        )

    def play(self, tasks: list[dict[str, Any]], *arguments: str, **play: Any) -> Child:
        """Start a playbook of one play on localhost (or `hosts`) with these tasks."""
        variables = play.pop("variables", {})
        book = self.folder / f"play-{self._runs + 1}.yml"
        frame = {"hosts": "localhost", "gather_facts": False, "tasks": tasks}
        book.write_text(json.dumps([frame | play]), encoding="utf-8")
        return self.start("ansible-playbook", *arguments, str(book), **variables)
