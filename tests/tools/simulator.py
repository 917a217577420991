# Copyright (c) 2026, dataops.qlik_em contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The stand-in Enterprise Manager, as a process of its own."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from .environments import ready
from .layout import LOGS, ROOT

PATIENCE = 30.0  # seconds until it must be ready


@contextlib.contextmanager
def serving(*options: str) -> Iterator[dict[str, Any]]:
    """Run a stand-in, with the options of its command line; yields what it says of itself when it is ready."""
    environment = ready("play")
    LOGS.mkdir(parents=True, exist_ok=True)
    log = LOGS / "simulator.log"
    with tempfile.TemporaryDirectory(prefix="qlik_em-") as folder, log.open("wb") as output:
        ready_file = Path(folder) / "ready.json"
        process = subprocess.Popen(
            [
                str(environment.interpreter),
                *("-m", "tests.simulator", "--die-with-parent"),
                *("--ready-file", str(ready_file), "--tls-dir", str(Path(folder) / "tls")),
                *options,
            ],
            cwd=ROOT,
            env=environment.variables(),
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,  # Ctrl-C is for us; it must still answer while the modules log out
        )
        try:
            deadline = time.monotonic() + PATIENCE
            while not ready_file.exists():
                if process.poll() is not None or time.monotonic() > deadline:
                    raise SystemExit(f"The stand-in did not start:\n{log.read_text(encoding='utf-8')}")
                time.sleep(0.05)
            yield json.loads(ready_file.read_text(encoding="utf-8"))
        finally:
            process.terminate()
            process.wait(PATIENCE)


def connection(access: dict[str, Any]) -> dict[str, str]:
    """The environment variables that lead the modules to a stand-in."""
    return {f"QLIK_EM_{name.upper()}": access[name] for name in ("url", "ca_path", "username", "password")}


def main(*arguments: str) -> None:
    """Become the stand-in, for a user who wants to try the modules by hand."""
    environment = ready("play")
    os.chdir(ROOT)
    os.execve(
        environment.interpreter,
        [str(environment.interpreter), "-m", "tests.simulator", *arguments],
        environment.variables(),
    )


if __name__ == "__main__":
    main(*sys.argv[1:])
