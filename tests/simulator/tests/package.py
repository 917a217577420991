# Copyright (c) 2026, dataops.qlik_em contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The stand-in as a package, installed into a folder that has nothing else of the checkout."""

from __future__ import annotations

import os
import subprocess
import sys
import sysconfig
from dataclasses import dataclass
from pathlib import Path

SOURCE = Path(__file__).resolve().parents[1]


@dataclass(frozen=True)
class Installed:
    """Where the package and its command are."""

    library: Path
    command: Path

    def environ(self) -> dict[str, str]:
        """Return the variables with which the command is found, and the package by this Python."""
        return {"PATH": f"{self.command.parent}:{os.environ['PATH']}", "PYTHONPATH": str(self.library)}


def install(folder: Path) -> Installed:
    """Install the package as a user does. What it needs is in this environment, its build backend too."""
    options = ("--quiet", "--no-index", "--no-deps", "--no-build-isolation", "--prefix", str(folder))
    subprocess.run([sys.executable, "-m", "pip", "install", *options, str(SOURCE)], check=True)
    library = Path(sysconfig.get_path("purelib", vars={"base": str(folder)}))
    return Installed(library, folder / "bin" / "qlik-em-simulator")
