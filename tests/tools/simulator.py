# Copyright (c) 2026, dataops.qlik_em contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The stand-in Enterprise Manager, as a process of its own."""

from __future__ import annotations

import contextlib
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
PATIENCE = 30.0  # seconds until it must be ready


@contextlib.contextmanager
def serving(*options: str) -> Iterator[dict[str, Any]]:
    """Run a stand-in, with the options of its command line; yields what it says of itself when it is ready."""
    with tempfile.TemporaryDirectory(prefix="qlik_em-") as name:
        folder = Path(name)
        ready, log = folder / "ready.json", folder / "log"
        command = ["-m", "tests.simulator", "--die-with-parent", "--ready-file", str(ready), "--tls-dir", f"{name}/tls"]
        with log.open("wb") as output:
            process = subprocess.Popen(
                [sys.executable, *command, *options],
                cwd=ROOT,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,  # Ctrl-C is for us; it must still answer while the modules log out
            )
        try:
            deadline = time.monotonic() + PATIENCE
            while not ready.exists():
                if process.poll() is not None or time.monotonic() > deadline:
                    raise SystemExit(f"The stand-in did not start:\n{log.read_text(encoding='utf-8')}")
                time.sleep(0.05)
            yield json.loads(ready.read_text(encoding="utf-8"))
        finally:
            process.terminate()
            process.wait(PATIENCE)


def connection(access: dict[str, Any]) -> dict[str, str]:
    """Return the environment variables that lead the modules to a stand-in."""
    return {f"QLIK_EM_{name.upper()}": access[name] for name in ("url", "ca_path", "username", "password")}
